"""The notebook of cameras and rigs: it runs as it is, shows what it says, and its exercises know right from wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "08_cameras_and_rigs.ipynb"

RIGHT = {
    "answer_1": "start_1.replace(view=sw.Camera(yaw=-20, pitch=8))",
    "answer_2": "rig.edit(start_2, smile=0.9)",
}
WRONG = {
    "answer_1": (
        "start_1",
        "start_1.replace(view=sw.Camera(yaw=20, pitch=8))",
        "start_1.replace(view=sw.Camera(yaw=-80, pitch=8))",
        "session.latent(seed=5, view=sw.Camera(yaw=-20, pitch=8))",
    ),
    "answer_2": ("start_2", "rig.edit(start_2, smile=0.9, yaw=20)"),
}
FIGURES = """
import json
print(json.dumps({"asked": asked.tolist(), "read": [float(value) for value in read],
    "taken": [[rig.of_picture(faces.image(face))[name] for name in ("yaw", "smile", "light_azimuth")]
              for face in (face, other, *taken)]}))
"""


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The notebook after a run as it is, with cells at its end that answer its exercises and tell its figures."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    given = [*RIGHT.items(), *((name, text) for name, texts in WRONG.items() for text in texts)]
    notebook.cells += [nbformat.v4.new_code_cell(f"print(check_{name[-1]}({text}))") for name, text in given]
    notebook.cells.append(nbformat.v4.new_code_cell(FIGURES))
    folder = tmp_path_factory.mktemp("cameras")
    return NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()


def said(cell: Any) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


def test_open_exercises_say_so(executed: Any) -> None:
    endings = tuple(f"({name}))" for name in RIGHT)
    assert [said(cell) for cell in executed.cells if cell.source.rstrip().endswith(endings)] == [
        "not answered yet\n"
    ] * 2


def test_right_answers_are_right_and_wrong_ones_are_not(executed: Any) -> None:
    replies = [said(cell) for cell in executed.cells[-9:-1]]
    assert replies[:2] == ["✓ right\n"] * 2
    assert not any("✓" in reply for reply in replies[2:]) and len({*replies[2:]}) == 6


def test_every_row_of_pictures_and_every_plot_is_there(executed: Any) -> None:
    drawing = [cell for cell in executed.cells if "show(" in cell.source or "plt.figure(" in cell.source]
    drawn = [cell for cell in drawing if "def show(" not in cell.source]
    assert len(drawn) >= 9
    assert all(any("image/jpeg" in output.get("data", {}) for output in cell.outputs) for cell in drawn)


def test_the_rig_does_what_the_lesson_says(executed: Any) -> None:
    """What is read follows what was asked, and what was taken is nearer to the other face than to the face itself."""
    told = json.loads(said(executed.cells[-1]))
    assert max(abs(read - asked) for read, asked in zip(told["read"], told["asked"], strict=True)) < 6
    own, other, *taken = told["taken"]
    for place, got in enumerate(taken):  # pose, expression, light
        assert abs(got[place] - other[place]) < abs(got[place] - own[place])
