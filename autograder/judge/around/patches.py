"""What tests replace in modules and classes of libraries, for the length of each call.

`mock.patch("builtins.input", ...)`, `np.dot = forbidden` and the like change an attribute of a
module in the judge's process. `Patches` notices such places there. The value at each place crosses
with every request that finds it replaced. A test's function crosses as a callback, which refuses
to be called when the test has taken its patch back.
"""

from __future__ import annotations

import builtins
import functools
import io
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

from autograder.judge.around.states import Modules
from autograder.judge.errors import RefusedError
from autograder.judge.policy import OF_STREAMS, SET_ELSEWHERE

MISSING = object()
GUARDED = "_guarded_"  # the attribute of such a function that holds the test's own
_STDIN = ("sys", "stdin")
_PATCHERS = frozenset({"__main__", "unittest.mock", "_pytest.monkeypatch"})
_MOCKS_OWN = frozenset(dir(mock.MagicMock())) | {"side_effect", "return_value"}
# Libraries that hide modules for a test; the first one finds "sys.modules" for `mock.patch.dict`.
_HIDERS = frozenset({"pkgutil", "test.support.import_helper"})
_FUNCTIONS = (types.FunctionType, types.MethodType)


class _Place:
    """An attribute of a module or a class that a test has replaced at least once."""

    def __init__(self, owner: Any, path: str, name: str) -> None:
        self.owner, self.path, self.name = owner, path, name
        self.original = vars(owner).get(name, MISSING)
        self.sent: tuple[Any, Any] = (MISSING, None)

    def current(self) -> Any:
        if self.owner is builtins:
            return _Builtins.replaced.get(self.name, self.original)
        return vars(self.owner).get(self.name, MISSING)

    def put(self, value: Any) -> None:
        if value is MISSING:
            _hold(self.owner, "__delattr__")(self.owner, self.name)
        else:
            _hold(self.owner, "__setattr__")(self.owner, self.name, value)


def _hold(owner: Any, method: str) -> Callable[..., Any]:
    """Return the class's method for an attribute, past the judge's own notes."""
    if owner is builtins or not isinstance(owner, types.ModuleType):
        return getattr(type(owner), method)  # type: ignore[no-any-return]
    return getattr(types.ModuleType, method)  # type: ignore[no-any-return]


class _Watched(types.ModuleType):
    """A module that notes what tests set."""

    __slots__ = ()
    patches: ClassVar[Patches | None] = None
    count: ClassVar[int] = 0  # of the modules when all were watched

    def __setattr__(self, name: str, value: Any) -> None:
        self._note(name)
        types.ModuleType.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        self._note(name)
        types.ModuleType.__delattr__(self, name)

    def _note(self, name: str) -> None:
        if _Watched.patches is not None and _by_a_test(sys._getframe(2)):
            _Watched.patches.note(self, name)


class _WatchedSys(_Watched):
    """The module `sys`, which notes who asks for `sys.modules`: one may hide a module there."""

    __slots__ = ()

    @property
    def modules(self) -> dict[str, types.ModuleType]:
        """What `sys.modules` is in any process."""
        frame = sys._getframe(1)
        if _by_a_test(frame) or frame.f_globals.get("__name__") in _HIDERS:
            Modules.unchanged = None
        return vars(self)["modules"]  # type: ignore[no-any-return]

    @modules.setter
    def modules(self, value: dict[str, types.ModuleType]) -> None:
        Modules.unchanged = None
        vars(self)["modules"] = value


class _Builtins(types.ModuleType):
    """The module `builtins`, whose replaced functions only tests and the student's code see.

    The judge and the libraries go on with Python's own, because a test may forbid `len` or `sum`.
    """

    __slots__ = ()
    replaced: ClassVar[dict[str, Any]] = {}
    show: ClassVar[Callable[[str, Any], None]]

    def __getattribute__(self, name: str) -> Any:
        if name in _Builtins.replaced:
            return _Builtins.replaced[name]
        return types.ModuleType.__getattribute__(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if _Watched.patches is None or name == "_":
            types.ModuleType.__setattr__(self, name, value)
            return
        place = _Watched.patches.note(self, name)
        _Builtins.replaced.pop(name, None)
        if value is not place.original:
            _Builtins.replaced[name] = value
        _Builtins.show(name, value if value is not place.original else MISSING)

    def __delattr__(self, name: str) -> None:
        if name in vars(self):
            raise RefusedError(f"a test can't delete the builtin {name}: replace it by a function")
        _Builtins.replaced.pop(name, None)
        _Builtins.show(name, MISSING)


def _by_a_test(frame: types.FrameType) -> bool:
    """Return whether a test, its helper module or a patching library runs in this frame."""
    name = frame.f_globals.get("__name__")
    if name in _PATCHERS:
        return True
    return not str(name).startswith("autograder.") and is_beside_tests(frame.f_globals)


def is_beside_tests(namespace: dict[str, Any]) -> bool:
    """Return whether the module with this namespace lies in the folder where the tests run."""
    file = namespace.get("__file__")
    try:
        return isinstance(file, str) and _is_in(file, Path.cwd())
    except OSError:  # a test has deleted its working folder
        return False


@functools.lru_cache
def _is_in(file: str, folder: Path) -> bool:
    return Path(file).parent == folder


class Patches:
    """The places where tests have replaced something.

    Args:
        show: shows tests a replaced builtin; the value `MISSING` stands for Python's own.
    """

    def __init__(self, show: Callable[[str, Any], None]) -> None:
        self._places: dict[tuple[int, str], _Place] = {}
        self._suspended: list[tuple[_Place, Any]] = []
        _Builtins.show = staticmethod(show)
        _Builtins.replaced = {}

    def install(self) -> None:
        """Watch all modules from now on."""
        self.watch()
        builtins.__class__ = _Builtins
        _Watched.patches = self
        enter = mock._patch.__enter__

        def entered(patch: Any) -> Any:
            target = patch.getter()  # imports the module
            self.watch()
            if _is_a_librarys(target):
                self.note(target, patch.attribute)
            return enter(patch)

        mock._patch.__enter__ = entered  # type: ignore[method-assign]

    def watch(self) -> None:
        """Watch the modules that were imported meanwhile, too."""
        if len(sys.modules) != _Watched.count:
            watch_modules()

    @contextmanager
    def unwatched(self) -> Iterator[None]:
        """Note nothing for a while."""
        _Watched.patches = None
        try:
            yield
        finally:
            _Watched.patches = self

    def note_class(self, owner: Any, name: str) -> None:
        """Note a place in a class of a library; modules notice what is set themselves."""
        if issubclass(type(owner), type) and _is_a_librarys(owner):
            self.note(owner, name)

    def note(self, owner: Any, name: str) -> _Place:
        """Note a place before a test replaces what is there."""
        key = (id(owner), name)
        if key not in self._places:
            self._places[key] = _Place(owner, _path(owner), name)
        return self._places[key]

    def _active(self) -> Iterator[tuple[_Place, Any]]:
        for place in self._places.values():
            value = place.current()
            if value is not place.original and _crosses(place, value):
                yield place, value

    def to_send(self) -> list[tuple[str, str, str, Any]]:
        """Return what is replaced now: owner, name, what the value is, and the value."""
        return [
            (place.path, place.name, *self._form(place, value)) for place, value in self._active()
        ]

    def _form(self, place: _Place, value: Any) -> tuple[str, Any]:
        if value is MISSING:
            return "gone", None
        if place.sent[0] is not value:
            form: Any = value
            if (place.path, place.name) == _STDIN:
                form = guarded(value.readline, "sys.stdin", lambda: self._is_at(place, value))
            elif isinstance(value, _FUNCTIONS):
                form = guarded(
                    value, f"{place.path}.{place.name}", lambda: self._is_at(place, value)
                )
            place.sent = value, form
        kind = "stdin" if (place.path, place.name) == _STDIN else "value"
        return kind, place.sent[1]

    def _is_at(self, place: _Place, value: Any) -> bool:
        return place.current() is value

    def is_stale(self, target: Any) -> bool:
        """Return whether a test's mock was in a library's place, and isn't any more."""
        places = [place for place in self._places.values() if place.sent[0] is target]
        return bool(places) and all(place.current() is not target for place in places)

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Let the judge itself run with the originals."""
        active = list(self._active())
        if not active or self._suspended:
            yield
            return
        self._suspended = active
        self._put_originals()
        try:
            yield
        finally:
            self._put_values()
            self._suspended = []

    @contextmanager
    def resumed(self) -> Iterator[None]:
        """Let a test's function run with its patches, within `suspended`."""
        if not self._suspended:
            yield
            return
        before, self._suspended = self._suspended, []
        for place, value in before:
            if place.owner is not builtins:
                place.put(value)
        try:
            yield
        finally:
            self._suspended = list(self._active())
            self._put_originals()

    def _put_originals(self) -> None:
        for place, _ in self._suspended:
            if place.owner is not builtins:
                place.put(place.original)

    def _put_values(self) -> None:
        for place, value in self._suspended:
            if place.owner is not builtins:
                place.put(value)

    def current(self) -> dict[tuple[int, str], Any]:
        """Return what is at each noted place."""
        return {key: place.current() for key, place in self._places.items()}

    def back_to(self, values: dict[tuple[int, str], Any]) -> None:
        """Put back what `current` returned; places noted since get their originals."""
        for key, place in self._places.items():
            value = values.get(key, place.original)
            if place.current() is not value:
                place.put(value)


def watch_modules() -> None:
    """Give all modules the class that notes what tests set."""
    if type(sys) is types.ModuleType:
        Modules.unchanged = Modules.missing()
        sys.__class__ = _WatchedSys
    for module in list(sys.modules.values()):
        if type(module) is types.ModuleType and module is not builtins:
            module.__class__ = _Watched
    _Watched.count = len(sys.modules)


def guarded(function: Callable[..., Any], what: str, in_place: Callable[[], bool]) -> Any:
    """Return a function that a student's code can call only while the test's patch is in place."""

    def patched(*args: Any, **kwargs: Any) -> Any:
        if not in_place():
            raise RuntimeError(f"the test has taken back what it put in the place of {what}")
        return function(*args, **kwargs)

    vars(patched)[GUARDED] = function
    return patched


def is_mock(obj: Any) -> bool:
    """Return whether an object is a mock of the standard library."""
    return issubclass(type(obj), mock.NonCallableMock)


def may_read(target: Any, name: str) -> bool:
    """Return whether a student's code may read a public attribute of a test's object.

    It may read those of a test's own classes and of their instances, and those of a mock that
    aren't the mock's controls.
    """
    if name[0] == "_":
        return False
    if is_mock(target):
        return name not in _MOCKS_OWN
    if isinstance(target, io.TextIOBase | io.BufferedIOBase):
        return name in OF_STREAMS
    kind = target if isinstance(target, type) else type(target)
    return kind.__module__ == "__main__"


def _crosses(place: _Place, value: Any) -> bool:
    name, module = place.name, place.path.partition(":")[0]
    if name.startswith("__") and name != "__import__":
        return False
    if name in SET_ELSEWHERE.get(module, ()):
        return False
    is_import = isinstance(value, types.ModuleType) and place.original is MISSING
    return not is_import


def _is_a_librarys(owner: Any) -> bool:
    if issubclass(type(owner), types.ModuleType):
        return bool(owner.__name__ != "__main__")
    return issubclass(type(owner), type) and owner.__module__ != "__main__"


def _path(owner: Any) -> str:
    if isinstance(owner, type):
        return f"{owner.__module__}:{owner.__qualname__}"
    return str(owner.__name__)
