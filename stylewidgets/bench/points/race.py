"""One pair, dragged: mean distance, error against the true render, and the same of no edit and of the best direction."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ... import jobs
from ...avatars.drawing.renderer import render
from ...avatars.reading.factor_net import ReadingNet
from ...avatars.scoring.edits import same_person
from ...editing.dragging.run import Drag
from ...latent.latent import Latent
from ...session.session import GeneratorSession
from ..parts.faces import Seen, drawn, seen
from .pairs import COUNTS, Floats, Pair, to_rows

STRENGTHS = (-3.0, -2.0, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0, 3.0)
"""Of a direction, in σ; the best is taken by looking at the answer."""


@dataclass(frozen=True, eq=False)
class Start:
    """A picture to drag: what draws it, its pair, and how far its picture is from the pair's first render, grey levels."""

    session: GeneratorSession
    latent: Latent
    pair: Pair
    inversion: float


def landmarks_of(shown: Seen, side: int) -> Floats:
    """Where the landmarks are, as everything here is read: the judge says the factors, these are drawn, [N, K, 2]."""
    return to_rows(render(shown.factors, side, supersample=1, outputs=("landmarks",)).landmarks)


def race(start: Start, judge: ReadingNet, steps: int, settings: dict[str, Any]) -> dict[str, Any]:
    """All figures of one pair, plain values.

    Returns:
        "factor", "moved" (pixels that the farthest landmark moves), "inversion", "floor" (mean distance of all dragged
        landmarks as they are read off the true target, and off the first render), and for each number of points "no edit",
        "direction" and "drag": mean distance in pixels, grey levels from the true render, identity; of a drag also "steps",
        "seconds", "ended" and "believed", the distance that the drag itself thinks is left.
    """
    side, pair = start.session.resolution, start.pair
    renders = render(torch.stack([pair.before, pair.after]), side, outputs=("image",)).image
    renders = ((renders + 1) * 127.5).round().clamp(0, 255) / 127.5 - 1
    truth, plain = renders[1:], drawn(start.session, judge, [start.latent])
    read = landmarks_of(seen(judge, renders), side)
    everything = pair.chosen(len(pair.landmarks[0]))
    errors = np.linalg.norm(read - pair.landmarks, axis=2)[:, everything].mean(1)
    found: dict[str, Any] = {
        "factor": pair.factor,
        "moved": pair.moved,
        "inversion": start.inversion,
        "floor": [float(errors[1]), float(errors[0])],
        "points": {},
    }
    directions = _directions(start, judge)
    for name, count in COUNTS.items():
        chosen = pair.chosen(count)
        best = min(directions, key=lambda shown: _distance(shown, pair, chosen, side))
        found["points"][name] = {
            "count": len(chosen),
            "no edit": _figures(plain, truth, pair, chosen, side),
            "direction": _figures(best, truth, pair, chosen, side),
            "drag": _dragged(start, judge, truth, chosen, steps, settings),
        }
    return found


def _dragged(
    start: Start, judge: ReadingNet, truth: Tensor, chosen: list[int], steps: int, settings: dict[str, Any]
) -> dict[str, Any]:
    first, last = (start.pair.landmarks[k][chosen].clip(0, start.session.resolution - 1) for k in (0, 1))
    run = Drag(start.session, start.latent, first, last, steps=steps, **settings)
    began = time.perf_counter()
    way = jobs.run(run, disable=True)
    seconds = time.perf_counter() - began
    assert way is not None
    after = drawn(start.session, judge, [way.latent()])
    believed = float(np.linalg.norm(way.points[-1] - last, axis=1).mean())
    more = {"steps": len(way), "seconds": seconds, "ended": way.ended, "believed": believed}
    return _figures(after, truth, start.pair, chosen, start.session.resolution) | more


def _directions(start: Start, judge: ReadingNet) -> list[Seen]:
    """The picture under every strength of the named direction of the factor; of all that ship where none has its name."""
    ships = start.session.directions
    name = start.pair.factor.replace("_", " ")
    chosen = [ships[key] for key in ships if key.replace("_", " ") == name] or list(ships.values())[:12]
    latents = [start.latent.with_edit(one, strength, one.layers) for one in chosen for strength in STRENGTHS]
    shown = drawn(start.session, judge, latents)
    return [
        Seen(
            shown.pictures[k : k + 1],
            shown.factors[k : k + 1],
            {name: x[k : k + 1] for name, x in shown.readings.items()},
        )
        for k in range(len(shown))
    ]


def _figures(shown: Seen, truth: Tensor, pair: Pair, chosen: Sequence[int], side: int) -> dict[str, Any]:
    return {
        "distance": _distance(shown, pair, chosen, side),
        "grey": float((shown.pictures - truth).abs().mean()) * 127.5,
        "identity": float(same_person(shown.pictures, truth)[0]),
    }


def _distance(shown: Seen, pair: Pair, chosen: Sequence[int], side: int) -> float:
    read = landmarks_of(shown, side)[0]
    return float(np.linalg.norm(read[list(chosen)] - pair.landmarks[1][list(chosen)], axis=1).mean())
