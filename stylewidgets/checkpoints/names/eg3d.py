"""EG3D parameters of the published program under our names, and what its plain attributes say about the scene."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ..errors import CheckpointError
from ..pickle.plain import plain, positive
from ..pickle.records import TensorRecord
from ..pickle.tensors import to_tensor

if TYPE_CHECKING:
    from ..pickle.module_tree import Tree

EVIDENCE = ("backbone.synthesis.b4.const", "decoder.net.0.weight")
PREFIXES = (
    ("backbone.mapping.", "mapping."),
    ("backbone.synthesis.", "synthesis."),
    ("decoder.", "synthesis.decoder."),
    ("superresolution.", "synthesis.head."),
)
UNUSED = re.compile(r".*resample_filter|superresolution\..*(noise_const|noise_strength)")
"""The enlarging blocks have noise pictures that the program never draws; filters are those of every StyleGAN2."""


def from_eg3d(params: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The parameters of a ``TriPlaneGenerator`` under our names, and the settings that only the left out ones tell.

    Raises:
        CheckpointError: there is a network that no EG3D has, or the head's sizes do not fit each other.
    """
    state: dict[str, Tensor] = {}
    for name, value in params.items():
        given = next(((old, new) for old, new in PREFIXES if name.startswith(old)), None)
        if given is None:
            raise CheckpointError(f"it has a parameter {name[:80]}, which no EG3D has: its code was modified")
        if not UNUSED.fullmatch(name):
            state[given[1] + name.removeprefix(given[0])] = value
    return state, _head(params)


def _head(params: Mapping[str, Tensor]) -> dict[str, Any]:
    """Sizes of the enlarging blocks, of their noise pictures: 8X and 8XDC enlarge twice; 4X and 2X, which have a filter of their
    own, in the second block only."""
    noise = [params.get(f"superresolution.block{i}.conv1.noise_const") for i in (0, 1)]
    if noise[0] is None or noise[1] is None:
        return {}
    first, second = (0 if picture is None or picture.ndim != 2 else picture.shape[0] for picture in noise)
    by = 1 if "superresolution.resample_filter" in params else 2
    if not first or first % by or second not in (first, 2 * first):
        raise CheckpointError(f"its super-resolution has pictures of {first} and {second} pixels, which no EG3D has")
    return {"input_size": first // by, "field_size": first // by, "enlarge": (by, second // first)}


def scene_of(tree: Tree, prefix: str, notes: list[str]) -> dict[str, Any]:
    """Settings of a `TriPlaneConfig` from the plain attributes; what is missing or odd is left to our defaults, those of faces.

    Args:
        tree: the saved generator.
        prefix: of its modules, "" as a rule.
        notes: gets what cannot be drawn as it was trained.

    Raises:
        CheckpointError: density, rays or planes of another kind.
    """
    root = tree.modules.get(prefix.rstrip(".")) or tree.modules[""]
    scene = plain(root.attributes.get("rendering_kwargs"))
    found = _rendering(scene) if isinstance(scene, dict) else {}
    side = root.attributes.get("neural_rendering_resolution")
    if _size(side):
        found["field_size"] = side
    for ours, module in (("conv_clamp", "backbone.synthesis.b4.conv1"), ("head_clamp", "superresolution.block0.conv0")):
        attributes = tree.modules[f"{prefix}{module}"].attributes if f"{prefix}{module}" in tree.modules else {}
        value = attributes.get("conv_clamp", False)
        if value is None or positive(value):
            found[ours] = None if value is None else float(value)
    rate = tree.attribute(f"{prefix}backbone.mapping.fc0", "bias_gain", "lr_multiplier")
    if positive(rate):
        found["mapping_lr"] = float(rate)
    axes = tree.attribute(f"{prefix}renderer", "plane_axes")
    if isinstance(axes, TensorRecord):
        found["axes"] = _axes(to_tensor(axes))
    if isinstance(scene, dict) and scene.get("superresolution_noise_mode", "none") != "none":
        notes.append("its super-resolution drew noise in training; here it draws none")
    notes.append(
        "the field of view is not in the file: 13.4 degrees over the picture's side, which public programs take for all, is "
        "the usual one here; give Camera(fov=...) another"
    )
    return found


def _rendering(scene: Mapping[str, Any]) -> dict[str, Any]:
    """Settings from ``rendering_kwargs``."""
    if scene.get("clamp_mode", "softplus") != "softplus":
        raise CheckpointError(f"its density is made by {scene['clamp_mode']!r:.40}; softplus can be drawn")
    if scene.get("disparity_space_sampling"):
        raise CheckpointError("its rays are sampled by disparity, which cannot be drawn")
    found: dict[str, Any] = {
        "white_back": scene.get("white_back") is True,
        "conditioned": not scene.get("c_gen_conditioning_zero", False),
        "antialias": scene.get("sr_antialias", True) is not False,
    }
    coarse: Any = scene.get("depth_resolution")
    fine: Any = scene.get("depth_resolution_importance")
    if _size(coarse) and coarse >= 4:
        found["coarse"] = coarse
    if _size(fine) or (fine == 0 and not isinstance(fine, bool)):
        found["fine"] = fine
    near: Any = scene.get("ray_start")
    far: Any = scene.get("ray_end")
    if near == far == "auto":
        found |= {"near": None, "far": None}
    elif _number(near) and _number(far) and 0 <= near < far:
        found |= {"near": float(near), "far": float(far)}
    for ours, theirs in (
        ("box", "box_warp"),
        ("label_scale", "c_scale"),
        ("decoder_lr", "decoder_lr_mul"),
        ("radius", "avg_camera_radius"),
    ):
        if positive(scene.get(theirs)):
            found[ours] = float(scene[theirs])
    pivot: Any = scene.get("avg_camera_pivot")
    placed = isinstance(pivot, list) and len(pivot) == 3 and all(map(_number, pivot))
    if placed and math.hypot(*pivot) < found.get("radius", 2.7):
        found["pivot"] = tuple(map(float, pivot))
    return found


def _axes(planes: Tensor) -> tuple[int, ...]:
    """Which coordinates each plane holds, of the matrices [3, 3, 3] that turn the space: rows are the axes of a plane."""
    rows = planes[:, :2].float() if planes.shape == (3, 3, 3) else planes.new_zeros(3, 2, 3)
    if not bool(((rows == 0) | (rows == 1)).all() and (rows.sum(dim=2) == 1).all()):
        raise CheckpointError("its planes are not along the axes of the space, which cannot be drawn")
    return tuple(rows.argmax(dim=2).flatten().tolist())


def _size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 4096


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e6
