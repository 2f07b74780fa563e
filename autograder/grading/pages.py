"""Keeps everything out of nbgrader's pages that the allow-list of `drawing` doesn't permit.

The course's configuration gives nbgrader `TEMPLATE` and `FILTERS`. The template comes before
nbgrader's own templates for feedback and for the formgrader. All parts of a notebook pass the
filters on their way into a page. The template lets `autograder.grading.drawing` draw the notebook,
in a process that can be ended. Its Content-Security-Policy allows no scripts but nbgrader's own.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections import Counter
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nbformat import NotebookNode, from_dict

from autograder.grading.reading import OverrunError, ReadingError, ask

if TYPE_CHECKING:
    from autograder.grading.drawing import Drawn

TEMPLATE = Path(__file__).parent / "templates" / "page.html.j2"
PLAIN_NOTE = (
    "<p><strong>Shown as plain text: to draw this notebook takes more than a page may take."
    "</strong></p>"
)
_NAME = re.compile(r"[\w-]{1,200}", re.ASCII)
_FLAGS = ("grade", "solution", "task", "locked")
_POINTS = ("points", "score")


class Html(str):
    """HTML that the allow-list permits, or that this module wrote."""

    __slots__ = ()


class Page(NamedTuple):
    """The data that the template needs.

    Attributes:
        notebook: the notebook; everything shown of it is `Html`.
        resources: the resources of nbconvert and nbgrader, escaped for HTML.
        scripts: whether nbgrader's page has scripts of its own.
        names: what the page calls each graded cell, as HTML, by the cell's id.
    """

    notebook: NotebookNode
    resources: dict[str, Any]
    scripts: bool
    names: dict[str, str]


def let_through(value: object, *_: object, **__: object) -> Html:
    """A filter that replaces nbconvert's filters: a value that isn't `Html` is shown as text."""
    return value if isinstance(value, Html) else Html(escape(str(value)))


def drawn_page(notebook: NotebookNode, resources: dict[str, Any]) -> Page:
    """A filter that draws a notebook after its preprocessors have run.

    `resources["plain"]` asks for the texts as they were written.
    """
    # Imported here, because every command reads the course's configuration, which imports this
    # module.
    from autograder.grading.drawing import draw

    cells = [_raw(cell) for cell in notebook.cells]
    content = json.dumps(cells).encode()
    plain = bool(resources.get("plain"))
    try:
        drawings = draw(content, plain=True) if plain else ask("drawing", content)
    except (OverrunError, ReadingError):  # a person can still read the text
        plain, drawings = True, draw(content, plain=True)
    shown = [_cell(*pair) for pair in zip(notebook.cells, drawings, strict=False)]
    if plain:
        shown.insert(0, _note())
    return Page(
        from_dict({"nbformat": 4, "nbformat_minor": 5, "metadata": {}}) | {"cells": shown},
        _named(resources),
        scripts="nbgrader" not in resources,  # only feedback has this key
        names=names_of(notebook.cells),
    )


_HEADING = re.compile(r"^#{1,6}[ \t]+(.{1,200})", re.MULTILINE)
_ASKS = re.compile(r"""^ask\(["'](\w{1,200})["']\)""", re.MULTILINE)
_POINTS_OF_IT = re.compile(r"\s*\([^()]*\bpoints?\b[^()]*\)\s*$")
_LISTED = re.compile(r'(<li><a href="#([\w-]{1,200})">)[A-Z][a-z -]{1,30}</a>')


def names_of(cells: list[NotebookNode]) -> dict[str, str]:
    """For each graded cell the heading that it stands under, and its id where that isn't enough."""
    heading = ""
    under: dict[str, str] = {}
    asked: dict[str, str] = {}
    for cell in cells:
        # The test of a question stands at the notebook's end, far from the question's heading.
        asked |= dict.fromkeys((f"quiz_{name}" for name in _ASKS.findall(cell.source)), heading)
        if cell.cell_type == "markdown" and (headings := _HEADING.findall(cell.source)):
            heading = _POINTS_OF_IT.sub("", headings[-1]).strip()
        nbgrader = cell.metadata.get("nbgrader")
        graded = isinstance(nbgrader, dict) and nbgrader.get("grade")
        if graded and _is_name(nbgrader.get("grade_id")):
            under[nbgrader["grade_id"]] = asked.get(nbgrader["grade_id"], heading)
    shared = Counter(under.values())
    return {
        grade_id: escape(text if text and shared[text] == 1 else f"{text} ({grade_id})".strip())
        for grade_id, text in under.items()
    }


def with_names(body: str, names: dict[str, str]) -> str:
    """A filter that names each cell in a feedback's list, where nbgrader says "Test cell"."""
    return _LISTED.sub(
        lambda item: f"{item[1]}{names[item[2]]}</a>" if item[2] in names else item[0], body
    )


def _raw(cell: NotebookNode) -> dict[str, Any]:
    """The parts of a cell that are drawn."""
    fields = ("cell_type", "source", "attachments", "outputs")
    comment = cell.metadata.get("nbgrader", {}).get("comment")
    return {name: cell[name] for name in fields if name in cell} | {"comment": comment}


def _cell(cell: NotebookNode, drawn: Drawn) -> NotebookNode:
    """A cell that holds only drawn HTML, numbers, and names of plain letters."""
    kind = cell.cell_type if cell.cell_type in ("code", "markdown") else "raw"
    fields: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": Html(drawn["source"])}
    if _is_name(cell.get("id")):
        fields["id"] = cell["id"]
    nbgrader = cell.metadata.get("nbgrader")
    if isinstance(nbgrader, dict) and _is_name(nbgrader.get("grade_id")):
        fields["metadata"]["nbgrader"] = {
            "grade_id": nbgrader["grade_id"],
            **{name: bool(nbgrader.get(name)) for name in _FLAGS},
            **{name: _number(nbgrader.get(name)) for name in _POINTS},
            "comment": Html(drawn["comment"]) if drawn["comment"] else None,
        }
    if kind == "code":
        fields["execution_count"] = _count(cell.get("execution_count"))
        fields["outputs"] = [
            _output(*pair) for pair in zip(cell.get("outputs", []), drawn["outputs"], strict=False)
        ]
    return _node(fields)


def _node(value: Any) -> Any:
    """Like nbformat's `from_dict`, which would turn `Html` into plain strings."""
    if isinstance(value, dict):
        return NotebookNode({key: _node(item) for key, item in value.items()})
    return [_node(item) for item in value] if isinstance(value, list) else value


def _output(output: NotebookNode, html: str) -> dict[str, Any]:
    result = output.output_type == "execute_result"
    fields: dict[str, Any] = {"output_type": "execute_result" if result else "display_data"}
    return fields | {"data": {"text/html": Html(html)}, "metadata": {}}


def _note() -> NotebookNode:
    return _node({"cell_type": "markdown", "metadata": {}, "source": Html(PLAIN_NOTE)})


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(_NAME.fullmatch(value))


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _named(resources: dict[str, Any]) -> dict[str, Any]:
    """Resources whose texts are safe in HTML; some are names of students and notebooks.

    A page's scripts hold these texts between quotes, too, so backslashes are escaped as well.
    """
    named = dict(resources)
    for name, value in resources.items():
        if isinstance(value, str):
            named[name] = escape(value).replace("\\", "&#92;")
        elif name in ("nbgrader", "metadata"):
            named[name] = _named(value)
    return named


# ── the policy ──────────────────────────────────────────────────────────────────────────────────

_MATHJAX = re.compile(r"<!-- Load mathjax -->.*?<!-- End of mathjax configuration -->", re.DOTALL)
# The formgrader's script waits for MathJax, which would be loaded from another server.
_NO_MATHJAX = (
    "<script>window.MathJax = {Hub: {Startup: {signal: {Interest: "
    'tell => setTimeout(() => tell("End"))}}}};</script>'
)
_INLINE = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)
_HANDLER = re.compile(r'\son[a-z]+="([^"]*)"')


def with_policy(header: str, body: str, scripts: bool) -> str:
    """A filter that puts the policy into a page's head.

    Args:
        header: the page's head; of a student's texts it holds names only.
        body: the part of the page's body that is nbgrader's own and has scripts.
        scripts: whether any script may run.
    """
    header = _MATHJAX.sub(lambda _: _NO_MATHJAX if scripts else "", header)
    script_sources = "'none'"
    if scripts:
        nonce = secrets.token_urlsafe(16)
        inline = [*_INLINE.findall(body), *_HANDLER.findall(body)]
        hashes = " ".join(f"'sha256-{_sha256(text)}'" for text in inline)
        script_sources = f"'nonce-{nonce}' 'unsafe-hashes' {hashes}"
        header = header.replace("<script", f'<script nonce="{nonce}"')
    own_origin = "'self'" if scripts else ""
    policy = (
        f"default-src 'none'; script-src {script_sources}; style-src 'unsafe-inline' {own_origin};"
        f" img-src 'self' data:; font-src 'self' data:; connect-src {own_origin or repr('none')};"
        " base-uri 'none'; form-action 'none'"
    )
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    return header.replace("<head>", f"<head>\n{meta}", 1)


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


FILTERS = {
    **dict.fromkeys(
        ["clean_html", "highlight_code", "markdown2html", "strip_files_prefix"],
        "autograder.grading.pages.let_through",
    ),
    "drawn_page": "autograder.grading.pages.drawn_page",
    "with_names": "autograder.grading.pages.with_names",
    "with_policy": "autograder.grading.pages.with_policy",
}
