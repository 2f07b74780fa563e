"""Which of nbgrader's options this engine follows; an option that it doesn't follow is refused.

nbgrader's options are traits of its classes. A class is either one whose work this engine does
(`FOLLOWED`), or one of a command that stays nbgrader's own, such as the exchange. A class of the
first kind may have only the options that are listed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from traitlets import HasTraits, TraitError
from traitlets.config import Config, Configurable, LazyConfigValue

from autograder.course import Course
from autograder.errors import CourseError

ALL = "*"  # every option that the class defines itself
_CONVERTER = "force"  # a run does what is new or changed; --force does the rest

FOLLOWED: dict[str, str] = {
    "CourseDirectory": ALL,
    # release: nbgrader's own steps run
    "GenerateAssignment": f"preprocessors create_assignment permissions {_CONVERTER}",
    "IncludeHeaderFooter": f"{ALL} enabled",
    "LockCells": f"{ALL} enabled",
    "ClearSolutions": f"{ALL} enabled",
    "ClearHiddenTests": f"{ALL} enabled",
    "ClearMarkScheme": f"{ALL} enabled",
    "ClearOutput": "enabled",
    "ComputeChecksums": "",
    "SaveCells": "",
    # grade
    "Autograde": "create_student exclude_overwriting sanitize_preprocessors"
    f" autograde_preprocessors {_CONVERTER}",
    "Execute": "timeout raise_on_iopub_timeout iopub_timeout startup_timeout execute_retries",
    "IgnorePattern": f"{ALL} enabled",
    "LimitOutput": f"{ALL} enabled",
    "OverwriteCells": "add_missing_cells missing_cell_notification",
    "OverwriteKernelspec": "",
    "DeduplicateIds": "",
    "CheckCellMetadata": "",
    "SaveAutoGrades": "",
    "AssignLatePenalties": f"{ALL} enabled",
    "LateSubmissionPlugin": ALL,
    # feedback: nbgrader's own steps run
    "GenerateFeedback": f"preprocessors {_CONVERTER}",
    "GetGrades": f"{ALL} enabled",
    "GenerateAssignmentApp": "",
}
# nbgrader's own steps of grading. The engine does their work, so no others can be among them.
_STEPS = {
    "sanitize_preprocessors": "ClearOutput DeduplicateIds OverwriteKernelspec OverwriteCells"
    " CheckCellMetadata",
    "autograde_preprocessors": "Execute IgnorePattern ClearMetadataPreprocessor LimitOutput"
    " SaveAutoGrades AssignLatePenalties CheckCellMetadata",
}
_WHERE = {
    "GenerateAssignmentApp.source_with_tests": "set c.CourseDirectory.source_directory ="
    " 'source_with_tests' instead",
    "CourseDirectory.notebook_id": "an assignment is graded as a whole",
    "GenerateAssignment.no_database": "the gradebook is needed for grading",
}


def require_options(course: Course) -> None:
    """Make sure that the configuration sets no option of nbgrader that this engine doesn't follow.

    Raises:
        CourseError: it sets such an option, or an option has a value of a wrong kind.
    """
    _ = course.own
    for kind in _classes():
        for name, value in _stated(course.config, kind):
            default = kind.class_traits()[name].default_value
            if not is_followed(kind, name) and value != default:
                _refuse(kind, name, value)
        _make(kind, course)
    if course.directory.notebook_id != "*":
        _refuse(type(course.directory), "notebook_id", course.directory.notebook_id)
    for name, known in _STEPS.items():
        for step in steps(course, name):
            if step not in known.split():
                _refuse(_by_name("Autograde"), name, step)


def steps(course: Course, name: str = "autograde_preprocessors") -> list[str]:
    """The class names of nbgrader's steps that the configuration wants."""
    converter = _make(_by_name("Autograde"), course)
    return [
        str(getattr(step, "__name__", step)).rpartition(".")[2] for step in getattr(converter, name)
    ]


def is_followed(kind: type[HasTraits], name: str) -> bool:
    """Whether the engine follows an option of one of nbgrader's classes in `FOLLOWED`."""
    listed = FOLLOWED[kind.__name__].split()
    return name in listed or (ALL in listed and name in kind.class_own_traits(config=True))


def _stated(config: Config, kind: type[Configurable]) -> Iterator[tuple[str, Any]]:
    """The options of a class that the configuration sets, also by the name of a base class."""
    for name in kind.class_traits(config=True):
        for base in kind.__mro__:
            section = config.get(base.__name__, {})
            if name in section:
                value = section[name]
                # One of these only changes a default, such as a list to which it appends.
                if not isinstance(value, LazyConfigValue) or not is_followed(kind, name):
                    yield name, value
                break


def _make(kind: type[Configurable], course: Course) -> Any:
    """An object of a class with the course's options, as nbgrader makes it.

    Raises:
        CourseError: an option has a value of a wrong kind.
    """
    is_converter = "coursedir" in kind.class_traits()
    extra = {"coursedir": course.directory} if is_converter else {}
    if kind.__name__.endswith("App") or kind.__name__ == "CourseDirectory":
        return None
    try:
        return kind(config=course.config, **extra)
    except (TraitError, ImportError) as error:
        raise CourseError(
            f"nbgrader's option {kind.__name__} in the configuration is wrong: {error}",
            "mend the option; 'nbgrader --help-all' says what it may be",
        ) from error


def _refuse(kind: type[HasTraits], name: str, value: object) -> None:
    option = f"{kind.__name__}.{name}"
    raise CourseError(
        f"the configuration sets nbgrader's option {option} to {value!r}, which the autograder"
        " doesn't follow",
        f"remove it ({_WHERE.get(option, 'docs/grading.md lists what is followed')}); nothing was"
        " run",
    )


@cache
def _classes() -> Iterable[type[Configurable]]:
    from nbgrader import apps, converters, coursedir, plugins, preprocessors

    modules = (coursedir, preprocessors, converters, plugins, apps)
    return [
        getattr(module, name) for name in FOLLOWED for module in modules if hasattr(module, name)
    ]


def _by_name(name: str) -> type[Configurable]:
    return next(kind for kind in _classes() if kind.__name__ == name)
