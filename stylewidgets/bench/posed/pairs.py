"""What is measured: pairs of poses, parts of another avatar, patterns and letters; one row of plain numbers each."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ...avatars import BODY, PARTS, sample, sample_in_poses, swap_factors
from ...avatars.surface import GARMENTS
from ...avatars.world.body import LETTERS
from ...avatars.world.groups import columns
from ...generators.posed import Posed
from ...metrics.similarity import psnr, ssim
from .features import distance
from .ways import COPY, every, figure, truth

SEED = 9_100_000
"""Of the first avatar; training has others."""
TORSO = PARTS.index("torso")
VISIBLE = 24
"""Pixels at 64 by 64 that a part has to have in source and target to be looked at."""
LETTER_SIZE = 128
DETAIL = 7
"""Pixels of a side over whose mean a pattern is looked at."""
GREY = 127.5

Row = dict[str, Any]


def pairs(count: int, seed: int = SEED) -> Tensor:
    """Avatars in two poses each, [count, 2, F]."""
    return torch.from_numpy(sample_in_poses(count, 2, seed))


def reposed(pair: Tensor, generator: Posed) -> Row:
    """One avatar [2, F] by every way: PSNR, SSIM and perceptual distance of the whole picture, PSNR of the body, and how far
    colours are off where the source hides the body, in grey levels."""
    size = generator.resolution
    drawn, given = every(lambda way: figure(pair[0], way), pair[1], size, generator)
    wanted = truth(pair[1:], size).image
    assert given.exact is not None
    body = given.body
    hidden = body * (given.exact.known < 1)
    return {
        name: {
            "psnr": float(psnr(picture, wanted)),
            "body": float(psnr(picture, wanted, body)),
            "ssim": float(ssim(picture, wanted)),
            "perceptual": distance(picture, wanted),
            "hidden": off(picture, wanted, hidden),
        }
        for name, picture in drawn.items()
    }


def off(picture: Tensor, wanted: Tensor, mask: Tensor) -> float | None:
    """Mean absolute difference in a mask [1, 1, H, W], in grey levels of 255; None where it is empty."""
    if not mask.any():
        return None
    return float(((picture - wanted).abs() * mask).sum() / (3 * mask.sum()) * GREY)


FOLLOWS = {"hat": ("clothes_hue", "clothes_lightness"), "beard": ("hair_hue", "hair_lightness")}
"""Colours that a part has from elsewhere: the re-render shows those of the wearer, so the other gets the same."""


def partners(part: str, count: int, seed: int = SEED) -> list[tuple[Tensor, Tensor]]:
    """Avatars in two poses [2, F], each with another [F] that shows a part; both are looked at in 64 by 64 pixels."""
    found: list[tuple[Tensor, Tensor]] = []
    labels = _labels(part)
    spare = 24
    for batch in range(200):
        own = pairs(spare, seed + 1 + batch)
        others = torch.from_numpy(sample(spare, seed + 100_000 + batch, groups=BODY))
        for name in FOLLOWS.get(part, ()):
            others[:, columns(BODY).index[name]] = own[:, 0, columns(BODY).index[name]]
        mixed = swap_factors(own[:, 1], others, part, BODY)
        shown = [torch.isin(truth(rows, 64, "part").part.long(), labels).sum(dim=(1, 2)) for rows in (mixed, others)]
        for k in range(spare):
            if min(int(seen[k]) for seen in shown) >= VISIBLE and not torch.equal(mixed[k], own[k, 1]):
                found.append((own[k], others[k]))
                if len(found) == count:
                    return found
    raise ValueError(f"too few avatars show {part}")


def _labels(part: str) -> Tensor:
    return torch.tensor(GARMENTS[part], dtype=torch.int64, device="cpu")


def worn(part: str, pair: Tensor, other: Tensor, generator: Posed) -> Row:
    """A part of another avatar [F] on one that goes from its first pose to its second [2, F], against the exact re-render: grey
    levels off inside the part, and PSNR of the whole."""
    size = generator.resolution
    mixed = swap_factors(pair[1:], other[None], part, BODY)
    wanted = truth(mixed, size, "part")
    mask = torch.isin(wanted.part.long(), _labels(part))[:, None].float()
    theirs = every(lambda way: figure(pair[0], way).wearing(figure(other, way), part), pair[1], size, generator)[0]
    plain = every(lambda way: figure(pair[0], way), pair[1], size, generator)[0]
    drawn = {
        **{name: value for name, value in theirs.items() if name != COPY},
        "network, no transfer": plain["network, exact"],
    }
    return {
        name: {"part": off(picture, wanted.image, mask), "psnr": float(psnr(picture, wanted.image))}
        for name, picture in drawn.items()
    }


def patterned(pattern: str, count: int, seed: int = SEED) -> Tensor:
    """Avatars in two poses with one pattern, [count, 2, F], whose torso is seen in both."""
    at = columns(BODY)
    column = at.index["pattern"]
    chosen = float(at.factors[column].categories.index(pattern))
    found: list[Tensor] = []
    for batch in range(200):
        rows = pairs(24, seed + 200_000 + batch)
        rows[:, :, column] = chosen
        shown = truth(rows.flatten(0, 1), 64, "part").part.view(24, 2, 64, 64) == TORSO
        found += [row for row, seen in zip(rows, shown, strict=True) if int(seen.sum(dim=(1, 2)).min()) >= 8 * VISIBLE]
        if len(found) >= count:
            return torch.stack(found[:count])
    raise ValueError(f"too few avatars show {pattern}")


def pattern(pair: Tensor, generator: Posed) -> Row:
    """How a pattern [2, F] is kept: correlation with the re-render inside the torso, of colours and of what differs from the
    mean of `DETAIL` pixels around."""
    size = generator.resolution
    drawn = every(lambda way: figure(pair[0], way), pair[1], size, generator)[0]
    wanted = truth(pair[1:], size, "part")
    mask = (wanted.part == TORSO)[:, None].float()
    return {
        name: {
            "colours": correlation(picture, wanted.image, mask),
            "detail": correlation(detail(picture, mask), detail(wanted.image, mask), mask),
        }
        for name, picture in drawn.items()
    }


def detail(picture: Tensor, mask: Tensor) -> Tensor:
    """What differs from the mean around, taken inside a mask."""
    around, share = (torch.nn.functional.avg_pool2d(x, DETAIL, 1, DETAIL // 2) for x in (picture * mask, mask))
    return picture - around / share.clamp_min(1e-6)


def correlation(a: Tensor, b: Tensor, mask: Tensor) -> float:
    """Of pixels in a mask [1, 1, H, W], each colour less its mean, all colours together."""
    there = mask[0, 0] > 0
    x, y = (picture[0][:, there].double() for picture in (a, b))
    x, y = x - x.mean(dim=1, keepdim=True), y - y.mean(dim=1, keepdim=True)
    return float((x * y).sum() / (x.norm() * y.norm()).clamp_min(1e-12))


def badges(count: int, seed: int = SEED) -> Tensor:
    """Avatars in two poses with a badge that both show, letters in turn, [count, 2, F]."""
    at = columns(BODY)
    found: list[Tensor] = []
    for batch in range(200):
        rows = pairs(16, seed + 300_000 + batch)
        rows[:, :, at.index["pattern"]] = float(at.factors[at.index["pattern"]].categories.index("badge"))
        for row in rows:
            row[:, at.index["badge_letter"]] = float(len(found) % len(LETTERS))
            sizes = [int(region.sum()) for region in (letters(end)[1] for end in row)]
            if min(sizes) >= VISIBLE * 4:
                found.append(row)
            if len(found) == count:
                return torch.stack(found)
    raise ValueError("too few avatars show their badge")


def letters(row: Tensor, size: int = LETTER_SIZE) -> tuple[Tensor, Tensor]:
    """An avatar [F] with each of LETTERS on its badge, [8, 3, H, W], and where these differ, [1, 1, H, W]."""
    column = columns(BODY).index["badge_letter"]
    rows = row.repeat(len(LETTERS), 1)
    rows[:, column] = torch.arange(len(LETTERS), dtype=rows.dtype, device=rows.device)
    images = truth(rows, size).image
    different = (images - images.mean(dim=0)).abs().amax(dim=(0, 1), keepdim=True) > 0.1
    return images, torch.nn.functional.max_pool2d(different.float(), 3, 1, 1)


def letter(pair: Tensor, generator: Posed) -> Row:
    """Whether the letter on a badge [2, F] is read off each way's picture: of the re-renders with each letter, which is nearest.
    At `LETTER_SIZE` and at the network's own size."""
    column = columns(BODY).index["badge_letter"]
    found: Row = {}
    for size, net in ((LETTER_SIZE, None), (generator.resolution, generator)):
        images, region = letters(pair[1], size)
        drawn = every(lambda way: figure(pair[0], way), pair[1], size, net)[0]
        for name, picture in drawn.items():
            far = ((picture - images).abs() * region).sum(dim=(1, 2, 3))
            found[f"{name}, {size} px"] = {"read": float(int(far.argmin()) == int(pair[1][column]))}
    return found
