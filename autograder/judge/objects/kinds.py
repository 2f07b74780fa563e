"""What one side tells the other about a class, and what the judge believes of the class."""

from __future__ import annotations

import builtins
import functools
import sys
import types
from dataclasses import dataclass, field
from typing import Any

from autograder.judge.policy import CONTENTS, DUNDERS, LIBRARIES, LISTED, STUDENTS_RULES

_BUILTIN_TYPES: dict[str, type] = {
    "function": types.FunctionType,
    "generator": types.GeneratorType,
    "method": types.MethodType,
    "builtin_function_or_method": types.BuiltinFunctionType,
    "mappingproxy": types.MappingProxyType,
}
_ALWAYS_TRUE = frozenset({"builtins:function", "builtins:method", "builtins:type"})


@dataclass(frozen=True)
class Kind:
    """The description of a class, which one side sends to the other once.

    Attributes:
        names: "module:qualname" of the class and of its bases.
        dunders: the special methods that the class's instances have.
        own_eq: whether the class defines `==` itself.
        inherited: of a subclass of a builtin class with contents (list, str, int …), the special
            methods that are the builtin class's own.
    """

    names: tuple[str, ...]
    dunders: frozenset[str]
    own_eq: bool
    inherited: frozenset[str] = frozenset()

    @functools.cached_property
    def base(self) -> type | None:
        """The builtin class whose contents an object of this class has, or None."""
        found = (CONTENTS.get(name) for name in self.names)
        return next((base for base in found if base is not None), None)

    @property
    def always_true(self) -> bool:
        """Whether this is a function's, a method's or a class's kind, which count as true."""
        return self.names[0] in _ALWAYS_TRUE

    @classmethod
    def of(cls, kind: type) -> Kind:
        """Describe a class."""
        eq: Any = kind.__eq__  # mypy takes this for the bound method of `type`
        base = contents_class(kind)
        return cls(
            tuple(f"{base.__module__}:{base.__qualname__}" for base in kind.__mro__),
            frozenset(name for name in DUNDERS if getattr(kind, name, None) is not None),
            eq is not object.__eq__,
            frozenset(
                name
                for name in DUNDERS | STUDENTS_RULES
                if base is not None
                and getattr(base, name, None) is getattr(kind, name, None) is not None
            ),
        )

    @classmethod
    def parse(cls, names: Any, dunders: Any, own_eq: Any, inherited: Any = ()) -> Kind:
        """Read what `to_json` wrote; unknown special methods are left out."""
        texts = [*names, *dunders, *inherited]
        if not all(type(name) is str for name in texts) or len(names) > 100:
            raise ValueError("a class is described by names")
        return cls(
            tuple(names) or ("builtins:object",),
            DUNDERS & frozenset(dunders),
            bool(own_eq),
            (DUNDERS | STUDENTS_RULES) & frozenset(inherited),
        )

    def to_json(self) -> list[Any]:
        """Return the form that crosses."""
        return [list(self.names), sorted(self.dunders), self.own_eq, sorted(self.inherited)]


_CONTENTS: dict[Any, Any] = {
    int: int.__int__,
    float: float.__float__,
    complex: complex.__complex__,
    str: str.__str__,
    dict: dict.copy,
}


def contents_class(kind: type) -> type | None:
    """Return the builtin class whose contents objects of this class have, or None."""
    for base in kind.__mro__:
        if base.__module__ == "builtins" and base in CONTENTS.values():
            return base
    return None


def contents_of(obj: Any) -> Any:
    """Return an object's contents as its builtin class has them; no method of its own runs."""
    base: Any = contents_class(type(obj))
    if base in (list, tuple, bytes):
        return base.__getitem__(obj, slice(None))
    return _CONTENTS.get(base, base)(obj)


@dataclass(frozen=True)
class FieldRules:
    """What `@dataclass` in the instructor's notebook makes of a class.

    Attributes:
        compared: the fields that `==` compares.
        ordered: whether `<` and the like compare them, too.
        hashable: whether objects have a hash.
    """

    compared: tuple[str, ...]
    ordered: bool = False
    hashable: bool = False


@dataclass
class Beliefs:
    """What the judge believes of a class that a student's object claims to have.

    Attributes:
        given: the instructor's classes, which the judge itself ran, by name.
        defined: the methods of each class that the student writes in the instructor's notebook,
            and whether the instructor's version of the method gives an object.
        solutions: names that are the student's, even if a given cell binds them too.
        dataclasses: the dataclasses that the student writes in the instructor's notebook.
    """

    given: dict[str, type] = field(default_factory=dict)
    defined: dict[str, dict[str, bool]] = field(default_factory=dict)
    solutions: set[str] = field(default_factory=set)
    dataclasses: dict[str, FieldRules] = field(default_factory=dict)

    def rules(self, kind: Kind) -> FieldRules | None:
        """Return how objects of the student's dataclass of this name compare, or None."""
        module, _, qualname = kind.names[0].partition(":")
        return self.dataclasses.get(qualname) if module == "__main__" else None

    def describes(self, kind: Kind) -> bool:
        """Return whether the instructor's notebook has a class of this name."""
        module, _, qualname = kind.names[0].partition(":")
        return module == "__main__" and (qualname in self.defined or qualname in self.given)

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

    def listed(self, kind: Kind) -> type | None:
        """Return the judge's own class of a library's container or plain object, or None."""
        package = kind.names[0].partition(":")[0].partition(".")[0]
        return self.find(kind.names[0]) if package in LISTED else None

    def find(self, name: str) -> type | None:
        """Return the judge's own class of that name: a given class, or a library's."""
        module, _, qualname = name.partition(":")
        if module == "__main__":
            return self.given.get(qualname)
        if module == "builtins" and qualname in _BUILTIN_TYPES:
            return _BUILTIN_TYPES[qualname]
        if module.partition(".")[0] not in LIBRARIES or module not in sys.modules:
            return None
        cls: Any = sys.modules[module]
        for part in qualname.split("."):
            cls = vars(cls).get(part) if isinstance(cls, type | types.ModuleType) else None
        return cls if isinstance(cls, type) else None


def builtin_exception(names: list[str]) -> type[BaseException]:
    """Return the nearest builtin exception among the names of a class and its bases."""
    for name in names:
        cls = getattr(builtins, name, None)
        if isinstance(cls, type) and issubclass(cls, BaseException):
            return cls
    return Exception
