"""An nbgrader course folder: the paths of its parts, and nbgrader's configuration."""

from __future__ import annotations

import difflib
import glob
import importlib
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.cells import Delimiters, Region
from autograder.errors import CourseError, GradebookError

if TYPE_CHECKING:  # nbgrader takes seconds to import
    from nbgrader.api import Gradebook
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

CONFIG_NAME = "nbgrader_config.py"
OWN = "Autograder"
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


@dataclass(frozen=True)
class OwnOptions:
    """The autograder's own options, in nbgrader_config.py as `c.Autograder.NAME = …`.

    Attributes:
        in_kernel: patterns of tests that run in the student's process, as in stock nbgrader:
            "CELL" or "ASSIGNMENT/CELL". A student can get their points without solving anything.
        memory_megabytes: memory that a submission may use in addition to what the imports take.
    """

    in_kernel: Sequence[str] = ()
    memory_megabytes: int = 2048

    @classmethod
    def read(cls, stated: Mapping[str, Any]) -> OwnOptions:
        """The options that the configuration states.

        Raises:
            CourseError: an option doesn't exist, or has a value of another kind.
        """
        known = [item.name for item in fields(cls)]
        for name in stated:
            if name not in known:
                raise CourseError(
                    f"there is no option c.{OWN}.{name}", f"choose one of {', '.join(known)}"
                )
        patterns, memory = stated.get("in_kernel", ()), stated.get("memory_megabytes", 2048)
        if not isinstance(patterns, list | tuple) or not all(isinstance(p, str) for p in patterns):
            raise CourseError(
                f"c.{OWN}.in_kernel is {patterns!r}", 'write a list of patterns: ["a1/test_*"]'
            )
        if type(memory) is not int or memory < 128:
            raise CourseError(
                f"c.{OWN}.memory_megabytes is {memory!r}", "write a whole number, at least 128"
            )
        return cls(tuple(patterns), memory)


class Course:
    """An opened course folder.

    The configuration is what nbgrader reads when it is started in this folder: Jupyter's own
    folders first (the system's, the environment's, the user's), and the course's file last.

    Args:
        root: the folder that holds nbgrader_config.py and source/.

    Raises:
        CourseError: the folder is not a course, or its configuration can't be read.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        if not (self.root / CONFIG_NAME).is_file():
            raise CourseError(
                f"{root} is not a course: it has no {CONFIG_NAME}",
                "name the course folder with --course DIR",
            )
        self.config = self._load_config()
        self.directory = self._directory()

    @classmethod
    def find(cls, root: Path | None) -> Course:
        """The course at `root`; None: the current folder if it is a course, else ./exercises."""
        if root is not None:
            return cls(root)
        here = Path.cwd()
        return cls(here if (here / CONFIG_NAME).is_file() else here / "exercises")

    def _load_config(self) -> Config:
        from jupyter_core.paths import jupyter_config_path
        from traitlets.config import Config, JSONFileConfigLoader, PyFileConfigLoader

        paths = [str(self.root), *jupyter_config_path()]
        loaders = ((PyFileConfigLoader, "py"), (JSONFileConfigLoader, "json"))
        config = Config()
        with self.as_nbgrader_runs():
            # What is read later wins: the specific name, then the first folder.
            for name, path in product(("jupyter_config", "nbgrader_config"), reversed(paths)):
                for loader, suffix in loaders:
                    file = Path(path) / f"{name}.{suffix}"
                    if file.is_file():
                        config.merge(self._read(loader(file.name, path=path), file))
            self._import_plugins(config)
        return config

    @staticmethod
    def _read(loader: Any, file: Path) -> Config:
        try:
            loaded: Config = loader.load_config()
        except Exception as error:
            raise CourseError(
                f"{file} can't be read: {type(error).__name__}: {error}",
                "mend the file; 'nbgrader --help-all' lists what it may set",
            ) from error
        return loaded

    @contextmanager
    def as_nbgrader_runs(self) -> Iterator[None]:
        """Work in the course folder, from which modules can be imported, inside the block."""
        with chdir(self.root):
            sys.path.insert(0, str(self.root))
            try:
                yield
            finally:
                sys.path.remove(str(self.root))

    def _import_plugins(self, config: Any) -> None:
        """Import the modules beside the configuration that an option names, such as a plug-in.

        nbgrader finds them later, when it makes the object that the option is about.
        """
        values = config.values() if isinstance(config, dict) else config
        for value in values:
            if isinstance(value, dict | list | tuple):
                self._import_plugins(value)
            elif isinstance(value, str) and _DOTTED.fullmatch(value):
                module = value.rpartition(".")[0]
                top = self.root / module.partition(".")[0]
                if top.with_suffix(".py").is_file() or (top / "__init__.py").is_file():
                    try:
                        importlib.import_module(module)
                    except Exception as error:
                        raise CourseError(
                            f"{value}, which {CONFIG_NAME} names, can't be imported:"
                            f" {type(error).__name__}: {error}",
                            f"mend {top.name} in {self.root}",
                        ) from error

    def _directory(self) -> CourseDirectory:
        from nbgrader.coursedir import CourseDirectory
        from traitlets import TraitError

        stated = self.config.get("CourseDirectory", {}).get("root")
        if stated and (self.root / str(stated)).resolve() != self.root:
            raise CourseError(
                f"the configuration says that the course is {stated}"
                f" (c.CourseDirectory.root), not {self.root}",
                "give that folder with --course, or remove the option",
            )
        config = self.config.copy()
        config.get("CourseDirectory", {}).pop("root", None)
        try:
            return CourseDirectory(config=config, root=str(self.root))
        except TraitError as error:
            raise CourseError(
                f"{self.root / CONFIG_NAME} sets an option wrongly: {error}", "mend the option"
            ) from error

    @cached_property
    def delimiters(self) -> Delimiters:
        """The texts that mark the regions of this course's notebooks."""
        from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, ClearSolutions

        solutions = ClearSolutions(config=self.config)
        tests = ClearHiddenTests(config=self.config)
        scheme = ClearMarkScheme(config=self.config)
        return {
            Region.SOLUTION: (
                solutions.begin_solution_delimeter,
                solutions.end_solution_delimeter,
            ),
            Region.HIDDEN_TESTS: (tests.begin_test_delimeter, tests.end_test_delimeter),
            Region.MARK_SCHEME: (
                scheme.begin_mark_scheme_delimeter,
                scheme.end_mark_scheme_delimeter,
            ),
        }

    @cached_property
    def own(self) -> OwnOptions:
        """The autograder's own options.

        Raises:
            CourseError: an option doesn't exist, or has a value of another kind.
        """
        return OwnOptions.read(self.config.get(OWN, {}))

    def ignores(self, name: str) -> bool:
        """Whether nbgrader copies no file or folder of this name."""
        return any(fnmatchcase(name, pattern) for pattern in self.directory.ignore)

    def runs_in_kernel(self, assignment: str, cell: str) -> bool:
        """Whether the configuration wants a test to run in the student's process."""
        names = (cell, f"{assignment}/{cell}")
        return any(fnmatchcase(name, pattern) for pattern in self.own.in_kernel for name in names)

    def path(self, step: str, assignment: str, student: str = ".") -> Path:
        """The folder of one step ("source", "submitted", …) for an assignment and a student."""
        name = getattr(self.directory, f"{step}_directory")
        return Path(self.directory.format_path(name, student, assignment)).resolve()

    def folders(self, step: str, assignment: str, student: str) -> list[tuple[str, str, Path]]:
        """The folders of one step that exist.

        Args:
            step: as for `path`.
            assignment: an assignment's name; "*" for all.
            student: a student's id; "*" for all, "." for the instructor's own folders.

        Returns:
            The assignment's name, the student's id and the folder, sorted.
        """
        pattern, expression = self._shape(step, assignment, student)
        places = glob.glob(pattern)  # noqa: PTH207
        matches = [(re.fullmatch(expression, place), Path(place)) for place in places]
        return sorted(
            (
                match.groupdict().get("assignment", assignment),
                match.groupdict().get("student", student),
                path.resolve(),
            )
            for match, path in matches
            if match and path.is_dir()
        )

    def students_place(self, step: str, assignment: str) -> tuple[str, re.Pattern[str]]:
        """Where one step's folders of an assignment are, as a glob pattern.

        Returns:
            The pattern, and the expression whose group "student" is the id in such a path.
        """
        pattern, expression = self._shape(step, assignment, "*")
        return pattern, re.compile(expression)

    def _shape(self, step: str, assignment: str, student: str) -> tuple[str, str]:
        """A glob pattern and a regular expression for folders; "*" stands for any name."""
        structure = self.directory.format_path("{step}", "{student}", "{assignment}")
        name = getattr(self.directory, f"{step}_directory")
        pattern, expression = glob.escape(structure), re.escape(structure)
        for key, value in {"step": name, "student": student, "assignment": assignment}.items():
            wanted = "*" if value == "*" else glob.escape(value)
            pattern = pattern.replace(f"{{{key}}}", wanted)
            group = f"(?P<{key}>{'[^/]*' if value == '*' else re.escape(value)})"
            place = re.escape(f"{{{key}}}")
            expression = expression.replace(place, group, 1).replace(place, f"(?P={key})")
        return pattern, expression

    def assignments(self) -> list[str]:
        """The names of all assignments that have a source folder."""
        return [
            name
            for name, _, folder in self.folders("source", "*", ".")
            if any(folder.glob("*.ipynb"))
        ]

    def resolve(self, name: str) -> str:
        """An assignment's full name from the name or an unambiguous beginning of it ("ps5").

        Raises:
            CourseError: no assignment, or more than one, has a name that fits; or nbgrader allows
                no such name.
        """
        names = self.assignments()
        matches = (
            [name]
            if name in names
            else [full_name for full_name in names if full_name.startswith(name)]
        )
        if len(matches) == 1 and name:
            return _allowed(matches[0])
        if len(matches) > 1:
            raise CourseError(
                f"'{name}' could be any of {', '.join(matches)}", "write more of the name"
            )
        close = difflib.get_close_matches(name, names, n=1)
        remedy = (
            f"did you mean {close[0]}?" if close else f"there are: {', '.join(names) or 'none'}"
        )
        raise CourseError(f"no assignment '{name}' in {self.root}", remedy)

    def students(self, assignment: str, only: str | None = None) -> list[str]:
        """The ids of the students who handed the assignment in; only the student `only` if given.

        As in nbgrader, `c.CourseDirectory.student_id` (a pattern) and `student_id_exclude` choose
        among them.

        Raises:
            CourseError: the student `only` has no submission, or there are no submissions.
        """
        excluded = {name.strip() for name in self.directory.student_id_exclude.split(",")}
        students = [
            student
            for _, student, _ in self.folders("submitted", assignment, "*")
            if fnmatchcase(student, self.directory.student_id) and student not in excluded
        ]
        place = self.path("submitted", assignment, "*")
        if only is not None and only not in students:
            raise CourseError(
                f"student '{only}' has handed in no '{assignment}'",
                f"look into {place}; there are {len(students)} submissions",
            )
        if not students:
            raise CourseError(
                f"nobody has handed in '{assignment}': there is no {place}",
                f"collect submissions first, as with 'nbgrader collect {assignment}'",
            )
        return [only] if only else students

    @property
    def database_file(self) -> Path | None:
        """The gradebook's file; None if the gradebook is on a database server."""
        url = str(self.directory.db_url)
        return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None

    @contextmanager
    def gradebook(self, create: bool = False) -> Iterator[Gradebook]:
        """Open nbgrader's gradebook, and close it at the end of the block.

        Raises:
            GradebookError: it doesn't exist (and `create` is false), or can't be opened or used.
        """
        from nbgrader.api import Gradebook

        file = self.database_file
        if not create and file is not None and not file.is_file():
            raise GradebookError(
                f"{file} does not exist: nothing has been released yet",
                "run 'autograder release' first",
            )
        if create:  # nbgrader finds 'alembic' by PATH, which lacks an inactive .venv
            scripts = str(Path(sys.executable).parent)
            os.environ["PATH"] = os.pathsep.join([scripts, os.environ.get("PATH", os.defpath)])
        with (
            self.naming_the_gradebook(),
            Gradebook(str(self.directory.db_url), self.directory.course_id) as gradebook,
        ):
            yield gradebook

    @contextmanager
    def naming_the_gradebook(self) -> Iterator[None]:
        """Turn the database's errors inside the block into errors that name the gradebook.

        Raises:
            GradebookError: the database raised an error; the message says what to do.
        """
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise GradebookError(
                f"the gradebook {self.database_file or self.directory.db_url} can't be used:"
                f" {reason}",
                "check that it is a gradebook (else restore the newest gradebook.db.backup-*), that"
                " you may write it and its folder, that there is room, and that no other program"
                " holds it locked",
            ) from error


def _allowed(name: str) -> str:
    if "+" in name or name != name.strip():
        raise CourseError(
            f"nbgrader allows no assignment named '{name}': a '+', or a space at an end",
            "rename its folder in the source folder",
        )
    return name
