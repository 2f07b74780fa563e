"""Writes the result of one submission into nbgrader's gradebook and the autograded folder."""

from __future__ import annotations

import datetime
import json
import sqlite3
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbformat import NotebookNode
from sqlalchemy import (
    Column,
    MetaData,
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
from autograder.cells import grade_id, role
from autograder.course import Course
from autograder.errors import GradebookError
from autograder.grading.decisions import (
    decided,
    decisions_of,
    extension_of,
)
from autograder.grading.result import CellResult, Result
from autograder.grading.swap import alone, new_token, put_in_place, settle, unsettled
from autograder.judge.result import Ended

if TYPE_CHECKING:
    from nbgrader.api import Gradebook, SubmittedAssignment, SubmittedNotebook
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


def open_results(gradebook: Gradebook) -> None:
    """Create the table of results if the gradebook doesn't have it yet."""
    _results.metadata.create_all(gradebook.engine)


def results_of(gradebook: Gradebook, assignment: str) -> dict[str, tuple[str, Result]]:
    """The recorded key and result of every student for an assignment."""
    if not inspect(gradebook.engine).has_table(_results.name):
        return {}
    rows = gradebook.db.execute(select(_results).where(_results.c.assignment == assignment))
    recorded = {row.student: (row.key, _from_json(row.result)) for row in rows}
    gradebook.db.rollback()
    return recorded


def settle_folders(course: Course, gradebook: Gradebook, assignment: str) -> None:
    """Finish or undo the swaps of autograded folders that a killed run left unfinished."""
    parent = course.path("autograded", assignment, "*").parent.parent
    for final in unsettled(parent, assignment):
        with alone(final):
            settle(final, _token(gradebook, assignment, final.parent.name))


def results_of_session(
    session: Session, gradebook: Gradebook, assignment: str
) -> dict[str, Result]:
    """The recorded results, read inside a transaction, which stays open."""
    if not inspect(gradebook.engine).has_table(_results.name):
        return {}
    rows = session.execute(select(_results).where(_results.c.assignment == assignment))
    return {row.student: _from_json(row.result) for row in rows}


def write_seconds_late(session: Session, assignment: str, student: str, late: float) -> None:
    """Correct the lateness of a recorded result; the caller commits."""
    this_row = (_results.c.assignment == assignment) & (_results.c.student == student)
    result = json.loads(session.execute(select(_results.c.result).where(this_row)).scalar_one())
    text = json.dumps(result | {"seconds_late": late})
    session.execute(update(_results).where(this_row).values(result=text))


def _token(gradebook: Gradebook, assignment: str, student: str) -> str | None:
    """The token of the last committed swap; None if there is none."""
    if not inspect(gradebook.engine).has_table(_results.name):
        return None
    this_row = (_results.c.assignment == assignment) & (_results.c.student == student)
    row = gradebook.db.execute(select(_results.c.result).where(this_row)).one_or_none()
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
    open_results(gradebook)
    final = course.path("autograded", assignment.name, result.student)
    with alone(final):
        settle(final, _token(gradebook, assignment.name, result.student))
        try:
            return _write(course, gradebook, assignment, key, result, notebooks, files, timestamp)
        except BaseException:
            gradebook.db.rollback()
            raise
        finally:  # finish or undo the swap, as the committed token tells
            settle(final, _token(gradebook, assignment.name, result.student))


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
    submission = _find_or_add(session, assignment, result.student)
    submission.timestamp = timestamp
    if (more := extension_of(decisions, result.student)) is not None:
        submission.extension = datetime.timedelta(seconds=more)
    counted = decided(result, decisions)
    for notebook in submission.notebooks:
        _write_scores(notebook, counted)
        _write_comments(notebook, notebooks.get(notebook.name))
    session.flush()
    late = float(submission.total_seconds_late)
    write_late_penalty(course, session, submission)
    result = replace(result, seconds_late=late)
    this_row = (_results.c.assignment == assignment.name) & (_results.c.student == result.student)
    session.execute(delete(_results).where(this_row))
    session.execute(
        insert(_results).values(
            assignment=assignment.name,
            student=result.student,
            key=key,
            result=json.dumps(asdict(result) | {"token": token}),
        )
    )
    session.flush()
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


def _find_or_add(session: Session, assignment: Assignment, student_id: str) -> SubmittedAssignment:
    """Like Gradebook.update_or_create_submission, but without a commit in between."""
    from nbgrader import api

    student = session.get(api.Student, student_id)
    if student is None:
        student = api.Student(id=student_id)
        session.add(student)
    row = session.scalars(
        select(api.Assignment).where(api.Assignment.name == assignment.name)
    ).one()
    submission = session.scalars(
        select(api.SubmittedAssignment).where(
            api.SubmittedAssignment.assignment_id == row.id,
            api.SubmittedAssignment.student_id == student_id,
        )
    ).one_or_none()
    if submission is not None:
        return submission
    with session.no_autoflush:
        submission = api.SubmittedAssignment(assignment=row, student=student)
        session.add(submission)
        for notebook in row.notebooks:
            submitted = api.SubmittedNotebook(notebook=notebook, assignment=submission)
            session.add(submitted)
            for cell in [*notebook.grade_cells, *notebook.task_cells]:
                session.add(api.Grade(cell_id=cell.id, notebook=submitted))
            for cell in [*notebook.solution_cells, *notebook.task_cells]:
                session.add(api.Comment(cell_id=cell.id, notebook=submitted))
    session.flush()
    return submission


def _write_scores(notebook: SubmittedNotebook, result: Result) -> None:
    for grade in notebook.grades:
        cell = result.cells.get(grade.name)
        grade.auto_score = cell.score if cell else None
        grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None


def _write_comments(notebook: SubmittedNotebook, executed: NotebookNode | None) -> None:
    """Write nbgrader's own comment on an answer that is unchanged since the release."""
    from nbgrader.utils import compute_checksum, is_task

    cells = {
        grade_id(cell): cell for cell in (executed.cells if executed else []) if grade_id(cell)
    }
    for comment in notebook.comments:
        cell = cells.get(comment.name)
        blank = (
            cell is not None
            and not is_task(cell)
            and role(cell).get("checksum") == compute_checksum(cell)
        )
        comment.auto_comment = "No response." if blank else None


def write_late_penalty(course: Course, session: Session, submission: SubmittedAssignment) -> None:
    """Like nbgrader's AssignLatePenalties: the plug-in's penalty, bounded to [0, score]."""
    from nbgrader.preprocessors import AssignLatePenalties

    step = AssignLatePenalties(config=course.config)
    step.init_plugin()
    for notebook in submission.notebooks:
        session.refresh(notebook)
        penalty = None
        if submission.total_seconds_late > 0:
            penalty = step.plugin_inst.late_submission_penalty(
                submission.student_id, notebook.score, submission.total_seconds_late
            )
        notebook.late_submission_penalty = (
            None if penalty is None else min(max(penalty, 0.0), notebook.score)
        )


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
    return Result(**data)


def _cell_from_json(data: dict[str, Any]) -> CellResult:
    ended = data.get("ended")
    return CellResult(**data | {"ended": Ended(ended) if ended else None})
