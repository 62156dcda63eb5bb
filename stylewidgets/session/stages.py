"""A generator as stages that can run alone: layer by layer where the family can, else block by block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ..generators.protocol import (
    Generator,
    HasLayers,
    HasPreview,
    Noise,
    State,
    makes_previews,
    runs_layers,
    view_block,
)
from .synthesis import block_resolution

Value = Tensor | State
"""What a stage makes: features, colours, a picture, or the state after a block."""
Dtype = torch.dtype | None
Work = Callable[[Sequence[Value], Sequence[Tensor], Noise, Dtype], Value]
"""(values of the inputs, styles, noise, dtype) → value."""


@dataclass(frozen=True)
class Stage:
    """One step of synthesis.

    Attributes:
        layers: the style layers that it reads, as indices into ``generator.layers``.
        inputs: stages whose values it takes, in this order.
        block: the block it belongs to; its size decides about half precision.
        maps: the noise pictures that it reads, as indices into ``generator.noise_shapes``.
        run: does it.
    """

    layers: slice
    inputs: tuple[int, ...]
    block: int
    maps: slice
    run: Work


class Stages:
    """All stages of a generator in order, and where things are.

    Args:
        generator: of any family.
        fused: whether the last convolution and its colours are one stage, so that nothing holds the features in between, the
            largest of all. Not for those who want to see them.

    Attributes:
        all: the stages.
        pictures: for each block the stage that has its picture (or its state).
        previews: for each block but the last the stage that has a preview of the whole picture; [] where the family has none.
        sketches: of a family whose view comes late, side → the stage that has a preview of what all views share.
        ends: for each layer after which there is a value to be seen, the stages of its features and of the picture so far,
            which is None before the first colours; both are the same where a stage is a block.
    """

    def __init__(self, generator: Generator, fused: bool = True) -> None:
        self.all: list[Stage] = []
        self.pictures: list[int] = []
        self.previews: list[int] = []
        self.sketches: dict[int, int] = {}
        self.ends: dict[int, tuple[int, int | None]] = {}
        self._generator, self._maps = generator, [0] * generator.num_blocks
        if generator.noise_shapes:
            self._maps = [len(part) for part in generator.block_noise([None] * len(generator.noise_shapes))]
        if runs_layers(generator):
            self._by_layer(generator, fused)
        else:
            self._by_block(fused)

    def _add(self, layers: slice, inputs: tuple[int, ...], block: int, maps: slice, run: Work) -> int:
        self.all.append(Stage(layers, inputs, block, maps, run))
        return len(self.all) - 1

    def _by_block(self, fused: bool) -> None:
        generator, first = self._generator, 0
        for i, count in enumerate(self._maps):
            before = (self.pictures[-1],) if i else ()
            inside = generator.block_layers(i)
            self.pictures.append(
                self._add(inside, before, i, slice(first, first + count), partial(_step, generator, i, fused))
            )
            self.ends[inside.stop - 1] = (self.pictures[-1], self.pictures[-1])
            first += count
        if makes_previews(generator):
            self.previews = [self._preview(generator, i, (k,)) for i, k in enumerate(self.pictures[:-1])]
            if shared := view_block(generator):
                self.sketches = {
                    side: self._preview(generator, shared - 1, (self.pictures[shared - 1],), side)
                    for side in generator.sketch_sizes  # type: ignore[attr-defined]
                }

    def _by_layer(self, generator: HasLayers, fused: bool) -> None:
        """Convolutions in a chain; beside it the colours of each block, and the pictures that add them up."""
        layers, maps = self._generator.layers, 0
        features: int | None = None
        picture: int | None = None
        k = 0
        while k < len(layers):
            layer, before = layers[k], () if features is None else (features,)
            ends = fused and k == len(layers) - 2 and features is not None
            own = slice(k, k + 2 if ends else k + 1)
            noise = slice(maps, maps + (layer.kind == "conv" and any(self._maps)))
            made = self._add(
                own, before, layer.block, noise, partial(_last, generator) if ends else partial(_layer, generator, k)
            )
            maps, k = noise.stop, own.stop
            if layer.kind == "conv" and not ends:
                features = made
            else:
                below = () if picture is None else (picture,)
                picture = self._add(slice(k, k), (made, *below), layer.block, slice(0, 0), partial(_colours, generator))
            if features is not None and not ends:
                self.ends[k - 1] = (features, picture)
            if k == self._generator.block_layers(layer.block).stop:
                self.pictures.append(-1 if picture is None else picture)
                if makes_previews(self._generator) and k < len(layers):
                    inputs = (made,) if features is None else (features,)
                    self.previews.append(
                        self._preview(self._generator, layer.block, inputs if picture is None else (*inputs, picture))
                    )

    def _preview(self, generator: HasPreview, i: int, inputs: tuple[int, ...], side: int = 0) -> int:
        """Add the stage that makes a preview, or a sketch of a side, of what is there after block i: its place."""

        after = slice(self._generator.block_layers(i).stop, len(self._generator.layers))
        run = partial(_sketch, generator, side) if side else partial(_small, generator, i)
        return self._add(after, inputs, i, slice(0, 0), run)


def _step(
    generator: Generator,
    i: int,
    fused: bool,
    values: Sequence[Value],
    styles: Sequence[Tensor],
    noise: Noise,
    dtype: Dtype,
) -> State:
    before = values[0] if values else None
    assert not isinstance(before, Tensor)
    made = generator.step(i, before, styles, noise, dtype)
    # After the last block nothing needs the features.
    return made if i < generator.num_blocks - 1 or not fused else State(made.x[:0, :0].clone(), generator.image(made))


def _layer(
    generator: HasLayers, k: int, values: Sequence[Value], styles: Sequence[Tensor], noise: Noise, dtype: Dtype
) -> Tensor:
    return generator.run_layer(k, _tensor(values[0]) if values else None, styles[0], noise, dtype)


def _last(
    generator: HasLayers, values: Sequence[Value], styles: Sequence[Tensor], noise: Noise, dtype: Dtype
) -> Tensor:
    return generator.run_last(_tensor(values[0]), styles, noise, dtype)


def _colours(generator: HasLayers, values: Sequence[Value], *_: object) -> Tensor:
    return generator.add_colours(*map(_tensor, values))


def _small(generator: HasPreview, i: int, values: Sequence[Value], styles: Sequence[Tensor], *_: object) -> Tensor:
    state = values[0] if isinstance(values[0], State) else State(*map(_tensor, values), *[None][len(values) - 1 :])
    return generator.finish_small(i, state.x, state.img, styles)


def _sketch(generator: Any, side: int, values: Sequence[Value], styles: Sequence[Tensor], *_: object) -> Tensor:
    assert isinstance(values[0], State)
    made: Tensor = generator.sketch(values[0].x, styles, side)
    return made


def _tensor(value: Value) -> Tensor:
    assert isinstance(value, Tensor)
    return value


def block_sizes(generator: Generator) -> list[int]:
    """Longer side of each block's output in pixels."""
    return [block_resolution(generator, i) for i in range(generator.num_blocks)]
