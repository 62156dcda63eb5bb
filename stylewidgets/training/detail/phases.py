"""Steps of growing: pictures with detail against renders, and pictures of mixed codes against the smaller generator's.

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

    def of(self, picture: Tensor) -> Tensor:
        """The window of pictures [N, C, H, W] of any size."""
        k = picture.shape[2] // self.side
        return picture[:, :, self.top * k : (self.top + self.span) * k, self.left * k : (self.left + self.span) * k]


def plain_step(run: GrowingRun, seen: Seen) -> dict[str, float]:
    """One step on what is not chance: the picture without noise against the render without it."""
    spot = Spot.by_chance(run.generator.resolution // 4)
    ws = seen.w[:, None].expand(-1, run.generator.num_ws, -1)
    made = finished(run.generator, window(run.generator, ws, spot), None)
    loss = paired_loss(made, spot.of(seen.plain), spot.of(seen.weight))
    run.step(loss)
    run.follow(len(made))
    return {"plain": float(loss.detach())}


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
    first, second = (finished(run.generator, start, "random") - still for _ in range(2))
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
    low = [max(0, at - MARGIN) for at in (spot.top, spot.left)]
    high = [min(spot.side, at + spot.span + MARGIN) for at in (spot.top, spot.left)]
    rows, columns = (slice(a, b) for a, b in zip(low, high, strict=True))
    x = state.x[:, :, rows, columns].contiguous(memory_format=torch.channels_last)
    own = [styles[generator.block_layers(i)] for i in (last, last + 1)]
    return Window(
        x,
        state.img[:, :, rows, columns].contiguous(),
        own,
        4 * (spot.top - low[0]),
        4 * (spot.left - low[1]),
        4 * spot.span,
    )


def finished(generator: StyleGAN2, start: Window, noise: str | None) -> Tensor:
    """The last two blocks on a window, with "random" noise or None: pictures [N, 3, span, span] without the margin."""
    x, img = start.x, start.img
    for block, own in zip(generator.synthesis.blocks[-2:], start.styles, strict=True):
        shape = (len(x), 1, 2 * x.shape[2], 2 * x.shape[3])
        maps = [None if noise is None else torch.randn(shape, dtype=torch.float32, device=x.device) for _ in range(2)]
        x, img = block(x, img, own, maps)
    return img[:, :, start.top : start.top + start.span, start.left : start.left + start.span]


def some(pool: Pool, count: int, random: np.random.Generator) -> Seen:
    """Renders by chance out of those that are there."""
    return pool.batch(np.sort(random.choice(pool.done, count, replace=False)))
