"""What the instructor's notebook says about names: their owner, and what the judge itself runs."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from IPython.core.inputtransformer2 import TransformerManager

from autograder.cells import Region, is_solution, is_test, region_lines
from autograder.judge.objects.kinds import FieldRules
from autograder.judge.policy import SETTINGS

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


def parse(source: str) -> ast.Module:
    """Return a cell's statements; magics are transformed as in a notebook.

    Raises:
        SyntaxError: the cell isn't Python, or is too deep or too long for the parser.
    """
    try:
        return ast.parse(TransformerManager().transform_cell(source))
    except (ValueError, RuntimeError, MemoryError) as error:
        raise SyntaxError(f"this cell can't be read: {error}") from None


@dataclass
class Notebook:
    """What the instructor's source notebook says about names.

    Attributes:
        given: for each non-test cell, by position, the statements that the judge itself runs.
        crossing: names that the non-test cells bind, solutions included. A test that binds or
            deletes such a name means the student's.
        defined: the methods of each class that the judge can't run because the student writes (a
            part of) it, and whether the instructor's version of the method gives an object.
        protected: names that the given statements bind; they are never the student's.
        state: names that a function declares `global`. They are always the student's, even if a
            test binds them, because calls change them.
        solutions: classes and functions that the student writes.
        binds: for each non-test cell, by position, the names that the student's process binds.
        docstrings: the docstring of each function, class and method, by its qualified name.
        dataclasses: of these classes, what the instructor's `@dataclass` makes of them.
    """

    given: dict[int, list[ast.stmt]] = field(default_factory=dict)
    crossing: set[str] = field(default_factory=set)
    defined: dict[str, dict[str, bool]] = field(default_factory=dict)
    protected: set[str] = field(default_factory=set)
    solutions: set[str] = field(default_factory=set)
    state: set[str] = field(default_factory=set)
    binds: dict[int, set[str]] = field(default_factory=dict)
    docstrings: dict[str, str] = field(default_factory=dict)
    dataclasses: dict[str, FieldRules] = field(default_factory=dict)
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
            notebook._add(position, cell["source"], tree, is_solution=is_solution(cell))
        return notebook

    def _add(self, position: int, source: str, tree: ast.Module, *, is_solution: bool) -> None:
        lines = region_lines(source, Region.SOLUTION)
        if is_solution and not lines:
            lines = set(range(1, source.count("\n") + 2))  # nbgrader clears the whole cell
        for node in tree.body:
            bound = set(_bound(node))
            self.crossing |= bound
            given = False
            if lines.isdisjoint(range(node.lineno, (node.end_lineno or node.lineno) + 1)):
                given = _is_given(node, only_imports=is_solution) and self._binds_its_own(node)
                if given:
                    self.given.setdefault(position, []).append(node)
                    self.protected |= bound
                elif (setting := self._setting(node)) is not None:
                    self.given.setdefault(position, []).append(setting)
            elif isinstance(node, _BINDING[2:]):
                self.solutions.add(node.name)
            if not given:
                self.binds.setdefault(position, set()).update(bound)
            self.docstrings |= dict(_docstrings(node))
            for child in ast.walk(node):
                if isinstance(child, ast.ClassDef) and not given:
                    self.defined[child.name] = _methods(child)
                    if (rules := _field_rules(child, self.dataclasses)) is not None:
                        self.dataclasses[child.name] = rules
                elif isinstance(child, ast.Global):
                    self.state |= set(child.names)
        self.protected -= self.solutions

    def _setting(self, node: ast.stmt) -> ast.stmt | None:
        """Return a setting of the whole process, in terms of the instructor's own names, or None.

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
            setting = ast.If(
                node.test, cast(list[ast.stmt], settings), cast(list[ast.stmt], others)
            )
            return ast.copy_location(setting, node)
        if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
            return None
        call = copy.deepcopy(node.value)
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in SETTINGS:
            return None
        call.args = [self._assigned.get(getattr(arg, "id", ""), arg) for arg in call.args]
        return ast.copy_location(ast.Expr(call), node) if self._is_own(call) else None

    def _binds_its_own(self, node: ast.stmt) -> bool:
        """Whether a statement changes no object that may be the student's: `config["lr"] = 0.1`."""
        targets = [*getattr(node, "targets", ()), *filter(None, [getattr(node, "target", None)])]
        return all(
            self._is_own(part)
            for target in targets
            for part in ast.walk(target)
            if isinstance(part, ast.Attribute | ast.Subscript)
        )

    def _is_own(self, node: ast.expr) -> bool:
        names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        return names <= self.protected


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
    """Yield the names that a statement binds at the top level of its cell."""
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


def _docstrings(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, str]]:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return
    if text := ast.get_docstring(node, clean=False):
        yield prefix + node.name, text
    for part in node.body if isinstance(node, ast.ClassDef) else ():
        yield from _docstrings(part, f"{prefix}{node.name}.")


def names_bound(node: ast.stmt) -> set[str]:
    """Return the names that a statement binds at the top level of its cell."""
    return set(_bound(node))


def _stored(node: ast.AST) -> Iterator[str]:
    for child in ast.walk(node):
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield child.id


def _methods(node: ast.ClassDef) -> dict[str, bool]:
    """Return a class's methods, and whether each method, as written, gives an object."""
    methods = {
        part.name: _gives_object(part) for part in node.body if isinstance(part, ast.FunctionDef)
    }
    for part in node.body:  # __rmul__ = __mul__
        if isinstance(part, ast.Assign):
            original = part.value.id if isinstance(part.value, ast.Name) else ""
            methods |= dict.fromkeys(_stored(part), methods.get(original, False))
    if any(_last_name(decorator) == "total_ordering" for decorator in node.decorator_list):
        methods |= dict.fromkeys(("__lt__", "__le__", "__gt__", "__ge__"), False)
    return methods


def _field_rules(node: ast.ClassDef, known: dict[str, FieldRules]) -> FieldRules | None:
    """Return what `@dataclass` makes of a class; None without it, or with an `==` of its own."""
    options: dict[str, Any] = {}
    for decorator in node.decorator_list:
        call = decorator if isinstance(decorator, ast.Call) else None
        if _last_name(call.func if call else decorator) == "dataclass":
            options = {"eq": True} | _constants(call)
    if not options.get("eq") or "__eq__" in _methods(node):
        return None
    compared: list[str] = []
    for base in reversed(node.bases):
        if (rules := known.get(_last_name(base))) is not None:
            compared += [name for name in rules.compared if name not in compared]
    for part in node.body:
        if not isinstance(part, ast.AnnAssign) or not isinstance(part.target, ast.Name):
            continue
        kind = part.annotation
        whole = kind.value if isinstance(kind, ast.Subscript) else kind
        is_field = isinstance(part.value, ast.Call) and _last_name(part.value.func) == "field"
        marks = _constants(part.value) if is_field else {}
        if _last_name(whole) in ("ClassVar", "InitVar") or not marks.get("compare", True):
            continue
        compared += [] if part.target.id in compared else [part.target.id]
    hashable = bool(options.get("frozen") or options.get("unsafe_hash"))
    return FieldRules(tuple(compared), bool(options.get("order")), hashable)


def _constants(call: ast.AST | None) -> dict[str, Any]:
    """Return the keyword arguments of a call that are constants."""
    if not isinstance(call, ast.Call):
        return {}
    return {
        keyword.arg: keyword.value.value
        for keyword in call.keywords
        if keyword.arg and isinstance(keyword.value, ast.Constant)
    }


def _last_name(node: ast.AST) -> str:
    return str(getattr(node, "id", "") or getattr(node, "attr", ""))


def _gives_object(function: ast.FunctionDef) -> bool:
    """Return whether a method returns an object that a class made, or its own object."""
    objects = {"self", "other"}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and _is_made(node.value, objects):
            objects |= set(_stored(node))
    returned = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
    return any(value is not None and _is_made(value, objects) for value in returned)


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
