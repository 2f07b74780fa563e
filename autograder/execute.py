"""Runs one prepared submission. Stateless: it may run anywhere, and may be run again."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output
from traitlets.config import Config

from autograder.prepare import Prepared


@dataclass(frozen=True)
class Settings:
    """How submissions are run.

    Attributes:
        device: "auto", "cpu" or "cuda": what the tests' models may run on.
        config: the course's nbgrader configuration (time limit a cell, length of output).
    """

    device: str
    config: Config


@dataclass(frozen=True)
class Executed:
    """A submission that was run.

    Attributes:
        notebooks: the same notebooks with their outputs; a cell that never ran says so in an
            error output, so that it can't pass for a test without a complaint.
        reason: why the run ended early, if it did.
        seconds: wall time.
    """

    notebooks: dict[str, NotebookNode]
    reason: str | None
    seconds: float


def execute(prepared: Prepared, settings: Settings) -> Executed:
    """Run every notebook of a submission in a fresh kernel and a folder of its own."""
    started = time.perf_counter()
    notebooks, reasons = {}, []
    for name, notebook in prepared.notebooks.items():
        with tempfile.TemporaryDirectory(prefix="run-") as folder:
            work = Path(folder) / "work"
            work.mkdir()
            _write_files(work, prepared.files)
            notebooks[name], reason = _run(notebook, Path(folder), settings)
        reasons += [reason] if reason else []
    return Executed(notebooks, "; ".join(reasons) or None, time.perf_counter() - started)


def _write_files(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _run(
    notebook: NotebookNode, folder: Path, settings: Settings
) -> tuple[NotebookNode, str | None]:
    from jupyter_client.manager import AsyncKernelManager
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from nbgrader.preprocessors import Execute, IgnorePattern, LimitOutput

    os.environ["NBGRADER_EXECUTION"] = "autograde"
    if settings.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    # Sockets in the file system: no race for ports between kernels that start side by side.
    config = Config({"ConnectionFileMixin": {"transport": "ipc", "ip": str(folder / "socket")}})
    config.merge(settings.config)
    completed: set[int] = set()

    class Engine(Execute):
        def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> Any:
            result = super().preprocess_cell(cell, resources, index)
            completed.add(index)
            return result

    engine = Engine(config=config, kernel_manager_class=AsyncKernelManager, record_timing=False)
    resources: dict[str, Any] = {"metadata": {"path": str(folder / "work")}}
    reason = None
    try:
        engine.preprocess(notebook, resources)
    except DeadKernelError:
        reason = f"the kernel died in cell {len(completed) + 1}"
    except CellTimeoutError:
        reason = f"cell {len(completed) + 1} ran past its time limit and could not be interrupted"
    _mark_what_did_not_finish(notebook, completed, reason)
    for step in (IgnorePattern, LimitOutput):
        notebook, resources = step(config=settings.config).preprocess(notebook, resources)
    return notebook, reason


def _mark_what_did_not_finish(
    notebook: NotebookNode, completed: set[int], reason: str | None
) -> None:
    """Without an output, a test that never ran would count as passed."""
    for at, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or at in completed:
            continue
        text = f"this cell did not run to its end: {reason}"
        cell.outputs.append(
            new_output("error", ename="NotRun", evalue=text, traceback=[f"NotRun: {text}"])
        )
