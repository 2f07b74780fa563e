"""Takes the screenshots under docs/images/, from a real JupyterLab that runs the real notebooks.

    python -m tools.screenshots          all screenshots
    python -m tools.screenshots lecture  the screenshots whose name begins with "lecture"

To take another screenshot, add a line to SHOTS.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image

from tools.lab import ROOT, Lab, Notebook, chromium, jupyterlab, open_notebook

IMAGES = ROOT / "docs" / "images"


@dataclass(frozen=True)
class Shot:
    """A screenshot of a notebook that was run.

    Attributes:
        name: the name of the file under docs/images/, without .png.
        notebook: the path of the notebook, relative to the repository.
        selector: the element to show (CSS). The screenshot is the whole window, with this element
            at its top.
        width, height: the size of the window, in pixels.
        dark: whether JupyterLab has its dark theme.
        cell: a text. If it is given, only the first cell with this text in its source is run.
        fill: an input field (CSS) and the text to type into it, before any click.
        clicks: the elements to click (CSS), in this order.
    """

    name: str
    notebook: str
    selector: str
    width: int = 1400
    height: int = 900
    dark: bool = False
    cell: str = ""
    fill: tuple[str, str] | None = None
    clicks: tuple[str, ...] = ()


LECTURE_2 = "lectures/02_convolution_arithmetic.ipynb"
LECTURE_1 = "lectures/01_preprocessing.ipynb"
LECTURE_0 = "lectures/00_welcome.ipynb"
EXPLORER = ".jp-Cell:has(.ce)"
QUIZ = ".course-quiz:has([type=radio])"
# The last click waits until the feedback on the answer is there.
ANSWERED = (f"{QUIZ} [value='2']", f"{QUIZ} .cq-main", f"{QUIZ} .cq-feedback li")
CHANGED = (".ag input[name='mirror']", ".ag input[name='upside_down']")
DILATED = ("[data-preset='dilated']", *["[data-step='1']"] * 13)
# An attempt can't be repeated. The first of these screenshots makes it; the others show it.
PS5 = "exercises/release/ps5_backpropagation/ps5_backpropagation.ipynb"
GRADED = partial(Shot, notebook=PS5, selector=".course-quiz", cell='ask("backprop_false")')
ID = (".course-quiz input[type=text]", "ada")
ATTEMPT = (
    ".course-quiz button:has-text('Save')",
    ".course-quiz [type=checkbox][value='2']",
    ".course-quiz button:has-text('Submit my answer')",
    ".course-quiz button:has-text('Submit for good')",
    ".course-quiz [role=status]:has-text('Recorded')",
)
SHOTS = [
    Shot("lecture", LECTURE_2, "h1", height=1000),
    Shot("explorer", LECTURE_2, EXPLORER, clicks=DILATED),
    Shot("explorer-dark", LECTURE_2, EXPLORER, dark=True, clicks=DILATED),
    Shot("explorer-700", LECTURE_2, EXPLORER, width=700, height=1240, clicks=DILATED),
    Shot(
        "explorer-700-dark", LECTURE_2, EXPLORER, width=700, height=1240, dark=True, clicks=DILATED
    ),
    Shot("quiz", LECTURE_2, QUIZ, height=560, clicks=ANSWERED),
    Shot("quiz-dark", LECTURE_2, QUIZ, height=560, dark=True, clicks=ANSWERED),
    Shot("quiz-700", LECTURE_2, QUIZ, width=700, height=620, clicks=ANSWERED),
    Shot("quiz-700-dark", LECTURE_2, QUIZ, width=700, height=620, dark=True, clicks=ANSWERED),
    GRADED("graded", height=700, fill=ID, clicks=ATTEMPT),
    GRADED("graded-dark", height=700, dark=True),
    GRADED("graded-700", width=700, height=820),
    GRADED("graded-700-dark", width=700, height=820, dark=True),
    Shot("augmentation", LECTURE_1, EXPLORER, height=700, clicks=CHANGED),
    Shot("augmentation-700-dark", LECTURE_1, EXPLORER, width=700, height=900, dark=True),
    Shot("welcome", LECTURE_0, "h1", height=1000),
    Shot("pixels-700-dark", LECTURE_0, EXPLORER, width=700, height=900, dark=True),
]


def take(shot: Shot, notebook: Notebook) -> bytes:
    """Take a screenshot of an open notebook, as PNG."""
    page = notebook.page
    notebook.theme(shot.dark)
    page.set_viewport_size({"width": shot.width, "height": shot.height})
    if shot.fill:
        page.locator(shot.fill[0]).first.fill(shot.fill[1])
    for selector in shot.clicks:
        page.locator(selector).first.click()
    page.locator(shot.selector).first.evaluate("element => element.scrollIntoView()")
    page.mouse.move(0, 0)
    # Wait for two frames: the page is laid out in the first and painted by the second.
    page.evaluate(
        "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    small = io.BytesIO()
    picture = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    picture.save(small, "PNG", optimize=True)
    return small.getvalue()


def take_all(shots: list[Shot], lab: Lab) -> None:
    """Open and run each notebook once, and take all its screenshots."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with chromium() as context:
        for path, cell in dict.fromkeys((shot.notebook, shot.cell) for shot in shots):
            notebook = open_notebook(context, lab, path)
            if cell:
                notebook.run_cell(cell)
            else:
                notebook.run_all()
            for shot in shots:
                if (shot.notebook, shot.cell) == (path, cell):
                    picture = take(shot, notebook)
                    (IMAGES / f"{shot.name}.png").write_bytes(picture)
                    print(f"docs/images/{shot.name}.png: {len(picture) / 1024:.0f} KiB")
            notebook.close()


def main(prefix: str = "") -> int:
    """Take the screenshots whose name begins with `prefix`. Return 1 if there is none, else 0."""
    shots = [shot for shot in SHOTS if shot.name.startswith(prefix)]
    if not shots:
        names = ", ".join(shot.name for shot in SHOTS)
        print(f"No screenshot's name begins with '{prefix}'; there are {names}.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as served, tempfile.TemporaryDirectory() as scratch:
        for path in {shot.notebook for shot in shots}:
            folder = Path(path).parent
            shutil.copytree(ROOT / folder, Path(served) / folder, dirs_exist_ok=True)
        with jupyterlab(Path(served), Path(scratch)) as lab:
            take_all(shots, lab)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
