"""A test may import the instructor's own modules from the folder of the assignment."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType


class Helpers:
    """Finds modules and packages that are in the folder at the start, none that come later.

    Python asks it last, so that no file can take the place of a library.
    """

    def __init__(self) -> None:
        self._folder = Path.cwd()
        self._names = {
            path.stem for path in self._folder.iterdir() if path.suffix == ".py" or path.is_dir()
        }

    def install(self) -> None:
        """Let `import` ask it."""
        sys.meta_path.append(self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Do as a finder of `sys.meta_path`."""
        if path is not None or name not in self._names:
            return None
        return PathFinder.find_spec(name, [str(self._folder)], target)
