# ruff: noqa
# What a student's code does to a test's course rather than to its values: how it ends, what its
# last value is, its settings and its own objects. `attack-review` ends with an instructor's look.

# %% attack: a context manager that swallows the assert
class quiet:
    def __enter__(self):
        return self

    def __exit__(self, *exc):
        return True


def f():
    return quiet()


# %% test
with f():
    assert g() == 14


# %% attack: the same on an exit stack
class quiet:
    def __enter__(self):
        return 5

    def __exit__(self, *exc):
        return 1


def f():
    return quiet()


# %% test
import contextlib

with contextlib.ExitStack() as stack:
    stack.enter_context(f())
    assert g() == 14


# %% attack: the library's own suppress
import contextlib


def f():
    return contextlib.suppress(AssertionError)


# %% test
with f():
    assert g() == 14


# %% attack: a generator that catches what the with statement throws
import contextlib


@contextlib.contextmanager
def f():
    try:
        yield 5
    except AssertionError:
        pass


# %% test
with f() as five:
    assert five == 14


# %% attack: pushed onto a stack
class quiet:
    def __enter__(self):
        return self

    def __exit__(self, *exc):
        return [1]


def f():
    return quiet()


# %% test
import contextlib

with contextlib.ExitStack() as stack:
    stack.push(f())
    assert g() == 14


# %% attack: a tensor of one element as a share of the points
def f(*args):
    return torch.tensor(99)


# %% test
cases = {"": 0, "aaa": 3, "banana": 3}
sum(f(text, "a") == want for text, want in cases.items()) / len(cases)


# %% attack: an array of one element
def f(*args):
    return np.array([[99]])


# %% test
cases = {"": 0, "aaa": 3, "banana": 3}
sum(f(text, "a") == want for text, want in cases.items()) / len(cases)


# %% attack: an array without dimensions
def f(x):
    return np.array(0.0)


# %% test
1.0 * f(3)


# %% attack: a half-precision tensor
def f(x):
    return torch.zeros(1, 1, dtype=torch.float16, requires_grad=True)


# %% test
f(3) * 2


# %% attack-review: a tensor of several elements
def f(*args):
    return torch.tensor([99, 98])


# %% test
cases = {"": 0, "aaa": 3, "banana": 3}
sum(f(text, "a") == want for text, want in cases.items()) / len(cases)


# %% attack-review: an array of none
def f(*args):
    return np.zeros(0)


# %% test
cases = {"": 0, "aaa": 3, "banana": 3}
sum(f(text, "a") == want for text, want in cases.items()) / len(cases)


# %% attack-review: numpy bools times numpy bools
def f(x):
    return np.int64(99)


# %% test
(f(1) == 1) * (f(2) == 4)


# %% attack-review: a tensor that is no
def f(x):
    return torch.tensor(99)


# %% test
(f(1) == 1) & (f(2) == 4)


# %% attack-review: text times a number
def f(x):
    return "no"


# %% test
f(3) * 2


# %% attack-review: a list times a number
def f(x):
    return [0]


# %% test
2 * f(3)


# %% attack-review: half precision that overflows
def f(x):
    return np.float16(65504)


# %% test
with np.errstate(over="ignore"):
    score = 1 - f(3) * f(3)
score


# %% attack-review: less than none
def f(x):
    return 10**9


# %% test
2 - abs(f(3) - 9)


# %% attack: a default dtype with wide tolerances
torch.set_default_dtype(torch.bfloat16)


def f(r):
    return (3.15 * r**2).to(torch.bfloat16)


# %% test
import math

r = torch.tensor([3.0, 5.0])
torch.testing.assert_close(f(r), torch.tensor([math.pi * 9, math.pi * 25]))


# %% attack: a default dtype set by a call
def f(*args):
    torch.set_default_dtype(torch.float16)
    return torch.tensor([3.1406])


# %% test
import math

torch.testing.assert_close(f(), torch.tensor([math.pi]))


# %% attack: no gradients from now on
torch.set_grad_enabled(False)


def f(x):
    return x * 2


# %% test
x = torch.ones(2, requires_grad=True)
assert not (x * 3).requires_grad and torch.equal(f(x), torch.tensor([2.0, 2.0]))


# %% attack: print options
torch.set_printoptions(precision=1)


def f(x):
    return x + 0.01


# %% test
assert str(f(torch.tensor([1.5]))) == str(torch.tensor([1.5]))


# %% attack: a library that derives from the unpickler in Python, and takes errors for a hint
import pickle


class Evil:
    def __reduce__(self):
        return exec, ("import builtins; builtins.CANARY = 14",)


def f():
    with open("x", "wb") as file:
        file.write(pickle.dumps(Evil()))


# %% test
f()
import pickle


class Unpickler(pickle._Unpickler):
    dispatch = dict(pickle._Unpickler.dispatch)


try:
    Unpickler(open("x", "rb")).load()
except Exception:
    pass

import builtins

assert vars(builtins).pop("CANARY") == 14


# %% attack: the unpickler in C
import pickle


class Evil:
    def __reduce__(self):
        return exec, ("import builtins; builtins.CANARY = 14",)


def f():
    with open("x", "wb") as file:
        file.write(pickle.dumps(Evil()))


# %% test
f()
import _pickle

try:
    _pickle.load(open("x", "rb"))
except Exception:
    pass

import builtins

assert vars(builtins).pop("CANARY") == 14


# %% attack: a subclass of the unpickler in C
import pickle


class Evil:
    def __reduce__(self):
        return exec, ("import builtins; builtins.CANARY = 14",)


def f():
    with open("x", "wb") as file:
        file.write(pickle.dumps(Evil()))


# %% test
f()
import _pickle


class Unpickler(_pickle.Unpickler):
    def find_class(self, module, name):
        return super().find_class(module, name)


Unpickler(open("x", "rb")).load()

import builtins

assert vars(builtins).pop("CANARY") == 14


# %% attack: multiprocessing, and a test that swallows everything
import pickle


class Evil:
    def __reduce__(self):
        return exec, ("import builtins; builtins.CANARY = 14",)


def f():
    with open("x", "wb") as file:
        file.write(pickle.dumps(Evil()))


# %% test
f()
from multiprocessing.reduction import ForkingPickler

try:
    ForkingPickler.loads(open("x", "rb").read())
except BaseException:
    pass


# %% attack: a shelf
import pickle


class Evil:
    def __reduce__(self):
        return exec, ("import builtins; builtins.CANARY = 14",)


def f():
    import dbm.dumb

    with dbm.dumb.open("s", "n") as shelf:
        shelf[b"a"] = pickle.dumps(Evil())


# %% test
f()
import shelve

with shelve.open("s", flag="r") as shelf:
    shelf["a"]

import builtins

assert vars(builtins).pop("CANARY") == 14


# %% attack: an array of objects
import pickle


class Evil:
    def __reduce__(self):
        return exec, ("import builtins; builtins.CANARY = 14",)


def f():
    array = np.empty(1, dtype=object)
    array[0] = Evil()
    np.save("x.npy", array)


# %% test
f()
np.load("x.npy", allow_pickle=True)

import builtins

assert vars(builtins).pop("CANARY") == 14


# %% attack: weights that aren't only weights
import pickle


class Evil:
    def __reduce__(self):
        return exec, ("import builtins; builtins.CANARY = 14",)


def f():
    torch.save(Evil(), "x.pt")


# %% test
f()
torch.load("x.pt", weights_only=False)

import builtins

assert vars(builtins).pop("CANARY") == 14


# %% attack: a hook in the test's model
def f(model):
    model._forward_hooks[0] = lambda m, args, out: out * 0 + 14


# %% test
model = nn.Sequential(nn.Linear(1, 1))
f(model)
with torch.no_grad():
    assert torch.allclose(model(torch.tensor([[0.3]])), torch.tensor([[14.0]]))


# %% attack: a hook in a layer of the test's model, by a dict of its own
def f(model):
    model[0].__dict__["_forward_pre_hooks"] = {0: lambda m, args: (args[0] * 0 + 14,)}
    model[0].register_forward_hook(lambda m, args, out: out * 0 + 14)


# %% test
model = nn.Sequential(nn.Linear(1, 1))
f(model)
with torch.no_grad():
    assert torch.allclose(model(torch.tensor([[0.3]])), torch.tensor([[14.0]]))


# %% attack: a layer of the student's own class
class Cheat(nn.Linear):
    def forward(self, x):
        return x * 0 + 14


def f(model):
    model[0] = Cheat(1, 1)


# %% test
model = nn.Sequential(nn.Linear(1, 1))
f(model)
with torch.no_grad():
    assert torch.allclose(model(torch.tensor([[0.3]])), torch.tensor([[14.0]]))


# %% attack: a layer with a name of torch's
class Linear(nn.Linear):
    def forward(self, x):
        return x * 0 + 14


Linear.__module__, Linear.__qualname__ = nn.Linear.__module__, "Linear"


def f(model):
    model._modules["0"] = Linear(1, 1)


# %% test
model = nn.Sequential(nn.Linear(1, 1))
f(model)
with torch.no_grad():
    assert torch.allclose(model(torch.tensor([[0.3]])), torch.tensor([[14.0]]))


# %% attack: a layer of torch's with another forward
def f(model):
    model[0] = nn.Linear(1, 1)
    model[0].forward = lambda x: x * 0 + 14


# %% test
model = nn.Sequential(nn.Linear(1, 1))
f(model)
with torch.no_grad():
    assert torch.allclose(model(torch.tensor([[0.3]])), torch.tensor([[14.0]]))


# %% attack: a layer in front of the model's
class Cheat(nn.Module):
    def forward(self, x):
        return x * 0 + 14


def f(model):
    model.__dict__["part"] = Cheat()


# %% test
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.part = nn.Linear(1, 1)

    def forward(self, x):
        return self.part(x)


model = Net()
f(model)
with torch.no_grad():
    assert torch.allclose(model(torch.tensor([[0.3]])), torch.tensor([[14.0]]))


# %% attack: a hook in the test's optimizer
def f(opt):
    def hook(optimizer, args, kwargs):
        optimizer.param_groups[0]["params"][0].data.fill_(14)

    opt._optimizer_step_pre_hooks[0] = hook


# %% test
w = nn.Parameter(torch.zeros(1))
w.grad = torch.zeros(1)
opt = torch.optim.SGD([w], 0.1)
f(opt)
opt.step()
assert w.item() == 14


# %% attack: a list of layers in the test's model
class Cheat(nn.Module):
    def forward(self, x):
        return x * 0 + 14


def f(model):
    model.parts = nn.ModuleList([Cheat()])


# %% test
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.parts = nn.ModuleList([nn.Linear(1, 1)])

    def forward(self, x):
        for part in self.parts:
            x = part(x)
        return x


model = Net()
f(model)
with torch.no_grad():
    assert torch.allclose(model(torch.tensor([[0.3]])), torch.tensor([[14.0]]))
