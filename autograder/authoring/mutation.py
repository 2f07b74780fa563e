"""Makes the mutants of a solution cell.

A mutant is a change at one place of a solution region, or of all values that a function returns.
"""

from __future__ import annotations

import ast
import copy
import difflib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from autograder.authoring import wrong_values
from autograder.cells import Region, region_lines

_Change = tuple[str, ast.AST, ast.AST | str]  # operator, node, replacement

_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.MatMult: ast.Mult,
}
_COMPARISON: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_PAIRS = (
    "min max, amin amax, argmin argmax, minimum maximum, sum mean, floor ceil, any all, "
    "zeros ones, zeros_like ones_like, new_zeros new_ones"
)
_OPPOSITE = {
    name: other
    for pair in _PAIRS.split(", ")
    for name, other in (pair.split(), reversed(pair.split()))
}
_SYMMETRIC = {"min", "max", "minimum", "maximum", "transpose", "swapaxes", "add", "mul"}
_REMOVED = {"clone", "detach", "copy", "to", "astype", "double", "float", "int", "item", "abs"}
_LOOSE = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp)
_TIGHT = (*_LOOSE, ast.Attribute, ast.Subscript, ast.Call)


@dataclass(frozen=True)
class Mutant:
    """One small change of a solution cell.

    Attributes:
        cell: the cell's grade_id.
        operator: the kind of change.
        before: the changed lines before the change, joined to one line.
        after: the changed lines after the change, joined to one line.
        source: the source of the whole changed cell.
    """

    cell: str
    operator: str
    before: str
    after: str
    source: str

    @property
    def key(self) -> tuple[str, str, str]:
        """Identifies the mutant, even after an edit elsewhere in the cell."""
        return self.cell, self.before, self.after


def mutate(cell: str, source: str) -> Iterator[Mutant]:
    """Every mutant of a cell: of its solution regions, or of the whole cell if it has none."""
    tree = ast.parse(source)
    lines = region_lines(source, Region.SOLUTION) or set(range(1, source.count("\n") + 2))
    yield from _with_wrong_values(cell, source, tree, lines)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    changes = [
        change
        for node in ast.walk(tree)
        if getattr(node, "lineno", 0) in lines and not _in_text(node, parents)
        for operator in _OPERATORS
        for change in operator(node, parents)
    ]
    seen = {ast.dump(tree)}
    for name, node, new in sorted(changes, key=lambda change: _place(change[1])):
        text = new if isinstance(new, str) else ast.unparse(new)
        if isinstance(new, _LOOSE) and isinstance(parents[node], _TIGHT):
            text = f"({text})"
        changed = _splice(source, node, text)
        try:
            dump = ast.dump(ast.parse(changed))
        except SyntaxError:
            continue
        if dump not in seen:
            seen.add(dump)
            before, after = _difference(source, changed)
            yield Mutant(cell, name, before, after, changed)


# ── changes of returned values ──────────────────────────────────────────────────────────────────


def _unannotated(function: Callable[..., Any]) -> str:
    """A function's source without annotations, whose names a notebook doesn't import."""
    tree = ast.parse(inspect.getsource(function))
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.FunctionDef):
            node.returns = None
    return ast.unparse(tree)


_WRONG_VALUES = {
    decorator.__name__: _unannotated(decorator)
    for decorator in (
        wrong_values.truncation,
        wrong_values.sorting,
        wrong_values.reordering,
        wrong_values.caching,
        wrong_values.seeding,
    )
}
NOT_A_MUTANT = "not a mutant: "  # the returned value has nothing that could be changed


def _with_wrong_values(
    cell: str, source: str, tree: ast.Module, solved: set[int]
) -> Iterator[Mutant]:
    """The mutants that put a decorator of `wrong_values` on a function."""
    lines = source.splitlines()
    for function in _functions(tree):
        returned = [node for node in ast.walk(function) if isinstance(node, ast.Return)]
        if not any(node.value and node.lineno in solved for node in returned):
            continue
        index = function.lineno - 1
        indent = " " * function.col_offset
        before = one_line(lines[index])
        for name, text in _WRONG_VALUES.items():
            changed = [text, *lines[:index], f"{indent}@{name}", *lines[index:]]
            yield Mutant(cell, name, before, f"@{name} {before}", "\n".join(changed))


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Functions of the cell and methods of its classes, without nested functions."""
    for node in tree.body:
        for statement in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(statement, ast.FunctionDef):
                yield statement


# ── operators: an operator yields its changes of a node ─────────────────────────────────────────

Parents = dict[ast.AST, ast.AST]


def _arithmetic(node: ast.AST, _: Parents) -> Iterator[_Change]:
    match node:
        case ast.BinOp(op=ast.FloorDiv()):  # rounded up
            yield "arithmetic", node, ast.parse(f"-(-({_text(node.left)}) // {_tight(node.right)})",
                                                mode="eval").body  # fmt: skip
        case ast.BinOp() | ast.AugAssign() if type(node.op) in _ARITHMETIC:
            yield "arithmetic", node, _changed(node, op=_ARITHMETIC[type(node.op)]())
        case ast.UnaryOp(op=ast.USub(), operand=operand) if not isinstance(operand, ast.Constant):
            yield "arithmetic", node, operand
        case ast.Call(func=ast.Name(id=name) as func) if name in _OPPOSITE:
            yield "arithmetic", func, _OPPOSITE[name]
        case ast.Call(func=ast.Attribute(attr=name) as func) if name in _OPPOSITE:
            yield "arithmetic", func, _changed(func, attr=_OPPOSITE[name])


def _comparison(node: ast.AST, _: Parents) -> Iterator[_Change]:
    match node:
        case ast.Compare(ops=[op]):
            for other in _COMPARISON[type(op)]:
                yield "comparison", node, _changed(node, ops=[other()])
        case ast.BoolOp():
            other_op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield "comparison", node, _changed(node, op=other_op)
        case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=operand):
            yield "comparison", node, operand


def _off_by_one(node: ast.AST, _: Parents) -> Iterator[_Change]:
    bounds: list[ast.expr | None] = []
    if isinstance(node, ast.Slice):
        bounds = [node.lower, node.upper]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
        bounds = list(node.args[:2])
    for bound in bounds:
        if bound is not None and not isinstance(bound, ast.Constant | ast.Starred):
            yield "off by one", bound, f"{_tight(bound)} + 1"
            yield "off by one", bound, f"{_tight(bound)} - 1"


def _swapped(node: ast.AST, parents: Parents) -> Iterator[_Change]:
    match node:
        case ast.Call(args=[first, second, *rest]) if not _is_symmetric(node.func):
            yield "swapped", node, _changed(node, args=[second, first, *rest])
        case ast.Tuple(elts=[first, second, *rest]) if not _is_swapped_elsewhere(node, parents):
            yield "swapped", node, _bare(node, _changed(node, elts=[second, first, *rest]), parents)
        case ast.BinOp(op=ast.Sub() | ast.Div() | ast.MatMult()):
            yield "swapped", node, _changed(node, left=node.right, right=node.left)
        case ast.Attribute(attr="T" | "mT"):
            yield "swapped", node, node.value


def _dropped(node: ast.AST, parents: Parents) -> Iterator[_Change]:
    match node:
        case ast.Expr(value=ast.Constant(value=str())):  # a docstring
            return
        case ast.Expr() | ast.AugAssign() | ast.Raise() | ast.Break() | ast.Continue():
            yield "dropped", node, "pass"
        case ast.Assign(targets=[ast.Subscript() | ast.Attribute()]):
            yield "dropped", node, "pass"
        case ast.Assign(targets=[ast.Name(id=name)]) if any(
            isinstance(used, ast.Name) and used.id == name for used in ast.walk(node.value)
        ):
            yield "dropped", node, "pass"
        case ast.Return() if isinstance(parents[node], ast.If):
            yield "dropped", node, "pass"


def _assignment(node: ast.AST, _: Parents) -> Iterator[_Change]:
    match node:
        case ast.AugAssign(target=target, value=value):
            yield "= and +=", node, f"{_text(target)} = {_text(value)}"
        case ast.Assign(targets=[ast.Subscript() as target], value=value):
            yield "= and +=", node, f"{_text(target)} += {_text(value)}"


def _constant(node: ast.AST, parents: Parents) -> Iterator[_Change]:
    if not isinstance(node, ast.Constant) or _is_seed(parents[node]):
        return
    if isinstance(node.value, bool):
        yield "constant", node, repr(not node.value)
    elif isinstance(node.value, int | float):
        for step in (-1, 1):
            yield "constant", node, repr(node.value + step)


def _removed(node: ast.AST, _: Parents) -> Iterator[_Change]:
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr=name)) if name in _REMOVED:
            if len(node.args) <= 1 and not _is_module(value):
                yield "removed call", node, value
        case ast.Call(func=ast.Name(id=name), args=[only]) if name in _REMOVED:
            yield "removed call", node, only


_OPERATORS = (
    _arithmetic,
    _comparison,
    _off_by_one,
    _swapped,
    _dropped,
    _assignment,
    _constant,
    _removed,
)


def _changed(node: ast.AST, **fields: Any) -> ast.AST:
    result = copy.copy(node)
    for name, value in fields.items():
        setattr(result, name, value)
    return result


def _text(node: ast.AST) -> str:
    return ast.unparse(node)


def _tight(node: ast.AST) -> str:
    """A node's text, in parentheses if an operator beside it could bind closer."""
    return f"({_text(node)})" if isinstance(node, _LOOSE) else _text(node)


def _bare(node: ast.AST, new: ast.AST, parents: Parents) -> str:
    """A tuple's text, without parentheses if Python doesn't need them."""
    needed = not isinstance(parents[node], ast.Assign | ast.For | ast.Return | ast.Subscript)
    text = _text(new)
    return text if needed else text.removeprefix("(").removesuffix(")")


def _is_symmetric(func: ast.expr) -> bool:
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    return name in _SYMMETRIC


def _is_swapped_elsewhere(node: ast.Tuple, parents: Parents) -> bool:
    """Whether a swap is useless: the targets are swapped, too, or the order of axes is free."""
    parent = parents[node]
    if isinstance(parent, ast.Assign) and node is parent.value:
        return isinstance(parent.targets[0], ast.Tuple)
    return isinstance(parent, ast.keyword) and parent.arg in ("dim", "axis")


def _is_seed(node: ast.AST) -> bool:
    func = node.func if isinstance(node, ast.Call) else node
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    return "seed" in name or (isinstance(node, ast.keyword) and "seed" in str(node.arg))


def _is_module(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("torch", "np", "math", "F")


def _in_text(node: ast.AST, parents: Parents) -> bool:
    """Whether a node is in an f-string, where Python 3.11 doesn't give exact positions."""
    while node in parents:
        if isinstance(node, ast.JoinedStr):
            return True
        node = parents[node]
    return False


def _place(node: Any) -> tuple[int, int, int, int]:
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset


def _splice(source: str, node: ast.AST, text: str) -> str:
    first, start, last, end = _place(node)
    lines = [line.encode() for line in source.splitlines(keepends=True)]
    head = b"".join(lines[: first - 1]) + lines[first - 1][:start]
    tail = lines[last - 1][end:] + b"".join(lines[last:])
    if head.endswith(b"(") and tail.startswith(b")") and text.startswith("("):
        text = text.removeprefix("(").removesuffix(")")
    return (head + text.encode() + tail).decode()


def _difference(before: str, after: str) -> tuple[str, str]:
    """The lines that differ, before and after, each joined to one line."""
    old, new = before.splitlines(), after.splitlines()
    [*_, (_, a, b, c, d)] = [
        code for code in difflib.SequenceMatcher(None, old, new, False).get_opcodes()
        if code[0] != "equal"
    ]  # fmt: skip
    return one_line("\n".join(old[a:b])), one_line("\n".join(new[c:d]))


def one_line(text: str) -> str:
    """The text with a single blank in place of any white space."""
    return " ".join(text.split())
