"""The course in this repository: its releases and its bundle are current and give nothing away."""

from __future__ import annotations

import secrets as random
import shutil
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest

from autograder.authoring.release import is_current, release
from autograder.course import Course
from tests.conftest import ROOT
from tools import student_bundle
from tools.notebooks import derive

ASSIGNMENTS = sorted(path.stem for path in (ROOT / "exercises" / "text").glob("*.py"))


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_the_committed_release_is_what_the_source_gives(name):
    assert is_current(Course(ROOT / "exercises"), name), "run 'make release'"


def test_no_canary_of_any_secret_region_reaches_the_release_or_the_bundle(tmp_path):
    """Plant a line in every secret region of a copy of the course, then look for it."""
    copy = tmp_path / "repository"
    tracked = subprocess.check_output(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True
    )
    for name in tracked.splitlines():
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    subprocess.run(["git", "init", "-q"], cwd=copy, check=True)
    canaries = [canary for name in ASSIGNMENTS for canary in _plant(copy, name)]
    assert len(canaries) > 10
    course = Course(copy / "exercises")
    for name in ASSIGNMENTS:
        release(course, name)
    bundle = student_bundle.contents(copy)
    student_bundle.check(copy, bundle)
    student_bundle.write(bundle, tmp_path / "bundle.zip")
    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        archive.extractall(tmp_path / "unpacked")
    given = [path.read_bytes() for folder in (copy / "exercises" / "release", tmp_path / "unpacked")
             for path in folder.rglob("*") if path.is_file()]  # fmt: skip
    everything = b"".join(given)
    assert b"YOUR CODE HERE" in everything
    for canary in canaries:
        assert canary.encode() not in everything


def _plant(root: Path, name: str) -> list[str]:
    text = root / "exercises" / "text" / f"{name}.py"
    canaries, lines = [], []
    for line in text.read_text().splitlines():
        lines.append(line)
        if "### BEGIN " in line:
            canaries.append(f"canary_{random.token_hex(8)}")
            lines.append(line[: len(line) - len(line.lstrip())] + f"{canaries[-1]} = None")
    text.write_text("\n".join(lines) + "\n")
    notebook = root / "exercises" / "source" / name / f"{name}.ipynb"
    notebook.write_text(derive(text, name))
    for canary in canaries:
        assert canary in notebook.read_text()
    return canaries


def test_the_bundle_installs_without_the_autograder_and_holds_no_private_file():
    bundle = student_bundle.contents(ROOT)
    project = tomllib.loads(bundle["pyproject.toml"].decode())
    assert project["project"]["dependencies"]
    assert not {"scripts", "optional-dependencies"} & project["project"].keys()
    assert project["tool"]["setuptools"]["packages"]["find"]["include"] == ["course_utils*"]
    assert {"README.md", "environment.yml", "course_utils/__init__.py"} <= bundle.keys()
    for name in bundle:
        assert not name.startswith(("autograder/", "exercises/", "tools/", "tests/")), name
        assert "/text/" not in name, name
    for name in ASSIGNMENTS:
        assert f"assignments/{name}/{name}.ipynb" in bundle
