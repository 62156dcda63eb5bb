"""A notebook in a real browser, measured: JupyterLab on loopback, headless Chromium, one clock.

Every time is taken in the page (``probe.js``): from the ``timeStamp`` of a trusted input event to the animation frame
in which the picture first holds new pixels. Playwright is imported only when a browser is started.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.ports import usable_port

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

PROBE = Path(__file__).with_name("probe.js")
PICTURE = ".stylewidgets-canvas"
SLIDER = ".stylewidgets-strength [role=slider]"
"""The handle of a direction's slider; see widgets/direction_rows.py."""

_SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",  # a moving test picture where a page asks for a camera
)


class BrowserMissing(RuntimeError):
    """Chromium or playwright is not installed; the text says what to do."""


def find_browser() -> str:
    """Return the path of an installed Chromium. Raises BrowserMissing."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None and Path("/usr/bin/chromium").exists():
        found = "/usr/bin/chromium"
    if found is None:
        raise BrowserMissing("no Chromium was found on the PATH: install it, for example `apt-get install chromium`")
    return found


class Lab:
    """JupyterLab on 127.0.0.1, serving the directory ``root``, with settings of its own. A context manager.

    ``extra``: more command-line arguments. ``settings``: JupyterLab settings, {"extension:plugin": {...}}.
    ``environment``: variables added to those of this process. Raises RuntimeError when it does not start in a minute.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        extra: Sequence[str] = (),
        settings: dict[str, dict[str, Any]] | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.root = Path(root).resolve()
        self.port = usable_port()
        self.token = secrets.token_hex(12)
        self.extra = tuple(extra)
        quiet = {"fetchNews": "false", "checkForUpdates": False}
        self.settings = {
            "@jupyterlab/apputils-extension:notification": quiet,
            "@jupyterlab/apputils-extension:themes": {"adaptive-theme": True},  # dark where the browser is
            **(settings or {}),
        }
        self.environment = environment or {}

    @property
    def url(self) -> str:
        """Address without the token."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Lab:
        self._home = Path(tempfile.mkdtemp(prefix="stylewidgets-lab-"))
        for name, values in self.settings.items():
            extension, plugin = name.split(":")
            file = self._home / "settings" / extension / f"{plugin}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(values))
        self.log = self._home / "server.log"
        command = [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
            f"--port={self.port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={self.token}",
            f"--ServerApp.root_dir={self.root}",
            "--LabApp.news_url=",
            "--LabApp.expose_app_in_browser=True",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            *self.extra,
        ]
        environment = {
            **os.environ,
            "JUPYTERLAB_SETTINGS_DIR": str(self._home / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(self._home / "workspaces"),
            **self.environment,
        }
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, env=environment
            )
        self._wait()
        return self

    def _wait(self, seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._process.poll() is None:
            try:
                self.request("/api/status")
                return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.2)
        text = self.log.read_text()[-2000:]
        self.__exit__(None, None, None)
        raise RuntimeError(f"JupyterLab did not start:\n{text}")

    def request(self, path: str, method: str = "GET") -> Any:
        """Call the server's REST API and return the decoded answer."""
        request = urllib.request.Request(f"{self.url}{path}", method=method)
        request.add_header("Authorization", f"token {self.token}")
        with urllib.request.urlopen(request, timeout=5) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def shutdown_kernels(self) -> None:
        """End every kernel session of this server."""
        for session in self.request("/api/sessions"):
            self.request(f"/api/sessions/{session['id']}", "DELETE")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._home, ignore_errors=True)


class Browser:
    """Headless Chromium. A context manager; ``notebook`` opens pages. Raises BrowserMissing."""

    def __init__(self, width: int = 1280, height: int = 1000, *, scale: float = 1.0, dark: bool = False) -> None:
        self.options = {
            "viewport": {"width": width, "height": height},
            "device_scale_factor": scale,
            "color_scheme": "dark" if dark else "light",
        }

    def __enter__(self) -> Browser:
        path = find_browser()
        try:
            from playwright.sync_api import sync_playwright
        except ImportError as error:
            raise BrowserMissing("playwright is not installed: `pip install playwright`") from error
        self._driver = sync_playwright().start()
        self._browser = self._driver.chromium.launch(executable_path=path, headless=True, args=list(_SWITCHES))
        return self

    def page(self, **options: Any) -> Page:
        """Return a new playwright page with a context of its own; ``options`` override those of the browser."""
        return self._browser.new_context(**{**self.options, **options}).new_page()

    def notebook(self, lab: Lab, name: str, *, run: bool = True, **options: Any) -> Notebook:
        """Open a notebook of ``lab`` in a new page and, unless ``run`` is false, run all its cells."""
        notebook = Notebook(self.page(**options), lab, name)
        notebook.open()
        if run:
            notebook.run_all()
        return notebook

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._browser.close()
        self._driver.stop()


@dataclass
class Notebook:
    """A notebook open in JupyterLab: ``page`` is the playwright page, ``console`` collects its error messages."""

    page: Page
    lab: Lab
    name: str
    console: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda message: self._note(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self._note(str(error)))

    def _note(self, text: str) -> None:
        self.console.append(text[:400])

    def open(self, seconds: float = 120.0, address: str | None = None) -> None:
        """Load the notebook and wait for its kernel: in a workspace of its own, or at another address of the server."""
        if address is None:
            address = f"/lab/workspaces/{secrets.token_hex(4)}/tree/{self.name}"
        self.page.goto(f"{self.lab.url}{address}?token={self.lab.token}", wait_until="domcontentloaded")
        self._wait_ready(seconds)

    def reload(self, seconds: float = 120.0) -> None:
        """Reload the page, keeping the kernel."""
        self.page.reload(wait_until="domcontentloaded")
        self._wait_ready(seconds)

    def _wait_ready(self, seconds: float) -> None:
        """Wait for the kernel itself: the indicator in the page says "idle" before the connection stands."""
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=seconds * 1000)
        self.page.wait_for_function(
            """async () => {
              const panel = window.jupyterapp?.shell.currentWidget;
              if (!panel?.sessionContext) return false;
              await panel.sessionContext.ready;
              const kernel = panel.sessionContext.session?.kernel;
              if (!kernel) return false;
              await kernel.info;
              return kernel.connectionStatus === "connected" && kernel.status === "idle"; }""",
            timeout=seconds * 1000,
        )

    def command(self, command: str) -> None:
        """Execute a command of JupyterLab, by its id, on the notebook and wait until it is done."""
        self.page.evaluate("(command) => window.jupyterapp.commands.execute(command).then(() => null)", command)

    def run_all(self) -> None:
        """Run every cell and wait for the last. Raises RuntimeError with the text when a cell fails."""
        self.command("notebook:run-all-cells")
        prompts = "[...document.querySelectorAll('.jp-CodeCell .jp-InputArea-prompt')].map((node) => node.textContent)"
        failed = self.page.locator('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]')
        if failed.count():
            raise RuntimeError(f"a cell of {self.name} failed:\n{failed.first.inner_text()[:2000]}")
        if any(text.strip() in ("[ ]:", "[*]:") for text in self.page.evaluate(prompts)):
            raise RuntimeError(f"not every cell of {self.name} was run")

    def save(self) -> None:
        """Save the notebook and wait until it is written."""
        self.command("docmanager:save")

    def close(self) -> None:
        """Close the page."""
        self.page.context.close()


@dataclass(frozen=True)
class Measurement:
    """What a person would feel. Milliseconds unless said otherwise; None where nothing was seen."""

    key_median: float | None
    key_p95: float | None
    keys_missed: int
    drag_fps: float
    drag_frames: int
    gap_p95: float | None
    blank_share: float
    """Share of the animation frames of the drag in which the picture could not be read or was empty."""
    settle: float | None
    """From the release to the last new picture."""
    screen_fps: float
    """Animation frames per second the machine managed: the ceiling of drag_fps."""

    def line(self) -> str:
        """Return the figures in one line of text."""
        shown = {name: "-" if value is None else f"{value:.0f}" for name, value in vars(self).items()}
        return (
            f"key {shown['key_median']} ms (p95 {shown['key_p95']}), drag {self.drag_fps:.1f} frames/s"
            f" (gap p95 {shown['gap_p95']} ms, blank {self.blank_share:.1%}), settle {shown['settle']} ms"
        )


def measure(
    notebook: Notebook,
    *,
    picture: str = PICTURE,
    slider: str = SLIDER,
    keys: int = 20,
    drag_seconds: float = 2.0,
) -> Measurement:
    """Press ArrowRight ``keys`` times on the slider, then drag it once from its one end to the other, and time the pictures.

    What is no slider is dragged over four fifths of its width.
    """
    page = notebook.page
    handle = page.locator(slider).first
    handle.wait_for()
    page.locator(picture).first.wait_for()
    handle.scroll_into_view_if_needed()
    page.evaluate(PROBE.read_text(), [picture])
    handle.focus()
    page.keyboard.press("ArrowRight")
    time.sleep(1.0)
    latencies, missed = _press(page, keys)
    drag = _drag(page, handle, drag_seconds)
    return Measurement(
        key_median=statistics.median(latencies) if latencies else None,
        key_p95=_quantile(latencies, 0.95),
        keys_missed=missed,
        **drag,
    )


def _press(page: Page, count: int) -> tuple[list[float], int]:
    latencies: list[float] = []
    for _ in range(count):
        page.evaluate("() => stylewidgetsProbe.reset()")
        page.keyboard.press("ArrowRight")
        end = time.monotonic() + 5.0
        while time.monotonic() < end:
            time.sleep(0.05)
            seen = page.evaluate("() => stylewidgetsProbe.report()")
            down = [stamp for name, stamp in seen["events"] if name == "keydown"]
            if down and seen["changes"]:
                latencies.append(seen["changes"][0] - down[0])
                break
        time.sleep(0.4)  # the settled picture of this press must not count for the next
    return latencies, count - len(latencies)


def _drag(page: Page, handle: Locator, seconds: float) -> dict[str, Any]:
    x, y, length = _way(page, handle)
    page.mouse.move(x, y)
    page.mouse.down()
    time.sleep(0.2)
    page.evaluate("() => stylewidgetsProbe.reset()")
    begin = time.monotonic()
    moves = 0
    while (elapsed := time.monotonic() - begin) < seconds:
        page.mouse.move(x + 2 + 0.97 * length * elapsed / seconds, y)
        moves += 1
        time.sleep(max(0.0, begin + moves / 60 - time.monotonic()))
    during = page.evaluate("() => stylewidgetsProbe.report()")
    page.mouse.up()
    time.sleep(1.5)
    seen = page.evaluate("() => stylewidgetsProbe.report()")
    first = next(stamp for name, stamp in seen["events"] if name == "pointermove")
    up = next(stamp for name, stamp in reversed(seen["events"]) if name == "pointerup")
    inside = [stamp for stamp in seen["changes"] if first <= stamp <= up]
    gaps = [later - earlier for earlier, later in zip(inside, inside[1:], strict=False)]
    return {
        "drag_fps": len(inside) / (up - first) * 1000,
        "drag_frames": len(inside),
        "gap_p95": _quantile(gaps, 0.95),
        "blank_share": during["blank"] / max(1, during["samples"]),
        "settle": max(0.0, seen["changes"][-1] - up) if seen["changes"] else None,
        "screen_fps": during["samples"] / during["elapsed"] * 1000,
    }


def _way(page: Page, handle: Locator) -> tuple[float, float, float]:
    """Where a drag begins, and how far it goes to the right."""
    if handle.get_attribute("role") != "slider":
        box = handle.bounding_box()
        if handle.get_attribute("data-joint"):  # a dot, and what it is pulled over is the figure around it
            whole = page.locator(".sw-figure").bounding_box()
            return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, whole["width"] * 0.6
        return box["x"] + box["width"] / 10, box["y"] + box["height"] / 2, box["width"] * 0.8
    ends = []
    for key in ("End", "Home"):
        page.keyboard.press(key)
        time.sleep(1.0)
        ends.append(handle.bounding_box())
    box = ends[1]
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, ends[0]["x"] - box["x"]


def _quantile(values: Sequence[float], share: float) -> float | None:
    return float(np.quantile(values, share)) if values else None
