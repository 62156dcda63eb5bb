"""What a channel is, as a picture: a map of features, the number that says how strongly it counts, and the picture without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from ..core.checks import unknown_name
from ..session.session import GeneratorSession
from .pictures import panels, pixels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..latent.latent import Latent

FAR = 40.0
"""Grey levels at which the map of changes is brightest."""


def channel_figure(session: GeneratorSession, latent: Latent, layer: str = "b32.conv1", count: int = 6) -> Figure:
    """Channels of one convolution, a column each: what reaches it, with its style; the picture without it; where that differs.

    The channels shown are those whose absence changes the picture most.

    Raises:
        ValueError: no such convolution, or the first one, which no other one comes before.
    """
    convolutions = [one.name for one in session.layers if one.kind == "conv"]
    if layer not in convolutions[1:]:
        raise unknown_name("convolution with one before it", layer, convolutions[1:])
    place = [one.name for one in session.layers].index(layer)
    before = convolutions[convolutions.index(layer) - 1]
    with torch.no_grad(), session.lock:
        styles = session.code_styles(latent)
        maps = session.activations(latent, [before])[before].x[0].float().cpu().numpy()
        whole = pixels(session.synthesize(styles))
        without = [pixels(session.synthesize(_without(styles, place, k))) for k in range(styles[place].shape[1])]
    changes = [np.abs(whole.astype(float) - one).mean(axis=2) for one in without]
    chosen = np.argsort([-change.mean() for change in changes])[:count]
    figure, axes = panels(count + 1, 1.35, 4.4, rows=3)
    _show(axes[0][0], whole, "the picture")
    for row in (1, 2):
        axes[row][0].axis("off")
    for column, k in enumerate(chosen, start=1):
        _show(axes[0][column], maps[k], f"map {k}\nstyle {float(styles[place][0, k]):.2f}")
        _show(axes[1][column], without[k], "without it")
        _show(axes[2][column], np.clip(changes[k] / FAR, 0, 1), "what it drew")
    return figure


def _without(styles: list[torch.Tensor], place: int, channel: int) -> list[torch.Tensor]:
    changed = list(styles)
    changed[place] = styles[place].clone()
    changed[place][0, channel] = 0
    return changed


def _show(axis, picture: np.ndarray, title: str) -> None:  # type: ignore[no-untyped-def]  # matplotlib has no types
    axis.imshow(picture, cmap="gray")
    axis.set_title(title, fontsize=8)
    axis.axis("off")
