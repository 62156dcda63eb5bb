"""Factors to pictures: geometry, paint, light, and the exact ground truth that comes with them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from ...core.checks import unknown_name
from ...ops.devices import float_tensor
from ..world.groups import HEAD, framed, with_head
from ..world.rows import by_name
from . import palette
from .added.backdrop import patterned
from .added.chance import Chance, seeds_of
from .added.detail import rough_wall, roughen
from .added.manner import redrawn
from .added.paint import on_skin, over_face
from .body import PART, PARTS, Scene, frames
from .camera import Camera, camera_of
from .clothing import ALL_REGIONS, BODY_REGIONS, paint_clothes, region_of
from .features import REGION, REGIONS, paint_face
from .figure import assemble
from .geometry import FRAMINGS, Frame, Framing
from .head import head_shape
from .landmarks import LANDMARKS, landmark_points
from .orbit import Orbit, orbit_frame, runs
from .skeleton import BODY_LANDMARKS, body_points, skeleton
from .truth import TRUTH, draw_truth

OUTPUTS = ("image", "segmentation", "landmarks", "depth", "normals", "uv", "camera", "points", "part")
"""Everything that `render` can give; the first three are what it gives when nothing is said."""
_SHINE = {
    "skin": 0.10,
    "nose": 0.16,
    "ears": 0.06,
    "neck": 0.04,
    "hair": 0.20,
    "hair_back": 0.06,
    "hat": 0.05,
    "headphones": 0.3,
    "earrings": 0.6,
}
_CHUNK = {"cpu": 24 * 128 * 128, "cuda": 512 * 128 * 128}  # pixels rendered at once: cache on a CPU, memory on a GPU


class Render:
    """Pictures with their truth, as attributes; an output that was not asked for raises AttributeError.

    image: float32 [N, 3, H, W] in [-1, 1].
    segmentation: uint8 [N, H, W], an index into REGIONS, of half figures into BODY_REGIONS, with the group "unseen" into
        ALL_REGIONS; of the rays of a pixel the commonest.
    landmarks: float32 [N, K, 2], pixel coordinates (x, y) of LANDMARKS (0 is the left / top edge of the picture).
        Left and right are the picture's. A landmark is where the feature is, also where hair, hat or glasses hide it.
        Half figures have BODY_LANDMARKS, the middles of their joints, behind them.
    depth: float32 [N, H, W], distance from the camera plane in head units (half the height of a head); background inf.
    normals: float32 [N, 3, H, W], unit vectors in camera axes (x right, y up, z to the viewer); background 0. They are
        those of the surface; light sees the root of the nose and curls a little softer.
    uv: float32 [N, 2, H, W] in [0, 1], coordinates that stay with a point of the surface when the head turns; background
        -1. u is the longitude, 0.5 straight ahead, growing to the picture's right. v in [0, 0.75] is the head's latitude
        from the crown down (hair, hat, beard and glasses included), in [0.75, 1] the height on neck and clothes. Torso,
        sleeves, arms, hands and thumbs of half figures have charts of their own, see `torso_uv` and `limb_uv`:
        (part, u, v) names a point of the surface in every pose.
    camera: matrices that bring head coordinates to pixels and depth.
    points: float32 [N, K, 3], LANDMARKS in head coordinates; ``camera.project(points)[..., :2]`` is `landmarks`.
    part: uint8 [N, H, W], an index into PARTS: which solid is in front. With uv it names a point of the surface, where
        segmentation says what is painted there.

    depth, normals, uv and part are of the ray through the centre of a pixel. Lenses are clear: behind them the face is seen.
    Iterating gives what was asked for, in the order of OUTPUTS.
    """

    image: Tensor
    segmentation: Tensor
    landmarks: Tensor
    depth: Tensor
    normals: Tensor
    uv: Tensor
    camera: Camera
    points: Tensor
    part: Tensor

    def __init__(self, **made: Tensor | Camera) -> None:
        self.__dict__.update({name: made[name] for name in OUTPUTS if name in made})

    def __getattr__(self, name: str) -> Tensor:
        if name in OUTPUTS:
            raise AttributeError(f"this Render has no {name}; ask for it: render(..., outputs=({name!r}, ...))")
        raise AttributeError(name)

    @property
    def names(self) -> tuple[str, ...]:
        """The outputs that are there."""
        return tuple(self.__dict__)

    def __iter__(self) -> Iterator[Tensor | Camera]:
        return iter(self.__dict__.values())

    def rows(self, index: int | slice) -> Render:
        """The truth of one picture, without the batch axis, or of some."""
        return Render(
            **{
                name: Camera(*(m[index] for m in value)) if isinstance(value, Camera) else value[index]
                for name, value in self.__dict__.items()
            }
        )

    def __repr__(self) -> str:
        shapes = (f"{n}={list(v.shape)}" if isinstance(v, Tensor) else n for n, v in self.__dict__.items())
        return f"Render({', '.join(shapes)})"


class _Job(NamedTuple):
    """What to draw per pixel."""

    resolution: int
    supersample: int
    names: tuple[str, ...]
    groups: tuple[str, ...] = HEAD
    orbit: Frame | None = None
    framing: Framing = FRAMINGS["head"]
    seeds: Tensor | None = None  # of detail, int64 [N]; None draws it as it is on average

    def chunks(self, factors: Tensor) -> Iterator[tuple[Tensor, _Job]]:
        """Pieces of a batch, each with what there is to do for it; a picture that is not orbited has no orbit."""
        size = self.resolution * self.supersample
        count = max(1, _CHUNK.get(factors.device.type, _CHUNK["cpu"]) // (size * size))
        for home, rows in runs(self.orbit, len(factors)):
            for start in range(rows.start, rows.stop, count):
                piece = slice(start, min(start + count, rows.stop))
                orbit = None if home or self.orbit is None else self.orbit.rows(piece)
                seeds = None if self.seeds is None else self.seeds[piece]
                yield factors[piece], self._replace(orbit=orbit, seeds=seeds)


def render(
    factors: Tensor | ArrayLike,
    resolution: int = 128,
    supersample: int = 2,
    outputs: Collection[str] = ("image", "segmentation", "landmarks"),
    grad: bool = False,
    groups: Sequence[str] = HEAD,
    orbit: Orbit = (0.0, 0.0),
    framing: str = "head",
    detail_seed: int | Tensor | None = 0,
) -> Render:
    """Draw avatars.

    Args:
        factors: [N, F] in natural units, as `sample` gives; its device is where the work is done.
        resolution: side of the picture in pixels.
        supersample: rays per pixel and axis; 2 gives smooth edges.
        outputs: which of OUTPUTS to make.
        grad: make the floating outputs differentiable with respect to the continuous and circular factors. The values
            are the same to the last bit; a backward pass draws everything once more, so it costs no memory in between
            (and there is no second derivative). Gradients are exact inside surfaces and at the soft edges of what is
            painted on the face (eyes, brows, mouth, glasses); that the outline of a solid part moves over a pixel is
            not seen by them. Categorical factors get zero.
        groups: of factors that the rows have; "head" among them.
        orbit: how far the camera has gone round the avatar, as (yaw, pitch) of what it then sees, in degrees, -180 to 180
            and -60 to 60: head, body, light and highlights turn together about the top of the neck, as these angles turn a
            head. (yaw, pitch) for all, or a tensor [N, 2]; it gets no gradient. Two orbits of an avatar show one scene that
            stands still, which two poses do not: with the factors the body turns by a quarter, and the light not at all.
            The backdrop stays with the viewer.
        framing: "head": head and neck, whatever else the rows have. "half": head to hips, of rows with the group "body".
        detail_seed: which freckle and which strand lies where, of rows with the group "detail": a whole number for all, or
            int64 [N]. The same seed gives the same places whatever the size, the pose and the other pictures. None leaves
            nothing to chance: the average of all seeds, stubble as an even shadow.

    Raises:
        ValueError: wrong shape, resolution, supersample, output, group, orbit, framing or detail_seed.
    """
    factors = float_tensor(factors)
    with_head(groups, "render").check(factors.shape, "render")
    framed(framing, groups)
    if resolution < 8 or not 1 <= supersample <= 4:
        raise ValueError(f"render accepts resolution >= 8 and supersample 1 to 4, got {resolution} and {supersample}")
    asked = (outputs,) if isinstance(outputs, str) else tuple(outputs)
    for name in asked:
        if name not in OUTPUTS:
            raise unknown_name("output", name, OUTPUTS)
    names = tuple(n for n in ("image", "segmentation", *TRUTH) if n in asked)
    seeds = seeds_of(detail_seed, factors) if "detail" in groups else None
    job = _Job(resolution, supersample, names, tuple(groups), orbit_frame(orbit, factors), FRAMINGS[framing], seeds)
    with torch.set_grad_enabled(grad):
        made = _positions(factors, job, asked)
        if job.names:
            drawn = _Draw.apply(factors, job) if grad else draw(factors, job)  # type: ignore[no-untyped-call]
            made |= dict(zip(job.names, drawn, strict=True))
    return Render(**made)


def _positions(factors: Tensor, job: _Job, asked: Collection[str]) -> dict[str, Tensor | Camera]:
    """What needs no pixels, as far as it was asked for: camera and landmarks."""
    v = by_name(factors, job.groups)
    half = job.framing == FRAMINGS["half"]
    head, body = frames(v, job.orbit, half)
    made: dict[str, Tensor | Camera] = {"camera": (camera := camera_of(head, body, job.resolution, job.framing))}
    if "points" in asked or "landmarks" in asked:
        points = landmark_points(v, head_shape(v["face_width"], v["jaw"]))
        points = torch.cat([points, body_points(skeleton(v, body), head, body)], 1) if half else points
        made |= {"points": points, "landmarks": camera.project(points)[..., :2]}
    return {name: value for name, value in made.items() if name in asked}


def draw(factors: Tensor, job: _Job) -> tuple[Tensor, ...]:
    """What needs pixels, in the order of ``job.names``, a piece of the batch at a time."""
    if not len(factors):
        return tuple(x[:0] for x in draw(factors.new_zeros(1, factors.shape[1]), job._replace(orbit=None, seeds=None)))
    parts = [_draw_chunk(chunk, its) for chunk, its in job.chunks(factors)]
    return tuple(torch.cat(p) for p in zip(*parts, strict=True))


def _same(saved: Tensor) -> Tensor:
    return saved


class _Draw(torch.autograd.Function):
    """`draw` with a backward pass that draws again, recording this time. Drawing works in place to be quick, so what
    is kept for the way back are copies, which no later step overwrites."""

    @staticmethod
    def forward(ctx: Any, factors: Tensor, job: _Job) -> tuple[Tensor, ...]:
        ctx.job = job
        ctx.save_for_backward(factors)
        ctx.set_materialize_grads(False)
        made = draw(factors, job)
        ctx.mark_non_differentiable(*(x for x in made if not x.is_floating_point()))
        return made

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor, None]:
        wanted = {name: g for name, g in zip(ctx.job.names, gradients, strict=True) if g is not None}
        job = ctx.job._replace(names=tuple(wanted))
        pieces, start = [], 0
        for chunk, its in job.chunks(ctx.saved_tensors[0]):
            with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(torch.clone, _same):
                leaf = chunk.detach().requires_grad_()
                made = _draw_chunk(leaf, its)
                stop = start + len(chunk)
                pieces += torch.autograd.grad(made, leaf, [g[start:stop] for g in wanted.values()])
                start = stop
        return torch.cat(pieces), None


def _draw_chunk(factors: Tensor, job: _Job) -> list[Tensor]:
    made: dict[str, Tensor] = {}
    truth = [name for name in job.names if name in TRUTH]
    if "image" in job.names or "segmentation" in job.names:
        made["image"], made["segmentation"] = _paint(factors, job)
    if truth:
        made |= draw_truth(Scene.of(factors, job.resolution, job.groups, job.orbit, True, job.framing), truth)
    return [made[name] for name in job.names]


def _paint(factors: Tensor, job: _Job) -> tuple[Tensor, Tensor]:
    """Pictures and labels."""
    supersample = job.supersample
    size = job.resolution * supersample
    scene = Scene.of(factors, size, job.groups, job.orbit, framing=job.framing)
    assemble(scene)
    canvas, v = scene.canvas, scene.values
    part = canvas.part.long()
    table = _part_colours(scene)
    n = len(factors)
    albedo = table.gather(2, part.view(n, 1, -1).expand(-1, 3, -1)).view(n, 3, size, size)
    to_region = torch.tensor([region_of(p) for p in PARTS], dtype=torch.uint8, device=factors.device)
    label = to_region[part]
    shine = factors.new_tensor([_SHINE.get(p, 0.03) for p in PARTS])[part]
    shade = _occlusion(scene, part)
    glow = torch.zeros_like(shade)
    chance = Chance(job.seeds) if "detail" in job.groups else None
    if chance is not None:
        roughen(scene, chance, albedo, shade)
    paint_face(scene, albedo, label, shade, glow, shine, on_skin, over_face)
    if scene.skeleton is not None:
        paint_clothes(scene, albedo, label, shade)
    image = _light(scene, albedo, shade, glow, shine)
    backdrop = palette.background(v)[:, :, None, None] * _backdrop(scene)
    nothing = canvas.part == 0
    if scene.orbit is not None:
        nothing &= label != REGION["glasses"]  # from the side, their rims stand before the backdrop
    backdrop = patterned(scene, backdrop)
    if chance is not None:
        backdrop = rough_wall(scene, chance, backdrop)
    image = torch.where(nothing[:, None], backdrop, image).clamp_(0, 1)
    image = redrawn(scene, image, albedo, label)
    image = torch.nn.functional.avg_pool2d(image, supersample) if supersample > 1 else image
    return image.sqrt_().mul_(2).sub_(1), _downsample(label, supersample)


def _part_colours(scene: Scene) -> Tensor:
    """Base colour of every part, [N, 3, parts]."""
    v = scene.values
    skin, hair, clothes, hat = palette.skin(v), palette.hair(v), palette.clothes(v), palette.hat(v)
    ruddy = skin.new_tensor((1.0, 0.86, 0.84))
    colours = {
        "background": skin,
        "skin": skin,
        "nose": skin * ruddy,
        "ears": skin * ruddy,
        "neck": skin * 0.92,
        "clothes": clothes,
        "collar": clothes * 0.72,
        "hair_back": hair * 0.6,
        "hair": hair,
        "hat": hat,
        "hat_trim": hat * 0.55 + 0.012,
        "beard": palette.brow(v) * 1.15,
        "glasses": skin,
    }
    colours |= {p: clothes if "sleeve" in p or p == "torso" else skin for p in PARTS[PART["torso"] :]}
    if "headphones_hue" in v:
        colours["headphones"] = palette.hsl(v["headphones_hue"], 0.6, torch.full_like(v["headphones_hue"], 0.32))
        colours["earrings"] = palette.linear(skin.new_tensor((0.93, 0.76, 0.32)).expand_as(skin))
    return torch.stack([colours[p] for p in PARTS], 2)


def _occlusion(scene: Scene, part: Tensor) -> Tensor:
    """Light that reaches each pixel, 0..1: strands in the hair, dark under the chin and between hair and neck."""
    canvas = scene.canvas
    everything = canvas.window(None, (-9.0, 9.0), (-9.0, 9.0))
    x, y = (canvas.local(everything, scene.head, k, canvas.depth) for k in (0, 1))
    hairy = (part == PART["hair"]) | (part == PART["hair_back"]) | (part == PART["beard"])
    strand = (x / (1.75 - y).clamp_(min=0.35) * 34 + 1.3 * (y * 5).sin_()).sin_()
    shade = torch.where(hairy, 1 + 0.12 * strand, torch.ones_like(strand))
    inner = ((0.72 - x.abs()) * 2.2).clamp_(0, 1).mul_(((-0.25 - y) * 2.5).clamp_(0, 1))
    shade = torch.where(part == PART["hair_back"], shade - 0.5 * inner, shade)
    height = canvas.y[:, None] if scene.orbit is None else canvas.local(everything, scene.orbit, 1, canvas.depth)
    chin = ((height + 1.5) / 0.5).clamp_(0, 1)
    return torch.where(part == PART["neck"], 1 - 0.55 * chin * chin, shade)


def _light(scene: Scene, albedo: Tensor, shade: Tensor, glow: Tensor, shine: Tensor) -> Tensor:
    """One soft key light, light from the sky, and a highlight. Skin lets red light wrap further round."""
    v, canvas = scene.values, scene.canvas
    azimuth, elevation = torch.deg2rad(v["light_azimuth"]), torch.deg2rad(v["light_elevation"])
    key = torch.stack([azimuth.sin() * elevation.cos(), elevation.sin(), azimuth.cos() * elevation.cos()], 1)
    half = torch.nn.functional.normalize(key + key.new_tensor((0.0, 0.0, 1.0)), dim=1)
    up = key.new_tensor((0.0, 1.0, 0.0)).expand_as(key)
    if scene.orbit is not None:
        key, half, up = ((scene.orbit.matrix * d[:, None]).sum(2) for d in (key, half, up))
    nz = (canvas.slope_x.square().add_(canvas.slope_y.square())).add_(1).rsqrt_()

    def facing(direction: Tensor) -> Tensor:
        d = direction[:, :, None, None]
        return (d[:, 2] - d[:, 0] * canvas.slope_x).addcmul_(d[:, 1], canvas.slope_y, value=-1).mul_(nz)

    lambert = facing(key)
    sky = facing(up).mul_(0.12).add_(0.30)
    gloss = facing(half).clamp_(min=0)
    for _ in range(4):
        gloss.square_()
    gloss.mul_(shine)
    channels = []
    for c, (wrap, key_colour, sky_colour) in enumerate(((0.42, 0.92, 1.04), (0.32, 0.89, 1.07), (0.28, 0.86, 1.12))):
        light = (lambert + wrap).mul_(key_colour / (1 + wrap)).clamp_(min=0).addcmul_(sky, sky.new_tensor(sky_colour))
        light.lerp_(torch.full_like(light, 0.95), glow).mul_(shade)
        channels.append(light.mul_(albedo[:, c]).add_(gloss))
    return torch.stack(channels, 1)


def _backdrop(scene: Scene) -> Tensor:
    """A soft vignette, [1, 1, H, W]."""
    view, middle = scene.canvas.framing
    x, y = scene.canvas.x / view, (scene.canvas.y - middle) / view
    return (1.06 - 0.16 * (x[None, :] ** 2 + (y[:, None] - 0.15) ** 2))[None, None]


def _downsample(label: Tensor, supersample: int) -> Tensor:
    """The commonest label among the rays of a pixel."""
    if supersample == 1:
        return label
    n, size, _ = label.shape
    small = size // supersample
    rays = label.view(n, small, supersample, small, supersample).permute(0, 1, 3, 2, 4).reshape(n, small, small, -1)
    if supersample > 2:
        return rays.mode(3).values
    a, b, c, d = rays.unbind(3)
    # of four: whichever equals another one wins, the first ray if all differ
    pair = torch.where((a == b) | (a == c) | (a == d), a, torch.where((b == c) | (b == d), b, c))
    return torch.where(((a == b) | (a == c) | (a == d)) | (b == c) | (b == d) | (c == d), pair, a)


__all__ = [
    "ALL_REGIONS",
    "BODY_LANDMARKS",
    "BODY_REGIONS",
    "LANDMARKS",
    "OUTPUTS",
    "PARTS",
    "REGIONS",
    "Camera",
    "Render",
    "render",
]
