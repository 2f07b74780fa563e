"""`autograder watch`: submissions are graded as they come in; pages tell of visible tests only."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder.authoring.release import release
from autograder.cli import app
from autograder.course import Course
from autograder.desk.watch import Turn, Watch, WatchError, tell
from autograder.grading.feedback import feedback
from autograder.grading.report import results
from tests.conftest import SOLVED, WARMUP, make_course
from tests.hostile import nest_folders

pytestmark = pytest.mark.usefixtures("isolation")
HALF = SOLVED | {"area": "def area(radius):\n    return 0"}  # passes what is visible


def page(course: Course, student: str) -> str:
    return (course.path("feedback", "warmup", student) / "warmup.html").read_text()


def rows(course: Course, student: str) -> dict[str, str]:
    """What a page says about each task."""
    text = re.sub(r"\s+", " ", page(course, student))
    return dict(re.findall(r"<tr><td>(.*?)</td><td>(.*?)</td></tr>", text))


def test_a_page_tells_what_visible_tests_say_and_nothing_of_hidden_ones(warmup, hand_in):
    hand_in(warmup, "warmup", "ada", HALF)
    hand_in(warmup, "warmup", "emmy", HALF | {"count": "def count(text, letter):\n    return 7"})
    turn = Watch(warmup, "warmup", None, exchange=False).turn()
    assert turn.told == ["ada", "emmy"]
    assert {outcome.student for outcome in turn.graded} == {"ada", "emmy"}
    assert set(rows(warmup, "ada").values()) == {"passes"}
    assert len(rows(warmup, "ada")) == 2
    passed, failed = sorted(rows(warmup, "emmy").values(), key=lambda verdict: verdict != "passes")
    assert passed == "passes"
    assert "AssertionError" in failed
    scores = {result.student: result.score for result in results(warmup, "warmup")}
    assert scores == {"ada": 3.0, "emmy": 0.0}  # hidden tests count in the gradebook
    for word in ("banana", "square the radius", "3.0", "of 5"):
        assert word not in page(warmup, "ada")


def test_a_task_without_a_visible_test_is_told_with_the_grades(warmup, hand_in):
    text = (warmup.path("source", "warmup") / "warmup.ipynb").read_text()
    source = warmup.path("source", "warmup") / "warmup.ipynb"
    source.write_text(text.replace("assert area(0) == 0\\n", "radius = 2\\n"))
    release(warmup, "warmup")
    hand_in(warmup, "warmup", "ada", SOLVED)
    assert tell(warmup, "warmup") == ["ada"]
    assert sorted(rows(warmup, "ada").values()) == ["passes", "told with the grades"]


def test_only_what_is_new_runs_and_gets_a_page(warmup, hand_in):
    watch = Watch(warmup, "warmup", None, exchange=False)
    hand_in(warmup, "warmup", "ada", SOLVED)
    assert watch.turn().told == ["ada"]
    again = watch.turn()
    assert (again.graded, again.told) == ([], [])
    first = page(warmup, "ada")
    hand_in(warmup, "warmup", "ada", SOLVED | {"count": "def count(text, letter):\n    return 7"})
    hand_in(warmup, "warmup", "grace", SOLVED)
    turn = watch.turn()
    assert turn.told == ["ada", "grace"]
    assert page(warmup, "ada") != first
    # Another process, with nothing in its memory, doesn't write the pages again.
    assert Watch(warmup, "warmup", None, exchange=False).turn().told == []


def test_feedback_replaces_these_pages_and_is_not_replaced(warmup, hand_in):
    hand_in(warmup, "warmup", "ada", HALF)
    watch = Watch(warmup, "warmup", None, exchange=False)
    watch.turn()
    feedback(warmup, "warmup")
    told = page(warmup, "ada")
    assert "square the radius" in told
    hand_in(warmup, "warmup", "ada", SOLVED)
    assert watch.turn().told == []
    assert page(warmup, "ada") == told


def test_a_submission_that_can_not_be_read_is_told_so(warmup, hand_in):
    path = hand_in(warmup, "warmup", "ada", SOLVED)
    path.write_text("no notebook")
    Watch(warmup, "warmup", None, exchange=False).turn()
    assert "Look at this first" in page(warmup, "ada")
    assert set(rows(warmup, "ada").values()) == {"did not run"}


def test_folders_too_deep_to_look_at_keep_nobody_waiting(warmup, hand_in):
    hand_in(warmup, "warmup", "ada", SOLVED)
    nest_folders(hand_in(warmup, "warmup", "emmy", SOLVED))
    watch = Watch(warmup, "warmup", None, exchange=False)
    assert watch.turn().told == ["ada", "emmy"]
    assert set(rows(warmup, "emmy").values()) == {"passes"}
    assert watch.turn() == Turn([], [])


def test_the_students_text_is_text_on_the_page(warmup, hand_in):
    evil = "def area(radius):\n    raise ValueError('<script>alert(1)</script>')"
    hand_in(warmup, "warmup", "ada", SOLVED | {"area": evil})
    Watch(warmup, "warmup", None, exchange=False).turn()
    assert "<script>" not in page(warmup, "ada")
    assert "&lt;script&gt;alert(1)" in page(warmup, "ada")


def test_the_command_looks_once_and_says_what_it_did(warmup, hand_in):
    hand_in(warmup, "warmup", "ada", HALF)
    done = CliRunner().invoke(app, ["watch", "warmup", "--once", "--course", str(warmup.root)])
    assert done.exit_code == 0, done.output
    assert "ada: 3 of 5" in done.output
    assert "pages for ada" in done.output


@pytest.mark.slow
def test_a_student_gets_the_page_through_the_exchange(tmp_path, hand_in):
    exchange = tmp_path / "exchange"
    exchange.mkdir(mode=0o777)
    exchange.chmod(0o777)
    options = f"\nc.CourseDirectory.course_id = 'course'\nc.Exchange.root = {str(exchange)!r}\n"
    course = make_course(tmp_path / "course", {"warmup": WARMUP}, options)
    student = tmp_path / "student"
    student.mkdir()
    (student / "nbgrader_config.py").write_text(f"c = get_config()\n{options}")

    def nbgrader(folder: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "nbgrader", *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    nbgrader(course.root, "release_assignment", "warmup")
    nbgrader(student, "fetch_assignment", "warmup")
    solved = hand_in(course, "warmup", "somebody", HALF)
    shutil.move(solved, student / "warmup" / "warmup.ipynb")
    shutil.rmtree(course.path("submitted", "warmup", "somebody"))
    nbgrader(student, "submit", "warmup")
    turn = Watch(course, "warmup", None, exchange=True).turn()
    assert len(turn.told) == 1
    nbgrader(student, "fetch_feedback", "warmup")
    (fetched,) = (student / "warmup" / "feedback").rglob("warmup.html")
    assert "what the visible tests say" in fetched.read_text()


def test_an_exchange_that_refuses_is_named(warmup):
    with pytest.raises(WatchError, match="nbgrader collect warmup failed"):
        Watch(warmup, "warmup", None, exchange=True).turn()
