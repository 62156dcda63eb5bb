"""Renders kept on disk, so that training reads pictures instead of making the same ones again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .. import jobs
from ..avatars import REGIONS, render, sample
from ..avatars.world.dataset import to_uint8
from .world import LatentWorld

_LOOKED_AT = {"eye": 10.0, "brow": 6.0, "mouth": 8.0, "nose": 4.0, "glasses": 6.0, "beard": 2.0, "skin": 2.0}
"""How much a pixel of a region counts in the paired loss, before scaling to mean one."""


class Batch(NamedTuple):
    """z [N, z_dim], factors [N, F], image [N, 3, H, W] in [-1, 1], weight [N, 1, H, W] of mean one."""

    z: Tensor
    factors: Tensor
    image: Tensor
    weight: Tensor


class RenderedAvatars:
    """``n`` renders with z, factors and segmentation, in one folder of plain ``.npy`` files.

    The files are made on first use, in pieces: an interrupted run goes on where it stopped. ``seed``, ``world`` and
    ``resolution`` fix every picture. Without a ``world`` the factors are drawn directly, and z has no columns.
    """

    def __init__(
        self,
        folder: Path,
        n: int,
        resolution: int,
        world: LatentWorld | None = None,
        *,
        seed: int = 0,
        device: str = "cpu",
    ) -> None:
        self.n, self.resolution, self.device = n, resolution, device
        folder.mkdir(parents=True, exist_ok=True)
        self.z = np.random.RandomState(seed).randn(n, world.z_dim if world else 0).astype(np.float32)
        self.factors = world.factors(torch.from_numpy(self.z).to(device)).cpu().numpy() if world else sample(n, seed)
        total = float(np.float64(self.factors).sum())
        key: dict[str, object] = {"n": n, "resolution": resolution, "seed": seed, "factors": total}
        self._state = folder / "state.json"
        state = json.loads(self._state.read_text()) if self._state.exists() else {}
        fresh = state.get("key") != key
        self.images = _memory(folder / "images.npy", (n, 3, resolution, resolution), fresh)
        self.labels = _memory(folder / "labels.npy", (n, resolution, resolution), fresh)
        self.weights = region_weights()
        jobs.run(self._fill(0 if fresh else state["done"], key), unit="img")

    def _fill(self, done: int, key: dict[str, object], step: int = 96) -> jobs.Job[None]:
        for start in range(done, self.n, step):
            factors = torch.from_numpy(self.factors[start : start + step]).to(self.device)
            made = render(factors, self.resolution)
            stop = start + len(factors)
            self.images[start:stop] = to_uint8(made.image).cpu().numpy()
            self.labels[start:stop] = made.segmentation.cpu().numpy()
            if stop == self.n or (start // step) % 10 == 9:
                self._state.write_text(json.dumps({"key": key, "done": stop}))
            yield jobs.Progress(stop, self.n, "rendering")

    def batches(self, size: int, *, seed: int = 0) -> Iterator[Batch]:
        """Endless shuffled batches."""
        random = np.random.default_rng(seed)
        while True:
            order = random.permutation(self.n)
            for start in range(0, self.n - size + 1, size):
                yield self.batch(np.sort(order[start : start + size]))

    def batch(self, index: npt.NDArray[np.integer]) -> Batch:
        """The renders of some rows."""
        z = torch.from_numpy(self.z[index]).to(self.device)
        factors = torch.from_numpy(self.factors[index]).to(self.device)
        image = torch.from_numpy(self.images[index]).to(self.device).float() / 127.5 - 1
        weight = self.weights[torch.from_numpy(self.labels[index].astype(np.int64))].unsqueeze(1)
        return Batch(z, factors, image, (weight / weight.mean(dim=(1, 2, 3), keepdim=True)).to(self.device))


def region_weights() -> Tensor:
    """Weight of each segmentation label, [len(REGIONS)]."""
    return torch.tensor(
        [max([w for key, w in _LOOKED_AT.items() if name.startswith(key)], default=1.0) for name in REGIONS],
        dtype=torch.float32,
        device="cpu",
    )


def _memory(path: Path, shape: tuple[int, ...], fresh: bool) -> npt.NDArray[np.uint8]:
    if fresh or not path.exists():
        return np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    return np.lib.format.open_memmap(path, mode="r+")
