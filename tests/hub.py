"""A hub on a computer of its own: the set-up of docs/hub.md, run word for word, with real accounts.

The computer is this one, seen from namespaces for mounts and processes: its accounts, homes and
course folders are in memory, and everything on it ends with it. That needs root.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "hub.md").read_text(encoding="utf-8")
NODE = ROOT / "node_modules" / ".bin"
PASSWORD = "a long pass phrase"
PLACES = ("/home", "/srv", "/opt", "/mnt")  # of this computer, empty at the start
SECONDS = 180

START = """
set -e
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/upper /run/work /run/python
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/upper,workdir=/run/work /etc
for place in {places}; do mount -t tmpfs -o mode=755 tmpfs $place; done
# Other accounts must reach Python, which may be installed in a private folder.
mount --bind {python} /run/python
mount -t tmpfs -o mode=755 tmpfs {private}
mkdir -p {python}
mount --bind /run/python {python}
ln -s {venv} /opt/convnets
echo ready
exec sleep infinity
"""


class Computer:
    """The computer: runs commands, as root or as one of its accounts."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        self._enter = ["nsenter", "--target", children.split()[0], "--mount", "--pid"]

    def command(self, text: str, user: str = "root", folder: str = "/") -> list[str]:
        path = f"/opt/convnets/bin:{NODE}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/bin"
        shell = [*("env", "-i", f"PATH={path}", f"USER={user}", "LANG=C.UTF-8"),
                 "OMP_NUM_THREADS=1"]  # fmt: skip
        home = "/root" if user == "root" else f"/home/{user}"
        account = ["setpriv", "--reuid", user, "--regid", user, "--init-groups"]
        text = f"cd {shlex.quote(folder)}\n{text}"
        return [*self._enter, *account, *shell, f"HOME={home}", "bash", "-e", "-c", text]

    def run(self, text: str, user: str = "root", folder: str = "/", *, fails: bool = False) -> str:
        """Run a script, and return what it prints; it must succeed unless it `fails`."""
        done = subprocess.run(
            self.command(text, user, folder), capture_output=True, text=True, timeout=600
        )
        assert (done.returncode != 0) == fails, f"{text}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr


@contextmanager
def computer() -> Iterator[Computer]:
    if os.getuid() != 0 or not shutil.which("unshare"):
        pytest.skip("real accounts need root")
    python = Path(sys.base_prefix).resolve()
    closed = [p for p in python.parents if not p.stat().st_mode & 0o001]
    script = START.format(
        places=" ".join(PLACES),
        python=shlex.quote(str(python)),
        private=shlex.quote(str(closed[-1] if closed else "/mnt")),
        venv=shlex.quote(sys.prefix),
    )
    separate = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"]
    process = subprocess.Popen(
        [*separate, "--mount-proc", "bash", "-c", script], stdout=subprocess.PIPE, text=True
    )
    try:
        if process.stdout.readline() != "ready\n":
            pytest.skip("this computer can't be seen as another (no right to mount)")
        yield Computer(process)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def commands(heading: str) -> str:
    """The commands below a heading of docs/hub.md."""
    section = re.split(rf"^##+ {re.escape(heading)}$", PAGE, flags=re.MULTILINE)[1]
    section = re.split(r"^## ", section, flags=re.MULTILINE)[0]
    blocks = re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert blocks, heading
    return "".join(blocks)


def set_up(machine: Computer, students: list[str]) -> None:
    """Set the hub up as docs/hub.md says, and give the people their passwords."""
    script = commands("Set up").replace("sudo ", "")
    assert "ada emmy grace" in script
    machine.run(script.replace("ada emmy grace", " ".join(students)), folder=str(ROOT))
    lines = "".join(f"{name}:{PASSWORD}\n" for name in ["prof", *students])
    machine.run(f"chpasswd <<< {shlex.quote(lines.strip())}")


def change_setting(machine: Computer, name: str, value: object) -> None:
    """Edit a setting at the top of the hub's configuration."""
    path = "/etc/convnets/jupyterhub_config.py"
    text = machine.run(f"cat {path}")
    changed, count = re.subn(rf"^{name} = .*$", f"{name} = {value!r}", text, flags=re.MULTILINE)
    assert count == 1, name
    machine.run(f"cat > {path} <<'END'\n{changed}\nEND")


def free_ports() -> int:
    """The first of five free ports in a row, where the hub and its services listen."""
    for first in range(18100 + os.getpid() % 1000 * 10, 40000, 10):
        try:
            for port in range(first, first + 5):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise AssertionError("no five free ports in a row")


class Hub:
    """A running hub."""

    def __init__(self, machine: Computer, port: int, log: Path) -> None:
        self.machine, self.port, self.log = machine, port, log
        self.url = f"http://127.0.0.1:{port}"
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                machine.command(commands("Start").replace("sudo ", "exec ")),
                stdout=file,
                stderr=file,
            )
        end = time.monotonic() + SECONDS
        while not self._answers():
            assert self._process.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < end, log.read_text()[-3000:]
            time.sleep(0.5)

    def _answers(self) -> bool:
        places = ("/hub/health", "/services/attempts/health/ready", "/services/convnets/api")
        try:
            return all(httpx.get(self.url + place).status_code == 200 for place in places)
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=SECONDS)
