"""Problem set 3: its prose and its questions agree with what PyTorch computes."""

import re
import statistics

import pytest
import torch
from nbformat import NotebookNode
from torch import nn
from torchvision import models

from autograder.grading import attempt_logs
from course_utils.quiz import bank
from tests.conftest import ROOT, run_reference

NAME = "ps3_architectures"
KEYS = ROOT / "exercises" / "keys" / f"{NAME}.yaml"
QUESTIONS = bank.load(KEYS).questions
STUDENTS = [f"student{number:02}" for number in range(40)]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> NotebookNode:
    """The reference after it ran in stock Jupyter, with all questions answered."""
    return run_reference(NAME, tmp_path_factory.mktemp("ps3"))


@pytest.fixture(scope="module")
def printed(ran: NotebookNode) -> str:
    """What it wrote, which is nothing but standard output: no warning, no error."""
    outputs = [output for cell in ran.cells for output in cell.get("outputs", [])]
    streams = [output for output in outputs if output.output_type == "stream"]
    assert {output.name for output in streams} == {"stdout"}
    return "".join(output.text for output in streams)


def text_of(notebook: NotebookNode) -> str:
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def test_it_shows_what_it_says(printed: str) -> None:
    assert "VGG-16: 138,357,544 parameters; batch of 16 in 3 GB, of 188 in 16 GB" in printed
    nudged, backward = re.search(r"nudged: (\S+), backward: (\S+)", printed).groups()
    assert float(nudged) == pytest.approx(float(backward), abs=2e-6)
    loops, blocks = (
        float(re.search(rf"^{name} *: +([\d.]+) ms", printed, re.MULTILINE)[1])
        for name in ("loops", "blocks")
    )
    assert blocks < loops
    right = float(re.search(r"new pictures     : ([\d.]+) % right", printed)[1])
    assert right > 20  # chance: 12.5


def test_points_are_those_of_the_table(ran: NotebookNode) -> None:
    given = {
        cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points
        for cell in ran.cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    }
    quiz = sum(value for test, value in given.items() if test.startswith("quiz_"))
    total = sum(given.values())
    assert f"{total}: {total - quiz} for code, {quiz} for" in text_of(ran)
    headings = "".join(re.findall(r"^#+ .*\(.*points?.*\)$", text_of(ran), re.MULTILINE))
    assert sum(map(int, re.findall(r"(\d) points?", headings))) == total


@pytest.mark.parametrize("depth", [11, 13, 16, 19])
@pytest.mark.parametrize("norm", [False, True])
def test_the_reference_is_torchvisions_vgg(depth: int, norm: bool) -> None:
    names = solutions("features", "vgg", given=("blocks",))
    with torch.device("meta"):
        ours = names["vgg"](depth, batch_norm=norm)
        theirs = getattr(models, f"vgg{depth}{'_bn' if norm else ''}")()
    shapes = [[tuple(p.shape) for p in network.parameters()] for network in (ours, theirs)]
    assert shapes[0] == shapes[1]


def solutions(*cells: str, given: tuple[str, ...] = ()) -> dict:
    """The names that some cells of the source bind."""
    source = (ROOT / "exercises" / "text" / f"{NAME}.py").read_text(encoding="utf-8")
    names: dict = {}
    for cell in source.split("\n# %%")[1:]:
        head, _, body = cell.partition("\n")
        wanted = [f'given="{name}"' for name in ("imports", "row", "kept_bytes", *given)]
        wanted += [f'solution="{name}"' for name in cells]
        if any(one in head for one in wanted):
            exec(compile(body, head, "exec"), names)
    return names


# The experiment of part 6


def points_of_the_table(text: str) -> list[float]:
    [row] = re.findall(r"^\| points \|(.*)\|$", text, re.MULTILINE)
    return [float(number.replace("−", "-")) for number in row.split("|")]


def test_the_tables_mean_and_deviation_are_those_of_the_prose(ran: NotebookNode) -> None:
    points = points_of_the_table(text_of(ran))
    mean, deviation = statistics.mean(points), statistics.stdev(points)
    assert f"${mean:+.1f}$ points" in text_of(ran)
    error = deviation / len(points) ** 0.5
    assert rf"{deviation:.1f}/\sqrt{{12}} = {error:.1f}" in text_of(ran)
    question = QUESTIONS["norm_order"]
    assert ", ".join(f"{point:+.1f}".replace("-", "−") for point in points) in question.text
    supported = [
        False,  # three of twelve
        abs(mean) < 2 * error,
        False,  # a difference of 0 fits, and so do others
        70 < (2 * deviation / 1.0) ** 2 < 80,
    ]
    assert question.key.answer == [number for number, holds in enumerate(supported, 1) if holds]
    low, high = mean - 2 * error, mean + 2 * error
    assert f"{low:.1f} to {high:+.1f}".replace("-", "−") in question.key.solution


@pytest.mark.slow
def test_the_table_is_what_the_experiment_gives(ran: NotebookNode) -> None:
    needed = ("adam_start", "photographs", "scores", "order_experiment", "right_in_order")
    names = solutions("adam_step", "train_epoch", given=needed)
    right = names["right_in_order"]
    again = [round(right(False, seed) - right(True, seed), 1) for seed in range(12)]
    # In double precision another processor's rounding changes no answer.
    assert again == pytest.approx(points_of_the_table(text_of(ran)), abs=0.11)


# The other answers, derived independently


@pytest.mark.parametrize("student", STUDENTS)
def test_the_running_variance_is_pytorchs(student: str) -> None:
    drawn = QUESTIONS["running_variance"].numbers(student)
    norm = nn.BatchNorm2d(1)
    norm.running_var.fill_(drawn["old"])
    norm(torch.tensor(drawn["numbers"], dtype=torch.float32)[None, None])
    right = attempt_logs.right_answers(KEYS, student)["running_variance"]
    assert right == pytest.approx(norm.running_var.item(), rel=1e-5)


def test_what_is_left_of_the_start_after_fifteen_batches() -> None:
    norm = nn.BatchNorm2d(1)
    norm.running_mean.fill_(100.0)
    for _ in range(15):
        norm(torch.tensor([[[[-1.0, 1.0]]]]))
    share = norm.running_mean.item() / 100
    assert rf"0.9^{{15}} \approx {100 * share:.0f}\,\%" in QUESTIONS["two_modes"].key.solution
