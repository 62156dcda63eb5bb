"""Pose with Style (AlBahar et al., ACM TOG 2021): a person in another pose, by way of the surface of the body."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..mapping import MappingNetwork
from ..noise import layer_noise, split_noise
from ..protocol import Layer, Noise, State
from ..style_based import StyleBased
from .config import PosedConfig
from .encoders import PoseEncoder, SourceEncoder
from .modulation import SpatialLayer, SpatialToRGB
from .reposing import Reposing

NO_SOURCE = (
    "this generator draws a person in another pose, and was given none: session.put(Person.read(picture, silhouette, iuv, "
    "atlas)) makes one known, and the first is taken for latents without a source"
)


class Scale(nn.Module):
    """The layers at one scale: enlarging convolution (not at the first), convolution, colours."""

    def __init__(self, config: PosedConfig, k: int) -> None:
        super().__init__()
        channels, size = config.channels, config.sizes[k]
        own = {"source": channels[k], "hidden": config.modulation_hidden, "size": size, "w_dim": config.w_dim}
        if k:
            before = channels[k - 1]
            self.up = SpatialLayer(before, channels[k], **{**own, "source": before}, up=2)
        self.conv = SpatialLayer(channels[k], channels[k], **own)
        self.torgb = SpatialToRGB(channels[k], 3, **own)


class Synthesis(nn.Module):
    """Both encoders, and the scales s0, s1, …"""

    def __init__(self, config: PosedConfig) -> None:
        super().__init__()
        self.pose, self.source = PoseEncoder(config), SourceEncoder(config)
        for k in range(len(config.channels)):
            self.add_module(f"s{k}", Scale(config, k))

    def scale(self, k: int) -> Scale:
        """The layers at scale k, 0 the coarsest."""
        found = self.get_submodule(f"s{k}")
        assert isinstance(found, Scale)
        return found


class Posed(StyleBased):
    """A source's picture, the surface of its body and that of a pose → the source in that pose. Block k draws scale k.

    What it draws is in force (`reposed`): pictures of a batch share it, or there is one for each.
    """

    family = "posed"
    needs_source = True
    has_inner_pictures = False

    def __init__(self, config: PosedConfig) -> None:
        super().__init__()
        c = self.config = config
        self.resolution, self.img_channels = c.resolution, 3
        self.z_dim, self.c_dim, self.w_dim, self.num_ws = c.z_dim, 0, c.w_dim, 1
        self.num_blocks = len(c.channels)
        self.mapping = MappingNetwork(c)
        self.synthesis = Synthesis(c)
        self.layers = _layers(c)
        self.noise_shapes = tuple((c.sizes[k],) * 2 for k in range(self.num_blocks) for _ in range(2 if k else 1))
        self._reposing: Reposing | None = None
        self._features: list[Tensor] | None = None

    # -- what it draws -------------------------------------------------------------------------------------------------
    @contextmanager
    def reposed(self, reposing: Reposing) -> Iterator[None]:
        """Draws this source in this pose, inside the ``with``; differentiable in its tensors."""
        before = self._reposing, self._features
        self._reposing, self._features = reposing, None
        try:
            yield
        finally:
            self._reposing, self._features = before

    def source_features(self, reposing: Reposing) -> list[Tensor]:
        """F [N, C_k, H_k, W_k], which modulate scale k: the source's own, and the garment's where it shall be."""
        encoder, slip = self.synthesis.source, self.config.slip
        body = reposing.body
        warped = encoder.warped(reposing.picture, reposing.silhouette, reposing.flow, body, slip)
        if reposing.garment is not None:
            g = reposing.garment
            for k, theirs in enumerate(encoder.warped(g.picture, g.silhouette, g.flow, body, slip)):
                m = F.interpolate(g.mask, size=theirs.shape[2:], mode="bilinear", align_corners=slip)
                warped[k] = torch.lerp(warped[k], theirs, m)
        return encoder.pyramid(warped)

    def _in_force(self) -> tuple[Reposing, list[Tensor]]:
        if self._reposing is None:
            raise ValueError(NO_SOURCE)
        if self._features is None:
            self._features = self.source_features(self._reposing)
        return self._reposing, self._features

    # -- the picture ---------------------------------------------------------------------------------------------------
    def block_layers(self, i: int) -> slice:
        """Two layers are block 0's, three each the others'."""
        return slice(max(3 * i - 1, 0), 3 * i + 2)

    def block_noise(self, noise: Noise) -> Sequence[Noise]:
        """Block 0 has one noise picture, the others two each."""
        return split_noise(noise, [2 if i else 1 for i in range(self.num_blocks)])

    def step(
        self,
        i: int,
        state: State | None,
        styles: Sequence[Tensor],
        noise: Noise = "const",
        dtype: torch.dtype | None = None,
    ) -> State:
        """Scale i, in float32 always: normalisation sums over all pixels. See `StyleBased.step`."""
        self._check_step(i, state, styles)
        reposing, features = self._in_force()
        scale = self.synthesis.scale(i)
        own, source, n = list(styles), features[i], len(styles[0])
        convs = [scale.up, scale.conv] if i else [scale.conv]
        names = [layer.name for layer in self.layers[self.block_layers(i)][:-1]]
        maps = layer_noise(noise, convs, names, n, True)
        if state is None:
            x, img = self.synthesis.pose(reposing.pose)[0].expand(n, -1, -1, -1), None
        else:
            x, img = scale.up(state.x.float(), own.pop(0), features[i - 1], maps.pop(0)), state.img
        x = scale.conv(x, own[0], source, maps[0])
        return State(x, scale.torgb(x, own[1], source, img))

    def image(self, state: State) -> Tensor:
        """The colours of the state after the last block; those before are parts of a sum, and no pictures."""
        if state.img is None or state.img.shape[-1] != self.resolution:
            raise ValueError(f"Pose with Style has a picture only after the last block, {self.num_blocks - 1}")
        return state.img


def _layers(config: PosedConfig) -> tuple[Layer, ...]:
    found = []
    for k, (count, size) in enumerate(zip(config.channels, config.sizes, strict=True)):
        if k:
            found.append(Layer(f"s{k}.up", "conv", k, 0, config.channels[k - 1], size))
        found.append(Layer(f"s{k}.conv", "conv", k, 0, count, size))
        found.append(Layer(f"s{k}.torgb", "torgb", k, 0, count, size))
    return tuple(found)
