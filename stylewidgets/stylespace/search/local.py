"""Channels by place: which of them change one part of the picture and leave the rest alone (Wu et al., 2021, section 4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from ...jobs import Job, Progress, Stream
from ...latent.latent import Latent
from ...session.batching import pictures_in_a_step
from ...session.session import GeneratorSession
from ..channel import num_channels
from ..samples import Statistics
from .by_place import QUICK, LocalRanking, from_maps, ordered
from .gradients import backward, cells_of, gradient_maps, pooled, shape_of
from .overlap import Overlaps
from .regions import Segmenter, in_cells, index_of, label_maps


@Stream
def local_effect(
    session: GeneratorSession,
    latents: Latent | Sequence[Latent],
    stats: Statistics,
    regions: ArrayLike | Segmenter,
    *,
    target: str | int | None = None,
    names: Sequence[str] | None = None,
    grid: int | None = None,
    colours: str = "mixed",
    include_torgb: bool = False,
    batch: int = 16,
    cached: bool = True,
) -> Job[LocalRanking]:
    """Rank all style channels by how local their effect in a region is, better with every step.

    First comes an estimate for all channels from a few random projections of the gradient; then the gradient maps of one
    picture after the other. Every step yields a ranking of what is known so far, so the loop may be left at any time;
    the maps of finished pictures are on disk and serve other regions too.

    Args:
        session: a GeneratorSession.
        latents: the pictures to look at, 4 to 16 of them; one alone finds what is local in that picture.
        stats: of `statistics`, for σ.
        regions: mask [H, W], masks or labels [n, H, W], or a function of a picture; see `regions.label_maps`.
        target: name or number of the label to find channels for; 1 by default, which is what a mask marks.
        names: of the labels.
        grid: cells on the longer side of the picture; default: cells of 4 pixels, 16 at most. The paper has 32.
        colours: "mixed" or "each" (the paper, three times as long), see `gradients.gradient_maps`.
        include_torgb: rank ToRGB channels too; the paper does not.
        batch: backward passes at a time, at most; fewer where a step of so many would take too long.
        cached: use maps on disk and keep new ones.

    Raises:
        ValueError: latents or regions that do not fit.
    """
    chosen = [latents] if isinstance(latents, Latent) else list(latents)
    if not chosen:
        raise ValueError("give at least one latent to look at")
    # Only a function of a picture needs all of them; masks need to know their size.
    pictures = list(session.images(chosen if callable(regions) else chosen[:1]))
    labels, names = label_maps(regions, pictures * (len(chosen) // len(pictures)), names)
    wanted = index_of(target, names)
    side = cells_of(session, grid)
    shape = shape_of(pictures[0].shape[0], pictures[0].shape[1], side)
    cells = [in_cells(each, shape, len(names), wanted) for each in labels]
    ranking = LocalRanking(
        "overlap",
        session.layers,
        np.full(num_channels(session.layers), np.nan, np.float32),
        np.zeros(0, np.int64),
        np.zeros(num_channels(session.layers), np.float32),
        regions=names,
        target=wanted,
        include_torgb=include_torgb,
    )
    passes = cells[0].size * (1 if colours == "mixed" else session.img_channels)
    total = QUICK + passes * len(chosen)

    def at(done: int, ranking: LocalRanking) -> tuple[LocalRanking, Progress]:
        found = replace(ranking, done=done, total=total)
        return found, Progress(done, total, partial=lambda: found)

    size = max(1, min(batch, pictures_in_a_step(session, cost=2)))
    for done, found in _quick(session, list(zip(chosen, cells, strict=True)), stats, ranking, side, size):
        ranking, progress = at(done, found)
        yield progress
    overlaps = Overlaps(len(names), len(stats.std))
    for number, (latent, seen) in enumerate(zip(chosen, cells, strict=True)):
        begun = QUICK + passes * number
        search = gradient_maps.start(session, latent, grid=side, colours=colours, batch=size, cached=cached)
        for step in search:
            ranking, progress = at(begun + step.done, ranking)
            yield progress
        maps = search.result()
        assert maps is not None
        overlaps = overlaps.with_picture(maps * stats.std[:, None, None], seen)
        ranking, progress = at(begun + passes, from_maps(overlaps, wanted, ranking))
        yield progress
    return ranking


def _quick(
    session: GeneratorSession,
    pairs: list[tuple[Latent, NDArray[np.uint8]]],
    stats: Statistics,
    ranking: LocalRanking,
    grid: int,
    batch: int,
) -> Iterator[tuple[int, LocalRanking]]:
    """Energy inside and outside the region from random projections: a sum of cells with random signs has a gradient
    whose square is, on average, the sum of the squares of the cells' gradients."""
    alike = [pair for pair in pairs if _alike(pair[0], pairs[0][0])]
    chosen = [alike[i % len(alike)] for i in range(QUICK)]
    energy, area, stop = np.zeros((2, len(stats.std))), 0, 0
    while stop < QUICK:
        start, stop = stop, min(QUICK, stop + batch)
        latents, labels = zip(*chosen[start:stop], strict=True)
        picture, styles = pooled(session, list(latents), grid)
        inside = torch.from_numpy(np.stack(labels) == ranking.target)[:, None]
        for where, mask in enumerate((inside, ~inside)):
            gradient = backward(picture, styles, _signs(picture.shape, 2 * start + where) * mask, session)
            energy[where] += np.square(gradient.double().cpu().numpy()).sum(axis=0)
        area += int(inside.sum()) * picture.shape[1]
        share = energy[0] / np.maximum(energy.sum(axis=0), 1e-30)
        strength = np.sqrt(energy[0] / max(1, area)) * stats.std * 127.5
        found = ordered(ranking, share, strength, share)
        yield stop, replace(found, stage="quick", pictures=min(stop, len(alike)))


def _signs(shape: torch.Size, seed: int) -> torch.Tensor:
    """+1 and -1 at random, of a shape."""
    return (
        torch.randint(0, 2, shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float32, device="cpu") * 2
        - 1
    )


def _alike(a: Latent, b: Latent) -> bool:
    """Whether two latents can be drawn in one batch."""
    return (a.noise_mode, a.noise_seed, a.view) == (b.noise_mode, b.noise_seed, b.view)
