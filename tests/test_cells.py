"""What a cell is to nbgrader, also where a student wrote anything into it."""

from __future__ import annotations

import time

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.cells import (
    Region,
    grade_id,
    is_graded,
    is_solution,
    is_test,
    region_lines,
    region_texts,
    without_regions,
)

SOURCE = """def f(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


### BEGIN HIDDEN TESTS
assert f(1) == 2
### END HIDDEN TESTS
print("seen")
### BEGIN HIDDEN TESTS
assert f(2) == 4
### END HIDDEN TESTS"""


def test_regions_are_found_with_their_markers():
    assert region_lines(SOURCE, Region.SOLUTION) == {2, 3, 4}
    assert region_lines(SOURCE, Region.HIDDEN_TESTS) == {7, 8, 9, 11, 12, 13}
    first, second = region_texts(SOURCE, Region.HIDDEN_TESTS)
    assert first == "### BEGIN HIDDEN TESTS\nassert f(1) == 2\n### END HIDDEN TESTS"
    assert "f(2)" in second
    left = without_regions(SOURCE, Region.HIDDEN_TESTS, "# gone")
    assert left.splitlines()[5:] == ["", "# gone", 'print("seen")', "# gone"]
    assert region_texts(left, Region.HIDDEN_TESTS) == []


def test_what_nbgrader_clears_is_what_we_take_out():
    from nbgrader.preprocessors import ClearHiddenTests

    graded = {"grade_id": "a", "grade": True, "solution": False, "schema_version": 3}
    cell = new_code_cell(SOURCE, metadata={"nbgrader": graded})
    cleared, _ = ClearHiddenTests().preprocess_cell(cell, {}, 0)
    ours = without_regions(SOURCE, Region.HIDDEN_TESTS)
    assert [line for line in ours.split("\n") if line] == [
        line for line in cleared.source.split("\n") if line
    ]


def test_a_region_that_never_ends_is_none():
    assert region_lines("### BEGIN SOLUTION\nreturn 1", Region.SOLUTION) == set()
    assert without_regions("### END SOLUTION\n1", Region.SOLUTION) == "### END SOLUTION\n1"


def test_a_long_source_takes_a_moment():
    source = "### BEGIN HIDDEN TESTS\n" * 200_000
    start = time.process_time()
    assert region_lines(source, Region.HIDDEN_TESTS) == set()
    assert time.process_time() - start < 2


@pytest.mark.parametrize("told", ["text", None, [], 3, {}, {"grade_id": 5}, {"grade_id": ["a"]}])
def test_whatever_a_student_writes_into_the_metadata_is_no_role(told):
    cell = new_code_cell("1", metadata={"nbgrader": told})
    assert grade_id(cell) is None
    assert not is_graded(cell)
    assert not is_solution(cell)
    assert not is_test(cell)


def test_a_test_is_code_with_points_that_the_student_does_not_write():
    graded = {"nbgrader": {"grade_id": "a", "grade": True, "solution": False, "points": 1}}
    essay = {"nbgrader": {"grade_id": "a", "grade": True, "solution": True, "points": 1}}
    assert is_test(new_code_cell("1", metadata=graded))
    assert not is_test(new_markdown_cell("1", metadata=graded))
    assert not is_test(new_code_cell("1", metadata=essay))
    assert is_graded(new_markdown_cell("1", metadata=essay))
