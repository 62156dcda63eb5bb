"""GeneratorSession: one generator on one device, and everything that turns a Latent into pixels. The only door to a model."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..generators.protocol import Generator, HasSource, HasView
from ..latent.latent import Latent, Transform
from ..latent.view import View
from ..ops.devices import choose_device, choose_dtype
from . import codes, drawing, inside, pictures, scene, starting, tuning
from .checks import check_latent, label_vector
from .editors import Editors
from .fork import remember
from .noise import SeededNoise

if TYPE_CHECKING:
    from ..directions import DirectionSet
    from ..mixing.renderer import GridRenderer
    from ..render.renderer import LiveRenderer
    from .engine import Engine


_ORIGIN = {"page": "from", "url": "file", "citation": "cite"}


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
        picture_size: height and width of the picture in pixels.
        img_channels: colours of the picture: 3, 1, or 4 with an alpha that is not shown.
        num_ws, w_dim, z_dim: rows of w+; lengths of w and z.
        c_dim: classes of a conditional generator, 0 for others.
        layers: the style layers in StyleSpace order.
        noise_shapes: (height, width) of each noise picture; () for a generator without.
        has_inner_pictures: whether smaller pictures come true, and quicker, from inner blocks.
        editors: the machines that edits of some kinds need.
        source: what `load` was called with ("" for the default), None for a session made by hand.
        recipe: the arguments of the `load` that makes it anew, for pickle and copy; None for one made by hand, or fitted.
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
        self.recipe: Mapping[str, Any] | None = None
        self.generator = generator.to(self.device).eval().requires_grad_(False)
        self.resolution, self.img_channels = generator.resolution, generator.img_channels
        square = (self.resolution, self.resolution)
        self.picture_size: tuple[int, int] = getattr(getattr(generator, "config", None), "picture_size", square)
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
        self.editors = Editors(self)
        self._seeds: OrderedDict[tuple[object, ...], Tensor] = OrderedDict()  # w+ of seeds, and the weights they are of
        self._seeds_of: object = None
        self._viewed = self.generator if isinstance(self.generator, HasView) else None
        self._engines: dict[bool, Engine] = {}
        self._put: OrderedDict[str, object] = OrderedDict()
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
        # By name: sets of directions stand above this room.
        kind: type[DirectionSet] = import_module("stylewidgets.directions").DirectionSet
        with self.lock:
            if self._directions is None:
                self._directions = kind(w_dim=self.w_dim, num_ws=self.num_ws)
            elif not isinstance(self._directions, kind):
                self._directions = kind.load(str(self._directions)).check(self)
            return self._directions

    @property
    def origin(self) -> str:
        """Where the weights are from and under which terms, in a line: as their file, or the zoo, tells."""
        known = self.metadata
        licence = known.get("licence") or "not recorded in the file; ask where it comes from"
        parts = [self.name or "generator", f"licence: {licence}"]
        parts += [f"{words}: {known[key]}" for key, words in _ORIGIN.items() if known.get(key)]
        return "; ".join(str(part) for part in parts)

    def live(self) -> LiveRenderer:
        """What draws the frames of one live picture."""
        # By name: pictures on their way to a page stand above this room.
        made: LiveRenderer = import_module("stylewidgets.render.renderer").LiveRenderer(self)
        return made

    def grid_renderer(self) -> GridRenderer:
        """What draws the cells of grids of mixed styles."""
        made: GridRenderer = import_module("stylewidgets.mixing.renderer").GridRenderer(self)
        return made

    def offer(self, directions: DirectionSet) -> None:
        """Put more directions into `directions`, in place of those of the same name."""
        with self.lock:
            self._directions = self.directions.merge(directions, replace=True)

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickle, copy and other processes: what `load` was called with, and nothing of the weights."""
        # By name: what opens files stands beside, and imports this.
        return import_module("stylewidgets.session.load").remade(self)  # type: ignore[no-any-return]

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
        made.editors.take(self.editors)
        return made

    # -- latents -----------------------------------------------------------------------------------------------------
    def latent(self, **values: object) -> Latent:
        """Return a `Latent` of these values, checked against the generator. A conditional one gets label 0 by default, and
        one with a source the first that it was given.

        Several classes at once are ``label={3: 0.5, 7: 0.5}``, each with its weight; ``{}`` is none of them.

        Raises:
            TypeError: an unknown name, with the nearest one.
            ValueError: a value that does not fit; the text says what does.
        """
        if isinstance(label := values.get("label"), Mapping):
            values["label"] = label_vector(self.c_dim, label)
        latent = Latent().replace(**values)
        if self.c_dim and latent.label is None:
            latent = latent.replace(label=0)
        if latent.source is None and isinstance(self.generator, HasSource):
            latent = latent.replace(source=self.generator.first_source)
        return self.check(latent)

    @property
    def needs_source(self) -> bool:
        """Whether pictures are drawn from a source, a `Person` say, which `put` makes known."""
        return self.generator.needs_source

    @property
    def first_source(self) -> str | None:
        """The hash of the source that is drawn where a latent names none: the first that was `put`; None for none."""
        return self.generator.first_source if isinstance(self.generator, HasSource) else None

    def check(self, latent: Latent) -> Latent:
        """Return `latent` if this generator can draw it; else ValueError with what was given and what is accepted."""
        check_latent(self.generator, latent)
        if getattr(latent.view, "radius", None) is not None:
            with self.viewed(latent.view):  # the family knows whether a camera stands inside of what it shall see
                pass
        return latent

    # -- codes, tensors and pictures: functions of the files they stand in, each with a docstring of its own -----------
    map, code_styles, interpolate = codes.map, codes.code_styles, codes.interpolate
    tensor, flat_styles, editor = codes.tensor, codes.flat_styles, codes.editor
    edited_styles = codes.edited_styles
    styles, synthesize, activations = drawing.styles, drawing.synthesize, drawing.activations
    viewed, noise, cache, shown = drawing.viewed, drawing.noise, drawing.cache, drawing.shown
    image, render, images, batches = pictures.image, pictures.render, pictures.images, pictures.batches
    depth, normals, points, mesh = scene.depth, scene.normals, scene.points, scene.mesh
    depth_picture, has_scene = scene.depth_picture, property(scene.has_scene)
    camera_range, field_of_view = property(scene.camera_range), property(scene.field_of_view)

    # -- what others need of the generator ---------------------------------------------------------------------------
    map_z, truncate, sample_w, each_class = inside.map_z, inside.truncate, inside.sample_w, inside.each_class
    affine, parameters, noise_maps = inside.affine, inside.parameters, inside.noise_maps
    fingerprint, remembered, save = inside.fingerprint, inside.remembered, inside.save
    plain_facts = inside.plain_facts
    tuned, trainable = tuning.tuned, tuning.trainable
    put, known, start = starting.put, starting.known, starting.start
    transformed = viewed  # its name in version 0.1
