"""Who owns a name in a test: the test, the instructor's notebook, Python, or the student.

`Names` is the namespace in which tests run. It looks a name up in this order: names that tests
bound; names that the instructor's imports, defs, classes and immutable constants bind; builtins;
and only then the student's namespace.
"""

from __future__ import annotations

import builtins
import copy
from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, ValuesView
from types import ModuleType
from typing import Any

import numpy as np
import torch

from autograder.judge.around.patches import MISSING, guarded
from autograder.judge.errors import JudgeError
from autograder.judge.notebook.source import Notebook
from autograder.judge.objects.stand_ins import Remote
from autograder.judge.objects.tensor import RemoteTensor

_PLAIN = (type(None), bool, int, float, str, bytes, complex)
_DATA = (Remote, np.generic, np.ndarray, torch.Tensor)
# IPython's own names in the student's namespace.
_SHELLS = frozenset({"In", "Out", "exit", "quit", "get_ipython"})


class Names(dict[str, Any]):
    """The namespace of the test cells.

    Args:
        notebook: what the instructor's source says about names.
        bound: the function that tells whether the student's namespace has a name.
        fetch: the function that gives a name's value in the student's namespace, and raises
            NameError if there is no such name.
        listed: the function that lists the names in the student's namespace.
    """

    def __init__(
        self,
        notebook: Notebook,
        bound: Callable[[str], bool],
        fetch: Callable[[str], Any],
        listed: Callable[[], list[str]] = list,
    ) -> None:
        super().__init__()
        self._notebook = notebook
        self._bound = bound
        self._fetch = fetch
        self._listed = listed
        self._lent: set[str] = set()  # names of tests alone that the student's code sees, too
        self._crossing: dict[str, list[Any]] = {}
        self._put_back: set[str] = set()
        self._found: dict[str, Remote] = {}
        self.failed: dict[str, Exception] = {}
        self.visible = False
        self.given = True
        self._builtins = _Builtins(self.find, set().union(*notebook.binds.values()))
        super().__setitem__("__builtins__", self._builtins)
        super().__setitem__("__name__", "__main__")
        super().__setitem__("__doc__", None)

    def add_builtins(self, **objects: Any) -> None:
        """Add builtins for tests; a test never gets a student's value of such a name."""
        self._builtins.update(objects)

    def show_builtin(self, name: str, value: Any) -> None:
        """Let tests see a builtin that a test patched, or the usual one again for `MISSING`."""
        self._builtins.show(name, value)

    def rebound(self, names: Iterable[str]) -> None:
        """Forget what tests bound to these names: one of the instructor's cells binds them anew.

        From there on the student's value is meant.
        """
        for name in names:
            if super().__contains__(name):
                self.forget(name)
                super().__delitem__(name)
                self._lent.discard(name)

    def shadows(self) -> set[str]:
        """Return the builtins that tests have replaced by a name of their own."""
        return self._lent & vars(builtins).keys()

    def unshadow(self, before: set[str]) -> None:
        """Take away the replacements that a failed test made, those that aren't in `before`."""
        for name in self.shadows() - before:
            del self[name]

    def own(self, name: str) -> Any:
        """Return the value of a name that tests or the instructor's notebook bound, or None."""
        return super().get(name)

    def known(self, name: str) -> Any:
        """Return the value of a name that a student's code may know, or None.

        It may know what the instructor's notebook binds, and libraries' modules and classes by
        their own names. Any other name of a test's may be the answer.
        """
        value = self.own(name)
        if name in self._notebook.protected or isinstance(value, ModuleType):
            return value
        if isinstance(value, type) and value.__module__ != "__main__" and value.__name__ == name:
            return value
        return None

    def is_tests(self, name: str) -> bool:
        """Return whether a name means a test's value or the notebook's, and not the student's."""
        return super().__contains__(name) or name in self._notebook.protected

    def find(self, name: str) -> Any:
        """Return a name's value in the student's namespace.

        Raises:
            KeyError: the student has no such name, or a student may not bind it.
            JudgeError: the instructor's own statement that binds the name failed.
        """
        if name in self.failed:
            error = self.failed[name]
            raise JudgeError(
                f"the instructor's own {name} can't be made here: {type(error).__name__}: {error}"
            )
        if name in self._notebook.protected:
            raise KeyError(name)
        if name in self._found:
            return self._found[name]
        try:
            value = self._fetch(name)
        except NameError:
            raise KeyError(name) from None
        if issubclass(type(value), Remote):  # any other value is a copy, soon out of date
            self._found[name] = value
        return value

    def forget(self, name: str) -> None:
        """Fetch a name again when it is next looked up."""
        self._found.pop(name, None)

    def take_crossing(self) -> dict[str, list[Any]]:
        """Return, once, names to bind ([value]) or to delete ([]) in the student's namespace.

        If only a test binds a name, its value goes as a copy, because the student's code must not
        change a test's `want`.
        """
        crossing, self._crossing = self._crossing, {}
        shared = self._notebook.crossing | self._notebook.state
        return {
            name: value if name in shared else [copied(item) for item in value]
            for name, value in crossing.items()
        }

    def put_back(self, crossing: dict[str, list[Any]]) -> None:
        """Send these names again, because the message that carried them was never sent."""
        unsent = {name: value for name, value in crossing.items() if name not in self._put_back}
        self._put_back |= (
            unsent.keys()
        )  # only once: a name that made the message fail would fail it again
        self._crossing = unsent | self._crossing

    def __setitem__(self, name: str, value: Any) -> None:
        self.forget(name)
        self._put_back.discard(name)
        if self.given or name not in self._notebook.state:
            super().__setitem__(name, value)
        if self.given:
            return
        if name in self._notebook.crossing or name in self._notebook.state:
            self._crossing[name] = [value]
        elif name in vars(builtins) and (callable(value) or value is None):
            self._lent.add(name)
            self._crossing[name] = [self._while_bound(name, value)]
        elif self.visible and is_plain(value):
            self._lent.add(name)
            self._crossing[name] = [value]
        elif name in self._lent:
            self._lent.discard(name)
            self._crossing[name] = []

    def _while_bound(self, name: str, value: Any) -> Any:
        if value is None or issubclass(type(value), Remote):
            return value
        return guarded(value, name, lambda: self.own(name) is value)

    def replace(self, name: str, value: Any) -> None:
        """Bind a name of the student's for the student's code too: `mock.patch("__main__.f")`."""
        is_students = name not in self._notebook.protected and (
            not super().__contains__(name) or name in self._notebook.crossing
        )
        if not is_students or not self._bound(name):
            self[name] = value
            return
        self.forget(name)
        if issubclass(type(value), Remote):  # the student's own again
            super().pop(name, None)
            self._lent.discard(name)
            self._crossing[name] = [value]
        else:
            super().__setitem__(name, value)
            self._lent.add(name)
            self._crossing[name] = [self._while_bound(name, value) if callable(value) else value]

    def __delitem__(self, name: str) -> None:
        is_bound_here = super().__contains__(name)
        is_students = name in self._notebook.crossing or not is_bound_here
        if not is_bound_here and not self._bound(name):
            raise KeyError(name)
        self.forget(name)
        if is_bound_here:
            super().__delitem__(name)
        if is_students or name in self._lent:
            self._lent.discard(name)
            self._crossing[name] = []

    def __missing__(self, name: str) -> Any:
        if name in self._builtins:
            raise KeyError(name)  # Python looks in the builtins next
        return self.find(name)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (
            isinstance(name, str)
            and name not in self._builtins
            and name not in self._notebook.protected
            and self._bound(name)
        )

    def get(self, name: str, default: Any = None) -> Any:
        """Return the name's value, also from the student's namespace, or the default."""
        try:
            return self[name]
        except KeyError:
            return default

    # What a loop over `globals()`, `dir()` and `vars()` shows: the test's names and the student's.

    def _all(self) -> list[str]:
        own = list(super().keys())
        theirs = (
            name
            for name in self._listed()
            if name.isidentifier()
            and name[0] != "_"
            and name not in self._builtins
            and name not in self._notebook.protected
            and name not in _SHELLS
        )
        return list(dict.fromkeys([*own, *theirs]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def keys(self) -> KeysView[str]:  # type: ignore[override]
        """Return the names, the student's included."""
        return dict.fromkeys(self._all()).keys()

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]
        """Return names and values, without a value of the student's that can't cross."""
        return self.copy().items()

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        """Return the values, as in `items`."""
        return self.copy().values()

    def copy(self) -> dict[str, Any]:
        """Return a plain dict of `items`."""
        pairs = {}
        for name in self._all():
            try:
                pairs[name] = self[name]
            except (KeyError, TypeError):
                continue
        return pairs

    def owned(self) -> dict[str, Any]:
        """Return a plain namespace that has the tests' names, and finds the student's too."""
        return {name: super(Names, self).__getitem__(name) for name in super().__iter__()}

    def names_of(self, remote: Any) -> list[str]:
        """Return the names by which tests have looked up this object of the student's."""
        return [name for name, value in self._found.items() if value is remote]


class _Builtins(dict[str, Any]):
    """Builtins for the tests' code, which look a missing name up in the student's namespace.

    The look-up is here, not in the globals, because a class body looks names up in its globals
    without calling a subclass's `__missing__`.
    """

    def __init__(self, find: Callable[[str], Any], students: set[str]) -> None:
        plain = vars(builtins)
        super().__init__({name: plain[name] for name in plain if name not in students})
        self._find = find
        self._usual: dict[str, Any] = {}

    def __missing__(self, name: str) -> Any:
        try:
            return self._find(name)
        except KeyError:
            return vars(builtins)[name]  # the student is to write a function of a builtin's name

    def show(self, name: str, value: Any) -> None:
        """Show tests another builtin; `MISSING` stands for the usual one."""
        self._usual.setdefault(name, self.get(name, MISSING))
        value = self._usual[name] if value is MISSING else value
        if value is MISSING:
            self.pop(name, None)
        else:
            self[name] = value

    # `__builtins__` is a module in a notebook.

    def __getattr__(self, name: str) -> Any:
        return getattr(builtins, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("_find", "_usual"):
            super().__setattr__(name, value)
        else:
            setattr(builtins, name, value)


def is_plain(value: Any) -> bool:
    """Return whether a value consists of data and stand-ins only."""
    kinds = {type(leaf) for leaf in _leaves(value)}
    return all(kind in _PLAIN or issubclass(kind, _DATA) for kind in kinds)


def copied(value: Any) -> Any:
    """Return a copy of plain data, in which stand-ins are the same objects."""
    memo = {}
    for leaf in _leaves(value):
        if issubclass(type(leaf), Remote | RemoteTensor):
            memo[id(leaf)] = leaf
        elif isinstance(leaf, torch.Tensor):  # deepcopy refuses one with a history
            memo[id(leaf)] = leaf.detach().clone().requires_grad_(leaf.requires_grad)
    return copy.deepcopy(value, memo)


def _leaves(value: Any) -> Iterator[Any]:
    """Yield what is in a value's lists, dicts, tuples and sets, or the value itself."""
    waiting, seen = [value], set()
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if kind not in (list, tuple, set, frozenset, dict):
            yield item
            if kind is np.ndarray and item.dtype.hasobject and id(item) not in seen:
                seen.add(id(item))
                waiting.extend(item.ravel().tolist())
        elif id(item) not in seen:
            seen.add(id(item))
            waiting.extend(item)
            if kind is dict:
                waiting.extend(item.values())
