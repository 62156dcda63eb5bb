"""Renders with detail, at the codes of a generator: a pool that grows while training goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...avatars import DETAIL, render
from ...avatars.world.dataset import to_uint8
from ..data import _memory, region_weights
from ..world import LatentWorld
from .amounts import Amounts, MapsToW


class Seen(NamedTuple):
    """w [N, w_dim], image [N, 3, H, W] in [-1, 1] with detail and without chance, weight [N, 1, H, W] of mean one."""

    w: Tensor
    image: Tensor
    plain: Tensor
    weight: Tensor


class Pool:
    """``n`` renders in a folder of ``.npy`` files, of which the first ``done`` are there.

    Row i is a latent z, the avatar that the world makes of it, the amounts of detail that its w asks for, and i as the seed of
    the detail. An interrupted run goes on where it stopped.
    """

    def __init__(
        self,
        folder: Path,
        n: int,
        resolution: int,
        generator: MapsToW,
        world: LatentWorld,
        amounts: Amounts,
        *,
        seed: int = 0,
    ) -> None:
        self.n, self.resolution = n, resolution
        folder.mkdir(parents=True, exist_ok=True)
        z = torch.from_numpy(np.random.RandomState(seed).randn(n, generator.z_dim).astype(np.float32))
        with torch.no_grad():
            self.w = generator.map(z)[:, 0]
            self.factors = torch.cat([world.factors(z), amounts(self.w)], 1)
        key: dict[str, object] = {"n": n, "resolution": resolution, "seed": seed}
        self._key, self._state = key, folder / "state.json"
        state = json.loads(self._state.read_text()) if self._state.exists() else {}
        fresh = state.get("key") != key
        self.done: int = 0 if fresh else state["done"]
        shape = (n, 3, resolution, resolution)
        self.images, self.plain = (_memory(folder / f"{name}.npy", shape, fresh) for name in ("images", "plain"))
        self.labels = _memory(folder / "labels.npy", (n, resolution, resolution), fresh)
        self.weights = region_weights()

    def grow(self, count: int) -> None:
        """Draw the next renders."""
        rows = slice(self.done, min(self.n, self.done + count))
        if rows.start == rows.stop:
            return
        seeds = torch.arange(rows.start, rows.stop, dtype=torch.int64, device="cpu")
        made = render(
            self.factors[rows], self.resolution, outputs=("image", "segmentation"), groups=DETAIL, detail_seed=seeds
        )
        plain = render(self.factors[rows], self.resolution, outputs=("image",), groups=DETAIL, detail_seed=None)
        self.images[rows] = to_uint8(made.image).numpy()
        self.plain[rows] = to_uint8(plain.image).numpy()
        self.labels[rows] = made.segmentation.numpy()
        self.done = rows.stop
        self._state.write_text(json.dumps({"key": self._key, "done": self.done}))

    def batch(self, index: npt.NDArray[np.integer]) -> Seen:
        """The renders of some rows that are there."""
        image, plain = (torch.from_numpy(kept[index]).float() / 127.5 - 1 for kept in (self.images, self.plain))
        weight = self.weights[torch.from_numpy(self.labels[index].astype(np.int64))].unsqueeze(1)
        return Seen(self.w[index], image, plain, weight / weight.mean(dim=(1, 2, 3), keepdim=True))
