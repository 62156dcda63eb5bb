"""What settings that are left open become, for one generator: the layer, radii in pixels, the step, and the axes of w."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ...core.checks import unknown_name
from ...session.session import GeneratorSession

SAMPLES = 2000
"""Of w, to measure its spread by."""
LR, PUBLISHED_LR = 0.01, 0.002
"""Steps in spreads of w, and in plain numbers of w."""


class Suited(NamedTuple):
    """What a drag goes by.

    Attributes:
        layer: whose features are followed.
        rows: of w+ that move, from the first.
        motion_radius, track_radius: r₁ and r₂, pixels of the picture.
        lr: step size, in spreads of w along its axes, or in plain numbers of w.
        axes: [w_dim, w_dim], a row for each principal axis of w with its spread as length; None for plain numbers.
    """

    layer: str
    rows: int
    motion_radius: int
    track_radius: int
    lr: float
    axes: Tensor | None


def suited(session: GeneratorSession, settings: Mapping[str, Any], side: int) -> Suited:
    """What a drag on a picture of this longer side goes by.

    Args:
        settings: all of `settings.SETTINGS`, checked.

    Raises:
        ValueError: there is no such layer.
    """
    layer, rows = _layer(session, settings["layer"], side)
    plain = settings["published"] or settings["unit"] == "w"
    return Suited(
        layer,
        min(settings["rows"] or rows, session.num_ws),
        settings["motion_radius"] or max(3, round(side / 16)),
        settings["track_radius"] or max(6, round(side * 12 / 512)),
        settings["lr"] or (PUBLISHED_LR if plain else LR),
        None if plain else axes(session),
    )


def axes(session: GeneratorSession) -> Tensor:
    """The principal axes of w, each as long as w is spread along it, [w_dim, w_dim]; measured once for each generator.

    Code in these coordinates has spread 1 along every axis, so a step of Adam goes further where faces differ much, hardly at
    all where they never do, and its size means the same for every generator.
    """

    def measured() -> Tensor:
        with torch.inference_mode(False), torch.no_grad():
            w: Tensor = session.sample_w(SAMPLES, seed=0).double()
            w = w - w.mean(0)
            spread, vectors = torch.linalg.eigh(w.T @ w / len(w))
            found: Tensor = (spread.clamp_min(0).sqrt()[:, None] * vectors.T).float()
            return found

    return session.remembered("axes of w", measured, "mapping")


def _layer(session: GeneratorSession, name: str, side: int) -> tuple[str, int]:
    """The layer whose features are followed, and how many rows of w+ they depend on.

    Raises:
        ValueError: there is no such layer, or nothing to be seen after it.
    """
    layers = session.layers
    if not name:
        # The rim of StyleGAN3 counts among the pixels of a layer.
        largest = max(min(side // 4, 128), layers[0].resolution)
        name = [layer.name for layer in layers if layer.kind != "torgb" and layer.resolution <= largest][-1]
    names = [layer.name for layer in layers]
    if name not in names:
        raise unknown_name("layer", name, names)
    k = names.index(name)
    # Colours are no part of the features, but for a layer that is one itself.
    return name, 1 + max(layer.ws_index for layer in (*(x for x in layers[:k] if x.kind != "torgb"), layers[k]))
