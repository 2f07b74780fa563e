"""Writes the page that shows which submissions are alike, with the code side by side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from autograder.course import Course
from autograder.desk import figures
from autograder.desk.passages import passages
from autograder.desk.report_page import render
from autograder.desk.similarity import Pair, Similarities
from autograder.grading.log import printable
from autograder.grading.own_code import OwnCode


@dataclass(frozen=True)
class Part:
    """A part of a student's code: a passage with its number, or what is between two passages."""

    text: str
    passage: int | None = None


@dataclass(frozen=True)
class SideBySide:
    """A pair, and the code of both in parts; passages with equal numbers belong together."""

    pair: Pair
    first: list[Part]
    second: list[Part]
    passages: int


def write_page(course: Course, similarities: Similarities) -> Path:
    """Write the page of an assignment.

    Returns:
        The page, `reports/NAME/similar.html` in the course folder.
    """
    page = course.root / "reports" / similarities.assignment / "similar.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    content = render(
        "similar.html.j2",
        similarities=similarities,
        distribution=figures.similarity(similarities.all_pairs),
        shown=[_side_by_side(similarities, pair) for pair in similarities.pairs],
    )
    page.write_text(content, encoding="utf-8", errors="replace")  # a folder may have any name
    return page


def _side_by_side(similarities: Similarities, pair: Pair) -> SideBySide:
    first, second = similarities.compared[pair.first], similarities.compared[pair.second]
    shared = list(enumerate(passages(first, second), start=1))
    in_first = [(passage.first, passage.length, number) for number, passage in shared]
    in_second = sorted((passage.second, passage.length, number) for number, passage in shared)
    return SideBySide(
        pair, _parts(first.code, in_first), _parts(second.code, in_second), len(shared)
    )


def _parts(code: OwnCode, marked: list[tuple[int, int, int]]) -> list[Part]:
    """The whole source in parts; `marked` has each passage's first token, length and number."""
    parts, at = [], 0
    for first, length, number in marked:
        start, end = code.tokens[first][1], code.tokens[first + length - 1][2]
        parts.append(Part(printable(code.source[at:start])))
        parts.append(Part(printable(code.source[start:end]), number))
        at = end
    return [part for part in [*parts, Part(printable(code.source[at:]))] if part.text]
