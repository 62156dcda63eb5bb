"""The shape of a StyleGAN3, worked out from its design rules or read from the names and shapes of its parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from ..config import FamilyConfig, Shapes, check_above_zero, check_choice, check_whole

NOT_IN_SHAPES = ("conv_clamp", "mapping_lr", "margin", "bandwidth", "output_scale", "num_fp16_res", "ema_beta")
"""Settings that no shape can confirm."""

MAPPINGS = ("stylegan2", "stylegan-xl")
ASPECTS = (1.0, 0.5)
VARIANTS = ("T", "R")
FIRST_CUTOFF, FIRST_STOPBAND, LAST_STOPBAND, CRITICAL = 2.0, 2**2.1, 2**0.3, 2


class LayerShape(NamedTuple):
    """One synthesis layer, as far as its tensors show it.

    Attributes:
        size: pixels of its output from top to bottom, margin included.
        channels: feature maps of its output.
        up, down: factors around the leaky ReLU.
        up_taps, down_taps: of the filters; 1 for none.
        kernel: of the convolution.
        radial: whether the downsampling filter is radially symmetric and not separable.
    """

    size: int
    channels: int
    up: int
    down: int
    up_taps: int
    down_taps: int
    kernel: int
    radial: bool


class Band(NamedTuple):
    """What a layer's filters are designed for, in cycles per picture width: see section 3.2 and appendix C of the paper.

    Attributes:
        cutoff: upper end of the pass band.
        half_width: half of the transition band.
        rate: samples per picture width of the layer's output.
    """

    cutoff: float
    half_width: float
    rate: int


@dataclass(frozen=True)
class StyleGAN3Config(FamilyConfig):
    """Sizes and choices of a StyleGAN3 (Karras et al., NeurIPS 2021). `create` makes the published ones.

    Attributes:
        z_dim, c_dim, w_dim: lengths of z, of the label (0 for none) and of w.
        layers: one `LayerShape` per layer L0, L1, ...; the last one makes the colours.
        mapping_layers: fully connected layers of the mapping network.
        mapping_width: features between them, None for w_dim.
        mapping_lr: learning rate multiplier of the mapping network.
        mapping: "stylegan2", or "stylegan-xl" whose label goes through a table of features.
        embed_dim: length of those features (StyleGAN-XL); 0 otherwise.
        margin: pixels around the picture on every side of the features.
        bandwidth: highest frequency of the input, in cycles per picture width.
        conv_clamp: features are clamped to ± this; None for no clamp.
        output_scale: from the last features to the picture.
        num_fp16_res: layers of the highest so many octaves may run in half precision.
        ema_beta: how slowly the running magnitudes follow in training, per step.
        aspect: width over height of the picture and of all features, margins included: 1, or 0.5 as in StyleGAN-Human.
    """

    title = "StyleGAN3"

    mapping_layers: int = 2
    layers: tuple[LayerShape, ...] = ()
    mapping: str = "stylegan2"
    embed_dim: int = 0
    margin: int = 10
    bandwidth: float = FIRST_CUTOFF
    conv_clamp: float | None = 256.0
    output_scale: float = 0.25
    num_fp16_res: int = 4
    ema_beta: float = 0.999
    aspect: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("embed_dim", "margin", "num_fp16_res"):
            check_whole(name, getattr(self, name), least=0)
        for name in ("bandwidth", "output_scale"):
            check_above_zero(name, getattr(self, name))
        if self.conv_clamp is not None:
            check_above_zero("conv_clamp", self.conv_clamp)
        if not isinstance(self.ema_beta, int | float) or not 0 <= self.ema_beta <= 1:
            raise ValueError(f"ema_beta is from 0 to 1; {self.ema_beta!r} was given")
        check_choice("mapping", self.mapping, MAPPINGS)
        if self.aspect not in ASPECTS:
            raise ValueError(f"aspect is 1, or 0.5 for pictures twice as high as wide; {self.aspect!r} was given")
        try:
            layers = tuple(LayerShape(*layer) for layer in self.layers)
        except TypeError as error:
            raise ValueError(f"layers is a sequence of {', '.join(LayerShape._fields)}: {error}") from error
        object.__setattr__(self, "layers", layers)
        _check_layers(layers, self.margin)

    @property
    def num_ws(self) -> int:
        """Rows of w+: one for the input and one for each layer."""
        return len(self.layers) + 1

    @property
    def num_blocks(self) -> int:
        """The input and the layers."""
        return len(self.layers) + 1

    @property
    def resolution(self) -> int:
        """Pixels of the picture's longer side, its height."""
        return self.layers[-1].size

    @property
    def picture_size(self) -> tuple[int, int]:
        """Height and width of the picture."""
        return self.resolution, self.width(len(self.layers) - 1)

    @property
    def img_channels(self) -> int:
        """Colours of the picture."""
        return self.layers[-1].channels

    @property
    def input_size(self) -> int:
        """Pixels of the input features from top to bottom; those of the first layer."""
        return self.layers[0].size

    def width(self, i: int) -> int:
        """Pixels of layer i's output from left to right."""
        return int(self.layers[i].size * self.aspect)

    @property
    def rates(self) -> tuple[int, ...]:
        """Samples per picture width of each layer's output."""
        rates, rate = [], self.input_size - 2 * self.margin
        for layer in self.layers:
            rate = rate * layer.up // layer.down
            rates.append(rate)
        return tuple(rates)

    def layer_name(self, i: int) -> str:
        """ "L3_52_512": index, width and feature maps."""
        return f"L{i}_{self.width(i)}_{self.layers[i].channels}"

    def padding(self, i: int) -> tuple[int, int]:
        """Zeros (or, below zero, cropped samples) above and below layer i's upsampled features."""
        return self._padding(i, self.layers[max(i - 1, 0)].size, self.layers[i].size)

    def side_padding(self, i: int) -> tuple[int, int]:
        """The same on the left and on the right."""
        return self._padding(i, self.width(max(i - 1, 0)), self.width(i))

    def _padding(self, i: int, size: int, target: int) -> tuple[int, int]:
        """What takes `size` samples of one axis to `target` ones."""
        layer = self.layers[i]
        total = (
            (target - 1) * layer.down + 1 - (size + layer.kernel - 1) * layer.up + layer.up_taps + layer.down_taps - 2
        )
        before = (total + layer.up) // 2
        return before, total - before

    @property
    def oversampling(self) -> int:
        """Samples around the leaky ReLU per sample of the finer of a layer's two rates: 2, or 1 in variants without."""
        before = self.input_size - 2 * self.margin
        return self.layers[0].up * before // max(before, self.rates[0])

    @classmethod
    def create(
        cls,
        variant: str = "T",
        resolution: int = 256,
        *,
        channel_base: int | None = None,
        channel_max: int | None = None,
        img_channels: int = 3,
        num_layers: int = 14,
        filter_size: int = 6,
        **others: Any,
    ) -> StyleGAN3Config:
        """The published design at any resolution.

        Args:
            variant: "T" (translation: 3×3 convolutions) or "R" (translation and rotation: 1×1, radial filters, twice the
                feature maps).
            resolution: a power of two from 16.
            channel_base: feature maps × cutoff × 2; None is 32768 for T, 65536 for R (half of that in the 256-pixel
                models for unaligned faces).
            channel_max: most feature maps; None is 512 for T, 1024 for R.
            img_channels, num_layers, filter_size: colours, layers before the last, taps per upsampling phase.
            others: further settings of the config.
        """
        check_choice("variant", variant, VARIANTS)
        if resolution < 16 or resolution & (resolution - 1):
            raise ValueError(f"resolution is a power of two from 16; {resolution} was given")
        radial = variant == "R"
        base = channel_base or (65536 if radial else 32768)
        most = channel_max or (1024 if radial else 512)
        margin = others.get("margin", cls.margin)
        bands = design(resolution, num_layers)
        layers = []
        for i, band in enumerate(bands):
            last = i == num_layers
            layers.append(
                LayerShape(
                    channels=img_channels if last else int(np.rint(min(base / 2 / band.cutoff, most))),
                    kernel=1 if last or radial else 3,
                    radial=radial and not last and i < num_layers - CRITICAL,
                    **sampling(bands, i, margin, filter_size),
                )
            )
        return cls(layers=tuple(layers), **others)


def sampling(bands: Sequence[Band], i: int, margin: int, filter_size: int, oversampling: int = 2) -> dict[str, Any]:
    """What the bands say of the shape of layer i: its size, its factors and the taps of their filters."""
    last = i == len(bands) - 1
    before, own = bands[max(i - 1, 0)].rate, bands[i].rate
    inner = max(before, own) * (1 if last else oversampling)
    up, down = inner // before, inner // own
    return {
        "size": bands[-1].rate if i >= len(bands) - 2 else own + 2 * margin,
        "up": up,
        "down": down,
        "up_taps": filter_size * up if up > 1 and not last else 1,
        "down_taps": filter_size * down if down > 1 and not last else 1,
    }


def design(resolution: int, num_layers: int = 14) -> tuple[Band, ...]:
    """The bands of the layers 0 … num_layers: cutoff and stop band grow geometrically up to the critical layers."""
    bands = []
    for i in range(num_layers + 1):
        share = min(i / (num_layers - CRITICAL), 1)
        cutoff = FIRST_CUTOFF * (resolution / 2 / FIRST_CUTOFF) ** share
        stop = FIRST_STOPBAND * (resolution / 2 * LAST_STOPBAND / FIRST_STOPBAND) ** share
        rate = int(2 ** math.ceil(math.log2(min(2 * stop, resolution))))
        bands.append(Band(cutoff, max(stop, rate / 2) - cutoff, rate))
    return tuple(bands)


def infer_config(params: Mapping[str, Tensor], **hints: Any) -> StyleGAN3Config:
    """Read every size from the names and shapes of a state_dict in the names of the public PyTorch implementation.

    Args:
        params: names to tensors (mapping.*, synthesis.input.*, synthesis.L{i}_{size}_{channels}.*).
        hints: settings that shapes do not tell (conv_clamp, mapping_lr, margin, ...), and ``filter_size``, the taps of
            one upsampling phase, 6 in every published model.
    Raises:
        ValueError: a parameter that every StyleGAN3 has is missing, or two disagree.
    """
    shapes = Shapes(params, StyleGAN3Config.title)
    taps = hints.pop("filter_size", 6)
    names = sorted((int(match[1]), match[0]) for match in shapes.found(r"synthesis\.L(\d+)_\d+_\d+\.weight"))
    if not names or [i for i, _ in names] != list(range(len(names))):
        listed = [name.split(".")[1] for _, name in names]
        raise ValueError(f"layers synthesis.L0_..., L1_..., ... are expected; found {listed or 'none'}")
    w_dim = shapes("synthesis.input.affine.weight")[1]
    layers = [_layer(name.removesuffix(".weight"), shapes, taps) for _, name in names]
    aspect = hints.setdefault("aspect", _aspect(layers, hints.get("margin", StyleGAN3Config.margin)))
    found: dict[str, Any] = {"layers": tuple(layer._replace(size=round(layer.size / aspect)) for layer in layers)}
    beside, label = shapes.embedding(w_dim)
    if "mapping.embed_proj.weight" in shapes:
        beside, found["embed_dim"] = shapes("mapping.embed_proj.weight")
        found |= {"mapping": "stylegan-xl", "c_dim": shapes("mapping.embed.weight")[0]}
    else:
        found |= label
    return StyleGAN3Config(**{**found, **shapes.mapping(w_dim, beside), **hints})


def _layer(name: str, shapes: Shapes, taps: int) -> LayerShape:
    size, channels = (int(part) for part in name.rsplit("_", 2)[1:])
    weight = shapes(f"{name}.weight")
    if len(weight) != 4 or weight[0] != channels or weight[2] != weight[3]:
        raise ValueError(f"{name}.weight is [{channels}, in, k, k] by its name; {list(weight)} was found")
    keys = (f"{name}.{kind}_filter" for kind in ("up", "down"))
    filters = [shapes(key) if key in shapes else (1,) for key in keys]
    up, down = (line[0] // taps if line[0] > 1 else 1 for line in filters)
    if any(line[0] > 1 and (line[0] % taps or len(set(line)) > 1) for line in filters):
        raise ValueError(f"{name}: filters of {filters[0]} and {filters[1]} taps, expected are multiples of {taps}")
    return LayerShape(size, channels, up, down, filters[0][0], filters[1][0], weight[2], len(filters[1]) == 2)


def _aspect(layers: Sequence[LayerShape], margin: int) -> float:
    """Width over height, of the widths and factors of the layers.

    Widths are a·(rate + 2·margin) and that of the picture is a·rate, while rates follow from the first one by the factors
    up and down. So the first width over the last tells the first rate, and that tells a.
    """
    grown = math.prod(layer.up for layer in layers) / math.prod(layer.down for layer in layers)
    excess = layers[0].size / layers[-1].size * grown - 1
    if excess <= 0:
        return 1.0
    rate = 2 * margin / excess
    return next((a for a in ASPECTS if math.isclose(layers[-1].size, a * rate * grown, rel_tol=1e-6)), 1.0)


def _check_layers(layers: Sequence[LayerShape], margin: int) -> None:
    if len(layers) < 2:
        raise ValueError("layers has one entry for each layer, two or more; StyleGAN3Config.create(...) makes them")
    for i, layer in enumerate(layers):
        for name, value in zip(LayerShape._fields[:-1], layer[:-1], strict=True):
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1 << 16:
                raise ValueError(f"{name} of layer {i} is a whole number from 1; {value!r} was given")
    if layers[0].size <= 2 * margin:
        raise ValueError(f"layer 0 has {layers[0].size} pixels, which the margins of {margin} use up")
