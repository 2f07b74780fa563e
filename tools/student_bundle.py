"""Makes the zip that students get: lectures, released assignments, and what the notebooks import.

python -m tools.student_bundle [FILE]

The bundle installs with pip or conda, and passes the same leak gate as a release.
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
    """Every file of the bundle by its name in it: only what git knows, and no more of that."""
    known = subprocess.check_output(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=root, text=True
    ).splitlines()
    bundle = {"README.md": (root / "docs" / "students.md").read_bytes()}
    for name in sorted(known):
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
    """The project's own, without the parts that a student has not got: grading and tests."""
    kept = [
        section
        for section in re.split(r"(?m)^(?=\[)", text)
        if re.match(r"\[(build-system|project|tool\.setuptools[^\]]*)\]", section)
    ]
    return "".join(kept).replace('"autograder*", ', "")


def check(root: Path, bundle: dict[str, bytes]) -> None:
    """Refuse a bundle that gives anything away.

    Raises:
        SystemExit: naming each place.
    """
    course = Course(root / "exercises")
    for name in course.assignments():
        taught = {one: text for one, text in bundle.items() if one.startswith(TEACHING)}
        others = {one: text for one, text in bundle.items() if one not in taught}
        found = leaks.find(taught, leaks.secrets_of(course, name, taught=True))
        found += leaks.find(others, leaks.secrets_of(course, name))
        if found:
            raise SystemExit("the bundle would give away:\n  " + "\n  ".join(map(str, found[:10])))


def write(bundle: dict[str, bytes], target: Path) -> None:
    """Write the zip: the same bytes for the same contents."""
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
