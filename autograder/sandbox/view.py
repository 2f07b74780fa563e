"""The file system that candidates see: read-only, made of listed folders, built once."""

from __future__ import annotations

import importlib.util
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from autograder.sandbox import linux, withheld

CANDIDATE_UID = 1000  # in its own user namespace
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
# A shared mapping of /dev/zero is memory that nothing counts. /dev/full reads as zeros, too, and
# can't be mapped.
_STAND_INS = {Path("/dev/zero"): Path("/dev/full")}
_READ_ONLY = linux.MOUNT_ATTR_RDONLY | linux.MOUNT_ATTR_NOSUID | linux.MOUNT_ATTR_NODEV


@dataclass(frozen=True)
class View:
    """What candidates see in addition to the system's programs and Python with its packages.

    Attributes:
        packages: visible packages outside Python's own folders, such as an editable install.
        hidden: what is left out of these: "package.module" or "package.module:function".
        read_only: further files and folders, visible at their own paths.
        masked: folders that are shown empty if any of the above contains them.
        devices: device files, such as /dev/nvidia0.
    """

    packages: tuple[str, ...] = ("course_utils",)
    hidden: tuple[str, ...] = ()
    read_only: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()


def gpus() -> tuple[str, ...]:
    """The device files of this machine's NVIDIA GPUs; none if the driver is missing."""
    devices = [str(path) for path in sorted(Path("/dev").glob("nvidia*")) if path.is_char_device()]
    return tuple(devices) if "/dev/nvidiactl" in devices else ()


def build_view(root: Path, view: View) -> None:
    """Build the candidates' file system at `root`, an empty folder.

    It holds no home folder, no course, and no file that another process wrote. This process needs
    the right to mount; only this process and its children see the mounts.
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
    for device in (
        *_DEVICES,
        *map(Path, view.devices),
    ):  # after restrict_mounts, or they won't work
        linux.bind(_STAND_INS.get(device, device), _within(root, device))


def remove_view(root: Path) -> None:
    """Unmount the view, even if it was built in part only, and remove the folder."""
    with suppress(OSError):
        linux.unmount(root)
        root.rmdir()


def _make_places(root: Path, devices: list[Path]) -> None:
    """Make the folders and files that are needed before the file system becomes read-only."""
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
    """Bind `path` at the same path under `root`.

    The mount becomes read-only at once, because a write to it would change the machine's own file.
    """
    target = _within(root, path)
    if not target.exists() and path.is_dir():
        target.mkdir(parents=True)
    elif not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    linux.bind(path, target)
    linux.restrict_mounts(target, _READ_ONLY)


def _python_folders() -> list[Path]:
    """The folders of this Python and its virtual environment, with their real paths."""
    prefixes = [Path(prefix) for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix)]
    return list(dict.fromkeys([*prefixes, *(prefix.resolve() for prefix in prefixes)]))


def _show_package(root: Path, package: str, hide: tuple[str, ...]) -> None:
    """Copy a package's modules without hidden parts and without byte code; bind its data files."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return
    source = Path(spec.submodule_search_locations[0])
    target = _within(root, source)
    if target.exists():  # it is inside Python's own folder, so cover it
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
    """Copy a module's text; a child process reads a text of which parts are hidden.

    Freed memory keeps its content, and every candidate inherits this process's memory.
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
