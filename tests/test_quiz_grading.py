"""A graded question from its text source to the gradebook, and that its key stays here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder.authoring.release import read_tree
from autograder.course import Course
from autograder.grading import attempt_logs
from autograder.grading.record import results_of
from course_utils import hand_in
from course_utils.quiz import NeedsReview, NoAttempt, first_attempt, grade, log
from course_utils.quiz.errors import BankError
from course_utils.submission import HandInError
from tests.quiz_sample import CANARIES, NAME, TEXT, make_course
from tools.notebooks import ROOT, derive


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    return make_course(tmp_path_factory.mktemp("quiz") / "exercises")


@pytest.fixture
def course(released, tmp_path):
    return Path(shutil.copytree(released, tmp_path / "exercises"))


def _hand_in(course, student, *attempts):
    """Hand in the release with these attempts, (question, answer) each, in the log."""
    folder = course / "submitted" / student / NAME
    shutil.copytree(course / "release" / NAME, folder)
    questions = attempt_logs.bank.load(course / "keys" / f"{NAME}.yaml")
    for name, answer in attempts:
        event = {"event": "attempt", "question": name, "student": student, "answer": answer}
        event["version"] = questions.versions[name]
        log.append(folder, event, assignment=NAME, versions=questions.versions)
    return folder


def _right(course, student):
    return attempt_logs.right_answers(course / "keys" / f"{NAME}.yaml", student)


def _class(course):
    """Everybody who can come: by student, the points that stock nbgrader must give."""
    width = {student: _right(course, student)["width"] for student in ("ada", "emmy", "kay")}
    _hand_in(course, "ada", ("layers", [1, 3]), ("width", width["ada"]))
    _hand_in(course, "emmy", ("layers", [1, 2, 3]), ("layers", [1, 3]), ("width", width["emmy"]))
    _hand_in(course, "kay", ("width", width["kay"] + 1), ("width", width["kay"]))
    _hand_in(course, "nobody")
    (_hand_in(course, "lost", ("layers", [1, 3])) / log.LOG_NAME).unlink()
    edited = _hand_in(course, "edited", ("layers", [1, 2]), ("layers", [1, 3])) / log.LOG_NAME
    edited.write_text(edited.read_text().replace("[1, 2]", "[1, 3]"))
    return {"ada": 3, "emmy": 1, "kay": 0, "nobody": 0, "lost": 0, "edited": 0}


def _nbgrader(course, *arguments):
    subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
    )


def _scores(course):
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        return {one.student.id: one.score for one in gradebook.assignment_submissions(NAME)}


@pytest.mark.slow
def test_stock_nbgrader_grades_the_first_attempt_and_writes_none(course):
    expected = _class(course)
    (course / "nbgrader_config.py").write_text("c = get_config()\n")
    logs = {path: path.read_bytes() for path in course.glob("submitted/*/*/attempts.*")}
    _nbgrader(course, "autograde", NAME, "--create")
    assert _scores(course) == expected
    for path, content in logs.items():
        assert path.read_bytes() == content
        assert (course / "autograded" / path.relative_to(course / "submitted")).read_bytes() == (
            content
        )
    for student in ("lost", "edited"):  # stock has no word for it, but the message is there
        graded = (course / "autograded" / student / NAME / f"{NAME}.ipynb").read_text()
        assert '"ename": "NeedsReview"' in graded
        assert "NEEDS REVIEW, not a zero" in graded
    shown = (course / "autograded" / "emmy" / NAME / f"{NAME}.ipynb").read_text()
    assert "Your first answer: options 1, 2 and 3. Not right." in shown
    assert "CANARY-FEEDBACK" in shown
    assert "CANARY-SOLUTION" in shown


def test_our_grader_agrees_and_asks_for_review_instead_of_a_zero(course, autograder):
    expected = _class(course)
    done = autograder("grade", NAME, "--course", course)
    assert done.returncode in (0, 3), done.stderr
    assert _scores(course) == expected
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        review = {
            one.student.id
            for one in gradebook.assignment_submissions(NAME)
            if one.needs_manual_grade
        }
    assert review == {"lost", "edited"}
    with Course(course).gradebook() as gradebook:
        notes = {name: result.notes for name, (_, result) in results_of(gradebook, NAME).items()}
    assert notes["lost"] == ("attempt log: attempts.jsonl is missing",)
    assert notes["edited"] == ("attempt log: line 2 was changed, or one before it removed",)
    assert notes["ada"] == notes["nobody"] == ()

    assert autograder("feedback", NAME, "--course", course).returncode == 0
    pages = {path.parts[-3]: path.read_text() for path in course.glob(f"feedback/*/{NAME}/*.html")}
    assert "Your first answer: options 1 and 3. Right." in pages["ada"]
    assert "Your first answer: options 1, 2 and 3. Not right." in pages["emmy"]
    for page in pages.values():
        assert "CANARY-SOLUTION convolution and dense." in page
        assert "CANARY-ANSWER" not in page  # the key itself


def test_validate_writes_nothing_and_says_what_is_not_answered(course):
    folder = _hand_in(course, "ada", ("layers", [1, 3]))
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "validate", f"{NAME}.ipynb"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert "VALIDATION FAILED ON 1 CELL(S)" in done.stdout
    assert "'width' has no answer yet" in done.stdout
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_no_key_is_in_what_students_get(released):
    found = read_tree(released / "release" / NAME)
    assert set(found) == {f"{NAME}.ipynb", "attempts.jsonl", "quiz/questions.yaml"}
    for path, content in found.items():
        for canary in CANARIES:
            assert canary.encode() not in content, f"{canary} in {path}"
    # The search finds a key where there is one.
    assert b"CANARY-ANSWER" in (released / "source" / NAME / f"{NAME}.ipynb").read_bytes()


def test_the_release_ships_the_first_line_of_the_log(released):
    history = log.read(released / "release" / NAME)
    (first,) = history.entries
    assert first["assignment"] == NAME
    assert set(first["questions"]) == {"layers", "width"}
    assert history.damage == []


def test_a_grade_cell_displays_nothing_that_nbgrader_takes_for_points(released):
    notebook = nbformat.read(released / "release" / NAME / f"{NAME}.ipynb", 4)
    cells = {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells}
    assert cells["quiz_layers"].source.splitlines()[-1] == 'answer = first_attempt("layers")'
    assert cells["quiz_layers"].metadata.nbgrader.points == 2
    assert cells["quiz_layers"].metadata.tags == ["quiz"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('# %% quiz="width"\n', "", "mark each question once"),
        ('quiz="width"', 'quiz="layers"', "mark each question once"),
        ('quiz="width"', 'quiz="height"', "mark each question once"),
        ('quiz="width"\n', 'quiz="width"\nfirst_attempt("width")\n', "empty it"),
    ],
)
def test_a_text_source_that_does_not_fit_its_keys_is_refused(released, tmp_path, old, new, says):
    root = tmp_path / "e"
    (root / "text").mkdir(parents=True)
    shutil.copytree(released / "keys", root / "keys")
    source = root / "text" / f"{NAME}.py"
    assert old in TEXT
    source.write_text(TEXT.replace(old, new), encoding="utf-8")
    with pytest.raises(BankError, match=says):
        derive(source, NAME)


# ── first_attempt ───────────────────────────────────────────────────────────────────────────────


def test_first_attempt_gives_what_a_test_can_compare(course, monkeypatch):
    folder = _hand_in(course, "ada", ("layers", [3, 1]), ("layers", [2]), ("width", "18.0"))
    monkeypatch.chdir(folder)
    assert first_attempt("layers") == {1, 3}
    assert first_attempt("width") == 18
    with pytest.raises(BankError, match="unknown"):
        first_attempt("depth")


@pytest.mark.parametrize("answer", [[9], "x", None, {}, [[1]], 1e400, "1" * 5000])
def test_a_log_with_an_impossible_answer_needs_review(course, monkeypatch, answer):
    monkeypatch.chdir(_hand_in(course, "eve", ("layers", answer)))
    with pytest.raises(NeedsReview):
        first_attempt("layers")


def test_an_attempt_at_another_version_needs_review(course, monkeypatch):
    folder = _hand_in(course, "ada", ("layers", [1, 3]))
    questions = folder / "quiz" / "questions.yaml"
    changed = questions.read_text(encoding="utf-8").replace("max pooling", "average pooling")
    questions.write_text(changed, encoding="utf-8")
    monkeypatch.chdir(folder)
    with pytest.raises(NeedsReview, match="another version"):
        first_attempt("layers")


def test_grade_prints_the_solution_for_the_feedback_in_every_case(course, monkeypatch, capsys):
    key = "answer: [1, 3]\nsolution: The first and the last.\n"
    for attempts, error in [
        ([("layers", [1, 3])], None),
        ([("layers", [2])], AssertionError),
        ([], NoAttempt),
    ]:
        student = f"s{len(attempts)}{error}".replace("<", "").replace(">", "").replace("'", "")
        monkeypatch.chdir(_hand_in(course, student.replace(" ", ""), *attempts))
        if error:
            with pytest.raises(error):
                grade("layers", key)
        else:
            grade("layers", key)
        assert "The first and the last." in capsys.readouterr().out


# ── hand_in ─────────────────────────────────────────────────────────────────────────────────────


def test_hand_in_packs_notebook_and_log_and_names_what_is_open(course, monkeypatch, capsys):
    folder = _hand_in(course, "ada", ("layers", [1, 3]))
    monkeypatch.chdir(folder)
    path = hand_in("quiz")
    assert path == folder / f"{NAME}.zip"
    with zipfile.ZipFile(path) as archive:
        assert set(archive.namelist()) == {f"{NAME}.ipynb", "attempts.jsonl", "attempts.seal"}
        assert archive.read("attempts.jsonl") == (folder / "attempts.jsonl").read_bytes()
    said = capsys.readouterr().out
    assert "Questions answered: 1 of 2." in said
    assert "Not answered: width." in said
    monkeypatch.chdir(folder.parent)
    assert hand_in(NAME) == path


def test_hand_in_refuses_what_it_cannot_pack(course, monkeypatch):
    folder = _hand_in(course, "ada")
    monkeypatch.chdir(folder)
    with pytest.raises(HandInError, match="there is no notebook 'ps9") as refused:
        hand_in("ps9")
    [shown] = refused.value._render_traceback_()  # what IPython shows in place of a traceback
    assert shown.startswith("HandInError: there is no notebook 'ps9")
    shutil.copy(f"{NAME}.ipynb", "quiz_other.ipynb")
    with pytest.raises(HandInError, match="could mean quiz_other, quiz_sample"):
        hand_in("quiz")
    (folder / log.LOG_NAME).unlink()
    with pytest.raises(HandInError, match=r"attempts\.jsonl is gone"):
        hand_in(NAME)


def test_tampering_is_told_to_the_instructor(course):
    _class(course)
    submitted = course / "submitted"
    reports = {
        path.name: log.inspect(log.read(path / NAME), path.name) for path in submitted.iterdir()
    }
    assert {student for student, found in reports.items() if found} == {"lost", "edited"}
    assert reports["edited"] == ["line 2 was changed, or one before it removed"]
    assert log.inspect(log.read(submitted / "ada" / NAME), "emmy") == [
        "questions were answered under the id ada, submitted by emmy"
    ]


def test_the_metadata_survives_as_json(released):
    source = json.loads((released / "source" / NAME / f"{NAME}.ipynb").read_text())
    ids = [cell["metadata"]["nbgrader"]["grade_id"] for cell in source["cells"]]
    assert ids == ["imports", "ask_layers", "ask_width", "quiz_layers", "quiz_width"]
