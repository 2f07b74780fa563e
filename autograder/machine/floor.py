"""The least time that an assignment's cells can take: in one process that has all imports.

    python -m autograder.machine.floor NOTEBOOK FOLDER    processor seconds of one run

The cells run in a process forked from this one, without isolation and without a judge. They run in
`FOLDER`, so the notebook must be trusted.
"""

from __future__ import annotations

import gc
import importlib
import os
import resource
import statistics
import sys
import traceback

import nbformat

from autograder.grading.warm_up import modules_of
from autograder.sandbox import shell

RUNS = 5


def main(path: str, folder: str) -> None:
    """Print the median of some runs."""
    notebook = nbformat.read(path, as_version=4)
    os.environ["MPLBACKEND"] = shell.INLINE_BACKEND
    for module in (*shell.MODULES, *modules_of([notebook])):
        importlib.import_module(module)
    os.chdir(folder)
    gc.collect()
    gc.freeze()
    print(statistics.median(_run(notebook) for _ in range(RUNS)))


def _run(notebook: nbformat.NotebookNode) -> float:
    """Processor seconds of one run, its fork included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not (child := os.fork()):
        try:
            process = shell.Shell()
            for cell in notebook.cells:
                if cell.cell_type == "code":
                    process.run_cell(cell.source)
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status:
        sys.exit("the notebook ended its process")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main(*sys.argv[1:])
