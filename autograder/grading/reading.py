"""Reads what a stranger wrote in a process of its own, which is ended when that takes too much.

Parsers are not made for people who mean harm: a check of odd metadata, or a search in Markdown,
can take the square of its input. A thread can't be stopped and a regular expression can't be
interrupted, but a process can be ended. One is kept for each thread that asks, and lives until
its thread ends or until it overruns; what comes back from it is plain data.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import resource
import select
import struct
import subprocess
import sys
import threading
import time
import weakref
from typing import Any, BinaryIO

from autograder.errors import AutograderError

CPU_SECONDS = 10
MEMORY_BYTES = 2 << 30
# A reader never sleeps: this only bounds how long a stopped one, or a starved machine, is awaited.
WALL_FACTOR = 30

_TASKS = {
    "notebook": "autograder.grading.plain:notebook",
    "log": "autograder.grading.plain:attempt_log",
    "drawing": "autograder.grading.drawing:draw",
    "feedback": "autograder.grading.feedback:draw_page",
}
_BOOT = """
import json, sys
sys.path[:] = json.loads(sys.stdin.buffer.readline())
from autograder.grading.reading import serve
serve()
"""
_HEAD = struct.Struct("!QQ")  # the lengths of the JSON and of the content behind it


class ReadingError(AutograderError):
    """What was to be read isn't what it should be."""


class OverrunError(AutograderError):
    """Reading took more time or memory than anything honest does; the process was ended."""


def ask(task: str, content: bytes, *, seconds: int = CPU_SECONDS, **arguments: Any) -> Any:
    """Let the thread's reader do one task; a reader that asks does it itself, within its limits.

    Args:
        task: what to do with it, a name of this module's table.
        content: what a stranger wrote.
        seconds: the processor time that it may take.
        arguments: plain data for the task.

    Raises:
        ReadingError: the task refused the content; `problem` says why.
        OverrunError: it took too much, and the reader was ended.
    """
    reply = _reply({"task": task, "seconds": seconds, "arguments": arguments}, content)
    if reply is None:
        raise OverrunError(
            f"it takes more than {seconds} s or {MEMORY_BYTES >> 30} GiB to read",
            "look at the file; ask the student for one without what makes it so",
        )
    if "error" in reply:
        raise ReadingError(reply["error"], "look at the file, or ask the student for another")
    return reply["result"]


def _reply(request: dict[str, Any], content: bytes) -> dict[str, Any] | None:
    """What the thread's reader answers; None if it overran, and was ended.

    It raises nothing: a kept exception would keep this frame, and the reader past its thread.
    """
    if _SERVING:
        return _done(request, content)
    reader: _Reader | None = getattr(_HELD, "reader", None)
    if reader is None or not reader.usable():
        reader = _HELD.reader = _Reader()
    try:
        return reader.ask(request, content)
    except (OSError, EOFError):
        _HELD.reader = None
        reader.end()
        return None


_HELD = threading.local()
_SERVING: list[bool] = []


class _Reader:
    """The side that asks."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _BOOT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,  # an interrupt at the keyboard is for who asked
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout
        # It ends with the thread that holds it, with this process, or when its input does.
        self.end = weakref.finalize(self, _end, self._process)
        path = [entry for entry in sys.path if os.path.isabs(entry)]  # noqa: PTH117
        self._to.write(json.dumps(path).encode() + b"\n")

    def usable(self) -> bool:
        """Whether it is this process's own: after a fork two would share the pipes."""
        return self._owner == os.getpid() and self._process.poll() is None

    def ask(self, request: dict[str, Any], content: bytes) -> dict[str, Any]:
        head = json.dumps(request).encode()
        deadline = time.monotonic() + WALL_FACTOR * request["seconds"]
        self._to.write(_HEAD.pack(len(head), len(content)) + head + content)
        self._to.flush()
        length, _ = _HEAD.unpack(self._read(_HEAD.size, deadline))
        reply: dict[str, Any] = json.loads(self._read(length, deadline))
        return reply

    def _read(self, length: int, deadline: float) -> bytes:
        parts, missing = [], length
        while missing:
            ready, _, _ = select.select([self._from], [], [], max(0, deadline - time.monotonic()))
            part = os.read(self._from.fileno(), min(missing, 1 << 20)) if ready else b""
            if not part:
                raise EOFError
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        try:
            pipe.close()
        except OSError:  # what was still to be written to one that has died
            continue
    process.wait()


# ── the side that reads ─────────────────────────────────────────────────────────────────────────


def serve() -> None:
    """Do what is asked, until the input ends."""
    _SERVING.append(True)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing that a parser prints may stand between the answers
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    while head := sys.stdin.buffer.read(_HEAD.size):
        about, size = _HEAD.unpack(head)
        request = json.loads(sys.stdin.buffer.read(about))
        content = sys.stdin.buffer.read(size)
        _answer(answers, _done(request, content, limited=True))


def _done(request: dict[str, Any], content: bytes, limited: bool = False) -> dict[str, Any]:
    module, name = _TASKS[request["task"]].split(":")
    task = getattr(importlib.import_module(module), name)
    if limited:
        limit_cpu(request["seconds"])
    try:
        return {"result": task(content, **request["arguments"])}
    except Exception as error:  # whatever a parser raises says that the content is not for it
        said = [*str(error).strip().splitlines(), type(error).__name__]
        return {"error": said[0][:200]}


def limit_cpu(seconds: int) -> None:
    """Let the kernel end this process when it has used so much more processor time."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(used.ru_utime + used.ru_stime) + seconds
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _answer(answers: BinaryIO, reply: dict[str, Any]) -> None:
    data = json.dumps(reply).encode()
    answers.write(_HEAD.pack(len(data), 0) + data)
    answers.flush()
