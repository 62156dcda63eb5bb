"""Half figures in several poses each, drawn once and kept on disk: pairs of a source and the pose that it shall take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ... import jobs
from ...avatars import BODY, render, sample_in_poses
from ...avatars.drawing.poses import exact_flow
from ...avatars.drawing.renderer import PARTS
from ...avatars.surface import AvatarAtlas, Surface, completed, light_on, spread
from ...avatars.world.dataset import to_uint8
from ...generators.posed.reposing import OUTSIDE, Exact, Reposing

POSES = 4
"""Pictures of each avatar; the first is the source."""
FRAMING = "half"
ATLAS = 256
"""Places on a side of the atlas in which a source is written down."""
WAYS = ("exact", "atlas")
_STEP = 16


class Pair(NamedTuple):
    """What a network is given, the picture [N, 3, H, W] in [-1, 1] that it shall draw, and weight [N, 1, H, W] of mean one."""

    given: Reposing
    wanted: Tensor
    weight: Tensor


class RenderedPairs:
    """``n`` avatars in ``POSES`` poses, in one folder of plain ``.npy`` files, made on first use and resumed."""

    def __init__(self, folder: Path, n: int, resolution: int, *, seed: int = 0) -> None:
        self.n, self.resolution = n, resolution
        folder.mkdir(parents=True, exist_ok=True)
        self.factors = torch.from_numpy(sample_in_poses(n, POSES, seed))
        key: dict[str, object] = {
            "n": n,
            "resolution": resolution,
            "seed": seed,
            "factors": float(self.factors.double().sum()),
        }
        self._state = folder / "state.json"
        state = json.loads(self._state.read_text()) if self._state.exists() else {}
        fresh = state.get("key") != key
        side, pairs = (resolution, resolution), (n, POSES - 1, len(WAYS))

        def kept(name: str, dtype: type, *shape: int) -> npt.NDArray[np.generic]:
            path = folder / f"{name}.npy"
            if fresh or not path.exists():
                return np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
            return np.lib.format.open_memmap(path, mode="r+")

        self.images = kept("images", np.uint8, n, POSES, 3, *side)
        self.parts = kept("parts", np.uint8, n, POSES, *side)
        self.places = kept("places", np.uint8, n, POSES, 2, *side)
        self.light = kept("light", np.float32, n, POSES, len(PARTS), 3)
        self.flows = kept("flows", np.float16, *pairs, 2, *side)
        self.known = kept("known", np.uint8, *pairs, *side)
        jobs.run(self._fill(0 if fresh else state["done"], key), unit="avatar")

    def _fill(self, done: int, key: dict[str, object]) -> jobs.Job[None]:
        for start in range(done, self.n, _STEP):
            rows = slice(start, min(start + _STEP, self.n))
            self._draw(rows)
            if rows.stop == self.n or (start // _STEP) % 20 == 19:
                self._state.write_text(json.dumps({"key": key, "done": rows.stop}))
            yield jobs.Progress(rows.stop, self.n, "rendering")

    def _draw(self, rows: slice) -> None:
        every = self.factors[rows]
        n, size = len(every), self.resolution
        flat = every.flatten(0, 1)
        drawn = render(flat, size, outputs=("image", "part", "uv"), groups=BODY, framing=FRAMING)
        surface = Surface.of(drawn)
        self.images[rows] = to_uint8(drawn.image).view(n, POSES, 3, size, size).numpy()
        self.parts[rows] = surface.part.view(n, POSES, size, size).numpy()
        self.places[rows] = surface.pose[:, 1:].round().view(n, POSES, 2, size, size).numpy()
        self.light[rows] = light_on(flat, BODY, FRAMING).view(n, POSES, len(PARTS), 3).numpy()
        targets = every[:, 1:].flatten(0, 1)
        way = exact_flow(every[:, :1].expand_as(every[:, 1:]).flatten(0, 1), targets, size, BODY, FRAMING)
        own = torch.where(way.seen[..., None], way.places * (2 / size) - 1, OUTSIDE).permute(0, 3, 1, 2)
        for k in range(n):
            first = k * POSES
            seen = Surface(surface.part[first : first + 1], surface.uv[first : first + 1])
            wanted = Surface(*(x[first + 1 : first + POSES] for x in surface))
            atlas = AvatarAtlas.of(seen, ATLAS)
            exact = own[k * (POSES - 1) : (k + 1) * (POSES - 1)]
            for w, direct in enumerate((exact, atlas.flow(wanted))):
                found = completed(direct, atlas, seen, wanted)
                self.flows[rows.start + k, :, w] = found.flow.numpy()
                self.known[rows.start + k, :, w] = (2 * found.known[:, 0]).numpy()

    def drawn_by_chance(self, size: int, still: float, done: int) -> Pair:
        """A batch after `done` pictures: avatars in the order of this round, each in a pose and by a way by chance.

        A share `still` of them stays in its own pose. What comes depends on `done` alone, so that a run that goes on sees what it
        would have seen.
        """
        rounds, at = divmod(done // size, self.n // size)
        order = np.random.default_rng([rounds, 0]).permutation(self.n)
        index = np.sort(order[at * size : (at + 1) * size])
        random = np.random.default_rng([rounds, 1, at])
        pose, way = random.integers(POSES - 1, size=size), random.integers(len(WAYS), size=size)
        return self.batch(index, np.where(random.random(size) < still, -1, pose), way)

    def batch(
        self, index: npt.NDArray[np.integer], pose: npt.NDArray[np.integer], way: npt.NDArray[np.integer]
    ) -> Pair:
        """Avatars of some rows, each in one of its poses (0 is the first after the source, −1 its own) by one of `WAYS`."""
        size = self.resolution
        line = (torch.arange(size, dtype=torch.float32, device="cpu") * 2 + 1) / size - 1
        own_place = torch.stack([line.expand(size, -1), line[:, None].expand(-1, size)])
        stays = torch.from_numpy(pose < 0)[:, None, None, None]
        led = pose.clip(min=0)

        def of(values: npt.NDArray[np.generic], *at: npt.NDArray[np.integer] | int) -> Tensor:
            where = (index, *at)
            return torch.from_numpy(np.asarray(values[where])).float()

        part, own = of(self.parts, pose + 1), of(self.parts, 0)
        light = spread(of(self.light, pose + 1), part)
        known = torch.where(stays, 1.0, of(self.known, led, way)[:, None] / 2)
        exact = Exact(light, spread(of(self.light, 0), own), known)
        given = Reposing(
            of(self.images, 0) / 127.5 - 1,
            (own > 0)[:, None].float(),
            torch.cat([part[:, None], of(self.places, pose + 1)], dim=1),
            torch.where(stays, own_place, of(self.flows, led, way)),
            exact=exact,
        )
        weight = 1 + 2 * given.body
        return Pair(given, of(self.images, pose + 1) / 127.5 - 1, weight / weight.mean(dim=(1, 2, 3), keepdim=True))
