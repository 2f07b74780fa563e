"""Tests of tests: what is wrong with an assignment is named before a student meets it."""

from __future__ import annotations

from autograder.authoring.verify import verify
from tests.conftest import WARMUP, make_course

HIDDEN_TEST = 'assert math.isclose(area(2), 4 * math.pi), "area(2) is wrong: square the radius"'
WRONG = """\
# ---
# about: Forgets to square the radius.
# fails:
#   test_area: square the radius
# ---

# %% solution="area"
def area(radius):
    return math.pi * radius
"""
RIGHT = WRONG.replace("# fails:\n#   test_area: square the radius\n", "").replace(
    "radius\n", "radius * radius\n"
)
MISLED = WRONG.replace("math.pi * radius", "maths.pi * radius")


def problems(tmp_path, text, **checks):
    course = make_course(tmp_path / "course", {"warmup": text})
    for name, check in checks.items():
        path = course.root / "specimens" / "warmup" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(check)
    report = verify(course, "warmup")
    return {one.name: one.problems for one in report.trials if one.kind != "seeds" or one.problems}


def test_a_good_assignment_has_none_and_a_wrong_solution_must_fail_for_its_own_reason(tmp_path):
    found = problems(tmp_path, WARMUP, wrong=WRONG, right=RIGHT, misled=MISLED)
    [problem] = found.pop("misled")
    assert problem.startswith("test_area: must say 'square the radius', but says: NameError")
    assert found == {"reference": (), "release": (), "wrong": (), "right": ()}


def test_a_test_that_accepts_too_much_is_named(tmp_path):
    text = WARMUP.replace("assert area(0) == 0", "pass").replace(HIDDEN_TEST, "pass")
    found = problems(tmp_path, text, wrong=WRONG)
    assert found["release"] == ("test_area: 2 points for no work at all",)
    reads_nothing = "test_area: must reject it, but reads nothing of what it changes"
    assert found["wrong"] == (reads_nothing,)


def test_a_test_that_rejects_what_is_right_is_named_with_its_message(tmp_path):
    exact = HIDDEN_TEST.replace(
        "math.isclose(area(2), 4 * math.pi)", "area(0.7) == math.pi * 0.7**2"
    )
    text = WARMUP.replace(HIDDEN_TEST, exact).replace("one == letter", "one != letter")
    found = problems(tmp_path, text, right=RIGHT)
    [problem] = found["reference"]
    assert problem.startswith("test_count: 0 of 3 points: AssertionError")
    [problem] = found["right"]
    assert problem.startswith("test_area: must accept it, but says: AssertionError: area(2) is")


def test_what_the_judge_does_not_support_is_named_with_its_rewrite(tmp_path):
    traced = "import sys\nsys.settrace(None)\n" + HIDDEN_TEST
    found = problems(tmp_path, WARMUP.replace(HIDDEN_TEST, traced))["reference"]
    assert any(problem.startswith("test_area, line ") for problem in found), found


def test_a_test_that_needs_its_seed_and_a_threshold_that_is_near_are_named(tmp_path):
    lucky = "import random\nrandom.seed(4)\nassert area(random.random()) < 2.3, 'bad luck'"
    course = make_course(tmp_path / "course", {"warmup": WARMUP.replace(HIDDEN_TEST, lucky)})
    report = verify(course, "warmup")
    assert {one.name: one.problems for one in report.trials}["reference"] == ()
    assert any("bad luck" in problem for problem in report.problems if "seeds + " in problem)
    [near] = [problem for problem in report.problems if "standard deviations" in problem]
    assert near.startswith("test_area, line 5: its threshold is ")


def test_only_what_comes_near_a_threshold_runs_with_all_seeds(tmp_path):
    wide = "import random\nrandom.seed(4)\nassert area(1 + random.random() / 10) < 5"
    course = make_course(tmp_path / "course", {"warmup": WARMUP.replace(HIDDEN_TEST, wide)})
    announced = []
    report = verify(course, "warmup", on_start=announced.append)
    assert report.problems == []
    ran = [
        [name for name, cell in trial.result.cells.items() if cell.ended]
        for trial in report.trials
        if trial.kind == "seeds"
    ]
    assert ran == 6 * [["test_area", "test_count"]] + 14 * [["test_area"]]
    assert announced == [8, 22]
    [line] = [one for one in report.thresholds if one.cell == "test_area"]
    assert 4 < line.deviations < 24
