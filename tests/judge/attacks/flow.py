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
