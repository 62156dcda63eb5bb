"""Exercises on the way from z to the picture."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import torch
from torch import Tensor

from .. import ours
from ..chain import STATIONS
from ..reading import words
from ..reply import Reply, check, hint, right

ALSO = {
    "style": "styles",
    "s": "styles",
    "layer": "layers",
    "features": "layers",
    "convolutions": "layers",
    "image": "picture",
    "x": "picture",
    "w+": "w",
}


@check
def stations(answer: object, lit: Collection[str]) -> Reply:
    """Which stations light up.

    Args:
        answer: names of stations, in any order.
        lit: what `Chain.set(...)` returned.
    """
    given = words(answer, STATIONS, ALSO)
    first = min(STATIONS.index(name) for name in lit)
    if given == set(lit):
        return right(f"right: everything from {STATIONS[first]} on, and nothing before it")
    missing, extra = (
        [n for n in STATIONS if n in lit and n not in given],
        [n for n in STATIONS if n in given and n not in lit],
    )
    if extra:
        return hint(f"{extra[0]} stays dark: it is computed before the place where this slider acts")
    return hint(f"{missing[0]} lights up, too: it is computed from what changed")


@check
def adain(answer: Callable[..., Any]) -> Reply:
    """A function (x [N, C, H, W], scale [N, C], shift [N, C]) → features of the same shape."""
    if not callable(answer):
        return hint("a function is asked for: adain itself, without brackets after it")
    source = torch.Generator("cpu").manual_seed(7)
    x = 3 * torch.randn(2, 4, 8, 8, generator=source, dtype=torch.float32, device="cpu") + 5
    x = x * torch.arange(1, 5, dtype=torch.float32, device="cpu")[:, None, None]
    scale, shift = (torch.randn(2, 4, generator=source, dtype=torch.float32, device="cpu") for _ in range(2))
    try:
        made = answer(x.clone(), scale, shift)
    except Exception as error:  # noqa: BLE001  whatever a student's line raises is shown
        return hint(
            f"it stops with {type(error).__name__}: {error}. scale is [N, C] and x is [N, C, H, W]; "
            "scale[:, :, None, None] fits"
        )
    if made is None or made is ...:
        return Reply(False, "not answered yet")
    if not isinstance(made, Tensor) or made.shape != x.shape:
        return hint(f"the features must keep their shape {list(x.shape)}; {list(getattr(made, 'shape', []))} came back")
    return _like_adain(made, x, scale[:, :, None, None], shift[:, :, None, None])


def _like_adain(made: Tensor, x: Tensor, scale: Tensor, shift: Tensor) -> Reply:
    wanted = ours.adain(x, scale[:, :, 0, 0], shift[:, :, 0, 0])

    def near(other: Tensor) -> bool:
        return torch.allclose(made, other, rtol=0.02, atol=0.02)  # n or n − 1 under the deviation: both are taken

    mean, deviation = x.mean((2, 3), keepdim=True), x.std((2, 3), keepdim=True)
    if near(wanted):
        return right("right: the style now decides mean and deviation of every map, whatever they were before")
    if near(wanted - shift):
        return hint("the shift is missing: it is added at the end")
    if near(scale * x + shift):
        return hint("x must be normalised first: take away the mean of each map, divide by its deviation")
    if near(scale * (x - mean) + shift):
        return hint("the mean is gone, but each map must be divided by its standard deviation, too")
    if near(scale * x / deviation + shift):
        return hint("the deviation is 1, but the mean of each map must be taken away first")
    if near(scale * (x - mean) / deviation.square() + shift):
        return hint("that is the variance; divide by its root, the standard deviation")
    if near(scale * (x - x.mean()) / x.std() + shift):
        return hint("mean and deviation are those of each map: over the last two dimensions only, with keepdim=True")
    return hint("some numbers differ: normalise each map over its places, times scale, plus shift")
