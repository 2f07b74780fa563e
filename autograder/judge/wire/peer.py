"""One end of the conversation: requests, answers, and requests while waiting for an answer.

`messages` says what is in a message. Calls nest, last in first out; both sides serve while they
wait. The order in which a message is decoded is the order in which it was encoded.

A message counts as a whole or not at all. If encoding fails, all that it noted is taken back, and
nothing is sent. If the receiver can't read a message, it keeps the books all the same: it drops
what the sender dropped, and what the message shares stays with the sender. A side can't ask while
it makes or reads a message, so a test's or student's code that runs then by accident does no harm.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Sequence
from typing import Any

import torch

from autograder.judge.errors import CandidateLostError
from autograder.judge.wire import gradients
from autograder.judge.wire.channel import Channel
from autograder.judge.wire.decoder import Decoder
from autograder.judge.wire.encoder import Encoder
from autograder.judge.wire.ledger import Ledger
from autograder.judge.wire.messages import (
    Answer,
    Books,
    Change,
    Failure,
    Message,
    Request,
    parse,
    to_json,
)


class Peer(Ledger):
    """What judge and candidate have in common; each end defines what it does when asked.

    Attributes:
        talking: whether a message is made, sent, awaited or read. Then neither a test's code nor
            a student's runs on this side, and a signal handler must not raise.
        waiting: whether this side only waits, and no message is half made or half read.
    """

    parity = 0
    encoder: type[Encoder] = Encoder
    decoder: type[Decoder] = Decoder

    def __init__(self, channel: Channel) -> None:
        super().__init__(self.parity)
        self.channel = channel
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
        """Return what a request carries besides its arguments."""
        return [torch.is_grad_enabled()]

    def under(self, context: Any, decoder: Decoder) -> Any:
        """Return a context manager for serving a request; it gives a function for the prints."""
        raise NotImplementedError

    def read_context(self, context: Any, _: Decoder) -> Any:
        """Decode the values in a request's context, and return the context for `under`."""
        return context

    def printed(self, out: str, err: str) -> None:
        """Show what the other side printed while it answered."""

    def unreadable(self, error: Exception) -> BaseException:
        """Return the error to raise, or to answer with, for a message that can't be read."""
        return error

    def wants_live(self, _op: str, _target: Any, _name: str | None) -> bool:
        """Return whether tensors in the answer stay here, for the other side to change."""
        return False

    def error_to_json(self, error: BaseException, encoder: Encoder) -> Any:
        """Return the form in which an exception crosses."""
        raise NotImplementedError

    def error_from_json(self, value: Any, decoder: Decoder) -> BaseException:
        """Return the exception to raise for an exception that crossed."""
        raise NotImplementedError

    def outgoing_names(self, _encoder: Encoder) -> list[Any]:
        """Return the names whose meaning has changed since the last message."""
        return []

    def incoming_names(self, names: list[Any], decoder: Decoder) -> None:
        """Note what names mean on the other side."""

    # Asking.

    def request(
        self,
        op: str,
        target: Any = None,
        name: str | None = None,
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Ask the other side for one thing, and serve its requests until it answers.

        Raises:
            BaseException: what the other side's code raised, or what `channel.receive` raises.
        """
        self.check_thread()
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
            failure, value = self._settle(message, buffers, inputs)
        finally:
            self.talking = False
        self.printed(message.out, message.err)
        if failure is not None:
            raise failure
        return value

    def check_thread(self) -> None:
        """Raise a RuntimeError if this thread or process may not ask."""
        if self._owner != (os.getpid(), threading.get_ident()):
            raise RuntimeError(
                "a test's object can be used by the main thread of the notebook's process only"
            )

    def _ask(self, parts: list[Any]) -> list[torch.Tensor]:
        """Send a request; return the tensors in it whose gradients may be asked for."""
        op, target, name, args, kwargs = parts
        encoder = self.encoder(self)
        try:
            handle = None if target is None else target._handle_
            changes = self._changes(encoder)
            names = self.outgoing_names(encoder)
            packed = [encoder.encode(arg) for arg in args]
            keywords = {key: encoder.encode(value) for key, value in kwargs.items()}
            request = Request(
                op=op,
                target=handle,
                name=name,
                context=self.context(encoder),
                changes=changes,
                names=names,
                args=packed,
                kwargs=keywords,
            )
            self._send(request, encoder)
        except BaseException:
            self._undo(encoder)
            raise
        return encoder.inputs if torch.is_grad_enabled() else []

    def _ask_gradients(self, token: int, grads: list[torch.Tensor | None]) -> Any:
        return self.request("backward", None, None, [token, grads])

    def _await_answer(self) -> tuple[Answer | Failure, list[memoryview]]:
        """Return the answer to the request just sent, and serve requests that come before it."""
        while True:
            message, buffers = self._receive()
            if not isinstance(message, Request):
                return message, buffers
            self._serve(message, buffers)
            del message, buffers  # the next message may be large, too

    def _receive(self) -> tuple[Message, list[memoryview]]:
        self.waiting = True
        try:
            self.before_waiting()
            message, buffers = self.channel.receive()
        finally:
            self.waiting = False
        return self._parse(message), buffers

    def _parse(self, message: Any) -> Message:
        try:
            return parse(message)
        except ValueError as error:
            raise self.unreadable(error) from None

    def before_waiting(self) -> None:
        """Do what was postponed while a message was made or read."""

    def _settle(
        self, message: Answer | Failure, buffers: list[memoryview], inputs: list[torch.Tensor]
    ) -> tuple[BaseException | None, Any]:
        """Read the answer to a request; return the failure or None, and the value."""
        decoder = self.decoder(self, buffers)
        failure = None
        value = None
        try:
            self.take_changes(message.changes, decoder)
            self.incoming_names(message.names, decoder)
            if isinstance(message, Failure):
                failure = self.error_from_json(message.error, decoder)
            else:
                if message.outputs:
                    tensors = [decoder.dense(*body) for body in message.outputs]
                    decoder.outputs = gradients.attach(
                        self._ask_gradients, self.graphs, message.token, inputs, tensors
                    )
                value = decoder.decode(message.value)
            self._keep_books(message.books)
        except Exception as error:
            self._unread(message)
            raise self.unreadable(error) from None
        return failure, value

    # Being asked.

    def serve_forever(self) -> None:
        """Serve until the other side is gone."""
        with contextlib.suppress(CandidateLostError):
            while True:
                self._serve_next()

    def _serve_next(self) -> None:
        """Serve one request; nothing of it is held while the next one is awaited."""
        message, buffers = self.channel.receive()
        request = self._parse(message)
        if not isinstance(request, Request):
            raise self.unreadable(ValueError("an answer where a request was due"))
        self._serve(request, buffers)

    def _serve(self, message: Request, buffers: list[memoryview]) -> None:
        before, self.talking = self.talking, True
        try:
            self._answer(message, buffers)
        finally:
            self.talking = before

    def _perform(self, what: list[Any]) -> Any:
        """Run a test's or a student's code; it may ask, and may be interrupted."""
        self.talking = False
        try:
            return self.perform(*what)
        finally:
            self.talking = True

    def _answer(self, message: Request, buffers: list[memoryview]) -> None:
        decoder = self.decoder(self, buffers)
        encoder = self.encoder(self)
        printed: Any = functools.partial(tuple, ("", ""))  # nothing yet
        try:
            operation, context = self._read(message, decoder)
            with self.under(context, decoder) as printed:
                value = self._perform(operation)
            live = self.wants_live(*operation[:3])
            operation.clear()  # the answer drops what only the request held
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
            out, err = printed()
            answer = Answer(
                out=out,
                err=err,
                changes=changes,
                names=names,
                value=encoded,
                outputs=outputs,
                token=token,
            )
            self._send(answer, encoder)
        except CandidateLostError:
            raise
        except BaseException as error:
            self.talking = True  # an interrupt may have come before `_perform` set it
            self._undo(encoder)
            decoder.leaves = encoder.outputs = []
            self._answer_error(error, printed())

    def _answer_error(self, error: BaseException, printed: tuple[str, str]) -> None:
        encoder = self.encoder(self)
        try:
            value = self.error_to_json(error, encoder)
            self._send_failure(value, self._changes(encoder), printed, encoder)
        except CandidateLostError:
            raise
        except BaseException as second:
            # Changes to the arguments can't cross either, so the arguments stay here from now on.
            self._undo(encoder)
            self._keep_here([entry.number for entry, _, _ in self.table.changed()])
            encoder = self.encoder(self)
            self._send_failure(self.error_to_json(second, encoder), [], printed, encoder)
        finally:
            error.__traceback__ = None

    def _send_failure(
        self, error: Any, changes: list[Change], printed: tuple[str, str], encoder: Encoder
    ) -> None:
        out, err = printed
        names = self.outgoing_names(encoder)
        failure = Failure(out=out, err=err, changes=changes, names=names, error=error)
        self._send(failure, encoder)

    def _read(self, message: Request, decoder: Decoder) -> tuple[list[Any], Any]:
        """Return the arguments of `perform` and the context, and take over the rest."""
        try:
            self.take_changes(message.changes, decoder)
            self.incoming_names(message.names, decoder)
            target = None if message.target is None else self.exports[message.target]
            args = [decoder.decode(arg) for arg in message.args]
            kwargs = {key: decoder.decode(value) for key, value in message.kwargs.items()}
            context = self.read_context(message.context, decoder)
            self._keep_books(message.books)
        except Exception as error:
            self._unread(message)
            raise self.unreadable(error) from None
        return [message.op, target, message.name, args, kwargs], context

    # What every message carries.

    def _changes(self, encoder: Encoder) -> list[Change]:
        """Return what changed in place on this side since the last message."""
        changes = []
        for entry, contents, grad in self.table.changed():
            encoder.changed.append(entry)
            encoder.changing = entry
            body = encoder.body(entry.obj) if contents else None
            state = (encoder.encode(entry.obj.grad), entry.obj.requires_grad) if grad else None
            changes.append(Change(entry.number, body, state))
        encoder.changing = None
        return changes

    def _send(self, message: Message, encoder: Encoder) -> None:
        """Send a message, with what this side drops and releases."""
        self._dropped += self.table.sweep()
        self._release_gone()
        self._released += self.graphs.take_released()
        dropped, released = list(self._dropped), list(self._released)
        message.books = Books(dropped, released, encoder.created, encoder.exported)
        try:
            self.channel.send(to_json(message), encoder.buffers)
        except ValueError:  # too large, maybe because of the changed objects
            self._undo(encoder)
            self._keep_here([entry.number for entry in encoder.changed])
            raise
        # More objects may have been noted as gone while the message was written.
        del self._dropped[: len(dropped)], self._released[: len(released)]
        for entry in encoder.changed:
            entry.unsettle()

    def _undo(self, encoder: Encoder) -> None:
        """Take back all that an unsent message has noted."""
        for undo in reversed(encoder.undo):
            undo()
        encoder.undo = []
        if encoder.changing is not None:  # its encoding failed, and must not fail again
            self._keep_here([encoder.changing.number])
            encoder.changing = None

    def _keep_here(self, numbers: list[int]) -> None:
        """Stop sharing these objects; the next message tells the other side."""
        for number in numbers:
            self.table.drop(number)
            self._dropped.append(number)

    def _keep_books(self, books: Books) -> None:
        for number in books.dropped:
            self.table.drop(number)
        for handle in books.released:
            self.released(handle)
        self.table.settle()

    def _unread(self, message: Message) -> None:
        """Keep the tables equal although a message can't be read."""
        self._keep_here([*message.books.created, *(change.number for change in message.changes)])
        self._released += [n for n in message.books.exported if self.imported(n) is None]
        self._keep_books(message.books)
