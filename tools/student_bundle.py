"""Makes the zip that students get: lectures, released assignments, and the modules they import.

    python -m tools.student_bundle [FILE]

The bundle can be installed with pip or conda. It must pass the same search for leaks as a release.
"""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

from autograder.authoring import leaks
from autograder.course import Course

ROOT = Path(__file__).resolve().parent.parent
DEFAULT = ROOT / "build" / "convnet-course.zip"
FOLDER = "convnet-course"
TEACHING = ("course_utils/", "lectures/")
TAKEN = ("LICENSE", "environment.yml", "course_utils", "lectures")


def contents(root: Path) -> dict[str, bytes]:
    """Collect the files of the bundle, by their names in it. Files that git ignores are left out.

    Args:
        root: the repository.
    """
    repository_files = subprocess.check_output(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=root, text=True
    ).splitlines()
    bundle = {"README.md": (root / "docs" / "students.md").read_bytes()}
    for name in sorted(repository_files):
        path = Path(name)
        if not (root / path).is_file():
            continue
        if path.parts[:2] == ("exercises", "release"):
            bundle["/".join(("assignments", *path.parts[2:]))] = (root / path).read_bytes()
        elif path.parts[0] in TAKEN and path.parts[:2] != ("lectures", "text"):
            bundle[name] = (root / path).read_bytes()
    bundle["pyproject.toml"] = _pyproject((root / "pyproject.toml").read_text()).encode()
    return bundle


def _pyproject(text: str) -> str:
    """The project's pyproject.toml without the parts about grading and tests."""
    sections = [
        section
        for section in re.split(r"(?m)^(?=\[)", text)
        if re.match(r"\[(build-system|project|tool\.setuptools[^\]]*)\]", section)
    ]
    return "".join(sections).replace('"autograder*", ', "")


def check(root: Path, bundle: dict[str, bytes]) -> None:
    """Refuse a bundle that gives away a solution, a hidden test or a key.

    Raises:
        SystemExit: the bundle gives something away. The message names the places.
    """
    course = Course(root / "exercises")
    for name in course.assignments():
        taught = {path: text for path, text in bundle.items() if path.startswith(TEACHING)}
        others = {path: text for path, text in bundle.items() if path not in taught}
        places = leaks.find(taught, leaks.secrets_of(course, name, taught=True))
        places += leaks.find(others, leaks.secrets_of(course, name))
        if places:
            raise SystemExit("the bundle would give away:\n  " + "\n  ".join(map(str, places[:10])))


def write(bundle: dict[str, bytes], target: Path) -> None:
    """Write the zip. The same contents always give the same bytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(bundle.items()):
            entry = zipfile.ZipInfo(f"{FOLDER}/{name}", date_time=(2000, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)


def main() -> None:
    """Make, check and write the bundle."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    bundle = contents(ROOT)
    check(ROOT, bundle)
    write(bundle, target)
    print(f"{target}: {len(bundle)} files, {target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
