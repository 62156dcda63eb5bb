"""The shape of a StyleGAN2, written down or read from the names and shapes of its parameters."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from torch import Tensor

from ...ops.upfirdn2d import BINOMIAL

ARCHITECTURES = ("skip", "resnet", "orig")
LABELS = ("separate", "joint")
NOT_IN_SHAPES = ("conv_clamp", "mapping_lr", "taps")
"""Settings that no shape can confirm."""


def default_channels(resolution: int, base: int = 32768, maximum: int = 512) -> tuple[int, ...]:
    """Feature maps of each block from 4 pixels up: min(base // r, maximum). Base 32768 is configuration F, 16384 A to E."""
    return tuple(min(base // (4 << i), maximum) for i in range(int(math.log2(resolution)) - 1))


@dataclass(frozen=True)
class StyleGAN2Config:
    """Sizes and choices of a StyleGAN2.

    Attributes:
        z_dim, c_dim, w_dim: lengths of z, of the label (0 for none) and of w.
        resolution: pixels of the longer side, 4 doubled once per block.
        img_channels: colours of the picture.
        channels: feature maps of each block from the smallest up; () takes `default_channels`.
        mapping_layers: fully connected layers of the mapping network.
        mapping_width: features between them, None for w_dim.
        mapping_lr: learning rate multiplier of the mapping network.
        architecture: "skip", "resnet" or "orig" (Karras et al. 2020, figure 7).
        conv_clamp: features are clamped to ± this; None for no clamp.
        use_noise: whether layers add noise.
        taps: symmetric resampling filter of one axis, an even number of taps.
        start: height and width of the learned constant.
        label: "separate" or "joint", how the label joins z; see `MappingNetwork`.
    """

    z_dim: int = 512
    c_dim: int = 0
    w_dim: int = 512
    resolution: int = 256
    img_channels: int = 3
    channels: tuple[int, ...] = ()
    mapping_layers: int = 8
    mapping_width: int | None = None
    mapping_lr: float = 0.01
    architecture: str = "skip"
    conv_clamp: float | None = None
    use_noise: bool = True
    taps: tuple[float, ...] = BINOMIAL
    start: tuple[int, int] = (4, 4)
    label: str = "separate"

    def __post_init__(self) -> None:
        for name in ("z_dim", "w_dim", "img_channels", "mapping_layers"):
            _positive(name, getattr(self, name))
        if not isinstance(self.c_dim, int) or self.c_dim < 0:
            raise ValueError(f"c_dim is the number of label entries, 0 for none; {self.c_dim!r} was given")
        if self.mapping_width is not None:
            _positive("mapping_width", self.mapping_width)
        object.__setattr__(self, "start", tuple(self.start))
        object.__setattr__(self, "taps", tuple(float(t) for t in self.taps))
        if len(self.start) != 2 or min(self.start) < 1:
            raise ValueError(f"start is the height and width of the constant, such as (4, 4); {self.start} was given")
        side, blocks = max(self.start), 1
        while side < self.resolution:
            side, blocks = side * 2, blocks + 1
        if side != self.resolution:
            raise ValueError(
                f"resolution is {max(self.start)} doubled once or more, such as {side}; {self.resolution} was given"
            )
        object.__setattr__(self, "channels", tuple(self.channels) or default_channels(4 << (blocks - 1)))
        if len(self.channels) != blocks:
            raise ValueError(
                f"channels has one entry per block: {blocks} for resolution {self.resolution}, not "
                f"{len(self.channels)} ({self.channels})"
            )
        for count in self.channels:
            _positive("channels", count)
        _one_of("label", self.label, LABELS)
        _one_of("architecture", self.architecture, ARCHITECTURES)
        if self.conv_clamp is not None:
            _above_zero("conv_clamp", self.conv_clamp)
        _above_zero("mapping_lr", self.mapping_lr)
        if len(self.taps) < 2 or len(self.taps) % 2 or self.taps != self.taps[::-1] or not sum(self.taps) > 0:
            raise ValueError(f"taps are an even number of symmetric weights such as {BINOMIAL}; {self.taps} was given")

    @property
    def num_blocks(self) -> int:
        """Blocks, from the constant to the full resolution."""
        return len(self.channels)

    @property
    def num_ws(self) -> int:
        """Rows of w+: 2 per block."""
        return 2 * len(self.channels)

    def size(self, block: int) -> tuple[int, int]:
        """Height and width of a block's output."""
        return self.start[0] << block, self.start[1] << block

    def block_name(self, block: int) -> str:
        """ "b4", "b8", ... (named after the 4-pixel start also where the constant is not square)."""
        return f"b{4 << block}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> StyleGAN2Config:
        """The inverse of `to_dict`; unknown names are refused."""
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"StyleGAN2 has no setting {unknown[0]!r}; known are {', '.join(sorted(known))}")
        given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        try:
            return cls(**given)
        except TypeError as error:
            raise ValueError(f"the settings {dict(values)} do not describe a StyleGAN2: {error}") from error


def infer_config(params: Mapping[str, Tensor], **hints: Any) -> StyleGAN2Config:
    """Read every size from the names and shapes of a state_dict in stylegan2-ada-pytorch names.

    Args:
        params: names to tensors (mapping.*, synthesis.*).
        hints: settings that shapes do not tell (conv_clamp, mapping_lr); a hint wins over what was read.
    Raises:
        ValueError: a parameter that every StyleGAN2 has is missing, or two disagree.
    """

    def shape(name: str) -> tuple[int, ...]:
        if name not in params:
            raise ValueError(
                f"these are not the parameters of a StyleGAN2 generator: {name} is missing "
                f"(first of {len(params)} names: {', '.join(sorted(params)[:3]) or 'none'})"
            )
        return tuple(params[name].shape)

    blocks = sorted({int(m[1]) for name in params if (m := re.match(r"synthesis\.b(\d+)\.conv1\.weight$", name))})
    const = shape("synthesis.b4.const")
    if blocks != [4 << i for i in range(len(blocks))] or len(const) != 3:
        raise ValueError(f"blocks b4, b8, b16, ... are expected; found {[f'b{b}' for b in blocks]} and const {const}")
    layers = sum(1 for name in params if re.match(r"mapping\.fc\d+\.weight$", name))
    first, w_dim = shape("mapping.fc0.weight"), shape("synthesis.b4.conv1.affine.weight")[1]
    c_dim, beside, label = 0, 0, "separate"
    if "mapping.concat.weight" in params:
        (c_dim, beside), label = shape("mapping.concat.weight"), "joint"
    elif "mapping.embed.weight" in params:
        c_dim, beside = shape("mapping.embed.weight")[1], w_dim
    last = f"synthesis.b{blocks[-1]}"
    found: dict[str, Any] = {
        "z_dim": first[1] - beside,
        "c_dim": c_dim,
        "w_dim": w_dim,
        "label": label,
        "resolution": max(const[1:]) << (len(blocks) - 1),
        "img_channels": shape(f"{last}.torgb.weight")[0],
        "channels": tuple(shape(f"synthesis.b{b}.conv1.weight")[0] for b in blocks),
        "mapping_layers": layers,
        "mapping_width": first[0] if layers > 1 and first[0] != w_dim else None,
        "architecture": _architecture(params, last),
        "use_noise": "synthesis.b4.conv1.noise_strength" in params,
        "start": const[1:],
        "taps": _taps(params),
    }
    found.update(hints)
    return StyleGAN2Config(**found)


def _architecture(params: Mapping[str, Tensor], last: str) -> str:
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


def _one_of(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} is one of {', '.join(choices)}; {value!r} was given")


def _above_zero(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ValueError(f"{name} is positive{' or None' if name == 'conv_clamp' else ''}; {value!r} was given")


def _positive(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} is a whole number from 1 up; {value!r} was given")
