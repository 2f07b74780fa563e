# ruff: noqa
# Each attack finds the hidden value where the test runs beside it, and not here.

# %% attack: the caller's frame
import sys


def f():
    return sys._getframe(1).f_globals["expected"]


# %% test
### BEGIN HIDDEN TESTS
expected = CANARY
assert f() == expected
### END HIDDEN TESTS


# %% attack: every frame
import sys


def f():
    frame = sys._getframe()
    while frame:
        for names in (frame.f_locals, frame.f_globals):
            if "expected" in names:
                return names["expected"]
        frame = frame.f_back


# %% test
### BEGIN HIDDEN TESTS
expected = CANARY
assert f() == expected
### END HIDDEN TESTS


# %% attack: a global of the same name
expected = None


def f():
    return expected


# %% test
### BEGIN HIDDEN TESTS
expected = CANARY
assert f() == expected
### END HIDDEN TESTS


# %% attack: __main__
def f():
    import __main__

    return getattr(__main__, "expected", None)


# %% test
### BEGIN HIDDEN TESTS
expected = CANARY
assert f() == expected
### END HIDDEN TESTS


# %% attack: the garbage collector
import gc


def f():
    for obj in gc.get_objects():
        if type(obj) is dict and "expected_in_hidden" in obj:
            return obj["expected_in_hidden"]


# %% test
### BEGIN HIDDEN TESTS
expected_in_hidden = CANARY
assert f() == expected_in_hidden
### END HIDDEN TESTS


# %% attack: the source in IPython's history
import re


def f():
    for source in get_ipython().user_ns["In"][::-1]:
        if found := re.search(r"expected = (\d+)", source):
            return int(found[1])


# %% test
### BEGIN HIDDEN TESTS
expected = CANARY
assert f() == expected
### END HIDDEN TESTS


# %% attack: the source in linecache
import linecache, re


def f():
    for entry in list(linecache.cache.values()):
        if len(entry) > 2 and (found := re.search(r"expected = (\d{6,})", "".join(entry[2]))):
            return int(found[1])


# %% test
### BEGIN HIDDEN TESTS
expected = CANARY
assert f() == expected
### END HIDDEN TESTS


# %% attack: a hook before each cell
import re

_seen = []
get_ipython().events.register("pre_run_cell", lambda info: _seen.append(info.raw_cell))


def f():
    for source in _seen:
        if found := re.search(r"expected = (\d{6,})", source):
            return int(found[1])


# %% test
### BEGIN HIDDEN TESTS
expected = CANARY
assert f() == expected
### END HIDDEN TESTS


# %% attack: the constants of the caller's code
import sys


def f():
    frame = sys._getframe(1)
    while frame:
        for constant in frame.f_code.co_consts:
            if type(constant) is int and constant > 100_000:
                return constant
        frame = frame.f_back


# %% test
### BEGIN HIDDEN TESTS
assert f() == CANARY
### END HIDDEN TESTS


# %% attack: the memory of the process
import re

_pattern = re.compile(rb"hidden-canary-" + rb"is-([0-9]{6,})")


def f():
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps:
            low, high, mode = re.match(r"(\w+)-(\w+) (\S+)", line).groups()
            if mode.startswith("rw") and "[v" not in line:
                try:
                    memory.seek(int(low, 16))
                    data = memory.read(int(high, 16) - int(low, 16))
                except OSError:
                    continue
                if found := _pattern.search(data):
                    return int(found[1])


# %% test
### BEGIN HIDDEN TESTS
expected = "hidden-canary-is-CANARY"
assert f() == CANARY
### END HIDDEN TESTS


# %% attack: a callback's globals
def f(callback):
    return callback.__globals__["expected"]


# %% test
### BEGIN HIDDEN TESTS
expected = CANARY
assert f(lambda: 1) == expected
### END HIDDEN TESTS


# %% attack: a callback's closure
def f(callback):
    for cell in callback.__closure__:
        if type(cell.cell_contents) is int:
            return cell.cell_contents


# %% test
### BEGIN HIDDEN TESTS
def make(expected):
    return lambda: expected


assert f(make(CANARY)) == CANARY
### END HIDDEN TESTS


# %% attack: an object's class
def f(obj):
    return type(obj).run.__globals__["expected"]


# %% test
### BEGIN HIDDEN TESTS
expected = CANARY


class Thing:
    def run(self):
        return 1


assert f(Thing()) == expected
### END HIDDEN TESTS


# %% attack: an object's private attribute
def f(obj):
    return obj._expected


# %% test
### BEGIN HIDDEN TESTS
class Thing:
    def __init__(self):
        self._expected = CANARY

    def __call__(self):
        return 1


thing = Thing()
assert f(thing) == thing._expected
### END HIDDEN TESTS


# %% attack: a bound method's function
def f(obj):
    return obj.run.__func__.__globals__["expected"]


# %% test
### BEGIN HIDDEN TESTS
expected = CANARY


class Thing:
    def run(self):
        return 1


assert f(Thing()) == expected
### END HIDDEN TESTS


# %% attack: a generator's frame
def f(numbers):
    return numbers.gi_frame.f_globals["expected"]


# %% test
### BEGIN HIDDEN TESTS
expected = CANARY
assert f(x for x in [1]) == expected
### END HIDDEN TESTS


# %% attack: the traceback of a callback's exception
def f(callback):
    try:
        callback()
    except Exception as error:
        tb = error.__traceback__
        while tb:
            if "expected" in tb.tb_frame.f_globals:
                return tb.tb_frame.f_globals["expected"]
            tb = tb.tb_next


# %% test
### BEGIN HIDDEN TESTS
expected = CANARY


def bad():
    raise ValueError


assert f(bad) == expected
### END HIDDEN TESTS


# %% attack: a module class that the test defines
def f(model):
    return type(model).forward.__globals__["expected"]


# %% test
### BEGIN HIDDEN TESTS
expected = CANARY


class Toy(nn.Module):
    def forward(self, x):
        return x


assert f(Toy()) == expected
### END HIDDEN TESTS


# %% attack: a magic's text
import re


def f():
    return _found[0]


_found = [None]


def look(line):
    if numbers := re.findall(r"\d{6,}", line):
        _found[0] = int(numbers[0])


_plain = type(get_ipython()).run_line_magic


def run_line_magic(self, name, line, *a, **k):
    look(line)
    return _plain(self, name, line, *a, **k)


type(get_ipython()).run_line_magic = run_line_magic


# %% test
### BEGIN HIDDEN TESTS
# literally: %time expected = CANARY
assert f() == CANARY
### END HIDDEN TESTS


# %% attack: the answers that a mock still has
def f():
    return list(input.side_effect)[-1]


# %% test
from unittest.mock import patch

with patch("builtins.input", side_effect=["", CANARY]):
    assert f() == CANARY


# %% attack: what a loop's hidden part bound in an earlier turn
def f():
    return globals().get("want", 0)


# %% test
for turn in range(2):
    got = f()
    assert got is not None
    ### BEGIN HIDDEN TESTS
    want = CANARY
    ### END HIDDEN TESTS
assert got == CANARY
