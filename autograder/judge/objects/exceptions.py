"""The exceptions that a test gets for those that a student's code raised."""

from __future__ import annotations

import sys
from typing import Any

from autograder.judge.errors import STUDENT_MODULE
from autograder.judge.objects.kinds import Beliefs, builtin_exception
from autograder.judge.policy import LIBRARIES
from autograder.judge.raised import make_error, mark_cuda_failure, mark_theirs
from autograder.judge.wire.decoder import Decoder

# unittest's SkipTest and the like would end a test early.
_NEVER = frozenset({"unittest", "doctest", "bdb", "autograder"})
_KNOWN = (LIBRARIES | sys.stdlib_module_names) - _NEVER


class Exceptions:
    """The judge's classes for the classes of exceptions of the student's process.

    Args:
        beliefs: what the instructor's notebook says of classes.
    """

    def __init__(self, beliefs: Beliefs) -> None:
        self._beliefs = beliefs
        self._kinds: dict[int, type[BaseException]] = {}

    def kind(self, handle: int, names: list[Any], base: Any = None) -> type[BaseException]:
        """Return the class for a handle: a library's, a given one, or one made for it.

        Args:
            handle: the handle of the student's class.
            names: "module:qualname" of the class and of its bases.
            base: the judge's class for its base, if that isn't a builtin.
        """
        if handle not in self._kinds:
            if not all(type(name) is str for name in names):
                raise ValueError("an exception is described by names")
            self._kinds[handle] = self._known(names[0]) or _made(names, base)
        return self._kinds[handle]

    def _known(self, name: str) -> type[Exception] | None:
        module, _, qualname = name.partition(":")
        if module == "__main__":
            given = qualname not in self._beliefs.solutions
            cls = self._beliefs.given.get(qualname) if given else None
        elif module.partition(".")[0] in _KNOWN and module in sys.modules:
            cls = vars(sys.modules[module]).get(qualname)
            if _package(cls) in _NEVER:  # numpy.testing has unittest's SkipTest, too
                cls = None
        else:
            cls = None
        return cls if isinstance(cls, type) and issubclass(cls, Exception) else None


def _package(cls: Any) -> str:
    return str(getattr(cls, "__module__", None)).partition(".")[0]


class StudentsError(Exception):
    """The base of the classes that stand for a student's own classes of exceptions."""

    def __getattr__(self, name: str) -> Any:
        remote = vars(self).get("_remote_")
        if remote is None or name.startswith("__"):
            raise AttributeError(name)
        return getattr(remote, name)

    def __str__(self) -> str:
        text = vars(self).get("_text_")
        return super().__str__() if text is None else str(text)


def _made(names: list[str], base: Any) -> type[BaseException]:
    name = names[0].rpartition(":")[2].rpartition(".")[2][:100]
    if not isinstance(base, type) or not issubclass(base, Exception):
        plain = [part.partition(":")[2] for part in names if part.startswith("builtins:")]
        base = builtin_exception(plain)
        base = base if issubclass(base, Exception) else RuntimeError
    bases = (base,) if issubclass(base, StudentsError) else (StudentsError, base)
    return type(name, bases, {"__module__": STUDENT_MODULE})


def from_json(value: Any, decoder: Decoder, raised: list[BaseException]) -> BaseException:
    """Make the exception that a student's code raised, as nearly as its class is known.

    Args:
        value: what the candidate wrote.
        decoder: decodes the class and the exception itself.
        raised: the errors that a test's functions raised during this request: such an error comes
            back to the test as it is.
    """
    names, own, args, message, where, cuda_failed, instance, number = value
    if type(number) is int and 0 <= number < len(raised):
        return raised[number]
    kind = decoder.decode(own) if own is not None else builtin_exception(list(names))
    text = str(message)[:4000]
    error: BaseException
    if isinstance(kind, type) and issubclass(kind, Exception):
        error = make_error(kind, args, text)
        if instance is not None and isinstance(error, StudentsError):
            vars(error).update(_remote_=decoder.decode(instance), _text_=text)
        if where:
            error.add_note(f"In the student's code:\n{str(where)[:4000]}")
    elif names[:1] == ["SystemExit"]:
        error = SystemExit(*(part for part in args or () if type(part) in (type(None), int, str)))
    else:
        error = RuntimeError(f"the student's code raised {str(names[0])[:100]}: {text}")
    mark_theirs(error)
    if cuda_failed is True:
        mark_cuda_failure(error)
    return error
