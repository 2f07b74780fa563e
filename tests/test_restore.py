"""Whatever a student does to a notebook, the instructor's cells are graded in their place."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook

from autograder.cells import grade_id
from autograder.grading.restore import restore


def cell(name, source, *, solution=False, grade=False):
    made = new_code_cell(source)
    made.metadata = {
        "nbgrader": {
            "grade_id": name,
            "solution": solution,
            "grade": grade,
            "locked": not solution,
            "schema_version": 3,
        }
    }
    return made


HIDDEN = "assert f() > 0\n### BEGIN HIDDEN TESTS\nassert f() == 1\n### END HIDDEN TESTS"


@pytest.fixture
def master():
    return make_master()


def make_master():
    return new_notebook(
        cells=[
            cell("imports", "import math"),
            cell("f", "raise NotImplementedError", solution=True),
            cell("test_f", HIDDEN, grade=True),
            cell("g", "raise NotImplementedError", solution=True),
            cell("test_g", "assert g() == 2", grade=True),
        ]
    )


def make_submission():
    handed_in = copy.deepcopy(make_master())
    handed_in.cells[1].source = "def f(): return 1"
    handed_in.cells[2].source = "assert f() > 0\n"
    handed_in.cells[3].source = "def g(): return 2"
    return handed_in


def sources(notebook):
    return [one.source for one in notebook.cells]


def test_an_honest_submission_is_only_given_its_hidden_tests_back(master):
    restored, notes = restore(make_submission(), master)
    assert notes == []
    assert sources(restored) == [
        "import math", "def f(): return 1", HIDDEN, "def g(): return 2", "assert g() == 2"
    ]  # fmt: skip


def test_a_deleted_test_is_put_back_behind_the_work_it_tests(master):
    handed_in = make_submission()
    del handed_in.cells[2]
    restored, notes = restore(handed_in, master)
    assert sources(restored)[1:3] == ["def f(): return 1", HIDDEN]
    assert notes == ["cell 'test_f' was missing: put back"]


def test_an_edited_test_is_put_back_and_noted(master):
    handed_in = make_submission()
    handed_in.cells[4].source = "pass"
    restored, notes = restore(handed_in, master)
    assert sources(restored)[4] == "assert g() == 2"
    assert notes == ["cell 'test_g' was changed: put back"]


def test_raised_points_and_changed_flags_do_not_count(master):
    master.cells[4].metadata.nbgrader["points"] = 2
    handed_in = make_submission()
    handed_in.cells[4].metadata.nbgrader.update(points=100, grade=False, solution=True)
    restored, _ = restore(handed_in, master)
    assert restored.cells[4].metadata == master.cells[4].metadata


def test_a_moved_test_runs_in_its_own_place(master):
    handed_in = make_submission()
    handed_in.cells.insert(0, handed_in.cells.pop(4))
    restored, notes = restore(handed_in, master)
    assert [grade_id(one) for one in restored.cells] == ["imports", "f", "test_f", "g", "test_g"]
    assert notes == ["cells were moved: they run in the order of the assignment"]


def test_of_two_solution_cells_the_later_counts_and_both_run(master):
    handed_in = make_submission()
    handed_in.cells[1].source = "def f(): return 1\nruns.append(f())"
    again = copy.deepcopy(handed_in.cells[1])
    again.source = "def f(): return 3\nruns.append(f())"
    handed_in.cells.insert(2, again)
    restored, notes = restore(handed_in, master)
    assert [grade_id(one) for one in restored.cells] == [
        "imports", None, "f", "test_f", "g", "test_g"
    ]  # fmt: skip
    assert sources(restored)[1:3] == [handed_in.cells[1].source, again.source]
    namespace = {"runs": []}
    for source in sources(restored)[:3]:
        exec(source, namespace)
    assert namespace["runs"] == [1, 3]
    assert namespace["f"]() == 3
    assert notes == ["cell 'f' is there more than once: the last one counts"]


def test_the_students_own_cells_stay_behind_the_cell_they_followed(master):
    handed_in = make_submission()
    handed_in.cells.insert(1, new_code_cell("helper = 1"))
    handed_in.cells.insert(0, new_code_cell("%matplotlib inline"))
    restored, notes = restore(handed_in, master)
    assert sources(restored)[:4] == [
        "%matplotlib inline", "import math", "helper = 1", "def f(): return 1"
    ]  # fmt: skip
    assert notes == []


def test_a_solution_cell_turned_into_text_is_code_again(master):
    handed_in = make_submission()
    handed_in.cells[1].cell_type = "markdown"
    restored, _ = restore(handed_in, master)
    assert restored.cells[1].cell_type == "code"


def test_tags_of_a_student_have_no_say(master):
    handed_in = make_submission()
    handed_in.cells[2].metadata["tags"] = ["skip-execution", "raises-exception"]
    handed_in.cells.append(new_code_cell("1", metadata={"tags": ["in-kernel"]}))
    restored, _ = restore(handed_in, master)
    assert all("tags" not in one.metadata for one in restored.cells)


@pytest.mark.timeout(20)
def test_text_made_to_keep_the_search_for_hidden_tests_busy_does_not(master):
    handed_in = make_submission()
    handed_in.cells[2].source = "BEGIN HIDDEN TESTS\n" * 100_000
    restored, notes = restore(handed_in, master)
    assert restored.cells[2].source == HIDDEN
    assert notes == ["cell 'test_f' was changed: put back"]


def test_pictures_pasted_into_an_answer_stay_and_nothing_else_does(master):
    handed_in = make_submission()
    for notebook in (master, handed_in):
        notebook.cells.append(cell("essay", "", solution=True, grade=True))
        notebook.cells[-1].cell_type = "markdown"
    picture = {"image/png": "iVBORw0KGgo="}
    handed_in.cells[-1].attachments = {
        "a.png": picture | {"text/html": "<script>"},
        "b.png": {"image/png": '"><script>'},
    }
    restored, _ = restore(handed_in, master)
    assert restored.cells[-1].attachments == {"a.png": picture}


NAMES = ["imports", "f", "test_f", "g", "test_g", None, "unknown"]


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.text(max_size=5)), max_size=12))
def test_any_mixture_of_cells_gives_the_instructors_cells_once_and_in_order(cells):
    master = make_master()
    handed_in = new_notebook(
        cells=[cell(name, text) if name else new_code_cell(text) for name, text in cells]
    )
    restored, _ = restore(handed_in, master)
    kept = [one for one in restored.cells if grade_id(one)]
    assert [grade_id(one) for one in kept] == ["imports", "f", "test_f", "g", "test_g"]
    for ours, theirs in zip(kept, master.cells, strict=True):
        if not theirs.metadata.nbgrader["solution"]:
            assert ours.source == theirs.source
        assert ours.metadata == theirs.metadata
    assert len({one.id for one in restored.cells}) == len(restored.cells)
