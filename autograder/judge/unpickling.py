"""No unpickling in the judge, whichever library asks: a pickle runs what its writer likes."""

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

    Not an `Exception`: pandas, for one, takes those for a sign to try another way.
    """


class Unpickling:
    """Refuses, and remembers that it did: a test that swallows the refusal fails all the same.

    Attributes:
        refused: What the current test is to fail with, if it unpickled.
    """

    def __init__(self) -> None:
        self.refused: RefusedError | None = None

    def install(self) -> None:
        """Refuse from now on; there is no way back."""
        for name in ("load", "loads", "_load", "_loads"):
            setattr(pickle, name, self._refuse)
        # Libraries derive from it, so it stays a class. Those that kept the fast one, or a function
        # of pickle's, from before are stopped by the hook: nothing runs before a name is looked up.
        pickle._Unpickler.load = self._refuse  # type: ignore[method-assign]
        pickle.Unpickler = pickle._Unpickler  # type: ignore[assignment, misc]
        sys.addaudithook(self._audit)

    def check(self) -> None:
        """Fail the test if it unpickled.

        Raises:
            RefusedError: it did.
        """
        if self.refused is not None:
            raise self.refused

    def _audit(self, event: str, _: tuple[Any, ...]) -> None:
        if event == "pickle.find_class":
            self._refuse()

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        self.refused = RefusedError(_MESSAGE)
        raise UnpicklingRefusedError(_MESSAGE)
