"""One way to every text encoder: by its name, or by a file."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from ..core import files
from ..core.checks import unknown_name
from ..ops.devices import choose_device
from . import bundled
from .clip import published
from .clip.reading import read as read_clip
from .encoder import TextEncoder


def names() -> list[str]:
    """What `load` takes besides files: the bundled encoder first, then the published ones."""
    return [bundled.NAME, *published.names()]


def load(
    name_or_path: str | os.PathLike[str] | None = None,
    device: str | torch.device | None = None,
    *,
    vocabulary: str | os.PathLike[str] | None = None,
) -> TextEncoder:
    """A text encoder, frozen. The bundled one is read once for each device; every call gives the same.

    Args:
        name_or_path: None or "avatars" for the bundled one; a published CLIP network such as "ViT-B/32", which is looked for in
            the caches of torch and Hugging Face and downloaded at the first time; or a file: one of `stylewidgets train
            words`, OpenAI's archive (.pt), or a safetensors file of Hugging Face's layout.
        device: None is CUDA where there is a GPU.
        vocabulary: of a CLIP network, the path of its list of merges; found in an installed open_clip_torch or clip-anytorch
            or beside the file when None.

    Raises:
        FileNotFoundError: no such file.
        ValueError: no such name, or the file is damaged or holds something else.
        OSError: (DownloadError) it cannot be downloaded; the text says where to put the file by hand.
    """
    if name_or_path is None or name_or_path == bundled.NAME:
        return _bundled(choose_device(device))
    if isinstance(name_or_path, str) and name_or_path in published.names():
        return read_clip(published.fetch(name_or_path), name_or_path, vocabulary).to(device)
    path = files.as_path(name_or_path)
    if isinstance(name_or_path, str) and not path.suffix and not path.exists():
        raise unknown_name("text encoder", name_or_path, names())
    return (_ours(path) or read_clip(path, path.stem, vocabulary)).to(device)


@lru_cache(maxsize=4)
def _bundled(device: torch.device) -> TextEncoder:
    return bundled.read().to(device)


def _ours(path: Path) -> TextEncoder | None:
    """The encoder in a file of ours; None where it is of another kind, or none at all."""
    try:
        with safe_open(str(path), framework="pt") as file:
            ours = bundled.KEY in (file.metadata() or {})
    except (SafetensorError, OSError):
        return None
    return bundled.read(path, path.stem) if ours else None
