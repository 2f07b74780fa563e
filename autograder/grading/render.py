"""Puts outputs into a notebook from which nbgrader's own commands read the judge's scores."""

from __future__ import annotations

import copy
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_output
from traitlets.config import Config

from autograder.grading.prepare import encodable
from autograder.judge.result import CellResult


def with_outputs(
    notebook: NotebookNode, cells: list[CellResult], reason: str | None, config: Config
) -> NotebookNode:
    """The notebook as it was run, with outputs that make nbgrader give the judge's scores."""
    from nbgrader.preprocessors import IgnorePattern, LimitOutput

    executed = copy.deepcopy(notebook)
    by_index = {cell.index: cell for cell in cells}
    for index, cell in enumerate(executed.cells):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        result = by_index.get(index)
        if result is None:
            cell.outputs = [_error("NotRun", f"this cell was not run: {reason}")]
            continue
        cell.execution_count = result.execution_count
        cell.outputs = [nbformat.from_dict(output) for output in result.outputs]
        if result.kind != "student":
            cell.outputs = _saying_the_score(cell.outputs, result)
    resources: dict[str, Any] = {}
    for step in (IgnorePattern, LimitOutput):
        executed, resources = step(config=config).preprocess(executed, resources)
    return encodable(executed)


def _saying_the_score(outputs: list[NotebookNode], result: CellResult) -> list[NotebookNode]:
    """Outputs of a test from which nbgrader's own commands read the judge's score."""
    printed = [output for output in outputs if output.output_type == "stream"]
    for output in printed:
        output.name = "stdout"  # nbgrader takes text on stderr for a failure
    if result.score is None:
        return [*printed, _error("NeedsReview", str(result.reason))]
    shown = [output for output in outputs if output.output_type not in ("execute_result", "error")]
    errors = [output for output in outputs if output.output_type == "error"]
    if result.score == 0 and errors:
        return [*shown, *errors]
    if result.max_score is not None and result.score < result.max_score:
        data = {"text/plain": repr(float(result.score))}
        shown.append(new_output("execute_result", data, execution_count=result.execution_count))
    return shown


def _error(name: str, text: str) -> NotebookNode:
    return new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"])
