"""Who owns a name in a test: the test, the instructor's notebook, Python, or the student.

`Notebook` reads the instructor's source once. `Names` is the namespace in which tests run. It
resolves a name in this order: what tests bound, what the instructor's imports, defs, classes and
immutable constants bind, builtins, and only then the student's namespace.
"""

from __future__ import annotations

import ast
import builtins
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import torch
from IPython.core.inputtransformer2 import TransformerManager

from autograder.judge.errors import JudgeError
from autograder.judge.policy import SETTINGS
from autograder.judge.stand_ins import Remote
from autograder.judge.tensor import RemoteTensor

_CONSTANT = (
    ast.Constant,
    ast.Tuple,
    ast.UnaryOp,
    ast.unaryop,
    ast.BinOp,
    ast.operator,
    ast.expr_context,
)
_BINDING = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_PLAIN = (type(None), bool, int, float, str, bytes, complex)
_DATA = (Remote, np.generic, np.ndarray, torch.Tensor)


def parse(source: str) -> ast.Module:
    """A cell's statements; magics are transformed as in a notebook.

    Raises:
        SyntaxError: the cell isn't Python, or too deep or long for its parser.
    """
    try:
        return ast.parse(TransformerManager().transform_cell(source))
    except (ValueError, RuntimeError, MemoryError) as error:
        raise SyntaxError(f"this cell can't be read: {error}") from None


@dataclass
class Notebook:
    """What the instructor's source notebook says about names.

    Attributes:
        given: For each non-test cell, by position, the statements that the judge runs itself.
        crossing: Names that the non-test cells bind, solutions included: a test that binds or
            deletes one of them means the student's.
        defined: The methods of each class that the judge can't run itself, because it is (partly)
            the student's to write, and whether the instructor's own gives an object.
        protected: Names that the given statements bind: never the student's.
        state: Names that a function declares `global`: always the student's, even if a test binds
            them, because calls change them.
        solutions: Classes and functions that the student writes.
    """

    given: dict[int, list[ast.stmt]] = field(default_factory=dict)
    crossing: set[str] = field(default_factory=set)
    defined: dict[str, dict[str, bool]] = field(default_factory=dict)
    protected: set[str] = field(default_factory=set)
    solutions: set[str] = field(default_factory=set)
    state: set[str] = field(default_factory=set)
    _assigned: dict[str, ast.expr] = field(default_factory=dict)

    @classmethod
    def read(cls, cells: list[Any]) -> Notebook:
        """Read the code cells of a source notebook; a cell that isn't Python gives nothing."""
        notebook = cls()
        for position, cell in enumerate(cells):
            if cell["cell_type"] != "code" or is_test(cell):
                continue
            try:
                tree = parse(cell["source"])
            except SyntaxError:
                continue
            is_solution = bool(_nbgrader(cell).get("solution"))
            notebook._add(position, cell["source"], tree, is_solution=is_solution)
        return notebook

    def _add(self, position: int, source: str, tree: ast.Module, *, is_solution: bool) -> None:
        lines = region(source, "SOLUTION")
        if is_solution and not lines:
            lines = set(range(1, source.count("\n") + 2))  # nbgrader clears the whole cell
        for node in tree.body:
            bound = set(_bound(node))
            self.crossing |= bound
            given = False
            if lines.isdisjoint(range(node.lineno, (node.end_lineno or node.lineno) + 1)):
                given = _is_given(node, only_imports=is_solution)
                if given:
                    self.given.setdefault(position, []).append(node)
                    self.protected |= bound
                elif (setting := self._setting(node)) is not None:
                    self.given.setdefault(position, []).append(setting)
            elif isinstance(node, _BINDING[2:]):
                self.solutions.add(node.name)
            for child in ast.walk(node):
                if isinstance(child, ast.ClassDef) and not given:
                    self.defined[child.name] = _methods(child)
                elif isinstance(child, ast.Global):
                    self.state |= set(child.names)
        self.protected -= self.solutions

    def _setting(self, node: ast.stmt) -> ast.stmt | None:
        """A setting of the whole process, in terms of the instructor's own names; else None.

        `device` in `torch.set_default_device(device)` stands for what the instructor's cell binds
        it to, because the name itself is the student's.
        """
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            self._assigned[node.targets[0].id] = node.value
        if isinstance(node, ast.If):
            settings = [self._setting(part) for part in node.body]
            others = [self._setting(part) for part in node.orelse]
            if not self._is_own(node.test) or None in settings + others:
                return None
            made = ast.If(node.test, cast(list[ast.stmt], settings), cast(list[ast.stmt], others))
            return ast.copy_location(made, node)
        if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
            return None
        call = copy.deepcopy(node.value)
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in SETTINGS:
            return None
        call.args = [self._assigned.get(getattr(arg, "id", ""), arg) for arg in call.args]
        return ast.copy_location(ast.Expr(call), node) if self._is_own(call) else None

    def _is_own(self, node: ast.expr) -> bool:
        names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        return names <= self.protected


def region(source: str, word: str) -> set[int]:
    """The lines between `### BEGIN word` and `### END word`, markers included."""
    lines: set[int] = set()
    inside = False
    for number, line in enumerate(source.splitlines(), 1):
        inside = inside or f"BEGIN {word}" in line
        if inside:
            lines.add(number)
        if f"END {word}" in line:
            inside = False
    return lines


def is_test(cell: Any) -> bool:
    """Whether nbgrader marks this cell by running it."""
    meta = _nbgrader(cell)
    return bool(meta.get("grade") and not meta.get("solution") and cell["cell_type"] == "code")


def _nbgrader(cell: Any) -> Any:
    return cell.get("metadata", {}).get("nbgrader", {})


def _is_given(node: ast.stmt, *, only_imports: bool) -> bool:
    if isinstance(node, ast.If | ast.Try):
        return all(
            isinstance(part, ast.Pass) or _is_given(part, only_imports=True)
            for part in _statements(node)
        )
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if only_imports:
        return False
    if isinstance(node, ast.Assign | ast.AnnAssign):
        return node.value is not None and all(
            isinstance(part, _CONSTANT) for part in ast.walk(node.value)
        )
    return isinstance(node, _BINDING)


def _statements(node: ast.If | ast.Try) -> Iterator[ast.stmt]:
    yield from node.body
    yield from node.orelse
    if isinstance(node, ast.Try):
        yield from node.finalbody
        for handler in node.handlers:
            yield from handler.body


def _bound(node: ast.AST) -> Iterator[str]:
    """Names that a statement binds at the top level of its cell."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.ExceptHandler | ast.withitem | ast.match_case):
            yield from _bound(child)
        else:
            yield from _stored(child)
    if isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0]


def _stored(node: ast.AST) -> Iterator[str]:
    for child in ast.walk(node):
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield child.id


def _methods(node: ast.ClassDef) -> dict[str, bool]:
    """A class's methods, and whether each gives an object as it is written."""
    methods = {
        part.name: _gives_object(part) for part in node.body if isinstance(part, ast.FunctionDef)
    }
    for part in node.body:  # __rmul__ = __mul__
        if isinstance(part, ast.Assign):
            same = part.value.id if isinstance(part.value, ast.Name) else ""
            methods |= dict.fromkeys(_stored(part), methods.get(same, False))
    return methods


def _gives_object(function: ast.FunctionDef) -> bool:
    """Whether a method returns what it makes by a call of a class, or its own object."""
    made = {"self", "other"}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and _is_made(node.value, made):
            made |= set(_stored(node))
    returned = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
    return any(value is not None and _is_made(value, made) for value in returned)


def _is_made(value: ast.expr, made: set[str]) -> bool:
    if isinstance(value, ast.Name):
        return value.id in made
    if not isinstance(value, ast.Call):
        return False
    match value.func:
        case ast.Name(name):
            return name[:1].isupper() or name == "cls"
        case ast.Call(ast.Name("type")) | ast.Attribute(_, "__class__"):
            return True
    return False


class Names(dict[str, Any]):
    """The namespace of the test cells.

    Args:
        notebook: What the instructor's source says.
        bound: Whether the student's namespace has a name.
        fetch: A name's value in the student's namespace; NameError if there is none.
    """

    def __init__(
        self, notebook: Notebook, bound: Callable[[str], bool], fetch: Callable[[str], Any]
    ) -> None:
        super().__init__()
        self._notebook = notebook
        self._bound = bound
        self._fetch = fetch
        self._crossing: dict[str, list[Any]] = {}
        self._put_back: set[str] = set()
        self._found: dict[str, Remote] = {}
        self.failed: dict[str, Exception] = {}
        self.visible = False
        self.given = True
        self._builtins = _Builtins(self.find)
        super().__setitem__("__builtins__", self._builtins)
        super().__setitem__("__name__", "__main__")
        super().__setitem__("__doc__", None)

    def add_builtins(self, **objects: Any) -> None:
        """Give tests more than Python's builtins; never the student's to bind."""
        self._builtins.update(objects)

    def own(self, name: str) -> Any:
        """A name that tests or the instructor's notebook bound, or None."""
        return super().get(name)

    def find(self, name: str) -> Any:
        """A name's value in the student's namespace.

        Raises:
            KeyError: the student has no such name, or it is not theirs to bind.
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
        if issubclass(type(value), Remote):  # else it is a copy, which is out of date at once
            self._found[name] = value
        return value

    def forget(self, name: str) -> None:
        """Fetch a name again when it is next looked up."""
        self._found.pop(name, None)

    def take_crossing(self) -> dict[str, list[Any]]:
        """Names to bind ([value]) or to delete ([]) in the student's namespace, told once.

        What only a test binds goes as a copy: the student's code must not change a test's `want`.
        """
        crossing, self._crossing = self._crossing, {}
        theirs = self._notebook.crossing | self._notebook.state
        return {
            name: value if name in theirs else [copied(item) for item in value]
            for name, value in crossing.items()
        }

    def put_back(self, crossing: dict[str, list[Any]]) -> None:
        """Tell these names again: the message that was to tell them was never sent."""
        again = {name: value for name, value in crossing.items() if name not in self._put_back}
        self._put_back |= again.keys()  # once: if it is the reason why, no later call is to fail
        self._crossing = again | self._crossing

    def __setitem__(self, name: str, value: Any) -> None:
        self.forget(name)
        self._put_back.discard(name)
        if self.given or name not in self._notebook.state:
            super().__setitem__(name, value)
        if not self.given and (
            name in self._notebook.crossing | self._notebook.state
            or (self.visible and is_plain(value))
        ):
            self._crossing[name] = [value]

    def __delitem__(self, name: str) -> None:
        mine = super().__contains__(name)
        theirs = name in self._notebook.crossing or not mine
        if not mine and not self._bound(name):
            raise KeyError(name)
        self.forget(name)
        if mine:
            super().__delitem__(name)
        if theirs or name in self._crossing:
            self._crossing[name] = []

    def __missing__(self, name: str) -> Any:
        if name in self._builtins:
            raise KeyError(name)  # Python looks there next
        return self.find(name)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (
            isinstance(name, str)
            and name not in self._builtins
            and name not in self._notebook.protected
            and self._bound(name)
        )

    def get(self, name: str, default: Any = None) -> Any:
        """The name's value, the student's too, or the default."""
        try:
            return self[name]
        except KeyError:
            return default


class _Builtins(dict[str, Any]):
    """Builtins for the tests' code: what they lack is looked for in the student's namespace.

    It has to be the builtins, not the globals: a class body looks names up in its globals without
    asking a subclass's `__missing__`.
    """

    def __init__(self, find: Callable[[str], Any]) -> None:
        super().__init__(vars(builtins))
        self._find = find

    def __missing__(self, name: str) -> Any:
        return self._find(name)


def is_plain(value: Any) -> bool:
    """Whether a value is data, or stands for something of the student's."""
    kinds = {type(leaf) for leaf in _leaves(value)}
    return all(kind in _PLAIN or issubclass(kind, _DATA) for kind in kinds)


def copied(value: Any) -> Any:
    """A copy of plain data, in which what stands for something of the student's is the same."""
    memo = {}
    for leaf in _leaves(value):
        if issubclass(type(leaf), Remote | RemoteTensor):
            memo[id(leaf)] = leaf
        elif isinstance(leaf, torch.Tensor):  # deepcopy takes none with a history
            memo[id(leaf)] = leaf.detach().clone().requires_grad_(leaf.requires_grad)
    return copy.deepcopy(value, memo)


def _leaves(value: Any) -> Iterator[Any]:
    """What is in a value's lists, dicts, tuples and sets, or the value itself."""
    waiting, seen = [value], set()
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if kind not in (list, tuple, set, frozenset, dict):
            yield item
        elif id(item) not in seen:
            seen.add(id(item))
            waiting.extend(item)
            if kind is dict:
                waiting.extend(item.values())
