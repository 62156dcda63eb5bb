"""Image2StyleGAN++ (Abdal et al., "Image2StyleGAN++: How to Edit the Embedded Images?", CVPR 2020).

A run is a list of `Phase`s, the paper's building blocks: W_l and M_st move the code, Mk_n moves the noise. Its
applications are functions here that put phases together. Code and noise are never moved at once: that overfits the noise.

The weights are the paper's (1e-5, 1e-5, 1e-5, 5e-7) times 1e5, since Adam only sees their ratios.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ...core import pictures
from .. import spaces
from ..losses.losses import gram, map_distance, mse, shrink
from ..losses.perceptual import plain_maps
from ..noise import constant_noise
from ..registry import METHODS
from .descent import Descent

if TYPE_CHECKING:
    from ...session.session import GeneratorSession
    from ..target import Target

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
        kept = tuple(
            phase for phase in phases if phase.steps and (phase.moves == "code" or session.generator.noise_shapes)
        )
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


def inpainting_rows(num_ws: int) -> tuple[int, ...]:
    """Rows that inpainting moves, structure and colour: of 18 the first nine and the last two."""
    return tuple(sorted({*range((num_ws + 1) // 2), num_ws - 2, num_ws - 1}))


def scribble_rows(num_ws: int) -> tuple[int, ...]:
    """Rows that a scribble moves, coarse structure: of 18 the first five."""
    return tuple(range(max(1, round(num_ws * 5 / 18))))


# -- applications ------------------------------------------------------------------------------------------------------
def start(session: GeneratorSession, target: Target, **settings: Any) -> Image2StyleGANpp:
    """Reconstruction or inpainting, as the setting `task` says; what inpainting knows is where the target's mask is 1."""
    made = inpainting if settings.get("task") == "inpainting" else reconstruction
    return made(session, target, **settings)


def reconstruction(
    session: GeneratorSession, target: Target, *, initial: Any = None, **settings: Any
) -> Image2StyleGANpp:
    """w+, then noise, both for the whole picture or for the target's mask."""
    values = _values("reconstruction", settings)
    mask = _mask(session, target.mask)
    phases = [
        Phase("code", values["steps"], values["rate"], pixels=mask, features=mask),
        Phase("noise", values["noise_steps"], values["noise_rate"], pixels=mask),
    ]
    return Image2StyleGANpp(session, target, phases, settings=values, initial=initial)


def inpainting(session: GeneratorSession, target: Target, *, initial: Any = None, **settings: Any) -> Image2StyleGANpp:
    """Fill the part where the target's mask is 0: w+ from the known pixels, then noise, which keeps what w+ has filled in.

    Start "random" with another seed gives another filling.

    Raises:
        ValueError: the target has no mask.
    """
    values = _values("inpainting", settings)
    if target.mask is None:
        raise ValueError(
            "inpainting needs to know what is known: target.with_mask(mask) with 1 there and 0 in the hole"
        )
    known = _mask(session, target.mask)
    soft = known * blurred(known, _sigma(session, values))  # never more than what is known
    phases = [
        Phase("code", values["steps"], values["rate"], inpainting_rows(session.num_ws), pixels=known, features=known),
        Phase("noise", values["noise_steps"], values["noise_rate"], pixels=soft, other_pixels=1 - soft, own=True),
    ]
    return Image2StyleGANpp(session, target, phases, settings=values, initial=initial)


def crossover(
    session: GeneratorSession, target: Target, second: Any, mask: Any, *, initial: Any = None, **settings: Any
) -> Image2StyleGANpp:
    """One face out of two: the target where the mask is 1, `second` elsewhere, with a soft edge.

    Args:
        second: what `Target.of` takes, one picture or one for each target.
        mask: [H, W] or [N, 1, H, W] in [0, 1].
        initial, settings: as of the method.
    """
    values = _values("crossover", settings)
    y, soft = (
        _second(session, target, second),
        blurred(_mask(session, target.with_mask(mask).mask), _sigma(session, values)),
    )
    phases = [
        Phase(
            "code",
            values["steps"],
            values["rate"],
            pixels=soft,
            features=soft,
            other_pixels=1 - soft,
            other_features=1 - soft,
        ),
        Phase("noise", values["noise_steps"], values["noise_rate"], pixels=soft, other_pixels=1 - soft),
    ]
    return Image2StyleGANpp(session, target, phases, settings=values, second=y, initial=initial)


def scribble(
    session: GeneratorSession, scribbled: Target, initial: Any, *, rows: tuple[int, ...] | None = None, **settings: Any
) -> Image2StyleGANpp:
    """Turn a picture that was drawn on into a face: only coarse rows follow the scribble, the others stay.

    Args:
        scribbled: the picture with the scribble; a mask limits what counts.
        initial: w+ of the picture before the scribble.
        rows: that may move; by default those of `scribble_rows`.
    """
    values = _values("scribble", settings)
    mask = _mask(session, scribbled.mask)
    phases = [
        Phase(
            "code", values["steps"], values["rate"], rows or scribble_rows(session.num_ws), pixels=mask, features=mask
        ),
        Phase("noise", values["noise_steps"], values["noise_rate"], pixels=mask),
    ]
    return Image2StyleGANpp(session, scribbled, phases, settings=values, initial=initial)


def local_style(
    session: GeneratorSession, target: Target, second: Any, mask: Any, *, initial: Any = None, **settings: Any
) -> Image2StyleGANpp:
    """Keep the target where the mask is 1 and give the rest the style (Gram matrices) of another picture.

    Args:
        second: what gives the style: what `Target.of` takes, one picture or one for each target.
        mask: [H, W] or [N, 1, H, W] in [0, 1].
    """
    values = _values("local_style", settings)
    y, keep = _second(session, target, second), _mask(session, target.with_mask(mask).mask)
    soft = blurred(keep, _sigma(session, values))
    phases = [
        Phase("code", values["steps"], values["rate"], pixels=keep, features=keep, style=1 - keep),
        Phase("noise", values["noise_steps"], values["noise_rate"], pixels=soft, other_pixels=1 - soft, own=True),
    ]
    return Image2StyleGANpp(session, target, phases, settings=values, second=y, initial=initial)


@torch.no_grad()
def transfer_features(session: GeneratorSession, a: Any, b: Any, mask: Any, block: int) -> Tensor:
    """Draw `a` with the activations of `b` copied into a region after a block (attribute-level feature transfer, I_att).

    Args:
        a, b: Latents. Their faces must lie alike.
        mask: [H, W] in [0, 1], 1 where activations of b are taken; resampled to the block.
        block: index of the block, from 0 (coarse).

    Returns:
        The picture [1, 3, H, W], about [-1, 1]. Inverting it gives a code for it.
    """
    generator = session.generator
    if not 0 <= block < generator.num_blocks:
        raise ValueError(f"block is from 0 to {generator.num_blocks - 1}; {block} was given")
    weights = torch.as_tensor(pictures.read_mask(mask), dtype=torch.float32, device=session.device)[None, None]

    def mixed(x: Tensor | None, y: Tensor | None) -> Tensor | None:
        if x is None or y is None:
            return x
        part = F.adaptive_avg_pool2d(weights, (x.shape[-2], x.shape[-1]))
        return x + (y - x) * part

    with session.lock:
        each = [session.code_styles(session.check(one)) for one in (a, b)]
        states: list[Any] = [None, None]
        noise = generator.block_noise("const")
        for i in range(generator.num_blocks):
            inside = generator.block_layers(i)
            states = [generator.step(i, s, styles[inside], noise[i]) for s, styles in zip(states, each, strict=True)]
            if i == block:
                states[0] = states[0]._replace(
                    x=mixed(states[0].x, states[1].x), img=mixed(states[0].img, states[1].img)
                )
        picture: Tensor = generator.image(states[0])
    return picture


def _values(task: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in settings.items() if name != "task"}
    return METHODS[METHOD].checked(given) | {"task": task}


def _mask(session: GeneratorSession, mask: Tensor | None) -> Tensor:
    side = session.resolution
    return (
        torch.ones(1, 1, side, side, device=session.device, dtype=torch.float32)
        if mask is None
        else mask.to(session.device)
    )


def _second(session: GeneratorSession, target: Target, given: Any) -> Tensor:
    from ..target import Target

    images = Target.of(given, session).images
    if len(images) not in (1, len(target)):
        raise ValueError(f"one second picture or {len(target)} are expected; {len(images)} were given")
    return images


def _sigma(session: GeneratorSession, values: Mapping[str, Any]) -> float:
    return float(values["blur"] * session.resolution)
