"""Problem set 5: what its notebook shows where nothing is graded."""

import re
import shutil
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from autograder import answers
from tests.conftest import ROOT

NAME = "ps5_backpropagation"
SOURCE = ROOT / "exercises" / "source" / NAME / f"{NAME}.ipynb"
KEYS = ROOT / "exercises" / "keys" / f"{NAME}.yaml"


def test_the_reference_runs_without_a_warning_and_shows_what_the_prose_says(tmp_path: Path) -> None:
    shutil.copytree(SOURCE.parent / "quiz", tmp_path / "quiz")
    right = answers.right_answers(KEYS, "student01").items()
    for name, content in answers.log_files(KEYS, "student01", right).items():
        (tmp_path / name).write_bytes(content)
    notebook = nbformat.read(SOURCE, as_version=4)
    NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    streams = [output for output in outputs if output.output_type == "stream"]
    assert {output.name for output in streams} == {"stdout"}
    printed = "".join(output.text for output in streams)
    assert "scale   10: mean slope 0.084, saturated 76.1%" in printed
    errors = dict(re.findall(r"^(softsign|swish|softmax) +(\S+)$", printed, re.MULTILINE))
    assert [name for name, error in errors.items() if float(error) > 1e-3] == ["softmax"]
    assert float(re.search(r"kernel 3, stride 2: relative error (\S+)", printed)[1]) < 1e-6
    assert float(re.search(r"right on new pictures: ([\d.]+)%", printed)[1]) > 70  # chance: 33
