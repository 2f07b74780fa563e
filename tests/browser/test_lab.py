"""The harness itself: a notebook opens, runs, and its faults are seen."""

from __future__ import annotations

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tools.lab import LabError, jupyterlab

pytestmark = pytest.mark.browser


def _write(lab, name, *sources):
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, lab.root / name)
    return name


def test_runs_a_notebook_with_the_repositorys_packages(open_notebook, lab):
    name = _write(lab, "good.ipynb", "import course_utils", "print(course_utils.__name__)")
    notebook = open_notebook(name)
    notebook.run_all()
    assert notebook.problems() == []
    assert notebook.cells()[1]["outputs"][0]["text"] == "course_utils\n"
    assert notebook.output("print(").inner_text().strip() == "course_utils"
    notebook.restart_and_run_all()
    assert notebook.cells()[0]["execution_count"] == 1


def test_sees_errors_and_warnings(open_notebook, lab):
    name = _write(lab, "bad.ipynb", "import warnings; warnings.warn('old')", "1 / 0")
    notebook = open_notebook(name)
    notebook.run_all()
    first, second = notebook.problems()
    assert "old" in first
    assert "ZeroDivisionError" in second


def test_a_server_that_does_not_start_says_why(tmp_path):
    server = jupyterlab(tmp_path / "nowhere", tmp_path / "scratch")
    with pytest.raises(LabError, match=r"(?s)didn't start: it ended.*nowhere"), server:
        pass
