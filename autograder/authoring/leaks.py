"""Finds what students must not receive in what they are about to receive, by content."""

from __future__ import annotations

import html
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from autograder.assignment import Assignment
from autograder.cells import Region, is_solution, region_texts, without_regions
from autograder.course import Course
from course_utils.quiz import bank
from course_utils.quiz.document import Document

# A shorter line ("return images", "else:") says nothing, and stands in other places for good
# reasons.
MIN_LENGTH = 16
# Nor does a line that opens a bracket or a block (what it is about stands in the lines inside), one
# that every program of the field has, or the number of an option.
SAYS_NOTHING = re.compile(
    r".*[(\[{]|(if|elif|for|while|with|try|except)\b.*:|"
    r"(generator = torch\.Generator\(\)|torch)\.manual_seed\(\w+\)|"
    r"network\.requires_grad_\(False\)|optimizer\.(zero_grad|step)\(\)|"
    r"kind = type\(got\)\.__name__|nn\.Dropout\(0\.5\),|"
    r"(from [\w.]+ )?import .*|answer: [\[\d, \]]+|### (BEGIN|END) .*"
)
MARKERS = tuple(f"BEGIN {region}" for region in Region)
SECRET = (Region.HIDDEN_TESTS, Region.SOLUTION)


@dataclass(frozen=True)
class Leak:
    """A secret line, and where it was found."""

    place: str
    line: str

    def __str__(self) -> str:
        return f"{self.place}: {self.line[:80]}"


def secrets_of(course: Course, name: str, *, taught: bool = False) -> set[str]:
    """The lines that give an assignment away, wherever the instructor has written them.

    Args:
        course: the course.
        name: the assignment.
        taught: only those that must not even stand where the subject is taught, in lectures and
            course_utils: hidden tests and the keys of questions. Else solutions and specimens too.

    Raises:
        ReleaseError: the assignment can't be read.
    """
    secret = (Region.HIDDEN_TESTS,) if taught else SECRET
    text = course.root / "text" / f"{name}.py"
    others = _regions(text.read_text(encoding="utf-8"), secret) if text.exists() else []
    keys = course.root / "keys" / f"{name}.yaml"
    if keys.exists():
        document, questions = Document(keys), bank.load(keys).questions
        others += [document.lines(("questions", at, "key")) for at in range(len(questions))]
    tried = [] if taught else sorted((course.root / "specimens" / name).glob("*.*"))
    others += [path.read_text(encoding="utf-8") for path in tried]
    return secrets(Assignment.load(course, name).sources.values(), others, secret)


def secrets(
    sources: Iterable[NotebookNode],
    others: Iterable[str] = (),
    regions: tuple[Region, ...] = SECRET,
) -> set[str]:
    """The lines that give something away.

    Args:
        sources: the instructor's notebooks; the lines of their regions, and of solution cells
            without a region.
        others: further texts of which every line is secret, such as other solutions.
        regions: which regions count.

    Returns:
        Of these, the lines that stand nowhere in the visible parts of the notebooks.
    """
    hidden: list[str] = []
    visible: list[str] = []
    for notebook in sources:
        for cell in notebook.cells:
            inside = _regions(cell.source, regions)
            rest = without_regions(cell.source, Region.HIDDEN_TESTS)
            rest = without_regions(rest, Region.SOLUTION)
            if is_solution(cell) and rest == cell.source:
                inside, rest = [cell.source] if Region.SOLUTION in regions else [], ""
            hidden += inside
            visible.append(rest)
    shown = _one_line("\n".join(visible))
    found = set().union(*(_lines(text) for text in [*hidden, *others]))
    return {line for line in found if _says_something(line) and line not in shown}


def _regions(text: str, regions: tuple[Region, ...]) -> list[str]:
    return [inside for region in regions for inside in region_texts(text, region)]


def find(files: dict[str, bytes], secret: set[str]) -> list[Leak]:
    """Search files, whatever they are: notebooks cell by cell, archives member by member.

    Where lines break, how far they are indented, and how JSON or HTML writes their characters makes
    no difference.
    """
    leaks = []
    for name, content in files.items():
        for place, raw in _texts(name, content):
            text = _one_line(raw)
            found = {line for line in secret if line in text}
            found |= {marker for marker in MARKERS if marker in text}
            leaks += [Leak(place, line) for line in sorted(found)]
    return leaks


def _lines(text: str) -> set[str]:
    return {_one_line(line) for line in text.splitlines()}


def _one_line(text: str) -> str:
    return " ".join(html.unescape(text).split())


def _says_something(line: str) -> bool:
    return len(line) >= MIN_LENGTH and not SAYS_NOTHING.fullmatch(line)


def _texts(name: str, content: bytes) -> Iterator[tuple[str, str]]:
    """Every readable text of a file, each with a name for the place."""
    if members := _members(content):
        for member, inside in members.items():
            yield from _texts(f"{name}/{member}", inside)
        return
    text = content.decode("utf-8", "replace")
    if name.endswith(".ipynb"):
        notebook = json.loads(text)
        for at, cell in enumerate(notebook["cells"]):
            yield f"{name}, cell {at + 1}", "\n".join(_strings(cell))
        yield f"{name}, metadata", "\n".join(_strings(notebook["metadata"]))
        return
    yield name, text
    if Path(name).suffix in (".json", ".jsonl"):
        for line in [text] if name.endswith(".json") else text.splitlines():
            yield name, "\n".join(_strings(json.loads(line)))


def _members(content: bytes) -> dict[str, bytes]:
    """The files of an archive, whatever it is called; none if it is no archive."""
    memory = io.BytesIO(content)
    if zipfile.is_zipfile(memory):
        with zipfile.ZipFile(memory) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    memory.seek(0)
    if tarfile.is_tarfile(memory):
        memory.seek(0)
        with tarfile.open(fileobj=memory) as tar:
            opened = {member.name: tar.extractfile(member) for member in tar if member.isfile()}
            return {name: file.read() for name, file in opened.items() if file}
    return {}


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
