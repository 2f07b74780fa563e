"""What several test modules share: a tiny course, made from a text source as ours are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from textwrap import dedent

import nbformat
import pytest
from hypothesis import settings
from nbclient import NotebookClient
from nbformat import NotebookNode

from autograder.authoring.release import release
from autograder.course import Course
from autograder.grading import attempt_logs
from autograder.sandbox.launch import WarmProcess, isolation_problem
from autograder.sandbox.view import View
from tools.notebooks import derive

ROOT = Path(__file__).resolve().parent.parent
settings.register_profile("course", deadline=None)  # a busy machine is no failure
settings.load_profile("course")

# Two tasks; the second test has a visible and a hidden half, and gives partial credit.
WARMUP = dedent('''\
    # %% [markdown] given="intro"
    # # Warm-up

    # %% given="imports"
    import math

    # %% solution="area"
    def area(radius):
        """The area of a circle."""
        ### BEGIN SOLUTION
        return math.pi * radius**2
        ### END SOLUTION

    # %% test="test_area" points=2
    assert area(0) == 0
    ### BEGIN HIDDEN TESTS
    assert math.isclose(area(2), 4 * math.pi), "area(2) is wrong: square the radius"
    ### END HIDDEN TESTS

    # %% solution="count"
    def count(text, letter):
        """How often a letter stands in a text."""
        ### BEGIN SOLUTION
        return sum(one == letter for one in text)
        ### END SOLUTION

    # %% test="test_count" points=3
    assert count("abca", "b") == 1
    ### BEGIN HIDDEN TESTS
    cases = {"": 0, "aaa": 3, "hidden banana": 3}
    sum(count(text, "a") == expected for text, expected in cases.items())
    ### END HIDDEN TESTS
    ''')

SOLVED = {
    "area": "def area(radius):\n    return math.pi * radius * radius",
    "count": "def count(text, letter):\n    return text.count(letter)",
}


class _Kept:
    """Warm processes that tests share: each imports torch, and hundreds of tests need one.

    What runs is what would run otherwise; only `close` waits for the end of the session. A test
    with a folder of its own for temporary files gets processes of its own.
    """

    def __init__(self) -> None:
        self.place = tempfile.gettempdir()
        self.processes: dict[object, _KeptProcess] = {}

    def __call__(
        self, modules: Sequence[str] = (), view: View | None = None, optional: Sequence[str] = ()
    ) -> WarmProcess:
        if tempfile.gettempdir() != self.place:
            return WarmProcess(modules, view, optional)
        key = (tuple(modules), view, tuple(optional), tuple(sys.path))
        if key not in self.processes or self.processes[key].failed:
            self.processes[key] = _KeptProcess(modules, view, optional)
        return self.processes[key]

    def close(self) -> None:
        for process in self.processes.values():
            WarmProcess.close(process)


class _KeptProcess(WarmProcess):
    failed = False

    def close(self) -> None:
        """It is kept."""

    def await_ready(self) -> None:
        try:
            super().await_ready()
        except BaseException:
            self.failed = True
            raise


@pytest.fixture(scope="session", autouse=True)
def kept_processes() -> Iterator[None]:
    """One pair of warm processes for all tests whose assignments import the same."""
    kept = _Kept()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autograder.grading.warm_up.WarmProcess", kept)
        yield
    kept.close()


@pytest.fixture(scope="session")
def released_warmup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_course(tmp_path_factory.mktemp("warmup") / "course", {"warmup": WARMUP}).root


@pytest.fixture
def warmup(released_warmup: Path, tmp_path: Path) -> Course:
    """A course of one's own with one released assignment, "warmup"."""
    return Course(Path(shutil.copytree(released_warmup, tmp_path / "course")))


def make_course(root: Path, texts: dict[str, str], config: str = "") -> Course:
    """Write a course from text sources, with further options, and release every assignment."""
    root.mkdir(parents=True)
    (root / "nbgrader_config.py").write_text(
        (ROOT / "exercises" / "nbgrader_config.py").read_text() + config
    )
    for name, text in texts.items():
        source = root / "text" / f"{name}.py"
        source.parent.mkdir(exist_ok=True)
        source.write_text(text)
        notebook = root / "source" / name / f"{name}.ipynb"
        notebook.parent.mkdir(parents=True)
        notebook.write_text(derive(source, name))
    course = Course(root)
    for name in texts:
        release(course, name)
    return course


@pytest.fixture(scope="session")
def hand_in() -> Callable[..., Path]:
    """Hand in a released notebook with some solution cells filled in; returns its path."""

    def do(course: Course, name: str, student: str, cells: dict[str, str] | None = None) -> Path:
        notebook = json.loads((course.path("release", name) / f"{name}.ipynb").read_text())
        for cell in notebook["cells"]:
            if cell["id"] in (cells or {}):
                cell["source"] = cells[cell["id"]]
        folder = course.path("submitted", name, student)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.ipynb"
        path.write_text(json.dumps(notebook))
        return path

    return do


def run_reference(name: str, folder: Path) -> NotebookNode:
    """An assignment's reference after it ran in stock Jupyter, with all questions answered."""
    source = ROOT / "exercises" / "source" / name
    keys = ROOT / "exercises" / "keys" / f"{name}.yaml"
    shutil.copytree(source / "quiz", folder / "quiz")
    right = attempt_logs.right_answers(keys, "student01").items()
    for file, content in attempt_logs.log_files(keys, "student01", right).items():
        (folder / file).write_bytes(content)
    notebook = nbformat.read(source / f"{name}.ipynb", as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


@pytest.fixture
def autograder() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command `autograder` as a user does."""

    def run(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "autograder", *map(str, arguments)],
            cwd=cwd,
            env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


def in_own_mounts(script: str) -> list[str]:
    """The command that runs a shell script which may mount: nobody else sees it, nothing stays."""
    user = ["--user", "--map-current-user", "--keep-caps"] if os.getuid() else []
    return ["unshare", "--mount", *user, "sh", "-ec", dedent(script)]


def as_ordinary_user(command: str) -> str:
    """A script for `in_own_mounts`, as root: the command's process belongs to user 12345."""
    # Where Python lives in root's own folder, a user needs a way to it.
    visible_python = f"""
        mount --bind {sys.base_prefix} /mnt
        mount -t tmpfs -o mode=755 none /root
        mkdir -p {sys.base_prefix}
        mount --bind /mnt {sys.base_prefix}
    """
    return f"""
        {visible_python if Path(sys.base_prefix).is_relative_to("/root") else ""}
        exec setpriv --reuid 12345 --regid 12345 --clear-groups --inh-caps=-all {command}
    """


UNISOLATED = "AUTOGRADER_TESTS_WITHOUT_ISOLATION"


@pytest.fixture(scope="session")
def isolation():
    """Fail where isolation is impossible: a green run that tried no attack would be no proof.

    With the environment variable `UNISOLATED` set to 1 such tests are skipped instead.
    """
    problem = isolation_problem()
    if problem and os.environ.get(UNISOLATED) == "1":
        pytest.skip(problem)
    if problem:
        pytest.fail(f"{problem}\n(to skip what needs isolation: {UNISOLATED}=1)", pytrace=False)
