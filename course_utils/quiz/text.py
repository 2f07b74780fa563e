"""Convert Markdown with LaTeX to HTML with MathML, which browsers typeset without a network."""

from __future__ import annotations

import mistune
from latex2mathml.converter import convert
from mistune.renderers.html import HTMLRenderer


def _inline_math(_: HTMLRenderer, text: str) -> str:
    return _mathml(text, "inline")


def _block_math(_: HTMLRenderer, text: str) -> str:
    return _mathml(text, "block")


def _mathml(latex: str, display: str) -> str:
    try:
        return str(convert(latex, display=display))
    except Exception:
        # A formula that can't be converted is shown as LaTeX, which can still be read.
        return f"<code>{mistune.escape(latex)}</code>"


def _markdown() -> mistune.Markdown:
    renderer = HTMLRenderer(escape=True)
    markdown = mistune.create_markdown(renderer=renderer, plugins=["math", "table"])
    renderer.register("inline_math", _inline_math)
    renderer.register("block_math", _block_math)
    return markdown


_MARKDOWN = _markdown()


def html(text: str) -> str:
    """Convert a text to HTML. HTML tags in the text are shown as text."""
    return str(_MARKDOWN(text)).strip()


def inline_html(text: str) -> str:
    """Convert a text to HTML. If the text is a single paragraph, leave out the <p> around it."""
    whole = html(text)
    if whole.startswith("<p>") and whole.endswith("</p>") and whole.count("<p>") == 1:
        return whole[3:-4]
    return whole
