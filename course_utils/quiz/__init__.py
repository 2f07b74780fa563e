"""Questions in a notebook.

`ask("id")` shows a question; `first_attempt("id")` gives the first answer to it. A practice
question shows its verdict at once. For a graded question, only the first submitted answer counts.
The answers are kept in a log beside the notebook, which is handed in with the notebook.
docs/quizzes.md has more.
"""

from __future__ import annotations

from pathlib import Path

from . import log
from .errors import AnswerError, NeedsReview, NoAttempt, QuizError

__all__ = ["NeedsReview", "NoAttempt", "QuizError", "ask", "first_attempt", "grade"]


def ask(question_id: str) -> None:
    """Show a question from the files in the folder `quiz/` beside the notebook.

    Nothing is recorded before you click. While a notebook is validated or graded, only the
    question's text is shown.

    Args:
        question_id: the id of the question.

    Raises:
        BankError: there is no such question, or its file is faulty.
    """
    from .widget import show

    show(question_id, Path.cwd())


def first_attempt(question_id: str) -> int | set[int] | float:
    """Read the first submitted answer to a question from the log beside the notebook.

    Args:
        question_id: the id of the question.

    Returns:
        The number of an option (single choice), a set of such numbers (multiple choice), or a
        number (numeric question). Options are numbered from 1.

    Raises:
        NoAttempt: the log is sound and has no answer to the question, so it gets no points.
        NeedsReview: the log is missing or damaged, or the answer belongs to another version of
            the question. An instructor has to look.
        BankError: there is no such question, or its file is faulty.
    """
    answer, _ = _first(question_id)
    return set(answer) if isinstance(answer, list) else answer


def grade(question_id: str, key: str) -> None:
    """Mark the first attempt: full points if it is right, none otherwise.

    The hidden part of a grade cell calls this function with the question's key. The function
    prints the verdict and the complete solution, for the feedback.

    Args:
        question_id: the id of the question.
        key: the key of the question as YAML, as in `exercises/keys`.

    Raises:
        AssertionError: the first answer is not right.
        NoAttempt: the log has no answer to the question.
        NeedsReview: the log is missing or damaged, or the answer belongs to another version of
            the question.
        BankError: there is no such question, or its file or its key is faulty.
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
    """The first answer, and the id of the student who gave it."""
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
    if review := first.get("review"):  # written when the submission was graded
        raise NeedsReview(f"NEEDS REVIEW, not a zero: '{question_id}': {review}")
    try:
        return marking.parse(question, first.get("answer")), str(first.get("student", ""))
    except AnswerError as error:
        raise NeedsReview(f"NEEDS REVIEW, not a zero: '{question_id}': {error}") from None
