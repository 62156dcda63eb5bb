"""The notebook of parts and points: it runs as it is, and its exercises know right from wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "07_parts_and_points.ipynb"

RIGHT = {
    "answer_1": "parts.transfer(start_1, donor_1, 'clothes')",
    "answer_2": "parts.channels(latent)[parts.names.index('hair')].sum()",
    "answer_3": "jobs.run(editing.drag(session, start_3, handle, handle - [0, 8], steps=40), disable=True).latent()",
}
WRONG = {
    "answer_1": "parts.transfer(start_1, donor_1, 'hair')",
    "answer_2": "3",
    "answer_3": "start_3",
}


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The notebook after a run as it is, with cells at its end that answer its exercises."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    answers = [f"print(check_{name[-1]}({text}))" for given in (RIGHT, WRONG) for name, text in given.items()]
    notebook.cells += [nbformat.v4.new_code_cell(answer) for answer in answers]
    folder = tmp_path_factory.mktemp("parts")
    return NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()


def said(cell: Any) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


def test_open_exercises_say_so(executed: Any) -> None:
    endings = tuple(f"({name}))" for name in RIGHT)
    assert [said(cell) for cell in executed.cells if cell.source.rstrip().endswith(endings)] == [
        "not answered yet\n"
    ] * 3


def test_right_answers_are_right_and_wrong_ones_are_not(executed: Any) -> None:
    replies = [said(cell) for cell in executed.cells[-6:]]
    assert replies[:3] == ["✓ right\n"] * 3
    assert not any("✓" in reply for reply in replies[3:]) and all(replies[3:])


def test_every_row_of_faces_is_there(executed: Any) -> None:
    rows = [cell for cell in executed.cells if "\nshow(" in cell.source or "    show(" in cell.source]
    assert len(rows) >= 7
    assert all(any("image/jpeg" in output.get("data", {}) for output in cell.outputs) for cell in rows)


def test_the_drag_arrives(executed: Any) -> None:
    line = next(said(cell) for cell in executed.cells if "as the drag sees it" in cell.source)
    first, last = (float(text.split(" ")[0]) for text in (line.split("steps, reached) ")[1], line.split("first, ")[1]))
    assert last < first / 4
