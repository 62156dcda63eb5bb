"""The arrays of a file by name, and which generator an array would fit."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..checkpoints.detect import detect
from ..checkpoints.errors import CheckpointError
from ..checkpoints.formats import trees
from ..core import files
from ..session.session import GeneratorSession

Array = NDArray[np.float32]
READ = ("torch zip", "torch legacy", "npz", "npy", "pickle", "safetensors")
LARGEST_TEXT = 1 << 20
MOST_NUMBERS = 1 << 28
LARGEST_NUMBER = 1e9


def content(path: str | os.PathLike[str], what: str) -> tuple[Path, object]:
    """(file, content) of a file with arrays; text of a text file.

    Raises:
        FileNotFoundError: there is none.
        ValueError: (CheckpointError) of another kind, or damaged.
    """
    file = files.find(path, what)
    kind = detect(file)
    if kind.format in READ:
        return file, trees.read(file, kind.format)
    if kind.format == "unknown" and file.stat().st_size <= LARGEST_TEXT:
        try:
            return file, file.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            pass
    if kind.format in ("persistence pickle", "tensorflow pickle"):
        raise CheckpointError(f"{file} holds a generator and no {what}: stylewidgets.load opens it")
    reason = kind.reason or "it cannot be recognised"
    raise CheckpointError(f"{file} is no {what} but a {kind.title}: {reason}")


def array(value: object, what: str) -> Array:
    """A tensor as float32. ValueError for numbers that are none, or far too many."""
    if not isinstance(value, Tensor):
        raise CheckpointError(f"{what} is a {type(value).__name__} and no array of numbers")
    if value.dtype.is_complex:
        raise CheckpointError(f"{what} holds complex numbers")
    if value.numel() > MOST_NUMBERS:
        raise CheckpointError(f"{what} has {value.numel():,} numbers, more than any code")
    found: Array = value.detach().float().cpu().numpy()
    if not np.isfinite(found).all():
        raise CheckpointError(f"{what} holds numbers that are not finite")
    if found.size and float(np.abs(found).max()) > LARGEST_NUMBER:
        raise CheckpointError(f"{what} holds numbers above {LARGEST_NUMBER:g}, as no code does; the file is damaged")
    return found


def styles(value: object) -> list[Tensor] | None:
    """The tensors of a list with one array for each style layer; None for anything else."""
    if isinstance(value, list | tuple) and len(value) > 1 and all(isinstance(one, Tensor) for one in value):
        return [one for one in value if isinstance(one, Tensor)]
    return None


def tensors(value: object) -> dict[str, Any]:
    """The entries of a dictionary that are tensors, lists of tensors, or dictionaries."""
    if not isinstance(value, Mapping):
        return {}
    return {str(key): item for key, item in value.items() if isinstance(item, Tensor | list | Mapping)}


def wanted(session: GeneratorSession) -> str:
    """The shapes of codes of this generator."""
    total = sum(layer.channels for layer in session.layers)
    w = session.w_dim
    return f"this generator takes z [{session.z_dim}], w [{w}], w+ [{session.num_ws}, {w}] and s [{total}]"


def owner(shape: tuple[int, ...]) -> str:
    """Which generator an array of this shape would fit, as the end of a sentence; "" where nothing tells it."""
    while len(shape) > 2 and shape[0] == 1:
        shape = shape[1:]
    if len(shape) >= 2 and 2 <= shape[-2] <= 18 and shape[-1] >= 8:
        rows, width = shape[-2:]
        pixels = f" (StyleGAN or StyleGAN2 of {2 << rows // 2} pixels)" if rows % 2 == 0 else ""
        third = ", or a StyleGAN3 with 14 layers" if rows == 16 else ""
        return f"It would fit a generator with {rows} rows of w of {width} numbers{pixels}{third}"
    if shape and shape[-1] >= 8:
        return f"It would fit a generator with w or z of {shape[-1]} numbers"
    return ""
