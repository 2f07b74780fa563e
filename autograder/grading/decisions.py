"""Decisions of instructors that change what a class gets: the table, and what they do to scores.

A decision is a row with who, when, why, before and after. Results are stored as the judge gave
them, and what is decided is computed from them when it is needed. So a decision that is taken back
leaves no trace in the scores, and a submission that is graded again keeps what was decided for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Integer, MetaData, String, Table, Text, insert, inspect, select
from sqlalchemy import update as sql_update

from autograder.grading.first_attempts import Ruling
from autograder.grading.result import CellResult, Result
from course_utils.quiz import marking
from course_utils.quiz.errors import AnswerError
from course_utils.quiz.schema import Question

if TYPE_CHECKING:
    from nbgrader.api import Gradebook
    from sqlalchemy.orm import Session

EXTENSION, VOID, KEY, REOPEN, ACCEPT = "extension", "void", "key", "reopen", "accept"
LATE = "late"  # the subject of a decision to accept a late submission

# Beside nbgrader's own tables, in the same database.
_table = Table(
    "autograder_decision",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("time", String(40), nullable=False),
    Column("who", String(128), nullable=False),
    Column("why", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("assignment", String(128), nullable=False),
    Column("students", Text, nullable=False),
    Column("subject", String(128), nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("taken_back", Text, nullable=False),
)
_JSON = ("students", "before", "after", "taken_back")


@dataclass(frozen=True)
class Decision:
    """One decision.

    Attributes:
        kind: "extension", "void", "key", "reopen" or "accept".
        assignment: the assignment's name.
        students: the ids of the students whom it concerns; () for the whole class.
        subject: the question or the cell that it is about; "late" for a late submission.
        before: what was so before.
        after: what is so now.
        who: who decided.
        why: the reason, for other instructors.
        time: when (UTC, ISO 8601).
        id: its number.
        taken_back: who took it back, when and why; {} if it holds.
    """

    kind: str
    assignment: str
    students: tuple[str, ...]
    subject: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    who: str
    why: str
    time: str
    id: int = 0
    taken_back: Mapping[str, str] = field(default_factory=dict)

    def concerns(self, student: str) -> bool:
        """Whether the decision holds for a student."""
        return not self.taken_back and (not self.students or student in self.students)


def decisions_of(
    gradebook: Gradebook, assignment: str | None, student: str | None = None
) -> list[Decision]:
    """The decisions about an assignment, the oldest first.

    Args:
        gradebook: the gradebook.
        assignment: the assignment's name; None: all assignments.
        student: only decisions that hold for this student; None: all, also those taken back.
    """
    if not inspect(gradebook.engine).has_table(_table.name):
        return []
    query = select(_table).order_by(_table.c.id)
    if assignment is not None:
        query = query.where(_table.c.assignment == assignment)
    made = [_from_row(row._mapping) for row in gradebook.db.execute(query)]
    return [one for one in made if student is None or one.concerns(student)]


def _from_row(row: Mapping[Any, Any]) -> Decision:
    values = {name: json.loads(row[name]) if name in _JSON else row[name] for name in row}
    return Decision(**values | {"students": tuple(values["students"])})


def open_decisions(gradebook: Gradebook) -> None:
    """Create the table if the gradebook doesn't have it yet."""
    _table.metadata.create_all(gradebook.engine)


def add(session: Session, decision: Decision) -> int:
    """Insert a decision. Returns its number; the caller commits."""
    row = asdict(decision)
    del row["id"]
    row |= {name: json.dumps(row[name]) for name in _JSON}
    done: Any = session.execute(insert(_table).values(row))
    return int(done.inserted_primary_key[0])


def mark_taken_back(session: Session, number: int, by: Mapping[str, str]) -> None:
    """Note in a decision's row who took it back, when and why; the caller commits."""
    taken = sql_update(_table).where(_table.c.id == number)
    session.execute(taken.values(taken_back=json.dumps(dict(by))))


# ── what decisions do ──


def rulings(decisions: Iterable[Decision]) -> dict[str, Ruling]:
    """What was decided about attempts, by student."""
    of: dict[str, Ruling] = {}
    for decision in decisions:
        if decision.taken_back or decision.kind not in (REOPEN, ACCEPT) or decision.subject == LATE:
            continue
        for student in decision.students:
            old = of.get(student, Ruling())
            if decision.kind == REOPEN:
                reopened = dict(old.reopened) | {decision.subject: str(decision.after["since"])}
                of[student] = replace(old, reopened=reopened)
            else:
                of[student] = replace(old, accepted=old.accepted | {decision.subject})
    return of


def extension_of(decisions: Iterable[Decision], student: str) -> float | None:
    """The seconds that a student has beyond the due date; None if nothing was decided."""
    seconds = None
    for decision in decisions:
        if "extension" in decision.after and decision.concerns(student):
            of_student: Mapping[str, float] = decision.after["extension"]
            seconds = of_student[student]
    return seconds


def decided(result: Result, decisions: Iterable[Decision]) -> Result:
    """A result as it counts: with what was decided about its questions.

    Args:
        result: the result as the judge gave it.
        decisions: the decisions about the assignment.
    """
    cells = dict(result.cells)
    for decision in decisions:
        if decision.concerns(result.student) and decision.subject in cells:
            cells[decision.subject] = _decided(cells[decision.subject], decision, result)
    waiting = any(cell.score is None and cell.reason for cell in cells.values())
    was_waiting = any(cell.score is None and cell.reason for cell in result.cells.values())
    status = "graded" if was_waiting and not waiting else result.status
    return replace(result, cells=cells, status=status)


def _decided(cell: CellResult, decision: Decision, result: Result) -> CellResult:
    if decision.kind == VOID and decision.after["as"] == "full":
        return replace(cell, score=cell.max_score, reason="voided: all get its points")
    if decision.kind == VOID:
        return replace(cell, score=0.0, max_score=0.0, reason="voided: it doesn't count")
    if decision.kind == KEY and cell.score is not None:
        return _marked_again(cell, Question.model_validate(decision.after["question"]), result)
    return cell


def _marked_again(cell: CellResult, question: Question, result: Result) -> CellResult:
    """A question's result by a corrected key; a cell without a usable first attempt stays."""
    first = result.answers.get(question.id)
    if first is None or first["version"] != question.version:
        return cell
    try:
        answer = marking.parse(question, first["answer"])
    except AnswerError:
        return cell
    numbers = question.numbers(str(first["student"]))
    if marking.mark(question, answer, numbers).right:
        return replace(cell, score=cell.max_score, reason=None)
    return replace(cell, score=0.0, reason="not right, by the corrected key too")


def in_words(decision: Decision, student: str) -> str:
    """A decision in words for a student whom it concerns (Markdown)."""
    day = decision.time[:10]
    subject = decision.subject.removeprefix("quiz_").removeprefix("test_").replace("_", " ")
    if decision.kind == EXTENSION:
        hours = decision.after["extension"][student] / 3600
        span = f"{hours:g} hours" if hours < 48 else f"{hours / 24:g} days"
        return f"You had {span} more than the due date."
    if decision.kind == VOID and decision.after["as"] == "full":
        return f"**{subject}** was voided on {day}: everyone gets all its points."
    if decision.kind == VOID:
        return f"**{subject}** was voided on {day}: it doesn't count, for anyone."
    if decision.kind == KEY:
        return (
            f"The right answer to **{subject}** was corrected on {day}, and your first answer was"
            " marked again by it."
        )
    if decision.kind == REOPEN:
        return f"Your first attempt at **{subject}** was reopened on {day}: the next one counts."
    if decision.subject == LATE:
        return "You handed in late; it was accepted as if you had been on time."
    return f"Your answer to **{subject}** in the attempt log was accepted."
