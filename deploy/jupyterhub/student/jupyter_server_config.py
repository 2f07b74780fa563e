"""What a student's server does at its start; it runs as the student."""

import os
import shutil
from pathlib import Path

c = get_config()
c.LabApp.extension_manager = "readonly"  # packages are installed by whoever runs the hub
# A login shell would lose the path of our commands.
c.ServerApp.terminado_settings = {"shell_command": ["/bin/bash"]}

# Assignments are listed, fetched, validated and submitted; grading is the instructors'.
c.ServerApp.jpserver_extensions = {
    "nbgrader.server_extensions.formgrader": False,
    "nbgrader.server_extensions.course_list": False,
}

Path.home().chmod(0o700)  # many systems let other users read a new account's folder


def copy_missing(given: Path, own: Path) -> None:
    """Copy the lectures that the student has no file of; nothing of the student's is replaced."""
    own.mkdir(exist_ok=True)
    for source in sorted(given.rglob("*")):
        target = own / source.relative_to(given)
        if source.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        elif not target.exists():
            shutil.copyfile(source, target)


try:
    copy_missing(Path(os.environ["COURSE_LECTURES"]), Path.home() / "lectures")
except OSError as error:  # a full disk must not keep a student from the server
    print(f"the lectures could not be copied: {error}")
