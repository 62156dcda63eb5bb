"""The quick operations give the numbers of the references."""

from __future__ import annotations

import pytest
import torch

from stylewidgets.ops.bias_act import bias_act, bias_act_reference
from stylewidgets.ops.modulated_conv2d import modulated_conv2d, modulated_conv2d_reference
from stylewidgets.ops.upfirdn2d import BINOMIAL, blur2d, upfirdn2d_reference, upsample2d

LAYOUTS = [torch.contiguous_format, torch.channels_last]
TAPS = [BINOMIAL, (1.0, 1.0), (1.0, 5.0, 10.0, 10.0, 5.0, 1.0)]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("taps", TAPS)
@pytest.mark.parametrize("down", [1, 2])
@pytest.mark.parametrize("padding", [0, 1, 2])
def test_blur_is_the_reference(taps: tuple[float, ...], down: int, padding: int, layout: torch.memory_format) -> None:
    x = torch.randn(2, 3, 9, 11).contiguous(memory_format=layout)
    wanted = upfirdn2d_reference(x, taps, down=down, padding=(padding, padding), gain=4.0)
    assert torch.allclose(blur2d(x, taps, down=down, padding=padding, gain=4.0), wanted, atol=1e-5)


@pytest.mark.parametrize("taps", TAPS)
def test_upsampling_is_zero_insertion_and_filter(taps: tuple[float, ...]) -> None:
    x = torch.randn(2, 3, 5, 6)
    n = len(taps)
    wanted = upfirdn2d_reference(x, taps, up=2, padding=((n + 1) // 2, (n - 2) // 2), gain=4.0)
    assert wanted.shape == (2, 3, 10, 12)
    assert torch.allclose(upsample2d(x, taps), wanted, atol=1e-6)


def test_a_constant_keeps_its_value_away_from_the_border() -> None:
    assert torch.allclose(upsample2d(torch.ones(1, 1, 8, 8))[..., 2:-2, 2:-2], torch.ones(1, 1, 12, 12))
    assert torch.allclose(blur2d(torch.ones(1, 1, 8, 8), padding=2)[..., 2:-2, 2:-2], torch.ones(1, 1, 5, 5))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("up", [1, 2])
@pytest.mark.parametrize("demodulate", [False, True])
@pytest.mark.parametrize("kernel", [1, 3])
def test_modulated_convolution_is_the_reference(
    up: int, demodulate: bool, kernel: int, layout: torch.memory_format
) -> None:
    if up == 2 and kernel == 1:
        pytest.skip("no network has a modulated 1x1 up-convolution")
    torch.manual_seed(0)
    x = torch.randn(2, 5, 6, 7).contiguous(memory_format=layout)
    weight, styles = torch.randn(4, 5, kernel, kernel), torch.randn(2, 5)
    wanted = modulated_conv2d_reference(x, weight, styles, up=up, demodulate=demodulate)
    assert wanted.shape == (2, 4, 6 * up, 7 * up)
    found = modulated_conv2d(x, weight, styles, up=up, demodulate=demodulate)
    assert torch.allclose(found, wanted, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize("activation", ["lrelu", "linear"])
@pytest.mark.parametrize("clamp", [None, 0.7])
@pytest.mark.parametrize("gain", [1.0, 0.5])
@pytest.mark.parametrize("scaled", [False, True])
def test_bias_and_activation_are_the_reference(
    activation: str, gain: float, clamp: float | None, scaled: bool, gradients: bool
) -> None:
    x, bias, noise = torch.randn(2, 3, 4, 4), torch.randn(3), torch.randn(4, 4)
    scale = torch.rand(2, 3) if scaled else None
    wanted = bias_act_reference(x, bias, scale=scale, noise=noise, activation=activation, gain=gain, clamp=clamp)
    with torch.set_grad_enabled(gradients):
        kept = x.clone()
        found = bias_act(x.clone(), bias, scale=scale, noise=noise, activation=activation, gain=gain, clamp=clamp)
        assert torch.allclose(found, wanted, atol=1e-6)
        if gradients:
            bias_act(x, bias, scale=scale, noise=noise, activation=activation, gain=gain, clamp=clamp)
            assert torch.equal(x, kept)
