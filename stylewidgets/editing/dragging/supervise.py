"""The two halves of a step of DragGAN: where the handles are now, and which way their surroundings are to go.

Both work on features of one layer, seen at pixels of the picture. A `Sheet` says what is at a place there.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Sheet:
    """How features [1, C, h, w] lie on a picture of H × W pixels.

    Args:
        height, width: of the picture.
        published: enlarge the features to the picture's size first, their rim (StyleGAN3) included, as the published code
            does; else they are read where they are, which differs by less than a feature's width and is many times as quick.
    """

    height: int
    width: int
    published: bool = False

    def spread(self, features: Tensor) -> Tensor:
        """The features in the form that `at` and `within` take."""
        if not self.published:
            return features.float()
        return F.interpolate(features.float(), (self.height, self.width), mode="bilinear", align_corners=False)

    def at(self, features: Tensor, places: Tensor) -> Tensor:
        """Features [C, n] at places [n, 2], rows and columns in pixels; beyond the edge those of the edge."""
        size = torch.tensor([self.height, self.width], dtype=torch.float32, device=places.device)
        if self.published:
            grid = places / (size - 1) * 2 - 1
            # Zeros beyond the edge, as grid_sample has it of its own accord.
            return F.grid_sample(features, grid.flip(-1)[None, None], align_corners=True)[0, :, 0]
        there = torch.tensor(features.shape[-2:], dtype=torch.float32, device=places.device)
        # Features of StyleGAN3 have a rim around what is seen; without it their number is a power of two.
        seen = torch.exp2(torch.floor(torch.log2(there)))
        grid = ((places + 0.5) / size - 0.5) * 2 * seen / there
        return F.grid_sample(features, grid.flip(-1)[None, None], padding_mode="border", align_corners=False)[0, :, 0]

    def free(self, mask: Tensor, features: Tensor) -> Tensor:
        """A mask [H, W] in the size of what `spread` gave, [h, w]."""
        if self.published:
            return mask
        height, width = features.shape[-2:]
        rows = torch.arange(height, dtype=torch.float32, device=mask.device)
        columns = torch.arange(width, dtype=torch.float32, device=mask.device)
        places = torch.stack(torch.meshgrid(self._back(rows, height, self.height), self._back(columns, width, self.width),
                             indexing="ij"), -1)  # fmt: skip
        size = torch.tensor([self.height, self.width], dtype=torch.float32, device=mask.device)
        grid = ((places + 0.5) / size - 0.5) * 2
        return F.grid_sample(mask[None, None], grid.flip(-1)[None], padding_mode="border", align_corners=False)[0, 0]

    def grain(self, features: Tensor) -> int:
        """Pixels of the picture from one half of a feature to the next, 1 at least: closer places say nothing new."""
        return max(1, self.height // (2 << (features.shape[-2].bit_length() - 1)))

    @staticmethod
    def _back(index: Tensor, there: int, size: int) -> Tensor:
        """Pixels of the picture under features of these indices."""
        seen = 1 << (there.bit_length() - 1)
        return (index + 0.5 - there / 2) * size / seen + size / 2 - 0.5


def looked_for(sheet: Sheet, features: Tensor, points: Tensor) -> Tensor:
    """What handles [n, 2] are known by in the first picture, [C, n, places]: the features at and around each."""
    around = _around(sheet, features)
    places = (points.round()[:, None] + around).flatten(0, 1)
    return sheet.at(features, places).reshape(-1, len(points), len(around))


def track(sheet: Sheet, features: Tensor, looked_for: Tensor, points: Tensor, radius: int) -> Tensor:
    """Where the handles are now: the pixels, within `radius` of where they were, with the most similar features (eq. 4).

    Args:
        features: of now, as `Sheet.spread` gives them.
        looked_for: of the function of that name.
        points: where they were, [n, 2].
        radius: r₂ in pixels; the window is a square.

    Returns:
        [n, 2], whole pixels.
    """
    found = []
    around = _around(sheet, features)
    for k, point in enumerate(points):
        places = _window(sheet, point, radius)
        seen = sheet.at(features, (places[:, None] + around).flatten(0, 1)).reshape(-1, len(places), len(around))
        distance = (seen - looked_for[:, k : k + 1]).norm(dim=(0, 2))
        found.append(places[distance.argmin()])
    return torch.stack(found)


def motion(sheet: Sheet, features: Tensor, points: Tensor, targets: Tensor, radius: int) -> Tensor:
    """The loss of motion supervision (eq. 1): what is in a disc around each handle should be one pixel nearer its target.

    Its gradient pulls features that lie a pixel ahead towards those that are in the disc now, which are held constant.
    Handles within a pixel of their target ask for nothing.

    Args:
        features: of now, as `Sheet.spread` gives them; the loss is differentiable in them.
        points, targets: [n, 2].
        radius: r₁ in pixels.

    Returns:
        The sum over the handles of mean absolute differences.
    """
    loss = features.new_zeros(())
    for point, target in zip(points, targets, strict=True):
        way = target - point
        if way.norm() <= 1:
            continue
        disc = _disc(sheet, features, point, radius)
        here = sheet.at(features, disc).detach()
        loss = loss + (sheet.at(features, disc + way / (way.norm() + 1e-7)) - here).abs().mean()
    return loss


def _disc(sheet: Sheet, features: Tensor, point: Tensor, radius: int) -> Tensor:
    """Places in a disc, [n, 2]: every pixel, or two for each feature across where features are coarser than that."""
    if not sheet.published:
        grain = sheet.grain(features)
        offsets = (
            torch.arange(-(radius // grain), radius // grain + 1, dtype=torch.float32, device=point.device) * grain
        )
        places = point + torch.cartesian_prod(offsets, offsets)
        inside = (places >= 0) & (places <= point.new_tensor([sheet.height - 1, sheet.width - 1]))
        return places[((places - point).norm(dim=1) <= radius) & inside.all(1)]
    places = _window(sheet, point, radius + 2)
    # The published code measures along linspace(0, R, R), which ends one too far, and leaves the rim of the disc out.
    stretch = places.new_tensor([sheet.height / (sheet.height - 1), sheet.width / (sheet.width - 1)])
    return places[(places * stretch - point).norm(dim=1) < radius]


def _window(sheet: Sheet, point: Tensor, radius: int) -> Tensor:
    """The pixels of the picture in a square around a pixel, [n, 2]."""
    low = (point.round() - radius).clamp_min(0)
    high = torch.minimum(point.round() + radius, point.new_tensor([sheet.height - 1, sheet.width - 1]))
    rows, columns = (
        torch.arange(int(first), int(last) + 1, dtype=torch.float32, device=point.device)
        for first, last in zip(low, high, strict=True)
    )
    return torch.cartesian_prod(rows, columns)


def _around(sheet: Sheet, features: Tensor) -> Tensor:
    """Where features are compared, from a handle, [places, 2]: at it, as published, and half a feature off on all sides, since
    one feature alone is soon mistaken for its neighbour."""
    grain = 0 if sheet.published else sheet.grain(features)
    steps = torch.tensor([-grain, 0, grain] if grain else [0], dtype=torch.float32, device=features.device)
    return torch.cartesian_prod(steps, steps)
