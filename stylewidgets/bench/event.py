"""One slider event in the kernel, from its value to the frame on the wire, through a real explorer."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..session.session import GeneratorSession
from .compute import some_direction
from .timing import Sample, milliseconds

if TYPE_CHECKING:
    from ..render.pump import Frame

_NEWEST = 10**9  # acknowledges every frame so far


def slider_event(session: GeneratorSession, events: int = 60) -> dict[str, Sample]:
    """One new slider value as the browser sends it, through a real explorer, until its frame is handed to the wire.

    The front end is played: it says hello and acknowledges every frame. Keys: "whole event", of which "model"
    (latent → pixels), "encoding", and "widgets" (all the rest).
    """
    from ..widgets.latent_explorer.explorer import LatentExplorer

    direction = some_direction(session)
    explorer = LatentExplorer(session, session.latent(seed=0).with_edit(direction, 0.0))
    rows = explorer.tools["directions"].rows.view
    frames: list[Frame] = []
    show = explorer.view.show

    def seen(frame: Frame) -> None:
        show(frame)
        frames.append(frame)

    explorer.view.show = seen
    explorer.view._handle_custom_msg({"type": "hello", "dpr": 1.0, "width": 384.0}, [])
    parts: dict[str, list[float]] = {"whole event": [], "model": [], "encoding": [], "widgets": []}
    try:
        for number, value in zip(range(events + 10), _sweep(), strict=False):
            before = len(frames)
            wish = {"type": "set", "page": "bench", "number": number, "key": direction.name, "value": value}
            wish["acks"] = {explorer.view.key: _NEWEST}
            whole = milliseconds(lambda wish=wish: rows._handle_custom_msg(wish, []))  # type: ignore[misc]
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


def _sweep() -> Iterator[float]:
    """Slider values that always change and stay in −3 … 3."""
    for number in itertools.count():
        yield round(3.0 * (abs(number % 120 - 60) / 30 - 1) + 0.01 * (number % 7), 3)
