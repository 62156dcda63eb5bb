"""StyleGAN3: geometry, filters, input, layers, training, and what the golden files do not exercise."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from stylewidgets.generators.protocol import State
from stylewidgets.generators.stylegan3.filters import low_pass, radial_low_pass
from stylewidgets.generators.stylegan3.generator import StyleGAN3, StyleGAN3Config, infer_config
from stylewidgets.latent.latent import Transform

SMALL: dict[str, Any] = {
    "z_dim": 6,
    "w_dim": 8,
    "channel_base": 128,
    "channel_max": 8,
    "num_layers": 4,
    "conv_clamp": None,
    "num_fp16_res": 0,
}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make(variant: str = "T", resolution: int = 32, **others: Any) -> StyleGAN3:
    """A small random generator whose input depends on w."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        made = StyleGAN3(StyleGAN3Config.create(variant, resolution, **{**SMALL, **others})).eval()
        with torch.no_grad():
            made.synthesis.input.affine.weight.normal_(std=0.3)
            made.mapping.get_buffer("w_avg").normal_()
    return made


def draw(generator: StyleGAN3, ws: Tensor, transform: Transform | None = None) -> Tensor:
    generator.set_transform(None if transform is None else transform.matrix())
    with torch.no_grad():
        picture = generator.synthesize(ws)
    generator.set_transform(None)
    return picture


def some_w(generator: StyleGAN3, n: int = 1) -> Tensor:
    return torch.randn(n, generator.num_ws, generator.w_dim, generator=torch.Generator().manual_seed(3))


# -- geometry -----------------------------------------------------------------------------------------------------------
SIZES_1024 = [36, 36, 52, 52, 84, 148, 148, 276, 276, 532, 1044, 1044, 1044, 1024, 1024]
SIZES_256 = [36, 36, 36, 52, 52, 84, 84, 148, 148, 148, 276, 276, 276, 256, 256]


def test_the_published_networks_come_out_of_the_design_rules() -> None:
    t, r = StyleGAN3Config.create("T", 1024), StyleGAN3Config.create("R", 1024)
    assert [layer.size for layer in t.layers] == [layer.size for layer in r.layers] == SIZES_1024
    assert [layer.channels for layer in t.layers] == [512] * 7 + [323, 203, 128, 81, 51, 32, 32, 3]
    assert [layer.channels for layer in r.layers] == [1024] * 7 + [645, 406, 256, 161, 102, 64, 64, 3]
    assert [t.padding(i) for i in (0, 2, 13, 14)] == [(9, 8), (-6, -9), (-11, -12), (0, 0)]
    assert [r.padding(i) for i in (0, 2, 13, 14)] == [(11, 10), (-2, -5), (-9, -10), (0, 0)]
    assert [layer.radial for layer in r.layers] == [True] * 12 + [False] * 3
    assert not any(layer.radial for layer in t.layers)
    assert t.num_ws == 16 and t.layer_name(7) == "L7_276_323"
    small = StyleGAN3Config.create("T", 256, channel_base=16384)
    assert [layer.size for layer in small.layers] == SIZES_256
    assert [layer.channels for layer in small.layers] == [512] * 7 + [362, 256, 181, 128, 91, 64, 64, 3]


@pytest.mark.parametrize(("resolution", "first"), [(256, 3), (512, 4), (1024, 5)])
def test_half_precision_starts_at_the_published_layer(resolution: int, first: int) -> None:
    config = StyleGAN3Config.create("T", resolution)
    assert [rate * 16 > resolution for rate in config.rates].index(True) == first
    assert config.num_fp16_res == 4


def test_the_filters_have_the_published_taps() -> None:
    known = [0.00079190, 0.01001832, 0.03894952, 0.09241279, 0.15652562, 0.20130185]
    assert low_pass(12, 2, 6, 32)[:6].tolist() == pytest.approx(known, abs=1e-8)
    cutoff = 2 * 256 ** (1 / 12)
    steep = low_pass(24, cutoff, 4.8252, 64)[:4].tolist()
    assert steep == pytest.approx([-0.00033991, -0.00029957, 0.00087359, 0.00421339], abs=1e-7)
    weak = low_pass(12, 512, 118.3459, 2048)[:3].tolist()
    assert weak == pytest.approx([0.02337425, 0.03444930, -0.05088070], abs=1e-7)
    round_ = radial_low_pass(12, 2, 6, 32)
    assert [float(round_[5, 5]), float(round_[5, 0])] == pytest.approx([0.0387549, 2.05262e-4], rel=1e-5)
    assert (
        torch.allclose(round_, round_.t())
        and torch.allclose(round_, round_.flip(0))
        and round_.sum() == pytest.approx(1)
    )


@pytest.mark.parametrize("variant", ["T", "R"])
def test_the_config_survives_json_and_is_read_from_names_and_shapes(variant: str) -> None:
    generator = make(variant)
    config = generator.config
    assert StyleGAN3Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    shapes = {name: torch.empty(()).expand(value.shape) for name, value in generator.state_dict().items()}
    assert infer_config(shapes, conv_clamp=None, num_fp16_res=0) == config


def test_a_state_dict_makes_the_same_generator_and_errors_name_the_parameter() -> None:
    generator = make("R", c_dim=3)
    params = generator.state_dict()
    copy = StyleGAN3.from_state_dict(params, conv_clamp=None)
    z, c = torch.randn(2, 6), torch.eye(3)[:2]
    assert torch.equal(copy.map(z, c), generator.map(z, c))
    assert torch.equal(draw(copy, copy.map(z, c)), draw(generator, copy.map(z, c)))
    name = next(name for name in params if name.endswith("L2_52_4.bias"))
    with pytest.raises(ValueError, match=name):
        StyleGAN3.from_state_dict({k: v for k, v in params.items() if k != name})
    with pytest.raises(ValueError, match="not known"):
        StyleGAN3.from_state_dict({**params, "synthesis.extra": torch.zeros(1)})
    with pytest.raises(ValueError, match="not the parameters of a StyleGAN3|are expected"):
        infer_config({"a": torch.zeros(1)})


def test_the_mapping_of_stylegan_xl_fits_in() -> None:
    generator = make(c_dim=3, mapping="stylegan-xl", embed_dim=5)
    params = generator.state_dict()
    assert infer_config(params, conv_clamp=None, num_fp16_res=0) == generator.config
    z, c = torch.randn(2, 6), torch.eye(3)[:2]
    copy = StyleGAN3.from_state_dict(params, conv_clamp=None)
    assert torch.equal(copy.map(z, c), generator.map(z, c)) and copy.map(z, c).shape == (2, copy.num_ws, 8)


def test_a_missing_mean_of_w_is_estimated() -> None:
    params = {k: v for k, v in make().state_dict().items() if k != "mapping.w_avg"}
    assert StyleGAN3.from_state_dict(params).w_avg.abs().sum() > 0


# -- input --------------------------------------------------------------------------------------------------------------
def waves_by_hand(generator: StyleGAN3, style: Tensor, matrix: Any) -> Any:
    """The input features [C, H, W], point by point from the formulas in double precision."""
    module, config = generator.synthesis.input, generator.config
    size, rate = config.input_size, config.input_size - 2 * config.margin
    cosine, sine, right, down = (style / math.hypot(*style[:2])).tolist()
    turn = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    move = np.array([[1, 0, -right], [0, 1, -down], [0, 0, 1]])
    place = turn @ move @ module.transform.double().numpy() @ np.linalg.inv(matrix)
    freqs, phases = module.freqs.double().numpy(), module.phases.double().numpy()
    weight = module.weight.detach().double().numpy() / math.sqrt(len(freqs))
    result = np.zeros((len(freqs), size, size))
    for row in range(size):
        for column in range(size):
            point = [((2 * k + 1) / size - 1) * size / rate / 2 for k in (column, row)]
            at = place @ [*point, 1.0]
            length = np.hypot(*(freqs @ place[:2, :2]).T)
            fade = np.clip(1 - (length - 2) / (rate / 2 - 2), 0, 1)
            result[:, row, column] = weight @ (np.sin(2 * np.pi * (freqs @ at[:2] + phases)) * fade)
    return result


@pytest.mark.parametrize(
    "transform",
    [
        Transform(),
        Transform(x=0.2, y=-0.1, angle=40),
        Transform(scale=0.5),
        Transform(angle=-100, scale=0.12),
        Transform(scale=3),
    ],
)
def test_the_input_follows_w_the_stored_transform_and_the_users(transform: Transform) -> None:
    generator = make()
    generator.synthesis.input.transform.copy_(torch.tensor([[0.9, -0.2, 0.1], [0.3, 1.1, -0.3], [0, 0, 1]]))
    style = generator.styles(some_w(generator))[0]
    assert style[0].sub(torch.tensor([1.0, 0, 0, 0])).abs().min() > 1e-3
    generator.set_transform(transform.matrix())
    found = generator.synthesis.input(style)[0].detach().double().numpy()
    wanted = waves_by_hand(generator, style[0].detach().double(), transform.matrix())
    assert np.abs(found - wanted).max() < 2e-5


def test_frequencies_that_leave_the_band_fade_to_nothing() -> None:
    generator = make()
    ws = some_w(generator)
    generator.set_transform(Transform(scale=0.001).matrix())
    assert float(generator.synthesis.input(generator.styles(ws)[0]).detach().abs().max()) == 0.0


# -- transforms ---------------------------------------------------------------------------------------------------------
def test_the_rotation_configuration_turns_its_picture_against_the_clock() -> None:
    generator = make("R")
    ws = some_w(generator)
    generator.synthesis.input.affine.weight.data.zero_()
    still, turned = draw(generator, ws), draw(generator, ws, Transform(angle=90))
    assert torch.allclose(turned, still.rot90(1, (2, 3)), atol=1e-4 * float(still.abs().max()))
    assert not torch.allclose(turned, still, atol=1e-2 * float(still.std()))


@pytest.mark.parametrize(("transform", "rows", "columns"), [(Transform(x=1 / 16), 0, 2), (Transform(y=-1 / 16), -2, 0)])
def test_a_shift_moves_the_picture_right_and_down(transform: Transform, rows: int, columns: int) -> None:
    generator = make("T")
    ws = some_w(generator)
    still, moved = draw(generator, ws), draw(generator, ws, transform)
    middle = (..., slice(12, 20), slice(12, 20))
    wanted = still.roll((rows, columns), (2, 3))[middle]
    change = float((still[middle] - wanted).norm())
    assert float((moved[middle] - wanted).norm()) < 0.05 * change


def test_scale_enlarges_around_the_middle() -> None:
    point = Transform(x=0.1, scale=2, angle=90).matrix() @ [0.2, 0.0, 1.0]
    assert point.tolist() == pytest.approx([0.1, -0.4, 1.0])


@pytest.mark.parametrize(
    "matrix",
    [
        np.zeros((3, 3)),
        np.eye(2),
        np.full((3, 3), np.nan),
        [[1, 0, 0], [0, 1, 0], [0, 1, 1]],
        [[1, 1, 0], [1, 1, 0], [0, 0, 1]],
    ],
)
def test_what_is_no_invertible_affine_matrix_is_refused(matrix: Any) -> None:
    generator = make()
    with pytest.raises(ValueError, match="transform"):
        generator.set_transform(matrix)
    assert generator.transform is None


# -- layers -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("variant", ["T", "R"])
def test_a_layer_is_what_the_formulas_say(variant: str) -> None:
    from stylewidgets.ops.filtered_lrelu import filtered_lrelu_reference

    generator = make(variant)
    layer: Any = generator.synthesis.get_submodule(generator.layers[2].name)
    layer.magnitude_ema.fill_(2.5)
    x, styles = torch.randn(2, 8, 36, 36), torch.randn(2, 8)
    weight = layer.weight * layer.weight.square().mean(dim=(1, 2, 3), keepdim=True).rsqrt()
    scaled = styles * styles.square().mean().rsqrt()  # over the whole batch, as published
    own = weight * scaled[:, None, :, None, None]
    own = own * (own.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8).rsqrt() * 2.5**-0.5
    wide = torch.cat([torch.nn.functional.conv2d(x[n : n + 1], own[n], padding=own.shape[-1] - 1) for n in range(2)])
    wanted = filtered_lrelu_reference(
        wide,
        layer.bias,
        layer.up_filter,
        layer.down_filter,
        up=4,
        down=2,
        padding=generator.config.padding(1),
        clamp=None,
    )
    with torch.no_grad():
        found = layer(x, styles)
    assert found.shape == wanted.shape and torch.allclose(found, wanted, atol=1e-5)


def test_the_clamp_cuts_features_and_colours() -> None:
    generator = make(conv_clamp=0.01)
    ws = some_w(generator)
    styles = generator.styles(ws)
    state: State | None = None
    with torch.no_grad():
        for i in range(generator.num_blocks):
            state = generator.step(i, state, styles[i : i + 1])
            assert i == 0 or state.x.abs().max() < 0.02  # the filter behind the clamp may overshoot a little
    assert state is not None and generator.image(state).abs().max() <= 0.01 * 0.25 + 1e-9


def test_a_picture_does_not_depend_on_its_batch() -> None:
    generator = make("R")
    ws = some_w(generator, 3) * torch.tensor([1.0, 30.0, 0.1])[:, None, None]
    together = draw(generator, ws)
    for n in range(3):
        assert torch.allclose(draw(generator, ws[n : n + 1]), together[n : n + 1], atol=1e-5)


def test_half_precision_is_near_float32() -> None:
    generator = make("T", num_fp16_res=4)
    ws = some_w(generator)
    with torch.no_grad():
        exact, rough = generator.synthesize(ws), generator.synthesize(ws, dtype=torch.bfloat16)
    assert rough.dtype == torch.float32
    assert 0 < float((exact - rough).norm() / exact.norm()) < 0.05


def test_noise_is_accepted_and_changes_nothing_but_tensors_are_refused() -> None:
    generator = make()
    ws = some_w(generator)
    with torch.no_grad():
        assert torch.equal(generator.synthesize(ws, noise="random"), generator.synthesize(ws, noise=[]))
    with pytest.raises(ValueError, match="takes no noise"):
        generator.synthesize(ws, noise=[torch.zeros(4, 4)])
    with pytest.raises(ValueError, match="const, random, none"):
        generator.synthesize(ws, noise="loud")


def test_only_the_last_block_has_a_picture_and_blocks_follow_each_other() -> None:
    generator = make()
    styles = generator.styles(some_w(generator))
    state = generator.step(0, None, styles[:1])
    with pytest.raises(ValueError, match="only after the last block, 5"):
        generator.image(state)
    with pytest.raises(ValueError, match="state after block 1"):
        generator.step(2, None, styles[2:3])
    with pytest.raises(ValueError, match="from 0 to 5"):
        generator.step(6, state, styles[:1])
    assert [layer.ws_index for layer in generator.layers] == list(range(generator.num_ws))
    assert [layer.kind for layer in generator.layers] == ["input", "conv", "conv", "conv", "conv", "torgb"]


# -- training -----------------------------------------------------------------------------------------------------------
def test_magnitudes_follow_in_training_only() -> None:
    generator = make(ema_beta=0.5)
    layer: Any = generator.synthesis.get_submodule(generator.layers[1].name)
    ws = some_w(generator, 2)
    generator.synthesize(ws)
    assert float(layer.magnitude_ema) == 1.0
    generator.train()
    generator.synthesize(ws)
    with torch.no_grad():
        square = generator.synthesis.input(generator.styles(ws)[0]).square().mean()
    assert float(layer.magnitude_ema) == pytest.approx(0.5 + 0.5 * float(square), rel=1e-5)


@pytest.mark.parametrize("variant", ["T", "R"])
def test_it_trains_and_can_be_differentiated_twice(variant: str) -> None:
    generator = make(variant).train()
    z = torch.randn(2, 6)
    ws = generator.map(z)
    picture = generator.synthesize(ws)
    (slope,) = torch.autograd.grad((picture * torch.randn_like(picture)).sum(), ws, create_graph=True)
    slope.square().sum().backward()
    for name, parameter in generator.named_parameters():
        if not name.endswith(("torgb.bias", f"{generator.layers[-1].name}.bias")):
            assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name
    assert generator.synthesis.input.weight.grad.abs().sum() > 0


def test_styles_receive_gradients_in_evaluation() -> None:
    generator = make().requires_grad_(False)
    styles = [style.requires_grad_() for style in generator.styles(some_w(generator))]
    generator.synthesize(styles).square().sum().backward()
    assert all(style.grad is not None and style.grad.abs().sum() > 0 for style in styles)
