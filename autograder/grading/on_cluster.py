"""Runs the submissions of a class: prepared here, executed by the workers of a cluster."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from autograder.assignment import Assignment
from autograder.course import Course
from autograder.errors import SubmissionError, TestsRefusedError
from autograder.grading.cluster import Cluster, Sent
from autograder.grading.cluster_place import ClusterError
from autograder.grading.first_attempts import FirstAttempts
from autograder.grading.prepare import prepare
from autograder.grading.reference import reference
from autograder.grading.refusals import Refusals
from autograder.grading.runs import Run, failure_of


def run_on_cluster(
    course: Course,
    cluster: Cluster,
    assignment: Assignment,
    keys: dict[str, str],
    first: FirstAttempts,
) -> Iterator[Run]:
    """Prepare submissions here, and let a cluster execute them; `keys` has theirs, by student."""
    if not keys:
        return
    cluster.connect(assignment)
    refusals = Refusals(assignment.name, lambda: cluster.execute_one(reference(course, assignment)))
    problems: list[Run] = []

    def submissions() -> Iterator[Sent]:
        for run in _prepared_ahead(course, assignment, list(keys), first):
            if run.prepared:
                yield Sent(keys[run.student], run.prepared)
            else:
                problems.append(run)

    left = set(keys)
    for ran in cluster.execute(submissions(), len(keys)):
        yield from problems
        problems.clear()
        student = ran.prepared.student
        if student not in left:  # a result that came before counts
            continue
        left.remove(student)
        try:
            if ran.error:
                raise ran.error
            assert ran.executed
            refusals.check(ran.executed)
            yield Run(student, ran.prepared, ran.executed)
        except (TestsRefusedError, ClusterError):
            raise
        except Exception as error:
            yield Run(student, failure=failure_of(course, student, error))
    yield from problems


def _prepared_ahead(
    course: Course, assignment: Assignment, students: list[str], first: FirstAttempts
) -> Iterator[Run]:
    """Prepare submissions in parallel, but only a few more than were asked for."""
    workers = len(os.sched_getaffinity(0))

    def prepare_one(student: str) -> Run:
        try:
            return Run(student, first.settle(prepare(course, assignment, student)))
        except SubmissionError as problem:
            return Run(student, problem=problem)
        except Exception as error:  # not the submission's fault; the others go on
            return Run(student, failure=failure_of(course, student, error))

    with ThreadPoolExecutor(workers) as pool:
        ahead: deque[Future[Run]] = deque()
        for student in students:
            ahead.append(pool.submit(prepare_one, student))
            if len(ahead) > 4 * workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
