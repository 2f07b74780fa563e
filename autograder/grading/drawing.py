"""Draws a student's texts, code and outputs as HTML that an allow-list permits.

Nothing of a notebook reaches a page unchanged. Each piece (a text, code, an output) is drawn anew
from the elements, attributes, values and kinds of output that are listed here. Anything else is
shown as text, or left out. A process of `autograder.grading.reading` calls this module, because
Markdown, highlighting and the HTML parser may take long with unusual input.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from functools import cache, partial
from html import escape
from typing import Any

import bleach
from bleach.css_sanitizer import CSSSanitizer
from bleach.html5lib_shim import Filter
from nbconvert.filters.ansi import ansi2html
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments.token import STANDARD_TYPES

from autograder.grading.formulas import Formulas, math_tokens
from autograder.grading.restore import pictures

MAX_TEXT = 100_000  # characters of one piece; a longer piece is cut
MAX_PAGE = 2_000_000  # characters of all pieces without pictures
MAX_PICTURES = 20_000_000
MAX_CELLS = 3_000
CUT = "\n[the rest is left out: too long to show]"
TOO_MUCH = "<pre>[left out: the page would be too long]</pre>"

_TAGS = frozenset(
    [
        *("a", "abbr", "acronym", "b", "blockquote", "br", "caption", "code", "dd", "del"),
        *("details", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i"),
        *("img", "li", "ol", "p", "pre", "s", "small", "span", "strong", "sub", "summary"),
        *("sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul"),
    ]
)
_ATTRIBUTES = frozenset(["align", "class", "colspan", "id", "rowspan", "style", "title"])
_STYLES = ("background-color", "color", "font-style", "font-weight", "text-align")
# nbgrader's style sheets and scripts refer to classes, so a student's HTML may have these only.
_CLASSES = frozenset({*STANDARD_TYPES.values(), "highlight", "dataframe", "ansi-bold"}) - {""}
_ANSI_CLASS = re.compile(r"ansi-[a-z-]{1,40}")

_LINK = re.compile(r"https://[^\s]+|mailto:[^\s]+|#[^\s]*", re.IGNORECASE)
_PICTURE = re.compile(
    r"data:image/(png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]*"
    r"|(\w[\w .-]*/){0,8}\w[\w .-]*\.(png|jpe?g|gif|webp|svg)"
)
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
_RASTER = ("image/png", "image/jpeg", "image/gif", "image/webp")
_NUMBER = re.compile(r"[1-9]\d{0,3}")
_CONTROL = re.compile(r"\x1b\][^\x07\x1b]*(\x07|\x1b\\)?|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]")

Drawn = dict[str, Any]


def draw(content: bytes, plain: bool = False) -> list[Drawn]:
    """Draw the cells of a notebook.

    Args:
        content: the cells as JSON.
        plain: whether to show all text as it was written, which is fast for any text.

    Returns:
        For each cell its `source`, `outputs` and `comment` as HTML; `comment` is None if the cell
        has no comment.
    """
    room = _Room()
    markdown: Callable[..., str] = _as_text if plain else draw_markdown
    drawn = []
    for cell in json.loads(content)[:MAX_CELLS]:
        source = str(cell.get("source", ""))
        attached = pictures(cell.get("attachments"))
        if cell.get("cell_type") == "markdown":
            source = room.take(markdown(source, attached))
        elif cell.get("cell_type") == "code" and not plain:
            source = room.take(_code(source))
        else:
            source = room.take(_as_text(source))
        outputs = [_output(output, plain) for output in cell.get("outputs", [])]
        comment = cell.get("comment")
        drawn.append(
            {
                "source": source,
                "outputs": [room.take(html, picture) for html, picture in outputs],
                "comment": markdown(comment) if comment else None,
            }
        )
    return drawn


class _Room:
    """The number of characters that may still be drawn on a page."""

    def __init__(self) -> None:
        self._left = {False: MAX_PAGE, True: MAX_PICTURES}

    def take(self, html: str, picture: bool = False) -> str:
        self._left[picture] -= len(html)
        return html if self._left[picture] >= 0 else TOO_MUCH


def _as_text(text: str, _: object = None) -> str:
    return f"<pre>{escape(_printable(text))}</pre>"


def _printable(text: str) -> str:
    cut = text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + CUT
    return _CONTROL.sub("", cut).encode("utf-8", "replace").decode()


def _code(source: str) -> str:
    return clean(Highlight2HTML(pygments_lexer="ipython3")(_printable(source)))


def _terminal(text: str) -> str:
    """Text with terminal codes as HTML; its colours become classes and styles."""
    return clean(f"<pre>{ansi2html(_printable(text))}</pre>".replace("\x1b", ""))


# ── outputs ─────────────────────────────────────────────────────────────────────────────────────


def _output(output: dict[str, Any], plain: bool) -> tuple[str, bool]:
    """The HTML of an output, and whether the output is a picture."""
    terminal: Callable[[str], str] = _as_text if plain else _terminal
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return _area(terminal(_text(output.get("text"))), f"output_stream output_{name}"), False
    if kind == "error":
        trace = output.get("traceback")
        lines = list(map(str, trace)) if isinstance(trace, list) else []
        text = "\n".join(lines) or f"{output.get('ename')}: {output.get('evalue')}"
        return _area(terminal(text), "output_error"), False
    data = output.get("data")
    bundle: dict[str, Any] = data if isinstance(data, dict) else {}
    for mime, drawing in _KINDS.items():
        if mime in bundle and not (plain and drawing in _SLOW):
            metadata = output.get("metadata")
            details = metadata.get(mime) if isinstance(metadata, dict) else None
            html = drawing(_text(bundle[mime]), mime, details if isinstance(details, dict) else {})
            if html is not None:
                return _area(html, "rendered_html"), drawing in _DRAWS_PICTURES
    text = _text(bundle.get("text/plain"))
    return (_area(terminal(text)) if text else ""), False


def _area(html: str, classes: str = "") -> str:
    return f'<div class="output_subarea output_text {classes}">{html}</div>'


def _text(value: object) -> str:
    """A notebook's text, which is a string or a list of lines; any other value is ""."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""


def _html(text: str, _: str, __: dict[str, Any]) -> str:
    return clean(_without_styles(_printable(text)))


def _markdown_output(text: str, _: str, __: dict[str, Any]) -> str:
    return draw_markdown(text)


def _latex(text: str, _: str, __: dict[str, Any]) -> str:
    match = re.fullmatch(r"\s*(\$\$?|\\\[)?(?P<tex>.*?)(\$\$?|\\\])?\s*", text, re.DOTALL)
    if match and "$" not in match["tex"]:
        formulas = Formulas()
        return clean(formulas.add(match["tex"], "block"), formulas)
    return draw_markdown(text)


def _svg(text: str, _: str, about: dict[str, Any]) -> str:
    """A drawing in an <img>, because there its scripts don't run and it can't load anything."""
    data = b64encode(text.encode("utf-8", "replace")).decode()
    return f'<img alt="" src="data:image/svg+xml;base64,{data}"{_size(about)}>'


def _raster(text: str, mime: str, about: dict[str, Any]) -> str | None:
    if not _BASE64.fullmatch(text):
        return None
    data = "".join(text.split())
    return f'<img alt="" src="data:{mime};base64,{data}"{_size(about)}>'


def _size(about: dict[str, Any]) -> str:
    sizes = ((name, str(about.get(name))) for name in ("width", "height"))
    return "".join(f' {name}="{value}"' for name, value in sizes if _NUMBER.fullmatch(value))


_KINDS: dict[str, Callable[[str, str, dict[str, Any]], str | None]] = {
    "text/html": _html,
    "text/markdown": _markdown_output,
    "image/svg+xml": _svg,
    **dict.fromkeys(_RASTER, _raster),
    "text/latex": _latex,
}
_SLOW = (_html, _markdown_output, _latex)
_DRAWS_PICTURES = (_svg, _raster)


# ── HTML ────────────────────────────────────────────────────────────────────────────────────────


def clean(html: str, formulas: Formulas | None = None) -> str:
    """HTML with only what the allow-list permits; the rest becomes text."""
    cleaner = bleach.Cleaner(
        tags=_TAGS,
        attributes=_is_allowed,
        protocols={"https", "mailto", "data"},
        css_sanitizer=_styles(),
        filters=[partial(_Finish, formulas=formulas or Formulas())],
    )
    return str(cleaner.clean(html))


@cache
def _styles() -> CSSSanitizer:
    return CSSSanitizer(allowed_css_properties=_STYLES)


def _is_allowed(tag: str, name: str, value: str) -> bool:
    if tag == "a" and name == "href":
        return bool(_LINK.fullmatch(value))
    if tag == "img":
        if name == "src":
            return bool(_PICTURE.fullmatch(value))
        return name == "alt" or (name in ("width", "height") and bool(_NUMBER.fullmatch(value)))
    return name in _ATTRIBUTES


class _Finish(Filter):
    """Rewrites the values of allowed attributes, and puts the formulas in.

    A student's ids and classes must differ from those that nbgrader's own scripts use.
    """

    def __init__(self, source: Any, formulas: Formulas) -> None:
        super().__init__(source)
        self._formulas = formulas

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for token in super().__iter__():
            if token["type"] not in ("StartTag", "EmptyTag"):
                yield token
                continue
            data = token["data"]
            formula = self._formulas.get(data.get((None, "class")))
            if formula is not None:
                yield from math_tokens(formula)
            token["data"] = dict(_finished(token["name"], data))
            yield token


def _finished(tag: str, data: dict[Any, str]) -> Iterator[tuple[Any, str]]:
    for (space, name), value in data.items():
        if name == "class":
            allowed = [
                word for word in value.split() if word in _CLASSES or _ANSI_CLASS.fullmatch(word)
            ]
            if allowed:
                yield (space, name), " ".join(allowed)
        elif name == "id":
            yield (space, name), f"text-{value}"
        elif name == "href" and value.startswith("#"):
            yield (space, name), f"#text-{value[1:]}"
        else:
            yield (space, name), value
    if tag == "a":
        yield (None, "rel"), "noopener noreferrer"
        yield (None, "referrerpolicy"), "no-referrer"
    if tag == "img" and (None, "alt") not in data:
        yield (None, "alt"), ""


def _without_styles(html: str) -> str:
    """HTML without style sheets (a pandas table has one), which would be shown as text."""
    lower = html.lower()
    if len(lower) != len(html):  # a lower-case letter of two characters: positions would differ
        return html
    parts, position = [], 0
    while (start := lower.find("<style", position)) >= 0:
        end = lower.find("</style>", start)
        if end < 0:
            break
        parts.append(html[position:start])
        position = end + len("</style>")
    return "".join([*parts, html[position:]])


# ── Markdown and formulas ───────────────────────────────────────────────────────────────────────


def draw_markdown(text: str, attached: dict[str, dict[str, str]] | None = None) -> str:
    """Markdown as HTML, with MathML for its formulas, so that no script is needed to show them.

    Args:
        text: Markdown with LaTeX.
        attached: attached pictures by name; a picture is {mime type: base64}.
    """
    formulas = Formulas()
    renderer = _Renderer(attached or {}, formulas)
    html = MarkdownWithMath(renderer=renderer).render(_without_styles(_printable(text)))
    return clean(html, formulas)


class _Renderer(IPythonRenderer):
    def __init__(self, attached: dict[str, dict[str, str]], formulas: Formulas) -> None:
        super().__init__(escape=False, attachments=attached, exclude_anchor_links=True)
        self._formulas = formulas

    def inline_math(self, body: str) -> str:
        return self._formulas.add(body, "inline")

    def block_math(self, body: str) -> str:
        return self._formulas.add(body, "block")

    def latex_environment(self, name: str, body: str) -> str:
        return self._formulas.add(f"\\begin{{{name}}}{body}\\end{{{name}}}", "block")

    def block_mermaidjs(self, code: str) -> str:
        return f"<pre>{escape(code)}</pre>"

    def heading(self, text: str, level: int, **_: Any) -> str:
        name = "-".join(re.sub(r"<[^>]*>", "", text).split())
        return f'<h{level} id="{escape(name)}">{text}</h{level}>\n'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        if url.startswith("attachment:") and url.removeprefix("attachment:") not in (
            self.attachments
        ):
            return escape(f"[picture {text} is missing]")
        return str(super().image(text, url, title))
