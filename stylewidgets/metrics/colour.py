"""CIELAB, in which equal distances are about equally visible."""

from __future__ import annotations

import torch
from torch import Tensor

_TO_XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
_WHITE = (0.95047, 1.0, 1.08883)
"""D65, for the observer of 2°."""


def cielab(pictures: Tensor) -> Tensor:
    """sRGB [N, 3, H, W] in [-1, 1] → L* from 0 to 100, a* and b*, [N, 3, H, W] (CIE 15, white D65).

    The helper that came with "Editing in Style" multiplies by the transposed matrix, so that its white is green; figures
    made with it are other ones.
    """
    rgb = ((pictures.float() + 1) / 2).clamp(0, 1)
    linear = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    matrix, white = linear.new_tensor(_TO_XYZ), linear.new_tensor(_WHITE)
    t = torch.einsum("ij,njhw->nihw", matrix, linear) / white[:, None, None]
    f = torch.where(t > (6 / 29) ** 3, t.clamp_min(1e-9) ** (1 / 3), t / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = f.unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)


def colour_difference(a: Tensor, b: Tensor) -> Tensor:
    """ΔE*ab of two sets of pictures [N, 3, H, W] in [-1, 1], [N, H, W] (CIE 1976): about 2 is what an eye just sees."""
    found: Tensor = torch.linalg.vector_norm(cielab(a) - cielab(b), dim=1)
    return found
