"""The effect of one channel as a figure for a paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ... import stylespace
from ...latent.latent import Latent
from ...stylespace import Channel
from ..kit.controls.heat import heat_over
from .search import base_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...session.session import GeneratorSession
    from ...stylespace import Statistics


def effect_figure(
    session: GeneratorSession, latent: Latent, channel: Channel, statistics: Statistics, sigmas: Sequence[float]
) -> Figure:
    """Return a `matplotlib.figure.Figure`: the pictures at the given strengths, the heat map, and the distribution.

    Strengths count from the latent without an edit of this channel.
    """
    from matplotlib.figure import Figure

    base = base_of(latent, channel.flat(session.layers))
    found = stylespace.effect(session, base, channel, tuple(sigmas), stats=statistics)
    figure = Figure(figsize=(2.0 * (len(sigmas) + 1) + 2.6, 2.4), layout="constrained")
    axes = figure.subplots(1, len(sigmas) + 2, width_ratios=[1] * (len(sigmas) + 1) + [1.3])
    middle = found.pictures[int(np.argmin(np.abs(sigmas)))]
    titles = [f"{sigma:+g} σ" if sigma else "0" for sigma in sigmas]
    shown = zip(axes, [*found.pictures, heat_over(middle, found.heat)], [*titles, "change"], strict=False)
    for axis, picture, title in shown:
        axis.imshow(picture, interpolation="nearest" if max(picture.shape[:2]) < 128 else None)
        axis.set_title(title, fontsize=9)
        axis.axis("off")
    _distribution(axes[-1], session, latent, channel, statistics)
    figure.suptitle(f"channel {channel.paper} ({channel.name(session.layers)})", fontsize=10)
    return figure


def _distribution(
    axes: Axes, session: GeneratorSession, latent: Latent, channel: Channel, statistics: Statistics
) -> None:
    flat = channel.flat(session.layers)
    samples = (statistics.samples(channel) - statistics.mean[flat]) / statistics.std[flat]
    axes.hist(samples, bins=40, color="#5b8def")
    axes.axvline(float(statistics.in_sigma(session.code_styles(latent))[flat]), color="#d9480f", linewidth=2)
    axes.set_yticks([])
    axes.set_xlabel("σ", fontsize=9)
    axes.set_title("distribution, present value", fontsize=9)
