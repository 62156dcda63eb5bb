"""The quickstart as a reader without a kernel finds it: executed, exported to HTML, opened from a file."""

from __future__ import annotations

import base64
import hashlib
import io
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from PIL import Image

from stylewidgets.bench.browser import Browser, BrowserMissing

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "01_quickstart.ipynb"


DIGEST = "import hashlib; print(hashlib.sha256(explorer.image.tobytes()).hexdigest())"


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The notebook after a run, with two cells of our own: what the explorer shows after `code()` and at the end."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    place = next(i for i, cell in enumerate(notebook.cells) if cell.source == "print(explorer.code())")
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(DIGEST))
    notebook.cells.append(nbformat.v4.new_code_cell(DIGEST))
    folder = tmp_path_factory.mktemp("quickstart")
    return NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()


def explorer_cell(notebook: Any) -> Any:
    return next(cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.endswith("\nexplorer"))


def saved_picture(cell: Any) -> Any:
    outputs = [output for output in cell.outputs if "image/png" in output.get("data", {})]
    assert len(outputs) == 1, "one saved picture beside the widget"
    return outputs[0]


def digest(image: Image.Image) -> str:
    return hashlib.sha256(image.convert("RGB").tobytes()).hexdigest() + "\n"


def test_the_saved_picture_is_the_last_state_of_the_explorer(executed: Any) -> None:
    data = base64.b64decode(saved_picture(explorer_cell(executed))["data"]["image/png"])
    with Image.open(io.BytesIO(data)) as image:
        assert digest(image) == executed.cells[-1].outputs[0]["text"]


def test_code_printed_by_the_notebook_makes_the_picture_of_that_moment(executed: Any) -> None:
    place = next(i for i, cell in enumerate(executed.cells) if cell.source == "print(explorer.code())")
    scope: dict[str, Any] = {}
    exec(executed.cells[place].outputs[0]["text"], scope)  # noqa: S102 (our own notebook)
    assert digest(scope["image"]) == executed.cells[place + 1].outputs[0]["text"]


def test_exported_html_shows_the_picture_without_a_kernel(executed: Any, tmp_path: Path) -> None:
    body, _ = HTMLExporter().from_notebook_node(executed)
    picture = saved_picture(explorer_cell(executed))["data"]["image/png"].replace("\n", "")
    assert f'src="data:image/png;base64,{picture}"' in body
    page = tmp_path / "quickstart.html"
    page.write_text(body, encoding="utf-8")
    try:
        with Browser() as browser:
            check_page(browser, page, ROOT / "tests" / "artifacts" / "quickstart-exported.png")
    except BrowserMissing as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(f"only the text was looked at: {error}")


def check_page(browser: Browser, file: Path, shot: Path) -> None:
    """The exported page, opened offline, has drawn the saved picture where it can be seen."""
    page = browser.page(offline=True)
    page.goto(file.as_uri(), wait_until="domcontentloaded")
    image = page.locator(".stylewidgets-static img")
    assert image.count() == 1
    image.scroll_into_view_if_needed()
    page.wait_for_function("() => document.querySelector('.stylewidgets-static img').naturalWidth > 0")
    box = image.bounding_box()
    assert image.is_visible() and box["width"] >= 200 and box["height"] >= 200, box
    shot.parent.mkdir(exist_ok=True)
    page.screenshot(path=str(shot))
    page.context.close()


@pytest.mark.parametrize("path", sorted(NOTEBOOK.parent.glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_are_saved_with_outputs_and_without_errors(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    shown = any(kind in output.get("data", {}) for output in outputs for kind in ("image/png", "image/jpeg"))
    assert shown or any(cell.get("attachments") for cell in notebook.cells), "nothing to see on GitHub"
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    assert path.stat().st_size < 2_000_000
