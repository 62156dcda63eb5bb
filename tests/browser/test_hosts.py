"""Where notebooks are read besides JupyterLab: Notebook 7 and Voilà. Exported HTML is looked at in tests/notebooks."""

from __future__ import annotations

import importlib.util
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from stylewidgets.bench.browser import PICTURE, SLIDER, Browser, Lab, Notebook
from stylewidgets.bench.pages import write
from stylewidgets.core.ports import usable_port

from .conftest import python_path

pytestmark = pytest.mark.slow

CELLS = [
    'import stylewidgets as sw\nsession = sw.load("avatar-64")',
    'sw.LatentExplorer(session, value=session.latent(seed=4).with_edit(session.directions["smile"], 0.0))',
]
DIGEST = "(s) => document.querySelector(s)?.toDataURL() ?? ''"
DRAWN = """(s) => { const c = document.querySelector(s); if (!c?.width) return false;
  const data = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
  return data.some((value, i) => i % 4 !== 3 && value !== data[i % 4]); }"""


def assert_live(page: Any, shot: Path) -> None:
    """The picture is drawn, and a key on the slider changes it."""
    page.wait_for_function(DRAWN, arg=PICTURE, timeout=90_000)
    slider = page.locator(SLIDER).first
    slider.scroll_into_view_if_needed()
    slider.focus()
    before = page.evaluate(DIGEST, PICTURE)
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("([s, before]) => document.querySelector(s).toDataURL() !== before", arg=[PICTURE, before])
    page.wait_for_timeout(1000)
    page.screenshot(path=shot)


def test_it_is_live_in_notebook_7(browser: Browser, tmp_path: Path, artifacts: Path) -> None:
    pytest.importorskip("notebook", minversion="7.0")
    write(tmp_path / "host.ipynb", CELLS)
    environment = {"PYTHONPATH": python_path(), "OMP_NUM_THREADS": "1"}
    with Lab(tmp_path, extra=("--JupyterNotebookApp.expose_app_in_browser=True",), environment=environment) as lab:
        notebook = Notebook(browser.page(), lab, "host.ipynb")
        notebook.open(address="/notebooks/host.ipynb")
        notebook.run_all()
        assert_live(notebook.page, artifacts / "host-notebook-7.png")
        notebook.close()
        lab.shutdown_kernels()


def test_it_is_live_in_voila(browser: Browser, tmp_path: Path, artifacts: Path) -> None:
    if importlib.util.find_spec("voila") is None:
        pytest.skip("voila is not installed: pip install voila")
    write(tmp_path / "host.ipynb", CELLS)
    with voila(tmp_path / "host.ipynb") as address:
        page = browser.page()
        page.goto(address, wait_until="domcontentloaded", timeout=120_000)
        assert_live(page, artifacts / "host-voila.png")
        page.context.close()


@contextmanager
def voila(notebook: Path) -> Iterator[str]:
    """Voilà on a notebook; its address."""
    port, base = usable_port(), f"/{secrets.token_hex(4)}/"
    command = [sys.executable, "-m", "voila", str(notebook), "--no-browser", f"--port={port}", f"--base_url={base}"]
    log = notebook.with_suffix(".log")
    with log.open("w") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "PYTHONPATH": python_path(), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}{base}"
    try:
        end = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{address}voila/static/voila.js", timeout=5).close()
                break
            except urllib.error.HTTPError:
                break  # it answers
            except OSError:
                assert process.poll() is None and time.monotonic() < end, log.read_text()[-2000:]
                time.sleep(0.3)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)
