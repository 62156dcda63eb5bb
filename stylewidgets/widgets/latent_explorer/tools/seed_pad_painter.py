"""What the walk pad looks like: the lattice on a lower canvas, marker and trail on an upper one."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import ipywidgets as widgets
from ipycanvas import Canvas, MultiCanvas

from ...kit.views.canvas import drawing
from .seed_lattice import PadView, blend_at, seed_at

# A canvas cannot read the theme's colours, so the pad is a panel of its own with colours that suit both themes.
GROUND, GRID, TEXT = "#2b3442", "#4b586b", "#dbe3ee"
TRAIL, NEAR, MARKER, RIM = "#8fb8ff", "#ffd27f", "#ffffff", "#10151d"
FONT = "11px sans-serif"


class PadPainter:
    """Draws the pad at twice its size in pixels, so that it is sharp on screens with a high pixel ratio."""

    scale = 2

    def __init__(self, view: PadView) -> None:
        self.canvas = MultiCanvas(
            2,
            width=view.width * self.scale,
            height=view.height * self.scale,
            layout=widgets.Layout(width=f"{view.width}px", height=f"{view.height}px", max_width="100%"),
        )

    def draw_all(
        self, view: PadView, position: tuple[float, float], trail: Iterable[tuple[float, float]], seed: int
    ) -> None:
        """Draw lattice, trail and marker as one message."""
        with drawing():
            self._lattice(self.canvas[0], view, seed)
            self._walk(self.canvas[1], view, position, trail, seed)

    def draw_walk(
        self, view: PadView, position: tuple[float, float], trail: Iterable[tuple[float, float]], seed: int
    ) -> None:
        """Draw only what changes while dragging."""
        with drawing():
            self._walk(self.canvas[1], view, position, trail, seed)

    def _start(self, layer: Canvas, view: PadView) -> None:
        layer.reset_transform()
        layer.scale(self.scale, self.scale)
        layer.clear_rect(0, 0, view.width, view.height)

    def _lattice(self, layer: Canvas, view: PadView, seed: int) -> None:
        self._start(layer, view)
        layer.fill_style = GROUND
        layer.fill_rect(0, 0, view.width, view.height)
        layer.stroke_style, layer.line_width = GRID, 1
        points = list(view.points())
        for i in sorted({i for i, _ in points}):
            x = view.to_pixels(i, 0)[0]
            layer.stroke_line(x, 0, x, view.height)
        for j in sorted({j for _, j in points}):
            y = view.to_pixels(0, j)[1]
            layer.stroke_line(0, y, view.width, y)
        layer.font, layer.text_align, layer.text_baseline = FONT, "center", "top"
        for i, j in points:
            x, y = view.to_pixels(i, j)
            layer.fill_style = TEXT
            layer.fill_circle(x, y, 3)
            label = str(seed_at(i, j, seed))
            layer.fill_style = GROUND  # the number stands on the ground, not on a grid line
            layer.fill_rect(x - 3.3 * len(label), y + 16, 6.6 * len(label), 12)
            layer.fill_style = TEXT
            layer.fill_text(label, x, y + 16)

    def _walk(
        self,
        layer: Canvas,
        view: PadView,
        position: tuple[float, float],
        trail: Iterable[tuple[float, float]],
        seed: int,
    ) -> None:
        self._start(layer, view)
        path = [view.to_pixels(*p) for p in [*trail, position]]
        layer.line_cap = "round"
        layer.stroke_style, layer.line_width = TRAIL, 2
        for number, (a, b) in enumerate(itertools.pairwise(path), 1):
            layer.global_alpha = number / len(path)
            layer.stroke_line(*a, *b)
        layer.global_alpha = 1.0
        x, y = view.to_pixels(*position)
        self._corners(layer, view, position, seed)
        layer.fill_style = RIM
        layer.fill_circle(x, y, 8)
        layer.fill_style = MARKER
        layer.fill_circle(x, y, 6)
        layer.fill_style = RIM
        layer.fill_circle(x, y, 2)

    def _corners(self, layer: Canvas, view: PadView, position: tuple[float, float], seed: int) -> None:
        """Circle the seeds that take part; a heavier seed has a larger circle."""
        weights = dict(blend_at(*position, seed))
        layer.stroke_style, layer.line_width = NEAR, 2
        for i, j in view.points():
            weight = weights.get(seed_at(i, j, seed))
            if weight is not None and max(abs(i - position[0]), abs(j - position[1])) < 1:
                layer.stroke_circle(*view.to_pixels(i, j), 5 + 9 * weight)
