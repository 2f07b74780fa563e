"""Finds the tests that a changed solution cell can affect, by names that are bound and read.

`verify` grades hundreds of solutions that differ from the reference in a cell or two. A test isn't
run again if it reads nothing that was changed, directly or through other cells, because its result
is the same as for the reference.
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
    """How a statement at the top level of a cell uses the notebook's names.

    Attributes:
        reads: names that it looks up, also by a string, as in `globals()["x"]`.
        binds: names that it gives a value.
        fixed: whether the value can't change: a definition, a number, a string.
        acts: whether it does more than bind names, so that it may change anything.
    """

    reads: frozenset[str]
    binds: frozenset[str]
    fixed: bool
    acts: bool


def unreached(cells: Sequence[NotebookNode], changed: Collection[str]) -> frozenset[str]:
    """The ids of the tests that can't notice a change.

    Args:
        cells: a notebook's cells; changed cells in their new form.
        changed: ids of the cells that differ from the reference.

    Returns:
        The ids of the tests that read nothing changed and bind no name that another cell needs.
        None at all if a changed cell does more than bind names, or a cell isn't Python.
    """
    try:
        read = [(cell, _read(cell.source)) for cell in cells if cell.cell_type == "code"]
    except SyntaxError:
        return frozenset()
    every = [statement for _, statements in read for statement in statements]
    data = frozenset[str]().union(*(item.binds for item in every if not item.fixed))
    touched: frozenset[str] = frozenset()
    same: set[str] = set()
    for cell, statements in read:
        is_changed = reached = grade_id(cell) in changed
        if is_changed and any(statement.acts for statement in statements):
            return frozenset()
        for statement in statements:
            # A reached statement may raise an error, and then the rest of its cell doesn't run.
            reached = reached or not touched.isdisjoint(statement.reads)
            if reached:  # it may change an object that it reads: `seen.append(x)`
                touched |= statement.binds | (statement.reads & data)
        name = _test(cell)
        if name and not reached:
            same.add(name)
    return frozenset(same - _needed(read, same))


def spare(cells: Sequence[NotebookNode], kept: Collection[str]) -> frozenset[str]:
    """The ids of the tests that can be left out if only the tests `kept` matter.

    Args:
        cells: a notebook's cells.
        kept: ids of the tests to keep.

    Returns:
        The ids of the other tests, without tests that bind a name which a later cell reads; none
        if a cell isn't Python.
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
    """The tests of `same` that bind a name, such as a helper's, which a later cell reads."""
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


@functools.cache  # hundreds of solutions share most of their cells
def _read(source: str) -> tuple[_Statement, ...]:
    return tuple(map(_statement, ast.parse(TransformerManager().transform_cell(source)).body))


def _statement(node: ast.stmt) -> _Statement:
    scopes = list(_scopes(symtable.symtable(ast.unparse(node), "<cell>", "exec")))
    top, names = (
        scopes[0].get_symbols(),
        [symbol for scope in scopes for symbol in scope.get_symbols()],
    )
    reads = {symbol.get_name() for symbol in names if symbol.is_referenced() and symbol.is_global()}
    reads |= {symbol.get_name() for symbol in top if symbol.is_referenced()}
    reads |= {str(part.value) for part in ast.walk(node) if isinstance(part, ast.Constant)}
    binds = {symbol.get_name() for symbol in names if symbol.is_declared_global()}
    binds |= {symbol.get_name() for symbol in top if symbol.is_assigned() or symbol.is_imported()}
    return _Statement(frozenset(reads), frozenset(binds), _is_fixed(node), _is_act(node))


def _scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    """The scope of a statement, and the scopes of the functions and classes in it."""
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
