"""The quick operations give the numbers and the gradients of the references: random shapes, factors, padding, gains, dtypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from stylewidgets.generators.layers import SynthesisLayer
from stylewidgets.ops.bias_act import bias_act, bias_act_reference
from stylewidgets.ops.filtered_lrelu import filtered_lrelu, filtered_lrelu_reference
from stylewidgets.ops.modulated_conv2d import modulated_conv2d, modulated_conv2d_reference
from stylewidgets.ops.upfirdn2d import blur2d, upfirdn2d_reference, upsample2d

Function = Callable[..., Tensor]
OFF = {torch.float64: (1e-12, 1e-12), torch.float32: (2e-5, 0.02), torch.bfloat16: (0.03, 0.3)}
"""Norm of the error over that of the value: of results and of gradients. Now and then a number next to the kink of the leaky
ReLU is rounded to its other side, where the gradient is another."""

DTYPES = st.sampled_from(list(OFF))
TAPS = st.sampled_from([(1.0, 3.0, 3.0, 1.0), (1.0, 1.0), (1.0, 4.0, 6.0, 6.0, 4.0, 1.0), (0.5, -1.0, 2.0, -1.0)])
MANY = settings(max_examples=50, deadline=None, derandomize=True)


def agree(
    quick: Function, reference: Function, dtype: torch.dtype, *tensors: Tensor | None, last: bool = False
) -> None:
    """Compare results without gradients, results with them, and the gradients for every tensor, with the reference in float64.

    Args:
        quick, reference: of the tensors.
        dtype: that the quick one computes in.
        tensors: what gradients are wanted for; None is passed on.
        last: give the quick one its pictures in channels-last layout.
    """

    def given(as_dtype: torch.dtype, layout: torch.memory_format) -> list[Tensor | None]:
        # Both get the same numbers: those that are left after rounding to the quick one's dtype.
        return [
            None
            if t is None
            else t.to(dtype).to(as_dtype).contiguous(memory_format=layout if t.ndim == 4 else torch.contiguous_format)
            for t in tensors
        ]

    def gradients(function: Function, values: list[Tensor | None]) -> list[Tensor]:
        wanted = [t.requires_grad_() for t in values if t is not None]
        y = function(*values)
        weights = torch.linspace(-1, 1.5, y.numel(), dtype=y.dtype).reshape(y.shape)
        return [y.detach(), *torch.autograd.grad((y * weights).sum(), wanted)]

    layout = torch.channels_last if last else torch.contiguous_format
    exact = gradients(reference, given(torch.float64, torch.contiguous_format))
    found = gradients(quick, given(dtype, layout))
    with torch.no_grad():
        alone = quick(*given(dtype, layout))
    forward, backward = OFF[dtype]
    largest = max(float(wanted.norm()) for wanted in exact)  # a gradient may be the small rest of large terms
    assert alone.dtype == found[0].dtype == dtype
    for value in (alone, found[0]):
        assert value.shape == exact[0].shape
        assert float((value.double() - exact[0]).norm()) <= forward * max(1.0, float(exact[0].norm()))
    for value, wanted in zip(found[1:], exact[1:], strict=True):
        assert float((value.double() - wanted).norm()) <= backward * max(1.0, largest)


@st.composite
def shapes(draw: st.DrawFn, least: int = 1) -> tuple[int, int, int, int]:
    torch.manual_seed(draw(st.integers(0, 2**20)))
    side = st.integers(least, least + 9)
    return draw(st.integers(1, 3)), draw(st.integers(1, 5)), draw(side), draw(side)


@MANY
@given(
    shape=shapes(),
    dtype=DTYPES,
    last=st.booleans(),
    scaled=st.booleans(),
    noisy=st.sampled_from(["no", "one", "each"]),
    activation=st.sampled_from(["lrelu", "linear"]),
    gain=st.floats(0.25, 2.0),
    clamp=st.sampled_from([None, 0.5, 256.0]),
)
def test_bias_and_activation(
    shape: tuple[int, ...],
    dtype: torch.dtype,
    last: bool,
    scaled: bool,
    noisy: str,
    activation: str,
    gain: float,
    clamp: float | None,
) -> None:
    n, c, h, w = shape
    noise = {"no": None, "one": torch.randn(h, w), "each": torch.randn(n, 1, h, w)}[noisy]

    def run(function: Function) -> Function:
        return lambda x, bias, scale, noise: function(
            x * 1, bias, scale=scale, noise=noise, activation=activation, gain=gain, clamp=clamp
        )

    scale = torch.rand(n, c) + 0.5 if scaled else None
    agree(run(bias_act), run(bias_act_reference), dtype, torch.randn(shape), torch.randn(c), scale, noise, last=last)


@MANY
@given(
    shape=shapes(5),
    dtype=DTYPES,
    last=st.booleans(),
    taps=TAPS,
    down=st.integers(1, 3),
    padding=st.integers(0, 4),
    gain=st.floats(0.25, 4.0),
)
def test_filter_and_downsample(
    shape: tuple[int, ...],
    dtype: torch.dtype,
    last: bool,
    taps: tuple[float, ...],
    down: int,
    padding: int,
    gain: float,
) -> None:
    padding = max(padding, 1) if len(taps) > 5 else padding
    agree(
        lambda x: blur2d(x, taps, down=down, padding=padding, gain=gain),
        lambda x: upfirdn2d_reference(x, taps, down=down, padding=(padding, padding), gain=gain),
        dtype,
        torch.randn(shape),
        last=last,
    )


@MANY
@given(shape=shapes(), dtype=DTYPES, last=st.booleans(), taps=TAPS)
def test_upsample(shape: tuple[int, ...], dtype: torch.dtype, last: bool, taps: tuple[float, ...]) -> None:
    padding = (len(taps) + 1) // 2, (len(taps) - 2) // 2
    agree(
        lambda x: upsample2d(x, taps),
        lambda x: upfirdn2d_reference(x, taps, up=2, padding=padding, gain=4.0),
        dtype,
        torch.randn(shape),
        last=last,
    )


@MANY
@given(
    shape=shapes(),
    outputs=st.integers(1, 6),
    dtype=DTYPES,
    last=st.booleans(),
    taps=TAPS,
    demodulate=st.booleans(),
    kind=st.sampled_from([(1, 1), (3, 1), (3, 2)]),
)
def test_modulated_convolution(
    shape: tuple[int, ...],
    outputs: int,
    dtype: torch.dtype,
    last: bool,
    taps: tuple[float, ...],
    demodulate: bool,
    kind: tuple[int, int],
) -> None:
    kernel, up = kind
    styles = torch.randn(shape[:2]).sign() * (torch.rand(shape[:2]) + 0.2)

    def run(function: Function) -> Function:
        return lambda x, weight, styles: function(x, weight, styles, demodulate=demodulate, up=up, taps=taps)

    agree(
        run(modulated_conv2d),
        run(modulated_conv2d_reference),
        dtype,
        torch.randn(shape),
        torch.randn(outputs, shape[1], kernel, kernel),
        styles,
        last=last,
    )


@MANY
@given(
    shape=shapes(8),
    outputs=st.integers(1, 20),
    last=st.booleans(),
    up=st.sampled_from([1, 2]),
    gain=st.floats(0.5, 2.0),
    clamp=st.sampled_from([None, 0.7]),
    noisy=st.booleans(),
)
def test_a_layer_with_compiled_operations(
    shape: tuple[int, ...], outputs: int, last: bool, up: int, gain: float, clamp: float | None, noisy: bool
) -> None:
    n, inputs, h, w = shape
    layer = SynthesisLayer(inputs, outputs, w_dim=4, size=(h * up, w * up), up=up, conv_clamp=clamp).eval()
    with torch.no_grad():
        layer.noise_strength.fill_(0.5)
        layer.bias.normal_()
    noise = torch.randn(n, 1, h * up, w * up) if noisy else None

    def reference(x: Tensor, styles: Tensor) -> Tensor:
        y = modulated_conv2d_reference(x, layer.weight.to(x), styles, up=up)
        return bias_act_reference(
            y, layer.bias.to(x), noise=None if noise is None else noise.to(x) * 0.5, gain=gain, clamp=clamp
        )

    layer.requires_grad_(False)
    agree(
        lambda x, styles: layer(x, styles, noise, gain=gain),
        reference,
        torch.float32,
        torch.randn(shape),
        torch.rand(n, inputs) + 0.2,
        last=last,
    )


@st.composite
def filters(draw: st.DrawFn) -> dict[str, Any]:
    up, down, up_taps, down_taps = (draw(st.integers(1, most)) for most in (4, 3, 9, 7))
    before, after = draw(st.integers(-2, 12)), draw(st.integers(-2, 12))
    radial = draw(st.booleans())
    least = draw(st.integers(8, 9)) * up + min(before, 0) + min(after, 0)
    after += max(0, up_taps + down_taps - least)
    return {
        "up_filter": torch.rand(up_taps) / 2,
        "down_filter": torch.rand(*[down_taps] * (1 + radial)) / 4,
        "up": up,
        "down": down,
        "padding": (max(before, 0) if radial else before, after),
        "gain": draw(st.floats(0.5, 2.0)),
        "clamp": draw(st.sampled_from([None, 0.5, 256.0])),
        "slope": draw(st.sampled_from([0.0, 0.2, 1.0])),
    }


@MANY
@given(shape=shapes(9), dtype=DTYPES, last=st.booleans(), scaled=st.booleans(), chosen=filters())
def test_filtered_leaky_relu(
    shape: tuple[int, ...], dtype: torch.dtype, last: bool, scaled: bool, chosen: dict[str, Any]
) -> None:
    scale = torch.rand(shape[:2]) + 0.5 if scaled else None

    def run(function: Function) -> Function:
        return lambda x, bias, scale: function(
            x * 1,
            bias,
            scale=scale,
            **{key: value.to(x) if isinstance(value, Tensor) else value for key, value in chosen.items()},
        )

    agree(
        run(filtered_lrelu),
        run(filtered_lrelu_reference),
        dtype,
        torch.randn(shape),
        torch.randn(shape[1]),
        scale,
        last=last,
    )
