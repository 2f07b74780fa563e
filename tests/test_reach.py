"""Which tests `verify` may leave out when a solution cell is changed."""

import pytest
from nbformat.v4 import new_code_cell

from autograder.authoring.reach import unreached


def cell(source, name=None, *, test=False):
    metadata = {"nbgrader": {"grade_id": name, "grade": test}} if name else {}
    return new_code_cell(source, metadata=metadata)


def asking(name, source):
    return cell(source, name, test=True)


HALF = cell("def half(x):\n    return x / 2", "half")
OTHER = cell("def other(x):\n    return x", "other")
TEST_HALF = asking("test_half", "assert half(4) == 2")
TEST_OTHER = asking("test_other", "assert other(1) == 1")


def test_a_test_is_left_out_only_if_it_reads_nothing_of_the_change():
    cells = [HALF, OTHER, TEST_HALF, TEST_OTHER]
    assert unreached(cells, ["half"]) == {"test_other"}
    assert unreached(cells, ["other"]) == {"test_half"}
    assert unreached(cells, ["half", "other"]) == set()


@pytest.mark.parametrize(
    "between",
    [
        "def quarter(x):\n    return half(half(x))",
        "quarter = half",
        "table = {'quarter': half}\nquarter = table['quarter']",
        "class quarter:\n    step = staticmethod(half)",
        "quarter = lambda x: [half(y) for y in x]",
        "from functools import partial\nquarter = partial(half)",
        "if True:\n    quarter = half",
        "def bind():\n    global quarter\n    quarter = half\nbind()",
        "def quarter(x):\n    return globals()['half'](x)",
    ],
)
def test_a_change_reaches_through_other_cells(between):
    asked = asking("test_quarter", "quarter(4)")
    cells = [HALF, OTHER, cell(between, "given"), asked, TEST_OTHER]
    assert unreached(cells, ["half"]) == {"test_other"}


def test_what_a_changed_function_is_given_may_be_changed_by_it():
    cells = [cell("seen = []", "given"), HALF, asking("test_half", "half(seen)")]
    cells += [asking("test_seen", "assert not seen"), TEST_OTHER]
    assert unreached(cells, ["half"]) == {"test_other"}


def test_a_constant_is_not_changed_by_who_reads_it():
    cells = [cell("RULES = ('loops', 3)", "given"), HALF, asking("test_half", "half(RULES)")]
    cells += [asking("test_rules", "other(RULES)")]
    assert unreached(cells, ["half"]) == {"test_rules"}


def test_a_local_variable_of_the_same_name_is_another_thing():
    local = asking("test_local", "def check(half):\n    step = half\n    return step")
    assert unreached([HALF, local], ["half"]) == {"test_local"}


def test_what_stands_behind_a_failing_line_may_not_be_bound():
    late = asking("test_half", "assert half(4) == 2\ndef helper(x):\n    return x")
    cells = [HALF, late, asking("test_late", "helper(1)")]
    assert unreached(cells, ["half"]) == set()
    early = asking("test_half", "def helper(x):\n    return x\nassert half(4) == 2")
    assert unreached([HALF, early, asking("test_late", "helper(1)")], ["half"]) == {"test_late"}


def test_a_test_whose_helper_is_needed_stays():
    helping = asking("test_other", "def near(a, b):\n    return a == b\nassert near(other(1), 1)")
    cells = [OTHER, HALF, helping, asking("test_half", "assert near(half(4), 2)")]
    assert unreached(cells, ["half"]) == set()


@pytest.mark.parametrize("act", ["print(1)", "import torch\ntorch.nn.relu = None", "del x"])
def test_a_changed_cell_that_does_more_than_bind_may_change_anything(act):
    changed = cell(f"def half(x):\n    return x / 2\n{act}", "half")
    assert unreached([changed, OTHER, TEST_OTHER], ["half"]) == set()


def test_nothing_is_left_out_of_what_is_not_python():
    assert unreached([HALF, cell("def (", "broken"), TEST_OTHER], ["half"]) == set()
    assert unreached([HALF, cell("%matplotlib inline\nx = 1", "given"), TEST_OTHER], ["half"])
