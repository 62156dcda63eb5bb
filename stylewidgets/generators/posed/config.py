"""The shape of a Pose-with-Style network, written down or read from the names and shapes of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..config import FamilyConfig, Shapes, check_whole

NOT_IN_SHAPES = ("mapping_lr", "parts", "resolution", "slip")
"""Settings that no shape tells: the network is made of convolutions only, and runs at any size."""


@dataclass(frozen=True)
class PosedConfig(FamilyConfig):
    """Sizes of a Pose-with-Style network.

    Published ones have no w. Here every layer has a gain for each of its channels, which is its style and comes from w as a
    StyleGAN's does; those of published files are 1 whatever w is.

    Attributes:
        z_dim, w_dim, mapping_layers, mapping_width, mapping_lr: as of a StyleGAN2.
        resolution: pixels of a side of the picture, a multiple of 2 to the number of scales less one. Published: 512, with six
            scales from 16 pixels up.
        channels: feature maps at each scale, the coarsest first; the encoders have the same.
        width: channels of the source encoder's pyramid between its scales.
        modulation_hidden: width of the small networks that make γ and β of the source's features.
        slip: whether completed coordinates are looked up as the published program does it: stored for pixel centres at the
            picture's edge, read as if they lay half a pixel inside. Only published weights were trained with that.
        parts: 0 for networks as published, of people. Else how many parts a surface has that is known to the pixel, as that of
            avatars is, and four things differ. The pose encoder has a channel for each part (published: I as one number, 0 to
            255), besides u, v and the direction of the light. What it makes of the pose joins the source's features at every
            scale (published: the coarsest alone). The source's features are carried wherever the flow leads, its backdrop too
            (published: inside the body). Colours are not normalised (published: they are, so that the mean of a picture is
            the same whatever it shows).
    """

    resolution: int = 512
    channels: tuple[int, ...] = (512, 512, 512, 256, 128, 64)
    width: int = 512
    modulation_hidden: int = 128
    slip: bool = False
    parts: int = 0

    title = "Pose with Style"

    z_dim: int = 1
    w_dim: int = 1
    mapping_layers: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "channels", tuple(self.channels))
        for name in ("resolution", "width", "modulation_hidden"):
            check_whole(name, getattr(self, name))
        for count in self.channels:
            check_whole("channels", count)
        if len(self.channels) < 2:
            raise ValueError(f"channels has one number for each scale, two at least; {list(self.channels)} was given")
        if self.resolution % (1 << (len(self.channels) - 1)):
            raise ValueError(
                f"{len(self.channels)} scales need a resolution that is a multiple of {1 << (len(self.channels) - 1)}; "
                f"{self.resolution} was given"
            )
        if isinstance(self.parts, bool) or not isinstance(self.parts, int) or self.parts < 0:
            raise ValueError(f"parts is how many a surface has, 0 for people as published; {self.parts!r} was given")
        if not isinstance(self.slip, bool):
            raise ValueError(f"slip is True or False; {self.slip!r} was given")  # noqa: TRY004 (bad settings, as others)
        if self.width != self.channels[0]:
            raise ValueError(
                f"the coarsest scale is modulated by the pyramid itself, so width is its {self.channels[0]} channels; "
                f"{self.width} was given"
            )

    @classmethod
    def small(
        cls, resolution: int = 64, ngf: int = 16, scales: int = 4, widest: int = 96, parts: int = 0
    ) -> PosedConfig:
        """A network to be trained on two cores: `ngf` feature maps at full size, twice as many at each scale below."""
        channels = tuple(min(ngf << k, widest) for k in reversed(range(scales)))
        return cls(
            resolution=resolution,
            channels=channels,
            width=channels[0],
            modulation_hidden=max(ngf, 16),
            parts=parts,
        )

    @property
    def sizes(self) -> tuple[int, ...]:
        """Pixels of a side at each scale, the coarsest first."""
        scales = len(self.channels)
        return tuple(self.resolution >> (scales - 1 - k) for k in range(scales))


def infer_config(params: Mapping[str, Tensor], **hints: Any) -> PosedConfig:
    """Read every size from the names and shapes of a state_dict in our names.

    Args:
        params: names to tensors (synthesis.*).
        hints: `NOT_IN_SHAPES`; without a resolution the coarsest scale has 16 pixels, as published.
    Raises:
        ValueError: a parameter that every such network has is missing, or two disagree.
    """
    shapes = Shapes(params, PosedConfig.title)
    scales = sum(f"synthesis.s{k}.conv.weight" in params for k in range(16))
    if not scales:
        raise ValueError("parameters of this Pose with Style are missing, the first is synthesis.s0.conv.weight")
    channels = tuple(shapes(f"synthesis.s{k}.conv.weight")[0] for k in range(scales))
    found: dict[str, Any] = {
        **shapes.mapping(shapes("synthesis.s0.conv.affine.weight")[1], 0),
        "resolution": 16 << (scales - 1),
        "channels": channels,
        "width": shapes("synthesis.source.laterals.0.weight")[0],
        "modulation_hidden": shapes("synthesis.s0.conv.gamma.first.weight")[0],
    }
    return PosedConfig(**{**found, **hints})
