"""Leaky ReLU between filters: the quick path is the reference, forward and backward."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from stylewidgets.ops import filtered_lrelu as module
from stylewidgets.ops.filtered_lrelu import filtered_lrelu, filtered_lrelu_reference


@st.composite
def cases(draw: st.DrawFn) -> tuple[Tensor, Tensor, dict[str, Any]]:
    """Features, bias and settings that leave at least one output sample."""
    torch.manual_seed(draw(st.integers(0, 2**20)))
    up, down = draw(st.sampled_from([1, 2, 3, 4])), draw(st.sampled_from([1, 2, 3]))
    up_taps, down_taps = draw(st.integers(1, 9)), draw(st.integers(1, 7))
    size = draw(st.tuples(st.integers(2, 9), st.integers(2, 9)))
    padding = (draw(st.integers(-3, 12)), draw(st.integers(-3, 12)))
    short = down_taps - (min(size) * up + sum(padding) - up_taps + 1)
    if short > 0:
        padding = (padding[0], padding[1] + short)
    assume(min(size) * up + min(padding[0], 0) + min(padding[1], 0) > 0)
    radial = draw(st.booleans())
    shape = (draw(st.integers(1, 2)), draw(st.integers(1, 5)), *size)
    layout = draw(st.sampled_from([torch.contiguous_format, torch.channels_last]))
    x = torch.randn(shape).contiguous(memory_format=layout)
    return x, torch.randn(shape[1]), {
        "up_filter": draw(st.sampled_from([torch.randn(up_taps) / 2, None])) if up_taps <= sum(padding) + 1 else
        torch.randn(up_taps) / 2,
        "down_filter": torch.randn(down_taps, down_taps) / 4 if radial else torch.randn(down_taps) / 2,
        "up": up, "down": down, "padding": padding, "scale": draw(st.sampled_from([None, torch.rand(shape[:2]) + 0.5])),
        "gain": draw(st.sampled_from([1.0, 2**0.5])), "clamp": draw(st.sampled_from([None, 0.5, 256.0])),
    }


def near(found: Tensor, wanted: Tensor) -> bool:
    return found.shape == wanted.shape and torch.allclose(found, wanted, atol=2e-5, rtol=2e-4)


@settings(max_examples=150, deadline=None)
@given(case=cases(), tile=st.sampled_from([1, 1 << 10, 1 << 23]))
def test_the_quick_path_without_gradients_is_the_reference(case: Any, tile: int) -> None:
    x, bias, others = case
    kept, module._TILE = module._TILE, tile
    try:
        with torch.no_grad():
            wanted = filtered_lrelu_reference(x, bias, **others)
            assert near(filtered_lrelu(x.clone(), bias, **others), wanted)
    finally:
        module._TILE = kept


@settings(max_examples=80, deadline=None)
@given(case=cases())
def test_the_quick_path_has_the_gradients_of_the_reference_and_leaves_its_input_alone(case: Any) -> None:
    x, bias, others = case
    ways = []
    for function in (filtered_lrelu, filtered_lrelu_reference):
        a, b = x.clone().requires_grad_(), bias.clone().requires_grad_()
        y = function(a, b, **others)
        weights = torch.linspace(-1, 1, y.numel()).reshape(y.shape)
        ways.append((y.detach(), *torch.autograd.grad((y * weights).sum(), [a, b])))
        assert torch.equal(a.detach(), x)
    for found, wanted in zip(*ways, strict=True):
        assert near(found, wanted)


def test_it_can_be_differentiated_twice() -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 2, 5, 4, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(2, dtype=torch.float64, requires_grad=True)
    taps = torch.rand(6, dtype=torch.float64)

    def run(x: Tensor, bias: Tensor) -> Tensor:
        return filtered_lrelu(x, bias, taps, taps[:3], up=2, down=2, padding=(3, 2)) ** 2

    assert torch.autograd.gradcheck(run, (x, bias)) and torch.autograd.gradgradcheck(run, (x, bias))


def test_the_order_is_bias_filter_activation_clamp_filter() -> None:
    x = torch.tensor([[[[3.0]]]])
    found = filtered_lrelu(
        x, torch.tensor([-4.0]), torch.tensor([0.0, 1.0]), torch.tensor([2.0]), up=2, padding=(0, 1), gain=10.0, clamp=7.0
    )
    # (3 − 4)·2² = −4, times slope and gain −8, cut to −7, filtered by 2² to −28.
    assert found.flatten()[0] == pytest.approx(-28.0)


def test_features_smaller_than_the_filters_are_refused() -> None:
    with pytest.raises(ValueError, match="smaller than the filters"):
        filtered_lrelu(torch.zeros(1, 1, 2, 2), torch.zeros(1), torch.ones(4), torch.ones(8), up=2)
