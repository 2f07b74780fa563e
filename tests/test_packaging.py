"""The files that say what to install agree, and the package installs what it should."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tools import student_bundle

TORCH_FREE = ("cells", "restore", "leaks", "specimens", "quiz_log")
# Problem sets withhold functions of PyTorch's; to grade imports PyTorch.
NOT_FREE = "not the_bundle_gives_away and not own_delimiters_mark_secrets"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def name_of(requirement: str) -> str:
    return re.split(r"[<>=\[;! ]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def test_environment_yml_and_pyproject_ask_for_the_same_packages():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    conda = [one for one in environment["dependencies"] if isinstance(one, str)]
    [pip] = [one["pip"] for one in environment["dependencies"] if isinstance(one, dict)]
    assert conda == [f"python{PROJECT['requires-python']}", "pip"]
    assert pip == [*PROJECT["dependencies"], "-e ."]


def test_the_lock_file_pins_every_package_that_the_project_asks_for():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pinned = {name_of(line) for line in lines if "==" in line}
    extras = PROJECT["optional-dependencies"]
    wanted = {name_of(one) for extra in extras.values() for one in extra}
    wanted |= {name_of(one) for one in PROJECT["dependencies"]}
    assert wanted - pinned == {PROJECT["name"]}


# What a package is called where it is imported, if not by its own name.
DISTRIBUTIONS = {"IPython": "ipython", "PIL": "pillow", "yaml": "pyyaml"}
OURS = {"autograder", "course_utils", "tools", "tests", "__main__"}


@pytest.mark.parametrize(
    ("folders", "extras"),
    [
        (["course_utils"], []),
        (["autograder"], ["autograder", "serve", "hub", "cluster", "values"]),
        (["tools", "tests"], ["autograder", "serve", "hub", "cluster", "values", "dev"]),
    ],
)
def test_every_package_that_is_imported_is_declared(folders, extras):
    wanted = [*PROJECT["dependencies"]]
    wanted += [one for extra in extras for one in PROJECT["optional-dependencies"][extra]]
    declared = {name_of(one) for one in wanted}
    imported = {
        DISTRIBUTIONS.get(module, module).replace("_", "-"): path
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        for module in modules_of(path) - OURS - sys.stdlib_module_names
    }
    assert "torch" in imported
    assert {name: path for name, path in imported.items() if name not in declared} == {}


def modules_of(path: Path) -> set[str]:
    """The top-level modules that a file imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [
        str(node.module) for node in nodes if isinstance(node, ast.ImportFrom) and not node.level
    ]
    return {name.partition(".")[0] for name in names}


def test_importing_course_utils_is_quick_and_does_not_import_torch():
    code = (
        "import time; start = time.perf_counter(); import course_utils;"
        "print(time.perf_counter() - start); import sys; print('torch' in sys.modules)"
    )
    seconds, torch = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert torch == "False"
    assert float(seconds) < 0.1


def test_course_utils_knows_nothing_of_the_autograder():
    for path in (ROOT / "course_utils").rglob("*.py"):
        assert not re.search(r"^\s*(from|import) autograder", path.read_text(), re.MULTILINE), path


ON_WINDOWS = """
import os, pkgutil, sys, types
from pathlib import Path

# What is not ours is imported as on this computer.
import IPython, PIL.Image, anywidget, matplotlib.figure, numpy, pydantic, torch, torchvision, yaml

for name in ("fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"):
    sys.modules[name] = None  # an import fails
for name in ("fork", "geteuid", "getuid", "killpg", "mkfifo", "sched_getaffinity", "setsid"):
    delattr(os, name)
sys.platform = "win32"
locks = sys.modules["msvcrt"] = types.ModuleType("msvcrt")
locks.LK_LOCK, locks.LK_UNLCK, locks.locking = 1, 0, lambda descriptor, how, size: None

import course_utils
for module in pkgutil.walk_packages(course_utils.__path__, "course_utils."):
    __import__(module.name)

from course_utils.quiz import log
attempt = {"event": "attempt", "question": "q", "version": "v", "student": "s", "answer": 1}
log.append(Path.cwd(), attempt, assignment=None, versions={"q": "v"}, seen=0)
print(len(log.read(Path.cwd()).attempts("q")), len(log.read(Path.cwd()).damage))
"""


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_course_utils_needs_nothing_that_only_linux_has(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", ON_WINDOWS], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1", "0"]


def test_the_files_that_students_get_can_be_unpacked_on_windows():
    names = list(student_bundle.contents(ROOT))
    assert len(names) > 300
    assert len({name.casefold() for name in names}) == len(names)
    for name in names:
        assert not re.search(r'[<>:"|?*\\]|[. ](/|$)', name), name
        assert len(name) <= 120, name
        parts = {part.partition(".")[0].upper() for part in name.split("/")}
        assert not parts & {"CON", "PRN", "AUX", "NUL", "COM1", "LPT1"}, name


PLACES = ("README.md", "CITATION.cff", ".github/ISSUE_TEMPLATE/config.yml")


@pytest.mark.parametrize("place", PLACES)
def test_the_project_is_where_pyproject_says(place):
    text = (ROOT / place).read_text(encoding="utf-8")
    repository, site = PROJECT["urls"]["Repository"], PROJECT["urls"]["Documentation"]
    path = repository.removeprefix("https://github.com/")
    known = ("https://mybinder.org/v2/gh/", "https://colab.research.google.com/github/")
    ours = (repository, site, *(f"{start}{path}/" for start in known))
    links = re.findall(r"https://[^)\s]*convnet-course[^)\s]*", text)
    assert links
    assert [link for link in links if not link.startswith(ours)] == []


def test_the_citation_has_the_version_and_the_licence_of_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert f"## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_torch_free_tests_pass_on_newer_pythons(version, tmp_path):
    python = find_python(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    subprocess.run([python, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["autograder"]]
    wanted = [one for one in wanted if name_of(one) not in ("torch", "torchvision")]
    constraint = ["--constraint", str(ROOT / "requirements.lock")]
    install = [python, "-m", "pip", "install", "--quiet", *constraint, *wanted]
    done = subprocess.run(
        [*install, "pytest", "pytest-timeout", "hypothesis"], capture_output=True, text=True
    )
    if "No matching distribution" in done.stderr or "Could not find" in done.stderr:
        pytest.skip("the packages can't be had from here")
    assert done.returncode == 0, done.stderr
    tests = [f"tests/test_{name}.py" for name in TORCH_FREE]
    run = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", NOT_FREE, *tests],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-3000:]
    assert "skipped" not in run.stdout


def find_python(version: str) -> str | None:
    """An interpreter that runs; pyenv leaves scripts on the path that don't."""
    kept = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python3"))
    for candidate in (f"python{version}", *map(str, kept)):
        path = shutil.which(candidate)
        if path and subprocess.run([path, "-V"], capture_output=True).returncode == 0:
            return path
    return None
