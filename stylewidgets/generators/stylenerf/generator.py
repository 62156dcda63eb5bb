"""StyleNeRF (Gu et al., ICLR 2022): a style-modulated field drawn at a low resolution, and 1×1 layers that enlarge it."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...latent.camera import Camera
from ..mapping import MappingNetwork
from ..noise import split_noise
from ..protocol import Layer, Noise, Rays, State
from ..style_based import StyleBased, check_rows
from .cameras import pixel_grid, rays_of
from .config import StyleNeRFConfig
from .field import Backdrop, Background, BackgroundLatent, Field
from .rendering import Behind, Drawn, RenderOptions, backdrop, draw, frozen_pose, joined, pieces, sample_background
from .upsampler import UpBlock


class Synthesis(nn.Module):
    """The field, what stands behind it, and the blocks that enlarge it, under their published names."""

    alpha: Tensor

    def __init__(self, config: StyleNeRFConfig) -> None:
        super().__init__()
        self.fg_nerf = Field(config)
        self.bg_nerf = Background(config) if config.background == "nerf" else None
        self.background = BackgroundLatent(config) if config.background == "nerf" else None
        self.backdrop = Backdrop(config) if config.background == "colour" else None
        self.register_buffer("alpha", torch.tensor(float(config.alpha), dtype=torch.float32, device="cpu"))
        width = config.features
        for i, channels in enumerate(config.channels):
            self.add_module(f"b{config.rays << (i + 1)}", UpBlock(width, channels, config))
            width = channels

    def block(self, i: int, rays: int) -> UpBlock:
        """The i-th doubling."""
        found = self.get_submodule(f"b{rays << (i + 1)}")
        assert isinstance(found, UpBlock)
        return found


class StyleNeRF(StyleBased):
    """z → w → a scene in space → pictures of a camera. Block 0 draws the field, the others enlarge.

    Attributes:
        options: how the field is drawn; see `RenderOptions`.
    """

    family = "stylenerf"
    default_psi = 0.7
    view_kind = Camera
    has_inner_pictures = True
    has_previews = True

    def __init__(self, config: StyleNeRFConfig) -> None:
        super().__init__()
        c = self.config = config
        self.resolution, self.img_channels = c.resolution, c.img_channels
        self.z_dim, self.c_dim, self.w_dim, self.num_ws = c.z_dim, 0, c.w_dim, c.num_ws
        self.num_blocks = 1 + c.blocks_run
        self.mapping = MappingNetwork(c)
        self.synthesis: Synthesis = Synthesis(c)
        self.layers = _layers(c, self.synthesis)
        self.noise_shapes: tuple[tuple[int, int], ...] = ()
        self.options = RenderOptions()
        if c.background == "nerf":
            self.extra = {"background": c.background_dim}
        self._camera = Camera()
        self._angles: Tensor | None = None  # of cameras given as tensors

    # -- the picture ---------------------------------------------------------------------------------------------------
    def block_layers(self, i: int) -> slice:
        """The field's layers, and a backdrop's, are block 0's; three each are the others'."""
        first = sum(layer.block == 0 for layer in self.layers)
        return slice(0, first) if i == 0 else slice(first + 3 * (i - 1), first + 3 * i)

    def block_noise(self, noise: Noise) -> Sequence[Noise]:
        """There are no noise pictures."""
        return split_noise(noise, [0] * self.num_blocks)

    def step(
        self,
        i: int,
        state: State | None,
        styles: Sequence[Tensor],
        noise: Noise = "const",
        dtype: torch.dtype | None = None,
    ) -> State:
        """Block 0 draws the field, in float32 always; see `StyleBased.step`."""
        self._check_step(i, state, styles)
        if state is None:
            side = self.config.rays
            values = self.drawn(styles, side).values.transpose(1, 2)
            values = values.reshape(len(values), -1, side, side)
            colours = self.img_channels
            return State(values[:, colours:].contiguous(), values[:, :colours].contiguous())
        block = self.synthesis.block(i - 1, self.config.rays)
        assert state.img is not None
        x, img = block(state.x if dtype is None else state.x.to(dtype), state.img, list(styles))
        part = (self.config.alpha * len(self.config.channels)) % 1
        if i == self.config.blocks_run and part and self.config.alpha < 1:
            img = torch.lerp(F.interpolate(state.img, scale_factor=2, mode="bilinear"), img, part)
        return State(x, img)

    def image(self, state: State) -> Tensor:
        """The colours after any block."""
        if state.img is None:
            raise ValueError("a StyleNeRF has colours after every block; this state has none")
        return state.img

    def preview_resolution(self, i: int) -> int:
        """The picture so far is the preview: the field's own colours are a true picture, only small."""
        return self.config.rays << i

    def finish_small(self, i: int, x: Tensor, img: Tensor | None, styles: Sequence[Tensor]) -> Tensor:
        """The colours so far."""
        return self.image(State(x, img))

    # -- the scene -----------------------------------------------------------------------------------------------------
    @property
    def view_key(self) -> Hashable:
        """The cameras in force and how the field is drawn, None for the neutral one and the usual way."""
        seen: object = self._camera or None if self._angles is None else tuple(self._angles.detach().flatten().tolist())
        return None if seen is None and self.options == RenderOptions() else (seen, self.options)

    @contextmanager
    def viewed(self, view: Camera) -> Iterator[None]:
        """Draws what this camera sees, inside the ``with``; the one before is back afterwards.

        Raises:
            ValueError: the camera stands in what it shall see.
        """
        view = view or Camera()  # the neutral view of another kind is neutral, too
        least = self.reach
        if view.radius is not None and view.radius <= least:
            raise ValueError(
                f"a camera at a radius of {view.radius:g} stands inside of what it shall see: above {least:.3g} is outside, "
                f"{self.config.radius:g} is usual here"
            )
        with self._seen_by(view, None):
            yield

    @contextmanager
    def posed(self, angles: Tensor) -> Iterator[None]:
        """Draws what cameras of these angles show: yaw, pitch and roll [1 or N, 3] in degrees, differentiable."""
        check_rows("angles", angles, 3)
        with self._seen_by(Camera(), angles):
            yield

    @contextmanager
    def _seen_by(self, camera: Camera, angles: Tensor | None) -> Iterator[None]:
        before = self._camera, self._angles
        self._camera, self._angles = camera, angles
        try:
            yield
        finally:
            self._camera, self._angles = before

    @contextmanager
    def drawing(self, options: RenderOptions) -> Iterator[None]:
        """Draws the field in this way, inside the ``with``."""
        before, self.options = self.options, options
        try:
            yield
        finally:
            self.options = before

    @property
    def reach(self) -> float:
        """Half of how deep the field is."""
        return (self.config.depth[1] - self.config.depth[0]) / 2

    @property
    def bounds(self) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """The box of what is in front."""
        c, depth = self.config, self.reach
        if c.projection == "perspective":
            return (-depth, -depth, -depth), (depth, depth, depth)
        half, lift = c.radius * math.tan(math.radians(c.fov) / 2), c.middle[3]
        return (-half, lift - half, -depth), (half, lift + half, depth)

    @property
    def camera_range(self) -> Mapping[str, tuple[float, float]]:
        """What it was trained on, in degrees; of cameras from a normal distribution 95 in 100."""
        ranges = {"yaw": self.config.yaw, "pitch": self.config.pitch}
        if not self.config.normal:
            return ranges
        return {name: (1.5 * low - 0.5 * high, 1.5 * high - 0.5 * low) for name, (low, high) in ranges.items()}

    @property
    def sees_behind(self) -> bool:
        """Whether a background stands behind the box."""
        return self.config.background != "none"

    @property
    def span(self) -> tuple[float, float]:
        """Nearest and farthest t of a ray of the camera in force: what it sees moves with its radius."""
        further = 0.0 if self._camera.radius is None else self._camera.radius - self.config.radius
        return self.config.depth[0] + further, self.config.depth[1] + further

    def rays(self, height: int, width: int, count: int = 1) -> Rays:
        """The rays of the camera in force; t is the depth along the optical axis."""
        rays = self.rays_through(pixel_grid(height, width, self.w_avg))
        return Rays(*(x.expand(count, -1, -1) for x in rays))

    def rays_through(self, pixels: Tensor) -> Rays:
        """The rays of the camera in force through these places of the picture [R, 2], −1 to 1, x right and y up."""
        camera, pose = self._camera, self._angles
        if pose is None:
            pose = pixels.new_tensor([[camera.yaw, camera.pitch, camera.roll]])
        return rays_of(self.config, pose, pixels, camera.fov, camera.radius)

    def depth(self, x: Tensor | Sequence[Tensor], size: int | None = None) -> tuple[Tensor, Tensor]:
        """w, w+ or styles → how far along its ray each pixel's surface lies (the far end where there is none), and how opaque it
        is, both [N, 1, size, size]."""
        side = size or self.config.rays
        drawn = self.drawn(self._field_styles(x), side, colours=False)
        opaque = 1 - drawn.passed
        t = torch.where(opaque > 1e-3, drawn.depth / opaque.clamp(min=1e-3), self.span[1])
        return t.view(-1, 1, side, side), opaque.view(-1, 1, side, side)

    def surface(self, x: Tensor | Sequence[Tensor], size: int | None = None) -> Tensor:
        """w, w+ or styles → where each ray ends, in the scene's axes, [N, 3, size, size]: ``early`` of the public programs, which
        count what passes as t = 0. It is true where nothing does; `depth` is true elsewhere, too."""
        side = size or self.config.rays
        drawn, rays = self.drawn(self._field_styles(x), side, colours=False), self.rays(side, side)
        places = rays.origins + rays.directions * drawn.depth[..., None]
        return places.transpose(1, 2).reshape(len(places), 3, side, side)

    def density(self, x: Tensor | Sequence[Tensor], points: Tensor) -> Tensor:
        """w, w+ or styles and points [N, P, 3] → density [N, P]."""
        return self.synthesis.fg_nerf.inner(points, self._field_styles(x))[0]

    def drawn(self, styles: Sequence[Tensor], side: int, *, colours: bool = True) -> Drawn:
        """What side × side rays of the camera in force see, for the styles of block 0."""
        return self.see(styles, pixel_grid(side, side, self.w_avg), colours=colours)

    def see(self, styles: Sequence[Tensor], pixels: Tensor, *, random: bool = False, colours: bool = True) -> Drawn:
        """What rays through places [R, 2] of the picture see, for the styles of block 0, as of `rendering.draw`. Outside of
        autograd they go in pieces."""
        count, made = self.options.steps or self.config.samples, []
        closed = self.config.background == "none" or not self.options.background
        for some in pieces(self.config, len(pixels), count, len(styles[0])):
            rays = self.rays_through(pixels[some])
            behind = None if closed or not colours else self.behind(styles, rays, pixels[some])
            field = self.synthesis.fg_nerf
            made.append(
                draw(field, styles, rays, self.span, count, behind, closed=closed, random=random, colours=colours)
            )
        return joined(made)

    def behind(self, styles: Sequence[Tensor], rays: Rays, pixels: Tensor) -> Behind | None:
        """What stands behind the field on these rays, which go through these pixels [R, 2]."""
        made = self.synthesis
        if made.backdrop is not None:
            return backdrop(made.backdrop, styles[-1], pixels)
        if made.bg_nerf is None:
            return None
        if self.options.freeze_background:
            yaw, pitch = frozen_pose(self.config)
            roll = self._camera.roll if self._angles is None else float(self._angles[0, 2])
            rays = rays_of(self.config, pixels.new_tensor([[yaw, pitch, roll]]), pixels, None, None)
        return sample_background(made.bg_nerf, styles[-1], rays)

    def _field_styles(self, x: Tensor | Sequence[Tensor]) -> Sequence[Tensor]:
        styles = self.styles(x) if isinstance(x, Tensor) else list(x)
        return styles[self.block_layers(0)]


def _layers(c: StyleNeRFConfig, synthesis: Synthesis) -> tuple[Layer, ...]:
    """Every style layer in order. A block begins at the row of the colours before it."""
    field = synthesis.fg_nerf
    widths = [6 * c.frequencies, *[c.hidden] * (len(field.names) - 1)]
    found = [
        Layer(f"fg_nerf.{name}", "conv", 0, row, width, c.rays)
        for row, (name, width) in enumerate(zip(field.names, widths, strict=True))
    ]
    row = len(found)
    if synthesis.backdrop is not None:
        found.append(Layer("backdrop", "torgb", 0, row - 1, len(synthesis.backdrop.affine.bias), c.rays))
    if synthesis.background is not None:
        found.append(Layer("background", "input", 0, row - 1, c.background_dim, c.rays))
    width = c.features
    for i, channels in enumerate(c.channels[: c.blocks_run]):
        name, side = f"b{c.rays << (i + 1)}", c.rays << (i + 1)
        for part, kind, inputs in (("conv0", "conv", width), ("conv1", "conv", channels), ("torgb", "torgb", channels)):
            found.append(Layer(f"{name}.{part}", kind, i + 1, row, inputs, side))
            row += part != "torgb"
        width = channels
    return tuple(found)
