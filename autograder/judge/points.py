"""Points for a test cell, by nbgrader's rules; docs/judge.md lists the deliberate differences."""

from __future__ import annotations

import ast
import math
import numbers
import re
import sys
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import torch

from autograder.judge.notebook.source import parse

_NUMERIC = "iufc"
_ADDS_UP = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult)
# How arrays and tensors of one element, and numpy's numbers, print their number.
_PRINTED_NUMBER = re.compile(r"(?:tensor|array|np\.\w+)\(\[*([^\[\](),]+)\]*(?:, [^\[\]]*)?\)")


@dataclass(frozen=True)
class Score:
    """Points, or None if an instructor has to look, and the reason if they aren't full."""

    points: float | None
    reason: str | None = None


def is_arithmetic(source: str) -> bool:
    """Return whether a test's last line computes a number, as a sum or a product does.

    Formatted or concatenated text (`"%d points" % n`) is no number.

    Args:
        source: the cell's source.
    """
    body = parse(source).body
    if not body or not isinstance(body[-1], ast.Expr):
        return False
    value = body[-1].value
    return (
        isinstance(value, ast.BinOp)
        and isinstance(value.op, _ADDS_UP)
        and not any(map(_is_text, _operands(value)))
    )


def from_value(value: Any, maximum: float, *, arithmetic: bool = False) -> Score:
    """Return the score of a test that ran to its end.

    The type of a student's result may decide the type of the last value, but it must not decide
    between partial credit and full points. So an array or tensor with one number counts as that
    number. Any other array or tensor is the test's fault.

    Args:
        value: the value that the last line shows, or None.
        maximum: the cell's points.
        arithmetic: whether the last line computes a number (see `is_arithmetic`).
    """
    if value is None or type(value) is bool:
        return Score(maximum)
    if isinstance(value, bool | np.bool_) or _holds_numbers(value):
        return _from_array(value, maximum, arithmetic=arithmetic)
    if isinstance(value, numbers.Number | Decimal):
        return _from_number(value, maximum)
    if arithmetic:
        return Score(None, f"the test's last value is a {type(value).__name__}, not a number")
    return Score(maximum)


def from_outputs(outputs: list[dict[str, Any]], maximum: float) -> Score:
    """Return the score of a test that ran in the student's process, from the shown outputs."""
    for output in outputs:
        if output["output_type"] == "error":
            return Score(0.0, f"{output['ename']}: {output['evalue']}"[:500])
        if output["output_type"] == "execute_result":
            text = str(output["data"].get("text/plain", ""))
            printed = _PRINTED_NUMBER.fullmatch(text)
            try:
                value = float(printed[1] if printed else text)
            except ValueError:
                return Score(maximum)
            return from_value(value, maximum)
    return Score(maximum)


def _holds_numbers(value: Any) -> bool:
    if isinstance(value, torch.Tensor):
        return True
    return isinstance(value, np.ndarray) or _is_of_pandas(type(value))


def _is_of_pandas(kind: type) -> bool:
    """Return whether this is a class of tables, series or indices, which count as arrays too."""
    pandas = sys.modules.get("pandas")
    names = ("DataFrame", "Series", "Index")
    return pandas is not None and issubclass(kind, tuple(getattr(pandas, name) for name in names))


def _from_array(value: Any, maximum: float, *, arithmetic: bool) -> Score:
    """Return an array's score, which is that of its only number."""
    if isinstance(value, torch.Tensor):
        if value.numel() == 1:
            item = value.detach().reshape(()).item()
            return _from_single(item, type(item) is bool, maximum, arithmetic=arithmetic)
    else:
        array = np.asarray(value)
        if array.dtype.kind in "US" and not arithmetic:
            return Score(maximum)
        if array.size == 1 and array.dtype.kind in _NUMERIC + "b":
            item = array.reshape(()).item()
            return _from_single(item, array.dtype.kind == "b", maximum, arithmetic=arithmetic)
    return Score(
        None,
        f"the test's last value is a {type(value).__name__} of several elements, or none: end the "
        "test with one number, or with an assert",
    )


def _from_single(item: Any, is_bool: bool, maximum: float, *, arithmetic: bool) -> Score:
    if not is_bool:
        return _from_number(item, maximum)
    if item and not arithmetic:
        return Score(maximum)
    return Score(
        None,
        "the test's last value is a numpy or torch bool, which isn't a number: end the test with "
        "an assert, or convert it, for example float(x)",
    )


def _from_number(value: Any, maximum: float) -> Score:
    try:
        points = math.nan if isinstance(value, complex | np.complexfloating) else float(value)
    except OverflowError:
        points = math.inf if value > 0 else -math.inf
    if math.isnan(points):
        return Score(0.0, "the test's last value is not a number")
    if points > maximum:
        return Score(None, f"the test gave {points:g} points, more than its {maximum:g}")
    if points < 0:
        return Score(None, f"the test gave {points:g} points, less than none")
    return Score(points, None if points == maximum else f"partial credit: {points:g}")


def _operands(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp):
        return _operands(node.left) + _operands(node.right)
    return [node]


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
