"""One submission under the engine: what its code can reach, and that all ways of grading agree."""

from __future__ import annotations

import json
import subprocess
import sys
from textwrap import dedent

import pytest

from autograder.assignment import Assignment
from autograder.errors import ReleaseError
from autograder.grading.execute import execute
from autograder.grading.grade import grade
from autograder.grading.prepare import prepare
from autograder.grading.settings import Settings
from autograder.grading.warm_up import warm_processes
from autograder.sandbox.view import gpus
from tests.conftest import SOLVED, make_course

needs_gpu = pytest.mark.skipif(not gpus(), reason="no CUDA device")
# What a student may try to read, each as an expression whose value would give it away.
READS = """
import gc, glob, os, sys
from pathlib import Path
def look(expression):
    try:
        return eval(expression)
    except Exception as error:
        return type(error).__name__
def secret():  # a piece of a hidden test; spelt backwards, or the search would find itself
    return bytes(reversed(b"ananab neddih")).decode()
print(secret() in str(look("Path({source!r}).read_text()")))
print(secret() in str(look("Path({gradebook!r}).read_bytes()")))
print(secret() in str(look("[str(one) for one in gc.get_objects() if isinstance(one, dict)]")))
print(look("os.listdir({root!r})") not in ("FileNotFoundError", "PermissionError"))
"""


def outputs(executed, name):
    [notebook] = executed.notebooks.values()
    [cell] = [one for one in notebook.cells if one.id == name]
    return "".join(output.get("text", "") for output in cell.outputs)


def run(course, student, **settings):
    assignment = Assignment.load(course, "warmup")
    chosen = Settings(config=course.config, **settings)
    with warm_processes(assignment.sources.values(), chosen) as warm:
        return execute(prepare(course, assignment, student), warm, chosen)


def test_student_code_can_read_nothing_of_the_course(warmup, hand_in):
    paths = {
        "source": str(warmup.path("source", "warmup") / "warmup.ipynb"),
        "gradebook": str(warmup.database_file),
        "root": str(warmup.root),
    }
    look = READS
    for name, path in paths.items():
        look = look.replace(f"{{{name}!r}}", repr(path))
    hand_in(warmup, "warmup", "curious", {"area": look})
    assert outputs(run(warmup, "curious"), "area").split() == ["False"] * 4
    unprotected = outputs(run(warmup, "curious", isolated=False), "area").split()
    assert unprotected[:2] == ["True", "True"]  # the control: the paths are right
    assert unprotected[3] == "True"


def test_the_cpu_alone_is_offered_when_asked(warmup, hand_in):
    show = "import os\nprint(repr(os.environ.get('CUDA_VISIBLE_DEVICES')))"
    hand_in(warmup, "warmup", "one", {"area": show})
    assert outputs(run(warmup, "one", device="cpu"), "area") == "''\n"


@pytest.mark.cuda
@needs_gpu
def test_a_gpu_is_there_for_student_code_in_isolation(warmup, hand_in):
    show = "import torch\nprint(torch.ones(3, device='cuda').sum().item())"
    hand_in(warmup, "warmup", "one", {"area": show})
    assert outputs(run(warmup, "one", device="cuda"), "area") == "3.0\n"


@pytest.mark.cuda
@needs_gpu
def test_who_fills_the_gpu_takes_nothing_from_a_neighbour(warmup, hand_in):
    fill = """
        import time, torch
        held, size = [], 1 << 34
        while size > 1 << 20:
            try:
                held.append(torch.empty(size, dtype=torch.uint8, device="cuda"))
            except torch.OutOfMemoryError:
                size //= 2
        time.sleep(20)
        """
    use = """
        import time, torch
        if torch.cuda.is_available():
            while torch.cuda.mem_get_info()[0] > 1 << 30:
                time.sleep(0.1)
            torch.empty(2 << 30, dtype=torch.uint8, device="cuda")
        """
    hand_in(warmup, "warmup", "hog", {"area": dedent(fill)})
    hand_in(warmup, "warmup", "right", SOLVED | {"area": dedent(use) + SOLVED["area"]})
    found = {one.student: one.result for one in grade(warmup, "warmup", device="cuda", jobs=2)}
    assert found["right"].score == 5


@pytest.mark.cuda
@needs_gpu
def test_an_index_out_of_range_on_the_gpu_costs_its_own_cell_alone(warmup, hand_in):
    wrong = """
        import torch
        if torch.cuda.is_available():
            torch.ones(3, device="cuda")[torch.tensor([5], device="cuda")].cpu()
        """
    hand_in(warmup, "warmup", "one", SOLVED | {"area": dedent(wrong) + SOLVED["area"]})
    (outcome,) = grade(warmup, "warmup", device="cuda")
    assert outcome.result.score == 5


def test_grading_without_isolation_is_loud_and_recorded(warmup, hand_in, autograder):
    hand_in(warmup, "warmup", "one", SOLVED)
    done = autograder("grade", "warmup", "--isolation", "none", "--json", cwd=warmup.root)
    assert "NO ISOLATION" in done.stderr
    [outcome] = json.loads(done.stdout)
    assert outcome["result"]["engine"]["isolation"] == "none"
    assert outcome["result"]["cells"]["test_area"]["score"] == 2
    [again] = grade(warmup, "warmup")  # a result without isolation does not stand for one with it
    assert again.fresh
    assert again.result.engine["isolation"] == "isolated"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nbgraders_own_command_grades_with_the_same_engine(warmup, hand_in):
    steal = f"open({str(warmup.path('source', 'warmup') / 'warmup.ipynb')!r}).read()\n"
    hand_in(warmup, "warmup", "right", SOLVED)
    hand_in(warmup, "warmup", "half", SOLVED | {"area": "def area(r): return math.pi * r"})
    hand_in(warmup, "warmup", "partial", SOLVED | {"count": "def count(t, l): return int(l in t)"})
    hand_in(warmup, "warmup", "thief", SOLVED | {"count": steal + SOLVED["count"]})
    subprocess.run(
        [sys.executable, "-m", "nbgrader", "autograde", "warmup"],
        cwd=warmup.root, check=True, capture_output=True,
    )  # fmt: skip
    with warmup.gradebook() as gradebook:
        theirs = {one.student_id: one.score for one in gradebook.assignment_submissions("warmup")}
    ours = {outcome.student: outcome.result.score for outcome in grade(warmup, "warmup")}
    assert theirs == ours == {"right": 5, "half": 3, "partial": 3, "thief": 2}


HIDING = """\
    # ---
    # jupyter:
    #   autograder:
    #     hidden: [course_utils.arithmetic]
    # ---

    # %% given="imports"
    import course_utils

    # %% solution="size"
    def size(image, kernel):
        ### BEGIN SOLUTION
        return image - kernel + 1
        ### END SOLUTION

    # %% test="test_size" points=1
    ### BEGIN HIDDEN TESTS
    from course_utils.arithmetic import output_size
    assert size(9, 3) == output_size(9, 3)
    ### END HIDDEN TESTS
    """
SOLVED_SIZE = "def size(image, kernel): return image - kernel + 1"
DELEGATES = """
def size(image, kernel):
    from course_utils.arithmetic import output_size
    return output_size(image, kernel)
"""


def test_what_solves_an_assignment_is_absent_for_students_and_there_for_tests(tmp_path, hand_in):
    course = make_course(tmp_path / "course", {"warmup": dedent(HIDING)})
    hand_in(course, "warmup", "honest", {"size": SOLVED_SIZE})
    hand_in(course, "warmup", "leans", {"size": DELEGATES})
    graded = {one.student: one.result for one in grade(course, "warmup")}
    assert graded["honest"].score == 1
    assert graded["leans"].score == 0
    assert (
        "not available while this assignment is graded" in graded["leans"].cells["test_size"].reason
    )
    # The control: where it isn't hidden, leaning on it takes the point.
    [leaning] = grade(course, "warmup", only="leans", isolated=False)
    assert leaning.result.score == 1


def test_a_packages_function_can_be_hidden_alone(tmp_path, hand_in):
    text = dedent(HIDING).replace("course_utils.arithmetic]", '"math:perm"]')
    course = make_course(tmp_path / "course", {"warmup": text})
    hand_in(course, "warmup", "perm", {"size": "from math import perm\n" + SOLVED_SIZE})
    hand_in(course, "warmup", "comb", {"size": "from math import comb\n" + SOLVED_SIZE})
    graded = {one.student: one.result for one in grade(course, "warmup")}
    assert {name: result.score for name, result in graded.items()} == {"perm": 0, "comb": 1}
    reason = graded["perm"].cells["test_size"].reason
    assert reason.startswith("NameError: name 'size' is not defined")
    assert "(an earlier cell stopped: ImportError: cannot import name 'perm'" in reason


@pytest.mark.parametrize(
    "name", ["course_utils.arithmetics", "torch.nn", "course_utilities", "torches:conv2d"]
)
def test_hiding_what_there_is_not_is_refused_at_release(tmp_path, name):
    text = dedent(HIDING).replace("course_utils.arithmetic]", f"{name}]")
    with pytest.raises(ReleaseError, match=f"'{name}' is to be hidden"):
        make_course(tmp_path / "course", {"warmup": text})
