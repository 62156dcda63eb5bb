"""Shift, rotation and scale of the picture, for generators that can do so."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import ipywidgets as widgets

from ....latent.latent import IDENTITY, Latent, Transform
from ..compat import button, set_tooltip
from ..parts import Change, note, row, say, show, slider

SHIFT, TURN, OCTAVES = 1.0, 180.0, 2.0
"""Sliders reach so many picture widths, degrees and doublings either way; a value beyond widens its own slider."""

CLOSED, OPEN = "▸ transform", "▾ transform"
_NAMES = ("x", "y", "angle", "scale")


def describe_transform(transform: Transform) -> str:
    """Return a few words: "" for none, else such as "x 0.25, 30°"."""
    parts = [f"{name} {value:.2f}" for name, value in (("x", transform.x), ("y", transform.y)) if value]
    parts += [f"{transform.angle:g}°"] if transform.angle else []
    parts += [f"× {transform.scale:.2f}"] if transform.scale != 1 else []
    return ", ".join(parts)


class TransformControls(widgets.VBox):
    """A line that says how the picture is moved; a click on it opens sliders for x, y, angle and scale."""

    def __init__(self, change: Change) -> None:
        self._change = change
        self._toggle = button(CLOSED, "shift, turn and scale the picture inside the network", self._flip, "110px")
        self._reset = button("↺", "put the picture back to where it was", self._put_back, "30px")
        self._reset.layout.padding = "0"
        self._about = note("")
        self._sliders: dict[str, Any] = {
            "x": slider(widgets.FloatSlider, "x", min=-SHIFT, max=SHIFT, step=0.01, readout_format=".2f"),
            "y": slider(widgets.FloatSlider, "y", min=-SHIFT, max=SHIFT, step=0.01, readout_format=".2f"),
            "angle": slider(widgets.FloatSlider, "angle", min=-TURN, max=TURN, step=1.0, readout_format=".0f"),
            "scale": slider(
                widgets.FloatLogSlider,
                "scale",
                value=1.0,
                base=2,
                min=-OCTAVES,
                max=OCTAVES,
                step=0.02,
                readout_format=".2f",
            ),
        }
        tips = (
            "to the right, in picture widths",
            "down, in picture widths",
            "degrees against the clock",
            "2 is twice as large; what comes into sight below 1 is drawn, too",
        )
        for name, tip in zip(_NAMES, tips, strict=True):
            set_tooltip(self._sliders[name], tip)
            self._sliders[name].observe(lambda event, name=name: self._set(name, float(event["new"])), "value")
        self._body = widgets.VBox(list(self._sliders.values()), layout=widgets.Layout(display="none", width="100%"))
        super().__init__(
            [row(self._toggle, self._reset, self._about), self._body],
            layout=widgets.Layout(max_width="100%", width="100%"),
        )
        self.update(Latent())

    @property
    def expanded(self) -> bool:
        """Whether the sliders are in sight. Assign to show or hide them."""
        return bool(self._body.layout.display != "none")

    @expanded.setter
    def expanded(self, wanted: bool) -> None:
        show(self._body, wanted)
        self._toggle.description = OPEN if wanted else CLOSED

    def update(self, latent: Latent) -> None:
        """Bring the controls to `latent`."""
        transform = latent.transform
        for name in _NAMES:
            _place(self._sliders[name], getattr(transform, name))
        say(self._about, describe_transform(transform))
        self._reset.disabled = transform == IDENTITY

    # -- events ------------------------------------------------------------------------------------------------------
    def _flip(self) -> None:
        self.expanded = not self.expanded

    def _put_back(self) -> None:
        self._change("", lambda latent: latent.replace(transform=IDENTITY))

    def _set(self, name: str, value: float) -> None:
        change: dict[str, Any] = {name: value}
        self._change(f"transform {name}", lambda latent: latent.replace(transform=replace(latent.transform, **change)))


def _place(control: Any, value: float) -> None:
    """Move a slider; widen it first, or it would clip. Never narrow: it may be under somebody's hand."""
    at = math.log2(value) if isinstance(control, widgets.FloatLogSlider) else value
    reach = float(math.ceil(abs(at)))
    if reach > control.max:
        control.min, control.max = -reach, reach
    control.value = value
