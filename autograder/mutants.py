"""Changes the reference solution in small ways: a test that doesn't notice is too weak.

Each mutant is one change of one place inside a solution region. A mutant that changes nothing which
a test could see is *equivalent*; exercises/checks/ASSIGNMENT/equivalent.yaml lists those, each with
its reason, by the line before and after the change:

    - cell: max_pool2d_backward
      from: grad_x = torch.zeros_like(x)
      to: grad_x = torch.ones_like(x)
      why: ...
"""

from __future__ import annotations

import ast
import copy
import difflib
import inspect
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from traitlets.config import Config

from autograder import wrong_values
from autograder.assignment import Assignment, grade_id
from autograder.course import Course
from autograder.errors import AutograderError
from autograder.execute import Settings
from autograder.judge.names import region
from autograder.reference import attempt_log, prepared
from autograder.score import score
from autograder.verify import prepared_changed, run_all

AT_LEAST = 40  # mutants an assignment
KILLED = 0.95  # of those that are not equivalent
EQUIVALENT = 0.10  # of all
PATIENCE = 5.0  # a cell of a mutant may take as often as long as the whole reference

_Change = tuple[str, ast.AST, ast.AST | str]  # operator, node, what stands in its place

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


class EquivalentError(AutograderError):
    """The list of equivalent mutants can't be used."""


@dataclass(frozen=True)
class Mutant:
    """One small change of a solution cell.

    Attributes:
        cell: the cell's grade_id.
        operator: what kind of change it is.
        before: the lines that are changed, as one.
        after: what they become.
        source: the whole cell, changed.
    """

    cell: str
    operator: str
    before: str
    after: str
    source: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What survives a change elsewhere in the cell."""
        return self.cell, self.before, self.after


@dataclass(frozen=True)
class Tried:
    """A mutant that was graded.

    Attributes:
        mutant: the change.
        killed_by: the first test that noticed; None if none did.
        equivalent: why no test can notice, if that was found.
    """

    mutant: Mutant
    killed_by: str | None
    equivalent: str | None

    @property
    def outcome(self) -> str:
        """``"killed"``, ``"equivalent"`` or ``"survived"``."""
        return "killed" if self.killed_by else "equivalent" if self.equivalent else "survived"


def try_mutants(
    course: Course,
    name: str,
    *,
    jobs: int | None = None,
    on_start: Callable[[int], None] = lambda _: None,
    on_mutant: Callable[[Tried], None] = lambda _: None,
) -> tuple[list[Tried], list[str]]:
    """Grade every mutant of an assignment's reference solution.

    Args:
        course: the course.
        name: the assignment.
        jobs: how many run side by side; default: one a core.
        on_start: called once with the number of mutants.
        on_mutant: called after each.

    Returns:
        The mutants, and what is not as it must be.

    Raises:
        EquivalentError: the list of equivalent mutants can't be read.
        ReleaseError: the assignment can't be read.
    """
    assignment = Assignment.load(course, name)
    log = attempt_log(course, name)
    reasons = equivalent(course.root / "checks" / name / "equivalent.yaml")
    found = list(mutants_of(assignment))
    reference = prepared(assignment, "reference", assignment.sources, log)
    [run] = run_all(assignment, [reference], Settings(config=course.config), 1)
    slow = {"Execute": {"timeout": PATIENCE + PATIENCE * run.seconds}}
    settings = Settings(config=Config(course.config, **slow), stop_at_failure=True)
    candidates = [
        prepared_changed(assignment, one.cell, _with(one, assignment), [one.cell], log)
        for one in found
    ]
    on_start(len(found))
    tried = []
    for mutant, run in zip(found, run_all(assignment, candidates, settings, jobs), strict=True):
        cells = score(assignment, reference, run, {}).cells
        reasons_given = {test: cell.reason for test, cell in cells.items() if cell.reason}
        if any(_NOT_A_MUTANT in reason for reason in reasons_given.values()):
            continue
        killer = next(iter(reasons_given), None)
        tried.append(Tried(mutant, killer, reasons.pop(mutant.key, None)))
        on_mutant(tried[-1])
    gone = [f"equivalent.yaml: there is no such mutant: {' | '.join(key)}" for key in reasons]
    return tried, gone + _problems(tried)


def _problems(tried: list[Tried]) -> list[str]:
    problems = [
        f"equivalent.yaml: not equivalent, {one.killed_by} notices it: {' | '.join(one.mutant.key)}"
        for one in tried
        if one.killed_by and one.equivalent
    ]
    count = Counter(one.outcome for one in tried)
    real = len(tried) - count["equivalent"]
    if len(tried) < AT_LEAST:
        problems.append(f"{len(tried)} mutants: the reference gives fewer than {AT_LEAST}")
    if count["killed"] < KILLED * real:
        share = f"{count['killed']} of {real} are noticed, fewer than {KILLED:.0%}"
        problems.append(f"{share}: test what the survivors change, or say why they are equivalent")
    if count["equivalent"] > EQUIVALENT * len(tried):
        share = f"{count['equivalent']} of {len(tried)} are called equivalent"
        problems.append(f"{share}, more than {EQUIVALENT:.0%}: simplify the reference")
    return problems


def _with(mutant: Mutant, assignment: Assignment) -> dict[str, Any]:
    notebooks = {}
    for name, source in assignment.sources.items():
        notebooks[name] = copy.deepcopy(source)
        for cell in notebooks[name].cells:
            if grade_id(cell) == mutant.cell:
                cell.source = mutant.source
    return notebooks


def equivalent(path: Path) -> dict[tuple[str, str, str], str]:
    """The reasons why mutants are equivalent, by the mutants' keys; none if there is no file.

    Raises:
        EquivalentError: it is not a list of cell, from, to and why.
    """
    if not path.exists():
        return {}
    remedy = "write a list of entries with cell, from, to and why, as in autograder/mutants.py"
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise EquivalentError(f"{path}: is not YAML: {error}", remedy) from error
    for entry in entries if isinstance(entries, list) else [entries]:
        words = entry if isinstance(entry, dict) else {}
        if sorted(words) != ["cell", "from", "to", "why"] or not all(
            isinstance(word, str) for word in words.values()
        ):
            raise EquivalentError(f"{path}: can't be read at: {entry}", remedy)
    return {
        (entry["cell"], _one_line(entry["from"]), _one_line(entry["to"])): entry["why"]
        for entry in entries
    }


def mutants_of(assignment: Assignment) -> Iterator[Mutant]:
    """Every mutant of every solution cell, in the order of the notebook."""
    for source in assignment.sources.values():
        for cell in source.cells:
            role = cell.metadata.get("nbgrader", {})
            if cell.cell_type == "code" and role.get("solution") and not role.get("grade"):
                yield from mutate(role["grade_id"], cell.source)


def mutate(cell: str, source: str) -> Iterator[Mutant]:
    """Every mutant of one cell: inside its solution regions, else anywhere in it."""
    tree = ast.parse(source)
    lines = region(source, "SOLUTION") or set(range(1, source.count("\n") + 2))
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


# What a function returns, whatever its lines are.


def _unannotated(function: Callable[..., Any]) -> str:
    """Its text; a notebook doesn't import the names that its annotations read."""
    tree = ast.parse(inspect.getsource(function))
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.FunctionDef):
            node.returns = None
    return ast.unparse(tree)


_WRONG_VALUES = {
    each.__name__: _unannotated(each)
    for each in (
        wrong_values.truncation,
        wrong_values.sorting,
        wrong_values.reordering,
        wrong_values.caching,
        wrong_values.seeding,
    )
}
_NOT_A_MUTANT = "not a mutant: "  # what a function returns holds nothing to spoil


def _with_wrong_values(
    cell: str, source: str, tree: ast.Module, solved: set[int]
) -> Iterator[Mutant]:
    """Each function with each decorator of `wrong_values`."""
    lines = source.splitlines()
    for function in _functions(tree):
        returned = [node for node in ast.walk(function) if isinstance(node, ast.Return)]
        if not any(node.value and node.lineno in solved for node in returned):
            continue
        at = function.lineno - 1
        indent = " " * function.col_offset
        before = _one_line(lines[at])
        for name, text in _WRONG_VALUES.items():
            changed = [text, *lines[:at], f"{indent}@{name}", *lines[at:]]
            yield Mutant(cell, name, before, f"@{name} {before}", "\n".join(changed))


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Functions of the cell and of its classes, without those within a function."""
    for node in tree.body:
        for each in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(each, ast.FunctionDef):
                yield each


# The operators: each gives, for one node, the changes that it knows.

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
    """As it binds closer than any operator beside it."""
    return f"({_text(node)})" if isinstance(node, _LOOSE) else _text(node)


def _bare(node: ast.AST, new: ast.AST, parents: Parents) -> str:
    """A tuple with its parentheses only where Python needs them."""
    needed = not isinstance(parents[node], ast.Assign | ast.For | ast.Return | ast.Subscript)
    text = _text(new)
    return text if needed else text.removeprefix("(").removesuffix(")")


def _is_symmetric(func: ast.expr) -> bool:
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    return name in _SYMMETRIC


def _is_swapped_elsewhere(node: ast.Tuple, parents: Parents) -> bool:
    """A value whose targets are swapped too, or axes whose order says nothing."""
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
    """Whether it stands in an f-string, where Python 3.11 doesn't say exactly where."""
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
    """The lines that differ, each side as one line."""
    old, new = before.splitlines(), after.splitlines()
    [*_, (_, a, b, c, d)] = [
        code for code in difflib.SequenceMatcher(None, old, new, False).get_opcodes()
        if code[0] != "equal"
    ]  # fmt: skip
    return _one_line("\n".join(old[a:b])), _one_line("\n".join(new[c:d]))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def table(tried: dict[str, list[Tried]]) -> str:
    """Markdown: what became of the mutants of each assignment, and of each operator's."""
    operators = sorted({one.mutant.operator for each in tried.values() for one in each})
    by_operator = {
        operator: [
            one for each in tried.values() for one in each if one.mutant.operator == operator
        ]
        for operator in operators
    }
    return "\n\n".join(
        [
            "# Mutants",
            "Written by `autograder verify --mutants --write docs/mutants.md`;"
            " [assignments](assignments.md) explains it.",
            "\n".join(_rows("assignment", tried)),
            "\n".join(_rows("operator", by_operator)),
            "\n".join(_survivors(tried)),
        ]
    )


def _rows(title: str, groups: dict[str, list[Tried]]) -> Iterator[str]:
    yield f"| {title} | mutants | killed | equivalent | survived | killed of the rest |"
    yield "|---|---|---|---|---|---|"
    for name, tried in groups.items():
        count = Counter(one.outcome for one in tried)
        real = len(tried) - count["equivalent"]
        share = f"{count['killed'] / real:.1%}" if real else "–"
        row = (name, len(tried), count["killed"], count["equivalent"], count["survived"], share)
        yield f"| {' | '.join(map(str, row))} |"


def _survivors(tried: dict[str, list[Tried]]) -> Iterator[str]:
    found = [(name, one) for name, each in tried.items() for one in each]
    found = [(name, one) for name, one in found if one.outcome == "survived"]
    yield "Survivors:" if found else "No mutant survived."
    for name, one in found:
        yield f"- {name}, `{one.mutant.cell}`: `{one.mutant.before}` → `{one.mutant.after}`"
