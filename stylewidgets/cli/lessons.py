"""``stylewidgets notebooks``: the lessons as files, for students as they are and for teachers with the answers in place.

Both come from one text, `lesson.notebook.SOURCES`: what the students' file has not, nobody finds in it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ..core.options import Options
from ..lesson.notebook import SOURCES, Notebook, made
from .demo import FOLDER, source

OPTIONS: Options = {
    "--dir": {"type": Path, "default": Path(FOLDER), "help": "where to (default %(default)s)"},
    "--teacher": {"action": "store_true", "help": "with the answers in place and notes, named …_teacher.ipynb"},
}


def run(args: argparse.Namespace) -> None:
    """Write the notebooks. One that is there already is left alone, with a word about it."""
    args.dir.mkdir(parents=True, exist_ok=True)
    originals = {path.stem: path for path in sorted(source().glob("[0-9]*.ipynb"))}
    for name in SOURCES if args.teacher else originals:
        target = args.dir / (f"{name}_teacher.ipynb" if args.teacher else f"{name}.ipynb")
        if target.exists():
            print(f"{target} is there already and stays as it is")
            continue
        write(made(name, teacher=True) if args.teacher else read(originals[name]), target)
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
