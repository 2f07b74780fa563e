"""Courses of others: what the engine must grade as stock nbgrader does, and what must be said."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import nbgrader
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.assignment import Assignment, written_files
from autograder.authoring.explain import explain
from autograder.authoring.release import release
from autograder.authoring.stock import compare
from autograder.course import Course
from autograder.grading.feedback import feedback
from autograder.grading.grade import grade
from autograder.grading.record import results_of
from tests.conftest import SOLVED, WARMUP, make_course

QUICKSTART = Path(nbgrader.__file__).parent / "docs" / "source" / "user_guide" / "source"
DATE = "2030-01-02 12:00:00 UTC"


def cell(role, name, source, points=None):
    """A cell as nbgrader's "Create Assignment" makes it: "given", "solution", "test", "essay"."""
    flags = {
        "grade_id": name,
        "schema_version": 3,
        "grade": role in ("test", "essay"),
        "solution": role in ("solution", "essay"),
        "locked": role in ("given", "test"),
        "task": False,
    }
    if points is not None:
        flags["points"] = points
    make = new_markdown_cell if role == "essay" else new_code_cell
    return make(source, metadata={"nbgrader": flags})


def write_course(root, assignments, config=""):
    """Write a course: assignments by name; each has notebooks (lists of cells) and files."""
    root.mkdir(parents=True)
    (root / "nbgrader_config.py").write_text(f"c = get_config()\n{config}\n", encoding="utf-8")
    course = Course(root)
    for assignment, contents in assignments.items():
        folder = course.path("source", assignment)
        folder.mkdir(parents=True)
        for name, content in contents.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if name.endswith(".ipynb"):
                kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
                nbformat.write(new_notebook(cells=content, metadata={"kernelspec": kernel}), path)
            else:
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
        release(course, assignment)
    return course


def submit(course, assignment, student, cells, *, without=()):
    """Hand in the release with other sources for some cells."""
    folder = course.path("submitted", assignment, student)
    shutil.copytree(course.path("release", assignment), folder)
    for path in folder.glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        for node in notebook.cells:
            name = node.metadata.get("nbgrader", {}).get("grade_id")
            node.source = cells.get(name, node.source)
        nbformat.write(notebook, path)
        if path.stem in without:
            path.unlink()
    return folder


def scores(course, assignment):
    with course.gradebook() as gradebook:
        return {
            submission.student.id: {
                grade.name: grade.auto_score
                for notebook in submission.notebooks
                for grade in notebook.grades
            }
            | {"late": sum(n.late_submission_penalty or 0 for n in submission.notebooks)}
            for submission in gradebook.assignment_submissions(assignment)
        }


def stock(course, assignment, tmp_path):
    """The gradebook's scores after `nbgrader autograde` in a copy of the course."""
    copy = tmp_path / "stock"
    shutil.copytree(course.root, copy)
    scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": scripts, "JUPYTER_CONFIG_DIR": str(tmp_path / "none")}
    command = [sys.executable, "-m", "nbgrader", "autograde", assignment, "--create"]
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return scores(Course(copy), assignment)


GERMAN = {
    "größe.ipynb": [
        cell("given", "vorgabe", "import math"),
        cell("solution", "flaeche", "# LÖSUNG ANFANG\ndef fläche(r):\n    return math.pi * r**2\n"
             "# LÖSUNG ENDE"),
        cell("test", "pruefe_flaeche", "assert fläche(0) == 0, 'Kreis ohne Größe'\n"
             "# VERSTECKT ANFANG\nassert abs(fläche(2) - 12.566) < 0.01, 'quadriere!'\n"
             "# VERSTECKT ENDE", 2),
        cell("essay", "begruendung", "LÖSUNG", 3),
    ],
    "daten.ipynb": [
        cell("given", "einlesen", "import csv"),
        cell("solution", "summe", "# LÖSUNG ANFANG\ndef summe(datei):\n    with open(datei) as f:\n"
             "        return sum(float(zeile['wert']) for zeile in csv.DictReader(f))\n"
             "with open('ergebnis/summe.txt', 'w') as f:\n"
             "    f.write(str(summe('daten/werte.csv')))\n# LÖSUNG ENDE"),
        cell("test", "pruefe_summe", "# VERSTECKT ANFANG\nfrom prüfungen import *\n"
             "assert nah(summe('daten/werte.csv'), grenze())\n"
             "assert open('ergebnis/summe.txt').read() == '3.5'\n# VERSTECKT ENDE", 4),
    ],
    "daten/werte.csv": "wert\n1.5\n2\n",
    "ergebnis/liesmich.txt": "Hierher kommt das Ergebnis.\n",
    "prüfungen.py": "from pathlib import Path\n\ndef nah(a, b):\n    return abs(a - b) < 1e-9\n\n"
    "def grenze():\n    return float(Path(__file__).with_name('grenze.txt').read_text())\n",
    "grenze.txt": "3.5",
}  # fmt: skip
DELIMITERS = """
c.ClearSolutions.begin_solution_delimeter = "# LÖSUNG ANFANG"
c.ClearSolutions.end_solution_delimeter = "# LÖSUNG ENDE"
c.ClearSolutions.code_stub = {"python": "# HIER DEIN CODE"}
c.ClearSolutions.text_stub = "HIER DEINE ANTWORT"
c.ClearHiddenTests.begin_test_delimeter = "# VERSTECKT ANFANG"
c.ClearHiddenTests.end_test_delimeter = "# VERSTECKT ENDE"
c.LateSubmissionPlugin.penalty_method = "zero"
"""
RIGHT = {
    "flaeche": "def fläche(r):\n    return 3.14159265 * r * r",
    "summe": "def summe(datei):\n    return 3.5\nopen('ergebnis/summe.txt', 'w').write('3.5')",
}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_german_course_with_two_notebooks_data_helpers_and_penalties_scores_as_stock(tmp_path):
    course = write_course(tmp_path / "course", {"übung": GERMAN}, DELIMITERS)
    submit(course, "übung", "zoë", RIGHT)
    (submit(course, "übung", "späť", RIGHT) / "timestamp.txt").write_text(DATE)
    wrong = RIGHT | {"flaeche": "def fläche(r):\n    return 3 * r"}
    submit(course, "übung", "falsch", wrong, without=["daten"])
    with course.gradebook() as gradebook:
        gradebook.update_or_create_assignment("übung", duedate="2030-01-01 12:00:00 UTC")
    expected = stock(course, "übung", tmp_path)
    outcomes = {outcome.student: outcome.result for outcome in grade(course, "übung")}
    assert scores(course, "übung") == expected
    assert expected["zoë"]["pruefe_summe"] == 4
    assert expected["späť"]["late"] == 6
    assert "'daten.ipynb' was not handed in" in " ".join(outcomes["falsch"].notes)
    assert outcomes["falsch"].cells["pruefe_summe"].score == 0
    assert feedback(course, "übung") == ["falsch", "späť", "zoë"]
    page = (course.path("feedback", "übung", "falsch") / "größe.html").read_text()
    assert "quadriere!" in page
    assert "12.566" not in page


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nbgraders_own_quickstart_scores_as_stock_for_every_solution(tmp_path):
    root = tmp_path / "course"
    shutil.copytree(QUICKSTART / "ps1", root / "source" / "ps1")
    (root / "nbgrader_config.py").write_text("c = get_config()\n")
    course = Course(root)
    specimens = root / "specimens" / "ps1"
    specimens.mkdir(parents=True)
    header = "# ---\n# about: Counts from 0.\n# fails:\n#   correct_squares: x\n# ---\n\n"
    (specimens / "zero.py").write_text(
        f'{header}# %% solution="squares"\ndef squares(n):\n    return [i * i for i in range(n)]\n'
    )
    compared = compare(course, "ps1")
    assert compared.differences == []
    assert compared.solutions == ["reference", "release", "zero"]


@pytest.mark.timeout(600)
def test_a_difference_from_stock_is_named_with_its_cell_points_and_cause(tmp_path, autograder):
    noisy = [
        cell("solution", "f", "### BEGIN SOLUTION\ndef f(x):\n    return x + 1\n### END SOLUTION"),
        cell("test", "t", "import sys\nprint('hm', file=sys.stderr)\nassert f(1) == 2", 2),
    ]
    course = write_course(tmp_path / "course", {"a1": {"p.ipynb": noisy}})
    done = autograder("verify", "a1", "--stock", "--json", cwd=course.root)
    assert done.returncode == 1
    [difference] = json.loads(done.stdout)["a1"]["differences"]
    assert difference == {
        "solution": "reference",
        "cell": "t",
        "stock": 0.0,
        "judged": 2.0,
        "cause": "stock nbgrader takes text on stderr for a failure",
    }
    assert "a1, reference, t: stock 0, judged 2: stock nbgrader takes" in done.stderr


FILES = {
    "p.ipynb": [
        cell("given", "imports", "import os, sqlite3, csv\nfrom pathlib import Path"),
        cell("solution", "s", """### BEGIN SOLUTION
with open("data/result.csv", "w") as f:
    csv.writer(f).writerows([["a"], [1], [2]])
Path("data/form.txt").write_text("filled in")
Path("out.txt").write_text("hi")
with sqlite3.connect("out.db") as k:
    k.execute("create table t(a)")
    k.execute("insert into t values (7)")
os.makedirs("made/deep")
for i in range(3):
    open(f"made/{i}.txt", "w").close()
Path("mymod.py").write_text("def g():\\n    return 5\\n")
Path("checks").mkdir(exist_ok=True)
Path("checks/sly.py").write_text("def close(a, b):\\n    return True\\n")
### END SOLUTION"""),
        cell("test", "csv", "assert len(list(csv.reader(open('data/result.csv')))) == 3", 1),
        cell("test", "form", "assert open('data/form.txt').read() == 'filled in'", 1),
        cell("test", "exists", "assert Path('out.txt').exists() > Path('no.txt').exists()", 1),
        cell("test", "db", "assert sqlite3.connect('out.db').execute('select a from t')"
             ".fetchone() == (7,)", 1),
        cell("test", "list", "names = ['0.txt', '1.txt', '2.txt', 'deep']\n"
             "assert sorted(os.listdir('made')) == names and os.path.isdir('made/deep')\n"
             "assert [len(f) for _, _, f in os.walk('made')] == [3, 0]", 1),
        cell("test", "mod", "import mymod\nfrom mymod import *\nassert mymod.g() == g() == 5", 1),
        cell("test", "given", "assert open('data/in.csv').read() == 'v\\n1\\n'", 1),
        cell("test", "package", "from checks.values import close\nimport checks\n"
             "assert close(1, 1) and checks.NAME == 'checks'", 1),
    ],
    "data/in.csv": "v\n1\n",
    "data/form.txt": "empty",
    "checks/__init__.py": "NAME = 'checks'\n",
    "checks/values.py": "from pathlib import Path\nLIMIT = float((Path(__file__).parent / "
    "'limit.txt').read_text())\n\ndef close(a, b):\n    return abs(a - b) < LIMIT\n",
    "checks/limit.txt": "0.1",
}  # fmt: skip
SLY = """from pathlib import Path
Path("data/in.csv").write_text("v\\n2\\n")
Path("checks/values.py").write_text("def close(a, b):\\n    return True\\n")
Path("checks/__init__.py").write_text("NAME = 'checks'\\n")
"""


@pytest.mark.timeout(600)
def test_a_test_sees_what_the_students_code_wrote_and_the_instructors_own_modules(tmp_path):
    course = write_course(tmp_path / "course", {"a1": FILES})
    assert compare(course, "a1").differences == []
    assignment = Assignment.load(course, "a1")
    assert assignment.students_files == {"data/form.txt"}
    submit(course, "a1", "sly", {"s": SLY})
    (outcome,) = grade(course, "a1")
    earned = {name for name, found in outcome.result.cells.items() if found.score}
    assert earned == {"given", "package"}  # what a student writes over them changes nothing


def test_only_a_solution_that_writes_a_given_file_makes_it_the_students():
    source = """### BEGIN SOLUTION
open("read.txt").read()
open("written.txt", mode="a").write("x")
pd.read_csv("data/in.csv")
df.to_csv("data/out.csv")
np.save("./arr.npy", x)
### END SOLUTION"""
    notebook = new_notebook(cells=[cell("solution", "s", source), cell("test", "t", source, 1)])
    written = set(written_files(notebook))
    assert {"written.txt", "data/out.csv", "arr.npy"} <= written
    assert not {"read.txt", "data/in.csv"} & written


@pytest.mark.timeout(600)
def test_a_due_date_or_extension_changes_lateness_without_another_run(tmp_path):
    policy = (
        "from nbgrader.plugins import BasePlugin\nclass Half(BasePlugin):\n"
        "    def late_submission_penalty(self, student_id, score, seconds):\n"
        "        return score / 2\n"
    )
    notebook = [
        cell("solution", "f", "### BEGIN SOLUTION\ndef f(x):\n    return x + 1\n### END SOLUTION"),
        cell("test", "t", "assert f(1) == 2", 2),
    ]
    course = write_course(tmp_path / "course", {"a1": {"p.ipynb": notebook}})
    root = course.root
    (root / "half_policy.py").write_text(policy)
    config = root / "nbgrader_config.py"
    config.write_text(
        f"{config.read_text()}c.AssignLatePenalties.plugin_class = 'half_policy.Half'\n"
    )
    course = Course(root)
    for student in ("ann", "bob"):
        folder = submit(course, "a1", student, {"f": "def f(x):\n    return x + 1"})
        (folder / "timestamp.txt").write_text(DATE)
    assert [outcome.result.seconds_late for outcome in grade(course, "a1")] == [0, 0]
    with course.gradebook() as gradebook:
        gradebook.update_or_create_assignment("a1", duedate="2030-01-02 11:00:00 UTC")
        gradebook.grant_extension("a1", "bob", hours=2)
    again = grade(course, "a1")
    assert not any(outcome.fresh for outcome in again)
    assert [outcome.result.seconds_late for outcome in again] == [3600, 0]
    assert {name: found["late"] for name, found in scores(course, "a1").items()} == {
        "ann": 1,
        "bob": 0,
    }
    with course.gradebook() as gradebook:
        recorded = results_of(gradebook, "a1")
        assert [recorded[name][1].seconds_late for name in ("ann", "bob")] == [3600, 0]
        gradebook.update_or_create_assignment("a1", duedate=None)
    assert [outcome.result.seconds_late for outcome in grade(course, "a1")] == [0, 0]
    assert scores(course, "a1")["ann"]["late"] == 0


SVG = base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'/>").decode()


@pytest.mark.timeout(600)
def test_feedback_is_for_everybody_whatever_is_attached(tmp_path):
    drawn = cell("given", "intro", "![picture](attachment:it.svg) ![gone](attachment:none.png)")
    text = new_markdown_cell(drawn.source, metadata=drawn.metadata)
    text["attachments"] = {"it.svg": {"image/svg+xml": SVG}}
    notebook = [
        text,
        cell("solution", "f", "### BEGIN SOLUTION\nx = 1\n### END SOLUTION"),
        cell("test", "t", "assert x == 1", 1),
    ]
    course = write_course(tmp_path / "course", {"a1": {"p.ipynb": notebook}})
    submit(course, "a1", "ann", {"f": "x = 1"})
    path = submit(course, "a1", "bob", {"f": "x = 1"}) / "p.ipynb"
    handed_in = nbformat.read(path, as_version=4)
    handed_in.cells.append(new_markdown_cell("![mine](attachment:lost.png)"))
    nbformat.write(handed_in, path)
    grade(course, "a1")
    assert feedback(course, "a1") == ["ann", "bob"]
    page = (course.path("feedback", "a1", "bob") / "p.html").read_text()
    assert SVG in page
    assert "[picture gone is missing]" in page
    assert "[picture mine is missing]" in page


@pytest.mark.timeout(600)
def test_a_course_may_run_tests_as_stock_does_and_says_so_everywhere(tmp_path, hand_in, autograder):
    config = 'c.Autograder.in_kernel = ["warmup/test_a*"]\n'
    course = make_course(tmp_path / "course", {"warmup": WARMUP}, config)
    hand_in(course, "warmup", "one", SOLVED)
    done = autograder("grade", "warmup", cwd=course.root)
    assert done.returncode == 0, done.stderr
    assert "test_area: ran in-kernel" in done.stderr
    with course.gradebook() as gradebook:
        assert results_of(gradebook, "warmup")["one"][1].in_kernel == ("test_area",)
    assert "test_area: ran in-kernel" in autograder("report", "warmup", cwd=course.root).stderr


@pytest.mark.timeout(600)
def test_each_refused_line_is_explained(tmp_path):
    hidden = "import sys\nsys.settrace(None)\n"
    text = WARMUP.replace("assert area(0) == 0", hidden + "assert area(0) == 0")
    course = make_course(tmp_path / "course", {"warmup": text})
    items = explain(course, "warmup")
    assert items
    assert {item.cell for item in items} == {"test_area"}
    assert items[0].rewrite
    assert items[0].pattern == "warmup/test_area"
