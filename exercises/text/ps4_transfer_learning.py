# ---
# jupyter:
#   autograder:
#     hidden: [course_utils.training, course_utils.models:swap_head]
# ---

# %% [markdown]
# # Transfer learning
#
# In lecture 04 the course did the transfer for you: a network that had learned from a million
# photographs got a new last layer, and sixty pictures were enough to train it. Here you write each
# step yourself. You measure, you look for mistakes in the way data were split, you exchange the
# head, you freeze the body, and you train. At the end your function gets photographs of six kinds
# of things, and has to name others that it never saw.
#
# **After this assignment you can**
#
# - measure top-1, top-5 and balanced accuracy, and say what happens with ties;
# - find three leaks between training and test pictures: near twins, groups, statistics;
# - put a new head on any network, and freeze all of the rest, running statistics included;
# - give each block of a network its own learning rate, and train so that a run can be repeated;
# - choose the data set that a network should have learned from, and defend your choice.
#
# | | |
# |---|---|
# | Comes from | lecture `lectures/04_transfer_learning.ipynb`; each part names its section |
# | Time | about 170 minutes: 25, 30, 40, 45, 20 and 10 for the six parts |
# | Points | 31: 23 for code, 4 for the text of part 5, 4 for the questions of part 6 |
#
# **How to hand in.** Choose *Kernel → Restart Kernel and Run All Cells*, look at what the tests
# say, and save. (JupyterLab stops at the first test that fails. Run the cells after it one by one,
# with Shift-Enter.) Then submit in nbgrader's *Assignment List*, or, if your course collects files,
# run `from course_utils import hand_in` and `hand_in("ps4")` and upload the zip that it makes.
#
# **How it is graded.** Every programming task ends in one or two test cells. What you see of a
# test is a small example that you can follow with pencil and paper. When your work is graded, the
# same cell also runs checks that you don't see: other shapes, other networks, other numbers. A test
# gives all its points or none. The text of part 5 is read and marked by a person. Of the questions
# in part 6 **only the first answer that you submit counts.**

# %% [markdown]
# ## Before you start
#
# Five house rules hold for all your functions:
#
# 1. Write the steps yourself. Lecture 04 had helpers for them: everything in
#    `course_utils.training`, and `swap_head` in `course_utils.models`. Neither your functions nor
#    your helpers may call these, under whatever name: the tests see what runs, not what it is
#    called. While your work is graded they are not there at all. All else is allowed: all of
#    PyTorch, torchvision and numpy, and the functions that you wrote in an earlier task.
# 2. Leave what you are given as it is: tensors, lists, networks. Only where a task says *in place*
#    you change the network that you get.
# 3. Leave chance as it is. Draw random numbers from a `torch.Generator` of your own. After a call
#    of your function the global generators (of PyTorch, numpy and Python) must be where they were
#    before. There is one exception: PyTorch draws the first weights of a new layer from its global
#    generator, and in `swap_head` it may. Seeding it is not allowed there either.
# 4. Work on the device and in the dtype of the tensors that you get. Where a task asks for a
#    `float`, an `int` or a `bool`, it means Python's own, not a tensor with one element.
# 5. Every call begins anew. Don't store results for later calls: the same tensor or network may
#    hold other numbers then. A list or a network that you make belongs to that call: no later call
#    changes it, and it is never something that you were given.
#
# What your functions get:
#
# | name | what it is |
# |---|---|
# | `outputs` | finite numbers of shape (N, C), in `float16`, `float32` or `float64` |
# | `labels`, `answers` | whole numbers (`int64`) from 0, of shape (N,) |
# | `images` in part 2 | bytes (`uint8`) of shape (N, C, H, W), with any number of channels |
# | `train`, `test` in part 2 | lists of positions: `int` from 0, each once, in any order |
# | `k`, `classes`, `batch_size` | an `int` from 1 |
# | `head` | the name of a layer or of a block, as `network.named_modules()` gives it |
# | `seed` | an `int` from 0 |
#
# All tensors of a call are on one device. They may be transposed or expanded views, for which
# `x.view(-1)` fails and `x.reshape(-1)` works. A `float` that you return may be off by a millionth.
# You needn't care about rounding at a limit: in the tests no number is so near to its limit that
# rounding decides.

# %% given="imports"
import copy

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from course_utils.data import load_stamps, split_per_class
from course_utils.models import imagenet_classes, preprocess, squeezenet
from course_utils.quiz import ask
from course_utils.testing import assert_same, call

# %% given="house_rules"
RULES = ("course_utils.training", "course_utils.models.swap_head", "chance")
HEADS = ("course_utils.training", "course_utils.models.swap_head", "chance-but-torch")

# %% [markdown]
# A test calls `call("the case", RULES, your_function, …)`: it calls your function, sees to rules
# 1, 2 and 3, and says in which case something went wrong. `assert_same` names the first element of
# a tensor that differs, and `assert_share` below compares a `float`. You may use all three while
# you look for a mistake.


# %% given="assert_share"
def assert_share(what, got, want, hint=""):
    """Fail if `got` is not the Python float `want`."""
    kind = type(got).__name__
    assert type(got) is float, f"{what}: expected a Python float, got {got!r} of type {kind}."
    assert abs(got - want) < 1e-6, f"{what}: expected {want:.4f}, got {got:.4f}. {hint}"


# %% [markdown]
# ## Part 1: measure before you compare
#
# *Lecture section: How to measure: top-1 and top-5.*
#
# A network gives one number for each class, its *outputs*. Three pictures and three classes:
#
# | picture | outputs | right class | top-1 | top-2 |
# |---|---|---|---|---|
# | 0 | 2.0, 1.0, 0.5 | 0 | hit: no other output is as large | hit |
# | 1 | 0.0, 3.0, 1.0 | 2 | miss | hit: class 2 is second |
# | 2 | 1.5, 1.5, 0.0 | 0 | miss: class 1 ties with it | hit |
#
# So top-1 accuracy is 1/3, and top-2 accuracy is 1. Picture 2 shows the rule for **ties**. A
# network that gives all classes the same output knows nothing, and should get nothing. So among
# equal outputs the right class counts as the *last* one: a picture is a hit if at most $k$ classes,
# the right one included, have an output as large as that of the right class or larger. Outputs
# that differ by however little are no tie.
#
# ### Task 1a: top-k accuracy (1 point for top-1, 2 points for other k)
#
# 1. If there are no pictures, raise a `ValueError`: a share of nothing isn't a number.
# 2. Pick the output of the right class from each row.
# 3. Count in each row the classes whose output is as large or larger. The right class is one of
#    them.
# 4. Return the share of the rows in which that count is at most `k`, as a `float` from 0 to 1.
#
# With fewer than `k` classes every picture is a hit: look at your count, and you see why.
#
# <details><summary>Hint: one number from each row</summary><code>outputs.gather(1, labels[:,
# None])</code> has the shape (N, 1), which lines up with (N, C).</details>
#
# <details><summary>Hint: topk gives other shares</summary>With ties, <code>topk</code> and
# <code>argmax</code> pick one of the tied classes, and it may be the right one by luck. Count
# instead.</details>


# %% solution="top_k_accuracy"
def top_k_accuracy(outputs, labels, k):
    """The share of pictures (a float) whose right class is among the k largest outputs.

    outputs: (N, C), one row for each picture; labels: (N,), each from 0 to C - 1; k: from 1.
    """
    ### BEGIN SOLUTION
    if len(labels) == 0:
        raise ValueError("no pictures: there is nothing to take a share of")
    own = outputs.gather(1, labels[:, None])
    rank = (outputs >= own).sum(dim=1)
    return (rank <= k).double().mean().item()
    ### END SOLUTION


# %% [markdown]
# The example is the table above, with `k` of 1.


# %% test="test_top_1" points=1
### BEGIN HIDDEN TESTS
def assert_refused(case, function, *inputs):
    """Fail unless `function` raises a ValueError: there are no pictures to measure with."""
    try:
        got, refused = call(case, RULES, function, *inputs), False
    except AssertionError as error:
        got, refused = error, isinstance(error.__cause__, ValueError)
    assert refused, f"{case}: expected a ValueError, got {got}"


def transposed(x):
    """The same tensor with another layout: in memory, its first dimension runs fastest."""
    backwards = tuple(range(x.dim()))[::-1]
    return x.permute(backwards).contiguous().permute(backwards)


def check_hits(function, n, c, k, generator):
    """Rows with many ties, then with few, then the first row for all pictures."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    labels = torch.randint(c, (n,), generator=generator)
    for spread, dtype in [(2, torch.float32), (9, torch.float16), (300, torch.float64)]:
        outputs = torch.randint(-spread, spread + 1, (n, c), generator=generator) / 4 - 0.25
        outputs = outputs.to(device, dtype)
        views = {2: outputs, 9: outputs[:1].expand(n, c), 300: transposed(outputs)}
        rows = list(zip(views[spread].tolist(), labels.tolist(), strict=True))
        want = sum(sum(o >= row[y] for o in row) <= k for row, y in rows) / n
        case = f"top-{k} of {n} pictures, {c} classes, {dtype}"
        got = call(case, RULES, function, views[spread], labels.to(device), k)
        hint = "" if spread == 300 else "Of tied classes the right one counts as the last."
        assert_share(case, got, want, hint)


def check_other_hits(function, k):
    """The same tensors, which hold other numbers at each call; then no pictures."""
    outputs, labels = torch.zeros(4, k + 1), torch.tensor([0, 0, 0, 1])
    case = f"top-{k}, one tensor, changed since the last call"
    for place, want in ((0, 0.75), (1, 0.25)):
        outputs.zero_()
        got = call(case, RULES, function, outputs, labels, k)
        assert_share(f"{case}: all outputs are equal", got, 0.0, "Ties are misses.")
        outputs[:, place] = 1.0
        got = call(case, RULES, function, outputs, labels, k)
        assert_share(f"{case}: class {place} has 1, the others 0", got, want)
    nothing = torch.zeros(0, 3), torch.zeros(0).long()
    assert_refused(f"top-{k} of no pictures", function, *nothing, k)


### END HIDDEN TESTS
def example_of_top_1():
    outputs = torch.tensor([[2.0, 1.0, 0.5], [0.0, 3.0, 1.0], [1.5, 1.5, 0.0]])
    got = call("top-1 of the table", RULES, top_k_accuracy, outputs, torch.tensor([0, 2, 0]), 1)
    assert_share("top-1 of the table", got, 1 / 3, "Picture 2 is a tie: a miss.")


example_of_top_1()
### BEGIN HIDDEN TESTS


def check_top_1(function):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    generator = torch.Generator().manual_seed(401)
    for n, c in [(7, 3), (1, 4), (11, 1), (40, 10), (30, 4)]:
        check_hits(function, n, c, 1, generator)
    labels = torch.tensor([0, 1, 2, 3, 0, 1])
    got = call("all outputs 0.7", RULES, function, torch.full((6, 4), 0.7), labels, 1)
    assert_share("a network that says the same of all classes", got, 0.0, "Ties are misses.")
    near = torch.tensor([[1 + 1e-9, 1.0, 0.0], [0.5, 0.5 - 1e-4, 0.0]], dtype=torch.float64)
    case = "outputs that differ by 1e-9 and by 1e-4"
    got = call(case, RULES, function, near.to(device), torch.tensor([0, 0]).to(device), 1)
    assert_share(case, got, 1.0, "These are no ties.")
    check_other_hits(function, 1)


check_top_1(top_k_accuracy)
### END HIDDEN TESTS

# %% [markdown]
# And with other `k`: the table again, and a network that has only two classes.


# %% test="test_top_5" points=2
def example_of_top_5():
    outputs = torch.tensor([[2.0, 1.0, 0.5], [0.0, 3.0, 1.0], [1.5, 1.5, 0.0]])
    got = call("top-2 of the table", RULES, top_k_accuracy, outputs, torch.tensor([0, 2, 0]), 2)
    assert_share("top-2 of the table", got, 1.0)
    outputs = torch.tensor([[0.25, 0.75]])
    got = call("top-5 of two classes", RULES, top_k_accuracy, outputs, torch.tensor([0]), 5)
    hint = "With two classes the right one is always among the first five."
    assert_share("top-5 of two classes", got, 1.0, hint)


example_of_top_5()
### BEGIN HIDDEN TESTS


def check_top_5(function):
    generator = torch.Generator().manual_seed(402)
    cases = [(9, 3, 5), (7, 5, 5), (1, 6, 5), (50, 8, 5), (31, 8, 2), (23, 9, 3), (20, 1000, 5)]
    for n, c, k in [*cases, (13, 4, 4), (17, 6, 1), (64, 12, 7)]:
        check_hits(function, n, c, k, generator)
    border = torch.tensor([[9.0, 8.0, 7.0, 6.0, 5.5, 5.5]])
    got = call("a tie at the border", RULES, function, border, torch.tensor([4]), 5)
    hint = "Two classes share places 5 and 6; the right one counts as the last."
    assert_share("a tie at the border", got, 0.0, hint)
    check_other_hits(function, 5)


check_top_5(top_k_accuracy)
### END HIDDEN TESTS

# %% [markdown]
# How good is SqueezeNet on our photographs? ImageNet has a class for some of them. The next cell
# takes those that have exactly one right answer. How much kinder is top-5 than top-1?

# %%
stamps = load_stamps()
named = [i for i, names in enumerate(stamps.imagenet) if len(names) == 1]
truth = torch.tensor([imagenet_classes().index(*stamps.imagenet[i]) for i in named])
network = squeezenet()
with torch.no_grad():
    outputs = torch.cat([network(preprocess(stamps.images[i], 128)) for i in named])
for k in (1, 5, 1000):
    print(f"top-{k} of {len(named)} pictures: {top_k_accuracy(outputs, truth, k):.1%}")

# %% [markdown]
# ### Task 1b: balanced accuracy (1 point)
#
# Of four test pictures three show a mammal and one a bird. Somebody who always says "mammal" is
# right on 75 % of them. But of the mammals all are right, and of the birds none is: the mean of
# $1$ and $0$ is $0.5$. That is **balanced accuracy**: the mean, over the classes, of the share of
# right answers among the pictures of that class.
#
# 1. If there are no pictures, raise a `ValueError`.
# 2. Find the classes that occur in `labels`. Only these count: a class without a picture has no
#    share. Their numbers may have gaps, such as 2, 7 and 11.
# 3. For each of them, compute the share of right answers among its pictures. An answer that is none
#    of these classes is as wrong as any other.
# 4. Return the mean of the shares, as a `float`.
#
# <details><summary>Hint: the pictures of one class</summary><code>labels == c</code> is true for
# them. <code>answers[labels == c]</code> are the answers to them.</details>
#
# <details><summary>Hint: nan comes out</summary>That is the mean of no numbers. Which class has no
# picture? Loop over <code>labels.unique()</code>.</details>


# %% solution="balanced_accuracy"
def balanced_accuracy(answers, labels):
    """The mean over the classes in `labels` of the share of right answers (a float).

    answers, labels: (N,), the class said and the right class of each picture, in any order.
    """
    ### BEGIN SOLUTION
    if len(labels) == 0:
        raise ValueError("no pictures: there is nothing to take a share of")
    shares = [(answers[labels == c] == c).double().mean() for c in labels.unique()]
    return torch.stack(shares).mean().item()
    ### END SOLUTION


# %% test="test_balanced_accuracy" points=1
def example_of_balanced_accuracy():
    answers, labels = torch.tensor([0, 0, 0, 0]), torch.tensor([0, 0, 0, 1])
    got = call("always mammal", RULES, balanced_accuracy, answers, labels)
    hint = "All mammals are right, and no bird: the mean of 1 and 0."
    assert_share("always mammal", got, 0.5, hint)


example_of_balanced_accuracy()
### BEGIN HIDDEN TESTS


def check_balanced_accuracy(function):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    generator = torch.Generator().manual_seed(403)
    for n, classes in [(1, [3]), (2, [0, 5]), (9, [0, 1]), (40, [2, 7, 11]), (57, [0, 1, 2, 3, 9])]:
        chances = torch.arange(1.0, len(classes) + 1)
        draws = torch.multinomial(chances, n, replacement=True, generator=generator)
        labels = torch.tensor(classes)[draws]
        for share in (0.6, 0.2):
            right = torch.rand(n, generator=generator) < share
            answers = torch.where(right, labels, 4)
            pairs = list(zip(answers.tolist(), labels.tolist(), strict=True))
            shares = [[a == y for a, y in pairs if y == c] for c in set(labels.tolist())]
            want = sum(sum(each) / len(each) for each in shares) / len(shares)
            case = f"{n} pictures, some of the classes {classes}"
            got = call(case, RULES, function, answers.to(device), labels.to(device))
            hint = "Average the classes' shares. Classes that are not in labels don't count."
            assert_share(case, got, want, hint)
    lent = torch.tensor([[2, 0], [2, 0], [5, 0]])[:, 0]
    for said, want in [(2, 0.5), (5, 0.5), (3, 0.0)]:
        answers = torch.tensor(said).expand(3)
        got = call("expanded answers, strided labels", RULES, function, answers, lent)
        assert_share(f"all answers {said}, labels 2, 2, 5", got, want)
    lent.fill_(3)
    got = call("one tensor, changed since", RULES, function, answers, lent)
    assert_share("all answers 3, labels 3, 3, 3", got, 1.0)
    assert_refused("no pictures", function, torch.zeros(0).long(), torch.zeros(0).long())


check_balanced_accuracy(balanced_accuracy)
### END HIDDEN TESTS

# %% [markdown]
# ## Part 2: is the test a test?
#
# *Lecture section: Pretrained or not. (And* Leakage *in lecture 1.)*
#
# An accuracy says something only if the test pictures are new to the network. In this part you
# write three detectors of leaks, and use them on three data sets.
#
# ### Task 2a: near twins (2 points)
#
# The same photograph may be there twice: saved again, a little brighter, or mirrored. Take two
# pictures with two pixels each, as numbers from 0 to 1: $(0, 1)$ and $(0, 0.8)$. They differ by $0$
# and $0.2$. Their **distance** is the root of the mean of the squared differences:
#
# $$d = \sqrt{(0^2 + 0.2^2)/2} = 0.141$$
#
# The picture $(1, 0)$ is the mirror image of $(0, 1)$. Compared as they are, their distance is $1$;
# mirrored left to right, it is $0$. We call two pictures **near twins** if their distance is less
# than `limit`, either as they are or after one of them is mirrored left to right.
#
# 1. Turn the bytes into numbers from 0 to 1.
# 2. Compare each training picture with each test picture, and with its mirror image. The mean runs
#    over all channels, rows and columns.
# 3. Return a list of the pairs, each a tuple `(i, j)` of two `int`: `i` is the position of a
#    training picture in `images`, and `j` that of its near twin in the test. The list is sorted by
#    `i`, then by `j`. No pair comes twice.
#
# A position in both lists is one picture on both sides. Its distance to itself is 0, so with a
# positive `limit` it is a pair: `(i, i)`. No distance is less than a `limit` of 0. If one of the
# lists is empty, so is the result.
#
# <details><summary>Hint: a black and a white pixel are nearly equal?</summary>Bytes can't be
# negative: as bytes, 0 − 255 is 1. Convert before you subtract.</details>
#
# <details><summary>Hint: mirror left to right</summary>The columns are the last axis:
# <code>picture.flip(-1)</code>.</details>


# %% solution="near_twins"
def near_twins(images, train, test, limit):
    """The sorted list of pairs (i, j) of near twins, i from `train` and j from `test`.

    images: bytes (N, C, H, W); train, test: lists of positions in images; limit: from 0.
    """
    ### BEGIN SOLUTION
    pictures = images / 255
    pairs = []
    for i in train:
        for j in test:
            versions = torch.stack([pictures[j], pictures[j].flip(-1)])
            distances = (versions - pictures[i]).square().mean(dim=(1, 2, 3)).sqrt()
            if distances.min() < limit:
                pairs.append((i, j))
    return sorted(pairs)
    ### END SOLUTION


# %% [markdown]
# In the example, picture 1 is the mirror image of picture 0, picture 2 is a little darker than it,
# and picture 3 is black.


# %% test="test_near_twins" points=2
def example_of_near_twins():
    images = torch.tensor([[0, 255], [255, 0], [0, 204], [0, 0]], dtype=torch.uint8)
    images = images.view(4, 1, 1, 2)
    got = call("limit 0.15", RULES, near_twins, images, [0], [1, 2, 3], 0.15)
    hint = "The distances are 1 (mirrored 0), 0.141 and 0.707."
    assert got == [(0, 1), (0, 2)], f"expected [(0, 1), (0, 2)], got {got}. {hint}"


example_of_near_twins()
### BEGIN HIDDEN TESTS


def twelve_pictures(shape, generator):
    """Pictures at random, and what was made of them: seven kinds of twins and no twins."""
    images = torch.randint(256, (12, *shape), generator=generator)
    noise = torch.randint(-9, 10, shape, generator=generator)
    images[4] = (images[1] + noise).clamp(0, 255)  # again, with noise
    images[9] = (images[1].flip(2) + noise).clamp(0, 255)  # mirrored left to right
    images[10] = images[3].flip(1)  # upside down: no twin
    images[11] = images[8]
    images[11, :, :, :2] = images[8, :, :, :2] // 2  # a dark edge: apart in a few pixels
    images[7] = images[6]
    images[7, :, :1] = images[6, :, :1] // 2  # the same at the top
    numbers = images.double()[:, None] / 255
    gaps = numbers - numbers.transpose(0, 1), numbers - numbers.transpose(0, 1).flip(-1)
    return images.byte(), torch.minimum(*(gap.square().mean((2, 3, 4)).sqrt() for gap in gaps))


def assert_pairs(case, got, want):
    assert isinstance(got, list), f"{case}: expected a list, got {type(got).__name__}"
    kinds = {type(pair) for pair in got}
    assert kinds <= {tuple}, f"{case}: pairs have to be tuples, got {kinds}"
    kinds = {type(position) for pair in got for position in pair}
    assert kinds <= {int}, f"{case}: positions have to be int, got {kinds}"
    assert got == want, f"{case}: expected {want}, got {got}"


def check_near_twins(function):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    generator = torch.Generator().manual_seed(404)
    train, test = [8, 1, 3, 0, 6], [11, 4, 2, 10, 9, 7, 5]
    for shape in [(3, 6, 9), (1, 8, 5), (2, 7, 7)]:
        images, nearest = twelve_pictures(shape, generator)
        edge, top = nearest[8, 11].item(), nearest[6, 7].item()
        for limit in (0.05, edge * 1.002, edge * 0.998, top * 1.002, top * 0.998, 2.0):
            pairs = sorted((i, j) for i in train for j in test if nearest[i, j] < limit)
            case = f"12 pictures of {shape}, train {train}, test {test}, limit {limit:.3f}"
            lent = transposed(images).to(device)
            assert_pairs(case, call(case, RULES, function, lent, train, test, limit), pairs)
    rows = torch.tensor([[0, 0, 0, 0], [255, 30, 255, 30]], dtype=torch.uint8).view(2, 1, 1, 4)
    case = "a black picture and (255, 30, 255, 30), limit 0.5"
    assert_pairs(case, call(case, RULES, function, rows, [0], [1], 0.5), [])
    check_twins_again(function, images.to(device))
    many = (3 * torch.arange(80)).byte().view(80, 1, 1, 1)
    many[79] = many[0]
    case = "80 grey pictures, only the first and the last are alike"
    assert_pairs(case, call(case, RULES, function, many, [0], [*range(1, 80)], 0.005), [(0, 79)])


def check_twins_again(function, images):
    """Positions on both sides, no positions, and one tensor that has changed since."""
    case = "the same picture on both sides"
    first = call(case, RULES, function, images, [2, 5], [7, 5], 0.01)
    assert_pairs(case, first, [(5, 5)])
    for train, test, limit in [([5], [5], 0.0), ([], [1], 0.5), ([1], [], 0.5), ([], [], 0.5)]:
        case = f"train {train}, test {test}, limit {limit}"
        case += ": no distance is less than 0" if limit == 0 else ": no pair has two sides"
        assert_pairs(case, call(case, RULES, function, images, train, test, limit), [])
    case = "positions 2 and 7 on both sides, of two equal pictures"
    images[7] = images[2]
    got = call(case, RULES, function, images, [7, 2], [2, 7], 0.01)
    assert_pairs(case, got, [(2, 2), (2, 7), (7, 2), (7, 7)])
    images[7] = 255 - images[2]
    got = call("one picture changed", RULES, function, images, [7, 2], [2, 7], 0.01)
    assert_pairs("the same images, after one has changed", got, [(2, 2), (7, 7)])
    assert_pairs("the first list, after other calls", first, [(5, 5)])


check_near_twins(near_twins)
### END HIDDEN TESTS

# %% [markdown]
# ### Task 2b: groups on both sides (1 point)
#
# Two photographs of one gnu are no near twins, and still the second one is easy for whoever has
# learned the first. `groups` says for each picture what it shows, for instance
# `["gnu", "cup", "gnu"]`. If picture 0 is for training and picture 2 for the test, "gnu" is on both
# sides.
#
# Return the list of the groups that are on both sides, each once, as it is called in `groups`.
#
# - A name is a text, a number or a tuple. `"Lion"` and `"lion"` are two different names, and
#   the number `0` is a name like any other.
# - Pictures that are in neither list are on no side.
# - The order is that in which the groups first occur in `groups`, on whatever side.
# - The result may be empty, and so may each of the three lists.
#
# <details><summary>Hint: each once, in order</summary><code>dict.fromkeys(groups)</code> keeps the
# first occurrence of each, in order. The order of a <code>set</code> of texts changes from one
# start of Python to the next.</details>


# %% solution="shared_groups"
def shared_groups(groups, train, test):
    """The groups that have a picture in `train` and one in `test` (lists of positions)."""
    ### BEGIN SOLUTION
    learned = {groups[i] for i in train}
    asked = {groups[j] for j in test}
    return [group for group in dict.fromkeys(groups) if group in learned and group in asked]
    ### END SOLUTION


# %% test="test_shared_groups" points=1
def example_of_shared_groups():
    groups = ["gnu", "cup", "gnu", "key", "cup"]
    got = call("five pictures", RULES, shared_groups, groups, [0, 1, 3], [2])
    hint = "Picture 0 and picture 2 show a gnu; picture 4 is on no side."
    assert got == ["gnu"], f"expected ['gnu'], got {got}. {hint}"


example_of_shared_groups()
### BEGIN HIDDEN TESTS


def check_shared_groups(function):
    names = ["lion", "apple", "Lion", "rose", "key", "crow", "truck", "gnu", "bee", "ant"]
    cases = [
        ([names[i * 7 % 10] for i in range(30)], [*range(29, 9, -2)], [*range(0, 30, 3)]),
        ([names[9 - i % 10] for i in range(25)], [3, 12, 1, 0, 9], [13, 22, 19, 10, 4]),
        ([7, 3, 7, 0, 3, 2, 0], [0, 4, 3], [1, 2, 6]),
        ([("gnu", 2), ("gnu", 1), ("gnu", 2)], [2], [0, 1]),
        (["b", "c", "a"], [0, 2, 1], [1, 2, 0]),
        (["a", "b", "c"], [0], [1, 2]),
        (["a", "b"], [], [0, 1]),
        ([], [], []),
    ]
    kept = []
    for groups, train, test in cases:
        both = {groups[i] for i in train} & {groups[j] for j in test}
        want = sorted(both, key=groups.index)
        case = f"groups {groups}, train {train}, test {test}"
        got = call(case, RULES, function, groups, train, test)
        assert isinstance(got, list), f"{case}: expected a list, got {type(got).__name__}"
        assert got == want, f"expected {want}, got {got}, for {case}"
        own = all(got is not other for other in (groups, train, test))
        assert own, f"{case}: give back a list of your own (rule 5)."
        kept.append((case, got, want))
    for case, got, want in kept:
        assert got == want, f"{case}: a later call made {got} of {want} (rule 5)."


check_shared_groups(shared_groups)
### END HIDDEN TESTS

# %% [markdown]
# ### Task 2c: statistics that saw the test (1 point)
#
# Somebody hands you a data set that was normalised with a mean and a standard deviation for each
# channel. Were these learned from the training pictures alone? With one black training picture and
# one white test picture, the training mean is $0$. If you are told a mean of $0.5$, the test was
# looked at.
#
# Compute mean and standard deviation of each channel over all pixels of the training pictures, as
# numbers from 0 to 1. (Divide by the number of pixels: `correction=0` in PyTorch.) Return `True` if
# any of the given numbers differs from yours by more than `tolerance`, up or down, else `False`. A
# difference of exactly `tolerance` is no leak. `mean` and `std` are lists, tuples or tensors of
# floats, with one number for each channel.
#
# <details><summary>Hint: the test says that True is not a bool</summary>A comparison of tensors
# gives a tensor. <code>bool(…)</code> makes a Python <code>bool</code> of one with a single
# element.</details>


# %% solution="statistics_leak"
def statistics_leak(images, train, mean, std, tolerance=1e-4):
    """Whether mean and std are not those of the training pictures (a bool).

    images: bytes (N, C, H, W); train: a list of positions in images, at least one.
    """
    ### BEGIN SOLUTION
    pictures = images[train] / 255
    own = pictures.mean(dim=(0, 2, 3)), pictures.std(dim=(0, 2, 3), correction=0)
    gaps = [
        torch.as_tensor(told).to(known) - known
        for told, known in zip((mean, std), own, strict=True)
    ]
    return bool(torch.stack(gaps).abs().max() > tolerance)
    ### END SOLUTION


# %% test="test_statistics_leak" points=1
def example_of_statistics_leak():
    images = torch.zeros(2, 1, 2, 2, dtype=torch.uint8)
    images[1] = 255
    for mean, std, want in [([0.0], [0.0], False), ([0.5], [0.5], True)]:
        case = f"mean {mean} and std {std}"
        got = call(case, RULES, statistics_leak, images, [0], mean, std)
        hint = f"picture 0 is black: expected {want} for {case}, got {got!r}"
        assert got is want, f"{hint}. Both must be those of the training pictures."


example_of_statistics_leak()
### BEGIN HIDDEN TESTS


def statistics_of(images):
    numbers = images.cpu().double() / 255
    return numbers.mean((0, 2, 3)), numbers.std((0, 2, 3), correction=0)


def told_statistics(images, train):
    """By name: a mean, a deviation, the tolerance, and whether that is a leak."""
    mean, std = statistics_of(images[train])
    last = torch.zeros(images.shape[1])
    last[-1] = 0.02
    told = {"its own": (mean, std, 1e-4, False), "a mean 0.02 too high": (mean + last, std)}
    told |= {"a mean 0.02 too low": (mean - last, std), "a std too high": (mean, std + last)}
    told |= {"a std too low": (mean, std - last)}
    told |= {"a mean within the tolerance": (mean + last, std, 0.03, False)}
    told |= {"a mean beyond the tolerance": (mean - last, std, 0.01, True)}
    told["the statistics of all pictures"] = statistics_of(images)
    return {name: values if values[2:] else (*values, 1e-4, True) for name, values in told.items()}


def check_statistics_leak(function):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    generator = torch.Generator().manual_seed(405)
    kinds = {list: (9, 3, 4, 7), tuple: (6, 1, 5, 3), torch.tensor: (8, 4, 2, 2)}
    train = [3, 0, 5, 1]
    for kind, shape in kinds.items():
        images = torch.randint(256, shape, generator=generator)
        images[::2] //= 3
        images[:, 0] //= 2
        images = transposed(images.byte()).to(device)
        for name, (mean, std, tolerance, want) in told_statistics(images, train).items():
            lent = mean.to(device), std.to(device).float()
            lent = lent if kind is torch.tensor else [kind(value.tolist()) for value in lent]
            case = f"{shape}, train {train}, told {name}, tolerance {tolerance}"
            got = call(case, RULES, function, images, train, *lent, tolerance)
            assert got is want, f"{case}: expected {want}, got {got!r}"
            if tolerance == 1e-4:
                got = call(case, RULES, function, images, train, *lent)
                assert got is want, f"{case}, by default: expected {want}, got {got!r}"
    images = torch.zeros(2, 1, 2, 2, dtype=torch.uint8, device=device)
    told_means = [(0, 0.25, 0.25, False), (51, 0.4375, 0.25, False), (0, 0.4375, 0.25, True)]
    for value, told, tolerance, want in [*told_means, (204, 0.79, 1e-4, True)]:
        images.fill_(value)
        case = f"a mean of {value / 255}, told {told}, tolerance {tolerance}"
        got = call(case, RULES, function, images, [0], [told], [0.0], tolerance)
        assert got is want, f"{case}: expected {want}, got {got!r}"


check_statistics_leak(statistics_leak)
### END HIDDEN TESTS

# %% [markdown]
# ### Task 2d: three data sets, three leaks (1 point)
#
# Here are three small data sets, A, B and C. Each was split and normalised by somebody in a hurry,
# and **each has exactly one of the three leaks**. Don't stare at the code that makes them: use your
# detectors.


# %% given="make_data_sets"
def make_data_sets():
    """Three split data sets, by name: images, groups, train, test, mean, std."""
    stamps = load_stamps()
    small = F.interpolate(stamps.images.float(), size=24, mode="bilinear", antialias=True)
    words = [caption.rstrip(".").split()[-1] for caption in stamps.captions]
    firsts = [words.index(word) for word in dict.fromkeys(words)]
    lions = [i for i, word in enumerate(words) if word == "lion"]
    made = {}
    leaks = torch.randperm(3, generator=torch.Generator().manual_seed(44)).tolist()
    for position, (name, leak) in enumerate(zip("ABC", leaks, strict=True)):
        chosen = firsts[position::5][:24]
        images, groups = small[chosen].round().byte(), [words[i] for i in chosen]
        train, test = list(range(0, 24, 2)), list(range(1, 24, 2))
        if leak == 0:
            images[9] = (0.97 * images[16].flip(2)).byte()
        elif leak == 1:
            images[[4, 11]] = small[lions[:2]].round().byte()
            groups[4] = groups[11] = "lion"
        numbers = (images if leak == 2 else images[train]).double() / 255
        mean, std = numbers.mean((0, 2, 3)), numbers.std((0, 2, 3), correction=0)
        made[name] = (images, groups, train, test, mean, std)
    return made


# %%
for name, (images, groups, train, test, mean, std) in make_data_sets().items():
    print(name, "near twins:", near_twins(images, train, test, limit=0.05))
    print(name, "groups on both sides:", shared_groups(groups, train, test))
    print(name, "statistics of others too:", statistics_leak(images, train, mean, std))

# %% [markdown]
# Write down what you found, as a dictionary called `found_leaks`. Its keys are `"A"`, `"B"` and
# `"C"`. Each value is one of the texts `"twins"`, `"groups"` and `"statistics"`, and each of these
# texts occurs once.

# %% solution="found_leaks"
### BEGIN SOLUTION
found_leaks = {"A": "groups", "B": "statistics", "C": "twins"}
### END SOLUTION

# %% [markdown]
# The visible test looks only at whether your answer has the right form.


# %% test="test_found_leaks" points=1
def example_of_found_leaks():
    form = "a dictionary like {'A': 'twins', 'B': 'groups', 'C': 'statistics'}"
    said = dict(found_leaks)
    assert set(said) == {"A", "B", "C"}, f"expected {form}, got {said}"
    known = {"twins", "groups", "statistics"}
    assert set(said.values()) == known, f"each leak occurs once: expected {form}, got {said}"


example_of_found_leaks()
### BEGIN HIDDEN TESTS


def check_found_leaks(said):
    for name, leak in {"A": "groups", "B": "statistics", "C": "twins"}.items():
        hint = f"data set {name}: {said[name]} is not its leak. Run your detectors on it."
        assert said[name] == leak, hint


check_found_leaks(found_leaks)
### END HIDDEN TESTS

# %% [markdown]
# ## Part 3: a new head on an old body
#
# *Lecture sections: The new head; Freeze, fine-tune, or in between.*
#
# ### Task 3a: swap the head (2 points for any network, 1 for SqueezeNet)
#
# A network of ImageNet ends with 1,000 outputs. You have six classes. So its last layer goes, and
# a new one with six outputs comes. Where the last layer is, and what it is called, depends on the
# network: `fc` in ResNet, `classifier.6` in VGG. In SqueezeNet it is `classifier.1`, a convolution:
#
# | name | layer |
# |---|---|
# | `classifier.0` | `Dropout` |
# | `classifier.1` | `Conv2d(512, 1000, kernel_size=1)`: **the head** |
# | `classifier.2` | `ReLU` |
# | `classifier.3` | `AdaptiveAvgPool2d(1)`: the mean over all positions |
#
# There is a trap. The ReLU behind the head cuts off all negative outputs. ImageNet's weights are
# used to it. A new head isn't, and may never learn: where an output is negative, its gradient is 0.
#
# Work *in place*, and return the network:
#
# 1. `network.named_modules()` gives all layers with their names, in order. The **head** is the last
#    one that is an `nn.Linear` or an `nn.Conv2d`.
# 2. Make a new layer of the same kind: as many inputs, `classes` outputs. A convolution keeps its
#    kernel size, stride and padding; its dilation and groups are 1.
# 3. Put it where the old one was.
# 4. Put an `nn.Identity()` in the place of every `nn.ReLU` that comes after the head in that order.
#
# | | what it is at the end |
# |---|---|
# | the new layer | always a new one, even if `classes` is the number that the old layer had |
# | its bias | there, even if the old layer had none |
# | its first numbers | new ones, none of the old layer's; those that PyTorch draws will do |
# | its device and dtype | those of the old weights |
# | its `requires_grad` | `True`, even if the old layer was frozen |
# | all other layers | the same objects: their numbers, modes and `requires_grad` stay |
#
# <details><summary>Hint: put a layer where its name says</summary>The name
# <code>"classifier.1"</code> is that of the parent, a dot, and that of the child:
# <code>parent, _, child = name.rpartition(".")</code>. Then
# <code>setattr(network.get_submodule(parent), child, layer)</code>. It works for numbers, too, and
# for a parent <code>""</code>, which is the network itself.</details>
#
# <details><summary>Hint: the same device and dtype</summary><code>layer.to(old.weight)</code> moves
# a layer to the device and the dtype of a tensor.</details>


# %% solution="swap_head"
def swap_head(network, classes):
    """Give a network a new last layer with `classes` outputs, in place; returns the network."""
    ### BEGIN SOLUTION
    layers = list(network.named_modules())
    last = max(n for n, (_, one) in enumerate(layers) if isinstance(one, nn.Linear | nn.Conv2d))
    name, old = layers[last]
    if isinstance(old, nn.Linear):
        new = nn.Linear(old.in_features, classes)
    else:
        shape = {"kernel_size": old.kernel_size, "stride": old.stride, "padding": old.padding}
        new = nn.Conv2d(old.in_channels, classes, **shape)
    changes = {name: new.to(old.weight)}
    changes |= {name: nn.Identity() for name, one in layers[last:] if isinstance(one, nn.ReLU)}
    for name, layer in changes.items():
        parent, _, child = name.rpartition(".")
        setattr(network.get_submodule(parent), child, layer)
    return network
    ### END SOLUTION


# %% [markdown]
# The example is a network of two linear layers. The hidden test has networks whose heads have other
# names.


# %% test="test_swap_head" points=2
### BEGIN HIDDEN TESTS
def state_of(layers):
    """Numbers, modes and flags of layers, by their names."""
    numbers, flags = {}, {}
    for name, layer in layers.items():
        parameters = list(layer.parameters(recurse=False))
        flags[name] = [layer.training, *(value.requires_grad for value in parameters)]
        for number, value in enumerate([*parameters, *layer.buffers(recurse=False)]):
            numbers[f"{name}, tensor {number}"] = value.detach().clone()
    return numbers, flags


def check_new_head(case, old, new, classes):
    """As the old one was, but for its outputs, its numbers and its bias."""
    assert new is not old, f"{case}: the head is still the old one."
    if isinstance(old, nn.Linear):
        want = nn.Linear(old.in_features, classes)
    else:
        want = nn.Conv2d(old.in_channels, classes, old.kernel_size, old.stride, old.padding)
    assert repr(new) == repr(want), f"{case}: expected a new head {want}, got {new}"
    where, weight = (old.weight.dtype, old.weight.device), new.weight
    for value in (weight, new.bias):
        got = value.dtype, value.device
        assert got == where, f"{case}: expected {where[0]} on {where[1]}, got {got[0]} on {got[1]}"
        assert value.requires_grad, f"{case}: the new head doesn't learn."
    same = torch.isin(weight.detach(), old.weight.detach()).any()
    assert not same, f"{case}: the new head has numbers of the old one."


def check_swap(case, function, network, head, classes, gone=()):
    """A new head, no ReLU in the places `gone`, and all else as it was."""
    old = network.get_submodule(head)
    with torch.no_grad():  # numbers that nobody draws
        old.weight.copy_(100 + torch.arange(old.weight.numel()).view_as(old.weight))
    layers = {n: one for n, one in network.named_modules() if n not in (head, *gone)}
    numbers, flags = state_of(layers)
    torch.manual_seed(414)  # so that another seed makes a difference
    got = call(case, HEADS, function, network, classes)
    assert got is network, f"{case}: return the network that you were given."
    for name, layer in layers.items():
        assert network.get_submodule(name) is layer, f"{case}: {name} is another object now."
    now = state_of(layers)
    for name, value in numbers.items():
        assert_same(f"{case}: {name}", now[0][name], value, "It has changed.", 0.0)
    assert now[1] == flags, f"{case}: a mode or a requires_grad of another layer has changed."
    for name in gone:
        kind = type(network.get_submodule(name)).__name__
        assert kind == "Identity", f"{case}: expected an Identity for the ReLU {name}, got {kind}"
    check_new_head(case, old, network.get_submodule(head), classes)


### END HIDDEN TESTS
def example_of_swap_head():
    network = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 10))
    body = network[0]
    got = call("two linear layers, 3 classes", HEADS, swap_head, network, 3)
    assert got is network, "Return the network that you were given."
    assert network[0] is body, "Only the head changes: the first layer is another one now."
    assert isinstance(network[1], nn.ReLU), "Only what comes after the head loses its ReLU."
    assert tuple(network[2].weight.shape) == (3, 5), "The head is the last linear layer: (3, 5)."


example_of_swap_head()
### BEGIN HIDDEN TESTS


def tower(name, bias):
    """A network with a block called header, and a head of this name."""
    network = nn.Module()
    network.header = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU())
    network.add_module(name, nn.Linear(8, 20, bias=bias))
    return network


def check_swap_head(function):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    for name, bias, classes, dtype in [
        *(("head", True, 7, torch.float64), ("fc", False, 1, torch.float32)),
        *(("answer", True, 20, torch.float32), ("last", True, 33, torch.float32)),
    ]:
        network = tower(name, bias).to(device, dtype).eval()
        network.header[1].train()
        network.requires_grad_(False)
        network.header[1].requires_grad_(True)
        case = f"a head called {name}, {classes} classes, {dtype}"
        check_swap(case, function, network, name, classes)
    check_swap(f"{case}, swapped again", function, network, name, classes)
    check_swap(f"{case}, then 9 classes", function, network, name, 9)
    networks = [tower("head", True), tower("head", True)]
    for network in networks:
        check_swap("two networks alike", function, network, "head", 5)
    first, second = (network.head.weight for network in networks)
    with torch.no_grad():
        first.fill_(7.0)
    own = not (second == 7.0).any()
    assert own, "two networks alike: each gets a head of its own (rule 5)."


check_swap_head(swap_head)
### END HIDDEN TESTS

# %% [markdown]
# Now a head that is a convolution with a ReLU behind it, as SqueezeNet's.


# %% test="test_swap_head_convolution" points=1
def example_of_swap_head_convolution():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 9, 1), nn.ReLU())
    call("two convolutions, 2 classes", HEADS, swap_head, network, 2)
    assert isinstance(network[1], nn.ReLU), "The ReLU before the head stays."
    assert isinstance(network[3], nn.Identity), "The ReLU behind the head has to go."
    shape = tuple(network(torch.zeros(1, 3, 6, 5)).shape)
    assert shape == (1, 2, 4, 3), f"expected outputs (1, 2, 4, 3), got {shape}"


example_of_swap_head_convolution()
### BEGIN HIDDEN TESTS


def check_swap_head_convolution(function):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    settings = {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 2)}
    for bias in (False, True):
        tail = nn.Sequential(nn.Flatten(), nn.ReLU(), nn.Tanh(), nn.LeakyReLU())
        tail = nn.Sequential(nn.Conv2d(5, 8, bias=bias, **settings), nn.ReLU(), tail)
        network = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), tail).double().to(device)
        case = f"a head Conv2d(5, 8, {settings}), two ReLUs behind it"
        check_swap(case, function, network, "2.0", 4, ["2.1", "2.2.1"])
    check_swap(f"{case}, swapped again", function, network, "2.0", 4)
    case = "a linear layer, then a convolution"
    check_swap(case, function, nn.Sequential(nn.Linear(4, 4), nn.Conv2d(2, 3, 1)), "1", 5)
    case = "a convolution, then a linear layer"
    network = nn.Sequential(nn.Conv2d(2, 3, 1), nn.ReLU(), nn.Flatten(), nn.Linear(4, 4), nn.ReLU())
    check_swap(case, function, network, "3", 5, ["4"])


def check_squeezenet(function):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = squeezenet().requires_grad_(False).to(device)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    images = torch.randn(2, 3, 48, 40, generator=torch.Generator().manual_seed(406)).to(device)
    got = call("SqueezeNet", HEADS, function, network, 6)
    assert got is network, "SqueezeNet: return the network that you were given."
    for name, value in network.state_dict().items():
        kept = name.startswith("classifier.") or torch.equal(value, before[name])
        assert kept, f"SqueezeNet: {name} has changed."
    with torch.no_grad():
        outputs = network(images)
    assert outputs.shape == (2, 6), f"SqueezeNet: the outputs are {tuple(outputs.shape)}"
    kinds = [type(layer).__name__ for layer in network.classifier]
    want = ["Dropout", "Conv2d", "Identity", "AdaptiveAvgPool2d"]
    assert kinds == want, f"SqueezeNet: expected the classifier {want}, got {kinds}"
    assert isinstance(network.features[1], nn.ReLU), "SqueezeNet: a ReLU of the body is gone."


check_swap_head_convolution(swap_head)
check_squeezenet(swap_head)
### END HIDDEN TESTS

# %% [markdown]
# ### Task 3b: freeze the body (1 point)
#
# *In place.* Whatever is outside the head must not learn, and the head must. `head` is a name, such
# as `"fc"` or `"classifier.1"`; it names one layer or a whole block of layers.
#
# 1. The parameters of the head get `requires_grad` `True`, all others `False`.
# 2. A frozen parameter may still have a gradient of an earlier step. An optimiser would go on using
#    it. So set `grad` of **every** parameter to `None`, also in the head.
#
# How a parameter was before doesn't matter. Nothing else changes: numbers and modes stay. What
# `freeze` returns is up to you, and so it is with `set_mode` in the next task.
#
# <details><summary>Hint: "head" and "header"</summary>A body may have a block called
# <code>header</code>, and <code>"header.0.weight".startswith("head")</code> is true. Take the block
# itself: <code>network.get_submodule(head)</code>.</details>


# %% solution="freeze"
def freeze(network, head):
    """Let only the parameters of the submodule called `head` learn; in place."""
    ### BEGIN SOLUTION
    for parameter in network.parameters():
        parameter.requires_grad_(False)
        parameter.grad = None
    for parameter in network.get_submodule(head).parameters():
        parameter.requires_grad_(True)
    ### END SOLUTION


# %% test="test_freeze" points=1
def example_of_freeze():
    network = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4))
    call("two linear layers, head '1'", RULES, freeze, network, "1")
    learning = [name for name, p in network.named_parameters() if p.requires_grad]
    assert learning == ["1.weight", "1.bias"], f"expected the head '1' to learn, not {learning}"


example_of_freeze()
### BEGIN HIDDEN TESTS


def check_frozen(case, function, network, head):
    values = {name: value.clone() for name, value in network.state_dict().items()}
    modes = {name: layer.training for name, layer in network.named_modules()}
    call(case, RULES, function, network, head)
    for name, parameter in network.named_parameters():
        want, got = name.startswith(f"{head}."), parameter.requires_grad
        assert got is want, f"{case}: requires_grad of {name} is {got}, expected {want}"
        assert parameter.grad is None, f"{case}: {name} has its old gradient: set it to None."
    for name, value in network.state_dict().items():
        assert_same(f"{case}: {name}", value, values[name], "The numbers stay.", 0.0)
    for name, layer in network.named_modules():
        assert layer.training is modes[name], f"{case}: the mode of {name or 'all'} has changed."


def check_freeze(function):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network, two_layers = nn.Module(), nn.Sequential(nn.Linear(5, 3), nn.Linear(3, 2))
    network.body = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    network.header = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 5))
    network.head = nn.Sequential(nn.BatchNorm1d(5), two_layers)
    network.to(device)
    heads = ["head", "head", "header.1", "body", "head.1", "header"]
    for number, head in enumerate(heads):  # each time the same network, as somebody left it
        before = number % 2 == 0
        network.train(before)
        network.header.train(not before)
        for parameter in network.parameters():
            parameter.grad = torch.ones_like(parameter)
            parameter.requires_grad_(before)
        case = f"head '{head}', all parameters {'learning' if before else 'frozen'} before"
        check_frozen(case, function, network, head)


check_freeze(freeze)
### END HIDDEN TESTS

# %% [markdown]
# ### Task 3c: frozen means running statistics, too (1 point)
#
# A frozen batch norm has no gradient. But in training mode it *still changes*: each forward pass
# moves its running mean and variance towards the new pictures. No optimiser is needed for that. Its
# body then computes something else than what was pretrained. Only `eval()` stops it.
#
# *In place*: put all of `head` into training mode, and all the rest of the network, itself
# included, into evaluation mode. If `head` is `None`, nothing is frozen, and everything goes
# into training mode. The modes that the layers were in before don't matter. Numbers and
# `requires_grad` stay.
#
# <details><summary>Hint: which of the two comes first?</summary><code>network.eval()</code> reaches
# every layer, the head's too. So what has to happen after it?</details>


# %% solution="set_mode"
def set_mode(network, head):
    """Training mode for the submodule called `head` (None: for everything), else evaluation."""
    ### BEGIN SOLUTION
    network.train(head is None)
    if head is not None:
        network.get_submodule(head).train()
    ### END SOLUTION


# %% [markdown]
# In the example, a batch norm lies in the body. It sees numbers around 5, and its running mean must
# stay 0.


# %% test="test_set_mode" points=1
def example_of_set_mode():
    network = nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 3))
    call("a batch norm in the body, head '1'", RULES, set_mode, network, "1")
    network(torch.full((4, 2), 5.0))
    got = network[0].running_mean.tolist()
    assert got == [0.0, 0.0], f"the running mean of the frozen body moved from 0 to {got}"
    assert network[1].training, "The head has to be in training mode."


example_of_set_mode()
### BEGIN HIDDEN TESTS


def check_modes(case, function, network, head):
    learning = {name: value.requires_grad for name, value in network.named_parameters()}
    values = {name: value.clone() for name, value in network.state_dict().items()}
    call(case, RULES, function, network, head)
    for name, layer in network.named_modules():
        inside = head is None or name == head or name.startswith(f"{head}.")
        got = layer.training
        assert got is inside, f"{case}: training of {name or 'the network'} is {got}"
    for name, value in network.named_parameters():
        kept = value.requires_grad is learning[name]
        assert kept, f"{case}: requires_grad of {name} has changed."
    for name, value in network.state_dict().items():
        assert_same(f"{case}: {name}", value, values[name], "The numbers stay.", 0.0)


def check_set_mode(function):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    body = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    middle = nn.Sequential(nn.BatchNorm1d(4, affine=False), nn.BatchNorm1d(4))
    tail = nn.Sequential(nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2))
    network = nn.Sequential(body, middle, tail).to(device)
    middle.requires_grad_(False)
    for head, training in [
        *(("2", True), ("2", False), ("1.0", False), (None, False), (None, True)),
        *(("2", True), ("0", True), ("2.1", False), (None, False)),
    ]:
        network.train(training)
        body[1].train(not training)  # its mode says nothing of its layers' modes
        case = f"head {head!r}, network in {'training' if training else 'evaluation'} mode before"
        check_modes(case, function, network, head)
        check_modes(f"{case}, once more", function, network, head)


check_set_mode(set_mode)
### END HIDDEN TESTS

# %% [markdown]
# ### Task 3d: each block its own rate (2 points)
#
# With *discriminative rates* all of the network learns, but the earlier a block, the slower. Three
# blocks, `rate` 0.1 and `factor` 0.5: the last block (the head) learns with 0.1, the one before it
# with 0.05, the first with 0.025. PyTorch's optimisers take a list of **parameter groups**, each a
# dictionary such as `{"params": [...], "lr": 0.1}`.
#
# `blocks` is a list of layers or blocks, the input's first and the head last. Return the list of
# groups, **the head's first**. A group has two entries, `"params"`, a list, and `"lr"`, a `float`.
#
# 1. Go through the blocks from the last to the first. The first group has `rate`.
# 2. A block's parameters are those that may learn (`requires_grad`). Frozen ones are left out. List
#    the parameters themselves, in the order in which `block.parameters()` gives them.
# 3. A block without any makes no group, and the rate stays as it is. (A ReLU is no step.)
# 4. After each group multiply the rate by `factor`, which may be larger than 1.
# 5. A parameter that two blocks share belongs to the later block, and is there once. A block whose
#    parameters all belong to later blocks makes no group either. So it is with a block that stands
#    in two places.
#
# If nothing learns, the list is empty. The blocks and their parameters stay as they are.
#
# <details><summary>Hint: the optimiser complains of duplicate parameters</summary>Then a parameter
# is in two groups. Keep a set of the <code>id</code> of each parameter that has a
# group.</details>
#
# <details><summary>Hint: the optimiser says that it got an empty list</summary>
# <code>block.parameters()</code> can be read once only. Make a list of it.</details>


# %% solution="parameter_groups"
def parameter_groups(blocks, rate, factor):
    """Parameter groups for an optimiser, the last block's first; see above."""
    ### BEGIN SOLUTION
    groups, taken = [], set()
    for block in reversed(blocks):
        learning = [p for p in block.parameters() if p.requires_grad and id(p) not in taken]
        if learning:
            groups.append({"params": learning, "lr": rate})
            taken |= {id(p) for p in learning}
            rate *= factor
    return groups
    ### END SOLUTION


# %% test="test_parameter_groups" points=2
def example_of_parameter_groups():
    blocks = [nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3), nn.Linear(3, 1)]
    groups = call("rate 0.1, factor 0.5", RULES, parameter_groups, blocks, 0.1, 0.5)
    rates = [round(float(group["lr"]), 6) for group in groups]
    assert rates == [0.1, 0.05, 0.025], f"expected the rates [0.1, 0.05, 0.025], got {rates}"
    shapes = [tuple(p.shape) for p in groups[0]["params"]]
    assert shapes == [(1, 3), (1,)], f"the first group is the head's: (1, 3) and (1,), not {shapes}"


example_of_parameter_groups()
### BEGIN HIDDEN TESTS


def check_groups(case, function, blocks, rate, factor, members):
    """Groups of these parameters, whatever somebody did with the groups of an earlier call."""
    learning = [p.requires_grad for block in blocks for p in block.parameters()]
    for again in ("", ", called again"):
        groups = call(f"{case}{again}", RULES, function, blocks, rate, factor)
        assert isinstance(groups, list), f"{case}: expected a list, got {type(groups).__name__}"
        rates = [group["lr"] for group in groups]
        wanted = [rate * factor**step for step in range(len(members))]
        hint = f"{case}{again}: expected the rates {wanted}, got {rates}"
        assert len(rates) == len(wanted), hint
        assert all(type(value) is float for value in rates), hint
        assert all(abs(a - b) < 1e-6 for a, b in zip(rates, wanted, strict=True)), hint
        for group, its_rate, its in zip(groups, wanted, members, strict=True):
            got = group["params"]
            shapes = [tuple(p.shape) for p in its], [tuple(p.shape) for p in got]
            hint = f"{case}, rate {its_rate:g}: expected parameters {shapes[0]}, got {shapes[1]}"
            assert isinstance(got, list), f"{case}: params has to be a list."
            assert len(got) == len(its), hint
            assert all(a is b for a, b in zip(got, its, strict=True)), hint
            assert set(group) == {"params", "lr"}, f"{case}: a group has two entries."
        lists = [group["params"] for group in groups]
        if groups:
            torch.optim.SGD(groups)
        for group, its in zip(groups, lists, strict=True):
            group["lr"] = 9.0
            its.clear()
    now = [p.requires_grad for block in blocks for p in block.parameters()]
    assert now == learning, f"{case}: requires_grad has changed."


def check_parameter_groups(function):
    for rate, factor, frozen in [
        *((0.1, 0.5, ()), (0.02, 0.3, (0,)), (1.0, 1.0, (2,)), (0.5, 0.25, (4,))),
        *((0.3, 2.0, (2, 4)), (0.7, 0.9, (0, 2, 4)), (0.7, 0.9, (0, 2, 3, 4))),
    ]:
        blocks = [nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Linear(3, 1)]
        blocks[3].bias.requires_grad_(False)  # a block that learns in part
        for n in frozen:
            blocks[n].requires_grad_(False)
        members = [[p for p in blocks[n].parameters() if p.requires_grad] for n in (4, 3, 2, 0)]
        case = f"rate {rate}, factor {factor}, frozen blocks {frozen}"
        check_groups(case, function, blocks, rate, factor, [its for its in members if its])
    check_shared_parameters(function)


def check_shared_parameters(function):
    """A parameter, or all of a block, that is in two places; a block of blocks; no block."""
    a, b, c = nn.Linear(2, 2), nn.Linear(2, 2), nn.BatchNorm1d(2)
    c.weight = b.bias
    case = "blocks 1 and 2 of three share a parameter"
    members = [[c.weight, c.bias], [b.weight], [a.weight, a.bias]]
    check_groups(case, function, [a, b, c], 0.3, 2.0, members)
    a.bias = c.weight
    case = "three blocks share a parameter"
    members = [[c.weight, c.bias], [b.weight], [a.weight]]
    check_groups(case, function, [a, b, c], 0.3, 0.5, members)
    case = "one block that stands in two places of three"
    d, e = nn.Linear(2, 2), nn.Linear(2, 2)
    members = [[e.weight, e.bias], [d.weight, d.bias]]
    check_groups(case, function, [d, e, nn.ReLU(), e], 0.4, 0.5, members)
    case = "a block of blocks, in which a layer stands twice"
    members = [[e.weight, e.bias, d.weight, d.bias]]
    check_groups(case, function, [nn.ReLU(), nn.Sequential(e, d, e)], 0.4, 0.5, members)
    check_groups("no blocks", function, [], 0.4, 0.5, [])


check_parameter_groups(parameter_groups)
### END HIDDEN TESTS

# %% [markdown]
# How many numbers of SqueezeNet learn, frozen and not?

# %%
network = swap_head(squeezenet(), 6)
for group in parameter_groups([*network.features, network.classifier], 1e-3, 0.5):
    print(f"{sum(p.numel() for p in group['params']):7,} parameters, rate {group['lr']:.1e}")
freeze(network, "classifier")
print(f"frozen: {sum(p.numel() for p in network.parameters() if p.requires_grad):,} learn")

# %% [markdown]
# ## Part 4: train
#
# *Lecture section: Freeze, fine-tune, or in between.*
#
# ### Task 4a: the loop (2 points for the steps, 2 for the batches)
#
# *In place*, train a network for some epochs. An epoch goes once over all pictures, in batches. Of
# 7 pictures with `batch_size=3` an epoch makes batches of 3, 3 and 1.
#
# | argument | what it is |
# |---|---|
# | `network` | has the dtype and the device of `images`, and dropout perhaps |
# | `optimizer` | one of PyTorch's for this network; it may have made steps before |
# | `images` | floats of shape (N, …): the first axis counts pictures, at least one |
# | `epochs` | an `int` from 0 |
# | `head` | what learns, if all else was frozen; `None` if nothing was |
#
# Dropout draws from PyTorch's global generator. To repeat a run we must seed that one as well, and
# house rule 3 says to leave it as it was. This does both:
#
# ```python
# with torch.random.fork_rng():  # at the end of the block the global state is put back
#     torch.manual_seed(seed)
#     ...
# ```
#
# 1. Open such a block. Make a `torch.Generator` from `seed` for the order.
# 2. In each epoch: `set_mode(network, head)`; a **new** random order from the generator; cut it
#    into batches, the last one perhaps smaller. `batch_size` may be larger than N.
# 3. For each batch: outputs, `F.cross_entropy` with the labels of the *same* pictures, old
#    gradients away, `backward`, a step of the optimiser. Call the network once for each batch, and
#    at no other time.
# 4. Return a list with one `float` for each epoch: the mean loss of its **pictures**. Add up, for
#    each batch, its loss times its number of pictures, and divide by the number of all pictures.
#    Take the loss with which the step was made; don't compute it again after the step.
# 5. At the end put the whole network into evaluation mode. With `epochs=0` that is all, and the
#    list is empty.
#
# The `seed` decides about orders and dropout, and nothing else does: the same seed gives the same
# ones, whatever was drawn before, and another seed gives others. How you draw an order from the
# generator is up to you. `train` freezes nothing itself: each `requires_grad` stays.
#
# <details><summary>Hint: cutting the order</summary><code>torch.randperm(n,
# generator=generator).split(batch_size)</code>. On a GPU, move a piece there before you index
# labels that lie there: <code>piece.to(images.device)</code>.</details>
#
# <details><summary>Hint: the mean of the losses is a little off</summary>
# <code>F.cross_entropy</code> gives the mean over a batch. Multiply by the number of its
# pictures, add up, and divide by the number of all pictures.</details>


# %% solution="train"
def train(network, optimizer, images, labels, epochs, batch_size, seed, head=None):
    """Train in place; returns the list of the epochs' mean losses."""
    ### BEGIN SOLUTION
    losses = []
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed)
        for _ in range(epochs):
            set_mode(network, head)
            total = 0.0
            for piece in torch.randperm(len(labels), generator=generator).split(batch_size):
                loss = F.cross_entropy(network(images[piece]), labels[piece])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(piece)
            losses.append(total / len(labels))
    network.eval()
    return losses
    ### END SOLUTION


# %% [markdown]
# The example can be computed on paper: all weights are 0, so both classes have probability ½, and
# the first loss is $\log 2 = 0.693$. Its batch has both pictures, so their order doesn't matter.


# %% test="test_train" points=2
def example_of_train():
    network = nn.Linear(1, 2)
    nn.init.zeros_(network.weight)
    nn.init.zeros_(network.bias)
    optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
    given = torch.tensor([[1.0], [-1.0]]), torch.tensor([0, 1])
    losses = call("two pictures, 2 epochs", RULES, train, network, optimizer, *given, 2, 2, 0)
    assert len(losses) == 2, f"expected one loss for each of 2 epochs, got {losses}"
    got = [round(loss, 3) for loss in losses]
    hint = "log 2, then log(1 + 1/e) with the weights 0.5 and -0.5"
    assert got == [0.693, 0.313], f"expected the losses [0.693, 0.313]: {hint}; got {got}"
    assert not network.training, "At the end the network goes into evaluation mode."


example_of_train()
### BEGIN HIDDEN TESTS


def assert_losses(case, got, want):
    assert isinstance(got, list), f"{case}: expected a list, got {type(got).__name__}"
    assert all(type(loss) is float for loss in got), f"{case}: expected floats, got {got}"
    assert len(got) == len(want), f"{case}: expected one loss for each epoch, got {got}"
    near = all(abs(a - b) < 1e-6 for a, b in zip(got, want, strict=True))
    assert near, f"{case}, one batch of 7: expected the losses {want}, got {got}"


class CheckedTraining:
    """A network that the student's function trains, and a twin that the test trains."""

    def __init__(self, head, generator, frozen):
        device = "cuda" if torch.cuda.is_available() else "cpu"
        body = nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.Tanh())
        network = nn.Sequential(body, nn.Flatten(), nn.Linear(4, 3)).to(device, torch.float64)
        with torch.no_grad():
            for value in network.parameters():
                value.copy_(torch.randn(value.shape, generator=generator, dtype=torch.float64))
        body.requires_grad_(not frozen)
        self.head, self.network, self.twin = head, network, copy.deepcopy(network)
        its = [p for p in network.parameters() if p.requires_grad]
        self.optimizer = torch.optim.SGD(its, lr=0.3, momentum=0.5)
        its = [p for p in self.twin.parameters() if p.requires_grad]
        self.right = torch.optim.SGD(its, lr=0.3, momentum=0.5)
        images = torch.randn(5, 7, generator=generator, dtype=torch.float64).T
        self.images = images.to(device)
        self.labels = torch.randint(3, (7,), generator=generator).to(device)

    def train_twin(self, epochs):
        losses = []
        for _ in range(epochs):
            self.twin.train(self.head is None)
            self.twin[2].train()
            loss = F.cross_entropy(self.twin(self.images), self.labels)
            self.right.zero_grad()
            loss.backward()
            self.right.step()
            losses.append(loss.item())
        return losses

    def compare(self, function, epochs, case):
        self.network.train()
        for value in self.network.parameters():  # of an earlier step
            value.grad = torch.full_like(value, 9.0) if value.requires_grad else None
        want, case = self.train_twin(epochs), f"head {self.head!r}, {epochs} epochs{case}"
        given = self.network, self.optimizer, self.images, self.labels
        losses = call(case, RULES, function, *given, epochs, 50, 3, self.head)
        assert_losses(case, losses, want)
        for name, value in self.twin.state_dict().items():
            hint = "These steps make something else of it."
            assert_same(f"{case}: {name}", self.network.state_dict()[name], value, hint, 1e-6)
        for name, layer in self.network.named_modules():
            assert not layer.training, f"{case}: {name or 'network'} is not in evaluation mode."
        for mine, its in zip(self.network.parameters(), self.twin.parameters(), strict=True):
            kept = mine.requires_grad is its.requires_grad
            assert kept, f"{case}: requires_grad has changed."
        return losses, want


def check_train(function):
    generator, kept = torch.Generator().manual_seed(408), []
    cases = [(None, 4, False), ("2", 3, True), (None, 0, False), ("2", 0, True), ("2", 2, False)]
    for head, epochs, frozen in cases:
        training = CheckedTraining(head, generator, frozen)
        kept.append(training.compare(function, epochs, ""))
        training.images.mul_(-0.7)  # the same tensors, network and optimiser, which has its memory
        training.labels.copy_(training.labels.flip(0))
        kept.append(training.compare(function, epochs, ", and again with other pictures"))
    for losses, want in kept:
        assert_losses("the losses, after other calls", losses, want)
    network = nn.Linear(5, 3, dtype=torch.float64)
    twin, images = copy.deepcopy(network), torch.full((6, 5), 0.5, dtype=torch.float64)
    labels, right = torch.full((6,), 2), torch.optim.SGD(twin.parameters(), lr=0.5)
    for _ in range(6):  # all batches are alike, so their order doesn't matter
        right.zero_grad()
        F.cross_entropy(twin(images[:2]), labels[:2]).backward()
        right.step()
    optimizer, case = torch.optim.SGD(network.parameters(), lr=0.5), "2 epochs of 3 equal batches"
    call(case, RULES, function, network, optimizer, images, labels, 2, 2, 3)
    hint = "each batch makes a step with its own gradients alone"
    assert_same(f"{case}: weight", network.weight.detach(), twin.weight.detach(), hint, 1e-6)


check_train(train)
### END HIDDEN TESTS

# %% [markdown]
# The second test looks at the batches. Its network keeps what it is shown.


# %% test="test_train_batches" points=2
def example_of_a_recorder(classes):
    """A network of one layer that writes down the pictures of each batch."""

    class Recorder(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.seen = nn.Linear(1, classes), []

        def forward(self, x):
            self.seen.append(x.flatten().tolist())
            return self.layer(x)

    return Recorder()


def example_of_batches():
    network = example_of_a_recorder(2)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    given = torch.arange(7.0)[:, None], torch.tensor([0, 1, 0, 1, 0, 1, 0])
    call("7 pictures in batches of 3", RULES, train, network, optimizer, *given, 1, 3, 0)
    sizes = [len(batch) for batch in network.seen]
    assert sizes == [3, 3, 1], f"7 pictures in batches of 3: expected 3, 3 and 1, got {sizes}"
    shown = sorted(picture for batch in network.seen for picture in batch)
    assert shown == list(range(7)), f"each picture comes once in an epoch, but came {shown}"


example_of_batches()
### BEGIN HIDDEN TESTS


def check_epochs(function, n, size, seed):
    """Three epochs with a rate of 0: their orders, if all batches and losses are right."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = example_of_a_recorder(n).to(device)
    with torch.no_grad():
        network.layer.weight.copy_(torch.linspace(-1, 1, n)[:, None])
        network.layer.bias.copy_(torch.linspace(0, 1, n) ** 2)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.0)
    images = torch.arange(float(n))[:, None].to(device)
    labels = ((torch.arange(n) * 5 + 2) % n).to(device)
    with torch.no_grad():
        want = F.cross_entropy(network.layer(images), labels).item()
    case, epoch = f"{n} pictures, batches of {size}, seed {seed}", -(-n // size)
    got = call(case, RULES, function, network, optimizer, images, labels, 3, size, seed)
    sizes = [len(batch) for batch in network.seen]
    expected = [size] * (n // size) + [n % size] * (n % size > 0)
    assert sizes == expected * 3, f"{case}, 3 epochs: batches of {sizes}"
    parts = [network.seen[e * epoch : (e + 1) * epoch] for e in range(3)]
    shown = [tuple(picture for batch in part for picture in batch) for part in parts]
    for number, (order, loss) in enumerate(zip(shown, got, strict=True), start=1):
        assert sorted(order) == list(range(n)), f"{case}, epoch {number}: the pictures {order}"
        hint = "Labels go with their pictures; a batch counts as much as it has pictures."
        wrong = f"{case}, rate 0, epoch {number}: expected a loss of {want:.5f}, got {loss:.5f}"
        assert abs(loss - want) < 1e-4, f"{wrong}. {hint}"
    if n > 1:
        distinct = len(set(shown))
        assert distinct == 3, f"{case}: 3 epochs had {distinct} different orders: draw anew."
        assert tuple(range(n)) not in shown, f"{case}: an epoch isn't shuffled."
    return shown


def check_orders(function):
    orders = {}
    for n, size, seed in [
        (13, 10, 1),
        (13, 10, 2),
        (13, 10, 1),
        (12, 6, 0),
        (1, 3, 4),
        (13, 12, 5),
    ]:
        torch.manual_seed(len(orders))
        shown = check_epochs(function, n, size, seed)
        case = f"{n} pictures, batches of {size}, seed {seed}"
        assert orders.setdefault((n, seed), shown) == shown, f"{case}, twice: two different orders."
    hint = "Seeds 1 and 2 give the same orders: use the seed."
    assert orders[13, 1] != orders[13, 2], hint


def check_repeats(function):
    """Dropout by the seed alone: from the same start, with the global generators elsewhere."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    generator = torch.Generator().manual_seed(409)
    images = torch.randn(9, 4, generator=generator).to(device)
    labels = torch.randint(3, (9,), generator=generator).to(device)
    layers = nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 3)
    start, ends = nn.Sequential(*layers), []
    for number, seed in enumerate([5, 5, 6, 0, 0]):
        network = copy.deepcopy(start).to(device)
        optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
        torch.manual_seed(number)
        np.random.seed(number)
        case = f"a network with dropout, seed {seed}"
        call(case, RULES, function, network, optimizer, images, labels, 3, 5, seed)
        ends.append(network[3].weight.detach().clone())
    for first, seed in ((0, 5), (3, 0)):
        hint = f"Twice seed {seed}, from the same start, and the weights differ: seed the dropout."
        assert torch.allclose(ends[first], ends[first + 1], atol=1e-6), hint
    apart = (ends[0] - ends[2]).abs().max().item()
    assert apart > 1e-3, "Seeds 5 and 6 give the same weights: use the seed."


check_orders(train)
check_repeats(train)
### END HIDDEN TESTS

# %% [markdown]
# ### Task 4b: transfer (3 points)
#
# Put it all together. `images` are photographs as SqueezeNet wants them: floats (N, 3, H, W), with
# any height and width from 48. `labels` are numbers from 0 to `classes - 1`; some classes may have
# no picture. Return a trained network, all of it in evaluation mode, on the device of the images.
# From pictures of any such size it gives outputs of shape (N, `classes`).
#
# 1. Start from `squeezenet()`, swap its head, move it to `images.device`. The new head's first
#    weights must not depend on global chance: use a `fork_rng` block as in task 4a.
# 2. Freeze the body, or choose discriminative rates. Make groups and an optimiser.
# 3. Train, and return the network. Each call makes a network of its own. The same `seed` and the
#    same pictures have to give the same answers, whatever was drawn before: outputs may differ by
#    0.01, because a computer may add in another order.
#
# When your work is graded, your function gets ten photographs of each of six kinds of things, of
# about 48 × 48 pixels, and names others of the same kinds. This is done twice, with other pictures
# and other class numbers. The mean of the two balanced accuracies must be **at least 45 %**.
# Guessing gives 17 %; our own solution reaches 65 %, with a standard deviation of 3 points over
# 20 seeds, so bad luck alone doesn't bring it below. You have about 3 seconds for a call; on one
# core an epoch takes a tenth of a second with a frozen body, and three tenths if all of it learns.
#
# <details><summary>Hint: which optimiser, which rate?</summary>Adam with a rate of about 0.006 for
# the head, batches of 16 and 4 epochs are a good start. Ten times that rate is too much for the
# body.</details>
#
# <details><summary>Hint: the accuracy stays near 17 %</summary>Does the loss fall? Does the ReLU
# behind the head still cut the outputs? Is the body frozen and in evaluation mode? Did you start
# from the pretrained weights?</details>


# %% solution="transfer"
def transfer(images, labels, classes, seed):
    """A pretrained network, trained to name `classes` kinds of things; see above."""
    ### BEGIN SOLUTION
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = swap_head(squeezenet(), classes).to(images.device)
    freeze(network, "classifier.1")
    groups = parameter_groups([network.features, network.classifier], rate=6e-3, factor=0.1)
    train(network, torch.optim.Adam(groups), images, labels, 4, 16, seed, "classifier.1")
    return network
    ### END SOLUTION


# %% [markdown]
# The visible test only looks at the form: three tiny pictures of noise, two classes.


# %% test="test_transfer" points=3
def example_of_transfer():
    images = torch.randn(3, 3, 48, 56, generator=torch.Generator().manual_seed(410))
    network = call("noise, 2 classes", RULES, transfer, images, torch.tensor([0, 1, 0]), 2, 0)
    assert isinstance(network, nn.Module), f"expected a network, got {type(network).__name__}"
    assert not network.training, "The network has to be in evaluation mode."
    with torch.no_grad():
        shape = tuple(network(images).shape)
    assert shape == (3, 2), f"3 pictures, 2 classes: expected outputs (3, 2), got {shape}"


example_of_transfer()
### BEGIN HIDDEN TESTS


def check_answers(function, stamps, size, crop, order, seed):
    """The balanced accuracy, in percent, of what `transfer` makes of one task."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    members = [(stamps.labels == stamps.classes.index(kind)).nonzero().flatten() for kind in order]
    counts = torch.tensor([len(some) for some in members])
    labels = torch.arange(len(order)).repeat_interleave(counts)
    images = preprocess(stamps.images[torch.cat(members)], size)[..., :crop, :].to(device)
    train_at, test_at = split_per_class(labels, 10, seed)
    case, labels = f"photographs of {len(order)} kinds", labels.to(device)
    network = call(case, RULES, function, images[train_at], labels[train_at], len(order), seed)
    with torch.no_grad():
        outputs, alone = network(images[test_at]), network(images[test_at[:1]])
    got, want = tuple(outputs.shape), (len(test_at), len(order))
    assert got == want, f"{case}: expected outputs {want}, got {got}"
    assert outputs.device == images.device, f"expected outputs on {images.device}"
    hint = "The answer to a picture depends on the pictures beside it."
    assert torch.allclose(alone, outputs[:1], atol=1e-3), hint
    hits = outputs.argmax(1) == labels[test_at]
    shares = [hits[labels[test_at] == c].double().mean().item() for c in range(len(order))]
    return 100 * sum(shares) / len(order)


def check_transfer(function):
    kinds = ["vehicle", "flower", "mammal", "fruit", "roadsign", "household"]
    stamps = load_stamps()
    reached = [
        check_answers(function, stamps, 48, 48, kinds, seed=411),
        check_answers(function, stamps, 54, 48, kinds[::-1], seed=412),
    ]
    mean = sum(reached) / 2
    first, second = (f"{share:.0f} %" for share in reached)
    case = f"new photographs of six kinds, two tasks: {first} and {second} right"
    assert mean >= 45, f"{case}, mean {mean:.0f} %: expected at least 45 %."


def check_transfer_repeats(function):
    """Twice the same pictures; then the same tensor, with others in it."""
    images = torch.randn(4, 3, 48, 50, generator=torch.Generator().manual_seed(413))
    lent, networks, outputs = images.clone(), [], []
    for number, shift in enumerate([0.0, 0.0, 1.0]):
        torch.manual_seed(number)
        lent.copy_(images + shift)
        case = "noise, 4 classes, one of them without a picture"
        network = call(case, RULES, function, lent, torch.tensor([2, 0, 1, 1]), 4, 7)
        networks.append(network)
        with torch.no_grad():
            outputs.append(network(images))
        shape = tuple(outputs[-1].shape)
        assert shape == (4, 4), f"{case}: expected outputs (4, 4), got {shape}"
    hint = "Twice the same seed gives two networks: the first weights of the head depend on chance."
    assert torch.allclose(*outputs[:2], atol=1e-2), hint
    hint = "Other pictures and the same seed: the same network."
    assert not torch.equal(outputs[2], outputs[0]), hint
    own = networks[0] is not networks[1]
    assert own, "two calls gave the same network: each makes one of its own (rule 5)."
    modes = [name for name, layer in networks[1].named_modules() if layer.training]
    assert not modes, f"not in evaluation mode: {modes[:3]}"
    with torch.no_grad():
        kept = torch.allclose(networks[0](images), outputs[0], atol=1e-3)
    assert kept, "later calls changed the network of the first call (rule 5)."


check_transfer(transfer)
check_transfer_repeats(transfer)
### END HIDDEN TESTS

# %% [markdown]
# Now you: what does it reach on photographs of 64 × 64 pixels? Take 48 or 80 in place of 64, and
# run the cell again. Which size do the old weights know?

# %%
kinds = ["flower", "fruit", "household", "mammal", "roadsign", "vehicle"]
labels = torch.full_like(stamps.labels, -1)
for number, kind in enumerate(kinds):
    labels[stamps.labels == stamps.classes.index(kind)] = number
chosen = (labels >= 0).nonzero().flatten()
train_at, test_at = (chosen[part] for part in split_per_class(labels[chosen], 10, seed=0))

# %%
images = preprocess(stamps.images, 64)
network = transfer(images[train_at], labels[train_at], classes=6, seed=0)
with torch.no_grad():
    answers = network(images[test_at]).argmax(1)
share = balanced_accuracy(answers, labels[test_at])
print(f"balanced accuracy on {len(test_at)} new photographs: {share:.0%}")

# %% [markdown]
# ## Part 5: which data set should it have learned from?
#
# *Lecture section: Which data set should it have learned from?*
#
# A nature reserve has automatic cameras. At night they take pictures in infrared, which are grey.
# There are 400 labelled pictures from 8 cameras, with five kinds of animals. Often the animal fills
# a small part of the picture. The rangers want to know **which animal it is and where in the
# picture** (a box around it). You may start from one VGG of these five, which were trained on
#
# - (a) ImageNet: 1,281,167 colour photographs, 1,000 classes, one label a picture;
# - (b) Pascal VOC: 11,540 colour photographs, 20 classes, boxes;
# - (c) CIFAR-10: 50,000 colour pictures of 32 × 32 pixels, 10 classes, one label a picture;
# - (d) medical pictures: grey, fewer than 10,000;
# - (e) MS-COCO: 118,287 colour photographs, 80 classes, boxes and outlines.
#
# ### Task 5: choose one, and say why (4 points, marked by a person)
#
# Write 120 to 250 words into the next cell. More than one choice can be defended; what counts is
# how you argue. This is the mark scheme:
#
# 1. **One point**: you choose one of the five, and compare its *pictures* with those of the
#    reserve. You name one thing that is alike and one that is not.
# 2. **One point**: you say what its *labels* and its *number of pictures* mean for this task.
# 3. **One point**: you give a reason *against* at least one of the others that fits this target.
# 4. **One point**: you say how you would *find out* whether you were right. What do you compare,
#    with equal effort? How do you split the pictures so that no camera is on both sides?
#
# A number without a meaning gets no point, nor does "it is the best". If a claim is a rule of thumb
# or contested, say so: it costs nothing.
#
# <details><summary>Hint: where to begin</summary>Make a table for yourself: the five data sets, and
# for each what its pictures show, in which colours, how large, with which labels. Then lay the
# reserve's pictures beside it.</details>

# %% [markdown] manual="essay_source" points=4
# (One answer of many; each sentence in brackets says which point it earns.)
#
# I choose MS-COCO. Its pictures are photographs of whole scenes, and animals such as bears, zebras
# and birds are among its classes, often small in the picture, as in the reserve. They are not alike
# in colour: the reserve's are grey, so I would repeat the grey channel three times. [1] COCO has
# boxes, so the layers that predict boxes come along, and 118,287 pictures are many more than our
# 400, which could never train a detector from scratch. [1] Against CIFAR-10 speaks that things fill
# its pictures of 32 × 32 pixels, where ours are small in large pictures. Medical pictures are grey,
# too, but show nothing like animals; rule of thumb, contested. [1] I would compare the COCO network
# with the ImageNet one and with a small network from scratch: the same number of training steps and
# of tried settings, on splits in which two of the eight cameras are left out for the test, several
# times, and report mean and spread. [1]

# %% [markdown]
# ## Part 6: three questions, one attempt each
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
# ### What spoils a test? (2 points)

# %% given="ask_spoiled_test"
ask("spoiled_test")

# %% [markdown]
# ### Frozen, in training mode (1 point)

# %% given="ask_frozen_norm"
ask("frozen_norm")

# %% [markdown]
# ### The rate of a block (1 point)

# %% given="ask_block_rate"
ask("block_rate")

# %% [markdown]
# The next three cells are where your answers are marked. Until you have answered, they say that
# there is no answer yet; once you have, they say nothing.

# %% quiz="spoiled_test"

# %% quiz="frozen_norm"

# %% quiz="block_rate"

# %% [markdown]
# ## What to take with you
#
# - Say what a tie counts, and take the mean over the classes where these are unequal.
# - Before you believe an accuracy, look for twins, for groups on both sides, and for statistics
#   that saw the test.
# - A new head needs no ReLU behind it. A frozen body needs `requires_grad_(False)` **and**
#   `eval()`.
# - The earlier a block, the more general, and the slower it should learn.
# - Which source is right depends on the target. Say the target first.
#
# **A question to end with.** Your frozen network reaches 72 %, and fine-tuning with discriminative
# rates 74 %, on the same 124 test pictures. Is that a difference? What would you do to know?
