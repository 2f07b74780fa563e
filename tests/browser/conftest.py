"""What browser tests share: one JupyterLab and one browser for all of them.

    def test_it(open_notebook, lab):
        notebook = open_notebook("lectures/02_convolution_arithmetic.ipynb")
        notebook.run_all()
        assert not notebook.problems()

The served folder is a temporary copy: a test may write into it. `tools.lab` has the rest.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from tools import lab as tools_lab

# `package`: Playwright keeps an event loop running, which tests elsewhere mustn't meet.


@pytest.fixture(scope="package")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tools_lab.Lab]:
    """JupyterLab on a copy of `lectures/` and of the released exercises."""
    root = tmp_path_factory.mktemp("served")
    for folder in ("lectures", "exercises/release"):
        if (tools_lab.ROOT / folder).is_dir():
            shutil.copytree(tools_lab.ROOT / folder, root / folder)
    with tools_lab.jupyterlab(root, tmp_path_factory.mktemp("jupyter")) as running:
        yield running


@pytest.fixture(scope="package")
def browser_context() -> Iterator[BrowserContext]:
    """One headless Chromium, with one context, so that the log-in is kept."""
    with tools_lab.chromium() as context:
        yield context


@pytest.fixture
def open_notebook(
    lab: tools_lab.Lab, browser_context: BrowserContext
) -> Iterator[Callable[..., tools_lab.Notebook]]:
    """A function that opens a notebook of the served folder; kernels end with the test."""
    opened: list[tools_lab.Notebook] = []

    def open_it(
        path: str | Path, prepare: Callable[[Page], None] | None = None
    ) -> tools_lab.Notebook:
        opened.append(tools_lab.open_notebook(browser_context, lab, str(path), prepare))
        return opened[-1]

    yield open_it
    for notebook in opened:
        notebook.close()


@pytest.fixture(scope="module")
def lecture(
    request: pytest.FixtureRequest, lab: tools_lab.Lab, browser_context: BrowserContext
) -> Iterator[tools_lab.Notebook]:
    """The module's LECTURE, opened and run once for all its tests, until READY (CSS) is there."""
    notebook = tools_lab.open_notebook(browser_context, lab, request.module.LECTURE)
    notebook.run_all()
    notebook.page.locator(request.module.READY).first.wait_for()
    yield notebook
    notebook.close()
