"""Tensors of records. They look at the file's bytes; whoever keeps them makes the one copy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import CheckpointError
from .records import ITEM_SIZES, TensorRecord

MAX_RESOLUTION, MAX_LAYER = 4096, 8192  # pixels; published ones have 1024


def to_tensor(record: TensorRecord) -> Tensor:
    """The tensor, on the CPU in the type of the file. It shares memory with the file where that is mapped writable-on-copy.

    Raises:
        CheckpointError: the record does not fit its storage.
    """
    array = record.array()  # checks that every element is inside
    kind: torch.dtype = getattr(torch, record.dtype)
    if not array.size:
        return torch.empty(record.size, dtype=kind, device="cpu")
    data = memoryview(record.storage.data)
    if data.readonly:
        copied = torch.from_numpy(np.array(array))
        return copied.view(torch.bfloat16) if kind is torch.bfloat16 else copied
    usable = len(data) // array.itemsize * array.itemsize
    flat = torch.from_numpy(np.frombuffer(data, np.uint8, usable)).view(kind)
    return flat.as_strided(record.size, record.stride, record.offset)


def to_tensors(records: Mapping[str, TensorRecord]) -> dict[str, Tensor]:
    """`to_tensor` of each.

    Raises:
        CheckpointError: as there; or they are far more than the storages they look at, so that copies would fill the memory.
    """
    looked = [np.frombuffer(data, np.uint8) for record in records.values() if len(data := record.storage.data)]
    stored = {
        data.__array_interface__["data"][0]: data.nbytes for data in looked
    }  # by address: storages may share bytes
    check_shared(
        sum(math.prod(record.size) * ITEM_SIZES[record.dtype] for record in records.values()), sum(stored.values())
    )
    return {name: to_tensor(record) for name, record in records.items()}


def check_shared(described: int, stored: int) -> None:
    """Raise CheckpointError when tensors of `described` bytes look at only `stored` bytes: each would be copied."""
    if described > 2 * stored + (1 << 20):
        raise CheckpointError(
            f"its tensors describe {described:,} bytes and share {stored:,}. It is damaged or hostile"
        )


def check_size(config: Any) -> None:
    """Raise CheckpointError for pictures of a size that no generator has: noise and filters of that size would be made."""
    layers = [getattr(layer, "size", 0) for layer in getattr(config, "layers", ())]
    if config.resolution > MAX_RESOLUTION or max(layers, default=0) > MAX_LAYER:
        raise CheckpointError(
            f"its pictures would have {max(config.resolution, *layers, 0):,} pixels on a side; "
            f"generators up to {MAX_RESOLUTION} are read"
        )
