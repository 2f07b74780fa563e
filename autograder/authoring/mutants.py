"""Changes the reference solution in small ways: a test that doesn't notice is too weak.

Each mutant is one change of one place inside a solution region. A mutant that changes nothing which
a test could see is *equivalent*; specimens/ASSIGNMENT/equivalent.yaml lists those, each with its
reason, by the line before and after the change:

    - cell: max_pool2d_backward
      from: grad_x = torch.zeros_like(x)
      to: grad_x = torch.ones_like(x)
      why: ...
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from traitlets.config import Config

from autograder.assignment import Assignment
from autograder.authoring.mutation import NOT_A_MUTANT, Mutant, mutate, one_line
from autograder.authoring.verify import prepared_changed, runner
from autograder.cells import grade_id, is_graded, is_solution
from autograder.course import Course
from autograder.errors import AutograderError
from autograder.grading.reference import attempt_log, prepared
from autograder.grading.score import score
from autograder.grading.settings import Settings

AT_LEAST = 40  # mutants an assignment
KILLED = 0.95  # of those that are not equivalent
EQUIVALENT = 0.10  # of all
PATIENCE = 5.0  # a cell of a mutant may take as often as long as the whole reference


class EquivalentError(AutograderError):
    """The list of equivalent mutants can't be used."""


@dataclass(frozen=True)
class Tried:
    """A mutant that was graded.

    Attributes:
        mutant: the change.
        killed_by: the first test that noticed; None if none did.
        equivalent: why no test can notice, if that was found.
    """

    mutant: Mutant
    killed_by: str | None
    equivalent: str | None

    @property
    def outcome(self) -> str:
        """``"killed"``, ``"equivalent"`` or ``"survived"``."""
        return "killed" if self.killed_by else "equivalent" if self.equivalent else "survived"


def try_mutants(
    course: Course,
    name: str,
    *,
    jobs: int | None = None,
    on_start: Callable[[int], None] = lambda _: None,
    on_mutant: Callable[[Tried], None] = lambda _: None,
) -> tuple[list[Tried], list[str]]:
    """Grade every mutant of an assignment's reference solution.

    Args:
        course: the course.
        name: the assignment.
        jobs: how many run side by side; default: one a core.
        on_start: called once with the number of mutants.
        on_mutant: called after each.

    Returns:
        The mutants, and what is not as it must be.

    Raises:
        EquivalentError: the list of equivalent mutants can't be read.
        ReleaseError: the assignment can't be read.
    """
    assignment = Assignment.load(course, name)
    log = attempt_log(course, name)
    reasons = equivalent(course.root / "specimens" / name / "equivalent.yaml")
    found = list(mutants_of(assignment))
    reference = prepared(assignment, "reference", assignment.sources, log)
    with runner(assignment, Settings(config=course.config), 1) as run_all:
        [run] = run_all([reference])
    slow = {"Execute": {"timeout": PATIENCE + PATIENCE * run.seconds}}
    settings = Settings(config=Config(course.config, **slow), stop_at_failure=True)
    candidates = [
        prepared_changed(assignment, one.cell, _with(one, assignment), [one.cell], log)
        for one in found
    ]
    on_start(len(found))
    tried = []
    with runner(assignment, settings, jobs) as run_all:
        for mutant, run in zip(found, run_all(candidates), strict=True):
            cells = score(assignment, reference, run, {}).cells
            reasons_given = {test: cell.reason for test, cell in cells.items() if cell.reason}
            if any(NOT_A_MUTANT in reason for reason in reasons_given.values()):
                continue
            killer = next(iter(reasons_given), None)
            tried.append(Tried(mutant, killer, reasons.pop(mutant.key, None)))
            on_mutant(tried[-1])
    gone = [f"equivalent.yaml: there is no such mutant: {' | '.join(key)}" for key in reasons]
    return tried, gone + _problems(tried)


def _problems(tried: list[Tried]) -> list[str]:
    problems = [
        f"equivalent.yaml: not equivalent, {one.killed_by} notices it: {' | '.join(one.mutant.key)}"
        for one in tried
        if one.killed_by and one.equivalent
    ]
    count = Counter(one.outcome for one in tried)
    real = len(tried) - count["equivalent"]
    if len(tried) < AT_LEAST:
        problems.append(f"{len(tried)} mutants: the reference gives fewer than {AT_LEAST}")
    if count["killed"] < KILLED * real:
        share = f"{count['killed']} of {real} are noticed, fewer than {KILLED:.0%}"
        problems.append(f"{share}: test what the survivors change, or say why they are equivalent")
    if count["equivalent"] > EQUIVALENT * len(tried):
        share = f"{count['equivalent']} of {len(tried)} are called equivalent"
        problems.append(f"{share}, more than {EQUIVALENT:.0%}: simplify the reference")
    return problems


def _with(mutant: Mutant, assignment: Assignment) -> dict[str, Any]:
    notebooks = {}
    for name, source in assignment.sources.items():
        notebooks[name] = copy.deepcopy(source)
        for cell in notebooks[name].cells:
            if grade_id(cell) == mutant.cell:
                cell.source = mutant.source
    return notebooks


def equivalent(path: Path) -> dict[tuple[str, str, str], str]:
    """The reasons why mutants are equivalent, by the mutants' keys; none if there is no file.

    Raises:
        EquivalentError: it is not a list of cell, from, to and why.
    """
    if not path.exists():
        return {}
    remedy = "write a list of entries with cell, from, to and why, as docs/assignments.md shows"
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise EquivalentError(f"{path}: is not YAML: {error}", remedy) from error
    for entry in entries if isinstance(entries, list) else [entries]:
        words = entry if isinstance(entry, dict) else {}
        if sorted(words) != ["cell", "from", "to", "why"] or not all(
            isinstance(word, str) for word in words.values()
        ):
            raise EquivalentError(f"{path}: can't be read at: {entry}", remedy)
    return {
        (entry["cell"], one_line(entry["from"]), one_line(entry["to"])): entry["why"]
        for entry in entries
    }


def mutants_of(assignment: Assignment) -> Iterator[Mutant]:
    """Every mutant of every solution cell, in the order of the notebook."""
    for source in assignment.sources.values():
        for cell in source.cells:
            name = grade_id(cell)
            if cell.cell_type == "code" and name and is_solution(cell) and not is_graded(cell):
                yield from mutate(name, cell.source)


def table(tried: dict[str, list[Tried]]) -> str:
    """Markdown: what became of the mutants of each assignment, and of each operator's."""
    operators = sorted({one.mutant.operator for each in tried.values() for one in each})
    by_operator = {
        operator: [
            one for each in tried.values() for one in each if one.mutant.operator == operator
        ]
        for operator in operators
    }
    return "\n\n".join(
        [
            "# Mutants",
            "Written by `autograder verify --mutants --write docs/mutants.md`;"
            " [assignments](assignments.md) explains it.",
            "\n".join(_rows("assignment", tried)),
            "\n".join(_rows("operator", by_operator)),
            "\n".join(_survivors(tried)),
        ]
    )


def _rows(title: str, groups: dict[str, list[Tried]]) -> Iterator[str]:
    yield f"| {title} | mutants | killed | equivalent | survived | killed of the rest |"
    yield "|---|---|---|---|---|---|"
    for name, tried in groups.items():
        count = Counter(one.outcome for one in tried)
        real = len(tried) - count["equivalent"]
        share = f"{count['killed'] / real:.1%}" if real else "–"
        row = (name, len(tried), count["killed"], count["equivalent"], count["survived"], share)
        yield f"| {' | '.join(map(str, row))} |"


def _survivors(tried: dict[str, list[Tried]]) -> Iterator[str]:
    found = [(name, one) for name, each in tried.items() for one in each]
    found = [(name, one) for name, one in found if one.outcome == "survived"]
    yield "Survivors:" if found else "No mutant survived."
    for name, one in found:
        yield f"- {name}, `{one.mutant.cell}`: `{one.mutant.before}` → `{one.mutant.after}`"
