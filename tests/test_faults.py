"""A fault of ours or the machine's: nobody's points change, the exit code and a log say so."""

from __future__ import annotations

import pytest

from autograder.grade import grade
from autograder.log import NAME as LOG
from tests.conftest import SOLVED, WARMUP, make_course
from tests.test_grade import scores

# A hidden test runs in the judge's process; what `area(-1)` returns breaks it in one way.
FAULTS = """\
### BEGIN HIDDEN TESTS
import ctypes, os, sys
def codec(*_):
    raise AssertionError("the codec is broken")
if area(-1) == "killed":
    ctypes.string_at(0)  # process 1 of a pid namespace can't kill itself by a signal
if area(-1) == "exits":
    os._exit(3)
if area(-1) == "codec":
    sys.modules["autograder.judge.codec"].Encoder.encode = codec
    area(1)
if area(-1) == "full":
    raise OSError(28, "No space left on device", "picture.png")
"""
SAYS = {
    "killed": "the judge was killed by signal 11",
    "exits": "the judge ended with 3",
    "codec": "AssertionError: the codec is broken",
    "full": "No space left on device",
}


@pytest.mark.timeout(300)
def test_a_judge_that_fails_leaves_the_old_score_and_a_log(tmp_path, hand_in, autograder):
    text = WARMUP.replace("### BEGIN HIDDEN TESTS\n", FAULTS, 1)
    course = make_course(tmp_path / "course", {"warmup": text})
    for student in (*SAYS, "well"):
        hand_in(course, "warmup", student, SOLVED)
    grade(course, "warmup")
    assert set(scores(course).values()) == {5}
    for student in SAYS:
        area = f"def area(radius):\n    return {student!r} if radius == -1 else 0"
        hand_in(course, "warmup", student, {"area": area, "count": "pass"})
    hand_in(course, "warmup", "well", SOLVED | {"count": "pass"})
    done = autograder("grade", "warmup", cwd=course.root)
    assert done.returncode == 1, done.stderr
    assert scores(course) == dict.fromkeys(SAYS, 5) | {"well": 2}
    log = (course.root / LOG).read_text()
    for student, said in SAYS.items():
        assert f"{student}: could not be run: the judge" in done.stderr
        assert said in log
    assert done.stderr.count(f"the traceback is in {course.root / LOG}") == len(SAYS)
    assert "Traceback" not in done.stderr
    assert "Traceback" in log
