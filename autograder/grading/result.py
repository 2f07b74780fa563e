"""The result of one submission, which the commands show and the gradebook stores."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from autograder.judge.result import Ended


@dataclass(frozen=True)
class CellResult:
    """The result of one grade cell.

    Attributes:
        score: points; None if a person must decide.
        max_score: points that could be had.
        reason: why the score isn't full; None if it is.
        ended: how the test ended; None for a cell that a person marks, and for a result that an
            earlier version recorded.
        seconds: wall time.
    """

    score: float | None
    max_score: float
    reason: str | None = None
    ended: Ended | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Result:
    """One graded submission.

    Attributes:
        assignment: the assignment's name.
        student: the student's id.
        status: "graded", or "needs review" if a person must look.
        cells: the results of all grade cells, by the cell's id.
        reason: why the submission needs review or ended early; None if neither is so.
        notes: messages about repairs of the submission before its run.
        seconds_late: seconds after the due date and the student's extension, if there is one.
        seconds: wall time of the run.
        core_seconds: processor time of the submission's processes, their start included.
        engine: the version of the engine, its isolation and its device.
        in_kernel: the tests that ran in the student's process, as in stock nbgrader: a student's
            code can give itself their points.
        answers: for each question that has one, the first attempt that counts: its "answer", the
            question's "version", and the "student" for whom numbers were drawn.
    """

    assignment: str
    student: str
    status: str
    cells: dict[str, CellResult]
    reason: str | None = None
    notes: tuple[str, ...] = ()
    seconds_late: float = 0.0
    seconds: float = 0.0
    core_seconds: float = 0.0
    engine: dict[str, str] = field(default_factory=dict)
    in_kernel: tuple[str, ...] = ()
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """Points given without a person; a cell that waits for a person counts 0."""
        return sum(cell.score or 0.0 for cell in self.cells.values())

    @property
    def max_score(self) -> float:
        """Points that could be had."""
        return sum(cell.max_score for cell in self.cells.values())


@dataclass(frozen=True)
class Outcome:
    """The outcome of one submission in this run.

    Attributes:
        student: the student's id.
        result: the result in the gradebook; None if the machine failed, not the submission.
        fresh: False if the submission was graded before and nothing has changed since.
        failure: how the machine failed, which left the gradebook unchanged; None if it didn't.
    """

    student: str
    result: Result | None
    fresh: bool = True
    failure: str | None = None
