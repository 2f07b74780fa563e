"""The tools that the tests of the problem sets share."""

import copy
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from course_utils.testing import assert_new, assert_number, assert_same, call


def fails(*words):
    return pytest.raises(AssertionError, match=".*".join(map(re.escape, words)))


def test_a_call_gives_what_the_function_gives():
    assert call("2", (), lambda x, *, n: [x, n], 2, n=[3]) == [2, [3]]


def test_a_call_that_raises_names_the_case():
    with fails("x of shape (0,): ZeroDivisionError: division by zero"):
        call("x of shape (0,)", (), lambda x: x / 0, 1)


def test_a_call_that_breaks_a_rule_names_case_and_rule():
    with fails("3 × 3: OwnWorkError", "pooling", "write that step yourself"):
        call("3 × 3", ("pooling",), lambda x: F.max_pool2d(x, 2), torch.ones(1, 3, 3))


@pytest.mark.parametrize(
    ("value", "change"),
    [
        (torch.ones(2), lambda x: x.add_(1)),
        (torch.ones(2, 3), lambda x: x.t_()),
        (np.ones(2), lambda x: x.sort() or x.fill(3)),
        ([2, 1], lambda x: x.sort()),
        ([2], lambda x: x.append(2)),
        ([torch.ones(2)], lambda x: x[0].zero_()),
    ],
)
def test_a_call_that_changes_an_input_fails(value, change):
    with fails("a case: an input was changed"):
        call("a case", (), change, copy.deepcopy(value))
    with fails("a case: an input was changed"):
        call("a case", (), lambda x: change(x), x=copy.deepcopy(value))


@pytest.mark.parametrize(
    "value", [torch.tensor([1.0, float("nan")]), np.ones(2), [1, "a"], (1, [2]), {"a": [1]}, None]
)
def test_a_call_that_reads_only_passes(value):
    assert call("a case", ("chance",), lambda x: x, value) is value


def test_a_call_may_fill_a_dictionary():
    memory = {}
    call("a case", (), lambda x: x.update(a=1), memory)
    assert memory == {"a": 1}


def test_what_differs_is_named():
    want = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert_same("y", want + 1e-6, want)
    assert_same("y", want + 0.1, want, atol=0.2)
    with fails("y is NoneType, not a tensor: is a return missing?"):
        assert_same("y", None, want)
    with fails("y: expected shape (2, 2), got (4,). Look at the rows"):
        assert_same("y", want.view(-1), want, "Look at the rows")
    with fails("y: expected torch.float32 on cpu, got torch.float64 on cpu.") as raised:
        assert_same("y", want.double(), want, "Look at the rows")
    assert "Look" not in str(raised.value)  # the hint is about values
    with fails("y at (1, 0): expected 3, got 5. Look at the rows"):
        assert_same("y", torch.tensor([[1.0, 2.0], [5.0, 4.0]]), want, "Look at the rows")
    with fails("y: expected 1, got nan."):
        assert_same("y", torch.tensor(float("nan")), torch.tensor(1.0))
    with fails("y: expected 1, got 1.00001."):
        assert_same("y", torch.tensor(1.00001).double(), torch.tensor(1.0).double())


def test_a_number_is_a_python_int():
    assert_number("rows", 3, 3)
    for wrong in (3.0, torch.tensor(3), True, None, np.int64(3)):
        with fails("rows: expected a Python int, got"):
            assert_number("rows", wrong, 3)
    with fails("rows: expected 1,000, got 4. Count again"):
        assert_number("rows", 4, 1000, "Count again", {5: "Off by one"})
    with fails("rows: expected 1,000, got 5. Off by one"):
        assert_number("rows", 5, 1000, "Count again", {5: "Off by one"})


def test_a_view_of_an_input_is_not_new():
    x = torch.arange(6.0).reshape(2, 3)
    assert_new("a copy", x.clone(), x)
    assert_new("nothing", x[:0], x)
    for view in (x, x[1], x.T, x.expand(4, 2, 3), x.numpy()):
        with fails("the rows: give back a new tensor"):
            assert_new("the rows", torch.as_tensor(view), torch.zeros(1), x)
