"""Check whether this computer is ready for the course, and say how to mend what is not."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from importlib import metadata

# The lowest versions that the course runs with, as in pyproject.toml.
PACKAGES = {
    "torch": "2.4",
    "torchvision": "0.19",
    "numpy": "1.26",
    "matplotlib": "3.8",
    "jupyterlab": "4.2",
    "ipywidgets": "8.1",
    "anywidget": "0.9",
    "nbgrader": "0.9.5",
}
INSTALL = "in a terminal, activate the course's environment, then `pip install -e .` in its folder"
OLDEST, NEWEST = (3, 11), (3, 13)


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Attributes:
        name: what was checked.
        found: what the check found, such as a version.
        remedy: what to do; empty if all is well.
    """

    name: str
    found: str
    remedy: str = ""


def check() -> list[Check]:
    """Check Python, the packages, the course's own files and the processor, and print a table.

    Returns:
        The checks that were printed. A check with a remedy needs your attention.
    """
    checks = [_python(), *(_package(*item) for item in PACKAGES.items()), _assets(), _processor()]
    for result in checks:
        print(f"{'  ok' if not result.remedy else 'MEND'}  {result.name:14} {result.found}")
        if result.remedy:
            print(f"      → {result.remedy}")
    wrong = sum(bool(result.remedy) for result in checks)
    print("\nAll is well." if not wrong else f"\nTo mend: {wrong}. Then restart the kernel.")
    return checks


def _python() -> Check:
    found = f"{platform.python_version()} in {sys.prefix}"
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return Check("Python", found)
    wanted = f"{'.'.join(map(str, OLDEST))} to {'.'.join(map(str, NEWEST))}"
    return Check("Python", found, f"install Python {wanted}, and make the environment again")


def _package(name: str, least: str) -> Check:
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Check(name, "missing", f"{INSTALL}; if it is installed, choose its kernel")
    if _numbers(version) < _numbers(least):
        return Check(name, version, f"the course needs {least} or later: {INSTALL}")
    return Check(name, version)


def _numbers(version: str) -> tuple[int, ...]:
    """Read "2.14.1+cpu" as (2, 14, 1)."""
    parts: list[int] = []
    for part in version.split("+")[0].split("."):
        if not part.isdigit():
            break
        parts.append(int(part))
    return tuple(parts)


def _assets() -> Check:
    from course_utils.data import ASSETS, DataError, read_assets

    try:
        read_assets()  # raises DataError if the list of checksums itself is missing
        checksums = (ASSETS / "SHA256SUMS").read_text("utf-8", "replace").splitlines()
        names = [line.partition("  ")[2] for line in checksums]
        read_assets(*names)
    except DataError as error:
        return Check("course's files", "damaged", f"{error}")
    return Check("course's files", f"{len(names)}, each with the right checksum")


def _processor() -> Check:
    try:
        import torch
    except ImportError as error:
        return Check("processor", f"torch can't be loaded: {error}", INSTALL)
    if torch.cuda.is_available():
        return Check("processor", f"{torch.cuda.get_device_name()} (not needed)")
    return Check("processor", "CPU; no lecture needs a GPU")
