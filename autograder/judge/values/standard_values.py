"""The entries of the registry for the standard library and IPython."""

from __future__ import annotations

import datetime
import functools
import re
import zoneinfo
from decimal import Decimal
from typing import Any

from autograder.judge.values.entries import Decoder, Encoder, Entry, value

_MAX_TEXT = 1 << 20
_MAX_PATTERN = 10_000
_MAX_EXPONENT = 10_000  # int(Decimal("1e999999999")) would take the machine's memory
_ZONE = (type(None), datetime.timezone, zoneinfo.ZoneInfo)
_MATCHING = ("search", "match", "fullmatch")


def _decimal(cls: Any, text: str) -> Any:
    number = cls(text)
    if len(text) > _MAX_TEXT or (number.is_finite() and abs(number.adjusted()) > _MAX_EXPONENT):
        raise ValueError("a Decimal too large to compute with")
    return number


def _decimal_apart(number: Decimal) -> tuple[str]:
    if number.is_finite() and abs(number.adjusted()) > _MAX_EXPONENT:
        raise TypeError("a Decimal too large to compute with can't cross to the test")
    text = str(number)
    if len(text) > _MAX_TEXT:
        raise TypeError("a Decimal of so many digits can't cross to the test")
    return (text,)


def _fraction(cls: Any, numerator: int, denominator: int) -> Any:
    if denominator < 1:
        raise ValueError("a fraction's denominator is positive")
    return cls(numerator, denominator)


@functools.cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def zone(cls: Any, key: str) -> Any:
    """Return the time zone of this key, of those that this computer knows."""
    if key not in _zones():
        raise ValueError(f"no such time zone: {key!r:.60}")
    return cls(key)


def _datetime(cls: Any, *fields: Any) -> Any:
    *numbers, fold, tz = fields
    return cls(*numbers, tzinfo=tz, fold=fold)


def _pattern_apart(pattern: re.Pattern[Any]) -> tuple[str | bytes, int]:
    if len(pattern.pattern) > _MAX_PATTERN:
        raise TypeError("a pattern as long as this one can't cross to the test")
    return pattern.pattern, pattern.flags & ~int(re.DEBUG)


def _pattern(_: Any, text: str | bytes, flags: int) -> re.Pattern[Any]:
    if len(text) > _MAX_PATTERN or flags & re.DEBUG:
        raise ValueError("a pattern too long to compile")
    return re.compile(text, flags)


def _write_match(encoder: Encoder, match: re.Match[Any]) -> list[Any]:
    """Write how to find the match again, because a match can't be made otherwise."""
    for start in (match.pos, match.start()):
        for name in _MATCHING:
            found = getattr(match.re, name)(match.string, start, match.endpos)
            if found is not None and found.regs == match.regs:
                where = [name, start, match.endpos]
                return [encoder.encode(match.re), encoder.encode(match.string), *where]
    raise TypeError("this match can't cross to the test: return match.groups()")


def _read_match(
    decoder: Decoder, _: Any, pattern: Any, text: Any, name: str, start: int, end: int
) -> re.Match[Any]:
    compiled, string = decoder.decode(pattern), decoder.decode(text)
    if not isinstance(compiled, re.Pattern) or name not in _MATCHING:
        raise ValueError("a match of no pattern")
    found = getattr(compiled, name)(string, start, end)
    if not isinstance(found, re.Match):
        raise ValueError("a match where nothing matches")
    return found


def _write_list(encoder: Encoder, items: Any) -> list[Any]:
    return [[encoder.encode(item) for item in items]]


def _read_list(decoder: Decoder, cls: Any, items: list[Any]) -> Any:
    return cls([decoder.decode(item) for item in items])


_ADDRESSES = ("IPv4Address", "IPv6Address", "IPv4Network", "IPv6Network")
_INTS = (int,) * 7

ENTRIES: tuple[Entry, ...] = (
    value("fractions.Fraction", (int, int), lambda x: (x.numerator, x.denominator), _fraction),
    value("decimal.Decimal", (str,), _decimal_apart, _decimal),
    value("datetime.timedelta", (int,) * 3, lambda x: (x.days, x.seconds, x.microseconds)),
    value("datetime.date", (int,) * 3, lambda x: (x.year, x.month, x.day)),
    value(
        "datetime.time",
        (*(int,) * 5, _ZONE),
        lambda x: (x.hour, x.minute, x.second, x.microsecond, x.fold, x.tzinfo),
        _datetime,
    ),
    value(
        "datetime.datetime",
        (*_INTS, int, _ZONE),
        lambda x: (
            *(x.year, x.month, x.day, x.hour, x.minute, x.second, x.microsecond),
            *(x.fold, x.tzinfo),
        ),
        _datetime,
    ),
    value(
        "datetime.timezone",
        (datetime.timedelta, (str, type(None))),
        lambda x: (x.utcoffset(None), None if x == datetime.UTC else x.tzname(None)),
        lambda cls, offset, name: cls.utc if name is None else cls(offset, name),
    ),
    value("zoneinfo.ZoneInfo", (str,), lambda x: (x.key,), zone),
    value("uuid.UUID", (int,), lambda x: (x.int,), lambda cls, number: cls(int=number)),
    value("re.Pattern", ((str, bytes), int), _pattern_apart, _pattern),
    Entry("re.Match", _write_match, _read_match),
    *(value(f"ipaddress.{name}", (str,), lambda x: (str(x),)) for name in _ADDRESSES),
    value("statistics.NormalDist", (float, float), lambda x: (float(x.mean), float(x.stdev))),
    Entry("IPython.utils.text.SList", _write_list, _read_list),
    value("IPython.utils.text.LSString", (str,), lambda x: (str(x),)),
    *(
        value(f"pathlib.{name}", (str,), lambda x: (str(x),))
        for name in ("PosixPath", "PurePosixPath", "PureWindowsPath")
    ),
)
