"""Checkpoints of the public pSp, e4e and ReStyle releases: true names and shapes load, and answer as their structure says."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import stylewidgets as sw
from stylewidgets import inversion
from stylewidgets.checkpoints.errors import CheckpointError
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.inversion.encoders import public
from stylewidgets.inversion.encoders.public import PublicEncoder, load_encoder
from stylewidgets.inversion.encoders.public_net import answer

from ..formats_writers import as_rosinality

# What the releases build, written down a second time, as modules. Random numbers of all parameters come from one array.
STAGES = {
    "ir": ((64, 64, 3), (64, 128, 4), (128, 256, 14), (256, 512, 3)),
    "resnet": ((64, 64, 3), (64, 128, 4), (128, 256, 6), (256, 512, 3)),
}


class Gate(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(width, width // 16, 1, bias=False)
        self.fc2 = nn.Conv2d(width // 16, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.fc2(torch.relu(self.fc1(F.adaptive_avg_pool2d(x, 1)))))


class IrUnit(nn.Module):
    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.shortcut_layer: nn.Module = (
            nn.MaxPool2d(1, stride)
            if before == width
            else nn.Sequential(nn.Conv2d(before, width, 1, stride, bias=False), nn.BatchNorm2d(width))
        )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(before),
            nn.Conv2d(before, width, 3, 1, 1, bias=False),
            nn.PReLU(width),
            nn.Conv2d(width, width, 3, stride, 1, bias=False),
            nn.BatchNorm2d(width),
            Gate(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut_layer(x) + self.res_layer(x)


class BasicUnit(nn.Module):
    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(before, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        self.downsample = (
            nn.Sequential(nn.Conv2d(before, width, 1, stride, bias=False), nn.BatchNorm2d(width))
            if stride == 2
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x))))) + self.downsample(x))


class Linear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.empty(512, 512)), nn.Parameter(torch.empty(512))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight.t() * 512**-0.5 + self.bias


class Head(nn.Module):
    def __init__(self, count: int) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        for _ in range(count):
            parts += [nn.Conv2d(512, 512, 3, 2, 1), nn.LeakyReLU()]
        self.convs, self.linear = nn.Sequential(*parts), Linear()

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.convs(x).reshape(len(x), 512))


class Reference(nn.Module):
    """One of the releases' encoders, for pictures of any size that a head can halve to one pixel."""

    def __init__(self, rows: int, body: str, channels: int, pyramid: bool) -> None:
        super().__init__()
        self.ir, self.pyramid = body == "ir", pyramid
        if self.ir:
            self.input_layer = nn.Sequential(
                nn.Conv2d(channels, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.PReLU(64)
            )
        else:
            self.conv1, self.bn1, self.relu = (
                nn.Conv2d(channels, 64, 7, 2, 3, bias=False),
                nn.BatchNorm2d(64),
                nn.PReLU(64),
            )
        units: list[nn.Module] = []
        for before, width, count in STAGES[body]:
            for i in range(count):
                stride = 2 if i == 0 and (self.ir or width > 64) else 1
                units.append((IrUnit if self.ir else BasicUnit)(before if i == 0 else width, width, stride))
        self.body = nn.Sequential(*units)
        self.styles = nn.ModuleList(Head(4 if i < 3 or not pyramid else 5 if i < 7 else 6) for i in range(rows))
        if pyramid:
            self.latlayer1, self.latlayer2 = nn.Conv2d(256, 512, 1), nn.Conv2d(128, 512, 1)

    def forward(self, x: Tensor, deltas: bool) -> Tensor:
        x = self.input_layer(x) if self.ir else self.relu(self.bn1(self.conv1(x)))
        c1 = self.body[:7](x)
        last = 21 if self.ir else 13
        c2 = self.body[7:last](c1)
        c3 = self.body[last:](c2)
        maps = [c3] * len(self.styles)
        if self.pyramid:
            p2 = F.interpolate(c3, size=c2.shape[2:], mode="bilinear", align_corners=True) + self.latlayer1(c2)
            p1 = F.interpolate(p2, size=c1.shape[2:], mode="bilinear", align_corners=True) + self.latlayer2(c1)
            maps = [c3 if i < 3 else p2 if i < 7 else p1 for i in range(len(self.styles))]
        rows = [style(x) for style, x in zip(self.styles, maps, strict=True)]
        return torch.stack([rows[0], *((rows[0] + row if deltas else row) for row in rows[1:])], dim=1)


@functools.cache
def reference(rows: int, body: str = "ir", channels: int = 3, pyramid: bool = True) -> Reference:
    """All parameters are parts of one random array of 12 MB, so that the files are small."""
    numbers = torch.randn(3_000_000, generator=torch.Generator().manual_seed(0))
    with torch.device("meta"):
        net = Reference(rows, body, channels, pyramid).eval().requires_grad_(False)
    state: dict[str, Tensor] = {}
    arrays = {
        "weight": numbers * 0.03,
        "linear": numbers,
        "bias": numbers[:8192] * 0.003,
        "running_var": 0.5 + numbers.abs()[:8192],
        "scale": 0.6 + 0.05 * numbers[:8192],
    }
    for i, (name, like) in enumerate(net.state_dict().items()):
        last = name.rpartition(".")[2]
        kind = "linear" if like.ndim == 2 else "scale" if like.ndim == 1 and last == "weight" else last
        array = arrays.get(kind, arrays["bias"])
        start = (i * 977) % (len(array) - like.numel() + 1)
        state[name] = (
            array[start : start + like.numel()].view(like.shape) if like.ndim else torch.zeros((), dtype=torch.int64)
        )
    net.load_state_dict(state, assign=True)
    return net


def session() -> sw.GeneratorSession:
    torch.manual_seed(0)
    config = StyleGAN2Config(z_dim=8, w_dim=512, resolution=64, channels=(8, 8, 8, 8, 8), mapping_layers=2)
    return sw.GeneratorSession(StyleGAN2(config).eval().requires_grad_(False), device="cpu")


def content(net: nn.Module, kind: str, generator: nn.Module | None = None, **opts: Any) -> dict[str, Any]:
    """What the releases' training writes."""
    state = {f"encoder.{name}": value for name, value in net.state_dict().items()}
    if generator is not None:
        state |= {f"decoder.{name}": value for name, value in as_rosinality(dict(generator.state_dict())).items()}
    size = {"stylegan_size": 1024} if kind == "Encoder4Editing" else {"output_size": 1024}
    told = {"encoder_type": kind, "exp_dir": Path("a/b"), "start_from_latent_avg": True, **size, **opts}
    return {"state_dict": state, "latent_avg": torch.linspace(-1, 1, 512).repeat(len(net.styles), 1), "opts": told}


def written(path: Path, net: nn.Module, kind: str, generator: nn.Module | None = None, **opts: Any) -> Path:
    """A file of it; the options of some are a namespace."""
    made = content(net, kind, generator, **opts)
    torch.save({**made, "opts": argparse.Namespace(**made["opts"])} if kind == "BackboneEncoder" else made, path)
    return path


RELEASES = {
    "pSp": ("GradualStyleEncoder", "ir", 3, True, "psp", 267.1),
    "e4e": ("Encoder4Editing", "ir", 3, True, "e4e", None),
    "ReStyle pSp, faces": ("BackboneEncoder", "ir", 6, False, "restyle", 205.6),
    "ReStyle e4e, faces": ("ProgressiveBackboneEncoder", "ir", 6, False, "restyle", None),
    "ReStyle pSp, others": ("ResNetBackboneEncoder", "resnet", 6, False, "restyle", None),
    "ReStyle e4e, others": ("ResNetProgressiveBackboneEncoder", "resnet", 6, False, "restyle", None),
}


@pytest.mark.slow
@pytest.mark.parametrize("release", RELEASES)
def test_a_release_of_true_size_loads_and_answers_as_its_structure_says(release: str, tmp_path: Path) -> None:
    name, body, channels, pyramid, kind, millions = RELEASES[release]
    rows = 10 if millions is None else 18  # those of 64 px are quicker
    net = reference(rows, body, channels, pyramid)
    encoder = load_encoder(written(tmp_path / "a.pt", net, name))
    assert (encoder.shape.kind, encoder.shape.rows, encoder.shape.w_dim) == (kind, rows, 512)
    if millions is not None:
        running = sum(value.numel() for key, value in encoder.weights.items() if "running" in key)
        assert (sum(value.numel() for value in encoder.weights.values()) - running) / 1e6 == pytest.approx(
            millions, abs=0.06
        )
    x = torch.rand(2, channels, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad():
        wanted = net(x, "Progressive" in name or name == "Encoder4Editing")
        found = answer(encoder.shape, encoder.weights, x)
    of_pictures = (wanted[0] - wanted[1]).norm(dim=1)  # of each row: what the picture decides, not the biases
    assert float(((found - wanted).norm(dim=2) / of_pictures).max()) < 1e-3


@pytest.fixture
def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """The networks are fully convolutional: at 32 px they do all that they do at 256, in a fiftieth of the time."""
    monkeypatch.setattr(public, "SIDE", 32)


@pytest.mark.slow
@pytest.mark.usefixtures("small_pictures")
@pytest.mark.parametrize(("name", "kind"), [("GradualStyleEncoder", "psp"), ("Encoder4Editing", "e4e")])
def test_one_pass_adds_latent_avg_to_the_answer_for_the_pooled_picture(name: str, kind: str, tmp_path: Path) -> None:
    drawn_by, net = session(), reference(10)
    path = written(tmp_path / "a.pt", net, name, drawn_by.generator)
    target = inversion.Target.of(drawn_by.latent(seed=3), drawn_by)
    result = inversion.invert(drawn_by, target, kind, encoder=str(path))
    with torch.no_grad():
        wanted = net(F.avg_pool2d(target.images, 2), kind == "e4e") + torch.linspace(-1, 1, 512)
    torch.testing.assert_close(torch.from_numpy(result.code), wanted, rtol=1e-4, atol=1e-5)
    assert result.steps == 1


@pytest.mark.usefixtures("small_pictures")
def test_restyle_starts_from_latent_avg_and_sees_the_target_before_what_it_drew(tmp_path: Path) -> None:
    drawn_by, net = session(), reference(10, "resnet", 6, False)
    path = written(tmp_path / "a.pt", net, "ResNetBackboneEncoder", drawn_by.generator)
    target = inversion.Target.of(drawn_by.latent(seed=3), drawn_by)
    code = torch.linspace(-1, 1, 512).repeat(1, 10, 1)
    with torch.no_grad():
        for _ in range(2):
            both = torch.cat([target.images, drawn_by.synthesize(code)], dim=1)
            code = code + net(F.avg_pool2d(both, 2), False)
    result = inversion.invert(drawn_by, target, "restyle", encoder=str(path), steps=2)
    torch.testing.assert_close(torch.from_numpy(result.code), code, rtol=1e-3, atol=1e-4)


def test_a_file_without_latent_avg_takes_the_mean_of_the_generator() -> None:
    drawn_by = session()
    drawn_by.generator.mapping.w_avg.copy_(torch.arange(512.0))
    made = content(reference(10), "GradualStyleEncoder")
    del made["latent_avg"]
    encoder = public.from_tree(made)
    assert encoder.centre is None and "mean of w" in encoder.about["notes"][0]
    bound = encoder.for_session(drawn_by)
    assert bound.centre is not None and torch.equal(bound.centre[7], torch.arange(512.0))


@pytest.mark.slow
def test_an_encoder_for_another_generator_is_refused_with_the_reason(tmp_path: Path) -> None:
    drawn_by, other = session(), session()
    other.generator.mapping.fc0.weight.normal_()
    path = written(tmp_path / "a.pt", reference(10), "GradualStyleEncoder", other.generator)
    with pytest.raises(ValueError, match="another mapping network"):
        inversion.start("psp", drawn_by, drawn_by.latent(seed=1), encoder=str(path))
    inversion.start("psp", other, other.latent(seed=1), encoder=str(path))
    path = written(tmp_path / "b.pt", reference(18), "GradualStyleEncoder")
    with pytest.raises(ValueError, match=r"18 rows of 512; .* takes 10 of 512"):
        inversion.start("psp", drawn_by, drawn_by.latent(seed=1), encoder=str(path))
    with pytest.raises(ValueError, match="is a psp encoder"):
        inversion.start("restyle", drawn_by, drawn_by.latent(seed=1), encoder=str(path))


@pytest.mark.slow
def test_encoders_of_cars_see_the_middle_rows_and_those_of_sketches_one_channel_from_zero() -> None:
    encoder = public.from_tree(content(reference(10), "Encoder4Editing", dataset_type="cars_encode"))
    images = torch.rand(1, 3, 512, 512) * 2 - 1
    torch.testing.assert_close(encoder.prepared(images), F.avg_pool2d(images, 2)[:, :, 32:224])
    sketch = public.from_tree(content(reference(10, channels=1), "GradualStyleEncoder"))
    torch.testing.assert_close(sketch.prepared(torch.full((1, 3, 256, 256), -1.0)), torch.zeros(1, 1, 256, 256))


def test_a_file_that_does_not_say_which_encoder_asks() -> None:
    made = content(reference(10), "GradualStyleEncoder")
    bare = {"state_dict": made["state_dict"]}
    with pytest.raises(CheckpointError, match="deltas=True"):
        public.from_tree(bare)
    found: PublicEncoder = public.from_tree(bare, deltas=True)
    assert found.shape.kind == "e4e"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda c: c["state_dict"].pop("encoder.body.3.res_layer.1.weight"),
            "missing, the first is body.3.res_layer.1.weight",
        ),
        (lambda c: c["state_dict"].update({"encoder.extra": torch.zeros(1)}), "belong to no encoder of this kind"),
        (lambda c: c["state_dict"].update({"encoder.styles.1.linear.bias": torch.zeros(7)}), "styles.1.linear.bias"),
        (
            lambda c: c["state_dict"].update({"encoder.styles.1.linear.bias": torch.full((512,), torch.nan)}),
            "not finite",
        ),
        (lambda c: c["state_dict"].pop("encoder.styles.2.convs.6.weight"), "convolutions"),
        (lambda c: c["opts"].update(encoder_type="BackboneEncoderUsingLastLayerIntoW"), "is not read; known are"),
        (lambda c: c.update(latent_avg=torch.zeros(3, 512)), "latent_avg"),
        (
            lambda c: c.update(state_dict={"encoder.linear.weight": torch.zeros(2)}, opts={"encoder_type": "Odd"}),
            "is a Odd",
        ),
    ],
)
def test_what_is_wrong_with_an_encoder_is_named(change: Callable[[dict[str, Any]], Any], words: str) -> None:
    made = content(reference(10), "GradualStyleEncoder")
    change(made)
    with pytest.raises(CheckpointError, match=words) as caught:
        public.from_tree(made)
    assert "\n" not in str(caught.value)


def test_an_error_names_the_file(tmp_path: Path) -> None:
    torch.save({"state_dict": {"decoder.x": torch.zeros(1)}}, tmp_path / "b.pt")
    with pytest.raises(CheckpointError, match=r"b\.pt: no encoder of pSp, e4e or ReStyle .* It holds state_dict"):
        load_encoder(tmp_path / "b.pt")
