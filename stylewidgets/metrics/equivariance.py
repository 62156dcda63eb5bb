"""EQ-T: how exactly a picture moves when it is asked to (Karras et al., "Alias-Free Generative Adversarial Networks", 2021)."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from ..latent.view import IDENTITY, Transform
from ..session.session import GeneratorSession

SHARE = 1 / 8
PEAK = 2.0  # from -1 to 1


@torch.inference_mode()
def translation_equivariance(session: GeneratorSession, samples: int = 64, *, seed: int = 0, batch: int = 4) -> float:
    """Peak signal-to-noise ratio in decibels between moving inside of the generator and moving its pictures; more is better.

    Pictures are moved by random whole numbers of pixels, up to an eighth of their side along each axis, once by
    a `Transform` and once as pictures; what both show is compared: EQ-T of the paper, whose StyleGAN3-T reach 60 to 67
    on photographs. Constant noise, no truncation.

    Args:
        session: a GeneratorSession whose ``view_kind`` is `Transform`; labels are those of its classes in turn.
        samples: pictures.
        seed: of the pictures and of the distances.
        batch: pictures that are moved alike.

    Raises:
        ValueError: the generator cannot move its pictures, or no samples are asked for.
    """
    if session.view_kind is not Transform:
        raise ValueError(f"{session.name or 'this generator'} cannot move its pictures; only StyleGAN3 generators can")
    if samples < 1:
        raise ValueError(f"samples is a whole number from 1; {samples} was given")
    random = np.random.RandomState(seed)
    most, size = max(1, int(session.resolution * SHARE)), session.resolution
    z = torch.from_numpy(random.randn(samples, session.z_dim).astype(np.float32)).to(session.device)
    labels = session.each_class(samples)
    total, count = 0.0, 0
    for start in range(0, samples, batch):
        rows = slice(start, start + batch)
        right, down = (int(d) for d in random.randint(-most, most + 1, 2))
        w = session.map_z(z[rows], None if labels is None else labels[rows])
        still, moved = (
            session.synthesize(w, transform=view, exact=True)
            for view in (IDENTITY, Transform(right / size, down / size))
        )
        error = (part(moved, right, down) - part(still, -right, -down)).double().square()
        total, count = total + float(error.sum()), count + error.numel()
    return 10 * math.log10(PEAK**2 / max(total / count, 1e-20))


def part(image: Tensor, right: int, down: int) -> Tensor:
    """What is left of pictures when the first ``right`` columns and ``down`` rows go, the last ones for numbers below 0."""
    h, w = image.shape[2:]
    return image[:, :, max(0, down) : h + min(0, down), max(0, right) : w + min(0, right)]
