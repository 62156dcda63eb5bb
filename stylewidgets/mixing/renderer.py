"""The pictures of a grid: drawn in batches, and each block of the network once for all cells that agree up to it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.devices import block_dtype, out_of_memory
from ..core.pixels import fit
from ..generators.protocol import State
from ..session.synthesis import SEEDED_NOISE, block_resolution, last_block, to_uint8, versions
from .cells import noise_of
from .grid import HEADER, MixGrid, Place, nearest_first
from .sources import layer_mask

if TYPE_CHECKING:
    from ..latent.latent import Latent, Transform
    from ..session.session import GeneratorSession

Pixels = NDArray[np.uint8]

MEMORY = 256 * 2**20
"""Bytes of activations that are kept from one picture to the next."""

_SOURCES = 256
_BATCH = 16


class _Cell(NamedTuple):
    """One picture to be drawn: the numbers of its sources, its mask by layer, noise of each convolution, and transform."""

    row: int
    column: int
    mask: tuple[bool, ...]
    noise: tuple[tuple[str, int], ...]
    transform: Transform


class GridRenderer:
    """Draws cells and headers of grids.

    Up to the first layer of the mask every cell of a row is the same picture in the making, and so is every cell of a
    column while all layers are in the mask. Such parts are computed once. They are kept from call to call, within
    `memory`, so that another mask starts at the first layer that differs, and another source costs one row or column.

    Pictures equal those of `session.image(mix_cell(session, grid, place))` up to the rounding of batched sums. Thread-safe.

    Args:
        session: draws.
        memory: bytes of activations to keep.
    """

    def __init__(self, session: GeneratorSession, memory: int = MEMORY) -> None:
        self.session, self.memory = session, memory
        self.steps = 0  # pictures times blocks that were computed so far
        self._states: OrderedDict[Any, State] = OrderedDict()
        self._bytes = 0
        self._numbers: dict[Latent, int] = {}  # a source's number stands for it in keys, which would be long otherwise
        self._styles: dict[int, list[Tensor]] = {}
        self._setting: Any = None

    def draw(self, grid: MixGrid, places: Sequence[Place], resolution: int | None = None) -> list[Pixels]:
        """Return the pictures at these places, uint8 [h, w, 3] each, drawn in one batch.

        Args:
            grid: fits the session's generator.
            places: (row, column), HEADER for the source pictures.
            resolution: longest side in pixels; None for full size. Smaller pictures may come from an inner block of at
                least four times that size, as those of `session.images` do.
        """
        if not places:
            return []
        inner = None if resolution is None else 1 << (4 * resolution - 1).bit_length()
        with self.session.lock:
            try:
                with torch.inference_mode():
                    self._prepare()
                    pictures = self._run([self._cell(grid, place) for place in places], inner)
                    return [fit(picture, resolution) for picture in to_uint8(pictures)]
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error) or (len(places) == 1 and not self._states):
                    raise
                self.clear()
        half = max(1, len(places) // 2)
        parts = (places[start : start + half] for start in range(0, len(places), half))
        return [picture for part in parts for picture in self.draw(grid, part, resolution)]

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

    @property
    def bytes(self) -> int:
        """Memory of the kept activations."""
        return self._bytes

    def clear(self) -> None:
        """Forget everything that is kept."""
        self._states.clear()
        self._numbers.clear()
        self._styles.clear()
        self._bytes = 0

    # -- what a picture depends on -----------------------------------------------------------------------------------
    def _prepare(self) -> None:
        setting = (self.session.half, versions(self.session.generator))
        if setting != self._setting or len(self._numbers) > _SOURCES:
            self.clear()
            self._setting = setting

    def _cell(self, grid: MixGrid, place: Place) -> _Cell:
        i, j = place
        header = HEADER in place
        layers = self.session.layers
        mask = (False,) * len(layers) if header else layer_mask(self.session, grid.mask, grid.space)
        source = grid.column(j) if i == HEADER else grid.row(i)
        row = self._number(source)
        column = row if header else self._number(grid.column(j))
        count = len(self.session.generator.noise_shapes)
        taken = [mask[k] for k, layer in enumerate(layers) if layer.kind == "conv"]
        # Families whose noise does not belong to style layers keep that of the row.
        noise = noise_of(grid, place, taken if len(taken) == count else [False] * count)
        return _Cell(row, column, mask, noise, source.transform)

    def _number(self, latent: Latent) -> int:
        if latent not in self._numbers:
            self._numbers[latent] = len(self._numbers)
            self._styles[self._numbers[latent]] = self.session.code_styles(latent)
        return self._numbers[latent]

    def _key(self, cell: _Cell, block: int) -> Any:
        """What the state after a block depends on: the sources, as far as any layer up to there is theirs."""
        generator = self.session.generator
        mask = cell.mask[: generator.block_layers(block).stop]
        rest = cell.noise[: self._noise_end(block)], cell.transform
        if not any(mask):
            return block, cell.row, None, None, rest
        if all(mask):
            return block, None, cell.column, None, rest
        return block, cell.row, cell.column, mask, rest

    def _noise_end(self, block: int) -> int:
        count = len(self.session.generator.noise_shapes)
        parts = self.session.generator.block_noise([None] * count) if count else []
        return sum(len(part) for part in parts[: block + 1])

    # -- computing ---------------------------------------------------------------------------------------------------
    def _run(self, cells: Sequence[_Cell], max_resolution: int | None) -> Tensor:
        generator = self.session.generator
        last = last_block(generator, max_resolution)
        keys = [[self._key(cell, block) for cell in cells] for block in range(last + 1)]
        known = self._known(keys, last)
        first = [self._first(keys, known, n, last) for n in range(len(cells))]
        for block in range(last + 1):
            todo: dict[Any, int] = {}  # one cell for each state that is missing
            for n in range(len(cells)):
                if first[n] <= block and keys[block][n] not in known:
                    todo.setdefault(keys[block][n], n)
            for group in self._alike(cells, list(todo.values()), block):
                parents = None if block == 0 else [known[keys[block - 1][n]] for n in group]
                for n, state in zip(group, self._step(cells, group, block, parents), strict=True):
                    known[keys[block][n]] = state
                    if block < last:  # nothing follows that needs the last one, the largest of all
                        self._keep(keys[block][n], state)
        return torch.cat([generator.image(known[key]) for key in keys[last]])

    def _known(self, keys: Sequence[Sequence[Any]], last: int) -> dict[Any, State]:
        found = {}
        for block in range(last):
            for key in keys[block]:
                if key in self._states:
                    self._states.move_to_end(key)
                    found[key] = self._states[key]
        return found

    @staticmethod
    def _first(keys: Sequence[Sequence[Any]], known: dict[Any, State], n: int, last: int) -> int:
        """The block to start from: after the last one whose state is known."""
        return next((block + 1 for block in range(last - 1, -1, -1) if keys[block][n] in known), 0)

    def _alike(self, cells: Sequence[_Cell], members: Sequence[int], block: int) -> Iterator[list[int]]:
        """Members that can be computed together: of one transform, and with the same modes of noise in this block."""
        start, end = self._noise_end(block - 1) if block else 0, self._noise_end(block)
        groups: dict[Any, list[int]] = {}
        for n in members:
            modes = tuple(mode for mode, _ in cells[n].noise[start:end])
            groups.setdefault((cells[n].transform, modes), []).append(n)
        yield from groups.values()

    def _step(
        self, cells: Sequence[_Cell], group: Sequence[int], block: int, parents: Sequence[State] | None
    ) -> list[State]:
        generator = self.session.generator
        part = generator.block_layers(block)
        styles = [
            torch.cat([self._styles[cells[n].column if cells[n].mask[k] else cells[n].row][k] for n in group])
            for k in range(part.start, part.stop)
        ]
        state = None if parents is None else _joined(parents)
        dtype = block_dtype(block_resolution(generator, block), self.session.half)
        noise = self._noise([cells[n] for n in group], block)
        with self.session.transformed(cells[group[0]].transform):
            made = generator.step(block, state, styles, noise, dtype)
        self.steps += len(group)
        return _separate(made, len(group))

    def _noise(self, cells: Sequence[_Cell], block: int) -> Any:
        """The noise argument for cells that agree in their modes."""
        start, end = self._noise_end(block - 1) if block else 0, self._noise_end(block)
        modes = [mode for mode, _ in cells[0].noise[start:end]]
        if not modes:
            return "none"
        if len(set(modes)) == 1 and modes[0] not in SEEDED_NOISE:
            return modes[0]
        return [self._tensor(cells, place, modes[place - start]) for place in range(start, end)]

    def _tensor(self, cells: Sequence[_Cell], place: int, mode: str) -> Tensor | None:
        if mode == "none":
            return None
        if mode in SEEDED_NOISE:
            drawn = {cell.noise[place][1]: None for cell in cells}
            tensors: dict[int, Any] = {seed: self.session.noise(mode, seed)[place] for seed in drawn}
            return torch.cat([tensors[cell.noise[place][1]] for cell in cells])
        generator = self.session.generator
        convs = [layer for layer in generator.layers if layer.kind == "conv"]
        stored: Tensor = generator.synthesis.get_submodule(convs[place].name).get_buffer("noise_const")
        return stored

    def _keep(self, key: Any, state: State) -> None:
        self._states[key] = state
        self._bytes += _size(state)
        while self._bytes > self.memory and self._states:
            _, old = self._states.popitem(last=False)
            self._bytes -= _size(old)


def _joined(states: Sequence[State]) -> State:
    if len(states) == 1:
        return states[0]
    return State(*(None if parts[0] is None else torch.cat(parts) for parts in zip(*states, strict=True)))  # type: ignore[arg-type]


def _separate(state: State, count: int) -> list[State]:
    if count == 1:
        return [state]

    # Copies: a slice would keep the whole batch alive when the rest of it is forgotten.
    def cut(part: Tensor | None, n: int) -> Any:
        return None if part is None else part[n : n + 1].clone()

    return [State(*(cut(part, n) for part in state)) for n in range(count)]


def _size(state: State) -> int:
    return sum(part.numel() * part.element_size() for part in state if part is not None)
