"""`load`: from a name or a path to a session."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core import files
from ..core.lazy import resolve
from ..generators.protocol import HasSource
from ..ops.devices import choose_device, choose_dtype, from_file
from .session import GeneratorSession

if TYPE_CHECKING:
    import torch

    from ..directions import DirectionSet


@from_file()
def load(
    source: str | os.PathLike[str] | None = None,
    *,
    device: str | torch.device | None = None,
    precision: str = "auto",
    settings: Mapping[str, object] | None = None,
) -> GeneratorSession:
    """Open a generator.

    Args:
        source: the name of a bundled generator such as "avatar-64"; the path or address (http(s)://…, file://…,
            ``hf://user/repo[@revision][/file]``) of a StyleGAN checkpoint of any known format (see `checkpoints.open_file`), or
            a folder with one; or a name of the zoo such as "ffhq-1024" (`stylewidgets zoo` lists them), which is downloaded
            at the first time. None or "avatar": the best bundled one.
        device, precision: as in `GeneratorSession`.
        settings: what the file does not tell, as in `checkpoints.open_file`.

    A generator with a source draws one of its domain, where there is any, until `session.put` gives it another.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: an unknown name or format, a damaged file, or a device that is not there.
        OSError: a download failed; the text says where to put the file by hand.
    """
    choose_dtype(precision, choose_device(device))  # before a large file is read
    generator, metadata, path = open_source(source, settings)
    beside = path.with_suffix(".directions.safetensors")
    name = str(metadata.get("name") or path.stem)
    session = GeneratorSession(
        generator,
        device=device,
        precision=precision,
        name=name,
        metadata=metadata,
        directions=beside if beside.is_file() else None,
    )
    session.source = "" if source is None else os.fspath(source)
    session.recipe = {"source": _anywhere(source), "precision": precision, "settings": dict(settings or {})}
    if isinstance(session.generator, HasSource):
        _stand_in(session, session.generator)
    return session


def _stand_in(session: GeneratorSession, generator: HasSource) -> None:
    """Somebody to draw before a source is given, where the domain of the weights knows one."""
    domain = resolve("stylewidgets.domain:of")(session)
    if domain is not None and domain.source is not None:
        generator.stand_in = session.put(domain.source())


def remade(session: GeneratorSession) -> tuple[Callable[..., GeneratorSession], tuple[object, ...]]:
    """How pickle and copy make a session anew: its source is opened again, there, with the directions that were added.

    Machines of edits are no part of it: they are installed there as they were here. A generator made by hand, or fitted to a
    picture, is nowhere on the disk.

    Raises:
        TypeError: there is no source; the text says what to do.
    """
    if session.recipe is None:
        raise TypeError(
            f"the session of {session.name or 'this generator'!r} cannot be pickled or copied: its generator was made or fitted "
            "here and is in no file. Write it with session.save(path), and give the path on: stylewidgets.load(path) opens it"
        )
    directions = session.directions
    return _again, (dict(session.recipe), str(session.device), directions if len(directions) else None)


def _again(recipe: Mapping[str, Any], device: str, directions: DirectionSet | None) -> GeneratorSession:
    session = load(device=device, **recipe)
    if directions is not None:
        session.offer(directions)
    return session


def _anywhere(source: str | os.PathLike[str] | None) -> str | None:
    """The source as it is called from any folder: a path in full."""
    if source is None or files.is_address(text := os.fspath(source)) or "://" in text:
        return None if source is None else os.fspath(source)
    path = files.as_path(text)
    return str(path.resolve()) if path.exists() else text


def open_source(
    source: str | os.PathLike[str] | None, settings: Mapping[str, object] | None = None
) -> tuple[Any, dict[str, Any], Path]:
    """(generator, metadata, file) for what `load` takes. For a checkpoint of the zoo, its entry adds to the metadata.

    Raises:
        ValueError: as `load`; also when the file is another than its entry in the zoo says.
    """
    from .. import weights
    from ..checkpoints import open_file, zoo

    path = weights.find(source)
    generator, metadata = open_file(path, settings)
    if isinstance(source, str) and source in zoo.names():
        entry = zoo.entry(source)
        entry.check(generator, path)
        metadata.update(name=entry.name, licence=entry.terms, citation=entry.citation, page=entry.page, url=entry.url)
        if entry.crop is not None:
            metadata["crop"] = list(entry.crop)
    return generator, metadata, path
