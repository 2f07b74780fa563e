"""How a cell ended is the judge's word: nothing that a student raises, names or prints says it.

Each forgery stands beside its positive control: the same thing done by who may do it.
"""

import json

import pytest

from autograder.judge.result import Ended
from tests.judge.pair import notebook, solution_region

GIVEN = """\
import torch
from course_utils.quiz import NeedsReview
class Undecided(Exception):
    pass
Undecided.__name__ = "NeedsReview"
"""
REFERENCE = "def f():\n    return 14"
CLASS = "class {0}(Exception):\n    pass\ndef f():\n    raise {0}('CUDA error: out of memory')"

FORGED = {
    "own class NeedsReview": CLASS.format("NeedsReview"),
    "class of a builtin's kind": CLASS.format("NeedsReview").replace("Exception", "KeyError"),
    "BaseException": CLASS.format("NeedsReview").replace("Exception", "BaseException"),
    "the course's own": "def f():\n    raise NeedsReview('look')",
    "the judge's own": (
        "from autograder.judge import errors\ndef f():\n    raise errors.NeedsReview('look')"
    ),
    "a given class": "def f():\n    raise Undecided('look')",
    "module and name forged": CLASS.format("X")
    + "\nX.__module__, X.__name__, X.__qualname__ = 'course_utils.quiz.errors', "
    "'NeedsReview', 'NeedsReview'",
    "from a generator": CLASS.format("NeedsReview") + "\n    yield 1",
    "from an attribute": CLASS.format("NeedsReview")
    + "\nclass A:\n    def __getattr__(self, name):\n        raise NeedsReview\n"
    "def f():\n    return A()",
    "DeadKernelError": CLASS.format("DeadKernelError"),
    "CellTimeoutError": CLASS.format("CellTimeoutError"),
    "JudgeFaultError": CLASS.format("JudgeFaultError"),
    "RefusedError": CLASS.format("RefusedError"),
    "OutOfMemoryError": CLASS.format("OutOfMemoryError")
    + "\nOutOfMemoryError.__module__ = 'torch'",
    "prints": "def f():\n    print('CUDA error: out of memory CUBLAS_STATUS_ALLOC_FAILED')",
    "RuntimeError": "def f():\n    raise RuntimeError('CUDA error: out of memory')",
}


def run(pair, attack, test):
    def made(solution):
        return notebook(("given", GIVEN), ("solution", solution), ("test", test))

    *_, result = pair.judge(made(solution_region(REFERENCE)), made(attack))
    return result


OWN = """\
class Vec:
    def __init__(self, x):
        self.x = x
    def __eq__(self, other):
        return {0}
    def __bool__(self):
        return True
def f():
    return Vec(14)
"""


@pytest.mark.parametrize(
    ("test", "decided"),
    [
        ("assert f() == Vec(14)", ["=="]),
        ("if f() and f() != Vec(1):\n    pass", ["==", "truth value"]),
        ("assert f().x == 14", []),
    ],
)
def test_a_result_names_the_students_own_verdicts(pair, test, decided):
    made = notebook(
        ("solution", solution_region(OWN.format("self.x == other.x"))),
        ("test", test),
        ("test", "assert f().x == 14"),
    )
    *_, result, other = pair.judge(made)
    assert (result["score"], result["decided"]) == (2, decided)
    assert other["decided"] == []


def test_a_verdict_that_is_no_bool_is_refused(pair):
    made = [
        notebook(("solution", text), ("test", "assert f() == Vec(3)"))
        for text in (solution_region(OWN.format("self.x == other.x")), OWN.format("'yes'"))
    ]
    *_, result = pair.judge(*made)
    assert (result["score"], result["ended"]) == (None, Ended.REFUSED)


@pytest.mark.parametrize("name", FORGED)
def test_what_a_student_raises_or_prints_is_an_ordinary_zero(pair, name):
    test = "x = f()\nx = x.mark if hasattr(type(x), 'mark') else x\nassert list(x) == [14]"
    result = run(pair, FORGED[name], test)
    assert (result["score"], result["ended"]) == (0, Ended.RAISED), result["reason"]
    assert result["reason"]


@pytest.mark.parametrize(
    "test",
    [
        "raise NeedsReview('look')",
        "class NeedsReview(Exception):\n    pass\nraise NeedsReview('look')",
        "raise Undecided('look')",
    ],
)
def test_a_test_that_says_it_can_not_decide_is_left_to_a_person(pair, test):
    result = run(pair, REFERENCE, test)
    assert (result["score"], result["ended"]) == (None, Ended.NEEDS_REVIEW)
    assert result["reason"] == "look"


@pytest.mark.parametrize(
    ("attack", "test", "ended"),
    [
        (REFERENCE, "assert f() == 14", Ended.FINISHED),
        (REFERENCE, "9", Ended.NEEDS_REVIEW),
        ("import os\ndef f():\n    os._exit(1)", "f()", Ended.DIED),
        ("class E:\n    __eq__ = lambda *_: True\nf = E", "assert f() == 14", Ended.REFUSED),
        ("class E(list):\n    __len__ = lambda _: 3\nf = E", "len(list(f()))", Ended.RAISED),
        (REFERENCE, "raise torch.OutOfMemoryError('full')", Ended.CUDA_FAILED),
        ("def f():\n    raise torch.OutOfMemoryError('')", "f()", Ended.CUDA_FAILED),
    ],
)
def test_each_end_has_its_name(pair, attack, test, ended):
    result = run(pair, attack, test)
    assert result["ended"] == ended
    assert (result["score"] is None) == (ended in (Ended.NEEDS_REVIEW, Ended.REFUSED))


@pytest.mark.parametrize(
    ("cell", "ended"),
    [
        ("raise torch.OutOfMemoryError('')", Ended.CUDA_FAILED),
        (CLASS.format("OutOfMemoryError") + "\nf()", Ended.RAISED),
        ("print('CUDA error: out of memory')\n1 / 0", Ended.RAISED),
        ("print('CUDA error: out of memory')", Ended.FINISHED),
    ],
)
def test_a_students_own_cell_that_meets_a_full_gpu_is_told_from_one_that_says_so(pair, cell, ended):
    cells = notebook(("given", GIVEN), ("solution", REFERENCE), ("plain", cell))
    assert pair.judge(cells)[-1]["ended"] == ended


BROKEN = """
import sys
def broken(*_):
    raise AssertionError("ours")
sys.modules["autograder.judge.wire.{module}"].{side}.{method} = broken
{call}
"""


@pytest.mark.parametrize("swallow", ["f()", "try:\n    f()\nexcept BaseException:\n    pass"])
@pytest.mark.parametrize(("side", "method"), [("Encoder", "encode"), ("Decoder", "decode")])
def test_a_fault_in_the_judges_codec_is_no_verdict(pair, side, method, swallow):
    call = swallow.replace("f()", "f(1)")
    test = BROKEN.format(module=side.lower(), side=side, method=method, call=call)
    with pytest.raises(RuntimeError, match="JudgeFaultError"):
        run(pair, "def f(x=1):\n    return 14", test)
    assert run(pair, REFERENCE, "assert f() == 14")["score"] == 2  # the control


def test_a_test_that_finds_the_disk_full_is_no_verdict_and_a_students_is(pair):
    full = "raise OSError(28, 'No space left on device')"
    with pytest.raises(RuntimeError, match="the machine failed the test"):
        run(pair, REFERENCE, full)
    assert run(pair, f"def f():\n    {full}", "f()")["ended"] == Ended.RAISED


def test_all_cells_together_show_only_so_much_and_lose_nothing_else(pair):
    loud = [("plain", "print('x' * 3000)")] * 4 + [("plain", "for _ in range(9):\n    display(1)")]
    test = "print('y' * 3000)\nassert f() == 14"
    made = notebook(*loud, ("solution", solution_region(REFERENCE)), ("test", test))
    *cells, tested = pair.judge(made, limits={"notebook_chars": 10_000})
    shown = [len(json.dumps(cell["outputs"])) for cell in cells[:5]]
    assert shown[:3] == [shown[0]] * 3
    assert shown[0] > 3000
    for cell in cells[3:5]:
        assert "shows too much" in json.dumps(cell["outputs"])
        assert len(json.dumps(cell["outputs"])) < 300
    assert len(json.dumps(tested["outputs"])) < 2000
    assert tested["score"] == 2
