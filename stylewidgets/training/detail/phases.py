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
        top, left = (int(d) for d in torch.randint(side - SPAN + 1, (2,), dtype=torch.int64, device="cpu"))
        return cls(top, left, side)

    def of(self, picture: Tensor) -> Tensor:
        """The window of pictures [N, C, H, W] of any size."""
        k = picture.shape[2] // self.side
        return picture[:, :, self.top * k : (self.top + SPAN) * k, self.left * k : (self.left + SPAN) * k]


def energy_step(run: GrowingRun, seen: Seen) -> dict[str, float]:
    """One step on renders with detail, by the energy score of two pictures y, y' that differ in noise alone:
    (d(y, x) + d(y', x) − d(y, y')) / 2, d being the paired loss.

    d adds up differences of single numbers (pixels and slopes at several sizes), and each of their scores is smallest for the
    true distribution of that number (Gneiting and Raftery 2007, section 5): where a render is certain the picture must hit it,
    and where it is chance the noise must vary as the render does. No second network is needed.
    """
    spot = Spot.by_chance(run.generator.resolution // 4)
    ws = seen.w[:, None].expand(-1, run.generator.num_ws, -1)
    first, second = drawn(run.generator, ws, spot, 2)
    image, weight = spot.of(seen.image), spot.of(seen.weight)
    near = (paired_loss(first, image, weight) + paired_loss(second, image, weight)) / 2
    apart = paired_loss(first, second, weight)
    run.step(near - apart / 2)
    run.follow(len(image))
    return {"near": float(near.detach()), "apart": float(apart.detach())}


def mixed_step(run: GrowingRun) -> dict[str, float]:
    """One step on mixed codes: at a quarter of the size the picture stays what the smaller generator makes of them."""
    spot = Spot.by_chance(run.generator.resolution // 4)
    z = torch.randn(2, run.recipe.batch, run.teacher.z_dim, dtype=torch.float32, device="cpu")
    with torch.no_grad():
        ws = mixed(*(run.generator.map(one) for one in z))
        target = F.avg_pool2d(spot.of(run.teacher.synthesize(ws[:, :-2], noise="none")), 2)
    (made,) = drawn(run.generator, ws, spot, 1)
    loss = (F.avg_pool2d(made, 4) - target).abs().mean()
    run.step(run.recipe.mixed_weight * loss)
    return {"mixed": float(loss.detach())}


def drawn(generator: StyleGAN2, ws: Tensor, spot: Spot, times: int) -> tuple[Tensor, ...]:
    """A window of the pictures of w+, `times` with noise that differs in the last two blocks, each [N, 3, 4 SPAN, 4 SPAN]."""
    styles = generator.styles(ws)
    state: State | None = None
    for i in range(generator.num_blocks - 2):
        state = generator.step(i, state, styles[generator.block_layers(i)], "random")
    assert state is not None and state.img is not None
    low = [max(0, at - MARGIN) for at in (spot.top, spot.left)]
    high = [min(spot.side, at + SPAN + MARGIN) for at in (spot.top, spot.left)]

    def cut(x: Tensor) -> Tensor:
        piece = x[:, :, low[0] : high[0], low[1] : high[1]]
        return piece.repeat(times, 1, 1, 1).contiguous(memory_format=torch.channels_last)

    x, img = cut(state.x), cut(state.img).contiguous()
    for i in (generator.num_blocks - 2, generator.num_blocks - 1):
        own = [style.repeat(times, 1) for style in styles[generator.block_layers(i)]]
        shape = (len(x), 1, 2 * x.shape[2], 2 * x.shape[3])
        noise = [torch.randn(shape, dtype=torch.float32, device=x.device) for _ in range(2)]
        x, img = generator.synthesis.blocks[i](x, img, own, noise)
    top, left = (4 * (a - b) for a, b in zip((spot.top, spot.left), low, strict=True))
    inside = img[:, :, top : top + 4 * SPAN, left : left + 4 * SPAN]
    return inside.chunk(times)


def some(pool: Pool, count: int, random: np.random.Generator) -> Seen:
    """Renders by chance out of those that are there."""
    return pool.batch(np.sort(random.choice(pool.done, count, replace=False)))
