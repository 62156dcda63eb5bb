"""Files of torch.save in the layouts of many code bases: they load, give the golden pictures, and convert unchanged."""

from __future__ import annotations

import argparse
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from stylewidgets.checkpoints import open_file
from stylewidgets.checkpoints.errors import CheckpointError
from stylewidgets.checkpoints.formats import native

from ..formats_writers import as_genforce, as_huangzh13, as_mmgen, as_rosinality1, golden, noisy
from ..pickle_writers import foreign_modules, module, stylegan2_attributes

TOLERANCE = 1e-5


def error(found: Tensor, expected: Tensor) -> float:
    assert found.shape == expected.shape
    return float((found - expected).norm() / expected.norm())


def check_pictures(generator: Any, name: str) -> None:
    """The pictures that the public implementation gave for these weights."""
    config, _, tensors = golden(name)
    with torch.no_grad():
        ws = generator.truncate(
            generator.map(tensors["input.z"]), config["truncation_psi"], config.get("truncation_cutoff")
        )
        assert error(generator.synthesize(ws), tensors["expect.image"]) < TOLERANCE
        assert error(generator.synthesize(tensors["input.w_plus"]), tensors["expect.image_from_w_plus"]) < TOLERANCE


def rosinality() -> dict[str, Any]:
    state = golden("rosinality_stylegan2_64")[1]
    return {
        "g_ema": OrderedDict(
            (key.removeprefix("g_ema."), value) for key, value in state.items() if key.startswith("g_ema.")
        ),
        "latent_avg": state["latent_avg"],
    }


def official() -> dict[str, Tensor]:
    return golden("stylegan2_64")[1]


def encoder_file(rows: int | None = None, **opts: Any) -> dict[str, Any]:
    content = rosinality()
    state = {f"decoder.{key}": value for key, value in content["g_ema"].items()}
    state["encoder.input_layer.0.weight"] = torch.randn(8, 6, 3, 3)
    mean = content["latent_avg"]
    return {"state_dict": state, "latent_avg": mean if rows is None else mean.repeat(rows, 1), "opts": opts}


class Whole(nn.Module):
    """A module whose class no other machine has."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        super().__init__()
        for key, value in state.items():
            module: nn.Module = self
            *path, last = key.split(".")
            for part in path:
                if part not in module._modules:
                    module.add_module(part, nn.Module())
                module = module.get_submodule(part)
            module.register_buffer(last, value) if "noise" in key else module.register_parameter(
                last, nn.Parameter(value)
            )


CASES: dict[str, tuple[str, Callable[[], Any]]] = {
    "rosinality, converted": ("rosinality_stylegan2_64", rosinality),
    "rosinality, training": (
        "rosinality_stylegan2_64",
        lambda: {
            "g": noisy(rosinality()["g_ema"]),
            "d": {"convs.0.0.weight": torch.zeros(3)},
            **rosinality(),
            "g_optim": {"state": {0: {"step": 5, "exp_avg": torch.zeros(3)}}},
            "args": argparse.Namespace(size=64, path="x"),
            "ada_aug_p": 0.0,
        },
    ),
    "DataParallel": (
        "rosinality_stylegan2_64",
        lambda: {**rosinality(), "g_ema": {f"module.{key}": value for key, value in rosinality()["g_ema"].items()}},
    ),
    "pSp": ("rosinality_stylegan2_64", lambda: encoder_file(10, encoder_type="GradualStyleEncoder", output_size=64)),
    "e4e": ("rosinality_stylegan2_64", lambda: encoder_file(encoder_type="Encoder4Editing", stylegan_size=64)),
    "ReStyle with a namespace and paths": (
        "rosinality_stylegan2_64",
        lambda: {
            **encoder_file(10),
            "opts": argparse.Namespace(encoder_type="BackboneEncoder", exp_dir=Path("a/b"), input_nc=6),
        },
    ),
    "Lightning": (
        "rosinality_stylegan2_64",
        lambda: {
            "epoch": 3,
            "state_dict": {f"generator.{key}": value for key, value in rosinality()["g_ema"].items()},
            "latent_avg": rosinality()["latent_avg"],
            "hyper_parameters": argparse.Namespace(lr=0.1),
        },
    ),
    "genforce": (
        "stylegan2_64",
        lambda: {
            "generator": noisy(as_genforce(official())),
            "discriminator": {"layer0.weight": torch.zeros(3)},
            "generator_smooth": as_genforce(official()),
        },
    ),
    "mmgeneration": (
        "stylegan2_64",
        lambda: {
            "meta": {"epoch": 1},
            "latent_avg": official()["mapping.w_avg"],
            "state_dict": {
                **{f"generator.{key}": value for key, value in noisy(as_mmgen(official())).items()},
                **{f"generator_ema.{key}": value for key, value in as_mmgen(official()).items()},
            },
        },
    ),
    "official names": ("stylegan2_64", lambda: {"g_ema": official()}),
    "official names, bare": ("stylegan2_64", official),
    "official names, half precision": ("", lambda: {key: value.half() for key, value in official().items()}),
    "a whole module": ("stylegan2_64", lambda: {"G": Whole(official())}),
}


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("case", CASES)
def test_a_layout_gives_the_golden_pictures_and_converts_unchanged(case: str, zipped: bool, tmp_path: Path) -> None:
    name, make = CASES[case]
    path = tmp_path / "file.without_meaning"
    torch.save(make(), path, _use_new_zipfile_serialization=zipped)
    generator, metadata = open_file(path)
    if name:
        check_pictures(generator, name)
    assert metadata["family"] == "stylegan2" and metadata["format"] and metadata["licence"]
    native.save(tmp_path / "own", generator, metadata, dtype="fp32")
    again, kept = open_file(tmp_path / "own")
    assert kept == {**metadata, "format": "stylewidgets safetensors"}
    z = torch.randn(2, generator.z_dim)
    with torch.no_grad():
        assert torch.equal(generator.synthesize(generator.map(z)), again.synthesize(again.map(z)))


def test_a_stylegan_of_genforce_gives_the_golden_pictures(tmp_path: Path) -> None:
    parameters = golden("stylegan1_64")[1]
    generator, metadata = open_file(
        save(tmp_path / "a.pth", {"generator": noisy(parameters), "generator_smooth": parameters})
    )
    assert metadata["family"] == "stylegan1" and metadata["format"] == "genforce stylegan"
    check_pictures(generator, "stylegan1_64")


@pytest.mark.parametrize("layout", ["genforce", "huangzh13", "rosinality"])
def test_a_stylegan_converts_unchanged(layout: str, tmp_path: Path) -> None:
    parameters = golden("stylegan1_64")[1]
    write = {"genforce": dict, "huangzh13": as_huangzh13, "rosinality": as_rosinality1}[layout]
    generator, metadata = open_file(save(tmp_path / "a.pth", write(parameters)))
    native.save(tmp_path / "own", generator, metadata, dtype="fp32")
    again, kept = open_file(tmp_path / "own")
    assert kept == {**metadata, "format": "stylewidgets safetensors"} and again.config == generator.config
    z = torch.randn(2, generator.z_dim)
    with torch.no_grad():
        assert torch.equal(generator.synthesize(generator.map(z)), again.synthesize(again.map(z)))


def test_a_converted_stylegan_gives_the_golden_pictures(tmp_path: Path) -> None:
    generator, metadata = open_file(save(tmp_path / "a.pth", golden("stylegan1_64")[1]))
    native.save(tmp_path / "own", generator, metadata, dtype="fp32")
    check_pictures(open_file(tmp_path / "own")[0], "stylegan1_64")


def test_a_stylegan_of_huangzh13_has_the_golden_weights_and_drawn_noise(tmp_path: Path) -> None:
    parameters = golden("stylegan1_64")[1]
    generator, metadata = open_file(save(tmp_path / "a.pth", as_huangzh13(parameters)))
    expected = open_file(save(tmp_path / "b.pth", parameters))[0].state_dict()
    for name, value in generator.state_dict().items():
        assert name.endswith("noise_const") or torch.equal(value, expected[name]), name
    assert metadata["format"] == "huangzh13 StyleGAN.pytorch" and "noise pictures" in metadata["notes"][0]


def test_the_scales_of_a_rosinality_stylegan_are_folded_into_its_weights(tmp_path: Path) -> None:
    parameters = golden("stylegan1_64")[1]
    generator, metadata = open_file(save(tmp_path / "a.model", {"g_running": as_rosinality1(parameters)}))
    expected = open_file(save(tmp_path / "b.pth", parameters))[0].state_dict()
    for name, value in generator.state_dict().items():
        if not name.endswith(("noise_const", "w_avg", "b4.conv0.bias")):
            assert torch.allclose(value, expected[name], rtol=1e-5, atol=1e-6), name
    assert generator.config.norm_eps == 1e-5 and generator.config.bias_first
    assert metadata["format"] == "rosinality style-based-gan-pytorch" and len(metadata["notes"]) == 2


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_whole_official_modules_that_were_saved_with_torch_give_the_golden_pictures(
    zipped: bool, tmp_path: Path
) -> None:
    config, parameters, _ = golden("stylegan2_64")
    whole = module(parameters, stylegan2_attributes(parameters, config["conv_clamp"]))
    path = tmp_path / "model_ABC.pt"
    with foreign_modules():
        torch.save(whole, path, _use_new_zipfile_serialization=zipped)
    generator, metadata = open_file(path)
    check_pictures(generator, "stylegan2_64")
    assert metadata["source_known"] is False and metadata["family"] == "stylegan2"


def save(path: Path, content: Any) -> Path:
    torch.save(content, path)
    return path


def test_a_missing_mean_is_estimated_and_missing_noise_is_drawn_the_same_each_time(tmp_path: Path) -> None:
    state = {key: value for key, value in rosinality()["g_ema"].items() if not key.startswith("noises.")}
    path = save(tmp_path / "a.pt", {"g_ema": state})
    (first, metadata), (second, _) = open_file(path), open_file(path)
    assert len(metadata["notes"]) == 2 and "estimated" in str(metadata["notes"]) and "noise" in str(metadata["notes"])
    assert float(first.w_avg.norm()) > 0
    for key, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[key]), key


def test_a_file_of_an_encoder_says_which_and_keeps_its_options(tmp_path: Path) -> None:
    path = save(
        tmp_path / "e4e.pt", encoder_file(10, encoder_type="Encoder4Editing", stylegan_size=64, device="cuda:0")
    )
    metadata = open_file(path)[1]
    assert metadata["encoder"] == "Encoder4Editing" and metadata["opts"]["device"] == "cuda:0"
    assert metadata["inside"] == "state_dict.decoder." and "encoder" in metadata["notes"][0]


def test_rows_of_latent_avg_that_differ_are_averaged_and_said(tmp_path: Path) -> None:
    content = encoder_file(10)
    content["latent_avg"] = content["latent_avg"] + torch.linspace(-1, 1, 10)[:, None]
    generator, metadata = open_file(save(tmp_path / "a.pt", content))
    assert torch.allclose(generator.w_avg, rosinality()["latent_avg"], atol=1e-6)
    assert any("differs from row to row" in note for note in metadata["notes"])


def test_opening_leaves_the_seed_of_the_user_and_the_file_alone(tmp_path: Path) -> None:
    path = save(tmp_path / "a.pt", rosinality())
    before = path.read_bytes()
    torch.manual_seed(3)
    expected = torch.randn(3)
    torch.manual_seed(3)
    generator, _ = open_file(path)
    assert torch.equal(torch.randn(3), expected)
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(1)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"GAN": {"S.net.0.weight": torch.zeros(2, 2), "G.x": torch.zeros(1)}, "version": "1.5"}, "lucidrains"),
        (
            {
                "g_ema": {
                    "input.input": torch.zeros(1, 2, 4, 4),
                    "convs.0.conv.modulation.weight": torch.zeros(2, 2),
                    "to_rgbs.0.iwt.ll": torch.zeros(1),
                }
            },
            "SWAGAN",
        ),
        (
            {"state_dict": {"student.const.const": torch.zeros(1), "mapping_net.0.weight": torch.zeros(1)}},
            "MobileStyleGAN",
        ),
        ({"init_block.const": torch.zeros(1)}, "mapping"),
        ({"backbone.synthesis.b4.const": torch.zeros(1), "decoder.net.0.weight": torch.zeros(1)}, "EG3D"),
        ({"model": {"weight": torch.zeros(1)}}, "no StyleGAN generator is in it. It holds model"),
        ([1, 2], "Its content is a list"),
        ({}, "It holds nothing"),
        ({"input.input": torch.zeros(1, 2, 4, 4), "convs.0.conv.modulation.weight": torch.zeros(2, 2)}, "missing"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(content: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as caught:
        open_file(save(tmp_path / "a.pt", content))
    text = str(caught.value)
    assert words in text and "a.pt" in text and "\n" not in text and text.count("a.pt") == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s.pop("convs.2.conv.weight"), "missing"),
        (lambda s: s.update({"convs.2.conv.weight": torch.zeros(1, 7, 7, 3, 3)}), "shape"),
        (lambda s: s["convs.1.conv.weight"].fill_(float("nan")), "not finite"),
        (lambda s: s.update({"input.input": torch.zeros(4)}), "const"),
    ],
)
def test_damaged_parameters_are_named(change: Callable[[dict[str, Tensor]], Any], words: str, tmp_path: Path) -> None:
    content = rosinality()
    change(content["g_ema"])
    with pytest.raises(CheckpointError, match=words):
        open_file(save(tmp_path / "a.pt", content))
