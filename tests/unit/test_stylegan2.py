"""The StyleGAN2 generator: every way in, every mode, and what it says to wrong input."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from stylewidgets.generators.layers import SynthesisLayer
from stylewidgets.generators.protocol import State
from stylewidgets.generators.stylegan2 import strips as _strips
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config, default_channels
from stylewidgets.ops.native import winograd

SMALL: dict[str, Any] = {"z_dim": 8, "w_dim": 12, "resolution": 16, "channels": (10, 8, 6), "mapping_layers": 2}


def make(seed: int = 0, **changes: Any) -> StyleGAN2:
    """A small random generator in evaluation mode whose noise, biases and mean w are not zero."""
    torch.manual_seed(seed)
    generator = StyleGAN2(StyleGAN2Config(**{**SMALL, **changes})).eval()
    with torch.no_grad():
        for name, value in generator.named_parameters():
            if name.endswith("noise_strength") or (name.endswith("bias") and "affine" not in name):
                value.normal_()
        generator.w_avg.normal_()
    return generator


def latents(generator: StyleGAN2, n: int = 2, seed: int = 1) -> Tensor:
    return torch.randn(n, generator.z_dim, generator=torch.Generator().manual_seed(seed))


def close(a: Tensor, b: Tensor, tolerance: float = 1e-5) -> bool:
    a, b = a.detach(), b.detach()
    return a.shape == b.shape and float((a - b).norm() / b.norm()) < tolerance


@pytest.fixture(scope="module")
def generator() -> StyleGAN2:
    return make()


def test_layers_come_in_style_space_order_with_shared_rows(generator: StyleGAN2) -> None:
    rows = [(layer.name, layer.kind, layer.block, layer.ws_index, layer.channels) for layer in generator.layers]
    assert rows == [
        ("b4.conv1", "conv", 0, 0, 10),
        ("b4.torgb", "torgb", 0, 1, 10),
        ("b8.conv0", "conv", 1, 1, 10),
        ("b8.conv1", "conv", 1, 2, 8),
        ("b8.torgb", "torgb", 1, 3, 8),
        ("b16.conv0", "conv", 2, 3, 8),
        ("b16.conv1", "conv", 2, 4, 6),
        ("b16.torgb", "torgb", 2, 5, 6),
    ]
    assert generator.num_ws == 6
    assert generator.noise_shapes == ((4, 4), (8, 8), (8, 8), (16, 16), (16, 16))


def test_the_1024_pixel_configuration_has_the_published_style_space() -> None:
    with torch.device("meta"):
        full = StyleGAN2(StyleGAN2Config(resolution=1024))
    assert len(full.layers) == 26
    assert sum(layer.channels for layer in full.layers) == 9088
    assert sum(layer.channels for layer in full.layers if layer.kind == "conv") == 6048
    learned = sum(p.numel() for name, p in full.named_parameters())
    assert round(learned / 1e6, 2) == 30.37
    assert default_channels(1024)[-1] == 32


@pytest.mark.parametrize("architecture", ["skip", "resnet", "orig"])
@pytest.mark.parametrize("img_channels", [1, 3])
def test_every_architecture_draws_with_either_colour_count(architecture: str, img_channels: int) -> None:
    generator = make(architecture=architecture, img_channels=img_channels)
    image = generator.synthesize(generator.map(latents(generator)))
    assert image.shape == (2, img_channels, 16, 16) and torch.isfinite(image).all()
    assert image.dtype == torch.float32


def test_w_w_plus_and_styles_give_the_same_picture(generator: StyleGAN2) -> None:
    ws = generator.map(latents(generator))
    image = generator.synthesize(ws)
    assert torch.equal(generator.synthesize(ws[:, 0]), image)
    assert torch.equal(generator.synthesize(generator.styles(ws)), image)
    assert torch.equal(generator(ws), image)


@pytest.mark.parametrize("architecture", ["skip", "resnet", "orig"])
def test_the_steps_are_the_full_run_bit_for_bit(architecture: str) -> None:
    generator = make(architecture=architecture)
    with torch.inference_mode():
        styles = generator.styles(generator.map(latents(generator)))
        state: State | None = None
        for i in range(generator.num_blocks):
            state = generator.step(i, state, styles[generator.block_layers(i)])
            assert state.x.shape[2] == 4 << i
        assert state is not None
        assert torch.equal(generator.image(state), generator.synthesize(styles))


@pytest.mark.parametrize("architecture", ["skip", "orig"])
@pytest.mark.parametrize("noise", ["const", "none", "list"])
def test_the_layers_are_the_full_run_bit_for_bit(architecture: str, noise: str) -> None:
    generator = make(architecture=architecture)
    given: Any = [torch.randn(shape) for shape in generator.noise_shapes] if noise == "list" else noise
    with torch.inference_mode():
        styles = generator.styles(generator.map(latents(generator)))
        x: Tensor | None = None
        img: Tensor | None = None
        conv = 0
        for k, layer in enumerate(generator.layers):
            if layer.kind == "conv":
                x = generator.run_layer(k, x, styles[k], given if isinstance(given, str) else given[conv : conv + 1])
                conv += 1
            else:
                img = generator.add_colours(generator.run_layer(k, x, styles[k]), img)
        assert img is not None and torch.equal(img, generator.synthesize(styles, given))


@pytest.mark.parametrize("architecture", ["skip", "orig"])
@pytest.mark.parametrize("noise", ["const", "none", "list"])
@pytest.mark.parametrize("dtype", [None, torch.bfloat16])
def test_the_last_layers_in_strips_are_the_full_run_bit_for_bit(
    architecture: str, noise: str, dtype: torch.dtype | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = make(architecture=architecture)
    styles = [style.detach() for style in generator.styles(generator.map(latents(generator)))]
    k = len(generator.layers) - 2
    x = torch.randn(2, generator.layers[k].channels, 16, 16).contiguous(memory_format=torch.channels_last)
    given: Any = [torch.randn(2, 1, 16, 16)] if noise == "list" else noise
    with torch.inference_mode():
        wanted = generator.run_layer(
            k + 1, generator.run_layer(k, x, styles[k], given, dtype), styles[k + 1], "none", dtype
        )
        monkeypatch.setattr(_strips, "LARGE", 0)
        monkeypatch.setattr(_strips, "STRIP", 5000)
        strips: list[slice] = []
        strip = SynthesisLayer.strip

        def counted(*values: Any) -> Tensor:
            strips.append(values[-1])
            return strip(*values)

        monkeypatch.setattr(SynthesisLayer, "strip", counted)
        found = generator.run_last(x, styles[k:], given, dtype)
    assert torch.equal(found, wanted)
    compiled = winograd.available() and dtype is None
    assert strips == ([slice(0, 8), slice(8, 16)] if compiled else []), (
        "features of halves and of gradients are made whole"
    )
    assert generator.run_last(x, styles[k:], given, dtype).requires_grad and len(strips) == 2 * compiled


def test_a_step_leaves_the_state_before_it_as_it_was(generator: StyleGAN2) -> None:
    with torch.inference_mode():
        styles = generator.styles(generator.map(latents(generator)))
        first = generator.step(0, None, styles[generator.block_layers(0)])
        assert first.img is not None
        before = State(first.x.clone(), first.img.clone())
        generator.step(1, first, styles[generator.block_layers(1)])
        assert torch.equal(first.x, before.x) and torch.equal(first.img, before.img)


def test_constant_noise_is_the_stored_pictures_and_a_list_replaces_them(generator: StyleGAN2) -> None:
    ws = generator.map(latents(generator))
    stored = [
        generator.synthesis.get_submodule(layer.name).get_buffer("noise_const")
        for layer in generator.layers
        if layer.kind == "conv"
    ]
    const = generator.synthesize(ws, noise="const")
    assert torch.equal(generator.synthesize(ws, noise=stored), const)
    assert torch.equal(generator.synthesize(ws, noise=[n.expand(2, 1, -1, -1) for n in stored]), const)
    none = generator.synthesize(ws, noise="none")
    assert torch.equal(generator.synthesize(ws, noise=[None] * 5), none)
    assert not close(none, const)


def test_random_noise_is_fresh_per_call_and_per_sample_and_repeats_with_the_seed(generator: StyleGAN2) -> None:
    ws = generator.map(latents(generator, 1)).repeat(2, 1, 1)
    torch.manual_seed(3)
    first = generator.synthesize(ws, noise="random")
    second = generator.synthesize(ws, noise="random")
    torch.manual_seed(3)
    assert torch.equal(generator.synthesize(ws, noise="random"), first)
    assert not close(first, second) and not close(first[:1], first[1:])


def test_a_generator_without_noise_ignores_the_mode() -> None:
    generator = make(use_noise=False)
    ws = generator.map(latents(generator))
    assert generator.noise_shapes == ()
    assert torch.equal(generator.synthesize(ws), generator.synthesize(ws, noise="random"))
    assert torch.equal(generator.synthesize(ws), generator.synthesize(ws, noise=[]))


def test_truncation_pulls_the_first_rows_to_the_mean(generator: StyleGAN2) -> None:
    ws = generator.map(latents(generator))
    assert torch.equal(generator.truncate(ws, 1.0), ws)
    assert torch.allclose(generator.truncate(ws, 0.0), generator.w_avg.expand_as(ws))
    half = generator.truncate(ws, 0.5, cutoff=2)
    assert torch.equal(half[:, 2:], ws[:, 2:])
    assert torch.allclose(half[:, :2], (ws[:, :2] + generator.w_avg) / 2, atol=1e-6)
    assert torch.equal(generator.truncate(ws, 0.5, cutoff=0), ws)
    assert torch.allclose(generator.truncate(ws[:, 0], 0.5), generator.truncate(ws, 0.5)[:, 0])


def test_a_label_changes_the_picture_and_is_demanded() -> None:
    generator = make(c_dim=3)
    z = latents(generator)
    one, two = torch.eye(3)[[0, 0]], torch.eye(3)[[1, 1]]
    assert not close(generator.map(z, one), generator.map(z, two))
    with pytest.raises(ValueError, match="conditional"):
        generator.map(z)
    with pytest.raises(ValueError, match=r"c is \[2, 3\]; shape \[2, 4\]"):
        generator.map(z, torch.eye(4)[:2])


def test_clamping_keeps_features_and_colours_in_range() -> None:
    clamped, free = make(conv_clamp=0.5), make()
    ws = free.map(latents(free))
    styles = clamped.styles(ws)
    state: State | None = None
    for i in range(3):
        state = clamped.step(i, state, styles[clamped.block_layers(i)])
        assert state.x.abs().max() <= 0.5
    assert not close(clamped.synthesize(ws), free.synthesize(ws))
    with torch.no_grad():
        assert torch.allclose(clamped.synthesize(ws), clamped.synthesize(ws.clone().requires_grad_()), atol=1e-6)


def test_gradients_reach_w_styles_and_parameters() -> None:
    generator = make().train()
    ws = generator.map(latents(generator)).detach().requires_grad_()
    generator.synthesize(ws, noise="random").square().mean().backward()
    assert ws.grad is not None and (ws.grad.abs().sum(dim=(0, 2)) > 0).all()
    assert all(p.grad is not None for p in generator.synthesis.parameters())
    styles = [s.detach().requires_grad_() for s in generator.styles(ws)]
    generator.synthesize(styles).sum().backward()
    assert all(s.grad is not None and s.grad.abs().sum() > 0 for s in styles)


def test_gradients_are_those_of_finite_differences_once_and_twice() -> None:
    generator = make(resolution=8, channels=(4, 3), w_dim=4).double()
    ws = torch.randn(1, 4, 4, dtype=torch.float64, requires_grad=True)
    generator.requires_grad_(False)
    probe = torch.randn(1, 3, 8, 8, dtype=torch.float64)

    def value(w: Tensor) -> Tensor:
        return (generator.synthesize(w, dtype=torch.float64).double() * probe).sum()

    image = generator.synthesize(ws, dtype=torch.float64)
    (grad,) = torch.autograd.grad((image.double() * probe).sum(), ws, create_graph=True)
    (second,) = torch.autograd.grad(grad.square().sum(), ws)
    step = torch.randn_like(ws)
    h = 1e-3
    found = (value(ws + h * step) - value(ws - h * step)) / (2 * h)
    assert float(found.detach()) == pytest.approx(float((grad * step).sum().detach()), rel=1e-2)
    assert torch.isfinite(second).all() and second.abs().sum() > 0


def test_gradients_also_flow_in_evaluation_mode_with_frozen_weights() -> None:
    generator = make().requires_grad_(False)
    with torch.inference_mode():
        generator.synthesize(torch.zeros(1, 12))  # fills what is kept between calls
    w = torch.randn(1, 12, requires_grad=True)
    generator.synthesize(w).sum().backward()
    assert w.grad is not None and w.grad.abs().sum() > 0


@pytest.mark.parametrize("change", ["in place", "optimiser", "load_state_dict", "copy", "functional"])
def test_changed_weights_show_in_the_next_picture(change: str) -> None:
    generator, other = make(0), make(1)
    ws = generator.map(latents(generator))
    with torch.no_grad():
        before, wanted = generator.synthesize(ws), other.synthesize(ws)
        weight = generator.synthesis.get_submodule("b8.conv0").get_parameter("weight")
        if change == "load_state_dict":
            generator.load_state_dict(other.state_dict())
            assert torch.equal(generator.synthesize(ws), wanted)
            return
        if change == "copy":
            twin = copy.deepcopy(generator)
            twin.load_state_dict(other.state_dict())
            assert torch.equal(twin.synthesize(ws), wanted) and torch.equal(generator.synthesize(ws), before)
            return
        if change == "functional":
            assert torch.equal(torch.func.functional_call(generator, other.state_dict(), (ws,)), wanted)
            assert torch.equal(generator.synthesize(ws), before)
            return
    if change == "in place":
        with torch.no_grad():
            weight.mul_(torch.linspace(0.5, 1.5, weight.shape[1])[:, None, None])
    else:
        generator.synthesize(ws).square().mean().backward()
        torch.optim.Adam(generator.parameters(), lr=0.1).step()
    with torch.no_grad():
        after = generator.synthesize(ws)
    assert not close(after, before)
    assert close(after, generator.train().synthesize(ws))


def test_inference_and_training_paths_agree(generator: StyleGAN2) -> None:
    ws = generator.map(latents(generator)).detach()
    with torch.inference_mode():
        quick = generator.synthesize(ws)
    assert close(quick, generator.synthesize(ws.clone().requires_grad_()))
    assert torch.equal(quick, quick.clone())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_features_stay_near_and_the_picture_is_float32(generator: StyleGAN2, dtype: torch.dtype) -> None:
    ws = generator.map(latents(generator))
    with torch.inference_mode():
        exact, half = generator.synthesize(ws), generator.synthesize(ws, dtype=dtype)
    assert half.dtype == torch.float32
    assert close(half, exact, 0.05 if dtype == torch.bfloat16 else 0.01)


def test_large_styles_do_not_overflow_in_half_precision(generator: StyleGAN2) -> None:
    styles = [
        s * 1e4 if layer.kind == "conv" else s
        for s, layer in zip(generator.styles(torch.randn(1, 12)), generator.layers, strict=True)
    ]
    with torch.inference_mode():
        assert close(generator.synthesize(styles, dtype=torch.float16), generator.synthesize(styles), 0.01)


def test_training_runs_under_autocast() -> None:
    generator = make().train()
    with torch.autocast("cpu", torch.bfloat16):
        image = generator.synthesize(generator.map(latents(generator)), noise="random")
    assert image.dtype == torch.float32
    image.square().mean().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in generator.parameters())


def test_the_start_is_that_of_the_papers() -> None:
    torch.manual_seed(0)
    generator = StyleGAN2(StyleGAN2Config(**{**SMALL, "w_dim": 256, "mapping_width": None}))
    conv = generator.synthesis.get_submodule("b8.conv0")
    assert torch.equal(conv.get_parameter("affine.bias"), torch.ones(10))
    assert float(conv.get_parameter("noise_strength").detach()) == 0 and torch.equal(generator.w_avg, torch.zeros(256))
    stored = generator.mapping.get_parameter("fc1.weight")
    assert float(stored.detach().std()) == pytest.approx(100, rel=0.02)
    ws = generator.map(torch.randn(256, 8))
    assert float(ws.square().mean().detach()) == pytest.approx(1, rel=0.3)


def test_every_batch_size_gives_the_same_pictures(generator: StyleGAN2) -> None:
    ws = generator.map(latents(generator, 3))
    alone = torch.cat([generator.synthesize(w[None]) for w in ws])
    assert close(generator.synthesize(ws), alone)


def test_a_constant_that_is_not_square_makes_pictures_that_are_not_square() -> None:
    generator = make(start=(4, 2))
    assert generator.synthesize(generator.map(latents(generator))).shape == (2, 3, 16, 8)
    assert generator.noise_shapes[-1] == (16, 8)
    assert StyleGAN2.from_state_dict(generator.state_dict()).config == generator.config


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"architecture": "resnet"},
        {"architecture": "orig"},
        {"c_dim": 4},
        {"img_channels": 1},
        {"use_noise": False},
        {"mapping_layers": 1},
        {"mapping_width": 20},
        {"taps": (1.0, 1.0)},
    ],
)
def test_the_config_is_read_back_from_the_parameters(changes: dict[str, Any]) -> None:
    generator = make(**changes)
    params = dict(generator.state_dict())
    if "taps" in changes:
        params["synthesis.b8.resample_filter"] = torch.full((2, 2), 0.25)
    again = StyleGAN2.from_state_dict(params)
    if "taps" not in changes:
        assert again.config == generator.config
    assert not again.training
    ws = torch.randn(2, generator.num_ws, 12)
    assert close(again.synthesize(ws), generator.synthesize(ws))
    assert StyleGAN2Config.from_dict(generator.config.to_dict()) == generator.config


def test_a_missing_mean_is_estimated() -> None:
    generator = make()
    params = {name: value for name, value in generator.state_dict().items() if name != "mapping.w_avg"}
    again = StyleGAN2.from_state_dict(params)
    mean = generator.mapping(torch.randn(20_000, 8)).mean(dim=0)
    assert torch.allclose(again.w_avg, mean, atol=0.1)


@pytest.mark.parametrize(
    ("remove", "add", "message"),
    [
        ("synthesis.b4.const", None, "b4.const is missing"),
        ("synthesis.b8.conv1.affine.bias", None, "missing, the first is synthesis.b8.conv1.affine.bias"),
        (None, ("synthesis.b4.extra", torch.zeros(1)), "not known, the first is synthesis.b4.extra"),
        (None, ("synthesis.b8.conv1.bias", torch.zeros(9)), r"synthesis.b8.conv1.bias has shape \[9\]"),
        ("synthesis.b8.conv1.weight", None, "blocks b4, b8, b16"),
    ],
)
def test_wrong_parameters_are_named(remove: str | None, add: tuple[str, Tensor] | None, message: str) -> None:
    params = dict(make().state_dict())
    if remove:
        del params[remove]
    if add:
        params[add[0]] = add[1]
    with pytest.raises(ValueError, match=message):
        StyleGAN2.from_state_dict(params)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g: g.map(torch.zeros(2, 9)), r"z is \[N, 8\]; shape \[2, 9\] was given"),
        (lambda g: g.map(torch.zeros(8)), r"z is \[N, 8\]"),
        (lambda g: g.map(torch.zeros(1, 8), torch.ones(1, 3)), "takes no label"),
        (lambda g: g.synthesize(torch.zeros(1, 5, 12)), r"w\+ is \[N, 6, 12\]; shape \[1, 5, 12\] was given"),
        (lambda g: g.styles(torch.zeros(1, 11)), r"w is \[N, 12\]"),
        (lambda g: g.synthesize([torch.zeros(1, 10)] * 3), "one style per layer is expected, 8"),
        (
            lambda g: g.synthesize([torch.zeros(1, 10)] * 8),
            r"the style of b8.torgb is \[N, 8\]|the style of b8.conv1 is",
        ),
        (lambda g: g.synthesize(torch.zeros(1, 12), noise="const "), "noise is one of const, random, none"),
        (lambda g: g.synthesize(torch.zeros(1, 12), noise=[torch.zeros(4, 4)]), "one tensor per convolution, 5"),
        (lambda g: g.synthesize(torch.zeros(1, 12), noise=[torch.zeros(4, 4)] * 5), r"noise of b8.conv0 is \[8, 8\]"),
        (lambda g: g.truncate(torch.zeros(1, 6, 12), float("nan")), "psi is a finite number"),
        (lambda g: g.truncate(torch.zeros(1, 6, 12), 0.5, 7), "cutoff is a row count from 0 to 6"),
        (lambda g: g.truncate(torch.zeros(1, 12), 0.5, 2), r"cutoff needs w\+"),
        (lambda g: g.step(3, None, []), "block is from 0 to 2"),
        (lambda g: g.step(1, None, []), "needs the state after block 0"),
    ],
)
def test_wrong_input_is_told_what_is_accepted(generator: StyleGAN2, call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(generator)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resolution": 48}, "resolution is 4 doubled"),
        ({"channels": (8, 8)}, "one entry per block: 3"),
        ({"architecture": "skipp"}, "skip, resnet, orig"),
        ({"z_dim": 0}, "z_dim is a whole number"),
        ({"conv_clamp": -1}, "conv_clamp is positive"),
        ({"taps": (1.0, 2.0, 1.0)}, "even number"),
        ({"c_dim": -1}, "c_dim"),
        ({"channels": (8, 0, 8)}, "channels is a whole number"),
    ],
)
def test_a_config_that_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StyleGAN2Config(**{**SMALL, **changes})


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ValueError, match="no setting 'depth'"):
        StyleGAN2Config.from_dict({**SMALL, "depth": 3})
