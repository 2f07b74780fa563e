# ruff: noqa
# Idioms seen in public courses for beginners: classes, input, print, closures, source.

# %% given
import builtins
import collections
import collections.abc
import hashlib
import inspect
import io
import math
import random
import re
import sys
import types
import unittest

import numpy as np
import pytest

PRICES = {"tea": 3, "milk": 2}

# %% solution
honest = True
q0, q1, q2 = "a", 2, [3.5]
words = ("kim", "ada")
square = lambda x: x * x


class Knight:
    "Somebody who rides."

    ranks = {"page": 1, "squire": 2}
    made = 0

    def __init__(self, name, rank="page"):
        self.name = name
        self.rank = rank
        self.quests = []
        Knight.made += 1

    def ride(self, quest, first=False):
        "Adds a quest."
        self.quests.insert(0 if first else len(self.quests), quest)

    def introduce(self):
        return "I am " + self.name + ", a " + self.rank + "."

    def __str__(self):
        return "Sir " + self.name


class Paladin(Knight):
    def introduce(self):
        return super().introduce() + " Hail!"


class Account:
    def __init__(self, owner, balance=0):
        self.owner = owner
        self.__balance = balance

    @property
    def balance(self):
        return self.__balance

    @balance.setter
    def balance(self, amount):
        if amount < 0:
            raise ValueError("must not be negative")
        self.__balance = amount

    @property
    def code(self):
        return "X"


class Grid:
    def __init__(self, rows):
        self.rows = rows

    def __getitem__(self, at):
        return self.rows[at]

    def __setitem__(self, at, value):
        self.rows[at] = value

    def __delitem__(self, at):
        del self.rows[at]

    def __len__(self):
        return len(self.rows)

    def __iadd__(self, other):
        self.rows += other.rows
        return self

    def __format__(self, spec):
        return "-".join(format(row, spec) for row in self.rows)

    def __reversed__(self):
        return reversed(self.rows)

    def __call__(self, n):
        return self.rows * n

    def __int__(self):
        return int(sum(self.rows))

    def __float__(self):
        return float(sum(self.rows))

    def __round__(self, n=0):
        return [round(row, n) for row in self.rows]

    def __abs__(self):
        return max(self.rows)


class Countdown:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        if self.n == 0:
            raise StopIteration
        self.n -= 1
        return self.n + 1


def menu(items, width=10):
    for name, price in items.items():
        print(f"{name:.<{width}}{price:>3}")
    print()


def guess(secret):
    tries = 0
    while True:
        tries += 1
        n = int(input("Your guess: "))
        if n == secret:
            print("Right!")
            return tries
        print("Too low" if n < secret else "Too high")


def counter():
    n = 0

    def count():
        nonlocal n
        n += 1
        return n

    return count


def twice(f):
    def wrapped(*args):
        return f(f(*args))

    return wrapped


def evens(limit):
    for n in range(0, limit, 2):
        got = yield n
        if got:
            yield got * 100


def total(a, b=2, *rest, scale=1):
    return (a + b + sum(rest)) * scale


def throw(sides=6):
    return random.randint(1, sides)


def biggest(numbers):
    best = numbers[0]
    for n in numbers:
        if n > best:
            best = n
    return best


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def average(numbers):
    if not numbers:
        raise ValueError("nothing to average")
    return sum(numbers) / len(numbers)


# %% test: the truth of a function and of a class
assert honest
assert average
assert Knight, "the class is missing"
assert counter() and Knight.introduce

# %% test: an object that a test makes, and the next test uses
queen = Knight("Elsa", rank="squire")
assert isinstance(queen, Knight)
assert queen.name == "Elsa" and queen.rank == "squire" and queen.quests == []

# %% test: the object of the test before
assert callable(queen.introduce) and callable(Knight.ride)
queen.ride("north")
queen.ride(quest="south", first=True)
assert queen.quests == ["south", "north"]
assert isinstance(queen.introduce(), str)

# %% test: attributes of the class
assert "page" in queen.ranks.keys() and isinstance(Knight.ranks, dict)
before = Knight.made
Knight("a"), Knight("b")
assert Knight.made == before + 2
Knight.made = 0
Knight("c")
assert Knight.made == 1 and queen.made == 1

# %% test: no list is shared
a, b = Knight("a"), Knight("b")
assert a.quests is not b.quests and a is not b and id(a) != id(b)
a.ride("x")
assert b.quests == []

# %% test: the attributes of an object
k = Knight("Kay")
assert vars(k) == {"name": "Kay", "rank": "page", "quests": []}
assert k.__dict__["name"] == "Kay" and set(k.__dict__) == {"name", "rank", "quests"}
assert "introduce" in dir(k) and "ride" in dir(Knight)

# %% test: what the class itself defines
assert Paladin.__bases__ == (Knight,) and Paladin.__base__ is Knight
assert [c.__name__ for c in Paladin.__mro__] == ["Paladin", "Knight", "object"]
assert "introduce" in Paladin.__dict__ and "ride" not in Paladin.__dict__
assert Paladin.introduce is not Knight.introduce
assert Paladin("P").__class__.__name__ == "Paladin" and Knight.__name__ == "Knight"

# %% test: mro and subclasses
assert Paladin.mro()[1] is Knight and Paladin in Knight.__subclasses__()
assert type(Paladin("P")).__bases__[0].__name__ == "Knight"

# %% test: super is called
assert Paladin("P").introduce() == Knight("P").introduce() + " Hail!"
assert Knight.introduce(Paladin("P")) == "I am P, a page."

# %% test: docstrings of a class and its method
assert Knight.__doc__ == "Somebody who rides." and Knight.ride.__doc__
assert Knight.ride.__doc__.startswith("Adds")

# %% test: a private attribute
acc = Account("Ann", 5)
assert acc._Account__balance == 5 and not hasattr(acc, "__balance")

# %% test: a property that checks
acc = Account("Ann")
acc.balance = 7
acc.balance += 1
assert acc.balance == 8
with pytest.raises(ValueError):
    acc.balance = -1
with pytest.raises(AttributeError):
    acc.code = "Y"
assert isinstance(Account.__dict__["balance"], property) and isinstance(Account.balance, property)

# %% test: an attribute is deleted
acc = Account("Ann")
del acc.owner
assert not hasattr(acc, "owner")

# %% test: items are read, set, deleted
g = Grid([1, 2, 3, 4])
g[0] = 9
del g[1]
assert g[0] == 9 and g[1:] == [3, 4] and g[-1] == 4 and len(g) == 3 and list(g) == [9, 3, 4]

# %% test: special methods
g = Grid([1.25, 2.5])
before = g
g += Grid([4])
assert g is before and len(g) == 3
assert f"{g:.1f}" == "1.2-2.5-4.0" and format(g, "") == "1.25-2.5-4"
assert list(reversed(g)) == [4, 2.5, 1.25] and Grid([1])(2) == [1, 1]
assert int(Grid([1, 2])) == 3 and float(Grid([1, 2])) == 3.0 and round(g, 1) == [1.2, 2.5, 4]
assert abs(g) == 4

# %% test: an iterator class
c = Countdown(3)
assert iter(c) is c and next(c) == 3 and list(c) == [2, 1]
assert isinstance(Countdown(1), collections.abc.Iterator)
assert [n for n in Countdown(2)] == [2, 1] and sum(Countdown(3)) == 6
with pytest.raises(StopIteration):
    next(Countdown(0))

# %% test: str, print and the class's own text
assert str(Knight("Kay")) == "Sir Kay"
assert "%s" % Knight("Kay") == "Sir Kay" and "{}".format(Knight("Kay")) == "Sir Kay"

# %% test: type compared
assert type(q0) == str and type(q1) is int and type(q2[0]) in (int, float)
assert isinstance(honest, bool) and type(words) == tuple and type(None) != type(q0)

# %% test: str of a type
assert str(type(q1)) == "<class 'int'>" and str(type(average)) == "<class 'function'>"
assert type(average).__name__ == "function" and str(type(q2)) == "<class 'list'>"

# %% test: answers by their hash
assert hashlib.sha256(str(q1).encode()).hexdigest()[:8] == "d4735e3a"
assert hashlib.md5(bytes(q0, "utf8")).hexdigest()[:8] == "0cc175b9"
assert (
    hashlib.sha1(str(type(average)).encode("utf-8") + b"3c").hexdigest()
    == hashlib.sha1(b"<class 'function'>3c").hexdigest()
)

# %% test: many names by a loop
for i, want in enumerate(["a", 2, [3.5]]):
    assert globals()[f"q{i}"] == want
    assert eval(f"q{i}") == want
    assert f"q{i}" in globals() and f"q{i}" in dir()

# %% test: exec of a text
exec("answer = average([1, 2])")
assert answer == 1.5

# %% test: a name that is missing
try:
    missing_one
except NameError:
    pass
assert "missing_one" not in globals()
with pytest.raises(NameError):
    eval("missing_one")

# %% test: input from an iterator
answers = iter(["5", "9", "7"])
real = builtins.input
builtins.input = lambda prompt="": next(answers)
try:
    assert guess(7) == 3
finally:
    builtins.input = real

# %% test: input by __builtins__
answers = ["3"]
real = __builtins__.input
__builtins__.input = lambda *_: answers.pop(0)
assert guess(3) == 1
__builtins__.input = real

# %% test: what was printed while it asked
from unittest.mock import patch

with patch("builtins.input", side_effect=["1", "9", "4"]) as asked:
    with patch("sys.stdout", new=io.StringIO()) as out:
        assert guess(4) == 3
lines = out.getvalue().strip().split("\n")
assert lines == ["Too low", "Too high", "Right!"] and asked.call_count == 3
assert asked.call_args[0][0] == "Your guess: "

# %% test: standard output by hand
real = sys.stdout
sys.stdout = io.StringIO()
menu(PRICES)
text = sys.stdout.getvalue()
sys.stdout = real
assert text.splitlines() == ["tea.........3".replace("...3", ".  3"), "milk......  2", ""]

# %% test: capture_output
from IPython.utils.capture import capture_output

with capture_output() as captured:
    menu({"tea": 3}, width=5)
assert captured.stdout == "tea..  3\n\n" and captured.stderr == ""
assert re.search(r"tea\.+\s+3", captured.stdout)

# %% test: the calls of print
with patch("builtins.print") as printed:
    menu({"tea": 3})
assert printed.call_count == 2 and printed.call_args_list[0][0][0].startswith("tea")
assert [len(call.args) for call in printed.mock_calls] == [1, 0]

# %% test: a closure
c, d = counter(), counter()
assert [c(), c(), d()] == [1, 2, 1]


# %% test: a decorator of the student's on a function of the test's
@twice
def add_three(x):
    return x + 3


assert add_three(1) == 7
assert twice(lambda x: x * 2)(3) == 12 and twice(square)(3) == 81

# %% test: a generator
g = evens(6)
assert isinstance(g, types.GeneratorType) and inspect.isgeneratorfunction(evens)
assert next(g) == 0 and g.send(3) == 300 and next(g) == 2
g.close()
assert list(g) == [] and type(evens(2)).__name__ == "generator" and iter(g) is g

# %% test: the parameters of a function
assert inspect.getfullargspec(total).args == ["a", "b"]
assert inspect.getfullargspec(total).varargs == "rest"
s = inspect.signature(total)
assert s.parameters["scale"].kind is inspect.Parameter.KEYWORD_ONLY and len(s.parameters) == 4
assert s.parameters["b"].default == 2 and s.parameters["a"].default is inspect.Parameter.empty

# %% test: defaults and code of a function
assert total.__defaults__ == (2,) and total.__kwdefaults__ == {"scale": 1}
assert total.__code__.co_argcount == 2 and total.__code__.co_varnames[:2] == ("a", "b")

# %% test: which names a function uses
assert "max" not in biggest.__code__.co_names and "sum" in average.__code__.co_names
assert biggest.__code__.co_consts is not None

# %% test: the source has a loop and no max
import ast

tree = ast.parse(inspect.getsource(biggest))
assert any(isinstance(node, (ast.For, ast.While)) for node in ast.walk(tree))
calls = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call)}
assert "max" not in calls and "sorted(" not in inspect.getsource(biggest)
assert "def ride" in inspect.getsource(Knight.ride)

# %% test: a function that calls itself
assert inspect.getsource(fib).count("fib(") >= 2
seen = []
original = fib


def fib(n):
    seen.append(n)
    return original(n)


assert original(4) == 3 and len(seen) >= 4
fib = original

# %% test: a lambda
assert square.__name__ == "<lambda>" and isinstance(square, types.LambdaType) and square(3) == 9

# %% test: a seed gives the same again
random.seed(3)
first = [throw() for _ in range(5)]
random.seed(3)
assert [throw() for _ in range(5)] == first and all(1 <= n <= 6 for n in first)
assert set(throw(2) for _ in range(100)) == {1, 2}

# %% test: unittest's assertions without a class of tests
t = unittest.TestCase()
t.assertCountEqual(words, ["ada", "kim"])
t.assertListEqual(q2, [3.5])
t.assertTupleEqual(words, ("kim", "ada"))
t.assertIsInstance(queen, Knight)
t.assertIn("kim", words)
t.assertRegex(Knight("Kay").introduce(), r"^I am \w+")
with t.assertRaisesRegex(ValueError, "nothing"):
    average([])
t.assertRaises(ValueError, average, [])
for numbers, want in (([1, 3], 2), ([5], 5)):
    with t.subTest(numbers=numbers):
        t.assertEqual(average(numbers), want)

# %% test: a bare except
try:
    average([])
    raised = False
except:
    raised = True
assert raised

# %% test: assert False in a try
try:
    average([])
    assert False, "should have raised"
except ValueError as error:
    assert "nothing" in str(error) and error.args[0].startswith("nothing")
    assert repr(error) == "ValueError('nothing to average')"


# %% test: a test function that calls the one of an earlier test
def test_average():
    assert average([2, 4]) == 3


if __name__ == "__main__":
    test_average()


# %% test: a call of all of them
def test_all():
    test_average()
    assert average([1]) == 1


test_all()
print("All tests passed!")

# %% test: approx of a list and a dict
assert [average([0.1, 0.2])] == pytest.approx([0.15])
assert {"m": average([0.1, 0.2])} == pytest.approx({"m": 0.15})
assert math.isclose(average([0.1, 0.2]), 0.15, rel_tol=1e-9)

# %% test: counters and sets of a result
assert collections.Counter(words) == {"kim": 1, "ada": 1} and set(words) == {"ada", "kim"}
assert sorted(words, key=len) == list(words) and all(isinstance(w, str) for w in words)

# %% test: sorted and max by an attribute
team = [Knight("b"), Knight("a")]
assert [k.name for k in sorted(team, key=lambda k: k.name)] == ["a", "b"]
assert max(team, key=lambda k: k.name).name == "b"

# %% test: how long it takes
import time, timeit

start = time.perf_counter()
fib(10)
assert time.perf_counter() - start < 5
assert timeit.timeit(lambda: average([1, 2]), number=2) < 5
assert timeit.timeit("average([1, 2])", globals=globals(), number=2) < 5

# %% test: the time by a magic
# literally: taken = %timeit -o -q -n 1 -r 1 average([1, 2])
assert taken.average < 5

# %% test: a method called by its name
for name, arguments in (("introduce", ()), ("ride", ("x",))):
    assert hasattr(queen, name) and callable(getattr(queen, name))
    getattr(queen, name)(*arguments)
assert queen.quests[-1] == "x"

# %% test: a method taken from the object
say = queen.introduce
assert say() == queen.introduce() and say.__name__ == "introduce" and say.__self__ is queen
assert inspect.ismethod(say)

# %% test: the history of cells
assert any("class Knight" in text for text in In) and any("def fib" in text for text in _ih)
