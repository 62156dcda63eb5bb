"""Run by `test_triton_kernels`: the kernels compiled by the calls that would launch them, for GPUs from Turing to Hopper."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from triton.backends.compiler import GPUTarget
from triton.runtime import driver

from stylewidgets.ops.native._filtered_lrelu_grad import Settings
from stylewidgets.ops.triton import triton_epilogue, triton_filters
from stylewidgets.ops.triton._epilogue import Epilogue
from stylewidgets.ops.triton.filter_tiles import down_matrices, tiles
from stylewidgets.ops.triton.triton_epilogue import Launch

HALVES = (torch.float16, torch.bfloat16)
TARGETS = [
    (75, torch.float32),
    (75, torch.float16),
    (80, torch.float32),
    (80, torch.float16),
    (80, torch.bfloat16),
    (90, torch.bfloat16),
]
each_target = pytest.mark.parametrize("capability, dtype", TARGETS)
SHARED = 48 << 10  # bytes that every program may have on any of them


class Compiler:
    """Stands for the driver of a GPU, and for starting a kernel on it, which ends with its machine code."""

    def __init__(self, capability: int) -> None:
        self.capability, self.made = capability, 0
        driver.set_active(self)

    def get_current_device(self) -> int:
        return self.capability

    def get_current_stream(self, device: int) -> int:
        return 0

    def get_current_target(self) -> GPUTarget:
        return GPUTarget("cuda", self.capability, 32)

    def __call__(self, launch: Launch, device_of: Tensor) -> None:
        assert all(0 < side < 65536 for side in launch.grid)
        made = launch.kernel.warmup(grid=launch.grid, **launch.arguments)
        assert len(made.asm["cubin"]) > 1000 and made.metadata.shared <= SHARED
        assert launch.kernel is not triton_filters._filtered_lrelu or ("mma." in made.asm["ptx"]) == self.has_products(
            launch
        )
        self.made += 1

    def has_products(self, launch: Launch) -> bool:
        """Whether matrices are multiplied by the tensor cores."""
        return self.capability >= 80 and launch.arguments["x"].dtype in HALVES


def features(dtype: torch.dtype, *, last: bool) -> Tensor:
    layout = torch.channels_last if last else torch.contiguous_format
    return torch.zeros(2, 64, 33, 33, dtype=dtype).contiguous(memory_format=layout)


@each_target
def test_epilogues_compile(capability: int, dtype: torch.dtype) -> None:
    start = Compiler(capability)
    whole = Epilogue(torch.zeros(2, 64), torch.zeros(64), torch.zeros(33, 33), torch.zeros(()), clamp=256.0)
    x = features(dtype, last=dtype in HALVES)  # as networks have them
    triton_epilogue.bias_act(x, whole, start)
    triton_epilogue.up_epilogue(x, (0.25, 0.75, 0.75, 0.25), whole, start)
    triton_epilogue.bias_act(x, Epilogue(torch.zeros(2, 64), torch.zeros(64)), start)
    assert start.made == 3


@each_target
@pytest.mark.parametrize("up, radial", [(2, False), (4, True)])
def test_filters_compile(capability: int, dtype: torch.dtype, up: int, radial: bool) -> None:
    if radial and (capability, dtype) != (80, torch.bfloat16):
        pytest.skip("one is enough, as it takes seconds")
    sizes = tiles(up, 2, 6 * up, 12, 64 if dtype in HALVES and capability >= 80 else 32)
    assert sizes is not None
    start = Compiler(capability)
    matrices = down_matrices(torch.rand(12, 12) if radial else torch.rand(12), 2, sizes, dtype)
    triton_filters.filtered_lrelu(
        features(dtype, last=True),
        torch.zeros(64),
        torch.rand(6 * up),
        matrices,
        torch.zeros(2, 64),
        sizes,
        12,
        Settings(up, 2, (9, 8), 2**0.5, 0.2, 256.0),
        start,
    )
    assert start.made == 1
