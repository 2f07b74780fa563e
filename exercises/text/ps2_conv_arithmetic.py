# ---
# jupyter:
#   autograder:
#     hidden:
#       - course_utils.arithmetic
# ---

# %% [markdown]
# # Convolution arithmetic by hand
#
# In lecture 02 the course computed sizes, parameters and receptive fields for you. Here you write
# the tools yourself: a function that says how large an output is and why a setting can't be, a
# convolution in two and in three dimensions from nothing but products and sums, and the
# bookkeeping with which engineers compare networks before they train them.
#
# **After this assignment you can**
#
# - compute the output size of any convolution or pooling layer, and refuse what can't be;
# - say exactly which numbers a convolution multiplies, with channels, stride, padding, dilation;
# - carry the same loop over to volumes;
# - count a layer's parameters and multiply-adds, and the receptive field of a stack.
#
# | | |
# |---|---|
# | Comes from | lecture `lectures/02_convolution_arithmetic.ipynb`; each part names its section |
# | Time | about 150 minutes: 25, 50, 20, 20, 20 and 15 for the six parts |
# | Points | 24: 20 for code, 4 for the questions of part 6; the number beside each says how many |
#
# **How to hand in.** Choose *Kernel → Restart Kernel and Run All Cells*, look at what the tests
# say, and save. Then submit in nbgrader's *Assignment List*, or, if your course collects files,
# run `from course_utils import hand_in` and `hand_in("ps2")` and upload the zip that it makes.
#
# **How it is graded.** Every task ends in a test cell. What you see of a test is a small example
# that you can follow with pencil and paper. When your work is graded, the same cell also runs
# checks that you don't see: other shapes, other settings, other numbers, compared with PyTorch.
# A test gives all its points or none. The three questions of part 6 are different: **only the
# first answer that you submit counts.**

# %% [markdown]
# ## Before you start
#
# Three house rules hold for all your functions:
#
# 1. Write the arithmetic yourself. Tensor operations are all welcome: indexing, products, sums,
#    `einsum`, `unfold`, `F.pad`, numpy. Neither PyTorch's convolution, under whatever name, nor
#    autograd: the tests see what runs, not what it is called. The lecture's
#    `course_utils.arithmetic` isn't available when your work is graded, because it solves it.
# 2. Leave the inputs as they are. The caller still needs them.
# 3. Tensors: lose no digits of the dtype that you were given, and give the result back in that
#    dtype, on that device. Counts and sizes: give back a Python `int`.
#
# You may always call the functions that you wrote in an earlier task. If one of them isn't right
# yet, the later task will suffer with it; so you may also do without.

# %% given="imports"
import math
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from course_utils.own_work import own_work
from course_utils.testing import assert_number, call

# %% given="house_rules"
RULES = ("convolution", "autograd")


# %% [markdown]
# The next cells hold the tools that the tests use. You needn't read them, but you may, and you
# may call `assert_same` while you look for a mistake: it names the first element that differs.


# %% given="test_tools_compare"
def assert_same(what, got, want, hint="", slips=None):
    """Fail if `got` is not the tensor `want`; say where, and which known slip gives `got`."""
    kind = type(got).__name__
    assert isinstance(got, torch.Tensor), f"{what} is {kind}, not a tensor: is a return missing?"
    shapes = f"expected shape {tuple(want.shape)}, got {tuple(got.shape)}"
    assert got.shape == want.shape, f"{what}: {shapes}. {hint}"
    types = f"expected {want.dtype} on {want.device}, got {got.dtype} on {got.device}"
    assert (got.dtype, got.device) == (want.dtype, want.device), f"{what}: {types}. {hint}"
    wrong = (got.detach() != want).nonzero()
    for said, slip in (slips or {}).items():
        if slip.shape == want.shape and bool((got == slip.to(want)).all()):
            hint = said
    if len(wrong):
        first = tuple(wrong[0].tolist())
        values = f"expected {want[first].item():g}, got {got[first].item():g}"
        raise AssertionError(f"{what} at {first}: {values}. {hint}")


# %% given="test_tools_numbers"
def refusal(function, *settings):
    """The message of the ValueError with which `function` refuses the settings."""
    case = f"{function.__name__}{settings}"
    try:
        with own_work(*RULES):
            got = function(*settings)
    except ValueError as error:
        return str(error)
    except Exception as error:
        kind = type(error).__name__
        raise AssertionError(f"{case}: expected a ValueError, got {kind}: {error}") from None
    raise AssertionError(f"{case}: expected a ValueError, got the result {got}")


# %% [markdown]
# ## Part 1: how large is the output?
#
# *Lecture sections: A window slides, Padding, Strides, Three conventions, Dilation.*
#
# A row has 7 pixels and a window is 3 wide. Its left edge can stand at 0, 1, 2, 3 and 4: the last
# place is $7 - 3 = 4$, and counting from zero there is **one more place than steps**. With stride
# 2 the window stands at 0, 2 and 4. With stride 3 it stands at 0 and 3; a last step would leave
# the row, and the pixel that is left over is not looked at. That is PyTorch's convention:
# whole steps only.
#
# Two settings change what is compared with what. **Padding** $p$ puts $p$ zeros at *both* ends, so
# 7 pixels become $7 + 2p$. **Dilation** $d$ spreads the taps of the window: 3 taps with $d = 2$
# look at positions 0, 2 and 4, and so reach over $d(k - 1) + 1 = 5$ positions.
#
# ### Task 1a: the output size (2 points)
#
# Return the number of places along one axis, for settings that fit.
#
# 1. How many positions does the window reach over?
# 2. How many positions does the padded row have?
# 3. How many whole steps lead from the first place to the last one that fits?
# 4. Add the place where you started.
#
# <details><summary>Hint: whole steps</summary><code>//</code> divides whole numbers and rounds
# down: <code>216 // 4</code> is 54, an <code>int</code>. <code>/</code> gives a float.</details>
#
# <details><summary>Hint: the test with dilation fails</summary>In the formula without dilation the
# kernel stands for its reach. Put the reach in its place.</details>
#
# ### Task 1b: what can't be (2 points)
#
# A function that answers nonsense is worse than one that refuses. Let `output_size` raise a
# `ValueError`
#
# - if `size`, `kernel`, `stride` or `dilation` is less than 1, or `padding` less than 0. The
#   message names the setting, as in `"stride must be at least 1, got 0"`. If several are
#   wrong, name any one of them;
# - if the window doesn't fit into the padded row. The message gives both numbers: how far the
#   window reaches, and how many positions the padded row has.
#
# <details><summary>Hint: where to check</summary>First thing in the function, before anything is
# divided. Otherwise Python itself stumbles over stride 0, with a
# <code>ZeroDivisionError</code>.</details>
#
# <details><summary>Hint: what fits?</summary>A window that reaches over exactly as many positions
# as there are fits, in one place. Compare the reach with the <em>padded</em> size.</details>


# %% solution="output_size"
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    """How many places a window takes along one axis (int); ValueError if that can't be."""
    ### BEGIN SOLUTION
    at_least = {"size": 1, "kernel": 1, "stride": 1, "padding": 0, "dilation": 1}
    settings = (size, kernel, stride, padding, dilation)
    for (name, least), value in zip(at_least.items(), settings, strict=True):
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")
    reach, positions = dilation * (kernel - 1) + 1, size + 2 * padding
    if reach > positions:
        raise ValueError(f"the window reaches over {reach} positions, but there are {positions}")
    return (positions - reach) // stride + 1
    ### END SOLUTION


# %% [markdown]
# The examples are those above, and AlexNet's first layer: 227 pixels, kernel 11, stride 4.

# %% test="test_output_size" points=2
assert_number(
    "7 pixels, kernel 3",
    call("output_size", RULES, output_size, 7, 3),
    5,
    "Places are steps plus one.",
)
assert_number(
    "AlexNet's first layer",
    call("output_size", RULES, output_size, 227, 11, 4),
    55,
    "54 steps, and the start.",
)
assert_number(
    "stride 3",
    call("output_size", RULES, output_size, 7, 3, 3),
    2,
    "A step that leaves the row isn't made.",
)
assert_number(
    "padding 1",
    call("output_size", RULES, output_size, 7, 3, 1, 1),
    7,
    "Padding is added at both ends.",
)
assert_number(
    "dilation 2",
    call("output_size", RULES, output_size, 7, 3, 1, 0, 2),
    3,
    "The window reaches over 5 positions.",
)
### BEGIN HIDDEN TESTS
generator = torch.Generator().manual_seed(21)
for _ in range(200):
    i, k, s, p, d = (
        int(torch.randint(1, high, (), generator=generator)) for high in (60, 6, 6, 5, 4)
    )
    p, reach = p - 1, d * (k - 1) + 1
    span = i + 2 * p - reach
    if span < 0:
        continue
    slips = {
        (i + 2 * p - d * k) // s + 1: "Between k taps there are k - 1 gaps: the reach isn't d · k.",
        (i + 2 * p - k) // s + 1: "The dilation is missing: put the reach in the kernel's place.",
        (i + p - reach) // s + 1: "Padding is added at both ends.",
        -(-span // s) + 1: "A last step that leaves the row isn't made: round down.",
        span // s: "That is the number of steps; the place where it started counts too.",
    }
    what = f"size {i}, kernel {k}, stride {s}, padding {p}, dilation {d}"
    assert_number(
        what, call("output_size", RULES, output_size, i, k, s, p, d), span // s + 1, "", slips
    )
by_name = call("output_size", RULES, output_size, size=9_000, kernel=5, stride=7, dilation=3)
assert_number("size 9,000, kernel 5, stride 7, dilation 3", by_name, 1_284)
### END HIDDEN TESTS

# %% [markdown]
# And what must be refused: a window of 5 on a row of 3, and a window that never moves.

# %% test="test_output_size_refuses" points=2
message = refusal(output_size, 3, 5)
hint = "say how far the window reaches (5) and how many positions there are (3)"
assert {"3", "5"} <= set(message), f"the message is {message!r}: {hint}"
message = refusal(output_size, 7, 3, 0)
assert "stride" in message, f"the message is {message!r}: name the setting, 'stride'"
### BEGIN HIDDEN TESTS
import re

for name, place, value in [
    *(("size", 0, 0), ("size", 0, -7), ("kernel", 1, 0), ("kernel", 1, -1), ("stride", 2, 0)),
    *(("stride", 2, -2), ("padding", 3, -1), ("dilation", 4, 0), ("dilation", 4, -1)),
]:
    settings = [7, 3, 1, 0, 1]
    settings[place] = value
    message = refusal(output_size, *settings)
    assert name in message, f"{name} {value}: the message is {message!r}: name the setting"
refused = [((8, 3, 1, 0, 4), 9, 8), ((3, 9, 1, 2, 1), 9, 7), ((12, 15, 4, 1, 1), 15, 14)]
for settings, reach, padded in [*refused, ((21, 4, 1, 0, 7), 22, 21)]:
    message = refusal(output_size, *settings)
    hint = f"say how far the window reaches ({reach}) and how many positions there are ({padded})"
    said = set(re.findall(r"\d+", message))
    assert {str(reach), str(padded)} <= said, f"the message is {message!r}: {hint}"
for settings in [(9, 3, 1, 0, 4), (3, 9, 1, 3, 1), (1, 1, 1, 0, 1), (4, 6, 5, 1, 1)]:
    try:
        places = output_size(*settings)
    except ValueError as error:
        hint = f"output_size{settings} refuses a window that just fits: {error}"
        raise AssertionError(f"{hint}. Compare its reach with the padded size.") from None
    assert_number(f"output_size{settings}", places, 1, "The window just fits, in one place.")
### END HIDDEN TESTS

# %% [markdown]
# Which input sizes are a good choice for AlexNet's first layer? The next cell asks your function
# for five of them. At which sizes does the last window end at the edge, and what happens to the
# pixels in between?

# %%
for size in (223, 224, 225, 226, 227):
    places = output_size(size, 11, 4)
    print(f"{size} pixels: {places} places, {size - 11 - 4 * (places - 1)} left over")

# %% [markdown]
# ## Part 2: convolution in two dimensions
#
# *Lecture sections: A window slides, Play.*
#
# The tests use pictures whose pixels tell where they are: the pixel in row 2 and column 3 has the
# value 23. Whatever your function returns, you can read from it where it looked.


# %% given="address_picture"
def address_picture(rows, columns, dtype=torch.float32):
    """The picture (rows, columns) with the value 10 · row + column at each pixel."""
    return 10 * torch.arange(rows, dtype=dtype)[:, None] + torch.arange(columns, dtype=dtype)


# %%
address_picture(3, 4)

# %% [markdown]
# Lay a kernel on the top left corner of that picture, multiply what lies on top of each other, and
# add up. With
#
# $$\begin{pmatrix}0&1\\2&3\end{pmatrix}
# \quad\text{on}\quad\begin{pmatrix}\mathbf{0}&\mathbf{1}&2&3\\
# \mathbf{10}&\mathbf{11}&12&13\\20&21&22&23\end{pmatrix}
# \quad\text{that is}\quad 0\cdot 0 + 1\cdot 1 + 2\cdot 10 + 3\cdot 11 = 54.$$
#
# One step to the right it is $1 \cdot 2 + 2 \cdot 11 + 3 \cdot 12 = 60$, and so on.
#
# Mathematicians would turn the kernel by 180° first, and get
# $3 \cdot 0 + 2 \cdot 1 + 1 \cdot 10 = 12$. They call *that* convolution, and ours
# cross-correlation. Deep-learning libraries don't turn the kernel and call it convolution all the
# same (settled: a convention). Nothing is lost: the weights are learned, and a network can learn
# them turned.
#
# ### Task 2a: one channel (2 points)
#
# `image` has the shape $(H, W)$ and `kernel` the shape $(k_h, k_w)$. Stride 1, no padding.
#
# 1. How many rows and columns has the output? Ask `output_size`, once for each axis.
# 2. Make an output of that shape, with the image's dtype and device (`image.new_zeros(...)` does
#    both).
# 3. For each output position cut the window out of the image, multiply by the kernel, sum.
#
# <details><summary>Hint: cutting the window</summary>The window of output (i, j) begins in row i
# and column j, and is as large as the kernel: <code>image[i : i + k_h, j : j + k_w]</code>, where
# k_h is <code>kernel.shape[0]</code>.</details>
#
# <details><summary>Hint: mixed up rows and columns?</summary>A square picture forgives that, so try
# <code>address_picture(3, 5)</code> with a kernel of 1 × 2.</details>


# %% solution="correlate2d"
def correlate2d(image, kernel):
    """The cross-correlation of an image (H, W) with a kernel, without padding; stride 1."""
    ### BEGIN SOLUTION
    height, width = kernel.shape
    rows, columns = output_size(image.shape[0], height), output_size(image.shape[1], width)
    y = image.new_zeros(rows, columns)
    for i, j in np.ndindex(rows, columns):
        y[i, j] = (image[i : i + height, j : j + width] * kernel).sum()
    return y
    ### END SOLUTION


# %% test="test_correlate2d" points=2
kernel = torch.tensor([[0.0, 1.0], [2.0, 3.0]])
want = torch.tensor([[54.0, 60.0, 66.0], [114.0, 120.0, 126.0]])
hint = "Multiply each pixel by the weight on top of it, and add up."
slips = {"You turned the kernel.": want - 42}
assert_same(
    "correlate2d",
    call("correlate2d", RULES, correlate2d, address_picture(3, 4), kernel),
    want,
    hint,
    slips,
)
### BEGIN HIDDEN TESTS
device = "cuda" if torch.cuda.is_available() else "cpu"
generator = torch.Generator().manual_seed(22)
cases = [((4, 7), (2, 3)), ((7, 4), (3, 1)), ((5, 4), (5, 4)), ((1, 6), (1, 4)), ((6, 6), (3, 3))]
for shape, taps in cases:
    for dtype in (torch.float64, torch.float32):
        # Whole numbers: sums are exact, in any order.
        image = torch.randint(-9, 10, shape, generator=generator).to(device, dtype) / 8
        kernel = torch.randint(-9, 10, taps, generator=generator).to(device, dtype) / 8
        before = image.clone(), kernel.clone()
        got = call("correlate2d", RULES, correlate2d, image, kernel)
        image, kernel = (tensor.cpu().double()[None, None] for tensor in before)
        want = F.conv2d(image, kernel)[0, 0].to(device, dtype)
        slips = {"You turned the kernel.": F.conv2d(image, kernel.flip(2, 3))[0, 0]}
        hint = "Rows come first: kernel.shape is (height, width). The two may differ."
        assert_same(f"an image {shape} with a kernel {taps}", got, want, hint, slips)
### END HIDDEN TESTS

# %% [markdown]
# ### From one channel to many
#
# A colour image has three channels, a layer of a network has hundreds. A filter has a slice for
# *every* input channel and adds all their products up to **one** number; its bias comes on top,
# once. A layer has many filters, and each makes one output channel.
#
# | tensor | shape | |
# |---|---|---|
# | `x` | $(N, C, H, W)$ | a batch of $N$ images with $C$ channels |
# | `weight` | $(F, C, k_h, k_w)$ | $F$ filters, each with a slice for every channel |
# | `bias` | $(F,)$, or `None` | one number for each filter |
# | result | $(N, F, \text{rows}, \text{columns})$ | one channel for each filter |
#
# ### Task 2b: the convolution layer (2 points for channels, 3 points for the settings)
#
# `stride`, `padding` and `dilation` are whole numbers and hold for both axes. Padding adds zeros.
#
# 1. Compute the rows and columns of the output.
# 2. Make a padded copy of `x`: a larger tensor of zeros, with `x` in its middle.
# 3. Cut out the window of each output position: for all images and channels at once its shape is
#    $(N, C, k_h, k_w)$. It begins `stride` times the position, and takes every `dilation`-th
#    pixel.
# 4. Multiply it with every filter, and sum over channels, rows and columns: that gives $(N, F)$.
# 5. Add the bias, if there is one.
#
# <details><summary>Hint: every dilation-th pixel</summary>A slice has a third number:
# <code>row[3:8:2]</code> takes positions 3, 5 and 7. Mind where it has to end: three taps with
# dilation 2 reach over 5 positions.</details>
#
# <details><summary>Hint: all filters at once</summary><code>torch.einsum("nchw,fchw->nf", window,
# weight)</code> multiplies, and sums over the letters that are missing behind the arrow. A loop
# over the filters is just as right.</details>
#
# <details><summary>Hint: the shapes fit, the numbers don't</summary>Try a single filter that is
# zero but for one 1, on <code>address_picture(5, 6)[None, None]</code>. The result says which pixel
# it took.</details>


# %% solution="conv2d"
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """The convolution of x (N, C, H, W) with weight (F, C, k_h, k_w), plus bias (F,)."""
    ### BEGIN SOLUTION
    n, channels, height, width = x.shape
    filters, _, k_h, k_w = weight.shape
    rows = output_size(height, k_h, stride, padding, dilation)
    columns = output_size(width, k_w, stride, padding, dilation)
    padded = x.new_zeros(n, channels, height + 2 * padding, width + 2 * padding)
    padded[:, :, padding : padding + height, padding : padding + width] = x
    y = x.new_zeros(n, filters, rows, columns)
    for i, j in np.ndindex(rows, columns):
        down = slice(i * stride, i * stride + dilation * (k_h - 1) + 1, dilation)
        across = slice(j * stride, j * stride + dilation * (k_w - 1) + 1, dilation)
        y[:, :, i, j] = torch.einsum("nchw,fchw->nf", padded[:, :, down, across], weight)
    return y if bias is None else y + bias[:, None, None]
    ### END SOLUTION


# %% [markdown]
# The example has two channels, the address picture and one that is 100 everywhere, and two
# filters: the first takes the top left pixel of channel 0, the second a pixel of channel 1. The
# biases are 1000 and 2000.

# %% test="test_conv2d_channels" points=2
x = torch.stack([address_picture(3, 3), torch.full((3, 3), 100.0)])[None]
weight = torch.zeros(2, 2, 2, 2)
weight[0, 0, 0, 0] = weight[1, 1, 0, 1] = 1
bias = torch.tensor([1000.0, 2000.0])
want = torch.tensor([[[[1000.0, 1001.0], [1010.0, 1011.0]], [[2100.0, 2100.0], [2100.0, 2100.0]]]])
hint = "Each filter adds up its products over all channels, then its bias once."
once = bias[:, None, None]
slips = {"The bias is missing.": want - once, "Each channel added the bias.": want + once}
slips["You turned the kernels."] = want + torch.tensor([11.0, 0.0])[:, None, None]
assert_same("conv2d", call("conv2d", RULES, conv2d, x, weight, bias), want, hint, slips)
### BEGIN HIDDEN TESTS
device = "cuda" if torch.cuda.is_available() else "cpu"
generator = torch.Generator().manual_seed(23)
cases = [((2, 3, 5, 7), (4, 3, 2, 3)), ((3, 1, 4, 4), (2, 1, 1, 1)), ((1, 4, 6, 3), (3, 4, 3, 2))]
for shape, taps in [*cases, ((2, 2, 3, 4), (1, 2, 3, 4)), ((2, 3, 4, 4), (3, 3, 3, 3))]:
    for dtype, has_bias in [(torch.float64, True), (torch.float32, False), (torch.float32, True)]:
        x = torch.randint(-9, 10, shape, generator=generator).to(device, dtype) / 8
        weight = torch.randint(-9, 10, taps, generator=generator).to(device, dtype) / 8
        bias = (torch.arange(taps[0]) - (taps[0] - 1) / 2).to(device, dtype)
        before = x.clone(), weight.clone(), bias.clone()
        got = (
            call("conv2d", RULES, conv2d, x, weight, bias)
            if has_bias
            else call("conv2d", RULES, conv2d, x, weight)
        )
        x, weight, bias = (tensor.cpu().double() for tensor in before)
        bias = bias if has_bias else torch.zeros_like(bias)
        first = F.conv2d(x[:, :1], weight[:, :1])
        slips = {
            "The bias is missing.": F.conv2d(x, weight),
            "Each channel added the bias.": F.conv2d(x, weight, bias * shape[1]),
            "The channels' products are added up; that is their mean.": (
                F.conv2d(x, weight) / shape[1] + bias[:, None, None]
            ),
            "Only the first channel was looked at.": first + bias[:, None, None],
            "You turned the kernels.": F.conv2d(x, weight.flip(2, 3), bias),
        }
        want = F.conv2d(x, weight, bias).to(device, dtype)
        what = f"x {shape}, weight {taps}, {'with' if has_bias else 'without'} bias"
        assert_same(what, got, want, hint, slips)
x = torch.full((1, 1, 2, 2), 2.0**27 + 1, dtype=torch.float64, device=device)
slips = {"That is single precision: compute in the dtype that you were given.": x.float().double()}
assert_same(
    "2 to the 27, plus 1, times 1",
    call("conv2d", RULES, conv2d, x, torch.ones_like(x[..., :1, :1])),
    x,
    "",
    slips,
)
### END HIDDEN TESTS

# %% [markdown]
# Then each setting on its own. The kernel is 2 × 2, and only one of its four weights is 1: the top
# left one, or for dilation the one below on the right, which now looks two rows further down and
# two columns further to the right.

# %% test="test_conv2d_settings" points=3
x = address_picture(5, 6)[None, None]
top_left = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
below_right = torch.tensor([[[[0.0, 0.0], [0.0, 1.0]]]])
want = torch.tensor([[[[0.0, 2.0, 4.0], [20.0, 22.0, 24.0]]]])
hint_stride = "The window of output (i, j) begins in row i · stride and column j · stride."
assert_same("stride 2", call("conv2d", RULES, conv2d, x, top_left, stride=2), want, hint_stride)
want = torch.zeros(1, 1, 6, 7)
want[..., 1:, 1:] = x
hint_padding = "Put `padding` zeros at all four sides, and the picture in the middle."
assert_same("padding 1", call("conv2d", RULES, conv2d, x, top_left, padding=1), want, hint_padding)
hint_dilation = "Neighbouring taps look `dilation` pixels apart."
assert_same(
    "dilation 2",
    call("conv2d", RULES, conv2d, x, below_right, dilation=2),
    x[..., 2:, 2:],
    hint_dilation,
)
### BEGIN HIDDEN TESTS
device = "cuda" if torch.cuda.is_available() else "cpu"
generator = torch.Generator().manual_seed(24)
cases = [(2, 0, 1), (3, 0, 1), (1, 1, 1), (1, 2, 1), (1, 0, 2), (1, 0, 3), (2, 1, 1), (3, 2, 2)]
for stride, padding, dilation in [*cases, (2, 3, 3)]:
    for shape, taps in [((2, 2, 9, 8), (3, 2, 2, 3)), ((1, 3, 7, 11), (2, 3, 3, 1))]:
        dtype = torch.float64 if shape[0] == 2 else torch.float32
        x = torch.randint(1, 10, shape, generator=generator).to(device, dtype) / 8
        weight = torch.randint(-9, 10, taps, generator=generator).to(device, dtype) / 8
        bias = (torch.arange(taps[0]) - (taps[0] - 1) / 2).to(device, dtype)
        before = x.clone(), weight.clone(), bias.clone()
        got = call("conv2d", RULES, conv2d, x, weight, bias, stride, padding, dilation)
        x, weight, bias = (tensor.cpu().double() for tensor in before)
        want = F.conv2d(x, weight, bias, stride, padding, dilation)
        rows, columns = want.shape[2:]
        edge, both = (padding,) * 4, (0, 2 * padding) * 2
        steps = F.conv2d(F.pad(x, edge), weight, bias, 1, 0, dilation)[..., ::stride, :columns]
        close = F.conv2d(F.pad(x, edge), weight, bias, stride)[..., :rows, :columns]
        slips = {
            "All padding is on one side: half belongs in front.": (
                F.conv2d(F.pad(x, both), weight, bias, stride, 0, dilation)
            ),
            "Pad with zeros, not with the picture's edge.": (
                F.conv2d(F.pad(x, edge, "replicate"), weight, bias, stride, 0, dilation)
            ),
            "Only the rows were strided: columns step by `stride`, too.": steps,
            "The taps are neighbours: take every `dilation`-th pixel.": close,
            "You turned the kernels.": (
                F.conv2d(x, weight.flip(2, 3), bias, stride, padding, dilation)
            ),
        }
        what = f"x {shape}, weight {taps}, stride {stride}, padding {padding}, dilation {dilation}"
        hint = f"If the channels are right: {hint_stride} {hint_padding} {hint_dilation}"
        assert_same(what, got, want.to(device, dtype), hint, slips)
### END HIDDEN TESTS

# %% [markdown]
# Now let it see. The two kernels below are Sobel's: one answers where the brightness changes
# from left to right, the other where it changes from top to bottom. They look at a photograph
# through your function. Which parts of the cup's round rim does each of them find, and why is the
# rest of it dark?

# %%
from course_utils.data import load_photograph
from course_utils.plots import show_pictures

grey = load_photograph("coffee").float().mean(dim=0) / 255
small = F.avg_pool2d(grey[None, None], 4)
sobel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
edges = conv2d(small, torch.stack([sobel, sobel.T])[:, None])[0]

# %%
show_pictures(
    {
        "the photograph, in grey": small[0].expand(3, -1, -1),
        "left to right": edges[:1].abs().expand(3, -1, -1),
        "top to bottom": edges[1:].abs().expand(3, -1, -1),
    },
    alt="A cup of coffee from above, in grey, and two pictures of its edges: in the first the left "
    "and right sides of the rim are bright, in the second the upper and lower sides.",
)

# %% [markdown]
# ## Part 3: one axis more
#
# *Lecture section: Depth or channels? 3×3×3 over 128×128×5.*
#
# A scan is a stack of slices, a film a stack of pictures. A **3-D convolution** slides its kernel
# along that third axis too, and uses the same weights at every depth. So its kernel has a depth
# of its own, and so has its output. (A *transposed* convolution is something else: it makes its
# input larger.)
#
# | tensor | shape |
# |---|---|
# | `x` | $(N, C, D, H, W)$: PyTorch puts the depth before the height |
# | `weight` | $(F, C, k_d, k_h, k_w)$ |
# | `bias` | $(F,)$, or `None` |
# | result | $(N, F, \text{slices}, \text{rows}, \text{columns})$ |
#
# Take the scanner's $128 \times 128 \times 5$ of the lecture, one channel, and a kernel of
# $3 \times 3 \times 3$. Along the depth the window has $5 - 3 + 1 = 3$ places, along height and
# width 126: the output is $126 \times 126 \times 3$, or $(1, 1, 3, 126, 126)$ as PyTorch writes it.
#
# ### Task 3: the convolution of a volume (3 points)
#
# The settings mean what they meant in task 2b, and hold for all three axes.
#
# 1. Which lines of `conv2d` mention rows, and which columns? Each needs a sister for the slices.
# 2. A window has the shape $(N, C, k_d, k_h, k_w)$ now; the sum runs over one axis more.
#
# <details><summary>Hint: another way</summary>A 3-D convolution is a sum of 2-D ones. Output slice
# s is the sum, over the kernel's slices t, of <code>conv2d</code> applied to slice s · stride + t ·
# dilation of the volume. Pad the depth yourself, and let <code>conv2d</code> pad the rest; add the
# bias once, not once for each t.</details>
#
# <details><summary>Hint: wrong only where the three sizes differ</summary>Then two axes have
# changed places. Depth is axis 2, height 3, width 4, in <code>x</code> and in
# <code>weight</code>.</details>


# %% solution="conv3d"
def conv3d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """The convolution of x (N, C, D, H, W) with weight (F, C, k_d, k_h, k_w), plus bias (F,)."""
    ### BEGIN SOLUTION
    n, _, *space = x.shape
    filters, _, *kernel = weight.shape
    sizes = [
        output_size(i, k, stride, padding, dilation) for i, k in zip(space, kernel, strict=True)
    ]
    padded = F.pad(x, (padding,) * 6)
    y = x.new_zeros(n, filters, *sizes)
    for place in np.ndindex(*sizes):
        window = padded
        for axis, (start, k) in enumerate(zip(place, kernel, strict=True), start=2):
            taps = start * stride + dilation * torch.arange(k, device=x.device)
            window = window.index_select(axis, taps)
        y[(..., *place)] = torch.einsum("ncdhw,fcdhw->nf", window, weight)
    return y if bias is None else y + bias[:, None, None, None]
    ### END SOLUTION


# %% [markdown]
# The example is a volume of addresses: slice 1, row 2, column 3 has the value 123. The kernel is
# $2 \times 2 \times 3$, and its only 1 looks one slice deeper, in the same row, and two columns to
# the right. So the first output is 102.

# %% test="test_conv3d" points=3
x = torch.stack([address_picture(4, 5) + 100 * depth for depth in range(3)])[None, None]
weight = torch.zeros(1, 1, 2, 2, 3)
weight[0, 0, 1, 0, 2] = 1
want = x[:, :, 1:, :3, 2:]
hint = "The axes are depth, height, width, in this order."
assert_same("conv3d", call("conv3d", RULES, conv3d, x, weight), want, hint)
got = call("conv3d", RULES, conv3d, x, weight, torch.tensor([1000.0]))
assert_same("conv3d with a bias", got, 1000 + want, "The bias is added once.")
### BEGIN HIDDEN TESTS
device = "cuda" if torch.cuda.is_available() else "cpu"
generator = torch.Generator().manual_seed(25)
cases = [((2, 2, 3, 4, 5), (3, 2, 2, 3, 1)), ((1, 3, 5, 3, 4), (2, 3, 1, 2, 3))]
settings = [(1, 0, 1), (2, 0, 1), (1, 1, 1), (1, 2, 2), (2, 1, 1), (3, 2, 2)]
for stride, padding, dilation in settings:
    for shape, taps in cases:
        dtype = torch.float64 if shape[0] == 2 else torch.float32
        x = torch.randint(1, 10, shape, generator=generator).to(device, dtype) / 8
        weight = torch.randint(-9, 10, taps, generator=generator).to(device, dtype) / 8
        bias = (torch.arange(taps[0]) - (taps[0] - 1) / 2).to(device, dtype)
        before = x.clone(), weight.clone(), bias.clone()
        got = call("conv3d", RULES, conv3d, x, weight, bias, stride, padding, dilation)
        bare = call("conv3d", RULES, conv3d, x, weight, None, stride, padding, dilation)
        x, weight, bias = (tensor.cpu().double() for tensor in before)
        want = F.conv3d(x, weight, bias, stride, padding, dilation).to(device, dtype)
        kept = F.conv3d(x, weight, None, stride, padding, dilation).to(device, dtype)
        slips = {
            "The bias is missing.": F.conv3d(x, weight, None, stride, padding, dilation),
            "The bias is added once, not for every slice of the kernel.": (
                F.conv3d(x, weight, bias * taps[2], stride, padding, dilation)
            ),
            "You turned the kernels.": (
                F.conv3d(x, weight.flip(2, 3, 4), bias, stride, padding, dilation)
            ),
        }
        what = f"x {shape}, weight {taps}, stride {stride}, padding {padding}, dilation {dilation}"
        hint = "The settings hold for all three axes: depth, height, width, in this order."
        assert_same(what, got, want, hint, slips)
        assert_same(f"{what}, no bias", bare, kept, hint)
### END HIDDEN TESTS

# %% [markdown]
# Are the five slices of a scan the *channels* of an image, or the third axis of a volume? Both can
# be computed. Which of the two outputs still knows on which slice something was found?

# %%
scan = torch.randn(1, 1, 5, 32, 32, generator=torch.Generator().manual_seed(0))
as_volume = conv3d(scan, torch.ones(1, 1, 3, 3, 3))
as_channels = conv2d(scan[:, 0], torch.ones(1, 5, 3, 3))
print("slices as third axis:", tuple(as_volume.shape))
print("slices as channels  :", tuple(as_channels.shape))

# %% [markdown]
# ## Part 4: what does a layer cost?
#
# *Lecture sections: Recap, Play, Depth or channels?*
#
# Two numbers describe the price of a layer before anything is trained. **Parameters** are what has
# to be learned, stored and sent. **Multiply-adds** (MACs) are the work for one image: each is a
# product, and its addition to a sum. ("FLOPs" in papers are sometimes MACs and sometimes twice as
# many; ask which.)
#
# AlexNet's first layer has 96 filters of $11 \times 11$ over 3 channels. One filter has
# $11 \cdot 11 \cdot 3 = 363$ weights and one bias, so the layer has $96 \cdot 364 = 34{,}944$
# parameters. To compute one output number all 363 weights are used once: 363 MACs. How many output
# numbers are there? Adding the bias isn't counted.
#
# ### Task 4a: parameters (1 point)
#
# `kernel` is a tuple with one number for each axis, so that one function serves images and
# volumes. Give back an `int`; `math.prod` multiplies the numbers of a tuple.
#
# 1. How many weights has one filter? It reaches through all input channels.
# 2. Does it have a bias?
# 3. How many filters are there?


# %% solution="conv_parameters"
def conv_parameters(in_channels, filters, kernel, bias=True):
    """How many weights and biases a convolution has (int); kernel has one number an axis."""
    ### BEGIN SOLUTION
    return filters * (math.prod(kernel) * in_channels + bool(bias))
    ### END SOLUTION


# %% [markdown]
# AlexNet's first layer; then the two layers of the lecture for a scan with five slices, as
# channels and as a volume.

# %% test="test_conv_parameters" points=1
hint = "Each filter has a weight for every tap of every channel, and one bias."
slips = {34_849: "Each filter has a bias of its own.", 34_848: "Each filter has a bias."}
assert_number(
    "96 filters of 11×11×3",
    call("conv_parameters", RULES, conv_parameters, 3, 96, (11, 11)),
    34_944,
    hint,
    slips,
)
assert_number(
    "one 3×3 over 5 channels",
    call("conv_parameters", RULES, conv_parameters, 5, 1, (3, 3)),
    46,
    hint,
)
assert_number(
    "one 3×3×3 over 1 channel",
    call("conv_parameters", RULES, conv_parameters, 1, 1, (3, 3, 3)),
    28,
    hint,
)
assert_number(
    "the same without bias",
    call("conv_parameters", RULES, conv_parameters, 1, 1, (3, 3, 3), False),
    27,
    hint,
)
### BEGIN HIDDEN TESTS
cases = [(3, 8, (5, 2)), (16, 4, (7,)), (2, 6, (1, 3, 4)), (512, 512, (3, 3)), (1, 5, (1, 1))]
for c, f, kernel in cases:
    weights = f * c * math.prod(kernel)
    for bias in (True, False):
        slips = {
            weights + 1: "Each filter has a bias of its own.",
            weights: "Each filter has a bias.",
            weights + f: "There are no biases if `bias` is False.",
            f * math.prod(kernel) + f * bias: "A filter has a slice for every input channel.",
            f * c * kernel[0] ** len(kernel) + f * bias: "The kernel's sides may differ.",
        }
        what = f"{f} filters of {kernel} over {c} channels, bias={bias}"
        assert_number(
            what,
            call("conv_parameters", RULES, conv_parameters, c, f, kernel, bias),
            weights + f * bias,
            hint,
            slips,
        )
### END HIDDEN TESTS

# %% [markdown]
# ### Task 4b: multiply-adds (2 points)
#
# `in_shape` is the shape of **one** example, channels first: `(3, 227, 227)` for AlexNet.
# `stride`, `padding` and `dilation` are whole numbers and hold for every axis.
#
# 1. How many MACs does one output number take?
# 2. How many output numbers has one filter? That is a product over the axes of space.
# 3. How many filters are there?
#
# <details><summary>Hint: it is right for AlexNet, wrong elsewhere</summary>Does each axis use its
# own size and its own kernel? A scan isn't square.</details>


# %% solution="conv_macs"
def conv_macs(in_shape, filters, kernel, stride=1, padding=0, dilation=1):
    """Multiply-adds of a convolution for one example of shape (C, …), as an int."""
    ### BEGIN SOLUTION
    channels, *space = in_shape
    sizes = [
        output_size(i, k, stride, padding, dilation) for i, k in zip(space, kernel, strict=True)
    ]
    return filters * math.prod(sizes) * channels * math.prod(kernel)
    ### END SOLUTION


# %% test="test_conv_macs" points=2
hint = "Every output number takes one multiply-add for each weight of its filter."
slips = {105_705_600: "Adding the bias isn't counted.", 34_848: "Those are the weights."}
got = call("conv_macs", RULES, conv_macs, (3, 227, 227), 96, (11, 11), 4)
assert_number("AlexNet's first layer", got, 105_415_200, hint, slips)
got = call("conv_macs", RULES, conv_macs, (5, 128, 128), 1, (3, 3))
assert_number("3×3 over five channels", got, 714_420, hint)
got = call("conv_macs", RULES, conv_macs, (1, 5, 128, 128), 1, (3, 3, 3))
assert_number("3×3×3 over five slices", got, 1_285_956, hint)
### BEGIN HIDDEN TESTS
cases = [
    *(((3, 9, 14), 4, (2, 5), 1, 0, 1), ((2, 20, 11), 6, (3, 1), 2, 1, 1)),
    *(((5, 17), 3, (4,), 5, 2, 2), ((1, 5, 12, 8), 2, (1, 3, 2), 2, 1, 2)),
    *(((4, 10, 7, 6), 3, (3, 2, 4), 1, 2, 1), ((64, 224, 112), 128, (3, 5), 1, 0, 3)),
]
for shape, f, kernel, *settings in cases:
    stride, padding, dilation = settings
    reaches = [dilation * (k - 1) + 1 for k in kernel]
    rows = zip(shape[1:], reaches, strict=True)
    places = [len(range(0, i + 2 * padding - reach + 1, stride)) for i, reach in rows]
    weights = f * shape[0] * math.prod(kernel)
    want = weights * math.prod(places)
    slips = {
        want + f * math.prod(places): "Adding the bias isn't counted.",
        want // shape[0]: "A filter multiplies in all input channels.",
        want // f: "That is the work of one filter.",
        weights * math.prod(shape[1:]): "Count the output's places, not the input's pixels.",
        weights * places[0] ** len(kernel): "Each axis has a size and a kernel of its own.",
        weights: "Those are the weights; each is used at every place.",
    }
    what = f"input {shape}, {f} filters of {kernel}, stride, padding, dilation {settings}"
    hint = "Stride, padding and dilation decide how many places there are."
    assert_number(
        what, call(what, RULES, conv_macs, shape, f, kernel, *settings), want, hint, slips
    )
### END HIDDEN TESTS

# %% [markdown]
# The 3-D layer has fewer parameters than the 2-D one (28 against 46) and does more work. Where do
# the extra multiply-adds come from?
#
# Now a whole network: the thirteen convolutions of VGG-16, all $3 \times 3$ with padding 1. Each
# row gives the input's channels, its width, and the filters. Which layers hold the parameters, and
# which do the work?


# %% given="vgg16"
VGG16 = (
    *((3, 224, 64), (64, 224, 64), (64, 112, 128), (128, 112, 128), (128, 56, 256)),
    *((256, 56, 256), (256, 56, 256), (256, 28, 512), (512, 28, 512), (512, 28, 512)),
    *((512, 14, 512), (512, 14, 512), (512, 14, 512)),
)

# %%
parameters = [conv_parameters(c, filters, (3, 3)) for c, _, filters in VGG16]
macs = [conv_macs((c, i, i), filters, (3, 3), padding=1) for c, i, filters in VGG16]
for (c, i, filters), p, m in zip(VGG16, parameters, macs, strict=True):
    print(f"{i:4} × {i:3} × {c:3} → {filters:3}: {p:>11,} parameters, {m:>14,} MACs")
print(f"{'all convolutions':>22}: {sum(parameters):>11,} parameters, {sum(macs):>14,} MACs")

# %% [markdown]
# ## Part 5: what does one unit see?
#
# *Lecture sections: Receptive field, Why is 3×3 good enough?*
#
# The **receptive field** of a unit is the stretch of the input that it depends on. After one
# layer of kernel 3 it is 3 pixels. After a second one it is 5: the unit sees three neighbours,
# which lie one pixel apart and see 3 pixels each.
#
# With a stride the neighbours lie further apart. Two numbers walk through the stack:
#
# - the **field**: how many input pixels a unit sees;
# - the **jump**: how many input pixels lie from one unit to the next.
#
# Before the first layer both are 1. AlexNet begins with kernel 11, stride 4: the field grows to
# 11, the jump to 4. Then a max pool, kernel 3, stride 2: three neighbours lie over
# $2 \cdot 4 = 8$ pixels, so the field is $11 + 8 = 19$, and the jump is $4 \cdot 2 = 8$. Padding
# moves the field and doesn't change its size.


# %% given="window"
class Window(NamedTuple):
    """A convolution or a pooling layer along one axis."""

    kernel: int
    stride: int = 1
    dilation: int = 1


# %% [markdown]
# ### Task 5: the receptive field (3 points)
#
# `layers` is a list of `Window`, the layer nearest to the input first. Its members have names:
# `layer.kernel`, `layer.stride`, `layer.dilation`.
#
# 1. Start with field and jump 1. A unit of the input sees itself.
# 2. For each layer: how many jumps lie between the first and the last tap of its window? So much
#    is added to the field.
# 3. *Then* the jump is multiplied by the layer's stride. Why not before?
#
# <details><summary>Hint: 57 comes out in place of 19</summary>A layer's stride widens the view of
# the layers behind it, not its own.</details>


# %% solution="receptive_field"
def receptive_field(layers):
    """How long a stretch of the input (in pixels, along one axis) a unit behind all layers sees."""
    ### BEGIN SOLUTION
    seen = jump = 1
    for kernel, stride, dilation in layers:
        seen += dilation * (kernel - 1) * jump
        jump *= stride
    return seen
    ### END SOLUTION


# %% [markdown]
# The examples: one and two layers of $3 \times 3$, AlexNet's first two layers, and a kernel whose
# three taps lie four pixels apart.

# %% test="test_receptive_field" points=3
hint = "A layer adds its kernel minus 1, in steps as long as the jump before it."
assert_number("one 3×3", call("receptive_field", RULES, receptive_field, [Window(3)]), 3, hint)
assert_number(
    "two 3×3", call("receptive_field", RULES, receptive_field, [Window(3), Window(3)]), 5, hint
)
got = call("receptive_field", RULES, receptive_field, [Window(11, stride=4), Window(3, stride=2)])
slips = {
    57: "A layer's stride widens the view of the layers behind it, not its own.",
    13: "Behind a stride neighbours lie further apart: a step is worth a jump.",
}
assert_number("AlexNet up to its first pool", got, 19, hint, slips)
assert_number(
    "dilation 4",
    call("receptive_field", RULES, receptive_field, [Window(3, dilation=4)]),
    9,
    "Taps lie 4 pixels apart.",
)
### BEGIN HIDDEN TESTS
generator = torch.Generator().manual_seed(26)
stacks = [[], [Window(1, 2)], [Window(3, 2), Window(1), Window(3)], [Window(2, 2)] * 5]
for _ in range(40):
    depth = int(torch.randint(2, 5, (), generator=generator))
    draws = torch.randint(1, 4, (depth, 3), generator=generator).tolist()
    stacks.append([Window(kernel + 1, stride, dilation) for kernel, stride, dilation in draws])
for layers in stacks:
    seen = {0}  # the positions that the unit depends on, from the output to the input
    for layer in reversed(layers):
        seen = {n * layer.stride + t * layer.dilation for n in seen for t in range(layer.kernel)}
    field, jump, late, plain, dilated = 1, 1, 1, 1, 1
    for kernel, stride, dilation in layers:
        field += (kernel - 1) * jump
        late += dilation * (kernel - 1) * jump * stride
        plain += dilation * (kernel - 1)
        jump *= stride
    slips = {
        field: "A dilated kernel's taps lie `dilation` jumps apart.",
        plain: "Behind a stride neighbours lie further apart: a step is worth a jump.",
        late: "A layer's stride widens the view of the layers behind it, not its own.",
    }
    what, before = " → ".join(map(str, layers)) or "no layer", list(layers)
    got = call("receptive_field", RULES, receptive_field, layers)
    assert layers == before, "receptive_field changed the list: only read it."
    hint = "Strides multiply: the jump is the product of all strides before a layer."
    assert_number(what, got, max(seen) - min(seen) + 1, hint, slips)
### END HIDDEN TESTS

# %% [markdown]
# How much does a unit behind the last pool of AlexNet and of VGG-16 see? Both networks look at
# pictures of about 224 pixels. VGG-16 has no kernel larger than 3: how does it get there?

# %%
alexnet = [Window(11, 4), Window(3, 2), Window(5), Window(3, 2), Window(3), Window(3), Window(3)]
alexnet += [Window(3, 2)]
vgg16 = [
    layer for convs in (2, 2, 3, 3, 3) for layer in [*[Window(3)] * convs, Window(2, stride=2)]
]
for name, layers in {"AlexNet": alexnet, "VGG-16": vgg16}.items():
    fields = [receptive_field(layers[:depth]) for depth in range(1, len(layers) + 1)]
    print(name, *fields)

# %% [markdown]
# ## Part 6: three questions, one attempt each
#
# You have built it all; now say what you know. You get the points of a question **if and only if
# your first answer is right**. Later answers score nothing, so take paper, take a hint if you
# like (hints cost nothing), and submit when you are sure.
#
# What you submit is written to the file `attempts.jsonl` beside this notebook. It came with the
# assignment, and it is part of what you hand in: leave it where it is, and don't edit it. Whether
# you were right, and the complete solution, you learn with your feedback.
#
# The second and the third question have numbers of your own, drawn from your student id.
#
# ### Seven slices (2 points)

# %% given="ask_seven_slices"
from course_utils.quiz import ask

ask("seven_slices")

# %% [markdown]
# ### An output size (1 point)

# %% given="ask_dilated_size"
ask("dilated_size")

# %% [markdown]
# ### The price of a layer (1 point)

# %% given="ask_layer_macs"
ask("layer_macs")

# %% [markdown]
# The next three cells are where your answers are marked. Until you have answered, they say that
# there is no answer yet; once you have, they say nothing.

# %% quiz="seven_slices"

# %% quiz="dilated_size"

# %% quiz="layer_macs"

# %% [markdown]
# ## What to take with you
#
# - Count the steps, then add the place where you started. Reach and padded size decide what fits.
# - A filter adds up over **all** input channels; its bias comes on top once; its kernel isn't
#   turned.
# - Weights are shared between places, so a larger image costs more multiply-adds and no parameter
#   more.
# - A stride widens the view of every layer behind it.
#
# **A question to end with.** You may put a stride of 2 into the first layer of VGG-16 or into its
# last convolution. What does each do to the parameters, the multiply-adds, and the receptive
# field behind the last pool?
