"""Variables of the TensorFlow releases, written here from our parameters by their rules, give the same generator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from stylewidgets.checkpoints.errors import CheckpointError
from stylewidgets.checkpoints.names import stylegan1 as names_stylegan1
from stylewidgets.checkpoints.names import stylegan2 as names_stylegan2
from stylewidgets.generators.stylegan1.generator import StyleGAN1, StyleGAN1Config
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config

Variables = dict[str, Any]


def filled(generator: Any) -> Any:
    """With random numbers wherever new networks have none."""
    with torch.no_grad():
        for name, value in generator.state_dict().items():
            if name.endswith(("bias", "noise_strength", "const", "w_avg")):
                value.add_(torch.randn(value.shape))
    return generator.eval()


def array(value: Tensor, *axes: int) -> np.ndarray[Any, Any]:
    return np.ascontiguousarray((value.permute(axes) if axes else value).detach().numpy())


def shared(generator: Any) -> Variables:
    """Mapping, noise and constant, which all of them have."""
    config, state = generator.config, generator.state_dict()
    made: Variables = {"lod": np.float32(0), "dlatent_avg": array(state["mapping.w_avg"])}
    for i in range(config.mapping_layers):
        made[f"mapping/Dense{i}/weight"] = array(state[f"mapping.fc{i}.weight"].t())
        made[f"mapping/Dense{i}/bias"] = array(state[f"mapping.fc{i}.bias"])
    if "mapping.concat.weight" in state:
        made["mapping/LabelConcat/weight"] = array(state["mapping.concat.weight"])
    if "mapping.embed.weight" in state:
        made["mapping/LabelEmbed/weight"] = array(state["mapping.embed.weight"].t())
        made["mapping/LabelEmbed/bias"] = array(state["mapping.embed.bias"])
    made["synthesis/{}x{}/Const/const".format(*config.size(0))] = array(state["synthesis.b4.const"][None])
    for i, layer in enumerate([layer for layer in generator.layers if layer.kind == "conv"]):
        made[f"synthesis/noise{i}"] = array(state[f"synthesis.{layer.name}.noise_const"][None, None])
    return made


def stylegan2_variables(generator: StyleGAN2) -> Variables:
    made, state = shared(generator), generator.state_dict()
    for block in range(generator.num_blocks):
        scope = "synthesis/{}x{}".format(*generator.config.size(block))
        for ours, theirs in (("conv0", "Conv0_up"), ("conv1", "Conv1" if block else "Conv"), ("torgb", "ToRGB")):
            name = f"synthesis.b{4 << block}.{ours}"
            if f"{name}.weight" not in state:
                continue
            weight = array(state[f"{name}.weight"], 2, 3, 1, 0)
            made[f"{scope}/{theirs}/weight"] = weight[::-1, ::-1] if ours == "conv0" else weight
            made[f"{scope}/{theirs}/bias"] = array(state[f"{name}.bias"])
            made[f"{scope}/{theirs}/mod_weight"] = array(state[f"{name}.affine.weight"].t())
            made[f"{scope}/{theirs}/mod_bias"] = array(state[f"{name}.affine.bias"] - 1)
            if ours != "torgb":
                made[f"{scope}/{theirs}/noise_strength"] = np.float32(state[f"{name}.noise_strength"])
    return made


def stylegan1_variables(generator: StyleGAN1, lod: float = 0.0, levels: int | None = None) -> Variables:
    made, state = shared(generator), generator.state_dict()
    made["lod"] = made["synthesis/lod"] = np.float32(lod)
    levels = levels or generator.num_blocks
    for block in range(generator.num_blocks):
        scope = "synthesis/{}x{}".format(*generator.config.size(block))
        for k, theirs in enumerate(("Conv0_up", "Conv1") if block else ("Const", "Conv")):
            name = f"synthesis.b{4 << block}.conv{k}"
            if f"{name}.weight" in state:
                made[f"{scope}/{theirs}/weight"] = array(state[f"{name}.weight"], 2, 3, 1, 0)
            made[f"{scope}/{theirs}/bias"] = array(state[f"{name}.bias"])
            made[f"{scope}/{theirs}/Noise/weight"] = array(state[f"{name}.noise_strength"])
            made[f"{scope}/{theirs}/StyleMod/weight"] = array(state[f"{name}.affine.weight"].t())
            made[f"{scope}/{theirs}/StyleMod/bias"] = array(state[f"{name}.affine.bias"])
        colours = f"synthesis.b{4 << block}.torgb"
        channels = generator.config.channels[block]
        weight = state.get(f"{colours}.weight", torch.randn(3, channels, 1, 1))
        made[f"synthesis/ToRGB_lod{levels - 1 - block}/weight"] = array(weight, 2, 3, 1, 0)
        made[f"synthesis/ToRGB_lod{levels - 1 - block}/bias"] = array(state.get(f"{colours}.bias", torch.randn(3)))
    return made


def grown(variables: Variables, generator: StyleGAN1, levels: int) -> Variables:
    """With the blocks of an unfinished run that are not used yet."""
    made = dict(variables)
    for block in range(generator.num_blocks, levels):
        r, c = 4 << block, 2
        before = generator.config.channels[-1] if block == generator.num_blocks else 2
        for k, layer in enumerate(("Conv0_up", "Conv1")):
            scope = f"synthesis/{r}x{r}/{layer}"
            made[f"{scope}/weight"] = np.random.randn(3, 3, c if k else before, c).astype(np.float32)
            made |= {
                f"{scope}/bias": np.ones(c, np.float32),
                f"{scope}/Noise/weight": np.ones(c, np.float32),
                f"{scope}/StyleMod/weight": np.ones((12, 2 * c), np.float32),
                f"{scope}/StyleMod/bias": np.ones(2 * c, np.float32),
                f"synthesis/noise{2 * block + k}": np.ones((1, 1, r, r), np.float32),
            }
        made[f"synthesis/ToRGB_lod{levels - 1 - block}/weight"] = np.ones((1, 1, c, 3), np.float32)
        made[f"synthesis/ToRGB_lod{levels - 1 - block}/bias"] = np.ones(3, np.float32)
    return made


def check(generator: Any, kind: Any, config: Any, state: dict[str, Tensor]) -> None:
    """Same config, parameters and pictures."""
    assert config == generator.config
    assert state.keys() == generator.state_dict().keys()
    again = kind(config).eval()
    again.load_state_dict(state)
    z = torch.randn(2, generator.z_dim)
    c = torch.eye(generator.c_dim)[:2] if generator.c_dim else None
    with torch.no_grad():
        one, two = (g.synthesize(g.truncate(g.map(z, c), 0.7, 2)) for g in (generator, again))
    assert float((one - two).norm() / one.norm()) < 1e-6


def stylegan2(**changes: Any) -> StyleGAN2:
    torch.manual_seed(0)
    sizes: dict[str, Any] = {"z_dim": 8, "w_dim": 12, "resolution": 16, "channels": (10, 8, 6), "mapping_layers": 2}
    return filled(StyleGAN2(StyleGAN2Config(**{**sizes, **changes})))


def stylegan1(**changes: Any) -> StyleGAN1:
    torch.manual_seed(0)
    sizes: dict[str, Any] = {"z_dim": 8, "w_dim": 12, "channels": (10, 8, 6), "mapping_layers": 2}
    return filled(StyleGAN1(StyleGAN1Config(**{**sizes, **changes})))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"c_dim": 3},
        {"c_dim": 3, "label": "joint"},
        {"start": (4, 2)},
        {"img_channels": 1},
        {"mapping_width": 20},
        {"channels": (8,), "resolution": 4},
    ],
)
def test_stylegan2_comes_back(changes: dict[str, Any]) -> None:
    generator = stylegan2(**changes)
    config, state = names_stylegan2.from_tf(stylegan2_variables(generator))
    check(generator, StyleGAN2, config, state)


def test_configurations_b_to_d_take_the_colours_of_the_full_size() -> None:
    generator = stylegan2(architecture="orig")
    variables = stylegan2_variables(generator)
    for part in ("weight", "bias", "mod_weight", "mod_bias"):
        last = variables.pop(f"synthesis/16x16/ToRGB/{part}")
        variables[f"synthesis/ToRGB_lod0/{part}"] = last
        variables |= {f"synthesis/ToRGB_lod{k}/{part}": np.random.randn(*last.shape).astype(np.float32) for k in (1, 2)}
    config, state = names_stylegan2.from_tf({**variables, "synthesis/lod": np.float32(0)})
    check(generator, StyleGAN2, config, state)
    with pytest.raises(CheckpointError, match=r"left while the network grew \(level of detail 1.5\)"):
        names_stylegan2.from_tf({**variables, "lod": np.float32(1.5)})


def test_settings_come_from_the_network_and_sizes_do_not() -> None:
    generator = stylegan2(conv_clamp=256.0, mapping_lr=0.02, taps=(1.0, 1.0))
    static = {
        "resolution": 1024,
        "resolution_w": 5,
        "fmap_base": 1,
        "conv_clamp": 256,
        "mapping_lrmul": 0.02,
        "resample_kernel": [1, 1],
        "randomize_noise": True,
        "truncation_psi": 0.3,
    }
    check(generator, StyleGAN2, *names_stylegan2.from_tf(stylegan2_variables(generator), static))


@pytest.mark.parametrize("changes", [{}, {"c_dim": 3}, {"img_channels": 1}, {"mapping_width": 20}, {"channels": (8,)}])
def test_stylegan_comes_back(changes: dict[str, Any]) -> None:
    generator = stylegan1(**changes)
    check(generator, StyleGAN1, *names_stylegan1.from_tf(stylegan1_variables(generator)))


@pytest.mark.parametrize(("fused", "first"), [("auto", 128), (True, 1), (False, None)])
def test_the_setting_of_the_up_convolution_is_kept(fused: Any, first: int | None) -> None:
    generator = stylegan1(fused_from=first)
    check(generator, StyleGAN1, *names_stylegan1.from_tf(stylegan1_variables(generator), {"fused_scale": fused}))


@pytest.mark.parametrize("lod", [0.5, 1.0, 1.25, 2.0])
def test_an_unfinished_run_keeps_what_it_draws(lod: float) -> None:
    generator = stylegan1(lod=lod)
    levels = 3 + int(lod)
    variables = grown(stylegan1_variables(generator, lod, levels), generator, levels)
    check(generator, StyleGAN1, *names_stylegan1.from_tf(variables))


def test_the_level_of_detail_of_the_whole_network_counts() -> None:
    generator = stylegan1()
    variables = {**stylegan1_variables(generator), "synthesis/lod": np.float32(2), "lod": np.float32(0)}
    assert names_stylegan1.from_tf(variables)[0].lod == 0


def test_other_number_formats_are_read() -> None:
    generator = stylegan1()
    variables = {
        name: np.asarray(value).astype(">f4" if i % 2 else "<f8")
        for i, (name, value) in enumerate(stylegan1_variables(generator).items())
    }
    check(generator, StyleGAN1, *names_stylegan1.from_tf(variables))


def test_read_only_arrays_are_taken_without_a_warning() -> None:
    variables = stylegan1_variables(stylegan1())
    for value in variables.values():
        np.asarray(value).setflags(write=False)
    names_stylegan1.from_tf(variables)


@pytest.mark.parametrize(
    ("static", "message"),
    [
        ({"nonlinearity": "relu"}, "nonlinearity='relu'; only 'lrelu' can be drawn"),
        ({"use_pixel_norm": True}, "use_pixel_norm"),
        ({"blur_filter": [1, 1]}, "blur_filter"),
        ({"fused_scale": "often"}, "fused_scale"),
        ({"use_styles": False}, "use_styles"),
        ({"normalize_latents": False}, "normalize_latents"),
    ],
)
def test_settings_that_are_not_built_are_refused(static: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        names_stylegan1.from_tf(stylegan1_variables(stylegan1()), static)
    names_stylegan1.from_tf(stylegan1_variables(stylegan1()), {"blur_filter": (1, 2, 1), "nonlinearity": "lrelu"})


@pytest.mark.parametrize("family", ["1", "2"])
def test_modified_networks_are_refused_by_their_variable(family: str) -> None:
    variables = stylegan1_variables(stylegan1()) if family == "1" else stylegan2_variables(stylegan2())
    read = names_stylegan1.from_tf if family == "1" else names_stylegan2.from_tf
    with pytest.raises(CheckpointError, match="synthesis/8x8/Attention/weight, which no StyleGAN"):
        read({**variables, "synthesis/8x8/Attention/weight": np.ones(3)})
    with pytest.raises(CheckpointError, match="twice as large"):
        read({name: value for name, value in variables.items() if "/8x8/" not in name})
    broken = {**variables, "synthesis/8x8/Conv1/weight": np.ones((3, 3), np.float32)}
    with pytest.raises(CheckpointError, match="four axes"):
        read(broken)


def test_blocks_that_were_never_trained_are_left_out() -> None:
    generator = stylegan1()
    state = {}
    for name, value in generator.state_dict().items():
        if name.startswith("mapping.fc"):
            state[f"g_mapping.map.dense{name[10:]}"] = value
    for block in range(3):
        place = "g_synthesis.init_block" if block == 0 else f"g_synthesis.blocks.{block - 1}"
        trained = block < 2
        for k in (0, 1):
            ours = f"synthesis.b{4 << block}.conv{k}"
            layer = ("bias", "conv")[k] if block == 0 else ("conv0_up", "conv1")[k]
            bias = generator.state_dict()[f"{ours}.bias"] * trained
            if layer == "bias":
                state[f"{place}.bias"], state[f"{place}.const"] = (
                    bias,
                    generator.state_dict()["synthesis.b4.const"][None],
                )
            else:
                state[f"{place}.{layer}.weight"] = generator.state_dict()[f"{ours}.weight"]
                state[f"{place}.{layer}.bias"] = bias
            epilogue = f"{place}.epi{k + 1}"
            state[f"{epilogue}.top_epi.noise.weight"] = generator.state_dict()[f"{ours}.noise_strength"] * trained
            state[f"{epilogue}.style_mod.lin.weight"] = generator.state_dict()[f"{ours}.affine.weight"]
            state[f"{epilogue}.style_mod.lin.bias"] = generator.state_dict()[f"{ours}.affine.bias"]
        state[f"g_synthesis.to_rgb.{block}.weight"] = torch.randn(3, (10, 8, 6)[block], 1, 1)
        state[f"g_synthesis.to_rgb.{block}.bias"] = torch.randn(3)
    found, hints = names_stylegan1.from_huangzh13(state)
    from stylewidgets.generators.stylegan1.generator import infer_config

    config = infer_config(found, **hints)
    assert config.channels == (10, 8) and config.resolution == 8
    assert torch.equal(found["synthesis.b8.torgb.weight"], state["g_synthesis.to_rgb.1.weight"])
    untrained = {name: value * 0 if "bias" in name or "noise" in name else value for name, value in state.items()}
    assert infer_config(names_stylegan1.from_huangzh13(untrained)[0]).resolution == 16
