"""Batches of pictures sized to memory, and made smaller where that was not small enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

import torch

from ..core.checks import check_int
from ..generators.protocol import Generator
from ..ops.devices import out_of_memory
from .synthesis import block_resolution, last_block

if TYPE_CHECKING:
    from .session import GeneratorSession

Item = TypeVar("Item")
Made = TypeVar("Made")

MOST = 16
"""Pictures at once: more of them are not quicker."""
_STEP_VALUES = 1 << 20  # features of the largest layer that a processor makes in a few hundredths of a second
_SHARE = 4  # of the memory that is free on a GPU a quarter is asked for
_SEARCH = 1 << 30
_BYTES = 64 << 20  # on a processor larger batches are no quicker, only larger


def pictures_at_once(generator: Generator, device: torch.device, max_resolution: int | None = None) -> int:
    """How many pictures to draw together, 1 to `MOST`, so that the features of the largest layer fit the free memory.

    Args:
        generator: of any family.
        device: where it is.
        max_resolution: as of `synthesize`: pictures may come from an inner block.
    """
    stop = generator.block_layers(last_block(generator, max_resolution)).stop
    values = max(
        layer.channels * max(layer.resolution, block_resolution(generator, layer.block)) ** 2
        for layer in generator.layers[:stop]
    )
    each = 2 * 4 * values  # float32, what comes into a layer and what it makes
    # Not what is free on a CPU: sums round differently in batches of another size, and pictures depend on nobody's load.
    room = torch.cuda.mem_get_info(device)[0] // _SHARE if device.type == "cuda" else _BYTES
    return max(1, min(MOST, room // each))


def inner_size(resolution: int | None) -> int | None:
    """Pixels of the inner picture that a thumbnail is made from, at least four times as large; None for full size."""
    return None if resolution is None else 1 << (4 * check_int("resolution", resolution, 1) - 1).bit_length()


def pictures_in_a_step(session: GeneratorSession, cost: int = 1) -> int:
    """How many pictures one step of a job draws, 1 to `MOST`: as many as take about as long as a page may stand still.

    It depends on the generator alone, never on how long a step took, so that a busy machine gets the same numbers.

    Args:
        session: a GeneratorSession.
        cost: of one, in drawings; a backward pass has 2.
    """
    if session.device.type != "cpu":
        return MOST
    values = max(layer.channels * layer.resolution**2 for layer in session.layers)
    return max(1, min(MOST, _STEP_VALUES // (cost * values)))


def pictures_with_gradients(session: GeneratorSession) -> int:
    """How many pictures to search the codes of together, 1 to `MOST`: the features of all layers stay for the way back, and a
    network that compares pictures has about as many again.

    It depends on the generator and the kind of device alone, so that everybody's groups are the same.
    """
    values = sum(layer.channels * layer.resolution**2 for layer in session.layers)
    room = _SEARCH
    if session.device.type == "cuda":
        room = torch.cuda.get_device_properties(session.device).total_memory // _SHARE
    return max(1, min(MOST, room // (2 * 2 * 4 * values)))


def in_batches(items: Sequence[Item], draw: Callable[[Sequence[Item]], Sequence[Made]], size: int) -> Iterator[Made]:
    """What `draw` makes of each item, drawn `size` at a time; when memory is full, half as many from there on.

    Raises:
        RuntimeError, MemoryError: of `draw`, when it is something else, or memory does not even suffice for one item.
    """
    start = 0
    while start < len(items):
        part = items[start : start + size]
        try:
            made = draw(part)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error) or len(part) == 1:
                raise
            size = max(1, len(part) // 2)
            continue
        yield from made
        start += len(part)
