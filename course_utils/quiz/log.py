"""The attempt log: every submitted answer, in a file beside the notebook.

`attempts.jsonl` is append-only, one JSON object a line; the first line says what the log is for,
and a release ships it. Each line carries a hash over itself and the line before it, so that a
line that is changed, moved or removed shows. `attempts.seal` holds how long the log is, so that
a log cut at its end shows too. A write is on the disk before the student is told so.

This finds damage and careless edits. Whoever rewrites both files from the start, hashes and all,
is not found: that takes a record which is not on the student's machine.
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
_LISTED = 20  # as many remarks, and as much of a stranger's text, are quoted
_QUOTED = 300  # longer than any remark of ours

Entry = dict[str, Any]


@dataclass
class History:
    """What a log says.

    Attributes:
        entries: The readable lines, in order.
        exists: Whether there is a log at all.
        damage: Why an instructor has to look; empty for an honest log, crashes included.
        notes: What an instructor may want to know.
        torn: An unfinished last line: a write was cut off by a crash.
        chain: The last line's hash.
    """

    entries: list[Entry] = field(default_factory=list)
    exists: bool = False
    damage: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    torn: str = ""
    chain: str = ""

    def attempts(self, question_id: str) -> list[Entry]:
        """The submitted answers to one question, the first one first."""
        return [
            entry
            for entry in self.entries
            if entry.get("event") == "attempt" and entry.get("question") == question_id
        ]

    @property
    def student(self) -> str:
        """The id that the student last gave, or ''."""
        given = [entry for entry in self.entries if entry.get("event") == "student"]
        return _quoted(given[-1].get("student", "")) if given else ""

    @property
    def students(self) -> set[str]:
        """Every id under which something was answered."""
        named = {_quoted(entry.get("student", "")) for entry in self.entries if "answer" in entry}
        return named - {""}


def first_line(assignment: str | None, versions: Mapping[str, str]) -> str:
    """The line that a release ships as its attempt log."""
    return _line(_start(assignment, versions), "")


def _start(assignment: str | None, versions: Mapping[str, str]) -> Entry:
    start: Entry = {"log": "attempts", "format": FORMAT, "assignment": assignment}
    # Practice may gain and change questions while a log is in use.
    return start | ({"questions": dict(versions)} if assignment else {})


# ── reading ─────────────────────────────────────────────────────────────────────────────────────


def read(folder: str | Path = ".") -> History:
    """What the log of a notebook's folder says. Never raises for what is in the files."""
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
    """What the log among some files, by name, says. Never raises for what is in them."""
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
        json.dumps(entry)  # what can be read may yet be too deep to be written, or to be hashed
    except RecursionError:
        return None
    return entry


def _quoted(value: object) -> str:
    """A stranger's text, cut; of anything else only what it is."""
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
    """Damage that was seen while the log was in use stays damage."""
    known = set(history.damage)
    history.damage += [text for text in dict.fromkeys(_told(history)) if text not in known]
    if len(students := history.students) > 1:
        history.notes.append(f"attempts under several ids: {', '.join(_few(sorted(students)))}")


def _told(history: History) -> list[str]:
    """The damage that the log itself tells of."""
    lists = [entry.get("found") for entry in history.entries if entry.get("event") == "damage"]
    return [text for found in lists if isinstance(found, list) for text in map(_quoted, found)]


def inspect(history: History, student: str) -> list[str]:
    """What to tell the instructor about a submission's log, damage first; [] if all is well.

    Args:
        history: The log, from `read` or `parse`.
        student: The id that the gradebook has.
    """
    if not history.exists:
        return [f"{LOG_NAME} is missing"]
    found = [*_few(history.damage), *_few(history.notes)]
    if others := history.students - {_quoted(student)}:
        names = ", ".join(_few(sorted(others)))
        found.append(f"questions were answered under the id {names}, submitted by {student}")
    return found


def sound(folder: str | Path, assignment: str | None) -> History:
    """The log, if it can be trusted as far as a local log can.

    Raises:
        NeedsReview: It is missing or damaged, or belongs to another assignment.
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
    """Add one event; it is on the disk when this returns.

    Safe for several kernels at once, and after a crash: an unfinished line is closed and told of.

    Args:
        folder: The notebook's folder.
        event: What happened; the time, if it has none, and the hash are added.
        assignment: What the log is for; None for practice.
        versions: The questions' versions, for the first line of a log that is missing.
        seen: For an attempt: how many attempts at the question the student's form knew of.

    Raises:
        AlreadyAnsweredError: There are more attempts than the form knew of.
        OSError: The file can't be written.
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
        told = set(_told(history))
        if fresh := [text for text in history.damage if text not in told]:
            lines.append({"event": "damage", "found": fresh, "time": _now()})
        lines.append({"time": _now(), **event})
        text, chain = "" if content.endswith(b"\n") or not content else "\n", history.chain
        for entry in lines:
            text += _line(entry, chain)
            chain = _chain(entry, chain)
        _write(log, text.encode())
        seal = {"lines": len(history.entries) + len(lines), "chain": chain}
        (folder / SEAL_NAME).write_text(json.dumps(seal) + "\n", encoding="utf-8")
    return read(folder)


def _write(log: BufferedRandom, data: bytes) -> None:
    # One write, past Python's buffer: another process sees all of it or, after a crash, a part.
    written = os.write(log.fileno(), data)
    while written < len(data):
        written += os.write(log.fileno(), data[written:])
    os.fsync(log.fileno())


def _line(entry: Entry, before: str) -> str:
    return json.dumps({**entry, "chain": _chain(entry, before)}) + "\n"


def _chain(entry: Entry, before: str) -> str:
    content = {name: value for name, value in entry.items() if name != "chain"}
    whole = before + json.dumps(content, sort_keys=True)
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextmanager
def _locked(path: Path) -> Iterator[BufferedRandom]:
    """The file, opened to append, while no other process has it so; released by a crash too."""
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

    # Windows locks bytes, and nobody can read locked ones: take one far behind the end.
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
