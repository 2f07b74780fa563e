# ruff: noqa
# What breaks a kernel, or would break a careless judge: no points, and the tests before and after
# (`assert g() == 1`) keep theirs, unless the student's process had to be ended.

# %% attack: cyclic
def f():
    a = []
    a.append(a)
    return a


# %% attack: deep
def f():
    a = []
    for _ in range(10**5):
        a = [a]
    return a


# %% attack: deep, with a high recursion limit
import sys


def f():
    sys.setrecursionlimit(10**6)
    a = []
    for _ in range(900):
        a = (a,)
    return a


# %% attack: huge
def f():
    return "x" * (1 << 27)


# %% attack: many
def f():
    return list(range(3_000_000))


# %% attack: SystemExit
def f():
    raise SystemExit(0)


# %% attack: KeyboardInterrupt
def f():
    raise KeyboardInterrupt


# %% attack: own BaseException
class X(BaseException):
    pass


def f():
    raise X("a")


# %% attack: exception that can't be printed
class X(Exception):
    def __str__(self):
        raise ValueError


def f():
    raise X


# %% attack: exception with a huge message
def f():
    raise ValueError("x" * (1 << 26))


# %% attack: exception class that can't be made
class X(Exception):
    def __init__(self, a, b, c):
        pass


def f():
    raise X(1, 2, 3)


# %% attack: recursion
def f():
    return f()


# %% attack: endless loop
def f():
    while True:
        pass


# %% attack: endless generator in an endless class
class E:
    def __getattr__(self, name):
        return E()

    def __iter__(self):
        while True:
            yield self

    def __len__(self):
        return -1


def f():
    return E()


# %% attack: pickles itself as a command
import os


class R:
    def __reduce__(self):
        return os.system, ("touch pwned",)


def f():
    return R()


# %% attack: library function returned
import os


def f():
    return os.system


# %% attack: printed a lot
def f():
    for _ in range(1000):
        print("x" * 100_000)


# %% attack: array of objects
def f():
    return np.array([object()])


# %% attack: sparse tensor
def f():
    return torch.eye(3).to_sparse()


# %% attack: meta tensor
def f():
    return torch.empty(10**6, 10**6, device="meta")


# %% attack: enormous expanded tensor
def f():
    return torch.ones(1).expand(10**6, 10**6)


# %% attack: hash of everything is one
class H:
    def __hash__(self):
        return 1

    def __eq__(self, other):
        return True


def f():
    return {H(): 1}


# %% attack: integers that collide
def f():
    m = 2**61 - 1
    return {m * i for i in range(30_000)}


# %% attack-fatal: ignores the interrupt
import time


def f():
    while True:
        try:
            while True:
                time.sleep(0.01)
        except BaseException:
            pass


# %% attack-fatal: os._exit
import os


def f():
    os._exit(0)


# %% attack-fatal: closes every file
import os


def f():
    os.closerange(3, 200)


# %% attack-fatal: forges frames
import os


def f():
    for fd in range(3, 100):
        try:
            os.write(fd, b"\x00\x00\x00\x05[1,2]" * 10)
        except OSError:
            pass


# %% attack-fatal: forges a long frame
import os


def f():
    for fd in range(3, 100):
        try:
            os.write(fd, b"\xff\xff\xff\xff")
        except OSError:
            pass
