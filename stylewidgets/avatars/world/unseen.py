"""Factors that no bundled generator has seen: what is worn, painted on or drawn otherwise. They come behind all others.

They are to the avatars' generators what a photograph is to one of drawn faces: near, and out of reach. So they are never drawn
for training; `sample` gives them where a row is asked to have the group "unseen".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from .factors import PLEASANT_HUES, Factor, angle, choice

UNSEEN_FACTORS: tuple[Factor, ...] = (
    choice("eye_patch", "none", none=0.7, left=0.15, right=0.15),
    choice("face_paint", "none", none=0.7, stripes=0.1, dots=0.1, half=0.1),
    angle("face_paint_hue", 210, PLEASANT_HUES),
    choice("scar", "none", none=0.7, cheek=0.15, brow=0.15),
    choice("earrings", "none", none=0.7, studs=0.15, drops=0.15),
    choice("headphones", "none", none=0.8, on=0.2),
    angle("headphones_hue", 350, PLEASANT_HUES),
    choice("moustache", "none", none=0.7, handlebar=0.15, walrus=0.15),
    choice("backdrop", "plain", plain=0.7, checks=0.1, stripes=0.1, dots=0.1),
    angle("backdrop_hue", 20, PLEASANT_HUES),
    choice("drawing", "shaded", shaded=0.8, toon=0.1, pencil=0.1),
)
"""Left and right are the picture's. A moustache grows over whatever the factor beard says."""


def phrase(values: Mapping[str, float], pick: Callable[[str, Sequence[str]], str]) -> str:
    """What a caption says of them, "" for nothing."""
    kind = {f.name: f.categories[round(values[f.name])] for f in UNSEEN_FACTORS if f.categories}
    said = [
        kind["eye_patch"] != "none" and f"a patch over the {kind['eye_patch']} eye",
        kind["face_paint"] != "none" and _PAINT[kind["face_paint"]],
        kind["scar"] != "none" and pick("scar", (f"a scar on the {kind['scar']}", f"a scarred {kind['scar']}")),
        kind["earrings"] != "none" and {"studs": "ear studs", "drops": "drop earrings"}[kind["earrings"]],
        kind["headphones"] != "none" and "headphones",
        kind["moustache"] != "none" and f"a {kind['moustache']} moustache",
        kind["backdrop"] != "plain" and f"{kind['backdrop']} on the wall",
        kind["drawing"] != "shaded" and {"toon": "drawn as a cartoon", "pencil": "drawn in pencil"}[kind["drawing"]],
    ]
    return ", ".join(words for words in said if words)


_PAINT = {
    "stripes": "painted stripes on the cheeks",
    "dots": "painted dots on the face",
    "half": "half of the face painted",
}
