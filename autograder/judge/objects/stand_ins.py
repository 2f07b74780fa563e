"""Stand-ins for objects that live in the other process, and what may be asked of them."""

from __future__ import annotations

import struct
import types
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from autograder.judge.errors import ContradictionError, RefusedAttributeError, RefusedError
from autograder.judge.objects import verdicts
from autograder.judge.objects.awaiting import awaited, leave_later
from autograder.judge.objects.kinds import Beliefs, Kind
from autograder.judge.policy import (
    CANDIDATE_DUNDERS,
    CANDIDATE_OPERATORS,
    DECIDING,
    OPERATORS,
    PROTOCOLS,
    VERDICTS,
)

if TYPE_CHECKING:
    from autograder.judge.wire.peer import Peer


class Remote:
    """A stand-in for an object of the other process; each kind has a subclass.

    Its own names have an underscore at both ends, because a student's object may have a `_name`.
    """

    __slots__ = ("__weakref__", "_handle_", "_peer_")
    _kind_: ClassVar[Kind]
    _beliefs_: ClassVar[Beliefs | None]  # None in the candidate
    _refused_: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, peer: Peer, handle: int) -> None:
        object.__setattr__(self, "_peer_", peer)
        object.__setattr__(self, "_handle_", handle)

    def _ask_(self, op: str, name: str | None = None, /, *args: Any, **kwargs: Any) -> Any:
        return self._peer_.request(op, self, name, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        # Libraries look for these; an answer would let a student's code run inside a library.
        if name.startswith(
            ("__array", "__torch", "__dlpack", "_ipython", "_repr_", "__cuda_array")
        ):
            raise AttributeError(name)
        if (own := self._own_(name)) is not None:
            return own.__get__(self)  # a bound method, or a property's value
        if name in self._refused_ and hasattr(self._kind_.base, name):
            return getattr(verdicts.contents(self), name)
        if name in self._refused_:
            raise RefusedAttributeError(
                f".{name} of a student's object would let it mark itself: compare plain values, "
                f"for example torch.equal(x.data, want) or x.count == 3"
            )
        answer = self._ask_("getattr", name)
        if name == "__bases__":
            return tuple(library_class(base) or base for base in answer)
        return answer

    def _own_(self, name: str) -> Any:
        """Return the instructor's own member, for a verdict or while a given method runs."""
        if self._beliefs_ is None or not (self._peer_.own_methods or name in VERDICTS):
            return None
        return self._beliefs_.own(self._kind_.names, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._ask_("setattr", name, value)

    def __delattr__(self, name: str) -> None:
        self._ask_("delattr", name)

    def __repr__(self) -> str:
        return str(self._ask_("repr"))

    def __str__(self) -> str:
        return str(self._ask_("str"))

    def __format__(self, spec: str) -> str:
        return str(self._ask_("format", None, spec))

    def __dir__(self) -> list[str]:
        return [str(name) for name in self._ask_("dir")]

    def __eq__(self, other: object) -> bool:
        if other is self:
            return True
        return verdicts.equal(self, other)

    def __hash__(self) -> int:
        return verdicts.hashed(self)

    def __bool__(self) -> bool:
        return verdicts.truth(self)

    def __deepcopy__(self, memo: Any) -> Any:
        return self._ask_("deepcopy")

    def __copy__(self) -> Any:
        return self._ask_("copy")

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise RefusedError(f"a student's {self._name_()} can't be pickled in a test")

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        derive: Any = getattr(self._peer_, "base_for", None)
        if derive is None or self._ask_("class_name") is None:
            raise RefusedError(f"a class can't derive from a student's {self._name_()}")
        own = library_class(self)
        return (derive(self),) if own is None else (own,)

    def __instancecheck__(self, instance: Any) -> bool:
        if (own := library_class(self)) is not None:
            return isinstance(instance, own)
        return isinstance(instance, Remote) and self._ask_("isinstance", None, instance) is True

    def __subclasscheck__(self, subclass: Any) -> bool:
        if (own := library_class(self)) is not None:
            return issubclass(subclass, own)
        kind = subclass if isinstance(subclass, type) else type(subclass)
        return issubclass(kind, Remote) and self._ask_("issubclass", None, subclass) is True

    __doc__ = property(lambda self: self._ask_("getattr", "__doc__"))
    __module__ = property(lambda self: self._ask_("getattr", "__module__"))
    __annotations__ = property(lambda self: _annotations(self))

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        believed = believed_class(self)
        if believed is None or not is_laid_out_in_python(believed):
            return type(self)
        return believed

    def _name_(self) -> str:
        return self._kind_.names[0].rpartition(":")[2]


def _annotations(remote: Remote) -> Any:
    read: Any = getattr(remote._peer_, "annotations", None)
    return read(remote) if read else remote._ask_("getattr", "__annotations__")


def believed_class(remote: Remote) -> type | None:
    """Return the first class that a student's object claims and of which the judge has a copy.

    Tensors never cross as objects, so an object that claims to be a tensor lies.
    """
    kind, beliefs = type(remote)._kind_, type(remote)._beliefs_
    for name in kind.names if beliefs is not None else ():
        cls = beliefs.find(name) if beliefs else None
        if cls is not None and cls is not object and not _is_tensor(cls):
            return cls
    return None


def _is_tensor(cls: type) -> bool:
    return torch._C.TensorBase in cls.__mro__


def is_laid_out_in_python(cls: type) -> bool:
    """Return whether instances hold only what Python put there: a dict, slots, weak references.

    If C code is told of any other class, it reads fields which a stand-in doesn't have. C code
    that is told of a storage takes an attribute of the stand-in for a storage.
    """
    if issubclass(cls, torch.storage.TypedStorage):
        return False
    for base in cls.__mro__:
        slots = sum(isinstance(part, types.MemberDescriptorType) for part in vars(base).values())
        parent = base.__base__ or object
        added = bool(base.__weakrefoffset__ and not parent.__weakrefoffset__)
        in_python = base.__flags__ & _HEAP_TYPE and base.__dictoffset__ <= 0
        if base is not object and not (
            in_python and base.__basicsize__ == parent.__basicsize__ + _WORD * (slots + added)
        ):
            return False
    return not cls.__itemsize__


_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made while Python runs
_WORD = struct.calcsize("P")


def isinstance_of(obj: Any, cls: Any) -> bool:
    """Return what `isinstance(obj, cls)` means in a test, which believes claimed classes too."""
    if isinstance(obj, cls):
        return True
    if not issubclass(type(obj), Remote) or type(obj)._beliefs_ is None:
        return False
    believed = believed_class(obj)
    wanted = cls if type(cls) is tuple else (cls,)
    return believed is not None and any(
        any(isinstance_of(obj, part) for part in kind)
        if type(kind) is tuple
        else isinstance(kind, type | types.UnionType) and issubclass(believed, kind)
        for kind in wanted
    )


def library_class(remote: Any) -> type | None:
    """Return the judge's own copy of the library class that a stand-in stands for, or None."""
    beliefs = type(remote)._beliefs_ if issubclass(type(remote), Remote) else None
    name = remote._ask_("class_name") if beliefs is not None else None
    return beliefs.find(str(name)) if beliefs is not None and name else None


def remote_class(kind: Kind, beliefs: Beliefs | None) -> type[Remote]:
    """Make the stand-ins' class for objects of one kind.

    The class has exactly the special methods that may be used, because `callable`, `iter` and the
    operators look at the class.

    Args:
        kind: the other side's description of the class.
        beliefs: the judge's beliefs; None in the candidate, where a test's object can do less.
    """
    refused: frozenset[str] = frozenset()
    if beliefs is None:
        usable = CANDIDATE_DUNDERS | CANDIDATE_OPERATORS
        methods = {name: _special_method(name) for name in kind.dunders & usable}
    else:
        student_methods = beliefs.methods(kind.names)
        refused = VERDICTS - student_methods.keys()
        methods = {name: _protocol(name, kind) for name in kind.dunders & PROTOCOLS}
        methods |= {name: _operator(name, kind, beliefs) for name in kind.dunders & OPERATORS}
        if kind.base in (str, bytes, list, tuple) and "__add__" in kind.inherited:
            methods["__radd__"] = verdicts.joined
        if kind.dunders >= {"__len__", "__getitem__"}:
            methods.setdefault("__iter__", _by_index)
    return type(
        "Remote",
        (Remote,),
        {
            "__slots__": (),
            **_PASSED_ON,
            "_kind_": kind,
            "_beliefs_": beliefs,
            "_refused_": refused,
            **methods,
        },
    )


_PASSED_ON = {name: vars(Remote)[name] for name in ("__doc__", "__module__", "__annotations__")}


def _special_method(name: str) -> Callable[..., Any]:
    if name == "__call__":
        return lambda self, /, *args, **kwargs: self._ask_("call", None, *args, **kwargs)
    if name == "__exit__":
        return _leave
    if name == "__aexit__":
        return leave_later
    if name == "__await__":
        return awaited
    if name == "__iter__":
        return lambda self: self._ask_("iter")
    return lambda self, *args: self._ask_("special", name, *args)


def _leave(self: Remote, *_: Any) -> None:
    """End a `with`; the exception stays on this side, so the answer can't swallow it."""
    self._ask_("special", "__exit__", None, None, None)


def _operator(name: str, kind: Kind, beliefs: Beliefs) -> Callable[..., Any]:
    """Return the instructor's method, the student's if the student writes it, or a refusal."""
    own = beliefs.own(kind.names, name)
    if isinstance(own, types.FunctionType):
        return verdicts.run_here(own)
    if (rule := verdicts.deciding_operator(name, kind, beliefs)) is not None:
        return rule
    student_methods = beliefs.methods(kind.names)
    if name not in student_methods:
        in_place = name in kind.inherited and name.startswith("__i")
        return _special_method(name) if in_place else _refusal(name)
    if name in DECIDING:
        return lambda self, *args: verdicts.decided(self, name, *args)
    return _gives_object(name) if student_methods[name] else _special_method(name)


def _gives_object(name: str) -> Callable[..., Any]:
    """Refuse plain data from an operator that gives an object in the instructor's notebook."""

    def operate(self: Remote, *args: Any) -> Any:
        result = self._ask_("special", name, *args)
        is_object = issubclass(type(result), Remote) or type(result).__module__ == "__main__"
        if not is_object and result is not NotImplemented:
            raise RefusedError(
                f"{name} of a student's {self._name_()} gave {type(result).__name__} where the "
                "instructor's own gives an object: compare its attributes instead"
            )
        return result

    return operate


def _protocol(name: str, kind: Kind) -> Callable[..., Any]:
    if name == "__len__":
        return _length
    if name == "__iter__" and ("__len__" in kind.dunders or "__next__" not in kind.dunders):
        return lambda self: _counted(self, _expected(self), self._ask_("iter"))
    if name == "__next__" and "__len__" in kind.dunders:
        return _next
    return _special_method(name)


def _length(self: Any) -> Any:
    """Return what `len` says, which must be the length seen since the last call."""
    length = self._ask_("special", "__len__")
    if type(length) is int and self._peer_.lengths.setdefault(self._handle_, length) != length:
        raise _disagree(self)
    return length  # len itself refuses anything but a whole number


def _next(self: Any) -> Any:
    self._peer_.lengths.pop(self._handle_, None)  # an iterator's length may be what is left of it
    return self._ask_("special", "__next__")


def _expected(self: Any) -> int | None:
    if self._handle_ in self._peer_.lengths:
        return int(self._peer_.lengths[self._handle_])
    try:
        return len(self)
    except Exception as error:  # a loader over a stream has the method and no length
        if self._peer_.rules() and not isinstance(error, TypeError):
            raise  # a house rule's refusal is raised, as in one kernel
        return None


def _counted(self: Any, expected: int | None, iterator: Any) -> Iterator[Any]:
    """Yield the items, as many as `len` says: a loop over fewer items might assert nothing."""
    count = 0
    for item in _each(iterator):
        count += 1
        if expected is not None and count > expected:
            raise _disagree(self)
        yield item
    if expected is not None and count != expected:
        raise _disagree(self)
    if "__next__" not in self._kind_.dunders:
        self._peer_.lengths.setdefault(self._handle_, count)


def _each(iterator: Any) -> Iterator[Any]:
    while True:
        try:
            item = next(iterator)
        except StopIteration:
            return
        yield item


def _by_index(self: Any) -> Iterator[Any]:
    return _counted(self, _expected(self), _items(self))


def _items(self: Any) -> Iterator[Any]:
    index = 0
    while True:
        try:
            item = self._ask_("special", "__getitem__", index)
        except IndexError:
            return
        yield item
        index += 1


def _disagree(self: Any) -> ContradictionError:
    return ContradictionError(
        f"len() of a student's {self._name_()} and the items that it gives disagree, or len() "
        "changes from look to look: compare list(x) with the list that you want"
    )


def _refusal(name: str) -> Callable[..., Any]:
    def refuse(self: Remote, *_: Any) -> Any:
        raise RefusedError(
            f"{name} of a student's {self._name_()} would let it mark itself: convert it to a "
            "plain value first, for example float(x), list(x) or an attribute"
        )

    return refuse
