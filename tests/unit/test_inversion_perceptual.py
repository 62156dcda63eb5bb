"""Perceptual distances against formulas written out here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from stylewidgets.avatars.reading.factor_net import load_regressor
from stylewidgets.inversion import perceptual
from stylewidgets.inversion.losses import lpips_nets as _lpips
from stylewidgets.inversion.losses.perceptual import plain_maps
from stylewidgets.metrics import perceptual_distance

CONVS = {
    "alex": [(0, 3, 64, 11), (3, 64, 192, 5), (6, 192, 384, 3), (8, 384, 256, 3), (10, 256, 256, 3)],
    "vgg": [
        (k, a, b, 3)
        for k, a, b in zip(
            (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28),
            (3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512),
            (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512),
            strict=True,
        )
    ],
}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    yield tmp_path / "checkpoints"
    _lpips._network.cache_clear()


def plant(folder: Path, net: str) -> dict[str, torch.Tensor]:
    """A backbone of true shapes and random weights, with a layer of the classifier that is to be passed over."""
    source = torch.Generator().manual_seed(3)
    state = {}
    for k, inside, outside, size in CONVS[net]:
        scale = (2 / (inside * size**2)) ** 0.5
        state[f"features.{k}.weight"] = torch.randn(outside, inside, size, size, generator=source) * scale
        state[f"features.{k}.bias"] = 0.1 * torch.randn(outside, generator=source)
    state["classifier.6.bias"] = torch.zeros(1000)
    torch.save(state, folder / _lpips.BACKBONES[net][0])
    return state


def plant_squeeze(folder: Path) -> None:
    _lpips.import_lpips()
    from torchvision.models import squeezenet1_1

    torch.save(squeezenet1_1(weights=None).state_dict(), folder / _lpips.BACKBONES["squeeze"][0])


def pictures(n: int = 2, seed: int = 0, side: int = 64) -> torch.Tensor:
    return torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def by_hand(
    x: torch.Tensor, y: torch.Tensor, state: dict[str, torch.Tensor], heads: dict[str, torch.Tensor]
) -> torch.Tensor:
    """LPIPS of AlexNet from its definition: scaled input, five maps after ReLU, channels at length one, weighted squares."""
    shift = torch.tensor([-0.030, -0.088, -0.188])[:, None, None]
    scale = torch.tensor([0.458, 0.448, 0.450])[:, None, None]
    total = torch.zeros(len(x))
    maps = [(p - shift) / scale for p in (x, y)]
    strides, paddings, pooled = (4, 1, 1, 1, 1), (2, 2, 1, 1, 1), (False, True, True, False, False)
    for k, (index, *_rest) in enumerate(CONVS["alex"]):
        maps = [F.max_pool2d(m, 3, 2) for m in maps] if pooled[k] else maps
        maps = [
            F.relu(
                F.conv2d(m, state[f"features.{index}.weight"], state[f"features.{index}.bias"], strides[k], paddings[k])
            )
            for m in maps
        ]
        a, b = (m / (m.square().sum(1, keepdim=True).sqrt() + 1e-10) for m in maps)
        total += (heads[f"lin{k}.model.1.weight"] * (a - b).square()).sum(1).mean((1, 2))
    return total


@pytest.mark.slow
def test_lpips_with_a_planted_backbone_is_its_definition(cache: Path) -> None:
    state = plant(cache, "alex")
    distance = perceptual("alex")
    assert distance.name == "lpips-alex"
    package = _lpips.import_lpips()
    heads = torch.load(
        Path(package.__file__).parent / "weights" / "v0.1" / "alex.pth", map_location="cpu", weights_only=True
    )
    assert float(heads["lin0.model.1.weight"].sum()) == pytest.approx(2.349532, abs=1e-5)
    x, y = pictures(), pictures(seed=1)
    expected = by_hand(x, y, state, heads)
    found = distance.distance(x, y)
    assert found.shape == (2,) and float(expected.min()) > 0.01
    assert torch.allclose(found, expected, rtol=1e-4)
    with torch.no_grad():
        theirs = _lpips.lpips_network("alex", torch.device("cpu"))(x, y).flatten()
    assert torch.allclose(found, theirs, rtol=1e-4)


def test_kept_features_give_the_same_distance(cache: Path) -> None:
    plant_squeeze(cache)
    distance, x, y = perceptual("squeeze"), pictures(3), pictures(1, seed=1)
    assert torch.equal(distance.distance(x, distance.features(y)), distance.distance(x, y))
    assert float(distance.distance(x, x).abs().max()) == 0


def test_auto_takes_what_is_there_and_says_which(cache: Path) -> None:
    assert perceptual().name == "factor-net"
    assert plain_maps(["conv1_1"]).name == "factor-net"
    plant_squeeze(cache)
    assert perceptual().name == "lpips-squeeze"
    assert plain_maps(["conv1_1"]).name == "factor-net"  # SqueezeNet has no such layer
    assert perceptual("factors").name == "factor-net"


def test_a_backbone_that_is_not_there_is_named_with_its_place(cache: Path) -> None:
    with pytest.raises(FileNotFoundError, match="squeezenet1_1-b8a52dc0.pth") as caught:
        perceptual("squeeze")
    assert str(cache) in str(caught.value) and "download=True" in str(caught.value)
    with pytest.raises(ValueError, match="did you mean 'squeeze'"):
        perceptual("squeze")


@pytest.mark.parametrize("content", [b"<html>quota exceeded</html>", None])
def test_a_file_that_is_no_backbone_is_refused(cache: Path, content: bytes | None) -> None:
    path = cache / _lpips.BACKBONES["squeeze"][0]
    if content is None:
        torch.save({"features.0.weight": torch.zeros(2, 2)}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match="not readable as the backbone of lpips-squeeze"):
        perceptual("squeeze")


def test_a_download_that_fails_says_what_to_do(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def refuse(url: str, *args: object, **more: object) -> None:
        asked.append((url, more["hash_prefix"]))
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    with pytest.raises(OSError, match=r"no network.*Put https://download.pytorch.org/models/alexnet-owt-7be5be79.pth"):
        perceptual("alex", download=True)
    assert asked == [("https://download.pytorch.org/models/alexnet-owt-7be5be79.pth", "7be5be79")]


def test_the_factor_network_stands_in_with_the_same_form() -> None:
    net, x, y = load_regressor(), pictures(), pictures(seed=1)
    found = perceptual("factors").distance(x, y)
    assert torch.allclose(found, perceptual_distance(net.features(x), net.features(y)), rtol=1e-5)


def test_nothing_outside_of_a_mask_counts() -> None:
    distance = perceptual("factors")
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 16:48, 8:40] = 1
    x, y = pictures(1), pictures(1, seed=1)
    other = torch.where(mask > 0, y, pictures(1, seed=2))
    x.requires_grad_()
    found = distance.distance(x, y, mask)
    assert float(found.detach()) > 0 and torch.equal(found, distance.distance(x, other, mask))
    (slope,) = torch.autograd.grad(found.sum(), x)
    assert float(slope[..., :16, :].abs().max()) == 0 and float(slope[..., 16:48, 8:40].abs().max()) > 0
    assert torch.allclose(distance.distance(x, y, torch.ones_like(mask)), distance.distance(x, y), rtol=1e-5)


@pytest.mark.slow
def test_plain_maps_of_vgg_are_its_convolutions(cache: Path) -> None:
    state = plant(cache, "vgg")
    x = pictures(1)
    maps = plain_maps(["conv1_2", "conv1_1", "conv2_1"])
    assert maps.name == "vgg16"
    second, first, third = maps(x)
    scaled = (x - torch.tensor([-0.030, -0.088, -0.188])[:, None, None]) / torch.tensor([0.458, 0.448, 0.450])[
        :, None, None
    ]
    one = F.conv2d(scaled, state["features.0.weight"], state["features.0.bias"], padding=1)
    two = F.conv2d(F.relu(one), state["features.2.weight"], state["features.2.bias"], padding=1)
    three = F.conv2d(F.max_pool2d(F.relu(two), 2), state["features.5.weight"], state["features.5.bias"], padding=1)
    for found, expected in ((first, one), (second, two), (third, three)):
        assert torch.allclose(found, expected, atol=1e-4)
    assert torch.allclose(plain_maps(["conv1_2"], relu=True)(x)[0], F.relu(two), atol=1e-4)
    with pytest.raises(ValueError, match="did you mean 'conv3_3'"):
        plain_maps(["conv3_4"])


def test_gradients_are_finite_on_flat_and_small_pictures(cache: Path) -> None:
    plant_squeeze(cache)
    for net in ("squeeze", "factors"):
        x = torch.full((1, 1, 16, 16), -1.0, requires_grad=True)
        perceptual(net).distance(x, pictures(1)[..., :16, :16]).sum().backward()
        assert x.grad is not None and bool(torch.isfinite(x.grad).all())
