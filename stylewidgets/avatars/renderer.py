"""Factors to pictures: geometry, paint, light, and the exact ground truth that comes with them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from stylewidgets.avatars import palette
from stylewidgets.avatars.body import PART, PARTS, Scene, build
from stylewidgets.avatars.factors import NUM_FACTORS
from stylewidgets.avatars.features import EYE_X, EYE_Y, REGION, REGIONS, mouth_corner, paint_face
from stylewidgets.avatars.geometry import VIEW, VIEW_Y

LANDMARKS = ("eye_left", "eye_right", "nose_tip", "mouth_left", "mouth_right", "chin")
_REGION_OF_PART = {"collar": "clothes", "hair_back": "hair", "hat_trim": "hat"}
_SHINE = {"skin": 0.10, "nose": 0.16, "ears": 0.06, "neck": 0.04, "hair": 0.20, "hair_back": 0.06, "hat": 0.05}
_CHUNK = {"cpu": 24 * 128 * 128, "cuda": 512 * 128 * 128}  # pixels rendered at once: cache on a CPU, memory on a GPU


class Render(NamedTuple):
    """Pictures with their truth.

    image: float32 [N, 3, H, W] in [-1, 1]. segmentation: uint8 [N, H, W], an index into REGIONS.
    landmarks: float32 [N, K, 2], pixel coordinates (x, y) of LANDMARKS (0 is the left / top edge of the picture).
    Left and right are the picture's. A landmark is where the feature is, also where hair, hat or glasses hide it.
    """

    image: Tensor
    segmentation: Tensor
    landmarks: Tensor


@torch.no_grad()
def render(factors: Tensor, resolution: int = 128, supersample: int = 2) -> Render:
    """Draw avatars.

    Args:
        factors: [N, NUM_FACTORS] in natural units, as `sample` gives; its device is where the work is done.
        resolution: side of the picture in pixels.
        supersample: rays per pixel and axis; 2 gives smooth edges.

    Raises:
        ValueError: wrong shape, resolution or supersample.
    """
    if factors.ndim != 2 or factors.shape[1] != NUM_FACTORS:
        raise ValueError(f"render needs factors [N, {NUM_FACTORS}], got {tuple(factors.shape)}")
    if resolution < 8 or not 1 <= supersample <= 4:
        raise ValueError(f"render accepts resolution >= 8 and supersample 1 to 4, got {resolution} and {supersample}")
    size = resolution * supersample
    step = max(1, _CHUNK.get(factors.device.type, _CHUNK["cpu"]) // (size * size))
    factors = factors.to(torch.float32)
    parts = [_render_chunk(chunk, size, supersample) for chunk in torch.split(factors, step)] if len(factors) else []
    if not parts:
        return Render(factors.new_zeros(0, 3, resolution, resolution),
                      torch.zeros(0, resolution, resolution, dtype=torch.uint8, device=factors.device),
                      factors.new_zeros(0, len(LANDMARKS), 2))
    return Render(*(torch.cat(p) for p in zip(*parts, strict=True)))


def _render_chunk(factors: Tensor, size: int, supersample: int) -> Render:
    scene = Scene.of(factors, size)
    build(scene)
    canvas, v = scene.canvas, scene.values
    part = canvas.part.long()
    table = _part_colours(scene)
    n = len(factors)
    albedo = table.gather(2, part.view(n, 1, -1).expand(-1, 3, -1)).view(n, 3, size, size)
    to_region = torch.tensor([REGION[_REGION_OF_PART.get(p, p)] for p in PARTS], dtype=torch.uint8, device=factors.device)
    label = to_region[part]
    shine = factors.new_tensor([_SHINE.get(p, 0.03) for p in PARTS])[part]
    shade = _occlusion(scene, part)
    glow = torch.zeros_like(shade)
    paint_face(scene, albedo, label, shade, glow, shine)
    image = _light(scene, albedo, shade, glow, shine)
    backdrop = palette.background(v)[:, :, None, None] * _backdrop(scene)
    image = torch.where((canvas.part == 0)[:, None], backdrop, image).clamp_(0, 1)
    image = torch.nn.functional.avg_pool2d(image, supersample) if supersample > 1 else image
    return Render(image.sqrt_().mul_(2).sub_(1), _downsample(label, supersample), _landmarks(scene, size // supersample))


def _part_colours(scene: Scene) -> Tensor:
    """Base colour of every part, [N, 3, parts]."""
    v = scene.values
    skin, hair, clothes, hat = palette.skin(v), palette.hair(v), palette.clothes(v), palette.hat(v)
    ruddy = skin.new_tensor((1.0, 0.86, 0.84))
    colours = {"background": skin, "skin": skin, "nose": skin * ruddy, "ears": skin * ruddy, "neck": skin * 0.92,
               "clothes": clothes, "collar": clothes * 0.72, "hair_back": hair * 0.6, "hair": hair, "hat": hat,
               "hat_trim": hat * 0.55 + 0.012, "beard": palette.brow(v) * 1.15}
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
    chin = ((canvas.y[:, None] + 1.5) / 0.5).clamp_(0, 1)
    return torch.where(part == PART["neck"], 1 - 0.55 * chin * chin, shade)


def _light(scene: Scene, albedo: Tensor, shade: Tensor, glow: Tensor, shine: Tensor) -> Tensor:
    """One soft key light, light from the sky, and a highlight. Skin lets red light wrap further round."""
    v, canvas = scene.values, scene.canvas
    azimuth, elevation = torch.deg2rad(v["light_azimuth"]), torch.deg2rad(v["light_elevation"])
    key = torch.stack([azimuth.sin() * elevation.cos(), elevation.sin(), azimuth.cos() * elevation.cos()], 1)
    half = torch.nn.functional.normalize(key + key.new_tensor((0.0, 0.0, 1.0)), dim=1)
    nz = (canvas.slope_x.square().add_(canvas.slope_y.square())).add_(1).rsqrt_()

    def facing(direction: Tensor) -> Tensor:
        d = direction[:, :, None, None]
        return (d[:, 2] - d[:, 0] * canvas.slope_x).addcmul_(d[:, 1], canvas.slope_y, value=-1).mul_(nz)

    lambert = facing(key)
    sky = (canvas.slope_y * nz).mul_(-0.12).add_(0.30)
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
    x, y = scene.canvas.x / VIEW, (scene.canvas.y - VIEW_Y) / VIEW
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


def _landmarks(scene: Scene, resolution: int) -> Tensor:
    """LANDMARKS in pixels, [N, K, 2]."""
    v = scene.values
    zero = torch.zeros_like(v["yaw"])
    half, corner = mouth_corner(v)
    x = torch.stack([zero - EYE_X, zero + EYE_X, zero, -half, half, zero], 1)
    y = torch.stack([zero + EYE_Y, zero + EYE_Y, -0.25 - 0.02 * v["nose_size"], corner, corner, zero - 0.985], 1)
    z = scene.shape.front(x, y)
    z[:, 2] = 0.96 + 0.15 * v["nose_size"]
    camera = scene.head.project(torch.stack([x, y, z], 2))
    u = (camera[..., 0] + VIEW) * (resolution / (2 * VIEW))
    w = (VIEW_Y + VIEW - camera[..., 1]) * (resolution / (2 * VIEW))
    return torch.stack([u, w], 2)


__all__ = ["LANDMARKS", "REGIONS", "Render", "render"]
