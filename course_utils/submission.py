"""Pack an assignment into a zip that a student uploads."""

from __future__ import annotations

from pathlib import Path

from course_utils.errors import StudentFacingError


class HandInError(StudentFacingError):
    """There is nothing to hand in, or the files can't be packed."""


def hand_in(assignment: str) -> Path:
    """Make the zip that you upload. It holds the notebook, as last saved, and its attempt log.

    Args:
        assignment: the name of the assignment, or the beginning of the name, e.g. "ps5".

    Returns:
        The path of the zip, which lies beside the notebook.

    Raises:
        HandInError: no notebook fits the name, or several do; or the attempt log is gone; or the
            zip can't be written.
    """
    import zipfile  # imported here, so that "import course_utils" stays fast

    notebook = _find(assignment)
    folder = notebook.parent
    files = [notebook, *_log_files(folder)]
    target = folder / f"{notebook.stem}.zip"
    try:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in files:
                archive.write(path, path.name)
    except OSError as error:
        raise HandInError(
            f"{target} can't be written ({error.strerror}): make the folder writable, or free "
            "some space, and run this again"
        ) from None
    print(f"Packed as it was last saved (Ctrl+S or ⌘S saves): {target}")
    for line in _questions(folder):
        print(line)
    return target


def _find(assignment: str) -> Path:
    here = Path.cwd()
    pattern = f"{assignment}*.ipynb"
    notebooks = sorted(here.glob(pattern)) or sorted(here.glob(f"*/{pattern}"))
    exact = [path for path in notebooks if path.stem == assignment]
    notebooks = exact or notebooks
    if not notebooks:
        raise HandInError(
            f"there is no notebook '{pattern}' in {here}: give the beginning of the "
            'assignment\'s name, as in hand_in("ps5"), in a notebook of the assignment'
        )
    if len(notebooks) > 1:
        names = ", ".join(path.stem for path in notebooks)
        raise HandInError(f"'{assignment}' could mean {names}: write more of the name")
    return notebooks[0]


def _log_files(folder: Path) -> list[Path]:
    from .quiz import log

    paths = [folder / log.LOG_NAME, folder / log.SEAL_NAME]
    if (folder / "quiz").is_dir() and not paths[0].exists():
        raise HandInError(
            f"{paths[0]} is gone: it came with the assignment and holds your answers to the "
            "questions. Bring it back (a backup, the waste basket, your other computer); if it "
            "can't be found, tell your instructor before you hand in"
        )
    return [path for path in paths if path.exists()]


def _questions(folder: Path) -> list[str]:
    """Lines that say which graded questions have an answer, and what is wrong with the log."""
    from .quiz import bank, log

    history = log.read(folder)
    lines = [f"Attempt log: {text}" for text in history.damage]
    for path in sorted((folder / "quiz").glob("*.yaml")):
        names = bank.load(path, beside_notebook=True).questions
        open_ones = [name for name in names if not history.attempts(name)]
        lines.append(f"Questions answered: {len(names) - len(open_ones)} of {len(names)}.")
        if open_ones:
            lines.append(f"Not answered: {', '.join(open_ones)}. Answer them, and pack again.")
    return lines
