"""The settings of the attempt service, from the course's nbgrader_config.py.

c.AttemptService.db_url = "postgresql+psycopg://user@host/attempts"
c.AttemptService.verdicts = "at once"
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from autograder.course import CONFIG_NAME, Course
from autograder.errors import AutograderError

DAYS = 200  # how long a token is valid, if nobody says otherwise
VERDICTS = ("after the due date", "at once", "never")


class AttemptServiceError(AutograderError):
    """The attempt service can't do what was asked of it."""


@dataclass(frozen=True)
class ServiceSettings:
    """How the attempt service works for a course.

    Attributes:
        db_url: the database as an SQLAlchemy URL.
        verdicts: when a student gets verdict, feedback and complete solution: "after the due date"
            (of the last student who has an extension), "at once" or "never". They are never shown
            before the answer is recorded.
        requests_a_minute: how many requests a student may make in a minute.
        hub_group: the group of JupyterHub whose members are instructors.
    """

    db_url: str
    verdicts: str = VERDICTS[0]
    requests_a_minute: int = 120
    hub_group: str = ""

    @classmethod
    def of(cls, course: Course) -> ServiceSettings:
        """Read the settings of a course.

        Raises:
            AttemptServiceError: a setting has an unknown name or an impossible value.
        """
        given = dict(course.config.get("AttemptService", {}))
        known = {field.name for field in fields(cls)}
        config = course.root / CONFIG_NAME
        if unknown := sorted(given.keys() - known):
            raise AttemptServiceError(
                f"{config}: c.AttemptService.{unknown[0]} is not a setting",
                f"there are {', '.join(sorted(known))}",
            )
        values: dict[str, Any] = {
            "db_url": f"sqlite:///{course.root / 'attempts.db'}",
            "hub_group": f"formgrade-{course.directory.course_id}",
        } | given
        settings = cls(**values)
        if settings.verdicts not in VERDICTS:
            raise AttemptServiceError(
                f"{config}: c.AttemptService.verdicts is {settings.verdicts!r}",
                f"set it to one of {', '.join(map(repr, VERDICTS))}",
            )
        if type(settings.requests_a_minute) is not int or settings.requests_a_minute < 1:
            raise AttemptServiceError(
                f"{config}: c.AttemptService.requests_a_minute is {settings.requests_a_minute!r}",
                "set it to a whole number from 1",
            )
        return settings

    @property
    def file(self) -> Path | None:
        """The database's file; None if it is on a database server."""
        prefix = "sqlite:///"
        return Path(self.db_url.removeprefix(prefix)) if self.db_url.startswith(prefix) else None

    @property
    def in_use(self) -> bool:
        """Whether there is a database to read: a file that exists, or a database server."""
        return self.file is None or self.file.exists()
