# ruff: noqa
# %% given
import copy
import inspect
import types
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


# %% solution
def fill(lst, d):
    lst.append(3)
    lst[0][0] = 9
    d["k"] = lst


def scale(a):
    a *= 2
    return a


def ident(x):
    return x


def inplace(x):
    return x.add_(1)


def view(x):
    return x.view(-1)[:2]


def part(a):
    return a[1:]


def swap(x):
    x[0], x[1] = x[1].clone(), x[0].clone()


def pop(s):
    s.pop()


def clear(d):
    d.clear()


def flat(x):
    return x.view(-1)


def strides(x):
    return x.stride(), x.is_contiguous()


def zero_first(x):
    x[0] = 0


hist = []


def log(v):
    hist.append(v)


W = np.zeros(3)


def wsum():
    return float(W.sum())


class Keeper:
    def __init__(self, x):
        self.x = x

    def step(self):
        if isinstance(self.x, list):
            self.x.append(1)
        else:
            self.x += 1

    def get(self):
        return self.x


def apply(f, x):
    return f(x)


def call_twice(f):
    return f(1), f(2)


def numgrad(f, x, eps=1e-3):
    g = torch.zeros_like(x)
    for i in range(x.numel()):
        e = torch.zeros_like(x)
        e.view(-1)[i] = eps
        g.view(-1)[i] = (f(x + e) - f(x - e)) / (2 * eps)
    return g


def consume(it):
    return [x for x in it]


def first_two(seq):
    return seq[0], len(seq)


def mutate(b):
    b.extend(b"x")


def cyclic():
    l = [1]
    l.append(l)
    return l


# %% test: nested write-back
l = [[1], 2]
d = {}
fill(l, d)
assert l == [[9], 2, 3] and d["k"] is l

# %% test: array in place, same object
a = np.ones(2)
b = scale(a)
assert b is a and a.sum() == 4

# %% test: tensor in place, same object
x = torch.ones(2)
y = inplace(x)
assert (x == 2).all() and y is x

# %% test: identity
x = torch.ones(2)
assert ident(x) is x
l = [1]
assert ident(l) is l

# %% test: not changed
x = torch.randn(4)
before = x.clone()
view(x)
assert torch.equal(x, before)

# %% test: view of a tensor
x = torch.zeros(4)
v = view(x)
x[0] = 7
assert v[0] == 7 and v.shape == (2,)

# %% test: view of an array
a = np.zeros(4)
b = part(a)
a[1] = 7
assert b[0] == 7 and np.shares_memory(a, b)

# %% test: swap rows
x = torch.arange(4.0).view(2, 2)
swap(x)
assert x.tolist() == [[2, 3], [0, 1]]

# %% test: set and dict in place
s = {1}
pop(s)
assert s == set()
d = {1: 2}
clear(d)
assert d == {}

# %% test: bytearray
b = bytearray(b"a")
mutate(b)
assert b == b"ax"

# %% test: live list
h = hist
log(1)
log(2)
assert h == [1, 2] and hist is h

# %% test: list changed by the test
hist.clear()
log(5)
assert hist == [5]

# %% test: live array
W[1] = 5
assert wsum() == 5

# %% test: kept list
l = []
k = Keeper(l)
k.step()
assert l == [1] and k.get() is l

# %% test: kept list changed by the test
l = []
k = Keeper(l)
l.append(9)
assert k.get() == [9]

# %% test: kept tensor
x = torch.zeros(2)
k = Keeper(x)
k.step()
k.step()
assert x.tolist() == [2, 2]

# %% test: kept array
x = np.zeros(2)
k = Keeper(x)
k.step()
x += 1
assert k.get().tolist() == [2, 2] and k.x is x

# %% test: callback
assert apply(lambda x: x + 1, 2) == 3 and call_twice(lambda x: [x]) == ([1], [2])

# %% test: callback of the test's own
seen = []


def spy(x):
    seen.append(x)
    return x


apply(spy, 4)
assert seen == [4]

# %% test: library function as callback
assert apply(torch.sum, torch.ones(3)) == 3 and apply(len, [1]) == 1

# %% test: builtin method as callback
l = []
apply(l.append, 3)
assert l == [3]

# %% test: student's function as callback
assert apply(ident, 3) == 3


# %% test: callback raises
def bad(x):
    raise KeyError("k")


try:
    apply(bad, 1)
except KeyError:
    pass
else:
    raise AssertionError

# %% test: numerical gradient
x = torch.ones(2)
assert torch.allclose(numgrad(lambda t: (t**2).sum(), x), 2 * x, atol=1e-2)

# %% test: test's iterator
assert consume(iter([1, 2])) == [1, 2] and consume(x for x in "ab") == ["a", "b"]


# %% test: test's sequence
class Seq:
    def __getitem__(self, i):
        return i + 1

    def __len__(self):
        return 5


assert first_two(Seq()) == (1, 5)

# %% test: range, slice, bytes, complex
for v in (range(3), slice(1, 2), b"x", 1j, ..., None, 1.5, "é\ud800"):
    assert ident(v) == v and type(ident(v)) is type(v)

# %% test: numpy values
for v in (
    np.float32(1.5),
    np.int64(3),
    np.array(["a"]),
    np.array([1j]),
    np.bool_(True),
    np.array([], dtype=np.float16),
    np.array(5),
    np.datetime64("2020-01-01"),
):
    w = ident(v)
    assert type(w) is type(v) and w.dtype == v.dtype and (w == v).all()

# %% test: torch values
for v in (torch.float32, torch.device("cpu"), torch.Size([1, 2])):
    assert ident(v) == v
x = torch.tensor(5)
assert ident(x) == 5 and ident(torch.zeros(0, 3)).shape == (0, 3)
h = torch.ones(2, dtype=torch.bfloat16)
assert ident(h.clone()).dtype == torch.bfloat16

# %% test: not-a-number
import math

assert math.isnan(ident(float("nan"))) and ident(float("inf")) == math.inf

# %% test: cyclic
c = cyclic()
assert c[1] is c and c[0] == 1

# %% test: non-contiguous
x = torch.arange(6.0).view(2, 3).t()
assert torch.equal(ident(x.clone().t()), x.t())
e = torch.ones(1).expand(4)
assert ident(e).sum() == 4

# %% test: one tensor twice
x = torch.zeros(2)
a, b = ident((x, x))
assert a is b and a is x

# %% test: a change between calls
x = torch.zeros(2)
k = Keeper(x)
x.fill_(5)
assert k.get().sum() == 10

# %% test: a part of a tensor that has no memory of its own
e = torch.arange(3.0)[:, None].expand(3, 4)
assert torch.equal(part(e), e[1:]) and torch.equal(part(e.T), e.T[1:])
assert torch.equal(view(e.contiguous().T.contiguous()), torch.tensor([0.0, 1.0]))

# %% test: a part of an array that has no memory of its own
b = np.broadcast_to(np.arange(3.0)[:, None], (3, 4))
assert np.array_equal(part(b), b[1:]) and np.array_equal(part(b.T), b.T[1:])
assert part(b).shape == (2, 4) and np.array_equal(part(b[:, ::-1]), b[1:, ::-1])

# %% test: a tensor's layout in memory reaches the student
x = torch.arange(24.0).reshape(2, 3, 4)
for made in (
    x,
    x.mT,
    x.permute(2, 0, 1),
    x[:, :, ::2],
    x[:, 1:2].expand(2, 5, 4),
    x[None].contiguous(memory_format=torch.channels_last),
    torch.ones(()).expand(3, 2),
    x.mT.double().requires_grad_(),
):
    assert strides(made) == (made.stride(), made.is_contiguous()), made.shape
    assert torch.equal(ident(made), made)

# %% test: what a layout forbids is an error
for made in (torch.arange(6.0).view(2, 3).mT, torch.ones(2, 1).expand(2, 3)):
    try:
        flat(made)
    except RuntimeError as error:
        assert "view size is not compatible" in str(error)
    else:
        raise AssertionError("a transposed tensor was flattened by view")

# %% test: an expanded tensor can't be written, a transposed one can
x = torch.ones(2, 3).mT
zero_first(x)
assert x.tolist() == [[0, 0], [1, 1], [1, 1]]
e = torch.ones(3).expand(2, 3)
try:
    inplace(e)
except RuntimeError as error:
    assert "single memory location" in str(error)
else:
    raise AssertionError("an expanded tensor was written")
