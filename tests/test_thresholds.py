"""Other seeds in a test, and how far what it compares lies from its thresholds."""

from __future__ import annotations

import io
from contextlib import redirect_stdout

import nbformat
import numpy as np
import pytest
import torch

from autograder.authoring import thresholds


def ran(source, run=0):
    """A test cell with one run's seeds, run here: the notebook with its output, and its names."""
    role = {"grade_id": "test_it", "grade": True, "solution": False}
    cell = nbformat.v4.new_code_cell(source, metadata={"nbgrader": role})
    notebook = thresholds.with_seeds(nbformat.v4.new_notebook(cells=[cell]), run)
    thresholds._nearest.clear()
    names = {"torch": torch, "np": np}
    with redirect_stdout(io.StringIO()) as printed:
        exec(notebook.cells[0].source, names)
    output = nbformat.v4.new_output("stream", text=printed.getvalue())
    notebook.cells[0].outputs = [output]
    return notebook, names


@pytest.mark.parametrize(
    ("line", "seed"),
    [
        ("got = torch.Generator().manual_seed(7).initial_seed()", 207),
        ("make = lambda seed: seed\ngot = make(seed=7)", 207),
        ("seed, make = 7, lambda one: one\ngot = make(seed)", 207),
        ("make = lambda seed: seed\ngot = make(seed=7)  # fixed: known for this one only", 7),
        ("seed, make = None, lambda one: one\ngot = make(seed)", None),
        ("make = lambda count: count\ngot = make(count=7)", 7),
    ],
)
def test_seeds_are_shifted_where_they_are_seeds(line, seed):
    assert ran(line, run=2)[1]["got"] == seed


@pytest.mark.parametrize(
    ("line", "distance"),
    [
        ("error = 2e-7\nassert error < 1e-6, 'too much'", 0.8),
        ("assert 0.9 > 0.7", 0.2 / 0.9),
        ("assert 0 < abs(-5) <= 10", 0.5),
        ("for error in (1e-9, 5e-7):\n    assert (error) < (1e-6)", 0.5),
        ("assert torch.isclose(torch.tensor(1.0), torch.tensor(1.1), rtol=0.0, atol=0.4)", 0.75),
        ("np.testing.assert_allclose([1.0, 2.0], [1.0, 2.5], 0, 1.0)", 0.5),
        ("import math\nassert math.isclose(1, 1 + 2e-10)", 0.8),
        ("1.0 * (3 > 1)", 2 / 3),
    ],
)
def test_the_nearest_distance_of_a_comparison_is_measured(line, distance):
    [found] = thresholds.thresholds([ran(line)[0]])
    assert found.mean == pytest.approx(distance, rel=1e-3)
    assert found.place.startswith("test_it, line ")


@pytest.mark.parametrize(
    "line",
    [
        "assert 3 == 3",
        "if 3 > 2:\n    pass",
        "assert 'a' < 'b'",
        "assert 0.1 > 0  # fixed: a bound",
        "assert (torch.arange(3) < 3).all()",
    ],
)
def test_what_is_no_threshold_is_not_measured(line):
    assert thresholds.thresholds([ran(line)[0]]) == []


def test_deviations_count_from_run_to_run():
    line = "value = 0.5 + 0.1 * (torch.Generator().manual_seed(0).initial_seed() % 200 == 0)\n"
    runs = [ran(f"{line}assert value < 1", run)[0] for run in range(4)]
    [found] = thresholds.thresholds(runs)
    assert found.mean == pytest.approx(0.45)
    assert found.deviations == pytest.approx(9)


def test_a_failed_comparison_fails_as_it_did():
    with pytest.raises(AssertionError, match="too much"):
        ran("assert 2 < 1, 'too much'")


def test_lines_stay_where_they_are():
    role = {"grade_id": "test_it", "grade": True, "solution": False}
    source = "assert (\n    1 <\n    2\n)\n### BEGIN HIDDEN TESTS\nx = 1\n### END HIDDEN TESTS"
    cell = nbformat.v4.new_code_cell(source, metadata={"nbgrader": role})
    changed = thresholds.with_seeds(nbformat.v4.new_notebook(cells=[cell]), 1)
    assert changed.cells[0].source.splitlines()[4:] == source.splitlines()[4:]
