"""Tests of tests: what is wrong with an assignment is named before a student meets it."""

from __future__ import annotations

from autograder.verify import verify
from tests.conftest import WARMUP, make_course

HIDDEN_TEST = 'assert math.isclose(area(2), 4 * math.pi), "area(2) is wrong: square the radius"'


def problems(tmp_path, text):
    trials = verify(make_course(tmp_path / "course", {"warmup": text}), "warmup")
    return {trial.name: trial.problems for trial in trials}


def test_a_good_assignment_has_none(tmp_path):
    assert problems(tmp_path, WARMUP) == {"reference": (), "release": ()}


def test_a_reference_that_fails_its_own_test_is_named_with_the_message(tmp_path):
    [problem] = problems(tmp_path, WARMUP.replace("radius**2", "radius**3"))["reference"]
    assert problem.startswith("test_area: 0 of 2 points: AssertionError: area(2) is wrong")


def test_a_test_that_the_empty_release_passes_is_named(tmp_path):
    text = WARMUP.replace("assert area(0) == 0", "pass").replace(HIDDEN_TEST, "pass")
    assert problems(tmp_path, text)["release"] == ("test_area: 2 points for no work at all",)


def test_what_the_judge_does_not_support_is_named_with_its_rewrite(tmp_path):
    patched = "from unittest import mock\nmock.patch('math.pi', 3).start()\n" + HIDDEN_TEST
    found = problems(tmp_path, WARMUP.replace(HIDDEN_TEST, patched))["reference"]
    assert any(problem.startswith("test_area, line ") for problem in found), found
