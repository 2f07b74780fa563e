"""What the two ends say to each other: the wire's grammar, which docs/judge.md has as a table.

A message is a JSON list: a word, then the fields of its class in order. Every field's type is
checked when a message comes in; a field of type `Any` is the codec's to read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a shared object since the sender's last message.

    Attributes:
        number: The object's in the table.
        body: Its contents; None if they are the same.
        state: A tensor's gradient and whether it requires one; None if both are the same.
    """

    number: int
    body: Any
    state: tuple[Any, bool] | None


@dataclass(frozen=True, slots=True)
class Books:
    """What keeps both ends' tables equal.

    Attributes:
        dropped: Numbers of shared objects that the sender let go of.
        released: Handles that the sender let go of; a history's are negative.
        created: Numbers of the objects that the message shares for the first time.
        exported: Handles that the message tells for the first time.
    """

    dropped: list[int]
    released: list[int]
    created: list[int]
    exported: list[int]


@dataclass(kw_only=True, slots=True)
class Carried:
    """What every message carries.

    Attributes:
        changes: What the sender changed in place since its last message.
        names: What it bound or deleted; each end has its own form.
        books: What keeps the tables equal.
    """

    changes: list[Change]
    names: list[Any]
    books: Books = field(default_factory=lambda: Books([], [], [], []))


@dataclass(kw_only=True, slots=True)
class Request(Carried):
    """Ask the other end for one thing.

    Attributes:
        op: What is to be done: "call", "getattr", "cell", …
        target: The handle of the object that it is done with, if there is one.
        name: An attribute's, a special method's or a global's, if there is one.
        context: What holds while it is done: grad mode and, from the judge, defaults and seeds.
        args: Positional arguments.
        kwargs: Keyword arguments.
    """

    op: str
    target: int | None
    name: str | None
    context: Any
    args: list[Any]
    kwargs: dict[str, Any]


@dataclass(kw_only=True, slots=True)
class Answer(Carried):
    """What a request gave.

    Attributes:
        out: What was printed meanwhile.
        err: The same, to standard error.
        value: The result.
        outputs: Tensors with a history that the value refers to.
        token: The history's number; None if there is no such tensor.
    """

    out: str
    err: str
    value: Any
    outputs: list[Any]
    token: int | None


@dataclass(kw_only=True, slots=True)
class Failure(Carried):
    """What a request raised.

    Attributes:
        out: What was printed before.
        err: The same, to standard error.
        error: The exception.
    """

    out: str
    err: str
    error: Any


Message = Request | Answer | Failure


def to_json(message: Message) -> list[Any]:
    """The form that crosses."""
    changes = [[one.number, one.body, one.state] for one in message.changes]
    kept = message.books
    books = [kept.dropped, kept.released, kept.created, kept.exported]
    match message:
        case Request(op=op, target=target, name=name, context=context, args=args, kwargs=kwargs):
            return ["ask", op, target, name, context, changes, message.names, args, kwargs, books]
        case Answer(out=out, err=err, value=value, outputs=outputs, token=token):
            return ["ok", out, err, changes, message.names, value, outputs, token, books]
        case Failure(out=out, err=err, error=error):
            return ["error", out, err, changes, message.names, error, books]


def parse(message: Any) -> Message:
    """Read what `to_json` wrote.

    Raises:
        ValueError: it is no message of the grammar.
    """
    match message:
        case ["ask", str(op), int() | None as target, str() | None as name, context,
              list(changes), list(names), list(args), dict(kwargs), list(books)]:  # fmt: skip
            return Request(
                op=op,
                target=target,
                name=name,
                context=context,
                changes=_changes(changes),
                names=names,
                args=args,
                kwargs=kwargs,
                books=_books(books),
            )
        case ["ok", str(out), str(err), list(changes), list(names), value, list(outputs),
              int() | None as token, list(books)]:  # fmt: skip
            return Answer(
                out=out,
                err=err,
                changes=_changes(changes),
                names=names,
                value=value,
                outputs=outputs,
                token=token,
                books=_books(books),
            )
        case ["error", str(out), str(err), list(changes), list(names), error, list(books)]:
            return Failure(
                out=out,
                err=err,
                changes=_changes(changes),
                names=names,
                error=error,
                books=_books(books),
            )
    raise ValueError("no message of the grammar")


def _changes(changes: list[Any]) -> list[Change]:
    found = []
    for change in changes:
        match change:
            case [int(number), body, None]:
                found.append(Change(number, body, None))
            case [int(number), body, [grad, bool(requires_grad)]]:
                found.append(Change(number, body, (grad, requires_grad)))
            case _:
                raise ValueError("a change is a number, a body and a state")
    return found


def _books(parts: list[Any]) -> Books:
    match parts:
        case [list(), list(), list(), list()]:
            if all(type(number) is int for part in parts for number in part):
                return Books(*parts)
    raise ValueError("books are four lists of whole numbers")
