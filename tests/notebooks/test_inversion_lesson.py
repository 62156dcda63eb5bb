"""The classroom notebook: the teacher's answers pass its checks, and what students have not answered says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from stylewidgets.cli import lessons

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "04_inversion_classroom.ipynb"


def said(cell: Any) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


def checks(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code" and "\nprint(check_" in cell.source]


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The teacher's version after a run."""
    notebook = nbformat.reads(json.dumps(lessons.teacher_version(lessons.read(NOTEBOOK))), as_version=4)
    folder = tmp_path_factory.mktemp("lesson")
    return NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()


def test_every_question_has_an_answer_that_passes_its_check(taught: Any) -> None:
    answered = list(lessons.answers(lessons.read(NOTEBOOK)))
    assert len(answered) == len(checks(taught)) >= 8
    assert all(note for _, _, note in answered)
    wrong = [said(cell) for cell in checks(taught) if not said(cell).rstrip().endswith("✓ right")]
    assert not wrong


def test_the_students_version_is_saved_unanswered() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert all(said(cell).rstrip().endswith("not answered yet") for cell in checks(notebook))
