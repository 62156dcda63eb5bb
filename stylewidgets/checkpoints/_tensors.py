"""Tensors of records. They look at the file's bytes; whoever keeps them makes the one copy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from ._records import TensorRecord


def to_tensor(record: TensorRecord) -> Tensor:
    """The tensor, on the CPU in the type of the file. It shares memory with the file where that is mapped writable-on-copy.

    Raises:
        CheckpointError: the record does not fit its storage.
    """
    array = record.array()  # checks that every element is inside
    kind: torch.dtype = getattr(torch, record.dtype)
    if not array.size:
        return torch.empty(record.size, dtype=kind)
    data = memoryview(record.storage.data)
    if data.readonly:
        copied = torch.from_numpy(np.array(array))
        return copied.view(torch.bfloat16) if kind is torch.bfloat16 else copied
    usable = len(data) // array.itemsize * array.itemsize
    flat = torch.from_numpy(np.frombuffer(data, np.uint8, usable)).view(kind)
    return flat.as_strided(record.size, record.stride, record.offset)


def to_tensors(records: Mapping[str, TensorRecord]) -> dict[str, Tensor]:
    """`to_tensor` of each."""
    return {name: to_tensor(record) for name, record in records.items()}
