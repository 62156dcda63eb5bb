"""Reading and writing generator files. Nothing in a file is ever executed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core import files

if TYPE_CHECKING:
    from torch import nn

    from .loaded import Loaded

OWN = "stylewidgets safetensors"
READERS = {
    "torch zip": ".formats.torch_layouts",
    "torch legacy": ".formats.torch_layouts",
    "safetensors": ".formats.torch_layouts",
    "npz": ".formats.torch_layouts",
    "pickle": ".formats.torch_layouts",
    "tensorflow pickle": ".formats.tensorflow_pickle",
    "persistence pickle": ".formats.persistence_pickle",
}
"""Format → module with ``read(path) -> Loaded``, imported when a file of that format is opened."""


def open_file(
    path: str | os.PathLike[str], settings: Mapping[str, object] | None = None
) -> tuple[nn.Module, dict[str, Any]]:
    """The generator in a checkpoint of any known format, and what is known about it.

    Args:
        path: a safetensors file of stylewidgets, a .pkl of the StyleGAN releases, or a state_dict in a .pt / .pth that
            torch.save wrote, in safetensors, .npz or a pickle. The name does not matter: the format is told by the bytes, the
            family by the parameters.
        settings: of the family, where the file does not tell them and the usual value is wrong: {"fused_from": 1} for a
            StyleGAN of genforce that was trained with fused_scale=True. A wrong name is answered with those that there are.

    Returns:
        The generator, float32, in evaluation mode on the CPU; and plain JSON values: "format", "family", "licence" (a
        hint), "notes" (what the file left open, and how it was settled) and whatever else the file tells.

    Raises:
        FileNotFoundError: no such file.
        ValueError: (CheckpointError) of another kind, damaged, cut short or hostile; the text says which.
    """
    from .build import build, settle
    from .detect import check
    from .errors import CheckpointError, reading
    from .formats import native

    file = files.as_path(path)
    kind = check(file)
    if kind.format == "safetensors" and native.is_own(file):
        if settings:
            raise CheckpointError(f"{file} was written by stylewidgets and tells all of its settings; give none")
        generator, metadata = native.load(file)
        return generator, {**metadata, "format": OWN, "family": generator.family}
    loaded = _read(file, kind.format)
    with reading(file):
        settle(loaded, settings or {})
        return build(loaded), {"family": loaded.family, **loaded.metadata}


def read(path: str | os.PathLike[str]) -> Loaded:
    """A checkpoint of a foreign format as data, without building a generator. Raises as `open_file`."""
    from .detect import check

    file = files.as_path(path)
    return _read(file, check(file).format)


def _read(file: Path, name: str) -> Loaded:
    loaded: Loaded = import_module(READERS[name], __name__).read(file)
    return loaded
