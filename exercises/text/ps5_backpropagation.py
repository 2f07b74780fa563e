# %% [markdown]
# # Backpropagation by hand
#
# In lecture 05 you watched a gradient travel backwards through a small network. Here you build
# every step of that journey yourself, put the steps together, and train a small convolutional
# network that has no automatic differentiation in it at all. At the end you write the tool with
# which engineers find out whether a backward pass is right.
#
# **After this assignment you can**
#
# - turn the gradient of the loss with respect to a layer's output into the gradient with respect
#   to its input and its parameters, for tanh, max pooling, a linear layer and softmax
#   cross-entropy;
# - say why tanh units stop learning when they saturate, and where a max pool sends its gradient;
# - chain the layers of a convolutional network backwards;
# - check any gradient with finite differences, and know how far to trust the check.
#
# | | |
# |---|---|
# | Comes from | lecture `lectures/05_backpropagation.ipynb` |
# | Time | about 165 minutes: 25, 45, 45, 35 and 15 for the five parts |
# | Points | 24: 20 for code, 4 for the questions of part 5; the number beside each says how many |
#
# **How to hand in.** Choose *Kernel → Restart Kernel and Run All Cells*, look at what the tests
# say, and save. (JupyterLab stops at the first test that fails. Run the cells after it one by one,
# with Shift-Enter.) Then submit in nbgrader's *Assignment List*, or, if your course collects files,
# run `from course_utils import hand_in` and `hand_in("ps5")` and upload the zip that it makes.
#
# **How it is graded.** Every task ends in a test cell. What you see of a test is a small example
# that you can follow with pencil and paper. When your work is graded, the same cell also runs
# checks that you don't see: other shapes, other kernels, other numbers, compared with PyTorch's
# own gradients. A test gives all its points or none, so a part that you leave out costs only
# its own points, and those of the network in part 3 that is built on it.
# The three questions of part 5 are different: **only the first answer that you submit counts.**

# %% [markdown]
# ## Before you start
#
# Four words on notation. $L$ is the **loss**: one number. A layer takes $x$ and gives $y$.
# Everything that flows backwards is a derivative *of the loss*, not of the network's output. We
# write `grad_y` for $\partial L/\partial y$, the *upstream* gradient, which the next layer (nearer
# to the loss) hands you, and `grad_x` for $\partial L/\partial x$, which you hand on. So each
# backward function has one job: **turn `grad_y` into `grad_x`**.
#
# One rule saves half of all mistakes: *a gradient has the shape of the thing that it is the
# gradient of.* `grad_x` has the shape of `x`, always.
#
# Four house rules hold for all your functions:
#
# 1. Write the step yourself: neither PyTorch's automatic differentiation, nor its pooling
#    (`F.max_pool3d` and `F.max_unpool2d` are pooling too), nor its cross-entropy, under whatever
#    name. The tests see what runs, not what it is called, in your helpers too. All else is
#    welcome: tensor arithmetic, indexing, `torch.tanh`, `torch.softmax`, `torch.log_softmax`,
#    `max`, `argmax`, `unfold`, numpy. Finite differences, the subject of part 4, are too rough
#    to stand for a derivative in the other parts: these tests look at twelve digits.
# 2. Leave the inputs as they are, because the layer before still needs them, and give back new
#    tensors. An input may be a transposed or an expanded view, for which `x.view(-1)` fails and
#    `x.reshape(-1)` works.
# 3. Give back the dtype and the device that you were given, and compute in that dtype. Then your
#    layers run in double precision and on a GPU too.
# 4. Leave alone the random generators that all code shares: neither seed them
#    (`torch.manual_seed`) nor draw from them. Where you need chance, make a `torch.Generator`.

# %% given="imports"
import math

import numpy as np
import torch
import torch.nn.functional as F

from course_utils.testing import assert_new, assert_same, call

# %% given="house_rules"
RULES = ("autograd", "pooling", "cross-entropy", "chance")

# %% [markdown]
# A test calls `call("the case", RULES, your_function, …)`: it calls your function, sees to rules
# 1, 2 and 4, and says in which case something went wrong. `assert_same` names the first element
# that differs. You may use both while you look for a mistake.

# %% [markdown]
# ## Part 1: tanh, and what saturation costs
#
# Take one unit with $x = 1$. Its output is $\tanh(1) = 0.762$. Nudge $x$ up (make it a little
# larger) by $0.01$ and the output grows by about $0.0042$: the slope there is $0.420$. At $x = 0$
# the slope is exactly $1$, and at $x = 3$ it is $0.0099$: a small change hardly gets through. The
# rule behind the three numbers is
#
# $$\tanh'(x) = 1 - \tanh^2(x) = 1 - y^2 .$$
#
# The slope lies in $(0, 1]$, and it attains the $1$, at $x = 0$.
#
# Now the loss. If the next layer reports that the loss changes by $10$ for each unit of $y$,
# then it changes by $10 \cdot 0.420 = 4.20$ for each unit of $x$. That multiplication is the
# chain rule, and it is all there is to the backward pass of an elementwise layer.
#
# ### Task 1a: the backward pass of tanh (2 points)
#
# 1. Compute the output $y$ from `x`.
# 2. Compute the slope at every element.
# 3. Multiply by what comes from upstream.
#
# <details><summary>Hint: my slopes are negative</summary>The slope of tanh is never negative. Did
# you write 1 − x² where 1 − y² is meant? With x = 3 the first gives −8.</details>
#
# <details><summary>Hint: the test says that an input was changed</summary>
# <code>grad_y *= slope</code> and <code>grad_y.mul_(slope)</code> write into the tensor that you
# were lent. <code>grad_y * slope</code> makes a new one.</details>


# %% solution="tanh_backward"
def tanh_backward(grad_y, x):
    """The gradient of the loss with respect to x, for y = tanh(x); any shape."""
    ### BEGIN SOLUTION
    y = torch.tanh(x)
    return grad_y * (1 - y**2)
    ### END SOLUTION


# %% [markdown]
# The example of the test is the one above: the slopes at $0$, $1$ and $3$, an upstream gradient
# of $1$, and then the $10$ that became $4.20$.


# %% test="test_tanh_backward" points=2
### BEGIN HIDDEN TESTS
def assert_exact(what, got, want, hint=""):
    """As assert_same, but in float64 to twelve digits, of which finite differences have ten."""
    double = want.dtype == torch.float64
    what = f"{what}, to twelve digits" if double else what
    assert_same(what, got, want, hint, 1e-12 if double else None)


def transposed(x):
    """The same tensor with another layout: in memory, its first dimension runs fastest."""
    backwards = tuple(range(x.dim()))[::-1]
    return x.permute(backwards).contiguous().permute(backwards)


def layouts_of(x):
    """Tensors of the shape of x: x, x in another layout, and the first of x for all."""
    views = {"": x, ", transposed": transposed(x)}
    return views | ({", expanded": x[:1].expand(x.shape)} if x.numel() and x.dim() else {})


### END HIDDEN TESTS
def example_of_tanh_backward():
    x = torch.tensor([0.0, 1.0, 3.0], dtype=torch.float64)
    want = torch.tensor([1.0, 0.4199743416, 0.0098660372], dtype=torch.float64)
    got = call("x = 0, 1, 3, grad_y = 1", RULES, tanh_backward, torch.ones_like(x), x)
    assert_same("slope of tanh at 0, 1, 3", got, want, "The slope is 1 - y², with y = tanh(x).")
    got = call("x = 0, 1, 3, grad_y = 10", RULES, tanh_backward, torch.full_like(x, 10), x)
    hint = "Multiply the slope by the upstream gradient: that is the chain rule."
    assert_same("grad_x for x = 0, 1, 3, grad_y = 10", got, 10 * want, hint)


example_of_tanh_backward()
### BEGIN HIDDEN TESTS


def check_tanh_backward(function):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    generator = torch.Generator().manual_seed(51)
    shapes = [(7,), (2, 3, 4, 5), (3, 3), (3, 3), (0, 3), (1,), (2, 2, 2), (1, 3, 6, 6)]
    for shape, dtype in [(s, d) for s in shapes for d in (torch.float64, torch.float32)]:
        numbers = torch.randn(2, *shape, generator=generator, dtype=dtype).to(device)
        for layout, x in layouts_of(2 * numbers[0]).items():
            constant = torch.full((), 0.3, dtype=dtype, device=device).expand(shape)
            for grad_y in (numbers[1], constant, transposed(numbers[1])):
                case = f"x of shape {shape}, {dtype}{layout}"
                leaf = x.clone().requires_grad_()
                want = torch.autograd.grad(torch.tanh(leaf), leaf, grad_y)[0]
                got = call(case, RULES, function, grad_y, x)
                assert_exact(f"grad_x for {case}", got, want)
    for dtype in (torch.float64, torch.float32):
        x = torch.tensor([-1000.0, -30.0, 0.0, 30.0, 1000.0], dtype=dtype)
        want = torch.tensor([0.0, 0.0, 2.5, 0.0, 0.0], dtype=dtype)
        got = call(f"x from -1000 to 1000, {dtype}", RULES, function, torch.full_like(x, 2.5), x)
        assert_exact("grad_x far out", got, want, "exp(1000) overflows.")
    x, ones = torch.zeros(3), torch.ones(3)
    for _ in range(2):
        want = 1 - torch.tanh(x) ** 2
        got = call("the same x, changed", RULES, function, ones, x)
        assert_same("grad_x of the same x, changed", got, want)
        assert_new("grad_x of the same x, changed", got, ones, x)
        x += 1


check_tanh_backward(tanh_backward)
### END HIDDEN TESTS

# %% [markdown]
# ### Saturation
#
# A unit whose slope is tiny is *saturated*: whatever the loss wants, nearly nothing arrives. On
# paper the slope is never zero. In float32 it is: from $|x| \approx 9.011$ on, $\tanh(x)$ rounds
# to exactly $\pm 1$, and $1 - y^2$ is exactly $0$. Such a unit doesn't learn slowly; it doesn't
# learn at all.
#
# ### Task 1b: how much of a layer is saturated? (1 point)
#
# Return the fraction of the units whose slope is strictly below `threshold`, as a Python float.
#
# 1. Compute all slopes, as in task 1a.
# 2. Compare with the threshold: that gives true and false.
# 3. The mean of ones and zeros is the fraction that you want.
#
# <details><summary>Hint: mean() complains about Bool</summary>Convert first:
# <code>mask.double().mean()</code>. And <code>.item()</code> makes a Python float.</details>


# %% solution="saturated_fraction"
def saturated_fraction(x, threshold=0.01):
    """The fraction of elements of x where tanh'(x) < threshold, as a float in [0, 1]."""
    ### BEGIN SOLUTION
    slope = 1 - torch.tanh(x) ** 2
    return (slope < threshold).double().mean().item()
    ### END SOLUTION


# %% [markdown]
# Of five units at $-4, -1, 0, 1, 4$, the first and the last have slope $0.0013$. So the fraction
# is $2/5$. Tanh saturates on *both* sides.


# %% test="test_saturated_fraction" points=1
def example_of_saturated_fraction():
    x = torch.tensor([-4.0, -1.0, 0.0, 1.0, 4.0])
    got = call("x = -4, -1, 0, 1, 4", RULES, saturated_fraction, x)
    assert isinstance(got, float), f"expected a Python float, got {type(got).__name__}"
    message = f"expected 0.4, got {got}: the units at -4 and at 4 are both saturated."
    assert abs(got - 0.4) < 1e-6, message


example_of_saturated_fraction()
### BEGIN HIDDEN TESTS


def check_saturated_fraction(function):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    # A fixed grid: no slope lies so near a threshold that rounding decides.
    grid = 7 * torch.arange(-299.5, 300.5, dtype=torch.float64) / 299.5
    mixed = grid[torch.arange(600) * 7 % 600] + 0.9
    shapes = [(600,), (40, 15), (3, 8, 25), (2, 3, 10, 10), (10, 60), (1, 600), (600, 1)]
    for shape in shapes:
        for dtype in (torch.float64, torch.float32):
            x = mixed.reshape(shape[::-1]).permute(*range(len(shape))[::-1]).to(device, dtype)
            slopes = 1 / np.cosh(x.cpu().double().numpy()) ** 2
            for threshold in (0.001, 0.01, 0.3, 0.5, 0.9, 1.5, 0.0):
                case = f"threshold {threshold}, x of shape {shape}, {dtype}"
                want = int(np.sum(slopes < threshold)) / 600
                got = call(case, RULES, function, x, threshold)
                assert isinstance(got, float), f"{case}: expected a float, got {type(got).__name__}"
                message = f"{case}: expected {want:.4f}, got {got:.4f}. Compare the slope with it."
                assert abs(got - want) < 1e-6, message
            want, got = int(np.sum(slopes < 0.01)) / 600, call(case, RULES, function, x)
            assert abs(got - want) < 1e-6, (
                f"without a threshold: expected {want:.4f}, got {got:.4f}"
            )
    for value, threshold, want in [(0.0, 1.0, 0.0), (0.0, 1.01, 1.0), (-5.0, 0.01, 1.0)]:
        for x in (torch.tensor(value), torch.tensor([[value]]), torch.tensor(value).expand(3, 2)):
            case = f"x = {value} of shape {tuple(x.shape)}, threshold {threshold}"
            got = call(case, RULES, function, x, threshold)
            assert abs(got - want) < 1e-6, f"{case}: expected {want}, got {got}. Strictly below."
    x = torch.tensor([10.0, -9.5, 11.5, 0.0], dtype=torch.float64)
    got = call("slopes near 1e-9, in float64", RULES, function, x, 1e-9)
    assert abs(got - 0.25) < 1e-6, f"slopes near 1e-9: expected 0.25, got {got}. Stay in float64."


check_saturated_fraction(saturated_fraction)
### END HIDDEN TESTS

# %% [markdown]
# Why do we initialise weights so that activations stay small? Run the next cell. It draws ten
# thousand inputs at four scales. At which scale does the layer stop passing the gradient on?

# %%
for scale in (0.1, 1, 3, 10):
    x = scale * torch.randn(10_000, generator=torch.Generator().manual_seed(0))
    mean_slope = tanh_backward(torch.ones_like(x), x).mean()
    print(f"scale {scale:4}: mean slope {mean_slope:.3f}, saturated {saturated_fraction(x):.1%}")

# %% [markdown]
# ## Part 2: max pooling
#
# ### Forward, by hand
#
# A window of `kernel` × `kernel` moves over the picture in steps of `stride` and keeps the
# largest number that it sees. With $x$ of 4 × 4, kernel 2 and stride 2:
#
# $$\begin{pmatrix}0&1&2&3\\4&5&6&7\\8&9&10&11\\12&13&14&15\end{pmatrix}
# \;\longrightarrow\;\begin{pmatrix}5&7\\13&15\end{pmatrix}$$
#
# Along one side there are $\lfloor (\text{size} - \text{kernel})/\text{stride} \rfloor + 1$
# windows (PyTorch's convention without padding). What doesn't fill a whole window at the lower
# and right border is not looked at. There is no trainable parameter in any of this: a max pool
# has zero.
#
# ### Task 2a: the forward pass (2 points)
#
# Pool every image of the batch and every channel on its own: `x` has shape `(N, C, H, W)`.
#
# 1. Compute the number of rows and columns of the output.
# 2. Make an output of that shape, with `x`'s dtype and device (`x.new_zeros(...)` does both).
# 3. For each output position, cut the window out of `x`, for all images and channels at once,
#    and take the maximum over its last two dimensions.
#
# <details><summary>Hint: cutting the window</summary>Output (i, j) looks at rows
# <code>i * stride</code> to <code>i * stride + kernel - 1</code>, and columns likewise. The end of
# a slice isn't part of it:
# <code>x[:, :, top : top + kernel, left : left + kernel]</code>.</details>
#
# <details><summary>Hint: the maximum of a window</summary><code>window.amax(dim=(2, 3))</code> has
# shape (N, C), which is the shape of <code>y[:, :, i, j]</code>.</details>


# %% solution="max_pool2d"
def max_pool2d(x, kernel, stride):
    """Max pooling without padding: (N, C, H, W) to (N, C, rows, columns)."""
    ### BEGIN SOLUTION
    rows = (x.shape[2] - kernel) // stride + 1
    columns = (x.shape[3] - kernel) // stride + 1
    y = x.new_zeros(*x.shape[:2], rows, columns)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            y[:, :, i, j] = x[:, :, top : top + kernel, left : left + kernel].amax(dim=(2, 3))
    return y
    ### END SOLUTION


# %% test="test_max_pool_forward" points=2
def example_of_max_pool2d():
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    got = call("the 4 × 4 picture, kernel 2, stride 2", RULES, max_pool2d, x, 2, 2)
    hint = "Each output is the largest number of its window; windows start `stride` apart."
    want = torch.tensor([[[[5.0, 7.0], [13.0, 15.0]]]])
    assert_same("max_pool2d of the 4 × 4 picture, kernel 2, stride 2", got, want, hint)


example_of_max_pool2d()
### BEGIN HIDDEN TESTS


def check_max_pool2d(function):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    generator = torch.Generator().manual_seed(53)
    cases = [((2, 3, 7, 9), 3, 2), ((1, 2, 7, 6), 2, 3), ((3, 1, 5, 5), 2, 1), ((2, 2, 4, 4), 1, 1)]
    cases += [
        ((3, 3, 3, 3), 3, 1),
        ((1, 1, 1, 1), 1, 2),
        ((2, 1, 9, 4), 4, 5),
        ((2, 3, 7, 9), 3, 2),
    ]
    scales = [(1, 0), (1, -5), (0.01, -3), (1e10, -5e10)]
    for (shape, kernel, stride), (scale, shift) in [(c, s) for c in cases for s in scales]:
        for dtype in (torch.float64, torch.float32):
            numbers = torch.randn(shape, generator=generator, dtype=dtype)
            for layout, x in layouts_of((scale * numbers + shift).to(device)).items():
                case = f"a {shape} input near {shift:g}{layout}, kernel {kernel}, stride {stride}"
                want = F.max_pool2d(x, kernel, stride)
                got = call(case, RULES, function, x, kernel, stride)
                hint = "Windows start `stride` apart. All inputs may be negative."
                assert_same(f"max_pool2d of {case}", got, want, hint, atol=0.0)
                assert_new(f"max_pool2d of {case}", got, x)


check_max_pool2d(max_pool2d)
### END HIDDEN TESTS

# %% [markdown]
# ### Backward: the winner takes all
#
# Go back to the picture. The output $5$ came from one element of its window, the one in row 1
# and column 1. Nudge that element and the output follows, one to one. Nudge any of the other
# three a little, and nothing happens. So the whole upstream gradient of a window goes to **the
# maximum of that window, and nothing to the rest**. With `grad_y` of $1, 2, 3, 4$:
#
# $$\begin{pmatrix}1&2\\3&4\end{pmatrix}\;\longrightarrow\;
# \begin{pmatrix}0&0&0&0\\0&1&0&2\\0&0&0&0\\0&3&0&4\end{pmatrix}$$
#
# **Ties.** If two elements of a window are equally large, the derivative doesn't exist; one has
# to choose. Here the *first* maximum gets everything, counting row by row. That is what
# PyTorch's `max_pool2d` does (its CPU kernel replaces the maximum only by a strictly larger
# element), and what `argmax` of a flattened window gives. It is a convention: `amax` shares the
# gradient among the tied.
#
# **Overlap.** With kernel 2 and stride 1 the windows overlap. Let the centre of a 3 × 3 picture
# be the largest number. It wins all four windows, and moves four outputs at once. How much does
# the loss change if you nudge it? The four effects **add up**:
#
# $$x=\begin{pmatrix}1&2&3\\4&9&5\\6&7&8\end{pmatrix},\quad
# \frac{\partial L}{\partial y}=\begin{pmatrix}1&2\\3&4\end{pmatrix}\;\longrightarrow\;
# \frac{\partial L}{\partial x}=\begin{pmatrix}0&0&0\\0&10&0\\0&0&0\end{pmatrix}$$
#
# AlexNet's pools overlap: kernel 3, stride 2 (Krizhevsky, Sutskever and Hinton, 2012).
#
# ### Task 2b: the backward pass (2 points apart, 2 points overlapping)
#
# 1. Start with a gradient of zeros that has the shape of `x`.
# 2. For each output position, image and channel, find where in its window the maximum is.
# 3. Add that output's upstream gradient at that place of `x`.
#
# <details><summary>Hint: from argmax to row and column</summary>For a flattened window,
# <code>row, column = divmod(int(window.argmax()), kernel)</code>. Add where the window starts.
# </details>
#
# <details><summary>Hint: four nested loops are fine</summary>Images, channels, output rows, output
# columns. The tests use small pictures. Get it right first; then, for the fun of it, try without
# the loops over images and channels.</details>
#
# <details><summary>Hint: the test for overlapping windows fails, the other passes</summary>Look
# for an assignment that replaces what an earlier window had put there.</details>


# %% solution="max_pool2d_backward"
def max_pool2d_backward(grad_y, x, kernel, stride):
    """The gradient of the loss with respect to x, for y = max_pool2d(x, kernel, stride)."""
    ### BEGIN SOLUTION
    grad_x = torch.zeros_like(x)
    for i, j in np.ndindex(*grad_y.shape[2:]):
        top, left = i * stride, j * stride
        rows, columns = slice(top, top + kernel), slice(left, left + kernel)
        windows = x[:, :, rows, columns]  # of all pictures and channels
        winners = F.one_hot(windows.flatten(2).argmax(2), kernel**2).reshape(windows.shape)
        grad_x[:, :, rows, columns] += winners * grad_y[:, :, i, j, None, None]
    return grad_x
    ### END SOLUTION


# %% [markdown]
# First the windows that don't overlap: the 4 × 4 picture from above, then a picture in which all
# four numbers are the same, so that the tie goes to the first.


# %% test="test_max_pool_backward" points=2
### BEGIN HIDDEN TESTS
def pictures(shape, generator, ties):
    """Pictures in float64, with numbers that repeat outside a window, or inside one (ties)."""
    numbers = torch.randn(shape, generator=generator, dtype=torch.float64) - 5
    rows, columns = (torch.arange(size) % 5 for size in shape[2:])
    kinds = {"": numbers, " that repeats": numbers[:, :, rows][:, :, :, columns]}
    few = torch.randint(-3, 0, shape, generator=generator).double() / 4
    with_ties = {" with ties": few, " of one number": torch.full_like(numbers, -2)}
    return kinds | with_ties if ties else kinds


def check_pool_backward(function, kernel, stride, x, grad_y, case):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    leaf = x.clone().requires_grad_()
    want = torch.autograd.grad(F.max_pool2d(leaf, kernel, stride), leaf, grad_y)[0].to(device)
    grad_y, x = grad_y.to(device), x.to(device)
    got = call(case, RULES, function, grad_y, x, kernel, stride)
    hint = "The first maximum of each window, row by row, gets that window's gradient."
    if stride < kernel:
        hint += " Where windows overlap, their contributions must add up."
    assert_exact(f"grad_x of {case}", got, want, hint)
    assert_new(f"grad_x of {case}", got, grad_y, x)


def check_pool_cases(function, cases, seed, ties):
    generator = torch.Generator().manual_seed(seed)
    for shape, kernel, stride in cases:
        for kind, picture in pictures(shape, generator, ties).items():
            y_shape = F.max_pool2d(picture, kernel, stride).shape
            grad_y = torch.randn(y_shape, generator=generator, dtype=torch.float64)
            for layout, x in layouts_of(picture).items():
                case = f"a {shape} input{kind}{layout}, kernel {kernel}, stride {stride}"
                for dtype in (torch.float64, torch.float32):
                    lent = x.to(dtype), layouts_of(grad_y)[layout].to(dtype)
                    check_pool_backward(function, kernel, stride, *lent, f"{case}, {dtype}")


### END HIDDEN TESTS
def example_of_max_pool2d_backward():
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    grad_y = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    want = torch.tensor([[[[0.0, 0, 0, 0], [0, 1, 0, 2], [0, 0, 0, 0], [0, 3, 0, 4]]]])
    got = call("the 4 × 4 picture, kernel 2, stride 2", RULES, max_pool2d_backward, grad_y, x, 2, 2)
    hint = "The maximum of each window gets that window's whole gradient, the rest gets nothing."
    assert_same("grad_x of the 4 × 4 picture", got, want, hint)
    x, grad_y = torch.ones(1, 1, 2, 2), torch.ones(1, 1, 1, 1)
    got = call("four equal numbers, kernel 2", RULES, max_pool2d_backward, grad_y, x, 2, 2)
    hint = "In a tie only the first maximum, row by row, gets the gradient."
    assert_same("grad_x of a tie", got, torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]]), hint)


example_of_max_pool2d_backward()
### BEGIN HIDDEN TESTS


APART = [((2, 3, 6, 8), 2, 2), ((2, 1, 8, 7), 2, 3), ((1, 2, 7, 7), 3, 3), ((1, 2, 3, 5), 1, 2)]
APART += [((3, 3, 3, 3), 3, 3), ((1, 1, 1, 1), 1, 1), ((2, 3, 4, 6), 2, 2), ((2, 3, 4, 6), 2, 2)]
check_pool_cases(max_pool2d_backward, APART, seed=54, ties=True)
crossed = torch.tensor([[[[1.0, 5.0], [5.0, 1.0]]]])
case = "a tie between two, kernel 2"
tie = call(case, RULES, max_pool2d_backward, torch.ones(1, 1, 1, 1), crossed, 2, 2)
hint_tie = "In a tie only the first maximum, row by row, gets the gradient."
assert_same(f"grad_x of {case}", tie, torch.tensor([[[[0.0, 1.0], [0.0, 0.0]]]]), hint_tie)
### END HIDDEN TESTS

# %% [markdown]
# And the windows that overlap, with the 3 × 3 picture whose centre wins four times.


# %% test="test_max_pool_overlap" points=2
def example_of_overlap():
    x = torch.tensor([[[[1.0, 2.0, 3.0], [4.0, 9.0, 5.0], [6.0, 7.0, 8.0]]]])
    grad_y = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    want = torch.tensor([[[[0.0, 0, 0], [0, 10, 0], [0, 0, 0]]]])
    got = call("the 3 × 3 picture, kernel 2, stride 1", RULES, max_pool2d_backward, grad_y, x, 2, 1)
    hint = "Where windows overlap, their contributions must add up."
    assert_same("grad_x of the 3 × 3 picture", got, want, hint)


example_of_overlap()
### BEGIN HIDDEN TESTS
OVERLAPPING = [((2, 2, 7, 7), 3, 2), ((1, 3, 6, 5), 3, 1), ((2, 1, 5, 8), 2, 1)]
OVERLAPPING += [((1, 2, 9, 8), 4, 3), ((3, 3, 3, 3), 2, 1), ((1, 1, 4, 4), 4, 1)]
check_pool_cases(max_pool2d_backward, OVERLAPPING, seed=55, ties=False)
### END HIDDEN TESTS

# %% [markdown]
# ## Part 3: a whole network, backwards
#
# The network sees pictures of 8 × 8 and says which way a bar in them runs: across, down, or along
# the diagonal. It has one layer of each kind:
#
# | step | gives | shape for $N$ images |
# |---|---|---|
# | images | | $(N, 1, 8, 8)$ |
# | convolution, 4 filters of 3 × 3 | `cache["conv"]` | $(N, 4, 6, 6)$ |
# | tanh | `cache["tanh"]` | $(N, 4, 6, 6)$ |
# | max pool, kernel 2, stride 2 | `cache["pool"]` | $(N, 4, 3, 3)$ |
# | flatten, linear to 3 classes | `cache["logits"]` | $(N, 3)$ |
# | softmax cross-entropy | the loss | one number |
#
# The forward pass is given. It keeps every layer's output in a *cache*, because the backward pass
# needs them: that is where the memory goes when a network is trained.


# %% given="network_forward"
def network_forward(params, images):
    """Every layer's output for images of shape (N, 1, 8, 8), by name."""
    conv = F.conv2d(images, params["conv_weight"], params["conv_bias"])
    tanh = torch.tanh(conv)
    # As F.max_pool2d(tanh, 2, 2), which the tests refuse while your functions run (rule 1).
    pool = tanh.reshape(-1, 4, 3, 2, 3, 2).amax(dim=(3, 5))
    logits = F.linear(pool.flatten(1), params["linear_weight"], params["linear_bias"])
    return {"conv": conv, "tanh": tanh, "pool": pool, "logits": logits}


# %% [markdown]
# The backward pass of the convolution is given too; the forward pass was problem set 2. Both
# gradients are convolutions themselves: for `grad_weight`, images and channels change places, so
# that the sum runs over the images. Look at the last line: the bias of a filter is added at every
# place of every image, so its gradient is the sum over all of them. You will meet the same
# thought in the linear layer.


# %% given="conv2d_backward"
def conv2d_backward(grad_y, x, weight):
    """Gradients (grad_x, grad_weight, grad_bias) for y = conv2d(x, weight, bias)."""
    grad_x = F.conv_transpose2d(grad_y, weight)
    grad_weight = F.conv2d(x.transpose(0, 1), grad_y.transpose(0, 1)).transpose(0, 1)
    return grad_x, grad_weight, grad_y.sum(dim=(0, 2, 3))


# %% [markdown]
# ### Task 3a: the linear layer (2 points)
#
# For one image, $y = W x + b$. For a batch with one image a row, $Y = X W^\top + b$, with $X$ of
# shape $(N, D)$, $W$ of shape $(K, D)$ and $Y$ of shape $(N, K)$. You are given
# $\partial L/\partial Y$, of shape $(N, K)$. Find three gradients.
#
# 1. $\partial L/\partial X$ has shape $(N, D)$. Which product of $(N, K)$ and $(K, D)$ has it?
# 2. $\partial L/\partial W$ has the shape of $W$: $(K, D)$. Every image contributes, so the sum
#    runs over $N$. Which product of $(N, K)$ and $(N, D)$ does that?
# 3. $\partial L/\partial b$ has shape $(K,)$. The same $b$ is added to every row.
#
# <details><summary>Hint: sum or mean?</summary>Sum. If the loss is a mean over the batch, then the
# 1/N is already in <code>grad_y</code>, and dividing again counts it twice.</details>


# %% solution="linear_backward"
def linear_backward(grad_y, x, weight):
    """Gradients (grad_x, grad_weight, grad_bias) for y = x @ weight.T + bias."""
    ### BEGIN SOLUTION
    return grad_y @ weight, grad_y.T @ x, grad_y.sum(dim=0)
    ### END SOLUTION


# %% [markdown]
# Two images with two features and one output make an example for pencil and paper.


# %% test="test_linear_backward" points=2
### BEGIN HIDDEN TESTS
def assert_linear(case, got, want):
    assert len(got) == 3, f"{case}: expected three gradients, got {len(got)}"
    hints = {"grad_x": "Multiply by weight."}
    hints["grad_weight"] = "grad_weight has the shape of weight, and sums over the images."
    hints["grad_bias"] = "The same bias is added to every row: add up all the effects."
    for (name, hint), value, right in zip(hints.items(), got, want, strict=True):
        assert_exact(f"{name} for {case}", value, right, hint)


### END HIDDEN TESTS
def example_of_linear_backward():
    x, grad_y = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[1.0], [10.0]])
    weight = torch.tensor([[5.0, 6.0]])
    got = call("two images", RULES, linear_backward, grad_y, x, weight)
    assert len(got) == 3, f"expected three gradients, got {len(got)}"
    grad_x, grad_weight, grad_bias = got
    assert_same("grad_x", grad_x, torch.tensor([[5.0, 6.0], [50.0, 60.0]]), "Multiply by weight.")
    hint = "grad_weight has the shape of weight, and sums over the images."
    assert_same("grad_weight", grad_weight, torch.tensor([[31.0, 42.0]]), hint)
    hint = "Sum over the images, 1 + 10: their mean would be 5.5."
    assert_same("grad_bias", grad_bias, torch.tensor([11.0]), hint)


example_of_linear_backward()
### BEGIN HIDDEN TESTS


def check_linear_backward(function):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    generator = torch.Generator().manual_seed(56)
    sizes = [(5, 4, 3), (4, 4, 4), (1, 7, 2), (1, 1, 1), (3, 1, 2), (2, 3, 1), (5, 4, 3), (3, 3, 3)]
    sizes += [(3, 30, 40)]
    for (n, d, k), dtype in [(s, t) for s in sizes for t in (torch.float64, torch.float32)]:
        drawn = [
            torch.randn(shape, generator=generator, dtype=dtype).to(device)
            for shape in [(n, k), (n, d), (k, d), (k,)]
        ]
        layouts = zip(*(layouts_of(tensor).items() for tensor in drawn), strict=True)
        for (layout, grad_y), (_, x), (_, weight), (_, bias) in layouts:
            case = f"{n} images, {d} features, {k} outputs, {dtype}{layout}"
            leaves = [tensor.clone().requires_grad_() for tensor in (x, weight, bias)]
            want = torch.autograd.grad(F.linear(*leaves), leaves, grad_y)
            got = call(case, RULES, function, grad_y, x, weight)
            assert_linear(case, got, want)
            for value in got:
                assert_new(f"each gradient for {case}", value, grad_y, x, weight)


check_linear_backward(linear_backward)
### END HIDDEN TESTS

# %% [markdown]
# ### Task 3b: softmax cross-entropy (2 points)
#
# This is where every gradient begins. Let an image of class $c$ have the logits $z$, and let
# $p = \mathrm{softmax}(z)$. Its loss is $-\log p_c$. The loss $L$ of a batch is the **mean** over
# its $N$ images. The derivative comes out surprisingly simple:
#
# $$\frac{\partial L}{\partial z} = \frac{1}{N}\,(p - \text{onehot}(c)),$$
#
# for each image: what the network believes, minus what is true. Two images, four classes, all
# logits zero: each $p$ is $1/4$, the loss is $\log 4 = 1.386$, and the gradient is
# $(1/4 - 1)/2 = -0.375$ at the true class and $0.125$ elsewhere. Each row adds up to $0$. Why?
#
# 1. Compute $\log p$ so that large logits don't overflow: subtract each row's maximum first, or
#    use `torch.logsumexp` or `torch.log_softmax`.
# 2. Pick the log-probability of the true class of every row; the loss is minus their mean. Give
#    it back as a tensor of shape `()`, with the dtype of the logits: no Python number, no `(1,)`.
# 3. Turn $\log p$ into $p$, subtract $1$ at the true classes, divide by $N$.
#
# <details><summary>Hint: one element of every row</summary><code>rows = torch.arange(len(labels),
# device=labels.device)</code>, then <code>log_p[rows, labels]</code>.</details>


# %% solution="softmax_cross_entropy"
def softmax_cross_entropy(logits, labels):
    """Loss (a tensor of shape ()) and grad_logits, for logits (N, K) and labels (N,)."""
    ### BEGIN SOLUTION
    log_p = logits - torch.logsumexp(logits, dim=1, keepdim=True)
    rows = torch.arange(len(labels), device=labels.device)
    loss = -log_p[rows, labels].mean()
    grad_logits = log_p.exp()
    grad_logits[rows, labels] -= 1
    return loss, grad_logits / len(labels)
    ### END SOLUTION


# %% test="test_softmax_cross_entropy" points=2
def example_of_softmax_cross_entropy():
    case, labels = "two images, four logits of 0", torch.tensor([0, 3])
    got = call(case, RULES, softmax_cross_entropy, torch.zeros(2, 4), labels)
    assert len(got) == 2, f"{case}: expected the loss and grad_logits, got {len(got)} values"
    hint = "The loss is the mean of -log p at the label."
    assert_same(f"loss of {case}", got[0], torch.tensor(math.log(4)), hint)
    hint = "It is (p - onehot) / N: the loss is a mean, so every row is divided by N."
    want = torch.tensor([[-0.375, 0.125, 0.125, 0.125], [0.125, 0.125, 0.125, -0.375]])
    assert_same(f"grad_logits of {case}", got[1], want, hint)


example_of_softmax_cross_entropy()
### BEGIN HIDDEN TESTS


def check_loss(function, case, logits, labels, hint):
    compare = assert_same if hint else assert_exact
    leaf = logits.clone().requires_grad_()
    want_loss = F.cross_entropy(leaf, labels)
    want_grad = torch.autograd.grad(want_loss, leaf)[0]
    got = call(case, RULES, function, logits, labels)
    compare(f"loss of {case}", got[0], want_loss, f"It is the mean over the images.{hint}")
    compare(f"grad_logits of {case}", got[1], want_grad, f"It is (p - onehot) / N.{hint}")


def logits_for_tests(n, k, generator):
    """Logits by kind; the large ones are such that float32 has digits enough for them."""
    numbers = torch.randn(n, k, generator=generator, dtype=torch.float64)
    places = numbers.argsort(1).double()
    kinds = {"small": numbers, "equal": torch.full_like(numbers, 0.25), "near 100": places + 100}
    rows = 900.0 * (torch.arange(n) % 2)[:, None]
    kinds |= {"up to 1200": 200 * places, "near -800": places - 800}
    return kinds | {"rows far apart": places - rows}


def check_softmax_cross_entropy(function):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    generator = torch.Generator().manual_seed(57)
    large = " Large logits: exp overflows unless you subtract the maximum."
    for n, k in [(5, 3), (3, 6), (4, 7), (3, 3), (7, 2), (1, 6), (1, 1), (3, 1), (5, 3)]:
        drawn = torch.randint(k, (n,), generator=generator).to(device)
        for kind, numbers in logits_for_tests(n, k, generator).items():
            for layout, logits in layouts_of(numbers).items():
                labels = torch.stack([drawn, drawn], 1)[:, 0] if layout else drawn
                labels = drawn[:1].expand(n) if "expanded" in layout else labels
                for dtype in (torch.float64, torch.float32):
                    case = f"{n} images, {k} logits, {kind}, {dtype}{layout}"
                    hint = "" if kind in ("small", "equal") else large
                    check_loss(function, case, logits.to(device, dtype), labels, hint)


check_softmax_cross_entropy(softmax_cross_entropy)
### END HIDDEN TESTS

# %% [markdown]
# ### Task 3c: the chain (2 points)
#
# Now walk the table from the bottom to the top. Each layer takes the gradient from the layer
# below it in the table, and the *input* that it saw in the forward pass.
#
# 1. Run `network_forward` to fill the cache; loss and `grad_logits` come from task 3b.
# 2. Through the linear layer. Its input was the pool's output, flattened.
# 3. Undo the flattening: give the gradient the shape of `cache["pool"]`.
# 4. Through the max pool. Its input was `cache["tanh"]`.
# 5. Through tanh. Its input was `cache["conv"]`.
# 6. Through the convolution. Its input was the images.
#
# Return the loss, a tensor of shape `()` as in task 3b, and a dictionary of the gradients of the
# loss with respect to the four parameters, under the names of the parameters, and with respect
# to `"images"`.
#
# <details><summary>Hint: it fails at <code>conv_weight</code> but not before</summary>Then the
# linear layer is right, and the slip is between it and the convolution: the reshape, the pool or
# tanh. Did each get its own input from the cache, and not its output?</details>


# %% solution="network_gradients"
def network_gradients(params, images, labels):
    """The loss, and its gradients with respect to each parameter and to the images."""
    ### BEGIN SOLUTION
    cache = network_forward(params, images)
    loss, grad = softmax_cross_entropy(cache["logits"], labels)
    flat, weight = cache["pool"].flatten(1), params["linear_weight"]
    grad, linear_weight, linear_bias = linear_backward(grad, flat, weight)
    grad = grad.reshape(cache["pool"].shape)
    grad = max_pool2d_backward(grad, cache["tanh"], 2, 2)
    grad = tanh_backward(grad, cache["conv"])
    grad, conv_weight, conv_bias = conv2d_backward(grad, images, params["conv_weight"])
    return loss, {
        "images": grad,
        "conv_weight": conv_weight,
        "conv_bias": conv_bias,
        "linear_weight": linear_weight,
        "linear_bias": linear_bias,
    }
    ### END SOLUTION


# %% [markdown]
# The parameters and the pictures for the tests are made by these two functions, from a seed.


# %% given="make_params"
def make_params(seed, dtype=torch.float64):
    """Small random parameters, by name."""
    generator = torch.Generator().manual_seed(seed)
    return {
        "conv_weight": torch.randn(4, 1, 3, 3, generator=generator, dtype=dtype) / 3,
        "conv_bias": torch.zeros(4, dtype=dtype),
        "linear_weight": torch.randn(3, 36, generator=generator, dtype=dtype) / 6,
        "linear_bias": torch.zeros(3, dtype=dtype),
    }


# %% given="make_bars"
def make_bars(count, seed, dtype=torch.float64):
    """Noisy pictures (count, 1, 8, 8) of a bar, and labels: 0 across, 1 down, 2 diagonal."""
    generator = torch.Generator().manual_seed(seed)
    images = 0.1 * torch.randn(count, 1, 8, 8, generator=generator, dtype=dtype)
    labels = torch.arange(count) % 3
    places = torch.randint(8, (count,), generator=generator)
    along = torch.arange(8)
    for image, label, place in zip(images, labels.tolist(), places.tolist(), strict=True):
        bars = [(place, along), (along, place), (along, (along + place) % 8)]
        image[0][bars[label]] += 1
    return images, labels


# %% test="test_network_gradients" points=2
### BEGIN HIDDEN TESTS
def network_loss(params, images, labels):
    """The loss by PyTorch's own layers."""
    conv = F.conv2d(images, params["conv_weight"], params["conv_bias"])
    pool = F.max_pool2d(torch.tanh(conv), 2, 2).flatten(1)
    return F.cross_entropy(F.linear(pool, params["linear_weight"], params["linear_bias"]), labels)


def wanted_gradients(params, images, labels):
    values = {**params, "images": images}
    leaves = {name: value.clone().requires_grad_() for name, value in values.items()}
    loss = network_loss(leaves, leaves["images"], labels)
    gradients = torch.autograd.grad(loss, list(leaves.values()))
    return loss.detach(), dict(zip(leaves, gradients, strict=True))


### END HIDDEN TESTS
def example_of_network_gradients():
    images, labels = make_bars(6, seed=1)
    params = make_params(seed=2)
    loss, grads = call("six bars", RULES, network_gradients, params, images, labels)
    kind = tuple(loss.shape) if isinstance(loss, torch.Tensor) else type(loss).__name__
    assert kind == (), f"six bars: expected a loss of shape (), got {kind}"
    message = f"six bars: loss {float(loss):.3f}: an untrained guess costs about log 3"
    assert abs(float(loss) - 1.1) < 0.5, message
    expected = {"images", "conv_weight", "conv_bias", "linear_weight", "linear_bias"}
    assert set(grads) == expected, f"expected gradients named {expected}, got {set(grads)}"
    for name, value in {**params, "images": images}.items():
        message = f"the gradient of {name} needs shape {tuple(value.shape)}"
        assert grads[name].shape == value.shape, message


example_of_network_gradients()
### BEGIN HIDDEN TESTS


def params_for_tests(seed, dtype):
    """Parameters whose biases aren't zero, the last name first, in 256ths."""
    generator = torch.Generator().manual_seed(seed)
    params = dict(reversed(make_params(seed, dtype).items()))
    for name in ("conv_bias", "linear_bias"):
        shape = params[name].shape
        params[name] = torch.randn(shape, generator=generator, dtype=dtype) / 2
    return {name: (256 * value).round() / 256 for name, value in params.items()}


def images_for_tests(count, seed, dtype):
    """Bars in another order, the same as a view, pictures that repeat, and large numbers.

    In 1024ths: convolutions are exact, so that no processor finds another maximum.
    """
    generator = torch.Generator().manual_seed(seed)
    images, labels = make_bars(count, seed, dtype)
    order = torch.randperm(count, generator=generator)
    images, labels = (1024 * images[order]).round() / 1024, labels[order]
    tiles = images[:, :, :4, :4].repeat(1, 1, 2, 2)
    kinds = {"bars": images, "turned bars": images.mT, "tiles": tiles, "5 * bars": 5 * images}
    return kinds, labels


def check_network_gradients(function):
    gpu = torch.cuda.is_available()
    hints = {
        "linear_bias": "Begin here: it is the first gradient on the way back from the loss.",
        "linear_weight": "grad_logits is right; look at the linear layer and its input.",
        "conv_bias": "The linear layer is right; look at the reshape, the pool and tanh.",
        "conv_weight": "conv_bias is right; the convolution's input is the images.",
        "images": "The parameters' gradients are right; return the convolution's grad_x.",
    }
    settings = [(6, 1), (1, 2), (4, 3), (3, 4), (6, 5)]
    for (count, seed), dtype in [(s, d) for s in settings for d in (torch.float64, torch.float32)]:
        # A GPU's convolution in float32 may compute with fewer digits (TF32).
        device = "cuda" if gpu and dtype == torch.float64 else "cpu"
        params = {name: p.to(device) for name, p in params_for_tests(seed, dtype).items()}
        kinds, labels = images_for_tests(count, seed, dtype)
        for kind, images in kinds.items():
            lent = params, images.to(device), labels.to(device)
            want_loss, want = wanted_gradients(*lent)
            case = f"{count} pictures ({kind}), {dtype}"
            loss, grads = call(case, RULES, function, *lent)
            assert_exact(f"loss of {case}", loss, want_loss, "Look at task 3b.")
            for name, hint in hints.items():
                what = f"gradient of {name}, {case}"
                assert_exact(what, grads[name], want[name], hint)


check_network_gradients(network_gradients)
### END HIDDEN TESTS

# %% [markdown]
# ### Train it (1 point)
#
# Nothing is left to write: gradient descent takes a small step against each gradient, again and
# again. This is the whole of `optimizer.step()` for plain gradient descent. If all went well, the
# loss falls and the network names bars that it has never seen.


# %% given="train"
def train(params, images, labels, steps=100, rate=0.5):
    """Gradient descent with your gradients; the trained parameters and the losses."""
    losses = []
    for _ in range(steps):
        loss, grads = network_gradients(params, images, labels)
        params = {name: value - rate * grads[name] for name, value in params.items()}
        losses.append(float(loss))
    return params, losses


# %% test="test_training" points=1
def example_of_training():
    images, labels = make_bars(12, seed=3)
    _, losses = call("12 bars", RULES, train, make_params(seed=4), images, labels, steps=12)
    fall = f"the loss went from {losses[0]:.3f} to {losses[-1]:.3f}"
    assert losses[-1] < 0.8 * losses[0], f"{fall}: do all of part 3's tests pass?"


example_of_training()
### BEGIN HIDDEN TESTS


def check_training(seed):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    images, labels = (tensor.to(device) for tensor in make_bars(6, seed))
    model = {name: value.to(device) for name, value in make_params(seed + 1).items()}
    _, losses = call("6 steps", RULES, train, model, images, labels, steps=6)
    for step in range(6):
        leaves = {name: value.clone().requires_grad_() for name, value in model.items()}
        conv = F.conv2d(images, leaves["conv_weight"], leaves["conv_bias"])
        pool = F.max_pool2d(torch.tanh(conv), 2, 2).flatten(1)
        loss = F.cross_entropy(
            F.linear(pool, leaves["linear_weight"], leaves["linear_bias"]), labels
        )
        hint = f"step {step}: expected a loss of {loss.item():.6f}, got {losses[step]:.6f}"
        assert abs(losses[step] - loss.item()) < 1e-7, hint
        gradients = torch.autograd.grad(loss, list(leaves.values()))
        slopes = dict(zip(leaves, gradients, strict=True))
        model = {name: value - 0.5 * slopes[name] for name, value in model.items()}


check_training(5)
check_training(15)
### END HIDDEN TESTS

# %% [markdown]
# Try it on pictures that it has not seen. What helps more: twice as many steps, or twice as many
# pictures to learn from?

# %%
images, labels = make_bars(36, seed=7)
trained, losses = train(make_params(seed=8), images, labels, steps=20)
unseen, truth = make_bars(300, seed=9)
guesses = network_forward(trained, unseen)["logits"].argmax(dim=1)
accuracy = (guesses == truth).double().mean().item()
print(f"loss {losses[0]:.3f} → {losses[-1]:.3f}; right on new pictures: {accuracy:.1%}")

# %% [markdown]
# ## Part 4: how do you know that a gradient is right?
#
# So far our tests told you. In your own work nobody does, and a wrong gradient is a quiet bug:
# the loss often still falls, only worse. The remedy is older than deep learning: nudge each
# input, look at what the function does, and compare.
#
# ### Task 4a: the numerical gradient (2 points)
#
# Take $f(x) = x^2$ at $x = 3$, with a nudge of $\varepsilon = 0.1$. Looking to one side only,
# $(f(3.1) - f(3))/0.1 = 6.1$. Looking to both sides, $(f(3.1) - f(2.9))/0.2 = 6.0$, which is
# exactly right here. In general
#
# $$\frac{\partial f}{\partial x_i} \approx
# \frac{f(x + \varepsilon e_i) - f(x - \varepsilon e_i)}{2\varepsilon},$$
#
# where $e_i$ nudges element $i$ alone. The error of the one-sided difference shrinks like
# $\varepsilon$, that of this *central* difference like $\varepsilon^2$ (by Taylor's
# theorem).
#
# But $\varepsilon$ must not be too small either. $f$ is rounded, and dividing the rounding error
# by a tiny $2\varepsilon$ blows it up. In float32, with 7 digits, that leaves very little to
# compare; so **always check gradients in float64**.
#
# 1. Convert `x` to `torch.float64`; the result is float64 too.
# 2. For every index of `x`, make two copies, nudge one up and one down by just `eps`, and call
#    `f` on both. `f` gives a number: a tensor of shape `()` or a Python float. Take both.
# 3. Fill the result, which has the shape of `x`, element by element.
#
# <details><summary>Hint: every index of a tensor of any shape</summary>
# <code>for index in np.ndindex(*x.shape):</code> gives tuples that you can use as
# <code>x[index]</code>.</details>
#
# <details><summary>Hint: why copies?</summary>If you nudge <code>x</code> itself and nudge it back,
# rounding leaves it slightly different, and your caller's data has changed. Mind that
# <code>.to(torch.float64)</code> makes no copy of what is float64 already.</details>


# %% solution="numerical_gradient"
def numerical_gradient(f, x, eps=1e-6):
    """The gradient of f (tensor to one number) at x by central differences, in float64."""
    ### BEGIN SOLUTION
    x = x.to(torch.float64)
    gradient = torch.zeros_like(x)
    for index in np.ndindex(*x.shape):
        up, down = x.clone(), x.clone()
        up[index] += eps
        down[index] -= eps
        gradient[index] = (f(up) - f(down)) / (2 * eps)
    return gradient
    ### END SOLUTION


# %% test="test_numerical_gradient" points=2
def example_of_numerical_gradient():
    x = torch.tensor([3.0, -1.0], dtype=torch.float64)
    want = torch.tensor([6.0, -2.0], dtype=torch.float64)
    hint = "A central difference gives 6.0 here and a one-sided one 6.1: look to both sides."
    case = "the sum of x² at 3 and -1, eps = 0.1"
    got = call(case, RULES, numerical_gradient, lambda x: (x**2).sum(), x, eps=0.1)
    assert_same(f"gradient of {case}", got, want, hint)
    case = "the same as a Python float"
    got = call(case, RULES, numerical_gradient, lambda x: float((x**2).sum()), x, eps=0.1)
    assert_same(f"gradient of {case}", got, want, hint)


example_of_numerical_gradient()
### BEGIN HIDDEN TESTS


def check_shapes(function):
    generator = torch.Generator().manual_seed(58)
    hint = "This is with the default eps."
    for shape in [(4,), (2, 3), (1, 2, 2, 2), (), (1,), (3, 3), (2, 3)]:
        numbers = torch.randn(shape, generator=generator, dtype=torch.float64)
        for layout, x in layouts_of(numbers).items():
            case, want = f"exp(x) + sin(x), x of shape {shape}{layout}", x.exp() + x.cos()
            got = call(case, RULES, function, lambda x: float((x.exp() + x.sin()).sum()), x)
            assert_same(f"gradient of {case}", got, want, hint, atol=1e-6)
            case, want = f"a squared sum, x of shape {shape}{layout}", torch.ones_like(x)
            got = call(case, RULES, function, lambda x: x.sum() ** 2, x)
            assert_same(f"gradient of {case}", got, 2 * x.sum() * want, hint, atol=1e-6)
    for x in (torch.tensor([0.5, 1.5]), torch.tensor([[1, -2]])):
        case, hint = f"exp(x), x in {x.dtype}", "Convert x to float64 before you nudge it."
        got = call(case, RULES, function, lambda x: torch.exp(x).sum(), x)
        assert_same(f"gradient of {case}", got, torch.exp(x.double()), hint, atol=1e-6)


def check_nudges(function):
    x = torch.tensor([-20.0, -0.3, 0.0, 1.0, 7.0], dtype=torch.float64)
    for eps in (0.5, 0.125, 2.0):
        case, hint = f"x³ with eps={eps}", "Nudge by the eps that you are given, whatever x is."
        got = call(case, RULES, function, lambda x: (x**3).sum(), x, eps=eps)
        assert_same(f"gradient of {case}", got, 3 * x**2 + eps**2, hint, atol=1e-8)
    x = torch.tensor([0.5e-6, -0.25e-6, 2e-6], dtype=torch.float64)
    case, want = "|x| near 0, with the default eps", torch.tensor([0.5, -0.25, 1.0]).double()
    got = call(case, RULES, function, lambda x: x.abs().sum(), x)
    assert_same(f"gradient of {case}", got, want, "By default eps is 1e-6.", atol=1e-6)


check_shapes(numerical_gradient)
check_nudges(numerical_gradient)
### END HIDDEN TESTS

# %% [markdown]
# See for yourself how the choice of $\varepsilon$ matters. For $e^x$ at $x = 1$, where does the
# error stop falling and begin to rise? (A rule of thumb puts the best $\varepsilon$ of a central
# difference near the cube root of the machine's precision: about $6 \cdot 10^{-6}$ in float64.)

# %%
for exponent in range(1, 12, 2):
    one = torch.ones(1, dtype=torch.float64)
    error = numerical_gradient(lambda x: x.exp().sum(), one, eps=10**-exponent) - one.exp()
    print(f"eps = 1e-{exponent:02}: error {error.abs().item():.0e}")

# %% [markdown]
# ### Task 4b: checking a layer (1 point)
#
# A layer gives a tensor, not one number. To get a loss, weigh its output elements with a fixed
# random `grad_y` and sum: $L = \sum_i g_i\,y_i$. Then $\partial L/\partial y$ is just that
# `grad_y`, which you hand to the backward function. Ones instead of random numbers would hide
# mistakes: a backward that forgets `grad_y` would look right, because multiplying by one changes
# nothing.
#
# How far apart are two gradients $a$ and $n$? An absolute difference means nothing without a
# scale, so we use the relative error $\lVert a - n \rVert / \max(\lVert a \rVert, \lVert n
# \rVert)$, and $0$ only if both gradients are exactly zero, not if they are small. Here
# $\lVert v \rVert$ is the Euclidean norm: the root of the sum of all elements' squares, whatever
# the shape (`v.norm()`). Rule of thumb, in float64: below $10^{-6}$ all is well; above $10^{-3}$
# something is wrong; in between, suspect a kink (a max pool near a tie).
#
# 1. Convert `x` to `torch.float64`, so that `forward` and `backward` get float64.
# 2. Draw `grad_y` in the shape of the output, in float64, from a `torch.Generator` with a seed.
# 3. Call `backward(grad_y, x)` for $a$; use `numerical_gradient` for $n$.
# 4. Return the relative error as a Python float.
#
# <details><summary>Hint: the function to differentiate</summary><code>lambda t: (forward(t) *
# grad_y).sum()</code></details>


# %% solution="gradient_check"
def gradient_check(forward, backward, x):
    """The relative error of backward(grad_y, x) against finite differences, as a float."""
    ### BEGIN SOLUTION
    x = x.to(torch.float64)
    shape = forward(x).shape
    grad_y = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    analytic = backward(grad_y, x)
    numerical = numerical_gradient(lambda t: (forward(t) * grad_y).sum(), x)
    scale = max(analytic.norm(), numerical.norm()).item()
    return (analytic - numerical).norm().item() / scale if scale > 0 else 0.0
    ### END SOLUTION


# %% [markdown]
# The test shows your check a right backward of $y = x^2$, then one that is twice too large, whose
# relative error is $0.5$ by definition: $\lVert 2n - n \rVert / \lVert 2n \rVert$.


# %% test="test_gradient_check" points=1
def example_of_gradient_check():
    x = torch.tensor([[0.5, -1.0, 2.0]], dtype=torch.float64)
    right = call("x²", RULES, gradient_check, lambda x: x**2, lambda grad_y, x: grad_y * 2 * x, x)
    assert isinstance(right, float), f"expected a Python float, got {type(right).__name__}"
    assert right < 1e-6, f"a right backward got the relative error {right:.1e}, expected below 1e-6"
    twice = call("x²", RULES, gradient_check, lambda x: x**2, lambda grad_y, x: grad_y * 4 * x, x)
    assert abs(twice - 0.5) < 1e-6, f"twice the right gradient: expected 0.5, got {twice:.6f}"


example_of_gradient_check()
### BEGIN HIDDEN TESTS


def assert_error(function, case, forward, backward, x, want, hint="", near=1e-6):
    got = call(case, RULES, function, forward, backward, x)
    assert isinstance(got, float), f"{case}: expected a float, got {type(got).__name__}"
    assert abs(got - want) < near, f"{case}: expected {want:.6f}, got {got:.6f}. {hint}"


def scaling(size):
    """A forward that multiplies by size, and a backward that is twice too large."""
    return lambda x: x * size, lambda g, x: 2 * g * size


def check_shapes_and_sizes(function):
    generator = torch.Generator().manual_seed(59)
    for shape in [(2, 3), (4,), (3, 3), (1, 2, 2, 2), (2, 3)]:
        numbers = torch.randn(shape, generator=generator, dtype=torch.float64)
        for layout, x in layouts_of(numbers).items():
            case = f"x of shape {shape}{layout}"
            assert_error(function, f"right, {case}", torch.exp, lambda g, x: g * x.exp(), x, 0)
            assert_error(
                function, f"twice, {case}", torch.exp, lambda g, x: 2 * g * x.exp(), x, 0.5
            )
    hint = "The error is relative: the size of the gradients doesn't matter."
    for size in (1e6, 1e-3, 1e-6, 1e-9):
        case = f"twice a gradient of size {size}"
        assert_error(function, case, *scaling(size), x, 0.5, hint, near=0.01)


def check_special_backwards(function):
    generator = torch.Generator().manual_seed(159)
    x = torch.randn(2, 3, generator=generator, dtype=torch.float64)
    hint = "Divide by the larger of the two norms."
    assert_error(function, "a backward of zeros", torch.exp, lambda g, x: g * 0, x, 1, hint)
    assert_error(function, "zero forward", torch.zeros_like, lambda g, x: g * 3, x, 1, hint)
    assert_error(function, "both zero", torch.zeros_like, lambda g, x: g * 0, x, 0)
    assert_error(function, "a wrong sign", torch.exp, lambda g, x: -g * x.exp(), x, 2)
    hint = "grad_y has the shape of the output, not of x."
    total, spread = lambda x: x.sum(1), lambda g, x: g[:, None].expand(2, 3)
    assert_error(function, "a sum over rows", total, spread, x, 0, hint)
    assert_error(function, "a mean", torch.mean, lambda g, x: g.expand(2, 3) / 6, x, 0, hint)
    hint = "Convert x to float64 before you call forward and backward."
    met = []

    def noting(grad_y, x):
        met.append(x.dtype)
        return grad_y * x.exp()

    assert_error(function, "float32", torch.exp, noting, x.float(), 0, hint)
    assert set(met) == {torch.float64}, f"float32: backward was given x in {met}. {hint}"


def check_upstream_and_norm(function):
    lent = []

    def wrong_in_front(grad_y, x):
        lent.append(grad_y.clone())
        gradient = grad_y * 2 * x
        gradient[0, 0] *= 3
        return gradient

    x = torch.tensor([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]], dtype=torch.float64)
    case, forward = "one wrong element of six", lambda x: x**2
    got, again = (call(case, RULES, function, forward, wrong_in_front, x) for _ in range(2))
    grad_y = lent[0]
    assert grad_y.dtype == torch.float64, f"expected grad_y in torch.float64, got {grad_y.dtype}"
    distinct = len(set(grad_y.flatten().tolist()))
    assert distinct == 6, "Draw each element of grad_y: is your grad_y all ones?"
    assert got == again, f"{case}: {got} and then {again}. Give your generator a seed."
    numerical, analytic = grad_y * 2 * x, wrong_in_front(grad_y, x)
    want = (analytic - numerical).norm().item() / max(analytic.norm(), numerical.norm()).item()
    message = f"{case}: expected {want:.6f}, got {got:.6f}. Take the Euclidean norm of all."
    assert abs(got - want) < 1e-6, message


check_special_backwards(gradient_check)
check_shapes_and_sizes(gradient_check)
check_upstream_and_norm(gradient_check)
### END HIDDEN TESTS

# %% [markdown]
# ### Task 4c: find the bug (1 point)
#
# Three layers came without tests. Each has a forward and a backward function, and all three look
# reasonable. **One backward is wrong.** Don't stare at them: check them.


# %% given="three_layers"
def softsign(x):
    return x / (1 + x.abs())


def softsign_backward(grad_y, x):
    return grad_y / (1 + x.abs()) ** 2


def swish(x):
    return x * torch.sigmoid(x)


def swish_backward(grad_y, x):
    s = torch.sigmoid(x)
    return grad_y * (s + x * s * (1 - s))


def softmax(x):
    return torch.softmax(x, dim=-1)


def softmax_backward(grad_y, x):
    y = softmax(x)
    return grad_y * y * (1 - y)


# %%
x = torch.randn(3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
print("softsign", gradient_check(softsign, softsign_backward, x))
print("swish   ", gradient_check(swish, swish_backward, x))
print("softmax ", gradient_check(softmax, softmax_backward, x))

# %% [markdown]
# Now write the right backward of the layer that failed.
#
# 1. Ask which outputs one input element moves. In an elementwise layer it moves its own and no
#    other. Is the layer that failed elementwise?
# 2. If $x_j$ moves every $y_i$ of its row, then
#    $\partial L/\partial x_j = \sum_i g_i\,\partial y_i/\partial x_j$: the effects add up, as they
#    did where the windows of a max pool overlap.
# 3. Work out $\partial y_i/\partial x_j$ for $i = j$ and for $i \ne j$, and put both into the sum.
# 4. Write the formula down as tensor arithmetic: finite differences have too few digits for the
#    test. Check your result with `gradient_check` before you run the test.
#
# <details><summary>Hint: the two cases</summary>For i = j the derivative is y_j (1 − y_j), which is
# all that the wrong version has. For i ≠ j it is −y_i y_j. In the sum, y_j factors out.</details>


# %% solution="repaired_backward"
def repaired_backward(grad_y, x):
    """The right backward of the layer whose given backward is wrong; x has shape (N, K)."""
    ### BEGIN SOLUTION
    y = softmax(x)
    return y * (grad_y - (grad_y * y).sum(dim=-1, keepdim=True))
    ### END SOLUTION


# %% test="test_repaired_backward" points=1
def example_of_repaired_backward():
    x = torch.tensor([[0.0, 0.0]], dtype=torch.float64)
    grad_y = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    got = call("x = (0, 0), grad_y = (1, 0)", RULES, repaired_backward, grad_y, x)
    want = torch.tensor([[0.25, -0.25]], dtype=torch.float64)
    hint = "Each input of a row moves every output of that row: add up all the effects."
    assert_same("grad_x for x = (0, 0), grad_y = (1, 0)", got, want, hint)


example_of_repaired_backward()
### BEGIN HIDDEN TESTS


def check_repaired_backward(function):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    generator = torch.Generator().manual_seed(60)
    shapes = [(3, 5), (1, 2), (4, 3), (3, 3), (2, 1), (1, 1), (3, 5)]
    for shape, scale in [(shape, scale) for shape in shapes for scale in (1, 30, 900)]:
        for dtype in (torch.float64, torch.float32):
            numbers = torch.randn(2, *shape, generator=generator, dtype=dtype).to(device)
            for layout, x in layouts_of(scale * numbers[0]).items():
                grad_y = layouts_of(numbers[1])[layout]
                case = f"x of shape {shape} and size {scale}, {dtype}{layout}"
                leaf = x.clone().requires_grad_()
                want = torch.autograd.grad(torch.softmax(leaf, dim=-1), leaf, grad_y)[0]
                got = call(case, RULES, function, grad_y, x)
                hint = "Each input of a row moves every output of that row."
                assert_exact(f"grad_x for {case}", got, want, hint)
                assert_new(f"grad_x for {case}", got, grad_y, x)


check_repaired_backward(repaired_backward)
### END HIDDEN TESTS

# %% [markdown]
# One last check, of your own max pool with overlapping windows. The forward pass is PyTorch's,
# the backward pass is yours.

# %%
x = torch.randn(1, 2, 7, 7, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
error = gradient_check(
    lambda x: F.max_pool2d(x, 3, 2),
    lambda grad_y, x: max_pool2d_backward(grad_y, x, 3, 2),
    x,
)
print(f"max pool, kernel 3, stride 2: relative error {error:.1e}")

# %% [markdown]
# ## Part 5: three questions, one attempt each
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
# ### All about backpropagation (2 points)

# %% given="ask_backprop_false"
from course_utils.quiz import ask

ask("backprop_false")

# %% [markdown]
# ### Through a tanh unit (1 point)

# %% given="ask_tanh_gradient"
ask("tanh_gradient")

# %% [markdown]
# ### Through overlapping windows (1 point)

# %% given="ask_pool_gradient"
ask("pool_gradient")

# %% [markdown]
# The next three cells are where your answers are marked. Until you have answered, they say that
# there is no answer yet; once you have, they say nothing.

# %% quiz="backprop_false"

# %% quiz="tanh_gradient"

# %% quiz="pool_gradient"

# %% [markdown]
# ## What to take with you
#
# - Backpropagation computes gradients **of the loss**. Every layer only turns $\partial L/\partial
#   y$ into $\partial L/\partial x$, and into the gradients of its parameters if it has any.
# - Where one number influences the loss along several paths, the contributions **add up**:
#   overlapping windows, a bias shared by all images, the outputs of a softmax.
# - tanh passes on a gradient multiplied by at most $1$, and by nearly $0$ when it is saturated. A
#   max pool passes it on to the winner alone.
# - A gradient that nobody has checked is a guess. Check in float64, with central differences, and
#   with a random upstream gradient.
#
# **A question to end with.** Your tanh unit is saturated, and the max pool after it picks that
# very unit. What arrives at the convolution's weights? And what if the network used ReLU?
