"""What one channel does to one picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..latent.latent import Direction, Latent
from ..latent.move import Move
from ..session.drawing import joined_styles
from ..session.session import GeneratorSession
from ..session.synthesis import to_uint8
from .channel import Channel
from .directions import Effect, edit_direction
from .samples import Statistics

_BATCH = 16


def effect(
    session: GeneratorSession,
    latent: Latent,
    channel: Channel,
    sigmas: Sequence[float] = (-3, 0, 3),
    *,
    stats: Statistics,
) -> Effect:
    """Pictures with ``s_c + sigma * std_c`` for one channel c, all other styles and the noise as they are.

    Args:
        sigmas: strengths in standard deviations of the channel.
        stats: of `statistics`.

    Raises:
        ValueError: no such channel, or a latent that does not fit.
    """
    return direction_effect(session, latent, edit_direction(session, {channel: 1.0}, stats), sigmas)


def direction_effect(
    session: GeneratorSession, latent: Latent, direction: Direction, sigmas: Sequence[float] = (-3, 0, 3)
) -> Effect:
    """As `effect`, along any direction in s or w."""
    strengths = np.asarray(sigmas, np.float32).reshape(-1)
    name = direction.name
    there = any(e.identity == (Move.kind, name) for e in latent.edits)
    base, offset = (latent.without_edit(name, Move.kind), latent.strength(name, Move.kind)) if there else (latent, 0.0)
    latents = [base.with_edit(direction, offset + float(x)) for x in strengths]
    drawn = draw(session, [latent, *latents])
    change = (drawn[1:] - drawn[:1]).abs().mean(dim=1) if len(latents) else drawn[:1, 0] * 0
    return Effect(to_uint8(drawn[1:]), change.amax(dim=0).mul(127.5).cpu().numpy(), strengths)


def draw(session: GeneratorSession, latents: Sequence[Latent]) -> Tensor:
    """Pictures [n, C, H, W] of about [-1, 1] of latents that share noise and transform, without gradients."""
    first = latents[0]
    parts = []
    for start in range(0, len(latents), _BATCH):
        with torch.inference_mode():
            styles = joined_styles(session, latents[start : start + _BATCH])
            parts.append(draw_like(session, styles, first))
    return torch.cat(parts)


def draw_like(session: GeneratorSession, styles: Sequence[Tensor], latent: Latent) -> Tensor:
    """Pictures [n, C, H, W] of styles with the noise and the view of a latent; differentiable."""
    return session.synthesize(
        styles, noise_mode=latent.noise_mode, noise_seed=latent.noise_seed, transform=latent.transform
    )
