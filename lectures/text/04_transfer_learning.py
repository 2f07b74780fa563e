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
# Two people want to learn to drive a van. The first person has never driven. The second person can
# already drive a small car, and will need fewer lessons. It can be the same with networks: a
# network that has learned one task learns a similar task faster. This is called **transfer
# learning**.
#
# **You will be able to**
#
# - say when a pretrained network helps, by how much, and whether a comparison was fair;
# - keep a network's convolutions, drop its dense layers, and put a head of your own on top;
# - write a fine-tuning loop for your own folder of pictures, and keep the best epoch;
# - choose between a frozen network, fine-tuning and discriminative rates;
# - choose the data set that the network should have learned from, and grade the evidence;
# - compare two boxes by their intersection over union;
# - measure accuracy as top-1, top-5 and balanced, and look where a network looks.
#
# **Time**: 100 minutes, with the explorer. **You need**: `01_preprocessing` with its training loop,
# `02_convolution_arithmetic`. **Exercise**: `ps4_transfer_learning`.
#
# Claims are labelled: *settled* (arithmetic, or agreed on), *contested* (experts disagree), *rule
# of thumb* (often true; check it). The [glossary](glossary.md) explains words.
#
# **Where we are.** Lecture 3 calculated what a network costs. This lecture saves most of this cost,
# because we use weights that others have trained. Lecture 5 opens the training step itself.
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
import torch
import torch.nn.functional as F

from course_utils.data import load_photograph, load_stamps, split_per_class
from course_utils.models import IMAGENET_MEAN, IMAGENET_STD, LAYERS, imagenet_classes
from course_utils.models import preprocess, squeezenet, swap_head, top_k
from course_utils.plots import COLORS, new_figure, show
from course_utils.plots import show_bars, show_boxes, show_curves, show_pictures
from course_utils.quiz import ask

_ = torch.manual_seed(0)

# %% [markdown]
# ## Two ways
#
# Lecture 3's advice was to take an architecture that is known to work. There are two ways to use
# it:
#
# 1. take the **architecture** only, and train it *from scratch*, from random weights;
# 2. **load the weights**, too, that somebody else has trained, and go on from there.
#
# The second way is transfer learning. A trained network has two parts. The **body** (its
# convolutions) turns a picture into numbers that describe it, its *features*. The **head** turns
# the features into classes. We keep the body with its weights. We replace the head by a new one
# with random weights, and train it on our pictures. If the body's weights don't change in this
# training, the body is **frozen**. If they change too, a little, this is called **fine-tuning**.

# %% folded=true
figure, ax = new_figure(8.4, 1.9)
ax.set_axis_off()
ax.set(xlim=(-0.9, 15.4), ylim=(-1.2, 2.1))
boxes = [(1.25 * place, 0.5, name, COLORS["input"]) for place, name in enumerate(LAYERS)]
boxes.append((13.3, 1.35, "old head: 1000 classes", "white"))
boxes.append((13.3, -0.35, "new head: 8 classes", COLORS["window"]))
for x, y, name, color in boxes:
    frame = {"boxstyle": "round,pad=0.45", "edgecolor": "#555555", "facecolor": color}
    ax.text(x, y, name, ha="center", va="center", fontsize=8, bbox=frame)
ax.plot((11.5, 15.1), (1.05, 1.65), color=COLORS["left over"], linewidth=2, zorder=5)
ax.annotate("", (11.2, -0.2), (10.7, 0.4), arrowprops={"arrowstyle": "->"})
ax.text(5, -0.6, "body: kept. Frozen, or trained on in small steps", ha="center", fontsize=9)
ax.text(13.3, -1.05, "random weights: it learns", ha="center", fontsize=9)
show(
    figure,
    alt="SqueezeNet as a row of boxes, conv1 and fire2 to fire9: the body, which is kept. The "
    "old head for 1000 classes is crossed out. A new head for 8 classes takes its place.",
)

# %% [markdown]
# Training from scratch needs more data and more time. With few pictures, how large is the
# difference? And is the second way always better? This lecture measures both.
#
# ## Pretrained or not: a first comparison
#
# The task: eight kinds of things, from a few pictures of each. *Pretrained* is SqueezeNet with
# ImageNet's weights. Its body is frozen, and its new head is one linear layer. It gets pictures of
# 224×224, without augmentation. *Not pretrained* is a small convolutional network with random
# weights. It gets pictures of 32×32, mirrored and shifted at random, and trains for 100 steps.
#
# The trainings take minutes, so we did them before the lecture (in the repository, `make
# experiments` does them again). Each was done twelve times, with other training pictures and other
# random numbers (twelve *seeds*). Two things keep the comparison honest:
#
# - All pictures that aren't training pictures are the **test**. Some pictures are twins, that is,
#   they show the same kind of thing or look nearly alike (four gnus, five apples), and a network
#   that has seen one gnu knows the next. So a *group* of twins is never split: all gnus are
#   training pictures, or all are test pictures.
# - All numbers of these trainings are **balanced accuracy**. We compute the share of right answers
#   within each class, and take the mean over the classes. Otherwise the mammals, the largest class,
#   count most.
#
# `read_results` reads the table of these trainings. An **arm** is one of the ways that we compare.
# `summarise` gives mean and standard deviation over the seeds, here for each number of pictures.

# %%
from course_utils.experiments import difference, read_results, summarise

photographs = read_results("photographs")
frozen = summarise(photographs, "per_class", arm="frozen", size=224)
scratch = summarise(photographs, "per_class", arm="small CNN", size=32, steps=100)
for n in frozen:
    print(f"{n:2} of each: frozen {frozen[n][0]:.1f} %, small CNN {scratch[n][0]:.1f} %")

# %% folded=true
show_curves(
    {"pretrained: frozen SqueezeNet": frozen, "not pretrained: small CNN": scratch},
    across="training pictures of each class",
    up="balanced accuracy, %",
    alt="Accuracy against training pictures of each class: 1, 2, 5 and 10. The frozen network is "
    "far above the small network everywhere; both rise.",
)

# %% [markdown]
# The vertical bars are standard deviations over the twelve seeds. With ten pictures of each class
# the frozen network reaches 70.8 % and the small one 38.0 %. With how few pictures is the frozen
# network as good as the small one with ten? Both had the same twelve splits, so we compare split by
# split, with `difference`. The **standard error** says how exact the mean of the differences is:
# their standard deviation, divided by the root of how many there are. *Rule of thumb*: a difference
# of more than two standard errors is hardly chance (if there are only five runs, ask for three).
# (All splits are of the same pictures, so for
# other pictures the uncertainty is larger.)

# %%
ten = {"arm": "small CNN", "size": 32, "per_class": 10, "steps": 100}
for n in (1, 2, 5):
    by, error = difference(photographs, {"arm": "frozen", "size": 224, "per_class": n}, ten)
    print(f"frozen with {n:2} − small CNN with 10: {by:+.1f} points, standard error {error:.1f}")

# %% [markdown]
# With one picture of each class the frozen network is about where the small one is with ten; with
# two it is ahead. With four times as many steps the small network reaches 42.3 %. Then the frozen
# one with a single picture is probably behind, and with two it is still ahead.
#
# But the frozen network also gets larger pictures. Is it better because of its trained weights, or
# because of the larger pictures? We give both networks pictures of several sizes:

# %%
by_size = {
    arm: summarise(photographs, "size", arm=arm, per_class=10, steps=steps)
    for arm, steps in (("frozen", 0), ("small CNN", 100))
}
for arm, sizes in by_size.items():
    print(arm, {f"{size}×{size}": f"{sizes[size][0]:.1f} %" for size in sorted(sizes)})

# %% [markdown]
# Larger pictures alone don't help the small network: it stays at about 38 %. In 32×32 the frozen
# network isn't ahead of it; in 96×96 it is ahead by 25 points. So the frozen network is better only
# if its pictures aren't far too small for it. Why 32×32 is too small, this doesn't show: things are
# smaller than in ImageNet's pictures, and the last maps have only one place left. (These are two
# different networks. Below we compare the *same* network with and without ImageNet's weights.)
#
# ### The network of this lecture
#
# SqueezeNet was designed to have few parameters. After one convolution come eight *fire* modules. A
# module first **squeezes** the channels with 1×1 convolutions (lecture 3), then **expands** them
# with 1×1 and 3×3 convolutions in parallel, and puts the two results together:
#
# ```text
#                        ┌── 1×1, 64 filters ──┐
# 64 maps ── 1×1, 16 ────┤                     ├── 128 maps        (fire2)
#                        └── 3×3, 64 filters ──┘
# ```

# %%
stamps = load_stamps()
network = squeezenet()


def count(part):
    """How many parameters a network, or a part of it, has."""
    return sum(p.numel() for p in part.parameters())


with torch.no_grad():
    for name, end in LAYERS.items():  # `end`: the layer's place in `network.features`
        maps = network.features[: end + 1](preprocess(stamps.images[:1]))
        layer = network.features[0 if name == "conv1" else end]
        channels, side = maps.shape[1:3]
        print(f"{name}: {count(layer):7,} parameters, {channels} maps of {side}×{side}")

# %% [markdown]
# Between some of them a max pool halves the maps. The old head, a 1×1 convolution to a thousand
# classes and a mean over all places, is what we drop.
#
# ### Train one yourself
#
# We now train one frozen network here, in pictures of 128×128. `layer_means` runs every stamp
# through the network, without gradients, and averages each channel of the last layer over all
# positions.

# %%
from course_utils.training import balanced_accuracy, layer_means, logistic_regression

features = layer_means(network, stamps.images, size=128)["fire9"]
print(tuple(stamps.images.shape), "→", tuple(features.shape))

# %% [markdown]
# Only one linear layer must be learned: from 512 numbers to eight logits, with softmax and
# cross-entropy. (This is called *logistic regression*. If large weights are penalised a little,
# there is one best solution, and it is found within seconds.)

# %%
train, test = split_per_class(stamps.labels, per_class=10, seed=0, groups=stamps.groups)
truth = stamps.labels[test]
head = logistic_regression(features[train], stamps.labels[train])
print(f"{len(train)} training pictures, {count(head):,} weights")
print(f"balanced accuracy on {len(test)} others: ", end="")
print(f"{balanced_accuracy(head, features[test], truth):.1f} %")
mean, spread = summarise(photographs, "size", arm="frozen", per_class=10)[128]
print(f"over twelve seeds: {mean:.1f} %, standard deviation {spread:.1f}")

# %% [markdown]
# How much would twins help? The same, but a split that ignores the groups:

# %%
twins = {}
for name, groups in (("twins on both sides", None), ("twins kept together", stamps.groups)):
    shares, known = torch.zeros(12), torch.zeros(12)
    for seed in range(12):
        some, rest = split_per_class(stamps.labels, 10, seed, groups)
        layer = logistic_regression(features[some], stamps.labels[some])
        shares[seed] = balanced_accuracy(layer, features[rest], stamps.labels[rest])
        known[seed] = 100 * torch.isin(stamps.groups[rest], stamps.groups[some]).float().mean()
    twins[name] = shares.mean().item()
    print(f"{name}: {twins[name]:.1f} %; {known.mean():.0f} % of test pictures have a known twin")

# %% [markdown]
# If the split ignores the groups, 18 % of the test pictures have a twin among the training
# pictures, and the result is higher by about 5 points. If your new pictures show things of other
# kinds, it is too good. (A part has another reason: with whole groups in training there are fewer
# different things to learn from.)
#
# How good is our result? We compare with the same linear layer on the raw pixels, and with the
# answer "mammal" for every picture, by both measures:

# %%
pixels = F.interpolate(stamps.images / 255, size=32, antialias=True, mode="bilinear").flatten(1)
on_pixels = logistic_regression(pixels[train], stamps.labels[train])
answers = {
    "always “mammal”": torch.full_like(truth, stamps.classes.index("mammal")),
    "pixels": on_pixels(pixels[test]).argmax(1),
    "features": head(features[test]).argmax(1),
}
plain, fair = {}, {}
for name, answer in answers.items():
    right = (answer == truth).double()
    plain[name] = 100 * right.mean().item()
    fair[name] = 100 * sum(right[truth == c].mean().item() for c in range(8)) / 8
    print(f"{name:15}: accuracy {plain[name]:.1f} %, balanced accuracy {fair[name]:.1f} %")

# %% [markdown]
# "Mammal" for every picture is right for 35.0 % of the test pictures, because more than a third of
# them are mammals. Its balanced accuracy is that of guessing. So one can learn something from the
# pixels, and much more from the features.
#
# **Think.** What did the network do to the pictures?
#
# <details><summary>An answer</summary>
#
# In its features a linear layer can tell the kinds apart; in pixels it hardly can. (Perhaps because
# in pixels a white cat is more like a white mug than like a black cat.)
#
# </details>

# %% [markdown]
# Look at mistakes before you believe a percentage. Here is one of each class, with the wrong
# answer:

# %% folded=true
from textwrap import shorten

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
# Some mistakes are understandable: rambutans and a head of red lettuce look a little like flowers.
# Others aren't: it calls a whale a bird.

# %% [markdown]
# ## How to measure: top-1 and top-5
#
# Let $o$ be the list of logits for one picture, and $y$ the number of the right class. The place of
# the largest logit is $\operatorname{argmax} o$.
#
# - **Top-1 accuracy** is the share of pictures with $y = \operatorname{argmax} o$.
# - **Top-5 accuracy** is the share of pictures whose $y$ is among the five largest logits.
#
# ImageNet has a class for some of our stamps, so we can measure SqueezeNet itself:

# %%
named = [i for i, names in enumerate(stamps.imagenet) if names]
classes = imagenet_classes()
with torch.no_grad():
    five = torch.cat([network(preprocess(stamps.images[i])) for i in named]).topk(5).indices
print([classes[guess] for guess in five[0]], "right:", *stamps.imagenet[named[0]])

# %% [markdown]
# Now a table of true and false: a row for each picture, a column for each of its five guesses.

# %%
hits = torch.tensor(
    [
        [classes[guess] in stamps.imagenet[i] for guess in guesses]
        for i, guesses in zip(named, five.tolist(), strict=True)
    ]
).double()
top1, top5 = hits[:, 0].mean(), hits.amax(1).mean()
print(f"{len(named)} pictures: top-1 {100 * top1:.1f} %, top-5 {100 * top5:.1f} %")

# %% [markdown]
# Top-5 is less strict. It was made for ImageNet, where several of the thousand classes may fit one
# picture. With eight classes it says little: guessing at random already gives five in eight.

# %%
ask("top_five")

# %% [markdown]
# ## Keep the convolutions, drop the dense layers
#
# Why do we drop the dense layers? Look at VGG-16. On torch's *meta* device a network has shapes and
# counts but no numbers, so this costs no memory.

# %%
from torchvision.models import resnet50, vgg16

with torch.device("meta"):
    vgg, resnet = vgg16(), resnet50()
conv, dense, first = count(vgg.features), count(vgg.classifier), count(vgg.classifier[0])
print(f"convolutions {conv:11,} parameters, {4 * conv / 1e6:.1f} MB")
print(f"dense layers {dense:11,} parameters, {4 * dense / 1e6:.1f} MB")
print(f"dense layers {100 * dense / (conv + dense):.1f} % of all")
print(f"the first one alone {100 * first / (conv + dense):.1f} % of all")
of_resnet = 100 * count(resnet.fc) / count(resnet)
print(f"ResNet-50's only dense layer {of_resnet:.1f} % of all")

# %% [markdown]
# 1. **Size.** Nine tenths of the parameters are in the dense layers. Without them the file shrinks
#    from 553.4 MB to 58.9 MB (settled, for VGG). ResNet-50's dense layer holds 8.0 % of its
#    parameters.
# 2. **Places.** The output of the convolutions is still a set of maps: 512 channels, 7 rows, 7
#    columns. A dense layer's outputs are no longer arranged by place.
# 3. **Translation.** A convolution uses the same weights everywhere, so a shifted picture gives a
#    shifted map. It is *equivariant*. A dense layer isn't: it must learn a cat on the left and a
#    cat on the right separately.
#
# We can test this third point. In SqueezeNet's layer fire3 neighbouring units are 4 pixels apart.
# We cut two windows out of a photograph; the second begins 4 pixels further right. So the second
# map should be the first map, moved left by one column.

# %%
cat = preprocess(load_photograph("cat"), 256)
with torch.no_grad():
    here = network.features[:5](cat[..., :224])
    beside = network.features[:5](cat[..., 4:228])
difference_of_maps = (here[..., 1:] - beside[..., :-1]).abs()
without_border = difference_of_maps[..., 4:-4, 4:-4].max()
print(f"largest difference {without_border:.0e}, largest value {here.max():.1f}")

# %% folded=true
channel = here[0].mean((1, 2)).argmax()
top_value = here[0, channel].max()
show_pictures(
    {
        "a map of the first window": (here[0, channel] / top_value).expand(3, -1, -1),
        "the same map, second window": (beside[0, channel] / top_value).expand(3, -1, -1),
        "difference, moved back": (difference_of_maps[0, channel] / top_value).expand(3, -1, -1),
    },
    alt="The same map of fire3 for both windows: the second shows the cat a little further left. "
    "Moved back by a column, their difference is black, but for a few units at the border.",
    columns=3,
)

# %% [markdown]
# Equal, except at the border. (A stride of 4 is exact for shifts by multiples of 4 only.)
# *Invariant* means more: the *answer* stays the same if the picture is shifted. Pooling and the
# mean over all positions help with that, but how much? We shift our stamps, and count how many
# first answers change:

# %%
changed = {}
for pixels_right in (1, 2, 3):
    with torch.no_grad():
        shifted = [preprocess(stamps.images[i]).roll(pixels_right, 3) for i in named]
        first_answers = torch.cat([network(picture).argmax(1) for picture in shifted])
    changed[pixels_right] = 100 * (first_answers != five[:, 0]).double().mean().item()
    print(f"shifted by {pixels_right}: {changed[pixels_right]:.0f} % of first answers change")

# %% [markdown]
# A person doesn't notice such a shift, and yet a tenth to a fifth of the answers change. A network
# with strides is *not* invariant by design (settled; Azulay and Weiss, 2018; Zhang, 2019).
#
# ### The new head
#
# Where the last layer is depends on the network: `classifier[6]` in VGG, `classifier[1]` in
# SqueezeNet, `fc` in ResNet. The helper `swap_head` finds it.

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
# ## A loop that you can use tomorrow
#
# Now almost without the course's helpers: your own pictures, in folders, with torchvision's tools.
# As an example for your pictures, we save the stamps in a folder, like this:
#
# ```text
# train/bird/12.png        train/flower/40.png       …
# validation/bird/3.png    validation/flower/51.png  …
# test/bird/20.png         test/flower/38.png        …
# ```
#
# Half of the pictures that aren't in `train` are for **validation**: after each epoch we measure
# the loss on them. The other half is for the **test**: we use it only once, at the end.

# %% folded=true
from pathlib import Path
from tempfile import mkdtemp

from PIL import Image

folder = Path(mkdtemp())
train, others = split_per_class(stamps.labels, per_class=10, seed=0, groups=stamps.groups)
odd = stamps.groups[others] % 2 == 1  # twins share a number: they stay together
parts = {"train": train, "validation": others[odd], "test": others[~odd]}
for part, chosen in parts.items():
    for i in chosen.tolist():
        path = folder / part / stamps.classes[stamps.labels[i]] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(stamps.images[i].permute(1, 2, 0).numpy()).save(path)
print({part: len(list((folder / part).rglob("*.png"))) for part in parts})

# %% [markdown]
# How are pictures prepared? These are the steps of lecture 1, and `Compose` does several steps one
# after the other. `fixed` only resizes and normalises; `varied` also changes the picture at random.
# Only training pictures are changed at random.

# %%
from torchvision import transforms

side = 96  # the weights were trained on 227; 96 is quicker, and costs accuracy
as_tensor = [transforms.ToTensor(), transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD)]
fixed = transforms.Compose([transforms.Resize((side, side)), *as_tensor])
at_random = [transforms.RandomCrop(side), transforms.RandomHorizontalFlip()]
varied = transforms.Compose([transforms.Resize((side + 8, side + 8)), *at_random, *as_tensor])

# %% [markdown]
# `ImageFolder` reads the pictures; the name of a picture's folder is its label. `DataLoader` makes
# batches, in training in random order. `next(iter(loader))` is the first batch.

# %%
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder

data = {part: ImageFolder(folder / part, fixed) for part in parts}
loaders = {part: DataLoader(data[part], batch_size=20) for part in parts}
to_learn = DataLoader(ImageFolder(folder / "train", varied), batch_size=20, shuffle=True)
images, labels = next(iter(to_learn))
print(tuple(images.shape), "classes:", data["train"].classes)

# %% [markdown]
# The network has the old body and a new head. (For your own task you may prefer a ResNet:
# `model = resnet18(weights="DEFAULT")`, then `model.fc = torch.nn.Linear(512, number_of_classes)`.)

# %%
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
torch.manual_seed(0)
model = swap_head(squeezenet(), classes=len(data["train"].classes)).to(device)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-4)

# %% [markdown]
# One function trains for an epoch, and one measures.


# %%
def train_one_epoch(model, loader, optimizer):
    model.train()  # training mode: dropout is on
    for images, labels in loader:  # one batch after the other
        loss = F.cross_entropy(model(images.to(device)), labels.to(device))
        optimizer.zero_grad()  # forget the old gradients
        loss.backward()  # compute new gradients
        optimizer.step()  # move the weights


@torch.no_grad()
def evaluate(model, loader):
    """The mean loss, and the share of right answers in percent."""
    model.eval()
    logits = torch.cat([model(images.to(device)).cpu() for images, _ in loader])
    labels = torch.cat([labels for _, labels in loader])
    share = (logits.argmax(1) == labels).double().mean().item()
    return F.cross_entropy(logits, labels).item(), 100 * share


# %% [markdown]
# Now we train. After each epoch we measure, and keep the weights of the best epoch in a file.

# %%
best_loss, best_file = float("inf"), folder / "best.pt"
losses = {"train": [], "validation": []}
for epoch in range(1, 9):
    train_one_epoch(model, to_learn, optimizer)
    losses["train"].append(evaluate(model, loaders["train"])[0])
    loss, share = evaluate(model, loaders["validation"])
    losses["validation"].append(loss)
    if loss < best_loss:
        best_loss, best_share, best_epoch = loss, share, epoch
        torch.save(model.state_dict(), best_file)
    print(f"epoch {epoch}: validation loss {loss:.2f}, {share:.0f} % right")

# %% folded=true
figure, ax = new_figure(6.2, 3.2)
for (part, points), color in zip(losses.items(), ("blue", "left over"), strict=True):
    ax.plot(range(1, len(points) + 1), points, "o-", color=COLORS[color], label=part)
ax.axvline(best_epoch, color="#555555", linestyle=":")
ax.text(best_epoch - 0.1, ax.get_ylim()[1] * 0.75, "best epoch", ha="right")
ax.annotate(
    "", (8, losses["train"][-1]), (8, losses["validation"][-1]), arrowprops={"arrowstyle": "<->"}
)
ax.set(xlabel="epoch", ylabel="loss", ylim=(0, None))
ax.legend(frameon=False)
show(
    figure,
    alt="The loss on training pictures falls towards zero; the loss on validation pictures falls "
    "at first, and then stays well above it. A line marks the best epoch on validation pictures.",
)

# %% [markdown]
# The loss on *training* pictures goes on falling. On the *validation* pictures it soon stops
# falling. From there on the network gets better on its eighty training pictures only. That is
# **overfitting**: training still helps on the pictures it knows, and no longer on others, or
# does harm there. So we go back to the best epoch, and only now look at the test:

# %%
model.load_state_dict(torch.load(best_file, weights_only=True))
_, share_on_test = evaluate(model, loaders["test"])
print(f"epoch {best_epoch} is kept; on {len(data['test'])} others {share_on_test:.0f} % right")

# %% [markdown]
# (On the validation pictures the share was larger. They chose the epoch, so their share is a little
# too high; and so few pictures give an uncertain number.) What does the network say about one new
# picture? Put the name of your own file here:

# %%
new_file = data["test"].imgs[0][0]
picture = fixed(Image.open(new_file).convert("RGB"))[None].to(device)
with torch.no_grad():
    probabilities = model(picture).softmax(1)[0]
for probability, label in zip(*probabilities.topk(3), strict=True):
    print(f"{data['train'].classes[label]}: {probability:.0%}")

# %% [markdown]
# To use it for your own pictures, change three things: the folder, the network, and the side. Then
# try rates and epochs. You can also let the head learn faster than the body: give the optimiser a
# list of groups, each with its own rate, as below. If you choose settings with the test pictures,
# the test result isn't honest any more (settled).
#
# **Think.** You try 200 settings and keep the one that is best on 40 validation pictures. Is its
# validation accuracy an honest estimate?
#
# <details><summary>An answer</summary>
#
# No. The best of 200 settings is the best on these 40 pictures partly by chance, and you chose
# exactly that one. Measure on the test pictures, which you didn't use to choose.
#
# </details>

# %%
ask("which_epoch")

# %% [markdown]
# ## The same task, another resolution
#
# Without dense layers the network takes pictures of any size that isn't too small. This doesn't
# mean that it gives good answers. Its weights were trained on pictures of 227×227 (by SqueezeNet's
# authors, as AlexNet's), in which things have a certain size in pixels. We give it 224×224.

# %% folded=true
sizes = dict(sorted(by_size["frozen"].items()))
show_curves(
    {"frozen, ten of each": sizes},
    across="side of the picture as the network gets it, pixels",
    up="balanced accuracy, %",
    alt="Accuracy of the frozen network rises with the side of the picture, steeply from 32 to 96 "
    "pixels and slowly from 128 to 224.",
)

# %% [markdown]
# If we enlarge a stamp from 128×128 to 224×224, it doesn't contain more information. But the
# network is still more often right. Rule of thumb: begin with the resolution of the weights.
#
# ## What do the layers find?
#
# Here are the filters of SqueezeNet's first layer, 3×3 pixels each:

# %% folded=true
from torchvision.utils import make_grid

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
# Some filters find edges, others colours. Nobody designed them; they were learned. First layers
# with larger kernels look so in nearly every network that was trained on photographs (*settled*);
# 3×3 is nearly too small to see it. The visual cortex of the brain, too, begins with cells that
# answer to edges. How far one may compare the two is *contested* (Yamins and others, 2014; Miao and
# Tong, 2024).
#
# For the cat, the two maps with the largest mean in each of three layers:

# %% folded=true
strongest = {}
for name in ("conv1", "fire4", "fire9"):
    with torch.no_grad():
        maps = network.features[: LAYERS[name] + 1](preprocess(load_photograph("cat")))[0]
    for channel in maps.mean((1, 2)).topk(2).indices.tolist():
        share = maps[channel] / maps[channel].max()
        strongest[f"{name}, map {channel}"] = share.expand(3, -1, -1)
show_pictures(
    strongest,
    alt="Six feature maps of the cat. Two of conv1 show the whole face, one its light and one its "
    "edges. Two of fire4 show rings around the eyes and a coarse texture. Of fire9 one is bright "
    "at both eyes and nowhere else, the other on the cheek, where the whiskers grow.",
)

# %% [markdown]
# ## Play
#
# Run the next cell, and choose a picture, a layer and a map. Bright parts of the picture are places
# where the map has large numbers. The frame is what one unit sees: drag it, or move it with the
# arrow keys.
#
# 1. In `conv1`, find a map for edges, and one for a colour.
# 2. Follow the cat through the layers. From which layer on can't you see the cat in the maps any
#    more?
# 3. How many pixels does a unit of `fire9` see? And of `conv1`?
#
# <details><summary>Answers</summary>
#
# 1. A map for edges is dark inside areas of one colour. A map for a colour is bright in the whole
#    area of this colour.
# 2. There is no right answer. From the middle layers on you will probably see spots, and no cat.
# 3. The frame's label says it. A unit of `conv1` sees only 3×3 pixels: its kernel.
#
# </details>

# %% folded=true
from course_utils.interactives import FeatureExplorer

means = torch.tensor(IMAGENET_MEAN).view(3, 1, 1)
deviations = torch.tensor(IMAGENET_STD).view(3, 1, 1)


def square(name):
    """A photograph as the network gets it, in bytes again."""
    return (preprocess(load_photograph(name))[0] * deviations + means).mul(255).round().byte()


pictures = {name: square(name) for name in ("cat", "coffee", "rocket")}
explorer = FeatureExplorer(network, pictures)
explorer

# %% [markdown]
# Python sees what you chose. Change something above and run this cell again:

# %%
print(explorer.name, explorer.layer, "map", explorer.channel, "unit", explorer.row, explorer.column)

# %% [markdown]
# ## Are early layers general?
#
# Let us test it. Cut the frozen network after layer $k$, put a linear layer on the channels' means,
# train it with ten pictures of each class. Do so for each $k$, and for two tasks:
#
# - **photographs**: the stamps, things of the kind that ImageNet is about;
# - **grain**: noise of six grain sizes, like grades of sandpaper. ImageNet has no such class. (A
#   task of our own, made so that ImageNet's features should not fit.)

# %% folded=true
from course_utils.textures import grain

textures, grades = grain(per_class=1, seed=0)
show_pictures(
    {f"grade {grade}": texture for grade, texture in zip(grades.tolist(), textures, strict=True)},
    alt="Six grey patches of cloudy noise. From left to right the grain gets coarser by so little "
    "that neighbours look alike.",
)

# %% [markdown]
# As a control we do the same with random weights. (Five random networks, because a single one could
# be good by chance.)

# %%
layers = read_results("layers")
cut = {
    task: {arm: summarise(layers, "layer", task=task, arm=arm) for arm in ("frozen", "random")}
    for task in ("photographs", "grain")
}


def training_adds(task, layer):
    """By how many points the trained network is better than random ones: mean, standard error."""
    pair = ({"task": task, "arm": arm, "layer": layer} for arm in ("frozen", "random"))
    return difference(layers, *pair)


for task in cut:
    for layer in ("conv1", "fire6", "fire9"):
        by, error = training_adds(task, layer)
        print(f"{task}, {layer}: training adds {by:+.1f} points, standard error {error:.1f}")

# %% folded=true
figure, axes = new_figure(8.4, 3.2, ncols=2, sharey=True)
for ax, (task, curves) in zip(axes, cut.items(), strict=True):
    for (arm, points), color in zip(curves.items(), ("blue", "left over"), strict=True):
        heights, bars = zip(*points.values(), strict=True)
        name = "trained on ImageNet" if arm == "frozen" else "random weights"
        ax.errorbar(
            list(points), heights, bars, marker="o", capsize=3, color=COLORS[color], label=name
        )
    ax.set_title(task)
    ax.tick_params(axis="x", rotation=60)
    ax.spines[["top", "right"]].set_visible(False)
axes[0].set(ylabel="balanced accuracy, %", ylim=(0, 100))
axes[0].legend(frameon=False)
show(
    figure,
    alt="Accuracy against the layer after which the network is cut, in two panels. Photographs: "
    "the trained network rises from conv1 to fire9, random weights don't. Grain: both fall from "
    "conv1 to fire9, and the trained network lies a little higher.",
)

# %% [markdown]
# On photographs the trained network is far better than random ones in the last layer (39 points),
# and only a little in the first (6 points). So the later we cut, the more training has added. (A
# late cut contains all layers before it, so this doesn't say in which layer the gain arises.) On
# grain
# both curves fall. Grain falls without any training, too, so training isn't what makes it fall.
# (Going deeper also means coarser maps and more channels; we don't know which of these does it.)
# But training adds something on grain, too: 15 points at fire6, and 7 at fire9. This last number is
# only about two standard errors, because the five random runs differ by 8 (standard deviation;
# network and split together).
#
# **Takeaway.** Early features are useful for many tasks; late features fit the task that the
# network was trained for. People in the field agree on this (*settled*). Yosinski and others (2014)
# measured it with one network, between parts of ImageNet. Ours agrees with it, but doesn't prove
# it: a *random* first layer comes near the trained one, so it shows that early features are
# *cheap*. "Good for almost any task" is a *rule of thumb*.
#
# **Think.** You sort wood by the width of its rings, with twelve close-up pictures of each grade.
# You have SqueezeNet with ImageNet's weights. What do you try, and how do you find out what is
# best?
#
# <details><summary>An answer</summary>
#
# You can't know it before you try; our grain is only one task. Compare early features, late ones,
# fine-tuning and a small network, with equal budgets, on several splits.
#
# </details>

# %% [markdown]
# ## Compare with equal budgets
#
# *Frozen* late features are poor for grain. But we don't have to freeze the old weights. What if we
# train all of them? To compare, everything else must be equal. So here each network gets ten
# pictures of each grade, of 64×64, and 150 steps; each picture is mirrored and shifted at random.
# We call this the **budget**. Two things differ. In fine-tuning the new head learns ten times as
# fast as the body. And each network needs its own learning rate; we choose it by *validation*
# pictures, on splits of their own:

# %%
rates = [run for run in read_results("rates") if run.task == "grain"]
for arm in ("fine-tuning", "from scratch", "small CNN"):
    tried = summarise(rates, "rate", arm=arm)
    print(f"{arm:12}:", {rate: f"{mean:.0f} %" for rate, (mean, _) in tried.items()})

# %% [markdown]
# *Fine-tuning* and *from scratch* are the same SqueezeNet, once with ImageNet's weights and once
# with random ones. In each row the middle rate has the highest mean, so we stopped there. (Three
# splits for each rate. *From scratch* differed so much from split to split that we took twelve. The
# small network's three rates can't be told apart.) With these rates we train on twelve new splits
# of the same pictures. For *frozen* there is one best head, so it needs no learning rate.

# %%
grain_runs = read_results("grain")
on_grain = summarise([run for run in grain_runs if run.steps <= 150], "arm", size=64)
for arm, (mean, spread) in on_grain.items():
    print(f"{arm:12}: {mean:.1f} % ± {spread:.1f}")

# %% folded=true
show_bars(
    {"right, %": {arm: mean for arm, (mean, _) in on_grain.items()}},
    alt="Bars of test accuracy on grain: the frozen last layer far below, SqueezeNet from scratch "
    "in the middle, fine-tuning higher, and the small network from scratch near 100 percent.",
)

# %% [markdown]
# Again we compare split by split, and add one arm: *from scratch* with four times the steps.

# %%
short = {"arm": "from scratch", "size": 64, "steps": 150}
tuned = {"arm": "fine-tuning"}
for name, pair in {
    "fine-tuning − from scratch": (tuned, short),
    "from scratch, 600 steps − 150": ({**short, "steps": 600}, short),
    "from scratch, 600 steps − fine-tuning": ({**short, "steps": 600}, tuned),
    "small CNN − fine-tuning": ({"arm": "small CNN"}, tuned),
}.items():
    print("{}: {:+.1f} points, standard error {:.1f}".format(name, *difference(grain_runs, *pair)))

# %% [markdown]
# Three things follow, for this task and these budgets:
#
# 1. **The old weights save steps**, even for pictures that are very different from ImageNet's.
#    After 150 steps the same network is right on 92.4 % with them and on 74.3 % without. With four
#    times the steps *from scratch* has caught up. (How far fine-tuning would come with as many, we
#    didn't try.)
# 2. **Frozen *late* features do badly**: 33.9 % in this size, and 44.5 % in 128×128. Frozen *early*
#    features did well above (conv1: 81.4 %, in 128×128). So it matters where to cut, and whether
#    the weights may move.
# 3. **Another network does still better.** The small network, from random weights, is right on 99.3
#    %. This experiment doesn't show why. The network has batch norm, far fewer weights, and
#    pictures of a size that suits it.
#
# A warning: with another number of steps or another rate for one of them, the order may change.
# **Before you compare results, compare budgets**: steps, rates, augmentation, the size of the
# pictures.
#
# And pretrained isn't *always* better. On two large medical tasks ImageNet's weights gained little
# (Raghu and others, 2019). On COCO (objects to be found, with boxes) a network with random weights
# becomes as good, if it trains long enough (He, Girshick and Dollár, 2019).
#
# ## Freeze, fine-tune, or in between
#
# Back to the photographs. How may the old weights change while the new head learns? *Frozen*: not
# at all. *Fine-tuning*: all of them learn. *Discriminative rates*: the earlier a layer, the slower
# it learns. In PyTorch, you freeze layers with `requires_grad_(False)`. For different learning
# rates you give the optimiser a list, with an entry for each group of layers:

# %%
ours.features.requires_grad_(False)  # frozen: no gradients, no change
trained = [name for name, p in ours.named_parameters() if p.requires_grad]
print("frozen body:", trained)

# %%
from course_utils.training import discriminative_rates

ours.features.requires_grad_(True)
groups = discriminative_rates(ours, head=3e-3, body=3e-4, factor=0.7)
for name, group in zip(["head", *reversed(LAYERS)], groups, strict=True):
    print(f"{name:5}: {sum(p.numel() for p in group['params']):7,} weights, rate {group['lr']:.1e}")

# %% [markdown]
# Six ways, in pictures of 96×96, with ten of each class. (*Head only* is the frozen network too,
# its head trained by gradient descent.) The five that are trained step by step get 100 steps
# each, with mirrored and shifted pictures. The rate of each is the best of three, chosen on other
# splits. In *fine-tuning* and
# with *discriminative* rates the head learns ten times as fast as the body's last layer.

# %%
at_96 = [run for run in photographs if run.size == 96 and run.per_class == 10]
ways = summarise(at_96, "arm")
for name, (mean, spread) in ways.items():
    by, error = difference(at_96, {"arm": name}, {"arm": "frozen"})
    print(f"{name:14}: {mean:.1f} % ± {spread:.1f}; minus frozen {by:+.1f}, error {error:.1f}")

# %% folded=true
show_bars(
    {"balanced accuracy, %": {name: mean for name, (mean, _) in ways.items()}},
    alt="Bars of balanced accuracy with ten pictures of each class: four ways that start from "
    "ImageNet's weights are equal, the small network is lower, SqueezeNet from scratch the lowest.",
)

# %% [markdown]
# The four ways with ImageNet's weights are nearly equal: none differs from *frozen* by two standard
# errors. So this can't rank them. It shows that *with so few pictures* the cheapest way, frozen,
# isn't left behind. The same network *from scratch* reaches 29.6 %, for 0.7 million weights and 80
# pictures. So in this budget the old weights are worth 33 points. (More steps may help *from
# scratch*, as on grain.)
#
# Rule of thumb: train the head on the frozen network first; if you have enough data, then train the
# body too, with a small rate. At first the new head is random, so its gradients are useless for the
# body and make its features worse. That costs accuracy mostly on pictures unlike the training
# pictures (Kumar and others, 2022). If the body has batch norm and you freeze it, call `.eval()` on
# it as well; otherwise its running means change with every new batch.
#
# **Think.** You have 100,000 labelled pictures of your own task. Which of these ways would you try
# first, and what would you expect from the others?
#
# <details><summary>An answer</summary>
#
# Fine-tuning: there are enough data to train all weights, and the pretrained start costs nothing.
# From scratch may come near, after a longer training.
#
# </details>

# %%
ask("which_way")

# %% [markdown]
# ## From names to boxes
#
# A detector gives a name and a **box**: left, top, right, bottom, in pixels. When is a box right?
# It doesn't have to be exact to the pixel. **Intersection over union** (IoU) compares two boxes:
# the area that they share, divided by the area that they cover together. It is 1 for the same box,
# and 0 for boxes that don't touch. In this example it is 12 / 36 = 0.33:

# %% folded=true
from matplotlib.patches import Rectangle

figure, ax = new_figure(3.2, 2.0)
for (left, top), color in (((0, 0), "blue"), ((2, 1), "left over")):
    ax.add_patch(Rectangle((left, top), 6, 4, fill=False, edgecolor=COLORS[color], linewidth=3))
ax.add_patch(Rectangle((2, 1), 4, 3, facecolor=COLORS["window"], alpha=0.5))
for x, y, words in ((4, 2.5, "shared\n4 · 3 = 12"), (4, 5.7, "together 24 + 24 − 12 = 36")):
    ax.text(x, y, words, ha="center", va="center", fontsize=9)
ax.set(xlim=(-0.3, 8.3), ylim=(6.1, -0.3), aspect="equal")
ax.set_axis_off()
show(figure, alt="Two boxes of 6 by 4 overlap; the area that they share, 4 by 3, is coloured.")

# %% [markdown]
# The function computes the edges of the shared area first:


# %%
def iou(one, other):
    """Intersection over union of two boxes (left, top, right, bottom)."""
    left, top = max(one[0], other[0]), max(one[1], other[1])
    right, bottom = min(one[2], other[2]), min(one[3], other[3])
    shared = max(0, right - left) * max(0, bottom - top)  # 0 where they don't touch
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return shared / (sum(areas) - shared)


# %%
from course_utils.scenes import street

scene = street()
bus = scene.boxes["bus"]
guesses = {"a": (110, 100, 222, 142), "b": (60, 84, 204, 148), "c": (130, 60, 300, 150)}
matches = {name: iou(box, bus) for name, box in guesses.items()}
print({name: f"IoU {match:.2f}" for name, match in matches.items()})

# %% folded=true
titled = {f"{name}: IoU {matches[name]:.2f}": box for name, box in guesses.items()}
show_boxes(
    scene.image,
    {"the bus": bus, **titled},
    alt="A street with a bus in its box, and three guesses: a is too small, b is too "
    "large and too far to the left, c reaches far to the right and above.",
)

# %% [markdown]
# Usually a box counts as found if its IoU is at least 0.5 and its name is right; the data set COCO
# uses several limits, from 0.5 to 0.95, and takes the mean. Here a and b would count at 0.5, and c
# wouldn't.

# %%
ask("overlap")

# %% [markdown]
# Boxes are expensive, because a person must draw each of them. So detection sets are small, and a
# detector's **backbone** (the convolutions that make the maps) is nearly always pretrained for
# classification, because there are a million pictures with labels. Only the layers that predict
# boxes start with random weights. On COCO a random start catches up, even with a tenth of its
# pictures. With only a thousand pictures it doesn't (He, Girshick and Dollár, 2019). So for a small
# set with boxes, begin with a pretrained backbone: a *rule of thumb* with much evidence.

# %% [markdown]
# ## Which data set should it have learned from?
#
# Suppose the same network was trained on five different data sets. From which one do you start?
# Here are four of them; the fifth is a set of medical pictures, often fewer than 10,000.

# %%
sources = {  # training pictures, classes, labels
    "ImageNet (2012)": (1_281_167, 1000, "one a picture"),
    "Pascal VOC (2012)": (11_540, 20, "boxes (with the validation set)"),
    "CIFAR-10": (50_000, 10, "one a picture"),
    "MS-COCO (2017)": (118_287, 80, "boxes and outlines"),
}
for name, (pictures_of, kinds, labels_of) in sources.items():
    share = f"{pictures_of // kinds:,} a class"
    print(f"{name:17} {pictures_of:9,} in {kinds:5,} classes, {share:13} {labels_of}")

# %% [markdown]
# (In VOC and COCO a picture may count for several classes; in ImageNet a class has from 732 to
# 1,300 training pictures. CIFAR-10 is no subset of ImageNet: it was drawn from *80 Million Tiny
# Images*.)
#
# First you must say what your own task, the **target**, is. For example: *find everyday things in
# photographs, with boxes, a few classes, a few hundred pictures.*
#
# - **MS-COCO**, as a detector: same task, similar pictures, and we can keep its box layers. Rule of
#   thumb.
# - **ImageNet** for the backbone otherwise: the default for photographs. A detector on VOC becomes
#   only a little worse (1.5 of 100 points) if its backbone saw half of ImageNet's pictures, and 2.8
#   points with 127 classes instead of 1,000 (Huh and others, 2016). That it is a good default is
#   settled. Whether it is needed is contested.
# - **Pascal VOC** is like your target, but small: better as a second step.
# - The pictures of **CIFAR-10** are too small (32×32 pixels), and **medical pictures** too
#   different. Rule of thumb.
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
# You have seen measurements for the upper row, one task for each cell. On grain, earlier features
# were better than late ones, as it says. Fine-tuning reached more still, but in smaller pictures
# and with augmentation, so the budgets weren't equal.
#
# ## Where does it look?
#
# **Grad-CAM** (Selvaraju and others, 2017) asks which places of a picture speak for a class. It has
# three steps:
#
# 1. The last layer gives 512 maps. For each map we ask: if all its numbers grow a little, how much
#    does the output of the class grow? This is the map's weight, a mean slope (lecture 5).
# 2. Multiply each map by its weight, and add all maps.
# 3. Set negative numbers to zero. Where the result is large, the picture speaks for the class.


# %%
def grad_cam(image, name):
    maps = network.features(preprocess(image)).detach().requires_grad_()
    output = network.classifier(maps)[0, imagenet_classes().index(name)]
    (slopes,) = torch.autograd.grad(output, maps)
    weights = slopes.mean((2, 3), keepdim=True)  # 1: one weight for each map
    heat = (weights * maps).sum(1, keepdim=True)  # 2
    heat = F.relu(heat).detach()  # 3
    return F.interpolate(heat / heat.max(), size=224, mode="bilinear")[0]


# %% folded=true
def look(name, label):
    return square(name) / 255 * (0.2 + 0.8 * grad_cam(load_photograph(name), label))


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
# Look at the rocket. For its first, wrong answer *beacon* the tip and the sky around it are
# bright. For *missile* the whole rocket is bright, and a tower beside it.
#
# Such maps are coarse: 13×13, enlarged. They suggest where the evidence lies, not what it is. To be
# sure, hide that place and ask again.
#
# ## Other backbones
#
# `backbone("vgg16")` of `course_utils.models` loads VGG-16 with ImageNet's weights; it downloads
# 553.4 MB, once. It takes any name of torchvision's. The weights say how good they are on
# ImageNet's validation pictures. (The course's SqueezeNet has its authors' weights, not
# torchvision's.)

# %%
from torchvision.models import get_model_weights

for name in ("squeezenet1_1", "alexnet", "vgg16", "resnet18"):
    meta = get_model_weights(name).IMAGENET1K_V1.meta
    top = meta["_metrics"]["ImageNet-1K"]
    megabytes = meta["_file_size"] * 1.048576
    print(f"{name:13}: {megabytes:5.1f} MB, top-1 {top['acc@1']:.1f} %, top-5 {top['acc@5']:.1f} %")

# %% [markdown]
# Within one family the larger network is usually better on ImageNet. Between families it needn't
# be: AlexNet's file is about fifty times as large as SqueezeNet's, and AlexNet is worse. Networks
# that are better there are usually better after transfer, too (Kornblith and others, 2019: a *rule
# of thumb*). For frozen features it depends much on how the network was trained, and on data unlike
# web photographs the rule often fails (Fang and others, 2023).

# %% [markdown]
# ## Code it yourself
#
# Replace the three dots `...` in the next cell with your code. Run that cell and the cell below it,
# which checks your answer. Nothing is recorded.
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
# **2.** Which of several boxes fits best? Use `iou` from above. `boxes` is a dictionary from names
# to boxes, for instance `{"a": (110, 100, 222, 142)}`. A hint: `max(boxes, key=…)`.


# %%
def best_match(truth, boxes):
    """The name of the box in `boxes` with the largest IoU with `truth`."""
    return ...  # your code here


# %%
got = [best_match(box, guesses) for box in (bus, (140, 60, 290, 150), (60, 84, 200, 140))]
print("right" if got == ["a", "c", "b"] else f"not yet: a, c and b fit best, you say {got}")

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
# - With transfer learning you need fewer data: here a frozen network with two pictures of each
#   class was better than *another* network, from scratch and in smaller pictures, with ten. It
#   needs pictures that aren't far too small for the old weights.
# - It also saves steps: on grain, the same network from scratch had caught up after four times as
#   many (we didn't look in between). A fair comparison is one network, with and without the old
#   weights, in one budget.
# - Early layers are more general than late ones (*settled*, Yosinski and others; our experiment
#   shows only that early ones are cheap). Where to cut depends on your task.
# - Compare budgets before results: steps, rates, augmentation, the size of the pictures.
# - Where classes are unequal, look at balanced accuracy; and never split near twins.
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
# - S. Kornblith, J. Shlens and Q. Le, *Do better ImageNet models transfer better?*, 2019; A. Fang,
#   S. Kornblith and L. Schmidt, *Does progress on ImageNet transfer to real-world datasets?*, 2023.
# - A. Kumar and others, *Fine-tuning can distort pretrained features and underperform
#   out-of-distribution*, 2022.
# - Stanford CS231n, *Transfer learning* (course notes).
# - A. Azulay and Y. Weiss, *Why do deep convolutional networks generalize so poorly to small image
#   transformations?*, 2018; R. Zhang, *Making convolutional networks shift-invariant again*, 2019.
# - D. Yamins and others, *Performance-optimized hierarchical models predict neural responses in
#   higher visual cortex*, 2014; H.-Y. Miao and F. Tong, *Convolutional neural network models
#   applied to neuronal responses in macaque V1 reveal limited nonlinear processing*, 2024.
# - R. Selvaraju and others, *Grad-CAM*, 2017.
# - O. Russakovsky and others, *ImageNet large scale visual recognition challenge*, 2015; L. Liu and
#   others, *Deep learning for generic object detection: a survey*, 2020, table 3 (VOC, COCO);
#   A. Krizhevsky, *Learning multiple layers of features from tiny images*, 2009.
# - K. Simonyan and A. Zisserman, *Very deep convolutional networks for large-scale image
#   recognition*, 2014: VGG. F. Iandola and others, *SqueezeNet*, 2016.
# - Stamps from Tux Paint, photographs from scikit-image; `course_utils/assets/README.md` has the
#   licences. `course_utils/results/` has the runs, and says how they were made.
