"""The tables of `families` and `reading`."""

from __future__ import annotations

from collections.abc import Mapping

from .families import AGAINST, LAST_THIRD, REFERENCE, SHARES, THUMBNAILS, WHOLE, Figures
from .report import quartiles, table

MB = 1e6


def family(name: str, figures: Figures) -> str:
    """Two tables of one model: times with their ratios, and memory."""
    whole = figures.times[WHOLE].median
    rivals = [rival for rival in (REFERENCE, AGAINST) if rival in figures.times]
    rows = []
    for task, sample in figures.times.items():
        ratios = [_ratio(sample.median, figures.times[rival].median) for rival in rivals]
        rows.append(
            (
                task,
                f"{sample.median:.1f}",
                quartiles(sample, 1),
                _ratio(sample.median, whole),
                *ratios,
                _near(figures, task),
            )
        )
    rows.append(
        ("first frame", f"{figures.first_ms:.1f}", "", _ratio(figures.first_ms, whole), *("" for _ in rivals), "")
    )
    head = ("", "ms", "quartiles", "of a whole frame", *(f"of the {rival}" for rival in rivals), "off by (enlarged)")
    rounds = len(figures.times[WHOLE].values)
    text = table(f"{name}: {rounds} round{'s' if rounds > 1 else ''}, tasks in turns", head, rows)
    return f"{text}\n{_memory(figures)}{_differences(figures)}"


def summary(measured: Mapping[str, Figures]) -> str:
    """One row for each model: seconds of a whole frame, then everything else as a share of that, of a rival, or of its memory."""
    shares = (*SHARES, LAST_THIRD)
    head = (
        "",
        "frame, s",
        "of the reference",
        "of the public one",
        "memory of the reference",
        *("edit, last third" if name == LAST_THIRD else name.removesuffix(" of the layers") for name in shares),
        "least preview",
        "10 thumbnails",
        "first frame",
    )
    rows = []
    for name, figures in measured.items():
        times = {task: sample.median for task, sample in figures.times.items()}
        whole = times[WHOLE]
        least = min((times[task] for task in figures.previews), default=0.0)
        rows.append(
            (
                name,
                f"{whole / 1000:.3f}",
                *(_ratio(whole, times.get(rival, 0.0)) for rival in (REFERENCE, AGAINST)),
                _ratio(figures.memory[WHOLE], figures.memory.get(REFERENCE, 0)),
                *(_ratio(times[share], whole) for share in shares),
                _ratio(least, whole) if least else "-",
                _ratio(times[THUMBNAILS], whole),
                _ratio(figures.first_ms, whole),
            )
        )
    return table("All models: a whole frame in seconds, the rest as ratios", head, rows)


def reading(name: str, figures: Mapping[str, float]) -> str:
    """Table of `reading.measure`."""
    rows = [
        (what, f"{figures[f'{key}_seconds'] * 1000:.0f}", f"{figures[f'{key}_seconds'] / figures['plain_seconds']:.2f}")
        for what, key in (
            ("bytes read, tensors copied once", "plain"),
            ("tensors found and copied", "read"),
            ("a checked generator", "open"),
        )
    ]
    text = table(f"Opening {name}, {figures['bytes'] / MB:.0f} MB", ("", "ms", "ratio"), rows)
    return f"{text}\n  Memory at the peak: {figures['peak_ratio']:.2f} times the file.\n"


def _memory(figures: Figures) -> str:
    used = "; ".join(f"{name} {size / MB:.0f} MB" for name, size in figures.memory.items())
    text = f"  Memory at the peak, without weights: {used}."
    if figures.memory.get(REFERENCE):
        text += f" A frame needs {_ratio(figures.memory[WHOLE], figures.memory[REFERENCE])} of the reference."
    return text + "\n"


def _differences(figures: Figures) -> str:
    return "".join(
        f"  The picture of the {name} differs by {value:.1e} (norm of the difference over that of the picture).\n"
        for name, value in figures.difference.items()
    )


def _near(figures: Figures, task: str) -> str:
    if task not in figures.previews:
        return ""
    near, raw = figures.previews[task]
    return f"{near:.1f} ({raw:.1f}) of 255"


def _ratio(a: float, b: float) -> str:
    return f"{a / b:.3f}" if b and a < 0.1 * b else f"{a / b:.2f}" if b else "-"
