"""A submission's processes take neither another's time nor more than their own."""

import logging
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace

import pytest

from autograder.assignment import Assignment
from autograder.authoring.verify import verify
from autograder.course import Course
from autograder.grading.execute import execute
from autograder.grading.grade import grade
from autograder.grading.log import LOGGER
from autograder.grading.prepare import prepare
from autograder.grading.settings import Settings
from autograder.grading.warm_up import warm_processes
from autograder.judge.result import Ended
from autograder.sandbox.limits import Limits
from tests.conftest import make_course
from tests.test_sandbox_attacks import Probe, ask, warm  # noqa: F401 - warm is a fixture

pytestmark = [
    pytest.mark.alone,
    pytest.mark.usefixtures("isolation"),
    pytest.mark.timeout(300),
]

SPINNING = """
    import os, time
    for _ in range(COUNT):
        if os.fork() == 0:
            START
            while True: pass
    time.sleep(60)
"""
STARTS = {
    "children": "pass",
    "sessions": "os.setsid()",
    "grandchildren": "os.fork()",
}


@pytest.mark.parametrize("name", STARTS)
def test_the_time_of_all_processes_together_is_bounded(warm, name):  # noqa: F811
    code = SPINNING.replace("COUNT", "6").replace("START", STARTS[name])
    probe = Probe(warm, code, limits=Limits(cpu_seconds=2))
    with probe.process as process:
        assert probe.end(100).returncode == -signal.SIGKILL
        assert process.reason == "computed for more than 2 s"


def test_the_same_time_of_one_process_is_allowed(warm):  # noqa: F811
    code = "import time\nwhile time.process_time() < 1: pass\nanswer = True"
    assert ask(warm, code, limits=Limits(cpu_seconds=2))


# ---- beside a neighbour that takes the processors ------------------------------------------------

WORK = """
# %% solution="work"
def work():
    ### BEGIN SOLUTION
    return 1
    ### END SOLUTION

# %% test="test_work" points=1
assert work() == 1
"""
# All on one processor: a machine that has many would have one for everybody.
ONE = "import os, time\nos.sched_setaffinity(0, {max(os.sched_getaffinity(0))})\n"
BUSY = """
def work():
    ends = time.process_time() + SECONDS
    while time.process_time() < ends:
        pass
    return 1
"""
ASLEEP = "def work():\n    time.sleep(10**6)\n"
# They begin together, once all are there. Each in a session: for the kernel, many groups.
SPINNERS = """
gate, opener = os.pipe()
for _ in range(COUNT):
    if os.fork() == 0:
        os.setsid()
        os.close(opener)
        os.read(gate, 1)
        while True:
            pass
os.close(opener)
"""


def busy(seconds):
    return ONE + BUSY.replace("SECONDS", str(seconds))


def spinners(count):
    return ONE + SPINNERS.replace("COUNT", str(count))


def with_limit(course, seconds):
    path = course.root / "nbgrader_config.py"
    path.write_text(path.read_text() + f"\nc.Execute.timeout = {seconds}\n")
    return Course(course.root)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return make_course(tmp_path_factory.mktemp("fair") / "course", {"work": WORK})


@pytest.fixture(scope="module")
def processes(course):
    sources = Assignment.load(course, "work").sources.values()
    with warm_processes(sources, Settings()) as made:
        yield made


@pytest.fixture
def run(course, processes, hand_in):
    """Runs a solution; the run, and what became of its test."""

    def do(code, *, limit):
        hand_in(course, "work", "one", {"work": code})
        config = course.config.copy()
        config.Execute.timeout = limit
        prepared = prepare(course, Assignment.load(course, "work"), "one")
        executed = execute(prepared, processes, replace(Settings(), config=config))
        return executed, executed.cells["test_work"]

    return do


@pytest.fixture
def neighbour(processes):
    """Another submission, whose processes compute for nothing while the block runs."""

    @contextmanager
    def spin(count):
        probe = Probe(
            processes.candidates, spinners(count) + 'os.write(out, b"x")\ntime.sleep(999)'
        )
        with probe.process, os.fdopen(probe._read, "rb") as begun:
            assert begun.read(1) == b"x"
            yield

    return spin


def test_the_time_without_a_processor_is_given_back(run, neighbour):
    with neighbour(8):
        executed, test = run(busy(1), limit=2)
    assert (test.score, test.reason, executed.starved) == (1, None, False)
    assert test.seconds > 2, "the neighbour took nothing: the test shows nothing"


@pytest.mark.slow
def test_forty_spinning_processes_cost_a_neighbour_no_point(run, neighbour):
    with neighbour(40):
        _, test = run(busy(2.5), limit=10)
    assert (test.score, test.reason) == (1, None)


def test_who_computes_too_long_is_out_of_time(run):
    executed, test = run(busy(600), limit=1)
    assert (test.score, test.ended) == (0, Ended.TIMED_OUT)
    assert "time is up" in test.reason
    assert not executed.starved


def test_who_sleeps_beside_spinning_processes_ends_at_the_limit(run, neighbour):
    with neighbour(8):
        executed, test = run(ONE + ASLEEP, limit=2)
    assert (test.score, test.ended) == (0, Ended.TIMED_OUT)
    assert 2 <= test.seconds < 5
    assert not executed.starved


def test_who_starves_himself_is_not_starved(run):
    executed, test = run(spinners(8) + busy(600), limit=1)
    assert test.score == 0
    assert test.waited > test.seconds / 2
    assert not executed.starved


class Stronger(logging.Handler):
    """Leaves next to nothing to a submission's first run, and ends when it runs alone."""

    def __init__(self):
        super().__init__()
        self.processes = []
        self.alone = 0

    def emit(self, record):
        message = record.getMessage()
        if message.endswith(": runs"):
            self.begin()
        elif "runs again alone" in message:
            self.alone += 1
            self.end()

    def begin(self):
        if not self.processes:
            command = [sys.executable, "-S", "-c", ONE + "while True: pass"]
            for _ in range(30):
                self.processes.append(subprocess.Popen(command, start_new_session=True))

    def end(self):
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def stronger():
    """Processes of somebody else that begin and end with what the log says."""
    handler, level = Stronger(), LOGGER.level
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    yield handler
    LOGGER.removeHandler(handler)
    LOGGER.setLevel(level)
    handler.end()


def test_who_was_starved_runs_again_alone(course, hand_in, stronger):
    course = with_limit(course, 1)
    hand_in(course, "work", "one", {"work": busy(0.5)})
    [outcome] = grade(course, "work", only="one")
    assert stronger.alone == 1
    assert outcome.result.score == 1


def test_a_check_that_was_starved_runs_again_alone(tmp_path, stronger):
    course = with_limit(make_course(tmp_path / "course", {"work": WORK}), 1)
    folder = course.root / "specimens" / "work"
    folder.mkdir(parents=True)
    header = '# ---\n# about: "Right, and slow."\n# ---\n\n# %% solution="work"\n'
    for name in ("slow", "slow_too"):
        (folder / f"{name}.py").write_text(header + busy(0.8))
    report = verify(course, "work", jobs=1, quick=True, on_trial=lambda _: stronger.begin())
    assert stronger.alone > 0
    assert [trial.problems for trial in report.trials if trial.kind == "alternative"] == [(), ()]
