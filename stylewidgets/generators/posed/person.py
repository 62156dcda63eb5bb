"""A person from files: a picture, the silhouette and what DensePose says of it, checked and put in order."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ...core import pictures
from ...core.checks import unknown_name
from ...latent.pose import Pose
from .reposing import Garment, Reposing, flow_of, part_mask
from .surface import GARMENTS, PARTS, Bytes, Mask

if TYPE_CHECKING:
    from .atlas import Atlas

ORDERS = ("IUV", "VUI")
SWAPPED = "the IUV picture has its channels as V, U, I, as OpenCV writes them; they were put in order"
Given = str | os.PathLike[str] | Image.Image | NDArray[np.uint8]


def read_iuv(given: Given, order: str | None = None) -> tuple[Bytes, str]:
    """An IUV picture as DensePose writes it.

    Args:
        given: a path of a lossless picture, a PIL image, or uint8 [H, W, 3].
        order: "IUV" or "VUI", of its channels; None tells it by the numbers: parts are 0 to 24, and where there is none the
            others are 0, too.

    Returns:
        I, U, V as uint8 [H, W, 3], and the order that it had.

    Raises:
        ValueError: no such picture, or the order cannot be told.
    """
    array = _raw(given)
    if order is not None:
        if order not in ORDERS:
            raise unknown_name("order of channels", order, ORDERS)
        fitting = [order]
        if not _may_be_parts(array, 0 if order == "IUV" else 2):
            raise ValueError(
                f"the channels are no {', '.join(order)}: parts are 0 to {PARTS}, and U and V are 0 where I is 0"
            )
    else:
        fitting = [name for name, channel in (("IUV", 0), ("VUI", 2)) if _may_be_parts(array, channel)]
    if not fitting:
        middle = " The middle channel could be I: put the channels in order first." if _may_be_parts(array, 1) else ""
        raise ValueError(
            f"this is no IUV picture of DensePose: neither its first nor its last channel has parts 0 to {PARTS} with zeros "
            f"around the body.{middle} A JPEG, a resized or a coloured one (the visualisation) cannot be used"
        )
    if len(fitting) == 2 and not np.array_equal(array, array[..., ::-1]):
        raise ValueError(
            "the order of its channels cannot be told from so few numbers; give order='IUV' or order='VUI'"
        )
    found = array if fitting[0] == "IUV" else array[..., ::-1]
    if not found[..., 0].any():
        raise ValueError("the IUV picture shows no body: all of its parts are 0")
    return np.ascontiguousarray(found), fitting[0]


@dataclass(frozen=True, eq=False)
class Person:
    """A source from files. `Person.read` makes one.

    Attributes:
        picture: uint8 [H, W, 3].
        silhouette: bool [H, W], the person with hair and clothes, and all of the body.
        iuv: uint8 [H, W, 3].
        atlas: in which the body is written down.
        notes: what was done to the files, in sentences.
    """

    picture: Bytes
    silhouette: Mask
    iuv: Bytes
    atlas: Atlas
    notes: tuple[str, ...] = field(default=())

    @classmethod
    def read(cls, picture: object, silhouette: object, iuv: Given, atlas: Atlas, order: str | None = None) -> Person:
        """A person from three files of one size, as the published program wants them.

        Args:
            picture: whatever `stylewidgets` reads as a picture.
            silhouette: likewise; the person is white (or 1).
            iuv, order: as of `read_iuv`.
            atlas: `stylewidgets.read_atlas` makes one.

        Raises:
            ValueError: sizes differ, the silhouette or the body is empty, or a file is of another kind.
        """
        seen = np.asarray(pictures.read(picture, "" if isinstance(picture, str | os.PathLike) else "the picture"))
        surface, found = read_iuv(iuv, order)
        mask = _mask(silhouette)
        height, width = seen.shape[:2]
        for name, other in (("silhouette", mask), ("IUV picture", surface)):
            if other.shape[:2] != (height, width):
                raise ValueError(
                    f"the {name} is {other.shape[1]} by {other.shape[0]} pixels, the picture {width} by {height}: all three "
                    "belong to the same pixels. Run DensePose on this very picture, and do not scale its result"
                )
        if not mask.any():
            raise ValueError("the silhouette is empty: the person has to be white in it, all else black")
        return cls(seen, mask | (surface[..., 0] > 0), surface, atlas, (SWAPPED,) if found == "VUI" else ())

    def digest(self) -> str:
        """A SHA-256 of all that it is made of: what `Latent.source` calls it."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        found = hashlib.sha256(f"person {self.picture.shape} ".encode())
        for part in (self.picture, self.silhouette, self.iuv):
            found.update(np.ascontiguousarray(part).tobytes())
        found.update(self.atlas.digest())
        return found.hexdigest()

    def wearing(self, other: Person, part: str = "upper_body", strength: float = 1.0) -> Dressed:
        """This person with what another one wears: a source, too.

        Args:
            part: "upper_body", "lower_body", "full_body" or "face".
            strength: 0 is the person's own, 1 the other's.

        Raises:
            ValueError: an unknown part, a strength out of range, or the atlas does not know the parts.
        """
        if part not in GARMENTS:
            raise unknown_name("part to be transferred", part, GARMENTS)
        if not 0 <= strength <= 1:
            raise ValueError(f"strength is from 0 to 1; {strength!r} was given")
        self.atlas.needed_parts()
        return Dressed(self, other, part, float(strength))

    def target(self, pose: Pose, surface: NDArray[np.uint8] | None) -> Bytes:
        """The square IUV picture of a pose.

        Args:
            surface: that of ``pose.iuv``, as the session knows it.

        Raises:
            ValueError: angles, which files do not have; or the picture is of another size.
        """
        if surface is None:
            if pose.angles:
                raise ValueError(
                    f"angles were given ({', '.join(pose.angles)}); a person from files takes the pose of an IUV picture: "
                    "Pose(iuv=session.put(picture))"
                )
            return self._square
        iuv, _ = read_iuv(surface)
        if iuv.shape != self.iuv.shape:
            raise ValueError(
                f"the IUV picture of the target is {iuv.shape[1]} by {iuv.shape[0]} pixels, the source's "
                f"{self.iuv.shape[1]} by {self.iuv.shape[0]}. Both have to have one size"
            )
        return squared(iuv)

    def reposing(self, pose: Pose, surface: NDArray[np.uint8] | None, size: int, slip: bool) -> Reposing:
        """What a network of so many pixels is given to draw this person in a pose; arguments as of `target`."""
        iuv = self.target(pose, surface)
        picture, silhouette = self._tensors(size)
        target = _resized(torch.from_numpy(iuv).permute(2, 0, 1)[None].float(), size)
        return Reposing(picture, silhouette, target, self._flow(iuv, size, slip))

    @cached_property
    def _square(self) -> Bytes:
        return squared(self.iuv)

    @cached_property
    def _coordinates(self) -> tuple[Tensor, Tensor | None]:
        return self.atlas.coordinates(self._square)

    def _flow(self, iuv: Bytes, size: int, slip: bool) -> Tensor:
        """Where in this picture each pixel of a target is, [1, 2, size, size]."""
        chosen = _resized(torch.from_numpy(iuv).permute(2, 0, 1)[None].float(), size)
        small = chosen[0].permute(1, 2, 0).numpy().astype(np.uint8)
        body = (chosen[:, :1] != 0).float()
        coordinates, known = self._coordinates
        return flow_of(coordinates, self.atlas.places(small), body, slip, self._square.shape[0], known)

    def _tensors(self, size: int) -> tuple[Tensor, Tensor]:
        picture = torch.from_numpy(self.picture.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
        silhouette = torch.from_numpy(self.silhouette.astype(np.float32))[None, None]
        wide = [_padded(x) for x in (picture, silhouette)]
        if wide[0].shape[-1] != size:
            wide[0] = F.interpolate(wide[0], size=(size, size), mode="bilinear", antialias=True)
        return wide[0], _resized(wide[1], size)


@dataclass(frozen=True, eq=False)
class Dressed:
    """A person with a part of what another one wears; `Person.wearing` makes one."""

    person: Person
    other: Person
    part: str
    strength: float

    def digest(self) -> str:
        """A SHA-256 of both, the part and the strength."""
        text = f"{self.person.digest()} {self.other.digest()} {self.part} {self.strength!r}"
        return hashlib.sha256(text.encode()).hexdigest()

    def reposing(self, pose: Pose, surface: NDArray[np.uint8] | None, size: int, slip: bool) -> Reposing:
        """As of `Person`, the pose is that of the person."""
        made = self.person.reposing(pose, surface, size, slip)
        atlas, iuv = self.person.atlas, made.pose[0].permute(1, 2, 0).numpy().astype(np.uint8)
        mask = part_mask(atlas.needed_parts(), atlas.places(iuv), made.body, GARMENTS[self.part]) * self.strength
        picture, silhouette = self.other._tensors(size)
        worn = Garment(picture, silhouette, self.other._flow(iuv, size, slip), mask)
        return made._replace(garment=worn)


def squared(picture: Bytes) -> Bytes:
    """Zeros on both sides, or above and below, until it is square: [H, W, C] → [S, S, C]."""
    return _padded(torch.from_numpy(picture).permute(2, 0, 1)[None])[0].permute(1, 2, 0).contiguous().numpy()


def _padded(x: Tensor) -> Tensor:
    height, width = x.shape[2:]
    side = max(height, width)
    left, top = (side - width) // 2, (side - height) // 2
    return F.pad(x, (left, side - width - left, top, side - height - top))


def _resized(x: Tensor, size: int) -> Tensor:
    """Each pixel that of the nearest one: parts and masks have nothing between them."""
    return x if x.shape[-1] == size else F.interpolate(x, size=(size, size), mode="nearest-exact")


def _raw(given: Given) -> Bytes:
    """The numbers of a file as they are: no profile, no orientation, no transparency comes into it."""
    if isinstance(given, str | os.PathLike):
        path = Path(given).expanduser()
        if not path.is_file():
            raise FileNotFoundError(f"there is no IUV picture {given}")
        try:
            with Image.open(path) as image:
                if image.format == "JPEG":
                    raise ValueError(f"{given} is a JPEG, which changes the numbers; DensePose's PNG is needed")
                given = np.asarray(image)
        except (OSError, SyntaxError, Image.DecompressionBombError) as error:
            raise ValueError(f"{given} cannot be read as a picture: {error}") from error
    array = np.asarray(given)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or not array.size:
        raise ValueError(f"an IUV picture is uint8 [H, W, 3]; {array.dtype} {list(array.shape)} was given")
    return array


def _may_be_parts(array: Bytes, channel: int) -> bool:
    parts = array[..., channel]
    return int(parts.max()) <= PARTS and not array[parts == 0].any()


def _mask(given: object) -> Mask:
    values = np.asarray(pictures.read_mask(given))
    if values.ndim == 3:
        values = values[..., 0]
    if values.ndim != 2:
        raise ValueError(f"a silhouette is [H, W]; {list(values.shape)} was given")
    return np.asarray(values > (127 if values.max() > 1 else 0.5 if values.dtype.kind == "f" else 0))
