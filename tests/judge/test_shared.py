"""What both processes hold a copy of: when it comes into the table, and when it leaves."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from autograder.judge.codec import Decoder
from autograder.judge.shared import SharedTable

TENSOR = ["tensor", 7, ["float32", [2, 3], 0, "cpu"], [False, True, False], None]
ARRAY = ["ndarray", 7, ["<f4", [2, 3], 0]]


@pytest.mark.parametrize("message", [TENSOR, ARRAY], ids=["tensor", "array"])
def test_what_crossed_leaves_the_table_when_nobody_holds_it(message):
    peer = SimpleNamespace(table=SharedTable(1))
    decoder = Decoder(peer, [memoryview(bytearray(24))])
    held = decoder.decode(message)
    assert held.shape == (2, 3)
    assert peer.table.sweep() == []
    part = held[0]
    del held
    assert peer.table.sweep() == ([] if message is TENSOR else [7])  # a tensor's memory counts
    del part
    assert peer.table.sweep() == ([7] if message is TENSOR else [])
