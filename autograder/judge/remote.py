"""Stand-ins for objects that live in the other process, and what may be asked of them."""

from __future__ import annotations

import builtins
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from autograder.judge.errors import RefusedAttributeError, RefusedError
from autograder.judge.policy import (
    CANDIDATE_DUNDERS,
    DUNDERS,
    LIBRARIES,
    NEVER_REMOTE,
    OPERATORS,
    VERDICTS,
)

if TYPE_CHECKING:
    from autograder.judge.peer import Peer

_BUILTIN_TYPES: dict[str, type] = {
    "function": types.FunctionType,
    "generator": types.GeneratorType,
    "method": types.MethodType,
    "builtin_function_or_method": types.BuiltinFunctionType,
}


@dataclass(frozen=True)
class Kind:
    """What one side tells the other about a class, once.

    Attributes:
        names: "module:qualname" of the class and its bases.
        dunders: The special methods that its instances have.
        own_eq: Whether it defines `==` for itself.
    """

    names: tuple[str, ...]
    dunders: frozenset[str]
    own_eq: bool

    @classmethod
    def of(cls, kind: type) -> Kind:
        """Describe a class."""
        return cls(
            tuple(f"{base.__module__}:{base.__qualname__}" for base in kind.__mro__),
            frozenset(name for name in DUNDERS if getattr(kind, name, None) is not None),
            kind.__eq__ is not object.__eq__,
        )

    @classmethod
    def parse(cls, names: Any, dunders: Any, own_eq: Any) -> Kind:
        """Read what `to_json` wrote; what can't be true, or isn't known, is left out."""
        if not all(type(name) is str for name in [*names, *dunders]) or len(names) > 100:
            raise ValueError("a class is described by names")
        believable = tuple(name for name in names if name not in NEVER_REMOTE)
        return cls(believable or ("builtins:object",), DUNDERS & frozenset(dunders), bool(own_eq))

    def to_json(self) -> list[Any]:
        """The form that crosses."""
        return [list(self.names), sorted(self.dunders), self.own_eq]


@dataclass
class Beliefs:
    """What the judge believes of a class that a student's object claims to be of.

    Attributes:
        given: The instructor's classes, which the judge ran itself, by name.
        defined: The methods of each class in the instructor's notebook, solutions included.
    """

    given: dict[str, type] = field(default_factory=dict)
    defined: dict[str, frozenset[str]] = field(default_factory=dict)

    def methods(self, names: tuple[str, ...]) -> frozenset[str]:
        """The methods that the instructor's notebook gives to classes of these names."""
        known: frozenset[str] = frozenset()
        for name in names:
            module, _, qualname = name.partition(":")
            if module == "__main__":
                known |= self.defined.get(qualname, frozenset())
        return known

    def find(self, name: str) -> type | None:
        """The judge's own class of that name: one that was given, or a library's."""
        module, _, qualname = name.partition(":")
        if module == "__main__":
            return self.given.get(qualname)
        if module == "builtins" and qualname in _BUILTIN_TYPES:
            return _BUILTIN_TYPES[qualname]
        if module.partition(".")[0] not in LIBRARIES or module not in sys.modules:
            return None
        found = vars(sys.modules[module]).get(qualname)
        return found if isinstance(found, type) else None


class Remote:
    """An object of the other process; each kind has a subclass with its special methods."""

    __slots__ = ("__weakref__", "_handle", "_peer")
    _kind: ClassVar[Kind]
    _beliefs: ClassVar[Beliefs | None]  # None in the candidate
    _refused: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, peer: Peer, handle: int) -> None:
        object.__setattr__(self, "_peer", peer)
        object.__setattr__(self, "_handle", handle)

    def _ask(self, op: str, name: str | None = None, *args: Any, **kwargs: Any) -> Any:
        return self._peer.request(op, self, name, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        # Libraries probe for these; an answer would let a student's code run inside theirs.
        if name.startswith(("__array", "__torch", "_ipython", "_repr_", "__cuda_array")):
            raise AttributeError(name)
        if name in self._refused:
            raise RefusedAttributeError(
                f".{name} of a student's object would let it mark itself: compare plain values, "
                f"for example torch.equal(x.data, want) or x.count == 3"
            )
        answer = self._ask("getattr", name)
        if name == "__bases__":
            return tuple(library_class(base) or base for base in answer)
        return answer

    def __setattr__(self, name: str, value: Any) -> None:
        self._ask("setattr", name, value)

    def __delattr__(self, name: str) -> None:
        self._ask("delattr", name)

    def __repr__(self) -> str:
        return str(self._ask("repr"))

    def __str__(self) -> str:
        return str(self._ask("str"))

    def __format__(self, spec: str) -> str:
        return str(self._ask("format", None, spec))

    def __dir__(self) -> list[str]:
        return [str(name) for name in self._ask("dir")]

    def __eq__(self, other: object) -> bool:
        if other is self:
            return True
        if self._kind.own_eq and other is not None and self._beliefs is not None:
            raise RefusedError(
                f"== on a student's {self._name()} would let it mark itself: compare its "
                "attributes, a.x == b.x"
            )
        return False

    def __hash__(self) -> int:
        return id(self)

    def __bool__(self) -> bool:
        if self._beliefs is None:
            return True
        raise RefusedError(
            f"a student's {self._name()} has no truth value here: compare a plain value, for "
            "example len(x) > 0 or x is not None"
        )

    def __deepcopy__(self, memo: Any) -> Any:
        return self._ask("deepcopy")

    def __copy__(self) -> Any:
        return self._ask("copy")

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise RefusedError(f"a student's {self._name()} can't be pickled in a test")

    def __mro_entries__(self, bases: tuple) -> tuple:
        raise RefusedError(
            f"a test can't derive a class from a student's {self._name()}: make an instance and "
            "call it, or put the class into a cell tagged in-kernel"
        )

    def __instancecheck__(self, instance: Any) -> bool:
        if (own := library_class(self)) is not None:
            return isinstance(instance, own)
        return isinstance(instance, Remote) and self._ask("isinstance", None, instance) is True

    def __subclasscheck__(self, subclass: Any) -> bool:
        if (own := library_class(self)) is not None:
            return issubclass(subclass, own)
        return isinstance(subclass, Remote) and self._ask("issubclass", None, subclass) is True

    __doc__ = property(lambda self: self._ask("getattr", "__doc__"))
    __module__ = property(lambda self: self._ask("getattr", "__module__"))
    __annotations__ = property(lambda self: self._ask("getattr", "__annotations__"))

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return believed_class(self) or type(self)

    def _name(self) -> str:
        return self._kind.names[0].rpartition(":")[2]


def believed_class(remote: Remote) -> type | None:
    """The first class that a remote claims and the judge has a copy of."""
    kind, beliefs = type(remote)._kind, type(remote)._beliefs
    for name in kind.names if beliefs is not None else ():
        found = beliefs.find(name) if beliefs else None
        if found is not None and found is not object:
            return found
    return None


def library_class(remote: Any) -> type | None:
    """The judge's own copy of a library class that a remote stands for, if it is one."""
    beliefs = type(remote)._beliefs if issubclass(type(remote), Remote) else None
    name = remote._ask("class_name") if beliefs is not None else None
    return beliefs.find(str(name)) if beliefs is not None and name else None


def remote_class(kind: Kind, beliefs: Beliefs | None) -> type[Remote]:
    """The stand-in's class for objects of one kind.

    It has exactly the special methods that may be used, because `callable`, `iter` and the
    operators look at the class.

    Args:
        kind: What the other side told of the class.
        beliefs: The judge's; None in the candidate, where a test's object can do less.
    """
    if beliefs is None:
        allowed, refused = CANDIDATE_DUNDERS, frozenset[str]()
    else:
        known = beliefs.methods(kind.names)
        allowed, refused = (DUNDERS - OPERATORS) | known, VERDICTS - known
    methods = {name: _special_method(name) for name in kind.dunders & allowed}
    if beliefs is not None:
        methods |= {name: _refusal(name) for name in kind.dunders - allowed}
    return type(
        "Remote",
        (Remote,),
        {
            "__slots__": (),
            **_PASSED_ON,
            "_kind": kind,
            "_beliefs": beliefs,
            "_refused": refused,
            **methods,
        },
    )


_PASSED_ON = {name: vars(Remote)[name] for name in ("__doc__", "__module__", "__annotations__")}


def _special_method(name: str) -> Callable[..., Any]:
    if name == "__call__":
        return lambda self, /, *args, **kwargs: self._ask("call", None, *args, **kwargs)
    if name == "__exit__":
        return _leave
    if name == "__iter__":
        return lambda self: self._ask("iter")
    return lambda self, *args: self._ask("special", name, *args)


def _leave(self: Remote, *_: Any) -> None:
    """End a `with`: the exception stays on this side, and the answer can't swallow it."""
    self._ask("special", "__exit__", None, None, None)


def _refusal(name: str) -> Callable[..., Any]:
    def refuse(self: Remote, *args: Any) -> Any:
        raise RefusedError(
            f"{name} of a student's {self._name()} would let it mark itself: convert it to a plain "
            "value first, for example float(x), list(x) or an attribute"
        )

    return refuse


def builtin_exception(names: list[str]) -> type[BaseException]:
    """The nearest builtin exception among the names of a class and its bases."""
    for name in names:
        found = getattr(builtins, name, None)
        if isinstance(found, type) and issubclass(found, BaseException):
            return found
    return Exception
