"""Grades a class: prepare → execute → score → record for every new or changed submission."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from autograder.assignment import read_sources
from autograder.course import Course
from autograder.errors import AutograderError, CourseError
from autograder.grading.cluster_place import Place, require_distributed
from autograder.grading.log import traceback_of, write_fault
from autograder.grading.result import Outcome
from autograder.grading.settings import Settings, require_device
from autograder.grading.warm_up import warm_processes
from autograder.sandbox.limits import Limits

if TYPE_CHECKING:
    from autograder.grading.class_run import RunAll


class RunStoppedError(AutograderError):
    """A fault of the machine or of the autograder that keeps every submission from running."""


def grade(
    course: Course,
    name: str,
    *,
    jobs: int | None = None,
    device: str = "auto",
    isolated: bool = True,
    only: str | None = None,
    force: bool = False,
    limits: Limits | None = None,
    cluster: Place | None = None,
    on_start: Callable[[int], None] = lambda _: None,
    on_outcome: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """Grade every submission of an assignment that is new or changed.

    A killed run can be continued: submissions that it recorded are not run again.

    Args:
        course: the course.
        name: the assignment's name.
        jobs: how many submissions run at the same time; None: one for each core.
        device: "auto", "cpu" or "cuda".
        isolated: whether to isolate student code; if False, every result says so.
        only: the id of the only student to grade; None: all students.
        force: whether to grade again what is graded already.
        limits: bounds of one submission; None: as the course's options say.
        cluster: the Dask cluster whose workers run the submissions; None: this machine does.
        on_start: called once with the number of submissions.
        on_outcome: called after each submission.

    Raises:
        AutograderError: the run stopped; the message says why.
    """
    if cluster:
        _require_isolated(isolated)
        device = "cpu" if device == "auto" else device  # not what the worker happens to have
    else:
        require_device(device)
    settings = Settings.of(course, limits, isolated=isolated, device=device)
    try:
        with _engine_of(course, name, settings, jobs, cluster) as run_all:
            from autograder.grading.class_run import grade_class

            return grade_class(
                course,
                name,
                settings,
                run_all,
                only=only,
                force=force,
                on_start=on_start,
                on_outcome=on_outcome,
            )
    except AutograderError:
        raise
    except Exception as error:
        raise RunStoppedError(
            f"the run stopped: {error or repr(error)}",
            f"{write_fault(course.root, f'the run stopped: {error!r}', traceback_of(error))}; what"
            " was recorded is kept: mend that, then run the command again",
        ) from error


def _require_isolated(isolated: bool) -> None:
    if not isolated:
        raise CourseError(
            "--cluster with --isolation none: a student's code could take over the cluster",
            "leave one of the two out; nothing was run",
        )


@contextmanager
def _engine_of(
    course: Course, name: str, settings: Settings, jobs: int | None, cluster: Place | None
) -> Iterator[RunAll]:
    """Yield the function that runs a class: on this machine, or on the workers of a cluster."""
    if cluster is None:
        # Started before all other imports: its own take seconds, beside which this process imports
        # the rest.
        with warm_processes(read_sources(course, name).values(), settings) as warm:
            from autograder.grading.runs import run_here

            yield partial(run_here, course, warm, settings, jobs)
    else:
        require_distributed()
        from autograder.grading.on_cluster import Cluster, run_on_cluster

        with Cluster(cluster, settings) as connected:
            yield partial(run_on_cluster, course, connected)
