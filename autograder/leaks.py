"""Finds what students must not receive in what they are about to receive, by content."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass

from nbformat import NotebookNode

from autograder.assignment import HIDDEN, SOLUTION

# A shorter line ("return x", "else:") says nothing, and stands in other places for good reasons.
MIN_LENGTH = 12
# Nor does a line that every program of the field has.
IDIOMS = {"with torch.no_grad():"}
MARKERS = ("BEGIN HIDDEN TESTS", "BEGIN SOLUTION", "BEGIN MARK SCHEME")


@dataclass(frozen=True)
class Leak:
    """A secret line, and where it was found."""

    place: str
    line: str

    def __str__(self) -> str:
        return f"{self.place}: {self.line[:80]}"


def secrets(sources: Iterable[NotebookNode], others: Iterable[str] = ()) -> set[str]:
    """The lines that give something away.

    Args:
        sources: the instructor's notebooks; the lines of their solution and hidden regions, and of
            solution cells without a region.
        others: further texts of which every line is secret, such as other solutions.

    Returns:
        Of these, the lines that stand nowhere in the visible parts of the notebooks.
    """
    hidden: list[str] = []
    visible: list[str] = []
    for notebook in sources:
        for cell in notebook.cells:
            regions = [
                match.group()
                for pattern in (HIDDEN, SOLUTION)
                for match in pattern.finditer(cell.source)
            ]
            rest = SOLUTION.sub("", HIDDEN.sub("", cell.source))
            if cell.metadata.get("nbgrader", {}).get("solution") and not regions:
                regions, rest = [cell.source], ""
            hidden += regions
            visible.append(rest)
    shown = "\n".join(visible)
    found = set().union(*(_lines(text) for text in [*hidden, *others]))
    return {line for line in found if _says_something(line) and line not in shown}


def find(files: dict[str, bytes], secret: set[str]) -> list[Leak]:
    """Search files, whatever they are: notebooks cell by cell, archives member by member."""
    leaks = []
    for name, content in files.items():
        for place, text in _texts(name, content):
            found = {line for line in secret if line in text}
            found |= {marker for marker in MARKERS if marker in text}
            leaks += [Leak(place, line) for line in sorted(found)]
    return leaks


def _lines(text: str) -> set[str]:
    return {line.strip() for line in text.splitlines()}


def _says_something(line: str) -> bool:
    marker = re.match(r"### (BEGIN|END) ", line)
    return len(line) >= MIN_LENGTH and line not in IDIOMS and not marker


def _texts(name: str, content: bytes) -> list[tuple[str, str]]:
    """Every readable text of a file, each with a name for the place."""
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return [
                text
                for member in archive.namelist()
                for text in _texts(f"{name}/{member}", archive.read(member))
            ]
    text = content.decode("utf-8", "replace")
    if name.endswith(".ipynb"):
        notebook = json.loads(text)
        return [
            (f"{name}, cell {at + 1}", "\n".join(_strings(cell)))
            for at, cell in enumerate(notebook["cells"])
        ] + [(f"{name}, metadata", "\n".join(_strings(notebook["metadata"])))]
    return [(name, text)]


def _strings(value: object) -> list[str]:
    """All strings in a JSON value; a list of lines, as notebooks store them, as one text."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        if all(isinstance(one, str) for one in value):
            return ["".join(value)]
        return [text for one in value for text in _strings(one)]
    if isinstance(value, dict):
        return [text for key, one in value.items() for text in [str(key), *_strings(one)]]
    return []
