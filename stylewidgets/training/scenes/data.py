"""Avatars that look ahead, each seen once by a camera that has gone round it: scenes with their light, from known places."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ... import jobs
from ...avatars import INDEX, REGIONS, render
from ...avatars.world.dataset import to_uint8
from ..data import _memory, region_weights
from ..world import LatentWorld

POSE = ("yaw", "pitch", "roll")
BACKDROP = REGIONS.index("background")


class Views(NamedTuple):
    """factors [N, F] of avatars that look ahead, pose [N, 2] of the camera in degrees (yaw, pitch), image [N, 3, H, W] in
    [-1, 1], solid [N, 1, H, W], 1 where the avatar is, and weight [N, 1, H, W] of mean one."""

    factors: Tensor
    pose: Tensor
    image: Tensor
    solid: Tensor
    weight: Tensor


def scenes(factors: Tensor) -> tuple[Tensor, Tensor]:
    """Factors [N, F] as the world draws them → the avatar that looks ahead, and (yaw, pitch) [N, 2] of the camera that sees the
    head as it was turned: the camera has the distribution that the heads have."""
    pose = factors[:, [INDEX["yaw"], INDEX["pitch"]]].clone()
    ahead = factors.clone()
    ahead[:, [INDEX[name] for name in POSE]] = 0.0
    return ahead, pose


class RenderedScenes:
    """``n`` renders of as many avatars, in one folder of plain ``.npy`` files, made on first use and resumed."""

    def __init__(self, folder: Path, n: int, resolution: int, world: LatentWorld, *, seed: int = 0) -> None:
        self.n, self.resolution = n, resolution
        folder.mkdir(parents=True, exist_ok=True)
        z = torch.from_numpy(np.random.RandomState(seed).randn(n, world.z_dim).astype(np.float32))
        self.factors, self.pose = scenes(world.factors(z))
        key: dict[str, object] = {
            "n": n,
            "resolution": resolution,
            "seed": seed,
            "factors": float(self.factors.double().sum()),
        }
        self._state = folder / "state.json"
        state = json.loads(self._state.read_text()) if self._state.exists() else {}
        fresh = state.get("key") != key
        self.images = _memory(folder / "images.npy", (n, 3, resolution, resolution), fresh)
        self.labels = _memory(folder / "labels.npy", (n, resolution, resolution), fresh)
        self.weights = region_weights()
        jobs.run(self._fill(0 if fresh else state["done"], key), unit="img")

    def _fill(self, done: int, key: dict[str, object], step: int = 96) -> jobs.Job[None]:
        for start in range(done, self.n, step):
            stop = min(start + step, self.n)
            made = render(self.factors[start:stop], self.resolution, orbit=self.pose[start:stop])
            self.images[start:stop] = to_uint8(made.image).cpu().numpy()
            self.labels[start:stop] = made.segmentation.cpu().numpy()
            if stop == self.n or (start // step) % 10 == 9:
                self._state.write_text(json.dumps({"key": key, "done": stop}))
            yield jobs.Progress(stop, self.n, "rendering")

    def batches(self, size: int, *, seed: int = 0) -> Iterator[Views]:
        """Endless shuffled batches."""
        random = np.random.default_rng(seed)
        while True:
            order = random.permutation(self.n)
            for start in range(0, self.n - size + 1, size):
                yield self.batch(np.sort(order[start : start + size]))

    def batch(self, index: npt.NDArray[np.integer]) -> Views:
        """The renders of some rows."""
        rows = torch.from_numpy(index)
        labels = torch.from_numpy(self.labels[index].astype(np.int64))
        weight = self.weights[labels].unsqueeze(1)
        return Views(
            self.factors[rows],
            self.pose[rows],
            torch.from_numpy(self.images[index]).float() / 127.5 - 1,
            (labels != BACKDROP).float().unsqueeze(1),
            weight / weight.mean(dim=(1, 2, 3), keepdim=True),
        )
