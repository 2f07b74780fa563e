"""The judge's result of one cell. Outputs are made from results, never results from outputs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Ended(StrEnum):
    """How a cell ended. Only the judge decides it, whatever a student's code raises or prints."""

    FINISHED = "finished"
    RAISED = "raised"
    TIMED_OUT = "timed out"
    DIED = "the student's process died"
    NEEDS_REVIEW = "a person must look"  # the test gave too many points, or said it can't decide
    REFUSED = "the judge refused what the test asked for"
    CUDA_FAILED = "CUDA failed"
    JUDGE_FAILED = "the judge failed"


@dataclass
class CellResult:
    """What one cell of the submission did.

    Attributes:
        index: the cell's position in the submission.
        grade_id: nbgrader's id, if the cell has one.
        kind: "student", "test", or "in-kernel" for a test that ran in the student's process.
        outputs: nbformat outputs, for people to read.
        execution_count: the count that the notebook shows.
        seconds: wall time.
        waited: the part of the wall time in which the cell was ready to run but had no processor.
        score: points, for a test; None if an instructor has to look.
        max_score: points of the cell, for a test.
        reason: why the score isn't full; None if it is.
        ended: how the cell ended.
        decided: the operators of the student's own that gave a verdict, such as "==".
    """

    index: int
    grade_id: str | None
    kind: str
    outputs: list[dict[str, Any]] = field(default_factory=list)
    execution_count: int | None = None
    seconds: float = 0.0
    waited: float = 0.0
    score: float | None = None
    max_score: float | None = None
    reason: str | None = None
    ended: Ended = Ended.FINISHED
    decided: list[str] = field(default_factory=list)

    @classmethod
    def from_json(cls, line: str) -> CellResult:
        """Read what `to_json` wrote."""
        fields = json.loads(line)
        return cls(**fields | {"ended": Ended(fields["ended"])})

    def to_json(self) -> str:
        """Return one line, as it leaves the judge's process."""
        return json.dumps(asdict(self))
