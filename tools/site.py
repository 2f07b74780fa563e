"""Builds the site: lectures that were executed, assignments as released, documentation, reference.

    python -m tools.site [--check-links]

The site is written to build/site/html. It asks nothing of another server. All sources are first
collected in build/site/source, with the places that they have in the repository, so that their
links hold. A lecture is executed again only if it or course_utils changed.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import http.server
import os
import re
import shutil
import subprocess
import sys
import tarfile
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from course_utils.quiz import bank
from tools import site_pages, student_bundle
from tools.site_pages import Files

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "site"
BUILD = ROOT / "build" / "site"
HTML = BUILD / "html"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
REPOSITORY: str = PROJECT["urls"]["Repository"]
# What draws the pictures in docs/architecture.md. The file that we take holds all that it needs,
# so its 100 dependencies are not installed.
MERMAID = "mermaid@11.17.2"
MERMAID_SHA512 = (
    "V6K3C8EBdEsPFZXSKMJe6ppQOENxuHARr9GvHX4hh47lAbhMRD9qf4oEK7LoaRQxULMa80/qt5gHO73aCleBBg=="
)
SECONDS_FOR_A_LECTURE = 600
# Documentation for those who teach; all other pages in docs/ are about the engine.
FOR_INSTRUCTORS = ("assignments", "quizzes", "grading", "students", "hub", "gpu")
ABOUT_THE_PROJECT = ("CONTRIBUTING", "SECURITY", "CHANGELOG", "CODE_OF_CONDUCT")
# Modules of course_utils that a notebook doesn't import.
NOT_IN_REFERENCE = ("errors",)
LINK = re.compile(r"(\]\()([^)#\s:]+)(#[^)\s]*)?\)")
LAUNCH = """\
<div class="launch">

Figures that you can drag work on this page. To run and change the code: \
<a href="{binder}">Binder</a>, <a href="{colab}">Google Colab</a>, or \
<a href="../_static/convnet-course.zip" download>the course</a> on \
[your computer](../docs/students.md) (also \
<a href="../_static/notebooks/{name}.ipynb" download>this notebook alone</a>).

</div>
"""
RELEASED = """\
<div class="launch">

This is the assignment as students get it, to read. To do it, open it in JupyterLab: it comes with \
<a href="../../../_static/convnet-course.zip" download>the course</a>. Your answers are recorded \
there, and not on this page.

</div>
"""


class SiteError(RuntimeError):
    """The site can't be built. The message says what to mend."""


# ── lectures ──


def _digest(*paths: Path) -> str:
    total = hashlib.sha256()
    for path in paths:
        total.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:16]


def _what_lectures_import() -> list[Path]:
    found = (ROOT / "course_utils").rglob("*")
    files = (path for path in found if path.is_file() and "__pycache__" not in path.parts)
    return [*sorted(files), ROOT / "requirements.lock"]


def executed(lecture: Path, cache: Path) -> nbformat.NotebookNode:
    """Execute a lecture, or read it from the cache if nothing that it needs has changed.

    Args:
        lecture: the notebook.
        cache: the folder with the executed notebooks.

    Raises:
        SiteError: a cell failed.
    """
    quiz = lecture.parent / "quiz" / f"{lecture.stem}.yaml"
    kept = cache / f"{lecture.stem}-{_digest(lecture, quiz, *_what_lectures_import())}.ipynb"
    if kept.exists():
        return nbformat.read(kept, 4)
    start = time.monotonic()
    notebook = nbformat.read(lecture, 4)
    folder = cache / "run" / lecture.stem  # empty but for the questions, so no answers are shown
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(lecture.parent / "quiz", folder / "quiz")
    client = NotebookClient(
        notebook,
        extra_arguments=["--log-level=ERROR"],
        timeout=SECONDS_FOR_A_LECTURE,
        store_widget_state=True,
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute(env={**os.environ, "PYTHONPATH": str(ROOT)})
    except CellExecutionError as error:
        raise SiteError(
            f"{lecture.relative_to(ROOT)} can't be shown, a cell fails:\n{error}"
        ) from None
    for old in cache.glob(f"{lecture.stem}-*.ipynb"):
        old.unlink()
    nbformat.write(notebook, kept)
    print(f"{lecture.relative_to(ROOT)}: executed in {time.monotonic() - start:.0f} s", flush=True)
    return notebook


def _launch(name: str) -> str:
    repository = REPOSITORY.removeprefix("https://github.com/")
    return LAUNCH.format(
        name=name,
        binder=f"https://mybinder.org/v2/gh/{repository}/HEAD?urlpath=lab/tree/lectures/{name}.ipynb",
        colab=f"https://colab.research.google.com/github/{repository}/blob/main/lectures/{name}.ipynb",
    )


def _collect_lectures(source: Files, static: Files) -> None:
    for lecture in sorted((ROOT / "lectures").glob("*.ipynb")):
        questions = bank.load(lecture.parent / "quiz" / f"{lecture.stem}.yaml").questions
        notebook = executed(lecture, BUILD / "executed")
        page = site_pages.lecture_page(notebook, lecture.stem, questions, static)
        site_pages.insert_after_title(page, _launch(lecture.stem))
        _add_notebook(page, lecture, source)
        static.add(f"notebooks/{lecture.name}", lecture.read_bytes())


def _collect_assignments(source: Files) -> None:
    for released in sorted((ROOT / "exercises" / "release").glob("*/*.ipynb")):
        quiz = released.parent / "quiz" / "questions.yaml"
        questions = bank.load(quiz, beside_notebook=True).questions if quiz.exists() else {}
        page = site_pages.assignment_page(nbformat.read(released, 4), questions)
        site_pages.insert_after_title(page, RELEASED)
        _add_notebook(page, released, source)


def _add_notebook(page: nbformat.NotebookNode, path: Path, source: Files) -> None:
    source.add(path.relative_to(ROOT).as_posix(), nbformat.writes(page).encode())


# ── texts ──


def _resolved(text: str, path: Path) -> str:
    """A Markdown text whose links to files that are no pages lead to the repository."""

    def resolved(match: re.Match[str]) -> str:
        target = (path.parent / match[2]).resolve()
        if not target.is_relative_to(ROOT) or not target.exists():
            return match[0]  # Sphinx says that the link is broken
        if target.is_dir() and (target / "README.md").exists():
            target = target / "README.md"
        name = target.relative_to(ROOT)
        if _is_page(name) or target.suffix == ".png":
            return f"{match[1]}{os.path.relpath(target, path.parent)}{match[3] or ''})"
        return f"{match[1]}{REPOSITORY}/blob/main/{name}{match[3] or ''})"

    return LINK.sub(resolved, text)


def _is_page(name: Path) -> bool:
    """Whether the site has a page for a file of the repository."""
    if name.suffix == ".ipynb":
        return name.parts[0] == "lectures" or name.parts[:2] == ("exercises", "release")
    folder = name.parent.as_posix()
    if folder == ".":
        return name.stem in ABOUT_THE_PROJECT
    return name.suffix == ".md" and folder in ("docs", "docs/decisions", "lectures")


def _collect_texts(source: Files) -> None:
    pages = [ROOT / f"{name}.md" for name in ABOUT_THE_PROJECT]
    pages += [ROOT / "lectures" / "glossary.md", *(ROOT / "docs").glob("*.md")]
    pages += (ROOT / "docs" / "decisions").glob("*.md")
    for path in pages:
        text = _resolved(path.read_text("utf-8"), path)
        source.add(path.relative_to(ROOT).as_posix(), text.encode())
    for path in (ROOT / "docs" / "images").iterdir():
        source.add(f"docs/images/{path.name}", path.read_bytes())


def between(text: str, start: str, end: str) -> str:
    """The part of a text from `start`, which belongs to it, to `end`, which doesn't.

    Raises:
        SiteError: the text lacks one of them.
    """
    for mark in (start, end):
        if mark not in text:
            raise SiteError(f"README.md has no line '{mark}' any more: change tools/site.py too")
    return text[text.index(start) : text.index(end, text.index(start))].strip()


def _collect_own_pages(source: Files) -> None:
    """The pages that only the site has, with the parts of the README that they show."""
    readme = _resolved((ROOT / "README.md").read_text("utf-8"), ROOT / "README.md")
    docs = {path.stem for path in (ROOT / "docs").glob("*.md")}
    modules = _modules()
    parts = {
        "lectures": between(readme, "| lecture |", "| assignment |"),
        "assignments": between(readme, "| assignment |", "## Students"),
        "instructors": between(readme, "1. **Prepare**", "## Help"),
        "engine-pages": "\n".join(f"docs/{name}" for name in sorted(docs - {*FOR_INSTRUCTORS})),
        "modules": "\n".join(f"reference/{name}" for name in modules),
        "repository": REPOSITORY,
        "explorer": _explorer(source),
    }
    for template in PAGES.glob("*.md"):
        text = template.read_text("utf-8")
        for name, part in parts.items():
            text = text.replace(f"<<{name}>>", part)
        source.add(template.name, text.encode())
    for name in modules:
        directive = f".. automodule:: course_utils.{name}\n   :members:\n"
        page = f"# {name}\n\n```{{eval-rst}}\n{directive}```\n"
        source.add(f"reference/{name}.md", page.encode())


def _explorer(source: Files) -> str:
    """The element of the convolution explorer in lecture 02, for a page at the root of the site."""
    page = nbformat.read(source.folder / "lectures" / "02_convolution_arithmetic.ipynb", 4)
    outputs = [output for cell in page.cells for output in cell.get("outputs", [])]
    pages = [output.get("data", {}).get("text/html", "") for output in outputs]
    [explorer] = [code for code in pages if "interactives/convolution.js" in code]
    return str(explorer.replace('="../', '="'))


def _modules() -> list[str]:
    folder = ROOT / "course_utils"
    names = [path.stem for path in folder.glob("*.py")]
    names += [path.parent.name for path in folder.glob("*/__init__.py")]
    return sorted({*names} - {"__init__", *NOT_IN_REFERENCE})


# ── building ──


def _mermaid(cache: Path) -> bytes | None:
    """The script that draws diagrams; None if npm is not there, so they are shown as text."""
    kept = cache / f"{MERMAID}.min.js"
    if kept.exists():
        return kept.read_bytes()
    if shutil.which("npm") is None:
        print("npm is not installed: diagrams are shown as text", file=sys.stderr)
        return None
    command = ["npm", "pack", "--silent", "--pack-destination", str(cache), MERMAID]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        print(f"diagrams are shown as text: npm says {error.stderr.strip()}", file=sys.stderr)
        return None
    archive = cache / f"{MERMAID.replace('@', '-')}.tgz"
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != MERMAID_SHA512:
        raise SiteError(f"{archive.name} is not the file that tools/site.py names: don't use it")
    with tarfile.open(archive) as files:
        member = files.extractfile("package/dist/mermaid.min.js")
        assert member is not None
        kept.write_bytes(member.read())
    archive.unlink()
    return kept.read_bytes()


def build(check_links: bool) -> None:
    """Build the site.

    Args:
        check_links: whether the links to other servers are asked for too. It needs a network.

    Raises:
        SiteError: a notebook fails, a link leads nowhere, or Sphinx warns of something else.
    """
    source, static = Files(BUILD / "source"), Files(BUILD / "static")
    cache = BUILD / "executed"
    cache.mkdir(parents=True, exist_ok=True)
    _collect_lectures(source, static)
    _collect_assignments(source)
    _collect_texts(source)
    _collect_own_pages(source)
    if (script := _mermaid(cache)) is not None:
        static.add("mermaid.min.js", script)
    bundle = student_bundle.contents(ROOT)
    student_bundle.check(ROOT, bundle)
    archive = BUILD / "convnet-course.zip"
    student_bundle.write(bundle, archive)
    static.add(archive.name, archive.read_bytes())
    for files in (source, static):
        files.remove_others()
    _sphinx("linkcheck" if check_links else "html", source.folder)


def _sphinx(builder: str, source: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-b", builder, "-c", str(PAGES), "--quiet"]
    command += ["--fail-on-warning", "--keep-going", "-d", str(BUILD / "doctrees")]
    result = subprocess.run(
        [*command, str(source), str(BUILD / builder)], env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    if result.returncode:
        raise SiteError("Sphinx found the problems above: mend them, then run make site again")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def served() -> Iterator[str]:
    """Serve the site on this computer until the block ends, and give its address."""
    handler = partial(_Quiet, directory=HTML)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def main() -> int:
    """Build the site. Return 1 if it can't be built."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check-links", action="store_true", help="ask for every external link")
    start = time.monotonic()
    try:
        build(parser.parse_args().check_links)
    except SiteError as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"build/site/html: ready after {time.monotonic() - start:.0f} s. To look at it:\n"
        "  .venv/bin/python -m http.server --directory build/site/html --bind 127.0.0.1"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
