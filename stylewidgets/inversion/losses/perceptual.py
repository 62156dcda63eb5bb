"""Distances between pictures as a network sees them: LPIPS, and the shipped factor network in its role where no backbone is.

LPIPS is Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ... import domain
from ...core.checks import unknown_name
from ...metrics.similarity import masked_mean
from ..catalogue import NETS
from .lpips_nets import BACKBONES, backbone_path, download_backbone, lpips_network

"""What `perceptual` takes."""
MIN_SIDE = 64  # the backbones' poolings need about so many pixels
VGG_LAYERS = dict(
    zip(
        (
            "conv1_1",
            "conv1_2",
            "conv2_1",
            "conv2_2",
            "conv3_1",
            "conv3_2",
            "conv3_3",
            "conv4_1",
            "conv4_2",
            "conv4_3",
            "conv5_1",
            "conv5_2",
            "conv5_3",
        ),
        (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28),
        strict=True,
    )
)
"""Convolutions of VGG16 and their places in torchvision's ``features``."""
FACTOR_STAGES = ("stage1", "stage2", "stage3", "stage4")
Features = Sequence[Tensor]


class Perceptual(ABC):
    """A distance between pictures through a network's feature maps. Frozen, stateless, differentiable in the pictures.

    Attributes:
        name: "lpips-vgg", "lpips-alex", "lpips-squeeze" or "factor-net", for reports.
    """

    name: str

    @abstractmethod
    def features(self, images: Tensor, mask: Tensor | None = None) -> list[Tensor]:
        """Maps [N, C, h, w] whose squared differences, summed over channels, averaged over places, summed over maps, are
        the distance.

        Args:
            images: [N, 3, H, W] or [N, 1, H, W] in [-1, 1] on the network's device.
            mask: [N, 1, H, W] in [0, 1]. What is outside becomes mid gray, so that no map sees anything of it.
        """

    def compare(self, a: Features, b: Features, mask: Tensor | None = None) -> Tensor:
        """Distances [N] of two results of `features`, which both were made with this mask; a batch of 1 serves all N.

        Under a mask the average is over its places, so that a small mask does not make a small distance.
        """
        return torch.stack(
            [masked_mean((x - y).square().sum(dim=1, keepdim=True), mask) for x, y in zip(a, b, strict=True)]
        ).sum(dim=0)

    def distance(self, x: Tensor | Features, y: Tensor | Features, mask: Tensor | None = None) -> Tensor:
        """Distances [N] of pictures in [-1, 1]; either side may be its `features`, kept from an earlier call."""
        a, b = (self.features(side, mask) if isinstance(side, Tensor) else side for side in (x, y))
        return self.compare(a, b, mask)

    def __repr__(self) -> str:
        return f"Perceptual({self.name})"


class LPIPS(Perceptual):
    """LPIPS v0.1 of the package `lpips`. Same values; the gradient is also finite where all channels of a map are zero."""

    def __init__(self, net: str, device: torch.device) -> None:
        self.name = f"lpips-{net}"
        model = lpips_network(net, device)
        self._trunk, self._scale = model.get_submodule("net"), model.get_submodule("scaling_layer")
        # linear layer k is one non-negative factor per channel: its root goes into the features, once
        lins = [model.get_parameter(f"lin{k}.model.1.weight") for k in range(7 if net == "squeeze" else 5)]
        self._roots = [lin.detach().clamp_min(0).sqrt() for lin in lins]

    def features(self, images: Tensor, mask: Tensor | None = None) -> list[Tensor]:
        maps = self._trunk(self._scale(_prepared(images, mask)))
        return [_unit(x, 1e-20) * root for x, root in zip(maps, self._roots, strict=True)]


class FactorFeatures(Perceptual):
    """The factor network's maps in the role of a backbone, all channels equal (LPIPS's "baseline" form).

    It was trained on renders of avatars: for photographs the figures mean little, and none compares with published LPIPS.
    """

    name = "factor-net"

    def __init__(self, device: torch.device) -> None:
        self._maps = factor_features(device)

    def features(self, images: Tensor, mask: Tensor | None = None) -> list[Tensor]:
        return [_unit(x, 1e-8) for x in self._maps(_prepared(images, mask))]


class Maps:
    """Plain feature maps of chosen layers, as Image2StyleGAN compares them: not normalised, not weighted.

    Attributes:
        name: "vgg16" or "factor-net".
        layers: names of the maps.
    """

    def __init__(self, layers: Sequence[str], net: str, device: torch.device, relu: bool) -> None:
        self._vgg = net == "vgg"
        self.name = "vgg16" if self._vgg else "factor-net"
        self._relu = relu
        if self._vgg:
            for layer in layers:
                if layer not in VGG_LAYERS:
                    raise unknown_name("convolution of VGG16", layer, VGG_LAYERS)
            self.layers: tuple[str, ...] = tuple(layers)
            model = lpips_network("vgg", device)
            self._steps = [m for part in model.get_submodule("net").children() for m in part.children()]
            self._scale: nn.Module = model.get_submodule("scaling_layer")  # ImageNet's mean and deviation, for [-1, 1]
        else:
            self.layers = tuple(_stand_in(layer) for layer in layers)
            self._maps = factor_features(device)

    def __call__(self, images: Tensor, mask: Tensor | None = None) -> list[Tensor]:
        """Maps [N, C, h, w], in the order of `layers`, of pictures in [-1, 1]; outside of the mask they are mid gray."""
        x = _prepared(images, mask)
        found = self._through_vgg(x) if self._vgg else dict(zip(FACTOR_STAGES, self._maps(x), strict=True))
        return [found[layer] for layer in self.layers]

    def _through_vgg(self, x: Tensor) -> dict[str, Tensor]:
        x, found = self._scale(x), {}
        last = max(VGG_LAYERS[layer] for layer in self.layers)
        names = {VGG_LAYERS[layer]: layer for layer in self.layers}
        for k, step in enumerate(self._steps[: last + 1]):
            x = F.relu(x) if isinstance(step, nn.ReLU) else step(x)  # theirs work in place, on what we keep
            if k in names:
                found[names[k]] = F.relu(x) if self._relu else x
        return found


def perceptual(
    net: str = "auto",
    device: str | torch.device = "cpu",
    *,
    download: bool = False,
    prefer: Sequence[str] = ("vgg", "alex", "squeeze"),
) -> Perceptual:
    """A perceptual distance.

    Args:
        net: "vgg", "alex", "squeeze": LPIPS with this backbone; "factors": the shipped factor network; "auto": the first of
            `prefer` whose backbone is in torch's cache, else "factors". `name` of the result says which.
        device: where the pictures will be.
        download: fetch a missing backbone, with a bar, instead of refusing (or, with "auto", instead of the factor network).
        prefer: LPIPS networks in the order in which "auto" likes them.

    Raises:
        ValueError: an unknown name, or a file in torch's cache that is not that backbone.
        FileNotFoundError: the backbone asked for is not there; the text says where to put it.
        DownloadError: it cannot be fetched.
    """
    chosen = _choose(net, prefer, download)
    where = torch.device(device)
    return FactorFeatures(where) if chosen == "factors" else LPIPS(chosen, where)


def plain_maps(
    layers: Sequence[str],
    net: str = "auto",
    device: str | torch.device = "cpu",
    *,
    relu: bool = False,
    download: bool = False,
) -> Maps:
    """Plain feature maps.

    Args:
        layers: convolutions of VGG16, "conv1_1" ... "conv5_3". Of the factor network, the stage in the same role is taken.
        net: "vgg", "factors" or "auto" (VGG16 if it is in torch's cache); other backbones count as "auto".
        relu: take VGG16's maps after their ReLU, as most re-implementations of Image2StyleGAN do, rather than before.
        device, download: as of `perceptual`, and the errors too.
    """
    wanted = "auto" if net in ("alex", "squeeze") else net
    return Maps(layers, _choose(wanted, ("vgg",), download), torch.device(device), relu)


def _choose(net: str, prefer: Sequence[str], download: bool) -> str:
    if net not in NETS:
        raise unknown_name("network of a perceptual distance", net, NETS)
    if net == "auto":
        there = [name for name in prefer if backbone_path(name).is_file()]
        net = there[0] if there else prefer[0] if download else "factors"
    if download and net in BACKBONES:
        download_backbone(net)
    return net


def _prepared(images: Tensor, mask: Tensor | None) -> Tensor:
    x = images if mask is None else images * mask
    x = x.expand(-1, 3, -1, -1) if x.shape[1] == 1 else x
    shorter = min(x.shape[-2:])
    if shorter < MIN_SIDE:
        size = [round(side * MIN_SIDE / shorter) for side in x.shape[-2:]]
        x = F.interpolate(x, size=size, mode="bilinear", align_corners=False)
    return x


def _unit(x: Tensor, tiny: float) -> Tensor:
    """Every place's channels at length one."""
    return x * torch.rsqrt(x.square().sum(dim=1, keepdim=True) + tiny)


def _stand_in(layer: str) -> str:
    """The factor network's stage in the role of a layer of VGG16, by what share of the picture it sees."""
    if layer in FACTOR_STAGES:
        return layer
    if layer not in VGG_LAYERS:
        raise unknown_name("convolution of VGG16", layer, VGG_LAYERS)
    return f"stage{min(int(layer[4]), 4)}"


def factor_features(device: torch.device) -> Callable[[Tensor], list[Tensor]]:
    """The feature maps of the shipped factor network, on a device."""
    features = domain.get("avatars").features
    assert features is not None
    return features(device)
