"""The entries of the registry for sympy's expressions, as trees of its own classes.

Text is never parsed. A node is made without evaluation, so that the test gets the expression that
the student's code made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from autograder.judge.values.entries import Decoder, Encoder, Entry

_MAX_DEPTH = 60
_MAX_BITS = 1 << 17
_MAX_CELLS = 1_000_000
_NAME = re.compile(r"[^\0]{1,200}")


def _write(encoder: Encoder, obj: Any) -> list[Any]:
    return [_node(encoder, obj, 0)]


def _write_matrix(encoder: Encoder, obj: Any) -> list[Any]:
    rows, columns = map(int, obj.shape)
    if rows * columns > _MAX_CELLS:
        raise TypeError(f"a matrix of {rows} × {columns} cells can't cross to the test")
    return [[rows, columns], [_node(encoder, cell, 0) for cell in obj.flat()]]


def _node(encoder: Encoder, obj: Any, depth: int) -> Any:
    import sympy
    from sympy.core.function import AppliedUndef
    from sympy.core.singleton import Singleton
    from sympy.core.symbol import Str

    kind = type(obj)
    if depth > _MAX_DEPTH or not isinstance(obj, sympy.Basic):
        raise TypeError(f"a {kind.__name__} in an expression nested {depth} deep can't cross to "
                        "the test: return a simpler expression")  # fmt: skip
    if isinstance(kind, Singleton):
        return ["S", kind.__name__]
    if isinstance(obj, sympy.Rational):
        return ["Rational", encoder.encode(int(obj.p)), encoder.encode(int(obj.q))]
    if kind is sympy.Float:
        sign, mantissa, exponent, _ = obj._mpf_
        return ["Float", int(sign), encoder.encode(int(mantissa)), int(exponent), int(obj._prec)]
    if kind in (sympy.Symbol, sympy.Dummy):
        original = getattr(obj, "_assumptions_orig", None)
        assumptions = obj._assumptions.generator if original is None else original
        index = int(obj.dummy_index) if kind is sympy.Dummy else None
        return ["Symbol", obj.name, [[k, bool(v)] for k, v in assumptions.items()], index]
    if kind is Str:
        return ["Str", obj.name]
    args = [_node(encoder, arg, depth + 1) for arg in obj.args]
    if isinstance(obj, AppliedUndef):
        return ["Function", kind.__name__, args]
    if kind is sympy.Poly and (domain := _domain_name(obj)) is not None:
        return ["Poly", args[0], args[1:], domain]
    known = vars(sympy).get(kind.__name__) is kind or _is_known(kind)
    if not known or not _comes_back(obj):
        raise TypeError(f"a {kind.__name__} can't cross to the test: return an expression of "
                        "numbers, symbols and functions")  # fmt: skip
    return ["node", kind.__name__, args]


def _comes_back(obj: Any) -> bool:
    """Return whether the other side, which makes a node of its arguments, makes this one.

    A candidate whose message can't be read is ended, and an honest student would lose all points.
    """
    try:
        return bool(_node_of(type(obj), obj.args) == obj)
    except Exception:
        return False


def _domains() -> dict[str, Any]:
    import sympy

    return {"ZZ": sympy.ZZ, "QQ": sympy.QQ, "RR": sympy.RR, "CC": sympy.CC}


def _domain_name(poly: Any) -> str | int | None:
    """Return how a polynomial's domain crosses; None for one that its coefficients must tell."""
    if poly.domain.is_FiniteField and poly.domain.sym:
        return int(poly.domain.mod)
    return next((name for name, known in _domains().items() if known == poly.domain), None)


def _more_classes() -> dict[str, Any]:
    from sympy.functions.elementary.piecewise import ExprCondPair
    from sympy.tensor.array import ImmutableDenseNDimArray

    return {"ExprCondPair": ExprCondPair, "ImmutableDenseNDimArray": ImmutableDenseNDimArray}


def _is_known(kind: type) -> bool:
    return _more_classes().get(kind.__name__) is kind


def _class(name: Any) -> Any:
    import sympy

    cls = (vars(sympy) | _more_classes()).get(name) if type(name) is str else None
    if not isinstance(cls, type) or not issubclass(cls, sympy.Basic):
        raise ValueError(f"no class of sympy's: {name!r:.60}")
    return cls


def _read(decoder: Decoder, _: Any, node: Any) -> Any:
    return _made(decoder, node, 0)


def _read_matrix(decoder: Decoder, cls: Any, shape: list[Any], cells: list[Any]) -> Any:
    rows, columns = shape
    if type(rows) is not int or type(columns) is not int or not 0 <= rows * columns <= _MAX_CELLS:
        raise ValueError("a matrix's shape is two whole numbers")
    if len(cells) != rows * columns:
        raise ValueError("a matrix with too many or too few cells")
    return cls(rows, columns, [_made(decoder, cell, 0) for cell in cells])


def _made(decoder: Decoder, node: Any, depth: int) -> Any:
    if type(node) is not list or depth > _MAX_DEPTH:
        raise ValueError("no tree of sympy's, or too deep")
    return _HEADS[node[0]](decoder, depth, *node[1:])


def _singleton(_: Decoder, __: int, name: str) -> Any:
    import sympy
    from sympy.core.singleton import Singleton

    made = getattr(sympy.S, name)
    if not isinstance(type(made), Singleton):
        raise ValueError("no constant of sympy's")
    return made


def _whole(decoder: Decoder, value: Any) -> int:
    number = decoder.decode(value)
    if type(number) is not int or number.bit_length() > _MAX_BITS:
        raise ValueError("no whole number, or too large")
    return number


def _rational(decoder: Decoder, _: int, p: Any, q: Any) -> Any:
    import sympy

    return sympy.Rational(_whole(decoder, p), _whole(decoder, q))


def _float(decoder: Decoder, _: int, sign: Any, mantissa: Any, exponent: Any, bits: Any) -> Any:
    import sympy

    whole = _whole(decoder, mantissa)
    if any(type(n) is not int for n in (sign, exponent, bits)) or sign not in (0, 1) or whole < 0:
        raise ValueError("a Float is made of whole numbers")
    if abs(exponent) > _MAX_BITS or not 1 <= bits <= _MAX_BITS:
        raise ValueError("a Float too large to compute with")
    return sympy.Float._new((sign, whole, exponent, whole.bit_length()), bits, zero=False)


def _symbol(_: Decoder, __: int, name: Any, assumptions: Any, index: Any) -> Any:
    import sympy
    from sympy.core.assumptions import _assume_defined

    named = {str(key): value is True for key, value in assumptions}
    if not _is_name(name) or not named.keys() <= set(_assume_defined):
        raise ValueError("no symbol")
    if index is None:
        return sympy.Symbol(name, **named)
    if type(index) is not int:
        raise ValueError("a Dummy's number is a whole number")
    return sympy.Dummy(name, dummy_index=index, **named)


def _text(_: Decoder, __: int, name: Any) -> Any:
    from sympy.core.symbol import Str

    if not _is_name(name):
        raise ValueError("no name")
    return Str(name)


def _function(decoder: Decoder, depth: int, name: Any, args: list[Any]) -> Any:
    import sympy

    if not _is_name(name):
        raise ValueError("no function's name")
    return sympy.Function(name)(*[_made(decoder, arg, depth + 1) for arg in args])


def _branch(decoder: Decoder, depth: int, name: Any, nodes: list[Any]) -> Any:
    return _node_of(_class(name), [_made(decoder, node, depth + 1) for node in nodes])


def _node_of(cls: Any, args: Sequence[Any]) -> Any:
    """Make a node without evaluation, where its class allows it."""
    import sympy
    from sympy.core.operations import AssocOp, LatticeOp

    if cls in (sympy.Add, sympy.Mul, sympy.MatAdd, sympy.MatMul) and issubclass(cls, AssocOp):
        return cls._from_args(list(args))
    if issubclass(cls, sympy.Pow | sympy.Function | sympy.Rel | LatticeOp):
        return cls(*args, evaluate=False)
    return cls(*args)


def _poly(decoder: Decoder, depth: int, expr: Any, gens: list[Any], domain: Any) -> Any:
    import sympy

    if type(domain) is int and not 1 < domain < 1 << 64:
        raise ValueError("no field")
    nodes = [_made(decoder, node, depth + 1) for node in (expr, *gens)]
    known = sympy.GF(domain) if type(domain) is int else _domains()[domain]
    return sympy.Poly(*nodes, domain=known)


def _is_name(name: Any) -> bool:
    return type(name) is str and _NAME.fullmatch(name) is not None


_HEADS: dict[Any, Callable[..., Any]] = {
    "S": _singleton,
    "Rational": _rational,
    "Float": _float,
    "Symbol": _symbol,
    "Str": _text,
    "Function": _function,
    "Poly": _poly,
    "node": _branch,
}

ENTRIES: tuple[Entry, ...] = (
    Entry("sympy.Basic", _write, _read, derived=True),
    Entry("sympy.MutableDenseMatrix", _write_matrix, _read_matrix),
    Entry("sympy.MutableSparseMatrix", _write_matrix, _read_matrix),
)
