"""The leak gate finds a secret line wherever it hides, and no release holds one."""

from __future__ import annotations

import io
import json
import re
import secrets as random
import tarfile
import zipfile

import pytest

from autograder.assignment import Assignment
from autograder.authoring import leaks
from autograder.authoring.release import is_current, read_tree, release
from autograder.course import Course
from autograder.errors import ReleaseError
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
