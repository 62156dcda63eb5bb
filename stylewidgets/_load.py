"""`load`: from a name or a path to a session."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ._devices import choose_device, choose_dtype
from .session import GeneratorSession

if TYPE_CHECKING:
    import torch


def load(
    source: str | os.PathLike[str] | None = None, *, device: str | torch.device | None = None, precision: str = "auto"
) -> GeneratorSession:
    """Open a generator.

    Args:
        source: the name of a bundled generator such as "avatar-64", or the path of a .safetensors file that
            stylewidgets wrote. None or "avatar": the best bundled one.
        device, precision: as in `GeneratorSession`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: an unknown name or format, a damaged file, or a device that is not there.
    """
    from . import weights
    from .checkpoints import native

    choose_dtype(precision, choose_device(device))  # before a large file is read
    path = weights.find(source)
    generator, metadata = native.load(path)
    beside = path.with_suffix(".directions.safetensors")
    name = str(metadata.get("name") or path.stem)
    session = GeneratorSession(
        generator, device=device, precision=precision, name=name, metadata=metadata,
        directions=beside if beside.is_file() else None,
    )
    session.source = "" if source is None else os.fspath(source)
    return session
