"""A notebook as it was run, with outputs that nbgrader's own commands read as the judge scored."""

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
    """The notebook as it was run, with outputs that nbgrader scores as the judge did."""
    from nbgrader.preprocessors import IgnorePattern, LimitOutput

    executed = copy.deepcopy(notebook)
    by_index = {cell.index: cell for cell in cells}
    for index, cell in enumerate(executed.cells):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        ran = by_index.get(index)
        if ran is None:
            cell.outputs = [_error("NotRun", f"this cell was not run: {reason}")]
            continue
        cell.execution_count = ran.execution_count
        cell.outputs = [nbformat.from_dict(one) for one in ran.outputs]
        if ran.kind != "student":
            cell.outputs = _saying_the_score(cell.outputs, ran)
    resources: dict[str, Any] = {}
    for step in (IgnorePattern, LimitOutput):
        executed, resources = step(config=config).preprocess(executed, resources)
    return encodable(executed)


def _saying_the_score(outputs: list[NotebookNode], ran: CellResult) -> list[NotebookNode]:
    """Outputs of a test in which nbgrader's own commands see the score that the judge gave."""
    printed = [output for output in outputs if output.output_type == "stream"]
    for output in printed:
        output.name = "stdout"  # nbgrader takes a warning for a failure
    if ran.score is None:
        return [*printed, _error("NeedsReview", str(ran.reason))]
    kept = [one for one in outputs if one.output_type not in ("execute_result", "error")]
    errors = [output for output in outputs if output.output_type == "error"]
    if ran.score == 0 and errors:
        return [*kept, *errors]
    if ran.max_score is not None and ran.score < ran.max_score:
        data = {"text/plain": repr(float(ran.score))}
        kept.append(new_output("execute_result", data, execution_count=ran.execution_count))
    return kept


def _error(name: str, text: str) -> NotebookNode:
    return new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"])
