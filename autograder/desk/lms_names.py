"""Whose file it is: the names that Canvas and Moodle give to the files of a download.

Canvas: `lovelaceada_LATE_4711_98765_ps5.zip`, with the person's sortable name, "LATE" if it was
late, and the numbers of the person and of the upload.

Moodle: `Ada Lovelace_815_assignsubmission_file/ps5.zip`, with a number that the participant has in
this assignment only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from autograder.attempts.csv_cells import read_rows
from autograder.errors import AutograderError

if TYPE_CHECKING:
    from nbgrader.api import Student


class LmsError(AutograderError):
    """A file of a learning management system can't be used. Nothing was changed."""


class Lms(StrEnum):
    """A learning management system."""

    CANVAS = "canvas"
    MOODLE = "moodle"


# For nbgrader's FileNameCollectorPlugin. Folders around a download may come first. The first name
# of this form counts: those after it are of files and folders that the student named.
PATTERNS = {
    Lms.CANVAS: (
        r"(?:.*?/)??(?P<name>[^/]*?)(?:_(?P<late>LATE))?"
        r"_(?P<student_id>\d+)_(?P<version>\d+)_(?P<file_id>.+)"
    ),
    Lms.MOODLE: (
        r"(?:.*?/)??(?P<name>[^/]+?)"
        r"_(?P<student_id>\d+)_assignsubmission_file(?:_?/|_)(?P<file_id>.+)"
    ),
}


@dataclass(frozen=True)
class Owner:
    """What a file's name says about its owner.

    Attributes:
        name: the person's name, as the system writes it.
        number: the person's number in Canvas; the participant's number in Moodle.
    """

    name: str
    number: str


@dataclass(frozen=True)
class NamedFile:
    """What the name of a file in a download says.

    Attributes:
        owner: whose it is.
        file: the file's own path.
        late: whether the system says that it was late.
        version: grows with each upload; 0 if the system doesn't say.
    """

    owner: Owner
    file: str
    late: bool
    version: int


def parse(lms: Lms, paths: Iterable[str]) -> dict[str, NamedFile | None]:
    """What the paths in a download say; None for a path of another form."""
    from nbgrader.plugins import FileNameCollectorPlugin

    paths = list(paths)
    suffixes = sorted({PurePosixPath(path).suffix for path in paths})
    plugin = FileNameCollectorPlugin(named_regexp=PATTERNS[lms], valid_ext=suffixes)
    return {path: _named(plugin.collect(path)) for path in paths}


def _named(parts: Mapping[str, str | None] | None) -> NamedFile | None:
    if parts is None:
        return None
    return NamedFile(
        owner=Owner(parts["name"] or "", parts["student_id"] or ""),
        file=parts["file_id"] or "",
        late=bool(parts.get("late")),
        version=int(parts.get("version") or 0),
    )


@dataclass(frozen=True)
class Person:
    """A student of the roster, as far as it helps to know whose file it is."""

    id: str
    first_name: str
    last_name: str
    email: str
    lms_user_id: str

    @classmethod
    def of(cls, student: Student) -> Person:
        """A student of the gradebook."""
        names = ("first_name", "last_name", "email", "lms_user_id")
        return cls(student.id, *(getattr(student, name) or "" for name in names))

    @property
    def names(self) -> set[str]:
        """The names that a system may write for the person, reduced to letters and digits."""
        first, last = self.first_name, self.last_name
        return {reduced(f"{first}{last}"), reduced(f"{last}{first}")} - {""}


def reduced(name: str) -> str:
    """A name without what systems drop or change: case, accents' form, spaces and signs."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", name)).casefold()


class Roster:
    """Finds the student whom a file's name means.

    Args:
        lms: the system.
        people: the students of the roster.
        worksheet: for Moodle: what the grading worksheet says of each participant, by number.
    """

    def __init__(
        self, lms: Lms, people: Iterable[Person], worksheet: Mapping[str, set[str]] | None = None
    ) -> None:
        self._lms, self._people, self._worksheet = lms, list(people), worksheet or {}

    def find(self, owner: Owner) -> tuple[str | None, str]:
        """The student's id, or None and why there is none."""
        if not self._people:
            return None, "the gradebook has no students: import a roster first"
        if self._lms is Lms.CANVAS:
            matching = [one for one in self._people if one.lms_user_id == owner.number]
            others = [one for one in self._people if not one.lms_user_id.isdigit()]
        else:
            said = self._worksheet.get(owner.number, set())
            matching = [one for one in self._people if said & self._keys(one)]
            others = self._people if not said else []
        if not matching:
            matching = [one for one in others if reduced(owner.name) in one.names]
        if len(matching) == 1:
            return matching[0].id, ""
        return None, self._why(owner, matching)

    @staticmethod
    def _keys(person: Person) -> set[str]:
        return {
            key.casefold() for key in (person.email, person.lms_user_id, person.id) if key.strip()
        }

    def _why(self, owner: Owner, matching: list[Person]) -> str:
        if matching:
            names = ", ".join(sorted(one.id for one in matching))
            remedy = " (give Moodle's grading worksheet)" if self._lms is Lms.MOODLE else ""
            return f"it may be any of {names}{remedy}"
        if owner.name in ("anon", "Participant"):
            return "the download is anonymous"
        what = "lms_user_id" if self._lms is Lms.CANVAS else "name"
        return f"nobody in the roster has this {what}"


def read_worksheet(path: Path) -> dict[str, set[str]]:
    """Moodle's grading worksheet: what identifies each participant, by the participant's number.

    Raises:
        LmsError: the file is no grading worksheet.
    """
    try:
        rows = read_rows(path)
    except (OSError, UnicodeDecodeError) as error:
        raise LmsError(f"{path} can't be read: {error}", "download the worksheet again") from error
    if "Identifier" not in (rows.fieldnames or []):
        raise LmsError(
            f"{path} has no column 'Identifier'",
            "in Moodle's assignment, choose 'Download grading worksheet' (in English)",
        )
    said = {}
    for row in rows:
        number = re.search(r"\d+", row["Identifier"] or "")
        values = (row.get(name) for name in ("Email address", "ID number", "Username"))
        if number:
            said[number.group()] = {value.strip().casefold() for value in values if value}
    return said
