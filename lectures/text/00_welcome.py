# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 0 · Welcome
#
# What you see when you look at a photograph, what the computer gets, and what a network makes of
# it. Then how this course works, and whether your computer is ready for it.
#
# **You will be able to**
#
# - read a photograph as a tensor: find a pixel, name its three numbers;
# - ask a trained network what it sees, and doubt its answer;
# - tell classification, detection and segmentation apart;
# - run a lecture, answer its questions, and hand in an assignment;
# - check your installation, and mend what is missing.
#
# **Time**: 40 minutes. **You need**: some Python. **Exercise**: none yet; the first one is
# `ps1_preprocessing`.
#
# Some claims carry a label. *Settled* means that it is arithmetic, or that people in the field
# agree. *Contested* means that good people disagree. A *rule of thumb* is often true; check it.
#
# A notebook is made of *cells*. Click on the next one and press Shift-Enter: it runs, and what it
# prints appears below. Go through the page like that, from top to bottom.

# %%
import torch

from course_utils.data import load_photograph
from course_utils.models import imagenet_classes, preprocess, squeezenet, top_k
from course_utils.plots import Grid, show_bars, show_boxes, show_curves, show_grids, show_pictures
from course_utils.quiz import ask
from course_utils.scenes import street

# %% [markdown]
# ## What you see
#
# A photograph. Look at it for one second, then say what is on it.

# %%
cat = load_photograph("cat")
show_pictures(
    {"what you see": cat},
    alt="A photograph: the face of a tabby cat with green eyes, looking into the camera.",
    columns=1,
    inches=4.3,
)

# %% [markdown]
# You said *cat*. You didn't measure anything, and couldn't say how you did it. That is the trouble:
# nobody can write down the rule.
#
# ## What the computer gets
#
# Numbers. A photograph is a **tensor**: three tables of the same size, for red, green and blue
# light. In each table there is one number for every place, from 0 (dark) to 255 (bright).

# %%
print(f"shape {tuple(cat.shape)}, that is {cat.numel():,} numbers")
print("type", cat.dtype, "from", cat.min().item(), "to", cat.max().item())
print("a byte can hold 0 to", torch.iinfo(cat.dtype).max)

# %% [markdown]
# Here are 64 places of the red table, where the green of an eye meets the black of its pupil. Would
# you have known?

# %%
patch = cat[0, 96:104, 138:146]
show_grids(
    [Grid("what the computer gets: 8×8 of the red table", (8, 8), numbers=patch.tolist())],
    alt="A grid of 8×8 numbers; nothing in it looks like a cat.",
)

# %% [markdown]
# Move the lens over the photograph: drag it, or use the arrow keys (with Shift it goes by its own
# width). If you see an error instead, run the cell again.
#
# 1. Find the brightest spot of an eye. What are its three numbers, and why are they alike?
# 2. Find a place where green is larger than red. Is it where you thought?
# 3. Go from the fur to the background. Where in the numbers is the cat's outline?
#
# <details><summary>Answers</summary>
#
# 1. The spot is a lamp or a window that is reflected. White light has as much red as green and
#    blue, so the three numbers are about alike, and large.
# 2. Only in the eyes. In fur and background red is at least as large as green.
#
# </details>

# %%
from course_utils.interactives import PixelExplorer

lens = PixelExplorer(cat, row=96, column=138)
lens

# %% [markdown]
# The third question has no good answer, and that is the point of this course. An outline isn't in
# any one number. It is in how numbers differ from their neighbours, whatever the light and the fur.
#
# Python can read the lens. Move it, and run this cell again:

# %%
seen = cat[:, lens.row : lens.row + 8, lens.column : lens.column + 8]
print("the lens covers", tuple(seen.shape), "numbers; its mean colour is", end=" ")
print([round(channel.float().mean().item()) for channel in seen])

# %%
ask("count_the_numbers")

# %% [markdown]
# ## What the network sees
#
# SqueezeNet is a small convolutional network. It was shown more than a million labelled photographs
# (ImageNet), and chooses among 1000 classes. It comes with the course; nothing is downloaded.

# %%
network = squeezenet()
parameters = sum(p.numel() for p in network.parameters())
print(f"{parameters:,} parameters")

# %% [markdown]
# We hand it the tensor. `preprocess` makes it the size and the scale that the network knows;
# lecture 1 is about that one word. Out come 1000 numbers, one for each class: the **logits**. A
# logit can be any number. The larger it is, the more speaks for the class.

# %%
with torch.no_grad():
    logits = network(preprocess(cat))[0]
best = logits.topk(5).indices.tolist()
names = [imagenet_classes()[k] for k in best]
print("shape", tuple(logits.shape), "from", round(logits.min().item(), 1), end=" ")
print("to", round(logits.max().item(), 1))

# %% [markdown]
# To read them as probabilities we need numbers from zero to one that add up to one. **Softmax**
# makes them: it takes $e^{z}$ of each logit $z$, which is positive, and divides by the sum of all.

# %%
probabilities = logits.exp() / logits.exp().sum()
print(f"they add up to {probabilities.sum():.3f}; e is {torch.e:.1f}")
show_bars(
    {
        "logits": dict(zip(names, logits[best].tolist(), strict=True)),
        "after softmax, %": dict(zip(names, (100 * probabilities[best]).tolist(), strict=True)),
    },
    alt="Two bar charts of the network's five likeliest classes: Egyptian cat, tabby, tiger cat, "
    "lynx and cheetah. Their logits differ little; after softmax the first three have nearly all, "
    "and the last two almost nothing.",
)

# %% [markdown]
# A logit that is larger by one means a probability that is $e$ times as large, about 2.7 times. So
# small differences of logits become large ones of probabilities. `top_k` does all this for you:


# %%
def look_at(name):
    with torch.no_grad():
        logits = network(preprocess(load_photograph(name)))
    return {label: 100 * p for label, p in top_k(logits, k=5)}


answer = look_at("cat")
for label, percent in answer.items():
    print(f"{label:15} {percent:5.1f} %")

# %% [markdown]
# The first three are kinds of cat, and together they have nearly everything. Whether it is an
# *Egyptian* cat is another matter; nobody has told us her breed. We call the first answer *top-1*
# and the first five *top-5*; lecture 4 counts both.
#
# It isn't always so good:

# %%
for label, percent in look_at("rocket").items():
    print(f"{label:18} {percent:5.1f} %")

# %%
show_pictures(
    {"a rocket on its launch pad": load_photograph("rocket")},
    alt="A white rocket on the launch pad at dusk, between four tall lightning towers.",
    columns=1,
    inches=4.3,
)

# %% [markdown]
# There is no class *rocket* among the 1000. The nearest are *missile*, *projectile* and *space
# shuttle*, and here *missile* comes third. The network must choose something. A *beacon*, to
# ImageNet, is a lighthouse: something tall and light against a dark sky. That isn't stupid. (Which
# part of the picture speaks for it, lecture 4 asks.) But remember: **a network answers the question
# that it was trained on**, not yours (settled).
#
# **Think.** You show it a photograph of your grandmother. What will it say?
#
# <details><summary>An answer</summary>
#
# One of its classes, with some confidence: perhaps a piece of clothing. "None of these" isn't among
# the answers that it knows.
#
# </details>

# %%
ask("what_softmax_hides")

# %% [markdown]
# ## One name, or all that is there?
#
# Most pictures show more than one thing. Here is a street, put together from pictures that come
# with the course. What do you see?

# %%
scene = street()
show_pictures(
    {"what you see": scene.image},
    alt="A road under a pale sky, with five things pasted onto it: a stop sign, a green bus, a "
    "pigeon, a blue car and a dog.",
    columns=1,
    inches=7,
)
with torch.no_grad():
    print("SqueezeNet's one name:", top_k(network(preprocess(scene.image)), k=1)[0][0])

# %% [markdown]
# One name is all that this network can give, and for such a collage it isn't even a good one.
# Giving one name is **classification**. A driver needs more. **Detection** puts a box around each
# thing and names it:

# %%
show_boxes(
    scene.image,
    scene.boxes,
    alt="The same street; around each of the five things is a box with its name: stop sign, bus, "
    "bird, car, dog.",
)

# %% [markdown]
# **Segmentation** says of each pixel what it belongs to. What it finds is called a *mask*:

# %%
masks = torch.zeros(3, *scene.image.shape[1:])
for number, mask in enumerate(scene.masks.values(), start=1):
    masks[:, mask] = number / len(scene.masks)
show_pictures(
    {"one grey for each thing": masks},
    alt="The outlines of the five things, filled with five shades from grey to white, on black.",
    columns=1,
    inches=7,
)

# %% [markdown]
# (No network found these boxes and masks. We pasted the things ourselves, so we know.) This is the
# old joke about what people see on a street and what computer vision sees. The course is about the
# first of the three questions. But detectors and segmenters are built on the same networks, and
# lecture 4 comes back to boxes.
#
# ## How the course works
#
# | lecture | what you learn |
# |---|---|
# | 0 · Welcome | you are here |
# | 1 · Preprocessing | from the file to the first layer, and what goes wrong on the way |
# | 2 · Convolution arithmetic | sizes, parameters, receptive fields, with a pencil |
# | 3 · Architectures | AlexNet, VGG, and what fits into memory |
# | 4 · Transfer learning | use what others have trained |
# | 5 · Backpropagation | how it learns; and how a change that nobody sees fools it |
#
# Each takes an hour or more. Every number in the text is computed by a cell, or checked against its
# source. Words that you forget are in the [glossary](glossary.md).
#
# Three habits are worth having. **Predict** what a cell will print before you run it. **Change**
# something and run it again; you can't break anything, and the menu *Kernel → Restart* starts
# afresh. **Look** at what goes in, and at what comes out.
#
# ## What you should know already
#
# - **For all lectures**: Python's functions, loops, lists and dictionaries. Tensors: their shape,
#   and how to take a part of one.
# - **Lectures 2 and 3**: sums, products and powers.
# - **Lectures 4 and 5**: what a training step does. For lecture 5 also the derivative and the chain
#   rule.
#
# A refreshment of 10 minutes follows. If nothing in it is new, go on to the next section.

# %%
numbers = torch.arange(6).reshape(2, 3)
print(numbers.tolist(), "has the shape", tuple(numbers.shape))
print("row 1:", numbers[1].tolist(), "- column 2:", numbers[:, 2].tolist())
print("the sum of each column:", numbers.sum(dim=0).tolist())
print("each row times (1, 10, 100):", (numbers * torch.tensor([1, 10, 100])).tolist())

# %% [markdown]
# Rows and columns are counted from zero. In the last line a row of three numbers met a table of two
# rows: PyTorch used it for each row. That is called *broadcasting*.
#
# A **slope** (or derivative) says how much the output moves for a small move of the input. PyTorch
# computes slopes when it is asked:

# %%
x = torch.tensor(3.0, requires_grad=True)
y = x**2
y.backward()
print(f"x² at 3: value {y.item():.0f}, slope {x.grad:.0f}")
print(f"a small move: 3.01² − 3² = {3.01**2 - 9:.4f}, or {(3.01**2 - 9) / 0.01:.2f} for each 1")

# %% [markdown]
# **Training** uses slopes. A *loss* says how wrong the answers are. Each step moves every weight
# against its slope, so that the loss gets smaller. The *learning rate* says how far. Here a line
# $wx + b$ learns some points:

# %%
points = torch.tensor([0.0, 1.0, 2.0, 3.0])
wanted = 2 * points + 1


def losses_with(rate, steps=30):
    w, b = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    losses = []
    for _ in range(steps):
        loss = ((w * points + b - wanted) ** 2).mean()
        slopes = torch.autograd.grad(loss, (w, b))
        with torch.no_grad():
            w -= rate * slopes[0]
            b -= rate * slopes[1]
        losses.append(loss.detach().item())
    return losses


curves = {f"rate {rate}": losses_with(rate) for rate in (0.01, 0.1, 0.24)}
for name, losses in curves.items():
    print(f"{name}: loss {losses[0]:.1f}, in step 10 {losses[9]:.3f}, at last {losses[-1]:.3f}")

# %%
show_curves(
    {
        name: {step: (losses[step], 0) for step in range(0, 30, 2)}
        for name, losses in curves.items()
    },
    across="step",
    up="loss",
    alt="Three curves of the loss. With the small rate it falls slowly, with the middle one fast, "
    "and with the largest one it grows.",
)

# %% [markdown]
# Too small a rate wastes steps. Too large a one jumps over the lowest point, and lands higher on
# the other side: the loss grows. One pass over all training examples is called an **epoch**. Here
# every step sees all of them, so each step is an epoch.
#
# ## Is your computer ready?
#
# This cell looks at all that the course needs. What isn't right comes with its remedy.

# %%
from course_utils.environment import check

checks = check()

# %% [markdown]
# No lecture needs a GPU or the network. If something is to be mended, do what the arrow says,
# restart the kernel, and run the cell again. If an interactive shows only a line of text, reload
# the page and run its cell again.
#
# ## Questions
#
# In the lectures questions are for **practice**. You get the verdict at once, as many tries as you
# like, and hints one at a time. Nothing is recorded. Try one and get it wrong on purpose:

# %%
ask("true_of_practice")

# %% [markdown]
# In the assignments a few questions are **graded**, and there the rule is strict: *full points if
# and only if your first submitted answer is right; later ones score zero.* You are asked to confirm
# before anything is submitted, and you can read the hints first.
#
# Your answers are kept in a log beside the notebook. Don't move, edit or delete it: a log that is
# gone or damaged isn't counted as wrong, but a person has to look at it.

# %%
ask("first_attempt")

# %% [markdown]
# ## Handing in
#
# 1. Open the assignment, write where it says `YOUR CODE HERE`, and run the visible tests.
# 2. *Kernel → Restart and Run All*: it must work from top to bottom, not only in the order in
#    which you happened to write it. The button *Validate* does that for you, too.
# 3. Save. Then make the zip, in a cell of the assignment, and upload it where your instructor says.
#    (If your course collects through JupyterHub, use its *Submit* instead.)

# %%
from course_utils import hand_in

help(hand_in)

# %% [markdown]
# Hidden tests give the rest of the points: other inputs, corners, wrong inputs. They ask nothing
# that the assignment doesn't say. Your code runs on its own there, without the network.

# %%
ask("before_handing_in")

# %% [markdown]
# ## Code it yourself
#
# Replace the three dots, and run both cells. Nothing is recorded.
#
# **1.** The negative of a photograph: what was dark is bright, in each of the three tables.


# %%
def negative(image):
    """The negative of a photograph: uint8 [3, H, W], from 0 to 255."""
    return ...  # your code here


# %%
is_right = isinstance(negative(cat), torch.Tensor) and torch.equal(negative(cat), 255 - cat)
print("right" if is_right else "not yet: where the photograph has 255, the negative has 0")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# def negative(image):
#     return 255 - image
# ```
#
# </details>

# %% [markdown]
# **2.** Where is a photograph brightest? Add up the three tables, and find the place of the largest
# sum. `tensor.argmax()` counts places row by row, from 0.


# %%
def brightest(image):
    """(row, column) of the place whose three numbers have the largest sum."""
    return ...  # your code here


# %%
dark = torch.zeros(3, 4, 5, dtype=torch.uint8)
dark[:, 2, 3] = 250
print("right" if brightest(dark) == (2, 3) else f"not yet: it is (2, 3), you say {brightest(dark)}")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# def brightest(image):
#     total = image.int().sum(0)  # int: a byte can't hold more than 255
#     return divmod(int(total.argmax()), total.shape[1])
# ```
#
# </details>

# %% [markdown]
# ## Summary
#
# **Key points**
#
# - A photograph is a tensor of shape (channels, rows, columns), of whole numbers from 0 to 255.
# - What we recognise is in no single number; it is in how they stand to each other.
# - A network gives a logit to each of *its* classes, and softmax makes probabilities of them. It
#   can't say "none of these".
# - Classification gives one name, detection boxes with names, segmentation a mask for each thing.
# - Practice freely; in assignments the first answer counts.
# - Before you hand in: restart, run all, save.
#
# **Now you:** go on with `01_preprocessing`.
#
# ### Sources
#
# - The photographs are from scikit-image: the cat by S. van der Walt, the rocket by SpaceX.
#   `course_utils/assets/README.md` has their licences.
# - F. Iandola and others, *SqueezeNet: AlexNet-level accuracy with 50x fewer parameters*, 2016.
# - O. Russakovsky and others, *ImageNet large scale visual recognition challenge*, 2015.
