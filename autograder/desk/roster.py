"""The roster: takes over a class from a CSV file into nbgrader's gradebook, all of it or nothing.

The columns are those of `nbgrader db student import`: id, first_name, last_name, email and
lms_user_id. nbgrader's command commits each row by itself and clears what an empty cell stands for;
this module checks all rows first, and an empty cell changes nothing.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.attempts.csv_cells import read_rows, safe_cell
from autograder.course import Course
from autograder.errors import AutograderError

if TYPE_CHECKING:
    from nbgrader.api import Student

FIELDS = ("first_name", "last_name", "email", "lms_user_id")
UNIQUE = ("email", "lms_user_id")  # what the files of a learning management system name people by
MAX_LENGTH = 128  # characters of a field in nbgrader's table
MOST_NAMED = 20

Fields = dict[str, str]


class RosterError(AutograderError):
    """The roster can't be taken over. Nothing was changed."""


@dataclass(frozen=True)
class RosterChanges:
    """What a roster changes in the gradebook.

    Attributes:
        added: the ids of new students.
        changed: for each student with other data: the field, and its value before and after.
        unchanged: how many students of the file are in the gradebook just so.
        not_in_file: the ids of students in the gradebook whom the file doesn't have; they stay.
        ignored: the names of columns that are not read.
    """

    added: list[str]
    changed: dict[str, dict[str, tuple[str, str]]]
    unchanged: int
    not_in_file: list[str]
    ignored: list[str]


def import_roster(course: Course, path: Path, *, write: bool = True) -> RosterChanges:
    """Take over the students of a CSV file into the gradebook, in one transaction.

    Args:
        course: the course; its gradebook is made if there is none.
        path: the CSV file, with a heading.
        write: whether to change the gradebook; False: only say what would change.

    Raises:
        RosterError: the file can't be read, or has faulty rows; the message names their lines.
    """
    rows, ignored = _read(path)
    file = course.database_file
    if not write and file is not None and not file.is_file():
        return _changes({}, _merged(path, {}, rows), rows, ignored)
    with course.gradebook(create=True) as gradebook, course.naming_the_gradebook():
        from nbgrader.api import Student

        known: dict[str, Student] = {student.id: student for student in gradebook.students}
        before = {name: _fields_of(student) for name, student in known.items()}
        after = _merged(path, before, rows)
        changes = _changes(before, after, rows, ignored)
        if write:
            for name in changes.added:
                gradebook.db.add(Student(id=name, **after[name]))
            for name, fields in changes.changed.items():
                for field, (_, value) in fields.items():
                    setattr(known[name], field, value)
            gradebook.db.commit()
    return changes


def _merged(path: Path, before: dict[str, Fields], rows: dict[str, Fields]) -> dict[str, Fields]:
    """All students as they would be.

    Raises:
        RosterError: two students would have the same e-mail address or LMS id.
    """
    after = before | {name: before.get(name, {}) | fields for name, fields in rows.items()}
    _refuse_shared(path, after)
    return after


def _fields_of(student: Student) -> Fields:
    return {field: value for field in FIELDS if (value := getattr(student, field))}


def _changes(
    before: Mapping[str, Fields],
    after: Mapping[str, Fields],
    rows: Iterable[str],
    ignored: list[str],
) -> RosterChanges:
    rows = list(rows)
    changed = {
        name: {
            field: (before[name].get(field, ""), value)
            for field, value in after[name].items()
            if before[name].get(field) != value
        }
        for name in rows
        if name in before
    }
    changed = {name: fields for name, fields in changed.items() if fields}
    added = [name for name in rows if name not in before]
    unchanged = len(rows) - len(added) - len(changed)
    return RosterChanges(added, changed, unchanged, sorted(before.keys() - set(rows)), ignored)


# ── the file ──


def _read(path: Path) -> tuple[dict[str, Fields], list[str]]:
    """The students' data by id, without empty cells; and the columns that are not read."""
    reader = _reader_of(path)
    try:
        heading = [name.strip().lower() for name in reader.fieldnames or []]
        _check_heading(path, heading)
        reader.fieldnames = heading
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise RosterError(
            f"{path}, line {reader.line_num}: not CSV: {error}", "save the file as CSV again"
        ) from error
    students: dict[str, Fields] = {}
    lines: dict[str, int] = {}
    problems: list[str] = []
    for line, row in rows:
        if not any(row.values()):
            continue
        found = list(_problems(row))
        cells = {name: (row.get(name) or "").strip() for name in ("id", *FIELDS)}
        name = cells.pop("id")
        if name in lines:
            found.append(f"'{name}' is in line {lines[name]}, too")
        problems += [f"line {line}: {problem}" for problem in found]
        lines.setdefault(name, line)
        students[name] = {field: value for field, value in cells.items() if value}
    _refuse(path, problems)
    return students, [name for name in heading if name not in ("id", *FIELDS)]


def _reader_of(path: Path) -> csv.DictReader[str]:
    try:
        return read_rows(path, strict=True)
    except UnicodeDecodeError as error:
        raise RosterError(
            f"{path} is not in UTF-8", "save it as 'CSV UTF-8' in the spreadsheet"
        ) from error
    except OSError as error:
        raise RosterError(
            f"{path} can't be read: {error.strerror}", "give the path of a CSV file"
        ) from error


def _check_heading(path: Path, heading: list[str]) -> None:
    twice = sorted(
        {name for name in heading if heading.count(name) > 1 and name in ("id", *FIELDS)}
    )
    if "id" not in heading or twice:
        problem = f"has the column '{twice[0]}' twice" if twice else "has no column 'id'"
        raise RosterError(
            f"{path} {problem}; its first line is: {', '.join(heading)[:200] or 'empty'}",
            f"name the columns id, {', '.join(FIELDS)}; all but the first may be left out",
        )


def _problems(row: Mapping[str | None, str | list[str] | None]) -> Iterator[str]:
    """What is wrong with a row."""
    if None in row:
        yield "it has more cells than the heading"
    if None in row.values():
        yield "it has fewer cells than the heading"
    name = str(row.get("id") or "").strip()
    if not name:
        yield "it has no id"
    elif "/" in name or "\\" in name or name.startswith("."):
        yield f"the id '{name}' can't be the name of a folder"
    for field in ("id", *FIELDS):
        value = str(row.get(field) or "").strip()
        if len(value) > MAX_LENGTH:
            yield f"{field} has more than {MAX_LENGTH} characters"
        elif not value.isprintable():
            yield f"{field} has characters that can't be printed"
        elif field in ("id", *UNIQUE) and safe_cell(value) != value:
            yield f"{field} is '{value}': a spreadsheet would take it for a formula"
    email = str(row.get("email") or "").strip()
    if email and (email.count("@") != 1 or " " in email or email.startswith("@")):
        yield f"'{email}' is not an e-mail address"


def _refuse_shared(path: Path, students: Mapping[str, Fields]) -> None:
    """Refuse an e-mail address or an LMS id that two students would have."""
    problems = []
    for field in UNIQUE:
        owners: dict[str, list[str]] = {}
        for name, fields in students.items():
            if field in fields:
                owners.setdefault(fields[field].casefold(), []).append(name)
        problems += [
            f"{' and '.join(names)} would have the same {field}, '{value}'"
            for value, names in owners.items()
            if len(names) > 1
        ]
    _refuse(path, problems)


def _refuse(path: Path, problems: list[str]) -> None:
    if problems:
        more = len(problems) - MOST_NAMED
        listed = problems[:MOST_NAMED] + ([f"and {more} more"] if more > 0 else [])
        raise RosterError(
            f"{path} has {len(problems)} faulty entries:\n  " + "\n  ".join(listed),
            "mend them and import again; nothing was imported",
        )
