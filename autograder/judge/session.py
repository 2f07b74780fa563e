"""Runs a submission's cells in notebook order: the student's in the candidate, the tests here."""

from __future__ import annotations

import ast
import contextlib
import errno
import functools
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic  # by its name here, because a test may patch the module's
from typing import Any

import torch

from autograder.cells import IN_KERNEL, grade_id, is_in_kernel, is_test, points
from autograder.judge.around.surroundings import Surroundings
from autograder.judge.errors import (
    TIME_IS_UP,
    CandidateLostError,
    JudgeFaultError,
    NeedsReview,
    OverTimeError,
)
from autograder.judge.fair import FairTime, own_schedstat
from autograder.judge.judge_end import JudgePeer
from autograder.judge.notebook.source import Notebook, names_bound
from autograder.judge.outputs import (
    Prints,
    Room,
    clean_outputs,
    error_output,
    said,
    traceback_lines,
)
from autograder.judge.points import Score, from_outputs, from_value, is_arithmetic
from autograder.judge.raised import how_it_ended, is_theirs, message_of
from autograder.judge.replaced import libraries, main_module, running
from autograder.judge.replaced.clock import Clock
from autograder.judge.replaced.files import Files
from autograder.judge.replaced.libraries import TypeCalls
from autograder.judge.replaced.magics import Magics
from autograder.judge.replaced.main_module import MainModule
from autograder.judge.replaced.texts import Texts
from autograder.judge.replaced.unpickling import Unpickling
from autograder.judge.result import CellResult, Ended
from autograder.judge.wire.channel import Channel

# A test's errors on a machine that has run out of a resource; no answer is wrong because of them.
_MACHINE_FAILED = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.ENOMEM, errno.EMFILE, errno.ENFILE}
)


@dataclass(frozen=True)
class Limits:
    """What a submission may use up.

    Attributes:
        cell_seconds: time for one cell.
        total_seconds: time for all cells.
        output_chars: number of characters that one cell may print.
        notebook_chars: number of characters that all cells together may print.
        stuck: the indices of cells in which an earlier run got stuck: their time is up.
    """

    cell_seconds: float = 30.0
    total_seconds: float = 600.0
    output_chars: int = 1 << 20
    notebook_chars: int = 32 << 20  # the grader holds all of them in memory
    stuck: Sequence[int] = ()


def main(sock_fd: int, result_fd: int, *schedstats: int, request: dict[str, Any]) -> None:
    """Run as the judge, and write each cell's result as one JSON line as soon as it is known.

    A line may also ask for a signal to the candidate, a process that the judge can't see. The
    working folder is a private copy of the instructor's files.

    Args:
        sock_fd: the connection with the candidate.
        result_fd: the file that the results are written to.
        schedstats: files that tell how long the candidate waited for a processor: see `FairTime`.
        request: `source`, `submission`, `limits`, `sealed` and `values`, as for `run`.
    """
    limits = Limits(**request.get("limits", {}))
    sealed = frozenset(request.get("sealed", ()))
    with os.fdopen(result_fd, "w", encoding="utf-8") as results:

        def note(result: CellResult) -> None:
            results.write(result.to_json() + "\n")
            results.flush()

        def stop(number: signal.Signals) -> None:
            # Not through the buffer of `results`, which may be in use when an alarm calls this.
            os.write(result_fd, f'{{"signal": "{number.name}"}}\n'.encode())

        sock = socket.socket(fileno=sock_fd)
        source, submission, values = request["source"], request["submission"], request.get("values")
        run(sock, stop, source, submission, limits, sealed, note, schedstats, values)


def run(
    sock: socket.socket,
    stop: Callable[[signal.Signals], None],
    source: Any,
    submission: Any,
    limits: Limits | None = None,
    sealed: frozenset[str] = frozenset(),
    note: Callable[[CellResult], None] = lambda _: None,
    schedstats: Sequence[int] = (),
    values: Mapping[str, Sequence[str]] | None = None,
) -> list[CellResult]:
    """Run a submission's cells.

    The process can't be used again, because tests may change it and library functions are replaced.

    Args:
        sock: a stream socket connected to `autograder.judge.candidate_end`.
        stop: the function that sends SIGINT or SIGKILL to the candidate.
        source: the instructor's notebook (nbformat 4), hidden tests and solutions included.
        submission: the student's notebook, with the instructor's cells restored.
        limits: see `Limits`.
        sealed: names of files that never come from the candidate.
        note: called with each result as soon as it is known.
        schedstats: as for `main`.
        values: the course's own types that cross by value, with the attributes that they have.

    Returns:
        One result for each code cell that isn't empty, in notebook order.
    """
    results: list[CellResult] = []
    index = 0
    try:
        session = _Session(sock, stop, source, submission, limits or Limits(), sealed, schedstats)
        with contextlib.closing(session):
            session.peer.register(values or {})
            for index, cell in enumerate(submission["cells"]):
                if cell["cell_type"] == "code" and cell["source"].strip():
                    results.append(session.run(index, cell))
                    note(results[-1])
    except BaseException as error:  # a fault of the judge, whose traceback is needed
        text = "".join(traceback.format_exception(error))
        note(CellResult(index, None, "student", reason=text, ended=Ended.JUDGE_FAILED))
        raise
    return results


class _Session:
    """One submission's run."""

    def __init__(
        self,
        sock: socket.socket,
        stop: Callable[[signal.Signals], None],
        source: Any,
        submission: Any,
        limits: Limits,
        sealed: frozenset[str],
        schedstats: Sequence[int],
    ) -> None:
        torch.set_num_threads(1)
        sys.path[:] = [entry for entry in sys.path if entry not in ("", os.getcwd())]  # noqa: PTH109
        cells = source["cells"]
        self.notebook = Notebook.read(cells)
        self.tests = {
            name: (position, cell)
            for position, cell in enumerate(cells)
            if is_test(cell) and (name := grade_id(cell))
        }
        self.fair = FairTime([*own_schedstat(), *schedstats])
        self.waited = 0.0  # seconds, in the current cell
        self.channel = Channel(sock)
        self.channel.clock = self.fair.now
        self.peer = JudgePeer(self.channel, self.notebook, stop)
        self.names = self.peer.names
        sys.modules["__main__"] = main = MainModule(self.names)
        main_module.install(main, self.names, self.notebook)
        self.limits = limits
        self.ends = monotonic() + limits.total_seconds
        self.room = Room(limits.output_chars, limits.notebook_chars)
        self.index = self.count = 0
        self.stopped: str | None = None  # the error of the first student cell that failed
        self.given_until = 0
        student_cells = [
            cell["source"]
            for cell in submission["cells"]
            if cell["cell_type"] == "code" and not is_test(cell)
        ]
        libraries.install(self.peer, student_cells, [cell["source"] for cell in cells])
        self.files = Files(self.peer, sealed)
        self.files.install()
        texts = Texts([cell["source"] for cell in cells], self.names)
        self.unpickling = Unpickling(self.files.are_in, texts)
        self.unpickling.install()
        magics = Magics(self.names, functools.partial(running.run_text, names=self.names))
        self.names.add_builtins(
            open=self.files.open,
            __import__=self.files.importer(),
            get_ipython=lambda: magics,
            display=print,
            **{TypeCalls.name: libraries.type_of, TypeCalls.class_name: libraries.class_of},
        )
        self.clock = Clock(self.peer, self.fair.now)
        self.clock.install()
        self.peer.flush_signals = self.clock.flush
        self.around = self.peer.surroundings = Surroundings(self.names.show_builtin)
        self.around.install()
        self.peer.turns.install()

    def close(self) -> None:
        self.clock.close()
        self.channel.close()

    # Limits of time.

    @contextlib.contextmanager
    def _clock(self, seconds: float, *, is_test: bool = False) -> Iterator[None]:
        if self.index in self.limits.stuck:
            raise OverTimeError(TIME_IS_UP)
        seconds = max(0.01, min(seconds, self.ends - monotonic()))
        self.fair.restart(self.ends)
        self.peer.start_clock(seconds)
        try:
            with self.clock.limit(seconds, is_test=is_test):
                yield
        finally:
            self.waited += self.fair.waited()

    # Cells.

    def run(self, index: int, cell: Any) -> CellResult:
        """Run one cell, in the judge or in the candidate."""
        self.index = index
        self.count += 1
        self.waited = 0.0
        self.room.next_cell()
        name = grade_id(cell)
        result = CellResult(index, name, "student", execution_count=self.count)
        start = monotonic()
        if name in self.tests and is_test(cell):
            position, test = self.tests[name]
            in_kernel = is_in_kernel(test)
            result.kind = IN_KERNEL if in_kernel else "test"
            result.max_score = points(test)
            if in_kernel:
                lost = self._run_there(test["source"], result)
                score = from_outputs(result.outputs, result.max_score)
                score = Score(0.0, lost) if lost else score
                if score.points is None:
                    result.ended = Ended.NEEDS_REVIEW
            else:
                score = self._run_test(position, test["source"], result)
            result.score, result.reason = score.points, score.reason
        else:
            result.reason = self._run_there(cell["source"], result)
        result.seconds = monotonic() - start
        result.waited = self.waited
        return result

    def _run_there(self, source: str, result: CellResult) -> str | None:
        """Run a cell in the candidate; return why it was stopped, or None."""
        try:
            with self._clock(self.limits.cell_seconds):
                outputs, cuda_failed = self.peer.run_cell(source, self.count)
                result.outputs = clean_outputs(outputs, self.count, self.room)
        except OverTimeError:
            result.ended, reason, name = Ended.TIMED_OUT, TIME_IS_UP, "CellTimeoutError"
        except CandidateLostError as error:
            result.ended, reason, name = Ended.DIED, str(error), "DeadKernelError"
        except (Exception, SystemExit) as error:  # the candidate's own machinery was tampered with
            reason, name = f"the cell couldn't be run: {error}", type(error).__name__
            result.ended = Ended.RAISED
        else:
            if any(output["output_type"] == "error" for output in result.outputs):
                result.ended = Ended.CUDA_FAILED if cuda_failed else Ended.RAISED
                self.stopped = self.stopped or said(result.outputs)
            return None
        result.outputs = [error_output(name, reason, [])]
        return reason

    def _run_test(self, position: int, source: str, result: CellResult) -> Score:
        assert result.max_score is not None
        printed = Prints(self.room)
        self.peer.unseed()
        self.unpickling.refused = self.peer.turns.refused = None
        self.peer.decided.clear()
        score = None
        before = self.around.current(), self.names.shadows()
        try:
            with printed.redirected(), self._clock(self.limits.cell_seconds, is_test=True):
                self.files.forget()
                self._run_given(position)
                value, shown = running.run_test(
                    source, result.grade_id or "test", self.names, self.around.patches.note_class
                )
                self.unpickling.check()
                if self.peer.turns.refused is not None:
                    raise self.peer.turns.refused
                if self.peer.late:
                    raise OverTimeError(TIME_IS_UP)
                self._check_fault()
                score = from_value(
                    value if shown else None, result.max_score, arithmetic=is_arithmetic(source)
                )
                if score.points is None:
                    raise NeedsReview(score.reason)
                if shown:
                    printed.add_result(value, self.count)
        except BaseException as error:
            failure = self.unpickling.refused or self.peer.turns.refused or error
            self._check_fault(failure)
            result.ended, score, output = self._failure(failure)
            printed.outputs.append(output)
        finally:
            self.peer.end_threads()
            self._take_back(*before, failed=result.ended is not Ended.FINISHED)
            self._tell_candidate()
            result.outputs = printed.outputs
            result.decided = sorted(self.peer.decided)
        return score

    def _take_back(self, around: Any, shadows: set[str], *, failed: bool) -> None:
        """Take back what a failed test changed around the student's code."""
        self.around.changes.end_of_test()
        if failed:
            self.around.back_to(around)
            self.names.unshadow(shadows)

    def _check_fault(self, error: BaseException | None = None) -> None:
        """Raise a fault of the judge or the machine, even if the test swallowed it."""
        if self.peer.fault is not None:
            raise self.peer.fault
        full = isinstance(error, OSError) and error.errno in _MACHINE_FAILED
        if error is not None and full and not is_theirs(error) and self.peer.lost is None:
            raise JudgeFaultError(f"the machine failed the test: {error}") from error

    def _failure(self, error: BaseException) -> tuple[Ended, Score, dict[str, Any]]:
        """Return how a test failed, its score and its output."""
        lines = traceback_lines(error)
        error.__traceback__ = None  # its frames keep the test's objects alive
        if self.peer.lost is not None:
            lost = self.peer.lost
            return Ended.DIED, Score(0.0, lost), error_output("DeadKernelError", lost, lines)
        if isinstance(error, OverTimeError) or self.peer.late:
            output = error_output("CellTimeoutError", TIME_IS_UP, lines)
            return Ended.TIMED_OUT, Score(0.0, TIME_IS_UP), output
        name, message = type(error).__name__, message_of(error)
        ended = how_it_ended(error)
        if ended is Ended.NEEDS_REVIEW:
            return ended, Score(None, message[:500]), error_output(name, message, lines)
        reason = f"{name}: {message}"[:500] if message else name
        if self.stopped and "NameError" in reason:
            reason = f"{reason} (an earlier cell stopped: {self.stopped})"[:800]
        if ended is Ended.REFUSED:  # the test's fault, not the student's: a person must look
            return ended, Score(None, reason), error_output(name, message, lines)
        return ended, Score(0.0, reason), error_output(name, message, lines)

    def _run_given(self, until: int) -> None:
        """Run the given statements before this test, in notebook order."""
        self.names.given = True
        try:
            with self.around.of_the_instructors():
                for position in range(self.given_until, until):
                    self.names.rebound(self.notebook.binds.get(position, ()))
                    for node in self.notebook.given.get(position, ()):
                        self._run_statement(node)
        finally:
            self.names.given = False
            self.given_until = max(self.given_until, until)

    def _run_statement(self, node: ast.stmt) -> None:
        """Run a given statement; if it fails, its names stay unbound, and aren't the student's."""
        try:
            running.run_statement(node, self.names)
        except Exception as error:
            for name in names_bound(node):
                self.names.failed[name] = error
        if isinstance(node, ast.ClassDef):
            self.peer.beliefs.given[node.name] = self.names.own(node.name)

    def _tell_candidate(self) -> None:
        """Send what a test bound and changed, so that the student's next cell sees it."""
        if self.peer.lost is None:
            suppressed = contextlib.suppress(
                Exception, SystemExit, CandidateLostError, OverTimeError
            )
            with suppressed, self._clock(self.limits.cell_seconds):
                self.peer.request("sync")
