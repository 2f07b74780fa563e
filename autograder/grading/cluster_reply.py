"""What a worker of a cluster may answer: plain data, checked on arrival; nothing is unpickled."""

from __future__ import annotations

from typing import Any

import nbformat
from pydantic import BaseModel, ConfigDict

from autograder.grading.execute import Executed
from autograder.judge.result import CellResult


class _Plain(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PlainFailure(_Plain):
    """Why a submission could not be run, as its worker says."""

    message: str
    details: str


class PlainExecuted(_Plain):
    """What `Executed` holds; the outputs of cells are in the notebooks only."""

    notebooks: dict[str, dict[str, Any]]
    cells: dict[str, CellResult]
    reason: str | None
    seconds: float
    core_seconds: float
    starved: bool


class PlainRun(_Plain):
    """The run of one submission, which has the key with which it was sent."""

    student: str
    key: str
    executed: PlainExecuted | None
    failure: PlainFailure | None


class Reply(_Plain):
    """What a worker says of a batch."""

    refused: str | None
    details: str = ""
    runs: list[PlainRun]


def restored(plain: PlainExecuted) -> Executed:
    """The run as the local engine returns it."""
    fields = {name: getattr(plain, name) for name in PlainExecuted.model_fields}
    notebooks = {name: nbformat.from_dict(book) for name, book in plain.notebooks.items()}
    return Executed(**fields | {"notebooks": notebooks})
