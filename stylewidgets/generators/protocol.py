"""Generator families as plain torch modules, and the names that all of them share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor


class Layer(NamedTuple):
    """One style layer of a generator, in StyleSpace order.

    Attributes:
        name: "b8.conv0"; the module is ``generator.synthesis.get_submodule(name)``.
        kind: "conv" or "torgb".
        block: index of the block that holds it, 0 for the 4-pixel block.
        ws_index: row of w+ that it reads.
        channels: length of its style vector (the input channels; twice the output channels in StyleGAN).
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


class Generator(Protocol):
    """What every family is, besides a torch.nn.Module: all that sessions, renderers and widgets use.

    Attributes:
        family: name in `generators.families.FAMILIES`.
        config: a frozen dataclass with `to_dict` and `from_dict`.
        z_dim, c_dim, w_dim, num_ws: lengths of z, label (0 for none) and w; rows of w+.
        num_blocks: how many `step`s make a picture.
        resolution, img_channels: longer side of the picture in pixels; colours.
        layers: every style layer in StyleSpace order.
        noise_shapes: (height, width) of each noise picture, in the order of the convolutions.
        has_inner_pictures: whether `image` gives a picture, smaller but true, after every block and not only the last.
        has_previews: whether ``finish_small`` makes about the whole picture, small, after an inner block: ``preview_resolution``.
        default_psi, default_cutoff: the truncation that the family's published pictures have.
    """

    family: str
    config: Any
    z_dim: int
    c_dim: int
    w_dim: int
    num_ws: int
    num_blocks: int
    resolution: int
    img_channels: int
    layers: tuple[Layer, ...]
    noise_shapes: tuple[tuple[int, int], ...]
    has_inner_pictures: bool
    has_previews: bool
    default_psi: float
    default_cutoff: int | None

    @property
    def w_avg(self) -> Tensor:
        """Mean of w, [w_dim]."""

    def centre(self, c: Tensor | None = None) -> Tensor:
        """What truncation pulls towards: [w_dim], or [N, w_dim] where every class has a mean of its own."""

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""

    def map(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, z_dim] and c [N, c_dim] → w+ [N, num_ws, w_dim], not truncated."""

    def truncate(self, ws: Tensor, psi: float, cutoff: int | None = None, c: Tensor | None = None) -> Tensor:
        """Rows below `cutoff` pulled towards the mean of w, or of the label's w where the family has one for each class."""

    def styles(self, ws: Tensor) -> list[Tensor]:
        """w+ or w → one [N, C_l] per layer."""

    def synthesize(
        self,
        x: Tensor | Sequence[Tensor],
        noise: str | Sequence[Tensor | None] = "const",
        dtype: torch.dtype | None = None,
    ) -> Tensor:
        """w, w+ or styles → pictures [N, img_channels, H, W], about [-1, 1]; differentiable."""

    def block_layers(self, i: int) -> slice:
        """Where block i's layers are in `layers`."""

    def block_noise(self, noise: str | Sequence[Tensor | None]) -> Sequence[Any]:
        """A noise argument of `synthesize`, split into one per block."""

    def step(
        self,
        i: int,
        state: State | None,
        styles: Sequence[Tensor],
        noise: Any = "const",
        dtype: torch.dtype | None = None,
    ) -> State:
        """Run block i on the state after block i − 1 (None for the first)."""

    def image(self, state: State) -> Tensor:
        """The picture of a state; ValueError where there is none yet."""
