"""Kernels for a GPU that are tried before they are used: each has to give the numbers of plain torch on the caller's own tensors
once. One that cannot be compiled or gives other numbers is turned off, with one warning; one that is slower is left alone."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable
from functools import lru_cache
from importlib.util import find_spec

import torch
from torch import Tensor

from ...core.environ import switch
from ..devices import out_of_memory
from ..native.winograd import plainly_run

NEAR = {torch.float32: 2e-3, torch.float16: 1e-2, torch.bfloat16: 5e-2}
"""Norm of the difference over that of the plain result. What is wrong is wrong by far more; what is plain may have been
rounded after every step, and in float32 its filters may be computed in TF32."""
_FAR = 10  # times as much for any single number, over the largest
_MOST = 2**31 - 2**24  # numbers in a sample, so that 32 bits can count them, and a tile beyond their end
_SAMPLES = 65535  # the third side of a grid

_SLOWER = 1.2  # times the time of plain torch: what one reading of the clock can tell

Work = Callable[[Tensor], Tensor]


def _milliseconds(work: Work, x: Tensor) -> float:
    """The time of work on the GPU of ``x``, which is left alone."""
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
    x = x.clone()
    with torch.cuda.device(x.device):
        begin.record()
        work(x)
        end.record()
        end.synchronize()
    return float(begin.elapsed_time(end))


class Trials:
    """Which kernels have shown that they give the numbers of the plain operations.

    Args:
        clock: the time that work takes on the device of a tensor, in any unit; None for CUDA's own clock.
    """

    def __init__(self, clock: Callable[[Work, Tensor], float] | None = None) -> None:
        self._clock = clock or _milliseconds
        self._proven: set[Hashable] = set()
        self._slow: set[Hashable] = set()
        self._off: set[str] = set()

    def run(self, kernel: str, kind: Hashable, quick: Work, plain: Work, x: Tensor, *, timed: bool = False) -> Tensor:
        """The result of ``quick``, or of ``plain`` where that is not to be had.

        Args:
            kernel: the name that is turned off.
            kind: what else its code depends on; each kind is tried once, by running both.
            quick, plain: of ``x``, which they may overwrite; ``quick`` does not before it can no longer fail.
            timed: whether ``quick`` may be the slower one for some kinds.
        Raises:
            torch.OutOfMemoryError: there is no memory for either.
        """
        proven = (kernel, kind) in self._proven
        if kernel in self._off or (kernel, kind) in self._slow or not (proven or _can_wait()):
            return plain(x)
        try:
            made = quick(x if proven else x.clone())
        except Exception as error:  # a compiler may raise anything, and pictures do not depend on it
            if out_of_memory(error):
                raise
            self._turn_off(kernel, f"failed ({type(error).__name__}: {error}".strip().splitlines()[0] + ")")
            return plain(x)
        if proven:
            return made
        wanted = plain(x)
        if not near(made, wanted):
            self._turn_off(kernel, "gave other numbers than plain torch")
            return wanted
        if timed and self._clock(quick, x) > _SLOWER * self._clock(plain, x):
            self._slow.add((kernel, kind))
            return wanted
        self._proven.add((kernel, kind))
        return made  # and not what was wanted: a picture has the same bits the first time and ever after

    def _turn_off(self, kernel: str, reason: str) -> None:
        self._off.add(kernel)
        warnings.warn(
            f"the Triton kernel {kernel} is not used, as it {reason}; plain torch gives the same pictures and takes "
            "longer (STYLEWIDGETS_TRITON=0 leaves Triton alone)",
            RuntimeWarning,
            stacklevel=2,
        )


TRIALS = Trials()


def near(made: Tensor, wanted: Tensor) -> bool:
    """Whether a kernel's numbers are those of the plain operations, up to rounding. Where those are no finite numbers, which
    half precision may make of large ones before they are clamped, it may be better."""
    if made.shape != wanted.shape or made.dtype != wanted.dtype:
        return False
    there, bound = wanted.isfinite(), NEAR[wanted.dtype]
    a, b = (t.float().where(there, torch.zeros((), device=t.device, dtype=torch.float32)) for t in (made, wanted))
    off = a - b
    right = (off.norm() <= bound * b.norm() + 1e-6) & (off.abs().amax() <= _FAR * bound * b.abs().amax() + 1e-6)
    return bool(right)


def usable(x: Tensor, *others: Tensor | None) -> bool:
    """Whether a Triton kernel can take these features [N, C, H, W] and small tensors."""
    if not _on_gpu(x) or x.dtype not in NEAR or not available():
        return False
    tensors = [x, *(t for t in others if t is not None)]
    return (
        countable(*x.shape)
        and all(t.device == x.device for t in tensors)
        and plainly_run(tensors)
        and not torch.is_autocast_enabled("cuda")
    )


def countable(n: int, c: int, h: int, w: int) -> bool:
    """Whether features of this size can be counted by a kernel: by 32 bits within a sample, whatever the batch."""
    return 0 < c * h * w <= _MOST and 0 < n <= _SAMPLES


def dense(x: Tensor) -> bool:
    """Whether features are without gaps, in one of the layouts that the kernels know."""
    return x.is_contiguous() or x.is_contiguous(memory_format=torch.channels_last)


def available() -> bool:
    """Whether there is Triton, and it is wanted. Does not import it."""
    return switch("STYLEWIDGETS_TRITON") and _installed()


@lru_cache(maxsize=1)
def _installed() -> bool:
    return find_spec("triton") is not None


def _on_gpu(x: Tensor) -> bool:
    return x.is_cuda


def _can_wait() -> bool:
    """Whether results can be looked at: not while a CUDA graph is recorded."""
    return not (torch.cuda.is_available() and torch.cuda.is_current_stream_capturing())
