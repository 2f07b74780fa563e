"""The command `autograder`: reads the command line, calls a function, shows its result."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.syntax import Syntax
from rich.table import Table

from autograder.course import Course
from autograder.errors import AutograderError
from autograder.show import (
    as_it_must_be,
    class_table,
    coloured,
    err,
    out,
    progress_bar,
    show_error,
    show_outcomes,
)

app = typer.Typer(
    help="Releases, verifies and grades the assignments of an nbgrader course.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

# Exit codes: 1: the command failed; 2: wrong use of the command; 3: done, but a person must look.
FAILED, LOOK = 1, 3
UNPROTECTED = (
    "NO ISOLATION: student code can read, change and delete whatever you can, the hidden tests and"
    " the gradebook included. Every result of this run is marked so."
)


class Device(StrEnum):
    """Where the models of hidden tests run."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class Isolation(StrEnum):
    """Whether student code is isolated from the machine."""

    AUTO = "auto"
    NONE = "none"


CourseOption = Annotated[
    Path | None,
    typer.Option(
        "--course",
        help="The course; default: this folder, else ./exercises.",
        metavar="DIR",
        show_default=False,
    ),
]
Name = Annotated[str, typer.Argument(help="The assignment, or the beginning of its name.")]
Names = Annotated[list[str] | None, typer.Argument(help="Assignments; default: all.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Jobs = Annotated[
    int | None, typer.Option(min=1, help="How many run side by side; default: one a core.")
]


@app.callback()
def options(
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show what is done, and every traceback.")
    ] = False,
) -> None:
    """Releases, verifies and grades the assignments of an nbgrader course."""
    if verbose:
        from autograder.log import show

        show()


@app.command()
def release(
    names: Names = None,
    course: CourseOption = None,
    check: Annotated[
        bool, typer.Option(help="Write nothing; fail if a release is out of date.")
    ] = False,
) -> None:
    """Make what students get, and refuse if it would give anything away."""
    from autograder.authoring.release import is_current
    from autograder.authoring.release import release as make

    opened = Course.find(course)
    stale = 0
    for name in _names(opened, names):
        if not check:
            out.print(f"released {make(opened, name)}", highlight=False, soft_wrap=True)
        elif is_current(opened, name):
            out.print(f"{name}: up to date")
        else:
            stale += 1
            err.print(f"{name}: release differs from its source: run 'autograder release {name}'")
    if stale:
        raise typer.Exit(FAILED)


@app.command()
def verify(
    names: Names = None,
    course: CourseOption = None,
    jobs: Jobs = None,
    device: Annotated[Device, typer.Option(help="Where models run.")] = Device.AUTO,
    quick: Annotated[bool, typer.Option("--quick", help="Leave out the runs with other seeds.")] = (
        False
    ),
    mutants: Annotated[
        bool,
        typer.Option("--mutants", help="Instead, change the reference in small ways: who notices?"),
    ] = False,
    write: Annotated[
        Path | None,
        typer.Option("--write", help="With --mutants: a Markdown file to write.", metavar="FILE"),
    ] = None,
) -> None:
    """Test the tests: right solutions get all points, and wrong ones fail where they must."""
    opened = Course.find(course)
    chosen = _names(opened, names)
    if mutants:
        problems = _verify_mutants(opened, chosen, jobs, write)
    else:
        problems = _verify_checks(opened, chosen, jobs, device, quick)
    for problem in problems:
        err.print(problem, markup=False, highlight=False, soft_wrap=True)
    if problems:
        err.print(f"{len(problems)} problems: mend the tests before you release them")
        raise typer.Exit(FAILED)


def _verify_checks(
    course: Course, names: list[str], jobs: int | None, device: Device, quick: bool
) -> list[str]:
    from autograder.authoring.verify import verify as run

    table = Table("assignment", "tried", "as it must be", title="Tests of the tests")
    problems = []
    for name in names:
        with progress_bar(f"verifying {name}") as (start, advance):
            report = run(
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
        for nearest in report.thresholds[:1]:
            distance = f"{nearest.deviations:.0f} standard deviations: {nearest.place}"
            table.add_row(name, "nearest threshold", distance)
        problems += [f"{name}: {text}" for text in report.problems]
    out.print(table)
    return problems


def _verify_mutants(
    course: Course, names: list[str], jobs: int | None, write: Path | None
) -> list[str]:
    from autograder.authoring import mutants

    columns = ("assignment", "mutants", "killed", "equivalent", "survived")
    table = Table(*columns, title="Small changes of the reference")
    problems, tried = [], {}
    for name in names:
        with progress_bar(f"mutants of {name}") as (start, advance):
            tried[name], mutant_problems = mutants.try_mutants(
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
        write.write_text(mutants.table(tried), encoding="utf-8")
    return problems


@app.command()
def grade(
    name: Name,
    course: CourseOption = None,
    jobs: Jobs = None,
    device: Annotated[Device, typer.Option(help="Where models run.")] = Device.AUTO,
    isolation: Annotated[
        Isolation, typer.Option(help="'none' runs student code unprotected.")
    ] = Isolation.AUTO,
    student: Annotated[
        str | None, typer.Option(help="Grade this student only.", metavar="ID")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Grade again what was graded.")] = False,
    as_json: Json = False,
) -> None:
    """Grade what is new or changed of what students handed in."""
    from autograder.grading.grade import grade as run

    opened = Course.find(course)
    name = opened.resolve(name)
    if isolation is Isolation.NONE:
        err.print(UNPROTECTED, style="bold red")
    with progress_bar(f"grading {name}") as (start, advance):
        outcomes = run(
            opened,
            name,
            jobs=jobs,
            device=device.value,
            isolated=isolation is Isolation.AUTO,
            only=student,
            force=force,
            on_start=start,
            on_outcome=advance,
        )
    if as_json:
        print(json.dumps([asdict(outcome) for outcome in outcomes], indent=2))
    else:
        show_outcomes(name, outcomes)
    if any(outcome.failure for outcome in outcomes):
        err.print("some could not be run at all: their old scores stand; run the command again")
        raise typer.Exit(FAILED)
    waiting = [o for o in outcomes if o.result and o.result.status != "graded"]
    if waiting:
        err.print(
            f"{len(waiting)} of {len(outcomes)} need a look: in 'nbgrader formgrader', or"
            " ask the student to hand in again"
        )
        raise typer.Exit(LOOK)


@app.command("try")
def try_(
    name: Name,
    student: Annotated[str, typer.Option(help="Whose submission.", metavar="ID")],
    cell: Annotated[str, typer.Option(help="The test's or cell's name.", metavar="GRADE_ID")],
    course: CourseOption = None,
    isolation: Annotated[
        Isolation, typer.Option(help="'none' runs student code unprotected.")
    ] = Isolation.AUTO,
) -> None:
    """Show one hidden test of one submission with its traceback; nothing is recorded."""
    from autograder.grading.try_test import retry

    opened = Course.find(course)
    if isolation is Isolation.NONE:
        err.print(UNPROTECTED, style="bold red")
    rerun = retry(opened, opened.resolve(name), student, cell, isolated=isolation is Isolation.AUTO)
    out.print(Syntax(rerun.cell.source, "python", line_numbers=True))
    for output in rerun.cell.outputs:
        lines = output.get("traceback") or [output.get("text") or _plain(output)]
        out.print(coloured("\n".join(lines).rstrip()))
    if rerun.result:
        points = "–" if rerun.result.score is None else f"{rerun.result.score:g}"
        out.print(f"{cell}: {points} of {rerun.result.max_score:g} points", highlight=False)
    if rerun.reason:
        err.print(coloured(f"the run ended early: {rerun.reason}"))


def _plain(output: dict[str, Any]) -> str:
    return str(output.get("data", {}).get("text/plain", ""))


@app.command()
def feedback(name: Name, course: CourseOption = None) -> None:
    """Make the pages that students get back; hidden tests stay hidden."""
    from autograder.grading.feedback import feedback as make

    opened = Course.find(course)
    name = opened.resolve(name)
    students = make(opened, name)
    folder = opened.path("feedback", name, "*").parent.parent
    out.print(f"feedback for {len(students)} students in {folder}", highlight=False, soft_wrap=True)


@app.command()
def report(name: Name, course: CourseOption = None, as_json: Json = False) -> None:
    """Show how a class did: by student, and by test."""
    from autograder.grading.report import items, results

    opened = Course.find(course)
    name = opened.resolve(name)
    class_results = results(opened, name)
    if as_json:
        print(
            json.dumps(
                {
                    "results": [asdict(entry) for entry in class_results],
                    "items": [asdict(entry) for entry in items(class_results)],
                },
                indent=2,
            )
        )
        return
    out.print(class_table(name, class_results))
    table = Table("test", "points", "mean", "all points", "waiting", title=f"{name}: by test")
    for item in items(class_results):
        table.add_row(
            item.name,
            f"{item.max_score:g}",
            f"{item.mean:.2f}",
            f"{item.full:.0%}",
            str(item.waiting or ""),
        )
    out.print(table)


@app.command()
def bench(
    name: Annotated[
        str | None, typer.Argument(help="The assignment; default: a trivial one with torch.")
    ] = None,
    course: CourseOption = None,
    small: Annotated[int, typer.Option(min=1, help="Size of the smaller class.")] = 20,
    large: Annotated[int, typer.Option(min=2, help="Size of the larger class.")] = 60,
) -> None:
    """Time this engine beside stock nbgrader, in one run."""
    from autograder.machine.bench import TRIVIAL, BenchError
    from autograder.machine.bench import bench as run

    if large <= small:
        raise BenchError(f"--large {large} is not above --small {small}", "give a larger class")
    opened = Course.find(course) if name else None
    timings = run(opened, opened.resolve(name) if opened and name else TRIVIAL, small, large)
    table = Table("grader", f"{small}", f"{large}", "one more", title="Seconds by size of class")
    for timing in timings:
        table.add_row(
            timing.grader,
            f"{timing.small_seconds:.1f}",
            f"{timing.large_seconds:.1f}",
            f"{timing.marginal:.3f}",
        )
    out.print(table)
    ours, stock = timings
    out.print(
        f"one more submission: {stock.marginal / ours.marginal:.0f} times stock's throughput;"
        f" {large} of them, start-up included: {stock.large_seconds / ours.large_seconds:.0f} times"
    )


@app.command()
def doctor(course: CourseOption = None) -> None:
    """Show what this machine has and lacks for grading, with remedies."""
    from autograder.machine.doctor import examine

    findings = examine(course)
    table = Table("", "what", "found", "remedy")
    for finding in findings:
        mark = "[green]ok[/]" if finding.ok else "[red]lacks[/]" if finding.required else "-"
        table.add_row(mark, finding.name, finding.found, "" if finding.ok else finding.remedy)
    out.print(table)
    if any(finding.required and not finding.ok for finding in findings):
        raise typer.Exit(FAILED)


def _names(course: Course, names: list[str] | None) -> list[str]:
    return [course.resolve(name) for name in names] if names else course.assignments()


def main(run: Callable[[], object] = app) -> None:
    """The entry point: for a problem that the user can solve, show a message, no traceback."""
    try:
        run()
    except AutograderError as error:
        show_error(str(error))
        sys.exit(FAILED)
    except OSError as error:
        show_error(
            f"{error.filename or 'the machine'}: {error.strerror or error}\n"
            "  → make room, or give yourself the right to it, then run the command again: what was"
            " recorded is kept"
        )
        sys.exit(FAILED)
    except KeyboardInterrupt:
        err.print("stopped: what was recorded is kept; run the command again to go on")
        sys.exit(130)
