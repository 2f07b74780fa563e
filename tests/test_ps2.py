"""Problem set 2: its prose and its questions agree with what PyTorch computes."""

import re

import pytest
import torch
from nbformat import NotebookNode
from torch import nn

from autograder.grading import attempt_logs
from course_utils.arithmetic import Conv, trace
from course_utils.quiz import bank
from tests.conftest import ROOT, run_reference

NAME = "ps2_conv_arithmetic"
KEYS = ROOT / "exercises" / "keys" / f"{NAME}.yaml"
QUESTIONS = bank.load(KEYS).questions
STUDENTS = [f"student{number:02}" for number in range(40)]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> NotebookNode:
    """The reference after it ran in stock Jupyter, with all questions answered."""
    return run_reference(NAME, tmp_path_factory.mktemp("ps2"))


def points(notebook: NotebookNode) -> dict[str, float]:
    return {
        cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    }


def test_it_runs_without_a_warning_and_shows_what_it_says(ran: NotebookNode) -> None:
    outputs = [output for cell in ran.cells for output in cell.get("outputs", [])]
    streams = [output for output in outputs if output.output_type == "stream"]
    assert {output.name for output in streams} == {"stdout"}
    printed = "".join(output.text for output in streams)
    assert "224 pixels: 54 places, 1 left over" in printed
    assert "227 pixels: 55 places, 0 left over" in printed
    assert "slices as third axis: (1, 1, 3, 30, 30)" in printed
    assert "slices as channels  : (1, 1, 30, 30)" in printed
    assert "14,714,688 parameters, 15,346,630,656 MACs" in printed
    assert re.search(r"^AlexNet 11 19 51 67 99 131 163 195$", printed, re.MULTILINE)
    assert re.search(r"^VGG-16 3 5 6 .* 212$", printed, re.MULTILINE)
    pages = [output.data.get("text/html", "") for output in outputs if "data" in output]
    [image] = [tag for page in pages for tag in re.findall(r"<img [^>]+>", page)]
    assert re.search(r'alt="[^"]{30,}"', image)


def test_points_are_those_of_the_table(ran: NotebookNode) -> None:
    given = points(ran)
    quiz = sum(value for test, value in given.items() if test.startswith("quiz_"))
    text = "\n".join(cell.source for cell in ran.cells)
    assert f"{sum(given.values())}: {sum(given.values()) - quiz} for code, {quiz} for" in text


# The answers, derived independently


def test_seven_slices_is_derived() -> None:
    as_channels = trace((7, 64, 64), [Conv(1, 3)])[1]
    as_volume = trace((1, 7, 64, 64), [Conv(1, (3, 3, 3))])[1]
    padded = trace((1, 7, 64, 64), [Conv(1, (3, 3, 3), padding=1)])[1]
    true = [
        as_volume.macs < as_channels.macs,
        as_volume.shape[1] == 7,
        as_volume.parameters < as_channels.parameters,
        padded.shape == (1, 7, 64, 64),
    ]
    key = QUESTIONS["seven_slices"].key
    assert key.answer == [number for number, holds in enumerate(true, 1) if holds]
    for number in (as_channels.parameters, as_volume.parameters):
        assert f": {number}" in key.solution
    for number in (as_channels.macs, as_volume.macs):
        assert f"{number:,}".replace(",", "{,}") in key.solution


@pytest.mark.parametrize("student", STUDENTS)
def test_generated_answers_agree_with_pytorch(student: str) -> None:
    right = attempt_logs.right_answers(KEYS, student)
    drawn = QUESTIONS["dilated_size"].numbers(student)
    i, k, s, p, d = (drawn[name] for name in "ikspd")
    assert right["dilated_size"] == nn.Conv1d(1, 1, k, s, p, d)(torch.zeros(1, 1, i)).numel()
    drawn = QUESTIONS["layer_macs"].numbers(student)
    f, k, c, i = (drawn[name] for name in "fkci")
    layer = nn.Conv2d(c, f, k, stride=2)
    places = layer(torch.zeros(1, c, i, i))[0, 0].numel()
    assert right["layer_macs"] == places * layer.weight.numel()
