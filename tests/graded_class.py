"""A class of the tiny course, and all that grading writes for it, to compare ways of grading."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from autograder.course import Course
from autograder.grading.grade import grade
from tests.conftest import ROOT, SOLVED

ANSWERS = (
    SOLVED,
    SOLVED | {"count": "pass"},
    SOLVED | {"area": "def area(radius):\n    return '\\ud800', print('\\ud800x', radius)"},
    SOLVED | {"area": "import os\nos._exit(3)"},
)


def until(condition: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    """Wait for something to be so while a process runs."""
    while not condition():
        assert process.poll() is None, "the process ended"
        time.sleep(0.02)


def a_class(course: Course, hand_in: Callable[..., Path], size: int, seconds: float = 0) -> None:
    """Hand in for a class; each submission takes some seconds."""
    for number in range(size):
        cells = ANSWERS[number % len(ANSWERS)]
        slow = {"count": f"import time\ntime.sleep({seconds})\n{cells['count']}\n# {number}"}
        hand_in(course, "warmup", f"student{number:02d}", cells | slow)


def query(course: Course, sql: str) -> list[tuple[object, ...]]:
    database = f"file:{course.root / 'gradebook.db'}?mode=ro"
    with closing(sqlite3.connect(database, uri=True)) as connection:
        with suppress(sqlite3.OperationalError):  # no such table yet
            return connection.execute(sql).fetchall()
        return []


def recorded(course: Course) -> dict[object, object]:
    """The token of each recorded result; a new recording has a new one."""
    rows = query(course, "select student, result from autograder_result")
    return {student: json.loads(str(result))["token"] for student, result in rows}


def gradebook(course: Course) -> dict[str, object]:
    """All that grading writes, without the time it took."""
    results = {}
    for student, key, text in query(course, "select student, key, result from autograder_result"):
        result = json.loads(str(text))
        for name in ("token", "seconds", "core_seconds"):
            del result[name]
        for cell in result["cells"].values():
            del cell["seconds"]
        results[student] = (key, result)
    grades = query(
        course,
        "select a.student_id, c.name, g.auto_score, g.manual_score, g.needs_manual_grade"
        " from grade g join base_cell c on c.id = g.cell_id"
        " join submitted_notebook n on n.id = g.notebook_id"
        " join submitted_assignment a on a.id = n.assignment_id order by 1, 2",
    )
    comments = query(
        course,
        "select a.student_id, c.name, g.auto_comment from comment g"
        " join base_cell c on c.id = g.cell_id join submitted_notebook n on n.id = g.notebook_id"
        " join submitted_assignment a on a.id = n.assignment_id order by 1, 2",
    )
    folder = course.root / "autograded"
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {str(path.relative_to(folder)): path.read_text() for path in paths}
    return {"results": results, "grades": grades, "comments": comments, "files": files}


def locally(course: Course) -> dict[str, object]:
    """What the local engine makes of the same submissions."""
    copied = Course(Path(shutil.copytree(course.root, course.root.with_name("local"))))
    grade(copied, "warmup")
    return gradebook(copied)


def certificates(folder: Path) -> None:
    """Make the files of TLS in a folder, as docs/scale.md says."""
    page = (ROOT / "docs/scale.md").read_text()
    script = page.partition("```sh\n# certificates\n")[2].partition("```")[0]
    done = subprocess.run(["sh", "-ec", script], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
