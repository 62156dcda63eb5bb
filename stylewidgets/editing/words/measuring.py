"""The long work behind global directions: each channel is set below and above its mean, and the encoder sees the pictures.

Patashnik et al. (2021, section 6.2). Each channel is moved alone. (The published script leaves every channel at its mean once
it is done with it, so its table depends on the order of channels.)
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...core.checks import check_finite, check_int
from ...directions._sampling import styles_of
from ...jobs import Job, Progress, Work, part
from ...session.session import GeneratorSession
from ...stylespace import cache
from ...stylespace.channel import is_torgb, layer_of
from ...stylespace.channel_statistics import Statistics, statistics
from .relevance import STILL, channel_moves
from .table import ChannelTable

if TYPE_CHECKING:
    from .encoder import Encoder

FACES, K, SEED, PICTURES, BATCH = 8, 5.0, 0, 256, 16
WRITTEN = 100
"""Channels after which what is measured is kept on disk."""
LEAST_SIDE = 224
"""Pixels that encoders want to see: of larger generators an inner block of at least this size is drawn."""


class Cost(NamedTuple):
    """What a table takes here: pictures to draw and look at, and about how many seconds."""

    pictures: int
    seconds: float


def side_of(session: GeneratorSession) -> int:
    """Pixels of the pictures that the encoder sees: the smallest block of at least `LEAST_SIDE`, else the whole picture."""
    sizes = sorted({layer.resolution for layer in session.layers})
    return next((size for size in sizes if size >= LEAST_SIDE), session.resolution)


def wanted_channels(
    session: GeneratorSession, layers: Sequence[int] | None = None, torgb: bool = True
) -> NDArray[np.intp]:
    """Places of the channels to measure in an even order: each beginning of it has something of every layer.

    Args:
        layers: places in `session.layers`; None for all.
        torgb: with the layers that only make colours. The paper leaves them out.
    """
    count = len(session.layers)
    for layer in layers or ():
        check_int("layer", layer, 0, count - 1)
    home = layer_of(session.layers)
    inside = np.ones(len(home), bool) if layers is None else np.isin(home, np.asarray(layers, np.intp))
    if not torgb:
        inside &= ~is_torgb(session.layers)
    order = np.random.RandomState(0).permutation(len(home))
    return np.asarray(order[inside[order]], np.intp)


def cost(
    session: GeneratorSession,
    encoder: Encoder,
    *,
    faces: int = FACES,
    layers: Sequence[int] | None = None,
    torgb: bool = True,
    pictures: int = PICTURES,
    batch: int = BATCH,
) -> Cost:
    """What `measure` with these arguments takes on this machine as it is now; found by drawing three batches."""
    many = len(wanted_channels(session, layers, torgb)) * 2 * faces + pictures
    flat = torch.from_numpy(styles_of(session, session.sample_w(batch, SEED).cpu().numpy())).to(session.device)
    look(session, encoder, flat)  # what is loaded once is not counted
    began = time.perf_counter()
    for _ in range(2):
        look(session, encoder, flat)
    return Cost(many, (time.perf_counter() - began) / (2 * batch) * many)


def look(session: GeneratorSession, encoder: Encoder, flat: Tensor) -> NDArray[np.float32]:
    """Embeddings [n, d] of the pictures of flat styles [n, S]."""
    sizes = [layer.channels for layer in session.layers]
    with torch.inference_mode():
        drawn = session.synthesize(torch.split(flat, sizes, dim=1), max_resolution=side_of(session))
        rgb = drawn.expand(-1, 3, -1, -1) if drawn.shape[1] == 1 else drawn
        found: NDArray[np.float32] = encoder.pictures(rgb.clamp(-1, 1)).float().cpu().numpy()
    return found


def both_ways(base: Tensor, stats: Statistics, channel: int, k: float) -> Tensor:
    """Flat styles [2 n, S] of faces [n, S]: each with one channel k standard deviations below its mean, then above."""
    both = base.repeat_interleave(2, dim=0)
    far = torch.tensor([-k, k], dtype=torch.float32, device=base.device) * float(stats.std[channel])
    both[:, channel] = (float(stats.mean[channel]) + far).repeat(len(base))
    return both


def move_of(ends: NDArray[np.float32]) -> NDArray[np.float32]:
    """Where a channel goes, float32 [d], of embeddings [faces, 2, d] below and above its mean.

    A channel that changes nothing goes nowhere, yet its row is not zero: it is measured.
    """
    way = channel_moves(ends[None])[0].astype(np.float32)
    return way if way.any() else np.full_like(way, np.finfo(np.float32).tiny)


@Work
def measure(
    session: GeneratorSession,
    encoder: Encoder,
    *,
    faces: int = FACES,
    k: float = K,
    seed: int = SEED,
    layers: Sequence[int] | None = None,
    torgb: bool = True,
    pictures: int = PICTURES,
    batch: int = BATCH,
    cached: bool = True,
) -> Job[ChannelTable]:
    """The table of a generator and an encoder. Stopped and begun again, it goes on where it was; each part of it is a table.

    Args:
        faces: on which each channel is tried. The paper takes 100.
        k: standard deviations below and above the channel's mean.
        seed: of the faces.
        layers: places in `session.layers` of those to measure; None for all.
        torgb: with the layers that only make colours.
        pictures: from which the spread of embeddings is measured.
        batch: pictures at a time.
        cached: keep what is done on disk, under a hash of weights and encoder.

    Raises:
        ValueError: numbers out of range.
    """
    check_int("faces", faces, 1)
    check_int("pictures", pictures, 2)
    check_finite("k", k, 1e-3)
    order = wanted_channels(session, layers, torgb)
    stats = yield from part(statistics.steps(session, max(2000, pictures), seed=seed), words="statistics")
    base = torch.from_numpy(styles_of(session, stats.w[:faces])).to(session.device)
    numbers = {"faces": faces, "k": k, "seed": seed, "pictures": pictures}
    found = State.read(session, encoder, numbers, stats.std, cached)

    def table() -> ChannelTable:
        return found.table(session, encoder, numbers)

    try:
        while len(found.seen) < pictures:
            rows = styles_of(session, stats.w[len(found.seen) : min(len(found.seen) + batch, pictures)])
            found.seen = np.concatenate([found.seen, look(session, encoder, torch.from_numpy(rows).to(session.device))])
            yield Progress(len(found.seen), pictures, "looking at faces")
        left = [int(c) for c in order if not found.moves[c].any()]
        done = len(order) - len(left)
        for i, channel in enumerate(left):
            both = both_ways(base, stats, channel, k)
            ends = np.empty((2 * faces, encoder.dim), np.float32)
            for start in range(0, 2 * faces, batch):
                ends[start : start + batch] = look(session, encoder, both[start : start + batch])
                if start + batch < 2 * faces:
                    yield Progress(done + i, len(order), "measuring channels", partial=table)
            found.put(channel, ends.reshape(faces, 2, -1))
            if (i + 1) % WRITTEN == 0:
                found.write()
            yield Progress(done + i + 1, len(order), "measuring channels", partial=table)
    finally:
        found.write()
    return table()


def kept(
    session: GeneratorSession,
    encoder: Encoder,
    *,
    faces: int = FACES,
    k: float = K,
    seed: int = SEED,
    pictures: int = PICTURES,
) -> ChannelTable | None:
    """The table that `measure` with these arguments left on disk, be it of some channels only; None where there is none."""
    numbers = {"faces": faces, "k": k, "seed": seed, "pictures": pictures}
    found = State.read(session, encoder, numbers, None, True)
    return found.table(session, encoder, numbers) if found.moves.any() else None


class State:
    """What is measured so far.

    Args:
        name: in the cache.
        sigma: [S].
        dim: of an embedding.
    """

    def __init__(self, name: str, sigma: NDArray[np.float32], dim: int) -> None:
        self.name, self.sigma = name, sigma
        self.moves = np.zeros((len(sigma), dim), np.float32)
        self.seen = np.zeros((0, dim), np.float32)

    @classmethod
    def read(
        cls,
        session: GeneratorSession,
        encoder: Encoder,
        numbers: dict[str, float],
        sigma: NDArray[np.float32] | None,
        cached: bool,
    ) -> State:
        """That of the disk, else an empty one."""
        name = cache.key(session, "words", cached, encoder=encoder.fingerprint, **numbers)
        count = sum(layer.channels for layer in session.layers)
        made = cls(name, np.ones(count, np.float32) if sigma is None else sigma, encoder.dim)
        there = cache.read(name) or {}
        shapes = {part: getattr(made, part).shape[-1:] for part in ("sigma", "moves", "seen")}
        if all(part in there and there[part].shape[-1:] == shape for part, shape in shapes.items()):
            for part in shapes:
                setattr(made, part, there[part].astype(np.float32))
        return made

    def write(self) -> None:
        """Keep it."""
        cache.write(self.name, moves=self.moves, seen=self.seen, sigma=self.sigma)

    def put(self, channel: int, ends: NDArray[np.float32]) -> None:
        """Enter one channel: embeddings [faces, 2, d] below and above its mean."""
        self.moves[channel] = move_of(ends)

    def table(self, session: GeneratorSession, encoder: Encoder, numbers: dict[str, float]) -> ChannelTable:
        """A table of it."""
        spread = np.atleast_2d(np.cov(self.seen, rowvar=False)).astype(np.float32)
        about = {"encoder_name": encoder.name, "side": side_of(session), **numbers}
        sizes = np.linalg.norm(self.moves, axis=1)
        directions = (self.moves / np.where(sizes > STILL, sizes, 1)[:, None]).astype(np.float32)
        parts = (directions, (sizes / (2 * numbers["k"])).astype(np.float32), self.sigma, spread)
        return ChannelTable(*parts, weights=session.fingerprint(), encoder=encoder.fingerprint, about=about)
