"""The experiments' files are what the tool computes, and say what the lectures state."""

from __future__ import annotations

from dataclasses import replace
from statistics import mean

import pytest

from course_utils import experiments
from course_utils.experiments import Run, read_results, summarise
from tools.experiments import (
    CHOSEN,
    EQUAL,
    PLAN,
    SEEDS,
    TOLERANCE,
    TOLERANCE_OF_TRAINING,
    compute,
    planned,
)


@pytest.mark.parametrize("name", PLAN)
def test_a_file_has_each_planned_run_once(name):
    runs = read_results(name)
    assert [replace(run, accuracy=0.0) for run in runs] == planned(name)
    assert all(0 < run.accuracy <= 100 for run in runs)


def test_a_file_says_where_it_comes_from_and_how_exact_it_is():
    for name in PLAN:
        head = (experiments.RESULTS / f"{name}.csv").read_text().splitlines()[:2]
        assert f"python -m tools.experiments {name}`: torch " in head[0]
        assert str(TOLERANCE["frozen"]) in head[1]
        assert str(TOLERANCE_OF_TRAINING) in head[1]


def _mean(name, arm, size):
    return summarise(read_results(name), "per_class", task=name, arm=arm, size=size)[10][0]


def test_with_ten_photographs_a_class_transfer_wins_by_far():
    frozen, small = _mean("photographs", "frozen", 224), _mean("photographs", "small CNN", 32)
    assert frozen >= 78
    assert small >= 50
    assert frozen - small >= 15


def test_each_arm_on_grain_has_the_rate_that_did_best_on_validation_pictures():
    for arm, rate in CHOSEN.items():
        tried = summarise(read_results("rates"), "rate", arm=arm)
        assert max(tried, key=tried.get) == rate, arm


def test_on_grain_all_trained_arms_have_one_budget():
    trained = [run for run in PLAN["grain"] if run.arm != "frozen"]
    assert {replace(run, arm="", rate=0.0) for run in trained} == {EQUAL}


def test_runs_that_differ_in_more_than_the_seed_are_not_averaged():
    with pytest.raises(ValueError, match=r"'frozen' aren't repetitions .* choose by task, arm"):
        summarise(read_results("photographs"), "arm")


@pytest.mark.parametrize(
    "run",
    [
        Run("photographs", "frozen", "fire9", 96, 10, 0),
        Run("photographs", "small CNN", "", 32, 10, steps=300, rate=3e-3, shift=2),
        Run("grain", "frozen", "conv1", 128, 10),
        pytest.param(
            replace(EQUAL, arm="small CNN", rate=CHOSEN["small CNN"]), marks=pytest.mark.slow
        ),
        pytest.param(
            Run("photographs", "fine-tuning", "", 96, 10, steps=40, rate=2e-4),
            marks=pytest.mark.slow,
        ),
    ],
    ids=lambda run: f"{run.task}, {run.arm}, {run.size}",
)
def test_an_arm_recomputed_is_what_the_file_says(run):
    every = [run for name in PLAN for run in read_results(name)]
    seeds = SEEDS if run.arm in TOLERANCE else range(2)
    repeated = [replace(run, seed=seed) for seed in seeds]
    wanted = [one.accuracy for one in every if replace(one, accuracy=0.0) in repeated]
    found = [compute(one).accuracy for one in repeated]
    tolerance = TOLERANCE.get(run.arm, TOLERANCE_OF_TRAINING)
    assert mean(found) == pytest.approx(mean(wanted), abs=tolerance)
