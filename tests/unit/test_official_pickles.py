"""Pickles of the official releases: they load, give the golden pictures, and nothing in them is executed."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from stylewidgets.bench.reading import peak
from stylewidgets.checkpoints.build import build
from stylewidgets.checkpoints.errors import CheckpointError
from stylewidgets.checkpoints.formats import persistence_pickle, tensorflow_pickle
from stylewidgets.checkpoints.pickle.records import Storage, TensorRecord
from stylewidgets.checkpoints.pickle.tensors import to_tensors
from stylewidgets.checkpoints.pickle.unpickler import unpickle
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config

from .. import pickle_writers as write
from ..formats_writers import golden, noisy

TOLERANCE = 1e-5


def error(found: Tensor, expected: Tensor) -> float:
    assert found.shape == expected.shape
    return float((found - expected).norm() / expected.norm())


def check_pictures(generator: Any, name: str) -> None:
    """The pictures that the public implementation gave for these weights."""
    config, _, tensors = golden(name)
    noise = config.get("noise_mode", "const")
    with torch.no_grad():
        ws = generator.map(tensors["input.z"], tensors["input.c"] if config.get("c_dim") else None)
        ws = generator.truncate(ws, config["truncation_psi"], config.get("truncation_cutoff"))
        assert error(generator.synthesize(ws, noise=noise), tensors["expect.image"]) < TOLERANCE
        assert (
            error(generator.synthesize(tensors["input.w_plus"], noise=noise), tensors["expect.image_from_w_plus"])
            < TOLERANCE
        )


def persistence(path: Path, value: Any, protocol: int = 4) -> Path:
    path.write_bytes(write.dumps(value, protocol))
    return path


def stylegan2(name: str = "stylegan2_64", **options: Any) -> Any:
    config, tensors, _ = golden(name)
    return write.module(tensors, write.stylegan2_attributes(tensors, config["conv_clamp"]), **options)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_snapshot_of_any_pickle_protocol_gives_its_pictures(tmp_path: Path, protocol: int) -> None:
    path = persistence(tmp_path / "x.pkl", write.snapshot(stylegan2()), protocol)
    loaded = persistence_pickle.read(path)
    check_pictures(build(loaded), "stylegan2_64")
    assert loaded.family == "stylegan2" and loaded.metadata["inside"] == "G_ema"
    assert loaded.metadata["training_set_kwargs"]["max_size"] == 70000


@pytest.mark.parametrize("name", ["stylegan2_cond_32", "stylegan2_gray_resnet_32"])
def test_other_stylegan2_snapshots_give_their_pictures(tmp_path: Path, name: str) -> None:
    loaded = persistence_pickle.read(persistence(tmp_path / "x.pkl", write.snapshot(stylegan2(name))))
    assert loaded.config.conv_clamp == golden(name)[0]["conv_clamp"]
    check_pictures(build(loaded), name)


def stylegan3(name: str, padding: Any = None) -> Any:
    config, tensors, _ = golden(name)
    attributes: dict[str, dict[str, Any]] = {
        "mapping.fc0": {"bias_gain": 0.01},
        "synthesis": {
            "margin_size": 10,
            "output_scale": 0.25,
            "num_fp16_res": 0,
            "layer_names": [],
            "img_resolution": 64,
        },
    }
    for key in tensors:
        layer, _, part = key.rpartition(".")
        if layer.startswith("synthesis.L") and part == "bias" and "affine" not in layer:
            size = np.array([int(layer.split("_")[1])] * 2)
            attributes[layer] = {
                "in_size": size,
                "out_size": size,
                "use_fp16": np.bool_(False),
                "up_factor": 2,
                "up_taps": 12,
                "conv_clamp": config["conv_clamp"],
                **({"padding": padding} if padding else {}),
            }
    return write.module(tensors, attributes)


@pytest.mark.parametrize("name", ["stylegan3_t_64", "stylegan3_r_64"])
def test_stylegan3_snapshots_give_their_pictures(tmp_path: Path, name: str) -> None:
    loaded = persistence_pickle.read(persistence(tmp_path / "x.pkl", write.snapshot(stylegan3(name))))
    assert loaded.family == "stylegan3" and loaded.config.conv_clamp is None
    check_pictures(build(loaded), name)


def test_stylegan3_layers_of_another_geometry_are_refused(tmp_path: Path) -> None:
    path = persistence(tmp_path / "x.pkl", write.snapshot(stylegan3("stylegan3_t_64", padding=[1, 2, 3, 4])))
    with pytest.raises(CheckpointError, match="pads by"):
        persistence_pickle.read(path)


def stylenerf(name: str = "stylenerf_small", **scene: Any) -> Any:
    """A StyleNeRF as its program pickles it, with objects that are no modules as attributes."""
    _, tensors, _ = golden(name)
    helpers = {"C": write.Saved("CameraRay", {"fov": 12}), "V": write.Saved("VolumeRenderer", {"n_ray_samples": 6})}
    generator = write.module(
        tensors, {"synthesis": {"upsample_mode": "nn_cat", **helpers}}, {"synthesis": "NeRFSynthesisNetwork"}
    )
    generator.meta["state"]["_init_kwargs"] = write.EasyDict(
        synthesis_kwargs=write.EasyDict(
            camera_kwargs=write.EasyDict(
                {
                    "range_u": [-0.3, 0.3],
                    "range_v": [np.pi / 2 - 0.155, np.pi / 2 + 0.155],
                    "depth_range": [0.88, 1.12],
                    **scene,
                }
            ),
            renderer_kwargs=write.EasyDict(n_ray_samples=6, n_bg_samples=4),
        )
    )
    return generator


@pytest.mark.parametrize("name", ["stylenerf_small", "stylenerf_nobg_small", "stylenerf_pixelshuffle_small"])
def test_a_stylenerf_gives_its_picture_and_its_camera_is_told_by_its_arguments(tmp_path: Path, name: str) -> None:
    loaded = persistence_pickle.read(persistence(tmp_path / "x.pkl", write.snapshot(stylenerf(name))))
    assert loaded.family == "stylenerf" and loaded.config.samples == 6
    assert loaded.config.yaw == pytest.approx((-17.19, 17.19), abs=0.01)
    assert loaded.config.pitch == pytest.approx((-8.88, 8.88), abs=0.01)
    generator: Any = build(loaded)
    _, _, tensors = golden(name)
    styles = generator.styles(tensors["expect.w_truncated"])
    if "background" in generator.extra:
        styles[generator.block_layers(0).stop - 1] = tensors["input.z_bg"]
    with torch.no_grad():  # camera a looks straight ahead
        assert error(generator.synthesize(styles), tensors["expect.image_a"]) < TOLERANCE


def test_odd_camera_numbers_are_left_to_the_defaults(tmp_path: Path) -> None:
    odd = stylenerf(fov="wide", range_u=[0.3, -0.3], depth_range=[float("nan"), 1.0], range_radius=[0, 1])
    config = persistence_pickle.read(persistence(tmp_path / "x.pkl", {"G_ema": odd})).config
    assert (config.fov, config.radius, config.depth) == (12.0, 1.0, (0.88, 1.12))
    assert config.yaw == pytest.approx((-17.19, 17.19), abs=0.01)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"synthesis.fg_nerf.blocks.0.weight": torch.ones(7, 16, 1, 1)}, "blocks.0"),
        ({"synthesis.fg_nerf.planes.weight": torch.ones(2)}, "planes"),
        ({"synthesis.fg_nerf.fc_in.weight": torch.full((16, 60, 1, 1), float("nan"))}, "not finite"),
        ({"synthesis.fg_nerf.fc_in.weight": torch.ones(16, 59, 1, 1)}, "59 numbers"),
        ({"synthesis.b64.conv1.weight": torch.ones(4, 4, 1, 1)}, "b64|double the side"),
    ],
)
def test_a_stylenerf_that_does_not_fit_together_is_refused(tmp_path: Path, change: Any, words: str) -> None:
    _, tensors, _ = golden("stylenerf_small")
    path = persistence(tmp_path / "x.pkl", {"G_ema": write.module({**tensors, **change})})
    with pytest.raises(CheckpointError, match=words):
        build(persistence_pickle.read(path))


def test_averaged_weights_win_and_g_is_the_fallback(tmp_path: Path) -> None:
    _, tensors, _ = golden("stylegan2_64")
    other = write.module(noisy(tensors))
    both = persistence_pickle.read(persistence(tmp_path / "both.pkl", {"G": other, "D": other, "G_ema": stylegan2()}))
    check_pictures(build(both), "stylegan2_64")
    alone = persistence_pickle.read(persistence(tmp_path / "g.pkl", {"G": stylegan2(), "D": other}))
    check_pictures(build(alone), "stylegan2_64")
    assert any("last training step" in note for note in alone.metadata["notes"])


def test_a_bare_module_one_in_a_wrapper_and_half_precision_load(tmp_path: Path) -> None:
    check_pictures(build(persistence_pickle.read(persistence(tmp_path / "bare.pkl", stylegan2()))), "stylegan2_64")
    _, tensors, _ = golden("stylegan2_64")
    inside = {f"module.{key}": value for key, value in tensors.items()}
    attributes = {f"module.{key}": value for key, value in write.stylegan2_attributes(tensors, 99.0).items()}
    loaded = persistence_pickle.read(persistence(tmp_path / "wrapped.pkl", {"G_ema": write.module(inside, attributes)}))
    check_pictures(build(loaded), "stylegan2_64")
    assert loaded.config.conv_clamp == 99.0
    half = {key: value.half() for key, value in tensors.items()}
    generator: Any = build(persistence_pickle.read(persistence(tmp_path / "half.pkl", {"G_ema": write.module(half)})))
    assert generator.synthesis.b4.const.dtype == torch.float32
    assert error(generator.synthesis.b4.const, tensors["synthesis.b4.const"]) < 1e-3


def test_the_release_is_told_by_the_hash_of_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stylewidgets.checkpoints.pickle import fingerprints as _fingerprints

    path = persistence(tmp_path / "x.pkl", write.snapshot(stylegan2()))
    unknown = persistence_pickle.read(path).metadata
    assert unknown["source_known"] is False and any("no known release" in note for note in unknown["notes"])
    key = unknown["sources"][0]["sha256"][:16]
    monkeypatch.setitem(_fingerprints.RELEASES, key, _fingerprints.Release("the release", "the licence"))
    known = persistence_pickle.read(path).metadata
    assert (
        known["source_known"] is True
        and known["licence"] == "the licence"
        and known["sources"][0]["release"] == "the release"
    )


@pytest.mark.parametrize(
    "classes, tensors, words",
    [
        ({}, {"main.layer_4.weight": torch.ones(2)}, "FastGAN"),
        ({}, {"something.weight": torch.ones(2)}, "no StyleGAN generator"),
    ],
)
def test_other_generators_are_named_and_refused(tmp_path: Path, classes: Any, tensors: Any, words: str) -> None:
    path = persistence(tmp_path / "x.pkl", {"G_ema": write.module(tensors, classes=classes)})
    with pytest.raises(CheckpointError, match=words) as caught:
        persistence_pickle.read(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


def test_parameters_in_unknown_classes_are_refused_by_name(tmp_path: Path) -> None:
    generator = stylegan2()
    generator.meta["state"]["_modules"]["extra"] = Foreign()
    with pytest.raises(CheckpointError, match="Foreign"):
        persistence_pickle.read(persistence(tmp_path / "x.pkl", {"G_ema": generator}))


class Foreign(torch.nn.Module):
    """A class that no release has."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(2))


def test_a_module_that_contains_itself_is_refused(tmp_path: Path) -> None:
    # {"G_ema": module} where the module's description, memo 1, gets the module, memo 2, as its own child afterwards
    body = (
        b"\x80\x04}\x8c\x05G_emactorch_utils.persistence\n_reconstruct_persistent_obj\n}q\x01\x85Rq\x02"
        b"h\x01\x8c\x05state}\x8c\x08_modules}\x8c\x01xh\x02sss0s."
    )
    path = tmp_path / "x.pkl"
    path.write_bytes(body)
    with pytest.raises(CheckpointError, match="nested without end"):
        persistence_pickle.read(path)


def test_tensors_that_share_a_storage_to_become_huge_are_refused() -> None:
    data = bytes(4 * 512 * 512)
    records = {f"a{i}": TensorRecord(Storage("float32", data), 0, (512, 512), (512, 1)) for i in range(200)}
    with pytest.raises(CheckpointError, match="share"):
        to_tensors(records)
    assert len(to_tensors(dict(list(records.items())[:2]))) == 2
    value = np.zeros((512, 512), np.float32)
    with pytest.raises(CheckpointError, match="share"):
        tensorflow_pickle.from_value(write_and_read({f"a{i}": value for i in range(200)}))


def write_and_read(variables: dict[str, Any]) -> Any:
    return unpickle(write.dumps(write.network("Gs", variables)))


def test_pictures_of_an_absurd_size_are_refused(tmp_path: Path) -> None:
    state = StyleGAN2(StyleGAN2Config(z_dim=2, w_dim=2, resolution=8, channels=(2, 2), mapping_layers=1)).state_dict()
    for i in range(2, 12):  # up to 8192 pixels, without the noise pictures that would have to be as large
        state.update(
            {
                key.replace("b8", f"b{4 << i}"): value
                for key, value in list(state.items())
                if ".b8." in key and not key.endswith("noise_const")
            }
        )
    path = persistence(tmp_path / "x.pkl", {"G_ema": write.module(state)})
    with pytest.raises(CheckpointError, match="8,192 pixels"):
        persistence_pickle.read(path)


def test_an_activation_that_we_do_not_have_is_refused(tmp_path: Path) -> None:
    _, tensors, _ = golden("stylegan2_64")
    attributes = write.stylegan2_attributes(tensors, None)
    attributes["synthesis.b8.conv0"]["activation"] = "relu"
    with pytest.raises(CheckpointError, match="relu"):
        persistence_pickle.read(persistence(tmp_path / "x.pkl", {"G_ema": write.module(tensors, attributes)}))


@pytest.mark.slow
def test_opening_a_large_file_takes_less_memory_than_the_file(tmp_path: Path) -> None:
    tensors = StyleGAN2(
        StyleGAN2Config(resolution=64, channels=(256, 256, 256, 128, 64), mapping_layers=4)
    ).state_dict()
    other = write.module({"fc.weight": torch.zeros(5000, 1000)})
    path = tmp_path / "large.pkl"
    with path.open("wb") as file:
        write.dump({"G": write.module(noisy(tensors)), "D": other, "G_ema": write.module(tensors)}, file)
    assert path.stat().st_size > 50 << 20
    grown = peak(path)
    assert grown < 1.5 * path.stat().st_size  # mapped pages of G_ema and one copy of it; G and D are not looked at
    assert grown > sum(value.nbytes for value in tensors.values()) or not grown  # or nothing was measured


# -- TensorFlow ------------------------------------------------------------------------------------------------------
def tensorflow(name: str, static: dict[str, Any] | None = None, title: str = "Gs", **options: Any) -> Any:
    _, tensors, _ = golden(name)
    return write.network(title, write.stylegan2_variables(tensors), static, **options)


@pytest.mark.parametrize("name", ["stylegan2_64", "stylegan2_cond_32", "stylegan2_gray_resnet_32"])
def test_tensorflow_stylegan2_gives_its_pictures(tmp_path: Path, name: str) -> None:
    _, tensors, _ = golden(name)
    wrong = write.network("G", write.stylegan2_variables(noisy(tensors)))
    static = {"conv_clamp": golden(name)[0]["conv_clamp"], "resolution_w": 64, "resolution_h": 64, "label_size": 5}
    path = tmp_path / "x.pkl"
    path.write_bytes(write.dumps((wrong, write.network("D", {"a/b": np.ones(2)}), tensorflow(name, static))))
    loaded = tensorflow_pickle.read(path)
    check_pictures(build(loaded), name)
    assert loaded.metadata["network"] == "Gs" and loaded.metadata["static_kwargs"]["resolution_w"] == 64


def test_tensorflow_stylegan1_gives_its_pictures(tmp_path: Path) -> None:
    config, tensors, _ = golden("stylegan1_64")
    variables = write.stylegan1_variables(tensors, config["tf_variable_names"])
    path = tmp_path / "x.pkl"
    path.write_bytes(write.dumps(write.network("Gs", variables, version=3, function="G_style")))
    loaded = tensorflow_pickle.read(path)
    assert loaded.family == "stylegan1" and "CC BY-NC" in loaded.metadata["licence"]
    check_pictures(build(loaded), "stylegan1_64")


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("container", [lambda n: n, lambda n: [n], lambda n: {"Gs": n}, lambda n: (None, n)])
def test_single_networks_and_lists_load(tmp_path: Path, container: Any, protocol: int) -> None:
    path = tmp_path / "x.pkl"
    path.write_bytes(write.dumps(container(tensorflow("stylegan2_gray_resnet_32", title="net")), protocol))
    assert tensorflow_pickle.read(path).config.img_channels == 1


def test_progressive_gans_and_parts_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "x.pkl"
    progressive = write.network(
        "Gs", {"4x4/Dense/weight": np.ones((4, 4)), "ToRGB_lod0/weight": np.ones(3)}, function="G_paper"
    )
    path.write_bytes(write.dumps(progressive, network_module="tfutil"))
    with pytest.raises(CheckpointError, match="progressive GAN"):
        tensorflow_pickle.read(path)
    path.write_bytes(write.dumps(write.network("D", {"x": np.ones(1)})))
    with pytest.raises(CheckpointError, match="discriminator"):
        tensorflow_pickle.read(path)
    path.write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(CheckpointError, match="without a network"):
        tensorflow_pickle.read(path)


def test_damaged_variables_are_refused(tmp_path: Path) -> None:
    for broken in ({"a": "text"}, {"a": np.array(["x"])}, {"a": np.array([None])}):
        path = tmp_path / "x.pkl"
        path.write_bytes(write.dumps(write.network("Gs", {"synthesis/4x4/Conv/mod_weight": np.ones(2), **broken})))
        with pytest.raises(CheckpointError, match="not numbers"):
            tensorflow_pickle.read(path)
