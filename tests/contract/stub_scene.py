"""A family with a scene in space whose depth is known: a painted ball with a smaller one as its nose, seen by parallel rays."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from stylewidgets import Camera
from stylewidgets.generators import Family, State, register
from stylewidgets.generators.protocol import Rays

from .stub_family import Stub, StubConfig
from .stub_family import infer_config as flat_config

RADIUS, NOSE_RADIUS, NOSE = 0.6, 0.2, (0.0, 0.0, 0.6)
SHARP = 60.0  # density inside


class Ball(Stub):
    """The stub's layers, painted on two balls. Axes: x right, y up, z to the viewer; the camera stands at a distance of 3."""

    family = "ball"
    has_previews = False
    view_kind = Camera
    bounds = ((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0))
    camera_range: Mapping[str, tuple[float, float]] = {"yaw": (-40.0, 40.0), "pitch": (-15.0, 15.0)}
    sees_behind = True
    fov = 36.87  # shows ± 1

    def __init__(self, config: StubConfig) -> None:
        super().__init__(config)
        self.synthesis.register_buffer("freqs", torch.randn(config.width, 3) * 2)
        self.num_blocks = 2
        self._camera: Camera | None = None

    @property
    def view_key(self) -> Camera | None:
        return self._camera

    @contextmanager
    def viewed(self, view: Camera) -> Iterator[None]:
        if view and view.radius is not None and view.radius <= 1.8:
            raise ValueError(
                f"a camera at a radius of {view.radius:g} stands inside of what it shall see: above 1.8 is outside"
            )
        before, self._camera = self._camera, view if isinstance(view, Camera) and view else None
        try:
            yield
        finally:
            self._camera = before

    @contextmanager
    def posed(self, angles: Tensor) -> Iterator[None]:
        yaw, pitch, roll = angles[0].tolist()
        with self.viewed(Camera(yaw, pitch, roll)):
            yield

    def turn(self) -> np.ndarray:
        """Scene to camera, [3, 3]."""
        c = self._camera or Camera()
        y, p, r = np.deg2rad([c.yaw, -c.pitch, -c.roll])
        yaw = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
        pitch = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
        roll = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
        return roll @ yaw @ pitch

    def rays(self, height: int, width: int, count: int = 1) -> Rays:
        camera = self._camera or Camera()
        far = camera.radius or 3.0
        half = 3.0 * math.tan(math.radians(camera.fov or self.fov) / 2)
        y, x = np.meshgrid(
            1 - (2 * np.arange(height) + 1) / height, (2 * np.arange(width) + 1) / width - 1, indexing="ij"
        )
        seen = np.stack([x * half, y * half, np.full_like(x, far)], -1).reshape(-1, 3)
        turn = self.turn()
        origins = torch.tensor(seen @ turn, dtype=torch.float32, device=self.device)
        directions = torch.tensor(-turn[2], dtype=torch.float32, device=self.device).expand_as(origins)
        return Rays(origins.expand(count, -1, -1), directions.expand(count, -1, -1))

    def hits(self, height: int, width: int) -> tuple[Tensor, Tensor]:
        """t of the nearest ball [H, W] and whether one is hit."""
        o, d = (x[0] for x in self.rays(height, width))
        nearest = torch.full((len(o),), 9.0)
        for centre, radius in (((0.0, 0.0, 0.0), RADIUS), (NOSE, NOSE_RADIUS)):
            to = o - torch.tensor(centre)
            b, c = (to * d).sum(1), (to * to).sum(1) - radius**2
            root = b * b - c
            nearest = torch.where(root > 0, torch.minimum(nearest, -b - root.clamp(min=0).sqrt()), nearest)
        return nearest.view(height, width), (nearest < 9).view(height, width)

    def depth(self, x: Tensor | Sequence[Tensor], size: int | None = None) -> tuple[Tensor, Tensor]:
        count = len(x) if isinstance(x, Tensor) else len(x[0])
        t, hit = self.hits(size or self.resolution, size or self.resolution)
        return t.expand(count, 1, -1, -1), hit.float().expand(count, 1, -1, -1)

    def density(self, x: Tensor | Sequence[Tensor], points: Tensor) -> Tensor:
        inside = torch.maximum(
            RADIUS - points.norm(dim=2), NOSE_RADIUS - (points - points.new_tensor(NOSE)).norm(dim=2)
        )
        return SHARP * (0.5 + inside * 16).clamp(0, 1)

    def step(
        self,
        i: int,
        state: State | None,
        styles: Sequence[Tensor],
        noise: str | Sequence[Tensor | None] = "const",
        dtype: torch.dtype | None = None,
    ) -> State:
        made = super().step(i, state, styles, noise, dtype)
        if i == 1:
            _, hit = self.hits(self.resolution, self.resolution)
            assert made.img is not None
            return State(made.x, torch.where(hit, torch.tanh(made.img), made.img.new_tensor(-0.9)))
        return made

    def _waves(self, n: int) -> Tensor:
        t, _ = self.hits(self.resolution, self.resolution)
        o, d = (x[0] for x in self.rays(self.resolution, self.resolution))
        places = o + d * t.view(-1, 1).clamp(max=4.0)
        waves = torch.sin(2 * math.pi * places @ self.synthesis.freqs.T * 0.5)
        return waves.T.reshape(-1, self.resolution, self.resolution).expand(n, -1, -1, -1)


def infer_config(params: Mapping[str, Tensor], **hints: object) -> StubConfig:
    return flat_config(params, **hints)


NOT_IN_SHAPES: tuple[str, ...] = ()
register(Family("ball", "Ball", __name__, "Ball"))
