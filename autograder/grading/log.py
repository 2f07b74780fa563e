"""The log: a file in the course folder with the traceback of every fault of the autograder.

`autograder --verbose COMMAND` shows the same on the screen, with the steps of the command. The log
has no other setting.
"""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from textwrap import indent

NAME = "autograder.log"
LOGGER = logging.getLogger("autograder")
_FORMAT = "%(asctime)s %(levelname)s %(message)s"


def show() -> None:
    """Show the log on the screen, too."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(_FORMAT))
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.DEBUG)


def printable(text: str) -> str:
    """The text with escapes in place of characters that a terminal obeys or hides.

    A submission's texts and file names must not move the cursor or change what stands beside them.
    """
    return "".join(
        char if char.isprintable() or char in "\n\t" else ascii(char)[1:-1] for char in text
    )


def write_fault(folder: Path, title: str, traceback: str) -> str:
    """Append a fault to the log; only its first line is not indented, so none can be forged.

    Args:
        folder: the folder of the log file.
        title: what failed.
        traceback: the traceback of the failure.

    Returns:
        A sentence that names the file.
    """
    if LOGGER.handlers:
        LOGGER.error("%s\n%s", title, traceback)
    message = indent(printable(f"{title}\n{traceback}\n"), "  ").lstrip()
    record = logging.makeLogRecord({"msg": message, "levelname": "ERROR"})
    text = logging.Formatter(_FORMAT).format(record)
    path = folder / NAME
    try:
        with path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError as error:
        return f"{path} can't be written ({error.strerror}): see the traceback with --verbose"
    return f"the traceback is in {path}"


def traceback_of(error: Exception) -> str:
    """The traceback as Python prints it."""
    return "".join(traceback.format_exception(error))
