"""How pandas' arrays and indices cross: as buffers, as numpy's arrays do.

The texts of a column cross as one buffer of UTF-8.
"""

from __future__ import annotations

import datetime
import re
import sys
import zoneinfo
from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.judge.values.entries import Decoder, Encoder

_NUMBERS = frozenset("biufcmM")
MASKED = ("IntegerArray", "FloatingArray", "BooleanArray")
_MAX_TEXTS = 1 << 24
_CLOSED = frozenset({"left", "right", "both", "neither"})
_STORAGES = frozenset({"python", "pyarrow"})
_FREQUENCY = re.compile(r"[A-Za-z0-9.-]{1,40}")
ZONES = (type(None), datetime.timezone, zoneinfo.ZoneInfo)


def library() -> Any:
    """Return pandas, which is imported when it is first needed."""
    import pandas

    return pandas


# Arrays: a list of a word and its fields.


def write_array(encoder: Encoder, array: Any) -> list[Any]:
    """Return the form of a column's array: a word and its fields."""
    kind = type(array).__name__
    if isinstance(array, np.ndarray):
        return _numpy(encoder, array)
    if kind in ("StringArray", "ArrowStringArray"):
        missing = np.asarray(array.isna())
        texts = _texts(encoder, np.asarray(array, dtype=object), missing)
        is_nan = getattr(array.dtype, "na_value", None) is np.nan
        return ["string", array.dtype.storage, is_nan, *texts, encoder.array_body(missing)]
    if kind == "Categorical":
        codes = encoder.array_body(np.asarray(array.codes))
        return ["category", codes, write_index(encoder, array.categories), bool(array.ordered)]
    if kind == "DatetimeArray":
        moments = encoder.array_body(array._ndarray)
        return ["datetime", moments, encoder.encode(zone_of(array.tz))]
    if kind == "TimedeltaArray":
        return ["timedelta", encoder.array_body(array._ndarray)]
    if kind == "PeriodArray":
        return ["period", encoder.array_body(array.asi8), period_name(array.dtype)]
    if kind == "IntervalArray":
        sides = [write_index(encoder, side) for side in (array.left, array.right)]
        return ["interval", *sides, array.closed]
    if kind in MASKED:
        parts = (array._data, array._mask)
        return ["masked", kind, *[encoder.array_body(part) for part in parts]]
    if kind == "SparseArray":
        dense = encoder.array_body(np.asarray(array))
        return ["sparse", dense, encoder.encode(array.fill_value)]
    if kind == "NumpyExtensionArray":
        return _numpy(encoder, np.asarray(array))
    raise TypeError(
        f"pandas' {array.dtype} can't cross to the test: convert it, for example "
        "df.astype(object)"
    )  # fmt: skip


def _numpy(encoder: Encoder, array: np.ndarray) -> list[Any]:
    if array.dtype.kind in _NUMBERS:
        return ["numbers", encoder.array_body(array)]
    if array.dtype.kind != "O":
        raise TypeError(f"a column of {array.dtype} can't cross to the test: use numbers or text")
    if array.size and library().api.types.infer_dtype(array, skipna=False) == "string":
        return ["text", *_texts(encoder, array, None)]
    return ["objects", [encoder.encode(item) for item in array.tolist()]]


def _texts(encoder: Encoder, array: np.ndarray, missing: np.ndarray | None) -> list[Any]:
    """Return buffer, separator and number of texts, which are split faster than cut by offsets."""
    items = array.tolist()
    for place in () if missing is None else np.flatnonzero(missing):
        items[place] = ""
    joined = "".join(items)
    separator = next(mark for mark in map(chr, range(sys.maxunicode)) if mark not in joined)
    buffer = encoder.buffer(separator.join(items).encode("utf-8", "surrogatepass"))
    return [buffer, separator, len(items)]


def read_array(decoder: Decoder, form: Any) -> Any:
    """Return the array of a form."""
    return _READERS[form[0]](decoder, *form[1:])


def _read_numbers(decoder: Decoder, body: Any) -> Any:
    array = decoder.array(*body)
    if array.dtype.kind not in _NUMBERS or array.ndim != 1:
        raise ValueError("a column is one row of numbers")
    return array


def _read_whole(decoder: Decoder, body: Any) -> Any:
    array = _read_numbers(decoder, body)
    if array.dtype.kind != "i":
        raise ValueError("a column's codes are whole numbers")
    return array


def _read_flags(decoder: Decoder, body: Any) -> Any:
    array = _read_numbers(decoder, body)
    if array.dtype != np.bool_:
        raise ValueError("a mask is made of bools")
    return array


def _read_objects(decoder: Decoder, items: list[Any]) -> Any:
    if type(items) is not list:
        raise ValueError("a column of objects is a list")
    array = np.empty(len(items), object)
    for place, item in enumerate(items):
        array[place] = decoder.decode(item)
    return array


def _read_text(decoder: Decoder, buffer: int, separator: str, count: int) -> Any:
    text = str(decoder.buffers[buffer], "utf-8", "surrogatepass")
    if type(separator) is not str or len(separator) != 1 or type(count) is not int:
        raise ValueError("texts without a separator")
    found = text.count(separator) + 1 if count or text else 0
    if found != count or count > _MAX_TEXTS:
        raise ValueError("a column of too many or too few texts")
    array = np.empty(count, object)
    array[:] = text.split(separator) if count else []
    return array


def _read_string(decoder: Decoder, storage: str, is_nan: Any, *texts_and_mask: Any) -> Any:
    *fields, missing = texts_and_mask
    texts, mask = _read_text(decoder, *fields), _read_flags(decoder, missing)
    if storage not in _STORAGES or len(mask) != len(texts):
        raise ValueError("a column of strings with a mask of another length")
    texts[mask] = np.nan if is_nan is True else library().NA
    return library().array(texts, dtype=string_dtype(storage, is_nan))


def string_dtype(storage: str, is_nan: Any) -> Any:
    """Return pandas' dtype for strings with this storage and missing value."""
    if is_nan is True:  # earlier versions of pandas know NA only, and not this argument
        return library().StringDtype(storage, na_value=np.nan)
    return library().StringDtype(storage)


def _read_category(decoder: Decoder, codes: Any, categories: Any, ordered: Any) -> Any:
    return library().Categorical.from_codes(
        _read_whole(decoder, codes), read_index(decoder, categories), ordered=ordered is True
    )


def _read_datetime(decoder: Decoder, body: Any, tz: Any) -> Any:
    moments = _of_kind(_read_numbers(decoder, body), "M")
    index = library().DatetimeIndex(moments)
    zone = _checked_zone(decoder.decode(tz))
    return (index if zone is None else index.tz_localize("UTC").tz_convert(zone)).array


def _read_timedelta(decoder: Decoder, body: Any) -> Any:
    return library().TimedeltaIndex(_of_kind(_read_numbers(decoder, body), "m")).array


def _read_period(decoder: Decoder, body: Any, frequency: str) -> Any:
    return library().arrays.PeriodArray(_read_whole(decoder, body), dtype=period_dtype(frequency))


def _read_interval(decoder: Decoder, left: Any, right: Any, closed: str) -> Any:
    if closed not in _CLOSED:
        raise ValueError("no such kind of interval")
    sides = [read_index(decoder, side) for side in (left, right)]
    return library().arrays.IntervalArray.from_arrays(*sides, closed=closed)


def _read_masked(decoder: Decoder, kind: str, data: Any, mask: Any) -> Any:
    if kind not in MASKED:
        raise ValueError("no such array")
    return getattr(library().arrays, kind)(_read_numbers(decoder, data), _read_flags(decoder, mask))


def _read_sparse(decoder: Decoder, dense: Any, fill: Any) -> Any:
    return library().arrays.SparseArray(
        _read_numbers(decoder, dense), fill_value=decoder.decode(fill)
    )  # fmt: skip


def _of_kind(array: Any, kind: str) -> Any:
    if array.dtype.kind != kind or np.datetime_data(array.dtype)[0] not in ("s", "ms", "us", "ns"):
        raise ValueError("a column of times counts seconds, or parts of them")
    return array


def zone_of(tz: Any) -> Any:
    """Return a time zone that can cross; pytz's zones become those of zoneinfo."""
    if hasattr(tz, "zone") and isinstance(tz.zone, str):  # pytz's
        return zoneinfo.ZoneInfo(tz.zone)
    if type(tz) not in ZONES:
        raise TypeError(f"a time zone of class {type(tz).__name__} can't cross to the test: use "
                        "zoneinfo.ZoneInfo")  # fmt: skip
    return tz


def _checked_zone(tz: Any) -> Any:
    if type(tz) not in ZONES:
        raise ValueError("no time zone")
    return tz


def period_name(dtype: Any) -> str:
    """Return the name of a period's frequency, as `period_dtype` takes it."""
    return str(dtype).removeprefix("period[").removesuffix("]")


def _frequency(text: Any) -> str:
    if type(text) is not str or not _FREQUENCY.fullmatch(text):
        raise ValueError("no frequency")
    return text


def period_dtype(frequency: Any) -> Any:
    """Return the dtype for periods of this frequency."""
    return library().PeriodDtype(_frequency(frequency))


_READERS: dict[Any, Callable[..., Any]] = {
    "numbers": _read_numbers,
    "objects": _read_objects,
    "text": _read_text,
    "string": _read_string,
    "category": _read_category,
    "datetime": _read_datetime,
    "timedelta": _read_timedelta,
    "period": _read_period,
    "interval": _read_interval,
    "masked": _read_masked,
    "sparse": _read_sparse,
}


# Indices.


def write_index(encoder: Encoder, index: Any) -> list[Any]:
    """Return the form of an index: a word, the names, and the word's fields."""
    kind = type(index).__name__
    names = [encoder.encode(name) for name in index.names]
    if kind == "RangeIndex":
        return ["range", names, [index.start, index.stop, index.step]]
    if kind == "MultiIndex":
        levels = [write_index(encoder, level) for level in index.levels]
        codes = [encoder.array_body(np.asarray(part)) for part in index.codes]
        return ["multi", names, levels, codes]
    frequency = getattr(index, "freqstr", None) if kind != "PeriodIndex" else None
    return ["index", names, write_array(encoder, index._values), frequency]


def read_index(decoder: Decoder, form: Any) -> Any:
    """Return the index of a form."""
    pd = library()
    word, names, *fields = form
    labels = [decoder.decode(name) for name in names]
    if word == "range":
        (bounds,) = fields
        if any(type(n) is not int or abs(n) >= 1 << 62 for n in bounds):
            raise ValueError("a range of other than whole numbers")
        index = pd.RangeIndex(*bounds)
    elif word == "multi":
        levels, codes = fields
        parts = [_read_whole(decoder, part) for part in codes]
        made = [read_index(decoder, level) for level in levels]
        return pd.MultiIndex(levels=made, codes=parts, names=labels)
    else:
        array, frequency = fields
        values = read_array(decoder, array)
        index = pd.Index(values, dtype=values.dtype, copy=False, tupleize_cols=False)
        if frequency is not None:
            index.freq = _frequency(frequency)
    (index.name,) = labels
    return index
