"""What a generator's layers show: which of them can be seen, and what they made of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ...latent.latent import Latent

if TYPE_CHECKING:
    from ...session.session import GeneratorSession


def seen(session: GeneratorSession) -> list[str]:
    """The convolutions after which there are features to be seen: all, or of StyleGAN, whose blocks run as a whole, the last
    of each block. Channels of the others belong to no part."""
    convs = [layer for layer in session.layers if layer.kind != "torgb"]

    def tried() -> list[str]:
        try:
            session.activations(session.latent(), [convs[0].name], exact=True)
        except ValueError:
            return list({layer.block: layer.name for layer in convs}.values())
        return [layer.name for layer in convs]

    return session.remembered("layers to be seen", tried)


def quarter(session: GeneratorSession) -> str:
    """The last layer that can be seen of at most a quarter of the picture's side."""
    side, there = max(session.resolution // 4, session.layers[0].resolution), seen(session)
    return [layer.name for layer in session.layers if layer.name in there and layer.resolution <= side][-1]


@torch.no_grad()
def features(session: GeneratorSession, latent: Latent, layer: str) -> Tensor:
    """What a layer made of a picture, float32 [1, C, h, w]."""
    return session.activations(latent, [layer], exact=True)[layer].x.float()
