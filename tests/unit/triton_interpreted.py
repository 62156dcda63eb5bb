"""Run by `test_triton_kernels`, with TRITON_INTERPRET=1: the kernels on the CPU against the references in float64."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from torch import Tensor
from triton.runtime import interpreter

from stylewidgets.generators.layers import SynthesisLayer
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.generators.stylegan3.config import StyleGAN3Config
from stylewidgets.generators.stylegan3.filters import radial_low_pass
from stylewidgets.generators.stylegan3.geometry import known_bands
from stylewidgets.generators.stylegan3.layers import AliasFreeLayer
from stylewidgets.ops.bias_act import bias_act_reference
from stylewidgets.ops.filtered_lrelu import filtered_lrelu_reference
from stylewidgets.ops.native import _filtered_lrelu, winograd
from stylewidgets.ops.native._filtered_lrelu_grad import Settings
from stylewidgets.ops.triton import fused, trials, triton_epilogue, triton_filters
from stylewidgets.ops.triton._epilogue import epilogue
from stylewidgets.ops.triton.filter_tiles import down_matrices, tiles
from stylewidgets.ops.triton.trials import Trials
from stylewidgets.ops.upfirdn2d import BINOMIAL, upfirdn2d_reference

OFF = {torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 8e-3}
"""Norm of the error over that of the value, for one rounding of the result; the filters round four times."""
DTYPES = st.sampled_from(list(OFF))


def some(examples: int) -> Any:
    """Without the search for the least example that fails, which takes minutes in the interpreter."""
    return settings(max_examples=examples, deadline=None, derandomize=True, phases=[Phase.generate])


@pytest.fixture(autouse=True, scope="module")
def bfloat16_products() -> Iterator[None]:
    """The interpreter keeps bfloat16 as integers and would multiply them as such."""
    plain = interpreter.InterpreterBuilder.create_dot

    def wide(handle: Any) -> Any:
        if handle.dtype.scalar != interpreter.tl.bfloat16:
            return handle
        return interpreter.TensorHandle((handle.data.astype(np.uint32) << 16).view(np.float32), interpreter.tl.float32)

    interpreter.InterpreterBuilder.create_dot = lambda self, a, b, *rest: plain(self, wide(a), wide(b), *rest)
    yield
    interpreter.InterpreterBuilder.create_dot = plain


@pytest.fixture
def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[Trials]:
    """Tensors of the CPU are taken for those of a GPU, compiled operations of the CPU are not used; trials begin anew."""
    begun = Trials()
    for module in (fused, trials):
        monkeypatch.setattr(module, "TRIALS", begun)
    monkeypatch.setattr(trials, "_on_gpu", lambda x: True)
    monkeypatch.setattr(winograd, "usable", lambda *_, **__: False)
    monkeypatch.setattr(_filtered_lrelu, "usable", lambda *_, **__: False)
    return begun


def near(found: Tensor, wanted: Tensor, roundings: float = 1.0) -> bool:
    assert found.shape == wanted.shape
    return float((found.double() - wanted).norm()) <= roundings * OFF[found.dtype] * float(wanted.norm()) + 1e-7


@st.composite
def pictures(draw: st.DrawFn, least: int, most: int) -> Tensor:
    """[N, C, H, W] in some dtype and layout."""
    torch.manual_seed(draw(st.integers(0, 2**20)))
    shape = (
        draw(st.integers(1, 3)),
        draw(st.sampled_from([1, 2, 5, 17])),
        *(draw(st.integers(least, most)) for _ in "hw"),
    )
    layout = torch.channels_last if draw(st.booleans()) else torch.contiguous_format
    return torch.randn(shape).to(draw(DTYPES)).contiguous(memory_format=layout)


@st.composite
def endings(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "noisy": draw(st.sampled_from(["no", "one", "each"])),
        "gain": draw(st.floats(0.25, 2.0)),
        "clamp": draw(st.sampled_from([None, 0.5, 256.0])),
    }


def ending(x: Tensor, h: int, w: int, noisy: str, gain: float, clamp: float | None) -> tuple[Any, dict[str, Any]]:
    """As a kernel takes it, and as the reference does in float64."""
    n, c = x.shape[:2]
    scale, bias, strength = torch.rand(n, c) + 0.5, torch.randn(c), torch.tensor(0.7)
    noise = {"no": None, "one": torch.randn(h, w), "each": torch.randn(n, 1, h, w)}[noisy]
    then = epilogue(scale, bias, noise, strength, gain, clamp, n, c, h, w)
    assert then is not None
    return then, {
        "bias": bias.double(),
        "scale": scale.double(),
        "gain": gain,
        "clamp": clamp,
        "noise": None if noise is None else noise.double() * strength.double(),
    }


@some(24)
@given(x=pictures(1, 40), how=endings())
def test_the_epilogue_is_the_reference_in_place(x: Tensor, how: dict[str, Any]) -> None:
    then, others = ending(x, *x.shape[2:], **how)
    wanted = bias_act_reference(x.double(), **others)
    found = triton_epilogue.bias_act(x, then)
    assert found is x and near(found, wanted)


@some(9)
@given(x=pictures(3, 21), how=endings(), taps=st.sampled_from([BINOMIAL, (0.5, -1.0, 2.0, -1.0)]))
def test_the_filter_with_its_epilogue_is_the_reference(x: Tensor, how: dict[str, Any], taps: tuple[float, ...]) -> None:
    then, others = ending(x, x.shape[2] - 1, x.shape[3] - 1, **how)
    before = x.clone()
    wanted = bias_act_reference(upfirdn2d_reference(x.double(), taps, padding=(1, 1), gain=4.0), **others)
    found = triton_epilogue.up_epilogue(x, tuple(2 * tap / sum(taps) for tap in taps), then)
    assert near(found, wanted) and found.dtype == x.dtype and torch.equal(x, before)
    assert x.shape[1] == 1 or found.is_contiguous() == x.is_contiguous(), "the layout stays"


def filters(up: int, kind: str) -> tuple[Tensor, Tensor]:
    down = {"line": torch.randn(12) / 3, "radial": radial_low_pass(12, 3.0, 4.0, 32), "any": torch.randn(5, 5) / 5}[
        kind
    ]
    return torch.randn(6 * up) / 3, down


@some(24)
@given(
    x=pictures(13, 27),
    up=st.sampled_from([2, 4]),
    kind=st.sampled_from(["line", "line", "radial", "any"]),
    scaled=st.booleans(),
    clamp=st.sampled_from([None, 0.8, 256.0]),
    largest=st.sampled_from([32, 64]),
    shift=st.integers(-2, 2),
)
def test_the_filters_are_the_reference(
    x: Tensor, up: int, kind: str, scaled: bool, clamp: float | None, largest: int, shift: int
) -> None:
    x = x[:1, :3]
    x = x.contiguous(memory_format=torch.channels_last) if largest == 64 else x.contiguous()
    up_filter, down_filter = filters(up, kind)
    padding = (9 + shift, 8) if up == 2 else (-6 + shift, -9)
    sizes = tiles(up, 2, len(up_filter), len(down_filter), largest)
    assert sizes is not None
    bias, scale = torch.randn(x.shape[1]), torch.rand(1, x.shape[1]) + 0.5 if scaled else None
    before = x.clone()
    found = triton_filters.filtered_lrelu(
        x,
        bias,
        up_filter,
        down_matrices(down_filter, 2, sizes, x.dtype),
        scale,
        sizes,
        len(down_filter),
        Settings(up, 2, padding, 2**0.5, 0.2, clamp),
    )
    wanted = filtered_lrelu_reference(
        x.double(),
        bias.double(),
        up_filter.double(),
        down_filter.double(),
        scale=None if scale is None else scale.double(),
        up=up,
        down=2,
        padding=padding,
        clamp=clamp,
    )
    assert near(found, wanted, 5) and found.dtype == x.dtype and torch.equal(x, before)


def test_what_is_not_a_number_stays_so() -> None:
    x = torch.zeros(1, 2, 4, 4)
    x[0, 1, 2, 2] = float("nan")
    then = epilogue(torch.ones(1, 2), torch.zeros(2), None, None, 1.0, 256.0, *x.shape)
    assert then is not None
    found = triton_epilogue.bias_act(x, then)
    assert found.isnan().sum() == 1 and found[0, 1, 2, 2].isnan()


@pytest.mark.parametrize("dtype", list(OFF))
@pytest.mark.parametrize("up", [1, 2])
def test_a_layer_gives_the_numbers_of_plain_torch(as_on_a_gpu: Trials, up: int, dtype: torch.dtype) -> None:
    torch.manual_seed(up)
    layer = SynthesisLayer(6, 10, w_dim=4, size=(8 * up, 8 * up), up=up, conv_clamp=256.0).eval().requires_grad_(False)
    layer.noise_strength.fill_(0.5)
    x, styles = torch.randn(2, 6, 8, 8).to(dtype), torch.randn(2, 6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = [layer(x, styles, layer.noise_const) for _ in range(2)]
    assert torch.equal(*found), "the trial gives what the kernel gives"
    assert {kernel for kernel, _ in as_on_a_gpu._proven} == {"up_epilogue" if up == 2 else "bias_act"}
    as_on_a_gpu._off = {"bias_act", "up_epilogue"}
    assert near(found[0], layer(x, styles, layer.noise_const).double(), 4)


def test_a_picture_is_that_of_plain_torch(as_on_a_gpu: Trials) -> None:
    torch.manual_seed(0)
    model = StyleGAN2(StyleGAN2Config(z_dim=8, w_dim=8, resolution=16, channels=(8, 6, 4), mapping_layers=2)).eval()
    with torch.inference_mode():
        ws = model.map(torch.randn(2, 8))
        picture = model.synthesize(ws)
        assert {kernel for kernel, _ in as_on_a_gpu._proven} == {"up_epilogue", "bias_act"}
        as_on_a_gpu._off = {"bias_act", "up_epilogue"}
        assert torch.allclose(picture, model.synthesize(ws), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "kind, dtype", [("T", torch.float32), ("T", torch.float16), ("T", torch.bfloat16), ("R", torch.float32)]
)
def test_an_alias_free_layer_gives_the_numbers_of_plain_torch(
    as_on_a_gpu: Trials, kind: str, dtype: torch.dtype
) -> None:
    torch.manual_seed(0)
    config = StyleGAN3Config.create(kind, 32, channel_base=256, channel_max=4, z_dim=8, w_dim=8)
    layer = AliasFreeLayer(config, 0, known_bands(config)).eval().requires_grad_(False)
    x, styles = torch.randn(1, 4, 36, 36).to(dtype), torch.randn(1, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = layer(x, styles)
    assert [kernel for kernel, _ in as_on_a_gpu._proven] == ["filtered_lrelu"]
    as_on_a_gpu._off = {"filtered_lrelu"}
    assert near(found, layer(x.float(), styles).double(), 4)
