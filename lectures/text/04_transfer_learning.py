# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 4 · Transfer learning
#
# Two people are to learn to drive a van. One has never driven. The other has a licence for a small
# car. Who is on the road first, and after how many lessons? Nobody asks the second one to forget
# everything and start again. With networks, that is what training from scratch does.
#
# **You will be able to**
#
# - say when a pretrained network helps, by how much, and whether a comparison was fair;
# - keep a network's convolutions, drop its dense layers, and put a head of your own on top;
# - choose between a frozen network, fine-tuning and discriminative rates;
# - choose the data set that the network should have learned from, and grade the evidence;
# - write a fine-tuning loop for your own folder of pictures, and keep the best epoch;
# - compare two boxes by their intersection over union;
# - measure accuracy as top-1 and top-5, and look where a network looks.
#
# **Time**: 100 minutes, with the explorer. **You need**: `01_preprocessing`,
# `02_convolution_arithmetic`, training loops. **Exercise**: `ps4_transfer_learning`.
#
# Claims are labelled: *settled* (arithmetic, or agreed on), *contested* (good people disagree),
# *rule of thumb* (often true; check it).
#
# **Where we are.** Lecture 3 calculated what a network costs. This lecture saves most of it:
# somebody has paid already. Lecture 5 opens the training step itself.
#
# **Before you begin**, three questions about lecture 3. Answer them before you open the fold.
#
# 1. In which part of VGG-16 are most of the parameters, and where is most of the work?
# 2. A network was trained on pictures of one size and gets larger ones. Which layers take them?
# 3. What does batch norm use in `train()`, and what in `eval()`?
#
# <details><summary>Answers</summary>
#
# 1. The parameters are in the dense layers, the work is in the convolutions.
# 2. Convolutions and pools take any size. A dense layer doesn't, unless an adaptive pool is in
#    front.
# 3. In `train()` the mean and the variance of the batch; in `eval()` running averages that it
#    collected in training.
#
# </details>

# %%
from textwrap import shorten

import torch
import torch.nn.functional as F
from torchvision.models import get_model_weights, resnet50, vgg16
from torchvision.utils import make_grid

from course_utils.data import load_photograph, load_stamps, split_per_class
from course_utils.experiments import read_results, summarise
from course_utils.models import IMAGENET_MEAN, IMAGENET_STD, LAYERS, backbone, imagenet_classes
from course_utils.models import preprocess, squeezenet, swap_head, top_k
from course_utils.plots import show_bars, show_boxes, show_curves, show_pictures
from course_utils.quiz import ask
from course_utils.scenes import street
from course_utils.textures import grain
from course_utils.training import accuracy, discriminative_rates, layer_means
from course_utils.training import logistic_regression

_ = torch.manual_seed(0)

# %% [markdown]
# ## The road forks
#
# Lecture 3's advice was to take an architecture that is known to work. Then there are two ways on:
#
# 1. take the **architecture** only, and train it from scratch, from random weights;
# 2. **load the weights**, too, that somebody else has trained, and go on from there.
#
# The second is **transfer learning**. The first needs more data, and more time. How much more? And
# is the second always better? This lecture measures both.
#
# ## Who is on the road first?
#
# The task: eight kinds of things, from a few pictures of each. The one *with a licence* is
# SqueezeNet, trained on ImageNet. We freeze it and train one linear layer on its last features. It
# gets pictures of 224×224, as they are. The one *without* is a small network that starts from
# random weights. It gets pictures of 32×32, mirrored and shifted at random, and trains for 300
# steps.
#
# Trainings take minutes, so `make experiments` did them beforehand: five seeds each, which decide
# the training pictures and the random numbers. The test pictures are always others, but some are
# near twins of training pictures (there are four gnus and five apples): all figures are a little
# too good.

# %%
photographs = read_results("photographs")
frozen = summarise(photographs, "per_class", arm="frozen", size=224)
scratch = summarise(photographs, "per_class", arm="small CNN")
for n in frozen:
    print(f"{n:2} of each: frozen {frozen[n][0]:.1f} %, small CNN {scratch[n][0]:.1f} %")

# %%
show_curves(
    {"with licence: frozen SqueezeNet": frozen, "without: small CNN": scratch},
    across="training pictures of each class",
    up="right on new pictures, %",
    alt="Accuracy against training pictures of each class: 1, 2, 5 and 10. The frozen network is "
    "far above the small network everywhere; both rise.",
)

# %% [markdown]
# The bars are standard deviations over the five seeds. With ten pictures of each class the frozen
# network is right on 80.0 % and the small one on 52.6 %. With two pictures of each class the frozen
# network is as good as the small one with ten.
#
# But the frozen network also gets larger pictures. Is it the licence, or the size?

# %%
stamps = load_stamps()
network = squeezenet()


def frozen_at(side, seeds=range(5)):
    """The frozen arm with ten of each class, in pictures of that side: its mean accuracy."""
    features = layer_means(network, stamps.images, size=side)["fire9"]
    right = []
    for seed in seeds:
        train, test = split_per_class(stamps.labels, per_class=10, seed=seed)
        head = logistic_regression(features[train], stamps.labels[train])
        right.append(accuracy(head, features[test], stamps.labels[test]))
    return sum(right) / len(right)


at_side = {side: frozen_at(side) for side in (32, 48)}
print({f"{side}×{side}": f"{mean:.1f} %" for side, mean in at_side.items()})

# %% [markdown]
# In the small network's own size, 32×32, the frozen network is *worse* than the small one. At 48×48
# the two are about level. So the lead needs both, the old weights and things of the size they know.
#
# ### The network of this lecture
#
# SqueezeNet was designed to have few parameters. After one convolution come eight *fire* modules. A
# module first **squeezes** the channels with 1×1 convolutions (lecture 3), then **expands** them
# with 1×1 and 3×3 convolutions side by side, and stacks the two results:
#
# ```text
#                        ┌── 1×1, 64 filters ──┐
# 64 maps ── 1×1, 16 ────┤                     ├── 128 maps        (fire2)
#                        └── 3×3, 64 filters ──┘
# ```

# %%
with torch.no_grad():
    for name, end in LAYERS.items():
        begin = 0 if name == "conv1" else end
        maps = network.features[: end + 1](preprocess(stamps.images[:1]))
        layer = network.features[begin]
        print(f"{name}: {sum(p.numel() for p in layer.parameters()):7,} parameters, ", end="")
        print(f"{maps.shape[1]} maps of {maps.shape[2]}×{maps.shape[3]}")

# %% [markdown]
# Between some of them a max pool halves the maps. The old head, a 1×1 convolution to a thousand
# classes and a mean over all places, is what we drop.
#
# ### Do one yourself
#
# One run of the frozen arm, live, in pictures of 128×128. `layer_means` runs every stamp through
# the network, without gradients, and averages each channel of the last layer over all positions.

# %%
features = layer_means(network, stamps.images, size=128)["fire9"]
print(tuple(stamps.images.shape), "→", tuple(features.shape))

# %% [markdown]
# What is left to learn is one linear layer: logistic regression, from 512 numbers to eight classes.

# %%
train, test = split_per_class(stamps.labels, per_class=10, seed=0)
head = logistic_regression(features[train], stamps.labels[train])
live = accuracy(head, features[test], stamps.labels[test])
print(f"{len(train)} training pictures, {sum(p.numel() for p in head.parameters()):,} weights")
print(f"right: {live:.1f} % of {len(test)} others")
over_seeds = summarise(photographs, "size", arm="frozen", per_class=10)[128]
print(f"this seed and four others: {over_seeds[0]:.1f} %, standard deviation {over_seeds[1]:.1f}")

# %% [markdown]
# The same linear layer on the raw pixels:

# %%
pixels = F.interpolate(stamps.images / 255, size=32, antialias=True, mode="bilinear").flatten(1)
on_pixels = logistic_regression(pixels[train], stamps.labels[train])
print(f"right: {accuracy(on_pixels, pixels[test], stamps.labels[test]):.1f} %")

# %% [markdown]
# Somebody who always says "mammal" is right on 35.0 % of them, too. But the network was trained
# with ten of each class, and among the test pictures more than a third are mammals. **Balanced
# accuracy** is fairer: the mean of the classes' shares of right answers.


# %%
def balanced(answers, labels):
    """The mean over the classes of the share of right answers, in percent."""
    shares = [(answers[labels == c] == c).double().mean() for c in labels.unique()]
    return 100 * torch.stack(shares).mean().item()


truth = stamps.labels[test]
always = torch.full_like(truth, stamps.classes.index("mammal"))
answers = {"always “mammal”": always, "pixels": on_pixels(pixels[test]).argmax(1)}
answers["features"] = head(features[test]).argmax(1)
fair = {name: balanced(answer, truth) for name, answer in answers.items()}
print({name: f"{share:.1f} %" for name, share in fair.items()})

# %% [markdown]
# So the pixels do know something, and the features know much more.
#
# **Think.** What did the network do to the pictures?
#
# <details><summary>An answer</summary>
#
# It brought pictures of the same kind near to each other. In pixels, a white cat is nearer to a
# white mug than to a black cat. In features, a plane can separate animals from cups.
#
# </details>

# %% [markdown]
# Look at mistakes before you believe a percentage. Here is one of each class:

# %%
said = dict(zip(test.tolist(), answers["features"].tolist(), strict=True))
wrong = {stamps.classes[stamps.labels[i]]: i for i in said if said[i] != stamps.labels[i]}
show_pictures(
    {
        f"{shorten(stamps.captions[i], 32)}\n“{stamps.classes[said[i]]}”": stamps.images[i]
        for i in wrong.values()
    },
    alt="Eight stamps, one of each class, that the frozen network with its new head got wrong, "
    "each with its caption and the wrong class.",
    columns=4,
)

# %% [markdown]
# A pepper is a vegetable in the kitchen and a fruit to a botanist, and the network says *fruit*.
# But a whale is no bird.

# %% [markdown]
# ## How to measure: top-1 and top-5
#
# Let $\bar o$ be the network's output for one picture, and $y$ the right class.
#
# - **Top-1 accuracy** is the share of pictures with $y = \operatorname{argmax} \bar o$.
# - **Top-5 accuracy** is the share of pictures whose $y$ is among the five largest outputs.
#
# (Not $|y - \operatorname{argmax} \bar o|$: class numbers are names, and names have no distance.)
# ImageNet has a class for some of our stamps, so we can measure SqueezeNet itself:

# %%
named = [i for i, names in enumerate(stamps.imagenet) if names]
classes = imagenet_classes()
with torch.no_grad():
    five = torch.cat([network(preprocess(stamps.images[i])) for i in named]).topk(5).indices
print([classes[guess] for guess in five[0]], "right:", *stamps.imagenet[named[0]])

# %%
hits = [
    [classes[guess] in stamps.imagenet[i] for guess in row]
    for i, row in zip(named, five.tolist(), strict=True)
]
top1 = sum(row[0] for row in hits) / len(hits)
top5 = sum(any(row) for row in hits) / len(hits)
print(f"{len(named)} pictures: top-1 {100 * top1:.1f} %, top-5 {100 * top5:.1f} %")

# %% [markdown]
# Top-5 is the kinder measure, made for ImageNet's thousand classes, where several may fit. With
# eight classes it says little: guessing at random already gives five in eight.

# %%
ask("top_five")

# %% [markdown]
# ## Keep the convolutions, drop the dense layers
#
# VGG-16 shows why. On torch's *meta* device a network has shapes and counts but no numbers, so
# this costs no memory.

# %%
with torch.device("meta"):
    vgg = vgg16()
conv, dense = (sum(p.numel() for p in part.parameters()) for part in (vgg.features, vgg.classifier))
first = vgg.classifier[0].weight.numel() + vgg.classifier[0].bias.numel()
print(f"convolutions {conv:11,} parameters, {4 * conv / 1e6:.1f} MB")
print(f"dense layers {dense:11,} parameters, {4 * dense / 1e6:.1f} MB")
print(f"dense layers {100 * dense / (conv + dense):.1f} % of all")
print(f"the first one alone {100 * first / (conv + dense):.1f} % of all")
with torch.device("meta"):
    resnet = resnet50()
of_resnet = 100 * sum(p.numel() for p in resnet.fc.parameters())
of_resnet /= sum(p.numel() for p in resnet.parameters())
print(f"ResNet-50's only dense layer {of_resnet:.1f} % of all")

# %% [markdown]
# 1. **Size.** Nine tenths of the parameters are in the dense layers. Without them the file shrinks
#    from 553.4 MB to 58.9 MB (settled, for VGG). ResNet-50's dense layer holds 8.0 % of its
#    parameters.
# 2. **Spatial features.** What the convolutions hand over is still a map: 512 channels, 7 rows, 7
#    columns. A dense layer's outputs are no longer arranged by place. (What it knows of places
#    isn't lost: YOLO, 2016, predicts boxes from dense layers.)
# 3. **Translation.** A convolution uses the same weights everywhere, so a shifted picture gives a
#    shifted map. It is *equivariant*. A dense layer isn't: it must learn a cat on the left and a
#    cat on the right one by one.
#
# The third can be tested. SqueezeNet's third layer, fire3, has a unit every 4 pixels. We cut two
# windows out of a photograph, 4 pixels apart; the maps should differ by one column.

# %%
cat = preprocess(load_photograph("cat"), 256)
with torch.no_grad():
    here = network.features[:5](cat[..., :224])
    beside = network.features[:5](cat[..., 4:228])
inside = slice(4, -5)
difference = (here[..., inside, 5:-4] - beside[..., inside, inside]).abs().max()
print(f"largest difference {difference:.0e}, largest value {here.max():.1f}")

# %% [markdown]
# Equal, except at the border. (A stride of 4 is exact for shifts by multiples of 4 only.)
# *Invariance* is more: the same answer for a shifted picture. Pooling and the mean over all
# positions give some of it. How much? We shift our stamps, and count how many first answers change:

# %%
for pixels_right in (1, 2, 3):
    with torch.no_grad():
        shifted = [preprocess(stamps.images[i]).roll(pixels_right, 3) for i in named]
        first_answers = torch.cat([network(picture).argmax(1) for picture in shifted])
    changed = 100 * (first_answers != five[:, 0]).double().mean().item()
    print(f"shifted by {pixels_right}: {changed:.0f} % of {len(named)} first answers change")

# %% [markdown]
# You wouldn't see such a shift, and yet about a fifth of the answers change. A network with strides
# is *not* invariant by design (settled; Azulay and Weiss, 2018; Zhang, 2019).
#
# ### The new head
#
# Where the last layer is depends on the network: `classifier[6]` in VGG, `classifier[1]` in
# SqueezeNet, `fc` in ResNet. One helper knows.

# %%
ours = swap_head(squeezenet(), classes=8)
print(ours.classifier)
with torch.device("meta"):
    print(swap_head(vgg16(), classes=8).classifier[6])

# %% [markdown]
# To save the memory of VGG's two other dense layers, replace all three by the mean over positions
# and one linear layer: 512×8 + 8 = 4,104 parameters.

# %%
ask("head_parameters")

# %% [markdown]
# ## The same task, another resolution
#
# Without dense layers, any size fits: the maps grow with the picture. But *fits* isn't *works*. The
# weights were trained on things of a certain size in pixels. Ours are those that SqueezeNet's
# authors trained with Caffe, in pictures of 227×227, as AlexNet's were (227×227×3). We give it
# 224×224.

# %%
sizes = dict(sorted(summarise(photographs, "size", arm="frozen", per_class=10).items()))
show_curves(
    {"frozen, ten of each": sizes},
    across="side of the picture as the network gets it, pixels",
    up="right on new pictures, %",
    alt="Accuracy of the frozen network rises with the side of the picture, steeply from 64 to 96 "
    "pixels and slowly from 128 to 224.",
)
print({size: f"{mean:.1f} %" for size, (mean, _) in sizes.items()})

# %% [markdown]
# Enlarged to 224×224, stamps of 128×128 hold no more information, and still the network does
# better. Rule of thumb: begin with the resolution of the weights.
#
# ## What do the layers know?
#
# In the visual cortex of monkeys and people, signals pass through areas called V1, V2, V4 and IT.
# A summary often seen is "V1 lines, V2 edges, V4 objects". The table is more exact; its last column
# is an analogy, and *contested*.
#
# | area | answers to | in a network, by analogy |
# |---|---|---|
# | V1 | lines and edges of one orientation | first layer |
# | V2 | contours, corners, textures | next layers |
# | V4 | curved shapes, parts | middle layers |
# | IT | objects, faces | last layers |
#
# Here are the real filters of SqueezeNet's first layer, 3×3 pixels each:

# %%
filters = network.features[0].weight.detach()
low, high = filters.amin((1, 2, 3), keepdim=True), filters.amax((1, 2, 3), keepdim=True)
wall = make_grid((filters - low) / (high - low), nrow=16, padding=1, pad_value=1)
show_pictures(
    {f"{len(filters)} filters of conv1": wall},
    alt="A wall of 64 small colour patches of nine pixels each: some change from dark to light in "
    "one direction, others from one colour to another, some are nearly even.",
    inches=8,
)

# %% [markdown]
# Edge detectors and colour detectors; nobody designed them. That first layers look like this, in
# nearly any network trained on photographs, is *settled*. For the cat, the two maps with the
# largest mean in each of three layers:

# %%
cat = load_photograph("cat")
strongest = {}
for name in ("conv1", "fire4", "fire9"):
    with torch.no_grad():
        maps = network.features[: LAYERS[name] + 1](preprocess(cat))[0]
    for channel in maps.mean((1, 2)).topk(2).indices.tolist():
        share = maps[channel] / maps[channel].max()
        strongest[f"{name}, map {channel}"] = share.expand(3, -1, -1)

# %%
show_pictures(
    strongest,
    alt="Six feature maps of the cat. Two of conv1 show the whole face, one its light and one its "
    "edges. Two of fire4 show rings around the eyes and a coarse texture. Of fire9 one is bright "
    "at both eyes and nowhere else, the other on the cheek, where the whiskers grow.",
)

# %% [markdown]
# How far does the analogy go? Deeper layers predict the answers of later areas better (Yamins and
# others, 2014; Güçlü and van Gerven, 2015): measured often. *What it means* is contested: a later
# layer also has a larger receptive field. For V1 at least, the size of the field can strongly
# affect which layer fits best (Miao and Tong, 2024). And cortex has feedback; this network has
# none.
#
# ## Play
#
# Choose a picture, a layer and a map. Where the picture stays light, the map is strong. The frame
# is what one unit sees: drag it, or move it with the arrow keys.
#
# 1. In `conv1`, find a map that answers to edges, and one that answers to a colour.
# 2. Follow the cat through the layers. From which one on can you no longer tell from the maps that
#    it is a cat?
# 3. How many pixels does a unit of `fire9` see? And of `conv1`?
#
# <details><summary>Answers</summary>
#
# 1. A map that answers to edges is dark inside even areas, whatever their colour. One that answers
#    to a colour is light all over an area of that colour.
# 2. There is no right answer. From the middle on most people see spots, no cat.
# 3. The frame's label says it. A unit of `conv1` sees only 3×3 pixels: its kernel.
#
# </details>

# %%
from course_utils.interactives import FeatureExplorer

mean = torch.tensor(IMAGENET_MEAN).view(3, 1, 1)
std = torch.tensor(IMAGENET_STD).view(3, 1, 1)


def square(name):
    return (preprocess(load_photograph(name))[0] * std + mean).mul(255).round().byte()


pictures = {name: square(name) for name in ("cat", "coffee", "rocket")}
explorer = FeatureExplorer(network, pictures)
explorer

# %% [markdown]
# Python sees what you chose. Change something above and run this cell again:

# %%
print(explorer.name, explorer.layer, "map", explorer.channel, "unit", explorer.row, explorer.column)

# %% [markdown]
# ## Early layers are general
#
# Let us test it. Cut the frozen network after layer $k$, put a linear layer on the channels' means,
# train it with ten pictures of each class. Do so for each $k$, and for two tasks:
#
# - **photographs**: the stamps, things of the kind that ImageNet is about;
# - **grain**: noise of six grain sizes, like grades of sandpaper. Nothing in ImageNet is about
#   that. (A task of our own, made so that ImageNet's features should not fit.)

# %%
textures, grades = grain(per_class=1, seed=0)
show_pictures(
    {f"grade {grade}": texture for grade, texture in zip(grades.tolist(), textures, strict=True)},
    alt="Six grey patches of cloudy noise. From left to right the grain gets coarser by so little "
    "that neighbours look alike.",
)

# %%
layers = read_results("layers")
tasks = ("photographs", "grain")
cut = {task: summarise(layers, "layer", task=task, arm="frozen") for task in tasks}
show_curves(
    cut,
    across="cut after layer",
    up="right on new pictures, %",
    alt="Accuracy against the layer after which the network is cut. For photographs it rises "
    "from conv1 to fire9; for grain it falls from conv1 to fire9. The two lines cross.",
)
for task, points in cut.items():
    print(task, {layer: round(mean, 1) for layer, (mean, _) in points.items()})

# %% [markdown]
# The lines cross. For photographs accuracy rises with depth, though not by every layer: from conv1
# to fire2 it gains less than the seeds differ. For grain the first layer is the best, and accuracy
# falls with depth, though not at every layer. Does *training* do this? As a control, the same
# network with random weights. (Five random networks, each with training pictures of its own: one
# network alone might be a lucky one.)

# %%
random = {task: summarise(layers, "layer", task=task, arm="random") for task in cut}
for task, points in random.items():
    print(task, {layer: round(mean, 1) for layer, (mean, _) in points.items()})
    gain = {k: f"{cut[task][k][0] - points[k][0]:+.1f}" for k in ("conv1", "fire6", "fire9")}
    print("  what training adds, in points:", gain)

# %% [markdown]
# Grain falls without any training, too, so the fall comes with depth itself. What *training* adds
# is the difference. In the first layer it is 7 points on photographs and 3 on grain. In the last
# layer it is 42 points on photographs and 7 on grain, where random networks differ by 8 among
# themselves. In between training adds something on grain, too: 15 points at fire6.
#
# **Takeaway.** "Early general, late specific" is *settled*, by a larger experiment than ours
# (Yosinski and others, 2014). Ours shows less: a *random* first layer comes near the trained one,
# so first-layer features are *cheap*; that they are general it doesn't show. "Good for almost any
# task" is a *rule of thumb*. And deeper layers here have more channels too, 64 at first and 512 at
# the end.
#
# **Think.** You sort wood by the width of its rings, with twelve close-up pictures of each grade.
# You have SqueezeNet with ImageNet's weights. What do you try, and how do you find out what is
# best?
#
# <details><summary>An answer</summary>
#
# Nobody can tell you in advance; our grain is one synthetic task. Compare early features, late
# ones, fine-tuning and a small network, with equal budgets, on several splits.
#
# </details>

# %% [markdown]
# ## Compare with equal budgets
#
# *Frozen* late features are poor for grain. But the old weights needn't stay as they are. What if
# all of them learn? A comparison shows something about the weights only if all else is equal. So
# here each network gets ten pictures of each grade, of 64×64, and 150 steps; each picture is
# mirrored and shifted at random. One thing can't be equal: each network needs its own learning
# rate. We choose it by *validation* pictures, on three splits of their own:

# %%
rates = read_results("rates")
trained_arms = ("fine-tuning", "from scratch", "small CNN")
for arm in trained_arms:
    tried = summarise(rates, "rate", arm=arm)
    print(f"{arm:12}:", {rate: f"{mean:.0f} %" for rate, (mean, _) in tried.items()})

# %% [markdown]
# *Fine-tuning* and *from scratch* are the same SqueezeNet, once with ImageNet's weights and once
# with random ones. In each row the middle rate is the best, so we needn't look further out. With
# these rates, twelve new splits. (*Frozen* has no steps: its head is solved for.)

# %%
textured = read_results("grain")
on_grain = summarise(textured, "arm", size=64)
show_bars(
    {"right, %": {arm: mean for arm, (mean, _) in on_grain.items()}},
    alt="Bars of test accuracy on grain: frozen far below, SqueezeNet from scratch in the middle, "
    "fine-tuning higher, and the small network from scratch near 100 percent.",
)
for arm, (mean_, spread) in on_grain.items():
    print(f"{arm:12}: {mean_:.1f} % ± {spread:.1f}")

# %% [markdown]
# All arms saw the same splits, so we can compare them split by split. The mean of the differences,
# and two standard errors of it:


# %%
def better_by(one, other):
    """By how many points one arm is better than the other: mean, two standard errors."""
    first, second = (
        {run.seed: run.accuracy for run in textured if run.arm == arm} for arm in (one, other)
    )
    by = torch.tensor([first[seed] - second[seed] for seed in first])
    return by.mean().item(), 2 * by.std().item() / len(by) ** 0.5


for pair in (("fine-tuning", "from scratch"), ("small CNN", "fine-tuning")):
    print("{} is better than {} by {:.1f} ± {:.1f} points".format(*pair, *better_by(*pair)))

# %% [markdown]
# Three things follow, for this task and this budget:
#
# 1. **The old weights help**, even here, where nothing resembles ImageNet: the same network is
#    right on 93.0 % with them and on 73.9 % without.
# 2. **Frozen, they don't**: 33.9 %. What helps is a start from which the weights can move.
# 3. **A network that fits the task helps more.** The small network, from random weights, is right
#    on 99.4 %. It was made for small pictures; SqueezeNet wasn't.
#
# An earlier version of this lecture compared 40 steps of fine-tuning, at a far smaller rate, with
# 150 steps of the small network, and concluded that transfer loses by far. The gap was the
# budget's. **Before you compare results, compare budgets.**
#
# *Pretrained is better* is no law all the same. On two large medical tasks ImageNet's weights
# gained little (Raghu and others, 2019). On COCO (objects to be found, with boxes) a random start
# catches up if it trains long enough (He, Girshick and Dollár, 2019).
#
# ## Freeze, fine-tune, or in between
#
# Back to the photographs. What may the old weights do while the new head learns? *Frozen*: nothing.
# *Fine-tuning*: all of them learn. *Discriminative rates*: the earlier a layer, the slower it
# learns. In PyTorch, the first is a switch, and the others are lists for the optimiser:

# %%
ours.features.requires_grad_(False)  # frozen: no gradients, no change
trained = [name for name, p in ours.named_parameters() if p.requires_grad]
print("frozen body:", trained)

# %%
ours.features.requires_grad_(True)
groups = discriminative_rates(ours, head=2e-3, body=4e-4, factor=0.7)
for name, group in zip(["head", *reversed(LAYERS)], groups, strict=True):
    print(f"{name:5}: {sum(p.numel() for p in group['params']):7,} weights, rate {group['lr']:.1e}")

# %% [markdown]
# Five ways, in pictures of 96×96, with ten of each class. (*Head only* is the frozen network too,
# its head trained by gradient descent.)

# %%
ten = summarise(photographs, "arm", size=96, per_class=10)
show_bars(
    {"right, %": {name: mean for name, (mean, _) in ten.items()}},
    alt="Bars of test accuracy with ten pictures of each class: four ways that start from "
    "ImageNet's weights are close together, from scratch is far below.",
)
for name, (mean_, spread) in ten.items():
    print(f"{name:18}: {mean_:.1f} % ± {spread:.1f}")

# %% [markdown]
# The four ways that start from ImageNet's weights are close together; the largest difference is no
# larger than their spread. So *with so few pictures* and steps the cheapest, frozen, is as good as
# any. The same network from scratch reaches 25.4 %, after 80 steps, for 1.2 million weights and 80
# pictures. The small network had 300 steps, so this is no verdict on training from scratch.
#
# Rule of thumb: train the head on the frozen network first; if data allow, let the body move,
# slowly. While a new, random head learns, the gradients that it sends back distort what the body
# knows; that costs accuracy mostly on pictures unlike the training pictures (Kumar and others,
# 2022). With batch norm, frozen means `.eval()` too: else its running means follow the new
# pictures.
#
# **Think.** You have 100,000 labelled pictures of your own task. Which of the four would you try
# first, and what would you expect from the others?
#
# <details><summary>An answer</summary>
#
# Fine-tuning: enough data to move all weights, and a good start costs nothing. From scratch may
# come near, after a longer training.
#
# </details>

# %%
ask("which_way")

# %% [markdown]
# ## A loop that you can use tomorrow
#
# Now without the course's helpers: your own pictures, in folders, with torchvision's tools. First
# we play *your pictures*: stamps go into a folder, one subfolder for each class. Half of those that
# we don't train with are for **validation**: we look at them while we train. The others are the
# **test**: we look at them once, at the end.

# %%
from pathlib import Path
from tempfile import mkdtemp

from PIL import Image

folder = Path(mkdtemp())
train, others = split_per_class(stamps.labels, per_class=10, seed=0)
parts = {"train": train, "validation": others[::2], "test": others[1::2]}
for part, chosen in parts.items():
    for i in chosen.tolist():
        path = folder / part / stamps.classes[stamps.labels[i]] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(stamps.images[i].permute(1, 2, 0).numpy()).save(path)
print({part: len(list((folder / part).rglob("*.png"))) for part in parts})

# %% [markdown]
# Lecture 1 in two lists: how pictures are prepared, and what changes at random. Only training
# pictures are changed.

# %%
from torchvision import transforms

side = 96  # the weights know 224; we are in a hurry
as_tensor = [transforms.ToTensor(), transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD)]
fixed = transforms.Compose([transforms.Resize((side, side)), *as_tensor])
varied = transforms.Compose(
    [
        transforms.Resize((side + 8, side + 8)),
        transforms.RandomCrop(side),
        transforms.RandomHorizontalFlip(),
        *as_tensor,
    ]
)

# %%
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder

data = {part: ImageFolder(folder / part, varied if part == "train" else fixed) for part in parts}
loaders = {part: DataLoader(data[part], batch_size=20, shuffle=part == "train") for part in parts}
images, labels = next(iter(loaders["train"]))
print(tuple(images.shape), "classes:", data["train"].classes)

# %% [markdown]
# The network: old body, new head, the head faster than the body. For your own task, take
# `torchvision.models.resnet18(weights="DEFAULT")`, and replace its `fc`.

# %%
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
torch.manual_seed(0)
model = swap_head(squeezenet(), classes=len(data["train"].classes)).to(device)
optimizer = torch.optim.Adam(
    [
        {"params": model.features.parameters(), "lr": 5e-5},
        {"params": model.classifier.parameters(), "lr": 1e-3},
    ]
)

# %% [markdown]
# One function for an epoch. With an optimiser it learns, without one it only looks.


# %%
def one_epoch(model, loader, optimizer=None):
    """The mean loss, and the share of right answers in percent."""
    model.train(optimizer is not None)
    total, right, count = 0.0, 0, 0
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        with torch.set_grad_enabled(optimizer is not None):
            logits = model(images)
            loss = F.cross_entropy(logits, labels)
        if optimizer is not None:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        total += loss.item() * len(labels)
        right += (logits.argmax(1) == labels).sum().item()
        count += len(labels)
    return total / count, 100 * right / count


# %% [markdown]
# And the training. After each epoch we look at the validation pictures, and keep the weights of the
# best epoch in a file.

# %%
kept = folder / "best.pt"
history = {"training": {}, "validation": {}}
for epoch in range(1, 9):
    history["training"][epoch] = (one_epoch(model, loaders["train"], optimizer)[0], 0)
    loss, share = one_epoch(model, loaders["validation"])
    if loss < min((seen for seen, _ in history["validation"].values()), default=loss + 1):
        torch.save(model.state_dict(), kept)
        best = epoch
    history["validation"][epoch] = (loss, 0)
    print(f"epoch {epoch}: validation loss {loss:.2f}, {share:.0f} % right")

# %%
show_curves(
    history,
    across="epoch",
    up="loss",
    alt="The loss on training pictures falls towards zero; the loss on validation pictures falls "
    "at first, and then stays well above it.",
)

# %% [markdown]
# The loss on *training* pictures goes on falling. On *validation* pictures it soon stops to: from
# there on the network learns its eighty pictures by heart. That is **overfitting**, and the gap
# between the two curves shows it. So we go back to the best epoch, and only now look at the test:

# %%
model.load_state_dict(torch.load(kept, weights_only=True))
_, share = one_epoch(model, loaders["test"])
print(f"epoch {best} is kept; right on {len(data['test'])} test pictures: {share:.0f} %")

# %% [markdown]
# To use it for your own pictures, change three things: the folder, the network, and the side. Then
# try rates and epochs, and choose by the *validation* pictures. Whoever chooses by the test
# pictures has no test left (settled).
#
# **Think.** You try 200 settings and keep the one that is best on 40 validation pictures. Is its
# validation accuracy an honest estimate?
#
# <details><summary>An answer</summary>
#
# No. With 200 tries some setting is lucky on these 40 pictures, and you chose it for that. The test
# pictures, which chose nothing, give the honest figure.
#
# </details>

# %% [markdown]
# ## From names to boxes
#
# A detector gives a name and a **box**: left, top, right, bottom, in pixels. Is a box right? It
# needn't fit to the pixel. **Intersection over union** (IoU) compares two boxes: the area that they
# share, divided by the area that they cover together. It is 1 for the same box, and 0 for boxes
# that don't touch.


# %%
def iou(one, other):
    """Intersection over union of two boxes (left, top, right, bottom)."""
    left, top = max(one[0], other[0]), max(one[1], other[1])
    right, bottom = min(one[2], other[2]), min(one[3], other[3])
    shared = max(0, right - left) * max(0, bottom - top)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return shared / (sum(areas) - shared)


# %%
scene = street()
bus = scene.boxes["bus"]
guesses = {"a": (110, 100, 222, 142), "b": (60, 84, 204, 148), "c": (130, 60, 300, 150)}
for name, box in guesses.items():
    print(f"guess {name}: IoU {iou(box, bus):.2f}")
show_boxes(
    scene.image,
    {"the bus": bus, **{f"guess {name}": box for name, box in guesses.items()}},
    alt="A street with a bus in its box, and three guesses: a is too small, b is too "
    "large and too far to the left, c reaches far to the right and above.",
)

# %% [markdown]
# Usually a box counts as found if its IoU is at least 0.5 and its name is right; COCO averages over
# limits from 0.5 to 0.95. Here a and b would count at 0.5, and c wouldn't.
#
# Boxes are expensive: somebody has to draw each of them. So detection sets are small, and a
# detector's **backbone** (the convolutions that make the maps) is nearly always pretrained on
# names, where a million pictures are at hand. Only the layers that predict boxes start new. On COCO
# a random start catches up, even with a tenth of its pictures. With only a thousand pictures it
# doesn't (He, Girshick and Dollár, 2019). So for a small set with boxes, begin with a pretrained
# backbone: a *rule of thumb* with much evidence behind it.

# %% [markdown]
# ## Which data set should it have learned from?
#
# Here are five VGGs. Which one do you take?

# %%
sources = {  # training pictures, classes, labels
    "ImageNet (2012)": (1_281_167, 1000, "one a picture"),
    "Pascal VOC (2012)": (11_540, 20, "boxes (with the validation set)"),
    "CIFAR-10": (50_000, 10, "one a picture"),
    "MS-COCO (2017)": (118_287, 80, "boxes and outlines"),
}
for name, (count, kinds, labels) in sources.items():
    share = f"{count // kinds:,} a class"
    print(f"{name:17} {count:9,} in {kinds:5,} classes, {share:13} {labels}")

# %% [markdown]
# (In VOC and COCO a picture may count for several classes; in ImageNet a class has from 732 to
# 1,300 training pictures.) The fifth was trained on medical pictures, often fewer than 10,000.
# CIFAR-10 is no subset of ImageNet: it was drawn from *80 Million Tiny Images*.
#
# The question has no answer before the **target** is stated. So: *find everyday things in
# photographs, with boxes, a few classes, a few hundred pictures.*
#
# - **MS-COCO**, as a detector: same task, similar pictures, and its box layers come along. Rule of
#   thumb.
# - **ImageNet** for the backbone otherwise: the default for photographs, and robust. With half of
#   its pictures a detector on VOC loses 1.5 points of mean average precision (a detector's score,
#   up to 100), with 127 classes instead of 1,000 it loses 2.8 (Huh and others, 2016). That it is a
#   good default is settled. Whether it is needed is contested.
# - **Pascal VOC** is like your target, but small: better as a second step.
# - **CIFAR-10**, 32×32 pixels, is too small, **medical pictures** too different. Rule of thumb.
#
# Change the target: *cell types in microscope slides.* ImageNet's networks did well there, best
# when fine-tuned (Mormont and others, 2018), and gained little on eyes and chests (Raghu and
# others, 2019). Contested: measure it on your own data, against a small network from scratch.

# %%
ask("which_source")

# %% [markdown]
# ### The four quadrants
#
# Stanford's CS231n sums it up in a table, a rule of thumb:
#
# | | similar to the source | different |
# |---|---|---|
# | **few data** | frozen, linear layer on the *last* features | the same on *earlier* features |
# | **many data** | fine-tune all | fine-tune all; from scratch may do as well |
#
# You have seen the upper row measured, on one task each.
#
# ## Where does it look?
#
# **Grad-CAM** (Selvaraju and others, 2017) asks which places speak for a class $c$. Take the maps
# $A^k$ of the last layer; weigh each by the mean gradient of the class's output $o_c$; add up; keep
# what is positive:
#
# $$L_c = \operatorname{ReLU} \sum_k \alpha_k A^k, \qquad
# \alpha_k = \operatorname{mean}_{ij} \frac{\partial o_c}{\partial A^k_{ij}}.$$


# %%
def grad_cam(image, name):
    maps = network.features(preprocess(image)).detach().requires_grad_()
    output = network.classifier(maps)[0, imagenet_classes().index(name)]
    (gradient,) = torch.autograd.grad(output, maps)
    weights = gradient.mean((2, 3), keepdim=True)
    heat = F.relu((weights * maps).sum(1, keepdim=True)).detach()
    return F.interpolate(heat / heat.max(), size=224, mode="bilinear")[0]


# %%
def look(name, label):
    picture = square(name) / 255
    return picture * (0.2 + 0.8 * grad_cam(load_photograph(name), label))


with torch.no_grad():
    guess = {name: top_k(network(preprocess(load_photograph(name))), 1)[0][0] for name in pictures}
print(guess)
show_pictures(
    {f"{name}: {label}": look(name, label) for name, label in guess.items()}
    | {"rocket: missile": look("rocket", "missile")},
    alt="Four pictures, dark but for the places that speak for the class. Egyptian cat: most of "
    "the face, above all the cheek. Espresso: the coffee and the rim. Rocket as a beacon: its tip "
    "and the sky around. Rocket as a missile: its whole length, above all its foot, and a tower.",
    columns=4,
)

# %% [markdown]
# The rocket is the interesting one: for *beacon*, the first and wrong answer, the tip in the night
# sky counts; for *missile* its whole length does, and a tower beside it.
#
# Such maps are coarse: 13×13, enlarged. They say where the evidence lies, not what it is.
#
# ## Other backbones
#
# VGG-16 and its friends need one download. Set the switch and run the cell again:

# %%
ONLINE = False  # True downloads VGG-16, once: 553.4 MB

other = backbone("vgg16" if ONLINE else "squeezenet1_1")
with torch.no_grad():
    for name in pictures:
        print(name, [answer for answer, _ in top_k(other(preprocess(load_photograph(name))), k=3)])

# %% [markdown]
# `backbone` takes any name of torchvision's. The weights say how good they are on ImageNet's
# validation pictures. (The course's SqueezeNet has its authors' weights, not torchvision's.)

# %%
for name in ("squeezenet1_1", "alexnet", "vgg16", "resnet18"):
    meta = get_model_weights(name).IMAGENET1K_V1.meta
    top = meta["_metrics"]["ImageNet-1K"]
    size = meta["_file_size"] * 1.048576
    print(f"{name:13}: {size:5.1f} MB, top-1 {top['acc@1']:.1f} %, top-5 {top['acc@5']:.1f} %")

# %% [markdown]
# Larger is often better on ImageNet, and what is better there tends to be better after fine-tuning,
# too (Kornblith and others, 2019; settled as a tendency, but not for frozen features).

# %% [markdown]
# ## Code it yourself
#
# Replace the three dots, and run both cells. Nothing is recorded.
#
# **1.** Before you train, check what will learn. How many numbers of a network get a gradient?


# %%
def learning(network):
    """How many parameters of a network require a gradient: numbers, not tensors."""
    return ...  # your code here


# %%
half_frozen = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 2))
half_frozen[0].requires_grad_(False)
got = learning(half_frozen)
print("right" if got == 8 else f"not yet: 6 weights and 2 biases learn, that is 8; you say {got}")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# def learning(network):
#     return sum(p.numel() for p in network.parameters() if p.requires_grad)
# ```
#
# </details>

# %% [markdown]
# **2.** Which of several boxes fits best? Use `iou` from above.


# %%
def best_match(truth, boxes):
    """The name of the box in `boxes` (by name) with the largest IoU with `truth`."""
    return ...  # your code here


# %%
got = best_match(bus, guesses)
print("right" if got == "a" else f"not yet: a fits best, you say {got}")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# def best_match(truth, boxes):
#     return max(boxes, key=lambda name: iou(boxes[name], truth))
# ```
#
# </details>

# %% [markdown]
# ## Summary
#
# | question | answer |
# |---|---|
# | few pictures, like ImageNet's | freeze, linear head on the last features |
# | few pictures, unlike | try earlier features, fine-tuning, a small network; equal budgets |
# | many pictures | fine-tune, head faster than body |
# | what to keep | convolutions; VGG's dense layers are large, and bound to one size |
# | which source | the one nearest to the *stated* target; ImageNet by default |
#
# **Key points**
#
# - Transfer is a head start, measured in data that you don't need: here two pictures of each class
#   instead of ten, if things have the size that the old weights know.
# - Early layers are general, late ones belong to their task; where to cut depends on yours.
# - Compare budgets before results: steps, rates, augmentation, the size of the pictures.
# - Where classes are unequal, look at balanced accuracy.
# - Validation pictures choose the epoch and the settings; test pictures choose nothing.
#
# **Next**: `05_backpropagation`, how all these gradients are computed.
#
# ### Sources
#
# - J. Yosinski and others, *How transferable are features in deep neural networks?*, 2014.
# - K. He, R. Girshick and P. Dollár, *Rethinking ImageNet pre-training*, 2019.
# - M. Huh, P. Agrawal and A. Efros, *What makes ImageNet good for transfer learning?*, 2016.
# - M. Raghu and others, *Transfusion: understanding transfer learning for medical imaging*, 2019.
# - R. Mormont, P. Geurts and R. Marée, *Comparison of deep transfer learning strategies for digital
#   pathology*, 2018.
# - S. Kornblith, J. Shlens and Q. Le, *Do better ImageNet models transfer better?*, 2019.
# - A. Kumar and others, *Fine-tuning can distort pretrained features and underperform
#   out-of-distribution*, 2022.
# - Stanford CS231n, *Transfer learning* (course notes).
# - A. Azulay and Y. Weiss, *Why do deep convolutional networks generalize so poorly to small image
#   transformations?*, 2018; R. Zhang, *Making convolutional networks shift-invariant again*, 2019.
# - J. Redmon and others, *You only look once: unified, real-time object detection*, 2016: YOLO.
# - D. Yamins and others, *Performance-optimized hierarchical models predict neural responses in
#   higher visual cortex*, 2014; U. Güçlü and M. van Gerven, *Deep neural networks reveal a gradient
#   in the complexity of neural representations across the ventral stream*, 2015; H.-Y. Miao and F.
#   Tong, *Convolutional neural network models applied to neuronal responses in macaque V1 reveal
#   limited nonlinear processing*, 2024.
# - R. Selvaraju and others, *Grad-CAM*, 2017.
# - O. Russakovsky and others, *ImageNet large scale visual recognition challenge*, 2015; L. Liu and
#   others, *Deep learning for generic object detection: a survey*, 2020, table 3 (VOC, COCO);
#   A. Krizhevsky, *Learning multiple layers of features from tiny images*, 2009.
# - K. Simonyan and A. Zisserman, *Very deep convolutional networks for large-scale image
#   recognition*, 2014: VGG. F. Iandola and others, *SqueezeNet*, 2016.
# - Stamps from Tux Paint, photographs from scikit-image; `course_utils/assets/README.md` has the
#   licences. `course_utils/results/` has the runs, and says how they were made.
