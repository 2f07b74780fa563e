"""Functions for the tests of the assignments: call a student's function, compare its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from course_utils.own_work import own_work


def call(
    case: str, rules: Sequence[str], function: Callable[..., Any], *inputs: Any, **settings: Any
) -> Any:
    """Call a student's function, and check that it keeps the rules.

    Args:
        case: the call in words (shapes and settings), for messages.
        rules: the steps that the student must write without a library: see `own_work`.
        function: the student's function.
        inputs: the arguments. The function must not change tensors, arrays or lists in place. It
            may fill a dictionary.
        settings: the keyword arguments, under the same rule.

    Returns:
        The result of the function.

    Raises:
        AssertionError: the function raised, broke a rule, or changed an input in place.
    """
    given = [*inputs, *settings.values()]
    before = [_copy(value) for value in given]
    try:
        with own_work(*rules):
            got = function(*inputs, **settings)
    except Exception as error:
        raise AssertionError(f"{case}: {type(error).__name__}: {error}") from error
    for value, copied in zip(given, before, strict=True):
        assert _is_as_before(value, copied), f"{case}: an input was changed: work on new values."
    return got


def assert_same(
    what: str, got: Any, want: torch.Tensor, hint: str = "", atol: float | None = None
) -> None:
    """Check that `got` equals the tensor `want`.

    Args:
        what: the name of the result and of its call, for messages.
        got: the result of the student's function.
        want: the expected tensor; shape, dtype, device and values must be the same.
        hint: what the student should look at if the shape or the values are wrong.
        atol: by how much a value may differ. The default is a tolerance that fits the dtype.

    Raises:
        AssertionError: `got` differs from `want`. The message names the first wrong element.
    """
    kind = type(got).__name__
    assert isinstance(got, torch.Tensor), f"{what} is {kind}, not a tensor: is a return missing?"
    shapes = f"expected shape {tuple(want.shape)}, got {tuple(got.shape)}"
    assert got.shape == want.shape, f"{what}: {shapes}. {hint}"
    types = f"expected {want.dtype} on {want.device}, got {got.dtype} on {got.device}"
    assert (got.dtype, got.device) == (want.dtype, want.device), f"{what}: {types}."
    single = want.dtype in (torch.float32, torch.float16, torch.bfloat16)
    rtol, usual = (1e-4, 1e-5) if single else (1e-7, 1e-9)
    near = {"rtol": rtol, "atol": usual} if atol is None else {"rtol": 0.0, "atol": atol}
    wrong = ~torch.isclose(got.detach(), want.detach(), equal_nan=True, **near)
    if wrong.any():
        first = tuple(wrong.nonzero()[0].tolist())
        values = f"expected {want[first].item():.8g}, got {got[first].item():.8g}"
        place = f" at {first}" if first else ""
        raise AssertionError(f"{what}{place}: {values}. {hint}")


def assert_new(what: str, got: torch.Tensor, *given: torch.Tensor) -> None:
    """Check that `got` is neither one of the `given` tensors nor a view of one of them.

    Args:
        what: the name of the result and of its call, for messages.
        got: the result of the student's function.
        given: the tensors that the function got.

    Raises:
        AssertionError: `got` shares memory with a given tensor.
    """
    memory = {tensor.untyped_storage().data_ptr() for tensor in given if tensor.numel()}
    shared = got.numel() > 0 and got.untyped_storage().data_ptr() in memory
    assert not shared, f"{what}: give back a new tensor, no part of one that you got."


def assert_number(
    what: str, got: Any, want: int, hint: str = "", slips: Mapping[int, str] | None = None
) -> None:
    """Check that `got` is the Python int `want`.

    Args:
        what: the name of the number and of its call, for messages.
        got: the result of the student's function.
        want: the expected number.
        hint: what the student should look at if the number is wrong.
        slips: for each wrong number that a known mistake gives, a hint to that mistake.

    Raises:
        AssertionError: `got` is not an int, or another number than `want`.
    """
    kind = type(got).__name__
    assert type(got) is int, f"{what}: expected a Python int, got {got!r} of type {kind}."
    hint = (slips or {}).get(got, hint)
    assert got == want, f"{what}: expected {want:,}, got {got:,}. {hint}"


def _copy(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, list | tuple):
        return [_copy(item) for item in value]
    return value


def _is_as_before(value: Any, before: Any) -> bool:
    if isinstance(value, torch.Tensor):
        same = value.shape == before.shape and value.dtype == before.dtype
        return same and bool(torch.isclose(value.detach(), before, 0, 0, equal_nan=True).all())
    if isinstance(value, np.ndarray):
        return np.array_equal(value, before)
    if isinstance(value, list | tuple):
        pairs = zip(value, before, strict=False)
        return len(value) == len(before) and all(_is_as_before(*pair) for pair in pairs)
    return value is before or (type(value) is type(before) and bool(value == before))
