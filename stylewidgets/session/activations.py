"""Synthesis that starts where something changed."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from ..generators.protocol import Generator, HasView, Noise, State, view_block
from ..ops.devices import out_of_memory
from .engine import Engine
from .graphs import Graphs, graphs_for
from .noise import Map, NoiseMaps, Seeded
from .stages import Value
from .synthesis import versions

LIMIT = 512 << 20
"""Bytes of activations that are kept unless another limit is given."""

Made = TypeVar("Made")
Key = bytes
"""A digest of a stage and of all that its value was made from."""
Keep = Callable[[int, int, Value], None]
"""Is handed the value of a stage in a unit."""


class Unit(NamedTuple):
    """What is drawn on its own, and shares what it can with others: one picture, or a batch.

    Attributes:
        styles: one [n, C_l] per layer, the same n in every unit.
        noise: a mode, a mode with its seed, or one `Map` for each noise picture.
    """

    styles: Sequence[Tensor]
    noise: str | Seeded | Sequence[Map]


class SynthesisCache:
    """Keeps what passes between layers (or blocks), and runs again only the stages that a change of styles or noise reaches.

    A value is known by all that it was made from, so two pictures share every stage up to the first that differs. One unit alone
    has the bits of a full run: the same steps on the same inputs. Changes of parameters are noticed unless they are made through
    ``parameter.data``. Not locked: hold the session's lock.

    Args:
        generator: of any family.
        limit: bytes of activations to keep at most. What does not fit is computed again when it is needed.
        graphs: recordings of frames; None for those of `graphs_for`, which are none on the CPU.
        history: whether to keep what the units of earlier calls were made of too, up to the limit; else what the last call used.
        seeded: makes the noise pictures of (mode, seed); `GeneratorSession.noise`.

    Attributes:
        layers_run: style layers that were run so far, counted for each unit.
    """

    def __init__(
        self,
        generator: Generator,
        limit: int = LIMIT,
        graphs: Graphs | None = None,
        *,
        history: bool = False,
        seeded: Callable[[str, int], Noise] | None = None,
    ) -> None:
        self.limit, self.layers_run, self.bytes = limit, 0, 0
        self._graphs = None if history else graphs_for(generator.device) if graphs is None else graphs
        self._generator, self._engine, self._history = generator, Engine(generator), history
        self._stages = self._engine.stages.all
        self._noise = NoiseMaps(generator, seeded)
        self._viewed = generator if isinstance(generator, HasView) else None
        self._view_block = view_block(generator)
        self._kept: OrderedDict[Key, Value] = OrderedDict()  # least recently used first
        self._starts = [f"/{k}/".encode() for k in range(len(self._stages))]
        self._previews = {*self._engine.stages.previews, *self._engine.stages.sketches.values()}
        self._room = limit
        self._versions: object = None

    def run(
        self,
        styles: Sequence[Tensor],
        noise: str | Seeded | Sequence[Map] = "const",
        max_resolution: int | None = None,
        dtype: torch.dtype | None = None,
    ) -> Tensor:
        """The picture [N, C, h, w] for these styles, outside of autograd.

        Args:
            styles: one [N, C_l] per layer.
            noise: as of `Unit`; "random" is fresh at each call.
            max_resolution: a preview from the last block of at most so many pixels, where the family has previews.
            dtype: half precision for the features of larger blocks, None for float32.
        """
        return self.draw([Unit(styles, noise)], max_resolution, dtype, previews=True)

    def draw(
        self,
        units: Sequence[Unit],
        max_resolution: int | None = None,
        dtype: torch.dtype | None = None,
        previews: bool = False,
    ) -> Tensor:
        """The pictures of some units in one batch. Without `previews`, smaller ones are true pictures of inner blocks."""
        with torch.inference_mode():
            now = versions(self._generator.synthesis)
            if now != self._versions:
                self.clear()
                if self._graphs is not None:
                    self._graphs.clear()
                self._versions = now
            maps = [self._noise.each(unit.noise) for unit in units]
            view = None if self._viewed is None else self._viewed.view_key
            target = self._engine.target(max_resolution, previews)
            roots = [repr((dtype, kind)).encode() for kind in (None, view)]
            named = [(unit.styles, self._noise.names(own)) for unit, own in zip(units, maps, strict=True)]
            keys = [self._keys(*own, roots, target) for own in named]
            sketch = self._engine.sketch(max_resolution) if target in self._previews and max_resolution else None
            if sketch is not None and all(own[i] in self._kept for own in keys for i in self._stages[sketch].inputs):
                target = sketch  # what all views share is there: only a camera has moved
                keys = [self._keys(*own, roots, target) for own in named]
            self._begin(keys)
            value = self._make(target, [unit.styles for unit in units], maps, keys, dtype, recorded=view is None)
            picture = self._engine.seen(value)
            return picture if self._graphs is None else picture.clone()  # a recording writes to the same place again

    def making_room(self, draw: Callable[[], Made]) -> Made:
        """What `draw` returns; where memory is full, it is called once more after everything kept was forgotten."""
        try:
            return draw()
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error) or not self.bytes:
                raise
        self.clear()
        return draw()

    def clear(self) -> None:
        """Forget everything; the next run is a full one."""
        self._kept.clear()
        self.bytes = 0

    # -- what a value was made from -----------------------------------------------------------------------------------
    def _keys(self, styles: Sequence[Tensor], names: Sequence[str], roots: Sequence[bytes], target: int) -> list[Key]:
        """One for each stage: a digest of its inputs' digests, its styles and its noise. Of previews only the target has one.

        Args:
            roots: what all have in common, without the view and with it.
        """
        flat = torch.cat(list(styles), dim=1).t().contiguous().cpu().float()  # in one transfer
        data, row = memoryview(flat.numpy().tobytes()), 4 * flat.shape[1]
        ends = list(accumulate((row * style.shape[1] for style in styles), initial=0))
        made: list[Key] = []
        for k, (stage, start) in enumerate(zip(self._stages, self._starts, strict=True)):
            if k in self._previews and k != target:
                made.append(b"")
                continue
            seen = stage.block >= self._view_block or k in self._previews  # a preview is of the whole picture
            digest = hashlib.blake2b(roots[seen] + start, digest_size=16)
            for i in stage.inputs:
                digest.update(made[i])
            for name in names[stage.maps]:
                digest.update(f"{name}/".encode())
            digest.update(data[ends[stage.layers.start] : ends[stage.layers.stop]])
            made.append(digest.digest())
        return made

    # -- computing ----------------------------------------------------------------------------------------------------
    def _begin(self, keys: Sequence[Sequence[Key]]) -> None:
        """Drop what these do not need, or put it first in line to go."""
        current = {key for each in keys for key in each}
        for key in list(self._kept):
            if key in current:
                self._kept.move_to_end(key)
            elif not self._history:
                self._drop(key)
        self._room = self.limit - sum(_bytes(self._kept[key]) for key in current if key in self._kept)

    def _drop(self, key: Key) -> None:
        self.bytes -= _bytes(self._kept.pop(key))

    def _keep(self, key: Key, value: Value) -> None:
        self.bytes += _bytes(value)
        self._kept[key] = value
        while self.bytes > self.limit:
            self._drop(next(iter(self._kept)))

    def _make(
        self,
        target: int,
        styles: Sequence[Sequence[Tensor]],
        maps: Sequence[Sequence[Map]],
        keys: Sequence[Sequence[Key]],
        dtype: torch.dtype | None,
        recorded: bool,
    ) -> Value:
        runs = [
            _Run(k, units, self._noise.argument([maps[u] for u in units], self._stages[k].maps))
            for k, missing in sorted(self._missing(target, keys).items())
            for units in self._noise.alike(missing, maps, self._stages[k].maps)
        ]
        wanted = [keys[u][i] for run in runs for i in self._stages[run.stage].inputs for u in run.units]
        given = {key: self._kept[key] for key in (*wanted, *(own[target] for own in keys)) if key in self._kept}

        def draw(styles: Sequence[Sequence[Tensor]], given: Mapping[Key, Value], keep: Keep) -> Value:
            return self._run(target, runs, keys, styles, given, dtype, keep)

        # What is new in every frame cannot be recorded.
        if self._graphs is None or len(keys) > 1 or not recorded or not runs or any(run.changes for run in runs):
            return draw(styles, given, lambda k, u, value: self._keep(keys[u][k], value))

        def work(inputs: tuple[list[list[Tensor]], dict[Key, Value]]) -> tuple[dict[int, Value], Value]:
            done: dict[int, Value] = {}
            return done, draw(*inputs, lambda k, u, value: done.update({k: value}))

        shape = tuple((run.stage, run.noise) for run in runs), dtype, len(styles[0][0]), self._room
        done, made = self._graphs.run(shape, work, ([list(styles[0])], given))
        for k, value in done.items():
            self._keep(keys[0][k], value)
        return made

    def _missing(self, target: int, keys: Sequence[Sequence[Key]]) -> dict[int, list[int]]:
        """The stages to run, and the units in whose place: one for all that share a value."""
        missing: dict[int, list[int]] = {}
        seen = set(self._kept)
        for u, own in enumerate(keys):
            waiting = [target]
            while waiting:
                k = waiting.pop()
                if own[k] not in seen:
                    seen.add(own[k])
                    missing.setdefault(k, []).append(u)
                    waiting.extend(self._stages[k].inputs)
        return missing

    def _run(
        self,
        target: int,
        runs: Sequence[_Run],
        keys: Sequence[Sequence[Key]],
        styles: Sequence[Sequence[Tensor]],
        given: Mapping[Key, Value],
        dtype: torch.dtype | None,
        keep: Keep,
    ) -> Value:
        """The value of the target in all units. What there is room for is handed to `keep` on the way."""
        last_use = {i: n for n, run in enumerate(runs) for i in self._stages[run.stage].inputs}
        passing = {key: _Piece(value, 0, 1) for key, value in given.items()}
        room = self._room
        for n, (k, units, noise) in enumerate(runs):
            stage = self._stages[k]
            inputs = [_joined([passing[keys[u][i]] for u in units]) for i in stage.inputs]
            each = [styles[u][stage.layers] for u in units]
            own = each[0] if len(each) == 1 else [torch.cat(rows) for rows in zip(*each, strict=True)]
            made = self._engine.stage(k, inputs, own, noise, dtype)
            del inputs
            self.layers_run += len(own) * len(units)
            size = _bytes(made) // len(units)
            for place, u in enumerate(units):
                piece = passing[keys[u][k]] = _Piece(made, place, len(units))
                if size <= room:
                    room -= size
                    keep(k, u, piece.alone())
            for i in stage.inputs:  # freed as soon as nothing needs them any more
                if last_use[i] == n and i != target:
                    for own_keys in keys:
                        passing.pop(own_keys[i], None)
        return _joined([passing[own_keys[target]] for own_keys in keys])


class _Run(NamedTuple):
    """A stage for some units at once."""

    stage: int
    units: list[int]
    noise: str | list[Tensor | None]

    @property
    def changes(self) -> bool:
        """Whether it has noise that is new in every frame."""
        return not isinstance(self.noise, str) or self.noise == "random"


class _Piece(NamedTuple):
    """A unit's value, one of so many that were made together."""

    made: Value
    place: int
    of: int

    def parts(self) -> list[Tensor | None]:
        """Its tensors, views of those of all."""
        tensors = self.made if isinstance(self.made, State) else (self.made,)
        return [t if t is None or self.of == 1 else t.chunk(self.of)[self.place] for t in tensors]

    def alone(self) -> Value:
        """With memory of its own: a view would keep the whole batch alive."""
        return self.made if self.of == 1 else _value([None if t is None else t.clone() for t in self.parts()])


def _joined(pieces: Sequence[_Piece]) -> Value:
    first = pieces[0]
    if len(pieces) == first.of and all(p.made is first.made and p.place == n for n, p in enumerate(pieces)):
        return first.made
    columns = zip(*(piece.parts() for piece in pieces), strict=True)
    return _value([None if column[0] is None else torch.cat(column) for column in columns])


def _value(parts: Sequence[Tensor | None]) -> Value:
    x, *rest = parts
    assert x is not None
    return State(x, *rest) if rest else x


def _bytes(value: Value) -> int:
    return value.nbytes if isinstance(value, Tensor) else sum(t.nbytes for t in value if t is not None)
