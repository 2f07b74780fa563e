"""How a test compares a student's object, measures its truth and hashes it.

The order is: the instructor's own method of a given class; the contents of a subclass of a builtin
class, which the judge compares; the fields of a dataclass, likewise; the student's own method if
the instructor's notebook has a method of that name in a class of that name. Everything else is
refused. Where a student's own method decides, the cell's result says so.
"""

from __future__ import annotations

import operator
import types
from collections.abc import Callable
from typing import Any

from autograder.judge.errors import RefusedError
from autograder.judge.objects.kinds import Beliefs, FieldRules, Kind
from autograder.judge.policy import DECIDING, FIXED_CONTENTS

_ORDERS = {name: getattr(operator, name) for name in ("__lt__", "__le__", "__gt__", "__ge__")}


def run_here(method: types.FunctionType) -> Callable[..., Any]:
    """Return the instructor's method, for a stand-in whose other given methods run here, too."""

    def run(self: Any, *args: Any) -> Any:
        peer = self._peer_
        before, peer.own_methods = peer.own_methods, True
        try:
            return method(self, *args)
        finally:
            peer.own_methods = before

    return run


def equal(self: Any, other: Any) -> bool:
    """Return what `==` of a student's object means in a test."""
    kind, beliefs = self._kind_, self._beliefs_
    if other is self:
        return True
    if not kind.own_eq or other is None or beliefs is None or self._peer_.talking:
        return False
    if isinstance(own := beliefs.own(kind.names, "__eq__"), types.FunctionType):
        answer = run_here(own)(self, other)
        return answer is not NotImplemented and bool(answer)
    if "__eq__" in kind.inherited:
        return bool(contents(self) == plain(other))
    if (rules := beliefs.rules(kind)) is not None:
        return type(other) is type(self) and fields_equal(self, other, rules)
    if "__eq__" in beliefs.methods(kind.names):
        return bool(decided(self, "__eq__", other))
    raise RefusedError(
        f"== on a student's {self._name_()} would let it mark itself: compare its "
        "attributes, a.x == b.x"
    )


def decided(self: Any, name: str, *args: Any) -> Any:
    """Return the verdict of the student's own method, and note that it decided.

    Raises:
        RefusedError: the verdict is neither a bool nor NotImplemented.
    """
    self._peer_.decided.add(DECIDING[name])
    verdict = self._ask_("special", name, *args)
    if verdict is NotImplemented and name in ("__eq__", "__bool__"):
        return False
    if type(verdict) is not bool and verdict is not NotImplemented:
        raise RefusedError(
            f"the student's {name} gave a {type(verdict).__name__} where a bool is due: compare "
            "plain values"
        )
    return verdict


def truth(self: Any) -> bool:
    """Return what a student's object counts as in `if`, `while`, `not` and `assert`."""
    kind, beliefs = self._kind_, self._beliefs_
    if beliefs is None:
        return True
    if kind.base is not None and kind.inherited & {"__bool__", "__len__"}:
        return bool(contents(self))
    if beliefs.describes(kind):
        for name in ("__bool__", "__len__"):
            if isinstance(own := beliefs.own(kind.names, name), types.FunctionType):
                return bool(run_here(own)(self))
        methods = beliefs.methods(kind.names)
        if "__bool__" in methods:
            return bool(decided(self, "__bool__"))
        if "__len__" not in methods:
            return True
        self._peer_.decided.add(DECIDING["__len__"])
        return len(self) > 0
    if kind.always_true:
        return True
    library = beliefs.listed(kind)
    if library is not None and not hasattr(library, "__bool__"):
        return len(self) > 0 if hasattr(library, "__len__") else True
    raise RefusedError(
        f"a student's {self._name_()} has no truth value here: compare a plain value, for "
        "example len(x) > 0 or x is not None"
    )


def hashed(self: Any) -> int:
    """Return a hash that agrees with `equal`, without asking the other side."""
    kind, beliefs = self._kind_, self._beliefs_
    if not kind.own_eq or beliefs is None:
        return id(self)
    if "__hash__" in kind.inherited and kind.base in FIXED_CONTENTS:
        return hash(self._peer_.contents(self))
    rules = beliefs.rules(kind)
    if rules is not None and not rules.hashable and not self._peer_.talking:
        raise TypeError(f"unhashable type: '{self._name_()}'")
    return hash(kind.names[0])


def contents(self: Any) -> Any:
    """Return the contents of an object of a student's subclass of a builtin class."""
    return self._peer_.contents(self)


def plain(value: Any) -> Any:
    """Return a value as it is; of a student's object with contents, these."""
    kind = getattr(type(value), "_kind_", None)
    return contents(value) if kind is not None and kind.inherited else value


def on_contents(name: str) -> Callable[..., Any]:
    """Return a special method that the judge computes from an object's contents."""

    def operate(self: Any, *args: Any) -> Any:
        own = contents(self)
        return getattr(type(own), name)(own, *map(plain, args))

    return operate


def joined(self: Any, other: Any) -> Any:
    """Return `other + self` for texts, lists and tuples, which have no `__radd__`."""
    return other + contents(self)


def fields_equal(self: Any, other: Any, rules: FieldRules) -> bool:
    """Compare two objects of a student's dataclass field by field."""
    ours, theirs = _fields(self, rules), _fields(other, rules)
    return all(a is b or bool(a == b) for a, b in zip(ours, theirs, strict=True))


def by_fields(name: str, rules: FieldRules) -> Callable[..., Any]:
    """Return an ordering that compares the fields of two objects of a student's dataclass."""

    def compare(self: Any, other: Any) -> Any:
        if type(other) is not type(self):
            return NotImplemented
        return _ORDERS[name](_fields(self, rules), _fields(other, rules))

    return compare


def _fields(self: Any, rules: FieldRules) -> tuple[Any, ...]:
    """Return the values of the fields that the instructor's dataclass compares.

    Raises:
        RefusedError: a field is missing.
    """
    try:
        return tuple(getattr(self, name) for name in rules.compared)
    except AttributeError as error:
        raise RefusedError(
            f"== on a student's {self._name_()} compares the fields {', '.join(rules.compared)}, "
            f"and one is missing ({error}): compare attributes"
        ) from None


def found_in_a_loop(self: Any, item: Any) -> bool:
    """Return whether a loop over a library's container finds an item."""
    return any(part is item or bool(part == item) for part in self)


def deciding_operator(name: str, kind: Kind, beliefs: Beliefs) -> Callable[..., Any] | None:
    """Return the rule for an operator that needs no request of the student's method, or None."""
    if name in kind.inherited and not name.startswith("__i"):
        return on_contents(name)
    rules = beliefs.rules(kind)
    if rules is not None and rules.ordered and name in _ORDERS:
        return by_fields(name, rules)
    if name == "__contains__" and "__iter__" in kind.dunders and beliefs.listed(kind) is not None:
        return found_in_a_loop
    return None
