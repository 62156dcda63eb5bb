"""A pad on which dragging walks from face to face."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

import ipywidgets as widgets

from ...kit.parts import button, control, quiet, row
from ...kit.sharing import shared_layout
from ...kit.views.canvas import LEAVE_STYLE, listen_to_strokes, release_focus
from . import seed_lattice as lattice
from .seed_lattice import Blend, PadView
from .seed_pad_painter import PadPainter

KEY_STEPS = {"ArrowLeft": (-1, 0), "ArrowRight": (1, 0), "ArrowUp": (0, -1), "ArrowDown": (0, 1)}
SNAP_PIXELS = 4


class SeedPad(widgets.VBox):
    """An endless lattice of seeds; the position mixes the four seeds around it.

    Press or drag on the pad (mouse or finger), use the arrow buttons, or type a position. Every change calls
    `on_change(blend)` with (seed, weight) pairs whose weights sum to 1. While one call runs, only the newest position
    is kept for the next, so a slow callback never builds a queue.

    `seed` is the seed at the origin; assigning it goes back there without a call.

    Raises ValueError when a position is not finite.
    """

    def __init__(
        self, on_change: Callable[[Blend], None], seed: int = 0, *, width: int = 300, height: int = 220, cell: int = 60
    ) -> None:
        self._on_change = on_change
        self._seed = int(seed)
        self._position = (0.0, 0.0)
        self._view = PadView(width, height, cell)
        self._trail: deque[tuple[float, float]] = deque(maxlen=30)
        self._pressed = False
        self._mailbox_lock = threading.Lock()
        self._mailbox: Blend | None = None
        self._delivering = False
        self._status = control(widgets.HTML)
        self._painter = self._make_painter()
        self._x, self._y = self._make_box("x", "right"), self._make_box("y", "down")
        super().__init__(self._make_children(), layout=shared_layout(max_width="100%"))
        self._refresh()

    # -- what others use --------------------------------------------------------------------------------------------

    @property
    def blend(self) -> Blend:
        """The (seed, weight) pairs at the current position."""
        return lattice.blend_at(*self._position, self._seed)

    @property
    def position(self) -> tuple[float, float]:
        """The current position in lattice steps: x to the right, y downwards, (0, 0) at `seed`."""
        return self._position

    @property
    def seed(self) -> int:
        """The seed at the origin."""
        return self._seed

    @seed.setter
    def seed(self, seed: int) -> None:
        self._seed = int(seed)
        self._trail.clear()
        self._position = (0.0, 0.0)
        self._refresh()

    def move_to(self, x: float, y: float) -> None:
        """Go to a position and report it."""
        self._place(*lattice.clamp_position(x, y))
        self._refresh()
        self._report()

    def show_blend(self, blend: Blend) -> bool:
        """Go, without a call, to where this blend lies (after an undo, say); False when it is nowhere here."""
        found = lattice.locate(blend, self._seed) if blend else None
        if found is not None and found != self._position:
            self._trail.clear()
            self._position = found
            self._refresh()
        return found is not None

    # -- building ---------------------------------------------------------------------------------------------------

    def _make_painter(self) -> PadPainter:
        painter = PadPainter(self._view)
        listen_to_strokes(painter.canvas, self._on_down, self._on_move, self._on_up, self._draw)
        painter.canvas.on_key_down(self._on_key)
        return painter

    def _make_box(self, name: str, way: str) -> widgets.Widget:
        return control(
            widgets.BoundedFloatText,
            tip=f"position on the pad, {way}, in steps from seed to seed",
            on=lambda _: self._on_box(),
            style={"description_width": "18px"},
            layout={"width": "110px"},
            description=name,
            min=-lattice.LIMIT,
            max=lattice.LIMIT,
            step=0.1,
        )

    def _make_children(self) -> Sequence[widgets.Widget]:
        steps = [
            button(face, f"walk {way} by a quarter of a step", partial(self._step, dx, dy), "34px")
            for face, way, dx, dy in (
                ("←", "left", -0.25, 0.0), ("→", "right", 0.25, 0.0), ("↑", "up", 0.0, -0.25), ("↓", "down", 0.0, 0.25)
            )
        ]  # fmt: skip
        centre = button("centre", "back to the seed in the middle", lambda: self.move_to(0.0, 0.0))
        style = control(widgets.HTML, LEAVE_STYLE, layout={"display": "none"})
        return [self._painter.canvas, row(self._x, self._y, *steps, centre), self._status, style]

    # -- events -----------------------------------------------------------------------------------------------------

    def _on_down(self, px: float, py: float) -> None:
        self._pressed = True
        self._follow(px, py)

    def _on_move(self, px: float, py: float) -> None:
        if self._pressed:
            self._follow(px, py)

    def _on_up(self) -> None:
        if self._pressed:
            self._pressed = False
            self._refresh()
            self._report()

    def _on_key(self, key: str, shift: bool = False, *_: bool) -> None:
        if key in KEY_STEPS:
            size = 1.0 if shift else 0.1
            self._step(size * KEY_STEPS[key][0], size * KEY_STEPS[key][1])
        elif key in ("Tab", "Escape"):
            release_focus(self._painter.canvas)

    def _on_box(self) -> None:
        self.move_to(self._x.value, self._y.value)

    def _step(self, dx: float, dy: float) -> None:
        self.move_to(self._position[0] + dx, self._position[1] + dy)

    def _follow(self, px: float, py: float) -> None:
        """Bring the position under the pointer; the map itself stays until the pointer is lifted."""
        scale = self._painter.scale
        x, y = self._view.to_position(px / scale, py / scale)
        position = lattice.snap(x, y, SNAP_PIXELS / self._view.cell)
        if position != self._position:
            self._place(*position)
            self._painter.draw_walk(self._view, self._position, self._trail, self._seed)
            self._status.value = lattice.describe(self.blend)
            self._report()

    # -- state to screen, state to callback --------------------------------------------------------------------------

    def _place(self, x: float, y: float) -> None:
        self._trail.append(self._position)
        self._position = (x, y)

    def _refresh(self) -> None:
        """Bring boxes, text and drawing up to date, and the map under the position when that nears the border."""
        x, y = self._position
        if self._view.needs_centring(x, y):
            self._view = self._view.centred(x, y)
        with quiet(self._x, self._y):
            self._x.value, self._y.value = x, y
        self._status.value = lattice.describe(self.blend)
        self._draw()

    def _draw(self) -> None:
        self._painter.draw_all(self._view, self._position, self._trail, self._seed)

    def _report(self) -> None:
        with self._mailbox_lock:
            self._mailbox = self.blend
            if self._delivering:
                return  # the call that is running picks it up
            self._delivering = True
        try:
            while (blend := self._take()) is not None:
                self._on_change(blend)
        except BaseException:
            self._delivering = False
            raise

    def _take(self) -> Blend | None:
        with self._mailbox_lock:
            blend, self._mailbox = self._mailbox, None
            self._delivering = blend is not None
            return blend
