"""StyleGAN: steps, gradients, labels, unfinished runs, and what sessions and directions do with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from stylewidgets.directions import pca, sefa
from stylewidgets.generators.layers import normalize_2nd_moment
from stylewidgets.generators.protocol import State
from stylewidgets.generators.stylegan1.generator import StyleGAN1, StyleGAN1Config, default_channels, infer_config
from stylewidgets.latent.latent import Code
from stylewidgets.session.activations import SynthesisCache
from stylewidgets.session.session import GeneratorSession


def make(**changes: Any) -> StyleGAN1:
    torch.manual_seed(0)
    sizes: dict[str, Any] = {"z_dim": 8, "w_dim": 12, "channels": (10, 8, 6), "mapping_layers": 2}
    generator = StyleGAN1(StyleGAN1Config(**{**sizes, **changes})).eval()
    with torch.no_grad():
        for name, value in generator.state_dict().items():
            if name.endswith(("bias", "noise_strength", "const")):
                value.copy_(torch.randn(value.shape))
    generator.estimate_w_avg(100)
    return generator


def relative(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).detach().norm() / expected.detach().norm())


def same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and relative(a, b) < 1e-6


def test_published_sizes_follow_from_the_formulas() -> None:
    assert default_channels(1024) == (512, 512, 512, 512, 256, 128, 64, 32, 16)
    config = StyleGAN1Config(channels=default_channels(1024))
    assert (config.resolution, config.num_ws) == (1024, 18)
    assert [config.fused(i) for i in range(1, 9)] == [False] * 4 + [True] * 4


def test_a_network_of_1024_pixels_has_the_published_number_of_parameters_and_styles() -> None:
    with torch.device("meta"):
        generator = StyleGAN1(StyleGAN1Config(channels=default_channels(1024)))
    assert round(sum(p.numel() for p in generator.parameters()) / 1e6, 2) == 26.21
    assert sum(layer.channels for layer in generator.layers) == 10_176
    assert [layer.ws_index for layer in generator.layers] == list(range(18))
    assert generator.noise_shapes[:3] == ((4, 4), (4, 4), (8, 8))
    assert (generator.default_psi, generator.default_cutoff) == (0.7, 8)


@pytest.mark.parametrize("up", [False, True])
def test_both_up_convolutions_are_what_their_definitions_say(up: bool) -> None:
    generator = make(fused_from=8 if up else None)
    layer = generator.synthesis.get_submodule("b8.conv0")
    x, weight = torch.randn(2, 10, 4, 4), layer.weight * (2 / 90) ** 0.5
    if up:
        wide = F.pad(weight, (1, 1, 1, 1))
        kernel = wide[..., 1:, 1:] + wide[..., :-1, 1:] + wide[..., 1:, :-1] + wide[..., :-1, :-1]
        expected = F.conv_transpose2d(x, kernel.transpose(0, 1), stride=2, padding=1)
    else:
        expected = F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), weight, padding=1)
    (kernel,) = layer.prepare(torch.float32)
    assert same(F.conv_transpose2d(x, kernel, stride=2, padding=1), expected)


def test_the_mapping_has_its_root_of_two_in_the_weights() -> None:
    generator = make(mapping_lr=0.01)
    z = torch.randn(3, 8)
    x = z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8)
    for name in ("fc0", "fc1"):
        layer = generator.mapping.get_submodule(name)
        x = F.leaky_relu(x @ (layer.weight * (2 / layer.weight.shape[1]) ** 0.5 * 0.01).t() + layer.bias * 0.01, 0.2)
    assert same(generator.map(z)[:, 0], x)


def test_a_label_joins_z_before_the_only_normalisation() -> None:
    generator = make(c_dim=3)
    z, c = torch.randn(2, 8), torch.eye(3)[[2, 0]]
    x = torch.cat([z, generator.mapping.get_parameter("concat.weight")[[2, 0]]], dim=1)
    x = normalize_2nd_moment(x)
    for name in ("fc0", "fc1"):
        x = generator.mapping.get_submodule(name)(x)
    assert generator.mapping.get_parameter("fc0.weight").shape == (12, 16)
    assert same(generator.map(z, c)[:, 0], x)
    with pytest.raises(ValueError, match="give c, one row of 3 numbers"):
        generator.map(z)


def test_the_bias_can_come_before_the_blur() -> None:
    first, after = make(bias_first=True), make()
    assert all(torch.equal(v, after.state_dict()[k]) for k, v in first.state_dict().items())
    w = torch.randn(1, 12)
    assert not same(first.synthesize(w), after.synthesize(w))
    layer = first.synthesis.get_submodule("b8.conv0")
    x, style = torch.randn(1, 10, 4, 4), torch.randn(1, 16)
    y = F.conv_transpose2d(x, layer.prepare(torch.float32)[0], stride=2, padding=1) + layer.bias[:, None, None]
    kernel = torch.tensor([1.0, 2.0, 1.0]).outer(torch.tensor([1.0, 2.0, 1.0])) / 16
    y = F.leaky_relu(F.conv2d(y, kernel.expand(8, 1, 3, 3), padding=1, groups=8), 0.2)
    y = F.instance_norm(y, eps=1e-8) * (style[:, :8, None, None] + 1) + style[:, 8:, None, None]
    assert same(layer(x, style, None), y)


def test_a_constant_without_variance_stays_finite() -> None:
    generator = make()
    with torch.no_grad():
        generator.synthesis.get_parameter("b4.const").fill_(1)
    for gradients in (False, True):
        with torch.set_grad_enabled(gradients):
            picture = generator.synthesize(torch.randn(1, 12, requires_grad=gradients), noise="none")
    picture.sum().backward()
    assert torch.isfinite(picture).all()
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in generator.parameters())


def by_definition(generator: StyleGAN1, w: Tensor, lod: float) -> Tensor:
    """The picture of an unfinished run: colours of the block floor(lod) below the last, mixed with those below, enlarged."""
    state, colours = None, []
    styles = generator.styles(w)
    for i, block in enumerate(generator.synthesis.blocks):
        state = generator.step(i, state, styles[generator.block_layers(i)])
        if hasattr(block, "torgb"):
            colours.append(block.torgb(state.x))
    picture = colours[-1]
    if lod % 1:
        below = colours[-2].repeat_interleave(2, 2).repeat_interleave(2, 3)
        picture = picture + (below - picture) * (lod % 1)
    return picture.repeat_interleave(2 ** int(lod), 2).repeat_interleave(2 ** int(lod), 3)


@pytest.mark.parametrize("lod", [0, 0.25, 1, 1.75, 2.5])
def test_an_unfinished_run_is_enlarged_and_mixed_with_the_level_below(lod: float) -> None:
    generator = make(lod=lod)
    w = torch.randn(2, 12)
    picture = generator.synthesize(w)
    assert generator.resolution == 16 * 2 ** int(lod) == picture.shape[-1]
    assert generator.num_ws == 2 * (3 + int(lod)) and len(generator.layers) == 6
    assert sum("torgb.weight" in name for name in generator.state_dict()) == (2 if lod % 1 else 1)
    assert same(picture, by_definition(generator, w, lod))


def test_there_is_no_picture_before_the_last_block() -> None:
    generator = make(lod=0.5)
    styles, state = generator.styles(torch.randn(1, 12)), None
    assert not generator.has_inner_pictures and not generator.has_previews
    for i in range(2):
        state = generator.step(i, state, styles[generator.block_layers(i)])
        with pytest.raises(ValueError, match="only after the last block, 2"):
            generator.image(state)


@pytest.mark.parametrize("noise", ["const", "none"])
@pytest.mark.parametrize("changes", [{}, {"use_noise": False}, {"lod": 0.5}, {"start": (4, 2)}, {"channels": (10,)}])
def test_the_steps_and_the_cache_are_the_full_run_bit_for_bit(noise: str, changes: dict[str, Any]) -> None:
    generator = make(**changes)
    styles = generator.styles(torch.randn(1, 12))
    with torch.no_grad():
        whole, state = generator.synthesize(styles, noise=noise), None
        for i in range(generator.num_blocks):
            state = generator.step(i, state, styles[generator.block_layers(i)], generator.block_noise(noise)[i])
        assert isinstance(state, State) and torch.equal(generator.image(state), whole)
        cache = SynthesisCache(generator)
        for layer in range(len(styles) - 1, -1, -1):
            styles = [s.clone() for s in styles]
            styles[layer] += 1
            assert torch.equal(cache.run(styles, noise), generator.synthesize(styles, noise=noise))
        assert torch.equal(cache.run(styles, noise, max_resolution=8), generator.synthesize(styles, noise=noise))


def test_training_and_evaluation_agree_and_gradients_reach_everything() -> None:
    generator = make(c_dim=2)
    z, c = torch.randn(2, 8), torch.eye(2)
    with torch.no_grad():
        quick = generator.synthesize(generator.map(z, c))
    picture = generator.train().synthesize(generator.map(z, c))
    assert same(picture, quick)
    picture.square().mean().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in generator.parameters())


def test_gradients_in_the_styles_are_exact() -> None:
    generator = make(channels=(3, 2)).double()
    styles = [s.detach().requires_grad_() for s in generator.styles(torch.randn(1, 12, dtype=torch.float64))]
    assert torch.autograd.gradcheck(lambda *s: generator.synthesize(list(s), noise="none", dtype=torch.float64), styles)


def test_noise_is_taken_per_layer_with_a_strength_per_feature_map() -> None:
    generator = make()
    assert generator.noise_shapes == ((4, 4), (4, 4), (8, 8), (8, 8), (16, 16), (16, 16))
    w = torch.randn(1, 12)
    stored = [generator.synthesis.get_buffer(f"{layer.name}.noise_const") for layer in generator.layers]
    with torch.no_grad():
        assert torch.equal(generator.synthesize(w, noise=stored), generator.synthesize(w))
        assert torch.equal(generator.synthesize(w, noise=[None] * 6), generator.synthesize(w, noise="none"))
        assert not torch.equal(generator.synthesize(w, noise="random"), generator.synthesize(w, noise="random"))
    with pytest.raises(ValueError, match="one tensor per convolution, 6 here"):
        generator.synthesize(w, noise=stored[:-1])
    with pytest.raises(ValueError, match=r"noise of b8.conv1 is \[8, 8\]"):
        generator.synthesize(w, noise=[*stored[:3], torch.zeros(4, 4), *stored[4:]])


def test_half_precision_is_close() -> None:
    generator = make()
    w = torch.randn(2, 12)
    with torch.no_grad():
        full = generator.synthesize(w)
        for dtype, near in ((torch.bfloat16, 0.1), (torch.float16, 0.02)):
            assert relative(generator.synthesize(w, dtype=dtype), full) < near


def test_a_changed_weight_is_noticed() -> None:
    generator = make().requires_grad_(False)
    w = torch.randn(1, 12)
    before = generator.synthesize(w)
    generator.synthesis.get_parameter("b8.conv0.weight").mul_(-1)
    assert not same(generator.synthesize(w), before)


def test_the_config_is_read_back_from_the_parameters() -> None:
    for changes in (
        {},
        {"c_dim": 4},
        {"use_noise": False},
        {"mapping_width": 7},
        {"start": (4, 2)},
        {"img_channels": 1},
    ):
        generator = make(**changes)
        assert infer_config(generator.state_dict()) == generator.config
        again = StyleGAN1.from_state_dict(generator.state_dict())
        w = torch.randn(1, 12)
        assert torch.equal(again.synthesize(w), generator.synthesize(w))
    assert infer_config(make(lod=1.5).state_dict(), lod=1.5).resolution == 32


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channels": ()}, "one entry per block"),
        ({"lod": -1}, "lod is from 0"),
        ({"lod": float("nan")}, "lod is from 0"),
        ({"fused_from": 0}, "fused_from is a whole number"),
        ({"norm_eps": 0}, "norm_eps is positive"),
        ({"use_noise": "yes"}, "use_noise is True or False"),
        ({"c_dim": -1}, "c_dim is the number"),
        ({"start": (4,)}, "start is the height"),
        ({"channels": (8, 0)}, "channels is a whole number"),
    ],
)
def test_wrong_settings_are_explained(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StyleGAN1Config(**{"channels": (8,), **changes})
    with pytest.raises(ValueError, match="no setting 'surprise'"):
        StyleGAN1Config.from_dict({"surprise": 1})


def test_other_parameters_are_refused_by_the_first_that_is_missing() -> None:
    state = make().state_dict()
    with pytest.raises(ValueError, match="synthesis.b4.const is missing"):
        infer_config({"mapping.fc0.weight": torch.zeros(1)})
    del state["synthesis.b8.conv0.bias"]
    with pytest.raises(ValueError, match="missing, the first is synthesis.b8.conv0.bias"):
        StyleGAN1.from_state_dict(state)


def test_sessions_draw_edit_and_find_directions() -> None:
    session = GeneratorSession(make(), device="cpu")
    latent = session.latent(seed=3, psi=0.7, cutoff=4)
    assert session.image(latent).shape == (16, 16, 3)
    sets = [
        pca(session, samples=200, components=2),
        sefa(session, components=2, samples=200),
        sefa(session, components=1, layers=(0, 2), samples=200),
    ]
    found = [direction for one in sets for direction in one.values()]
    for direction in found:
        assert direction.vector.shape == (12,)
        assert not np.array_equal(session.image(latent.with_edit(direction, 3.0)), session.image(latent))
    thumbnails = session.images([latent, latent.replace(seed=4)], resolution=8)
    assert thumbnails.shape == (2, 8, 8, 3)
    for mode in ("const", "random", "tf", "none"):
        session.image(latent.replace(noise_mode=mode))


def test_sessions_take_codes_in_s_with_truncation() -> None:
    session = GeneratorSession(make(), device="cpu")
    latent = session.latent(seed=3, psi=0.5, cutoff=3)
    wanted = torch.cat(session.code_styles(latent), dim=1)
    whole = torch.cat(session.code_styles(session.latent(seed=3)), dim=1)
    coded = session.latent(code=Code("s", whole[0].numpy()), psi=0.5, cutoff=3)
    assert same(torch.cat(session.code_styles(coded), dim=1), wanted)
