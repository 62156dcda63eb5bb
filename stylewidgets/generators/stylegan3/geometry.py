"""Rates and filters of StyleGAN3's layers: as they were designed (Karras et al., NeurIPS 2021, section 3.2 and appendix C), and
capped for previews.

Features are signals below a known frequency. A layer with fewer samples does the same to what they can still carry, so a
network whose outer layers are capped at a lower rate makes about the whole picture made smaller. A 1×1 kernel stays what it
is; the taps of a 3×3 kernel then lie closer together than samples and are resampled. With avatar-64-stylegan3 a
picture of 32 pixels is 4.4 levels of 255 off the whole one.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from .config import LAST_STOPBAND, Band, StyleGAN3Config, design, sampling
from .filters import low_pass, radial_low_pass


class Geometry(NamedTuple):
    """What a layer does between convolution and result.

    Attributes:
        up, down: factors around the leaky ReLU.
        padding: zeros (or, below zero, cropped samples) above and below the upsampled features.
        side_padding: the same on the left and on the right.
        up_filter, down_filter: None for none.
        spacing: of the taps of a 3×3 kernel, in samples of the input: 1, or less where the rate is capped.
    """

    up: int
    down: int
    padding: tuple[int, int]
    side_padding: tuple[int, int]
    up_filter: Tensor | None
    down_filter: Tensor | None
    spacing: float = 1.0


def known_bands(config: StyleGAN3Config) -> tuple[Band, ...] | None:
    """The bands of the published design where the config follows it, else None: then the filters come with the weights."""
    bands = design(config.resolution, len(config.layers) - 1)
    return bands if tuple(band.rate for band in bands) == config.rates else None


def filters(config: StyleGAN3Config, i: int, bands: tuple[Band, ...] | None) -> tuple[Tensor | None, Tensor | None]:
    """Filters of layer i: up for the band of its input, down for its own."""
    shape, own = config.layers[i], config.rates[i]
    if i == len(config.layers) - 1:
        return None, None
    before = config.rates[i - 1] if i else config.input_size - 2 * config.margin
    source, target = (bands[max(i - 1, 0)], bands[i]) if bands else (_plain(before), _plain(own))
    inner = before * shape.up
    kind = radial_low_pass if shape.radial else low_pass
    return (
        low_pass(shape.up_taps, source.cutoff, source.half_width, inner) if shape.up_taps > 1 else None,
        kind(shape.down_taps, target.cutoff, target.half_width, inner) if shape.down_taps > 1 else None,
    )


def _plain(rate: int) -> Band:
    """Half of what the rate can carry, for a design that is not known."""
    return Band(rate / 4, rate / 4, rate)


def can_be_reduced(config: StyleGAN3Config) -> bool:
    """Whether `reduced` can be asked: the bands are known, and the kernels are 1×1 or 3×3."""
    return known_bands(config) is not None and all(layer.kernel in (1, 3) for layer in config.layers)


@lru_cache(maxsize=8)
def reduced(config: StyleGAN3Config, rate: int, device: torch.device) -> tuple[Geometry, ...]:
    """The layers with at most ``rate`` samples per picture width; the last two make a picture of so many pixels."""
    bands = known_bands(config)
    assert bands is not None
    capped = [band if band.rate <= rate else _capped(band, rate) for band in bands]
    taps = next((layer.up_taps // layer.up for layer in config.layers if layer.up_taps > 1), 1)
    over = config.oversampling
    shapes = (layer._replace(**sampling(capped, i, config.margin, taps, over)) for i, layer in enumerate(config.layers))
    small = replace(config, layers=tuple(shapes))
    made = []
    for i, shape in enumerate(small.layers):
        with torch.inference_mode(False):  # kept, and perhaps used with gradients later
            up_filter, down_filter = (None if f is None else f.to(device) for f in filters(small, i, tuple(capped)))
        spacing = min(1.0, rate / bands[max(i - 1, 0)].rate)
        padding, sides = small.padding(i), small.side_padding(i)
        made.append(Geometry(shape.up, shape.down, padding, sides, up_filter, down_filter, spacing))
    return tuple(made)


def _capped(band: Band, rate: int) -> Band:
    """As the design has its last layers: all that the rate can carry, with its transition half beyond."""
    cutoff = min(band.cutoff, rate / 2)
    return Band(cutoff, min(band.cutoff + band.half_width, rate / 2 * LAST_STOPBAND) - cutoff, rate)


def resampled(weight: Tensor, spacing: float) -> Tensor:
    """A kernel [..., 3, 3] whose taps are ``spacing`` samples apart as one whose taps are one apart.

    Both do the same to polynomials of second degree along each axis.
    """
    near, far, between = spacing * (spacing + 1) / 2, spacing * (spacing - 1) / 2, 1 - spacing**2
    axis = weight.new_tensor([[near, 0.0, far], [between, 1.0, between], [far, 0.0, near]])
    return axis @ weight @ axis.t()
