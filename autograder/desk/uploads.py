"""The files that a student uploaded, from a download of a learning management system.

A student chose their names and made them, so they are read within bounds and checked.
"""

from __future__ import annotations

import base64
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from autograder.course import Course
from autograder.desk.lms_names import NamedFile
from autograder.grading.archive import is_safe_path, problem_of, read_entry
from autograder.grading.prepare import TIMESTAMP
from autograder.grading.reading import OverrunError, ReadingError, ask

RUBBISH = ("__MACOSX/", ".DS_Store")
_COPY = re.compile(r"(-\d+| ?\(\d+\))$")  # what Canvas and browsers add to a name that they had


@dataclass(frozen=True)
class Upload:
    """A file of a download, with the archive that has it."""

    archive: zipfile.ZipFile
    entry: zipfile.ZipInfo
    named: NamedFile

    @property
    def version(self) -> tuple[int, ...]:
        """Grows with each upload: Canvas's number, or else the time that the archive has."""
        return (self.named.version,) if self.named.version else self.entry.date_time


def files_of(
    course: Course, name: str, uploads: Iterable[Upload]
) -> tuple[dict[str, bytes], list[str]]:
    """The files of a submission, by path, and why others were left out.

    A later upload replaces an earlier file of the same name. A zip stands for the files in it.

    Args:
        course: the course; `c.CourseDirectory.max_dir_size` bounds a submission.
        name: the assignment.
        uploads: the student's uploads, the oldest first.
    """
    limit = int(course.directory.max_dir_size) * 1000
    source = course.path("source", name)
    files: dict[str, bytes] = {}
    left_out: list[str] = []
    for upload in uploads:
        try:
            part = _content(upload, limit, left_out)
        except ValueError as error:
            left_out.append(f"{upload.named.file[:200]!r}: {error}")
            continue
        files |= {_usual(source, path): data for path, data in part.items()}
        if sum(map(len, files.values())) > limit:  # a hundred small zips may hold 10 GB
            return {}, [*left_out, "its files are larger than a submission may be"]
    return _wanted(course, files, left_out), left_out


def _content(upload: Upload, limit: int, left_out: list[str]) -> dict[str, bytes]:
    """A file of the download; for a zip, the files in it.

    Raises:
        ValueError: it can't be used.
    """
    path = upload.named.file
    if problem := problem_of(upload.entry):
        raise ValueError(problem)
    if not is_safe_path(path):
        raise ValueError("its path can't be used")
    try:
        data = read_entry(upload.archive, upload.entry, limit)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
        raise ValueError(f"it is damaged ({error})") from error
    return _unpacked(data, limit, left_out) if path.lower().endswith(".zip") else {path: data}


def _unpacked(data: bytes, limit: int, left_out: list[str]) -> dict[str, bytes]:
    """The files of a student's own zip, which is read in a bounded process.

    Raises:
        ValueError: it can't be read.
    """
    try:
        reply = ask("archive", data, limit=limit)
    except (ReadingError, OverrunError) as error:
        raise ValueError(error.problem) from error
    left_out += reply["left_out"]
    files = {name: base64.b64decode(coded) for name, coded in reply["files"].items()}
    return _without_top_folder(
        {name: content for name, content in files.items() if not name.startswith(RUBBISH)}
    )


def _without_top_folder(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files of a zip as if only the folder in it had been packed."""
    tops = {name.partition("/")[0] for name in files}
    if len(tops) != 1 or any("/" not in name for name in files):
        return files
    return {name.partition("/")[2]: data for name, data in files.items()}


def _usual(source: Path, name: str) -> str:
    """A file's name in the assignment: `ps5-1.ipynb` and `ps5 (1).ipynb` are ps5.ipynb."""
    path = PurePosixPath(name)
    plain = _COPY.sub("", path.stem) + path.suffix
    is_copy = len(path.parts) == 1 and not (source / name).exists()
    return plain if is_copy and (source / plain).is_file() else name


def _wanted(course: Course, files: Mapping[str, bytes], left_out: list[str]) -> dict[str, bytes]:
    """The files without those that nbgrader ignores, and without a time that a student wrote."""
    wanted = {}
    for name, data in files.items():
        if name == TIMESTAMP:
            left_out.append(f"'{name}': when it was handed in is not for the student to say")
        elif not any(course.ignores(part) for part in PurePosixPath(name).parts):
            wanted[name] = data
    folders = {parent.as_posix() for name in wanted for parent in PurePosixPath(name).parents}
    for name in sorted(folders & wanted.keys()):
        left_out.append(f"'{name}': there is a folder of this name, too")
        del wanted[name]
    return wanted
