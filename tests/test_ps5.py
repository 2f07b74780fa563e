"""Problem set 5: what its notebook shows where nothing is graded."""

import re
from pathlib import Path

from tests.conftest import run_reference

NAME = "ps5_backpropagation"


def test_the_reference_runs_without_a_warning_and_shows_what_the_prose_says(tmp_path: Path) -> None:
    notebook = run_reference(NAME, tmp_path)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    streams = [output for output in outputs if output.output_type == "stream"]
    assert {output.name for output in streams} == {"stdout"}
    printed = "".join(output.text for output in streams)
    assert "scale   10: mean slope 0.084, saturated 76.1%" in printed
    errors = dict(re.findall(r"^(softsign|swish|softmax) +(\S+)$", printed, re.MULTILINE))
    assert [name for name, error in errors.items() if float(error) > 1e-3] == ["softmax"]
    assert float(re.search(r"kernel 3, stride 2: relative error (\S+)", printed)[1]) < 1e-6
    assert float(re.search(r"right on new pictures: ([\d.]+)%", printed)[1]) > 70  # chance: 33
