"""A graded question whose course has an attempt service: a real service, and no browser."""

from __future__ import annotations

import json
import signal

import pytest
import yaml

from course_utils.quiz import bank, log
from course_utils.quiz.errors import AnswerError
from course_utils.quiz.service import FILE_NAME, ServiceDownError, ServiceError, find
from course_utils.quiz.widget import Session
from tests.attempt_service import service
from tests.quiz_sample import KEYS, NAME

pytestmark = pytest.mark.alone  # the form waits for a few seconds only


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    root = tmp_path_factory.mktemp("service") / "course"
    (root / "keys").mkdir(parents=True)
    (root / "keys" / f"{NAME}.yaml").write_text(KEYS)
    (root / "nbgrader_config.py").write_text(
        'c = get_config()\nc.CourseDirectory.course_id = "sample"\n'
        'c.AttemptService.verdicts = "at once"\n'
    )
    with service(root, ["ada", "emmy", "kay", "grace"], []) as running:
        yield running


@pytest.fixture
def folder(running, tmp_path, request):
    """A student's folder of the assignment, below a folder with the student's token file."""
    student = request.param
    public = yaml.safe_load(KEYS)
    for question in public["questions"]:
        del question["key"]
    folder = tmp_path / "work" / NAME
    (folder / "quiz").mkdir(parents=True)
    (folder / "quiz" / "questions.yaml").write_text(yaml.safe_dump(public))
    versions = bank.find(folder, "layers")[0].versions
    (folder / log.LOG_NAME).write_text(log.first_line(NAME, versions))
    token = {"url": running.url, "token": running.token(student)}
    (tmp_path / FILE_NAME).write_text(json.dumps(token))
    return folder


def form(folder, question):
    return Session(*bank.find(folder, question), folder)


@pytest.mark.parametrize("folder", ["ada"], indirect=True)
def test_the_form_says_which_record_is_used_and_the_log_gets_a_copy(folder):
    session = form(folder, "layers")
    view = session.view()
    assert "attempt service as ada" in view["record"]
    assert not view["asks_student"]
    session.submit([1, 2], 0)
    view = session.view()
    assert view["tone"] == "wrong"
    assert "CANARY-FEEDBACK" in view["feedback"][0]
    assert "CANARY-SOLUTION" in view["solution"]
    [copy] = log.read(folder).attempts("layers")
    assert (copy["answer"], copy["student"]) == ([1, 2], "ada")
    session.submit([1, 3], 1)
    assert form(folder, "layers").view()["chosen"] == [1, 2]  # the first counts
    assert log.read(folder).damage == []


@pytest.mark.parametrize("folder", ["emmy"], indirect=True)
def test_a_service_that_is_down_is_told_nothing_counts_and_it_goes_on_later(running, folder):
    session = form(folder, "width")
    port = running.port
    running.stop(signal.SIGKILL)
    with pytest.raises(AnswerError, match="Not recorded: the attempt service of your course"):
        session.submit("5", 0)
    later = form(folder, "width")
    assert later.view()["tone"] == "problem"
    assert "doesn't answer" in later.view()["status"]
    with pytest.raises(AnswerError, match="Not recorded"):
        later.submit("5", 0)  # the student hasn't seen the numbers
    assert log.read(folder).attempts("width") == []
    running.start(port)
    assert form(folder, "width").attempts == []  # nothing was queued
    session.submit("5", 0)
    assert [attempt["answer"] for attempt in form(folder, "width").attempts] == [5.0]


@pytest.mark.parametrize("folder", ["kay"], indirect=True)
def test_an_answer_whose_reply_was_lost_counts_once(running, folder):
    session = form(folder, "layers")
    client = session.record._service

    class Losing:
        """The service behind a connection that fails after the request arrived."""

        name = client.name
        state = client.state

        def submit(self, *names, **rest):
            client.submit(*names, **rest)
            raise ServiceDownError("the attempt service of your course doesn't answer")

    session.record._service = Losing()
    with pytest.raises(AnswerError, match="counts once"):
        session.submit([1, 3], 0)
    session.record._service = client
    session.submit([1, 3], 0)
    assert [attempt["number"] for attempt in session.attempts] == [1]


@pytest.mark.parametrize("folder", ["grace"], indirect=True)
def test_a_token_file_that_cannot_be_used_is_named(folder):
    path = folder.parents[1] / FILE_NAME
    for content in (
        "",
        "{}",
        '{"url": "ftp://x", "token": "t"}',
        '{"url": "http://x", "token": ""}',
    ):
        path.write_text(content)
        with pytest.raises(ServiceError, match=FILE_NAME):
            find(folder)
    path.write_text('{"url": "http://127.0.0.1:1", "token": "forged"}')
    assert form(folder, "layers").view()["tone"] == "problem"


def test_without_a_service_the_log_is_the_record(tmp_path, monkeypatch):
    monkeypatch.delenv("ATTEMPT_SERVICE_URL", raising=False)
    assert find(tmp_path) is None
