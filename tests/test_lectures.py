"""Lectures that were run: what they show, and what their prose says of it.

All that needs a lecture's run is in this file, because a run takes half a minute.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import nbformat
import pytest

from tools import facts
from tools.notebooks import ROOT, targets

LECTURES = [path for path in targets(ROOT).values() if path.parent.name == "lectures"]
# The others, with their experiments, run with the slow tests.
DAILY = ("00_welcome", "02_convolution_arithmetic", "05_backpropagation")
each = pytest.mark.parametrize(
    "lecture",
    [
        pytest.param(path, id=path.stem, marks=() if path.stem in DAILY else pytest.mark.slow)
        for path in LECTURES
    ],
)


@pytest.fixture(scope="session")
def run_lecture(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], facts.Ran]:
    """Run a lecture in an empty folder, with every warning on; each lecture runs once."""

    @cache
    def run(path: Path) -> facts.Ran:
        import matplotlib.font_manager  # noqa: F401  # builds its cache once: slow, and it warns

        known = facts.load(facts.FACTS / f"{path.stem}.yaml")
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("PYTHONPATH", str(ROOT))
            environment.setenv("PYTHONWARNINGS", "default")  # even those that Python hides
            folder = tmp_path_factory.mktemp(path.stem)
            if (path.parent / "quiz").is_dir():
                shutil.copytree(path.parent / "quiz", folder / "quiz")
            return facts.run(path, folder, known)

    return run


@each
@pytest.mark.slow
@pytest.mark.alone  # times, which need a quiet computer
def test_a_lecture_takes_a_minute_at_most(lecture, run_lecture):
    ran = run_lecture(lecture)
    assert sum(ran.seconds) < 60
    assert max(ran.seconds) < 20


@each
def test_a_lecture_runs_without_a_warning(lecture, run_lecture):
    ran = run_lecture(lecture)
    outputs = [output for cell in ran.notebook.cells for output in cell.get("outputs", [])]
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    pages = [output.data.get("text/html", "") for output in outputs if "data" in output]
    images = [tag for page in pages for tag in re.findall(r"<img [^>]+>", page)]
    assert images
    assert all(re.search(r'alt="[^"]{30,}"', tag) for tag in images)
    assert not any("image/png" in output.get("data", {}) for output in outputs), "use plots.show"


@each
def test_the_folded_solutions_of_a_lectures_exercises_are_right(lecture, run_lecture):
    """Each lecture has two: a cell to complete, a cell that checks it, and a folded solution."""
    cells = nbformat.read(lecture, 4).cells
    begins = [at for at, cell in enumerate(cells) if facts.STUB in cell.source]
    ran = run_lecture(lecture)
    assert ran.solved == ["right"] * len(begins)
    assert len(begins) >= 2
    for at in begins:
        stub = ran.notebook.cells[at + 1].outputs
        assert "".join(output.text for output in stub).startswith("not yet")


@each
def test_every_number_in_the_prose_is_computed(lecture, run_lecture):
    ran = run_lecture(lecture)
    assert facts.problems(ran.notebook, ran.true_texts) == []


@each
def test_a_number_altered_by_one_is_noticed(lecture, run_lecture):
    ran = run_lecture(lecture)
    notebook, true_texts = ran.notebook, ran.true_texts
    prose = facts.statements(notebook)
    whole = [statement.text for statement in prose]
    altered, unnoticed = 0, []
    for index, statement in enumerate(prose):
        shown = facts.evidence(notebook, statement.cell)
        for number, text in facts.slips(statement.text):
            altered += 1
            everything = " ".join([*whole[:index], text, *whole[index + 1 :]])
            noticed = facts.unbound(text, shown, true_texts) or any(
                true_text not in everything for true_text in true_texts
            )
            if not noticed:
                unnoticed.append(f"cell {statement.cell + 1}: {number}")
    assert altered > 10
    assert len(unnoticed) <= 0.05 * altered, f"{len(unnoticed)} of {altered}: {unnoticed}"


@each
def test_an_interpretation_turned_round_is_noticed(lecture, run_lecture):
    ran = run_lecture(lecture)
    assert ran.flips > 10
    assert len(ran.unnoticed) <= 0.05 * ran.flips, f"of {ran.flips}: {ran.unnoticed}"
