"""Changes the reference solution in small ways: a test that accepts a change is too weak.

A mutant is one change at one place of a solution region. A mutant is *equivalent* if no test could
see the change. specimens/ASSIGNMENT/equivalent.yaml lists the equivalent mutants with a reason, by
the lines before and after the change:

    - cell: max_pool2d_backward
      from: grad_x = torch.zeros_like(x)
      to: grad_x = torch.ones_like(x)
      why: ...
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
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

AT_LEAST = 40  # mutants of an assignment
KILLED = 0.95  # share of the mutants that are not equivalent
EQUIVALENT = 0.10  # share of all mutants
PATIENCE = 5.0  # a mutant's cell may take PATIENCE + PATIENCE times the reference's seconds


class EquivalentError(AutograderError):
    """The list of equivalent mutants can't be used."""


@dataclass(frozen=True)
class Tried:
    """A mutant that was graded.

    Attributes:
        mutant: the change.
        killed_by: the first test that noticed the change; None if no test did.
        equivalent: why no test can notice the change; None if no reason is listed.
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
        name: the assignment's name.
        jobs: how many mutants run at the same time; None: one for each core.
        on_start: called once with the number of mutants.
        on_mutant: called after each mutant.

    Returns:
        The graded mutants, and the problems that were found.

    Raises:
        EquivalentError: the list of equivalent mutants can't be read.
        ReleaseError: the assignment can't be read.
    """
    assignment = Assignment.load(course, name)
    log = attempt_log(course, name)
    reasons = equivalent(course.root / "specimens" / name / "equivalent.yaml")
    mutants = list(mutants_of(assignment))
    reference = prepared(assignment, "reference", assignment.sources, log)
    first = Settings.of(course)
    tried = []
    with runner(assignment, first, jobs) as run_all:
        [run] = run_all([reference], first)
        slow = {"Execute": {"timeout": PATIENCE + PATIENCE * run.seconds}}
        settings = replace(first, config=Config(course.config, **slow), stop_at_failure=True)
        candidates = [
            prepared_changed(assignment, mutant.cell, _with(mutant, assignment), [mutant.cell], log)
            for mutant in mutants
        ]
        on_start(len(mutants))
        for mutant, run in zip(mutants, run_all(candidates, settings), strict=True):
            cells = score(assignment, reference, run, {}).cells
            reasons_given = {test: cell.reason for test, cell in cells.items() if cell.reason}
            if any(NOT_A_MUTANT in reason for reason in reasons_given.values()):
                continue
            killer = next(iter(reasons_given), None)
            tried.append(Tried(mutant, killer, reasons.pop(mutant.key, None)))
            on_mutant(tried[-1])
    unknown = [f"equivalent.yaml: there is no such mutant: {' | '.join(key)}" for key in reasons]
    return tried, unknown + _problems(tried)


def _problems(tried: list[Tried]) -> list[str]:
    problems = [
        f"equivalent.yaml: not equivalent, {run.killed_by} notices it: {' | '.join(run.mutant.key)}"
        for run in tried
        if run.killed_by and run.equivalent
    ]
    count = Counter(trial.outcome for trial in tried)
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
    """The reasons why mutants are equivalent, by the mutants' keys; {} if there is no file.

    Raises:
        EquivalentError: the file is not a list of entries with cell, from, to and why.
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
    """Tables in Markdown: the outcomes of mutants by assignment, and by operator."""
    operators = sorted({trial.mutant.operator for trials in tried.values() for trial in trials})
    by_operator = {
        operator: [
            trial
            for trials in tried.values()
            for trial in trials
            if trial.mutant.operator == operator
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
        count = Counter(trial.outcome for trial in tried)
        real = len(tried) - count["equivalent"]
        share = f"{count['killed'] / real:.1%}" if real else "–"
        row = (name, len(tried), count["killed"], count["equivalent"], count["survived"], share)
        yield f"| {' | '.join(map(str, row))} |"


def _survivors(tried: dict[str, list[Tried]]) -> Iterator[str]:
    survivors = [(name, trial) for name, trials in tried.items() for trial in trials]
    survivors = [(name, trial) for name, trial in survivors if trial.outcome == "survived"]
    yield "Survivors:" if survivors else "No mutant survived."
    for name, trial in survivors:
        yield f"- {name}, `{trial.mutant.cell}`: `{trial.mutant.before}` → `{trial.mutant.after}`"
