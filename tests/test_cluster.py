"""A class that is graded on a cluster: as on one machine, whatever dies in the middle."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from autograder.course import Course
from autograder.errors import AutograderError
from autograder.grading.cluster_place import Place
from autograder.grading.grade import grade
from tests.conftest import ROOT, SOLVED
from tests.graded_class import a_class, certificates, gradebook, locally, recorded, until

pytestmark = pytest.mark.usefixtures("isolation")
MARK = "poison.txt"


@dataclass
class Processes:
    """A scheduler and workers, each a process of Dask's own, as a user starts them."""

    folder: Path
    tls: list[str] = field(default_factory=list)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)
    address: str = ""

    def start(self, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"log{len(self.started)}").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def scheduler(self, **environment: str) -> subprocess.Popen[bytes]:
        written = self.folder / f"scheduler{len(self.started)}.json"
        tls = [word.replace("--tls-ca", "--tls-ca-file") for word in self.tls]
        process = self.start(
            "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", *tls,
            *("--no-dashboard", "--dashboard-address", "127.0.0.1:0"),
            *("--scheduler-file", str(written)), **environment,
        )  # fmt: skip
        until(written.exists, process)
        self.address = json.loads(written.read_text())["address"]
        return process

    def worker(self, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        """A worker with one slot, and a folder of its own for temporary files."""
        place = self.folder / f"tmp{len(self.started)}"
        place.mkdir()
        return self.start(
            "autograder", "cluster", "worker", self.address, "--slots", "1", *self.tls, *options,
            **{"TMPDIR": str(place)} | environment,
        )  # fmt: skip

    def temporary(self, worker: subprocess.Popen[bytes]) -> Path:
        return self.folder / f"tmp{self.started.index(worker)}"

    def end(self) -> None:
        for process in self.started:
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGCONT)
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    made = Processes(tmp_path)
    yield made
    made.end()


def under_nanny(nanny: subprocess.Popen[bytes]) -> int:
    """The process that is a worker, below the process that watches over it."""
    while True:
        tasks = Path(f"/proc/{nanny.pid}/task").glob("*/children")  # a thread may have started it
        for child in " ".join(task.read_text() for task in tasks).split():
            with suppress(OSError):
                if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                    return int(child)
        assert nanny.poll() is None, "the worker ended"
        time.sleep(0.02)


def grading(course: Course, address: str, *options: str) -> subprocess.Popen[str]:
    """The command of a user, on its way."""
    command = [sys.executable, "-m", "autograder", "grade", "warmup", "--cluster", address]
    return subprocess.Popen(
        [*command, *options],
        cwd=course.root,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str], code: int) -> str:
    """What a command said, which ended with this exit code and without a traceback."""
    printed, said = process.communicate(timeout=500)
    assert "Traceback" not in said
    assert process.returncode == code, printed + said
    return said


@pytest.mark.timeout(300)
def test_a_class_on_two_workers_has_the_gradebook_of_one_machine(processes, warmup, hand_in):
    a_class(warmup, hand_in, 8)
    warmup.path("submitted", "warmup", "student07").joinpath("warmup.ipynb").write_text("no JSON")
    processes.scheduler()
    processes.worker()
    processes.worker()
    run = grading(warmup, processes.address)
    expected = locally(warmup)
    said = ended(run, 3)
    assert "1 of 8 need a look" in said
    assert gradebook(warmup) == expected
    assert len(expected["results"]) == 8


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("victim", ["worker", "scheduler", "client"])
def test_a_class_has_the_same_gradebook_whatever_is_killed(victim, processes, warmup, hand_in):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    a_class(warmup, hand_in, 16, seconds=0.5)
    scheduler = processes.scheduler()
    workers = [processes.worker(), processes.worker()]
    run = grading(warmup, processes.address)
    before = chance.randint(1, 8)
    until(lambda: len(recorded(warmup)) >= before, run)
    time.sleep(chance.random())
    killed = {
        "worker": under_nanny(chance.choice(workers)),
        "scheduler": scheduler.pid,
        "client": run.pid,
    }
    os.kill(killed[victim], signal.SIGKILL)
    if victim == "worker":
        ended(run, 0)
    else:
        said = ended(run, 1 if victim == "scheduler" else -signal.SIGKILL)
        done = recorded(warmup)
        assert 1 <= len(done) < 16
        if victim == "scheduler":
            assert "was lost" in said
            assert "run the command again" in said
            for worker in workers:
                worker.wait(timeout=200)  # nobody is left behind
            processes.scheduler()
            processes.worker()
        ended(grading(warmup, processes.address), 0)
        assert recorded(warmup).items() >= done.items()  # nothing was graded twice
    assert gradebook(warmup) == locally(warmup)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_worker_that_hangs_is_given_up_after_a_while(processes, warmup, hand_in):
    a_class(warmup, hand_in, 8, seconds=0.5)
    processes.scheduler(DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL="15s")
    hanging, _ = processes.worker(), processes.worker()
    run = grading(warmup, processes.address)
    until(lambda: recorded(warmup), run)
    stopped = under_nanny(hanging)
    os.kill(stopped, signal.SIGSTOP)
    until(lambda: len(recorded(warmup)) >= 6, run)
    with suppress(OSError):  # what it had in hand comes late
        os.kill(stopped, signal.SIGCONT)
    ended(run, 0)
    assert gradebook(warmup) == locally(warmup)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_submission_with_which_two_workers_die_is_set_aside(processes, warmup, hand_in):
    a_class(warmup, hand_in, 6)
    poison = SOLVED | {"count": "import time\ntime.sleep(20)\n" + SOLVED["count"]}
    path = hand_in(warmup, "warmup", "student02", poison)
    path.with_name(MARK).write_text("poison")
    processes.scheduler()
    workers = [processes.worker(), processes.worker()]
    run = grading(warmup, processes.address)
    seen: set[Path] = set()
    while run.poll() is None:
        for worker in workers:
            pattern = f"autograder-*/run-*/candidate/{MARK}"
            if found := set(processes.temporary(worker).glob(pattern)) - seen:
                os.kill(under_nanny(worker), signal.SIGKILL)
                seen |= found
        time.sleep(0.05)
    said = ended(run, 1)
    assert len(seen) == 2
    assert "student02: could not be run: 2 workers died" in said
    assert "their old scores stand" in said
    assert recorded(warmup).keys() == {f"student{number:02d}" for number in (0, 1, 3, 4, 5)}


LIES = """
import json
from autograder.grading import cluster_worker

def run_batch(*arguments):
    reply = json.loads(cluster_worker.honest(*arguments))
    for run in list(reply["runs"]):
        again = json.loads(json.dumps(run))
        for cell in again["executed"]["cells"].values():
            cell["score"] = 0.0
        reply["runs"].append(again)
    if WORDS:
        reply["words"] = WORDS
    return json.dumps(reply).encode()

if not hasattr(cluster_worker, "honest"):  # the nanny and the worker both run this
    cluster_worker.honest, cluster_worker.run_batch = cluster_worker.run_batch, run_batch
"""


def preloaded(folder: Path, text: str) -> dict[str, str]:
    """An environment in which a worker runs this text first."""
    (folder / "first.py").write_text(text)
    return {"DASK_DISTRIBUTED__WORKER__PRELOAD": json.dumps([str(folder / "first.py")])}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_of_a_result_that_comes_twice_the_first_counts(processes, warmup, hand_in, tmp_path):
    a_class(warmup, hand_in, 3)
    processes.scheduler()
    processes.worker(**preloaded(tmp_path, f"WORDS = None\n{LIES}"))
    ended(grading(warmup, processes.address), 0)
    assert gradebook(warmup) == locally(warmup)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_answer_of_another_form_is_refused(processes, warmup, hand_in, tmp_path):
    a_class(warmup, hand_in, 2)
    processes.scheduler()
    processes.worker(**preloaded(tmp_path, f"WORDS = 'more'\n{LIES}"))
    assert "answer can't be read" in ended(grading(warmup, processes.address), 1)
    assert recorded(warmup) == {}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_worker_of_another_version_is_refused_by_both(processes, warmup, hand_in, tmp_path):
    a_class(warmup, hand_in, 1)
    text = "from autograder.grading import cluster_worker\ncluster_worker.ENGINE = '0'"
    processes.scheduler()
    processes.worker(**preloaded(tmp_path, text))
    said = ended(grading(warmup, processes.address), 1)
    assert "it has engine 0, this machine has engine 7" in said
    assert recorded(warmup) == {}


def listening(pid: int) -> set[str]:
    """The addresses at which a process takes connections, as the kernel writes them."""
    links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
    tables = [Path(f"/proc/{pid}/net/{name}").read_text() for name in ("tcp", "tcp6")]
    sockets = [line.split() for table in tables for line in table.splitlines()]
    return {
        field[1].partition(":")[0]
        for field in sockets
        if field[3] == "0A" and f"socket:[{field[9]}]" in links
    }


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_all_connections_can_be_encrypted(processes, warmup, hand_in, tmp_path):
    certificates(tmp_path)
    files = {"--tls-ca": "ca.pem", "--tls-cert": "cert.pem", "--tls-key": "key.pem"}
    processes.tls = [part for option, file in files.items() for part in (option, file)]
    processes.tls = [str(tmp_path / one) if one.endswith(".pem") else one for one in processes.tls]
    processes.scheduler()
    assert processes.address.startswith("tls://")
    worker = processes.worker()
    a_class(warmup, hand_in, 2)
    said = ended(grading(warmup, processes.address), 1)
    assert "no file says whom this machine trusts" in said
    ended(grading(warmup, processes.address, *processes.tls), 0)
    assert gradebook(warmup) == locally(warmup)
    assert listening(under_nanny(worker)) == {"0100007F"}  # 127.0.0.1, as its scheduler


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"cluster": Place("tcp://192.0.2.1:8786")}, "without encryption"),
        ({"cluster": Place("tcp://127.0.0.1:1"), "isolated": False}, "could take over the cluster"),
        ({"cluster": Place("auto")}, "has no scheduler-address"),
    ],
)
def test_what_can_not_be_a_cluster_is_refused(options, said, warmup, hand_in):
    a_class(warmup, hand_in, 1)
    with pytest.raises(Exception, match=said) as refused:
        grade(warmup, "warmup", **options)
    assert isinstance(refused.value, AutograderError)
    assert recorded(warmup) == {}
