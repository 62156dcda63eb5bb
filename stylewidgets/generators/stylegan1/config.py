"""The shape of a StyleGAN, written down or read from the names and shapes of its parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from torch import Tensor

from ..stylegan2.config import _above_zero, _positive

FIRST_CHANNELS, MOST_CHANNELS = 16384, 512
LEVELS = 16  # of a picture, more than any network has
NOT_IN_SHAPES = ("mapping_lr", "fused_from", "lod", "norm_eps", "bias_first")
"""Settings that no shape can confirm."""


@dataclass(frozen=True)
class StyleGAN1Config:
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
        start: height and width of the learned constant.
    """

    z_dim: int = 512
    c_dim: int = 0
    w_dim: int = 512
    channels: tuple[int, ...] = ()
    img_channels: int = 3
    mapping_layers: int = 8
    mapping_width: int | None = None
    mapping_lr: float = 0.01
    fused_from: int | None = 128
    use_noise: bool = True
    lod: float = 0.0
    norm_eps: float = 1e-8
    bias_first: bool = False
    start: tuple[int, int] = (4, 4)

    def __post_init__(self) -> None:
        for name in ("z_dim", "w_dim", "img_channels", "mapping_layers"):
            _positive(name, getattr(self, name))
        for name in ("mapping_width", "fused_from"):
            if getattr(self, name) is not None:
                _positive(name, getattr(self, name))
        if isinstance(self.c_dim, bool) or not isinstance(self.c_dim, int) or self.c_dim < 0:
            raise ValueError(f"c_dim is the number of label entries, 0 for none; {self.c_dim!r} was given")
        for name in ("mapping_lr", "norm_eps"):
            _above_zero(name, getattr(self, name))
        for name in ("use_noise", "bias_first"):
            if getattr(self, name) not in (True, False):
                raise ValueError(f"{name} is True or False; {getattr(self, name)!r} was given")
        self._check_sizes()

    def _check_sizes(self) -> None:
        object.__setattr__(self, "start", tuple(self.start))
        object.__setattr__(self, "channels", tuple(self.channels))
        if len(self.start) != 2:
            raise ValueError(f"start is the height and width of the constant, such as (4, 4); {self.start} was given")
        for name in ("start", "channels"):
            for count in getattr(self, name):
                _positive(name, count)
        if not 1 <= len(self.channels) <= LEVELS:
            raise ValueError(
                f"channels has one entry per block, from 1 to {LEVELS}, such as default_channels(256); "
                f"{len(self.channels)} were given"
            )
        if isinstance(self.lod, bool) or not isinstance(self.lod, int | float) or not 0 <= self.lod < LEVELS:
            raise ValueError(f"lod is from 0 (the whole network) to less than {LEVELS}; {self.lod!r} was given")

    @property
    def num_blocks(self) -> int:
        """Blocks that take part."""
        return len(self.channels)

    @property
    def num_ws(self) -> int:
        """Rows of w+: 2 per block, those counted that an unfinished run does not use yet."""
        return 2 * (len(self.channels) + int(self.lod))

    @property
    def resolution(self) -> int:
        """Pixels of the picture's longer side."""
        return max(self.start) << (len(self.channels) + int(self.lod) - 1)

    @property
    def fade(self) -> float:
        """Share of the level below in the picture."""
        return self.lod - int(self.lod) if len(self.channels) > 1 else 0.0

    def size(self, block: int) -> tuple[int, int]:
        """Height and width of a block's output."""
        return self.start[0] << block, self.start[1] << block

    def block_name(self, block: int) -> str:
        """ "b4", "b8", ... (named after the 4-pixel start also where the constant is not square)."""
        return f"b{4 << block}"

    def fused(self, block: int) -> bool:
        """Whether the up-convolution of a block is the transposed one."""
        return self.fused_from is not None and min(self.size(block)) >= self.fused_from

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> StyleGAN1Config:
        """The inverse of `to_dict`; unknown names are refused."""
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"StyleGAN has no setting {unknown[0]!r}; known are {', '.join(sorted(known))}")
        given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        try:
            return cls(**given)
        except TypeError as error:
            raise ValueError(f"the settings {dict(values)!r:.200} do not describe a StyleGAN: {error}") from error


def default_channels(resolution: int) -> tuple[int, ...]:
    """Feature maps of each block from 4 pixels up, as published: min(16384 // r, 512)."""
    return tuple(min(FIRST_CHANNELS // (4 << i), MOST_CHANNELS) for i in range(resolution.bit_length() - 2))


def infer_config(params: Mapping[str, Tensor], **hints: Any) -> StyleGAN1Config:
    """Read every size from the names and shapes of a state_dict in the names of `StyleGAN1`.

    Args:
        params: names to tensors (mapping.*, synthesis.*).
        hints: settings that shapes do not tell (fused_from, lod, mapping_lr, norm_eps, bias_first); a hint wins.
    Raises:
        ValueError: a parameter that every StyleGAN has is missing, or two disagree.
    """

    def shape(name: str) -> tuple[int, ...]:
        if name not in params:
            raise ValueError(
                f"these are not the parameters of a StyleGAN generator: {name} is missing "
                f"(first of {len(params)} names: {', '.join(sorted(params)[:3]) or 'none'})"
            )
        return tuple(params[name].shape)

    blocks = sorted({int(m[1]) for name in params if (m := re.match(r"synthesis\.b(\d+)\.conv1\.weight$", name))})
    const = shape("synthesis.b4.const")
    if not blocks or blocks != [4 << i for i in range(len(blocks))] or len(const) != 3:
        raise ValueError(f"blocks b4, b8, b16, ... are expected; found {[f'b{b}' for b in blocks]} and const {const}")
    first, w_dim = shape("mapping.fc0.weight"), shape("synthesis.b4.conv0.affine.weight")[1]
    layers = sum(1 for name in params if re.match(r"mapping\.fc\d+\.weight$", name))
    label = shape("mapping.concat.weight") if "mapping.concat.weight" in params else (0, 0)
    found: dict[str, Any] = {
        "z_dim": first[1] - label[1],
        "c_dim": label[0],
        "w_dim": w_dim,
        "img_channels": shape(f"synthesis.b{blocks[-1]}.torgb.weight")[0],
        "channels": tuple(shape(f"synthesis.b{b}.conv1.weight")[0] for b in blocks),
        "mapping_layers": layers,
        "mapping_width": first[0] if layers > 1 and first[0] != w_dim else None,
        "use_noise": "synthesis.b4.conv0.noise_strength" in params,
        "start": const[1:],
    }
    return StyleGAN1Config(**{**found, **hints})
