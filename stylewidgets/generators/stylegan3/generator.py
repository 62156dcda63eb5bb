"""StyleGAN3 generator, configurations T and R (Karras et al., "Alias-Free Generative Adversarial Networks", NeurIPS 2021)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...latent.view import Transform
from ..noise import NOISE_MODES
from ..protocol import Layer, Noise, State
from ..style_based import StyleBased
from .config import StyleGAN3Config, infer_config
from .geometry import can_be_reduced, known_bands, reduced
from .layers import AliasFreeLayer, AliasFreeToRGB, FourierInput, Rows

__all__ = ["StyleGAN3", "StyleGAN3Config", "infer_config"]

MAPPING_CLASSES = {"stylegan2": ("..mapping", "MappingNetwork"), "stylegan-xl": (".xl_mapping", "XLMapping")}


class SynthesisNetwork(nn.Module):
    """The Fourier input and the layers L0, L1, ... as submodules."""

    def __init__(self, config: StyleGAN3Config) -> None:
        super().__init__()
        self.input = FourierInput(config)
        self.names = [config.layer_name(i) for i in range(len(config.layers))]
        bands = known_bands(config)
        for i, name in enumerate(self.names):
            kind = AliasFreeToRGB if i == len(self.names) - 1 else AliasFreeLayer
            self.add_module(name, kind(config, i, bands))


class StyleGAN3(StyleBased):
    """A StyleGAN3 generator with every inner step reachable. Pictures are about [-1, 1], not clipped.

    Its blocks are the input and every single layer, so block i reads row i of w+. It takes no noise: the argument is
    accepted, as by the other families, and changes nothing. In training mode the running magnitudes of the layers follow
    each forward pass.

    Attributes:
        config: the `StyleGAN3Config`.
        z_dim, c_dim, w_dim, num_ws, resolution, img_channels, num_blocks: sizes.
        layers: every style layer in StyleSpace order: input (4 numbers: cosine, sine, shift right, shift down), L0, ...
        noise_shapes: ().
        has_inner_pictures: False; only the last block has a picture.
        has_previews: True where the filters are those of the published design.
        view_kind: `Transform`; see `set_transform`.
        mapping, synthesis: the two networks; ``mapping.w_avg`` is the mean of w.
    """

    family = "stylegan3"
    view_kind = Transform
    synthesis: SynthesisNetwork

    def __init__(self, config: StyleGAN3Config) -> None:
        super().__init__()
        self.config = config
        self.z_dim, self.c_dim, self.w_dim = config.z_dim, config.c_dim, config.w_dim
        self.num_ws, self.num_blocks = config.num_ws, config.num_blocks
        self.has_previews = can_be_reduced(config)
        self.resolution, self.img_channels = config.resolution, config.img_channels
        module, name = MAPPING_CLASSES[config.mapping]
        self.mapping = getattr(import_module(module, __package__), name)(config)
        self.synthesis = SynthesisNetwork(config)
        self.layers: tuple[Layer, ...] = (
            Layer("input", "input", 0, 0, 4, config.input_size),
            *(self._described(i) for i in range(1, self.num_blocks)),
        )
        self.noise_shapes: tuple[tuple[int, int], ...] = ()

    def _described(self, i: int) -> Layer:
        layer, kind = self._layer(i), "torgb" if i == self.num_blocks - 1 else "conv"
        return Layer(self.synthesis.names[i - 1], kind, i, i, layer.style_channels, layer.resolution)

    def _layer(self, block: int) -> AliasFreeLayer:
        module = self.synthesis.get_submodule(self.synthesis.names[block - 1])
        assert isinstance(module, AliasFreeLayer)
        return module

    def set_transform(self, matrix: object = None) -> None:
        """Move, turn or scale every picture from now on, inside the network: what comes into sight is drawn, too.

        The R configuration follows a rotation exactly; T follows translations. Frequencies that a small scale would push
        over the limit fade out. A matrix that came with the weights acts in addition.

        Args:
            matrix: [3, 3], from where a thing is to where it shall be, in homogeneous picture coordinates: the picture is
                1 wide around the origin, x to the right, y down. None: everything where it was.
        Raises:
            ValueError: not a matrix of finite numbers with an inverse and last row 0 0 1.
        """
        self.transform = None if matrix is None else tuple(tuple(row) for row in _inverse(matrix).tolist())

    @property
    def transform(self) -> Rows | None:
        """Rows of the inverse of what `set_transform` was given, or None. For caches, and to put it back."""
        return self.synthesis.input.moved

    @transform.setter
    def transform(self, rows: Rows | None) -> None:
        self.synthesis.input.moved = rows

    @property
    def view_key(self) -> Rows | None:
        """`transform`."""
        return self.transform

    @contextmanager
    def viewed(self, view: Transform) -> Iterator[None]:
        """`set_transform` inside, and what was in force before afterwards."""
        before = self.transform
        self.set_transform(view.matrix() if view else None)
        try:
            yield
        finally:
            self.transform = before

    def block_layers(self, i: int) -> slice:
        """Where block i's layers are in `layers`."""
        return slice(i, i + 1)

    def block_noise(self, noise: Noise) -> list[str]:
        """ "none" for every block, after a check of the argument."""
        if isinstance(noise, str) and noise not in NOISE_MODES:
            raise ValueError(f"noise is one of {', '.join(NOISE_MODES)}; {noise!r} was given")
        if not isinstance(noise, str) and len(noise):
            raise ValueError(f"StyleGAN3 takes no noise tensors; a list of {len(noise)} was given")
        return ["none"] * self.num_blocks

    def step(
        self,
        i: int,
        state: State | None,
        styles: Sequence[Tensor],
        noise: Noise = "none",
        dtype: torch.dtype | None = None,
    ) -> State:
        """Run block i on the state after block i − 1 (None for the input, block 0).

        Args:
            i: block index; block i > 0 is layer i − 1.
            state: result of the step before.
            styles: this block's styles, ``styles[generator.block_layers(i)]``.
            noise: not used.
            dtype: of the features where the layer is one that may run in half precision; None keeps them as they are.
        """
        self._check_step(i, state, styles)
        if state is None:
            return State(self.synthesis.input(styles[0]), None)
        layer = self._layer(i)
        x = state.x if dtype is None else state.x.to(dtype if layer.halves else torch.float32)
        x = layer(x, styles[0])
        return State(x, x * self.config.output_scale if i == self.num_blocks - 1 else None)

    def preview_resolution(self, i: int) -> int:
        """Pixels of the preview that `finish_small` makes after block i."""
        return (self.synthesis.input.rate, *self.config.rates)[i]

    def finish_small(self, i: int, x: Tensor, img: Tensor | None, styles: Sequence[Tensor]) -> Tensor:
        """About what the whole picture will be: the layers after block i with no more samples than its features have.

        Args:
            i: block index, not the last.
            x: features after that block.
            img: None.
            styles: of all layers after it.
        Returns:
            [N, img_channels, h, w] float32 with h = `preview_resolution`.
        """
        self._check_styles(styles, self.layers[i + 1 :])
        layers = reduced(self.config, self.preview_resolution(i), x.device)
        x = x.float()
        for block, style in enumerate(styles, start=i + 1):
            x = self._layer(block)(x, style, layers[block - 1])
        return x * self.config.output_scale

    def image(self, state: State) -> Tensor:
        """The picture of the state after the last block."""
        if state.img is None:
            raise ValueError(f"StyleGAN3 has a picture only after the last block, {self.num_blocks - 1}")
        return state.img


def _inverse(matrix: object) -> NDArray[np.floating]:
    """The inverse of an affine matrix, [3, 3]."""
    values = np.asarray(matrix, np.float64)
    if values.shape != (3, 3) or not np.isfinite(values).all() or not np.array_equal(values[2], [0, 0, 1]):
        raise ValueError(
            f"a transform is a matrix of 3 rows and 3 columns of finite numbers, the last row 0 0 1; "
            f"{values.tolist()!r:.120} was given"
        )
    try:
        inverse = np.linalg.inv(values)
    except np.linalg.LinAlgError:
        inverse = np.full((3, 3), np.nan)
    if not np.isfinite(inverse.astype(np.float32)).all():
        raise ValueError("the transform cannot be inverted: it flattens the picture to a line or a point")
    return inverse
