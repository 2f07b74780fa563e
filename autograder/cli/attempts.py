"""The commands of the attempt service."""

from __future__ import annotations

from typing import Annotated

import typer

from autograder.attempts.settings import DAYS
from autograder.cli.options import CourseOption
from autograder.cli.show import out
from autograder.course import Course
from autograder.errors import CourseError

PORT = 8765
URL = f"http://127.0.0.1:{PORT}"


def serve(
    course: CourseOption = None,
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free port.")] = PORT,
) -> None:
    """Run the attempt service, which owns first attempts; Ctrl+C stops it."""
    from autograder.attempts.serve import serve as run

    def listening(url: str) -> None:
        text = f"attempt service at {url}, its interface at {url}/docs"
        out.print(text, highlight=False, soft_wrap=True)

    run(Course.find(course), host, port, listening)


def tokens(
    students: Annotated[
        list[str] | None, typer.Argument(help="Students; default: all in the gradebook.")
    ] = None,
    course: CourseOption = None,
    url: Annotated[
        str, typer.Option(help="The service's address, as students reach it.", metavar="URL")
    ] = URL,
    instructor: Annotated[
        list[str] | None, typer.Option(help="An instructor, who may read all.", metavar="ID")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long they are valid.")] = DAYS,
    revoke: Annotated[
        bool, typer.Option("--revoke", help="Instead, refuse the named students' tokens.")
    ] = False,
) -> None:
    """Make token files, one for each student, with which the attempt service knows them."""
    from autograder.attempts import serve

    opened = Course.find(course)
    if revoke:
        if not students and not instructor:
            raise CourseError("--revoke names nobody", "name those whose tokens to refuse")
        for person in [*(students or []), *(instructor or [])]:
            serve.revoke(opened, person)
            out.print(f"all tokens of {person} that were made until now are refused")
        return
    named = list(students or [])
    if not named and not instructor:
        with opened.gradebook() as gradebook:
            named = [student.id for student in gradebook.students]
        if not named:
            raise CourseError(
                "the gradebook has no students",
                "name them, or import them with 'nbgrader db student import FILE.csv'",
            )
    paths = serve.make_tokens(opened, url, named, instructor or [], days)
    out.print(
        f"{len(paths)} token files in {opened.root / 'tokens'}: give each to its student only",
        highlight=False,
        soft_wrap=True,
    )
