"""The style-mixing notebook: its exercises know right from wrong, and its picture is there without a kernel."""

from __future__ import annotations

import ast
import base64
import io
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

from stylewidgets.widgets.kit.static import LONGEST_SIDE

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "02_style_mixing.ipynb"

RIGHT = {
    "answer_1": "'middle'",
    "answer_2": "[not taken for taken in before.mask]",
    "answer_3": "(lambda first: (first, first + 3))(min(range(session.num_ws - 3), key=distance))",
}
WRONG = {"answer_1": "'coarse'", "answer_2": "before.mask", "answer_3": "(session.num_ws - 4, session.num_ws - 1)"}


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The notebook after a run as it is, with cells at its end that answer its exercises."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    answers = [f"print(check_{name[-1]}({text}))" for given in (RIGHT, WRONG) for name, text in given.items()]
    notebook.cells += [nbformat.v4.new_code_cell(answer) for answer in answers]
    notebook.cells.append(nbformat.v4.new_code_cell("grid.image.size"))
    folder = tmp_path_factory.mktemp("mixing")
    return NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()


def said(cell: Any) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


def test_open_exercises_say_so(executed: Any) -> None:
    open_ones = [
        said(cell) for cell in executed.cells if cell.source.rstrip().endswith(tuple(f"({name}))" for name in RIGHT))
    ]
    assert open_ones == ["not answered yet\n"] * 3


def test_right_answers_are_right_and_wrong_ones_are_not(executed: Any) -> None:
    replies = [said(cell) for cell in executed.cells[-7:-1]]
    assert replies[:3] == ["✓ right\n"] * 3
    assert not any("✓" in reply for reply in replies[3:]) and all(replies[3:])


def test_the_saved_picture_of_the_grid_is_its_last_state(executed: Any) -> None:
    cell = next(cell for cell in executed.cells if cell.source.endswith("\ngrid"))
    saved = [output for output in cell.outputs if "text/html" in output.get("data", {})]
    assert len(saved) == 1, "one saved picture beside the widget"
    kind = "image/png" if "image/png" in saved[0]["data"] else "image/jpeg"
    with Image.open(io.BytesIO(base64.b64decode(saved[0]["data"][kind]))) as image:
        full = Image.new("RGB", ast.literal_eval(executed.cells[-1].outputs[0]["data"]["text/plain"]))
        full.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        assert image.size == full.size
    assert "seed 0, seed 1, seed 3, seed 4 × seed 10" in saved[0]["data"]["text/plain"]
