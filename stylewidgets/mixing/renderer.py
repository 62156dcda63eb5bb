"""The pictures of a grid: drawn in batches, and each block of the network once for all cells that agree up to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.pixels import fit
from ..latent.latent import Latent
from ..latent.view import View
from ..session.activations import Unit
from ..session.batching import in_batches, inner_size, pictures_in_a_step
from ..session.noise import SEEDED_NOISE, Seeded
from ..session.session import GeneratorSession
from ..session.synthesis import to_uint8
from .cells import mix_cell, noise_of
from .grid import HEADER, MixGrid, Place, nearest_first
from .sources import layer_mask

Pixels = NDArray[np.uint8]

MEMORY = 256 * 2**20
"""Bytes of activations that are kept from one picture to the next."""

_SOURCES = 256
_BATCH = 16


class GridRenderer:
    """Draws cells and headers of grids.

    Up to the first layer of the mask every cell of a row is the same picture in the making, and so is every cell of a
    column while all layers are in the mask. Such parts are computed once. They are kept from call to call, within
    `memory`, so that another mask starts at the first layer that differs, and another source costs one row or column.

    Pictures equal those of `session.image(mix_cell(session, grid, place))` up to the rounding of batched sums. Thread-safe.

    Args:
        session: draws.
        memory: bytes of activations to keep.

    Attributes:
        cache: what is kept of the pictures so far.
        at_once: pictures that take about as long as a page may stand still.
    """

    def __init__(self, session: GeneratorSession, memory: int = MEMORY) -> None:
        self.session, self.cache = session, session.cache(memory, history=True)
        self.at_once = pictures_in_a_step(session)

    def draw(self, grid: MixGrid, places: Sequence[Place], resolution: int | None = None) -> list[Pixels]:
        """Return the pictures at these places, uint8 [h, w, 3] each, drawn in one batch.

        Args:
            grid: fits the session's generator.
            places: (row, column), HEADER for the source pictures.
            resolution: longest side in pixels; None for full size. Smaller pictures may come from an inner block of at
                least four times that size, as those of `session.images` do.
        """

        def draw(members: Sequence[Place]) -> list[Pixels]:
            with self.session.lock, torch.inference_mode():
                pictures = self.cache.making_room(partial(self._drawn, grid, members, inner_size(resolution)))
            return [fit(picture, resolution) for picture in pictures]

        return list(in_batches(places, draw, len(places)))

    def cells(
        self,
        grid: MixGrid,
        places: Iterable[Place] | None = None,
        *,
        resolution: int | None = None,
        near: Callable[[], Place | None] | None = None,
        batch: int = _BATCH,
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[tuple[int, int, Pixels]]:
        """Yield (row, column, picture) progressively, a batch at a time.

        Args:
            grid: fits the session's generator.
            places: what to draw; None for all cells.
            resolution: see `draw`.
            near: asked before each batch for the place to go on from; the nearest places come first.
            batch: pictures at once.
            cancelled: asked before each batch; True ends it.
        """
        left = list(grid.cells() if places is None else places)
        while left and not (cancelled is not None and cancelled()):
            left = nearest_first(left, None if near is None else near())
            now, left = left[:batch], left[batch:]
            for (i, j), picture in zip(now, self.draw(grid, now, resolution), strict=True):
                yield i, j, picture

    def all(self, grid: MixGrid, resolution: int | None = None) -> dict[Place, Pixels]:
        """Return every picture of a grid, headers too, by place."""
        return {(i, j): picture for i, j, picture in self.cells(grid, grid.places(), resolution=resolution)}

    def clear(self) -> None:
        """Forget everything that is kept."""
        self.cache.clear()

    def _drawn(self, grid: MixGrid, places: Sequence[Place], max_resolution: int | None) -> list[Pixels]:
        known = self.session.remembered("styles of sources", dict[Latent, list[Tensor]])
        if len(known) > _SOURCES:
            known.clear()
        groups: dict[tuple[View, Latent | str | None], list[int]] = {}
        for n, (i, j) in enumerate(places):
            shown = grid.column(j) if i == HEADER else grid.row(i)
            groups.setdefault((shown.view, shown.source), []).append(n)
        pictures: dict[int, Pixels] = {}
        for members in groups.values():
            units = [self._unit(grid, places[n], known) for n in members]
            i, j = places[members[0]]
            with self.session.shown(grid.column(j) if i == HEADER else grid.row(i)):
                pictures.update(
                    zip(members, to_uint8(self.cache.draw(units, max_resolution, self.session.half)), strict=True)
                )
        return [pictures[n] for n in range(len(places))]

    def _unit(self, grid: MixGrid, place: Place, known: dict[Latent, list[Tensor]]) -> Unit:
        i, j = place
        layers = self.session.layers
        header = HEADER in place
        mask = (False,) * len(layers) if header else layer_mask(self.session, grid.mask, grid.space)
        part = bool(grid.part) and not header
        sources = [grid.column(j) if i == HEADER else mix_cell(self.session, grid, place) if part else grid.row(i)]
        sources.append(sources[0] if header or part else grid.column(j))
        for source in sources:
            if source not in known:
                known[source] = self.session.code_styles(source)
        row, column = (known[source] for source in sources)
        count = len(self.session.noise_shapes)
        taken = [mask[k] and not part for k, layer in enumerate(layers) if layer.kind == "conv"]
        # Families whose noise does not belong to style layers keep that of the row.
        noise = noise_of(grid, place, taken if len(taken) == count else [False] * count)
        styles = [theirs if each else own for each, own, theirs in zip(mask, row, column, strict=True)]
        return Unit(styles, [Seeded(*each) if each[0] in SEEDED_NOISE else each[0] for each in noise])
