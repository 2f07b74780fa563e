"""Refuses unpickling in the judge to every library, because a pickle can run any code."""

from __future__ import annotations

import pickle
import sys
from typing import Any, NoReturn

from autograder.judge.errors import RefusedError

_MESSAGE = (
    "a test doesn't unpickle: a file that a student wrote could run anything. Write and read "
    "JSON, CSV or npy, or call the student's own function to load it"
)


class UnpicklingRefusedError(BaseException):
    """Stops a library that unpickles.

    It is not an `Exception`, because a library such as pandas would then try another way.
    """


class Unpickling:
    """Refuses and remembers it, so that a test that swallows the refusal fails all the same.

    Attributes:
        refused: the error that the current test must fail with, if it unpickled.
    """

    def __init__(self) -> None:
        self.refused: RefusedError | None = None

    def install(self) -> None:
        """Refuse from now on; this can't be undone."""
        for name in ("load", "loads", "_load", "_loads"):
            setattr(pickle, name, self._refuse)
        # Unpickler stays a class, because libraries derive from it. A library that kept the C class
        # or a function of pickle from before is stopped by the audit hook: a pickle runs nothing
        # before it looks a name up.
        pickle._Unpickler.load = self._refuse  # type: ignore[method-assign]
        pickle.Unpickler = pickle._Unpickler  # type: ignore[assignment, misc]
        sys.addaudithook(self._audit)

    def check(self) -> None:
        """Fail the test if it unpickled.

        Raises:
            RefusedError: the test unpickled.
        """
        if self.refused is not None:
            raise self.refused

    def _audit(self, event: str, _: tuple[Any, ...]) -> None:
        if event == "pickle.find_class":
            self._refuse()

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        self.refused = RefusedError(_MESSAGE)
        raise UnpicklingRefusedError(_MESSAGE)
