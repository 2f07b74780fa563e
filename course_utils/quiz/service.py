"""The client of the attempt service, for courses that have one.

The service keeps first attempts where a student can't rewrite them. A notebook uses it if the
environment names it (`ATTEMPT_SERVICE_URL`, with `ATTEMPT_SERVICE_TOKEN` or the token that
JupyterHub gives), or if a file `attempt-service.json` lies in the notebook's folder or in a folder
above it. Otherwise the log beside the notebook is the record.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from .errors import QuizError

FILE_NAME = "attempt-service.json"
URL_NAME, TOKEN_NAME = "ATTEMPT_SERVICE_URL", "ATTEMPT_SERVICE_TOKEN"
SECONDS = 5.0
MAX_REPLY = 1 << 20  # bytes


class ServiceError(QuizError):
    """The attempt service didn't do what was asked. Nothing is known to be recorded."""


class ServiceDownError(ServiceError):
    """The attempt service doesn't answer."""


@dataclass(frozen=True)
class Service:
    """Where the service is, and the student's token for it."""

    url: str
    token: str

    @property
    def name(self) -> str:
        """The service's address, for people."""
        return urlsplit(self.url).netloc

    def state(self, assignment: str, question: str) -> dict[str, Any]:
        """What the student may know of a question: attempts, and the verdict if it is time.

        Raises:
            ServiceDownError: the service doesn't answer.
            ServiceError: the service refused; the message says why.
        """
        return self._ask("GET", _path(assignment, question), None)

    def submit(
        self, assignment: str, question: str, *, version: str, answer: Any, client: str
    ) -> dict[str, Any]:
        """Submit an answer; it is recorded when this method returns.

        Args:
            assignment: the assignment's name.
            question: the question's id.
            version: the question's version.
            answer: the answer, from `marking.parse`.
            client: an id of this attempt. After a `ServiceDownError`, submit the same answer with
                the same id: it then counts once, even if the first request had arrived.

        Raises:
            ServiceDownError: the service doesn't answer.
            ServiceError: the service refused; the message says why.
        """
        body = {"version": version, "answer": answer, "client": client}
        return self._ask("POST", f"{_path(assignment, question)}/attempts", body)

    def _ask(self, method: str, path: str, body: Any) -> dict[str, Any]:
        # Imported here, so that "import course_utils" stays fast.
        from http.client import HTTPException
        from urllib.error import HTTPError
        from urllib.request import Request, urlopen

        request = Request(  # noqa: S310 - `find` accepts http and https only
            self.url.rstrip("/") + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
            },
        )
        try:
            with urlopen(request, timeout=SECONDS) as reply:  # noqa: S310
                content = json.loads(reply.read(MAX_REPLY))
        except HTTPError as error:
            raise _refused(error.code, error.read(MAX_REPLY)) from None
        except (OSError, HTTPException, ValueError):
            raise ServiceDownError(
                f"the attempt service of your course, {self.name}, doesn't answer"
            ) from None
        if not isinstance(content, dict) or not isinstance(content.get("attempts"), list):
            raise ServiceDownError(f"{self.name} is not the attempt service of your course")
        return content


def find(folder: Path) -> Service | None:
    """Find the service that a notebook's folder uses; None if it uses the log.

    Args:
        folder: the notebook's folder.

    Raises:
        ServiceError: the service is named, but its address or its token can't be used.
    """
    if url := os.environ.get(URL_NAME):
        token = os.environ.get(TOKEN_NAME) or os.environ.get("JUPYTERHUB_API_TOKEN", "")
        return _service(url, token, f"the environment variable {URL_NAME}")
    for parent in (folder.resolve(), *folder.resolve().parents):
        path = parent / FILE_NAME
        if path.is_file():
            try:
                content = json.loads(path.read_text(encoding="utf-8"))
                return _service(content["url"], content["token"], str(path))
            except (OSError, ValueError, KeyError, TypeError):
                raise ServiceError(
                    f"{path} can't be read: get it again from your instructor"
                ) from None
    return None


def _service(url: str, token: str, place: str) -> Service:
    if urlsplit(url).scheme not in ("http", "https") or not token or not token.isascii():
        raise ServiceError(f"{place} has no address (http://…) with a token: ask your instructor")
    return Service(url, token)


def _path(assignment: str, question: str) -> str:
    return f"/api/v1/assignments/{quote(assignment, '')}/questions/{quote(question, '')}"


def _refused(status: int, content: bytes) -> ServiceError:
    try:
        reply = json.loads(content)
        problem, remedy = str(reply["error"]), str(reply["remedy"])
    except (ValueError, KeyError, TypeError):
        return ServiceDownError(f"the attempt service of your course fails (status {status})")
    kind = ServiceDownError if status >= 500 else ServiceError
    return kind(f"{problem}: {remedy}")
