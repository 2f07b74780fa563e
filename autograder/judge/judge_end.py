"""The judge's end of the conversation: what it sends, what it believes, what it lets be asked."""

from __future__ import annotations

import copyreg
import functools
import json
import signal
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import torch
from torch import nn

from autograder.judge import guards, seeds
from autograder.judge.channel import Channel
from autograder.judge.codec import Decoder, Encoder, layout
from autograder.judge.errors import (
    STUDENT_MODULE,
    TIME_IS_UP,
    CandidateLostError,
    JudgeFaultError,
    OverTimeError,
    RefusedError,
)
from autograder.judge.names import Names
from autograder.judge.peer import Peer
from autograder.judge.policy import VERDICTS, changes_nothing, keeps_lengths
from autograder.judge.raised import is_theirs, make_error, mark_cuda_failure, mark_theirs
from autograder.judge.source import Notebook
from autograder.judge.stand_ins import Beliefs, Kind, Remote, builtin_exception, remote_class
from autograder.judge.tensor import RemoteTensor

_FUNCTIONS = (types.FunctionType, types.MethodType, types.BuiltinFunctionType)
_MAX_PRINTED = 1 << 20
_MAX_KINDS = 100_000
GRACE = 1.0
# Errors that only a fault of ours can be: no answer of a candidate leads to one …
_BUGS = (AssertionError, NameError, ImportError, SystemError)
# … and, where a message is written, these too: a test's values that can't cross are a TypeError.
_BUGS_IN_WRITING = (*_BUGS, LookupError, AttributeError)


class JudgeEncoder(Encoder):
    """Library things go by name, a test's own as callbacks; no code of a test is sent."""

    peer: JudgePeer

    def other(self, obj: Any) -> Any:
        """By name, by reference, as a callback, or by state, whichever fits."""
        if isinstance(type(obj), type) and issubclass(type(obj), Remote):
            return ["mine", obj._handle]
        if type(obj).__module__.startswith("autograder."):
            raise RefusedError(f"a {type(obj).__name__} of the judge can't be passed on")
        if name := _library_name(obj):
            return ["name", *name]
        given = self.peer.beliefs.given
        if isinstance(obj, type):
            return self._type(obj, given)
        if given.get(type(obj).__qualname__) is type(obj):
            return self._instance(obj, ["main", type(obj).__qualname__])
        if isinstance(obj, _FUNCTIONS):
            return ["callback", self.export(obj), None]
        if _is_iterator(obj) or (
            type(obj).__module__ == "__main__" and not isinstance(obj, nn.Module | BaseException)
        ):
            return self._callback(obj)
        return self._library_object(obj)

    def body(self, obj: Any) -> Any:
        """As `Encoder.body`; notes what the object is made of, which is guarded from now on."""
        body = super().body(obj)
        if hasattr(obj, "__dict__") and not isinstance(obj, dict | list | set | torch.Tensor):
            for name, value in vars(obj).items():
                entry = self.peer.table.find(value)
                if entry is not None and guards.is_guarded(obj, name, value):
                    entry.guard = name
        return body

    def tensor(self, obj: torch.Tensor) -> Any:
        """By value, laid out as here; the student's own by handle."""
        if type(obj) is RemoteTensor:
            return ["mine", obj._handle]
        encoded = super().tensor(obj)
        if encoded[0] == "tensor" and (strides := layout(obj)) is not None:
            encoded[2].append(strides)
        return encoded

    def _callback(self, obj: Any) -> Any:
        dunders = [
            name
            for name in ("__call__", "__iter__", "__next__", "__getitem__", "__len__")
            if hasattr(type(obj), name)
        ]
        return ["callback", self.export(obj), dunders]

    def _type(self, obj: type, given: dict[str, type]) -> Any:
        if given.get(obj.__qualname__) is obj:
            return ["main", obj.__qualname__]
        if issubclass(obj, nn.Module | BaseException):
            members = [
                [name, *self._member(value)]
                for name, value in vars(obj).items()
                if name not in _CLASS_NAMES
            ]
            bases = [self.encode(base) for base in obj.__bases__]
            return ["class", self.export(obj), obj.__name__, bases, members]
        return ["callback", self.export(obj), ["__call__"]]

    def _member(self, value: Any) -> tuple[str, Any]:
        if isinstance(value, property):
            return "property", self.encode(value.fget)
        if isinstance(value, staticmethod):
            return "static", self.encode(value.__func__)
        if isinstance(value, classmethod):
            return "class", self.encode(value.__func__)
        return "plain", self.encode(value)

    def _instance(self, obj: Any, kind: Any) -> Any:
        number = self.share(obj).number
        return ["instance", number, kind, self.body(obj)]

    def _library_object(self, obj: Any) -> Any:
        func, args, *rest = obj.__reduce_ex__(2)
        plain = func is copyreg.__newobj__ and len(args) == 1  # type: ignore[attr-defined]
        if plain and hasattr(obj, "__dict__") and not isinstance(obj, dict | list | set | tuple):
            return self._instance(obj, self.encode(args[0]))
        state, items, pairs = [*rest, None, None, None][:3]
        return [
            "reduced",
            self.encode(func),
            self.encode(args),
            self.encode(state),
            self.encode(None if items is None else list(items)),
            self.encode(None if pairs is None else list(pairs)),
        ]

    _BY_TYPE: ClassVar[dict[type, Callable[..., Any]]] = {
        **Encoder._BY_TYPE,
        torch.Tensor: tensor,
        nn.Parameter: tensor,
    }


class JudgeDecoder(Decoder):
    """The only code that reads what a candidate wrote; it imports and calls nothing by name."""

    peer: JudgePeer

    def fill(self, obj: Any, body: Any) -> None:
        """As `Decoder.fill`; what a test's own object is made of takes only what belongs there."""
        entry = self.peer.table.find(obj)
        if entry is None or entry.guard is None:
            super().fill(obj, body)
        elif isinstance(obj, dict):
            pairs = [(self.decode(key), self.decode(value)) for key, value in body]
            guards.fill_dict(entry.guard, obj, pairs)
        else:
            guards.fill_items(entry.guard, obj, [self.decode(item) for item in body])

    def fill_instance(self, obj: Any, attributes: list[tuple[str, Any]]) -> None:
        """Data attributes follow; a method can't be replaced from the other side."""
        own = vars(obj)
        for name, value in attributes:
            if name in own and own[name] is value:
                continue
            if guards.is_internal(obj, name):
                guards.fill_internal(own, name, value)
                continue
            is_data = not callable(value) or isinstance(value, nn.Module | type)
            if is_data and (name in own or not hasattr(type(obj), name)):
                own[name] = guards.guarded(value) if isinstance(obj, nn.Module) else value
        for name in own.keys() - {name for name, _ in attributes}:
            if not guards.is_internal(obj, name):
                del own[name]

    def _named(self, name: str, fields: list[str], items: Any) -> Any:
        made = self._namedtuple(name, fields, items)
        if any(field in VERDICTS and callable(getattr(made, field)) for field in made._fields):
            raise ValueError("a named tuple that would mark itself")
        return made

    def _remote(self, handle: int, number: int, info: Any, exception: Any) -> Any:
        return self.peer.stand_in(handle, number, info, exception)

    def _live(self, handle: int, shape: Any, dtype: str, device: str, flags: Any) -> RemoteTensor:
        if any(type(n) is not int or n < 0 for n in shape) or type(handle) is not int:
            raise ValueError("a shape is a list of whole numbers")
        requires_grad, is_parameter = (flag is True for flag in flags)
        kind, place = self.decode(["dtype", dtype]), self._device(device)
        found = self.peer.imported(handle)
        if isinstance(found, RemoteTensor):
            if found._epoch != self.peer.epoch:
                found.update(shape, kind, place, requires_grad=requires_grad)
            return found
        made = RemoteTensor.make(
            self.peer, handle, tuple(shape), kind, place, (requires_grad, is_parameter)
        )
        return self.peer.remember(handle, made)

    TAGS: ClassVar[dict[str, Callable[..., Any]]] = {
        **Decoder.TAGS,
        "namedtuple": _named,
        "remote": _remote,
        "live": _live,
    }


class JudgePeer(Peer):
    """What the judge knows of the candidate, and how it asks.

    Args:
        channel: The connection.
        notebook: What the instructor's source says.
        stop: Sends a signal to the candidate, to interrupt and to kill it.
    """

    parity = 0
    encoder = JudgeEncoder
    decoder = JudgeDecoder

    def __init__(
        self, channel: Channel, notebook: Notebook, stop: Callable[[signal.Signals], None]
    ) -> None:
        super().__init__(channel)
        self.beliefs = Beliefs({}, notebook.defined, notebook.solutions)
        self.names = Names(notebook, self.is_bound, self.global_name)
        self._stop = stop
        self.lengths: dict[int, int] = {}  # what a test has seen, by handle
        self.own_methods = False  # whether the judge runs a method of a given class
        self.epoch = 0  # counts what may have changed a tensor of the student's
        self.late = False
        self.lost: str | None = None
        self.fault: JudgeFaultError | None = None
        self._kinds: dict[int, type[Remote]] = {}
        self._exceptions: dict[int, type[BaseException]] = {}
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

    def stand_in(self, handle: int, number: int, info: Any, exception: Any) -> Any:
        """What stands for a student's object; the same one while a test holds it."""
        if type(handle) is not int or type(number) is not int or len(self._kinds) > _MAX_KINDS:
            raise ValueError("a handle is a whole number")
        if info is not None:
            self._kinds[number] = remote_class(Kind.parse(*info), self.beliefs)
        if exception is not None:
            return self._exception(handle, exception)
        found = self.imported(handle)
        if found is None:
            found = self.remember(handle, self._kinds[number](self, handle))
        return found

    def _exception(self, handle: int, names: list[Any]) -> type[BaseException]:
        if handle not in self._exceptions:
            if not all(type(name) is str for name in names):
                raise ValueError("an exception is described by names")
            base = builtin_exception(names)
            if not issubclass(base, Exception):
                base = RuntimeError
            self._exceptions[handle] = type(names[0][:100], (base,), {"__module__": STUDENT_MODULE})
        return self._exceptions[handle]

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


_CLASS_NAMES = frozenset({"__module__", "__dict__", "__weakref__", "__doc__", "__qualname__",
                          "__classcell__", "__firstlineno__", "__static_attributes__"})  # fmt: skip


def _library_name(obj: Any) -> tuple[str, str] | None:
    """Module and qualified name of what a library defines; None for anything else."""
    if isinstance(obj, types.ModuleType):
        if obj.__name__.partition(".")[0] in ("autograder", "__main__"):
            raise RefusedError(f"the module {obj.__name__} can't be passed to student code")
        return obj.__name__, ""
    if isinstance(obj, types.MethodType):
        return None
    owner = getattr(obj, "__objclass__", None)
    module = getattr(owner if isinstance(owner, type) else obj, "__module__", None)
    qualname = getattr(obj, "__qualname__", None)
    if not isinstance(qualname, str):
        return None
    for candidate in (module, "torch", "builtins"):
        if isinstance(candidate, str) and candidate != "__main__" and candidate in sys.modules:
            found: Any = sys.modules[candidate]
            for part in qualname.split("."):
                found = getattr(found, part, None)
            if found is obj and not candidate.startswith("autograder."):
                return candidate, qualname
    return None


def _is_iterator(obj: Any) -> bool:
    return isinstance(obj, types.GeneratorType) or (
        type(obj).__module__ in ("builtins", "itertools") and hasattr(type(obj), "__next__")
    )
