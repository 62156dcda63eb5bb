"""One text, two notebooks: what students get, with gaps, and what the teacher gets, with solutions and notes.

The text is Markdown. Outside of fences it is Markdown cells, one from each heading to the next. Fences are code cells, with
one word after "python" that says for whom: none for both, ``student`` or ``teacher``; ``install`` stands for the cell that every
notebook begins with. Paragraphs that begin with ``> **For the teacher.**`` are the teacher's alone. In both::

    ```python student
    answer = None  # a number
    ```
    ```python teacher
    answer = 7
    ```
    > **For the teacher.** Because it is.

A picture in `pictures`, ``![…](attachment:viewer.jpg)``, goes into the file: something to see before anything has run.
A gap is followed by its solution. Nothing of a solution or a note is in the students' file, its metadata included.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Notebook = dict[str, Any]

SOURCES = {"04_inversion_classroom": Path(__file__).parent / "inversion.md"}
"""Notebooks that are made from a text, and the texts."""
PICTURES = Path(__file__).parent / "pictures"
NOTE = "> **For the teacher.**"
INSTALL = """\
# Installs stylewidgets where it is missing, as on Colab, and leaves the torch and the Jupyter that are there. \
Elsewhere it does nothing.
from importlib import metadata, util

if util.find_spec("stylewidgets") is None:
    kept = ("torch", "torchvision", "ipykernel", "ipython", "ipywidgets")
    pins = " ".join(f"{one.name}=={one.version}" for one in metadata.distributions() if one.name.lower() in kept)
    %pip install -q stylewidgets {pins}"""
WORDS = ("", "student", "teacher", "install")
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "pygments_lexer": "ipython3",
    },
}
_FENCE = re.compile(r"^```python *(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(?=#{1,3} )", re.MULTILINE)
_NOTE = re.compile(rf"^{re.escape(NOTE)}.*?(?:\n\s*\n|\Z)", re.MULTILINE | re.DOTALL)


def made(name: str, *, teacher: bool = False) -> Notebook:
    """The notebook `name`, one of SOURCES, for students or for the teacher; without outputs."""
    return from_text(SOURCES[name].read_text(encoding="utf-8"), teacher=teacher)


def from_text(text: str, *, teacher: bool = False) -> Notebook:
    """A notebook of such a text.

    Raises:
        ValueError: a fence for somebody unknown, or a gap without a solution right after it.
    """
    cells: list[dict[str, Any]] = []
    for number, (kind, source) in enumerate(_parts(text)):
        if kind == "markdown":
            shown = source if teacher else _NOTE.sub("", source)
            if shown.strip():
                cell = {"cell_type": "markdown", "id": f"text-{number}", "metadata": {}, "source": shown.strip()}
                cells.append(cell | _attached(shown))
        elif kind not in ("student", "teacher") or (kind == "teacher") == teacher:
            cells.append(
                {
                    "cell_type": "code",
                    "id": f"code-{number}",
                    "metadata": {},
                    "execution_count": None,
                    "outputs": [],
                    "source": INSTALL if kind == "install" else source.rstrip("\n"),
                }
            )
    return {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}


def _attached(text: str) -> dict[str, Any]:
    """The pictures that a text shows, as a notebook holds them."""
    names = re.findall(r"\(attachment:([\w-]+\.jpg)\)", text)
    found = {name: base64.b64encode((PICTURES / name).read_bytes()).decode() for name in names}
    return {"attachments": {name: {"image/jpeg": data} for name, data in found.items()}} if found else {}


def gaps(text: str) -> list[tuple[str, str]]:
    """(gap, solution) of each exercise, as code."""
    code = [(kind, source) for kind, source in _parts(text) if kind != "markdown"]
    return [(code[i][1], code[i + 1][1]) for i, (kind, _) in enumerate(code) if kind == "student"]


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """("markdown" or a word of WORDS, source) in order; words for code are as they stand, "" for both."""
    at, owed = 0, False
    for fence in _FENCE.finditer(text):
        between, kind = text[at : fence.start()], fence.group(1)
        if kind not in WORDS:
            raise ValueError(
                f"a fence is for nobody called {kind!r}; after python stands nothing or one of {WORDS[1:]}"
            )
        if owed and (kind != "teacher" or between.strip()):
            raise ValueError("a student's cell is followed by the teacher's right away")
        yield from _sections(between)
        yield kind, fence.group(2)
        at, owed = fence.end(), kind == "student"
    if owed:
        raise ValueError("the last student's cell has no teacher's after it")
    yield from _sections(text[at:])


def _sections(text: str) -> Iterator[tuple[str, str]]:
    for part in _HEADING.split(text):
        if part.strip():
            yield "markdown", part
