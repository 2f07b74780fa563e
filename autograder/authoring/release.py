"""Makes the release that students get: checks for leaks, then nbgrader's generate_assignment."""

from __future__ import annotations

import logging
import shutil
import tempfile
from contextlib import nullcontext
from pathlib import Path

from autograder.assignment import read_sources
from autograder.attempts.decision_table import VOID, decisions_of
from autograder.authoring import leaks
from autograder.course import Course
from autograder.errors import ReleaseError
from autograder.grading.apply_decisions import apply_decisions
from autograder.grading.options import require_options


def release(course: Course, name: str) -> Path:
    """Release one assignment into the course's release folder and gradebook.

    Raises:
        ReleaseError: nbgrader refuses the source, or the release would hold a secret line; the
            release folder is unchanged then.
    """
    require_options(course)
    read_sources(course, name)  # its messages name the file, those of nbgrader don't
    with tempfile.TemporaryDirectory(prefix="release-") as folder:
        draft = generate(course, name, Path(folder) / "draft", database=False)
        check_leaks(course, name, draft)
        final = course.path("release", name)
        released = generate(course, name, Path(folder) / "final", database=True)
        try:
            if final.exists():
                shutil.rmtree(final)
            shutil.copytree(released, final)
            _decide_again(course, name)
        except OSError as error:
            raise ReleaseError(
                f"{final} can't be written: {error.strerror or error}",
                "check that you may write the release folder, then release again",
            ) from error
    return final


def _decide_again(course: Course, name: str) -> None:
    """Void again what was voided: nbgrader has just written the points of all cells anew."""
    with course.gradebook() as gradebook, course.naming_the_gradebook():
        voids = [
            one for one in decisions_of(gradebook, name) if one.kind == VOID and not one.taken_back
        ]
        if voids:
            apply_decisions(course, gradebook, name, voids)
            gradebook.db.commit()


def is_current(course: Course, name: str) -> bool:
    """Whether a new release would be the same as the release folder, byte for byte."""
    require_options(course)
    with tempfile.TemporaryDirectory(prefix="release-") as folder:
        draft = generate(course, name, Path(folder), database=False)
        check_leaks(course, name, draft)
        return read_tree(draft) == read_tree(course.path("release", name))


def check_leaks(course: Course, name: str, draft: Path) -> None:
    """Refuse a release that holds a line of a solution, a hidden test, a key or a private file.

    Raises:
        ReleaseError: the release holds such lines; the message names their places.
    """
    secret = leaks.secrets_of(course, name)
    secret_lines = leaks.find(read_tree(draft), secret, leaks.markers_of(course))
    if secret_lines:
        places = "\n  ".join(str(leak) for leak in secret_lines[:10])
        raise ReleaseError(
            f"'{name}' would give away {len(secret_lines)} secret lines:\n  {places}",
            "put them between BEGIN/END SOLUTION or BEGIN/END HIDDEN TESTS, or out of the source"
            " folder; if students are meant to see such a line, list it in the notebook's metadata,"
            " autograder: {public: [LINE]}; nothing was released",
        )


def read_tree(folder: Path) -> dict[str, bytes]:
    """The content of every file below a folder, by the file's relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def generate(course: Course, name: str, folder: Path, *, database: bool) -> Path:
    """Run nbgrader's converter into `folder`; with `database`, save the cells in the gradebook."""
    from nbgrader.converters import GenerateAssignment
    from nbgrader.converters.base import NbGraderException
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.preprocessors import SaveCells

    directory = CourseDirectory(config=course.config, root=str(course.root))
    directory.assignment_id = name
    directory.release_directory = str(folder)
    complaints = _Complaints()
    log = logging.Logger("generate_assignment")
    log.addHandler(complaints)
    converter = GenerateAssignment(coursedir=directory, config=course.config, log=log)
    if not database:
        converter.no_database = True
        converter.preprocessors = [
            step for step in converter.preprocessors if step is not SaveCells
        ]
    try:
        with course.gradebook(create=True) if database else nullcontext():
            converter.start()
    except (NbGraderException, SystemExit) as error:
        raise ReleaseError(
            f"nbgrader can't release '{name}': {complaints.last or error}",
            "mend its text source (or, if cells came or went after students handed in, release it"
            " under a new name), run 'make notebooks', then release again",
        ) from error
    return folder / name


class _Complaints(logging.Handler):
    """Collects the errors that nbgrader logs, because its exceptions don't contain them."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        lines = record.getMessage().strip().splitlines()
        if lines and record.getMessage().startswith("Traceback"):
            self.last = lines[-1]
