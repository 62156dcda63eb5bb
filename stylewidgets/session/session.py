"""GeneratorSession: one generator on one device, and everything that turns a Latent into pixels. The only door to a model."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .._fork import remember
from ..core.checks import check_finite
from ..core.devices import choose_device, choose_dtype
from ..generators.protocol import Generator, HasView, View
from ..latent.latent import Code, Edit, Latent, Transform
from . import drawing, inside, pictures, tuning
from .checks import check_latent, in_s
from .noise import SeededNoise
from .synthesis import versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..directions import DirectionSet
    from .engine import Engine

_KEPT_SEEDS = 256


class GeneratorSession:
    """Owns a generator: moves it to `device`, sets it to evaluation, freezes its parameters and locks every use.

    Args:
        generator: a generator module such as `StyleGAN2`, or one of your own that fits `generators.Generator`.
        device: "cpu", "cuda", "cuda:1" ...; None is CUDA where there is a GPU, else the CPU.
        precision: "auto", "fp32", "bf16" or "fp16", of features in blocks of 32 pixels and more. "auto" is bf16 or else
            fp16 on CUDA, fp32 on the CPU. On the CPU "bf16" and "fp16" are for the frames of a drag in a widget; every
            other picture is fp32 there. Mapping, styles and colours always are fp32.
        name: for display.
        metadata: plain values that came with the weights.
        directions: a `DirectionSet`, or the path of a file with one, read at first use.

    Attributes:
        lock: a `threading.RLock`; hold it while you use `generator` directly.
        resolution: longer side of the picture in pixels.
        img_channels: colours of the picture, 3 or 1.
        num_ws, w_dim, z_dim: rows of w+; lengths of w and z.
        c_dim: classes of a conditional generator, 0 for others.
        layers: the style layers in StyleSpace order.
        noise_shapes: (height, width) of each noise picture; () for a generator without.
        has_inner_pictures: whether smaller pictures come true, and quicker, from inner blocks.
        source: what `load` was called with ("" for the default), None for a session made by hand.
        half: dtype of the features in larger blocks, None for float32: always on a CPU.
        drag_half: the same for the frames of a drag, which are neither saved nor compared.

    Raises:
        ValueError: an unknown device or precision.
    """

    def __init__(
        self,
        generator: Generator,
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
        self.resolution, self.img_channels = generator.resolution, generator.img_channels
        self.num_ws, self.w_dim, self.z_dim, self.c_dim = (
            generator.num_ws,
            generator.w_dim,
            generator.z_dim,
            generator.c_dim,
        )
        self.layers, self.noise_shapes = generator.layers, generator.noise_shapes
        self.has_inner_pictures = generator.has_inner_pictures
        self._directions = directions
        self._random = SeededNoise(self.noise_shapes, self.z_dim, self.device)
        self._seeds: OrderedDict[tuple[int, int | None], Tensor] = OrderedDict()
        self._seeds_of: object = None
        self._viewed = self.generator if isinstance(self.generator, HasView) else None
        self._engines: dict[bool, Engine] = {}
        self._memory: dict[object, tuple[object, object]] = {}
        remember(self)

    # -- what it can do and has ---------------------------------------------------------------------------------------
    @property
    def w_avg(self) -> Tensor:
        """Mean of w, [w_dim]."""
        return self.generator.w_avg

    @property
    def view_kind(self) -> type[View] | None:
        """The class of the views that latents may have here, such as `Transform` (StyleGAN3); None for no views."""
        return None if self._viewed is None else self._viewed.view_kind

    @property
    def can_transform(self) -> bool:
        """Whether latents may have a `Transform` here (StyleGAN3)."""
        return self.view_kind is Transform

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

    def over(self, generator: Generator, precision: str | None = None) -> GeneratorSession:
        """A session over another generator, such as a tuned copy, with this one's device, metadata and directions."""
        made = GeneratorSession(
            generator,
            device=self.device,
            precision=precision or self.precision,
            name=f"{self.name} (fitted)",
            metadata=self.metadata,
            directions=self.directions,
        )
        made.source = self.source
        return made

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
        self.check(latent)
        if latent.code is not None and latent.code.space == "s":
            raise ValueError("a code in s has no w; use session.code_styles(latent)")
        with self._quiet():
            ws: Tensor = self.generator.truncate(
                self._source(latent), latent.psi, latent.cutoff, self._one_hot(latent.label)
            )
            for edit in latent.edits:
                if edit.direction.space == "w" and edit.strength:
                    ws = ws + self._shift(edit)
            return ws

    def code_styles(self, latent: Latent) -> list[Tensor]:
        """Styles of a latent, one [1, C_l] per layer: `map`, `styles`, then the edits in s.

        For a code in s, truncation and edits in w are applied too: the style layers are affine, so they carry over.
        """
        self.check(latent)
        with self._quiet():
            if latent.code is not None and latent.code.space == "s":
                styles = self._styles_of_code(latent)
            else:
                styles = list(self.generator.styles(self.map(latent)))
            for edit in latent.edits:
                if edit.direction.space == "s" and edit.strength:
                    parts = self._split(self._tensor(edit.direction.vector) * (edit.strength * edit.direction.sigma))
                    first, last = edit.layers or (0, self.num_ws)
                    styles = [
                        s + part if first <= layer.ws_index < last else s
                        for s, part, layer in zip(styles, parts, self.layers, strict=True)
                    ]
            return styles

    def interpolate(self, a: Latent, b: Latent, t: float) -> Latent:
        """The latent at t between two: linear in w+, or in s when either has a code or edits there.

        t = 0 and 1 give `a` and `b` themselves, values beyond extrapolate. Others are a code without truncation and
        edits; label and noise are those of the nearer one, the transform moves along.
        """
        t = check_finite("t", t)
        if t in (0.0, 1.0):
            return self.check(a if t == 0.0 else b)
        near = a if t < 0.5 else b
        if in_s(a) or in_s(b):
            left, right = (torch.cat(self.code_styles(latent), dim=1)[0] for latent in (a, b))
            space = "s"
        else:
            left, right = self.map(a)[0], self.map(b)[0]
            space = "w+"
        code = Code(space, torch.lerp(left, right, t).cpu().numpy())
        return Latent(
            code=code,
            label=near.label,
            noise_mode=near.noise_mode,
            noise_seed=near.noise_seed,
            transform=a.transform.towards(b.transform, t),
        )

    # -- tensors and pictures: functions of the files they stand in, each with a docstring of its own ------------------
    styles, synthesize, activations = drawing.styles, drawing.synthesize, drawing.activations
    viewed, noise, cache = drawing.viewed, drawing.noise, drawing.cache
    image, render, images = pictures.image, pictures.render, pictures.images

    # -- what others need of the generator ---------------------------------------------------------------------------
    map_z, truncate, sample_w, each_class = inside.map_z, inside.truncate, inside.sample_w, inside.each_class
    affine, parameters, noise_maps = inside.affine, inside.parameters, inside.noise_maps
    fingerprint, remembered, save = inside.fingerprint, inside.remembered, inside.save
    tuned, trainable = tuning.tuned, tuning.trainable
    transformed = viewed  # its name in version 0.1

    # -- inside ------------------------------------------------------------------------------------------------------
    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """Locked, without gradients, yet giving tensors that gradients may pass through later."""
        with self.lock, torch.inference_mode(False), torch.no_grad():
            yield

    def _source(self, latent: Latent) -> Tensor:
        """w+ before truncation, [1, num_ws, w_dim]."""
        if latent.code is not None:
            rows = self._tensor(latent.code.array)
            if latent.code.space == "z":
                return self._mapped(rows[None], latent.label)
            return rows.expand(1, self.num_ws, -1).clone()
        if latent.blend:
            return torch.stack([self._seed(seed, latent.label) * weight for seed, weight in latent.blend]).sum(dim=0)
        assert latent.seed is not None
        return self._seed(latent.seed, latent.label)

    def _seed(self, seed: int, label: int | None) -> Tensor:
        """w+ of one seed, kept for the next time: dragging an edit does not run the mapping network."""
        current = versions(self.generator.mapping)
        if current != self._seeds_of:
            self._seeds.clear()
            self._seeds_of = current
        key = (seed, label)
        if key not in self._seeds:
            z = np.random.RandomState(seed).randn(1, self.z_dim)
            self._seeds[key] = self._mapped(self._tensor(z), label)
            if len(self._seeds) > _KEPT_SEEDS:
                self._seeds.popitem(last=False)
        self._seeds.move_to_end(key)
        return self._seeds[key].clone()

    def _mapped(self, z: Tensor, label: int | None) -> Tensor:
        c = self._one_hot(label)
        return self.generator.map(z, None if c is None else c.expand(len(z), -1))

    def _one_hot(self, label: int | None) -> Tensor | None:
        """c [1, c_dim] of a class."""
        if label is None:
            return None
        return torch.nn.functional.one_hot(
            torch.tensor([label], dtype=torch.int64, device=self.device), self.c_dim
        ).float()

    def _shift(self, edit: Edit) -> Tensor:
        """What an edit adds to w+, [1, num_ws, w_dim]."""
        first, last = edit.layers or (0, self.num_ws)
        rows = self._tensor(edit.direction.vector).expand(self.num_ws, -1)
        shift = torch.zeros(1, self.num_ws, self.w_dim, device=self.device, dtype=torch.float32)
        shift[0, first:last] = rows[first:last] * (edit.strength * edit.direction.sigma)
        return shift

    def _styles_of_code(self, latent: Latent) -> list[Tensor]:
        assert latent.code is not None
        styles = self._split(self._tensor(latent.code.array))
        shifts = [self._shift(edit) for edit in latent.edits if edit.direction.space == "w" and edit.strength]
        if latent.psi == 1 and not shifts:
            return styles
        centre = self.generator.centre(self._one_hot(latent.label)).expand(1, self.num_ws, -1)
        mean = self.generator.styles(centre)
        if latent.psi != 1:
            cut = self.num_ws if latent.cutoff is None else latent.cutoff
            styles = [
                m + (s - m) * latent.psi if layer.ws_index < cut else s
                for s, m, layer in zip(styles, mean, self.layers, strict=True)
            ]
        if shifts:
            moved = self.generator.styles(centre + torch.stack(shifts).sum(dim=0))
            styles = [s + (a - m) for s, a, m in zip(styles, moved, mean, strict=True)]
        return styles

    def _split(self, flat: Tensor) -> list[Tensor]:
        return list(torch.split(flat[None], [layer.channels for layer in self.layers], dim=1))

    def _tensor(self, array: NDArray[Any]) -> Tensor:
        return torch.tensor(array, dtype=torch.float32, device=self.device)
