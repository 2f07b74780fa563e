# ruff: noqa
# %% given
import copy
import inspect
import types
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from course_utils.own_work import own_work


class ShapeError(ValueError):
    pass


# %% solution
def conv_by_torch(x):
    slide = getattr(F, "conv" + "2d")
    return slide(x, torch.ones(1, 1, 2, 2))


def conv_in_vain(x):
    try:
        return conv_by_torch(x)
    except RuntimeError:
        return torch.zeros(1, 1, 2, 2)


def drawn():
    yield 1
    yield torch.rand(1).item()


def square(n):
    if n < 0:
        raise ValueError("n must not be negative")
    return n * n


def total(numbers):
    return sum(square(n) for n in numbers)


def describe(x, *, unit="m"):
    "Say it."
    return {"value": x, "unit": unit, "parts": (1, [2, {3}]), "none": None, "flag": True}


def hello():
    print("hello")


def big():
    return 2**20000


def default(x=[]):
    x.append(1)
    return x


def helper():
    return 1


def uses():
    return helper()


class MyError(ValueError):
    pass


def boom():
    raise MyError("bad", 3)


class AxisError(ShapeError):
    pass


def misfit(error=ShapeError):
    raise error("3 and 4 differ")


def axis():
    misfit(AxisError)


def key_error():
    return {}["k"]


def assertion():
    assert False, "mine"


counter = 0


def bump():
    global counter
    counter += 1


def once():
    global once
    once = lambda: 2
    return 1


def rename(then):
    global helper
    before, helper = helper, lambda: 3
    said = then()
    helper = before
    return said


def vanish():
    global helper
    kept = helper
    del helper

    def restore():
        global helper
        helper = kept

    return restore


config = {"lr": 1}


def lr():
    return config["lr"]


def words(target, name, op, self, _, args, kwargs, model=0):
    return [target, name, op, self, _, args, kwargs, model]


class Words:
    def __call__(self, *, target, name, op):
        return [target, name, op]

    def method(this, *, self, target, name):
        return [self, target, name]


rates = {"first": 1}


# %% given
rates["first"] = 2
rates["second"] = 2


# %% solution
rates["first"] = 3


# %% test: value
assert square(3) == 9

# %% test: keywords that are words of the engine, too
assert words(target=1, name=2, op=3, self=4, _=5, args=6, kwargs=7, model=8) == list(range(1, 9))
assert Words()(target=1, name=2, op=3) == [1, 2, 3]
assert Words().method(self=1, target=2, name=3) == [1, 2, 3]

# %% test: an item that the instructor set, and the student set again
assert rates["first"] == 3 and rates["second"] == 2

# %% test: keyword, nested containers
d = describe(2, unit="cm")
assert d == {"value": 2, "unit": "cm", "parts": (1, [2, {3}]), "none": None, "flag": True}
assert isinstance(d["parts"], tuple) and isinstance(d["parts"][1][1], set) and d["flag"] is True

# %% test: raises
try:
    square(-1)
except ValueError as error:
    assert "negative" in str(error)
else:
    raise AssertionError("did not raise")

# %% test: own exception class
try:
    boom()
except MyError as error:
    assert error.args == ("bad", 3)
else:
    raise AssertionError

# %% test: own exception by its base
try:
    boom()
except ValueError:
    pass

# %% test: exception class is a subclass
assert issubclass(MyError, ValueError)

# %% test: KeyError's message
try:
    key_error()
except KeyError as error:
    assert error.args == ("k",) and str(error) == "'k'"

# %% test: assertRaises
import unittest

t = unittest.TestCase()
with t.assertRaises(ValueError):
    square(-1)
t.assertEqual(square(2), 4)
t.assertAlmostEqual(square(0.5), 0.25)

# %% test: pytest
import pytest

with pytest.raises(ValueError, match="negative"):
    square(-1)
assert square(0.1) == pytest.approx(0.01)

# %% test: student's assert
try:
    assertion()
except AssertionError as error:
    assert str(error) == "mine"
else:
    raise RuntimeError

# %% test: partial credit
1.5

# %% test: partial credit by numpy, whole
int(np.int64(1))

# %% test: no credit
0

# %% test: semicolon hides the value
# literally: 0;

# %% test: text is full credit
"all good"

# %% test: bool is full credit
square(2) == 4

# %% test: numpy bool as last value
np.isclose(square(2), 4)

# %% test: print as last value
print("done")

# %% test: text that is put together as last value
"%d of %d" % (square(1), 1)

# %% test: list as last value
[square(i) for i in range(3)]

# %% test: wrong answer
assert square(3) == 10

# %% test: raises
raise RuntimeError("no")

# %% test: name error
not_there

# %% test: try NameError
try:
    not_there
except NameError:
    pass
else:
    raise AssertionError

# %% test: redirect_stdout
import contextlib, io

buffer = io.StringIO()
with contextlib.redirect_stdout(buffer):
    hello()
assert buffer.getvalue() == "hello\n"

# %% test: print
hello()
print("there")

# %% test: big integer
assert big() == 2**20000

# %% test: default argument keeps
assert default() == [1] and default() == [1, 1]

# %% test: rebind a helper
keep = helper


def helper():
    return 7


assert uses() == 7
helper = keep
assert uses() == 1

# %% test: delete and restore
keep = helper
del helper
try:
    uses()
except NameError:
    pass
else:
    raise AssertionError("uses does not use helper")
finally:
    helper = keep
assert uses() == 1

# %% test: a function that binds its own name anew
first = once
assert once() == 1 and once() == 2 and once() == 2 and first is not once

# %% test: a name that student code binds while the test's own function is called
assert helper() == 1
assert rename(lambda: helper()) == 3
assert helper() == 1

# %% test: a name that student code deletes
assert helper() == 1
restore = vanish()
try:
    helper()
except NameError:
    restore()
assert helper() == 1

# %% test: counter
bump()
assert counter == 1
bump()
assert counter == 2

# %% test: set a global
counter = 10
bump()
assert counter == 11

# %% test: change a global dict
config["lr"] = 5
assert lr() == 5

# %% test: globals()
assert "square" in globals() and "nope" not in globals()
assert globals()["square"](3) == 9 and globals().get("nope") is None

# %% test: callable
assert callable(square) and callable(MyError) and not callable(counter)

# %% test: doc and name
assert describe.__doc__ == "Say it." and describe.__name__ == "describe"

# %% test: getsource
assert "sum(" in inspect.getsource(total)
import ast

assert ast.parse(inspect.getsource(total)).body[0].name == "total"

# %% test: signature
s = inspect.signature(describe)
assert list(s.parameters) == ["x", "unit"] and s.parameters["unit"].default == "m"

# %% test: isfunction
assert inspect.isfunction(square) and isinstance(square, types.FunctionType)


# %% test: test's own function and class
def check(n):
    assert square(n) == n * n


class Case:
    expected = square(4)

    def run(self):
        return [square(i) for i in range(3)]


check(5)
assert Case.expected == 16 and Case().run() == [0, 1, 4]

# %% test: loop over cases
for n, want in [(1, 1), (2, 4), (-0, 0)]:
    assert square(n) == want, f"square({n}) should be {want}"

# %% test: map, sorted, max with student's function
assert list(map(square, [1, 2])) == [1, 4]
assert sorted([3, -0, 2], key=square) == [0, 2, 3] and max([1, 2], key=square) == 2

# %% test: magic
# literally: %matplotlib inline
assert square(2) == 4

# %% test: time magic
# literally: %time square(2)
assert square(2) == 4

# %% test: locals in a comprehension
k = 3
assert [square(k) for _ in range(2)] == [9, 9]

# %% test: dir
assert "lower" in dir("x")

# %% test: repr in a message
assert repr(describe(1)["parts"]) == "(1, [2, {3}])"

# %% test: house rules hold for the student's code, and for it alone
for rules in ((), ("normalisation", "chance")):
    with own_work(*rules):
        assert conv_by_torch(torch.ones(1, 1, 3, 3)).shape == (1, 1, 2, 2)
x = torch.ones(1, 1, 3, 3)
with own_work("pooling"):
    assert conv_by_torch(x).shape == (1, 1, 2, 2)
broken = []
for function in (conv_by_torch, conv_in_vain):
    try:
        with own_work("autograd", "convolution"):
            function(x)
    except RuntimeError as error:
        broken.append(str(error))
assert len(broken) == 2
assert all("does a step of yours (convolution)" in text for text in broken)
assert torch.equal(conv_by_torch(x), F.conv2d(x, torch.ones(1, 1, 2, 2)))

# %% test: what a student's generator does is under the rule while a test draws from it
try:
    with own_work("chance"):
        for _ in drawn():
            pass
except RuntimeError as error:
    assert "generator of your own" in str(error)
else:
    raise AssertionError("drew from the generator that all code shares")


# %% test: a given exception
for fails in (misfit, axis):
    try:
        fails()
    except ShapeError as error:
        assert error.args == ("3 and 4 differ",)
        assert (type(error) is ShapeError) == (fails is misfit)
    else:
        raise AssertionError("did not raise")
