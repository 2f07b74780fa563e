"""Computes how late a submission is, and the penalty for it, in the gradebook."""

from __future__ import annotations

import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from autograder.course import Course
from autograder.grading.options import steps

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def write_penalty(course: Course, session: Session, submission: str) -> float:
    """Like nbgrader's AssignLatePenalties: the plug-in's penalty, bounded to [0, score].

    Returns:
        How many seconds the submission is late.
    """
    from nbgrader.api import SubmittedAssignment, SubmittedNotebook

    late, plugin = _seconds_late(session, submission), _late_plugin(course)
    if not late or plugin is None:
        # Only where one is written: this runs for every submission that was graded before.
        penalised = (SubmittedNotebook.assignment_id == submission) & (
            SubmittedNotebook.late_submission_penalty.is_not(None)
        )
        session.execute(
            update(SubmittedNotebook).where(penalised).values(late_submission_penalty=None)
        )
        return late
    submitted = session.get_one(SubmittedAssignment, submission, populate_existing=True)
    for notebook in submitted.notebooks:
        session.refresh(notebook)
        penalty = plugin.late_submission_penalty(submitted.student_id, notebook.score, late)
        notebook.late_submission_penalty = (
            None if penalty is None else min(max(penalty, 0.0), notebook.score)
        )
    session.flush()
    return late


def _seconds_late(session: Session, submission: str) -> float:
    """How late a submission is, its extension considered; 0 if nobody knows."""
    from nbgrader.api import Assignment, SubmittedAssignment

    timestamp, extension, due = session.execute(
        select(SubmittedAssignment.timestamp, SubmittedAssignment.extension, Assignment.duedate)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .where(SubmittedAssignment.id == submission)
    ).one()
    if timestamp is None or due is None:
        return 0.0
    seconds: float = (timestamp - due - (extension or datetime.timedelta())).total_seconds()
    return max(seconds, 0.0)


@lru_cache(maxsize=1)
def _late_plugin(course: Course) -> Any:
    """The course's plug-in for penalties; None if nbgrader would assign none."""
    from nbgrader.preprocessors import AssignLatePenalties

    step = AssignLatePenalties(config=course.config)
    step.init_plugin()
    return step.plugin_inst if step.enabled and "AssignLatePenalties" in steps(course) else None
