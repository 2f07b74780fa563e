"""The judge's codec, and the judge's record of the student's objects."""

from __future__ import annotations

import builtins
import copyreg
import enum
import functools
import io
import sys
import types
from collections.abc import Callable
from typing import Any, ClassVar
from unittest import mock

import torch
from torch import nn

from autograder.judge.around.seeds import GENERATORS, random_state
from autograder.judge.errors import RefusedError
from autograder.judge.objects import guards
from autograder.judge.objects.exceptions import Exceptions
from autograder.judge.objects.kinds import Beliefs, Kind
from autograder.judge.objects.paths import StudentsPath, students_path
from autograder.judge.objects.stand_ins import Remote, remote_class
from autograder.judge.objects.tensor import RemoteTensor
from autograder.judge.policy import FIXED_CONTENTS, VERDICTS, usable_by_candidates
from autograder.judge.values.entries import member_key, member_of
from autograder.judge.wire.channel import Channel
from autograder.judge.wire.decoder import Decoder
from autograder.judge.wire.encoder import Encoder
from autograder.judge.wire.peer import Peer
from autograder.judge.wire.strides import layout

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
        self.paths: type[StudentsPath] | None = None
        self.decided: set[str] = set()  # operators of the student's that gave a verdict
        self._contents: dict[int, tuple[int | None, Any]] = {}  # by handle: epoch, contents
        self._kinds: dict[int, type[Remote]] = {}
        # A test's generators of random numbers, by id: number, object, state at its last crossing.
        self.generators: dict[int, tuple[int, Any, str | None]] = {}
        self.exceptions = Exceptions(beliefs)
        self.derived: dict[str, type[Remote]] = {}  # tests' classes that derive from a student's

    def contents(self, stand_in: Remote) -> Any:
        """Return the contents of an object of a student's subclass of a builtin class.

        They stay the same until the test asks for something that may change them.

        Raises:
            CandidateLostError: they aren't of the builtin class.
        """
        epoch, value = self._contents.get(stand_in._handle_, (-1, None))
        if epoch is not None and epoch != self.epoch:
            value = self.request("contents", stand_in)
            base = type(stand_in)._kind_.base
            if type(value) is not base:
                raise self.unreadable(ValueError(f"contents that are no {base}"))
            self._contents[stand_in._handle_] = self.epoch, value
        return value

    def forget(self, handle: int) -> None:
        """Release a handle, and forget its object's contents."""
        super().forget(handle)
        self._contents.pop(handle, None)

    def learn(self, number: int, info: Any) -> None:
        """Note what the other side says of a class, if it does so now."""
        if type(number) is not int or len(self._kinds) > _MAX_KINDS:
            raise ValueError("a class has a whole number")
        if info is not None:
            kind = Kind.parse(*info)
            derived = self.derived.get(kind.names[0])
            self._kinds[number] = derived or remote_class(kind, self.beliefs)

    def stand_in(self, handle: int, number: int, exception: Any, contents: Any) -> Any:
        """Return the stand-in for a student's object, the same while a test holds it."""
        if type(handle) is not int:
            raise ValueError("a handle is a whole number")
        if exception is not None:
            return self.exceptions.kind(handle, *exception)
        stand_in = self.imported(handle)
        if stand_in is None:
            cls = self._kinds[number]
            make: Any = getattr(cls, "_stand_in_", cls)
            stand_in = self.remember(handle, make(self, handle))
            base = cls._kind_.base
            if base in FIXED_CONTENTS and type(contents) is base:
                self._contents[handle] = None, contents
        return stand_in


class JudgeEncoder(Encoder):
    """Writes library objects by name, a test's own as callbacks; no code of a test is sent."""

    def __init__(self, peer: JudgeObjects) -> None:
        super().__init__(peer)
        self.peer = peer

    def other(self, obj: Any) -> Any:
        """Encode an object by name, by handle, as a callback, or by its state."""
        if isinstance(type(obj), type) and issubclass(type(obj), Remote):
            return ["mine", obj._handle_]
        if isinstance(obj, StudentsPath):
            return ["pathlib.PosixPath", str(obj)]
        is_module = isinstance(obj, types.ModuleType)
        if type(obj).__module__.startswith("autograder.") and not is_module:
            raise RefusedError(f"a {type(obj).__name__} of the judge can't be passed on")
        if name := library_name(obj):
            return ["name", *name]
        given = self.peer.beliefs.given
        if isinstance(obj, type):
            return self._type(obj, given)
        if given.get(type(obj).__qualname__) is type(obj):
            return self._instance(obj, ["main", type(obj).__qualname__])
        if isinstance(obj, _FUNCTIONS):
            return ["callback", self.export(obj), None]
        if (
            _is_iterator(obj)
            or isinstance(obj, mock.NonCallableMock | io.TextIOBase | io.BufferedIOBase)
            or (
                type(obj).__module__ == "__main__"
                and not isinstance(obj, nn.Module | BaseException)
            )
        ):
            return self._callback(obj)
        if isinstance(obj, GENERATORS):
            return self._generator(obj)
        return self._library_object(obj)

    def member(self, obj: enum.Enum) -> Any:
        """Do as `Encoder.member`; the instructor's own Enum is the student's of the same name."""
        name = type(obj).__qualname__
        key = member_key(obj)
        if self.peer.beliefs.given.get(name) is type(obj) and key is not None:
            return ["member", "__main__", name, key]
        return super().member(obj)

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
        usable = sorted(usable_by_candidates(obj))
        dunders = [name for name in usable if getattr(type(obj), name, None) is not None]
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

    def _generator(self, obj: Any) -> Any:
        """Encode a generator of random numbers: once as a copy, then as the same copy.

        So the student's next draws go on where the last ones ended. Once the test has drawn
        itself, a new copy crosses.
        """
        number, _, known = self.peer.generators.get(id(obj), (len(self.peer.generators), obj, None))
        state = random_state(obj)
        if state == known:
            return ["generator", number, None]
        self.peer.generators[id(obj)] = number, obj, state
        unknown = number, obj, None
        self.undo.append(functools.partial(self.peer.generators.__setitem__, id(obj), unknown))
        return ["generator", number, self._library_object(obj)]

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

    def _member(self, module: str, qualname: str, key: Any, *stand_in: Any) -> Any:
        """Return the judge's own member; for a student's Enum the stand-in."""
        student = self.decode(*stand_in) if stand_in else None
        cls: Any = self.peer.beliefs.given.get(qualname)
        if module != "__main__":
            cls = vars(sys.modules[module]).get(qualname)
        if isinstance(cls, enum.EnumMeta) and not cls.__module__.startswith("autograder."):
            return member_of(cls, key)
        if not isinstance(student, Remote):
            raise ValueError("no such Enum")
        return student

    def _path(self, text: Any) -> Any:
        return students_path(self.peer, text)

    def _named(self, name: str, fields: list[str], items: Any) -> Any:
        result = self._namedtuple(name, fields, items)
        if any(field in VERDICTS and callable(getattr(result, field)) for field in result._fields):
            raise ValueError("a named tuple that would mark itself")
        return result

    def _remote(
        self, handle: int, number: int, info: Any, exception: Any, contents: Any = None
    ) -> Any:
        if exception is not None:
            names, base = exception
            exception = names, None if base is None else self.decode(base)
        self.peer.learn(number, info)
        return self.peer.stand_in(handle, number, exception, self.decode(contents))

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
        "member": _member,
        "namedtuple": _named,
        "pathlib.PosixPath": _path,
        "remote": _remote,
        "live": _live,
    }


def library_name(obj: Any) -> tuple[str, str] | None:
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
                is_builtin = member is builtins  # a test may have replaced what getattr finds there
                member = vars(member).get(part) if is_builtin else getattr(member, part, None)
            if member is obj and not module_name.startswith("autograder."):
                return module_name, qualname
    return None


def _is_iterator(obj: Any) -> bool:
    return isinstance(obj, types.GeneratorType) or (
        type(obj).__module__ in ("builtins", "itertools") and hasattr(type(obj), "__next__")
    )
