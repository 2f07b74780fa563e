"""The errors that occur between a test and a student's code."""

from __future__ import annotations

TIME_IS_UP = "the cell's time is up"


class JudgeError(Exception):
    """An error of the judge itself; never raised because of a student's code."""


class JudgeFaultError(BaseException):
    """The judge itself failed, so the submission could not be run, and nobody gets a zero for it.

    It is not an `Exception`, so that no test can take it for an error of the student's code.
    """


class NeedsReview(Exception):  # noqa: N818 - the name is the signal, in the output too
    """A test can't decide, so a person must give the score.

    Any exception of this name means the same if a test raised it, but not if a student's code did.
    """


# The `__module__` of the exception classes that stand for a student's own classes.
STUDENT_MODULE = "student"


class CandidateLostError(BaseException):
    """The candidate is gone, was killed, or sent a message that can't be read.

    It is not an `Exception`, so that a test's `except Exception` can't take it for the error that
    the test expected from the student's function.
    """


class OverTimeError(BaseException):
    """A cell used up its time; not an `Exception`, as `CandidateLostError` isn't."""


class ContradictionError(TypeError):
    """A student's object contradicts itself, so no test can rely on it."""


class RefusedError(TypeError):
    """A test asked a student's object a forbidden question; the message says what to write."""


class RefusedAttributeError(RefusedError, AttributeError):
    """A refusal inside attribute look-up, where `hasattr` needs an AttributeError."""
