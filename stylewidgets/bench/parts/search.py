"""How long it takes to search a large gallery: in memory, and on disk for a generator of 1024 pixels."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from ... import jobs
from ...editing.parts.gallery import Gallery
from ...editing.parts.index import GalleryIndex
from ...session.session import GeneratorSession
from ..models import make
from ..timing import in_turns

FACES = 10_000
LARGE = "stylegan2-1024"
"""The published shape with 9,088 channels; weights are random, which a search does not notice."""
SHARES = {"a part's": 0.08, "all": 1.0}
"""How many of the channels are compared: about as many as hair has, and all there are."""


def measure(session: GeneratorSession) -> dict[str, Any]:
    """{where: {"channels": of the generator, "plain": a frame, and for each of SHARES the search}}, milliseconds of processor
    time, medians of one run in turns."""
    large = make(LARGE, session)
    memory = jobs.run(Gallery.of(session, (session.latent(seed=k) for k in range(FACES))))
    assert memory is not None
    with tempfile.TemporaryDirectory() as folder:
        disk = GalleryIndex(Path(folder) / "gallery", large)
        jobs.run(disk.grown(large, (large.latent(seed=k) for k in range(FACES))))
        tasks: dict[str, Callable[[], float]] = {"frame": _frame(session)}
        for where, gallery, own in (("memory", memory, session), ("disk", disk, large)):
            for name, share in SHARES.items():
                tasks[f"{where} {name}"] = _search(gallery, own, share)
        times = {name: sample.median for name, sample in in_turns(tasks, 15).items()}
    found: dict[str, Any] = {"frame": times["frame"]}
    for where, own in (("memory", session), ("disk", large)):
        found[where] = {"channels": sum(layer.channels for layer in own.layers)}
        found[where] |= {name: times[f"{where} {name}"] for name in SHARES}
    return found


def _search(gallery: Gallery | GalleryIndex, session: GeneratorSession, share: float) -> Callable[[], float]:
    style = session.flat_styles(session.latent(seed=FACES))[0].cpu().numpy()
    weights = np.zeros(len(style), np.float32)
    weights[np.random.default_rng(0).permutation(len(style))[: round(share * len(style))]] = 1
    return lambda: _processor_time(lambda: gallery.nearest(style, weights))


def _frame(session: GeneratorSession) -> Callable[[], float]:
    seeds = count()
    return lambda: _processor_time(lambda: session.image(session.latent(seed=next(seeds))))


def _processor_time(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000
