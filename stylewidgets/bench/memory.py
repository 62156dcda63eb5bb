"""How much memory a piece of work needs at its peak."""

from __future__ import annotations

import ctypes
import gc
import threading
from collections.abc import Callable
from typing import Any

import torch

from ..ops import _buffers
from .reading import resident

_EVERY = 0.001  # seconds between two looks


def peak(work: Callable[[], Any], device: torch.device) -> int:
    """Bytes by which memory grows at most while `work` runs, what it returns included; 0 where the system does not tell.

    On CUDA that of torch's allocator, on the CPU the resident memory of this process.
    """
    gc.collect()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        work()
        torch.cuda.synchronize(device)
        return torch.cuda.max_memory_allocated(device) - before
    _give_back()
    before, highest, done = resident(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(_EVERY):
            highest[0] = max(highest[0], resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        kept = work()
        highest[0] = max(highest[0], resident())
    finally:
        done.set()
        watcher.join()
    del kept
    return max(0, highest[0] - before)


def _give_back() -> None:
    """Free memory that this package and the C library keep for later: it would hide what the work needs."""
    _buffers.release()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if resident() else None
    if trim is not None:
        trim(0)
