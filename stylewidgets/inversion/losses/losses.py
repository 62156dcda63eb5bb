"""What inversions minimise. Every loss gives one value per picture, [N], and takes a mask [N, 1, H, W] in [0, 1].

Pictures are [-1, 1]. A picture's loss depends on no other one of its batch, so that N at once are N runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ...core.checks import unknown_name
from ...metrics.similarity import masked_mean, ms_ssim, mse
from .perceptual import Perceptual, factor_features

__all__ = [
    "IDENTITIES",
    "Criterion",
    "gram",
    "map_distance",
    "ms_ssim",
    "mse",
    "noise_regulariser",
    "register_identity",
    "shrink",
    "w_distance",
]

NOISE_STOP = 8
"""Noise maps of this size and smaller are not averaged any further by `noise_regulariser`."""
Embed = Callable[[Tensor], Tensor]
IDENTITIES: dict[str, Callable[[torch.device], Embed]] = {}
"""Identity networks by name: device → (pictures [N, 3, H, W] in [-1, 1] → embeddings [N, D])."""


def register_identity(name: str, make: Callable[[torch.device], Embed]) -> None:
    """Make an identity network known, such as an ArcFace of your own; methods with a setting `identity` take its name.

    Args:
        name: for settings and reports.
        make: takes a torch.device and gives a differentiable function: pictures [N, 3, H, W] in [-1, 1] → [N, D].
    """
    IDENTITIES[name] = make


def shrink(images: Tensor, side: int = 256) -> Tensor:
    """Pictures whose longer side is larger than `side` averaged down to it, as the projector does before it compares; others
    as they are."""
    height, width = images.shape[-2:]
    longer = max(height, width)
    if longer <= side:
        return images
    size = (max(1, round(height * side / longer)), max(1, round(width * side / longer)))
    return F.interpolate(images, size=size, mode="area")


def noise_regulariser(noise: Sequence[Tensor]) -> Tensor:
    """How far noise maps are from white: StyleGAN2's regulariser (Karras et al., CVPR 2020, appendix D), [N].

    Of every map and of its halvings down to 8 pixels: the squared mean product with itself shifted by one pixel to the
    right, and the same downwards, around the edges.

    Args:
        noise: maps [N, 1, H, W], one per layer with noise; none gives zero.
    """
    terms = []
    for layer in noise:
        x = layer
        while True:
            terms += [(x * x.roll(1, dims=axis)).mean(dim=(1, 2, 3)).square() for axis in (3, 2)]
            if min(x.shape[-2:]) <= NOISE_STOP:
                break
            x = F.avg_pool2d(x, 2)
    return torch.stack(terms).sum(dim=0) if terms else torch.zeros(1, dtype=torch.float32, device="cpu")


def w_distance(code: Tensor, centre: Tensor) -> Tensor:
    """Length of w − centre, [N]; of w+ [N, num_ws, w_dim] the mean over its rows."""
    lengths: Tensor = (code - centre).norm(dim=-1)
    return lengths if lengths.ndim == 1 else lengths.mean(dim=1)


def gram(features: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean products of a map's channels over places, or over a mask's: [N, C, h, w] → [N, C, C] (Gatys et al. 2016)."""
    n, channels = features.shape[:2]
    flat = features.reshape(n, channels, -1)
    if mask is None:
        return flat @ flat.transpose(1, 2) / flat.shape[2]
    weights = F.adaptive_avg_pool2d(mask, (features.shape[2], features.shape[3])).reshape(len(mask), 1, -1)
    return (flat * weights) @ flat.transpose(1, 2) / weights.sum(dim=2, keepdim=True).clamp_min(1e-6)


def map_distance(a: Sequence[Tensor], b: Sequence[Tensor], mask: Tensor | None = None) -> Tensor:
    """Mean squares of plain feature maps' differences, summed over maps, [N]: Image2StyleGAN's perceptual loss."""
    return torch.stack([masked_mean((x - y).square(), mask) for x, y in zip(a, b, strict=True)]).sum(dim=0)


class Criterion:
    """Weighted losses between what is drawn and fixed targets, whose features are computed once.

    Args:
        images: targets [N, 3, H, W] in [-1, 1], on the device.
        mask: where they count, None for everywhere.
        perceptual: the network of the perceptual loss; may be None where its weight is 0.
        weights: of "perceptual", "pixels" (mean square), "ms_ssim" (1 − MS-SSIM) and "identity" (1 − cosine). Those that
            are 0 or not given are not computed.
        identity: name in `IDENTITIES`, where that has a weight.
        side: larger pictures are averaged down to this before they are compared.
    """

    def __init__(
        self,
        images: Tensor,
        mask: Tensor | None,
        perceptual: Perceptual | None,
        weights: Mapping[str, float],
        *,
        identity: str = "",
        side: int = 256,
    ) -> None:
        self.weights = {name: float(weight) for name, weight in weights.items() if weight}
        self.side, self.perceptual = side, perceptual
        self.images = shrink(images, side)
        self.mask = None if mask is None else shrink(mask, side)
        self._embed: Embed | None = None
        with torch.no_grad():
            if perceptual is not None:
                self.features = perceptual.features(self.images, self.mask)
            if "identity" in self.weights:
                if identity not in IDENTITIES:
                    raise unknown_name("identity network (register_identity adds one)", identity, IDENTITIES)
                self._embed = IDENTITIES[identity](images.device)
                self._self = F.normalize(self._embed(self._visible(self.images)), dim=1)

    def __call__(self, drawn: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The weighted sum and each loss by name, not weighted, [N] each."""
        x = shrink(drawn, self.side)
        terms = {name: getattr(self, f"_{name}")(x) for name in self.weights}
        total = torch.stack([weight * terms[name] for name, weight in self.weights.items()]).sum(dim=0)
        return total, terms

    def _perceptual(self, x: Tensor) -> Tensor:
        assert self.perceptual is not None
        return self.perceptual.compare(self.perceptual.features(x, self.mask), self.features, self.mask)

    def _pixels(self, x: Tensor) -> Tensor:
        return mse(x, self.images, self.mask)

    def _ms_ssim(self, x: Tensor) -> Tensor:
        return 1 - ms_ssim(self._visible(x), self._visible(self.images))

    def _identity(self, x: Tensor) -> Tensor:
        assert self._embed is not None
        return 1 - (F.normalize(self._embed(self._visible(x)), dim=1) * self._self).sum(dim=1)

    def _visible(self, x: Tensor) -> Tensor:
        return x if self.mask is None else x * self.mask


def _factor_identity(device: torch.device) -> Embed:
    """The factor network's last map: what stands in for a face recogniser on avatars."""
    maps = factor_features(device)
    return lambda images: maps(images)[-1].mean(dim=(2, 3))


register_identity("factors", _factor_identity)
