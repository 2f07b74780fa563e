"""Feedback of a class in which some hand in what is hard to read, or nothing that can be read.

All others get theirs; who doesn't is named, with what helps.
"""

from __future__ import annotations

import json
import os
import re
import socket
import time
from datetime import UTC, datetime

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from autograder.assignment import Assignment
from autograder.grading.feedback import FeedbackError, feedback
from autograder.grading.prepare import prepare
from autograder.grading.reading import OverrunError, ask
from autograder.grading.record import record
from autograder.grading.result import Result
from course_utils.quiz import log
from tests.conftest import SOLVED, WARMUP, make_course

# Each takes the square of its length, or more, in what draws a page.
SLOW_TEXTS = {
    "environments": "\\begin{a}" * 6_000,
    "brackets": "[" * 50_000,
    "quotes": ">" * 50_000,
    "emphasis": "*a **b _c " * 10_000,
    "links": "[a](" * 20_000,
    "formatting": "<b><i><p>" * 10_000,
    "backticks": " ".join("`" * (1 + at % 300) for at in range(600)),
}


def _recorded(course, cells, files=None):
    """Record students as graded, each with these cells behind the assignment's own."""
    assignment = Assignment.load(course, "warmup")
    with course.gradebook() as gradebook:
        for student, own in cells.items():
            notebook = assignment.masters["warmup"].copy()
            notebook["cells"] = [*notebook["cells"], *own]
            notebooks = {"warmup": notebook}
            result = Result("warmup", student, "graded", {})
            record(
                course,
                gradebook,
                assignment,
                "key",
                result,
                notebooks,
                files or {},
                datetime.now(UTC),
            )


def _page(course, student):
    return course.path("feedback", "warmup", student) / "warmup.html"


@pytest.mark.timeout(300)
def test_what_takes_too_long_to_draw_is_shown_as_text_and_named(warmup):
    slow = [new_markdown_cell(text) for text in SLOW_TEXTS.values()] * 3
    _recorded(warmup, {"ada": [], "busy": slow, "cleo": []})
    with pytest.raises(FeedbackError, match="shows plain text for busy: to draw") as caught:
        feedback(warmup, "warmup")
    assert "look at what was handed in" in caught.value.remedy
    assert "Shown as plain text" in _page(warmup, "busy").read_text()
    assert "\\begin{a}" in _page(warmup, "busy").read_text()
    for student in ("ada", "cleo"):
        assert "Shown as plain text" not in _page(warmup, student).read_text()


@pytest.mark.timeout(300)
def test_a_page_has_a_largest_size(warmup):
    trace = [f"\x1b[3{at % 8}mline {at}\x1b[0m" for at in range(40_000)]
    huge = [
        new_output("error", ename="E", evalue="e", traceback=trace),
        new_output("stream", name="stdout", text="many " * 2_000_000),
    ]
    _recorded(warmup, {"ada": [], "huge": [new_code_cell("1", outputs=huge)]})
    assert feedback(warmup, "warmup") == ["ada", "huge"]
    page = _page(warmup, "huge").read_text()
    assert "line 3" in page
    assert "the rest is left out: too long to show" in page
    assert len(page) < 3_000_000


def _folder(path):
    path.mkdir()
    (path / "inside").write_text("x")


def _socket(path):
    here = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(f"/proc/self/fd/{here}/{path.name}")
    os.close(here)


ODD = {
    "folder": _folder,
    "fifo": os.mkfifo,
    "socket": _socket,
    "link": lambda path: path.symlink_to("/etc/passwd"),
    "dangling": lambda path: path.symlink_to("nowhere"),
    "broken": lambda path: path.write_text("{"),
    "unreadable": lambda path: (path.write_text("{}"), path.chmod(0)),
}


@pytest.mark.timeout(300)
def test_what_is_named_like_a_notebook_denies_nobody_feedback(warmup, hand_in):
    path = hand_in(warmup, "warmup", "odd", SOLVED)
    for name, make in ODD.items():
        make(path.with_name(f"{name}.ipynb"))
    prepared = prepare(warmup, Assignment.load(warmup, "warmup"), "odd")
    assert prepared.files == {}
    assert all(f"'{name}.ipynb' was left out" in " ".join(prepared.notes) for name in ODD)
    # and where an autograded folder of another origin has it
    _recorded(warmup, {"ada": [], "odd": []})
    for name, make in ODD.items():
        make(warmup.path("autograded", "warmup", "odd") / f"{name}.ipynb")
    assert feedback(warmup, "warmup") == ["ada", "odd"]


@pytest.mark.timeout(300)
def test_who_has_no_feedback_is_named_with_what_helps(warmup):
    damaged = sorted(set(ODD) - {"unreadable"})  # root reads everything
    _recorded(warmup, {one: [] for one in ["ada", *damaged]})
    for name in damaged:
        path = warmup.path("autograded", "warmup", name) / "warmup.ipynb"
        path.unlink()
        ODD[name](path)
    with pytest.raises(FeedbackError) as caught:
        feedback(warmup, "warmup")
    assert all(f"{name}: " in caught.value.problem for name in damaged)
    assert "ada: " not in caught.value.problem
    assert _page(warmup, "ada").is_file()
    assert "autograder grade warmup --force --student ID" in caught.value.remedy
    _recorded(warmup, {one: [] for one in damaged})  # which that does, after it ran them
    assert feedback(warmup, "warmup") == sorted(["ada", *damaged])


def test_what_stands_in_the_place_of_feedback_gives_way(warmup):
    _recorded(warmup, {"file": [], "folder": []})
    place = warmup.path("feedback", "warmup", "file")
    place.parent.mkdir(parents=True)
    place.write_text("x")
    _page(warmup, "folder").mkdir(parents=True)
    assert feedback(warmup, "warmup") == ["file", "folder"]
    assert _page(warmup, "file").is_file()
    assert _page(warmup, "folder").is_file()


def test_a_place_that_cannot_be_written_is_named(warmup):
    _recorded(warmup, {"ada": [], "blocked": []})
    place = warmup.path("feedback", "warmup", "blocked").parent
    place.parent.mkdir(parents=True)
    place.write_text("a file where the student's folder belongs")
    with pytest.raises(FeedbackError, match=r"blocked: .*feedback/blocked"):
        feedback(warmup, "warmup")
    assert _page(warmup, "ada").is_file()


@pytest.mark.timeout(120)
def test_odd_tags_hold_nobody_up(warmup, hand_in):
    path = hand_in(warmup, "warmup", "tags", SOLVED)
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = [{"a": at} for at in range(1000)]
        cell["attachments"] = {str(at): {"a": at} for at in range(1000)}
    path.write_text(json.dumps(notebook))
    started = time.monotonic()
    prepared = prepare(warmup, Assignment.load(warmup, "warmup"), "tags")
    assert time.monotonic() - started < 60
    assert "return math.pi" in str(prepared.notebooks["warmup"])


@pytest.mark.timeout(120)
def test_a_damaged_log_takes_seconds_at_most():
    damaged = b'{"a": [1, {"b": "\\ud800"}]}\n' * (log.MAX_BYTES // 27)
    started = time.monotonic()
    try:
        told = ask("log", damaged[: log.MAX_BYTES], seal="", student="ada")
    except OverrunError:
        told = ["overran"]
    assert told
    assert time.monotonic() - started < 60


def test_a_folder_with_the_name_of_the_page_is_left_out(warmup):
    _recorded(warmup, {"ada": []}, {"warmup.html/mine.txt": b"", "notes.txt": b"mine"})
    assert feedback(warmup, "warmup") == ["ada"]
    assert _page(warmup, "ada").is_file()
    assert (_page(warmup, "ada").parent / "notes.txt").read_bytes() == b"mine"


def test_a_students_own_pages_are_not_given_back(warmup):
    """`nbgrader release_feedback` takes each for feedback, and stops at a folder of such a name."""
    files = {"x.html/a": b"a", "own.html": b"<script>", "data/x.html": b"x", "plot.png": b"p"}
    _recorded(warmup, {"ada": []}, files)
    assert feedback(warmup, "warmup") == ["ada"]
    pages = {path.name for path in _page(warmup, "ada").parent.glob("*.html")}
    assert pages == {"warmup.html"}
    assert (_page(warmup, "ada").parent / "data" / "x.html").exists()
    assert (_page(warmup, "ada").parent / "plot.png").exists()


def test_each_test_is_named_as_the_task_is_called(tmp_path):
    """nbgrader calls all of them "Test cell"."""
    parts = WARMUP.split("# %% solution=")
    heading = '# %% [markdown] given="{}"\n# {}\n\n# %% solution='
    area = heading.format("task1", "## Task 1: *area* <b> (2 points)")
    course = make_course(
        tmp_path / "course", {"warmup": parts[0] + area + "# %% solution=".join(parts[1:])}
    )
    mine = new_markdown_cell("Under a heading of my own\n\n# <script>1</script>")
    _recorded(course, {"ada": [mine]})
    assert feedback(course, "warmup") == ["ada"]
    listed = _page(course, "ada").read_text().partition('id="toc"')[2].partition("</ol>")[0]
    names = re.findall(r'<a href="#(\w+)">(.*?)</a> \(Score: 0.0 / ([\d.]+)\)', listed)
    title = "Task 1: *area* &lt;b&gt;"
    assert names == [
        ("test_area", f"{title} (test_area)", "2.0"),
        ("test_count", f"{title} (test_count)", "3.0"),
    ]
