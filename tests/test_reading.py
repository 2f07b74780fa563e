"""Readers of untrusted content: each thread gets its own answer, whatever happens to another."""

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from autograder.grading.reading import OverrunError, ReadingError, ask


def notebook(source):
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": source}
    cell |= {"outputs": [], "execution_count": None}
    made = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(made).encode()


SLOW = notebook(["x\n"] * 6_000_000)  # each line is checked on its own


def source_of(content):
    [cell] = ask("notebook", content)
    return cell["source"]


def test_threads_that_share_a_reader_get_their_own_answers():
    before = psutil.Process().children()
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda number: source_of(notebook(f"x = {number}")), range(400)))
    assert got == [f"x = {number}" for number in range(400)]
    started = set(psutil.Process().children()) - set(before)
    assert len(started) <= max(1, len(os.sched_getaffinity(0)) // 4)


def test_after_content_that_takes_too_long_the_next_is_read():
    with pytest.raises(OverrunError):
        ask("notebook", SLOW, seconds=1)
    assert source_of(notebook("next")) == "next"


def test_after_an_interrupt_nobody_gets_the_answer_that_was_due():
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    with pytest.raises(KeyboardInterrupt):
        ask("notebook", SLOW)
    assert source_of(notebook("next")) == "next"


def test_content_of_another_kind_is_named():
    with pytest.raises(ReadingError):
        ask("notebook", json.dumps([1, 2]).encode())
