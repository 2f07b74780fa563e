"""The experiments' files are what the tool computes, and say what the lectures state."""

from __future__ import annotations

from dataclasses import replace
from statistics import mean

import pytest

from course_utils import experiments
from course_utils.data import load_stamps
from course_utils.experiments import Run, difference, read_results, summarise
from tools.experiments import (
    CHOSEN,
    GRAIN,
    HEAD_FASTER,
    LONGER,
    PHOTOGRAPHS,
    PLAN,
    TINY,
    TOLERANCE,
    TOLERANCE_OF_TRAINING,
    TRIED,
    compute,
    planned,
    split,
)


@pytest.mark.parametrize("name", PLAN)
def test_a_file_has_each_planned_run_once(name):
    runs = read_results(name)
    assert [replace(run, accuracy=0.0) for run in runs] == planned(name)
    assert all(0 < run.accuracy <= 100 for run in runs)


def test_a_file_says_where_it_comes_from_and_how_exact_it_is():
    for name in PLAN:
        head = (experiments.RESULTS / f"{name}.csv").read_text().splitlines()[:4]
        assert f"python -m tools.experiments {name}`: torch " in head[0]
        assert str(TOLERANCE["frozen"]) in head[1]
        assert str(TOLERANCE_OF_TRAINING) in head[1]
        assert "balanced, in percent; near twins among photographs are never split" in head[2]
        assert f"the head has {HEAD_FASTER} times it" in head[3]


def test_with_ten_photographs_a_class_transfer_wins_by_far():
    runs = read_results("photographs")
    frozen, small = ({"arm": arm, "size": 96, "per_class": 10} for arm in ("frozen", "small CNN"))
    by, error = difference(runs, frozen, small)
    assert by >= 15
    assert by >= 5 * error


@pytest.mark.parametrize("setting", TRIED, ids=lambda run: f"{run.task}, {run.arm}, {run.size}")
def test_the_middle_rate_did_best_on_validation_pictures(setting):
    """So the best one isn't at an edge, where one would have to look further out."""
    searched = read_results("rates")
    tried = summarise(searched, "rate", task=setting.task, arm=setting.arm, size=setting.size)
    assert list(tried) == list(TRIED[setting])
    assert max(tried, key=lambda rate: tried[rate][0]) == TRIED[setting][1]


def test_no_split_that_chose_a_rate_is_reported():
    reported = {run.seed for name in PLAN if name != "rates" for run in read_results(name)}
    assert not reported & {run.seed for run in read_results("rates")}


@pytest.mark.parametrize(
    ("name", "settings"), [("photographs", [PHOTOGRAPHS, TINY]), ("grain", [GRAIN])]
)
def test_all_trained_arms_have_one_budget(name, settings):
    trained = [run for run in PLAN[name] if run.steps and run not in LONGER]
    assert {replace(run, arm="", rate=0.0, per_class=10) for run in trained} == set(settings)
    assert len({run.steps for run in settings}) == 1
    # Moved by the same share of the side.
    assert len({run.shift / run.size for run in settings}) == 1
    assert all(replace(run, steps=run.steps // 4) in CHOSEN for run in LONGER)


def test_near_twins_are_on_one_side_and_fewer_pictures_are_among_the_more():
    stamps = load_stamps()
    for seed in {run.seed for name in PLAN for run in planned(name)}:
        runs = (replace(PHOTOGRAPHS, per_class=n, seed=seed) for n in (1, 5, 10))
        trains, tests = zip(*map(split, runs), strict=True)
        assert set(trains[0].tolist()) < set(trains[1].tolist()) < set(trains[2].tolist())
        assert all(test.tolist() == tests[0].tolist() for test in tests)
        groups = [set(stamps.groups[part].tolist()) for part in (trains[2], tests[2])]
        assert not groups[0] & groups[1]


def test_a_difference_is_taken_seed_by_seed():
    values = {"a": (50.0, 70.0, 60.0), "b": (48.0, 67.0, 59.0)}
    runs = [
        Run("grain", arm, "", 64, 10, seed, accuracy=value)
        for arm, row in values.items()
        for seed, value in enumerate(row)
    ]
    by, error = difference(runs[::-1], {"arm": "a"}, {"arm": "b"})
    assert by == pytest.approx(2.0)
    assert error == pytest.approx(1.0 / 3**0.5)
    with pytest.raises(ValueError, match="share 0 seeds"):
        difference(runs, {"arm": "a"}, {"arm": "c"})
    with pytest.raises(ValueError, match="has two runs of seed"):
        difference(runs, {"arm": "a"}, {"task": "grain"})


def test_runs_that_differ_in_more_than_the_seed_are_not_averaged():
    with pytest.raises(ValueError, match=r"'frozen' aren't repetitions .* choose by task, arm"):
        summarise(read_results("photographs"), "arm")


SLOW = {("grain", "small CNN"), ("photographs", "fine-tuning")}


@pytest.mark.parametrize(
    "run",
    [
        Run("photographs", "frozen", "fire9", 96, 10, 0),
        next(run for run in CHOSEN if run.size == TINY.size),
        Run("grain", "frozen", "conv1", 128, 10),
        *(
            pytest.param(run, marks=pytest.mark.slow)
            for run in CHOSEN
            if run in PLAN[run.task] and (run.task, run.arm) in SLOW
        ),
    ],
    ids=lambda run: f"{run.task}, {run.arm}, {run.size}",
)
def test_an_arm_recomputed_is_what_the_file_says(run):
    every = [run for name in PLAN for run in read_results(name)]
    seeds = range(5) if run.arm in TOLERANCE else range(2)
    repeated = [replace(run, seed=seed) for seed in seeds]
    wanted = [one.accuracy for one in every if replace(one, accuracy=0.0) in repeated]
    found = [compute(one).accuracy for one in repeated]
    tolerance = TOLERANCE.get(run.arm, TOLERANCE_OF_TRAINING)
    assert mean(found) == pytest.approx(mean(wanted), abs=tolerance)
