"""What the optimiser and the mapper minimise, and the published optimiser's schedule (Patashnik et al. 2021)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

VIEW = 224
"""Pixels of a side that public CLIP sees."""


def published_view(pictures: Tensor, side: int = VIEW) -> Tensor:
    """What the published losses show to CLIP: each pixel repeated 7 times each way, then means over size/32: [N, 3, 224, 224].

    It is one matrix on either side, so that no picture of 7,168 px is ever made. Values stay from −1 to 1.

    Args:
        pictures: [N, 3, H, W] of any size.
        side: of the result.
    """
    rows, columns = (_means(int(size), side, pictures) for size in pictures.shape[-2:])
    return torch.einsum("ih,nchw,jw->ncij", rows, pictures, columns)


def _means(size: int, side: int, like: Tensor) -> Tensor:
    """[side, size]: the part that each pixel has in each mean."""
    edges = torch.arange(side + 1, dtype=torch.float64, device="cpu") * size / side
    first = torch.arange(size, dtype=torch.float64, device="cpu")
    left = torch.maximum(edges[:-1, None], first)
    right = torch.minimum(edges[1:, None], first + 1)
    return ((right - left).clamp_min(0) * side / size).to(like)


def words_loss(pictures: Tensor, text: Tensor) -> Tensor:
    """1 − cosine, [N], of embeddings [N, d] of length 1 and one [1, d] of a text."""
    return 1 - (pictures * text).sum(dim=1)


def stay_loss(code: Tensor, start: Tensor) -> Tensor:
    """The sum of squares that a code moved, [N]: of w+ over rows and numbers, of s over the channels of all layers."""
    return (code - start).square().flatten(1).sum(dim=1)


def same_loss(drawn: Tensor, start: Tensor) -> Tensor:
    """1 − cosine, [N], of identity embeddings [N, d] that need not have length 1."""
    return 1 - torch.cosine_similarity(drawn, start, dim=1)


def learning_rate(step: int, steps: int, rate: float, rise: float = 0.05, fall: float = 0.25) -> float:
    """The published schedule at the step-th step, from 0: a straight rise, and a half cosine down at the end.

    t is step / steps, so that the first step has rate 0 and changes nothing.
    """
    t = step / steps
    down = 0.5 - 0.5 * math.cos(math.pi * min(1.0, (1 - t) / fall))
    return rate * down * min(1.0, t / rise)
