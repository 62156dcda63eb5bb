"""Headphones and earrings: solids that turn with the head."""

from __future__ import annotations

from ..body import PART, Scene, ear_offset
from ..geometry import ellipsoid

_BAND = 0.09  # half as wide as the band is


def place_worn(scene: Scene) -> None:
    """Put them into the z-buffer, of rows with the group "unseen"."""
    if "unseen" in scene.groups:
        _headphones(scene)
        _earrings(scene)


def _headphones(scene: Scene) -> None:
    rows = scene.which("headphones", "on")
    if rows is None:
        return
    canvas, frame, width = scene.canvas, scene.head.rows(rows), scene.shape.width[rows]
    # the band is a flat disc across the head, most of which is inside of it
    centre = scene.vectors(rows, 0.0, 0.0, -0.08)
    window, hit = ellipsoid(canvas, frame, rows, centre, scene.vectors(rows, width + 0.27, 1.36, _BAND))
    y = canvas.local(window, frame, 1, hit.depth)
    canvas.place(window, hit, PART["headphones"], y > -0.1)
    for side in (-1.0, 1.0):
        for out, radii in ((0.17, (0.13, 0.27, 0.25)), (0.25, (0.1, 0.2, 0.19))):
            centre = scene.vectors(rows, side * (width + out), -0.1, -0.06)
            canvas.place(*ellipsoid(canvas, frame, rows, centre, scene.vectors(rows, *radii)), PART["headphones"])


def _earrings(scene: Scene) -> None:
    for kind in ("studs", "drops"):
        rows = scene.which("earrings", kind)
        if rows is None:
            continue
        canvas, frame = scene.canvas, scene.head.rows(rows)
        out = ear_offset(scene.values, scene.shape)[rows] + 0.06
        for side in (-1.0, 1.0):
            solids = [(-0.3, (0.055, 0.055, 0.055))]
            if kind == "drops":
                solids = [(-0.29, (0.032, 0.032, 0.032)), (-0.47, (0.065, 0.15, 0.065))]
            for y, radii in solids:
                centre = scene.vectors(rows, side * out, y, 0.06)
                canvas.place(*ellipsoid(canvas, frame, rows, centre, scene.vectors(rows, *radii)), PART["earrings"])
