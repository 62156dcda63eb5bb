"""Generators that other projects saved in ways of their own, and files that people take for generators."""

from __future__ import annotations

import io
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

import stylewidgets as sw
from stylewidgets.checkpoints import open_file, zoo
from stylewidgets.checkpoints.errors import CheckpointError
from stylewidgets.checkpoints.formats import native
from stylewidgets.cli.info import describe
from stylewidgets.generators.families import FAMILIES
from stylewidgets.generators.stylegan2 import StyleGAN2, StyleGAN2Config
from stylewidgets.generators.stylegan3 import StyleGAN3, StyleGAN3Config
from stylewidgets.generators.stylegan3.config import LayerShape

from .. import pickle_writers as write
from ..formats_writers import as_huangzh13, golden

SMALL = {"z_dim": 16, "w_dim": 16, "mapping_layers": 2}


def picture(generator: Any, seed: int = 3, label: int | None = None) -> Tensor:
    z = torch.from_numpy(np.random.RandomState(seed).randn(1, generator.z_dim)).float()
    c = torch.eye(generator.c_dim)[None, label or 0] if generator.c_dim else None
    with torch.no_grad():
        return generator.synthesize(generator.map(z, c))  # type: ignore[no-any-return]


def stylegan2(**others: Any) -> StyleGAN2:
    torch.manual_seed(0)
    return StyleGAN2(StyleGAN2Config(**{"resolution": 16, "channels": (8, 8, 8), **SMALL, **others})).eval()


def stylegan3(oversampling: int = 2, **others: Any) -> StyleGAN3:
    """A small StyleGAN3 with what training would have set: means, and places that depend on w."""
    torch.manual_seed(0)
    config = StyleGAN3Config.create("T", 16, channel_base=256, channel_max=8, num_layers=4, **{**SMALL, **others})
    if oversampling == 1:
        layers = [_without_oversampling(layer) for layer in config.layers]
        config = StyleGAN3Config(**{**config.to_dict(), "layers": tuple(layers)})
    generator = StyleGAN3(config).eval()
    with torch.no_grad():
        generator.synthesis.input.affine.weight.normal_()
    return generator


def _without_oversampling(layer: LayerShape) -> LayerShape:
    up, down = (1, 1) if layer.up == layer.down else (layer.up // 2, layer.down // 2)
    up_taps, down_taps = 6 * up if up > 1 else 1, 6 * down if down > 1 else 1
    return layer._replace(up=up, down=down, up_taps=up_taps, down_taps=down_taps)


# -- containers -----------------------------------------------------------------------------------------------------------
def in_pickle(state: dict[str, Any], path: Path) -> None:
    path.write_bytes(pickle.dumps(state))


def in_npz(state: dict[str, Tensor], path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, **{name: value.numpy() for name, value in state.items()})


def prefixed(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {prefix + name: value for name, value in state.items()}


CONTAINERS: dict[str, Callable[[dict[str, Tensor], Path], None]] = {
    "safetensors": lambda state, path: save_file(state, path),
    "safetensors of PyTorch": lambda state, path: save_file(state, path, {"format": "pt"}),
    "safetensors, G_ema": lambda state, path: save_file(prefixed(state, "G_ema."), path, {"format": "pt"}),
    "npz": in_npz,
    "npz, G_ema": lambda state, path: in_npz(prefixed(state, "G_ema."), path),
    "pickle of tensors": lambda state, path: in_pickle({"g_ema": state}, path),
    "pickle of arrays": lambda state, path: in_pickle({name: value.numpy() for name, value in state.items()}, path),
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("family", ["stylegan2", "stylegan3"])
def test_a_bare_state_dict_opens_from_any_container(container: str, family: str, tmp_path: Path) -> None:
    made = {"stylegan2": stylegan2, "stylegan3": stylegan3}[family]()
    path = tmp_path / "file.without_meaning"
    CONTAINERS[container]({name: value.clone() for name, value in made.state_dict().items()}, path)
    generator, metadata = open_file(path)
    assert torch.equal(picture(generator), picture(made)) and metadata["licence"]
    assert describe(path)["family"].startswith(family)


def test_arrays_of_other_types_and_orders_open_alike(tmp_path: Path) -> None:
    made = stylegan2()
    odd = {name: np.array(value.numpy(), ">f8", order="F") for name, value in made.state_dict().items()}
    with (tmp_path / "a.npz").open("wb") as file:
        np.savez_compressed(file, **odd)
    assert torch.equal(picture(open_file(tmp_path / "a.npz")[0]), picture(made))


# -- kinds ----------------------------------------------------------------------------------------------------------------
def test_a_rectangular_stylegan3_is_told_by_shapes_written_and_read_again(tmp_path: Path) -> None:
    made = stylegan3(aspect=0.5)
    assert picture(made).shape == (1, 3, 16, 8)
    save_file(made.state_dict(), tmp_path / "a.safetensors")
    generator, _ = open_file(tmp_path / "a.safetensors")
    assert generator.config == made.config and torch.equal(picture(generator), picture(made))
    native.save(tmp_path / "own", generator, dtype="fp32")
    assert torch.equal(picture(open_file(tmp_path / "own")[0]), picture(made))


def test_the_preview_of_a_rectangular_stylegan3_has_its_shape() -> None:
    made = stylegan3(aspect=0.5)
    styles = made.styles(made.map(torch.randn(1, 16)))
    state = None
    with torch.no_grad():
        for i in range(made.num_blocks - 1):
            state = made.step(i, state, styles[made.block_layers(i)])
            small = made.finish_small(i, state.x, None, styles[i + 1 :])
            assert small.shape[2] == 2 * small.shape[3] == made.preview_resolution(i)


def test_a_stylegan3_without_oversampling_around_the_nonlinearity_opens(tmp_path: Path) -> None:
    made = stylegan3(oversampling=1)
    assert made.config.oversampling == 1 and made.config.rates == stylegan3().config.rates
    save_file(made.state_dict(), tmp_path / "a.safetensors")
    generator, _ = open_file(tmp_path / "a.safetensors")
    assert generator.config == made.config and torch.equal(picture(generator), picture(made))


def xl(classes: int, rows: int) -> dict[str, Tensor]:
    made = stylegan3(mapping="stylegan-xl", embed_dim=6, c_dim=rows)
    state = made.state_dict()
    torch.manual_seed(1)
    return {**state, "mapping.w_avg": torch.randn(classes, 16)}


def test_a_stylegan_xl_has_as_many_classes_as_means(tmp_path: Path) -> None:
    state = xl(10, 1000)
    save_file(state, tmp_path / "a.safetensors")
    generator, metadata = open_file(tmp_path / "a.safetensors")
    assert generator.c_dim == 10 and "10 classes" in metadata["notes"][0]
    whole = StyleGAN3.from_state_dict({**state, "mapping.w_avg": torch.zeros(1000, 16)})
    assert torch.equal(picture(generator, label=7), picture(whole, label=7))


def test_layers_with_a_gap_in_their_numbers_are_taken_in_order(tmp_path: Path) -> None:
    made = stylegan3()
    shifted = {
        re.sub(r"\.L([34])_", lambda m: f".L{int(m[1]) + 1}_", name): value for name, value in made.state_dict().items()
    }
    save_file(shifted, tmp_path / "a.safetensors")
    generator, metadata = open_file(tmp_path / "a.safetensors")
    assert torch.equal(picture(generator), picture(made)) and "L4 is L3 here" in metadata["notes"][0]


def test_an_embedded_label_of_another_width_is_read_and_written(tmp_path: Path) -> None:
    made = stylegan2(c_dim=4, label_width=5)
    save_file(made.state_dict(), tmp_path / "a.safetensors")
    generator, _ = open_file(tmp_path / "a.safetensors")
    assert generator.config == made.config and torch.equal(picture(generator, label=2), picture(made, label=2))
    native.save(tmp_path / "own", generator, dtype="fp32")
    assert torch.equal(picture(open_file(tmp_path / "own")[0], label=2), picture(made, label=2))


@pytest.mark.parametrize("start", [(4, 2), (5, 3), (4, 6)])
def test_tensorflow_files_of_pictures_that_are_not_square_open(start: tuple[int, int], tmp_path: Path) -> None:
    made = stylegan2(start=start, resolution=max(start) * 4)
    square = write.stylegan2_variables(made.state_dict())
    scopes = {f"{4 << i}x{4 << i}": f"{start[0] << i}x{start[1] << i}" for i in range(3)}
    variables = {re.sub(r"\d+x\d+", lambda m: scopes[m[0]], name): value for name, value in square.items()}
    path = tmp_path / "network.pkl"
    path.write_bytes(write.dumps((None, None, write.network("Gs", variables))))
    generator, _ = open_file(path)
    assert picture(generator).shape[2:] == (start[0] * 4, start[1] * 4)
    assert torch.allclose(picture(generator), picture(made), atol=1e-5)


def huangzh13(blurred: bool, classes: int = 0) -> dict[str, Tensor]:
    state = as_huangzh13(golden("stylegan1_64")[1])
    blocks = sorted({name.rpartition(".conv0_up.")[0] for name in state if ".conv0_up." in name})
    if blurred:
        state |= {f"{block}.conv0_up.intermediate.kernel": torch.ones(1, 1, 3, 3) for block in blocks}
    if classes:
        torch.manual_seed(2)
        first = state["g_mapping.map.dense0.weight"]
        state["class_embedding.weight"] = torch.randn(classes, first.shape[1])
        state["g_mapping.map.dense0.weight"] = torch.cat([first, torch.randn_like(first)], dim=1)
    return state


@pytest.mark.parametrize("blurred", [True, False])
def test_huangzh13_has_the_norm_of_torch_and_blurs_only_with_kernels(blurred: bool, tmp_path: Path) -> None:
    torch.save(huangzh13(blurred), tmp_path / "a.pth")
    config = open_file(tmp_path / "a.pth")[0].config
    assert config.norm_eps == 1e-5 and config.blur is blurred


def test_the_blur_of_a_stylegan_is_a_part_of_its_pictures(tmp_path: Path) -> None:
    torch.save(huangzh13(True), tmp_path / "a.pth")
    torch.save(huangzh13(False), tmp_path / "b.pth")
    a, b = (picture(open_file(tmp_path / name)[0]) for name in ("a.pth", "b.pth"))
    assert float((a - b).norm() / a.norm()) > 0.01


def test_a_conditional_huangzh13_keeps_its_classes(tmp_path: Path) -> None:
    torch.save(huangzh13(True, classes=3), tmp_path / "a.pth")
    generator, metadata = open_file(tmp_path / "a.pth")
    assert generator.c_dim == 3 and not any("left out" in note for note in metadata["notes"])
    assert not torch.equal(picture(generator, label=0), picture(generator, label=2))


def test_what_a_genforce_file_does_not_tell_is_a_setting(tmp_path: Path) -> None:
    torch.save(golden("stylegan1_32")[1], tmp_path / "a.pth")
    session = sw.load(tmp_path / "a.pth", settings={"fused_from": 1})
    assert session.metadata["settings"] == {"fused_from": 1}
    config, _, tensors = golden("stylegan1_32")
    assert config["fused_scale"]
    with torch.no_grad():
        found = session.generator.synthesize(tensors["input.w_plus"])
    assert float((found - tensors["expect.image_from_w_plus"]).norm() / found.norm()) < 1e-5
    assert any("fused_scale" in note for note in open_file(tmp_path / "a.pth")[1]["notes"])
    with pytest.raises(CheckpointError, match="did you mean 'fused_from'"):
        open_file(tmp_path / "a.pth", {"fused_form": 1})
    with pytest.raises(CheckpointError, match="fused_from is a whole number"):
        open_file(tmp_path / "a.pth", {"fused_from": "yes"})


# -- nothing is left out without a word -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "case",
    [
        ("genforce", lambda: golden("files_gf2_cond")[1], "mapping.other_weight"),
        ("genforce", lambda: golden("files_gf1_cond")[1], "synthesis.layer3.other"),
        ("huangzh13", lambda: huangzh13(True), "g_synthesis.blocks.0.other"),
        ("rosinality", lambda: {k[6:]: v for k, v in golden("rosinality_stylegan2_64")[1].items() if k[:6] == "g_ema."},
         "convs.0.conv.other"),
    ],
    ids=lambda case: f"{case[0]} {case[2]}",
)  # fmt: skip
def test_a_parameter_that_no_rule_uses_is_told(case: tuple[str, Callable[[], Any], str], tmp_path: Path) -> None:
    _, make, name = case
    torch.save(make(), tmp_path / "a.pth")
    before = [note for note in open_file(tmp_path / "a.pth")[1]["notes"] if "left out" in note]
    torch.save({**make(), name: torch.ones(3)}, tmp_path / "a.pth")
    notes = sw.load(tmp_path / "a.pth").metadata["notes"]
    assert not before and any(name in note and "pictures may differ" in note for note in notes)


@pytest.mark.parametrize("family", ["stylegan2", "stylegan3"])
def test_a_parameter_too_many_under_the_official_names_is_refused(family: str, tmp_path: Path) -> None:
    made = {"stylegan2": stylegan2, "stylegan3": stylegan3}[family]()
    save_file({**made.state_dict(), "mapping.other.weight": torch.ones(3)}, tmp_path / "a")
    with pytest.raises(CheckpointError, match=r"mapping\.other\.weight"):
        open_file(tmp_path / "a")


# -- other files get their right name -------------------------------------------------------------------------------------
def saved(content: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


W = torch.zeros(1, 18, 512)
WRONG: dict[str, tuple[Callable[[], bytes], str]] = {
    "discriminator of rosinality": (lambda: saved({"d": {"convs.0.0.weight": W, "final_linear.0.weight": W}}), "discriminator"),
    "discriminator, official": (lambda: saved({"b8.fromrgb.weight": W, "b4.fc.weight": W}), "discriminator"),
    "encoder alone": (lambda: saved({"state_dict": {"encoder.input_layer.0.weight": W, "encoder.styles.0.convs.0.weight": W}}),
                      "encoder without its decoder"),
    "diffusion": (lambda: saved({"state_dict": {"model.diffusion_model.input_blocks.0.0.weight": W}}), "diffusion model"),
    "diffusers": (lambda: saved({"down_blocks.0.resnets.0.conv1.weight": W}), "diffusion model"),
    "LPIPS": (lambda: saved({f"lin{i}.model.1.weight": torch.zeros(1, 64, 1, 1) for i in range(5)}), "perceptual distance"),
    "w code": (lambda: saved(W), "latent code"),
    "w code in a dictionary": (lambda: saved({"a.jpg": {"img": torch.zeros(3, 8, 8), "latent": W[0]}}), "latent code"),
    "direction": (lambda: saved(torch.zeros(1, 512)), "directions"),
    "CLIP": (lambda: saved({"visual.conv1.weight": W, "text_projection": W}), "CLIP"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_file_of_another_kind_is_called_by_its_name(case: str, tmp_path: Path) -> None:
    make, words = WRONG[case]
    (tmp_path / "a.pt").write_bytes(make())
    with pytest.raises(CheckpointError, match=words):
        open_file(tmp_path / "a.pt")


def test_an_archive_of_codes_says_what_reads_it(tmp_path: Path) -> None:
    np.savez(tmp_path / "projected_w.npz", w=np.zeros((1, 18, 512), np.float32))
    with pytest.raises(CheckpointError, match="read_latent"):
        open_file(tmp_path / "projected_w.npz")
    np.save(tmp_path / "age.npy", np.zeros((1, 512)))
    with pytest.raises(CheckpointError, match="read_directions"):
        open_file(tmp_path / "age.npy")


def test_arrays_of_objects_are_refused_and_nothing_runs(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.array([{"a": 1}], object))
    with pytest.raises(CheckpointError, match="Python objects"):
        open_file(tmp_path / "a.npz")


# -- where files are ------------------------------------------------------------------------------------------------------
def test_a_folder_with_one_checkpoint_stands_for_it(tmp_path: Path) -> None:
    save_file(stylegan2().state_dict(), tmp_path / "network.safetensors")
    (tmp_path / "README.md").write_text("about")
    (tmp_path / "network.directions.safetensors").write_bytes(b"x")
    assert sw.load(tmp_path).generator.family == "stylegan2"
    assert sw.load(tmp_path.as_uri() + "/network.safetensors").generator.family == "stylegan2"
    (tmp_path / "other.pkl").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"2 files that may be checkpoints; give one of them: .*network.safetensors"):
        sw.load(tmp_path)


def test_a_folder_without_a_checkpoint_says_so(tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"x")
    with pytest.raises(ValueError, match="no file that ends in"):
        sw.load(tmp_path)


# -- the zoo --------------------------------------------------------------------------------------------------------------
def test_the_zoo_lists_exactly_the_families_that_open() -> None:
    assert {one.family for one in zoo.entries()} == set(zoo.FAMILIES) <= set(FAMILIES)
    assert not {one.family for one in zoo.catalogue()} - set(zoo.FAMILIES) & set(FAMILIES)


def test_a_file_that_is_not_what_the_zoo_says_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path))
    one = zoo.entry("ada-cifar10")
    save_file(stylegan2(c_dim=10).state_dict(), tmp_path / one.file)
    with pytest.raises(ValueError, match="its resolution is 16, and should be 32"):
        sw.load("ada-cifar10")


# -- whose it is ----------------------------------------------------------------------------------------------------------
def test_licence_and_origin_are_told_by_info_and_session(tmp_path: Path) -> None:
    save_file(stylegan2().state_dict(), tmp_path / "a.safetensors")
    session = sw.load(tmp_path / "a.safetensors")
    assert "non-commercial" in session.origin and session.origin.startswith("a; licence")
    assert "non-commercial" in describe(tmp_path / "a.safetensors")["licence"]
    assert "not recorded" in sw.GeneratorSession(stylegan2()).origin
    native.save(tmp_path / "own", stylegan2(), {"licence": "CC0"})
    assert describe(tmp_path / "own")["licence"] == "CC0"
