"""Runs the attempt service for tests, as a process of its own, on SQLite or PostgreSQL."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from autograder.attempts.serve import make_tokens
from autograder.course import Course
from course_utils.quiz import bank
from course_utils.quiz.service import FILE_NAME, Service
from tests.conftest import ROOT


class Running:
    """A running service and the course that it serves."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log = root / "service.log"
        self.start()

    def start(self, port: int = 0) -> None:
        command = [sys.executable, "-m", "autograder", "serve", "--course", self.root]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*map(str, command), "--port", str(port)],
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        line = self.process.stdout.readline()
        assert line.startswith("attempt service at "), self.log.read_text()
        self.url = line.split()[3].rstrip(",")

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def stop(self, kind: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(kind)
        self.process.wait()
        self.process.stdout.close()

    def token(self, person: str) -> str:
        return json.loads((self.root / "tokens" / person / FILE_NAME).read_text())["token"]

    def client(self, person: str) -> Service:
        return Service(self.url, self.token(person))

    def ask(self, method: str, path: str, token: str | None = None, **rest) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.request(
            method, self.url + path, headers=headers | rest.pop("headers", {}), timeout=60, **rest
        )

    def versions(self, assignment: str) -> dict[str, str]:
        return bank.load(self.root / "keys" / f"{assignment}.yaml").versions


@contextmanager
def service(root: Path, people: list[str], instructors: list[str]) -> Iterator[Running]:
    """The service of a course, with tokens for the people."""
    make_tokens(Course(root), "http://127.0.0.1:1", people, instructors)
    running = Running(root)
    try:
        yield running
    finally:
        running.stop()


def small_course(root: Path, questions: int, config: str = "") -> Path:
    """A course folder with keys only, which is all that the service needs."""
    (root / "keys").mkdir(parents=True)
    (root / "nbgrader_config.py").write_text(
        f'c = get_config()\nc.CourseDirectory.course_id = "small"\n{config}\n'
    )
    asked = [
        {
            "id": f"q{number}",
            "kind": "numeric",
            "points": 1,
            "text": f"What is {number} + 1?",
            "tolerance": 0,
            "key": {"answer": number + 1, "solution": "Add one."},
        }
        for number in range(questions)
    ]
    content = {"assignment": "small", "questions": asked}
    (root / "keys" / "small.yaml").write_text(yaml.safe_dump(content))
    return root


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL server of our own; yields the URL of an empty database."""
    if not shutil.which("initdb") or not shutil.which("postgres"):
        pytest.skip("no PostgreSQL on this machine")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    as_user: list[str] = []
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "nobody")
        as_user = ["setpriv", "--reuid", "nobody", "--clear-groups"]

    def run(*command: object) -> None:
        subprocess.run([*as_user, *map(str, command)], check=True, cwd=folder, timeout=120)

    data, log = folder / "data", folder / "log"
    run("initdb", "--pgdata", data, "--username", "course", "--auth", "trust", "--no-sync")
    options = f"-k {folder} -c listen_addresses='' -c max_connections=50"
    run("pg_ctl", "--wait", "--log", log, "-o", options, "--pgdata", data, "start")
    try:
        yield f"postgresql+psycopg://course@/postgres?host={folder}"
    finally:
        run("pg_ctl", "--pgdata", data, "--mode", "fast", "stop")
        shutil.rmtree(folder)
