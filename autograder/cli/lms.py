"""The commands that bring a class in and out: roster, submissions and scores of other systems."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from autograder.cli.options import LOOK, CourseOption, Json, Name
from autograder.cli.show import err, out
from autograder.course import Course
from autograder.desk.lms_names import Lms
from autograder.grading.log import printable

if TYPE_CHECKING:
    from autograder.desk.collect import Collection
    from autograder.desk.roster import RosterChanges

Check = Annotated[bool, typer.Option("--check", help="Change nothing; say what would change.")]


def roster(
    file: Annotated[
        Path,
        typer.Argument(
            help="A CSV file with the columns id, first_name, last_name, email, lms_user_id.",
            metavar="FILE",
        ),
    ],
    course: CourseOption = None,
    check: Check = False,
    as_json: Json = False,
) -> None:
    """Take over the students of a CSV file into the gradebook: all of them, or none."""
    from autograder.desk.roster import import_roster

    changes = import_roster(Course.find(course), file, write=not check)
    if as_json:
        print(json.dumps(asdict(changes), indent=2))
    else:
        _show_roster(changes, check)


def _show_roster(changes: RosterChanges, check: bool) -> None:
    would = "would be " if check else ""
    lines = [f"{len(changes.added)} {would}added, {changes.unchanged} as they were"]
    lines += [
        f"{name}: {field} {would}{after!r}, was {before!r}"
        for name, fields in changes.changed.items()
        for field, (before, after) in fields.items()
    ]
    if changes.not_in_file:
        names = ", ".join(changes.not_in_file[:20])
        lines.append(f"{len(changes.not_in_file)} in the gradebook only, they stay: {names}")
    if changes.ignored:
        lines.append(f"columns that were not read: {', '.join(changes.ignored)}")
    for line in lines:
        out.print(printable(line), markup=False, highlight=False, soft_wrap=True)


def collect(
    name: Name,
    archives: Annotated[
        list[Path], typer.Argument(help="The zips as downloaded.", metavar="ZIP...")
    ],
    source: Annotated[Lms, typer.Option("--from", help="The system that they come from.")],
    course: CourseOption = None,
    worksheet: Annotated[
        Path | None,
        typer.Option(help="Moodle's grading worksheet: who the participants are.", metavar="CSV"),
    ] = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Replace also what isn't known to be older; it is kept."),
    ] = False,
    check: Check = False,
    as_json: Json = False,
) -> None:
    """Collect submissions from a download of Canvas or Moodle."""
    from autograder.desk.collect import collect as run

    opened = Course.find(course)
    name = opened.resolve(name)
    made = run(
        opened, name, archives, source, worksheet=worksheet, replace=replace, write=not check
    )
    if as_json:
        print(json.dumps(asdict(made), indent=2))
    else:
        _show_collection(name, made, check)
    if not made.complete:
        err.print("some need a look: see above; nothing that was there is lost")
        raise typer.Exit(LOOK)


def _show_collection(name: str, made: Collection, check: bool) -> None:
    table = Table("student", "submission", "files", "late", "remarks", title=name)
    for one in made.collected:
        remarks = "; ".join([*filter(None, [one.why]), *one.left_out])
        table.add_row(
            *(Text(printable(text)) for text in (one.student, one.what, ", ".join(one.files))),
            "late" if one.late else "",
            Text(printable(remarks)),
        )
    out.print(table)
    for person, why in made.unmatched.items():
        err.print(printable(f"{person}: {why}"), markup=False, highlight=False, soft_wrap=True)
    for reason in made.left_out:
        err.print(printable(reason), markup=False, highlight=False, soft_wrap=True)
    if check:
        out.print("nothing was changed")


def export(
    name: Name,
    target: Annotated[Lms, typer.Option("--for", help="The system that imports the file.")],
    course: CourseOption = None,
    total: Annotated[
        bool,
        typer.Option("--total", help="One column, after the late penalty, not one a question."),
    ] = False,
    to: Annotated[
        Path | None, typer.Option("--to", help="Default: reports/NAME/SYSTEM.csv", metavar="FILE")
    ] = None,
) -> None:
    """Write the scores as a CSV file that Canvas's or Moodle's gradebook imports."""
    from autograder.desk.export import as_csv, read_scores

    opened = Course.find(course)
    name = opened.resolve(name)
    scores = read_scores(opened, name)
    path = to or opened.root / "reports" / name / f"{target.value}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = as_csv(scores.totals() if total else scores, target)
    path.write_text(text, encoding="utf-8", newline="")
    out.print(f"scores for {target.value.capitalize()}: {path}", highlight=False, soft_wrap=True)
    if scores.penalties and not total:
        err.print(
            f"the late penalties of {len(scores.penalties)} students are in no question's column:"
            " --total has them"
        )
    if scores.waiting:
        err.print(f"{scores.waiting} scores wait for a person, and are left out")
        raise typer.Exit(LOOK)
