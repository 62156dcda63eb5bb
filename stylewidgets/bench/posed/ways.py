"""Ways to draw a source in another pose: a copy, the source carried along a flow, and the network."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ...avatars import BODY, Figure, Render, render
from ...avatars.sources import WAYS, DressedFigure
from ...avatars.world.dataset import to_uint8
from ...generators.posed import Posed, Reposing

COPY = "source copied"
CARRIED = {way: f"carried, {way}" for way in WAYS}
NETWORK = {way: f"network, {way}" for way in WAYS}
Source = Figure | DressedFigure


def figure(row: Tensor, way: str) -> Figure:
    """A half figure of factors [F]."""
    return Figure(row, BODY, way)


def truth(rows: Tensor, size: int, *outputs: str) -> Render:
    """Half figures of factors [N, F] as they are."""
    return render(rows, size, outputs=("image", *outputs), groups=BODY, framing="half")


@torch.no_grad()
def network(generator: Posed, given: Reposing) -> Tensor:
    """What the network draws, [N, 3, H, W], through 8 bits."""
    with generator.reposed(given):
        return eight_bits(generator.synthesize(given.picture.new_zeros(len(given.picture), generator.w_dim)))


def carried(given: Reposing) -> Tensor:
    """The source's pixels where the flow has them, what it does not know as the source shows it there: no network has a part in
    it. A garment is carried by its own flow, where it shall be."""
    found = _along(given.picture, given.flow, given.picture)
    if given.garment is not None:
        found = torch.lerp(found, _along(given.garment.picture, given.garment.flow, found), given.garment.mask)
    return eight_bits(found)


def _along(picture: Tensor, flow: Tensor, otherwise: Tensor) -> Tensor:
    known = (flow.abs() <= 1).all(dim=1, keepdim=True)
    return torch.where(known, F.grid_sample(picture, flow.permute(0, 2, 3, 1), align_corners=False), otherwise)


def eight_bits(images: Tensor) -> Tensor:
    """Pictures as they are shown."""
    return to_uint8(images).float() / 127.5 - 1


def every(
    source: Callable[[str], Source], target: Tensor, size: int, generator: Posed | None
) -> tuple[dict[str, Tensor], Reposing]:
    """All ways by name, [1, 3, H, W] each, and what the exact way gives a network.

    Args:
        source: makes it for one of `WAYS`.
        target: factors [F] whose pose it shall take.
        size: pixels of a side.
        generator: None leaves its ways out; else of this size.
    """
    found: dict[str, Tensor] = {}
    exact: Reposing | None = None
    for way in WAYS:
        given = source(way).towards(target[None], size)
        exact = given if way == "exact" else exact
        found[COPY] = eight_bits(given.picture)
        found[CARRIED[way]] = carried(given)
        if generator is not None:
            found[NETWORK[way]] = network(generator, given)
    assert exact is not None
    return found, exact
