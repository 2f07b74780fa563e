"""How the commands show results: tables and progress bars."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from autograder.grading.result import Result

if TYPE_CHECKING:
    from autograder.authoring.verify import Trial
    from autograder.grading.grade import Outcome
    from autograder.machine.bench import Measured

out = Console()
err = Console(stderr=True)


def class_table(name: str, results: Iterable[Result]) -> Table:
    """A table with a row for each student: points, lateness, status and reason."""
    table = Table("student", "points", "late", "status", "why", title=name)
    for result in results:
        table.add_row(
            result.student,
            points_of(result),
            _late(result.seconds_late),
            result.status,
            _why(result),
        )
    return table


def show_outcomes(name: str, outcomes: list[Outcome]) -> None:
    """Print the outcome of each submission of an assignment."""
    out.print(class_table(name, [o.result for o in outcomes if o.result]))
    for outcome in outcomes:
        if outcome.failure:
            err.print(f"{outcome.student}: could not be run: {outcome.failure}", markup=False)
    again = sum(not outcome.fresh for outcome in outcomes)
    if again:
        out.print(f"{again} of {len(outcomes)} were graded before and have not changed")


def show_bench(measured: Measured) -> None:
    """Print the seconds by size of class, and what a submission costs."""
    ours, stock = measured.autograder, measured.nbgrader
    timings = [ours, stock] if stock else [ours]
    table = Table("grader", f"{ours.small}", f"{ours.large}", "one more", "of a core")
    table.title = "Seconds by size of class"
    for timing in timings:
        table.add_row(
            timing.grader,
            f"{timing.small_seconds:.1f}",
            f"{timing.large_seconds:.1f}",
            f"{timing.marginal:.3f}",
            f"{timing.core_seconds:.3f}",
        )
    out.print(table)
    if stock:
        out.print(
            f"one more submission: {stock.marginal / ours.marginal:.0f} times stock's throughput;"
            f" {ours.large} of them, start-up included:"
            f" {stock.large_seconds / ours.large_seconds:.0f} times"
        )
    ratio = ours.start_up / measured.import_torch
    out.print(
        f"start-up: {ours.start_up:.1f} s, {ratio:.1f} times 'import torch'"
        f" ({measured.import_torch:.1f} s)"
    )
    around = ours.core_seconds - measured.processes
    out.print(
        f"one more submission takes {ours.core_seconds:.3f} s of a core: its cells in one warm"
        f" process {measured.floor:.3f} s ({100 * measured.floor / ours.core_seconds:.0f} %),"
        f" two isolated processes and the judge {measured.processes - measured.floor:.3f} s more,"
        f" to prepare and record it {around:.3f} s"
    )


def as_it_must_be(trials: list[Trial]) -> str:
    """The points of a single trial; for several trials, how many have no problem."""
    if len(trials) == 1 and trials[0].kind in ("reference", "release"):
        return points_of(trials[0].result)
    return f"{sum(not trial.problems for trial in trials)} of {len(trials)}"


def points_of(result: Result) -> str:
    """Points given, and points that could be had; a dash if no cell has a score yet."""
    waits = all(cell.score is None for cell in result.cells.values())
    return f"{'–' if waits else format(result.score, 'g')} / {result.max_score:g}"


def _late(seconds: float) -> str:
    if seconds <= 0:
        return ""
    hours = seconds / 3600
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"


def _why(result: Result) -> str:
    """The first line of the most important reason, and the number of further reasons."""
    lost = [f"{name}: {cell.reason}" for name, cell in result.cells.items() if cell.reason]
    reasons = [reason for reason in (result.reason, *result.notes, *lost) if reason]
    first = reasons[0].splitlines()[0] if reasons else ""
    shown = first if len(first) <= 80 else first[:79] + "…"
    more = f" (+{len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return (shown + more).replace("[", "\\[")


@contextmanager
def progress_bar(title: str) -> Iterator[tuple[Callable[[int], None], Callable[[object], None]]]:
    """Show a progress bar inside the block.

    Yields:
        A function that sets the bar's total, and a function that advances the bar by one.
    """
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
    ) as progress:
        task = progress.add_task(title, total=None)
        yield (
            lambda total: progress.update(task, total=total),
            lambda _: progress.advance(task),
        )
