"""Run by `test_triton_kernels`: the kernels compiled as they would be launched, for GPUs from Turing to Hopper."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import triton
from torch import Tensor
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from stylewidgets.ops import triton_epilogue, triton_filters
from stylewidgets.ops._epilogue import Epilogue
from stylewidgets.ops._filtered_lrelu_grad import Settings
from stylewidgets.ops.filter_tiles import down_matrices, tiles
from stylewidgets.ops.triton_epilogue import Launch

POINTERS = {torch.float32: "*fp32", torch.float16: "*fp16", torch.bfloat16: "*bf16"}
SHARED = 64 << 10  # bytes that a program may have on the least of these GPUs
TARGETS = [(75, torch.float32), (75, torch.float16), *((cap, dtype) for cap in (80, 90) for dtype in POINTERS)]
each_target = pytest.mark.parametrize("capability, dtype", TARGETS)


class Compiler:
    """Stands for starting a kernel: compiles it for a GPU instead."""

    def __init__(self, capability: int) -> None:
        self.target, self.made = GPUTarget("cuda", capability, 32), 0

    def __call__(self, launch: Launch, device_of: Tensor) -> None:
        signature: dict[str, str] = {}
        constants: dict[str, Any] = {}
        aligned: dict[tuple[int, ...], Any] = {}
        assert set(launch.arguments) == set(launch.kernel.arg_names)
        for place, name in enumerate(launch.kernel.arg_names):
            value = launch.arguments[name]
            if isinstance(value, Tensor):
                signature[name], aligned[(place,)] = POINTERS[value.dtype], [["tt.divisibility", 16]]
            elif name.isupper() or (isinstance(value, int) and value == 1):
                signature[name], constants[name] = "constexpr", value
            else:
                signature[name] = "fp32" if isinstance(value, float) else "i32"
                if isinstance(value, int) and value % 16 == 0:
                    aligned[(place,)] = [["tt.divisibility", 16]]
        made = triton.compile(ASTSource(launch.kernel, signature, constants, aligned), target=self.target)
        assert len(made.asm["cubin"]) > 1000 and made.metadata.shared <= SHARED
        self.made += 1


def features(dtype: torch.dtype, *, last: bool) -> Tensor:
    layout = torch.channels_last if last else torch.contiguous_format
    return torch.zeros(2, 64, 33, 33, dtype=dtype).contiguous(memory_format=layout)


@each_target
def test_epilogues_compile(capability: int, dtype: torch.dtype) -> None:
    start = Compiler(capability)
    whole = Epilogue(torch.zeros(2, 64), torch.zeros(64), torch.zeros(33, 33), torch.zeros(()), clamp=256.0)
    for last in (False, True):
        triton_epilogue.bias_act(features(dtype, last=last), whole, start)
        triton_epilogue.up_epilogue(features(dtype, last=last), (0.25, 0.75, 0.75, 0.25), whole, start)
    triton_epilogue.bias_act(features(dtype, last=True), Epilogue(torch.zeros(2, 64), torch.zeros(64)), start)
    assert start.made == 5


@each_target
@pytest.mark.parametrize("up, radial", [(2, False), (4, True)])
def test_filters_compile(capability: int, dtype: torch.dtype, up: int, radial: bool) -> None:
    if radial and capability != 80:
        pytest.skip("one is enough, as it takes seconds")
    sizes = tiles(up, 2, 6 * up, 12, 64 if dtype != torch.float32 and capability >= 80 else 32)
    assert sizes is not None
    start = Compiler(capability)
    matrices = down_matrices(torch.rand(12, 12) if radial else torch.rand(12), 2, sizes, dtype)
    triton_filters.filtered_lrelu(
        features(dtype, last=True), torch.zeros(64), torch.rand(6 * up), matrices, torch.zeros(2, 64), sizes, 12,
        Settings(up, 2, (9, 8), 2**0.5, 0.2, 256.0), start,
    )
    assert start.made == 1
