"""Attacks on a test's course: how it ends, its last value, its settings, its own objects."""

import pytest

from tests.judge.cells import HERE, earned, read_cells
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
    assert earned(judged) == score, judged["reason"]
    assert judged["reason"]
    assert after["score"] == 2, after["reason"]


@pytest.mark.parametrize("name", ATTACKS)
def test_works_beside_the_tests(pair, name):
    _, attack, test = ATTACKS[name]
    assert run(pair.stock, attack, test)[0]["score"] == 2, "it fails in stock nbgrader too"


@pytest.mark.parametrize(
    "setting",
    [
        "torch.set_default_dtype(torch.float64)",
        "kind = torch.float64\ntorch.set_default_dtype(kind)",
        "if True:\n    torch.set_default_dtype(torch.float64)",
    ],
)
def test_a_setting_of_the_instructors_holds_whatever_the_student_makes_of_it(pair, setting):
    student = "kind = torch.bfloat16\ntorch.set_default_dtype(kind)\ndef f():\n    return 1"
    cells = [("given", GIVEN), ("plain", setting), ("solution", solution_region("def f(): ..."))]
    test = ("test", "assert torch.get_default_dtype() is torch.float64 and f() == 1")
    source = notebook(*cells, test)
    result = pair.judge(source, notebook(*cells[:2], ("solution", student), test))[-1]
    assert result["score"] == 2, result["reason"]


def test_a_setting_in_a_solution_region_is_the_students(pair):
    solution = "torch.set_default_dtype(torch.float64)\ndef f():\n    return torch.ones(1)"
    cells = [("given", GIVEN), ("solution", solution_region(solution))]
    test = "assert torch.get_default_dtype() is torch.float32 and f().dtype is torch.float32"
    result = pair.judge(notebook(*cells, ("test", test)))[-1]
    assert result["score"] == 2, result["reason"]
