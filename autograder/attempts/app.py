"""The HTTP interface of the attempt service. docs/attempts.md describes it for its users."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt, StrictStr
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from autograder.attempts.csv_cells import safe_cell
from autograder.attempts.identity import Identity
from autograder.attempts.limits import LOGGER, Gate, Rate, refusal
from autograder.attempts.questions import Questions
from autograder.attempts.settings import AttemptServiceError, ServiceSettings
from autograder.attempts.store import Attempt, ClientIdUsedError, Store
from autograder.attempts.tokens import Person, TokenError
from course_utils.quiz import marking
from course_utils.quiz.errors import AnswerError, BankError
from course_utils.quiz.schema import Question

WRONG_TOKENS_A_MINUTE = 60  # from one address
MOST_DIGITS = 100


class RefusedError(Exception):
    """A request is refused.

    Args:
        status: the HTTP status.
        problem: what is wrong.
        remedy: what to do.
        headers: further headers of the answer.
    """

    def __init__(self, status: int, problem: str, remedy: str, **headers: str) -> None:
        super().__init__(problem)
        self.response = refusal(status, problem, remedy, **headers)


class Refusal(BaseModel):
    """The form of every refusal."""

    error: str
    remedy: str


class Submitted(BaseModel):
    """An answer that a student submits."""

    model_config = ConfigDict(extra="forbid")

    version: StrictStr = Field(max_length=64, description="The question's version.")
    answer: (
        StrictInt
        | Annotated[StrictFloat, Field(allow_inf_nan=False)]
        | Annotated[StrictStr, Field(max_length=MOST_DIGITS)]
        | Annotated[list[StrictInt], Field(max_length=100)]
    ) = Field(description="Option numbers from 1, or a number, or a number as it was typed.")
    client: UUID = Field(description="The id of this attempt; sent again, it counts once.")


class Recorded(BaseModel):
    """An attempt as it is recorded."""

    number: int = Field(description="1 for the attempt that counts.")
    answer: int | float | list[int]
    version: str
    time: str = Field(description="UTC.")


class Verdict(BaseModel):
    """Verdict, feedback and complete solution, in Markdown."""

    right: bool
    feedback: list[str]
    solution: str


class State(BaseModel):
    """What a student may know of a question."""

    student: str
    attempts: list[Recorded] = Field(description="The first one counts.")
    reopened: int = Field(description="How often the first attempt was reopened.")
    verdict: Verdict | None = Field(description="Of the first attempt; null until it is time.")
    verdict_comes: str = Field(description="When the verdict comes, in words.")


class Entry(Recorded):
    """An attempt in a list."""

    student: str
    question: str
    round: int


class Me(BaseModel):
    """Whose token it is."""

    id: str
    instructor: bool


class Health(BaseModel):
    """Whether the service works."""

    status: Literal["ok"] = "ok"


_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Refusal} for status in (400, 401, 403, 404, 408, 409, 413, 422, 429, 503)
}
_bearer = HTTPBearer(auto_error=False)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def make_app(
    store: Store, questions: Questions, identity: Identity, settings: ServiceSettings
) -> FastAPI:
    """Make the application.

    Args:
        store: the database.
        questions: the course's questions.
        identity: checks tokens.
        settings: the service's settings.
    """
    app = FastAPIOffline(
        title="Attempt service",
        version="1",
        description="Owns the first attempts at a course's graded questions.",
        responses=_REFUSALS,
    )
    app.state.store, app.state.questions, app.state.identity = store, questions, identity
    app.state.rate = Rate(settings.requests_a_minute)
    app.state.wrong = Rate(WRONG_TOKENS_A_MINUTE)
    app.add_middleware(Gate)
    _add_error_handlers(app)
    _add_health(app)
    _add_routes(app)
    return app


async def _who(request: Request, credentials: Credentials) -> Person:
    """The sender of a request."""
    state = request.app.state
    address = request.client.host if request.client else "-"
    try:
        if credentials is None:
            raise TokenError("no token was sent", "send 'Authorization: Bearer TOKEN'")
        person: Person = await run_in_threadpool(state.identity.of, credentials.credentials)
    except TokenError as error:
        _wait(state.wrong, address)
        raise RefusedError(
            401, error.problem, error.remedy, **{"WWW-Authenticate": "Bearer"}
        ) from None
    request.scope["state"]["who"] = person.id
    _wait(state.rate, person.id)
    return person


def _wait(rate: Rate, sender: str) -> None:
    if seconds := rate.wait(sender):
        after = str(int(seconds) + 1)
        raise RefusedError(
            429, "too many requests", f"send it again in {after} s", **{"Retry-After": after}
        )


Who = Annotated[Person, Depends(_who)]


def _questions(request: Request, assignment: str) -> dict[str, Question]:
    known: dict[str, Question] = request.app.state.questions.of(assignment)
    if not known:
        raise RefusedError(
            404, "there is no such assignment with questions", "check the assignment's name"
        )
    return known


def _question(request: Request, assignment: str, question: str) -> Question:
    known = _questions(request, assignment)
    if question not in known:
        raise RefusedError(
            404,
            "this assignment has no such question",
            f"its questions are {', '.join(known)}; fetch the assignment again if yours is older",
        )
    return known[question]


def _student(who: Person, student: str | None) -> str:
    """The student that a request is about: the sender, or any student if an instructor asks."""
    if student is None or student == who.id or who.instructor:
        return student or who.id
    raise RefusedError(
        403, "this token is another student's", "ask for your own attempts, or leave it out"
    )


StudentQuery = Annotated[str | None, Query(max_length=128, pattern=r"^[^\x00-\x20\x7f]+$")]


def _add_routes(app: FastAPI) -> None:
    base = "/api/v1/assignments/{assignment}"

    @app.get("/api/v1/me", tags=["everyone"])
    async def me(who: Who) -> Me:
        """Say whose token this is."""
        return Me(id=who.id, instructor=who.instructor)

    @app.get(base + "/questions/{question}", tags=["everyone"])
    def state(
        request: Request, assignment: str, question: str, who: Who, student: StudentQuery = None
    ) -> State:
        """A student's attempts at a question, and the verdict if it is time for it."""
        _question(request, assignment, question)
        return _state(request, assignment, question, _student(who, student))

    @app.post(
        base + "/questions/{question}/attempts",
        status_code=201,
        tags=["everyone"],
        responses={200: {"model": State, "description": "This attempt was recorded before."}},
    )
    def submit(
        request: Request, assignment: str, question: str, submitted: Submitted, who: Who
    ) -> State:
        """Record an answer. When the reply arrives, the answer is on the disk."""
        asked = _question(request, assignment, question)
        if submitted.version != asked.version:
            raise RefusedError(
                409,
                "not recorded: your copy of the question is another version of it",
                "fetch the assignment again, then answer",
            )
        try:
            answer = marking.parse(asked, submitted.answer)
        except AnswerError as error:
            raise RefusedError(422, f"not recorded: {error}", "mend the answer") from None
        attempt, new = request.app.state.store.record(
            assignment, question, who.id, asked.version, answer, str(submitted.client)
        )
        LOGGER.info(
            "recorded" if new else "recorded before",
            extra={"fields": {"request": request.scope["state"]["request"], "row": attempt.id}},
        )
        reply = _state(request, assignment, question, who.id)
        # Another status for a repeated request: FastAPI's declared one is for a new attempt.
        return reply if new else JSONResponse(reply.model_dump(), 200)  # type: ignore[return-value]

    @app.get(base + "/attempts", tags=["everyone"])
    def attempts(
        request: Request, assignment: str, who: Who, student: StudentQuery = None
    ) -> list[Entry]:
        """List attempts: a student's own, or all if an instructor asks."""
        _questions(request, assignment)
        only = student if who.instructor else _student(who, student)
        listed: list[Attempt] = request.app.state.store.attempts(assignment, only)
        return [Entry(**asdict(attempt)) for attempt in listed]

    @app.get(base + "/attempts.csv", tags=["instructors"], response_class=PlainTextResponse)
    def export(request: Request, assignment: str, who: Who) -> PlainTextResponse:
        """All attempts of an assignment as CSV."""
        if not who.instructor:
            raise RefusedError(403, "only instructors may export", "use an instructor's token")
        _questions(request, assignment)
        text = as_csv(request.app.state.store.attempts(assignment))
        return PlainTextResponse(text, media_type="text/csv; charset=utf-8")


def _state(request: Request, assignment: str, question: str, student: str) -> State:
    store, questions = request.app.state.store, request.app.state.questions
    counting = store.counting(assignment, student, question)
    verdict = questions.verdict(counting[0]) if counting else None
    return State(
        student=student,
        attempts=[Recorded(**asdict(attempt)) for attempt in counting],
        reopened=counting[0].round
        if counting
        else store.rounds(assignment).get((student, question), 0),
        verdict=Verdict(**verdict) if verdict else None,
        verdict_comes=questions.when(assignment),
    )


def as_csv(attempts: list[Attempt]) -> str:
    """Attempts as CSV, safe to open in a spreadsheet."""
    columns = ("student", "question", "round", "number", "answer", "version", "time")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for attempt in attempts:
        writer.writerow([safe_cell(getattr(attempt, column)) for column in columns])
    return text.getvalue()


def _add_health(app: FastAPI) -> None:
    @app.get("/health/live", tags=["health"])
    async def live() -> Health:
        """The process answers."""
        return Health()

    @app.get("/health/ready", tags=["health"])
    def ready(request: Request) -> Health:
        """The database can be read, and has the tables of this version."""
        if not request.app.state.store.is_current():
            raise RefusedError(
                503, "the database has no tables of this version", "restart 'autograder serve'"
            )
        return Health()


def _add_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(RefusedError)
    async def refused(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RefusedError)
        return error.response

    @app.exception_handler(ClientIdUsedError)
    async def used(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, ClientIdUsedError)
        return refusal(409, error.problem, error.remedy)

    @app.exception_handler(BankError)
    async def faulty(_: Request, error: Exception) -> JSONResponse:
        LOGGER.error("faulty questions", exc_info=error)
        return refusal(
            503,
            "not recorded: the service can't use the questions of this assignment",
            "tell your instructor",
        )

    @app.exception_handler(AttemptServiceError)
    async def unavailable(_: Request, error: Exception) -> JSONResponse:
        LOGGER.error("unavailable", exc_info=error)
        return refusal(
            503,
            "not recorded: the service can't use its database",
            "submit again in a minute; tell your instructor if it stays so",
        )

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        # What was sent isn't repeated: it may be anything.
        faults = [
            f"{'.'.join(str(part) for part in fault['loc'])[:80]}: {fault['msg']}"
            for fault in error.errors()[:5]
        ]
        return refusal(422, f"not recorded: {'; '.join(faults)}", "see /docs for what is expected")

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return refusal(
            error.status_code,
            str(error.detail),
            "see /docs for what there is",
            **(dict(error.headers) if error.headers else {}),
        )

    @app.exception_handler(Exception)
    async def fault(_: Request, error: Exception) -> JSONResponse:
        LOGGER.error("fault", exc_info=error)
        return refusal(
            500,
            "not recorded: a fault of the service",
            "submit again; tell your instructor if it stays so",
        )
