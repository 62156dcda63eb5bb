"""The one loop that runs a generator: its stages in order, each value let go as soon as nothing needs it any more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext

import torch
from torch import Tensor

from ..generators.protocol import Generator, Noise, State, makes_previews, runs_layers
from ..ops import _buffers
from ..ops.devices import block_dtype
from .stages import Stage, Stages, Value, block_sizes
from .synthesis import within


class Engine:
    """Runs stages of a generator. Knows no cache; differentiable in whatever asks for gradients.

    Args:
        generator: of any family.
        fused: as of `Stages`.
    """

    def __init__(self, generator: Generator, fused: bool = True) -> None:
        self.generator = generator
        self.stages = Stages(generator, fused)
        self._sizes = block_sizes(generator)
        self._preview_sizes: list[int] = []
        if makes_previews(generator):
            self._preview_sizes = [generator.preview_resolution(i) for i in range(len(self._sizes))]

    def target(self, max_resolution: int | None = None, previews: bool = False) -> int:
        """The stage that makes the picture, or one of at most so many pixels: a true inner one, or else a preview."""
        sizes = self._preview_sizes if previews else self._sizes if self.generator.has_inner_pictures else []
        block = within(sizes, max_resolution) if sizes and max_resolution is not None else self.generator.num_blocks - 1
        found = self.stages.previews if previews and block < len(self.stages.previews) else self.stages.pictures
        return found[block]

    def sketch(self, max_resolution: int) -> int | None:
        """The stage that has the largest sketch of at most so many pixels, None where the family has none."""
        fitting = [side for side in self.stages.sketches if side <= max_resolution]
        return self.stages.sketches[max(fitting)] if fitting else None

    def needed(self, targets: Collection[int], there: Collection[int] = ()) -> list[int]:
        """The stages to run for these, in order, where some need not be run again."""
        wanted, waiting = set[int](), list(targets)
        while waiting:
            k = waiting.pop()
            if k not in wanted and k not in there:
                wanted.add(k)
                waiting.extend(self.stages.all[k].inputs)
        return sorted(wanted)

    def stage(
        self, k: int, values: Sequence[Value], styles: Sequence[Tensor], noise: Noise, half: torch.dtype | None
    ) -> Value:
        """Run one stage, given the values of its inputs, its own styles and its own noise."""
        stage = self.stages.all[k]
        return stage.run(values, styles, noise, block_dtype(self._sizes[stage.block], half))

    def run(
        self,
        targets: Sequence[int],
        styles: Sequence[Tensor],
        noise: Noise = "const",
        half: torch.dtype | None = None,
        given: Mapping[int, Value] | None = None,
    ) -> list[Value]:
        """The values of some stages.

        Args:
            targets: their places.
            styles: one [N, C_l] per layer.
            noise: a mode or a tensor for each noise picture.
            half: dtype of the features in larger blocks, None for float32.
            given: values that are there already: what they were made from is not run.
        """
        self.generator.block_noise(noise)  # checks it
        values = dict(given or {})
        needed = self.needed(targets, values)
        last_use = {i: k for k in needed for i in self.stages.all[k].inputs}
        for k in needed:
            stage = self.stages.all[k]
            own = stage_noise(stage, noise)
            values[k] = self.stage(k, [values[i] for i in stage.inputs], styles[stage.layers], own, half)
            for i in stage.inputs:
                if last_use[i] == k and i not in targets:
                    values.pop(i, None)
        return [values[k] for k in targets]

    def picture(
        self,
        styles: Sequence[Tensor],
        noise: Noise = "const",
        half: torch.dtype | None = None,
        max_resolution: int | None = None,
        start: tuple[int, State] | None = None,
    ) -> Tensor:
        """Pictures [N, C, H, W], at most so large where inner blocks have some.

        Args:
            start: a layer and the state after it, from which to go on (`states`).
        """
        with _buffers.passing() if runs_layers(self.generator) else nullcontext():
            given = {} if start is None else self._given(*start)
            return self.seen(self.run([self.target(max_resolution)], styles, noise, half, given)[0])

    def states(
        self,
        layers: Sequence[int],
        styles: Sequence[Tensor],
        noise: Noise = "const",
        half: torch.dtype | None = None,
    ) -> list[State]:
        """The features and the picture so far after each of these layers."""
        ends = [self._ends(k) for k in layers]
        targets = sorted({i for pair in ends for i in pair if i is not None})
        made = dict(zip(targets, self.run(targets, styles, noise, half), strict=True))
        return [_state(made[x], None if img is None else made[img]) for x, img in ends]

    def seen(self, value: Value) -> Tensor:
        """The picture in the value of a target."""
        return value if isinstance(value, Tensor) else self.generator.image(value)

    def _given(self, layer: int, state: State) -> dict[int, Value]:
        x, img = self._ends(layer)
        if x == img:
            return {x: state}
        if img is None:
            return {x: state.x}
        if state.img is None:
            raise ValueError(
                f"the state after {self.generator.layers[layer].name} has a picture; one without was given"
            )
        return {x: state.x, img: state.img}

    def _ends(self, layer: int) -> tuple[int, int | None]:
        names = [known.name for known in self.generator.layers]
        if layer not in self.stages.ends:
            accepted = ", ".join(names[k] for k in sorted(self.stages.ends))
            raise ValueError(f"activations of this generator are there after {accepted}; {names[layer]} was given")
        return self.stages.ends[layer]


def stage_noise(stage: Stage, noise: Noise) -> Noise:
    """What a stage is given of the noise of the whole generator."""
    if stage.maps.start == stage.maps.stop:
        return "none"
    return noise if isinstance(noise, str) else list(noise[stage.maps])


def _state(x: Value, img: Value | None) -> State:
    if isinstance(x, State):
        return x
    assert not isinstance(img, State)
    return State(x, img)
