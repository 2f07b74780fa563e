"""The form of a question in a notebook.

The page gets only what it may show, so a key never leaves Python before the question is answered.
The page sends each click. Python then records and marks the answer, and sends the form's new
state.
"""

from __future__ import annotations

import os
import weakref
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import traitlets
from IPython.display import DisplayHandle, display

from . import bank, log, marking, text
from .bank import Bank
from .errors import AnswerError, QuizError
from .numbers import Numbers, fill
from .records import record_of
from .schema import Question

HERE = Path(__file__).parent
MAX_STUDENT_ID = 64
PROMPTS = {
    "single": "Choose one.",
    "multiple": "Choose all that apply.",
    "numeric": "Your answer",
}


def show(question_id: str, folder: Path) -> None:
    """Show a question as text and, unless the notebook is validated or graded, as a live form."""
    questions, question = bank.find(folder, question_id)
    session = Session(questions, question, folder)
    static = display(session.static(), raw=True, display_id=True)
    if "NBGRADER_EXECUTION" in os.environ:
        return
    widget = QuestionForm(session, static)
    view = "application/vnd.jupyter.widget-view+json"
    model = {"version_major": 2, "version_minor": 1, "model_id": widget.model_id}
    display({view: model, "text/plain": ""}, raw=True)


class Session:
    """One question and one student: what is recorded, and what the form may show."""

    def __init__(self, questions: Bank, question: Question, folder: Path) -> None:
        self.bank, self.question, self.folder = questions, question, folder
        self.hints_shown = 0
        self.solution_shown = False
        self.record = record_of(questions, question, folder)

    @property
    def attempts(self) -> list[log.Entry]:
        """The recorded attempts, the first one first."""
        return self.record.attempts

    @property
    def graded(self) -> bool:
        """Whether only the first answer counts."""
        return self.bank.assignment is not None

    @property
    def student(self) -> str:
        """The student's id, or ''."""
        return self.record.student

    @property
    def needs_student(self) -> bool:
        """Whether the student's id is not known yet, though the question needs it."""
        return self.graded and not self.student

    @property
    def numbers(self) -> Numbers | None:
        """The numbers drawn for the student, or None while a graded question lacks the id.

        A practice question doesn't ask for an id. A student without an id gets the numbers of the
        id ''.
        """
        if self.question.draw and self.needs_student:
            return None
        return self.question.numbers(self.student)

    # ── actions of the student ──

    def name_student(self, given: Any) -> None:
        """Log the student's id, which can be corrected until the first question is answered.

        Raises:
            AnswerError: `given` is not an id, or a question was answered already.
        """
        name = given.strip() if isinstance(given, str) else ""
        if not name or len(name) > MAX_STUDENT_ID or not name.isprintable() or " " in name:
            raise AnswerError(
                f"Type the id that your course knows you by: up to {MAX_STUDENT_ID} characters, "
                "no spaces."
            )
        if self.record.student_fixed:
            raise AnswerError("You have answered a question already: your id can't be changed.")
        self._refuse_source()
        self.record.name_student(name)

    def submit(self, given: Any, seen: Any) -> None:
        """Check and record an answer.

        Args:
            given: the answer, as the page sent it.
            seen: how many attempts the form showed when the student clicked.

        Raises:
            AnswerError: the answer can't be recorded. The message is for the student.
        """
        if self.needs_student and self.record.asks_student:
            raise AnswerError("Type your student id first.")
        if self.numbers is None:
            raise AnswerError(f"Not recorded: {self.record.problem}")
        self._refuse_source()
        answer = marking.parse(self.question, given)
        self.record.submit(answer, seen if isinstance(seen, int) else -1)

    def _refuse_source(self) -> None:
        # nbgrader copies the files of an assignment's source over the files that students hand
        # in. A log in the source folder would therefore replace the students' logs.
        if self.graded and self.folder.parent.name == "source":
            raise AnswerError(
                "Not recorded: this is the assignment's source. Try the question in a released "
                "copy."
            )

    # ── state of the form ──

    def view(self) -> dict[str, Any]:
        """Make the state of the form. It holds nothing that the student may not know yet."""
        question, numbers = self.question, self.numbers
        return {
            "graded": self.graded,
            "kind": question.kind,
            "prompt": PROMPTS[question.kind],
            "points": question.points,
            "record": self.record.name if self.graded else "",
            "asks_student": self.graded and self.record.asks_student,
            "student": self.student,
            "student_fixed": self.record.student_fixed,
            "text": text.html(self._text()) if numbers is not None or self._waits else "",
            "options": [text.inline_html(option) for option in question.options],
            "unit": question.unit or "",
            "hints": [text.inline_html(hint) for hint in question.hints[: self.hints_shown]],
            "hints_left": len(question.hints) - self.hints_shown,
            "seen": len(self.attempts),
            "chosen": self._chosen(),
            **self._result(),
        }

    @property
    def _waits(self) -> bool:
        """Whether the numbers are drawn for a student whom the service has yet to name."""
        return self.numbers is None and not self.record.asks_student

    def _text(self) -> str:
        numbers = self.numbers
        if numbers is None:
            return "*Its numbers are drawn for you: run this cell when the service answers.*"
        return fill(self.question.text, numbers)

    def _shown_attempt(self) -> log.Entry | None:
        """The attempt that the form shows: the first if graded, the latest in practice."""
        if not self.attempts:
            return None
        return self.attempts[0 if self.graded else -1]

    def _answer(self) -> marking.Answer | None:
        attempt = self._shown_attempt()
        if attempt is None or attempt.get("version") != self.question.version:
            return None
        try:
            return marking.parse(self.question, attempt.get("answer"))
        except AnswerError:
            return None

    def _chosen(self) -> list[int] | str | None:
        answer = self._answer()
        if answer is None:
            return None
        if self.question.kind == "numeric":
            return f"{answer:.10g}"
        return answer if isinstance(answer, list) else [int(answer)]

    def _result(self) -> dict[str, Any]:
        """What the form says about the answer: a receipt if graded, the verdict in practice."""
        blank = {"tone": "", "status": "", "feedback": [], "solution": "", "has_solution": False}
        answer = self._answer()
        if answer is None:
            problem = self.record.problem
            return {**blank, "tone": "problem", "status": problem} if problem else blank
        if self.graded and self.record.verdict:
            return self._told(answer, self.record.verdict)
        if self.graded:
            return {**blank, "tone": "recorded", "status": self._receipt(answer)}
        verdict = marking.mark(self.question, answer, self.numbers or {})
        with_solution = verdict.right or self.solution_shown
        shown = marking.solution(self.question, self.numbers or {}) if with_solution else ""
        return {
            "tone": "right" if verdict.right else "wrong",
            "status": "Right." if verdict.right else "Not yet. Try again, or take a hint.",
            "feedback": [text.inline_html(remark) for remark in verdict.feedback],
            "solution": text.html(shown),
            "has_solution": True,
        }

    def _told(self, answer: marking.Answer, verdict: dict[str, Any]) -> dict[str, Any]:
        """What the form says when the service tells the verdict of the first answer."""
        right = bool(verdict.get("right"))
        given = marking.in_words(self.question, answer)
        return {
            "tone": "right" if right else "wrong",
            "status": f"Your first answer, {given}, is {'right' if right else 'not right'}.",
            "feedback": [text.inline_html(str(remark)) for remark in verdict.get("feedback", [])],
            "solution": text.html(str(verdict.get("solution", ""))),
            "has_solution": True,
        }

    def _receipt(self, answer: marking.Answer) -> str:
        attempt = self._shown_attempt() or {}
        when = str(attempt.get("time", "")).replace("T", " ").removesuffix("+00:00")
        later = len(self.attempts) - 1
        return (
            f"Recorded: {marking.in_words(self.question, answer)}, on {when} UTC. The verdict and "
            f"the complete solution come {self.record.verdict_comes}."
            + (f" Later answers: {later}; they don't count." if later else "")
        )

    def static(self) -> dict[str, str]:
        """Write the question for readers without a live form, as Markdown and as plain text."""
        question, numbers = self.question, self.numbers
        kind = "Practice question" if not self.graded else "Graded question: first attempt only"
        body = (
            fill(question.text, numbers)
            if numbers is not None
            else "*Its numbers are drawn for you when you run this cell.*"
        )
        parts = [f"**{kind}**", body]
        if question.options:
            options = zip(range(1, 1 + len(question.options)), question.options, strict=True)
            listed = "\n".join(f"{number}. {option}" for number, option in options)
            parts.append(f"*{PROMPTS[question.kind]}*\n\n{listed}")
        answer = self._answer()
        if answer is None:
            parts.append("*To answer, run this cell in JupyterLab.*")
        elif self.graded:
            parts.append(f"*{self._receipt(answer)}*")
        else:
            given = marking.in_words(question, answer)
            parts.append(f"*You answered: {given}. Run this cell in JupyterLab to go on.*")
        markdown = "\n\n".join(parts)
        return {"text/markdown": markdown, "text/plain": markdown}


class QuestionForm(anywidget.AnyWidget):
    """The browser's side of a session."""

    _esm = HERE / "widget.js"
    _css = HERE / "widget.css"
    view = traitlets.Dict().tag(sync=True)

    _all: ClassVar[weakref.WeakSet[QuestionForm]] = weakref.WeakSet()

    def __init__(self, session: Session, static: DisplayHandle | None) -> None:
        self._session = session
        self._static = static
        self._turn = 0
        super().__init__(view=self._state())
        self.on_msg(self._receive)
        QuestionForm._all.add(self)

    def _state(self, problem: str = "", page: Any = None) -> dict[str, Any]:
        # The page waits for a new state after a click. The turn makes every state a new state.
        self._turn += 1
        reply = {"problem": problem, "problem_of": page, "turn": self._turn}
        return {**self._session.view(), **reply}

    def _receive(self, _: Any, message: Any, __: Any) -> None:
        """Act on a click. The page may send anything, so an error is shown in the page."""
        problem = ""
        message = message if isinstance(message, dict) else {}
        try:
            self._act(message)
        except QuizError as error:
            problem = str(error)
        self.view = self._state(problem, message.get("page"))
        for form in list(QuestionForm._all):
            same_log = form._session.folder == self._session.folder and (
                form._session.record.is_shared
            )
            if form is not self and same_log:
                form._session.record.refresh()
                form.view = form._state()
        if self._static is not None:
            self._static.update(self._session.static(), raw=True)

    def _act(self, message: dict[str, Any]) -> None:
        session, action = self._session, message.get("do")
        if "NBGRADER_EXECUTION" in os.environ:
            raise AnswerError("Not recorded: the notebook is being validated or graded.")
        if action == "submit":
            session.submit(message.get("answer"), message.get("seen"))
        elif action == "student":
            session.name_student(message.get("student"))
        elif action == "hint":
            session.hints_shown = min(session.hints_shown + 1, len(session.question.hints))
        elif action == "solution" and not session.graded and session.attempts:
            session.solution_shown = True
