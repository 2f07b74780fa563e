"""Turns notebooks into pages of the site that work without a kernel.

    page = lecture_page(executed, "02_convolution_arithmetic", bank, files)

An interactive becomes an element that `docs/site/static/interactive.js` brings to life: the
script, the style and the values of the widget are written as files beside the pages. A question
becomes text, with its hints and its solution folded. A figure becomes an image file.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from course_utils.quiz import marking, text
from course_utils.quiz.numbers import fill
from course_utils.quiz.schema import Question
from course_utils.quiz.widget import PROMPTS

WIDGET = "application/vnd.jupyter.widget-view+json"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
ASK = re.compile(r'^ask\("(\w+)"\)', re.MULTILINE)
FIGURE = re.compile(r'<img src="data:image/png;base64,([^"]+)"')
STATIC = "../_static/"  # as seen from the page of a lecture
# What a widget has for Jupyter only.
NOT_ITS_OWN = re.compile(r"_(model|view|esm|css|dom|anywidget).*|layout|tabbable|tooltip")


class Files:
    """The files in a folder. A file that stays as it was isn't written, so Sphinx doesn't read it.

    Args:
        folder: where the files are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._added: set[Path] = set()

    def add(self, name: str, content: bytes) -> str:
        """Add a file.

        Args:
            name: its path in the folder.
            content: what it holds.

        Returns:
            The name.
        """
        path = self.folder / name
        self._added.add(path)
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return name

    def remove_others(self) -> None:
        """Remove the files that were not added."""
        for path in self.folder.rglob("*"):
            if path.is_file() and path not in self._added:
                path.unlink()


def lecture_page(
    executed: NotebookNode, name: str, questions: Mapping[str, Question], files: Files
) -> NotebookNode:
    """Make the page of a lecture from the notebook with its outputs.

    Args:
        executed: the notebook, with outputs and the state of its widgets.
        name: the name of the lecture.
        questions: its practice questions by id, with their keys.
        files: takes the files of the page, which the site has in `_static/`.
    """
    page = nbformat.from_dict(json.loads(json.dumps(executed)))
    page.cells = [cell for cell in page.cells if cell.id != "colab"]  # it is of no use to readers
    widgets = page.metadata.pop("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    for cell in page.cells:
        if cell.cell_type != "code":
            continue
        if cell.metadata.get("jupyter", {}).get("source_hidden"):
            cell.metadata["tags"] = ["hide-input"]
        asked = ASK.search(cell.source)
        if asked:
            cell.metadata["tags"] = ["remove-input"]
            cell.outputs = [_html(question_html(questions[asked[1]], practice=True))]
        else:
            cell.outputs = [_output(output, widgets, name, files) for output in cell.outputs]
    return page


def assignment_page(released: NotebookNode, questions: Mapping[str, Question]) -> NotebookNode:
    """Make the page of an assignment: the notebook as released, with the questions as text.

    Args:
        released: the notebook that students get. It has no outputs.
        questions: its questions by id, as released, which is without keys.
    """
    page = nbformat.from_dict(json.loads(json.dumps(released)))
    for cell in page.cells:
        asked = ASK.search(cell.source) if cell.cell_type == "code" else None
        if asked and asked[1] in questions:
            cell.outputs = [_html(question_html(questions[asked[1]], practice=False))]
    return page


def insert_after_title(page: NotebookNode, markdown: str) -> None:
    """Put a text below the title of a page.

    Raises:
        ValueError: the first cell is no Markdown with a title.
    """
    first = page.cells[0]
    title, _, rest = first.source.partition("\n")
    if first.cell_type != "markdown" or not title.startswith("# "):
        raise ValueError("the notebook doesn't begin with a title: '# …' in a Markdown cell")
    first.source = f"{title}\n\n{markdown}\n{rest}"


# ── outputs ──


def _html(code: str) -> NotebookNode:
    data = {"text/html": code, "text/plain": ""}
    return nbformat.v4.new_output("display_data", data=data)


def _output(
    output: NotebookNode, widgets: Mapping[str, Any], name: str, files: Files
) -> NotebookNode:
    data = output.get("data", {})
    if WIDGET in data:
        return _html(_interactive(widgets[data[WIDGET]["model_id"]], name, files))
    if "text/html" in data:

        def written(match: re.Match[str]) -> str:
            picture = base64.b64decode(match[1])
            digest = hashlib.sha256(picture).hexdigest()[:16]
            file = files.add(f"figures/{digest}.png", picture)
            return f'<img loading="lazy" src="{STATIC}{file}"'

        data["text/html"] = FIGURE.sub(written, data["text/html"])
    return output


def _interactive(widget: Mapping[str, Any], name: str, files: Files) -> str:
    """The element that stands for a widget, with its files written."""
    state = widget["state"]
    module, _, kind = state["_anywidget_id"].rpartition(".")
    part = module.rpartition(".")[2]
    values = {key: value for key, value in state.items() if not NOT_ITS_OWN.fullmatch(key)}
    bytes_of = [{"path": one["path"], "data": one["data"]} for one in widget.get("buffers", [])]
    content = json.dumps({"values": values, "bytes": bytes_of}, sort_keys=True).encode()
    digest = hashlib.sha256(content).hexdigest()[:8]
    script = files.add(f"interactives/{part}.js", state["_esm"].encode())
    style = files.add(f"interactives/{part}.css", state["_css"].encode())
    data = files.add(f"interactives/{name}-{part}-{digest}.json", content)
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).capitalize()
    return (
        f'<div class="interactive" data-script="{STATIC}{script}" data-style="{STATIC}{style}" '
        f'data-values="{STATIC}{data}"><p>{words}: it needs JavaScript.</p></div>'
    )


# ── questions ──


def question_html(question: Question, *, practice: bool) -> str:
    """Write a question as HTML, with the numbers that a student without an id gets.

    Args:
        question: the question.
        practice: whether its hints and its solution are shown too, folded.
    """
    numbers = question.numbers("")
    drawn = bool(question.draw) and not practice
    said = "*Its numbers are drawn for you when you open it in JupyterLab.*"
    badge = "Practice question" if practice else "Graded question: first attempt only"
    parts = [
        f'<p class="question-badge">{badge}</p>',
        text.html(said if drawn else fill(question.text, numbers)),
    ]
    if question.options:
        options = "".join(f"<li>{text.inline_html(option)}</li>" for option in question.options)
        parts.append(f"<p><em>{PROMPTS[question.kind]}</em></p><ol>{options}</ol>")
    elif question.unit:
        parts.append(f"<p><em>The answer is a number of {html.escape(question.unit)}.</em></p>")
    if practice:
        several = len(question.hints) > 1
        for number, hint in enumerate(question.hints, start=1):
            parts.append(_folded(f"Hint {number}" if several else "Hint", text.html(hint)))
        parts.append(_folded("Solution", _solution(question)))
    return f'<section class="question" aria-label="{badge}">{"".join(parts)}</section>'


def _folded(title: str, content: str) -> str:
    return f"<details><summary>{title}</summary>{content}</details>"


def _solution(question: Question) -> str:
    """The solution of a practice question. For options, what is said of each of them too."""
    key = question.key
    assert key is not None
    solution = text.html(marking.solution(question, question.numbers("")))
    if question.kind == "numeric":
        return solution
    answer = marking.parse(question, key.answer)
    remarks = "".join(
        f"<li value={number}>{text.inline_html(key.feedback[number])}</li>"
        for number in range(1, 1 + len(question.options))
        if number in key.feedback
    )
    right = f"<p><strong>Right: {marking.in_words(question, answer)}.</strong></p>"
    return right + solution + (f"<p>The other options:</p><ol>{remarks}</ol>" if remarks else "")
