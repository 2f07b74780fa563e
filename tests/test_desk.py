"""What instructors learn and decide of a class; a decision taken back leaves no trace."""

from __future__ import annotations

import csv
import json
import re
import shutil
import sqlite3
import time
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from autograder.attempts.settings import ServiceSettings
from autograder.attempts.store import Store
from autograder.course import Course
from autograder.desk.decide import DecisionError, Desk
from autograder.desk.report_page import write_report
from autograder.grading import attempt_logs
from autograder.grading.first_attempts import write_log
from autograder.grading.grade import grade
from autograder.grading.report import results
from course_utils.quiz import bank, log
from tests.quiz_sample import NAME, make_course

DUE = datetime(2026, 3, 1, 12)
WIDTH = "quiz_width"


@pytest.fixture(scope="module")
def graded_once(tmp_path_factory, isolation):
    """Three students: right, wrong first, and right but two hours late."""
    root = make_course(tmp_path_factory.mktemp("desk") / "exercises")
    with Course(root).gradebook() as gradebook:
        gradebook.update_or_create_assignment(NAME, duedate=DUE)
    keys = root / "keys" / f"{NAME}.yaml"
    for student, first in (("ada", [1, 3]), ("emmy", [1, 2]), ("kay", [1, 3])):
        right = attempt_logs.right_answers(keys, student)
        attempts = [("layers", first), ("layers", [1, 3]), ("width", right["width"])]
        folder = root / "submitted" / student / NAME
        shutil.copytree(root / "release" / NAME, folder)
        for name, content in attempt_logs.log_files(keys, student, attempts).items():
            (folder / name).write_bytes(content)
        when = DUE + (timedelta(hours=2) if student == "kay" else -timedelta(hours=2))
        (folder / "timestamp.txt").write_text(f"{when.isoformat(sep=' ')} UTC\n")
    grade(Course(root), NAME)
    return root


@pytest.fixture
def course(graded_once, tmp_path):
    return Course(Path(shutil.copytree(graded_once, tmp_path / "exercises")))


@pytest.fixture
def desk(course):
    return Desk(course, NAME, "prof")


def dump(course: Course) -> list[str]:
    """The gradebook as SQL, without the table of decisions, which keeps what was decided."""
    with sqlite3.connect(course.database_file) as connection:
        return [line for line in connection.iterdump() if "autograder_decision" not in line]


def scores(course: Course) -> dict[str, tuple[float, float]]:
    with course.gradebook() as gradebook:
        return {
            one.student_id: (one.score, one.max_score)
            for one in gradebook.assignment_submissions(NAME)
        }


def lateness(course: Course) -> float:
    with course.gradebook() as gradebook:
        return gradebook.find_submission(NAME, "kay").total_seconds_late


BEFORE = {"ada": (3, 3), "emmy": (1, 3), "kay": (3, 3)}
DECISIONS = {
    "void, full points": (
        lambda desk: desk.void("quiz_layers", "full", "ambiguous"),
        lambda course: scores(course) == {"ada": (3, 3), "emmy": (3, 3), "kay": (3, 3)},
    ),
    "void, taken out": (
        lambda desk: desk.void("quiz_layers", "out", "ambiguous"),
        lambda course: scores(course) == {"ada": (1, 1), "emmy": (1, 1), "kay": (1, 1)},
    ),
    "corrected key": (
        lambda desk: desk.correct_key("layers", "[1, 2]", "pooling meant"),
        lambda course: scores(course) == {"ada": (1, 3), "emmy": (3, 3), "kay": (1, 3)},
    ),
    "corrected expression": (
        lambda desk: desk.correct_key("width", "w - 3", "stride"),
        lambda course: scores(course) == {"ada": (2, 3), "emmy": (0, 3), "kay": (2, 3)},
    ),
    "extension": (
        lambda desk: desk.extend(["kay", "ada"], 1.5, "illness"),
        lambda course: lateness(course) == 1800,
    ),
    "accepted although late": (
        lambda desk: desk.accept_late(["kay"], "the server was down"),
        lambda course: lateness(course) == 0,
    ),
}


@pytest.mark.parametrize("name", DECISIONS)
def test_a_decision_does_what_it_says_and_taking_it_back_restores_the_gradebook(desk, name):
    decide, holds = DECISIONS[name]
    assert scores(desk.course) == BEFORE
    assert lateness(desk.course) == 7200
    before = dump(desk.course)
    decision = decide(desk)
    assert holds(desk.course)
    assert dump(desk.course) != before
    desk.take_back(decision.id, "a mistake")
    assert dump(desk.course) == before
    with pytest.raises(DecisionError, match="was taken back before"):
        desk.take_back(decision.id, "again")


def test_voiding_a_cell_with_a_manual_score_makes_up_for_it_and_keeps_the_score(desk):
    with desk.course.gradebook() as gradebook:
        marked = gradebook.find_grade("quiz_layers", NAME, NAME, "emmy")
        marked.manual_score = 0.5
        gradebook.db.commit()
    before = dump(desk.course)
    decision = desk.void("quiz_layers", "full", "ambiguous")
    assert scores(desk.course)["emmy"] == (3, 3)
    desk.take_back(decision.id, "not so")
    assert dump(desk.course) == before
    assert scores(desk.course)["emmy"] == (1.5, 3)


def test_what_was_decided_holds_after_grading_again(desk):
    desk.void("quiz_layers", "full", "ambiguous")
    desk.extend(["kay"], 3, "illness")
    grade(desk.course, NAME, force=True)
    assert scores(desk.course) == dict.fromkeys(BEFORE, (3, 3))
    assert lateness(desk.course) == 0
    assert {one.student: one.score for one in results(desk.course, NAME)} == dict.fromkeys(
        BEFORE, 3
    )


def test_a_reopened_attempt_lets_the_next_answer_count(desk):
    """In the log, too: the answers before the reopening don't count any more."""
    decision = desk.reopen(["emmy"], "layers", "the picture was missing")
    folder = desk.course.root / "submitted" / "emmy" / NAME
    questions = bank.load(folder / "quiz" / "questions.yaml", beside_notebook=True)
    entries = [
        {"event": "attempt", "question": name, "version": questions.versions[name]}
        | {"student": "emmy", "answer": answer, "time": when}
        for name, answer, when in (
            ("layers", [2], "2026-01-01T12:00:00+00:00"),
            ("layers", [1, 3], "2999-01-01T12:00:00+00:00"),
        )
    ]
    for name, content in write_log(NAME, questions.versions, entries).items():
        (folder / name).write_bytes(content)
    outcomes = {one.student: one for one in grade(desk.course, NAME)}
    assert [name for name, one in outcomes.items() if one.fresh] == ["emmy"]
    assert outcomes["emmy"].result.cells["quiz_layers"].score == 2
    desk.take_back(decision.id, "it was there")
    outcomes = {one.student: one for one in grade(desk.course, NAME)}
    assert outcomes["emmy"].result.cells["quiz_layers"].score == 0


def test_a_log_of_many_attempts_is_made_at_once_and_is_what_append_makes(tmp_path):
    versions = {"q1": "v1", "q2": "v1"}
    entries = [
        {"time": "2026-01-01", "event": "attempt", "question": question, "version": "v1"}
        | {"student": "ada", "answer": answer}
        for question, answer in (("q1", 1), ("q2", 2), ("q1", 3))
    ]
    (tmp_path / log.LOG_NAME).write_text(log.first_line(NAME, versions))
    for entry in entries:
        log.append(tmp_path, entry, assignment=NAME, versions=versions)
    appended = {name: (tmp_path / name).read_bytes() for name in (log.LOG_NAME, log.SEAL_NAME)}
    assert write_log(NAME, versions, entries) == appended
    start = time.process_time()
    made = write_log(NAME, versions, [*entries[:1] * 20_000, entries[1]])
    assert time.process_time() - start < 5  # it took hours
    history = log.parse(made)
    assert not history.damage
    assert history.attempts("q1")[0]["answer"] == 1
    assert len(history.attempts("q2")) == 1


def test_the_service_wins_over_the_log_and_disagreements_are_reported(desk):
    course = desk.course
    store = Store(ServiceSettings.of(course))
    store.migrate()
    versions = bank.load(course.root / "keys" / f"{NAME}.yaml").versions
    right = attempt_logs.right_answers(course.root / "keys" / f"{NAME}.yaml", "ada")["width"]
    store.record(NAME, "layers", "ada", versions["layers"], [1, 2], "1")
    store.record(NAME, "width", "ada", versions["width"], right, "2")
    store.record(NAME, "layers", "emmy", versions["layers"], [1, 3], "3")
    outcomes = {one.student: one.result for one in grade(course, NAME)}
    ada, emmy = outcomes["ada"], outcomes["emmy"]
    assert ada.cells["quiz_layers"].score == 0  # the log says [1, 3]
    assert ada.cells[WIDTH].score == 1
    assert any("log's first answer is [1, 3], the service's is [1, 2]" in n for n in ada.notes)
    assert emmy.cells["quiz_layers"].score == 2
    assert emmy.cells[WIDTH].score is None  # in the log only: a person looks, it is no zero
    assert emmy.status == "needs review"
    assert any("width" in note and "has no attempt" in note for note in emmy.notes)
    with pytest.raises(DecisionError, match="has no question"):
        desk.accept_log(["emmy"], "nothing", "x")
    desk.accept_log(["emmy"], "width", "the service was down, she wrote at once")
    outcomes = {one.student: one for one in grade(course, NAME)}
    assert outcomes["emmy"].result.cells[WIDTH].score == 1
    assert outcomes["emmy"].result.status == "graded"
    assert not outcomes["ada"].fresh
    # A new round in the service: what was recorded before doesn't count.
    reopening = desk.reopen(["ada"], "layers", "the picture was missing")
    store.record(NAME, "layers", "ada", versions["layers"], [1, 3], "4")
    outcomes = {one.student: one.result for one in grade(course, NAME)}
    assert outcomes["ada"].cells["quiz_layers"].score == 2
    desk.take_back(reopening.id, "it was there")
    outcomes = {one.student: one.result for one in grade(course, NAME)}
    assert outcomes["ada"].cells["quiz_layers"].score == 0
    store.engine.dispose()


@pytest.mark.parametrize(
    ("decide", "message"),
    [
        (lambda desk: desk.void("quiz_none", "full", "x"), "no graded cell 'quiz_none'"),
        (lambda desk: desk.extend(["nobody"], 1, "x"), "no student is called nobody"),
        (lambda desk: desk.extend([], 1, "x"), "no student is named"),
        (lambda desk: desk.extend(["ada"], 0, "x"), "no extension"),
        (lambda desk: desk.extend(["ada"], 1, " "), "needs a reason"),
        (lambda desk: desk.accept_late(["ada"], "x"), "not late"),
        (lambda desk: desk.correct_key("layers", "[9]", "x"), "can't be the answer"),
        (lambda desk: desk.correct_key("width", "w +", "x"), "can't be the answer"),
        (lambda desk: desk.take_back(9, "x"), "doesn't exist"),
    ],
)
def test_what_cannot_be_decided_is_refused_and_changes_nothing(desk, decide, message):
    before = dump(desk.course)
    with pytest.raises(DecisionError, match=message):
        decide(desk)
    assert dump(desk.course) == before


def test_decisions_are_listed_exported_and_told_to_the_student(desk, autograder, tmp_path):
    course = desk.course
    arguments = ("--course", course.root, "--who", "prof")
    for command in (
        ("void", NAME, "quiz_layers", "--as", "full", "--why", "=2+2"),
        ("extension", NAME, "--student", "kay", "--hours", "48", "--why", "illness"),
        ("back", NAME, "1", "--why", "a mistake"),
        ("key", NAME, "width", "--answer", "w - 3", "--why", "stride"),
    ):
        done = autograder("decide", *command, *arguments)
        assert done.returncode == 0, done.stderr
    file = tmp_path / "decisions.csv"
    listed = autograder("decide", "list", NAME, "--csv", file, "--course", course.root)
    assert "illness" in listed.stdout
    rows = list(csv.DictReader(file.open(newline="")))
    assert [row["kind"] for row in rows] == ["void", "extension", "key"]
    assert rows[0]["why"] == "'=2+2"
    assert json.loads(rows[0]["taken_back"])["who"] == "prof"
    assert (rows[2]["who"], json.loads(rows[2]["after"])) == ("prof", {"answer": "w - 3"})
    assert autograder("feedback", NAME, "--course", course.root).returncode == 0
    pages = {
        path.parts[-3]: path.read_text()
        for path in course.root.glob(f"feedback/*/{NAME}/{NAME}.html")
    }
    assert "You had 2 days more than the due date." in pages["kay"]
    assert "more than the due date" not in pages["ada"]
    assert "illness" not in pages["kay"]
    for page in pages.values():
        assert "was corrected on" in page
        assert "was voided" not in page  # taken back


# ── the report ──


def test_the_report_equals_an_independent_computation_on_the_raw_csv(desk, autograder):
    course = desk.course
    with course.gradebook() as gradebook:  # a score that a person gave counts
        gradebook.find_grade("quiz_layers", NAME, NAME, "kay").manual_score = 1.25
        gradebook.db.commit()
    done = autograder("report", NAME, "--course", course.root)
    assert done.returncode == 0, done.stderr
    folder = course.root / "reports" / NAME
    assert str(folder / "index.html") in done.stdout
    raw = list(csv.DictReader((folder / "scores.csv").open(newline="")))
    cells = list(dict.fromkeys(row["cell"] for row in raw))
    students = list(dict.fromkeys(row["student"] for row in raw))
    table = np.full((len(students), len(cells)), np.nan)
    for row in raw:
        table[students.index(row["student"]), cells.index(row["cell"])] = float(row["score"])
    points = {row["cell"]: float(row["points"]) for row in raw}
    for row in csv.DictReader((folder / "items.csv").open(newline="")):
        column = cells.index(row["name"])
        own, rest = table[:, column], np.delete(table, column, axis=1).sum(axis=1)
        assert float(row["difficulty"]) == pytest.approx(own.mean() / points[row["name"]])
        if own.std() and rest.std():
            assert float(row["discrimination"]) == pytest.approx(np.corrcoef(own, rest)[0, 1])
        else:
            assert row["discrimination"] == ""
    totals = {
        row["student"]: float(row["points"])
        for row in csv.DictReader((folder / "students.csv").open(newline=""))
    }
    assert totals == dict(zip(students, table.sum(axis=1), strict=True))
    first = {
        (row["question"], row["answer"]): int(row["students"])
        for row in csv.DictReader((folder / "first_answers.csv").open(newline=""))
    }
    assert first == {
        ("layers", "1"): 3, ("layers", "2"): 1, ("layers", "3"): 2, ("width", "w - 2"): 3,
    }  # fmt: skip
    page = (folder / "index.html").read_text()
    assert "CANARY-FEEDBACK" in page
    assert f"{table.sum(axis=1).mean():.2f} of 3" in page
    assert NAME in (course.root / "reports" / "index.html").read_text()


def test_the_report_loads_nothing_and_runs_nothing(desk):
    desk.void("quiz_layers", "full", "<script>alert(1)</script>")
    page = write_report(desk.course, NAME).read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "default-src 'none'" in page
    assert re.findall(r"""(?:src|href)=["'](?!data:|#|\.\./index)""", page) == []
    assert page.count("<img") == page.count('alt="')
