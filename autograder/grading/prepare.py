"""Reads one submission, whose files can't be trusted, and prepares it for a run."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import nbformat
from nbformat import NotebookNode

from autograder.assignment import Assignment
from autograder.course import Course
from autograder.errors import SubmissionError
from autograder.grading.reading import OverrunError, ReadingError, ask
from autograder.grading.restore import restore
from course_utils.quiz import log

MAX_NOTEBOOK = 20 << 20
MAX_ENTRIES = 1000  # files, and folders that hold them
MAX_WALK = 20_000  # entries of a submission's folder that are listed
MAX_NOTES = 50
QUESTIONS = "quiz/questions.yaml"
TIMESTAMP = "timestamp.txt"
EXCHANGE_FILES = (TIMESTAMP, "submission_secret.txt")  # nbgrader's submit writes them last
MAX_TIMESTAMP = 1000  # bytes


@dataclass(frozen=True)
class Prepared:
    """One submission, ready to run on any machine.

    Attributes:
        student: the student's id.
        assignment: the assignment's name.
        sources: notebooks by name, as the instructor wrote them.
        notebooks: notebooks by name, with the instructor's cells restored and without outputs.
        files: the other files of the working folder; an instructor's file replaces a student's.
        given: the names of those of the instructor's files in `files` that a test reads in the
            instructor's version, whatever the student's code does.
        timestamp: time of submission (UTC); None if it isn't known.
        notes: messages for the instructor about what was repaired or left out.
        answers: for each question that has one, the first attempt that counts: its "answer", the
            question's "version", and the "student" for whom numbers were drawn.
    """

    student: str
    assignment: str
    sources: dict[str, NotebookNode]
    notebooks: dict[str, NotebookNode]
    files: dict[str, bytes]
    given: frozenset[str]
    timestamp: datetime.datetime | None
    notes: tuple[str, ...]
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)

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
        """Combine restored notebooks and a student's files with the assignment's own files.

        A file that nbgrader's option `exclude_overwriting` names stays as it was handed in.
        """
        kept = files.keys() & assignment.not_overwritten
        return cls(
            student=student,
            assignment=assignment.name,
            sources=assignment.sources,
            notebooks=notebooks,
            files=files
            | {name: data for name, data in assignment.files.items() if name not in kept},
            given=frozenset(assignment.files.keys() - assignment.students_files),
            timestamp=timestamp,
            notes=tuple(notes),
        )


def submission_digest(course: Course, assignment: str, student: str) -> str:
    """A hash of all files of a submission, readable or not.

    Once the content read exceeds what a student may hand in, sizes and times replace the content.
    """
    folder = course.path("submitted", assignment, student)
    budget = 4 * int(course.directory.max_dir_size) * 1000
    hashed = hashlib.sha256()
    paths = list(walk(folder, MAX_WALK + 1))
    for path in sorted(paths):
        hashed.update(f"{path.relative_to(folder)}\n".encode("utf-8", "surrogateescape"))
        content = _regular_file(path, min(MAX_NOTEBOOK + 1, budget)) if budget else None
        budget -= len(content or b"")
        hashed.update(b"-" if content is None else hashlib.sha256(content).digest())
        if budget <= 0:
            hashed.update(size_and_time(path))
    return hashed.hexdigest()


def walk(folder: Path, most: int) -> Iterator[Path]:
    """The entries of a folder and its subfolders, at most `most`; skip unreadable folders."""
    pending = [folder]
    while pending:
        try:
            entries = os.scandir(pending.pop())
        except OSError:
            continue
        with entries:
            for entry in entries:
                if not most:
                    return
                most -= 1
                yield Path(entry.path)
                if entry.is_dir(follow_symlinks=False):
                    pending.append(Path(entry.path))


def size_and_time(path: Path) -> bytes:
    """What tells that a file may have changed, without reading it; a path may be too long."""
    try:
        status = path.lstat()
    except OSError:
        return b"-"
    return f"{status.st_size} {status.st_mtime_ns}".encode()


def prepare(course: Course, assignment: Assignment, student: str) -> Prepared:
    """Read and check a submission within bounds, and restore the instructor's cells.

    Raises:
        SubmissionError: a notebook is missing or is not a notebook, so that a person must look.
    """
    folder = course.path("submitted", assignment.name, student)
    notebooks, notes = read_notebooks(course, assignment, student)
    besides = {f"{name}.ipynb" for name in assignment.masters}
    files = read_files(course, folder, besides, notes, assignment.files)
    drop_clashes(files, assignment.files, notes)
    timestamp = _timestamp(files.pop(TIMESTAMP, None), notes)
    log_notes = _read_log(files, student) if QUESTIONS in assignment.files else []
    notes = [*_few(notes), *(f"attempt log: {note}" for note in log_notes)]
    return Prepared.of(assignment, student, notebooks, files, notes, timestamp)


def read_notebooks(
    course: Course, assignment: Assignment, student: str
) -> tuple[dict[str, NotebookNode], list[str]]:
    """Read a submission's notebooks within bounds, and restore the instructor's cells.

    Returns:
        The notebooks by name, and notes about what was repaired.

    Raises:
        SubmissionError: all notebooks are missing, or a file is not a notebook.
    """
    folder = course.path("submitted", assignment.name, student)
    notes: list[str] = []
    handed_in = {name: _read_notebook(folder, name) for name in assignment.masters}
    missing = [name for name, notebook in handed_in.items() if notebook is None]
    if len(missing) == len(handed_in):
        _refuse_missing(folder, missing)
    notebooks: dict[str, NotebookNode] = {}
    for name, master in assignment.masters.items():
        notebook = handed_in[name]
        if notebook is None:
            notes.append(f"notebook '{name}.ipynb' was not handed in: no points for it")
            continue
        notebooks[name], restore_notes = restore(notebook, master)
        notes += restore_notes
    return notebooks, notes


def _few(notes: list[str]) -> list[str]:
    more = len(notes) - MAX_NOTES
    return notes if more <= 0 else [*notes[:MAX_NOTES], f"and {more} more notes like these"]


def _read_log(files: dict[str, bytes], student: str) -> list[str]:
    content = files.get(log.LOG_NAME, b"")[: log.MAX_BYTES + 1]
    seal = files.get(log.SEAL_NAME, b"")[:1000].decode("latin-1")
    try:
        log_notes: list[str] = ask("log", content, seal=seal, student=student)
    except (OverrunError, ReadingError) as error:
        raise SubmissionError(
            f"{log.LOG_NAME} can't be read: {error.problem}", error.remedy
        ) from error
    return log_notes


def timestamp_of(course: Course, assignment: str, student: str) -> datetime.datetime | None:
    """The time of a submission (UTC), even if its other files can't be read."""
    path = course.path("submitted", assignment, student) / TIMESTAMP
    return _timestamp(_regular_file(path, MAX_TIMESTAMP + 1), [])


def exchange_files(course: Course, assignment: str, student: str) -> dict[str, bytes]:
    """The small files by which nbgrader's exchange knows a submission; {} if it has none."""
    folder = course.path("submitted", assignment, student)
    found = {name: _regular_file(folder / name, MAX_TIMESTAMP + 1) for name in EXCHANGE_FILES}
    return {name: content for name, content in found.items() if content is not None}


def _refuse_missing(folder: Path, names: list[str]) -> None:
    others = sorted(other.name for other in folder.glob("*.ipynb"))
    hint = f"; there is {', '.join(others[:5])}" if others else ""
    verb = "is" if len(names) == 1 else "are"
    raise SubmissionError(
        f"{', '.join(f'{name}.ipynb' for name in names)} {verb} missing{hint}",
        "ask the student, or rename the file, then grade again",
    )


def _read_notebook(folder: Path, name: str) -> NotebookNode | None:
    """A notebook that was handed in; None if there is no such file."""
    path = folder / f"{name}.ipynb"
    content = _regular_file(path, MAX_NOTEBOOK + 1)
    if content is None and not os.path.lexists(path):
        return None
    if content is None:
        raise SubmissionError(
            f"{path.name} is not a plain file",
            "ask the student to hand in the notebook itself, not a link or a folder",
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
    """The notebook with '?' for lone surrogates, which files and databases can't hold."""
    text = json.dumps(notebook, ensure_ascii=False).encode("utf-8", "replace")
    encoded: NotebookNode = nbformat.from_dict(json.loads(text))
    return encoded


def read_files(
    course: Course,
    folder: Path,
    besides: set[str],
    notes: list[str],
    given: Mapping[str, bytes] | None = None,
    *,
    graded: bool = False,
) -> dict[str, bytes]:
    """A submission's files without `besides`; links, devices and too large files are left out.

    A copy of an instructor's file, in `given`, is left out without a note, and doesn't count
    against the limits. A folder that `grade` wrote (`graded`) has no limits of its own.
    """
    budget = 1 << 40 if graded else int(course.directory.max_dir_size) * 1000
    most = budget if graded else MAX_ENTRIES
    files: dict[str, bytes] = {}
    parents: set[Path] = set()
    for path in _files(course, folder, besides, notes, most if graded else len(given or ())):
        relative = path.relative_to(folder).as_posix()
        own = given.get(relative) if given else None
        if own is not None and _regular_file(path, len(own) + 1) == own:
            continue
        content = _regular_file(path, budget + 1)
        parents.update(path.relative_to(folder).parents)
        entries = len(files) + len(parents)
        if content is None or len(content) > budget or entries > most:
            reason = "not a plain file" if content is None else "too large"
            reason = "too many files" if entries > most else reason
            notes.append(f"file '{_printable(relative)}' was left out: {reason}")
            continue
        budget -= len(content)
        files[relative] = content
    return files


def _files(
    course: Course, folder: Path, besides: set[str], notes: list[str], given: int
) -> Iterator[Path]:
    """The paths that may be files of the student's; a folder's files come before its subfolders."""
    most = MAX_WALK + 2 * given  # the instructor's files, and the folders that hold them
    entries = list(walk(folder, most + 1))
    if len(entries) > most:
        raise SubmissionError(
            f"there are more than {most} files and folders in it",
            "ask the student to hand in what belongs to the assignment only",
        )
    foreign: set[str] = set()
    # Without those of the exchange, nbgrader could release nobody's feedback: they come first.
    exchanged = {folder / name for name in EXCHANGE_FILES}
    for path in sorted(entries, key=lambda path: (path not in exchanged, _files_first(path))):
        parts = path.relative_to(folder).parts
        if any(course.ignores(part) for part in parts) or "/".join(parts) in besides:
            continue
        if parts[0].endswith(".ipynb"):
            foreign.add(parts[0])
        elif not _is_folder(path):
            yield path
    # nbgrader takes every entry of an autograded folder with this ending for a notebook of the
    # assignment.
    notes += [
        f"file '{_printable(name)}' was left out: not this assignment's" for name in sorted(foreign)
    ]


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:  # the path is too long for the system: no program can read it
        return True


def _files_first(path: Path) -> list[tuple[int, str]]:
    return [*((1, folder) for folder in path.parts[:-1]), (0, path.name)]


def drop_clashes(files: dict[str, bytes], given: dict[str, bytes], notes: list[str]) -> None:
    """Drop a student's file that has the path of a given folder or lies below a given file."""
    folders = {parent.as_posix() for name in given for parent in PurePosixPath(name).parents}
    for name in list(files):
        parents = {parent.as_posix() for parent in PurePosixPath(name).parents}
        if name in folders or parents & given.keys():
            del files[name]
            notes.append(f"file '{_printable(name)}' was left out: the assignment's own is there")


def open_plain(path: Path | str, folder: int | None = None) -> BinaryIO | None:
    """Open a plain file to read; None if the path is anything else, such as a link.

    Args:
        path: the file.
        folder: the descriptor of the folder that the path starts from; None: the current one.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # os.fdopen refuses a folder
        os.close(descriptor)
        return None
    return os.fdopen(descriptor, "rb")


def _regular_file(path: Path, limit: int) -> bytes | None:
    """Up to `limit` bytes of a plain file; None if the path is anything else, such as a link."""
    if (file := open_plain(path)) is None:
        return None
    with file:  # room for all that is asked for is made
        return file.read(min(limit, os.fstat(file.fileno()).st_size + 1))


def _printable(name: str) -> str:
    return json.dumps(name[:80])[1:-1]


def time_in(content: bytes) -> datetime.datetime | None:
    """The time (UTC) in the content of a timestamp.txt; None if it can't be read."""
    return _timestamp(content, [])


def _timestamp(content: bytes | None, notes: list[str]) -> datetime.datetime | None:
    from nbgrader.utils import parse_utc

    if not content or not content.strip():
        return None
    try:
        if len(content) > MAX_TIMESTAMP:  # the parser takes minutes for megabytes
            raise ValueError
        parsed: datetime.datetime = parse_utc(content.decode("utf-8").strip())
    except Exception:  # any exception of a parser means: no time
        notes.append(f"{TIMESTAMP} can't be read: whether it is late is not known")
        return None
    return parsed
