"""How a library's type crosses by value: an entry takes an object apart and puts it together.

`write` takes an object apart into plain data; `read` checks the data and makes a new object of the
reader's own class. Nothing is pickled, and a tag that the other side sends only selects an entry.
"""

from __future__ import annotations

import enum
import importlib
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

_T = TypeVar("_T")


class Encoder(Protocol):
    """What an entry asks of the encoder of a message."""

    def encode(self, obj: Any) -> Any:
        """Return the JSON form of any value that can cross."""

    def buffer(self, data: bytes) -> int:
        """Add a buffer to the message and return its number."""

    def array_body(self, array: np.ndarray) -> list[Any]:
        """Return dtype, shape and buffer of an array."""

    def shared_number(self, obj: Any) -> int:
        """Share an object, whose changes cross from now on, and return its number."""


class Decoder(Protocol):
    """What an entry asks of the decoder of a message."""

    buffers: list[memoryview]

    def decode(self, value: Any) -> Any:
        """Return the value of a JSON form."""

    def array(self, dtype: Any, shape: Any, buffer: Any) -> np.ndarray:
        """Return the array of a body."""

    def take(self, obj: _T, number: Any) -> _T:
        """Note a shared object under its number."""


Check = type | tuple[type, ...] | None


@dataclass(frozen=True)
class Mutable:
    """How both sides keep an object equal that can change in place.

    Attributes:
        state: gives what tells whether the object changed: (object, copy) → state.
        same: compares two states.
        body: writes the contents: (encoder, object) → JSON.
        fill: replaces the contents by those of a body: (decoder, object, body).
    """

    state: Callable[[Any, bool], Any]
    same: Callable[[Any, Any], bool]
    body: Callable[[Encoder, Any], Any]
    fill: Callable[[Decoder, Any, Any], None]


@dataclass(frozen=True)
class Entry:
    """A type of the table.

    Attributes:
        tag: the tag of the type's values, "module.Class"; the class is found under this name.
        write: (encoder, object) → the JSON fields that follow the tag.
        read: (decoder, class, *fields) → object; refuses bad fields by an ordinary exception.
        mutable: how changes cross; None for an object that crosses as a copy.
        derived: whether the library's own subclasses cross by this entry, too.
    """

    tag: str
    write: Callable[[Encoder, Any], list[Any]]
    read: Callable[..., Any]
    mutable: Mutable | None = None
    derived: bool = False

    @property
    def package(self) -> str:
        """The package that has the class."""
        return self.tag.partition(".")[0]

    def loaded(self) -> type | None:
        """Return the class if its library was imported before, else None."""
        module, _, name = self.tag.rpartition(".")
        cls = getattr(sys.modules.get(module), name, None)
        return cls if isinstance(cls, type) else None

    def decode(self, decoder: Decoder, *fields: Any) -> Any:
        """Make the object of a message.

        Raises:
            ValueError: the library isn't installed, or refuses the fields by an assertion.
        """
        try:
            importlib.import_module(self.tag.rpartition(".")[0])
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return self.read(decoder, self.loaded(), *fields)
        except (AssertionError, ImportError, SystemError) as error:
            raise ValueError(f"no {self.tag}: {error!r:.200}") from None


def value(
    tag: str,
    checks: tuple[Check, ...],
    apart: Callable[[Any], tuple[Any, ...]],
    together: Callable[..., Any] | None = None,
) -> Entry:
    """Make an entry for a type whose objects are a few plain values.

    Args:
        tag: see `Entry`.
        checks: the exact type, or types, of each field; None allows any value.
        apart: gives the fields of an object.
        together: (class, *fields) → object; None calls the class with the fields.
    """

    def write(encoder: Encoder, obj: Any) -> list[Any]:
        return [encoder.encode(field) for field in _checked(tag, checks, apart(obj))]

    def read(decoder: Decoder, cls: Any, *fields: Any) -> Any:
        plain = _checked(tag, checks, tuple(decoder.decode(field) for field in fields))
        return cls(*plain) if together is None else together(cls, *plain)

    return Entry(tag, write, read)


def by_attributes(tag: str, names: tuple[str, ...]) -> Entry:
    """Make an entry for a type that a course registers.

    Args:
        tag: see `Entry`.
        names: the attributes that make up a value, which the class takes as keyword arguments.
    """

    def write(encoder: Encoder, obj: Any) -> list[Any]:
        return [encoder.encode(getattr(obj, name)) for name in names]

    def read(decoder: Decoder, cls: Any, *fields: Any) -> Any:
        values = [decoder.decode(field) for field in fields]
        return cls(**dict(zip(names, values, strict=True)))

    return Entry(tag, write, read)


def _checked(tag: str, checks: tuple[Check, ...], fields: tuple[Any, ...]) -> tuple[Any, ...]:
    for check, field in zip(checks, fields, strict=True):
        allowed = check if isinstance(check, tuple) else (check,)
        if check is not None and type(field) not in allowed:
            raise TypeError(f"a {tag} made with a {type(field).__name__} can't cross to the test")
        if type(field) is int and field.bit_length() > _MAX_BITS:
            raise TypeError(f"a {tag} with a number of {field.bit_length():,} bits can't cross")
    return fields


_MAX_BITS = 1 << 17


def member_key(member: enum.Enum) -> str | int | None:
    """Return what a member of an Enum is found by: its name, or the value of combined flags."""
    if member.name in type(member).__members__:
        return member.name
    is_flags = isinstance(member, enum.Flag) and type(member.value) is int
    return member.value if is_flags else None


def member_of(cls: Any, key: Any) -> Any:
    """Return the member of an Enum that `member_key` names.

    Raises:
        ValueError: it is no Enum's member.
    """
    if not isinstance(cls, enum.EnumMeta):
        raise ValueError("no Enum")
    if type(key) is int and issubclass(cls, enum.Flag):
        return cls(key)
    return cls.__members__[key]
