"""What a generator with a scene in space tells besides pictures: depth, normals, points and meshes."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .. import jobs
from ..core.checks import check_int
from ..core.shapes import Shape
from ..generators.protocol import HasScene, Rays
from ..latent.camera import Camera
from ..latent.latent import Latent

if TYPE_CHECKING:
    from .session import GeneratorSession

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

SIDES = (8, 1024)
"""Pixels that the side of a depth map may have."""

GRIDS = (16, 384)
"""Points that the side of a mesh's grid may have."""

_AT_ONCE = 1 << 15  # points of the grid between two reports
_SOLID = 0.5  # opacity from which on there is a surface


class Surface(NamedTuple):
    """What a camera sees of a scene, on the session's device.

    Attributes:
        depth: [h, w] along the optical axis, in the scene's units; inf where there is no surface.
        points: [h, w, 3] in the scene's axes; meaningless where there is no surface.
        normals: [h, w, 3] of length 1 in the scene's axes, towards the camera; 0 where there is no surface.
        axes: [3, 3], the camera's x (right), y (up) and z (to the viewer) as rows, in the scene's axes.
    """

    depth: Tensor
    points: Tensor
    normals: Tensor
    axes: Tensor


def has_scene(session: GeneratorSession) -> bool:
    """Whether the generator has its things in space, so that they have depth."""
    return isinstance(session.generator, HasScene)


def camera_range(session: GeneratorSession) -> Mapping[str, tuple[float, float]]:
    """The angles it was trained on, in degrees: "yaw" and "pitch" → (lowest, highest). ValueError without a scene."""
    return _scene(session).camera_range


def field_of_view(session: GeneratorSession) -> float:
    """The generator's own field of view over the picture's side, in degrees. ValueError without a scene.

    It is what the generator or its config has as ``fov``, which one with parallel rays needs; else its rays tell.
    """
    scene = _scene(session)
    stated = getattr(session.generator, "fov", getattr(session.generator.config, "fov", None))
    if isinstance(stated, float):
        return stated
    with session.viewed(Camera()), torch.inference_mode():
        rays = scene.rays(65, 65)
    directions = torch.nn.functional.normalize(rays.directions[0].float(), dim=1)
    left, right = directions[32 * 65], directions[32 * 65 + 64]  # centres of the outermost pixels
    half = math.tan(float(torch.acos((left * right).sum().clamp(-1, 1))) / 2) * 65 / 64
    return math.degrees(2 * math.atan(half))


def depth(session: GeneratorSession, latent: Latent, size: int | None = None) -> Floats:
    """How far away the surface is that each pixel shows, float32 [size, size], inf where there is none.

    It is measured along the optical axis from the camera of ``latent.view``, in the scene's own units.

    Args:
        latent: as of `image`.
        size: side in pixels, 8 to 1024; None is the side at which the generator draws its field.

    Raises:
        ValueError: the generator has no scene in space, or a size out of range.
    """
    return _array(surface(session, latent, size).depth)


def depth_picture(session: GeneratorSession, latent: Latent, size: int | None = None) -> Bytes:
    """`depth` as grey, uint8 [size, size, 3]: what is nearest is white, and black is where there is no surface."""
    far = session.depth(latent, size)
    there = np.isfinite(far)
    if not there.any():
        return np.zeros((*far.shape, 3), np.uint8)
    near, end = far[there].min(), far[there].max()
    grey = np.where(there, 255 - 215 * (np.where(there, far, end) - near) / max(float(end - near), 1e-9), 0)
    return np.repeat(grey.astype(np.uint8)[..., None], 3, 2)


def normals(session: GeneratorSession, latent: Latent, size: int | None = None) -> Bytes:
    """The surface's normals as a picture, uint8 [size, size, 3]; black where there is no surface.

    Red, green and blue are the camera's right, up and towards the viewer: 0 is -1, 255 is 1. Arguments and errors as `depth`.
    """
    seen = surface(session, latent, size)
    local = seen.normals @ seen.axes.T
    there = seen.depth.isfinite()[..., None]
    return _array(((local * 127.5 + 127.5).round() * there).to(torch.uint8))


def points(session: GeneratorSession, latent: Latent, size: int | None = None) -> Shape:
    """What the camera of ``latent.view`` sees, as points with normals and the picture's colours, in the scene's axes.

    ``session.points(latent).save("face.ply")`` writes a file. Arguments and errors as `depth`.
    """
    seen = surface(session, latent, size)
    there = seen.depth.isfinite()
    side = there.shape[0]
    picture = session.render(latent).resize((side, side))
    colours = np.asarray(picture.convert("RGB"))[_array(there)]
    return Shape(_array(seen.points[there]), _array(seen.normals[there]), np.ascontiguousarray(colours))


def surface(session: GeneratorSession, latent: Latent, size: int | None = None) -> Surface:
    """Depth, places and normals of what each pixel shows, as tensors. Arguments and errors as `depth`."""
    scene = _scene(session)
    session.check(latent)
    if size is not None:
        check_int("size of a depth map", size, *SIDES)
    with session.viewed(latent.view), torch.inference_mode():
        along, opaque = scene.depth(session.code_styles(latent), size)
        height, width = along.shape[2:]
        rays = scene.rays(height, width)
    t, there = along[0, 0].float(), opaque[0, 0] >= _SOLID
    origins, directions = (x[0].float().view(height, width, 3) for x in rays)
    axes = camera_axes(Rays(origins, directions))
    places = origins + directions * t[..., None]
    reach = t * (directions @ -axes[2])
    made = torch.where(there[..., None], surface_normals(places, there, axes[2]), 0.0)
    return Surface(torch.where(there, reach, math.inf), places, made, axes)


def camera_axes(rays: Rays) -> Tensor:
    """The camera's right, up and backwards as rows [3, 3], from the rays [h, w, 3] of a picture that is square to them."""
    at_one = rays.origins + rays.directions / rays.directions.norm(dim=-1, keepdim=True)
    right = torch.nn.functional.normalize((at_one[:, -1] - at_one[:, 0]).mean(0), dim=0)
    up = (at_one[0] - at_one[-1]).mean(0)
    up = torch.nn.functional.normalize(up - (up * right).sum() * right, dim=0)
    return torch.stack([right, up, torch.linalg.cross(right, up)])


def surface_normals(places: Tensor, there: Tensor, back: Tensor) -> Tensor:
    """Normals [h, w, 3] of places on a surface, [h, w, 3], from each one's neighbours on it.

    Args:
        there: bool [h, w], where there is a surface.
        back: [3], towards the viewer; a place without neighbours looks there.
    """

    def slope(axis: int) -> Tensor:
        """From the neighbour before to the neighbour after, where they are there, else from or to the place itself."""
        count = places.shape[axis]
        here = torch.arange(count, dtype=torch.int64, device=places.device)
        before, after = (here - 1).clamp(min=0), (here + 1).clamp(max=count - 1)
        sides = [
            torch.where(there.index_select(axis, at)[..., None], places.index_select(axis, at), places)
            for at in (after, before)
        ]
        return sides[0] - sides[1]

    normal = torch.linalg.cross(slope(0), slope(1))  # down × right is backwards
    length = normal.norm(dim=-1, keepdim=True)
    normal = torch.where(length > 1e-12, normal / length.clamp(min=1e-12), back)
    return torch.where((normal @ back)[..., None] < 0, -normal, normal)


@jobs.Work
def mesh(
    session: GeneratorSession, latent: Latent, resolution: int = 96, level: float | None = None, views: int = 5
) -> jobs.Job[Shape]:
    """The surface as a closed mesh, with colours from pictures all over the range of cameras. Needs the extra `mesh`.

    Marching cubes (Lorensen and Cline, SIGGRAPH 1987) on a grid of the density in the scene's box. The first reports say
    how long it will take and how large it will be, before much is done: ``session.mesh.start(latent)`` is a run that can be
    stopped there.

    Args:
        latent: as of `image`; its view does not count.
        resolution: points along each side of the grid, 16 to 384.
        level: density at the surface; None is where a 32nd of the box lets half of the light through.
        views: pictures that colours are taken from, 1 to 15.

    Raises:
        ValueError: no scene in space, a number out of range, or nothing is as dense as `level`.
        RuntimeError: the extra is not installed.
    """
    scene, cubes = _scene(session), _marching_cubes()
    session.check(latent)
    check_int("resolution of a mesh", resolution, *GRIDS)
    check_int("views of a mesh", views, 1, 15)
    low, high = (np.asarray(corner, np.float32) for corner in scene.bounds)
    level = math.log(2) / (float((high - low).max()) / 32) if level is None else level
    volume = np.empty(resolution**3, np.float32)
    lines = [
        torch.linspace(a, b, resolution, dtype=torch.float32, device=session.device)
        for a, b in zip(low, high, strict=True)
    ]
    began, words = time.perf_counter(), f"density of {resolution}³ points"
    for start in range(0, len(volume), _AT_ONCE):
        at = torch.arange(start, min(start + _AT_ONCE, len(volume)), dtype=torch.int64, device=session.device)
        places = torch.stack(
            [lines[0][at // resolution**2], lines[1][at // resolution % resolution], lines[2][at % resolution]], 1
        )
        with session.viewed(latent.view), torch.inference_mode():
            volume[start : start + len(at)] = _array(scene.density(session.code_styles(latent), places[None])[0])
        if not start:
            words += _expected(resolution, (time.perf_counter() - began) * len(volume) / len(at))
        yield jobs.Progress(start + len(at), len(volume), words)
    grid = volume.reshape(resolution, resolution, resolution)
    grid[[0, -1]], grid[:, [0, -1]], grid[:, :, [0, -1]] = 0, 0, 0  # closed where it would leave the box
    if grid.max() <= level:
        raise ValueError(
            f"nothing is as dense as the level {level:.3g}; the densest point has {grid.max():.3g}. Give a lower level"
        )
    vertices, faces = cubes(grid, level)
    places = (low + vertices * ((high - low) / (resolution - 1))).astype(np.float32)
    outwards = _outwards(grid, vertices, (high - low) / (resolution - 1))
    yield jobs.Progress(len(volume), len(volume), "colours")
    colours = yield from _colours(session, latent, places, outwards, views)
    return Shape(places, outwards, colours, _facing(places, faces.astype(np.int32), outwards))


def begin_mesh(
    session: GeneratorSession, *, latent: Mapping[str, Any], settings: Mapping[str, Any] | None = None
) -> jobs.Run[Shape]:
    """Starts the kind "mesh" for `session.start`: a latent as `Latent.to_dict` gives it; resolution, level and views."""
    jobs.check_names("setting of a mesh", settings or {}, mesh, 2)
    return mesh.start(session, Latent.from_dict(latent), **dict(settings or {}))


def _expected(resolution: int, seconds: float) -> str:
    """Time and size in words. A head's surface has about 3 n² vertices and twice as many triangles."""
    megabytes = 3 * resolution**2 * (27 + 2 * 13) / 1e6
    return f", about {max(1, round(seconds))} s; a .ply of about {megabytes:.1f} MB"


def _outwards(grid: Floats, vertices: NDArray[np.float64], step: Floats) -> Floats:
    """Against the gradient of the density, [V, 3], of length 1."""
    at = np.clip(np.rint(vertices).astype(int), 1, len(grid) - 2)
    sides = [np.eye(3, dtype=int)[axis] for axis in range(3)]
    rise = [grid[tuple((at + s).T)] - grid[tuple((at - s).T)] for s in sides]
    out = -np.stack(rise, 1) / step
    return (out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)).astype(np.float32)


def _facing(places: Floats, faces: NDArray[np.int32], outwards: Floats) -> NDArray[np.int32]:
    """Triangles whose corners go counter-clockwise as seen from outside."""
    a, b, c = (places[faces[:, k]] for k in range(3))
    inwards = (np.cross(b - a, c - a) * outwards[faces[:, 0]]).sum(1).sum() < 0
    return np.ascontiguousarray(faces[:, ::-1]) if inwards else faces


def _colours(
    session: GeneratorSession, latent: Latent, places: Floats, outwards: Floats, views: int
) -> jobs.Job[Bytes]:
    """The colour of the nearest point that some camera sees, and rather of one that looks the same way, [V, 3]."""
    tree = import_module("scipy.spatial").cKDTree
    low, high = camera_range(session)["yaw"]
    seen = []
    for k in range(views):
        yaw = 0.0 if views == 1 else low + (high - low) * k / (views - 1)
        seen.append(points(session, latent.replace(view=Camera(yaw=max(-180.0, min(180.0, yaw))))))
        yield jobs.Progress(k + 1, views, "colours")
    turn = 0.1 * float(np.ptp(places))  # what looks the other way counts as a fifth of the shape further away

    def keys(where: Floats, facing: Floats) -> Floats:
        return np.concatenate([where, turn * facing], 1)

    known = np.concatenate([keys(s.points, s.normals) for s in seen])
    if not len(known):
        return np.full(places.shape, 128, np.uint8)
    _, nearest = tree(known).query(keys(places, outwards))
    return np.concatenate([s.colours for s in seen])[nearest]


def _marching_cubes() -> Any:
    try:
        return import_module("mcubes").marching_cubes
    except ImportError as error:
        raise RuntimeError(
            f"a mesh needs the extra `mesh` ({error}): pip install 'stylewidgets[mesh]'. session.points(latent) needs nothing"
        ) from None


def _scene(session: GeneratorSession) -> HasScene:
    if not isinstance(session.generator, HasScene):
        raise ValueError(  # noqa: TRY004
            f"{type(session.generator).__name__} draws flat pictures and has no scene in space, so there is no depth and no "
            "mesh. StyleNeRF and EG3D have one"
        )
    return session.generator


def _array(x: Tensor) -> NDArray[Any]:
    return np.ascontiguousarray(x.cpu().numpy())
