"""The weights that ship with the package, as safetensors files beside this one. Each has a model card."""

from __future__ import annotations

import os
from pathlib import Path

from .._checks import unknown_name

FOLDER = Path(__file__).parent
GENERATORS = ("avatar-128", "avatar-64")
"""Bundled generators, the best first; only those whose file is there can be loaded."""

ALIAS = "avatar"
"""Stands for the best one."""

TRAIN = "python -m stylewidgets train avatars"


def catalogue() -> dict[str, Path]:
    """Name → file of every bundled generator that is there, the best first."""
    files = {name: FOLDER / f"{name}.safetensors" for name in GENERATORS}
    return {name: path for name, path in files.items() if path.is_file()}


def default() -> str:
    """Name of the best bundled generator. FileNotFoundError when none is installed."""
    for name in catalogue():
        return name
    raise FileNotFoundError(
        f"no bundled generator is installed in {FOLDER}. Install the released package, which has them, make one with "
        f"`{TRAIN}`, or load a file: stylewidgets.load('generator.safetensors')"
    )


def find(source: str | os.PathLike[str] | None = None) -> Path:
    """The file for a bundled name or a path; None or "avatar" is the best bundled one.

    Raises:
        FileNotFoundError: no such file.
        ValueError: neither a bundled name nor a .safetensors file; the nearest name is given.
    """
    if source is None or source == ALIAS:
        return catalogue()[default()]
    files = catalogue()
    if isinstance(source, str) and source in files:
        return files[source]
    path = Path(source).expanduser()
    if path.suffix.lower() == ".safetensors":
        return path  # the reader says what is wrong with it
    if path.is_file():
        raise ValueError(f"{path}: only .safetensors files that stylewidgets wrote can be loaded")
    if path.suffix or path.parent != Path():
        raise FileNotFoundError(f"there is no file {path}")
    text = str(unknown_name("bundled generator", source, (ALIAS, *files)))
    raise ValueError(f"{text}, or the path of a .safetensors file")
