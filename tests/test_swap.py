"""Files and scores agree, whichever step of recording fails, and however."""

from __future__ import annotations

import copy
import os
import shutil
import signal
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from autograder.assignment import Assignment
from autograder.grading.feedback import feedback
from autograder.grading.record import record, settle_folders
from autograder.grading.result import CellResult, Result
from autograder.grading.swap import new_token, put_in_place, replace_folder, settle, unsettled

STEPS = [
    (Path, "mkdir"),
    (Path, "rename"),
    (Path, "write_bytes"),
    (shutil, "rmtree"),
    (Session, "commit"),
]


@cache
def loaded(course):
    return Assignment.load(course, "warmup")


def write(course, score, *, readable=True):
    """Record a result whose file says its score."""
    assignment = loaded(course)
    notebooks = copy.deepcopy(assignment.masters) if readable else {}
    for notebook in notebooks.values():
        notebook.cells[2].source = f"# {score}"
    cells = {"test_area": CellResult(score, 2), "test_count": CellResult(0, 3)}
    result = Result("warmup", "one", "graded", cells)
    with course.gradebook() as gradebook:
        record(course, gradebook, assignment, "key", result, notebooks, {}, None)


def broken_at(step, how, patch):
    """Make the nth of all steps fail, before it happens or just after."""
    left = [step]

    def wrap(owner, name):
        plain = getattr(owner, name)

        def run(*args, **kwargs):
            left[0] -= 1
            if left[0] == 0:
                how()
            done = plain(*args, **kwargs)
            left[0] -= 1
            if left[0] == 0:
                how()
            return done

        patch.setattr(owner, name, run)

    for owner, name in STEPS:
        wrap(owner, name)
    return left


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def fail():
    raise OSError(28, "No space left on device")


def agree(course):
    """What the gradebook says, if the files say the same and nothing else is left."""
    final = course.path("autograded", "warmup", "one")
    with course.gradebook() as gradebook:
        score = gradebook.find_grade("test_area", "warmup", "warmup", "one").auto_score
    files = final / "warmup.ipynb"
    assert f"# {score}" in files.read_text() if score is not None else not files.exists()
    assert [path.name for path in final.parent.iterdir()] in ([], ["warmup"])
    return score


@pytest.mark.parametrize("after", [0.0, None])
def test_a_kill_at_any_step_leaves_all_old_or_all_new(warmup, after):
    ends = []
    for step in range(1, 200):
        write(warmup, 2.0)
        child = os.fork()
        if child == 0:
            with pytest.MonkeyPatch.context() as patch:
                broken_at(step, kill, patch)
                write(warmup, after, readable=after is not None)
                os._exit(0)
        _, status = os.waitpid(child, 0)
        with warmup.gradebook() as gradebook:
            settle_folders(warmup, gradebook, "warmup")
        ends.append(agree(warmup))
        if status == 0:
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
    assert status == 0, "it has more steps than were broken"
    assert set(ends) == {2.0, after}  # some steps are before the commit, and some are after
    assert ends == sorted(ends, key=lambda one: one != 2.0)


@pytest.mark.parametrize("after", [0.0, None])
def test_a_failure_at_any_step_leaves_all_old_or_all_new(warmup, after):
    for step in range(1, 200):
        write(warmup, 2.0)
        with pytest.MonkeyPatch.context() as patch:
            left = broken_at(step, fail, patch)
            with suppress(OSError):
                write(warmup, after, readable=after is not None)
        with warmup.gradebook() as gradebook:  # for failures in tidying up itself
            settle_folders(warmup, gradebook, "warmup")
        assert agree(warmup) in (2.0, after)
        if left[0] > 0:
            break
    assert left[0] > 0, "it has more steps than were broken"
    assert agree(warmup) == after


@pytest.mark.parametrize(("committed", "score"), [(False, 2.0), (True, 0.0)])
def test_feedback_finishes_what_a_killed_run_left(warmup, committed, score):
    write(warmup, 2.0)
    parent, commit = warmup.path("autograded", "warmup", "one").parent, Session.commit

    def die(session):
        swapped = len(list(parent.iterdir())) > 1
        if committed or not swapped:
            commit(session)
        if swapped:
            kill()

    child = os.fork()
    if child == 0:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Session, "commit", die)
            write(warmup, 0.0)
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert "# 0.0" in (parent / "warmup" / "warmup.ipynb").read_text()
    assert feedback(warmup, "warmup") == ["one"]
    assert agree(warmup) == score
    page = (warmup.path("feedback", "warmup", "one") / "warmup.html").read_text()
    assert f"# {score}" in page


@pytest.mark.parametrize("name", ["ann", "[a-z]nn", "*"])
def test_a_swap_that_was_killed_is_left_to_its_own_folder(tmp_path, name):
    """The names of two folders may begin alike, and look like a pattern."""
    own, other = tmp_path / name, tmp_path / "ann-lee"
    replace_folder(own, {"file": b"own"})
    replace_folder(other, {"file": b"old"})
    token = new_token()
    put_in_place(other, {"file": b"new"}, token)  # and killed, before or after the commit
    settle(own, lambda: None)
    assert (own / "file").read_bytes() == b"own"
    assert set(unsettled(str(tmp_path / "*"))) == {other}
    settle(other, lambda: token)
    assert (other / "file").read_bytes() == b"new"
    assert {path.name for path in tmp_path.iterdir()} == {name, "ann-lee"}
