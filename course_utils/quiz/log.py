"""The attempt log: every submitted answer, in a file beside the notebook.

`attempts.jsonl` is append-only, with one JSON object on each line. The first line says what the
log is for; a release ships it. Each line carries a hash over itself and over the hash of the line
before it, so a line that was changed, moved or removed is noticed. `attempts.seal` holds the
length of the log, so a log whose end was cut off is noticed too. The student is told that an
answer is recorded only when it is on the disk.

The hashes reveal damage and careless edits. They don't reveal a student who rewrites both files
from the start with new hashes; only a record outside the student's computer could reveal that.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BufferedRandom
from pathlib import Path
from typing import Any

from .errors import AlreadyAnsweredError, NeedsReview

LOG_NAME = "attempts.jsonl"
SEAL_NAME = "attempts.seal"
FORMAT = 1
MAX_BYTES = 4_000_000
MAX_LINES = 20_000  # an honest line has some 200 bytes
_LISTED = 20  # how many remarks are quoted
_QUOTED = 300  # how many characters of a text from a log are quoted; our remarks are shorter

Entry = dict[str, Any]


@dataclass
class History:
    """The content of a log, and what is wrong with it.

    Attributes:
        entries: the readable lines, in order.
        exists: whether there is a log.
        damage: the reasons why an instructor has to look. An honest log has none, even after a
            crash.
        notes: remarks that an instructor may want to know.
        torn: an unfinished last line, which a crash during a write leaves behind.
        chain: the hash of the last line.
    """

    entries: list[Entry] = field(default_factory=list)
    exists: bool = False
    damage: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    torn: str = ""
    chain: str = ""

    def attempts(self, question_id: str) -> list[Entry]:
        """List the submitted answers to one question, the first answer first."""
        return [
            entry
            for entry in self.entries
            if entry.get("event") == "attempt" and entry.get("question") == question_id
        ]

    @property
    def student(self) -> str:
        """The last id that the student gave, or ''."""
        events = [entry for entry in self.entries if entry.get("event") == "student"]
        return _quoted(events[-1].get("student", "")) if events else ""

    @property
    def students(self) -> set[str]:
        """All ids under which a question was answered."""
        ids = {_quoted(entry.get("student", "")) for entry in self.entries if "answer" in entry}
        return ids - {""}


def first_line(assignment: str | None, versions: Mapping[str, str]) -> str:
    """Make the first line of an attempt log, which a release ships."""
    return whole(assignment, versions, [])[0]


def whole(
    assignment: str | None, versions: Mapping[str, str], events: list[Entry]
) -> tuple[str, str]:
    """Make a log with these events, which have their times, and its seal."""
    return _after(0, "", [_start(assignment, versions), *events])


def _start(assignment: str | None, versions: Mapping[str, str]) -> Entry:
    start: Entry = {"log": "attempts", "format": FORMAT, "assignment": assignment}
    # The log of practice questions names no versions, because an instructor may add and change
    # practice questions while the log is in use.
    return start | ({"questions": dict(versions)} if assignment else {})


# ── reading ─────────────────────────────────────────────────────────────────────────────────────


def read(folder: str | Path = ".") -> History:
    """Read the log in a notebook's folder. Never raises, whatever the files contain."""
    folder = os.fspath(folder)
    try:
        with open(os.path.join(folder, LOG_NAME), "rb") as log:  # noqa: PTH118, PTH123
            content = log.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return History()
    except OSError as error:
        return History(exists=True, damage=[f"the log can't be read: {error.strerror}"])
    return parse({LOG_NAME: content, SEAL_NAME: _read_seal(folder)})


def _read_seal(folder: str) -> bytes:
    try:
        with open(os.path.join(folder, SEAL_NAME), "rb") as file:  # noqa: PTH118, PTH123
            return file.read(1000)
    except OSError:
        return b""


def _seal(content: bytes) -> Entry | None:
    try:
        seal = json.loads(content[:1000])
        return {"lines": int(seal["lines"]), "chain": str(seal["chain"])}
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None


def parse(files: Mapping[str, bytes]) -> History:
    """Read the log from the contents of files. Never raises, whatever the files contain.

    Args:
        files: the contents by file name. The log and its seal may be missing.
    """
    content, seal = files.get(LOG_NAME, b""), _seal(files.get(SEAL_NAME, b""))
    history = History(exists=bool(content))
    if len(content) > MAX_BYTES:
        history.damage.append(f"the log is larger than {MAX_BYTES:,} bytes")
        content = content[:MAX_BYTES]
    lines = content.decode("utf-8", errors="replace").splitlines()
    if len(lines) > MAX_LINES:
        history.damage.append(f"the log has more than {MAX_LINES:,} lines")
        lines = lines[:MAX_LINES]
    ends_whole = content.endswith((b"\n", b"\r"))
    unreadable: list[int] = []
    for number, line in enumerate(lines, start=1):
        entry = _entry(line)
        if entry is None:
            if number == len(lines) and not ends_whole:
                history.torn = line
            elif line.strip():
                unreadable.append(number)
            continue
        if entry.get("event") == "mended" and unreadable[-1:] == [number - 1]:
            unreadable.pop()
            history.notes.append(f"a write was cut off by a crash (line {number - 1})")
        if entry["chain"] != _chain(entry, history.chain):
            history.damage.append(f"line {number} was changed, or one before it removed")
        history.chain = entry["chain"]
        history.entries.append(entry)
    history.damage += [f"line {number} can't be read" for number in unreadable]
    if history.torn:
        history.notes.append("the last write was cut off by a crash")
    _check_start(history)
    _check_seal(history, seal)
    _check_events(history)
    return history


def _entry(line: str) -> Entry | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or not isinstance(entry.get("chain"), str):
        return None
    try:
        json.dumps(entry)  # JSON that can be read may still be nested too deeply to be written
    except RecursionError:
        return None
    return entry


def _quoted(value: object) -> str:
    """A text from a log, cut to a safe length. For other values, the number or the type."""
    if isinstance(value, str):
        return value if len(value) <= _QUOTED else value[:_QUOTED] + "…"
    return str(value) if isinstance(value, int | float) else f"({type(value).__name__})"


def _few(remarks: list[str]) -> list[str]:
    more = len(remarks) - _LISTED
    return remarks if more <= 0 else [*remarks[:_LISTED], f"and {more} more like these"]


def _check_start(history: History) -> None:
    start = history.entries[0] if history.entries else {}
    if history.exists and start.get("log") != "attempts":
        history.damage.append("the first line, which came with the assignment, is missing")
    elif start.get("assignment") and "made" in start:
        history.damage.append(
            "the log that came with the assignment was gone; this one was started anew "
            f"({_quoted(start['made'])})"
        )


def _check_seal(history: History, seal: Entry | None) -> None:
    entries = history.entries
    if seal is None:
        if len(entries) > 1:
            history.notes.append(f"{SEAL_NAME} is missing: a cut at the log's end wouldn't show")
    elif seal["lines"] > len(entries):
        lost = seal["lines"] - len(entries)
        history.damage.append(f"{lost} line(s) that were written are missing at the end")
    elif seal["lines"] > 0 and entries[seal["lines"] - 1]["chain"] != seal["chain"]:
        history.damage.append(f"the log is not the one that {SEAL_NAME} belongs to")


def _check_events(history: History) -> None:
    """Add the damage that was recorded while the log was in use."""
    seen = set(history.damage)
    history.damage += [text for text in dict.fromkeys(_told(history)) if text not in seen]
    if len(students := history.students) > 1:
        history.notes.append(f"attempts under several ids: {', '.join(_few(sorted(students)))}")


def _told(history: History) -> list[str]:
    """The damage that the log itself records."""
    recorded = [entry.get("found") for entry in history.entries if entry.get("event") == "damage"]
    return [
        text for remarks in recorded if isinstance(remarks, list) for text in map(_quoted, remarks)
    ]


def inspect(history: History, student: str) -> list[str]:
    """List what an instructor should know about the log of a submission.

    Args:
        history: the log, from `read` or `parse`.
        student: the student's id in the gradebook.

    Returns:
        The remarks, damage first; [] if all is well.
    """
    if not history.exists:
        return [f"{LOG_NAME} is missing"]
    remarks = [*_few(history.damage), *_few(history.notes)]
    if others := history.students - {_quoted(student)}:
        names = ", ".join(_few(sorted(others)))
        remarks.append(f"questions were answered under the id {names}, submitted by {student}")
    return remarks


def sound(folder: str | Path, assignment: str | None) -> History:
    """Read the log, and check that it exists, is undamaged and belongs to the assignment.

    Args:
        folder: the notebook's folder.
        assignment: the name of the assignment; None for practice.

    Raises:
        NeedsReview: the log is missing or damaged, or belongs to another assignment.
    """
    history = read(folder)
    if not history.exists:
        raise NeedsReview(
            f"NEEDS REVIEW, not a zero: {LOG_NAME} was not handed in with the notebook. It lies "
            "beside the notebook; hand in both."
        )
    if history.damage:
        raise NeedsReview(
            f"NEEDS REVIEW, not a zero: {LOG_NAME}: {'; '.join(_few(history.damage))}"
        )
    if history.entries[0].get("assignment") != assignment:
        raise NeedsReview(
            f"NEEDS REVIEW, not a zero: {LOG_NAME} belongs to "
            f"'{history.entries[0].get('assignment')}', not to '{assignment}'"
        )
    return history


# ── writing ─────────────────────────────────────────────────────────────────────────────────────


def append(
    folder: Path,
    event: Entry,
    *,
    assignment: str | None,
    versions: Mapping[str, str],
    seen: int | None = None,
) -> History:
    """Add an event to the log. The event is on the disk when this function returns.

    Several kernels may call this at the same time. After a crash, an unfinished line is closed,
    and the crash is recorded.

    Args:
        folder: the notebook's folder.
        event: what happened. The hash is added, and the time if the event has none.
        assignment: the name of the assignment; None for practice.
        versions: the versions of the questions, for the first line of a new log.
        seen: for an attempt, the number of earlier attempts that the student's form showed.

    Returns:
        The log with the new event.

    Raises:
        AlreadyAnsweredError: the log has another number of attempts than the form showed.
        OSError: the file can't be written.
    """
    with _locked(folder / LOG_NAME) as log:
        content = log.read()
        history = parse({LOG_NAME: content, SEAL_NAME: _read_seal(os.fspath(folder))})
        if seen is not None and len(history.attempts(event["question"])) != seen:
            raise AlreadyAnsweredError("answered in another window")
        lines: list[Entry] = []
        if not history.exists:
            lines.append({**_start(assignment, versions), "made": _now()})
        elif history.torn:
            lines.append({"event": "mended", "lost": history.torn[:1000], "time": _now()})
        recorded = set(_told(history))
        if new_damage := [text for text in history.damage if text not in recorded]:
            lines.append({"event": "damage", "found": new_damage, "time": _now()})
        lines.append({"time": _now(), **event})
        text, seal = _after(len(history.entries), history.chain, lines)
        _write(log, (text if content.endswith(b"\n") or not content else "\n" + text).encode())
        (folder / SEAL_NAME).write_text(seal, encoding="utf-8")
    return read(folder)


def _write(log: BufferedRandom, data: bytes) -> None:
    # Written without Python's buffer, in a single write if possible, so that another process sees
    # all of the data. Only a crash can leave a part of it.
    written = os.write(log.fileno(), data)
    while written < len(data):
        written += os.write(log.fileno(), data[written:])
    os.fsync(log.fileno())


def _after(number: int, chain: str, entries: list[Entry]) -> tuple[str, str]:
    """The text of entries after a number of others, the last with hash `chain`; and the seal."""
    lines = []
    for entry in entries:
        chain = _chain(entry, chain)
        lines.append(json.dumps({**entry, "chain": chain}) + "\n")
    return "".join(lines), json.dumps({"lines": number + len(lines), "chain": chain}) + "\n"


def _chain(entry: Entry, before: str) -> str:
    content = {name: value for name, value in entry.items() if name != "chain"}
    whole = before + json.dumps(content, sort_keys=True)
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextmanager
def _locked(path: Path) -> Iterator[BufferedRandom]:
    """Open the file to append, under a lock. The system releases the lock after a crash."""
    with path.open("a+b") as file:
        _lock(file.fileno())
        try:
            file.seek(0)
            yield file
        finally:
            with suppress(OSError):
                _unlock(file.fileno())


if sys.platform == "win32":
    import msvcrt

    # Windows locks bytes, and a locked byte can't be read. So lock a byte far beyond the end.
    _LOCKED_BYTE = 2**30

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)  # tries for ten seconds

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
