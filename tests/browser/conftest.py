"""JupyterLab and Chromium for the tests: one of each for all, a new page and kernel for every notebook.

Without a browser these tests are skipped; where the environment variable CI is set they fail instead.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stylewidgets.bench.browser import Browser, BrowserMissing, Lab, Notebook, find_browser

ROOT = Path(__file__).resolve().parents[2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    try:
        for module in ("playwright", "jupyterlab", "nbformat"):
            if not _installed(module):
                raise BrowserMissing(f"{module} is not installed")
        find_browser()
    except BrowserMissing as error:
        if os.environ.get("CI"):
            pytest.fail(f"in CI the browser tests must run: {error}")
        pytest.skip(str(error))
    with Browser() as browser:
        yield browser


def _installed(module: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(module) is not None


@pytest.fixture(scope="session")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    environment = {"PYTHONPATH": python_path(), "OMP_NUM_THREADS": "1"}
    with Lab(tmp_path_factory.mktemp("lab"), environment=environment) as lab:
        yield lab


def python_path() -> str:
    """For the kernels: this source tree before any that is installed."""
    return os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))


@pytest.fixture
def open_notebook(browser: Browser, lab: Lab, request: pytest.FixtureRequest) -> Iterator[Callable[..., Notebook]]:
    """``open_notebook(*cells, **page_options)``: a new notebook with these cells, open and run."""
    opened: list[Notebook] = []

    def open_one(*cells: str, **options: Any) -> Notebook:
        import nbformat

        name = f"{request.node.name.split('[')[0]}-{len(opened)}.ipynb"
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, lab.root / name)
        opened.append(browser.notebook(lab, name, **options))
        return opened[-1]

    yield open_one
    for notebook in opened:
        notebook.close()
    lab.shutdown_kernels()


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """Where screenshots go; ignored by git."""
    folder = ROOT / "tests" / "artifacts"
    folder.mkdir(exist_ok=True)
    return folder
