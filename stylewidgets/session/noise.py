"""Noise pictures: from a seed, and as what caches compare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..generators.protocol import Generator, Noise
from ..latent.latent import SEEDED_NOISE


class Seeded(NamedTuple):
    """A mode of a latent's noise and its seed, which only counts in `SEEDED_NOISE`."""

    mode: str
    seed: int


Map = str | Seeded | Tensor | None
"""One noise picture: a mode, a mode with its seed, the picture itself, or None for none."""


class SeededNoise:
    """Noise pictures from a seed, the same on every device; those of the last seed are kept."""

    def __init__(self, shapes: Sequence[tuple[int, int]], z_dim: int, device: torch.device) -> None:
        self._shapes, self._z_dim, self._device = shapes, z_dim, device
        self._of: tuple[str, int] | None = None
        self._kept: list[Tensor] = []

    def __call__(self, mode: str, seed: int) -> list[Tensor]:
        """One [1, 1, H, W] per convolution."""
        if (mode, seed) != self._of:
            with torch.inference_mode(False):
                made = [picture.to(self._device) for picture in (self._tf(seed) if mode == "tf" else self._torch(seed))]
            self._of, self._kept = (mode, seed), made
        return self._kept

    def _torch(self, seed: int) -> list[Tensor]:
        source = torch.Generator().manual_seed(seed)
        return [
            torch.randn(1, 1, *shape, generator=source, dtype=torch.float32, device="cpu") for shape in self._shapes
        ]

    def _tf(self, seed: int) -> list[Tensor]:
        """As the scripts of StyleGAN2 and ADA: z first, then every noise variable in order, from one RandomState."""
        source = np.random.RandomState(seed)
        source.randn(1, self._z_dim)
        return [torch.from_numpy(source.randn(1, 1, *shape).astype(np.float32)) for shape in self._shapes]


class NoiseMaps:
    """Says of noise pictures which are equal, and makes the arguments of stages of them.

    Args:
        generator: of any family.
        seeded: makes the pictures of a mode and a seed; `GeneratorSession.noise`.
    """

    def __init__(self, generator: Generator, seeded: Callable[[str, int], Noise] | None = None) -> None:
        self._generator, self._seeded = generator, seeded
        self._last: dict[int, tuple[Tensor, int, str]] = {}  # place → the picture given last, its version and its name
        self._numbers = count()

    def each(self, noise: str | Seeded | Sequence[Map]) -> list[Map]:
        """One for each noise picture; ValueError where the family knows no such noise."""
        if isinstance(noise, Seeded):
            own: Map = noise if noise.mode in SEEDED_NOISE else noise.mode
            return [own] * len(self._generator.noise_shapes)
        if isinstance(noise, str):
            self._generator.block_noise(noise)
            return [noise] * len(self._generator.noise_shapes)
        self._generator.block_noise([each if isinstance(each, Tensor) else None for each in noise])
        return list(noise)

    def names(self, maps: Sequence[Map]) -> list[str]:
        """Equal names are equal pictures."""
        return [self._name(place, each) for place, each in enumerate(maps)]

    def _name(self, place: int, each: Map) -> str:
        if not isinstance(each, Tensor):
            return f"fresh {next(self._numbers)}" if each == "random" else repr(each)
        last, version, name = self._last.get(place, (each, -1, ""))
        if version < 0 or version != _version(last) or not (last is each or torch.equal(last, each)):
            name = f"given {next(self._numbers)}"
        self._last[place] = each, _version(each), name
        return name

    def alike(self, units: Iterable[int], maps: Sequence[Sequence[Map]], places: slice) -> list[list[int]]:
        """Units that can run together: they agree in their modes."""
        groups: dict[tuple[str, ...], list[int]] = {}
        for u in units:
            modes = tuple(each if isinstance(each, str) else "none" if each is None else "" for each in maps[u][places])
            groups.setdefault(modes, []).append(u)
        return list(groups.values())

    def argument(self, maps: Sequence[Sequence[Map]], places: slice) -> str | list[Tensor | None]:
        """The noise of a stage for units that are alike, from those of each unit."""
        own = maps[0][places]
        if not own:
            return "none"
        if isinstance(own[0], str) and all(isinstance(each, str) and each == own[0] for each in own):
            return own[0]
        return [self._joined(place, [each[place] for each in maps]) for place in range(places.start, places.stop)]

    def _joined(self, place: int, maps: Sequence[Map]) -> Tensor | None:
        if isinstance(maps[0], str):
            return self._generator.noise_maps()[place] if maps[0] == "const" else None
        made: dict[Map, Tensor] = {}
        for each in maps:
            if isinstance(each, Tensor):
                made[each] = each
            elif isinstance(each, Seeded) and each not in made:
                assert self._seeded is not None
                picture = self._seeded(*each)[place]
                assert isinstance(picture, Tensor)
                made[each] = picture
        return None if not made else made[maps[0]] if len(made) == 1 else torch.cat([made[each] for each in maps])


def _version(tensor: Tensor) -> int:
    """Changes when the tensor does; -1 where torch does not count."""
    return -1 if tensor.is_inference() else tensor._version
