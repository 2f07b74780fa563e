"""Standard output and error of a notebook's cells, also of writes to the file descriptors."""

from __future__ import annotations

import codecs
import io
import os
import select
import threading
from contextlib import suppress
from typing import Any, Protocol

FLUSH_CHARS = 1 << 20  # text that waits for a flush; more text is published at once


class Publisher(Protocol):
    """The receiver of text, in the form of ipykernel's streams."""

    def parent(self) -> dict[str, Any]:
        """The request that the running cell answers."""

    def send(self, stream: Any, kind: str, content: dict[str, Any], parent: Any) -> Any:
        """Take one message."""


class Stream(io.TextIOBase):
    """`sys.stdout` or `sys.stderr`: collects printed text and text written to the descriptor.

    Text waits until a flush or the end of the cell, as in ipykernel. Therefore the streams come
    out in the same order as in ipykernel: first stdout, then stderr. Text that doesn't come from
    Python (a C library, a subprocess) goes through a pipe. The pipe is emptied before each print,
    so that the order of the text is kept; a thread empties it while the cell is busy.
    """

    def __init__(self, publisher: Publisher, name: str, fd: int) -> None:
        self.name = name
        self._publisher = publisher
        self._lock = threading.RLock()
        self._text: list[str] = []
        self._waiting = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._pid = os.getpid()
        self._fd = fd
        self._original = os.dup(fd)
        self._pipe, write_end = os.pipe()
        os.set_blocking(self._pipe, False)
        os.dup2(write_end, fd)
        os.close(write_end)
        threading.Thread(target=self._watch, name=f"watch {name}", daemon=True).start()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of text."""
        return "UTF-8"

    def fileno(self) -> int:
        """The process's original stream, outside the notebook, as in ipykernel."""
        return self._original

    def writable(self) -> bool:
        """Always."""
        return True

    def isatty(self) -> bool:
        """Never."""
        return False

    def write(self, text: str) -> int:
        """Add `text` to the running cell's output."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        if os.getpid() != self._pid:  # a forked child has no publisher, only the pipe
            os.write(self._fd, text.encode(errors="replace"))
            return len(text)
        with self._lock:
            self._drain()
            self._keep(text)
        if self._waiting >= FLUSH_CHARS:
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Publish the text written so far."""
        if os.getpid() != self._pid:
            return
        with self._lock:
            self._drain()
            text, self._text, self._waiting = "".join(self._text), [], 0
        if text:
            parent = self._publisher.parent()
            self._publisher.send(None, "stream", {"name": self.name, "text": text}, parent)

    def _keep(self, text: str) -> None:
        self._text.append(text)
        self._waiting += len(text)

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            while self._waiting < FLUSH_CHARS and (chunk := os.read(self._pipe, 1 << 16)):
                self._keep(self._decoder.decode(chunk))

    def _watch(self) -> None:
        while True:
            select.select([self._pipe], [], [])
            with self._lock:
                self._drain()
            if self._waiting >= FLUSH_CHARS:
                self.flush()
