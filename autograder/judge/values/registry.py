"""The table of the library types that cross by value, found by an object's class or by a tag.

A library is imported when the first object of it crosses, so a library that an assignment doesn't
use costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autograder.judge.values import pandas_values, science_values, standard_values, sympy_values
from autograder.judge.values.entries import Decoder, Entry, Mutable, by_attributes


class Registry:
    """All entries, found by an object's class or by a tag."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self._by_package: dict[str, list[Entry]] = {}
        self._by_type: dict[type, Entry] = {}

    def add(self, entries: Iterable[Entry]) -> None:
        """Add entries.

        Raises:
            ValueError: the table has the tag already.
        """
        for entry in entries:
            if entry.tag in self.entries:
                raise ValueError(f"{entry.tag} is registered twice")
            self.entries[entry.tag] = entry
            self._by_package.setdefault(entry.package, []).append(entry)

    def register(self, values: Mapping[str, Sequence[str]]) -> None:
        """Add a course's own types, for this process; a tag that the table has stays as it is."""
        self.add(
            by_attributes(tag, tuple(names))
            for tag, names in values.items()
            if tag not in self.entries
        )

    def decode(self, decoder: Decoder, tag: Any, *fields: Any) -> Any:
        """Make an object of a type that a course registered."""
        return self.entries[tag].decode(decoder, *fields)

    def find(self, kind: type) -> Entry | None:
        """Return the entry for objects of exactly this class, or None; imports nothing."""
        if (known := self._by_type.get(kind)) is not None:
            return known
        package = kind.__module__.partition(".")[0] if isinstance(kind.__module__, str) else ""
        for entry in self._by_package.get(package, ()):
            cls = entry.loaded()
            if cls is kind or (entry.derived and cls is not None and issubclass(kind, cls)):
                self._by_type[kind] = entry
                return entry
        return None

    def mutable(self, obj: Any) -> Mutable | None:
        """Return how an object's changes cross, or None."""
        entry = self.find(type(obj))
        return None if entry is None else entry.mutable


REGISTRY = Registry()
for _table in (standard_values, science_values, pandas_values, sympy_values):
    REGISTRY.add(_table.ENTRIES)
