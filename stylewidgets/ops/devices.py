"""Which device and which numbers a session computes with, whatever torch's defaults are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from ..core.checks import unknown_name

PRECISIONS = ("auto", "fp32", "bf16", "fp16")
HALF_FROM = 32
"""Blocks of at least this many pixels may run in half precision; the smaller ones decide too much and cost too little."""


def choose_device(device: str | torch.device | None) -> torch.device:
    """Return the device to use; None is CUDA where there is a GPU, else the CPU.

    Raises:
        ValueError: no such device here; says what there is.
    """
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except (RuntimeError, TypeError):
        raise unknown_name("device", device, ("cpu", "cuda", "cuda:0", "mps")) from None
    if chosen.type == "cuda":
        _check_cuda(chosen)
    elif chosen.type == "mps" and not torch.backends.mps.is_available():
        raise ValueError("device 'mps' needs macOS on Apple silicon; it is not available here. Use device='cpu'")
    return chosen


def _check_cuda(chosen: torch.device) -> None:
    if not torch.cuda.is_available():
        why = "this torch was built without CUDA" if torch.version.cuda is None else "no usable GPU was found"
        remedy = "install a CUDA build of torch" if torch.version.cuda is None else "check the driver with nvidia-smi"
        raise ValueError(
            f"device {str(chosen)!r} was asked for, but {why} (torch {torch.__version__}). "
            f"Use device='cpu' or device=None, or {remedy}; in Colab choose a GPU under Runtime"
        )
    count = torch.cuda.device_count()
    if chosen.index is not None and chosen.index >= count:
        raise ValueError(
            f"device {str(chosen)!r} was asked for, but there {'is' if count == 1 else 'are'} {count} here, "
            "counted from cuda:0"
        )


def choose_dtype(precision: str, device: torch.device) -> torch.dtype | None:
    """Return the dtype of the features in larger blocks, None for float32.

    "auto" is bfloat16 on CUDA where the GPU has it, else float16; elsewhere float32. Mapping, styles and colours are
    float32 in any case, and on a CPU so is everything but a frame of a drag (`GeneratorSession.half`).
    """
    if precision not in PRECISIONS:
        raise unknown_name("precision", precision, PRECISIONS)
    if precision == "auto":
        if device.type != "cuda":
            return None
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    return {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]


def block_dtype(resolution: int, half: torch.dtype | None) -> torch.dtype | None:
    """Return the dtype for a block of this resolution."""
    return half if resolution >= HALF_FROM else None


def float_tensor(values: object) -> torch.Tensor:
    """`values` in float32: a tensor where it is, anything else on the CPU."""
    if isinstance(values, torch.Tensor):
        return values.to(torch.float32)
    return torch.from_numpy(np.array(values, np.float32))


@contextmanager
def own_random() -> Iterator[None]:
    """Inside, torch's global random numbers may be seeded and drawn; afterwards they go on as before."""
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()  # type: ignore[no-untyped-call]
    with torch.random.fork_rng(devices=list(gpus)):
        yield


@contextmanager
def from_file() -> Iterator[None]:
    """Inside, modules are made whose numbers come from a file: nobody's random numbers are used up, and gradients may pass
    through them later, even where the caller is in inference mode."""
    with own_random(), torch.inference_mode(False):
        yield


def to_host(x: torch.Tensor) -> torch.Tensor:
    """The tensor on the CPU; from a GPU in one copy to page-locked memory, which torch keeps for the next one."""
    if x.device.type != "cuda":
        return x.cpu()
    host = torch.empty(x.shape, dtype=x.dtype, pin_memory=True, device="cpu")
    host.copy_(x, non_blocking=True)
    torch.cuda.current_stream(x.device).synchronize()
    return host


def out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that the device's memory is full; on the CPU torch raises a plain RuntimeError."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (
        isinstance(error, RuntimeError) and ("not enough memory" in str(error) or "out of memory" in str(error).lower())
    )
