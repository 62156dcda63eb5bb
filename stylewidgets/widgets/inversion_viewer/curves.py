"""The curves of the losses, drawn as SVG text: light enough to be drawn anew while the run goes on."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 560, 200
LEFT, RIGHT, TOP, BOTTOM = 48, 8, 8, 22
POINTS = 240
COLOURS = ("#3b82d9", "#e0682f", "#2f9e62", "#b0529e", "#b58a00", "#8a7bd8", "#7d8590")
"""Read on white and on black."""


MAIN = ("perceptual", "distance", "loss")
"""The term that is shown alone: the first of these that a run has."""


def curves(history: Sequence[Mapping[str, float]], total: int, whole: bool = True) -> str:
    """The terms of a run over its steps, on a logarithmic scale, with a legend that gives the last values.

    Args:
        history: the terms of each step; values that are not above 0 have no logarithm and are left out.
        total: steps planned; the axis reaches that far.
        whole: all terms; else the one that says most of how alike the pictures look.
    """
    names = list(dict.fromkeys(name for terms in history for name in terms))
    if not whole:
        names = [next((name for name in MAIN if name in names), *names[:1])] if names else []
    every = max(1, len(history) // POINTS)
    steps = sorted({*range(0, len(history), every), *([len(history) - 1] if history else [])})
    lines = {
        name: [(k + 1, float(history[k][name])) for k in steps if _positive(history[k].get(name))] for name in names
    }
    lines = {name: points for name, points in lines.items() if points}
    if not lines:
        return '<div class="sw-note">How far the result is from the target is drawn here while a run goes on.</div>'
    values = [value for points in lines.values() for _, value in points]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)
    last = max(total, len(history), 2)

    def x(step: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (step - 1) / (last - 1)

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - math.log10(value)) / (high - low)

    parts = [_grid(low, high, y), _axis(last, x)]
    for k, points in enumerate(lines.values()):
        path = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in points)
        width = 2.2 if k == 0 else 1.4
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{COLOURS[k % len(COLOURS)]}" stroke-width="{width}"/>'
        )
    words = "; ".join(f"{name} {points[-1][1]:.3g}" for name, points in lines.items())
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="losses at step {len(history)}: {html.escape(words)}" '
        f'style="width:100%;max-width:{WIDTH}px;height:auto;color:var(--jp-ui-font-color1, currentColor)">{"".join(parts)}</svg>'
        + _legend(lines)
    )


def _positive(value: float | None) -> bool:
    return value is not None and math.isfinite(value) and value > 0


def _grid(low: int, high: int, y: object) -> str:
    every = max(1, -(-(high - low) // 6))
    made = []
    for power in range(low, high + 1, every):
        place = y(10.0**power)  # type: ignore[operator]
        made.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{place:.1f}" y2="{place:.1f}" stroke="currentColor" opacity=".18"/>'
            f'<text x="{LEFT - 4}" y="{place + 4:.1f}" text-anchor="end" font-size="11" fill="currentColor">'
            f"{_power(power)}</text>"
        )
    return "".join(made)


def _power(power: int) -> str:
    return f"{10.0**power:g}" if -4 <= power <= 4 else f"1e{power}"


def _axis(last: int, x: object) -> str:
    made = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        step = 1 + round(share * (last - 1))
        anchor = "start" if share == 0 else "end" if share == 1 else "middle"
        text = f"{step} steps" if share == 1 else str(step)
        made.append(
            f'<text x="{x(step):.1f}" y="{HEIGHT - 6}" text-anchor="{anchor}" font-size="11" '  # type: ignore[operator]
            f'fill="currentColor">{text}</text>'
        )
    return "".join(made)


def _legend(lines: Mapping[str, Sequence[tuple[int, float]]]) -> str:
    entries = "".join(
        f'<span style="margin-right:14px;white-space:nowrap"><span style="display:inline-block;width:14px;height:3px;'
        f'vertical-align:middle;margin-right:4px;background:{COLOURS[k % len(COLOURS)]}"></span>'
        f"{html.escape(name)} {points[-1][1]:.3g}</span>"
        for k, (name, points) in enumerate(lines.items())
    )
    return f'<div class="sw-note">{entries}</div>'
