"""What stands before the service: limits of size, time and rate, and the log of requests."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import uuid
from collections import OrderedDict
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 8 << 10  # bytes; an attempt has some 200
MOST_DRAINED = 64 << 20  # bytes of a refused body that are read, so that the answer arrives
BODY_SECONDS = 15.0
MOST_SENDERS = 10_000

LOGGER = logging.getLogger("autograder.attempts")


class Rate:
    """How many requests a sender may make: so many a minute, a third of them at once.

    Args:
        a_minute: requests a minute.
    """

    def __init__(self, a_minute: int) -> None:
        self._refill = a_minute / 60
        self._most = max(1.0, a_minute / 3)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, sender: str) -> float:
        """Count a request. Returns 0 if it may go on, else the seconds to wait."""
        at = time.monotonic()
        left, before = self._left.pop(sender, (self._most, at))
        left = min(self._most, left + (at - before) * self._refill)
        seconds = 0.0 if left >= 1 else (1 - left) / self._refill
        self._left[sender] = (left - 1 if left >= 1 else left, at)
        if len(self._left) > MOST_SENDERS:
            self._left.popitem(last=False)
        return seconds


def refusal(status: int, problem: str, remedy: str, **headers: str) -> JSONResponse:
    """The answer to a request that is refused; every refusal has this form."""
    return JSONResponse({"error": problem, "remedy": remedy}, status, headers=headers)


class Gate:
    """Reads the whole body within limits, then calls the application, and logs the request.

    A line of the log is a JSON object. It holds no answer and no token.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = time.perf_counter(), 500
        scope.setdefault("state", {})["request"] = uuid.uuid4().hex[:12]

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _body(receive)
        except TimeoutError:
            late = refusal(408, "the request didn't arrive in time", "send it again")
            await late(scope, receive, sending)
        else:
            if body is None:
                problem = f"the request is larger than {MAX_BODY} bytes"
                await refusal(413, problem, "send an answer only")(scope, receive, sending)
            else:
                await self._app(scope, _replay(body, receive), sending)
        finally:
            _log(scope, status, time.perf_counter() - start)


async def _body(receive: Receive) -> bytes | None:
    """The body; None if it is too large."""
    body, size = b"", 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        body = body + part if size <= MAX_BODY else b""
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return None if size > MAX_BODY else body
        if size > MOST_DRAINED:
            return None


def _replay(body: bytes, receive: Receive) -> Receive:
    unread = True

    async def replayed() -> Message:
        nonlocal unread
        if unread:
            unread = False
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return replayed


def _log(scope: Scope, status: int, seconds: float) -> None:
    route, state = scope.get("route"), scope["state"]
    entry: dict[str, Any] = {
        "request": state["request"],
        "method": scope["method"],
        "path": getattr(route, "path", "-"),  # the route, without what a sender wrote into it
        "status": status,
        "ms": round(seconds * 1000, 1),
        "who": state.get("who"),
    }
    LOGGER.info("request", extra={"fields": entry | scope.get("path_params", {})})


class JsonLines(logging.Formatter):
    """Formats a record of the log as a line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        entry = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S"),
            "level": record.levelname,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry)
