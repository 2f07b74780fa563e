"""Question files: how to read a file, and how to find a question beside a notebook.

The `key` of a question is secret; all its other fields are public. docs/quizzes.md explains each
field.
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
    """The questions of one file, in the order of the file.

    Attributes:
        path: the file.
        assignment: the assignment that the questions count for; None for practice.
        questions: the questions by id.
    """

    path: Path
    assignment: str | None
    questions: dict[str, Question]

    @property
    def versions(self) -> dict[str, str]:
        """The version of each question. An attempt log is bound to these versions."""
        return {name: question.version for name, question in self.questions.items()}


def load(path: Path, *, beside_notebook: bool = False) -> Bank:
    """Read and check a question file.

    Args:
        path: the YAML file.
        beside_notebook: whether students have this file. If so, graded questions must have no key
            in it. In all other files, and in practice files, every question needs a key.

    Raises:
        BankError: the file can't be read or breaks a rule. The message lists every fault.
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
    """Find a question in the files `quiz/*.yaml` of a notebook's folder.

    Args:
        folder: the notebook's folder.
        question_id: the id of the question.

    Returns:
        All questions of the file, and the question.

    Raises:
        BankError: no file has the question, or a file is faulty.
    """
    paths = sorted((folder / "quiz").glob("*.yaml"))
    ids: list[str] = []
    for path in paths:
        bank = load(path, beside_notebook=True)
        if question_id in bank.questions:
            return bank, bank.questions[question_id]
        ids += bank.questions
    if not paths:
        raise BankError(
            f"question '{question_id}': there is no quiz folder with question files in "
            f"{folder.resolve()}. Keep the folder 'quiz' beside the notebook, as you got it; if "
            "the notebook changed the working directory (os.chdir), restart the kernel."
        )
    raise BankError(f"question '{question_id}' is unknown; known here: {', '.join(ids)}")


def with_key(question: Question, text: str) -> Question:
    """Add the key from a grade cell to a question.

    Args:
        question: the question without its key.
        text: the key as YAML.

    Returns:
        A copy of the question, with the key.

    Raises:
        BankError: the key is not valid, or doesn't fit the question.
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
