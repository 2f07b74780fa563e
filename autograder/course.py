"""An nbgrader course folder: the paths of its parts, and its nbgrader_config.py."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.errors import CourseError, GradebookError

if TYPE_CHECKING:  # nbgrader takes seconds to import
    from nbgrader.api import Gradebook
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

CONFIG_NAME = "nbgrader_config.py"


class Course:
    """An opened course folder.

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
        from traitlets.config import PyFileConfigLoader

        try:
            return PyFileConfigLoader(CONFIG_NAME, path=str(self.root)).load_config()
        except Exception as error:
            raise CourseError(
                f"{self.root / CONFIG_NAME} can't be read: {type(error).__name__}: {error}",
                "mend the file; 'nbgrader --help-all' lists what it may set",
            ) from error

    def _directory(self) -> CourseDirectory:
        from nbgrader.coursedir import CourseDirectory

        return CourseDirectory(config=self.config, root=str(self.root))

    def path(self, step: str, assignment: str, student: str = ".") -> Path:
        """The folder of one step ("source", "submitted", …) for an assignment and a student."""
        name = getattr(self.directory, f"{step}_directory")
        return Path(self.directory.format_path(name, student, assignment)).resolve()

    def assignments(self) -> list[str]:
        """The names of all assignments that have a source folder."""
        parent = self.path("source", "x").parent
        if not parent.is_dir():
            return []
        return sorted(
            folder.name
            for folder in parent.iterdir()
            if folder.is_dir() and any(folder.glob("*.ipynb"))
        )

    def resolve(self, name: str) -> str:
        """An assignment's full name from the name or an unambiguous beginning of it ("ps5").

        Raises:
            CourseError: no assignment, or more than one, has a name that fits.
        """
        names = self.assignments()
        matches = (
            [name]
            if name in names
            else [full_name for full_name in names if full_name.startswith(name)]
        )
        if len(matches) == 1 and name:
            return matches[0]
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

        Raises:
            CourseError: the student `only` has no submission, or there are no submissions.
        """
        folder = self.path("submitted", assignment, "*").parent.parent
        entries = sorted(folder.iterdir()) if folder.is_dir() else []
        students = [entry.name for entry in entries if (entry / assignment).is_dir()]
        if only is not None and only not in students:
            raise CourseError(
                f"student '{only}' has handed in no '{assignment}'",
                f"look into {folder}; there are {len(students)} submissions",
            )
        if not students:
            raise CourseError(
                f"nobody has handed in '{assignment}': {folder} has no */{assignment}",
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
