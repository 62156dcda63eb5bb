"""EG3D: a StyleGAN2 that draws three planes, and a camera that looks at what is between them (Chan et al., CVPR 2022)."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count

import torch
import torch.nn.functional as F
from torch import Tensor

from ...latent.camera import Camera
from ..layers import BlockChain, entering
from ..mapping import MappingNetwork
from ..noise import layer_noise, split_noise
from ..protocol import Layer, Noise, Rays, State
from ..style_based import StyleBased, check_rows
from ..stylegan2.flat import finish_small
from ..stylegan2.generator import SynthesisBlock, style_layers
from .cameras import LABEL, label_of, rays_of
from .config import TriPlaneConfig, infer_config
from .field import Decoder, features_of
from .head import Head
from .render import Numbers, Rendered, Volume, render
from .samples import Draws, Samples, spans

__all__ = ["Samples", "TriPlane", "TriPlaneConfig", "infer_config"]

PUBLISHED = Samples()
PREVIEWED = 1 / 3
"""Of the samples of a ray are in a preview."""


class CameraMapping(MappingNetwork):
    """A mapping network whose label is a camera: the frontal one unless another is given."""

    frontal: Tensor

    def __init__(self, config: TriPlaneConfig) -> None:
        super().__init__(config)
        straight = torch.zeros(1, 3, dtype=torch.float32, device="cpu")
        self.scale = config.label_scale if config.conditioned else 0.0
        self.register_buffer("frontal", label_of(config, straight), persistent=False)

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, z_dim] and cameras [N, 25] → w [N, w_dim]."""
        if not self.c_dim:
            return super().forward(z, c)
        c = self.frontal.expand(len(z), -1) if c is None else c
        return super().forward(z, c * self.scale)


class TriPlaneSynthesis(BlockChain[SynthesisBlock]):
    """The blocks of the backbone, the decoder of the field, and the head that enlarges what was rendered."""

    def __init__(self, config: TriPlaneConfig) -> None:
        super().__init__(config.backbone, SynthesisBlock)
        self.count = config.num_blocks
        self.decoder = Decoder(config.plane_features, config.hidden, config.decoder_lr)
        self.head = Head(config)

    @property
    def blocks(self) -> list[SynthesisBlock]:
        """Those of the backbone, the smallest first."""
        return super().blocks[: self.count]


class TriPlane(StyleBased):
    """An EG3D generator with every inner step reachable. Pictures are about [-1, 1], not clipped.

    Its blocks are those of the backbone, the last of which leaves the planes, and one that renders them and enlarges what it
    sees: only that one runs again when the camera moves.

    Attributes:
        config: the `TriPlaneConfig`.
        z_dim, w_dim, num_ws, resolution, img_channels, num_blocks: sizes.
        c_dim: 0: the camera that w depends on is no class. It is the frontal one, or ``extra={"conditioning": (yaw, pitch)}``
            of a latent, in degrees; `map` takes it as c [N, 2], or the 25 numbers of the published program.
        layers: every style layer: of the backbone, then head.block0.conv0 to head.block1.torgb, which all read the last row.
        noise_shapes: of the backbone; the head has none.
        samples: how rays are sampled; see `sampled`.
        mapping, synthesis: the two networks; ``mapping.w_avg`` is the mean of w.
    """

    family = "triplane"
    view_kind = Camera
    has_previews = True
    sees_behind = False
    default_psi = 0.7
    mapping: CameraMapping
    synthesis: TriPlaneSynthesis

    def __init__(self, config: TriPlaneConfig) -> None:
        super().__init__()
        self.config = config
        self.z_dim, self.c_dim, self.w_dim = config.z_dim, 0, config.w_dim
        self.num_ws, self.planes_block = config.num_ws, config.num_blocks - 1
        self.num_blocks, self.view_block = config.num_blocks + 1, config.num_blocks
        self.resolution, self.img_channels = config.resolution, config.img_channels
        if config.c_dim and config.conditioned:
            self.extra = {"conditioning": 2}
        self.mapping = CameraMapping(config)
        self.synthesis = TriPlaneSynthesis(config)
        head = self.synthesis.head.layers()
        backbone = style_layers(config.backbone, self.synthesis.blocks)
        self.layers: tuple[Layer, ...] = (
            *backbone,
            *(
                Layer(
                    f"head.{name}",
                    "torgb" if name.endswith("torgb") else "conv",
                    self.view_block,
                    self.num_ws - 1,
                    layer.style_channels,
                    layer.resolution,
                )
                for name, layer in head
            ),
        )
        inside = [[k for k, layer in enumerate(self.layers) if layer.block == i] for i in range(self.num_blocks)]
        self._slices = [slice(k[0], k[-1] + 1) for k in inside]
        convs = [layer for layer in backbone if layer.kind == "conv"]
        self.noise_shapes: tuple[tuple[int, int], ...] = tuple(
            config.size(layer.block) for layer in convs if config.use_noise
        )
        self.samples = PUBLISHED
        self._numbers: Numbers | None = None
        self._label: Tensor | None = None  # of the view in force
        self._nearer = 0.0  # by how much its camera is nearer than those of training
        self._view: Hashable = None
        self._fresh = count()
        self._kept: tuple[object, list[Tensor], Tensor] | None = None

    # -- cameras -------------------------------------------------------------------------------------------------------
    @property
    def bounds(self) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """Lowest and highest corner of the box that the planes span."""
        half = self.config.box / 2
        return (-half, -half, -half), (half, half, half)

    @property
    def camera_range(self) -> Mapping[str, tuple[float, float]]:
        """Yaw and pitch in degrees that it was trained on, about: a file does not tell them."""
        return {"yaw": self.config.yaw_range, "pitch": self.config.pitch_range}

    @property
    def view_key(self) -> Hashable:
        """The camera in force and how rays are sampled, None for the frontal one and the usual samples."""
        if self.samples.seed is None:
            return self._view, self.samples, next(self._fresh)  # no picture is the one before
        return None if self._view is None and self.samples == PUBLISHED else (self._view, self.samples)

    @contextmanager
    def viewed(self, view: Camera) -> Iterator[None]:
        """Draws what this camera sees, inside the ``with``; the one before is back afterwards.

        Raises:
            ValueError: the camera stands in the box.
        """
        if not view:
            with self._seen_by(None, 0.0, None):
                yield
            return
        least = self.config.box * 3**0.5 / 2
        if view.radius is not None and view.radius <= least:
            raise ValueError(
                f"a camera at a radius of {view.radius:g} stands inside of what it shall see: "
                f"above {least:.3g} is outside, {self.config.radius:g} is usual here"
            )
        angles = torch.tensor([[view.yaw, view.pitch, view.roll]], dtype=torch.float32, device=self.device)
        nearer = 0.0 if view.radius is None else self.config.radius - view.radius
        with self._seen_by(
            label_of(self.config, angles, view.fov, view.radius), nearer, tuple(view.to_dict().values())
        ):
            yield

    @contextmanager
    def posed(self, angles: Tensor) -> Iterator[None]:
        """Draws what cameras of these angles show: yaw, pitch and roll [1 or N, 3] in degrees, differentiable."""
        check_rows("angles", angles, 3)
        with self.seen_by(label_of(self.config, angles.float())):
            yield

    @contextmanager
    def seen_by(self, label: Tensor) -> Iterator[None]:
        """Draws what published cameras see, [1 or N, 25]: a matrix from camera to world, and intrinsics."""
        check_rows("a label", label, LABEL)
        with self._seen_by(label, 0.0, tuple(label.detach().flatten().tolist())):
            yield

    @contextmanager
    def _seen_by(self, label: Tensor | None, nearer: float, key: Hashable) -> Iterator[None]:
        before = self._label, self._nearer, self._view
        self._label, self._nearer, self._view = label, nearer, key
        try:
            yield
        finally:
            self._label, self._nearer, self._view = before

    @contextmanager
    def sampled(self, samples: Samples, numbers: Numbers | None = None) -> Iterator[None]:
        """Draws with other samples on its rays, inside the ``with``: ``Samples(seed=None)`` are fresh ones, as published.

        Args:
            samples: how many, and the seed that moves them.
            numbers: the random numbers themselves, in place of those of the seed.
        """
        before = self.samples, self._numbers
        self.samples, self._numbers = samples, numbers
        try:
            yield
        finally:
            self.samples, self._numbers = before

    def label(self, count: int = 1) -> Tensor:
        """The cameras in force, [count, 25]."""
        label = self.mapping.frontal if self._label is None else self._label
        if len(label) not in (1, count):
            raise ValueError(f"{len(label)} cameras are in force; {count} pictures were asked for")
        return label.expand(count, -1)

    def rays(self, height: int, width: int, count: int = 1) -> Rays:
        """The rays of the view in force, directions of length 1."""
        return rays_of(self.label(count), height, width)

    # -- what is between the planes ------------------------------------------------------------------------------------
    def planes(self, x: Tensor | Sequence[Tensor], noise: Noise = "const") -> Tensor:
        """w, w+ or styles → the planes [N, 3, C, H, W]. Without gradients those of the last call are kept."""
        styles = self.styles(x) if isinstance(x, Tensor) else list(x)
        self._check_styles(styles, self.layers)
        own = styles[: self._slices[self.planes_block].stop]
        keep = noise == "const" and not torch.is_grad_enabled()
        made = tuple((p.data_ptr(), p._version) for p in self.synthesis.state_dict().values()) if keep else None
        if keep and self._kept and self._kept[0] == made and all(map(torch.equal, self._kept[1], own)):
            return self._kept[2]
        state: State | None = None
        for i, each in enumerate(self.block_noise(noise)[: self.view_block]):
            state = self.step(i, state, styles[self.block_layers(i)], each)
        assert state is not None
        planes = self._split(state.x)
        if keep:
            self._kept = made, [style.clone() for style in own], planes
        return planes

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(1, (3, self.config.plane_features))  # type: ignore[no-untyped-call, no-any-return]

    def seen(self, planes: Tensor, height: int, width: int, *, part: float = 1.0, colours: bool = True) -> Rendered:
        """What the cameras in force see of planes [N, 3, C, H, W], all with [N, …, height · width].

        Args:
            part: of the samples.
            colours: False only gives depth and opacity.
        """
        config, rays = self.config, self.rays(height, width, len(planes))
        if config.near is None or config.far is None:
            near, far = spans(*rays, config.box)
        else:
            near, far = (
                rays.origins.new_full(rays.origins.shape[:2], max(end - self._nearer, 0.0))
                for end in (config.near, config.far)
            )
        coarse, fine = (
            own if given is None else given
            for own, given in ((config.coarse, self.samples.coarse), (config.fine, self.samples.fine))
        )
        counts = max(4, round(coarse * part)), round(fine * part)
        volume = Volume(planes, self.synthesis.decoder, config.box, config.axes, config.white_back)
        return render(volume, rays, near, far, counts, self._numbers or self._draws(planes.device), colours=colours)

    def _draws(self, device: torch.device) -> Draws:
        kept: Draws | None = self.__dict__.get("_drawn")
        if kept is None or (kept.seed, kept.device) != (self.samples.seed, device):
            kept = self.__dict__["_drawn"] = Draws(self.samples.seed, device)
        return kept

    def depth(self, x: Tensor | Sequence[Tensor], size: int | None = None) -> tuple[Tensor, Tensor]:
        """w, w+ or styles → distance along the ray of what each pixel shows, and how opaque it is, [N, 1, size, size] each.

        A picture has the same depth whatever else is in its batch; the published program clamps it to the nearest and the
        farthest sample of all.
        """
        side = self.config.field_size if size is None else size
        seen = self.seen(self.planes(x), side, side, colours=False)
        return seen.depth.reshape(-1, 1, side, side), seen.opacity.reshape(-1, 1, side, side)

    def density(self, x: Tensor | Sequence[Tensor], points: Tensor) -> Tensor:
        """w, w+ or styles and points [N, P, 3] → density [N, P], 0 and more per unit of length."""
        found = self.synthesis.decoder(
            features_of(self.planes(x), points, self.config.box, self.config.axes), colours=False
        )
        return F.softplus(found[0] - 1)

    def raw(self, x: Tensor | Sequence[Tensor], size: int | None = None, *, slip: bool = False) -> Tensor:
        """w, w+ or styles → the rendered picture before it is enlarged, [N, colours, size, size]: ``image_raw``, clean.

        Args:
            size: that the field is drawn at.
            slip: True gives what the published program returns. Where rendered features enter the head as they are and its first
                block does not enlarge (4X and 2X), that has this block's colours added to it by mistake.
        """
        side = self.config.field_size if size is None else size
        styles = self.styles(x) if isinstance(x, Tensor) else list(x)
        features = _square(self.seen(self.planes(styles), side, side), side)
        head, colours = self.synthesis.head, features[:, : self.img_channels]
        if slip and side == self.config.input_size and head.block0.up == 1:
            own = self._slices[self.view_block].start
            slipped: Tensor = head.block0(features, colours, styles[own : own + 3])[1]
            return slipped
        return colours

    # -- codes and blocks ----------------------------------------------------------------------------------------------
    def map(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, z_dim] and the camera that w belongs to, c [N, 2] (yaw, pitch in degrees) or [N, 25] → w+, not truncated.

        None is the frontal camera, so that planes do not change while the other camera, which looks at them, moves.
        """
        if c is not None and isinstance(c, Tensor) and c.ndim == 2 and c.shape[1] == 2 and self.extra:
            c = label_of(self.config, F.pad(c.float(), (0, 1)))
            c = c.expand(len(z), -1) if len(c) == 1 else c
        return super().map(z, c)

    def block_layers(self, i: int) -> slice:
        """Where block i's layers are in `layers`."""
        return self._slices[i]

    def block_noise(self, noise: Noise) -> list[Noise]:
        """Split a noise argument of `synthesize` into one per block; the last has none."""
        counts = [len(block.convs) if self.config.use_noise else 0 for block in self.synthesis.blocks]
        return [*split_noise(noise, counts), "none"]

    def step(
        self,
        i: int,
        state: State | None,
        styles: Sequence[Tensor],
        noise: Noise = "const",
        dtype: torch.dtype | None = None,
    ) -> State:
        """Run block i on the state after block i − 1 (None for the first). Steps 0 … num_blocks − 1 are `synthesize`.

        After the last block of the backbone ``x`` is the planes [N, 3 · C, H, W], float32; after the last of all it is what was
        rendered, of which the first three features are `raw`.
        """
        self._check_step(i, state, styles)
        if i == self.view_block:
            assert state is not None
            side = self.config.field_size
            features = _square(self.seen(self._split(state.x), side, side), side)
            entering_head = features if dtype is None else features.to(dtype)
            return State(features, self.synthesis.head(entering_head, styles))
        block = self.synthesis.blocks[i]
        names = [layer.name for layer in self.layers[self.block_layers(i)]]
        x = entering(block, None if state is None else state.x, len(styles[0]), dtype)
        drawn = layer_noise(noise, block.convs, names, len(styles[0]), self.config.use_noise)
        made = block(x, None if state is None else state.img, styles, drawn)
        if i < self.planes_block:
            return State(*made)
        assert made.img is not None
        return State(made.img.contiguous(memory_format=torch.channels_last), None)  # as the field is read quickest

    def image(self, state: State) -> Tensor:
        """The picture of the state after the last block."""
        if state.img is None or state.img.shape[1] != self.img_channels:
            raise ValueError(f"EG3D has a picture only after the last block, {self.num_blocks - 1}")
        return state.img

    # -- previews ------------------------------------------------------------------------------------------------------
    @property
    def sketch_sizes(self) -> tuple[int, ...]:
        """Sides that `sketch` may have: that of the field, and halves of it down to 8 pixels."""
        return tuple(self.config.field_size >> k for k in range(8) if k == 0 or self.config.field_size >> k >= 8)

    def sketch(self, x: Tensor, styles: Sequence[Tensor], side: int) -> Tensor:
        """About what the whole picture will be, of the planes: the field itself, of a third of the samples, not enlarged."""
        return _square(self.seen(self._split(x.float()), side, side, part=PREVIEWED), side)[:, : self.img_channels]

    def preview_resolution(self, i: int) -> int:
        """Longer side in pixels of the preview after block i: that of the field where the planes are a quarter of their side,
        half of it a block before, and so on. Later ones are no quicker than planes, and have the whole picture."""
        enough = max(self.planes_block - 2, 0)
        return max(self.config.field_size >> (enough - i), 1) if i <= enough else self.resolution

    def finish_small(self, i: int, x: Tensor, img: Tensor | None, styles: Sequence[Tensor]) -> Tensor:
        """About what the whole picture will be, before the planes are there: smaller ones are made of the features that are
        (`stylegan2.flat`), and then a `sketch`, or from later blocks the picture."""
        self._check_styles(styles, self.layers[self.block_layers(i).stop :])
        rest = self._slices[self.planes_block].stop - self._slices[i].stop
        if i < self.planes_block:
            x = finish_small(self.synthesis.blocks[i + 1 :], x, img, styles[:rest])
        side = self.preview_resolution(i)
        if side == self.resolution:
            return self.image(self.step(self.view_block, State(x.float(), None), styles[rest:]))
        return self.sketch(x, styles[rest:], side)


def _square(seen: Rendered, side: int) -> Tensor:
    """Features of side × side rays in reading order → [N, C, side, side]."""
    return seen.features.reshape(*seen.features.shape[:2], side, side)
