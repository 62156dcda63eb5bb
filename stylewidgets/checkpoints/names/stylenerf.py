"""Camera and renderer numbers of a published StyleNeRF: no tensor has them, only the arguments that made its generator."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from ..pickle.plain import positive

EVIDENCE = ("synthesis.fg_nerf.fc_in.weight", "mapping.fc0.weight")


def scene_of(arguments: object) -> dict[str, Any]:
    """Settings of a `StyleNeRFConfig` from ``_init_kwargs``; what is missing or odd is left to our defaults, those of FFHQ.

    Args:
        arguments: plain values, as `pickle.plain.plain` makes them.
    """
    given: dict[str, Any] = dict(_flat(arguments))
    found: dict[str, Any] = {}
    for ours, theirs in (
        ("samples", "n_ray_samples"),
        ("background_samples", "n_bg_samples"),
        ("rays", "resolution_vol"),
    ):
        if _whole(given.get(theirs)):
            found[ours] = given[theirs]
    for ours, theirs in (("fov", "fov"), ("background_start", "bg_start")):
        if positive(given.get(theirs)):
            found[ours] = float(given[theirs])
    if _ends(given.get("depth_range")):
        found["depth"] = tuple(map(float, given["depth_range"]))
    if _ends(given.get("range_u")):
        found["yaw"] = tuple(-math.degrees(angle) for angle in given["range_u"][::-1])
    if _ends(given.get("range_v")):
        found["pitch"] = tuple(math.degrees(angle - math.pi / 2) for angle in given["range_v"])
    radius = given.get("range_radius")
    if isinstance(radius, list) and len(radius) == 2 and all(map(positive, radius)):
        found["radius"] = sum(radius) / 2
    if isinstance(given.get("gaussian_camera"), bool):
        found["normal"] = given["gaussian_camera"]
    return found


def _flat(value: object, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Every entry of nested dictionaries; the outermost of a name comes last, so that it counts."""
    if isinstance(value, Mapping) and depth < 6:
        for item in value.values():
            yield from _flat(item, depth + 1)
        yield from value.items()


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 2 <= value <= 1024


def _ends(value: Any) -> bool:
    """Whether it is a lower and a higher number."""
    numbers = isinstance(value, list) and len(value) == 2 and all(isinstance(end, int | float) for end in value)
    return bool(numbers and -1e3 < value[0] < value[1] < 1e3)
