# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 5 · Backpropagation
#
# One number says how wrong a network is. A million weights are to blame, each a little. How much
# is each one's share? Backpropagation tells all of them, for about the price of two more forward
# passes. At the end we ask it about the pixels instead, and the answer is unsettling.
#
# **You will be able to**
#
# - say what is differentiated with respect to what, and why it is the loss;
# - follow a gradient through a graph by hand, and add up where paths meet;
# - explain saturation, down to the input at which a tanh unit is dead for good;
# - write the backward pass of a dense layer and of softmax with cross-entropy;
# - route a gradient through max pooling, with overlaps and ties;
# - tell what has parameters from what doesn't, and find a wrong gradient;
# - turn a network's answer with a change that nobody sees.
#
# **Time**: 75 minutes, with the graph. **You need**: derivatives, the chain rule, and what a layer
# is. **Exercise**: `ps5_backpropagation`.
#
# Claims are labelled: *settled* (mathematics, or agreed on), *contested* (good people disagree),
# *rule of thumb* (often true; check it).
#
# **Where we are.** Lecture 4 trained heads and fine-tuned bodies, and `backward()` did the work.
# This lecture says what that one line does. It is the last one.
#
# **Before you begin**, three questions about lecture 4. Answer them before you open the fold.
#
# 1. What learns if a network is frozen, and what if it is fine-tuned?
# 2. Which part of VGG-16 do we keep for another task, and which do we replace?
# 3. Method A got more steps than method B and won. What have you shown?
#
# <details><summary>Answers</summary>
#
# 1. Frozen: only the new head. Fine-tuned: everything, the old layers usually more slowly.
# 2. We keep the convolutions, and replace the dense layers by a small head.
# 3. Nothing about the methods: the budgets were unequal.
#
# </details>

# %%
import math

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.data import load_photograph, load_stamps
from course_utils.models import IMAGENET_MEAN, IMAGENET_STD, imagenet_classes, preprocess
from course_utils.models import squeezenet, top_k
from course_utils.plots import COLORS, Grid, new_figure, show, show_bars, show_grids, show_pictures
from course_utils.quiz import ask

_ = torch.manual_seed(0)

# %% [markdown]
# ## The gradient of what?
#
# Take a network of a single unit: one weight, one bias and one tanh. It gets $x$, gives
# $y = \tanh(wx + b)$, and should have given $t$. How wrong it is, the **loss** says:
# $L = (y - t)^2$.


# %%
def unit(w, b, x=2.0, t=0.0):
    """The loss of one tanh unit with weight w and bias b."""
    return (torch.tanh(w * x + b) - t) ** 2


w, b = torch.tensor(0.8, requires_grad=True), torch.tensor(-0.6, requires_grad=True)
print(f"loss                    : {unit(w, b):.4f}")
print(f"with w larger by 0.01   : {unit(w + 0.01, b):.4f}")
print(f"so for each 1 of w about: {(unit(w + 0.01, b) - unit(w, b)) / 0.01:.2f}")

# %% [markdown]
# That last number, for an ever smaller nudge, is the **gradient** $\partial L/\partial w$. It is
# positive, so a larger $w$ makes the loss larger, and training will make $w$ smaller. One call
# finds it for $w$ and $b$ at once, without any nudge:

# %%
unit(w, b).backward()
print(f"dL/dw = {w.grad:.4f}, dL/db = {b.grad:.4f}")

# %% [markdown]
# Note what was differentiated: the *loss*, with respect to the *parameters*. It is often said that
# the output is. But the gradient of an output says how to make it *larger*, not how to make it
# *right*. And mostly the output isn't one number. Ask for its gradient, for a photograph:

# %%
network = squeezenet().requires_grad_(True)
coffee = preprocess(load_photograph("coffee"))
logits = network(coffee)
try:
    logits.backward()
except RuntimeError as error:
    print(f"{logits.numel()} logits: {error}")

# %% [markdown]
# A thousand numbers, and no direction that is *better* for all of them together. Only the loss, one
# number, says which way is down. (The output's derivatives do appear, as factors on the way.)

# %%
espresso = torch.tensor([imagenet_classes().index("espresso")])
F.cross_entropy(logits, espresso).backward()
gradients = [parameter.grad for parameter in network.parameters()]
print(f"{sum(gradient.numel() for gradient in gradients):,} gradients, all of one loss")
print("first layer:", tuple(network.features[0].weight.shape), "→", tuple(gradients[0].shape))

# %% [markdown]
# Each parameter tensor has got a gradient of its own shape. Nudging them one at a time would have
# taken as many forward passes as there are parameters.
#
# ## The chain rule, one step at a time
#
# Cut the loss into single operations and draw them as a graph. Each operation knows one thing: its
# own **slope**, for each input: how much its output moves for a small move of that input. That is
# all it takes.
#
# - **Forward**, from left to right: compute each value, and keep it.
# - **Backward**, from right to left: the loss's own gradient is 1. Each node takes what arrives,
#   multiplies it by its slope, and passes it on.
#
# With $s = wx + b$ and $y = \tanh(s)$:
#
# $$\frac{\partial L}{\partial w} = \frac{\partial L}{\partial y} \cdot
# \frac{\partial y}{\partial s} \cdot \frac{\partial s}{\partial w}$$
#
# ## Play
#
# Step with ▶ and ◀, or click the picture and use the arrow keys (Home and End jump). If you see an
# error instead of a picture, run the cell again.
#
# 1. Step to the end of *one unit*. On the way back, **say each number before you press the key**.
# 2. Why is the gradient of $w$ twice that of $b$? Change one input so that it is the other way.
# 3. Press *Learn* a few times: it moves the parameters (green) a little against their gradients.
# 4. *saturated*, to the end, then *Learn*. What happened? Move $w$ until it learns again.
#
# <details><summary>Answers</summary>
#
# 2. The last factor differs. The slope of $s$ with respect to $w$ is $x$, which is 2, and with
#    respect to $b$ it is 1. With $x$ between −1 and 1 it is the other way.
# 3. The loss gets smaller with each press, as long as the steps are small enough.
# 4. Nothing moves, for the slope of tanh is 0 there. With $w$ closer to 0 the unit leaves the flat
#    part, and the gradient is back.
#
# </details>

# %%
from course_utils.interactives import BackpropagationGraph

graph = BackpropagationGraph("one unit")
graph

# %% [markdown]
# Torch as a witness. Change something above and run this cell again; it reads the graph that is
# shown.

# %%
inputs = {name: torch.tensor(float(value)) for name, value in graph.inputs.items()}
for tensor in inputs.values():
    tensor.requires_grad_()
loss = graph.loss(inputs)
loss.backward()
print(f"{graph.graph}: loss {loss:.4g}")
print({name: float(f"{tensor.grad:.4g}") for name, tensor in inputs.items()})

# %%
ask("through_two_nodes")

# %% [markdown]
# ### Where paths meet
#
# Choose *skip connection* above. Here $x$ reaches the loss by two paths, through tanh and around
# it. Nudge $x$, and both paths move the loss. So the contributions **add up** (settled: it is the
# chain rule for several variables). Then choose *skip, saturated*: one path is dead, and the other
# still delivers. Very deep networks have skip connections (ResNet, 2015). That this open path for
# the gradient is what makes them trainable is the usual explanation, and *contested*.
#
# PyTorch adds up even between two calls of `backward`:

# %%
w = torch.tensor(0.8, requires_grad=True)
for call in (1, 2):
    unit(w, b).backward()
    print(f"after call {call}: {w.grad:.4f}")

# %% [markdown]
# Useful when a batch is too large for the memory, and a classic bug otherwise: hence
# `optimizer.zero_grad()` in every training loop.
#
# ## tanh: slope and saturation
#
# The slope of tanh is $1 - \tanh^2(x)$. Torch can tell it too:


# %%
def slope(function, x):
    """The slope of an elementwise function at each number in x."""
    x = x.clone().requires_grad_()
    return torch.autograd.grad(function(x).sum(), x)[0]


for x in (0.0, 1.0, 3.0):
    print(f"x = {x:.0f}: slope of tanh {slope(torch.tanh, torch.tensor(x)):.4f}")

# %%
x = torch.linspace(-6, 6, 241)
figure, axes = new_figure(7, 2.3, ncols=2, sharex=True, sharey=True)
axes[0].set_ylim(-1.1, 1.4)
for ax, function, name in zip(axes, (torch.tanh, torch.relu), ("tanh", "ReLU"), strict=True):
    ax.plot(x, function(x), color=COLORS["blue"], label="value")
    ax.plot(x, slope(function, x), color=COLORS["left over"], linestyle="--", label="slope")
    ax.set_title(name, fontsize=10)
    ax.legend(frameon=False)
show(
    figure,
    alt="Left: tanh runs from minus one to one; its slope is a bell, 1 at zero and nearly zero "
    "beyond 3 on either side. Right: ReLU's slope is zero left of zero and one right of it.",
)

# %% [markdown]
# The slope is largest at 0, where it is exactly 1: on paper its range is $(0, 1]$ (settled). So a
# tanh never passes on more than it gets. Far from 0 it passes on almost nothing; the unit is
# **saturated**.
#
# How far can "almost nothing" go? On paper never down to zero. Computers round:

# %%
x = torch.arange(0, 30, 0.001, dtype=torch.float64)
for dtype in (torch.float32, torch.float64):
    dead = slope(torch.tanh, x.to(dtype)) == 0
    print(f"{dtype}: exactly 0 from |x| = {x[dead].min():.2f} on")

# %% [markdown]
# We can predict that. The largest float32 below 1 is $1 - 2^{-24}$. A value less than half of that
# gap away from 1 is rounded to 1, and far out $1 - \tanh x \approx 2e^{-2x}$. So
# $2e^{-2x} = 2^{-25}$, which is $x = 13 \ln 2$.

# %%
print(f"float32: 13 ln 2 = {13 * math.log(2):.3f}")
print(f"float64: the gap is 2^-53, so 27.5 ln 2 = {27.5 * math.log(2):.2f}")
largest = torch.nextafter(torch.tensor(1.0), torch.tensor(0.0))
print("the largest float32 below 1 is 1 − 2^-24:", largest.item() == 1 - 2**-24)

# %% [markdown]
# From about 9.011 on the computed slope isn't small, it **is** zero: on paper the range is
# $(0, 1]$, in float32 it is $[0, 1]$. Zero times anything that arrives is zero. (That is for one
# input. A unit is dead only if it holds for every input.)
#
# Does the difference between tiny and zero matter? Train $w$ for a hundred steps, from a good
# start, a saturated one and a dead one.


# %%
def train(w, optimizer, steps=100):
    w = torch.tensor(w, requires_grad=True)
    update = optimizer([w], lr=0.05)
    for _ in range(steps):
        update.zero_grad()
        unit(w, torch.tensor(-0.6), x=4.0).backward()
        update.step()
    return w.item()


for start in (0.8, 1.5, 2.5):
    plain, adam = train(start, torch.optim.SGD), train(start, torch.optim.Adam)
    print(f"s = {4 * start - 0.6:.1f}: w {start} → {plain:.3f} plain, {adam:.3f} with Adam")

# %% [markdown]
# The best $w$ is 0.15. Plain gradient descent creeps from the saturated start, and doesn't move at
# all from the dead one. Adam divides by the size of the gradients that it has seen, and so rescues
# a tiny one. Zero it can't rescue.

# %%
ask("dead_unit")

# %% [markdown]
# ### Deep: slopes and weights multiply
#
# In a stack of layers the gradient meets a slope and a weight matrix at every one of them. Here are
# 20 tanh layers of 100 units, with random weights of three sizes.


# %%
def gradient_norms(scale, activation=torch.tanh, depth=20, width=100):
    """The norm of the loss's gradient at each layer's output, first layer first."""
    generator = torch.Generator().manual_seed(0)
    layer = torch.randn(64, width, generator=generator)
    outputs = []
    for _ in range(depth):
        weight = scale / width**0.5 * torch.randn(width, width, generator=generator)
        layer = activation(layer.requires_grad_() @ weight)
        outputs.append(layer)
    loss = layer.square().sum()
    return [gradient.norm().item() for gradient in torch.autograd.grad(loss, outputs)]


norms = {scale: gradient_norms(scale) for scale in (0.5, 1.0, 2.0)}
for scale, values in norms.items():
    print(f"{scale} / √100: first layer's gradient is {values[0] / values[-1]:.2g} × the last's")

# %%
figure, ax = new_figure(6.4, 2.6)
for (scale, values), style in zip(norms.items(), ("-", "--", ":"), strict=True):
    relative = [value / values[-1] for value in values]
    ax.semilogy(range(1, 21), relative, style, color=COLORS["blue"], label=scale)
ax.set_xlabel("layer")
ax.set_ylabel("gradient, relative")
ax.set_xticks([1, 5, 10, 15, 20])
ax.legend(title="weights × √100", frameon=False)
show(
    figure,
    alt="The gradient's norm from layer 20 back to layer 1, on a logarithmic scale: with the small "
    "weights it vanishes, with the large ones it grows, with the middle ones it changes little.",
)

# %% [markdown]
# The slopes of tanh only ever shrink a gradient, but weights can stretch it. With small weights it
# **vanishes**. With large ones it **explodes**, although many units are saturated. Weights of about
# $1/\sqrt{\text{inputs}}$ keep it in between, which is what Xavier initialisation does (2010;
# a good *rule of thumb* for tanh).
#
# ReLU's slope is 1 or 0, so a gradient that passes isn't shrunk. Does that end the trouble? Here
# are the same layers with ReLU:

# %%
relu_norms = {scale: gradient_norms(scale, torch.relu) for scale in (1.0, 2**0.5)}
for scale, values in relu_norms.items():
    share = values[0] / values[-1]
    print(f"ReLU, {scale:.2f} / √100: first layer's gradient is {share:.2g} × the last's")

# %% [markdown]
# It does not. With the weights that suit tanh the gradient vanishes, and more than it did with
# tanh, because about half of the slopes are 0. Weights larger by a factor of $\sqrt{2}$ make up for
# that. This is **He initialisation** (He and others, 2015), the usual choice for ReLU. And a ReLU
# that is negative for every image is as dead as our tanh.
#
# In AlexNet's paper (2012) a small network learned several times faster with ReLU than with tanh.
# That ReLU is faster is a *rule of thumb*: initialisation and batch norm matter, too. Which of its
# smooth successors is best is *contested*, and the differences are small. (The slope of one of
# them, GELU, even exceeds 1.)

# %% [markdown]
# ## Matrices: a whole layer at once
#
# So far every node was a single number. A dense layer takes a whole batch: $Y = XW^\top + b$. Four
# pictures with five numbers each and three outputs make these shapes:

# %%
X = torch.randn(4, 5, dtype=torch.float64, requires_grad=True)
W = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)
bias = torch.zeros(3, dtype=torch.float64, requires_grad=True)
Y = X @ W.T + bias
print("X", tuple(X.shape), " W", tuple(W.shape), " Y", tuple(Y.shape))

# %% [markdown]
# Let $G = \partial L / \partial Y$ arrive, of the shape of $Y$. Nothing new is needed, only the two
# rules from above, for many numbers at once.
#
# - **A weight** $W_{oi}$ multiplies input $i$ of *every* picture and helps to make output $o$. Each
#   picture is a path. So its gradient is the sum over the pictures of (what arrives) times (the
#   other factor): $\sum_n G_{no} X_{ni}$.
# - **An input** $X_{ni}$ reaches *every* output of its picture: $\sum_o G_{no} W_{oi}$.
# - **A bias** $b_o$ is added to output $o$ of every picture, with slope 1: $\sum_n G_{no}$.
#
# Each sum over a shared index is a product of matrices:
#
# $$\frac{\partial L}{\partial W} = G^\top X, \qquad \frac{\partial L}{\partial X} = GW, \qquad
# \frac{\partial L}{\partial b} = \text{the column sums of } G$$
#
# You needn't remember which factor is transposed. **A gradient has the shape of what it belongs
# to**, and only one order of the factors gives that shape. Torch as a witness:

# %%
G = torch.randn(4, 3, dtype=torch.float64)  # whatever arrives
by_torch = torch.autograd.grad(Y, (W, X, bias), G)
by_hand = (G.T @ X, G @ W, G.sum(0))
for name, theirs, ours in zip(("W", "X", "b"), by_torch, by_hand, strict=True):
    print(f"dL/d{name}: shape {tuple(ours.shape)}, as torch says: {torch.allclose(theirs, ours)}")

# %% [markdown]
# ### Where it begins: $p - y$
#
# A classifier ends with **logits** $z$, one for each class. **Softmax** makes probabilities of
# them, $p_k = e^{z_k} / \sum_j e^{z_j}$. The **cross-entropy** loss asks only about the right class
# $t$: $L = -\log p_t$. If $p_t$ is 1 the loss is 0; if $p_t$ is near 0 the loss is large.

# %%
z = torch.tensor([2.0, 1.0, 0.1], requires_grad=True)
t = 1
p = z.softmax(0)
(-p[t].log()).backward()
print("p           :", [round(number, 3) for number in p.tolist()])
print("dL/dz, torch:", [round(number, 3) for number in z.grad.tolist()])

# %% [markdown]
# Compare the two lines. They are the same numbers, but for the right class, where 1 was taken away.
# Write $y$ for the vector with 1 at the right class and 0 elsewhere. Then
#
# $$\frac{\partial L}{\partial z} = p - y.$$
#
# Why? With the definitions $L = -z_t + \log \sum_j e^{z_j}$. The first part has the slope $-1$ at
# $z_t$, and 0 elsewhere. The slope of the second part with respect to $z_k$ is
# $e^{z_k} / \sum_j e^{z_j}$, which is $p_k$ (settled).
#
# Read it as an order to each logit: the right one has to rise, by as much as it lacks to
# probability 1; each wrong one has to fall, by the probability that it was given. A classifier that
# is sure and right gets almost nothing, and one that is sure and wrong gets nearly the whole 1. So
# here, unlike behind a saturated tanh, a large mistake always sends back a large gradient.
#
# For a batch, `F.cross_entropy` takes the mean of the pictures' losses. So each picture's $p - y$
# is divided by the number of pictures.

# %%
logits = torch.randn(4, 3, requires_grad=True)
labels = torch.tensor([0, 2, 1, 1])
F.cross_entropy(logits, labels).backward()
with torch.no_grad():
    by_hand = (logits.softmax(1) - F.one_hot(labels, 3)) / 4
print("(p − y) / N, as torch says:", torch.allclose(logits.grad, by_hand))
print("sum over the classes:", [abs(round(row, 6)) for row in logits.grad.sum(1).tolist()])

# %% [markdown]
# **Think.** The four numbers in the last line are 0. Why must they be?
#
# <details><summary>An answer</summary>
#
# The probabilities add up to 1, and so does $y$. Softmax looks at differences only: add the same
# number to all logits, and nothing changes, so the slope in that direction is 0.
#
# </details>
#
# ## Max pooling: who gets the gradient?
#
# A window passes on its largest number and forgets the others. Nudge the largest a little, and the
# output follows one to one. Nudge another: nothing. So **the whole gradient of a window goes to its
# maximum** (settled). Ask torch for one window at a time, AlexNet's 3×3 with stride 2:

# %%
picture = torch.tensor(
    [[1, 4, 2, 0, 3], [2, 3, 7, 1, 2], [0, 5, 1, 2, 4], [6, 2, 9, 3, 1], [1, 3, 0, 5, 2]]
).float()[None, None]


def routes(picture, kernel, stride):
    """For each unit of a max pool: which pixels its gradient goes to."""
    pixels = picture.clone().requires_grad_()
    units = F.max_pool2d(pixels, kernel, stride).flatten()
    return [torch.autograd.grad(one, pixels, retain_graph=True)[0][0, 0].int() for one in units]


# %%
def window(name, corner, route):
    """The picture with one window, and where its gradient goes."""
    row, column = route.nonzero()[0].tolist()
    seen = tuple(range(start, start + 3) for start in corner)
    marks = {"window": seen, "output": ([row], [column])}
    return Grid(f"window {name}", (5, 5), marks, picture[0, 0].int().tolist())


corners = [(0, 0), (0, 2), (2, 0), (2, 2)]
show_grids(
    [window(*each) for each in zip("ABCD", corners, routes(picture, 3, 2), strict=True)],
    alt="A 5×5 picture four times, each with one of the four overlapping 3×3 windows and its "
    "winner: windows A and B share the winner 7, windows C and D the winner 9.",
)

# %% [markdown]
# The windows overlap, and two pixels win twice. Let the gradients 1, 2, 4 and 8 arrive at the four
# windows, so that each sum says who sent it:

# %%
arriving = [1, 2, 4, 8]
sent = zip(arriving, routes(picture, 3, 2), strict=True)
routed = sum(gradient * route for gradient, route in sent)
show_grids(
    [Grid("gradient of the picture", (5, 5), {}, routed.tolist())],
    alt="A 5×5 grid of zeros but for two places: 3 where the 7 was, and 12 where the 9 was.",
)

# %% [markdown]
# Where windows overlap, gradients **add up**: the same rule as for paths that meet. Code that
# writes `=` there instead of `+=` loses all but the last window's, and no error says so.
#
# On the graph, a row of five pixels with two windows; `u` and `v` decide which gradients arrive at
# them. *Which inputs get nothing? Change `c` until it wins neither window. Then choose* tie.

# %%
pool = BackpropagationGraph("max pool")
pool

# %% [markdown]
# How many get nothing at all?

# %%
for kernel, stride in ((2, 2), (3, 2)):
    feature_map = torch.randn(1, 1, 224, 224, requires_grad=True)
    F.max_pool2d(feature_map, kernel, stride).sum().backward()
    silent = (feature_map.grad == 0).double().mean()
    most = feature_map.grad.max()
    print(f"{kernel}×{kernel}, stride {stride}: {silent:.1%} get nothing; the most is {most:.0f}")

# %% [markdown]
# ### Ties
#
# Two equal maxima: the output has a kink there, and *no* derivative. Libraries choose one by
# **convention**. PyTorch's two ways to write the same maximum even choose differently:

# %%
equal = torch.ones(1, 1, 2, 2, requires_grad=True)
ways = {"max_pool2d": F.max_pool2d(equal, 2), "amax": equal.amax(dim=(2, 3))}
for name, largest in ways.items():
    (gradient,) = torch.autograd.grad(largest.sum(), equal)
    print(f"{name:10}: {gradient.flatten().tolist()}")

# %% [markdown]
# The first gives all to the first maximum, row by row; the second shares. Does it ever matter?
# In a real network ties are common. SqueezeNet's first pool, on the coffee:

# %%
with torch.no_grad():
    windows = F.unfold(network.features[:2](coffee).transpose(0, 1), kernel_size=3, stride=2)
largest = windows.amax(dim=1, keepdim=True)
tied = (windows == largest).sum(dim=1, keepdim=True) > 1
print(f"windows with a tie   : {tied.double().mean():.1%}")
print(f"of these, all zero   : {(largest[tied] == 0).double().mean():.0%}")

# %% [markdown]
# Every one of them is a window full of zeros from the ReLU before, and at zero PyTorch's ReLU
# passes nothing on. So here the convention changes nothing. Where numbers are whole, as in raw
# pixels, it can; a question about max pooling has to say "no ties".

# %%
ask("silent_share")

# %% [markdown]
# ## What has parameters, and what doesn't?
#
# A gradient *passes through* every layer. It *changes* only parameters.

# %%
layers = [
    *(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Tanh(), nn.MaxPool2d(2)),
    *(nn.Dropout(), nn.Flatten(), nn.Linear(8 * 15 * 15, 10)),
]
for layer in layers:
    names = [name for name, _ in layer.named_parameters()]
    count = sum(parameter.numel() for parameter in layer.parameters())
    print(f"{type(layer).__name__:12} {count:>7,} {', '.join(names)}")

# %% [markdown]
# - **Convolution, batch norm, linear** have weights and biases. (Batch norm also keeps a running
#   mean and variance: *buffers*, measured and not learned, no gradient.)
# - **tanh, ReLU, max pool, dropout, flatten** have nothing to learn: zero parameters. Whoever
#   counts a pool with a convolution's formula invents weights.
# - **The image** has a gradient too, if you ask. Nothing changes it, unless you do. We will.
#
# What it costs: through a convolution the backward pass is two more convolutions of the same number
# of multiply-adds, one for its input and one for its weights (settled). And most layers need a
# value from the forward pass. That is where the memory goes.

# %%
ask("parameter_tensors")

# %% [markdown]
# ## Is the gradient right?
#
# A wrong gradient is a quiet bug: no error, and the loss often still falls. Suppose that somebody
# wrote a ReLU that leaks a tenth on the negative side, backward pass included:


# %%
class LeakyReLU(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return torch.where(x > 0, x, 0.1 * x)

    @staticmethod
    def backward(context, arriving):
        (x,) = context.saved_tensors
        return arriving * torch.where(x > 0, 1.0, 0.01)


# %% [markdown]
# Did you see it? The **gradient check** would: nudge each input up and down, see how the output
# moves, and compare with what the backward pass claims. PyTorch has one built in.

# %%
x = torch.tensor([1.5, -0.5], dtype=torch.float64, requires_grad=True)
try:
    torch.autograd.gradcheck(LeakyReLU.apply, (x,))
except RuntimeError as error:
    print(str(error).strip())

# %% [markdown]
# *Numerical* is what the function does, *analytical* what the backward pass says. The last entries
# differ: 0.1 and 0.01. Three habits make such a check trustworthy:
#
# - **float64.** The nudge is a millionth; in float32 rounding would drown what it does (settled).
# - **Both sides.** Up and down, the error shrinks like the square of the nudge (settled).
# - **No kinks.** Where there is no derivative, there is nothing to compare with:

# %%
check = torch.autograd.gradcheck
distinct = torch.randperm(25).double().view(1, 1, 5, 5).requires_grad_()
ties = torch.ones(1, 1, 5, 5, dtype=torch.float64, requires_grad=True)
for name, pixels in {"distinct": distinct, "ties": ties}.items():
    passes = check(lambda x: F.max_pool2d(x, 3, 2), (pixels,), raise_exception=False)
    print(f"max pool, {name}: {passes}")

# %%
ask("check_fails")

# %% [markdown]
# ## Who would win?
#
# *State of the art neural network*, or *one noisy boi*? The joke is older than this course. Let us
# hold the match.
#
# In one corner stands SqueezeNet. It is not the state of the art, but the kind of step that we try
# works on larger undefended networks, too. It gets every picture that it names correctly: stamps,
# enlarged, and the photographs of the cat and the coffee. All pictures are in whole numbers, so
# that each could be a file.

# %%
network.requires_grad_(False)  # gradients pass through frozen weights all the same
mean = 255 * torch.tensor(IMAGENET_MEAN).view(3, 1, 1)
std = 255 * torch.tensor(IMAGENET_STD).view(3, 1, 1)
stamps = load_stamps()
named = [i for i, names in enumerate(stamps.imagenet) if names]
size = {"size": 224, "mode": "bilinear", "antialias": True}
enlarged = F.interpolate(stamps.images[named].float(), **size)
photographs = [preprocess(load_photograph(name)) * std + mean for name in ("cat", "coffee")]
pictures = torch.cat([enlarged, *photographs]).round()
right_names = [stamps.imagenet[i] for i in named] + [{"tabby", "Egyptian cat"}, {"espresso"}]


# %%
@torch.no_grad()
def answers(pictures):
    """Logits [N, 1000] of pictures in 0..255."""
    return torch.cat([network((part - mean) / std) for part in pictures.split(7)])


def are_right(logits, right_names):
    """For each picture, whether the first answer is one of its right names."""
    best = [imagenet_classes()[k] for k in logits.argmax(1)]
    return torch.tensor([name in names for name, names in zip(best, right_names, strict=True)])


logits = answers(pictures)
right = are_right(logits, right_names)
pictures, labels = pictures[right], logits[right].argmax(1)
right_names = [names for names, kept in zip(right_names, right, strict=True) if kept]
print(f"{len(right)} pictures have a right name; {len(pictures)} get it")

# %% [markdown]
# Now the noisy one, twice. The fair boxer adds **random noise**: each of a picture's numbers goes
# up or down by the same step, as a coin decides. The other has read this lecture. It runs the
# backward pass one layer further, *into the picture*, and lets the **sign of the gradient** decide
# instead of the coin, so that each number makes the loss a little larger. (That is the fast
# gradient sign method; Goodfellow and others, 2014.)


# %%
def picture_gradients(pictures, labels):
    """The gradient of each picture's own loss with respect to its pixels, [N, 3, 224, 224]."""
    pixels = pictures.clone().requires_grad_()
    for part, truth in zip(pixels.split(7), labels.split(7), strict=True):
        F.cross_entropy(network((part - mean) / std), truth, reduction="sum").backward()
    return pixels.grad


gradients = picture_gradients(pictures, labels)
coin = torch.randint(2, pictures.shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
print("numbers in a picture:", f"{gradients[0].numel():,}")

# %% [markdown]
# The smallest step that a file can hold is 1, of 255. First the coffee:

# %%
before = pictures[-1]
ring = {
    "as it was": before,
    "random, step 1": (before + coin[-1]).clamp(0, 255),
    "gradient's sign, step 1": (before + gradients[-1].sign()).clamp(0, 255),
}
says = {title: top_k(answers(picture[None]), 1)[0] for title, picture in ring.items()}
for title, (name, sure) in says.items():
    print(f"{title:24}: {name}, {sure:.1%}")

# %%
shown = {f"{title}:\n{says[title][0]}": picture / 255 for title, picture in ring.items()}
difference = (ring["gradient's sign, step 1"] - before + 1) / 2
show_pictures(
    shown | {"what was added,\nfrom −1 to 1": difference},
    alt="The cup of espresso three times; they look the same. The network calls the first and the "
    "second an espresso and the third a consomme. Last, what was added: coloured noise.",
    columns=4,
)

# %% [markdown]
# Look as closely as you like: the third picture is the first, off by at most one in each number.
# One picture proves little, so here are all of them, and the coin again with a larger step.


# %%
def count_right(step, direction):
    """How many pictures are still named correctly after a step in a direction."""
    changed = (pictures + step * direction).clamp(0, 255)
    return are_right(answers(changed), right_names).sum().item()


still_right = {
    "random, step 1": count_right(1, coin),
    "gradient's sign, step 1": count_right(1, gradients.sign()),
}
print(f"of {len(pictures)} pictures: {still_right}")

# %%
still_right["random, step 4"] = count_right(4, coin)
# %%
show_bars(
    {f"still right, of {len(pictures)}": still_right},
    alt="Three bars: of 49 pictures still named correctly are 49 after random noise of step 1, 7 "
    "after a step of 1 along the gradient's sign, and 45 after random noise of step 4.",
)

# %% [markdown]
# The noisy boi wins, if it may look at the gradient. Noise of the same size, and even four times
# the size, hardly hurts.
#
# ### Why?
#
# Near the picture the loss is about linear. Along the sign of the gradient $g$ *every* pixel
# helps, and the loss grows by about $\varepsilon \sum_i |g_i|$. With a coin the terms cancel, and
# what is left is of the order of $\varepsilon \sqrt{\sum_i g_i^2}$. How much larger is the first?

# %%
flat = gradients.flatten(1)
ratio = flat.abs().sum(1) / flat.norm(dim=1)
print(f"sum of |g| is on average {ratio.mean():.0f} times the root of the sum of g²")
print(f"at most it could be √150,528 = {math.sqrt(flat.shape[1]):.0f} times")

# %% [markdown]
# So to do as much harm by luck, the coin would have to land about 176 standard deviations from its
# mean. Many tiny steps that *agree* beat larger ones that don't, and a picture has room for
# 150,528.
#
# That undefended networks are open to such steps is **settled**. Why is **contested**: because they
# are too linear (Goodfellow and others), or because they rely on patterns that do predict the label
# but mean nothing to us (Ilyas and others, 2019). That training on such pictures is the best known
# defence, and costs some accuracy on clean ones, is a **rule of thumb**. And be fair: we knew the
# weights. Without them the attack is harder, though not impossible.
#
# **Think.** Training moves the parameters *against* the gradient of the loss. What did we change
# here, and which way?
#
# <details><summary>An answer</summary>
#
# The picture, *along* its gradient, with the parameters frozen. Backpropagation doesn't know what
# its gradients are for.
#
# </details>

# %%
ask("sign_step")

# %% [markdown]
# ## Code it yourself
#
# Replace the three dots, and run both cells. Nothing is recorded.
#
# **1.** The sigmoid $\sigma(x) = 1 / (1 + e^{-x})$ is a cousin of tanh. Its slope can be computed
# from its value alone: $\sigma(x) (1 - \sigma(x))$.


# %%
def sigmoid_slope(x):
    """The slope of the sigmoid at each number in x, without autograd."""
    return ...  # your code here


# %%
x = torch.linspace(-4, 4, 9)
got, wanted = sigmoid_slope(x), slope(torch.sigmoid, x)
is_right = isinstance(got, torch.Tensor) and torch.allclose(got, wanted, atol=1e-6)
print("right" if is_right else f"not yet: at 0 it is {wanted[4]:.2f}, you say {got}")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# def sigmoid_slope(x):
#     value = 1 / (1 + torch.exp(-x))
#     return value * (1 - value)
# ```
#
# </details>

# %% [markdown]
# **2.** The backward pass of a ReLU: what arrives goes through where the input was positive.


# %%
def relu_backward(arriving, x):
    """The gradient with respect to x, where `arriving` is that with respect to relu(x)."""
    return ...  # your code here


# %%
given = torch.tensor([5.0, 7.0, -2.0]), torch.tensor([-1.0, 2.0, 3.0])
got, wanted = relu_backward(*given), torch.tensor([0.0, 7.0, -2.0])
is_right = isinstance(got, torch.Tensor) and torch.equal(got, wanted)
print("right" if is_right else f"not yet: expected {wanted.tolist()}, got {got}")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# def relu_backward(arriving, x):
#     return torch.where(x > 0, arriving, 0.0)
# ```
#
# </details>

# %% [markdown]
# ## Summary
#
# | step | forward | what it does to the gradient |
# |---|---|---|
# | sum | adds | passes it on to each operand |
# | product | multiplies | times the other factor |
# | tanh | squashes | times $1 - \tanh^2(x)$, in $(0, 1]$; computed, 0 from about 9.011 on |
# | dense layer | $XW^\top + b$ | $G^\top X$ to the weights, $GW$ to the input |
# | softmax and cross-entropy | $-\log p_t$ | begins with $p - y$ |
# | max pool | keeps the largest | all of it to the maximum of each window; overlaps add up |
# | paths that meet | | contributions add up |
#
# **Key points**
#
# - Backpropagation gives the gradients **of the loss**, of all parameters in one sweep.
# - Each node needs only its own slope and what arrives.
# - A product of slopes and weights vanishes or explodes; the size of the weights decides.
# - Pools and activations pass gradients on and have nothing to learn.
# - A gradient that nobody has checked is a guess: check it in float64, away from kinks.
# - Steps that agree beat noise: a change of 1 in 255 turns most answers around.
#
# **Now you:** in `ps5_backpropagation` you write these backward passes yourself, and the check.
#
# ### Sources
#
# - D. Rumelhart, G. Hinton and R. Williams, *Learning representations by back-propagating
#   errors*, 1986.
# - A. Baydin, B. Pearlmutter, A. Radul and J. Siskind, *Automatic differentiation in machine
#   learning: a survey*, 2018.
# - X. Glorot and Y. Bengio, *Understanding the difficulty of training deep feedforward neural
#   networks*, 2010: Xavier initialisation.
# - K. He, X. Zhang, S. Ren and J. Sun, *Deep residual learning for image recognition*, 2015:
#   skip connections; the same authors, *Delving deep into rectifiers*, 2015: He initialisation.
# - A. Krizhevsky, I. Sutskever and G. Hinton, *ImageNet classification with deep convolutional
#   neural networks*, 2012: ReLU, and pooling that overlaps.
# - PyTorch, *Gradcheck mechanics* (documentation), and issue 56734: how `amax` treats ties.
# - I. Goodfellow, J. Shlens and C. Szegedy, *Explaining and harnessing adversarial examples*, 2014.
# - A. Ilyas and others, *Adversarial examples are not bugs, they are features*, 2019.
# - A. Madry and others, *Towards deep learning models resistant to adversarial attacks*, 2017:
#   training on such pictures.
