"""Every notebook is what its source says, is written in the course's style, and runs cleanly."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tools import notebooks
from tools.notebooks import PROJECT, ROOT, SourceError, derive, targets

PAIRS = targets(ROOT)
LECTURES = [pair for pair in PAIRS.items() if pair[1].parent.name == "lectures"]


def _id(value):
    return value.stem if isinstance(value, Path) and value.suffix == ".ipynb" else ""


def _lines(cell):
    """Lines that a student reads: an assignment's solutions and hidden tests don't count."""
    hidden = r"### BEGIN (SOLUTION|HIDDEN TESTS).*?### END \1"
    seen = re.sub(hidden, "", cell.source, flags=re.DOTALL)
    return sum(1 for line in seen.splitlines() if line.strip())


def _words(source):
    """How many words of running text: no formulas, tables, markup, folds, nor list of sources."""
    text = source.split("### Sources")[0]
    text = re.sub(r"<details>.*?</details>|```.*?```", " ", text, flags=re.DOTALL)
    text = re.sub(r"\$\$?[^$]+\$\$?|<[^>]+>", " ", text)
    rows = [line for line in text.splitlines() if not line.startswith("|")]
    return len(re.findall(r"[A-Za-z][\w'’-]*", "\n".join(rows)))


# What is committed


def test_there_is_a_lecture():
    assert LECTURES


@pytest.mark.parametrize(("source", "notebook"), PAIRS.items(), ids=_id)
def test_a_notebook_is_what_its_source_says(source, notebook):
    assert notebook.exists(), f"{notebook} is missing: run make notebooks"
    derived = derive(source, notebook.stem)
    assert notebook.read_text(encoding="utf-8") == derived, f"{notebook}: run make notebooks"


def test_every_notebook_has_a_source():
    found = {*ROOT.glob("lectures/*.ipynb"), *ROOT.glob("exercises/source/*/*.ipynb")}
    assert found == set(PAIRS.values())


@pytest.mark.parametrize(("source", "notebook"), PAIRS.items(), ids=_id)
def test_a_notebook_is_valid_and_has_no_outputs(source, notebook):
    read = nbformat.read(notebook, as_version=4)
    nbformat.validate(read)
    assert read.metadata.kernelspec.name == "python3"
    ids = [cell.id for cell in read.cells]
    assert len(ids) == len(set(ids))
    for cell in read.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.parametrize(("source", "notebook"), PAIRS.items(), ids=_id)
def test_cells_are_short(source, notebook):
    cells = [cell for cell in nbformat.read(notebook, 4).cells if cell.cell_type == "code"]
    cells = [
        cell for cell in cells if "quiz" not in cell.metadata.get("tags", [])
    ]  # made, not read
    lines = [_lines(cell) for cell in cells]
    assert statistics.median(lines) <= 8
    longest = cells[lines.index(max(lines))]
    assert max(lines) <= 30, f"split this cell:\n{longest.source}"


@pytest.mark.parametrize(("source", "notebook"), LECTURES, ids=_id)
def test_a_lecture_explains_its_code(source, notebook):
    cells = nbformat.read(notebook, 4).cells
    code = sum(_lines(cell) for cell in cells if cell.cell_type == "code")
    words = sum(_words(cell.source) for cell in cells if cell.cell_type == "markdown")
    # The welcome has no exercise, and more to say than to run.
    most = 20 if "**Exercise**: none" in source.read_text(encoding="utf-8") else 10
    assert 6 <= words / code <= most, f"{words} words of prose for {code} lines of code"


@pytest.mark.parametrize(("source", "notebook"), LECTURES, ids=_id)
def test_a_lecture_says_what_it_is_for(source, notebook):
    text = source.read_text(encoding="utf-8")
    for part in ("You will be able to", "**Time**", "minutes", "**You need**", "**Exercise**"):
        assert part in text, f"{source.name} doesn't say: {part}"
    for part in ("## Summary", "**Key points**", "### Sources"):
        assert part in text, f"{source.name} has no {part}"


# Deriving


def _source(tmp_path, text):
    path = tmp_path / "one.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_deriving_is_byte_stable_and_puts_nbgraders_metadata(tmp_path):
    text = (
        '# %% [markdown] given="intro"\n# # Hello\n\n# %% solution="f"\ndef f():\n    return 1\n\n'
        '# %% test="test_f" points=2\nassert f() == 1\n\n# %% [markdown] manual="why" points=1\n'
        '# Why?\n\n# %% tags=["x"]\nf()\n\n# %% folded=true\nf()\n'
    )
    path = _source(tmp_path, text)
    program = "import sys, pathlib; from tools.notebooks import derive; "
    program += "print(derive(pathlib.Path(sys.argv[1]), 'one'), end='')"
    runs = {
        subprocess.run(
            [sys.executable, "-c", program, str(path)],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout.decode()
        for seed in ("1", "2")
    }
    assert runs == {derive(path, "one")}
    intro, solution, test, manual, plain, drawing = nbformat.reads(runs.pop(), 4).cells
    assert (intro.id, solution.id, test.id) == ("intro", "f", "test_f")
    assert (intro.metadata.nbgrader.locked, intro.metadata.nbgrader.grade) == (True, False)
    assert (solution.metadata.nbgrader.solution, solution.metadata.nbgrader.locked) == (True, False)
    assert (test.metadata.nbgrader.grade, test.metadata.nbgrader.points) == (True, 2)
    assert (manual.metadata.nbgrader.grade, manual.metadata.nbgrader.solution) == (True, True)
    assert plain.metadata == {"tags": ["x"]}
    assert drawing.metadata == {"jupyter": {"source_hidden": True}}


def test_an_anonymous_cells_id_depends_on_notebook_and_place(tmp_path):
    path = _source(tmp_path, "# %%\n1\n\n# %%\n1\n")
    ids = [cell.id for name in ("a", "b") for cell in nbformat.reads(derive(path, name), 4).cells]
    assert len(set(ids)) == 4


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ('test="a" solution="a"', "more than one of solution, test: keep one"),
        ('test="a"', 'test="a" needs points=N'),
        ('solution="a" points=1', "can't have points"),
        ("points=1", "has points but is no test"),
        ('tset="a" points=1', "unknown word 'tset'.*use one of given"),
        ('test="a b" points=1', '"a b" is no name for a cell'),
        ('test="" points=1', "is no name for a cell"),
        ('test="a" points="two"', "points='two': give a number"),
        ('test="a" points=-1', "points=-1: give a number"),
        ('[markdown] test="a" points=1', "needs a code cell"),
    ],
)
def test_refuses_a_bad_marker_and_names_file_and_cell(tmp_path, marker, message):
    path = _source(tmp_path, f"# %% [markdown]\n# Hello\n\n# %% {marker}\n# 1\n")
    with pytest.raises(SourceError, match=message) as refused:
        derive(path, "one")
    assert str(refused.value).startswith(f"{path}: cell 2: ")


def test_a_header_says_what_candidates_do_without(tmp_path):
    header = "# ---\n# jupyter:\n#   autograder:\n#     hidden: [course_utils.arithmetic]\n# ---\n"
    path = _source(tmp_path, f"{header}\n# %%\n1\n")
    notebook = nbformat.reads(derive(path, "one"), 4)
    assert notebook.metadata.autograder == {"hidden": ["course_utils.arithmetic"]}
    path = _source(tmp_path, header.replace("autograder", "autogrder") + "\n# %%\n1\n")
    with pytest.raises(SourceError, match="its header has 'autogrder': use autograder"):
        derive(path, "one")


def test_refuses_a_name_used_twice(tmp_path):
    path = _source(tmp_path, '# %% given="a"\n1\n\n# %% given="a"\n2\n')
    with pytest.raises(SourceError, match="cell 2: 'a' is used twice"):
        derive(path, "one")


def test_refuses_a_file_that_is_not_text(tmp_path):
    path = tmp_path / "one.py"
    path.write_bytes(b"# %%\n\xff\xfe")
    with pytest.raises(SourceError, match="is not UTF-8"):
        derive(path, "one")


def test_the_command_writes_checks_and_reports(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    text = tmp_path / "lectures" / "text"
    text.mkdir(parents=True)
    (text / "09_new.py").write_text("# %%\n1 + 1\n")
    assert notebooks.main(["--check"]) == 1
    assert "lectures/09_new.ipynb: differs from its source: run make notebooks" in (
        capsys.readouterr().out
    )
    assert notebooks.main([]) == 0
    assert notebooks.main(["--check"]) == 0
    (text / "09_new.py").write_text("# %% points=1\n1 + 1\n")
    assert notebooks.main([]) == 1
    assert "09_new.py: cell 1: has points" in capsys.readouterr().err


def test_on_colab_a_lecture_gets_the_course_and_its_questions(tmp_path):
    """As on Colab, but for the address of the course, and nothing is left to install."""
    cells = nbformat.read(ROOT / "lectures" / "00_welcome.ipynb", 4).cells
    [get_it] = [cell.source for cell in cells if cell.id == "colab"]
    first = next(cell for cell in cells if cell.cell_type == "code")
    assert get_it == first.source
    address = PROJECT["urls"]["Repository"]
    assert get_it.count(address) == 1
    code = """
import sys, types
sys.modules["google.colab"] = types.ModuleType("google.colab")
sys.meta_path = [finder for finder in sys.meta_path if "__editable__" not in str(finder)]
exec(GET_IT)
import course_utils
from course_utils.quiz import bank
from pathlib import Path
print(course_utils.__file__)
print(len(bank.load(Path("quiz/00_welcome.yaml")).questions) > 3)
"""
    code = f"GET_IT = {get_it.replace(address, str(ROOT))!r}\n{code}"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(tmp_path / "course/course_utils/__init__.py"), "True"]


def test_elsewhere_the_cell_for_colab_does_nothing(tmp_path):
    [get_it] = [
        cell.source
        for cell in nbformat.read(ROOT / "lectures" / "00_welcome.ipynb", 4).cells
        if cell.id == "colab"
    ]
    done = subprocess.run([sys.executable, "-c", get_it], cwd=tmp_path, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert list(tmp_path.iterdir()) == []
