"""Pivotal tuning: find a code that edits well, then move the generator until it draws the picture there.

Roich et al., "Pivotal Tuning for Latent-based Editing of Real Images", ACM TOG 2022. The session's generator stays as it is:
what was tuned is kept as a difference from it.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ...metrics.similarity import mse
from ...session.session import GeneratorSession
from ...settings import Value
from ..catalogue import METHODS, PIVOTS
from ..losses.perceptual import perceptual
from ..result import Result
from ..run import Run
from ..spaces import coloured, convert
from ..target import Target
from .descent import moments, put_back
from .two_phases import TwoPhases, begin, choose

LOCAL_PSI = 0.5


class Tuning(Run):
    """Adam on the parameters of the synthesis network at fixed codes, in float32, with the generator's constant noise.

    One generator is tuned for all pictures of the target. For one each, invert them one by one.

    Args:
        session, target: as of `Run`.
        settings: those of the method "pti".
        pivot: codes [N, w_dim] or [N, num_ws, w_dim].
    """

    def __init__(self, session: GeneratorSession, target: Target, settings: dict[str, Any], pivot: Tensor) -> None:
        super().__init__(session, target, method="tuning", settings=settings, total=settings["steps"])
        self.space = "w" if pivot.ndim == 2 else "w+"
        self._pivot = pivot.detach().float().to(session.device)
        self._ws = convert(session, self._pivot, self.space, "w+")
        # The authors' figures are of AlexNet's LPIPS; of backbones that are there, it is the first choice here too.
        self.net = perceptual(settings["net"], session.device, prefer=("alex", "vgg", "squeeze"))
        self.uses = {"perceptual": self.net.name}
        self._images, self._mask = target.on(session.device)
        with torch.no_grad():
            self._wanted = self.net.features(self._images, self._mask)
        self._random = torch.Generator().manual_seed(settings["seed"])
        self._tuned, self._moving = session.trainable()
        self._optimizer = torch.optim.Adam(self._moving.values(), lr=settings["rate"])

    def code(self) -> Tensor:
        return self._pivot

    def _advance(self) -> dict[str, float]:
        with self._undone():
            return self._step()

    def _step(self) -> dict[str, float]:
        settings = self.settings
        drawn = coloured(self._tuned.synthesize(self._ws))
        pixels = mse(drawn, self._images, self._mask)
        seen = self.net.distance(drawn, self._wanted, self._mask)
        loss = (settings["pixels"] * pixels + settings["perceptual"] * seen).mean()
        terms = {
            "loss": float(loss.detach()),
            "pixels": float(pixels.detach().mean()),
            "perceptual": float(seen.detach().mean()),
        }
        if not math.isfinite(terms["loss"]):
            raise FloatingPointError("the loss is not finite any more; a lower learning rate may help")
        self._drawn = drawn.detach()
        if self._close_enough(terms["perceptual"]):
            self.total = self.step + 1  # looked at before stepping, as in the authors' code
            return terms
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if settings["locality"] > 0:
            local = self._locality()
            (settings["locality"] * local).backward()
            terms["locality"] = float(local.detach())
        self._optimizer.step()
        return terms

    def _close_enough(self, distance: float) -> bool:
        """The threshold is one of LPIPS: distances of other networks have another scale."""
        return self.net.name.startswith("lpips") and distance <= self.settings["stop"]

    def _locality(self) -> Tensor:
        """Distance between the tuned and the original generator near a pivot, on the way to a random w, without noise."""
        pivot = self._ws[self.step % len(self._ws)][None]
        with torch.no_grad():
            z = torch.randn(1, self.session.z_dim, generator=self._random, dtype=torch.float32, device="cpu").to(pivot)
            c = self.session.each_class(1)
            towards = self.session.truncate(self.session.map_z(z, c), LOCAL_PSI, None, c)[:, None] - pivot
            near = pivot + self.settings["radius"] * towards / towards.norm().clamp_min(1e-8)
            truth = coloured(self.session.synthesize(near, noise_mode="none", exact=True))
        drawn = coloured(self._tuned.synthesize(near, noise_mode="none"))
        return (mse(drawn, truth) + self.net.distance(drawn, truth)).mean()

    def delta(self) -> dict[str, Tensor]:
        before = self.session.parameters()
        return {name: own.detach() - before[name].float() for name, own in self._moving.items()}

    def _state(self) -> dict[str, Any]:
        kept = {name: moments(self._optimizer, p) for name, p in self._moving.items()}
        return {
            "parameters": {name: p.detach().clone() for name, p in self._moving.items()},
            "total": self.total,
            "moments": {name: known for name, known in kept.items() if known is not None},
            "random": self._random.get_state(),
        }

    def _restore(self, state: dict[str, Any]) -> None:
        known = (state["moments"].get(name) for name in self._moving)
        put_back(self._optimizer, self._moving.values(), (state["parameters"][name] for name in self._moving), known)
        self._random.set_state(state["random"].cpu())
        self.total = int(state["total"])


class PivotalRun(TwoPhases):
    """The pivot's own steps, then a `Tuning`. Noise pictures that the pivot's method fitted are dropped."""

    def _next(self, code: Tensor) -> Run:
        if self.space == "s":
            raise ValueError("a pivot is a code in w or w+; this one is in s")
        return Tuning(self.session, self.target, dict(self.settings), code)


def pti(session: GeneratorSession, target: Target, **settings: Value) -> PivotalRun:
    """The run of the method "pti". Settings as its `Method` lists them."""
    first, remark = pivots(session, target, **settings)
    run = PivotalRun(session, target, method="pti", settings=settings, first=first, steps=int(settings["steps"]))
    run.uses["pivot"] = remark
    return run


def pivots(session: GeneratorSession, target: Target, **settings: Value) -> tuple[Run, str]:
    """The run that finds the pivots, of which no step is done yet, and what to call it in a report. Settings of "pti"."""
    values = METHODS["pti"].checked(settings)
    name, remark = choose(values["pivot"], session, PIVOTS)
    projector = name == "projector"
    run = begin(
        name,
        session,
        target,
        steps=values["pivot_steps"] if projector or name == "hybrid" else None,
        rate=values["pivot_rate"] if projector else None,
        net=values["net"],
        seed=values["seed"],
    )
    return run, remark


def tune(session: GeneratorSession, target: Target, found: Result, i: int, **settings: Value) -> Result:
    """Tune for the i-th picture alone.

    Args:
        session, target: as of `Run`.
        found: pivots of all pictures of the target.
        i: which.
        settings: of the method "pti".

    Returns:
        a result of one picture; its time has a share of the search for pivots.
    """
    values = METHODS["pti"].checked(settings)
    tuned = Tuning(session, target[i], values, torch.from_numpy(found.code[i : i + 1])).finish()
    return replace(
        tuned,
        method="pti",
        steps=found.steps + tuned.steps,
        uses=dict(tuned.uses) | {"pivot": found.method},
        seconds=found.seconds / len(target) + tuned.seconds,
    )


def tune_each(session: GeneratorSession, target: object, **settings: Value) -> list[Result]:
    """Pivotal tuning with a generator for each picture, as the paper has it; the pivots are found together.

    Args:
        session, target: as of `invert`.
        settings: of the method "pti".

    Returns:
        one result of one picture for each.
    """
    wanted = Target.of(target, session)
    first, remark = pivots(session, wanted, **settings)
    found = first.finish()
    made = [tune(session, wanted, found, i, **settings) for i in range(len(wanted))]
    return [replace(result, uses=dict(result.uses) | {"pivot": remark}) for result in made]


__all__ = ["PIVOTS", "PivotalRun", "Tuning", "pivots", "pti", "tune", "tune_each"]
