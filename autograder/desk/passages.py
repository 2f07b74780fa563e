"""The passages that two submissions share, for a reader who compares them side by side."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from autograder.desk.similarity import Compared, K
from autograder.grading.own_code import CELL_END

_TRIED = 16  # places of a k-gram that are tried: code that repeats itself must not take longer


class Passage(NamedTuple):
    """A run of equal tokens: the numbers of its first tokens, and its length in tokens."""

    first: int
    second: int
    length: int


def passages(first: Compared, second: Compared) -> list[Passage]:
    """The passages that two submissions share, in the order of the first.

    A passage begins with a k-gram that counts. It may go on with code that the assignment gives,
    but not into the next cell. Of the passages that begin at a token and share no token with one
    before, the longest is taken, as in greedy string tiling, but in one pass.
    """
    places: dict[int, list[int]] = defaultdict(list)
    for at, gram in enumerate(second.grams):
        if gram is not None and len(places[gram]) < _TRIED:
            places[gram].append(at)
    ours, theirs = first.texts, second.texts
    used = [False] * len(theirs)
    shared: list[Passage] = []
    at = 0
    while at < len(ours):
        gram = first.grams[at]
        place, length = 0, 0
        for tried in places.get(gram, ()) if gram is not None else ():
            tokens = _length(ours, at, theirs, tried, used)
            if tokens > length:
                place, length = tried, tokens
        if length:
            shared.append(Passage(at, place, length))
            used[place : place + length] = [True] * length
        at += length or 1
    return shared


def _length(first: list[str], at: int, second: list[str], place: int, used: list[bool]) -> int:
    """How many tokens are equal from two places on, and not yet used; 0 if fewer than a k-gram."""
    length = 0
    most = min(len(first) - at, len(second) - place)
    while (
        length < most
        and first[at + length] == second[place + length] != CELL_END
        and not used[place + length]
    ):
        length += 1
    return length if length >= K else 0
