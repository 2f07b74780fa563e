"""Errors of the commands: each message says what is wrong, and what to do about it."""

from __future__ import annotations


class AutograderError(Exception):
    """A problem that the user can solve.

    Args:
        problem: what is wrong; it names the thing, and what was expected of it.
        remedy: what to do, as a command or a sentence.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}\n  → {remedy}")
        self.problem = problem
        self.remedy = remedy


class CourseError(AutograderError):
    """The folder is not a course, or lacks something that was asked for."""


class ReleaseError(AutograderError):
    """An assignment can't be released, or its release differs from its source."""


class SubmissionError(AutograderError):
    """One submission can't be graded by a machine. The other submissions go on."""


class GradebookError(AutograderError):
    """The gradebook can't be read or written. It was not changed."""


class TestsRefusedError(AutograderError):
    """The judge refuses a test of the assignment for every submission."""


class JudgeFailedError(AutograderError):
    """The judge ended before it had judged all tests, so the submission gets no scores.

    The fault is the autograder's or the machine's.

    Args:
        problem: what happened.
        details: the traceback, for the log.
    """

    def __init__(self, problem: str, details: str) -> None:
        super().__init__(problem, "run the command again; if it says the same, report the fault")
        self.details = details


class RemoteFailureError(AutograderError):
    """A worker could not run a submission, which is not to blame.

    Args:
        problem: what happened, and where.
        details: the traceback, for the log.
    """

    def __init__(self, problem: str, details: str) -> None:
        super().__init__(problem, "look at the worker's machine, then run the command again")
        self.details = details
