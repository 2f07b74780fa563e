"""How an interactive's files become the one script and the one style sheet that a widget takes."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent
IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+\.js)";\n', re.MULTILINE)


def script(name: str) -> str:
    """An interactive's JavaScript, after all that it imports: each file once, no import left."""
    texts: dict[str, str] = {}

    def take(file: str) -> None:
        text = (FOLDER / file).read_text(encoding="utf-8")
        for other in IMPORT.findall(text):
            if other not in texts:
                take(other)
        texts[file] = IMPORT.sub("", text)

    take(f"{name}.js")
    return "".join(texts.values())


def style(name: str) -> str:
    """The look that all interactives share, then what only this one has."""
    return "".join((FOLDER / f"{one}.css").read_text(encoding="utf-8") for one in ("shared", name))
