"""Memory for large results on the CPU that is handed out again once nothing refers to it.

The system's allocator gives large blocks back at once, and every new one costs a page fault and 4 kB of zeros for each page
that is touched: for features of 20 MB twice as long as all the filtering of StyleGAN3 takes, for a picture of 1024 pixels up
to a third of the frame.
"""

from __future__ import annotations

import math
import threading
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

SMALLEST = 1 << 20
"""Bytes from which it is worth it."""
LIMIT = 512 << 20
"""Bytes kept while nobody uses them."""
ALIGNMENT = 64

Memory = NDArray[np.float32]
_state = threading.local()
_free: deque[Memory] = deque()  # oldest first; its methods are atomic, and a finalizer may run at any moment


def channels_last(n: int, c: int, h: int, w: int) -> Tensor:
    """An uninitialised float32 tensor [n, c, h, w] in channels-last layout."""
    return planar(n, h, w, c).permute(0, 3, 1, 2)


def planar(*shape: int) -> Tensor:
    """An uninitialised, contiguous float32 tensor."""
    size = math.prod(shape)
    if size * 4 < SMALLEST:
        return torch.empty(shape, dtype=torch.float32, device="cpu")
    memory = _take(size, getattr(_state, "passing", False))
    lent = memory[:size]
    weakref.finalize(lent, _give, memory).atexit = False
    return torch.from_numpy(lent).view(shape)  # the tensor's storage holds `lent`


@contextmanager
def passing() -> Iterator[None]:
    """Results made inside (on this thread) are gone soon: they may have blocks of any size, so that a few serve for all of them.

    Elsewhere a result has a block that it fills at least half, as it may be kept.
    """
    before = getattr(_state, "passing", False)
    _state.passing = True
    try:
        yield
    finally:
        _state.passing = before


def release() -> None:
    """Give all unused memory back to the system."""
    _free.clear()


def kept() -> int:
    """Bytes that are kept while nobody uses them."""
    return sum(memory.nbytes for memory in list(_free))


def _take(size: int, passing: bool) -> Memory:
    """The smallest block that has room (and is not half empty, unless for what is passing), or a new one."""
    for memory in sorted(_free.copy(), key=len):
        if size <= len(memory) and (passing or len(memory) <= 2 * size):
            try:
                _drop(memory)
            except ValueError:
                continue  # another thread was quicker
            return memory
    if passing:
        _free.clear()  # all of them are too small, and would be on top of the new one
    page = 1 << 16
    return _aligned(math.ceil(size / page) * page)


def _aligned(size: int) -> Memory:
    """New memory at a multiple of 64 bytes, as torch has it: matrix products may round otherwise elsewhere, and a frame that is
    drawn again would not have the same bits."""
    block = np.empty(size + ALIGNMENT // 4, np.float32)
    skip = -block.ctypes.data % ALIGNMENT // 4
    return block[skip : skip + size]


def _drop(memory: Memory) -> None:
    """Remove a block by identity: arrays compare by element."""
    for _ in range(len(_free)):
        first = _free.popleft()
        if first is memory:
            return
        _free.append(first)
    raise ValueError("taken")


def _give(memory: Memory) -> None:
    _free.append(memory)
    while kept() > LIMIT:
        try:
            _free.popleft()
        except IndexError:
            return
