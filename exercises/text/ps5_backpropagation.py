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
# say, and save. Then submit in nbgrader's *Assignment List*, or, if your course collects files,
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
# write `grad_y` for $\partial L/\partial y$, the *upstream* gradient, which the layer behind
# hands you, and `grad_x` for $\partial L/\partial x$, which you hand on. So each backward
# function has one job: **turn `grad_y` into `grad_x`**.
#
# One rule saves half of all mistakes: *a gradient has the shape of the thing that it is the
# gradient of.* `grad_x` has the shape of `x`, always.
#
# Three house rules hold for all your functions:
#
# 1. Write the derivative yourself. Tensor arithmetic, indexing, `torch.tanh`, `torch.softmax`,
#    `max`, `argmax`, `unfold`, numpy: all welcome. What PyTorch would differentiate for you is
#    not; `FORBIDDEN` below lists those names. The tests also switch gradients off while they
#    call you, so that leaning on autograd ends in *element 0 of tensors does not require grad*.
# 2. Leave the inputs as they are. The layer in front still needs them.
# 3. Give back the dtype and the device that you were given. Then your layers run in double
#    precision and on a GPU too.

# %% given="imports"
import ast
import inspect
import math
import textwrap

import numpy as np
import torch
import torch.nn.functional as F

# %% given="house_rules"
FORBIDDEN = (
    "autograd backward grad requires_grad requires_grad_ enable_grad func vjp jvp jacobian "
    "ops _C cross_entropy CrossEntropyLoss max_pool2d max_pool2d_with_indices MaxPool2d "
    "adaptive_max_pool2d max_unpool2d"
)


# %% [markdown]
# The next cell holds the two tools that the tests use. You needn't read it, but you may, and you
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
    used = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    used |= {node.name for node in nodes if isinstance(node, ast.alias)}
    found = ", ".join(sorted(used & set(FORBIDDEN.split())))
    assert not found, f"{name} uses {found}: in this assignment you write that step yourself"


# %% given="test_tools_compare"
def assert_same(what, got, want, hint=""):
    """Fail if `got` is not the tensor `want`; say where, and what to look at."""
    kind = type(got).__name__
    assert isinstance(got, torch.Tensor), f"{what} is {kind}, not a tensor: is a return missing?"
    shapes = f"expected shape {tuple(want.shape)}, got {tuple(got.shape)}"
    assert got.shape == want.shape, f"{what}: {shapes}. {hint}"
    types = f"expected {want.dtype} on {want.device}, got {got.dtype} on {got.device}"
    assert (got.dtype, got.device) == (want.dtype, want.device), f"{what}: {types}. {hint}"
    rtol, atol = (1e-4, 1e-5) if want.dtype == torch.float32 else (1e-7, 1e-9)
    wrong = ~torch.isclose(got.detach(), want.detach(), rtol=rtol, atol=atol)
    if wrong.any():
        first = tuple(wrong.nonzero()[0].tolist())
        values = f"expected {want[first].item():.8g}, got {got[first].item():.8g}"
        place = f" at {first}" if first else ""
        raise AssertionError(f"{what}{place}: {values}. {hint}")


# %% [markdown]
# ## Part 1: tanh, and what saturation costs
#
# Take one unit with $x = 1$. Its output is $\tanh(1) = 0.762$. Nudge $x$ up by $0.01$ and the
# output grows by about $0.0042$: the slope there is $0.420$. At $x = 0$ the slope is exactly $1$,
# and at $x = 3$ it is $0.0099$: a nudge hardly gets through. The rule behind the three numbers is
#
# $$\tanh'(x) = 1 - \tanh^2(x) = 1 - y^2 .$$
#
# The slope lies in $(0, 1]$, and it attains the $1$, at $x = 0$ (settled: it is mathematics).
#
# Now the loss. If the layer behind reports that the loss changes by $10$ for each unit of $y$,
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
# <details><summary>Hint: the test says that I changed <code>grad_y</code></summary>
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
assert_own_work("tanh_backward", tanh_backward)
x = torch.tensor([0.0, 1.0, 3.0], dtype=torch.float64)
slopes = torch.tensor([1.0, 0.4199743416, 0.0098660372], dtype=torch.float64)
ones, ten = torch.ones(3, dtype=torch.float64), torch.tensor([10.0] * 3, dtype=torch.float64)
hint = "The slope is 1 - y², with y = tanh(x)."
assert_same("slope of tanh", tanh_backward(ones, x), slopes, hint)
hint = "Multiply the slope by the upstream gradient: that is the chain rule."
assert_same("tanh_backward", tanh_backward(ten, x), 10 * slopes, hint)
### BEGIN HIDDEN TESTS
device = "cuda" if torch.cuda.is_available() else "cpu"
generator = torch.Generator().manual_seed(51)
for shape, dtype in [((7,), torch.float64), ((2, 3, 4, 5), torch.float32), ((0, 3), torch.float64)]:
    x = (2 * torch.randn(shape, generator=generator, dtype=dtype)).to(device)
    grad_y = torch.randn(shape, generator=generator, dtype=dtype).to(device)
    x_before, grad_y_before = x.clone(), grad_y.clone()
    with torch.no_grad():
        got = tanh_backward(grad_y, x)
    assert torch.equal(x, x_before), "tanh_backward changed x: work on new tensors."
    assert torch.equal(grad_y, grad_y_before), "tanh_backward changed grad_y: work on new tensors."
    x = x.requires_grad_()
    want = torch.autograd.grad(torch.tanh(x), x, grad_y)[0]
    assert_same("tanh_backward", got, want, hint)
x = torch.tensor([-1000.0, 1000.0])
assert_same("far out", tanh_backward(torch.ones(2), x), torch.zeros(2), "exp(1000) overflows.")
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
got = saturated_fraction(torch.tensor([-4.0, -1.0, 0.0, 1.0, 4.0]))
message = f"expected 0.4, got {got}: the units at -4 and at 4 are both saturated."
assert isinstance(got, float), f"expected a Python float, got {type(got).__name__}"
assert abs(got - 0.4) < 1e-6, message
### BEGIN HIDDEN TESTS
x = torch.randn(40, 25, generator=torch.Generator().manual_seed(52), dtype=torch.float64) * 3
for threshold in (0.001, 0.01, 0.5):
    want = int(np.sum(1 / np.cosh(x.numpy()) ** 2 < threshold)) / 1000
    got = saturated_fraction(x, threshold)
    message = f"threshold {threshold}: expected {want}, got {got}. Compare the slope with it."
    assert abs(got - want) < 1e-6, message
assert saturated_fraction(torch.zeros(3), 1.0) == 0.0, "A slope of 1 is not below a threshold of 1."
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
# <code>i * stride</code> to <code>i * stride + kernel</code>, and columns likewise:
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
assert_own_work("max_pool2d", max_pool2d)
x = torch.arange(16.0).reshape(1, 1, 4, 4)
hint = "Each output is the largest number of its window; windows start `stride` apart."
want = torch.tensor([[[[5.0, 7.0], [13.0, 15.0]]]])
assert_same("max_pool2d(x, 2, 2)", max_pool2d(x, 2, 2), want, hint)
### BEGIN HIDDEN TESTS
device = "cuda" if torch.cuda.is_available() else "cpu"
generator = torch.Generator().manual_seed(53)
hint += " All inputs may be negative."
cases = [((2, 3, 7, 9), 3, 2), ((1, 2, 7, 6), 2, 3), ((3, 1, 5, 5), 2, 1), ((2, 2, 4, 4), 1, 1)]
for shape, kernel, stride in cases:
    for dtype in (torch.float64, torch.float32):
        x = (torch.randn(shape, generator=generator, dtype=dtype) - 5).to(device)
        before = x.clone()
        got = max_pool2d(x, kernel, stride)
        assert torch.equal(x, before), "max_pool2d changed its input: work on new tensors."
        what = f"max_pool2d of a {shape} input, kernel {kernel}, stride {stride}"
        assert_same(what, got, F.max_pool2d(x, kernel, stride), hint)
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
    for n, c, i, j in np.ndindex(*grad_y.shape):
        top, left = i * stride, j * stride
        window = x[n, c, top : top + kernel, left : left + kernel]
        row, column = divmod(int(window.argmax()), kernel)
        grad_x[n, c, top + row, left + column] += grad_y[n, c, i, j]
    return grad_x
    ### END SOLUTION


# %% [markdown]
# First the windows that don't overlap: the 4 × 4 picture from above, then a picture in which all
# four numbers are the same, so that the tie goes to the first.

# %% test="test_max_pool_backward" points=2
assert_own_work("max_pool2d_backward", max_pool2d_backward)
x = torch.arange(16.0).reshape(1, 1, 4, 4)
grad_y = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
want = torch.tensor([[[[0.0, 0, 0, 0], [0, 1, 0, 2], [0, 0, 0, 0], [0, 3, 0, 4]]]])
hint = "The maximum of each window gets that window's whole gradient, the rest gets nothing."
assert_same("grad_x", max_pool2d_backward(grad_y, x, 2, 2), want, hint)
tie = max_pool2d_backward(torch.ones(1, 1, 1, 1), torch.ones(1, 1, 2, 2), 2, 2)
hint_tie = "In a tie only the first maximum, row by row, gets the gradient."
assert_same("grad_x of a tie", tie, torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]]), hint_tie)
### BEGIN HIDDEN TESTS
crossed = torch.tensor([[[[1.0, 5.0], [5.0, 1.0]]]])
tie = max_pool2d_backward(torch.ones(1, 1, 1, 1), crossed, 2, 2)
want = torch.tensor([[[[0.0, 1.0], [0.0, 0.0]]]])
assert_same("grad_x of a tie between two", tie, want, hint_tie)
device = "cuda" if torch.cuda.is_available() else "cpu"
generator = torch.Generator().manual_seed(54)
hint += " Windows start `stride` apart, which need not be `kernel`."
cases = [((2, 3, 6, 8), 2, 2), ((2, 1, 8, 7), 2, 3), ((1, 2, 7, 7), 3, 3), ((1, 2, 3, 5), 1, 2)]
for shape, kernel, stride in cases:
    for dtype in (torch.float64, torch.float32):
        x = (torch.randn(shape, generator=generator, dtype=dtype) - 5).to(device)
        y = F.max_pool2d(x, kernel, stride)
        grad_y = torch.randn(y.shape, generator=generator, dtype=dtype).to(device)
        x_before, grad_y_before = x.clone(), grad_y.clone()
        with torch.no_grad():
            got = max_pool2d_backward(grad_y, x, kernel, stride)
        assert torch.equal(x, x_before), "max_pool2d_backward changed x: work on new tensors."
        assert torch.equal(grad_y, grad_y_before), "max_pool2d_backward changed grad_y."
        x = x.requires_grad_()
        want = torch.autograd.grad(F.max_pool2d(x, kernel, stride), x, grad_y)[0]
        assert_same(f"grad_x for kernel {kernel}, stride {stride}", got, want, hint)
### END HIDDEN TESTS

# %% [markdown]
# And the windows that overlap, with the 3 × 3 picture whose centre wins four times.

# %% test="test_max_pool_overlap" points=2
x = torch.tensor([[[[1.0, 2.0, 3.0], [4.0, 9.0, 5.0], [6.0, 7.0, 8.0]]]])
grad_y = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
want = torch.zeros(1, 1, 3, 3)
want[0, 0, 1, 1] = 10
hint = "Where windows overlap, their contributions must add up."
assert_same("grad_x", max_pool2d_backward(grad_y, x, 2, 1), want, hint)
### BEGIN HIDDEN TESTS
assert_own_work("max_pool2d_backward", max_pool2d_backward)
device = "cuda" if torch.cuda.is_available() else "cpu"
generator = torch.Generator().manual_seed(55)
cases = [((2, 2, 7, 7), 3, 2), ((1, 3, 6, 5), 3, 1), ((2, 1, 5, 8), 2, 1), ((1, 2, 9, 8), 4, 3)]
for shape, kernel, stride in cases:
    for dtype in (torch.float64, torch.float32):
        x = torch.randn(shape, generator=generator, dtype=dtype).to(device).requires_grad_()
        y = F.max_pool2d(x, kernel, stride)
        grad_y = torch.randn(y.shape, generator=generator, dtype=dtype).to(device)
        want = torch.autograd.grad(y, x, grad_y)[0]
        with torch.no_grad():
            got = max_pool2d_backward(grad_y, x.detach(), kernel, stride)
        assert_same(f"grad_x for kernel {kernel}, stride {stride}", got, want, hint)
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
    pool = F.max_pool2d(tanh, 2, 2)
    logits = F.linear(pool.flatten(1), params["linear_weight"], params["linear_bias"])
    return {"conv": conv, "tanh": tanh, "pool": pool, "logits": logits}


# %% [markdown]
# The backward pass of the convolution is given too; the forward pass was problem set 2. Look at
# the last line: the bias of a filter is added at every place of every image, so its gradient is
# the sum over all of them. You will meet the same thought in the linear layer.


# %% given="conv2d_backward"
def conv2d_backward(grad_y, x, weight):
    """Gradients (grad_x, grad_weight, grad_bias) for y = conv2d(x, weight, bias)."""
    grad_x = torch.nn.grad.conv2d_input(x.shape, weight, grad_y)
    grad_weight = torch.nn.grad.conv2d_weight(x, weight.shape, grad_y)
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
x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
weight, grad_y = torch.tensor([[5.0, 6.0]]), torch.tensor([[1.0], [10.0]])
grad_x, grad_weight, grad_bias = linear_backward(grad_y, x, weight)
hint_weight = "grad_weight has the shape of weight, and sums over the images."
assert_same("grad_x", grad_x, torch.tensor([[5.0, 6.0], [50.0, 60.0]]), "Multiply by weight.")
assert_same("grad_weight", grad_weight, torch.tensor([[31.0, 42.0]]), hint_weight)
assert_same("grad_bias", grad_bias, torch.tensor([11.0]), "Sum over the images: not the mean.")
### BEGIN HIDDEN TESTS
assert_own_work("linear_backward", linear_backward)
device = "cuda" if torch.cuda.is_available() else "cpu"
generator = torch.Generator().manual_seed(56)
cases = [(5, 4, 3, torch.float64), (4, 4, 4, torch.float64), (1, 7, 2, torch.float32)]
for n, d, k, dtype in cases:
    shapes = [(n, d), (k, d), (k,), (n, k)]
    tensors = [torch.randn(s, generator=generator, dtype=dtype).to(device) for s in shapes]
    x, weight, bias, grad_y = tensors
    before = [x.clone(), weight.clone(), grad_y.clone()]
    with torch.no_grad():
        got = linear_backward(grad_y, x, weight)
    unchanged = all(torch.equal(a, b) for a, b in zip(before, [x, weight, grad_y], strict=True))
    assert unchanged, "linear_backward changed an input: work on new tensors."
    leaves = [x.requires_grad_(), weight.requires_grad_(), bias.requires_grad_()]
    want = torch.autograd.grad(F.linear(x, weight, bias), leaves, grad_y)
    assert_same("grad_x", got[0], want[0], "Multiply by weight.")
    assert_same("grad_weight", got[1], want[1], hint_weight)
    assert_same("grad_bias", got[2], want[2], "Sum over the images: not the mean.")
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
# 2. Pick the log-probability of the true class of every row; the loss is minus their mean.
# 3. Turn $\log p$ into $p$, subtract $1$ at the true classes, divide by $N$.
#
# <details><summary>Hint: one element of every row</summary><code>rows = torch.arange(len(labels),
# device=labels.device)</code>, then <code>log_p[rows, labels]</code>.</details>


# %% solution="softmax_cross_entropy"
def softmax_cross_entropy(logits, labels):
    """Loss (a tensor with one number) and grad_logits, for logits (N, K) and labels (N,)."""
    ### BEGIN SOLUTION
    log_p = logits - torch.logsumexp(logits, dim=1, keepdim=True)
    rows = torch.arange(len(labels), device=labels.device)
    loss = -log_p[rows, labels].mean()
    grad_logits = log_p.exp()
    grad_logits[rows, labels] -= 1
    return loss, grad_logits / len(labels)
    ### END SOLUTION


# %% test="test_softmax_cross_entropy" points=2
loss, grad_logits = softmax_cross_entropy(torch.zeros(2, 4), torch.tensor([0, 3]))
assert_same("loss", loss, torch.tensor(math.log(4)), "The loss is the mean of -log p at the label.")
hint = "It is (p - onehot) / N: the loss is a mean, so every row is divided by N."
want = torch.tensor([[-0.375, 0.125, 0.125, 0.125], [0.125, 0.125, 0.125, -0.375]])
assert_same("grad_logits", grad_logits, want, hint)
### BEGIN HIDDEN TESTS
assert_own_work("softmax_cross_entropy", softmax_cross_entropy)
device = "cuda" if torch.cuda.is_available() else "cpu"
generator = torch.Generator().manual_seed(57)
cases = [(5, 3, 1, torch.float64), (1, 6, 3, torch.float32), (4, 5, 1000, torch.float32)]
for n, k, scale, dtype in cases:
    logits = (scale * torch.randn(n, k, generator=generator, dtype=dtype)).to(device)
    labels = torch.randint(k, (n,), generator=generator).to(device)
    before = logits.clone()
    with torch.no_grad():
        got_loss, got_grad = softmax_cross_entropy(logits, labels)
    assert torch.equal(logits, before), "softmax_cross_entropy changed the logits."
    logits = logits.requires_grad_()
    want_loss = F.cross_entropy(logits, labels)
    large = " Large logits: exp overflows unless you subtract the maximum." if scale > 3 else ""
    assert_same("loss", got_loss, want_loss.detach(), "It is the mean over the images." + large)
    want_grad = torch.autograd.grad(want_loss, logits)[0]
    assert_same("grad_logits", got_grad, want_grad, hint + large)
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
# Return the loss and a dictionary of the gradients of the loss with respect to the four
# parameters, under the names of the parameters, and with respect to `"images"`.
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
images, labels = make_bars(6, seed=1)
loss, grads = network_gradients(make_params(seed=2), images, labels)
assert abs(float(loss) - 1.1) < 0.5, f"loss {float(loss):.3f}: an untrained guess costs about log 3"
expected = {"images", "conv_weight", "conv_bias", "linear_weight", "linear_bias"}
assert set(grads) == expected, f"expected gradients named {expected}, got {set(grads)}"
for name, value in make_params(seed=2).items():
    assert grads[name].shape == value.shape, f"the gradient of {name} needs shape {value.shape}"
### BEGIN HIDDEN TESTS
assert_own_work("network_gradients", network_gradients)
device = "cuda" if torch.cuda.is_available() else "cpu"
hints = {
    "linear_bias": "Begin here: it is the first gradient on the way back from the loss.",
    "linear_weight": "grad_logits is right; look at the linear layer and its input.",
    "conv_bias": "The linear layer is right; look at the reshape, the pool and tanh.",
    "conv_weight": "conv_bias is right; the convolution's input is the images.",
    "images": "The parameters' gradients are right; return the convolution's grad_x.",
}
for count, seed in [(6, 1), (1, 2), (9, 3)]:
    params = {name: value.to(device) for name, value in make_params(seed).items()}
    images, labels = (tensor.to(device) for tensor in make_bars(count, seed))
    with torch.no_grad():
        loss, grads = network_gradients(params, images, labels)
    leaves = {name: value.clone().requires_grad_() for name, value in params.items()}
    leaves["images"] = images.clone().requires_grad_()
    want_loss = F.cross_entropy(network_forward(leaves, leaves["images"])["logits"], labels)
    want = dict(zip(leaves, torch.autograd.grad(want_loss, list(leaves.values())), strict=True))
    assert_same("loss", loss, want_loss.detach(), "Look at task 3b.")
    for name, hint in hints.items():
        assert_same(f"gradient of {name}", grads[name], want[name], hint)
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
images, labels = make_bars(12, seed=3)
params, losses = train(make_params(seed=4), images, labels, steps=12)
message = f"the loss went from {losses[0]:.3f} to {losses[-1]:.3f}: do all of part 3's tests pass?"
assert losses[-1] < 0.8 * losses[0], message
### BEGIN HIDDEN TESTS
device = "cuda" if torch.cuda.is_available() else "cpu"
images, labels = (tensor.to(device) for tensor in make_bars(12, seed=5))
start = {name: value.to(device) for name, value in make_params(seed=6).items()}
before = {name: value.clone() for name, value in start.items()}
params, losses = train(start, images, labels, steps=8)
for name, value in start.items():
    assert torch.equal(value, before[name]), f"network_gradients changed {name} in place."
model = before
for step in range(8):
    leaves = {name: value.requires_grad_() for name, value in model.items()}
    loss = F.cross_entropy(network_forward(leaves, images)["logits"], labels)
    hint = f"step {step}: expected a loss of {loss.item():.6f}, got {losses[step]:.6f}"
    assert abs(losses[step] - loss.item()) < 1e-6, hint
    gradients = torch.autograd.grad(loss, list(leaves.values()))
    model = {
        name: value.detach() - 0.5 * gradient
        for (name, value), gradient in zip(leaves.items(), gradients, strict=True)
    }
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
# $\varepsilon$, that of this *central* difference like $\varepsilon^2$ (settled: Taylor's
# theorem).
#
# But $\varepsilon$ must not be too small either. $f$ is rounded, and dividing the rounding error
# by a tiny $2\varepsilon$ blows it up. In float32, with 7 digits, that leaves very little to
# compare; so **always check gradients in float64**.
#
# 1. Convert `x` to `torch.float64`; the result is float64 too.
# 2. For every index of `x`, make two copies, nudge one up and one down, and call `f` on both.
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
x = torch.tensor([3.0, -1.0], dtype=torch.float64)
got = numerical_gradient(lambda x: (x**2).sum(), x, eps=0.1)
hint = "A central difference gives 6.0 here and a one-sided one 6.1: look to both sides."
assert_same("gradient of x²", got, torch.tensor([6.0, -2.0], dtype=torch.float64), hint)
### BEGIN HIDDEN TESTS
assert_own_work("numerical_gradient", numerical_gradient)
generator = torch.Generator().manual_seed(58)
for shape in [(4,), (2, 3), (1, 2, 2, 2), ()]:
    x = torch.randn(shape, generator=generator, dtype=torch.float64)
    before = x.clone()
    got = numerical_gradient(lambda x: float((x.exp() + x.sin()).sum()), x)
    assert torch.equal(x, before), "numerical_gradient changed x: nudge a copy of it."
    assert got.shape == x.shape, f"expected shape {tuple(x.shape)}, got {tuple(got.shape)}"
    error = (got - (x.exp() + x.cos())).abs().max().item()
    assert error < 1e-6, f"an error of {error:.1e} with the default eps: expected less than 1e-6"
x = torch.tensor([0.5, 1.5])
got = numerical_gradient(lambda x: torch.exp(x).sum(), x)
hint = "Convert x to float64 before you nudge it: float32 is too coarse for eps = 1e-6."
assert got.dtype == torch.float64, f"expected torch.float64, got {got.dtype}. {hint}"
error = (got - torch.exp(x.double())).abs().max().item()
assert error < 1e-6, f"an error of {error:.1e} for an x in float32. {hint}"
coarse = numerical_gradient(lambda x: (x**3).sum(), torch.ones(1), eps=0.5).item()
hint = "Nudge by the eps that you are given."
assert abs(coarse - 3.25) < 1e-6, f"x³ at 1 with eps=0.5: expected 3.25, got {coarse:.6f}. {hint}"
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
# \rVert)$, and $0$ if both gradients are zero. Rule of thumb, in float64: below $10^{-6}$ all is
# well; above $10^{-3}$ something is wrong; in between, suspect a kink (a max pool near a tie).
#
# 1. Draw `grad_y` in the shape of the output, in float64, from a `torch.Generator` with a seed.
# 2. Call `backward(grad_y, x)` for $a$; use `numerical_gradient` for $n$.
# 3. Return the relative error as a Python float.
#
# <details><summary>Hint: the function to differentiate</summary><code>lambda t: (forward(t) *
# grad_y).sum()</code></details>


# %% solution="gradient_check"
def gradient_check(forward, backward, x):
    """The relative error of backward(grad_y, x) against finite differences, as a float."""
    ### BEGIN SOLUTION
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
x = torch.tensor([[0.5, -1.0, 2.0]], dtype=torch.float64)
right = gradient_check(lambda x: x**2, lambda grad_y, x: grad_y * 2 * x, x)
double = gradient_check(lambda x: x**2, lambda grad_y, x: grad_y * 4 * x, x)
assert isinstance(right, float), f"expected a Python float, got {type(right).__name__}"
assert right < 1e-6, f"a right backward got the relative error {right:.1e}, expected below 1e-6"
assert abs(double - 0.5) < 1e-6, f"twice the right gradient: expected 0.5, got {double:.6f}"
### BEGIN HIDDEN TESTS
generator = torch.Generator().manual_seed(59)
x = torch.randn(2, 3, generator=generator, dtype=torch.float64)
nothing = gradient_check(lambda x: x**2, lambda grad_y, x: grad_y * 0, x)
hint = "Divide by the larger of the two norms."
assert abs(nothing - 1) < 1e-6, f"a backward of zeros: expected 1.0, got {nothing:.6f}. {hint}"
zero = gradient_check(lambda x: x * 0, lambda grad_y, x: grad_y * 0, x)
assert zero == 0.0, f"both gradients are zero: expected a relative error of 0.0, got {zero}"
sums = gradient_check(lambda x: x.sum(1), lambda grad_y, x: grad_y[:, None].expand(2, 3), x)
assert sums < 1e-6, f"sum over rows: got {sums:.1e}. grad_y has the shape of the output, not of x."
unit = gradient_check(lambda x: x.exp(), lambda grad_y, x: x.exp(), x)
hint = "A backward that ignores grad_y passed your check: is your grad_y all ones?"
assert unit > 1e-3, hint
small = gradient_check(lambda x: x / 1000, lambda grad_y, x: grad_y / 500, x)
hint = "the error is relative: the size of the gradients doesn't matter."
assert abs(small - 0.5) < 1e-5, f"twice a small gradient: expected 0.5, got {small:.6f}; {hint}"
flipped = gradient_check(lambda x: x.tanh(), lambda grad_y, x: -grad_y * (1 - x.tanh() ** 2), x)
assert abs(flipped - 2) < 1e-5, f"a gradient with the wrong sign: expected 2.0, got {flipped:.6f}"
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
# 4. Check your result with `gradient_check` before you run the test.
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
assert_own_work("repaired_backward", repaired_backward)
x = torch.tensor([[0.0, 0.0]], dtype=torch.float64)
grad_y = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
got = repaired_backward(grad_y, x)
hint = "Each input of a row moves every output of that row: add up all the effects."
assert got.shape == x.shape, f"expected shape {tuple(x.shape)}, got {tuple(got.shape)}"
### BEGIN HIDDEN TESTS
want = torch.tensor([[0.25, -0.25]], dtype=torch.float64)
assert_same("repaired_backward", got, want, hint)
device = "cuda" if torch.cuda.is_available() else "cpu"
generator = torch.Generator().manual_seed(60)
for shape, dtype in [((3, 5), torch.float64), ((1, 2), torch.float64), ((4, 3), torch.float32)]:
    x = torch.randn(shape, generator=generator, dtype=dtype).to(device)
    grad_y = torch.randn(shape, generator=generator, dtype=dtype).to(device)
    before = grad_y.clone()
    with torch.no_grad():
        got = repaired_backward(grad_y, x)
    assert torch.equal(grad_y, before), "repaired_backward changed grad_y: work on new tensors."
    x = x.requires_grad_()
    want = torch.autograd.grad(torch.softmax(x, dim=-1), x, grad_y)[0]
    assert_same("repaired_backward", got, want, hint)
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
# **A question to end with.** Your tanh unit is saturated, and the max pool behind it picks that
# very unit. What arrives at the convolution's weights? And what if the network used ReLU?
