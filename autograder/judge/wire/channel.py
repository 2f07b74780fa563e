"""Frames over one stream socket, with limits on their size and a deadline.

A frame is a 4-byte length, a JSON head `[message, [length of each buffer]]`, and the buffers.
The deadline is checked between system calls; no signal handler raises inside a frame. So a frame is
read or written as a whole, or the connection is given up.
"""

from __future__ import annotations

import json
import select
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from autograder.judge.errors import CandidateLostError, JudgeFaultError

# Waits are short because `_thread.interrupt_main` interrupts no system call: Python runs signal
# handlers between two waits.
_HANDLERS_RUN = 0.25

Buffer = bytes | bytearray | memoryview


@dataclass(frozen=True)
class FrameLimits:
    """The most that one frame may hold; these limits bound the cost of reading a frame."""

    head_bytes: int = 16 << 20
    buffer_bytes: int = 512 << 20
    buffers: int = 100_000


class Channel:
    """One end of the connection between judge and candidate.

    Attributes:
        deadline: the time at which `on_late` is called while this end waits; None for no deadline.
        clock: the clock of the deadline, which may run slower than `time.monotonic`.
        on_late: called when the deadline passes; it must set a later deadline, or raise.
        busy: whether a frame is being read or written; a signal handler must not raise then.
    """

    def __init__(self, sock: socket.socket, limits: FrameLimits | None = None) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._limits = limits or FrameLimits()
        self.deadline: float | None = None
        self.clock: Callable[[], float] = monotonic
        self.on_late: Callable[[], None] | None = None
        self.busy = False

    def close(self) -> None:
        """Close the connection; the other end reads the end of the stream."""
        self._sock.close()

    def send(self, message: Any, buffers: Sequence[Buffer] = ()) -> None:
        """Send one frame.

        Raises:
            CandidateLostError: the other end is gone or doesn't read.
            JudgeFaultError: the message isn't JSON, which is a fault of the codec.
            ValueError: the frame is larger than the other end accepts.
        """
        lengths = [len(buffer) for buffer in buffers]
        try:
            head = json.dumps([message, lengths], separators=(",", ":")).encode()
        except TypeError as error:
            raise JudgeFaultError(
                f"a value was encoded as something that isn't JSON ({error}): this is a fault of "
                "the autograder; please report it with the notebook"
            ) from error
        limits = self._limits
        if len(head) > limits.head_bytes or sum(lengths) > limits.buffer_bytes:
            raise ValueError(
                f"too large to cross between test and student: {len(head) + sum(lengths):,} bytes; "
                "pass something smaller"
            )
        if len(lengths) > limits.buffers:
            raise ValueError(f"too many arrays to cross at once: {len(lengths):,}; stack them")
        self.busy = True
        try:
            self._write(struct.pack(">I", len(head)) + head)
            for buffer in buffers:
                self._write(buffer)
        finally:
            self.busy = False

    def receive(self) -> tuple[Any, list[memoryview]]:
        """Read one frame.

        Returns:
            The message, as parsed from JSON, and its buffers, each in writable memory of its own.

        Raises:
            CandidateLostError: the stream has ended, or the frame breaks a rule.
        """
        self.busy = True
        try:
            (length,) = struct.unpack(">I", self._read(4))
            if length > self._limits.head_bytes:
                raise CandidateLostError(f"a frame's head has {length:,} bytes, over the limit")
            message, lengths = self._parse(bytes(self._read(length)))
            return message, [self._read(n) for n in lengths]
        finally:
            self.busy = False

    def _parse(self, head: bytes) -> tuple[Any, list[int]]:
        try:
            match json.loads(head):
                case [message, list(lengths)]:
                    pass
                case _:
                    raise ValueError("not [message, lengths]")
        except (ValueError, RecursionError) as error:
            raise CandidateLostError(f"unreadable frame: {error}") from None
        limits = self._limits
        if (
            len(lengths) > limits.buffers
            or any(type(n) is not int or n < 0 for n in lengths)
            or sum(lengths) > limits.buffer_bytes
        ):
            raise CandidateLostError("a frame's buffers are over the limit")
        return message, lengths

    def _read(self, size: int) -> memoryview:
        view = memoryview(bytearray(size))
        done = 0
        while done < size:
            try:
                count = self._sock.recv_into(view[done:])
            except BlockingIOError:
                self._wait(reading=True)
                continue
            except OSError as error:
                raise CandidateLostError(f"the connection broke: {error}") from None
            if not count:
                raise CandidateLostError("the student's process ended")
            done += count
        return view

    def _write(self, data: Buffer) -> None:
        view = memoryview(data).cast("B") if len(data) else memoryview(b"")
        while len(view):
            try:
                view = view[self._sock.send(view) :]
            except BlockingIOError:
                self._wait(reading=False)
            except OSError as error:
                raise CandidateLostError(f"the student's process ended: {error}") from None

    def _wait(self, *, reading: bool) -> None:
        """Wait until the socket is ready; call `on_late` whenever the deadline passes."""
        ends = [self._sock]
        while True:
            timeout = _HANDLERS_RUN
            if self.deadline is not None:
                timeout = min(timeout, max(0.0, self.deadline - self.clock()))
            ready = select.select(ends if reading else [], [] if reading else ends, [], timeout)
            if ready[0] or ready[1]:
                return
            if self.deadline is None or self.clock() < self.deadline:
                continue
            if self.on_late is None:
                raise CandidateLostError("no answer in time")
            self.on_late()
