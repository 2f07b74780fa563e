"""The passages that two submissions share, for a reader who compares them side by side."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from autograder.desk.similarity import Grams, K

_TRIED = 16  # places of a k-gram that are tried, so that code which repeats itself takes no longer


class Passage(NamedTuple):
    """A run of equal tokens: the numbers of its first tokens, and its length in tokens."""

    first: int
    second: int
    length: int


def passages(first: Grams, second: Grams) -> list[Passage]:
    """The passages that two submissions share, in the order of the first.

    From the first token on, the longest passage that begins there and is not yet used in the second
    submission is taken, as in greedy string tiling, but in one pass.
    """
    places: dict[int, list[int]] = defaultdict(list)
    for at, gram in enumerate(second):
        if gram is not None and len(places[gram]) < _TRIED:
            places[gram].append(at)
    used = [False] * len(second)
    found: list[Passage] = []
    at = 0
    while at < len(first):
        gram = first[at]
        lengths = {
            place: _length(first, at, second, place, used)
            for place in (places.get(gram, ()) if gram is not None else ())
        }
        place = max(lengths, key=lengths.__getitem__, default=0)
        length = lengths.get(place, 0)
        if length:
            found.append(Passage(at, place, length))
            used[place : place + length] = [True] * length
        at += length or 1
    return found


def _length(first: Grams, at: int, second: Grams, place: int, used: list[bool]) -> int:
    """How many tokens are equal from two places on; 0 if fewer than K are equal and unused."""
    if any(used[place : place + K]):
        return 0
    grams = 0
    while (
        at + grams < len(first)
        and place + grams < len(second)
        and first[at + grams] is not None
        and first[at + grams] == second[place + grams]
        and not used[place + grams + K - 1]
    ):
        grams += 1
    return grams + K - 1 if grams else 0
