"""Finds secret lines, such as solutions, in the files that students are about to receive."""

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

# A shorter line ("return images", "else:") gives nothing away, and may well occur in other places.
MIN_LENGTH = 16
# These lines give nothing away, either: a line that opens a bracket or a block (its content is in
# the lines after it), a line that every program of the field has, and the number of an option.
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
    """A secret line, and the place where it was found."""

    place: str
    line: str

    def __str__(self) -> str:
        return f"{self.place}: {self.line[:80]}"


def secrets_of(course: Course, name: str, *, taught: bool = False) -> set[str]:
    """The lines that give an assignment away, from all files of the instructor.

    Args:
        course: the course.
        name: the assignment's name.
        taught: whether to return only the lines that lectures and course_utils must not hold, those
            of hidden tests and question keys. Otherwise solutions and specimens count, too.

    Raises:
        ReleaseError: the assignment can't be read.
    """
    secret = (Region.HIDDEN_TESTS,) if taught else SECRET
    text = course.root / "text" / f"{name}.py"
    others = _regions(text.read_text(encoding="utf-8"), secret) if text.exists() else []
    keys = course.root / "keys" / f"{name}.yaml"
    if keys.exists():
        document, questions = Document(keys), bank.load(keys).questions
        others += [document.lines(("questions", index, "key")) for index in range(len(questions))]
    specimens = [] if taught else sorted((course.root / "specimens" / name).glob("*.*"))
    others += [path.read_text(encoding="utf-8") for path in specimens]
    return secrets(Assignment.load(course, name).sources.values(), others, secret)


def secrets(
    sources: Iterable[NotebookNode],
    others: Iterable[str] = (),
    regions: tuple[Region, ...] = SECRET,
) -> set[str]:
    """The lines that give something away.

    Args:
        sources: the instructor's notebooks. Secret are the lines of their regions, and of solution
            cells without a region.
        others: further texts in which every line is secret, such as other solutions.
        regions: the kinds of regions that count.

    Returns:
        The secret lines that don't occur in the visible parts of the notebooks.
    """
    hidden: list[str] = []
    visible: list[str] = []
    for notebook in sources:
        for cell in notebook.cells:
            region_lines = _regions(cell.source, regions)
            rest = without_regions(cell.source, Region.HIDDEN_TESTS)
            rest = without_regions(rest, Region.SOLUTION)
            if is_solution(cell) and rest == cell.source:
                region_lines, rest = [cell.source] if Region.SOLUTION in regions else [], ""
            hidden += region_lines
            visible.append(rest)
    visible_text = _one_line("\n".join(visible))
    lines = set().union(*(_lines(text) for text in [*hidden, *others]))
    return {line for line in lines if _says_something(line) and line not in visible_text}


def _regions(text: str, regions: tuple[Region, ...]) -> list[str]:
    return [region_text for region in regions for region_text in region_texts(text, region)]


def find(files: dict[str, bytes], secret: set[str]) -> list[Leak]:
    """Search files of any kind: notebooks cell by cell, archives member by member.

    Line breaks, indentation, and the way JSON or HTML writes characters make no difference.
    """
    leaks = []
    for name, content in files.items():
        for place, raw in _texts(name, content):
            text = _one_line(raw)
            matches = {line for line in secret if line in text}
            matches |= {marker for marker in MARKERS if marker in text}
            leaks += [Leak(place, line) for line in sorted(matches)]
    return leaks


def _lines(text: str) -> set[str]:
    return {_one_line(line) for line in text.splitlines()}


def _one_line(text: str) -> str:
    return " ".join(html.unescape(text).split())


def _says_something(line: str) -> bool:
    return len(line) >= MIN_LENGTH and not SAYS_NOTHING.fullmatch(line)


def _texts(name: str, content: bytes) -> Iterator[tuple[str, str]]:
    """The texts in a file, each with the name of its place."""
    if members := _members(content):
        for member, member_content in members.items():
            yield from _texts(f"{name}/{member}", member_content)
        return
    text = content.decode("utf-8", "replace")
    if name.endswith(".ipynb"):
        notebook = json.loads(text)
        for index, cell in enumerate(notebook["cells"]):
            yield f"{name}, cell {index + 1}", "\n".join(_strings(cell))
        yield f"{name}, metadata", "\n".join(_strings(notebook["metadata"]))
        return
    yield name, text
    if Path(name).suffix in (".json", ".jsonl"):
        for line in [text] if name.endswith(".json") else text.splitlines():
            yield name, "\n".join(_strings(json.loads(line)))


def _members(content: bytes) -> dict[str, bytes]:
    """The files of an archive, which may have any name; none if the content is no archive."""
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
    """All strings in a JSON value; a list of lines, as notebooks store text, becomes one text."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        if all(isinstance(item, str) for item in value):
            return ["".join(value)]
        return [text for item in value for text in _strings(item)]
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in [str(key), *_strings(item)]]
    return []
