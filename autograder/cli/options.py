"""Arguments, options and exit codes that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# Exit codes: 1: the command failed; 2: wrong use of the command; 3: done, but a person must look.
FAILED, LOOK = 1, 3
CourseOption = Annotated[
    Path | None,
    typer.Option(
        "--course",
        help="The course; default: this folder, else ./exercises.",
        metavar="DIR",
        show_default=False,
    ),
]
Name = Annotated[str, typer.Argument(help="The assignment, or the beginning of its name.")]
Names = Annotated[list[str] | None, typer.Argument(help="Assignments; default: all.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Jobs = Annotated[
    int | None, typer.Option(min=1, help="How many run side by side; default: one a core.")
]
TlsCa = Annotated[
    str | None,
    typer.Option("--tls-ca", help="Certificate of the cluster's own authority.", metavar="FILE"),
]
TlsCert = Annotated[
    str | None, typer.Option("--tls-cert", help="This machine's certificate.", metavar="FILE")
]
TlsKey = Annotated[
    str | None, typer.Option("--tls-key", help="This machine's private key.", metavar="FILE")
]
