"""StyleGAN2 generator (Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ...ops.native.colours import add_doubled
from ..layers import BlockChain, EqualizedConv2d, StyleConv, SynthesisLayer, ToRGB, entering
from ..mapping import MappingNetwork
from ..noise import layer_noise, split_noise
from ..protocol import Layer, Noise, State
from ..style_based import StyleBased
from .config import StyleGAN2Config, default_channels, infer_config
from .flat import finish_small
from .strips import colours_of

__all__ = ["MappingNetwork", "StyleGAN2", "StyleGAN2Config", "default_channels", "infer_config"]

ROWS = {"conv0": -1, "conv1": 0, "torgb": 1}
"""Rows of w+ that the layers of a block read, beside 2 per block: each torgb shares its row with the next conv0."""


class SynthesisBlock(nn.Module):
    """Layers of one resolution: conv0 (×2 up, not in the first), conv1, torgb (skip: always; else in the last)."""

    def __init__(self, config: StyleGAN2Config, index: int) -> None:
        super().__init__()
        out, size = config.channels[index], config.size(index)
        self.architecture, self.taps = config.architecture, config.taps
        common: dict[str, Any] = {"w_dim": config.w_dim, "size": size, "conv_clamp": config.conv_clamp}
        conv: dict[str, Any] = {**common, "use_noise": config.use_noise, "taps": config.taps}
        if index == 0:
            self.const = nn.Parameter(torch.randn(out, *size, dtype=torch.float32, device="cpu"))
        else:
            before = config.channels[index - 1]
            self.conv0 = SynthesisLayer(before, out, up=2, **conv)
            if config.architecture == "resnet":
                self.skip = EqualizedConv2d(before, out, 1, bias=False, resample="up", taps=config.taps)
        self.conv1 = SynthesisLayer(out, out, **conv)
        if config.architecture == "skip" or index == config.num_blocks - 1:
            self.torgb = ToRGB(out, config.img_channels, **common)
        self.first = index == 0
        self.names = [name for name in ("conv0", "conv1", "torgb") if hasattr(self, name)]

    @property
    def convs(self) -> list[SynthesisLayer]:
        """The modulated convolutions in order."""
        return [self.conv1] if self.first else [self.conv0, self.conv1]

    def layers(self) -> list[tuple[str, StyleConv]]:
        """The style layers by name, in order."""
        return [(name, getattr(self, name)) for name in self.names]

    def forward(self, x: Tensor, img: Tensor | None, styles: Sequence[Tensor], noise: Sequence[Tensor | None]) -> State:
        """Features and picture of the block before → those of this one."""
        if self.first:
            x = self.conv1(x, styles[0], noise[0])
        elif self.architecture == "resnet":
            around = self.skip(x, gain=math.sqrt(0.5))
            x = self.conv0(x, styles[0], noise[0])
            x = self.conv1(x, styles[1], noise[1], gain=math.sqrt(0.5)) + around
        else:
            x = self.conv0(x, styles[0], noise[0])
            x = self.conv1(x, styles[1], noise[1])
        if "torgb" in self.names:
            rgb = self.torgb(x, styles[-1])
            img = add_doubled(rgb, img, self.taps)
        return State(x, img)


def style_layers(config: StyleGAN2Config, blocks: Sequence[SynthesisBlock]) -> tuple[Layer, ...]:
    """The style layers of these blocks, the first of all, in StyleSpace order."""
    return tuple(
        Layer(
            f"{config.block_name(i)}.{name}",
            "torgb" if name == "torgb" else "conv",
            i,
            2 * i + ROWS[name],
            layer.style_channels,
            layer.resolution,
        )
        for i, block in enumerate(blocks)
        for name, layer in block.layers()
    )


class StyleGAN2(StyleBased):
    """A StyleGAN2 generator with every inner step reachable. Pictures are about [-1, 1], not clipped.

    Attributes:
        config: the `StyleGAN2Config`.
        z_dim, c_dim, w_dim, num_ws, resolution, img_channels, num_blocks: sizes.
        layers: every style layer in StyleSpace order (b4.conv1, b4.torgb, b8.conv0, ...).
        noise_shapes: (height, width) of the noise of each convolution, in that order; () when noise is not used.
        has_inner_pictures: whether every block has a picture of its own (skip architecture).
        can_run_layers: whether `run_layer` and `add_colours` in order are `synthesize` (not in the resnet architecture).
        mapping, synthesis: the two networks; ``mapping.w_avg`` is the mean of w.
    """

    family = "stylegan2"
    has_previews = True
    mapping: MappingNetwork
    synthesis: BlockChain[SynthesisBlock]

    def __init__(self, config: StyleGAN2Config) -> None:
        super().__init__()
        self.config = config
        self.z_dim, self.c_dim, self.w_dim = config.z_dim, config.c_dim, config.w_dim
        self.num_ws, self.num_blocks = config.num_ws, config.num_blocks
        self.resolution, self.img_channels = config.resolution, config.img_channels
        self.has_inner_pictures = config.architecture == "skip"
        self.can_run_layers = config.architecture != "resnet"
        self.mapping = MappingNetwork(config)
        self.synthesis = BlockChain(config, SynthesisBlock)
        self.layers: tuple[Layer, ...] = style_layers(config, self.synthesis.blocks)
        inside = [[k for k, layer in enumerate(self.layers) if layer.block == i] for i in range(self.num_blocks)]
        self._slices = [slice(k[0], k[-1] + 1) for k in inside]
        convs = [layer for layer in self.layers if layer.kind == "conv"]
        self.noise_shapes: tuple[tuple[int, int], ...] = tuple(config.size(c.block) for c in convs if config.use_noise)

    def block_layers(self, i: int) -> slice:
        """Where block i's layers are in `layers`."""
        return self._slices[i]

    def block_noise(self, noise: Noise) -> list[Noise]:
        """Split a noise argument of `synthesize` into one per block."""
        return split_noise(noise, [len(block.convs) if self.config.use_noise else 0 for block in self.synthesis.blocks])

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
            noise: a mode, or one tensor (or None) per convolution of this block.
            dtype: of the features; None keeps float32. ``state.img`` always is float32.
        """
        self._check_step(i, state, styles)
        own = self.layers[self.block_layers(i)]
        block = self.synthesis.blocks[i]
        x = entering(block, None if state is None else state.x, len(styles[0]), dtype)
        tensors = layer_noise(noise, block.convs, [layer.name for layer in own], len(styles[0]), self.config.use_noise)
        result: State = block(x, None if state is None else state.img, styles, tensors)
        return result

    def run_layer(
        self, k: int, x: Tensor | None, style: Tensor, noise: Noise = "const", dtype: torch.dtype | None = None
    ) -> Tensor:
        """Run layer k alone: a convolution gives features, a torgb the colours that `add_colours` adds.

        Args:
            k: index into `layers`.
            x: features after the convolution before, None for the first one.
            style: [N, C_k].
            noise: a mode, or a list of the one tensor (or None) of this convolution; a torgb has none.
            dtype: of the features, as of `step`.
        """
        layer = self.layers[k]
        self._check_styles([style], [layer])
        block = self.synthesis.blocks[layer.block]
        module = block.get_submodule(layer.name.partition(".")[2])
        x = entering(block, x, style.shape[0], dtype)
        if isinstance(module, ToRGB):
            return module(x, style)  # type: ignore[no-any-return]
        made: Tensor = module(
            x, style, *layer_noise(noise, [module], [layer.name], style.shape[0], self.config.use_noise)
        )
        return made

    def run_last(
        self, x: Tensor, styles: Sequence[Tensor], noise: Noise = "const", dtype: torch.dtype | None = None
    ) -> Tensor:
        """Run the last two layers, a convolution and its torgb, without keeping the features in between.

        Args:
            x: features after the convolution before.
            styles: [N, C] of the two layers.
            noise, dtype: as of `run_layer`.
        Returns:
            What `add_colours` adds, to the bit that of `run_layer` twice.
        """
        own = self.layers[-2:]
        self._check_styles(styles, own)
        block = self.synthesis.blocks[own[0].block]
        drawn = layer_noise(noise, [block.conv1], [own[0].name], len(x), self.config.use_noise)
        return colours_of(block.conv1, block.torgb, x if dtype is None else x.to(dtype), *styles, *drawn)

    def add_colours(self, colours: Tensor, img: Tensor | None = None) -> Tensor:
        """The picture after a block: its colours on top of the picture before, twice as large."""
        return add_doubled(colours, img, self.config.taps)

    def preview_resolution(self, i: int) -> int:
        """Longer side in pixels of the preview that `finish_small` makes after block i."""
        return self.layers[self._slices[i]][-1].resolution

    def finish_small(self, i: int, x: Tensor, img: Tensor | None, styles: Sequence[Tensor]) -> Tensor:
        """About what the whole picture will be, from the features and the picture after block i, at their size: a preview.

        Args:
            i: block index, not the last.
            x, img: after that block; img is None in other architectures than skip.
            styles: of all layers after it.
        Returns:
            [N, img_channels, h, w] float32 (`_flat`).
        """
        self._check_styles(styles, self.layers[self.block_layers(i).stop :])
        return finish_small(self.synthesis.blocks[i + 1 :], x, img, styles)

    def image(self, state: State) -> Tensor:
        """The picture of the state after the last block (skip architecture: after any block, at its resolution)."""
        if state.img is None:
            raise ValueError(
                f"architecture {self.config.architecture!r} has a picture only after the last block, "
                f"{self.num_blocks - 1}"
            )
        return state.img
