"""A search to be watched: where it is on the landscape of the loss, and what it draws there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import traitlets
from PIL import Image
from torch import Tensor

from ...core import pictures
from ...session.session import GeneratorSession
from ...widgets.kit.views.esm import script, style
from ...widgets.kit.views.page import View
from ..plane import Landscape

_HERE = Path(__file__).parent
FRAMES = 61
"""Steps that are shown at most, evenly spaced, the first and the last among them."""


class PathPlayer(View):
    """A slider over the steps of a search.

    Args:
        session: the generator.
        target: [1, 3, H, W] in [-1, 1].
        path: w of each step.
        land: of `landscape`, of the same path.
    """

    _esm = script() + (_HERE / "path.js").read_text(encoding="utf-8")
    _css = style() + (_HERE / "path.css").read_text(encoding="utf-8")

    map: Any = traitlets.Bytes().tag(sync=True)
    """The landscape as an encoded picture; y grows downwards in it."""
    places: Any = traitlets.List().tag(sync=True)
    """Of each step shown, [across, down] as shares of the map."""
    steps: Any = traitlets.List().tag(sync=True)
    """Their numbers."""
    losses: Any = traitlets.List().tag(sync=True)
    frames: Any = traitlets.List().tag(sync=True)
    """What each draws, encoded."""
    target: Any = traitlets.Bytes().tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    """Which of the steps shown is in sight, counted from 0."""

    def __init__(self, session: GeneratorSession, target: Tensor, path: Sequence[Tensor], land: Landscape) -> None:
        chosen = np.unique(np.linspace(0, len(path) - 1, min(FRAMES, len(path))).round().astype(int))
        drawn = [_bytes(session.synthesize(path[i].reshape(1, -1))) for i in chosen]
        across = (land.path[chosen, 0] - land.x[0]) / np.ptp(land.x)
        down = (land.path[chosen, 1] - land.y[0]) / np.ptp(land.y)
        super().__init__(
            map=_heat(land),
            places=np.stack([across, down], 1).round(4).tolist(),
            steps=chosen.tolist(),
            losses=[float(land.losses[i]) for i in chosen],
            frames=drawn,
            target=_bytes(target),
            step=len(chosen) - 1,
        )


def _bytes(picture: Tensor) -> bytes:
    from ..pictures import pixels

    return pictures.encoded(Image.fromarray(pixels(picture)), "JPEG", quality=92)


def _heat(land: Landscape) -> bytes:
    from matplotlib import colormaps

    level = np.log(np.maximum(land.values, 1e-6))
    shade = (level - level.min()) / max(float(np.ptp(level)), 1e-12)
    return pictures.encoded(Image.fromarray((255 * colormaps["viridis_r"](shade)[..., :3]).astype(np.uint8)), "PNG")
