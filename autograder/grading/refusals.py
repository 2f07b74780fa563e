"""Whose fault it is that the judge refused what a test asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable

from autograder.errors import TestsRefusedError
from autograder.grading.execute import Executed
from autograder.judge.result import Ended


class Refusals:
    """Finds out whether a refusal of the judge is a test's fault or due to one submission.

    The judge refuses some idioms. At the first refusal the reference solution is run, once. A test
    that is refused there can't be passed by any student.

    Args:
        assignment: the assignment's name.
        run_reference: runs its reference solution.
    """

    def __init__(self, assignment: str, run_reference: Callable[[], Executed]) -> None:
        self._run = run_reference
        self._name = assignment
        self._lock = threading.Lock()
        self._of_reference: dict[str, str | None] | None = None

    def check(self, executed: Executed) -> None:
        """Make sure that no test that was refused here is refused for the reference solution, too.

        Raises:
            TestsRefusedError: such a test is the instructor's fault; no student can get its points.
        """
        refused = _refused(executed)
        if not refused:
            return
        with self._lock:
            if self._of_reference is None:
                self._of_reference = _refused(self._run())
        of_tests = refused.keys() & self._of_reference.keys()
        if of_tests:
            lines = "\n".join(f"  {name}: {self._of_reference[name]}" for name in sorted(of_tests))
            raise TestsRefusedError(
                f"{self._name}: tests that can't be judged, even with the reference solution:\n"
                f"{lines}",
                f"'autograder verify {self._name}' says how to write them; the rest of the class"
                " was not graded",
            )


def _refused(executed: Executed) -> dict[str, str | None]:
    """The names of the cells in which the judge refused a test's request, with the reasons."""
    return {
        name: cell.reason for name, cell in executed.cells.items() if cell.ended is Ended.REFUSED
    }
