"""A still picture to paint a region on."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets
import numpy as np
from ipycanvas import MultiCanvas
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from ..parts import button, control, row
from ..sharing import shared_layout
from ..views.canvas import LEAVE_STYLE, drawing, listen_to_strokes, release_focus

SIDE = 256
"""Css pixels, and pixels of the canvas and its mask."""

COLOUR = (255, 214, 0)
ALPHA = 150


class PaintPad(widgets.VBox):
    """A picture below, a brush above. `mask` is what was painted.

    Mouse and finger paint. Without them, two sliders choose a box. After a reload the page gets
    picture and paint again.

    Args:
        on_change: called with nothing when a stroke ends, or the paint was changed otherwise.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._mask = np.zeros((SIDE, SIDE), bool)
        self._picture = np.zeros((SIDE, SIDE, 3), np.uint8)
        self._last: tuple[float, float] | None = None
        self.canvas = self._make_canvas()
        self._size = control(
            widgets.IntSlider,
            28,
            tip="width of the brush in pixels of the page",
            style={"description_width": "40px"},
            layout={"width": "130px", "flex": "1 1 120px"},
            min=4,
            max=80,
            description="brush",
        )
        self._erase = control(
            widgets.ToggleButton, tip="the brush takes paint away", layout={"width": "64px"}, description="erase"
        )
        self._box_x, self._box_y = self._make_range("across"), self._make_range("down")
        fill = button("paint this box", "paint the box of the two sliders: painting without a mouse", self._fill_box)
        super().__init__(
            [
                self.canvas,
                row(self._size, self._erase, button("clear", "take all paint away", self.clear, "60px")),
                row(self._box_x, self._box_y, fill),
                control(widgets.HTML, LEAVE_STYLE, layout={"display": "none"}),
            ],
            layout=shared_layout(width=f"{SIDE + 8}px", max_width="100%"),
        )

    # -- what others use -----------------------------------------------------------------------------------------------
    @property
    def mask(self) -> NDArray[np.bool_]:
        """What is painted, bool [SIDE, SIDE]. Assign any [h, w] to paint that."""
        return self._mask.copy()

    @mask.setter
    def mask(self, mask: ArrayLike) -> None:
        array = np.asarray(mask)
        if array.ndim != 2 or array.size == 0:
            raise ValueError(f"a mask has shape [height, width]; {list(array.shape)} was given")
        image = Image.fromarray((array != 0).astype(np.uint8) * 255).resize((SIDE, SIDE), Image.Resampling.NEAREST)
        self._mask = np.asarray(image) > 127
        self._draw()

    def mask_at(self, height: int, width: int) -> NDArray[np.bool_]:
        """What is painted as bool [height, width]: pixels that are at least half covered, or the most covered one."""
        cover = np.asarray(
            Image.fromarray(self._mask.astype(np.float32), "F").resize((width, height), Image.Resampling.BOX)
        )
        made = cover >= 0.5
        return made if made.any() or not self._mask.any() else cover == cover.max()

    def show_picture(self, picture: NDArray[np.uint8]) -> None:
        """Put another picture uint8 [H, W, 3] under the paint."""
        image = Image.fromarray(picture)
        kind = Image.Resampling.NEAREST if max(image.size) < SIDE else Image.Resampling.LANCZOS
        self._picture = np.asarray(image.resize((SIDE, SIDE), kind))
        self._draw()

    def clear(self) -> None:
        """Take all paint away."""
        self._mask[:] = False
        self._draw()
        self._on_change()

    # -- building ------------------------------------------------------------------------------------------------------
    def _make_canvas(self) -> MultiCanvas:
        canvas = MultiCanvas(
            2, width=SIDE, height=SIDE, layout=widgets.Layout(width=f"{SIDE}px", height="auto", max_width="100%")
        )
        listen_to_strokes(canvas, self._on_down, self._on_move, self._on_up, self._draw)
        canvas.on_key_down(lambda key, *_: release_focus(canvas) if key in ("Tab", "Escape") else None)
        return canvas

    def _make_range(self, text: str) -> widgets.IntRangeSlider:
        return control(
            widgets.IntRangeSlider,
            tip=f"percent of the picture, {text}",
            style={"description_width": "46px"},
            layout={"width": "250px", "max_width": "100%"},
            value=(35, 65),
            min=0,
            max=100,
            description=text,
        )

    # -- painting ------------------------------------------------------------------------------------------------------
    def _on_down(self, x: float, y: float) -> None:
        self._last = (x, y)
        self._stroke((x, y))

    def _on_move(self, x: float, y: float) -> None:
        if self._last is not None:
            self._stroke((x, y))

    def _on_up(self) -> None:
        if self._last is not None:
            self._last = None
            self._draw()  # the edges of the stamps of one stroke overlap; the whole mask has none
            self._on_change()

    def _stroke(self, to: tuple[float, float]) -> None:
        """Paint from the last place to this one, in the mask and on the page."""
        assert self._last is not None
        radius = self._size.value / 2
        steps = max(1, int(np.hypot(to[0] - self._last[0], to[1] - self._last[1]) / max(1.0, radius / 2)))
        centres = [
            (self._last[0] + (to[0] - self._last[0]) * k / steps, self._last[1] + (to[1] - self._last[1]) * k / steps)
            for k in range(1, steps + 1)
        ]
        self._last = to
        rows, columns = np.ogrid[:SIDE, :SIDE]
        for x, y in centres:
            self._mask[(columns + 0.5 - x) ** 2 + (rows + 0.5 - y) ** 2 <= radius**2] = not self._erase.value
        with drawing():
            layer = self.canvas[1]
            for x, y in centres:
                layer.global_composite_operation = "destination-out"
                layer.fill_style = "#000"
                layer.fill_circle(x, y, radius)
                if not self._erase.value:
                    layer.global_composite_operation = "source-over"
                    layer.fill_style = f"rgba({COLOUR[0]}, {COLOUR[1]}, {COLOUR[2]}, {ALPHA / 255:.2f})"
                    layer.fill_circle(x, y, radius)
            layer.global_composite_operation = "source-over"

    def _fill_box(self) -> None:
        (left, right), (top, bottom) = (
            [round(v * SIDE / 100) for v in box.value] for box in (self._box_x, self._box_y)
        )
        self._mask[top : max(bottom, top + 1), left : max(right, left + 1)] = not self._erase.value
        self._draw()
        self._on_change()

    def _draw(self) -> None:
        paint = np.zeros((SIDE, SIDE, 4), np.uint8)
        paint[self._mask] = (*COLOUR, ALPHA)
        with drawing():
            self.canvas[0].put_image_data(self._picture, 0, 0)
            self.canvas[1].clear()
            self.canvas[1].put_image_data(paint, 0, 0)
