"""The attempt log: what survives, what is found, and what cannot be found."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time

import pytest

from course_utils.quiz import NeedsReview, log
from course_utils.quiz.errors import AlreadyAnsweredError
from tools.notebooks import ROOT

VERSIONS = {"q1": "v1", "q2": "v1"}


def _attempt(folder, answer, question="q1", seen=None):
    event = {"event": "attempt", "question": question, "version": "v1"}
    event |= {"student": "s1", "answer": answer}
    return log.append(folder, event, assignment="ps", versions=VERSIONS, seen=seen)


@pytest.fixture
def folder(tmp_path):
    """A release's log with three attempts."""
    (tmp_path / log.LOG_NAME).write_text(log.first_line("ps", VERSIONS), encoding="utf-8")
    for answer in (1, 2, 3):
        _attempt(tmp_path, answer)
    return tmp_path


def _lines(folder):
    return (folder / log.LOG_NAME).read_text(encoding="utf-8").splitlines(keepends=True)


def _write(folder, lines):
    (folder / log.LOG_NAME).write_text("".join(lines), encoding="utf-8")


def test_an_honest_log_is_sound(folder):
    history = log.sound(folder, "ps")
    assert [entry["answer"] for entry in history.attempts("q1")] == [1, 2, 3]
    assert log.inspect(log.read(folder), "s1") == []


def test_a_log_as_released_is_sound_and_has_no_attempts(tmp_path):
    _write(tmp_path, [log.first_line("ps", VERSIONS)])
    assert log.sound(tmp_path, "ps").attempts("q1") == []
    assert log.inspect(log.read(tmp_path), "s1") == []


def test_earlier_lines_are_never_touched(folder):
    before = (folder / log.LOG_NAME).read_bytes()
    _attempt(folder, 4)
    assert (folder / log.LOG_NAME).read_bytes().startswith(before)


# ── damage ──────────────────────────────────────────────────────────────────────────────────────


def _edit(lines):
    return [*lines[:1], lines[1].replace('"answer": 1', '"answer": 9'), *lines[2:]]


DAMAGE = {
    "a line edited": _edit,
    "a line removed": lambda lines: [lines[0], *lines[2:]],
    "the first line removed": lambda lines: lines[1:],
    "two lines swapped": lambda lines: [lines[0], lines[2], lines[1], lines[3]],
    "a line doubled": lambda lines: [*lines, lines[-1]],
    "cut at the end": lambda lines: lines[:-1],
    "cut to the release": lambda lines: lines[:1],
    "cut within a line": lambda lines: [*lines[:-1], lines[-1][:30]],
    "cut within an earlier line": lambda lines: [*lines[:-2], lines[-2][:30]],
    "emptied": lambda lines: [],
    "no JSON": lambda lines: [*lines[:2], "not JSON\n", *lines[3:]],
    "a line without a hash": lambda lines: [*lines[:2], "{}\n", *lines[2:]],
    "a list": lambda lines: ["[]\n"],
    "binary": lambda lines: ["\x00\x01\ufffd\n"],
    "deeply nested": lambda lines: ["[" * 100_000 + "\n"],
    "huge": lambda lines: [*lines, "x" * (log.MAX_BYTES + 1)],
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_needs_review_and_is_reported(folder, kind):
    _write(folder, DAMAGE[kind](_lines(folder)))
    with pytest.raises(NeedsReview, match="not a zero"):
        log.sound(folder, "ps")
    assert log.inspect(log.read(folder), "s1")


@pytest.mark.parametrize("kind", DAMAGE)
def test_answering_on_does_not_hide_damage(folder, kind):
    _write(folder, DAMAGE[kind](_lines(folder)))
    _attempt(folder, 7)
    history = _attempt(folder, 8)
    assert history.attempts("q1")[-1]["answer"] == 8 or kind == "huge"
    with pytest.raises(NeedsReview):
        log.sound(folder, "ps")


def test_a_missing_log_needs_review(tmp_path):
    with pytest.raises(NeedsReview, match="not handed in"):
        log.sound(tmp_path, "ps")


def test_a_deleted_log_that_is_started_anew_needs_review(folder):
    (folder / log.LOG_NAME).unlink()
    (folder / log.SEAL_NAME).unlink()
    _attempt(folder, 9)
    with pytest.raises(NeedsReview, match="started anew"):
        log.sound(folder, "ps")


def test_another_assignments_log_needs_review(folder):
    with pytest.raises(NeedsReview, match="belongs to 'ps'"):
        log.sound(folder, "other")


def test_a_missing_seal_is_told_but_is_no_damage(folder):
    (folder / log.SEAL_NAME).unlink()
    log.sound(folder, "ps")
    assert log.inspect(log.read(folder), "s1") == [
        "attempts.seal is missing: a cut at the log's end wouldn't show"
    ]


def test_another_students_id_is_reported(folder):
    assert log.inspect(log.read(folder), "s2") == [
        "questions were answered under the id s1, submitted by s2"
    ]


def test_an_editor_that_changes_line_ends_does_no_damage(folder):
    lines = [line.replace("\n", "\r\n") for line in _lines(folder)]
    (folder / log.LOG_NAME).write_text("".join(lines).rstrip(), encoding="utf-8", newline="")
    log.sound(folder, "ps")
    _attempt(folder, 4)
    assert len(log.sound(folder, "ps").attempts("q1")) == 4


def test_a_chain_rewritten_from_the_start_is_not_found(folder):
    """What a log on the student's own machine can't do; only a record elsewhere could."""
    forged = folder / "forged"
    forged.mkdir()
    _write(forged, [log.first_line("ps", VERSIONS)])
    _attempt(forged, 9)
    for name in (log.LOG_NAME, log.SEAL_NAME):
        (folder / name).write_bytes((forged / name).read_bytes())
    assert log.inspect(log.read(folder), "s1") == []
    assert log.sound(folder, "ps").attempts("q1")[0]["answer"] == 9


# ── crashes and several kernels ─────────────────────────────────────────────────────────────────

WRITER = """
import os, sys
from pathlib import Path
from course_utils.quiz import log
folder, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in range(count):
    event = {"event": "attempt", "question": name, "version": "v1", "student": "s1"}
    log.append(folder, {**event, "answer": number}, assignment="ps", versions={})
    print(number, flush=True)
"""

# A process that is killed when a given number of the line's bytes are in the file.
TORN_WRITER = """
import os, signal, sys
from pathlib import Path
from course_utils.quiz import log
whole = os.write
def cut(descriptor, data):
    whole(descriptor, data[: int(sys.argv[2])])
    os.kill(os.getpid(), signal.SIGKILL)
log.os.write = cut
event = {"event": "attempt", "question": "q1", "version": "v1", "student": "s1", "answer": 4}
log.append(Path(sys.argv[1]), event, assignment="ps", versions={})
"""


def _python(program, *arguments):
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("cut", [1, 40, 150, 10_000])
def test_a_kill_in_mid_write_is_seen_and_harms_nobody(folder, cut):
    process = _python(TORN_WRITER, folder, cut)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    whole = cut == 10_000  # the line was complete, only the student wasn't told
    history = log.sound(folder, "ps")
    assert len(history.attempts("q1")) == (4 if whole else 3)
    assert history.notes == ([] if whole else ["the last write was cut off by a crash"])
    _attempt(folder, 5)
    history = log.sound(folder, "ps")
    assert history.attempts("q1")[-1]["answer"] == 5
    assert log.inspect(log.read(folder), "s1") == (
        [] if whole else ["a write was cut off by a crash (line 5)"]
    )


def test_what_was_confirmed_survives_a_kill_at_any_time(tmp_path):
    _write(tmp_path, [log.first_line("ps", {})])
    dice = random.Random(0)
    confirmed = 0
    for round_ in range(5):
        process = _python(WRITER, tmp_path, f"q{round_}", 100_000)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(dice.uniform(0, 0.1))  # any moment will do
        process.kill()
        output, _ = process.communicate()
        confirmed = 1 + len(output.splitlines())
        attempts = log.sound(tmp_path, "ps").attempts(f"q{round_}")
        assert [entry["answer"] for entry in attempts][:confirmed] == list(range(confirmed))
        assert len(attempts) <= confirmed + 1
    assert confirmed > 1


def test_two_kernels_at_once_lose_nothing(tmp_path):
    _write(tmp_path, [log.first_line("ps", {})])
    writers = [_python(WRITER, tmp_path, name, 40) for name in ("a", "b")]
    for process in writers:
        process.communicate()
        assert process.returncode == 0
    history = log.sound(tmp_path, "ps")
    assert [len(history.attempts(name)) for name in ("a", "b")] == [40, 40]


def test_of_two_forms_that_saw_no_answer_one_is_refused(tmp_path):
    _write(tmp_path, [log.first_line("ps", VERSIONS)])
    _attempt(tmp_path, 1, seen=0)
    with pytest.raises(AlreadyAnsweredError):
        _attempt(tmp_path, 2, seen=0)
    assert [entry["answer"] for entry in log.read(tmp_path).attempts("q1")] == [1]
    _attempt(tmp_path, 2, question="q2", seen=0)


def test_a_full_disk_or_a_closed_folder_is_an_error_not_a_loss(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        _attempt(tmp_path / "gone", 1)


def test_the_log_holds_what_it_says(folder):
    first, *rest = (json.loads(line) for line in _lines(folder))
    assert first["assignment"] == "ps"
    assert first["questions"] == VERSIONS
    assert {key for entry in rest for key in entry} == {
        *("event", "question", "version", "student", "answer", "time", "chain")
    }
