"""Gradients of a picture with respect to every style channel at once, cell by cell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ...jobs import Job, Progress, Work
from ...latent.latent import Latent
from ...session.drawing import joined_styles
from ...session.session import GeneratorSession
from .. import cache
from ..effects import draw_like

COLOURS = ("mixed", "each")
FINEST = 16  # cells on a side: a quarter of the work of the paper's 32, and enough for hair, eyes and a mouth


def cells_of(session: GeneratorSession, grid: int | None) -> int:
    """Cells on the longer side: as given, else a quarter of the picture's pixels and 16 at most."""
    return int(grid) if grid else max(1, min(FINEST, session.resolution // 4))


@Work
def gradient_maps(
    session: GeneratorSession,
    latent: Latent,
    *,
    grid: int,
    colours: str = "mixed",
    batch: int = 32,
    cached: bool = True,
) -> Job[NDArray[np.float32]]:
    """The gradient maps [S, h, w] of Wu et al.: |∂ picture / ∂ s_c| in each cell of a grid, for all channels c.

    Args:
        grid: cells on the longer side; the picture is averaged in each.
        colours: "each" takes the mean over the colours of the absolute gradient, as the paper does, in one backward pass for
            every cell and colour. "mixed" takes one pass for a cell, along a mix of the colours that differs from cell to
            cell: a third of the time, the same for changes of brightness, and rougher for those of hue.
        batch: cells at a time.
        cached: read maps from disk and keep new ones there.

    They are of the picture in [-1, 1] by one unit of s.
    """
    if colours not in COLOURS:
        raise ValueError(f"colours is one of {', '.join(COLOURS)}; {colours!r} was given")
    name = cache.key(session, "gradients", cached, latent=latent.to_dict(), grid=grid, colours=colours)
    found = cache.read(name)
    if found is not None:
        return found["maps"].astype(np.float32)
    picture, styles = pooled(session, [latent] * batch, grid)
    _, colour, height, width = picture.shape
    passes = cotangents(colour, height, width, colours)
    yield Progress(0, len(passes))
    rows = []
    for start in range(0, len(passes), batch):
        part = passes[start : start + batch]
        gradient = backward(picture, styles, F.pad(part, (0, 0, 0, 0, 0, 0, 0, batch - len(part))), session)
        rows.append(gradient[: len(part)].abs().cpu())
        yield Progress(min(start + batch, len(passes)), len(passes))
    per_pass = torch.cat(rows)
    maps = per_pass.view(-1, height, width, per_pass.shape[1]).mean(dim=0).permute(2, 0, 1).contiguous().numpy()
    # Gradients span many powers of ten; half precision keeps three digits of all that can be seen.
    cache.write(name, maps=np.minimum(maps, 6e4).astype(np.float16))
    return maps


def pooled(session: GeneratorSession, latents: list[Latent], grid: int) -> tuple[Tensor, list[Tensor]]:
    """Averages [n, C, h, w] of pictures in the cells of a grid, and the leaves [n, C_l] that they come from.

    The latents share noise and transform.
    """
    first = latents[0]
    with torch.inference_mode(False), torch.enable_grad():
        if all(latent is first for latent in latents):
            rows = [s.repeat(len(latents), 1) for s in session.code_styles(first)]
        else:
            rows = joined_styles(session, latents)
        styles = [s.detach().clone().requires_grad_() for s in rows]
        pictures = draw_like(session, styles, first)
        return F.adaptive_avg_pool2d(pictures, shape_of(pictures.shape[-2], pictures.shape[-1], grid)), styles


def shape_of(height: int, width: int, grid: int) -> tuple[int, int]:
    """Rows and columns of a grid with `grid` cells on the longer side, none smaller than a pixel."""
    side = max(height, width)
    grid = min(grid, side)
    return max(1, round(grid * height / side)), max(1, round(grid * width / side))


def backward(picture: Tensor, styles: list[Tensor], cotangent: Tensor, session: GeneratorSession) -> Tensor:
    """The gradient [n, S] of the sum of `picture` times `cotangent`; the graph stays for the next one."""
    with torch.inference_mode(False), torch.enable_grad():
        # Of one number: with a cotangent torch imports its symbolic shapes and all of sympy, for which a page stands still.
        return slopes((picture * cotangent.to(picture)).sum(), styles, session)


def slopes(total: Tensor, styles: Sequence[Tensor], session: GeneratorSession) -> Tensor:
    """The gradient [n, S] of a number; the graph stays for the next one. 0 for styles that it does not depend on."""
    with session.lock, torch.inference_mode(False), torch.enable_grad():
        parts = torch.autograd.grad(total, styles, retain_graph=True, allow_unused=True)
    return torch.cat([torch.zeros_like(s) if p is None else p for p, s in zip(parts, styles, strict=True)], dim=1)


def cotangents(colour: int, height: int, width: int, colours: str) -> Tensor:
    """[passes, colour, height, width], the cell in the picture's order the fastest."""
    cells = height * width
    one = torch.eye(cells, dtype=torch.float32, device="cpu").view(cells, 1, height, width)
    if colours == "each":
        return torch.cat(
            [
                one * F.one_hot(torch.tensor(i, dtype=torch.int64, device="cpu"), colour).view(1, -1, 1, 1)
                for i in range(colour)
            ]
        )
    # Unequal parts, so that no change of hue cancels everywhere; they sum to 1, so that one of brightness is exact.
    parts = torch.tensor([2.0**-i for i in range(colour)], dtype=torch.float32, device="cpu")
    parts = parts / parts.sum()
    random = torch.Generator().manual_seed(0)
    mix = torch.stack(
        [parts[torch.randperm(colour, generator=random, dtype=torch.int64, device="cpu")] for _ in range(cells)]
    )
    return one * mix[:, :, None, None]
