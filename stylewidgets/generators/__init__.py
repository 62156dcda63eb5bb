"""Generator families as plain torch modules, and the names that all of them share."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Layer(NamedTuple):
    """One style layer of a generator, in StyleSpace order.

    Attributes:
        name: "b8.conv0"; the module is ``generator.synthesis.get_submodule(name)``.
        kind: "conv" or "torgb".
        block: index of the block that holds it, 0 for the 4-pixel block.
        ws_index: row of w+ that it reads.
        channels: length of its style vector, the number of its input channels.
        resolution: pixels of its output's longer side.
    """

    name: str
    kind: str
    block: int
    ws_index: int
    channels: int
    resolution: int


class State(NamedTuple):
    """What passes from block to block: features ``x`` [N, C, H, W] and the picture so far ``img`` (float32) or None."""

    x: Tensor
    img: Tensor | None
