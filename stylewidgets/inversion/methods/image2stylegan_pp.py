"""Image2StyleGAN++ (Abdal et al., "Image2StyleGAN++: How to Edit the Embedded Images?", CVPR 2020).

A run is a list of `Phase`s, the paper's building blocks. Its applications are functions here that put phases together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ...core import pictures
from ...generators.protocol import State
from ...latent.latent import Latent
from ...session.session import GeneratorSession
from ...settings import Value
from ..catalogue import METHODS
from ..spaces import Codes, coloured
from ..target import Target
from .phases import METHOD, Image2StyleGANpp, Phase, blurred


def inpainting_rows(num_ws: int) -> tuple[int, ...]:
    """Rows that inpainting moves, structure and colour: of 18 the first nine and the last two."""
    return tuple(sorted({*range((num_ws + 1) // 2), num_ws - 2, num_ws - 1}))


def scribble_rows(num_ws: int) -> tuple[int, ...]:
    """Rows that a scribble moves, coarse structure: of 18 the first five."""
    return tuple(range(max(1, round(num_ws * 5 / 18))))


# -- applications ------------------------------------------------------------------------------------------------------
def start(session: GeneratorSession, target: Target, **settings: Value) -> Image2StyleGANpp:
    """Reconstruction or inpainting, as the setting `task` says; what inpainting knows is where the target's mask is 1."""
    made = inpainting if settings.get("task") == "inpainting" else reconstruction
    return made(session, target, **settings)


def reconstruction(
    session: GeneratorSession, target: Target, *, initial: Codes | None = None, **settings: Value
) -> Image2StyleGANpp:
    """w+, then noise, both for the whole picture or for the target's mask."""
    values = _values("reconstruction", settings)
    mask = _mask(session, target.mask)
    phases = [
        Phase("code", values["steps"], values["rate"], pixels=mask, features=mask),
        Phase("noise", values["noise_steps"], values["noise_rate"], pixels=mask),
    ]
    return Image2StyleGANpp(session, target, phases, settings=values, initial=initial)


def inpainting(
    session: GeneratorSession, target: Target, *, initial: Codes | None = None, **settings: Value
) -> Image2StyleGANpp:
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
    session: GeneratorSession,
    target: Target,
    second: object,
    mask: object,
    *,
    initial: Codes | None = None,
    **settings: Value,
) -> Image2StyleGANpp:
    """One face out of two: the target where the mask is 1, `second` elsewhere, with a soft edge.

    Args:
        second: what `Target.of` takes, one picture or one for each target.
        mask: [H, W] or [N, 1, H, W] in [0, 1].
        initial, settings: as of the method.
    """
    values = _values("crossover", settings)
    y, keep = _second(session, target, second), _mask(session, target.with_mask(mask).mask)
    soft = blurred(keep, _sigma(session, values))
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
    session: GeneratorSession,
    scribbled: Target,
    initial: Codes,
    *,
    rows: tuple[int, ...] | None = None,
    **settings: Value,
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
    session: GeneratorSession,
    target: Target,
    second: object,
    mask: object,
    *,
    initial: Codes | None = None,
    **settings: Value,
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
def transfer_features(session: GeneratorSession, a: Latent, b: Latent, mask: object, block: int) -> Tensor:
    """Draw `a` with the activations of `b` copied into a region after a block (attribute-level feature transfer, I_att).

    Args:
        a, b: Latents. Their faces must lie alike.
        mask: [H, W] in [0, 1], 1 where activations of b are taken; resampled to the block.
        block: index of the block, from 0 (coarse).

    Returns:
        The picture [1, 3, H, W], about [-1, 1]. Inverting it gives a code for it.
    """
    last = max((k for k, layer in enumerate(session.layers) if layer.block == block), default=None)
    if last is None:
        raise ValueError(f"block is from 0 to {session.layers[-1].block}; {block} was given")
    weights = torch.as_tensor(pictures.read_mask(mask), dtype=torch.float32, device=session.device)[None, None]

    def mixed(x: Tensor | None, y: Tensor | None) -> Tensor | None:
        if x is None or y is None:
            return x
        part = F.adaptive_avg_pool2d(weights, (x.shape[-2], x.shape[-1]))
        return x + (y - x) * part

    own, theirs = (session.code_styles(session.check(one)) for one in (a, b))
    (here,), (there,) = (session.activations(styles, [last], exact=True).values() for styles in (own, theirs))
    x = mixed(here.x, there.x)
    assert x is not None
    return coloured(session.synthesize(own, exact=True, start=(last, State(x, mixed(here.img, there.img)))))


def _values(task: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in settings.items() if name != "task"}
    return METHODS[METHOD].checked(given) | {"task": task}


def _mask(session: GeneratorSession, mask: Tensor | None) -> Tensor:
    return (
        torch.ones(1, 1, *session.picture_size, device=session.device, dtype=torch.float32)
        if mask is None
        else mask.to(session.device)
    )


def _second(session: GeneratorSession, target: Target, given: object) -> Tensor:
    images = Target.of(given, session).images
    if len(images) not in (1, len(target)):
        raise ValueError(f"one second picture or {len(target)} are expected; {len(images)} were given")
    return images


def _sigma(session: GeneratorSession, values: Mapping[str, Any]) -> float:
    return float(values["blur"] * session.resolution)
