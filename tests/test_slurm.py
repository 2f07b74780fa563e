"""A class that is graded by deploy/slurm/grade.sbatch on a real SLURM on this computer."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.course import Course
from tests.conftest import ROOT
from tests.graded_class import a_class, certificates, gradebook, locally, recorded
from tests.slurm import Slurm, environments, slurm

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("isolation")]
SCRIPT = ROOT / "deploy" / "slurm" / "grade.sbatch"
SMALL = ("--cpus-per-task=1", "--time=10")
SECONDS = 400
ENDED = ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "NODE_FAIL")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Slurm]:
    with slurm(tmp_path / "cluster") as started:
        yield started


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    certificates(folder)
    return folder


@pytest.fixture(scope="module")
def handed_in(released_warmup, tmp_path_factory, hand_in) -> tuple[Path, dict[str, object]]:
    """A class that handed in, and what the local engine makes of it."""
    root = tmp_path_factory.mktemp("class") / "course"
    course = Course(Path(shutil.copytree(released_warmup, root)))
    a_class(course, hand_in, 8, seconds=1)
    return root, locally(course)


@pytest.fixture
def course(handed_in, tmp_path: Path) -> Course:
    return Course(Path(shutil.copytree(handed_in[0], tmp_path / "course")))


@pytest.fixture
def expected(handed_in) -> dict[str, object]:
    return handed_in[1]


@pytest.fixture
def submit(cluster, tls, course, tmp_path):
    """Submit the script in the folder of a course; returns the job's number."""
    (tmp_path / "tmp").mkdir()
    environment = cluster.environment | {
        "PATH": f"{Path(sys.executable).parent}:{cluster.environment['PATH']}",
        "PYTHONPATH": str(ROOT),
        "GRADING_TLS": str(tls),
        "TMPDIR": str(tmp_path / "tmp"),
    }

    def do(*arguments: str, **further: str) -> str:
        command = ["sbatch", "--parsable", *SMALL, str(SCRIPT), *arguments]
        done = subprocess.run(
            command, env=environment | further, cwd=course.root, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return do


def until_state(cluster: Slurm, job: str, *states: str) -> dict[str, str]:
    """Wait until a job is in a state; what SLURM says of it then."""
    deadline = time.monotonic() + SECONDS
    while (now := cluster.job(job))["JobState"] not in states:
        assert time.monotonic() < deadline, now
        time.sleep(0.2)
    return now


def until_recorded(cluster: Slurm, job: str, course: Course) -> None:
    """Wait until a job has recorded a first result."""
    while not recorded(course):
        assert cluster.job(job)["JobState"] not in ENDED, log(course, job)
        time.sleep(0.2)


def log(course: Course, job: str) -> str:
    return (course.root / f"grade-{job}.log").read_text()


def processes_with(folder: Path) -> list[int]:
    """The processes of jobs, which have this folder for temporary files."""
    return [pid for pid, variables in environments() if f"TMPDIR={folder}" in variables]


@pytest.mark.timeout(900)
def test_a_job_on_two_nodes_has_the_gradebook_of_one_machine(
    cluster, submit, course, expected, tmp_path
):
    job = submit("warmup")
    ended = until_state(cluster, job, *ENDED)
    said = log(course, job)
    assert (ended["JobState"], ended["ExitCode"]) == ("COMPLETED", "0:0"), said
    assert ended["NumNodes"] == "2"
    assert "Traceback" not in said
    assert gradebook(course) == expected
    assert processes_with(tmp_path / "tmp") == []
    assert list((tmp_path / "tmp").glob("autograder-*")) == []  # what students wrote


@pytest.mark.timeout(900)
def test_a_job_that_was_cancelled_goes_on_in_the_next(cluster, submit, course, expected, tmp_path):
    job = submit("warmup")
    until_recorded(cluster, job, course)
    done = recorded(course)
    cluster.ask("scancel", job)
    until_state(cluster, job, "CANCELLED")
    while cluster.ask("squeue", "--noheader"):  # its processes are ending
        time.sleep(0.2)
    assert processes_with(tmp_path / "tmp") == []
    job = submit("warmup")
    assert until_state(cluster, job, *ENDED)["JobState"] == "COMPLETED", log(course, job)
    assert recorded(course).items() >= done.items()  # nothing was graded twice
    assert gradebook(course) == expected


@pytest.mark.timeout(900)
def test_a_class_goes_on_when_a_node_dies(cluster, submit, course, expected):
    """SLURM queues the job again, and starts it after two minutes."""
    job = submit("warmup")
    until_recorded(cluster, job, course)
    done = recorded(course)
    cluster.lose("node1")
    assert until_state(cluster, job, *ENDED)["JobState"] == "COMPLETED", log(course, job)
    assert recorded(course).items() >= done.items()  # nothing was graded twice
    assert gradebook(course) == expected


def test_the_exit_code_of_the_job_is_that_of_grading(cluster, submit, course):
    job = submit("warmup", "--student", "nobody")
    ended = until_state(cluster, job, *ENDED)
    assert (ended["JobState"], ended["ExitCode"]) == ("FAILED", "1:0"), log(course, job)
    assert "nobody" in log(course, job)


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        ([], {}, "which assignment?"),
        (["warmup"], {"PATH": "/usr/bin:/bin"}, "activate the environment"),
        (["warmup"], {"GRADING_TLS": "/nowhere"}, "/nowhere/ca.pem can't be read"),
    ],
)
def test_what_is_missing_is_said(arguments, environment, said, cluster, submit, course):
    job = submit(*arguments, **environment)
    assert until_state(cluster, job, *ENDED)["ExitCode"] == "2:0"
    assert said in log(course, job)
