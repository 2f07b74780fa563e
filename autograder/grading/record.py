"""Writes the result of one submission into nbgrader's gradebook and the autograded folder."""

from __future__ import annotations

import datetime
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbformat import NotebookNode
from sqlalchemy import (
    Column,
    ColumnElement,
    MetaData,
    Row,
    String,
    Table,
    Text,
    delete,
    insert,
    inspect,
    select,
    update,
)

from autograder.assignment import Assignment
from autograder.attempts.decision_table import decisions_of, extension_of
from autograder.cells import grade_id, role
from autograder.course import Course
from autograder.errors import GradebookError
from autograder.grading.decisions import decided
from autograder.grading.lateness import write_penalty
from autograder.grading.result import CellResult, Result
from autograder.grading.swap import alone, new_token, put_in_place, settle, unsettled
from autograder.judge.result import Ended

if TYPE_CHECKING:
    from nbgrader.api import Gradebook
    from sqlalchemy.orm import Session

BACKUPS_KEPT = 10

# A table beside nbgrader's own tables, written in the same transaction. It holds each submission's
# result, and the key that tells whether the result is current.
_results = Table(
    "autograder_result",
    MetaData(),
    Column("assignment", String(128), primary_key=True),
    Column("student", String(128), primary_key=True),
    Column("key", String(64), nullable=False),
    Column("result", Text, nullable=False),
)


def results_of(gradebook: Gradebook, assignment: str) -> dict[str, tuple[str, Result]]:
    """The recorded key and result of every student for an assignment."""
    recorded = results_in_transaction(gradebook, assignment)
    gradebook.db.rollback()
    return recorded


def results_in_transaction(gradebook: Gradebook, assignment: str) -> dict[str, tuple[str, Result]]:
    """Do as `results_of`, and leave the session's transaction open."""
    if not inspect(gradebook.engine).has_table(_results.name):
        return {}
    rows = gradebook.db.execute(select(_results).where(_results.c.assignment == assignment))
    return {row.student: (row.key, _from_json(row.result)) for row in rows}


def settle_folders(course: Course, gradebook: Gradebook, assignment: str) -> None:
    """Finish or undo the swaps of autograded folders that a killed run left unfinished."""
    pattern, expression = course.students_place("autograded", assignment)
    for final in unsettled(pattern):
        if place := expression.fullmatch(str(final)):
            with alone(final):
                settle(final, partial(_token, gradebook, assignment, place["student"]))


def _row_of(assignment: str, student: str) -> ColumnElement[bool]:
    return (_results.c.assignment == assignment) & (_results.c.student == student)


def _token(gradebook: Gradebook, assignment: str, student: str) -> str | None:
    """The token of the last committed swap; None if there is none."""
    if not inspect(gradebook.engine).has_table(_results.name):
        return None
    query = select(_results.c.result).where(_row_of(assignment, student))
    row = gradebook.db.execute(query).one_or_none()
    gradebook.db.rollback()
    return json.loads(row.result).get("token") if row else None


def record(
    course: Course,
    gradebook: Gradebook,
    assignment: Assignment,
    key: str,
    result: Result,
    notebooks: dict[str, NotebookNode],
    files: dict[str, bytes],
    timestamp: datetime.datetime | None,
) -> Result:
    """Write one submission's result in a single transaction: completely, or not at all.

    Manual scores are kept; a cell with a manual score is marked for review, as in nbgrader. The old
    score of a cell that has no score now is removed.

    Returns:
        The result with its lateness, which only the gradebook knows.
    """
    final = course.path("autograded", assignment.name, result.student)
    committed = partial(_token, gradebook, assignment.name, result.student)
    with alone(final):
        settle(final, committed)
        try:
            return _write(course, gradebook, assignment, key, result, notebooks, files, timestamp)
        except BaseException:
            gradebook.db.rollback()
            raise
        finally:  # finish or undo the swap, as the committed token tells
            settle(final, committed)


def _write(
    course: Course,
    gradebook: Gradebook,
    assignment: Assignment,
    key: str,
    result: Result,
    notebooks: dict[str, NotebookNode],
    files: dict[str, bytes],
    timestamp: datetime.datetime | None,
) -> Result:
    decisions = decisions_of(gradebook, assignment.name)
    session, token = gradebook.db(), new_token()
    _results.create(session.connection(), checkfirst=True)
    submission = _find_or_add(session, assignment, result.student, timestamp)
    if (more := extension_of(decisions, result.student)) is not None:
        _extend(session, submission, more)
    counted = decided(result, decisions)
    for name, notebook, submitted in _notebooks(session, submission):
        _write_scores(session, notebook, submitted, counted)
        _write_comments(session, notebook, submitted, notebooks.get(name))
    late = write_penalty(course, session, submission)
    result = replace(result, seconds_late=late)
    session.execute(delete(_results).where(_row_of(assignment.name, result.student)))
    session.execute(
        insert(_results).values(
            assignment=assignment.name,
            student=result.student,
            key=key,
            result=json.dumps(asdict(result) | {"token": token}),
        )
    )
    _write_folder(course, result, notebooks, files, timestamp, token)
    session.commit()
    return replace(counted, seconds_late=late)


def backup(course: Course) -> Path | None:
    """Copy the gradebook before a run, and keep the newest ten copies.

    Returns:
        The copy; None if there is no gradebook file.

    Raises:
        GradebookError: the copy can't be written.
    """
    file = course.database_file
    if file is None or not file.is_file():
        return None
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%S%f")
    copy = file.with_name(f"{file.name}.backup-{stamp}")
    try:
        with sqlite3.connect(file) as source, sqlite3.connect(copy) as target:
            source.backup(target)
        for old in sorted(file.parent.glob(f"{file.name}.backup-*"))[:-BACKUPS_KEPT]:
            old.unlink()
    except (sqlite3.Error, OSError) as error:
        copy.unlink(missing_ok=True)
        raise GradebookError(
            f"the gradebook {file} can't be backed up: {error}",
            "check that it is a gradebook (else restore the newest gradebook.db.backup-*), that"
            " you may write its folder, and that there is room",
        ) from error
    return copy


def _find_or_add(
    session: Session,
    assignment: Assignment,
    student: str,
    timestamp: datetime.datetime | None,
) -> str:
    """Write the time of a submission, which is added if it isn't there; return its id.

    Like Gradebook.update_or_create_submission, but without a commit in between. Here and below,
    columns are read and written, not nbgrader's objects: an object sums up all its scores each
    time that it is loaded.
    """
    from nbgrader import api
    from nbgrader.api import Notebook, Student, SubmittedAssignment, SubmittedNotebook

    submission = _find(session, assignment.name, student)
    if submission is None:
        by_name = select(api.Assignment.id).where(api.Assignment.name == assignment.name)
        row = session.scalars(by_name).one()
        if not session.scalars(select(Student.id).where(Student.id == student)).all():
            session.execute(insert(Student).values(id=student))
        submission = new_token()
        values = {"id": submission, "assignment_id": row, "student_id": student}
        session.execute(insert(SubmittedAssignment).values(values | {"timestamp": timestamp}))
        notebooks = session.scalars(select(Notebook.id).where(Notebook.assignment_id == row))
        for notebook in notebooks.all():
            values = {"notebook_id": notebook, "assignment_id": submission}
            session.execute(insert(SubmittedNotebook).values(values))
    else:
        this_row = SubmittedAssignment.id == submission
        session.execute(update(SubmittedAssignment).where(this_row).values(timestamp=timestamp))
    return submission


def _find(session: Session, assignment: str, student: str) -> str | None:
    """The id of a submission; None if there is none."""
    from nbgrader.api import Assignment, SubmittedAssignment

    return session.scalars(
        select(SubmittedAssignment.id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .where(Assignment.name == assignment, SubmittedAssignment.student_id == student)
    ).one_or_none()


def _extend(session: Session, submission: str, seconds: float) -> None:
    from nbgrader.api import SubmittedAssignment

    this_row = SubmittedAssignment.id == submission
    extension = datetime.timedelta(seconds=seconds)
    session.execute(update(SubmittedAssignment).where(this_row).values(extension=extension))


def _notebooks(session: Session, submission: str) -> Sequence[Row[str, str, str]]:
    """The name, the id, and the id of the submitted version of each notebook."""
    from nbgrader.api import Notebook, SubmittedNotebook

    return session.execute(
        select(Notebook.name, Notebook.id, SubmittedNotebook.id)
        .join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
        .where(SubmittedNotebook.assignment_id == submission)
    ).all()


def _write_scores(session: Session, notebook: str, submitted: str, result: Result) -> None:
    from nbgrader.api import Grade

    rows = []
    for row in _cells(session, Grade, ("GradeCell", "TaskCell"), notebook, submitted):
        cell = result.cells.get(row.name)
        score = cell.score if cell else None
        review = score is None or row.manual is not None
        rows.append(_keys(row, submitted) | {"auto_score": score, "needs_manual_grade": review})
    _save(session, Grade, rows)


def _write_comments(
    session: Session, notebook: str, submitted: str, executed: NotebookNode | None
) -> None:
    """Write nbgrader's own comment on an answer that is unchanged since the release."""
    from nbgrader.api import Comment

    unanswered = _unanswered(executed) if executed else set()
    rows = []
    for row in _cells(session, Comment, ("SolutionCell", "TaskCell"), notebook, submitted):
        comment = "No response." if row.name in unanswered else None
        rows.append(_keys(row, submitted) | {"auto_comment": comment})
    _save(session, Comment, rows)


def _unanswered(executed: NotebookNode) -> set[str | None]:
    """The names of the cells that are as they were released."""
    from nbgrader.utils import compute_checksum, is_task

    return {
        grade_id(cell)
        for cell in executed.cells
        if grade_id(cell)
        and not is_task(cell)
        and role(cell).get("checksum") == compute_checksum(cell)
    }


def _cells(
    session: Session, table: Any, kinds: tuple[str, str], notebook: str, submitted: str
) -> Sequence[Row[Any]]:
    """A notebook's cells of two kinds, with the submitted version's rows of a table, if any."""
    from nbgrader.api import BaseCell, Grade

    this_row = (table.cell_id == BaseCell.id) & (table.notebook_id == submitted)
    manual = table.manual_score if table is Grade else table.manual_comment
    return session.execute(
        select(BaseCell.id, BaseCell.name, table.id.label("row"), manual.label("manual"))
        .outerjoin(table, this_row)
        .where(BaseCell.notebook_id == notebook, BaseCell.type.in_(kinds))
    ).all()


def _keys(row: Row[Any], submitted: str) -> dict[str, Any]:
    """What finds a row that is there, or makes a new row one of a cell's."""
    return {"id": row.row} if row.row else {"cell_id": row.id, "notebook_id": submitted}


def _save(session: Session, table: Any, rows: list[dict[str, Any]]) -> None:
    """Update the rows that have an id, and insert the others."""
    if old := [row for row in rows if "id" in row]:
        session.execute(update(table), old)
    if new := [row for row in rows if "id" not in row]:
        session.execute(insert(table), new)


def update_lateness(course: Course, gradebook: Gradebook, result: Result) -> Result:
    """Compute lateness and penalty of a recorded result again; nothing is run.

    The due date, an extension, a manual score or the plug-in for penalties may have changed.

    Returns:
        The result with its lateness.

    Raises:
        GradebookError: the gradebook can't be written; it is unchanged then.
    """
    session = gradebook.db()
    submission = _find(session, result.assignment, result.student)
    if submission is None:
        return result
    try:
        late = write_lateness(course, session, submission, result)
        session.commit()
    except BaseException:
        session.rollback()
        raise
    return replace(result, seconds_late=late)


def write_lateness(course: Course, session: Session, submission: str, result: Result) -> float:
    """Write the penalty of a recorded result, and its lateness if that changed; don't commit.

    Returns:
        How many seconds the submission is late.
    """
    late = write_penalty(course, session, submission)
    if late != result.seconds_late:
        row = _row_of(result.assignment, result.student)
        recorded = json.loads(session.execute(select(_results.c.result).where(row)).scalar_one())
        text = json.dumps(recorded | {"seconds_late": late})  # keeps the swap's token
        session.execute(update(_results).where(row).values(result=text))
    return late


def _write_folder(
    course: Course,
    result: Result,
    notebooks: dict[str, NotebookNode],
    files: dict[str, bytes],
    timestamp: datetime.datetime | None,
    token: str,
) -> None:
    """Put the new autograded folder in place, so that no old file stays beside new scores."""
    content = {
        f"{name}.ipynb": nbformat.writes(notebook).encode() + b"\n"
        for name, notebook in notebooks.items()
    }
    if timestamp:
        content["timestamp.txt"] = f"{timestamp.isoformat(sep=' ')} UTC\n".encode()
    final = course.path("autograded", result.assignment, result.student)
    put_in_place(final, files | content if notebooks else None, token)


def _from_json(text: str) -> Result:
    data = json.loads(text)
    data.pop("token", None)  # the token of the folder's swap
    data["cells"] = {name: _cell_from_json(cell) for name, cell in data["cells"].items()}
    data["notes"] = tuple(data["notes"])
    data["in_kernel"] = tuple(data.get("in_kernel", ()))
    return Result(**data)


def _cell_from_json(data: dict[str, Any]) -> CellResult:
    ended = data.get("ended")
    return CellResult(**data | {"ended": Ended(ended) if ended else None})
