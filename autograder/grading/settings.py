"""How submissions are run, and whether this machine can run them in this way."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from dataclasses import fields as dataclass_fields
from typing import Any

from traitlets.config import Config

from autograder.course import Course
from autograder.errors import AutograderError, CourseError
from autograder.grading.options import require_options
from autograder.sandbox.launch import isolation_problem
from autograder.sandbox.limits import Limits
from autograder.sandbox.view import gpus

# A part of every result's key. Raise it when scores may change, so that all is graded again.
ENGINE = "7"
CELL_SECONDS = 30.0


class NoIsolationError(AutograderError):
    """This machine can't isolate student code."""


@dataclass(frozen=True)
class Settings:
    """How submissions are run.

    Attributes:
        isolated: whether student code is isolated from the machine.
        device: "auto", "cpu" or "cuda": the device that models may run on.
        config: nbgrader's configuration of the course (time limit of a cell, length of output).
        limits: bounds of one submission.
        stop_at_failure: whether to end the run at the first test that doesn't get all its points.
    """

    isolated: bool = True
    device: str = "auto"
    config: Config = field(default_factory=Config)
    limits: Limits = field(default_factory=Limits)
    stop_at_failure: bool = False

    @classmethod
    def of(cls, course: Course, limits: Limits | None = None, **settings: Any) -> Settings:
        """The settings for a course.

        Args:
            course: the course.
            limits: bounds of one submission; None: as the course's options say.
            settings: other fields.

        Raises:
            CourseError: the configuration sets an option that the engine doesn't follow.
        """
        require_options(course)
        limits = limits or Limits(memory_bytes=course.own.memory_megabytes << 20)
        return cls(config=course.config, limits=limits, **settings)

    @property
    def gpus(self) -> tuple[str, ...]:
        """The device files of the GPUs that models may run on."""
        return () if self.device == "cpu" else gpus()

    @property
    def models_on(self) -> str:
        """The device of models, "cuda" or "cpu"; "cuda" by name may be another machine's."""
        return "cuda" if self.device == "cuda" or self.gpus else "cpu"

    @property
    def key(self) -> dict[str, Any]:
        """What a score depends on, for a result's key: all fields, with the used part of `config`.

        A test asserts that a change of any field, or of any limit, changes the key.
        """
        fields = {item.name: getattr(self, item.name) for item in dataclass_fields(self)}
        del fields["config"]
        return fields | {
            "device": self.models_on,
            "limits": asdict(self.limits),
            "cell_seconds": self.cell_seconds,
            "values": self.values,
        }

    @property
    def values(self) -> dict[str, list[str]]:
        """The course's own types that cross by value, from `c.Judge.values`.

        Raises:
            CourseError: the option isn't a dict of class names and lists of attribute names.
        """
        values = self.config.get("Judge", {}).get("values", {})
        if not isinstance(values, dict) or not all(map(_is_type, values.items())):
            raise CourseError(
                f"c.Judge.values is {values!r:.200}, which names no types",
                'write a dict such as {"geometry.Point": ["x", "y"]}: for each class, by its full'
                " name, the attributes that it takes as keyword arguments",
            )
        return {name: list(attributes) for name, attributes in values.items()}

    @property
    def cell_seconds(self) -> float:
        """The time limit of a cell, from nbgrader's own setting `c.Execute.timeout`.

        None, 0 and negative numbers mean no limit of its own: then only the submission's counts.
        """
        sections = ("Execute", "ExecutePreprocessor", "NotebookClient")
        stated = [self.config[name] for name in sections if "timeout" in self.config.get(name, {})]
        timeout = stated[0]["timeout"] if stated else CELL_SECONDS
        limited = isinstance(timeout, int | float) and timeout > 0
        return float(timeout) if limited else self.limits.wall_seconds


def _is_type(item: tuple[Any, Any]) -> bool:
    name, attributes = item
    words = name.split(".") if isinstance(name, str) else [""]
    names = attributes if isinstance(attributes, list | tuple) else [""]
    return len(words) > 1 and all(isinstance(n, str) and n.isidentifier() for n in [*words, *names])


def require_device(device: str) -> None:
    """Make sure that this machine has the device that models are to run on.

    Raises:
        CourseError: the machine doesn't have the device.
    """
    if device == "cuda" and not gpus():
        raise CourseError(
            "--device cuda: this machine has no CUDA device",
            "leave --device out: models then run on the CPU",
        )


def require_isolation() -> None:
    """Make sure that this machine can isolate student code.

    Raises:
        NoIsolationError: the machine can't; the message says what to do.
    """
    problem = isolation_problem()
    if problem:
        raise NoIsolationError(
            f"this machine can't isolate student code: {problem}",
            "or grade on another machine, or, if you trust every student with your files and the"
            " hidden tests, 'autograder grade --isolation none'",
        )
