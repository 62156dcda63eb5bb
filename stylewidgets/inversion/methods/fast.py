"""The fast projector: the plain one's perceptual distance, sought with fewer evaluations. It may end in a worse place.

It saves where the schedule of 2020 spends: it starts from an encoder's guess, or the best of a few faces, not from the mean; it
measures the curvature (L-BFGS), where Adam's slope says nothing about it; it adds no noise to w or to the picture, so that
every evaluation counts; and large generators draw a smaller picture from an inner block at first.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ...latent.latent import IDENTITY
from ...session.session import GeneratorSession
from ...settings import Value
from .. import spaces
from ..catalogue import ENCODERS, METHODS
from ..losses.losses import Criterion, shrink
from ..losses.perceptual import perceptual
from ..run import Run
from ..starting import start
from ..target import Target
from . import lbfgs
from .two_phases import why_not

TRUNCATION = 0.7  # of the faces to start from: nearer to the mean they are clearer
TOGETHER = 4  # of them a step looks at


class FastProjector(Run):
    """w or w+ by L-BFGS from an encoder's guess or the best of some samples; noise stays the generator's own.

    A step is one drawn picture with its gradient, one of the encoder's, or the look at four samples. Pictures of a batch are
    runs of their own.

    Args:
        initial: codes in `space` to start from in place of the setting `start`.

    Raises:
        ValueError: `start` is "encoder", and none that ships was trained for this generator.
    """

    def __init__(
        self, session: GeneratorSession, target: Target, *, initial: spaces.Codes | None = None, **settings: Value
    ) -> None:
        values = METHODS["fast"].checked(settings)
        kind = "given" if initial is not None else values["start"]
        self._encoder, remark = None, kind
        if kind in ("auto", "encoder"):
            self._encoder, remark = _encoder(session, target, kind, values["space"])
        samples = values["samples"] if remark == "samples" else 0
        self._looks = self._encoder.total if self._encoder else -(-(samples + 1) // TOGETHER) if samples else 0
        super().__init__(session, target, method="fast", settings=values, total=self._looks + values["steps"])
        self.space = values["space"]
        self.uses = {"start": remark}
        self._given = None if initial is None else spaces.check_code(session, initial, self.space, len(target))
        self._small = _small_side(session)
        self._full_from = self._looks + (round(values["steps"] * values["coarse"]) if self._small else 0)
        self._criteria: dict[int, Criterion] = {}
        self._best: Tensor | None = None  # codes, with their distances, before the descent begins
        self._found: Tensor | None = None
        self._descent: lbfgs.State | None = None
        self._descent_side = 0
        self.losses: Tensor | None = None
        """What is minimised, of each picture at its code, [N]; None before the first look or evaluation."""
        self.distance: Tensor | None = None
        """The perceptual part of what was minimised in the last evaluation, [N]."""

    # -- Run -----------------------------------------------------------------------------------------------------------
    def _lacks(self) -> bool:
        return not self._criteria and (self._encoder is None or self.step >= self._looks)

    def _prepare(self) -> None:
        spaces.spread(self.session)
        self._criterion(self._small or self.session.resolution)

    def _advance(self) -> dict[str, float]:
        if self.step >= self._looks:
            return self._descend()
        return self._look() if self._encoder is None else self._ask(self._encoder)

    @property
    def full_size(self) -> bool:
        """Whether `losses` are those of pictures in full size."""
        return self._descent is not None and self._descent_side == self.session.resolution

    def code(self) -> Tensor:
        if self._descent is not None:
            return self._descent.x.reshape(len(self.target), *self._shape())
        return self._start().detach()

    def _state(self) -> dict[str, Any]:
        return {
            "best": self._best,
            "found": self._found,
            "side": self._descent_side,
            "encoder": None if self._encoder is None else self._encoder.state(),
            "descent": None if self._descent is None else self._descent.to_dict(),
        }

    def _restore(self, state: dict[str, Any]) -> None:
        device, given = self.session.device, state["descent"]
        self._best, self._found = (
            None if state[name] is None else state[name].to(device) for name in ("best", "found")
        )
        self._descent = None if given is None else lbfgs.State.from_dict(given, device)
        self._descent_side = int(state["side"])
        if self._encoder is not None and state["encoder"] is not None:
            self._encoder.restore(state["encoder"])

    # -- inside --------------------------------------------------------------------------------------------------------
    def _ask(self, encoder: Run) -> dict[str, float]:
        """A pass of the encoder."""
        terms = dict(encoder.advance().terms)
        self._drawn = encoder._drawn
        return terms

    @torch.no_grad()
    def _look(self) -> dict[str, float]:
        """Compare some faces with every target."""
        mean = spaces.spread(self.session).mean
        faces = self.session.sample_w(self.settings["samples"], self.settings["seed"])
        faces = mean + TRUNCATION * (faces - mean)
        faces = torch.cat([mean[None], faces])[self.step * TOGETHER : (self.step + 1) * TOGETHER]
        side = self._small or self.session.resolution
        criterion = self._criterion(side)
        drawn = self._draw(faces, "w", side)
        loss = torch.stack([criterion(picture[None])[0] for picture in drawn])  # [faces, N]
        value, which = loss.min(dim=0)
        best, found, pictures = faces[which], value, self._shown(drawn[which])
        if self._best is not None and self._found is not None:
            older = self._found <= value
            best, found = torch.where(older[:, None], self._best, best), torch.where(older, self._found, value)
            if self._drawn is not None:  # there is none in a run that was just resumed
                pictures = torch.where(older[:, None, None, None], self._drawn, pictures)
        self._best, self._found, self._drawn, self.losses = best, found, pictures, found
        return {"loss": float(found.mean())}

    def _descend(self) -> dict[str, float]:
        """One evaluation."""
        side = self._small if self.step < self._full_from and self._small else self.session.resolution
        if self._descent is None:
            x = self._start().flatten(1)
            value, slope, terms, drawn = self._evaluate(x, side)
            descent = lbfgs.begin(x, value, slope)
        elif side != self._descent_side:
            value, slope, terms, drawn = self._evaluate(self._descent.x, side)
            descent = lbfgs.revalued(self._descent, value, slope)
        else:
            x = self._descent.trial()
            value, slope, terms, drawn = self._evaluate(x, side)
            descent = lbfgs.update(self._descent, x, value, slope, self.settings["memory"])
        self._descent, self._descent_side = descent, side
        self._drawn, self.losses, self.distance = self._shown(drawn), descent.value, terms["perceptual"].detach()
        return {"loss": float(descent.value.mean())} | {name: float(term.mean()) for name, term in terms.items()}

    def _evaluate(self, x: Tensor, side: int) -> tuple[Tensor, Tensor, dict[str, Tensor], Tensor]:
        code = x.detach().reshape(len(x), *self._shape()).requires_grad_()
        with torch.enable_grad():
            drawn = self._draw(code, self.space, side)
            loss, terms = self._criterion(side)(drawn)
            (slope,) = torch.autograd.grad(loss.sum(), code)
        return loss.detach(), slope.flatten(1), {name: term.detach() for name, term in terms.items()}, drawn.detach()

    def _start(self) -> Tensor:
        if self._given is not None:
            return self._given
        if self._encoder is not None:
            return spaces.convert(self.session, self._encoder.code().detach().clone(), self._encoder.space, self.space)
        if self._best is None:
            return spaces.initial(self.session, self.space, "mean", len(self.target), 0)
        return spaces.convert(self.session, self._best, "w", self.space)

    def _shape(self) -> tuple[int, ...]:
        return (self.session.w_dim,) if self.space == "w" else (self.session.num_ws, self.session.w_dim)

    def _draw(self, code: Tensor, space: str, side: int) -> Tensor:
        with self.session.transformed(IDENTITY):
            drawn = self.session.synthesize(spaces.styles(self.session, code, space), exact=True, max_resolution=side)
        return spaces.coloured(drawn)

    def _criterion(self, side: int) -> Criterion:
        if side not in self._criteria:
            device, values = self.session.device, self.settings
            images, mask = self.target.on(device)
            images, mask = shrink(images, side), None if mask is None else shrink(mask, side)
            measure = perceptual(values["net"], device)
            self.uses["perceptual"] = measure.name
            weights = {"perceptual": 1.0, "pixels": values["pixels"]}
            self._criteria[side] = Criterion(images, mask, measure, weights)
        return self._criteria[side]

    def _shown(self, drawn: Tensor) -> Tensor:
        size = self.session.picture_size
        if tuple(drawn.shape[-2:]) == size:
            return drawn
        return F.interpolate(drawn, size=size, mode="bilinear", align_corners=False)


def _encoder(session: GeneratorSession, target: Target, wanted: str, space: str) -> tuple[Run | None, str]:
    """The run of the encoder to start from, and its name; for "auto" None and "samples" where there is no encoder.

    In w the encoder whose rows are most alike comes first: their mean is then nearest to what it meant.
    """
    order = ("e4e", "psp", "restyle") if space == "w" else ENCODERS
    reasons = {name: why_not(name, session) for name in order}
    found = next((name for name in order if not reasons[name]), None)
    if found is not None:
        return start(found, session, target), found
    if wanted == "auto":
        return None, "samples"
    raise ValueError(
        "start='encoder' cannot be used here: "
        + "; ".join(f"{name}: {why}" for name, why in reasons.items())
        + ". Give start='samples', or 'auto'"
    )


def _small_side(session: GeneratorSession) -> int:
    """Pixels of the smaller picture that is enough at first; 0 where there is none."""
    side = session.resolution
    if side < 128 or not session.has_inner_pictures:
        return 0
    return min(256, side // 2)
