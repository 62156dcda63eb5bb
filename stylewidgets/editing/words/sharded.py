"""The table of a generator and a text encoder in shards of channels; `measuring.measure` is the same in one process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ... import text
from ...core.checks import check_finite, check_int
from ...directions._sampling import styles_of
from ...jobs.plans.kept import Kept
from ...jobs.plans.shards import WHERE, Made, Shard, checked, sharded, shards
from ...session.load import load
from ...session.session import GeneratorSession
from ...session.shards import machine, opened, stamp
from ...stylespace.channel_statistics import Statistics, statistics
from .encoder import Encoder
from .measuring import BATCH, FACES, PICTURES, SEED, K, State, both_ways, look, move_of, wanted_channels
from .table import ChannelTable

MEASURED = "stylewidgets.editing.words.sharded:measured"
FACE, CHANNEL = "faces", "channels"


def plan(
    count: int,
    source: str | os.PathLike[str] | None = None,
    encoder: str | os.PathLike[str] | None = None,
    *,
    faces: int = FACES,
    k: float = K,
    pictures: int = PICTURES,
    torgb: bool = True,
    seed: int = SEED,
    device: str | None = "cpu",
) -> list[Shard]:
    """One shard that looks at faces, and `count` that measure channels.

    Args:
        count: of shards.
        source: of the generator, as `load` takes it.
        encoder: as `text.load` takes it.
        faces, k, pictures, torgb, seed: as in `measuring.measure`.
        device: of torch.
    """
    check_int("faces", faces, 1)
    check_int("pictures", pictures, 2)
    check_finite("k", k, 1e-3)
    session, about = load(source, device="cpu", precision="fp32"), stamp(source, device)
    where = {**about.pop(WHERE), "encoder": None if encoder is None else os.fspath(encoder)}
    common: dict[str, Any] = {
        **about,
        "encoder": text.load(encoder, "cpu").fingerprint,
        "faces": faces,
        "sigmas": k,
        "pictures": pictures,
        "torgb": torgb,
        WHERE: where,
    }
    channels = shards(len(wanted_channels(session, None, torgb)), count, seed=seed, **common)
    return [{"name": FACE, "what": FACE, "seed": seed, **common}, *({"what": CHANNEL, **each} for each in channels)]


@sharded
def measured(shard: Shard, folder: Path) -> Made:
    """seen float32 [pictures, d], the embeddings of faces; or channels int64 [n] and moves float32 [n, d]."""
    session = opened(shard)
    encoder = text.load(shard[WHERE]["encoder"]).to(session.device)
    if encoder.fingerprint != shard["encoder"]:
        raise ValueError("the text encoder is another one here than where the plan was made")
    stats = _statistics(session, shard)
    if shard["what"] == FACE:
        w, many = stats.w, int(shard["pictures"])
        rows = [styles_of(session, w[i : min(i + BATCH, many)]) for i in range(0, many, BATCH)]
        arrays = {"seen": np.concatenate([look(session, encoder, _on(session, row)) for row in rows])}
        return Made(arrays, machine=machine(shard["device"]))
    order = wanted_channels(session, None, bool(shard["torgb"]))
    chosen = order[shard["first"] : shard["first"] + shard["n"]].astype(np.int64)
    base = _on(session, styles_of(session, stats.w[: shard["faces"]]))
    moves = np.empty((len(chosen), encoder.dim), np.float32)
    for row, channel in enumerate(chosen):
        both = both_ways(base, stats, int(channel), float(shard["sigmas"]))
        ends = [look(session, encoder, both[start : start + BATCH]) for start in range(0, len(both), BATCH)]
        moves[row] = move_of(np.concatenate(ends).reshape(len(base), 2, -1))
    return Made({"channels": chosen, "moves": moves}, machine=machine(shard["device"]))


def merged(kept: Kept, plan: list[Shard], session: GeneratorSession, encoder: Encoder) -> ChannelTable:
    """The table of all shards.

    Raises:
        ValueError: some shards are missing.
    """
    first = checked(plan)[0]
    state = State("", _statistics(session, first).std, encoder.dim)
    for found in kept.results(MEASURED, plan):
        if "seen" in found:
            state.seen = found["seen"]
        else:
            state.moves[found["channels"]] = found["moves"]
    numbers = {"faces": first["faces"], "k": first["sigmas"], "seed": first["seed"], "pictures": first["pictures"]}
    return state.table(session, encoder, numbers)


def _statistics(session: GeneratorSession, shard: Shard) -> Statistics:
    return statistics(session, max(2000, int(shard["pictures"])), seed=int(shard["seed"]))


def _on(session: GeneratorSession, flat: np.ndarray[Any, np.dtype[np.float32]]) -> torch.Tensor:
    return torch.from_numpy(flat).to(session.device)
