"""Runs the attempt service, and makes the tokens that it accepts."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.attempts.settings import DAYS, AttemptServiceError, ServiceSettings
from autograder.attempts.store import Store
from autograder.attempts.tokens import Person, Signer, TokenError, signing_key, usable_id
from autograder.attempts.tokens import write_token_file as write_file
from autograder.course import Course
from course_utils.quiz.errors import BankError
from course_utils.quiz.service import FILE_NAME

PORT = 8765
if TYPE_CHECKING:
    from autograder.attempts.questions import Questions

GRACE_SECONDS = 10
# Web servers in front of the service keep an idle connection for a minute. If the service closed it
# first, it could do so just as a request arrives, and the request would be lost.
KEEP_ALIVE_SECONDS = 75


def serve(
    course: Course,
    host: str = "127.0.0.1",
    port: int = PORT,
    on_start: Callable[[str], None] = lambda _: None,
) -> None:
    """Run the service until it is stopped by Ctrl+C or SIGTERM.

    Args:
        course: the course.
        host: the address to listen at.
        port: the port; 0: any free port.
        on_start: called with the service's URL when it listens.

    Raises:
        AttemptServiceError: a package is missing, the database can't be used, or the port is taken.
    """
    try:
        import uvicorn

        from autograder.attempts.app import make_app
        from autograder.attempts.identity import Identity
        from autograder.attempts.limits import JsonLines
        from autograder.attempts.questions import Questions
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    settings = ServiceSettings.of(course)
    store = Store(settings)
    store.migrate()
    signer = Signer(signing_key(course), course.directory.course_id)
    questions = Questions(course, settings)
    _check(questions, course)
    app = make_app(store, questions, Identity(signer, store, settings), settings)
    # JupyterHub's proxy leaves this part of the address in the path.
    app.root_path = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "").rstrip("/")
    listener = _listen(host, port)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name in ("autograder.attempts", "uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO)
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        server_header=False,
    )
    on_start(f"http://{host}:{listener.getsockname()[1]}")
    uvicorn.Server(config).run(sockets=[listener])


def _check(questions: Questions, course: Course) -> None:
    """Make sure that every file of keys can be used, before a student needs it."""
    try:
        for path in sorted((course.root / "keys").glob("*.yaml")):
            questions.of(path.stem)
    except BankError as error:
        raise AttemptServiceError(str(error), "mend the file of keys, then start again") from None


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        raise AttemptServiceError(
            f"can't listen at {host}:{port}: {error.strerror or error}",
            "choose another port with --port, or stop the program that uses it",
        ) from error
    return listener


def make_tokens(
    course: Course,
    url: str,
    students: Iterable[str],
    instructors: Iterable[str] = (),
    days: int = DAYS,
) -> list[Path]:
    """Write one token file for each person into `tokens/ID/` of the course folder.

    Args:
        course: the course.
        url: the address of the service, as students reach it.
        students: the students' ids.
        instructors: the instructors' ids.
        days: how long the tokens are valid.

    Returns:
        The files.

    Raises:
        TokenError: an id can't be used; then no file is written.
    """
    try:
        signer = Signer(signing_key(course), course.directory.course_id)
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    people = [Person(name) for name in students]
    people += [Person(name, instructor=True) for name in instructors]
    for person in people:
        if not usable_id(person.id) or "/" in person.id or person.id.startswith("."):
            raise TokenError(
                f"{person.id!r} can't be an id",
                "use printable characters without spaces and slashes",
            )
    tokens = [signer.sign(person, days) for person in people]
    paths = [course.root / "tokens" / person.id / FILE_NAME for person in people]
    for person, token, path in zip(people, tokens, paths, strict=True):
        write_file(path, url, person.id, token)
    return paths


def revoke(course: Course, student: str) -> None:
    """Refuse all tokens of a student that were made until now."""
    store = Store(ServiceSettings.of(course))
    store.migrate()
    store.revoke(student)


def _missing(error: ModuleNotFoundError) -> AttemptServiceError:
    return AttemptServiceError(
        f"the package {error.name} is not installed",
        "pip install 'convnet-course[serve]'",
    )
