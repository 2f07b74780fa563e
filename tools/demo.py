"""Runs the main commands on a sample class: release, verify, grade, feedback, report.

    python -m tools.demo

The demo works on a copy of the course in build/demo. The expected score of each submission stands
beside the submission in tools/sample_class.py. The demo fails if a result differs from it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from autograder.course import Course
from autograder.grading.report import results
from autograder.grading.result import Result
from tools.sample_class import CLASS, Expected, make_sample_class

ROOT = Path(__file__).resolve().parent.parent
COURSE = ROOT / "build" / "demo" / "exercises"
ASSIGNMENT = "ps5_backpropagation"
out = Console(width=max(100, Console().width))


def main() -> int:
    """Run the demo. Return 0 if every result is as expected, else 1."""
    started = time.perf_counter()
    shutil.rmtree(COURSE, ignore_errors=True)
    left_out = ("submitted", "autograded", "feedback", "release", "specimens", "gradebook.db*")
    shutil.copytree(ROOT / "exercises", COURSE, ignore=shutil.ignore_patterns(*left_out))
    _step("release", "release")
    _step("verify: the tests are tested first", "verify", ASSIGNMENT, "--quick")
    expected = make_sample_class(COURSE, tuple(row for row in CLASS if row.demo))
    out.rule(f"a sample class of {len(expected)} hands in {ASSIGNMENT}")
    _step("grade", "grade", ASSIGNMENT, codes=(0, 3))
    _step("feedback", "feedback", ASSIGNMENT)
    surprises = _show(expected)
    folder = COURSE.relative_to(ROOT)
    out.print(f"\nfeedback pages   {folder}/feedback/STUDENT/{ASSIGNMENT}/{ASSIGNMENT}.html")
    out.print(f"formgrader       cd {folder} && ../../../.venv/bin/jupyter lab")
    out.print(f"took             {time.perf_counter() - started:.0f} s")
    if surprises:
        out.print(f"[red]{surprises} submissions were not graded as expected[/]")
        return 1
    out.print("[green]every submission was graded as expected[/]")
    return 0


def _step(title: str, *arguments: str, codes: tuple[int, ...] = (0,)) -> None:
    out.rule(title)
    command = [sys.executable, "-m", "autograder", *arguments, "--course", str(COURSE)]
    finished = subprocess.run(command, check=False)
    if finished.returncode not in codes:
        raise SystemExit(f"'autograder {' '.join(arguments)}' failed: see above")


def _show(expected: list[Expected]) -> int:
    """Print the expected result beside each result, and return the number of differences."""
    graded = {result.student: result for result in results(Course(COURSE), ASSIGNMENT)}
    table = Table("student", "handed in", "expected", "graded", "late", "", title="The class")
    surprises = 0
    for row in expected:
        result = graded.pop(row.student, None)
        as_expected = result is not None and _as_expected(row, result)
        surprises += not as_expected
        table.add_row(
            row.student,
            row.about,
            "needs review" if row.score is None else f"{row.score:g}",
            _given(result),
            "late" if result and result.seconds_late else "",
            "[green]✓[/]" if as_expected else "[red]✗[/]",
        )
    out.print(table)
    return surprises + len(graded)


def _as_expected(expected: Expected, result: Result) -> bool:
    """Whether a result has the expected points for each test, lateness and need of review."""
    if expected.late != (result.seconds_late > 0):
        return False
    if expected.points is None:
        return result.status == "needs review"
    points = {name: cell.score for name, cell in result.cells.items()}
    return result.status == "graded" and points == expected.points


def _given(result: Result | None) -> str:
    if result is None:
        return "not graded"
    if result.status != "graded":
        return result.status
    return f"{result.score:g} of {result.max_score:g}"


if __name__ == "__main__":
    sys.exit(main())
