"""The least time that an assignment's cells can take: in one process, without a judge."""

from __future__ import annotations

import statistics
from pathlib import Path

from autograder.assignment import Assignment
from autograder.errors import AutograderError
from autograder.grading.warm_up import SHELL, modules_of
from autograder.sandbox import shell
from autograder.sandbox.launch import WarmProcess

RUNS = 5


class FloorError(AutograderError):
    """The reference solution ended its process."""


def floor(assignment: Assignment, folder: Path) -> float:
    """Median of the processor seconds of some runs of the reference, each fork included.

    The cells run without isolation, so the notebooks must be the instructor's own.

    Args:
        assignment: the assignment.
        folder: an empty folder, in which the cells run.

    Raises:
        FloorError: a notebook ended its process.
    """
    for path, content in assignment.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    modules = modules_of(list(assignment.sources.values()))
    with WarmProcess(["autograder.machine.floor", SHELL], None, modules) as warm:
        return statistics.median(_seconds(assignment, warm, folder) for _ in range(RUNS))


def _seconds(assignment: Assignment, warm: WarmProcess, folder: Path) -> float:
    seconds = 0.0
    for name, source in assignment.sources.items():
        cells = [cell.source for cell in source.cells if cell.cell_type == "code"]
        target = "autograder.machine.floor:run"
        with warm.launch(target, {"cells": cells}, isolated=False, folder=folder) as process:
            if process.wait():
                raise FloorError(
                    f"the reference of {assignment.name} ended its process: {process.log()[-200:]}",
                    f"look at {name}.ipynb; run 'autograder verify {assignment.name}'",
                )
            seconds += process.cpu_seconds
    return seconds


def run(cells: list[str]) -> None:
    """Run a notebook's code cells in this process."""
    process = shell.Shell()
    for cell in cells:
        process.run_cell(cell)
