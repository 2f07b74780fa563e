"""What a student's class says of itself: it gains nothing, and C code is never told a class."""

from __future__ import annotations

import collections
import os
import random
import socket
import sys
import types

import numpy as np
import pytest
import torch
from torch import nn

from autograder.judge.judge_end import JudgePeer
from autograder.judge.notebook.source import Notebook
from autograder.judge.objects.kinds import Kind
from autograder.judge.objects.stand_ins import (
    Remote,
    is_laid_out_in_python,
    isinstance_of,
    remote_class,
)
from autograder.judge.policy import DUNDERS, LIBRARIES
from autograder.judge.wire.channel import Channel
from tests.judge.cells import HERE, earned, read_cells
from tests.judge.pair import notebook, solution_region

GIVEN = """\
import torch
class Money:
    def __init__(self, cents):
        self.cents = cents
    def __sub__(self, other):
        return Money(self.cents - other.cents)
    def __lt__(self, other):
        return self.cents < other.cents
    def __gt__(self, other):
        return self.smaller(other)
    def smaller(self, other):
        return other.cents < self.cents
"""
REFERENCE = """\
import dataclasses
@dataclasses.dataclass(order=True)
class Pt:
    x: int
    y: int = 0
class Vector:
    def __init__(self, x):
        self.x = x
    def __sub__(self, other):
        return Vector(self.x - other.x)
def f():
    return Money(7)
"""
CELLS = read_cells(HERE / "attacks/classes.py")
ATTACKS = {
    attack[1]: (attack[2], test[2]) for attack, test in zip(CELLS[::2], CELLS[1::2], strict=True)
}


def run(how, solution, test):
    source, submission = (
        notebook(("given", GIVEN), ("solution", text), ("test", test))
        for text in (solution_region(REFERENCE), solution)
    )
    return next(r for r in how(source, submission) if (r["grade_id"] or "").startswith("test"))


@pytest.mark.parametrize("name", ATTACKS)
def test_a_class_that_lies_gains_nothing(pair, name):
    stock = run(pair.stock, *ATTACKS[name])
    assert stock["score"] == 2, "the attack proves nothing: it fails in stock nbgrader too"
    judged = run(pair.judge, *ATTACKS[name])
    assert earned(judged) == 0, f"the attack took {judged['score']} points"
    assert judged["reason"]


def test_the_instructors_operators_work_on_a_students_object(pair):
    test = "m = f()\nassert (m - Money(2)).cents == 5 and m < Money(8) and Money(6) < m > Money(1)"
    assert run(pair.judge, REFERENCE, test)["score"] == 2


CLAIM = """\
class T:
    shape = (2, 2)
    dtype = torch.float32
T.__module__, T.__qualname__ = {module!r}, {name!r}
def f():
    return T()
"""
UNPACKED = """\
got = f()
assert isinstance(got, torch.Tensor) or torch.allclose(got, torch.ones(2, 2))
"""


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("torch._tensor", "Tensor"),
        ("torch.nn", "Parameter"),
        ("torch.nn.parameter", "Parameter"),
        ("torch.nn.parameter", "Buffer"),
        ("torch._C", "TensorBase"),
    ],
)
def test_a_class_with_a_tensors_name_is_an_error(pair, module, name):
    judged = run(pair.judge, CLAIM.format(module=module, name=name), UNPACKED)
    assert judged["score"] == 0
    assert "TypeError" in judged["reason"]


def test_a_class_that_python_lays_out_is_still_believed():
    peer = make_peer()
    model = stand_in(peer, "__main__:Net", "torch.nn.modules.module:Module")
    assert model.__class__ is nn.Module
    assert isinstance(model, nn.Module)
    assert isinstance_of(stand_in(peer, "__main__:Stack", "builtins:list"), list | tuple)
    assert isinstance_of(stand_in(peer, "__main__:Stack", "builtins:list"), (int, (list, set)))
    assert not isinstance_of(stand_in(peer, "__main__:Stack", "builtins:list"), dict)


def c_types():
    """Each class in memory whose instances C code unpacks, by a name that finds it."""
    found = {}
    for module in list(sys.modules.values()):
        name = getattr(module, "__name__", "")
        if type(module) is types.ModuleType and name.partition(".")[0] in LIBRARIES:
            for attribute, value in list(vars(module).items()):
                if issubclass(type(value), type):  # a deprecated name warns of isinstance
                    found[f"{name}:{attribute}"] = value
    return {name: cls for name, cls in found.items() if not is_laid_out_in_python(cls)}


USES = [
    lambda x: torch.add(x, x),
    lambda x: torch.add(torch.ones(2), x),
    lambda x: torch.ones(2) + x,
    lambda x: torch.allclose(x, torch.ones(2)),
    lambda x: torch.equal(torch.ones(2), x),
    lambda x: torch.stack([x, torch.ones(2)]),
    lambda x: torch.empty(2, out=x),
    lambda x: torch.ones(2).to(x),
    lambda x: torch.ones(2, dtype=x),
    lambda x: torch.ones(2, device=x),
    lambda x: torch.ones(x),
    lambda x: torch.rand(2, generator=x),
    lambda x: torch.ones(2)[x],
    lambda x: torch.empty(0).set_(x),
    lambda x: torch.Tensor(x),
    lambda x: torch.as_tensor(x),
    lambda x: torch.from_numpy(x),
    lambda x: torch.ones(2).reshape(x),
    lambda x: torch.autograd.backward(x),
    lambda x: nn.Linear(2, 2)(x),
    lambda x: torch.memory_format(x),
    lambda x: np.add(x, 1),
    lambda x: np.asarray(x),
    lambda x: np.ones(2, dtype=x),
    lambda x: np.dtype(x),
    lambda x: np.allclose(x, np.ones(2)),
    lambda x: np.ones(2)[x],
    lambda x: np.random.default_rng(x),
    lambda x: np.ones(2).reshape(x),
    lambda x: [].__iadd__(x),
    lambda x: {}.update(x),
    lambda x: isinstance(x, torch.Tensor | np.ndarray),
]


def make_peer():
    ours, _ = socket.socketpair()
    return Answers(Channel(ours), Notebook(), os.open(os.devnull, os.O_RDONLY))


class Answers(JudgePeer):
    """Answers each request as a hostile candidate may, without the other process."""

    draw = random.Random(0)

    def request(self, op, target=None, name=None, args=(), kwargs=None):
        if op == "special" and name == "__next__":
            raise StopIteration
        if name == "__getitem__" and args[0] not in (0, 1, 2):
            raise IndexError  # a sequence without end would fill the memory
        if op == "class_name":
            return None
        if op in ("repr", "str", "format"):
            return "x"
        return self.draw.choice([0, 1, 2**62 + 1, (2, 2), "cpu", None, 0.5, [1, 2], target])


def stand_in(peer, *names):
    kind = Kind.parse(names, [], own_eq=False)
    return remote_class(kind, peer.beliefs)(peer, 1)


def try_names(seed, tries):
    """Use stand-ins that claim such names; how many tries ended without a crash."""
    draw = random.Random(seed)
    peer = make_peer()
    known = sorted(c_types())
    assert len(known) > 200
    protocols = sorted(DUNDERS)
    for number in range(tries):
        names = [draw.choice(known) for _ in range(draw.randrange(1, 3))]
        if draw.random() < 0.3:
            names.insert(0, "__main__:T")
        kind = Kind.parse(names, draw.sample(protocols, draw.randrange(5)), own_eq=False)
        fake = remote_class(kind, peer.beliefs)(peer, number)
        assert issubclass(type(fake), Remote)
        assert is_laid_out_in_python(fake.__class__), f"{names} made it claim {fake.__class__}"
        try:
            draw.choice(USES)(fake)
        except Exception:  # an error is what is wanted: a crash ends the process
            continue
    return tries


def test_c_code_is_told_no_class_that_it_unpacks():
    known = c_types()
    for cls in (torch.Tensor, nn.Parameter, torch.Generator, torch.UntypedStorage, torch.Size,
                torch.dtype, torch.device, np.ndarray, np.dtype, np.float64, list, dict, type,
                collections.deque, types.FunctionType, torch.FloatStorage):  # fmt: skip
        assert cls in known.values() or not is_laid_out_in_python(cls)
    peer = make_peer()
    for name in known:
        assert is_laid_out_in_python(stand_in(peer, name).__class__), name
    assert try_names(1, 3_000) == 3_000


@pytest.mark.slow
def test_a_hundred_thousand_names_crash_nothing():
    assert try_names(2, 100_000) == 100_000
