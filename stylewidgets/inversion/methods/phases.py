"""Descent in phases, the building blocks of Image2StyleGAN++ (Abdal et al., CVPR 2020): code and noise, one after the other.

W_l and M_st move the code, Mk_n moves the noise; never both at once, which overfits the noise. The weights of the losses are
the paper's (1e-5, 1e-5, 1e-5, 5e-7) times 1e5, since Adam only sees their ratios.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ...session.session import GeneratorSession
from .. import spaces
from ..losses.losses import gram, map_distance, mse, shrink
from ..losses.perceptual import plain_maps
from ..noise import constant_noise
from ..target import Target
from .descent import Descent

LAYERS = ("conv1_1", "conv1_2", "conv2_2", "conv3_3")
STYLE_LAYER = "conv3_3"
METHOD = "image2stylegan++"


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
        initial: Any = None,
    ) -> None:
        kept = tuple(phase for phase in phases if phase.steps and (phase.moves == "code" or session.noise_shapes))
        if not kept:
            raise ValueError(
                "there is nothing to do: steps or noise_steps must be above 0; without noise pictures, steps"
            )
        super().__init__(
            session,
            target,
            method=METHOD,
            settings=settings,
            total=sum(p.steps for p in kept),
            space="w+",
            initial=initial,
        )
        self.phases = kept
        self._second = None if second is None else second.to(session.device)
        self._ends = [sum(p.steps for p in kept[: k + 1]) for k in range(len(kept))]
        self._phase = -1
        self._ready = 0  # the phase that the optimiser is of

    @property
    def phase(self) -> Phase:
        """The phase of the next step; the last one when all are done."""
        return self.phases[min(sum(self.step >= end for end in self._ends), len(self.phases) - 1)]

    def _begin(self) -> None:
        values = self.settings
        self._source.manual_seed(values["seed"])
        code = self._given
        if code is None:
            code = spaces.initial(self.session, "w+", values["start"], len(self.target), values["seed"])
        self._code = code
        self._noise = constant_noise(self.session, len(self.target))
        self._fitted = False
        self._maps = plain_maps(LAYERS, values["net"], self.session.device, relu=values["relu"])
        self._style_maps = plain_maps((STYLE_LAYER,), values["net"], self.session.device, relu=values["relu"])
        self.uses = {"perceptual": f"{self._maps.name} maps"}
        self._images = self.target.images.to(self.session.device)
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
        self._fitted = self._fitted or phase.moves == "noise"
        self._other = own if own is not None else self._second
        with torch.no_grad():
            self._features = None if phase.features is None else self._see(self._images, phase.features)
            self._other_features = None if phase.other_features is None else self._see(self._y(), phase.other_features)
            self._grams = None if phase.style is None else self._gram(self._y(), phase.style)

    def _y(self) -> Tensor:
        if self._other is None:
            raise ValueError("this phase compares with a second picture, and none was given")
        return self._other

    def _see(self, images: Tensor, mask: Tensor) -> list[Tensor]:
        return self._maps(shrink(images), shrink(mask))

    def _gram(self, images: Tensor, mask: Tensor) -> Tensor:
        return gram(self._style_maps(shrink(images), shrink(mask))[0], shrink(mask))

    def _groups(self) -> list[dict[str, Any]]:
        return [{"params": [self._code] if self.phases[self._phase].moves == "code" else self._noise}]

    def _rates(self) -> Sequence[float]:
        return [self.phases[self._phase].rate]

    def _draw(self) -> Tensor:
        rows = self.phases[max(self._phase, 0)].rows
        code = self._code
        if rows is not None and self._phase >= 0 and self.phases[self._phase].moves == "code":
            free = torch.zeros(1, code.shape[1], 1, device=code.device, dtype=torch.float32)
            free[:, list(rows)] = 1
            code = self._start_code + (code - self._start_code) * free
        return spaces.draw(self.session, code, "w+", self._noise or "const")

    def _advance(self) -> dict[str, float]:
        self._prepare()
        wanted = self.phases.index(self.phase)
        if wanted != self._ready:
            self._enter(wanted, self._own_picture(wanted))
            self._make_optimizer()
            self._ready = wanted
        return super()._advance()

    def _objective(self) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        phase, values = self.phases[self._phase], self.settings
        drawn = self._draw()
        terms: dict[str, tuple[float, Tensor]] = {}
        if phase.pixels is not None:  # ‖M ⊙ (G − x)‖² / N, N the numbers of the whole picture
            terms["pixels"] = values["pixels"], mse(drawn * phase.pixels, self._images * phase.pixels)
        if phase.other_pixels is not None:
            terms["other_pixels"] = values["pixels"], mse(drawn * phase.other_pixels, self._y() * phase.other_pixels)
        if phase.features is not None and self._features is not None:
            found = map_distance(self._see(drawn, phase.features), self._features, shrink(phase.features))
            terms["perceptual"] = values["perceptual"], found
        if phase.other_features is not None and self._other_features is not None:
            found = map_distance(
                self._see(drawn, phase.other_features), self._other_features, shrink(phase.other_features)
            )
            terms["other_perceptual"] = values["perceptual"], found
        if phase.style is not None and self._grams is not None:
            terms["style"] = values["style"], (self._gram(drawn, phase.style) - self._grams).square().mean(dim=(1, 2))
        loss = torch.stack([weight * term.expand(len(drawn)) for weight, term in terms.values()]).sum(dim=0)
        return loss, {name: term for name, (_, term) in terms.items()}, drawn

    def code(self) -> Tensor:
        self._prepare()
        return self._code.detach()

    def noise(self) -> list[Tensor] | None:
        self._prepare()
        return [layer.detach() for layer in self._noise] if self._fitted and self._noise else None

    def _more_state(self) -> dict[str, Any]:
        return {
            "phase": self._ready,
            "own": self._own,
            "start": self._start_code,
            "code": self._code.detach().clone(),
            "noise": [layer.detach().clone() for layer in self._noise],
            "fitted": self._fitted,
            "second": self._second,
        }

    def _restore_more(self, state: dict[str, Any]) -> None:
        device = self.session.device
        self._second = None if state["second"] is None else state["second"].to(device)
        if state["phase"] != self._ready:
            self._enter(int(state["phase"]), None if state["own"] is None else state["own"].to(device))
            self._make_optimizer()
            self._ready = int(state["phase"])
        self._fitted = bool(state["fitted"])
        with torch.no_grad():
            self._start_code = state["start"].to(device).clone()
            self._code.copy_(state["code"])
            for layer, old in zip(self._noise, state["noise"], strict=True):
                layer.copy_(old)


# -- what phases are made of -------------------------------------------------------------------------------------------
def blurred(mask: Tensor, sigma: float) -> Tensor:
    """A mask [N, 1, H, W] under a Gaussian of `sigma` pixels; 0 leaves it."""
    if sigma <= 0:
        return mask
    reach = max(1, math.ceil(3 * sigma))
    place = torch.arange(-reach, reach + 1, dtype=mask.dtype, device=mask.device)
    line = torch.exp(-0.5 * (place / sigma) ** 2)
    line = line / line.sum()
    wide = F.pad(mask, (reach,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(wide, line.view(1, 1, 1, -1)), line.view(1, 1, -1, 1)).clamp(0, 1)
