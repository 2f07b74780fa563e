"""A test's class that derives from a student's: its methods stay with the test.

The student's process gets a class of the same name, derived from the student's class, whose methods
call the test's. An instance lives there, and the test holds a stand-in of the test's own class:
what that class defines runs here, and everything else, `super()` included, is asked for there.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from typing import Any

from autograder.judge.errors import RefusedError
from autograder.judge.objects.kinds import Kind
from autograder.judge.objects.stand_ins import Remote, remote_class

_NOT_MEMBERS = frozenset(
    {"__module__", "__dict__", "__weakref__", "__doc__", "__qualname__", "__classcell__",
     "__annotations__", "__abstractmethods__", "_abc_impl", "__orig_bases__", "__new__",
     "__init_subclass__", "__firstlineno__", "__static_attributes__"}
)  # fmt: skip


def base_for(peer: Any, remote: Remote) -> type[Remote]:
    """Return the class that stands for a student's class among the bases of a test's class."""
    form, methods = peer.request("derivable", remote)
    kind = Kind.parse(*form)
    if not all(type(name) is str for name in methods):
        raise peer.unreadable(ValueError("a class has methods of names"))
    members: dict[str, Any] = {name: _Inherited(remote, name) for name in methods}

    def make(cls: type, *args: Any, **kwargs: Any) -> Any:
        return peer.request("new", None, None, [cls, list(args), kwargs])

    def init(self: Remote, *args: Any, **kwargs: Any) -> None:
        remote._ask_("super", "__init__", self, None)(*args, **kwargs)

    def init_subclass(cls: Any, /, **options: Any) -> None:
        if peer.names.given:
            raise RefusedError(f"{cls.__name__} derives from a class that the student writes")
        parts = tuple(_members(cls, base))
        module = peer.request("derive", remote, cls.__name__, [cls, parts, options])
        peer.derived[f"{module}:{cls.__name__}"] = cls

    base = type(
        kind.names[0].rpartition(":")[2],
        (remote_class(kind, peer.beliefs),),
        {
            **members,
            "__new__": make,
            "__init__": init,
            "__init_subclass__": classmethod(init_subclass),
            "_stand_in_": classmethod(_stand_in),
        },
    )
    return base


class _Inherited:
    """A method or property of the student's class, as `super()` finds it."""

    def __init__(self, remote: Remote, name: str) -> None:
        self._remote = remote
        self._name = name

    def __get__(self, obj: Any, owner: Any = None) -> Any:
        return self._remote._ask_("super", self._name, obj, owner if obj is None else None)


def _stand_in(cls: type[Remote], peer: Any, handle: int) -> Remote:
    """Make the stand-in for an instance that the student's process has made."""
    stand_in = object.__new__(cls)
    Remote.__init__(stand_in, peer, handle)
    return stand_in


def _members(cls: type, base: type) -> Iterator[tuple[str, str, tuple[Any, ...]]]:
    own = [part for part in cls.__mro__ if part is not object and not issubclass(base, part)]
    members = {name: value for part in reversed(own) for name, value in vars(part).items()}
    for name, value in members.items():
        if name in _NOT_MEMBERS:
            continue
        match value:
            case property():
                yield name, "property", (value.fget, value.fset)
            case staticmethod():
                yield name, "static", (value.__func__,)
            case classmethod():
                yield name, "class", (value.__func__,)
            case _:
                yield name, "plain", (value,)


# The student's process.


def derivable(target: type) -> tuple[Any, ...]:
    """Describe a student's class: its instances' kind, and its methods and properties."""
    methods = [
        name
        for name in dir(target)
        if not (name.startswith("__") and name.endswith("__")) and _is_method(target, name)
    ]
    names, dunders, own_eq, inherited = Kind.of(target).to_json()
    return (tuple(names), tuple(dunders), own_eq, tuple(inherited)), tuple(methods)


def _is_method(cls: type, name: str) -> bool:
    try:
        return hasattr(type(_found(cls, name)), "__get__")
    except AttributeError:
        return False


def _found(cls: type, name: str) -> Any:
    for part in cls.__mro__:
        if name in vars(part):
            return vars(part)[name]
    raise AttributeError(f"{cls.__name__} has no {name}")


def inherited(base: type, name: str, obj: Any, cls: type | None) -> Any:
    """Return what `super().name` is in a class that derives from `base`.

    Args:
        base: the class.
        name: the attribute.
        obj: the instance; None in a class method.
        cls: the class of which a class method is asked.
    """
    value = _found(base, name)
    if not hasattr(type(value), "__get__"):
        return value
    return value.__get__(obj, type(obj) if cls is None else cls)


def derive(
    base: type, name: str, module: str, members: tuple[Any, ...], options: dict[str, Any]
) -> type:
    """Make the class whose methods are the test's."""
    wrap: dict[str, Callable[..., Any]] = {
        "property": property,
        "static": staticmethod,
        "class": classmethod,
        "plain": lambda value: value,
    }
    namespace = {key: wrap[kind](*parts) for key, kind, parts in members}
    namespace["__module__"] = module
    return types.new_class(name, (base,), options, lambda scope: scope.update(namespace))
