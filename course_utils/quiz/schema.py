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
    """What only a right to know opens: the answer, and every text that gives it away.

    Attributes:
        answer: An option's number (single), their list (multiple), or a number or an
            expression of the drawn numbers (numeric).
        feedback: What to say to an answer: by option number, or by number or expression.
        solution: The complete solution, in Markdown.
        source: Where the facts are from.
    """

    answer: int | float | str | list[int]
    feedback: dict[int | float | str, Text] = {}
    solution: Text
    source: Text | None = None


class Question(_Strict):
    """One question; options are numbered from 1.

    `tolerance` is how far a numeric answer may be off, absolutely.
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
        """Changes whenever what is asked changes; hints, points and the key don't count."""
        asked = self.model_dump(
            mode="json", include={"id", "kind", "text", "options", "unit", "draw", "such_that"}
        )
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:12]

    def numbers(self, student: str) -> Numbers:
        """The numbers that this student gets, the same on every machine; {} if none are drawn."""
        return draw_numbers(self.draw, self.such_that, seed=f"{self.version}:{student}")


class QuestionFile(_Strict):
    """A whole file; practice names no assignment."""

    assignment: Text | None = None
    questions: list[Question] = Field(min_length=1)
