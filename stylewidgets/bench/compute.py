"""What happens in the kernel without any widget: synthesis and encoding."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch

from ..latent.latent import Direction
from ..render.encode import encode
from ..render.ladder import Rung
from ..session.activations import SynthesisCache
from ..session.session import GeneratorSession
from .timing import Sample, in_turns, milliseconds

ENCODERS = {
    "png": Rung(None, "png", 100, "still"),
    "jpeg, quality 85": Rung(None, "jpeg", 85, "full"),
    "jpeg, quality 60": Rung(None, "jpeg", 60, "drag"),
}


def synthesis(session: GeneratorSession, repeats: int = 30) -> dict[str, Sample]:
    """A whole picture, without and with the cache of block borders, and restarts one quarter, half and three quarters in."""
    blocks = session.generator.num_blocks
    codes = [session.code_styles(session.latent(seed=seed)) for seed in range(8)]
    restarts = {"first 1/4 of the blocks kept": 0.25, "first 1/2 kept": 0.5, "first 3/4 kept": 0.75}
    tasks = {
        "whole picture": _plain(session, codes),
        "whole picture, keeping block borders": _restart(session, codes, 0),
    }
    for name, share in restarts.items():
        tasks[name] = _restart(session, codes, round(blocks * share))
    return in_turns(tasks, repeats)


def _plain(session: GeneratorSession, codes: list[list[torch.Tensor]]) -> Callable[[], float]:
    turn = itertools.cycle(codes)

    def run() -> float:
        styles = next(turn)
        with session.lock, torch.inference_mode():
            return milliseconds(lambda: session.synthesize(styles).cpu())

    return run


def _restart(session: GeneratorSession, codes: list[list[torch.Tensor]], block: int) -> Callable[[], float]:
    """Time a picture whose styles differ from those before it from ``block`` on."""
    cache = SynthesisCache(session.generator)
    first = session.generator.block_layers(block).start if block else 0
    turn = itertools.cycle(codes)

    def run() -> float:
        styles = [*codes[0][:first], *next(turn)[first:]]
        with session.lock:
            return milliseconds(lambda: cache.run(styles, dtype=session.drag_half).cpu())

    return run


def encoding(session: GeneratorSession, repeats: int = 30) -> dict[str, tuple[Sample, float]]:
    """Times and kB of encoding real pictures of the generator."""
    pictures = [session.image(session.latent(seed=seed)) for seed in range(8)]
    turns = {name: itertools.cycle(pictures) for name in ENCODERS}

    def task(name: str) -> Callable[[], float]:
        picture = turns[name]
        return lambda: milliseconds(lambda: encode(next(picture), ENCODERS[name]))

    times = in_turns({name: task(name) for name in ENCODERS}, repeats)
    sizes = {
        name: sum(len(encode(p, rung)) for p in pictures) / len(pictures) / 1000 for name, rung in ENCODERS.items()
    }
    return {name: (times[name], sizes[name]) for name in ENCODERS}


def some_direction(session: GeneratorSession) -> Direction:
    """The first direction that came with the weights, else the first principal component."""
    from ..directions import pca

    for direction in session.directions.values():
        return direction
    return next(iter(pca(session, samples=2000, components=1).values()))
