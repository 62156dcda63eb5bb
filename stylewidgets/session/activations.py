"""Synthesis that starts where something changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..core.devices import block_dtype
from .graphs import Graphs, graphs_for
from .stages import Value, block_sizes, stage_noise, stages
from .synthesis import preview_block, versions

Noise = str | Sequence[Tensor | None]
LIMIT = 512 << 20
"""Bytes of activations that are kept unless another limit is given."""


@dataclass
class _Record:
    """What a stage made last, and from what."""

    styles: Tensor  # flat and on the CPU
    noise: Any
    inputs: tuple[int, ...]  # numbers of the values it was made from
    number: int  # of this value: every other value of any stage has another
    value: Value | None  # None where it was not kept


class SynthesisCache:
    """Keeps what passes between layers (or blocks), and runs again only the stages that a change of styles or noise reaches.

    Gives the bits of a full run: the same steps on the same inputs. Changes of parameters are noticed unless they are
    made through ``parameter.data``. Not locked: hold the session's lock.

    Args:
        generator: of any family.
        limit: bytes of activations to keep at most. What does not fit is computed again when it is needed.
        graphs: recordings of frames; None for those of `graphs_for`, which are none on the CPU.
    """

    def __init__(self, generator: Any, limit: int = LIMIT, graphs: Graphs | None = None) -> None:
        self.limit = limit
        self._graphs = graphs_for(generator.device) if graphs is None else graphs
        self._generator = generator
        self._stages, self._pictures, self._previews = stages(generator)
        self._sizes = block_sizes(generator)
        self._records: list[_Record | None] = [None] * len(self._stages)
        self._setting: Any = None
        self._count = 0

    def run(
        self,
        styles: Sequence[Tensor],
        noise: Noise = "const",
        max_resolution: int | None = None,
        dtype: torch.dtype | None = None,
    ) -> Tensor:
        """The picture [N, C, h, w] for these styles, outside of autograd.

        Args:
            styles: one [N, C_l] per layer.
            noise: "const", "none", "random" (fresh at each call, so nothing is kept), or a tensor per convolution.
            max_resolution: a preview from the last block of at most so many pixels, where the family has previews.
            dtype: half precision for the features of larger blocks, None for float32.
        """
        with torch.inference_mode():
            setting = (dtype, versions(self._generator.synthesis), getattr(self._generator, "transform", None))
            if setting != self._setting or noise == "random":
                self.clear()
                if self._graphs is not None and setting != self._setting:
                    self._graphs.clear()
                self._setting = setting
            each = self._generator.block_noise(noise)
            given = [stage_noise(stage, each) for stage in self._stages]
            flat = self._flat(styles)
            self._forget(flat, given)
            block = preview_block(self._generator, max_resolution)
            target = self._previews[block] if block < len(self._previews) else self._pictures[block]
            picture = self._picture(self._make(target, styles, flat, given, dtype))
            return picture if self._graphs is None else picture.clone()  # a recording writes to the same place again

    @property
    def bytes(self) -> int:
        """Memory of the kept activations, `limit` at most."""
        return sum(_bytes(record.value) for record in self._records if record is not None)

    def clear(self) -> None:
        """Forget everything; the next run is a full one."""
        self._records = [None] * len(self._stages)

    def _forget(self, flat: list[Tensor], noise: list[Any]) -> None:
        """Drop the records that do not hold for these inputs, or were made from one that does not."""
        for k, stage in enumerate(self._stages):
            record = self._records[k]
            if record is None:
                continue
            before = [self._records[i] for i in stage.inputs]
            if (
                record.inputs != tuple(-1 if b is None else b.number for b in before)
                or not torch.equal(record.styles, flat[k])
                or not _same(record.noise, noise[k])
            ):
                self._records[k] = None

    def _needed(self, target: int) -> list[int]:
        """The stages to run for this one, in order."""
        wanted, waiting = set(), [target]
        while waiting:
            k = waiting.pop()
            record = self._records[k]
            if k not in wanted and (record is None or record.value is None):
                wanted.add(k)
                waiting.extend(self._stages[k].inputs)
        return sorted(wanted)

    def _make(
        self, target: int, styles: Sequence[Tensor], flat: list[Tensor], noise: list[Any], dtype: torch.dtype | None
    ) -> Value:
        needed = self._needed(target)
        if not needed:
            return self._value(target)
        room, done = self.limit - self.bytes, dict[int, Value | None]()

        def work(inputs: tuple[Sequence[Tensor], dict[int, Value]]) -> tuple[dict[int, Value | None], Value]:
            nonlocal done
            own: dict[int, Value | None] = {}
            done = own
            return own, self._run(needed, *inputs, noise, dtype, room, own)

        inputs = list(styles), {i: self._value(i) for k in needed for i in self._stages[k].inputs if i not in needed}
        modes = tuple(noise[k] if isinstance(noise[k], str) else None for k in needed)
        try:
            if (
                self._graphs is None or None in modes or self._transformed()
            ):  # what is new in every frame cannot be recorded
                made = work(inputs)[1]
            else:
                key = (tuple(needed), modes, dtype, len(styles[0]), room)
                done, made = self._graphs.run(key, work, inputs)
        finally:  # what was made before a failure holds, too
            for k, value in done.items():
                self._note(k, flat[k], noise[k], value)
        return made

    def _run(
        self,
        needed: list[int],
        styles: Sequence[Tensor],
        given: dict[int, Value],
        noise: list[Any],
        dtype: torch.dtype | None,
        room: int,
        done: dict[int, Value | None],
    ) -> Value:
        """Run these stages in order: what the last one makes. What is to be kept of each is put into ``done``."""
        last_use = {i: k for k in needed for i in self._stages[k].inputs}
        passing = dict(given)  # freed as soon as nothing needs them any more
        for k in needed:
            stage = self._stages[k]
            kind = block_dtype(self._sizes[stage.block], dtype)
            passing[k] = stage.run([passing[i] for i in stage.inputs], styles[stage.layers], noise[k], kind)
            keep = _bytes(passing[k]) <= room
            room -= _bytes(passing[k]) if keep else 0
            done[k] = passing[k] if keep else None
            for i in stage.inputs:
                if last_use[i] == k:
                    passing.pop(i, None)
        return passing[needed[-1]]

    def _transformed(self) -> bool:
        return getattr(self._generator, "transform", None) is not None

    def _value(self, k: int) -> Value:
        record = self._records[k]
        assert record is not None and record.value is not None
        return record.value

    def _note(self, k: int, styles: Tensor, noise: Any, value: Value | None) -> None:
        record = self._records[k]
        if record is not None:  # it holds, only its value was not kept: what was made from it holds, too
            record.value = value
            return
        self._count += 1
        before = [self._records[i] for i in self._stages[k].inputs]
        numbers = tuple(-1 if b is None else b.number for b in before)
        self._records[k] = _Record(styles, _kept(noise), numbers, self._count, value)

    def _picture(self, value: Value) -> Tensor:
        if isinstance(value, Tensor):
            return value
        picture: Tensor = self._generator.image(value)
        return picture

    def _flat(self, styles: Sequence[Tensor]) -> list[Tensor]:
        """The styles of each stage on the CPU, in one transfer."""
        together = torch.cat(list(styles), dim=1).cpu()
        ends = [0]
        for style in styles:
            ends.append(ends[-1] + style.shape[1])
        return [together[:, ends[stage.layers.start] : ends[stage.layers.stop]] for stage in self._stages]


def _bytes(value: Value | None) -> int:
    tensors = () if value is None else (value,) if isinstance(value, Tensor) else value
    return sum(t.numel() * t.element_size() for t in tensors if t is not None)


def _kept(noise: Any) -> Any:
    """What to compare the next noise with: tensors with their version, so that a change in place is noticed."""
    return noise if isinstance(noise, str) else [(t, None if t is None else _version(t)) for t in noise]


def _version(tensor: Tensor) -> int:
    return -1 if tensor.is_inference() else tensor._version


def _same(kept: Any, noise: Any) -> bool:
    if isinstance(kept, str) or isinstance(noise, str):
        return isinstance(noise, str) and kept == noise
    return len(kept) == len(noise) and all(
        (x is y and (y is None or version == _version(y) >= 0))
        or (x is not None and y is not None and x is not y and version == _version(x) and torch.equal(x, y))
        for (x, version), y in zip(kept, noise, strict=True)
    )
