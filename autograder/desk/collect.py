"""Collects submissions from what a learning management system lets an instructor download.

nbgrader's `zip_collect` unpacks whatever the archives hold, to wherever they say, and replaces what
is there. Here nothing that a student named becomes a path before it was checked, and a submission
that is there already gives way only to a newer upload of the same student; it is kept aside.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.course import Course
from autograder.desk.lms_names import (
    Lms,
    LmsError,
    Owner,
    Person,
    Roster,
    parse,
    read_worksheet,
)
from autograder.desk.uploads import RUBBISH, Upload, files_of
from autograder.grading.prepare import TIMESTAMP
from autograder.grading.swap import alone

NEW, REPLACED, UNCHANGED, KEPT = "new", "replaced", "unchanged", "kept"


@dataclass(frozen=True)
class Collected:
    """What became of a student's submission.

    Attributes:
        student: the student's id.
        what: "new", "replaced", "unchanged" (as it is there already) or "kept" (the one that was
            there stays, although the download has another).
        why: why a submission was kept; else ''.
        files: the files of the submission in the download.
        late: whether the system says that it was late.
        left_out: why files were left out.
    """

    student: str
    what: str
    why: str
    files: list[str]
    late: bool
    left_out: list[str]


@dataclass
class Collection:
    """What became of a download.

    Attributes:
        collected: the submissions of known students, sorted by student.
        unmatched: for each person without a student in the roster: the name in the download, why.
        left_out: files that belong to nobody, with the reason.
    """

    collected: list[Collected] = field(default_factory=list)
    unmatched: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether everything in the download is in place."""
        kept = any(one.what == KEPT or one.left_out for one in self.collected)
        return not (kept or self.unmatched or self.left_out)


def collect(
    course: Course,
    name: str,
    archives: Sequence[Path],
    lms: Lms,
    *,
    worksheet: Path | None = None,
    replace: bool = False,
    write: bool = True,
) -> Collection:
    """Put the submissions of a download into the folder for submissions.

    Args:
        course: the course; its gradebook has the roster.
        name: the assignment.
        archives: the zips, as downloaded.
        lms: where they come from.
        worksheet: Moodle's grading worksheet, which says who the participants are.
        replace: replace also submissions of which nothing says that they are older.
        write: whether to change anything.

    Raises:
        LmsError: an archive or the worksheet can't be read.
    """
    said = read_worksheet(worksheet) if worksheet else None
    with course.gradebook() as gradebook:
        roster = Roster(lms, [Person.of(student) for student in gradebook.students], said)
    made = Collection()
    opened: list[zipfile.ZipFile] = []
    try:
        for path in archives:
            opened.append(_open(path))
        uploads = list(_uploads(opened, lms, made.left_out))
        for student, own in _by_student(uploads, roster, made).items():
            place = _Place(course, name, student, lms)
            made.collected.append(place.take(own, replace=replace, write=write))
    finally:
        for archive in opened:
            archive.close()
    made.collected.sort(key=lambda one: one.student)
    return made


def _open(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise LmsError(
            f"{path} is no zip that can be read: {error}",
            "give the zip as the system made it: Canvas's 'Download Submissions', Moodle's"
            " 'Download all submissions'",
        ) from error


def _uploads(
    archives: Iterable[zipfile.ZipFile], lms: Lms, left_out: list[str]
) -> Iterator[Upload]:
    for archive in archives:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        names = parse(lms, [entry.filename for entry in entries])
        for entry in entries:
            named = names[entry.filename]
            if named is not None:
                yield Upload(archive, entry, named)
            elif not entry.filename.startswith(RUBBISH):
                left_out.append(f"{entry.filename[:200]!r}: not named as {lms.value} names files")


def _by_student(
    uploads: Iterable[Upload], roster: Roster, made: Collection
) -> dict[str, list[Upload]]:
    of: dict[str, list[Upload]] = {}
    known: dict[Owner, tuple[str | None, str]] = {}
    for upload in uploads:
        owner = upload.named.owner
        if owner not in known:
            known[owner] = roster.find(owner)
        student, why = known[owner]
        if student is None:
            made.unmatched[f"{owner.name} ({owner.number})"] = why
        else:
            of.setdefault(student, []).append(upload)
    return of


class _Place:
    """Where a student's submission lies, and the record of what was collected for it."""

    def __init__(self, course: Course, name: str, student: str, lms: Lms) -> None:
        self._course, self._name, self._student, self._lms = course, name, student, lms
        self._final = course.path("submitted", name, student)
        self._aside = course.root / "downloaded" / name
        self._record = self._aside / "collected" / f"{student}.json"

    def take(self, uploads: list[Upload], *, replace: bool, write: bool) -> Collected:
        """Put the uploads into place, unless what is there has to stay."""
        uploads.sort(key=lambda upload: upload.version)
        files, left_out = files_of(self._course, self._name, uploads)
        late = any(upload.named.late for upload in uploads)
        if not files:
            why = "there is nothing in it that can be used"
            return Collected(self._student, KEPT, why, [], late, left_out)
        version = uploads[-1].version
        with alone(self._final):
            what, why = self._decide(_hashes(files), version, replace)
            if write and what in (NEW, REPLACED):
                self._put(files)
            if write and what != KEPT:
                self._remember(_hashes(files), version)
        return Collected(self._student, what, why, sorted(files), late, left_out)

    # ── what is there already ──

    def _decide(
        self, files: dict[str, str], version: tuple[int, ...], replace: bool
    ) -> tuple[str, str]:
        if not os.path.lexists(self._final):
            return NEW, ""
        there = _hashes_of_folder(self._final)
        if there == files:
            return UNCHANGED, ""
        if replace:
            return REPLACED, ""
        record = self._recorded()
        if record is None or record["from"] != self._lms.value:
            return KEPT, "the submission that is there came in another way"
        if record["files"] != there:
            return KEPT, "the submission that is there was changed since it was collected"
        if version > tuple(record["version"]):
            return REPLACED, ""
        older = version < tuple(record["version"])
        return KEPT, f"the submission that is there is {'newer' if older else 'as old'}"

    def _recorded(self) -> dict[str, Any] | None:
        try:
            record = json.loads(self._record.read_text(encoding="utf-8"))
            return record if {"from", "version", "files"} <= record.keys() else None
        except (OSError, ValueError, AttributeError):
            return None

    def _remember(self, files: dict[str, str], version: tuple[int, ...]) -> None:
        """Record what is in place; the same files in an older upload make it no older."""
        known = self._recorded()
        if known and known["from"] == self._lms.value and known["files"] == files:
            version = max(version, tuple(known["version"]))
        self._record.parent.mkdir(parents=True, exist_ok=True)
        record = {"from": self._lms.value, "version": version, "files": files}
        _write(self._record, json.dumps(record).encode())

    # ── in place ──

    def _put(self, files: Mapping[str, bytes]) -> None:
        """Build the new folder beside the old one, and move the old one aside."""
        building = self._final.with_name(f".collecting-{uuid.uuid4().hex}")
        try:
            for name, data in files.items():
                path = building / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            if os.path.lexists(self._final):
                replaced = self._aside / "replaced" / self._student
                replaced.mkdir(parents=True, exist_ok=True)
                numbers = (int(one.name) for one in replaced.iterdir() if one.name.isdigit())
                shutil.move(self._final, replaced / f"{max(numbers, default=0) + 1}")
            building.rename(self._final)
        finally:
            shutil.rmtree(building, ignore_errors=True)


def _write(path: Path, data: bytes) -> None:
    building = path.with_name(f".{path.name}.new")
    building.write_bytes(data)
    building.replace(path)


def _hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def _hashes_of_folder(folder: Path) -> dict[str, str]:
    """The hashes of a submission's files, without its time; what is no plain file has none."""
    hashes = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place) / name
            relative = path.relative_to(folder).as_posix()
            if relative == TIMESTAMP:
                continue
            plain = path.is_file() and not path.is_symlink()
            hashes[relative] = hashlib.sha256(path.read_bytes()).hexdigest() if plain else ""
    return hashes
