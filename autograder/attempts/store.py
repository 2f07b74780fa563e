"""The database of the attempt service: records attempts, and lists them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, create_engine, event, func, insert, select, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, SQLAlchemyError

from autograder.attempts.schema import attempts, reopenings, revocations
from autograder.attempts.settings import AttemptServiceError, ServiceSettings

MOST_TRIES = 50  # of requests that want the same number at the same time
BUSY_SECONDS = 20
# One for each of the 40 threads that answer requests: a thread that has to wait for another one's
# connection may be overtaken again and again.
CONNECTIONS = 40


class ClientIdUsedError(AttemptServiceError):
    """A client id came again with another answer. Nothing was recorded."""


@dataclass(frozen=True)
class Attempt:
    """One recorded answer.

    Attributes:
        id: the number of the row.
        assignment: the assignment's name.
        question: the question's id.
        student: the student's id.
        round: 0, or how often the first attempt had been reopened before.
        number: 1 for the first attempt of its round, 2 for the next one.
        version: the question's version.
        answer: an option's number, a list of such numbers, or a number.
        time: when it was recorded (UTC, ISO 8601).
    """

    id: int
    assignment: str
    question: str
    student: str
    round: int
    number: int
    version: str
    answer: Any
    time: str


class Store:
    """The database. Threads may share it.

    Args:
        settings: the service's settings, which name the database.

    Raises:
        AttemptServiceError: the URL is wrong, or the package that it needs is not installed.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        try:
            url = make_url(settings.db_url)
            sqlite = url.get_backend_name() == "sqlite"
            waiting = {"timeout": BUSY_SECONDS} if sqlite else {}
            self.engine = create_engine(
                url, pool_pre_ping=not sqlite, connect_args=waiting, pool_size=CONNECTIONS
            )
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
            raise AttemptServiceError(
                f"c.AttemptService.db_url can't be used: {error}",
                "write it as sqlite:////folder/attempts.db or as"
                " postgresql+psycopg://user:password@host/database, and install its driver:"
                " pip install 'convnet-course[serve]'",
            ) from error
        self.name = url.render_as_string(hide_password=True)
        # SQLite lets one connection write, and the others ask again and again. A lock hands the
        # turn on in order, so that no request waits much longer than the others.
        self._turn = threading.Lock() if sqlite else nullcontext()
        if sqlite:
            event.listen(self.engine, "connect", _set_up_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for reading.

        Raises:
            AttemptServiceError: the database can't be read.
        """
        with self._named(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: when the block ends without an error, it is on the disk.

        Raises:
            AttemptServiceError: the database can't be written.
        """
        with self._named(), self._turn, self.engine.connect() as connection:
            connection = connection.execution_options(writes=True)
            with connection.begin():
                yield connection

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise AttemptServiceError(
                f"the database of the attempt service, {self.name}, can't be used: {reason}",
                "check that it runs and that you may use it; 'autograder serve' makes its tables",
            ) from error

    # ── attempts ──

    def record(
        self, assignment: str, question: str, student: str, version: str, answer: Any, client: str
    ) -> tuple[Attempt, bool]:
        """Record an attempt. It is on the disk when this method returns.

        Args:
            assignment: the assignment's name.
            question: the question's id.
            student: the student's id.
            version: the question's version.
            answer: the answer, as `marking.parse` returns it.
            client: the id that the student's computer gave to this attempt. An id that comes
                again, with the same answer, adds nothing.

        Returns:
            The attempt, and whether it is new.

        Raises:
            ClientIdUsedError: the client id came before, with another answer.
            AttemptServiceError: the database can't be written.
        """
        row = {
            "assignment": assignment,
            "question": question,
            "student": student,
            "version": version,
            "answer": json.dumps(answer),
            "client": client,
        }
        for _ in range(MOST_TRIES):
            try:
                with self.writing() as connection:
                    return _insert(connection, row)
            except IntegrityError:  # another request was first: look again
                continue
        raise AttemptServiceError(
            f"{MOST_TRIES} other attempts of {student} came at the same time", "submit again"
        )

    def attempts(
        self, assignment: str, student: str | None = None, question: str | None = None
    ) -> list[Attempt]:
        """The recorded attempts to an assignment's questions, in the order of recording.

        Args:
            assignment: the assignment's name.
            student: the only student; None: all.
            question: the only question; None: all.
        """
        query = select(attempts).where(attempts.c.assignment == assignment).order_by(attempts.c.id)
        if student is not None:
            query = query.where(attempts.c.student == student)
        if question is not None:
            query = query.where(attempts.c.question == question)
        with self.reading() as connection:
            return [_attempt(row) for row in connection.execute(query)]

    def rounds(self, assignment: str) -> dict[tuple[str, str], int]:
        """The round that counts, by student and question, where a first attempt was reopened."""
        query = (
            select(reopenings.c.student, reopenings.c.question, func.max(reopenings.c.round))
            .where(reopenings.c.assignment == assignment, reopenings.c.taken_back.is_(None))
            .group_by(reopenings.c.student, reopenings.c.question)
        )
        with self.reading() as connection:
            return {(row[0], row[1]): row[2] for row in connection.execute(query)}

    def counting(
        self, assignment: str, student: str | None = None, question: str | None = None
    ) -> list[Attempt]:
        """The attempts of the rounds that count, in order: the first to a question counts."""
        rounds = self.rounds(assignment)
        return [
            attempt
            for attempt in self.attempts(assignment, student, question)
            if attempt.round == rounds.get((attempt.student, attempt.question), 0)
        ]

    # ── what instructors decide ──

    def reopen(self, assignment: str, question: str, student: str) -> int:
        """Begin another round: the student's next attempt is the first one. Returns the round."""
        with self.writing() as connection:
            last = select(func.max(reopenings.c.round)).where(
                reopenings.c.assignment == assignment,
                reopenings.c.question == question,
                reopenings.c.student == student,
            )
            number = (connection.scalar(last) or 0) + 1
            connection.execute(
                insert(reopenings).values(
                    assignment=assignment,
                    question=question,
                    student=student,
                    round=number,
                    time=now(),
                )
            )
        return number

    def close(self, assignment: str, question: str, student: str, number: int) -> None:
        """Take a reopening back: the round before counts again."""
        with self.writing() as connection:
            connection.execute(
                update(reopenings)
                .where(
                    reopenings.c.assignment == assignment,
                    reopenings.c.question == question,
                    reopenings.c.student == student,
                    reopenings.c.round == number,
                )
                .values(taken_back=now())
            )

    # ── tokens ──

    def revoke(self, student: str) -> None:
        """Refuse all tokens of a student that were made until now."""
        with self.writing() as connection:
            changed = connection.execute(
                update(revocations).where(revocations.c.student == student).values(before=now())
            )
            if not changed.rowcount:
                connection.execute(insert(revocations).values(student=student, before=now()))

    def revoked_before(self, student: str) -> str:
        """The time before which a student's tokens are refused; '' if none are."""
        query = select(revocations.c.before).where(revocations.c.student == student)
        with self.reading() as connection:
            return connection.scalar(query) or ""

    # ── migrations ──

    def migrate(self) -> None:
        """Bring the tables to this version.

        Raises:
            AttemptServiceError: the database can't be written, or was made by a later version.
        """
        from alembic import command
        from alembic.util import CommandError

        config = _alembic_config()
        try:
            with self.writing() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except CommandError as error:
            raise AttemptServiceError(
                f"{self.name} was made by a later version of the autograder: {error}",
                "upgrade the autograder",
            ) from error

    def is_current(self) -> bool:
        """Whether the database can be read, and has the tables of this version."""
        from alembic.runtime.migration import MigrationContext
        from alembic.script import ScriptDirectory

        head = ScriptDirectory.from_config(_alembic_config()).get_current_head()
        with self.reading() as connection:
            options = {"version_table": "attempt_service_version"}
            return MigrationContext.configure(connection, opts=options).get_current_revision() == (
                head
            )


def now() -> str:
    """The time (UTC) as the database stores it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _alembic_config() -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _insert(connection: Connection, row: dict[str, Any]) -> tuple[Attempt, bool]:
    """Insert an attempt with the next number; the database refuses a number that is taken."""
    columns = attempts.c
    same = select(attempts).where(
        columns.student == row["student"], columns.client == row["client"]
    )
    if old := connection.execute(same).one_or_none():
        asked = {name: row[name] for name in ("assignment", "question", "version", "answer")}
        if asked != {name: getattr(old, name) for name in asked}:
            raise ClientIdUsedError(
                "this client id was used for another answer: nothing was recorded",
                "send another answer with another client id",
            )
        return _attempt(old), False
    where = [columns[name] == row[name] for name in ("assignment", "question", "student")]
    again = [reopenings.c[name] == row[name] for name in ("assignment", "question", "student")]
    opened = select(func.max(reopenings.c.round)).where(*again, reopenings.c.taken_back.is_(None))
    this_round = connection.scalar(opened) or 0
    last: Select[Any] = select(func.max(columns.number)).where(*where, columns.round == this_round)
    number = (connection.scalar(last) or 0) + 1
    values = row | {"round": this_round, "number": number, "time": now()}
    done = connection.execute(insert(attempts).values(values))
    [number_of_row] = done.inserted_primary_key or [None]
    new = connection.execute(select(attempts).where(columns.id == number_of_row))
    return _attempt(new.one()), True


def _attempt(row: Row[Any]) -> Attempt:
    values = dict(row._mapping)
    del values["client"]
    return Attempt(**values | {"answer": json.loads(values["answer"])})


def _set_up_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions begin where SQLAlchemy begins them
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")  # readers don't wait for a writer
    cursor.execute("PRAGMA synchronous = FULL")  # a commit is on the disk, even without power
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
