"""What settings that are left open become, for one generator: the layer, radii in pixels, the step, and the axes of w."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ...session.session import GeneratorSession
from .choices import choices

SAMPLES = 2000
"""Of w, to measure its spread by."""


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
    found = choices(session, settings, side)
    return Suited(*found[:-1], axes=None if found.plain else axes(session))


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
