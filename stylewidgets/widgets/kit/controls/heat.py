"""Small pictures of the effect of a channel: heat over a picture, a histogram as SVG, a strip of PNGs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ....core.pictures import encoded

_STOPS = np.array([[27, 20, 54], [91, 42, 134], [181, 54, 122], [242, 112, 90], [253, 230, 162]], np.float64)
"""The sequential colours of the map, dark to light."""

HEIGHT = 70


def coloured(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return numbers in 0..1, [H, W], as colours uint8 [H, W, 3]."""
    at = np.clip(values, 0, 1) * (len(_STOPS) - 1)
    low = np.minimum(at.astype(int), len(_STOPS) - 2)
    part = (at - low)[..., None]
    return np.round(_STOPS[low] * (1 - part) + _STOPS[low + 1] * part).astype(np.uint8)


def heat_over(picture: NDArray[np.uint8], heat: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return a heat map [h, w] over a picture uint8 [H, W, 3]: the grey picture shows through where nothing changes."""
    peak = float(np.max(heat)) if heat.size else 0.0
    scaled = np.asarray(heat, np.float32) / peak if peak > 0 else np.zeros_like(heat, np.float32)
    height, width = picture.shape[:2]
    if scaled.shape != (height, width):
        scaled = np.asarray(Image.fromarray(scaled, "F").resize((width, height), Image.Resampling.BILINEAR))
    grey = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2)
    share = (0.35 + 0.65 * np.clip(scaled, 0, 1))[..., None]
    return np.round(grey * (1 - share) * 0.8 + coloured(scaled) * share).astype(np.uint8)


def png(picture: NDArray[np.uint8], side: int | None = None) -> bytes:
    """Return a picture as PNG, enlarged to at least `side` pixels without smoothing pixels away."""
    image = Image.fromarray(picture)
    if side is not None and max(image.size) > 2 * side:
        image.thumbnail((2 * side, 2 * side), Image.Resampling.BOX)
    return encoded(image, "PNG")


def histogram_svg(
    counts: NDArray[np.int64], edges: NDArray[np.floating], present: float, start: float | None = None, words: str = ""
) -> str:
    """Return the distribution of a channel as SVG in the colours of the theme, with the present value marked.

    Args:
        counts, edges: as numpy.histogram gives them; edges in sigma.
        present: the value to mark, in sigma.
        start: the value before the edit, marked by a dashed line.
        words: for screen readers.
    """
    counts = np.asarray(counts, float)
    low, high = min(float(edges[0]), present), max(float(edges[-1]), present)
    span = (high - low) or 1.0
    width = 300.0

    def x(value: float) -> float:
        return (value - low) / span * width

    tallest = counts.max() or 1.0
    bars = "".join(
        f'<rect x="{x(left):.1f}" width="{max(0.5, x(right) - x(left) - 0.6):.1f}" '
        f'y="{HEIGHT - count / tallest * (HEIGHT - 8):.1f}" height="{count / tallest * (HEIGHT - 8):.1f}"/>'
        for count, left, right in zip(counts, edges[:-1], edges[1:], strict=True)
    )
    marks = "" if start is None else _line(x(start), 'stroke-dasharray="3 3" stroke="currentColor"')
    marks += _line(x(present), 'stroke="#d9480f" stroke-width="2.5"')
    ticks = "".join(
        f'<text x="{min(max(x(value), 8), width - 8):.1f}" y="{HEIGHT + 13}" text-anchor="middle" font-size="11" '
        f'fill="currentColor">{value:g}</text>'
        for value in _ticks(low, high)
    )
    return (
        f'<svg role="img" aria-label="{words}" viewBox="0 0 {width:.0f} {HEIGHT + 18}" '
        'style="width:100%;max-width:340px;height:auto;color:var(--jp-ui-font-color1,inherit)">'
        f'<g fill="#5b8def" fill-opacity="0.75">{bars}</g>'
        f'<line x1="0" x2="{width:.0f}" y1="{HEIGHT}" y2="{HEIGHT}" stroke="currentColor" stroke-opacity="0.5"/>'
        f"{marks}{ticks}</svg>"
    )


def _line(x: float, style: str) -> str:
    return f'<line x1="{x:.1f}" x2="{x:.1f}" y1="2" y2="{HEIGHT}" {style}/>'


def _ticks(low: float, high: float) -> list[float]:
    step = max(1.0, float(np.ceil((high - low) / 8)))
    return [float(v) for v in np.arange(np.ceil(low / step) * step, high + 1e-9, step)]
