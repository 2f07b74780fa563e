"""A small assignment with two graded questions, whose keys are easy to search for."""

from __future__ import annotations

import shutil
from pathlib import Path
from textwrap import dedent

from autograder.authoring.release import release
from autograder.course import Course
from tools import quizzes
from tools.notebooks import ROOT, derive

NAME = "quiz_sample"
TEXT = dedent("""\
    # %% given="imports"
    from course_utils.quiz import ask

    # %% given="ask_layers"
    ask("layers")

    # %% given="ask_width"
    ask("width")

    # %% quiz="layers"

    # %% quiz="width"
    """)
KEYS = dedent("""\
    assignment: quiz_sample
    questions:
      - id: layers
        kind: multiple
        points: 2
        text: Which layers have parameters?
        options: [convolution, max pooling, dense]
        hints: [Look for weights.]
        key:
          answer: [1, 3]
          feedback: {2: CANARY-FEEDBACK nothing is learnt there}
          solution: |
            CANARY-SOLUTION convolution and dense.
      - id: width
        kind: numeric
        points: 1
        text: How wide is the output of a 3×3 convolution for an input of {{w}} pixels?
        draw: {w: {low: 20, high: 90}}
        tolerance: 0
        key:
          answer: w - 2  # CANARY-ANSWER
          solution: CANARY-WIDTH {{answer}}
    """)
CANARIES = ("CANARY", "[1, 3]", "w - 2", "grade(", "HIDDEN TESTS")


def make_course(root: Path) -> Path:
    """A course with the assignment, released."""
    for folder in ("text", "keys", f"source/{NAME}/quiz"):
        (root / folder).mkdir(parents=True)
    source = root / "text" / f"{NAME}.py"
    source.write_text(TEXT, encoding="utf-8")
    (root / "keys" / f"{NAME}.yaml").write_text(KEYS, encoding="utf-8")
    folder = root / "source" / NAME
    (folder / f"{NAME}.ipynb").write_text(derive(source, NAME), encoding="utf-8")
    public = quizzes.public_questions(source)
    assert public
    (folder / "quiz" / "questions.yaml").write_text(public, encoding="utf-8")
    shutil.copy(ROOT / "exercises" / "nbgrader_config.py", root)
    release(Course(root), NAME)
    return root
