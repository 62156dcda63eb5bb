"""Retrieval by part: are the faces that are found near in the factors of the part?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ... import jobs
from ...avatars.drawing.renderer import render
from ...avatars.reading.calibration import residual
from ...avatars.scoring.changes import deviation
from ...avatars.world.factors import FACTORS, INDEX
from ...avatars.world.sampling import sample
from ...editing.parts.gallery import Gallery
from ...editing.parts.parts import Parts
from ...inversion import Target, invert
from ...latent.latent import Code, Latent
from ...session.session import GeneratorSession
from ..editing.readings import Array
from .regions import PARTS
from .score import Bench

FIRST = 10
NEAR = 0.01
"""Share of the gallery that counts as near, for precision; those as near as the last of them count, too."""
RENDERS = 7_700_000
"""Seed of the renders; no network was trained on them."""
BY_PART, BY_SOFTMAX, BY_W, BY_CHANCE = "by part", "by softmax", "whole w", "by chance"


def measure(bench: Bench, parts: Parts, found: dict[str, Any], renders: int) -> Iterator[str]:
    """Add NDCG and precision at 10 of each part to a record, on generated faces and on inverted renders."""
    kinds = found.setdefault("retrieval", {})
    if "generated" not in kinds:
        people, queries = bench.people, (*bench.targets, *bench.references)
        asked = torch.cat([bench.before.factors, bench.there.factors])
        kinds["generated"] = table(parts, people.latents, people.factors, queries, asked)
        yield f"generated faces: {kinds['generated']}"
    if "renders" not in kinds and bench.session.name == "avatar-128":
        latents, factors = inverted(bench.session, renders)
        count = len(bench.targets) * 2
        kinds["renders"] = table(parts, latents[count:], factors[count:], latents[:count], factors[:count])
        yield f"inverted renders: {kinds['renders']}"


def table(
    parts: Parts, latents: Sequence[Latent], factors: Tensor, queries: Sequence[Latent], asked: Tensor
) -> dict[str, Any]:
    """{part: {ranker: [NDCG, precision]}} of a gallery and queries whose factors are known."""
    session = parts.session
    gallery = jobs.run(Gallery.of(session, latents))
    assert gallery is not None
    codes = np.stack([_w(session, latent) for latent in latents])
    places = {latent: k for k, latent in enumerate(latents)}
    found: dict[str, Any] = {}
    for name in (name for name in PARTS if name in parts.catalogue.parts):
        rows: dict[str, list[tuple[float, float]]] = {BY_PART: [], BY_SOFTMAX: [], BY_W: [], BY_CHANCE: []}
        for query, row in zip(queries, asked, strict=True):
            ranked: dict[str, list[tuple[Latent, float]]] = {}
            for key, method in ((BY_PART, "densest"), (BY_SOFTMAX, "retrieve")):
                with suppress(ValueError):  # no channel carries it in this picture
                    ranked[key] = parts.retrieve(query, name, gallery, FIRST, method=method)
            if BY_PART not in ranked:
                continue  # all are compared on the same queries
            far = distance(factors, row, PARTS[name].factors)
            rows[BY_CHANCE].append(_by_chance(far))
            rows[BY_W].append(at_first(far, np.argsort(((codes - _w(session, query)) ** 2).sum(1), kind="stable")))
            for key, nearest in ranked.items():
                rows[key].append(at_first(far, np.array([places[latent] for latent, _ in nearest])))
        found[name] = {
            key: [round(float(x), 4) for x in np.mean(values, axis=0)] for key, values in rows.items() if values
        }
        found[name]["queries"] = len(rows[BY_PART])
    return found


def distance(factors: Tensor, row: Tensor, names: Sequence[str]) -> Array:
    """How far faces [N, F] are from one [F] in some factors: root of the mean square in σ, [N]. A category is the same or not."""
    squares = []
    for name in names:
        factor = FACTORS[INDEX[name]]
        there, here = factors[:, INDEX[name]].double().numpy(), float(row[INDEX[name]])
        if factor.kind == "categorical":
            gap = (there.round() != round(here)).astype(np.float64)
        else:
            gap = residual(factor.kind, there, np.full_like(there, here))
        squares.append(np.square(gap / deviation(factor)))
    return np.asarray(np.sqrt(np.mean(squares, axis=0)))


def at_first(far: Array, order: NDArray[np.intp]) -> tuple[float, float]:
    """NDCG at 10 with gains exp(−distance), and the share of the first 10 that are near."""
    gains = np.exp(-far)
    discount = 1 / np.log2(np.arange(2, FIRST + 2))
    ideal = (np.sort(gains)[::-1][:FIRST] * discount).sum()
    near = far <= np.sort(far)[max(0, round(NEAR * len(far)) - 1)] + 1e-9
    first = order[:FIRST]
    return float((gains[first] * discount[: len(first)]).sum() / ideal), float(near[first].mean())


def inverted(session: GeneratorSession, count: int) -> tuple[list[Latent], Tensor]:
    """Renders of known factors, as the shipped encoder inverts them; their factors are exact, their codes are not."""
    factors = torch.from_numpy(sample(count, RENDERS))
    latents: list[Latent] = []
    for part in torch.split(factors, 32):
        image = render(part, session.resolution, outputs=("image",)).image
        shown = ((image + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
        result = invert(session, Target.of(list(shown), session), "psp")
        latents += [session.latent(code=Code("w+", code)) for code in result.code]
    return latents, factors


def _by_chance(far: Array) -> tuple[float, float]:
    """What is expected of a random order."""
    gains = np.exp(-far)
    near = far <= np.sort(far)[max(0, round(NEAR * len(far)) - 1)] + 1e-9
    discount = 1 / np.log2(np.arange(2, FIRST + 2))
    ideal = (np.sort(gains)[::-1][:FIRST] * discount).sum()
    return float(gains.mean() * discount.sum() / ideal), float(near.mean())


def _w(session: GeneratorSession, latent: Latent) -> NDArray[np.float32]:
    w: NDArray[np.float32] = session.map(latent)[0].reshape(-1).cpu().numpy()
    return w
