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
# You can describe a network by a table: one line for each layer, with its output size and its cost.
# With this table you can say whether the network fits into memory and which layers are slow. You
# will even find a mistake in a well-known table.
#
# **You will be able to**
#
# - say when to design your own network, and when to use a known one;
# - trace AlexNet and VGG-16 layer by layer, and check every line against the real model;
# - say in which layers the parameters, the work and the memory are;
# - decide whether batch norm comes before or after max pooling, and give the reasons;
# - say what a skip connection and a 1×1 convolution are for;
# - calculate which batch fits into a GPU.
#
# **Time**: 85 minutes, with the tracer. **You need**: `02_convolution_arithmetic`; a training loop,
# splits and balanced accuracy (lecture 1); Python's classes.
# **Exercise**: `ps3_architectures`.
#
# Claims are labelled: *settled* (arithmetic, or agreed on), *contested* (experts disagree),
# *rule of thumb* (often true; check it).
#
# **Where we are.** Lecture 2 computed single layers. This lecture puts them together. Lecture 4
# takes such a network, already trained, for a task of your own.
#
# **Before you begin**, three questions about lecture 2. Answer them before you click on
# *Answers*.
#
# 1. How wide is the output of a 5×5 kernel on a 32×32 image, without padding and with stride 1?
# 2. How many weights has one 3×3 filter whose input has 64 channels?
# 3. What makes the receptive field of the last layer larger: one more 3×3 layer at the end, or a
#    stride of 2 in an early layer?
#
# <details><summary>Answers</summary>
#
# 1. $32 - 5 + 1 = 28$.
# 2. $3 \cdot 3 \cdot 64 = 576$, because a filter reaches through all channels. Its bias is one
#    more.
# 3. The stride, if at least two 3×3 layers with stride 1 follow: after it, each step of a later
#    layer is two pixels long instead of one.
#
# </details>

# %%
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import nn
from torchvision import models

from course_utils.architecture_figures import show_blocks, show_histograms, show_memory
from course_utils.architecture_figures import show_pairs, show_residual, show_table
from course_utils.architectures import cost_of, in_blocks, kept_for_backward, layers_of
from course_utils.architectures import training_peak
from course_utils.arithmetic import Conv, Dense, Pool, table, trace
from course_utils.data import load_photograph, load_stamps, split_per_class
from course_utils.models import IMAGENET_MEAN, IMAGENET_STD
from course_utils.plots import show_bars
from course_utils.quiz import ask

_ = torch.manual_seed(0)

# %% [markdown]
# ## Design a network, or use a known one?
#
# You have pictures and labels. Somebody must decide how many layers and filters the network has,
# and how large the kernels are. Should you design that from scratch every time?
#
# Usually not. You don't know whether a new design is good before you have trained it, and for
# AlexNet and VGG others have done this many times. So using one of them **saves time and
# computation** (*rule of thumb*). There are also programs that search for a design. How much they
# gain over a known one is *contested*, and the search costs. Training from scratch needs many
# pictures, too; lecture 4 compares, with few pictures.
#
# Often your images have another **resolution** (size). Can you still use the same network? Here are
# AlexNet's convolutions as a list, as lecture 2 wrote them, at three sizes of image. (`groups=2` is
# explained below.)

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
# So the *dense* weights that were trained for one size can't be used for another. Two solutions are
# common. Change the size of the image (lecture 1), or change the size of the last map.
# Torchvision's models do the second. An *adaptive* pool takes means over parts of the last map, so
# that the result always has the size that the dense layers expect.

# %%
pool = nn.AdaptiveAvgPool2d((6, 6))
for side in (6, 8, 13):
    print(side, "→", tuple(pool(torch.zeros(1, 256, side, side)).shape))

# %% [markdown]
# ## AlexNet, layer by layer
#
# In 2012 AlexNet won the ImageNet challenge, and after that computer vision used mainly deep
# networks. Here it is, without the paper's *local response normalisation* (no parameters, rarely
# used now):

# %%
alexnet = [*convolutions, Dense(4096), Dense(4096), Dense(1000)]
alexnet_rows = trace((3, 227, 227), alexnet)
print(table(alexnet_rows))

# %% folded=true
show_blocks(
    alexnet_rows,
    alt="Boxes from left to right, as high as the map: AlexNet's five convolutions and three "
    "pools, from 96 channels of 27×27 after the first pool to 256 channels of 6×6 after the last. "
    "Then three thin bars for the dense layers.",
)

# %% [markdown]
# Look at the sizes: 55, 27, 27, 13, 13, 13, 13, 6. You know the first one from lecture 2. At the
# end, 256 maps of 6×6 remain. A unit in the middle of them sees 195×195 pixels of the image. For a
# unit in a corner, a part of its 195×195 lies outside of the image, in the padding; 131×131 are
# real pixels.
#
# What is `groups=2`? The authors had two GPUs and put half of the filters on each. In three of the
# layers the two halves weren't connected. There a filter sees only half of the channels, so it has
# half as many weights. The next cell counts the parameters with and without groups:

# %%
with_groups, without_groups = {}, {}
convs = [layer for layer in alexnet if isinstance(layer, Conv)]
for number, (conv, channels) in enumerate(zip(convs, (3, 96, 256, 384, 384), strict=True), start=1):
    for into, layer in ((with_groups, conv), (without_groups, replace(conv, groups=1))):
        into[f"conv {number}"] = trace((channels, 55, 55), [layer])[1].parameters / 1000

# %% folded=true
show_bars(
    {"as in AlexNet, thousand parameters": with_groups, "without groups": without_groups},
    alt="Two bar charts of AlexNet's five convolutions. Without groups the second, fourth and "
    "fifth have twice as many parameters; the first and the third are the same.",
)

# %% [markdown]
# ### Which AlexNet?
#
# Torchvision has a later version of AlexNet: 64 filters in the first layer, no groups, and images
# of 224 with padding 2. So if you read "AlexNet's accuracy", check which version is meant.
#
# With `device("meta")` PyTorch builds a model that has shapes but no numbers. It needs no memory
# and no time. `layers_of` reads the layers out of it, and we make the same table:

# %%
with torch.device("meta"):
    torchvision_alexnet = models.alexnet()
their_rows = trace((3, 224, 224), layers_of(torchvision_alexnet, (3, 224, 224)))
for name, rows in {"the paper's": alexnet_rows, "torchvision's": their_rows}.items():
    print(f"{name:13}: {sum(row.parameters for row in rows):,} parameters")
    print(f"{'':13}  sizes", [row.shape[1] for row in rows[1:] if len(row.shape) == 3])

# %% [markdown]
# The totals are close and the layers are not. Is our table right? We check it: does the model
# really give these sizes? A *forward hook* is a function that PyTorch calls whenever a layer has
# run. Ours notes the shape of what came out:

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
# AlexNet's kernels differ: 11×11, 5×5, 3×3. The authors of VGG (2014) asked what *depth* gives, and
# for that used only one kind of block:
#
# > **Block**: *same* 3×3 convolutions, a ReLU after each, then a 2×2 max pool with stride 2.
#
# The convolutions keep the size, the pool halves it. From block to block the map gets smaller and
# the number of filters doubles, up to 512. The whole network is five blocks and three dense
# layers:

# %%
with torch.device("meta"):
    vgg16 = models.vgg16()
vgg16_rows = trace((3, 224, 224), layers_of(vgg16, (3, 224, 224)))

# %% folded=true
show_blocks(
    vgg16_rows,
    alt="Boxes from left to right, as high as the map. From block to block of VGG-16 they become "
    "half as high, and thicker, as the channels double from 64 to 512; the last block keeps 512. "
    "Then three thin bars for the dense layers.",
)

# %% [markdown]
# As the map shrinks, the number of channels grows. (The sizes are those after the pool.) Here is
# the same line by line. A line is drawn after each of the five blocks.

# %%
show_table(vgg16_rows)

# %% [markdown]
# You find the first six columns in many lectures and textbooks. (Padding 1 is *same* for a 3×3
# kernel.) In lecture 0, **activations** were what ReLU returns. From here on, *all* numbers that a
# layer puts out are called its activations, also those before a ReLU. You can now work out the
# other columns for any such table. The model agrees:

# %%
print(f"VGG-16, table: {sum(row.parameters for row in vgg16_rows):,} parameters")
print(f"VGG-16, model: {sum(p.numel() for p in vgg16.parameters()):,} parameters")
print(f"VGG-16, macs : {sum(row.macs for row in vgg16_rows):,}")

# %% [markdown]
# Torchvision's page calls that last number "15.47 GFLOPS". They are multiply-adds: one
# multiplication and one addition each.
#
# ### Where are the parameters, the work and the memory?
#
# Before you go on, guess. Which layers hold most parameters? Which do most of the work? Which fill
# the memory? `in_blocks` adds up a column of the table for each block.

# %%
parameters, macs, activations = (
    in_blocks(vgg16_rows, of) for of in ("parameters", "macs", "activations")
)

# %% folded=true
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
first_dense = next(row for row in vgg16_rows if isinstance(row.layer, Dense)).parameters
all_parameters, all_macs = sum(parameters.values()), sum(macs.values())
print(f"the first dense layer : {first_dense / all_parameters:.1%} of all parameters")
print(f"the dense layers      : {parameters['dense'] / all_parameters:.1%} of all parameters")
print(f"the dense layers      : {macs['dense'] / all_macs:.1%} of the multiply-adds")
print(f"the convolutions      : {1 - macs['dense'] / all_macs:.1%} of the multiply-adds")
print(f"the first block       : {activations['block 1'] / sum(activations.values()):.1%} of the")
print("                        activations")

# %% [markdown]
# Three questions, three different answers (settled, for this family):
#
# - **parameters** sit in the dense layers, 74.3 % of all in the first of them;
# - **work** is done in the convolutions, 99.2 % of it;
# - **memory** for activations is used at the beginning, nearly half of it in the first block.
#
# So if a model file is too large, change the last layers. If training runs out of memory, it
# depends on the batch. With many images look at the beginning, with few at the dense layers (*Fit
# the GPU*, below). Lecture 4 removes the dense layers: 89.4 % of the parameters go, and 0.8 % of
# the work.
#
# ## Play
#
# Go through the layers of the networks: click on the bars or use the arrow keys. Drag over the
# photograph to choose a unit. What it sees is bright. If you see an error instead, run the cell
# again.
#
# 1. Choose VGG-16 and press the button *Play*. What grows while the map shrinks?
# 2. In which layer of VGG-16 does one unit see the whole face of the cat? In which of AlexNet?
# 3. Take the last pool and go into a corner. How much of what that unit sees is padding?
# 4. What do VGG-11 and VGG-19 have in common, and what does the depth add?
#
# <details><summary>Answers</summary>
#
# 1. The number of channels, and the part of the photograph that one unit sees.
# 2. The face fills nearly the whole picture. The last convolution of VGG-16 (196 pixels) and the
#    last pool of AlexNet (195) are the first that see about as much.
# 3. Most of it. In VGG-16 the unit sees 212×212. At the upper and at the left side 90 of the 212
#    lie outside of the image, so more than half of the area is padding.
# 4. They have the same blocks, pools and dense layers. Depth adds 3×3 convolutions inside the
#    blocks: a unit sees 268 instead of 150 pixels, for 8 % more parameters.
#
# </details>

# %% folded=true
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
# Python can read the tracer. Choose another layer, and run this cell again:

# %%
row = networks[tracer.network][tracer.layer]
print(f"{tracer.network}, layer {tracer.layer}: {row.layer}, output {row.shape}")
for name, rows in networks.items():
    last = [row for row in rows if isinstance(row.layer, Pool)][-1]
    print(f"{name:14}: after the last pool a unit sees {last.receptive_field[0]} pixels")

# %%
ask("where_the_parameters_are")

# %% [markdown]
# ## Find the mistake
#
# The best-known notes on this subject are Stanford's cs231n, and they contain the same table. Under
# the column of activations (they call it *memory*) we read:
#
# > TOTAL memory: 24M * 4 bytes ~= 93MB / image
#
# Add up our table's column *activations*, the input included, and answer before you run the next
# cell. (By blocks, in millions: 7.23, 3.61, 2.61, 1.30, 0.33; the dense layers 0.01, the input
# 0.15.)

# %%
ask("the_slip")

# %%
total = sum(row.activations for row in vgg16_rows)
print(f"{total:,} activations")
print(f"· 4 bytes = {4 * total / 1e6:.2f} MB = {4 * total / 2**20:.1f} MiB")

# %% [markdown]
# Every line of their column is right, but the sum is wrong: it is 15.2 million, not 24. A reader
# reported it in 2016, as issue 88 of their repository. There is a second mistake: their page on
# transfer learning gives AlexNet's last volume as 6×6×512. You traced it above: 256 maps of 6×6.

# %%
print("AlexNet's last volume, channels first:", alexnet_rows[8].shape)

# %% [markdown]
# **A number that no code computes can stay wrong for years**, however many people look at it.
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
wide = vgg_like((5, 5, 7, 7, 7))
designs = {"3×3, stacked": vgg16_rows, "5×5 and 7×7": wide}
for name, rows in designs.items():
    count = sum(isinstance(row.layer, Conv) for row in rows)
    print(f"{name}: {count} convolutions, a unit sees {rows[-4].receptive_field[0]} pixels")


# %%
def summed(rows, of, kind=object):
    return sum(getattr(row, of) for row in rows if isinstance(row.layer, kind))


costs = {
    "convolutions' parameters, millions": {
        name: summed(rows, "parameters", Conv) / 1e6 for name, rows in designs.items()
    },
    "multiply-adds, billions": {name: summed(rows, "macs") / 1e9 for name, rows in designs.items()},
    "activations, millions": {
        name: summed(rows, "activations") / 1e6 for name, rows in designs.items()
    },
}

# %% folded=true
show_bars(
    costs,
    alt="Three bar charts of stacked 3×3 kernels and single large ones. The stack has fewer "
    "parameters, about as many multiply-adds, and about twice as many activations.",
)

# %% [markdown]
# The stacks of 3×3 have the same receptive field, fewer parameters, and 13 ReLUs instead of 5. The
# number of multiply-adds is nearly equal. The disadvantage is memory: the stacks store about twice
# as many activations. (Why are the multiply-adds so close, when $27 C^2$ is so much less than $49
# C^2$? Because the first layer of a block has fewer input channels than the others.)
#
# Are they also *more accurate*? The authors of VGG tried: they replaced each pair of 3×3 layers of
# one network by a single 5×5 layer. Its top-1 error was 7 % higher (the paper doesn't say whether
# points or relative). That is one experiment, from 2014, without batch norm. For years people
# agreed that many layers with small kernels are better. Today this is *contested* (lecture 2,
# ConvNeXt).

# %% [markdown]
# ## Batch norm: before or after max pooling?
#
# VGG is older than batch norm (2015), which today comes with most convolutions. Inside a deep
# network the numbers of a layer can become very large or very small while training changes the
# weights. Then the next layers learn badly. Batch norm subtracts from each channel its mean $\mu$
# and divides by its standard deviation $\sigma$. Then it applies a learned $\gamma$ and $\beta$, so
# the network can choose another mean and spread:
#
# $$y = \gamma\,\frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta$$
#
# ($\epsilon$ is a very small number, so that we never divide by 0. That networks train faster with
# batch norm is settled, and why is *contested*.)

# %%
channel = 3 + 2 * torch.randn(64, 1, 28, 28)
norm = nn.BatchNorm2d(1)
normalised = norm(channel)
with torch.no_grad():
    norm.weight.fill_(0.5)  # γ
    norm.bias.fill_(1)  # β
chosen = norm(channel)

# %% folded=true
show_histograms(
    {"a channel": channel, "minus μ, divided by σ": normalised, "times γ, plus β": chosen},
    alt="Three histograms on one axis. A channel's numbers lie widely around 3; minus μ and "
    "divided by σ they lie around 0; times γ = 0.5 and plus β = 1 they lie closely around 1.",
)

# %% [markdown]
# In training, $\mu$ and $\sigma$ are taken over all images of the batch *and over all positions*,
# one pair for each channel. In `eval()` they are **running statistics**, averages collected in
# training.

# %%
ask("norm_numbers")

# %% [markdown]
# A block ends with a pool. Should the norm come **before** the pool or **after** it? After the pool
# there is less to compute. But the order also changes $\mu$ and $\sigma$.
#
# **Cost.** After the pool a quarter of the numbers is left to be normalised. In VGG's first block:

# %%
conv, pooled = vgg16_rows[2], vgg16_rows[3]
print(f"norm, then pool: {conv.activations:,} numbers to normalise")
print(f"pool, then norm: {pooled.activations:,}")

# %% [markdown]
# **Statistics.** The maximum of four numbers is usually larger than a typical one. For numbers like
# those below, spread evenly around their mean, it also varies less. So the two orders see
# *different* $\mu$ and $\sigma$. Take channels whose numbers already have mean 0 and standard
# deviation 1:

# %%
maps = torch.randn(200, 16, 32, 32)
after_pool = F.max_pool2d(maps, 2)
norm = nn.BatchNorm2d(16)
norm_then_pool = F.max_pool2d(norm(maps), 2)
pool_then_norm = norm(after_pool)
print(f"after the pool: mean {after_pool.mean():.2f}, standard deviation {after_pool.std():.2f}")

# %% folded=true
show_histograms(
    {
        "before the pool": maps,
        "after the pool": after_pool,
        "norm, then pool": norm_then_pool,
        "pool, then norm": pool_then_norm,
    },
    alt="Four histograms on one axis. Before the pool numbers lie around 0. After the pool they "
    "are larger and closer together; norm, then pool gives the same. Pool, then norm lies around "
    "0.",
)

# %% [markdown]
# Which order has the "right" $\mu$ and $\sigma$? That depends on what you want. With norm first,
# they describe *all* numbers that the convolution computes. With pool first, what leaves the block
# (before $\gamma$, $\beta$ and a ReLU) has mean 0 and standard deviation 1. In a real map
# neighbours are alike, so the maximum of four neighbours lies less far above them. Blurred noise
# shows it:

# %%
smooth = F.avg_pool2d(maps, 3, stride=1)  # means of neighbours, so neighbours become alike
smooth = (smooth - smooth.mean()) / smooth.std()
print(f"independent numbers, after the pool: mean {after_pool.mean():.2f}")
print(f"neighbours alike, after the pool   : mean {F.max_pool2d(smooth, 2).mean():.2f}")

# %% [markdown]
# **The $\gamma > 0$ argument.** In `eval()` $\mu$ and $\sigma$ are fixed, and batch norm is the
# function $x \mapsto ax + b$ with $a = \gamma / \sqrt{\sigma^2 + \epsilon}$. If $a > 0$, this
# function is increasing: a larger number stays larger. So the maximum is at the same place before
# and after the norm, and the order of norm and pool doesn't matter.

# %%
norm.eval()
with torch.no_grad():
    for gamma in (0.7, -0.7):
        norm.weight.fill_(gamma)
        norm_first, pool_first = F.max_pool2d(norm(maps), 2), norm(F.max_pool2d(maps, 2))
        print(f"γ = {gamma:+}: the two orders are equal: {torch.equal(norm_first, pool_first)}")

# %% [markdown]
# With a negative $\gamma$ the norm turns the order around: what was the smallest becomes the
# largest, and the pool keeps another number. So with the *same* $\mu$ and $\sigma$ the orders
# agree exactly as long as $\gamma > 0$ (settled). Nothing in training keeps $\gamma$ positive.
#
# (A ReLU never turns the order around: *pool, ReLU* and *ReLU, pool* are the same.)
#
# **Folding.** In use, a norm directly after a convolution costs nothing. The norm makes $a z +
# (\beta - a \mu)$ of each output $z$ of the convolution. So multiply the filter's weights and bias
# by $a$, and add $\beta - a \mu$ to the bias. PyTorch has a function for it.

# %%
from torch.nn.utils.fusion import fuse_conv_bn_eval

images = torch.randn(8, 3, 32, 32)
convolution, its_norm = nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16)
its_norm(convolution(images))  # in train(): it stores running statistics
convolution.eval()
its_norm.eval()
folded = fuse_conv_bn_eval(convolution, its_norm)
print("a", type(folded).__name__, "alone gives the same:", end=" ")
print(torch.allclose(folded(images), its_norm(convolution(images)), atol=1e-5))

# %% [markdown]
# With a pool between the convolution and the norm, folding works only for $\gamma > 0$. With a ReLU
# between them, the norm can't be folded into this convolution.

# %%
ask("norm_and_pool")

# %% [markdown]
# ### By experiment
#
# Does the order matter for accuracy? We train the same small network in both orders, ReLU last in
# both, on ten stamps of each class. Both orders get the same splits and the same first weights.
# Every number has 64 bits (`double`) instead of 32: computers round differently, and sixty steps of
# training make a difference in the last digit large.

# %%
stamps = load_stamps()
center, spread = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
small = F.interpolate(stamps.images / 255, size=16, mode="bilinear", antialias=True)
small = ((small - center.view(3, 1, 1)) / spread.view(3, 1, 1)).double()


def block_of(channels, filters, norm_first):
    conv = nn.Conv2d(channels, filters, 3, padding=1, bias=False)
    norm, pool = nn.BatchNorm2d(filters), nn.MaxPool2d(2)
    return nn.Sequential(conv, *([norm, pool] if norm_first else [pool, norm]), nn.ReLU())


def network_of(norm_first):
    blocks = [block_of(3, 16, norm_first), block_of(16, 32, norm_first)]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 8)]
    return nn.Sequential(*blocks, *head).double()


# %% [markdown]
# The training loop and the balanced accuracy are those of lecture 1.


# %%
def fit(network, images, labels):
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(60):
        loss = F.cross_entropy(network(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@torch.no_grad()
def score(network, part):
    """Balanced accuracy in percent on some stamps, with the network in the mode that it is in."""
    right = (network(small[part]).argmax(1) == stamps.labels[part]).float()
    return (
        100 * torch.stack([right[stamps.labels[part] == c].mean() for c in range(8)]).mean().item()
    )


# %% [markdown]
# We measure four things. Two of them are on the *training* stamps, once in `train()`, where the
# norms use the batch's $\mu$ and $\sigma$, and once in `eval()`, where they use the running ones.
# Two are on new stamps: with the running statistics as training left them, and with new ones,
# measured after training on the training stamps. No weight is changed for that.


# %%
def one_split(norm_first, seed):
    torch.manual_seed(seed)
    train, test = split_per_class(stamps.labels, 10, seed, stamps.groups)
    network = network_of(norm_first)
    fit(network, small[train], stamps.labels[train])
    running, new = score(network.eval(), train), score(network, test)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None  # from now on a plain mean of what comes
    batch = score(network.train(), train)  # this also collects the new statistics
    return batch, running, new, score(network.eval(), test)


# %%
norm_first = torch.tensor([one_split(True, seed) for seed in range(12)])

# %%
pool_first = torch.tensor([one_split(False, seed) for seed in range(12)])
lead = (pool_first - norm_first)[:, 2]
print("pool first is better by:", [f"{points:+.0f}" for points in lead.tolist()])
print(f"mean {lead.mean():.1f}, standard error {lead.std() / 12**0.5:.1f}")

# %% [markdown]
# On the first four splits *pool, then norm* leads by 4 points in the mean. Had we stopped there, we
# might have believed it. On all twelve the mean lead is 1.7 points with a standard error of 1.4,
# and on some splits the other order is better. That may be chance. But look at the four things:

# %%
for name, runs in {"norm first": norm_first, "pool first": pool_first}.items():
    batch, running, new, renewed = runs.mean(0).tolist()
    print(f"{name}: training stamps {batch:.0f} % in train(), {running:.0f} % in eval();", end=" ")
    print(f"new ones {new:.0f} %, with new statistics {renewed:.0f} %")
renewed_lead = (pool_first - norm_first)[:, 3]
print(f"lead with new statistics: {renewed_lead.mean():.1f}", end=", ")
print(f"standard error {renewed_lead.std() / 12**0.5:.1f}")

# %% folded=true
show_pairs(
    {
        "new stamps, as trained, %": (norm_first[:, 2].tolist(), pool_first[:, 2].tolist()),
        "with new statistics, %": (norm_first[:, 3].tolist(), pool_first[:, 3].tolist()),
    },
    names=("norm first", "pool first"),
    alt="Two panels with twelve pairs of dots, a pair for each split. As trained most lines rise "
    "from norm first to pool first, and some fall. With new statistics the dots lie higher in the "
    "mean, and about as many lines fall as rise.",
)

# %% [markdown]
# The weights are the same in `train()` and in `eval()`, and yet the networks forget a part of their
# own training stamps in `eval()`. The running statistics are **stale**: they are a mean over the
# last training steps, and in these steps the weights were different. With norm first this costs
# more of the training stamps than with pool first. This experiment doesn't show why. With new
# statistics both orders do better on new stamps, and no lead is left. So this experiment shows no
# better order. It shows what *correct* $\mu$ and $\sigma$ are worth.
#
# **We know of no order that is always better.** The comparisons that we found are of norm before
# and after the **ReLU**, which is a different question. So choose by what you need:
#
# - speed in use: norm directly after the convolution, where it can be folded (torchvision's
#   `vgg16_bn` has this order);
# - training speed: after the pool, on a quarter of the numbers.
#
# Be careful if you change the order of a *trained* network. With its weights and running statistics
# it gives the same answers in `eval()`, as long as every $\gamma$ is positive. With a negative
# $\gamma$, or as soon as new statistics are collected, its answers change.

# %% [markdown]
# ## The next idea: a path around the layers
#
# VGG is deeper than AlexNet, and better. So why not use even more layers? In 2015 He and others
# trained networks of plain 3×3 layers on small pictures. The one with 56 layers was worse than the
# one with 20 on new pictures, and also on its *training* pictures. So the problem wasn't
# overfitting. A deep network could always be as good as a shallow one: its first layers do the
# work, and the others only copy their input to their output. But training didn't find such weights.
# (Settled, as an observation.)
#
# The solution: make it easy for a block to copy its input. A **residual block** computes a change
# $f(x)$, adds it to its input, and applies a ReLU: $y = \text{ReLU}(x + f(x))$. The added $x$ is a
# **skip connection**. In the figure below there is also a second kind of block, for later.

# %% folded=true
show_residual(
    {
        "residual block": ["conv 3×3", "norm", "ReLU", "conv 3×3", "norm"],
        "bottleneck (its norms and ReLUs left out)": [
            "1×1\n256 → 64",
            "3×3\n64 → 64",
            "1×1\n64 → 256",
        ],
    },
    alt="Two chains of boxes from x to y. Residual block: convolution, norm, ReLU, convolution, "
    "norm, then a sum and a ReLU; a path leads from x around them to the sum. Bottleneck: a 1×1 "
    "convolution from 256 to 64 channels, a 3×3 one, and a 1×1 one back to 256, with the same "
    "path around them.",
)

# %% [markdown]
# In PyTorch a layer of your own is a class. `__init__` makes its parts, and `forward` says what it
# computes.


# %%
class ResidualBlock(nn.Module):
    """Two 3×3 convolutions, and a path around both."""

    def __init__(self, channels):
        super().__init__()
        self.change = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x):
        return F.relu(x + self.change(x))


# %% [markdown]
# What does the block do if $\gamma = 0$ and $\beta = 0$ in its last norm? Then $f(x) = 0$, and the
# block returns its input. (The ReLU at the end changes nothing here, because this input has no
# negative numbers.) Torchvision can start its ResNets in this way.

# %%
block = ResidualBlock(8)
nn.init.zeros_(block.change[-1].weight)
incoming = torch.rand(2, 8, 5, 5)
print("passed on unchanged:", torch.equal(block(incoming), incoming))

# %% [markdown]
# Why this trains so well is *contested*. Lecture 5 shows the usual explanation: the gradient gets a
# path around the layers, too.

# %%
ask("copies_its_input")

# %% [markdown]
# ### 1×1 convolutions: mix channels, keep places
#
# Deep ResNets have 256 channels and more, and a 3×3 layer from 256 to 256 channels is expensive. A
# **1×1 convolution** looks at a single place, and mixes its channels: a dense layer for each pixel.
# So it can make 256 channels into 64. A **bottleneck** does that, works with 3×3 on the 64, and
# goes back to 256 (the second row of the figure above):

# %%
direct = trace((256, 56, 56), [Conv(256, 3, padding=1)])
bottleneck = trace((256, 56, 56), [Conv(64, 1), Conv(64, 3, padding=1), Conv(256, 1)])
for name, rows in {"one 3×3": direct, "bottleneck": bottleneck}.items():
    print(f"{name:10}: {sum(r.parameters for r in rows):7,} parameters", end=", ")
    print(f"{sum(r.macs for r in rows) / 1e6:,.0f} million multiply-adds")

# %% [markdown]
# Both have 256 maps as input and as output, and in both a unit sees 3×3. The bottleneck has about
# an eighth of the parameters and of the multiply-adds. Sixteen such blocks, of four widths, with a
# convolution in front and a dense layer at the end, are ResNet-50: 50 convolutions and dense
# layers, not counting those on the skip connections. It has branches, so it can't be written as a
# simple list of layers. `cost_of` counts with hooks, as we did above:

# %%
versus = {}
for name in ("vgg16", "resnet50"):
    with torch.device("meta"):
        numbers, work = cost_of(getattr(models, name)(), (3, 224, 224))
    weights = models.get_model_weights(name).IMAGENET1K_V1
    versus[name] = numbers / 1e6, work / 1e9, weights.meta["_metrics"]["ImageNet-1K"]["acc@1"]
    print(f"{name:8}: {versus[name][0]:.1f} million parameters", end=", ")
    print(f"{versus[name][1]:.1f} billion multiply-adds, top-1 {versus[name][2]:.1f} %")

# %% folded=true
titles = ("parameters, millions", "multiply-adds, billions", "top-1 accuracy, %")
show_bars(
    {title: {name: row[i] for name, row in versus.items()} for i, title in enumerate(titles)},
    alt="Three bar charts: ResNet-50 has less than a fifth of VGG-16's parameters, needs about a "
    "quarter of its multiply-adds, and has a slightly higher accuracy.",
)

# %% [markdown]
# ResNet-50 has less than a fifth of VGG-16's parameters, does about a quarter of the work, and is
# right more often. Its single dense layer comes after a mean over all places. (The accuracies are
# those of torchvision's first weights. The two networks were also trained differently, so the
# difference isn't only because of the design.)
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
# This is good advice, because an idle GPU costs money and does nothing. But it isn't always true.
# From some batch size on the GPU is fully used. A larger batch then only means fewer steps in each
# epoch (how large is too large is *contested*). But first: what fits at all?
#
# The **optimiser** is the rule that moves the weights. *SGD* is the rule of lecture 0: weight minus
# rate times slope. With **momentum** it follows a sum of the last slopes, in which older ones count
# less and less, so it must remember one more number for each weight. **Adam** also remembers the
# usual size of the slopes, to give each weight a step size of its own; so it must remember two.
#
# So training holds, for each parameter, the **weight**, its **gradient**, and what the optimiser
# remembers. This memory doesn't depend on the batch.

# %%
MiB, GiB = 2**20, 2**30
weights_in_bytes = 4 * sum(row.parameters for row in vgg16_rows)
print(f"weights alone            : {weights_in_bytes / MiB:,.0f} MiB")
print(f"+ gradients, momentum    : {3 * weights_in_bytes / MiB:,.0f} MiB")
print(f"+ gradients, Adam        : {4 * weights_in_bytes / MiB:,.0f} MiB")

# %% [markdown]
# On top, **for each image of the batch**, come the activations. Training needs them when it
# computes the slopes from the last layer back to the first (the *backward pass*, lecture 5). Each
# is 4 bytes. A max pool also stores *where* each maximum was: 8 bytes for each number. PyTorch
# itself can tell us what it keeps:

# %%
places = sum(row.activations for row in vgg16_rows if isinstance(row.layer, Pool))
an_image = 4 * sum(row.activations for row in vgg16_rows) + 8 * places
print(f"calculated: {an_image / MiB:.1f} MiB an image")
print(f"torch says: {kept_for_backward(vgg16, (3, 224, 224)) / MiB:.1f} MiB an image")

# %% [markdown]
# The small difference comes from the adaptive pool, which keeps a copy of its input, and from the
# two dropouts. (*Dropout* is a layer that sets random numbers to 0 in training, so that the network
# doesn't rely on a few of them.)
#
# Now take the memory of the GPU, subtract the fixed part, and divide by the memory for one image.
# The GPU's own software also needs memory; we leave a tenth for it (rule of thumb).


# %%
def largest_batch(gibibytes, rows, numbers_per_parameter):
    """How many images fit in training, with a tenth of the memory left free."""
    fixed = 4 * numbers_per_parameter * sum(row.parameters for row in rows)
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
# Adam. On 16 GB you get 188 and 181. (Calculated, not tried. Cards are sold in GB and counted in
# GiB: "3 GB" is $3 \cdot 2^{30}$ bytes.) On a small card the memory of the optimiser matters more.
#
# What fills the memory first?

# %%
filled = {}
for batch in (1, 16, 64):
    fixed = dict.fromkeys(("weights", "gradients", "momentum"), weights_in_bytes / GiB)
    filled[f"batch of {batch}"] = fixed | {"activations": batch * an_image / GiB}

# %% folded=true
show_memory(
    filled,
    limit=0.9 * 3,
    alt="Bars in parts for three batches of VGG-16 with SGD. With one image nearly all is "
    "weights, gradients and momentum. With 16 they are still more than the activations, and the "
    "bar just ends before the line of a 3 GB card. With 64 the activations are most of it, and "
    "far beyond the line.",
)

# %% [markdown]
# With 16 images it is not the activations. Weights, gradients and momentum take 1,583 MiB, and the
# activations of 16 images take less. With 64 images it is the other way.
#
# AlexNet's authors had two cards with 3 GB each, and the paper says that this limited the size of
# their networks. That is where `groups=2` came from. By our count a batch of 128 needs less than
# half of that, even without groups. Their program was not PyTorch; what else it stored, the paper
# doesn't say.
#
# Is the calculation right? With a CUDA device you can measure it.

# %%
if torch.cuda.is_available():
    images = torch.zeros(8, 3, 224, 224, device="cuda")
    peak = training_peak(models.vgg16().cuda(), images)
    print(f"a batch of 8: measured {peak / GiB:.2f} GiB", end="; ")
    print(f"calculated {(3 * weights_in_bytes + 8 * an_image) / GiB:.2f} GiB")
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
# Half the batch halves the activations, and makes the gradient noisier. Images of half the side
# take three quarters of the activations away, but small details are lost. Adam needs more, not
# less. Without the dense layers most of the fixed part is gone: weights, gradients and momentum of
# 123,642,856 parameters. Lecture 4 puts a small head in their place.
#
# </details>
#
# For *testing*, most of this disappears: under `torch.no_grad()` there are no gradients, no
# optimiser, and an activation can go as soon as the next layer has read it.

# %% [markdown]
# ## Code it yourself
#
# Replace the three dots `...` in the next cell with your code. Run that cell and the cell below it,
# which checks your answer. Nothing is recorded.
#
# **1.** What share of a network's parameters is in its dense layers? `network.modules()` gives all
# layers, and `isinstance(layer, nn.Linear)` asks whether a layer is dense. `layer.parameters()`
# gives its parameters, and `p.numel()` counts the numbers in one of them.


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
# | design or take? | take a known network, unless you can afford to search |
# | another resolution? | convolutions take it; dense layers need an adaptive pool or a resize |
# | where are parameters, work, memory? | dense layers; convolutions; first block |
# | why 3×3? | sees as much with fewer weights; stores more activations |
# | norm or pool first? | same in `eval()` if $\gamma > 0$; choose by cost |
# | deeper than VGG? | skip connections, and 1×1 convolutions to keep it cheap |
# | which batch fits? | (memory − parameters · numbers for each · 4 bytes) / bytes for each image |
#
# **Key points**
#
# - AlexNet and VGG are lists of layers, whose table can be computed. (Later ones, like ResNet,
#   branch.)
# - Check tables, ours too: against parameter counts, and with hooks.
# - An increasing function may come before or after a max pool; the result is the same. For a
#   decreasing function it isn't.
# - With a skip connection a block can easily copy its input; a 1×1 convolution changes the number
#   of channels.
# - Running statistics can be stale: compare `train()` and `eval()` on the training pictures.
# - Before you rent a GPU, calculate.
#
# **Now you:** in `ps3_architectures` you build VGG and its table, and write batch norm, momentum
# and Adam by hand. **Next**: `04_transfer_learning`, where we use a network that others have
# trained.
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
