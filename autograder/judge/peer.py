"""One end of the conversation: requests, answers, and requests while waiting for an answer.

A message is either a request
`[op, target, name, context, changes, names, args, kwargs, books]` or an answer,
`["ok", stdout, stderr, changes, names, value, outputs, token, books]` or
`["error", stdout, stderr, changes, names, error, books]`. `changes` are what the sender changed in
place since its last message, `names` what it bound. `books` keep both tables equal: the shared
objects and the handles that the sender let go of, and those that the message tells for the first
time. Calls nest, last in first out; both sides serve while they wait. The order in which a message
is decoded is the order in which it was encoded.

A message counts as a whole or not at all. If encoding fails, all that it noted is taken back, and
nothing is sent. If the receiver can't make sense of it, the books are kept all the same: what was
let go of goes, and what the message shares stays with the sender. Nothing is asked while a message
is made or read, so a test or a student's code that runs there by accident can't come in between.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Sequence
from typing import Any, TypeVar

import torch

from autograder.judge import gradients
from autograder.judge.channel import Channel
from autograder.judge.decoder import Decoder
from autograder.judge.encoder import Encoder
from autograder.judge.errors import CandidateLostError
from autograder.judge.gone import Numbered
from autograder.judge.ledger import Ledger

_T = TypeVar("_T")


class Peer(Ledger):
    """What judge and candidate have in common; each end says what it does when asked.

    Attributes:
        talking: Whether a message is made, sent, waited for or read: neither a test's code nor a
            student's runs then on this side, and a signal handler must not raise.
        waiting: Whether, meanwhile, no message of this side is half made or half taken.
    """

    parity = 0
    encoder: type[Encoder] = Encoder
    decoder: type[Decoder] = Decoder

    def __init__(self, channel: Channel) -> None:
        super().__init__(self.parity)
        self.channel = channel
        self._imports: dict[int, Numbered] = {}
        self._gone: list[Numbered] = []
        self._released: list[int] = []
        self._dropped: list[int] = []
        self._owner = (os.getpid(), threading.get_ident())
        self.talking = False
        self.waiting = False

    # What each end decides.

    def perform(
        self, op: str, target: Any, name: str | None, args: list[Any], kwargs: dict[str, Any]
    ) -> Any:
        """Do what the other side asks."""
        raise NotImplementedError

    def context(self, _encoder: Encoder) -> Any:
        """What travels with a request, besides its arguments."""
        return [torch.is_grad_enabled()]

    def under(self, context: Any, decoder: Decoder) -> Any:
        """A context manager in which a request is served; gives a function for its prints."""
        raise NotImplementedError

    def printed(self, out: str, err: str) -> None:
        """Show what the other side printed while it answered."""

    def unreadable(self, error: Exception) -> BaseException:
        """What to raise, or to answer with, for a message that makes no sense."""
        return error

    def wants_live(self, _op: str, _target: Any, _name: str | None) -> bool:
        """Whether tensors in the answer stay here, to be read and changed by the other side."""
        return False

    def error_to_json(self, error: BaseException, encoder: Encoder) -> Any:
        """An exception as it crosses."""
        raise NotImplementedError

    def error_from_json(self, value: Any, decoder: Decoder) -> BaseException:
        """The exception to raise for one that crossed."""
        raise NotImplementedError

    def outgoing_names(self, _encoder: Encoder) -> list[Any]:
        """Names that mean something else since the last message."""
        return []

    def incoming_names(self, names: list[Any], decoder: Decoder) -> None:
        """Take note of what names mean on the other side."""

    # Handles of the other side's objects.

    def imported(self, handle: int) -> Any:
        """The stand-in for a handle, if there is one alive."""
        ref = self._imports.get(handle)
        return ref() if ref is not None else None

    def remember(self, handle: int, stand_in: _T) -> _T:
        """Keep one stand-in a handle, and let the other side know when it is gone."""
        self._release_gone()
        if handle in self._released:
            self._released.remove(handle)
        self._imports[handle] = Numbered(stand_in, self._gone, handle)
        return stand_in

    def _release_gone(self) -> None:
        while self._gone:
            ref = self._gone.pop(0)
            if self._imports.get(ref.number) is ref:
                self.forget(ref.number)

    def forget(self, handle: int) -> None:
        """Let go of a handle whose stand-in is gone."""
        del self._imports[handle]
        self._released.append(handle)

    # Asking.

    def request(
        self,
        op: str,
        target: Any = None,
        name: str | None = None,
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Ask the other side for one thing, and serve what it asks until it answers.

        Raises:
            BaseException: what the other side's code raised, or what `channel.receive` raises.
        """
        if self._owner != (os.getpid(), threading.get_ident()):
            raise RuntimeError(
                "a test's object can be used by the main thread of the notebook's process only"
            )
        if self.talking:
            raise RuntimeError(
                "the other side can't be asked while a message to it is made or read: call student "
                "code from the test itself, not from __reduce__, __hash__, __del__ or a signal's "
                "handler"
            )
        self.talking = True
        try:
            inputs = self._ask([op, target, name, args, kwargs or {}])
            message, buffers = self._await_answer()
            (out, err), failure, value = self._settle(message, buffers, inputs)
        finally:
            self.talking = False
        self.printed(out, err)
        if failure is not None:
            raise failure
        return value

    def _ask(self, parts: list[Any]) -> list[torch.Tensor]:
        """Send a request; the tensors in it that gradients may be asked of."""
        op, target, name, args, kwargs = parts
        encoder = self.encoder(self)
        try:
            handle = None if target is None else target._handle
            changes = self._changes(encoder)
            names = self.outgoing_names(encoder)
            packed = [encoder.encode(arg) for arg in args]
            keywords = {key: encoder.encode(value) for key, value in kwargs.items()}
            context = self.context(encoder)
            self._send([op, handle, name, context, changes, names, packed, keywords], encoder)
        except BaseException:
            self._undo(encoder)
            raise
        return encoder.inputs if torch.is_grad_enabled() else []

    def _ask_gradients(self, token: int, grads: list[torch.Tensor | None]) -> Any:
        return self.request("backward", None, None, [token, grads])

    def _await_answer(self) -> tuple[list[Any], list[memoryview]]:
        """The answer to the request just sent, after serving what is asked meanwhile."""
        while True:
            self.waiting = True
            try:
                self.before_waiting()
                message, buffers = self.channel.receive()
            finally:
                self.waiting = False
            if type(message) is list and message and message[0] in ("ok", "error"):
                return message, buffers
            self._serve(message, buffers)

    def before_waiting(self) -> None:
        """Do what had to be put off while a message was made or read."""

    def _settle(
        self, message: list[Any], buffers: list[memoryview], inputs: list[torch.Tensor]
    ) -> tuple[tuple[str, str], BaseException | None, Any]:
        """Take the answer to a request: what was printed, the failure or None, and the value."""
        decoder = self.decoder(self, buffers)
        failure = None
        value = None
        try:
            match message:
                case ["ok", str(out), str(err), changes, names, value, outputs, token, _]:
                    self._take_changes(changes, decoder)
                    self.incoming_names(names, decoder)
                    if outputs:
                        tensors = [decoder.dense(*body) for body in outputs]
                        decoder.outputs = gradients.attach(
                            self._ask_gradients, self.graphs, token, inputs, tensors
                        )
                    value = decoder.decode(value)
                case ["error", str(out), str(err), changes, names, error, _]:
                    self._take_changes(changes, decoder)
                    self.incoming_names(names, decoder)
                    failure = self.error_from_json(error, decoder)
                case _:
                    raise ValueError("not an answer")
            self._keep_books(message[-1])
        except Exception as error:
            self._unread(message)
            raise self.unreadable(error) from None
        return (out, err), failure, value

    # Being asked.

    def serve_forever(self) -> None:
        """Serve until the other side is gone."""
        try:
            while True:
                self._serve(*self.channel.receive())
        except CandidateLostError:
            return

    def _serve(self, message: Any, buffers: list[memoryview]) -> None:
        before, self.talking = self.talking, True
        try:
            self._answer(message, buffers)
        finally:
            self.talking = before

    def _perform(self, request: dict[str, Any]) -> Any:
        """Let a test's or a student's code run; it may ask, and be interrupted."""
        self.talking = False
        try:
            return self.perform(**request)
        finally:
            self.talking = True

    def _answer(self, message: Any, buffers: list[memoryview]) -> None:
        decoder = self.decoder(self, buffers)
        encoder = self.encoder(self)
        printed = _nothing_printed
        try:
            request = self._read(message, decoder)
            with self.under(request.pop("context"), decoder) as printed:
                value = self._perform(request)
            live = self.wants_live(request["op"], request["target"], request["name"])
            request.clear()  # what only the request held is let go of with the answer
            changes = self._changes(encoder)
            names = self.outgoing_names(encoder)
            encoder.live, encoder.returning = live, True
            encoded = encoder.encode(value)
            del value
            outputs = [encoder.body(tensor) for tensor in encoder.outputs]
            token = self.graphs.add(encoder.outputs, decoder.leaves) if outputs else None
            if token is not None:
                encoder.undo.append(functools.partial(self.graphs.release, token))
            decoder.leaves = encoder.outputs = []
            self._send(["ok", *printed(), changes, names, encoded, outputs, token], encoder)
        except CandidateLostError:
            raise
        except BaseException as error:
            self.talking = True  # an interrupt may have come before `_perform` could say so
            self._undo(encoder)
            decoder.leaves = encoder.outputs = []
            self._answer_error(error, printed())

    def _answer_error(self, error: BaseException, printed: tuple[str, str]) -> None:
        encoder = self.encoder(self)
        try:
            value = self.error_to_json(error, encoder)
            changes = self._changes(encoder)
            names = self.outgoing_names(encoder)
            self._send(["error", *printed, changes, names, value], encoder)
        except CandidateLostError:
            raise
        except BaseException as second:
            # Changes to the arguments can't cross either: they stay here from now on.
            self._undo(encoder)
            self._keep_here([entry.number for entry, _, _ in self.table.changed()])
            encoder = self.encoder(self)
            value = self.error_to_json(second, encoder)
            self._send(["error", *printed, [], self.outgoing_names(encoder), value], encoder)
        finally:
            error.__traceback__ = None

    def _read(self, message: Any, decoder: Decoder) -> dict[str, Any]:
        """The parts of a request; what it carries besides is taken over."""
        try:
            match message:
                case [str(op), handle, name, context, changes, names, list(args), dict(kwargs), _]:
                    self._take_changes(changes, decoder)
                    self.incoming_names(names, decoder)
                    request = {
                        "op": op,
                        "target": None if handle is None else self.exports[handle],
                        "name": None if name is None else str(name),
                        "context": context,
                        "args": [decoder.decode(arg) for arg in args],
                        "kwargs": {key: decoder.decode(value) for key, value in kwargs.items()},
                    }
                case _:
                    raise ValueError("not a request")
            self._keep_books(message[-1])
        except Exception as error:
            self._unread(message)
            raise self.unreadable(error) from None
        return request

    # What every message carries.

    def _changes(self, encoder: Encoder) -> list[Any]:
        """What changed in place on this side since the last message."""
        changes = []
        for entry, contents, grad in self.table.changed():
            encoder.changed.append(entry)
            encoder.changing = entry
            body = encoder.body(entry.obj) if contents else None
            state = [encoder.encode(entry.obj.grad), entry.obj.requires_grad] if grad else None
            changes.append([entry.number, body, state])
        encoder.changing = None
        return changes

    def _send(self, message: list[Any], encoder: Encoder) -> None:
        """Send a message, with what this side lets go of as its last part."""
        self._dropped += self.table.sweep()
        self._release_gone()
        self._released += self.graphs.take_released()
        dropped, released = list(self._dropped), list(self._released)
        books = [dropped, released, encoder.created, encoder.exported]
        try:
            self.channel.send([*message, books], encoder.buffers)
        except ValueError:  # too large, perhaps for what changed: it stays here
            self._undo(encoder)
            self._keep_here([entry.number for entry in encoder.changed])
            raise
        # Objects may have died, and been noted, while the message was written.
        del self._dropped[: len(dropped)], self._released[: len(released)]
        for entry in encoder.changed:
            entry.unsettle()

    def _undo(self, encoder: Encoder) -> None:
        """Take back all that a message that wasn't sent has noted."""
        for undo in reversed(encoder.undo):
            undo()
        encoder.undo = []
        if encoder.changing is not None:  # the reason why: no later message is to fail for it
            self._keep_here([encoder.changing.number])
            encoder.changing = None

    def _keep_here(self, numbers: list[int]) -> None:
        """From now on each side has an object of its own; the other one learns of it next."""
        for number in numbers:
            self.table.drop(number)
            self._dropped.append(number)

    def _take_changes(self, changes: list[Any], decoder: Decoder) -> None:
        for number, body, state in changes:
            entry = self.table[number]
            if body is not None:
                decoder.fill(entry.obj, body)
            if state is not None:
                entry.obj.grad = decoder.decode(state[0])
                entry.obj.requires_grad_(state[1] is True)
            entry.unsettle()

    def _keep_books(self, books: Any) -> None:
        dropped, released, _, _ = books
        for number in dropped:
            self.table.drop(number)
        for handle in released:
            self.released(handle)
        self.table.settle()

    def _unread(self, message: Any) -> None:
        """Keep the tables equal although a message made no sense."""
        with contextlib.suppress(Exception):  # then the books make no sense either
            books = message[-1]
            changes = message[3 if message[0] in ("ok", "error") else 4]
            self._keep_here([*books[2], *[number for number, _, _ in changes]])
            self._released += [n for n in books[3] if self.imported(n) is None]
            self._keep_books(books)


def _nothing_printed() -> tuple[str, str]:
    return "", ""
