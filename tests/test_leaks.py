"""The leak gate finds a secret line wherever it hides, and no release holds one."""

from __future__ import annotations

import io
import json
import secrets as random
import zipfile

import pytest

from autograder import leaks
from autograder.assignment import Assignment
from autograder.course import Course
from autograder.errors import ReleaseError
from autograder.release import is_current, read_tree, release
from tests.conftest import WARMUP, make_course

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


def test_lines_that_students_see_anyway_are_no_secret(warmup):
    secret = leaks.secrets(Assignment.load(warmup, "warmup").sources.values())
    assert "return math.pi * radius**2" in secret
    assert (
        'assert math.isclose(area(2), 4 * math.pi), "area(2) is wrong: square the radius"' in secret
    )
    assert "assert area(0) == 0" not in secret


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


def test_a_release_that_would_give_something_away_is_refused_and_nothing_is_written(warmup):
    before = read_tree(warmup.path("release", "warmup"))
    notes = warmup.path("source", "warmup") / "notes.txt"
    notes.write_text("To be told: return math.pi * radius**2\n")
    with pytest.raises(ReleaseError, match=r"notes\.txt: return math\.pi") as caught:
        release(warmup, "warmup")
    assert "nothing was released" in caught.value.remedy
    assert read_tree(warmup.path("release", "warmup")) == before


def test_an_alternative_solution_is_as_secret_as_the_reference(warmup):
    check = warmup.root / "checks" / "warmup" / "by_product.py"
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
