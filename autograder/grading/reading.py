"""Reads untrusted content in a reader, a process that is ended if it uses too much time or memory.

Parsers are not made for hostile input: a check of unusual metadata, or a search in Markdown, can
take time that grows with the square of its input. A thread can't be stopped and a regular
expression can't be interrupted, but a process can be ended. A reader returns plain data, and
lives until it exceeds a limit. Each thread that calls `ask` for a long task has its own reader,
which ends with the thread. For short tasks the threads share a few readers, which saves memory and
their start.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import queue
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
# Wall time allowed for each second of processor time. A reader never sleeps, so this limit matters
# only if the reader was stopped or the machine is overloaded.
WALL_FACTOR = 30

_TASKS = {
    "notebook": "autograder.grading.plain:notebook",
    "log": "autograder.grading.plain:attempt_log",
    "attempts": "autograder.grading.plain:attempts",
    "tokens": "autograder.grading.own_code:tokens",
    "drawing": "autograder.grading.drawing:draw",
    "feedback": "autograder.grading.feedback:draw_page",
    "archive": "autograder.grading.archive:unpack",
}
_SHORT = ("notebook", "log", "attempts")  # some milliseconds each
_BOOT = """
import json, sys
sys.path[:] = json.loads(sys.stdin.buffer.readline())
from autograder.grading.reading import serve
serve()
"""
_HEAD = struct.Struct("!QQ")  # lengths of the JSON and of the content that follows


class ReadingError(AutograderError):
    """The content isn't what the task expects."""


class OverrunError(AutograderError):
    """Reading took more time or memory than any honest content needs; the reader was ended."""


def ask(task: str, content: bytes, *, seconds: int = CPU_SECONDS, **arguments: Any) -> Any:
    """Let the thread's reader do a task. In a reader, do the task here, within the reader's limits.

    Args:
        task: the name of a task, a key of `_TASKS`.
        content: untrusted content to read.
        seconds: the processor time that the task may take.
        **arguments: plain data for the task.

    Raises:
        ReadingError: the task refused the content; `problem` says why.
        OverrunError: the task took too much time or memory, and the reader was ended.
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
    """The answer of a reader; None if the reader exceeded a limit and was ended."""
    if _SERVING:
        return _done(request, content)
    if request["task"] not in _SHORT:
        reply, _HELD.reader = _asked(getattr(_HELD, "reader", None), request, content)
        return reply
    reader = _SHARED.get()  # while all are in use, wait
    try:
        reply, reader = _asked(reader, request, content)
    finally:
        _SHARED.put(reader)
    return reply


def _asked(
    reader: _Reader | None, request: dict[str, Any], content: bytes
) -> tuple[dict[str, Any] | None, _Reader | None]:
    """The answer, and the reader if it still runs; start a reader if there is none.

    Whatever a reader does, this function raises nothing: a stored exception would keep this frame
    alive, and with it the reader after its thread has ended.
    """
    if reader is None or not reader.usable():
        reader = _Reader()
    try:
        return reader.ask(request, content), reader
    except (OSError, EOFError):
        reader.end()
        return None, None
    except BaseException:  # an interrupt: the next one to ask must not get this answer
        reader.end()
        raise


_HELD = threading.local()
_SERVING: list[bool] = []
_SHARED: queue.LifoQueue[_Reader | None] = queue.LifoQueue()
for _ in range(max(1, len(os.sched_getaffinity(0)) // 4)):
    _SHARED.put(None)


class _Reader:
    """A reader process, as the asking thread sees it."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _BOOT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,  # a keyboard interrupt is meant for the asking process
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout
        # The reader ends with the thread that holds it, with this process, or when its input ends.
        self.end = weakref.finalize(self, _end, self._process)
        import_path = [entry for entry in sys.path if os.path.isabs(entry)]  # noqa: PTH117
        self._to.write(json.dumps(import_path).encode() + b"\n")

    def usable(self) -> bool:
        """Whether the reader runs and belongs to this process: a fork would share its pipes."""
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
        except OSError:  # the reader died before all was written to it
            continue
    process.wait()


# ── the side that reads ─────────────────────────────────────────────────────────────────────────


def serve() -> None:
    """Do the requested tasks until the input ends."""
    _SERVING.append(True)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # text that a parser prints must not mix with the answers
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    while head := sys.stdin.buffer.read(_HEAD.size):
        length, size = _HEAD.unpack(head)
        request = json.loads(sys.stdin.buffer.read(length))
        content = sys.stdin.buffer.read(size)
        _answer(answers, _done(request, content, limited=True))


def _done(request: dict[str, Any], content: bytes, limited: bool = False) -> dict[str, Any]:
    module, name = _TASKS[request["task"]].split(":")
    task = getattr(importlib.import_module(module), name)
    if limited:
        limit_cpu(request["seconds"])
    try:
        return {"result": task(content, **request["arguments"])}
    except Exception as error:  # any exception of a parser means: invalid content
        lines = [*str(error).strip().splitlines(), type(error).__name__]
        return {"error": lines[0][:200]}


def limit_cpu(seconds: int) -> None:
    """Let the kernel end this process after `seconds` more of processor time."""
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
