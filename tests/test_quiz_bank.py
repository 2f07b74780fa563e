"""Question files: what is refused and where, what is drawn, what is marked right."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st

from course_utils.quiz import bank, marking, text
from course_utils.quiz.errors import AnswerError, BankError
from course_utils.quiz.numbers import Draw, draw_numbers, evaluate, fill
from tools import quizzes
from tools.notebooks import ROOT

KEYS = ROOT / "exercises" / "keys" / "ps5_backpropagation.yaml"
BANKS = [*ROOT.glob("lectures/quiz/*.yaml"), *ROOT.glob("exercises/keys/*.yaml")]

GOOD = """\
questions:
  - id: alexnet
    kind: single
    text: How large is conv1's output?
    options:
      - $55 \\times 55$
      - $54 \\times 54$
    key:
      answer: 1
      feedback: {2: You forgot to add 1.}
      solution: (227 - 11) / 4 + 1 = 55
  - id: spatial
    kind: numeric
    text: How wide is the output for an input of {{width}} pixels?
    draw:
      width: {low: 10, high: 90}
    tolerance: 0
    key:
      answer: width - 2
      feedback: {width: That is the input.}
      solution: Two fewer, {{answer}}.
"""


def _bank(tmp_path, content=GOOD):
    path = tmp_path / "q.yaml"
    path.write_text(content, encoding="utf-8")
    return path


def test_a_good_file_is_read(tmp_path):
    questions = bank.load(_bank(tmp_path)).questions
    assert list(questions) == ["alexnet", "spatial"]


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "says"),
    [
        ("answer: 1\n", "answer: 3\n", 9, "questions[0].key.answer", "no option 3"),
        ("answer: 1\n", "answer: [1, 2]\n", 9, "questions[0].key.answer", "one right answer"),
        ("      answer: 1\n", "", 9, "questions[0].key.answer", "is missing"),
        ("kind: single", "kind: multiple", 9, "questions[0].key.answer", "list of right options"),
        ("id: spatial", "id: alexnet", 12, "questions[1].id", "used twice"),
        ("- $54 \\times 54$", "- ''", 7, "questions[0].options[1]", "needs a text"),
        ("- $54 \\times 54$", "- $55 \\times 55$", 6, "questions[0].options", "same text"),
        ("      - $54 \\times 54$\n", "", 6, "questions[0].options", "at least two"),
        ("{2: You forgot", "{7: You forgot", 10, "questions[0].key.feedback.7", "no option 7"),
        ("    tolerance: 0\n", "", 12, "questions[1].tolerance", "is missing"),
        ("answer: width - 2", "answer: widht - 2", 19, "questions[1].key.answer", "NameError"),
        ("answer: width - 2", "answer: 1 / 0", 19, "questions[1].key.answer", "ZeroDivision"),
        ("{{width}} pixels", "pixels", 16, "questions[1].draw.width", "never shown"),
        ("{{width}} pixels", "{{w}} pixels", 14, "questions[1].text", "is not drawn"),
        ("high: 90", "high: 10", 16, "questions[1].draw", "too few"),
        ("kind: single", "kind: essay", 3, "questions[0].kind", "'single'"),
        ("kind: single", "knid: single", 3, "questions[0].knid", "not a field"),
        ("kind: single", "kind: single\n    kind: single", 4, "questions[0].kind", "given twice"),
        ("kind: single", "kind: single\n    points: 2", 4, "questions[0].points", "no points"),
        ("questions:", "assignment: ps1\nquestions:", 3, "questions[0].points", "is missing"),
        ("text: How large", "text: [How large", 4, "not YAML", ""),
        (GOOD, "", 1, "empty", ""),
    ],
)
def test_a_fault_is_refused_with_its_line_and_field(tmp_path, old, new, line, field, says):
    assert old in GOOD
    path = _bank(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(BankError) as caught:
        bank.load(path)
    first = str(caught.value).splitlines()[0]
    if says:
        fitting = [one for one in str(caught.value).splitlines() if f" {field}: " in one]
        assert fitting, caught.value
        first = fitting[0]
    assert first.startswith(f"{path}:{line}:") or not says, first
    assert says in first
    assert field in first


def test_all_faults_are_listed_at_once(tmp_path):
    content = GOOD.replace("answer: 1\n", "answer: 9\n").replace("{{width}} pixels", "pixels")
    with pytest.raises(BankError) as caught:
        bank.load(_bank(tmp_path, content))
    assert len(str(caught.value).splitlines()) == 2


def test_feedback_for_the_right_number_is_refused(tmp_path):
    content = GOOD.replace("{{width}} pixels", "60 pixels").replace("width - 2", "58")
    content = content.replace("    draw:\n      width: {low: 10, high: 90}\n", "")
    with pytest.raises(BankError, match="said to a right answer"):
        bank.load(_bank(tmp_path, content.replace("{width: That", "{60 - 2: That")))


def test_a_key_beside_a_graded_notebook_is_refused(tmp_path):
    (tmp_path / "quiz").mkdir()
    (tmp_path / "quiz" / "questions.yaml").write_text(KEYS.read_text(encoding="utf-8"))
    with pytest.raises(BankError, match="must never be in a file that students get"):
        bank.find(tmp_path, "backprop_false")


def test_an_unknown_question_names_the_known_ones(tmp_path):
    with pytest.raises(BankError, match="no quiz folder"):
        bank.find(tmp_path, "alexnet")
    (tmp_path / "quiz").mkdir()
    _bank(tmp_path / "quiz")
    with pytest.raises(BankError, match="known here: alexnet, spatial"):
        bank.find(tmp_path, "alexnett")


# ── the course's own questions ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", BANKS, ids=lambda path: path.stem)
def test_every_question_file_of_the_course_loads(path):
    bank.load(path)


def test_practice_and_graded_questions_share_nothing():
    banks = [bank.load(path) for path in BANKS]
    for what in ("id", "text"):
        graded = [getattr(q, what) for b in banks if b.assignment for q in b.questions.values()]
        practice = [
            getattr(q, what) for b in banks if not b.assignment for q in b.questions.values()
        ]
        assert not set(graded) & set(practice)
        assert len(set(graded)) == len(graded)
        assert len(set(practice)) == len(practice)


def test_the_public_part_is_the_same_question_without_its_key(tmp_path):
    source = ROOT / "exercises" / "text" / "ps5_backpropagation.py"
    public = quizzes.public_questions(source)
    assert public is not None
    path = tmp_path / "questions.yaml"
    path.write_text(public, encoding="utf-8")
    whole, copy = bank.load(KEYS), bank.load(path, beside_notebook=True)
    assert copy.versions == whole.versions
    assert all(question.key is None for question in copy.questions.values())
    # No line of a key, whatever field it is in.
    for question in yaml.safe_load(KEYS.read_text(encoding="utf-8"))["questions"]:
        said = [question["key"]["solution"], *map(str, question["key"]["feedback"].values())]
        for line in "\n".join(said).splitlines():
            assert len(line.strip()) < 12 or line.strip() not in public


def test_a_version_is_what_is_asked():
    question = bank.load(KEYS).questions["backprop_false"]
    assert question.model_copy(update={"hints": []}).version == question.version
    assert question.model_copy(update={"text": "?"}).version != question.version
    options = list(reversed(question.options))
    assert question.model_copy(update={"options": options}).version != question.version


# ── the answers, derived independently ──────────────────────────────────────────────────────────


def test_backprop_false_is_derived():
    x = torch.tensor([0.0, 9.0, 9.02, 40.0], requires_grad=True)
    torch.tanh(x).sum().backward()
    assert x.grad is not None
    assert x.grad[0] == 1  # option 2: the slope 1 is attained
    assert x.grad[1] > 0
    assert x.grad[2] == 0  # as the solution says: exactly 0 in float32 above about 9.011
    edge = torch.linspace(9.0, 9.02, 20001)
    first_zero = edge[(1 - torch.tanh(edge) ** 2) == 0][0].item()
    assert first_zero == pytest.approx(9.011, abs=5e-4)
    pool = torch.nn.MaxPool2d(2)
    assert sum(p.numel() for p in pool.parameters()) == 0  # option 4
    image = torch.randperm(36, generator=torch.Generator().manual_seed(0)).float()
    image = image.view(1, 1, 6, 6).requires_grad_()
    pool(image).sum().backward()
    assert image.grad is not None
    assert (image.grad != 0).sum() == 9  # option 3: one entry a window, and no other
    assert bank.load(KEYS).questions["backprop_false"].key.answer == [1, 2, 4]


@pytest.mark.parametrize("student", [f"student{number:02}" for number in range(40)])
def test_generated_answers_agree_with_autograd(student):
    questions = bank.load(KEYS).questions
    tanh = questions["tanh_gradient"]
    numbers = tanh.numbers(student)
    x = torch.tensor(numbers["x"], dtype=torch.float64, requires_grad=True)
    torch.tanh(x).backward(torch.tensor(numbers["g"], dtype=torch.float64))
    assert evaluate(tanh.key.answer, numbers) == pytest.approx(x.grad.item(), abs=1e-12)

    pool = questions["pool_gradient"]
    numbers = pool.numbers(student)
    image = torch.tensor(numbers["image"], dtype=torch.float64)[None].requires_grad_()
    upstream = torch.tensor(numbers["upstream"], dtype=torch.float64)[None]
    torch.nn.functional.max_pool2d(image, 3, 1).backward(upstream)
    want = image.grad.flatten()[image.argmax()].item()
    assert evaluate(pool.key.answer, numbers) == want
    assert marking.mark(pool, want, numbers).right
    # `=` for `+=` must be told from the right answer: the entry lies in two windows or more.
    only_last = evaluate(next(iter(pool.key.feedback)), numbers)
    assert not marking.mark(pool, only_last, numbers).right


def test_students_get_different_numbers_and_each_always_the_same():
    question = bank.load(KEYS).questions["pool_gradient"]
    drawn = [str(question.numbers(f"s{number}")) for number in range(50)]
    assert len(set(drawn)) == 50
    program = (
        "from pathlib import Path; from course_utils.quiz import bank;"
        f"q = bank.load(Path({str(KEYS)!r})).questions['pool_gradient'];"
        "print(q.numbers('s7'))"
    )
    for seed in ("0", "123"):
        again = subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        )
        assert again.stdout.strip() == drawn[7]


def test_drawn_numbers_never_change():
    # Pinned: numbers that change between versions would mark honest answers wrong.
    draws = {
        "x": Draw(low=0.3, high=1.5, step=0.05),
        "grid": Draw(low=1, high=9, shape=(2, 2)),
    }
    numbers = draw_numbers(draws, None, seed="a question:a student")
    assert numbers == {"x": 1.5, "grid": [[3, 7], [9, 6]]}


# ── marking ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("typed", "value"),
    [("55", 55), (" 0.25 ", 0.25), (".5", 0.5), ("1.5e-3", 0.0015), ("−3", -3), ("+2.", 2)],
)
def test_numbers_are_read_as_they_are_written(typed, value):
    assert marking.parse(bank.load(KEYS).questions["tanh_gradient"], typed) == value


@pytest.mark.parametrize(
    "typed",
    ["", "  ", "290,400", "0,5", "1_000", "nan", "inf", "1e999", "٣", "55 px", None, [], True],
)
def test_what_is_no_number_is_refused_and_not_an_attempt(typed):
    with pytest.raises(AnswerError):
        marking.parse(bank.load(KEYS).questions["tanh_gradient"], typed)


@pytest.mark.parametrize("given_", [[], [0], [5], ["1"], [1.0], [True], "1", None, [[1]], {}])
def test_what_is_no_choice_is_refused(given_):
    with pytest.raises(AnswerError):
        marking.parse(bank.load(KEYS).questions["backprop_false"], given_)


@given(st.sets(st.integers(1, 4), min_size=1))
def test_only_the_whole_set_is_right(chosen):
    question = bank.load(KEYS).questions["backprop_false"]
    answer = marking.parse(question, sorted(chosen, reverse=True))
    assert marking.mark(question, answer, {}).right == (chosen == {1, 2, 4})


def test_a_wrong_choice_says_nothing_of_options_that_were_not_chosen():
    question = bank.load(KEYS).questions["backprop_false"]
    verdict = marking.mark(question, [1, 3], {})
    assert [said[:9] for said in verdict.feedback[:2]] == ["Option 1:", "Option 3:"]
    assert len(verdict.feedback) == 3
    assert "missing" in verdict.feedback[2]


def test_a_misconception_gets_its_own_words():
    question = bank.load(KEYS).questions["tanh_gradient"]
    numbers = {"x": 0.5, "g": 3.0}
    assert "slope" in marking.mark(question, 0.786, numbers).feedback[0]
    assert "square is that of" in marking.mark(question, 3 * 0.75, numbers).feedback[0]
    assert marking.mark(question, 17.0, numbers).feedback == []
    assert marking.mark(question, 2.359, numbers).right


# ── text ────────────────────────────────────────────────────────────────────────────────────────


def test_markdown_and_latex_are_set_without_a_network():
    made = text.html(r"The slope of $\tanh$ is **at most** $1$." "\n\n$$\\frac{a}{b}$$")
    assert "<mi>tanh</mi>" in made
    assert "<strong>at most</strong>" in made
    assert '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">' in made
    assert "$" not in made


@pytest.mark.parametrize("path", BANKS, ids=lambda path: path.stem)
def test_every_formula_of_the_course_is_understood(path):
    for question in bank.load(path).questions.values():
        numbers = question.numbers("s1")
        texts = [fill(question.text, numbers), *question.options, *question.hints]
        texts += [marking.solution(question, numbers), *question.key.feedback.values()]
        for one in texts:
            made = text.html(one)
            assert "$" not in made
            assert "\\" not in made.replace("\\n", "")
            assert "{{" not in made


def test_raw_html_is_shown_not_obeyed():
    assert "<script>" not in text.html("<script>alert(1)</script>")
    assert "<img" not in text.html("$<img src=x onerror=alert(1)>$")


def test_importing_quizzes_is_light():
    program = "import course_utils, course_utils.quiz, sys; print('torch' in sys.modules)"
    run = [sys.executable, "-c", program]
    assert subprocess.check_output(run, text=True, cwd=ROOT).strip() == "False"
