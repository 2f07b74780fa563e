"""Whose an exception is, and whether CUDA made it: never decided by a name, or by a message."""

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
    """Note that a student's code raised this, whatever class it is of."""
    vars(error)[_THEIRS] = True


def is_theirs(error: BaseException) -> bool:
    """Whether a student's code raised this; its class can't say so, that can be forged."""
    return _THEIRS in vars(error)


def mark_cuda_failure(error: BaseException) -> None:
    """Note that this was torch's own error for a GPU on the other side."""
    vars(error)[_CUDA] = True


def is_cuda_failure(error: object) -> bool:
    """Whether torch raised this because a GPU failed, or had no memory left.

    What the error says isn't looked at, nor what its class is called: a student's may say and be
    called the same. Raising torch's own class is still possible, and buys what any dead process
    does: the same submission once more, on the CPU.
    """
    if not isinstance(error, BaseException):
        return False
    return _CUDA in vars(error) or (isinstance(error, _CUDA_ERRORS) and not is_theirs(error))


def make_error(kind: type[Exception], args: Any, message: str) -> Exception:
    """An exception of a class that may not take the arguments that it is said to have."""
    plain = isinstance(args, list) and all(
        type(arg) in (type(None), bool, int, float, str) for arg in args
    )
    for attempt in (args if plain else [message], [message]):
        with contextlib.suppress(Exception):
            return kind(*attempt)
    return RuntimeError(f"{kind.__name__}: {message}")


def how_it_ended(error: BaseException) -> Ended:
    """By who raised the error, and by its class where that was ours; never by what it says."""
    theirs = is_theirs(error) or type(error).__module__ == STUDENT_MODULE
    if type(error).__name__ == NeedsReview.__name__ and not theirs:
        return Ended.NEEDS_REVIEW
    causes = list(_causes(error))
    if any(isinstance(one, RefusedError) and not is_theirs(one) for one in causes):
        return Ended.REFUSED
    return Ended.CUDA_FAILED if any(map(is_cuda_failure, causes)) else Ended.RAISED


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what led to it: a library may wrap a refusal in an error of its own."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def message_of(error: BaseException) -> str:
    """What an error says; nothing if its class can't say it."""
    try:
        return str(error)
    except Exception:
        return ""
