"""What happens in the kernel: synthesis, encoding, and one slider event from its value to the frame on the wire."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch

from ..latents import Direction
from ..render.cache import SynthesisCache
from ..render.encode import encode
from ..render.ladder import Rung
from ..session import GeneratorSession
from .timing import Sample, in_turns, milliseconds

_NEWEST = 10**9  # acknowledges every frame so far

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
    tasks = {"whole picture": _plain(session, codes), "whole picture, keeping block borders": _restart(session, codes, 0)}
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
            return milliseconds(lambda: cache.run(styles, dtype=session.half).cpu())

    return run


def encoding(session: GeneratorSession, repeats: int = 30) -> dict[str, tuple[Sample, float]]:
    """Times and kB of encoding real pictures of the generator."""
    pictures = [session.image(session.latent(seed=seed)) for seed in range(8)]
    turns = {name: itertools.cycle(pictures) for name in ENCODERS}

    def task(name: str) -> Callable[[], float]:
        picture = turns[name]
        return lambda: milliseconds(lambda: encode(next(picture), ENCODERS[name]))

    times = in_turns({name: task(name) for name in ENCODERS}, repeats)
    sizes = {name: sum(len(encode(p, rung)) for p in pictures) / len(pictures) / 1000 for name, rung in ENCODERS.items()}
    return {name: (times[name], sizes[name]) for name in ENCODERS}


def slider_event(session: GeneratorSession, events: int = 60) -> dict[str, Sample]:
    """One new slider value as the browser sends it, through a real explorer, until its frame is handed to the wire.

    The front end is played: it says hello and acknowledges every frame. Keys: "whole event", of which "model"
    (latent → pixels), "encoding", and "widgets" (all the rest).
    """
    explorer, slider = _explorer(session)
    frames: list[Any] = []
    show = explorer.view.show

    def seen(frame: Any) -> None:
        show(frame)
        frames.append(frame)

    explorer.view.show = seen
    explorer.view._handle_custom_msg({"type": "hello", "dpr": 1.0, "width": 384.0}, [])
    parts: dict[str, list[float]] = {"whole event": [], "model": [], "encoding": [], "widgets": []}
    try:
        for number, value in zip(range(events + 10), _sweep(), strict=False):
            before = len(frames)
            whole = milliseconds(lambda value=value: slider.set_state({"value": value}))  # type: ignore[misc]
            explorer.view._handle_custom_msg({"type": "ack", "index": _NEWEST}, [])
            if number >= 10 and len(frames) > before:
                frame = frames[-1]
                parts["whole event"].append(whole)
                parts["model"].append(frame.render_ms)
                parts["encoding"].append(frame.encode_ms)
                parts["widgets"].append(whole - frame.render_ms - frame.encode_ms)
            time.sleep(0.002)
    finally:
        explorer.close()
    return {name: Sample(tuple(values)) for name, values in parts.items()}


def _explorer(session: GeneratorSession) -> tuple[Any, Any]:
    """An explorer with one direction, and its slider."""
    import ipywidgets

    from ..widgets.latent_explorer import LatentExplorer

    direction = some_direction(session)
    explorer = LatentExplorer(session, session.latent(seed=0).with_edit(direction, 0.0))
    for widget in _tree(explorer):
        if isinstance(widget, ipywidgets.FloatSlider) and widget.description == direction.name:
            return explorer, widget
    raise RuntimeError("the explorer shows no slider for its direction")


def some_direction(session: GeneratorSession) -> Direction:
    """The first direction that came with the weights, else the first principal component."""
    from ..directions import pca

    for direction in session.directions.values():
        return direction
    return next(iter(pca(session, samples=2000, components=1).values()))


def _tree(widget: Any) -> Iterator[Any]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _tree(child)


def _sweep() -> Iterator[float]:
    """Slider values that always change and stay in −3 … 3."""
    for number in itertools.count():
        yield round(3.0 * (abs(number % 120 - 60) / 30 - 1) + 0.01 * (number % 7), 3)
