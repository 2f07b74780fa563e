"""The commands of the instructor's desk: decisions, and submissions that are alike."""

from __future__ import annotations

import datetime
import getpass
import json
import time
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from autograder.cli.options import LOOK, CourseOption, Jobs, Json, Name
from autograder.cli.show import err, out, progress_bar, show_error
from autograder.course import Course
from autograder.errors import AutograderError, CourseError
from autograder.grading.log import printable

if TYPE_CHECKING:
    from autograder.attempts.decision_table import Decision
    from autograder.desk.decide import Desk
    from autograder.desk.similarity import Similarities
    from autograder.desk.watch import Watch


decide = typer.Typer(
    help="Decide something about a class, with a reason; every decision can be taken back.",
    no_args_is_help=True,
)


class VoidAs(StrEnum):
    """What voiding a question means."""

    FULL = "full"
    OUT = "out"


Students = Annotated[
    list[str] | None, typer.Option("--student", help="A student; may be repeated.", metavar="ID")
]
Group = Annotated[
    Path | None,
    typer.Option("--group", help="A file with the ids of students, a line each.", metavar="FILE"),
]
Why = Annotated[str, typer.Option(help="The reason, for other instructors.", metavar="TEXT")]
Who = Annotated[
    str | None, typer.Option(help="Who decides; default: your user name.", metavar="NAME")
]
Question = Annotated[str, typer.Argument(help="The question's id.")]


def _desk(name: str, course: Path | None, who: str | None) -> Desk:
    from autograder.desk.decide import Desk

    opened = Course.find(course)
    return Desk(opened, opened.resolve(name), who or getpass.getuser())


def _people(students: list[str] | None, group: Path | None) -> list[str]:
    named = list(students or [])
    if group is not None:
        if not group.is_file():
            raise CourseError(f"{group} is not a file", "give a file with an id on each line")
        named += group.read_text(encoding="utf-8").split()
    return list(dict.fromkeys(named))


def _show(decision: Decision, remedy: str = "") -> None:
    out.print(f"decision {decision.id} on '{decision.assignment}' is recorded", highlight=False)
    if remedy:
        out.print(remedy, highlight=False, soft_wrap=True)


@decide.command()
def extension(
    name: Name,
    hours: Annotated[float, typer.Option(help="Hours after the due date.")],
    why: Why,
    student: Students = None,
    group: Group = None,
    who: Who = None,
    course: CourseOption = None,
) -> None:
    """Give a student or a group more time."""
    desk = _desk(name, course, who)
    _show(desk.extend(_people(student, group), hours, why))


@decide.command()
def void(
    name: Name,
    cell: Annotated[str, typer.Argument(help="The id of the question's or test's cell.")],
    how: Annotated[
        VoidAs, typer.Option("--as", help="'full': all get its points; 'out': it doesn't count.")
    ],
    why: Why,
    who: Who = None,
    course: CourseOption = None,
) -> None:
    """Void a question or a test for the whole class."""
    _show(_desk(name, course, who).void(cell, how.value, why))


@decide.command()
def key(
    name: Name,
    question: Question,
    answer: Annotated[str, typer.Option(help="As in the file of keys: 2, '[1, 3]', 'x + 1'.")],
    why: Why,
    who: Who = None,
    course: CourseOption = None,
) -> None:
    """Correct a question's key, and mark the first attempts at it again."""
    decision = _desk(name, course, who).correct_key(question, answer, why)
    _show(decision, "mend the file of keys too, so that the next release has the right key")


@decide.command()
def reopen(
    name: Name,
    question: Question,
    why: Why,
    student: Students = None,
    group: Group = None,
    who: Who = None,
    course: CourseOption = None,
) -> None:
    """Reopen a first attempt: the student's next attempt counts."""
    desk = _desk(name, course, who)
    _show(desk.reopen(_people(student, group), question, why), _again(desk))


@decide.command()
def accept(
    name: Name,
    why: Why,
    student: Students = None,
    group: Group = None,
    late: Annotated[bool, typer.Option("--late", help="A late one, as if on time.")] = False,
    question: Annotated[
        str | None,
        typer.Option(help="The log's answer to this question, which waits for review."),
    ] = None,
    who: Who = None,
    course: CourseOption = None,
) -> None:
    """Accept a late submission, or an answer in a log that waits for review."""
    if late == (question is not None):
        raise CourseError("what to accept is not clear", "give either --late or --question ID")
    desk, people = _desk(name, course, who), _people(student, group)
    if question is None:
        _show(desk.accept_late(people, why))
    else:
        _show(desk.accept_log(people, question, why), _again(desk))


@decide.command()
def back(
    name: Name,
    number: Annotated[int, typer.Argument(help="The decision's number.")],
    why: Why,
    who: Who = None,
    course: CourseOption = None,
) -> None:
    """Take a decision back."""
    desk = _desk(name, course, who)
    decision = desk.take_back(number, why)
    out.print(f"decision {number} on '{decision.assignment}' is taken back", highlight=False)
    if decision.kind in ("reopen", "accept") and decision.subject != "late":
        out.print(_again(desk), highlight=False, soft_wrap=True)


@decide.command("list")
def list_(
    name: Name,
    course: CourseOption = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="Also write them as CSV.", metavar="FILE")
    ] = None,
) -> None:
    """List the decisions about an assignment, also those taken back."""
    from autograder.attempts.decision_table import decisions_of
    from autograder.desk.audit import as_csv

    opened = Course.find(course)
    name = opened.resolve(name)
    with opened.gradebook() as gradebook:
        decisions = decisions_of(gradebook, name)
    if csv is not None:
        csv.write_text(as_csv(decisions), encoding="utf-8", newline="")
    table = Table("number", "when", "who", "what", "for", "why", "taken back", title=name)
    for one in decisions:
        what = f"{one.kind} {one.subject}".strip()
        back = f"{one.taken_back['time'][:16]} {one.taken_back['who']}" if one.taken_back else ""
        people = ", ".join(one.students) or "all"
        table.add_row(str(one.id), one.time[:16], one.who, what, people, one.why, back)
    out.print(table)


def _again(desk: Desk) -> str:
    return f"run 'autograder grade {desk.assignment}': it runs the submissions that this touches"


def similar(
    name: Name,
    course: CourseOption = None,
    pairs: Annotated[
        int, typer.Option(min=1, max=200, help="How many pairs are shown, the most similar first.")
    ] = 20,
    as_json: Json = False,
) -> None:
    """Show which submissions are alike, and write a page with their code side by side."""
    from autograder.desk.similar_page import write_page
    from autograder.desk.similarity import compare

    opened = Course.find(course)
    name = opened.resolve(name)
    with progress_bar(f"reading {name}") as (start, advance):
        similarities = compare(opened, name, pairs, on_start=start, on_read=advance)
    if as_json:
        print(json.dumps(_similarities(similarities), indent=2))
    else:
        page = write_page(opened, similarities)
        _show_similarities(similarities)
        out.print(f"the code side by side: {page}", highlight=False, soft_wrap=True)
    for student, problem in similarities.unreadable.items():
        err.print(
            printable(f"{student}: not compared: {problem}"),
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    if similarities.unreadable:
        raise typer.Exit(LOOK)


def _similarities(similarities: Similarities) -> dict[str, object]:
    return {
        "assignment": similarities.assignment,
        "compared": list(similarities.compared),
        "too_short": similarities.too_short,
        "unreadable": similarities.unreadable,
        "median": round(similarities.quantile(0.5), 6),
        "99_percent": round(similarities.quantile(0.99), 6),
        "pairs": [asdict(pair) for pair in similarities.pairs],
    }


def _show_similarities(similarities: Similarities) -> None:
    table = Table(title=f"{similarities.assignment}: most similar")
    for column in ("student", "and"):
        table.add_column(column, overflow="fold")
    for column in ("similarity", "of the first", "of the second"):
        table.add_column(column, justify="right")
    for pair in similarities.pairs:
        table.add_row(
            Text(printable(pair.first)),
            Text(printable(pair.second)),
            f"{pair.similarity:.2f}",
            f"{pair.of_first:.0%}",
            f"{pair.of_second:.0%}",
        )
    out.print(table)
    students, pairs = len(similarities.compared), len(similarities.all_pairs)
    median, most = similarities.quantile(0.5), similarities.quantile(0.99)
    lines = [
        f"{students} submissions, {pairs} pairs: half of them have a similarity up to {median:.2f},"
        f" 99 of 100 up to {most:.2f}",
        "similarity proves nothing: short answers are alike by themselves; a person must look",
    ]
    if similarities.too_short:
        names = ", ".join(similarities.too_short[:20])
        lines.append(f"too little code to compare: {len(similarities.too_short)}: {names}")
    for line in lines:
        out.print(printable(line), markup=False, highlight=False, soft_wrap=True)


def watch(
    name: Name,
    every: Annotated[
        int, typer.Option(min=5, help="Seconds between two looks.", metavar="SECONDS")
    ] = 30,
    once: Annotated[bool, typer.Option("--once", help="Look once, then end.")] = False,
    exchange: Annotated[
        bool,
        typer.Option("--exchange", help="Collect from nbgrader's exchange, and give pages back."),
    ] = False,
    jobs: Jobs = None,
    course: CourseOption = None,
) -> None:
    """Grade what comes in, and tell students at once what the visible tests say; Ctrl+C ends it."""
    from autograder.desk.watch import Watch

    opened = Course.find(course)
    watched = Watch(opened, opened.resolve(name), jobs, exchange=exchange)
    _look(watched)  # what is wrong from the start ends the command
    while not once:
        time.sleep(every)
        try:
            _look(watched)
        except AutograderError as error:  # the next look may succeed
            show_error(str(error))


def _look(watched: Watch) -> None:
    turn = watched.turn()
    now = datetime.datetime.now().astimezone().strftime("%H:%M:%S")
    for outcome in turn.graded:
        result = outcome.result
        points = "not run" if result is None else f"{result.score:g} of {result.max_score:g}"
        out.print(f"{now} {printable(outcome.student)}: {points}", highlight=False, markup=False)
    if turn.told:
        out.print(f"{now} pages for {printable(', '.join(turn.told))}", markup=False)
