"""`autograder bench` measures what grading costs, and where."""

from __future__ import annotations

import pytest

from autograder.cli.show import show_bench
from autograder.machine.bench import TRIVIAL, bench


@pytest.mark.slow
def test_a_submission_costs_more_than_its_cells_in_one_process(capsys):
    measured = bench(None, TRIVIAL, 1, 2, stock=False)
    assert 0 < measured.floor < measured.processes < measured.autograder.large_core_seconds
    show_bench(measured)
    assert "one more submission takes" in capsys.readouterr().out
