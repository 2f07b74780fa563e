"""The command `autograder`: reads the command line, calls a function, shows its result."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from autograder.cli import attempts, cluster, desk, lms, show
from autograder.cli.options import (
    FAILED,
    LOOK,
    CourseOption,
    Jobs,
    Json,
    Name,
    Names,
    TlsCa,
    TlsCert,
    TlsKey,
)
from autograder.cli.show import (
    class_table,
    coloured,
    err,
    out,
    progress_bar,
    show_bench,
    show_error,
    show_outcomes,
)
from autograder.course import Course
from autograder.errors import AutograderError

if TYPE_CHECKING:
    from autograder.grading.result import Result

app = typer.Typer(
    help="Releases, verifies and grades the assignments of an nbgrader course.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

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


@app.callback()
def options(
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show what is done, and every traceback.")
    ] = False,
) -> None:
    """Releases, verifies and grades the assignments of an nbgrader course."""
    if verbose:
        from autograder.grading.log import show

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
    from autograder.authoring.rerelease import released_cells, told

    opened = Course.find(course)
    stale = 0
    for name in _names(opened, names):
        if not check:
            before = released_cells(opened, name)
            lines = [f"released {make(opened, name)}"]
            lines += told(opened, name, before, released_cells(opened, name))
            out.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
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
    stock: Annotated[
        bool,
        typer.Option(
            "--stock",
            help="Instead, compare with stock nbgrader, which runs these solutions unprotected.",
        ),
    ] = False,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Instead, say for each refused line what to write."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --stock or --explain: print JSON.")
    ] = False,
) -> None:
    """Test the tests: right solutions get all points, and wrong ones fail where they must."""
    if mutants + stock + explain > 1:
        raise typer.BadParameter("choose one of --mutants, --stock and --explain")
    opened = Course.find(course)
    chosen = _names(opened, names)
    if stock:
        problems = show.verify_stock(opened, chosen, jobs, as_json)
    elif explain:
        problems = show.verify_explained(opened, chosen, as_json)
    elif mutants:
        problems = show.verify_mutants(opened, chosen, jobs, write)
    else:
        problems = show.verify_checks(opened, chosen, jobs, device.value, quick)
    for problem in problems:
        err.print(problem, markup=False, highlight=False, soft_wrap=True)
    if problems:
        advice = "see docs/grading.md" if stock else "mend the tests before you release them"
        err.print(f"{len(problems)} {'differences' if stock else 'problems'}: {advice}")
        raise typer.Exit(FAILED)


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
    address: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            help="Run on the workers of this Dask scheduler; 'auto': as Dask's configuration says.",
            metavar="ADDRESS",
        ),
    ] = None,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    as_json: Json = False,
) -> None:
    """Grade what is new or changed of what students handed in."""
    from autograder.grading.cluster_place import Place
    from autograder.grading.grade import grade as run

    opened = Course.find(course)
    name = opened.resolve(name)
    if address and jobs:
        raise typer.BadParameter("--jobs is for this machine; a cluster's workers have their slots")
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
            cluster=Place(address, tls_ca, tls_cert, tls_key) if address else None,
            on_start=start,
            on_outcome=advance,
        )
    if as_json:
        print(json.dumps([asdict(outcome) for outcome in outcomes], indent=2))
    else:
        show_outcomes(name, outcomes)
    _warn_of_trust([outcome.result for outcome in outcomes if outcome.result])
    if any(outcome.failure for outcome in outcomes):
        err.print("some could not be run at all: their old scores stand; run the command again")
        raise typer.Exit(FAILED)
    waiting = [o for o in outcomes if o.result and o.result.status != "graded"]
    if waiting:
        err.print(
            f"{len(waiting)} of {len(outcomes)} need a look: in nbgrader's formgrader, or"
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
    from rich.syntax import Syntax

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
    folder = opened.path("feedback", name, "*")
    out.print(f"feedback for {len(students)} students in {folder}", highlight=False, soft_wrap=True)


@app.command()
def report(name: Name, course: CourseOption = None, as_json: Json = False) -> None:
    """Show how a class did, and write a report as a page and as CSV files."""
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
    from autograder.desk.report_page import write_report

    page = write_report(opened, name)
    out.print(class_table(name, class_results))
    _warn_of_trust(class_results)
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
    out.print(f"the report, with CSV files beside it: {page}", highlight=False, soft_wrap=True)


@app.command()
def bench(
    name: Annotated[
        str | None, typer.Argument(help="The assignment; default: a trivial one with torch.")
    ] = None,
    course: CourseOption = None,
    small: Annotated[int, typer.Option(min=1, help="Size of the smaller class.")] = 20,
    large: Annotated[int, typer.Option(min=2, help="Size of the larger class.")] = 60,
    stock: Annotated[bool, typer.Option(help="Time stock nbgrader, too, which takes long.")] = True,
) -> None:
    """Time this engine beside stock nbgrader, in one run."""
    from autograder.machine.bench import TRIVIAL, BenchError
    from autograder.machine.bench import bench as run

    if large <= small:
        raise BenchError(f"--large {large} is not above --small {small}", "give a larger class")
    opened = Course.find(course) if name else None
    chosen = opened.resolve(name) if opened and name else TRIVIAL
    show_bench(run(opened, chosen, small, large, stock=stock))


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


app.command()(attempts.serve)
app.command()(attempts.tokens)
app.add_typer(cluster.cluster, name="cluster")
app.command()(lms.roster)
app.command()(lms.collect)
app.command()(lms.export)
app.command()(desk.similar)
app.command()(desk.watch)
app.add_typer(desk.decide, name="decide")


def _warn_of_trust(results: list[Result]) -> None:
    """Say which tests ran in the students' processes, where a student can earn points unearned."""
    trusting = sorted({name for result in results for name in result.in_kernel})
    if trusting:
        err.print(
            f"{', '.join(trusting)}: ran in-kernel, in the students' own processes, as in stock"
            " nbgrader: a student's code can give itself these points",
            style="bold red",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


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
