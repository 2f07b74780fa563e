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
# The loss is one number that says how wrong a network is. How does each of a million weights
# influence it? Backpropagation computes this for all weights at once. It takes about twice as long
# as computing the network's answer. At the end we use it on the pixels of a picture instead of the
# weights: we change a picture so little that nobody sees it, and the network gives a wrong answer.
#
# **You will be able to**
#
# - say which function we differentiate, by which variables, and why;
# - follow a gradient through a graph by hand, and add the gradients where two paths meet;
# - explain why a tanh unit can stop learning (saturation);
# - write the backward pass of a dense layer and of softmax with cross-entropy;
# - say which pixels get the gradient in max pooling;
# - say which layers have parameters, and find a wrong gradient;
# - change a network's answer with a change that nobody sees.
#
# **Time**: 75 minutes, with the graph. **You need**: derivatives, the chain rule, and what a layer
# is. **Exercise**: `ps5_backpropagation`.
#
# Claims are labelled: *settled* (mathematics, or agreed on), *contested* (experts disagree),
# *rule of thumb* (often true; check it). Words that you forget are in the [glossary](glossary.md).
#
# **Where we are.** Lecture 4 trained heads and fine-tuned bodies, and `backward()` computed the
# gradients. This lecture explains what it does. It is the last lecture.
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
from course_utils.plots import Grid, show_bars, show_graph, show_grids, show_lines, show_pictures
from course_utils.quiz import ask

_ = torch.manual_seed(0)

# %% [markdown]
# ## Which gradient?
#
# Take a network of a single unit: one weight, one bias and one tanh. Like ReLU, **tanh** is an
# activation function; it squeezes any number into −1 to 1 (its curve comes below). The unit's input
# is $x$, its output is $a = \tanh(wx + b)$, and the wanted output is $t$. The **loss** says how
# wrong it is: $L = (a - t)^2$.


# %%
def unit(w, b, x=2.0, t=0.0):
    """The loss of one tanh unit with weight w and bias b."""
    return (torch.tanh(w * x + b) - t) ** 2


w, b = torch.tensor(0.8, requires_grad=True), torch.tensor(-0.6, requires_grad=True)
print(f"loss                   : {unit(w, b):.4f}")
print(f"with w larger by 0.01  : {unit(w + 0.01, b):.4f}")
print(f"change of L divided by 0.01: {(unit(w + 0.01, b) - unit(w, b)) / 0.01:.2f}")

# %% [markdown]
# If we make the change smaller and smaller, this quotient approaches the slope of $L$ with respect
# to $w$. It is written $\partial L/\partial w$: the derivative by $w$, while $b$ stays as it is.
# All these slopes together are the **gradient**. PyTorch computes it for $w$ and $b$ in one call:

# %%
unit(w, b).backward()
print(f"dL/dw = {w.grad:.4f}, dL/db = {b.grad:.4f}")

# %% folded=true
across = torch.linspace(-0.5, 1.5, 101)
near = torch.tensor([0.45, 1.15])
loss = unit(w, b).item()
show_lines(
    {
        "loss of the unit": {
            "L": (across, unit(across, b.detach()), "-"),
            "slope at w = 0.8": (near, loss + w.grad * (near - 0.8), "-"),
            "w = 0.8": ([0.8], [loss], "o"),
        }
    },
    alt="The loss as a function of w. It falls, is 0 near w = 0.3, and rises again. At w = 0.8 a "
    "straight line touches it, which rises to the right.",
    across="weight w",
    up="loss",
)

# %% [markdown]
# The slope is positive, so a larger $w$ makes the loss larger, and training will make $w$ smaller.
#
# We differentiate the *loss*, a single number, with respect to the *parameters*. A network's output
# is 1000 numbers, and there is no change that is better for all of them together. Only for the loss
# we know the better direction: smaller. (The output's derivatives do appear, as factors on the
# way.)

# %%
network = squeezenet().requires_grad_(True)
coffee = preprocess(load_photograph("coffee"))
espresso = torch.tensor([imagenet_classes().index("espresso")])
F.cross_entropy(network(coffee), espresso).backward()
gradients = [parameter.grad for parameter in network.parameters()]
print(f"{sum(gradient.numel() for gradient in gradients):,} gradients, all of one loss")
print("first layer:", tuple(network.features[0].weight.shape), "→", tuple(gradients[0].shape))

# %% [markdown]
# The gradient of a parameter tensor has the same shape as the tensor. To change the parameters one
# by one, we would have to run the network once for each parameter.
#
# ## The chain rule, one step at a time
#
# Cut the loss into single operations and draw them as a graph. For each operation we only need its
# own **slope** for each of its inputs: how much its output changes if this input changes a little.
#
# - **Forward**, from left to right: compute each value, and keep it.
# - **Backward**, from right to left: the loss's own gradient is 1. Each node takes the gradient
#   that arrives from the right, multiplies it by its own slope, and gives the result to the left.
#
# With $s = wx + b$ and $a = \tanh(s)$:
#
# $$\frac{\partial L}{\partial w} = \frac{\partial L}{\partial a} \cdot
# \frac{\partial a}{\partial s} \cdot \frac{\partial s}{\partial w}$$
#
# In the next figure the forward values stand above the arrows, in blue, and the gradients below, in
# red.

# %% folded=true
leaves = [torch.tensor(value, requires_grad=True) for value in (0.8, 2.0, -0.6)]
product = leaves[0] * leaves[1]
total = product + leaves[2]
squeezed = total.tanh()
arrows = {
    **{("w", "×"): leaves[0], ("x", "×"): leaves[1], ("b", "+"): leaves[2]},
    **{("×", "+"): product, ("+", "tanh"): total, ("tanh", "square"): squeezed},
    ("square", "L"): squeezed**2,
}
back = torch.autograd.grad(arrows["square", "L"], list(arrows.values()))
show_graph(
    {
        **{"w": (0, 0), "x": (0, 1.4), "×": (1.2, 0.7), "b": (1.2, 2.1), "+": (2.4, 0.7)},
        **{"tanh": (3.6, 0.7), "square": (4.8, 0.7), "L": (6, 0.7)},
    },
    {
        arrow: (f"{value.item():.2f}", f"{gradient.item():.2f}")
        for (arrow, value), gradient in zip(arrows.items(), back, strict=True)
    },
    alt="The unit as a graph, from w, x and b through product, sum, tanh and square to L. Forward: "
    "s is 1.00, a is 0.76, L is 0.58. Backward: 1.00 at L, 1.52 at a, 0.64 at s and b, 1.28 at w.",
    labels={"square": "( )²"},
)

# %% [markdown]
# ## Play
#
# Step with ▶ and ◀, or click the picture and use the arrow keys (Home and End jump). If you see an
# error instead of a picture, run the cell again.
#
# 1. Choose the graph *one unit* and go to its last step. On the way back, **say each number before
#    you press the key**.
# 2. Why is the gradient of $w$ twice as large as that of $b$? Change one input so that the gradient
#    of $b$ is larger.
# 3. Press *Learn* a few times: it moves the parameters (green) a little against their gradients.
# 4. Choose *saturated*, go to the last step, and press *Learn*. What happened? Move $w$ until it
#    learns again.
#
# <details><summary>Answers</summary>
#
# 1. $L$: 1. $a$: $2(a - t)$ = 1.52. $s$: $1.52 \cdot (1 - a^2)$ = 0.64. $w$: $0.64 \cdot x$ = 1.28.
#    $b$: 0.64.
# 2. The last factor differs. The slope of $s$ with respect to $w$ is $x$, which is 2, and with
#    respect to $b$ it is 1. With $x$ between −1 and 1 it is the other way.
# 3. The loss gets smaller with each press, as long as the steps are small enough.
# 4. Nothing changes, because the slope of tanh is so small there that the computer rounds it to 0.
#    If $w$ is closer to 0, the slope is larger and the unit learns again.
#
# </details>

# %%
from course_utils.interactives import BackpropagationGraph

graph = BackpropagationGraph("one unit")
graph

# %% [markdown]
# We check this with PyTorch. Change something above and run this cell again; it reads the graph
# that is shown.

# %%
inputs = {name: torch.tensor(float(value)) for name, value in graph.inputs.items()}
for tensor in inputs.values():
    tensor.requires_grad_()
loss = graph.loss(inputs)
loss.backward()
print(f"{graph.graph}: loss {loss:.4g}")
print({name: round(tensor.grad.item(), 4) for name, tensor in inputs.items()})

# %%
ask("through_two_nodes")

# %% [markdown]
# ### Where paths meet
#
# Choose *skip connection* above. Here $x$ reaches the loss by two paths, through tanh and around
# it. If $x$ changes, the loss changes through both paths. So the two gradients are **added**
# (settled: it is the chain rule for several variables). Then choose *skip, saturated*: one path has
# slope 0, but the gradient still comes through the other. Very deep networks have skip connections
# (ResNet, 2015). The usual explanation of why such deep networks can be trained is this second path
# for the gradient. It is *contested*.
#
# PyTorch also adds the gradients of two calls of `backward`:

# %%
w = torch.tensor(0.8, requires_grad=True)
for call in (1, 2):
    unit(w, b).backward()
    print(f"after call {call}: {w.grad:.4f}")

# %% [markdown]
# Sometimes this is useful, for instance when a batch is too large for the memory. Usually you don't
# want it. This is why every training loop calls `optimizer.zero_grad()`.
#
# ## tanh: slope and saturation
#
# The slope of tanh is $1 - \tanh^2(x)$. PyTorch computes the same:


# %%
def slope(function, x):
    """The slope of an elementwise function at each number in x."""
    x = x.clone().requires_grad_()
    # Each x changes only its own term of the sum, so this gives all slopes at once.
    return torch.autograd.grad(function(x).sum(), x)[0]


for x in (0.0, 1.0, 3.0):
    print(f"x = {x:.0f}: slope of tanh {slope(torch.tanh, torch.tensor(x)):.4f}")

# %% folded=true
x = torch.linspace(-6, 6, 241)
show_lines(
    {
        name: {
            "value": (x, function(x).clamp(max=1.5), "-"),
            "slope": (x, slope(function, x), "--"),
        }
        for name, function in {"tanh": torch.tanh, "ReLU (cut off at the top)": torch.relu}.items()
    },
    alt="Left: tanh runs from minus one to one; its slope is a bell, 1 at zero and nearly zero "
    "beyond 3 on either side. Right: ReLU's slope is zero left of zero and one right of it.",
)

# %% [markdown]
# The slope is largest at 0, where it is exactly 1; on paper it is always larger than 0 (settled).
# So a tanh never makes a gradient larger. Far from 0 its slope is almost 0, and so is the gradient
# after it: the unit is **saturated**.
#
# In mathematics the slope never becomes exactly 0. But a computer rounds:

# %%
x = torch.arange(0, 30, 0.001, dtype=torch.float64)
for dtype in (torch.float32, torch.float64):
    dead = slope(torch.tanh, x.to(dtype)) == 0
    print(f"{dtype}: exactly 0 from |x| = {x[dead].min():.2f} on")
print(f"predicted for float32 (fold below): 13 ln 2 = {13 * math.log(2):.2f}")

# %% [markdown]
# Float32 has about 7 digits. From $x \approx 9$ on $\tanh x$ is so near to 1 that the computer
# makes 1 of it. Then the computed slope $1 - \tanh^2 x$ is exactly **0**. Zero times any finite
# number is zero, so the weights of this unit don't change. If this is so for every picture, the
# unit is *dead*: it never learns again, unless earlier layers change what it gets.
#
# <details><summary>Where does the 9 come from?</summary>
#
# The largest float32 below 1 is $1 - 2^{-24}$. A value nearer to 1 than half of that gap,
# $2^{-25}$, is rounded to 1. Far out $1 - \tanh x \approx 2e^{-2x}$. So we solve $2e^{-2x} =
# 2^{-25}$. Divide by 2: $e^{-2x} = 2^{-26}$. Take logarithms: $-2x = -26 \ln 2$. So $x = 13 \ln 2$,
# about 9.01.
#
# </details>
#
# Is there a difference between a very small slope and 0? We train $w$ for a hundred steps from
# three starting values: a good value, a value where the unit is saturated, and a value where it is
# dead.


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
# The best $w$ is 0.15, because then $s = 4 \cdot 0.15 - 0.6 = 0$ and the loss is 0. From the
# saturated start plain gradient descent moves very slowly; from the dead start it doesn't move.
# Adam divides each gradient by the usual size of the last gradients, so even with a very small
# gradient it makes normal steps. (Not with a gradient below its ε, $10^{-8}$, which is added to
# that size.) But if the gradient is 0, Adam doesn't move either.

# %%
ask("dead_unit")

# %% [markdown]
# ### Many layers: the slopes and weights are multiplied
#
# If each of 20 layers multiplies the gradient by 0.5, there remains $0.5^{20}$, about 0.000001. If
# each layer multiplies it by 2, there remains $2^{20}$, about a million.
#
# Here are 20 tanh layers of 100 units, with random weights of three sizes, and five networks of
# each size. The folded cell computes the gradient at each layer and its *norm*. The norm of a list
# of numbers is its length, $\sqrt{g_1^2 + g_2^2 + \ldots}$; it says how large the gradient is as a
# whole.


# %% folded=true
def gradient_norms(scale, activation=torch.tanh, seed=0, depth=20, width=100):
    """The norm of the loss's gradient at each layer's output, first layer first."""
    generator = torch.Generator().manual_seed(seed)
    layer = torch.randn(64, width, generator=generator)
    outputs = []
    for _ in range(depth):
        weight = scale / width**0.5 * torch.randn(width, width, generator=generator)
        layer = activation(layer.requires_grad_() @ weight)
        outputs.append(layer)
    loss = layer.square().sum()
    return [gradient.norm().item() for gradient in torch.autograd.grad(loss, outputs)]


def tell(name, networks):
    """The first layer's gradient divided by the last layer's, for each network; and print it."""
    shares = [norms[0] / norms[-1] for norms in networks]
    print(f"{name}: {min(shares):.2g} to {max(shares):.2g} times the last layer's gradient")
    return shares


# %%
tanh_networks = {
    scale: [gradient_norms(scale, seed=seed) for seed in range(5)] for scale in (0.5, 1.0, 2.0)
}
shares = {scale: tell(f"size {scale / 10}", runs) for scale, runs in tanh_networks.items()}

# %% folded=true
lines = {}
for (scale, runs), style in zip(tanh_networks.items(), ("-", "--", ":"), strict=True):
    relative = [norm / runs[0][-1] for norm in runs[0]]
    lines[f"weights of size {scale / 10}"] = (list(range(1, 21)), relative, style)
show_lines(
    {"size of the gradient, compared with layer 20": lines},
    alt="The gradient's norm at layers 1 to 20, on a logarithmic scale, for the first network of "
    "each size. From the last layer back to the first it vanishes with the small weights, explodes "
    "with the large weights, and changes little with the middle ones.",
    across="layer",
    up="relative size",
    log=True,
)

# %% [markdown]
# The slope of tanh can only make a gradient smaller. Weights can also make it larger. With small
# weights the gradient **vanishes** on its way back. With large weights it **explodes**, although
# many units are saturated. Weights of about $1/\sqrt{\text{inputs}}$ keep it in between. This is
# what Xavier initialisation does (2010; a good *rule of thumb* for tanh).
#
# ReLU's slope is 1 or 0, so a gradient that passes isn't made smaller. Does this solve the problem?
# Here are the same layers with ReLU:

# %%
relu_shares = {
    scale: tell(
        f"ReLU, size {scale / 10:.2f}",
        [gradient_norms(scale, torch.relu, seed) for seed in range(5)],
    )
    for scale in (1.0, 2**0.5)
}

# %% [markdown]
# No. With weights that are good for tanh, the gradient vanishes with ReLU, and more than it did
# with tanh, because about half of the slopes are 0. Weights that are larger by a factor of
# $\sqrt{2}$ correct this, in all five networks. This is **He initialisation** (He and others,
# 2015), the usual choice for ReLU. A ReLU unit whose input is negative for every image is dead as
# well.
#
# In AlexNet's paper (2012) a small network learned several times faster with ReLU than with tanh.
# That ReLU is faster is a *rule of thumb*: initialisation and batch norm matter, too.

# %% [markdown]
# ## Matrices: a whole layer at once
#
# So far every node was a single number. A dense layer takes a whole batch: $Y = XW^\top + b$. We
# number the pictures $n$, the inputs $i$ and the outputs $o$. So $Y_{no} = \sum_i X_{ni} W_{oi} +
# b_o$. Two pictures with two numbers each and one output make small tables:

# %%
X = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
W = torch.tensor([[2.0, -1.0]], requires_grad=True)
bias = torch.zeros(1, requires_grad=True)
Y = X @ W.T + bias
G = torch.tensor([[1.0], [2.0]])  # the gradient that arrives at Y

# G plays the part of the gradient that arrives from the loss.
by_torch = torch.autograd.grad(Y, (W, X, bias), G)
by_hand = (G.T @ X, G @ W, G.sum(0))
for name, theirs, ours in zip(("W", "X", "b"), by_torch, by_hand, strict=True):
    print(f"dL/d{name} = {ours.tolist()}; PyTorch says the same: {torch.equal(theirs, ours)}")

# %% folded=true
tables = {"X": X, "W": W, "Y": Y, "G = dL/dY": G, "dL/dW": by_hand[0], "dL/dX": by_hand[1]}
show_grids(
    [
        Grid(
            name,
            tuple(table.shape),
            {"window" if "d" in name else "output": (range(len(table)), range(table.shape[1]))},
            table.int().tolist(),
        )
        for name, table in tables.items()
    ],
    alt="Six tables. X: 1 2, 3 4. W: 2 −1. Y: 0, 2. The gradient G that arrives: 1, 2. From these "
    "the gradient of W: 7 10, and of X: 2 −1, 4 −2. Each gradient has the shape of what it is for.",
)

# %% [markdown]
# We use the same two rules as before: multiply along a path, and add where paths meet.
#
# - **A weight** $W_{oi}$ multiplies input $i$ of *every* picture and helps to make output $o$. So
#   each picture is a path. The first weight gets $1 \cdot 1$ from picture 0 and $2 \cdot 3$ from
#   picture 1, together 7. In general it gets $\sum_n G_{no} X_{ni}$.
# - **An input** $X_{ni}$ reaches *every* output of its picture: $\sum_o G_{no} W_{oi}$.
# - **A bias** $b_o$ is added to output $o$ of every picture, with slope 1: $\sum_n G_{no}$.
#
# Each sum over a shared index is a product of matrices:
#
# $$\frac{\partial L}{\partial W} = G^\top X, \qquad \frac{\partial L}{\partial X} = GW, \qquad
# \frac{\partial L}{\partial b} = \text{the column sums of } G$$
#
# **The gradient of $W$ has the same shape as $W$**, and so on. If the numbers of pictures, inputs
# and outputs all differ, only one order of the factors gives this shape, so you needn't remember
# it.

# %%
ask("shape_of_a_gradient")

# %% [markdown]
# ### The first gradient: $p - y$
#
# A classifier ends with **logits** $z$, one for each class. **Softmax** makes probabilities of
# them, $p_k = e^{z_k} / \sum_j e^{z_j}$. The **cross-entropy** loss uses only the probability of
# the right class $c$: $L = -\log p_c$ (lecture 0 has its curve). If $p_c$ is 1 the loss is 0; if
# $p_c$ is near 0 the loss is large.

# %%
z = torch.tensor([2.0, 1.0, 0.1], requires_grad=True)
right_class = 1
p = z.softmax(0)
loss = -p[right_class].log()
loss.backward()
print("p           :", [round(number, 3) for number in p.tolist()])
print("dL/dz, torch:", [round(number, 3) for number in z.grad.tolist()])

# %% folded=true
y = F.one_hot(torch.tensor(right_class), 3)
show_bars(
    {
        title: {f"class {k}": number for k, number in enumerate(numbers.tolist())}
        for title, numbers in {"p": p, "y": y, "p − y: the gradient": z.grad}.items()
    },
    alt="Three bar charts for three classes. The probabilities p are 0.66, 0.24 and 0.10. The "
    "wanted y is 1 for class 1 and 0 for the others. Their difference, the gradient, is negative "
    "for class 1, whose logit has to rise, and positive for the others, whose logits have to fall.",
    digits=2,
)

# %% [markdown]
# Compare the two lines. The numbers are equal, except at the right class: there 1 was subtracted.
# Write $y$ for the vector with 1 at the right class and 0 elsewhere (*one-hot*). Then
#
# $$\frac{\partial L}{\partial z} = p - y.$$
#
# Why? Because $\log(a/b) = \log a - \log b$,
#
# $$L = -\log \frac{e^{z_c}}{\sum_j e^{z_j}} = -\log e^{z_c} + \log \sum_j e^{z_j}
# = -z_c + \log \sum_j e^{z_j}.$$
#
# The first part has the slope $-1$ at $z_c$, and 0 elsewhere. For the second part write $u = \sum_j
# e^{z_j}$. The slope of $\log u$ is $1/u$, and the slope of $u$ with respect to $z_k$ is $e^{z_k}$.
# The chain rule gives $e^{z_k}/u = p_k$ (settled).
#
# What does it mean? A step goes against the gradient. So the logit of the right class rises: its
# gradient is $-(1 - p)$. The logit of each wrong class falls: its gradient is its probability $p$.
# If the network is sure and right, the gradient is almost 0. If it is sure and wrong, the gradient
# is almost 1 in size. So here, unlike after a saturated tanh, a large mistake always gives a large
# gradient.

# %%
ask("first_gradient")

# %% [markdown]
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
# **Think.** Why are the four numbers in the last line 0?
#
# <details><summary>An answer</summary>
#
# The probabilities add up to 1, and so does $y$. Another reason: if you add the same number to all
# logits, the probabilities don't change, and neither does the loss.
#
# </details>
#
# ## Max pooling: who gets the gradient?
#
# The output of a window is its largest number. If this number changes a little, the output changes
# by the same amount. If another number changes a little, the output doesn't change. So **the whole
# gradient of a window goes to its maximum** (settled). We ask PyTorch for each window separately,
# AlexNet's 3×3 with stride 2:

# %%
picture = torch.tensor(
    [[1, 4, 2, 0, 3], [2, 3, 7, 1, 2], [0, 5, 1, 2, 4], [6, 2, 9, 3, 1], [1, 3, 0, 5, 2]]
).float()[None, None]


def routes(picture, kernel, stride):
    """For each unit of a max pool: a table with 1 at the pixel that its gradient goes to."""
    pixels = picture.clone().requires_grad_()
    units = F.max_pool2d(pixels, kernel, stride).flatten()
    # retain_graph keeps the graph for the next unit
    gradients = [torch.autograd.grad(unit, pixels, retain_graph=True)[0] for unit in units]
    return [gradient[0, 0].int() for gradient in gradients]


# %% folded=true
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
# The windows overlap, and two pixels are each the maximum of two windows. Suppose that the
# gradients 1, 2, 4 and 8 arrive at the windows A, B, C and D. (With these numbers you can see from
# each sum which windows it comes from.)

# %%
arriving = [1, 2, 4, 8]
sent = zip(arriving, routes(picture, 3, 2), strict=True)
routed = sum(gradient * route for gradient, route in sent)
print(routed.tolist())

# %% folded=true
show_grids(
    [Grid("gradient of the picture", (5, 5), {}, routed.tolist())],
    alt="A 5×5 grid of zeros but for two places: 3 where the 7 was, and 12 where the 9 was.",
)

# %% [markdown]
# Where windows overlap, gradients **add up**: the same rule as for paths that meet. If you write
# `=` instead of `+=` in your own code, only the gradient of the last window remains, and there is
# no error message.
#
# ## Play: pooling
#
# The next cell shows five pixels, `a` to `e`, and two windows that overlap in `c`. `u` and `v` are
# the gradients that arrive at the two windows.
#
# 1. Which pixels get gradient 0?
# 2. Make `c` so small that it isn't the maximum of any window. Where do `u` and `v` go now?
# 3. Choose *tie*. Which of the two equal pixels gets the gradient?
#
# <details><summary>Answers</summary>
#
# 1. `a`, `b`, `d` and `e`. The largest number of both windows is `c`, so `c` gets $u + v$.
# 2. To the largest of the other pixels: `u` to `b`, and `v` to `e`.
# 3. The first of them. This is only a convention: two equal largest numbers are a corner of the
#    function, and it has no derivative there.
#
# </details>

# %%
pool = BackpropagationGraph("max pool")
pool

# %% [markdown]
# How many pixels of a large picture get nothing?

# %%
for kernel, stride in ((2, 2), (3, 2)):
    feature_map = torch.randn(1, 1, 224, 224, requires_grad=True)
    F.max_pool2d(feature_map, kernel, stride).sum().backward()
    silent = (feature_map.grad == 0).double().mean()
    most = feature_map.grad.max()
    print(f"{kernel}×{kernel}, stride {stride}: {silent:.1%} get nothing; the most is {most:.0f}")

# %% [markdown]
# With 2×2 windows one of four pixels wins, so three quarters get nothing. With 3×3 windows that
# overlap, some pixels win several times, so even more get nothing.
#
# **Ties.** If two numbers of a window are equal and largest, PyTorch's max pool gives the whole
# gradient to the first of them. In SqueezeNet's first pool, on the coffee, nearly all windows with
# a tie are full of zeros from the ReLU before. There it makes no difference, because at zero that
# ReLU passes nothing on.

# %%
ask("silent_share")

# %% [markdown]
# ## What has parameters, and what doesn't?
#
# The gradient goes through every layer. But a training step changes only parameters.

# %%
layers = [nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Tanh(), nn.MaxPool2d(2), nn.Dropout()]
layers += [nn.Flatten(), nn.Linear(8 * 15 * 15, 10)]
for layer in layers:
    names = [name for name, _ in layer.named_parameters()]
    count = sum(parameter.numel() for parameter in layer.parameters())
    print(f"{type(layer).__name__:12} {count:>7,} {', '.join(names)}")

# %% [markdown]
# - **Convolution, batch norm, linear** have weights and biases. (Batch norm also keeps a running
#   mean and variance: *buffers*, measured and not learned, no gradient.)
# - **tanh, ReLU, max pool, dropout, flatten** have nothing to learn: zero parameters. So don't use
#   the formula of a convolution to count the parameters of a pool. (**Dropout** sets a random share
#   of the numbers to 0 in training, so that no unit relies on another.)
# - **The image** can have a gradient, too. Training doesn't change the image; at the end of this
#   lecture we will change it.
#
# What it costs: through a convolution the backward pass is two more convolutions of the same number
# of multiply-adds, one for its input and one for its weights (settled). And most layers need a
# value from the forward pass. That is where the memory goes.

# %%
ask("parameter_tensors")

# %% [markdown]
# ## Is the gradient right?
#
# It is hard to notice a wrong gradient: there is no error message, and the loss often still falls.
# Here is a function that is $x$ for positive and $0.1x$ for negative numbers, with its own backward
# pass. It contains a mistake.
#
# A function of your own for PyTorch has two parts. `forward` computes the output and remembers `x`;
# `backward` gets the gradient that arrives, and returns the gradient of the input.


# %%
class WrongLeakyReLU(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return torch.where(x > 0, x, 0.1 * x)

    @staticmethod
    def backward(context, arriving):
        (x,) = context.saved_tensors
        return arriving * torch.where(x > 0, 1.0, 0.01)


# %% [markdown]
# Did you find it? A **gradient check** finds it. It makes each input a little larger and a little
# smaller, measures how the output changes, and compares this with the result of the backward pass:

# %%
function = WrongLeakyReLU.apply
x = torch.tensor([1.5, -0.5], dtype=torch.float64, requires_grad=True)
small = 1e-6
numerical = (function(x + small) - function(x - small)) / (2 * small)
print("from small changes :", [round(number, 4) for number in numerical.tolist()])
print("from backward      :", [round(number, 4) for number in slope(function, x.detach()).tolist()])
print("PyTorch's own check:", torch.autograd.gradcheck(function, (x,), raise_exception=False))

# %% [markdown]
# The slope on the negative side should be 0.1, but `backward` uses 0.01. Three rules for such a
# check:
#
# - **float64.** The change is only a millionth. Float32 numbers near 1 are a ten-millionth apart,
#   so of the difference only one or two digits would be right. That isn't enough for a check.
# - **Both sides.** Change the input in both directions and take the difference; this is more exact
#   (settled).
# - **No corners.** Where a function has a corner it has no derivative, so there is nothing to
#   compare with:

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
# ## Can a change that nobody sees change the answer?
#
# We take all pictures that SqueezeNet names correctly: stamps, enlarged, and the photographs of the
# cat and the coffee. All pictures contain whole numbers, so that they could be saved as files.
# SqueezeNet is small, but the same method also works on larger networks that weren't trained
# against it.
#
# We change each number of a picture by at most 1 (of 255), in two ways.
#
# - **Random noise**: a coin decides whether the number goes up or down.
# - **Gradient sign**: we compute the gradient of the loss with respect to the *pixels*, and move
#   each number in the direction in which the loss grows. (This is the fast gradient sign method;
#   Goodfellow and others, 2014.)
#
# The folded cell prepares the pictures.

# %% folded=true
network.requires_grad_(False)  # gradients pass through frozen weights nevertheless
mean = 255 * torch.tensor(IMAGENET_MEAN).view(3, 1, 1)
std = 255 * torch.tensor(IMAGENET_STD).view(3, 1, 1)
stamps = load_stamps()
named = [i for i, names in enumerate(stamps.imagenet) if names]
size = {"size": 224, "mode": "bilinear", "antialias": True}
enlarged = F.interpolate(stamps.images[named].float(), **size)
photographs = [preprocess(load_photograph(name)) * std + mean for name in ("cat", "coffee")]
pictures = torch.cat([enlarged, *photographs]).round()
right_names = [stamps.imagenet[i] for i in named] + [{"tabby", "Egyptian cat"}, {"espresso"}]


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


# %%
def picture_gradients(pictures, labels):
    """The gradient of each picture's own loss with respect to its pixels, [N, 3, 224, 224]."""
    pixels = pictures.clone().requires_grad_()
    for part, truth in zip(pixels.split(7), labels.split(7), strict=True):
        F.cross_entropy(network((part - mean) / std), truth, reduction="sum").backward()
    return pixels.grad


gradients = picture_gradients(pictures, labels)
generator = torch.Generator().manual_seed(0)
coin = torch.randint(2, pictures.shape, generator=generator) * 2 - 1  # −1 or 1 for each number
print("numbers in a picture:", f"{gradients[0].numel():,}")

# %% [markdown]
# The smallest step that a file can hold is 1, of 255. We begin with the coffee:

# %%
before = pictures[-1]
versions = {
    "as it was": before,
    "random, step 1": (before + coin[-1]).clamp(0, 255),
    "gradient's sign, step 1": (before + gradients[-1].sign()).clamp(0, 255),
}
named_as = {title: top_k(answers(picture[None]), 1)[0] for title, picture in versions.items()}
for title, (name, sure) in named_as.items():
    print(f"{title:24}: {name}, {sure:.1%}")

# %% folded=true
shown = {f"{title}:\n{named_as[title][0]}": picture / 255 for title, picture in versions.items()}
difference = (versions["gradient's sign, step 1"] - before + 1) / 2
show_pictures(
    shown | {"what was added,\nfrom −1 to 1": difference},
    alt="The cup of espresso three times; they look the same. The network calls the first and the "
    "second an espresso and the third a consomme. Last, what was added: coloured noise.",
    columns=4,
)

# %% [markdown]
# You can't see a difference: in the third picture each number differs by at most 1 from the first.
# One picture proves little, so here are all of them, and random noise again with a larger step.


# %%
def count_right(step, direction):
    """How many pictures are still named correctly after a step in a direction."""
    changed = (pictures + step * direction).clamp(0, 255)
    return are_right(answers(changed), right_names).sum().item()


still_right = {
    "random, step 1": count_right(1, coin),
    "gradient's sign, step 1": count_right(1, gradients.sign()),
    "random, step 4": count_right(4, coin),
}
print(f"of {len(pictures)} pictures: {still_right}")

# %% folded=true
show_bars(
    {f"still right, of {len(pictures)}": still_right},
    alt="Three bars: of 49 pictures still named correctly are 49 after random noise of step 1, 7 "
    "after a step of 1 along the gradient's sign, and 45 after random noise of step 4.",
)

# %% [markdown]
# With the sign of the gradient most answers become wrong. With random noise of the same size, or
# even four times as large, most answers stay right.
#
# ### Why?
#
# Let $\varepsilon$ be the step (here 1) and $g_i$ the slope of the loss at number $i$ of the
# picture. *If* the loss is about linear near the picture, a change of $\varepsilon$ in number $i$
# changes the loss by about $\varepsilon g_i$. With the sign of the gradient all changes are
# positive, and they add up to $\varepsilon (|g_1| + |g_2| + \ldots)$. With random signs about half
# are positive and half negative, and most of them cancel.
#
# Example: take 100 equal slopes $g$. The first sum is $100\,\varepsilon g$. The random sum is
# typically only $\sqrt{100} = 10$ times $\varepsilon g$, as in 100 coin tosses: usually there are
# about 10 more heads than tails, or 10 more tails. In general its typical size is
# $\varepsilon \sqrt{\sum_i g_i^2}$.

# %%
flat = gradients.flatten(1)
ratio = flat.abs().sum(1) / flat.norm(dim=1)
print(f"sum of |g| is on average {ratio.mean():.0f} times the root of the sum of g²")


def growth(direction):
    """By how much the loss grows (median) after a step of 1 in a direction."""
    before, after = answers(pictures), answers(pictures + direction)
    losses = [F.cross_entropy(logits, labels, reduction="none") for logits in (before, after)]
    return (losses[1] - losses[0]).median().item()


grows = {"sign": growth(gradients.sign()), "coin": growth(coin)}
predicted = flat.abs().sum(1).median().item()
print(f"the loss grows by {grows['sign']:.2f} with the sign, {grows['coin']:.2f} with the coin")
print(f"ε times the sum of |g| is {predicted:.2f} (all three are medians)")

# %% [markdown]
# So the loss isn't quite linear: it grows even more than the sum predicts. The comparison still
# holds. Many very small changes in the right direction have more effect than larger random changes,
# and a picture has 150,528 numbers.
#
# It is **settled** that networks can be fooled in this way if they weren't trained against it. The
# reason is **contested**: because they are too linear (Goodfellow and others), or because they rely
# on patterns that do predict the label but mean nothing to us (Ilyas and others, 2019). **Rule of
# thumb**: the best known defence is to train with such pictures; the accuracy on normal pictures
# then becomes lower (on CIFAR-10 from 95.2 to 87.3 %; Madry and others, 2017). Note also that we
# knew the weights. Without them the attack is harder, though not impossible.
#
# **Think.** Training moves the parameters *against* the gradient of the loss. What did we change
# here, and which way?
#
# <details><summary>An answer</summary>
#
# The picture, *along* its gradient, with the parameters frozen. Backpropagation can compute the
# gradient with respect to any number, not only to parameters.
#
# </details>

# %%
ask("sign_step")

# %% [markdown]
# ## Code it yourself
#
# Replace the three dots `...` in the next cell with your code. Run that cell and the cell below it,
# which checks your answer. Nothing is recorded.
#
# **1.** The sigmoid $\sigma(x) = 1 / (1 + e^{-x})$ is similar to tanh. Its slope can be computed
# from its value alone: $\sigma(x) (1 - \sigma(x))$.


# %%
def sigmoid_slope(x):
    """The slope of the sigmoid at each number in x, without autograd."""
    return ...  # your code here


# %%
x = torch.linspace(-4, 4, 9)
got, wanted = sigmoid_slope(x), slope(torch.sigmoid, x)
is_right = isinstance(got, torch.Tensor) and torch.allclose(got, wanted, atol=1e-6)
expected = [round(number, 3) for number in wanted.tolist()]
print("right" if is_right else f"not yet: for x = −4 to 4 expected {expected}, got {got}")

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
# **2.** The backward pass of a ReLU: where the input was positive, the gradient goes through
# unchanged; elsewhere it becomes 0.


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
# | tanh | maps into −1 to 1 | times $1 - \tanh^2(x)$, in $(0, 1]$; in float32, 0 from 9 on |
# | dense layer | $XW^\top + b$ | $G^\top X$ to the weights, $GW$ to the input |
# | softmax and cross-entropy | $-\log p_c$ | begins with $p - y$ |
# | max pool | keeps the largest | all of it to the maximum of each window; overlaps add up |
# | paths that meet | | contributions add up |
#
# **Key points**
#
# - Backpropagation gives the gradients **of the loss**, of all parameters in one sweep.
# - Each node needs only its own slope and what arrives.
# - The gradient of an early layer is a product of many slopes and weights. If the weights are too
#   small it vanishes, if they are too large it explodes.
# - Pools and activations pass gradients on and have nothing to learn.
# - Check gradients that you wrote yourself: in float64, and not at corners.
# - In a network that wasn't trained against it, a change of every number of the picture by 1 of
#   255, in the right direction, made most answers wrong.
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
# - PyTorch, *Gradcheck mechanics* (documentation).
# - I. Goodfellow, J. Shlens and C. Szegedy, *Explaining and harnessing adversarial examples*, 2014.
# - A. Ilyas and others, *Adversarial examples are not bugs, they are features*, 2019.
# - A. Madry and others, *Towards deep learning models resistant to adversarial attacks*, 2017:
#   training on such pictures.
