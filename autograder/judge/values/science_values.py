"""The entries of the registry for numpy's classes and scipy's sparse matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.judge.values.dtypes import dtype_from_json, dtype_to_json
from autograder.judge.values.entries import Decoder, Encoder, Entry

# numpy: arrays with more to them than an ndarray. They cross as copies.


def _write_array(encoder: Encoder, obj: Any) -> list[Any]:
    return encoder.array_body(np.asarray(obj))


def _read_array(decoder: Decoder, cls: Any, *body: Any) -> Any:
    return decoder.array(*body).view(cls)


def _write_masked(encoder: Encoder, obj: Any) -> list[Any]:
    mask = None if obj.mask is np.ma.nomask else encoder.array_body(obj.mask)
    fill = encoder.array_body(np.asarray(obj.fill_value))
    return [encoder.array_body(np.asarray(obj.data)), mask, fill]


def _read_masked(decoder: Decoder, cls: Any, data: Any, mask: Any, fill: Any) -> Any:
    kept = np.ma.nomask if mask is None else decoder.array(*mask)
    return cls(decoder.array(*data), mask=kept, fill_value=decoder.array(*fill)[()])


def _write_record(encoder: Encoder, obj: Any) -> list[Any]:
    return encoder.array_body(np.asarray(obj).reshape(1))


def _read_record(decoder: Decoder, _: Any, *body: Any) -> Any:
    return decoder.array(*body).view(np.recarray)[0]


def _write_polynomial(encoder: Encoder, obj: Any) -> list[Any]:
    parts = (obj.coef, obj.domain, obj.window)
    return [*[encoder.array_body(np.asarray(part)) for part in parts], str(obj.symbol)]


def _read_polynomial(
    decoder: Decoder, cls: Any, coef: Any, domain: Any, window: Any, symbol: str
) -> Any:
    parts = [decoder.array(*part) for part in (coef, domain, window)]
    return cls(*parts, symbol=symbol)


def _write_poly1d(encoder: Encoder, obj: Any) -> list[Any]:
    return [encoder.array_body(np.asarray(obj.coeffs)), str(obj.variable)]


def _read_poly1d(decoder: Decoder, cls: Any, coef: Any, variable: str) -> Any:
    return cls(decoder.array(*coef), variable=str(variable))


def _write_dtype(_: Encoder, obj: Any) -> list[Any]:
    return [dtype_to_json(obj)]


def _read_dtype(_: Decoder, __: Any, dtype: Any) -> Any:
    return dtype_from_json(dtype)


_POLYNOMIALS = ("Polynomial", "Chebyshev", "Legendre", "Laguerre", "Hermite", "HermiteE")

# scipy: a sparse matrix's stored elements and their places.

_MAX_EDGE = 1 << 31
_MAX_ROWS = 1 << 22  # a format with a place for each row, or column, takes memory for each
_COMPRESSED = ("csr", "csc")
_FORMATS = (*_COMPRESSED, "coo", "bsr", "dia", "lil", "dok")


def _write_sparse(encoder: Encoder, obj: Any) -> list[Any]:
    has_places = obj.format not in (*_COMPRESSED, "coo")
    if max(obj.shape) >= _MAX_EDGE or (has_places and sum(obj.shape) > _MAX_ROWS):
        raise TypeError("a sparse matrix of so many rows and columns can't cross to the test")
    if obj.format in _COMPRESSED:
        parts = [obj.data, obj.indices, obj.indptr]
    else:
        entries = obj.tocoo()
        if entries.ndim != 2:
            raise TypeError("a sparse array of other than two dimensions can't cross to the test")
        parts = [entries.data, entries.row, entries.col]
    return [list(map(int, obj.shape)), *map(encoder.array_body, parts)]


def _read_sparse(
    decoder: Decoder, cls: Any, shape: list[int], data: Any, first: Any, second: Any
) -> Any:
    size = tuple(shape)
    if len(size) != 2 or any(type(n) is not int or not 0 <= n < _MAX_EDGE for n in size):
        raise ValueError("a sparse matrix's shape is two whole numbers")
    parts = [decoder.array(*part) for part in (data, first, second)]
    if any(part.ndim != 1 or part.dtype.kind not in kind for part, kind in
           zip(parts, ("biufc", "iu", "iu"), strict=True)):  # fmt: skip
        raise ValueError("a sparse matrix is made of three rows of numbers")
    name = cls.__name__.partition("_")[0]
    if name in _COMPRESSED:
        made = cls(tuple(parts), shape=size)
        made.check_format(full_check=True)
        return made
    if name != "coo" and sum(size) > _MAX_ROWS:
        raise ValueError("a sparse matrix of too many rows and columns")
    from scipy import sparse

    values, *places = parts
    as_array = cls.__name__.endswith("array")
    make = sparse.coo_array if as_array else sparse.coo_matrix
    return make((values, tuple(places)), shape=size).asformat(name)


ENTRIES: tuple[Entry, ...] = (
    Entry("numpy.rec.recarray", _write_array, _read_array),
    Entry("numpy.matrix", _write_array, _read_array),
    Entry("numpy.rec.record", _write_record, _read_record),
    Entry("numpy.ma.MaskedArray", _write_masked, _read_masked),
    Entry("numpy.poly1d", _write_poly1d, _read_poly1d),
    *(
        Entry(f"numpy.polynomial.{name}", _write_polynomial, _read_polynomial)
        for name in _POLYNOMIALS
    ),
    Entry("numpy.dtype", _write_dtype, _read_dtype, derived=True),
    *(
        Entry(f"scipy.sparse.{name}_{kind}", _write_sparse, _read_sparse)
        for name in _FORMATS
        for kind in ("matrix", "array")
    ),
)
