"""The same shift and turn for a StyleGAN3 and for a StyleGAN2, and the strip of pixels over time that shows what sticks.

After Karras et al., "Alias-Free Generative Adversarial Networks" (NeurIPS 2021), figure 1 and section 1: coarse features of a
generator are moved, and everything should move with them. Where it does not, details are tied to pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ...generators.protocol import State
from ...latent.view import Transform
from ...session.session import GeneratorSession

COARSE = 16
"""Pixels of the features that are moved in a generator without a `Transform`. What is larger than a 16th of the picture, the head
and its features, is decided there; what comes behind draws it finely, and is what may stick."""


class Moved(NamedTuple):
    """Pictures [T, 3, H, W], the same still picture moved as a picture, and where that is known [T, 1, H, W]."""

    drawn: Tensor
    meant: Tensor
    known: Tensor


@torch.inference_mode()
def moved(session: GeneratorSession, w: Tensor, views: Sequence[Transform]) -> Moved:
    """The picture of `w` [1, w_dim], moved inside of the generator: once for each view. Constant noise, float32."""
    still = session.synthesize(w, exact=True)
    if session.view_kind is Transform:
        drawn = [session.synthesize(w, transform=view, exact=True) for view in views]
    else:
        layer = coarse_layer(session)
        (state,) = session.activations(w, [layer], exact=True).values()
        drawn = [session.synthesize(w, start=(layer, shifted(state, view)), exact=True) for view in views]
    meant = [shift(still, view) for view in views]
    inside = [shift(torch.ones_like(still[:, :1]), view, edge="zeros") > 0.999 for view in views]
    return Moved(torch.cat(drawn), torch.cat(meant), torch.cat(inside))


def coarse_layer(session: GeneratorSession) -> str:
    """The last layer with features of `COARSE` pixels. ValueError for a generator that has none."""
    found = [layer.name for layer in session.layers if layer.resolution == COARSE and layer.kind != "torgb"]
    if not found:
        raise ValueError(f"{session.name or 'this generator'} has no features of {COARSE} pixels to move")
    return found[-1]


def shifted(state: State, view: Transform) -> State:
    """Features, and the picture so far where there is one, moved alike."""
    return State(shift(state.x, view), None if state.img is None else shift(state.img, view))


def shift(maps: Tensor, view: Transform, *, edge: str = "border") -> Tensor:
    """Maps [N, C, H, W] moved as a picture would be: cubic, and continued at the edge by its last pixels."""
    back = torch.linalg.inv(torch.as_tensor(view.matrix(), dtype=torch.float64, device="cpu"))
    # Pixel positions go from -1 to 1 here, and from -1/2 to 1/2 in a view.
    grid = F.affine_grid(
        torch.cat([back[:2, :2], 2 * back[:2, 2:]], dim=1)[None].to(maps), [1, *maps.shape[1:]], align_corners=False
    )
    how = "bicubic" if edge == "border" else "bilinear"
    return F.grid_sample(maps, grid.expand(len(maps), -1, -1, -1), mode=how, padding_mode=edge, align_corners=False)


def signal(moved: Moved) -> float:
    """Peak signal-to-noise ratio in decibels between moving inside of the generator and moving the picture."""
    known = moved.known.expand_as(moved.drawn)
    error = (moved.drawn - moved.meant)[known].double().square().mean()
    return 10 * math.log10(4 / max(float(error), 1e-20))


def strip(pictures: Tensor, row: int) -> Tensor:
    """Pictures [T, 3, H, W] → one row of each, one under the other [3, T, W]. Where all moves alike, edges run slantwise."""
    return pictures[:, :, row].transpose(0, 1)
