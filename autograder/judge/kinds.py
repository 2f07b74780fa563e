"""What one side tells the other about a class, and what the judge believes of it."""

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
        eq: Any = kind.__eq__  # what instances use; mypy takes it for the bound one of `type`
        return cls(
            tuple(f"{base.__module__}:{base.__qualname__}" for base in kind.__mro__),
            frozenset(name for name in DUNDERS if getattr(kind, name, None) is not None),
            eq is not object.__eq__,
        )

    @classmethod
    def parse(cls, names: Any, dunders: Any, own_eq: Any) -> Kind:
        """Read what `to_json` wrote; special methods that aren't known are left out."""
        if not all(type(name) is str for name in [*names, *dunders]) or len(names) > 100:
            raise ValueError("a class is described by names")
        known = DUNDERS & frozenset(dunders)
        return cls(tuple(names) or ("builtins:object",), known, bool(own_eq))

    def to_json(self) -> list[Any]:
        """The form that crosses."""
        return [list(self.names), sorted(self.dunders), self.own_eq]


@dataclass
class Beliefs:
    """What the judge believes of a class that a student's object claims to be of.

    Attributes:
        given: The instructor's classes, which the judge ran itself, by name.
        defined: The methods of the classes that the student writes in the instructor's notebook,
            by class, and whether the instructor's own gives an object.
        solutions: Names that are the student's, even if a given cell binds them too.
    """

    given: dict[str, type] = field(default_factory=dict)
    defined: dict[str, dict[str, bool]] = field(default_factory=dict)
    solutions: set[str] = field(default_factory=set)

    def methods(self, names: tuple[str, ...]) -> dict[str, bool]:
        """The methods that the student writes in classes of these names, as `defined`."""
        known: dict[str, bool] = {}
        for name in reversed(names):
            module, _, qualname = name.partition(":")
            if module == "__main__":
                known |= self.defined.get(qualname, {})
        return known

    def own(self, names: tuple[str, ...], member: str) -> Any:
        """A method or property of the instructor's class of one of these names, or None.

        It is the judge's own, so that a student's class that only bears the name has no say.
        """
        for name in names:
            module, _, qualname = name.partition(":")
            if module != "__main__":
                continue
            if member in self.defined.get(qualname, {}):
                return None
            own = None if qualname in self.solutions else self.given.get(qualname)
            for base in own.__mro__ if isinstance(own, type) else ():
                if base.__module__ == "__main__" and member in vars(base):
                    found = vars(base)[member]
                    return found if isinstance(found, types.FunctionType | property) else None
        return None

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


def builtin_exception(names: list[str]) -> type[BaseException]:
    """The nearest builtin exception among the names of a class and its bases."""
    for name in names:
        found = getattr(builtins, name, None)
        if isinstance(found, type) and issubclass(found, BaseException):
            return found
    return Exception
