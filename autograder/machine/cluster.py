"""Starts the processes of a cluster. They are Dask's own; only their options are chosen here.

A worker has a thread for each slot, and no bound of memory: what it runs is bounded by the sandbox,
in processes of its own. A nanny starts a new worker when one dies.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

from autograder.grading.cluster import CUDA
from autograder.grading.cluster_place import Place, require_encryption, security
from autograder.sandbox.view import gpus

LOOPBACK = "127.0.0.1"


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))


def local(
    place: Place, workers: int, slots: int | None, port: int, started: Callable[[str], None]
) -> None:
    """Run a scheduler and workers, which only this machine can reach, until an interrupt.

    Args:
        place: the files of TLS, if any.
        workers: how many workers.
        slots: the slots of each worker; None: all workers together have one for each core.
        port: the scheduler's port; 0: any that is free.
        started: called with the scheduler's address.
    """
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=workers,
        threads_per_worker=slots or max(1, cores() // workers),
        processes=True,
        host=LOOPBACK,
        scheduler_port=port,
        dashboard_address=None,
        worker_dashboard_address=f"{LOOPBACK}:0",
        memory_limit=0,
        security=security(place) if place.ca else None,
        protocol="tls://" if place.ca else "tcp://",
        silence_logs="ERROR",
    ) as cluster:
        ended = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: ended.set())
        started(cluster.scheduler_address)
        with suppress(KeyboardInterrupt):
            ended.wait()


def worker(place: Place, slots: int | None, gpu_slots: int) -> None:
    """Become the process that watches over a worker; does not return.

    Args:
        place: the scheduler, and the files of TLS.
        slots: submissions that run side by side; None: one for each core.
        gpu_slots: submissions that run side by side on each GPU.

    Raises:
        ClusterError: the scheduler is another machine's, and without TLS.
    """
    require_encryption(place.address)
    files = {"--tls-ca-file": place.ca, "--tls-cert": place.cert, "--tls-key": place.key}
    tls = [part for option, file in files.items() if file for part in (option, file)]
    on_gpus = gpu_slots * gpu_count()
    arguments = [
        *(sys.executable, "-m", "distributed.cli.dask_worker", place.address),
        *("--nworkers", "1", "--nthreads", str(slots or cores())),
        *("--memory-limit", "0"),
        *("--no-dashboard", "--dashboard-address", f"{LOOPBACK}:0"),
        *(("--resources", f"{CUDA}={on_gpus}") if on_gpus else ()),
        *("--host", _own_address(place.address)),
        *tls,
    ]
    os.execv(sys.executable, arguments)  # noqa: S606, its own command


def _own_address(scheduler: str) -> str:
    """The only address at which a worker listens: the one from which it reaches its scheduler."""
    from distributed.comm.addressing import get_address_host
    from distributed.utils import get_ip

    if not scheduler.startswith("tls://"):
        return LOOPBACK
    return get_ip(get_address_host(scheduler))


def gpu_count() -> int:
    """How many NVIDIA GPUs this process may open: a job of SLURM gets some of a machine's."""
    devices = [path for path in gpus() if path.removeprefix("/dev/nvidia").isdigit()]
    return sum(os.access(path, os.R_OK | os.W_OK) for path in devices)
