"""Frames on a GPU as CUDA graphs: one recording for each size of picture and each layer that synthesis restarts at.

A frame of StyleGAN is hundreds of small kernels, and at 256 pixels starting them takes longer than they run. A recording is
started as one. It is used only after it has given the numbers of the plain run once.

Nothing here was measured on a GPU, as none was at hand: what decides is tested on the CPU with a stand-in for a recording.
``STYLEWIDGETS_CUDA_GRAPHS=0`` turns it off.
"""

from __future__ import annotations

import warnings
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from ..core.environ import switch
from ..ops.devices import out_of_memory

Inputs = TypeVar("Inputs")  # any nest of lists, tuples and dictionaries with tensors
Made = TypeVar("Made")
Replay = Callable[[], None]
Record = Callable[[Callable[[], object]], "tuple[Replay, object]"]
"""Runs the work once, and returns what runs it again on the same memory, and what holds the tensors that it writes to."""

WARM = 2
"""Plain runs before a recording: they prepare weights and choose algorithms, and a frame drawn once needs none."""
MOST = 12
"""Recordings that are kept, each with memory of its own for what it makes; the one not used for longest is let go."""
_NEAR = 1e-3


class _Recording(NamedTuple):
    inputs: list[Tensor]
    replay: Replay
    made: object


class Graphs:
    """Runs work, and plays a recording of it where the same has been run before.

    What `run` returns is overwritten by the next run with the same key, so clone what leaves the renderer.

    Args:
        record: makes a recording; None for CUDA graphs.
    """

    def __init__(self, record: Record | None = None) -> None:
        self._record = record or record_cuda
        self._seen: Counter[Hashable] = Counter()
        self._kept: OrderedDict[Hashable, _Recording] = OrderedDict()
        self._off = False

    def __len__(self) -> int:
        return len(self._kept)

    def run(self, key: Hashable, work: Callable[[Inputs], Made], inputs: Inputs) -> Made:
        """What `work` makes of `inputs`.

        Args:
            key: equal for equal work on tensors of equal shapes and dtypes.
            work: runs on the device only, and reads nothing else that changes.
            inputs: read, not changed.
        """
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            for static, value in zip(kept.inputs, _tensors(inputs), strict=True):
                static.copy_(value)
            kept.replay()
            return kept.made  # type: ignore[return-value]
        made = work(inputs)
        self._seen[key] += 1
        if not self._off and self._seen[key] > WARM:
            self._try(key, work, inputs, made)
        return made

    def clear(self) -> None:
        """Forget everything: the parameters have changed."""
        self._kept.clear()
        self._seen.clear()

    def _try(self, key: Hashable, work: Callable[[Inputs], Made], inputs: Inputs, wanted: Made) -> None:
        try:
            static = pytree.tree_map(lambda value: value.clone() if isinstance(value, Tensor) else value, inputs)
            replay, made = self._record(lambda: work(static))
            replay()
            right = all(_near(a, b) for a, b in zip(_tensors(made), _tensors(wanted), strict=True))
        except (RuntimeError, MemoryError) as error:
            if out_of_memory(error):
                self.clear()  # recordings are a luxury; and this work has to be run some more before it is tried again
            else:
                self._turn_off(f"it could not be recorded: {error}")
            return
        if not right:
            self._turn_off("what was recorded gave other numbers than the plain run")
            return
        self._kept[key] = _Recording(_tensors(static), replay, made)
        if len(self._kept) > MOST:
            self._seen.pop(self._kept.popitem(last=False)[0], None)

    def _turn_off(self, reason: str) -> None:
        self._off = True
        self._kept.clear()
        warnings.warn(
            f"frames are drawn without CUDA graphs, as {reason.strip().splitlines()[0]}", RuntimeWarning, stacklevel=2
        )


def graphs_for(device: torch.device) -> Graphs | None:
    """`Graphs` where they are worth it, on CUDA; None elsewhere."""
    return Graphs() if device.type == "cuda" and switch("STYLEWIDGETS_CUDA_GRAPHS") else None


def record_cuda(work: Callable[[], object]) -> tuple[Replay, object]:
    """A `Record` of the kernels that work starts on the current CUDA device."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        made = work()
    return graph.replay, made


def _tensors(nest: object) -> list[Tensor]:
    return [value for value in pytree.tree_flatten(nest)[0] if isinstance(value, Tensor)]


def _near(a: Tensor, b: Tensor) -> bool:
    a, b = a.float(), b.float()
    return bool((a - b).norm() <= _NEAR * b.norm() + 1e-6)
