"""Muon: momentum whose matrix is made orthogonal before it is applied.

All directions of a weight matrix then move equally fast, the weak ones too. The factor network needs that: with AdamW a
smile or a blush, a few pixels among thousands, is learned ten times later than pose and colour. So does a generator that
is to draw them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

_STEPS = 5
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)


class Muon(torch.optim.Optimizer):
    """Muon (Jordan et al. 2024) for weights of two and more axes, taken as matrices [outputs, the rest].

    Args:
        params: weights.
        lr: learning rate, about 0.02.
        momentum: share of the old direction.
        weight_decay: share of the weight that a step of lr 1 would take away.
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 0.02,
        momentum: float = 0.95,
        weight_decay: float = 0.05,
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One update of every weight that has a gradient."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                mean = self.state[p].setdefault("mean", torch.zeros_like(p))
                mean.lerp_(p.grad, 1 - group["momentum"])
                update = orthogonal(p.grad.lerp(mean, group["momentum"]).flatten(1))
                rows, columns = update.shape
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(update.view(p.shape), alpha=-group["lr"] * max(1.0, rows / columns) ** 0.5)


def orthogonal(matrix: Tensor) -> Tensor:
    """`matrix` with all singular values moved near 1, by a Newton-Schulz iteration.

    The iteration X <- (a + b A + c A²) X with A = X Xᵀ runs on the small Gram matrix; the wide one is touched twice.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    gram = x @ x.T
    total = torch.eye(len(x), dtype=x.dtype, device=x.device)
    a, b, c = _COEFFICIENTS
    for _ in range(_STEPS):
        square = total @ gram @ total.T
        total = (a * torch.eye(len(x), dtype=x.dtype, device=x.device) + b * square + c * square @ square) @ total
    result: Tensor = total @ x
    return (result.T if tall else result).contiguous()


class Together:
    """Several optimisers used as one: matrices by Muon, the rest by Adam."""

    def __init__(self, *optimisers: torch.optim.Optimizer) -> None:
        self.optimisers: Sequence[torch.optim.Optimizer] = optimisers

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The groups of all of them, to change their rates."""
        return [group for optimiser in self.optimisers for group in optimiser.param_groups]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=set_to_none)

    def step(self) -> None:
        """One update of each."""
        for optimiser in self.optimisers:
            optimiser.step()

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` takes."""
        return {str(i): optimiser.state_dict() for i, optimiser in enumerate(self.optimisers)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict`."""
        for i, optimiser in enumerate(self.optimisers):
            optimiser.load_state_dict(state[str(i)])
