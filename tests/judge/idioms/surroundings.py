# ruff: noqa
# What a test changes around a call: patches, bans, settings, recorded warnings and logs; names that
# the test and the student share; what looks for tests by itself.

# %% given
import io
import math
import os
import random
import sys
import time
import warnings

import numpy as np
import torch

# %% solution
import logging
import datetime
import json

count = 0


def ask():
    return int(input("n? ")) * 2


def ask_twice():
    return [input(), input("again ")]


def read_lines():
    return [line.strip() for line in sys.stdin]


def first_line():
    return sys.stdin.readline().strip()


def greet(name):
    print("hello", name)
    return name


def total(numbers):
    t = 0
    for n in numbers:
        t += n
    return t


def lazy_total(numbers):
    return sum(numbers)


def inverse(x):
    return np.where(x == 0, 0, 1 / np.where(x == 0, 1, x))


def careless_inverse(x):
    return 1 / x


def dot(a, b):
    return np.dot(a, b)


def roll():
    return random.random()


def stamp():
    return time.time()


def nap():
    time.sleep(1000)
    return "rested"


def read_config(path):
    with open(path) as file:
        return file.read()


def read_pairs(path):
    with open(path) as file:
        return [line.split() for line in file]


def mode():
    return os.environ.get("MODE", "none")


def arguments():
    return sys.argv[1:]


def old():
    warnings.warn("use new", DeprecationWarning)
    return 1


def risky():
    warnings.warn("careful", UserWarning)
    return 2


class OwnWarning(UserWarning):
    pass


def own_warning():
    warnings.warn(OwnWarning("mine"))


def log_twice():
    logging.getLogger("course").warning("low on %s", "paper")
    logging.getLogger("course").info("all is well")
    return 1


def deep(n):
    return 0 if n == 0 else 1 + deep(n - 1)


def shown(x):
    return str(x)


def helper(x):
    return x + 1


def uses_helper(x):
    return helper(x) * 10


def numbers():
    for i in range(3):
        yield random.random()


def kept_calls(n):
    return [input() for _ in range(n)]


def uses_json():
    return json.dumps({"a": 1})


def imports_late():
    import colorsys

    return colorsys.__name__


def norm(x):
    return np.linalg.norm(x)


def documented(x):
    """
    >>> documented(2)
    4
    """
    return x * 2


def clock():
    return datetime.datetime.now().year


def third():
    from decimal import Decimal

    return str(Decimal(1) / Decimal(3))


def slope():
    x = torch.tensor(3.0, requires_grad=True)
    (x * x).backward()
    return x.grad.item()


def sorted(numbers):
    result = []
    for n in numbers:
        at = 0
        while at < len(result) and result[at] <= n:
            at += 1
        result.insert(at, n)
    return ["mine", *result]


def environ_is_set():
    return "HOME_OF_TEST" in os.environ


def slow():
    time.sleep(0.5)


def fetch(url):
    import urllib.request

    return urllib.request.urlopen(url).read().decode()


# %% test: input replaced by assignment
import builtins

old_input = builtins.input
builtins.input = lambda prompt="": "4"
try:
    assert ask() == 8
finally:
    builtins.input = old_input

# %% test: input patched with a value
from unittest.mock import patch

with patch("builtins.input", return_value="21"):
    assert ask() == 42

# %% test: input patched with several answers, and its prompts
from unittest import mock

with mock.patch("builtins.input", side_effect=["a", "b"]) as asked:
    assert ask_twice() == ["a", "b"]
assert asked.call_count == 2 and asked.call_args_list[1] == mock.call("again ")


# %% test: input patched by a decorator
@patch("builtins.input", side_effect=["3"])
def check(asked):
    assert ask() == 6
    asked.assert_called_once_with("n? ")


check()

# %% test: more input than the test has answers for
with patch("builtins.input", side_effect=["1"]):
    try:
        kept_calls(2)
    except (StopIteration, RuntimeError):
        pass
    else:
        raise AssertionError("asked no second time")

# %% test: input by a name of the test's own
input = lambda prompt="": "5"
assert ask() == 10
del input

# %% test: standard input replaced
before = sys.stdin
sys.stdin = io.StringIO("7\nrest\n")
try:
    assert first_line() == "7"
    assert sys.stdin.readline() == "rest\n"
finally:
    sys.stdin = before

# %% test: standard input patched, read line by line
with patch("sys.stdin", io.StringIO("a\nb\n")):
    assert read_lines() == ["a", "b"]

# %% test: print patched
with patch("builtins.print") as printed:
    assert greet("ada") == "ada"
printed.assert_called_once_with("hello", "ada")

# %% test: print replaced by a function that keeps
said = []
real_print, builtins.print = builtins.print, lambda *args, **kwargs: said.append(args)
try:
    greet("bob")
finally:
    builtins.print = real_print
assert said == [("hello", "bob")]

# %% test: standard output patched
with patch("sys.stdout", new_callable=io.StringIO) as out:
    greet("eve")
assert out.getvalue() == "hello eve\n"


# %% test: a ban by a def of the test's own
def sum(*args):
    raise AssertionError("sum() is not allowed")


assert total([1, 2]) == 3
banned = False
try:
    lazy_total([1, 2])
except AssertionError as error:
    banned = str(error) == "sum() is not allowed"
assert banned
del sum
assert lazy_total([1, 2]) == 3

# %% test: a ban by a patched builtin
with patch("builtins.sum", side_effect=AssertionError("no sum")):
    assert total([1, 2]) == 3
    try:
        lazy_total([1])
    except AssertionError:
        pass
    else:
        raise AssertionError("sum was used unseen")
assert lazy_total([1, 2]) == 3

# %% test: a ban by None
sum = None
try:
    lazy_total([1])
except TypeError:
    banned = True
del sum
assert banned and lazy_total([1]) == 1

# %% test: a library function patched by name
with patch("numpy.dot", side_effect=AssertionError("no dot")):
    try:
        dot(np.ones(2), np.ones(2))
        used = False
    except AssertionError:
        used = True
assert used and dot(np.ones(2), np.ones(2)) == 2

# %% test: a library function replaced by assignment
plain = np.linalg.norm
calls = []


def spy(*args, **kwargs):
    calls.append(args)
    return plain(*args, **kwargs)


np.linalg.norm = spy
try:
    assert norm(np.array([3.0, 4.0])) == 5
finally:
    np.linalg.norm = plain
assert len(calls) == 1 and norm(np.array([3.0, 4.0])) == 5 and len(calls) == 1

# %% test: a patched object's function
with patch.object(random, "random", return_value=0.25) as rolled:
    assert roll() == 0.25
assert rolled.called and roll() != 0.25

# %% test: time stands still
with patch("time.time", return_value=10.0):
    assert stamp() == 10.0
assert stamp() > 1e9

# %% test: sleeping costs nothing
with patch("time.sleep") as slept:
    assert nap() == "rested"
slept.assert_called_once_with(1000)

# %% test: monkeypatch by pytest
import pytest

with pytest.MonkeyPatch.context() as monkeypatch:
    monkeypatch.setattr("builtins.input", lambda _="": "6")
    monkeypatch.setenv("MODE", "patched")
    assert ask() == 12 and mode() == "patched"
assert mode() == "none"

# %% test: a method of a library's class, replaced by assignment
plain = torch.Tensor.backward
torch.Tensor.backward = None
try:
    with pytest.raises(TypeError):
        slope()
finally:
    torch.Tensor.backward = plain
assert slope() == 6

# %% test: a method of a library's class, patched
with patch.object(torch.Tensor, "backward", side_effect=AssertionError("no autograd")):
    with pytest.raises(AssertionError, match="no autograd"):
        slope()
assert slope() == 6

# %% test: several patches at once
with patch.multiple("random", random=lambda: 0.5), patch("time.time", lambda: 3):
    assert roll() == 0.5 and stamp() == 3

# %% test: a patcher that starts and stops
patcher = patch("random.random", return_value=0.75)
patcher.start()
assert roll() == 0.75
patcher.stop()
assert roll() != 0.75

# %% test: a library function replaced by another of the library
with patch("random.random", random.getrandbits), pytest.raises(TypeError):
    roll()

# %% test: spies on a module, on a library's function and on a builtin
from unittest.mock import Mock, patch

with patch("__main__.np", wraps=np) as spy:
    assert dot([1, 2], [3, 4]) == 11
spy.dot.assert_called_once_with([1, 2], [3, 4])
for options in ({"wraps": np.dot}, {"side_effect": np.dot}, {"wraps": Mock(wraps=np.dot)}):
    with patch("numpy.dot", **options) as spy:
        assert dot([1, 2], [3, 4]) == 11
    assert spy.call_count == 1
with patch("builtins.print", wraps=print) as spy:
    greet("ada")
spy.assert_called_once_with("hello", "ada")

# %% test: spies that run what the test itself has
from unittest.mock import Mock, patch

answers = [3, 2]
with patch("numpy.dot", side_effect=lambda *args: answers.pop()):
    assert (dot(1, 1), dot(1, 1)) == (2, 3)
with patch("random.random", side_effect=[7, 8].pop):
    assert (roll(), roll()) == (8, 7)
with patch("numpy.dot", wraps=lambda a, b: len(a) + len(b)):
    assert dot([1], [2, 3]) == 3
with patch("__main__.np", Mock(wraps=np, dot=lambda a, b: "mine")):
    assert dot(1, 2) == "mine"
with patch("numpy.dot", side_effect=ValueError("no")):
    try:
        dot(1, 2)
        assert False
    except ValueError:
        pass

# %% test: a constant of a module
with patch.object(math, "pi", 3):
    assert math.pi == 3
assert math.pi > 3.1

# %% test: a function of the notebook itself
with patch("__main__.helper", return_value=7) as helped:
    assert uses_helper(1) == 70
helped.assert_called_once_with(1)
assert uses_helper(1) == 20

# %% test: json is patched, and the conversation goes on
with patch("json.dumps", return_value="{}"):
    assert uses_json() == "{}"
assert uses_json() == '{"a": 1}'

# %% test: a module that is missing
with patch.dict("sys.modules", {"colorsys": None}):
    with pytest.raises(ImportError):
        imports_late()
assert imports_late() == "colorsys"

# %% test: a module that is missing, by other ways
sys.modules["colorsys"] = None
with pytest.raises(ImportError):
    imports_late()
del sys.modules["colorsys"]
assert imports_late() == "colorsys"
from sys import modules

with pytest.MonkeyPatch.context() as hidden:
    hidden.setitem(modules, "colorsys", None)
    with pytest.raises(ImportError):
        imports_late()
assert imports_late() == "colorsys"

# %% test: imports are watched
seen = []
real_import = builtins.__import__


def watch(name, *args, **kwargs):
    seen.append(name)
    return real_import(name, *args, **kwargs)


with patch("builtins.__import__", watch):
    imports_late()
assert "colorsys" in seen

# %% test: a generator sees the patch that holds when it runs
drawn = numbers()
with patch("random.random", return_value=0.125):
    assert next(drawn) == 0.125
assert next(drawn) != 0.125


# %% test: patches of a test function's arguments
@patch("time.time", return_value=5)
@patch("random.random", return_value=0.5)
def check_both(rolled, stamped):
    assert (roll(), stamp()) == (0.5, 5)
    assert rolled.call_count == stamped.call_count == 1


check_both()


# %% test: a mock of a whole module function with attributes
class Answer:
    def read(self):
        return b"page"


with patch("urllib.request.urlopen", return_value=Answer()) as opened:
    pass
assert not opened.called

# %% test: errors of numpy raise
with np.errstate(all="raise"):
    assert np.allclose(inverse(np.array([0.0, 2.0])), [0, 0.5])
    with pytest.raises(FloatingPointError):
        careless_inverse(np.array([0.0]))

# %% test: seterr, and back
before = np.seterr(divide="raise")
try:
    with pytest.raises(FloatingPointError):
        careless_inverse(np.array([0.0]))
finally:
    np.seterr(**before)

# %% test: warnings raise
with warnings.catch_warnings():
    warnings.simplefilter("error")
    with pytest.raises(DeprecationWarning):
        old()
    assert total([1]) == 1

# %% test: one kind of warning raises
with warnings.catch_warnings():
    warnings.simplefilter("error", UserWarning)
    with pytest.raises(UserWarning, match="careful"):
        risky()

# %% test: warnings recorded
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    assert old() == 1 and risky() == 2
assert [str(w.message) for w in caught] == ["use new", "careful"]
assert caught[0].category is DeprecationWarning and issubclass(caught[1].category, UserWarning)

# %% test: pytest.warns
with pytest.warns(UserWarning, match="care"):
    risky()
with pytest.warns(UserWarning):
    own_warning()

# %% test: assertWarns and assertLogs
import unittest

case = unittest.TestCase()
with case.assertWarns(DeprecationWarning):
    old()
with case.assertLogs("course", level="INFO") as logs:
    log_twice()
assert logs.output == ["WARNING:course:low on paper", "INFO:course:all is well"]

# %% test: assertLogs of the root, from a level on
with case.assertLogs(level="WARNING") as logs:
    log_twice()
assert [r.getMessage() for r in logs.records] == ["low on paper"]

# %% test: a log handler of the test's own
import logging


class Keeper(logging.Handler):
    def __init__(self):
        super().__init__()
        self.kept = []

    def emit(self, record):
        self.kept.append(record.getMessage())


keeper = Keeper()
logger = logging.getLogger("course")
logger.addHandler(keeper)
logger.setLevel(logging.INFO)
log_twice()
logger.removeHandler(keeper)
logger.setLevel(logging.NOTSET)
assert keeper.kept == ["low on paper", "all is well"]

# %% test: the recursion limit
before = sys.getrecursionlimit()
sys.setrecursionlimit(400)
try:
    with pytest.raises(RecursionError):
        deep(600)
finally:
    sys.setrecursionlimit(before)
assert deep(600) == 600

# %% test: print options
with np.printoptions(precision=2):
    assert shown(np.array([1 / 3])) == "[0.33]"
assert shown(np.array([1 / 3])) == "[0.33333333]"

# %% test: default dtype
torch.set_default_dtype(torch.float64)
try:
    assert shown(torch.tensor(0.5)) == "tensor(0.5000)"
finally:
    torch.set_default_dtype(torch.float32)

# %% test: the environment
os.environ["MODE"] = "test"
assert mode() == "test"
del os.environ["MODE"]
assert mode() == "none"
with patch.dict(os.environ, {"MODE": "patched"}):
    assert mode() == "patched"
assert mode() == "none"

# %% test: the environment, cleared
os.environ["HOME_OF_TEST"] = "x"
with patch.dict(os.environ, {}, clear=True):
    assert not environ_is_set()
assert environ_is_set()
del os.environ["HOME_OF_TEST"]

# %% test: arguments of the program
with patch.object(sys, "argv", ["prog", "a", "b"]):
    assert arguments() == ["a", "b"]

# %% test: arguments changed in place
before = sys.argv[:]
sys.argv[1:] = ["c"]
assert arguments() == ["c"]
sys.argv[:] = before

# %% test: decimal context
import decimal

with decimal.localcontext() as context:
    context.prec = 3
    assert third() == "0.333"
assert len(third()) > 20

# %% test: a student's function of a builtin's name
assert sorted([2, 1]) == ["mine", 1, 2]

# %% test: globals shows the student's names
assert "total" in globals() and callable(globals()["total"])
assert {"total", "np", "count"} <= set(globals())
found = [name for name, obj in list(globals().items()) if name == "helper" and callable(obj)]
assert found == ["helper"]

# %% test: dir, vars and locals show the student's names
assert "total" in dir() and "total" in vars() and "total" in locals()

# %% test: the module __main__
import __main__

assert __main__.total([1, 2]) == 3 and hasattr(__main__, "ask") and not hasattr(__main__, "nope")
assert sys.modules["__main__"].total([3]) == 3 and "total" in dir(__main__)
from __main__ import lazy_total as lazy

assert lazy([4]) == 4 and getattr(__main__, "count") == 0


# %% test: unittest.main
class TestTotal(unittest.TestCase):
    def test_total(self):
        self.assertEqual(total([1, 2]), 3)


ran = unittest.main(argv=[""], exit=False, testRunner=unittest.TextTestRunner(stream=io.StringIO()))
assert ran.result.wasSuccessful() and ran.result.testsRun == 1


# %% test: unittest.main, and a failure
class TestWrong(unittest.TestCase):
    def test_wrong(self):
        self.assertEqual(total([1, 2]), 4)


ran = unittest.main(
    argv=["", "TestWrong"], exit=False, testRunner=unittest.TextTestRunner(stream=io.StringIO())
)
assert not ran.result.wasSuccessful()
del TestWrong

# %% test: a suite of the test's own
suite = unittest.defaultTestLoader.loadTestsFromTestCase(TestTotal)
assert unittest.TextTestRunner(stream=io.StringIO()).run(suite).wasSuccessful()

# %% test: doctest.testmod
import doctest

done = doctest.testmod()
assert done.attempted == 1 and done.failed == 0

# %% test: a docstring's examples
out = io.StringIO()
import contextlib

with contextlib.redirect_stdout(out):
    doctest.run_docstring_examples(documented, globals(), verbose=False)
assert out.getvalue() == ""

# %% test: get_ipython's namespace
assert get_ipython().user_ns["total"]([1]) == 1

# %% test: captured
# literally: %%capture shown_text
greet("kim")

# %% test: captured, read in the next cell
assert shown_text.stdout == "hello kim\n" and str(shown_text) == "hello kim\n"

# %% test: open patched in the notebook
with patch("__main__.open", mock.mock_open(read_data="a 1\nb 2\n")) as opened:
    assert read_pairs("nowhere.txt") == [["a", "1"], ["b", "2"]]
opened.assert_called_once_with("nowhere.txt")

# %% test: a limit of time by an executor
from concurrent.futures import ThreadPoolExecutor

with ThreadPoolExecutor(max_workers=1) as executor:
    assert executor.submit(total, [1, 2]).result(timeout=5) == 3

# %% test: a limit of time by several threads
with ThreadPoolExecutor(max_workers=3) as executor:
    assert list(executor.map(total, [[1], [2], [3]])) == [1, 2, 3]

# %% test: a limit of time by a thread
import threading

results = []
thread = threading.Thread(target=lambda: results.append(total([3, 4])))
thread.start()
thread.join(timeout=5)
assert not thread.is_alive() and results == [7]

# %% test: a thread that is late
from concurrent.futures import TimeoutError as Late

executor = ThreadPoolExecutor(max_workers=1)
late = executor.submit(slow)
try:
    late.result(timeout=0.1)
except Late:
    executor.shutdown(wait=False)
else:
    raise AssertionError("was quick")

# %% test: the test after it
assert total([1]) == 1
