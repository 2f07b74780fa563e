"""Small changes of the reference: what is made of it, and what is said of those that survive."""

from __future__ import annotations

from textwrap import dedent

import pytest
import torch

from autograder.authoring import mutants
from autograder.authoring.mutation import mutate
from tests.conftest import WARMUP, make_course


def changes(source):
    return {(one.operator, one.after) for one in mutate("cell", dedent(source))}


@pytest.mark.parametrize(
    ("line", "operator", "after"),
    [
        ("y = a + b", "arithmetic", "y = a - b"),
        ("y = (n - k) // s", "arithmetic", "y = -(-(n - k) // s)"),
        ("y = x.argmax()", "arithmetic", "y = x.argmin()"),
        ("y = a @ b", "swapped", "y = b @ a"),
        ("y = f(a, b)", "swapped", "y = f(b, a)"),
        ("y = x[i, j]", "swapped", "y = x[j, i]"),
        ("y = x.T", "swapped", "y = x"),
        ("y = a < b", "comparison", "y = a <= b"),
        ("y = a and b", "comparison", "y = a or b"),
        ("y = x[top : top + k]", "off by one", "y = x[top : (top + k) - 1]"),
        ("y = range(n)", "off by one", "y = range(n + 1)"),
        ("y += a", "= and +=", "y = a"),
        ("y[i] = a", "= and +=", "y[i] += a"),
        ("y[i] = a", "dropped", "pass"),
        ("x = x.double()", "dropped", "pass"),
        ("y = x.sum(dim=1)", "constant", "y = x.sum(dim=2)"),
        ("y = x.sum(keepdim=True)", "constant", "y = x.sum(keepdim=False)"),
        ("y = x.clone()", "removed call", "y = x"),
        ("y = x.detach() * 2", "removed call", "y = x * 2"),
    ],
)
def test_each_operator(line, operator, after):
    assert (operator, after) in changes(line)


@pytest.mark.parametrize(
    "line", ["y = f(seed=3)", "g.manual_seed(3)", "y = x.amax(dim=(i, j))", "y = max(a, b)"]
)
def test_what_no_test_could_notice_is_not_tried(line):
    assert {operator for operator, _ in changes(line)} <= {"arithmetic", "dropped"}


def test_only_the_solution_is_changed_and_a_mutant_differs_in_one_place():
    source = "k = 1\n### BEGIN SOLUTION\ny = (a + 1) * 2  # note\n### END SOLUTION\nz = 2"
    found = list(mutate("cell", source))
    assert "y = (a - 1) * 2 # note" in {one.after for one in found}
    for one in found:
        assert one.before == "y = (a + 1) * 2 # note"
        assert [line for line in one.source.splitlines() if line not in source] == [
            line for line in one.source.splitlines() if line.startswith("y = ")
        ]


def test_mutants_are_always_the_same():
    once, again = (list(mutate("cell", "y = (a + 1) // b[i, j] - c")) for _ in range(2))
    assert once == again
    assert len({one.source for one in once}) == len(once)


WEAK = WARMUP.replace('area(2), 4 * math.pi), "area(2)', 'area(1), math.pi), "area(1)')
MARKED = """\
- {cell: area, from: return math.pi * radius**2, to: return math.pi * radius**1, why: At radius 1.}
- {cell: area, from: return math.pi * radius**2, to: return math.pi * (radius * 2), why: Wrong.}
- {cell: area, from: return math.tau, to: return math.pi, why: It was once.}
"""


def test_survivors_and_wrong_marks_are_named(tmp_path):
    course = make_course(tmp_path / "course", {"warmup": WEAK})
    marks = course.root / "specimens" / "warmup" / "equivalent.yaml"
    marks.parent.mkdir(parents=True)
    marks.write_text(MARKED)
    tried, problems = mutants.try_mutants(course, "warmup")
    outcomes = {one.mutant.after: one.outcome for one in tried}
    assert outcomes["return math.pi * radius**3"] == "survived"
    assert outcomes["return math.pi * radius**1"] == "equivalent"
    assert outcomes["return math.pi / radius ** 2"] == "killed"
    assert outcomes["return sum(one != letter for one in text)"] == "killed"
    said = "\n".join(problems)
    assert "there is no such mutant: area | return math.tau | return math.pi" in said
    assert "not equivalent, test_area notices it: area | return math.pi * radius**2 |" in said
    assert "the reference gives fewer than 40" in said
    assert "are noticed, fewer than 95%" in said
    text = mutants.table({"warmup": tried})
    assert "- warmup, `area`: `return math.pi * radius**2` → `return math.pi * radius**3`" in text
    [row] = [line for line in text.splitlines() if line.startswith("| warmup |")]
    assert row.split(" | ")[1] == str(len(tried))


@pytest.mark.parametrize("text", ["- cell: area", "cell: area", "- [", "- {cell: 1}"])
def test_a_bad_list_of_equivalents_is_refused_by_name(tmp_path, text):
    path = tmp_path / "equivalent.yaml"
    path.write_text(text)
    with pytest.raises(mutants.EquivalentError, match=r"equivalent\.yaml: (is not|can't)"):
        mutants.equivalent(path)


RETURNS = """
def both(x):
    ### BEGIN SOLUTION
    return x / 3, [2, 1]
    ### END SOLUTION
"""


@pytest.mark.parametrize(
    ("operator", "first", "second"),
    [
        ("truncation", ([-1.0, 0.0, 1.0], [2, 1]), ([2.0, 1.0, 0.0], [2, 1])),
        ("sorting", ([-1.5, 0.5, 1.0], [1, 2]), ([0.5, 1.0, 2.5], [1, 2])),
        ("reordering", ([1.0, 0.5, -1.5], [1, 2]), ([0.5, 1.0, 2.5], [1, 2])),
        ("caching", ([-1.5, 0.5, 1.0], [2, 1]), ([-1.5, 0.5, 1.0], [2, 1])),
        ("seeding", ([-1.5, 0.5, 1.0], [2, 1]), ([2.5, 1.0, 0.5], [2, 1])),
    ],
)
def test_what_a_function_returns_is_spoiled(operator, first, second):
    [mutant] = [one for one in mutate("cell", RETURNS) if one.operator == operator]
    assert mutant.before == "def both(x):"
    names = {}
    exec(mutant.source, names)
    for inputs, wanted in (([-4.5, 1.5, 3.0], first), ([7.5, 3.0, 1.5], second)):
        torch.manual_seed(1)
        values, numbers = names["both"](torch.tensor(inputs))
        assert (values.tolist(), numbers) == wanted
        assert (torch.initial_seed() == 0) == (operator == "seeding")


def test_a_function_whose_values_cannot_be_spoiled_says_so():
    [mutant] = [one for one in mutate("cell", RETURNS) if one.operator == "truncation"]
    names = {}
    exec(mutant.source.replace("x / 3", "x"), names)
    with pytest.raises(TypeError, match="not a mutant"):
        names["both"](1)
