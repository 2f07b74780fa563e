"""Grading a class: right scores, nothing lost, every failure named."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from textwrap import dedent

import pytest
from nbconvert.exporters import HTMLExporter
from nbgrader.api import Gradebook
from nbgrader.server_extensions.formgrader.handlers import template_path
from traitlets.config import Config

from autograder.assignment import Assignment
from autograder.authoring.release import release
from autograder.errors import GradebookError, ReleaseError
from autograder.grading.feedback import feedback
from autograder.grading.grade import grade
from autograder.grading.prepare import prepare
from autograder.grading.record import backup, results_of
from autograder.judge.result import Ended
from autograder.sandbox.scratch import PREFIX, Scratch, remove_left
from tests.conftest import ROOT, SOLVED, WARMUP, make_course


def scores(course, name="warmup"):
    with Gradebook(str(course.directory.db_url), course.directory.course_id) as gradebook:
        return {one.student_id: one.score for one in gradebook.assignment_submissions(name)}


def by_student(outcomes):
    return {outcome.student: outcome for outcome in outcomes}


def test_a_class_gets_its_points_with_reasons(warmup, hand_in):
    hand_in(warmup, "warmup", "right", SOLVED)
    hand_in(warmup, "warmup", "half", SOLVED | {"area": "def area(r): return math.pi * r"})
    hand_in(warmup, "warmup", "partial", SOLVED | {"count": "def count(t, l): return int(l in t)"})
    hand_in(warmup, "warmup", "blank")
    outcomes = by_student(grade(warmup, "warmup"))
    assert scores(warmup) == {"right": 5, "half": 3, "partial": 3, "blank": 0}
    assert outcomes["half"].result.cells["test_area"].reason == (
        "AssertionError: area(2) is wrong: square the radius"
    )
    assert outcomes["partial"].result.cells["test_count"].reason == "partial credit: 1"
    assert outcomes["blank"].result.cells["test_area"].reason == "NotImplementedError"


SELF_MARKING = """\
class Marks:
    __eq__ = lambda self, other: True
def area(radius):
    return Marks()
"""


def test_what_a_test_may_not_ask_of_a_students_object_is_left_to_a_person(warmup, hand_in):
    hand_in(warmup, "warmup", "marks", SOLVED | {"area": SELF_MARKING})
    hand_in(warmup, "warmup", "right", SOLVED)
    outcomes = by_student(grade(warmup, "warmup"))
    assert scores(warmup) == {"right": 5, "marks": 3}
    result = outcomes["marks"].result
    assert result.status == "needs review"
    assert result.cells["test_area"].score is None
    assert result.cells["test_area"].ended is Ended.REFUSED
    assert "would let it mark itself" in result.cells["test_area"].reason


def test_tests_that_nobody_can_pass_here_stop_the_class(tmp_path, hand_in, autograder):
    asks = WARMUP.replace("assert area(0) == 0", "get_ipython().system('true')")
    course = make_course(tmp_path / "course", {"warmup": asks})
    for student in ("ada", "bob"):
        hand_in(course, "warmup", student, SOLVED)
    done = autograder("grade", "warmup", cwd=course.root)
    assert done.returncode == 1
    assert "warmup: tests that can't be judged, even with the reference solution" in done.stderr
    assert "test_area: RefusedError" in done.stderr
    assert "autograder verify warmup" in done.stderr
    assert "Traceback" not in done.stderr
    assert scores(course) == {}


def test_stock_nbgrader_gives_the_same_scores(warmup, hand_in, tmp_path):
    hand_in(warmup, "warmup", "right", SOLVED)
    hand_in(warmup, "warmup", "half", SOLVED | {"area": "def area(r): return math.pi * r"})
    hand_in(warmup, "warmup", "blank")
    (warmup.root / "nbgrader_config.py").write_text("c = get_config()\n")
    subprocess.run(
        [sys.executable, "-m", "nbgrader", "autograde", "warmup", "--create"],
        cwd=warmup.root, check=True, capture_output=True,
    )  # fmt: skip
    stock = scores(warmup)
    grade(warmup, "warmup", force=True)
    assert scores(warmup) == stock == {"right": 5, "half": 3, "blank": 0}


def test_what_was_graded_is_not_run_again_until_something_changes(warmup, hand_in):
    hand_in(warmup, "warmup", "one")
    hand_in(warmup, "warmup", "two", SOLVED)
    grade(warmup, "warmup")
    assert [outcome.fresh for outcome in grade(warmup, "warmup")] == [False, False]
    hand_in(warmup, "warmup", "one", SOLVED)
    assert [outcome.fresh for outcome in grade(warmup, "warmup")] == [True, False]
    assert scores(warmup) == {"one": 5, "two": 5}


def test_a_mended_test_is_refused_until_released_and_then_regrades_everybody(warmup, hand_in):
    hand_in(warmup, "warmup", "half", SOLVED | {"area": "def area(r): return math.pi * r"})
    grade(warmup, "warmup")
    source = warmup.path("source", "warmup") / "warmup.ipynb"
    source.write_text(source.read_text().replace("area(2), 4 * math.pi", "area(2), 2 * math.pi"))
    with pytest.raises(ReleaseError, match="changed since it was released: test_area"):
        grade(warmup, "warmup")
    release(warmup, "warmup")
    grade(warmup, "warmup")
    assert scores(warmup) == {"half": 5}


def test_a_manual_score_is_never_overwritten(warmup, hand_in):
    hand_in(warmup, "warmup", "half", SOLVED | {"area": "def area(r): return math.pi * r"})
    grade(warmup, "warmup")
    with warmup.gradebook() as gradebook:
        mark = gradebook.find_grade("test_area", "warmup", "warmup", "half")
        mark.manual_score, mark.extra_credit = 1.5, 0.25
        gradebook.db.commit()
    grade(warmup, "warmup", force=True)
    with warmup.gradebook() as gradebook:
        mark = gradebook.find_grade("test_area", "warmup", "warmup", "half")
        assert (mark.manual_score, mark.auto_score, mark.score) == (1.5, 0, 1.75)
        assert mark.needs_manual_grade


def test_a_submission_that_is_no_notebook_needs_review_and_the_others_go_on(warmup, hand_in):
    bad = {
        "empty": b"",
        "not-json": b"{ not json",
        "list": b"[1, 2]",
        "other": b'{"cells": 3, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
        "binary": bytes(range(256)),
    }
    for student, content in bad.items():
        hand_in(warmup, "warmup", student).write_bytes(content)
    path = hand_in(warmup, "warmup", "renamed")
    path.rename(path.with_name("mine.ipynb"))
    hand_in(warmup, "warmup", "right", SOLVED)
    outcomes = by_student(grade(warmup, "warmup"))
    for student in [*bad, "renamed"]:
        assert outcomes[student].result.status == "needs review", student
        assert "warmup.ipynb" in outcomes[student].result.reason
        with warmup.gradebook() as gradebook:
            assert gradebook.find_submission("warmup", student).needs_manual_grade
    assert "mine.ipynb" in outcomes["renamed"].result.reason
    assert scores(warmup) == dict.fromkeys([*bad, "renamed"], 0) | {"right": 5}
    for student, content in bad.items():
        assert (
            warmup.path("submitted", "warmup", student) / "warmup.ipynb"
        ).read_bytes() == content


def test_a_link_in_a_submission_is_not_followed(warmup, hand_in, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("not yours")
    path = hand_in(warmup, "warmup", "sly", SOLVED)
    (path.parent / "data.txt").symlink_to(secret)
    (path.parent / "up").symlink_to(tmp_path)
    [outcome] = grade(warmup, "warmup")
    assert outcome.result.score == 5
    assert "file 'data.txt' was left out: not a plain file" in outcome.result.notes
    assert not (warmup.path("autograded", "warmup", "sly") / "data.txt").exists()


def test_an_instructors_file_wins_over_a_students(warmup, hand_in):
    (warmup.path("source", "warmup") / "data.txt").write_text("ours")
    release(warmup, "warmup")
    path = hand_in(warmup, "warmup", "sly")
    (path.parent / "data.txt").write_text("theirs")
    prepared = prepare(warmup, Assignment.load(warmup, "warmup"), "sly")
    assert prepared.files["data.txt"] == b"ours"


def test_a_resubmission_without_its_tests_does_not_keep_the_old_score(warmup, hand_in):
    hand_in(warmup, "warmup", "sly", SOLVED)
    grade(warmup, "warmup")
    path = hand_in(warmup, "warmup", "sly", {"area": "pass", "count": "pass"})
    notebook = json.loads(path.read_text())
    notebook["cells"] = [one for one in notebook["cells"] if not one["id"].startswith("test_")]
    path.write_text(json.dumps(notebook))
    [outcome] = grade(warmup, "warmup")
    assert scores(warmup) == {"sly": 0}
    assert "cell 'test_area' was missing: put back" in outcome.result.notes


def test_a_kernel_that_dies_keeps_the_points_earned_before(warmup, hand_in):
    hand_in(warmup, "warmup", "crash", SOLVED | {"count": "import os\nos._exit(1)"})
    [outcome] = grade(warmup, "warmup")
    assert outcome.result.cells["test_area"].score == 2
    assert outcome.result.cells["test_count"].score == 0
    assert "the student's process ended" in outcome.result.reason


def test_an_endless_loop_costs_its_own_points_only(warmup, hand_in):
    config = warmup.root / "nbgrader_config.py"
    config.write_text(config.read_text().replace("c.Execute.timeout = 10", "c.Execute.timeout = 5"))
    loop = "def area(r):\n    while True:\n        pass"
    hand_in(warmup, "warmup", "loop", SOLVED | {"area": loop})
    [outcome] = grade(type(warmup)(warmup.root), "warmup")
    assert outcome.result.cells["test_area"].score == 0
    assert outcome.result.cells["test_area"].ended is Ended.TIMED_OUT
    assert outcome.result.cells["test_area"].reason == "the cell's time is up"
    assert outcome.result.cells["test_count"].score == 3


def test_lateness_follows_due_date_and_extension(warmup, hand_in):
    for student in ("late", "extended"):
        path = hand_in(warmup, "warmup", student, SOLVED)
        (path.parent / "timestamp.txt").write_text("2030-01-02 12:00:00 UTC")
    with warmup.gradebook() as gradebook:
        gradebook.update_or_create_assignment("warmup", duedate="2030-01-02 10:00:00 UTC")
        gradebook.add_student("extended")
        gradebook.add_submission("warmup", "extended")
        gradebook.grant_extension("warmup", "extended", hours=3)
    outcomes = by_student(grade(warmup, "warmup"))
    assert outcomes["late"].result.seconds_late == 2 * 3600
    assert outcomes["extended"].result.seconds_late == 0


def test_a_vast_time_stamp_is_not_parsed(warmup, hand_in):
    path = hand_in(warmup, "warmup", "vast", SOLVED)
    (path.parent / "timestamp.txt").write_text("1 " * 20_000_000)
    started = time.process_time()
    prepared = prepare(warmup, Assignment.load(warmup, "warmup"), "vast")
    assert time.process_time() - started < 20  # the parser takes minutes
    assert prepared.timestamp is None
    assert prepared.notes == ("timestamp.txt can't be read: whether it is late is not known",)


def test_partial_credit_above_the_maximum_is_the_tests_fault(tmp_path, hand_in):
    text = WARMUP.replace("sum(count(text", "40 + sum(count(text")
    course = make_course(tmp_path / "course", {"warmup": text})
    hand_in(course, "warmup", "right", SOLVED)
    [outcome] = grade(course, "warmup")
    assert outcome.result.status == "needs review"
    assert outcome.result.cells["test_count"].score is None
    assert "the test gave 43 points, more than its 3" in outcome.result.reason


def test_a_killed_run_goes_on_where_it_stopped_and_leaves_nothing(
    warmup, hand_in, tmp_path, monkeypatch
):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    for at in range(4):
        hand_in(warmup, "warmup", f"quick{at}", SOLVED)
    slow = SOLVED | {"area": "import time\ntime.sleep(8)\n" + SOLVED["area"]}
    hand_in(warmup, "warmup", "zzz-slow", slow)
    command = [sys.executable, "-m", "autograder", "grade", "warmup", "--jobs", "1"]
    run = subprocess.Popen(
        command, cwd=warmup.root, env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    done: set[str] = set()
    while len(done) < 2:
        assert run.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        with warmup.gradebook() as gradebook:
            done = set(results_of(gradebook, "warmup"))
    of_run = set(temporary.iterdir())
    assert of_run
    remove_left()
    assert set(temporary.iterdir()) == of_run  # it lives
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert set(temporary.iterdir()) == of_run
    outcomes = grade(warmup, "warmup")
    assert list(temporary.iterdir()) == []
    assert {outcome.student for outcome in outcomes if not outcome.fresh} >= done
    assert scores(warmup) == dict.fromkeys([f"quick{at}" for at in range(4)] + ["zzz-slow"], 5)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's folder")
def test_the_folders_of_others_are_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    anothers, file = tmp_path / f"{PREFIX}other", tmp_path / f"{PREFIX}file"
    link, mine = tmp_path / f"{PREFIX}link", tmp_path / f"{PREFIX}mine"
    anothers.mkdir()
    os.chown(anothers, 12345, 12345)
    mine.mkdir()
    (mine / "deep").mkdir()
    file.touch()
    link.symlink_to(tmp_path)
    used = Scratch()
    assert set(tmp_path.iterdir()) == {anothers, file, link, used.path}
    used.close()
    used.close()
    assert set(tmp_path.iterdir()) == {anothers, file, link}


def test_a_result_is_written_whole_or_not_at_all(warmup, hand_in, monkeypatch):
    hand_in(warmup, "warmup", "one", SOLVED)
    grade(warmup, "warmup")
    before = warmup.path("autograded", "warmup", "one") / "warmup.ipynb"
    old = before.read_bytes()
    hand_in(warmup, "warmup", "one")
    monkeypatch.setattr(
        "autograder.grading.record._write_folder", _no_room
    )  # after all rows are written
    (outcome,) = grade(warmup, "warmup")
    assert "No space left" in outcome.failure
    monkeypatch.undo()
    assert scores(warmup) == {"one": 5}
    assert before.read_bytes() == old


def _no_room(*arguments, **options):
    raise OSError(28, "No space left on device")


def test_the_gradebook_is_backed_up_and_ten_copies_are_kept(warmup):
    for _ in range(12):
        newest = backup(warmup)
    copies = sorted(warmup.root.glob("gradebook.db.backup-*"))
    assert len(copies) == 10
    assert copies[-1] == newest
    with sqlite3.connect(newest) as database:
        assert database.execute("select name from assignment").fetchall() == [("warmup",)]


def test_a_damaged_gradebook_is_named_and_left_alone(warmup, hand_in):
    hand_in(warmup, "warmup", "one")
    file = warmup.root / "gradebook.db"
    file.write_bytes(b"this is not a database, but it may hold a semester of marks")
    with pytest.raises(GradebookError, match=r"gradebook\.db can't be used") as caught:
        grade(warmup, "warmup")
    assert "backup" in caught.value.remedy
    assert file.read_bytes().startswith(b"this is not")


@pytest.mark.timeout(150)
def test_feedback_is_made_whatever_else_a_student_hands_in(warmup, hand_in):
    busy = SOLVED["area"] + "\n# BEGIN HIDDEN TESTS" * 30_000
    notebook = hand_in(warmup, "warmup", "one", SOLVED | {"area": busy})
    notebook.with_name("Untitled.ipynb").write_bytes(notebook.read_bytes())
    (outcome,) = grade(warmup, "warmup")
    assert outcome.result.score == 5
    assert "'Untitled.ipynb' was left out" in " ".join(outcome.result.notes)
    assert feedback(warmup, "warmup") == ["one"]


def test_what_a_student_wrote_does_not_run_in_an_instructors_browser(warmup, hand_in):
    script = "<script>taken()</script><img src=x onerror='taken()'>"
    shown = dedent(f"""
        from IPython.display import HTML, Javascript, Markdown, display
        display(HTML("<table><td>{script}"), Javascript("taken()"), Markdown("{script}"))
        """)
    path = hand_in(warmup, "warmup", "one", SOLVED | {"area": SOLVED["area"] + shown})
    notebook = json.loads(path.read_text())
    text = {"id": "own", "cell_type": "markdown", "metadata": {}, "source": f"# Mine\n{script}"}
    path.write_text(json.dumps(notebook | {"cells": [*notebook["cells"], text]}))
    grade(warmup, "warmup")
    feedback(warmup, "warmup")

    def runs(page):
        return re.findall(r"<script[^>]*>[^<]*taken|<img[^>]*taken", page)

    stock = _formgraders_page(warmup, Config())
    assert len(runs(stock)) >= 6  # HTML, its image, JavaScript, two Markdown with theirs
    for page in (
        _formgraders_page(warmup, warmup.config),
        (warmup.path("feedback", "warmup", "one") / "warmup.html").read_text(),
    ):
        assert runs(page) == []
        assert "&lt;script&gt;taken()" in page
        assert "<table>" in page
        assert "Mine</" in page or "Mine<a" in page


def _formgraders_page(course, config):
    """As the formgrader shows a submission."""
    own = Config()
    own.HTMLExporter.template_name = "formgrade"
    own.HTMLExporter.extra_template_basedirs = [template_path]
    own.merge(config)
    names = "assignment_id notebook_id submission_id base_url student last_name first_name"
    resources = dict.fromkeys([*names.split(), "notebook_path"], "x") | {"index": 0, "total": 1}
    path = course.path("autograded", "warmup", "one") / "warmup.ipynb"
    return HTMLExporter(config=own).from_filename(str(path), resources=resources)[0]


@pytest.mark.parametrize(
    "content",
    [
        {"nbformat": 1, "cells": [{"cell_type": 2, "input": "x"}]},
        {"nbformat": 3, "nbformat_minor": "x", "metadata": {}, "worksheets": []},
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{}] * 400_000},
    ],
    ids=["version-1", "version-3", "many-cells"],
)
@pytest.mark.timeout(150)
def test_what_only_looks_like_a_notebook_waits_for_a_person(warmup, hand_in, content):
    hand_in(warmup, "warmup", "one").write_text(json.dumps(content))
    (outcome,) = grade(warmup, "warmup")
    assert outcome.result.status == "needs review"
    assert "warmup.ipynb is not a notebook" in outcome.result.reason


def test_feedback_shows_the_message_and_nothing_hidden(warmup, hand_in):
    hand_in(warmup, "warmup", "half", SOLVED | {"area": "def area(r): return math.pi * r"})
    grade(warmup, "warmup")
    assert feedback(warmup, "warmup") == ["half"]
    page = (warmup.path("feedback", "warmup", "half") / "warmup.html").read_text()
    assert "area(2) is wrong: square the radius" in page
    assert "hidden tests ran here" in page
    for secret in ("isclose", "hidden banana", "HIDDEN TESTS", "cases"):
        assert secret not in page
