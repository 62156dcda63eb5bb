"""Everything that is measured of a network that draws avatars in other poses, piece by piece, and taken up again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ...avatars.surface import GARMENTS
from ...generators.posed import Posed
from ...metrics.frechet_distance import frechet
from . import pairs
from .features import means
from .ways import every, figure, truth

PATTERNS = ("stripes", "checks")
FLOOR = "other renders"


def measure(
    found: dict[str, Any], generator: Posed, count: int, distances: int, seed: int = pairs.SEED
) -> Iterator[str]:
    """Add what is missing to a record, and say each in words.

    Args:
        found: "rows": of each kind those that are there; "frechet" by way.
        generator: of avatars.
        count: pairs of poses; half as many are looked at for letters, a quarter and eight at least for each part and pattern.
        distances: pictures on each side of a Fréchet distance.
    """
    few = max(count // 4, 8)
    wanted = {"pairs": count, "letters": count // 2} | dict.fromkeys((*PATTERNS, *GARMENTS), few)
    for kind, number in wanted.items():
        rows = found["rows"].setdefault(kind, [])
        for k, case in enumerate(_cases(kind, number, generator, seed) if len(rows) < number else []):
            if k >= len(rows):
                rows.append(case())
                yield f"{kind} {k + 1} of {number}"
    if "frechet" not in found:
        yield from _distances(found, generator, distances, seed)


def _cases(kind: str, count: int, generator: Posed, seed: int) -> list[Callable[[], pairs.Row]]:
    """What makes each row of a kind."""
    if kind in GARMENTS:
        return [partial(pairs.worn, kind, *found, generator) for found in pairs.partners(kind, count, seed)]
    if kind in PATTERNS:
        return [partial(pairs.pattern, pair, generator) for pair in pairs.patterned(kind, count, seed)]
    if kind == "letters":
        return [partial(pairs.letter, pair, generator) for pair in pairs.badges(count, seed)]
    return [partial(pairs.reposed, pair, generator) for pair in pairs.pairs(count, seed)]


def _distances(found: dict[str, Any], generator: Posed, count: int, seed: int) -> Iterator[str]:
    """Fréchet distance of each way's pictures to re-renders of the same pairs, beside that of other renders."""
    size = generator.resolution
    drawn: dict[str, list[Tensor]] = {}
    rows = pairs.pairs(count, seed)
    for k, pair in enumerate(rows):
        for name, picture in every(partial(figure, pair[0]), pair[1], size, generator)[0].items():
            drawn.setdefault(name, []).append(picture)
        if k % 50 == 49:
            yield f"pictures for the distances, {k + 1} of {count}"
    other = pairs.pairs(count, seed + 400_000)
    wanted, drawn[FLOOR] = (list(torch.split(truth(part[:, 1], size).image, 1)) for part in (rows, other))
    real = means(wanted)
    found["frechet"] = {name: frechet(real, means(pictures)) for name, pictures in drawn.items()}
    found["distances"] = count
    yield "distances"


def held(generator: object) -> Posed:
    """A network of avatars. ValueError for any other generator."""
    if not isinstance(generator, Posed) or not generator.config.parts:
        raise ValueError("a Pose with Style of avatars is measured, such as avatar-posed; another generator was given")
    return generator


@torch.no_grad()
def sheet(generator: Posed, count: int = 6, seed: int = pairs.SEED) -> Tensor:
    """Source, carried by the atlas, network by the atlas, and re-render of some pairs, [4 count, 3, H, W]."""
    found = []
    for pair in pairs.pairs(count, seed):
        drawn = every(partial(figure, pair[0]), pair[1], generator.resolution, generator)[0]
        found += [drawn["source copied"], drawn["carried, atlas"], drawn["network, atlas"]]
        found.append(truth(pair[1:], generator.resolution).image)
    return torch.cat(found)
