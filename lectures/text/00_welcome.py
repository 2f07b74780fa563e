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
# - run a lecture, answer its questions, and hand in an assignment;
# - check your installation, and mend what is missing.
#
# **Time**: 25 minutes. **You need**: some Python. **Exercise**: none yet; the first one is
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
from course_utils.models import preprocess, squeezenet, top_k
from course_utils.plots import Grid, show_bars, show_grids, show_pictures
from course_utils.quiz import ask

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
# lecture 1 is about that one word. Out come 1000 numbers, and we look at the five largest.


# %%
def look_at(name):
    with torch.no_grad():
        logits = network(preprocess(load_photograph(name)))
    return {label: 100 * p for label, p in top_k(logits, k=5)}


answer = look_at("cat")
for label, percent in answer.items():
    print(f"{label:15} {percent:5.1f} %")

# %%
show_bars(
    {"what the network says, %": answer},
    alt="A bar chart of the network's five likeliest classes: Egyptian cat, tabby, tiger cat, and "
    "far behind them lynx and cheetah.",
)

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
# Each takes about an hour. Every number in the text is computed by a cell, or checked against its
# source. Words that you forget are in the [glossary](glossary.md).
#
# Three habits are worth having. **Predict** what a cell will print before you run it. **Change**
# something and run it again; you can't break anything, and the menu *Kernel → Restart* starts
# afresh. **Look** at what goes in, and at what comes out.
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
# ## Summary
#
# **Key points**
#
# - A photograph is a tensor of shape (channels, rows, columns), of whole numbers from 0 to 255.
# - What we recognise is in no single number; it is in how they stand to each other.
# - A network gives a probability to each of *its* classes. It can't say "none of these".
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
