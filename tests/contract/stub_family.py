"""A family of generators of one's own, line by line: waves over a plane, mixed and coloured point by point.

Nothing in the package knows it. ``GeneratorSession(Stub(StubConfig()))`` draws it, and every widget takes that session;
`register` is only for reading and writing it as a file. ``test_generators.py`` holds what any family has to keep.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from stylewidgets import Transform
from stylewidgets.generators import Family, Layer, State, StyleBased, register
from stylewidgets.generators.config import FamilyConfig
from stylewidgets.generators.layers import FullyConnected
from stylewidgets.generators.mapping import MappingNetwork
from stylewidgets.generators.noise import layer_noise, split_noise

NOT_IN_SHAPES: tuple[str, ...] = ()  # settings that no shape tells, which a file has to write down: none here


# 1. The settings: a frozen dataclass that turns into plain JSON values and back. Its base has `to_dict`, `from_dict` and what
# the mapping network that is borrowed below asks for.
@dataclass(frozen=True)
class StubConfig(FamilyConfig):
    title = "stub"

    z_dim: int = 8
    w_dim: int = 8
    mapping_layers: int = 2
    resolution: int = 16
    width: int = 6
    img_channels: int = 3


# 2. A layer: anything with an `affine` from w to its style, and "noise_const" if it has noise.
class Point(nn.Module):
    def __init__(self, inputs: int, outputs: int, w_dim: int, size: int = 0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / math.sqrt(inputs))
        self.affine = FullyConnected(w_dim, inputs, bias_init=1.0)
        self.size = (size, size)
        if size:
            self.register_buffer("noise_const", torch.randn(size, size))

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        return torch.einsum("oi,nihw->nohw", self.weight.to(x.dtype), x * style.to(x.dtype)[:, :, None, None])


class Stub(StyleBased):
    # 3. What it is called and can do. The truncation of its best pictures would be `default_psi` and `default_cutoff`.
    family = "stub"
    has_previews = True  # a `HasPreview`: see 8
    view_kind = Transform  # a `HasView`: see 9

    def __init__(self, config: StubConfig) -> None:
        super().__init__()
        # 4. Sizes, by the names of the protocol.
        self.config, self.resolution, self.img_channels = config, config.resolution, config.img_channels
        self.z_dim, self.w_dim, self.c_dim = config.z_dim, config.w_dim, config.c_dim
        self.num_ws, self.num_blocks = 3, 2
        # 5. Two networks. `mapping` has the mean of w as its buffer "w_avg"; `synthesis` has the layers under their names.
        self.mapping = MappingNetwork(config)
        self.synthesis = nn.Module()
        self.synthesis.waves = Point(config.width, config.width, config.w_dim)
        self.synthesis.paint = Point(config.width, config.width, config.w_dim, config.resolution)
        self.synthesis.colour = Point(config.width, config.img_channels, config.w_dim)
        self.synthesis.register_buffer("freqs", torch.randn(config.width, 2) * 2)
        # 6. The style layers in the order of synthesis: name, kind, block, row of w+, length of the style, pixels.
        self.layers = (
            Layer("waves", "conv", 0, 0, config.width, config.resolution),
            Layer("paint", "conv", 1, 1, config.width, config.resolution),
            Layer("colour", "torgb", 1, 2, config.width, config.resolution),
        )
        self.noise_shapes = ((config.resolution, config.resolution),)
        self._moved: tuple[tuple[float, ...], ...] | None = None

    # 7. Synthesis in blocks: what each reads of the layers and of the noise, and how it goes from one state to the next.
    def block_layers(self, i: int) -> slice:
        return (slice(0, 1), slice(1, 3))[i]

    def block_noise(self, noise: str | Sequence[Tensor | None]) -> Sequence[str | Sequence[Tensor | None]]:
        return split_noise(noise, [0, 1])

    def step(
        self,
        i: int,
        state: State | None,
        styles: Sequence[Tensor],
        noise: str | Sequence[Tensor | None] = "const",
        dtype: torch.dtype | None = None,
    ) -> State:
        self._check_step(i, state, styles)
        if state is None:
            return State(self.synthesis.waves(self._waves(len(styles[0])).to(dtype or torch.float32), styles[0]), None)
        (drawn,) = layer_noise(noise, [self.synthesis.paint], ["paint"], len(styles[0]), True)
        x = torch.tanh(self.synthesis.paint(state.x if dtype is None else state.x.to(dtype), styles[0]))
        x = x if drawn is None else x + 0.1 * drawn.to(x.dtype)
        return State(x, self.synthesis.colour(x, styles[1]).float())

    def image(self, state: State) -> Tensor:
        if state.img is None:
            raise ValueError("a stub has a picture only after the last block, 1")
        return state.img

    def _waves(self, n: int) -> Tensor:
        line = (torch.arange(self.resolution, device=self.device, dtype=torch.float32) + 0.5) / self.resolution - 0.5
        places = torch.stack([*torch.meshgrid(line, line, indexing="xy"), torch.ones_like(line).expand(len(line), -1)])
        if self._moved is not None:
            places = torch.einsum("ij,jhw->ihw", places.new_tensor(self._moved), places)
        return torch.sin(2 * math.pi * torch.einsum("ci,ihw->chw", self.synthesis.freqs, places[:2])).expand(
            n, -1, -1, -1
        )

    # 8. Previews, where an inner block can tell about the whole picture: here every second point, without noise.
    def preview_resolution(self, i: int) -> int:
        return self.resolution // 2 if i == 0 else self.resolution

    def finish_small(self, i: int, x: Tensor, img: Tensor | None, styles: Sequence[Tensor]) -> Tensor:
        return self.step(1, State(x[:, :, ::2, ::2], None), styles, "none", torch.float32).img  # type: ignore[return-value]

    # 9. A view, where it can be drawn from: what is in force, and how to draw with another one.
    @property
    def view_key(self) -> tuple[tuple[float, ...], ...] | None:
        return self._moved

    @contextmanager
    def viewed(self, view: Transform) -> Iterator[None]:
        before = self._moved
        self._moved = tuple(map(tuple, np.linalg.inv(view.matrix()).tolist())) if view else None
        try:
            yield
        finally:
            self._moved = before


# 10. For files: the settings from names and shapes, and the name that files have.
def infer_config(params: Mapping[str, Tensor], **hints: object) -> StubConfig:
    colours, width = params["synthesis.colour.weight"].shape
    return StubConfig(
        resolution=len(params["synthesis.paint.noise_const"]),
        width=width,
        img_channels=colours,
        z_dim=params["mapping.fc0.weight"].shape[1],
        w_dim=len(params["mapping.w_avg"]),
        mapping_layers=sum(name.startswith("mapping.fc") and name.endswith("weight") for name in params),
    )


register(Family("stub", "Stub", __name__, "Stub"))
