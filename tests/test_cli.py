"""The command `autograder` as people use it: what it prints, and what it says when it can't."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from rich.errors import MarkupError

from autograder.cli.show import coloured
from autograder.grading.log import write_fault
from tests.conftest import ROOT, SOLVED


def test_the_way_from_release_to_report(warmup, hand_in, autograder):
    hand_in(warmup, "warmup", "right", SOLVED)
    hand_in(warmup, "warmup", "blank")
    verified = autograder("verify", "--course", warmup.root)
    assert verified.returncode == 0, verified.stderr
    assert re.search(r"│ reference +│ 5 / 5 ", verified.stdout)
    assert re.search(r"│ seeds +│ 6 of 6 ", verified.stdout)
    quick = autograder("verify", "--quick", "--course", warmup.root).stdout
    assert re.search(r"│ reference +│ 5 / 5 ", quick)
    assert "seeds" not in quick
    graded = autograder("grade", "warm", cwd=warmup.root)
    assert graded.returncode == 0
    assert "│ right   │ 5 / 5  │" in graded.stdout
    assert "2 students" in autograder("feedback", "warmup", cwd=warmup.root).stdout
    report = json.loads(autograder("report", "warmup", "--json", cwd=warmup.root).stdout)
    assert [item["mean"] for item in report["items"]] == [1.0, 1.5]
    assert autograder("release", "--check", cwd=warmup.root).returncode == 0
    assert autograder("doctor", cwd=warmup.root).returncode == 0


def test_one_test_is_tried_with_its_traceback_and_nothing_is_recorded(warmup, hand_in, autograder):
    forgot = "def helper(radius):\n    return math.pi * radius\n"
    wrong = {"area": forgot + "def area(radius):\n    return helper(radius)"}
    hand_in(warmup, "warmup", "wrong", wrong)
    before = warmup.database_file.read_bytes()
    arguments = ("try", "warmup", "--student", "wrong", "--cell")
    tried = autograder(*arguments, "test_area", cwd=warmup.root)
    assert tried.returncode == 0, tried.stderr
    assert "3 assert math.isclose(area(2), 4 * math.pi)" in tried.stdout
    assert "AssertionError: area(2) is wrong: square the radius" in tried.stdout
    assert "test_area: 0 of 2 points" in tried.stdout
    assert warmup.database_file.read_bytes() == before
    assert not warmup.path("autograded", "warmup", "wrong").exists()
    says(autograder(*arguments, "test_aera", cwd=warmup.root), "no cell 'test_aera'", "test_area")
    broken = {"area": forgot + "def area(radius):\n    return helper(radius, 1)"}
    hand_in(warmup, "warmup", "wrong", broken)
    tried = autograder(*arguments, "test_area", cwd=warmup.root)
    assert "in area" in tried.stdout  # the way through the student's own lines
    assert "helper() takes 1 positional argument but 2 were given" in tried.stdout


def says(done, *parts):
    """A message without a traceback, and an exit code that is not 0."""
    text = done.stdout + done.stderr
    assert done.returncode not in (0, 2), text
    assert "Traceback" not in text
    for part in parts:
        assert part in text


def test_an_unknown_assignment_is_named_with_what_there_is(warmup, autograder):
    says(autograder("grade", "warmip", cwd=warmup.root), "'warmip'", "did you mean warmup?")


def test_a_folder_that_is_no_course_is_named(tmp_path, autograder):
    says(autograder("grade", "x", "--course", tmp_path), str(tmp_path), "--course DIR")


def test_a_missing_gradebook_says_to_release_first(warmup, hand_in, autograder):
    hand_in(warmup, "warmup", "one")
    (warmup.root / "gradebook.db").unlink()
    says(autograder("grade", "warmup", cwd=warmup.root), "gradebook.db does not exist",
         "autograder release")  # fmt: skip


def test_an_assignment_that_nobody_handed_in_is_said(warmup, autograder):
    says(autograder("grade", "warmup", cwd=warmup.root), "nobody has handed in", "collect")


def test_an_unknown_student_is_named(warmup, hand_in, autograder):
    hand_in(warmup, "warmup", "one")
    says(autograder("grade", "warmup", "--student", "two", cwd=warmup.root), "'two'")


def test_a_corrupt_notebook_is_named_and_the_exit_code_says_look(warmup, hand_in, autograder):
    hand_in(warmup, "warmup", "one").write_text("{")
    done = autograder("grade", "warmup", cwd=warmup.root)
    says(done, "warmup.ipynb is not a notebook", "need a look")
    assert done.returncode == 3


def test_a_broken_configuration_is_named(warmup, autograder):
    (warmup.root / "nbgrader_config.py").write_text("c = get_config(\n")
    says(autograder("grade", "warmup", cwd=warmup.root), "nbgrader_config.py can't be read")


def test_cuda_where_there_is_none_is_refused(warmup, hand_in, autograder):
    if Path("/dev/nvidiactl").exists():
        pytest.skip("this machine has a CUDA device")
    hand_in(warmup, "warmup", "one")
    says(autograder("grade", "warmup", "--device", "cuda", cwd=warmup.root), "no CUDA device")


def test_a_course_that_may_not_be_written_is_named_and_nothing_is_lost(warmup, hand_in):
    """As a user without the right to write: root may write anything."""
    hand_in(warmup, "warmup", "one", SOLVED)
    before = (warmup.root / "gradebook.db").read_bytes()
    command = [sys.executable, "-m", "autograder", "grade", "warmup", "--course", str(warmup.root)]
    if os.getuid() == 0:
        for folder in warmup.root.parents:
            if folder.stat().st_uid == 0 and str(folder).startswith("/tmp/"):
                folder.chmod(0o755)
        command = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", *command]
    else:
        warmup.root.chmod(0o555)
        (warmup.root / "gradebook.db").chmod(0o444)
    done = subprocess.run(
        command, cwd="/", capture_output=True, text=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/tmp"},
    )  # fmt: skip
    warmup.root.chmod(0o755)
    says(done, "gradebook", "write")
    assert (warmup.root / "gradebook.db").read_bytes() == before


def test_what_a_submission_says_moves_nothing_on_the_screen(warmup, hand_in, autograder):
    said = r"\[/b] \x1b[2J \u202e"  # for rich, a tag that was never opened; the screen is cleared
    with pytest.raises(MarkupError):
        Console(file=io.StringIO()).print(r"\\[/b]")
    hand_in(
        warmup, "warmup", "loud", {"area": f'def area(radius):\n    raise ValueError("{said}")'}
    )
    graded = autograder("grade", "warmup", cwd=warmup.root)
    assert graded.returncode == 0, graded.stderr
    words = " ".join(re.sub("[│\n]", " ", graded.stdout).split())
    assert r"ValueError: \[/b] \x1b[2J \u202e" in words
    assert coloured("\x1b[31mred\x1b[0m \x1b[2J").plain == r"red \x1b[2J"
    written = write_fault(warmup.root, "ada: \x1b[2J", "a line\n2026-01-01 ERROR ben: forged")
    lines = Path(written.split()[-1]).read_text().splitlines()
    assert [line[:1] == " " for line in lines if line] == [False, True, True]
    assert r"ada: \x1b[2J" in lines[0]
