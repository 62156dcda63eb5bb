"""Avatars as sources of Pose with Style: part and place on the surface come from the renderer, and so does the exact way."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.checks import unknown_name
from ..generators.posed.reposing import OUTSIDE, Exact, Garment, Reposing
from ..latent.pose import Pose
from ..ops.devices import float_tensor
from .drawing.poses import Stance, flow_between
from .drawing.renderer import Render, render
from .pulling import angles_of
from .surface import GARMENTS, AvatarAtlas, Surface, Way, completed, light_on, spread
from .world.edits import swap_factors
from .world.groups import BODY, HEAD, columns
from .world.rows import defaults
from .world.sampling import sample

WAYS = ("exact", "atlas")


@dataclass(frozen=True, eq=False)
class Figure:
    """An avatar as the source of a generator that draws it in other poses.

    Args:
        factors: a row [F] or [1, F] in natural units, as `sample` gives.
        groups: of factors that the row has; with "body" it is drawn as a half figure, else as a head.
        way: "exact" brings each pixel of the target back into the source by its depth, and knows what is hidden; "atlas" looks
            it up by part, u and v in what the source shows, as the published program does with people.
        size: places on a side of the atlas.

    Raises:
        ValueError: a row of another length, or an unknown way.
    """

    factors: Tensor | NDArray[np.float32]
    groups: Sequence[str] = HEAD
    way: str = "exact"
    size: int = 256

    def __post_init__(self) -> None:
        row = float_tensor(self.factors).detach().to("cpu", torch.float32, copy=True)
        row = row.reshape(-1, row.shape[-1])
        if len(row) != 1:
            raise ValueError(f"a figure is one row of factors; {len(row)} were given")
        columns(tuple(self.groups)).check(row.shape, "Figure")
        if self.way not in WAYS:
            raise unknown_name("way from a target to its source", self.way, WAYS)
        object.__setattr__(self, "factors", row)
        object.__setattr__(self, "groups", tuple(self.groups))

    @property
    def framing(self) -> str:
        """ "half" with a body, else "head"."""
        return "half" if "body" in self.groups else "head"

    @property
    def angles(self) -> dict[str, float]:
        """Its own pose in degrees: yaw, pitch and roll of the head, and those of `world.body.POSE` where it has a body."""
        index = columns(tuple(self.groups)).index
        return {name: float(self._row[0, index[name]]) for name in angles_of(self.groups)}

    @property
    def _row(self) -> Tensor:
        assert isinstance(self.factors, Tensor)
        return self.factors

    def digest(self) -> str:
        """A SHA-256: what `Latent.source` calls it."""
        text = f"figure {self.groups} {self.way} {self.size} "
        return hashlib.sha256(text.encode() + self._row.numpy().tobytes()).hexdigest()

    def posed(self, pose: Pose) -> Tensor:
        """The factors [1, F] of this avatar in a pose.

        Raises:
            ValueError: an angle that it does not have, or one out of its range; or the pose of an IUV picture.
        """
        if pose.iuv is not None:
            raise ValueError("an avatar takes angles, such as Pose(yaw=20); an IUV picture was given")
        known = columns(tuple(self.groups))
        row = self._row.clone()
        for name, value in pose.angles.items():
            if name not in self.angles:
                raise unknown_name("angle of this avatar", name, tuple(self.angles))
            factor = known.factors[known.index[name]]
            if not factor.low <= value <= factor.high:
                raise ValueError(
                    f"{name} of this avatar is from {factor.low:g} to {factor.high:g} degrees; {value:g} was given"
                )
            row[0, known.index[name]] = value
        return row

    def reposing(self, pose: Pose, surface: object, size: int, slip: bool) -> Reposing:
        """What a network of so many pixels is given; see `generators.posed.Source`."""
        return self.towards(self.posed(pose), size)

    def towards(self, target: Tensor, size: int) -> Reposing:
        """The same, drawn as the surface of other factors [1, F] of these groups."""
        stance = Stance.of(target, size, self.groups, self.framing, ("uv",))
        seen, wanted = self._seen(size), Surface.of(stance.drawn)
        way = self.way_to(stance, wanted, size)
        light = spread(light_on(target, self.groups, self.framing, stance.limbs), wanted.part)
        exact = Exact(light, seen.light, way.known)
        return Reposing(seen.stance.drawn.image, seen.surface.body, wanted.pose, way.flow, exact=exact)

    def way_to(self, target: Stance, wanted: Surface, size: int) -> Way:
        """Where in the source each pixel of the target is, by the figure's own `way`. What the source hides is looked up on its
        other half; the backdrop stays in its place."""
        seen = self._seen(size)
        if self.way == "exact":
            way = flow_between(seen.stance, target)
            at = way.places * (2 / size) - 1
            own = torch.where(way.seen[..., None], at, OUTSIDE).permute(0, 3, 1, 2)
        else:
            own = seen.atlas.flow(wanted)
        return completed(own, seen.atlas, seen.surface, wanted)

    def wearing(self, other: Figure, part: str = "clothes", strength: float = 1.0) -> DressedFigure:
        """This avatar with a part of another one: a source, too.

        Args:
            part: one of `GARMENTS`.
            strength: 0 has the colours of its own that the part covers, 1 those of the other. The shape is the other's.

        Raises:
            ValueError: an unknown part, a strength out of range, or an avatar of other groups.
        """
        if part not in GARMENTS:
            raise unknown_name("part to take", part, GARMENTS)
        if not 0 <= strength <= 1:
            raise ValueError(f"strength is from 0 to 1; {strength!r} was given")
        if other.groups != self.groups:
            raise ValueError(f"both figures need one kind of rows: {self.groups} and {other.groups} were given")
        return DressedFigure(self, other, part, float(strength))

    def drawn(self, factors: Tensor, size: int, *outputs: str) -> Render:
        """The renderer's outputs for factors [N, F] of these groups."""
        return render(factors, size, outputs=outputs, groups=self.groups, framing=self.framing)

    def _seen(self, size: int) -> _Seen:
        """The source as it is, drawn and written down once for each size."""
        if size not in self._known:
            with torch.inference_mode(False), torch.no_grad():  # it may go on into something that is learned
                stance = Stance.of(self._row, size, self.groups, self.framing, ("image", "uv"))
                surface = Surface.of(stance.drawn)
                light = spread(light_on(self._row, self.groups, self.framing, stance.limbs), surface.part)
                self._known[size] = _Seen(stance, surface, AvatarAtlas.of(surface, self.size), light)
        return self._known[size]

    @cached_property
    def _known(self) -> dict[int, _Seen]:
        return {}


class _Seen(NamedTuple):
    stance: Stance
    surface: Surface
    atlas: AvatarAtlas
    light: Tensor


@dataclass(frozen=True, eq=False)
class DressedFigure:
    """An avatar with a part of another one; `Figure.wearing` makes one. Its shape comes from the other's factors."""

    figure: Figure
    other: Figure
    part: str
    strength: float

    @property
    def angles(self) -> dict[str, float]:
        """Those of the avatar."""
        return self.figure.angles

    def digest(self) -> str:
        """A SHA-256 of both, the part and the strength."""
        text = f"{self.figure.digest()} {self.other.digest()} {self.part} {self.strength!r}"
        return hashlib.sha256(text.encode()).hexdigest()

    def posed(self, pose: Pose) -> Tensor:
        """The factors [1, F] of what an ideal transfer shows in a pose. ValueError as `Figure.posed`."""
        row = self.figure.posed(pose)
        return swap_factors(row, self.other.factors, self.part, self.figure.groups)

    def reposing(self, pose: Pose, surface: object, size: int, slip: bool) -> Reposing:
        """As of `Figure`; the pose is that of the avatar, the part's shape that of the other."""
        return self.towards(self.figure.posed(pose), size)

    def towards(self, target: Tensor, size: int) -> Reposing:
        """The same, in the pose of other factors [1, F] of the avatar."""
        target = swap_factors(target, self.other.factors, self.part, self.figure.groups)
        own, theirs = self.figure.towards(target, size), self.other.towards(target, size)
        part = own.pose[:, :1].round()
        wanted = torch.tensor(GARMENTS[self.part], dtype=part.dtype, device=part.device)
        mask = torch.isin(part, wanted).float() * self.strength
        return own._replace(garment=Garment(theirs.picture, theirs.silhouette, theirs.flow, mask, theirs.exact))


def first_figure() -> Figure:
    """Whom a network of avatars draws before it is given a source: the half figure of seed 0, looking ahead, arms down."""
    row, neutral = (torch.from_numpy(x) for x in (sample(1, 0, groups=BODY), defaults(1, BODY)))
    index = columns(BODY).index
    angles = [index[name] for name in angles_of(BODY)]
    row[:, angles] = neutral[:, angles]
    return Figure(row, BODY)
