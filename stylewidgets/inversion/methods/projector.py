"""StyleGAN2's projector (Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020, appendix D)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ...session.session import GeneratorSession
from ...settings import Value
from .. import spaces
from ..catalogue import METHODS
from ..losses.losses import Criterion, noise_regulariser, w_distance
from ..losses.perceptual import perceptual
from ..noise import initial_noise, normalise
from ..spaces import Codes
from ..target import Target
from .descent import Descent

RAMP_UP, RAMP_DOWN, NOISE_RAMP = 0.05, 0.25, 0.75
"""Shares of all steps: of warming up, of ramping down to 0, and after which w is not perturbed any more."""


def rate(t: float) -> float:
    """Factor of the learning rate at t = steps done / steps in all: up linearly, at last down as a cosine.

    min(1, t / 0.05) · (½ − ½ cos(π · min(1, (1 − t) / 0.25)))
    """
    return min(1.0, t / RAMP_UP) * (0.5 - 0.5 * math.cos(math.pi * min(1.0, (1 - t) / RAMP_DOWN)))


def perturbation(t: float) -> float:
    """Factor of the noise that is added to w at t: max(0, 1 − t / 0.75)²."""
    return max(0.0, 1 - t / NOISE_RAMP) ** 2


class Projector(Descent):
    """w and all noise pictures by Adam, from the mean of w, under a perceptual loss and the noise regulariser.

    The schedule is that of the official scripts: 1000 steps, of which the first has rate 0; rate 0.1; w is perturbed by
    0.05 σ at first, σ the root mean square length of w − mean; regulariser 1e5; noise renormalised after every step;
    pictures above 256 px are compared at 256. Pictures [-1, 1]; one batch is as many runs of their own with one seed.

    Generators without noise (StyleGAN3) have w alone.

    Args:
        initial: codes in `space` to start from in place of `start`.
    """

    def __init__(
        self,
        session: GeneratorSession,
        target: Target,
        *,
        initial: Codes | None = None,
        **settings: Value,
    ) -> None:
        values = METHODS["projector"].checked(settings)
        super().__init__(session, target, method="projector", settings=values, initial=initial)

    def _begin(self) -> None:
        super()._begin()
        values = self.settings
        self._spread = spaces.spread(self.session)
        self._noise = initial_noise(self.session, len(self.target), self._source) if values["fit_noise"] else []
        measure = perceptual(values["net"], self.session.device)
        self.uses = {"perceptual": measure.name}
        weights = {"perceptual": 1.0} | {name: values[name] for name in ("pixels", "ms_ssim", "identity")}
        self._criterion = Criterion(self._images, self._mask, measure, weights, identity=values["identity_net"])
        if values["identity"]:
            self.uses["identity"] = values["identity_net"]

    def _moving(self) -> list[Tensor]:
        return [self._code, *self._noise]

    def _rate(self) -> float:
        return float(self.settings["rate"] * rate(self.step / self.total))

    def _objective(self) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        strength = self._spread.length * self.settings["perturbation"] * perturbation(self.step / self.total)
        code = self._code
        if strength:
            white = torch.randn(1, *code.shape[1:], generator=self._source, dtype=torch.float32, device="cpu")
            code = code + strength * white.to(code.device)
        drawn = spaces.draw(self.session, code, self.space, self._noise or "const", self._view())
        loss, terms = self._criterion(drawn)
        if self._noise:
            terms["noise"] = noise_regulariser(self._noise)
            loss = loss + self.settings["regulariser"] * terms["noise"]
        if self.settings["w_distance"]:
            terms["w_distance"] = w_distance(self._code, self._spread.mean) / self._spread.length
            loss = loss + self.settings["w_distance"] * terms["w_distance"]
        return loss, terms, drawn

    def _after(self) -> None:
        normalise(self._noise)

    def noise(self) -> list[Tensor] | None:
        self._prepare()
        return [layer.detach() for layer in self._noise] or None
