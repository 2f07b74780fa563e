"""The base of the errors that a student's notebook shows."""

from __future__ import annotations


class StudentFacingError(RuntimeError):
    """The base of the course's own errors. The message says what is wrong and what to do."""

    def _render_traceback_(self) -> list[str]:
        """Show only the message in a notebook, because the traceback doesn't help a student."""
        return [f"{type(self).__name__}: {self}"]
