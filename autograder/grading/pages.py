"""What nbgrader's pages show of a student's notebook: only what was drawn by the allow-list.

The course's configuration gives nbgrader `SETTINGS`: a template that stands before nbgrader's own
for feedback and for the formgrader, and the filters that all of a notebook passes on its way into
a page. The template lets `autograder.grading.drawing` draw the notebook, in a process that can be
ended, and says in a Content-Security-Policy that no script runs but nbgrader's own.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
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
    """HTML that the allow-list has let through, or that is ours."""

    __slots__ = ()


class Page(NamedTuple):
    """What the template needs.

    Attributes:
        notebook: with all that is shown of it as `Html`.
        resources: nbconvert's and nbgrader's, with names that HTML can hold.
        scripts: whether nbgrader's page has scripts of its own.
    """

    notebook: NotebookNode
    resources: dict[str, Any]
    scripts: bool


def let_through(value: object, *_: object, **__: object) -> Html:
    """The filter in the place of all that would make HTML: what isn't drawn is shown as text."""
    return value if isinstance(value, Html) else Html(escape(str(value)))


def drawn_page(notebook: NotebookNode, resources: dict[str, Any]) -> Page:
    """The filter that draws a notebook, whatever its preprocessors left in it.

    `resources["plain"]` asks for its text as it was written.
    """
    # Here, because every command reads the course's configuration, and so imports this module.
    from autograder.grading.drawing import draw

    cells = [_raw(cell) for cell in notebook.cells]
    content = json.dumps(cells).encode()
    plain = bool(resources.get("plain"))
    try:
        drawings = draw(content, plain=True) if plain else ask("drawing", content)
    except (OverrunError, ReadingError):  # a person can still look at it
        plain, drawings = True, draw(content, plain=True)
    shown = [_cell(*both) for both in zip(notebook.cells, drawings, strict=False)]
    if plain:
        shown.insert(0, _note())
    return Page(
        from_dict({"nbformat": 4, "nbformat_minor": 5, "metadata": {}}) | {"cells": shown},
        _named(resources),
        scripts="nbgrader" not in resources,  # which only feedback has
    )


def _raw(cell: NotebookNode) -> dict[str, Any]:
    """What is drawn of a cell."""
    kept = ("cell_type", "source", "attachments", "outputs")
    comment = cell.metadata.get("nbgrader", {}).get("comment")
    return {name: cell[name] for name in kept if name in cell} | {"comment": comment}


def _cell(cell: NotebookNode, drawn: Drawn) -> NotebookNode:
    """A cell with nothing in it but what was drawn, numbers, and names of plain letters."""
    kind = cell.cell_type if cell.cell_type in ("code", "markdown") else "raw"
    made: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": Html(drawn["source"])}
    if _is_name(cell.get("id")):
        made["id"] = cell["id"]
    told = cell.metadata.get("nbgrader")
    if isinstance(told, dict) and _is_name(told.get("grade_id")):
        made["metadata"]["nbgrader"] = {
            "grade_id": told["grade_id"],
            **{name: bool(told.get(name)) for name in _FLAGS},
            **{name: _number(told.get(name)) for name in _POINTS},
            "comment": Html(drawn["comment"]) if drawn["comment"] else None,
        }
    if kind == "code":
        made["execution_count"] = _count(cell.get("execution_count"))
        made["outputs"] = [
            _output(*both) for both in zip(cell.get("outputs", []), drawn["outputs"], strict=False)
        ]
    return _node(made)


def _node(value: Any) -> Any:
    """As nbformat's `from_dict`, which would make plain strings of `Html`."""
    if isinstance(value, dict):
        return NotebookNode({key: _node(one) for key, one in value.items()})
    return [_node(one) for one in value] if isinstance(value, list) else value


def _output(output: NotebookNode, html: str) -> dict[str, Any]:
    result = output.output_type == "execute_result"
    made: dict[str, Any] = {"output_type": "execute_result" if result else "display_data"}
    return made | {"data": {"text/html": Html(html)}, "metadata": {}}


def _note() -> NotebookNode:
    return _node({"cell_type": "markdown", "metadata": {}, "source": Html(PLAIN_NOTE)})


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(_NAME.fullmatch(value))


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _named(resources: dict[str, Any]) -> dict[str, Any]:
    """Resources whose texts, names of students and notebooks among them, are safe in HTML.

    They stand between quotes in scripts too, so there is no backslash in them either.
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
# The formgrader's script waits for MathJax, which would come from elsewhere and run what it likes.
_NO_MATHJAX = (
    "<script>window.MathJax = {Hub: {Startup: {signal: {Interest: "
    'tell => setTimeout(() => tell("End"))}}}};</script>'
)
_INLINE = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)
_HANDLER = re.compile(r'\son[a-z]+="([^"]*)"')


def with_policy(header: str, body: str, scripts: bool) -> str:
    """The filter that puts the policy into a page's head.

    Args:
        header: the page's head, which holds nothing of a student's but names.
        body: what of the page's body is nbgrader's own and has scripts.
        scripts: whether any script may run at all.
    """
    header = _MATHJAX.sub(lambda _: _NO_MATHJAX if scripts else "", header)
    allowed = "'none'"
    if scripts:
        nonce = secrets.token_urlsafe(16)
        inline = [*_INLINE.findall(body), *_HANDLER.findall(body)]
        hashes = " ".join(f"'sha256-{_sha256(text)}'" for text in inline)
        allowed = f"'nonce-{nonce}' 'unsafe-hashes' {hashes}"
        header = header.replace("<script", f'<script nonce="{nonce}"')
    own = "'self'" if scripts else ""
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline' {own};"
        f" img-src 'self' data:; font-src 'self' data:; connect-src {own or repr('none')};"
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
    "with_policy": "autograder.grading.pages.with_policy",
}
