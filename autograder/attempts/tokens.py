"""Signed tokens, which say who sends a request to the attempt service.

A token holds the student's id, the course, and two times. It is signed with the key in the file
`attempts.key` of the course folder, which only the instructor can read.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from autograder.attempts.schema import MAX_NAME
from autograder.attempts.settings import DAYS, AttemptServiceError
from autograder.course import Course

KEY_NAME = "attempts.key"
SALT = "attempt-service-token"


class TokenError(AttemptServiceError):
    """A token is refused."""


@dataclass(frozen=True)
class Person:
    """Who sends a request."""

    id: str
    instructor: bool = False


def signing_key(course: Course) -> str:
    """The course's key for tokens; it is made if there is none.

    Raises:
        AttemptServiceError: the key's file can be read by others, or is empty.
    """
    path = course.root / KEY_NAME
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
    if path.stat().st_mode & 0o077:
        raise AttemptServiceError(
            f"{path} can be read by other users, who could make tokens with it",
            f"delete it, so that 'autograder tokens' makes a new one, or run 'chmod 600 {path}'",
        )
    key = path.read_text(encoding="ascii", errors="replace").strip()
    if len(key) < 32:
        raise AttemptServiceError(
            f"{path} holds no key", "delete it, then run 'autograder tokens' to make new tokens"
        )
    return key


class Signer:
    """Makes and checks the tokens of a course.

    Args:
        key: the course's key.
        course_id: the course's id; a token of another course is refused.
    """

    def __init__(self, key: str, course_id: str) -> None:
        from itsdangerous import URLSafeSerializer

        self._serializer = URLSafeSerializer(key, salt=SALT)
        self._course_id = course_id

    def sign(self, person: Person, days: float = DAYS) -> str:
        """Make a token.

        Raises:
            TokenError: the id is empty, too long or has characters that can't be printed.
        """
        if not usable_id(person.id):
            raise TokenError(
                f"{person.id!r} can't be an id",
                f"use 1 to {MAX_NAME} printable characters without spaces",
            )
        made = datetime.now(UTC)
        content = {
            "id": person.id,
            "instructor": person.instructor,
            "course": self._course_id,
            "made": made.isoformat(timespec="milliseconds"),
            "expires": (made + timedelta(days=days)).isoformat(timespec="milliseconds"),
        }
        return str(self._serializer.dumps(content))

    def check(self, token: str, revoked_before: Callable[[str], str]) -> Person:
        """Say whose a token is.

        Args:
            token: the token.
            revoked_before: for an id, the time before which its tokens are refused.

        Raises:
            TokenError: the token is forged, damaged, expired, revoked or another course's.
        """
        from itsdangerous import BadData

        again = "ask your instructor for a new token file"
        try:
            content: Any = self._serializer.loads(token)
        except (BadData, ValueError, RecursionError):
            raise TokenError("this token is not genuine", again) from None
        if content["course"] != self._course_id:
            raise TokenError("this token belongs to another course", again)
        if datetime.fromisoformat(content["expires"]) < datetime.now(UTC):
            raise TokenError(f"this token expired on {content['expires'][:10]}", again)
        if content["made"] <= revoked_before(content["id"]):
            raise TokenError("this token was revoked", again)
        return Person(content["id"], content["instructor"])


def usable_id(name: str) -> bool:
    """Whether a name can be the id of a student or an instructor."""
    return 0 < len(name) <= MAX_NAME and name.isprintable() and " " not in name


def write_token_file(path: Path, url: str, student: str, token: str) -> None:
    """Write the file that a student puts into the course's folder, readable by its owner only."""
    import json

    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"url": url, "student": student, "token": token}, file, indent=2)
        file.write("\n")
    new.replace(path)
