# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 3 · Architectures
#
# A network's table fits on one page: a line for each layer, with its size and its cost. Whoever
# can write that page can say what will fit, what will be slow, and where a famous table is wrong.
#
# **You will be able to**
#
# - say when to design a network, and when to take one that is known to work;
# - trace AlexNet and VGG-16 layer by layer, and check every line against the real model;
# - say in which layers the parameters, the work and the memory are;
# - decide whether batch norm comes before or after max pooling, and give the reasons;
# - say what a skip connection and a 1×1 convolution are for;
# - calculate which batch fits into a GPU.
#
# **Time**: 85 minutes, with the tracer. **You need**: `02_convolution_arithmetic`.
# **Exercise**: the practice questions in the text.
#
# Claims are labelled: *settled* (arithmetic, or agreed on), *contested* (good people disagree),
# *rule of thumb* (often true; check it).
#
# **Where we are.** Lecture 2 computed single layers. This lecture puts them together. Lecture 4
# takes such a network, already trained, for a task of your own.
#
# **Before you begin**, three questions about lecture 2. Answer them before you open the fold.
#
# 1. Which side has the output of a 5×5 kernel on a 32×32 image, without padding and with stride 1?
# 2. How many weights has one 3×3 filter whose input has 64 channels?
# 3. Which grows the receptive field faster: one more 3×3 layer, or a stride of 2 further in front?
#
# <details><summary>Answers</summary>
#
# 1. $32 - 5 + 1 = 28$.
# 2. $3 \cdot 3 \cdot 64 = 576$, because a filter reaches through all channels. Its bias is one
#    more.
# 3. The stride: from there on every step of a later layer is twice as long in the image.
#
# </details>

# %%
import torch
import torch.nn.functional as F
from torch import nn
from torchvision import models

from course_utils.architectures import kept_for_backward, layers_of
from course_utils.architectures import show_blocks, show_table, training_peak
from course_utils.arithmetic import Conv, Dense, Pool, table, trace
from course_utils.data import load_photograph, load_stamps, split_per_class
from course_utils.models import IMAGENET_MEAN, IMAGENET_STD
from course_utils.plots import show_bars
from course_utils.quiz import ask

_ = torch.manual_seed(0)

# %% [markdown]
# ## Design, or take what works?
#
# You have pictures and labels. Somebody must decide how many layers, how many filters, which
# kernels. Should you design that from scratch every time?
#
# Mostly not. A design is a guess, and to test a guess you train a network. Somebody has done that
# for AlexNet and VGG, again and again, so taking one of them **saves time and computation**.
# (That a known design is the better first try is a *rule of thumb*. Others automate the search:
# it works, and it costs as much as it sounds.)
#
# Often you want the same task at another **resolution**. Does the design survive that? Here are
# AlexNet's convolutions as a list, the way lecture 2 wrote them, at three sizes of image:

# %%
convolutions = [
    Conv(96, 11, stride=4),
    Pool(3, stride=2),
    Conv(256, 5, padding=2, groups=2),
    Pool(3, stride=2),
    Conv(384, 3, padding=1),
    Conv(384, 3, padding=1, groups=2),
    Conv(256, 3, padding=1, groups=2),
    Pool(3, stride=2),
]
for side in (227, 291, 451):
    rows = trace((3, side, side), convolutions)
    print(f"{side}: {rows[-1].shape}, {sum(row.parameters for row in rows):,} parameters")

# %% [markdown]
# The convolutions take any image that is large enough, and need no new parameter. After them,
# AlexNet has dense layers, and a dense layer has a weight for every number that reaches it:

# %%
for side in (227, 291, 451):
    rows = trace((3, side, side), [*convolutions, Dense(4096)])
    print(f"{side}: {rows[-1].parameters:>13,} parameters in the first dense layer")

# %% [markdown]
# Trained weights for one size don't fit the other. There are two ways out: make the image fit
# (resize it, as lecture 1 did), or make the map fit. Torchvision's models do the second. An
# *adaptive* pool averages the last map down to the size that the dense layers know.

# %%
pool = nn.AdaptiveAvgPool2d((6, 6))
for side in (6, 8, 13):
    print(side, "→", tuple(pool(torch.zeros(1, 256, side, side)).shape))

# %% [markdown]
# ## AlexNet, layer by layer
#
# In 2012 AlexNet won the ImageNet challenge, and computer vision turned to deep learning. Here is
# its page, without the paper's *local response normalisation* (no parameters, rarely used now):

# %%
alexnet = [*convolutions, Dense(4096), Dense(4096), Dense(1000)]
alexnet_rows = trace((3, 227, 227), alexnet)
print(table(alexnet_rows))

# %% [markdown]
# Read the sizes aloud: 55, 27, 27, 13, 13, 13, 13, 6. You know the first one from lecture 2. At the
# end, 256 maps of 6×6 remain. A unit in their middle sees 195×195 of the 227×227 pixels, a unit in
# a corner only 131×131; the rest of its field is padding. (The table's 355×355 counts padding,
# too.)
#
# What is `groups=2`? The authors had two GPUs and put half of the filters on each. In three of the
# layers the halves didn't talk, so a filter reaches through half of the channels only. That halves
# its weights. Without groups there would be

# %%
undivided = [Conv(*(x.filters, x.kernel, x.stride, x.padding)) for x in alexnet if type(x) is Conv]
divided = [row for row in alexnet_rows if type(row.layer) is Conv]
for row, before, conv in zip(divided, [3, 96, 256, 384, 384], undivided, strict=True):
    whole = trace((before, 55, 55), [conv])[1]
    print(f"{row.layer!s:27} {row.parameters:>9,}  undivided: {whole.parameters:>9,}")

# %% [markdown]
# ### Which AlexNet?
#
# Ask torchvision for AlexNet, and you get another one. It is nearly the author's later single-GPU
# version, from 2014: 64 filters in the first layer, no groups, and 224 pixels with padding 2.
# Nearly: a footnote of that paper gives the fourth convolution 384 filters, and torchvision's has
# 256.
#
# `device("meta")` builds a model of shapes without numbers: no memory, no waiting. We read the
# layers out of it, and make the same table.

# %%
with torch.device("meta"):
    torchvision_alexnet = models.alexnet()
their_rows = trace((3, 224, 224), layers_of(torchvision_alexnet, (3, 224, 224)))
print(table(their_rows))

# %% [markdown]
# The totals are close and the layers are not: 60,965,224 parameters in the paper's, 61,100,840 in
# torchvision's. So there are three AlexNets, and "AlexNet's accuracy" must say which one is meant.
#
# Is our table right? Don't believe it. A *forward hook* is a function that PyTorch calls whenever
# a layer has run, and it sees what came out:

# %%
measured = []


def note(module, given, result):
    if isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.Linear):
        measured.append(tuple(result.shape[1:]))


for module in torchvision_alexnet.modules():
    module.register_forward_hook(note)
torchvision_alexnet(torch.zeros(1, 3, 224, 224, device="meta"))
print("every shape agrees:", measured == [row.shape for row in their_rows[1:]])

# %%
ask("grouped_parameters")

# %% [markdown]
# ## VGG-16: one idea, repeated
#
# AlexNet's layers are all different: 11×11, 5×5, 3×3. VGG (2014) asked what happens if you have
# one kind of block only:
#
# > **Block**: some 3×3 convolutions with *same* padding, then a 2×2 max pool with stride 2.
#
# The convolutions keep the size, the pool halves it. From block to block the map gets smaller and
# the number of filters doubles, up to 512. The whole network is five blocks and three dense
# layers:

# %%
with torch.device("meta"):
    vgg16 = models.vgg16()
vgg16_rows = trace((3, 224, 224), layers_of(vgg16, (3, 224, 224)))
show_blocks(
    vgg16_rows,
    alt="Boxes from left to right, as high as the map. From block to block of VGG-16 they become "
    "half as high, and thicker, as the channels double from 64 to 512; the last block keeps 512. "
    "Then three thin bars for the dense layers.",
)

# %% [markdown]
# As the map shrinks, the number of channels grows. (The sizes are those after the pool.) Here is
# the same line by line. A rule ends each block, from the 1st to the 5th.

# %%
show_table(vgg16_rows)

# %% [markdown]
# The first six columns are the table that you find in lectures and textbooks. (Padding 1 is *same*
# for a 3×3 kernel.) You can now work out the other columns for any such table. The model agrees:

# %%
print(f"VGG-16, table: {sum(row.parameters for row in vgg16_rows):,} parameters")
print(f"VGG-16, model: {sum(p.numel() for p in vgg16.parameters()):,} parameters")
print(f"VGG-16, macs : {sum(row.macs for row in vgg16_rows):,}")

# %% [markdown]
# Torchvision's page calls that last number "15.47 GFLOPS". They are multiply-adds: one
# multiplication and one addition each.
#
# ### Where is what?
#
# Before you go on, guess. Which layers hold most parameters? Which do most of the work? Which fill
# the memory?


# %%
def in_blocks(rows, of):
    """The sum over each block; dense layers form the last one."""
    sums = {}
    block = 1
    for row in rows[1:]:
        name = "dense" if isinstance(row.layer, Dense) else f"block {block}"
        sums[name] = sums.get(name, 0) + getattr(row, of)
        block += isinstance(row.layer, Pool)
    return sums


# %%
parameters, macs, activations = (
    in_blocks(vgg16_rows, of) for of in ("parameters", "macs", "activations")
)
show_bars(
    {
        "parameters, millions": {name: n / 1e6 for name, n in parameters.items()},
        "multiply-adds, millions": {name: n / 1e6 for name, n in macs.items()},
        "activations, thousands": {name: n / 1e3 for name, n in activations.items()},
    },
    alt="Three bar charts of VGG-16's five blocks and its dense layers. Parameters: 0, 0, 1, 6 and "
    "7 million in the blocks, 124 million in the dense layers. Multiply-adds: from 1,387 to 4,624 "
    "million in a block, 124 in the dense layers. Activations, in thousands: 7,225, 3,613, 2,609, "
    "1,305 and 326 in the blocks; 9 in the dense layers.",
)

# %%
first_dense = next(row for row in vgg16_rows if isinstance(row.layer, Dense))
in_convolutions = 1 - macs["dense"] / sum(macs.values())
print(f"the first dense layer : {first_dense.parameters / 138_357_544:.1%} of the parameters")
print(f"convolutions, together: {in_convolutions:.1%} of the multiply-adds")
print(f"the first block       : {activations['block 1'] / sum(activations.values()):.1%} of the")
print("                        activations")

# %% [markdown]
# Three questions, three different answers (settled, for this family):
#
# - **parameters** sit in the dense layers, 74.3 % of them in a single one;
# - **work** is done in the convolutions, 99.2 % of it;
# - **memory** for activations is used at the beginning, nearly half of it in the first block.
#
# So if a model file is too large, look at the end; if training runs out of memory, at the
# beginning. Lecture 4 throws the dense layers away, and you see how little of the work goes with
# them.
#
# ## Play
#
# Walk through the networks. Click into the bars or use the arrow keys; drag over the photograph to
# choose a unit. What it sees is bright. If you see an error instead, run the cell again.
#
# 1. Press *Play* with VGG-16. What grows while the map shrinks?
# 2. In which layer of VGG-16 does one unit see the whole face of the cat? In which of AlexNet?
# 3. Take the last pool and go into a corner. How much of what that unit sees is padding?
# 4. What do VGG-11 and VGG-19 have in common, and what does the depth add?
#
# <details><summary>Answers</summary>
#
# 1. The number of channels, and the part of the photograph that one unit sees.
# 2. The face fills nearly the whole picture. Only the last convolution of VGG-16 and the last pool
#    of AlexNet see about as much: 196 and 195 pixels.
# 3. Most of it. In VGG-16 the unit's field is 212 pixels wide, and 90 of them are outside the
#    image, at each of two sides.
# 4. They have the same blocks, pools and dense layers. Depth adds 3×3 convolutions inside the
#    blocks: a unit sees 268 instead of 150 pixels, for 8 % more parameters.
#
# </details>

# %%
from course_utils.interactives import ArchitectureTracer

networks = {"AlexNet (2012)": alexnet_rows, "VGG-16": vgg16_rows}
for depth in (11, 13, 19):
    with torch.device("meta"):
        model = getattr(models, f"vgg{depth}")()
    networks[f"VGG-{depth}"] = trace((3, 224, 224), layers_of(model, (3, 224, 224)))

cat = load_photograph("cat")[:, :256, 65:321]
tracer = ArchitectureTracer(networks, cat, network="VGG-16", layer=13)
tracer

# %% [markdown]
# Python knows where you are. Walk on, and run this cell again:

# %%
row = networks[tracer.network][tracer.layer]
print(f"{tracer.network}, layer {tracer.layer}: {row.layer}, output {row.shape}")
for name, rows in networks.items():
    last = [row for row in rows if isinstance(row.layer, Pool)][-1]
    print(f"{name:14}: after the last pool a unit sees {last.receptive_field[0]} pixels")

# %%
ask("where_the_parameters_are")

# %% [markdown]
# ## Find the slip
#
# The best-known notes on this subject are Stanford's cs231n, and they have this very table. We owe
# them much. Below the column of activations (they call it *memory*) stands:
#
# > TOTAL memory: 24M * 4 bytes ~= 93MB / image
#
# Our table has no such total yet. Add up its column *activations*, the input included, and answer
# before you run the next cell.

# %%
ask("the_slip")

# %%
total = sum(row.activations for row in vgg16_rows)
print(f"{total:,} activations")
print(f"· 4 bytes = {4 * total / 1e6:.2f} MB = {4 * total / 2**20:.1f} MiB")

# %% [markdown]
# Every line of their column is right, and the sum is not: 15.2 million, not 24. A reader reported
# it in 2016, as issue 88 of their repository. There is a second slip: their page on transfer
# learning gives AlexNet's last volume as 6×6×512. You traced it above, and it is

# %%
print("AlexNet's last volume, channels first:", alexnet_rows[8].shape)

# %% [markdown]
# **A number that no code computes stays wrong**, however many people look at it.
#
# ## Why 3×3?
#
# Lecture 2 showed the arithmetic: two 3×3 kernels see 5×5, three see 7×7, with fewer weights. Now
# for a whole network. Let us replace every block's convolutions by **one** with a larger kernel
# that sees as much, and compare.


# %%
def vgg_like(kernels):
    """VGG-16 with one convolution a block, of the given kernels."""
    layers = []
    for filters, kernel in zip((64, 128, 256, 512, 512), kernels, strict=True):
        layers += [Conv(filters, kernel, padding=kernel // 2), Pool(2)]
    return trace((3, 224, 224), [*layers, Dense(4096), Dense(4096), Dense(1000)])


# %%
def compare(name, rows):
    convs = [row for row in rows if isinstance(row.layer, Conv)]
    print(
        f"{name}: {len(convs)} convolutions, a unit sees {rows[-4].receptive_field[0]}; "
        f"{sum(r.parameters for r in convs) / 1e6:.1f} million parameters, "
        f"{sum(r.macs for r in convs) / 1e9:.1f} billion multiply-adds, "
        f"{sum(r.activations for r in rows) / 1e6:.1f} million activations"
    )


wide = vgg_like((5, 5, 7, 7, 7))
compare("3×3, stacked", vgg16_rows)
compare("5×5 and 7×7 ", wide)

# %% [markdown]
# The stacks see exactly as far, with fewer parameters and 13 non-linearities instead of 5. In
# multiply-adds the two are nearly level, and what the stack pays is memory: it stores about twice
# as many activations. (Why are the multiply-adds so close, when $27 C^2$ is so much less than $49
# C^2$? Because the first layer of a block has fewer input channels than the others.)
#
# Is it also *better*? The VGG paper tried: one network with its pairs of 3×3 replaced by single
# 5×5 kernels had a top-1 error 7 % higher. That is one experiment, from 2014, without batch norm.
# That depth of small kernels helps was agreed for years, and is now *contested* (lecture 2,
# ConvNeXt).

# %% [markdown]
# ## Batch norm: before or after max pooling?
#
# VGG is older than batch norm (2015), which today comes with most convolutions. It subtracts from
# each channel its mean $\mu$ and divides by its standard deviation $\sigma$. Then it applies a
# learned $\gamma$ and $\beta$:
#
# $$y = \gamma\,\frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta$$
#
# In training, $\mu$ and $\sigma$ are taken over all images of the batch *and over all positions*,
# one pair for each channel. In `eval()` they are **running statistics**, averages collected in
# training.
#
# A block ends with a pool. Does the norm come **before** it or **after** it? The question is asked
# in every class, and the short answer is: *it is a trade-off between computation and the right
# $\mu$ and $\sigma$*.
#
# **Cost.** After the pool a quarter of the numbers is left to be normalised. In VGG's first block:

# %%
conv, pooled = vgg16_rows[2], vgg16_rows[3]
print(f"norm, then pool: {conv.activations:,} numbers to normalise")
print(f"pool, then norm: {pooled.activations:,}")

# %% [markdown]
# **Statistics.** The maximum of four numbers is no typical number: it is larger, and varies less.
# So the two orders see *different* $\mu$ and $\sigma$. Take channels whose numbers already have
# mean 0 and standard deviation 1:

# %%
maps = torch.randn(200, 16, 32, 32)
after_pool = F.max_pool2d(maps, 2)
norm = nn.BatchNorm2d(16)
norm_then_pool = F.max_pool2d(norm(maps), 2).detach()
pool_then_norm = norm(after_pool).detach()
print(f"before the pool: mean {maps.mean().abs():.2f}, deviation {maps.std():.2f}")
print(f"after the pool : mean {after_pool.mean():.2f}, deviation {after_pool.std():.2f}")

# %%
print(f"norm → pool gives mean {norm_then_pool.mean():.2f}, deviation {norm_then_pool.std():.2f}")
print(f"pool → norm gives mean {pool_then_norm.mean().abs():.2f}, ", end="")
print(f"deviation {pool_then_norm.std():.2f}")

# %% [markdown]
# Which order has the "right" $\mu$ and $\sigma$? That depends on what you want. With norm first,
# they describe *all* numbers that the convolution computes. With pool first, the *next* layer gets
# numbers with mean 0 and standard deviation 1. In a real map neighbours are alike, so the maximum
# of four neighbours is not much larger than each of them:

# %%
smooth = F.avg_pool2d(maps, 3, stride=1)
smooth = (smooth - smooth.mean()) / smooth.std()
print(f"neighbours alike, after the pool: mean {F.max_pool2d(smooth, 2).mean():.2f}")

# %% [markdown]
# **The $\gamma > 0$ argument.** At inference $\mu$ and $\sigma$ are fixed, and batch norm is $x
# \mapsto ax + b$ with $a = \gamma / \sqrt{\sigma^2 + \epsilon}$. If $a > 0$ the map is increasing:
# it keeps the order of the numbers, so the largest stays the largest, and it doesn't matter
# whether we look for it before or after.

# %%
norm.eval()
with torch.no_grad():
    for gamma in (0.7, -0.7):
        norm.weight.fill_(gamma)
        one, other = F.max_pool2d(norm(maps), 2), norm(F.max_pool2d(maps, 2))
        print(f"γ = {gamma:+}: the two orders are equal: {torch.equal(one, other)}")

# %% [markdown]
# With a negative $\gamma$ the norm turns the order around: what was the smallest becomes the
# largest, and the pool keeps another number. So with the *same* $\mu$ and $\sigma$ the orders
# agree exactly as long as $\gamma > 0$ (settled, and three lines of proof). Nothing in training
# keeps $\gamma$ positive.
#
# (A ReLU never turns the order around: *pool, ReLU* and *ReLU, pool* are the same.)
#
# **Folding.** At inference a norm directly after a convolution costs nothing: multiply the
# filter's weights by $a$, and put the rest into its bias. Torch has a function for it.

# %%
from torch.nn.utils.fusion import fuse_conv_bn_eval

images = torch.randn(8, 3, 32, 32)
convolution, its_norm = nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16)
its_norm(convolution(images))  # in train(): it stores running statistics
convolution.eval(), its_norm.eval()
folded = fuse_conv_bn_eval(convolution, its_norm)
print("a", type(folded).__name__, "alone gives the same:", end=" ")
print(torch.allclose(folded(images), its_norm(convolution(images)), atol=1e-5))

# %% [markdown]
# With a pool between the convolution and the norm, folding works only for $\gamma > 0$. With a ReLU
# between them, it doesn't work at all.

# %%
ask("norm_and_pool")

# %% [markdown]
# ### By experiment
#
# Does it matter for accuracy? The same small network in both orders, ReLU last in
# both, trained on ten stamps of each class. Same splits, same first weights.

# %%
stamps = load_stamps()
center, spread = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
small = F.interpolate(stamps.images / 255, size=16, mode="bilinear", antialias=True)
small = (small - center.view(3, 1, 1)) / spread.view(3, 1, 1)


def network_of(blocks, norm_first):
    layers, channels = [], 3
    for filters in blocks:
        pair = [nn.BatchNorm2d(filters), nn.MaxPool2d(2)]
        conv = nn.Conv2d(channels, filters, 3, padding=1, bias=False)
        layers += [conv, *(pair if norm_first else pair[::-1]), nn.ReLU()]
        channels = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 8))


# %%
def trained(norm_first, seed, blocks=(16, 32), steps=60):
    torch.manual_seed(seed)
    train, _ = split_per_class(stamps.labels, 10, seed)
    network = network_of(blocks, norm_first)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(steps):
        loss = F.cross_entropy(network(small[train]), stamps.labels[train])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network


@torch.no_grad()
def right(network, seed, part):
    """Percent right of a split's training (0) or test (1) pictures, in the network's mode."""
    pictures = split_per_class(stamps.labels, 10, seed)[part]
    hits = network(small[pictures]).argmax(1) == stamps.labels[pictures]
    return 100 * hits.float().mean().item()


# %%
def compare_orders(splits):
    """By how much pool first is better on new pictures, on each split."""
    gained = []
    for k in splits:
        norm_first, pool_first = (right(trained(first, k).eval(), k, 1) for first in (True, False))
        print(f"split {k}: norm first {norm_first:.0f} %, pool first {pool_first:.0f} %")
        gained.append(pool_first - norm_first)
    return torch.tensor(gained)


first_three = compare_orders(range(3))

# %% [markdown]
# A clear win for *pool, then norm*, on every split. Would you publish it? Try nine more splits
# first:

# %%
nine_more = compare_orders(range(3, 12))

# %% [markdown]
# On these the mean lead is less than half as large, and some go the other way: three splits were
# too few. Why were the first so clear? A network should do well on its own training pictures. Let
# us ask, in `train()` and in `eval()`. The weights are the same; the norms use the batch's $\mu$
# and $\sigma$ in `train()`, and the running ones in `eval()`.


# %%
def in_both_modes(norm_first, seed):
    network = trained(norm_first, seed)
    now = right(network.eval(), seed, 0), right(network.eval(), seed, 1)
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.reset_running_stats()
            norm.momentum = None  # a plain average of what comes now
    batch = right(network.train(), seed, 0)
    return batch, *now, right(network.eval(), seed, 1)


modes = {(first, k): in_both_modes(first, k) for k in range(3) for first in (True, False)}
for (norm_first, k), (batch, running, test, renewed) in modes.items():
    print(f"split {k}, {'norm' if norm_first else 'pool'} first:", end=" ")
    print(f"own pictures {batch:.0f} % in train(), {running:.0f} % in eval();", end=" ")
    print(f"new ones {test:.0f} %, statistics renewed {renewed:.0f} %")

# %% [markdown]
# There is the answer. The running statistics are **stale**: an average over the last steps, when
# the weights were others. With norm first they are more wrong than with pool first. The last column
# keeps every weight and only measures $\mu$ and $\sigma$ anew: most of the lead is gone. So the
# first table compared stale statistics, not the two orders. And it shows what *correct* $\mu$ and
# $\sigma$ are worth.
#
# There is **no universal order** (contested at best). What is published compares norm before and
# after the **ReLU**, which is another question, and changes other things at the same time. So
# choose by your reason:
#
# - inference speed: norm directly behind the convolution, where it can be folded (torchvision's
#   `vgg16_bn` does that);
# - training speed: after the pool, on a quarter of the numbers.
#
# One thing is no matter of taste. The orders *collect* different running statistics, so weights
# that were trained in one order are wrong in the other. For the same reason a frozen network is
# usually kept in `eval()`.

# %% [markdown]
# ## The next idea: a path around the layers
#
# Depth helped from AlexNet to VGG. So why not go on? In 2015 He and others trained networks of
# plain 3×3 layers on small pictures. The one with 56 layers was worse than the one with 20, and
# not only on new pictures: on its *training* pictures too. So this wasn't overfitting. The deep
# network could have copied the shallow one and passed the rest through, but training didn't find
# that. (Settled, as an observation.)
#
# The remedy is to make *passing through* the easy thing. A **residual block** computes a change
# $f(x)$ and adds it to what came in: $y = x + f(x)$. The added $x$ is a **skip connection**.
#
# ```text
# x ──┬── conv 3×3 ── norm ── ReLU ── conv 3×3 ── norm ──(+)── ReLU ── y
#     └──────────────────────────────────────────────────┘
# ```


# %%
class ResidualBlock(nn.Module):
    """Two 3×3 convolutions, and a path around both."""

    def __init__(self, channels):
        super().__init__()
        layers = []
        for _ in range(2):
            layers += [nn.Conv2d(channels, channels, 3, padding=1, bias=False)]
            layers += [nn.BatchNorm2d(channels), nn.ReLU()]
        self.change = nn.Sequential(*layers[:-1])

    def forward(self, x):
        return F.relu(x + self.change(x))


# %% [markdown]
# What does the block do if its last norm multiplies by $\gamma = 0$? Then nothing is added, and the
# block passes on what came in, here numbers that are not negative. (Torchvision's ResNets can be
# built so; they begin as shallow networks.)

# %%
block = ResidualBlock(8)
nn.init.zeros_(block.change[-1].weight)
incoming = torch.rand(2, 8, 5, 5)
print("passed on unchanged:", torch.equal(block(incoming), incoming))

# %% [markdown]
# Why this trains so well is *contested*. Lecture 5 shows one reason: the gradient gets a path
# around the layers, too.
#
# ### 1×1: mix channels, leave places alone
#
# Deep ResNets have 256 channels and more, and a 3×3 layer from 256 to 256 channels is expensive. A
# **1×1 convolution** looks at a single place, and mixes its channels: a dense layer for each pixel.
# So it can make 256 channels into 64. A **bottleneck** does that, works with 3×3 on the 64, and
# goes back to 256:

# %%
direct = trace((256, 56, 56), [Conv(256, 3, padding=1)])
bottleneck = trace((256, 56, 56), [Conv(64, 1), Conv(64, 3, padding=1), Conv(256, 1)])
for name, rows in {"one 3×3    ": direct, "bottleneck": bottleneck}.items():
    print(f"{name:10}: {sum(r.parameters for r in rows):7,} parameters", end=", ")
    print(f"{sum(r.macs for r in rows) / 1e6:,.0f} million multiply-adds")

# %% [markdown]
# Both take and give 256 maps, and a unit of both sees 3×3. The bottleneck needs about an eighth.
# Sixteen of them, with a convolution in front and a dense layer at the end, are ResNet-50: 50
# layers with weights. It branches, so our table can't hold it, but hooks can count it:


# %%
def count(name):
    """Parameters and multiply-adds of one of torchvision's networks, at 224×224."""
    with torch.device("meta"):
        network = getattr(models, name)()
    work = []
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(
                lambda layer, _, result: work.append(result.numel() * layer.weight[0].numel())
            )
    network(torch.zeros(1, 3, 224, 224, device="meta"))
    return sum(p.numel() for p in network.parameters()), sum(work)


for name in ("vgg16", "resnet50"):
    numbers, work = count(name)
    metrics = models.get_model_weights(name).IMAGENET1K_V1.meta["_metrics"]["ImageNet-1K"]
    print(f"{name:8}: {numbers / 1e6:5.1f} million parameters, {work / 1e9:4.1f} billion", end=" ")
    print(f"multiply-adds, top-1 {metrics['acc@1']:.1f} %")

# %% [markdown]
# ResNet-50 has less than a fifth of VGG-16's parameters, does about a quarter of the work, and is
# right more often. Its single dense layer comes after a mean over all places. (The accuracies are
# those of torchvision's first weights. Not only the design differs between two such trainings, so
# the gap is no measure of the design alone.)
#
# **Think.** A block's input has 64 channels and its change has 128. What goes wrong in $x + f(x)$,
# and which layer repairs it?
#
# <details><summary>An answer</summary>
#
# The shapes don't fit, so they can't be added. A 1×1 convolution on the skip connection makes 64
# channels into 128. (With a stride, it halves the map, too.)
#
# </details>

# %% [markdown]
# ## Fit the GPU
#
# > *Rule of thumb*: train an architecture and a batch that occupy the whole GPU.
#
# It is good advice if you mean: *don't pay for silicon that idles*. It is no law. Past some batch
# the GPU is busy anyway, and a larger batch only makes fewer steps of an epoch (how large is too
# large is *contested*). But first: what fits at all?
#
# Training holds, for each parameter, the **weight**, its **gradient**, and what the optimiser
# remembers: SGD with momentum one more number, Adam two. All are there even for an empty batch.

# %%
MiB, GiB = 2**20, 2**30
weights = 4 * sum(row.parameters for row in vgg16_rows)
print(f"weights alone            : {weights / MiB:,.0f} MiB")
print(f"+ gradients, momentum    : {3 * weights / MiB:,.0f} MiB")
print(f"+ gradients, Adam        : {4 * weights / MiB:,.0f} MiB")

# %% [markdown]
# On top, **for each image of the batch**, come the activations: the backward pass needs them. Each
# is 4 bytes. A max pool also notes *where* each maximum was, with 8 bytes a number. Torch itself
# can tell us what it keeps:

# %%
places = sum(row.activations for row in vgg16_rows if isinstance(row.layer, Pool))
an_image = 4 * total + 8 * places
print(f"calculated: {an_image / MiB:.1f} MiB an image")
print(f"torch says: {kept_for_backward(vgg16, (3, 224, 224)) / MiB:.1f} MiB an image")

# %% [markdown]
# The small rest comes from the adaptive pool, which keeps a copy of its input, and from the two
# dropouts. Now divide what is left by what an image takes. CUDA and cuDNN want some memory for
# themselves; we leave them a tenth, another rule of thumb.


# %%
def largest_batch(gibibytes, rows, numbers_a_parameter):
    """How many images fit in training, with a tenth of the memory left free."""
    fixed = 4 * numbers_a_parameter * sum(row.parameters for row in rows)
    pooled = sum(row.activations for row in rows if isinstance(row.layer, Pool))
    image = 4 * sum(row.activations for row in rows) + 8 * pooled
    return int((0.9 * gibibytes * GiB - fixed) // image)


# %%
for name in ("AlexNet (2012)", "VGG-11", "VGG-16", "VGG-19"):
    sgd = [largest_batch(memory, networks[name], 3) for memory in (3, 16)]
    adam = [largest_batch(memory, networks[name], 4) for memory in (3, 16)]
    print(f"{name:14}  3 GB: {sgd[0]:>3} with SGD, {adam[0]:>3} with Adam", end=";  ")
    print(f"16 GB: {sgd[1]:>4} with SGD, {adam[1]:>4} with Adam")

# %% [markdown]
# So by this calculation VGG-16 trains on a card of 3 GB: 16 images at a time with SGD, nine with
# Adam. On 16 GB you get 188 and 181. (Calculated, not tried.) The smaller the card, the more it
# matters what the optimiser remembers.
#
# What fills the memory first? For VGG-16 with 16 images it is not the activations. Weights,
# gradients and momentum take 1,583 MiB, and the activations of 16 images take less.
#
# (Cards are sold in GB and counted in GiB: "3 GB" is $3 \cdot 2^{30}$ bytes.)
#
# That is where AlexNet's `groups=2` came from. Its authors' cards had 3 GB each, and the paper
# says that this limited the size of their networks. By our count a batch of 128 needs less than
# half of that, even without groups. Their program was not PyTorch; what else it stored isn't
# written down.
#
# Is the calculation right? With a CUDA device you can measure it.

# %%
if torch.cuda.is_available():
    images = torch.zeros(8, 3, 224, 224, device="cuda")
    peak = training_peak(models.vgg16().cuda(), images)
    print(f"a batch of 8: measured {peak / GiB:.2f} GiB", end="; ")
    print(f"calculated {(3 * weights + 8 * an_image) / GiB:.2f} GiB")
else:
    print("No CUDA device here: nothing is measured, and the calculation stands alone.")

# %%
ask("which_batch_fits")

# %% [markdown]
# **Think.** Your model runs out of memory by a little. You may halve the batch, halve the side of
# the images, use Adam instead of SGD, or throw away VGG's dense layers. Which of these help, and
# what does each cost?
#
# <details><summary>An answer</summary>
#
# Half the batch halves the activations, and makes the gradient noisier. Half the side takes three
# quarters of them away, and the details in the images too. Adam needs more, not less. Without the
# dense layers most of the fixed part is gone: weights, gradients and momentum of 123,642,856
# parameters. Lecture 4 puts a small head in their place.
#
# </details>
#
# For *testing*, most of this disappears: under `torch.no_grad()` there are no gradients, no
# optimiser, and an activation can go as soon as the next layer has read it.

# %% [markdown]
# ## Code it yourself
#
# Replace the three dots, and run both cells. Nothing is recorded.
#
# **1.** What share of a network's parameters is in its dense layers? `network.modules()` gives all
# layers, `layer.parameters()` their parameters.


# %%
def dense_share(network):
    """The share, from 0 to 1, of a network's parameters that is in `nn.Linear` layers."""
    return ...  # your code here


# %%
tiny = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Flatten(), nn.Linear(9, 3))
got = dense_share(tiny)
is_right = isinstance(got, float) and abs(got - 0.75) < 1e-6
print("right" if is_right else f"not yet: of the 40 parameters 30 are dense, you say {got}")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# def dense_share(network):
#     dense = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
#     inside = sum(p.numel() for layer in dense for p in layer.parameters())
#     return inside / sum(p.numel() for p in network.parameters())
# ```
#
# </details>

# %% [markdown]
# **2.** How many weights has a bottleneck, without biases? It is a 1×1 convolution from `wide` to
# `narrow` channels, a 3×3 one from `narrow` to `narrow`, and a 1×1 one back.


# %%
def bottleneck_weights(wide, narrow):
    """The number of weights of the three convolutions together."""
    return ...  # your code here


# %%
got = bottleneck_weights(4, 2)
print("right" if got == 52 else f"not yet: from 4 to 2 channels and back it is 52, you say {got}")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# def bottleneck_weights(wide, narrow):
#     return wide * narrow + 9 * narrow * narrow + narrow * wide
# ```
#
# </details>

# %% [markdown]
# ## Summary
#
# | question | answer |
# |---|---|
# | design or take? | take what is known to work, unless you can afford to search |
# | another resolution? | convolutions take it; dense layers need an adaptive pool or a resize |
# | where are parameters, work, memory? | dense layers; convolutions; first block |
# | why 3×3? | sees as much with fewer weights; stores more activations |
# | norm or pool first? | same at inference if $\gamma > 0$; choose by cost |
# | deeper than VGG? | skip connections, and 1×1 convolutions to keep it cheap |
# | which batch fits? | (memory − parameters · numbers for each) / bytes for each image |
#
# **Key points**
#
# - AlexNet and VGG are lists of layers, whose table can be computed. (Later ones, like ResNet,
#   branch.)
# - Check tables, ours too: against parameter counts, and with hooks.
# - Maximum and an increasing function commute. Maximum and a decreasing one don't.
# - A skip connection makes *change nothing* easy; a 1×1 convolution changes the number of channels.
# - Before you rent a GPU, calculate.
#
# **Next**: `04_transfer_learning`, where somebody else has trained the network already.
#
# ### Sources
#
# - A. Krizhevsky, I. Sutskever and G. Hinton, *ImageNet classification with deep convolutional
#   neural networks*, 2012: AlexNet, two GPUs of 3 GB, batches of 128.
# - A. Krizhevsky, *One weird trick for parallelizing convolutional neural networks*, 2014: nearly
#   the AlexNet that torchvision has; pull requests 463 and 704 of pytorch/vision on the difference.
# - K. Simonyan and A. Zisserman, *Very deep convolutional networks for large-scale image
#   recognition*, 2014: VGG; section 2.3 on 5×5, section 4.1 on the comparison.
# - Stanford CS231n, *Convolutional networks* and *Transfer learning* (course notes); issue 88 of
#   their repository on the sum.
# - K. He, X. Zhang, S. Ren and J. Sun, *Deep residual learning for image recognition*, 2015:
#   ResNet; figure 1 on 20 and 56 plain layers. M. Lin, Q. Chen and S. Yan, *Network in network*,
#   2013: 1×1.
# - S. Ioffe and C. Szegedy, *Batch normalization: accelerating deep network training by reducing
#   internal covariate shift*, 2015.
# - D. Mishkin, N. Sergievskiy and J. Matas, *Systematic evaluation of convolution neural network
#   advances on the ImageNet*, 2017: norm before and after the ReLU.
# - A. Araujo, W. Norris and J. Sim, *Computing receptive fields of convolutional neural networks*,
#   2019: 195 for AlexNet, 212 for VGG-16.
