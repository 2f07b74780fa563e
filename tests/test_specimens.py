"""The loader of wrong and alternative solutions, and its refusals."""

from pathlib import Path

import nbformat
import pytest

from autograder.authoring import specimens

WRONG = """\
# ---
# about: Forgets the square.
# fails:
#   test_square: "expected 9"
# ---

# %% solution="square"
def square(x):
    return x
"""


@pytest.fixture
def notebook() -> nbformat.NotebookNode:
    def cell(source, grade_id, *, grade, solution):
        role = {"grade_id": grade_id, "grade": grade, "solution": solution}
        return nbformat.v4.new_code_cell(source, metadata={"nbgrader": role})

    solution = cell("def square(x):\n    return x * x", "square", grade=False, solution=True)
    test = cell("assert square(3) == 9", "test_square", grade=True, solution=False)
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1"), solution, test])


def load(folder: Path, text: str) -> specimens.Specimen:
    path = folder / "square_forgotten.py"
    path.write_text(text, encoding="utf-8")
    return specimens.load(path)


def test_load_a_wrong_solution(tmp_path):
    specimen = load(tmp_path, WRONG)
    assert specimen.name == "square_forgotten"
    assert specimen.kind == "wrong"
    assert specimen.about == "Forgets the square."
    assert specimen.cells == {"square": "def square(x):\n    return x"}
    assert specimen.fails == {"test_square": "expected 9"}


def test_a_check_without_fails_is_an_alternative(tmp_path):
    text = WRONG.replace('# fails:\n#   test_square: "expected 9"\n', "")
    assert load(tmp_path, text).kind == "alternative"


def test_the_two_optional_words(tmp_path):
    specimen = load(tmp_path, WRONG)
    assert not specimen.blind
    assert not specimen.needs_isolation
    text = WRONG.replace("# fails:", "# blind: true\n# needs_isolation: true\n# fails:")
    specimen = load(tmp_path, text)
    assert specimen.blind
    assert specimen.needs_isolation


def test_apply_replaces_only_its_cell_and_leaves_the_original(tmp_path, notebook):
    before = nbformat.writes(notebook)
    result = specimens.apply(load(tmp_path, WRONG), notebook)
    assert nbformat.writes(notebook) == before
    assert [cell.source for cell in result.cells] == [
        "x = 1",
        "def square(x):\n    return x",
        "assert square(3) == 9",
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("# about: Forgets the square.\n", "", "has no header"),
        (WRONG.split("\n\n")[0], "", "has no header"),
        ("# about: Forgets", "# about: a: b", "not YAML"),
        ("# fails:", "# fail:", "not 'fail'"),
        (': "expected 9"', ":", "a piece of its message"),
        ("# fails:", "# blind: perhaps\n# fails:", "'blind' must be true or false"),
        (' solution="square"', "", "doesn't say what it replaces"),
        ("def square(x):\n    return x\n", "", "replaces no cell"),
        ("    return x\n", '    return x\n\n# %% solution="square"\n2\n', "replaced twice"),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path, old, new, message):
    assert old in WRONG
    with pytest.raises(specimens.SpecimenError, match=message) as error:
        load(tmp_path, WRONG.replace(old, new))
    assert "square_forgotten.py" in str(error.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\xff"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, content):
    path = tmp_path / "lost.py"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(specimens.SpecimenError, match=r"lost\.py: can't be read"):
        specimens.load(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'solution="square"',
            'solution="cube"',
            "no solution cell 'cube'\n.* write one of: square",
        ),
        ("test_square", "test_cube", "no test 'test_cube'\n.* write one of: test_square"),
    ],
)
def test_apply_refuses_names_that_the_notebook_lacks(tmp_path, notebook, old, new, message):
    with pytest.raises(specimens.SpecimenError, match=message):
        specimens.apply(load(tmp_path, WRONG.replace(old, new)), notebook)
