"""nbgrader's options: every one is followed, or refused by name before anything runs."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil

import nbgrader
import pytest
from traitlets.config import Configurable

from autograder.assignment import Assignment
from autograder.authoring.release import release
from autograder.course import Course
from autograder.errors import CourseError, ReleaseError
from autograder.grading.options import FOLLOWED, is_followed, require_options
from autograder.grading.prepare import prepare
from autograder.grading.settings import Settings
from tests.conftest import ROOT, SOLVED

# Commands that stay nbgrader's own.
NBGRADERS_OWN = (
    "nbgrader.apps.",
    "nbgrader.auth.",
    "nbgrader.exchange.",
    "nbgrader.plugins.base",
    "nbgrader.plugins.export",
    "nbgrader.plugins.zipcollect",
    "nbgrader.server_extensions.",
    "nbgrader.validator",
    "nbgrader.converters.generate_solution",
    "nbgrader.converters.generate_source_with_tests",
    "nbgrader.preprocessors.instantiatetests",
)
# Base classes, whose options count for the classes made from them; and old names of two others.
BASES = {"BaseConverter", "NbGraderPreprocessor", "Assign", "Feedback"}


def classes() -> dict[str, type[Configurable]]:
    """Every class of the installed nbgrader that has options of its own."""
    found = {}
    for module in pkgutil.walk_packages(nbgrader.__path__, "nbgrader."):
        if not {"tests", "docs", "__main__"} & set(module.name.split(".")):
            for name, kind in vars(importlib.import_module(module.name)).items():
                if (
                    inspect.isclass(kind)
                    and issubclass(kind, Configurable)
                    and kind.__module__.startswith("nbgrader")
                    and (kind.class_own_traits(config=True) or name in FOLLOWED)
                ):
                    found[name] = kind
    return found


CLASSES = classes()
CONCERNED = [
    (kind, option)
    for name, kind in sorted(CLASSES.items())
    if name in FOLLOWED
    for option in sorted(kind.class_traits(config=True))
]


@pytest.fixture(scope="module")
def bare_course(tmp_path_factory):
    root = tmp_path_factory.mktemp("options")
    (root / "nbgrader_config.py").write_text("c = get_config()\n")
    return Course(root)


def test_every_class_with_options_is_known():
    unknown = CLASSES.keys() - FOLLOWED.keys() - BASES
    ours = {name for name in unknown if not CLASSES[name].__module__.startswith(NBGRADERS_OWN)}
    assert ours == set()
    assert FOLLOWED.keys() <= CLASSES.keys()


def test_every_option_is_followed_or_refused_by_name(bare_course):
    refused = 0
    for kind, option in CONCERNED:
        if is_followed(kind, option) or (
            kind.__name__.endswith("App") and (option not in kind.class_own_traits(config=True))
        ):
            continue
        config = bare_course.config.copy()
        config[kind.__name__][option] = "set to this"
        course = Course(bare_course.root)
        course.config = config
        with pytest.raises(CourseError) as caught:
            require_options(course)
        assert f"{kind.__name__}.{option}" in caught.value.problem
        refused += 1
    assert refused > 40


def configured(course: Course, text: str) -> Course:
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text() + text)
    return Course(course.root)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("c.Execute.extra_arguments = ['-x']", "Execute.extra_arguments"),
        ("c.BaseConverter.post_convert_hook = 'os.listdir'", "post_convert_hook"),
        ("c.CourseDirectory.notebook_id = 'p*'", "CourseDirectory.notebook_id"),
        ("c.Autograde.sanitize_preprocessors.append('a.Mine')", "sanitize_preprocessors to 'Mine'"),
        ("c.SaveAutoGrades.enabled = False", "SaveAutoGrades.enabled"),
        ("c.LimitOutput.max_lines = 'many'", "LimitOutput"),
        ("c.Autograder.in_kernel = 'all'", "c.Autograder.in_kernel"),
        ("c.Autograder.memory_megabytes = '4 GB'", "c.Autograder.memory_megabytes"),
        ("c.Autograder.memory = 3", "no option c.Autograder.memory"),
    ],
)
def test_what_is_not_followed_or_wrong_stops_before_anything_runs(bare_course, text, named):
    course = Course(bare_course.root)
    config = course.root / "nbgrader_config.py"
    config.write_text(f"c = get_config()\n{text}\n")
    try:
        with pytest.raises(CourseError, match=named.replace(".", r"\.")):
            require_options(Course(course.root))
    finally:
        config.write_text("c = get_config()\n")


@pytest.mark.parametrize("value", ["-1", "None", "0"])
def test_no_time_limit_of_a_cell_leaves_the_submissions(bare_course, value):
    config = bare_course.root / "nbgrader_config.py"
    config.write_text(f"c = get_config()\nc.Execute.timeout = {value}\n")
    try:
        settings = Settings.of(Course(bare_course.root))
        assert settings.cell_seconds == settings.limits.wall_seconds
    finally:
        config.write_text("c = get_config()\n")


def test_memory_and_time_are_options(bare_course):
    config = bare_course.root / "nbgrader_config.py"
    config.write_text(
        "c = get_config()\nc.Autograder.memory_megabytes = 4096\nc.NotebookClient.timeout = 7\n"
    )
    try:
        settings = Settings.of(Course(bare_course.root))
        assert (settings.limits.memory_bytes, settings.cell_seconds) == (4 << 30, 7)
    finally:
        config.write_text("c = get_config()\n")


def test_the_users_own_configuration_is_read_and_the_courses_wins(tmp_path, monkeypatch):
    user, root = tmp_path / "jupyter", tmp_path / "course"
    user.mkdir()
    root.mkdir()
    (user / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.db_url = 'sqlite:////elsewhere/grades.db'\n"
        "c.Execute.timeout = 5\n"
    )
    (root / "nbgrader_config.py").write_text("c = get_config()\nc.Execute.timeout = 6\n")
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(user))
    course = Course(root)
    assert course.database_file.as_posix() == "/elsewhere/grades.db"
    assert Settings.of(course).cell_seconds == 6


def test_another_root_in_the_configuration_is_refused(tmp_path):
    (tmp_path / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.root = '/elsewhere'\n"
    )
    with pytest.raises(CourseError, match="/elsewhere"):
        Course(tmp_path)


@pytest.mark.parametrize(
    "structure",
    [
        "{nbgrader_step}/{assignment_id}/{student_id}",
        "{assignment_id}/{nbgrader_step}/{student_id}",
        "all/{student_id}/{nbgrader_step}/{assignment_id}",
    ],
)
def test_folders_in_any_order_are_found(tmp_path, structure):
    (tmp_path / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.CourseDirectory.directory_structure = {structure!r}\n"
        "c.CourseDirectory.submitted_directory = 'rein'\n"
        "c.CourseDirectory.student_id_exclude = 'müller'\n"
    )
    course = Course(tmp_path)
    for step, student in (("source", "."), ("submitted", "zoë [1]"), ("submitted", "müller")):
        folder = course.path(step, "übung 1", student)
        folder.mkdir(parents=True)
        (folder / "p.ipynb").touch()
    assert course.assignments() == ["übung 1"]
    assert course.students("übung 1") == ["zoë [1]"]


def test_a_name_that_nbgrader_allows_no_assignment_is_said(tmp_path):
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()\n")
    (tmp_path / "source" / "hw+1").mkdir(parents=True)
    (tmp_path / "source" / "hw+1" / "p.ipynb").touch()
    with pytest.raises(CourseError, match=r"hw\+1"):
        Course(tmp_path).resolve("hw+1")


@pytest.mark.parametrize(
    "kernel",
    [
        {"name": "ir", "display_name": "R", "language": "R"},
        {"name": "ir", "display_name": "R"},
        {"name": "julia-1.9", "language": "julia"},
    ],
)
def test_another_language_is_refused_by_name(warmup, kernel):
    [path] = warmup.path("source", "warmup").glob("*.ipynb")
    notebook = json.loads(path.read_text())
    notebook["metadata"] = {"kernelspec": kernel}
    path.write_text(json.dumps(notebook))
    with pytest.raises(ReleaseError, match=r"warmup\.ipynb is in .*kernel is") as caught:
        release(warmup, "warmup")
    assert kernel["name"] in caught.value.problem


def test_what_a_student_may_edit_stays_and_an_instructors_data_do_not_count(warmup, hand_in):
    course = configured(
        warmup, "\nc.Autograde.exclude_overwriting = {'warmup': ['work/mine.py']}\n"
    )
    source = course.path("source", "warmup")
    given = {"work/mine.py": "A = 0\n", "work/data.csv": "1\n"}
    given |= {f"data/{number}.txt": "x" for number in range(1500)}
    submitted = hand_in(course, "warmup", "one", SOLVED).parent
    for folder in (source, submitted):
        for name, text in given.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
    for name in ("work/mine.py", "work/data.csv"):
        (submitted / name).write_text("A = 1\n")
    prepared = prepare(course, Assignment.load(course, "warmup"), "one")
    assert prepared.files["work/mine.py"] == b"A = 1\n"
    assert prepared.files["work/data.csv"] == b"1\n"
    assert prepared.given >= {"work/data.csv", "data/7.txt"}
    assert "work/mine.py" not in prepared.given
    assert len(prepared.files) == len(given)
    assert prepared.notes == ()


def test_the_documentation_lists_each_class():
    page = (ROOT / "docs" / "grading.md").read_text(encoding="utf-8")
    for name in FOLLOWED:
        assert f"`{name}" in page, name
