"""A picture of one's own: an avatar by sliders, and a brush to paint on it."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...avatars import FACTORS, INDEX, defaults
from ...core import pictures
from ...inversion import Target
from ...session.session import GeneratorSession
from ...widgets.kit.parts import control
from ..drawing import avatar
from .easel_view import EaselView, Stroke, painted

SLIDERS = (
    "skin_tone", "face_width", "hair_style", "hair_hue", "hair_lightness", "hair_length", "fringe", "eye_openness",
    "nose_size", "smile", "beard", "glasses", "hat", "clothes_hue", "yaw",
)  # fmt: skip
LAYOUT, LABEL = {"width": "300px", "max_width": "100%"}, {"description_width": "96px"}
SIDE = 256
"""Pixels that paint is laid on in."""


class Easel(widgets.HBox):
    """Sliders for the factors of an avatar, beside a picture to paint on.

    Attributes:
        factors: of the avatar, [1, F].
        strokes: what was painted.
        picture: avatar and paint, uint8 [256, 256, 3].
    """

    def __init__(self) -> None:
        self.view = EaselView()
        self.view.on_stroke = lambda stroke: self._paint([*self.strokes, stroke])
        self.view.on_undo = lambda: self._paint(self.strokes[:-1])
        self.view.on_clear = lambda: self._paint([])
        self.sliders = {name: self._slider(name) for name in SLIDERS}
        self._draw(None)
        column = widgets.VBox(list(self.sliders.values()), layout={"min_width": "300px"})
        super().__init__([self.view, column], layout={"flex_flow": "row wrap", "grid_gap": "16px"})

    @property
    def factors(self) -> NDArray[np.float32]:
        row = defaults()
        for name, slider in self.sliders.items():
            row[0, INDEX[name]] = slider.index if isinstance(slider, widgets.Dropdown) else slider.value
        return row

    @property
    def strokes(self) -> list[Stroke]:
        return list(self.view.strokes)

    @property
    def picture(self) -> NDArray[np.uint8]:
        return painted(avatar(self.factors, SIDE), self.strokes)

    def target(self, session: GeneratorSession) -> Target:
        """As a target of this generator. With nothing painted its factors are known, so that edits of it can be measured."""
        if self.strokes:
            return Target.of(self.picture, session)
        drawn = avatar(self.factors, session.resolution)
        return Target.of({"image": drawn.transpose(2, 0, 1), "factors": self.factors[0]}, session)

    def _slider(self, name: str) -> Any:
        factor = FACTORS[INDEX[name]]
        kind: Any = widgets.Dropdown if factor.categories else widgets.FloatSlider
        traits: dict[str, Any] = (
            {"options": factor.categories, "index": round(factor.default)}
            if factor.categories
            else {
                "min": factor.low,
                "max": factor.high,
                "step": (factor.high - factor.low) / 50,
                "value": factor.default,
                "readout": False,
            }
        )
        words = name.replace("_", " ")
        return control(kind, on=self._draw, description=words, layout=LAYOUT, style=LABEL, **traits)

    def _paint(self, strokes: list[Stroke]) -> None:
        self.view.strokes = strokes

    def _draw(self, _: object) -> None:
        self.view.background = pictures.encoded(Image.fromarray(avatar(self.factors, SIDE)), "JPEG")
