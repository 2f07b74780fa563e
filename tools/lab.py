"""A real JupyterLab and a real browser, started by a test or a script.

    with jupyterlab(root, scratch) as lab, chromium() as context:
        notebook = open_notebook(context, lab, "lectures/02_convolution_arithmetic.ipynb")
        notebook.run_all()
        assert not notebook.problems()

The server listens on 127.0.0.1 only, has a token, and reads none of the user's configuration.
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
    # Every cell is in the page, in view or not, so that a test finds it.
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
    """Serve `root` until the block ends; `scratch` takes configuration, runtime files and log.

    Kernels import this repository's packages. `options` go to JupyterLab's command line.
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
        # The server takes another port if ours is gone by now; its own file says which.
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
    """The browser to drive: $CHROMIUM, else the system's, else None (Playwright's own)."""
    return (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )


@contextmanager
def chromium(*, width: int = 1400, height: int = 900) -> Iterator[BrowserContext]:
    """One headless browser and one context; its pages share the log-in."""
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
    """A notebook open in JupyterLab, with what the console said and which addresses were asked."""

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
        """Run the first cell whose source has `text` in it, and wait for its result.

        Widgets first: of quick changes, the last is sent only after the kernel has answered the
        one before, and a cell that runs meanwhile reads an earlier value. A message waits among
        the kernel's futures until its answer has been handled.
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
        """As a student does after a break: a new kernel, then every cell."""
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
        """The notebook as it now is (nbformat cells, with outputs)."""
        found: list[dict[str, Any]] = self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.context.model.toJSON().cells"
        )
        return found

    def problems(self) -> list[str]:
        """Every error and every line on stderr among the outputs, each with its cell."""
        return [
            f"cell {number}: {output.get('ename', 'stderr')}: "
            f"{output.get('evalue') or output.get('text')}"
            for number, cell in enumerate(self.cells(), start=1)
            for output in cell.get("outputs", [])
            if output["output_type"] == "error" or output.get("name") == "stderr"
        ]

    def output(self, text: str) -> Locator:
        """The output area of the first cell whose source has `text` in it."""
        cell = self.page.locator(".jp-CodeCell", has=self.page.get_by_text(text)).first
        return cell.locator(".jp-Cell-outputArea")

    def theme(self, dark: bool) -> None:
        """Switch JupyterLab to its light or its dark theme, and wait until that shows."""
        name = "JupyterLab Dark" if dark else "JupyterLab Light"
        self.command("apputils:change-theme", theme=name)
        self.page.wait_for_selector(f"body[data-jp-theme-name='{name}']", state="attached")

    def close(self) -> None:
        """End the kernel and close the page."""
        self.page.evaluate(
            "async () => { await window.jupyterapp.serviceManager.sessions.shutdownAll(); }"
        )
        self.page.close()


def open_notebook(
    context: BrowserContext, lab: Lab, path: str, prepare: Callable[[Page], None] | None = None
) -> Notebook:
    """Open `path` (relative to the served folder) in a fresh workspace with the side bar folded.

    Args:
        context: The browser context; every page of it shares the log-in.
        lab: The running server.
        path: The notebook, relative to `lab.root`.
        prepare: Called with the page before anything is loaded, e.g. to listen to its traffic.
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
    page.evaluate(
        """async path => {
            const widget = await window.jupyterapp.commands.execute('docmanager:open', {path});
            await widget.context.ready;
            await widget.sessionContext.ready;
        }""",
        path,
    )
    return notebook
