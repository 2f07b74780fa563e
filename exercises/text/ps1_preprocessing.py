# ---
# jupyter:
#   autograder:
#     hidden: [course_utils.models:preprocess, course_utils.data:split_per_class]
# ---

# %% [markdown]
# # From photographs to batches
#
# In lecture 1 you saw what careless preprocessing costs: a quarter to a half of the right answers,
# and never an error. Here you write the steps from a file to the network yourself, for real
# photographs. At the end, a network that you didn't train names what is in your pictures, and
# another one learns from batches that you served.
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
# | You need | Python's functions and loops; in part 4 a class and `yield`, with an example |
# | Points | 28: 24 for code, 4 for the questions of part 5; the number beside each says how many |
#
# **How to hand in.** Choose *Kernel → Restart Kernel and Run All Cells*, look at what the tests
# say, and save. (JupyterLab stops at the first test that fails. Run the cells after it one by one,
# with Shift-Enter.) Then submit in nbgrader's *Assignment List*, or, if your course collects files,
# run `from course_utils import hand_in` and `hand_in("ps1")` and upload the zip that it makes.
#
# **How it is graded.** Every task ends in a test cell. What you see of a test is a small example
# that you can follow with pencil and paper. When your work is graded, the same cell also runs
# checks that you don't see: other shapes, real photographs, many random draws. A test gives all its
# points or none. What is built on an earlier task needs that task; every other test depends on its
# own task only.
# The three questions of part 5 are different: **only the first answer that you submit counts.**

# %% [markdown]
# ## Before you start
#
# A picture is a tensor `(C, H, W)`: channels, rows, columns. `load_photograph` gives bytes, 0 to
# 255. A batch is `(N, C, H, W)`. Four house rules hold for all that you write:
#
# 1. Write the step yourself, with tensor arithmetic, indexing and `F.interpolate`: neither
#    torchvision's transforms nor Pillow nor PyTorch's `DataLoader` and samplers, under whatever
#    name and in whatever cell. They do most of this for you, and from tomorrow you may use them.
#    The tests see what runs, not what it is called. (`preprocess` and `split_per_class` of
#    `course_utils` are not available while this assignment is graded, because they solve it.)
# 2. Leave the inputs as they are, lists as well as tensors: somebody else still needs them.
# 3. Draw random numbers from a generator of your own, such as a `torch.Generator`, made from the
#    seed that you get; 0 is a seed like any other. A function that calls `torch.manual_seed`
#    changes the numbers that everybody else draws.
# 4. Pictures keep their dtype: what you make of float32 is float32, and of float64
#    float64. Only `to_square`, and what calls it, begins with bytes; it gives float32.

# %% given="imports"
import torch
import torch.nn.functional as F
from torch import nn

from course_utils.data import load_photograph, load_stamps
from course_utils.models import IMAGENET_MEAN, IMAGENET_STD, squeezenet, top_k
from course_utils.plots import show_pictures
from course_utils.quiz import ask
from course_utils.testing import assert_same, call

# %% given="house_rules"
RULES = ("transforms", "loading", "chance")  # what you do yourself, and whose chance isn't yours

# %% [markdown]
# The tests call your functions by `call(case, RULES, function, ...)`. It keeps to the house rules,
# and says in its messages which case it was. `assert_same` names the first element that differs.
# You may use both while you look for a mistake.

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
def assert_new_size(height, width, shorter, want):
    case = f"new_size({height}, {width}, {shorter})"
    got = tuple(call(case, RULES, new_size, height, width, shorter))
    hint = "The shorter side is exact; the other one keeps the ratio and is rounded down."
    if len(got) == 2 and sum(got) == sum(want) - 1:
        hint = "One pixel too few. Stay with whole numbers: int(299 * (224 / 299)) is 223."
    assert got == want, f"{case}: expected {want}, got {got}. {hint}"
    assert all(type(side) is int for side in got), f"{case}: {got}: both must be int, for a shape."


def example_of_new_size():
    assert_new_size(256, 385, 224, (224, 336))
    assert_new_size(385, 256, 224, (336, 224))
    assert_new_size(9, 9, 224, (224, 224))


example_of_new_size()
### BEGIN HIDDEN TESTS


def check_new_size():
    cases = [(299, 400, 224), (400, 299, 224), (600, 401, 128), (401, 600, 600), (333, 1000, 96)]
    cases += [(299, 598, 224), (110, 55, 224), (49, 98, 64)]  # twice as long, in floats a bit less
    cases += [(100, 150, 50), (150, 100, 50), (64, 96, 2), (10, 30, 5), (1, 7, 1), (7, 1, 3)]
    # Results that are whole, or just above or below, where a rounded ratio of the sides shows.
    for short, shorter in [(997, 600), (2003, 1999), (3001, 2500), (640, 427)]:
        for longer in range(short, 20 * short):
            if longer * shorter % short in (0, 1, short - 1):
                cases += [(short, longer, shorter), (longer, short, shorter)]
    for height, width, shorter in cases:
        short = min(height, width)
        want = (height * shorter // short, width * shorter // short)
        assert_new_size(height, width, shorter, want)


check_new_size()
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
#    (Resizing the bytes and dividing afterwards rounds each pixel to a byte. The test allows for
#    that much.)
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
def example_of_to_square():
    bytes_of_white = torch.full((2, 3, 4), 255, dtype=torch.uint8)
    white = call("to_square of white", RULES, to_square, bytes_of_white, 3)
    hint = "A square of white: divide by 255, the largest byte, not by 256."
    assert_same("to_square of white", white, torch.ones(2, 3, 3), hint)
    photograph = torch.tensor([[[0, 51, 255, 0, 0], [0, 102, 204, 0, 0]]], dtype=torch.uint8)
    got = call("to_square of 2 × 5 bytes", RULES, to_square, photograph, 2)
    hint = "Columns 1 and 2 are the middle: cut them out, don't squash. Divide with /, not with //."
    assert_same("to_square of 2 × 5 bytes", got, torch.tensor([[[0.2, 1.0], [0.4, 0.8]]]), hint)


example_of_to_square()
### BEGIN HIDDEN TESTS


def check_the_crop():
    for count, size, first in [(23, 8, 7), (22, 9, 6), (20, 9, 5), (6, 5, 0), (7, 1, 3)]:
        numbers = torch.arange(count, dtype=torch.uint8).expand(1, size, count)
        for side, picture in {"columns": numbers, "rows": numbers.mT}.items():
            case = f"{count} {side}, of which {size} stay"
            middle = torch.arange(first, first + size) / 255
            want = middle.expand(1, size, size)
            got = call(case, RULES, to_square, picture, size)
            hint = f"{count - size} go: {first} before and {count - size - first} after."
            assert_same(case, got, want if side == "columns" else want.mT, hint)


def check_photographs():
    for name, size in [("cat", 224), ("coffee", 100), ("rocket", 300)]:
        photo = load_photograph(name)
        pictures = [photo, photo[:1, :, 90:301], photo[:, :, :256].contiguous(), photo.mT]
        pictures += [photo[:, :20, :33], torch.cat([photo, photo])[:5, 30:, ::2]]
        for picture in pictures:
            rows, columns = picture.shape[1:]
            new = new_size(rows, columns, size)
            whole = picture[None].float() / 255
            want = F.interpolate(whole, new, mode="bilinear", antialias=True)[0]
            top, left = (new[0] - size) // 2, (new[1] - size) // 2
            want = want[:, top : top + size, left : left + size]
            case = f"the {name}, {tuple(picture.shape)}, at {size} pixels"
            got = call(case, RULES, to_square, picture, size)
            hint = "Resize by the shorter side, bilinear with antialias, then cut out the middle."
            assert_same(case, got, want, hint, atol=0.012)  # room for whoever rounds to bytes


check_the_crop()
check_photographs()
### END HIDDEN TESTS

# %% [markdown]
# And the stripes of lecture 1, black and white by turns, each one pixel wide. Shrunk from 64 pixels
# to 20 they are too fine to be seen, so grey is right, everywhere. Whoever only looks at the four
# nearest pixels gets other stripes, wider ones, that were never there.


# %% test="test_stripes" points=1
def assert_grey(case, stripes, size):
    middle = call(case, RULES, to_square, stripes, size)[:, 4:-4, 4:-4]
    hint = "Fine patterns have to be blurred before they shrink: antialias."
    want = torch.full((3, size - 8, size - 8), 0.5)
    assert_same(f"the middle of {case}", middle, want, hint, atol=0.1)


def example_of_stripes():
    stripes = torch.zeros(3, 64, 64, dtype=torch.uint8)
    stripes[:, :, 1::2] = 255
    assert_grey("64 stripes at 20 pixels", stripes, 20)
    ### BEGIN HIDDEN TESTS
    for name, picture in {"moved by one": stripes.roll(1, 2), "lying": stripes.mT}.items():
        for size in (24, 17):
            assert_grey(f"64 stripes, {name}, at {size} pixels", picture, size)
    ### END HIDDEN TESTS


example_of_stripes()

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
# square root of the mean *squared* distance from the mean.) Both results have the dtype and the
# device of the images.
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
def example_of_channel_statistics():
    pictures = torch.full((2, 2, 40, 50), 0.2)
    pictures[0, 0], pictures[1, 0] = 0, 1
    mean, std = call("channel_statistics", RULES, channel_statistics, pictures)
    hint = "Average over pictures, rows and columns, and keep the channels."
    assert_same("mean", mean, torch.tensor([0.5, 0.2]), hint)
    hint = "Over all pictures at once: within each picture, you miss how pictures differ."
    assert_same("std", std, torch.tensor([0.5, 0.0]), hint, atol=1e-3)


example_of_channel_statistics()
### BEGIN HIDDEN TESTS


def check_channel_statistics(shape, dtype):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    generator = torch.Generator().manual_seed(101)
    scale = torch.rand(shape[0], shape[1], 1, 1, generator=generator, dtype=dtype)
    pictures = 3 * scale * torch.rand(shape, generator=generator, dtype=dtype) - 1
    for layout, given in {"": pictures, ", transposed": pictures.mT}.items():
        case = f"images {tuple(given.shape)}{layout}, {dtype}"
        mean, std = call(case, RULES, channel_statistics, given.to(device))
        columns = given.double().transpose(0, 1).flatten(1)
        hint = "Average over pictures, rows and columns, and keep the channels."
        assert_same(f"mean of {case}", mean, columns.mean(1).to(dtype).to(device), hint)
        by_n, by_n_less_1 = columns.std(1, unbiased=False), columns.std(1)
        hint = "The square root of the mean squared distance, over all pictures at once."
        is_tensor = isinstance(std, torch.Tensor) and std.shape == by_n.shape
        divides_by_n = is_tensor and (std.cpu() - by_n).abs().sum() < (by_n_less_1 - by_n).sum() / 2
        want = (by_n if divides_by_n else by_n_less_1).to(dtype).to(device)
        atol = 5e-4 if dtype == torch.float32 else None
        assert_same(f"std of {case}", std, want, hint, atol=atol)


shapes = [(5, 3, 20, 30), (2, 4, 30, 25), (6, 1, 16, 16), (3, 3, 3, 3), (1, 2, 9, 8)]
for shape in [*shapes, (150, 2, 4, 5)]:
    for dtype in (torch.float64, torch.float32):
        check_channel_statistics(shape, dtype)
### END HIDDEN TESTS

# %% [markdown]
# ### Task 2b: normalise (2 points)
#
# Let a channel have mean $0.5$ and deviation $0.25$. Then $1$ becomes $(1 - 0.5)/0.25 = 2$, and $0$
# becomes $-2$. Mean and deviation come as one number for each channel, in a tuple, a list or a
# tensor: three for a colour photograph, one for an X-ray. No deviation is 0.
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
def example_of_normalise():
    case = "normalise of ones (1, 3, 3, 3)"
    ones = torch.ones(1, 3, 3, 3)
    got = call(case, RULES, normalise, ones, (0.0, 0.5, 0.8), (1.0, 0.25, 0.1))
    want = torch.tensor([1.0, 2.0, 2.0]).view(1, 3, 1, 1).expand(1, 3, 3, 3)
    hint = "Subtract the channel's mean, divide by its deviation. Channels are axis 1, not columns."
    assert_same(case, got, want, hint)


example_of_normalise()
### BEGIN HIDDEN TESTS


def check_normalise(kind, shape, dtype):
    generator = torch.Generator().manual_seed(102)
    pictures = torch.rand(shape, generator=generator, dtype=dtype)
    mean = torch.rand(shape[1], generator=generator)
    std = 0.1 + torch.rand(shape[1], generator=generator)
    its_mean, its_std = kind(mean.tolist()), kind(std.tolist())
    for layout, given in {"": pictures, ", transposed": pictures.mT}.items():
        channels = [(given[:, c] - mean[c].to(dtype)) / std[c].to(dtype) for c in range(shape[1])]
        case = f"normalise of {tuple(given.shape)}{layout}, {dtype}, mean a {kind.__name__}"
        got = call(case, RULES, normalise, given, its_mean, its_std)
        hint = "Subtract the channel's mean, divide by its deviation: axis 1."
        assert_same(case, got, torch.stack(channels, dim=1), hint)


for kind in (tuple, list, torch.tensor):
    for shape in [(2, 3, 5, 7), (3, 3, 3, 3), (1, 4, 4, 6), (2, 1, 1, 5), (4, 2, 2, 2)]:
        for dtype in (torch.float64, torch.float32):
            check_normalise(kind, shape, dtype)
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
def example_of_to_batch():
    white = torch.full((3, 20, 30), 255, dtype=torch.uint8)
    black = torch.zeros(3, 25, 16, dtype=torch.uint8)
    case = "to_batch of white and black"
    half, quarter = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
    got = call(case, RULES, to_batch, [white, black], 8, half, quarter)
    want = torch.tensor([2.0, -2.0]).view(2, 1, 1, 1).expand(2, 3, 8, 8)
    hint = "With the mean and std that you are given, white becomes (1 - 0.5) / 0.25, and black -2."
    assert_same(case, got, want, hint)


example_of_to_batch()
### BEGIN HIDDEN TESTS


def check_colours_and_places():
    red = torch.zeros(3, 9, 9, dtype=torch.uint8)
    red[0] = 255
    case = "to_batch of a red photograph"
    got = call(case, RULES, to_batch, [red], 4, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    want = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    assert_same(case, got, want, "the order is red, green, blue.")
    shapes = [(9, 6), (6, 9), (7, 7), (12, 5), (5, 12), (6, 9), (7, 7), (8, 5)]
    greys = [torch.full((1, *shape), 30 * i, dtype=torch.uint8) for i, shape in enumerate(shapes)]
    case = "to_batch of eight greys, tall, wide and square by turns"
    got = call(case, RULES, to_batch, greys, 4, [0.0], [1.0])
    want = (30 * torch.arange(8) / 255).view(8, 1, 1, 1).expand(8, 1, 4, 4)
    assert_same(case, got, want, "Picture i has to be at place i.", atol=1e-3)
    below, beside = torch.zeros(2, 1, 6, 6, dtype=torch.uint8)
    below[:, 3:], beside[:, :, 3:] = 250, 250
    for brightness in (250, 40):
        below[:, 3:] = brightness
        case = f"to_batch of two photographs that begin alike, one with {brightness}"
        got = call(case, RULES, to_batch, [below, beside], 6, [0.0], [1.0])
        want = torch.stack([below, beside]) / 255
        assert_same(
            case, got, want, "Each photograph gives its own square, in each call.", atol=1e-3
        )


def check_what_squeezenet_sees():
    photos = [load_photograph("coffee")[:, :, 100:310], load_photograph("cat")]
    case = "to_batch of coffee and cat"
    got = call(case, RULES, to_batch, photos, 224, IMAGENET_MEAN, IMAGENET_STD)
    shape = (2, 3, 224, 224)
    assert got.shape == shape, f"{case}: expected shape {shape}, got {tuple(got.shape)}"
    with torch.no_grad():
        answers = squeezenet()(got)
    for logits, name in zip(answers, ("espresso", "Egyptian cat"), strict=True):
        best, sure = top_k(logits, k=1)[0]
        hint = f"SqueezeNet says {best}, {100 * sure:.0f} % sure, where it should say {name}."
        assert best == name, f"{hint} Look at what you give it with show_pictures."
    want = torch.stack([to_square(photograph, 224) for photograph in photos])
    for c in range(3):
        want[:, c] = (want[:, c] - IMAGENET_MEAN[c]) / IMAGENET_STD[c]
    hint = "Normalise with the mean and std that you are given, not with the batch's own."
    assert_same(case, got, want, hint)


check_colours_and_places()
check_what_squeezenet_sees()
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
def example_of_augment():
    original = torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])
    mirrored = torch.tensor([[[3.0, 2.0, 1.0], [6.0, 5.0, 4.0]]])
    case = "augment of eight equal pictures, reach=0"
    got = call(case, RULES, augment, original.repeat(8, 1, 1, 1), seed=1, reach=0)
    assert isinstance(got, torch.Tensor), f"{case}: expected a tensor, got {type(got).__name__}"
    assert got.shape == (8, 1, 2, 3), f"{case}: expected (8, 1, 2, 3), got {tuple(got.shape)}"
    for picture in got:
        hint = f"{picture.tolist()} is neither the picture nor its mirror image, left to right."
        assert torch.equal(picture, original) or torch.equal(picture, mirrored), f"{case}: {hint}"


example_of_augment()
### BEGIN HIDDEN TESTS


def check_augment():
    numbers = torch.arange(30.0).view(30, 1, 1, 1).expand(30, 3, 5, 4)
    got = call("pictures of one colour", RULES, augment, numbers, seed=2)
    hint = "Picture i has to stay at place i: labels don't move."
    assert_same("pictures of one colour", got, numbers, hint)
    generator = torch.Generator().manual_seed(103)
    for shape in [(12, 2, 6, 5), (3, 3, 3, 3), (1, 1, 4, 7), (5, 4, 1, 6)]:
        for dtype in (torch.float64, torch.float32):
            pictures = torch.rand(shape, generator=generator, dtype=dtype).mT
            case = f"augment of {tuple(pictures.shape)}, {dtype}"
            got = call(case, RULES, augment, pictures, seed=3)
            shapes = f"expected {tuple(pictures.shape)}, got {tuple(got.shape)}"
            assert got.shape == pictures.shape, f"{case}: {shapes}"
            sorted_pixels = [images.flatten(2).sort(2).values for images in (got, pictures)]
            hint = "Some pixels are lost. What moves out on one side comes in on the other."
            assert_same(f"{case}: the pixels, sorted", *sorted_pixels, hint, atol=1e-9)


check_augment()
### END HIDDEN TESTS

# %% [markdown]
# Then the chance: the same seed, the same pictures; another seed, others.


# %% test="test_augment_chance" points=2
### BEGIN HIDDEN TESTS
def versions_of(picture, reach):
    """What a picture (C, H, W) may become, by (mirrored, down, right)."""
    steps = range(-reach, reach + 1)
    return {
        (mirrored, down, right): image.roll((down, right), (1, 2))
        for mirrored, image in [(False, picture), (True, picture.flip(2))]
        for down in steps
        for right in steps
    }


def changes_of(case, got, picture, reach):
    """The (mirrored, down, right) of each of `got`, all made of one picture."""
    versions = versions_of(picture, reach)
    matches = (got[:, None] == torch.stack(list(versions.values()))).flatten(2).all(2)
    hint = f"a picture is neither the original nor its mirror image, moved by up to {reach} pixels"
    assert matches.any(1).all(), f"{case}: {hint}."
    return [list(versions)[i] for i in matches.int().argmax(1).tolist()]


### END HIDDEN TESTS
def example_of_augment_chance():
    pictures = torch.arange(480.0).view(20, 1, 4, 6)
    once, again = (call("augment, seed=5", RULES, augment, pictures, seed=5) for _ in range(2))
    hint = "Seed 5 gave other pictures before: draw from a generator made from the seed."
    assert_same("augment, seed=5, again", again, once, hint)
    other = call("augment, seed=6", RULES, augment, pictures, seed=6)
    hint = "Seeds 5 and 6 give the same pictures: use the seed that you are given."
    assert not torch.equal(other, once), hint


example_of_augment_chance()
### BEGIN HIDDEN TESTS


def check_the_shares(seed, reach):
    picture = torch.arange(126.0).view(3, 6, 7)
    case = f"2000 equal pictures, seed={seed}, reach={reach}"
    got = call(case, RULES, augment, picture.repeat(2000, 1, 1, 1), seed=seed, reach=reach)
    drawn = changes_of(case, got, picture, reach)
    share = sum(mirrored for mirrored, _, _ in drawn) / 2000
    hint = f"{share:.0%} of 2000 pictures are mirrored: toss a coin for each picture."
    assert 0.42 < share < 0.58, hint  # seven standard deviations
    steps = range(-reach, reach + 1)
    for axis, name in [(1, "down"), (2, "right")]:
        counts = {step: sum(change[axis] == step for change in drawn) for step in steps}
        hint = f"Of 2000 pictures, so many moved {name} by these steps: {counts}."
        even = all(abs(count - 2000 / len(steps)) < 145 for count in counts.values())
        assert even, f"{hint} All should be about as likely."  # over six standard deviations
    hint = "Draw mirroring, down and right one by one: some combinations never come."
    assert len(set(drawn)) == 2 * len(steps) ** 2, hint


def check_independence():
    """No seed repeats another's draws, and no picture those of its neighbours."""
    picture, drawn = torch.arange(30.0).view(1, 5, 6), {}
    for seed in (0, 1, 2, 10, 1000):
        case = f"400 equal pictures, seed={seed}"
        got = call(case, RULES, augment, picture.repeat(400, 1, 1, 1), seed=seed)
        drawn[seed] = torch.tensor(changes_of(case, got, picture, 2))
    for first, second in [(0, 0), (0, 1), (1, 2), (2, 2), (0, 2), (2, 10), (10, 1000)]:
        for offset in range(-9, 10):
            if first != second or offset > 0:
                one, other = drawn[first].roll(offset, 0), drawn[second]
                alike = (one == other).float().mean(0).max().item()
                where = f"seed {first} and {abs(offset)} pictures beside it with seed {second}"
                hint = f"{alike:.0%} of the draws with {where} are alike: one generator a call."
                assert alike < 0.7, hint  # eight standard deviations


def check_single_pictures():
    picture, mirrored = torch.arange(30.0).view(1, 1, 5, 6), 0
    for seed in range(60):
        case = f"a batch of one picture, seed={seed}"
        got, again = (call(case, RULES, augment, picture, seed=seed) for _ in range(2))
        assert torch.equal(got, again), f"{case}: it gave another picture before."
        mirrored += changes_of(case, got, picture[0], 2)[0][0]
    hint = f"Of 60 batches of one picture, {mirrored} are mirrored: toss a coin for each picture."
    assert 9 < mirrored < 51, hint  # over five standard deviations


for reach in (2, 1):
    check_the_shares(7, reach)
check_the_shares(0, 2)
check_independence()
check_single_pictures()
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
# Before anything else happens, some pictures are set aside for the test. In lecture 1 the test's
# result was too good for a reason that was easy to miss: a picture was on one side and its twin on
# the other. So the split goes by the
# **thing photographed**. `groups` says for each picture what it shows: for four pictures perhaps
# `["cat", "cup", "cat", "dog"]`. If "cat" is chosen for the test, both of its pictures go there.
# Names are strings, or all of them are whole numbers; "Cat" and "cat" are two groups. `test_groups`
# is a number, at least 1 and less than there are groups.
#
# 1. List the different groups, in an order that doesn't depend on chance.
# 2. Choose `test_groups` of them at random, with a generator made from `seed`. Each group is as
#    likely as the others, however many pictures it has.
# 3. Return two lists of positions (Python ints), ascending: first those of the training pictures,
#    then those of the test pictures. Every picture is in exactly one of them.
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
def assert_split(groups, test_groups, seed):
    """Fail unless the split is right; give back the set of the test's groups."""
    case = f"split_by_group, {test_groups} of {len(set(groups))} groups, seed={seed}"
    train, test = call(case, RULES, split_by_group, groups, test_groups, seed)
    for positions in (train, test):
        are_ints = isinstance(positions, list) and all(type(i) is int for i in positions)
        assert are_ints, f"{case}: expected two lists of Python ints, got {positions!r:.60}."
    once = sorted([*train, *test]) == list(range(len(groups)))
    assert once, f"{case}: {train}, {test}: each picture has to be in exactly one list."
    tested = {groups[i] for i in test}
    both = {groups[i] for i in train} & tested
    assert not both, f"{case}: {both} on both sides: all pictures of a thing go to the same side."
    count = f"expected {test_groups} groups in the test, got {len(tested)}"
    assert len(tested) == test_groups, f"{case}: {count}. Training comes first."
    assert [*train, *test] == sorted(train) + sorted(test), f"{case}: positions have to ascend."
    return tested


def example_of_split_by_group():
    assert_split(["cat", "cup", "cat", "dog", "cup", "cat"], 1, seed=0)


example_of_split_by_group()
### BEGIN HIDDEN TESTS


def check_split_by_group():
    things = [f"{thing}s" for thing in ("gnu", "apple", "truck", "lion", "rose", "key", "crow")]
    mixed = ["Cat", "cat", "dog", "DOG", "Dog", "cat ", "key"]
    for names in (things, mixed, [12, 3, 0, 7, 100, 1, 10]):
        groups = [names[i * i % 7] for i in range(40)] + names
        splits = [frozenset(assert_split(groups, 3, seed)) for seed in range(140)]
        seed = 9
        again = assert_split(groups, 3, seed)
        assert again == splits[9], "Seed 9 gave another split before."
        counts = {name: sum(name in tested for tested in splits) for name in names}
        hint = f"In 140 splits the groups were in the test so often: {counts}."
        even = all(abs(count - 60) < 40 for count in counts.values())  # over six deviations
        assert even, f"{hint} Choose the groups at random, each as likely as the others."
        sets = f"140 seeds give {len(set(splits))} of 35 choices"
        assert len(set(splits)) > 15, f"{sets}: draw each group at random."
    for test_groups in (1, 2, 6):
        for seed in range(5):
            assert_split(groups, test_groups, seed)
    assert_split(list(range(20)), 5, 0)


check_split_by_group()
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
# batches one at a time. A small example, which serves the items of a list in pairs:
#
# ```python
# class Pairs:
#     def __init__(self, items):
#         self.items = items
#
#     def __len__(self):
#         return len(self.items) // 2
#
#     def __iter__(self):
#         for i in range(len(self)):
#             yield self.items[2 * i : 2 * i + 2]
# ```
#
# 1. In `__init__(self, images, labels, batch_size, seed=None)`, keep what you get, and make **one**
#    generator from the seed.
# 2. In `__len__`, count the batches of an epoch.
# 3. In `__iter__`, make an order: a new permutation from that generator, or 0, 1, 2, … without a
#    seed.
# 4. Cut the order into pieces, take images and labels by the *same* piece, and yield both.
# 5. For training, `augment(…)` each batch, with the reach that it has by default, 2. Draw its seed
#    from your generator, so that the batches are changed differently.
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
def assert_epoch(case, loader, labels, sizes):
    """Fail unless the loader serves each label once, with the picture that is filled with it."""
    batches = call(case, RULES, list, loader)
    got = [len(some_labels) for _, some_labels in batches]
    assert got == sizes, f"{case}: expected batches of {sizes}, got {got}."
    length = call(f"{case}, len", RULES, len, loader)
    assert length == len(sizes), f"{case}: {len(sizes)} batches, but len is {length}."
    for some_images, some_labels in batches:
        fits = some_labels.to(some_images.dtype).view(-1, 1, 1, 1).expand_as(some_images)
        hint = "A picture has another picture's label: use one order for both."
        assert_same(f"{case}: what the pictures show", some_images, fits, hint)
    served = torch.cat([some_labels for _, some_labels in batches])
    hint = "Each picture has to come exactly once."
    assert_same(f"{case}: the labels, sorted", served.sort().values, labels.sort().values, hint)


def example_of_loader():
    its_labels = torch.arange(7)
    pictures = its_labels.float().view(7, 1, 1, 1).repeat(1, 1, 4, 4)
    for seed in (None, 0):
        case = f"7 pictures in batches of 3, seed={seed}"
        loader = call(case, RULES, Loader, pictures, its_labels, batch_size=3, seed=seed)
        assert_epoch(case, loader, its_labels, [3, 3, 1])


example_of_loader()
### BEGIN HIDDEN TESTS


def check_loader(count, size, sizes, seed, dtype=torch.float32):
    its_labels = 100 + 7 * torch.arange(count) % 31
    pictures = its_labels.to(dtype).view(count, 1, 1, 1).repeat(1, 2, 3, 4)
    before = pictures.clone(), its_labels.clone()
    case = f"{count} pictures, batches of {size}, seed={seed}"
    loader = call(case, RULES, Loader, pictures, its_labels, size, seed)
    for epoch in (1, 2, 3):
        assert_epoch(f"{case}, epoch {epoch}", loader, its_labels, sizes)
    disturbed = "Two loops over one loader disturb each other: keep the place in __iter__, not"
    plain = call(case, RULES, Loader, pictures, its_labels, size)
    for (_, first), (_, second) in zip(plain, plain, strict=False):
        assert torch.equal(first, second), f"{case}: {disturbed} in self."
    for _ in loader:
        break
    assert_epoch(f"{case}, after a loop that was left", loader, its_labels, sizes)
    kept = torch.equal(pictures, before[0]) and torch.equal(its_labels, before[1])
    assert kept, f"{case}: Loader changed what it was given."


for seed in (None, 4, 0):
    check_loader(23, 5, [5, 5, 5, 5, 3], seed)
    check_loader(10, 5, [5, 5], seed, torch.float64)
    check_loader(3, 8, [3], seed)
    check_loader(4, 1, [1, 1, 1, 1], seed)
    check_loader(1, 1, [1], seed)
### END HIDDEN TESTS

# %% [markdown]
# The second test looks at several epochs.


# %% test="test_loader_epochs" points=2
def order_of(case, loader):
    return torch.cat([some_labels for _, some_labels in call(case, RULES, list, loader)]).tolist()


def example_of_epochs():
    pictures, numbers = torch.zeros(48, 1, 4, 4), torch.arange(48)
    plain = call("no seed", RULES, Loader, pictures, numbers, 8)
    for epoch in (1, 2):
        hint = "Without a seed the loader is for testing: pictures come in their own order."
        assert order_of(f"no seed, epoch {epoch}", plain) == list(range(48)), hint
    shuffled = call("seed=0", RULES, Loader, pictures, numbers, 8, seed=0)
    orders = [order_of(f"seed=0, epoch {epoch}", shuffled) for epoch in (1, 2, 3)]
    assert list(range(48)) not in orders, "With a seed the loader is for training: shuffle."
    for epoch, order in enumerate(orders, 1):
        hint = f"Epoch {epoch} has the order of another epoch: make the generator only once."
        assert orders.count(order) == 1, hint


example_of_epochs()
### BEGIN HIDDEN TESTS


def epoch_of(case, loader):
    """Labels as they come, and the pictures put back into their own order."""
    pictures, served = zip(*call(case, RULES, list, loader), strict=True)
    served = torch.cat(served)
    return served.tolist(), torch.cat(pictures)[served.argsort()]


def check_epochs():
    pictures = torch.rand(40, 1, 6, 6, generator=torch.Generator().manual_seed(104))
    numbers = torch.arange(40)

    def epochs(seed):
        loader = call(f"seed={seed}", RULES, Loader, pictures, numbers, 8, seed)
        return [epoch_of(f"seed={seed}, epoch {epoch}", loader) for epoch in (1, 2, 3)]

    for order, shown in epochs(None):
        hint = "A test picture is served as it is, in its order: augment in training only."
        assert order == numbers.tolist(), hint
        assert_same("the test pictures", shown, pictures, hint)
    served = {seed: epochs(seed) for seed in (3, 4, 0, 1)}
    seed = 3
    again = epochs(seed)
    for (order, shown), (its_order, its_shown) in zip(served[3], again, strict=True):
        hint = (
            "Two loaders with the same seed have to serve the same: draw all from their generator."
        )
        assert its_order == order, hint
        assert_same("the pictures of the second loader", its_shown, shown, hint)
    everything = [epoch for epochs_of_a_seed in served.values() for epoch in epochs_of_a_seed]
    hint = "Two seeds or two epochs have the same order: one generator, made once from the seed."
    assert len({tuple(order) for order, _ in everything}) == len(everything), hint
    pairs = [torch.tensor(order).unfold(0, 2, 1).tolist() for order, _ in everything]
    follows = [set(map(tuple, pairs_of_an_epoch)) for pairs_of_an_epoch in pairs]
    most = max(len(one & other) for i, one in enumerate(follows) for other in follows[:i])
    assert most < 13, "Two epochs have the same order, begun elsewhere: draw a new permutation."
    hint = "Two epochs have the same pictures in a batch: shuffle first, then cut into batches."
    cuts = {frozenset(frozenset(o[i : i + 8]) for i in range(0, 40, 8)) for o, _ in everything}
    assert len(cuts) == len(everything), hint
    for number, (_, shown) in enumerate(everything):
        assert not torch.equal(shown, pictures), "The training pictures aren't augmented."
        hint = "Two epochs show the same versions of the pictures: augment anew each time."
        assert not any(torch.equal(shown, other) for _, other in everything[:number]), hint
        sorted_pixels = [images.flatten(1).sort(1).values for images in (shown, pictures)]
        assert_same("pixels of an epoch, sorted", *sorted_pixels, "Augment the originals.")


def check_versions():
    picture = torch.arange(42.0).view(1, 6, 7)
    many = call(
        "equal pictures", RULES, Loader, picture.repeat(700, 1, 1, 1), torch.arange(700), 50, 2
    )
    versions = set()
    for epoch in (1, 2, 3):
        case = f"700 equal pictures, epoch {epoch}"
        versions.update(changes_of(case, epoch_of(case, many)[1], picture, 2))
    hint = f"Of 50 versions, {len(versions)} came: augment with its own reach of 2."
    assert len(versions) == 50, hint
    single = call(
        "batches of 1", RULES, Loader, picture.repeat(16, 1, 1, 1), torch.arange(16), 1, 5
    )
    shown = set(changes_of("batches of 1", epoch_of("batches of 1", single)[1], picture, 2))
    hint = f"Sixteen batches of one and the same picture: {len(shown)} version of it."
    assert len(shown) > 4, f"{hint} Draw new seeds."


check_epochs()
check_versions()
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
def the_batch_of(case, loader):
    batches = call(case, RULES, list, loader)
    assert len(batches) == 1, f"{case}: 2 pictures are one batch of 2, got {len(batches)} batches."
    return batches[0]


def example_of_make_loaders():
    pixels = torch.tensor([0, 255, 153, 255], dtype=torch.uint8)
    pictures, classes = pixels.view(4, 1, 1, 1).repeat(1, 1, 30, 30), torch.tensor([0, 1, 0, 1])
    case = "make_loaders of four pictures"
    loaders = call(
        case, RULES, make_loaders, pictures, classes, [0, 1], [2, 3], batch_size=2, seed=0
    )
    batch, its_labels = the_batch_of(f"{case}: the training loader", loaders[0])
    assert sorted(its_labels.tolist()) == [0, 1], f"expected the labels 0 and 1, got {its_labels}"
    hint = "Mean and deviation come from the training pictures alone: they are 0.5."
    want = (2.0 * its_labels - 1).view(2, 1, 1, 1).expand(2, 1, 30, 30)
    assert_same("the training batch", batch, want, hint, atol=1e-2)
    batch, its_labels = the_batch_of(f"{case}: the test loader", loaders[1])
    assert its_labels.tolist() == [0, 1], f"expected the labels 0 and 1, got {its_labels}"
    want = torch.tensor([0.2, 1.0]).view(2, 1, 1, 1).expand(2, 1, 30, 30)
    assert_same("the test batch", batch, want, hint, atol=1e-2)


example_of_make_loaders()
### BEGIN HIDDEN TESTS


def check_make_loaders(seed, train):
    """Labels are 100 more than the place, counted backwards. Gives the training's order."""
    pictures = torch.randint(256, (40, 3, 5, 6), generator=torch.Generator().manual_seed(105))
    pictures = (pictures * torch.tensor([0.4, 0.7, 1]).view(3, 1, 1)).byte()
    pictures[1::2] //= 3
    numbers = torch.arange(139, 99, -1)
    test = [*range(39, 7, -2)]
    case = f"make_loaders, {len(train)} training and {len(test)} test pictures, seed={seed}"
    training, testing = call(case, RULES, make_loaders, pictures, numbers, train, test, 8, seed)
    lengths = -(-len(train) // 8), 2
    assert (len(training), len(testing)) == lengths, "Both loaders have batches of batch_size."
    learnt = pictures[train].float() / 255
    mean, std = learnt.mean((0, 2, 3)).view(3, 1, 1), learnt.std((0, 2, 3)).view(3, 1, 1)
    orders = []
    for epoch in (1, 2, 3):
        batches = call(f"{case}: training, epoch {epoch}", RULES, list, training)
        served = (139 - torch.cat([some_labels for _, some_labels in batches])).tolist()
        assert sorted(served) == sorted(train), "The training loader serves train, each once."
        assert served != train, f"{case}: the training loader gets the seed, so that it shuffles."
        hint = "Mean and deviation come from the training pictures alone, channel by channel."
        normalised = (pictures[served].float() / 255 - mean) / std
        got = torch.cat([some_images for some_images, _ in batches])
        sorted_pixels = [images.flatten(2).sort(2).values for images in (got, normalised)]
        assert_same("pixels of the training pictures, sorted", *sorted_pixels, hint, atol=1e-2)
        moved = (got - normalised).abs().max().item()
        assert moved > 0.1, f"{case}: the training pictures aren't augmented."
        orders.append(tuple(served))
    for epoch in (1, 2):
        batches = call(f"{case}: test, epoch {epoch}", RULES, list, testing)
        hint = "Test pictures come as they are, in the order of test."
        served = torch.cat([some_labels for _, some_labels in batches])
        assert (139 - served).tolist() == test, hint
        hint += " Mean and deviation are those of the training pictures."
        want = (pictures[test].float() / 255 - mean) / std
        got = torch.cat([some_images for some_images, _ in batches])
        assert_same("the test pictures", got, want, hint, atol=1e-2)
    return tuple(orders)


def check_seeds_of_make_loaders():
    train = [*range(0, 40, 2), 1, 3, 5, 7]
    orders = {seed: check_make_loaders(seed, train) for seed in (6, 0, 7)}
    check_make_loaders(5, train[:8])
    seed = 0
    again = check_make_loaders(seed, train)
    assert again == orders[0], "Seed 0 gave another order before."
    hint = "Two seeds or two epochs have the same order: hand the seed on."
    assert len({order for by_epoch in orders.values() for order in by_epoch}) == 9, hint


check_seeds_of_make_loaders()
### END HIDDEN TESTS

# %% [markdown]
# ### Does it work?
#
# Train a small network on the stamps with your loaders. The split goes by the last word of each
# caption, so that no gnu is asked about if a gnu was learnt. A method that learns nothing, and
# always answers "mammal", is right in about a quarter of the cases.


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
