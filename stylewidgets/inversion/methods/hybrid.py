"""Hybrids: a code from an encoder, then optimisation from there (Zhu et al., "In-Domain GAN Inversion", ECCV 2020).

There is no published standard recipe; the losses and their weights are those that the encoders are trained with
(Richardson et al., "Encoding in Style", CVPR 2021).
"""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from ...session.session import GeneratorSession
from .. import spaces
from ..catalogue import FIRST
from ..losses.losses import Criterion
from ..losses.perceptual import perceptual
from ..run import Run
from ..target import Target
from .descent import Descent
from .two_phases import TwoPhases, begin, choose

_WARM, _DOWN = 0.05, 0.5  # shares of the steps in which the learning rate rises and falls


class Refinement(Descent):
    """Adam on a code alone, from where another method left it: constant noise, no perturbation.

    Args:
        session, target: as of `Run`.
        settings: those of the method "hybrid".
        space: of the code.
        initial: the code, [N, ...].
    """

    def __init__(
        self, session: GeneratorSession, target: Target, settings: dict[str, Any], space: str, initial: Tensor
    ) -> None:
        super().__init__(session, target, method="refinement", settings=settings, space=space, initial=initial)

    def _begin(self) -> None:
        super()._begin()
        values = self.settings
        self._anchor = self._code.clone()
        self._scale = spaces.spread(self.session).length / math.sqrt(self.session.w_dim)
        net = perceptual(values["net"], self.session.device)
        self.uses = {"perceptual": net.name}
        weights = {"pixels": values["pixels"], "perceptual": values["perceptual"]}
        self._criterion = Criterion(self._images, self._mask, net, weights)

    def _rate(self) -> float:
        t = self.step / self.total
        down = 0.5 - 0.5 * math.cos(math.pi * min(1.0, (1 - t) / _DOWN))
        return float(self.settings["rate"] * self._scale * min(1.0, t / _WARM + 0.1) * down)

    def _objective(self) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        drawn = spaces.draw(self.session, self._code, self.space)
        loss, terms = self._criterion(drawn)
        terms["moved"] = (self._code - self._anchor).square().flatten(1).mean(dim=1) / self._scale**2
        return loss + self.settings["anchor"] * terms["moved"], terms, drawn


class HybridRun(TwoPhases):
    """The start's own steps, then a `Refinement`. Noise pictures that the start fitted are dropped."""

    def _next(self, code: Tensor) -> Run:
        return Refinement(self.session, self.target, dict(self.settings), self.space, code)


def hybrid(session: GeneratorSession, target: Target, **settings: Any) -> HybridRun:
    """The run of the method "hybrid". Settings as its `Method` lists them."""
    name, remark = choose(settings["start"], session, FIRST)
    first = begin(
        name,
        session,
        target,
        steps=settings["start_steps"] if name == "projector" else None,
        net=settings["net"],
        seed=settings["seed"],
    )
    run = HybridRun(
        session,
        target,
        method="hybrid",
        settings=settings,
        first=first,
        steps=settings["steps"],
        space=None if settings["space"] == "start" else settings["space"],
    )
    run.uses["start"] = remark
    return run


__all__ = ["HybridRun", "Refinement", "hybrid"]
