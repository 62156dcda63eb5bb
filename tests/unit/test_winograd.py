"""The compiled convolution gives the numbers of the reference, and stands aside where it may not be used."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from stylewidgets.generators.layers import SynthesisLayer
from stylewidgets.ops.bias_act import bias_act_reference
from stylewidgets.ops.modulated_conv2d import demodulation, modulated_conv2d_reference, weight_squares
from stylewidgets.ops.native import build, compilers, winograd

needs_compiler = pytest.mark.skipif(not winograd.available(), reason="no C++ compiler")
SIZES = st.integers(1, 36)
CHANNELS = st.sampled_from([1, 3, 8, 15, 16, 17, 33])


def error(found: Tensor, wanted: Tensor) -> float:
    assert found.shape == wanted.shape
    return float((found.double() - wanted.double()).norm() / wanted.double().norm().clamp_min(1e-6))


@needs_compiler
@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 3),
    inputs=CHANNELS,
    outputs=CHANNELS,
    height=SIZES,
    width=SIZES,
    up=st.sampled_from([1, 2]),
    noisy=st.sampled_from(["none", "one", "each"]),
    gain=st.sampled_from([1.0, 0.5]),
    clamp=st.sampled_from([None, 0.7]),
    threads=st.integers(1, 3),
    last=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_shape_is_the_reference(
    n: int,
    inputs: int,
    outputs: int,
    height: int,
    width: int,
    up: int,
    noisy: str,
    gain: float,
    clamp: float | None,
    threads: int,
    last: bool,
    seed: int,
) -> None:
    torch.manual_seed(seed)
    x = torch.randn(n, inputs, height, width)
    x = x.contiguous(memory_format=torch.channels_last) if last else x
    weight, styles, bias = torch.randn(outputs, inputs, 3, 3), torch.randn(n, inputs), torch.randn(outputs)
    size = (height * up, width * up)
    noise = {"none": None, "one": torch.randn(size), "each": torch.randn(n, 1, *size)}[noisy]
    wanted = bias_act_reference(
        modulated_conv2d_reference(x.double(), weight.double(), styles.double(), up=up),
        bias.double(),
        noise=None if noise is None else noise.double() * 0.3,
        gain=gain,
        clamp=clamp,
    )
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found = winograd.convolution(
            x,
            winograd.packed(weight, up),
            styles,
            demodulation(styles, weight_squares(weight)),
            bias,
            noise=noise,
            noise_gain=0.3,
            up=up,
            gain=gain,
            clamp=clamp,
        )
    finally:
        torch.set_num_threads(before)
    assert error(found, wanted) < 1e-5


@needs_compiler
@pytest.mark.parametrize(("height", "width"), [(24, 24), (40, 26), (25, 133), (131, 24)])
def test_a_large_up_convolution_has_the_same_bits_on_any_number_of_threads(height: int, width: int) -> None:
    torch.manual_seed(0)
    x, weight, styles = torch.randn(1, 5, height, width), torch.randn(35, 5, 3, 3), torch.randn(1, 5)
    before, found = torch.get_num_threads(), []
    for threads in (1, 2, 5, 40):
        torch.set_num_threads(threads)
        found.append(
            winograd.convolution(x, winograd.packed(weight, 2), styles, torch.ones(1, 35), torch.zeros(35), up=2)
        )
    torch.set_num_threads(before)
    wanted = modulated_conv2d_reference(x.double(), weight.double(), styles.double(), up=2, demodulate=False)
    assert error(found[0], bias_act_reference(wanted)) < 1e-6
    assert all(torch.equal(found[0], other) for other in found[1:])


@needs_compiler
@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 3),
    inputs=CHANNELS,
    outputs=CHANNELS,
    height=st.integers(1, 30),
    width=st.integers(1, 30),
    gain=st.sampled_from([1.0, 0.5]),
    clamp=st.sampled_from([None, 0.7]),
    activation=st.sampled_from(["lrelu", "linear"]),
    threads=st.integers(1, 3),
    last=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_shape_of_a_pointwise_convolution_is_the_reference(
    n: int,
    inputs: int,
    outputs: int,
    height: int,
    width: int,
    gain: float,
    clamp: float | None,
    activation: str,
    threads: int,
    last: bool,
    seed: int,
) -> None:
    torch.manual_seed(seed)
    x = torch.randn(n, inputs, height, width)
    x = x.contiguous(memory_format=torch.channels_last) if last else x
    weight, styles, bias = torch.randn(outputs, inputs, 1, 1), torch.randn(n, inputs), torch.randn(outputs)
    wanted = bias_act_reference(
        modulated_conv2d_reference(x.double(), weight.double(), styles.double()),
        bias.double(),
        gain=gain,
        clamp=clamp,
        activation=activation,
    )
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found = winograd.pointwise(
            x,
            winograd.packed(weight, 1),
            styles,
            demodulation(styles, weight_squares(weight)),
            bias,
            gain=gain,
            clamp=clamp,
            activation=activation,
        )
    finally:
        torch.set_num_threads(before)
    assert error(found, wanted) < 1e-5


@needs_compiler
@pytest.mark.parametrize("rows", [slice(0, 4), slice(8, 20), slice(16, 21), slice(4, None)])
@pytest.mark.parametrize("noisy", [False, True])
def test_some_rows_have_the_bits_that_they_have_in_the_whole(rows: slice, noisy: bool) -> None:
    torch.manual_seed(0)
    x, weight, styles = torch.randn(2, 6, 21, 30), winograd.packed(torch.randn(20, 6, 3, 3), 1), torch.randn(2, 6)
    scale, bias = torch.rand(2, 20), torch.randn(20)
    given: dict[str, object] = {"noise": torch.randn(2, 1, 21, 30) if noisy else None, "clamp": 1.0}
    whole = winograd.convolution(x, weight, styles, scale, bias, **given)
    some = winograd.convolution(x, weight, styles, scale, bias, rows=rows, **given)
    assert torch.equal(some, whole[:, :, rows])


@needs_compiler
@pytest.mark.parametrize(("rows", "up"), [(slice(2, 8), 1), (slice(0, 8), 2), (slice(8, 8), 1), (slice(40, 44), 1)])
def test_rows_that_cannot_be_had_are_refused(rows: slice, up: int) -> None:
    weight = winograd.packed(torch.randn(3, 3, 3, 3), up)
    with pytest.raises(ValueError, match="multiple of 4"):
        winograd.convolution(
            torch.randn(1, 3, 16, 16), weight, torch.ones(1, 3), torch.ones(1, 3), torch.zeros(3), up=up, rows=rows
        )


@needs_compiler
@pytest.mark.parametrize("side", [8, 25])
def test_pictures_of_a_batch_have_the_bits_that_they_have_alone(side: int) -> None:
    weight = winograd.packed(torch.randn(24, 20, 3, 3), 2)
    x, styles, scale, bias = torch.randn(5, 20, side, side), torch.randn(5, 20), torch.rand(5, 24), torch.randn(24)
    together = winograd.convolution(x, weight, styles, scale, bias, up=2)
    for i in range(5):
        own = slice(i, i + 1)
        assert torch.equal(winograd.convolution(x[own], weight, styles[own], scale[own], bias, up=2), together[own])


@pytest.fixture
def layer() -> SynthesisLayer:
    torch.manual_seed(0)
    made = SynthesisLayer(6, 10, w_dim=8, size=(8, 8)).eval()
    with torch.no_grad():
        made.noise_strength.fill_(0.5)
        made.bias.normal_()
    return made


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    seen: list[int] = []
    compiled = winograd.convolution

    def counted(*args: object, **options: object) -> Tensor:
        seen.append(1)
        return compiled(*args, **options)

    monkeypatch.setattr(winograd, "convolution", counted)
    return seen


@needs_compiler
def test_the_layer_uses_it_without_gradients_only_and_the_pictures_are_the_same(
    layer: SynthesisLayer, calls: list[int]
) -> None:
    x, styles = torch.randn(2, 6, 8, 8), torch.randn(2, 6)
    with torch.no_grad():
        quick = layer(x, styles, layer.noise_const)
    assert len(calls) == 1
    slow = layer(x, styles, layer.noise_const)
    assert len(calls) == 1 and slow.requires_grad and error(quick, slow.detach()) < 1e-5
    layer.requires_grad_(False)
    assert layer(x, styles.requires_grad_(), layer.noise_const).requires_grad and len(calls) == 1
    layer(x, styles.detach(), layer.noise_const)
    assert len(calls) == 2, "gradients are enabled, but nothing wants one"


@needs_compiler
@torch.no_grad()
def test_it_stands_aside_for_other_numbers_and_tracing(layer: SynthesisLayer, calls: list[int]) -> None:
    x, styles = torch.randn(1, 6, 8, 8), torch.randn(1, 6)
    layer.double()(x.double(), styles, None)
    layer.float()(x.to(torch.bfloat16), styles, None)
    with torch.autocast("cpu", torch.bfloat16):
        layer(x, styles, None)
    with torch.enable_grad():
        layer.requires_grad_(False)
        batched = torch.func.vmap(lambda one, style: layer(one[None], style[None], None)[0])(x, styles)
    assert not calls
    assert error(layer(x, styles, None), batched) < 1e-5 and len(calls) == 1


@needs_compiler
@torch.no_grad()
def test_a_changed_weight_is_noticed(layer: SynthesisLayer) -> None:
    x, styles = torch.randn(1, 6, 8, 8), torch.randn(1, 6)
    before = layer(x, styles, None)
    layer.weight.mul_(torch.rand(10, 6, 3, 3))
    assert not torch.equal(layer(x, styles, None), before)


def test_without_a_compiler_one_warning_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilers, "COMPILERS", ())
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.delenv("STYLEWIDGETS_COMPILE", raising=False)
    build.library.cache_clear()
    try:
        with pytest.warns(RuntimeWarning, match="no C\\+\\+ compiler"):
            assert build.library("_winograd") is None
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert build.library("_winograd") is None
    finally:
        build.library.cache_clear()


def test_a_compiler_that_fails_is_one_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CXX", "false")
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path))
    monkeypatch.delenv("STYLEWIDGETS_COMPILE", raising=False)
    build.library.cache_clear()
    try:
        with pytest.warns(RuntimeWarning, match="could not be compiled with false"):
            assert build.library("_winograd") is None
        assert not list(tmp_path.rglob("*.so")), "nothing is left behind"
    finally:
        build.library.cache_clear()


def test_it_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLEWIDGETS_COMPILE", "0")
    build.library.cache_clear()
    try:
        assert build.library("_winograd") is None
    finally:
        build.library.cache_clear()
