"""A student's own code, as tokens that stay the same if names, literals or comments are changed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode
from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Literal, Name, Number, Punctuation, String, Text

from autograder.assignment import Assignment
from autograder.cells import grade_id, is_solution
from autograder.course import Course
from autograder.errors import SubmissionError
from autograder.grading.prepare import read_notebooks
from autograder.grading.reading import OverrunError, ReadingError, ask

MAX_CODE = 200_000  # characters of a submission's own code; a long one has 20,000
CELL_END = ""  # a token that equals no token of Python
_BETWEEN = "\n\n\n"

Token = tuple[str, int, int]
"""The normalised text, and where it begins and ends in the source, in characters."""

# Kept as they are: what a student can't rename.
_FIXED_NAMES = (Name.Builtin, Name.Exception, Name.Namespace, Name.Function.Magic)
_LEXER = PythonLexer()
_DROPPED = (Comment, Text, String.Doc)


@dataclass(frozen=True)
class OwnCode:
    """The code that a student wrote into an assignment's notebooks.

    Attributes:
        student: the student's id.
        source: the cells, in the order of the assignment, as they were written.
        tokens: the tokens of `source`; the text `CELL_END` stands at the end of each cell.
    """

    student: str
    source: str
    tokens: list[Token]


def own_code(course: Course, assignment: Assignment, student: str) -> OwnCode:
    """Read the solution cells, and the cells that the student added, within bounds.

    Raises:
        SubmissionError: the submission can't be read, or has too much code.
    """
    notebooks, _ = read_notebooks(course, assignment, student)
    sources = [
        cell.source
        for notebook in notebooks.values()
        for cell in notebook.cells
        if cell.cell_type == "code" and (is_solution(cell) or not grade_id(cell))
    ]
    if sum(map(len, sources)) > MAX_CODE:
        raise SubmissionError(
            f"it has more than {MAX_CODE} characters of code",
            "look at it, or ask the student for a shorter one",
        )
    try:
        tokens = ask("tokens", json.dumps(sources).encode())
    except (OverrunError, ReadingError) as error:
        raise SubmissionError(f"its code can't be read: {error.problem}", error.remedy) from error
    return _joined(student, sources, tokens)


def _joined(student: str, sources: list[str], tokens: list[list[Token]]) -> OwnCode:
    joined: list[Token] = []
    start = 0
    for source, of_cell in zip(sources, tokens, strict=True):
        joined += [(text, start + first, start + last) for text, first, last in of_cell]
        joined.append((CELL_END, start + len(source), start + len(source)))
        start += len(source) + len(_BETWEEN)
    return OwnCode(student, _BETWEEN.join(sources), joined)


def given_code(notebooks: Iterable[NotebookNode]) -> list[str]:
    """The normalised tokens of all code that an assignment gives, with `CELL_END` after a cell."""
    return [
        text
        for notebook in notebooks
        for cell in notebook.cells
        if cell.cell_type == "code"
        for text in [*(token[0] for token in tokenise(cell.source)), CELL_END]
    ]


def tokens(content: bytes) -> list[list[Token]]:
    """A task of a reader: the tokens of the sources in a JSON list."""
    return [tokenise(source) for source in json.loads(content)]


def tokenise(source: str) -> list[Token]:
    """The tokens of Python code, without comments, docstrings and white space.

    A name that a student could change becomes "name"; a text becomes "text", and a number becomes
    "number". Attributes keep their names, because those of a library can't be changed, but not
    those of `self`.
    """
    found: list[Token] = []
    for start, kind, text in _LEXER.get_tokens_unprocessed(source):
        end = start + len(text)
        if _is(kind, *_DROPPED) or not text.strip() or (kind in Punctuation and text == ";"):
            continue
        if kind in String:
            if found and found[-1][0] == "text":
                found[-1] = ("text", found[-1][1], end)
                continue
            text = "text"
        elif kind in Number or kind in Literal:
            text = "number"
        elif kind in Name and not _is(kind, *_FIXED_NAMES) and not _is_attribute(found):
            text = "@name" if kind in Name.Decorator else "name"
        found.append((text, start, end))
    return found


def _is(kind: Any, *kinds: Any) -> bool:
    return any(kind in one for one in kinds)


def _is_attribute(before: list[Token]) -> bool:
    """Whether the next name is an attribute of something else than `self`."""
    return len(before) > 1 and before[-1][0] == "." and before[-2][0] != "self"
