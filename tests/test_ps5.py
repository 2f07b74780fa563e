"""Problem set 5: the tests of its tests, run in a real kernel and scored by nbgrader."""

import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbgrader.utils import determine_grade, is_grade

from autograder import answers, checks

ROOT = Path(__file__).resolve().parent.parent
NAME = "ps5_backpropagation"
SOURCE = ROOT / "exercises" / "source" / NAME / f"{NAME}.ipynb"
KEYS = ROOT / "exercises" / "keys" / f"{NAME}.yaml"
CHECKS = sorted((ROOT / "exercises" / "checks" / NAME).glob("*.py"))
POINTS = {
    "test_tanh_backward": 2,
    "test_saturated_fraction": 1,
    "test_max_pool_forward": 2,
    "test_max_pool_backward": 2,
    "test_max_pool_overlap": 2,
    "test_linear_backward": 2,
    "test_softmax_cross_entropy": 2,
    "test_network_gradients": 2,
    "test_training": 1,
    "test_numerical_gradient": 2,
    "test_gradient_check": 1,
    "test_repaired_backward": 1,
    "quiz_backprop_false": 2,
    "quiz_tanh_gradient": 1,
    "quiz_pool_gradient": 1,
}

Results = dict[str, tuple[float, str]]
Run = Callable[[NotebookNode], Results]


@pytest.fixture(scope="module")
def source() -> NotebookNode:
    return nbformat.read(SOURCE, as_version=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where notebooks run: with the questions, and a log of right answers to them."""
    path = tmp_path_factory.mktemp("ps5")
    shutil.copytree(SOURCE.parent / "quiz", path / "quiz")
    answer_questions(path, answers.right_answers(KEYS, "student01"))
    return path


def answer_questions(folder: Path, given: dict[str, Any]) -> None:
    for name, content in answers.log_files(KEYS, "student01", given.items()).items():
        (folder / name).write_bytes(content)


@pytest.fixture(scope="module")
def run(folder: Path) -> Iterator[Run]:
    """Run a notebook in a kernel with an empty namespace; score and error of each test."""
    client = NotebookClient(
        nbformat.v4.new_notebook(),
        timeout=60,
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
    )

    def run_notebook(notebook: NotebookNode) -> Results:
        reset = nbformat.v4.new_code_cell("%reset -f")
        client.nb = nbformat.v4.new_notebook(cells=[reset, *notebook.cells])
        for index, cell in enumerate(client.nb.cells):
            client.execute_cell(cell, index)
        return {
            cell.metadata.nbgrader.grade_id: (
                determine_grade(cell, logging.getLogger())[0],
                "\n".join(o.evalue for o in cell.outputs if o.output_type == "error"),
            )
            for cell in client.nb.cells
            if is_grade(cell)
        }

    with client.setup_kernel():
        yield run_notebook


def copy_of(notebook: NotebookNode) -> NotebookNode:
    return nbformat.reads(nbformat.writes(notebook), as_version=4)


def graded_part(notebook: NotebookNode) -> NotebookNode:
    """A copy without the cells that only show something."""
    copied = copy_of(notebook)
    copied.cells = [cell for cell in copied.cells if "nbgrader" in cell.metadata]
    return copied


def test_reference_gets_full_marks_without_a_warning(source: NotebookNode, run: Run) -> None:
    notebook = copy_of(source)
    results = run(notebook)
    assert {test: score for test, (score, _) in results.items()} == POINTS
    assert sum(POINTS.values()) == 24
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    streams = [output for output in outputs if output.output_type == "stream"]
    assert {output.name for output in streams} == {"stdout"}
    printed = "".join(output.text for output in streams)
    assert "scale   10: mean slope 0.084, saturated 76.1%" in printed
    errors = dict(re.findall(r"^(softsign|swish|softmax) +(\S+)$", printed, re.MULTILINE))
    assert [name for name, error in errors.items() if float(error) > 1e-3] == ["softmax"]
    assert float(re.search(r"kernel 3, stride 2: relative error (\S+)", printed)[1]) < 1e-6
    assert float(re.search(r"right on new pictures: ([\d.]+)%", printed)[1]) > 70  # chance: 33


def test_reference_passes_with_twenty_other_seeds(source: NotebookNode, run: Run) -> None:
    for shift in range(100, 2100, 100):
        notebook = graded_part(source)
        seeded = 0
        for cell in filter(is_grade, notebook.cells):
            cell.source, count = re.subn(
                r"(manual_seed\(|seed=)(\d+)",
                lambda found: f"{found[1]}{int(found[2]) + shift}",  # noqa: B023
                cell.source,
            )
            seeded += count
        assert seeded > len(POINTS)
        failed = {test: error for test, (_, error) in run(notebook).items() if error}
        assert failed == {}, f"seeds + {shift}"


def test_blank_release_fails_every_test(tmp_path: Path, folder: Path, run: Run) -> None:
    """No output is full marks to nbgrader, so each test must fail on an empty solution."""
    shutil.copytree(SOURCE.parent, tmp_path / "source" / NAME)
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", NAME]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # nbgrader runs alembic
    subprocess.run(
        command, cwd=tmp_path, env=os.environ | {"PATH": path}, check=True, capture_output=True
    )
    text = (tmp_path / "release" / NAME / f"{NAME}.ipynb").read_text(encoding="utf-8")
    for secret in ("HIDDEN TESTS", "BEGIN SOLUTION", "logits - torch.logsumexp"):
        assert secret in SOURCE.read_text(encoding="utf-8")
        assert secret not in text
    answer_questions(folder, {})
    results = run(nbformat.reads(text, as_version=4))
    answer_questions(folder, answers.right_answers(KEYS, "student01"))
    assert {test: score for test, (score, _) in results.items()} == dict.fromkeys(POINTS, 0)


@pytest.mark.parametrize("path", CHECKS, ids=lambda path: path.stem)
def test_check(path: Path, source: NotebookNode, run: Run) -> None:
    """A wrong solution fails where and as its header says, and nowhere else."""
    check = checks.load(path)
    results = run(graded_part(checks.apply(check, source)))
    failed = {test: error for test, (score, error) in results.items() if score < POINTS[test]}
    assert set(failed) == set(check.fails), failed
    for test, message in check.fails.items():
        assert message in failed[test]


def test_checks_cover_every_test() -> None:
    loaded = [checks.load(path) for path in CHECKS]
    assert len([check for check in loaded if check.kind == "alternative"]) >= 2
    assert {test for check in loaded for test in check.fails} == {
        test for test in POINTS if not test.startswith("quiz_")
    }
