"""Renders of avatars in shards, for training: pictures with their truth, as `AvatarDataset` draws them."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..core.checks import unknown_name
from ..jobs.plans.kept import Kept
from ..jobs.plans.shards import Made, Shard, checked, sharded, shards
from ..session.shards import machine
from .domain import DOMAIN
from .drawing.renderer import OUTPUTS
from .world.dataset import AvatarDataset

RENDERED = "stylewidgets.avatars.sharded:rendered"
CAPTIONS = "stylewidgets-captions"
BLOCK = 32
"""Avatars at a time."""


def plan(
    n: int,
    count: int,
    *,
    seed: int = 0,
    resolution: int = 128,
    outputs: Sequence[str] = ("image", "segmentation"),
    correlated: bool = False,
    device: str = "cpu",
) -> list[Shard]:
    """n avatars in `count` shards. Item i is that of `AvatarDataset(seed, …)`, whatever the number of shards.

    Args:
        n, count: avatars, and shards.
        seed, resolution, outputs, correlated: as in `AvatarDataset`. A camera is no array, and not among the outputs.
        device: of torch.
    """
    accepted = [name for name in OUTPUTS if name != "camera"]
    for name in outputs:
        if name not in accepted:
            raise unknown_name("output for a file", name, accepted)
    about = {"resolution": resolution, "outputs": list(outputs), "correlated": correlated, "domain": DOMAIN.stamp()}
    return shards(n, count, seed=seed, torch=torch.__version__, device=device, **about)


@sharded
def rendered(shard: Shard, folder: Path) -> Made:
    """The outputs and factors of the avatars of a shard, [n, …] each; their captions stand in the header."""
    if shard["domain"] != DOMAIN.stamp() or shard["torch"] != torch.__version__:
        raise ValueError("stylewidgets or torch is another version here than where the plan was made")
    first, last = int(shard["first"]), int(shard["first"]) + int(shard["n"])
    world = AvatarDataset(
        int(shard["seed"]),
        last,
        int(shard["resolution"]),
        shard["outputs"],
        shard["correlated"],
        device=shard["device"],
    )
    parts = [world.batch(range(start, min(start + BLOCK, last))) for start in range(first, last, BLOCK)]
    names = [name for name in parts[0] if name != "caption"]
    arrays = {name: torch.cat([part[name].cpu() for part in parts]).numpy() for name in names}
    captions = [words for part in parts for words in part["caption"]]
    return Made(arrays, {CAPTIONS: captions}, machine(shard["device"]))


class RenderedShards(torch.utils.data.Dataset[dict[str, Tensor]]):
    """The avatars of a plan as a dataset: item i is a dict of tensors, read from its shard.

    Args:
        folder: of the results.
        plan: that made them.

    Raises:
        ValueError: some shards are missing.
    """

    def __init__(self, folder: str | Path, plan: Sequence[Shard]) -> None:
        self.kept, self.plan = Kept(folder), checked(plan)
        missing = [shard["name"] for shard in self.plan if not self.kept.has(RENDERED, shard)]
        if missing:
            raise ValueError(f"{len(missing)} of {len(self.plan)} shards are not there; carry the plan out first")
        self._first = [int(shard["first"]) for shard in self.plan]
        self._at: tuple[int, dict[str, Any]] | None = None

    def __len__(self) -> int:
        return self._first[-1] + int(self.plan[-1]["n"])

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        if not 0 <= index < len(self):
            raise IndexError(f"avatar {index} asked for, the dataset has 0 to {len(self) - 1}")
        k = bisect.bisect_right(self._first, index) - 1
        if self._at is None or self._at[0] != k:  # the last shard stays, for those who go through in order
            self._at = k, self.kept.arrays(self.plan[k])
        return {name: torch.from_numpy(rows[index - self._first[k]]) for name, rows in self._at[1].items()}
