"""Whole assignments: nbgrader's own quickstart, and this course's, score as stock scores them."""

import subprocess
import sys
from pathlib import Path

import nbformat
import nbgrader
import pytest

from autograder.authoring.specimens import apply, load
from autograder.cells import is_test
from autograder.judge.notebook.unsupported import unsupported
from tests.judge.pair import notebook, solution_region

ROOT = Path(__file__).parents[2]
QUICKSTART = Path(nbgrader.__file__).parent / "docs/source/user_guide/source/ps1/problem1.ipynb"
PS5 = "ps5_backpropagation"
SPECIMENS = ROOT / "exercises/specimens" / PS5


def read(path):
    return nbformat.read(path, as_version=4)


def scores(results):
    return {r["grade_id"]: r["score"] for r in results if r["score"] is not None}


def with_cell(source, grade_id, text):
    changed = nbformat.from_dict(source)
    for cell in changed.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id:
            cell.source = text
    return changed


QUICKSTART_WRONG = {
    "squares": "def squares(n):\n    return [i * i for i in range(n)]",
    "sum_of_squares": "def sum_of_squares(n):\n    return n * (n + 1) * (2 * n + 1) // 6",
}


def test_quickstart_reference_has_full_points(pair):
    source = read(QUICKSTART)
    judged = scores(pair.judge(source))
    assert judged == scores(pair.stock(source))
    points = {c.metadata.nbgrader.grade_id: c.metadata.nbgrader.points for c in source.cells
              if is_test(c)}  # fmt: skip
    assert judged == points


@pytest.mark.parametrize("grade_id", QUICKSTART_WRONG)
def test_quickstart_wrong_solution_scores_as_stock(pair, grade_id):
    source = read(QUICKSTART)
    wrong = with_cell(source, grade_id, QUICKSTART_WRONG[grade_id])
    judged = scores(pair.judge(source, wrong))
    assert judged == scores(pair.stock(source, wrong))
    assert 0 in judged.values()


def test_a_type_that_a_course_registers_crosses_by_value(pair):
    made = notebook(
        ("given", "import textwrap"),
        ("solution", solution_region("def f():\n    return textwrap.TextWrapper(width=4)")),
        ("test", "w = f()\nassert isinstance(w, textwrap.TextWrapper) and w.wrap('a b c') == "
                 "['a b', 'c']"),
    )  # fmt: skip
    assert pair.judge(made, values={"textwrap.TextWrapper": ["width"]})[-1]["score"] == 2
    assert pair.judge(made)[-1]["score"] == 0


def test_a_library_that_no_cell_uses_is_not_imported():
    script = (
        "import sys, autograder.judge.session, autograder.judge.candidate_end\n"
        "from autograder.judge.wire.decoder import Decoder\n"
        "print('pandas.DataFrame' in Decoder.TAGS, sorted({'pandas', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True []\n"


def ps5():
    """The source without its quiz cells, which need files of their own."""
    source = read(ROOT / "exercises/source" / PS5 / f"{PS5}.ipynb")
    source.cells = [c for c in source.cells if "first_attempt" not in c.source]
    return source


def test_ps5_is_supported():
    assert not unsupported(ps5())


def test_ps5_reference_has_full_points(pair):
    source = ps5()
    results = pair.judge(source)
    assert [(r["grade_id"], r["reason"]) for r in results if r["score"] != r["max_score"]] == []
    assert scores(results) == scores(pair.stock(source))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["alternative_fold", "pool_overwrites", "tanh_damages_upstream"])
def test_ps5_checks_score_as_stock(pair, name):
    """Some of them; tests/test_assignments.py has all, with nbgrader itself."""
    source = ps5()
    submission = apply(load(SPECIMENS / f"{name}.py"), source)
    assert scores(pair.judge(source, submission)) == scores(pair.stock(source, submission))
