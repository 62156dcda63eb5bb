"""The shape of a StyleGAN2, written down or read from the names and shapes of its parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ...ops.upfirdn2d import BINOMIAL
from ..config import BlockConfig, Shapes, check_above_zero, check_choice

ARCHITECTURES = ("skip", "resnet", "orig")
LABELS = ("separate", "joint")
NOT_IN_SHAPES = ("conv_clamp", "mapping_lr", "taps")
"""Settings that no shape can confirm."""


def default_channels(resolution: int, base: int = 32768, maximum: int = 512) -> tuple[int, ...]:
    """Feature maps of each block from 4 pixels up: min(base // r, maximum). Base 32768 is configuration F, 16384 A to E."""
    return tuple(min(base // (4 << i), maximum) for i in range(int(math.log2(resolution)) - 1))


@dataclass(frozen=True)
class StyleGAN2Config(BlockConfig):
    """Sizes and choices of a StyleGAN2.

    Attributes:
        z_dim, c_dim, w_dim: lengths of z, of the label (0 for none) and of w.
        resolution: pixels of the longer side, 4 doubled once per block.
        img_channels: colours of the picture.
        channels: feature maps of each block from the smallest up; () takes `default_channels`.
        mapping_layers: fully connected layers of the mapping network.
        mapping_width: features between them, None for w_dim.
        mapping_lr: learning rate multiplier of the mapping network.
        label_width: numbers that a label becomes before it joins z, None for as many as w has.
        architecture: "skip", "resnet" or "orig" (Karras et al. 2020, figure 7).
        conv_clamp: features are clamped to ± this; None for no clamp.
        use_noise: whether layers add noise.
        taps: symmetric resampling filter of one axis, an even number of taps.
        start: height and width of the learned constant.
        label: "separate" or "joint", how the label joins z; see `MappingNetwork`.
    """

    title = "StyleGAN2"

    resolution: int = 256
    architecture: str = "skip"
    conv_clamp: float | None = None
    taps: tuple[float, ...] = BINOMIAL
    label: str = "separate"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "taps", tuple(float(t) for t in self.taps))
        side, blocks = max(self.start), 1
        while side < self.resolution:
            side, blocks = side * 2, blocks + 1
        if side != self.resolution:
            raise ValueError(
                f"resolution is {max(self.start)} doubled once or more, such as {side}; {self.resolution} was given"
            )
        object.__setattr__(self, "channels", self.channels or default_channels(4 << (blocks - 1)))
        if len(self.channels) != blocks:
            raise ValueError(
                f"channels has one entry per block: {blocks} for resolution {self.resolution}, not "
                f"{len(self.channels)} ({self.channels})"
            )
        check_choice("label", self.label, LABELS)
        check_choice("architecture", self.architecture, ARCHITECTURES)
        if self.conv_clamp is not None:
            check_above_zero("conv_clamp", self.conv_clamp)
        if len(self.taps) < 2 or len(self.taps) % 2 or self.taps != self.taps[::-1] or not sum(self.taps) > 0:
            raise ValueError(f"taps are an even number of symmetric weights such as {BINOMIAL}; {self.taps} was given")

    @property
    def num_ws(self) -> int:
        """Rows of w+: 2 per block."""
        return 2 * len(self.channels)


def infer_config(params: Mapping[str, Tensor], **hints: Any) -> StyleGAN2Config:
    """Read every size from the names and shapes of a state_dict in stylegan2-ada-pytorch names.

    Args:
        params: names to tensors (mapping.*, synthesis.*).
        hints: settings that shapes do not tell (conv_clamp, mapping_lr); a hint wins over what was read.
    Raises:
        ValueError: a parameter that every StyleGAN2 has is missing, or two disagree.
    """
    shapes = Shapes(params, StyleGAN2Config.title)
    w_dim = shapes("synthesis.b4.conv1.affine.weight")[1]
    if "mapping.concat.weight" in shapes:
        classes, beside = shapes("mapping.concat.weight")
        label: dict[str, Any] = {"c_dim": classes, "label": "joint"}
    else:
        beside, label = shapes.embedding(w_dim)
    found: dict[str, Any] = {
        **shapes.blocks(),
        **shapes.mapping(w_dim, beside),
        **label,
        "use_noise": "synthesis.b4.conv1.noise_strength" in shapes,
        "taps": _taps(params),
    }
    blocks = len(found["channels"])
    found["resolution"] = max(found["start"]) << (blocks - 1)
    found["architecture"] = _architecture(shapes, f"synthesis.b{4 << (blocks - 1)}")
    return StyleGAN2Config(**{**found, **hints})


def _architecture(params: Shapes, last: str) -> str:
    if f"{last}.skip.weight" in params:
        return "resnet"
    return "skip" if "synthesis.b4.torgb.weight" in params else "orig"


def _taps(params: Mapping[str, Tensor]) -> tuple[float, ...]:
    """The filter of one axis from the stored 2-d filter (its row sums); the papers' filter where none is stored."""
    name = next((n for n in sorted(params) if n.endswith(".resample_filter")), None)
    if name is None:
        return BINOMIAL
    line = params[name].detach().double()
    line = line.sum(dim=0) if line.ndim == 2 else line
    taps: list[float] = (line / line.sum()).tolist()
    papers = [v / sum(BINOMIAL) for v in BINOMIAL]
    if len(taps) == 4 and all(math.isclose(a, b, abs_tol=1e-4) for a, b in zip(taps, papers, strict=True)):
        return BINOMIAL
    return tuple(taps)
