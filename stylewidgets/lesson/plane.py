"""The loss over two directions, with the path of a search on it (after Li et al., NeurIPS 2018)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..session.session import GeneratorSession

Array = NDArray[np.float64]
Loss = Callable[[Tensor, Tensor], Tensor]
BATCH = 32


@dataclass(frozen=True, eq=False)
class Landscape:
    """A plane in w and the loss on it.

    Attributes:
        x, y: places along the two directions, in units of w, [X] and [Y].
        values: loss there, [Y, X].
        path: the search's steps on the plane, [steps, 2].
        losses: what they cost where they really were, [steps].
        off: of each step, the share of its way from the end that the plane does not show, [steps].
    """

    x: Array
    y: Array
    values: Array
    path: Array
    losses: Array
    off: Array

    def at(self, place: Sequence[float]) -> float:
        """The loss of the nearest place that was computed."""
        i = int(np.abs(self.x - place[0]).argmin())
        return float(self.values[int(np.abs(self.y - place[1]).argmin()), i])


def landscape(
    session: GeneratorSession, target: Tensor, path: Sequence[Tensor], loss: Loss, size: int = 25, room: float = 0.3
) -> Landscape:
    """The loss around a path in w.

    The plane goes through the path's end. Its first direction is the one to the beginning; the second is where the steps are
    furthest off that line (their first principal component beside it).

    Args:
        target: the picture [1, 3, H, W] in [-1, 1].
        path: w [w_dim] or [1, w_dim] of each step, two at least that differ.
        loss: (pictures [N, 3, H, W], target [1, 3, H, W]) → a loss; called with one picture at a time, so it may be any.
        size: places along each direction.
        room: added around the path on each side, as a share of its length.

    Raises:
        ValueError: a path that goes nowhere.
    """
    steps = torch.stack([w.detach().reshape(-1) for w in path])
    end = steps[-1]
    axes = _plane(steps - end)
    places = (steps - end) @ axes.T
    margin = room * float(places.abs().max())
    x, y = (np.linspace(float(c.min()) - margin, float(c.max()) + margin, size) for c in places.T)
    grid = torch.stack(torch.meshgrid(_tensor(x, end), _tensor(y, end), indexing="xy"), dim=-1).reshape(-1, 2)
    values = _losses(session, target, end + grid @ axes, loss)
    away = (steps - end).norm(dim=1)
    left = (steps - end - places @ axes).norm(dim=1) / away.clamp_min(1e-12)
    return Landscape(
        x,
        y,
        values.reshape(size, size),
        places.double().cpu().numpy(),
        _losses(session, target, steps, loss),
        torch.where(away > 0, left, torch.zeros_like(left)).double().cpu().numpy(),
    )


def _plane(away: Tensor) -> Tensor:
    """Two unit vectors [2, w_dim] at right angles."""
    if not bool(away.abs().sum() > 0):
        raise ValueError("a path that goes nowhere has no landscape; give one whose steps differ")
    first = away[0] if bool(away[0].norm() > 0) else away[int(away.norm(dim=1).argmax())]
    first = first / first.norm()
    rest = away - (away @ first)[:, None] * first
    if float(rest.norm()) < 1e-5 * float(away.norm()):  # a straight line: any second direction will do
        rest = torch.eye(len(first), dtype=first.dtype, device=first.device)[:2]
        rest = rest - (rest @ first)[:, None] * first
    second = torch.linalg.svd(rest, full_matrices=False)[2][0]
    return torch.stack([first, second])


@torch.no_grad()
def _losses(session: GeneratorSession, target: Tensor, w: Tensor, loss: Loss) -> Array:
    found = []
    for part in torch.split(w, BATCH):
        found += [float(loss(picture[None], target)) for picture in session.synthesize(part)]
    return np.array(found)


def _tensor(values: Array, like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device)
