"""Which submissions are alike: a disguised copy stands out, and honest work and faults don't."""

from __future__ import annotations

import json
import random
import re
import resource
import shutil
import time
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from autograder.cli import app
from autograder.course import Course
from autograder.desk.passages import passages
from autograder.desk.similar_page import write_page
from autograder.desk.similarity import Compared, K, NothingToCompareError, compare
from autograder.errors import AutograderError
from autograder.grading.own_code import MAX_CODE, OwnCode, tokenise
from tests.conftest import make_course
from tests.similar_sample import COPY, INDEPENDENT, NAME, TEXT

ATTACK = "</mark></pre><script>alert(1)</script><img src=x onerror=alert(1)>\u202e"


@pytest.fixture(scope="module")
def released(tmp_path_factory) -> Path:
    return make_course(tmp_path_factory.mktemp("similar") / "course", {NAME: TEXT}).root


@pytest.fixture
def course(released, tmp_path, hand_in) -> Course:
    """A class of five who worked independently."""
    course = Course(Path(shutil.copytree(released, tmp_path / "course")))
    for student, cells in INDEPENDENT.items():
        hand_in(course, NAME, student, cells)
    return course


def texts(source: str) -> list[str]:
    return [text for text, _, _ in tokenise(source)]


def similar(*arguments: object):
    """Run the command in this process."""
    return CliRunner().invoke(app, ["similar", *map(str, arguments)], env={"COLUMNS": "200"})


def names(pair) -> set[str]:
    return {pair.first, pair.second}


class Elements(HTMLParser):
    """The elements of a page with their attributes, and the text of each <pre>."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.codes: list[str] = []
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag == "pre":
            self.codes.append("")
        self._inside = tag if tag in ("pre", "a") else "pre" if tag == "mark" else ""

    def handle_endtag(self, tag):
        self._inside = "pre" if tag in ("a", "mark") else ""

    def handle_data(self, data):
        if self._inside == "pre":
            self.codes[-1] += data


def test_a_disguised_copy_stands_apart_from_independent_work(course, hand_in):
    hand_in(course, NAME, "zoe", COPY)
    compared = compare(course, NAME, 15)
    first, second, *_ = compared.pairs
    assert names(first) == {"kay", "zoe"}
    assert first.similarity > 0.7
    assert second.similarity < 0.3
    assert len(compared.pairs) == len(compared.all_pairs) == 15


def test_the_order_of_students_and_of_reading_changes_nothing(course, hand_in):
    hand_in(course, NAME, "zoe", COPY)
    assert compare(course, NAME, 15).pairs == compare(course, NAME, 15).pairs


def test_what_the_assignment_gives_is_not_shared_work(course, hand_in):
    release = json.loads((course.path("release", NAME) / f"{NAME}.ipynb").read_text())
    [example] = [cell["source"] for cell in release["cells"] if cell["id"] == "example"]
    example = "".join(example)
    before = compare(course, NAME, 1)
    for student in ("ada", "emmy"):  # paste what is given, under other names, into their own
        cells = dict(INDEPENDENT[student])
        cells["peaks"] += "\n\n\n" + example.replace("value", "v").replace("spread", "span")
        hand_in(course, NAME, student, cells)
    hand_in(course, NAME, "blank1")
    hand_in(course, NAME, "blank2")
    after = compare(course, NAME, 15)
    assert after.too_short == ["blank1", "blank2"]
    [pair] = [pair for pair in after.pairs if names(pair) == {"ada", "emmy"}]
    assert pair.similarity < 0.1
    assert before.quantile(1) < 0.3


def test_a_copy_in_cells_of_the_students_own_counts(course, hand_in):
    path = hand_in(course, NAME, "zoe")
    notebook = json.loads(path.read_text())
    for source in INDEPENDENT["kay"].values():
        notebook["cells"].append(
            {"cell_type": "code", "id": "own", "metadata": {}, "source": source}
            | {"outputs": [], "execution_count": None}
        )
    path.write_text(json.dumps(notebook))
    [first] = compare(course, NAME, 1).pairs
    assert names(first) == {"kay", "zoe"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("total = 0  # begins", "s = 17\n"),
        ('x = "a" "b"', "y = '''c\nd'''"),
        ("f(a,b)", "f(\n    a,\n    b)  # g"),
        ('def f(x):\n    """Doc."""\n    return x', "def g(y):\n    # why\n    return y;"),
        ("self.weight = 1", "self.w = 2.5e-3"),
    ],
)
def test_names_literals_comments_and_layout_change_no_token(one, other):
    assert texts(one) == texts(other)


def test_what_a_student_cannot_rename_stays_a_token():
    assert texts("len(x)") != texts("sum(x)")
    assert texts("x.relu()") != texts("x.tanh()")
    assert texts("a < b") != texts("a > b")


def as_compared(texts: Iterable[object]) -> Compared:
    """Code of these tokens, of which the assignment gives none."""
    tokens = [(str(text), at, at + 1) for at, text in enumerate(texts)]
    grams = [
        hash(tuple(tokens[at][0] for at in range(at, at + K))) for at in range(len(tokens) - 7)
    ]
    return Compared(OwnCode("ada", "x" * len(tokens), tokens), [*grams, *[None] * 7])


def test_passages_are_found_in_any_order_and_do_not_overlap():
    first = as_compared([*range(100, 120), *range(7), *range(200, 230)])
    second = as_compared([*range(200, 230), *range(7, 14), *range(100, 120)])
    found = passages(first, second)
    assert [(one.first, one.second, one.length) for one in found] == [(0, 37, 20), (27, 0, 30)]


def test_code_that_repeats_itself_is_compared_in_little_time():
    begun = time.process_time()
    same = as_compared([3] * 20_000)  # all pairs of its tokens would take minutes
    passages(as_compared([1, 2, *[3] * 20_000]), same)
    passages(as_compared([*([3] * 20), 4] * 1000), same)
    assert time.process_time() - begun < 10


def test_the_page_shows_all_code_as_text_with_its_passages(course, hand_in):
    attack = dict(COPY)
    attack["peaks"] = f"note = '''{ATTACK}'''"
    hand_in(course, NAME, "zoe", attack)
    page = write_page(course, compare(course, NAME, 3))
    content = page.read_text(encoding="utf-8")
    parsed = Elements(content)
    kinds = {tag for tag, _ in parsed.elements}
    assert "script" not in kinds
    assert not any(name.startswith("on") for _, found in parsed.elements for name in found)
    images = [found["src"] for tag, found in parsed.elements if tag == "img"]
    assert len(images) == 1
    assert all(str(source).startswith("data:image/svg+xml;base64,") for source in images)
    assert "default-src 'none'" in content
    assert not re.search(r"(src|href)=\"(?!#|data:)", content)
    assert len(parsed.codes) == 6
    assert ATTACK.replace("\u202e", "\\u202e") in parsed.codes[1]
    assert parsed.codes[0].strip() == "\n\n\n".join(INDEPENDENT["kay"].values())
    ids = [str(found["id"]) for _, found in parsed.elements if "id" in found]
    assert len(ids) == len(set(ids))
    links = [str(found["href"])[1:] for tag, found in parsed.elements if tag == "a"]
    assert set(links) <= set(ids)
    assert "accuses nobody" in content


def test_a_submission_that_cannot_be_read_is_named_and_the_others_are_compared(course, hand_in):
    hand_in(course, NAME, "zoe", COPY)
    hand_in(course, NAME, "broken").write_text("{")
    hand_in(course, NAME, "huge", {"smooth": "x = 1\n" * (MAX_CODE // 5)})
    link = hand_in(course, NAME, "link")
    link.unlink()
    link.symlink_to(course.path("source", NAME) / f"{NAME}.ipynb")
    hand_in(course, NAME, "deep").write_text("[" * 100_000)
    hand_in(course, NAME, "<b>\udcff")
    hand_in(course, NAME, "odd", {"smooth": "'" * 20_000 + "\x00\ud800\x1b[2J((("})
    done = similar(NAME, "--course", course.root, "--pairs", "2")
    assert done.exit_code == 3
    assert "Traceback" not in done.stdout + done.stderr
    assert "\x1b[2J" not in done.stdout + done.stderr
    for student in ("broken", "huge", "link", "deep"):
        assert re.search(rf"^{student}: not compared: ", done.stderr, re.MULTILINE)
    assert "odd" in done.stdout  # it has nothing to compare
    assert re.search(r"kay +│ zoe", done.stdout)
    page = course.root / "reports" / NAME / "similar.html"
    content = page.read_text(encoding="utf-8")
    assert "is not a plain file" in content
    assert "&lt;b&gt;?" in content


def test_json_says_the_same_and_writes_nothing(course, hand_in):
    hand_in(course, NAME, "zoe", COPY)
    done = similar("ser", "--course", course.root, "--json", "--pairs", "1")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    [pair] = said["pairs"]
    assert {pair["first"], pair["second"]} == {"kay", "zoe"}
    assert said["compared"] == sorted([*INDEPENDENT, "zoe"])
    assert said["median"] < said["99_percent"] <= pair["similarity"]
    assert not (course.root / "reports").exists()


@pytest.mark.parametrize("number", [0, 1])
def test_a_class_without_pairs_is_said(released, tmp_path, hand_in, number):
    course = Course(Path(shutil.copytree(released, tmp_path / "course")))
    for student in list(INDEPENDENT)[:number]:
        hand_in(course, NAME, student, INDEPENDENT[student])
    done = similar(NAME, "--course", course.root)
    assert isinstance(done.exception, AutograderError)  # exit code 1, see test_cli
    assert ("nothing to compare" if number else "nobody has handed in") in done.exception.problem
    assert not (course.root / "reports").exists()


def test_two_blank_submissions_are_nothing_to_compare(released, tmp_path, hand_in):
    course = Course(Path(shutil.copytree(released, tmp_path / "course")))
    hand_in(course, NAME, "ada")
    hand_in(course, NAME, "emmy")
    with pytest.raises(NothingToCompareError, match="of 2 submissions, 0 can be read"):
        compare(course, NAME, 20)


# ── a class of a thousand ───────────────────────────────────────────────────────────────────────


def program(chance: random.Random, lines: int) -> str:
    """Random Python of about this many lines, in functions of ten."""
    names = ["a", "b", "i", *(f"rows.{name}" for name in ("sum", "T", "dim", "size", "mean"))]
    simple = ["{} = {} + {}", "{} = {}[{}]", "{}.append({} * {})", "{} += len({}) - {}"]
    heads = ["for {} in range({}, {}):", "if {} < {} or {}:", "while {} > {}[{}]:"]
    written = []
    for number in range(lines // 10):
        written.append(f"def f{number}({chance.choice(names[:3])}):")
        for _ in range(4):
            head, body = chance.choice(heads), chance.choice(simple)
            written.append("    " + head.format(*chance.choices(names, k=3)))
            written.append("        " + body.format(*chance.choices(names, k=3)))
        written.append(f"    return {chance.choice(names)}\n")
    return "\n".join(written)


@pytest.mark.slow
@pytest.mark.alone
def test_a_class_of_a_thousand_takes_little_processor_time(released, tmp_path, hand_in):
    course = Course(Path(shutil.copytree(released, tmp_path / "course")))
    chance = random.Random(1)
    for number in range(1000):
        hand_in(course, NAME, f"s{number:04}", {"smooth": program(chance, 100)})
    begun = processor_time()
    compared = compare(course, NAME, 20)
    write_page(course, compared)
    taken = processor_time() - begun
    print(f"a thousand submissions: {taken:.0f} s of processor time")
    assert len(compared.all_pairs) == 499_500
    assert taken < 120


def processor_time() -> float:
    """Of this process and of all readers."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ended = [resource.getrusage(kind) for kind in kinds]
    running = [reader.cpu_times() for reader in psutil.Process().children(recursive=True)]
    return sum(used.ru_utime + used.ru_stime for used in ended) + sum(
        used.user + used.system for used in running
    )
