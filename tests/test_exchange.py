"""Collecting from an exchange in which students write what they like."""

from __future__ import annotations

import logging
import os
import pwd
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from autograder.grading.exchange import Collect
from autograder.grading.prepare import read_files

ME = pwd.getpwuid(os.getuid()).pw_name
NOW = datetime.now(UTC)


class Exchange:
    """A course with an exchange; this account is the only student who can write there."""

    def __init__(self, root: Path) -> None:
        self.root, self.course = root / "exchange", root / "course"
        self.inbound = self.root / "course" / "inbound"
        self.inbound.mkdir(parents=True)
        self.course.mkdir()

    def submit(self, student: str = ME, ago: int = 0, **files: str) -> Path:
        when = f"{NOW - timedelta(minutes=ago):%Y-%m-%d %H:%M:%S} UTC"
        folder = self.inbound / f"{student}+warmup+{when}+random{time.monotonic_ns()}"
        folder.mkdir()
        files = {"notebook": "right", **files}
        files |= {"timestamp.txt": when, "submission_secret.txt": "s"}
        for name, content in files.items():
            (folder / name).write_text(content)
        return folder

    def collect(self, **options: object) -> dict[str, set[str]]:
        """Collect; returns the files of each student's submission."""
        config = Config()
        config.CourseDirectory.root = str(self.course)
        config.CourseDirectory.course_id = "course"
        config.CourseDirectory.assignment_id = "warmup"
        config.Exchange.root = str(self.root)
        config.Collect.update(options)
        directory = CourseDirectory(config=config)
        Collect(
            coursedir=directory, authenticator=Authenticator(config=config), config=config
        ).start()
        return {
            folder.parent.name: {path.name for path in folder.rglob("*") if path.is_file()}
            for folder in (self.course / "submitted").glob("*/warmup")
        }

    def text(self) -> str:
        return (self.course / "submitted" / ME / "warmup" / "notebook").read_text()


@pytest.fixture
def exchange(tmp_path):
    return Exchange(tmp_path)


USUAL = {"notebook", "timestamp.txt", "submission_secret.txt"}


def test_the_newest_submission_is_collected_and_replaced_on_update_only(exchange):
    exchange.submit(ago=5, notebook="old")
    exchange.submit(ago=3, notebook="newer")
    assert exchange.collect() == {ME: USUAL}
    assert exchange.text() == "newer"
    exchange.submit(ago=1, notebook="newest")
    exchange.collect()
    assert exchange.text() == "newer"
    exchange.collect(update=True)
    assert exchange.text() == "newest"


def test_links_to_the_course_and_pipes_are_left_out(exchange, tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "hidden_tests").write_text("assert")
    folder = exchange.submit()
    (folder / "linked").symlink_to(tmp_path / "secret" / "hidden_tests")
    (folder / "folder").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "pipe")
    assert exchange.collect() == {ME: USUAL}


def test_somebody_elses_name_does_not_replace_their_work(exchange, caplog):
    exchange.submit("emmy")
    exchange.submit()
    assert exchange.collect() == {ME: USUAL}
    assert f"belongs to the account {ME}, and says emmy" in caplog.text


def test_a_submission_that_is_being_written_is_collected_later(exchange):
    folder = exchange.submit()
    (folder / "submission_secret.txt").rename(exchange.root / "later")
    assert exchange.collect() == {}
    (exchange.root / "later").rename(folder / "submission_secret.txt")
    assert exchange.collect() == {ME: USUAL}


def test_a_bad_name_and_a_large_folder_stop_nobody(exchange):
    (exchange.inbound / "emmy+warmup+yesterday, or so+x").mkdir()
    (exchange.inbound / "no plus").mkdir()
    (exchange.submit() / "large").write_bytes(b"x" * 200_000_000)
    assert exchange.collect() == {ME: USUAL}


def test_a_time_that_was_written_by_hand_is_named(exchange, caplog):
    caplog.set_level(logging.WARNING)
    exchange.submit(ago=60)
    exchange.collect()
    assert "says that it was handed in at" in caplog.text


def test_a_time_that_cannot_be_read_does_not_stop_the_next_collection(exchange):
    (exchange.submit() / "timestamp.txt").write_text("yesterday, or so")
    exchange.collect(update=True)
    exchange.submit(notebook="newest", ago=-1)
    assert exchange.collect(update=True) == {ME: USUAL}
    assert exchange.text() == "newest"


def test_the_file_with_the_time_says_what_the_name_says(exchange, caplog):
    genuine = exchange.submit()
    said = (genuine / "timestamp.txt").read_text()
    assert exchange.collect() == {ME: USUAL}
    assert "another time" not in caplog.text
    exchange.submit(ago=-1)
    [late] = set(exchange.inbound.iterdir()) - {genuine}
    (late / "timestamp.txt").write_text("2001-01-01 00:00:00 UTC")
    exchange.collect(update=True)
    collected = exchange.course / "submitted" / ME / "warmup" / "timestamp.txt"
    assert collected.read_text() > said
    assert "another time" in caplog.text


@pytest.mark.parametrize("how", ["link", "empty", "no text"])
def test_a_secret_that_cannot_be_read_does_not_stop_the_feedback_of_others(exchange, how, caplog):
    """`nbgrader release_feedback` reads it of every student, and stops at a faulty one."""
    secret = exchange.submit() / "submission_secret.txt"
    if how == "link":
        secret.unlink()
        secret.symlink_to(secret.with_name("timestamp.txt"))
    else:
        secret.write_bytes(b"" if how == "empty" else b"\xff")
    assert exchange.collect() == {ME: USUAL}
    collected = exchange.course / "submitted" / ME / "warmup" / "submission_secret.txt"
    assert len(collected.read_text()) > 30
    assert "feedback" in caplog.text


def test_a_secret_is_collected_as_it_is(exchange, caplog):
    exchange.submit()
    exchange.collect()
    collected = exchange.course / "submitted" / ME / "warmup" / "submission_secret.txt"
    assert collected.read_text() == "s"
    assert "feedback" not in caplog.text


def test_among_a_thousand_files_those_of_the_exchange_are_kept(warmup, tmp_path):
    """Without them nbgrader could give nobody's feedback back."""
    for number in range(1200):
        (tmp_path / f"a{number}").write_text("x")
    for name in ("submission_secret.txt", "timestamp.txt"):
        (tmp_path / name).write_text("2026-01-01 00:00:00 UTC")
    files = read_files(warmup, tmp_path, set(), [])
    assert {"submission_secret.txt", "timestamp.txt", "a0"} <= files.keys()
    assert len(files) <= 1000


def test_folders_below_folders_stop_nobody(exchange, caplog):
    descriptor = os.open(exchange.submit(), os.O_RDONLY)
    for _ in range(30):  # with 6,000 characters, no program can open the last one by its path
        os.mkdir("d" * 200, dir_fd=descriptor)
        descriptor = os.open("d" * 200, os.O_RDONLY, dir_fd=descriptor)
    assert exchange.collect() == {ME: USUAL}
    assert "is left out" in caplog.text


def test_no_name_leads_out_of_the_folder_for_submissions(exchange):
    exchange.submit("..")
    exchange.submit("")
    assert exchange.collect(check_owner=False) == {}
    assert [path.name for path in exchange.course.iterdir()] == []
    exchange.submit("emmy")
    assert exchange.collect(check_owner=False) == {"emmy": USUAL}
