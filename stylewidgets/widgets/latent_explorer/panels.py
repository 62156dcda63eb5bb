"""The controls of the LatentExplorer and where they stand."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ... import domain
from ...latent.latent import Latent, Transform
from ..kit.compat import button
from ..kit.controls.compare import HoldToCompare
from ..kit.controls.direction_picker import DirectionPicker
from ..kit.controls.direction_rows import DirectionRows
from ..kit.controls.snapshots import SnapshotStrip
from ..kit.controls.source_controls import SourceControls, main_seed, start_from
from ..kit.controls.transform_controls import TransformControls
from ..kit.errors import reporting
from ..kit.parts import STYLE, close_tree, column, heading, note, row
from ..kit.state_lock import STATE
from ..kit.state_panel import StatePanel
from ..kit.switcher import Switcher
from .tools.animation import Animator
from .tools.edit_truth import EditTruth
from .tools.seed_pad import SeedPad

if TYPE_CHECKING:
    from .explorer import LatentExplorer

THUMBNAIL = 96
STEPS = 24
DIRECTIONS, WALK, HISTORY, ANIMATE, SAVE = "Directions", "Walk", "History", "Animate", "Save & code"


class ExplorerPanels:
    """Builds the controls, moves them to a latent, and passes what people do to the explorer.

    `root` is the whole layout: the picture with its buttons, and the panels beside it or, on a narrow screen, below.
    """

    def __init__(self, explorer: LatentExplorer) -> None:
        self._explorer = explorer
        session, view = explorer.session, explorer.view
        self._source = SourceControls(
            session.num_ws, explorer.change, session.c_dim, session.metadata.get("classes") or ()
        )
        self._transform = TransformControls(explorer.change) if session.view_kind is Transform else None
        self._rows = DirectionRows(session.num_ws, explorer.change)
        self._picker = DirectionPicker(
            lambda: explorer.directions,
            lambda latents, side: session.images(latents, resolution=side),
            lambda: explorer.value,
            self._add,
            view,
        )
        self.snapshots = SnapshotStrip(self._thumbnail, self._restore)
        # Pictures of the steps wait here until somebody looks: their widgets would hold up the first frame of a drag.
        self._left: deque[tuple[Latent, bytes]] = deque(maxlen=STEPS)
        self._steps = SnapshotStrip(
            self._step_picture, self._restore, STEPS, newest_first=True, movable=False, empty="nothing has changed yet"
        )
        self.compare = HoldToCompare(explorer.picture, view, lambda: explorer.value, self._restore, explorer.value)
        self.truth: EditTruth | None = None
        known = domain.of(session)
        if known is not None and known.observe is not None and known.describe is not None:
            render = explorer.picture.render
            self.truth = EditTruth(view, lambda: self.compare.start, render, known.observe, known.describe)
            explorer.picture.on_rest = self._rested
        self._undo = self._button("undo", "one step back (key z)", explorer.undo)
        self._redo = self._button("redo", "one step forward (key y)", explorer.redo)
        actions = row(
            self._undo,
            self._redo,
            self._button("snapshot", "keep this state in the history (key s)", explorer.snapshot),
            self.compare,
        )
        self._switcher = Switcher(
            {
                DIRECTIONS: lambda: column(
                    self._rows, *([self.truth] if self.truth else []), self._picker, width="100%"
                ),
                WALK: self._make_walk,
                HISTORY: self._make_history,
                ANIMATE: self._make_animator,
                SAVE: self._make_state,
            },
            self._on_panel,
        )
        # As wide as the picture: its buttons wrap rather than push the controls below it.
        left = column(view, actions, flex="0 1 auto", width=f"{view.size + 4}px", margin="0 12px 0 0")
        right = column(
            heading("Source"),
            self._source,
            *([self._transform] if self._transform is not None else []),
            self._switcher,
            flex="1 1 400px",
            min_width="0",
            width="auto",
        )
        style = widgets.HTML(STYLE, layout=widgets.Layout(display="none"))
        self.root = widgets.VBox([style, row(left, right, align_items="flex-start", width="100%")])

    def update(self, latent: Latent, can_undo: bool, can_redo: bool) -> None:
        """Move every control to `latent`."""
        self._source.update(latent)
        if self._transform is not None:
            self._transform.update(latent)
        self._rows.update(latent)
        if self.truth is not None:
            self.truth.update(latent)
        self._undo.disabled, self._redo.disabled = not can_undo, not can_redo
        pad = self._switcher.made(WALK)
        if pad is not None:
            _place_pad(pad, latent)
        self._refresh_code()

    def leaving(self, latent: Latent) -> None:
        """Keep the state that a new step leaves, with the picture as it is now."""
        self._left.append((latent, self._explorer.picture.thumbnail(latent, THUMBNAIL)))
        if self._switcher.selected == HISTORY:
            STATE.afterwards("steps", self._fill_steps)

    def close(self) -> None:
        """Close the panels that are not in the tree at present."""
        self._switcher.close_panels()
        close_tree(self.snapshots, self._steps)

    # -- panels made when they are chosen first ------------------------------------------------------------------------
    def _make_history(self) -> Any:
        keep = self._button("snapshot", "keep this state (key s)", self._explorer.snapshot)
        return column(row(note("snapshots"), keep), self.snapshots, note("where you were, newest first"), self._steps)

    def _make_walk(self) -> Any:
        pad = SeedPad(self._walk, seed=main_seed(self._explorer.value) or 0)
        _place_pad(pad, self._explorer.value)
        return pad

    def _make_animator(self) -> Any:
        explorer = self._explorer
        # Only the picture moves: the present state stays, so that it can be the other end of the film.
        animator = Animator(explorer.session, lambda: explorer.snapshots, lambda: explorer.value, explorer.preview)
        use = self._button("use this moment", "make the picture that is shown the present state", self._use_moment)
        return column(animator, row(use))

    def _make_state(self) -> Any:
        explorer = self._explorer
        return StatePanel(explorer.save, explorer.load, explorer.code, explorer.view)

    # -- what people do ------------------------------------------------------------------------------------------------
    def _button(self, text: str, tooltip: str, action: Any) -> widgets.Button:
        def guarded() -> None:
            with reporting(self._explorer.view):
                action()

        return button(text, tooltip, guarded)

    def _add(self, direction: Any) -> None:
        with reporting(self._explorer.view):
            self._explorer.add_direction(direction)

    def _walk(self, blend: tuple[tuple[int, float], ...]) -> None:
        source = {"seed": blend[0][0]} if len(blend) == 1 else {"blend": blend}
        conditional = self._explorer.session.c_dim > 0
        self._explorer.change("walk", lambda latent: start_from(latent, conditional, **source))

    def _restore(self, latent: Latent) -> None:
        self._explorer.change("", lambda _: latent)

    def _thumbnail(self, latent: Latent) -> bytes:
        return self._explorer.picture.thumbnail(latent, THUMBNAIL)

    def _step_picture(self, latent: Latent) -> bytes:
        return next((data for other, data in self._left if other == latent), b"") or self._thumbnail(latent)

    def _fill_steps(self) -> None:
        """Move what waits into the strip, each state once."""
        known = set(self._steps.items)
        for latent in dict.fromkeys(latent for latent, _ in self._left):
            if latent not in known:
                self._steps.add(latent)
        self._left.clear()

    def _use_moment(self) -> None:
        shown = self._explorer.picture.latent
        self._explorer.change("", lambda _: shown)

    def _rested(self, latent: Latent) -> None:
        # Not while another panel is in sight, and not of a moment of a film.
        if self.truth is not None and self._switcher.selected == DIRECTIONS and latent == self._explorer.value:
            self.truth.settled(latent)

    def _refresh_code(self) -> None:
        panel = self._switcher.made(SAVE)
        if panel is not None and self._switcher.selected == SAVE:
            panel.refresh()

    def _on_panel(self, name: str) -> None:
        if name == HISTORY:
            self._fill_steps()
        if name == DIRECTIONS and self._explorer.picture.latent is not None:
            self._rested(self._explorer.picture.latent)
        self._refresh_code()
        if name != ANIMATE and self._switcher.made(ANIMATE) is not None:
            self._explorer.preview(self._explorer.value)  # away from the film, back to the present state


def _place_pad(pad: SeedPad, latent: Latent) -> None:
    """Show on the pad where `latent` is; a seed that is nowhere near becomes the new centre."""
    seed = main_seed(latent)
    if seed is None:
        return
    blend = latent.blend or ((seed, 1.0),)
    if pad.blend != blend and not pad.show_blend(blend):
        pad.seed = seed
