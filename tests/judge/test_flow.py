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


@pytest.mark.slow
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


def hidden(source):
    return f"### BEGIN HIDDEN TESTS\n{source}\n### END HIDDEN TESTS"


def of_tests(results):
    return [result for result in results if result["grade_id"].startswith("test")]


@pytest.mark.parametrize(("answer", "score"), [("42", 2), ("-1", 0)])
def test_a_hidden_tests_name_does_not_hide_the_students_later_one(pair, answer, score):
    def made(value):
        return notebook(
            ("solution", solution_region("def twice(x):\n    return 2 * x")),
            ("test", hidden("answer = twice(21)\nassert answer == 42")),
            ("solution", solution_region(f"answer = {value}")),
            ("test", hidden("assert answer == 42")),
        )

    assert [r["score"] for r in of_tests(pair.judge(made("42"), made(answer)))] == [2, score]


FAILING = {
    "a ban": "def sum(*a):\n    raise AssertionError('no sum')",
    "a patch": "import builtins, math\nbuiltins.sum = math.gcd = None",
    "settings": "import sys, os, warnings\nnp.seterr(all='raise')\nwarnings.simplefilter('error')\n"
    "os.environ['MODE'] = 'test'\nsys.setrecursionlimit(200)",
    "a trace": "import sys\nsys.settrace(lambda *_: None)",
}
LOOKS = """\
import math, os, warnings
def f(x):
    warnings.warn("old")
    return sum([1, 2]) + math.gcd(4, 6) + (0 if "MODE" in os.environ else 1), deep(300), 1 / x
def deep(n):
    return n and 1 + deep(n - 1)
"""


@pytest.mark.parametrize("name", FAILING)
def test_a_failed_test_takes_back_what_it_changed(pair, name):
    cells = notebook(
        ("given", "import numpy as np"),
        ("solution", solution_region(LOOKS)),
        ("test", f"{FAILING[name]}\nf(np.zeros(1))\nassert False"),
        (
            "test",
            "total, depth, x = f(np.zeros(1))\nassert (total, depth, x[0]) == (6, 300, np.inf)",
        ),
    )
    before, after = of_tests(pair.judge(cells))
    assert earned(before) == 0
    assert after["score"] == 2, after["reason"]


def test_a_call_that_a_test_left_in_a_thread_harms_no_other_test(pair):
    late = (
        "from concurrent.futures import ThreadPoolExecutor\nexecutor = ThreadPoolExecutor(1)\n"
        "assert executor.submit(f).result(timeout=0.5) == 1"
    )
    endless = "def f():\n    while True:\n        pass\ndef g():\n    return 1"
    cells = [("solution", solution_region(endless)), ("test", late), ("test", "assert g() == 1")]
    left, after = of_tests(pair.judge(notebook(*cells)))
    assert left["score"] == 0
    assert "TimeoutError" in left["reason"]
    assert after["score"] == 2, after["reason"]


def test_a_suite_without_a_test_gives_no_points_silently(pair):
    test = "import unittest\nunittest.main(argv=[''], exit=False)"
    student = (
        "import unittest\nclass TestMine(unittest.TestCase):\n    def test_a(self):\n        pass"
    )
    cells = notebook(("solution", solution_region(student)), ("test", test))
    (result,) = of_tests(pair.judge(cells))
    assert result["score"] is None
    assert "define the TestCase in the test cell" in result["reason"]


def test_a_test_imports_the_instructors_modules_and_none_of_the_students(pair):
    student = "from pathlib import Path\ndef f(name):\n    Path(name).write_text('close = max')"
    cells = notebook(
        ("solution", solution_region(student)),
        ("test", "from checks import close\nassert close(1, 2) == 'mine'"),
        ("test", "f('theirs.py')\nopen('theirs.py').close()\nimport theirs"),
    )
    files = {"checks.py": "def close(a, b):\n    return 'mine'"}
    mine, theirs = of_tests(pair.judge(cells, files=files))
    assert mine["score"] == 2, mine["reason"]
    assert "ModuleNotFoundError" in theirs["reason"]
