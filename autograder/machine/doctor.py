"""Finds out what this machine has and lacks for grading, with a remedy for each lack."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.course import Course
from autograder.errors import AutograderError
from autograder.sandbox.launch import isolation_problem
from autograder.sandbox.view import gpus

PACKAGES = (
    "nbgrader",
    "jupyterlab",
    "nbclient",
    "ipykernel",
    "torch",
    "torchvision",
    "numpy",
    "matplotlib",
    "ipywidgets",
)
MIN_DISK = 2 << 30


@dataclass(frozen=True)
class Finding:
    """The result of one check of the machine.

    Attributes:
        name: what was checked.
        ok: whether it is as it should be.
        found: what was found.
        remedy: what to do if it is not as it should be.
        required: whether grading is impossible without it.
    """

    name: str
    ok: bool
    found: str
    remedy: str = ""
    required: bool = True


def examine(root: Path | None) -> list[Finding]:
    """Check the machine, and the course if there is one."""
    return [*_python(), *_packages(), _kernelspec(), _isolation(), _cuda(), _disk(), *_course(root)]


def _python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    ok = (3, 11) <= sys.version_info < (3, 14)
    yield Finding("Python", ok, version, "install Python 3.11, 3.12 or 3.13, then 'make setup'")
    cores = len(os.sched_getaffinity(0))
    yield Finding("processor cores", True, f"{cores}: that many submissions side by side")


def _packages() -> Iterator[Finding]:
    for name in PACKAGES:
        try:
            yield Finding(name, True, importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, False, "not installed", "run 'make setup'")


def _kernelspec() -> Finding:
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        spec = KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        return Finding("kernel python3", False, "not installed", "run 'make setup'")
    return Finding("kernel python3", True, spec.resource_dir)


def _isolation() -> Finding:
    problem = isolation_problem()
    if problem is None:
        return Finding("isolation", True, "student code can be shut off")
    found, _, remedy = problem.partition("\n  → ")
    return Finding("isolation", False, found, remedy)


def _cuda() -> Finding:
    if gpus():
        return Finding("CUDA", True, "a device is there: tests run their models on it")
    return Finding("CUDA", True, "no device: tests run their models on the CPU", required=False)


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free
    return Finding(
        "disk",
        free > MIN_DISK,
        f"{free / (1 << 30):.1f} GiB free",
        "make room: grading writes notebooks and copies of the gradebook",
    )


def _course(root: Path | None) -> Iterator[Finding]:
    try:
        course = Course.find(root)
    except AutograderError as error:
        yield Finding("course", False, error.problem, error.remedy, required=root is not None)
        return
    yield Finding("course", True, f"{course.root}: {', '.join(course.assignments()) or 'empty'}")
    writable = os.access(course.root, os.W_OK)
    yield Finding(
        "course folder",
        writable,
        "writable" if writable else "not writable",
        f"give yourself the right to write {course.root}",
    )
    file = course.database_file
    if file is not None and not file.exists():
        yield Finding("gradebook", True, "none yet: 'autograder release' makes it")
        return
    try:
        with course.gradebook() as gradebook:
            count = len(gradebook.students)
        yield Finding("gradebook", True, f"{count} students")
    except AutograderError as error:
        yield Finding("gradebook", False, error.problem, error.remedy)
