"""The fields of a question."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from .numbers import Draw, Numbers, draw_numbers

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Key(_Strict):
    """The secret part of a question: the right answer, and all texts that give it away.

    Attributes:
        answer: the number of an option (single), a list of such numbers (multiple), or a number
            or an expression of the drawn numbers (numeric).
        feedback: for each answer (an option number, a number or an expression), the feedback on
            it.
        solution: the complete solution, in Markdown.
        source: the source of the facts.
    """

    answer: int | float | str | list[int]
    feedback: dict[int | float | str, Text] = {}
    solution: Text
    source: Text | None = None


class Question(_Strict):
    """One question. Its options are numbered from 1.

    `tolerance` is the largest allowed absolute error of a numeric answer.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    kind: Literal["single", "multiple", "numeric"]
    text: Text
    options: list[Text] = []
    unit: Text | None = None
    tolerance: int | float | None = Field(default=None, ge=0)
    draw: dict[str, Draw] = {}
    such_that: Text | None = None
    hints: list[Text] = []
    points: int | float | None = Field(default=None, gt=0)
    key: Key | None = None

    @property
    def version(self) -> str:
        """A hash of what is asked. Hints, points and the key don't change it."""
        asked = self.model_dump(
            mode="json", include={"id", "kind", "text", "options", "unit", "draw", "such_that"}
        )
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:12]

    def numbers(self, student: str) -> Numbers:
        """Draw the numbers of a student, the same on every computer; {} if there are none."""
        return draw_numbers(self.draw, self.such_that, seed=f"{self.version}:{student}")


class QuestionFile(_Strict):
    """A whole file. A file of practice questions names no assignment."""

    assignment: Text | None = None
    questions: list[Question] = Field(min_length=1)
