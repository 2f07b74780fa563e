"""Attacks on the result: none gains a point, and each works where tests run beside the student."""

import json
import random

import pytest

from tests.judge.cells import HERE, earned, read_cells
from tests.judge.pair import notebook, solution_region

GIVEN = """\
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
WANT = 14
def check(x):
    return x == 14
"""
REFERENCE = "def f(*args):\n    return 14\ndef g():\n    return 1"


def pairs(name):
    cells = read_cells(HERE / "attacks" / name)
    return {
        attack[1]: (attack[2], test[2])
        for attack, test in zip(cells[::2], cells[1::2], strict=True)
    }


FAKING = pairs("faking.py") | pairs("surroundings.py")
READING = pairs("reading.py")
BREAKING = {name: (role, code) for role, name, code in read_cells(HERE / "attacks/breaking.py")}


def run(how, attack, *tests):
    def made(solution):
        cells = [("given", GIVEN), ("solution", solution), *[("test", test) for test in tests]]
        return notebook(*cells)

    return [
        result
        for result in how(made(solution_region(REFERENCE)), made(attack))
        if result["grade_id"].startswith("test")
    ]


@pytest.mark.parametrize("name", FAKING)
def test_faking_gains_nothing(pair, name):
    attack, test = FAKING[name]
    (judged,) = run(pair.judge, attack, test)
    assert earned(judged) == 0, f"the attack took {judged['score']} points"
    assert judged["reason"]


@pytest.mark.slow
@pytest.mark.parametrize("name", FAKING)
def test_faking_works_beside_the_tests(pair, name):
    attack, test = FAKING[name]
    (stock,) = run(pair.stock, attack, test)
    assert stock["score"] == 2, "the attack proves nothing: it fails in stock nbgrader too"


def test_a_message_that_quotes_a_vast_value_is_cut(pair):
    (result,) = run(pair.judge, "def f():\n    return 'x' * 10**7", 'assert f() == 1, f"got {f()}"')
    assert result["reason"].startswith("AssertionError: got xxx")
    assert len(json.dumps(result["outputs"])) < 100_000


@pytest.mark.parametrize("name", READING)
def test_hidden_values_are_out_of_reach(pair, name):
    attack, test = READING[name]
    test = test.replace("CANARY", str(random.randrange(10**8, 10**9)))
    (stock,) = run(pair.stock, attack, test)
    assert stock["score"] == 2, "the attack proves nothing: it fails in stock nbgrader too"
    (judged,) = run(pair.judge, attack, test)
    assert earned(judged) == 0, f"the attack took {judged['score']} points"


@pytest.mark.parametrize("name", BREAKING)
def test_breaking_costs_only_its_own_points(pair, name):
    role, attack = BREAKING[name]
    endless = any(word in attack for word in ("while True", "sleep", "2**61"))
    before, broken, after = run(
        lambda *notebooks: pair.judge(*notebooks, limits={"cell_seconds": 2.0 if endless else 8.0}),
        "def g():\n    return 1\n" + attack,
        "assert g() == 1",
        "x = f()\nassert x == [1]",
        "assert g() == 1",
    )
    assert before["score"] == 2
    assert earned(broken) == 0
    assert broken["reason"]
    assert after["score"] == (0 if role == "attack-fatal" else 2), after["reason"]
    assert after["score"] or after["reason"]
