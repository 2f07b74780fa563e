"""Who raised an exception, and whether CUDA failed; no class name and no message decides it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch

from autograder.judge.errors import STUDENT_MODULE, NeedsReview, RefusedError
from autograder.judge.result import Ended

_THEIRS = "_raised_by_the_students_code"
_CUDA = "_raised_by_cuda"
_CUDA_ERRORS = (torch.OutOfMemoryError, torch.AcceleratorError)


def mark_theirs(error: BaseException) -> None:
    """Note that a student's code raised this error, whatever its class is."""
    vars(error)[_THEIRS] = True


def is_theirs(error: BaseException) -> bool:
    """Return whether a student's code raised this error; its class can be forged."""
    return _THEIRS in vars(error)


def mark_cuda_failure(error: BaseException) -> None:
    """Note that this error was, on the other side, torch's own error for a GPU."""
    vars(error)[_CUDA] = True


def is_cuda_failure(error: object) -> bool:
    """Return whether torch raised this error because a GPU failed or had no memory left.

    The error's message and its class's name don't count, because a student can choose both. A
    student can still raise torch's own class. This gains as much as a dead process does: the same
    submission runs once more, on the CPU.
    """
    if not isinstance(error, BaseException):
        return False
    return _CUDA in vars(error) or (isinstance(error, _CUDA_ERRORS) and not is_theirs(error))


def make_error(kind: type[Exception], args: Any, message: str) -> Exception:
    """Make an exception of a class that may not take the arguments it is said to have."""
    plain = isinstance(args, list) and all(
        type(arg) in (type(None), bool, int, float, str) for arg in args
    )
    for attempt in (args if plain else [message], [message]):
        with contextlib.suppress(Exception):
            return kind(*attempt)
    with contextlib.suppress(Exception):  # a class that needs more than a message
        error = kind.__new__(kind)
        error.args = (message,)
        return error
    return RuntimeError(f"{kind.__name__}: {message}")


def how_it_ended(error: BaseException) -> Ended:
    """Classify an error by who raised it and by the judge's own classes, never by its text."""
    is_students = is_theirs(error) or type(error).__module__ == STUDENT_MODULE
    if type(error).__name__ == NeedsReview.__name__ and not is_students:
        return Ended.NEEDS_REVIEW
    causes = list(_causes(error))
    if any(isinstance(cause, RefusedError) and not is_theirs(cause) for cause in causes):
        return Ended.REFUSED
    return Ended.CUDA_FAILED if any(map(is_cuda_failure, causes)) else Ended.RAISED


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its causes, because a library may wrap a refusal in its own error."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def message_of(error: BaseException) -> str:
    """Return an error's message; empty if the error can't give it."""
    try:
        return str(error)
    except Exception:
        return ""
