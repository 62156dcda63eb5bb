"""A family of generators of one's own: coloured waves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from stylewidgets.generators import Family, Layer, State, StyleBased, register
from stylewidgets.generators.layers import FullyConnected
from stylewidgets.generators.noise import split_noise
from stylewidgets.generators.protocol import Noise

NOT_IN_SHAPES = ("resolution",)  # what names and shapes of the weights do not tell, so that a file writes it down


# The settings: a frozen dataclass that turns into plain JSON values and back.
@dataclass(frozen=True)
class WavesConfig:
    resolution: int = 64
    z_dim: int = 16
    w_dim: int = 16
    waves: int = 12

    def to_dict(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, int]) -> WavesConfig:
        return cls(**values)


# z → w. The buffer w_avg is the mean of w, which truncation pulls towards.
class WavesMapping(nn.Module):
    def __init__(self, z_dim: int, w_dim: int) -> None:
        super().__init__()
        self.fc = FullyConnected(z_dim, w_dim)
        self.register_buffer("w_avg", torch.zeros(w_dim))

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        return torch.tanh(self.fc(z)) * 2


# A style layer: its `affine` makes the style from w, one number for each input channel.
class WavesLayer(nn.Module):
    def __init__(self, inputs: int, outputs: int, w_dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / inputs**0.5)
        self.affine = FullyConnected(w_dim, inputs, bias_init=1.0)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        return torch.einsum("oi,nihw->nohw", self.weight.to(x.dtype), x * style.to(x.dtype)[:, :, None, None])


class Waves(StyleBased):
    family = "waves"

    def __init__(self, config: WavesConfig) -> None:
        super().__init__()
        self.config, self.resolution, self.img_channels = config, config.resolution, 3
        self.z_dim, self.w_dim, self.c_dim = config.z_dim, config.w_dim, 0
        self.num_ws = self.num_blocks = 2
        self.mapping = WavesMapping(config.z_dim, config.w_dim)
        self.synthesis = nn.Module()
        self.synthesis.shape = WavesLayer(config.waves, config.waves, config.w_dim)
        self.synthesis.colour = WavesLayer(config.waves, 3, config.w_dim)
        self.synthesis.register_buffer("waves", torch.randn(config.waves, 2) * 5)
        # Every style layer in order: name below `synthesis`, kind, block, row of w+, length of its style, pixels.
        self.layers = (
            Layer("shape", "conv", 0, 0, config.waves, config.resolution),
            Layer("colour", "torgb", 1, 1, config.waves, config.resolution),
        )
        self.noise_shapes = ()

    # Synthesis in blocks: which layers and which noise each has, and how it goes from one state to the next.
    def block_layers(self, i: int) -> slice:
        return slice(i, i + 1)

    def block_noise(self, noise: Noise) -> Sequence[Noise]:
        return split_noise(noise, [0, 0])

    def step(
        self,
        i: int,
        state: State | None,
        styles: Sequence[Tensor],
        noise: Noise = "const",
        dtype: torch.dtype | None = None,
    ) -> State:
        if state is None:
            line = torch.linspace(-0.5, 0.5, self.resolution, device=self.device, dtype=torch.float32)
            places = torch.stack(torch.meshgrid(line, line, indexing="xy"))
            waves = torch.sin(torch.einsum("ci,ihw->chw", self.synthesis.waves, places)).to(dtype or torch.float32)
            return State(self.synthesis.shape(waves.expand(len(styles[0]), -1, -1, -1), styles[0]), None)
        return State(state.x, torch.tanh(self.synthesis.colour(torch.sin(state.x * 2), styles[0]).float()))

    def image(self, state: State) -> Tensor:
        if state.img is None:
            raise ValueError("the picture is there after the last block")
        return state.img


# For files alone: the settings read from names and shapes, and the name that files give the family.
def infer_config(params: Mapping[str, Tensor], resolution: int = 64) -> WavesConfig:
    w_dim, z_dim = params["mapping.fc.weight"].shape
    return WavesConfig(resolution, z_dim, w_dim, len(params["synthesis.waves"]))


register(Family("waves", "Waves", __name__, "Waves"))
