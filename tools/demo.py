"""The main job, from start to end, on a sample class: release, verify, grade, feedback, report.

python -m tools.demo

Works on a copy of the course in build/demo. Every expected score stands beside the submission it
belongs to (tools/sample_class.py); any surprise makes the demo fail.
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
from tools.sample_class import Expected, make_sample_class

ROOT = Path(__file__).resolve().parent.parent
COURSE = ROOT / "build" / "demo" / "exercises"
ASSIGNMENT = "ps5_backpropagation"
out = Console(width=max(100, Console().width))


def main() -> int:
    """Run the demo; 0 if everything came out as expected."""
    started = time.perf_counter()
    shutil.rmtree(COURSE, ignore_errors=True)
    parts = ("submitted", "autograded", "feedback", "release", "specimens", "gradebook.db*")
    shutil.copytree(ROOT / "exercises", COURSE, ignore=shutil.ignore_patterns(*parts))
    _step("release", "release")
    _step("verify: the tests are tested first", "verify", ASSIGNMENT, "--quick")
    expected = make_sample_class(COURSE)
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
    done = subprocess.run(command, check=False)
    if done.returncode not in codes:
        raise SystemExit(f"'autograder {' '.join(arguments)}' failed: see above")


def _show(expected: list[Expected]) -> int:
    """Print what was expected beside what came out; the number of differences."""
    found = {result.student: result for result in results(Course(COURSE), ASSIGNMENT)}
    table = Table("student", "handed in", "expected", "graded", "late", "", title="The class")
    surprises = 0
    for one in expected:
        result = found.pop(one.student, None)
        well = result is not None and _as_expected(one, result)
        surprises += not well
        table.add_row(
            one.student,
            one.about,
            "needs review" if one.score is None else f"{one.score:g}",
            _given(result),
            "late" if result and result.seconds_late else "",
            "[green]✓[/]" if well else "[red]✗[/]",
        )
    out.print(table)
    return surprises + len(found)


def _as_expected(one: Expected, result: Result) -> bool:
    """Every test's points, the lateness, and whether a person must look."""
    if one.late != (result.seconds_late > 0):
        return False
    if one.points is None:
        return result.status == "needs review"
    points = {name: cell.score for name, cell in result.cells.items()}
    return result.status == "graded" and points == one.points


def _given(result: Result | None) -> str:
    if result is None:
        return "not graded"
    if result.status != "graded":
        return result.status
    return f"{result.score:g} of {result.max_score:g}"


if __name__ == "__main__":
    sys.exit(main())
