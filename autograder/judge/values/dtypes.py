"""numpy's dtypes as JSON: a text for a plain dtype, a list for records and subarrays."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

_PLAIN = re.compile(r"[<>|=]?[biufcSUmMV]\d{0,6}(\[[0-9A-Za-z]{1,8}\])?|\|?O")
_KINDS = frozenset("biufcSUmMVO")
_MAX_FIELDS = 1000
_MAX_BYTES = 1 << 20
_MAX_NESTED = 8


def dtype_to_json(dtype: np.dtype[Any]) -> Any:
    """Return the form that crosses.

    Raises:
        TypeError: the dtype has no such form.
    """
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return ["sub", dtype_to_json(base), list(shape)]
    if dtype.fields is not None:
        fields = [
            [name, dtype_to_json(dtype.fields[name][0]), dtype.fields[name][1]]
            for name in dtype.names or ()
        ]
        return ["record", fields, dtype.itemsize]
    if dtype.kind not in _KINDS:
        raise TypeError(f"numpy's dtype {dtype} can't cross to the test: return a list, or numbers")
    return dtype.str


def dtype_from_json(value: Any, depth: int = 0) -> np.dtype[Any]:
    """Return the dtype of a form.

    Raises:
        ValueError: it is no dtype's form, or too large.
    """
    match value:
        case str() if _PLAIN.fullmatch(value):
            dtype = np.dtype(value)
        case ["sub", base, list(shape)] if depth < _MAX_NESTED and _are_sizes(shape):
            size = 1
            for edge in shape:
                size *= edge
            if size > _MAX_BYTES:
                raise ValueError("a subarray of too many elements")
            dtype = np.dtype((dtype_from_json(base, depth + 1), tuple(shape)))
        case ["record", list(fields), int(size)] if depth < _MAX_NESTED:
            dtype = _record(fields, size, depth)
        case _:
            raise ValueError(f"no such dtype: {value!r:.40}")
    if dtype.itemsize > _MAX_BYTES:
        raise ValueError("a dtype of too many bytes")
    return dtype


def _record(fields: list[Any], size: int, depth: int) -> np.dtype[Any]:
    if len(fields) > _MAX_FIELDS or not 0 <= size <= _MAX_BYTES:
        raise ValueError("a record of too many fields or bytes")
    names, formats, offsets = [], [], []
    for name, form, offset in fields:
        if type(name) is not str or type(offset) is not int or not 0 <= offset <= size:
            raise ValueError("a record's field has a name and a place")
        names.append(name)
        formats.append(dtype_from_json(form, depth + 1))
        offsets.append(offset)
    parts = {"names": names, "formats": formats, "offsets": offsets, "itemsize": size}
    # numpy checks that the fields fit
    dtype: np.dtype[Any] = np.dtype(parts)  # type: ignore[call-overload]
    if dtype.hasobject:
        raise ValueError("a record of objects")
    return dtype


def _are_sizes(shape: list[Any]) -> bool:
    return len(shape) <= 32 and all(type(edge) is int and edge >= 0 for edge in shape)
