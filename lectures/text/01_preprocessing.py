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
# A trained network can lose about half of its right answers although nothing in it is broken. The
# reason: its pictures reach it in the wrong form. A few lines of code bring a picture from the file
# to the network. This lecture explains these lines, and measures what each mistake costs.
#
# **You will be able to**
#
# - say what a labelled batch is, and why all its pictures must have one size;
# - choose between squashing, cropping and padding, and shrink a picture without inventing patterns;
# - normalise as the weights expect it, and recognise from the answers that somebody forgot to;
# - choose augmentations that keep the label, and check that they help;
# - divide pictures into training, validation and test set, and keep test pictures out of training.
#
# **Time**: 55 minutes, with the explorer. **You need**: tensors and their shapes, mean and standard
# deviation, and what a training step is (lecture 0). Lectures 2 and 3 explain the layers of the
# small network that we train; here you may treat it as a black box.
# **Exercise**: `ps1_preprocessing`.
#
# Claims are labelled: *settled* (arithmetic, or agreed on), *contested* (experts disagree),
# *rule of thumb* (often true; check it).
#
# **Where we are.** Lecture 0 showed a photograph as numbers, and what a network says about it. This
# lecture is the way from the file to the network. Lecture 2 goes into its first layer.
#
# **Before you begin**, three questions about lecture 0. Answer them before you click on
# *Answers*.
#
# 1. What shape does a colour photograph have as a tensor?
# 2. You show a network something that belongs to none of its classes. What does it answer?
# 3. Where in the numbers is the outline of a cat?
#
# <details><summary>Answers</summary>
#
# 1. (channels, rows, columns), with three channels: red, green and blue.
# 2. It still answers with one of its classes, perhaps with a high probability. It can't say "none
#    of these".
# 3. In no single number. It is in how numbers differ from their neighbours.
#
# </details>

# %%
import torch
import torch.nn.functional as F
from torch import nn

from course_utils.data import load_photograph, load_stamps, split_per_class
from course_utils.models import IMAGENET_MEAN, IMAGENET_STD, preprocess, squeezenet, top_k
from course_utils.plots import new_figure, show, show_bars, show_pictures
from course_utils.quiz import ask

_ = torch.manual_seed(0)

# %% [markdown]
# ## Recap: classification
#
# **Given** colour images, each with a label, **find** a function that gives new images of the same
# kind the right label. The course comes with a small data set: pictures of things on a white
# background. We call them *stamps*.

# %%
stamps = load_stamps()
print(len(stamps.images), "stamps of", len(stamps.classes), "classes")

# %% folded=true
shown = {}
for label, name in enumerate(stamps.classes):
    third = (stamps.labels == label).nonzero()[2].item()
    shown[f"{name} ({label})"] = stamps.images[third]
show_pictures(
    shown,
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
# A network gets several images at once, a **batch**. They are stacked along a new first axis. In
# PyTorch its shape is `(N, C, H, W)`: number of images, channels, height (rows), width (columns).
# A batch uses the processor better than single images do. In training, the slopes of all weights
# (together they are called the **gradient**) are averaged over the images of the batch.

# %%
batch, labels = stamps.images[:16], stamps.labels[:16]
print("a batch:", tuple(batch.shape), "with labels", tuple(labels.shape))

# %% [markdown]
# The **accuracy** is the share of pictures whose answer is right. Before you trust one, compare it
# with the simplest method there is: it gives every picture the most frequent class.

# %%
counts = stamps.labels.bincount()
print(dict(zip(stamps.classes, counts.tolist(), strict=True)))
print(f"always “mammal”: {100 * counts.max() / counts.sum():.1f} % right")

# %% [markdown]
# ## Resize: make the inputs uniform
#
# Photographs have different sizes. But a batch is one tensor, so all its pictures must have the
# same size. The next cell tries to stack two photographs, and fails on purpose. Read the message:

# %%
cat, coffee = load_photograph("cat"), load_photograph("coffee")
print(tuple(cat.shape), tuple(coffee.shape))
try:
    torch.stack([cat, coffee])
except RuntimeError as error:
    print(error)

# %% [markdown]
# A difference of one pixel is enough for this error.
#
# There are three ways to make a square of a wide picture. **Squash** it. **Crop** the middle. Or
# **pad** it: shrink it until it fits into the square, and fill the rest with black. Each way has a
# disadvantage. (You will see below what `mode` and `antialias` do.)


# %%
def resize(image, height, width, mode="bilinear", antialias=True):
    """A picture in 0..1, in another size."""
    return F.interpolate(image[None], size=(height, width), mode=mode, antialias=antialias)[0]


# %%
squashed = resize(cat / 255, 224, 224)

# crop: bring the height to 224, then cut out the 224 columns in the middle
wide = resize(cat / 255, 224, 224 * cat.shape[2] // cat.shape[1])
left = (wide.shape[2] - 224) // 2
cropped = wide[:, :, left : left + 224]

# pad: bring the width to 224, then add black rows (left, right, above, below)
low = resize(cat / 255, 224 * cat.shape[1] // cat.shape[2], 224)
above = (224 - low.shape[1]) // 2
padded = F.pad(low, (0, 0, above, 224 - low.shape[1] - above))

# %% folded=true
show_pictures(
    {"squash": squashed, "crop": cropped, "pad": padded},
    alt="The cat three times as a square: squashed, its face is too narrow; cropped, its "
    "shape is right but an ear is cut off; padded, all is there between two black bars.",
)

# %%
lost = 1 - 224 / wide.shape[2]
empty = 1 - low.shape[1] / 224
print(f"crop: {100 * lost:.0f} % of the picture is cut off")
print(f"pad : {100 * empty:.0f} % of the square is empty")
print(f"squash: everything becomes {cat.shape[2] / cat.shape[1]:.1f} times narrower")

# %% [markdown]
# Cropping is the usual choice for photographs, because their subject is mostly in the middle (*rule
# of thumb*). Don't crop if the important part may be at the edge, as in an X-ray. Pad there.
#
# ### Making it larger: interpolation
#
# A larger picture has new pixels between the old ones. What colour do they get? *Nearest* copies
# the nearest old pixel. *Bilinear* takes a weighted mean of the four old pixels around it; nearer
# pixels count more. For one row of two pixels, black and white:

# %%
two = torch.tensor([[[0.0, 1.0]]])
print("nearest :", resize(two, 1, 8, mode="nearest", antialias=False).flatten().tolist())
print("bilinear:", resize(two, 1, 8).flatten().tolist())

# %% [markdown]
# *Nearest* makes a hard step from black to white, *bilinear* a ramp.
#
# ### Making it smaller: antialias
#
# Here is a common mistake. We take the finest pattern that there is, stripes one pixel wide, and
# make it half as large by keeping every second column.

# %%
stripes = torch.zeros(1, 64, 64)
stripes[:, :, 1::2] = 1
moved = stripes.roll(1, 2)  # all columns one place to the right
every_second = resize(stripes, 64, 32, mode="nearest", antialias=False)
other_half = resize(moved, 64, 32, mode="nearest", antialias=False)
smooth = resize(stripes, 64, 32)[:, :, 2:-2]  # without the columns beside the border
print("mean of the stripes        :", stripes.mean().item())
print("every second column        :", every_second.mean().item())
print("the same, moved by a column:", other_half.mean().item())
print("with antialias             :", round(smooth.mean().item(), 3))

# %% [markdown]
# From far away the stripes look grey (mean 0.5). The small picture is all black. If we move the
# stripes by one column first, it is all white. That is *aliasing*: a pattern that is too fine for
# the new grid doesn't disappear. It becomes another pattern, which isn't in the original (settled).
# To avoid this, blur the picture first; `antialias=True` does that. The next figure shows rings
# that become finer towards the edge. Look for rings that aren't in the original:

# %% folded=true
across = torch.linspace(-1, 1, 256)
squared_radius = across[:, None] ** 2 + across[None, :] ** 2
rings = (0.5 + 0.5 * torch.cos(180 * squared_radius)).expand(3, -1, -1)
show_pictures(
    {
        "256 pixels": rings,
        "64, nearest": resize(rings, 64, 64, mode="nearest", antialias=False),
        "64, bilinear": resize(rings, 64, 64, antialias=False),
        "64, antialias": resize(rings, 64, 64),
    },
    alt="Concentric rings, finer towards the edge. At 64 pixels without antialias new sets of "
    "rings appear where there were none; with antialias the fine rings fade into even grey.",
)

# %%
ask("every_second_column")

# %% [markdown]
# **Think.** Pillow and OpenCV are two libraries that read and resize images. Pillow uses antialias
# with every method but NEAREST; OpenCV's default method has none, and neither has `F.interpolate`
# unless you ask. You train with one library and use the network with another. What will you see?
#
# <details><summary>An answer</summary>
#
# No error, and slightly other pixels: edges and textures differ, and accuracy may drop a little for
# no visible reason. Use one library on both sides, or compare a resized picture number by number.
#
# </details>

# %%
ask("crop_or_pad")

# %% [markdown]
# ## Normalise: from 0–255 to 0–1, and to the numbers that the network expects
#
# Dividing by 255 brings bytes into 0 to 1. Most networks then subtract a mean and divide by a
# standard deviation, **for each channel**:
#
# $$z_c = \frac{x_c / 255 - \mu_c}{\sigma_c}$$
#
# Here $c$ is the channel and $x_c$ a number of it, from 0 to 255. The mean $\mu_c$ and the standard
# deviation $\sigma_c$ of each channel were once measured on some of ImageNet's training pictures,
# as numbers from 0 to 1. What matters is that use takes the same numbers as training. The network
# gets $z_c$.
#
# In training, inputs near zero with a spread of about 1 make the slopes neither very large nor very
# small, so one learning rate suits all weights (*rule of thumb*). A *trained* network has a second,
# stronger reason: it expects numbers like those that it was trained with. (Our network's weights
# were trained with another convention, and converted to this one.)
#
# `view(3, 1, 1)` makes the three means fit to (3, rows, columns): each channel gets its own.

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
# The means of the cat aren't 0: the cat is redder than the average photograph of ImageNet. This is
# correct. Don't normalise a picture by its own mean and standard deviation, unless the network was
# trained in this way.
#
# ### What happens with wrong preprocessing
#
# Now the real network: SqueezeNet, trained on ImageNet. First with everything right.
# (`@torch.no_grad()` above a function: nothing in it is trained.)

# %%
network = squeezenet()


@torch.no_grad()
def answer(images):
    return [(name, f"{100 * p:.1f} %") for name, p in top_k(network(images), k=3)]


print("right         :", answer(preprocess(coffee)))

# %% [markdown]
# Now we swap red and blue. The library OpenCV gives the channels in the order blue, green, red.
# Nearly all other libraries give red, green, blue. `flip(0)` turns the order of the channels
# around.

# %%
print("red ↔ blue    :", answer(preprocess(coffee.flip(0))))

# %% [markdown]
# It still says espresso, but its confidence fell from 98.7 % to 44.6 %. There is no error and no
# warning, because the shapes fit. But you can see the mistake if you show the picture. *Always look
# at what goes in.*

# %% folded=true
show_pictures(
    {"red, green, blue": coffee, "blue, green, red": coffee.flip(0)},
    alt="A red cup of espresso on a brown wooden table; beside it the same with red and blue "
    "swapped: cup and table are blue.",
    columns=3,
)

# %% [markdown]
# One picture proves little. For 91 of our stamps ImageNet has a fitting class. We count for how
# many of them the first answer is right.

# %%
named = [i for i, names in enumerate(stamps.imagenet) if names]
pictures = stamps.images[named]
raw = F.interpolate(pictures / 255, size=224, mode="bilinear", antialias=True)
print(len(named), "pictures, for instance", sorted(stamps.imagenet[named[0]]))


# %% [markdown]
# `measure` asks the network about all of them. It returns the share of right first answers and the
# mean confidence, both in percent, and for each picture whether its answer was right.


# %%
@torch.no_grad()
def measure(images):
    hits, confidence = [], []
    for i, image in zip(named, images, strict=True):
        name, p = top_k(network(image[None]), k=1)[0]
        hits.append(name in stamps.imagenet[i])
        confidence.append(100 * p)
    return 100 * sum(hits) / len(hits), sum(confidence) / len(hits), hits


# %%
results = {"right": measure((raw - mean) / std)}
results["red ↔ blue"] = measure((raw.flip(1) - mean) / std)  # in a batch, channels are axis 1
for name, (correct, confidence, _) in results.items():
    print(f"{name:12}: {correct:.1f} % right, on average {confidence:.1f} % sure")

# %%
results["0–1 only"] = measure(raw)
results["0–255"] = measure(raw * 255)
for name in ("0–1 only", "0–255"):
    print(f"{name:12}: {results[name][0]:.1f} % right, on average {results[name][1]:.1f} % sure")
too_large = (raw * 255).max() / ((raw - mean) / std).max()
print(f"the largest number of 0–255 is {too_large:.0f} times what it should be")

# %% folded=true
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
# We see three things. The third is the most dangerous.
#
# 1. Each mistake loses between a quarter and a half of the right answers, and none gives an error
#    message.
# 2. **0–1 only** (no mean, no standard deviation): the numbers lie between 0 and 1 instead of about
#    −2 to 2.6. They differ too little, and the network is unsure of most (17.9 % on average).
# 3. **0–255**: the largest number is 97 times what it should be, and the network is 99.7 % sure,
#    mostly of something wrong. *High confidence is no proof that the input was right* (settled).
#    Low confidence, as in the second point, is at least a warning.
#
# How exact are these shares? With 91 other pictures we would get a slightly different share. The
# **standard error** says how far such a share typically is from the share of *all* pictures of this
# kind. For a share $p$ of $n$ pictures it
# is $\sqrt{p (1 - p) / n}$:

# %%
share = results["right"][0] / 100
print(f"± {100 * (share * (1 - share) / len(named)) ** 0.5:.1f} points")

# %% [markdown]
# So a difference of a few points between two such shares means little. But here all ways of
# preprocessing get the *same* pictures, so we can compare picture by picture. How many pictures
# were right and are now wrong (lost)? How many were wrong and are now right (won)?


# %%
def lost_and_won(after):
    pairs = list(zip(results["right"][2], after, strict=True))
    lost = sum(was and not now for was, now in pairs)
    won = sum(now and not was for was, now in pairs)
    return lost, won


for name in ("red ↔ blue", "0–1 only", "0–255"):
    print(name, "loses and wins:", lost_and_won(results[name][2]))

# %% [markdown]
# If a change were as likely to help as to hurt, it would lose about as many as it wins. With red
# and blue swapped it loses 24 and wins 1. This can hardly be chance, so the difference is real. A
# difference of a few pictures, such as 5 lost and 3 won, would prove nothing.
#
# (Even with the right preprocessing only 51.6 % are right. That has several reasons. Our things are
# cut out, on white, and enlarged. Their position matters, as you will see. And on ImageNet's own
# photographs SqueezeNet is right on about 58 %.)
#
# **Think.** A colleague uses a model from a paper. The paper reports 70 % accuracy, but the
# colleague gets 50 %. The weights load without an error. What do you check first, in which order?
#
# <details><summary>An answer</summary>
#
# Show the picture as the network gets it (channels, crop). Print its minimum, maximum and mean.
# Compare with the preprocessing that came *with the weights*. Then check that `model.eval()` was
# called: some layers work differently in training and in use (lecture 3).
#
# </details>

# %%
ask("sure_and_wrong")

# %% [markdown]
# ## Augment: changes that keep the label
#
# A mirrored mammal is still a mammal. We can teach this to a network: each time it sees a picture,
# we change the picture a little. We need no new labels, and the network learns which changes don't
# matter. This is called **augmentation**.


# %%
def mirror(image):
    return image.flip(2)


def crop(image):
    return resize(image[:, 10:106, 22:118], 128, 128)


def brighten(image):
    return (image * 1.4).clamp(0, 1)


def top_to_bottom(image):
    return image.flip(1)


# %% folded=true
for caption in ("A beaver.", "An “Arrow” sign."):
    image = stamps.images[stamps.captions.index(caption)] / 255
    changed = [change(image) for change in (mirror, crop, brighten, top_to_bottom)]
    titles = ["mirrored", "cropped", "brighter", "top to bottom"]
    show_pictures(
        {caption: image} | dict(zip(titles, changed, strict=True)),
        alt=f"{caption} Then the same mirrored, cropped, brighter and flipped top to bottom.",
        columns=5,
    )

# %% [markdown]
# Which of them keep the label? It depends on the **task**, not on the picture. Mirrored, an animal
# stays what it is, but *turn left* becomes *turn right*, and a mirrored 2 isn't a digit any more.
# To choose an augmentation you must know what the label means. (The last picture is *flipped* top
# to bottom. This isn't the same as turning it by 180°: turning also exchanges left and right.)

# %%
ask("keeps_the_label")

# %% [markdown]
# For some changes you would still give the same label, but the network doesn't. We test ours:

# %%
normal = (raw - mean) / std
others = {"mirrored": normal.flip(3), "flipped top to bottom": normal.flip(2)}
others["only moved by 2 pixels"] = normal.roll(2, 3)
changes = {name: measure(changed) for name, changed in others.items()}
for name, (correct, _, hits) in changes.items():
    print(f"{name:22}: {correct:.1f} % right; lost and won {lost_and_won(hits)}")

# %% [markdown]
# Mirrored pictures do no worse than the originals. Things face both ways in photographs, so the
# network has seen both. Here they do even better, which may be chance. And mirroring needn't be the
# reason: pictures that are only moved by two pixels also do better (more on such shifts in
# lecture 4). Flipped top to bottom, many answers are lost, because photographs of
# upside-down dogs are rare. An answer that stays the same when the picture changes is called
# **invariant** to this change. A network is usually invariant only to changes that occur in its
# training data (rule of thumb).
#
# ## Play
#
# Run the next cell, and change the picture with the sliders. The network's answer appears below it.
# Drag the picture itself, or move it with the arrow keys. If you see an error instead, run the cell
# again.
#
# 1. How far can you turn the cat before the first answer is no kind of cat?
# 2. Does the espresso need its colours? (Saturation 0.) And the cat?
# 3. Find a change that wouldn't change *your* answer, and changes the network's.
# 4. Press *At random* ten times: these are training examples. Would you label all of them the same?
#
# <details><summary>Answers</summary>
#
# 1. Far. In steps of 15 degrees, the first answer is a cat at 22 of the 24 angles. Upside down it
#    is a bighorn, a sheep. So a turn isn't always harmless for this network.
# 2. Neither picture needs its colours: the first answer stays the same in grey. (The espresso's
#    probability falls, though.)
# 3. There are many. Turn the cat by 15 degrees: the answer becomes *tabby*. You notice the turn,
#    but for you it is the same cat.
# 4. In some pictures the thing has moved out of sight, or a grey square covers it. If you still
#    label them *cat*, the network learns that a grey square is a cat.
#
# </details>

# %% folded=true
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
# Python can read the settings of the explorer. Change something above and run this cell again:

# %%
print(explorer.name, "·", explorer.answer[0])

# %% folded=true
show_pictures(
    {explorer.name: explorer.picture},
    alt="The picture as it is now set in the explorer: at first the cat, unchanged.",
    columns=4,
)

# %% [markdown]
# ## Three parts of the data
#
# Does augmentation help? To find out, we must measure on pictures that the network has never seen.
# So we divide the pictures into parts, at random. That is called a **split**:
#
# - From the **training set** the network learns.
# - With the **validation set** we choose settings, such as the learning rate or the augmentation.
# - With the **test set** we measure once, at the end.
#
# The network never learns from the last two, so they tell us how it does on *new* pictures. Why two
# of them? Whoever tries many settings and keeps the best has adapted the settings to the validation
# set, and its accuracy is too good.

# %% folded=true
order = torch.randperm(240, generator=torch.Generator().manual_seed(0))
strips = {}
for name, first, last in (("training", 0, 10), ("validation", 10, 13), ("test", 13, 16)):
    strip = torch.cat(list(stamps.images[order[first:last]]), dim=2)
    strips[f"{name} set"] = F.pad(strip, (0, 128 * 10 - strip.shape[2]), value=255)
show_pictures(
    strips,
    alt="Three rows of stamps: ten in the training set, three in the validation set and three in "
    "the test set. No stamp is in two of them.",
    columns=1,
    inches=6,
)

# %% [markdown]
# ### Does it help? A small ablation
#
# An **ablation** trains twice, with and without one ingredient, and compares. We train a small
# network *from scratch* (with random weights at the start) on ten stamps of each class. We do it
# without and with augmentation, on the same training stamps, and test on the other stamps. We
# choose nothing, so we need no validation set.

# %%
small = F.interpolate(stamps.images / 255, size=16, mode="bilinear", antialias=True)


def small_network():
    layers = [nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 8))


# %% [markdown]
# The network has two convolutions (lecture 2) and a last layer with 8 outputs, a logit for each
# class. You needn't understand these lines yet. Here are the two ways to treat a batch:


# %%
def as_it_is(images):
    return images


def mirror_and_move(images):
    # mirror half of the pictures, chosen at random
    chosen = torch.rand(len(images), 1, 1, 1) < 0.5
    images = torch.where(chosen, images.flip(3), images)
    # move all by up to 2 pixels; what leaves on one side comes back on the other
    down, right = torch.randint(-2, 3, (2,)).tolist()
    return images.roll((down, right), (2, 3))


# %% [markdown]
# The training loop is that of lecture 0. Its loss is cross-entropy, $-\log$ of the probability that
# the right class got. *Adam* is a rule for the step; it chooses a step size for each weight
# (lecture 3). The augmentation is called inside the loop, so every epoch gets newly changed
# pictures. The test pictures are never changed.


# %%
def fit(model, images, labels, augment):
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)  # lr: the learning rate
    for _ in range(60):
        loss = F.cross_entropy(model(augment(images)), labels)  # how wrong it is
        optimizer.zero_grad()  # forget the old slopes
        loss.backward()  # compute the new ones
        optimizer.step()  # move every weight


# %% [markdown]
# The *seed* says which random numbers are drawn. The same seed gives the same split, so both ways
# get the same one. Mean and standard deviation come from the training pictures only.


# %%
def train_and_answer(augment, seed):
    """The training and the test stamps of a split, and a trained network's answers to all."""
    torch.manual_seed(seed)
    train, test = split_per_class(stamps.labels, 10, seed, stamps.groups)
    center, spread = small[train].mean((0, 2, 3)), small[train].std((0, 2, 3))
    images = (small - center.view(3, 1, 1)) / spread.view(3, 1, 1)
    model = small_network()
    fit(model, images[train], stamps.labels[train], augment)
    return train, test, model(images).argmax(1)


# %% [markdown]
# Look at one network's answers. Its **confusion matrix** counts, for each class, which answers its
# test stamps got. Right answers are on the diagonal.

# %%
_, test, answers = train_and_answer(as_it_is, seed=0)
confusion = torch.zeros(8, 8, dtype=torch.int)
for label, answer_given in zip(stamps.labels[test], answers[test], strict=True):
    confusion[label, answer_given] += 1

# %% folded=true
figure, ax = new_figure(4.6, 4)
ax.imshow(confusion.numpy(), cmap="Blues")
for row in range(8):
    for column in range(8):
        dark = confusion[row, column] > confusion.max() / 2
        color = "white" if dark else "black"
        ax.text(column, row, int(confusion[row, column]), ha="center", va="center", color=color)
ax.set_xticks(range(8), stamps.classes, rotation=60)
ax.set_yticks(range(8), stamps.classes)
ax.set(xlabel="answer", ylabel="class")
show(
    figure,
    alt="A table of eight classes by eight answers. The row of the mammals holds by far the most "
    "stamps; many of them are taken for birds or vehicles. In the other rows, too, most stamps lie "
    "beside the diagonal.",
)

# %% [markdown]
# About a third of the test stamps are mammals, so the accuracy says mostly how the network does on
# mammals. The **balanced accuracy** takes the accuracy of each class, and then the mean over the
# classes, so all classes count the same.


# %%
def balanced_accuracy(answers, labels):
    """In percent: the mean of the accuracies within each class."""
    right = (answers == labels).float()
    return 100 * torch.stack([right[labels == c].mean() for c in labels.unique()]).mean().item()


right = (answers == stamps.labels)[test].float().mean()
balanced = balanced_accuracy(answers[test], stamps.labels[test])
print(f"accuracy {100 * right:.0f} %, balanced accuracy {balanced:.0f} %")

# %% [markdown]
# Now the ablation, on twelve splits. (Guessing gives a balanced accuracy of 12.5 %.)


# %%
def ablation(augment):
    """Balanced accuracy on training and test stamps, for each of twelve splits."""
    runs = []
    for seed in range(12):
        *parts, answers = train_and_answer(augment, seed)
        runs.append([balanced_accuracy(answers[part], stamps.labels[part]) for part in parts])
    train, test = torch.tensor(runs).mean(0).tolist()
    print(f"{augment.__name__:15}: training stamps {train:.0f} %, test stamps {test:.0f} %")
    return torch.tensor(runs)


without = ablation(as_it_is)

# %%
with_it = ablation(mirror_and_move)
gained = (with_it - without)[:, 1]
print("gained on the test stamps, split by split:", [f"{gain:+.0f}" for gain in gained.tolist()])
print(f"mean {gained.mean():.1f}, standard error {gained.std() / 12**0.5:.1f}")

# %% folded=true
show_bars(
    {
        "as it is, balanced %": {
            "training": without[:, 0].mean().item(),
            "test": without[:, 1].mean().item(),
        },
        "mirror and move, balanced %": {
            "training": with_it[:, 0].mean().item(),
            "test": with_it[:, 1].mean().item(),
        },
    },
    alt="Two bar charts. As it is, the network is right on all training stamps, and on less than a "
    "third of the test stamps. With mirroring and moving it is right on fewer training stamps, "
    "and on slightly more test stamps.",
)

# %% [markdown]
# Without augmentation the network is right on all training stamps, but on few new ones. It has
# learned the training stamps by heart. This is called **overfitting**. With augmentation it knows
# fewer of its training stamps, and does a little better on new ones: better in the mean over twelve
# splits, worse on some of them. Two splits differ as much as the two methods do, so we compare both
# methods *on the same split*. With few splits the mean can mislead us (lecture 3 has an example).
#
# An augmentation that keeps the label usually helps when there are few data (*rule of thumb*, with
# much evidence). It isn't settled which augmentation is best. That depends on the task, and
# searches for the best recipe often find that simple ones do as well (contested).

# %%
ask("same_split")

# %% [markdown]
# ## Leakage: when test pictures get into training
#
# The rule is simple: nothing may pass from the test set into training. It is easy to break this
# rule without wanting to: you augment first and split afterwards.
#
# To show it we use a very simple learner instead of a network. It only remembers the training
# pictures. A new picture gets the label of the most similar training picture.

# %%
views = torch.cat([small, small.flip(3)])  # stamp number i, and its mirror image i + 240
view_labels = stamps.labels.repeat(2)


def nearest_neighbour(train, test):
    """The label of the most similar training view, for each test view."""
    distances = torch.cdist(views[test].flatten(1), views[train].flatten(1))  # over all pixels
    return view_labels[train][distances.argmin(1)]


# %% [markdown]
# First the wrong way: all views are mixed, and half of them are for training.


# %%
def augment_then_split(seed):
    order = torch.randperm(480, generator=torch.Generator().manual_seed(seed))
    return order[:240], order[240:]


# %% [markdown]
# And now the right way. First split, with three quarters of the stamps for training, because half
# of the *pictures* above also came from about three quarters of the stamps. Then add the mirror
# images. `things` says which stamps belong together.


# %%
def split_then_augment(seed, things):
    names = things.unique()
    order = names[torch.randperm(len(names), generator=torch.Generator().manual_seed(seed))]
    in_training = torch.isin(things, order[: round(0.75 * len(names))])
    train, test = in_training.nonzero().flatten(), (~in_training).nonzero().flatten()
    return torch.cat([train, train + 240]), test


# %%
ways = {
    "augment, then split": augment_then_split,
    "split by stamp, then augment": lambda seed: split_then_augment(seed, torch.arange(240)),
    "split by thing, then augment": lambda seed: split_then_augment(seed, stamps.groups),
}
found, learned_from = {}, {}
for name, way in ways.items():
    splits = [way(seed) for seed in range(20)]  # we pool the answers of twenty splits
    answers = torch.cat([nearest_neighbour(train, test) for train, test in splits])
    found[name] = balanced_accuracy(answers, view_labels[torch.cat([test for _, test in splits])])
    learned_from[name] = sum(len((train % 240).unique()) for train, _ in splits) / 20
    print(f"{name:28}: {found[name]:.1f} %, from {learned_from[name]:.0f} stamps")

# %% folded=true
gnus = [i for i, caption in enumerate(stamps.captions) if "gnu" in caption]
show_bars(
    {"balanced accuracy, %": found},
    alt="Three bars, from long to short: augment, then split; split by stamp, then augment; split "
    "by thing, then augment.",
)
show_pictures(
    {stamps.captions[i]: stamps.images[i] for i in gnus},
    alt="Four stamps of gnus, brown animals with horns or calves, which look much alike.",
    columns=4,
)

# %% [markdown]
# The first number is too high. About half of the test views have their mirror image in training, so
# it says little about new stamps. Nobody wanted to cheat, and readers would have believed it.
#
# Why does the last number fall again? Among our stamps are four gnus and five apples. If you split
# by stamp, a gnu in the test may have a near twin in training. `stamps.groups` says which stamps
# show the same kind of thing or look nearly alike. Split by these groups, all gnus are on one side.
# That also makes the test harder, because it asks about kinds of things that weren't in training.
# Which groups are right depends on what your new pictures will show.
#
# The same mistake has other forms: several photographs of one patient, pictures from one film, a
# mean for normalising that was computed over the test pictures, too. The solution is always the
# same: **split first. Put all pictures of the same thing into the same part. Do everything else
# after that** (settled). So the ablation above was split by groups, and so are later lectures'
# stamps.
#
# **Think.** You crop nine patches out of each of 100 microscope slides, and split the patches at
# random. What does the test accuracy tell you?
#
# <details><summary>An answer</summary>
#
# It tells how well the model recognises *slides* that it has already seen. The patches of one slide
# share the same patient and the same colouring. Split by patient, and expect less.
#
# </details>

# %%
ask("where_it_leaks")

# %% [markdown]
# ## Code it yourself
#
# Replace the three dots `...` in the next cell with your code. Run that cell and the cell below it,
# which checks your answer. Nothing is recorded.
#
# **1.** Suppose every picture gets the most frequent class as its answer. What share of the answers
# is right?


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
# **2.** Turn a picture with numbers from 0 to 1 into bytes, so that it can be saved. What is below
# 0 becomes 0, what is above 1 becomes 255, and the rest is rounded to the nearest byte.


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
# | 0–255 → 0–1 → $(x - \mu)/\sigma$ | what the weights expect | no error message, wrong answers |
# | augment, in training only | the network sees more variety | a label that changes |
# | split first, by thing | an honest test | nearly equal pictures in training and test |
#
# **Key points**
#
# - Wrong preprocessing raises no error. Look at what goes in, and know what the weights expect.
# - High confidence is no proof of a right input.
# - If you use an augmentation, you claim that this change doesn't change the label.
# - Much better on training pictures than on new ones: that is overfitting.
# - Compare on the same splits, picture by picture, and say how exact a number is.
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
