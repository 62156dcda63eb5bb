"""The lesson, run from top to bottom: the teacher's version is right throughout, the students' goes on with its gaps open."""

from __future__ import annotations

import json
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from stylewidgets.lesson.notebook import SOURCES, gaps, made

NAME = "04_inversion_classroom"


def said(cell: Any) -> str:
    """Everything that a cell printed or showed as text."""
    return "".join(output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in cell.outputs)


def run(folder: Any, *, teacher: bool) -> Any:
    notebook = nbformat.reads(json.dumps(made(NAME, teacher=teacher)), as_version=4)
    return NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(folder)}}).execute()


def replies(notebook: Any) -> list[str]:
    """What each check of an exercise said."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and "checks." in cell.source]
    lines = [line for cell in cells for line in said(cell).splitlines()]
    return [line for line in lines if "✓" in line or "not answered" in line or "not yet" in line]


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return run(tmp_path_factory.mktemp("teacher"), teacher=True)


def test_the_teachers_answers_pass_every_check(taught: Any) -> None:
    answered = replies(taught)
    assert [line for line in answered if "✓" not in line] == []
    assert len(answered) == 16  # of twelve exercises two have two parts, and one has three


def test_nothing_in_the_teachers_version_warns(taught: Any) -> None:
    errors = [o.text for cell in taught.cells for o in cell.get("outputs", ()) if o.get("name") == "stderr"]
    assert errors == []


def test_the_live_cells_show_what_the_text_says(taught: Any) -> None:
    text = "\n".join(said(cell) for cell in taught.cells if cell.cell_type == "code")
    assert "points; the projector in W with 80 steps has 100" in text
    assert "from here on: your own loss" in text and "your own search" in text and "your own mend" in text


def test_the_students_version_runs_with_every_gap_open(tmp_path_factory: pytest.TempPathFactory) -> None:
    notebook = run(tmp_path_factory.mktemp("student"), teacher=False)
    answered = replies(notebook)
    assert len(answered) == 16 and all("not answered yet" in line for line in answered)
    text = "\n".join(said(cell) for cell in notebook.cells if cell.cell_type == "code")
    assert "from here on: the lesson’s own loss" in text and "the lesson’s own mend" in text


def test_every_exercise_has_a_gap() -> None:
    text = SOURCES[NAME].read_text(encoding="utf-8")
    assert len(gaps(text)) == 13  # twelve exercises and the open task
    assert [f"**Exercise {n}.**" in text for n in range(1, 13)] == [True] * 12
