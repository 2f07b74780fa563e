"""Questions in a notebook: `ask("id")` shows one, `first_attempt("id")` is its first answer.

Practice questions answer at once. Of a graded question only the first submitted answer counts;
it is kept in a log beside the notebook, which is handed in with it. docs/quizzes.md has more.
"""

from __future__ import annotations

from pathlib import Path

from . import log
from .errors import AnswerError, NeedsReview, NoAttempt, QuizError

__all__ = ["NeedsReview", "NoAttempt", "QuizError", "ask", "first_attempt", "grade"]


def ask(question_id: str) -> None:
    """Show a question of the files in `quiz/` beside the notebook.

    Nothing is recorded before somebody clicks; while a notebook is validated or graded, only the
    question's text is shown.

    Raises:
        BankError: There is no such question, or its file is faulty.
    """
    from .widget import show

    show(question_id, Path.cwd())


def first_attempt(question_id: str) -> int | set[int] | float:
    """What was first submitted as the answer to a question, by the log beside the notebook.

    Returns:
        An option's number (single choice), the set of their numbers (multiple choice), or a
        number. Options count from 1.

    Raises:
        NoAttempt: The log is sound and has no answer to the question: no points.
        NeedsReview: The log is missing, damaged or of another version: an instructor looks.
        BankError: There is no such question, or its file is faulty.
    """
    answer, _ = _first(question_id)
    return set(answer) if isinstance(answer, list) else answer


def grade(question_id: str, key: str) -> None:
    """Mark the first attempt: full points if it is right, none otherwise.

    The hidden part of a grade cell calls this with the question's key. It prints the verdict and
    the complete solution, for the feedback.

    Args:
        question_id: The question.
        key: Its key as YAML, as in `exercises/keys`.

    Raises:
        AssertionError: The first answer is not right.
        NoAttempt: There is no answer.
        NeedsReview: The log is missing, damaged or of another version.
    """
    from . import bank, marking

    _, public = bank.find(Path(), question_id)
    question = bank.with_key(public, key)
    try:
        answer, student = _first(question_id)
    except QuizError:
        if not question.draw:
            print("Complete solution\n\n" + marking.solution(question, {}))
        raise
    numbers = question.numbers(student)
    verdict = marking.mark(question, answer, numbers)
    given = marking.in_words(question, answer)
    print(f"Your first answer: {given}. {'Right.' if verdict.right else 'Not right.'}\n")
    for text in verdict.feedback:
        print(f"- {text}")
    print("\nComplete solution\n\n" + marking.solution(question, numbers))
    if not verdict.right:
        raise AssertionError(
            f"Your first answer, {given}, is not right. Only the first answer counts."
        )


def _first(question_id: str) -> tuple[int | list[int] | float, str]:
    """The first attempt and the student id that it was made under."""
    from . import bank, marking

    questions, question = bank.find(Path(), question_id)
    attempts = log.sound(".", questions.assignment).attempts(question_id)
    if not attempts:
        raise NoAttempt(
            f"'{question_id}' has no answer yet: run the cell that asks it, answer, and submit."
        )
    first = attempts[0]
    if first.get("version") != question.version:
        raise NeedsReview(
            f"NEEDS REVIEW, not a zero: '{question_id}' was answered in another version of the "
            "question"
        )
    try:
        return marking.parse(question, first.get("answer")), str(first.get("student", ""))
    except AnswerError as error:
        raise NeedsReview(f"NEEDS REVIEW, not a zero: '{question_id}': {error}") from None
