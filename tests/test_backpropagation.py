"""The graph's Python side; its browser side is tests/browser/test_lecture05.py."""

from __future__ import annotations

import math

import pytest
import torch
import traitlets

from course_utils.interactives import BackpropagationGraph
from course_utils.interactives.backpropagation import GRAPHS


def loss(graph, inputs):
    tensors = {name: torch.tensor(float(value)) for name, value in inputs.items()}
    return BackpropagationGraph(graph, inputs).loss(tensors).item()


@pytest.mark.parametrize(
    ("graph", "inputs", "expected"),
    [
        ("one unit", {"x": 2, "w": 0.5, "b": 1, "t": 3}, (math.tanh(2) - 3) ** 2),
        ("skip connection", {"x": 2, "w": 0.5, "t": 4}, (math.tanh(1) + 2 - 4) ** 2),
        ("max pool", {"a": 1, "b": 7, "c": 6, "d": 2, "e": -3, "u": 10, "v": 0.5}, 70 + 3),
    ],
)
def test_a_graph_computes_what_its_formula_says(graph, inputs, expected):
    assert loss(graph, inputs) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
def test_every_node_has_a_place_of_its_own_and_operands_come_first(graph):
    assert set(graph.places) == {*graph.inputs, *graph.steps}
    assert len(set(graph.places.values())) == len(graph.places)
    assert set(graph.parameters) <= set(graph.inputs)
    known = set(graph.inputs)
    for name, (_, *operands) in graph.steps.items():
        assert known.issuperset(operands)
        known.add(name)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"graph": "two units"}, "no graph 'two units'. There are: one unit, skip connection"),
        ({"inputs": {"q": 1}}, "inputs of 'one unit' are x, w, b, t, not x, w, b, t, q"),
        ({"inputs": {"w": 10.5}}, "'w' must be a number between -10 and 10, not 10.5"),
        ({"inputs": {"w": math.nan}}, "'w' must be a number between -10 and 10, not nan"),
        ({"inputs": {"w": "much"}}, "'w' must be a number between -10 and 10, not 'much'"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(arguments, message):
    with pytest.raises(traitlets.TraitError, match=message):
        BackpropagationGraph(**arguments)


def test_another_graph_brings_its_own_inputs():
    graph = BackpropagationGraph("one unit", {"w": 3})
    assert graph.inputs == {"x": 2, "w": 3, "b": -0.6, "t": 0}
    graph.graph = "max pool"
    assert graph.inputs == GRAPHS["max pool"].inputs


def test_readers_without_widgets_are_told_what_to_do():
    assert "run this cell in JupyterLab" in repr(BackpropagationGraph())
