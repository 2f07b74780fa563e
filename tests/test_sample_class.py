"""The sample class, and that stock nbgrader gives it the scores that are stated by hand."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.utils import is_grade

from tools import sample_class
from tools.sample_class import ASSIGNMENT, CLASS, POINTS, Expected, SampleClassError

ROOT = Path(__file__).resolve().parent.parent
DAY_LATE = 26 * 3600


def nbgrader(course: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run stock nbgrader in a course; it calls alembic by name, so that must be on the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with an empty configuration, released by stock nbgrader."""
    course = tmp_path_factory.mktemp("course")
    (course / "nbgrader_config.py").write_text("")
    shutil.copytree(ROOT / "exercises" / "source" / ASSIGNMENT, course / "source" / ASSIGNMENT)
    done = nbgrader(course, "generate_assignment", ASSIGNMENT)
    assert done.returncode == 0, done.stderr
    return course


@pytest.fixture
def course(released: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(released, tmp_path / "course"))


def graded(course: Path) -> dict[str, tuple[dict[str, float | None], float]]:
    """Points by test and seconds late of every student in the gradebook."""
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        return {
            submission.student.id: (
                {grade.cell.name: grade.auto_score for grade in submission.notebooks[0].grades},
                submission.total_seconds_late,
            )
            for submission in gradebook.assignment_submissions(ASSIGNMENT)
        }


def assert_as_expected(course: Path, expected: list[Expected]) -> None:
    found = graded(course)
    for row in expected:
        points, late = found[row.student]
        assert points == row.points, row.about
        assert late == (DAY_LATE if row.late else 0)


def test_the_class_has_every_kind_and_its_points_are_the_assignments(course: Path) -> None:
    expected = sample_class.make_sample_class(course)
    kinds = [row.kind for row in expected]
    assert len(expected) >= 12
    harmless = {"right", "partly right", "alternative", "blank", "late", "mangled"}
    assert set(kinds) == harmless | {"hostile"}
    assert kinds.count("alternative") >= 2
    assert kinds.count("hostile") >= 6
    assert not [row.about for row in expected if row.kind == "hostile" and row.stock]
    notebook = nbformat.read(course / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)
    assert {c.id: c.metadata.nbgrader.points for c in notebook.cells if is_grade(c)} == POINTS
    beside = json.loads((course / "submitted" / "expected.json").read_text(encoding="utf-8"))
    assert [row["score"] for row in beside] == [row.score for row in expected]


def test_submissions_hold_no_answers_of_ours(course: Path) -> None:
    sample_class.make_sample_class(course)
    for path in course.glob("submitted/*/*/*.ipynb"):
        text = path.read_text(encoding="utf-8")
        assert "HIDDEN TESTS" not in text
        assert "BEGIN SOLUTION" not in text


def test_making_it_again_changes_no_byte(course: Path) -> None:
    def contents() -> dict[Path, bytes]:
        files = (course / "submitted").rglob("*")
        return {path: path.read_bytes() for path in files if path.is_file()}

    sample_class.make_sample_class(course)
    before = contents()
    sample_class.make_sample_class(course)
    assert contents() == before
    names = [path.name for path in before if path.suffix != ".ipynb"]
    for name in ("timestamp.txt", "attempts.jsonl"):
        assert names.count(name) == len(CLASS)


@pytest.mark.parametrize(
    ("missing", "message"),
    [("release", "isn't there: first run: autograder release"), ("gradebook.db", "first run")],
)
def test_a_course_that_is_not_released_is_refused(course: Path, missing: str, message: str) -> None:
    path = course / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(SampleClassError, match=message):
        sample_class.make_sample_class(course)
    assert not (course / "submitted").exists()


def test_submissions_of_others_are_left_alone(course: Path, capsys: pytest.CaptureFixture) -> None:
    (course / "submitted" / "somebody").mkdir(parents=True)
    assert sample_class.main([str(course)]) == 1
    assert "submissions of others (somebody)" in capsys.readouterr().err
    assert list((course / "submitted").iterdir()) == [course / "submitted" / "somebody"]


@pytest.mark.slow
def test_stock_nbgrader_agrees_on_a_few(course: Path) -> None:
    few = (
        next(row for row in CLASS if "pool_overwrites" in row.specimens),
        next(row for row in CLASS if row.late),
        next(row for row in CLASS if row.save is sample_class.with_raised_points),
        next(row for row in CLASS if row.slips),
    )
    expected = sample_class.make_sample_class(course, few)
    done = nbgrader(course, "autograde", ASSIGNMENT)
    assert done.returncode == 0, done.stderr
    assert_as_expected(course, expected)
    assert [row.score for row in expected] == [22, 24, 22, 20]


@pytest.mark.slow
def test_stock_nbgrader_agrees_on_all_that_it_can_grade(course: Path) -> None:
    tame = tuple(row for row in CLASS if row.kind != "hostile")  # stock would run the others bare
    expected = sample_class.make_sample_class(course, tame)
    for row in expected:
        if not row.stock:  # one by one, because a copied test cell stops stock's whole run
            nbgrader(course, "autograde", ASSIGNMENT, "--student", row.student)
            assert graded(course)[row.student][0] != row.points, f"can grade it: {row.about}"
            shutil.rmtree(course / "submitted" / row.student)
    done = nbgrader(course, "autograde", ASSIGNMENT)
    assert done.returncode == 0, done.stderr
    assert_as_expected(course, [row for row in expected if row.stock])
