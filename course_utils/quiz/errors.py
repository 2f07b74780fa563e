"""The errors of a quiz.

Students and instructors read the names `NoAttempt` and `NeedsReview` in a notebook. These names
don't end in "Error", because nothing is wrong with the code.
"""

from __future__ import annotations

from course_utils.errors import StudentFacingError


class QuizError(StudentFacingError):
    """The base of all errors of a quiz. The message says what is wrong and what to do."""


class BankError(QuizError):
    """A question file can't be used. Each line of the message names a file, a line and a field."""


class AnswerError(QuizError):
    """The input is not an answer to this question. Nothing was recorded."""


class AlreadyAnsweredError(QuizError):
    """The question was answered elsewhere after this form was drawn. Nothing was recorded."""


class NoAttempt(QuizError):  # noqa: N818
    """The question wasn't answered, so it gets no points."""


class NeedsReview(QuizError):  # noqa: N818
    """The attempt log is missing or damaged. An instructor has to look; this is not a zero."""
