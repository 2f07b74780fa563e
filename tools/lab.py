"""Starts a real JupyterLab and a real browser for a test or a script.

    with jupyterlab(root, scratch) as lab, chromium() as context:
        notebook = open_notebook(context, lab, "lectures/02_convolution_arithmetic.ipynb")
        notebook.run_all()
        assert not notebook.problems()

The server listens on 127.0.0.1 only, needs a token, and reads none of the user's configuration.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
    # All cells are in the page, even those out of view, so that a test finds them.
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
}


class LabError(RuntimeError):
    """JupyterLab or the browser didn't start, or a notebook didn't do what was asked."""


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: its address, the folder that it serves, and its log."""

    url: str
    token: str
    root: Path
    log: Path


@contextmanager
def jupyterlab(root: Path, scratch: Path, *options: str) -> Iterator[Lab]:
    """Serve a folder until the block ends. Kernels import the packages of this repository.

    Args:
        root: the folder to serve.
        scratch: a folder for configuration, runtime files and the log.
        options: further options on JupyterLab's command line.

    Raises:
        LabError: JupyterLab didn't start.
    """
    config = scratch / "config"
    (config / "labconfig").mkdir(parents=True)
    (config / "labconfig" / "default_setting_overrides.json").write_text(json.dumps(SETTINGS))
    token = secrets.token_hex(16)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")},
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_DATA_DIR": str(scratch / "data"),
        "JUPYTER_RUNTIME_DIR": str(scratch / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(scratch / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(scratch / "workspaces"),
        "IPYTHONDIR": str(scratch / "ipython"),
        "JUPYTER_TOKEN": token,
        "PYTHONPATH": str(ROOT),
    }
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={_free_port()}",
        f"--ServerApp.root_dir={root}",
        "--LabApp.expose_app_in_browser=True",
        "--LabApp.extension_manager=readonly",
        *options,
    ]
    log = scratch / "jupyterlab.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        # If another program has taken our port, the server chooses another port and writes it
        # into this file.
        info = scratch / "runtime" / f"jpserver-{server.pid}.json"
        yield Lab(_wait_until_up(server, info, log), token, root, log)
    finally:
        _stop(server)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_up(server: subprocess.Popen[bytes], info: Path, log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            url = str(json.loads(info.read_text())["url"])
            with urllib.request.urlopen(f"{url}api", timeout=5):
                return url
        except (OSError, ValueError):
            time.sleep(0.05)
    status = server.poll()
    happened = f"took more than {START_SECONDS} s" if status is None else f"ended ({status})"
    tail = log.read_text(errors="replace")[-2000:]
    raise LabError(f"JupyterLab didn't start: it {happened}; the end of its log:\n{tail}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGTERM)  # the server ends its kernels
    try:
        server.wait(timeout=15)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def chromium_path() -> str | None:
    """Find the browser: $CHROMIUM, or else the system's, or else None (Playwright's own)."""
    return (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )


@contextmanager
def chromium(*, width: int = 1400, height: int = 900) -> Iterator[BrowserContext]:
    """Start a headless browser with one context, whose pages share the log-in.

    Args:
        width: the width of the window in pixels.
        height: the height of the window in pixels.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        context = browser.new_context(viewport={"width": width, "height": height})
        try:
            yield context
        finally:
            context.close()
            browser.close()


@dataclass
class Notebook:
    """A notebook that is open in JupyterLab.

    Attributes:
        page: the page in the browser.
        console: the messages in the browser's console.
        asked: the addresses that the page requested.
    """

    page: Page
    console: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def command(self, name: str, **arguments: Any) -> None:
        """Run one of JupyterLab's commands and wait for it, e.g. `notebook:run-all-cells`."""
        self.page.evaluate(
            "async ([name, args]) => { await window.jupyterapp.commands.execute(name, args); }",
            [name, arguments],
        )

    def run_all(self, timeout: float = 120) -> None:
        """Run every cell, and wait until the kernel is idle and every widget is drawn."""
        self.wait_for_kernel(timeout)
        self.command("notebook:run-all-cells")
        self.wait_for_kernel(timeout)

    def run_cell(self, text: str) -> None:
        """Run the first cell whose source contains `text`, and wait for its result.

        Before that, wait for the widgets. A widget sends the last of several quick changes only
        after the kernel has answered the change before. A cell that runs earlier would read an
        old value. A message is among the kernel's futures until its answer has been handled.
        """
        self.page.wait_for_function(
            "() => [...window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
            "._futures.values()].every(future => future.msg.header.msg_type !== 'comm_msg')"
        )
        self.page.evaluate(
            """async text => {
                const notebook = window.jupyterapp.shell.currentWidget.content;
                const holds = cell => cell.model.sharedModel.source.includes(text);
                notebook.activeCellIndex = notebook.widgets.findIndex(holds);
                notebook.deselectAll();
                await window.jupyterapp.commands.execute('notebook:run-cell');
            }""",
            text,
        )

    def restart_and_run_all(self, timeout: float = 120) -> None:
        """Restart the kernel and run every cell, as a student does after a break."""
        self.page.evaluate(
            "async () => { await window.jupyterapp.shell.currentWidget.sessionContext"
            ".restartKernel(); }"
        )
        self.run_all(timeout)

    def wait_for_kernel(self, timeout: float = 120) -> None:
        """Wait until the kernel says that it is idle."""
        self.page.wait_for_selector(
            ".jp-Notebook-ExecutionIndicator[data-status=idle]",
            state="attached",
            timeout=timeout * 1000,
        )

    def cells(self) -> list[dict[str, Any]]:
        """List the cells of the notebook as it is now (nbformat, with outputs)."""
        current: list[dict[str, Any]] = self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.context.model.toJSON().cells"
        )
        return current

    def problems(self) -> list[str]:
        """List every error and every text on stderr among the outputs, with its cell."""
        return [
            f"cell {number}: {output.get('ename', 'stderr')}: "
            f"{output.get('evalue') or output.get('text')}"
            for number, cell in enumerate(self.cells(), start=1)
            for output in cell.get("outputs", [])
            if output["output_type"] == "error" or output.get("name") == "stderr"
        ]

    def output(self, text: str) -> Locator:
        """Locate the output area of the first cell whose source contains `text`."""
        cell = self.page.locator(".jp-CodeCell", has=self.page.get_by_text(text)).first
        return cell.locator(".jp-Cell-outputArea")

    def theme(self, dark: bool) -> None:
        """Switch JupyterLab to its light or dark theme, and wait until the theme is applied."""
        name = "JupyterLab Dark" if dark else "JupyterLab Light"
        self.command("apputils:change-theme", theme=name)
        self.page.wait_for_selector(f"body[data-jp-theme-name='{name}']", state="attached")

    def close(self) -> None:
        """End the kernel and close the page."""
        self.page.evaluate(
            "async () => { await window.jupyterapp.serviceManager.sessions.shutdownAll(); }"
        )
        self.page.close()


def show_notebook(page: Page, path: str) -> None:
    """Open a notebook in a Lab that is there already, and wait for its kernel."""
    page.evaluate(
        """async path => {
            const widget = await window.jupyterapp.commands.execute('docmanager:open', {path});
            await widget.context.ready;
            await widget.sessionContext.ready;
        }""",
        path,
    )


def open_notebook(
    context: BrowserContext, lab: Lab, path: str, prepare: Callable[[Page], None] | None = None
) -> Notebook:
    """Open a notebook in a fresh workspace, with the side bar folded.

    Args:
        context: the browser context.
        lab: the running server.
        path: the notebook, relative to `lab.root`.
        prepare: a function that is called with the page before it loads anything, e.g. to listen
            to its traffic.
    """
    page = context.new_page()
    notebook = Notebook(page)
    page.on("console", lambda message: notebook.console.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: notebook.console.append(f"pageerror: {error}"))
    page.on("request", lambda request: notebook.asked.append(request.url))
    if prepare:
        prepare(page)
    page.goto(f"{lab.url}lab/workspaces/{secrets.token_hex(4)}?token={lab.token}")
    page.wait_for_function("() => window.jupyterapp && window.jupyterapp.restored")
    page.evaluate(
        """async () => {
            await window.jupyterapp.restored;
            window.jupyterapp.shell.collapseLeft();
        }"""
    )
    show_notebook(page, path)
    return notebook
