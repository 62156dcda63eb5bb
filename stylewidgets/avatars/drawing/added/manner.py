"""Other ways to draw the same scene: a cartoon with flat tones, and a pencil that hatches.

Lines follow the surface: hatching has the coordinates of head and body, outlines those of the z-buffer.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..body import PART, Scene

_LINE = 0.018  # half as wide as an outline is, in head units
_TONES = (0.28, 0.62, 0.98)  # of a cartoon: how much light, from dark to light
_STEPS = (0.42, 0.78)  # where one tone ends
_HATCHES = ((0.7, 0.7, 0.80), (0.7, -0.7, 0.55), (1.0, 0.1, 0.32))  # direction, and how dark it must be
_HATCH = 0.055  # from line to line


def redrawn(scene: Scene, image: Tensor, albedo: Tensor, label: Tensor) -> Tensor:
    """The picture [N, 3, H, W] in linear light, drawn as the factor "drawing" says; `albedo` is its colours without light."""
    if "unseen" not in scene.groups:
        return image
    for kind, draw in (("toon", _toon), ("pencil", _pencil)):
        rows = scene.which("drawing", kind)
        if rows is not None:
            made = draw(scene, rows, image[rows], albedo[rows], outlines(scene, rows, label))
            image = image.index_copy(0, rows, made)
    return image


def outlines(scene: Scene, rows: Tensor, label: Tensor) -> Tensor:
    """1 on the lines of a drawing: between what is painted differently, and where the depth jumps, [n, 1, H, W]."""
    canvas = scene.canvas
    reach = 2 * max(1, round(_LINE / canvas.pixel)) + 1
    painted = label[rows].to(image_type(canvas.depth))[:, None]
    depth = canvas.depth[rows][:, None].clamp(min=-3)

    def spread(values: Tensor) -> Tensor:
        low, high = (-F.max_pool2d(sign * values, reach, 1, reach // 2) * -sign for sign in (-1.0, 1.0))
        return (high - low).abs()

    return ((spread(painted) > 0) | (spread(depth) > 0.22)).to(canvas.depth.dtype)


def image_type(values: Tensor) -> torch.dtype:
    """Labels are pooled as numbers of this type."""
    return values.dtype


def _luminance(colours: Tensor) -> Tensor:
    """[N, 1, H, W] of linear light."""
    return (colours * colours.new_tensor((0.3, 0.59, 0.11)).view(1, 3, 1, 1)).sum(1, keepdim=True)


def _toon(scene: Scene, rows: Tensor, image: Tensor, albedo: Tensor, lines: Tensor) -> Tensor:
    wall = (scene.canvas.part[rows] == 0)[:, None]
    light = (_luminance(image) / _luminance(albedo).clamp(min=1e-3)).clamp(0, 1.2)
    tone = torch.full_like(light, _TONES[0])
    for step, value in zip(_STEPS, _TONES[1:], strict=True):
        tone = torch.where(light > step, value, tone)
    vivid = torch.lerp(_luminance(albedo).expand_as(albedo), albedo, 1.3).clamp(min=0)
    drawn = torch.where(wall, image, vivid * tone)
    return drawn * (1 - lines) + 0.004 * lines


def _pencil(scene: Scene, rows: Tensor, image: Tensor, _albedo: Tensor, lines: Tensor) -> Tensor:
    canvas = scene.canvas
    everything = canvas.window(rows, (-9.0, 9.0), (-9.0, 9.0))
    depth = canvas.depth[rows].clamp(min=-1)
    part = canvas.part[rows]
    of_body = (part == PART["neck"]) | (part == PART["clothes"]) | (part == PART["collar"]) | (part == PART["torso"])
    x, y = (
        torch.where(
            of_body,
            canvas.local(everything, scene.body.rows(rows), k, depth),
            canvas.local(everything, scene.head.rows(rows), k, depth),
        )
        for k in (0, 1)
    )
    bright = _luminance(image).clamp(0, 1).sqrt()[:, 0]
    ink = torch.zeros_like(bright)
    for across, up, dark in _HATCHES:
        place = (across * x + up * y) / _HATCH
        width = ((dark - bright) * 1.1).clamp(0, 0.42)  # of half a line, as a share of the distance
        cover = ((width - (place - place.round()).abs()) * (_HATCH / canvas.pixel) + 0.5).clamp(0, 1) * (width > 0)
        ink = torch.maximum(ink, cover * 0.75)
    wall = (part == 0)[:, None]
    paper = torch.where(wall, 0.72 + 0.2 * _luminance(image), torch.full_like(lines, 0.9))
    graphite = torch.maximum(torch.where(wall, 0.0, ink[:, None]), 0.9 * lines)
    return torch.lerp(paper, torch.full_like(paper, 0.03), graphite).expand_as(image)
