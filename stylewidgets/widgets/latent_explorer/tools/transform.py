"""The tool "Transform": shift, turn and scale the picture inside the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from ...kit.controls.transform_controls import TransformControls
from ...kit.host import PictureHost
from .tool import Tool

if TYPE_CHECKING:
    from ....session.session import GeneratorSession


class TransformTool(Tool):
    """Attribute: `controls`."""

    name, title = "transform", "Transform"

    def fits(self, session: GeneratorSession) -> str | None:
        return None if session.can_transform else "only StyleGAN3 can move its picture"

    def panel(self, host: PictureHost) -> widgets.Widget:
        self.controls = TransformControls(host.change)
        return self.controls

    def update(self, host: PictureHost) -> None:
        self.controls.update(host.value)
