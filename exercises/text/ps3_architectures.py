# ---
# jupyter:
#   autograder:
#     hidden:
#       - course_utils.architectures
#       - course_utils.arithmetic
#       - course_utils.training
# ---

# %% [markdown]
# # VGG, batch norm and Adam by hand
#
# In lecture 03 you read the tables of AlexNet and VGG. Here you build VGG from a list of numbers,
# compute its table, and say which batch fits into a GPU. Then you write what trains it: batch norm,
# forward and backward, and the update rules of momentum and Adam. At the end your small VGG learns
# from the course's photographs, and a validation set says when to stop.
#
# **After this assignment you can**
#
# - build a family of networks from one line of numbers, and count what each of them costs;
# - compute batch norm forward and backward, and say what differs between training and evaluation;
# - write an optimiser, and say why Adam corrects its averages in the first steps;
# - stop a training at the right time, and keep the best weights and not the last;
# - read the result of an experiment without believing more than it shows.
#
# | | |
# |---|---|
# | Comes from | lecture `lectures/03_architectures.ipynb`; each part names its section |
# | Time | about 190 minutes: 50, 45, 15, 25, 35 and 20 for the six parts |
# | Points | 28: 24 for code, 4 for the questions of part 6; the number beside each says how many |
#
# **How to hand in.** Choose *Kernel → Restart Kernel and Run All Cells*, look at what the tests
# say, and save. (JupyterLab stops at the first test that fails. Run the cells after it one by one,
# with Shift-Enter.) Then submit in nbgrader's *Assignment List*, or, if your course collects files,
# run `from course_utils import hand_in` and `hand_in("ps3")` and upload the zip that it makes.
#
# **How it is graded.** Every task ends in a test cell. What you see of a test is a small example
# that you can follow with pencil and paper. When your work is graded, the same cell also runs
# checks that you don't see: other shapes, other settings, other numbers, compared with PyTorch.
# A test gives all its points or none. What is built on an earlier task needs that task: `vgg`
# calls `features`, `train_epoch` calls `adam_step`, and the last test of part 5 trains a network
# with all of them. Every other test depends on its own task only.
# The three questions of part 6 are different: **only the first answer that you submit counts.**

# %% [markdown]
# ## Before you start
#
# Four house rules hold for all your functions:
#
# 1. Write the step yourself: in part 1 no finished network, in part 2 no normalisation of PyTorch's
#    and no autograd, in part 3 no pooling of PyTorch's, in parts 4 and 5 no optimiser of
#    PyTorch's. The tests see what runs, in your helpers too, not what it is called. All else is
#    welcome: tensor arithmetic, indexing and numpy, the layers of `torch.nn` in part 1, autograd in
#    part 5. The lecture's tables (`course_utils.architectures` and `course_utils.arithmetic`) are
#    not available while this assignment is graded, because they solve it.
# 2. Leave the inputs as they are: lists, tensors and networks. Only `train_epoch` and `fit` in
#    part 5 change the network that they get, because that is their task.
# 3. Tensors: compute in the dtype and on the device that you were given, and give them back.
#    Counts: give back a Python `int`.
# 4. Don't seed the global random generators (`torch.manual_seed` and the like), and don't draw
#    from them. A network that you build draws its first weights from them; that is fine.
#
# You may always call the functions that you wrote in an earlier task.

# %% given="imports"
import copy
import time
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from course_utils.data import load_stamps, split_per_class
from course_utils.testing import assert_new, assert_number, assert_same, call

# %% given="house_rules"
NETWORKS = ("finished networks", "chance-but-torch")
TABLES = ("finished networks", "chance")
NORMS = ("normalisation", "autograd", "chance")
POOLS = ("pooling", "loops", "chance")
STEPS = ("optimiser", "chance")

# %% [markdown]
# A test calls `call("the case", RULES, your_function, …)`: it calls your function, sees to rules
# 1, 2 and 4, and says in which case something went wrong. `assert_same` names the first element
# that differs. You may use both while you look for a mistake.

# %% [markdown]
# ## Part 1: VGG, a network in one line
#
# *Lecture sections: VGG-16: one idea, repeated; Play; Fit the GPU.*
#
# VGG-11 begins like this: a convolution with 64 filters, a max pool, a convolution with 128
# filters, a max pool, two convolutions with 256 filters, … Every kernel is $3 \times 3$ with
# padding 1, so a convolution keeps the size of the map. Every pool is $2 \times 2$ with stride 2,
# so it halves the size. Only the numbers of filters and the places of the pools are left to say. So
# one line describes the network:
#
# `64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"`
#
# We call such a line a *plan*: a number is a convolution with so many filters, and `"M"` is a max
# pool.
#
# ### Task 1a: the convolutional part (2 points)
#
# Turn a plan into **one flat** `nn.Sequential`, which holds the layers in this order:
#
# - for a number: `nn.Conv2d` with a bias, then `nn.BatchNorm2d` if `batch_norm` is true, then
#   `nn.ReLU`;
# - for `"M"`: `nn.MaxPool2d`.
#
# Steps:
#
# 1. Remember how many channels reach the next convolution. At the beginning these are `channels`.
# 2. Go through the plan, and append the layers of each entry to a list.
# 3. After a convolution, how many channels are there? And after a pool?
#
# <details><summary>Hint: the layers in a list</summary><code>nn.Sequential(*layers)</code> makes a
# network of a list of layers.</details>
#
# <details><summary>Hint: it fails behind a pool</summary>A pool has no filters. It leaves the
# number of channels as it is.</details>


# %% solution="features"
def features(plan, channels=3, batch_norm=False):
    """The layers of a plan such as [64, "M", 128], as a flat nn.Sequential."""
    ### BEGIN SOLUTION
    layers = []
    for entry in plan:
        if entry == "M":
            layers.append(nn.MaxPool2d(2))
            continue
        layers.append(nn.Conv2d(channels, entry, 3, padding=1))
        if batch_norm:
            layers.append(nn.BatchNorm2d(entry))
        layers.append(nn.ReLU())
        channels = entry
    return nn.Sequential(*layers)
    ### END SOLUTION


# %% [markdown]
# The example is the beginning of VGG-11, with 4 and 6 filters: two convolutions and a pool. A
# picture of $8 \times 12$ becomes 6 maps of $4 \times 6$.


# %% test="test_features" points=2
### BEGIN HIDDEN TESTS
import itertools
import re


def plain_features(plan, channels, norm):
    layers = []
    for entry in plan:
        new = [nn.MaxPool2d(2)]
        if entry != "M":
            new = [nn.Conv2d(channels, entry, 3, padding=1), nn.BatchNorm2d(entry), nn.ReLU()]
            channels = entry
        layers += [layer for layer in new if norm or not isinstance(layer, nn.BatchNorm2d)]
    return nn.Sequential(*layers)


def kinds_of(network):
    """The classes of a chain's layers, in order, as its printed form says."""
    kinds = re.findall(r"\(\w+\): (\w+)\(", repr(network))
    return [kind for kind in kinds if kind != "Sequential"]


def assert_list(what, got, want):
    """Fail at the first entry that differs."""
    for place, (one, right) in enumerate(itertools.zip_longest(got, want, fillvalue="nothing")):
        assert one == right, f"{what} {place}: expected {right}, got {one}"


def built(case, build, *settings):
    """The student's network in double precision, on the device where it is tested."""
    torch.set_default_dtype(torch.float64)
    try:
        with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
            network = call(case, NETWORKS, build, *settings)
    finally:
        torch.set_default_dtype(torch.float32)
    frozen = [name for name, value in network.named_parameters() if not value.requires_grad]
    assert not frozen, f"{case}: {frozen} can't be trained, because they need no gradient."
    return network


def kernels(network):
    """The numbers of a network that are drawn: what has more than one axis."""
    return [value.detach().clone() for value in network.parameters() if value.dim() > 1]


def check_draws(case, build, *settings):
    """Every network has weights of its own, drawn from the generator as it is found (rule 4)."""
    torch.manual_seed(302)
    first = call(case, NETWORKS, build, *settings)
    drawn = kernels(first)
    second = call(case, NETWORKS, build, *settings)
    torch.manual_seed(302)
    again = call(case, NETWORKS, build, *settings)
    torch.manual_seed(303)
    third = call(case, NETWORKS, build, *settings)
    different = [*drawn, *kernels(second), *kernels(third)]
    for one, other in itertools.combinations(different, 2):
        equal = one.shape == other.shape and torch.equal(one, other)
        assert not equal, f"{case}: weights of its own for each layer, drawn anew (rule 4)."
    kept = all(map(torch.equal, drawn, kernels(first)))
    assert kept, f"{case}: building another network changed the weights of the first."
    same = all(map(torch.equal, drawn, kernels(again)))
    assert same, f"{case}: after the same torch.manual_seed, other weights: don't seed (rule 4)."


### END HIDDEN TESTS
def example_of_features():
    network = call("the plan [4, 'M', 6]", NETWORKS, features, [4, "M", 6])
    names = [type(layer).__name__ for layer in network]
    want = ["Conv2d", "ReLU", "MaxPool2d", "Conv2d", "ReLU"]
    assert names == want, f"the plan [4, 'M', 6]: expected the layers {want}, got {names}"
    maps = call(
        "the plan [4, 'M', 6], a picture of 8 × 12", NETWORKS, network, torch.zeros(1, 3, 8, 12)
    )
    shape = tuple(maps.shape)
    assert shape == (1, 6, 4, 6), f"3 channels of 8 × 12: expected (1, 6, 4, 6), got {shape}"


example_of_features()
### BEGIN HIDDEN TESTS


def check_plan(case, function, plan, channels, norm, shape, generator):
    """Layers and their settings, then outputs from weights and statistics that the test draws."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    want = plain_features(plan, channels, norm).double()
    network = built(case, function, plan, channels, norm)
    assert isinstance(network, nn.Sequential), f"{case}: give back an nn.Sequential."
    kinds, right = kinds_of(network), kinds_of(want)
    assert_list(f"{case}: layer", kinds, right)
    assert len(network) == len(right), f"{case}: one flat nn.Sequential, none in another."
    for value in [*want.parameters(), *want.buffers()]:
        if value.is_floating_point():
            shift = 0.3 if value.dim() > 1 else 0.0
            value.data = torch.rand(value.shape, generator=generator).double() - shift
    here, there = (list(net.state_dict().items()) for net in (network, want))
    here, there = ([(n, tuple(v.shape)) for n, v in values] for values in (here, there))
    assert_list(f"{case}: each convolution has a bias; parameter", here, there)
    network.load_state_dict(want.state_dict())
    want = want.to(device)
    x = torch.randn(shape, generator=generator, dtype=torch.float64).to(device)
    hint = "Kernels are 3 × 3 with padding 1, pools 2 × 2 with stride 2."
    for training in (False, True) if shape[0] else (False,):
        network.train(training)
        want.train(training)
        with torch.no_grad():
            what = f"{case}: the output for {shape}, training={training}"
            assert_same(what, call(what, NETWORKS, network, x), want(x), hint)
    for (name, value), right in zip(
        want.state_dict().items(), network.state_dict().values(), strict=True
    ):
        assert_same(f"{case}: {name} after a batch in training", right, value)


def check_features(function):
    for norm in (False, True):
        check_draws(f"plan [3, 3], batch_norm={norm}", function, [3, 3], 3, norm)
    generator = torch.Generator().manual_seed(301)
    cases = [
        ([4, "M", 6], 3, (2, 3, 9, 7)),
        (["M", 5, 5, "M"], 1, (3, 1, 8, 13)),
        ((3, 3, 3), 3, (2, 3, 5, 4)),
        ([2, 7, "M", "M", 4], 4, (1, 4, 12, 16)),
        ([1, "M", 1, 3], 3, (3, 3, 6, 6)),
        ([6], 5, (0, 5, 4, 3)),
        ([], 2, (2, 2, 3, 4)),
    ]
    for plan, channels, shape in cases:
        for norm in (False, True):
            case = f"plan {plan}, {channels} channels, batch_norm={norm}"
            check_plan(case, function, plan, channels, norm, shape, generator)


check_features(features)
### END HIDDEN TESTS

# %% [markdown]
# The VGG paper has five blocks in each network. Only the number of convolutions in a block differs:


# %% given="blocks"
BLOCKS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}

# %% [markdown]
# ### Task 1b: the family (2 points)
#
# VGG-11, 13, 16 and 19 are named after their layers with weights: 8 convolutions and 3 dense layers
# make 11. `BLOCKS` says how many convolutions are in each block. The five blocks have
#
# $$w,\; 2w,\; 4w,\; 8w,\; 8w$$
#
# filters, where $w$ is the `width`: 64 in the paper. Each block ends with a pool. After the last
# pool come, in this order:
#
# | layer | gives |
# |---|---|
# | `nn.AdaptiveAvgPool2d(7)` | maps of $7 \times 7$, whatever the size of the picture |
# | `nn.Flatten()` | $49 \cdot 8w$ numbers for each picture |
# | `nn.Linear`, `nn.ReLU`, `nn.Dropout(0.5)` | $64 w$ numbers |
# | `nn.Linear`, `nn.ReLU`, `nn.Dropout(0.5)` | $64 w$ numbers |
# | `nn.Linear` | `classes` numbers |
#
# With $w = 64$ these are the 4096, 4096 and 1000 numbers of the lecture. Pictures have 3 channels.
# Give back an `nn.Sequential`; whether it is flat, or holds other `nn.Sequential`, is up to you.
#
# 1. Make the plan: for each block, its number of filters so many times, then `"M"`.
# 2. Call `features`.
# 3. Put the pool, `nn.Flatten` and the dense layers after it.
#
# <details><summary>Hint: a list with a number several times</summary><code>[64] * 2 + ["M"]</code>
# is <code>[64, 64, "M"]</code>.</details>
#
# <details><summary>Hint: one network in another</summary><code>nn.Sequential(features(plan),
# nn.Flatten())</code> is allowed, and so is <code>nn.Sequential(*features(plan),
# nn.Flatten())</code>.</details>


# %% solution="vgg"
def vgg(depth, classes=1000, batch_norm=False, width=64):
    """VGG-11, 13, 16 or 19, from pictures (N, 3, H, W) to logits (N, classes)."""
    ### BEGIN SOLUTION
    plan = []
    for convolutions, factor in zip(BLOCKS[depth], (1, 2, 4, 8, 8), strict=True):
        plan += [factor * width] * convolutions + ["M"]
    units = 64 * width
    return nn.Sequential(
        *features(plan, batch_norm=batch_norm),
        *(nn.AdaptiveAvgPool2d(7), nn.Flatten()),
        *(nn.Linear(49 * 8 * width, units), nn.ReLU(), nn.Dropout(0.5)),
        *(nn.Linear(units, units), nn.ReLU(), nn.Dropout(0.5)),
        nn.Linear(units, classes),
    )
    ### END SOLUTION


# %% [markdown]
# VGG-16 has 138,357,544 parameters: you know the number from the lecture. We build it on the device
# `"meta"`, where a network has shapes and no numbers. That costs no memory and no time. The
# parameters are counted from the settings of its layers:


# %% given="count_parameters"
def count_parameters(network):
    """How many parameters the convolutions (3 × 3), norms and dense layers have."""
    count = 0
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            count += layer.out_channels * (9 * layer.in_channels + 1)
        if isinstance(layer, nn.BatchNorm2d):
            count += 2 * layer.num_features
        if isinstance(layer, nn.Linear):
            count += layer.out_features * (layer.in_features + 1)
    return count


# %% test="test_vgg" points=2
### BEGIN HIDDEN TESTS
def dense_part(width, classes):
    units = 64 * width
    layers = [nn.AdaptiveAvgPool2d(7), nn.Flatten(), nn.Linear(392 * width, units), nn.ReLU()]
    layers += [nn.Dropout(0.5), nn.Linear(units, units), nn.ReLU(), nn.Dropout(0.5)]
    return [*layers, nn.Linear(units, classes)]


### END HIDDEN TESTS
def example_of_vgg():
    with torch.device("meta"):
        network = call("vgg(16)", NETWORKS, vgg, 16)
    count = count_parameters(network)
    assert count == 138_357_544, f"VGG-16 has 138,357,544 parameters, yours has {count:,}"


example_of_vgg()
### BEGIN HIDDEN TESTS


def plan_of(blocks, width):
    plan = []
    for factor, number in zip((1, 2, 4, 8, 8), blocks, strict=True):
        plan += [factor * width] * int(number) + ["M"]
    return plan


def check_family(case, network, want, shape, generator):
    """Layers, shapes of parameters, and logits from weights that the test draws."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    assert isinstance(network, nn.Sequential), f"{case}: give back an nn.Sequential."
    kinds, right = kinds_of(network), kinds_of(want)
    assert_list(f"{case}: layer", kinds, right)
    drops = re.findall(r"Dropout\(p=([\d.]+)", repr(network))
    assert drops == ["0.5", "0.5"], f"{case}: both dropouts have 0.5, got {drops}"
    with torch.no_grad():
        for value in want.parameters():
            spread = (2 / value[0].numel()) ** 0.5 if value.dim() > 1 else 0.5
            value.copy_(spread * torch.randn(value.shape, generator=generator) + 0.1)
    theirs, ours = network.state_dict(), want.state_dict()
    here, there = ([tuple(p.shape) for p in values.values()] for values in (theirs, ours))
    assert_list(f"{case}: the shape of parameter", here, there)
    network.load_state_dict(dict(zip(theirs, ours.values(), strict=True)))
    want = want.to(device)
    x = torch.randn(shape, generator=generator, dtype=torch.float64).to(device)
    with torch.no_grad():
        what = f"{case}: the logits for {shape}"
        assert_same(what, call(what, NETWORKS, network, x), want(x))


def check_vgg(function):
    generator = torch.Generator().manual_seed(304)
    every = {11: "11222", 13: "22222", 16: "22333", 19: "22444"}
    sizes = [(2, 3, 40, 70), (1, 3, 64, 64), (3, 3, 33, 35), (0, 3, 32, 40)]
    for (depth, blocks), shape in zip(every.items(), sizes, strict=True):
        classes, norm, width = depth - 8, depth % 4 == 3, depth % 3 + 1
        case = f"vgg({depth}, {classes}, {norm}, {width})"
        want = [*plain_features(plan_of(blocks, width), 3, norm), *dense_part(width, classes)]
        network = built(case, function, depth, classes, norm, width).eval()
        check_family(case, network, nn.Sequential(*want).double().eval(), shape, generator)
    for depth, classes, norm, width in [(13, 1, True, 96), (16, 3, False, 130), (19, 8, True, 64)]:
        settings = {"classes": classes, "batch_norm": norm, "width": width}
        with torch.device("meta"):
            want = [*plain_features(plan_of(every[depth], width), 3, norm)]
            want = count_parameters(nn.Sequential(*want, *dense_part(width, classes)))
            got = count_parameters(
                call(f"vgg({depth}, {settings})", NETWORKS, function, depth, **settings)
            )
        assert got == want, f"vgg({depth}, {settings}): expected {want:,} parameters, got {got:,}"
    check_draws("vgg(11, 2, True, 1)", function, 11, 2, True, 1)


check_vgg(vgg)
### END HIDDEN TESTS

# %% [markdown]
# ### Task 1c: the table (2 points)
#
# A network's table has a row for each layer: what the layer is, the shape that it gives for one
# picture, and how many parameters it has.


# %% given="row"
class Row(NamedTuple):
    """One line of a network's table: a layer's class, its output's shape, its parameters."""

    layer: str
    shape: tuple
    parameters: int


# %% given="without_numbers"
# Networks on the device "meta": they have shapes, and no numbers. A call makes a new one.
WITHOUT_NUMBERS = [
    lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(64, 50_000)).to("meta")
]


# %% [markdown]
# `layer` is the name of the layer's class, as in `"Conv2d"`. `shape` is a tuple without the batch,
# as in `(64, 112, 112)`. The rows stand in the order in which a picture meets the layers. A layer
# that holds other layers, as `nn.Sequential` does, has no row; the layers in it have. A layer that
# is used twice has two rows.
#
# Every network in the tests is a chain: an `nn.Sequential`, which may hold further `nn.Sequential`.
#
# 1. Make a batch of one picture of zeros, with the dtype and on the device of the network's
#    parameters. (Some networks have no parameter at all.)
# 2. Send it through the layers, one after the other, without gradients.
# 3. After each layer, write down its row.
#
# The network must stay as it is (rule 2). A batch norm in training mode changes its running
# statistics with every batch that it sees, and it refuses a batch with one number for each channel.
# So walk through a copy, `copy.deepcopy(network)`, which you set to evaluation mode.
#
# <details><summary>Hint: a Sequential in a Sequential</summary>Write a small function that calls
# itself. If a layer is an <code>nn.Sequential</code>, it does the same with each layer in it.
# Otherwise it applies the layer and makes the row.</details>
#
# <details><summary>Hint: the first parameter, if there is one</summary>
# <code>next(network.parameters(), torch.zeros(0))</code> gives the second value if there is no
# first.</details>


# %% solution="layer_table"
def layer_table(network, shape):
    """A list with a Row for each layer; shape is that of one picture: (C, H, W)."""
    ### BEGIN SOLUTION
    network = copy.deepcopy(network).eval()
    sample = next(network.parameters(), torch.zeros(0))
    rows = []

    def walk(layer, x):
        if isinstance(layer, nn.Sequential):
            for inner in layer:
                x = walk(inner, x)
            return x
        x = layer(x)
        count = sum(value.numel() for value in layer.parameters())
        rows.append(Row(type(layer).__name__, tuple(x.shape[1:]), count))
        return x

    with torch.no_grad():
        walk(network, torch.zeros(1, *shape, dtype=sample.dtype, device=sample.device))
    return rows
    ### END SOLUTION


# %% [markdown]
# A convolution with 4 filters over 3 channels has $4 \cdot (27 + 1) = 112$ parameters. A pool has
# none.


# %% test="test_layer_table" points=2
def example_of_layer_table():
    network = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    got = call("a network of three layers", TABLES, layer_table, network, (3, 8, 12))
    want = [Row("Conv2d", (4, 8, 12), 112), Row("ReLU", (4, 8, 12), 0)]
    want.append(Row("MaxPool2d", (4, 4, 6), 0))
    assert isinstance(got, list), f"expected a list of rows, got {type(got).__name__}"
    rows = "\n".join(map(str, got))
    assert got == want, f"expected {want[0]}, {want[1]}, {want[2]}; got:\n{rows}"


example_of_layer_table()
### BEGIN HIDDEN TESTS


def state_of(network):
    """All that a look at a network must leave: its numbers, and each layer's settings."""
    values = {name: value.detach().clone() for name, value in network.state_dict().items()}
    settings = [(layer.training, len(list(layer.children()))) for layer in network.modules()]
    return values, settings, [(p.requires_grad, p.grad is None) for p in network.parameters()]


def check_table(case, function, network, shape, want):
    """The rows of a network, which stays as it is, though it is asked twice."""
    values, modes, flags = state_of(network)
    got = call(case, TABLES, function, network, shape)
    now = state_of(network)
    kept = all(torch.equal(value, now[0][name]) for name, value in values.items())
    assert kept, f"{case}: layer_table changed the network's numbers (rule 2)."
    assert now[1] == modes, f"{case}: layer_table changed the mode of a layer (rule 2)."
    assert now[2] == flags, f"{case}: layer_table changed what the parameters need (rule 2)."
    check_rows(case, got, want)
    check_rows(f"{case}, once more", call(case, TABLES, function, network, shape), want)
    call("a ReLU", TABLES, function, nn.Sequential(nn.ReLU()), (2, 3, 4))
    check_rows(f"{case}, the list after another call", got, want)


def check_layer_table(function):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    pool, relu = nn.MaxPool2d(2), nn.ReLU()
    block = nn.Sequential(nn.Conv2d(2, 5, (3, 1), bias=False), nn.BatchNorm2d(5), relu, pool)
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(5), nn.Flatten())
    inner = nn.Sequential(relu, nn.Sequential(), pool, nn.Sequential(head))
    deep = nn.Sequential(block, inner, nn.Dropout(0.5), nn.Linear(5, 3))
    deep = deep.to(device).double()
    want = [
        *(("Conv2d", (5, 9, 6), 30), ("BatchNorm2d", (5, 9, 6), 10), ("ReLU", (5, 9, 6), 0)),
        *(("MaxPool2d", (5, 4, 3), 0), ("ReLU", (5, 4, 3), 0), ("MaxPool2d", (5, 2, 1), 0)),
        *(("AdaptiveAvgPool2d", (5, 1, 1), 0), ("BatchNorm2d", (5, 1, 1), 10)),
        *(("Flatten", (5,), 0), ("Dropout", (5,), 0), ("Linear", (3,), 18)),
    ]
    for training in (True, False):
        deep.train(training)
        block.eval()
        case = f"a network with batch norm and dropout, in {'train' if training else 'eval'}() mode"
        check_table(case, function, deep, (2, 11, 6), want)
        for value in block.parameters():
            value.requires_grad_(False)  # frozen layers keep their parameters
    del deep[3]
    check_table("the same without its last layer", function, deep, (2, 11, 6), want[:-1])
    pools = nn.Sequential(pool, nn.ReLU(), pool)
    for height in (11, 8):
        rows = [("MaxPool2d", (7, height // 2, 2), 0), ("ReLU", (7, height // 2, 2), 0)]
        rows.append(("MaxPool2d", (7, height // 4, 1), 0))
        check_table(f"pools, height {height}", function, pools, (7, height, 5), rows)
    twice = nn.Linear(4, 4, bias=False)
    dense = nn.Sequential(nn.Linear(6, 4), twice, nn.Linear(4, 4), nn.Sequential(twice))
    rows = [("Linear", (3, 2, 4), count) for count in (28, 16, 20, 16)]
    check_table("dense layers, one used twice", function, dense, (3, 2, 6), rows)
    check_table("no layer", function, nn.Sequential(), (3, 3, 3), [])
    [large] = WITHOUT_NUMBERS
    rows = [("Conv2d", (4, 4, 4), 112), ("Flatten", (64,), 0), ("Linear", (50_000,), 3_250_000)]
    case = "a network on the device meta"
    check_rows(case, call(case, NETWORKS, function, large(), (3, 6, 6)), rows)


def check_rows(case, got, want):
    kind = type(got).__name__
    assert isinstance(got, list), f"{case}: expected a list of rows, got {kind}"
    assert len(got) == len(want), f"{case}: expected {len(want)} rows, got {len(got)}: {got}"
    for number, (row, right) in enumerate(zip(got, want, strict=True)):
        row = (row.layer, tuple(row.shape), row.parameters)
        assert row == right, f"{case}, row {number}: expected {right}, got {row}"
        whole = all(type(value) is int for value in (*row[1], row[2]))
        assert whole, f"{case}, row {number}: sizes and counts are Python ints (rule 3)."


check_layer_table(layer_table)
### END HIDDEN TESTS

# %% [markdown]
# ### Task 1d: which batch fits? (1 point)
#
# A GPU holds, while a network is trained:
#
# - **once**: each parameter, its gradient, and what the optimiser keeps for it: no number for plain
#   gradient descent, one for momentum, two for Adam;
# - **for each picture of the batch**: the picture, and the output of each layer that is kept for
#   the backward pass.
#
# Every number has 4 bytes. A max pool also keeps *where* each maximum was, 8 bytes more for each
# number of its output. ReLU works in place, and the layers after the last pool that have no
# parameters keep hardly anything; we count nothing for them. So this table says how many bytes are
# kept for each number of a layer's output; a layer that it doesn't name keeps nothing:


# %% given="kept_bytes"
KEPT_BYTES = {"Conv2d": 4, "BatchNorm2d": 4, "MaxPool2d": 12, "Linear": 4}

# %% [markdown]
# Take one row, a convolution with 112 parameters and an output of $4 \times 8 \times 12 = 384$
# numbers. The picture has $3 \times 8 \times 12 = 288$ numbers. With momentum, $4 \cdot 3 \cdot 112
# = 1344$ bytes are needed once, and $4 \cdot (288 + 384) = 2688$ bytes for each picture. In 10,000
# bytes there is room for 3 pictures: $1344 + 3 \cdot 2688 = 9408$.
#
# Return the largest batch that fits, as an `int`. If not even one picture fits, that is 0.
# `memory` is a whole number of bytes, and may be used to the last byte.
#
# 1. How many bytes are needed once?
# 2. How many for each picture? Each row says the shape of its output.
# 3. How many pictures fit into what is left?
#
# <details><summary>Hint: a negative batch</summary>If the parameters alone don't fit, what is left
# is negative. Then the answer is 0.</details>


# %% solution="largest_batch"
def largest_batch(rows, shape, memory, optimiser_numbers=1):
    """How many pictures of `shape` fit (int); rows: as layer_table gives them; memory: bytes."""
    ### BEGIN SOLUTION
    once = 4 * (2 + optimiser_numbers) * sum(row.parameters for row in rows)
    picture = 4 * int(np.prod(shape))
    for row in rows:
        picture += KEPT_BYTES.get(row.layer, 0) * int(np.prod(row.shape))
    return max(0, (memory - once) // picture)
    ### END SOLUTION


# %% test="test_largest_batch" points=1
def example_of_largest_batch():
    rows = [Row("Conv2d", (4, 8, 12), 112)]
    slips = {0: "2688 bytes are needed for each picture, and 1344 once."}
    got = call("one convolution", NETWORKS, largest_batch, rows, (3, 8, 12), 10_000)
    assert_number("one convolution, 10,000 bytes", got, 3, "9408 bytes are used by 3.", slips)
    got = call("one convolution", NETWORKS, largest_batch, rows, (3, 8, 12), 1_000)
    assert_number("one convolution, 1,000 bytes", got, 0, "The parameters alone don't fit.")


example_of_largest_batch()
### BEGIN HIDDEN TESTS


def check_largest_batch(function):
    stack = [
        *(Row("Conv2d", (6, 9, 5), 168), Row("BatchNorm2d", (6, 9, 5), 12)),
        *(Row("ReLU", (6, 9, 5), 0), Row("MaxPool2d", (6, 4, 2), 0)),
        *(Row("Conv2d", (6, 4, 2), 330), Row("ReLU", (6, 4, 2), 0), Row("MaxPool2d", (6, 2, 1), 0)),
        *(Row("AdaptiveAvgPool2d", (6, 7, 7), 0), Row("Flatten", (294,), 0)),
        *(Row("Linear", (11,), 3245), Row("Dropout", (11,), 0), Row("Linear", (11,), 132)),
    ]
    pools = [Row("MaxPool2d", (1, 3, 3), 0), Row("MaxPool2d", (1, 1, 1), 0)]
    equal = [Row("Linear", (5,), 30), Row("ReLU", (5,), 0), Row("Linear", (5,), 30)]
    wide = [Row("Linear", (2**26 + 3,), 2**54 + 1), Row("Conv2d", (7, 2**16, 2**15), 2**31 + 5)]
    kept_by_wide = 3 * (2**31 + 2**15) + 2**26 + 3 + 7 * 2**31
    parts = {  # parameters; bytes for each picture, the picture itself included
        "a small VGG": (stack, (3, 9, 5), 3887, 4 * (135 + 270 + 270 + 48 + 22) + 12 * (48 + 12)),
        "two pools": (pools, (1, 7, 6), 0, 4 * 42 + 12 * 10),
        "a dense layer": ([Row("Linear", (5,), 20)], (3,), 20, 4 * 8),
        "one layer twice, with ReLU": ([*equal, equal[1]], (5,), 60, 4 * 15),
        "huge layers": (wide, (3, 2**16 + 1, 2**15), 2**54 + 2**31 + 6, 4 * kept_by_wide),
        "a PReLU": ([Row("PReLU", (5,), 3), Row("Linear", (5,), 20)], (3,), 23, 4 * 8),
        "no layer": ([], (2, 3, 4), 0, 96),
    }
    for name, (rows, shape, parameters, picture) in parts.items():
        for numbers in (0, 1, 2, 5):
            once = 4 * (2 + numbers) * parameters
            for images, spare in [(0, picture - 1), (1, 0), (2, picture // 2), (37, picture - 1)]:
                memory = once + images * picture + spare
                case = f"{name}, {memory} bytes, {numbers} numbers for the optimiser"
                got = call(case, TABLES, function, list(rows), shape, memory, numbers)
                assert_number(case, got, images, f"{once} once, {picture} for each picture.")
            if once:
                for memory in (once - 1, once, 0):
                    case = f"{name}, {memory} bytes, {numbers} numbers for the optimiser"
                    got = call(case, TABLES, function, list(rows), shape, memory, numbers)
                    assert_number(case, got, 0, "At most the parameters fit.")
    memory = 4 * 4 * 3887 + 5 * 4000
    got = call("Adam", TABLES, function, stack, (3, 9, 5), memory, optimiser_numbers=2)
    assert_number(f"a small VGG with Adam, {memory} bytes", got, 5, "3700 for each picture.")
    memory = 9_007_199_254_740_993 * 96
    got = call("a very large memory", TABLES, function, [], (2, 3, 4), memory)
    assert_number("a very large memory", got, memory // 96, "Divide whole numbers with //.")
    rows = list(equal)
    for count in (3, 2, 1):
        case = f"a list of rows that got shorter: {count} left"
        parameters = sum(row.parameters for row in rows)
        memory = 12 * parameters + 10 * (20 + 20 * (1 + count) // 2)
        got = call(case, TABLES, function, rows, (5,), memory)
        kept = 20 + 20 * sum(row.layer == "Linear" for row in rows)
        assert_number(case, got, (memory - 12 * parameters) // kept, "Look at the rows anew.")
        rows.pop()


check_largest_batch(largest_batch)
### END HIDDEN TESTS

# %% [markdown]
# Now ask the question of the lecture: which batch of VGG-16 fits into 3 GB, and which into 16 GB?
# We leave a tenth of the memory to the system. Before you run the cell: which of the four networks
# has the most parameters, and where are they?


# %%
def show_batches(numbers):
    for depth in BLOCKS:
        with torch.device("meta"):
            rows = layer_table(vgg(depth), (3, 224, 224))
        count = sum(row.parameters for row in rows)
        fits = [largest_batch(rows, (3, 224, 224), gb * 2**30 * 9 // 10, numbers) for gb in (3, 16)]
        print(
            f"VGG-{depth}: {count:,} parameters; batch of {fits[0]} in 3 GB, of {fits[1]} in 16 GB"
        )


show_batches(1)

# %% [markdown]
# **Try it.** Replace the 1 by 2: Adam keeps two numbers for each parameter. Which networks do
# still train on the small card? And what does `batch_norm=True` change?
#
# ## Part 2: batch norm by hand
#
# *Lecture section: Batch norm: before or after max pooling?*
#
# One channel has the four numbers $1, 3, 5, 7$. Their mean is $\mu = 4$. Their squared distances
# from it are $9, 1, 1, 9$, so their variance is $\sigma^2 = 20/4 = 5$. Batch norm subtracts $\mu$
# and divides by $\sigma$:
#
# $$\hat x = \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}},\qquad y = \gamma\,\hat x + \beta$$
#
# The first number becomes $(1 - 4)/\sqrt 5 = -1.342$. With $\gamma = 2$ and $\beta = 10$ it ends as
# $10 - 2.683 = 7.317$. ($\epsilon$ is $10^{-5}$ and protects from a division by zero.)
#
# A batch `x` has the shape $(N, C, H, W)$. Each channel has its own $\mu$, $\sigma^2$, $\gamma$ and
# $\beta$: four tensors of shape $(C,)$. The mean runs over all pictures **and all positions** of
# the channel, so over $m = N \cdot H \cdot W$ numbers.
#
# **Training and evaluation.** In training, $\mu$ and $\sigma^2$ are those of the batch. In
# evaluation they are `running_mean` and `running_var`, which training collects. After each batch,
#
# $$\text{running} \leftarrow (1 - \text{momentum})\cdot\text{running} + \text{momentum}\cdot
# \text{new}$$
#
# There is a trap. To normalise, PyTorch divides the sum of the squared distances by $m$ (the
# *biased* variance). The `new` variance that goes into `running_var` is the *unbiased* one: the
# same sum divided by $m - 1$. In our example these are $20/4 = 5$ and
# $20/3 = 6.667$. That is a convention, the paper's and PyTorch's.
#
# ### Task 2a: forward (2 points for training, 2 points for running statistics and evaluation)
#
# Return three tensors: `y`, the new `running_mean` and the new `running_var`. In evaluation the
# running statistics come back with the values that they had. In training the tests give each
# channel at least two numbers; in evaluation a batch may be empty.
#
# 1. Choose $\mu$ and $\sigma^2$: from the batch, or from the running statistics.
# 2. Give them the shape $(C, 1, 1)$, which lines up with $(N, C, H, W)$, so that each channel gets
#    its own: `mean[:, None, None]` does that.
# 3. Normalise, scale, shift.
# 4. In training, make new running statistics. Don't write into the old ones (rule 2).
#
# <details><summary>Hint: the mean over three axes</summary><code>x.mean(dim=(0, 2, 3))</code> has
# the shape (C,).</details>
#
# <details><summary>Hint: float32 differs by a little where numbers are large</summary>The variance
# is also the mean of x² minus μ². Don't compute it so: for numbers near 1000 both are near a
# million, and their difference has few digits left. Subtract the mean first, then square.</details>
#
# <details><summary>Hint: biased or unbiased?</summary><code>x.var(dim=(0, 2, 3),
# unbiased=False)</code> divides by m. Multiply by m / (m − 1) to get the other.</details>


# %% solution="batch_norm_forward"
def batch_norm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    """y, the new running_mean and the new running_var; x is (N, C, H, W), the rest (C,)."""
    ### BEGIN SOLUTION
    mean, var = running_mean, running_var
    if training:
        mean = x.mean(dim=(0, 2, 3))
        var = ((x - mean[:, None, None]) ** 2).mean(dim=(0, 2, 3))
        count = x.numel() // x.shape[1]
        unbiased = var * count / (count - 1)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * unbiased
    scale = gamma / torch.sqrt(var + eps)
    y = (x - mean[:, None, None]) * scale[:, None, None] + beta[:, None, None]
    return y, running_mean, running_var
    ### END SOLUTION


# %% [markdown]
# The examples are those above: first $y$ in training, then the running statistics, which begin with
# mean 0 and variance 1 and take a tenth of the new ones, then $y$ in evaluation.


# %% test="test_batch_norm_training" points=2
### BEGIN HIDDEN TESTS
def norm_case(shape, dtype, generator, layout="contiguous"):
    """Inputs of batch norm: x, gamma, beta, running mean and variance; some gammas negative."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    channels = shape[1]
    draw = [torch.randn(channels, generator=generator, dtype=torch.float64) for _ in range(4)]
    spread = 0.5 + torch.rand(channels, generator=generator, dtype=torch.float64)
    x = torch.randn(shape, generator=generator, dtype=torch.float64)
    x = x * spread[:, None, None] + draw[0][:, None, None]
    values = [x, draw[1], draw[2], draw[3], spread**2]
    values = [value.to(device, dtype) for value in values]
    if layout == "transposed":
        values[0] = values[0].transpose(2, 3).contiguous().transpose(2, 3)
    if layout == "channels last":
        values[0] = values[0].permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    if layout == "one gamma for all":
        values[1] = values[1][:1].expand(channels)
    if layout == "one picture for all":
        values[0] = values[0][:1].expand(shape)
    if layout == "repeated numbers, a gamma of 0":
        values[0], values[1][0] = (2 * values[0]).round() / 2, 0.0
    if layout == "a constant channel":
        values[0][:, 0] = 2.5
    if layout == "far from 0":
        values[0] = values[0] + 1e6
    return values


FAR = "Subtract the mean first, then square: x² - μ² has few digits left."


def digits(layout):
    """How near a result must be, if not as usual: numbers near a million have fewer digits."""
    return 1e-6 if layout == "far from 0" else None


def plain_norm(x, gamma, beta, mean, var, training, momentum, eps):
    """PyTorch's batch norm in double precision, which refuses an eps of 0."""
    mean, var = mean.double().clone(), var.double().clone()
    scale = gamma.double(), beta.double()
    y = F.batch_norm(x.double(), mean, var, *scale, training, momentum, eps or 1e-300)
    return y, mean, var


NORM_CASES = [
    ((4, 3, 5, 7), torch.float64, "contiguous"),
    ((2, 5, 3, 4), torch.float32, "transposed"),
    ((1, 2, 1, 6), torch.float64, "channels last"),
    ((7, 4, 1, 1), torch.float32, "contiguous"),
    ((2, 1, 3, 2), torch.float64, "contiguous"),
    ((3, 4, 2, 5), torch.float64, "one gamma for all"),
    ((3, 3, 3, 3), torch.float64, "repeated numbers, a gamma of 0"),
    ((4, 2, 4, 2), torch.float32, "one picture for all"),
    ((5, 3, 4, 6), torch.float64, "far from 0"),
    ((2, 3, 1, 1), torch.float64, "contiguous"),
    ((1, 1, 8, 8), torch.float64, "contiguous"),
    ((3, 2, 4, 3), torch.float64, "a constant channel"),
]


### END HIDDEN TESTS
def example_of_training():
    x = torch.tensor([[[[1.0, 3.0], [5.0, 7.0]]]], dtype=torch.float64)
    two, ten, zero, one = torch.tensor([[2.0], [10.0], [0.0], [1.0]], dtype=torch.float64)
    case = "1, 3, 5, 7 in training, eps 0"
    got = call(case, NORMS, batch_norm_forward, x, two, ten, zero, one, True, eps=0.0)
    assert len(got) == 3, f"{case}: return y, running_mean and running_var"
    want = 10 + 2 * (x - 4) / 5**0.5
    assert_same(f"{case}: y", got[0], want, "The mean is 4, and the variance 5: divide by m.")


example_of_training()
### BEGIN HIDDEN TESTS


def check_training(function):
    generator = torch.Generator().manual_seed(304)
    for number, (shape, dtype, layout) in enumerate(NORM_CASES):
        x, gamma, beta, mean, var = norm_case(shape, dtype, generator, layout)
        eps = (0.0, 1e-5, 0.5)[number % 3] if layout != "a constant channel" else 0.01
        case = f"x {shape}, {dtype}, {layout}, eps {eps}"
        inputs = (x, gamma, beta, mean, var)
        got = call(case, NORMS, function, *inputs, True, 0.1, eps)
        want = plain_norm(*inputs, True, 0.1, eps)[0].to(dtype)
        hint = FAR if layout == "far from 0" else "Mean and variance of each channel of the batch."
        assert_same(f"{case}: y", got[0], want, hint, digits(layout))
        again = call(f"{case}, once more", NORMS, function, *inputs, True, 0.1, eps)
        assert_same(f"{case}, once more: y", again[0], want, hint, digits(layout))
    x, gamma, beta, mean, var = norm_case((2, 3, 4, 2), torch.float64, generator)
    for case in ("a constant channel", "the same tensors with other numbers"):
        x[:, 1] = 2.5  # a channel that is the same everywhere
        got = call(case, NORMS, function, x, gamma, beta, mean, var, True)
        want = F.batch_norm(x, mean.clone(), var.clone(), gamma, beta, True)
        assert_same(f"{case}: y", got[0], want, "It becomes beta: eps stands in the root.")
        x.mul_(-0.01).add_(0.3)
        gamma.add_(1)
    x, gamma, beta, mean, var = norm_case((5, 2, 6, 4), torch.float64, generator)
    values = [value.float() for value in (x + 3000, gamma, beta, mean, var)]
    got = call("float32 near 3000", NORMS, function, *values, True)[0]
    want = F.batch_norm(values[0].double(), None, None, gamma, beta, True)
    error = (got.double() - want).abs().max().item()
    assert error < 0.05, f"float32, values near 3000: wrong by {error:.2g}. {FAR}"


check_training(batch_norm_forward)
### END HIDDEN TESTS


# %% test="test_batch_norm_running" points=2
def example_of_running_statistics():
    x = torch.tensor([[[[1.0, 3.0], [5.0, 7.0]]]], dtype=torch.float64)
    two, ten, zero, one = torch.tensor([[2.0], [10.0], [0.0], [1.0]], dtype=torch.float64)
    case = "1, 3, 5, 7 in training, momentum 0.1"
    _, mean, var = call(case, NORMS, batch_norm_forward, x, two, ten, zero, one, True)
    assert_same(f"{case}: running_mean", mean, 0.9 * zero + 0.1 * 4, "A tenth of the new mean.")
    hint = "A tenth of the unbiased variance, 20/3."
    assert_same(f"{case}: running_var", var, 0.9 * one + 0.1 * 20 / 3, hint)
    case = "1, 3, 5, 7 in evaluation, mean 0, variance 1, eps 3"
    y, mean, var = call(case, NORMS, batch_norm_forward, x, two, ten, zero, one, False, eps=3.0)
    assert_same(f"{case}: y", y, x + 10, "Divide by the root of 1 + 3, then times 2, plus 10.")


example_of_running_statistics()
### BEGIN HIDDEN TESTS


def check_running(function):
    generator = torch.Generator().manual_seed(305)
    for number, (shape, dtype, layout) in enumerate(NORM_CASES):
        x, gamma, beta, mean, var = norm_case(shape, dtype, generator, layout)
        momentum, eps = (0.1, 0.37, 1.0, 0.0)[number % 4], (1e-5, 0.04, 0.0)[number % 3]
        eps = eps or 0.01 * (layout == "a constant channel")
        case = f"x {shape}, {dtype}, {layout}, momentum {momentum}, eps {eps}"
        inputs = (x, gamma, beta, mean, var)
        got = call(f"{case}, training", NORMS, function, *inputs, True, momentum, eps)
        _, new_mean, new_var = plain_norm(*inputs, True, momentum, eps)
        hint = "The new mean counts with weight momentum, the old one with 1 - momentum."
        assert_same(f"{case}: the new running_mean", got[1], new_mean.to(dtype), hint)
        hint = "The variance that is collected is the unbiased one; eps isn't part of it."
        hint, right = FAR if layout == "far from 0" else hint, new_var.to(dtype)
        assert_same(f"{case}: the new running_var", got[2], right, hint, digits(layout))
        got = call(f"{case}, evaluation", NORMS, function, *inputs, False, momentum, eps)
        want = plain_norm(*inputs, False, momentum, eps)[0].to(dtype)
        hint = "In evaluation the running statistics normalise, with eps too."
        assert_same(f"{case}, evaluation: y", got[0], want, hint, digits(layout))
        hint = "Evaluation collects nothing."
        assert_same(f"{case}, evaluation: running_mean", got[1], mean, hint)
        assert_same(f"{case}, evaluation: running_var", got[2], var, hint)
    for shape in [(0, 3, 4, 2), (1, 3, 1, 1)]:
        x, gamma, beta, mean, var = norm_case(shape, torch.float64, generator)
        case = f"x {shape} in evaluation"
        got = call(case, NORMS, function, x, gamma, beta, mean, var, False)
        want = (x - mean[:, None, None]) / torch.sqrt(var + 1e-5)[:, None, None]
        want = want * gamma[:, None, None] + beta[:, None, None]
        assert_same(f"{case}: y", got[0], want, "Nothing of the batch is needed.")
    x, gamma, beta, mean, var = norm_case((3, 2, 4, 5), torch.float64, generator)
    exact = mean.clone(), var.clone()
    for step in range(4):
        x.mul_(0.7).add_(step)
        got = call(f"batch {step} of 4", NORMS, function, x, gamma, beta, mean, var, True)
        F.batch_norm(x, *exact, None, None, True)
        mean, var = got[1], got[2]
        assert_same(f"after batch {step}: running_mean", mean, exact[0])
        assert_same(f"after batch {step}: running_var", var, exact[1])


check_running(batch_norm_forward)
### END HIDDEN TESTS

# %% [markdown]
# ### Backward: everything moves everything
#
# A backward function gets `grad_y`, that is $\partial L/\partial y$: how much the loss $L$ changes
# if an output changes a little. It returns the same for what the layer was given. (Lecture 05 is
# about this; here you need no more of it than that.) We want $\partial L/\partial x$, $\partial
# L/\partial\gamma$ and $\partial L/\partial\beta$.
#
# Begin with the easy ones. $\beta$ is added at all $m$ places of its channel, so its gradient is
# the sum of `grad_y` there. $\gamma$ is multiplied by $\hat x$, so its gradient is the sum of
# `grad_y` times $\hat x$.
#
# In **evaluation** $\mu$ and $\sigma$ are fixed numbers. Each $x$ moves its own $y$ and nothing
# else, with the slope $\gamma/\sqrt{\sigma^2 + \epsilon}$.
#
# In **training** each $x$ also moves $\mu$ and $\sigma$, and with them every $y$ of its channel.
# Put the three ways together, and a good deal cancels. With $g$ for `grad_y`, and means over the
# $m$ numbers of a channel:
#
# $$\frac{\partial L}{\partial x} = \frac{\gamma}{\sqrt{\sigma^2+\epsilon}}
# \Bigl(g - \operatorname{mean}(g) - \hat x\cdot\operatorname{mean}(g\,\hat x)\Bigr)$$
#
# Two sentences say what the formula does. Adding a constant to a whole channel changes no output,
# so the gradients of a channel add up to $0$. Multiplying a whole channel by a constant changes no
# output either (but for $\epsilon$), so the gradients times $\hat x$ add up to $0$, too.
#
# Take $1, 3, 5, 7$ again, $\gamma = 1$, $\epsilon = 0$ and `grad_y` $= 1, 0, 0, 0$. Then $\hat x =
# (-3, -1, 1, 3)/\sqrt 5$, the mean of $g$ is $0.25$, and the mean of $g\,\hat x$ is $-3/(4\sqrt
# 5)$. The gradient is $(0.3, -0.4, -0.1, 0.2)/\sqrt 5$. Do the four numbers add up to 0?
#
# ### Task 2b: backward (3 points for training, 1 point for evaluation)
#
# Return `grad_x`, `grad_gamma` and `grad_beta`. In training the running statistics are not needed;
# in evaluation the statistics of the batch are not needed, and the batch may be empty.
#
# 1. Compute $\mu$, $\sigma^2$ and $\hat x$ as in the forward pass.
# 2. The sums for $\gamma$ and $\beta$ run over axes 0, 2 and 3.
# 3. In evaluation `grad_x` is one product; in training it is the formula.
#
# <details><summary>Hint: the gradients of a channel don't add up to 0</summary>Then one of the
# means is missing, or runs over other axes than those of μ.</details>
#
# <details><summary>Hint: sum or mean?</summary>Inside the brackets of the formula are means. The
# gradients of γ and β are sums.</details>


# %% solution="batch_norm_backward"
def batch_norm_backward(grad_y, x, gamma, running_mean, running_var, training, eps=1e-5):
    """grad_x (N, C, H, W), grad_gamma and grad_beta (C,), for y = batch_norm_forward(x, …)."""
    ### BEGIN SOLUTION
    mean, var = running_mean, running_var
    if training:
        mean = x.mean(dim=(0, 2, 3))
        var = x.var(dim=(0, 2, 3), unbiased=False)
    root = torch.sqrt(var + eps)
    normal = (x - mean[:, None, None]) / root[:, None, None]
    inner = grad_y
    if training:
        along = (grad_y * normal).mean(dim=(0, 2, 3), keepdim=True)
        inner = grad_y - grad_y.mean(dim=(0, 2, 3), keepdim=True) - normal * along
    grad_x = (gamma / root)[:, None, None] * inner
    return grad_x, (grad_y * normal).sum(dim=(0, 2, 3)), grad_y.sum(dim=(0, 2, 3))
    ### END SOLUTION


# %% test="test_batch_norm_backward" points=3
### BEGIN HIDDEN TESTS
def check_backward(function, training, seed):
    generator = torch.Generator().manual_seed(seed)
    mode = "training" if training else "evaluation"
    for number, (shape, dtype, layout) in enumerate(NORM_CASES):
        x, gamma, _, mean, var = norm_case(shape, dtype, generator, layout)
        grad_y = torch.randn(shape, generator=generator, dtype=torch.float64).to(x) + 0.5
        if number % 3 == 2:
            grad_y = grad_y[:, :1].expand(shape)
        eps = (0.0, 1e-5, 0.5)[number % 3] if layout != "a constant channel" else 0.01
        case = f"{mode}, x {shape}, {dtype}, {layout}, eps {eps}"
        inputs = (grad_y, x, gamma, mean, var)
        check_gradients(case, function, inputs, training, {"eps": eps}, digits(layout))
    x, gamma, _, mean, var = norm_case((2, 3, 4, 2), torch.float64, generator)
    grad_y = torch.randn(x.shape, generator=generator, dtype=torch.float64).to(x)
    x.mul_(0.01)
    var.mul_(1e-4)
    inputs = (grad_y, x, gamma, mean, var)
    for case in ("the eps of the signature", "the same tensors with other numbers"):
        check_gradients(f"{mode}, {case}", function, inputs, training, {})
        for value in inputs:
            value.mul_(0.5).add_(0.001)
    for shape in [] if training else [(0, 3, 4, 2), (1, 3, 1, 1)]:
        x, gamma, _, mean, var = norm_case(shape, torch.float64, generator)
        grad_y = torch.randn(shape, generator=generator, dtype=torch.float64).to(x)
        case = f"{mode}, x {shape}"
        check_gradients(case, function, (grad_y, x, gamma, mean, var), training, {})


def check_gradients(case, function, inputs, training, settings, atol=None):
    """Compare with what autograd makes of PyTorch's batch norm, or of its formula."""
    grad_y, x, gamma, mean, var = inputs
    eps = settings.get("eps", 1e-5)
    leaves = [v.double().clone().requires_grad_() for v in (x, gamma, torch.zeros_like(gamma))]
    if training:
        y = plain_norm(*leaves, mean, var, True, 0.1, eps)[0]
    else:
        slope = leaves[1] / torch.sqrt(var.double() + eps)
        y = (leaves[0] - mean.double()[:, None, None]) * slope[:, None, None]
        y = y + leaves[2][:, None, None]
    want = torch.autograd.grad(y, leaves, grad_y.double())
    with torch.no_grad():
        got = call(case, NORMS, function, *inputs, training, **settings)
    assert len(got) == 3, f"{case}: return grad_x, grad_gamma and grad_beta"
    for name, ours, right in zip(("grad_x", "grad_gamma", "grad_beta"), got, want, strict=True):
        hint = "The formula is that of training; in evaluation mean and variance are fixed."
        assert_same(f"{case}: {name}", ours, right.to(x.dtype), hint, atol)


### END HIDDEN TESTS
def example_of_backward():
    x = torch.tensor([[[[1.0, 3.0], [5.0, 7.0]]]], dtype=torch.float64)
    grad_y = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]], dtype=torch.float64)
    zero, one = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    case = "1, 3, 5, 7 in training, eps 0"
    with torch.no_grad():
        got = call(case, NORMS, batch_norm_backward, grad_y, x, one, zero, one, True, eps=0.0)
    assert len(got) == 3, f"{case}: return grad_x, grad_gamma and grad_beta"
    want = torch.tensor([[[[0.3, -0.4], [-0.1, 0.2]]]], dtype=torch.float64) / 5**0.5
    assert_same(f"{case}: grad_x", got[0], want, "It is the formula above.")
    assert_same(f"{case}: grad_gamma", got[1], -3 / torch.sqrt(5 * one), "Sum of grad_y times x̂.")
    assert_same(f"{case}: grad_beta", got[2], one, "The sum of grad_y.")


example_of_backward()
### BEGIN HIDDEN TESTS


check_backward(batch_norm_backward, True, seed=306)
### END HIDDEN TESTS

# %% [markdown]
# In evaluation, with running mean 0, running variance 1 and $\epsilon = 3$, every slope is
# $\gamma/\sqrt{4}$.


# %% test="test_batch_norm_backward_evaluation" points=1
def example_of_backward_in_evaluation():
    x = torch.tensor([[[[1.0, 3.0], [5.0, 7.0]]]], dtype=torch.float64)
    grad_y = torch.tensor([[[[1.0, 0.0], [0.0, 2.0]]]], dtype=torch.float64)
    zero, one = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    case = "1, 3, 5, 7 in evaluation, eps 3"
    with torch.no_grad():
        got = call(case, NORMS, batch_norm_backward, grad_y, x, one, zero, one, False, eps=3.0)
    assert_same(f"{case}: grad_x", got[0], grad_y / 2, "Mean and variance are fixed numbers here.")
    assert_same(f"{case}: grad_gamma", got[1], 7.5 * one, "1 · 0.5 + 2 · 3.5")
    assert_same(f"{case}: grad_beta", got[2], 3 * one, "The sum of grad_y.")


example_of_backward_in_evaluation()
### BEGIN HIDDEN TESTS
check_backward(batch_norm_backward, False, seed=307)
### END HIDDEN TESTS

# %% [markdown]
# Check your backward pass with small changes: make one input a little larger and a little smaller,
# and look at what the loss does. The loss is the sum of the outputs, each weighed with its
# `grad_y`. Do the two numbers agree?


# %%
def show_nudge():
    generator = torch.Generator().manual_seed(0)
    pictures, weights = torch.randn(2, 4, 3, 2, 2, generator=generator, dtype=torch.float64)
    zeros, ones = torch.tensor([[0.0] * 3, [1.0] * 3], dtype=torch.float64)
    losses = []
    for nudge in (1e-6, -1e-6):
        nudged = pictures.clone()
        nudged[1, 2, 0, 1] += nudge
        outputs = batch_norm_forward(nudged, ones, zeros, zeros, ones, True)[0]
        losses.append((outputs * weights).sum())
    gradient = batch_norm_backward(weights, pictures, ones, zeros, ones, True)[0]
    print(f"nudged: {(losses[0] - losses[1]) / 2e-6:.6f}, backward: {gradient[1, 2, 0, 1]:.6f}")


show_nudge()

# %% [markdown]
# ## Part 3: loops against blocks
#
# *Lecture section: VGG-16: one idea, repeated.*
#
# Here is VGG's max pool, $2 \times 2$ with stride 2, written with four loops. It is right, and easy
# to read.


# %% given="pool_loops"
def pool_loops(x):
    """The 2 × 2 max pool of x (N, C, H, W), one number after the other."""
    n, channels, rows, columns = x.shape[0], x.shape[1], x.shape[2] // 2, x.shape[3] // 2
    y = x.new_zeros(n, channels, rows, columns)
    for i in range(n):
        for c in range(channels):
            for row in range(rows):
                for column in range(columns):
                    window = x[i, c, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
                    y[i, c, row, column] = window.max()
    return y


# %% [markdown]
# Python looks at each window on its own, and that takes time. Without a loop it goes like this: cut
# the picture into blocks, and let PyTorch take the maximum of all blocks at once. A row of six
# numbers, `0 1 2 3 4 5`, in the shape $(3, 2)$ is
#
# $$\begin{pmatrix}0&1\\2&3\\4&5\end{pmatrix}$$
#
# Each pair stands in a row of its own, and the maximum over the last axis gives `1 3 5`. For
# pictures, rows **and** columns are split into pairs: $(N, C, H, W)$ becomes
# $(N, C, H/2, 2, W/2, 2)$, and the maximum runs over both axes of size 2.
#
# ### Task 3: the pool without a loop (1 point)
#
# 1. If $H$ or $W$ is odd, the last row or column is not looked at, as in `pool_loops`. Cut it off.
# 2. Reshape to six axes.
# 3. Take the maximum over axes 3 and 5.
#
# The test compares the result with that of `pool_loops`. It also counts the operations of PyTorch:
# more than 60 in one call are a loop. It doesn't look at a clock: you do, below.
#
# <details><summary>Hint: "shape is invalid for input of size"</summary>An odd row or column is
# still there. <code>x[:, :, : 2 * rows]</code> keeps an even number of rows.</details>
#
# <details><summary>Hint: the maximum over two axes</summary><code>x.amax(dim=(3, 5))</code>.
# </details>


# %% solution="pool_blocks"
def pool_blocks(x):
    """The 2 × 2 max pool of x (N, C, H, W), without a loop in Python."""
    ### BEGIN SOLUTION
    rows, columns = x.shape[2] // 2, x.shape[3] // 2
    x = x[:, :, : 2 * rows, : 2 * columns]
    return x.reshape(x.shape[0], x.shape[1], rows, 2, columns, 2).amax(dim=(3, 5))
    ### END SOLUTION


# %% test="test_pool_blocks" points=1
def example_of_pool_blocks():
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    got = call("the numbers 0 to 15", POOLS, pool_blocks, x)
    want = torch.tensor([[[[5.0, 7.0], [13.0, 15.0]]]])
    assert_same("the numbers 0 to 15", got, want, "The first block holds 0, 1, 4 and 5.")


example_of_pool_blocks()
### BEGIN HIDDEN TESTS


def check_pool_blocks(function):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    generator = torch.Generator().manual_seed(308)
    kinds = [torch.float64, torch.float32, torch.int64]
    shapes = [(2, 3, 6, 4), (1, 2, 7, 9), (3, 1, 2, 5), (2, 4, 5, 2), (0, 3, 4, 6), (1, 1, 3, 3)]
    hint = "Rows and columns are both split into pairs; inputs may be negative, and very large."
    for number, shape in enumerate([*shapes, (2, 2, 2, 2), (1, 3, 6, 6), (4, 4, 4, 4)]):
        for dtype in (kinds[number % 3], kinds[(number + 1) % 3]):
            x = (3 * torch.randn(shape, generator=generator, dtype=torch.float64) - 20).to(device)
            x = x.to(dtype)
            shift = 2**60 if dtype == torch.int64 else 0
            turned = x.transpose(2, 3).contiguous().transpose(2, 3)
            last = x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
            layouts = {"": x, ", transposed": turned, ", channels last": last}
            large = x + shift if shift else -(2**20) * x
            layouts |= {", expanded": x[..., :1].expand(shape), ", large": large}
            least = torch.iinfo(dtype).min if shift else torch.finfo(dtype).min
            layouts |= {", the least number": torch.full_like(x, least)}
            layouts |= {", every other column": x.repeat_interleave(2, 3)[..., ::2]}
            for layout, given in layouts.items():
                case = f"x {shape}, {dtype}{layout}"
                got = call(case, POOLS, function, given)
                assert_same(case, got, pool_loops(given), hint, atol=0.0)
    for case in ("numbers", "the same tensor with other numbers"):
        assert_same(case, call(case, POOLS, function, x), pool_loops(x), hint, atol=0.0)
        x.neg_()
    many, case = torch.rand(1, 1, 18, 21, generator=generator), "x (1, 1, 18, 21), 90 windows"
    assert_same(case, call(case, POOLS, function, many), pool_loops(many), hint, atol=0.0)


check_pool_blocks(pool_blocks)
### END HIDDEN TESTS

# %% [markdown]
# Now take the time. How many times faster are the blocks? Take pictures of $64 \times 64$ instead,
# and guess first: which of the two times grows by four?


# %%
def show_times(size):
    pictures = torch.randn(2, 8, size, size, generator=torch.Generator().manual_seed(0))
    for name, function in {"loops": pool_loops, "blocks": pool_blocks}.items():
        start = time.perf_counter()
        function(pictures)
        print(f"{name:6}: {1000 * (time.perf_counter() - start):8.2f} ms")


show_times(32)

# %% [markdown]
# ## Part 4: who moves the weights?
#
# *Lecture section: Fit the GPU. (It counts what an optimiser remembers.)*
#
# Backpropagation gives a gradient $g$ for each parameter $w$. Plain gradient descent makes a step
# against it: $w \leftarrow w - \text{rate}\cdot g$. Better rules remember earlier gradients.
#
# ### Momentum
#
# Let $w = 10$, the rate $0.1$, and let the gradient be $1$ twice in a row. Momentum keeps a
# *velocity* $v$, which begins at $0$:
#
# $$v \leftarrow 0.9\,v + g,\qquad w \leftarrow w - \text{rate}\cdot v$$
#
# In the first step $v = 1$ and $w = 9.9$. In the second $v = 0.9 + 1 = 1.9$ and $w = 9.71$: as long
# as gradients agree, the steps grow. (This is PyTorch's convention. Others put the rate into $v$;
# that differs as soon as the rate changes.)
#
# ### Task 4a: a step with momentum (1 point)
#
# Return the new value and the new velocity, as new tensors.
#
# <details><summary>Hint: the velocity first</summary>The new velocity moves the value, not the old
# one.</details>


# %% solution="momentum_step"
def momentum_step(value, gradient, velocity, rate, momentum=0.9):
    """The new value and the new velocity: two tensors of the shape of value."""
    ### BEGIN SOLUTION
    velocity = momentum * velocity + gradient
    return value - rate * velocity, velocity
    ### END SOLUTION


# %% test="test_momentum" points=1
### BEGIN HIDDEN TESTS
def assert_digits(what, got, want, hint):
    """As `assert_same`; in double precision to all but the last digits."""
    largest = max([1.0, *want.abs().flatten().tolist()])
    atol = 1e-10 * largest if want.dtype == torch.float64 else None
    assert_same(what, got, want, hint, atol)


### END HIDDEN TESTS
def example_of_momentum():
    value, velocity = torch.tensor([10.0]), torch.tensor([0.0])
    for step, (want, speed) in enumerate([(9.9, 1.0), (9.71, 1.9)], 1):
        gradient = torch.tensor([1.0])
        got = call(f"step {step}", STEPS, momentum_step, value, gradient, velocity, 0.1)
        value, velocity = got
        assert_same(f"step {step}: velocity", velocity, torch.tensor([speed]), "0.9 v + g")
        assert_same(f"step {step}: value", value, torch.tensor([want]), "Minus rate times v.")


example_of_momentum()
### BEGIN HIDDEN TESTS


class Heavy:
    """A parameter that PyTorch's SGD with momentum moves, too."""

    def __init__(self, shape, dtype, momentum, started, generator, device):
        draw = torch.randn((2, *shape), generator=generator, dtype=torch.float64)
        self.value, self.velocity = draw.to(device, dtype).unbind()
        if not started:
            self.velocity = torch.zeros_like(self.value)
        self.momentum, self.exact = momentum, self.value.double().clone().requires_grad_()
        self.optimiser = torch.optim.SGD([self.exact], lr=1.0, momentum=momentum)
        known = self.optimiser.state[self.exact]
        known["momentum_buffer"] = self.velocity.double().clone()

    def compare(self, function, gradient, rate, case):
        self.optimiser.param_groups[0]["lr"] = rate
        self.exact.grad = gradient.double().clone()
        self.optimiser.step()
        shape, dtype = tuple(gradient.shape), gradient.dtype
        case = f"shape {shape}, {dtype}, momentum {self.momentum}, {case}"
        given = (self.value, gradient, self.velocity)
        got = call(case, STEPS, function, *given, rate, self.momentum)
        again = call(f"{case}, once more", STEPS, function, *given, rate, self.momentum)
        hint = "v ← momentum · v + g, then w ← w - rate · v, with the new v."
        right = self.optimiser.state[self.exact].get("momentum_buffer") if self.momentum else None
        right = self.exact.grad if right is None else right
        for value, velocity in (got, again):
            assert_digits(f"{case}: value", value, self.exact.detach().to(dtype), hint)
            assert_digits(f"{case}: velocity", velocity, right.to(dtype), hint)
        for result in got:
            assert_new(case, result, *given)
        self.value, self.velocity = got


def check_momentum(function):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    generator = torch.Generator().manual_seed(309)
    cases = [((3, 2), torch.float64, 0.9), ((), torch.float32, 0.5), ((2, 1, 3), torch.float64, 0)]
    cases += [
        ((0, 4), torch.float32, 0.9),
        ((1,), torch.float64, 1.0),
        ((3, 2), torch.float64, 0.9),
    ]
    runs = [Heavy(*case, started, generator, device) for started, case in enumerate(cases)]
    rates = (0.1, 0.7, 0.0, 0.25)
    for step, run in itertools.product(range(len(rates)), runs):  # taking turns: nothing is shared
        gradient = torch.randn(run.value.shape, generator=generator, dtype=torch.float64)
        gradient = (gradient * 1.5**step).to(run.value)
        if step == 2:
            gradient = gradient.reshape(-1)[:1].expand(run.value.numel()).reshape(gradient.shape)
        run.compare(function, gradient, rates[step], f"step {step}, rate {rates[step]}")


check_momentum(momentum_step)
### END HIDDEN TESTS

# %% [markdown]
# ### Adam
#
# One weight has a gradient near $1000$ and another one near $0.001$. With one rate for both, either
# the first jumps or the second stands still. Adam divides each gradient by the size that it usually
# has. It keeps two running averages for each parameter, and the number $t$ of steps:
#
# $$m \leftarrow \beta_1 m + (1 - \beta_1)\,g,\qquad v \leftarrow \beta_2 v + (1 - \beta_2)\,g^2$$
#
# Both begin at $0$, and so they are too small at first. After one step with $\beta_1 = 0.9$ and $g
# = 1000$, $m$ is $100$ and not $1000$. The *bias correction* mends exactly that: with $t$ counted
# from 1,
#
# $$\hat m = \frac{m}{1 - \beta_1^t},\qquad \hat v = \frac{v}{1 - \beta_2^t},\qquad
# w \leftarrow w - \text{rate}\cdot\frac{\hat m}{\sqrt{\hat v} + \epsilon}$$
#
# After the first step $\hat m = g$ and $\hat v = g^2$. So the first step has the length of the
# rate, whether the gradient is $1000$ or $0.001$.
#
# ### Task 4b: a step of Adam (2 points)
#
# `state` holds three things: $m$, $v$, and the number of steps that were made before, a Python
# `int`. At the start they are zeros. Return the new value and the new state.


# %% given="adam_start"
def adam_start(value):
    """The state of Adam before the first step for a parameter with this value."""
    return torch.zeros_like(value), torch.zeros_like(value), 0


# %% [markdown]
# 1. Take the state apart, and count this step.
# 2. Make the new averages.
# 3. Correct both; the averages that you *keep* are the uncorrected ones.
# 4. Make the step. $\epsilon$ stands outside the root.
#
# <details><summary>Hint: the first step divides by zero</summary>Count first: in the first step t
# is 1, and β to the power of 0 would be 1.</details>
#
# <details><summary>Hint: right in the first step, wrong in the second</summary>Do you keep the
# corrected averages? Keep the others. Or is t the same in every step?</details>


# %% solution="adam_step"
def adam_step(value, gradient, state, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
    """The new value and the new state (m, v, steps) of one parameter."""
    ### BEGIN SOLUTION
    mean, square, steps = state
    steps = steps + 1
    mean = betas[0] * mean + (1 - betas[0]) * gradient
    square = betas[1] * square + (1 - betas[1]) * gradient**2
    mean_hat = mean / (1 - betas[0] ** steps)
    square_hat = square / (1 - betas[1] ** steps)
    value = value - rate * mean_hat / (torch.sqrt(square_hat) + eps)
    return value, (mean, square, steps)
    ### END SOLUTION


# %% test="test_adam" points=2
def example_of_adam():
    value = torch.tensor([1.0, 1.0], dtype=torch.float64)
    gradient = torch.tensor([1000.0, 0.001], dtype=torch.float64)
    got = call("the first step", STEPS, adam_step, value, gradient, adam_start(value), 0.1, eps=0.0)
    want = torch.tensor([0.9, 0.9], dtype=torch.float64)
    assert_same("the first step: value", got[0], want, "Its length is the rate, for both.")
    assert_same("the first step: m", got[1][0], gradient / 10, "Keep the uncorrected average.")
    assert got[1][2] == 1, f"the first step: expected 1 step in the state, got {got[1][2]}"


example_of_adam()
### BEGIN HIDDEN TESTS


class Light:
    """A parameter that PyTorch's Adam moves, too; it may have made steps before."""

    def __init__(self, shape, dtype, betas, eps, made, generator, device):
        draw = torch.randn((3, *shape), generator=generator, dtype=torch.float64)
        self.value, mean, square = draw.to(device, dtype).unbind()
        self.state = (mean, square**2, made) if made else adam_start(self.value)
        self.betas, self.eps, self.steps = betas, eps, made
        self.exact = self.value.double().clone().requires_grad_()
        self.optimiser = torch.optim.Adam([self.exact], lr=1.0, betas=betas, eps=eps)
        known = {"step": torch.tensor(float(made)), "exp_avg": self.state[0].double().clone()}
        known["exp_avg_sq"] = self.state[1].double().clone()
        self.optimiser.state[self.exact] = known

    def compare(self, function, gradient, rate, settings):
        self.optimiser.param_groups[0]["lr"] = rate
        self.exact.grad = gradient.double().clone()
        self.optimiser.step()
        self.steps += 1
        shape, dtype = tuple(gradient.shape), gradient.dtype
        case = f"shape {shape}, {dtype}, betas {self.betas}, eps {self.eps}, "
        case += f"step {self.steps}, rate {rate}"
        given = (self.value, gradient, self.state)
        got = call(case, STEPS, function, *given, **settings)
        again = call(f"{case}, once more", STEPS, function, *given, **settings)
        known = self.optimiser.state[self.exact]
        hint = "m and v are kept uncorrected; t counts from 1; eps stands outside the root."
        for value, state in (got, again):
            assert_digits(f"{case}: value", value, self.exact.detach().to(dtype), hint)
            assert_digits(f"{case}: m", state[0], known["exp_avg"].to(dtype), hint)
            assert_digits(f"{case}: v", state[1], known["exp_avg_sq"].to(dtype), hint)
            steps = state[2]
            assert type(steps) is int, f"{case}: steps are a Python int, got {steps!r}"
            assert steps == self.steps, f"{case}: expected {self.steps} steps, got {steps}"
        self.value, self.state = got


def check_adam(function):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    generator = torch.Generator().manual_seed(310)
    cases = [
        ((3, 2), torch.float64, (0.9, 0.999), 1e-8, 0),
        ((), torch.float32, (0.5, 0.9), 1e-3, 0),
        ((2, 1, 3), torch.float64, (0.8, 0.6), 0.3, 5),
        ((0, 4), torch.float32, (0.9, 0.999), 1e-8, 0),
        ((4,), torch.float64, (0.0, 0.99), 1e-8, 1),
        ((3, 2), torch.float64, (0.9, 0.999), 1e-8, 1000),
        ((1,), torch.float64, (0.7, 0.0), 0.0, 3),
    ]
    runs = [Light(*case, generator, device) for case in cases]
    rates = (0.1, 0.03, 0.5, 0.0, 0.2)
    for step, run in itertools.product(range(len(rates)), runs):  # taking turns: nothing is shared
        gradient = torch.randn(run.value.shape, generator=generator, dtype=torch.float64)
        gradient = (gradient * 10.0 ** (2 * step - 3)).to(run.value)
        if step == 2 and run.eps:  # all zeros, or the same number everywhere
            flat = gradient.reshape(-1)[:1] * (run.steps > 100)
            gradient = flat.expand(run.value.numel()).reshape(gradient.shape)
        rate = rates[step]
        run.compare(function, gradient, rate, {"rate": rate, "betas": run.betas, "eps": run.eps})
    usual = Light((2, 3), torch.float64, (0.9, 0.999), 1e-8, 0, generator, device)
    for size in (1e-8, 3e-8, 0.0, 1e-7):  # so small that eps counts; no setting is given
        gradient = torch.randn((2, 3), generator=generator, dtype=torch.float64).to(device)
        usual.compare(function, gradient * size, 0.001, {})
    value, gradient = torch.ones(2, dtype=torch.float64), torch.tensor([3.0, 0.0]).double()
    got = call("the default settings", STEPS, function, value, gradient, adam_start(value))
    want = torch.tensor([1 - 0.001 * 3 / (3 + 1e-8), 1.0], dtype=torch.float64)
    assert_same("the default settings, one step: value", got[0], want, "The rate is 0.001.")


check_adam(adam_step)
### END HIDDEN TESTS

# %% [markdown]
# A valley that is steep in one direction and flat in the other: $L = 50\,a^2 + 0.5\,b^2$, whose
# gradient is $(100\,a, b)$. Both rules begin at $(1, 1)$. Which one treats $a$ and $b$ alike, and
# why?


# %%
def show_valley():
    start, steep = torch.tensor([[1.0, 1.0], [100.0, 1.0]])
    heavy, velocity = start, torch.zeros(2)
    light, state = start, adam_start(start)
    for step in range(1, 41):
        heavy, velocity = momentum_step(heavy, steep * heavy, velocity, rate=0.005)
        light, state = adam_step(light, steep * light, state, rate=0.05)
        if step in (1, 5, 20, 40):
            print(f"step {step:2}: momentum {heavy.numpy().round(3)},", end=" ")
            print(f"Adam {light.numpy().round(3)}")


show_valley()

# %% [markdown]
# ## Part 5: train, and know when to stop
#
# *Lecture section: By experiment.*
#
# ### Task 5a: one epoch (2 points)
#
# An epoch shows each training picture once, in batches of 16, and makes a step of Adam for each
# batch. `memory` is a dictionary that holds Adam's state for each parameter, under the name that
# `model.named_parameters()` gives it. It is empty before the first epoch, and you get it back in
# the next one.
#
# Tests compare with PyTorch's Adam to many digits, so the details count:
#
# 1. Set the model to training mode.
# 2. The order of the pictures is `torch.randperm(len(images), generator=generator)`, where the
#    generator is a new `torch.Generator()` with the seed that you get.
# 3. The first 16 positions of the order are the first batch, the next 16 the second. The last batch
#    may be smaller; it counts too.
# 4. The loss of a batch is `F.cross_entropy(model(pictures), their_labels)`.
# 5. For each parameter: its gradient for this batch alone, its state (or `adam_start`), your
#    `adam_step` with the given rate.
# 6. Write the new value **into** the parameter, `parameter.copy_(new)` under `torch.no_grad()`, and
#    keep the new state in `memory`.
#
# The function returns nothing: it changes `model` and `memory`. `images` and `labels` stay as they
# are.
#
# <details><summary>Hint: a batch's gradients</summary><code>torch.autograd.grad(loss,
# list(model.parameters()))</code> gives them as a tuple, in the order of the parameters, and stores
# nothing. With <code>loss.backward()</code> instead, each <code>.grad</code> must be emptied before
# the next batch, because gradients add up.</details>
#
# <details><summary>Hint: batches of positions</summary><code>order.split(16)</code> cuts the order
# into pieces; <code>images[piece]</code> are the pictures at these positions.</details>


# %% solution="train_epoch"
def train_epoch(model, images, labels, memory, rate, seed):
    """One epoch of Adam in batches of 16; changes model and memory, returns nothing."""
    ### BEGIN SOLUTION
    model.train()
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    names, parameters = zip(*model.named_parameters(), strict=True)
    for batch in order.split(16):
        loss = F.cross_entropy(model(images[batch]), labels[batch])
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for name, parameter, gradient in zip(names, parameters, gradients, strict=True):
                state = memory.get(name, adam_start(parameter))
                value, memory[name] = adam_step(parameter, gradient, state, rate)
                parameter.copy_(value)
    ### END SOLUTION


# %% [markdown]
# In the example a model with one weight for each of two classes sees one picture with one pixel.
# The first step of Adam has the length of the rate: the weight of the true class grows by 0.1, the
# other one falls by 0.1.


# %% test="test_train_epoch" points=2
def example_of_train_epoch():
    model = nn.Sequential(nn.Flatten(), nn.Linear(1, 2, bias=False))
    with torch.no_grad():
        model[1].weight.zero_()
    memory = {}
    picture, label = torch.ones(1, 1, 1, 1), torch.tensor([1])
    call("one picture", STEPS, train_epoch, model, picture, label, memory, 0.1, 0)
    want = torch.tensor([[-0.1], [0.1]])
    assert_same("the weights after one step", model[1].weight.detach(), want)
    assert set(memory) == {"1.weight"}, f"memory has a state for '1.weight'; got {set(memory)}"


example_of_train_epoch()
### BEGIN HIDDEN TESTS


def epoch_model(generator, channels, classes):
    """No bias before a batch norm: its gradient is rounding alone, which Adam would magnify."""
    conv = nn.Conv2d(channels, 4, 3, padding=1, bias=False)
    head = nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(4 * 5 * 6, classes))
    model = nn.Sequential(conv, nn.BatchNorm2d(4), head).double()
    with torch.no_grad():
        for value in model.parameters():
            value.copy_(0.3 * torch.randn(value.shape, generator=generator) + 0.1)
    return model


def reference_epoch(model, images, labels, optimiser, number):
    model.train()
    generator = torch.Generator().manual_seed(number)  # fixed
    order = torch.randperm(len(images), generator=generator)
    for batch in order.split(16):
        optimiser.zero_grad()
        F.cross_entropy(model(images[batch]), labels[batch]).backward()
        optimiser.step()


class Epochs:
    """A model that PyTorch's Adam trains, too."""

    def __init__(self, count, channels, classes, generator, device):
        images = torch.randn(count, 6, 5, channels, generator=generator, dtype=torch.float64)
        self.images = images.to(device).permute(0, 3, 2, 1)
        self.labels = torch.randint(classes, (count,), generator=generator).to(device)
        self.model = epoch_model(generator, channels, classes).to(device)
        self.want, self.values = copy.deepcopy(self.model), list(self.model.parameters())
        self.forget()

    def forget(self):
        """From here on with a new memory, and with gradients that an earlier loss left."""
        self.memory, self.optimiser = {}, torch.optim.Adam(self.want.parameters(), lr=1.0)
        for value in self.model.parameters():
            value.grad = torch.ones_like(value)

    def compare(self, function, rate, number, case):
        self.model.eval()
        self.optimiser.param_groups[0]["lr"] = rate
        reference_epoch(self.want, self.images, self.labels, self.optimiser, number)
        case = f"{len(self.images)} pictures, rate {rate}, {case}"
        call(case, STEPS, function, self.model, self.images, self.labels, self.memory, rate, number)
        hint = "All batches, each with its own gradients and labels; Adam remembers."
        for (name, value), right in zip(
            self.want.state_dict().items(), self.model.state_dict().values(), strict=True
        ):
            assert_same(f"{case}: {name}", right, value, hint)
        training = all(layer.training for layer in self.model.modules())
        assert training, f"{case}: set the model to training mode."
        self.compare_memory(case)
        same = all(a is b for a, b in zip(self.values, self.model.parameters(), strict=True))
        assert same, f"{case}: write into the parameters: others hold them too."

    def compare_memory(self, case):
        names = [name for name, _ in self.want.named_parameters()]
        kept = sorted(self.memory)
        assert kept == sorted(names), f"{case}: memory has a state for each of {names}, got {kept}"
        for name, value in self.want.named_parameters():
            mean, square, steps = self.memory[name]
            known, hint = self.optimiser.state[value], "It is the state that adam_step gives."
            assert_same(f"{case}: m of {name} in memory", mean, known["exp_avg"], hint)
            assert_same(f"{case}: v of {name} in memory", square, known["exp_avg_sq"], hint)
            right = int(known["step"])
            assert steps == right, f"{case}: memory counts {steps} steps of {name}, not {right}"


def check_train_epoch(function):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    generator = torch.Generator().manual_seed(311)
    cases = [(37, 2, 3), (16, 1, 5), (20, 3, 2), (70, 3, 2), (5, 2, 4), (33, 2, 3)]
    runs = [Epochs(*case, generator, device) for case in cases]
    for epoch, number in enumerate((312, 0, 313, 317)):
        for place, run in enumerate(runs):  # taking turns: nothing is shared
            rate = (0.01, 0.03, 0.002)[(epoch + place) % 3]
            run.compare(function, rate, number, f"epoch {epoch}, seed {number}")
    for run in runs[:2]:
        run.forget()
        run.compare(function, 0.01, 314, "the same model with a new memory")
    runs[2].compare(function, 0.0, 315, "a rate of 0")
    run = Epochs(32, 2, 3, generator, device)
    order = torch.randperm(32, generator=torch.Generator().manual_seed(318))  # fixed
    run.images[order[16:]] = 0  # Adam goes on where a gradient is 0
    run.compare(function, 0.01, 318, "the second batch is black")


check_train_epoch(train_epoch)
### END HIDDEN TESTS

# %% [markdown]
# ### When to stop
#
# Train too short, and the network has learned little. Train too long, and it learns its training
# pictures by heart: their loss falls, while the loss of *other* pictures rises. So we keep a few
# pictures aside, the **validation set**, and look at their loss after each epoch.
#
# The loss goes up and down from epoch to epoch, so one bad epoch is no reason to stop. We have
# *patience*: we stop when so many epochs **in a row** have brought no improvement. And we give back
# the network of the **best** epoch, not of the last.
#
# With patience 2 and the validation losses
#
# | epoch | 0 | 1 | 2 | 3 | 4 | 5 |
# |---|---|---|---|---|---|---|
# | loss | 2.0 | 1.6 | 1.7 | 1.5 | 1.5 | 1.8 |
#
# training stops after epoch 5: epoch 3 was the best, and epochs 4 and 5 brought no improvement. An
# equal loss is no improvement, and any smaller one is, by however little. A loss that is not a
# number (`nan`) is none.
#
# ### Task 5b: stop in time (2 points)
#
# You get two functions. `train(model, epoch)` trains the model for one epoch; `epoch` counts from
# 0. `measure(model)` gives the validation loss, a `float`. Both choose the mode (training or
# evaluation) that they need. Train for at most `most` epochs. Return the list of the validation
# losses, one for each epoch that was trained.
#
# At the end the model itself has the weights of its best epoch, and it is in evaluation mode. All
# that `model.state_dict()` holds goes back: batch norm's running statistics belong to it.
#
# 1. After each epoch: measure, and append the loss to the list.
# 2. Is it less than the best loss so far? Then remember it, and **copy** all values of the model.
# 3. Otherwise count. When are so many epochs in a row without improvement that you stop?
#    (`patience` and `most` are at least 1.)
# 4. At the end put the copied values back: `model.load_state_dict(...)`.
#
# <details><summary>Hint: the model comes back with the last weights</summary>
# <code>model.state_dict()</code> doesn't copy: its tensors are those of the model, and change with
# it. <code>copy.deepcopy(model.state_dict())</code> does copy.</details>
#
# <details><summary>Hint: it stops too early</summary>An improvement sets the count back to
# zero.</details>


# %% solution="fit"
def fit(model, train, measure, patience, most):
    """Train until `patience` epochs bring nothing; model becomes its best; validation losses."""
    ### BEGIN SOLUTION
    losses, best, kept, waited = [], float("inf"), None, 0
    for epoch in range(most):
        train(model, epoch)
        losses.append(measure(model))
        if losses[-1] < best:
            best, waited = losses[-1], 0
            kept = copy.deepcopy(model.state_dict())
        else:
            waited += 1
        if waited == patience:
            break
    model.load_state_dict(kept)
    model.eval()
    return losses
    ### END SOLUTION


# %% [markdown]
# The example is the table above. Its model has one weight, and "training" writes the number of the
# epoch into it; so the weight says which epoch was kept.


# %% test="test_fit" points=2
def example_of_fit():
    model, table = nn.Linear(1, 1, bias=False), [2.0, 1.6, 1.7, 1.5, 1.5, 1.8, 0.1]
    measured = []

    def train(model, epoch):
        with torch.no_grad():
            model.weight.fill_(epoch)

    def measure(model):
        measured.append(int(model.weight.item()))
        return table[measured[-1]]

    losses = call("the table, patience 2", STEPS, fit, model, train, measure, 2, 7)
    assert losses == table[:6], f"the table, patience 2: expected {table[:6]}, got {losses}"
    kept = model.weight.item()
    assert kept == 3, f"expected the weights of epoch 3, the best; got those of epoch {kept:g}"
    assert not model.training, "expected the model in evaluation mode"


example_of_fit()
### BEGIN HIDDEN TESTS


def numbers_of(model):
    return [value.detach().clone() for value in model.state_dict().values()]


class Fitting:
    """A model whose training draws other numbers in each epoch, and whose losses are given."""

    def __init__(self, table, patience, most, generator):
        layers = [nn.Linear(3, 2), nn.BatchNorm1d(2, affine=False), nn.Dropout(0.5)]
        self.model = nn.Sequential(nn.Sequential(*layers), nn.Linear(2, 1)).double()
        self.table, self.patience, self.most = table, patience, most
        self.generator, self.states, self.trained, self.measured = generator, [], [], []
        self.values, self.moved = list(self.model.parameters()), []
        self.case = f"losses {table}, patience {patience}, at most {most} epochs"

    def train(self, model, epoch):
        self.look(model)
        self.trained.append(epoch)
        model.train()
        with torch.no_grad():
            for value in [*model.parameters(), *model.buffers()]:
                drawn = torch.randn(value.shape, generator=self.generator, dtype=torch.float64)
                value.copy_(drawn if value.is_floating_point() else epoch + 1)
        self.states.append(numbers_of(model))

    def measure(self, model):
        self.look(model)
        model.eval()
        self.measured.append(len(self.trained) - 1)
        model.train()  # so that whoever wants evaluation mode at the end has to set it
        return self.table[len(self.trained) - 1]

    def look(self, model):
        """Note whether a model has other numbers than its last epoch gave it."""
        if self.states and not all(map(torch.equal, numbers_of(model), self.states[-1])):
            self.moved.append(len(self.trained) - 1)

    def kept(self):
        """The epochs whose numbers the model has now."""
        now = numbers_of(self.model)
        return [at for at, then in enumerate(self.states) if all(map(torch.equal, now, then))]


def check_fitting(epochs, kept, run):
    given = (run.model, run.train, run.measure, run.patience, run.most)
    losses = call(run.case, STEPS, fit, *given)
    assert isinstance(losses, list), f"{run.case}: expected a list, got {type(losses).__name__}"
    want = run.table[:epochs]
    assert repr(losses) == repr(want), f"{run.case}: expected the list {want}, got {losses}"
    assert run.trained == run.measured == list(range(epochs)), (
        f"{run.case}: trained the epochs {run.trained}, measured after {run.measured}: "
        "once each, from 0."
    )
    hint = "put the best back at the end only."
    assert not run.moved, f"{run.case}: the weights changed after epoch {run.moved[0]}: {hint}"
    got = run.kept()
    assert got, f"{run.case}: parameters and running statistics are of no or of different epochs."
    hint = "The best epoch, and of equal ones the first; state_dict() doesn't copy."
    assert got == [kept], f"{run.case}: expected epoch {kept}'s weights, got {got[0]}'s. {hint}"
    modes = any(layer.training for layer in run.model.modules())
    assert not modes, f"{run.case}: the model ends in evaluation mode."
    same = all(a is b for a, b in zip(run.values, run.model.parameters(), strict=True))
    assert same, f"{run.case}: load the values into the model's own parameters."


def check_fit():
    nan, generator = float("nan"), torch.Generator().manual_seed(316)
    wave = [1.0, 0.9, 0.95, 0.8, 0.85, 0.86, 0.7, 0.71, 0.72, 0.73, 0.1]
    cases = [  # losses, patience, most, epochs trained, epoch kept
        ([3.0, 2.0, 1.0, 0.5], 2, 3, 3, 2),
        ([1.0, 2.0, 3.0, 0.5], 3, 4, 4, 3),
        ([2.0, 2.5, 1.5, 1.5, 1.4, 1.9, 1.0], 1, 7, 2, 0),
        (wave, 3, 11, 10, 6),
        (wave, 2, 11, 6, 3),
        ([1.0, 2.0, 3.0, 1.5, 1.2, 1.1, 0.5], 5, 7, 6, 0),
        ([1.0, 1.0, 1.0, 0.9], 2, 4, 3, 0),
        ([-2.0, -2.2, -2.1, -2.15, -3.5], 2, 5, 4, 1),
        ([1.0, nan, 0.9, nan, nan, 0.1], 2, 6, 5, 2),
        ([6.0, nan, 5.0, nan, 4.5, nan], 2, 6, 6, 4),
        ([5.0], 1, 1, 1, 0),
        ([1e9, 1e8, 1e10, 1e7], 5, 4, 4, 3),
        ([3e300, 5e300, 4e300, 3.5e300], 9, 4, 4, 0),  # never better: the first is the best
        ([1.0, 0.5, 0.75, 0.6], 5, 4, 4, 1),  # patience doesn't end
        ([2.0, 1.0, 1.5, 0.25, 0.5, 0.75], 2, 5, 5, 3),
        ([1.0, 0.0, 0.25, 0.5, -1.0], 2, 5, 4, 1),  # 0 is a loss as any other
        ([0.0, 1.0, 0.5, 2.0], 4, 4, 4, 0),
        ([1.0, 1.0 - 1e-12, 1.0, 1.0 - 2e-12, 1.0], 2, 5, 5, 3),  # by however little
        ([1e-30, 2e-30, 1e-31, 3e-31, 1e-33], 2, 5, 5, 4),
        ([-1e-9, -1e-8, 0.0, 1e-9, -1.0], 2, 5, 4, 1),
    ]
    for table, patience, most, epochs, kept in cases:
        check_fitting(epochs, kept, Fitting(table, patience, most, generator))


check_fit()
### END HIDDEN TESTS

# %% [markdown]
# ### The photographs (1 point)
#
# Nothing is left to write. The stamps of lecture 1 come in three parts: ten pictures of each class
# to train with, four of each class to decide when to stop, and all others for the test. The
# pictures are small, $16 \times 16$, so that the training takes seconds.


# %% given="photographs"
@cache
def small_stamps():
    """All stamps, 16 × 16, and their labels; they are made once."""
    stamps = load_stamps()
    small = F.interpolate(stamps.images / 255, size=16, mode="bilinear", antialias=True)
    return small, stamps.labels


def photographs(seed):
    """Training, validation and test pictures (N, 3, 16, 16), each with their labels."""
    small, labels = small_stamps()
    train, rest = split_per_class(labels, 10, seed)
    validation, test = (rest[part] for part in split_per_class(labels[rest], 4, seed))
    mean = small[train].mean((0, 2, 3), keepdim=True)
    std = small[train].std((0, 2, 3), keepdim=True)
    return [((small[part] - mean) / std, labels[part]) for part in (train, validation, test)]


# %% given="small_vgg"
def small_vgg(plan, seed):
    """A VGG with a short plan and one dense layer, for the eight classes of the stamps."""
    torch.manual_seed(seed)
    filters = [entry for entry in plan if entry != "M"]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(filters[-1], 8)]
    return nn.Sequential(features(plan, batch_norm=True), *head)


# %% given="scores"
@torch.no_grad()
def validation_loss(model, images, labels):
    """The mean cross-entropy in evaluation mode, as a float."""
    return F.cross_entropy(model.eval()(images), labels).item()


@torch.no_grad()
def balanced_accuracy(model, images, labels):
    """The share of right answers in each class, averaged over the classes; in percent."""
    right = model.eval()(images).argmax(1) == labels
    shares = [right[labels == label].double().mean() for label in labels.unique()]
    return 100 * torch.stack(shares).mean().item()


# %% [markdown]
# Run it. Which epoch is the best? How many epochs more did `fit` try? Whoever guesses is right in
# 12.5 % of the cases.


# %%
def show_training(patience):
    training, validation, test = photographs(seed=0)
    model, memory = small_vgg([8, "M", 16, 16, "M"], seed=0), {}
    losses = fit(
        model,
        lambda model, epoch: train_epoch(model, *training, memory, rate=0.01, seed=epoch),
        lambda model: validation_loss(model, *validation),
        patience,
        most=20,
    )
    print(" ".join(f"{loss:.2f}" for loss in losses))
    print(f"best epoch: {losses.index(min(losses))} of {len(losses)} (counted from 0)")
    print(f"training pictures: {balanced_accuracy(model, *training):.1f} % right")
    print(f"new pictures     : {balanced_accuracy(model, *test):.1f} % right")


show_training(patience=4)

# %% [markdown]
# The test trains a smaller network for a few epochs. It compares the losses with those that
# PyTorch's own Adam gives. So all your functions must work together.


# %% test="test_training" points=1
def example_of_training_on_photographs():
    training, validation, _ = photographs(seed=1)
    model, memory = small_vgg(["M", 4, "M", 6], seed=1), {}

    def train(model, epoch):
        train_epoch(model, *training, memory, 0.01, epoch)

    losses = fit(model, train, lambda model: validation_loss(model, *validation), 3, 4)
    last = losses[-1]
    assert last < 3, f"the last validation loss is {last:.3f}; a guess costs log 8, about 2.08"


example_of_training_on_photographs()
### BEGIN HIDDEN TESTS


def photographs_on(device, split):
    parts = photographs(split)
    return [(images.to(device, torch.float64), labels.to(device)) for images, labels in parts]


def own_training(split, plan, rate, patience, most):
    """The same training with PyTorch's layers and Adam, from the weights that it returns."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    training, validation, _ = photographs_on(device, split)
    filters = [entry for entry in plan if entry != "M"]
    torch.manual_seed(split)  # before the first layer draws its weights
    body, channels = [], 3
    for entry in plan:
        new = [nn.MaxPool2d(2)]
        if entry != "M":
            new = [nn.Conv2d(channels, entry, 3, padding=1), nn.BatchNorm2d(entry), nn.ReLU()]
            channels = entry
        body += new
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(filters[-1], 8)]
    model = nn.Sequential(nn.Sequential(*body), *head).double().to(device)
    start = copy.deepcopy(model.state_dict())
    optimiser, losses, waited = torch.optim.Adam(model.parameters(), lr=rate), [], 0
    while len(losses) < most and waited < patience:
        model.train()
        generator = torch.Generator().manual_seed(len(losses))
        order = torch.randperm(80, generator=generator)
        for batch in order.split(16):
            optimiser.zero_grad()
            F.cross_entropy(model(training[0][batch]), training[1][batch]).backward()
            optimiser.step()
        losses.append(validation_loss(model, *validation))
        waited = 0 if losses[-1] == min(losses) else waited + 1
    return start, losses


def check_training_on_photographs(seed):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    split, plan = seed, ["M", 3, "M", 5, 5]
    start, want = own_training(split, plan, 0.1, 2, 7)
    training, validation, _ = photographs_on(device, split)
    other = built("small_vgg", small_vgg, plan, split)
    model, memory = built("small_vgg", small_vgg, plan, split), {}
    untouched = copy.deepcopy(other.state_dict())
    model.load_state_dict(start)

    def train(model, epoch):
        call(f"epoch {epoch}", STEPS, train_epoch, model, *training, memory, 0.1, epoch)

    def measure(model):
        return validation_loss(model, *validation)

    losses = fit(model, train, measure, 2, 7)
    case = f"the photographs of seed {split}, plan {plan}"
    hint = f"{case}: expected {len(want)} epochs, got {len(losses)}: see tasks 5a and 5b"
    assert len(losses) == len(want), hint
    for epoch, (loss, right) in enumerate(zip(losses, want, strict=True)):
        error = abs(loss - right)
        assert error < 1e-6, f"{case}, epoch {epoch}: expected {right:.6f}, got {loss:.6f}"
    kept = validation_loss(model, *validation)
    best = min(want)
    hint = f"the kept weights have the loss {kept:.6f}, the best epoch had {best:.6f}"
    assert abs(kept - best) < 1e-6, f"{case}: {hint}"
    same = all(torch.equal(value, untouched[name]) for name, value in other.state_dict().items())
    assert same, f"{case}: another network, built before, has changed with this one."


check_training_on_photographs(seed=315)
### END HIDDEN TESTS

# %% [markdown]
# **Try it.** Set `patience` to 1, and then to 20. What happens to the number of epochs, and what to
# the accuracy on new pictures? Then train with `batch_norm=False` in `small_vgg`.
#
# ## Part 6: an experiment, and three questions
#
# *Lecture section: By experiment.*
#
# Batch norm before the max pool, or after it? Here is a small network in both orders. Everything
# else is the same in a pair: the split into training and new pictures, the first weights, the order
# of the batches. It is trained with your functions for 8 epochs.


# %% given="order_experiment"
def network_in_order(norm_first, seed):
    """Two blocks with 8 and 16 filters; in each, batch norm before or after the max pool."""
    torch.manual_seed(seed)
    layers, channels = [], 3
    for filters in (8, 16):
        pair = [nn.BatchNorm2d(filters), nn.MaxPool2d(2)]
        conv = nn.Conv2d(channels, filters, 3, padding=1)
        layers += [conv, *(pair if norm_first else pair[::-1]), nn.ReLU()]
        channels = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 8))


# %% given="right_in_order"
def right_in_order(norm_first, seed):
    """Balanced accuracy on new pictures after 8 epochs in double precision, in percent."""
    training, *others = ((images.double(), labels) for images, labels in photographs(seed))
    model, memory = network_in_order(norm_first, seed).double(), {}
    for epoch in range(8):
        train_epoch(model, *training, memory, rate=0.01, seed=epoch)
    images, labels = (torch.cat(parts) for parts in zip(*others, strict=True))
    return balanced_accuracy(model, images, labels)


# %%
def show_orders(splits):
    for seed in range(splits):
        first, after = right_in_order(True, seed), right_in_order(False, seed)
        print(f"split {seed}: norm first {first:.1f} %, pool first {after:.1f} %", end=", ")
        print(f"{after - first:+.1f}")


show_orders(2)

# %% [markdown]
# Two splits, and pool first is clearly ahead on both of them. The authors of this course ran
# twelve, from seed 0 to seed 11. That takes some seconds; you can do it with `show_orders(12)`. By
# how many points was pool first better?
#
# | split | 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 |
# |---|---|---|---|---|---|---|---|---|---|---|---|---|
# | points | +2.1 | +7.1 | +5.5 | −2.4 | −3.5 | +0.6 | −0.6 | +7.8 | +2.3 | −2.3 | +5.3 | −5.0 |
#
# The mean of the twelve is $+1.4$ points. Their standard deviation is $4.3$, so the *standard
# error* of the mean is $4.3/\sqrt{12} = 1.2$. (The standard error says by how much the mean would
# change if one took twelve other splits. A rule of thumb: a mean nearer to 0 than two standard
# errors may be chance alone.) The first question is about this table.
#
# ### Three questions, one attempt each
#
# You get the points of a question **if and only if your first answer is right**. Later answers
# score nothing, so take paper, take a hint if you like (hints cost nothing), and submit when you
# are sure.
#
# What you submit is written to the file `attempts.jsonl` beside this notebook. It came with the
# assignment, and it is part of what you hand in: leave it where it is, and don't edit it. Whether
# you were right, and the complete solution, you learn with your feedback.
#
# The third question has numbers of your own, drawn from your student id.
#
# ### What do twelve splits show? (2 points)

# %% given="ask_norm_order"
from course_utils.quiz import ask

ask("norm_order")

# %% [markdown]
# ### Two modes (1 point)

# %% given="ask_two_modes"
ask("two_modes")

# %% [markdown]
# ### A running variance (1 point)

# %% given="ask_running_variance"
ask("running_variance")

# %% [markdown]
# The next three cells are where your answers are marked. Until you have answered, they say that
# there is no answer yet; once you have, they say nothing.

# %% quiz="norm_order"

# %% quiz="two_modes"

# %% quiz="running_variance"

# %% [markdown]
# ## What to take with you
#
# - VGG is a list of numbers. Its table says what it costs, before anything is trained.
# - Batch norm is another function in training than in evaluation. In training every number of a
#   channel moves every other one, and the backward pass has to say so.
# - An optimiser is a few lines and some memory: one number a parameter for momentum, two for Adam.
# - A validation set decides when to stop. Keep a *copy* of the best weights, running statistics
#   included.
# - A difference that is smaller than two standard errors is no result.
#
# **A question to end with.** You have chosen the epoch with the smallest validation loss, out of
# twenty. Is that loss a fair estimate of the loss on new pictures? What are the test pictures for?
