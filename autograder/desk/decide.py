"""Makes decisions, and takes them back. `autograder.grading.decisions` says what each one does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import yaml

from autograder.attempts.decision_table import (
    ACCEPT,
    EXTENSION,
    KEY,
    LATE,
    REOPEN,
    VOID,
    Decision,
    add,
    decisions_of,
    mark_taken_back,
    open_decisions,
)
from autograder.attempts.settings import ServiceSettings
from autograder.attempts.store import Store, now
from autograder.cells import scored_cells
from autograder.course import Course
from autograder.errors import AutograderError
from autograder.grading.apply_decisions import apply_decisions
from autograder.grading.first_attempts import submitted_attempts
from autograder.grading.record import backup
from course_utils.quiz import bank, log, marking
from course_utils.quiz.errors import AnswerError, QuizError
from course_utils.quiz.numbers import evaluate
from course_utils.quiz.schema import Question

if TYPE_CHECKING:
    from nbgrader.api import Gradebook

VOID_AS = ("full", "out")


class DecisionError(AutograderError):
    """This can't be decided. Nothing was changed."""


@dataclass(frozen=True)
class Desk:
    """Where decisions about an assignment are made.

    Attributes:
        course: the course.
        assignment: the assignment's name.
        who: who decides.
    """

    course: Course
    assignment: str
    who: str

    def extend(self, students: Sequence[str], hours: float, why: str) -> Decision:
        """Give students more time. The hours count from the due date; they don't add up.

        Raises:
            DecisionError: the assignment has no due date, or no student is named.
        """
        if hours <= 0:
            raise DecisionError(f"{hours:g} hours is no extension", "give more than 0 hours")

        def change(gradebook: Gradebook) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
            self._due(gradebook)
            after = dict.fromkeys(students, hours * 3600)
            return {"extension": _extensions(gradebook, self.assignment, students)}, {
                "extension": after
            }

        return self._decide(EXTENSION, _some(students), "", why, change)

    def accept_late(self, students: Sequence[str], why: str) -> Decision:
        """Accept late submissions as if they had been on time.

        Raises:
            DecisionError: the assignment has no due date, or a submission isn't late.
        """

        def change(gradebook: Gradebook) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
            self._due(gradebook)
            before = _extensions(gradebook, self.assignment, students)
            after = {}
            for student in students:
                late = _submission(gradebook, self.assignment, student).total_seconds_late
                if not late:
                    raise DecisionError(
                        f"the submission of {student} is not late", "leave the student out"
                    )
                after[student] = (before[student] or 0) + late
            return {"extension": before}, {"extension": after}

        return self._decide(ACCEPT, _some(students), LATE, why, change)

    def void(self, cell: str, how: str, why: str) -> Decision:
        """Void a question or a test for the whole class.

        Args:
            cell: the id of the question or of the cell.
            how: "full": everyone gets all its points; "out": it doesn't count.
            why: the reason.

        Raises:
            DecisionError: there is no such cell, or it is void already.
        """

        def change(gradebook: Gradebook) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
            points = _points(gradebook, self.assignment)
            if cell not in points:
                raise DecisionError(
                    f"'{self.assignment}' has no graded cell '{cell}'",
                    f"there are {', '.join(sorted(points))}",
                )
            self._not_yet(gradebook, VOID, cell)
            credit = _extra_credit(gradebook, self.assignment, cell)
            return {"points": points[cell], "extra_credit": credit}, {"as": how}

        return self._decide(VOID, (), cell, why, change)

    def correct_key(self, question: str, answer: str, why: str) -> Decision:
        """Correct the answer of a key, and mark every recorded first attempt by it again.

        Args:
            question: the question's id.
            answer: the right answer as YAML: 2, [1, 3], or an expression of the drawn numbers.
            why: the reason.

        Raises:
            DecisionError: there is no such question, or this can't be its answer.
        """
        asked = self._question(question)
        mended = _with_answer(asked, yaml.safe_load(answer))

        def change(_: Gradebook) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
            assert asked.key is not None
            assert mended.key is not None
            after = {"answer": mended.key.answer, "question": mended.model_dump(mode="json")}
            return {"answer": asked.key.answer}, after

        return self._decide(KEY, (), self._cell_of(question), why, change)

    def reopen(self, students: Sequence[str], question: str, why: str) -> Decision:
        """Reopen a first attempt: the student's next attempt counts.

        Raises:
            DecisionError: there is no such question, or no student is named.
        """
        self._question(question)
        settings = ServiceSettings.of(self.course)
        rounds: dict[str, int] = {}

        def change(_: Gradebook) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
            if settings.in_use:
                store = Store(settings)
                for student in students:
                    rounds[student] = store.reopen(self.assignment, question, student)
                store.engine.dispose()
            return {}, {"since": now(), "rounds": rounds}

        return self._decide(REOPEN, _some(students), question, why, change)

    def accept_log(self, students: Sequence[str], question: str, why: str) -> Decision:
        """Let the first answer in a submitted log count that was set aside for review.

        Raises:
            DecisionError: there is no such question, or a log has no answer to it.
        """
        self._question(question)
        for student in _some(students):
            folder = self.course.path("submitted", self.assignment, student)
            if not any(
                entry["question"] == question for entry in submitted_attempts(_log_files(folder))
            ):
                raise DecisionError(
                    f"the log that {student} handed in has no answer to '{question}'",
                    "look at it, or reopen the question",
                )
        return self._decide(ACCEPT, students, question, why, lambda _: ({}, {"record": "log"}))

    def take_back(self, number: int, why: str) -> Decision:
        """Take a decision back; what was so before is so again.

        Raises:
            DecisionError: there is no such decision, or it was taken back before.
        """
        with self.course.gradebook() as gradebook, self.course.naming_the_gradebook():
            known = {one.id: one for one in decisions_of(gradebook, self.assignment)}
            decision = known.get(number)
            if decision is None or decision.taken_back:
                holding = [str(one.id) for one in known.values() if not one.taken_back]
                raise DecisionError(
                    f"decision {number} on '{self.assignment}' "
                    + ("was taken back before" if decision else "doesn't exist"),
                    f"these hold: {', '.join(holding) or 'none'}",
                )
            backup(self.course)
            settings = ServiceSettings.of(self.course)
            if rounds := decision.after.get("rounds"):
                store = Store(settings)
                for student, opened in rounds.items():
                    store.close(self.assignment, decision.subject, student, opened)
                store.engine.dispose()
            by = {"who": self.who, "time": now(), "why": _reason(why)}
            mark_taken_back(gradebook.db(), number, by)
            apply_decisions(self.course, gradebook, self.assignment, [decision])
            gradebook.db.commit()
        return decision

    def _decide(
        self,
        kind: str,
        students: Sequence[str],
        subject: str,
        why: str,
        change: Callable[[Gradebook], tuple[Mapping[str, Any], Mapping[str, Any]]],
    ) -> Decision:
        """Record a decision and what it changes, in one transaction."""
        reason = _reason(why)
        with self.course.gradebook() as gradebook, self.course.naming_the_gradebook():
            self._know(gradebook, students)
            backup(self.course)
            open_decisions(gradebook)
            before, after = change(gradebook)
            decision = Decision(
                kind=kind,
                assignment=self.assignment,
                students=tuple(students),
                subject=subject,
                before=before,
                after=after,
                who=self.who,
                why=reason,
                time=now(),
            )
            number = add(gradebook.db(), decision)
            apply_decisions(self.course, gradebook, self.assignment, [decision])
            gradebook.db.commit()
        return Decision(**vars(decision) | {"id": number})

    def _know(self, gradebook: Gradebook, students: Iterable[str]) -> None:
        known = {student.id for student in gradebook.students}
        known |= {folder.name for folder in self.course.root.glob("submitted/*")}
        if unknown := sorted(set(students) - known):
            raise DecisionError(
                f"no student is called {', '.join(unknown)}",
                "check the id; 'nbgrader db student list' shows those in the gradebook",
            )

    def _due(self, gradebook: Gradebook) -> None:
        if gradebook.find_assignment(self.assignment).duedate is None:
            raise DecisionError(
                f"'{self.assignment}' has no due date, so nobody is late",
                "set its due date in the formgrader first",
            )

    def _not_yet(self, gradebook: Gradebook, kind: str, subject: str) -> None:
        for decision in decisions_of(gradebook, self.assignment):
            if (decision.kind, decision.subject) == (kind, subject) and not decision.taken_back:
                raise DecisionError(
                    f"decision {decision.id} has done so already",
                    f"take it back first: autograder decide back {self.assignment} {decision.id}",
                )

    def _question(self, question: str) -> Question:
        path = self.course.root / "keys" / f"{self.assignment}.yaml"
        try:
            questions = bank.load(path).questions
        except QuizError as error:
            raise DecisionError(str(error), "mend the file of keys") from None
        if question not in questions:
            raise DecisionError(
                f"'{self.assignment}' has no question '{question}'",
                f"there are {', '.join(questions)}",
            )
        return questions[question]

    def _cell_of(self, question: str) -> str:
        with self.course.gradebook() as gradebook:
            points = _points(gradebook, self.assignment)
        matching = [name for name in (f"quiz_{question}", question) if name in points]
        if not matching:
            raise DecisionError(
                f"no graded cell marks the question '{question}'",
                f"run 'autograder release {self.assignment}' first",
            )
        return matching[0]


def _reason(why: str) -> str:
    if not why.strip():
        raise DecisionError("a decision needs a reason", 'write one: --why "…"')
    return why.strip()


def _some(students: Sequence[str]) -> Sequence[str]:
    if not students:
        raise DecisionError("no student is named", "name each with --student ID")
    return students


def _points(gradebook: Gradebook, assignment: str) -> dict[str, float]:
    cells = scored_cells(gradebook.find_assignment(assignment))
    return {cell.name: cell.max_score for cell in cells}


def _submission(gradebook: Gradebook, assignment: str, student: str) -> Any:
    from nbgrader.api import MissingEntry

    try:
        return gradebook.find_submission(assignment, student)
    except MissingEntry:
        raise DecisionError(
            f"nothing of {student} is recorded for '{assignment}'",
            f"run 'autograder grade {assignment}' first",
        ) from None


def _extensions(
    gradebook: Gradebook, assignment: str, students: Iterable[str]
) -> dict[str, float | None]:
    """The seconds of the students' extensions now; None where there is none."""
    of: dict[str, float | None] = dict.fromkeys(students)
    for submission in gradebook.assignment_submissions(assignment):
        extension: timedelta | None = submission.extension
        if submission.student_id in of and extension is not None:
            of[submission.student_id] = extension.total_seconds()
    return of


def _extra_credit(gradebook: Gradebook, assignment: str, cell: str) -> dict[str, float | None]:
    """The extra credit of the submissions in which a person marked a cell."""
    return {
        submission.student_id: grade.extra_credit
        for submission in gradebook.assignment_submissions(assignment)
        for notebook in submission.notebooks
        for grade in notebook.grades
        if grade.name == cell and grade.manual_score is not None
    }


def _with_answer(question: Question, answer: Any) -> Question:
    """The question with another answer in its key.

    Raises:
        DecisionError: this can't be its answer.
    """
    assert question.key is not None
    try:
        if question.kind == "numeric":
            if isinstance(answer, list | bool | dict) or answer is None:
                raise AnswerError("the answer is a number or an expression")
            evaluate(answer, question.numbers(""))
        else:
            answer = marking.parse(question, answer)
    except QuizError as error:
        raise DecisionError(
            f"{answer!r} can't be the answer to '{question.id}': {error}",
            "write it as in the file of keys: 2, [1, 3], or an expression",
        ) from None
    return question.model_copy(update={"key": question.key.model_copy(update={"answer": answer})})


def _log_files(folder: Any) -> dict[str, bytes]:
    files = {}
    for name in (log.LOG_NAME, log.SEAL_NAME):
        path = folder / name
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                files[name] = file.read(log.MAX_BYTES + 1)
    return files
