"""What the commands say when they can't go on: what is wrong, and what to do about it."""

from __future__ import annotations


class AutograderError(Exception):
    """A problem that its reader can mend.

    Args:
        problem: the thing by name, and what was expected of it.
        remedy: what to do, as a command or a sentence.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}\n  → {remedy}")
        self.problem = problem
        self.remedy = remedy


class CourseError(AutograderError):
    """The folder is not a course, or lacks what was asked for."""


class ReleaseError(AutograderError):
    """An assignment can't be released, or what was released is not what the source says."""


class SubmissionError(AutograderError):
    """One submission can't be graded by a machine. The others go on."""


class GradebookError(AutograderError):
    """The gradebook can't be read or written. Nothing was changed."""


class TestsRefusedError(AutograderError):
    """The judge refuses what an assignment's tests ask for, whatever a student hands in."""


class JudgeFailedError(AutograderError):
    """The judge ended before it had judged all: our fault or the machine's, never a zero.

    Args:
        problem: what happened.
        details: its traceback, for the log.
    """

    def __init__(self, problem: str, details: str) -> None:
        super().__init__(problem, "run the command again; if it says the same, report the fault")
        self.details = details
