"""A SLURM cluster of three nodes on this computer: munged, slurmctld and slurmd of our own.

Of an installed SLURM only the programs are used. Configuration, keys, sockets and state lie in a
temporary folder, all ports are free ones of 127.0.0.1, and the daemons end with the test.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scontrol")
PACKAGES = "slurmctld slurmd slurm-client munge"
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
NODES = ("node1", "node2", "node3")
SECONDS = 120
CONFIG = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
MailProg=/bin/true
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
PartitionName=all Nodes=ALL Default=YES MaxTime=60 State=UP
"""
NODE = "NodeName={} NodeHostname={} NodeAddr=127.0.0.1 Port={} CPUs=2 RealMemory=8000\n"


class Slurm:
    """A running cluster."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.daemons: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = os.environ | {
            "SLURM_CONF": str(folder / "slurm.conf"),
            "PATH": PATH,
        }

    def ask(self, *command: str | Path) -> str:
        """What a command of SLURM prints; it must succeed."""
        done = subprocess.run(
            list(map(str, command)),
            env=self.environment, capture_output=True, text=True, timeout=SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}\n{self.logs()}"
        return done.stdout

    def job(self, number: str) -> dict[str, str]:
        """What `scontrol show job` says of a job."""
        words = self.ask("scontrol", "--oneliner", "show", "job", number).split()
        return dict(word.partition("=")[::2] for word in words)

    def lose(self, node: str) -> None:
        """Let a node die with all that runs on it; the controller would notice later by itself."""
        mine = [f"SLURM_CONF={self.folder}/slurm.conf", f"SLURMD_NODENAME={node}"]
        tasks = [pid for pid, variables in environments() if variables.issuperset(mine)]
        steps = {step for pid in tasks if (step := step_of(pid))}
        for pid in [self.daemons[node].pid, *steps, *tasks]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.ask("scontrol", "update", f"nodename={node}", "state=down", "reason=died")

    def kill_all(self) -> None:
        """Kill what is left of daemons and jobs."""
        for pid, variables in environments():
            if f"SLURM_CONF={self.folder}/slurm.conf" in variables:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def logs(self) -> str:
        """The last lines of each daemon."""
        texts = {path: path.read_text(errors="replace") for path in self.folder.glob("*.log")}
        return "\n".join(f"== {path.name}\n{text[-2000:]}" for path, text in texts.items())


@contextmanager
def slurm(folder: Path) -> Iterator[Slurm]:
    """Start a cluster in a new folder; end all that it started, jobs too.

    Skips the test where the programs are missing.
    """
    if missing := [name for name in PROGRAMS if not shutil.which(name, path=PATH)]:
        pytest.skip(f"no {', '.join(missing)}: apt-get install --no-install-recommends {PACKAGES}")
    folder.mkdir(mode=0o700)
    (folder / "state").mkdir()
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o600)
    host = socket.gethostname().partition(".")[0]
    ports = free_ports(1 + len(NODES))
    config = CONFIG.format(host=host, user=getpass.getuser(), folder=folder, ports=ports)
    nodes = [NODE.format(name, host, port) for name, port in zip(NODES, ports[1:], strict=True)]
    (folder / "slurm.conf").write_text(config + "".join(nodes))
    cluster = Slurm(folder)
    with ExitStack() as daemons:
        daemons.callback(cluster.kill_all)
        munge = {"socket": "socket", "pid-file": "pid", "seed-file": "seed", "log-file": "log"}
        files = [f"--{option}={folder}/munge.{name}" for option, name in munge.items()]
        files += [f"--key-file={folder}/munge.key", "--foreground", "--force"]
        daemons.enter_context(daemon(cluster, "munge", "munged", *files))
        until_exists(folder / "munge.socket")
        daemons.enter_context(daemon(cluster, "controller", "slurmctld", "-D"))
        for node in NODES:
            daemons.enter_context(daemon(cluster, node, "slurmd", "-D", "-N", node))
        deadline = time.monotonic() + SECONDS
        ready = f"idle {len(NODES)}"
        while cluster.ask("sinfo", "--noheader", "--format=%T %D").strip() != ready:
            assert time.monotonic() < deadline, cluster.logs()
            time.sleep(0.2)
        yield cluster
        cluster.ask("scancel", "--user", getpass.getuser(), "--full")
        deadline = time.monotonic() + SECONDS
        while cluster.ask("squeue", "--noheader"):
            assert time.monotonic() < deadline, cluster.logs()
            time.sleep(0.2)


def environments() -> Iterator[tuple[int, set[str]]]:
    """The variables with which each process of ours was started."""
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended, or is another user's
            text = (place / "environ").read_bytes().decode(errors="replace")
            yield int(place.name), set(text.split("\0"))


def step_of(pid: int) -> int | None:
    """The slurmstepd that started a process, if one did."""
    with suppress(OSError):  # the process ended
        status = Path(f"/proc/{pid}/status").read_text()
        parent = int(status.partition("PPid:")[2].split()[0])
        if Path(f"/proc/{parent}/comm").read_text().startswith("slurmstepd"):
            return parent
    return None


@contextmanager
def daemon(cluster: Slurm, name: str, *command: str) -> Iterator[None]:
    """A daemon in the foreground of a session of its own, which is ended."""
    with (cluster.folder / f"{name}-said.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            env=cluster.environment, stdout=log, stderr=log, cwd=cluster.folder,
            start_new_session=True,
        )  # fmt: skip
    cluster.daemons[name] = process
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def until_exists(path: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not path.exists():
        assert time.monotonic() < deadline, f"no {path}"
        time.sleep(0.05)


def free_ports(number: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody uses."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
