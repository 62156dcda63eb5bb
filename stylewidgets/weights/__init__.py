"""The weights that ship with the package, as safetensors files beside this one. Each has a model card."""

from __future__ import annotations

import os
from pathlib import Path

from ..core import files
from ..core.checks import unknown_name

FOLDER = Path(__file__).parent
GENERATORS = (
    "avatar-128",
    "avatar-256",
    "avatar-64",
    "avatar-64-stylegan3",
    "avatar-64-stylenerf",
    "avatar-64-hair-style",
)
"""Bundled generators, the best first, conditional ones last; only those whose file is there can be loaded."""

OF_SOURCES = ("avatar-posed",)
"""Bundled generators that draw a source in a pose: they have neither latents of their own nor directions."""

ALIAS = "avatar"
"""Stands for the best one."""

TRAIN = "python -m stylewidgets train avatars"


def catalogue() -> dict[str, Path]:
    """Name → file of every bundled generator of latents that is there, the best first."""
    return _there(GENERATORS)


def of_sources() -> dict[str, Path]:
    """The same of those that draw a source in a pose."""
    return _there(OF_SOURCES)


def _there(names: tuple[str, ...]) -> dict[str, Path]:
    files = {name: FOLDER / f"{name}.safetensors" for name in names}
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
    """The file for a bundled name, a path, a name of the zoo or an address; None or "avatar" is the best bundled one.

    Addresses are http(s)://…, file://… and hf://user/repo[@revision][/file]; a folder stands for the only checkpoint in it.

    What is in the zoo or behind an address is downloaded at the first time, with a progress bar.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not a known name, for which the nearest one is given; or a folder without or with several checkpoints.
        OSError: (DownloadError) it cannot be downloaded; the text says where to put the file by hand.
    """
    if source is None or source == ALIAS:
        return catalogue()[default()]
    bundled = {**catalogue(), **of_sources()}
    if isinstance(source, str) and source in bundled:
        return bundled[source]
    from ..checkpoints import candidates, zoo
    from ..checkpoints.zoo import hub

    if isinstance(source, str):
        if source in zoo.names():
            return zoo.get(source)
        if source.startswith(hub.PREFIX):
            return hub.find(source)
        if files.is_address(source):
            return files.find(source)
    path = files.as_path(source)
    if path.is_dir():
        return candidates.in_folder(path)
    if path.exists():
        return path  # the reader says what is wrong with it
    if path.suffix or path.parent != Path():
        raise FileNotFoundError(f"there is no file {path}")
    text = str(unknown_name("generator", source, (ALIAS, *bundled, *zoo.names())))
    raise ValueError(f"{text}, or the path of a checkpoint")
