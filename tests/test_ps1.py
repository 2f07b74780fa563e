"""Problem set 1: its prose and its questions agree with what its code computes."""

import re

import pytest
import torch
from nbformat import NotebookNode
from torchvision.transforms import v2

from autograder.grading import attempt_logs
from course_utils.quiz import bank
from tests.conftest import ROOT, run_reference

NAME = "ps1_preprocessing"
KEYS = ROOT / "exercises" / "keys" / f"{NAME}.yaml"
QUESTIONS = bank.load(KEYS).questions
STUDENTS = [f"student{number:02}" for number in range(40)]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> NotebookNode:
    """The reference after it ran in stock Jupyter, with all questions answered."""
    return run_reference(NAME, tmp_path_factory.mktemp("ps1"))


def outputs(notebook: NotebookNode) -> list[NotebookNode]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def test_it_runs_without_a_warning_and_shows_what_it_says(ran: NotebookNode) -> None:
    streams = [output for output in outputs(ran) if output.output_type == "stream"]
    assert {output.name for output in streams} == {"stdout"}
    printed = "".join(output.text for output in streams)
    assert re.search(r"^Egyptian cat \d+ %, .*\nespresso \d+ %", printed, re.MULTILINE)
    shares = re.findall(r"epoch \d: (\d+) %", printed)
    assert int(shares[-1]) > 30  # always "mammal" is right in a quarter of the cases
    pages = [output.data.get("text/html", "") for output in outputs(ran) if "data" in output]
    images = [tag for page in pages for tag in re.findall(r"<img [^>]+>", page)]
    assert len(images) == 3
    assert all(re.search(r'alt="[^"]{30,}"', tag) for tag in images)


def test_points_are_those_of_the_table(ran: NotebookNode) -> None:
    points = {
        cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points
        for cell in ran.cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    }
    quiz = sum(value for test, value in points.items() if test.startswith("quiz_"))
    text = "\n".join(cell.source for cell in ran.cells)
    assert f"{sum(points.values())}: {sum(points.values()) - quiz} for code, {quiz} for" in text


def test_numbers_in_the_prose() -> None:
    assert 385 * 224 / 256 == 336.875
    assert tuple(v2.functional.resize(torch.zeros(3, 256, 385), 224).shape) == (3, 224, 336)
    assert int(299 * (224 / 299)) == 223


# The answers, derived independently


def test_which_hand_is_derived() -> None:
    """A hand keeps its side where the change keeps the picture's orientation."""
    tenth = torch.deg2rad(torch.tensor(10.0))
    turn = [[tenth.cos(), -tenth.sin()], [tenth.sin(), tenth.cos()]]
    left_right, top_bottom = [[-1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, -1.0]]
    moved, half_turn = [[1.0, 0.0], [0.0, 1.0]], [[-1.0, 0.0], [0.0, -1.0]]
    changes = [left_right, turn, top_bottom, moved, half_turn]
    kept = [i for i, change in enumerate(changes, 1) if torch.det(torch.tensor(change)) > 0]
    assert attempt_logs.right_answers(KEYS, "student01")["which_hand"] == kept


@pytest.mark.parametrize("student", STUDENTS)
def test_generated_answers_agree_with_torchvision(student: str) -> None:
    drawn = QUESTIONS["crop_start"].numbers(student)
    resized = v2.functional.resize(torch.zeros(1, drawn["height"], drawn["width"]), 224)
    right = attempt_logs.right_answers(KEYS, student)
    assert right["crop_start"] == (resized.shape[2] - 224) // 2
    drawn = QUESTIONS["test_pixel"].numbers(student)
    pixel = v2.functional.to_dtype(torch.tensor([[[drawn["byte"]]]], dtype=torch.uint8), scale=True)
    z = v2.functional.normalize(pixel, [drawn["m"]], [drawn["s"]]).item()
    assert right["test_pixel"] == pytest.approx(z, abs=1e-5)
