"""Which tests a changed solution cell can reach, by the names that statements bind and read.

`verify` grades hundreds of solutions that differ from the reference in a cell or two. A test that
reads nothing of what is changed, directly or through other cells, says of them what it says of
the reference, and isn't run again.
"""

from __future__ import annotations

import ast
import functools
import symtable
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from autograder.cells import grade_id, is_graded

_DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
_CONSTANT = (ast.Constant, ast.Tuple, ast.UnaryOp, ast.unaryop, ast.BinOp, ast.operator, ast.Load)


@dataclass(frozen=True)
class _Statement:
    """What a statement at the top of a cell does with the notebook's names.

    Attributes:
        reads: names that it looks up, also by a text, as in `globals()["x"]`.
        binds: names that it gives a value.
        fixed: what it binds stays as it is: a definition, a number, a text.
        acts: it does more than bind names, and so may change anything.
    """

    reads: frozenset[str]
    binds: frozenset[str]
    fixed: bool
    acts: bool


def unreached(cells: Sequence[NotebookNode], changed: Collection[str]) -> frozenset[str]:
    """The ids of the tests that can't notice a change.

    Args:
        cells: a notebook's cells, the changed ones in their new form.
        changed: ids of the cells that differ from the reference.

    Returns:
        The ids of all tests that read nothing that is changed, but for those that bind what is
        still needed; none if a changed cell does more than bind names, or a cell isn't Python.
    """
    try:
        read = [(cell, _read(cell.source)) for cell in cells if cell.cell_type == "code"]
    except SyntaxError:
        return frozenset()
    every = [statement for _, statements in read for statement in statements]
    data = frozenset[str]().union(*(one.binds for one in every if not one.fixed))
    touched: frozenset[str] = frozenset()
    same: set[str] = set()
    for cell, statements in read:
        is_changed = reached = grade_id(cell) in changed
        if is_changed and any(statement.acts for statement in statements):
            return frozenset()
        for statement in statements:
            # Where a statement is reached, it may raise, and those after it in its cell not run.
            reached = reached or not touched.isdisjoint(statement.reads)
            if reached:  # what it reads it may change, as by `seen.append(x)`
                touched |= statement.binds | (statement.reads & data)
        name = _test(cell)
        if name and not reached:
            same.add(name)
    return frozenset(same - _needed(read, same))


def spare(cells: Sequence[NotebookNode], kept: Collection[str]) -> frozenset[str]:
    """The ids of all tests but some, and but for those that bind what a cell after them reads.

    Args:
        cells: a notebook's cells.
        kept: ids of the tests that are to stay.

    Returns:
        The ids of the tests that can go; none if a cell isn't Python.
    """
    try:
        read = [(cell, _read(cell.source)) for cell in cells if cell.cell_type == "code"]
    except SyntaxError:
        return frozenset()
    others = {name for cell, _ in read if (name := _test(cell)) and name not in kept}
    return frozenset(others - _needed(read, others))


def _test(cell: NotebookNode) -> str | None:
    return grade_id(cell) if is_graded(cell) else None


def _needed(read: list[tuple[NotebookNode, tuple[_Statement, ...]]], same: set[str]) -> set[str]:
    """Which of some tests bind names, of a helper say, that a cell after them reads."""
    needed: set[str] = set()
    wanted: frozenset[str] = frozenset()
    for cell, statements in reversed(read):
        name = grade_id(cell)
        if name in same:
            if all(wanted.isdisjoint(statement.binds) for statement in statements):
                continue
            needed.add(name)
        wanted = wanted.union(*(statement.reads for statement in statements))
    return needed


@functools.cache  # hundreds of solutions have the same cells but for one or two
def _read(source: str) -> tuple[_Statement, ...]:
    return tuple(map(_statement, ast.parse(TransformerManager().transform_cell(source)).body))


def _statement(node: ast.stmt) -> _Statement:
    scopes = list(_scopes(symtable.symtable(ast.unparse(node), "<cell>", "exec")))
    top, names = scopes[0].get_symbols(), [one for scope in scopes for one in scope.get_symbols()]
    reads = {one.get_name() for one in names if one.is_referenced() and one.is_global()}
    reads |= {one.get_name() for one in top if one.is_referenced()}
    reads |= {str(part.value) for part in ast.walk(node) if isinstance(part, ast.Constant)}
    binds = {one.get_name() for one in names if one.is_declared_global()}
    binds |= {one.get_name() for one in top if one.is_assigned() or one.is_imported()}
    return _Statement(frozenset(reads), frozenset(binds), _is_fixed(node), _is_act(node))


def _scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    """The scope of a statement, and those of the functions and classes in it."""
    yield table
    for inner in table.get_children():
        yield from _scopes(inner)


def _is_fixed(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        return all(isinstance(part, _CONSTANT) for part in ast.walk(node.value))
    return isinstance(node, _DEFINES)


def _is_act(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assign):
        return not all(isinstance(target, ast.Name | ast.Tuple) for target in node.targets)
    return not isinstance(node, (*_DEFINES, ast.AnnAssign))
