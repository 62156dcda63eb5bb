"""Lessons: one text, a version for students and one for teachers."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest

from stylewidgets.__main__ import main
from stylewidgets.cli import lessons
from stylewidgets.cli.demo import source
from stylewidgets.lesson.notebook import NOTE, SOURCES, from_text, gaps, made

TEXT = """\
# One

Read this.

> **For the teacher.** Ask that,
> and this.

## Two

```python
x = 1
```

```python student
answer = None  # a number
```

```python teacher
answer = 7
```

> **For the teacher.** Because it is.

```python install
```
"""


def sources(text: str, *, teacher: bool) -> list[str]:
    notebook = from_text(text, teacher=teacher)
    nbformat.validate(nbformat.from_dict(notebook))
    return [cell["source"] for cell in notebook["cells"]]


def test_students_get_the_gap_and_no_word_of_the_solution_or_the_notes() -> None:
    cells = sources(TEXT, teacher=False)
    assert cells[:4] == ["# One\n\nRead this.", "## Two", "x = 1", "answer = None  # a number"]
    assert cells[4].startswith("# Installs stylewidgets") and len(cells) == 5
    whole = json.dumps(from_text(TEXT))
    assert "7" not in "".join(cells[:4]) and "teacher" not in whole.lower() and "Because" not in whole


def test_the_teacher_gets_the_solution_in_its_place_and_the_notes() -> None:
    cells = sources(TEXT, teacher=True)
    assert "answer = 7" in cells and "answer = None  # a number" not in cells
    assert sum(NOTE in cell for cell in cells) == 2


def test_everything_else_is_the_same_in_both() -> None:
    for name in SOURCES:
        versions = [
            [c["source"] for c in made(name, teacher=t)["cells"] if c["cell_type"] == "code"] for t in (False, True)
        ]
        assert len(versions[0]) == len(versions[1])
        differ = [pair for pair in zip(*versions, strict=True) if pair[0] != pair[1]]
        pairs = gaps(SOURCES[name].read_text(encoding="utf-8"))
        assert differ == [tuple(part.rstrip("\n") for part in pair) for pair in pairs]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("```python pupil\n```\n", "nobody called 'pupil'"),
        ("```python student\nx = 1\n```\n\nwords\n\n```python teacher\nx = 2\n```\n", "right away"),
        ("```python student\nx = 1\n```\n", "no teacher's after it"),
    ],
)
def test_a_text_with_a_gap_that_nobody_fills_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        from_text(text)


def test_the_notebook_that_ships_is_what_its_text_makes() -> None:
    for name in SOURCES:
        shipped = lessons.read(source() / f"{name}.ipynb")
        assert shipped["cells"] == made(name)["cells"], "python tests/make_lessons.py"
        assert (source() / f"{name}.ipynb").stat().st_size < 100_000


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


def test_the_teachers_command_writes_the_lessons_that_have_solutions(tmp_path: Path) -> None:
    assert main(["notebooks", "--teacher", "--dir", str(tmp_path)]) == 0
    assert {path.stem for path in tmp_path.iterdir()} == {f"{name}_teacher" for name in SOURCES}
    for path in tmp_path.iterdir():
        assert NOTE in path.read_text(encoding="utf-8")


def test_times_of_the_sections_add_up_to_the_lesson() -> None:
    text = SOURCES["04_inversion_classroom"].read_text(encoding="utf-8")
    plan = [
        (int(a), int(b), short) for a, b, short in re.findall(r"^\| (\d+)–(\d+) \|.*\| (\d+|–) \|$", text, re.MULTILINE)
    ]
    sections = [(int(n), bool(star)) for n, star in re.findall(r"^## \d.* · (\d+) minutes( ★)?$", text, re.MULTILINE)]
    assert plan[0][0] == 0 and plan[-1][1] == 90
    assert all(a[1] == b[0] for a, b in zip(plan, plan[1:], strict=False))
    assert [(b - a, short != "–") for a, b, short in plan] == sections
    assert sum(int(short) for *_, short in plan if short != "–") == 45


def test_a_file_that_is_no_notebook_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text("{}")
    with pytest.raises(ValueError, match=r"x\.ipynb is not a notebook"):
        lessons.read(path)
