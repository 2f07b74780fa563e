"""Question files: reading one, and finding a question beside a notebook.

Everything of a question but its `key` is public. docs/quizzes.md explains each field.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from .document import Document, Fault
from .errors import BankError
from .rules import file_faults, question_faults
from .schema import Key, Question, QuestionFile


@dataclass(frozen=True)
class Bank:
    """The questions of one file, in its order.

    Attributes:
        path: The file.
        assignment: The assignment that they count for; None for practice.
        questions: By id.
    """

    path: Path
    assignment: str | None
    questions: dict[str, Question]

    @property
    def versions(self) -> dict[str, str]:
        """What an attempt log is bound to."""
        return {name: question.version for name, question in self.questions.items()}


def load(path: Path, *, beside_notebook: bool = False) -> Bank:
    """Read and check a question file.

    Args:
        path: The YAML file.
        beside_notebook: The file is where students have it: graded questions must have no key
            there. Everywhere else, and in practice, every question needs one.

    Raises:
        BankError: The file can't be read or breaks a rule; every fault is listed.
    """
    document = Document(path)
    try:
        file = QuestionFile.model_validate(document.plain())
    except ValidationError as error:
        raise document.refusal(_from_pydantic(error)) from None
    public = beside_notebook and file.assignment is not None
    faults = [
        *file_faults(file.assignment, file.questions),
        *(
            (("questions", index, *location), message)
            for index, question in enumerate(file.questions)
            for location, message in question_faults(question, public=public)
        ),
    ]
    if faults:
        raise document.refusal(faults)
    return Bank(path, file.assignment, {question.id: question for question in file.questions})


def find(folder: Path, question_id: str) -> tuple[Bank, Question]:
    """The question and its file, among `quiz/*.yaml` of a notebook's folder.

    Raises:
        BankError: No file there has the question, or one of them is faulty.
    """
    paths = sorted((folder / "quiz").glob("*.yaml"))
    known: list[str] = []
    for path in paths:
        bank = load(path, beside_notebook=True)
        if question_id in bank.questions:
            return bank, bank.questions[question_id]
        known += bank.questions
    if not paths:
        raise BankError(
            f"question '{question_id}': there is no quiz folder with question files in "
            f"{folder.resolve()}. Keep the folder 'quiz' beside the notebook, as you got it; if "
            "the notebook changed the working directory (os.chdir), restart the kernel."
        )
    raise BankError(f"question '{question_id}' is unknown; known here: {', '.join(known)}")


def with_key(question: Question, text: str) -> Question:
    """The question with the key (YAML) that its grade cell carries.

    Raises:
        BankError: The key doesn't fit the question.
    """
    document = Document(Path(f"key of {question.id}"), text)
    try:
        whole = question.model_copy(update={"key": Key.model_validate(document.plain())})
    except ValidationError as error:
        raise document.refusal(_from_pydantic(error)) from None
    faults = [(location[1:], message) for location, message in question_faults(whole, public=False)]
    if faults:
        raise document.refusal(faults)
    return whole


def _from_pydantic(error: ValidationError) -> list[Fault]:
    words = {
        "missing": "is missing",
        "extra_forbidden": "is not a field that is known here",
        "string_too_short": "needs a text",
    }
    return [(fault["loc"], words.get(fault["type"], fault["msg"])) for fault in error.errors()]
