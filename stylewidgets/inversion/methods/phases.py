"""Descent in phases, the building blocks of Image2StyleGAN++ (Abdal et al., CVPR 2020): code and noise, one after the other.

W_l and M_st move the code, Mk_n moves the noise; never both at once, which overfits the noise. The weights of the losses are
the paper's (1e-5, 1e-5, 1e-5, 5e-7) times 1e5, since Adam only sees their ratios.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ...metrics.similarity import blur, gaussian
from ...session.session import GeneratorSession
from .. import spaces
from ..losses.losses import gram, map_distance, mse, shrink
from ..losses.perceptual import plain_maps
from ..noise import constant_noise
from ..spaces import Codes
from ..target import Target
from .descent import Descent

LAYERS = ("conv1_1", "conv1_2", "conv2_2", "conv3_3")
STYLE_LAYER = "conv3_3"
METHOD = "image2stylegan++"
Term = tuple[str, float, Callable[[Tensor], Tensor]]


@dataclass(frozen=True, eq=False)
class Phase:
    """Steps of one kind. Masks are [1 or N, 1, H, W] in [0, 1] on the session's device; None leaves that loss out.

    Attributes:
        moves: "code" (w+) or "noise".
        steps, rate: of Adam.
        rows: rows of w+ that move, None for all.
        pixels, features: M_m and M_p, where pixels and feature maps are to be those of the picture x.
        other_pixels, other_features: where they are to be those of the second picture y.
        style: M_s, where Gram matrices are to be those of y.
        own: y is what is drawn when the phase begins.
    """

    moves: str
    steps: int
    rate: float
    rows: tuple[int, ...] | None = None
    pixels: Tensor | None = None
    features: Tensor | None = None
    other_pixels: Tensor | None = None
    other_features: Tensor | None = None
    style: Tensor | None = None
    own: bool = False


class Image2StyleGANpp(Descent):
    """Phases one after the other. Made by the functions below, and by ``start`` for those that need no second picture.

    Args:
        phases: what to do.
        second: pictures y, [1 or N, 3, H, W] in [-1, 1].
        initial: w+ to start from, [1 or N, num_ws, w_dim]; None for `start` of the settings.
    """

    def __init__(
        self,
        session: GeneratorSession,
        target: Target,
        phases: Sequence[Phase],
        *,
        settings: Mapping[str, Any],
        second: Tensor | None = None,
        initial: Codes | None = None,
    ) -> None:
        kept = tuple(phase for phase in phases if phase.steps and (phase.moves == "code" or session.noise_shapes))
        if not kept:
            raise ValueError(
                "there is nothing to do: steps or noise_steps must be above 0; without noise pictures, steps"
            )
        total = sum(p.steps for p in kept)
        super().__init__(session, target, method=METHOD, settings=settings, total=total, space="w+", initial=initial)
        self.phases = kept
        self._second = None if second is None else second.to(session.device)
        self._ends = [sum(p.steps for p in kept[: k + 1]) for k in range(len(kept))]
        self._phase = -1

    @property
    def phase(self) -> Phase:
        """The phase of the next step; the last one when all are done."""
        return self.phases[min(sum(self.step >= end for end in self._ends), len(self.phases) - 1)]

    def _begin(self) -> None:
        super()._begin()
        self._noise = constant_noise(self.session, len(self.target))
        self._maps, self._style_maps = (
            plain_maps(layers, self.settings["net"], self.session.device, relu=self.settings["relu"])
            for layers in (LAYERS, (STYLE_LAYER,))
        )
        self.uses = {"perceptual": f"{self._maps.name} maps"}
        self._enter(0, self._own_picture(0))

    def _own_picture(self, k: int) -> Tensor | None:
        if not self.phases[k].own:
            return None
        with torch.no_grad():
            return self._draw().detach()

    def _enter(self, k: int, own: Tensor | None) -> None:
        """Set up phase k: its variables, and what its losses compare with."""
        self._phase, self._own = k, own
        phase = self.phases[k]
        self._code, self._noise = self._code.detach().clone(), [x.detach().clone() for x in self._noise]
        self._start_code = self._code.clone()
        self._other = own if own is not None else self._second
        with torch.no_grad():
            self._terms = list(self._losses(phase))
        if self._optimizer is not None:
            self._make_optimizer()

    def _losses(self, phase: Phase) -> Iterator[Term]:
        """What the phase minimises: name, weight, and the loss [N] of a drawn picture."""
        images, weights = (self._images, self._other), self.settings
        for prefix, wanted, mask in zip(("", "other_"), images, (phase.pixels, phase.other_pixels), strict=True):
            if mask is not None:
                yield f"{prefix}pixels", weights["pixels"], partial(_pixels, mask, _there(wanted) * mask)
        for prefix, wanted, mask in zip(("", "other_"), images, (phase.features, phase.other_features), strict=True):
            if mask is not None:
                seen = self._see(_there(wanted), mask)
                yield f"{prefix}perceptual", weights["perceptual"], partial(self._far, mask, seen)
        if phase.style is not None:
            grams = self._gram(phase.style, _there(self._other))
            yield "style", weights["style"], partial(self._styled, phase.style, grams)

    def _far(self, mask: Tensor, seen: list[Tensor], drawn: Tensor) -> Tensor:
        return map_distance(self._see(drawn, mask), seen, shrink(mask))

    def _styled(self, mask: Tensor, grams: Tensor, drawn: Tensor) -> Tensor:
        return (self._gram(mask, drawn) - grams).square().mean(dim=(1, 2))

    def _see(self, images: Tensor, mask: Tensor) -> list[Tensor]:
        return self._maps(shrink(images), shrink(mask))

    def _gram(self, mask: Tensor, images: Tensor) -> Tensor:
        return gram(self._style_maps(shrink(images), shrink(mask))[0], shrink(mask))

    def _moving(self) -> list[Tensor]:
        return [self._code] if self.phases[self._phase].moves == "code" else self._noise

    def _rate(self) -> float:
        return self.phases[self._phase].rate

    def _draw(self) -> Tensor:
        code, phase = self._code, self.phases[max(self._phase, 0)]
        if phase.rows is not None and self._phase >= 0 and phase.moves == "code":
            free = torch.zeros(1, code.shape[1], 1, device=code.device, dtype=torch.float32)
            free[:, list(phase.rows)] = 1
            code = self._start_code + (code - self._start_code) * free
        return spaces.draw(self.session, code, "w+", self._noise or "const")

    def _advance(self) -> dict[str, float]:
        self._prepare()
        wanted = self.phases.index(self.phase)
        if wanted != self._phase:
            self._enter(wanted, self._own_picture(wanted))
        return super()._advance()

    def _objective(self) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        drawn = self._draw()
        terms = {name: measure(drawn) for name, _, measure in self._terms}
        weighted = [weight * terms[name].expand(len(drawn)) for name, weight, _ in self._terms]
        return torch.stack(weighted).sum(dim=0), terms, drawn

    def noise(self) -> list[Tensor] | None:
        self._prepare()
        fitted = any(phase.moves == "noise" for phase in self.phases[: self._phase + 1])
        return [layer.detach() for layer in self._noise] if fitted and self._noise else None

    def _more_state(self) -> dict[str, Any]:
        return {
            "phase": self._phase,
            "own": self._own,
            "start": self._start_code,
            "code": self._code.detach().clone(),
            "noise": [layer.detach().clone() for layer in self._noise],
            "second": self._second,
        }

    def _restore_more(self, state: dict[str, Any]) -> None:
        device = self.session.device
        self._second = None if state["second"] is None else state["second"].to(device)
        if state["phase"] != self._phase:
            self._enter(int(state["phase"]), None if state["own"] is None else state["own"].to(device))
        with torch.no_grad():
            self._start_code = state["start"].to(device).clone()
            self._code.copy_(state["code"])
            for layer, old in zip(self._noise, state["noise"], strict=True):
                layer.copy_(old)


# -- what phases are made of -------------------------------------------------------------------------------------------
def _there(picture: Tensor | None) -> Tensor:
    if picture is None:
        raise ValueError("this phase compares with a second picture, and none was given")
    return picture


def _pixels(mask: Tensor, wanted: Tensor, drawn: Tensor) -> Tensor:
    """‖M ⊙ (G − x)‖² / N, N the numbers of the whole picture."""
    return mse(drawn * mask, wanted)


def blurred(mask: Tensor, sigma: float) -> Tensor:
    """A mask [N, 1, H, W] under a Gaussian of `sigma` pixels; 0 leaves it."""
    if sigma <= 0:
        return mask
    reach = max(1, math.ceil(3 * sigma))
    wide = F.pad(mask, (reach,) * 4, mode="replicate")
    return blur(wide, gaussian(2 * reach + 1, sigma, mask)).clamp(0, 1)
