"""A result's key holds all that its score depends on; idle runs leave no trace."""

from __future__ import annotations

import dataclasses

import pytest
from traitlets.config import Config

from autograder.assignment import Assignment
from autograder.errors import CourseError
from autograder.grading.class_run import _key
from autograder.grading.grade import grade
from autograder.grading.settings import Settings
from autograder.sandbox.limits import Limits
from tests.conftest import SOLVED


def test_a_change_of_anything_that_a_score_depends_on_regrades(warmup, hand_in):
    hand_in(warmup, "warmup", "one", SOLVED)

    def key(settings=None):
        assignment = Assignment.load(warmup, "warmup")
        return _key(warmup, assignment, "one", settings or Settings(), "")

    seen = {key()}
    assert key() in seen  # the control: nothing changed

    def is_new(settings=None):
        found = key(settings)
        new = found not in seen
        seen.add(found)
        return new

    other = {"isolated": False, "stop_at_failure": True}
    for field in dataclasses.fields(Settings):
        if field.name in other:
            assert is_new(Settings(**{field.name: other[field.name]})), field.name
        else:  # the configuration, the limits and the device are taken apart below
            assert field.name in ("config", "limits", "device")
    for field in dataclasses.fields(Limits):
        limits = Limits(**{field.name: getattr(Limits(), field.name) + 1})
        assert is_new(Settings(limits=limits)), field.name
    config = warmup.config.copy()
    config.Execute.timeout = 17
    assert is_new(Settings(config=config))
    config.Judge.values = {"geometry.Point": ["x", "y"]}
    assert is_new(Settings(config=config))
    source = warmup.path("source", "warmup") / "warmup.ipynb"
    source.write_text(source.read_text().replace("radius**2", "radius*radius"))  # a solution
    assert is_new()
    source.write_text(source.read_text().replace("4 * math.pi", "2 * math.pi"))  # a test
    assert is_new()
    (source.parent / "data.txt").write_text("1")
    assert is_new()
    hand_in(warmup, "warmup", "one", SOLVED | {"count": "pass"})
    assert is_new()


@pytest.mark.parametrize("wrong", [["geometry.Point"], {"Point": ["x"]}, {"geometry.Point": "x y"}])
def test_types_that_are_none_are_an_error_with_a_remedy(wrong):
    with pytest.raises(CourseError, match=r"c\.Judge\.values .* names no types"):
        _ = Settings(config=Config({"Judge": {"values": wrong}})).values


def test_runs_that_write_nothing_push_no_backup_out(warmup, hand_in):
    hand_in(warmup, "warmup", "one", SOLVED)
    grade(warmup, "warmup")
    before = sorted(warmup.root.glob("gradebook.db.backup-*"))
    assert len(before) == 1
    for _ in range(2):
        grade(warmup, "warmup")
    assert sorted(warmup.root.glob("gradebook.db.backup-*")) == before
    grade(warmup, "warmup", force=True)  # the control
    assert len(list(warmup.root.glob("gradebook.db.backup-*"))) == 2
