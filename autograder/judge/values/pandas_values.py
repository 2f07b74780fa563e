"""The entries of the registry for pandas: frames, series, indices, arrays and scalars.

A frame or series that one side changes in place changes on the other side, too.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from autograder.judge.values.entries import Decoder, Encoder, Entry, Mutable, value
from autograder.judge.values.pandas_arrays import (
    MASKED,
    ZONES,
    library,
    period_dtype,
    period_name,
    read_array,
    read_index,
    string_dtype,
    write_array,
    write_index,
    zone_of,
)

# Frames and series.


def _body(encoder: Encoder, obj: Any) -> list[Any]:
    if obj.ndim == 1:
        head, arrays = encoder.encode(obj.name), [obj._values]
    else:
        head, arrays = write_index(encoder, obj.columns), list(obj._iter_column_arrays())
    index, columns = write_index(encoder, obj.index), [write_array(encoder, a) for a in arrays]
    attrs = [[encoder.encode(key), encoder.encode(item)] for key, item in obj.attrs.items()]
    return [head, index, columns, attrs]


def _fill(decoder: Decoder, obj: Any, body: Any) -> None:
    pd = library()
    head, row_labels, forms, attrs = body
    label = decoder.decode(head) if obj.ndim == 1 else read_index(decoder, head)
    index = read_index(decoder, row_labels)
    arrays = [read_array(decoder, form) for form in forms]
    if any(len(array) != len(index) for array in arrays):
        raise ValueError("a column of another length than its index")
    series = [pd.Series(array, index=index, dtype=array.dtype, copy=False) for array in arrays]
    if obj.ndim == 1:
        (new,) = series
        obj._update_inplace(new)
        obj.name = label
    else:
        if len(label) != len(series):
            raise ValueError("a frame with too many or too few columns")
        new = pd.DataFrame(dict(enumerate(series)), index=index)
        new.columns = label
        obj._update_inplace(new)
    obj.attrs = {decoder.decode(key): decoder.decode(item) for key, item in attrs}


def _state(obj: Any, copy: bool) -> list[Any]:
    """Return axes, names and attributes, and all arrays in which the elements are."""
    manager = obj._mgr
    marks = [*manager.axes, *(name for axis in manager.axes for name in axis.names)]
    marks += [getattr(obj, "name", None) if obj.ndim == 1 else None, *obj.attrs.values()]
    arrays: list[Any] = []
    for block in manager.blocks:
        arrays += [block.mgr_locs.as_array, *_parts(block.values)]
    return [marks, [_noted(part, copy) for part in arrays]]


def _noted(part: Any, copy: bool) -> Any:
    if not isinstance(part, np.ndarray):
        return part
    if part.dtype.hasobject:
        return part.ravel().tolist()
    return part.copy() if copy else part


def _parts(array: Any) -> list[Any]:
    if isinstance(array, np.ndarray):
        return [array]
    names = ("_ndarray", "_data", "_mask", "_left", "_right", "_sparse_values", "_sparse_index")
    return [getattr(array, name) for name in names if hasattr(array, name)] + [array.dtype]


def _same(now: list[Any], before: list[Any]) -> bool:
    return (
        len(now[0]) == len(before[0])
        and all(map(operator.is_, now[0], before[0]))
        and len(now[1]) == len(before[1])
        and all(map(_same_part, now[1], before[1]))
    )


def _same_part(now: Any, before: Any) -> bool:
    if isinstance(now, list) and isinstance(before, list):
        return len(now) == len(before) and all(map(operator.is_, now, before))
    if not isinstance(now, np.ndarray) or not isinstance(before, np.ndarray):
        return now is before
    if now.shape != before.shape or now.dtype != before.dtype:
        return False
    bits = np.uint64 if now.nbytes % 8 == 0 else np.uint8
    ours, theirs = (part.ravel(order="K").view(bits) for part in (now, before))
    return bool(np.array_equal(ours, theirs))


def _write_shared(encoder: Encoder, obj: Any) -> list[Any]:
    return [encoder.shared_number(obj), _body(encoder, obj)]


def _read_shared(decoder: Decoder, cls: Any, number: int, body: Any) -> Any:
    obj = decoder.take(cls(dtype=object), number)
    _fill(decoder, obj, body)
    return obj


# Scalars and dtypes.


def _moment(tz_aware: Any, number: int, unit: str, tz: Any) -> Any:
    moment = tz_aware(np.datetime64(number, _unit(unit)))
    return moment if tz is None else moment.tz_localize("UTC").tz_convert(tz)


def _unit(unit: str) -> Any:
    if unit not in ("s", "ms", "us", "ns"):
        raise ValueError("no such unit of time")
    return unit


def _interval(cls: Any, left: Any, right: Any, closed: str) -> Any:
    return cls(left, right, closed=closed)


_SHARED = Mutable(_state, _same, _body, _fill)
_INDICES = ("Index", "RangeIndex", "MultiIndex", "CategoricalIndex", "DatetimeIndex",
            "TimedeltaIndex", "PeriodIndex", "IntervalIndex")  # fmt: skip
_ARRAYS = (*MASKED, "StringArray", "ArrowStringArray", "Categorical", "DatetimeArray",
           "TimedeltaArray", "PeriodArray", "IntervalArray", "SparseArray")  # fmt: skip
_MASKED_DTYPES = (
    "BooleanDtype",
    *(f"{kind}{bits}Dtype" for kind in ("Int", "UInt") for bits in (8, 16, 32, 64)),
    *("Float32Dtype", "Float64Dtype"),
)

ENTRIES: tuple[Entry, ...] = (
    Entry("pandas.DataFrame", _write_shared, _read_shared, _SHARED),
    Entry("pandas.Series", _write_shared, _read_shared, _SHARED),
    *(
        Entry(
            f"pandas.{name}",
            lambda encoder, obj: [write_index(encoder, obj)],
            lambda decoder, _, form: read_index(decoder, form),
        )
        for name in _INDICES
    ),
    *(
        Entry(
            f"pandas.arrays.{name}",
            lambda encoder, obj: [write_array(encoder, obj)],
            lambda decoder, _, form: read_array(decoder, form),
        )
        for name in _ARRAYS
    ),
    value(
        "pandas.Timestamp",
        (int, str, ZONES),
        lambda x: (int(x._value), x.unit, zone_of(x.tz)),
        _moment,
    ),
    value(
        "pandas.Timedelta",
        (int, str),
        lambda x: (int(x._value), x.unit),
        lambda cls, number, unit: cls(np.timedelta64(number, _unit(unit))),
    ),
    value(
        "pandas.Period",
        (int, str),
        lambda x: (int(x.ordinal), period_name(library().PeriodDtype(x.freq))),
        lambda cls, ordinal, name: cls(ordinal=ordinal, freq=period_dtype(name).freq),
    ),
    value("pandas.Interval", (None, None, str), lambda x: (x.left, x.right, x.closed), _interval),
    value("pandas.api.typing.NaTType", (), lambda _: (), lambda _: library().NaT),
    value("pandas.api.typing.NAType", (), lambda _: (), lambda _: library().NA),
    *(value(f"pandas.{name}", (), lambda _: ()) for name in _MASKED_DTYPES),
    value(
        "pandas.StringDtype",
        (str, bool),
        lambda x: (x.storage, getattr(x, "na_value", None) is np.nan),
        lambda _, storage, is_nan: string_dtype(storage, is_nan),
    ),
    value("pandas.DatetimeTZDtype", (str, ZONES), lambda x: (x.unit, zone_of(x.tz))),
    value("pandas.PeriodDtype", (str,), lambda x: (period_name(x),), lambda _, n: period_dtype(n)),
    Entry(
        "pandas.CategoricalDtype",
        lambda encoder, x: [
            None if x.categories is None else write_index(encoder, x.categories),
            bool(x.ordered),
        ],
        lambda decoder, cls, form, ordered: cls(
            None if form is None else read_index(decoder, form), ordered is True
        ),
    ),
)
