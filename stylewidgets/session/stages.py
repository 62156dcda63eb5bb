"""A generator as stages that can run alone: layer by layer where the family can, else block by block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..generators.protocol import State
from .synthesis import block_resolution, has_previews

Value = Tensor | State
"""What a stage makes: features, colours, a picture, or the state after a block."""


@dataclass(frozen=True)
class Stage:
    """One step of synthesis.

    Attributes:
        layers: the style layers that it reads, as indices into ``generator.layers``.
        inputs: stages whose values it takes, in this order.
        block: the block it belongs to; its size decides about half precision.
        noise: which of the block's noise it reads: the index of a convolution, None for all of the block, -1 for none.
        run: (values of the inputs, styles, noise, dtype) → value.
    """

    layers: slice
    inputs: tuple[int, ...]
    block: int
    noise: int | None
    run: Callable[[Sequence[Any], Sequence[Tensor], Any, torch.dtype | None], Value]


class Stages(NamedTuple):
    """All stages of a generator in order, and where pictures are.

    Attributes:
        pictures: for each block the stage that has its picture (or its state).
        previews: for each block but the last the stage that has a preview of the whole picture; none where the family has none.
    """

    all: list[Stage]
    pictures: list[int]
    previews: list[int]


def stages(generator: Any) -> Stages:
    """What there is to run."""
    return _by_layer(generator) if getattr(generator, "can_run_layers", False) else _by_block(generator)


def _by_block(generator: Any) -> Stages:
    last = generator.num_blocks - 1

    def step(i: int) -> Callable[..., Value]:
        def run(values: Sequence[State], styles: Sequence[Tensor], noise: Any, dtype: torch.dtype | None) -> Value:
            made: State = generator.step(i, values[0] if values else None, styles, noise, dtype)
            # After the last block nothing needs the features, the largest of all.
            return made if i < last else State(made.x[:0, :0].clone(), generator.image(made))

        return run

    made = [Stage(generator.block_layers(i), (i - 1,) if i else (), i, None, step(i)) for i in range(last + 1)]
    previews = [_preview(generator, made, i, (i,)) for i in range(last if has_previews(generator) else 0)]
    return Stages(made, list(range(last + 1)), previews)


def _by_layer(generator: Any) -> Stages:
    """Convolutions in a chain; beside it the colours of each block, and the pictures that add them up.

    The last convolution and its colours are one stage: nothing else needs these features, the largest of all."""
    made: list[Stage] = []
    pictures: list[int] = []
    previews: list[int] = []
    features = picture = -1
    for i in range(generator.num_blocks):
        inside, conv = generator.block_layers(i), 0
        for k in range(inside.start, inside.stop):
            before = (features,) if features >= 0 else ()
            own = slice(k, k + 1)
            ends = k == len(generator.layers) - 2 and bool(before)  # the last convolution, with the colours after it
            if generator.layers[k].kind == "conv" and not ends:
                made.append(Stage(own, before, i, conv, _layer(generator, k)))
                features, conv = len(made) - 1, conv + 1
                continue
            made.append(
                Stage(slice(k, k + 2), before, i, conv, _last(generator))
                if ends
                else Stage(own, before, i, -1, _layer(generator, k))
            )
            below = (picture,) if picture >= 0 else ()
            made.append(Stage(slice(k, k), (len(made) - 1, *below), i, -1, _add(generator)))
            picture = len(made) - 1
            if ends:
                break
        pictures.append(picture)
        if i < generator.num_blocks - 1 and has_previews(generator):
            previews.append(_preview(generator, made, i, (features, picture) if picture >= 0 else (features,)))
    return Stages(made, pictures, previews)


def _preview(generator: Any, made: list[Stage], i: int, inputs: tuple[int, ...]) -> int:
    """Add the stage that makes a preview of what is there after block i: its place."""

    def run(values: Sequence[Value], styles: Sequence[Tensor], noise: Any, dtype: torch.dtype | None) -> Value:
        x, img = values[0] if isinstance(values[0], State) else (*values, None)[:2]
        preview: Tensor = generator.finish_small(i, x, img, styles)
        return preview

    made.append(Stage(slice(generator.block_layers(i).stop, len(generator.layers)), inputs, i, -1, run))
    return len(made) - 1


def _layer(generator: Any, k: int) -> Callable[..., Value]:
    def run(values: Sequence[Tensor], styles: Sequence[Tensor], noise: Any, dtype: torch.dtype | None) -> Value:
        made: Tensor = generator.run_layer(k, values[0] if values else None, styles[0], noise, dtype)
        return made

    return run


def _last(generator: Any) -> Callable[..., Value]:
    def run(values: Sequence[Tensor], styles: Sequence[Tensor], noise: Any, dtype: torch.dtype | None) -> Value:
        made: Tensor = generator.run_last(values[0], styles, noise, dtype)
        return made

    return run


def _add(generator: Any) -> Callable[..., Value]:
    def run(values: Sequence[Tensor], styles: Sequence[Tensor], noise: Any, dtype: torch.dtype | None) -> Value:
        made: Tensor = generator.add_colours(*values)
        return made

    return run


def stage_noise(stage: Stage, each: Sequence[Any]) -> Any:
    """What the stage is given of the noise of every block."""
    if stage.noise == -1:
        return "none"
    noise = each[stage.block]
    return noise if stage.noise is None or isinstance(noise, str) else list(noise[stage.noise : stage.noise + 1])


def block_sizes(generator: Any) -> list[int]:
    """Longer side of each block's output in pixels."""
    return [block_resolution(generator, i) for i in range(generator.num_blocks)]
