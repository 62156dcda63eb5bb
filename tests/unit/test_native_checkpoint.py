"""Our own generator files: what is written comes back, and a bad file is explained."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from stylewidgets.checkpoints.formats import native
from stylewidgets.generators.stylegan1.generator import StyleGAN1, StyleGAN1Config
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.generators.stylegan3.generator import StyleGAN3, StyleGAN3Config


def make(**changes: Any) -> StyleGAN2:
    torch.manual_seed(0)
    sizes: dict[str, Any] = {"z_dim": 8, "w_dim": 12, "resolution": 16, "channels": (10, 8, 6), "mapping_layers": 2}
    return StyleGAN2(StyleGAN2Config(**{**sizes, **changes})).eval()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "g.safetensors"
    native.save(path, make(), {"name": "test"}, dtype="fp32")
    return path


def parts(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the description of a file, to be written again with a change."""
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (the file object is no mapping)
        return tensors, json.loads(file.metadata()[native.KEY])


def rewrite(path: Path, tensors: dict[str, Tensor], about: object) -> None:
    save_file(tensors, path, metadata={native.KEY: about if isinstance(about, str) else json.dumps(about)})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"architecture": "resnet", "img_channels": 1},
        {"architecture": "orig", "use_noise": False},
        {"c_dim": 3, "conv_clamp": 256.0},
        {"mapping_lr": 0.1, "taps": (1.0, 1.0)},
        {"start": (4, 2)},
    ],
)
def test_a_generator_comes_back_exactly_in_fp32(changes: dict[str, Any], tmp_path: Path) -> None:
    generator = make(**changes)
    generator.synthesis.to(memory_format=torch.channels_last)
    native.save(tmp_path / "g.safetensors", generator, {"name": "x", "images": 3}, dtype="fp32")
    again, metadata = native.load(tmp_path / "g.safetensors")
    assert metadata == {"name": "x", "images": 3}
    assert again.config == generator.config and not again.training
    for name, value in generator.state_dict().items():
        assert torch.equal(again.state_dict()[name], value)


XL: dict[str, Any] = {"mapping": "stylegan-xl", "embed_dim": 6, "c_dim": 3}


@pytest.mark.parametrize(
    "generator",
    [
        lambda: StyleGAN1(StyleGAN1Config(z_dim=8, w_dim=12, channels=(10, 8, 6), mapping_layers=2, fused_from=16)),
        lambda: StyleGAN1(
            StyleGAN1Config(
                z_dim=8,
                w_dim=12,
                channels=(10, 8),
                mapping_layers=2,
                lod=1.5,
                c_dim=3,
                norm_eps=1e-5,
                bias_first=True,
                fused_from=None,
                use_noise=False,
                start=(4, 2),
                mapping_width=7,
            )
        ),
        lambda: StyleGAN2(StyleGAN2Config(z_dim=8, w_dim=12, channels=(10, 8), resolution=8, c_dim=3, label="joint")),
        lambda: StyleGAN3(StyleGAN3Config.create("R", 16, channel_base=64, channel_max=8, z_dim=8, w_dim=12, margin=6)),
        lambda: StyleGAN3(StyleGAN3Config.create("T", 16, channel_base=64, channel_max=8, z_dim=8, w_dim=12, **XL)),
    ],
)
@pytest.mark.parametrize("dtype", ["fp32", "fp16"])
def test_every_family_comes_back(generator: Callable[[], Any], dtype: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    before = generator().eval()
    for name, value in before.state_dict().items():
        if name.endswith(("w_avg", "noise_strength", "bias")):
            value.copy_(torch.randn(value.shape))
    native.save(tmp_path / "g", before, dtype=dtype)
    again, _ = native.load(tmp_path / "g")
    assert type(again) is type(before) and again.config == before.config
    z = torch.randn(2, 8)
    c = torch.eye(3)[:2] if before.c_dim else None
    with torch.no_grad():
        one, two = (g.synthesize(g.truncate(g.map(z, c), 0.5, c=c)) for g in (before, again))
    if dtype == "fp32":
        assert torch.equal(one, two)
        assert all(torch.equal(value, again.state_dict()[name]) for name, value in before.state_dict().items())
    assert float((one - two).norm() / one.norm()) < 1e-2
    found = native.inspect(tmp_path / "g")
    assert (found["family"], found["resolution"], found["classes"]) == (before.family, before.resolution, before.c_dim)
    json.dumps(found)


def test_means_and_filters_keep_every_digit_in_fp16(tmp_path: Path) -> None:
    generator = StyleGAN3(StyleGAN3Config.create("R", 16, channel_base=64, channel_max=8, z_dim=8, w_dim=12)).eval()
    native.save(tmp_path / "g", generator)
    again = native.load(tmp_path / "g")[0].state_dict()
    for name, value in generator.named_buffers():
        assert torch.equal(again[name], value), name


def test_a_written_file_is_as_open_as_any_other(tmp_path: Path) -> None:
    native.save(tmp_path / "g", make())
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "g").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_the_bundled_generator_opens() -> None:
    from stylewidgets import weights

    generator, metadata = native.load(weights.find(None))
    assert generator.family == "stylegan2" and metadata


def test_fp16_halves_the_file_and_keeps_the_picture(saved: Path, tmp_path: Path) -> None:
    generator = make()
    native.save(tmp_path / "half.safetensors", generator)
    again, metadata = native.load(tmp_path / "half.safetensors")
    assert metadata == {}
    assert all(p.dtype == torch.float32 for p in again.parameters())
    w = torch.randn(2, 12)
    wanted = generator.synthesize(w).detach()
    assert float((again.synthesize(w).detach() - wanted).norm() / wanted.norm()) < 5e-3
    sizes = [native.inspect(p)["parameters"] for p in (saved, tmp_path / "half.safetensors")]
    assert sizes[0] == sizes[1] == sum(v.numel() for v in generator.state_dict().values())
    tensors, _ = parts(tmp_path / "half.safetensors")
    assert {v.dtype for n, v in tensors.items() if v.ndim > 1} == {torch.float16}
    assert {v.dtype for n, v in tensors.items() if v.ndim <= 1} == {torch.float32}


def test_inspection_tells_all_without_reading_a_tensor(saved: Path) -> None:
    found = native.inspect(saved)
    assert (found["family"], found["resolution"], found["classes"], found["dtype"]) == ("stylegan2", 16, 0, "fp32")
    assert found["metadata"] == {"name": "test"} and found["num_ws"] == 6
    assert found["layers"]["synthesis.b8.conv0.weight"] == [8, 10, 3, 3]
    assert found["config"]["channels"] == [10, 8, 6]
    json.dumps(found)


def test_loading_leaves_the_random_state_alone(saved: Path) -> None:
    torch.manual_seed(5)
    wanted = torch.rand(1)
    torch.manual_seed(5)
    native.load(saved)
    assert torch.equal(torch.rand(1), wanted)


def test_a_loaded_generator_can_be_trained_on(saved: Path) -> None:
    generator, _ = native.load(saved)
    generator.train().synthesize(generator.map(torch.randn(2, 8))).sum().backward()
    assert generator.synthesis.get_parameter("b4.const").grad is not None


def test_weights_that_are_not_finite_are_neither_written_nor_read(saved: Path, tmp_path: Path) -> None:
    generator = make()
    with torch.no_grad():
        generator.synthesis.get_parameter("b8.conv1.bias")[0] = float("nan")
    with pytest.raises(ValueError, match="b8.conv1.bias holds numbers that are not finite"):
        native.save(tmp_path / "bad.safetensors", generator)
    assert not list(tmp_path.glob("bad*"))
    tensors, about = parts(saved)
    tensors["synthesis.b8.conv1.weight"][0, 0, 0, 0] = float("inf")
    rewrite(saved, tensors, about)
    with pytest.raises(ValueError, match="b8.conv1.weight holds numbers that are not finite"):
        native.load(saved)


def test_values_too_large_for_fp16_ask_for_fp32(tmp_path: Path) -> None:
    generator = make()
    with torch.no_grad():
        generator.mapping.get_parameter("fc0.weight")[0, 0] = 1e5
    with pytest.raises(ValueError, match=r"mapping.fc0.weight has values above 65504.*fp32"):
        native.save(tmp_path / "g.safetensors", generator)
    native.save(tmp_path / "g.safetensors", generator, dtype="fp32")


def test_a_failed_write_keeps_the_file_before(saved: Path) -> None:
    before = saved.read_bytes()
    for bad in ({"x": object()}, {"x": float("nan")}):
        with pytest.raises(ValueError, match="plain JSON values"):
            native.save(saved, make(), bad)
    with pytest.raises(ValueError, match="fp16, fp32; 'int8'"):
        native.save(saved, make(), dtype="int8")
    with pytest.raises(ValueError, match="a Linear was given"):
        native.save(saved, torch.nn.Linear(1, 1))
    assert saved.read_bytes() == before and [p.name for p in saved.parent.iterdir()] == [saved.name]


@pytest.mark.parametrize("read", [native.load, native.inspect])
class TestBadFiles:
    def test_every_cut_is_noticed(self, read: Any, saved: Path) -> None:
        whole = saved.read_bytes()
        for length in (0, 1, 7, 8, 9, 100, 2000, len(whole) // 2, len(whole) - 1):
            saved.write_bytes(whole[:length])
            with pytest.raises(ValueError, match="not a whole safetensors file"):
                read(saved)

    @pytest.mark.parametrize(
        "content", [b"\x80\x02}q\x00.", b"PK\x03\x04" + b"\0" * 100, b"{}", b"\xff" * 64, b"text" * 99]
    )
    def test_other_formats_are_refused(self, read: Any, content: bytes, tmp_path: Path) -> None:
        path = tmp_path / "network.pkl"
        path.write_bytes(content)
        with pytest.raises(ValueError, match="not a whole safetensors file"):
            read(path)

    def test_foreign_safetensors_are_refused(self, read: Any, tmp_path: Path) -> None:
        save_file({"a": torch.zeros(2)}, tmp_path / "a.safetensors", metadata={"format": "pt"})
        with pytest.raises(ValueError, match="stylewidgets did not write"):
            read(tmp_path / "a.safetensors")

    def test_a_missing_file_and_a_folder_are_told_apart(self, read: Any, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="there is no file"):
            read(tmp_path / "none.safetensors")
        with pytest.raises(ValueError, match="is a folder"):
            read(tmp_path)

    @pytest.mark.parametrize(
        ("about", "message"),
        [
            ("{", "not JSON"),
            ("[]", "no format version"),
            ("{}", "no format version"),
            ("[" * 100_000, "not JSON"),
            ('{"format": 99}', "Update stylewidgets"),
            ('{"format": 1, "family": "stylegan9"}', "family 'stylegan9'"),
            ('{"format": 1, "family": "stylegan2"}', "lacks config"),
        ],
    )
    def test_broken_descriptions_are_explained(self, read: Any, about: str, message: str, saved: Path) -> None:
        tensors, _ = parts(saved)
        rewrite(saved, tensors, about)
        with pytest.raises(ValueError, match=message):
            read(saved)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("resolution", 10**9),
            ("channels", [10**6] * 3),
            ("mapping_layers", 10**9),
            ("z_dim", "8"),
            ("conv_clamp", "x"),
            ("taps", 7),
            ("mapping_lr", None),
            ("mapping_lr", "0.01"),
            ("conv_clamp", [1]),
            ("taps", ["a", "a"]),
            ("architecture", "orig"),
            ("surprise", 1),
        ],
    )
    def test_a_description_that_the_tensors_deny_is_refused(
        self, read: Any, name: str, value: Any, saved: Path
    ) -> None:
        tensors, about = parts(saved)
        about["config"][name] = value
        rewrite(saved, tensors, about)
        with pytest.raises(ValueError, match="The file is damaged"):
            read(saved)


@pytest.mark.parametrize("change", ["missing", "extra", "shape"])
def test_tensors_that_do_not_belong_together_are_refused(change: str, saved: Path) -> None:
    tensors, about = parts(saved)
    name = "synthesis.b8.conv0.affine.bias"
    if change == "missing":
        del tensors[name]
    elif change == "extra":
        tensors[name + "2"] = torch.zeros(1)
    else:
        tensors[name] = torch.zeros(3)
    rewrite(saved, tensors, about)
    with pytest.raises(ValueError, match=r"synthesis.b8.conv0.affine.bias.* in the file.*The file is damaged"):
        native.load(saved)
