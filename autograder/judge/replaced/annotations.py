"""Annotations of the student's functions, read from the submission's text and never run there.

Only names of types, `x.y`, `x[y]` and `x | y` are evaluated, with the judge's own types.
"""

from __future__ import annotations

import ast
import builtins
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any

from autograder.judge.objects.stand_ins import Remote

_TYPING = frozenset(typing.__all__)
_CONSTANTS = (type(None), str, bool, int, type(...))


class Annotations:
    """Evaluates annotations.

    Args:
        own: gives the value of a name that a student's code may know, or None: see `Names.known`.
        theirs: gives a student's object by its name; raises a KeyError if there is none.
    """

    def __init__(self, own: Callable[[str], Any], theirs: Callable[[str], Any]) -> None:
        self._own = own
        self._theirs = theirs

    def of(self, node: ast.stmt) -> dict[str, Any]:
        """Return a function's or a class's annotations, as its `__annotations__`.

        Raises:
            ValueError: an annotation is no type that can be read.
        """
        return {name: self.evaluate(part) for name, part in _written(node)}

    def hints(self, node: ast.stmt) -> dict[str, Any]:
        """Return what `typing.get_type_hints` returns."""
        return {name: self._hint(value) for name, value in self.of(node).items()}

    def _hint(self, value: Any) -> Any:
        if isinstance(value, str):
            value = self.evaluate(ast.parse(value, mode="eval").body)
        return type(None) if value is None else value

    def evaluate(self, node: ast.expr) -> Any:
        """Return the type that an annotation means."""
        match node:
            case ast.Constant(value) if type(value) in _CONSTANTS:
                return value  # numbers are in Literal[...]
            case ast.Name(name):
                return self._name(name)
            case ast.Attribute(value, name):
                owner = self.evaluate(value)
                if isinstance(owner, types.ModuleType) and name[0] != "_":
                    return _checked(getattr(owner, name))
            case ast.Subscript(value, index):
                return self.evaluate(value)[self.evaluate(index)]
            case ast.Tuple(parts):
                return tuple(map(self.evaluate, parts))
            case ast.List(parts):
                return list(map(self.evaluate, parts))
            case ast.BinOp(left, ast.BitOr(), right):
                sides = self.evaluate(left), self.evaluate(right)
                if any(issubclass(type(side), Remote) for side in sides):
                    return typing.Union[sides]  # noqa: UP007 - a stand-in has no `|`
                return sides[0] | sides[1]
        raise ValueError("an annotation that is no type")

    def _name(self, name: str) -> Any:
        value = self._own(name)
        if value is None:
            value = vars(builtins).get(name)
        if value is None and name in _TYPING:
            value = getattr(typing, name)
        if value is None and name in ("typing", "types"):
            value = {"typing": typing, "types": types}[name]
        if value is None:
            value = self._theirs(name)
        return value


def _checked(member: Any) -> Any:
    """Return a module's member; its data may be what a test wants.

    Raises:
        ValueError: it is no type.
    """
    is_generic = type(member).__module__ in ("types", "typing", "typing_extensions")
    if not is_generic and not isinstance(member, type | types.ModuleType):
        raise ValueError("an annotation that is no type")
    return member


def _written(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.ClassDef):
        for part in node.body:
            if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
                yield part.target.id, part.annotation
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        args = node.args
        parts = [*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg]
        for arg in parts:
            if arg is not None and arg.annotation is not None:
                yield arg.arg, arg.annotation
        if node.returns is not None:
            yield "return", node.returns
