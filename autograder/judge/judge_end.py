"""The judge's end of the conversation: its requests, its checks, what a candidate may ask."""

from __future__ import annotations

import functools
import json
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import nn

from autograder.judge.around import seeds, spies
from autograder.judge.around.surroundings import Surroundings
from autograder.judge.errors import (
    TIME_IS_UP,
    CandidateLostError,
    JudgeFaultError,
    OverTimeError,
    RefusedError,
)
from autograder.judge.judge_codec import JudgeDecoder, JudgeEncoder, JudgeObjects, library_name
from autograder.judge.notebook.names import Names
from autograder.judge.notebook.source import Notebook
from autograder.judge.objects.derived import base_for
from autograder.judge.objects.exceptions import from_json
from autograder.judge.objects.kinds import Beliefs
from autograder.judge.objects.tensor import RemoteTensor
from autograder.judge.policy import changes_nothing, keeps_lengths
from autograder.judge.raised import is_theirs, message_of
from autograder.judge.turns import Turns
from autograder.judge.values.registry import REGISTRY
from autograder.judge.wire.channel import Channel
from autograder.judge.wire.decoder import Decoder
from autograder.judge.wire.encoder import Encoder

_MAX_PRINTED = 1 << 20
GRACE = 1.0
# Only a fault of the judge raises these errors: no answer of a candidate leads to them.
_BUGS = (AssertionError, NameError, ImportError, SystemError)
# While a message is written these are faults of the judge too: a value that can't cross raises a
# TypeError.
# What a test has set, and can't hold there, doesn't stop these requests.
_BETWEEN_TESTS = ("cell", "sync")
_BUGS_IN_WRITING = (*_BUGS, LookupError, AttributeError)


class JudgePeer(JudgeObjects):
    """Asks the candidate, and checks its answers.

    Args:
        channel: the connection.
        notebook: what the instructor's source says about names.
        stop: the function that sends a signal to the candidate, to interrupt or to kill it.
    """

    encoder = JudgeEncoder
    decoder = JudgeDecoder

    def __init__(
        self, channel: Channel, notebook: Notebook, stop: Callable[[signal.Signals], None]
    ) -> None:
        super().__init__(
            channel, Beliefs({}, notebook.defined, notebook.solutions, notebook.dataclasses)
        )
        self.names = Names(notebook, self.is_bound, self.global_name, self.global_names)
        self._stop = stop
        self.lengths: dict[int, int] = {}  # what the test has seen, by handle
        self.own_methods = False  # while the judge runs a method of a given class
        self.late = False
        self.lost: str | None = None
        self.fault: JudgeFaultError | None = None
        self._seeds: Any = None
        self._seeding = False
        self.stopped: BaseException | None = None
        self.flush_signals: Callable[[], None] = lambda: None
        self.before_request: Callable[[], None] | None = None
        self.annotations: Callable[[Any], Any] | None = None  # reads them from the text
        self.base_for = functools.partial(base_for, self)
        self.turns = Turns()
        self._raised: list[BaseException] = []  # by tests' functions, during this request
        self.rules: Callable[[], tuple[str, ...]] = tuple  # the active house rules
        self.surroundings: Surroundings | None = None
        self._carried: tuple[Any, ...] | None = None
        channel.on_late = self._on_late

    # Time.

    def start_clock(self, seconds: float) -> None:
        """Give the candidate this time to answer, and a second more after an interrupt."""
        self.late = False
        self.channel.deadline = self.channel.clock() + seconds

    def _on_late(self) -> None:
        if self.late:
            self.kill("didn't stop when its time was up")
        self.late = True
        self.channel.deadline = self.channel.clock() + GRACE
        self._stop(signal.SIGINT)

    def time_is_up(self) -> None:
        """Act on the cell's limit, which has passed.

        A test's own code is stopped at once. If the test waits for the student's code, the channel
        calls `_on_late`.
        """
        if not self.is_talking():
            self.late = True
            self.channel.deadline = self.channel.clock() + GRACE
            raise OverTimeError(TIME_IS_UP)
        if self.channel.deadline and self.channel.clock() > self.channel.deadline + 5:
            self.kill("sent what takes too long to read")

    def is_talking(self) -> bool:
        """Return whether this thread makes, sends, awaits or reads a message."""
        return self.talking and self.turns.is_mine()

    def is_waiting(self) -> bool:
        """Return whether this thread only waits for a message."""
        return self.waiting and self.turns.is_mine()

    def stop(self, error: BaseException) -> None:
        """Interrupt the student's code, and raise this error instead of taking its answer."""
        self.stopped = error
        self._stop(signal.SIGINT)

    def remind(self) -> None:
        """Interrupt again, because the first signal may have come before the student's code ran."""
        if self.waiting and (self.late or self.stopped is not None):
            self._stop(signal.SIGINT)

    def before_waiting(self) -> None:
        """Handle the signals that arrived while a message was made or read."""
        self.flush_signals()

    def kill(self, reason: str) -> None:
        """End the candidate.

        Raises:
            CandidateLostError: always, with the reason.
        """
        self.lost = self.lost or reason
        self._stop(signal.SIGKILL)
        raise CandidateLostError(self.lost)

    # Asking.

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """Do as `Peer.request`, unless the candidate is lost or the judge has failed.

        Raises:
            CandidateLostError: the candidate is gone.
            OverTimeError: the cell's time is up.
            JudgeFaultError: the judge's own code failed, now or before.
        """
        with self.turns.taken():
            kept = len(self._raised)
            try:
                return self._request(*args, **kwargs)
            finally:
                del self._raised[kept:]

    def _request(self, *args: Any, **kwargs: Any) -> Any:
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
            if self.surroundings is None:
                return super().request(*args, **kwargs)
            self._carried = self.surroundings.to_send(strict=args[0] not in _BETWEEN_TESTS)
            with self.surroundings.patches.suspended():
                return super().request(*args, **kwargs)
        except CandidateLostError as error:
            self.lost = self.lost or str(error)
            raise
        except StopIteration:
            if args[0] == "special" and args[2] == "__next__":
                raise
            # After a call it would end a test's loop over map(f, cases) before the first assert.
            raise RuntimeError("the student's code raised StopIteration") from None
        except _BUGS_IN_WRITING as error:
            is_tests = any(error is known for known in self._raised)
            if is_tests or is_theirs(error) or isinstance(error, RefusedError):
                raise
            raise self._failed(error) from error
        finally:
            stopped, self.stopped = self.stopped, None
            if self.late and self.lost is None:
                raise OverTimeError(TIME_IS_UP)
            if stopped is not None and self.lost is None:
                raise stopped from None
            self.flush_signals()

    def check_thread(self) -> None:
        """Do nothing: `turns` sees to the threads."""

    def end_threads(self) -> None:
        """Interrupt what a test's threads still ask after the test's end."""
        interrupt = functools.partial(self._stop, signal.SIGINT)
        if not self.turns.end(interrupt, 2 * GRACE, self.channel.clock) and self.lost is None:
            self.lost = "didn't stop when the test that called it in a thread had ended"
            self._stop(signal.SIGKILL)

    def _failed(self, error: Exception) -> JudgeFaultError:
        """Remember a fault of the judge's own, because no verdict after it counts."""
        if self.fault is None:
            self.fault = JudgeFaultError(f"the judge failed: {error!r:.500}")
            self.fault.__cause__ = error
        return self.fault

    def unreadable(self, error: Exception) -> BaseException:
        """End a candidate whose message can't be read."""
        if isinstance(error, _BUGS):
            return self._failed(error)
        self.lost = self.lost or f"the student's process sent a malformed answer ({error!r:.200})"
        self._stop(signal.SIGKILL)
        return CandidateLostError(self.lost)

    def register(self, values: Mapping[str, Sequence[str]]) -> None:
        """Let a course's own types cross by value, on both sides."""
        if values:
            REGISTRY.register(values)
            self.request("register", None, json.dumps(dict(values)))

    def run_cell(self, source: str, count: int) -> tuple[list[Any], bool]:
        """Run a student's cell; return the outputs it reports, and whether CUDA failed."""
        answer = self.request("cell", None, source, [count])
        try:
            outputs, cuda_failed = answer
            parsed = json.loads(outputs)
            if not isinstance(parsed, list):
                raise TypeError("a cell's outputs are a list")
        except (TypeError, ValueError, RuntimeError, RecursionError) as error:
            raise self.unreadable(error) from None
        return parsed, cuda_failed is True

    def is_bound(self, name: str) -> bool:
        """Return whether the student's namespace has this name."""
        return self.request("bound", None, name) is True

    def global_name(self, name: str) -> Any:
        """Return a name's value in the student's namespace.

        Raises:
            NameError: the student has no such name.
        """
        return self.request("name", None, name)

    def global_names(self) -> list[str]:
        """Return the names in the student's namespace."""
        names = self.request("names")
        return [name for name in names if type(name) is str] if type(names) is tuple else []

    def fetch(self, tensor: RemoteTensor) -> Any:
        """Return a remote tensor's data, as the candidate gives it."""
        return self.request("fetch", tensor)

    def check(self, tensor: RemoteTensor, value: Any) -> None:
        """Check that data has the shape and dtype that the candidate said."""
        with torch._C.DisableTorchFunctionSubclass():
            if (
                type(value) not in (torch.Tensor, nn.Parameter)
                or value.shape != tensor.shape
                or value.dtype != tensor.dtype
            ):
                raise self.unreadable(ValueError("a tensor whose shape or dtype changed"))

    def describe(self, tensor: RemoteTensor) -> None:
        """Ask for a remote tensor's state: a call may have frozen, moved or resized it."""
        state = self.request("tensor_state", tensor)
        match state:
            case (torch.Size() as shape, torch.dtype() as dtype, torch.device() as device, flag):
                try:
                    tensor.update(shape, dtype, device, requires_grad=flag is True)
                except (RuntimeError, TypeError, ValueError) as error:
                    raise self.unreadable(error) from None
            case _:
                raise self.unreadable(ValueError("a tensor without shape, dtype or device"))

    # What a request carries.

    def context(self, encoder: Encoder) -> Any:
        """Return grad mode, defaults, seeds, house rules, and what tests have changed else."""
        device = str(torch.get_default_device())
        return [
            torch.is_grad_enabled(),
            str(torch.get_default_dtype()).removeprefix("torch."),
            None if device == "cpu" else device,
            self._seeds_to_send(encoder),
            list(self.rules()),
            encoder.encode(self._carried),
        ]

    def seeded(self) -> None:
        """Note that a test seeded: the next request carries the state, even if it is the same."""
        self._seeding = True
        self._seeds = None

    def unseed(self) -> None:
        """Send no random state until the new test seeds."""
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
        """Return the names that tests bound or deleted since the last request."""
        crossing = self.names.take_crossing()
        encoder.undo.append(functools.partial(self.names.put_back, crossing))
        return [[name, *map(encoder.encode, value)] for name, value in crossing.items()]

    def incoming_names(self, names: list[Any], _: Decoder) -> None:
        """Look these names up again, because student code may have bound them anew."""
        for name in names:
            self.names.forget(name)

    def printed(self, out: str, err: str) -> None:
        """Print what the student's code printed where the test's prints appear."""
        if out:
            sys.stdout.write(out[:_MAX_PRINTED])
        if err:
            sys.stderr.write(err[:_MAX_PRINTED])

    # Being asked.

    @contextmanager
    def under(self, context: Any, _: Decoder) -> Iterator[Callable[[], tuple[str, str]]]:
        """Run a test's callable under the grad mode of the student's code."""
        (grad,) = context
        patches = self.surroundings.patches.resumed() if self.surroundings else nullcontext()
        with torch.set_grad_enabled(bool(grad)), patches:
            yield lambda: ("", "")

    def perform(
        self, op: str, target: Any, name: str | None, args: list[Any], kwargs: dict[str, Any]
    ) -> Any:
        """Do what a candidate may ask: call, iterate, index, measure, or read attributes."""
        if self.late or self.stopped is not None:
            raise OverTimeError("the student's code is to stop")
        self.epoch += 1  # the student's code has run
        if self.surroundings is not None and self.surroundings.patches.is_stale(target):
            raise RuntimeError("the test has taken back its patch")
        try:
            if op == "backward":
                token, grads = args
                return tuple(self.graphs.backward(token, grads))
            with spies.lent(target, self._name_there, self.request):
                return spies.use(op, target, name, args, kwargs, self._name_there)
        finally:
            self.epoch += 1  # the student's code runs on

    def _name_there(self, obj: Any) -> tuple[str, str] | None:
        with self.surroundings.patches.suspended() if self.surroundings else nullcontext():
            return library_name(obj)

    def error_to_json(self, error: BaseException, _: Encoder) -> Any:
        """Encode the builtin class and the message, without the place of the error."""
        if isinstance(error, OverTimeError):
            return ["KeyboardInterrupt", ""]  # the student's code must stop, too
        kind = next(base for base in type(error).__mro__ if base.__module__ == "builtins")
        self._raised.append(error)
        return [kind.__name__, message_of(error)[:4000], len(self._raised) - 1]

    def error_from_json(self, value: Any, decoder: Decoder) -> BaseException:
        """Make the exception that a student's code raised, as nearly as its class is known."""
        if value[0][:1] == ["KeyboardInterrupt"] and self.late:
            return OverTimeError(TIME_IS_UP)
        return from_json(value, decoder, self._raised)
