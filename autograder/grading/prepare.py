"""Reads one submission as what it is, a stranger's files, and makes of it what can be run."""

from __future__ import annotations

import datetime
import fnmatch
import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import nbformat
from nbformat import NotebookNode

from autograder.assignment import Assignment
from autograder.course import Course
from autograder.errors import SubmissionError
from autograder.grading.reading import OverrunError, ReadingError, ask
from autograder.grading.restore import restore
from course_utils.quiz import log

MAX_NOTEBOOK = 20 << 20
MAX_ENTRIES = 1000  # files and the folders that they are in
MAX_WALK = 20_000  # as many entries of a submission's folder are looked at
MAX_NOTES = 50
QUESTIONS = "quiz/questions.yaml"
TIMESTAMP = "timestamp.txt"


@dataclass(frozen=True)
class Prepared:
    """One submission, ready to be run anywhere.

    Attributes:
        student: the student's id.
        assignment: the assignment's name.
        sources: each notebook as the instructor wrote it.
        notebooks: each notebook with the instructor's cells restored and no outputs.
        files: the other files of the working folder; the instructor's own win.
        given: which of these are the instructor's.
        timestamp: when it was handed in (UTC), if that is known.
        notes: what had to be mended or left out, for the instructor.
    """

    student: str
    assignment: str
    sources: dict[str, NotebookNode]
    notebooks: dict[str, NotebookNode]
    files: dict[str, bytes]
    given: frozenset[str]
    timestamp: datetime.datetime | None
    notes: tuple[str, ...]

    @classmethod
    def of(
        cls,
        assignment: Assignment,
        student: str,
        notebooks: dict[str, NotebookNode],
        files: dict[str, bytes],
        notes: Iterable[str] = (),
        timestamp: datetime.datetime | None = None,
    ) -> Prepared:
        """Put restored notebooks and a student's files together with the assignment's own."""
        return cls(
            student=student,
            assignment=assignment.name,
            sources=assignment.sources,
            notebooks=notebooks,
            files=files | assignment.files,
            given=frozenset(assignment.files),
            timestamp=timestamp,
            notes=tuple(notes),
        )


def submission_digest(course: Course, assignment: str, student: str) -> str:
    """A hash of everything that was handed in, readable or not.

    Of what is more than anybody may hand in, it takes sizes and times for the content.
    """
    folder = course.path("submitted", assignment, student)
    budget = 4 * int(course.directory.max_dir_size) * 1000
    hashed = hashlib.sha256()
    found = list(_walk(folder, MAX_WALK + 1))
    for path in sorted(found):
        hashed.update(f"{path.relative_to(folder)}\n".encode("utf-8", "surrogateescape"))
        content = _regular_file(path, min(MAX_NOTEBOOK + 1, budget)) if budget else None
        budget -= len(content or b"")
        hashed.update(b"-" if content is None else hashlib.sha256(content).digest())
        if budget <= 0:
            hashed.update(_size_and_time(path))
    return hashed.hexdigest()


def _walk(folder: Path, most: int) -> Iterator[Path]:
    """What is in a folder and below, at most so many; passes over what can't be listed."""
    waiting = [folder]
    while waiting:
        try:
            entries = os.scandir(waiting.pop())
        except OSError:
            continue
        with entries:
            for entry in entries:
                if not most:
                    return
                most -= 1
                yield Path(entry.path)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))


def _size_and_time(path: Path) -> bytes:
    try:
        status = path.lstat()
    except OSError:
        return b"-"
    return f"{status.st_size} {status.st_mtime_ns}".encode()


def prepare(course: Course, assignment: Assignment, student: str) -> Prepared:
    """Read, bound and check a submission, and restore the instructor's cells.

    Raises:
        SubmissionError: a notebook is missing or is not a notebook; a person must look.
    """
    folder = course.path("submitted", assignment.name, student)
    notes: list[str] = []
    notebooks = {}
    for name, master in assignment.masters.items():
        notebook, mended = restore(_read_notebook(folder, name), master)
        notebooks[name] = notebook
        notes += mended
    files = read_files(course, folder, {f"{name}.ipynb" for name in notebooks}, notes)
    _drop_clashes(files, assignment.files, notes)
    timestamp = _timestamp(files.pop(TIMESTAMP, None), notes)
    told = _read_log(files, student) if QUESTIONS in assignment.files else []
    notes = [*_few(notes), *(f"attempt log: {note}" for note in told)]
    return Prepared.of(assignment, student, notebooks, files, notes, timestamp)


def _few(notes: list[str]) -> list[str]:
    more = len(notes) - MAX_NOTES
    return notes if more <= 0 else [*notes[:MAX_NOTES], f"and {more} more notes like these"]


def _read_log(files: dict[str, bytes], student: str) -> list[str]:
    content = files.get(log.LOG_NAME, b"")[: log.MAX_BYTES + 1]
    seal = files.get(log.SEAL_NAME, b"")[:1000].decode("latin-1")
    try:
        told: list[str] = ask("log", content, seal=seal, student=student)
    except (OverrunError, ReadingError) as error:
        raise SubmissionError(
            f"{log.LOG_NAME} can't be read: {error.problem}", error.remedy
        ) from error
    return told


def timestamp_of(course: Course, assignment: str, student: str) -> datetime.datetime | None:
    """When a submission was handed in, also if the rest of it can't be read."""
    path = course.path("submitted", assignment, student) / TIMESTAMP
    return _timestamp(_regular_file(path, 1000), [])


def _read_notebook(folder: Path, name: str) -> NotebookNode:
    path = folder / f"{name}.ipynb"
    content = _regular_file(path, MAX_NOTEBOOK + 1)
    if content is None:
        others = sorted(other.name for other in folder.glob("*.ipynb"))
        found = f"; there is {', '.join(others[:5])}" if others else ""
        raise SubmissionError(
            f"{path.name} is missing{found}",
            "ask the student, or rename the file, then grade again",
        )
    if len(content) > MAX_NOTEBOOK:
        raise SubmissionError(
            f"{path.name} is larger than {MAX_NOTEBOOK >> 20} MiB",
            "ask the student to clear its outputs and hand it in again",
        )
    try:
        cells = ask("notebook", content)
    except ReadingError as error:
        raise SubmissionError(
            f"{path.name} is not a notebook: {error.problem}",
            "ask the student to hand it in again; the file was left as it is",
        ) from error
    except OverrunError as error:
        raise SubmissionError(
            f"{path.name} can't be read: {error.problem}", error.remedy
        ) from error
    notebook: NotebookNode = nbformat.from_dict({"cells": cells})
    return notebook


def encodable(notebook: NotebookNode) -> NotebookNode:
    """The notebook with '?' for lone surrogates, which JSON can hold but no file or database."""
    text = json.dumps(notebook, ensure_ascii=False).encode("utf-8", "replace")
    found: NotebookNode = nbformat.from_dict(json.loads(text))
    return found


def read_files(
    course: Course, folder: Path, besides: set[str], notes: list[str]
) -> dict[str, bytes]:
    """A submission's files, but those named; links, devices and what is too large are left out."""
    budget = int(course.directory.max_dir_size) * 1000
    files: dict[str, bytes] = {}
    parents: set[Path] = set()
    for path in _files(course, folder, besides, notes):
        content = _regular_file(path, budget + 1)
        relative = path.relative_to(folder).as_posix()
        parents.update(path.relative_to(folder).parents)
        entries = len(files) + len(parents)
        if content is None or len(content) > budget or entries > MAX_ENTRIES:
            reason = "not a plain file" if content is None else "too large"
            reason = "too many files" if entries > MAX_ENTRIES else reason
            notes.append(f"file '{_printable(relative)}' was left out: {reason}")
            continue
        budget -= len(content)
        files[relative] = content
    return files


def _files(course: Course, folder: Path, besides: set[str], notes: list[str]) -> Iterator[Path]:
    """What in a submission may be a file of the student's: a folder's own, then those below."""
    entries = list(_walk(folder, MAX_WALK + 1))
    if len(entries) > MAX_WALK:
        raise SubmissionError(
            f"there are more than {MAX_WALK} files and folders in it",
            "ask the student to hand in what belongs to the assignment only",
        )
    strange: set[str] = set()
    for path in sorted(entries, key=_files_first):
        parts = path.relative_to(folder).parts
        if any(_ignored(course, part) for part in parts) or "/".join(parts) in besides:
            continue
        if parts[0].endswith(".ipynb"):
            strange.add(parts[0])
        elif not _is_folder(path):
            yield path
    # nbgrader takes whatever is so named in an autograded folder for a notebook of the assignment
    notes += [
        f"file '{_printable(name)}' was left out: not this assignment's" for name in sorted(strange)
    ]


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:  # so deep that it can't even be named: nobody can read it
        return True


def _files_first(path: Path) -> list[tuple[int, str]]:
    return [*((1, folder) for folder in path.parts[:-1]), (0, path.name)]


def _drop_clashes(files: dict[str, bytes], given: dict[str, bytes], notes: list[str]) -> None:
    """A student's folder can't stand where the instructor's file is, nor a file for a folder."""
    folders = {parent.as_posix() for name in given for parent in PurePosixPath(name).parents}
    for name in list(files):
        above = {parent.as_posix() for parent in PurePosixPath(name).parents}
        if name in folders or above & given.keys():
            del files[name]
            notes.append(f"file '{_printable(name)}' was left out: the assignment's own is there")


def _regular_file(path: Path, limit: int) -> bytes | None:
    """Up to `limit` bytes of a plain file; None if it is anything else, a link included."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(handle).st_mode):  # a folder can't even be wrapped in a file
        os.close(handle)
        return None
    with os.fdopen(handle, "rb") as file:
        return file.read(limit)


def _ignored(course: Course, name: str) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in course.directory.ignore)


def _printable(name: str) -> str:
    return json.dumps(name[:80])[1:-1]


def _timestamp(content: bytes | None, notes: list[str]) -> datetime.datetime | None:
    from nbgrader.utils import parse_utc

    if not content or not content.strip():
        return None
    try:
        parsed: datetime.datetime = parse_utc(content.decode("utf-8").strip())
    except (ValueError, OverflowError):
        notes.append(f"{TIMESTAMP} can't be read: whether it is late is not known")
        return None
    return parsed
