"""The compiled gradient of the leaky ReLU between filters is that of the reference."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from stylewidgets.generators.stylegan3.generator import StyleGAN3, StyleGAN3Config
from stylewidgets.ops.filtered_lrelu import filtered_lrelu, filtered_lrelu_reference
from stylewidgets.ops.native import _filtered_lrelu_grad

pytestmark = pytest.mark.skipif(_filtered_lrelu_grad._library() is None, reason="no C++ compiler")


def gradients(function: Any, tensors: list[Tensor], others: dict[str, Any]) -> tuple[Tensor, ...]:
    own = [t.detach().clone().requires_grad_() for t in tensors]
    y = function(own[0], own[1], scale=own[2], **others)
    weights = torch.linspace(-1, 1, y.numel()).reshape(y.shape)
    return y, *torch.autograd.grad((y * weights).sum(), own)


def near(found: Tensor, wanted: Tensor) -> bool:
    return found.shape == wanted.shape and bool((found - wanted).abs().max() <= 2e-4 * wanted.abs().max() + 2e-5)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    channels=st.sampled_from([1, 16, 19, 40]),
    size=st.tuples(st.integers(8, 19), st.integers(8, 19)),
    up=st.sampled_from([1, 2, 3, 4]),
    down=st.sampled_from([1, 2, 3]),
    phase=st.sampled_from([1, 3, 6]),
    padding=st.tuples(st.integers(-3, 14), st.integers(8, 14)),
    clamp=st.sampled_from([None, 0.5, 256.0]),
    channels_last=st.booleans(),
    seed=st.integers(0, 99),
)
def test_it_is_the_gradient_of_the_reference(
    channels: int,
    size: tuple[int, int],
    up: int,
    down: int,
    phase: int,
    padding: tuple[int, int],
    clamp: float | None,
    channels_last: bool,
    seed: int,
) -> None:
    assume(min(size) * up + sum(padding) - phase * up + 1 >= phase * down)
    torch.manual_seed(seed)
    x = torch.randn(2, channels, *size)
    x = x.contiguous(memory_format=torch.channels_last) if channels_last else x
    others = {
        "up_filter": torch.randn(phase * up) / 2,
        "down_filter": torch.randn(phase * down) / 2,
        "up": up,
        "down": down,
        "padding": padding,
        "clamp": clamp,
        "gain": 1.4,
    }
    tensors = [x, torch.randn(channels), torch.rand(2, channels) + 0.5]
    found = gradients(filtered_lrelu, tensors, others)
    assert "_FilteredLReLU" in type(found[0].grad_fn).__name__
    for a, b in zip(found, gradients(filtered_lrelu_reference, tensors, others), strict=True):
        assert near(a, b)


def test_a_gradient_of_the_gradient_is_that_of_the_reference() -> None:
    torch.manual_seed(0)
    x, bias, taps = torch.randn(1, 3, 9, 8), torch.randn(3), torch.rand(12)
    results = []
    for function in (filtered_lrelu, filtered_lrelu_reference):
        a = x.clone().requires_grad_()
        y = function(a, bias, taps, taps, up=2, down=2, padding=(9, 8))
        (first,) = torch.autograd.grad(y.square().sum(), a, create_graph=True)
        results.append(torch.autograd.grad(first.square().sum(), a)[0])
    assert near(*results)


def test_filters_of_two_axes_and_filters_that_learn_stay_with_torch() -> None:
    x, taps = torch.randn(1, 2, 9, 9, requires_grad=True), torch.rand(12)
    flat = filtered_lrelu(x, torch.zeros(2), taps, torch.rand(12, 12), up=2, down=2, padding=(9, 8))
    learned = filtered_lrelu(x, torch.zeros(2), taps.clone().requires_grad_(), taps, up=2, down=2, padding=(9, 8))
    assert not any("_FilteredLReLU" in type(y.grad_fn).__name__ for y in (flat, learned))


def test_all_parameters_of_a_generator_have_the_gradients_of_plain_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    config = StyleGAN3Config.create("T", 32, channel_base=512, channel_max=20, num_layers=5, z_dim=8, w_dim=8)
    generator = StyleGAN3(config).eval()
    z = torch.randn(2, 8)
    both = []
    for compiled in (True, False):
        if not compiled:
            monkeypatch.setattr(_filtered_lrelu_grad, "usable", lambda *_, **__: False)
        loss = generator.synthesize(generator.map(z)).square().mean()
        parameters = dict(generator.named_parameters())
        both.append(dict(zip(parameters, torch.autograd.grad(loss, list(parameters.values())), strict=True)))
    for name, wanted in both[1].items():
        assert near(both[0][name], wanted), name
