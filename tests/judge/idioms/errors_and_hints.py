# ruff: noqa
# Exceptions of the student's, coroutines, annotations and what `inspect` finds.

# %% given
import asyncio
import functools
import inspect
import json
import typing
from typing import Optional

import numpy as np
import pytest
import torch


class GivenError(ValueError):
    pass


# %% solution
import sys
from contextlib import contextmanager


class BankError(Exception):
    pass


class Overdrawn(BankError):
    def __init__(self, balance, need):
        super().__init__(f"{balance} < {need}")
        self.balance = balance
        self.need = need

    def __str__(self):
        return f"short by {self.need - self.balance}"


class Account:
    """An account."""

    rate = 0.5

    def __init__(self, balance: int = 0):
        self.balance = balance

    def withdraw(self, n: int) -> int:
        if n > self.balance:
            raise Overdrawn(self.balance, n)
        self.balance -= n
        return self.balance

    @property
    def rich(self):
        return self.balance > 100

    @classmethod
    def empty(cls):
        return cls()

    @staticmethod
    def bank():
        return "B"


def quit_it(code):
    sys.exit(code)


def parse_it(text):
    return json.loads(text)


def solve(a, b):
    return np.linalg.solve(a, b)


def given_error():
    raise GivenError("given")


def calls(f, *args):
    return f(*args)


def swallow(f):
    try:
        return f()
    except KeyError:
        return "no key"


async def later(x):
    await asyncio.sleep(0.001)
    return x * 2


async def sleepy():
    await asyncio.sleep(0.2)
    return 1


async def countdown(n):
    while n:
        yield n
        n -= 1


async def fails():
    raise BankError("later")


class Resource:
    log = []

    async def __aenter__(self):
        self.log.append("in")
        return self

    async def __aexit__(self, *exc):
        self.log.append("out")
        return True


def typed(x: int, names: list[str], rate: float = 0.5, *rest: str) -> Optional[dict[str, int]]:
    return None


def logged(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        wrapper.count += 1
        return f(*args, **kwargs)

    wrapper.count = 0
    return wrapper


@logged
def decorated(x):
    """Doubles."""
    return 2 * x


@contextmanager
def managed(log):
    log.append("enter")
    yield "value"
    log.append("exit")


# %% test: a caught SystemExit
try:
    quit_it(3)
except SystemExit as error:
    assert error.code == 3
else:
    raise AssertionError("went on")
with pytest.raises(SystemExit) as caught:
    quit_it("no such file")
assert caught.value.code == "no such file"

# %% test: attributes of an exception
try:
    Account(3).withdraw(5)
except Overdrawn as error:
    assert error.balance == 3 and error.need == 5 and str(error) == "short by 2"
else:
    raise AssertionError("paid")

# %% test: an exception is caught by its base class
try:
    Account(3).withdraw(5)
except BankError as error:
    assert type(error).__name__ == "Overdrawn" and isinstance(error, Overdrawn)
assert issubclass(Overdrawn, BankError) and not issubclass(BankError, Overdrawn)

# %% test: pytest.raises with attributes
with pytest.raises(BankError, match="short by 1") as caught:
    Account(3).withdraw(4)
assert caught.value.need == 4

# %% test: an exception of a library
with pytest.raises(json.JSONDecodeError):
    parse_it("{")
with pytest.raises(np.linalg.LinAlgError):
    solve(np.zeros((2, 2)), np.ones(2))

# %% test: an exception that the notebook gives
try:
    given_error()
except GivenError as error:
    assert str(error) == "given"


# %% test: an exception of the test's own comes back through the student's code
class Stop(Exception):
    def __init__(self, where):
        super().__init__(where)
        self.where = where


def stop():
    raise Stop("here")


try:
    calls(stop)
except Stop as error:
    assert error.where == "here"
else:
    raise AssertionError("swallowed")


def no_key():
    return {}["a"]


assert swallow(no_key) == "no key"

# %% test: top-level await
assert await later(4) == 8


# %% test: await in a function of the test's
async def both():
    return await later(1) + await later(2)


assert await both() == 6

# %% test: several at once
assert await asyncio.gather(later(1), later(2)) == [2, 4]
import time

start = time.monotonic()
await asyncio.gather(sleepy(), sleepy(), sleepy(), sleepy(), sleepy())
assert time.monotonic() - start < 0.9

# %% test: a limit for a coroutine
assert await asyncio.wait_for(later(3), timeout=5) == 6
try:
    await asyncio.wait_for(sleepy(), 0.01)
except asyncio.TimeoutError:
    pass
else:
    raise AssertionError("no limit")

# %% test: a task
task = asyncio.create_task(later(5))
assert await task == 10

# %% test: async for
assert [n async for n in countdown(3)] == [3, 2, 1]

# %% test: async with
async with Resource() as resource:
    pass
assert resource.log[-2:] == ["in", "out"]

# %% test: an exception of a coroutine
try:
    await fails()
except BankError as error:
    assert str(error) == "later"

# %% test: what kind of function
assert inspect.iscoroutinefunction(later) and not inspect.iscoroutinefunction(typed)
assert inspect.isasyncgenfunction(countdown) and inspect.isfunction(typed)
assert asyncio.iscoroutinefunction(later)

# %% test: type hints
hints = typing.get_type_hints(typed)
assert hints["x"] is int and hints["names"] == list[str] and hints["rate"] == float
assert hints["return"] == Optional[dict[str, int]]

# %% test: annotations
assert typed.__annotations__["x"] is int and set(typed.__annotations__) == {
    "x",
    "names",
    "rate",
    "rest",
    "return",
}
assert Account.withdraw.__annotations__ == {"n": int, "return": int}

# %% test: annotations of a signature
signature = inspect.signature(typed)
assert signature.parameters["x"].annotation is int and signature.parameters["rate"].default == 0.5
assert signature.return_annotation == Optional[dict[str, int]]
assert list(signature.parameters) == ["x", "names", "rate", "rest"]

# %% test: a decorated function
assert decorated.__name__ == "decorated" and decorated.__doc__ == "Doubles."
assert decorated(3) == 6 and decorated.count == 1 and hasattr(decorated, "__wrapped__")
assert decorated.__wrapped__(2) == 4 and decorated.count == 1
assert inspect.unwrap(decorated)(1) == 2

# %% test: members
members = dict(inspect.getmembers(Account))
assert {"rate", "withdraw", "rich", "empty", "bank"} <= set(members) and members["rate"] == 0.5
methods = [name for name, _ in inspect.getmembers(Account, predicate=inspect.isfunction)]
assert methods == ["__init__", "bank", "withdraw"]

# %% test: members of an object
members = dict(inspect.getmembers(Account(7)))
assert members["balance"] == 7 and members["rich"] is False
bound = [name for name, _ in inspect.getmembers(Account(7), inspect.ismethod)]
assert bound == ["__init__", "empty", "withdraw"]

# %% test: docstrings
assert inspect.getdoc(Account) == "An account." and Account.__doc__ == "An account."

# %% test: a property is a property
assert isinstance(vars(Account)["rich"], property) or isinstance(
    inspect.getattr_static(Account, "rich"), property
)

# %% test: a context manager made by a generator
log = []
with managed(log) as value:
    assert value == "value" and log == ["enter"]
assert log == ["enter", "exit"]
