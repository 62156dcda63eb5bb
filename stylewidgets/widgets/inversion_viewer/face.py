"""The face in a photograph: found or pointed at, and cropped as generators of faces know them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets
import numpy as np
from PIL import Image

from ..kit.parts import WIDE, button, note, quiet, row, say
from ..kit.sharing import shared_layout
from .face_points import FacePoints
from .host import InversionHost

if TYPE_CHECKING:
    from ...inversion.faces.mtcnn import Face

HOW = "Drag the four points to the middles of the eyes and the corners of the mouth; the dashed square is what will be inverted."
NO_FACE = "No face was found in this picture. "
NO_DETECTOR = (
    "Faces are found where the weights of facenet-pytorch are: pip install --no-deps facenet-pytorch. Without them: "
)


class FacePanel(widgets.VBox):
    """Four points on a photograph, the button that looks for faces, and the one that takes the crop as the target.

    Attributes: `sheet`, the photograph with its points; `said`, what there is to say.
    """

    def __init__(self, host: InversionHost) -> None:
        self._host = host
        self._photo: Image.Image | None = None
        self._code, self._faces = "", list["Face"]()
        self.sheet = FacePoints(self._moved, self._on_box, layout=shared_layout(**WIDE))
        self.said, self._numbers = note(""), note("")
        find = button(
            "find faces", "look for faces; of several you choose one by its number", self.find, view=host.view
        )
        take = button(
            "use this face", "make the dashed square the picture to invert", self.take, view=host.view, primary=True
        )
        super().__init__([self.said, self.sheet, row(find, take), self._numbers], layout=shared_layout(**WIDE))

    def show(self, photo: Image.Image, code: str) -> None:
        """Put a photograph in. code: a Python expression for it, "" where there is none."""
        self._photo, self._code, self._faces = photo, code, []
        with quiet(self.sheet):
            self.sheet.show(photo)
        say(self.said, HOW)
        self._moved()

    def find(self) -> None:
        """Look for faces: the points go to the biggest, and each has a numbered box where there are several."""
        from ...inversion.faces import align  # torch comes along

        if self._photo is None:
            return
        try:
            self._faces = align.detect(self._photo)
        except ImportError:
            say(self.said, NO_DETECTOR + HOW)
            return
        if not self._faces:
            say(self.said, NO_FACE + HOW)
            return
        several = len(self._faces) > 1
        with quiet(self.sheet):
            self.sheet.offer([face.box for face in self._faces] if several else [])
        self._on_box(0)
        say(self.said, f"{len(self._faces)} faces: choose one by its number. {HOW}" if several else f"One face. {HOW}")

    def take(self) -> None:
        """Make the crop the target. ValueError when the points are no face's."""
        from ...inversion.faces import align

        if self._photo is None:
            return
        size = self._host.session.resolution
        crop, _ = align.align(self._photo, self.sheet.pixels, size)
        code = f"sw.inversion.align.align({self._code}, {self._words()}, {size})[0]" if self._code else ""
        self._host.set_target(crop, code)

    def _words(self) -> str:
        return str([[float(f"{number:.1f}") for number in point] for point in self.sheet.pixels])

    def _on_box(self, number: int) -> None:
        if 0 <= number < len(self._faces):
            with quiet(self.sheet):
                self.sheet.place(np.asarray(self._faces[number].points)[[0, 1, 3, 4]])
            self._moved()

    def _moved(self) -> None:
        """Show the crop of the points, and the points as they are written in code."""
        from ...inversion.faces import align

        try:
            self.sheet.outline(align.quad(self.sheet.pixels))
            say(self._numbers, f"The same in code: align(picture, points={self._words()})")
        except ValueError as problem:
            self.sheet.outline(None)
            say(self._numbers, str(problem))
