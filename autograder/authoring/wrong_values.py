"""Decorators that spoil a solution's returned values, state or side effects.

`mutation.py` writes the source of a single decorator at the start of a solution's cell, where it
runs as student code. Therefore a decorator imports what it needs and uses no other decorator.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Function = Callable[..., Any]


def truncation(function: Function) -> Function:
    """Return whole numbers in place of fractions."""
    import functools

    fractions = []

    def spoil(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: spoil(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(map(spoil, value))
        if isinstance(value, float) or getattr(value, "is_floating_point", bool)():
            fractions.append(value)
            return float(int(value)) if isinstance(value, float) else value.trunc()
        return value

    @functools.wraps(function)
    def spoiled(*args: Any, **settings: Any) -> Any:
        result = spoil(function(*args, **settings))
        if not fractions:
            raise TypeError("not a mutant: nothing to truncate")
        return result

    return spoiled


def sorting(function: Function) -> Function:
    """Return the right numbers, but with sorted rows."""
    import functools

    rows = []

    def spoil(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: spoil(item) for key, item in value.items()}
        if isinstance(value, tuple):
            return tuple(map(spoil, value))
        if isinstance(value, list) and all(isinstance(item, int | float | str) for item in value):
            rows.append(value)
            return sorted(value)
        if getattr(value, "ndim", 0):
            rows.append(value)
            return value.sort(dim=-1).values
        return value

    @functools.wraps(function)
    def spoiled(*args: Any, **settings: Any) -> Any:
        result = spoil(function(*args, **settings))
        if not rows:
            raise TypeError("not a mutant: nothing to sort")
        return result

    return spoiled


def reordering(function: Function) -> Function:
    """Return the right numbers in reverse order of images, rows or entries."""
    import functools

    rows = []

    def spoil(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: spoil(item) for key, item in value.items()}
        if isinstance(value, tuple):
            return tuple(map(spoil, value))
        if isinstance(value, list):
            rows.append(value)
            return value[::-1]
        if getattr(value, "ndim", 0):
            rows.append(value)
            return value.flip(0)
        return value

    @functools.wraps(function)
    def spoiled(*args: Any, **settings: Any) -> Any:
        result = spoil(function(*args, **settings))
        if not rows:
            raise TypeError("not a mutant: nothing to reorder")
        return result

    return spoiled


def caching(function: Function) -> Function:
    """Return an earlier result if the arguments have the same types and shapes."""
    import functools

    results: dict[str, Any] = {}

    def kind(value: Any) -> str:
        return str(getattr(value, "shape", type(value)))

    @functools.wraps(function)
    def spoiled(*args: Any, **settings: Any) -> Any:
        key = str([kind(argument) for argument in (*args, *settings, *settings.values())])
        if key not in results:
            results[key] = function(*args, **settings)
        return results[key]

    return spoiled


def seeding(function: Function) -> Function:
    """Return the right result, but seed all random number generators."""
    import functools
    import random

    import numpy as np
    import torch

    @functools.wraps(function)
    def spoiled(*args: Any, **settings: Any) -> Any:
        random.seed(0)
        np.random.seed(0)
        torch.manual_seed(0)
        return function(*args, **settings)

    return spoiled
