"""How much each style channel has to do with each part, and which channels carry a part.

Contributions: Collins et al., "Editing in Style", CVPR 2020, equation 1, over many pictures; Chong et al., "Retrieve in
Style", ICCV 2021, for one picture. Which channels follows from them by either paper's rule.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

TEMPERATURE, SHARE = 0.1, 0.8
"""Of "Retrieve in Style": of the softmax over parts, and what a channel's part must exceed."""


DENSE = 0.3
"""Of the rule by density: the share of its energy that a channel must spend in a part. Chosen on 16 pairs of avatars that are
scored nowhere: with 0.2, mouth and hair come nearer to the reference's, and the surroundings of the eyes change more."""


def contribution(features: Tensor, masks: Tensor, per_picture: bool = True) -> Tensor:
    """The energy that each channel spends in each part: mean over places of A² · mask, A normalised for each channel.

    Args:
        features: [N, C, H, W].
        masks: [N, K, h, w] from 0 to 1; resized bilinearly.
        per_picture: normalise within each picture, or over all of them.

    Returns:
        [N, K, C], or without `per_picture` [K, C], the mean over the pictures. Where masks cover all, a channel's sum is 1.
    """
    dims = (2, 3) if per_picture else (0, 2, 3)
    x = features.float()
    energy = (x - x.mean(dims, keepdim=True)).square() / (x.var(dims, correction=0, keepdim=True) + 1e-5)
    if masks.shape[-2:] != x.shape[-2:]:
        masks = F.interpolate(masks.float(), x.shape[-2:], mode="bilinear", align_corners=False)
    found = torch.einsum("nchw,nkhw->nkc", energy, masks.float()) / (x.shape[2] * x.shape[3])
    return found if per_picture else found.mean(0)


def by_softmax(shares: Tensor, temperature: float = TEMPERATURE, above: float = SHARE) -> Tensor:
    """Channels that belong to one part alone: contributions [..., K, C] → 0 or 1 of the same shape.

    Softmax over the parts, then what exceeds `above` (Chong et al., section 3.2).
    """
    return (torch.softmax(shares / temperature, -2) > above).to(shares.dtype)


def by_density(shares: Tensor, areas: Tensor, above: float = DENSE) -> Tensor:
    """Channels to the part in which their energy is densest: contributions [..., K, C] → 0 or 1 of the same shape.

    A softmax over shares asks most of a channel to be in a part; a mouth is a hundredth of the picture, and has hardly such a
    channel. So energy is counted per place. Not from a paper.

    Args:
        areas: share of the picture that each part covers, [..., K].
        above: a channel must spend more than this share of its energy in the part, too.
    """
    density = shares / areas.clamp_min(1e-3)[..., None]
    return ((density == density.amax(-2, keepdim=True)) & (shares > above)).to(shares.dtype)


def greedy(shares: Tensor, rho: float, epsilon: float) -> Tensor:
    """Channels of one part in one layer, most of it first, as long as what they do elsewhere stays within a budget.

    Args:
        shares: contributions to the part, [C].
        rho: a channel must spend more than this share there.
        epsilon: Σ (1 − share) over the chosen channels stays below it; 0 chooses none.

    Returns:
        0 or 1, [C] (Collins et al., equation 5).
    """
    order = shares.argsort(descending=True, stable=True)
    elsewhere = (1 - shares[order]).cumsum(0)
    chosen = torch.zeros_like(shares)
    chosen[order] = ((elsewhere < epsilon) & (shares[order] > rho)).to(shares.dtype)
    return chosen


def first_layers(masks: Tensor, hair: int | None, count: int, pose: int | None = None) -> Tensor:
    """The rule for the coarsest layers, which carry hair and pose: all other parts get none of their channels there.

    Args:
        masks: channels of each part, [..., K, C].
        hair: place of the hair, None where no part is one.
        count: channels of the coarse layers.
        pose: how many of these the pose has; all by default.

    Returns:
        [..., K + 1, C]; the last is the pose: what is not the hair's in its layers, and nothing after.
    """
    made = masks.clone()
    made[..., :count] = 0
    own = torch.zeros_like(made[..., :1, :])
    own[..., 0, : count if pose is None else pose] = 1
    if hair is not None:
        made[..., hair, :count] = masks[..., hair, :count]
        own = own * (1 - masks[..., hair : hair + 1, :])
    return torch.cat([made, own], -2)


def similarity(query: Tensor, gallery: Tensor, mask: Tensor) -> Tensor:
    """Cosine of styles [C] and [N, C] over the channels of a part, [N]: how alike the parts are (Chong et al., section 3.4)."""
    q, g = query * mask, gallery * mask
    return F.cosine_similarity(q[None], g, dim=1)


def one_hot(labels: Tensor, groups: Sequence[Sequence[int]]) -> Tensor:
    """Labels [N, H, W] of clusters, and the clusters of each part → masks float32 [N, K, H, W]."""
    return torch.stack([torch.isin(labels, labels.new_tensor(list(group))) for group in groups], 1).float()
