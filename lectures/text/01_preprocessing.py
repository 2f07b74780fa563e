# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 1 · Preprocessing
#
# A network that works, and yet up to half of its right answers are gone. The network isn't broken;
# its pictures reach it in the wrong form. Between the file and the first layer lie a few lines of
# code that nobody looks at. In this lecture we look.
#
# **You will be able to**
#
# - say what a labelled batch is, and why all its pictures must have one size;
# - choose between squashing, cropping and padding, and shrink a picture without inventing patterns;
# - normalise as the weights expect it, and recognise from the answers that somebody didn't;
# - choose augmentations that keep the label, and check that they help;
# - keep test pictures out of training, also by the back door.
#
# **Time**: 50 minutes, with the explorer. **You need**: tensors and their shapes.
# **Exercise**: `ps1_preprocessing`.
#
# Claims are labelled: *settled* (arithmetic, or agreed on), *contested* (good people disagree),
# *rule of thumb* (often true; check it).
#
# **Where we are.** Lecture 0 showed a photograph as numbers, and what a network says about it. This
# lecture is the way from the file to the network. Lecture 2 goes into its first layer.
#
# **Before you begin**, three questions about lecture 0. Answer them before you open the fold.
#
# 1. What shape does a colour photograph have as a tensor?
# 2. You show a network a thing that none of its classes fits. What does it answer?
# 3. Where in the numbers is the outline of a cat?
#
# <details><summary>Answers</summary>
#
# 1. (channels, rows, columns), with three channels: red, green and blue.
# 2. One of its classes all the same, perhaps with much confidence. It can't say "none of these".
# 3. In no single number. It is in how numbers differ from their neighbours.
#
# </details>

# %%
import torch
import torch.nn.functional as F
from torch import nn

from course_utils.data import load_photograph, load_stamps, split_per_class
from course_utils.models import IMAGENET_MEAN, IMAGENET_STD, preprocess, squeezenet, top_k
from course_utils.plots import show_bars, show_pictures
from course_utils.quiz import ask

_ = torch.manual_seed(0)

# %% [markdown]
# ## Recap: classification
#
# **Given** colour images, each with a label, **find** a function that gives new images of the same
# kind the right label. The course carries a small data set: pictures of things on white.

# %%
stamps = load_stamps()
first_of_each = {
    name: (stamps.labels == i).nonzero()[2].item() for i, name in enumerate(stamps.classes)
}
show_pictures(
    {
        f"{name} ({label})": stamps.images[i]
        for label, (name, i) in enumerate(first_of_each.items())
    },
    alt="Eight small pictures on white, one of each class, with the class's name and number: "
    "bird, flower, fruit, household, mammal, roadsign, vegetable and vehicle.",
    columns=4,
)

# %% [markdown]
# To the computer, a label is a whole number and an image is a block of numbers: three *channels*
# (red, green, blue), rows, columns. Each number is a byte, from 0 to 255.

# %%
print("images:", tuple(stamps.images.shape), stamps.images.dtype)
print("labels:", tuple(stamps.labels.shape), stamps.labels[:6].tolist(), "…")
print("from", stamps.images.min().item(), "to", stamps.images.max().item())

# %% [markdown]
# Networks eat images in **batches**, stacked along a new first axis: `(N, C, H, W)` in PyTorch.
# A batch keeps the processor busy, and averages the gradient over several examples.

# %%
batch, labels = stamps.images[:16], stamps.labels[:16]
print("a batch:", tuple(batch.shape), "with labels", tuple(labels.shape))

# %% [markdown]
# Before you trust any accuracy, compare it with the simplest answer there is: always the most
# frequent class, whatever the picture.

# %%
counts = stamps.labels.bincount()
print(dict(zip(stamps.classes, counts.tolist(), strict=True)))
print(f"always “mammal”: {100 * counts.max() / counts.sum():.1f} % right")

# %% [markdown]
# ## Resize: make the inputs uniform
#
# Photographs come in all shapes. But a batch is one tensor, so all its pictures need one shape:

# %%
cat, coffee = load_photograph("cat"), load_photograph("coffee")
print(tuple(cat.shape), tuple(coffee.shape))
try:
    torch.stack([cat, coffee])
except RuntimeError as error:
    print(error)

# %% [markdown]
# A difference of one pixel is enough for this error. (A convolution itself would take any size. The
# batch needs one size, and so does a dense layer after the convolutions.)
#
# A wide picture becomes a square in three ways: **squash** it, **crop** the middle, or **pad** the
# short sides. Each has a price.


# %%
def resize(image, height, width, **options):
    """A picture in 0..1, resized; bilinear with antialiasing, unless told otherwise."""
    options = {"mode": "bilinear", "antialias": True} | options
    return F.interpolate(image[None] / 255, size=(height, width), **options)[0]


# %%
squashed = resize(cat, 224, 224)
wide = resize(cat, 224, 224 * cat.shape[2] // cat.shape[1])
left = (wide.shape[2] - 224) // 2
cropped = wide[:, :, left : left + 224]
low = resize(cat, 224 * cat.shape[1] // cat.shape[2], 224)
above = (224 - low.shape[1]) // 2
padded = F.pad(low, (0, 0, above, 224 - low.shape[1] - above))

# %%
show_pictures(
    {"squash": squashed, "crop": cropped, "pad": padded},
    alt="The cat three times as a square: squashed, its face is too narrow; cropped, its "
    "shape is right but an ear is cut off; padded, all is there between two black bars.",
)
lost = 1 - 224 / wide.shape[2]
empty = 1 - low.shape[1] / 224
print(f"crop: {100 * lost:.0f} % of the picture is cut off")
print(f"pad : {100 * empty:.0f} % of the square is empty")
print(f"squash: shapes become {cat.shape[2] / cat.shape[1]:.1f} times as narrow")

# %% [markdown]
# Crop is the usual choice for photographs, whose subject is in the middle (*rule of thumb*). It is
# a bad one where the answer may be at the edge, in an X-ray for instance; there, pad.
#
# ### Making it larger: interpolation
#
# What colour does a pixel get that falls between two others? *Nearest* copies the closer one.
# *Bilinear* mixes the four around it, by distance. For one row of two pixels, black and white:

# %%
two = torch.tensor([[[0.0, 255.0]]])
print("nearest :", resize(two, 1, 8, mode="nearest", antialias=False).flatten().tolist())
print("bilinear:", resize(two, 1, 8).flatten().tolist())

# %% [markdown]
# ### Making it smaller: antialias
#
# Here is the trap. Take the finest pattern that there is, stripes one pixel wide, and make it half
# as large by keeping every second column.

# %%
stripes = torch.zeros(1, 64, 64)
stripes[:, :, 1::2] = 255
every_second = resize(stripes, 64, 32, mode="nearest", antialias=False)
other_half = resize(stripes.roll(1, 2), 64, 32, mode="nearest", antialias=False)
smooth = resize(stripes, 64, 32)
print("mean of the stripes       :", (stripes / 255).mean().item())
print("every second column       :", every_second.mean().item())
print("the same, one pixel beside:", other_half.mean().item())
print("with antialias            :", round(smooth[:, :, 2:-2].mean().item(), 3))

# %% [markdown]
# Grey stripes became all black; moved by one pixel they become all white. That is *aliasing*. What
# is too fine for the new grid doesn't disappear. It returns as a pattern that wasn't there
# (settled). The remedy is to blur first, which is what `antialias=True` does. On a pattern of rings
# that grow finer you can see the ghosts:

# %%
across = torch.linspace(-1, 1, 256)
radius = across[:, None] ** 2 + across[None, :] ** 2
rings = (127.5 + 127.5 * torch.cos(180 * radius)).expand(3, -1, -1)
show_pictures(
    {
        "256 pixels": rings / 255,
        "64, nearest": resize(rings, 64, 64, mode="nearest", antialias=False),
        "64, bilinear": resize(rings, 64, 64, antialias=False),
        "64, antialias": resize(rings, 64, 64),
    },
    alt="Concentric rings, finer towards the edge. At 64 pixels without antialias new sets of "
    "rings appear where there were none; with antialias the fine rings fade into even grey.",
)

# %% [markdown]
# **Think.** `F.interpolate` has antialias off unless you ask. Pillow's filters always have it, all
# but NEAREST. OpenCV's default has none. You train with one and serve with another. What will you
# see?
#
# <details><summary>An answer</summary>
#
# No error, and slightly other pixels: edges and textures differ, and accuracy drops a little for no
# visible reason. Use one library on both sides, or compare a resized picture number by number.
#
# </details>

# %%
ask("crop_or_pad")

# %% [markdown]
# ## Normalise: from 0–255 to 0–1, and to what the network knows
#
# Dividing by 255 brings bytes into 0 to 1. Most networks then subtract a mean and divide by a
# standard deviation, **for each channel**:
#
# $$z_c = \frac{x_c / 255 - \mu_c}{\sigma_c}$$
#
# For training the reason is simple: inputs around zero, of about unit size, keep the first layer's
# gradients in a good range (*settled* as a habit; batch norm makes it matter less). A *trained*
# network has a second, harder reason: its weights are made for these numbers and no others.

# %%
mean = torch.tensor(IMAGENET_MEAN).view(3, 1, 1)
std = torch.tensor(IMAGENET_STD).view(3, 1, 1)
by_hand = (cropped - mean) / std
print("by hand equals preprocess:", torch.allclose(by_hand, preprocess(cat)[0], atol=1e-5))
print("mean of each channel:", [round(m.item(), 2) for m in by_hand.mean((1, 2))])
print("std of each channel :", [round(s.item(), 2) for s in by_hand.std((1, 2))])

# %%
ask("normalised_value")

# %% [markdown]
# The cat isn't at zero: $\mu$ and $\sigma$ are those of ImageNet's training set, and the cat is
# redder than the average photograph. That is how it should be. Never normalise a picture by its
# own mean and standard deviation if the network wasn't trained so.
#
# ### What goes wrong with the wrong one
#
# Now the real network: SqueezeNet, trained on ImageNet. First with everything right.

# %%
network = squeezenet()


@torch.no_grad()
def answer(images):
    return [(name, f"{100 * p:.1f} %") for name, p in top_k(network(images), k=3)]


print("right         :", answer(preprocess(coffee)))

# %% [markdown]
# And with red and blue swapped. OpenCV reads files as blue, green, red; nearly all others as red,
# green, blue. `flip(0)` turns the channels around.

# %%
print("red ↔ blue    :", answer(preprocess(coffee.flip(0))))

# %% [markdown]
# It still says espresso, but its confidence fell from 98.7 % to 44.6 %. No error, no warning: the
# shapes fit. You can look at it, though, and so you should. *Always look at what goes in.*

# %%
show_pictures(
    {"red, green, blue": coffee, "blue, green, red": coffee.flip(0)},
    alt="A red cup of espresso on a brown wooden table; beside it the same with red and blue "
    "swapped: cup and table are blue.",
    columns=3,
)

# %% [markdown]
# One picture proves little. ImageNet has a class for 91 of our stamps; let us count on all of them
# how often the network's first answer is right.

# %%
named = [i for i, names in enumerate(stamps.imagenet) if names]
pictures = stamps.images[named]
raw = F.interpolate(pictures / 255, size=224, mode="bilinear", antialias=True)
print(len(named), "pictures, for instance", sorted(stamps.imagenet[named[0]]))


# %%
@torch.no_grad()
def measure(images):
    """Share of right first answers and mean confidence, in percent; which ones were right."""
    best = [top_k(logits, k=1)[0] for part in images.split(13) for logits in network(part)]
    hits = [name in stamps.imagenet[i] for i, (name, _) in zip(named, best, strict=True)]
    return 100 * sum(hits) / len(hits), 100 * sum(p for _, p in best) / len(best), hits


# %%
results = {"right": measure((raw - mean) / std)}
results["red ↔ blue"] = measure((raw.flip(1) - mean) / std)
for name, (correct, confidence, _) in results.items():
    print(f"{name:12}: {correct:.1f} % right, on average {confidence:.1f} % sure")

# %%
results["0–1 only"] = measure(raw)
results["0–255"] = measure(raw * 255)
for name in ("0–1 only", "0–255"):
    print(f"{name:12}: {results[name][0]:.1f} % right, on average {results[name][1]:.1f} % sure")
too_large = (raw * 255).max() / ((raw - mean) / std).max()
print(f"the largest number of 0–255 is {too_large:.0f} times what it should be")

# %%
show_bars(
    {
        "right first answers, %": {name: result[0] for name, result in results.items()},
        "mean confidence, %": {name: result[1] for name, result in results.items()},
    },
    alt="Two bar charts. Right first answers: 51.6 % with the right preprocessing, 26.4 % with red "
    "and blue swapped, 28.6 % with 0–1 only, 37.4 % with 0–255. Mean confidence: 63.5, 53.2, 17.9 "
    "and 99.7 %.",
)

# %% [markdown]
# Three lessons, and the third is the one that costs money.
#
# 1. Each slip takes a quarter to a half of the right answers, and none raises an error.
# 2. **0–1 only**: the contrast is too low, and the network is unsure of everything (17.9 %).
# 3. **0–255**: the numbers are up to 97 times too large, and it is 99.7 % sure, mostly of something
#    wrong. *High confidence is no proof that the input was right* (settled). Low confidence, as in
#    the second lesson, is at least a warning.
#
# How exact are these shares? With 91 pictures the standard error of one share is about

# %%
share = results["right"][0] / 100
print(f"± {100 * (share * (1 - share) / len(named)) ** 0.5:.1f} points")

# %% [markdown]
# But here two ways see the *same* pictures, so we can compare them picture by picture. How many
# right answers does a slip lose, and how many does it win?


# %%
def lost_and_won(images_right):
    before = results["right"][2]
    lost = sum(was and not now for was, now in zip(before, images_right, strict=True))
    return lost, lost + sum(images_right) - sum(before)


for name in ("red ↔ blue", "0–1 only", "0–255"):
    print(name, "loses and wins:", lost_and_won(results[name][2]))

# %% [markdown]
# If a change were as likely to help as to hurt, it would lose about as many as it wins. With red
# and blue swapped it loses 24 and wins 1. Chance doesn't do that, so this gap is real. A gap of a
# few pictures, such as 5 lost and 3 won, would prove nothing. (That even the right way reaches only
# 51.6 % is because of the pictures: cut out, on white, enlarged. ImageNet's photographs look
# different.)
#
# **Think.** A colleague's model gives 50 % where the paper has 70 %. The weights load without an
# error. What do you check first, in which order?
#
# <details><summary>An answer</summary>
#
# Show the picture as the network gets it (channels, crop). Print its minimum, maximum and mean.
# Compare with the preprocessing that came *with the weights*. Then `model.eval()`.
#
# </details>

# %%
ask("sure_and_wrong")

# %% [markdown]
# ## Augment: changes that keep the label
#
# A mirrored mammal is a mammal. If we know that, let us say so: show the network a slightly
# different version each time. We pay nothing for new labels, and it learns what doesn't matter.


# %%
def mirror(image):
    return image.flip(2)


def crop(image):
    return resize(image[:, 10:106, 22:118], 128, 128) * 255


def brighten(image):
    return (image * 1.4).clamp(0, 255)


def top_to_bottom(image):
    return image.flip(1)


# %%
for caption in ("A beaver.", "An “Arrow” sign."):
    image = stamps.images[stamps.captions.index(caption)].float()
    changed = [change(image) / 255 for change in (mirror, crop, brighten, top_to_bottom)]
    titles = ["mirrored", "cropped", "brighter", "top to bottom"]
    show_pictures(
        {caption: image / 255} | dict(zip(titles, changed, strict=True)),
        alt=f"{caption} Then the same mirrored, cropped, brighter and flipped top to bottom.",
        columns=5,
    )

# %% [markdown]
# Which of them keep the label? It depends on the **task**, not on the picture. Mirrored, an animal
# stays what it is, but *turn left* becomes *turn right*, and a 2 is no longer a digit. Whoever
# augments must know what the label means. (The last picture is *flipped* top to bottom. That isn't
# the picture turned by half: a half turn also exchanges left and right.)
#
# A change can also keep the label for you and lose it for the network. Ask ours:

# %%
normal = (raw - mean) / std
others = {"mirrored": normal.flip(3), "flipped top to bottom": normal.flip(2)}
others["only moved by 2 pixels"] = normal.roll(2, 3)
changes = {name: measure(changed) for name, changed in others.items()}
for name, (correct, _, hits) in changes.items():
    print(f"{name:22}: {correct:.1f} % right; lost and won {lost_and_won(hits)}")

# %% [markdown]
# Mirrored pictures do no worse than the originals. Things face both ways in photographs, so the
# network has seen both. Here they even do better. But don't thank the mirror: pictures that are
# only moved by two pixels do about as well, so it seems to be a matter of position. (More on such
# shifts in lecture 4.) Flipped top to bottom many answers are lost, for a photograph of a dog on
# its head is rare. A network is about as invariant as its training data (rule of thumb).
#
# ## Play
#
# Change the picture, and the same network answers below. Drag the picture itself, or move it with
# the arrow keys. If you see an error instead, run the cell again.
#
# 1. How far can you turn the cat before it is no longer the first answer?
# 2. Does the espresso need its colours? (Saturation 0.) And the cat?
# 3. Find a change that you would never notice as a person, and that changes the first answer.
# 4. Press *At random* ten times: these are training examples. Would you label all of them the same?
#
# <details><summary>Answers</summary>
#
# 1. Very far: at nearly every angle the answer is some kind of cat, though the kind changes. Upside
#    down it is no cat any more. So a turn is no harmless change for this network.
# 2. Neither does. Both keep their first answer in grey. (The espresso's probability falls, though.)
# 3. There are many. Turn the cat clockwise by 15 degrees: it becomes a *tabby*, and for us nothing
#    has changed.
# 4. Look out for pictures in which the thing was moved out of sight or painted over. With such a
#    label you teach the network that grey squares are cats.
#
# </details>

# %%
from course_utils.interactives import AugmentationExplorer


@torch.no_grad()
def classify(picture):
    return top_k(network(preprocess(picture)))


def square(name):
    return (preprocess(load_photograph(name))[0] * std + mean).mul(255).round().byte()


explorer = AugmentationExplorer(
    {name: square(name) for name in ("cat", "coffee", "rocket")}, classify
)
explorer

# %% [markdown]
# Python sees what you see. Change something above and run this cell again:

# %%
show_pictures(
    {explorer.name: explorer.picture},
    alt="The picture as it is now set in the explorer: at first the cat, unchanged.",
    columns=4,
)
print(explorer.answer[0])

# %%
ask("keeps_the_label")

# %% [markdown]
# ### Does it help? A small ablation
#
# Claims about augmentation are cheap to make and cheap to test. We train a small network from
# scratch on ten stamps of each class, with and without it, on the same splits, and count right
# answers on the rest.

# %%
small = F.interpolate(stamps.images / 255, size=24, mode="bilinear", antialias=True)


def small_network():
    layers = [nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 8))


def as_it_is(images):
    return images


def mirror_and_move(images):
    chosen = torch.rand(len(images), 1, 1, 1) < 0.5
    down, right = torch.randint(-2, 3, (2,)).tolist()
    return torch.where(chosen, images.flip(3), images).roll((down, right), (2, 3))


# %% [markdown]
# Note where the augmentation is called: in the training loop, anew in every epoch, and never on the
# test pictures. And note where mean and deviation come from: the training pictures alone.


# %%
def train_and_test(augment, seed):
    torch.manual_seed(seed)
    train, test = split_per_class(stamps.labels, per_class=10, seed=seed)
    center, spread = small[train].mean((0, 2, 3)), small[train].std((0, 2, 3))
    images = (small - center.view(3, 1, 1)) / spread.view(3, 1, 1)
    model = small_network()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(60):
        loss = F.cross_entropy(model(augment(images[train])), stamps.labels[train])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    hits = model(images).argmax(1) == stamps.labels
    return [100 * hits[part].float().mean().item() for part in (train, test)]


# %%
def ablation(augment, seeds=(0, 1, 2)):
    runs = torch.tensor([train_and_test(augment, seed) for seed in seeds])
    each = ", ".join(f"{test:.0f}" for test in runs[:, 1].tolist())
    train, test = runs.mean(0).tolist()
    print(f"{augment.__name__:15}: train {train:.0f} %, test {test:.0f} % ({each})")
    return runs[:, 1]


without = ablation(as_it_is)

# %%
with_it = ablation(mirror_and_move)
print("gained, split by split:", [f"{gain:+.0f}" for gain in (with_it - without).tolist()])

# %% [markdown]
# Without augmentation the network knows its training pictures by heart and little else. With it,
# it does better on new ones. How much better depends on the split, and the splits themselves differ
# as much as the methods do. That is why we compare *on the same split*: with three runs, means
# alone would prove little. (The test pictures aren't balanced: about a third of them are mammals;
# see lecture 4.)
#
# That *some* augmentation helps when data are few is settled; *which* is best is not. It depends
# on the task, and searches for the best recipe often find that simple ones do as well (contested).

# %% [markdown]
# ## Leakage: test pictures by the back door
#
# The rule is simple: nothing may pass from the test set into training. Here is how it is broken
# with the best intentions: augment first, split afterwards.
#
# Our "network" is the simplest learner there is, and one that only remembers: it gives a new
# picture the label of the most similar training picture.


# %%
def nearest_neighbour(train_images, train_labels, test_images, test_labels):
    distances = torch.cdist(test_images.flatten(1), train_images.flatten(1))
    return 100 * (train_labels[distances.argmin(1)] == test_labels).float().mean().item()


both = torch.cat([small, small.flip(3)])  # each stamp, and its mirror image
both_labels = stamps.labels.repeat(2)

# %%
order = torch.randperm(240, generator=torch.Generator().manual_seed(0))
train, test = order[:120], order[120:]
train_twice = torch.cat([train, train + 240])
honest = nearest_neighbour(
    both[train_twice], both_labels[train_twice], small[test], stamps.labels[test]
)

order = torch.randperm(480, generator=torch.Generator().manual_seed(0))
train, test = order[:240], order[240:]
leaky = nearest_neighbour(both[train], both_labels[train], both[test], both_labels[test])
print(f"split, then augment: {honest:.1f} %")
print(f"augment, then split: {leaky:.1f} %")

# %% [markdown]
# The second figure is false. For about half of the test pictures the mirror image is among the
# training pictures, and a symmetrical thing is its own mirror image. Nobody cheated; the report
# would have been believed; the model is no better.
#
# The same leak comes in other clothes: several photographs of one patient, frames of one film, near
# twins, a mean computed over all pictures. The remedy is always the same: **split first, by the
# thing photographed, and only then do anything else** (settled).
#
# This course breaks the rule itself. Among our stamps are four gnus and five apples, and we split
# stamps at random, here and in later lectures. So near twins get on both sides, and our accuracies
# are a little too high. Strictly, all gnus belong on one side.
#
# **Think.** You crop nine patches out of each of 100 microscope slides, and split the patches at
# random. What does the test accuracy tell you?
#
# <details><summary>An answer</summary>
#
# How well the model recognises *slides* it has seen, with their stain and their patient. Split by
# patient, and expect less.
#
# </details>

# %%
ask("where_it_leaks")

# %% [markdown]
# ## Code it yourself
#
# Replace the three dots, and run both cells. Nothing is recorded.
#
# **1.** The simplest answer there is: what share of the pictures is right if one always says the
# most frequent class?


# %%
def share_of_the_largest(labels):
    """The share, from 0 to 1, of the most frequent label among whole numbers [N]."""
    return ...  # your code here


# %%
given, wanted = torch.tensor([2, 0, 2, 5, 2, 0, 2, 1]), 0.5
got = share_of_the_largest(given)
print("right" if got == wanted else f"not yet: for {given.tolist()} it is {wanted}, you say {got}")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# def share_of_the_largest(labels):
#     return (labels.bincount().max() / len(labels)).item()
# ```
#
# </details>

# %% [markdown]
# **2.** Back to bytes. A picture in 0..1 is to be saved as a file. What is below 0 becomes 0, what
# is above 1 becomes 255, and the rest is rounded to the nearest byte.


# %%
def to_bytes(image):
    """A picture of floats as uint8, of the same shape."""
    return ...  # your code here


# %%
given = torch.tensor([-0.2, 0.0, 0.499, 0.999, 1.0, 3.0])
wanted = torch.tensor([0, 0, 127, 255, 255, 255], dtype=torch.uint8)
got = to_bytes(given)
is_right = isinstance(got, torch.Tensor) and got.dtype == torch.uint8 and torch.equal(got, wanted)
print("right" if is_right else f"not yet: expected {wanted}, got {got}")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# def to_bytes(image):
#     return (255 * image.clamp(0, 1)).round().to(torch.uint8)
# ```
#
# </details>

# %% [markdown]
# ## Summary
#
# | step | why | what goes wrong |
# |---|---|---|
# | resize | one size for the batch | squashed shapes; aliasing without antialias |
# | crop or pad | keep the aspect ratio | the answer was at the edge |
# | 0–255 → 0–1 → $(x - \mu)/\sigma$ | what the weights were made for | silent: wrong, even sure |
# | augment, in training only | more than the data show | a label that doesn't survive |
# | split first | an honest test | twins on both sides |
#
# **Key points**
#
# - Wrong preprocessing raises no error. Look at what goes in, and know what the weights expect.
# - High confidence is no proof of a right input.
# - An augmentation is a claim about the task: this change doesn't change the label.
# - Compare on the same splits, picture by picture, and say how exact a figure is.
#
# **Now you:** in `ps1_preprocessing` you write these steps for real photographs.
# Next: `02_convolution_arithmetic`, what the first layer does with all this.
#
# ### Sources
#
# - The stamps are from Tux Paint, the photographs from scikit-image, and the weights from
#   F. Iandola and others, *SqueezeNet*, 2016; `course_utils/assets/README.md` has the licences.
# - O. Russakovsky and others, *ImageNet large scale visual recognition challenge*, 2015.
# - C. Shorten and T. Khoshgoftaar, *A survey on image data augmentation for deep learning*, 2019.
# - E. Cubuk and others, *RandAugment: practical automated data augmentation with a reduced search
#   space*, 2020; S. Müller and F. Hutter, *TrivialAugment: tuning-free yet state-of-the-art data
#   augmentation*, 2021: simple recipes that do as well as searched ones.
# - S. Kapoor and A. Narayanan, *Leakage and the reproducibility crisis in machine-learning-based
#   science*, 2023.
