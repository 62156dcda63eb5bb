"""From a generator to its catalogue: features of many pictures, clusters of them, and names for the clusters."""

from __future__ import annotations

import hashlib
import itertools
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ... import domain
from ...core import files
from ...jobs import Job, Progress
from ...latent.latent import Latent
from .catalogue import Catalogue
from .clusters import ITERATIONS, RESTARTS, Clusters, cluster
from .features import features, quarter

if TYPE_CHECKING:
    from ...session.session import GeneratorSession

CLUSTERS, UNNAMED = 48, 18
"""Clusters where a segmenter names them, and where people do: as many as Retrieve in Style has."""
PICTURES = 200
PSI = 0.7
SEGMENTED = 48
"""Pictures that the segmenter looks at to name clusters."""
LEAST = 0.1
"""Intersection over union from which on clusters are called by a region's name."""


def fit(
    session: GeneratorSession, clusters: int, pictures: int, layer: str, seed: int, state: State
) -> Job[tuple[Catalogue, list[Latent]]]:
    """Cluster what a layer makes of many pictures, and name the clusters by the domain's segmenter where there is one.

    Args:
        state: of the same work before it broke off, which goes on there.

    Returns:
        The catalogue without shares, and the pictures that its names were found on.
    """
    layer = layer or quarter(session)
    latents = [session.latent(seed=seed + i, psi=PSI) for i in range(pictures)]
    centres = state.get("centres")
    if centres is None:
        vectors = yield from _collected(session, latents, layer, state)
        made = yield from cluster.steps(vectors, clusters, seed)
        centres = made.centres.cpu().numpy()
        state.put("centres", centres)
        state.forget("features")
    named = latents[:SEGMENTED]
    parts, agreement = yield from _named(session, Clusters(torch.from_numpy(centres)), named, layer, state)
    about = {"pictures": pictures, "psi": PSI, "seed": seed}
    return Catalogue(layer, False, centres, parts, agreement, None, session.fingerprint(), about), named


def clusters_for(session: GeneratorSession) -> int:
    """How many clusters a generator's pictures get by default."""
    known = domain.of(session)
    return UNNAMED if known is None or known.segmenter is None else CLUSTERS


def seconds(session: GeneratorSession, pictures: int = PICTURES) -> float:
    """About how long `fit` takes here, by a trial of one picture and one step."""
    layer, clusters = quarter(session), clusters_for(session)
    latent = session.latent(psi=PSI)
    features(session, latent, layer)  # the first call builds what it needs
    began = time.perf_counter()
    vectors = features(session, latent, layer)[0].flatten(1).T.contiguous()
    picture = time.perf_counter() - began
    began = time.perf_counter()
    (vectors @ torch.rand_like(vectors[:1]).expand(clusters, -1).T).argmax(1)
    step = (time.perf_counter() - began) * pictures
    named = picture
    known = domain.of(session)
    if known is not None and known.segmenter is not None:
        segmenter, shown = known.segmenter(), session.image(latent)
        segmenter(shown)  # the first call loads what it needs
        began = time.perf_counter()
        segmenter(shown)
        named += time.perf_counter() - began
    return pictures * picture + RESTARTS * (ITERATIONS / 2 + clusters) * step + SEGMENTED * (named + 2 * picture)


# -- steps -----------------------------------------------------------------------------------------------------------------
class State:
    """Partial work: arrays by name in a folder of its own, so that work of other settings is not taken up.

    Args:
        folder: in which that folder is made; None keeps nothing.
        asked: what decides the result, plain JSON values.
    """

    def __init__(self, folder: Path | None, asked: Mapping[str, object]) -> None:
        self._folder = None
        if folder is not None:
            self._folder = folder / hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
            self._folder.mkdir(parents=True, exist_ok=True)

    def get(self, name: str) -> NDArray[np.float32] | None:
        """A whole array that was kept, or None."""
        if self._folder is None or not (path := self._folder / f"{name}.npy").is_file():
            return None
        try:
            return np.asarray(np.load(path, allow_pickle=False), np.float32)
        except files.DAMAGED:
            return None

    def put(self, name: str, array: NDArray[np.float32]) -> None:
        """Keep a whole array."""
        if self._folder is not None:
            with files.writing(self._folder / f"{name}.npy") as part, part.open("wb") as file:
                np.save(file, array)

    def rows(self, name: str, count: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Room for `count` arrays of a shape, filled one after the other: NaN where nothing came yet."""
        if self._folder is None:
            return np.full((count, *shape), np.nan, np.float32)
        path, wanted = self._folder / f"{name}.npy", (count, *shape)
        try:
            there = np.load(path, mmap_mode="r+", allow_pickle=False)
            if there.shape == wanted and there.dtype == np.float32:
                return np.asanyarray(there)
        except files.DAMAGED:
            pass
        made = np.lib.format.open_memmap(path, "w+", np.float32, wanted)
        made[:] = np.nan
        return made

    def forget(self, name: str = "") -> None:
        """Drop an array that is not needed any more, or the folder with all that is in it."""
        if self._folder is not None:
            for path in self._folder.glob(f"{name or '*'}.npy"):
                path.unlink(missing_ok=True)
            if not name:
                self._folder.rmdir()


def _collected(session: GeneratorSession, latents: Sequence[Latent], layer: str, state: State) -> Job[Tensor]:
    """Features at every place of every picture, [pictures · h · w, C]."""
    _, channels, *size = features(session, latents[0], layer).shape
    vectors = state.rows("features", len(latents), (*size, channels))
    for n, latent in enumerate(latents):
        if np.isnan(vectors[n, 0, 0, 0]):
            vectors[n] = features(session, latent, layer)[0].permute(1, 2, 0).cpu().numpy()
        yield Progress(n + 1, len(latents), "features")
    return torch.from_numpy(np.array(vectors)).flatten(0, 2)


def _named(
    session: GeneratorSession, made: Clusters, latents: Sequence[Latent], layer: str, state: State
) -> Job[tuple[Mapping[str, tuple[int, ...]], Mapping[str, float]]]:
    """Parts by the regions of the domain's segmenter, and how well they agree; without one each cluster is a part."""
    known = domain.of(session)
    if known is None or known.segmenter is None:
        return {f"part {k + 1}": (k,) for k in range(len(made.centres))}, {}
    segmenter = known.segmenter()
    overlaps = state.rows("overlaps", len(latents), (len(made.centres), len(segmenter.names)))
    for n, latent in enumerate(latents):
        if np.isnan(overlaps[n, 0, 0]):
            overlaps[n] = _overlap(session, made, latent, layer, segmenter)
        yield Progress(n + 1, len(latents), "names")
    overlap = np.asarray(overlaps, np.float64).sum(0)
    owners = assigned(overlap)
    fits = _agreements(overlap, owners)
    parts, agreement = {}, {}
    for r, name in enumerate(segmenter.names):
        if (owners == r).any():
            parts[name] = tuple(np.flatnonzero(owners == r).tolist())
            agreement[name] = round(float(fits[r]), 3)
    return parts, agreement


def assigned(overlap: NDArray[np.float64]) -> NDArray[np.intp]:
    """The region of each cluster, [clusters], such that no cluster alone can go to another region and raise the sum over the
    regions of intersection over union. Small regions count as much as large ones, which lie in clusters of mostly something
    else. A region that clusters fit by less than `LEAST` has none: they would show something else under its name.

    Args:
        overlap: pixels that cluster and region share, [clusters, regions].
    """
    alone = overlap / np.maximum(overlap.sum(1, keepdims=True) + overlap.sum(0) - overlap, 1)
    regions = np.arange(overlap.shape[1])
    while True:
        owners = _raised(overlap, regions[alone[:, regions].argmax(1)], regions)
        fits = _agreements(overlap, owners)
        good = regions[(fits[regions] >= LEAST) | ~np.isin(regions, owners)]
        if not len(good) or len(good) == len(regions):
            return owners
        regions = good


def _raised(overlap: NDArray[np.float64], owners: NDArray[np.intp], regions: NDArray[np.intp]) -> NDArray[np.intp]:
    """Owners out of these regions, changed one at a time for as long as that raises the sum of the agreements."""
    best, moved = float(_agreements(overlap, owners).sum()), True
    while moved:
        moved = False
        for k, r in itertools.product(range(len(owners)), regions):
            tried = owners.copy()
            tried[k] = r
            found = float(_agreements(overlap, tried).sum())
            if found > best + 1e-9:
                owners, best, moved = tried, found, True
    return owners


def agreements(session: GeneratorSession, found: Catalogue, latents: Sequence[Latent]) -> Job[dict[str, float]]:
    """Intersection over union of each region of the segmenter and the part of that name, over some pictures; 0 where there is
    no such part, and nothing where there is no segmenter."""
    known = domain.of(session)
    if known is None or known.segmenter is None:
        return {}
    segmenter, made = known.segmenter(), Clusters(torch.from_numpy(found.centres))
    overlap = np.zeros((len(found.centres), len(segmenter.names)))
    for n, latent in enumerate(latents):
        overlap += _overlap(session, made, latent, found.layer, segmenter)
        yield Progress(n + 1, len(latents), "agreement")
    owners = np.full(len(found.centres), -1)
    for name, clusters in found.parts.items():
        if name in segmenter.names:
            owners[list(clusters)] = segmenter.names.index(name)
    return dict(zip(segmenter.names, _agreements(overlap, owners).tolist(), strict=True))


def _overlap(
    session: GeneratorSession, made: Clusters, latent: Latent, layer: str, segmenter: domain.Segmenter
) -> NDArray[np.float32]:
    """Pixels that each cluster and each region share in a picture, [clusters, regions]."""
    labels = made.labels(features(session, latent, layer))[0].cpu().numpy()
    region = segmenter(session.image(latent))
    rows, columns = ((np.arange(n) * m) // n for n, m in zip(region.shape, labels.shape, strict=True))
    found = np.zeros((len(made.centres), len(segmenter.names)), np.float32)
    np.add.at(found, (labels[rows][:, columns], region), 1)
    return found


def _agreements(overlap: NDArray[np.float64], owners: NDArray[np.intp]) -> NDArray[np.float64]:
    """Intersection over union of each region and its clusters, [regions]; an owner of −1 is none."""
    mine = (owners[:, None] == np.arange(overlap.shape[1])).astype(np.float64)
    inside, whole = (overlap * mine).sum(0), mine.T @ overlap.sum(1)
    return np.asarray(inside / np.maximum(whole + overlap.sum(0) - inside, 1))
