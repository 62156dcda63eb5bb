"""Every family at work: whole frames, restarts, previews, thumbnails, the first frame and memory, against a reference."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..generators.protocol import Generator, makes_previews
from ..latent.latent import Latent
from ..render.encode import fit
from ..render.ladder import Rung, drag_rungs
from ..render.renderer import LiveRenderer
from ..session.activations import SynthesisCache
from ..session.session import GeneratorSession
from . import plain
from .against import same_styles
from .compute import some_direction
from .memory import peak
from .timing import Sample, in_turns, milliseconds

WHOLE, REFERENCE, AGAINST = "whole frame", "reference path", "public implementation"
SHARES = {"restart at 1/4 of the layers": 0.25, "restart at 1/2": 0.5, "restart at 3/4": 0.75}
LAST_THIRD = "edits of the last third, mean"
THUMBNAILS, THUMBNAIL = "10 thumbnails of a direction", 96
_PREVIEWED = 4  # pictures that previews are compared with
Task = Callable[[], float]
Picture = Callable[[Generator, list[Tensor]], Tensor]


@dataclass
class Figures:
    """What was measured of one model.

    Attributes:
        times: milliseconds by task.
        first_ms: of the first whole frame, which prepares weights.
        memory: bytes at the peak: "frame", "reference" and "kept" (by the cache of a live session).
        previews: for each rung the mean absolute difference in levels of 255: from the whole picture made as small, and of
            the preview enlarged from the whole picture.
        difference: of the reference path, or of the public implementation, from the whole frame: ‖a − b‖ / ‖b‖.
    """

    times: dict[str, Sample]
    first_ms: float
    memory: dict[str, int]
    previews: dict[str, tuple[float, float]]
    difference: dict[str, float] = field(default_factory=dict)


def measure(
    session: GeneratorSession, *, rounds: int = 5, seconds: float = 60.0, against: Picture | None = None
) -> Figures:
    """Measure one model; the tasks take turns in one process.

    Args:
        session: with any generator.
        rounds: of all tasks at most.
        seconds: no round begins later than this. The first one always runs.
        against: a public implementation, (generator, styles) → picture.
    """
    codes = [session.code_styles(session.latent(seed=seed)) for seed in range(4)]
    with torch.inference_mode():
        first_ms = milliseconds(lambda: session.synthesize(codes[0]))
        whole = session.synthesize(codes[0])
        others = _others(session, against)
        difference = {name: _difference(other(session.generator, codes[0]), whole) for name, other in others.items()}
        if against is not None:
            styles = same_styles(session.generator)
            difference[AGAINST] = _difference(against(session.generator, styles), session.synthesize(styles))
        memory = _memory(session, codes, others)
    tasks: dict[str, Task] = {WHOLE: _plain(session, codes, lambda _, styles: session.synthesize(styles))}
    tasks |= {name: _plain(session, codes, other) for name, other in others.items()}
    tasks |= {name: _restart(session, codes, [_convolution(session, share)]) for name, share in SHARES.items()}
    count = len(session.layers)
    tasks[LAST_THIRD] = _restart(session, codes, list(range(count - count // 3, count)))
    tasks |= {name: _preview(session, rung) for name, rung in preview_rungs(session).items()}
    tasks[THUMBNAILS] = _thumbnails(session)
    times = in_turns(tasks, rounds, warm=0, seconds=seconds)
    return Figures(times, first_ms, memory, _nearness(session), difference)


def preview_rungs(session: GeneratorSession) -> dict[str, Rung]:
    """The rungs below full size of a picture in motion, by name; none where they would cost a whole frame."""
    if not makes_previews(session.generator):
        return {}
    return {f"preview, {rung.max_side} px": rung for rung in drag_rungs(session.resolution) if rung.max_side}


def _convolution(session: GeneratorSession, share: float) -> int:
    """The convolution at this share of the layers, or the one before: the colours of a block cost next to nothing."""
    first = round(len(session.layers) * share)
    return max((k for k in range(first + 1) if session.layers[k].kind == "conv"), default=first)


def _others(session: GeneratorSession, against: Picture | None) -> dict[str, Picture]:
    others: dict[str, Picture] = {}
    if session.device.type == "cpu" and (session.generator.family != "stylegan2" or session.has_inner_pictures):
        others[REFERENCE] = plain.picture
    if against is not None:
        others[AGAINST] = against
    return others


def _difference(found: Tensor, wanted: Tensor) -> float:
    return float((found.double() - wanted.double()).norm() / wanted.double().norm())


def _memory(session: GeneratorSession, codes: list[list[Tensor]], others: Mapping[str, Picture]) -> dict[str, int]:
    found = {WHOLE: peak(lambda: session.synthesize(codes[1]), session.device)}
    found |= {
        name: peak(lambda other=other: other(session.generator, codes[1]), session.device)  # type: ignore[misc]
        for name, other in others.items()
    }
    cache = SynthesisCache(session.generator)
    cache.run(codes[0], dtype=session.half)
    return {**found, "kept for restarts": cache.bytes}


def _plain(session: GeneratorSession, codes: list[list[Tensor]], draw: Picture) -> Task:
    """The second of two frames: one of many finds the memory of the one before, and not that of another task."""
    turn = itertools.cycle(codes)

    def frame() -> None:
        draw(session.generator, next(turn)).cpu()

    def run() -> float:
        with session.lock, torch.inference_mode():
            frame()
            return milliseconds(frame)

    return run


def _restart(session: GeneratorSession, codes: list[list[Tensor]], layers: list[int]) -> Task:
    """The mean time of a frame of a drag that changes the style of one of these layers, and of no other."""
    cache = SynthesisCache(session.generator)
    strengths = itertools.cycle((1.0, 1.1, 0.9))

    def changed(k: int) -> float:
        styles = list(codes[0])
        styles[k] = styles[k] * (next(strengths) + 0.05)
        with session.lock:
            return milliseconds(lambda: cache.run(styles, dtype=session.drag_half).cpu())

    def run() -> float:
        times = []
        for k in layers:
            changed(k)  # the first frame of a drag takes back what the layer before was changed by
            times.append(changed(k))
        return statistics.fmean(times)

    return run


def _preview(session: GeneratorSession, rung: Rung) -> Task:
    live, seeds = LiveRenderer(session), itertools.count()

    def frame() -> None:
        live(session.latent(seed=next(seeds) % 8), rung)

    def run() -> float:
        frame()
        return milliseconds(frame)

    return run


def _thumbnails(session: GeneratorSession) -> Task:
    direction, seeds = some_direction(session), itertools.count()

    def run() -> float:
        start = session.latent(seed=next(seeds))
        row: list[Latent] = [start.with_edit(direction, strength) for strength in np.linspace(-3, 3, 10).tolist()]
        return milliseconds(lambda: session.images(row, resolution=THUMBNAIL))

    return run


def _nearness(session: GeneratorSession) -> dict[str, tuple[float, float]]:
    """How far previews of a few pictures are from them."""
    live, latents = LiveRenderer(session), [session.latent(seed=seed) for seed in range(_PREVIEWED)]
    rungs = preview_rungs(session)
    off: dict[str, list[tuple[float, float]]] = {name: [] for name in rungs}
    for latent in latents:
        whole = session.image(latent)
        for name, rung in rungs.items():
            preview = live(latent, rung).astype(np.float32)
            off[name].append((_levels(preview, fit(whole, rung.max_side)), _levels(preview, whole)))
    return {
        name: (statistics.fmean(a for a, _ in pairs), statistics.fmean(b for _, b in pairs))
        for name, pairs in off.items()
    }


def _levels(preview: NDArray[np.float32], whole: NDArray[np.uint8]) -> float:
    """Mean absolute difference between the preview, enlarged where it is smaller, and a picture."""
    height, width = whole.shape[:2]
    small = torch.from_numpy(preview).permute(2, 0, 1)[None]
    large = torch.nn.functional.interpolate(small, (height, width), mode="bilinear")[0].permute(1, 2, 0).numpy()
    return float(np.abs(large - whole).mean())
