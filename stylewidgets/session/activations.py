"""Synthesis that starts where something changed."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor

from ..generators.protocol import Generator, HasView, Noise, State
from .engine import Engine
from .graphs import Graphs, graphs_for
from .noise import Map, NoiseMaps, Seeded
from .stages import Value
from .synthesis import versions

LIMIT = 512 << 20
"""Bytes of activations that are kept unless another limit is given."""

Key = tuple[int, bytes]
"""A stage, and a digest of all that its value was made from."""


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
        self._kept: OrderedDict[Key, Value] = OrderedDict()  # least recently used first
        self._current: set[Key] = set()
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
            root = repr((dtype, view)).encode()
            keys = [
                self._keys(unit.styles, self._noise.names(own), root) for unit, own in zip(units, maps, strict=True)
            ]
            self._begin(keys)
            target = self._engine.target(max_resolution, previews)
            value = self._make(target, [list(unit.styles) for unit in units], maps, keys, dtype, recorded=view is None)
            picture = self._engine.seen(value)
            return picture if self._graphs is None else picture.clone()  # a recording writes to the same place again

    def clear(self) -> None:
        """Forget everything; the next run is a full one."""
        self._kept.clear()
        self.bytes = 0

    # -- what a value was made from -----------------------------------------------------------------------------------
    def _keys(self, styles: Sequence[Tensor], names: Sequence[str], root: bytes) -> list[Key]:
        """One for each stage: a digest of its inputs' digests, its styles and its noise."""
        flat = torch.cat(list(styles), dim=1).cpu().float().numpy()  # in one transfer
        ends = list(accumulate((style.shape[1] for style in styles), initial=0))
        root += repr(flat.shape).encode()
        made: list[Key] = []
        for k, stage in enumerate(self._stages):
            digest = hashlib.blake2b(root, digest_size=16)
            for i in stage.inputs:
                digest.update(made[i][1])
            digest.update(flat[:, ends[stage.layers.start] : ends[stage.layers.stop]].tobytes())
            digest.update(" ".join(names[stage.maps]).encode())
            made.append((k, digest.digest()))
        return made

    # -- computing ----------------------------------------------------------------------------------------------------
    def _begin(self, keys: Sequence[Sequence[Key]]) -> None:
        """Drop what these do not need, or put it first in line to go."""
        self._current = {key for each in keys for key in each}
        for key in [key for key in self._kept if key in self._current]:
            self._kept.move_to_end(key)
        while self._kept and not self._history and next(iter(self._kept)) not in self._current:
            self._drop()

    def _drop(self) -> None:
        self.bytes -= _bytes(self._kept.popitem(last=False)[1])

    def _keep(self, key: Key, value: Value) -> None:
        self.bytes += _bytes(value)
        self._kept[key] = value
        while self.bytes > self.limit:
            self._drop()

    def _make(
        self,
        target: int,
        styles: list[list[Tensor]],
        maps: Sequence[Sequence[Map]],
        keys: Sequence[Sequence[Key]],
        dtype: torch.dtype | None,
        recorded: bool,
    ) -> Value:
        first: dict[Key, int] = {}  # the unit that stands for all with this value
        missing: dict[int, list[int]] = {}
        for u, own in enumerate(keys):
            for k in self._engine.needed([target], {k for k, key in enumerate(own) if key in self._kept}):
                if first.setdefault(own[k], u) == u:
                    missing.setdefault(k, []).append(u)
        runs = [
            _Run(k, units, self._noise.argument([maps[u] for u in units], self._stages[k].maps))
            for k in sorted(missing)
            for units in self._noise.alike(missing[k], maps, self._stages[k].maps)
        ]
        given: dict[int, dict[int, Value]] = {}
        places: dict[int, list[int]] = {}
        for u, own in enumerate(keys):
            for k, key in enumerate(own):
                places.setdefault(k, []).append(first.setdefault(key, u))
                if key in self._kept:
                    given.setdefault(k, {})[first[key]] = self._kept[key]
        room = self.limit - sum(_bytes(self._kept[key]) for key in self._current if key in self._kept)

        def keep(k: int, u: int, value: Value) -> None:
            self._keep(keys[u][k], value)

        if self._graphs is None or len(keys) > 1 or not recorded or not runs or any(run.changes for run in runs):
            return self._run(
                target, runs, places, styles, given, dtype, room, keep
            )  # what is new in each frame is not recorded

        def work(inputs: tuple[list[list[Tensor]], dict[int, dict[int, Value]]]) -> tuple[dict[int, Value], Value]:
            done: dict[int, Value] = {}
            made = self._run(target, runs, places, *inputs, dtype, room, lambda k, u, value: done.update({k: value}))
            return done, made

        wanted = {i for run in runs for i in self._stages[run.stage].inputs}
        shape = tuple((run.stage, run.noise) for run in runs), dtype, len(styles[0][0]), room
        done, made = self._graphs.run(shape, work, (styles, {i: given[i] for i in wanted & given.keys()}))
        for k, value in done.items():
            keep(k, 0, value)
        return made

    def _run(
        self,
        target: int,
        runs: Sequence[_Run],
        places: Mapping[int, Sequence[int]],
        styles: Sequence[Sequence[Tensor]],
        given: Mapping[int, Mapping[int, Value]],
        dtype: torch.dtype | None,
        room: int,
        keep: Callable[[int, int, Value], None],
    ) -> Value:
        """The value of the target in all units. What is to be kept on the way is handed to `keep`."""
        last_use = {i: n for n, run in enumerate(runs) for i in self._stages[run.stage].inputs}
        passing = {k: {u: _Piece(value, 0, 1) for u, value in own.items()} for k, own in given.items()}
        for n, (k, units, noise) in enumerate(runs):
            stage = self._stages[k]
            inputs = [_joined([passing[i][places[i][u]] for u in units]) for i in stage.inputs]
            each = [styles[u][stage.layers] for u in units]
            own = each[0] if len(each) == 1 else [torch.cat(rows) for rows in zip(*each, strict=True)]
            made = self._engine.stage(k, inputs, own, noise, dtype)
            del inputs
            self.layers_run += len(own) * len(units)
            for place, u in enumerate(units):
                piece = passing.setdefault(k, {})[u] = _Piece(made, place, len(units))
                size = _bytes(made) // len(units)
                if size <= room:
                    room -= size
                    keep(k, u, piece.alone())
            for i in stage.inputs:  # freed as soon as nothing needs them any more
                if last_use[i] == n and i != target:
                    passing.pop(i, None)
        return _joined([passing[target][u] for u in places[target]])


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
    tensors = (value,) if isinstance(value, Tensor) else value
    return sum(t.numel() * t.element_size() for t in tensors if t is not None)
