"""Paint on a picture, on the page.

Messages (JSON), browser -> kernel::

    {"type": "stroke", "colour": "#rrggbb", "width", "points": [[x, y], …]}   shares of the side, 0 to 1
    {"type": "undo"}     {"type": "clear"}
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import traitlets
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ...widgets.kit.views.esm import script, style
from ...widgets.kit.views.page import Message, Messages, PageView

_HERE = Path(__file__).parent
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
POINTS = 5000
"""Of one stroke."""
Stroke = dict[str, Any]
FINER = 4
"""Strokes are drawn so many times larger and made smaller again: smooth edges."""


class EaselView(PageView):
    """A picture and what was painted on it. Callbacks: on_stroke(stroke), on_undo(), on_clear()."""

    _esm = script() + (_HERE / "easel.js").read_text(encoding="utf-8")
    _css = style("parts.css") + (_HERE / "easel.css").read_text(encoding="utf-8")
    MESSAGES: ClassVar[Messages] = {
        "stroke": lambda message: (read_stroke(message),),
        "undo": lambda message: (),
        "clear": lambda message: (),
    }
    on_stroke: Callable[[Stroke], object] | None = None
    on_undo: Callable[[], object] | None = None
    on_clear: Callable[[], object] | None = None

    background: Any = traitlets.Bytes().tag(sync=True, echo_update=False)
    """The encoded picture under the paint."""
    strokes: Any = traitlets.List().tag(sync=True, echo_update=False)
    """What was painted, the oldest first."""


def read_stroke(message: Message) -> Stroke:
    """A stroke as it comes from the page, checked. ValueError, KeyError or TypeError for anything else."""
    colour, points = str(message["colour"]), np.asarray(message["points"], np.float64)
    if not _COLOUR.fullmatch(colour) or points.ndim != 2 or points.shape[1] != 2 or not 0 < len(points) <= POINTS:
        raise ValueError("a stroke has a colour such as #d02090 and points [[x, y], …]")
    if not bool(np.isfinite(points).all()):
        raise ValueError("the points of a stroke are finite")
    width = float(np.clip(float(message["width"]), 0.005, 0.5))
    return {"colour": colour, "width": width, "points": np.clip(points, -0.5, 1.5).round(4).tolist()}


def painted(picture: NDArray[np.uint8], strokes: list[Stroke]) -> NDArray[np.uint8]:
    """A picture [H, W, 3] with strokes on it."""
    if not strokes:
        return picture
    height, width = picture.shape[:2]
    large = Image.fromarray(picture).resize((width * FINER, height * FINER), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(large)
    for stroke in strokes:
        points = [(x * large.width, y * large.height) for x, y in stroke["points"]]
        radius = stroke["width"] * large.width / 2
        if len(points) > 1:
            pen.line(points, fill=stroke["colour"], width=max(1, round(2 * radius)), joint="curve")
        for x, y in (points[0], points[-1]):
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=stroke["colour"])
    return np.asarray(large.resize((width, height), Image.Resampling.BOX))
