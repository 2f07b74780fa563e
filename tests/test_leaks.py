"""The leak gate finds a secret line wherever it hides, and no release holds one."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import re
import secrets as random
import tarfile
import zipfile

import jupytext
import pytest

from autograder.assignment import Assignment
from autograder.authoring import leaks
from autograder.authoring.release import check_leaks, is_current, read_tree, release
from autograder.course import Course
from autograder.errors import ReleaseError
from autograder.grading.feedback import feedback
from autograder.grading.grade import grade
from tests.conftest import ROOT, WARMUP, make_course
from tools import student_bundle

LINE = "assert area(2) == 12.566370614359172"


def notebook(cell, **metadata):
    return json.dumps({"cells": [cell], "metadata": metadata}).encode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.ipynb", notebook({"source": ["x = 1\n", f"    {LINE}\n"], "metadata": {}})),
        ("a.ipynb", notebook({"source": "", "metadata": {"old": {"source": LINE}}})),
        ("a.ipynb", notebook({"source": "", "outputs": [{"traceback": ["--> 1", LINE]}]})),
        ("a.ipynb", notebook({"source": ""}, note=LINE)),
        ("helper.py", f"def f():\n    {LINE}\n".encode()),
        ("data.bin", b"\x00\xff" + LINE.encode() + b"\x00"),
    ],
    ids=["source", "cell metadata", "output", "notebook metadata", "file", "binary"],
)
def test_a_secret_line_is_found_in(name, content):
    [leak] = leaks.find({name: content}, {LINE})
    assert leak.line == LINE
    assert leak.place.startswith(name)


def test_a_secret_line_is_found_in_an_archive():
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("deep/inside.txt", LINE)
    [leak] = leaks.find({"bundle.zip": memory.getvalue()}, {LINE})
    assert leak.place == "bundle.zip/deep/inside.txt"


def test_a_secret_line_is_found_in_a_tar_whatever_it_is_called():
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w:gz") as tar:
        member = tarfile.TarInfo("deep/inside.txt")
        member.size = len(LINE)
        tar.addfile(member, io.BytesIO(LINE.encode()))
    [leak] = leaks.find({"data.bin": memory.getvalue()}, {LINE})
    assert leak.place == "data.bin/deep/inside.txt"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.py", 'print("a",\n      "b")'),
        ("a.json", json.dumps({"deep": ['print("a", "b")']})),
        ("a.jsonl", json.dumps(1) + "\n" + json.dumps(['print("a", "b")'])),
        ("a.html", "<pre>print(&quot;a&quot;, &quot;b&quot;)</pre>"),
    ],
)
def test_a_secret_line_is_found_however_it_is_written(name, content):
    [leak] = leaks.find({name: content.encode()}, {'print("a", "b")'})
    assert leak.place == name


def test_lines_that_students_see_anyway_are_no_secret(warmup):
    secret = leaks.secrets(Assignment.load(warmup, "warmup").sources.values())
    assert "return math.pi * radius**2" in secret
    assert (
        'assert math.isclose(area(2), 4 * math.pi), "area(2) is wrong: square the radius"' in secret
    )
    assert "assert area(0) == 0" not in secret


def test_what_stands_in_a_bracket_or_a_block_is_secret_and_the_line_that_opens_it_is_not():
    check = """
for name, value in {
    "Width of the kernel": width,
}.items():
    if isinstance(old, nn.Linear):
        new = old.weight[:, :width]
"""
    inside = {'"Width of the kernel": width,', "new = old.weight[:, :width]"}
    assert leaks.secrets([], [check]) == inside


HELPER = """class Pile:
    def __init__(self):
        super().__init__()
        self.items = []

    def add(self, item):
        self.items.append(item)


def mean(x):
    return sum(x) / len(x)
"""
GENERIC = (
    HELPER
    + """
def sound():
    raise NotImplementedError
"""
)


def test_what_every_program_has_is_no_secret_and_several_lines_of_a_solution_are():
    solution = """
def __init__(self):
    super().__init__()
    self.items = []
return sum(x) / len(x)
raise NotImplementedError
self.items.append(item)
loss.detach().item()
"""
    assert leaks.find({"helper.py": GENERIC.encode()}, leaks.secrets([], [solution])) == []
    lines = """def factorial(n):
    if n <= 1:
        return 1
    return n * factorial(n - 1)
"""
    secret = leaks.secrets([], [lines])
    assert leaks.find({"old.py": b"import os\n\n\n" + lines.encode()}, secret)
    assert leaks.find({"hint.md": b"Write return n * factorial(n - 1) at the end."}, secret) == []


def test_every_assertion_of_a_hidden_test_is_a_secret_whatever_its_words(warmup):
    text = WARMUP.replace(
        "assert math.isclose(area(2)", "assert not area(0.0)\n    assert (area(2)"
    )
    assert "assert not area(0.0)" in leaks.secrets([as_notebook(text)])


def as_notebook(text):
    return jupytext.reads(
        re.sub(r'test="(\w+)"', r'nbgrader={"grade": true, "grade_id": "\1"}', text), "py:percent"
    )


def archive(**members):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return memory.getvalue()


DAMAGED = archive(a=b"plain " * 500)[:-40] + b"PK\5\6" + bytes(18)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tweets.json", b'{"a": 1}\n{"b": 2}\n'),
        ("broken.json", b'{"a": [1, 2'),
        ("deep.json", b"[" * 100_000),
        ("rows.jsonl", b'{"a": 1}\n\n\nnot json\n'),
        ("data.zip", DAMAGED),
        ("cut.zip", archive(a=b"x" * 5000)[:200]),
        ("cut.tar.gz", gzip.compress(b"x" * 5000)[:20]),
        ("old/a.ipynb", b"not a notebook"),
        ("old/b.ipynb", b"[]"),
        ("data.csv", "a;b\n1;2\n".encode("utf-16")),
        ("nothing", b""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_data_of_any_form_are_searched_and_pass(released_warmup, tmp_path, name, content):
    warmup = Course(released_warmup)
    place = tmp_path / name
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(content)
    check_leaks(warmup, "warmup", place.parent)  # raises nothing
    assert leaks.find({name: content + LINE.encode()}, {LINE})


def test_a_secret_line_is_found_in_archives_of_archives_and_packed_files():
    inner = archive(**{"b.txt": LINE})
    for content in (
        archive(**{"inner.zip": archive(**{"inner.zip": inner})}),
        gzip.compress(LINE.encode()),
        gzip.compress(inner),
        bz2.compress(LINE.encode()),
        lzma.compress(LINE.encode()),
        LINE.encode("utf-16"),
        json.dumps({"a": LINE}).encode() + b"\n{}",
    ):
        assert leaks.find({"data.bin": content, "data.json": content}, {LINE})


def test_the_courses_own_delimiters_mark_secrets_in_feedback_and_in_the_gate(tmp_path, hand_in):
    config = """
c.ClearSolutions.begin_solution_delimeter = "LÖSUNG ANFANG"
c.ClearSolutions.end_solution_delimeter = "LÖSUNG ENDE"
c.ClearHiddenTests.begin_test_delimeter = "# hidden on"
c.ClearHiddenTests.end_test_delimeter = "# hidden off"
"""
    text = WARMUP
    for usual, own in {
        "### BEGIN SOLUTION": "# LÖSUNG ANFANG",
        "### END SOLUTION": "# LÖSUNG ENDE",
        "### BEGIN HIDDEN TESTS": "# hidden on",
        "### END HIDDEN TESTS": "# hidden off",
    }.items():
        text = text.replace(usual, own)
    course = make_course(tmp_path / "course", {"warmup": text}, config)
    assert leaks.secrets_of(course, "warmup") >= {
        "return math.pi * radius**2",
        'assert math.isclose(area(2), 4 * math.pi), "area(2) is wrong: square the radius"',
    }
    hand_in(course, "warmup", "half", {"area": "def area(r): return math.pi * r"})
    (outcome,) = grade(course, "warmup")
    assert outcome.result.notes == ()
    feedback(course, "warmup")
    page = (course.path("feedback", "warmup", "half") / "warmup.html").read_text()
    assert "area(2) is wrong: square the radius" in page
    for secret in ("isclose", "hidden banana", "hidden on"):
        assert secret not in page
    old = course.path("source", "warmup") / "old.md"
    for line in ("# hidden on", "return math.pi * radius**2", "### BEGIN HIDDEN TESTS"):
        old.write_text(line)
        with pytest.raises(ReleaseError, match=r"old\.md"):
            release(course, "warmup")


def test_what_the_stub_says_and_what_is_meant_for_students_is_released(tmp_path):
    own = "return math.pi * radius**2"
    text = WARMUP.replace(
        "    return sum(one", "    raise NotImplementedError()\n    return sum(one"
    )
    essay = '# %% [markdown] manual="essay" points=2\nYOUR ANSWER HERE\n'
    course = make_course(tmp_path / "course", {"warmup": f"{text}\n{essay}"})
    (course.path("source", "warmup") / "notes.md").write_text(f"{own}\n{GENERIC}")
    with pytest.raises(ReleaseError, match=r"notes\.md") as caught:
        release(course, "warmup")
    assert "public: [LINE]" in caught.value.remedy
    [notebook] = course.path("source", "warmup").glob("*.ipynb")
    told = json.loads(notebook.read_text())
    told["metadata"]["autograder"] = {"public": [own]}
    notebook.write_text(json.dumps(told))
    assert (release(course, "warmup") / "notes.md").exists()


def test_random_canaries_in_every_secret_region_reach_no_student(tmp_path):
    canaries = []
    lines = []
    for line in WARMUP.splitlines():
        lines.append(line)
        if "BEGIN" in line:
            canaries.append(f"canary_{random.token_hex(8)}")
            lines.append(line.split("###")[0] + f"{canaries[-1]} = None")
    course = make_course(tmp_path / "course", {"warmup": "\n".join(lines)})
    released = b"".join(read_tree(course.path("release", "warmup")).values())
    source = b"".join(read_tree(course.path("source", "warmup")).values())
    assert len(canaries) == 4
    for canary in canaries:
        assert canary.encode() in source
        assert canary.encode() not in released


@pytest.mark.slow
def test_the_bundle_gives_away_nothing_of_any_kind_in_any_place():
    lines = {
        "solution": "return grad_y @ weight, grad_y.T @ x, grad_y.sum(dim=0)",
        "hidden": "slopes = 1 / np.cosh(x.cpu().double().numpy()) ** 2",
        "key": "`dX[i, j] = …` instead of `dX[i, j] += …` keeps only the last of them.",
        "check": "# about: Writes = where windows overlap, so that only the last window counts.",
    }
    text = (ROOT / "exercises" / "text" / "ps5_backpropagation.py").read_bytes()
    planted = {
        "assignments/notes.md": lines["solution"].encode(),
        "assignments/a.ipynb": notebook({"source": "", "metadata": {"old": lines["check"]}}),
        "README.md": lines["key"].encode(),
        "assignments/b.ipynb": notebook({"source": "", "outputs": [{"text": [lines["hidden"]]}]}),
        "lectures/c.ipynb": notebook({"source": lines["hidden"]}),
        "course_utils/answers.json": json.dumps([lines["hidden"]]).encode(),
        "course_utils/key.py": lines["key"].encode(),
    }
    for place, content in planted.items():
        with pytest.raises(SystemExit, match=re.escape(place)):
            student_bundle.check(ROOT, {place: content})
    with pytest.raises(SystemExit, match="BEGIN HIDDEN TESTS"):
        student_bundle.check(ROOT, {"lectures/text.py": text[text.index(b"### BEGIN HIDDEN") :]})
    harmless = {name: b"return grad_y @ weight.T" for name in planted if "ipynb" not in name}
    student_bundle.check(ROOT, harmless | {"course_utils/answers.json": b"[]"})


def test_a_release_that_would_give_something_away_is_refused_and_nothing_is_written(warmup):
    before = read_tree(warmup.path("release", "warmup"))
    notes = warmup.path("source", "warmup") / "notes.txt"
    notes.write_text("To be told: return math.pi * radius**2\n")
    with pytest.raises(ReleaseError, match=r"notes\.txt: return math\.pi") as caught:
        release(warmup, "warmup")
    assert "nothing was released" in caught.value.remedy
    assert read_tree(warmup.path("release", "warmup")) == before


def test_an_alternative_solution_is_as_secret_as_the_reference(warmup):
    check = warmup.root / "specimens" / "warmup" / "by_product.py"
    check.parent.mkdir(parents=True)
    check.write_text("def area(radius):\n    return math.prod([math.pi, radius, radius])\n")
    (warmup.path("source", "warmup") / "hint.md").write_text(
        "return math.prod([math.pi, radius, radius])"
    )
    with pytest.raises(ReleaseError, match=r"hint\.md"):
        release(warmup, "warmup")


def test_a_release_is_byte_stable_and_check_sees_a_difference(warmup):
    assert is_current(warmup, "warmup")
    path = warmup.path("release", "warmup") / "warmup.ipynb"
    path.write_text(path.read_text().replace("Warm-up", "Warmup"))
    assert not is_current(warmup, "warmup")
    release(Course(warmup.root), "warmup")
    assert is_current(warmup, "warmup")
