"""The shape of a tri-plane generator and of its scene, written down or read from the names and shapes of its parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..config import BlockConfig, Shapes, check_above_zero, check_whole
from ..stylegan2.config import StyleGAN2Config

NOT_IN_SHAPES = (
    "mapping_lr",
    "conv_clamp",
    "enlarge",
    "input_size",
    "head_clamp",
    "antialias",
    "field_size",
    "coarse",
    "fine",
    "near",
    "far",
    "box",
    "axes",
    "white_back",
    "conditioned",
    "label_scale",
    "decoder_lr",
    "radius",
    "pivot",
    "focal",
    "yaw_range",
    "pitch_range",
)
"""Settings that no shape can confirm."""

ANGLES = 180.0


@dataclass(frozen=True)
class TriPlaneConfig(BlockConfig):
    """Sizes and choices of an EG3D generator. Lengths are in the scene's own units, sizes in pixels.

    Attributes:
        z_dim, w_dim, mapping_layers, mapping_width, mapping_lr: as of a StyleGAN2.
        c_dim: 25, the numbers of a camera, where w depends on one; else 0.
        channels: feature maps of each block of the backbone, from 4 pixels up.
        img_channels: colours of the picture.
        plane_features: channels of each of the three planes.
        hidden: width of the decoder.
        conv_clamp: of the backbone; None for none.
        head_channels: feature maps of the two blocks that enlarge the rendered features.
        enlarge: by how much each of the two enlarges, 1 or 2: (2, 2) in 8X and 8XDC, (1, 2) in 4X and 2X.
        input_size: side at which rendered features enter them.
        head_clamp: their features and colours are clamped to ± this; None for no clamp.
        antialias: whether rendered features are filtered when they are made smaller to enter.
        field_size: side of the rendered features, whatever enters is made of them.
        coarse, fine: samples on a ray, evenly and then where the density is; fine may be 0.
        near, far: where rays begin and end; None for where they meet the box, both or neither.
        box: side of the box that the planes span.
        axes: which two coordinates each of the three planes holds, 0 to 2 for x, y, z. As published the second and the third hold
            the same two: (x, y), (x, z), (z, x).
        white_back: whether what is empty is white, not black.
        conditioned: whether the mapping network is told the camera (else zeros, where c_dim is 25).
        label_scale: what the 25 numbers are multiplied by for it.
        decoder_lr: learning rate multiplier of the decoder.
        radius: of the sphere around the origin on which cameras stand.
        pivot: the point that they look at.
        focal: focal length in widths of the picture.
        yaw_range, pitch_range: lowest and highest in degrees that it was trained on.
    """

    title = "EG3D"

    c_dim: int = 25
    mapping_layers: int = 2
    plane_features: int = 32
    hidden: int = 64
    conv_clamp: float | None = None
    head_channels: tuple[int, int] = (256, 128)
    enlarge: tuple[int, int] = (2, 2)
    input_size: int = 128
    head_clamp: float | None = 256.0
    antialias: bool = True
    field_size: int = 128
    coarse: int = 48
    fine: int = 48
    near: float | None = 2.25
    far: float | None = 3.3
    box: float = 1.0
    axes: tuple[int, ...] = (0, 1, 0, 2, 2, 0)
    white_back: bool = False
    conditioned: bool = True
    label_scale: float = 1.0
    decoder_lr: float = 1.0
    radius: float = 2.7
    pivot: tuple[float, float, float] = (0.0, 0.0, 0.2)
    focal: float = 4.2647
    yaw_range: tuple[float, float] = (-23.0, 23.0)
    pitch_range: tuple[float, float] = (-14.0, 14.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_networks()
        self._check_scene()

    def _check_networks(self) -> None:
        for name in ("plane_features", "hidden", "input_size", "field_size", "coarse"):
            check_whole(name, getattr(self, name), 2 if name == "coarse" else 1)
        check_whole("fine", self.fine, 0)
        if self.fine and self.coarse < 4:
            raise ValueError(f"coarse is at least 4 where there are fine samples; {self.coarse} was given")
        for name in ("box", "radius", "focal", "decoder_lr", "label_scale"):
            check_above_zero(name, getattr(self, name))
        for name in ("conv_clamp", "head_clamp"):
            if getattr(self, name) is not None:
                check_above_zero(name, getattr(self, name))
        if self.c_dim not in (0, 25):
            raise ValueError(f"c_dim is 25, the numbers of a camera, or 0; {self.c_dim} was given")
        if len(self.enlarge) != 2 or any(by not in (1, 2) for by in self.enlarge):
            raise ValueError(f"enlarge is two numbers, each 1 or 2; {self.enlarge} was given")
        if len(self.head_channels) != 2:
            raise ValueError(f"head_channels is one number for each of two blocks; {self.head_channels} was given")
        for count in self.head_channels:
            check_whole("head_channels", count)

    def _check_scene(self) -> None:
        if (self.near is None) != (self.far is None):
            raise ValueError(f"near and far are both numbers, or both None; {self.near} and {self.far} were given")
        if self.near is not None and self.far is not None and not 0 <= self.near < self.far < math.inf:
            raise ValueError(f"near is at least 0 and below far; {self.near} and {self.far} were given")
        if len(self.axes) != 6 or any(axis not in (0, 1, 2) for axis in self.axes):
            raise ValueError(f"axes is two numbers from 0 to 2 for each of three planes; {self.axes} was given")
        if len(self.pivot) != 3 or not math.dist(self.pivot, (0, 0, 0)) < self.radius:
            raise ValueError(f"pivot is a point inside the sphere of cameras, {self.radius}; {self.pivot} was given")
        for name in ("yaw_range", "pitch_range"):
            span = getattr(self, name)
            if len(span) != 2 or not -ANGLES <= span[0] < span[1] <= ANGLES:
                raise ValueError(f"{name} is the lowest and the highest angle in degrees; {span} was given")

    @property
    def resolution(self) -> int:
        """Pixels of a side of the picture."""
        return self.input_size * math.prod(self.enlarge)

    @property
    def num_ws(self) -> int:
        """Rows of w+: those of the backbone, of which the head reads the last."""
        return 2 * self.num_blocks

    @property
    def backbone(self) -> StyleGAN2Config:
        """The StyleGAN2 whose picture, of three times `plane_features` colours, is the planes."""
        return StyleGAN2Config(
            z_dim=self.z_dim,
            c_dim=self.c_dim,
            w_dim=self.w_dim,
            mapping_layers=self.mapping_layers,
            mapping_width=self.mapping_width,
            mapping_lr=self.mapping_lr,
            resolution=max(self.start) << (self.num_blocks - 1),
            channels=self.channels,
            img_channels=3 * self.plane_features,
            use_noise=self.use_noise,
            start=self.start,
            conv_clamp=self.conv_clamp,
        )


def infer_config(params: Mapping[str, Tensor], **hints: Any) -> TriPlaneConfig:
    """Read every size from the names and shapes of a state_dict in our names.

    Args:
        params: names to tensors (mapping.*, synthesis.*).
        hints: `NOT_IN_SHAPES`; a hint wins over what was read.
    Raises:
        ValueError: a parameter that every tri-plane generator has is missing, or two disagree.
    """
    shapes = Shapes(params, TriPlaneConfig.title)
    w_dim = shapes("synthesis.b4.conv1.affine.weight")[1]
    told = "mapping.embed.weight" in shapes
    blocks = shapes.blocks()
    planes = blocks.pop("img_channels")
    outputs, hidden = shapes("synthesis.decoder.net.2.weight")
    if planes % 3 or shapes("synthesis.decoder.net.0.weight") != (hidden, planes // 3):
        raise ValueError(f"planes of {planes} channels do not fit a decoder of {outputs - 1} features")
    if outputs != planes // 3 + 1:
        raise ValueError(f"a decoder of {planes // 3} features makes a density beside them; it makes {outputs} numbers")
    found: dict[str, Any] = {
        **blocks,
        **shapes.mapping(w_dim, w_dim if told else 0),
        "c_dim": shapes("mapping.embed.weight")[1] if told else 0,
        "use_noise": "synthesis.b4.conv1.noise_strength" in shapes,
        "plane_features": planes // 3,
        "hidden": hidden,
        "img_channels": shapes("synthesis.head.block1.torgb.weight")[0],
        "head_channels": tuple(shapes(f"synthesis.head.block{i}.conv1.weight")[0] for i in (0, 1)),
    }
    return TriPlaneConfig(**{**found, **hints})
