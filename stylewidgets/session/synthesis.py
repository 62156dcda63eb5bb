"""Steps between styles and pixels that sessions and the live renderer share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.devices import block_dtype, to_host
from ..ops import _buffers

if TYPE_CHECKING:
    from ..generators.protocol import State

Noise = str | list[Tensor]


def block_resolution(generator: Any, i: int) -> int:
    """Longer side of block i's picture in pixels."""
    return int(generator.layers[generator.block_layers(i)][-1].resolution)


def has_inner_pictures(generator: Any) -> bool:
    """Whether every block has a picture of its own (StyleGAN2's skip architecture)."""
    return bool(generator.has_inner_pictures)


def last_block(generator: Any, max_resolution: int | None) -> int:
    """Index of the block to stop after, for a picture of at most `max_resolution` pixels. The last one where inner
    blocks have no picture."""
    if max_resolution is None or not has_inner_pictures(generator):
        return int(generator.num_blocks) - 1
    return _within([block_resolution(generator, i) for i in range(generator.num_blocks)], max_resolution)


def has_previews(generator: Any) -> bool:
    """Whether inner blocks can tell about what the whole picture will be (``finish_small``)."""
    return bool(generator.has_previews)


def preview_block(generator: Any, max_resolution: int | None) -> int:
    """Index of the block that a preview of at most `max_resolution` pixels comes from; the last one for a whole picture."""
    if max_resolution is None or not has_previews(generator):
        return int(generator.num_blocks) - 1
    return _within([generator.preview_resolution(i) for i in range(generator.num_blocks)], max_resolution)


def _within(sizes: Sequence[int], most: int) -> int:
    return max([i for i, size in enumerate(sizes) if size <= most], default=0)


def synthesize(
    generator: Any, styles: Sequence[Tensor], noise: Noise, half: torch.dtype | None, max_resolution: int | None = None
) -> Tensor:
    """Picture [N, C, H, W], block by block, in half precision where that is chosen. Differentiable."""
    each = generator.block_noise(noise)
    if getattr(generator, "can_run_layers", False):
        with _buffers.passing():
            return _layer_by_layer(generator, styles, each, half, last_block(generator, max_resolution))
    state: State | None = None
    for i in range(last_block(generator, max_resolution) + 1):
        dtype = block_dtype(block_resolution(generator, i), half)
        state = generator.step(i, state, styles[generator.block_layers(i)], each[i], dtype)
    picture: Tensor = generator.image(state)
    return picture


def _layer_by_layer(
    generator: Any, styles: Sequence[Tensor], each: Sequence[Any], half: torch.dtype | None, last: int
) -> Tensor:
    """The same picture, without holding on to what came into a block until the block is done, nor to the last features: half the
    memory."""
    x: Tensor | None = None
    picture: Tensor | None = None
    conv = 0  # of the block
    for k in range(generator.block_layers(last).stop):
        layer = generator.layers[k]
        dtype = block_dtype(block_resolution(generator, layer.block), half)
        conv = 0 if k == generator.block_layers(layer.block).start else conv
        noise = each[layer.block]
        noise = noise if isinstance(noise, str) else list(noise[conv : conv + 1])
        if k == len(generator.layers) - 2 and x is not None:
            picture = generator.add_colours(generator.run_last(x, styles[k:], noise, dtype), picture)
            break
        if layer.kind == "conv":
            x = generator.run_layer(k, x, styles[k], noise, dtype)
            conv += 1
        else:
            picture = generator.add_colours(generator.run_layer(k, x, styles[k], "none", dtype), picture)
    assert picture is not None
    return picture


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


def versions(module: torch.nn.Module) -> tuple[tuple[int, int], ...]:
    """Changes when any parameter or buffer is replaced, or changed in place, so that caches can notice."""
    # The dictionaries themselves, in 0.54 of the time: `parameters()` makes names and sets anew at every frame.
    return tuple(
        (t.data_ptr(), -1 if t.is_inference() else t._version)
        for part in module.modules()
        for t in (*part._parameters.values(), *part._buffers.values())
        if t is not None
    )


SEEDED_NOISE = ("random", "tf")


class SeededNoise:
    """Noise pictures from a seed, the same on every device; those of the last seed are kept."""

    def __init__(self, shapes: Sequence[tuple[int, int]], z_dim: int, device: torch.device) -> None:
        self._shapes, self._z_dim, self._device = shapes, z_dim, device
        self._of: tuple[str, int] | None = None
        self._kept: list[Tensor] = []

    def __call__(self, mode: str, seed: int) -> list[Tensor]:
        """One [1, 1, H, W] per convolution."""
        if (mode, seed) != self._of:
            with torch.inference_mode(False):
                made = [picture.to(self._device) for picture in (self._tf(seed) if mode == "tf" else self._torch(seed))]
            self._of, self._kept = (mode, seed), made
        return self._kept

    def _torch(self, seed: int) -> list[Tensor]:
        source = torch.Generator().manual_seed(seed)
        return [
            torch.randn(1, 1, *shape, generator=source, dtype=torch.float32, device="cpu") for shape in self._shapes
        ]

    def _tf(self, seed: int) -> list[Tensor]:
        """As the scripts of StyleGAN2 and ADA: z first, then every noise variable in order, from one RandomState."""
        source = np.random.RandomState(seed)
        source.randn(1, self._z_dim)
        return [torch.from_numpy(source.randn(1, 1, *shape).astype(np.float32)) for shape in self._shapes]
