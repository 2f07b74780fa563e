"""Cells of CSV files that a spreadsheet opens."""

from __future__ import annotations

from typing import Any


def safe_cell(value: Any) -> Any:
    """A value as a cell that no spreadsheet takes for a formula.

    Spreadsheets run a text that begins with one of =+-@, a tab or a carriage return; a name that a
    student chose could be such a text. An apostrophe before it makes it a text. Numbers stay.
    """
    if isinstance(value, bool | int | float) or value is None:
        return "" if value is None else value
    text = str(value)
    return (
        f"'{text}" if text.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text
    )
