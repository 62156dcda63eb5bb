"""Leaky ReLU between filters: the quick path is the reference, forward and backward."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from stylewidgets.generators.stylegan3.generator import StyleGAN3, StyleGAN3Config
from stylewidgets.ops import _buffers
from stylewidgets.ops import plain_filtered_lrelu as module
from stylewidgets.ops.filtered_lrelu import filtered_lrelu, filtered_lrelu_reference
from stylewidgets.ops.native import _filtered_lrelu, build, compilers, winograd

needs_compiler = pytest.mark.skipif(_filtered_lrelu._library() is None, reason="no C++ compiler")


@contextmanager
def plain_torch() -> Iterator[None]:
    """No compiled operation is used inside."""
    kept = _filtered_lrelu.usable, winograd.usable
    _filtered_lrelu.usable = winograd.usable = lambda *_, **__: False
    try:
        yield
    finally:
        _filtered_lrelu.usable, winograd.usable = kept


@contextmanager
def threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


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
    return (
        x,
        torch.randn(shape[1]),
        {
            "up_filter": draw(st.sampled_from([torch.randn(up_taps) / 2, None]))
            if up_taps <= sum(padding) + 1
            else torch.randn(up_taps) / 2,
            "down_filter": torch.randn(down_taps, down_taps) / 4 if radial else torch.randn(down_taps) / 2,
            "up": up,
            "down": down,
            "padding": padding,
            "scale": draw(st.sampled_from([None, torch.rand(shape[:2]) + 0.5])),
            "gain": draw(st.sampled_from([1.0, 2**0.5])),
            "clamp": draw(st.sampled_from([None, 0.5, 256.0])),
        },
    )


def near(found: Tensor, wanted: Tensor) -> bool:
    """To rounding, which is that of the largest sums: some filters make features of 150 and more, and small ones beside them."""
    atol = 2e-5 + 1e-6 * float(wanted.abs().amax())
    return found.shape == wanted.shape and torch.allclose(found, wanted, atol=atol, rtol=2e-4)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(case=cases(), tile=st.sampled_from([1, 1 << 10, 1 << 23]))
def test_the_quick_path_without_gradients_is_the_reference(case: Any, tile: int) -> None:
    x, bias, others = case
    kept, module._TILE = module._TILE, tile
    try:
        with torch.no_grad(), plain_torch():
            wanted = filtered_lrelu_reference(x, bias, **others)
            assert near(filtered_lrelu(x.clone(), bias, **others), wanted)
    finally:
        module._TILE = kept


@needs_compiler
@settings(max_examples=100, deadline=None)
@given(case=cases(), count=st.integers(1, 3))
def test_the_compiled_path_is_the_reference_and_leaves_its_input_alone(case: Any, count: int) -> None:
    x, bias, others = case
    before = x.clone()
    with torch.no_grad(), threads(count):
        found = filtered_lrelu(x, bias, **others)
        assert near(found, filtered_lrelu_reference(x, bias, **others)) and torch.equal(x, before)


@needs_compiler
@settings(max_examples=25, deadline=None)
@given(
    channels=st.sampled_from([1, 8, 16, 19]),
    height=st.integers(14, 18),
    width=st.sampled_from([14, 15, 31, 70]),
    up=st.sampled_from([2, 4]),
    kind=st.sampled_from(["line", "mirrored", "flat"]),
    seed=st.integers(0, 99),
    clamp=st.sampled_from([None, 0.8]),
    view=st.booleans(),
)
def test_the_compiled_path_is_the_reference_for_the_filters_of_real_models(
    channels: int, height: int, width: int, up: int, kind: str, seed: int, clamp: float | None, view: bool
) -> None:
    torch.manual_seed(seed)
    x = torch.randn(2, channels, height, width + view).contiguous(memory_format=torch.channels_last)[..., :width]
    down_filter = torch.randn(12) / 3 if kind == "line" else torch.randn(12, 12) / 9
    down_filter = down_filter + down_filter.flip(0) if kind == "mirrored" else down_filter
    others = {
        "up_filter": torch.randn(6 * up) / 3,
        "down_filter": down_filter,
        "up": up,
        "down": 2,
        "clamp": clamp,
        "padding": (9, 8) if up == 2 else (-6, -9),
        "scale": torch.rand(2, channels) + 0.5,
    }
    with torch.no_grad(), threads(2):
        wanted = filtered_lrelu_reference(x.contiguous(), torch.ones(channels), **others)
        assert near(filtered_lrelu(x, torch.ones(channels), **others), wanted)


@needs_compiler
def test_the_compiled_path_keeps_what_is_not_a_number() -> None:
    x = torch.zeros(1, 3, 8, 8)
    x[0, 1, 4, 4] = float("nan")
    with torch.no_grad():
        found = filtered_lrelu(x, torch.zeros(3), torch.ones(12), torch.ones(12), up=2, down=2, padding=(9, 8))
    assert found[0, 1].isnan().any() and found[0, ::2].isfinite().all()


@needs_compiler
@pytest.mark.parametrize("kind", ["T", "R"])
def test_a_generator_gives_the_same_pictures_with_compiled_operations_and_without(kind: str) -> None:
    torch.manual_seed(0)
    config = StyleGAN3Config.create(kind, 32, channel_base=1024, channel_max=20, z_dim=8, w_dim=8)
    generator = StyleGAN3(config).eval().requires_grad_(False)
    ws = generator.map(torch.randn(2, 8))
    quick = generator.synthesize(ws)
    with plain_torch():
        assert torch.allclose(quick, generator.synthesize(ws), rtol=1e-5, atol=1e-6)
    ws = ws.requires_grad_()
    picture = generator.synthesize(ws)
    picture.square().sum().backward()
    assert (
        torch.allclose(picture.detach(), quick, rtol=1e-5, atol=1e-6)
        and ws.grad is not None
        and ws.grad.abs().sum() > 0
    )


def test_without_a_compiler_the_same_numbers_come_with_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilers, "COMPILERS", ())
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.delenv("STYLEWIDGETS_COMPILE", raising=False)
    cached = (build.library, _filtered_lrelu._library, winograd._library)
    for function in cached:
        function.cache_clear()
    x, taps = torch.randn(1, 3, 9, 9), torch.rand(12)
    try:
        with torch.no_grad(), pytest.warns(RuntimeWarning, match="plain torch"):
            found = filtered_lrelu(x.clone(), torch.ones(3), taps, taps, up=2, down=2, padding=(9, 8))
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("error")
            assert torch.equal(
                filtered_lrelu(x.clone(), torch.ones(3), taps, taps, up=2, down=2, padding=(9, 8)), found
            )
    finally:
        for function in cached:
            function.cache_clear()
    assert near(found, filtered_lrelu_reference(x, torch.ones(3), taps, taps, up=2, down=2, padding=(9, 8)))


def test_large_results_use_the_memory_of_those_that_are_gone() -> None:
    _buffers.release()
    first = _buffers.channels_last(1, 4, 300, 300)
    place, part = first.data_ptr(), first.fill_(3)[:, 1:2]
    assert first.is_contiguous(memory_format=torch.channels_last)
    del first
    assert _buffers.channels_last(1, 4, 300, 300).data_ptr() != place and (part == 3).all(), "a view still needs it"
    del part
    assert place in {memory.ctypes.data for memory in _buffers._free}
    again = [_buffers.channels_last(1, 4, 300, 300) for _ in range(2)]
    assert place in {tensor.data_ptr() for tensor in again} and _buffers.kept() == 0
    _buffers.release()
    assert _buffers.kept() == 0


def test_passing_results_share_a_few_large_blocks() -> None:
    _buffers.release()
    with _buffers.passing():
        held = [_buffers.channels_last(1, 4, 600, 600) for _ in range(2)]
        place = held[0].data_ptr()
        held.clear()
        small = _buffers.channels_last(1, 4, 300, 300)
        assert _buffers.kept() < 600 * 600 * 16 * 1.2, "one of the two blocks is used for a quarter of its size"
    assert _buffers.channels_last(1, 4, 300, 300).data_ptr() != place, "what may be kept has a block of its own size"
    del small
    with _buffers.passing():
        large = _buffers.channels_last(1, 4, 900, 900)
        assert _buffers.kept() == 0, "what is too small is not kept on top of what is needed"
    del large
    _buffers.release()


def test_unused_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    _buffers.release()
    monkeypatch.setattr(_buffers, "LIMIT", 4 << 20)
    held = [_buffers.channels_last(1, 4, 300, 300) for _ in range(5)]
    held.clear()
    assert 0 < _buffers.kept() <= 4 << 20
    _buffers.release()


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
        x,
        torch.tensor([-4.0]),
        torch.tensor([0.0, 1.0]),
        torch.tensor([2.0]),
        up=2,
        padding=(0, 1),
        gain=10.0,
        clamp=7.0,
    )
    # (3 − 4)·2² = −4, times slope and gain −8, cut to −7, filtered by 2² to −28.
    assert found.flatten()[0] == pytest.approx(-28.0)


def test_features_smaller_than_the_filters_are_refused() -> None:
    with pytest.raises(ValueError, match="smaller than the filters"):
        filtered_lrelu(torch.zeros(1, 1, 2, 2), torch.zeros(1), torch.ones(4), torch.ones(8), up=2)


def test_lent_memory_begins_where_torch_begins_its_own() -> None:
    sizes = (70, 129, 300, 515, 901)
    made = [_buffers.channels_last(1, 16, side, side) for side in sizes]
    assert all(tensor.data_ptr() % 64 == 0 for tensor in made if tensor.numel() * 4 >= _buffers.SMALLEST)
    again = [_buffers.channels_last(1, 16, side, side) for side in sizes[::-1]]
    assert all(tensor.data_ptr() % 64 == 0 for tensor in again)
