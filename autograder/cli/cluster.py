"""The commands that start a cluster, for `autograder grade --cluster`."""

from __future__ import annotations

from typing import Annotated

import typer

from autograder.cli.options import TlsCa, TlsCert, TlsKey
from autograder.cli.show import out
from autograder.grading.cluster_place import Place, require_distributed

cluster = typer.Typer(
    help="Starts a cluster of Dask workers that run submissions.", no_args_is_help=True
)
Slots = Annotated[
    int | None,
    typer.Option(min=1, help="Submissions that a worker runs side by side; default: one a core."),
]


@cluster.command()
def local(
    workers: Annotated[int, typer.Option(min=1, help="How many workers.")] = 2,
    slots: Slots = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free port.")] = 8786,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
) -> None:
    """Start a scheduler and workers on this machine, to try a cluster; Ctrl+C ends them."""
    require_distributed()
    from autograder.machine.cluster import local as run

    def started(address: str) -> None:
        out.print(address, highlight=False, soft_wrap=True)

    run(Place("", tls_ca, tls_cert, tls_key), workers, slots, port, started)


@cluster.command()
def worker(
    address: Annotated[str, typer.Argument(help="The scheduler's address: tls://HOST:8786.")],
    slots: Slots = None,
    gpu_slots: Annotated[
        int, typer.Option(min=0, help="Submissions side by side on each GPU; 0: no GPU is used.")
    ] = 2,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
) -> None:
    """Start a worker on this machine: one process, which starts anew when it dies."""
    require_distributed()
    from autograder.machine.cluster import worker as run

    run(Place(address, tls_ca, tls_cert, tls_key), slots, gpu_slots)
