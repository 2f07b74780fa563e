"""What both processes hold a copy of: when it comes into the table, and when it leaves."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from autograder.judge.candidate_end import CandidatePeer
from autograder.judge.wire.decoder import Decoder
from autograder.judge.wire.shared import SharedTable

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


def test_memory_that_an_object_left_is_not_taken_for_its_own():
    table = SharedTable(0)
    weight = torch.nn.Parameter(torch.zeros(2, 2), requires_grad=False)
    view_of_old_memory = weight.detach()
    entry = table.add(weight)
    assert table.owner_of_memory(view_of_old_memory) is entry
    weight.data = torch.ones(2, 2)
    assert table.owner_of_memory(view_of_old_memory) is None


def test_memory_that_a_parameter_left_is_not_live():
    peer = CandidatePeer(SimpleNamespace(), SimpleNamespace(user_ns={}))
    weight = torch.nn.Parameter(torch.zeros(2, 2), requires_grad=False)
    view_of_old_memory = weight.detach()
    handle = peer.exports.handle(weight)
    peer.keep(handle, weight)
    assert peer.shares_live_memory(view_of_old_memory)
    weight.data = torch.ones(2, 2)
    assert not peer.shares_live_memory(view_of_old_memory)
    peer.keep(handle, weight)
    assert peer.shares_live_memory(weight.detach())
    peer.released(handle)
    assert not peer.shares_live_memory(weight.detach())
