"""Tables that others computed: the folder of StyleCLIP's global directions for a generator, read without executing anything."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...checkpoints.pickle.unpickler import unpickle
from ...core import files
from ...session.session import GeneratorSession
from ...stylespace.channel import is_torgb, offsets
from .table import ChannelTable

ACCEPTED = "Accepted is a folder as StyleCLIP has for a data set (npy/ffhq), with fs3.npy and S_mean_std, or a fs3.npy beside it"


def read_table(path: str | os.PathLike[str], session: GeneratorSession) -> ChannelTable:
    """A published table as one of ours.

    fs3.npy has a row for each channel of the convolutions up to some layer, ToRGB layers left out; other channels stay
    unknown. S_mean_std is a pickle of two lists, means and standard deviations of each layer, ToRGB layers among them. It does
    not say how far a channel takes an embedding, nor how embeddings spread: both are taken as even, so that strengths are as
    good as α of the paper up to a factor.

    Args:
        path: of the folder, or of fs3.npy in it.
        session: the generator that it was made for.

    Raises:
        FileNotFoundError: one of the files is not there.
        ValueError: damaged, something else, or of another generator.
    """
    given = files.as_path(path)
    folder = given if given.is_dir() else given.parent
    table = folder / "fs3.npy" if given.is_dir() else given
    with files.reading(table, "table of global directions", ACCEPTED) as found:
        rows = np.load(found, allow_pickle=False)
        if rows.ndim != 2 or rows.dtype.kind != "f" or not np.isfinite(rows).all():
            raise ValueError(
                f"it has numbers [channels, length of an embedding]; {rows.dtype} {list(rows.shape)} was found"
            )
    sigma = _deviations(folder / "S_mean_std", session)
    conv = np.flatnonzero(~is_torgb(session.layers))
    ends = {int(end) for end in np.cumsum([layer.channels for layer in session.layers if layer.kind != "torgb"])}
    if len(rows) not in ends:
        raise ValueError(
            f"{table.name} has {len(rows)} channels, which are not the first convolutions of this generator "
            f"({', '.join(map(str, sorted(ends)))}): it was made for another one"
        )
    d = rows.shape[1]
    directions = np.zeros((len(sigma), d), np.float32)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    directions[conv[: len(rows)]] = rows / np.where(length > 0, length, 1)
    return ChannelTable(
        directions,
        np.full(len(sigma), 1 / d, np.float32),
        sigma,
        np.eye(d, dtype=np.float32) / d,
        session.fingerprint(),
        "",
        {"encoder_name": "ViT-B/32", "published": str(table.name)},
    )


def _deviations(path: Path, session: GeneratorSession) -> NDArray[np.float32]:
    """σ of each channel, [S]."""
    with files.reading(path, "file of means and deviations of styles", ACCEPTED) as found, found.open("rb") as file:
        both = unpickle(file)
        if not isinstance(both, (list, tuple)) or len(both) != 2 or not isinstance(both[1], (list, tuple)):
            raise ValueError("it has two lists, the means and the standard deviations of each layer")
        parts = [np.asarray(part, np.float32).reshape(-1) for part in both[1]]
        wanted = np.diff(offsets(session.layers)).tolist()
        if [len(part) for part in parts] != wanted:
            raise ValueError(f"its layers have {[len(part) for part in parts]} channels, this generator's {wanted}")
        sigma = np.concatenate(parts)
        if not (np.isfinite(sigma).all() and (sigma >= 0).all()):
            raise ValueError("standard deviations are finite and not negative")
    return sigma
