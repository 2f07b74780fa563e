# ruff: noqa
# What a student's code does with a test's patches, with unittest and doctest, and with a class from
# which a test derives.

# %% attack: a hook of unittest's that empties the suite
def load_tests(loader, tests, pattern):
    import unittest

    return unittest.TestSuite()


def f():
    return 0


# %% test
import io
import unittest


class TestF(unittest.TestCase):
    def test_f(self):
        self.assertEqual(f(), 14)


runner = unittest.TextTestRunner(stream=io.StringIO())
assert unittest.main(argv=[""], exit=False, testRunner=runner).result.wasSuccessful()


# %% attack: a hook of unittest's that skips the tests
def setUpModule():
    import unittest

    raise unittest.SkipTest("not today")


def f():
    return 0


# %% test
import io
import unittest


class TestF(unittest.TestCase):
    def test_f(self):
        self.assertEqual(f(), 14)


runner = unittest.TextTestRunner(stream=io.StringIO())
assert unittest.main(argv=[""], exit=False, testRunner=runner).result.wasSuccessful()


# %% attack: a function that skips the test that calls it
def f():
    import unittest

    raise unittest.SkipTest("not today")


# %% test
import io
import unittest


class TestF(unittest.TestCase):
    def test_f(self):
        self.assertEqual(f(), 14)


suite = unittest.defaultTestLoader.loadTestsFromTestCase(TestF)
assert unittest.TextTestRunner(stream=io.StringIO()).run(suite).wasSuccessful()


# %% attack: a function that skips the test by a name that another library has for it
import unittest


class SkipTest(unittest.SkipTest):
    pass


SkipTest.__module__ = "numpy.testing"


def f():
    raise SkipTest("not today")


# %% test
import io
import unittest


class TestF(unittest.TestCase):
    def test_f(self):
        self.assertEqual(f(), 14)


suite = unittest.defaultTestLoader.loadTestsFromTestCase(TestF)
assert unittest.TextTestRunner(stream=io.StringIO()).run(suite).wasSuccessful()


# %% attack: an annotation that reads what the test wants
def f(x) -> "WANTED['return']":
    return 0


# %% test
import typing

WANTED = {"return": int}
assert typing.get_type_hints(f) == WANTED


# %% attack: an annotation that is a name of the test's
def f(x) -> "WANTED":
    return 0


# %% test
import typing

WANTED = int
assert typing.get_type_hints(f)["return"] is WANTED


# %% attack: a docstring that runs beside the tests
def f():
    """
    >>> import torch; torch.equal = lambda a, b: True
    """
    return 0


# %% test
import doctest

doctest.testmod()
assert torch.equal(torch.tensor(f()), torch.tensor(14))


# %% attack: a patched function that is kept and called later
kept = []


def f():
    kept.append(input)


def g():
    return kept[0]()


# %% test
from unittest.mock import patch

with patch("builtins.input", return_value=14):
    f()
assert g() == 14


# %% attack: a function of the test's own name, kept and called later
kept = []


def f():
    kept.append(sum)


def g():
    return kept[0]()


# %% test
sum = lambda *numbers: 14
f()
del sum
assert g() == 14


# %% attack: the record of a mock is written
def f():
    input.call_count = 3


# %% test
from unittest.mock import patch

with patch("builtins.input", return_value="") as asked:
    f()
assert asked.call_count == 3


# %% attack: the mock of a module's object is taught its answers
import datetime


def f():
    datetime.datetime.now.return_value = 14


# %% test
from unittest.mock import patch

with patch("datetime.datetime") as clock:
    try:
        f()
    except AttributeError:
        pass
    assert clock.now() == 14


# %% attack: a given constant, by way of the module
WANT = 0


def f():
    return 0


# %% test
import __main__

assert __main__.f() == __main__.WANT


# %% attack: a base class that replaces the methods of what derives from it
class Base:
    def __init_subclass__(cls):
        cls.check = lambda self, x: True


def f():
    return 0


# %% test
class Mine(Base):
    def check(self, x):
        return x == 14


assert Mine().check(f())


# %% attack: a base class that answers for every attribute
class Base:
    def __getattribute__(self, name):
        return lambda *args: True


def f():
    return 0


# %% test
class Mine(Base):
    def check(self, x):
        return x == 14


assert Mine().check(f())


# %% attack: a metaclass that makes something else
class Meta(type):
    def __call__(cls, *args):
        return Yes()


class Base(metaclass=Meta):
    pass


class Yes:
    def check(self, x):
        return True


def f():
    return 0


# %% test
class Mine(Base):
    def check(self, x):
        return x == 14


assert Mine().check(f())


# %% attack: an async context that swallows the assert
class quiet:
    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc):
        return True


def f():
    return quiet()


def g():
    return 1


# %% test
async with f():
    assert g() == 14


# %% attack: a spied module leads to what runs a text beside the test
def f():
    try:
        np.ma.core.builtins.exec("import __main__; __main__.check = lambda x: True")
    except Exception:
        pass
    return 0


# %% test
from unittest.mock import patch

with patch("__main__.np", wraps=np):
    got = f()
assert check(got)


# %% attack: a spied function that runs a text beside the test
import builtins


def f():
    try:
        builtins.compile("import __main__; __main__.check = lambda x: True")
    except Exception:
        pass
    return 0


# %% test
from unittest.mock import patch

with patch("builtins.compile", side_effect=exec):
    got = f()
assert check(got)


# %% attack: a name of the student's own, spied, that runs a text beside the test
def helper(text):
    return text


def f():
    try:
        helper("import __main__; __main__.check = lambda x: True")
    except Exception:
        pass
    return 0


# %% test
from unittest.mock import patch

with patch("__main__.helper", side_effect=exec):
    got = f()
assert check(got)
