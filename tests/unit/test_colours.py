"""The compiled steps from features to the picture give the numbers of the plain ones."""

from __future__ import annotations

import ctypes
import sys
import threading

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from stylewidgets.generators.layers import ToRGB
from stylewidgets.ops.native import build, colours, winograd
from stylewidgets.ops.upfirdn2d import BINOMIAL, upfirdn2d_reference

needs_compiler = pytest.mark.skipif(not colours.available(), reason="no C++ compiler")


def error(found: Tensor, wanted: Tensor) -> float:
    assert found.shape == wanted.shape
    return float((found.double() - wanted.double()).norm() / wanted.double().norm().clamp_min(1e-6))


@pytest.mark.slow
@needs_compiler
@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 3),
    inputs=st.sampled_from([1, 3, 8, 15, 17, 40]),
    outputs=st.integers(1, 9),
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    clamp=st.sampled_from([None, 0.7]),
    threads=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_any_shape_of_features_has_the_colours_of_the_definition(
    n: int,
    inputs: int,
    outputs: int,
    height: int,
    width: int,
    clamp: float | None,
    threads: int,
    seed: int,
) -> None:
    torch.manual_seed(seed)
    x = torch.randn(n, inputs, height, width).contiguous(memory_format=torch.channels_last)
    weight, bias = torch.randn(n, outputs, inputs), torch.randn(outputs)
    wanted = torch.einsum("noi,nihw->nohw", weight.double(), x.double()) + bias[:, None, None]
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found = colours.to_colours(x, weight, bias, clamp)
    finally:
        torch.set_num_threads(before)
    assert found.is_contiguous() and error(found, wanted if clamp is None else wanted.clamp(-clamp, clamp)) < 1e-6


@needs_compiler
@pytest.mark.parametrize(
    "size", [(1, 1, 150, 131), (2, 3, 96, 64), (1, 3, 4, 4), (2, 1, 1, 1), (1, 4, 1, 9000), (1, 70, 600, 1)]
)
@pytest.mark.parametrize("threads", [1, 3])
def test_a_picture_twice_as_large_below_the_colours_is_the_definition(
    size: tuple[int, int, int, int], threads: int
) -> None:
    n, c, h, w = size
    img, more = torch.randn(size), torch.randn(n, c, 2 * h, 2 * w)
    kept = img.clone(), more.clone()
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found = colours.add_doubled(more, img)
    finally:
        torch.set_num_threads(before)
    wanted = upfirdn2d_reference(img.double(), BINOMIAL, up=2, padding=(2, 1), gain=4.0) + more
    assert error(found, wanted) < 1e-6
    assert torch.equal(img, kept[0]) and torch.equal(more, kept[1]), "what is given may be kept for the next frame"


def test_the_colours_alone_are_the_first_picture() -> None:
    first = torch.randn(1, 3, 4, 4)
    assert colours.add_doubled(first, None) is first


@pytest.mark.parametrize("kind", ["gradient", "double", "other filter"])
def test_the_plain_path_serves_what_is_not_for_the_compiled_one(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(colours, "_library", lambda: pytest.fail("not for this"))
    side = 128
    dtype = torch.float64 if kind == "double" else torch.float32
    img, more = torch.randn(1, 3, side, side, dtype=dtype), torch.randn(1, 3, 2 * side, 2 * side, dtype=dtype)
    img.requires_grad_(kind == "gradient")
    taps = (1.0, 2.0, 2.0, 1.0) if kind == "other filter" else BINOMIAL
    found = colours.add_doubled(more, img, taps)
    wanted = upfirdn2d_reference(img.detach().double(), taps, up=2, padding=(2, 1), gain=4.0) + more
    assert error(found.detach(), wanted) < 1e-6
    assert found.requires_grad == (kind == "gradient")


@needs_compiler
@pytest.mark.parametrize("last", [False, True])
def test_a_torgb_layer_is_the_same_with_and_without_it(last: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    layer = ToRGB(20, 3, w_dim=8, size=(80, 80), conv_clamp=2.0).eval()
    x, styles = torch.randn(2, 20, 80, 80), torch.randn(2, 20)
    x = x.contiguous(memory_format=torch.channels_last) if last else x
    calls: list[int] = []
    compiled = colours.to_colours

    def counted(*given: Tensor) -> Tensor:
        calls.append(1)
        return compiled(*given)

    monkeypatch.setattr(colours, "to_colours", counted)
    slow = layer(x, styles)
    assert slow.requires_grad and not calls
    with torch.no_grad():
        quick = layer(x, styles)
    assert len(calls) == last, "planar features are for the plain path"
    assert error(quick, slow.detach()) < 1e-6


@needs_compiler
def test_the_work_is_done_on_the_threads_that_torch_starts() -> None:
    made = colours._library()
    assert made is not None
    if sys.platform == "linux":
        assert build._fork().value, "how torch starts its threads was not found"
    asked: list[int] = []
    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)

    def fork(work: int, data: int, threads: int, _: int) -> None:
        asked.append(threads)
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(work)(data)

    x = torch.randn(1, 8, 256, 256).contiguous(memory_format=torch.channels_last)
    weight, bias = torch.randn(1, 3, 8), torch.randn(3)
    wanted = colours.to_colours(x, weight, bias)
    stand_in, before = kind(fork), torch.get_num_threads()
    made.stylewidgets_fork(stand_in)
    torch.set_num_threads(3)
    try:
        assert torch.equal(colours.to_colours(x, weight, bias), wanted)
    finally:
        torch.set_num_threads(before)
        made.stylewidgets_fork(build._fork())
    assert asked == [3]


@needs_compiler
def test_without_the_threads_of_torch_the_numbers_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    made = winograd._library()
    assert made is not None
    x, weight = torch.randn(1, 24, 40, 40), winograd.packed(torch.randn(24, 24, 3, 3), 2)
    given = x, weight, torch.randn(1, 24), torch.rand(1, 24), torch.randn(24)
    wanted = winograd.convolution(*given, up=2)
    made.stylewidgets_fork(ctypes.c_void_p())
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        assert torch.equal(winograd.convolution(*given, up=2), wanted)
    finally:
        torch.set_num_threads(before)
        made.stylewidgets_fork(build._fork())


@needs_compiler
def test_several_threads_of_python_can_compute_at_once() -> None:
    x = torch.randn(1, 8, 200, 200).contiguous(memory_format=torch.channels_last)
    weight, bias = torch.randn(1, 3, 8), torch.randn(3)
    wanted, found = colours.to_colours(x, weight, bias), []
    threads = [threading.Thread(target=lambda: found.append(colours.to_colours(x, weight, bias))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6 and all(torch.equal(one, wanted) for one in found)
