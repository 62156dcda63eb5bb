"""Grids as JSON and as .json and .npz files, with the latents in them as `_latent_io` writes them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..latent import files as _latent_io
from ..latent.files import Array
from .grid import MixGrid

VERSION = 1
KIND = "mix grid"
ACCEPTED = "Accepted are .json and .npz files written by MixGrid.save or StyleMixGrid.save"
_PLAIN = ("space", "noise", "row_psi", "column_psi")


def to_dict(grid: MixGrid) -> dict[str, Any]:
    """Plain JSON values."""
    return _describe(grid, _latent_io._encode)


def from_dict(data: Any) -> MixGrid:
    """The inverse of `to_dict`."""
    return _build(data, _latent_io._decode)


def save(grid: MixGrid, path: str | os.PathLike[str]) -> Path:
    """Write either kind of file."""
    return _latent_io.write(path, lambda put: _describe(grid, put))


def load(path: str | os.PathLike[str]) -> MixGrid:
    """Read either kind of file."""
    return _latent_io.read(path, _build, "style-mixing grid", ACCEPTED)


def _describe(grid: MixGrid, put: Callable[[Array], Any]) -> dict[str, Any]:
    data: dict[str, Any] = {"kind": KIND, "version": VERSION, "mask": [int(taken) for taken in grid.mask]}
    data |= {name: getattr(grid, name) for name in _PLAIN}
    return data | {
        axis: [_latent_io._describe(latent, put) for latent in getattr(grid, axis)] for axis in ("rows", "columns")
    }


def _build(data: Any, get: Callable[[Any], Array]) -> MixGrid:
    if not isinstance(data, dict) or data.get("kind") != KIND:
        raise ValueError(f"its description does not say that it is a style-mixing grid (kind: {KIND!r})")
    version = data.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= VERSION:
        raise ValueError(
            f"this stylewidgets reads grids of version 1 to {VERSION}; {version!r} was found. Update stylewidgets"
        )
    names = ("kind", "version", "mask", "rows", "columns", *_PLAIN)
    _latent_io._keys("grid", data, names, required=("mask", "rows", "columns"))
    for name in ("mask", "rows", "columns"):
        _latent_io._sequence(name, data[name])
    rows, columns = (tuple(_latent_io._build(item, get) for item in data[axis]) for axis in ("rows", "columns"))
    return MixGrid(rows, columns, tuple(data["mask"]), **{name: data[name] for name in _PLAIN if name in data})
