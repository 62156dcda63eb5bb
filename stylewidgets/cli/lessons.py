"""``stylewidgets notebooks``: the lessons as files, for students as they are and for teachers with the answers in place.

Both come from one source. A cell that students fill in carries the answer in its metadata::

    "metadata": {"stylewidgets": {"answer": "answer_1 = 0.1", "note": "what to say about it"}}
"""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..core.options import Options
from .demo import FOLDER, source

KEY = "stylewidgets"
Notebook = dict[str, Any]


OPTIONS: Options = {
    "--dir": {"type": Path, "default": Path(FOLDER), "help": "where to (default %(default)s)"},
    "--teacher": {"action": "store_true", "help": "with the answers in place and notes, named …_teacher.ipynb"},
}


def run(args: argparse.Namespace) -> None:
    """Write the notebooks. One that is there already is left alone, with a word about it."""
    args.dir.mkdir(parents=True, exist_ok=True)
    for original in sorted(source().glob("[0-9]*.ipynb")):
        notebook = read(original)
        if args.teacher and not any(answers(notebook)):
            continue
        target = args.dir / (f"{original.stem}_teacher.ipynb" if args.teacher else original.name)
        if target.exists():
            print(f"{target} is there already and stays as it is")
            continue
        write(teacher_version(notebook) if args.teacher else notebook, target)
        print(target)


def read(path: Path) -> Notebook:
    """A notebook file as plain values. ValueError when it is none."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(notebook["cells"], list):
            raise TypeError("cells is no list")
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a notebook: {error}") from error
    return notebook  # type: ignore[no-any-return]


def write(notebook: Notebook, path: Path) -> None:
    """Write it as Jupyter does."""
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def answers(notebook: Notebook) -> Iterator[tuple[Notebook, str, str]]:
    """(cell, its answer, the note for the teacher) for every cell that students fill in."""
    for cell in notebook["cells"]:
        about = cell.get("metadata", {}).get(KEY, {})
        if "answer" in about:
            yield cell, about["answer"], about.get("note", "")


def teacher_version(notebook: Notebook) -> Notebook:
    """A copy with every answer in its cell, the note below it, and no outputs."""
    made = copy.deepcopy(notebook)
    noted = {id(cell): (answer, note) for cell, answer, note in answers(made)}
    cells = []
    for cell in made["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
        cells.append(cell)
        if id(cell) in noted:
            answer, note = noted[id(cell)]
            cell["source"] = answer
            if note:
                about = {"cell_type": "markdown", "metadata": {}, "source": f"> **For the teacher.** {note}"}
                cells.append(about | ({"id": f"{cell['id']}-note"[:64]} if "id" in cell else {}))
    made["cells"] = cells
    return made
