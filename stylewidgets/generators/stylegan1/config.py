"""The shape of a StyleGAN, written down or read from the names and shapes of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..config import BlockConfig, Shapes, check_above_zero, check_whole

FIRST_CHANNELS, MOST_CHANNELS = 16384, 512
LEVELS = 16  # of a picture, more than any network has
NOT_IN_SHAPES = ("mapping_lr", "fused_from", "lod", "norm_eps", "bias_first", "blur")
"""Settings that no shape can confirm."""


@dataclass(frozen=True)
class StyleGAN1Config(BlockConfig):
    """Sizes and choices of a StyleGAN (Karras et al., CVPR 2019).

    Attributes:
        z_dim, c_dim, w_dim: lengths of z, of the label (0 for none) and of w.
        channels: feature maps of each block from the smallest up; see `default_channels`.
        img_channels: colours of the picture.
        mapping_layers: fully connected layers of the mapping network.
        mapping_width: features between them, None for w_dim.
        mapping_lr: learning rate multiplier of the mapping network.
        fused_from: up-convolutions to so many pixels (of the shorter side) and more are transposed convolutions, whose
            kernel acts mirrored; below they repeat pixels and convolve. None for no transposed ones.
        use_noise: whether layers add noise.
        lod: level of detail, as of an unfinished run of progressive growing. The picture comes from a block floor(lod)
            levels below the full size, and is enlarged; the fraction mixes in the level below that one.
        norm_eps: added to the variance in the instance normalisation.
        bias_first: add the bias of up-convolutions before the blur and not after it.
        blur: whether up-convolutions are blurred.
        start: height and width of the learned constant.
    """

    title = "StyleGAN"

    fused_from: int | None = 128
    lod: float = 0.0
    norm_eps: float = 1e-8
    bias_first: bool = False
    blur: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fused_from is not None:
            check_whole("fused_from", self.fused_from)
        check_above_zero("norm_eps", self.norm_eps)
        for name in ("use_noise", "bias_first", "blur"):
            if getattr(self, name) not in (True, False):
                raise ValueError(f"{name} is True or False; {getattr(self, name)!r} was given")
        if not 1 <= len(self.channels) <= LEVELS:
            raise ValueError(
                f"channels has one entry per block, from 1 to {LEVELS}, such as default_channels(256); "
                f"{len(self.channels)} were given"
            )
        if isinstance(self.lod, bool) or not isinstance(self.lod, int | float) or not 0 <= self.lod < LEVELS:
            raise ValueError(f"lod is from 0 (the whole network) to less than {LEVELS}; {self.lod!r} was given")

    @property
    def num_ws(self) -> int:
        """Rows of w+: 2 per block, those counted that an unfinished run does not use yet."""
        return 2 * (len(self.channels) + int(self.lod))

    @property
    def resolution(self) -> int:
        """Pixels of the picture's longer side."""
        return max(self.start) << (len(self.channels) + int(self.lod) - 1)

    @property
    def picture_size(self) -> tuple[int, int]:
        """Height and width of the picture."""
        return self.size(len(self.channels) + int(self.lod) - 1)

    @property
    def fade(self) -> float:
        """Share of the level below in the picture."""
        return self.lod - int(self.lod) if len(self.channels) > 1 else 0.0

    def fused(self, block: int) -> bool:
        """Whether the up-convolution of a block is the transposed one."""
        return self.fused_from is not None and min(self.size(block)) >= self.fused_from


def default_channels(resolution: int) -> tuple[int, ...]:
    """Feature maps of each block from 4 pixels up, as published: min(16384 // r, 512)."""
    return tuple(min(FIRST_CHANNELS // (4 << i), MOST_CHANNELS) for i in range(resolution.bit_length() - 2))


def infer_config(params: Mapping[str, Tensor], **hints: Any) -> StyleGAN1Config:
    """Read every size from the names and shapes of a state_dict in the names of `StyleGAN1`.

    Args:
        params: names to tensors (mapping.*, synthesis.*).
        hints: settings that shapes do not tell (fused_from, lod, mapping_lr, norm_eps, bias_first, blur); a hint wins.
    Raises:
        ValueError: a parameter that every StyleGAN has is missing, or two disagree.
    """
    shapes = Shapes(params, StyleGAN1Config.title)
    label = shapes("mapping.concat.weight") if "mapping.concat.weight" in shapes else (0, 0)
    found: dict[str, Any] = {
        **shapes.blocks(),
        **shapes.mapping(shapes("synthesis.b4.conv0.affine.weight")[1], label[1]),
        "c_dim": label[0],
        "use_noise": "synthesis.b4.conv0.noise_strength" in shapes,
    }
    return StyleGAN1Config(**{**found, **hints})
