"""nbgrader's collect for an exchange into which students write what they like.

c.ExchangeFactory.collect = "autograder.grading.exchange.Collect"

nbgrader's own follows links, with the rights of the account that collects, takes a submission that
is still being written, only warns if somebody hands in as somebody else, and stops for the whole
class at a name or a file without a time, and at a folder that is too large or too deep.
"""

from __future__ import annotations

import datetime
import os
import pwd
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbgrader.exchange.default.collect import ExchangeCollect

from autograder.grading.archive import MAX_PATH
from autograder.grading.prepare import EXCHANGE_FILES, TIMESTAMP, open_plain, time_in

_, SECRET = EXCHANGE_FILES
MOST_ENTRIES = 20_000  # files and folders of a submission
DOUBTFUL = datetime.timedelta(minutes=10)


class Collect(ExchangeCollect):
    """Collects plain files of the student's own account; a bad submission is left out by name."""

    def init_src(self) -> None:
        """Find the newest submission of each student, among those that are complete and genuine."""
        if not self.coursedir.course_id:
            self.fail("No course id specified. Re-run with --course flag.")
        self.inbound_path = str(Path(self.root) / self.coursedir.course_id / "inbound")
        if not os.access(self.inbound_path, os.R_OK | os.X_OK):
            self.fail(f"Course not found, or not yours: {self.inbound_path}")
        newest: dict[str, dict[str, Any]] = {}
        for record in self._records():
            old = newest.get(record["username"])
            if old is None or self._counts_more(record["timestamp"], old["timestamp"]):
                newest[record["username"]] = record
        self.src_records = [newest[student] for student in sorted(newest)]

    def _counts_more(self, new: datetime.datetime, old: datetime.datetime) -> bool:
        """Whether a submission counts more than another; with `before_duedate`, late ones don't."""
        due = self._due_date() if self.before_duedate else None
        if due is not None and (new <= due) != (old <= due):
            return bool(new <= due)
        return bool(new > old)

    def _due_date(self) -> datetime.datetime | None:
        from nbgrader.api import Gradebook, MissingEntry

        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            try:
                due: datetime.datetime | None = gradebook.find_assignment(
                    self.coursedir.assignment_id
                ).duedate
            except MissingEntry:
                return None
        return due

    def _records(self) -> Iterator[dict[str, Any]]:
        """What was handed in; what can't be taken is named in the log, and left where it is."""
        for entry in sorted(os.scandir(self.inbound_path), key=lambda entry: entry.name):
            parts = entry.name.rsplit("+", 3)
            wanted = self.coursedir.student_id or "*"
            if len(parts) < 3 or parts[1] != self.coursedir.assignment_id:
                continue
            if wanted not in ("*", parts[0]):
                continue
            try:
                record = self._path_to_record(entry.path)
            except Exception:  # any exception of the parser of times
                self.log.warning("%s is left out: its name has no time", entry.name)
                continue
            if problem := self._problem(Path(entry.path), record):
                self.log.warning("%s is left out: %s", entry.name, problem)
            else:
                yield record

    def _problem(self, folder: Path, record: dict[str, Any]) -> str | None:
        """Why a submission can't be taken; None if it can."""
        if record["username"].startswith(".") or not record["username"]:
            return "its name has no student"  # ".." would lead out of the folder for submissions
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode):
            return "it is not a folder"
        owner = _account(status.st_uid)
        if self.check_owner and owner != record["username"]:
            return f"it belongs to the account {owner}, and says {record['username']}"
        if not all((folder / name).is_file() for name in EXCHANGE_FILES):
            return "it is not complete: wait until it is written, then collect again"
        changed = datetime.datetime.fromtimestamp(status.st_ctime, datetime.UTC)
        if changed.replace(tzinfo=None) - record["timestamp"].replace(tzinfo=None) > DOUBTFUL:
            self.log.warning(
                "%s says that it was handed in at %s UTC; its folder was last changed at %s",
                folder.name,
                record["timestamp"],
                f"{changed:%Y-%m-%d %H:%M:%S} UTC",
            )
        return None

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:  # noqa: ARG002 - nbgrader's name
        """Copy the plain files of a submission, without links, within the limits of the course."""
        place = Path(dest)
        with tempfile.TemporaryDirectory(prefix=".collecting-", dir=place.parent) as scratch:
            new = Path(scratch) / "new"
            new.mkdir()
            self._copy_plain_files(Path(src), new)
            self._keep_time(Path(src), new)
            self._keep_secret(Path(src), new)
            shutil.rmtree(place, ignore_errors=True)
            new.rename(place)

    def _keep_time(self, source: Path, copied: Path) -> None:
        """Let timestamp.txt say what the folder's name says, which was compared with the clock.

        A grade's lateness is read from the file, and the next collection would stop at a file
        without a time.
        """
        file, when = copied / TIMESTAMP, self._path_to_record(str(source))["timestamp"]
        if not file.is_file() or time_in(file.read_bytes()) != when:
            self.log.warning("%s: its %s says another time", source.name, TIMESTAMP)
            file.write_text(f"{when:%Y-%m-%d %H:%M:%S.%f} UTC", encoding="utf-8")

    def _keep_secret(self, source: Path, copied: Path) -> None:
        """Put another secret in the place of none; nbgrader needs one to release any feedback."""
        file = copied / SECRET
        try:
            secret = file.read_text(encoding="utf-8") if file.is_file() else ""
        except UnicodeDecodeError:
            secret = ""
        if not secret:
            self.log.warning("%s: no %s, its student can't fetch feedback", source.name, SECRET)
            file.write_text(secrets.token_hex(32), encoding="utf-8")

    def _copy_plain_files(self, source: Path, target: Path) -> None:
        owner = source.lstat().st_uid
        budget, entries = 1000 * int(self.coursedir.max_dir_size), 0
        # os.fwalk enters no link, also if a folder is replaced while it walks.
        for folder, below, names, descriptor in os.fwalk(source, follow_symlinks=False):
            relative = Path(folder).relative_to(source)
            if len(os.fsencode(relative)) > MAX_PATH:
                self.log.warning("%s… is left out", str(folder)[:MAX_PATH])
                below.clear()
                continue
            entries += 1
            place = target / relative
            place.mkdir(exist_ok=True)
            for name in sorted(names, key=lambda name: name not in EXCHANGE_FILES):
                entries += 1
                content = _plain_file(name, descriptor, owner, budget)
                if content is None or entries > MOST_ENTRIES:
                    self.log.warning("%s is left out", Path(folder) / name)
                    continue
                budget -= len(content)
                (place / name).write_bytes(content)
            if entries > MOST_ENTRIES:
                break


def _account(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"number {uid}"


def _plain_file(name: str, folder: int, owner: int, most: int) -> bytes | None:
    """A plain file of the owner's; None if it is anything else, or larger than `most` bytes."""
    if (file := open_plain(name, folder)) is None:
        return None
    with file:
        status = os.fstat(file.fileno())
        ours = status.st_uid == owner and status.st_size <= most
        return file.read(most) if ours else None
