"""Shift, rotation and scale of the picture, for generators that can do so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import ipywidgets as widgets

from ....latent.latent import IDENTITY, Latent, Transform
from ..parts import SMALL, WIDE, Change, button, move, note, row, say, slider
from ..sharing import shared_layout

SHIFT, TURN, OCTAVES = 1.0, 180.0, 2.0
"""Sliders reach so many picture widths, degrees and doublings either way; a value beyond widens its own slider."""

_TIPS = {
    "x": "to the right, in picture widths",
    "y": "down, in picture widths",
    "angle": "degrees against the clock",
    "scale": "2 is twice as large; what comes into sight below 1 is drawn, too",
}


def describe_transform(transform: Transform) -> str:
    """Return a few words: "" for none, else such as "x 0.25, 30°"."""
    parts = [f"{name} {value:.2f}" for name, value in (("x", transform.x), ("y", transform.y)) if value]
    parts += [f"{transform.angle:g}°"] if transform.angle else []
    parts += [f"× {transform.scale:.2f}"] if transform.scale != 1 else []
    return ", ".join(parts)


class TransformControls(widgets.VBox):
    """Sliders for x, y, angle and scale of the picture, and a line that says how it is moved."""

    def __init__(self, change: Change) -> None:
        self._change = change
        self._reset = button("↺", "put the picture back to where it was", self._put_back, layout=SMALL)
        self._about = note("")
        self._sliders = {
            "x": self._make("x", min=-SHIFT, max=SHIFT, step=0.01),
            "y": self._make("y", min=-SHIFT, max=SHIFT, step=0.01),
            "angle": self._make("angle", min=-TURN, max=TURN, step=1.0, readout_format=".0f"),
            "scale": self._make(
                "scale", widgets.FloatLogSlider, base=2, min=-OCTAVES, max=OCTAVES, step=0.02, value=1.0
            ),
        }
        super().__init__([*self._sliders.values(), row(self._reset, self._about)], layout=shared_layout(**WIDE))
        self.update(Latent())

    def update(self, latent: Latent) -> None:
        """Bring the controls to `latent`."""
        transform = latent.transform
        for name, control in self._sliders.items():
            move(control, getattr(transform, name))
        say(self._about, describe_transform(transform))
        self._reset.disabled = transform == IDENTITY

    # -- events ------------------------------------------------------------------------------------------------------
    def _make(self, name: str, kind: type[widgets.Widget] = widgets.FloatSlider, **settings: object) -> widgets.Widget:
        settings = {"readout_format": ".2f", **settings}
        return slider(kind, name, _TIPS[name], lambda value: self._set(name, float(value)), **settings)

    def _put_back(self) -> None:
        self._change("", lambda latent: latent.replace(transform=IDENTITY))

    def _set(self, name: str, value: float) -> None:
        change: dict[str, Any] = {name: value}
        self._change(f"transform {name}", lambda latent: latent.replace(transform=replace(latent.transform, **change)))
