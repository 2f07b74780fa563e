"""CSV files that a spreadsheet opens, or has written."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any


def read_rows(path: Path, *, strict: bool = False) -> csv.DictReader[str]:
    """The rows of a CSV file in UTF-8, by the names in its heading.

    Spreadsheets separate cells by a comma, a semicolon or a tab, as the user's language wants it.

    Args:
        path: the file.
        strict: whether to raise csv.Error for what is no CSV.

    Raises:
        OSError: the file can't be read.
        UnicodeDecodeError: it is not in UTF-8.
    """
    text = path.read_text(encoding="utf-8-sig")
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    return csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)


# Where a spreadsheet may begin a cell within a text: it separates by semicolons in most of Europe,
# and then no quotes hold the text of a comma-separated file together.
_WITHIN = re.compile(r'([;\t\r\n][\s"]*)(?=[=+\-@])')


def safe_cell(value: Any) -> Any:
    """A value as a cell that no spreadsheet takes for a formula.

    Spreadsheets run a text that begins with one of =+-@, a tab or a carriage return; a name that a
    student chose could be such a text. An apostrophe before it makes it a text. Numbers stay.
    """
    if isinstance(value, bool | int | float) or value is None:
        return "" if value is None else value
    text = _WITHIN.sub(r"\1'", str(value))
    begins = text.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    return f"'{text}" if begins else text
