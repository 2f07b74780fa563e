"""Attacks on a test's course: how it ends, its last value, its settings, its own objects."""

import pytest

from tests.judge.cells import HERE, read_cells
from tests.judge.pair import notebook, solution_region

GIVEN = """\
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
"""
REFERENCE = "def f(*args):\n    return 14\ndef g():\n    return 1"
CELLS = read_cells(HERE / "attacks" / "flow.py")
ATTACKS = {
    attack[1]: (None if attack[0] == "attack-review" else 0, attack[2], test[2])
    for attack, test in zip(CELLS[::2], CELLS[1::2], strict=True)
}


def run(how, attack, *tests):
    def made(solution):
        cells = [("given", GIVEN), ("solution", solution), *[("test", test) for test in tests]]
        return notebook(*cells)

    attack = "def g():\n    return 1\n" + attack
    results = how(made(solution_region(REFERENCE)), made(attack))
    return [result for result in results if result["grade_id"].startswith("test")]


@pytest.mark.parametrize("name", ATTACKS)
def test_gains_nothing_and_harms_no_other_test(pair, name):
    score, attack, test = ATTACKS[name]
    judged, after = run(pair.judge, attack, test, "assert g() == 1")
    assert judged["score"] == score, judged["reason"]
    assert judged["reason"]
    assert after["score"] == 2, after["reason"]


@pytest.mark.parametrize("name", ATTACKS)
def test_works_beside_the_tests(pair, name):
    _, attack, test = ATTACKS[name]
    assert run(pair.stock, attack, test)[0]["score"] == 2, "it fails in stock nbgrader too"
