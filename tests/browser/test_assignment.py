"""A released assignment as a student meets it: opened in JupyterLab, filled in, validated."""

from __future__ import annotations

import shutil

import nbformat
import pytest

from autograder.grading.attempt_logs import log_files, right_answers
from tools.lab import ROOT

pytestmark = pytest.mark.browser

PS5 = "ps5_backpropagation/ps5_backpropagation.ipynb"


def _validate(notebook):
    """What nbgrader's Validate button says."""
    notebook.page.get_by_role("button", name="Validate").click()
    dialog = notebook.page.locator(".jp-Dialog", has_text="Validation Results")
    dialog.wait_for(timeout=120_000)
    said = dialog.inner_text()
    dialog.get_by_role("button").last.click()
    return said


def test_validate_names_what_fails_in_a_blank_assignment(open_notebook):
    said = _validate(open_notebook(f"exercises/release/{PS5}"))
    assert "failed" in said
    assert "tanh_backward" in said


def test_validate_passes_a_solved_assignment(open_notebook, lab):
    released = nbformat.read(ROOT / "exercises" / "release" / PS5, as_version=4)
    solved = {
        cell.id: cell.source
        for cell in nbformat.read(ROOT / "exercises" / "source" / PS5, as_version=4).cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }
    for cell in released.cells:
        cell.source = solved.pop(cell.id, cell.source)
    assert solved == {}
    folder = lab.root / "solved"
    shutil.copytree(ROOT / "exercises" / "release" / PS5.split("/")[0], folder)
    nbformat.write(released, folder / "solved.ipynb")
    keys = ROOT / "exercises" / "keys" / "ps5_backpropagation.yaml"
    for name, content in log_files(keys, "ada", right_answers(keys, "ada").items()).items():
        (folder / name).write_bytes(content)
    assert "Success! Your notebook passes all the tests." in _validate(
        open_notebook("solved/solved.ipynb")
    )
