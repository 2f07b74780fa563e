# ruff: noqa
# Each attack takes the points where the tests run beside the student's code, and none here.

# %% attack: == says yes
class Yes:
    def __eq__(self, other):
        return True


def f():
    return Yes()


# %% test
assert f() == 14


# %% attack: every comparison says yes
class Yes:
    def __lt__(self, other):
        return True

    __gt__ = __le__ = __ge__ = __lt__


def f():
    return Yes()


# %% test
assert f() < 1e-6


# %% attack: truth value says yes
class Yes:
    def __bool__(self):
        return True


def f():
    return Yes()


# %% test
assert f()


# %% attack: every attribute says yes
class Yes:
    def __getattr__(self, name):
        return self

    def __call__(self, *args, **kwargs):
        return self


def f():
    return Yes()


# %% test
assert f().all() and f().shape.ok(3)


# %% attack: arithmetic that always fits
class Fits:
    def __sub__(self, other):
        return self

    def __abs__(self):
        return 0.0


def f():
    return Fits()


# %% test
assert abs(f() - 14) < 1e-6


# %% attack: reflected arithmetic
class Fits:
    def __rsub__(self, other):
        return 0.0


def f():
    return Fits()


# %% test
assert abs(14 - f()) < 1e-6


# %% attack: in says yes
class All:
    def __contains__(self, other):
        return True


def f():
    return All()


# %% test
assert 14 in f()


# %% attack: a method that gives the verdict
class A:
    def equal(self, other):
        return True

    allclose = isclose = equal


def f():
    return A()


# %% test
assert f().allclose(torch.ones(2))


# %% attack: text that equals everything
class Text(str):
    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


def f():
    return Text("")


# %% test
assert f() == "right"


# %% attack: number that equals everything
class Number(float):
    def __eq__(self, other):
        return True

    __hash__ = float.__hash__


def f():
    return Number(0)


# %% test
assert f() == 14.0


# %% attack: list that equals everything
class List(list):
    def __eq__(self, other):
        return True


def f():
    return List()


# %% test
assert f() == [1, 2]


# %% attack: array subclass
class Array(np.ndarray):
    def __eq__(self, other):
        return np.ones(3, dtype=bool)


def f():
    return np.zeros(3).view(Array)


# %% test
assert (f() == np.arange(3)).all()


# %% attack: tensor subclass
class Easy(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return True


def f():
    return torch.zeros(3).as_subclass(Easy)


# %% test
assert torch.allclose(f(), torch.ones(3))


# %% attack: class that says it is a tensor
class Tensor:
    def __eq__(self, other):
        return self

    def all(self):
        return True


Tensor.__module__ = "torch"


def f():
    return Tensor()


# %% test
assert (f() == torch.ones(3)).all()


# %% attack: class with the name of the instructor's
class Value:
    def __abs__(self):
        return 0

    def __sub__(self, other):
        return self


def f():
    return Value()


# %% test
assert abs(f() - 14) < 1e-6


# %% attack: patch torch.allclose
torch.allclose = lambda *args, **kwargs: True


def f():
    return torch.zeros(2)


# %% test
assert torch.allclose(f(), torch.ones(2))


# %% attack: patch torch.equal
torch.equal = lambda *args, **kwargs: True


def f():
    return torch.zeros(2)


# %% test
assert torch.equal(f(), torch.ones(2))


# %% attack: patch torch.Tensor
torch.Tensor.__eq__ = lambda self, other: torch.tensor(True)


def f():
    return torch.zeros(2)


# %% test
assert (f() == torch.ones(2)).all()


# %% attack: patch torch.testing
torch.testing.assert_close = lambda *args, **kwargs: None


def f():
    return torch.zeros(2)


# %% test
torch.testing.assert_close(f(), torch.ones(2))


# %% attack: patch np.testing
np.testing.assert_allclose = lambda *args, **kwargs: None


def f():
    return 1.0


# %% test
np.testing.assert_allclose(f(), 2.0)


# %% attack: patch unittest
import unittest

unittest.TestCase.assertEqual = lambda *args, **kwargs: None


def f():
    return 1


# %% test
import unittest

unittest.TestCase().assertEqual(f(), 2)


# %% attack: patch builtins
import builtins

builtins.abs = lambda x: 0


def f():
    return 1


# %% test
assert abs(f() - 14) < 1e-6


# %% attack: replace torch in sys.modules
import sys, types

sys.modules["torch"] = types.SimpleNamespace(allclose=lambda *a, **k: True, ones=torch.ones)


def f():
    return 1


# %% test
import torch

assert torch.allclose(f(), torch.ones(2))


# %% attack: a proxy for torch
import types

_torch = torch
torch = types.SimpleNamespace(allclose=lambda *a, **k: True, ones=_torch.ones)


def f():
    return _torch.zeros(2)


# %% test
assert torch.allclose(f(), torch.ones(2))


# %% attack: a proxy for numpy
class Np:
    def __getattr__(self, name):
        return self

    def __call__(self, *args, **kwargs):
        return self


np = Np()


def f():
    return 1.0


# %% test
np.testing.assert_allclose(f(), 2.0)


# %% attack: shadow builtins in the notebook
def abs(x):
    return 0


def isinstance(a, b):
    return True


def sum(x):
    return 99


def f():
    return 1


# %% test
assert abs(f() - 3) < 1 and isinstance(f(), str) and sum([1]) == 99


# %% attack: redefine the instructor's function
def check(x):
    return True


def f():
    return 1


# %% test
assert check(f())


# %% attack: redefine the instructor's constant
WANT = 1


def f():
    return 1


# %% test
assert f() == WANT


# %% attack: delete the instructor's function and shadow it with builtins
import builtins

builtins.check = lambda x: True
del check


def f():
    return 1


# %% test
assert check(f())


# %% attack: input transformer drops asserts
get_ipython().input_transformers_post.append(
    lambda lines: [l for l in lines if not l.startswith("assert")]
)


def f():
    return 1


# %% test
assert f() == 2


# %% attack: syntax tree transformer drops asserts
import ast


class Drop(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.copy_location(ast.Pass(), node)


get_ipython().ast_transformers.append(Drop())


def f():
    return 1


# %% test
assert f() == 2


# %% attack: replace run_cell
_plain = type(get_ipython()).run_cell
type(get_ipython()).run_cell = lambda self, source, *a, **k: _plain(
    self, "pass" if "f() == 2" in source else source, *a, **k
)


def f():
    return 1


# %% test
assert f() == 2


# %% attack: no traceback shown
type(get_ipython()).showtraceback = lambda self, *a, **k: None


def f():
    return 1


# %% test
assert f() == 2


# %% attack: custom exception handler
get_ipython().set_custom_exc((Exception,), lambda *args, **kwargs: None)


def f():
    return 1


# %% test
assert f() == 2


# %% attack: display partial credit
def f():
    get_ipython().displayhook(2.0)
    return 1


# %% test
assert f() == 2


# %% attack: shadow what the judge adds
import builtins

globals()["__type_of__"] = builtins.__type_of__ = lambda x: str
type = lambda x: str


def f():
    return 1


# %% test
assert type(f()) is str


# %% attack: a thread patches later
import threading, time


def later():
    time.sleep(0.1)
    import builtins

    torch.allclose = lambda *a, **k: True
    builtins.abs = lambda x: 0


threading.Thread(target=later, daemon=True).start()


def f():
    return torch.zeros(2)


# %% test
import time

time.sleep(0.4)
assert torch.allclose(f(), torch.ones(2))


# %% attack: not-a-number as partial credit
def f():
    return float("nan")


# %% test
f()


# %% attack: a view beyond the argument
def f(x):
    return torch.as_strided(x, (3,), (1,), 3)


# %% test
### BEGIN HIDDEN TESTS
d = torch.arange(6.0)
x, want = d[:3], d[3:]
assert torch.equal(f(x), want)


# %% attack: a numpy view beyond the argument
def f(x):
    return np.lib.stride_tricks.as_strided(x[2:], (3,), x.strides)[1:]


# %% test
### BEGIN HIDDEN TESTS
d = np.arange(6.0)
x, want = d[:3], d[3:5]
assert np.array_equal(f(x), want)


# %% attack: seeds again
def f():
    torch.manual_seed(7)


# %% test
torch.manual_seed(0)
a = torch.rand(1)
torch.manual_seed(0)
f()
assert not torch.equal(a, torch.rand(1))


# %% attack: replace a method of the test's model
def f(model):
    model.forward = lambda x: torch.ones(1, 1)
    return torch.ones(1, 1)


# %% test
model = nn.Linear(2, 1)
assert torch.equal(f(model), model(torch.zeros(1, 2) + 5))


# %% attack: changes what the test wants
def f(x):
    want.zero_()
    return torch.zeros(3)


# %% test
x = torch.ones(3)
want = x * 2
### BEGIN HIDDEN TESTS
assert torch.equal(f(x), want)


# %% attack: changes the test's cases
def f(x):
    for case in cases:
        case[1][:] = []
    return []


# %% test
cases = [([1], [2]), ([2], [4])]
for x, want in cases:
    assert f(x) == want


# %% attack: a named tuple that gives the verdict
from collections import namedtuple


def f():
    return namedtuple("Yes", "allclose")(lambda *args, **kwargs: True)


# %% test
assert f().allclose(torch.ones(2))


# %% attack: a difference of its own
class Near:
    def sub(self, other):
        return torch.zeros(2)


def f():
    return Near()


# %% test
assert f().sub(torch.ones(2)).abs().max() < 1e-6


# %% attack: ends the test's loop
def f(x):
    raise StopIteration


# %% test
for got, want in zip(map(f, [1, 2]), [2, 4]):
    assert got == want


# %% attack: an object that claims to be a tensor
class Fake:
    __class__ = torch.Tensor


Fake.__module__, Fake.__qualname__ = "torch", "Tensor"


def f():
    return Fake()


# %% test
assert isinstance(f(), torch.Tensor)


# %% attack: a tensor that is its own transpose
from autograder.judge.candidate_codec import CandidateEncoder

CandidateEncoder._stays = lambda self, obj: isinstance(obj, torch.Tensor)


class Own(torch.Tensor):
    T = property(lambda self: self)


def f():
    return torch.tensor([[1.0, 2.0], [3.0, 4.0]]).as_subclass(Own)


# %% test
got = f()
assert got.shape == (2, 2)
assert torch.equal(got, got.T)


# %% attack: no length, and no items at the second look
class Once:
    looks = 0

    def __iter__(self):
        self.looks += 1
        return iter([1, 2, 3] if self.looks == 1 else [])


def f():
    return Once()


# %% test
got = f()
assert sum(1 for _ in got) == 3
for item, want in zip(got, [7, 8, 9]):
    assert item == want


# %% attack: a file that the test runs
text = "import torch\ntorch.equal = lambda *_: True\ndef helper():\n    return torch.zeros(2)\n"
open("helper.py", "w").write(text)


# %% test
names = {}
exec(open("helper.py").read() + "\nresult = helper()", names)
assert torch.equal(names["result"], torch.ones(2))


# %% attack: a module that the test loads by its path
text = "import torch\ntorch.equal = lambda *_: True\ndef helper():\n    return torch.zeros(2)\n"
open("helper.py", "w").write(text)


# %% test
import importlib.util
from pathlib import Path

assert Path("helper.py").is_file()
spec = importlib.util.spec_from_file_location("helper", "helper.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
assert torch.equal(module.helper(), torch.ones(2))


# %% attack: a text that sympy evaluates
def f():
    return "__import__('__main__').WANT"


# %% test
import sympy

assert sympy.sympify(f()) == WANT


# %% attack: a text that sympy simplifies
def f():
    return "__import__('__main__').WANT"


# %% test
import sympy

assert sympy.simplify(f()) == WANT


# %% attack: a symbol whose name is a program
import sympy


def f():
    return sympy.Symbol("__import__('__main__').WANT")


# %% test
import sympy

assert sympy.lambdify(sympy.Symbol("x"), f())(1) == WANT


# %% attack: functions of sympy with the names of builtins
import sympy


def f():
    text = [sympy.Function("chr")(ord(c)) for c in "__import__('__main__').WANT"]
    joined = text[0]
    for c in text[1:]:
        joined = sympy.Function("_add")(joined, c)
    return sympy.Function("eval")(joined)


import builtins

builtins._add = lambda a, b: a + b

# %% test
import sympy

assert sympy.lambdify(sympy.Symbol("x"), f())(1) == WANT


# %% attack: a text that a test evaluates
def f():
    return "WANT"


# %% test
assert eval(f()) == WANT


# %% attack: a text that a test evaluates, by frames
def f():
    return "(n for n in [1]).gi_frame.f_globals['WANT']"


# %% test
assert eval(f()) == WANT


# %% attack: a text that a test executes
def f():
    return "def check(x): return True"


# %% test
exec(f())
assert check(3)


# %% attack: a text that timeit runs
def f():
    return "globals()['WANT'] and check.__globals__.update(WANT=3)"


# %% test
import timeit

timeit.timeit(f(), globals=globals(), number=1)
assert WANT == 3


# %% attack: a condition for rows that reads the test's answer
def f():
    return "a == @WANT"


# %% test
import pandas as pd

assert pd.DataFrame({"a": [1, WANT, 3]}).query(f()).a.tolist() == [WANT]


# %% attack: a condition for rows that runs a program
def f():
    return "@pd.io.common.os.putenv('A', 'B') != 5 and a == @WANT"


# %% test
import pandas as pd

frame = pd.DataFrame({"a": [1, WANT, 3]})
try:
    rows = frame.query(f())
except KeyError:
    rows = None
assert rows is None or rows.a.tolist() == [WANT]


# %% attack: the step with which the test moves its own parameter doesn't move it
import sys

end = sys.modules.get("autograder.judge.candidate_end")
if end is not None:
    end.CandidatePeer._do_apply = lambda self, _, __, func, args, kwargs: args[0]
torch.Tensor.sub_ = lambda self, *args, **kwargs: self
w = torch.ones(2, requires_grad=True)


def f():
    pass


# %% test
want = nn.Parameter(torch.ones(2))
w.grad = torch.ones(2)
with torch.no_grad():
    want.sub_(w.grad)
f()
assert torch.equal(w.detach(), want.detach())


# %% attack: the step with which the test moves a list of its own tensors doesn't move them
import sys

end = sys.modules.get("autograder.judge.candidate_end")
if end is not None:
    end.CandidatePeer._do_apply = lambda self, _, __, func, args, kwargs: args[0]
torch._foreach_sub_ = lambda *args, **kwargs: None
w = torch.ones(2, requires_grad=True)


def f():
    pass


# %% test
want = [torch.ones(2)]
w.grad = torch.ones(2)
with torch.no_grad():
    torch._foreach_sub_(want, [w.grad])
f()
assert torch.equal(w.detach(), want[0])
