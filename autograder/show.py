"""How the commands show results: tables and progress bars."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from autograder.grading.result import Result
from autograder.log import printable

if TYPE_CHECKING:
    from autograder.authoring.verify import Trial
    from autograder.grading.grade import Outcome

out = Console()
err = Console(stderr=True)
_COLOUR = re.compile(r"(\x1b\[[\d;]*m|\r)")


def class_table(name: str, results: Iterable[Result]) -> Table:
    """A table with a row for each student: points, lateness, status and reason."""
    table = Table("student", "points", "late", "status", "why", title=name)
    for result in results:
        table.add_row(
            Text(printable(result.student)),
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
            failed = f"{outcome.student}: could not be run: {outcome.failure}"
            err.print(printable(failed), markup=False)
    again = sum(not outcome.fresh for outcome in outcomes)
    if again:
        out.print(f"{again} of {len(outcomes)} were graded before and have not changed")


def show_error(message: str) -> None:
    """Print the message of an error that ends a command."""
    text = printable(f"error: {message}")
    err.print(text, style="red", markup=False, highlight=False, soft_wrap=True)


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


def coloured(text: str) -> Text:
    """A cell's printed text: its colours are shown, and no other terminal code is obeyed."""
    parts = _COLOUR.split(text)
    parts[::2] = map(printable, parts[::2])
    return Text.from_ansi("".join(parts))


def _why(result: Result) -> Text:
    """The first line of the most important reason, and the number of further reasons.

    Not a `str`, in which rich would look for markup: a reason quotes what a student wrote.
    """
    lost = [f"{name}: {cell.reason}" for name, cell in result.cells.items() if cell.reason]
    reasons = [reason for reason in (result.reason, *result.notes, *lost) if reason]
    first = reasons[0].splitlines()[0] if reasons else ""
    first = printable(first)
    shown = first if len(first) <= 80 else first[:79] + "…"
    more = f" (+{len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return Text(shown + more)


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
