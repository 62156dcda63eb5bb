"""Lessons: one source, a version for students and one for teachers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

from stylewidgets.__main__ import main
from stylewidgets.cli import lessons
from stylewidgets.cli.demo import source


def notebook() -> dict[str, Any]:
    made = nbformat.v4.new_notebook()
    question = nbformat.v4.new_code_cell("answer_1 = None  # a number")
    question.metadata["stylewidgets"] = {"answer": "answer_1 = 7", "note": "Because it is."}
    question.outputs = [nbformat.v4.new_output("stream", text="old")]
    made.cells = [nbformat.v4.new_markdown_cell("# One"), question, nbformat.v4.new_code_cell("check(answer_1)")]
    return json.loads(nbformat.writes(made))


def test_the_teacher_sees_answers_and_notes_and_the_students_version_stays() -> None:
    students = notebook()
    before = json.dumps(students)
    teachers = lessons.teacher_version(students)
    nbformat.validate(nbformat.from_dict(teachers))
    assert ["".join(cell["source"]) for cell in teachers["cells"][1:]] == [
        "answer_1 = 7",
        "> **For the teacher.** Because it is.",
        "check(answer_1)",
    ]
    assert teachers["cells"][1]["outputs"] == []
    assert json.dumps(students) == before


def test_the_command_writes_every_lesson_and_leaves_what_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["notebooks", "--dir", str(tmp_path)]) == 0
    names = {path.name for path in source().glob("[0-9]*.ipynb")}
    assert {path.name for path in tmp_path.iterdir()} == names
    mine = tmp_path / sorted(names)[0]
    mine.write_text("mine")
    assert main(["notebooks", "--dir", str(tmp_path)]) == 0
    assert mine.read_text() == "mine" and "stays as it is" in capsys.readouterr().out


def test_the_teachers_command_writes_only_lessons_with_questions(tmp_path: Path) -> None:
    assert main(["notebooks", "--teacher", "--dir", str(tmp_path)]) == 0
    with_answers = {path.stem for path in source().glob("[0-9]*.ipynb") if any(lessons.answers(lessons.read(path)))}
    assert {path.stem for path in tmp_path.iterdir()} == {f"{stem}_teacher" for stem in with_answers}


def test_a_file_that_is_no_notebook_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text("{}")
    with pytest.raises(ValueError, match=r"x\.ipynb is not a notebook"):
        lessons.read(path)
