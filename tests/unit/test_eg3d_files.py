"""EG3D files in the public layout: real tensors, stub sources, and objects of plain classes that nobody has."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import Tensor, nn

from stylewidgets.checkpoints import open_file
from stylewidgets.checkpoints.build import build
from stylewidgets.checkpoints.errors import CheckpointError
from stylewidgets.checkpoints.formats import persistence_pickle
from stylewidgets.checkpoints.zoo import entry

from .. import pickle_writers as write

GOLDEN = Path(__file__).parents[1] / "golden" / "data"
AXES = [[[1.0, 0, 0], [0, 1, 0], [0, 0, 1]], [[1.0, 0, 0], [0, 0, 1], [0, 1, 0]], [[0.0, 0, 1], [1, 0, 0], [0, 1, 0]]]


class OSGDecoder(nn.Module):
    """Stands for training.triplane.OSGDecoder."""


class ImportanceRenderer(nn.Module):
    """Stands for training.volumetric_rendering.renderer.ImportanceRenderer."""

    def __init__(self, axes: object) -> None:
        super().__init__()
        self.ray_marcher = MipRayMarcher2()
        self.plane_axes = torch.tensor(axes)


class MipRayMarcher2(nn.Module):
    """Stands for training.volumetric_rendering.ray_marcher.MipRayMarcher2."""


class RaySampler(nn.Module):
    """Stands for training.volumetric_rendering.ray_sampler.RaySampler."""


PLACES: dict[str, type] = {
    "training.triplane": OSGDecoder,
    "training.volumetric_rendering.renderer": ImportanceRenderer,
    "training.volumetric_rendering.ray_marcher": MipRayMarcher2,
    "training.volumetric_rendering.ray_sampler": RaySampler,
}


@contextmanager
def published_places() -> Iterator[None]:
    """The modules of the plain classes, as far as pickle asks for them."""
    before, added = {kind: kind.__module__ for kind in PLACES.values()}, []
    for name, kind in PLACES.items():
        parts = name.split(".")
        for i in range(1, len(parts) + 1):
            if ".".join(parts[:i]) not in sys.modules:
                added.append(".".join(parts[:i]))
                sys.modules[added[-1]] = types.ModuleType(added[-1])
        kind.__module__ = name
        setattr(sys.modules[name], kind.__name__, kind)
    try:
        yield
    finally:
        for name in added:
            del sys.modules[name]
        for kind, module in before.items():
            kind.__module__ = module


def tensors_of(name: str) -> tuple[dict[str, Any], dict[str, Tensor], dict[str, Tensor]]:
    with safe_open(GOLDEN / f"{name}.safetensors", "pt") as file:
        config = json.loads(file.metadata()["config"])
        found = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (the file object is no mapping)
    params = {key[6:]: value for key, value in found.items() if key.startswith("param.")}
    return config, params, found


def eg3d(name: str = "eg3d_small", change: dict[str, Tensor] | None = None, axes: object = AXES, **scene: Any) -> Any:
    """A TriPlaneGenerator as its program pickles it."""
    config, params, _ = tensors_of(name)
    params |= change or {}
    decoder = OSGDecoder()
    layers = nn.Sequential()
    for i in (0, 2):
        own = {
            key.removeprefix(f"decoder.net.{i}."): value for key, value in params.items() if f"decoder.net.{i}." in key
        }
        layers._modules[str(i)] = write.Saved("FullyConnectedLayer", write.module(own).meta["state"])  # type: ignore[assignment]
    layers._modules["1"] = nn.Softplus()
    decoder.__dict__["_modules"]["net"] = layers
    saved = write.module(
        {key: value for key, value in params.items() if not key.startswith("decoder.")},
        {
            "": {
                "neural_rendering_resolution": config["neural_rendering_resolution"],
                "rendering_kwargs": write.EasyDict({**config["rendering_kwargs"], **scene}),
                "img_resolution": config["img_resolution"],
            },
            "backbone.synthesis.b4.conv1": {"conv_clamp": None, "activation": "lrelu"},
            "superresolution.block0.conv0": {"conv_clamp": 256, "activation": "lrelu"},
            "backbone.mapping.fc0": {"bias_gain": 0.01, "activation": "lrelu"},
        },
        {"": "TriPlaneGenerator", "backbone": "Generator", "superresolution": config["superresolution"]},
    )
    modules = saved.meta["state"]["_modules"]
    modules.update(decoder=decoder, renderer=ImportanceRenderer(axes), ray_sampler=RaySampler())
    return saved


def written(path: Path, value: Any, protocol: int = 4) -> Path:
    with published_places():
        path.write_bytes(write.dumps(value, protocol))
    return path


@pytest.mark.parametrize("name", ["eg3d_small", "eg3d_sr4x_small", "eg3d_sr2x_small"])
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_file_gives_its_planes_and_says_what_it_is(tmp_path: Path, name: str, protocol: int) -> None:
    generator: Any
    generator, about = open_file(written(tmp_path / "x.pkl", write.snapshot(eg3d(name)), protocol))
    config, _, found = tensors_of(name)
    assert (about["family"], about["class"], about["inside"]) == ("triplane", "TriPlaneGenerator", "G_ema")
    assert "non-commercial" in about["licence"] and any("field of view" in note for note in about["notes"])
    assert generator.config.field_size == config["neural_rendering_resolution"]
    assert generator.resolution == config["img_resolution"]
    assert generator.config.conditioned != config["rendering_kwargs"]["c_gen_conditioning_zero"]
    assert (generator.config.near is None) == (config["rendering_kwargs"]["ray_start"] == "auto")
    with torch.no_grad():
        planes = generator.planes(found["expect.w_truncated_cutoff"])[0, :, ::4]
        ws = generator.map(found["input.z"], found["input.c_conditioning"])
    for made, wanted in ((planes, found["expect.planes"]), (ws, found["expect.w"])):
        assert float((made - wanted).norm() / wanted.norm()) < 1e-5


def test_planes_that_a_fork_put_elsewhere_are_read_as_it_put_them(tmp_path: Path) -> None:
    mended = [*AXES[:2], [[0.0, 1, 0], [0, 0, 1], [1, 0, 0]]]
    loaded = persistence_pickle.read(written(tmp_path / "x.pkl", {"G_ema": eg3d(axes=mended)}))
    assert loaded.config.axes == (0, 1, 0, 2, 1, 2)
    with pytest.raises(CheckpointError, match="along the axes"):
        persistence_pickle.read(written(tmp_path / "x.pkl", {"G_ema": eg3d(axes=torch.rand(3, 3, 3).tolist())}))


def test_odd_numbers_of_the_scene_are_left_to_the_defaults(tmp_path: Path) -> None:
    odd = {
        "ray_start": 5,
        "ray_end": "soon",
        "box_warp": -1,
        "avg_camera_pivot": [0, float("nan"), 9],
        "depth_resolution": 10**9,
    }
    config = persistence_pickle.read(written(tmp_path / "x.pkl", {"G_ema": eg3d(**odd)})).config
    assert (config.near, config.far, config.box, config.pivot, config.coarse) == (2.25, 3.3, 1.0, (0.0, 0.0, 0.2), 48)


@pytest.mark.parametrize(
    "change, scene, words",
    [
        (
            {"superresolution.block0.conv1.weight": torch.ones(7, 16, 3, 3)},
            {},
            "superresolution|head.block0|head_channels",
        ),
        ({"backbone.mapping.fc0.weight": torch.full((16, 28), float("nan"))}, {}, "not finite"),
        ({"surprise.weight": torch.ones(2)}, {}, "modified"),
        ({"superresolution.block1.conv1.noise_const": torch.ones(4096, 4096)}, {}, "no EG3D has"),
        ({"decoder.net.2.weight": torch.ones(5, 64)}, {}, "decoder"),
        ({}, {"clamp_mode": "relu"}, "softplus"),
        ({}, {"disparity_space_sampling": True}, "disparity"),
    ],
)
def test_what_does_not_fit_together_is_refused(tmp_path: Path, change: Any, scene: Any, words: str) -> None:
    path = written(tmp_path / "x.pkl", {"G_ema": eg3d(change=change, **scene)})
    with pytest.raises(CheckpointError, match=words) as caught:
        build(persistence_pickle.read(path))
    assert "\n" not in str(caught.value)


def test_parameters_in_an_unknown_class_are_refused(tmp_path: Path) -> None:
    saved = eg3d()
    saved.meta["state"]["_modules"]["renderer"].register_parameter("weight", nn.Parameter(torch.ones(2)))
    with pytest.raises(CheckpointError, match="modified"):
        persistence_pickle.read(written(tmp_path / "x.pkl", {"G_ema": saved}))


def test_a_plain_dictionary_of_its_parameters_opens_too(tmp_path: Path) -> None:
    _, params, _ = tensors_of("eg3d_sr2x_small")
    torch.save({"G_ema": params}, tmp_path / "x.pt")
    generator, about = open_file(tmp_path / "x.pt")
    config: Any = generator.config
    assert about["format"] == "EG3D" and (config.input_size, config.enlarge) == (8, (1, 2))


def test_the_zoo_names_the_published_files() -> None:
    one = entry("eg3d-ffhq512-128")
    assert one.family == "triplane" and "non-commercial" in one.terms.lower()
