"""Writes graded questions into the files that are derived from an assignment's text source.

`exercises/keys/A.yaml` has the questions of assignment A with their keys. Its public part becomes
`exercises/source/A/quiz/questions.yaml`. The key of a question goes into the hidden region of a
grade cell, so that any nbgrader can grade the question. This cell is marked quiz="id" in the text
source.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from nbformat import NotebookNode

from course_utils.quiz import bank
from course_utils.quiz.document import Document
from course_utils.quiz.errors import BankError

PUBLIC_HEADER = "# Derived: to change a question, change its source and run make notebooks.\n"
# The hidden region comes first, so that the solution is printed even if the student gave no answer
# (`first_attempt` would raise). The last line assigns its value to a name, because nbgrader takes
# a number that a cell displays for the cell's points.
GRADE_CELL = '''\
### BEGIN HIDDEN TESTS
from course_utils.quiz import grade

grade(
    "{id}",
    r"""
{key}""",
)
### END HIDDEN TESTS
# What you submitted first; nothing else counts.
from course_utils.quiz import first_attempt

answer = first_attempt("{id}")'''


def keys_of(source: Path) -> Path:
    """Give the path of the file with a text source's graded questions. It may not exist."""
    return source.parent.parent / "keys" / f"{source.stem}.yaml"


def public_questions(source: Path) -> str | None:
    """Write the graded questions of a text source without their keys; None if there are none."""
    keys = keys_of(source)
    if not keys.exists():
        return None
    questions = bank.load(keys)
    content = {
        "assignment": questions.assignment,
        "questions": [
            question.model_dump(mode="json", exclude={"key"}, exclude_defaults=True)
            for question in questions.questions.values()
        ],
    }
    return PUBLIC_HEADER + yaml.dump(
        content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100
    )


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, so that the file looks like its source."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        style = "|" if "\n" in data else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(str, _Dumper.represent_str)


def write_grade_cells(source: Path, notebook: NotebookNode) -> None:
    """Turn each cell that is marked quiz="id" into the test cell of the question.

    Raises:
        BankError: a cell has no question, or a question has no cell, or a marked cell isn't empty,
            or a key can't be written into a cell.
    """
    cells = [cell for cell in notebook.cells if "quiz" in cell.metadata]
    keys = keys_of(source)
    if not cells and not keys.exists():
        return
    questions = bank.load(keys)
    if questions.assignment != source.stem:
        raise BankError(f"{keys}: assignment: is '{questions.assignment}', write '{source.stem}'")
    marked = [str(cell.metadata["quiz"]) for cell in cells]
    if sorted(marked) != sorted(questions.questions):
        raise BankError(
            f"{source}: cells are marked for {', '.join(sorted(marked)) or 'no question'}, but "
            f"{keys} has {', '.join(sorted(questions.questions))}: mark each question once"
        )
    for name, cell in zip(marked, cells, strict=True):
        index = list(questions.questions).index(name)
        key = Document(keys).lines(("questions", index, "key"))
        if cell.source.strip():
            raise BankError(f'{source}: the cell quiz="{name}" is written by make: empty it')
        if '"""' in key:
            raise BankError(f'{keys}: the key of {name} contains """: write it differently')
        cell.source = GRADE_CELL.format(id=name, key=key)
        del cell.metadata["quiz"]
        points = questions.questions[name].points
        cell.metadata |= {"test": f"quiz_{name}", "points": points, "tags": ["quiz"]}
