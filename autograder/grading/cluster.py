"""Runs prepared submissions on the workers of a Dask cluster. This is the instructor's end.

Submissions go out in batches, and results come back as JSON, which is checked here. A worker that
dies takes its batches with it: each of their submissions runs again, with nothing beside it on its
worker, so that a second death has a culprit.
"""

from __future__ import annotations

import hashlib
import json
import logging
import pickle
import queue
import time
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, NoReturn, Self

from distributed import Client, Future, KilledWorker
from distributed.diagnostics.plugin import SchedulerPlugin
from pydantic import ValidationError

from autograder.assignment import Assignment
from autograder.errors import AutograderError, RemoteFailureError
from autograder.grading import cluster_worker
from autograder.grading.cluster_place import ClusterError, Place, connect
from autograder.grading.cluster_reply import PlainFailure, Reply, restored
from autograder.grading.cluster_worker import Version, version_differences, versions
from autograder.grading.execute import Executed
from autograder.grading.log import LOGGER
from autograder.grading.prepare import Prepared
from autograder.grading.settings import Settings

CUDA = "CUDA"  # the abstract resource of a worker: how many submissions its GPUs can run
BATCH_SECONDS = 1.0  # of a slot's time: Dask needs some milliseconds for each task
MOST_IN_BATCH = 64
AHEAD = 2  # batches that are sent for each slot: one runs, one waits
DEATHS = 2  # so many workers may die with a submission before it is set aside
NO_WORKER_SECONDS = 60.0  # so long may a run have no worker
POLL_SECONDS = 2.0
_BATCH = "autograder-batch"


@dataclass(frozen=True)
class Sent:
    """A submission that a worker is to run.

    Attributes:
        key: the hash of all that its result depends on.
        prepared: the submission.
        deaths: how many workers died while it was theirs.
    """

    key: str
    prepared: Prepared
    deaths: int = 0


@dataclass(frozen=True)
class Ran:
    """A submission that was run, or the reason why it could not be."""

    prepared: Prepared
    executed: Executed | None = None
    error: AutograderError | None = None


class OneDeath(SchedulerPlugin):
    """Lets a batch fail at the first death of its worker; Dask alone would try three more."""

    name = "autograder-one-death"
    idempotent = True

    def update_graph(self, scheduler: Any, *, tasks: Iterable[Any], **_: Any) -> None:
        """Count all allowed deaths as used up."""
        for key in tasks:
            if str(key).startswith(_BATCH) and key in scheduler.tasks:
                scheduler.tasks[key].suspicious = scheduler.allowed_failures


@dataclass
class _Pace:
    """How many submissions fill a batch, learnt from those that have run."""

    seconds: float = BATCH_SECONDS / 2

    def learn(self, executed: Executed) -> None:
        self.seconds += 0.1 * (executed.seconds - self.seconds)

    def size(self, left: int, slots: int) -> int:
        """Batches get smaller towards the end, so that all slots end at the same time."""
        fitting = min(MOST_IN_BATCH, int(BATCH_SECONDS / max(self.seconds, 1e-3)))
        return max(1, min(fitting, left // (AHEAD * slots)))


@dataclass(frozen=True)
class _Task:
    future: Future
    members: dict[str, Sent]  # by student
    worker: str | None  # the only one that may run it; None: any


@dataclass
class Cluster:
    """A connection to a cluster, for one assignment.

    Attributes:
        place: where the cluster is.
        settings: how submissions are run.
    """

    place: Place
    settings: Settings
    _client: Client | None = None
    _version: Version | None = None
    _shipped: Future | None = None
    _digest: str = ""
    _tasks: dict[str, _Task] = field(default_factory=dict)
    _ended: queue.SimpleQueue[Future] = field(default_factory=queue.SimpleQueue)
    _sent: int = 0
    _last_worker: float = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._client:
            with suppress(Exception):  # a lost scheduler can't be told
                self._client.close(timeout=2)

    def connect(self, assignment: Assignment) -> None:
        """Connect, and make sure that scheduler and workers are as this machine.

        Raises:
            ClusterError: there is no cluster, or it is another one than this machine's.
        """
        if not LOGGER.handlers:  # Dask would write its own lines between ours
            for name in ("distributed", "distributed.client"):
                logging.getLogger(name).setLevel(logging.CRITICAL)
        self._client = connect(self.place)
        try:
            there = self._client.run_on_scheduler(versions)
        except Exception as error:
            self._refuse(f"the scheduler has no such autograder: {error!r:.200}")
        if differences := version_differences(versions(), there):
            self._refuse(f"the scheduler: {differences}")
        if not self._workers(self._await_workers()):
            self._refuse(f"no worker offers {CUDA}, which --device cuda needs")
        for address, there in self._client.run(_described, on_error="return").items():
            if isinstance(there, BaseException):
                self._refuse(f"the worker {address} has no such autograder: {there!r:.200}")
            problem = version_differences(versions(), there)
            problem = problem or there["isolation"]
            if problem:
                self._refuse(f"the worker {address}: {problem}")
        self._client.register_plugin(OneDeath())
        self._version = Version(assignment.sources, assignment.files, self.settings)
        content = pickle.dumps(self._version)
        self._digest = hashlib.sha256(content).hexdigest()
        key = f"autograder-version-{self._digest}"
        self._shipped = self._client.submit(bytes, content, key=key, retries=3)

    def _refuse(self, problem: str) -> NoReturn:
        raise ClusterError(
            f"the cluster {self.place.address} can't grade this class: {problem}",
            "install the same versions everywhere, and start scheduler and workers anew"
            " (docs/scale.md); nothing was run",
        )

    # ── workers and slots ───────────────────────────────────────────────────────────────────────

    def _await_workers(self) -> dict[str, Any]:
        assert self._client
        with suppress(TimeoutError):
            self._client.wait_for_workers(1, timeout=NO_WORKER_SECONDS)
        info = self._information()
        if not info:
            self._lost(f"it had no worker for {NO_WORKER_SECONDS:g} s")
        return info

    def _information(self) -> dict[str, Any]:
        """Dask's description of each worker."""
        assert self._client
        try:
            workers: dict[str, Any] = self._client.scheduler_info()["workers"]
        except (OSError, TimeoutError, RuntimeError, AttributeError):
            self._lost("its scheduler doesn't answer")
        return workers

    def _workers(self, information: dict[str, Any] | None = None) -> dict[str, int]:
        """The slots of each worker that may run this class."""
        information = self._information() if information is None else information
        if self.settings.device == "cuda":
            slots = {name: int(one["resources"].get(CUDA, 0)) for name, one in information.items()}
        else:
            slots = {name: one["nthreads"] for name, one in information.items()}
        slots = {name: number for name, number in slots.items() if number}
        if slots:
            self._last_worker = time.monotonic()
        return slots

    def _lost(self, problem: str) -> NoReturn:
        raise ClusterError(
            f"the cluster {self.place.address} was lost: {problem}",
            "what was recorded is kept: start the cluster anew, then run the command again",
        )

    # ── running ─────────────────────────────────────────────────────────────────────────────────

    def execute(self, submissions: Iterable[Sent], total: int) -> Iterator[Ran]:
        """Run submissions; yield them in the order in which they end.

        Submissions are taken from the iterable only as the workers need them.

        Args:
            submissions: what to run.
            total: about how many there are.

        Raises:
            ClusterError: the cluster was lost, or a worker refused.
        """
        again: list[Sent] = []
        yield from self._together(iter(submissions), total, again)
        yield from self._alone(deque(again))

    def execute_one(self, prepared: Prepared) -> Executed:
        """Run one submission, beside what else runs.

        Raises:
            AutograderError: it could not be run.
        """
        task = self._send([Sent("", prepared)], None, watched=False)
        reply = self._reply(task)
        if reply is None:
            self._lost("a worker died with the reference solution")
        [ran] = self._taken(task, reply)
        if ran.executed is None:
            assert ran.error
            raise ran.error
        return ran.executed

    def _together(self, submissions: Iterator[Sent], left: int, again: list[Sent]) -> Iterator[Ran]:
        pace = _Pace()
        slots = sum(self._workers().values())
        counted = time.monotonic()
        while True:
            if time.monotonic() - counted > POLL_SECONDS:  # workers come and go
                slots, counted = sum(self._workers().values()) or slots, time.monotonic()
            while len(self._tasks) < AHEAD * slots:
                batch = list(islice(submissions, pace.size(left, slots)))
                if not batch:
                    break
                left -= len(batch)
                self._send(batch, None)
            if not self._tasks:
                return
            if (task := self._next()) is None:
                continue
            if (reply := self._reply(task)) is None:
                again += [replace(one, deaths=one.deaths + 1) for one in task.members.values()]
                continue
            for ran in self._taken(task, reply):
                if ran.executed:
                    pace.learn(ran.executed)
                if ran.executed and ran.executed.starved:
                    again.append(task.members[ran.prepared.student])
                else:
                    yield ran

    def _alone(self, waiting: deque[Sent]) -> Iterator[Ran]:
        """Run submissions again, at most one on a worker at a time; these runs count."""
        while waiting or self._tasks:
            present = self._workers()
            for key, pinned in list(self._tasks.items()):
                if pinned.worker not in present and pinned.future.status == "pending":
                    waiting += self._tasks.pop(key).members.values()  # its worker left before
                    pinned.future.cancel()
            for worker in present.keys() - {task.worker for task in self._tasks.values()}:
                if waiting:
                    self._send([waiting.popleft()], worker)
            if (task := self._next()) is None:
                continue
            if (reply := self._reply(task)) is not None:
                yield from self._taken(task, reply)
                continue
            for one in task.members.values():
                one = replace(one, deaths=one.deaths + 1)
                if one.deaths >= DEATHS:
                    yield Ran(one.prepared, error=_set_aside(task))
                else:
                    waiting.append(one)

    def _send(self, batch: list[Sent], worker: str | None, *, watched: bool = True) -> _Task:
        assert self._client
        assert self._version
        without = [(one.key, self._version.without(one.prepared)) for one in batch]
        self._sent += 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Dask advises against large arguments
            future = self._client.submit(
                cluster_worker.run_batch,
                self._shipped,
                self._digest,
                pickle.dumps(without),
                versions(),
                key=f"{_BATCH}-{self._client.id}-{self._sent}",
                pure=False,
                workers=[worker] if worker else None,
                resources={CUDA: 1} if self.settings.device == "cuda" else None,
            )
        task = _Task(future, {one.prepared.student: one for one in batch}, worker)
        if watched:
            self._tasks[str(future.key)] = task
            future.add_done_callback(self._ended.put)
        return task

    def _next(self) -> _Task | None:
        """The next task that ended; None if none did in a while.

        Raises:
            ClusterError: there has been no worker for long.
        """
        try:
            future = self._ended.get(timeout=POLL_SECONDS)
        except queue.Empty:
            if not self._workers() and time.monotonic() - self._last_worker > NO_WORKER_SECONDS:
                self._lost(f"it had no worker for {NO_WORKER_SECONDS:g} s")
            return None
        return self._tasks.pop(str(future.key), None)

    def _reply(self, task: _Task) -> Reply | None:
        """What a worker says of its batch; None if the worker died.

        Raises:
            ClusterError: the worker refused, or the scheduler was lost.
        """
        try:
            content = task.future.result()
        except KilledWorker:
            return None
        except Exception as error:
            if task.future.status == "error":
                self._lost(f"a worker failed: {error!r:.300}")
            self._lost("its scheduler ended, or can't be reached")
        try:
            reply = Reply.model_validate(json.loads(content))
        except (ValidationError, ValueError) as error:
            self._lost(f"a worker's answer can't be read: {error!s:.300}")
        if reply.refused:
            LOGGER.error("a worker refused:\n%s", reply.details)
            self._refuse(f"a worker refuses: {reply.refused}")
        return reply

    def _taken(self, task: _Task, reply: Reply) -> Iterator[Ran]:
        """The first result of each submission of a task; all others are ignored."""
        left = dict(task.members)
        for run in reply.runs:
            sent = left.pop(run.student, None)
            if sent is None or sent.key != run.key:
                continue
            names = set(run.executed.notebooks) if run.executed else set()
            if run.executed and names == set(sent.prepared.notebooks):
                yield Ran(sent.prepared, executed=restored(run.executed))
            else:
                failure = run.failure or PlainFailure(message="it sent other notebooks", details="")
                error = RemoteFailureError(f"a worker: {failure.message}", failure.details)
                yield Ran(sent.prepared, error=error)
        for sent in left.values():
            yield Ran(sent.prepared, error=RemoteFailureError("a worker left it out", ""))


def _set_aside(task: _Task) -> RemoteFailureError:
    return RemoteFailureError(
        f"{DEATHS} workers died while they ran it, the last at {task.worker} with nothing beside"
        " it: it was set aside",
        "",
    )


def _described() -> dict[str, str]:
    problem = cluster_worker.isolation_problem()
    return versions() | {"isolation": problem or ""}
