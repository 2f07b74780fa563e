"""Measures how far the values in a test's comparisons are from their thresholds.

A test with random numbers may accept the reference because its seed is lucky, or because its
threshold is far enough away. To tell these two cases apart, all tests run with six seeds, and tests
that come near a threshold run with twenty. In each run the comparisons of a test record their
*distance* from the threshold, as a share of the threshold: 1 − error / tolerance for
`error < tolerance` and for isclose, 0 at the threshold. The mean of a comparison's distances has to
be at least four times their standard deviation.

A line of a test with the comment `# fixed` keeps its seeds, and its comparisons aren't measured.
The comment is for a result that is known for one seed only, and for a bound that values may reach
but never pass.
"""

from __future__ import annotations

import ast
import copy
import json
import math
import operator
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbformat import NotebookNode

FIRST_RUNS = 6
RUNS = 20  # of a test with a comparison that comes NEAR its threshold
STEP = 100  # run k adds k * STEP to the test's seeds
DEVIATIONS = 4.0
# Of six normal numbers, the standard deviation is less than a sixth of the true standard deviation
# once in 1,500 times.
NEAR = 6 * DEVIATIONS
FIXED = "# fixed"
_MARK = "distance from a threshold: "
_SEEDERS = ("default_rng", "RandomState", "PCG64", "Random")
_CLOSE = {"isclose": (1e-5, 1e-8), "allclose": (1e-5, 1e-8), "assert_allclose": (1e-7, 0.0)}
_EXACT = (1e-9, 0.0)  # math.isclose
_HERE = f"__import__({__name__!r}, fromlist=['_'])"


@dataclass(frozen=True)
class Threshold:
    """One comparison of a test in all runs.

    Attributes:
        place: the cell's grade_id and the line in it.
        mean: mean of the distances.
        deviation: standard deviation of the distances.
    """

    place: str
    mean: float
    deviation: float

    @property
    def cell(self) -> str:
        """The cell's grade_id."""
        return self.place.split(", line ")[0]

    @property
    def deviations(self) -> float:
        """The mean in standard deviations; infinite if the distances don't vary."""
        return self.mean / self.deviation if self.deviation else math.inf


def with_seeds(source: NotebookNode, run: int) -> NotebookNode:
    """An instructor's notebook whose tests have the seeds of a run, and measure comparisons."""
    # Imported here, because a measured test imports this module in the judge, and this import
    # takes seconds.
    from autograder.cells import grade_id, is_graded, is_solution

    changed = copy.deepcopy(source)
    for cell in changed.cells:
        name = grade_id(cell)
        if cell.cell_type != "code" or name is None or is_solution(cell):
            continue
        try:
            tree = ast.parse(cell.source)
        except SyntaxError:  # magics
            continue
        lines = cell.source.splitlines()
        insertions = list(_measured(tree, name))
        if is_graded(cell):
            insertions += _shifted_seeds(tree, run * STEP)
        allowed = [
            insertion for insertion in insertions if FIXED not in lines[insertion[0].lineno - 1]
        ]
        cell.source = _write(cell.source, allowed)
    return changed


def thresholds(notebooks: Iterable[NotebookNode]) -> list[Threshold]:
    """The comparisons of all runs; the comparison nearest to its threshold comes first."""
    distances: dict[str, list[float]] = defaultdict(list)
    for notebook in notebooks:
        nearest: dict[str, float] = {}
        for cell in notebook.cells:
            for output in cell.get("outputs", []):
                for line in output.get("text", "").splitlines():
                    if line.startswith(_MARK):
                        place, distance = json.loads(line.removeprefix(_MARK))
                        nearest[place] = min(distance, nearest.get(place, math.inf))
        for place, distance in nearest.items():
            distances[place].append(distance)
    measured = [
        Threshold(place, statistics.mean(values), statistics.pstdev(values))
        for place, values in distances.items()
    ]
    return sorted(measured, key=lambda threshold: threshold.deviations)


# ── changes of a test's source ──────────────────────────────────────────────────────────────────
# An expression, the text to put before it, and the text to put after it. The texts add no line and
# no name.

_Around = tuple[ast.expr, str, str]


def _shifted_seeds(tree: ast.AST, shift: int) -> Iterator[_Around]:
    """`manual_seed(51)` becomes `manual_seed((51) + 100)`, as does `make_data(seed=3)`."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        seeds = [word.value for word in call.keywords if "seed" in (word.arg or "")]
        seeds += [arg for arg in call.args if isinstance(arg, ast.Name) and "seed" in arg.id]
        if "seed" in (name := _name(call.func)) or name in _SEEDERS:
            seeds += call.args[:1]
        for node in dict.fromkeys(seeds):
            if isinstance(node, ast.Name):  # None means that no seed is given
                yield node, f"({node.id} if {node.id} is None else ", f" + {shift})"
            elif isinstance(node, ast.Constant) and isinstance(node.value, int):
                yield node, "(", f" + {shift})"


def _measured(tree: ast.Module, cell: str) -> Iterator[_Around]:
    """The left sides of <, <=, > and >= in assertions, and the functions in `isclose(a, b)`."""
    verdicts = [node.test for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        verdicts.append(tree.body[-1].value)  # partial credit
    for node in (node for verdict in verdicts for node in ast.walk(verdict)):
        if isinstance(node, ast.Compare):
            for left, op in zip([node.left, *node.comparators], node.ops, strict=False):
                if isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE):
                    place = f"{cell}, line {left.lineno}"
                    yield left, f"{_HERE}.Side({place!r}, ", ")"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in _CLOSE:
            place = f"{cell}, line {node.lineno}"
            limit = _EXACT if ast.unparse(node.func) == "math.isclose" else _CLOSE[_name(node.func)]
            yield node.func, f"{_HERE}.close({place!r}, {limit}, ", ")"


def _name(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")


def _write(source: str, around: list[_Around]) -> str:
    """Put the texts into the source; texts at the same place nest like their expressions."""
    inserts = []
    for node, before, after in around:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start, end = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
        inserts.append((start, 1, (-end[0], -end[1]), before))
        inserts.append((end, 0, (-start[0], -start[1]), after))
    lines = [line.encode() for line in source.splitlines(keepends=True)]
    for (number, column), _, _, text in sorted(inserts, reverse=True):
        line = lines[number - 1]
        lines[number - 1] = line[:column] + text.encode() + line[column:]
    return b"".join(lines).decode()


# ── code that runs in a test, in the judge's process ────────────────────────────────────────────

_nearest: dict[str, float] = {}


class Side:
    """The left side of a comparison: compares like its value, and records the distance."""

    def __init__(self, place: str, value: Any) -> None:
        self.place, self.value = place, value

    def __lt__(self, other: Any) -> Any:
        return self._measured(operator.lt, other)

    def __le__(self, other: Any) -> Any:
        return self._measured(operator.le, other)

    def __gt__(self, other: Any) -> Any:
        return self._measured(operator.gt, other)

    def __ge__(self, other: Any) -> Any:
        return self._measured(operator.ge, other)

    def _measured(self, compare: Callable[[Any, Any], Any], other: Any) -> Any:
        other = other.value if isinstance(other, Side) else other
        left, right = _number(self.value), _number(other)
        if left is not None and right is not None and (larger := max(abs(left), abs(right))):
            _write_down(self.place, abs(left - right) / larger)
        return compare(self.value, other)


def close(
    place: str, tolerances: tuple[float, float], function: Callable[..., Any]
) -> Callable[..., Any]:
    """A function such as `isclose` that also records how much of the tolerance is left."""

    def measured(actual: Any, expected: Any, *args: Any, **options: Any) -> Any:
        import numpy as np

        rtol, atol = (*args, *tolerances[len(args) :])[:2]
        rtol = options.get("rtol", options.get("rel_tol", rtol))
        atol = options.get("atol", options.get("abs_tol", atol))
        try:
            a, b = np.asarray(actual, float), np.asarray(expected, float)
            allowed = atol + rtol * np.abs(b)
            left = 1 - np.abs(a - b)[allowed > 0] / allowed[allowed > 0]
        except (TypeError, ValueError, RuntimeError):  # the arguments are no numbers
            left = np.empty(0)
        if left.size and np.isfinite(left).all():
            _write_down(place, float(left.min()))
        return function(actual, expected, *args, **options)

    return measured


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, RuntimeError, ArithmeticError):
        return None
    return number if math.isfinite(number) else None


def _write_down(place: str, distance: float) -> None:
    """Print a distance if it is the smallest so far."""
    if distance < _nearest.get(place, math.inf):
        _nearest[place] = distance
        print(f"{_MARK}{json.dumps([place, distance])}")
