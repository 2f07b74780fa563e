"""The judge's codec, and the judge's record of the student's objects."""

from __future__ import annotations

import copyreg
import sys
import types
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import nn

from autograder.judge import guards
from autograder.judge.channel import Channel
from autograder.judge.decoder import Decoder
from autograder.judge.encoder import Encoder
from autograder.judge.errors import STUDENT_MODULE, RefusedError
from autograder.judge.kinds import Beliefs, Kind, builtin_exception
from autograder.judge.peer import Peer
from autograder.judge.policy import VERDICTS
from autograder.judge.stand_ins import Remote, remote_class
from autograder.judge.strides import layout
from autograder.judge.tensor import RemoteTensor

_FUNCTIONS = (types.FunctionType, types.MethodType, types.BuiltinFunctionType)
_MAX_KINDS = 100_000
_CLASS_NAMES = frozenset({"__module__", "__dict__", "__weakref__", "__doc__", "__qualname__",
                          "__classcell__", "__firstlineno__", "__static_attributes__"})  # fmt: skip


class JudgeObjects(Peer):
    """The student's objects that the judge has handles of.

    Args:
        channel: the connection.
        beliefs: what the instructor's notebook says of classes.

    Attributes:
        epoch: a count of the events that may have changed a tensor of the student's.
    """

    parity = 0

    def __init__(self, channel: Channel, beliefs: Beliefs) -> None:
        super().__init__(channel)
        self.beliefs = beliefs
        self.epoch = 0
        self._kinds: dict[int, type[Remote]] = {}
        self._exceptions: dict[int, type[BaseException]] = {}

    def stand_in(self, handle: int, number: int, info: Any, exception: Any) -> Any:
        """Return the stand-in for a student's object, the same while a test holds it."""
        if type(handle) is not int or type(number) is not int or len(self._kinds) > _MAX_KINDS:
            raise ValueError("a handle is a whole number")
        if info is not None:
            self._kinds[number] = remote_class(Kind.parse(*info), self.beliefs)
        if exception is not None:
            return self._exception(handle, exception)
        stand_in = self.imported(handle)
        if stand_in is None:
            stand_in = self.remember(handle, self._kinds[number](self, handle))
        return stand_in

    def _exception(self, handle: int, names: list[Any]) -> type[BaseException]:
        if handle not in self._exceptions:
            if not all(type(name) is str for name in names):
                raise ValueError("an exception is described by names")
            base = self.beliefs.given_exception(names) or builtin_exception(names)
            if not issubclass(base, Exception):
                base = RuntimeError
            if base.__name__ != names[0] or base.__module__ != "__main__":
                base = type(names[0][:100], (base,), {"__module__": STUDENT_MODULE})
            self._exceptions[handle] = base
        return self._exceptions[handle]


class JudgeEncoder(Encoder):
    """Writes library objects by name, a test's own as callbacks; no code of a test is sent."""

    def __init__(self, peer: JudgeObjects) -> None:
        super().__init__(peer)
        self.peer = peer

    def other(self, obj: Any) -> Any:
        """Encode an object by name, by handle, as a callback, or by its state."""
        if isinstance(type(obj), type) and issubclass(type(obj), Remote):
            return ["mine", obj._handle_]
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
        """Do as `Encoder.body`, and note the object's parts, which are guarded from now on."""
        body = super().body(obj)
        if hasattr(obj, "__dict__") and not isinstance(obj, dict | list | set | torch.Tensor):
            for name, value in vars(obj).items():
                entry = self.peer.table.find(value)
                if entry is not None and guards.is_guarded(obj, name, value):
                    entry.guard = name
        return body

    def tensor(self, obj: torch.Tensor) -> Any:
        """Encode a tensor by value, with its strides; a student's tensor by handle."""
        if type(obj) is RemoteTensor:
            return ["mine", obj._handle_]
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


class JudgeDecoder(Decoder):
    """The only reader of what a candidate wrote; it imports and calls nothing by name."""

    def __init__(self, peer: JudgeObjects, buffers: list[memoryview]) -> None:
        super().__init__(peer, buffers)
        self.peer = peer

    def fill(self, obj: Any, body: Any) -> None:
        """Do as `Decoder.fill`; a part of a test's own object takes only what `guards` allows."""
        entry = self.peer.table.find(obj)
        if entry is None or entry.guard is None:
            super().fill(obj, body)
        elif isinstance(obj, dict):
            pairs = [(self.decode(key), self.decode(value)) for key, value in body]
            guards.fill_dict(entry.guard, obj, pairs)
        else:
            guards.fill_items(entry.guard, obj, [self.decode(item) for item in body])

    def fill_instance(self, obj: Any, attributes: list[tuple[str, Any]]) -> None:
        """Take over data attributes; the other side can't replace a method."""
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
        result = self._namedtuple(name, fields, items)
        if any(field in VERDICTS and callable(getattr(result, field)) for field in result._fields):
            raise ValueError("a named tuple that would mark itself")
        return result

    def _remote(self, handle: int, number: int, info: Any, exception: Any) -> Any:
        return self.peer.stand_in(handle, number, info, exception)

    def _live(self, handle: int, shape: Any, dtype: str, device: str, flags: Any) -> RemoteTensor:
        if any(type(n) is not int or n < 0 for n in shape) or type(handle) is not int:
            raise ValueError("a shape is a list of whole numbers")
        requires_grad, is_parameter = (flag is True for flag in flags)
        torch_dtype, torch_device = self.decode(["dtype", dtype]), self._device(device)
        existing = self.peer.imported(handle)
        if isinstance(existing, RemoteTensor):
            if existing._epoch != self.peer.epoch:
                existing.update(shape, torch_dtype, torch_device, requires_grad=requires_grad)
            return existing
        tensor = RemoteTensor.make(
            self.peer,
            handle,
            tuple(shape),
            torch_dtype,
            torch_device,
            (requires_grad, is_parameter),
        )
        return self.peer.remember(handle, tensor)

    TAGS: ClassVar[dict[str, Callable[..., Any]]] = {
        **Decoder.TAGS,
        "namedtuple": _named,
        "remote": _remote,
        "live": _live,
    }


def _library_name(obj: Any) -> tuple[str, str] | None:
    """Return module and qualified name of what a library defines; None for anything else."""
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
    for module_name in (module, "torch", "builtins"):
        if (
            isinstance(module_name, str)
            and module_name != "__main__"
            and module_name in sys.modules
        ):
            member: Any = sys.modules[module_name]
            for part in qualname.split("."):
                member = getattr(member, part, None)
            if member is obj and not module_name.startswith("autograder."):
                return module_name, qualname
    return None


def _is_iterator(obj: Any) -> bool:
    return isinstance(obj, types.GeneratorType) or (
        type(obj).__module__ in ("builtins", "itertools") and hasattr(type(obj), "__next__")
    )
