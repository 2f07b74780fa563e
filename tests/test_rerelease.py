"""An assignment is mended after students have begun: their work survives the new release."""

from __future__ import annotations

import json

from autograder.desk.decide import Desk
from autograder.grading.grade import grade
from tests.conftest import SOLVED, WARMUP
from tools.notebooks import derive


def rewrite(course, text: str) -> None:
    source = course.root / "text" / "warmup.py"
    source.write_text(text)
    notebook = course.root / "source" / "warmup" / "warmup.ipynb"
    notebook.write_text(derive(source, "warmup"))


MENDED = (
    WARMUP.replace("# # Warm-up", "# # Warm-up, mended")
    .replace('test="test_area" points=2', 'test="test_area" points=4')
    .replace("assert area(0) == 0\n", "assert area(0) == 0\nassert area(1) > 3\n")
)
ADDED = MENDED.replace(
    '# %% solution="count"',
    '# %% test="test_more" points=1\nassert area(3) > 28\n\n# %% solution="count"',
).replace('# %% [markdown] given="intro"\n# # Warm-up, mended\n\n', "")


def test_work_on_the_old_release_is_graded_with_the_new_tests(
    warmup, hand_in, autograder, isolation
):
    wrong = "def area(radius):\n    return 2 * radius"
    path = hand_in(warmup, "warmup", "ada", SOLVED)
    notebook = json.loads(path.read_text())
    own = {"cell_type": "code", "id": "own", "metadata": {}, "source": "mine = 1", "outputs": []}
    notebook["cells"].append(own | {"execution_count": None})
    path.write_text(json.dumps(notebook))
    hand_in(warmup, "warmup", "emmy", SOLVED | {"area": wrong})
    again = autograder("release", "warmup", "--course", warmup.root)
    assert again.returncode == 0, again.stderr
    assert "changed" not in again.stdout

    rewrite(warmup, ADDED)
    done = autograder("release", "warmup", "--course", warmup.root)
    assert done.returncode == 0, done.stderr
    for part in (
        "'test_area': another text, 4 points, was 2 points",
        "'test_more' is new",
        "'intro' is gone",
        "2 handed in before: ada, emmy",
    ):
        assert part in done.stdout, done.stdout
    assert "'count'" not in done.stdout  # an unchanged cell

    results = {one.result.student: one.result for one in grade(warmup, "warmup")}
    assert {name: one.score for name, one in results.items()} == {"ada": 8, "emmy": 3}
    graded = (warmup.path("autograded", "warmup", "ada") / "warmup.ipynb").read_text()
    sources = ["".join(cell["source"]) for cell in json.loads(graded)["cells"]]
    assert SOLVED["area"] in sources
    assert "mine = 1" in sources
    assert any("Warm-up" in source for source in sources)  # gone from the assignment, not from hers


def test_a_graded_class_is_graded_again_and_what_was_decided_holds(
    warmup, hand_in, autograder, isolation
):
    hand_in(warmup, "warmup", "ada", SOLVED)
    grade(warmup, "warmup")
    Desk(warmup, "warmup", "prof").void("test_count", "out", "ambiguous")
    rewrite(warmup, MENDED)
    done = autograder("release", "warmup", "--course", warmup.root)
    assert "'test_area': another text, 4 points, was 2 points" in done.stdout, done.stderr
    assert "'test_count'" not in done.stdout
    [outcome] = grade(warmup, "warmup")
    assert outcome.fresh
    with warmup.gradebook() as gradebook:
        submission = gradebook.find_submission("warmup", "ada")
        assert (submission.score, submission.max_score) == (4, 4)
    rewrite(warmup, ADDED)  # nbgrader can't add cells to what has scores
    refused = autograder("release", "warmup", "--course", warmup.root)
    assert refused.returncode == 1
    assert "release it under a new name" in refused.stderr.replace("\n", " ")
