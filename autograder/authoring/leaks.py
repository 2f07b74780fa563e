"""Finds secret lines, such as solutions, in the files that students are about to receive."""

from __future__ import annotations

import bz2
import gzip
import html
import io
import json
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograder.assignment import Assignment
from autograder.authoring.distinctive import distinctive, one_line
from autograder.cells import (
    USUAL_DELIMITERS,
    Region,
    is_solution,
    region_texts,
    with_usual_delimiters,
    without_regions,
)
from autograder.course import Course
from autograder.errors import ReleaseError
from course_utils.quiz import bank
from course_utils.quiz.document import Document

MARKERS = tuple(begin for begin, _ in USUAL_DELIMITERS.values())
SECRET = (Region.HIDDEN_TESTS, Region.SOLUTION)
MOST_NESTED = 10  # archives in archives
_SINGLE = {b"\x1f\x8b": gzip.decompress, b"BZh": bz2.decompress, b"\xfd7zXZ": lzma.decompress}

# What the libraries raise for a damaged or encrypted archive.
_DAMAGED = (
    OSError, ValueError, EOFError, RuntimeError, tarfile.TarError, zipfile.BadZipFile, zlib.error,
    lzma.LZMAError,
)  # fmt: skip


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
    tests, others = [], []
    if text.exists():
        source = with_usual_delimiters(text.read_text(encoding="utf-8"), course.delimiters)
        tests = region_texts(source, Region.HIDDEN_TESTS)
        others = [] if taught else region_texts(source, Region.SOLUTION)
    keys = course.root / "keys" / f"{name}.yaml"
    if keys.exists():
        document, questions = Document(keys), bank.load(keys).questions
        others += [document.lines(("questions", index, "key")) for index in range(len(questions))]
    specimens = [] if taught else sorted((course.root / "specimens" / name).glob("*.*"))
    others += [path.read_text(encoding="utf-8") for path in specimens]
    sources = Assignment.load(course, name).sources.values()
    known = _stubs(course)
    return secrets(sources, others, secret, tests=tests, known=known) - _public(sources)


def secrets(
    sources: Iterable[NotebookNode],
    others: Iterable[str] = (),
    regions: tuple[Region, ...] = SECRET,
    *,
    tests: Iterable[str] = (),
    known: str = "",
) -> set[str]:
    """What gives something away, each as a single line.

    Args:
        sources: the instructor's notebooks. Secret are the lines of their regions, and of solution
            cells without a region.
        others: further texts in which every line is secret, such as other solutions.
        regions: the kinds of regions that count.
        tests: further texts of hidden tests.
        known: a text that every student knows.

    Returns:
        Distinctive lines, and groups of lines that are distinctive together, which don't occur in
        the visible parts of the notebooks.
    """
    hidden, visible = list(others), [known]
    hidden_tests = list(tests)
    for notebook in sources:
        for cell in notebook.cells:
            hidden_tests += region_texts(cell.source, Region.HIDDEN_TESTS)
            rest = without_regions(cell.source, Region.HIDDEN_TESTS)
            rest = without_regions(rest, Region.SOLUTION)
            if Region.SOLUTION in regions:
                whole = is_solution(cell) and rest == cell.source
                hidden += [rest] if whole else region_texts(cell.source, Region.SOLUTION)
                rest = "" if whole else rest
            elif is_solution(cell) and rest == cell.source:
                rest = ""
            visible.append(rest)
    visible_text = _one_line("\n".join(visible))
    parts = {part for text in hidden for part in distinctive(html.unescape(text))}
    for text in hidden_tests:
        parts |= set(distinctive(html.unescape(text), hidden_test=True))
    return {part for part in parts if part not in visible_text}


def _stubs(course: Course) -> str:
    """What nbgrader writes in the place of a solution."""
    from nbgrader.preprocessors import ClearSolutions

    step = ClearSolutions(config=course.config)
    return "\n".join([*step.code_stub.values(), step.text_stub])


def _public(sources: Iterable[NotebookNode]) -> set[str]:
    """The lines that the instructor means students to see, from the notebooks' metadata.

    The header of an assignment's text source lists them: `autograder: {public: [LINE, …]}`.
    """
    public: set[str] = set()
    for notebook in sources:
        entry = notebook.metadata.get("autograder", {})
        lines = entry.get("public", []) if isinstance(entry, dict) else []
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise ReleaseError(
                f"the notebook's metadata say autograder: {{public: {lines!r}}}",
                "write a list of lines",
            )
        public |= {_one_line(line) for line in lines}
    return public


def markers_of(course: Course) -> tuple[str, ...]:
    """The texts that begin a region in this course, and nbgrader's usual texts."""
    return tuple(dict.fromkeys([*(begin for begin, _ in course.delimiters.values()), *MARKERS]))


def find(
    files: dict[str, bytes], secret: set[str], markers: tuple[str, ...] = MARKERS
) -> list[Leak]:
    """Search files of any kind: notebooks cell by cell, archives member by member.

    Line breaks, indentation, and the way JSON or HTML writes characters make no difference. A file
    that isn't what its name says, or that is damaged, is searched as a text.
    """
    leaks = []
    for name, content in files.items():
        for place, raw in dict.fromkeys(_texts(name, content)):
            text = _one_line(raw)
            matches = {line for line in secret if line in text}
            matches |= {marker for marker in markers if marker in text}
            leaks += [Leak(place, line) for line in sorted(matches)]
    return list(dict.fromkeys(leaks))


def _one_line(text: str) -> str:
    return one_line(html.unescape(text))


def _texts(name: str, content: bytes, depth: int = 0) -> Iterator[tuple[str, str]]:
    """The texts in a file, each with the name of its place."""
    members = _members(content) if depth < MOST_NESTED else {}
    for member, member_content in members.items():
        yield from _texts(f"{name}/{member}" if member else name, member_content, depth + 1)
    if members:
        return
    text = content.decode("utf-8", "replace").replace("\0", "")  # UTF-16 has a NUL in each letter
    suffix = Path(name).suffix
    if suffix == ".ipynb" and (notebook := _cells(text)):
        for index, cell in enumerate(notebook["cells"]):
            yield f"{name}, cell {index + 1}", "\n".join(_strings(cell))
        rest = {key: value for key, value in notebook.items() if key != "cells"}
        yield f"{name}, metadata", "\n".join(_strings(rest))
        return
    yield name, text
    if suffix in (".json", ".jsonl", ".ndjson", ".geojson", ".ipynb"):
        for value in _values(text):
            yield name, "\n".join(_strings(value))


def _cells(text: str) -> dict[str, Any] | None:
    """A notebook; None if the text isn't one."""
    for value in _values(text):
        if isinstance(value, dict) and isinstance(value.get("cells"), list):
            return value
    return None


def _values(text: str) -> list[Any]:
    """The JSON value of a text, or those of its lines; what isn't JSON has none."""
    try:
        return [json.loads(text)]
    except (ValueError, RecursionError):
        values = []
        for line in text.splitlines():
            with suppress(ValueError, RecursionError):
                values.append(json.loads(line))
        return values


def _members(content: bytes) -> dict[str, bytes]:
    """The files of an archive, which may have any name; none if the content is no archive.

    A file that can't be read, because it is damaged or encrypted, is in it as it is stored.
    """
    for magic, decompress in _SINGLE.items():
        if content.startswith(magic):
            with suppress(*_DAMAGED):
                inner = decompress(content)
                return _members(inner) or {"": inner}
    memory = io.BytesIO(content)
    try:
        if zipfile.is_zipfile(memory):
            return _zip_members(memory)
        memory.seek(0)
        if tarfile.is_tarfile(memory):
            memory.seek(0)
            with tarfile.open(fileobj=memory) as tar:
                opened = {member.name: tar.extractfile(member) for member in tar if member.isfile()}
                return {name: file.read() for name, file in opened.items() if file}
    except _DAMAGED:
        return {}
    return {}


def _zip_members(memory: io.BytesIO) -> dict[str, bytes]:
    content = memory.getvalue()
    with zipfile.ZipFile(memory) as archive:
        entries = archive.infolist()
        members = {entry.filename: _member(archive, entry, content) for entry in entries}
    begin = min((entry.header_offset for entry in entries), default=0)
    around = content[:begin] + content[content.rfind(b"PK\5\6") :]
    return members | {"": around}


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, content: bytes) -> bytes:
    try:
        return archive.read(info)
    except _DAMAGED:
        return content[info.header_offset :][: info.compress_size + 1000]


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
