"""Everything that can go wrong with a quiz, each under its own name.

Students and instructors read the last two names in a notebook: no "Error" at their end.
"""

from __future__ import annotations


class QuizError(Exception):
    """Whatever a quiz refuses; the message says what is wrong and what to do."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the message. The lines of code that led here help nobody."""
        return [f"{type(self).__name__}: {self}"]


class BankError(QuizError):
    """A question file that can't be used; each line of the message names file, line and field."""


class AnswerError(QuizError):
    """What was typed is no answer to this question. Nothing was recorded."""


class AlreadyAnsweredError(QuizError):
    """Somebody answered the question since this form was drawn. Nothing was recorded."""


class NoAttempt(QuizError):  # noqa: N818
    """The question wasn't answered: no points."""


class NeedsReview(QuizError):  # noqa: N818
    """The attempt log is missing or damaged: an instructor has to look, it is not a zero."""
