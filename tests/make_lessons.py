"""Write the notebooks that are made from a text: python tests/make_lessons.py. A test says when one is behind its text."""

from __future__ import annotations

from pathlib import Path

from stylewidgets.cli.lessons import write
from stylewidgets.lesson.notebook import SOURCES, made

if __name__ == "__main__":
    for name in SOURCES:
        path = Path(__file__).parents[1] / "notebooks" / f"{name}.ipynb"
        write(made(name), path)
        print(path)
