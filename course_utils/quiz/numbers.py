"""Numbers that are drawn for each student, and expressions of these numbers."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from .errors import QuizError

Numbers = dict[str, Any]
"""For each name a number, or a grid of distinct numbers as a list of rows."""

PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
TRIES = 1000


class DrawError(QuizError):
    """Numbers can't be drawn, or an expression of them can't be computed."""


class Draw(BaseModel):
    """How to draw a number from low, low + step, …, high, or a grid of numbers with `shape`.

    The numbers of a grid are all different, so that its maxima have no ties.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: int | float
    high: int | float
    step: int | float = Field(default=1, gt=0)
    shape: tuple[int, int] | None = None

    def values(self) -> list[int | float]:
        """List the numbers that may be drawn."""
        count = math.floor((self.high - self.low) / self.step + 1e-9) + 1
        # Rounded, so that 0.5 + 3·0.05 is 0.65 and not 0.6500000000000001.
        return [round(self.low + index * self.step, 10) for index in range(max(count, 0))]


def draw_numbers(draws: Mapping[str, Draw], such_that: str | None, seed: str) -> Numbers:
    """Draw the numbers of a seed, again and again until a condition holds.

    Only `Random.random` is used, because only this method gives the same numbers in every version
    of Python.

    Args:
        draws: for each name, how to draw its number.
        such_that: the condition, a Python expression of the numbers; None if there is none.
        seed: the seed. The same seed gives the same numbers.

    Raises:
        DrawError: there are too few values for a grid, or the condition never holds.
    """
    generator = random.Random(seed)
    for _ in range(TRIES):
        numbers = {name: _draw(name, draw, generator) for name, draw in draws.items()}
        if such_that is None or _compute(such_that, numbers):
            return numbers
    raise DrawError(f"'{such_that}' held for none of {TRIES} draws: widen the ranges")


def _draw(name: str, draw: Draw, generator: random.Random) -> Any:
    values = draw.values()
    rows, columns = draw.shape or (1, 1)
    if len(values) < max(rows * columns, 2):
        raise DrawError(
            f"{name}: {len(values)} values from {draw.low} to {draw.high} in steps of {draw.step} "
            f"are too few for {rows * columns}: widen the range"
        )
    drawn = [values.pop(int(generator.random() * len(values))) for _ in range(rows * columns)]
    if draw.shape is None:
        return drawn[0]
    return [drawn[row * columns : (row + 1) * columns] for row in range(rows)]


def evaluate(expression: float | str, numbers: Numbers) -> float:
    """Compute a number, or a Python expression of the drawn numbers and `math`.

    Expressions come from the course's own question files, never from a student.

    Raises:
        DrawError: the expression can't be computed, or its value is not a finite number.
    """
    value = _compute(expression, numbers) if isinstance(expression, str) else expression
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DrawError(f"'{expression}' gives {value!r}, not a finite number")
    return float(value)


def _compute(expression: str, numbers: Numbers) -> Any:
    try:
        return eval(expression, {"math": math, **numbers})
    except Exception as error:
        raise DrawError(
            f"'{expression}' can't be computed: {type(error).__name__}: {error}"
        ) from None


def matches(value: float, right: float, tolerance: float) -> bool:
    """Whether a numeric answer is within the tolerance. Rounding errors of floats are allowed."""
    return abs(value - right) <= tolerance + 1e-9 * max(1.0, abs(right))


def placeholders(text: str) -> set[str]:
    """Find the names that a text uses as placeholders, each written {{name}}."""
    return set(PLACEHOLDER.findall(text))


def fill(text: str, numbers: Numbers) -> str:
    """Put the numbers into the placeholders of a text. A grid becomes a LaTeX matrix."""
    return PLACEHOLDER.sub(lambda match: _latex(numbers[match[1]]), text)


def _latex(value: Any) -> str:
    if not isinstance(value, list):
        return str(value)
    rows = r" \\ ".join(" & ".join(map(str, row)) for row in value)
    # With braces, the brackets grow with their own matrix, not with the largest in the formula.
    return rf"{{\begin{{bmatrix}} {rows} \end{{bmatrix}}}}"
