"""The wire's grammar: the messages between the two ends. docs/architecture.md has it as a table.

A message is a JSON list: a word, then the fields of its class in order. Every field's type is
checked when a message comes in; only the codec reads a field of type `Any`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a shared object since the sender's last message.

    Attributes:
        number: the object's number in the table.
        body: the object's contents; None if they are the same.
        state: a tensor's gradient and whether it requires one; None if both are the same.
    """

    number: int
    body: Any
    state: tuple[Any, bool] | None


@dataclass(frozen=True, slots=True)
class Books:
    """The additions and removals that keep both ends' tables equal.

    Attributes:
        dropped: numbers of shared objects that the sender dropped.
        released: handles that the sender released; a history's handle is negative.
        created: numbers of the objects that the message shares for the first time.
        exported: handles that the message mentions for the first time.
    """

    dropped: list[int]
    released: list[int]
    created: list[int]
    exported: list[int]


@dataclass(kw_only=True, slots=True)
class Carried:
    """What every message carries.

    Attributes:
        changes: what the sender changed in place since its last message.
        names: names that the sender bound or deleted; each end has its own form.
        books: what keeps the tables equal.
    """

    changes: list[Change]
    names: list[Any]
    books: Books = field(default_factory=lambda: Books([], [], [], []))


@dataclass(kw_only=True, slots=True)
class Request(Carried):
    """Ask the other end for one thing.

    Attributes:
        op: the operation: "call", "getattr", "cell", …
        target: the handle of the object that the operation applies to; None if there is none.
        name: the name of an attribute, a special method or a global; None if there is none.
        context: what holds during the operation: grad mode and, from the judge, defaults, seeds
            and house rules.
        args: positional arguments.
        kwargs: keyword arguments.
    """

    op: str
    target: int | None
    name: str | None
    context: Any
    args: list[Any]
    kwargs: dict[str, Any]


@dataclass(kw_only=True, slots=True)
class Answer(Carried):
    """The result of a request.

    Attributes:
        out: text that was printed meanwhile.
        err: text that was printed to standard error.
        value: the result.
        outputs: tensors with a history that the value refers to.
        token: the history's number; None if there is no such tensor.
    """

    out: str
    err: str
    value: Any
    outputs: list[Any]
    token: int | None


@dataclass(kw_only=True, slots=True)
class Failure(Carried):
    """The exception that a request raised.

    Attributes:
        out: text that was printed before.
        err: text that was printed to standard error before.
        error: the exception.
    """

    out: str
    err: str
    error: Any


Message = Request | Answer | Failure


def to_json(message: Message) -> list[Any]:
    """Return the form that crosses."""
    changes = [[change.number, change.body, change.state] for change in message.changes]
    books = message.books
    lists = [books.dropped, books.released, books.created, books.exported]
    match message:
        case Request(op=op, target=target, name=name, context=context, args=args, kwargs=kwargs):
            return ["ask", op, target, name, context, changes, message.names, args, kwargs, lists]
        case Answer(out=out, err=err, value=value, outputs=outputs, token=token):
            return ["ok", out, err, changes, message.names, value, outputs, token, lists]
        case Failure(out=out, err=err, error=error):
            return ["error", out, err, changes, message.names, error, lists]


def parse(message: Any) -> Message:
    """Read what `to_json` wrote.

    Raises:
        ValueError: the message doesn't follow the grammar.
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
    parsed = []
    for change in changes:
        match change:
            case [int(number), body, None]:
                parsed.append(Change(number, body, None))
            case [int(number), body, [grad, bool(requires_grad)]]:
                parsed.append(Change(number, body, (grad, requires_grad)))
            case _:
                raise ValueError("a change is a number, a body and a state")
    return parsed


def _books(parts: list[Any]) -> Books:
    match parts:
        case [list(), list(), list(), list()]:
            if all(type(number) is int for part in parts for number in part):
                return Books(*parts)
    raise ValueError("books are four lists of whole numbers")
