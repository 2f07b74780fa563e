"""The hostile corpus graded by the real engine, together with honest submissions.

Each attack on a result, or on what is hidden, has a control: it succeeds where nothing protects.
"""

from __future__ import annotations

import io
import json
import os
import socket
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from autograder.authoring.release import release
from autograder.course import Course
from autograder.grading.feedback import feedback
from autograder.grading.grade import grade
from autograder.grading.result import Outcome
from autograder.sandbox.limits import MB, Limits, resident_memory
from tests.conftest import make_course
from tests.hostile import (
    CANARY,
    CORPUS,
    FAKING,
    HONEST,
    MARK,
    NAME,
    READING,
    Hostile,
    course_text,
)

pytestmark = [
    pytest.mark.usefixtures("isolation"),
    pytest.mark.timeout(600),
]

LIMITS = Limits(
    wall_seconds=20,
    cpu_seconds=20,
    memory_bytes=256 * MB,
    processes=40,
    file_bytes=16 * MB,
    disk_bytes=32 * MB,
    disk_files=2000,
)
TESTS = ("test_area", "test_scale", "test_count")
# What a neighbour wrote is hidden too.
PRIVATE = HONEST | {"area": f"# {CANARY}\n" + HONEST["area"]}
HONEST_STUDENTS = [Hostile(f"honest-{number}", PRIVATE, (2, 3, 4)) for number in (1, 2, 3)]
EXTRA_BYTES = 512 * MB  # two judges, and the warm process


@dataclass(frozen=True)
class Run:
    """One run of the grader and what it left."""

    course: Course
    port: int
    outcomes: dict[str, Outcome]
    changed: set[str]
    temporary: list[str]
    strays: list[str]
    memory: int
    seconds: float

    def points(self, student: str) -> tuple[float | None, ...]:
        cells = self.outcomes[student].result.cells
        return tuple(cells[name].score for name in TESTS)

    def said(self, student: str) -> str:
        """What the student's own cells put out."""
        path = self.course.path("autograded", NAME, student) / f"{NAME}.ipynb"
        if not path.exists():
            return ""
        cells = nbformat.read(path, as_version=4).cells
        theirs = [one for one in cells if one.cell_type == "code" and one.id not in TESTS]
        return json.dumps([one.outputs for one in theirs])


def run(root: Path, members: list[Hostile], *, in_kernel: bool = False) -> Run:
    """Make a course, hand in, grade, and see what is different afterwards."""
    course = make_course(root, {NAME: course_text(in_kernel=in_kernel)})
    config = root / "nbgrader_config.py"
    config.write_text(config.read_text() + "c.Execute.timeout = 6\n")
    (root / "source" / NAME / "data.csv").write_text("1,2\n")
    course = Course(root)
    release(course, NAME)
    _plant(root)
    temporary = root.parent / "temporary"
    temporary.mkdir()
    with _server() as port, _secrets(root), _measured() as peak, _temporary_folder(temporary):
        for member in members:
            hand_in(course, member, {"ROOT": root, "PID": os.getpid(), "PORT": port})
        before, children = _snapshot(root), _descendants()
        started = time.monotonic()
        outcomes = grade(course, NAME, limits=LIMITS)
        seconds = time.monotonic() - started
        strays = [name for pid, name in _processes() if MARK in name]
        strays += [str(pid) for pid in _descendants() - children]
    after = _snapshot(root)
    return Run(
        course,
        port,
        {outcome.student: outcome for outcome in outcomes},
        {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)},
        sorted(path.name for path in temporary.iterdir()),
        strays,
        max(peak),
        seconds,
    )


def hand_in(course: Course, member: Hostile, places: dict[str, object]) -> None:
    notebook = json.loads((course.path("release", NAME) / f"{NAME}.ipynb").read_text())
    for cell in notebook["cells"]:
        if cell["id"] in member.cells:
            cell["source"] = filled_in(member.cells[cell["id"]], places)
    folder = course.path("submitted", NAME, member.name)
    folder.mkdir(parents=True)
    for name, content in member.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    path = folder / f"{NAME}.ipynb"
    path.write_text(json.dumps(notebook))
    if member.mangle:
        member.mangle(path)


def filled_in(source: str, places: dict[str, object]) -> str:
    for name, value in places.items():
        source = source.replace(name, str(value))
    return source


def _plant(root: Path) -> None:
    """An earlier student's work, with what is hidden in it."""
    for step, suffix in (("autograded", "ipynb"), ("feedback", "html")):
        path = root / step / "earlier" / NAME / f"{NAME}.{suffix}"
        path.parent.mkdir(parents=True)
        path.write_text(CANARY)


@contextmanager
def _server() -> Iterator[int]:
    """Tells the canary to whoever can connect."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    with server.accept()[0] as connection:
                        connection.sendall(CANARY.encode())

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


@contextmanager
def _secrets(root: Path) -> Iterator[None]:
    """What a grader may have open, and in its environment."""
    with (
        pytest.MonkeyPatch.context() as patch,
        (root / "source" / NAME / f"{NAME}.ipynb").open() as source,
    ):
        os.set_inheritable(source.fileno(), True)
        patch.setenv("GRADER_TOKEN", CANARY)
        yield


@contextmanager
def _temporary_folder(folder: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder))
        yield


@contextmanager
def _measured() -> Iterator[list[int]]:
    """What the memory of this process and all below it grows by, again and again.

    While a process starts or ends, its pages would count twice: such a sample is left out.
    """
    peak, stop = [0], threading.Event()
    before = resident_memory(os.getpid(), exact=True)

    def watch() -> None:
        while not stop.wait(0.3):
            processes = _descendants()
            grown = resident_memory(os.getpid(), exact=True) - before
            if _descendants() == processes:
                peak.append(grown)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()


def _processes() -> Iterator[tuple[int, str]]:
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            yield int(path.name), (path / "comm").read_text().strip()


def _descendants() -> set[int]:
    found, waiting = set(), [os.getpid()]
    while waiting:
        for path in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            with suppress(OSError):
                waiting += (new := [int(pid) for pid in path.read_text().split()])
                found.update(new)
    return found


def _walk(root: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    for parent, folders, files in os.walk(root):  # it passes over what is too deep for Path.rglob
        yield Path(parent), folders, files


def _snapshot(root: Path) -> dict[str, object]:
    """Every file of the course and its content, and what attacks would leave elsewhere."""
    found: dict[str, object] = {}
    names = (parent / name for parent, one, two in _walk(root) for name in one + two)
    for path in names:
        try:
            status = path.lstat()
            plain = stat.S_ISREG(status.st_mode) and status.st_size < 50 * MB
            content = path.read_bytes() if plain else status.st_mode
        except OSError as error:  # an attack's name is too long even for us
            content = error.errno
        found[path.relative_to(root).as_posix()] = content
    for place in ("/tmp", "/dev/shm", "/var/tmp", "/root", "/"):
        found[f"{place} {MARK}"] = (Path(place) / MARK).exists()
    return found


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(tmp_path_factory.mktemp("hostile") / "course", [*HONEST_STUDENTS, *CORPUS])


@pytest.fixture(scope="module")
def unprotected(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same attacks where the tests run in the student's process; isolated nonetheless."""
    members = [one for one in CORPUS if isinstance(one.control, tuple)]
    return run(tmp_path_factory.mktemp("control") / "course", members, in_kernel=True)


def test_nobody_gains_a_point_and_no_honest_one_loses_one(graded):
    expected = {one.name: one.points for one in [*HONEST_STUDENTS, *CORPUS]}
    found = {
        student: outcome.failure or graded.points(student)
        for student, outcome in graded.outcomes.items()
    }
    for student, outcome in graded.outcomes.items():
        if set(found[student]) == {None}:
            assert outcome.result.status == "needs review"
            found[student] = None
    assert {name: got for name, got in found.items() if got != expected[name]} == {}
    assert found.keys() == expected.keys()


def test_an_attack_on_the_result_works_beside_the_tests(unprotected):
    expected = {one.name: one.control for one in FAKING if one.control}
    assert {name: unprotected.points(name) for name in expected} == expected


def test_nothing_hidden_is_read(graded):
    said = {one.name: graded.said(one.name) for one in CORPUS}
    assert [name for name, text in said.items() if "LEAKED" in text or CANARY in text] == []
    assert [one.name for one in READING if "looked: nothing" not in said[one.name]] == []


def test_an_attack_that_reads_finds_it_where_nothing_protects(graded, unprotected):
    places = {"ROOT": graded.course.root, "PID": os.getpid()}
    missed = []
    with _server() as port, _secrets(graded.course.root):
        for one in READING:
            if one.control == "trusted":
                shown = io.StringIO()
                with redirect_stdout(shown):
                    exec(filled_in(one.cells["count"], places | {"PORT": port}), {})
                missed += [] if "LEAKED" in shown.getvalue() else [one.name]
            elif "LEAKED" not in unprotected.said(one.name):
                missed.append(one.name)
    assert missed == []


def test_what_attacks_would_harm_is_there_for_a_process_that_is_not_shut_off(graded):
    """Run unprotected they would do it; that these places can be harmed is all we may show."""
    root = graded.course.root
    neighbour = root / "submitted" / "honest-1" / NAME
    places = [root, root / "source", neighbour, Path("/tmp"), Path("/dev/shm"), Path("/var/tmp")]
    files = [root / "gradebook.db", neighbour / f"{NAME}.ipynb"]
    for place in places:  # os.access says yes to root whatever the place is
        with tempfile.NamedTemporaryFile(dir=place, prefix=MARK) as file:
            file.write(b"was here")
    for path in files:
        with path.open("r+b"):
            pass
    assert CANARY in (neighbour / f"{NAME}.ipynb").read_text()


def test_nothing_is_written_but_by_the_grader(graded):
    ours = ("autograded/", "gradebook.db")
    assert [name for name in graded.changed if not name.startswith(ours)] == []
    assert not [name for name in graded.changed if name.startswith("autograded/earlier")]
    assert graded.temporary == []


def test_feedback_is_made_for_everybody_and_shows_nothing_hidden(graded):
    scored = [name for name, one in graded.outcomes.items() if one.result.status == "graded"]
    made = feedback(graded.course, NAME)
    assert [name for name in scored if name not in made] == []
    for one in CORPUS:
        pages = list(graded.course.path("feedback", NAME, one.name).glob("*.html"))
        assert pages or one.name not in scored, one.name
        assert [page for page in pages if CANARY in page.read_text()] == []


def test_no_process_is_left(graded):
    assert graded.strays == []


def test_the_run_ends_in_bounded_time_and_memory(graded):
    assert graded.seconds < 20 + len(CORPUS) * 4
    assert graded.memory < EXTRA_BYTES + 2 * (LIMITS.memory_bytes + 256 * MB)
    notebooks = graded.course.root.glob("autograded/*/*/*.ipynb")
    assert max(path.stat().st_size for path in notebooks) < 4 * MB
