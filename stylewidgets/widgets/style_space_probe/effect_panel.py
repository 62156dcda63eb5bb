"""The effect of one channel: pictures below, at and above its value, where it changes them, and its numbers."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

import ipywidgets as widgets
import numpy as np
from numpy.typing import NDArray

from ..kit.compat import set_tooltip
from ..kit.controls.heat import heat_over, histogram_svg, png
from ..kit.controls.rows import Row, Rows
from ..kit.parts import LABEL, WIDE, button, column, control, note, quiet, row, say
from ..kit.sharing import shared_layout

if TYPE_CHECKING:
    from .search import Histogram


SIDE = 112
"""Css pixels of a picture."""

REACHES = (1.0, 3.0, 5.0, 10.0)
"""Sigmas below and above; the paper's figures go to 10 and beyond."""

STRENGTH = 10.0
STEP = 0.1


class StrengthSlider(widgets.VBox):
    """Name and strength of the selected channel.

    Args:
        on_strength: called with sigmas while the slider moves.
        on_name: called with a text such as "6_501" that was typed.
    """

    def __init__(self, on_strength: Callable[[float], None], on_name: Callable[[str], None]) -> None:
        self._box = control(
            widgets.Text,
            tip="layer_channel, as in the StyleSpace paper; Enter selects it",
            on=lambda text: on_name(text) if text.strip() else None,
            style=LABEL,
            layout={"width": "170px"},
            placeholder="6_50",
            description="channel",
            continuous_update=False,
        )
        self.rows = Rows(
            [_row("", 0.0, enabled=False)],
            on_change=lambda _, sigmas: on_strength(sigmas),
            label="Strength of the selected channel",
            mark="stylewidgets-strength",
        )
        super().__init__([self.rows, self._box], layout=shared_layout(**WIDE))

    def update(self, name: str, strength: float, enabled: bool) -> None:
        """Show this channel and strength."""
        with quiet(self._box):
            self._box.value = name
        self.rows.update([_row(name, strength, enabled)])


def _row(channel: str, strength: float, enabled: bool) -> Row:
    tip = "added to the selected channel, in standard deviations of it over many samples"
    low, high = min(-STRENGTH, math.floor(strength)), max(STRENGTH, math.ceil(strength))
    return Row("strength", channel or "strength", strength, low, high, STEP, "σ", tip, open_ended=True, enabled=enabled)


class EffectPanel(widgets.VBox):
    """What `probe_panels` fills: pictures, heat map, histogram and score table of the selected channel.

    Args:
        on_reach: called when other strengths are chosen for the pictures.
        on_pick: called with the sigmas of a picture that was clicked through its button.
    """

    def __init__(self, on_reach: Callable[[], None], on_pick: Callable[[float], None]) -> None:
        self._on_pick = on_pick
        self.pictures: NDArray[np.uint8] | None = None
        self.heat: NDArray[np.float32] | None = None
        self._reach = control(
            widgets.Dropdown,
            tip="how far the outer pictures are from the middle one",
            on=lambda _: on_reach(),
            style=LABEL,
            layout={"width": "170px"},
            options=[(f"± {reach:g} σ", reach) for reach in REACHES],
            value=REACHES[1],
            description="shown",
        )
        self._note = note("select a channel on the map")
        super().__init__([self._reach, self._note], layout=shared_layout(**WIDE))

    @cached_property
    def _images(self) -> list[widgets.Image]:
        """The three pictures and the heat map, made with all that stands around them when there is something to show."""
        square = {"width": f"{SIDE}px", "height": f"{SIDE}px", "object_fit": "contain"}
        images = [control(widgets.Image, layout=square, format="png") for _ in range(4)]
        low = {"height": "24px", "max_width": f"{SIDE}px"}
        self._uses = [button("", "", partial(self._use, k), layout=low) for k in range(3)]
        captions = [*self._uses, note("where it changes")]
        cells = [
            column(image, caption, align_items="center", margin="2px 6px 2px 0")
            for image, caption in zip(images, captions, strict=True)
        ]
        self._histogram = control(widgets.HTML, layout={"flex": "1 1 240px", "max_width": "340px"})
        self._scores = control(widgets.HTML, layout={"flex": "1 1 200px"})
        words = row(self._histogram, self._scores, align_items="flex-start")
        self.children += (row(*cells, align_items="flex-start"), words)
        return images

    @property
    def sigmas(self) -> tuple[float, float, float]:
        """What is added to the channel in the three pictures, in sigma."""
        reach = float(self._reach.value)
        return -reach, 0.0, reach

    def show_effect(
        self, pictures: NDArray[np.uint8], heat: NDArray[np.floating], sigmas: Sequence[float], name: str
    ) -> None:
        """Show pictures uint8 [3, H, W, 3] and the heat map [h, w] over the middle one."""
        self.pictures, self.heat = pictures, np.asarray(heat, np.float32)
        shown = [*pictures, heat_over(pictures[1], self.heat)]
        for image, picture in zip(self._images, shown, strict=True):
            image.value = png(picture, SIDE)
        for use, sigma in zip(self._uses, sigmas, strict=True):
            use.description = f"{sigma:+g} σ" if sigma else "0"
            set_tooltip(use, f"set {name} to {sigma:+g} σ")
        say(self._note, "")

    def show_numbers(
        self, histogram: Histogram | None, present: float, start: float, scores: Mapping[str, str], name: str
    ) -> None:
        """Show the distribution with the value marked, and a table of scores."""
        self._images  # noqa: B018  made now, if it was not before
        if histogram is not None:
            words = f"distribution of {name}: present value {present:+.2f} σ, without the edit {start:+.2f} σ"
            drawing = histogram_svg(*histogram, present, start, html.escape(words))
            self._histogram.value = f'<div class="sw-note">samples by value in σ; orange: now</div>{drawing}'
        lines = "".join(
            f'<tr><th scope="row" style="text-align:left;font-weight:normal;padding-right:10px">{html.escape(label)}</th>'
            f'<td style="text-align:right;font-variant-numeric:tabular-nums">{html.escape(value)}</td></tr>'
            for label, value in scores.items()
        )
        label = f"scores of {html.escape(name)}"
        self._scores.value = f'<table class="sw-caption" style="text-align:left" aria-label="{label}">{lines}</table>'

    def _use(self, number: int) -> None:
        if self.pictures is not None:
            self._on_pick(self.sigmas[number])
