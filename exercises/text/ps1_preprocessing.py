# ---
# jupyter:
#   autograder:
#     hidden: [course_utils.models:preprocess, course_utils.data:split_per_class]
# ---

# %% [markdown]
# # From photographs to batches
#
# In lecture 1 you saw what careless preprocessing costs: a quarter to a half of the right answers,
# and never an error. Here you write the way in yourself, for real photographs, one step after the
# other. At the end, a network that you didn't train names what is in your pictures, and another one
# learns from batches that you served.
#
# **After this assignment you can**
#
# - bring photographs of any shape to one size without squashing them;
# - normalise a batch, with statistics that come from where they should;
# - augment pictures at random, each on its own, and repeat the experiment tomorrow;
# - split data so that the test is honest, and serve batches for training and for testing.
#
# | | |
# |---|---|
# | Comes from | lecture `lectures/01_preprocessing.ipynb`, from *Resize* to *Leakage* |
# | Time | about 130 minutes: 30, 30, 25, 35 and 10 for the five parts |
# | Points | 28: 24 for code, 4 for the questions of part 5; the number beside each says how many |
#
# **How to hand in.** Choose *Kernel → Restart Kernel and Run All Cells*, look at what the tests
# say, and save. Then submit in nbgrader's *Assignment List*, or, if your course collects files,
# run `from course_utils import hand_in` and `hand_in("ps1")` and upload the zip that it makes.
#
# **How it is graded.** Every task ends in a test cell. What you see of a test is a small example
# that you can follow with pencil and paper. When your work is graded, the same cell also runs
# checks that you don't see: other shapes, real photographs, many random draws. A test gives all its
# points or none. What is built on an earlier task needs that task; the rest stands for itself.
# The three questions of part 5 are different: **only the first answer that you submit counts.**

# %% [markdown]
# ## Before you start
#
# A picture is a tensor `(C, H, W)`: channels, rows, columns. `load_photograph` gives bytes, 0 to
# 255. A batch is `(N, C, H, W)`. Three house rules hold for all that you write:
#
# 1. Write the step yourself, with tensor arithmetic, indexing and `F.interpolate`. torchvision's
#    transforms and PyTorch's `DataLoader` do most of this for you, and from tomorrow you may use
#    them. `FORBIDDEN` below lists what you may not use today.
# 2. Leave the inputs as they are: somebody else still needs them.
# 3. Draw random numbers from a `torch.Generator` of your own, made from the seed that you get.
#    A function that calls `torch.manual_seed` changes the numbers that everybody else draws.

# %% given="imports"
import ast
import inspect
import textwrap

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.data import load_photograph, load_stamps
from course_utils.models import IMAGENET_MEAN, IMAGENET_STD, squeezenet, top_k
from course_utils.plots import show_pictures
from course_utils.quiz import ask

# %% given="house_rules"
FORBIDDEN = (
    "torchvision transforms v2 Resize CenterCrop RandomCrop Normalize center_crop hflip "
    "RandomHorizontalFlip preprocess DataLoader TensorDataset RandomSampler BatchSampler "
    "random_split split_per_class torch.manual_seed torch.random.manual_seed np.random.seed "
    "random.seed"
)


# %% [markdown]
# The next two cells hold the tools that the tests use. You needn't read them, but you may, and you
# may call `assert_same` while you look for a mistake: it names the first element that differs.


# %% given="test_tools"
def assert_own_work(name, function):
    """Fail unless `function` is written out with def and keeps to the house rules."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        tree = ast.parse("")
    nodes = list(ast.walk(tree))
    defined = [node.name for node in nodes if isinstance(node, ast.FunctionDef)]
    assert name in defined, f"{name}: write it out yourself, beginning with 'def {name}('"
    used = {node.name.split(".")[0] for node in nodes if isinstance(node, ast.alias)}
    for node in nodes:
        if isinstance(node, ast.Attribute | ast.Name):
            used |= {ast.unparse(node), getattr(node, "attr", "")}
    found = ", ".join(sorted(used & set(FORBIDDEN.split())))
    assert not found, f"{name} uses {found}: the house rules say what to do instead"


# %% given="test_tools_compare"
def assert_same(what, got, want, hint="", atol=1e-4):
    """Fail if `got` is not the tensor `want`; say where, and what to look at."""
    kind = type(got).__name__
    assert isinstance(got, torch.Tensor), f"{what} is {kind}, not a tensor: is a return missing?"
    shapes = f"expected shape {tuple(want.shape)}, got {tuple(got.shape)}"
    assert got.shape == want.shape, f"{what}: {shapes}. {hint}"
    types = f"expected {want.dtype}, got {got.dtype}"
    assert got.dtype == want.dtype, f"{what}: {types}. {hint}"
    wrong = ~torch.isclose(got, want, rtol=0, atol=atol)
    if wrong.any():
        first = tuple(wrong.nonzero()[0].tolist())
        values = f"expected {want[first].item():.5g}, got {got[first].item():.5g}"
        raise AssertionError(f"{what} at {first}: {values}. {hint}")


# %% [markdown]
# ## Part 1: one size for all
#
# Here are three photographs as they might reach you: wide, tall, and nearly square. (The last two
# are cut from larger ones.) A batch is a block of numbers: it has one height and one width.

# %%
cat, coffee = load_photograph("cat"), load_photograph("coffee")
photographs = [cat, coffee[:, :, 110:310], load_photograph("rocket")[:, :, 60:320]]
show_pictures(
    {f"{photo.shape[1]} × {photo.shape[2]}": photo for photo in photographs},
    alt="A cat's face in a wide photograph, a red cup of coffee in a tall one, and a rocket on "
    "its launch pad in a nearly square one; above each its height and width.",
    columns=3,
)

# %% [markdown]
# The plan is that of lecture 1: shrink the picture until its **shorter** side has the wanted size
# (or enlarge it, if it is smaller), then cut out the middle square. Shapes stay as they are; what
# is lost lies at the two far ends.
#
# ### Task 1a: the new size (2 points)
#
# The cat has 256 rows and 385 columns. Its shorter side becomes 224, so everything shrinks by
# $224/256$, and $385 \cdot 224/256 = 336.875$ columns are left. There are no seven eighths of a
# column, so we round down, to 336. torchvision rounds down here, too.
#
# 1. Which side is the shorter one? It isn't always the height.
# 2. The shorter side becomes `shorter`, exactly.
# 3. The other one is multiplied by the same factor, and rounded **down** to a whole number.
#
# <details><summary>Hint: one pixel too few, for some sizes</summary>No floating-point number is
# exactly 224/299, and <code>int(299 * (224 / 299))</code> is 223. Stay with whole numbers: multiply
# first, then divide with <code>//</code>.</details>
#
# <details><summary>Hint: must I treat two cases?</summary>You may. Or call
# <code>min(height, width)</code> the short side, and treat both sides alike: what comes out for the
# short one?</details>


# %% solution="new_size"
def new_size(height, width, shorter):
    """Height and width, two ints, after the shorter side has become `shorter`."""
    ### BEGIN SOLUTION
    short = min(height, width)
    return height * shorter // short, width * shorter // short
    ### END SOLUTION


# %% [markdown]
# The test asks for the cat, for the cat turned on its side, and for a square.

# %% test="test_new_size" points=2
hint = "The shorter side becomes 224; the other one keeps the ratio and is rounded down."
for height, width, want in [(256, 385, (224, 336)), (385, 256, (336, 224)), (9, 9, (224, 224))]:
    got = tuple(new_size(height, width, 224))
    assert got == want, f"new_size({height}, {width}, 224): expected {want}, got {got}. {hint}"
    assert all(type(side) is int for side in got), f"{got}: both must be int, for a shape."
### BEGIN HIDDEN TESTS
cases = [(299, 400, 224), (400, 299, 224), (600, 401, 128), (401, 600, 600), (333, 1000, 96)]
cases += [(299, 598, 224), (110, 55, 224), (49, 98, 64)]  # twice as long, in floats a little less
for height, width, shorter in cases:
    short = min(height, width)
    want = (height * shorter // short, width * shorter // short)
    got = tuple(new_size(height, width, shorter))
    what = f"new_size({height}, {width}, {shorter}): expected {want}, got {got}"
    exact = "Stay with whole numbers: int(299 * (224 / 299)) is 223."
    assert sum(got) != sum(want) - 1, f"{what}. {exact}"
    assert got == want, f"{what}. {hint}"
### END HIDDEN TESTS

# %% [markdown]
# ### Task 1b: the middle square (3 points, and 1 for the stripes)
#
# Now do it: bytes of any shape in, a square of floats from 0 to 1 out. It has to work for any
# number of channels, because an X-ray has one.
#
# 1. Turn bytes into floats from 0 to 1. The largest byte must become exactly 1.
# 2. Resize to the size that `new_size` gives. `F.interpolate` wants a batch, so put the picture
#    into a batch of one, and take it out again. Use `size=…`, `mode="bilinear"`, `antialias=True`.
# 3. Cut out the middle. Of 336 columns, 224 stay: $\lfloor (336 - 224)/2 \rfloor = 56$ go on the
#    left, and the rest on the right. Rows likewise.
#
# <details><summary>Hint: everything is black, or nearly</summary>For bytes, <code>//</code> gives
# whole numbers, and 254 // 255 is 0. Use <code>/</code>.</details>
#
# <details><summary>Hint: a batch of one, and back</summary><code>picture[None]</code> has a new
# first axis; <code>batch[0]</code> takes it away.</details>
#
# <details><summary>Hint: the middle of 8 columns out of 20</summary>(20 − 8) // 2 = 6, so columns 6
# to 13: <code>picture[:, :, 6 : 6 + 8]</code>.</details>


# %% solution="to_square"
def to_square(photograph, size):
    """The middle square of bytes (C, H, W), as float32 (C, size, size) from 0 to 1."""
    ### BEGIN SOLUTION
    picture = photograph / 255
    height, width = new_size(*photograph.shape[1:], size)
    picture = F.interpolate(picture[None], (height, width), mode="bilinear", antialias=True)[0]
    top, left = (height - size) // 2, (width - size) // 2
    return picture[:, top : top + size, left : left + size]
    ### END SOLUTION


# %% [markdown]
# The example is a picture of 2 × 5 bytes. Its shorter side has the right size already, so nothing
# is resized: only the two middle columns stay, divided by 255. Before that, white must become 1.

# %% test="test_to_square" points=3
assert_own_work("to_square", to_square)
white = to_square(torch.full((2, 3, 4), 255, dtype=torch.uint8), 3)
hint = "A square of white: divide by 255, the largest byte, not by 256."
assert_same("white", white, torch.ones(2, 3, 3), hint)
photograph = torch.tensor([[[0, 51, 255, 0, 0], [0, 102, 204, 0, 0]]], dtype=torch.uint8)
want = torch.tensor([[[0.2, 1.0], [0.4, 0.8]]])
hint = "Columns 1 and 2 are the middle: cut them out, don't squash. Divide with /, not with //."
assert_same("to_square", to_square(photograph, 2), want, hint)
### BEGIN HIDDEN TESTS
for count, size, first in [(23, 8, 7), (22, 9, 6), (20, 9, 5)]:
    numbers = torch.arange(count, dtype=torch.uint8).expand(1, size, count)
    for side, picture in {"columns": numbers, "rows": numbers.mT}.items():
        got = to_square(picture, size)
        want = f"expected shape (1, {size}, {size})"
        assert got.shape == (1, size, size), f"{want}, got {tuple(got.shape)}"
        shown = (255 * got).round().int().unique().tolist()
        hint = f"of {count} {side}, expected the middle ones, {first} to {first + size - 1}, got"
        goes = f"{count - size} go: {first} before and {count - size - first} after."
        assert shown == list(range(first, first + size)), f"{hint} {shown}. {goes}"
for name, size in [("cat", 224), ("coffee", 100), ("rocket", 300)]:
    photograph = load_photograph(name)
    for picture in (photograph, photograph[:1, :, 90:301], photograph[:, :, :256].contiguous()):
        height, width = new_size(*picture.shape[1:], size)
        want = F.interpolate(
            picture[None].float() / 255, (height, width), mode="bilinear", antialias=True
        )[0]
        top, left = (height - size) // 2, (width - size) // 2
        want = want[:, top : top + size, left : left + size]
        before = picture.clone()
        got = to_square(picture, size)
        assert torch.equal(picture, before), "to_square changed the photograph."
        what = f"the {name}, {tuple(picture.shape)}, at {size} pixels"
        hint = "Resize by the shorter side, bilinear with antialias, then cut out the middle."
        assert_same(what, got, want, hint, atol=0.012)  # room for whoever rounds to bytes
### END HIDDEN TESTS

# %% [markdown]
# And the stripes of lecture 1, black and white by turns, each one pixel wide. Shrunk from 64 pixels
# to 20 they are too fine to be seen, so grey is right, everywhere. Whoever only looks at the four
# nearest pixels gets other stripes, wider ones, that were never there.

# %% test="test_stripes" points=1
stripes = torch.zeros(3, 64, 64, dtype=torch.uint8)
stripes[:, :, 1::2] = 255
middle = to_square(stripes, 20)[:, :, 4:-4]
hint = "Fine patterns have to be blurred before they shrink: antialias."
assert_same("the stripes' middle", middle, torch.full((3, 20, 12), 0.5), hint, atol=0.1)
### BEGIN HIDDEN TESTS
for name, picture in {"moved by one": stripes.roll(1, 2), "lying": stripes.mT}.items():
    for size in (24, 17):
        middle = to_square(picture, size)[:, 4:-4, 4:-4]
        want = torch.full((3, size - 8, size - 8), 0.5)
        assert_same(f"stripes {name}, {size} pixels: their middle", middle, want, hint, atol=0.1)
### END HIDDEN TESTS

# %% [markdown]
# Look at what you made. Are the cup and the cat's face in the middle, with their own shapes? What
# is cut off, and for which question about the picture would that matter?

# %%
squares = torch.stack([to_square(photo, 224) for photo in photographs])
show_pictures(
    {"cat": squares[0], "coffee": squares[1], "rocket": squares[2]},
    alt="The middle squares of the three photographs: the cat's face, the cup and the rocket, none "
    "of them squashed.",
    columns=3,
)

# %% [markdown]
# ## Part 2: the numbers that the network expects
#
# The squares hold numbers from 0 to 1. Networks get them shifted and scaled, **each channel by its
# own mean and standard deviation**:
#
# $$z_c = \frac{x_c - \mu_c}{\sigma_c}$$
#
# ### Task 2a: mean and deviation of each channel (2 points)
#
# First the two statistics, over *all* pixels of *all* pictures. Take two pictures with one channel,
# the first all black and the second all white. The mean is $0.5$, and every pixel is $0.5$ away
# from it, so the standard deviation is $0.5$. But *within* each picture nothing varies: whoever
# computes the deviation of each picture and then averages gets $0$. (The standard deviation is the
# square root of the mean *squared* distance from the mean.)
#
# 1. Decide which axes of `(N, C, H, W)` disappear, and which one stays.
# 2. Take mean and standard deviation over all those axes at once. (Whether you divide by $n$ or by
#    $n - 1$ is the same to us: there are thousands of pixels.)
#
# <details><summary>Hint: several axes at once</summary><code>x.mean(dim=(…, …, …))</code> and
# <code>x.std(dim=(…, …, …))</code> take a tuple of axes. The result has the shape (C,).</details>


# %% solution="channel_statistics"
def channel_statistics(images):
    """Mean and standard deviation, two tensors (C,), of each channel of images (N, C, H, W)."""
    ### BEGIN SOLUTION
    return images.mean(dim=(0, 2, 3)), images.std(dim=(0, 2, 3))
    ### END SOLUTION


# %% [markdown]
# The test has two channels. The first is black in one picture and white in the other; the second is
# $0.2$ everywhere, and doesn't vary at all.

# %% test="test_channel_statistics" points=2
images = torch.full((2, 2, 40, 50), 0.2)
images[0, 0], images[1, 0] = 0, 1
mean, std = channel_statistics(images)
hint = "Average over pictures, rows and columns, and keep the channels."
assert_same("mean", mean, torch.tensor([0.5, 0.2]), hint)
hint = "Over all pictures at once: the deviation within each picture misses how pictures differ."
assert_same("std", std, torch.tensor([0.5, 0.0]), hint, atol=1e-3)
### BEGIN HIDDEN TESTS
generator = torch.Generator().manual_seed(101)
for shape in [(5, 3, 20, 30), (2, 4, 30, 25), (6, 1, 16, 16)]:
    scale = torch.rand(shape[0], shape[1], 1, 1, generator=generator)
    images = scale * torch.rand(shape, generator=generator)
    before = images.clone()
    mean, std = channel_statistics(images)
    assert torch.equal(images, before), "channel_statistics changed the images."
    columns = images.double().transpose(0, 1).flatten(1)
    hint = "Average over pictures, rows and columns, and keep the channels."
    assert_same("mean", mean, columns.mean(1).float(), hint)
    hint = "The square root of the mean squared distance, over all pictures at once."
    assert_same("std", std, columns.std(1).float(), hint, atol=5e-4)
### END HIDDEN TESTS

# %% [markdown]
# ### Task 2b: normalise (2 points)
#
# Let a channel have mean $0.5$ and deviation $0.25$. Then $1$ becomes $(1 - 0.5)/0.25 = 2$, and $0$
# becomes $-2$. Mean and deviation come as one number for each channel, in a tuple, a list or a
# tensor: three for a colour photograph, one for an X-ray.
#
# The trap is the shape. Three numbers of shape `(3,)` line up with the **last** axis of
# `(N, 3, H, W)`, which is the columns. As a rule that is an error. For pictures that happen to be
# three pixels wide it isn't, and every column gets a mean of its own.
#
# 1. Make tensors of `mean` and `std` whose shape lines up with the channels.
# 2. Subtract, then divide.
#
# <details><summary>Hint: lining up</summary>Shapes are matched from the right. To meet the C of
# (N, C, H, W), C has to be followed by two axes of length 1.</details>
#
# <details><summary>Hint: the test says that I changed the images</summary><code>images -=
# mean</code> writes into the tensor that you were lent.</details>


# %% solution="normalise"
def normalise(images, mean, std):
    """Images (N, C, H, W), each channel less its mean and divided by its deviation."""
    ### BEGIN SOLUTION
    mean = torch.as_tensor(mean).view(-1, 1, 1)
    std = torch.as_tensor(std).view(-1, 1, 1)
    return (images - mean) / std
    ### END SOLUTION


# %% [markdown]
# The picture of the test is all ones and three pixels wide, so that it tells channels from columns.

# %% test="test_normalise" points=2
assert_own_work("normalise", normalise)
got = normalise(torch.ones(1, 3, 3, 3), (0.0, 0.5, 0.8), (1.0, 0.25, 0.1))
want = torch.tensor([1.0, 2.0, 2.0]).view(1, 3, 1, 1).expand(1, 3, 3, 3)
hint = "Subtract the channel's mean, divide by its deviation. Channels are axis 1, not the columns."
assert_same("normalise", got, want, hint)
### BEGIN HIDDEN TESTS
generator = torch.Generator().manual_seed(102)
for kind, shape in [(tuple, (2, 3, 5, 7)), (list, (3, 3, 3, 3)), (torch.tensor, (1, 4, 4, 6))]:
    images = torch.rand(shape, generator=generator)
    mean = torch.rand(shape[1], generator=generator)
    std = 0.1 + torch.rand(shape[1], generator=generator)
    want = torch.stack([(images[:, c] - mean[c]) / std[c] for c in range(shape[1])], dim=1)
    before = images.clone()
    its_mean, its_std = kind(mean.tolist()), kind(std.tolist())
    got = normalise(images, its_mean, its_std)
    assert torch.equal(images, before), "normalise changed the images: work on new tensors."
    for name, given, was in [("mean", its_mean, mean), ("std", its_std, std)]:
        hint_kept = f"normalise changed {name}, or its shape: work on new tensors."
        assert torch.equal(torch.as_tensor(given), was), hint_kept
    assert_same(f"normalise of {shape}", got, want, hint)
### END HIDDEN TESTS

# %% [markdown]
# ### Task 2c: photographs in, a batch out (2 points)
#
# Put it together: a list of photographs of any shapes becomes one batch that a network can take.
#
# 1. Make a square of each photograph.
# 2. Stack the squares along a new first axis.
# 3. Normalise the batch with the given statistics.
#
# <details><summary>Hint: torch.stack complains about sizes</summary>Then one of your squares isn't
# square. Print its shape, and look at task 1a: is the shorter side always exact?</details>


# %% solution="to_batch"
def to_batch(photographs, size, mean, std):
    """A normalised batch (N, C, size, size) from a list of photographs, bytes (C, H, W)."""
    ### BEGIN SOLUTION
    squares = [to_square(photograph, size) for photograph in photographs]
    return normalise(torch.stack(squares), mean, std)
    ### END SOLUTION


# %% [markdown]
# A white picture and a black one, of different shapes, make the example. When your work is graded,
# the test also asks SqueezeNet what it sees in your batch.

# %% test="test_to_batch" points=2
white = torch.full((3, 20, 30), 255, dtype=torch.uint8)
black = torch.zeros(3, 25, 16, dtype=torch.uint8)
got = to_batch([white, black], 8, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
want = torch.tensor([2.0, -2.0]).view(2, 1, 1, 1).expand(2, 3, 8, 8)
hint = "With the mean and std that you are given, white becomes (1 - 0.5) / 0.25, and black -2."
assert_same("to_batch", got, want, hint)
### BEGIN HIDDEN TESTS
red = torch.zeros(3, 9, 9, dtype=torch.uint8)
red[0] = 255
got = to_batch([red], 4, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))[0, :, 0, 0].tolist()
hint = f"a red photograph became {got}: the order is red, green, blue."
assert [round(value, 3) for value in got] == [1, 0, 0], hint
photographs = [load_photograph("cat"), load_photograph("coffee")[:, :, 100:310]]
got = to_batch(photographs, 224, IMAGENET_MEAN, IMAGENET_STD)
assert got.shape == (2, 3, 224, 224), f"expected shape (2, 3, 224, 224), got {tuple(got.shape)}"
with torch.no_grad():
    answers = squeezenet()(got)
for logits, name in zip(answers, ("Egyptian cat", "espresso"), strict=True):
    best, sure = top_k(logits, k=1)[0]
    hint = f"SqueezeNet says {best}, {100 * sure:.0f} % sure, where it should say {name}."
    assert best == name, f"{hint} Look at what you give it with show_pictures."
want = torch.stack([to_square(photograph, 224) for photograph in photographs])
for c in range(3):
    want[:, c] = (want[:, c] - IMAGENET_MEAN[c]) / IMAGENET_STD[c]
hint = "Normalise with the mean and std that you are given, not with the batch's own."
assert_same("to_batch", got, want, hint)
### END HIDDEN TESTS

# %% [markdown]
# Now the real thing. SqueezeNet was trained on ImageNet, so it wants ImageNet's statistics, not
# those of our three photographs. In lecture 1 it saw an Egyptian cat and an espresso.

# %%
network = squeezenet()
with torch.no_grad():
    answers = network(to_batch(photographs, 224, IMAGENET_MEAN, IMAGENET_STD))
for logits in answers:
    print(", ".join(f"{name} {100 * p:.0f} %" for name, p in top_k(logits, k=3)))

# %% [markdown]
# **Try it.** Leave the normalisation out, or swap red and blue with `photo.flip(0)`, and run the
# cell again. Which of the three photographs still gets its right name? (ImageNet has no class for
# rockets on their pad; what is the closest that it has?)
#
# ## Part 3: augment
#
# A picture of a bear, mirrored, is a picture of a bear, and so it is when the bear stands two
# pixels further to the left. If we tell the network so, by showing it the picture a little
# differently in each epoch, it needn't learn it from the data. Both changes **keep the label**.
# Turning the picture on its head mostly does, too, but nobody takes such pictures; so we don't.
#
# From here on we take the stamps of lecture 1: many, small, and on white. What moves out of them on
# one side may come in again on the other, which is what `torch.roll` does:
#
# $$\begin{pmatrix}1&2&3\\4&5&6\end{pmatrix}
# \;\xrightarrow{\text{mirror}}\;\begin{pmatrix}3&2&1\\6&5&4\end{pmatrix}
# \;\xrightarrow{\text{1 down, 1 right}}\;\begin{pmatrix}4&6&5\\1&3&2\end{pmatrix}$$
#
# ### Task 3: mirror and move (2 points for the pictures, 2 for the chance)
#
# For each picture of the batch **on its own**:
#
# 1. With probability ½, mirror it left to right.
# 2. Draw two whole numbers, each of $-\text{reach}, \dots, \text{reach}$ as likely as the others:
#    how far it moves down and how far to the right.
# 3. Roll it by these. The new picture takes the place of the old one, so that labels still fit.
#
# All chance comes from one generator that you make from `seed`. The same seed gives the same
# pictures, whatever else the notebook draws.
#
# <details><summary>Hint: a generator of my own</summary>
# <code>generator = torch.Generator().manual_seed(seed)</code>, and then
# <code>torch.rand(…, generator=generator)</code>.</details>
#
# <details><summary>Hint: it never moves by +reach</summary>Does <code>torch.randint(low, high,
# …)</code> ever give <code>high</code>?</details>
#
# <details><summary>Hint: the mirrored picture is on its head</summary>A single picture has the axes
# (C, H, W), a batch has one more in front. Left and right are neighbours along the last.</details>
#
# <details><summary>Hint: a loop over the pictures is fine</summary>Collect the new pictures in a
# list, and stack them at the end. That leaves the originals alone, too.</details>


# %% solution="augment"
def augment(images, seed, reach=2):
    """New images (N, C, H, W), each mirrored or not and moved by up to `reach` pixels."""
    ### BEGIN SOLUTION
    generator = torch.Generator().manual_seed(seed)
    changed = []
    for image in images:
        if torch.rand((), generator=generator) < 0.5:
            image = image.flip(2)
        steps = torch.randint(-reach, reach + 1, (2,), generator=generator).tolist()
        changed.append(image.roll(steps, (1, 2)))
    return torch.stack(changed)
    ### END SOLUTION


# %% [markdown]
# With a reach of 0 nothing moves, and each picture of a batch is the original or its mirror image.
# Whether the coin is fair, and tossed for each picture, the second test asks.

# %% test="test_augment" points=2
assert_own_work("augment", augment)
original = torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])
mirrored = torch.tensor([[[3.0, 2.0, 1.0], [6.0, 5.0, 4.0]]])
images = original.repeat(8, 1, 1, 1)
got = augment(images, seed=1, reach=0)
assert isinstance(got, torch.Tensor), f"expected a tensor, got {type(got).__name__}"
assert got.shape == images.shape, f"expected shape {tuple(images.shape)}, got {tuple(got.shape)}"
as_it_was = [torch.equal(picture, original) for picture in got]
turned = [torch.equal(picture, mirrored) for picture in got]
for picture, kept, flipped in zip(got, as_it_was, turned, strict=True):
    hint = f"{picture.tolist()} is neither the picture nor its mirror image, left to right."
    assert kept or flipped, hint
### BEGIN HIDDEN TESTS
numbers = torch.arange(30.0).view(30, 1, 1, 1).repeat(1, 3, 5, 4)
hint = "Picture i has to stay at place i: labels don't move."
assert_same("pictures of one colour", augment(numbers, seed=2), numbers, hint)
images = torch.rand(12, 2, 6, 5, generator=torch.Generator().manual_seed(103))
before = images.clone()
got = augment(images, seed=3)
assert torch.equal(images, before), "augment changed the images: put the new ones elsewhere."
pixels = [pictures.flatten(2).sort(2).values for pictures in (got, images)]
hint = "Some pixels are lost. What moves out on one side comes in on the other: torch.roll."
assert_same("the pixels, sorted", *pixels, hint)
### END HIDDEN TESTS

# %% [markdown]
# Then the chance: the same seed, the same pictures; another seed, others.

# %% test="test_augment_chance" points=2
images = torch.arange(480.0).view(20, 1, 4, 6)
once = augment(images.clone(), seed=5)
hint = "Seed 5 gave other pictures before: draw from a generator made from the seed."
assert_same("augment(images, 5), again", augment(images.clone(), seed=5), once, hint)
hint = "Seeds 5 and 6 give the same pictures: use the seed that you are given."
assert not torch.equal(augment(images.clone(), seed=6), once), hint
### BEGIN HIDDEN TESTS
picture = torch.arange(126.0).view(3, 6, 7)
for reach in (2, 1):
    steps = range(-reach, reach + 1)
    versions = {
        (mirrored, down, right): one.roll((down, right), (1, 2))
        for mirrored, one in [(False, picture), (True, picture.flip(2))]
        for down in steps
        for right in steps
    }
    got = augment(picture.repeat(2000, 1, 1, 1), seed=7, reach=reach)
    found = (got[:, None] == torch.stack(list(versions.values()))).flatten(2).all(2)
    hint = f"A picture is neither the original nor its mirror image, moved by up to {reach} pixels."
    assert found.any(1).all(), hint
    drawn = [list(versions)[i] for i in found.int().argmax(1).tolist()]
    share = sum(mirrored for mirrored, _, _ in drawn) / 2000
    hint = f"{share:.0%} of 2000 pictures are mirrored: toss a coin for each picture."
    assert 0.43 < share < 0.57, hint  # six standard deviations
    for axis, name in [(1, "down"), (2, "right")]:
        counts = {step: sum(one[axis] == step for one in drawn) for step in steps}
        hint = f"Of 2000 pictures, so many moved {name} by these steps: {counts}."
        even = all(abs(count - 2000 / len(steps)) < 110 for count in counts.values())
        assert even, f"{hint} All should be about as likely."  # five standard deviations
    hint = "Draw mirroring, down and right one by one: some combinations never come."
    assert len(set(drawn)) == len(versions), hint
### END HIDDEN TESTS

# %% [markdown]
# Here is one stamp in twelve versions. Would you give all of them the same label?

# %%
stamps = load_stamps()
small = F.interpolate(stamps.images / 255, size=24, mode="bilinear", antialias=True)
one = small[stamps.captions.index("A camel.")].repeat(12, 1, 1, 1)
show_pictures(
    {f"version {i + 1}": picture for i, picture in enumerate(augment(one, seed=0))},
    alt="Twelve small pictures of a camel; in some it looks to the left, in some to the right, and "
    "each stands at a slightly different place.",
)

# %% [markdown]
# ## Part 4: serve
#
# ### Task 4a: split first (2 points)
#
# Before anything else happens, some pictures are set aside for the test. In lecture 1 the test was
# wrong by the back door: a picture on one side and its twin on the other. So the split goes by the
# **thing photographed**. `groups` says for each picture what it shows: for four pictures perhaps
# `["cat", "cup", "cat", "dog"]`. If "cat" is chosen for the test, both of its pictures go there.
#
# 1. List the different groups, in an order that doesn't depend on chance.
# 2. Choose `test_groups` of them at random, with a generator made from `seed`. Each group is as
#    likely as the others, however many pictures it has.
# 3. Return two lists of positions (ints), ascending: first those of the training pictures, then
#    those of the test pictures. Every picture is in exactly one of them.
#
# <details><summary>Hint: the different groups</summary><code>sorted(set(groups))</code>. Without
# <code>sorted</code>, the order of a set of strings changes from one start of Python to the next,
# and your seed no longer means anything.</details>
#
# <details><summary>Hint: choose some at random</summary><code>torch.randperm(n,
# generator=generator)</code> is a random order of 0 to n − 1. Take the first few.</details>


# %% solution="split_by_group"
def split_by_group(groups, test_groups, seed):
    """Positions of the training and of the test pictures; no group is in both."""
    ### BEGIN SOLUTION
    names = sorted(set(groups))
    order = torch.randperm(len(names), generator=torch.Generator().manual_seed(seed))
    chosen = {names[i] for i in order[:test_groups].tolist()}
    train = [i for i, group in enumerate(groups) if group not in chosen]
    test = [i for i, group in enumerate(groups) if group in chosen]
    return train, test
    ### END SOLUTION


# %% test="test_split_by_group" points=2
assert_own_work("split_by_group", split_by_group)
groups = ["cat", "cup", "cat", "dog", "cup", "cat"]
train, test = split_by_group(groups, 1, seed=0)
assert sorted([*train, *test]) == [0, 1, 2, 3, 4, 5], f"{train}, {test}: each picture once, please."
both = {groups[i] for i in train} & {groups[i] for i in test}
assert not both, f"{both} on both sides: the test would ask about a thing that was learnt."
assert len({groups[i] for i in test}) == 1, f"{test}: expected all pictures of one group."
### BEGIN HIDDEN TESTS
names = [f"{thing}s" for thing in ("gnu", "apple", "truck", "lion", "rose", "key", "crow")]
groups = [names[i * i % 7] for i in range(40)] + names
tested = set()
for seed in range(16):
    train, test = split_by_group(groups, 3, seed)
    both = {groups[i] for i in train} & {groups[i] for i in test}
    assert not both, f"{both} on both sides: all pictures of a thing go to the same side."
    assert sorted([*train, *test]) == list(range(47)), "Each picture has to be in exactly one list."
    count = len({groups[i] for i in test})
    assert count == 3, f"expected 3 groups of 7 in the test, got {count}. Training comes first."
    assert [*train, *test] == sorted(train) + sorted(test), "Positions have to ascend."
    tested |= {groups[i] for i in test}
    again, _ = split_by_group(groups, 3, seed)
    assert list(again) == list(train), "The same seed has to give the same split."
hint = f"In 16 splits only {sorted(tested)} were ever in the test: choose the groups at random."
assert len(tested) == 7, hint
### END HIDDEN TESTS

# %% [markdown]
# ### Task 4b: a loader (2 points for the batches, 2 for the epochs)
#
# Training goes over all pictures again and again, in batches. One pass is an *epoch*. A loader is
# made once, and each `for` loop over it is one epoch:
#
# ```python
# loader = Loader(images, labels, batch_size=32, seed=0)
# for epoch in range(10):
#     for some_images, some_labels in loader:
#         ...
# ```
#
# Made **with** a seed, it is for training: each epoch has a new random order, and its pictures are
# augmented anew. Made **without** one, it is for testing, and nothing is random: the pictures come
# in their order and as they are. In both cases every picture comes exactly once in an epoch. The
# last batch is smaller if the numbers don't divide; it isn't thrown away. Each `for` loop begins at
# the first batch, even while another loop over the same loader is still open.
#
# `__iter__` is what Python calls when a `for` loop begins. Written with `yield`, it gives the
# batches one at a time.
#
# 1. In `__init__(self, images, labels, batch_size, seed=None)`, keep what you get, and make **one**
#    generator from the seed.
# 2. In `__len__`, count the batches of an epoch.
# 3. In `__iter__`, make an order: a new permutation from that generator, or 0, 1, 2, … without a
#    seed.
# 4. Cut the order into pieces, take images and labels by the *same* piece, and yield both.
# 5. For training, `augment(…)` each batch, with its own reach of 2. Draw its seed from your
#    generator, so that no two batches are changed alike.
#
# <details><summary>Hint: each epoch has the same order</summary>Where is the generator made? In
# <code>__iter__</code> it would start anew each time.</details>
#
# <details><summary>Hint: cutting the order</summary><code>order.split(batch_size)</code> gives
# pieces, the last one smaller. <code>images[piece]</code> is a new tensor with those
# pictures.</details>
#
# <details><summary>Hint: drawing a seed</summary>A seed is a whole number:
# <code>int(torch.randint(10_000, (), generator=self.generator))</code></details>


# %% solution="Loader"
class Loader:
    """Batches of images (N, C, H, W) and labels (N,): with a seed for training, else for tests."""

    ### BEGIN SOLUTION
    def __init__(self, images, labels, batch_size, seed=None):
        self.images, self.labels, self.batch_size = images, labels, batch_size
        self.generator = None if seed is None else torch.Generator().manual_seed(seed)

    def __len__(self):
        return -(-len(self.labels) // self.batch_size)

    def __iter__(self):
        count = len(self.labels)
        order = torch.arange(count)
        if self.generator is not None:
            order = torch.randperm(count, generator=self.generator)
        for piece in order.split(self.batch_size):
            images = self.images[piece]
            if self.generator is not None:
                images = augment(images, int(torch.randint(10_000, (), generator=self.generator)))
            yield images, self.labels[piece]

    ### END SOLUTION


# %% [markdown]
# In the test, picture $i$ is filled with the number $i$ and has the label $i$. So a picture that
# lost its label shows at once, and mirroring and moving change nothing.

# %% test="test_loader" points=2
assert_own_work("__iter__", Loader.__iter__)
labels = torch.arange(7)
images = labels.float().view(7, 1, 1, 1).repeat(1, 1, 4, 4)
for seed in (None, 0):
    loader = Loader(images, labels, batch_size=3, seed=seed)
    assert len(loader) == 3, f"7 pictures in batches of 3 are 3 batches, but len is {len(loader)}."
    batches = list(loader)
    sizes = [len(some_labels) for _, some_labels in batches]
    assert sizes == [3, 3, 1], f"expected batches of 3, 3 and 1, got {sizes}."
    for some_images, some_labels in batches:
        shown = some_images[:, 0, 0, 0].long()
        hint = "A picture has another picture's label: use one order for both."
        assert_same("what the pictures show", shown, some_labels, hint)
### BEGIN HIDDEN TESTS
for count, size, want in [(23, 5, [5, 5, 5, 5, 3]), (10, 5, [5, 5]), (3, 8, [3])]:
    labels = torch.arange(100, 100 + count)
    images = labels.float().view(count, 1, 1, 1).repeat(1, 2, 3, 4)
    before = images.clone()
    for seed in (None, 4):
        loader = Loader(images, labels, size, seed)
        for epoch in (1, 2):
            batches = list(loader)
            sizes = [len(some_labels) for _, some_labels in batches]
            hint = f"{count} pictures, batches of {size}: expected {want}, got {sizes}."
            assert (sizes, len(loader)) == (want, len(want)), f"{hint} len is {len(loader)}."
            served = torch.cat([some_labels for _, some_labels in batches])
            hint = f"epoch {epoch}: each picture has to come exactly once."
            assert_same("the labels, sorted", served.sort().values, labels, hint)
            shown = torch.cat([some_images for some_images, _ in batches])
            fits = served.float().view(count, 1, 1, 1).expand(count, 2, 3, 4)
            hint = "A picture has another picture's label: use one order for both."
            assert_same("what the pictures show", shown, fits, hint)
    hint = "Two loops over one loader disturb each other: keep the place in __iter__, not in self."
    plain = Loader(images, labels, size)
    for (_, one), (_, two) in zip(plain, plain, strict=False):
        assert torch.equal(one, two), hint
    assert torch.equal(images, before), "Loader changed the images that it was given."
### END HIDDEN TESTS

# %% [markdown]
# The second test looks at several epochs.

# %% test="test_loader_epochs" points=2
labels = torch.arange(48)
images = torch.zeros(48, 1, 4, 4)
testing, training = Loader(images, labels, 8), Loader(images, labels, 8, seed=0)
plain = [torch.cat([some for _, some in testing]).tolist() for _ in range(2)]
hint = "Without a seed the loader is for testing: pictures come in their own order."
assert plain == [list(range(48)), list(range(48))], hint
first, second = (torch.cat([some for _, some in training]).tolist() for _ in range(2))
assert first != list(range(48)), "With a seed the loader is for training: shuffle."
assert first != second, "The second epoch has the first one's order: make the generator only once."
### BEGIN HIDDEN TESTS
images = torch.rand(40, 1, 6, 6, generator=torch.Generator().manual_seed(104))
labels = torch.arange(40)


def epoch_of(loader):
    """Labels as they come, and the pictures put back into their own order."""
    pictures, served = zip(*list(loader), strict=True)
    served = torch.cat(served)
    return served.tolist(), torch.cat(pictures)[served.argsort()]


hint = "A test picture is served as it is: augment in training only."
assert_same("the test pictures", epoch_of(Loader(images, labels, 8))[1], images, hint)
one, twin, other = (Loader(images, labels, 8, seed) for seed in (3, 3, 4))
first, pictures = epoch_of(one)
second, later = epoch_of(one)
hint = "Two loaders with the same seed have to serve the same: draw all from their generator."
for order, shown in [(first, pictures), (second, later)]:
    its_order, its_pictures = epoch_of(twin)
    assert its_order == order, hint
    assert_same("the pictures of the second loader", its_pictures, shown, hint)
assert epoch_of(other)[0] != first, "Seeds 3 and 4 give the same order: use the seed."
assert first != second, "The second epoch has the first one's order: make the generator only once."
together = [{frozenset(order[i : i + 8]) for i in range(0, 40, 8)} for order in (first, second)]
hint = "Both epochs have the same pictures in a batch: shuffle first, then cut into batches."
assert together[0] != together[1], hint
assert not torch.equal(pictures, images), "The training pictures aren't augmented."
hint = "Both epochs show the same versions of the pictures: augment anew each time."
assert not torch.equal(pictures, later), hint
pixels = [shown.flatten(1).sort(1).values for shown in (later, images)]
assert_same("pixels in the second epoch, sorted", *pixels, "Augment the originals.")
loader = Loader(images[:1].repeat(16, 1, 1, 1), labels[:16], 1, seed=5)
shown = {tuple(picture.flatten().tolist()) for picture, _ in loader}
hint = f"Sixteen batches of one and the same picture: {len(shown)} version of it. Draw new seeds."
assert len(shown) > 5, hint
### END HIDDEN TESTS

# %% [markdown]
# ### Task 4c: nothing from the test (2 points)
#
# Two loaders for one experiment. What is left to decide is where mean and deviation come from. They
# are numbers that the model uses, so they are *learnt*, like weights. From the test pictures
# nothing may be learnt. And the test pictures have to be normalised with the very same numbers, or
# the network meets something it wasn't trained for.
#
# 1. Turn the bytes into 0 to 1.
# 2. Compute mean and deviation over the training pictures **alone**.
# 3. Normalise all pictures with these.
# 4. Make two loaders with batches of `batch_size`: one of the training pictures, with the seed, and
#    one of the test pictures, in the order of `test`, without.
#
# <details><summary>Hint: some of the pictures</summary>A list of positions is an index:
# <code>images[train]</code> has the training pictures, in that order.</details>


# %% solution="make_loaders"
def make_loaders(images, labels, train, test, batch_size, seed):
    """A training and a test loader of bytes (N, C, H, W), normalised; train, test: positions."""
    ### BEGIN SOLUTION
    images = images / 255
    images = normalise(images, *channel_statistics(images[train]))
    training = Loader(images[train], labels[train], batch_size, seed)
    return training, Loader(images[test], labels[test], batch_size)
    ### END SOLUTION


# %% [markdown]
# Four pictures: black and white for training, grey and white for the test. In the training pictures
# 0 and 1 become about $-1$ and $1$, because mean and deviation are $0.5$. So the test's white is
# about $1$, too, and its grey, $0.6$, becomes about $0.2$.

# %% test="test_make_loaders" points=2
images = torch.tensor([0, 255, 153, 255], dtype=torch.uint8).view(4, 1, 1, 1).repeat(1, 1, 30, 30)
labels = torch.tensor([0, 1, 0, 1])
training, testing = make_loaders(images, labels, [0, 1], [2, 3], batch_size=2, seed=0)
((batch, its_labels),) = training
assert sorted(its_labels.tolist()) == [0, 1], f"expected the labels 0 and 1, got {its_labels}"
hint = "Mean and deviation come from the training pictures alone: they are 0.5."
want = (2.0 * its_labels - 1).view(2, 1, 1, 1).expand(2, 1, 30, 30)
assert_same("the training batch", batch, want, hint, atol=1e-2)
((batch, its_labels),) = testing
want = torch.tensor([0.2, 1.0]).view(2, 1, 1, 1).expand(2, 1, 30, 30)
assert_same("the test batch", batch, want, hint, atol=1e-2)
### BEGIN HIDDEN TESTS
images = torch.randint(256, (40, 3, 5, 6), generator=torch.Generator().manual_seed(105))
images = (images * torch.tensor([0.4, 0.7, 1]).view(3, 1, 1)).byte()
images[1::2] //= 3
labels = torch.arange(40)
train, test = [*range(0, 40, 2), 1, 3, 5, 7], [*range(39, 7, -2)]
before = images.clone()
training, testing = make_loaders(images, labels, train, test, 8, seed=6)
assert (len(training), len(testing)) == (3, 2), "Both loaders have batches of batch_size."
pictures, served = zip(*list(training), strict=True)
pictures, served = torch.cat(pictures), torch.cat(served).tolist()
assert sorted(served) == sorted(train), "The training loader serves train, each picture once."
assert served != train, "The training loader gets the seed, so that it shuffles."
learnt = images[train].float() / 255
mean, std = learnt.mean((0, 2, 3)).view(3, 1, 1), learnt.std((0, 2, 3)).view(3, 1, 1)
hint = "Mean and deviation come from the training pictures alone, channel by channel."
want = ((images[served].float() / 255 - mean) / std).flatten(2).sort(2).values
got = pictures.flatten(2).sort(2).values
assert_same("pixels of the training pictures, sorted", got, want, hint, atol=1e-2)
batches = list(testing)
hint = "Test pictures come as they are, in the order of test."
assert torch.cat([some for _, some in batches]).tolist() == test, hint
hint += " Mean and deviation are those of the training pictures."
want = (images[test].float() / 255 - mean) / std
assert_same("the test pictures", torch.cat([some for some, _ in batches]), want, hint, atol=1e-2)
assert torch.equal(images, before), "make_loaders changed the images."
### END HIDDEN TESTS

# %% [markdown]
# ### Does it work?
#
# Train a small network on the stamps with your loaders. The split goes by the last word of each
# caption, so that no gnu is asked about if a gnu was learnt. The lecture's fool, who always says
# "mammal", is right in about a quarter of the cases.


# %%
def small_network():
    layers = [nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 8))


def share_right(model, loader):
    with torch.no_grad():
        hits = [model(images).argmax(1) == labels for images, labels in loader]
    return 100 * torch.cat(hits).float().mean().item()


# %%
groups = [caption.rstrip(".").split()[-1] for caption in stamps.captions]
train, test = split_by_group(groups, 60, seed=1)
training, testing = make_loaders((small * 255).byte(), stamps.labels, train, test, 16, seed=1)
torch.manual_seed(0)
model = small_network()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)

# %%
for epoch in range(1, 7):
    for images, labels in training:
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 2 == 0:
        print(f"epoch {epoch}: {share_right(model, testing):.0f} % of the test stamps are right")

# %% [markdown]
# **Try it.** Split by picture instead, with `groups = list(range(240))`, and take three other
# seeds. Does the figure change by more than its standard error, which is about 6 points for 70
# stamps? (These stamps have few twins. Lecture 1 showed what happens when every picture has one.)
#
# ## Part 5: three questions, one attempt each
#
# You get the points of a question **if and only if your first answer is right**. Later answers
# score nothing, so take paper, take a hint if you like (hints cost nothing), and submit when you
# are sure.
#
# What you submit is written to the file `attempts.jsonl` beside this notebook. It came with the
# assignment, and it is part of what you hand in: leave it where it is, and don't edit it. Whether
# you were right, and the complete solution, you learn with your feedback.
#
# The second and the third question have numbers of your own, drawn from your student id.
#
# ### Which hand? (2 points)

# %% given="ask_which_hand"
ask("which_hand")

# %% [markdown]
# ### Where does the crop begin? (1 point)

# %% given="ask_crop_start"
ask("crop_start")

# %% [markdown]
# ### A test pixel (1 point)

# %% given="ask_test_pixel"
ask("test_pixel")

# %% [markdown]
# The next three cells are where your answers are marked. Until you have answered, they say that
# there is no answer yet; once you have, they say nothing.

# %% quiz="which_hand"

# %% quiz="crop_start"

# %% quiz="test_pixel"

# %% [markdown]
# ## What to take with you
#
# - Resize by the shorter side, then crop: shapes survive, and you know what is cut off.
# - Mean and deviation belong to the training pictures, and to each channel. They are part of the
#   model: whoever gets your weights needs them, too.
# - Augment in training only, each picture on its own, anew in each epoch, with a generator whose
#   seed you wrote down.
# - Split first, by the thing photographed. Shuffle pictures and labels by one order, in a new order
#   each epoch, and throw no picture away.
#
# **A question to end with.** Your pipeline is right, and a colleague's service in another language
# resizes with another library. How would you find out, before the users do, whether the network
# gets the same numbers there?
