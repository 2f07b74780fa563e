"""How to enable isolation on this machine."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path


def isolation_remedy() -> str:
    """The remedy, as far as the machine's settings tell why it forbids isolation."""
    if sys.platform != "linux":
        return "isolation needs Linux: grade there, or in a Linux container or virtual machine"
    if _setting("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return "run: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
    if _setting("kernel/unprivileged_userns_clone") == "0":
        return "run: sudo sysctl -w kernel.unprivileged_userns_clone=1"
    if _setting("user/max_user_namespaces") == "0":
        return "run: sudo sysctl -w user.max_user_namespaces=10000"
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        return (
            "start the container with: --cap-add SYS_ADMIN --security-opt seccomp=unconfined "
            "--security-opt apparmor=unconfined --security-opt systempaths=unconfined"
        )
    return "isolation needs Linux 5.14 or newer with user namespaces, on x86-64 or 64-bit ARM"


def _setting(name: str) -> str:
    with suppress(OSError):
        return (Path("/proc/sys") / name).read_text().strip()
    return ""
