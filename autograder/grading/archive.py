"""Unpacks a zip that a student made. Runs in a reader process, see `autograder.grading.reading`."""

from __future__ import annotations

import base64
import io
import stat
import zipfile
import zlib
from collections.abc import Iterable
from typing import Any, NamedTuple

MAX_ENTRIES = 5000
# Other methods exist, and need much memory or libraries of their own.
METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
MAX_NAME = 200  # bytes of a file's or folder's name, which file systems allow
MAX_PATH = 500  # bytes of a path; the system opens no path of 4,096
_WINDOWS_ONLY = frozenset('\\:*?"<>|')


class Unpacked(NamedTuple):
    """What was in an archive.

    Attributes:
        files: the content of each file, by its path.
        left_out: why each of the other entries was left out.
    """

    files: dict[str, bytes]
    left_out: list[str]


def unpack(content: bytes, limit: int) -> dict[str, Any]:
    """A task of a reader: the files of a zip, as base64, and what was left out.

    Args:
        content: the zip.
        limit: how many bytes its files may have together.

    Raises:
        ValueError: it is no zip, or has too many entries or bytes.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES:
                raise ValueError(f"it has more than {MAX_ENTRIES} entries")
            files, left_out = read_entries(archive, entries, limit)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
        raise ValueError(f"it is no zip that can be read ({error})") from error
    coded = {name: base64.b64encode(data).decode() for name, data in files.items()}
    return {"files": coded, "left_out": left_out}


def read_entries(
    archive: zipfile.ZipFile, entries: Iterable[zipfile.ZipInfo], limit: int
) -> Unpacked:
    """The files of some entries, by their paths. No path leads out of the archive.

    Raises:
        ValueError: the files have more than `limit` bytes together, whatever the archive says.
    """
    files: dict[str, bytes] = {}
    left_out: list[str] = []
    for entry in entries:
        if entry.is_dir():
            continue
        problem = "" if is_safe_path(entry.filename) else "its path can't be used"
        if problem := problem or problem_of(entry):
            left_out.append(f"{entry.filename[:MAX_NAME]!r}: {problem}")
            continue
        data = read_entry(archive, entry, limit)
        limit -= len(data)
        files[entry.filename] = data
    return Unpacked(files, left_out)


def read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int) -> bytes:
    """The content of an entry.

    Raises:
        ValueError: it has more than `limit` bytes, whatever the archive says.
    """
    with archive.open(entry) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise ValueError("its files are larger than a submission may be")
    return data


def problem_of(entry: zipfile.ZipInfo) -> str:
    """Why an entry of an archive can't become a file; '' if it can."""
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
        return "a link or a device, not a file"
    if entry.flag_bits & 1:
        return "it is encrypted"
    if entry.compress_type not in METHODS:
        return "it is packed in an unusual way"
    return ""


def is_safe_path(name: str) -> bool:
    """Whether a path stays in the folder that it is put into, and can be opened, on any system."""
    parts = name.split("/")
    if not name.isprintable() or len(name.encode("utf-8", "replace")) > MAX_PATH:
        return False
    return all(
        part not in ("", ".", "..")
        and len(part.encode("utf-8", "replace")) <= MAX_NAME
        and not _WINDOWS_ONLY & set(part)
        for part in parts
    )
