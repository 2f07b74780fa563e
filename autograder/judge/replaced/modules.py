"""Modules that tests import from the working folder: the instructor's, and the student's.

The instructor's modules run in the judge, from the files that were there at the beginning. A
student's module never does: a test gets an object in its place, which asks the candidate for each
name. Only an import in a test's own code finds a student's module, so that no library of the judge
takes one for an optional dependency.
"""

from __future__ import annotations

import ast
import builtins
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.judge.replaced import libraries

if TYPE_CHECKING:
    from autograder.judge.judge_end import JudgePeer


class GivenModules:
    """Finds the instructor's modules in the working folder, as Python itself would find them.

    Args:
        folder: the working folder.
        given: the paths of the instructor's files in it.
    """

    def __init__(self, folder: Path, given: frozenset[str]) -> None:
        self._folder = folder
        self._given = given

    def install(self) -> None:
        """Look here before the folders of installed packages, as Python looks in its own folder."""
        place = next(
            (
                index
                for index, finder in enumerate(sys.meta_path)
                if finder is importlib.machinery.PathFinder
            ),
            len(sys.meta_path),
        )
        sys.meta_path.insert(place, self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, _: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The specification of a module among the instructor's files.

        Raises:
            ModuleNotFoundError: a package of the instructor's has no such module. A file that a
                student wrote into its folder is none of it.
        """
        place = "/".join(name.split("."))
        for file in (f"{place}/__init__.py", f"{place}.py"):
            if file in self._given:
                target = str(self._folder / file)
                package = [str(self._folder / place)] if file.endswith("__init__.py") else None
                return importlib.util.spec_from_file_location(
                    name,
                    target,
                    loader=_GivenLoader(name, target),
                    submodule_search_locations=package,
                )
        if self._is_plain_folder(place) and not _is_installed(name, path):
            spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
            spec.submodule_search_locations = [str(self._folder / place)]
            return spec
        if path is not None and any(Path(part).is_relative_to(self._folder) for part in path):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None

    def _is_plain_folder(self, place: str) -> bool:
        """Whether a folder holds modules of the instructor's, without an __init__.py."""
        return any(file.startswith(f"{place}/") and file.endswith(".py") for file in self._given)


def _is_installed(name: str, path: Sequence[str] | None) -> bool:
    """Whether there is a real package of this name, which a plain folder doesn't hide."""
    installed = importlib.machinery.PathFinder.find_spec(name, path)
    return installed is not None and installed.loader is not None


class _GivenLoader(importlib.machinery.SourceFileLoader):
    """Compiles a module as a test is compiled, and reads no byte code, which anybody may write."""

    def get_code(self, fullname: str) -> types.CodeType:
        path = self.get_filename(fullname)
        tree = libraries.TypeCalls().visit(ast.parse(self.get_data(path), path))
        return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)

    def exec_module(self, module: types.ModuleType) -> None:
        setattr(module, libraries.TypeCalls.name, libraries.type_of)
        super().exec_module(module)


class StudentModule(types.ModuleType):
    """A module that the student wrote: every name is asked of the candidate."""

    def __init__(self, peer: JudgePeer, name: str) -> None:
        super().__init__(name)
        self.__dict__["_peer_"] = peer
        public = peer.request("module", None, name, [None])
        names = public if isinstance(public, list) else []
        self.__dict__["__all__"] = [text for text in names if isinstance(text, str)]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._peer_.request("module", None, self.__name__, [name])


def importer(peer: JudgePeer, is_theirs: Callable[[str], bool]) -> Callable[..., Any]:
    """The `__import__` of tests, which finds the student's modules last.

    Args:
        peer: the judge's end of the conversation.
        is_theirs: the function that tells whether the student has a file.
    """

    def find(  # with the parameters' names of the builtin
        name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
    ) -> Any:
        try:
            return builtins.__import__(name, globals, locals, fromlist, level)
        except ModuleNotFoundError as error:
            place = "/".join(name.split("."))
            missing = error.name is not None and f"{name}.".startswith(f"{error.name}.")
            if level or not missing:
                raise
            if not is_theirs(f"{place}.py") and not is_theirs(f"{place}/__init__.py"):
                raise
        module = StudentModule(peer, name)
        if fromlist or "." not in name:
            return module
        return StudentModule(peer, name.partition(".")[0])

    return find
