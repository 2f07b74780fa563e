"""A student's formulas as MathML; only the text of elements that aren't listed here is kept."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from html import escape, unescape
from typing import Any
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element

MAX_FORMULA = 3_000

_MATHML = "http://www.w3.org/1998/Math/MathML"
_MATH_TOKENS = frozenset(["mi", "mn", "mo", "ms", "mtext"])
_MATH_TAGS = _MATH_TOKENS | {
    *("math", "menclose", "mfrac", "mmultiscripts", "mover", "mpadded", "mphantom", "mroot"),
    *("mrow", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtr"),
    *("munder", "munderover", "mprescripts", "none"),
}
_MATH_ATTRIBUTES = frozenset(
    [
        *("accent", "accentunder", "columnalign", "columnlines", "columnspacing", "depth"),
        *("display", "displaystyle", "fence", "form", "height", "largeop", "linethickness"),
        *("lspace", "mathcolor", "mathvariant", "maxsize", "minsize", "movablelimits"),
        *("notation", "rowlines", "rowspacing", "rspace", "scriptlevel", "separator"),
        *("stretchy", "symmetric", "voffset", "width"),
    ]
)
_MATH_VALUE = re.compile(r"[\w .+%#-]{1,60}")


class Formulas:
    """The formulas of a text. A secret mark holds a formula's place until the HTML is cleaned."""

    def __init__(self) -> None:
        self._secret = secrets.token_hex(16)
        self._found: dict[str, Element] = {}

    def add(self, tex: str, display: str) -> str:
        """The HTML that holds a formula's place; a formula that can't be converted becomes code."""
        try:
            if len(tex) > MAX_FORMULA:
                raise ValueError("too long to set")
            element = convert_to_element(tex, display=display)
        except Exception:
            return f"<code>{escape(tex)}</code>"
        mark = f"{self._secret}-{len(self._found)}"
        self._found[mark] = element
        return f'<span class="{mark}"></span>'

    def get(self, mark: str | None) -> Element | None:
        """The formula whose place `mark` holds; None if `mark` is no formula's mark."""
        return self._found.get(mark) if mark else None


def math_tokens(element: Element) -> Iterator[dict[str, Any]]:
    """A formula's MathML as html5lib's tokens, with only what the allow-list permits."""
    tag = str(element.tag)
    if tag in _MATH_TAGS:
        data = {
            (None, name): value
            for name, value in element.attrib.items()
            if name in _MATH_ATTRIBUTES and _MATH_VALUE.fullmatch(value)
        }
        yield {"type": "StartTag", "namespace": _MATHML, "name": tag, "data": data}
    if tag in _MATH_TOKENS:
        text = "".join(element.itertext())
        yield {"type": "Characters", "data": unescape(text)}
    else:
        for child in element:
            yield from math_tokens(child)
    if tag in _MATH_TAGS:
        yield {"type": "EndTag", "namespace": _MATHML, "name": tag, "data": {}}
