"""The shape of a StyleNeRF, written down or read from the names and shapes of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from torch import Tensor

from ..config import FamilyConfig, Shapes, check_above_zero, check_choice, check_whole

UPSAMPLERS = ("nn_cat", "pixelshuffle")
BACKGROUNDS = ("nerf", "colour", "none")
PROJECTIONS = ("perspective", "orthographic")
DENSITIES = ("relu", "softplus")
NOT_IN_SHAPES = (
    "rays",
    "samples",
    "background_samples",
    "background_start",
    "projection",
    "fov",
    "radius",
    "depth",
    "middle",
    "yaw",
    "pitch",
    "normal",
    "scale",
    "ball",
    "density",
    "conv_clamp",
    "mapping_lr",
    "alpha",
)
"""Settings that no shape tells."""


@dataclass(frozen=True)
class StyleNeRFConfig(FamilyConfig):
    """Sizes and choices of a StyleNeRF (Gu, Liu, Wang, Theobalt, ICLR 2022). The defaults are those of FFHQ at 256 pixels.

    Attributes:
        img_channels: colours of the picture.
        rays: side of the square of rays that the field is drawn with.
        channels: feature maps of each block of the upsampler, which doubles the side; () for the bare field.
        upsampler: "nn_cat" (faces) or "pixelshuffle" (cars), what enlarges the features.
        hidden, field_layers, features: width and depth of the field, and the numbers it gives each ray beside the colours.
        frequencies: octaves that the encoding of a point has, from a half wave over the unit up.
        samples: of a ray in each of two passes.
        density: what makes a density of the field's number, "relu" as published or "softplus".
        scale: a point times this is what is encoded.
        ball: (strength, radius, reach) of a ball that the density starts as: strength · clamp(radius − |p|, ± reach) is added
            to the field's number. () for none, as published. It keeps a small field from fading to nothing when it is trained
            with silhouettes.
        background: "nerf" (inverted spheres, with a latent of its own), "colour" (a plain backdrop told by w) or "none".
        background_dim, background_hidden, background_layers, background_samples, background_start: of the first of these.
        projection: "perspective", or "orthographic" as the avatars have it.
        fov: field of view in degrees; of an orthographic camera that of the middle plane seen from `radius`.
        radius: of the sphere that the camera stands on.
        depth: nearest and farthest t of a ray; along the optical axis, from the camera.
        middle: the point that an orthographic camera turns about, then the height that the middle of its picture shows.
        yaw, pitch: lowest and highest angle it was trained on, in degrees, seen as those of a head.
        normal: whether training drew cameras from a normal distribution of half that range rather than evenly.
        conv_clamp: features of the upsampler are clamped to ± this; None for no clamp.
        alpha: how far training had faded the upsampler in, 1 for a finished model.
    """

    title = "StyleNeRF"

    img_channels: int = 3
    rays: int = 32
    channels: tuple[int, ...] = (512, 256, 128)
    upsampler: str = "nn_cat"
    hidden: int = 128
    field_layers: int = 8
    features: int = 256
    frequencies: int = 10
    samples: int = 14
    density: str = "relu"
    scale: float = 1.0
    ball: tuple[float, ...] = ()
    background: str = "nerf"
    background_dim: int = 32
    background_hidden: int = 64
    background_layers: int = 4
    background_samples: int = 4
    background_start: float = 0.5
    projection: str = "perspective"
    fov: float = 12.0
    radius: float = 1.0
    depth: tuple[float, float] = (0.88, 1.12)
    middle: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
    yaw: tuple[float, float] = (-17.188734, 17.188734)
    pitch: tuple[float, float] = (-8.880846, 8.880846)
    normal: bool = True
    conv_clamp: float | None = 256.0
    alpha: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("channels", "ball", "depth", "middle", "yaw", "pitch"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.background != "nerf":  # of a network that is not there, so that equal generators have equal settings
            for field in fields(self):
                if field.name.startswith("background_"):
                    object.__setattr__(self, field.name, field.default)
        self._check_counts()
        self._check_numbers()

    def _check_counts(self) -> None:
        if self.c_dim:
            raise ValueError(f"a StyleNeRF takes no label, c_dim is 0; {self.c_dim} was given")
        for name in (
            "img_channels",
            "rays",
            "hidden",
            "features",
            "frequencies",
            "background_hidden",
            "background_dim",
        ):
            check_whole(name, getattr(self, name))
        for name in ("field_layers", "samples", "background_layers", "background_samples"):
            check_whole(name, getattr(self, name), 2)
        for count in self.channels:
            check_whole("channels", count)
        check_choice("upsampler", self.upsampler, UPSAMPLERS)
        check_choice("background", self.background, BACKGROUNDS)
        check_choice("projection", self.projection, PROJECTIONS)
        check_choice("density", self.density, DENSITIES)

    def _check_numbers(self) -> None:
        for name in ("scale", "fov", "radius", "background_start"):
            check_above_zero(name, getattr(self, name))
        if self.conv_clamp is not None:
            check_above_zero("conv_clamp", self.conv_clamp)
        for name, length in (("depth", 2), ("yaw", 2), ("pitch", 2), ("middle", 4)):
            if len(getattr(self, name)) != length:
                raise ValueError(f"{name} has {length} numbers; {getattr(self, name)} was given")
        if len(self.ball) not in (0, 3):
            raise ValueError(f"ball is (strength, radius, reach), or () for none; {self.ball} was given")
        for name in ("depth", "yaw", "pitch"):
            low, high = getattr(self, name)
            if not low < high:
                raise ValueError(f"{name} goes from a lower to a higher number; {(low, high)} was given")
        if not 0 <= self.alpha <= 1:
            raise ValueError(f"alpha is from 0 (the bare field) to 1 (a finished model); {self.alpha} was given")

    @property
    def blocks_run(self) -> int:
        """Blocks of the upsampler that alpha lets run."""
        return min(int(self.alpha * len(self.channels)) + 1, len(self.channels)) if self.alpha > 0 else 0

    @property
    def resolution(self) -> int:
        """Pixels of the picture's side."""
        return self.rays << self.blocks_run

    @property
    def num_ws(self) -> int:
        """Rows of w+: one for each layer of the field, its density and its features, two for each block, one for the colours."""
        return self.field_layers + 2 + 2 * len(self.channels) + 1


def infer_config(params: Mapping[str, Tensor], **hints: Any) -> StyleNeRFConfig:
    """Read every size from the names and shapes of a state_dict in the published names.

    Args:
        params: names to tensors (mapping.*, synthesis.*).
        hints: settings that shapes do not tell (`NOT_IN_SHAPES`); a hint wins over what was read.
    Raises:
        ValueError: a parameter that every StyleNeRF has is missing, or two disagree.
    """
    shapes = Shapes(params, StyleNeRFConfig.title)
    hidden, encoded = shapes("synthesis.fg_nerf.fc_in.weight")[:2]
    w_dim = shapes("synthesis.fg_nerf.fc_in.affine.weight")[1]
    if encoded % 6:
        raise ValueError(f"a StyleNeRF encodes a point by 6 numbers an octave; fc_in takes {encoded} numbers")
    sizes = sorted(int(match[1]) for match in shapes.found(r"synthesis\.b(\d+)\.conv1\.weight"))
    found: dict[str, Any] = {
        **shapes.mapping(w_dim),
        "hidden": hidden,
        "frequencies": encoded // 6,
        "field_layers": 1 + len(shapes.found(r"synthesis\.fg_nerf\.blocks\.\d+\.weight")),
        "features": shapes("synthesis.fg_nerf.feat_out.weight")[0],
        "img_channels": shapes("synthesis.fg_nerf.to_rgb.weight")[0],
        "channels": tuple(shapes(f"synthesis.b{size}.conv1.weight")[0] for size in sizes),
        "background": "colour" if "synthesis.backdrop.affine.weight" in shapes else "none",
    }
    if sizes:
        if sizes != [sizes[0] << i for i in range(len(sizes))]:
            raise ValueError(f"the blocks of the upsampler double the side; found {sizes}")
        wide = shapes(f"synthesis.b{sizes[0]}.conv0.adapter.0.weight")[1]
        found["rays"] = sizes[0] // 2
        found["upsampler"] = "nn_cat" if wide == 2 * found["channels"][0] else "pixelshuffle"
    if "synthesis.bg_nerf.fc_in.weight" in shapes:
        background, inputs = shapes("synthesis.bg_nerf.fc_in.weight")
        found |= {
            "background": "nerf",
            "background_hidden": background,
            "background_layers": 1 + len(shapes.found(r"synthesis\.bg_nerf\.blocks\.\d+\.weight")),
            "background_dim": inputs - 8 * found["frequencies"],
        }
    if "synthesis.alpha" in shapes and "alpha" not in hints:
        found["alpha"] = min(max(float(params["synthesis.alpha"]), 0.0), 1.0)
    return StyleNeRFConfig(**{**found, **hints})
