"""Writes graded questions into what is derived from an assignment's text source.

`exercises/keys/A.yaml` has the questions of assignment A with their keys. Its public part becomes
`exercises/source/A/quiz/questions.yaml`; each key goes into the hidden region of the grade cell
that is marked quiz="id" in the text source, so that any nbgrader can grade it.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from nbformat import NotebookNode

from course_utils.quiz import bank
from course_utils.quiz.document import Document
from course_utils.quiz.errors import BankError

PUBLIC_HEADER = "# Derived: to change a question, change its source and run make notebooks.\n"
# The hidden region comes first, so that the solution is printed for whoever gave no answer, too.
# The answer is bound to a name: as a last value it would be displayed, and nbgrader takes a
# displayed number for the points.
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
    """The file with the graded questions of a text source, whether it exists or not."""
    return source.parent.parent / "keys" / f"{source.stem}.yaml"


def public_questions(source: Path) -> str | None:
    """What students get of the graded questions of a text source; None if it has none."""
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
    """Writes texts of several lines as blocks, so that the file reads like its source."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        style = "|" if "\n" in data else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(str, _Dumper.represent_str)


def write_grade_cells(source: Path, notebook: NotebookNode) -> None:
    """Turn each cell marked quiz="id" into the question's test cell.

    Raises:
        BankError: A cell or a question has no counterpart, or a marked cell has a body.
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
