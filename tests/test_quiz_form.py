"""The kernel's side of a form: whatever the page sends, nothing wrong is recorded or told."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from course_utils.quiz import ask, bank, log, widget
from tests.quiz_sample import CANARIES, NAME, make_course
from tools.notebooks import ROOT

LECTURES = sorted((ROOT / "lectures" / "text").glob("*.py"))

NONSENSE = [
    *({"do": "submit", "answer": answer, "seen": 0} for answer in ([], [9], "x", None, {"a": 1})),
    *({"do": "submit", "answer": [1], "seen": seen} for seen in (5, -1, None, "0", [])),
    {"do": "submit", "answer": [1]},
    *({"do": "student", "student": name} for name in ("", " ", "a b", "x" * 65, "a\nb", None, 7)),
    {"do": "solution"},
    {"do": "rm -rf"},
    *({}, [], "x", 3, None),
]


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return make_course(tmp_path_factory.mktemp("quiz") / "exercises")


@pytest.fixture
def folder(course, tmp_path):
    return shutil.copytree(course / "release" / NAME, tmp_path / NAME)


def _form(folder, question="layers"):
    questions, found = bank.find(folder, question)
    return widget.QuestionForm(widget.Session(questions, found, folder), None)


def _send(form, message):
    form._receive(form, message, [])  # as a message from the page arrives


@pytest.mark.parametrize("message", NONSENSE, ids=str)
def test_nonsense_from_a_page_records_nothing_and_gets_an_answer(folder, message):
    form = _form(folder)
    _send(form, {"do": "student", "student": "ada"})
    before, turn = (folder / log.LOG_NAME).read_bytes(), form.view["turn"]
    _send(form, message)
    assert (folder / log.LOG_NAME).read_bytes() == before
    assert form.view["turn"] == turn + 1
    assert form.view["solution"] == ""


def test_no_answer_is_taken_before_the_id_and_the_id_stays_after_it(folder):
    form = _form(folder)
    _send(form, {"do": "submit", "answer": [1], "seen": 0})
    assert "student id" in form.view["problem"]
    _send(form, {"do": "student", "student": "ad"})
    _send(form, {"do": "student", "student": "ada"})  # a slip may be mended
    _send(form, {"do": "submit", "answer": [1], "seen": 0})
    assert form.view["tone"] == "recorded"
    _send(form, {"do": "student", "student": "emmy"})
    assert "can't be changed" in form.view["problem"]
    (attempt,) = log.read(folder).attempts("layers")
    assert attempt["student"] == "ada"


def test_a_hub_that_knows_the_student_is_not_asked_again(folder, monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_USER", "grace")
    form = _form(folder, "width")
    assert form.view["student"] == "grace"
    assert "pixels" in form.view["text"]
    _send(form, {"do": "submit", "answer": "7", "seen": 0})
    assert log.read(folder).attempts("width")[0]["student"] == "grace"


def test_the_state_of_a_graded_question_never_holds_its_key(folder):
    form = _form(folder)
    states = [form.view]
    for message in (
        {"do": "student", "student": "ada"},
        *[{"do": "hint"}] * 3,
        {"do": "submit", "answer": [1, 3], "seen": 0},
        {"do": "solution"},
    ):
        _send(form, message)
        states.append(form.view)
    text = json.dumps(states)
    assert all(canary not in text for canary in CANARIES if canary != "[1, 3]")
    assert [len(state["hints"]) for state in states] == [0, 0, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("value", ["validate", "autograde"])
def test_while_nbgrader_runs_the_notebook_nothing_is_recorded(folder, monkeypatch, capsys, value):
    form = _form(folder)
    _send(form, {"do": "student", "student": "ada"})
    before = (folder / log.LOG_NAME).read_bytes()
    monkeypatch.setenv("NBGRADER_EXECUTION", value)
    _send(form, {"do": "submit", "answer": [1], "seen": 0})
    assert "validated or graded" in form.view["problem"]
    monkeypatch.chdir(folder)
    ask("layers")
    assert "Which layers have parameters?" in capsys.readouterr().out  # the readable form
    assert (folder / log.LOG_NAME).read_bytes() == before


def test_the_source_of_an_assignment_never_gets_a_log(course):
    folder = course / "source" / NAME
    form = _form(folder)
    _send(form, {"do": "student", "student": "teacher"})
    assert "this is the assignment's source" in form.view["problem"]
    assert list(folder.glob("attempts.*")) == []


def test_a_folder_that_cannot_be_written_is_said_and_nothing_is_claimed(folder):
    form = _form(folder)
    _send(form, {"do": "student", "student": "ada"})
    shutil.rmtree(folder)
    _send(form, {"do": "submit", "answer": [1], "seen": 0})
    assert "Not recorded" in form.view["problem"]
    assert form.view["tone"] == ""


def test_a_damaged_log_still_takes_answers(folder):
    form = _form(folder)
    _send(form, {"do": "student", "student": "ada"})
    (folder / log.LOG_NAME).write_text("nothing of this is JSON\n")
    form = _form(folder)
    _send(form, {"do": "student", "student": "ada"})
    _send(form, {"do": "submit", "answer": [1], "seen": 0})
    assert form.view["tone"] == "recorded"


@pytest.mark.parametrize("path", LECTURES, ids=lambda path: path.stem)
def test_a_lecture_asks_its_questions(path):
    questions = bank.load(ROOT / "lectures" / "quiz" / f"{path.stem}.yaml").questions
    asked = re.findall(r'^ask\("(\w+)"\)', path.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(asked) == sorted(questions)
    assert len(questions) >= 4
