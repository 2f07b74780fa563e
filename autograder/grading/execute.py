"""Runs one prepared submission: the student's cells in a candidate, the tests in a judge.

It keeps no state, so a submission may run on any machine and may run again.
"""

from __future__ import annotations

import json
import os
import socket
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, TextIO

from nbformat import NotebookNode

from autograder.errors import JudgeFailedError
from autograder.grading.prepare import Prepared
from autograder.grading.render import with_outputs
from autograder.grading.settings import Settings
from autograder.grading.warm_up import CANDIDATE, JUDGE, Warm
from autograder.judge.result import CellResult, Ended
from autograder.sandbox.launch import WarmProcess
from autograder.sandbox.limits import Limits
from autograder.sandbox.process import Process
from course_utils.quiz.log import LOG_NAME, SEAL_NAME

ASKS_FOR_SIGNAL = '{"signal"'
MAX_LINE = 1 << 26  # characters of one cell's result: far more than a cell may print
# The candidate may change its own copy of these files; a test reads the submitted files.
SEALED = frozenset({LOG_NAME, SEAL_NAME})


@dataclass(frozen=True)
class Executed:
    """A submission that was run.

    Attributes:
        notebooks: the submission's notebooks with outputs made from `cells`, for people and for
            nbgrader's own commands; the autograder reads no score from them.
        cells: the judge's result of each test, by the cell's id.
        reason: why the run ended early; None if it did not.
        seconds: wall time.
        core_seconds: processor time of the candidates and the judges.
        starved: whether a cell ran out of time because other processes had the processors. Then
            the submission has to run again, with nothing beside it.
    """

    notebooks: dict[str, NotebookNode]
    cells: dict[str, CellResult]
    reason: str | None
    seconds: float
    core_seconds: float = 0.0
    starved: bool = False


def execute(prepared: Prepared, warm: Warm, settings: Settings) -> Executed:
    """Run every notebook of a submission; if CUDA fails, run the notebook again on the CPU.

    Other processes may fill a GPU, and a single index out of range on a GPU ends the process.

    Raises:
        LaunchError: the machine could not start the processes; the submission is not to blame.
        JudgeFailedError: the judge ended too early; the submission is not to blame either.
    """
    started = time.perf_counter()
    notebooks: dict[str, NotebookNode] = {}
    tests: dict[str, CellResult] = {}
    reasons: list[str] = []
    starved = False
    core_seconds = 0.0
    for name, notebook in prepared.notebooks.items():
        run = _run(prepared, name, warm, settings)
        if run.broken:
            run = _run(prepared, name, warm, replace(settings, device="cpu"))
        notebooks[name] = with_outputs(notebook, run.cells, run.reason, settings.config)
        tests |= {
            cell.grade_id: cell for cell in run.cells if cell.grade_id and cell.kind != "student"
        }
        reasons += [run.reason] if run.reason else []
        starved |= run.starved
        core_seconds += run.core_seconds
    seconds = time.perf_counter() - started
    reason = "; ".join(reasons) or None
    return Executed(notebooks, tests, reason, seconds, core_seconds, starved)


@dataclass(frozen=True)
class _Ran:
    """A notebook that was run.

    Attributes:
        cells: the judge's result of each cell.
        reason: why the candidate ended early; None if it did not.
        broken: whether CUDA failed, so that the run doesn't count.
        starved, core_seconds: as in `Executed`.
        stuck: the index of the cell in which the judge computed without an end, so that the run
            doesn't count; None if it reached the last cell.
    """

    cells: list[CellResult]
    reason: str | None
    broken: bool
    starved: bool
    core_seconds: float
    stuck: int | None = None


def _run(prepared: Prepared, name: str, warm: Warm, settings: Settings) -> _Ran:
    """Run one notebook; if the judge gets stuck in a cell, run again without this cell.

    A student's number can be so large that a test computes with it for years, in C code that no
    alarm interrupts. Then the time of this test is up, and the other tests keep their points.
    """
    stuck: list[int] = []
    core_seconds = 0.0
    while True:
        limits = {
            "cell_seconds": settings.cell_seconds,
            "total_seconds": max(0.0, settings.limits.wall_seconds - core_seconds),
            "stuck": stuck,
        }
        with tempfile.TemporaryDirectory(prefix="run-", dir=warm.candidates.scratch) as folder:
            run = _run_in(Path(folder), prepared, name, warm, settings, limits)
        core_seconds += run.core_seconds
        if run.stuck is None:
            return replace(run, core_seconds=core_seconds)
        stuck.append(run.stuck)


def _run_in(
    folder: Path,
    prepared: Prepared,
    name: str,
    warm: Warm,
    settings: Settings,
    judge_limits: dict[str, Any],
) -> _Ran:
    candidate_folder, judge_folder = folder / "candidate", folder / "judge"
    trusted = prepared.given | SEALED
    _write_files(candidate_folder, prepared.files)
    _write_files(
        judge_folder, {path: data for path, data in prepared.files.items() if path in trusted}
    )
    limits = _with_room(settings.limits, prepared.files)
    request = {
        "source": prepared.sources[name],
        "submission": prepared.notebooks[name],
        "limits": judge_limits,
        "sealed": sorted(SEALED),
        "values": settings.values,
    }
    environment = {"NBGRADER_EXECUTION": "autograde"}
    if not settings.gpus:
        environment["CUDA_VISIBLE_DEVICES"] = ""
    judge_end, candidate_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    reader, writer = os.pipe()
    with os.fdopen(reader, encoding="utf-8") as results, judge_end, candidate_end:
        try:
            candidate = warm.candidates.launch(
                f"{CANDIDATE}:main",
                fds=[candidate_end.fileno()],
                isolated=settings.isolated,
                folder=candidate_folder,
                limits=limits,
                environment=environment,
            )
            candidate_end.close()
            with (
                candidate,
                _launch_judge(
                    warm.judges,
                    request,
                    judge_folder,
                    [judge_end.fileno(), writer],
                    candidate,
                    settings,
                    limits,
                    environment,
                ) as judge,
            ):
                os.close(writer)
                writer = -1
                judge_end.close()
                report = _Heard()
                stopped = report.read(results, candidate, judge, settings)
                cells = report.cells
                if stopped:
                    judge.kill()
                judge.wait()
                candidate.kill()
                candidate.wait()
                stuck = None
                if judge.computed > judge.cpu_bound:
                    stuck = _next_cell(prepared.notebooks[name], cells)
                elif not stopped:
                    _check_judge(cells, judge)
                broken = bool(settings.gpus) and _cuda_failed(cells, candidate)
                core_seconds = judge.cpu_seconds + candidate.cpu_seconds
                reason = _why(cells, candidate)
                return _Ran(cells, reason, broken, report.starved, core_seconds, stuck)
        finally:
            if writer >= 0:
                os.close(writer)


def _next_cell(notebook: NotebookNode, cells: list[CellResult]) -> int | None:
    """The index of the cell that the judge was running; None if it has reported all cells."""
    last = cells[-1].index if cells else -1
    later = (
        index
        for index, cell in enumerate(notebook.cells)
        if index > last and cell.cell_type == "code" and cell.source.strip()
    )
    return next(later, None)


def _with_room(limits: Limits, files: dict[str, bytes]) -> Limits:
    """The limits, with room for the files that are there from the beginning."""
    folders = {parent for name in files for parent in PurePosixPath(name).parents}
    return replace(
        limits,
        disk_bytes=limits.disk_bytes + sum(map(len, files.values())),
        disk_files=limits.disk_files + len(files) + len(folders),
    )


def _launch_judge(
    warm: WarmProcess,
    request: dict[str, Any],
    folder: Path,
    fds: list[int],
    candidate: Process,
    settings: Settings,
    limits: Limits,
    environment: dict[str, str],
) -> Process:
    """Launch the judge, with more time than the candidate, because it must outlive the candidate.

    Of the candidate's process the judge sees only how long it waited for a processor.
    """
    limits = replace(
        limits, wall_seconds=limits.wall_seconds + 60, cpu_seconds=limits.cpu_seconds + 60
    )
    schedstat = candidate.schedstat()
    schedstats = [] if schedstat is None else [schedstat]
    try:
        return warm.launch(
            f"{JUDGE}:main",
            {"request": request},
            fds=[*fds, *schedstats],
            isolated=settings.isolated,
            folder=folder,
            limits=limits,
            environment=environment,
        )
    finally:
        for fd in schedstats:
            os.close(fd)


@dataclass
class _Heard:
    """The results that the judge has reported so far.

    Attributes:
        cells: the results of cells, in order.
        starved: as in `Executed`.
    """

    cells: list[CellResult] = field(default_factory=list)
    starved: bool = False

    def read(self, results: TextIO, candidate: Process, judge: Process, settings: Settings) -> bool:
        """Read the judge's lines, without an incomplete last line; return whether reading stopped.

        Reading stops early at a failed test if the settings ask for it. A line may ask for a
        signal to the candidate, because the judge can't reach the candidate's process. The judge
        stops a cell at its limit, but not in C code that calls no Python code: see `_run`.
        """
        computed_before = 0.0
        patience = 2 * settings.cell_seconds + 10
        most = judge.cpu_bound
        judge.cpu_bound = min(judge.computed + patience, most)
        while (line := results.readline(MAX_LINE)).endswith("\n"):
            if line.startswith(ASKS_FOR_SIGNAL):
                _signal(candidate, json.loads(line)["signal"])
                continue
            cell = CellResult.from_json(line)
            self.cells.append(cell)
            judge.cpu_bound = min(judge.computed + patience, most)
            computed_before, computed = candidate.computed, candidate.computed - computed_before
            self.starved |= _is_starved(cell, computed, settings.cell_seconds)
            if settings.stop_at_failure and cell.kind != "student" and cell.reason:
                return True
        return False


def _is_starved(cell: CellResult, computed: float, limit: float) -> bool:
    """Whether a cell ran out of time because other submissions' processes had the processors.

    A cell that sleeps is not starved, because a sleeping process doesn't wait for a processor. A
    cell that computes too long is not starved, because it had a processor. Nor is a cell that waits
    because its child processes compute, because `computed` includes their time.
    """
    out_of_time = cell.ended in (Ended.TIMED_OUT, Ended.DIED)
    processor_seconds = max(computed, cell.seconds - cell.waited)
    return out_of_time and cell.waited > cell.seconds / 2 and processor_seconds < limit


def _signal(candidate: Process, name: str) -> None:
    """Send a signal to the candidate for the judge, which can't reach the candidate's process."""
    if name == "SIGINT":
        candidate.interrupt()
    else:
        candidate.kill()


def _check_judge(cells: list[CellResult], judge: Process) -> None:
    """Make sure that the judge reached the end: a test that it didn't reach must not count as 0.

    Raises:
        JudgeFailedError: the judge ended before.
    """
    failed = [cell for cell in cells if cell.ended is Ended.JUDGE_FAILED]
    if not failed and judge.returncode == 0:
        return
    code = judge.returncode or 0
    ending = judge.reason or (f"was killed by signal {-code}" if code < 0 else f"ended with {code}")
    details = failed[0].reason if failed else judge.log()
    last_lines = [line for line in str(details).splitlines() if line.strip()][-1:]
    problem = f"the judge {ending}" + (f": {last_lines[0][:300]}" if last_lines else "")
    raise JudgeFailedError(problem, details or "the judge wrote nothing before it ended")


def _why(cells: list[CellResult], candidate: Process) -> str | None:
    """Why the run ended early: the limit that was exceeded, or the cell in which it died."""
    dead = [cell for cell in cells if cell.ended is Ended.DIED]
    if dead and candidate.reason:
        return f"the submission {candidate.reason}"
    return dead[0].reason if dead else None


def _cuda_failed(cells: list[CellResult], candidate: Process) -> bool:
    """Whether CUDA failed, or the candidate died within its limits, as after a fault of CUDA."""
    ends = {cell.ended for cell in cells}
    return Ended.CUDA_FAILED in ends or (Ended.DIED in ends and not candidate.reason)


def _write_files(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir()
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
