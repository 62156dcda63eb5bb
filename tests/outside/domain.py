"""A domain of one's own: what there is to read in waves."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from stylewidgets import domain


def read(pictures: Tensor) -> Tensor:
    """Pictures [N, 3, H, W] in about [-1, 1] → readings [N, 3]; differentiable, so channels can be ranked by gradient."""
    red, _, blue = pictures.mean((2, 3)).unbind(1)
    return torch.stack([pictures.mean((1, 2, 3)), pictures.std((1, 2, 3)), red - blue], dim=1)


class Tones:
    """Says which pixel is dark and which is bright."""

    names = ("dark", "bright")

    def __call__(self, picture: domain.Pixels) -> domain.Pixels:
        return (picture.mean(axis=2) > 127.5).astype(np.uint8)


# Whatever is left out is not there, and what would need it is not offered.
domain.register(
    domain.Domain(
        "waves",
        noun="pattern",
        fits=lambda metadata: metadata.get("name") == "waves",  # asked only where the weights state no domain
        reader=lambda: domain.Reader(("brightness", "contrast", "warmth"), read),
        segmenter=Tones,
    )
)
