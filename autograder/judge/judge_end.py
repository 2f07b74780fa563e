"""The judge's end of the conversation: what it sends, what it believes, what it lets be asked."""

from __future__ import annotations

import functools
import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from autograder.judge import seeds
from autograder.judge.channel import Channel
from autograder.judge.decoder import Decoder
from autograder.judge.encoder import Encoder
from autograder.judge.errors import (
    TIME_IS_UP,
    CandidateLostError,
    JudgeFaultError,
    OverTimeError,
    RefusedError,
)
from autograder.judge.judge_codec import JudgeDecoder, JudgeEncoder, JudgeObjects
from autograder.judge.kinds import Beliefs, builtin_exception
from autograder.judge.names import Names
from autograder.judge.policy import changes_nothing, keeps_lengths
from autograder.judge.raised import is_theirs, make_error, mark_cuda_failure, mark_theirs
from autograder.judge.source import Notebook
from autograder.judge.tensor import RemoteTensor

_MAX_PRINTED = 1 << 20
GRACE = 1.0
# Errors that only a fault of ours can be: no answer of a candidate leads to one …
_BUGS = (AssertionError, NameError, ImportError, SystemError)
# … and, where a message is written, these too: a test's values that can't cross are a TypeError.
_BUGS_IN_WRITING = (*_BUGS, LookupError, AttributeError)


class JudgePeer(JudgeObjects):
    """What the judge knows of the candidate, and how it asks.

    Args:
        channel: The connection.
        notebook: What the instructor's source says.
        stop: Sends a signal to the candidate, to interrupt and to kill it.
    """

    encoder = JudgeEncoder
    decoder = JudgeDecoder

    def __init__(
        self, channel: Channel, notebook: Notebook, stop: Callable[[signal.Signals], None]
    ) -> None:
        super().__init__(channel, Beliefs({}, notebook.defined, notebook.solutions))
        self.names = Names(notebook, self.is_bound, self.global_name)
        self._stop = stop
        self.lengths: dict[int, int] = {}  # what a test has seen, by handle
        self.own_methods = False  # whether the judge runs a method of a given class
        self.late = False
        self.lost: str | None = None
        self.fault: JudgeFaultError | None = None
        self._seeds: Any = None
        self._seeding = False
        self.stopped: BaseException | None = None
        self.flush_signals: Callable[[], None] = lambda: None
        self.before_request: Callable[[], None] | None = None
        self.rules: Callable[[], tuple[str, ...]] = tuple  # house rules that hold now
        channel.on_late = self._on_late

    # Time.

    def start_clock(self, seconds: float) -> None:
        """The candidate has this long to answer, then a second more after an interrupt."""
        self.late = False
        self.channel.deadline = self.channel.clock() + seconds

    def _on_late(self) -> None:
        if self.late:
            self.kill("didn't stop when its time was up")
        self.late = True
        self.channel.deadline = self.channel.clock() + GRACE
        self._stop(signal.SIGINT)

    def time_is_up(self) -> None:
        """The cell's limit has passed.

        A test's own code is stopped at once; while it waits for the student's, the channel sees
        to it.
        """
        if not self.talking:
            self.late = True
            self.channel.deadline = self.channel.clock() + GRACE
            raise OverTimeError(TIME_IS_UP)
        if self.channel.deadline and self.channel.clock() > self.channel.deadline + 5:
            self.kill("sent what takes too long to read")

    def stop(self, error: BaseException) -> None:
        """Interrupt the student's code, and raise this instead of taking its answer."""
        self.stopped = error
        self._stop(signal.SIGINT)

    def remind(self) -> None:
        """Interrupt again: the first time may have come before the student's code began."""
        if self.waiting and (self.late or self.stopped is not None):
            self._stop(signal.SIGINT)

    def before_waiting(self) -> None:
        """Signals that came while a message was made or read."""
        self.flush_signals()

    def kill(self, reason: str) -> None:
        """End the candidate; raises CandidateLostError."""
        self.lost = self.lost or reason
        self._stop(signal.SIGKILL)
        raise CandidateLostError(self.lost)

    # Asking.

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """As `Peer.request`; once the candidate is lost, or late, nothing else happens.

        Raises:
            CandidateLostError: there is nobody to ask any more.
            OverTimeError: the cell's time is up.
            JudgeFaultError: the judge's own code failed, now or before.
        """
        if self.fault is not None:
            raise self.fault
        if self.lost is not None:
            raise CandidateLostError(self.lost)
        if not changes_nothing(*args):
            self.epoch += 1
        if not keeps_lengths(*args):
            self.lengths.clear()
        try:
            if self.before_request is not None:
                self.before_request()
            return super().request(*args, **kwargs)
        except CandidateLostError as error:
            self.lost = self.lost or str(error)
            raise
        except StopIteration:
            if args[0] == "special" and args[2] == "__next__":
                raise
            # From a call it would end a test's loop over map(f, cases) before the first assert.
            raise RuntimeError("the student's code raised StopIteration") from None
        except _BUGS_IN_WRITING as error:
            if is_theirs(error) or isinstance(error, RefusedError):
                raise
            raise self._failed(error) from error
        finally:
            stopped, self.stopped = self.stopped, None
            if self.late and self.lost is None:
                raise OverTimeError(TIME_IS_UP)
            if stopped is not None and self.lost is None:
                raise stopped from None
            self.flush_signals()

    def _failed(self, error: Exception) -> JudgeFaultError:
        """Remember a fault of the judge's own: no verdict after it counts."""
        if self.fault is None:
            self.fault = JudgeFaultError(f"the judge failed: {error!r:.500}")
            self.fault.__cause__ = error
        return self.fault

    def unreadable(self, error: Exception) -> BaseException:
        """Whoever sends what makes no sense is not talked to any longer."""
        if isinstance(error, _BUGS):
            return self._failed(error)
        self.lost = self.lost or f"the student's process sent a malformed answer ({error!r:.200})"
        self._stop(signal.SIGKILL)
        return CandidateLostError(self.lost)

    def run_cell(self, source: str, count: int) -> tuple[list[Any], bool]:
        """Run a student's cell; its outputs, as the candidate says, and whether CUDA failed."""
        answer = self.request("cell", None, source, [count])
        try:
            outputs, cuda_failed = answer
            found = json.loads(outputs)
            if not isinstance(found, list):
                raise TypeError("a cell's outputs are a list")
        except (TypeError, ValueError, RuntimeError, RecursionError) as error:
            raise self.unreadable(error) from None
        return found, cuda_failed is True

    def is_bound(self, name: str) -> bool:
        """Whether the student's namespace has this name."""
        return self.request("bound", None, name) is True

    def global_name(self, name: str) -> Any:
        """A name's value in the student's namespace; NameError if there is none."""
        return self.request("name", None, name)

    def fetch(self, tensor: RemoteTensor) -> Any:
        """A remote tensor's data, as the candidate gives it."""
        return self.request("fetch", tensor)

    def check(self, tensor: RemoteTensor, value: Any) -> None:
        """Data must be what the candidate said that the tensor is."""
        with torch._C.DisableTorchFunctionSubclass():
            if (
                type(value) not in (torch.Tensor, nn.Parameter)
                or value.shape != tensor.shape
                or value.dtype != tensor.dtype
            ):
                raise self.unreadable(ValueError("a tensor whose shape or dtype changed"))

    def describe(self, tensor: RemoteTensor) -> None:
        """Ask what a remote tensor is now: a call may have frozen, moved or resized it."""
        state = self.request("tensor_state", tensor)
        match state:
            case (torch.Size() as shape, torch.dtype() as dtype, torch.device() as device, flag):
                try:
                    tensor.update(shape, dtype, device, requires_grad=flag is True)
                except (RuntimeError, TypeError, ValueError) as error:
                    raise self.unreadable(error) from None
            case _:
                raise self.unreadable(ValueError("a tensor without shape, dtype or device"))

    # What travels with a request.

    def context(self, encoder: Encoder) -> Any:
        """Grad mode, default dtype and device, random state if the test seeded, house rules."""
        device = str(torch.get_default_device())
        return [
            torch.is_grad_enabled(),
            str(torch.get_default_dtype()).removeprefix("torch."),
            None if device == "cpu" else device,
            self._seeds_to_send(encoder),
            list(self.rules()),
        ]

    def seeded(self) -> None:
        """A test seeded: the state goes with the next request, even if it is the same."""
        self._seeding = True
        self._seeds = None

    def unseed(self) -> None:
        """A new test: nothing is sent until it seeds."""
        self._seeding = False

    def _seeds_to_send(self, encoder: Encoder) -> Any:
        if not self._seeding:
            return None
        now = seeds.current()
        if now == self._seeds:
            return None
        encoder.undo.append(functools.partial(setattr, self, "_seeds", self._seeds))
        self._seeds = now
        return seeds.encode(now, encoder)

    def outgoing_names(self, encoder: Encoder) -> list[Any]:
        """Names that tests bound or deleted since the last request."""
        crossing = self.names.take_crossing()
        encoder.undo.append(functools.partial(self.names.put_back, crossing))
        return [[name, *map(encoder.encode, value)] for name, value in crossing.items()]

    def incoming_names(self, names: list[Any], _: Decoder) -> None:
        """Look these names up again: student code may have bound them anew."""
        for name in names:
            self.names.forget(name)

    def printed(self, out: str, err: str) -> None:
        """What the student's code printed appears where the test's prints do."""
        if out:
            sys.stdout.write(out[:_MAX_PRINTED])
        if err:
            sys.stderr.write(err[:_MAX_PRINTED])

    # Being asked.

    @contextmanager
    def under(self, context: Any, _: Decoder) -> Iterator[Callable[[], tuple[str, str]]]:
        """A test's callable runs under the grad mode of the student's code."""
        (grad,) = context
        with torch.set_grad_enabled(bool(grad)):
            yield lambda: ("", "")

    def perform(
        self, op: str, target: Any, name: str | None, args: list[Any], kwargs: dict[str, Any]
    ) -> Any:
        """All that a candidate may ask: to call, iterate, index, measure, and read attributes."""
        if self.late or self.stopped is not None:
            raise OverTimeError("the student's code is to stop")
        self.epoch += 1  # the student's code has run
        try:
            match op:
                case "call":
                    return target(*args, **kwargs)
                case "iter":
                    return iter(target)
                case "special" if name in ("__next__", "__getitem__", "__len__"):
                    return getattr(type(target), name)(target, *args)
                case "getattr" if name and name[0] != "_" and type(target).__module__ == "__main__":
                    return getattr(target, name)
                case "backward":
                    token, grads = args
                    return tuple(self.graphs.backward(token, grads))
        finally:
            self.epoch += 1  # the student's code runs on
        raise AttributeError(f"student code can't use {name or op} of a test's object")

    def error_to_json(self, error: BaseException, _: Encoder) -> Any:
        """The builtin class and the message; nothing of where it happened."""
        if isinstance(error, OverTimeError):
            return ["KeyboardInterrupt", ""]  # the student's code is to stop, too
        kind = next(base for base in type(error).__mro__ if base.__module__ == "builtins")
        return [kind.__name__, str(error)[:4000]]

    def error_from_json(self, value: Any, decoder: Decoder) -> BaseException:
        """The exception that a student's code raised, as nearly as the judge knows its class."""
        names, own, args, message, where, cuda_failed = value
        kind = decoder.decode(own) if own is not None else builtin_exception(list(names))
        if isinstance(kind, type) and issubclass(kind, Exception):
            error = make_error(kind, args, str(message)[:4000])
            if where:
                error.add_note(f"In the student's code:\n{str(where)[:4000]}")
        elif names[:1] == ["KeyboardInterrupt"] and self.late:
            return OverTimeError(TIME_IS_UP)
        else:
            message = f"the student's code raised {str(names[0])[:100]}: {str(message)[:4000]}"
            error = RuntimeError(message)
        mark_theirs(error)
        if cuda_failed is True:
            mark_cuda_failure(error)
        return error
