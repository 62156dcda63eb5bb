"""StyleGAN generator (Karras et al., "A Style-Based Generator Architecture for Generative Adversarial Networks", CVPR 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..layers import BlockChain, entering
from ..mapping import MappingNetwork
from ..noise import layer_noise, split_noise
from ..protocol import Layer, Noise, State
from ..style_based import StyleBased
from .config import StyleGAN1Config, default_channels, infer_config
from .layers import Dense, Epilogue, PlainToRGB, StyledConv

__all__ = ["StyleGAN1", "StyleGAN1Config", "default_channels", "infer_config"]


class StyleGAN1Mapping(MappingNetwork):
    """z and label together are normalised once; the √2 of the leaky ReLU is in the scale of the weights."""

    def __init__(self, config: StyleGAN1Config) -> None:
        super().__init__(config, joint=True)

    def make_layer(self, inputs: int, outputs: int, lr: float) -> nn.Module:
        """One fully connected layer with its activation."""
        return Dense(inputs, outputs, lr_multiplier=lr)


class SynthesisBlock(nn.Module):
    """Layers of one resolution: conv0 (×2 up; in the first block the learned constant) and conv1, torgb where it is used."""

    def __init__(self, config: StyleGAN1Config, index: int) -> None:
        super().__init__()
        out = config.channels[index]
        self.first = index == 0
        common: dict[str, Any] = {
            "w_dim": config.w_dim,
            "size": config.size(index),
            "use_noise": config.use_noise,
            "eps": config.norm_eps,
        }
        self.conv0: Epilogue
        if self.first:
            self.const = nn.Parameter(torch.ones(out, *config.size(0), dtype=torch.float32, device="cpu"))
            self.conv0 = Epilogue(out, **common)
        else:
            self.conv0 = StyledConv(
                config.channels[index - 1],
                out,
                up=2,
                fused=config.fused(index),
                bias_first=config.bias_first,
                blur=config.blur,
                **common,
            )
        self.conv1 = StyledConv(out, out, **common)
        if index >= config.num_blocks - (2 if config.fade else 1):
            self.torgb = PlainToRGB(out, config.img_channels)

    @property
    def convs(self) -> list[Epilogue]:
        """The styled layers in order."""
        return [self.conv0, self.conv1]

    def forward(self, x: Tensor, styles: Sequence[Tensor], noise: Sequence[Tensor | None]) -> Tensor:
        """Features of the block before → those of this one."""
        x = self.conv0(x, styles[0], noise[0])
        return self.conv1(x, styles[1], noise[1])  # type: ignore[no-any-return]


class StyleGAN1(StyleBased):
    """A StyleGAN generator with every inner step reachable. Pictures are about [-1, 1], not clipped.

    A style is the scale of each feature map, less 1, followed by the shift of each. Colours come from the last block
    alone: those of smaller ones were left behind in progressive growing, so they are no previews.

    Attributes:
        config: the `StyleGAN1Config`.
        z_dim, c_dim, w_dim, num_ws, resolution, img_channels, num_blocks: sizes.
        layers: every style layer in order (b4.conv0, b4.conv1, b8.conv0, ...).
        noise_shapes: (height, width) of the noise of each layer, in that order; () when noise is not used.
        has_inner_pictures, has_previews: False.
        default_psi, default_cutoff: 0.7 and 8 rows (all of them in small networks), as published.
        mapping, synthesis: the two networks; ``mapping.w_avg`` is the mean of w.
    """

    family = "stylegan1"
    default_psi = 0.7
    synthesis: BlockChain[SynthesisBlock]

    def __init__(self, config: StyleGAN1Config) -> None:
        super().__init__()
        self.config = config
        self.z_dim, self.c_dim, self.w_dim = config.z_dim, config.c_dim, config.w_dim
        self.num_ws, self.num_blocks = config.num_ws, config.num_blocks
        self.resolution, self.img_channels = config.resolution, config.img_channels
        self.default_cutoff = min(8, self.num_ws)
        self.mapping = StyleGAN1Mapping(config)
        self.synthesis = BlockChain(config, SynthesisBlock)
        self.layers: tuple[Layer, ...] = tuple(
            Layer(f"{config.block_name(i)}.conv{k}", "conv", i, 2 * i + k, conv.style_channels, conv.resolution)
            for i, block in enumerate(self.synthesis.blocks)
            for k, conv in enumerate(block.convs)
        )
        self.noise_shapes: tuple[tuple[int, int], ...] = tuple(
            config.size(layer.block) for layer in self.layers if config.use_noise
        )

    def block_layers(self, i: int) -> slice:
        """Where block i's layers are in `layers`."""
        return slice(2 * i, 2 * i + 2)

    def block_noise(self, noise: Noise) -> list[Noise]:
        """Split a noise argument of `synthesize` into one per block."""
        return split_noise(noise, [2 if self.config.use_noise else 0] * self.num_blocks)

    def step(
        self,
        i: int,
        state: State | None,
        styles: Sequence[Tensor],
        noise: Noise = "const",
        dtype: torch.dtype | None = None,
    ) -> State:
        """Run block i on the state after block i − 1 (None for the first). Steps 0 … num_blocks − 1 are `synthesize`.

        Args:
            i: block index.
            state: result of the step before.
            styles: this block's styles, ``styles[generator.block_layers(i)]``.
            noise: a mode, or one tensor (or None) per layer of this block.
            dtype: of the features; None keeps float32. ``state.img`` always is float32.
        """
        self._check_step(i, state, styles)
        own = self.layers[self.block_layers(i)]
        block = self.synthesis.blocks[i]
        tensors = layer_noise(noise, block.convs, [layer.name for layer in own], len(styles[0]), self.config.use_noise)
        x = block(entering(block, None if state is None else state.x, len(styles[0]), dtype), styles, tensors)
        return State(x, self._colours(i, x, state))

    def _colours(self, i: int, x: Tensor, state: State | None) -> Tensor | None:
        """The picture after the last block; what the last block mixes in after the one before it; else None."""
        left, block = self.num_blocks - 1 - i, self.synthesis.blocks[i]
        if left > (1 if self.config.fade else 0):
            return None
        img: Tensor = block.torgb(x)
        if left:
            return img
        if self.config.fade:
            assert state is not None and state.img is not None
            img = torch.lerp(img, _doubled(state.img), self.config.fade)
        for _ in range(int(self.config.lod)):
            img = _doubled(img)
        return img

    def image(self, state: State) -> Tensor:
        """The picture of the state after the last block."""
        if state.img is None or max(state.img.shape[2:]) != self.resolution:
            raise ValueError(f"StyleGAN has a picture only after the last block, {self.num_blocks - 1}")
        return state.img


def _doubled(img: Tensor) -> Tensor:
    """Every pixel twice in both axes."""
    return F.interpolate(img, scale_factor=2, mode="nearest")
