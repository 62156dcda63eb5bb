"""One way to every text encoder: by its name, or by a file."""

from __future__ import annotations

import os
from functools import lru_cache

import torch

from ..core import files
from ..core.checks import unknown_name
from . import bundled
from .encoder import TextEncoder


def names() -> list[str]:
    """What `load` takes besides files: the bundled encoder first, then the published ones."""
    return [bundled.NAME]


def load(name_or_path: str | os.PathLike[str] | None = None, device: str | torch.device | None = None) -> TextEncoder:
    """A text encoder, frozen.

    Args:
        name_or_path: None or "avatars" for the bundled one; or a file.
        device: None is CUDA where there is a GPU.

    Raises:
        FileNotFoundError: no such file.
        ValueError: no such name, or the file is damaged or holds something else.
    """
    if name_or_path is None or name_or_path == bundled.NAME:
        return _bundled().to(device)
    path = files.as_path(name_or_path)
    if isinstance(name_or_path, str) and not path.suffix:
        raise unknown_name("text encoder", name_or_path, names())
    return bundled.read(path, path.stem).to(device)


@lru_cache(maxsize=1)
def _bundled() -> TextEncoder:
    return bundled.read()
