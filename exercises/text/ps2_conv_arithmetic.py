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
# say, and save. (JupyterLab stops at the first test that fails. Run the cells after it one by one,
# with Shift-Enter.) Then submit in nbgrader's *Assignment List*, or, if your course collects files,
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
# Four house rules hold for all your functions:
#
# 1. Write the arithmetic yourself. Tensor operations are all welcome: indexing, products, sums,
#    `einsum`, `unfold`, `F.pad`, numpy. Neither PyTorch's convolution, under whatever name, nor
#    autograd: the tests see what runs, not what it is called. The lecture's
#    `course_utils.arithmetic` isn't available when your work is graded, because it solves it.
# 2. Leave the inputs as they are, because the caller still needs them, and give back a new tensor
#    each time. An input may be a transposed or an expanded view, for which `x.view(-1)` fails and
#    `x.reshape(-1)` works.
# 3. Tensors: lose no digits of the dtype that you were given, and give the result back in that
#    dtype, on that device. Counts and sizes: give back a Python `int`.
# 4. Leave alone the random generators that all code shares: neither seed them nor draw from them.
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
from course_utils.testing import assert_number, assert_same, call

# %% given="house_rules"
RULES = ("convolution", "autograd", "chance")
# PyTorch knows how many weights a layer has, and what it costs: count them yourself.
COUNTING_RULES = (*RULES, "torch.nn.modules.conv", "torch.utils.flop_counter")

# %% [markdown]
# A test calls `call("the case", RULES, your_function, …)`: it calls your function, sees to rules
# 1, 2 and 4, and says in which case something went wrong. `assert_number` compares, and
# `assert_same` names the first element that differs. The next cell is a tool for task 1b. You may
# use all of them while you look for a mistake.


# %% given="test_tools_refusal"
def assert_refused(function, settings, said, hint):
    """Fail unless `function` refuses the settings, with a ValueError in which all is `said`."""
    import re

    case = f"output_size{settings}"
    try:
        with own_work(*RULES):
            got = function(*settings)
    except ValueError as error:
        message = str(error)
    except Exception as error:
        kind = type(error).__name__
        raise AssertionError(f"{case}: expected a ValueError, got {kind}: {error}") from None
    else:
        raise AssertionError(f"{case}: expected a ValueError, got the result {got}")
    for word in said:  # a number isn't a part of another: 5 isn't said by 15
        is_said = re.search(rf"(?<!\d){word}(?!\d)", message.lower())
        assert is_said, f"{case}: the message is {message!r}: {hint}"


# %% [markdown]
# ## Part 1: how large is the output?
#
# *Lecture sections: A window slides; Padding; Strides; When the steps don't fit; Dilation.*
#
# A row has 7 pixels and a window is 3 wide. Its left edge can stand at 0, 1, 2, 3 and 4: the last
# place is $7 - 3 = 4$, and counting from zero there is **one more place than steps**. With stride
# 2 the window stands at 0, 2 and 4. With stride 3 it stands at 0 and 3; a last step would leave
# the row, and the pixel that is left over is not looked at. That is PyTorch's convention:
# whole steps only.
#
# Two settings change what is compared with what. **Padding** $p$ puts $p$ zeros at *both* ends, so
# 7 pixels become $7 + 2p$. **Dilation** $d$ spreads the window's *taps*, the places that have a
# weight: 3 taps with $d = 2$ look at positions 0, 2 and 4, and so reach over $d(k - 1) + 1 = 5$
# positions.
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
def example_of_output_size():
    examples = [
        ("7 pixels, kernel 3", (7, 3), 5, "Places are steps plus one."),
        ("AlexNet's first layer", (227, 11, 4), 55, "54 steps, and the start."),
        ("7 pixels, kernel 3, stride 3", (7, 3, 3), 2, "A step that leaves the row isn't made."),
        ("7 pixels, kernel 3, padding 1", (7, 3, 1, 1), 7, "Padding is added at both ends."),
        ("7 pixels, kernel 3, dilation 2", (7, 3, 1, 0, 2), 3, "The window reaches over 5, not 6."),
    ]
    for case, settings, want, hint in examples:
        assert_number(case, call(case, RULES, output_size, *settings), want, hint)


example_of_output_size()
### BEGIN HIDDEN TESTS


def check_output_size(function):
    generator = torch.Generator().manual_seed(21)
    for _ in range(120):
        i, k, s, p, d = (
            int(torch.randint(1, high, (), generator=generator)) for high in (60, 6, 6, 5, 4)
        )
        reach, positions = d * (k - 1) + 1, i + 2 * (p - 1)
        if reach <= positions:
            case = f"size {i}, kernel {k}, stride {s}, padding {p - 1}, dilation {d}"
            want = len(range(0, positions - reach + 1, s))
            hint = f"The window reaches over {reach} of {positions} positions."
            assert_number(case, call(case, RULES, function, i, k, s, p - 1, d), want, hint)
    case = "size 9,000, kernel 5, stride 7, dilation 3"
    got = call(case, RULES, function, size=9_000, kernel=5, stride=7, dilation=3)
    assert_number(case, got, 1_284, "Settings may be given by name.")


check_output_size(output_size)
### END HIDDEN TESTS

# %% [markdown]
# And what must be refused: a window of 5 on a row of 3, and a window that never moves.


# %% test="test_output_size_refuses" points=2
def example_of_refusals():
    hint = "say how far the window reaches (5) and how many positions there are (3)"
    assert_refused(output_size, (3, 5), ["3", "5"], hint)
    assert_refused(output_size, (7, 3, 0), ["stride"], "name the setting, 'stride'")


example_of_refusals()
### BEGIN HIDDEN TESTS


def check_refusals(function):
    wrong = [("size", 0), ("size", -7), ("kernel", 0), ("kernel", -1), ("stride", 0)]
    wrong += [("stride", -2), ("padding", -1), ("dilation", 0), ("dilation", -1)]
    for kernel in (3, 1):
        fits = {"size": 7, "kernel": kernel, "stride": 1, "padding": 0, "dilation": 1}
        for name, value in wrong:
            settings = tuple((fits | {name: value}).values())
            assert_refused(function, settings, [name], f"name the setting, {name!r}")
    refused = [((8, 3, 1, 0, 4), 9, 8), ((3, 9, 1, 2, 1), 9, 7), ((12, 15, 4, 1, 1), 15, 14)]
    for settings, reach, positions in [*refused, ((21, 4, 1, 0, 7), 22, 21)]:
        hint = f"say how far the window reaches ({reach}) and how many positions there are"
        said = [str(reach), str(positions)]
        assert_refused(function, settings, said, f"{hint} ({positions})")


def check_what_just_fits(function):
    for settings in [(9, 3, 1, 0, 4), (3, 9, 1, 3, 1), (1, 1, 1, 0, 1), (4, 6, 5, 1, 1)]:
        case = f"a window that just fits, {settings}"
        assert_number(case, call(case, RULES, function, *settings), 1, "It fits in one place.")


check_refusals(output_size)
check_what_just_fits(output_size)
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
# *Lecture sections: A window slides; Play.*
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
### BEGIN HIDDEN TESTS
def tensors_for_tests(shapes, number, generator):
    """Tensors of some shapes: what sort they are, and they; another sort for each number.

    In float64 they need all digits; in float32 there are zeros, and numbers that repeat.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tensors = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]
    if number % 2:
        tensors = [((4 * x).round() / 8).float() for x in tensors]
    tensors = [x.to(device) for x in tensors]
    layout = ("contiguous", "transposed", "expanded")[number % 3]
    if layout == "transposed":  # and behind each number lies one that isn't meant
        turned = [x.permute(*range(x.dim())[::-1]) for x in tensors]
        apart = [torch.stack([x, 9 - x], dim=-1)[..., 0] for x in turned]
        tensors = [x.permute(*range(x.dim())[::-1]) for x in apart]
    elif layout == "expanded":
        tensors = [x[:1].expand(x.shape) for x in tensors]
    return f"{tensors[0].dtype}, {layout}", tensors


def wanted_for_tests(convolve, x, weight, bias, *settings):
    """What PyTorch's convolution gives, computed in float64."""
    exact = [None if tensor is None else tensor.cpu().double() for tensor in (x, weight, bias)]
    return convolve(*exact, *settings).to(x)


def assert_exact(what, got, want, hint):
    """As assert_same, but in float64 to eleven digits, of which float32 has seven."""
    double = want.dtype == torch.float64
    what = f"{what}, to eleven digits" if double else what
    assert_same(what, got, want, hint, 1e-11 if double else None)


def check_calls(function, calls, hint):
    """Compare results when they come, and again at the end: is each still what it was?"""
    results = []
    for case, inputs, want in calls:
        got = call(case, RULES, function, *inputs)
        assert_exact(f"the result for {case}", got, want, hint)
        results.append((f"after later calls, the result for {case}", got, want))
    for result in results:
        assert_exact(*result, "Give back a new tensor each time.")


### END HIDDEN TESTS
def example_of_correlate2d():
    case, kernel = "the 3 × 4 picture, kernel 2 × 2", torch.tensor([[0.0, 1.0], [2.0, 3.0]])
    want = torch.tensor([[54.0, 60.0, 66.0], [114.0, 120.0, 126.0]])
    got = call(case, RULES, correlate2d, address_picture(3, 4), kernel)
    hint = "Multiply each pixel by the weight on top of it, and add up. A turned kernel gives 12."
    assert_same(f"correlate2d of {case}", got, want, hint)


example_of_correlate2d()
### BEGIN HIDDEN TESTS


def correlations_for_tests():
    generator = torch.Generator().manual_seed(22)
    sizes = [((4, 7), (2, 3)), ((7, 4), (3, 1)), ((5, 4), (5, 4)), ((1, 6), (1, 4))]
    sizes += [((6, 6), (3, 3)), ((1, 1), (1, 1))]
    for number in range(6 * len(sizes)):
        kind, (image, kernel) = tensors_for_tests(sizes[number // 6], number, generator)
        case = f"image {tuple(image.shape)}, kernel {tuple(kernel.shape)}, {kind}"
        want = wanted_for_tests(F.conv2d, image[None, None], kernel[None, None], None)
        yield case, (image, kernel), want[0, 0]
    image, kernel = torch.rand(2, 3, generator=generator), torch.rand(1, 2, generator=generator)
    case = "image (2, 3), kernel (1, 2), new numbers in the same tensors"
    for changed in (image, kernel, image, kernel):
        changed.neg_()
        want = wanted_for_tests(F.conv2d, image[None, None], kernel[None, None], None)
        yield case, (image, kernel), want[0, 0]
    yield "image (2, 3), one weight of 1", (image, torch.ones(1, 1)), image.clone()
    image.zero_()  # a result that is the image changes with it


check_calls(
    correlate2d,
    correlations_for_tests(),
    "Rows come first, in the image and in the kernel, and no kernel is turned.",
)
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
### BEGIN HIDDEN TESTS
def layers_for_tests(convolve, cases, seed):
    """Calls of a convolution layer: case, inputs, and what PyTorch gives.

    The cases are shapes of x and of weight, and settings.
    """
    generator = torch.Generator().manual_seed(seed)
    for number, (shape, taps, *settings) in enumerate(cases):
        kind, drawn = tensors_for_tests([shape, taps, taps[:1]], number, generator)
        x, weight, bias = drawn
        steps = torch.arange(taps[0]).to(bias)
        biases = {"a bias": bias, "no bias": None, "negative biases": -1 - bias.abs()}
        biases |= {"biases from 0 down": -steps, "biases adding up to 0": steps - steps.mean()}
        name, bias = list(biases.items())[number % 5]
        names = ("stride", "padding", "dilation")
        said = [f"{name} {value}" for name, value in zip(names, settings, strict=False)]
        case = ", ".join([f"x {shape}, weight {taps}, {name}", *said, kind])
        lent = (x, weight, bias, *settings)
        yield case, lent, wanted_for_tests(convolve, *lent)
    x, weight, bias = (tensor.clone() for tensor in drawn)
    for changed in (x, weight, bias, x, weight, bias):
        changed.neg_()
        lent = (x, weight, bias, *settings)
        case = f"x {shape}, weight {taps}, new numbers in the same tensors"
        yield case, lent, wanted_for_tests(convolve, *lent)


### END HIDDEN TESTS
def example_of_channels():
    x = torch.stack([address_picture(3, 3), torch.full((3, 3), 100.0)])[None]
    weight = torch.zeros(2, 2, 2, 2)
    weight[0, 0, 0, 0] = weight[1, 1, 0, 1] = 1
    want = torch.tensor([[[[0.0, 1.0], [10.0, 11.0]], [[100.0, 100.0], [100.0, 100.0]]]])
    case, bias = "two channels, two filters", torch.tensor([1000.0, 2000.0])
    got = call(case, RULES, conv2d, x, weight)
    hint = "A filter adds up over all channels. A turned kernel looks at 11 first, not at 0."
    assert_same(f"conv2d of {case}", got, want, hint)
    got = call(f"{case}, with biases", RULES, conv2d, x, weight, bias)
    hint = "The bias is added once: not for each channel, and not along the columns."
    assert_same(f"conv2d of {case}, with biases", got, want + bias[:, None, None], hint)


example_of_channels()
### BEGIN HIDDEN TESTS


def channels_for_tests():
    shapes = [((2, 3, 5, 7), (4, 3, 2, 3)), ((3, 1, 4, 4), (2, 1, 1, 1))]
    shapes += [((1, 4, 6, 3), (3, 4, 3, 2)), ((2, 2, 3, 4), (1, 2, 3, 4))]
    shapes += [((1, 1, 1, 1), (1, 1, 1, 1)), ((2, 3, 4, 4), (3, 3, 3, 3))]
    return layers_for_tests(F.conv2d, [case for case in shapes for _ in range(5)], seed=23)


check_calls(
    conv2d,
    channels_for_tests(),
    "Each filter adds up its products over all channels, then its bias once.",
)
### END HIDDEN TESTS

# %% [markdown]
# Then each setting on its own. The kernel is 2 × 2, and only one of its four weights is 1: the top
# left one, or for dilation the one below on the right, which now looks two rows further down and
# two columns further to the right.


# %% test="test_conv2d_settings" points=3
def example_of_settings():
    x = address_picture(5, 6)[None, None]
    top_left = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    below_right = torch.tensor([[[[0.0, 0.0], [0.0, 1.0]]]])
    got = call("stride 2", RULES, conv2d, x, top_left, stride=2)
    hint = "The window of output (i, j) begins in row i · stride and column j · stride."
    assert_same("conv2d, stride 2", got, x[..., :4:2, ::2], hint)
    got = call("padding 1", RULES, conv2d, x, top_left, padding=1)
    hint = "Put `padding` zeros at all four sides, and the picture in the middle."
    assert_same("conv2d, padding 1", got, F.pad(x, (1, 0, 1, 0)), hint)
    got = call("dilation 2", RULES, conv2d, x, below_right, dilation=2)
    hint = "Neighbouring taps look `dilation` pixels apart."
    assert_same("conv2d, dilation 2", got, x[..., 2:, 2:], hint)


example_of_settings()
### BEGIN HIDDEN TESTS


def settings_for_tests():
    settings = [(2, 0, 1), (3, 0, 1), (1, 1, 1), (1, 2, 1), (1, 0, 2), (1, 0, 3), (2, 1, 1)]
    shapes = [((2, 2, 5, 8), (3, 2, 2, 3)), ((1, 3, 7, 5), (2, 3, 3, 1))]
    cases = [(*shape, *three) for three in [*settings, (3, 2, 2), (2, 3, 3)] for shape in shapes]
    return layers_for_tests(F.conv2d, cases, seed=24)


check_calls(
    conv2d,
    settings_for_tests(),
    "If the channels are right: windows begin `stride` apart, `padding` zeros lie at all four "
    "sides, and neighbouring taps look `dilation` pixels apart.",
)
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
        window = [
            slice(i * stride, i * stride + dilation * (k - 1) + 1, dilation)
            for i, k in zip(place, kernel, strict=True)
        ]
        y[(..., *place)] = torch.einsum("ncdhw,fcdhw->nf", padded[(..., *window)], weight)
    return y if bias is None else y + bias[:, None, None, None]
    ### END SOLUTION


# %% [markdown]
# The example is a volume of addresses: slice 1, row 2, column 3 has the value 123. The kernel is
# $2 \times 2 \times 3$, and its only 1 looks one slice deeper, in the same row, and two columns to
# the right. So the first output is 102.


# %% test="test_conv3d" points=3
def example_of_conv3d():
    x = torch.stack([address_picture(4, 5) + 100 * depth for depth in range(3)])[None, None]
    weight = torch.zeros(1, 1, 2, 2, 3)
    weight[0, 0, 1, 0, 2] = 1
    got, want = call("a volume", RULES, conv3d, x, weight), x[:, :, 1:, :3, 2:]
    assert_same("conv3d", got, want, "The axes are depth, height, width, in this order.")
    got = call("a volume, with a bias", RULES, conv3d, x, weight, torch.tensor([1000.0]))
    assert_same("conv3d with a bias", got, 1000 + want, "The bias is added once.")


example_of_conv3d()
### BEGIN HIDDEN TESTS


def volumes_for_tests():
    settings = [(1, 0, 1), (2, 0, 1), (1, 1, 1), (1, 1, 2), (2, 1, 1), (3, 2, 2)]
    shapes = [((2, 2, 3, 4, 5), (3, 2, 2, 3, 1)), ((1, 3, 5, 3, 4), (2, 3, 1, 2, 3))]
    cases = [(*shape, *three) for three in settings for shape in shapes]
    return layers_for_tests(F.conv3d, cases, seed=25)


check_calls(
    conv3d,
    volumes_for_tests(),
    "The settings hold for all three axes: depth, height, width, in this order.",
)
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
# *Lecture sections: What convolution keeps; Play; Depth or channels?*
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
def example_of_conv_parameters():
    hint = "Each filter has a weight for every tap of every channel, and a bias of its own."
    examples = [
        ("96 filters of 11×11×3", (3, 96, (11, 11)), 34_944),
        ("one 3×3 over 5 channels", (5, 1, (3, 3)), 46),
        ("one 3×3×3 over 1 channel", (1, 1, (3, 3, 3)), 28),
        ("one 3×3×3 over 1 channel, without bias", (1, 1, (3, 3, 3), False), 27),
    ]
    for case, settings, want in examples:
        assert_number(case, call(case, COUNTING_RULES, conv_parameters, *settings), want, hint)


example_of_conv_parameters()
### BEGIN HIDDEN TESTS


def check_conv_parameters(function):
    cases = [(3, 8, (5, 2)), (16, 4, (7,)), (2, 6, (1, 3, 4)), (512, 512, (3, 3)), (1, 5, (1, 1))]
    cases += [(4, 3, torch.Size([2, 5])), (10**8 + 1, 10**9 + 1, (3, 1))]  # too large for a float
    for c, f, kernel in cases:
        for bias in (True, False):
            case = f"{f} filters of {tuple(kernel)} over {c} channels, bias={bias}"
            got = call(case, COUNTING_RULES, function, c, f, kernel, bias)
            hint = f"A filter has {c} · {' · '.join(map(str, kernel))} weights, and perhaps a bias."
            assert_number(case, got, f * (c * math.prod(kernel) + bias), hint)


check_conv_parameters(conv_parameters)
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
def example_of_conv_macs():
    hint = "Every output number takes one multiply-add for each weight of its filter."
    examples = [
        ("AlexNet's first layer", ((3, 227, 227), 96, (11, 11), 4), 105_415_200),
        ("3×3 over five channels", ((5, 128, 128), 1, (3, 3)), 714_420),
        ("3×3×3 over five slices", ((1, 5, 128, 128), 1, (3, 3, 3)), 1_285_956),
    ]
    for case, settings, want in examples:
        got = call(case, COUNTING_RULES, conv_macs, *settings)
        assert_number(case, got, want, f"{hint} Adding the bias isn't counted.")


example_of_conv_macs()
### BEGIN HIDDEN TESTS


def check_conv_macs(function):
    cases = [
        ((3, 9, 14), 4, (2, 5), 1, 0, 1),
        ((2, 20, 11), 6, (3, 1), 2, 1, 1),
        ((5, 17), 3, (4,), 5, 2, 2),
        ((1, 5, 12, 8), 2, (1, 3, 2), 2, 1, 2),
        ((4, 10, 7, 6), 3, (3, 2, 4), 1, 2, 1),
        ((64, 224, 112), 128, (3, 5), 1, 0, 3),
        (torch.Size([2, 6, 5]), 3, torch.Size([1, 4]), 1, 1, 1),
        ((10**6 + 1, 2001, 1001), 10**4 + 1, (1, 3), 1, 0, 1),  # too large for a float
    ]
    for shape, f, kernel, stride, padding, dilation in cases:
        sizes = zip(shape[1:], kernel, strict=True)
        ends = [i + 2 * padding - dilation * (k - 1) for i, k in sizes]
        places = [len(range(0, end, stride)) for end in ends]
        case = f"input {tuple(shape)}, {f} filters of {tuple(kernel)}, "
        case += f"stride {stride}, padding {padding}, dilation {dilation}"
        got = call(case, COUNTING_RULES, function, shape, f, kernel, stride, padding, dilation)
        hint = "Stride, padding and dilation decide how many places there are: "
        hint += f"{' · '.join(map(str, places))}, in each a product for every weight."
        assert_number(case, got, f * shape[0] * math.prod(kernel) * math.prod(places), hint)


check_conv_macs(conv_macs)
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
# *Lecture sections: Receptive field; Why is 3×3 good enough?*
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
# the layers after it, not its own.</details>


# %% solution="receptive_field"
def receptive_field(layers):
    """How long a stretch of the input (in pixels, along one axis) a unit after all layers sees."""
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
def example_of_receptive_field():
    hint = "A layer adds its kernel minus 1, in steps as long as the jump before it."
    alexnet = [Window(11, stride=4), Window(3, stride=2)]
    hint_pool = "The pool adds 2 steps of 4 pixels: its own stride widens the views behind it only."
    examples = [
        ("one 3×3", [Window(3)], 3, hint),
        ("two 3×3", [Window(3), Window(3)], 5, hint),
        ("AlexNet up to its first pool", alexnet, 19, hint_pool),
        ("dilation 4", [Window(3, dilation=4)], 9, "Taps lie 4 pixels apart."),
    ]
    for case, layers, want, hint in examples:
        assert_number(case, call(case, RULES, receptive_field, layers), want, hint)


example_of_receptive_field()
### BEGIN HIDDEN TESTS


def stacks_for_tests():
    generator = torch.Generator().manual_seed(26)
    yield from ([], [Window(1, 2)], [Window(3, 2), Window(1), Window(3)], [Window(2, 2)] * 5)
    yield from ([Window(1, 3), Window(2)], [Window(1, 2, 3), Window(3, 1, 2), Window(1, 2)])
    yield [Window(3, 2)] * 10
    for _ in range(40):
        depth = int(torch.randint(2, 5, (), generator=generator))
        draws = torch.randint(1, 4, (depth, 3), generator=generator).tolist()
        yield [Window(*draw) for draw in draws]


def check_receptive_field(function):
    for layers in stacks_for_tests():
        seen = {0}  # the positions that the unit depends on, from the output to the input
        for layer in reversed(layers):
            taps = range(layer.kernel)
            seen = {n * layer.stride + tap * layer.dilation for n in seen for tap in taps}
        case = " → ".join(map(str, layers)) or "no layer"
        got = call(case, RULES, function, layers)
        hint = "Strides multiply: the jump is the product of all strides before a layer."
        assert_number(case, got, max(seen) - min(seen) + 1, hint)


check_receptive_field(receptive_field)
### END HIDDEN TESTS

# %% [markdown]
# How much does a unit after the last pool of AlexNet and of VGG-16 see? Both networks look at
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
# - A stride widens the view of every layer after it.
#
# **A question to end with.** You may put a stride of 2 into the first layer of VGG-16 or into its
# last convolution. What does each do to the parameters, the multiply-adds, and the receptive
# field after the last pool?
