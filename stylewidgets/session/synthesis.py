"""Steps around synthesis that sessions and the live renderer share: sizes and pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..generators.protocol import Generator
from ..ops.devices import to_host


def block_resolution(generator: Generator, i: int) -> int:
    """Longer side of block i's picture in pixels."""
    return generator.layers[generator.block_layers(i)][-1].resolution


def last_block(generator: Generator, max_resolution: int | None) -> int:
    """Index of the block to stop after, for a picture of at most `max_resolution` pixels. The last one where inner
    blocks have no picture."""
    if max_resolution is None or not generator.has_inner_pictures:
        return generator.num_blocks - 1
    return within([block_resolution(generator, i) for i in range(generator.num_blocks)], max_resolution)


def within(sizes: Sequence[int], most: int) -> int:
    """The place of the last of these growing sizes that is not too large, 0 where all are."""
    return max([i for i, size in enumerate(sizes) if size <= most], default=0)


def to_uint8(pictures: Tensor) -> NDArray[np.uint8]:
    """[N, C, H, W] of about [-1, 1] → uint8 [N, H, W, 3]: x·127.5 + 128, clamped, truncated. Gray is repeated.

    Raises:
        ValueError: values that are not finite.
    """
    low, high = torch.aminmax(pictures.detach())  # one pass, and both are nan when any value is
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(
            "the picture has values that are not finite: make the edits weaker, or load with precision='fp32'"
        )
    x = (pictures.detach().float() * 127.5).add_(128).clamp_(0, 255)
    x = x.expand(-1, 3, -1, -1) if x.shape[1] == 1 else x[:, :3]
    return to_host(x.permute(0, 2, 3, 1).to(torch.uint8, memory_format=torch.contiguous_format)).numpy()


def versions(module: torch.nn.Module | Generator) -> tuple[tuple[int, int], ...]:
    """Changes when any parameter or buffer is replaced, or changed in place, so that caches can notice."""
    # The dictionaries themselves: `modules()` and `parameters()` make names and sets anew at every frame.
    parts: list[torch.nn.Module | Generator] = [module]
    found = []
    for part in parts:  # which grows on the way
        parts.extend(child for child in part._modules.values() if child is not None)
        for t in (*part._parameters.values(), *part._buffers.values()):
            if t is not None:
                found.append((t.data_ptr(), -1 if t.is_inference() else t._version))
    return tuple(found)
