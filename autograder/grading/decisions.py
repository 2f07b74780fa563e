"""What decisions of instructors do to scores.

A decision is a row with who, when, why, before and after (`autograder.attempts.decision_table`).
Results are stored as the judge gave them, and what is decided is computed from them when it is
needed. So a decision that is taken back leaves no trace in the scores, and a submission that is
graded again keeps what was decided for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from autograder.attempts.decision_table import ACCEPT, EXTENSION, KEY, LATE, REOPEN, VOID, Decision
from autograder.grading.first_attempts import Ruling
from autograder.grading.result import CellResult, Result
from course_utils.quiz import marking
from course_utils.quiz.errors import AnswerError
from course_utils.quiz.schema import Question


def rulings(decisions: Iterable[Decision]) -> dict[str, Ruling]:
    """What was decided about attempts, by student."""
    of: dict[str, Ruling] = {}
    for decision in decisions:
        if decision.taken_back or decision.kind not in (REOPEN, ACCEPT) or decision.subject == LATE:
            continue
        for student in decision.students:
            old = of.get(student, Ruling())
            if decision.kind == REOPEN:
                reopened = dict(old.reopened) | {decision.subject: str(decision.after["since"])}
                of[student] = replace(old, reopened=reopened)
            else:
                of[student] = replace(old, accepted=old.accepted | {decision.subject})
    return of


def decided(result: Result, decisions: Iterable[Decision]) -> Result:
    """A result as it counts: with what was decided about its questions.

    Args:
        result: the result as the judge gave it.
        decisions: the decisions about the assignment.
    """
    cells = dict(result.cells)
    for decision in decisions:
        if decision.concerns(result.student) and decision.subject in cells:
            cells[decision.subject] = _decided(cells[decision.subject], decision, result)
    waiting = any(cell.score is None and cell.reason for cell in cells.values())
    was_waiting = any(cell.score is None and cell.reason for cell in result.cells.values())
    status = "graded" if was_waiting and not waiting else result.status
    return replace(result, cells=cells, status=status)


def _decided(cell: CellResult, decision: Decision, result: Result) -> CellResult:
    if decision.kind == VOID and decision.after["as"] == "full":
        return replace(cell, score=cell.max_score, reason="voided: all get its points")
    if decision.kind == VOID:
        return replace(cell, score=0.0, max_score=0.0, reason="voided: it doesn't count")
    if decision.kind == KEY and cell.score is not None:
        return _marked_again(cell, Question.model_validate(decision.after["question"]), result)
    return cell


def _marked_again(cell: CellResult, question: Question, result: Result) -> CellResult:
    """A question's result by a corrected key; a cell without a usable first attempt stays."""
    first = result.answers.get(question.id)
    if first is None or first["version"] != question.version:
        return cell
    try:
        answer = marking.parse(question, first["answer"])
    except AnswerError:
        return cell
    numbers = question.numbers(str(first["student"]))
    if marking.mark(question, answer, numbers).right:
        return replace(cell, score=cell.max_score, reason=None)
    return replace(cell, score=0.0, reason="not right, by the corrected key too")


def in_words(decision: Decision, student: str) -> str:
    """A decision in words for a student whom it concerns (Markdown)."""
    day = decision.time[:10]
    subject = decision.subject.removeprefix("quiz_").removeprefix("test_").replace("_", " ")
    if decision.kind == EXTENSION:
        hours = decision.after["extension"][student] / 3600
        span = f"{hours:g} hours" if hours < 48 else f"{hours / 24:g} days"
        return f"You had {span} more than the due date."
    if decision.kind == VOID and decision.after["as"] == "full":
        return f"**{subject}** was voided on {day}: everyone gets all its points."
    if decision.kind == VOID:
        return f"**{subject}** was voided on {day}: it doesn't count, for anyone."
    if decision.kind == KEY:
        return (
            f"The right answer to **{subject}** was corrected on {day}, and your first answer was"
            " marked again by it."
        )
    if decision.kind == REOPEN:
        return f"Your first attempt at **{subject}** was reopened on {day}: the next one counts."
    if decision.subject == LATE:
        return "You handed in late; it was accepted as if you had been on time."
    return f"Your answer to **{subject}** in the attempt log was accepted."
