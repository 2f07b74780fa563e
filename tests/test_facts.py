"""A number in a lecture's prose is computed by the lecture; altered by one, it is noticed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import facts
from tools.facts import FactError
from tools.notebooks import ROOT, targets

LECTURES = [path for path in targets(ROOT).values() if path.parent.name == "lectures"]


def test_every_facts_file_belongs_to_a_lecture():
    assert {path.stem for path in facts.FACTS.glob("*.yaml")} <= {path.stem for path in LECTURES}


# The mechanism


def _lecture(prose, code="", printed=""):
    output = new_output("stream", name="stdout", text=printed)
    return new_notebook(
        cells=[new_markdown_cell(prose), new_code_cell(code, outputs=[output] if printed else [])]
    )


def _problems(prose, code="", printed="", true_texts=()):
    return facts.problems(_lecture(prose, code, printed), true_texts)


@pytest.mark.parametrize(
    ("prose", "code", "printed"),
    [
        ("It has 34,944 parameters.", "", "34944\n"),
        ("It has 34944 parameters.", "", "34,944\n"),
        ("Accuracy: 60.7 %.", "", "top-1 60.7 %"),
        ("A side of 227.", "trace((3, 227, 227))", ""),
        ("The output is 55×55×96.", "", "55×55×96, 54, 97"),
        ("Nine windows.", "", "9 windows"),
    ],
)
def test_a_number_is_bound_by_the_cell_beside_it(prose, code, printed):
    assert _problems(prose, code, printed) == []


@pytest.mark.parametrize(
    ("prose", "printed"),
    [
        ("It has 34,945 parameters.", "34944"),
        ("Accuracy: 60.8 %.", "60.7"),
        ("The output is 55×56×96.", "55×55×96"),
        ("Ten windows.", "9 windows"),
        ("3 of them", "2 3 4"),  # present, but so is what a slip would say
        ("60.7 %", "60.7 60.8"),
        ("40 of them", "340"),
        ("7 of them", "v7"),
    ],
)
def test_a_number_that_is_not_there_is_reported(prose, printed):
    (problem,) = _problems(prose, printed=printed)
    assert problem.startswith("cell 1: ")


@pytest.mark.parametrize(
    "prose",
    [
        "In 2014 VGG-16 beat conv1, cs231n and float32 in 3-D.",
        "**Time**: 60 minutes",
        "# 2 · Convolution\n\n1. first\n2. second",
        "[here](https://example.org/12/34) <img width=55>",
        "one, two or three",
        "none\n\n### Sources\n\n- Volume 25, pages 1 to 9",
    ],
)
def test_names_years_minutes_and_sources_are_no_results(prose):
    assert _problems(prose) == []


def test_alt_text_is_prose_and_no_evidence():
    shown = "show_grids(grids, alt='Rises to 9.')"
    assert _problems("Rises to 9.", shown) == [
        "cell 1: '9' in “Rises to 9.”",
        "cell 2: '9' in “Rises to 9.”",
    ]
    assert _problems("Rises to 9.", f"steps = 9\n{shown}") == []


def test_evidence_is_two_cells_away_at_most():
    far = [new_code_cell("x = 987"), new_code_cell("1"), new_code_cell("2")]
    assert facts.problems(new_notebook(cells=[*far, new_markdown_cell("987")]), [])
    assert not facts.problems(new_notebook(cells=[*far[:2], new_markdown_cell("987")]), [])


def test_a_fact_binds_what_it_says_and_must_be_said():
    assert _problems("In all 1,234 weights.", true_texts=["1,234 weights"]) == []
    assert len(_problems("In all 1,235 weights.", true_texts=["1,234 weights"])) == 2
    assert _problems("No number.", true_texts=["1,234 weights"]) == [
        "not in the prose: 1,234 weights"
    ]


@pytest.mark.parametrize(
    ("check", "turned_round"),
    [
        ("a < b", ["a >= b"]),
        ("0 < a <= 9", ["0 >= a <= 9", "0 < a > 9"]),
        ("all(x > 3 for x in a if x != 5)", ["all((x <= 3 for x in a if x != 5))"]),
        ("not torch.equal(a, b)", ["not _not(torch.equal(a, b))"]),
        ("a == 1 and 'x' in b", ["a != 1 and 'x' in b", "a == 1 and 'x' not in b"]),
        ("a", []),
    ],
)
def test_each_comparison_of_a_check_is_turned_round(check, turned_round):
    assert list(facts.flipped(check)) == turned_round


def _load(tmp_path, text):
    path = tmp_path / "one.yaml"
    path.write_text(text, encoding="utf-8")
    return facts.load(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- says: «60.7» %", "computes nothing"),
        ("- says: 60.7 %", "computes nothing"),
        ("- 60.7", "is 60.7: use says"),
        ("- {says: a, because: b}", "use says with check or source, or given"),
        ("- {says: a, given: b, check: c}", "either says or given"),
        ("- says: [", "is no YAML"),
    ],
)
def test_refuses_a_fact_that_could_not_be_wrong(tmp_path, text, message):
    with pytest.raises(FactError, match=message) as refused:
        _load(tmp_path, text)
    assert str(refused.value).startswith(str(tmp_path / "one.yaml"))


def _command(tmp_path, prose, code, entries):
    """Run `python -m tools.facts` on a lecture of one paragraph and one cell."""
    import nbformat

    notebook = new_notebook(cells=[new_markdown_cell(prose), new_code_cell(code)])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, tmp_path / "one.ipynb")
    (tmp_path / "one.yaml").write_text(entries, encoding="utf-8")
    program = "import sys, pathlib; from tools import facts; facts.FACTS = pathlib.Path.cwd(); "
    program += "sys.exit(facts.main(['one.ipynb']))"
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


def test_the_command_computes_facts_with_the_lectures_variables(tmp_path):
    entries = "- says: in all «weights:,» = «word(5)» rows\n- says: $3 + 4$\n  check: weights == {}"
    prose, code = "There are in all 2,500 = five rows, and $3 + 4$.", "weights = 50 * 50"
    right = _command(tmp_path, prose, code, entries.format(2500))
    assert (right.returncode, right.stdout) == (0, "")
    wrong = _command(tmp_path, prose, "weights = 51 * 50", entries.format(2500))
    assert wrong.returncode == 1
    assert "not in the prose: in all 2,550 = five rows" in wrong.stdout
    assert "not in the prose: CHECK FAILS: weights == 2500" in wrong.stdout
