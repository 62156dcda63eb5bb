"""The StyleSpace notebook: it runs as it is, and its exercises know right from wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "03_style_space.ipynb"

RIGHT = {
    "answer_1": "ss.Channel.of(np.argmax(np.abs(stats.in_sigma(styles_b) - stats.in_sigma(styles_a))), session.layers)",
    "answer_2": "max(found['clothes'].channels[:5], key=share_inside)",
    "answer_3": "wanted.style.strength * 1.1",
}
WRONG = {
    "answer_1": "ss.Channel(0, 0)",
    "answer_2": "min(found['clothes'].channels[:50], key=share_inside)",
    "answer_3": "-wanted.style.strength",
}


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The notebook after a run as it is, with cells at its end that answer its exercises."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    answers = [f"print(check_{name[-1]}({text}))" for given in (RIGHT, WRONG) for name, text in given.items()]
    notebook.cells += [nbformat.v4.new_code_cell(answer) for answer in answers]
    folder = tmp_path_factory.mktemp("stylespace")
    return NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()


def said(cell: Any) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


def test_open_exercises_say_so(executed: Any) -> None:
    open_ones = [
        said(cell) for cell in executed.cells if cell.source.rstrip().endswith(tuple(f"({name}))" for name in RIGHT))
    ]
    assert open_ones == ["not answered yet\n"] * 3


def test_right_answers_are_right_and_wrong_ones_are_not(executed: Any) -> None:
    replies = [said(cell) for cell in executed.cells[-6:]]
    assert replies[:3] == ["✓ right\n"] * 3
    assert not any("✓" in reply for reply in replies[3:]) and all(replies[3:])


def test_every_figure_is_there(executed: Any) -> None:
    figures = [cell for cell in executed.cells if "_figure(" in cell.source or "\nshow(" in cell.source]
    figures = [cell for cell in figures if "def show" not in cell.source or "show([" in cell.source]
    assert len(figures) >= 6
    assert all(any("image/png" in output.get("data", {}) for output in cell.outputs) for cell in figures)
