"""How the commands show results: tables and progress bars."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from autograder.course import Course
from autograder.grading.log import printable
from autograder.grading.result import Outcome, Result

if TYPE_CHECKING:
    from autograder.authoring.verify import Trial
    from autograder.machine.bench import Measured

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
    trusting = ", ".join(result.in_kernel)
    ran = (
        f"ran in-kernel, where students can give themselves points: {trusting}"
        if trusting
        else None
    )
    reasons = [reason for reason in (result.reason, ran, *result.notes, *lost) if reason]
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


# ── the command verify ──────────────────────────────────────────────────────────────────────────


def verify_checks(
    course: Course, names: list[str], jobs: int | None, device: str, quick: bool
) -> list[str]:
    """Show that right solutions get all points and wrong ones don't; return the problems."""
    from autograder.authoring.verify import verify

    table = Table("assignment", "tried", "as it must be", title="Tests of the tests")
    problems = []
    for name in names:
        with progress_bar(f"verifying {name}") as (start, advance):
            report = verify(
                course,
                name,
                jobs=jobs,
                quick=quick,
                device=device,
                on_start=start,
                on_trial=advance,
            )
        for kind, tried in groupby(report.trials, key=lambda trial: trial.kind):
            table.add_row(name, kind, as_it_must_be(list(tried)))
        for note in report.notes:
            table.add_row(name, "note", note)
        for nearest in report.thresholds[:1]:
            distance = f"{nearest.deviations:.0f} standard deviations: {nearest.place}"
            table.add_row(name, "nearest threshold", distance)
        problems += [f"{name}: {text}" for text in report.problems]
    out.print(table)
    return problems


def verify_mutants(
    course: Course, names: list[str], jobs: int | None, write: Path | None
) -> list[str]:
    """Show which small changes of the reference a test notices; return the problems."""
    from autograder.authoring import mutants as made

    columns = ("assignment", "mutants", "killed", "equivalent", "survived")
    table = Table(*columns, title="Small changes of the reference")
    problems, tried = [], {}
    for name in names:
        with progress_bar(f"mutants of {name}") as (start, advance):
            tried[name], mutant_problems = made.try_mutants(
                course, name, jobs=jobs, on_start=start, on_mutant=advance
            )
        problems += [f"{name}: {text}" for text in mutant_problems]
        count = Counter(trial.outcome for trial in tried[name])
        table.add_row(name, str(len(tried[name])), *(str(count[kind]) for kind in columns[2:]))
        for trial in tried[name]:
            if trial.outcome == "survived":
                out.print(f"{name}, {trial.mutant.cell}, {trial.mutant.operator}:", highlight=False)
                out.print(f"  - {trial.mutant.before}", markup=False, style="red", soft_wrap=True)
                out.print(f"  + {trial.mutant.after}", markup=False, style="green", soft_wrap=True)
    out.print(table)
    if write:
        write.write_text(made.table(tried), encoding="utf-8")
    return problems


def verify_stock(course: Course, names: list[str], jobs: int | None, as_json: bool) -> list[str]:
    """Show where stock nbgrader gives other points; return a line for each such cell."""
    from autograder.authoring.stock import compare

    table = Table("assignment", "solutions", "differences", title="Compared with stock nbgrader")
    compared = {}
    for name in names:
        with progress_bar(f"comparing {name}") as (start, advance):
            compared[name] = compare(course, name, jobs=jobs, on_start=start, on_solution=advance)
        found = compared[name]
        table.add_row(name, str(len(found.solutions)), str(len(found.differences)))
    if as_json:
        print(json.dumps({name: asdict(item) for name, item in compared.items()}, indent=2))
    else:
        out.print(table)
    return [
        f"{name}, {item.solution}, {item.cell}: stock {_points_or_none(item.stock)}, judged"
        f" {_points_or_none(item.judged)}: {item.cause}"
        for name, found in compared.items()
        for item in found.differences
    ]


def verify_explained(course: Course, names: list[str], as_json: bool) -> list[str]:
    """Show each refused line with its rewrite; return a line for each that can't be judged."""
    from autograder.authoring.explain import explain

    found = {name: explain(course, name) for name in names}
    if as_json:
        everything = {name: [asdict(item) for item in items] for name, items in found.items()}
        print(json.dumps(everything, indent=2))
    lines = []
    for name, items in found.items():
        for item in items:
            place = f"{name}, {item.cell}" + (f", line {item.line}" if item.line else "")
            judged = "judged all the same" if item.judged else "can't be judged"
            text = (
                f"{place}: {item.source}\n  {item.what}: {judged}\n  → {item.rewrite}; or, to run"
                f" the test as stock nbgrader does: c.Autograder.in_kernel = ['{item.pattern}']"
            )
            if not item.judged:
                lines.append(text)
            elif not as_json:
                out.print(text, markup=False, highlight=False, soft_wrap=True)
        if not items and not as_json:
            out.print(f"{name}: no line is refused")
    return lines


def _points_or_none(points: float | None) -> str:
    return "none" if points is None else f"{points:g}"
