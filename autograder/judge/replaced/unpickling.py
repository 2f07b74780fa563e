"""Refuses what would run a student's file in the judge: unpickling, and the file's text as code."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from autograder.judge.errors import RefusedError
from autograder.judge.replaced.texts import Texts

_MESSAGE = (
    "a test doesn't unpickle: a file that a student wrote could run anything. Write and read "
    "JSON, CSV or npy, or call the student's own function to load it"
)
_NO_CODE = (
    "a test doesn't run a file of the student's, which could change the test: have the student's "
    "notebook import it, and call its functions"
)
_ONLY_READ = "<unknown>"  # the file's name in `ast.parse`, which runs nothing


class UnpicklingRefusedError(BaseException):
    """Stops a library that unpickles.

    It is not an `Exception`, because a library such as pandas would then try another way.
    """


class Unpickling:
    """Refuses and remembers it, so that a test that swallows the refusal fails all the same.

    Args:
        is_students: the function that tells whether code contains a file of the student's.
        texts: says which texts may not run as code.

    Attributes:
        refused: the error that the current test must fail with, if it unpickled.
    """

    def __init__(
        self, is_students: Callable[[bytes], bool] = lambda _: False, texts: Texts | None = None
    ) -> None:
        self._is_students = is_students
        self._texts = texts
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

    def _audit(self, event: str, details: tuple[Any, ...]) -> None:
        if event == "pickle.find_class":
            self._refuse()
        if event == "compile" and details[1] != _ONLY_READ:
            code = details[0].encode() if isinstance(details[0], str) else details[0]
            if isinstance(code, bytes) and self._is_students(code):
                self._stop(_NO_CODE)
        if event == "compile" and self._texts is not None:
            reason = self._texts.refused(details[0], sys._getframe(1))
            if reason is not None:
                self._stop(reason)

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        self._stop(_MESSAGE)

    def _stop(self, message: str) -> NoReturn:
        self.refused = RefusedError(message)
        raise UnpicklingRefusedError(message)
