"""An avatar of given factors as pixels."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from ..avatars.drawing.renderer import render
from ..avatars.world.dataset import to_uint8


def avatar(factors: NDArray[np.float32], resolution: int) -> NDArray[np.uint8]:
    """One row of factors [1, F] → uint8 [resolution, resolution, 3]."""
    image = render(torch.from_numpy(factors), resolution, outputs=("image",)).image
    return np.ascontiguousarray(to_uint8(image)[0].permute(1, 2, 0).numpy())
