"""Runs one prepared submission: the student's cells in isolation, the tests beside a judge.

Stateless: it may run anywhere, and may be run again.
"""

from __future__ import annotations

import json
import os
import socket
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

from nbformat import NotebookNode

from autograder.errors import JudgeFailedError
from autograder.grading.prepare import Prepared
from autograder.grading.render import with_outputs
from autograder.grading.settings import Settings
from autograder.grading.warm_up import CANDIDATE, JUDGE, Warm
from autograder.judge.result import CellResult, Ended
from autograder.sandbox.launch import WarmProcess
from autograder.sandbox.process import Process
from course_utils.quiz.log import LOG_NAME, SEAL_NAME

ASKS_FOR_SIGNAL = '{"signal"'
MAX_LINE = 1 << 26  # characters of what a judge says of one cell: far more than a cell may print
# The candidate may write what it likes into its copy; a test reads what was handed in.
SEALED = frozenset({LOG_NAME, SEAL_NAME})


@dataclass(frozen=True)
class Executed:
    """A submission that was run.

    Attributes:
        notebooks: the same notebooks with their outputs, drawn from `cells` for people and for
            nbgrader's own commands; no score is read from them here.
        cells: what the judge says about each test, by its id.
        reason: why the run ended early, if it did.
        seconds: wall time.
        starved: a cell ran out of time because others had the processors: only a run with nothing
            beside it shows what the submission is worth.
    """

    notebooks: dict[str, NotebookNode]
    cells: dict[str, CellResult]
    reason: str | None
    seconds: float
    starved: bool = False


def execute(prepared: Prepared, warm: Warm, settings: Settings) -> Executed:
    """Run every notebook of a submission; once more, on the CPU, where CUDA itself failed.

    A GPU may be full because of a neighbour, and one index out of range there ends the process.

    Raises:
        LaunchError: the machine could not start the processes; the submission is not to blame.
        JudgeFailedError: the judge ended too early; the submission is not to blame either.
    """
    started = time.perf_counter()
    notebooks: dict[str, NotebookNode] = {}
    tests: dict[str, CellResult] = {}
    reasons: list[str] = []
    starved = False
    for name, notebook in prepared.notebooks.items():
        ran = _run(prepared, name, warm, settings)
        if ran.broken:
            ran = _run(prepared, name, warm, replace(settings, device="cpu"))
        notebooks[name] = with_outputs(notebook, ran.cells, ran.reason, settings.config)
        tests |= {one.grade_id: one for one in ran.cells if one.grade_id and one.kind != "student"}
        reasons += [ran.reason] if ran.reason else []
        starved |= ran.starved
    seconds = time.perf_counter() - started
    return Executed(notebooks, tests, "; ".join(reasons) or None, seconds, starved)


@dataclass(frozen=True)
class _Ran:
    """One notebook that was run.

    Attributes:
        cells: the judge's word on each.
        reason: why the candidate ended early, if it did.
        broken: whether CUDA broke it.
        starved: as in `Executed`.
    """

    cells: list[CellResult]
    reason: str | None
    broken: bool
    starved: bool


def _run(prepared: Prepared, name: str, warm: Warm, settings: Settings) -> _Ran:
    with tempfile.TemporaryDirectory(prefix="run-", dir=warm.candidates.scratch) as folder:
        return _run_in(Path(folder), prepared, name, warm, settings)


def _run_in(folder: Path, prepared: Prepared, name: str, warm: Warm, settings: Settings) -> _Ran:
    theirs, ours = folder / "candidate", folder / "judge"
    trusted = prepared.given | SEALED
    _write_files(theirs, prepared.files)
    _write_files(ours, {one: data for one, data in prepared.files.items() if one in trusted})
    request = {
        "source": prepared.sources[name],
        "submission": prepared.notebooks[name],
        "limits": {
            "cell_seconds": settings.cell_seconds,
            "total_seconds": settings.limits.wall_seconds,
        },
        "sealed": sorted(SEALED),
    }
    environment = {"NBGRADER_EXECUTION": "autograde"}
    if not settings.gpus:
        environment["CUDA_VISIBLE_DEVICES"] = ""
    judges_end, candidates_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    reader, writer = os.pipe()
    with os.fdopen(reader, encoding="utf-8") as results, judges_end, candidates_end:
        try:
            candidate = warm.candidates.launch(
                f"{CANDIDATE}:main",
                fds=[candidates_end.fileno()],
                isolated=settings.isolated,
                folder=theirs,
                limits=settings.limits,
                environment=environment,
            )
            candidates_end.close()
            with (
                candidate,
                _launch_judge(
                    warm.judges,
                    request,
                    ours,
                    [judges_end.fileno(), writer],
                    candidate,
                    settings,
                    environment,
                ) as judge,
            ):
                os.close(writer)
                writer = -1
                judges_end.close()
                heard = _Heard()
                stopped = heard.read(results, candidate, settings)
                cells = heard.cells
                if stopped:
                    judge.kill()
                judge.wait()
                candidate.kill()
                candidate.wait()
                if not stopped:
                    _check_judge(cells, judge)
                broken = bool(settings.gpus) and _cuda_failed(cells, candidate)
                return _Ran(cells, _why(cells, candidate), broken, heard.starved)
        finally:
            if writer >= 0:
                os.close(writer)


def _launch_judge(
    warm: WarmProcess,
    request: dict[str, Any],
    folder: Path,
    fds: list[int],
    candidate: Process,
    settings: Settings,
    environment: dict[str, str],
) -> Process:
    """The judge has time to spare: it watches the candidate's clock, and must outlive it.

    It sees nothing of the candidate's process but how long that waited for a processor.
    """
    limits = replace(settings.limits, wall_seconds=settings.limits.wall_seconds + 60)
    schedstat = candidate.schedstat()
    waits = [] if schedstat is None else [schedstat]
    try:
        return warm.launch(
            f"{JUDGE}:main",
            {"request": request},
            fds=[*fds, *waits],
            isolated=settings.isolated,
            folder=folder,
            limits=limits,
            environment=environment,
        )
    finally:
        for fd in waits:
            os.close(fd)


@dataclass
class _Heard:
    """What the judge has said so far.

    Attributes:
        cells: its word on each cell.
        starved: as in `Executed`.
    """

    cells: list[CellResult] = field(default_factory=list)
    starved: bool = False

    def read(self, results: TextIO, candidate: Process, settings: Settings) -> bool:
        """Take the judge's lines, but for a last one that was cut short; may they end early?

        A line may ask for a signal to the candidate, whom the judge is shut off from.
        """
        before = 0.0
        while (line := results.readline(MAX_LINE)).endswith("\n"):
            if line.startswith(ASKS_FOR_SIGNAL):
                _signal(candidate, json.loads(line)["signal"])
                continue
            cell = CellResult.from_json(line)
            self.cells.append(cell)
            before, computed = candidate.computed, candidate.computed - before
            self.starved |= _is_starved(cell, computed, settings.cell_seconds)
            if settings.stop_at_failure and cell.kind != "student" and cell.reason:
                return True
        return False


def _is_starved(cell: CellResult, computed: float, limit: float) -> bool:
    """Whether a cell ran out of time for want of a processor that others had.

    Who sleeps doesn't wait for a processor; who computes too long has had one; and who waits for
    its own children's sake has them counted in `computed`: none of them is starved.
    """
    late = cell.ended in (Ended.TIMED_OUT, Ended.DIED)
    had = max(computed, cell.seconds - cell.waited)
    return late and cell.waited > cell.seconds / 2 and had < limit


def _signal(candidate: Process, name: str) -> None:
    """What the judge, shut off from the candidate's process, can't do itself."""
    if name == "SIGINT":
        candidate.interrupt()
    else:
        candidate.kill()


def _check_judge(cells: list[CellResult], judge: Process) -> None:
    """Make sure that the judge judged to the end: what it didn't reach is nobody's zero.

    Raises:
        JudgeFailedError: it didn't.
    """
    failed = [cell for cell in cells if cell.ended is Ended.JUDGE_FAILED]
    if not failed and judge.returncode == 0:
        return
    code = judge.returncode or 0
    how = judge.reason or (f"was killed by signal {-code}" if code < 0 else f"ended with {code}")
    details = failed[0].reason if failed else judge.log()
    last = [line for line in str(details).splitlines() if line.strip()][-1:]
    problem = f"the judge {how}" + (f": {last[0][:300]}" if last else "")
    raise JudgeFailedError(problem, details or "the judge wrote nothing before it ended")


def _why(cells: list[CellResult], candidate: Process) -> str | None:
    """Why the run ended early: the limit that was passed, or the cell in which it died."""
    dead = [cell for cell in cells if cell.ended is Ended.DIED]
    if dead and candidate.reason:
        return f"the submission {candidate.reason}"
    return dead[0].reason if dead else None


def _cuda_failed(cells: list[CellResult], candidate: Process) -> bool:
    """Whether CUDA failed, or the candidate died without passing a limit, as CUDA makes it."""
    ends = {cell.ended for cell in cells}
    return Ended.CUDA_FAILED in ends or (Ended.DIED in ends and not candidate.reason)


def _write_files(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir()
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
