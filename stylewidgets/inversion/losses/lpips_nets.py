"""The `lpips` package: its import, its backbones in torch's cache, and its networks with those loaded."""

from __future__ import annotations

import warnings
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import torch
from torch import nn

from ...checkpoints.zoo.download import DownloadError
from ...ops.devices import from_file

BACKBONES = {
    "vgg": ("vgg16-397923af.pth", 528),
    "alex": ("alexnet-owt-7be5be79.pth", 233),
    "squeeze": ("squeezenet1_1-b8a52dc0.pth", 5),
}
"""Network → (torchvision's file with its ImageNet weights, megabytes). A file's name ends in the start of its sha256."""
SOURCE = "https://download.pytorch.org/models/"
_schemas: list[torch.library.Library] = []  # a definition goes when its library object does


def backbone_path(net: str) -> Path:
    """Where torch keeps the backbone of "vgg", "alex" or "squeeze", or would."""
    return Path(torch.hub.get_dir()) / "checkpoints" / BACKBONES[net][0]


def download_backbone(net: str, progress: bool = True) -> Path:
    """Fetch a backbone to where torch keeps such; returns at once when it is there. Its name's digits are checked.

    Raises:
        DownloadError: it cannot be fetched; the text says where to put the file by hand.
    """
    path = backbone_path(net)
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        digits = path.stem.rpartition("-")[2]
        try:
            torch.hub.download_url_to_file(SOURCE + path.name, str(path), hash_prefix=digits, progress=progress)
        except (OSError, RuntimeError) as error:
            raise DownloadError(f"the backbone of lpips-{net} cannot be fetched ({error}). {by_hand(net)}") from error
    return path


def by_hand(net: str) -> str:
    """What to do to have a backbone, in words."""
    name, size = BACKBONES[net]
    return f"Put {SOURCE}{name} ({size} MB) to {backbone_path(net)}, or ask for it with download=True"


def import_lpips() -> ModuleType:
    """The lpips package.

    It needs torchvision, whose wheel for CUDA cannot be imported on a torch without: its compiled part does not load,
    and then it describes operators (``nms``) that nobody has declared. Their declarations are all that is missing, so they
    are given here, only where the import has failed for that; the models that lpips uses have no such operator.
    """
    try:
        import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # type: ignore[no-untyped-call]
        _schemas.append(library)
        import_module("torchvision")
    return import_module("lpips")


def lpips_network(net: str, device: torch.device) -> nn.Module:
    """`lpips.LPIPS` with its own linear layers (v0.1) and the backbone of torch's cache, frozen; kept for the next call.

    Raises:
        FileNotFoundError: the backbone is not there; the text says where to put it.
        ValueError: that file is damaged or another one.
    """
    path = backbone_path(net)
    if not path.is_file():
        raise FileNotFoundError(f"the backbone of lpips-{net} is not on this machine. {by_hand(net)}")
    return _network(net, path, path.stat().st_mtime_ns, str(device))


@lru_cache(maxsize=4)
def _network(net: str, path: Path, _stamp: int, device: str) -> nn.Module:
    package = import_lpips()
    with warnings.catch_warnings(), from_file(), torch.device("cpu"):
        warnings.simplefilter("ignore")  # lpips calls torchvision with arguments of earlier years
        model: nn.Module = package.LPIPS(net=net, pnet_rand=True, verbose=False)
    trunk = model.get_submodule("net")
    try:
        given = torch.load(path, map_location="cpu", weights_only=True)
        wanted = trunk.state_dict()  # "slice2.5.weight" is torchvision's "features.5.weight"
        trunk.load_state_dict({name: given["features." + name.partition(".")[2]] for name in wanted})
    except Exception as error:
        raise ValueError(
            f"{path} is not readable as the backbone of lpips-{net} ({error}). Delete it. {by_hand(net)}"
        ) from error
    return model.to(device).eval().requires_grad_(False)
