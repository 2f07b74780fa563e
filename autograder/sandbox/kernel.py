"""A whole ipykernel in an isolated fork: what the warm kernelspec runs."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from autograder.sandbox import shell
from autograder.sandbox.view import FOLDER, HOME

SOCKETS = ".kernel"  # in the private folder, where the launcher finds them too

# Imported before the fork, or each kernel would take 150 ms for them. No event loop starts, and
# no zmq context.
MODULES = (
    *shell.MODULES,
    "autograder.sandbox.kernel",
    "faulthandler",
    "http.server",
    "ipykernel.debugger",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "psutil",
    "sqlite3",
    "tornado.locks",
    "tornado.platform.asyncio",
    "tornado.queues",
)


def main(ready: int, connection: dict[str, Any]) -> None:
    """Serve a kernel until it is told to shut down.

    Args:
        ready: a pipe to write to once the sockets are there.
        connection: ports, key and signature scheme, as in a connection file.
    """
    from ipykernel.kernelapp import IPKernelApp

    sockets = FOLDER / SOCKETS
    sockets.mkdir(mode=0o700)
    file = Path(HOME / "kernel.json")
    file.touch(mode=0o600)
    file.write_text(json.dumps(connection | {"transport": "ipc", "ip": str(sockets / "s")}))
    sys.argv = ["ipykernel_launcher"]
    app = IPKernelApp.instance()
    app.initialize(["-f", str(file), "--HistoryManager.hist_file=:memory:"])
    os.write(ready, b"R")
    os.close(ready)
    app.start()
