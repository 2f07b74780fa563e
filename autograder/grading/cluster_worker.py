"""The end of a cluster that runs submissions: what a Dask worker calls, and what it keeps.

A worker is a process with a thread for each slot. Student code never runs in it: like the local
engine, it lets warm processes fork the processes of a submission. It keeps the warm processes of an
assignment's version until another version is asked for.
"""

from __future__ import annotations

import json
import pickle
import platform
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.metadata import version as version_of
from multiprocessing.util import Finalize
from typing import Any

from nbformat import NotebookNode

from autograder.errors import AutograderError, JudgeFailedError
from autograder.grading.execute import Executed, execute
from autograder.grading.prepare import Prepared
from autograder.grading.settings import ENGINE, Settings
from autograder.grading.warm_up import Warm, warm_processes
from autograder.sandbox.launch import isolation_problem
from autograder.sandbox.process import LaunchError
from autograder.sandbox.view import gpus


@dataclass(frozen=True)
class Version:
    """What all submissions of an assignment share; it travels to each worker once.

    Attributes:
        sources: notebooks by name, as the instructor wrote them.
        files: the assignment's own files.
        settings: how submissions are run.
    """

    sources: dict[str, NotebookNode]
    files: dict[str, bytes]
    settings: Settings

    def without(self, prepared: Prepared) -> Prepared:
        """The submission without what the version has: what travels."""
        own = {path: data for path, data in prepared.files.items() if data != self.files.get(path)}
        return replace(prepared, sources={}, files=own)

    def complete(self, prepared: Prepared) -> Prepared:
        """The submission as it was before `without`."""
        return replace(prepared, sources=self.sources, files=self.files | prepared.files)


@cache
def versions() -> dict[str, str]:
    """What must be the same on all machines of a cluster, so that a score doesn't depend on one."""
    return {
        "engine": ENGINE,
        "python": platform.python_version(),
        "torch": version_of("torch").partition("+")[0],  # built for the CPU or for CUDA
        "distributed": version_of("distributed"),
    }


def refusal(wanted: dict[str, str], device: str) -> str | None:
    """Why this worker can't run the submissions of a client; None if it can.

    Args:
        wanted: the client's `versions()`.
        device: "cpu" or "cuda".
    """
    if differences := version_differences(wanted, versions()):
        return differences
    if device == "cuda" and not gpus():
        return "it offers CUDA, but its machine has no CUDA device"
    problem = isolation_problem()
    return f"its machine can't isolate student code: {problem}" if problem else None


def version_differences(wanted: dict[str, str], there: dict[str, str]) -> str | None:
    """The versions that differ between the instructor's machine and another; None if none does."""
    return (
        "; ".join(
            f"it has {name} {there.get(name, '(none)')}, this machine has {name} {version}"
            for name, version in wanted.items()
            if there.get(name) != version
        )
        or None
    )


def run_batch(version: bytes, digest: str, batch: bytes, wanted: dict[str, str]) -> bytes:
    """Run some submissions one after another.

    Args:
        version: a pickled `Version`.
        digest: a hash of it.
        batch: a pickled list of pairs: a submission's key, and its `Prepared` without what the
            version has.
        wanted: the client's `versions()`; a worker that joins later is checked here.

    Returns:
        JSON, as `cluster.Reply` describes it. Nothing is raised: an exception would be pickled.
    """
    try:
        with _held(version, digest, wanted) as held:
            runs = [held.run(key, prepared) for key, prepared in pickle.loads(batch)]  # noqa: S301
            return json.dumps({"refused": None, "runs": runs}).encode()
    except Exception as error:  # as the local engine, which stops the run if it can't start
        details = "".join(traceback.format_exception(error))
        message = error.problem if isinstance(error, AutograderError) else repr(error)
        return json.dumps({"refused": message, "details": details, "runs": []}).encode()


class RefusedError(AutograderError):
    """This worker can't run a client's submissions."""


class _Held:
    """The warm processes of one version, and how many threads use them."""

    def __init__(self, version: Version) -> None:
        self.version = version
        self.warm: Warm = warm_processes(version.sources.values(), version.settings)
        self.users = 0
        self.broken = False

    def run(self, key: str, prepared: Prepared) -> dict[str, Any]:
        """One submission as plain data."""
        head = {"student": prepared.student, "key": key}
        try:
            complete = self.version.complete(prepared)
            executed = execute(complete, self.warm, self.version.settings)
        except Exception as error:  # not the submission's fault; the others go on
            self.broken |= isinstance(error, LaunchError)
            return head | {"executed": None, "failure": _failure(error)}
        return head | {"executed": _plain(executed), "failure": None}


def _plain(executed: Executed) -> dict[str, Any]:
    """What the score depends on, and the notebooks for people, as JSON has it."""
    cells = {name: asdict(replace(cell, outputs=[])) for name, cell in executed.cells.items()}
    return {
        "notebooks": executed.notebooks,  # these have the outputs
        "cells": cells,
        "reason": executed.reason,
        "seconds": executed.seconds,
        "core_seconds": executed.core_seconds,
        "starved": executed.starved,
    }


def _failure(error: Exception) -> dict[str, str]:
    details = "".join(traceback.format_exception(error))
    if isinstance(error, JudgeFailedError):
        details += f"\nThe judge's own:\n{error.details}"
    known = isinstance(error, OSError | AutograderError)
    return {"message": str(error) if known else repr(error), "details": details}


_LOCK = threading.Lock()
_HELD: dict[str, _Held] = {}


@contextmanager
def _held(version: bytes, digest: str, wanted: dict[str, str]) -> Iterator[_Held]:
    """The warm processes of a version, started if need be; others that nobody uses are ended.

    Raises:
        RefusedError: this worker can't run the submissions.
        LaunchError: the warm processes can't start.
    """
    with _LOCK:
        if digest not in _HELD:
            _end([other for other, held in _HELD.items() if not held.users])
            sent: Version = pickle.loads(version)  # noqa: S301, from the instructor's machine
            if problem := refusal(wanted, sent.settings.device):
                raise RefusedError(problem, "start the worker anew from the same environment")
            _HELD[digest] = _Held(sent)
        held = _HELD[digest]
        held.users += 1
    try:
        held.warm.await_ready()
        yield held
    except LaunchError:
        held.broken = True
        raise
    finally:
        with _LOCK:
            held.users -= 1
            if held.broken and not held.users and _HELD.get(digest) is held:
                _end([digest])


def _end(digests: list[str]) -> None:
    for digest in digests:
        _HELD.pop(digest).warm.close()


def _end_all() -> None:
    _end(list(_HELD))


# Leave no folder of a warm process behind. A nanny's worker ends without the functions of atexit.
Finalize(None, _end_all, exitpriority=0)
