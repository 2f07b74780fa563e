"""Writes the report of an assignment: a page that works offline, and CSVs with its numbers."""

from __future__ import annotations

import csv
import datetime
import functools
import io
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from autograder.attempts.csv_cells import safe_cell
from autograder.attempts.decision_table import Decision, decisions_of
from autograder.course import Course
from autograder.desk import figures
from autograder.desk.audit import as_csv
from autograder.desk.statistics import Choice, Failure, Item, Scores, choices, failures, items
from autograder.grading.report import results
from autograder.grading.result import Result
from course_utils.quiz import bank, text
from course_utils.quiz.errors import QuizError
from course_utils.quiz.schema import Question


@dataclass(frozen=True)
class ClassReport:
    """An assignment's report in numbers.

    Attributes:
        assignment: the assignment's name.
        results: the students' results, with what was decided.
        scores: the scores that count, by student and cell.
        handed_in: when each student handed in (UTC), where it is known.
        due: the due date (UTC); None if there is none.
        decisions: all decisions, also those taken back.
        questions: the questions with their keys, by id.
    """

    assignment: str
    results: list[Result]
    scores: Scores
    handed_in: dict[str, datetime.datetime]
    due: datetime.datetime | None
    decisions: list[Decision]
    questions: dict[str, Question]

    @property
    def totals(self) -> dict[str, float]:
        """The sum of each student's scores; a score that waits counts 0."""
        return {
            student: sum(score or 0.0 for score in cells.values())
            for student, cells in self.scores.items()
        }

    @property
    def max_score(self) -> float:
        """The points that could be had."""
        return self.results[0].max_score

    @property
    def to_look_at(self) -> list[tuple[str, list[str]]]:
        """The students whose results a person must look at, with the reasons."""
        listed = []
        for result in self.results:
            waiting = [cell for cell, score in self.scores[result.student].items() if score is None]
            reasons = [f"waits for a score: {', '.join(waiting)}"] if waiting else []
            if result.status != "graded" and result.reason:
                reasons.append(result.reason.splitlines()[0])
            reasons += result.notes
            if reasons:
                listed.append((result.student, reasons))
        return listed


def gather(course: Course, name: str) -> ClassReport:
    """Read an assignment's results and decisions from the gradebook.

    Raises:
        CourseError: nothing has been graded.
    """
    recorded = results(course, name)
    scores: Scores = {
        result.student: {cell: value.score for cell, value in result.cells.items()}
        for result in recorded
    }
    handed_in = {}
    with course.gradebook() as gradebook:
        due = gradebook.find_assignment(name).duedate
        decisions = decisions_of(gradebook, name)
        for submission in gradebook.assignment_submissions(name):
            of_student = scores.get(submission.student_id)
            if of_student is None:
                continue
            if submission.timestamp is not None:
                handed_in[submission.student_id] = submission.timestamp
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    if grade.manual_score is not None and grade.name in of_student:
                        of_student[grade.name] = grade.score
    return ClassReport(name, recorded, scores, handed_in, due, decisions, _questions(course, name))


def _questions(course: Course, name: str) -> dict[str, Question]:
    try:
        return bank.load(course.root / "keys" / f"{name}.yaml").questions
    except QuizError:  # an assignment without questions, or without its keys here
        return {}


def write_report(course: Course, name: str) -> Path:
    """Write the report of an assignment, and the page of the course.

    Returns:
        The page of the assignment, `reports/NAME/index.html` in the course folder.

    Raises:
        CourseError: nothing has been graded.
    """
    report = gather(course, name)
    folder = course.root / "reports" / name
    folder.mkdir(parents=True, exist_ok=True)
    listed = items(report.results, report.scores)
    chosen = choices(report.results, report.questions)
    lost = failures(report.results)
    for file, content in _tables(report, listed, chosen, lost).items():
        (folder / file).write_text(content, encoding="utf-8", newline="")
    page = _page(report, listed, chosen, lost)
    (folder / "index.html").write_text(page, encoding="utf-8")
    _write_course_page(course)
    return folder / "index.html"


def _page(
    report: ClassReport, listed: list[Item], chosen: list[Choice], lost: list[Failure]
) -> str:
    totals = list(report.totals.values())
    times = list(report.handed_in.values())
    return render(
        "report.html.j2",
        report=report,
        items=listed,
        choices=chosen,
        failures=lost,
        mean=statistics.fmean(totals),
        median=statistics.median(totals),
        deviation=statistics.stdev(totals) if len(totals) > 1 else 0.0,
        distribution=figures.distribution(totals, report.max_score),
        item_map=figures.item_map(listed),
        over_time=figures.over_time(times, report.due) if times else "",
    )


def _tables(
    report: ClassReport, listed: list[Item], chosen: list[Choice], lost: list[Failure]
) -> dict[str, str]:
    """The CSVs by file name; scores.csv has the raw numbers that the others come from."""
    raw = [
        {
            "student": result.student,
            "cell": name,
            "score": report.scores[result.student][name],
            "points": cell.max_score,
            "seconds": cell.seconds,
            "ended": cell.ended.value if cell.ended else "",
            "reason": cell.reason or "",
        }
        for result in report.results
        for name, cell in result.cells.items()
    ]
    students = [
        {
            "student": result.student,
            "points": report.totals[result.student],
            "of": result.max_score,
            "status": result.status,
            "seconds_late": result.seconds_late,
            "handed_in": report.handed_in.get(result.student, ""),
        }
        for result in report.results
    ]
    return {
        "scores.csv": _csv(raw, list(raw[0]) if raw else []),
        "students.csv": _csv(students, list(students[0])),
        "items.csv": _csv(map(asdict, listed), [field.name for field in fields(Item)]),
        "first_answers.csv": _csv(map(asdict, chosen), [field.name for field in fields(Choice)]),
        "failures.csv": _csv(map(asdict, lost), [field.name for field in fields(Failure)]),
        "decisions.csv": as_csv(report.decisions),
    }


def _csv(rows: Iterable[Mapping[str, Any]], names: list[str]) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(names)
    writer.writerows([safe_cell(row[name]) for name in names] for row in rows)
    return file.getvalue()


def _write_course_page(course: Course) -> None:
    """The page over all assignments that have a report."""
    rows = []
    for folder in sorted((course.root / "reports").iterdir()):
        if not (folder / "students.csv").is_file():
            continue
        with (folder / "students.csv").open(encoding="utf-8", newline="") as file:
            students = list(csv.DictReader(file))
        shares = [float(one["points"]) / (float(one["of"]) or 1) for one in students]
        rows.append(
            {
                "name": folder.name,
                "students": len(students),
                "mean": statistics.fmean(shares),
                "median": statistics.median(shares),
                "late": sum(float(one["seconds_late"]) > 0 for one in students),
                "review": sum(one["status"] != "graded" for one in students),
            }
        )
    page = render("course.html.j2", rows=rows, course=course.directory.course_id)
    (course.root / "reports" / "index.html").write_text(page, encoding="utf-8")


def render(template: str, **values: Any) -> str:
    """A page of this package's templates, with everything escaped that isn't marked as safe."""
    return _environment().get_template(template).render(**values)


@functools.cache  # a class's pages come from one template
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("autograder.desk"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["markdown"] = text.inline_html
    return environment
