"""The attempt service as students and instructors meet it: real processes, real requests."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
import sqlite3
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest

from autograder.attempts.csv_cells import safe_cell
from autograder.attempts.questions import Questions
from autograder.attempts.settings import AttemptServiceError, ServiceSettings
from autograder.attempts.store import ClientIdUsedError, Store
from autograder.attempts.tokens import Person, Signer, signing_key
from autograder.cli import app, main
from autograder.course import Course
from autograder.desk.decide import Desk
from course_utils.quiz.service import ServiceDownError
from tests.attempt_service import postgres, service, small_course

STATE = "/api/v1/assignments/small/questions/q0"
POST = f"{STATE}/attempts"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    root = small_course(tmp_path_factory.mktemp("service") / "course", questions=8)
    people = [f"student{number}" for number in range(40)]
    with service(root, people, ["prof"]) as running:
        yield running


@pytest.fixture
def student(running, request):
    """A student of the test's own."""
    name = f"s-{uuid.uuid4().hex[:8]}"
    course = Course(running.root)
    signer = Signer(signing_key(course), "small")
    return name, signer.sign(Person(name))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def store(request, tmp_path):
    if request.param == "sqlite":
        made = Store(ServiceSettings(f"sqlite:///{tmp_path / 'attempts.db'}"))
        made.migrate()
        yield made
        made.engine.dispose()
        return
    with postgres() as url:
        made = Store(ServiceSettings(url))
        made.migrate()
        yield made
        made.engine.dispose()


def submission(running, answer, client=None, question="q0"):
    version = running.versions("small")[question]
    return {"version": version, "answer": answer, "client": client or str(uuid.uuid4())}


# ── the record ──


def test_the_first_of_many_simultaneous_answers_is_the_first_attempt_and_none_is_lost(store):
    def answer(number):
        return store.record("a", "q", "ada", "v", number, f"client-{number}")

    with ThreadPoolExecutor(16) as pool:
        recorded = [attempt for attempt, new in pool.map(answer, range(32)) if new]
    assert sorted(attempt.number for attempt in recorded) == list(range(1, 33))
    listed = store.attempts("a", "ada")
    assert {attempt.answer for attempt in listed} == set(range(32))
    assert len([attempt for attempt in listed if attempt.number == 1]) == 1


def test_an_attempt_that_is_sent_again_counts_once(store):
    with ThreadPoolExecutor(8) as pool:
        same = list(
            pool.map(lambda _: store.record("a", "q", "ada", "v", [1], "client"), range(16))
        )
    assert len({attempt.id for attempt, _ in same}) == 1
    assert sum(new for _, new in same) == 1
    with pytest.raises(ClientIdUsedError):
        store.record("a", "q", "ada", "v", [2], "client")
    assert len(store.attempts("a")) == 1


def test_a_reopened_attempt_begins_anew_and_can_be_taken_back(store):
    for number, answer in enumerate((1, 2)):
        store.record("a", "q", "ada", "v", answer, f"before-{number}")
    assert [one.answer for one in store.counting("a", "ada", "q")] == [1, 2]
    number = store.reopen("a", "q", "ada")
    assert store.counting("a", "ada", "q") == []
    store.record("a", "q", "ada", "v", 3, "after")
    [again] = store.counting("a", "ada", "q")
    assert (again.answer, again.number, again.round) == (3, 1, 1)
    store.close("a", "q", "ada", number)
    assert [one.answer for one in store.counting("a", "ada", "q")] == [1, 2]
    assert store.reopen("a", "q", "ada") == 2  # no round is used twice
    assert store.counting("a", "ada", "q") == []
    assert len(store.attempts("a")) == 3


def test_migrations_make_the_tables_that_the_service_uses(store):
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    from autograder.attempts.schema import metadata

    store.migrate()  # again: nothing happens
    assert store.is_current()
    with store.reading() as connection:
        options = {"version_table": "attempt_service_version"}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("verdicts = 'soon'", "verdicts is 'soon'"),
        ("requests_a_minute = 0", "requests_a_minute is 0"),
        ("db_uri = 'x'", "db_uri is not a setting"),
        ("db_url = 'no url'", "db_url can't be used"),
        ("db_url = 'sqlite:////no/folder/attempts.db'", "unable to open database file"),
    ],
)
def test_a_wrong_setting_is_named_with_its_remedy(tmp_path, capsys, setting, message):
    root = small_course(tmp_path / "course", 1, f"c.AttemptService.{setting}")
    with pytest.raises(SystemExit) as ended:
        main(lambda: app(["serve", "--course", str(root), "--port", "0"]))
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert message in said
    assert "→" in said


# ── requests ──


def test_a_student_answers_and_reads_what_is_recorded(running):
    client, version = running.client("student1"), running.versions("small")["q0"]
    assert client.state("small", "q0")["attempts"] == []
    state = client.submit("small", "q0", version=version, answer=1.5, client=str(uuid.uuid4()))
    assert [attempt["answer"] for attempt in state["attempts"]] == [1.5]
    state = client.submit("small", "q0", version=version, answer=1, client=str(uuid.uuid4()))
    assert [(one["number"], one["answer"]) for one in state["attempts"]] == [(1, 1.5), (2, 1.0)]
    assert state["verdict"] is None
    assert "solution" not in json.dumps(state)


def test_a_request_that_is_replayed_adds_nothing(running, student):
    _, token = student
    body = submission(running, 5)
    first = running.ask("POST", POST, token, json=body)
    again = running.ask("POST", POST, token, json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    other = running.ask("POST", POST, token, json=body | {"answer": 6})
    assert other.status_code == 409
    assert len(running.ask("GET", STATE, token).json()["attempts"]) == 1


def test_a_replay_of_another_students_request_is_an_attempt_of_ones_own(running, student):
    name, token = student
    body = submission(running, 7)
    assert running.ask("POST", POST, running.token("student2"), json=body).status_code == 201
    reply = running.ask("POST", POST, token, json=body)
    assert reply.status_code == 201
    assert reply.json()["student"] == name


def _tampered(token):
    head, signature = token.rsplit(".", 1)
    return f"{head[:-2]}AA.{signature}"


def test_tokens_that_are_missing_forged_expired_or_another_courses_are_refused(running):
    course = Course(running.root)
    key = signing_key(course)
    refused = {
        "no token was sent": None,
        "not genuine": _tampered(running.token("student3")),
        "is not genuine": Signer("another key, of the same length", "small").sign(Person("prof")),
        "expired on": Signer(key, "small").sign(Person("student3"), days=-1),
        "another course": Signer(key, "other").sign(Person("student3")),
    }
    for problem, token in refused.items():
        for method, path in (("GET", STATE), ("POST", POST), ("GET", "/api/v1/me")):
            rest = {"json": submission(running, 1)} if method == "POST" else {}
            reply = running.ask(method, path, token, **rest)
            assert reply.status_code == 401, path
            assert problem in reply.json()["error"]
            assert reply.json()["remedy"]
    assert running.ask("GET", STATE, running.token("student3")).json()["attempts"] == []


def test_a_revoked_token_is_refused_and_a_new_one_works(running, autograder):
    old = running.token("student4")
    done = autograder("tokens", "student4", "--revoke", "--course", running.root)
    assert done.returncode == 0, done.stderr
    assert "revoked" in running.ask("GET", "/api/v1/me", old).json()["error"]
    assert autograder("tokens", "student4", "--course", running.root).returncode == 0
    me = running.ask("GET", "/api/v1/me", running.token("student4"))
    assert me.json() == {"id": "student4", "instructor": False}
    assert (running.root / "tokens/student4/attempt-service.json").stat().st_mode & 0o077 == 0


def test_students_read_their_own_attempts_and_instructors_all(running):
    for name in ("student5", "student6"):
        body = submission(running, 3, question="q5")
        path = "/api/v1/assignments/small/questions/q5"
        assert running.ask("POST", f"{path}/attempts", running.token(name), json=body).is_success
    listing = "/api/v1/assignments/small/attempts"
    token, prof = running.token("student5"), running.token("prof")
    own = running.ask("GET", listing, token).json()
    assert {entry["student"] for entry in own} == {"student5"}
    others = (f"{listing}?student=student6", f"{path}?student=student6", f"{listing}.csv")
    for other in others:
        assert running.ask("GET", other, token).status_code == 403
    everyone = {entry["student"] for entry in running.ask("GET", listing, prof).json()}
    assert everyone >= {"student5", "student6"}
    export = running.ask("GET", f"{listing}.csv", prof)
    assert export.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(export.text)))
    assert {row["student"] for row in rows} == everyone
    assert {"question", "round", "number", "answer", "version", "time"} <= rows[0].keys()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", " =1", "\rx"])
def test_a_text_that_a_spreadsheet_would_run_becomes_a_text(text):
    assert safe_cell(text) == f"'{text}"
    assert safe_cell(-1.5) == -1.5
    assert safe_cell("ada") == "ada"


@pytest.mark.parametrize(
    "text", ["x;=1+1", "x; =1+1", "x\t=1", "x\n=1+1", 'x;"=1+1"', "x\r@SUM(1)", "\r=1"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_no_text_becomes_a_formula_where_semicolons_separate_cells(text, delimiter):
    """Spreadsheets separate by a semicolon in most of Europe, and know no quotes within a cell."""
    made = io.StringIO()
    csv.writer(made).writerow(["ada", safe_cell(text)])
    cells = [
        cell.strip(' "')
        for line in re.split(r"[\r\n]+", made.getvalue())
        for cell in line.split(delimiter)
    ]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_a_text_with_signs_stays_as_it_is():
    for text in ("a - b; c", "x;y", "got 3, -1 wanted", "1;2\n3", "a=b"):
        assert safe_cell(text) == text


def test_a_request_that_makes_no_sense_gets_a_clear_error(running, student):
    _, token = student
    good = submission(running, 1)
    sent = {
        422: [
            {"content": b"{"}, {"content": b'"\xff"'}, {"json": []}, {"json": None}, {"json": {}},
            {"json": good | {"answer": None}}, {"json": good | {"answer": True}},
            {"json": good | {"answer": {"a": 1}}}, {"json": good | {"answer": "ten"}},
            {"json": good | {"answer": [1, 2]}}, {"json": good | {"client": "1"}},
            {"json": good | {"more": 1}}, {"json": good | {"answer": "1" * 101}},
            {"content": json.dumps(good | {"answer": float("nan")})},
            {"content": json.dumps(good).replace(": 1,", ": 1e999,")},
            {"content": json.dumps(good | {"answer": "\ud800"})},
        ],
        413: [{"content": b"x" * 10_000_000}, {"content": b"[" * 100_000}],
        409: [{"json": good | {"version": "old"}}],
    }  # fmt: skip
    for status, requests in sent.items():
        for rest in requests:
            headers = {"Content-Type": "application/json"}
            reply = running.ask("POST", POST, token, headers=headers, **rest)
            assert reply.status_code in {status, 400 if status == 422 else status}, (rest, reply)
            assert reply.json().keys() == {"error", "remedy"}
    unknown = "/api/v1/assignments/{}/questions/{}/attempts"
    for names in (("small", "q99"), ("..%2Fkeys%2Fsmall", "q0"), ("%00", "q0"), ("x" * 300, "q0")):
        reply = running.ask("POST", unknown.format(*names), token, json=good)
        assert reply.status_code == 404
        assert reply.json()["remedy"]
    assert running.ask("GET", STATE, token).json()["attempts"] == []


def test_one_student_who_sends_too_much_waits_and_the_others_do_not(running, student):
    _, token = student
    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda _: running.ask("GET", STATE, token), range(80)))
    refused = [reply for reply in replies if reply.status_code == 429]
    assert refused
    assert int(refused[0].headers["Retry-After"]) >= 1
    assert running.ask("GET", STATE, running.token("student7")).status_code == 200


def test_the_log_has_a_line_of_json_for_each_request_and_no_answer(running):
    secret = 987654321.125
    token = running.token("student8")
    running.ask("POST", POST, token, json=submission(running, secret))
    running.ask("GET", "/api/v1/nothing?answer=987654321.125", token)
    lines = [json.loads(line) for line in running.log.read_text().splitlines()]
    posts = [line for line in lines if line.get("who") == "student8"]
    assert posts[-1].items() >= {"method": "POST", "status": 201, "question": "q0"}.items()
    assert "987654321" not in running.log.read_text()
    assert token not in running.log.read_text()


def test_health_readiness_and_the_page_of_the_interface(running):
    assert running.ask("GET", "/health/live").json() == {"status": "ok"}
    assert running.ask("GET", "/health/ready").json() == {"status": "ok"}
    page = running.ask("GET", "/docs").text
    assert "http://" not in page.replace("http://127.0.0.1", "")
    assert "https://" not in page  # works without a network
    paths = running.ask("GET", "/openapi.json").json()["paths"]
    assert "/api/v1/assignments/{assignment}/questions/{question}/attempts" in paths


# ── verdicts ──


def test_the_verdict_comes_when_the_instructor_allows_it(tmp_path):
    course = Course(small_course(tmp_path / "course", 1))
    made = Store(ServiceSettings.of(course))
    made.migrate()
    cases = [  # policy, days until the due date, days of another student's extension, shown
        ("at once", None, None, True),
        ("never", -1, None, False),
        ("after the due date", None, None, False),
        ("after the due date", +1, None, False),
        ("after the due date", -1, None, True),
        ("after the due date", -1, 2, False),
        ("after the due date", -3, 2, True),
    ]
    with course.gradebook(create=True) as gradebook:
        gradebook.add_assignment("small")
        gradebook.add_student("late")
        gradebook.add_submission("small", "late")
        for policy, due, extension, shown in cases:
            when = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=due) if due else None
            gradebook.update_or_create_assignment("small", duedate=when)
            gradebook.grant_extension("small", "late", days=extension or 0)
            settings = ServiceSettings(ServiceSettings.of(course).db_url, verdicts=policy)
            questions = Questions(course, settings)
            version = questions.of("small")["q0"].version
            attempt, _ = made.record("small", "q0", "ada", version, 7, "client")
            verdict = questions.verdict(attempt)
            assert (verdict is not None) == shown, (policy, due, extension)
            if verdict:
                assert verdict["right"] is False
                assert verdict["solution"].strip() == "Add one."
    made.engine.dispose()


def test_an_extension_counts_before_its_student_has_handed_in(tmp_path):
    course = Course(small_course(tmp_path / "course", 1))
    made = Store(ServiceSettings.of(course))
    made.migrate()
    with course.gradebook(create=True) as gradebook:
        yesterday = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=1)
        gradebook.add_assignment("small", duedate=yesterday)
        gradebook.add_student("ill")

    def verdict():
        questions = Questions(course, ServiceSettings.of(course))
        attempt, _ = made.record("small", "q0", "ada", questions.of("small")["q0"].version, 7, "id")
        return questions.verdict(attempt)

    desk = Desk(course, "small", "prof")
    assert verdict() is not None
    decision = desk.extend(["ill"], 48, "illness")
    assert verdict() is None
    desk.extend(["ill"], 12, "the certificate says so")  # the later decision holds
    assert verdict() is not None
    desk.take_back(decision.id + 1, "a mistake")
    assert verdict() is None
    desk.take_back(decision.id, "a mistake")
    assert verdict() is not None
    made.engine.dispose()


# ── crashes ──


def test_nothing_that_was_acknowledged_is_lost_when_the_service_is_killed(tmp_path):
    root = small_course(tmp_path / "course", 1, "c.AttemptService.requests_a_minute = 100000")
    students = [f"s{number}" for number in range(6)]
    with service(root, students, ["prof"]) as running:
        version, port = running.versions("small")["q0"], running.port
        acknowledged = {name: [] for name in students}
        barrier = Event()

        def work(name):
            client, number = running.client(name), 0
            while True:
                number += 1
                try:
                    client.submit(
                        "small", "q0", version=version, answer=number, client=str(uuid.uuid4())
                    )
                except ServiceDownError:
                    return
                acknowledged[name].append(number)
                if number == 8:
                    barrier.set()

        with ThreadPoolExecutor(len(students)) as pool:
            for name in students:
                pool.submit(work, name)
            assert barrier.wait(120)
            running.stop(signal.SIGKILL)
        running.start(port)
        listing = "/api/v1/assignments/small/attempts"
        kept = running.ask("GET", listing, running.token("prof")).json()
        for name in students:
            answers = [entry["answer"] for entry in kept if entry["student"] == name]
            assert answers[: len(acknowledged[name])] == acknowledged[name]
            assert len(answers) <= len(acknowledged[name]) + 1  # on the disk, but not told
        assert sum(map(len, acknowledged.values())) >= 8


def test_a_database_that_fails_is_told_and_nothing_is_acknowledged(tmp_path):
    root = small_course(tmp_path / "course", 1)
    with service(root, ["ada"], []) as running:
        with sqlite3.connect(root / "attempts.db") as connection:
            connection.execute("DROP TABLE attempt")
        token, body = running.token("ada"), submission(running, 1)
        reply = running.ask("POST", POST, token, json=body)
        assert reply.status_code == 503
        assert "not recorded" in reply.json()["error"]
        assert "sql" not in reply.text.lower()


def test_a_port_in_use_is_named(running, autograder):
    done = autograder("serve", "--course", running.root, "--port", running.port)
    assert done.returncode == 1
    assert f"127.0.0.1:{running.port}" in done.stderr
    assert "--port" in done.stderr


def test_a_key_that_others_can_read_is_refused(tmp_path):
    course = Course(small_course(tmp_path / "course", 1))
    signing_key(course)
    (course.root / "attempts.key").chmod(0o644)
    with pytest.raises(AttemptServiceError, match="can be read by other users"):
        signing_key(course)
