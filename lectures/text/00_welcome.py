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
# This lecture shows what you see in a photograph, what the computer gets, and what a network
# answers. Then it explains how the course works, and checks your computer.
#
# **You will be able to**
#
# - read a photograph as a tensor: find a pixel, name its three numbers;
# - say what a network, a layer, a weight and an activation are;
# - ask a trained network what a photograph shows, and judge its answer;
# - tell classification, detection and segmentation apart;
# - explain what one step of training does;
# - run a lecture, answer its questions, and hand in an assignment;
# - check your installation, and add what is missing.
#
# **Time**: 50 minutes. **You need**: Python's functions, loops, lists and dictionaries. Tensors are
# reviewed below. **Exercise**: none yet; the first one is `ps1_preprocessing`.
#
# Some claims carry a label. *Settled* means that it is arithmetic, or that people in the field
# agree. *Contested* means that experts disagree. A *rule of thumb* is often true; check it.
#
# A notebook is made of *cells*. Click on the next one and press Shift-Enter: it runs, and what it
# prints appears below. While it runs, `[*]` stands on its left; then a number. (The first cells
# print nothing, and the first import may take half a minute.) Go through the page like that, from
# top to bottom. Some cells only draw. Run these, too. Their code is folded away; a click on the
# three dots shows it.
#
# `torch` is PyTorch, the library for tensors and networks. `course_utils` holds the functions of
# this course that draw and check. You needn't read them.

# %%
import math

import torch

from course_utils.data import load_photograph
from course_utils.models import imagenet_classes, preprocess, squeezenet, top_k
from course_utils.plots import Grid, show_bars, show_boxes, show_curves, show_graph, show_grids
from course_utils.plots import show_lines, show_pictures
from course_utils.quiz import ask
from course_utils.scenes import street

# %% [markdown]
# ## What you see
#
# Here is a photograph. Look at it for one second, then say what it shows.

# %%
cat = load_photograph("cat")

# %% folded=true
show_pictures(
    {"what you see": cat},
    alt="A photograph: the face of a tabby cat with green eyes, looking into the camera.",
    columns=1,
    inches=4.3,
)

# %% [markdown]
# You said *cat*. You didn't measure anything, and couldn't say how you did it. That is the
# difficulty: nobody can write down a rule that finds cats.
#
# ## A short review: tensors
#
# The computer gets tables of numbers. PyTorch calls a table, of any number of axes, a **tensor**.
# Rows and columns are counted from zero. If nothing here is new, go on to the next section.

# %%
numbers = torch.arange(6).reshape(2, 3)
print(numbers.tolist(), "has the shape", tuple(numbers.shape))
print("row 1:", numbers[1].tolist(), "- column 2:", numbers[:, 2].tolist())
print("the sum of each column:", numbers.sum(dim=0).tolist())
print("each row times (1, 10, 100):", (numbers * torch.tensor([1, 10, 100])).tolist())

# %% [markdown]
# In the last line we multiplied a table of two rows by a single row of three numbers. PyTorch used
# that row for both rows of the table. This is called *broadcasting*.
#
# You will meet these spellings in every lecture:
#
# | spelling | what it means |
# |---|---|
# | `t.item()` | the only number of a tensor, as a Python number |
# | `t.tolist()` | the numbers of a tensor, as Python lists |
# | `t[None]` | the same numbers with a new first axis of length 1: a batch of one picture |
# | `t[0, 0]` | the first entry along the first two axes |
# | `t.view(3, 1, 1)` | the same numbers in another shape |
# | `t.sum(dim=0)` | add along axis 0, so that this axis disappears |
# | `zip(a, b, strict=True)` | pairs from two lists; an error if one list is longer |
# | `torch.no_grad()` | compute without keeping what training would need |
# | `_ = torch.manual_seed(0)` | draw the same random numbers in each run |
#
# ## What the computer gets
#
# The computer gets numbers. A photograph is a tensor of three tables of the same size, for red,
# green and blue light. For every place of the photograph, every **pixel**, each table has one
# number, from 0 (dark) to 255 (bright). The type `uint8` is a byte, and a byte holds no other
# numbers.

# %%
print(f"shape {tuple(cat.shape)}, that is {cat.numel():,} numbers")
print("type", cat.dtype, "from", cat.min().item(), "to", cat.max().item())

# %% [markdown]
# Here are 64 pixels of the red table, at the border between the green of an eye and its black
# pupil. Could you tell from these numbers that they show an eye?

# %%
patch = cat[0, 96:104, 138:146]

# %% folded=true
show_boxes(
    cat,
    {"8×8": (138, 96, 146, 104)},
    alt="The cat; in the eye on the left a small square at the left border of the pupil is marked.",
)
show_grids(
    [Grid("what the computer gets: 8×8 of the red table", (8, 8), numbers=patch.tolist())],
    alt="A grid of 8×8 numbers; nothing in it looks like a cat.",
)

# %% [markdown]
# ## Play
#
# Run the next cell. It shows the photograph with a small square on it, the *lens*, and the numbers
# under the lens. Drag the lens, or move it with the arrow keys (with Shift it jumps by its own
# width). If you see an error message, run the cell again.
#
# 1. Find the brightest spot of an eye. What are its three numbers, and why are they alike?
# 2. Find a place where green is larger than red. Is it where you thought?
# 3. Go from the fur to the background. Where in the numbers is the cat's outline?
#
# <details><summary>Answers</summary>
#
# 1. The spot is the reflection of a lamp or a window. White light has as much red as green and
#    blue, so the three numbers are nearly equal, and large.
# 2. Only in the eyes. In fur and background red is at least as large as green.
# 3. In no single number. It is in the differences between neighbouring numbers.
#
# </details>

# %%
from course_utils.interactives import PixelExplorer

lens = PixelExplorer(cat, row=96, column=138)
lens

# %% [markdown]
# The third answer matters for the whole course. The outline is in the *differences* between
# neighbouring numbers, and this holds in any light and for any fur. A network must learn to find
# such differences.
#
# Python knows where the lens is. Move it, and run this cell again:

# %%
seen = cat[:, lens.row : lens.row + 8, lens.column : lens.column + 8]
print("the lens covers", tuple(seen.shape), "numbers; its mean colour is", end=" ")
print([round(channel.float().mean().item()) for channel in seen])

# %%
ask("count_the_numbers")

# %% [markdown]
# ## What a network is
#
# A **network** is a function with very many adjustable numbers, its **parameters**. It takes a
# tensor and returns numbers. Nobody chooses its parameters by hand. They are found by *training*:
# the network sees examples, and its parameters are changed until most answers are right.
#
# A network is a chain of **layers**; each layer computes on what the layer before it returns. A
# layer consists of *units*. In the simplest kind of layer, a unit multiplies every input by a
# **weight**, adds up the products,
# and adds one more number, its **bias**. Weights and biases are the parameters.
#
# Between two layers stands an **activation function**. The most common is **ReLU**: it replaces
# negative numbers by 0. Its results are called **activations**. Here is a network of two layers;
# all biases are 0.

# %%
inputs = torch.tensor([3.0, 1.0])
first_weights = torch.tensor([[2.0, -1.0], [1.0, -4.0]])  # a row for each unit
last_weights = torch.tensor([[1.0, 2.0], [-1.0, 3.0]])

sums = (first_weights * inputs).sum(dim=1)
activations = sums.clamp(min=0)  # ReLU
outputs = (last_weights * activations).sum(dim=1)
print("sums", sums.tolist(), "activations", activations.tolist(), "outputs", outputs.tolist())

# %% folded=true
units = [[f"{layer} {unit}" for unit in (0, 1)] for layer in range(3)]
names_of_all = [name for layer in units for name in layer]
values = dict(zip(names_of_all, torch.cat([inputs, activations, outputs]), strict=True))
show_graph(
    {name: (2 * layer, 1.4 * row) for layer in range(3) for row, name in enumerate(units[layer])},
    {
        (units[layer][column], units[layer + 1][row]): (f"{weights[row, column].item():.0f}", "")
        for layer, weights in enumerate((first_weights, last_weights))
        for row in (0, 1)
        for column in (0, 1)
    },
    alt="Two inputs, 3 and 1, with an arrow to each of two units; a weight stands on each arrow. "
    "The units' activations are 5 and 0. From them weighted arrows go to two outputs, 5 and −5.",
    labels={name: f"{value.item():.0f}" for name, value in values.items()},
)

# %% [markdown]
# The numbers on the arrows are the weights. The upper unit in the middle computes
# $2 \cdot 3 - 1 \cdot 1 = 5$. The lower unit gets $1 \cdot 3 - 4 \cdot 1 = -1$, and ReLU makes 0 of
# it.
#
# *SqueezeNet* is a small network of the same kind. It is *convolutional*; lecture 2 explains the
# word. It was trained on *ImageNet*: more than a million photographs, each with a **label**, the
# name of what it shows. There are 1000 different labels, and we call them **classes**. The network
# comes with the course; nothing is downloaded.

# %%
network = squeezenet()
parameters = sum(p.numel() for p in network.parameters())
print(f"{parameters:,} parameters")

# %% [markdown]
# ## What the network answers
#
# We give the cat to the network. `preprocess` gives the photograph the size and the range of
# numbers that the network expects; lecture 1 explains how. The network returns 1000 numbers, one
# for each class. They are called **logits**. A logit can be any number. The larger the logit, the
# more the network prefers this class.
#
# The network answers for several photographs at once. We give it a single one, so we take the
# first answer.

# %%
with torch.no_grad():
    logits = network(preprocess(cat))[0]
best = logits.topk(5).indices.tolist()
names = [imagenet_classes()[k] for k in best]
print("shape", tuple(logits.shape), "from", round(logits.min().item(), 1), end=" ")
print("to", round(logits.max().item(), 1))

# %% [markdown]
# Probabilities lie between 0 and 1, and they add up to 1. Logits don't. **Softmax** makes
# probabilities of logits. For each logit $z$ it computes $e^{z}$, and $e^{z}$ is always positive.
# Then it divides each $e^{z}$ by the sum of all of them:
#
# $$p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}$$
#
# Here $z_k$ is the logit of class $k$, $p_k$ is its probability, and the sum goes over all classes
# $j$. For the three logits 2, 1 and 0 the powers $e^z$ are about 7.4, 2.7 and 1.0. Their sum is
# 11.1, and the probabilities are 0.67, 0.24 and 0.09.

# %%
probabilities = logits.exp() / logits.exp().sum()
print(f"they add up to {probabilities.sum():.3f}; e is {torch.e:.1f}")

# %% folded=true
show_bars(
    {
        "logits": dict(zip(names, logits[best].tolist(), strict=True)),
        "after softmax, %": dict(zip(names, (100 * probabilities[best]).tolist(), strict=True)),
    },
    alt="Two bar charts of the network's five likeliest classes: Egyptian cat, tabby, tiger cat, "
    "lynx and cheetah. Their logits are of like size; after softmax the first three have nearly "
    "all, and the last two almost nothing.",
)

# %% [markdown]
# If the logit of class A is larger by 1 than the logit of class B, then the probability of A is $e$
# times the probability of B, about 2.7 times. So a small difference between logits becomes a large
# ratio of probabilities. `top_k` applies softmax, and returns the names and the probabilities of
# the likeliest classes:


# %%
def look_at(name):
    with torch.no_grad():
        logits = network(preprocess(load_photograph(name)))
    return {label: 100 * p for label, p in top_k(logits, k=5)}


answer = look_at("cat")
for label, percent in answer.items():
    print(f"{label:15} {percent:5.1f} %")

# %% [markdown]
# The first three are kinds of cat. Together they have nearly all of the probability. We don't know
# whether it really is an *Egyptian* cat. We call the first answer *top-1* and the first five
# *top-5*; lecture 4 counts both.
#
# ### How wrong is an answer?
#
# In training the right class is known. A **loss** is one number that says how wrong an answer is.
# The usual loss for classes is **cross-entropy**: take the probability $p$ that the network gives
# to the *right* class, and compute $-\log p$ (the natural logarithm).

# %%
for p in (0.9, 0.5, 0.01):
    print(f"the right class gets p = {p}: the loss is {-math.log(p):.2f}")

# %% folded=true
p = torch.linspace(0.005, 1, 400)
three = torch.tensor([0.9, 0.5, 0.01])
show_lines(
    {"cross-entropy": {"−log p": (p, -p.log(), "-"), "three answers": (three, -three.log(), "o")}},
    alt="The curve of minus log p. It is very high where the probability is almost nothing, and "
    "falls to zero where it is one. The three answers of the cell above are marked on it.",
    across="probability p of the right class",
    up="loss",
)

# %% [markdown]
# If the right class gets probability 1, the loss is 0. If it gets almost 0, the loss is large.
# (With 1000 classes, a network with no idea gives it 0.001: a loss of 6.9.) Training makes the loss
# small; the end of this lecture shows how.
#
# ### A class that isn't there
#
# The answer isn't always so good. Here is a rocket:

# %% folded=true
show_pictures(
    {"a rocket on its launch pad": load_photograph("rocket")},
    alt="A white rocket on the launch pad at dusk, between four tall lightning towers.",
    columns=1,
    inches=4.3,
)

# %%
for label, percent in look_at("rocket").items():
    print(f"{label:18} {percent:5.1f} %")

# %% [markdown]
# There is no class *rocket* among the 1000. The nearest are *missile*, *projectile* and *space
# shuttle*, and here *missile* comes third. The network must choose a class. In ImageNet a *beacon*
# is a lighthouse: something tall and bright in front of a dark sky. So this answer isn't
# unreasonable. (Lecture 4 shows which part of the picture speaks for it.) But remember: **a
# classifier like this answers the question that it was trained on**, not yours (settled).
#
# **Think.** You show it a photograph of your grandmother. What will it say?
#
# <details><summary>An answer</summary>
#
# It names one of its 1000 classes, perhaps a piece of clothing. It can't answer "none of these".
#
# </details>

# %%
ask("what_softmax_hides")

# %% [markdown]
# ## One name for the picture, or one for each thing?
#
# Most pictures show more than one thing. Here is a street, put together from pictures that come
# with the course. What do you see?

# %%
scene = street()
with torch.no_grad():
    print("SqueezeNet's one name:", top_k(network(preprocess(scene.image)), k=1)[0][0])

# %% folded=true
show_pictures(
    {"what you see": scene.image},
    alt="A road under a pale sky, with five things pasted onto it: a stop sign, a green bus, a "
    "pigeon, a blue car and a dog.",
    columns=1,
    inches=7,
)

# %% [markdown]
# This network can give only one name, and for this picture the name isn't even right. Giving one
# name is **classification**. A driver needs more. **Detection** puts a box around each thing and
# names it. **Segmentation** says for each pixel which thing it belongs to (*semantic*
# segmentation only: to which kind of thing). The pixels of one thing
# form its *mask*:

# %%
masks = torch.zeros(3, *scene.image.shape[1:])
for number, mask in enumerate(scene.masks.values(), start=1):
    masks[:, mask] = number / len(scene.masks)  # a grey of its own for each thing

# %% folded=true
show_boxes(
    scene.image,
    scene.boxes,
    alt="The same street; around each of the five things is a box with its name: stop sign, bus, "
    "bird, car, dog.",
)
show_pictures(
    {"one grey for each thing": masks},
    alt="The outlines of the five things, filled with five shades from grey to white, on black.",
    columns=1,
    inches=7,
)

# %% [markdown]
# (No network found these boxes and masks. We pasted the things ourselves, so we know.) This course
# is about the first of these three tasks, classification. But networks for detection and
# segmentation are built from the same parts. Lecture 4 comes back to boxes.

# %%
ask("which_task")

# %% [markdown]
# ## A short review: slopes and training
#
# A **slope** (or derivative) says how much the output changes for a small change of the input.
# PyTorch can compute slopes. `requires_grad=True` tells PyTorch that we will ask for the slope at
# `x`. `y.backward()` computes the slope, and writes it into `x.grad`.

# %%
x = torch.tensor(3.0, requires_grad=True)
y = x**2
y.backward()
print(f"x² at 3: value {y.item():.0f}, slope {x.grad:.0f}")
change = 3.01**2 - 3**2
print(f"a move of 0.01 changes x² by {change:.4f}, that is {change / 0.01:.2f} times the move")

# %% [markdown]
# **Training** is a search for good weights. Here is the smallest example: a single weight $w$. For
# the inputs $x$ = 0, 1, 2 and 3 the wanted outputs are 0, 2, 4 and 6, so $w = 2$ would be right.
# The loss says how wrong $wx$ is. For each point take $wx$ − (wanted output) and square it. The
# mean of the squares is the loss.
#
# If the loss rises when $w$ grows (the slope is positive), we make $w$ smaller. If it falls, we
# make $w$ larger:
#
# $$w \leftarrow w - \text{rate} \cdot \text{slope}$$
#
# *rate* is the **learning rate**. Such a change of all weights is a **step**.

# %%
points = torch.tensor([0.0, 1.0, 2.0, 3.0])
wanted = 2 * points


def train(rate, steps=10):
    """The weight and the loss before each step."""
    w, weights, losses = 0.0, [], []
    for _ in range(steps):
        error = w * points - wanted
        weights.append(w)
        losses.append((error**2).mean().item())
        slope = (2 * error * points).mean().item()
        w = w - rate * slope
    return weights, losses


runs = {f"rate {rate}": train(rate) for rate in (0.02, 0.1, 0.3)}
for name, (_, losses) in runs.items():
    print(f"{name}: loss {losses[0]:.1f}, then {losses[1]:.1f}; in step 10 {losses[9]:.3f}")

# %% [markdown]
# The next picture shows the loss for each $w$, three times. Each dot is the weight before a step.
# The lowest point of the curve, at $w = 2$, is the best weight.

# %% folded=true
w = torch.linspace(-1.3, 5.3, 100)
valley = ((w[:, None] * points - wanted) ** 2).mean(dim=1)
show_lines(
    {
        name: {"loss": (w, valley, "-"), "first steps": (weights[:5], losses[:5], "o-")}
        for name, (weights, losses) in runs.items()
    },
    alt="The loss as a function of w is a parabola with its lowest point at the best weight. With "
    "the small rate the dots go down the left side slowly; with the middle rate they are soon at "
    "the lowest point; with the largest rate each dot is on the other side, and higher.",
    across="weight w",
    up="loss",
)
show_curves(
    {name: losses for name, (_, losses) in runs.items()},
    across="step",
    up="loss",
    alt="Three curves of the loss. With the small rate it falls slowly, with the middle one fast, "
    "and with the largest one it grows.",
)

# %% [markdown]
# With a rate that is too small, training needs many steps. A rate that is too large jumps over the
# lowest point and lands higher on the other side, so the loss grows. One pass over all training
# examples is called an **epoch**. Here every step uses all four points, so each step is one epoch.
#
# A network has more weights, and each of them gets its own slope. The step is the same.

# %%
ask("one_step")

# %% [markdown]
# ## How the course works
#
# | lecture | what you learn |
# |---|---|
# | 0 · Welcome | you are here |
# | 1 · Preprocessing | from the file to the first layer, and what goes wrong on the way |
# | 2 · Convolution arithmetic | sizes, parameters, receptive fields, with pencil and paper |
# | 3 · Architectures | AlexNet, VGG, ResNet, and what fits into memory |
# | 4 · Transfer learning | use what others have trained |
# | 5 · Backpropagation | how a network learns, and how a change that is too small to see fools it |
#
# Most take more than an hour. The longest takes 100 minutes. Every number in the text is computed
# by a cell, or checked against its source. Words that you forget are in the
# [glossary](glossary.md).
#
# - **For all lectures** you need Python's functions, loops, lists and dictionaries, and tensors.
#   From lecture 3 and the first assignment on, you also need classes.
# - **Lectures 2 and 3**: sums, products and powers.
# - **From lecture 1 on**: what a training step does. For lecture 5 also the derivative and the
#   chain rule.
#
# Three habits help. **Predict** what a cell will print before you run it. **Change** something and
# run it again; you can't break anything. The menu *Kernel → Restart Kernel…* starts Python
# afresh. After it, all names are gone: run the cells again from the top. (In Jupyter the *kernel*
# is the Python that runs your cells.) **Look** at the inputs and at the
# outputs of each step.
#
# ## Is your computer ready?
#
# This cell checks everything that the course needs. If something isn't right, it says how to repair
# it.

# %%
from course_utils.environment import check

checks = check()

# %% [markdown]
# No lecture needs an Internet connection or a GPU (a graphics card that computes networks fast). If
# something must be repaired, do what stands after the arrow, restart the kernel, and run the cell
# again. If an interactive figure shows only a line of text, reload the page and run its cell again.
#
# ## Questions
#
# The questions in the lectures are for **practice**. You see at once whether your answer is right.
# You may try as often as you like, and you can ask for hints, one after the other. Nothing is
# recorded. Try this question, and give a wrong answer on purpose:

# %%
ask("true_of_practice")

# %% [markdown]
# In the assignments a few questions are **graded**, and there the rule is strict: *full points if
# and only if your first submitted answer is right; later ones score zero.* You are asked to confirm
# before anything is submitted, and you can read the hints first.
#
# Your answers are kept in a log beside the notebook. Don't move, edit or delete it. If the log is
# missing or damaged, your answers aren't counted as wrong, but a person must check them.

# %%
ask("first_attempt")

# %% [markdown]
# ## Handing in
#
# 1. Open the assignment, write where it says `YOUR CODE HERE`, and run the visible tests.
# 2. *Kernel → Restart Kernel and Run All Cells*: the notebook must work from top to bottom, and not
#    only in the order in which you wrote its cells. The button *Validate* does that for you, too.
# 3. Save. Then run `hand_in("ps1")` in a cell of the assignment. It makes a zip; upload it where
#    your instructor says. (If your course collects through JupyterHub, use its *Submit* instead.)

# %%
from course_utils import hand_in

help(hand_in)

# %% [markdown]
# The visible tests give a part of the points. *Hidden tests*, which you can't see, give the rest.
# They try other inputs, extreme cases (an empty list, a single pixel) and wrong inputs. They ask
# nothing that the assignment doesn't say. There your code runs in a separate process, without an
# Internet connection.

# %%
ask("before_handing_in")

# %% [markdown]
# ## Code it yourself
#
# Replace the three dots `...` in the next cell with your code. Run that cell and the cell below it,
# which checks your answer. Nothing is recorded.
#
# **1.** The negative of a photograph: what was dark is bright, in each of the three tables. A
# number that was 0 becomes 255, and 255 becomes 0.


# %%
def negative(image):
    """The negative of a photograph: uint8 [3, H, W], from 0 to 255."""
    return ...  # your code here


# %%
given = torch.tensor([0, 100, 255], dtype=torch.uint8).view(3, 1, 1)
got = negative(given)
is_right = isinstance(got, torch.Tensor) and got.flatten().tolist() == [255, 155, 0]
print("right" if is_right else f"not yet: for 0, 100, 255 expected 255, 155, 0, got {got}")

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
# **2.** Where is a photograph brightest? Add up the three tables, and find the pixel with the
# largest sum. `tensor.argmax()` gives a single number: it counts the places row by row, from 0. In
# a table with 5 columns place 13 is row 2, column 3, because $13 = 2 \cdot 5 + 3$. `divmod(13, 5)`
# gives `(2, 3)`.


# %%
def brightest(image):
    """(row, column) of the pixel whose three numbers have the largest sum."""
    return ...  # your code here


# %%
dark = torch.zeros(3, 4, 5, dtype=torch.uint8)
dark[:, 2, 3] = 250
dark[:, 0, 1] = 80
print("right" if brightest(dark) == (2, 3) else f"not yet: it is (2, 3), you say {brightest(dark)}")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# def brightest(image):
#     total = image.sum(dim=0)  # image[0] + image[1] + image[2] would overflow: a byte ends at 255
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
# - What we recognise isn't in any single number; it is in the differences between numbers.
# - A network is a chain of layers. Its weights and biases are found by training.
# - A network gives one logit for each of *its* classes, and softmax turns the logits into
#   probabilities. It can't say "none of these".
# - Cross-entropy is $-\log$ of the right class's probability. A step of training moves every weight
#   against its slope. If the rate is small enough, the loss gets smaller.
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
