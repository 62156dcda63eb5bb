"""Statistics of style channels over any number of faces, in shards: moments, histograms with fixed edges, and a few samples.

`channel_statistics.statistics` keeps every row; here a million faces take no more memory than a shard's histogram.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..core import files
from ..core.checks import check_finite, check_int
from ..directions._sampling import styles_of
from ..jobs.plans.kept import Kept
from ..jobs.plans.moments import Moments, stream
from ..jobs.plans.shards import WHERE, Made, Shard, sharded, shards
from ..session.session import GeneratorSession
from ..session.shards import machine, opened, stamp
from .channel import Channel, num_channels
from .channel_statistics import Statistics

KEY = "stylewidgets-statistics"
VERSION = 1
BLOCK = 64
"""Faces at a time. Every block is of this size, filled up where faces run out: how many rows a matrix has may change the last
bits of each, so that this number is no setting."""
LOOK = 1024
"""Faces from which the edges of the histograms are found."""
BINS, REACH = 256, 8.0
"""Bins of a histogram, and how many standard deviations it reaches to either side of the mean."""
_LAST_STREAM = 2**64 - 1  # of the first look; no plan has so many shards

EDGES, STATISTICS = "stylewidgets.stylespace.sharded:edges", "stylewidgets.stylespace.sharded:moments"
LOW, WIDTH = "low", "width"


# -- the plan ------------------------------------------------------------------------------------------------------------
def edges_plan(
    source: str | os.PathLike[str] | None = None, *, seed: int = 0, psi: float = 1.0, device: str | None = "cpu"
) -> list[Shard]:
    """The first part, one shard: where the bins of each channel lie.

    Args:
        source: of the generator, as `load` takes it.
        seed, psi: as in `plan`.
        device: of torch.
    """
    check_finite("psi", psi)
    about = stamp(source, device)
    return [{"name": "edges", "seed": seed, "n": LOOK, "bins": BINS, "psi": psi, **about}]


def plan(kept: Kept, n: int, count: int, *, keep: int = 2000) -> list[Shard]:
    """The second part: n faces in `count` shards.

    Args:
        kept: the folder, with the edges in it.
        n: faces.
        count: of shards. Another count draws other faces.
        keep: faces whose styles are kept, the first ones: searches by example and correlations need some.

    Raises:
        ValueError: the numbers do not fit.
    """
    check_int("keep", keep, 2, n)
    header = kept.header("edges")
    common = {key: header[key] for key in ("bins", "psi", "weights", "torch", "device")}
    common["edges"] = _digest(kept.arrays("edges"))
    made = shards(n, count, seed=int(header["seed"]), **common)
    return [shard | {"keep": max(0, min(shard["n"], keep - shard["first"]))} for shard in map(dict, made)]


def placed(plan: list[Shard], source: str | os.PathLike[str] | None, device: str | None = "cpu") -> list[Shard]:
    """A plan with where the generator lies."""
    where = stamp(source, device)[WHERE]
    return [{**shard, WHERE: where} for shard in plan]


# -- a shard -------------------------------------------------------------------------------------------------------------
@sharded
def edges(shard: Shard, folder: Path) -> Made:
    """Where the bins of each channel begin and how wide they are: float32 [S] each."""
    session = opened(shard)
    seen = Moments.sum(Moments.of(s) for _, s in faces(session, int(shard["seed"]), _LAST_STREAM, LOOK, shard["psi"]))
    std = np.where(seen.std > 1e-6 * np.maximum(1.0, np.abs(seen.mean)), seen.std, 1.0)
    low, width = seen.mean - REACH * std, std * (2 * REACH / int(shard["bins"]))
    return Made({LOW: low.astype(np.float32), WIDTH: width.astype(np.float32)}, machine=machine(shard["device"]))


@sharded
def moments(shard: Shard, folder: Path) -> Made:
    """Moments, counts and extremes of each channel over the faces of a shard, and the first faces themselves.

    Arrays: mean, m2 float64 [S]; counts int32 [S, bins + 2], with what lies below and above at the ends; least, most
    float32 [S]; values float16 [keep, S]; w float32 [keep, w_dim].
    """
    session, found = opened(shard), Kept(folder).arrays("edges")
    if _digest(found) != shard["edges"]:
        raise ValueError("the edges of the histograms are others than those of the plan; begin in another folder")
    bins, keep = int(shard["bins"]), int(shard["keep"])
    size = len(found[LOW])
    counts = np.zeros((size, bins + 2), np.int32)
    channel = np.arange(size)
    least, most = np.full(size, np.inf, np.float32), np.full(size, -np.inf, np.float32)
    values, codes = [np.zeros((0, size), np.float16)], [np.zeros((0, session.w_dim), np.float32)]
    total: Moments | None = None
    done = 0
    for w, s in faces(session, int(shard["seed"]), int(shard["k"]), int(shard["n"]), shard["psi"]):
        here = Moments.of(s)
        total = here if total is None else total + here
        place = np.clip(np.floor((s - found[LOW]) / found[WIDTH]), -1, bins).astype(np.int64) + 1
        np.add.at(counts, (channel, place), 1)
        least, most = np.minimum(least, s.min(axis=0)), np.maximum(most, s.max(axis=0))
        if done < keep:
            values.append(s[: keep - done].astype(np.float16))
            codes.append(w[: keep - done])
        done += len(s)
    assert total is not None
    arrays = {"mean": total.mean, "m2": total.m2, "counts": counts, "least": least, "most": most}
    arrays |= {"values": np.concatenate(values), "w": np.concatenate(codes)}
    return Made(arrays, machine=machine(shard["device"]))


def faces(
    session: GeneratorSession, seed: int, k: int, n: int, psi: float
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """The n faces of shard k, a block at a time: w [m, w_dim], truncated by psi, and flat s [m, S].

    z, and after it the labels of a conditional generator, come from `stream(seed, k)`.
    """
    source = stream(seed, k)
    for start in range(0, n, BLOCK):
        here = min(BLOCK, n - start)
        z = np.zeros((BLOCK, session.z_dim), np.float32)
        z[:here] = source.randn(here, session.z_dim)
        c = None
        if session.c_dim:
            classes = np.zeros(BLOCK, np.int64)
            classes[:here] = source.randint(session.c_dim, size=here)
            c = torch.eye(session.c_dim, dtype=torch.float32, device=session.device)[
                torch.from_numpy(classes).to(session.device)
            ]
        with torch.inference_mode():
            w = session.truncate(session.map_z(torch.from_numpy(z).to(session.device), c), psi, None, c)
            codes: NDArray[np.float32] = w.float().cpu().numpy()
        yield codes[:here], styles_of(session, codes)[:here]


# -- all of them ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False, kw_only=True)
class ManyStatistics(Statistics):
    """Statistics of more faces than are kept. `mean` and `std` are of all, `values` and `w` of the first ones.

    Attributes:
        faces: how many there are.
        counts: int64 [S, bins + 2], with what lies below and above at the ends.
        low, width: float32 [S], where the bins begin and how wide they are.
        least, most: float32 [S], over all faces.
        machines: on which types of machines they were computed.
    """

    faces: int
    counts: NDArray[np.int64]
    low: NDArray[np.float32]
    width: NDArray[np.float32]
    least: NDArray[np.float32]
    most: NDArray[np.float32]
    machines: tuple[str, ...] = ()

    def quantiles(self, channel: Channel, at: Any = (0.01, 0.25, 0.5, 0.75, 0.99)) -> NDArray[np.float32]:
        """Values below which these shares of all faces lie, to within a bin: 1/16 of σ."""
        i = channel.flat(self.layers)
        inner = self.low[i] + self.width[i] * np.arange(self.counts.shape[1] - 1, dtype=np.float64)
        below = np.concatenate([[0], np.cumsum(self.counts[i])])
        ends = np.concatenate([[min(self.least[i], inner[0])], inner, [max(self.most[i], inner[-1])]])
        rising = np.concatenate(
            [[True], np.diff(below) > 0]
        )  # a share has one value, where a bin is empty the lower one
        found = np.interp(np.asarray(at, np.float64) * self.faces, below[rising], ends[rising])
        return np.asarray(np.clip(found, self.least[i], self.most[i]), np.float32)

    def histogram(self, channel: Channel, bins: int = 64) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Counts [bins] and edges [bins + 1] of all faces within 8 σ of the mean. `bins` is at most 256 and divides it."""
        i, there = channel.flat(self.layers), self.counts.shape[1] - 2
        if bins < 1 or there % bins:
            raise ValueError(f"the faces are counted in {there} bins, of which {bins} cannot be made; give a divisor")
        counts = self.counts[i, 1:-1].reshape(bins, -1).sum(axis=1)
        edges_ = self.low[i] + self.width[i] * (there // bins) * np.arange(bins + 1)
        return counts, edges_.astype(np.float32)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write them to a .safetensors file. Equal statistics are equal files."""
        names = ("values", "w", "mean", "std", "counts", "low", "width", "least", "most")
        numbers = {"version": VERSION, "seed": self.seed, "psi": self.psi, "faces": self.faces}
        about = {**numbers, "layers": [layer.name for layer in self.layers], "machines": list(self.machines)}
        return files.write_arrays(path, {name: getattr(self, name) for name in names}, about, KEY)

    @classmethod
    def load(cls, path: str | os.PathLike[str], session: GeneratorSession) -> ManyStatistics:
        """Read what `save` wrote, of this session's generator. Nothing in the file is executed.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it is none, damaged, or of another generator.
        """
        with files.reading(path, "file of statistics", "Accepted are files of `stylewidgets jobs statistics`") as found:
            about, arrays = files.read_arrays(found, KEY)
            if int(about["version"]) > VERSION:
                raise ValueError("it was written by a newer stylewidgets; update this one")
            layers = tuple(session.layers)
            if about["layers"] != [layer.name for layer in layers] or arrays["mean"].shape != (num_channels(layers),):
                raise ValueError(f"it is of another generator than {session.name or 'this one'}")
            return cls(
                **arrays,
                seed=int(about["seed"]),
                psi=float(about["psi"]),
                faces=int(about["faces"]),
                layers=layers,
                machines=tuple(map(str, about["machines"])),
            )


def merged(kept: Kept, plan: list[Shard], session: GeneratorSession) -> ManyStatistics:
    """The statistics of all shards, added in the order of the plan.

    Raises:
        ValueError: some shards are missing.
    """
    total: Moments | None = None
    counts = least = most = None
    values, codes = [], []
    for shard, found in zip(plan, kept.results(STATISTICS, plan), strict=True):
        here = Moments(int(shard["n"]), found["mean"], found["m2"])
        total = here if total is None else total + here
        counts = found["counts"].astype(np.int64) if counts is None else counts + found["counts"]
        least = found["least"] if least is None else np.minimum(least, found["least"])
        most = found["most"] if most is None else np.maximum(most, found["most"])
        values.append(found["values"])
        codes.append(found["w"])
    assert total is not None and counts is not None and least is not None and most is not None
    std = total.std
    unit = np.where(std < 1e-6 * np.maximum(1.0, np.abs(total.mean)), 1.0, std)
    return ManyStatistics(
        values=np.concatenate(values),
        w=np.concatenate(codes),
        mean=total.mean.astype(np.float32),
        std=unit.astype(np.float32),
        seed=int(plan[0]["seed"]),
        psi=float(plan[0]["psi"]),
        layers=tuple(session.layers),
        faces=total.n,
        counts=counts,
        low=kept.arrays("edges")[LOW],
        width=kept.arrays("edges")[WIDTH],
        least=least,
        most=most,
        machines=tuple(kept.machines(plan)),
    )


def _digest(arrays: dict[str, Any]) -> str:
    return hashlib.sha256(b"".join(np.ascontiguousarray(arrays[name]).tobytes() for name in (LOW, WIDTH))).hexdigest()
