"""The results of the course's training experiments, which `make experiments` writes."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, stdev

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True, order=True)
class Run:
    """The settings and the accuracy of one training: one line of a file of results.

    Attributes:
        task: the task that was learned: "photographs" or "grain".
        arm: the method: "frozen", "fine-tuning", "small CNN", …
        layer: the layer after which a frozen network was cut.
        size: the side of the pictures that entered the network, in pixels.
        per_class: the number of training pictures of each class.
        seed: the seed of the split and of everything random in the training, the initial weights
            included.
        steps: the number of batches of 16; 0 for a head that is computed instead of trained.
        rate: the highest learning rate. If head and body differ, it is the rate of the body.
        shift: the most pixels by which a training picture was moved at random.
        part: "test", or "validation" where settings are chosen.
        accuracy: the balanced accuracy on the pictures of that part, in percent. It is the mean,
            over the classes, of the share of right answers. (In grain, all classes have the same
            number of pictures.)
    """

    task: str
    arm: str
    layer: str
    size: int
    per_class: int
    seed: int = 0
    steps: int = 0
    rate: float = 0.0
    shift: int = 0
    part: str = "test"
    accuracy: float = 0.0


def read_results(name: str) -> list[Run]:
    """Read the runs of one experiment.

    Args:
        name: "photographs", "rates", "grain" or "layers".

    Raises:
        FileNotFoundError: there is no experiment of this name.
    """
    lines = (RESULTS / f"{name}.csv").read_text(encoding="utf-8").splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    kinds = {"task": str, "arm": str, "layer": str, "part": str, "rate": float, "accuracy": float}
    return [Run(**{key: kinds.get(key, int)(text) for key, text in row.items()}) for row in rows]


def summarise(
    runs: Iterable[Run], over: str, **settings: str | int
) -> dict[str | int | float, tuple[float, float]]:
    """Compute the mean and the standard deviation over the seeds, for each value of one field.

    Args:
        runs: the runs of one experiment.
        over: the field: "arm", "layer", "size", "per_class" or "rate".
        settings: field=value. Only runs with these values are taken.

    Returns:
        For each value of the field, the mean accuracy and its standard deviation.

    Raises:
        ValueError: the runs for a value differ in more than their seed, or are fewer than two.
    """
    groups: dict[str | int | float, list[Run]] = {}
    for run in runs:
        if _has(run, settings):
            groups.setdefault(getattr(run, over), []).append(run)
    statistics = {}
    for value, group in groups.items():
        if len(group) < 2 or len({replace(run, seed=0, accuracy=0.0) for run in group}) > 1:
            raise ValueError(
                f"The {len(group)} runs with {over}={value!r} aren't repetitions of one setting: "
                "choose by task, arm, layer, size and per_class as well."
            )
        accuracies = [run.accuracy for run in group]
        statistics[value] = mean(accuracies), stdev(accuracies)
    return statistics


def difference(
    runs: Iterable[Run], one: Mapping[str, str | int], other: Mapping[str, str | int]
) -> tuple[float, float]:
    """Compute by how many percentage points one setting is better than another.

    The settings are compared seed by seed, that is, on the same split.

    Args:
        runs: the runs of one experiment.
        one: the first setting, as {field: value}.
        other: the setting to compare it with, as {field: value}.

    Returns:
        The mean difference over the seeds, and its standard error.

    Raises:
        ValueError: a setting has two runs of one seed, or the two settings share fewer than two
            seeds.
    """
    runs = list(runs)
    first, second = (_by_seed(runs, settings) for settings in (one, other))
    gains = [first[seed] - second[seed] for seed in first if seed in second]
    if len(gains) < 2:
        raise ValueError(
            f"{dict(one)} and {dict(other)} share {len(gains)} seeds, and a comparison needs two: "
            "look for a misspelt field or value."
        )
    return mean(gains), stdev(gains) / len(gains) ** 0.5


def _has(run: Run, settings: Mapping[str, str | int]) -> bool:
    return all(getattr(run, field) == value for field, value in settings.items())


def _by_seed(runs: list[Run], settings: Mapping[str, str | int]) -> dict[int, float]:
    accuracies: dict[int, float] = {}
    for run in runs:
        if _has(run, settings):
            if run.seed in accuracies:
                raise ValueError(
                    f"{dict(settings)} has two runs of seed {run.seed}: choose by task, arm, "
                    "layer, size, per_class and steps as well."
                )
            accuracies[run.seed] = run.accuracy
    return accuracies
