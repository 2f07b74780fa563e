"""The results of the course's training experiments, as `make experiments` wrote them."""

from __future__ import annotations

import csv
from collections.abc import Iterable
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
        seed: Of the split and of all that is random in the training.
        accuracy: On the test pictures, in percent.
    """

    task: str
    arm: str
    layer: str
    size: int
    per_class: int
    seed: int
    accuracy: float = 0.0


def read_results(name: str) -> list[Run]:
    """The runs of one experiment: "photographs", "grain" or "layers".

    Raises:
        FileNotFoundError: There is no such experiment.
    """
    lines = (RESULTS / f"{name}.csv").read_text(encoding="utf-8").splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return [
        Run(
            row["task"],
            row["arm"],
            row["layer"],
            int(row["size"]),
            int(row["per_class"]),
            int(row["seed"]),
            float(row["accuracy"]),
        )
        for row in rows
    ]


def summarise(
    runs: Iterable[Run], over: str, **settings: str | int
) -> dict[str | int, tuple[float, float]]:
    """Mean and standard deviation over the seeds, for each value of one field.

    Args:
        runs: Of one experiment.
        over: The field: "arm", "layer", "size" or "per_class".
        settings: Which runs to take, as field=value.

    Raises:
        ValueError: The runs for a value differ in more than their seed, or are fewer than two.
    """
    groups: dict[str | int, list[Run]] = {}
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
