"""The record of what instructors decided: a table beside nbgrader's own, in the same database.

`autograder.grading.decisions` says what the decisions do to scores. The table is here because the
attempt service reads it, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Integer, MetaData, String, Table, Text, insert, inspect, select
from sqlalchemy import update as sql_update

if TYPE_CHECKING:
    from nbgrader.api import Gradebook
    from sqlalchemy.orm import Session

EXTENSION, VOID, KEY, REOPEN, ACCEPT = "extension", "void", "key", "reopen", "accept"
LATE = "late"  # the subject of a decision to accept a late submission

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
    made = decisions_in(gradebook.db(), assignment)
    return [one for one in made if student is None or one.concerns(student)]


def decisions_in(session: Session, assignment: str | None) -> list[Decision]:
    """As `decisions_of`, with a session of the gradebook's database."""
    if not inspect(session.connection()).has_table(_table.name):
        return []
    query = select(_table).order_by(_table.c.id)
    if assignment is not None:
        query = query.where(_table.c.assignment == assignment)
    return [_from_row(row._mapping) for row in session.execute(query)]


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


def extension_of(decisions: Iterable[Decision], student: str) -> float | None:
    """The seconds that a student has beyond the due date; None if nothing was decided."""
    seconds = None
    for decision in decisions:
        if "extension" in decision.after and decision.concerns(student):
            of_student: Mapping[str, float] = decision.after["extension"]
            seconds = of_student[student]
    return seconds
