"""L-BFGS (Nocedal, "Updating Quasi-Newton Matrices with Limited Storage", 1980) on N problems at once.

Every problem has its own curvature, step length and backtracking, so a batch is as many single runs. A state never changes:
`update` gives the next one, and whoever is interrupted still has the one before.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

DECREASE = 1e-4  # Armijo's condition: this share of what the slope promises is enough
SHRINK = 0.4
SHORTEST = 1e-4


@dataclass(frozen=True, eq=False)
class State:
    """Where N descents are.

    Attributes:
        x, value, slope: the best points [N, D], their values [N] and gradients [N, D].
        direction, length: where the next trial is: x + length · direction.
        scale: [N], the inverse curvature that is assumed where nothing is known.
        moves, changes, weights: the last moves [N, D], what they changed in the slope, and 1 / (move · change), 0 where a
            move is to be passed over.
    """

    x: Tensor
    value: Tensor
    slope: Tensor
    direction: Tensor
    length: Tensor
    scale: Tensor
    moves: tuple[Tensor, ...] = ()
    changes: tuple[Tensor, ...] = ()
    weights: tuple[Tensor, ...] = ()

    def trial(self) -> Tensor:
        """Where to evaluate next, [N, D]."""
        return self.x + self.length[:, None] * self.direction

    def to_dict(self) -> dict[str, Any]:
        """Tensors and lists of tensors."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_dict(cls, given: dict[str, Any], device: torch.device) -> State:
        """The inverse of `to_dict`."""
        moved: dict[str, Any] = {
            name: v.to(device) if isinstance(v, Tensor) else tuple(t.to(device) for t in v) for name, v in given.items()
        }
        return cls(**moved)


def begin(x: Tensor, value: Tensor, slope: Tensor) -> State:
    """A state at x; the first trial is one unit away."""
    scale = 1 / slope.norm(dim=1).clamp_min(1e-12)
    return State(x, value, slope, -slope * scale[:, None], torch.ones_like(value), scale)


def revalued(state: State, value: Tensor, slope: Tensor) -> State:
    """The same points and curvature under a function that has changed a little."""
    return _turned(replace(state, value=value, slope=slope, length=torch.ones_like(value)))


def update(state: State, trial: Tensor, value: Tensor, slope: Tensor, memory: int) -> State:
    """The state after `state.trial()` was evaluated: problems that got better move there, others try nearer.

    Args:
        value, slope: at the trial; a value that is not finite counts as worse.
        memory: moves that are remembered.
    """
    promised = (state.slope * state.direction).sum(dim=1) * state.length
    better = torch.isfinite(value) & (value <= state.value + DECREASE * promised)
    row = better[:, None]
    move = torch.where(row, trial - state.x, 0.0)
    change = torch.where(row, slope - state.slope, 0.0)
    product = (move * change).sum(dim=1)
    weight = torch.where(product > 1e-12, 1 / product.clamp_min(1e-12), 0.0)
    curvature = product / change.square().sum(dim=1).clamp_min(1e-30)
    known = replace(
        state,
        x=torch.where(row, trial, state.x),
        value=torch.where(better, value, state.value),
        slope=torch.where(row, slope, state.slope),
        scale=torch.where(weight > 0, curvature, state.scale),
        length=torch.where(better, 1.0, state.length * SHRINK),
        moves=(*state.moves, move)[-memory:],
        changes=(*state.changes, change)[-memory:],
        weights=(*state.weights, weight)[-memory:],
    )
    turned = _turned(known)
    direction, length, weights = torch.where(row, turned.direction, known.direction), known.length, known.weights
    lost = length < SHORTEST  # no way down along it: forget what was learned, for that problem alone
    if bool(lost.any()):
        steepest = begin(known.x, known.value, known.slope).direction
        direction = torch.where(lost[:, None], 0.1 * steepest, direction)
        length = torch.where(lost, 1.0, length)
        weights = tuple(torch.where(lost, 0.0, weight) for weight in weights)
    return replace(turned, direction=direction, length=length, weights=weights)


def _turned(state: State) -> State:
    """With the quasi-Newton direction at its slope, or the steepest one where that would lead upwards."""
    q, factors = state.slope, []
    known = list(zip(state.moves, state.changes, state.weights, strict=True))
    for move, change, weight in reversed(known):
        factor = weight * (move * q).sum(dim=1)
        factors.append(factor)
        q = q - factor[:, None] * change
    q = q * state.scale[:, None]
    for (move, change, weight), factor in zip(known, reversed(factors), strict=True):
        q = q + (factor - weight * (change * q).sum(dim=1))[:, None] * move
    upwards = (q * state.slope).sum(dim=1) <= 0
    return replace(state, direction=-torch.where(upwards[:, None], state.slope * state.scale[:, None], q))
