"""The content of any file that holds arrays by name, as nested dictionaries and lists of tensors and plain values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ...core import files
from ..detect import check
from ..errors import CheckpointError, reading
from ..pickle.unpickler import unpickle
from . import torch_file

LARGEST = 8 << 30
"""Bytes that an .npz file may hold when it is unpacked, and no more than `PACKED` times its own."""
PACKED = 8


def read(path: Path, kind: str | None = None) -> object:
    """The content of a file; arrays of numpy become tensors on the CPU. Nothing in it is executed.

    Args:
        path: the file.
        kind: a key of `detect.FORMATS` where it is known already.
    Raises:
        CheckpointError: damaged, hostile, or not of such a format.
    """
    kind = kind or check(path).format
    with reading(path):
        if kind in ("torch zip", "torch legacy"):
            found = torch_file.read(path)
        elif kind == "safetensors":
            found = _safetensors(path)
        elif kind in ("npz", "npy"):
            found = _arrays(path, kind)
        elif kind in ("pickle", "persistence pickle", "tensorflow pickle"):
            with path.open("rb") as file:
                found = torch_file.plain(unpickle(file), path.stat().st_size)
        else:
            raise CheckpointError(f"a {kind} holds no arrays by name")
        return _as_tensors(found)


def _safetensors(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (the file object is no mapping)
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"it is no whole safetensors file ({error}). Download it again") from error


def _arrays(path: Path, kind: str) -> object:
    try:
        if kind == "npz":
            return files.read_npz(path, min(LARGEST, files.LARGEST + PACKED * path.stat().st_size))
        _check_header(path)
        return np.load(path, allow_pickle=False, mmap_mode="c")
    except files.DAMAGED as error:
        if "allow_pickle" in str(error) or "Object arrays" in str(error):
            raise CheckpointError(
                "it holds Python objects, which are not read; save plain arrays of numbers"
            ) from error
        raise CheckpointError(f"it is no whole file of NumPy ({' '.join(str(error).split())[:160]})") from error


def _check_header(path: Path) -> None:
    """ValueError where the header says that it is longer than the file: numpy would make room for it first."""
    with path.open("rb") as file:
        start = file.read(12)
    size = int.from_bytes(start[8:10] if start[6:7] == b"\1" else start[8:12], "little")
    if size > path.stat().st_size:
        raise ValueError(f"its header has {size:,} bytes, and the file {path.stat().st_size:,}")


def _as_tensors(value: object) -> object:
    """The same with tensors in the place of numpy arrays of numbers. `torch_file.plain` has looked for loops and depth."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        return _tensor(value)
    if isinstance(value, Mapping):
        return {key: _as_tensors(item) for key, item in value.items()}
    return [_as_tensors(item) for item in value] if isinstance(value, list) else value


def _tensor(array: NDArray[np.generic]) -> Tensor:
    if array.dtype.kind == "u" and array.dtype.itemsize > 1:
        array = array.astype(np.int64)
    if array.dtype == np.longdouble and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    plain = array.dtype.isnative and array.flags.writeable and all(step >= 0 for step in array.strides)
    return torch.from_numpy(array if plain else np.array(array, array.dtype.newbyteorder("="), order="C"))
