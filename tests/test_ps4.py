"""Problem set 4: its prose and questions agree with PyTorch."""

import re

import pytest
import torch
from nbformat import NotebookNode
from torch import nn

from autograder.grading import attempt_logs
from course_utils.quiz import bank
from tests.conftest import ROOT, run_reference

NAME = "ps4_transfer_learning"
KEYS = ROOT / "exercises" / "keys" / f"{NAME}.yaml"
QUESTIONS = bank.load(KEYS).questions
STUDENTS = [f"student{number:02}" for number in range(40)]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> NotebookNode:
    """The reference after it ran in stock Jupyter, with all questions answered."""
    return run_reference(NAME, tmp_path_factory.mktemp("ps4"))


def test_it_runs_without_a_warning_and_shows_what_it_says(ran: NotebookNode) -> None:
    outputs = [output for cell in ran.cells for output in cell.get("outputs", [])]
    streams = [output for output in outputs if output.output_type == "stream"]
    assert {output.name for output in streams} == {"stdout"}
    printed = "".join(output.text for output in streams)
    top = [float(share) for share in re.findall(r"^top-\d+ of \d+ pictures: (.*)%$", printed, re.M)]
    assert 0 < top[0] < top[1] < top[2] == 100
    leaks = {
        "near twins: []": "AB",
        "groups on both sides: []": "BC",
        "statistics of others too: False": "AC",
    }
    for said, names in leaks.items():  # each data set has one leak, and the two others not
        assert "".join(re.findall(rf"^(\w) {re.escape(said)}$", printed, re.M)) == names
    assert "frozen: 3,078 learn" in printed
    [share] = re.findall(r"balanced accuracy on 124 new photographs: (\d+)%", printed)
    assert int(share) >= 45


def test_points_are_those_of_the_table(ran: NotebookNode) -> None:
    points = {
        cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points
        for cell in ran.cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    }
    quiz = sum(value for test, value in points.items() if test.startswith("quiz_"))
    essay = points["essay_source"]
    code = sum(points.values()) - quiz - essay
    said = f"{sum(points.values())}: {code} for code, {essay} for the text of part 5, {quiz} for"
    assert said in "\n".join(cell.source for cell in ran.cells)


# The answers, derived independently


def test_a_frozen_batch_norm_in_training_mode_moves_its_running_statistics_only() -> None:
    body = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    network = nn.Sequential(body, nn.Flatten(), nn.Linear(8, 2)).train()
    body.requires_grad_(False)
    before = {name: tensor.clone() for name, tensor in body.state_dict().items()}
    optimizer = torch.optim.SGD(network[2].parameters(), 0.1)
    for _ in range(3):
        network(torch.randn(4, 1, 4, 4)).sum().backward()
        optimizer.step()
    changed = {name for name, tensor in body.state_dict().items() if (tensor != before[name]).any()}
    assert changed == {"1.running_mean", "1.running_var", "1.num_batches_tracked"}
    assert attempt_logs.right_answers(KEYS, "student01")["frozen_norm"] == 4
    assert "running means" in QUESTIONS["frozen_norm"].options[3]


@pytest.mark.parametrize("student", STUDENTS)
def test_the_generated_answer_agrees_with_an_optimiser(student: str) -> None:
    drawn = QUESTIONS["block_rate"].numbers(student)
    n, b, r, f = (drawn[name] for name in "nbrf")
    rates = [r]
    while len(rates) < n:
        rates.append(rates[-1] * f)
    right = attempt_logs.right_answers(KEYS, student)["block_rate"]
    assert right == pytest.approx(rates[n - b], abs=1e-9)
