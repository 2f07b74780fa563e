"""The file system that candidates see: read-only, from an allow-list, built once."""

from __future__ import annotations

import importlib.util
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from autograder.sandbox import linux, withheld

CANDIDATE_UID = 1000  # as it sees itself
FOLDER = Path("/submission")
HOME = Path("/tmp/home")

_SYSTEM_FOLDERS = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32")
_SYSTEM_FILES = (
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/timezone",
)
_ETC = {
    "passwd": f"student:x:{CANDIDATE_UID}:{CANDIDATE_UID}::{HOME}:/bin/sh\n",
    "group": f"student:x:{CANDIDATE_UID}:\n",
    "hosts": "127.0.0.1 localhost\n",
}
_DEVICES = tuple(
    Path("/dev") / name for name in ("null", "zero", "full", "random", "urandom", "tty")
)
_DEVICE_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
    "ptmx": "pts/ptmx",
}
# A shared mapping of /dev/zero is memory in no account. /dev/full reads the same, without that.
_STAND_INS = {Path("/dev/zero"): Path("/dev/full")}
_READ_ONLY = linux.MOUNT_ATTR_RDONLY | linux.MOUNT_ATTR_NOSUID | linux.MOUNT_ATTR_NODEV


@dataclass(frozen=True)
class View:
    """What candidates see beside the system's programs and Python with its packages.

    Attributes:
        packages: packages outside Python's own folders (an editable install) that are shown.
        hidden: of these, what is absent: "package.module", or "package.module:function".
        read_only: further files and folders, shown where they are.
        masked: folders that are empty should any of the above contain them.
        devices: device files, as /dev/nvidia0.
    """

    packages: tuple[str, ...] = ("course_utils",)
    hidden: tuple[str, ...] = ()
    read_only: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()


def gpus() -> tuple[str, ...]:
    """The device files of this machine's NVIDIA GPUs; none where a driver is missing."""
    found = [str(path) for path in sorted(Path("/dev").glob("nvidia*")) if path.is_char_device()]
    return tuple(found) if "/dev/nvidiactl" in found else ()


def build_view(root: Path, view: View) -> None:
    """Build the candidates' file system at `root`, an empty folder.

    No home folder is in it, no course, and nothing that another process wrote. Needs the right to
    mount; what it mounts is seen by this process and its children only.
    """
    linux.mount("tmpfs", root, "tmpfs", data="size=64m,nr_inodes=16384,mode=755")
    for name in _SYSTEM_FOLDERS:
        _show_system_folder(root, Path("/") / name)
    for path in (*map(Path, _SYSTEM_FILES), *_python_folders(), *map(Path, view.read_only)):
        if path.exists() and not path.is_relative_to("/usr"):
            _show(root, path)
    for folder in view.masked:
        target = _within(root, Path(folder))
        if target.is_dir():
            linux.mount("tmpfs", target, "tmpfs", data="size=16m,mode=755")
    for package in view.packages:
        _show_package(root, package, view.hidden)
    _make_places(root, [*_DEVICES, *map(Path, view.devices)])
    linux.restrict_mounts(root, _READ_ONLY)
    for device in (*_DEVICES, *map(Path, view.devices)):  # after that: these are to work
        linux.bind(_STAND_INS.get(device, device), _within(root, device))


def remove_view(root: Path) -> None:
    """Take the view down, as far as it was built, and remove the folder."""
    with suppress(OSError):
        linux.unmount(root)
        root.rmdir()


def _make_places(root: Path, devices: list[Path]) -> None:
    """What has to be there before the file system becomes read-only."""
    for name in ("proc", "tmp", "etc", "dev/shm", "dev/pts", FOLDER.name):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name, text in _ETC.items():
        (root / "etc" / name).write_text(text)
    for name, link in _DEVICE_LINKS.items():
        (root / "dev" / name).symlink_to(link)
    for device in devices:
        _within(root, device).parent.mkdir(parents=True, exist_ok=True)
        _within(root, device).touch()


def _within(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


def _show_system_folder(root: Path, path: Path) -> None:
    if path.is_symlink():
        (root / path.name).symlink_to(path.readlink())
    elif path.is_dir():
        _show(root, path)


def _show(root: Path, path: Path) -> None:
    """Bind `path` at its own place. Read-only at once: it is still the machine's own file."""
    target = _within(root, path)
    if not target.exists() and path.is_dir():
        target.mkdir(parents=True)
    elif not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    linux.bind(path, target)
    linux.restrict_mounts(target, _READ_ONLY)


def _python_folders() -> list[Path]:
    """Where this Python lives; a virtual environment under its real name too."""
    prefixes = [Path(prefix) for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix)]
    return list(dict.fromkeys([*prefixes, *(prefix.resolve() for prefix in prefixes)]))


def _show_package(root: Path, package: str, hide: tuple[str, ...]) -> None:
    """Copy a package's modules, without what is hidden and without byte code; bind its data."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return
    source = Path(spec.submodule_search_locations[0])
    target = _within(root, source)
    if target.exists():  # inside Python's own folder: cover it
        linux.mount("tmpfs", target, "tmpfs", data="size=64m,mode=755")
    target.mkdir(parents=True, exist_ok=True)
    _copy_modules(root, source, package, hide)


def _copy_modules(root: Path, folder: Path, package: str, hide: tuple[str, ...]) -> None:
    for path in sorted(folder.iterdir()):
        module = f"{package}.{path.stem}" if path.stem != "__init__" else package
        if path.name == "__pycache__" or withheld.is_hidden(module, hide):
            continue
        target = _within(root, path)
        if path.suffix == ".py":
            _copy_module(path, target, module, hide)
        elif path.is_dir() and any(path.rglob("*.py")):
            target.mkdir()
            _copy_modules(root, path, module, hide)
        else:
            _show(root, path)


def _copy_module(path: Path, target: Path, module: str, hide: tuple[str, ...]) -> None:
    """Copy a module's text; what is to be blanked out is read by a child only.

    Freed memory keeps its content, and the memory of this process is every candidate's.
    """
    if not withheld.hidden_functions(module, hide):
        target.write_bytes(path.read_bytes())
        return
    child = os.fork()
    if child == 0:
        code = 1
        with suppress(BaseException):
            text = path.read_text(encoding="utf-8")
            target.write_text(withheld.without(text, module, hide), encoding="utf-8")
            code = 0
        os._exit(code)
    if os.waitpid(child, 0)[1]:
        raise ValueError(f"{path}: could not be copied without what is hidden of it")
