"""A class that is graded by deploy/slurm/grade.sbatch on a real SLURM, all of it on this computer."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.graded_class import a_class, gradebook, locally, recorded
from tests.slurm import Slurm, slurm

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("isolation")]
SCRIPT = ROOT / "deploy" / "slurm" / "grade.sbatch"
SMALL = ("--cpus-per-task=1", "--time=10")
SECONDS = 400


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    with slurm(tmp_path_factory.mktemp("slurm") / "cluster") as started:
        yield started


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of TLS, made as docs/scale.md says."""
    page = (ROOT / "docs/scale.md").read_text()
    script = page.partition("```sh\n# certificates\n")[2].partition("```")[0]
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["sh", "-ec", script], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def submit(cluster, tls, warmup, tmp_path):
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
            command, env=environment | further, cwd=warmup.root, capture_output=True, text=True
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


def log(course, job: str) -> str:
    return (course.root / f"grade-{job}.log").read_text()


def processes_of(folder: Path) -> list[str]:
    """The command lines of processes whose temporary folder this is."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if f"TMPDIR={folder}\0".encode() in (place / "environ").read_bytes():
                found.append((place / "cmdline").read_text().replace("\0", " "))
        except OSError:  # it ended, or is another user's
            continue
    return found


@pytest.mark.timeout(900)
def test_a_job_on_two_nodes_has_the_gradebook_of_one_machine(
    cluster, submit, warmup, hand_in, tmp_path
):
    a_class(warmup, hand_in, 12, seconds=1)
    expected = locally(warmup)
    job = submit("warmup")
    ended = until_state(cluster, job, "COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "NODE_FAIL")
    said = log(warmup, job)
    assert (ended["JobState"], ended["ExitCode"]) == ("COMPLETED", "0:0"), said
    assert ended["NumNodes"] == "2"
    for task in ("0", "1"):  # a worker on each node
        assert f"{task}: " in said
    assert "Traceback" not in said
    assert gradebook(warmup) == expected
    assert processes_of(tmp_path / "tmp") == []
    assert os.listdir(tmp_path / "tmp") == []
