"""Whether bfloat16 is worth it on this processor, found out once for each generator."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from ..core.devices import cpu_has_bf16
from ..generators.protocol import Generator
from .engine import Engine

NEAR = 1.0 / 255
"""Mean absolute difference from float32 that is allowed, of a range of 1."""
_QUICKER = 0.9  # of the time of float32; less gain is not worth the digits
_ROUNDS = 3


def chosen_for_cpu(generator: Generator, clock: Callable[[], float] = time.perf_counter) -> torch.dtype | None:
    """bfloat16 where the processor multiplies it, it is quicker than float32 here, and the picture is within `NEAR`.

    The first question is answered from the processor's list of instructions. Only where the answer is yes are a few
    pictures of the mean w drawn both ways, in turns.

    Args:
        generator: on the CPU, in evaluation mode.
        clock: seconds, replaced in tests.
    Returns:
        torch.bfloat16, or None for float32.
    """
    if not cpu_has_bf16():
        return None
    with torch.inference_mode(False), torch.no_grad():
        styles = list(generator.styles(generator.w_avg[None]))
        exact, rough = (
            _picture(generator, styles, dtype) for dtype in (None, torch.bfloat16)
        )  # prepares the weights, too
        # Pictures are in [-1, 1]; what is cut off is not seen.
        if not rough.isfinite().all() or (exact.clamp(-1, 1) - rough.clamp(-1, 1)).abs().mean() / 2 > NEAR:
            return None
        times: dict[torch.dtype | None, list[float]] = {None: [], torch.bfloat16: []}
        for _ in range(_ROUNDS):
            for dtype, values in times.items():
                started = clock()
                _picture(generator, styles, dtype)
                values.append(clock() - started)
    return torch.bfloat16 if min(times[torch.bfloat16]) < _QUICKER * min(times[None]) else None


def _picture(generator: Generator, styles: list[torch.Tensor], dtype: torch.dtype | None) -> torch.Tensor:
    return Engine(generator).picture(styles, half=dtype)
