"""GeneratorSession: one generator on one device, and everything that turns a Latent into pixels. The only door to a model."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ..core.checks import check_int, unknown_name
from ..core.devices import choose_device, choose_dtype
from ..core.pixels import fit
from ..latent.latent import IDENTITY, NOISE_MODES, Latent, Transform
from .batching import in_batches, pictures_at_once
from .checks import check_latent, check_transform
from .codes import Codes
from .editors import Editors
from .fork import remember
from .starting import Starts
from .synthesis import SEEDED_NOISE, Noise, SeededNoise, synthesize, to_uint8

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..directions import DirectionSet
    from ..generators.protocol import Layer


class GeneratorSession(Starts):
    """Owns a generator: moves it to `device`, sets it to evaluation, freezes its parameters and locks every use.

    Args:
        generator: a generator module such as `StyleGAN2`.
        device: "cpu", "cuda", "cuda:1" ...; None is CUDA where there is a GPU, else the CPU.
        precision: "auto", "fp32", "bf16" or "fp16", of features in blocks of 32 pixels and more. "auto" is bf16 or else
            fp16 on CUDA, fp32 on the CPU. On the CPU "bf16" and "fp16" are for the frames of a drag in a widget; every
            other picture is fp32 there. Mapping, styles and colours always are fp32.
        name: for display.
        metadata: plain values that came with the weights.
        directions: a `DirectionSet`, or the path of a file with one, read at first use.

    Attributes:
        lock: a `threading.RLock`; hold it while you use `generator` directly.
        editors: the machines that edits of some kinds need.
        source: what `load` was called with ("" for the default), None for a session made by hand.
        half: dtype of the features in larger blocks, None for float32: always on a CPU.
        drag_half: the same for the frames of a drag, which are neither saved nor compared.

    Raises:
        ValueError: an unknown device or precision.
    """

    def __init__(
        self,
        generator: Any,
        *,
        device: str | torch.device | None = None,
        precision: str = "auto",
        name: str = "",
        metadata: Mapping[str, Any] | None = None,
        directions: DirectionSet | str | os.PathLike[str] | None = None,
    ) -> None:
        self.device = choose_device(device)
        self.drag_half = choose_dtype(precision, self.device)
        self.half = None if self.device.type == "cpu" else self.drag_half
        self.precision, self.name = precision, name
        self.metadata = dict(metadata or {})
        self.lock = threading.RLock()
        self.source: str | None = None
        self.generator = generator.to(self.device).eval().requires_grad_(False)
        self._directions = directions
        self._random = SeededNoise(generator.noise_shapes, self.z_dim, self.device)
        self.editors = Editors(self)
        self._codes = Codes(self)
        remember(self)

    # -- sizes -------------------------------------------------------------------------------------------------------
    @property
    def resolution(self) -> int:
        """Longer side of the picture in pixels."""
        return int(self.generator.resolution)

    @property
    def num_ws(self) -> int:
        """Rows of w+."""
        return int(self.generator.num_ws)

    @property
    def w_dim(self) -> int:
        """Length of w."""
        return int(self.generator.w_dim)

    @property
    def z_dim(self) -> int:
        """Length of z."""
        return int(self.generator.z_dim)

    @property
    def c_dim(self) -> int:
        """Classes of a conditional generator, 0 for others."""
        return int(self.generator.c_dim)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The style layers in StyleSpace order."""
        return tuple(self.generator.layers)

    @property
    def can_transform(self) -> bool:
        """Whether latents may have a `Transform` here (StyleGAN3)."""
        return bool(getattr(self.generator, "can_transform", False))

    @property
    def directions(self) -> DirectionSet:
        """The directions that came with the weights; an empty set when there are none."""
        from ..directions import DirectionSet

        with self.lock:
            if self._directions is None:
                self._directions = DirectionSet(w_dim=self.w_dim, num_ws=self.num_ws)
            elif not isinstance(self._directions, DirectionSet):
                self._directions = DirectionSet.load(self._directions).check(self)
            return self._directions

    def __repr__(self) -> str:
        return f"GeneratorSession({self.name or 'generator'}, {self.resolution} px, {self.device}, {self.precision})"

    # -- latents -----------------------------------------------------------------------------------------------------
    def latent(self, **values: Any) -> Latent:
        """Return a `Latent` of these values, checked against the generator. A conditional one gets label 0 by default.

        Raises:
            TypeError: an unknown name, with the nearest one.
            ValueError: a value that does not fit; the text says what does.
        """
        latent = Latent().replace(**values)
        if self.c_dim and latent.label is None:
            latent = latent.replace(label=0)
        return self.check(latent)

    def check(self, latent: Latent) -> Latent:
        """Return `latent` if this generator can draw it; else ValueError with what was given and what is accepted."""
        return check_latent(self.generator, latent)

    def map(self, latent: Latent) -> Tensor:
        """w+ of a latent, float32 [1, num_ws, w_dim]: mapped, blended, truncated, then edited in w.

        Raises:
            ValueError: the latent does not fit, or starts from a code in s, which has no w.
        """
        return self._codes.map(latent)

    def code_styles(self, latent: Latent) -> list[Tensor]:
        """Styles of a latent, one [1, C_l] per layer: `map`, `styles`, then the edits in s.

        For a code in s, truncation and edits in w are applied too: the style layers are affine, so they carry over.
        """
        return self._codes.code_styles(latent)

    def interpolate(self, a: Latent, b: Latent, t: float) -> Latent:
        """The latent at t between two: linear in w+, or in s when either has a code or edits there.

        t = 0 and 1 give `a` and `b` themselves, values beyond extrapolate. Others are a code without truncation and
        edits; label, noise and source are those of the nearer one, the view and vectors in `extra` move along.
        """
        return self._codes.interpolate(a, b, t)

    # -- tensors -----------------------------------------------------------------------------------------------------
    def styles(self, w: Tensor) -> list[Tensor]:
        """w+ [N, num_ws, w_dim] or w [N, w_dim] → one style [N, C_l] per layer, differentiable."""
        self._check_device(w)
        with self.lock:
            return list(self.generator.styles(w))

    def synthesize(
        self,
        x: Tensor | Sequence[Tensor],
        *,
        noise_mode: str = "const",
        noise_seed: int = 0,
        transform: Transform = IDENTITY,
    ) -> Tensor:
        """Pictures [N, C, H, W], float32 and about [-1, 1], differentiable in `x`.

        Args:
            x: w [N, w_dim], w+ [N, num_ws, w_dim] or a list of styles, on the session's device.
            noise_mode: "const", "random", "none" or "tf", as of `Latent`.
            noise_seed: of "random" and "tf"; equal for all N.
            transform: of all N, for generators that can.
        """
        tensors = [x] if isinstance(x, Tensor) else list(x)
        for tensor in tensors:
            self._check_device(tensor)
        if noise_mode not in NOISE_MODES:
            raise unknown_name("noise mode", noise_mode, NOISE_MODES)
        check_transform(self.generator, transform)
        with self.transformed(transform):
            styles = self.generator.styles(x) if isinstance(x, Tensor) else tensors
            if len(styles) != len(self.layers):
                raise ValueError(f"one style per layer is expected, {len(self.layers)}; {len(styles)} were given")
            return synthesize(self.generator, styles, self.noise(noise_mode, noise_seed), self.half)

    def noise(self, mode: str, seed: int = 0) -> Noise:
        """The noise argument of the generator: a mode, or for "random" and "tf" one tensor per convolution from the seed."""
        with self.lock:
            return self._random(mode, check_int("noise_seed", seed, 0)) if mode in SEEDED_NOISE else mode

    @contextmanager
    def transformed(self, transform: Transform) -> Iterator[None]:
        """Locked, with a transform in force for everything that the generator draws inside.

        Whoever runs the generator block by block wraps it in this; `image`, `images`, `synthesize` do.
        """
        with self.lock:
            if not self.can_transform:
                yield
                return
            before = self.generator.transform
            self.generator.set_transform(transform.matrix() if transform else None)
            try:
                yield
            finally:
                self.generator.transform = before

    # -- pictures ----------------------------------------------------------------------------------------------------
    def image(self, latent: Latent) -> NDArray[np.uint8]:
        """The picture as uint8 [H, W, 3] in the generator's full size."""
        with self.transformed(self.check(latent).transform), torch.inference_mode():
            styles = self.code_styles(latent)
            noise = self.noise(latent.noise_mode, latent.noise_seed)
            pixels = to_uint8(synthesize(self.generator, styles, noise, self.half))
            return np.ascontiguousarray(pixels[0])

    def render(self, latent: Latent) -> Image.Image:
        """The picture as a PIL image in the generator's full size."""
        return Image.fromarray(self.image(latent))

    def images(self, latents: Sequence[Latent], resolution: int | None = None) -> NDArray[np.uint8]:
        """Many pictures, uint8 [N, h, w, 3], drawn in batches.

        Args:
            latents: any number.
            resolution: longest side in pixels, for thumbnails; None for full size. Small ones may come from an inner
                block of at least four times that size, which saves most of the time of large generators.
        """
        if resolution is not None:
            resolution = check_int("resolution", resolution, 1)
        latents = list(latents)
        groups: dict[tuple[str, int, Transform], list[int]] = {}
        for i, latent in enumerate(latents):
            self.check(latent)
            seed = latent.noise_seed if latent.noise_mode in SEEDED_NOISE else 0
            key = (latent.noise_mode, seed, latent.transform)
            groups.setdefault(key, []).append(i)
        pictures: list[Any] = [None] * len(latents)
        for key, members in groups.items():
            for i, picture in zip(members, self._batches([latents[k] for k in members], key, resolution), strict=True):
                pictures[i] = picture
        if not pictures:
            side = self.resolution if resolution is None else min(resolution, self.resolution)
            return np.zeros((0, side, side, 3), np.uint8)
        return np.stack(pictures)

    # -- inside ------------------------------------------------------------------------------------------------------
    def _batches(
        self, latents: list[Latent], shared: tuple[str, int, Transform], resolution: int | None
    ) -> Iterator[NDArray[np.uint8]]:
        inner = None if resolution is None else _power_of_two(4 * resolution)

        def draw(part: Sequence[Latent]) -> list[NDArray[np.uint8]]:
            with self.transformed(shared[2]), torch.inference_mode():
                styles = [torch.cat(rows) for rows in zip(*map(self.code_styles, part), strict=True)]
                drawn = to_uint8(synthesize(self.generator, styles, self.noise(*shared[:2]), self.half, inner))
            return [fit(picture, resolution) for picture in drawn]

        yield from in_batches(latents, draw, pictures_at_once(self.generator, self.device, inner))

    def _check_device(self, tensor: Any) -> None:
        if not isinstance(tensor, Tensor):
            raise TypeError(f"a tensor is expected; {type(tensor).__name__} was given. torch.as_tensor(...) makes one")
        if tensor.device != self.generator.device:
            raise ValueError(
                f"a tensor on {tensor.device} was given; this session computes on {self.device}. "
                f"Use tensor.to({str(self.device)!r})"
            )


def _power_of_two(n: int) -> int:
    return 1 << (n - 1).bit_length()
