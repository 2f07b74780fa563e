"""How much of their code two students share, over all pairs of a class.

The method is that of MOSS, with all k-grams instead of a selection: code becomes tokens, and each
run of `K` tokens is a k-gram. Two submissions share those k-grams that both have, wherever they
stand. K-grams of the code that the assignment gives don't count. A k-gram that few submissions have
weighs more than one that most have: log((1 + n) / f) if f of n submissions have it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from autograder.assignment import Assignment
from autograder.course import Course
from autograder.errors import AutograderError, SubmissionError
from autograder.grading.own_code import CELL_END, OwnCode, given_code, own_code
from autograder.grading.runs import failure_of

K = 8  # tokens
FEWEST = 40  # k-grams, some five lines: with fewer of them, honest work is alike by chance
_BLOCK = 4096  # k-grams that are compared at a time, for a bound on memory

Grams = list[int | None]
"""For each token, the k-gram that begins there; None if it doesn't count."""


class NothingToCompareError(AutograderError):
    """There are fewer than two submissions with enough code of their own."""


@dataclass(frozen=True)
class Compared:
    """A student's own code, and for each of its tokens the k-gram that begins there."""

    code: OwnCode
    grams: Grams

    @property
    def texts(self) -> list[str]:
        """The normalised texts of the tokens."""
        return [text for text, _, _ in self.code.tokens]


@dataclass(frozen=True)
class Pair:
    """Two students, and how much of their code they share.

    Attributes:
        first, second: their ids.
        similarity: the weight of the shared k-grams, as a share of the mean weight of both: 0 to 1.
        of_first, of_second: the same, as a share of each student's own weight.
    """

    first: str
    second: str
    similarity: float
    of_first: float
    of_second: float


@dataclass(frozen=True)
class Similarities:
    """An assignment's submissions compared.

    Attributes:
        assignment: the assignment's name.
        compared: the code that was compared, by student.
        pairs: the most similar pairs, the most similar one first.
        all_pairs: the similarity of every pair, sorted. Shape (n (n - 1) / 2,) for n students.
        too_short: who has too little code to compare.
        unreadable: why a submission can't be compared, by student.
    """

    assignment: str
    compared: dict[str, Compared]
    pairs: list[Pair]
    all_pairs: NDArray[np.float64]
    too_short: list[str]
    unreadable: dict[str, str]

    def quantile(self, share: float) -> float:
        """The similarity below which this share of all pairs lies."""
        return float(np.quantile(self.all_pairs, share))


def compare(
    course: Course,
    name: str,
    most_pairs: int,
    on_start: Callable[[int], None] = lambda _: None,
    on_read: Callable[[object], None] = lambda _: None,
) -> Similarities:
    """Compare every submission of an assignment with every other.

    Args:
        course: the course.
        name: the assignment's name.
        most_pairs: how many pairs are wanted.
        on_start: called once with the number of submissions.
        on_read: called after each submission.

    Raises:
        CourseError: nobody handed in.
        NothingToCompareError: fewer than two submissions can be compared.
    """
    students = course.students(name)
    assignment = Assignment.load(course, name)
    given = {gram for gram in _runs(given_code(assignment.masters.values())) if gram}
    on_start(len(students))
    codes, unreadable = {}, {}
    for student, result in _read(course, assignment, students):
        if isinstance(result, OwnCode):
            codes[student] = result
        else:
            unreadable[student] = result
        on_read(student)
    numbers: dict[int, int] = {}
    read = {student: _compared(codes[student], given, numbers) for student in sorted(codes)}
    compared = {student: one for student, one in read.items() if _is_enough(one)}
    if len(compared) < 2:
        raise NothingToCompareError(
            f"nothing to compare in '{name}': of {len(students)} submissions, {len(compared)} can"
            f" be read and have five lines of code of their own ({_reasons(unreadable)})",
            "collect more submissions; for short answers, similarity says nothing",
        )
    pairs, all_pairs = _all_pairs(compared, most_pairs)
    too_short = [student for student in read if student not in compared]
    return Similarities(
        name, compared, pairs, all_pairs, too_short, dict(sorted(unreadable.items()))
    )


def _is_enough(one: Compared) -> bool:
    return len(set(one.grams) - {None}) >= FEWEST


def _reasons(unreadable: dict[str, str]) -> str:
    reasons = [f"{student}: {problem}" for student, problem in islice(unreadable.items(), 5)]
    return "; ".join(reasons) or "all can be read"


def _read(
    course: Course, assignment: Assignment, students: list[str]
) -> Iterator[tuple[str, OwnCode | str]]:
    """Each student's code, or why it can't be read, as the reader processes have read it."""

    def read(student: str) -> tuple[str, OwnCode | str]:
        try:
            return student, own_code(course, assignment, student)
        except SubmissionError as problem:
            return student, problem.problem
        except Exception as error:  # not the submission's fault; the others go on
            return student, failure_of(course, student, error)

    with ThreadPoolExecutor(min(len(students), len(os.sched_getaffinity(0)))) as pool:
        futures = [pool.submit(partial(read, student)) for student in students]
        try:
            yield from (future.result() for future in as_completed(futures))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _runs(tokens: list[str]) -> Iterator[int | None]:
    """A hash of the k-gram at each token; None where a cell ends within the k-gram."""
    ends = len(tokens)
    hashes: list[int | None] = []
    for at in range(len(tokens) - 1, -1, -1):
        if tokens[at] == CELL_END:
            ends = at
        hashes.append(hash(tuple(tokens[at : at + K])) if ends - at >= K else None)
    return reversed(hashes)


def _compared(code: OwnCode, given: set[int], numbers: dict[int, int]) -> Compared:
    """The code with its k-grams as numbers, which `numbers` assigns in the order of appearance."""
    grams: Grams = [
        None if gram is None or gram in given else numbers.setdefault(gram, len(numbers))
        for gram in _runs([text for text, _, _ in code.tokens])
    ]
    return Compared(code, grams)


def _all_pairs(
    compared: dict[str, Compared], most_pairs: int
) -> tuple[list[Pair], NDArray[np.float64]]:
    """The most similar pairs, and the similarity of every pair, sorted."""
    students = list(compared)
    shared, own = _shared_weights([one.grams for one in compared.values()])
    rows, columns = np.triu_indices(len(students), 1)
    together = np.round(shared[rows, columns], 3)  # sums of float32
    similarity = np.round(_share(2 * together, own[rows] + own[columns]), 6)
    parts = [np.round(_share(together, own[side]), 6) for side in (rows, columns)]
    # The more they share, the earlier, among equals.
    order = np.lexsort((-together, -similarity))[:most_pairs]
    pairs = [
        Pair(
            students[rows[at]],
            students[columns[at]],
            float(similarity[at]),
            float(parts[0][at]),
            float(parts[1][at]),
        )
        for at in order
    ]
    return pairs, np.sort(similarity)


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.minimum(part / whole, 1)  # rounded sums may exceed the whole


def _shared_weights(grams: list[Grams]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The weights of n submissions: shared by each two, shape (n, n); of each alone, shape (n,)."""
    of_each = [
        np.unique(np.fromiter((gram for gram in one if gram is not None), np.int64))
        for one in grams
    ]
    holders = np.repeat(np.arange(len(of_each)), [len(one) for one in of_each])
    held = np.concatenate(of_each)
    frequency = np.bincount(held)
    weights = np.log((1 + len(grams)) / np.maximum(frequency, 1))
    own = np.bincount(holders, weights[held], minlength=len(grams)).astype(np.float64)
    common = frequency[held] > 1  # what only one submission has is shared with nobody
    held, holders = held[common], holders[common]
    kinds, columns = np.unique(held, return_inverse=True)
    order = np.argsort(columns, kind="stable")
    holders, columns = holders[order], columns[order]
    shared = np.zeros((len(grams), len(grams)))
    for first in range(0, len(kinds), _BLOCK):
        begin, end = np.searchsorted(columns, (first, first + _BLOCK))
        has = np.zeros((len(grams), min(_BLOCK, len(kinds) - first)), np.float32)
        has[holders[begin:end], columns[begin:end] - first] = 1
        shared += (has * weights[kinds[first : first + _BLOCK]].astype(np.float32)) @ has.T
    return shared, own
