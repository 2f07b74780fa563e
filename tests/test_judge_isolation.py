"""What a judge could reach if student code took it over: its own submission, and nothing else."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from textwrap import dedent

import pytest

from autograder.assignment import Assignment
from autograder.grading.execute import execute
from autograder.grading.prepare import prepare
from autograder.grading.settings import Settings
from autograder.grading.warm_up import warm_processes
from tests.conftest import SOLVED, make_course

ADDRESS = "ctypes.cast(ctypes.CDLL(None).malloc, ctypes.c_void_p).value"
# The hidden test does what code that took over the judge would do, and prints what came of it.
PROBES = f"""\
    # %% given="imports"
    import ctypes

    # %% solution="address"
    def address():
        ### BEGIN SOLUTION
        return {ADDRESS}
        ### END SOLUTION

    # %% test="test_address" points=1
    ### BEGIN HIDDEN TESTS
    import errno, json, os, socket
    from pathlib import Path

    def tried(action):
        try:
            return action()
        except OSError as error:
            return errno.errorcode[error.errno]

    libc = ctypes.CDLL(None, use_errno=True)

    def attach():
        return "done" if libc.ptrace(16, os.getppid(), 0, 0) == 0 else errno.errorcode[
            ctypes.get_errno()
        ]

    def connect():
        with socket.create_connection(("127.0.0.1", PORT)):
            return "done"

    found = {{
        "course": tried(lambda: bool(os.listdir("COURSE"))),
        "home": tried(lambda: Path("COURSE/private.txt").read_text()),
        "package": tried(lambda: Path(json.__file__).write_text("gone") and "done")
        if ISOLATED else None,
        "connect": tried(connect),
        "namespace": tried(lambda: os.unshare(os.CLONE_NEWUSER) if hasattr(os, "unshare")
                           else libc.unshare(0x10000000) and errno.errorcode[ctypes.get_errno()]),
        "attach": attach(),
        "processes": len([name for name in os.listdir("/proc") if name.isdigit()]),
        "user": os.getuid(),
        "capabilities": [line for line in Path("/proc/self/status").read_text().splitlines()
                         if line.startswith("CapEff")][0].split()[1],
        "environment": "SECRET_TOKEN" in os.environ,
        "here": {ADDRESS},
        "there": address(),
    }}
    print(json.dumps(found))
    ### END HIDDEN TESTS
    """


@pytest.fixture(scope="module")
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def probed(tmp_path, hand_in, port, monkeypatch, *, isolated):
    """What the hidden test found, for two submissions forked from the same warm processes."""
    monkeypatch.setenv("SECRET_TOKEN", "1")
    root = tmp_path / "course"
    text = dedent(PROBES).replace("PORT", str(port)).replace("COURSE", str(root))
    course = make_course(root, {"warmup": text.replace("ISOLATED", str(isolated))})
    (root / "private.txt").write_text("a mark")
    for student in ("one", "two"):
        hand_in(course, "warmup", student, {"address": f"def address(): return {ADDRESS}"})
    assignment = Assignment.load(course, "warmup")
    settings = Settings(config=course.config, isolated=isolated)
    found = []
    with warm_processes(assignment.sources.values(), settings) as warm:
        for student in ("one", "two"):
            executed = execute(prepare(course, assignment, student), warm, settings)
            [notebook] = executed.notebooks.values()
            [cell] = [one for one in notebook.cells if one.id == "test_address"]
            found.append(json.loads(cell.outputs[0].text))
    return found


def test_a_judge_reaches_nothing_but_its_own_submission(tmp_path, hand_in, listener, monkeypatch):
    one, two = probed(tmp_path, hand_in, listener, monkeypatch, isolated=True)
    assert one["course"] == one["home"] == "ENOENT"
    assert one["package"] in ("EROFS", "EACCES")
    assert one["connect"] == "ECONNREFUSED"
    assert one["namespace"] == one["attach"] == "EPERM"
    assert one["processes"] == 1
    assert one["user"] != 0
    assert int(one["capabilities"], 16) == 0
    assert one["environment"] is False
    # Where libraries lie in the candidate says nothing about where they lie in the judge ...
    assert one["here"] != one["there"]
    # ... though all candidates are alike, which is what makes that worth anything.
    assert one["there"] == two["there"]


def test_the_probes_reach_it_all_where_nothing_is_shut_off(
    tmp_path, hand_in, listener, monkeypatch
):
    one, _ = probed(tmp_path, hand_in, listener, monkeypatch, isolated=False)
    assert one["course"] is True
    assert one["home"] == "a mark"
    assert one["connect"] == "done"
    assert one["processes"] > 3


SPINS = "def area(radius):\n    while True:\n        sum(range(1000))"
DEAF = """
def area(radius):
    while True:
        try:
            while True:
                sum(range(1000))
        except BaseException:
            pass
"""


def test_a_shut_off_judge_still_interrupts_and_ends_its_candidate(warmup, hand_in):
    hand_in(warmup, "warmup", "spins", SOLVED | {"area": SPINS})
    hand_in(warmup, "warmup", "deaf", SOLVED | {"area": DEAF})
    assignment = Assignment.load(warmup, "warmup")
    config = warmup.config.copy()
    config.Execute.timeout = 1
    settings = replace(Settings(), config=config)
    with warm_processes(assignment.sources.values(), settings) as warm:
        spins = execute(prepare(warmup, assignment, "spins"), warm, settings)
        deaf_ = execute(prepare(warmup, assignment, "deaf"), warm, settings)
    assert spins.reason is None  # the interrupt was heard, and the next cells ran
    assert "didn't stop when its time was up" in deaf_.reason
