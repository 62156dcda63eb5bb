"""Shapes in space, points and meshes, and their files: .ply (binary) and .obj, which every 3-D program reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .files import Given, check_suffix, write

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Shape:
    """Points, or a mesh where there are faces; axes and units are the scene's.

    Attributes:
        points: [P, 3].
        normals: [P, 3], of length 1, out of the surface.
        colours: uint8 [P, 3].
        faces: [F, 3], three points each, counter-clockwise as seen from outside; None for a cloud of points.
    """

    points: Floats
    normals: Floats
    colours: Bytes
    faces: NDArray[np.int32] | None = None

    def __post_init__(self) -> None:
        for name in ("normals", "colours"):
            if getattr(self, name).shape != self.points.shape:
                given = list(getattr(self, name).shape)
                raise ValueError(
                    f"{name} of a shape are one for each point, [{len(self.points)}, 3]; {given} were given"
                )

    def __repr__(self) -> str:
        faces = "" if self.faces is None else f", {len(self.faces):,} triangles"
        return f"Shape({len(self.points):,} points{faces})"

    def save(self, path: Given) -> Path:
        """Write .ply or .obj, by the path's ending, and return the path. ValueError for another ending."""
        check_suffix(path, (".ply", ".obj"), "shape")
        return write(path, self.ply() if str(path).lower().endswith(".ply") else self.obj())

    def ply(self) -> bytes:
        """The bytes of a binary .ply."""
        row = np.dtype([("place", "<f4", 3), ("normal", "<f4", 3), ("colour", "u1", 3)])
        table = np.empty(len(self.points), row)
        table["place"], table["normal"], table["colour"] = self.points, self.normals, self.colours
        names = [
            *(f"float {n}" for n in ("x", "y", "z", "nx", "ny", "nz")),
            *(f"uchar {n}" for n in ("red", "green", "blue")),
        ]
        lines = [
            "ply",
            "format binary_little_endian 1.0",
            f"element vertex {len(table)}",
            *(f"property {n}" for n in names),
        ]
        body = table.tobytes()
        if self.faces is not None:
            lines += [f"element face {len(self.faces)}", "property list uchar int vertex_indices"]
            corners = np.empty(len(self.faces), np.dtype([("count", "u1"), ("at", "<i4", 3)]))
            corners["count"], corners["at"] = 3, self.faces
            body += corners.tobytes()
        return "\n".join([*lines, "end_header\n"]).encode() + body

    def obj(self) -> str:
        """The text of an .obj; colours stand behind the places, as most programs read them."""
        place = np.concatenate([self.points, self.colours / np.float32(255)], 1)
        lines = ["v {:.6g} {:.6g} {:.6g} {:.4g} {:.4g} {:.4g}".format(*row) for row in place.tolist()]
        lines += ["vn {:.5g} {:.5g} {:.5g}".format(*row) for row in self.normals.tolist()]
        if self.faces is not None:
            lines += ["f {0}//{0} {1}//{1} {2}//{2}".format(*row) for row in (self.faces + 1).tolist()]
        return "\n".join(lines) + "\n"
