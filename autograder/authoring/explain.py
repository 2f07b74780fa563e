"""Says for each line of a test that the judge refuses what to write instead of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from autograder.assignment import Assignment
from autograder.authoring.verify import runner
from autograder.cells import grade_id, is_test
from autograder.course import Course
from autograder.grading.execute import Executed
from autograder.grading.reference import reference
from autograder.grading.settings import Settings
from autograder.judge.notebook.unsupported import unsupported
from autograder.judge.result import Ended

_REWRITES = re.compile(r"^(?P<what>.*?): (?P<rewrite>.*)$", re.DOTALL)


@dataclass(frozen=True)
class Explained:
    """A line of a test that the judge refuses, or might refuse.

    Attributes:
        cell: the test's id.
        line: the line in the cell, from 1; None if it isn't known.
        source: the line's text.
        what: what isn't supported.
        rewrite: what to write instead.
        judged: whether the reference solution got all points of this test nevertheless.
        pattern: what to add to `c.Autograder.in_kernel` to run the test as stock nbgrader does.
    """

    cell: str
    line: int | None
    source: str
    what: str
    rewrite: str
    judged: bool
    pattern: str


def explain(course: Course, name: str) -> list[Explained]:
    """Run the reference solution, and explain each refusal.

    Raises:
        ReleaseError: the assignment can't be read.
    """
    settings = Settings.of(course)
    assignment = Assignment.load(course, name)
    with runner(assignment, settings, 1) as run_all:
        [executed] = run_all([reference(course, assignment)], settings)
    tests = {
        str(grade_id(cell)): cell.source.splitlines()
        for source in assignment.sources.values()
        for cell in source.cells
        if is_test(cell)
    }
    explained = [
        _explained(name, tests, executed, finding.grade_id, finding.line, finding.what,
                   finding.rewrite)
        for source in assignment.sources.values()
        for finding in unsupported(source)
    ]  # fmt: skip
    for test, lines in tests.items():
        cell = executed.cells.get(test)
        if cell is None or cell.ended is not Ended.REFUSED:
            continue
        line = _line(cell.outputs, test, len(lines))
        if line is None or (test, line) not in {(item.cell, item.line) for item in explained}:
            match = _REWRITES.match(str(cell.reason).partition(": ")[2])
            what, rewrite = match.groups() if match else (str(cell.reason), "see docs/judge.md")
            explained.append(_explained(name, tests, executed, test, line, what, rewrite))
    return explained


def _explained(
    name: str,
    tests: dict[str, list[str]],
    executed: Executed,
    test: str,
    line: int | None,
    what: str,
    rewrite: str,
) -> Explained:
    cell = executed.cells.get(test)
    judged = cell is not None and cell.score is not None and cell.score == cell.max_score
    source = tests[test][line - 1].strip() if line and line <= len(tests[test]) else ""
    return Explained(test, line, source, what, rewrite, judged, f"{name}/{test}")


def _line(outputs: list[dict[str, object]], test: str, most: int) -> int | None:
    """The last line of the test itself in a traceback."""
    text = "\n".join(str(line) for output in outputs for line in _lines(output))
    text = re.sub(r"\x1b\[[\d;]*m", "", text)
    numbers = re.findall(rf"<{re.escape(test)}>\D{{0,20}}(\d+)", text)
    lines = [int(number) for number in numbers if 0 < int(number) <= most]
    return lines[-1] if lines else None


def _lines(output: dict[str, object]) -> list[object]:
    traceback = output.get("traceback")
    return traceback if isinstance(traceback, list) else []
