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
        seed: Of the split and of all that is random in the training, a random network too.
        steps: Batches of 16 that the training took; 0 for a head that is solved for, not trained.
        rate: The highest learning rate, of the body where head and body differ.
        shift: By up to how many pixels training pictures were moved at random.
        part: "test", or "validation" where settings are chosen.
        accuracy: On the pictures of that part, in percent.
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
