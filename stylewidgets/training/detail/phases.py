"""Steps of growing: pictures with and without noise against renders, pictures of mixed codes against the smaller generator's.

Only a part of each picture is drawn at the largest sizes: blocks up to a quarter of the size run whole, then a window of their
features goes on alone, with a margin that is not looked at.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...generators.protocol import State
from ...generators.stylegan2.generator import StyleGAN2
from ..losses import paired_loss
from .chance import Chance
from .data import Pool, Seen
from .state import GrowingRun, mixed

SPAN, MARGIN = 32, 4
"""Pixels of a window that are looked at, and around them, at a quarter of the size."""


class Spot(NamedTuple):
    """A window of a picture: where it starts, in pixels of a quarter of the size."""

    top: int
    left: int
    side: int

    @classmethod
    def by_chance(cls, side: int) -> Spot:
        """Any place in a picture of `side` pixels at a quarter of its size."""
        room = side - min(SPAN, side) + 1
        top, left = (int(d) for d in torch.randint(room, (2,), dtype=torch.int64, device="cpu"))
        return cls(top, left, side)

    @property
    def span(self) -> int:
        """How many pixels of a quarter of the size are looked at, on a side."""
        return min(SPAN, self.side)

    def around(self, picture: Tensor) -> Tensor:
        """The window with its margin, where the picture has one."""
        k = picture.shape[2] // self.side
        rows, columns = (
            slice(k * max(0, at - MARGIN), k * min(self.side, at + self.span + MARGIN)) for at in (self.top, self.left)
        )
        return picture[:, :, rows, columns]

    def of(self, picture: Tensor) -> Tensor:
        """The window of pictures [N, C, H, W] of any size."""
        k = picture.shape[2] // self.side
        return picture[:, :, self.top * k : (self.top + self.span) * k, self.left * k : (self.left + self.span) * k]


def paired_step(run: GrowingRun, seen: Seen) -> dict[str, float]:
    """One step on pairs: the picture without noise against the render without chance, and what known noise adds to it against
    what it should add (`Chance`), every second picture with the renderer's own chance as its noise.

    The first convolutions of the last two blocks get the known noise, each its band; the second ones get white noise that is part
    of no target and learn to leave it out.
    """
    spot = Spot.by_chance(run.generator.resolution // 4)
    ws = seen.w[:, None].expand(-1, run.generator.num_ws, -1)
    start = window(run.generator, ws, spot)
    still = finished(run.generator, start, None)
    plain = paired_loss(still, spot.of(seen.plain), spot.of(seen.weight))
    coarse, fine, added = Chance.of(seen.image - seen.plain).drawn(
        torch.arange(len(ws), device=ws.device, dtype=torch.int64) % 2 == 0
    )
    known = [spot.around(coarse), None, spot.around(fine), None]
    maps = [white if given is None else given for white, given in zip(white_noise(start), known, strict=True)]
    moved = finished(run.generator, start, maps) - still.detach()
    noise = paired_loss(moved, spot.of(added), torch.ones_like(spot.of(seen.weight)))
    run.step(plain + run.recipe.noise_weight * noise)
    run.follow(len(ws))
    return {"plain": float(plain.detach()), "noise": float(noise.detach())}


def noise_step(run: GrowingRun, seen: Seen) -> dict[str, float]:
    """One step of the last two blocks on what is chance, by the energy score (d(n, r) + d(n', r) − d(n, n')) / 2: r is what
    chance adds to the render, n and n' what two noises add to the picture, d the paired loss.

    d adds up differences of single numbers (pixels and slopes at several sizes). The score of each is smallest for its true
    distribution (Gneiting and Raftery 2007, section 5), so the noise learns how much it may change where, and at which size;
    it needs no second network. Outlines, which are no chance, get none.
    """
    spot = Spot.by_chance(run.generator.resolution // 4)
    ws = seen.w[:, None].expand(-1, run.generator.num_ws, -1)
    with torch.no_grad():
        start = window(run.generator, ws, spot)
        still = finished(run.generator, start, None)
    first, second = (finished(run.generator, start, white_noise(start)) - still for _ in range(2))
    added, even = spot.of(seen.image - seen.plain), torch.ones_like(spot.of(seen.weight))
    near = (paired_loss(first, added, even) + paired_loss(second, added, even)) / 2
    apart = paired_loss(first, second, even)
    run.step(near - apart / 2)
    return {"near": float(near.detach()), "apart": float(apart.detach())}


def mixed_step(run: GrowingRun) -> dict[str, float]:
    """One step on mixed codes: at a quarter of the size the picture stays what the smaller generator makes of them."""
    spot = Spot.by_chance(run.generator.resolution // 4)
    z = torch.randn(2, run.recipe.batch, run.teacher.z_dim, dtype=torch.float32, device="cpu")
    with torch.no_grad():
        ws = mixed(*(run.generator.map(one) for one in z))
        target = F.avg_pool2d(spot.of(run.teacher.synthesize(ws[:, :-2], noise="none")), 2)
    made = finished(run.generator, window(run.generator, ws, spot), None)
    loss = (F.avg_pool2d(made, 4) - target).abs().mean()
    run.step(run.recipe.mixed_weight * loss)
    return {"mixed": float(loss.detach())}


class Window(NamedTuple):
    """Features [N, C, h, w] and picture of a window with its margin, at a quarter of the size; the styles of the blocks that go
    on from there; and where the window is in it and its side, in pixels of the whole size."""

    x: Tensor
    img: Tensor
    styles: list[list[Tensor]]
    top: int
    left: int
    span: int


def window(generator: StyleGAN2, ws: Tensor, spot: Spot) -> Window:
    """All blocks but the last two, without noise, and a window of what they make of w+ [N, num_ws, w_dim]."""
    styles = generator.styles(ws)
    last = generator.num_blocks - 2
    state: State | None = None
    for i in range(last):
        state = generator.step(i, state, styles[generator.block_layers(i)], "none")
    assert state is not None and state.img is not None
    own = [styles[generator.block_layers(i)] for i in (last, last + 1)]
    return Window(
        spot.around(state.x).contiguous(memory_format=torch.channels_last),
        spot.around(state.img).contiguous(),
        own,
        4 * min(spot.top, MARGIN),
        4 * min(spot.left, MARGIN),
        4 * spot.span,
    )


def white_noise(start: Window) -> list[Tensor]:
    """Noise for the convolutions of the last two blocks on a window, in their order."""
    n, _, height, width = start.x.shape
    return [torch.randn(n, 1, k * height, k * width, dtype=torch.float32, device=start.x.device) for k in (2, 2, 4, 4)]


def finished(generator: StyleGAN2, start: Window, noise: list[Tensor] | None) -> Tensor:
    """The last two blocks on a window, with noise for each of their convolutions or none: pictures [N, 3, span, span] without
    the margin."""
    x, img = start.x, start.img
    for k, (block, own) in enumerate(zip(generator.synthesis.blocks[-2:], start.styles, strict=True)):
        x, img = block(x, img, own, [None, None] if noise is None else noise[2 * k : 2 * k + 2])
    return img[:, :, start.top : start.top + start.span, start.left : start.left + start.span]


def some(pool: Pool, count: int, random: np.random.Generator) -> Seen:
    """Renders by chance out of those that are there."""
    return pool.batch(np.sort(random.choice(pool.done, count, replace=False)))
