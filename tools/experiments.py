"""Recomputes the training experiments that the lectures show: course_utils/results/*.csv.

    python -m tools.experiments                 all experiments
    python -m tools.experiments layers grain    only these experiments

Each line of a file is one run: the arm (the method), its setting, the seed, and the balanced
accuracy on test pictures in percent. A split never separates near twins among the photographs.
Runs don't depend on each other, so they are spread over two processes of one thread each. Another
processor or another version of torch rounds differently, and training amplifies the difference.
TOLERANCE says how far the mean over an arm's seeds may therefore move.
"""

from __future__ import annotations

import argparse
import csv
import io
import multiprocessing
import platform
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields, replace
from functools import cache

import torch
from torch import Tensor, nn

from course_utils.data import load_stamps, split_per_class
from course_utils.experiments import RESULTS, Run
from course_utils.models import LAYERS, preprocess, squeezenet, swap_head
from course_utils.textures import grain
from course_utils.training import (
    balanced_accuracy,
    discriminative_rates,
    fit,
    layer_means,
    logistic_regression,
    small_cnn,
)

SEEDS = range(12)
LAYERS_SEEDS = range(5)
SEARCHED = range(100, 103)  # the splits on which rates are chosen; their accuracy isn't reported
SEARCHED_LONGER = range(100, 112)  # the same, for an arm whose runs differ much
FEW = (1, 2, 5, 10)
# By how many percentage points the mean over an arm's seeds may differ on another computer.
# Logistic regression has a unique solution. A training of all weights ends at another solution if
# numbers are rounded differently.
TOLERANCE = {"frozen": 1.5, "random": 1.5, "pixels": 1.5}
TOLERANCE_OF_TRAINING = 5.0

# All trained arms of a task have the same number of steps. All trained arms of a picture size have
# the same pictures and the same random shifts.
PHOTOGRAPHS = Run("photographs", "", "", 96, 10, steps=100, shift=6)
TINY = replace(PHOTOGRAPHS, size=32, shift=2)
GRAIN = Run("grain", "", "", 64, 10, steps=150, shift=2)

# The highest learning rates that were tried on validation pictures. The splits for this are other
# splits than those that are reported. The rate in the middle was the best. If the body has its own
# rate, these are the rates of the body.
TRIED = {
    replace(PHOTOGRAPHS, arm="fine-tuning"): (3e-5, 1e-4, 3e-4),
    replace(PHOTOGRAPHS, arm="head only"): (1e-3, 3e-3, 1e-2),
    replace(PHOTOGRAPHS, arm="discriminative"): (3e-5, 1e-4, 3e-4),
    replace(PHOTOGRAPHS, arm="from scratch"): (1e-4, 3e-4, 1e-3),
    replace(PHOTOGRAPHS, arm="small CNN"): (3e-3, 1e-2, 3e-2),
    replace(TINY, arm="small CNN"): (1e-2, 3e-2, 1e-1),
    replace(GRAIN, arm="fine-tuning"): (3e-4, 1e-3, 3e-3),
    replace(GRAIN, arm="from scratch"): (1e-4, 3e-4, 1e-3),
    replace(GRAIN, arm="small CNN"): (1e-2, 3e-2, 1e-1),
}
HEAD_FASTER = 10  # times the body's rate, in fine-tuning and with discriminative rates
CHOSEN = [replace(run, rate=rates[1]) for run, rates in TRIED.items()]


# The same runs with four times as many steps, to see whether more steps help.
LONGER = [
    replace(run, steps=4 * run.steps)
    for run in CHOSEN
    if (run.task, run.arm) == ("grain", "from scratch") or run.size == TINY.size
]


def _trained(task: str) -> list[Run]:
    return [run for run in [*CHOSEN, *LONGER] if run.task == task]


# The runs of each experiment, without their seeds and results:
#   rates: the learning rates in TRIED.
#   photographs: the 240 stamps, eight classes.
#   grain: six synthetic textures (course_utils.textures), drawn in 64×64.
#   layers: where to cut a frozen network, with ImageNet's weights and with random weights.
PLAN: dict[str, list[Run]] = {
    "photographs": [
        *(Run("photographs", "frozen", "fire9", size, n) for size in (32, 96, 224) for n in FEW),
        *(Run("photographs", "frozen", "fire9", size, 10) for size in (48, 64, 128, 160)),
        *(
            replace(run, per_class=n)
            for run in CHOSEN
            if (run.task, run.arm) == ("photographs", "small CNN")
            for n in (FEW[:-1] if run.size == 32 else (2,))
        ),
        *_trained("photographs"),
        Run("photographs", "pixels", "", 32, 10),
    ],
    "grain": [
        *(Run("grain", "frozen", "fire9", size, 10) for size in (64, 128)),
        *_trained("grain"),
    ],
    "layers": [
        Run(task, arm, layer, size, 10)
        for task, size in (("photographs", 224), ("grain", 128))
        for arm in ("frozen", "random")
        for layer in LAYERS
    ],
    "rates": [
        replace(run, rate=rate, part="validation") for run, rates in TRIED.items() for rate in rates
    ],
}


def planned(name: str) -> list[Run]:
    """List all runs of an experiment, with their seeds."""
    return [replace(run, seed=seed) for run in PLAN[name] for seed in _seeds(name, run)]


def _seeds(name: str, run: Run) -> range:
    if name == "rates":
        unsteady = run.task == "grain" and run.arm == "from scratch"
        return SEARCHED_LONGER if unsteady else SEARCHED
    return LAYERS_SEEDS if name == "layers" else SEEDS


def compute(run: Run) -> Run:
    """Do a run, and return it with its accuracy."""
    torch.set_num_threads(1)
    labels = _pictures(run.task)[1]
    train, evaluated = split(run)
    if run.arm in ("frozen", "random", "pixels"):
        network = run.seed if run.arm == "random" else 0
        inputs = _features(run.task, run.arm, run.size, network)[run.layer]
        model: nn.Module = logistic_regression(inputs[train], labels[train])
    else:
        inputs = _inputs(run.task, run.size)
        model = _train(run, inputs[train], labels[train])
    return replace(
        run, accuracy=round(balanced_accuracy(model, inputs[evaluated], labels[evaluated]), 2)
    )


def _train(run: Run, images: Tensor, labels: Tensor) -> nn.Module:
    torch.manual_seed(run.seed)
    classes = int(labels.max()) + 1
    if run.arm == "small CNN":
        return fit(small_cnn(classes), images, labels, run.rate, run.steps, run.shift)
    model = swap_head(squeezenet(pretrained=run.arm != "from scratch"), classes)
    body, head = list(model.features.parameters()), list(model.classifier.parameters())
    if run.arm == "head only":
        model.features.requires_grad_(False)
    head_rate = HEAD_FASTER * run.rate
    rates = {
        "head only": [{"params": head, "lr": run.rate}],
        "fine-tuning": [{"params": body, "lr": run.rate}, {"params": head, "lr": head_rate}],
        "discriminative": discriminative_rates(model, head_rate, run.rate, factor=0.7),
        "from scratch": [{"params": body + head, "lr": run.rate}],
    }[run.arm]
    return fit(model, images, labels, rates, run.steps, run.shift)


# Pictures and features that runs share; each process computes them once


@cache
def _pictures(task: str) -> tuple[Tensor, Tensor, Tensor | None]:
    """Pictures, labels, and groups of near twins."""
    if task == "grain":
        return *grain(per_class=110, seed=0), None
    stamps = load_stamps()
    return stamps.images, stamps.labels, stamps.groups


def split(run: Run) -> tuple[Tensor, Tensor]:
    """Split the pictures of a run's task.

    All settings have the same test pictures. The training pictures of a setting with few pictures
    are among the training pictures of the setting with most.

    Returns:
        The indices of the training pictures, and of the pictures on which the run is evaluated.
    """
    _, labels, groups = _pictures(run.task)
    most, others = split_per_class(labels, FEW[-1], run.seed, groups)
    train = most
    if run.per_class < FEW[-1]:  # no groups here, because all twins are on this side
        train = most[split_per_class(labels[most], run.per_class, run.seed)[0]]
    # There are too few photographs for a validation part and a test part. For photographs, the
    # two parts are the same pictures, but rates are chosen on the splits of other seeds.
    if run.task == "photographs":
        return train, others
    validation, test = split_per_class(labels[others], 20, run.seed)
    return train, others[validation if run.part == "validation" else test]


@cache
def _inputs(task: str, size: int) -> Tensor:
    return torch.cat([preprocess(part, size) for part in _pictures(task)[0].split(16)])


@cache
def _features(task: str, arm: str, size: int, seed: int) -> dict[str, Tensor]:
    if arm == "pixels":
        return {"": _inputs(task, size).flatten(1)}
    torch.manual_seed(seed)
    return layer_means(squeezenet(pretrained=arm == "frozen"), _pictures(task)[0], size)


# Files


def write(name: str, runs: Sequence[Run]) -> None:
    """Write the runs of an experiment, with a comment that says how they were made."""
    text = io.StringIO()
    text.write(
        f"# Made by `python -m tools.experiments {name}`: torch {torch.__version__}, "
        f"{platform.machine()}, one thread.\n"
        "# On another machine the mean of an arm's seeds may differ by "
        f"{TOLERANCE['frozen']} points (frozen, random, pixels) or {TOLERANCE_OF_TRAINING}.\n"
        "# accuracy: balanced, in percent; near twins among photographs are never split.\n"
        "# rate: the highest, of fine-tuning and discriminative the body's; the head has "
        f"{HEAD_FASTER} times it.\n"
    )
    names = [field.name for field in fields(Run)]
    table = csv.writer(text, lineterminator="\n")
    table.writerow(names)
    table.writerows([getattr(run, name) for name in names] for run in runs)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.csv").write_text(text.getvalue(), encoding="utf-8")


def main(argv: list[str] | None = None) -> int:
    """Recompute the named experiments, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[*PLAN, []], metavar="NAME")
    names = parser.parse_args(argv).names or list(PLAN)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn) as processes:
        for name in names:
            start = time.monotonic()
            runs = list(processes.map(compute, planned(name)))
            write(name, runs)
            print(f"{name}: {len(runs)} runs in {time.monotonic() - start:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
