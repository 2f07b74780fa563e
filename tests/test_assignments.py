"""Every assignment: what each must have, and the tests of its tests."""

from __future__ import annotations

import re

import pytest

from autograder.assignment import Assignment
from autograder.authoring import mutants, specimens
from autograder.authoring.stock import compare
from autograder.authoring.verify import Report, verify
from autograder.cells import is_test
from autograder.course import Course
from autograder.sandbox.view import gpus
from course_utils.quiz import bank
from tests.conftest import ROOT

COURSE = Course(ROOT / "exercises")
every = pytest.mark.parametrize("name", COURSE.assignments())
# One is verified every day, the others with the slow tests: each takes a minute or two.
DAILY = "ps1_preprocessing"
every_in_turn = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name == DAILY else pytest.mark.slow)
        for name in COURSE.assignments()
    ],
)
_reports: dict[str, Report] = {}


def report_of(name: str) -> Report:
    """What `autograder verify` finds; each assignment is verified once."""
    if name not in _reports:
        _reports[name] = verify(COURSE, name)
    return _reports[name]


@every_in_turn
def test_right_solutions_get_all_points_and_wrong_ones_fail_where_they_must(name):
    assert report_of(name).problems == []


@every
def test_a_student_finds_goals_time_lecture_and_hints(name):
    [source] = Assignment.load(COURSE, name).sources.values()
    text = "\n".join(cell.source for cell in source.cells if cell.cell_type == "markdown")
    assert "**After this assignment you can**" in text
    assert "| Comes from | lecture `lectures/" in text
    assert " minutes" in text
    solutions = [cell for cell in source.cells if cell.metadata.get("nbgrader", {}).get("solution")]
    assert text.count("<summary>Hint") >= len(solutions)


@every
def test_there_are_questions_of_both_kinds(name):
    questions = bank.load(COURSE.root / "keys" / f"{name}.yaml").questions.values()
    assert any(question.kind in ("single", "multiple") for question in questions)
    assert any(question.kind == "numeric" and question.draw for question in questions)


@every
def test_every_test_has_a_wrong_solution_and_there_are_enough(name):
    loaded = specimens.load_all(COURSE.root / "specimens" / name)
    wrong = [specimen for specimen in loaded if specimen.kind == "wrong"]
    assert len(wrong) >= 6
    assert len(loaded) - len(wrong) >= 2
    [source] = Assignment.load(COURSE, name).sources.values()
    tests = {cell.metadata.nbgrader.grade_id for cell in source.cells if is_test(cell)}
    tests = {test for test in tests if not test.startswith("quiz_")}
    assert {test for specimen in wrong for test in specimen.fails} == tests


@every
def test_the_sections_that_a_part_names_are_in_its_lecture(name):
    text = (ROOT / "exercises" / "text" / f"{name}.py").read_text(encoding="utf-8")
    [lecture] = set(re.findall(r"lecture `lectures/(\w+)\.ipynb`", text))
    headings = re.findall(
        r"^# #+ (.*)$", (ROOT / "lectures" / "text" / f"{lecture}.py").read_text("utf-8"), re.M
    )
    named = [
        section
        for line in re.findall(r"^# \*Lecture sections?: (.*?)[.*]", text, re.MULTILINE)
        for section in line.split("; ")
    ]
    lost = [one for one in named if not any(heading.startswith(one) for heading in headings)]
    assert lost == []


@every
def test_a_third_of_the_wrong_solutions_was_written_from_the_release_alone(name):
    wrong = [
        one for one in specimens.load_all(COURSE.root / "specimens" / name) if one.kind == "wrong"
    ]
    assert 3 * sum(specimen.blind for specimen in wrong) >= len(wrong)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@every
def test_mutants_are_noticed_and_the_table_says_so(name):
    tried, problems = mutants.try_mutants(COURSE, name)
    assert problems == []
    [row] = [line for line in mutants.table({name: tried}).splitlines() if f"| {name} |" in line]
    assert row in (ROOT / "docs" / "mutants.md").read_text(encoding="utf-8")


@pytest.mark.cuda
@pytest.mark.skipif(not gpus(), reason="no CUDA device")
@pytest.mark.timeout(1800)
@every
def test_a_gpu_gives_every_solution_the_scores_of_the_cpu(name):
    cuda, cpu = (verify(COURSE, name, quick=True, device=device) for device in ("cuda", "cpu"))
    assert cuda.problems == cpu.problems == []
    for here, there in zip(cuda.trials, cpu.trials, strict=True):
        scores = [
            {test: cell.score for test, cell in one.result.cells.items()} for one in (here, there)
        ]
        assert scores[0] == scores[1], here.name


@pytest.mark.slow
@pytest.mark.timeout(1800)
@every
def test_stock_nbgrader_gives_the_same_scores(name):
    """Save to what is wrong only by what it imports or calls: stock takes that for right.

    Stock takes some 15 s for a solution, so every fourth wrong one stands for all of them;
    `autograder verify --stock` compares all.
    """
    assert compare(COURSE, name, every=4).differences == []
