"""Stochastic detail: freckles, pores, stubble, strands of hair, knitted cloth, and a grain in the wall.

It lies on the surface and turns with it. Its amounts are factors; where it lies is chance, a function of the seed and the place
alone, so a picture of another size or from another side shows the same freckles. What is finer than a pixel fades.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .. import palette
from ..body import PART, Scene
from .chance import Chance

DETAIL = ("freckles", "pores", "stubble", "strands", "knit", "grain")
_FRECKLE = 0.062  # cell of a freckle, in head units
_PORE = 0.017
_STRAND = 0.024
_STITCH = (0.05, 0.04)  # across and down
_GRAIN = 0.024


def roughen(scene: Scene, chance: Chance, albedo: Tensor, shade: Tensor) -> None:
    """Change colours [N, 3, H, W] and light [N, H, W] of everything but the wall, in place, before eyes and mouth are painted."""
    canvas, v = scene.canvas, scene.values
    amount = {name: v[name][:, None, None] for name in DETAIL}
    everything = canvas.window(None, (-9.0, 9.0), (-9.0, 9.0))
    part = canvas.part
    depth = canvas.depth.clamp(min=-3)
    x, y, z = (canvas.local(everything, scene.head, k, depth) for k in range(3))
    skin = (part == PART["skin"]) | (part == PART["nose"])
    if _any(v, "freckles", "pores", "stubble"):
        _skin(scene, chance, amount, (x, y, z), skin & (z > -0.1), albedo, shade)
    hairy = (part == PART["hair"]) | (part == PART["hair_back"]) | (part == PART["beard"])
    if _any(v, "strands"):
        around, along = torch.atan2(x, z + 0.25) / (_STRAND * 1.15), (y + 3) / 0.22
        strand = _smooth(chance, around.floor(), along, 20)
        shade.mul_(1 + 0.3 * amount["strands"] * _seen(scene, _STRAND) * strand * hairy)
    cloth = _any_of(part, "clothes", "collar", "hat", "hat_trim", "torso") | _sleeves(part)
    if _any(v, "knit"):
        of_head = _any_of(part, "hat", "hat_trim")
        bx, by, bz = (canvas.local(everything, scene.body, k, depth) for k in range(3))
        across = torch.where(of_head, torch.atan2(x, z), torch.atan2(bx, bz + 0.9)) / _STITCH[0]
        down = torch.where(of_head, y, by) / _STITCH[1]
        shade.mul_(1 + amount["knit"] * _seen(scene, _STITCH[1]) * _stitches(chance, across, down) * cloth)


def rough_wall(scene: Scene, chance: Chance, wall: Tensor) -> Tensor:
    """The wall [N, 3, H, W] with its grain; it stays with the viewer."""
    if not _any(scene.values, "grain"):
        return wall
    canvas = scene.canvas
    n, size = canvas.depth.shape[:2]
    i, j = (((a + 8) / _GRAIN).floor() for a in (canvas.y[:, None], canvas.x[None, :]))
    i, j = i.expand(n, size, size), j.expand(n, size, size)
    rough = chance.normal(i, j, 40) + 0.8 * chance.normal((i / 3).floor(), (j / 3).floor(), 42)
    amount = scene.values["grain"][:, None, None] * _seen(scene, _GRAIN)
    return wall * (1 + 0.07 * amount * rough)[:, None]


def _any(v: palette.Values, *names: str) -> bool:
    return any(bool((v[name].detach() > 0).any()) for name in names)


def _any_of(part: Tensor, *names: str) -> Tensor:
    table = torch.zeros(256, dtype=torch.bool, device=part.device)
    table[[PART[name] for name in names]] = True
    return table[part.int()]


def _sleeves(part: Tensor) -> Tensor:
    return _any_of(part, *(name for name in PART if "sleeve" in name))


def _seen(scene: Scene, size: float) -> float:
    """How much of a texture with cells of that size pixels can show."""
    return min(1.0, size / scene.canvas.pixel)


def _skin(
    scene: Scene,
    chance: Chance,
    amount: dict[str, Tensor],
    place: tuple[Tensor, Tensor, Tensor],
    skin: Tensor,
    albedo: Tensor,
    shade: Tensor,
) -> None:
    x, y, z = place
    around = torch.atan2(x, z) * 0.85
    tone = palette.skin(scene.values)
    # freckles: at most one a cell, most on cheeks and nose; more of them keep the earlier ones
    u, w = around / _FRECKLE + 400, y / _FRECKLE + 400
    i, j = u.floor(), w.floor()
    dice = [chance.cells(i, j, field) for field in (2, 3, 4)]
    many = (-(((x.abs() - 0.3) / 0.42) ** 2) - ((y + 0.2) / 0.26) ** 2).exp() + 0.08
    radius = (0.13 + 0.17 * dice[2]) * _FRECKLE
    du, dw = (((a - b - 0.5) - 0.4 * (c - 0.5)) * _FRECKLE for a, b, c in ((u, i, dice[0]), (w, j, dice[1])))
    edge = max(scene.canvas.pixel, 0.3 * _FRECKLE * 0.3)
    spot = (0.5 - ((du * du + dw * dw).sqrt() - radius) / edge).clamp(0, 1)
    there = chance.rare(i, j, 1, 0.9 * amount["freckles"] * many)
    if chance.seeds is None:
        spot = torch.full_like(spot, 0.2)  # of a cell, on average
    spot = spot * there * skin * _seen(scene, _FRECKLE)
    brown = tone * tone.new_tensor((0.66, 0.47, 0.38))
    albedo.lerp_(brown[:, :, None, None].expand_as(albedo), 0.85 * spot[:, None])
    # pores, and stubble where a beard would grow
    i, j = (around / _PORE).floor() + 4000, (y / _PORE).floor() + 4000
    shade.mul_(1 + 0.1 * amount["pores"] * _seen(scene, _PORE) * chance.normal(i, j, 8) * skin)
    line = -0.36 + 0.75 * (x.abs() - 0.34).clamp(min=0)
    jaw = ((line - y) / 0.12).clamp(0, 1) * skin
    hair = 0.55 + (chance.rare(i, j, 10, 0.55) - 0.55) * _seen(scene, _PORE)
    dark = palette.brow(scene.values)
    cover = (0.5 * amount["stubble"] * jaw * hair)[:, None]
    albedo.lerp_(dark[:, :, None, None].expand_as(albedo), cover)


def _smooth(chance: Chance, i: Tensor, along: Tensor, field: int) -> Tensor:
    """Chance that changes slowly along a strand and at once from strand to strand, deviation about 1."""
    i = i + 500
    along = along + chance.cells(i, torch.zeros_like(i), field) * 7
    j = along.floor()
    t = along - j
    t = t * t * (3 - 2 * t)
    low, high = (chance.normal(i, j + k, field + 1) for k in (0, 1))
    return torch.lerp(low, high, t)


def _stitches(chance: Chance, across: Tensor, down: Tensor) -> Tensor:
    """Rows of stitches like the letter V, each a little lighter or darker than the next."""
    across = across + 500
    i = across.floor()
    place = (across - i - 0.5).abs()
    down = down + 500 - place * 0.9
    j = down.floor()
    valley = (down - j - 0.5).abs() * 2 + place
    return 0.16 * chance.normal(i, j, 30) - 0.3 * (valley - 0.75)
