"""What one side tells the other about a class, and what the judge believes of the class."""

from __future__ import annotations

import builtins
import sys
import types
from dataclasses import dataclass, field
from typing import Any

from autograder.judge.policy import DUNDERS, LIBRARIES

_BUILTIN_TYPES: dict[str, type] = {
    "function": types.FunctionType,
    "generator": types.GeneratorType,
    "method": types.MethodType,
    "builtin_function_or_method": types.BuiltinFunctionType,
}


@dataclass(frozen=True)
class Kind:
    """The description of a class, which one side sends to the other once.

    Attributes:
        names: "module:qualname" of the class and of its bases.
        dunders: the special methods that the class's instances have.
        own_eq: whether the class defines `==` itself.
    """

    names: tuple[str, ...]
    dunders: frozenset[str]
    own_eq: bool

    @classmethod
    def of(cls, kind: type) -> Kind:
        """Describe a class."""
        eq: Any = kind.__eq__  # mypy takes this for the bound method of `type`
        return cls(
            tuple(f"{base.__module__}:{base.__qualname__}" for base in kind.__mro__),
            frozenset(name for name in DUNDERS if getattr(kind, name, None) is not None),
            eq is not object.__eq__,
        )

    @classmethod
    def parse(cls, names: Any, dunders: Any, own_eq: Any) -> Kind:
        """Read what `to_json` wrote; unknown special methods are left out."""
        if not all(type(name) is str for name in [*names, *dunders]) or len(names) > 100:
            raise ValueError("a class is described by names")
        known_dunders = DUNDERS & frozenset(dunders)
        return cls(tuple(names) or ("builtins:object",), known_dunders, bool(own_eq))

    def to_json(self) -> list[Any]:
        """Return the form that crosses."""
        return [list(self.names), sorted(self.dunders), self.own_eq]


@dataclass
class Beliefs:
    """What the judge believes of a class that a student's object claims to have.

    Attributes:
        given: the instructor's classes, which the judge itself ran, by name.
        defined: the methods of each class that the student writes in the instructor's notebook,
            and whether the instructor's version of the method gives an object.
        solutions: names that are the student's, even if a given cell binds them too.
    """

    given: dict[str, type] = field(default_factory=dict)
    defined: dict[str, dict[str, bool]] = field(default_factory=dict)
    solutions: set[str] = field(default_factory=set)

    def methods(self, names: tuple[str, ...]) -> dict[str, bool]:
        """Return the methods that the student writes in classes of these names, as in `defined`."""
        methods: dict[str, bool] = {}
        for name in reversed(names):
            module, _, qualname = name.partition(":")
            if module == "__main__":
                methods |= self.defined.get(qualname, {})
        return methods

    def own(self, names: tuple[str, ...], member: str) -> Any:
        """Return a method or property of the instructor's class of one of these names, or None.

        The judge uses its own, so that a student's class of the same name has no influence.
        """
        for name in names:
            module, _, qualname = name.partition(":")
            if module != "__main__":
                continue
            if member in self.defined.get(qualname, {}):
                return None
            given = None if qualname in self.solutions else self.given.get(qualname)
            for base in given.__mro__ if isinstance(given, type) else ():
                if base.__module__ == "__main__" and member in vars(base):
                    attribute = vars(base)[member]
                    return (
                        attribute if isinstance(attribute, types.FunctionType | property) else None
                    )
        return None

    def given_exception(self, names: list[str]) -> type[Exception] | None:
        """Return the instructor's exception that a student's class of these names is, or None.

        A test catches it by its class. Anybody may raise it, so it may be claimed by name.
        """
        for name in names:
            cls = None if name in self.solutions else self.given.get(name)
            if isinstance(cls, type) and issubclass(cls, Exception):
                return cls
        return None

    def find(self, name: str) -> type | None:
        """Return the judge's own class of that name: a given class, or a library's."""
        module, _, qualname = name.partition(":")
        if module == "__main__":
            return self.given.get(qualname)
        if module == "builtins" and qualname in _BUILTIN_TYPES:
            return _BUILTIN_TYPES[qualname]
        if module.partition(".")[0] not in LIBRARIES or module not in sys.modules:
            return None
        cls = vars(sys.modules[module]).get(qualname)
        return cls if isinstance(cls, type) else None


def builtin_exception(names: list[str]) -> type[BaseException]:
    """Return the nearest builtin exception among the names of a class and its bases."""
    for name in names:
        cls = getattr(builtins, name, None)
        if isinstance(cls, type) and issubclass(cls, BaseException):
            return cls
    return Exception
