"""EG3D parameters of the published program under our names, and what its plain attributes say about the scene."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ..errors import CheckpointError
from ..pickle.plain import positive

if TYPE_CHECKING:
    from ...generators.triplane import TriPlaneConfig

PREFIXES = (
    ("backbone.mapping.", "mapping."),
    ("backbone.synthesis.", "synthesis."),
    ("decoder.", "synthesis.decoder."),
    ("superresolution.", "synthesis.head."),
)
UNUSED = re.compile(r"superresolution\.(.*\.(noise_const|noise_strength)|.*resample_filter)$")
"""The enlarging blocks have noise that the program never draws, and filters that are those of the backbone."""


def from_eg3d(
    params: Mapping[str, Tensor],
    scene: Mapping[str, Any],
    *,
    field_size: object = None,
    input_size: object = None,
    resolution: object = None,
    hints: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Tensor], TriPlaneConfig]:
    """The parameters under our names and the config.

    Args:
        params: names to tensors of a ``TriPlaneGenerator``.
        scene: its ``rendering_kwargs``; what is missing or odd is left to our defaults, those of the published faces.
        field_size: its ``neural_rendering_resolution``.
        input_size: side at which rendered features enter the head, ``superresolution.input_resolution``.
        resolution: of the picture, ``img_resolution``.
        hints: other settings that no shape tells.

    Raises:
        CheckpointError: a network is not known, or the scene is one that cannot be drawn.
        ValueError: parameters are missing or disagree.
    """
    from ...generators.triplane import infer_config

    state: dict[str, Tensor] = {}
    for name, value in params.items():
        if UNUSED.match(name):
            continue
        given = next(((old, new) for old, new in PREFIXES if name.startswith(old)), None)
        if given is None:
            raise CheckpointError(f"it has a parameter {name[:80]}, which no EG3D has: its code was modified")
        renamed = given[1] + name[len(given[0]) :]
        if not renamed.endswith("resample_filter"):
            state[renamed] = value
    found = {**_scene(scene), **(hints or {})}
    if _size(field_size):
        found["field_size"] = field_size
    if _size(input_size):
        found["input_size"] = input_size
    found.setdefault("input_size", 128)
    if _size(resolution):
        found["enlarge"] = _enlarge(int(found["input_size"]), resolution)
    return state, infer_config(state, **found)


def _size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 4096


def _enlarge(side: int, resolution: Any) -> tuple[int, int]:
    """By how much each of the two blocks enlarges: all do by four in 8X and 8XDC, by two in the second block in 4X and 2X."""
    by = {4: (2, 2), 2: (1, 2), 1: (1, 1)}.get(resolution // side)
    if by is None or resolution % side:
        raise CheckpointError(
            f"it enlarges {side} pixels to {resolution}; 8X, 8XDC, 4X and 2X of the release do so by 4 or 2"
        )
    return by


def _scene(scene: Mapping[str, Any]) -> dict[str, Any]:
    """Settings from ``rendering_kwargs``."""
    if scene.get("clamp_mode", "softplus") != "softplus":
        raise CheckpointError(f"its density is made by {scene['clamp_mode']!r:.40}; softplus can be drawn")
    if scene.get("disparity_space_sampling"):
        raise CheckpointError("its rays are sampled by disparity, which can not be drawn")
    found: dict[str, Any] = {}
    for ours, theirs in (("coarse", "depth_resolution"), ("fine", "depth_resolution_importance")):
        value = scene.get(theirs)
        if _size(value) or (ours == "fine" and value == 0 and not isinstance(value, bool)):
            found[ours] = value
    ends = scene.get("ray_start"), scene.get("ray_end")
    if ends == ("auto", "auto"):
        found |= {"near": None, "far": None}
    elif all(_number(end) for end in ends):
        found |= {"near": float(ends[0]), "far": float(ends[1])}  # type: ignore[arg-type]
    for ours, theirs in (
        ("box", "box_warp"),
        ("label_scale", "c_scale"),
        ("decoder_lr", "decoder_lr_mul"),
        ("radius", "avg_camera_radius"),
    ):
        if positive(scene.get(theirs)):
            found[ours] = float(scene[theirs])
    pivot = scene.get("avg_camera_pivot")
    if isinstance(pivot, list | tuple) and len(pivot) == 3 and all(_number(each) for each in pivot):
        found["pivot"] = tuple(float(each) for each in pivot)
    found["white_back"] = scene.get("white_back") is True
    found["conditioned"] = not scene.get("c_gen_conditioning_zero", False)
    found["antialias"] = scene.get("sr_antialias", True) is not False
    return found


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e6
