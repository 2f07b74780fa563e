"""The results of the course's training experiments, as `make experiments` wrote them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, stdev

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True, order=True)
class Run:
    """One training, or one line of a file of results.

    Attributes:
        task: What was to be learned: "photographs" or "grain".
        arm: How: "frozen", "fine-tuning", "small CNN", …
        layer: After which layer a frozen network was cut.
        size: Side of the pictures, in pixels, as the network got them.
        per_class: Training pictures of each class.
        seed: Of the split and of all that is random in the training, a random network too.
        steps: Batches of 16 that the training took; 0 for a head that is solved for, not trained.
        rate: The highest learning rate, of the body where head and body differ.
        shift: By up to how many pixels training pictures were moved at random.
        part: "test", or "validation" where settings are chosen.
        accuracy: On the pictures of that part, in percent, and balanced: the mean over the classes
            of the share of right answers. (On grain all classes have as many pictures.)
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
    """The runs of one experiment: "photographs", "rates", "grain" or "layers".

    Raises:
        FileNotFoundError: There is no such experiment.
    """
    lines = (RESULTS / f"{name}.csv").read_text(encoding="utf-8").splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    kinds = {"task": str, "arm": str, "layer": str, "part": str, "rate": float, "accuracy": float}
    return [Run(**{key: kinds.get(key, int)(text) for key, text in row.items()}) for row in rows]


def summarise(
    runs: Iterable[Run], over: str, **settings: str | int
) -> dict[str | int | float, tuple[float, float]]:
    """Mean and standard deviation over the seeds, for each value of one field.

    Args:
        runs: Of one experiment.
        over: The field: "arm", "layer", "size", "per_class" or "rate".
        settings: Which runs to take, as field=value.

    Raises:
        ValueError: The runs for a value differ in more than their seed, or are fewer than two.
    """
    groups: dict[str | int | float, list[Run]] = {}
    for run in runs:
        if all(getattr(run, field) == value for field, value in settings.items()):
            groups.setdefault(getattr(run, over), []).append(run)
    found = {}
    for value, group in groups.items():
        if len(group) < 2 or len({replace(run, seed=0, accuracy=0.0) for run in group}) > 1:
            raise ValueError(
                f"The {len(group)} runs with {over}={value!r} aren't repetitions of one setting: "
                "choose by task, arm, layer, size and per_class as well."
            )
        accuracies = [run.accuracy for run in group]
        found[value] = mean(accuracies), stdev(accuracies)
    return found


def difference(
    runs: Iterable[Run], one: Mapping[str, str | int], other: Mapping[str, str | int]
) -> tuple[float, float]:
    """By how many points one setting is better than another: mean over seeds, and standard error.

    Both are compared seed by seed, that is, on the same split.

    Args:
        runs: Of one experiment.
        one: Which runs to take, as {field: value}.
        other: The runs to compare them with.

    Raises:
        ValueError: A setting has two runs of one seed, or the two share fewer than two seeds.
    """
    runs = list(runs)
    first, second = (_by_seed(runs, settings) for settings in (one, other))
    by = [first[seed] - second[seed] for seed in first if seed in second]
    if len(by) < 2:
        raise ValueError(
            f"{dict(one)} and {dict(other)} share {len(by)} seeds, and a comparison needs two: "
            "look for a misspelt field or value."
        )
    return mean(by), stdev(by) / len(by) ** 0.5


def _by_seed(runs: list[Run], settings: Mapping[str, str | int]) -> dict[int, float]:
    found: dict[int, float] = {}
    for run in runs:
        if all(getattr(run, field) == value for field, value in settings.items()):
            if run.seed in found:
                raise ValueError(
                    f"{dict(settings)} has two runs of seed {run.seed}: choose by task, arm, "
                    "layer, size, per_class and steps as well."
                )
            found[run.seed] = run.accuracy
    return found
