"""The kernels on a GPU, where there is one: they pass their trials, keep their bits, and can be recorded."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
import torch
from torch import Tensor, nn

from stylewidgets.generators.layers import SynthesisLayer
from stylewidgets.generators.stylegan3.config import StyleGAN3Config
from stylewidgets.generators.stylegan3.geometry import known_bands
from stylewidgets.generators.stylegan3.layers import AliasFreeLayer
from stylewidgets.ops.triton import fused
from stylewidgets.ops.triton.trials import NEAR, Trials

DEVICE = "cuda"
pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available() or find_spec("triton") is None, reason="there is no GPU, or no Triton"
)


@pytest.fixture(autouse=True)
def trials(monkeypatch: pytest.MonkeyPatch) -> Iterator[Trials]:
    """Begun anew; kernels are kept however long they take, and nothing is said."""
    begun = Trials(lambda work, x: 1.0)
    monkeypatch.setattr(fused, "TRIALS", begun)
    monkeypatch.delenv("STYLEWIDGETS_TRITON", raising=False)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("error")
        yield begun


def layers(name: str) -> tuple[nn.Module, Tensor, tuple[Tensor, ...]]:
    """A layer, features for it, and what else it takes."""
    torch.manual_seed(0)
    if name in ("T", "R"):
        config = StyleGAN3Config.create(name, 64, channel_base=1024, channel_max=24, z_dim=8, w_dim=8)
        return AliasFreeLayer(config, 0, known_bands(config)), torch.randn(2, 24, 36, 36), (torch.randn(2, 24),)
    up = int(name)
    layer = SynthesisLayer(40, 24, w_dim=8, size=(32 * up, 32 * up), up=up, conv_clamp=256.0)
    layer.noise_strength.fill_(0.5)
    return layer, torch.randn(2, 40, 32, 32), (torch.randn(2, 40), layer.get_buffer("noise_const"))


KERNELS = {"1": "bias_act", "2": "up_epilogue", "T": "filtered_lrelu", "R": "filtered_lrelu"}


@pytest.mark.parametrize("dtype", list(NEAR))
@pytest.mark.parametrize("name", list(KERNELS))
def test_a_layer_gives_the_numbers_of_plain_torch_and_the_same_bits_each_time(
    trials: Trials, name: str, dtype: torch.dtype
) -> None:
    layer, x, others = layers(name)
    layer, x, others = layer.eval().to(DEVICE), x.to(DEVICE, dtype), tuple(other.to(DEVICE) for other in others)
    found = [layer(x, *others) for _ in range(3)]
    assert {kernel for kernel, _ in trials._proven} == {KERNELS[name]}
    assert all(torch.equal(found[0], again) for again in found[1:])
    trials._off = {KERNELS[name]}
    wanted = layer(x, *others).float()
    assert float((found[0].float() - wanted).norm()) <= NEAR[dtype] * float(wanted.norm())


@pytest.mark.parametrize("name", list(KERNELS))
def test_a_proven_kernel_can_be_recorded(name: str) -> None:
    layer, x, others = layers(name)
    layer, x, others = layer.eval().to(DEVICE), x.to(DEVICE).half(), tuple(other.to(DEVICE) for other in others)
    wanted = [layer(x, *others) for _ in range(3)][-1]
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        made = layer(x, *others)
    made.zero_()
    graph.replay()
    assert torch.equal(made, wanted)
