"""The house stands as docs/architecture.md draws it."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from autograder.judge.wire import messages

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
# Rooms from the ground up: a module imports from its own room and from those below.
FLOORS = (
    ("cells", "errors"),
    ("sandbox",),
    ("judge",),
    ("course", "assignment"),
    ("attempts",),
    ("grading",),
    ("authoring",),
    ("machine",),
    ("desk",),
    ("cli",),
    ("__main__",),
)

# The rooms of the judge, likewise. A module beside them stands where its imports let it.
JUDGE_FLOORS = ("values", "wire", "objects", "around", "notebook", "replaced")


def modules(package: str) -> dict[str, ast.Module]:
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    assert len(found) > 10
    return found


AUTOGRADER, COURSE_UTILS = modules("autograder"), modules("course_utils")


def imported(name: str, tree: ast.Module, known: dict[str, ast.Module]) -> set[str]:
    """The modules that a module imports anywhere, for its types too."""
    found = set()
    package = name if f"{name}." in "".join(f"{one}." for one in known) else name.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            found |= {f"{base}.{alias.name}" for alias in node.names} | {base}
    return {one for one in found if one in known and one != name}


def test_no_circle_of_imports():
    graph = {name: imported(name, tree, AUTOGRADER) for name, tree in AUTOGRADER.items()}
    for name in graph:  # a package's own docstring file is no room
        graph[name] -= {"autograder", name.rpartition(".")[0]}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"imports run in a circle: {error.args[1]}")


@pytest.mark.parametrize("name", sorted(AUTOGRADER))
def test_no_import_runs_upward(name):
    height = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
    if name == "autograder":
        return
    own = name.split(".")[1]
    above = [
        other
        for other in imported(name, AUTOGRADER[name], AUTOGRADER)
        if other != "autograder" and height[other.split(".")[1]] > height[own]
    ]
    assert above == [], f"{name} imports from above"


@pytest.mark.parametrize("room", JUDGE_FLOORS)
def test_no_import_runs_upward_in_the_judge(room):
    above = JUDGE_FLOORS[JUDGE_FLOORS.index(room) + 1 :]
    for name, tree in AUTOGRADER.items():
        if name.startswith(f"autograder.judge.{room}."):
            for other in imported(name, tree, AUTOGRADER):
                assert other.split(".")[2:3] not in [[one] for one in above], f"{name}: {other}"


def test_the_judge_has_no_other_rooms():
    rooms = {
        name.split(".")[2] for name in AUTOGRADER if re.match(r"autograder\.judge\.\w+\.", name)
    }
    assert rooms == set(JUDGE_FLOORS)


def test_there_are_at_most_twelve_rooms_and_each_has_its_floor():
    rooms = {name.split(".")[1] for name in AUTOGRADER if "." in name}
    assert rooms == {room for rooms in FLOORS for room in rooms}
    assert len(rooms - {"__main__"}) <= 12


@pytest.mark.parametrize("name", sorted({*AUTOGRADER, *COURSE_UTILS}))
def test_a_module_is_short(name):
    path = ROOT / (name.replace(".", "/") + ".py")
    path = path if path.exists() else ROOT / name.replace(".", "/") / "__init__.py"
    assert len(path.read_text(encoding="utf-8").splitlines()) < 400


def test_what_notebooks_import_knows_nothing_of_the_engine():
    for name, tree in COURSE_UTILS.items():
        assert imported(name, tree, AUTOGRADER) == set(), name


def test_the_page_names_files_that_exist():
    [picture] = re.findall(r"```mermaid\nflowchart.*?```", PAGE, re.DOTALL)
    named = re.findall(r"[\w/]+\.py", picture)
    assert len(named) >= 9
    for name in named:
        path = name if name.startswith("autograder/") else f"autograder/{name}"
        assert (ROOT / path).is_file(), name
    for room in re.findall(r"^\| ((?:`[\w./]+`(?:, )?)+) \|", PAGE, re.MULTILINE)[:10]:
        for name in re.findall(r"`([\w./]+)`", room):
            assert (ROOT / "autograder" / name).exists(), name


def test_the_page_says_the_wires_grammar():
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.*) \|$", PAGE, re.MULTILINE)
    assert [word for word, _, _ in rows] == ["ask", "ok", "error"]
    empty = {"changes": [], "names": [], "args": [], "kwargs": {}, "outputs": [], "op": "call"}
    for word, name, told in rows:
        kind = getattr(messages, name)
        values = {
            field.name: empty.get(field.name, field.name)
            for field in fields(kind)
            if field.name != "books"
        }
        crossed = messages.to_json(kind(**values))
        order = [word, *re.findall(r"`(\w+)`", told)]
        assert crossed == [
            values.get(field, [[], [], [], []] if field == "books" else field) for field in order
        ]
