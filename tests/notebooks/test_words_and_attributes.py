"""The notebook of words and attributes: it runs as it is, and its exercises know right from wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "06_words_and_attributes.ipynb"

RIGHT = {
    "answer_1": "flow.edit(start_1, yaw=15, eye_openness=0.05)",
    "answer_2": "'a face with a full beard'",
    "answer_3": "np.sort(np.abs(words.relevance('a face', 'a face with red lips').values))[-5]",
}
WRONG = {
    "answer_1": "flow.edit(start_1, yaw=-15, eye_openness=0.05)",
    "answer_2": "'a face without any beard'",
    "answer_3": "0.01",
}


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The notebook after a run as it is, with cells at its end that answer its exercises."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    answers = [f"print(check_{name[-1]}({text}))" for given in (RIGHT, WRONG) for name, text in given.items()]
    notebook.cells += [nbformat.v4.new_code_cell(answer) for answer in answers]
    folder = tmp_path_factory.mktemp("words")
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


def test_every_row_of_faces_is_there(executed: Any) -> None:
    rows = [cell for cell in executed.cells if "\nshow(" in cell.source or "    show(" in cell.source]
    assert len(rows) >= 8
    assert all(any("image/jpeg" in output.get("data", {}) for output in cell.outputs) for cell in rows)


def test_two_wishes_do_not_depend_on_their_order(executed: Any) -> None:
    line = next(said(cell) for cell in executed.cells if "largest difference in w" in cell.source)
    assert float(line.split(":")[1]) <= 1e-5


def test_a_beta_that_no_channel_passes_is_an_answer(executed: Any) -> None:
    cell = next(cell for cell in executed.cells if "betas = [" in cell.source)
    assert "β 0.99:" in said(cell)
