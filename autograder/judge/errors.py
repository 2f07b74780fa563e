"""What can go wrong between a test and a student's code."""

from __future__ import annotations

TIME_IS_UP = "the cell's time is up"


class JudgeError(Exception):
    """Something about the judge itself; never raised for what a student's code does."""


class JudgeFaultError(BaseException):
    """The judge itself failed: the submission could not be run, and nobody gets a zero for it.

    Not an `Exception`, so that no test can take it for an error of the student's.
    """


class NeedsReview(Exception):  # noqa: N818 - the name is the signal, in the output too
    """A test can't decide: no score by machine.

    Any exception of this name means the same if a test raised it; never if a student's code did.
    """


# The module of exception classes that stand for a student's own.
STUDENT_MODULE = "student"


class CandidateLostError(BaseException):
    """The candidate is gone, was killed, or sent what can't be understood.

    Not an `Exception`, so that a test's `except Exception` can't take it for the error that it
    expected from the student's function.
    """


class OverTimeError(BaseException):
    """A cell used up its time; not an `Exception`, for the same reason."""


class ContradictionError(TypeError):
    """A student's object says one thing and does another: no test can rely on it."""


class RefusedError(TypeError):
    """A test asked for something that a student's object may not answer; says what to write."""


class RefusedAttributeError(RefusedError, AttributeError):
    """The same inside attribute look-up, where `hasattr` needs an AttributeError."""
