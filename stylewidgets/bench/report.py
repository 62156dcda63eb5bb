"""The measurements as a table for people and as JSON for machines."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from .. import __version__
from ..session.session import GeneratorSession
from .browser import Measurement
from .pages import COSTLESS, INTERACT, MODEL
from .timing import Sample, merge

Rows = Sequence[tuple[str, ...]]


def machine(session: GeneratorSession) -> dict[str, Any]:
    """What was measured, and on what."""
    device = str(session.device)
    if session.device.type == "cuda":
        device += f" ({torch.cuda.get_device_name(session.device)})"
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return {
        "stylewidgets": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "torch threads": torch.get_num_threads(),
        "load before": round(load, 1),
        "device": device,
        "generator": f"{session.name}, {session.resolution} px",
    }


def processor() -> str:
    """Name of the CPU."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def table(title: str, head: Sequence[str], rows: Rows) -> str:
    """Text in columns: the first to the left, the others to the right."""
    lines = [tuple(head), *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    text = [title, ""]
    for number, line in enumerate(lines):
        cells = [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        text.append(("  " + "  ".join([line[0].ljust(widths[0]), *cells])).rstrip())
        if number == 0:
            text.append("  " + "  ".join("-" * width for width in widths))
    return "\n".join(text) + "\n"


def synthesis(samples: Mapping[str, Sample]) -> str:
    """Table of `compute.synthesis`; ratios to the whole picture."""
    whole = next(iter(samples.values())).median
    rows = [(name, _ms(s.median), quartiles(s), f"{s.median / whole:.2f}") for name, s in samples.items()]
    return table("Synthesis, in the kernel", ("", "ms", "quartiles", "of a whole picture"), rows)


def encoding(samples: Mapping[str, tuple[Sample, float]]) -> str:
    """Table of `compute.encoding`."""
    rows = [(name, _ms(s.median), quartiles(s), f"{size:.1f}") for name, (s, size) in samples.items()]
    return table("Encoding a full-size picture", ("", "ms", "quartiles", "kB"), rows)


def event(samples: Mapping[str, Sample]) -> str:
    """Table of `event.slider_event`; shares of the whole event."""
    whole = samples["whole event"].median
    rows = [(name, _ms(s.median), quartiles(s), f"{s.median / whole:.0%}") for name, s in samples.items()]
    return table("One slider event, from its value to the frame on the wire", ("", "ms", "quartiles", "share"), rows)


FIGURES = {
    "key → pixels, ms": "key_median",
    "p95": "key_p95",
    "drag, frames/s": "drag_fps",
    "gap p95, ms": "gap_p95",
    "blank": "blank_share",
    "settled after, ms": "settle",
}


def pages(results: Mapping[str, Sequence[Measurement]]) -> str:
    """Table of `pages.run`: medians over the rounds, with their extremes for the two main figures."""
    rows = []
    for name, rounds in results.items():
        cells = []
        for figure in FIGURES.values():
            sample = merge([getattr(measurement, figure) for measurement in rounds])
            if not sample.values:
                cells.append("-")
            elif figure == "blank_share":
                cells.append(f"{sample.median:.1%}")
            elif figure in ("key_median", "drag_fps"):
                cells.append(f"{sample.median:.1f} ({min(sample.values):.0f}–{max(sample.values):.0f})")
            else:
                cells.append(f"{sample.median:.0f}")
        rows.append((name, *cells))
    screen = merge([measurement.screen_fps for rounds in results.values() for measurement in rounds])
    text = table("In the browser: a key press, and a drag along the whole slider", ("", *FIGURES), rows)
    return f"{text}\n  The page itself managed {screen.median:.0f} animation frames/s here.\n{summary(results)}"


def summary(results: Mapping[str, Sequence[Measurement]]) -> str:
    """What the model adds, and how it compares with the reference, in words."""
    keys = {name: merge([m.key_median for m in rounds]).median for name, rounds in results.items()}
    drags = {name: merge([m.drag_fps for m in rounds]).median for name, rounds in results.items()}
    lines = []
    if MODEL in results and COSTLESS in results:
        extra = keys[MODEL] - keys[COSTLESS]
        share = max(0.0, extra / keys[MODEL])
        lines.append(
            f"The model's share of key press to new pixels: {extra:.1f} ms of {keys[MODEL]:.1f} ms ({share:.0%})."
        )
    if MODEL in results and INTERACT in results:
        lines.append(
            f"Against {INTERACT}: {keys[INTERACT] / keys[MODEL]:.1f} times as quick to new pixels, "
            f"{drags[MODEL] / drags[INTERACT]:.1f} times the frames of a drag."
        )
    return "".join(f"  {line}\n" for line in lines)


def plain(value: object) -> object:
    """Anything measured as plain values for JSON; not-a-number and infinity become null."""
    if isinstance(value, Sample):
        return plain(value.as_dict())
    if isinstance(value, Measurement):
        return plain(vars(value))
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _ms(value: float) -> str:
    return f"{value:.2f}"


def quartiles(sample: Sample, places: int = 2) -> str:
    """Where the middle half of the values lies."""
    low, high = sample.spread
    return f"{low:.{places}f}–{high:.{places}f}"
