"""The face crop of FFHQ from the middles of the eyes and the corners of the mouth, and the way back into the picture.

Generators of aligned faces draw nothing else: a photograph must be cropped as their training pictures were before it can be
inverted. The geometry is that of the FFHQ data set (Karras et al., "A Style-Based Generator Architecture", CVPR 2019,
appendix C). Any detector that knows eyes and mouth will do, and four clicks on the picture do as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageFilter

from ...core import pictures
from ...core.checks import check_finite, check_int
from .mtcnn import Face, detect_faces

Array = NDArray[np.float64]
NAMES = ("eye_left", "eye_right", "mouth_left", "mouth_right")
"""The points, in order: middle of the eyes, corners of the mouth. Left and right are the picture's."""
_OVERSAMPLE, _LARGEST = 4, 4096  # the crop is made this much larger at first, then reduced: 4096 for 1024


@dataclass(frozen=True, eq=False)
class Alignment:
    """How a crop was taken.

    Attributes:
        quad: corners of the crop in the picture, [4, 2] pixels from its left and top edge: top left, bottom left, bottom
            right, top right. A square, turned with the face.
        picture: (width, height) of the picture.
        note: what there is to say, such as that one of several faces was taken.
    """

    quad: Array
    picture: tuple[int, int]
    note: str = ""

    @property
    def side(self) -> float:
        """Side of the crop in pixels of the picture."""
        return float(np.linalg.norm(self.quad[3] - self.quad[0]))

    @property
    def angle(self) -> float:
        """How far the crop is turned, in degrees clockwise."""
        right = self.quad[3] - self.quad[0]
        return math.degrees(math.atan2(right[1], right[0]))

    @property
    def outside(self) -> float:
        """How far the crop leaves the picture at most, as a share of its side; that part is filled by reflection."""
        low, high = self.quad.min(axis=0), self.quad.max(axis=0)
        beyond = max(*(-low), *(high - np.asarray(self.picture)), 0.0)
        return float(beyond / self.side)

    def to_picture(self, points: ArrayLike, size: int) -> Array:
        """Points [N, 2] of a crop of `size` pixels → points of the picture."""
        share = np.asarray(points, np.float64) / size
        origin, right, down = self.quad[0], self.quad[3] - self.quad[0], self.quad[1] - self.quad[0]
        return np.asarray(origin + share[..., :1] * right + share[..., 1:] * down)

    def to_crop(self, points: ArrayLike, size: int) -> Array:
        """Points [N, 2] of the picture → points of a crop of `size` pixels."""
        axes = np.stack([self.quad[3] - self.quad[0], self.quad[1] - self.quad[0]], axis=1)
        return np.asarray((np.asarray(points, np.float64) - self.quad[0]) @ np.linalg.inv(axes).T * size)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; `from_dict` reads them."""
        return {"quad": self.quad.tolist(), "picture": list(self.picture), "note": self.note}

    @classmethod
    def from_dict(cls, plain: Any) -> Alignment:
        """The inverse of `to_dict`. ValueError for anything else."""
        try:
            quad = np.asarray(plain["quad"], np.float64)
            width, height = (int(x) for x in plain["picture"])
            if quad.shape != (4, 2) or not np.isfinite(quad).all():
                raise ValueError("quad has four corners")
            return cls(quad, (width, height), str(plain.get("note", "")))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"this is no alignment: {error!r}") from error


def quad(points: ArrayLike) -> Array:
    """Corners [4, 2] of FFHQ's crop: top left, bottom left, bottom right, top right.

    Args:
        points: [4, 2], as `NAMES` says, in pixels from the left and top edge (of a detector whose whole numbers are the
            middles of pixels, such as dlib's, add 0.5).

    With e the middle between the eyes, d_e from one eye to the other and d_m from e to the middle of the mouth: the crop's
    upright axis is the mean of d_m and of d_e turned by 90°, its centre e + 0.1 d_m, half its side max(2 |d_e|, 1.8 |d_m|).

    Raises:
        ValueError: not four different points.
    """
    p = np.asarray(points, np.float64)
    if p.shape != (4, 2) or not np.isfinite(p).all():
        raise ValueError(f"four points (x, y) are needed, {', '.join(NAMES)}; an array {list(p.shape)} was given")
    eyes, mouth = (p[0] + p[1]) / 2, (p[2] + p[3]) / 2
    across, down = p[1] - p[0], mouth - eyes
    x = np.array([across[0] + down[1], across[1] - down[0]])
    if np.hypot(*x) < 1e-6 or np.hypot(*across) < 1e-6:
        raise ValueError(
            "these points do not lie like a face's: the eyes are in one place, or the mouth is above them. "
            f"The order is {', '.join(NAMES)}, where left is the picture's left"
        )
    x *= max(2.0 * np.hypot(*across), 1.8 * np.hypot(*down)) / np.hypot(*x)
    y = np.array([-x[1], x[0]])
    c = eyes + 0.1 * down
    return np.stack([c - x - y, c - x + y, c + x + y, c + x - y])


def detect(picture: object, smallest: int = 24) -> list[Face]:
    """Faces of a photograph, the biggest first; none gives an empty list.

    Needs the weights in the package facenet-pytorch (2 MB, MIT). See `mtcnn.REMEDY`: it must be installed without its
    dependencies.

    Args:
        picture: as of `align`.
        smallest: side of the smallest face to look for, in pixels. Larger is quicker.

    Raises:
        ImportError: the package is not there; the text says how to install it, and what else can be done.
    """
    return detect_faces(np.asarray(pictures.read(picture)), check_int("smallest", smallest, 12))


def align(
    picture: object, points: ArrayLike | None = None, size: int = 256, *, face: int | None = None
) -> tuple[Image.Image, Alignment]:
    """The crop of a face, as the generators of FFHQ know them.

    Args:
        picture: of any kind (`stylewidgets.core.pictures.read`): a path, an address, a PIL image, an array … A photograph is
            turned upright as its camera says.
        points: [4, 2], as `NAMES` says; None to look for a face.
        size: side of the crop, as a rule the generator's resolution.
        face: which of the faces found, 0 the biggest; None for the biggest, with a note if there are others.

    Returns:
        crop, alignment: what lies beyond the picture is a reflection of it that fades into its median colour.

    Raises:
        ValueError: there is no face, or not so many, or the points are not a face's.
        ImportError: no points were given and there is no detector.
    """
    opened, size = pictures.read(picture), check_int("size", size, 8, 8192)
    note = ""
    if points is None:
        points, note = _choose(detect(opened), face)
    alignment = Alignment(quad(points), opened.size, note)
    return _crop(opened, alignment, size), alignment


def paste_back(picture: object, crop: Image.Image, alignment: Alignment, feather: float = 0.08) -> Image.Image:
    """The picture with an edited crop in its place.

    Args:
        picture: the one that the crop was taken from.
        crop: a square picture of any size.
        feather: width of the soft border, as a share of the side.

    Raises:
        ValueError: another picture than the crop is from, or a crop that is not square.
    """
    opened, feather = pictures.read(picture), check_finite("feather", feather, 0.0, 0.5)
    if opened.size != alignment.picture:
        raise ValueError(
            f"this crop is of a picture of {alignment.picture[0]} × {alignment.picture[1]} pixels; "
            f"one of {opened.size[0]} × {opened.size[1]} was given"
        )
    if crop.width != crop.height:
        raise ValueError(f"a crop is square; {crop.width} × {crop.height} was given")
    crop = crop.convert("RGB")
    near = max(1, round(alignment.side))
    if crop.width > 1.5 * near:  # reduced first, since the transform takes single pixels
        crop = crop.resize((near, near), Image.Resampling.LANCZOS)
    side = crop.width
    low = np.maximum(np.floor(alignment.quad.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(alignment.quad.max(axis=0)).astype(int), opened.size)
    if (high <= low).any():
        return opened.copy()
    corners = alignment.to_crop(np.array([low, low + [1, 0], low + [0, 1]]), side)
    along, down = corners[1] - corners[0], corners[2] - corners[0]
    numbers = (along[0], down[0], corners[0, 0], along[1], down[1], corners[0, 1])
    box = (int(high[0] - low[0]), int(high[1] - low[1]))
    warped = crop.transform(box, Image.Transform.AFFINE, numbers, Image.Resampling.BICUBIC)
    mask = _soft_square(side, feather).transform(box, Image.Transform.AFFINE, numbers, Image.Resampling.BILINEAR)
    result = opened.copy()
    result.paste(warped, (int(low[0]), int(low[1])), mask)
    return result


def _choose(faces: Sequence[Face], wanted: int | None) -> tuple[Array, str]:
    if not faces:
        raise ValueError(
            "no face was found in this picture. Give the points yourself: points=[eye left, eye right, mouth left, "
            "mouth right] in pixels, or use a larger picture of the face, seen from the front"
        )
    index = 0 if wanted is None else check_int("face", wanted, 0)
    if index >= len(faces):
        raise ValueError(f"face {index} was asked for; {len(faces)} found, 0 is the biggest")
    note = f"{len(faces)} faces were found; the biggest was taken" if wanted is None and len(faces) > 1 else ""
    return np.asarray(faces[index].points)[[0, 1, 3, 4]], note


def _crop(picture: Image.Image, alignment: Alignment, size: int) -> Image.Image:
    corners, side = alignment.quad.copy(), alignment.side
    shrink = math.floor(side / size / 2)
    if shrink > 1:
        reduced = (max(1, round(picture.width / shrink)), max(1, round(picture.height / shrink)))
        corners *= np.array(reduced) / picture.size
        picture, side = picture.resize(reduced, Image.Resampling.LANCZOS), side / shrink
    border = max(round(side * 0.1), 3)
    low = np.maximum(np.floor(corners.min(axis=0)).astype(int) - border, 0)
    high = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + border, picture.size)
    if (high <= low).any():
        raise ValueError(
            "the face lies outside of the picture; the points are in its pixels, from the left and top edge"
        )
    picture, corners = picture.crop((*low.tolist(), *high.tolist())), corners - low
    before = np.maximum(-np.floor(corners.min(axis=0)).astype(int) + border, 0)
    after = np.maximum(np.ceil(corners.max(axis=0)).astype(int) - picture.size + border, 0)
    if max(*before, *after) > border - 4:
        before, after = (np.maximum(x, round(side * 0.3)) for x in (before, after))
        picture, corners = _padded(picture, before, after, side), corners + before
    large = min(size * _OVERSAMPLE, _LARGEST)
    made = picture.transform(
        (large, large), Image.Transform.QUAD, tuple(corners.reshape(-1)), Image.Resampling.BILINEAR
    )
    return made.resize((size, size), Image.Resampling.LANCZOS)


def _padded(picture: Image.Image, before: NDArray[np.int64], after: NDArray[np.int64], side: float) -> Image.Image:
    """Reflected outwards, softer and then plainer the further out. before, after: (x, y) pixels on each side."""
    pixels = np.pad(np.asarray(picture), ((before[1], after[1]), (before[0], after[0]), (0, 0)), "reflect")
    h, w = pixels.shape[:2]
    depth = [
        1 - np.minimum(np.arange(n) / max(a, 1), np.arange(n)[::-1] / max(b, 1))
        for n, a, b in ((h, before[1], after[1]), (w, before[0], after[0]))
    ]
    m = np.maximum(depth[0][:, None], depth[1][None])[..., None]  # 0 where the picture ends, 1 at the outer edge
    soft = np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(side * 0.02)), np.float64)
    made = pixels + (soft - pixels) * np.clip(3 * m + 1, 0, 1)
    made += (np.median(made, axis=(0, 1)) - made) * np.clip(m, 0, 1)
    return Image.fromarray(np.clip(np.rint(made), 0, 255).astype(np.uint8))


def _soft_square(side: int, feather: float) -> Image.Image:
    """A mask, 255 inside and falling to 0 at the border."""
    distance = (np.minimum(np.arange(side), np.arange(side)[::-1]) + 0.5) / max(feather * side, 1e-6)
    line = np.clip(distance, 0, 1)
    line = line * line * (3 - 2 * line)
    return Image.fromarray(np.rint(255 * np.minimum(line[:, None], line[None])).astype(np.uint8))


__all__ = ["NAMES", "Alignment", "Face", "align", "detect", "paste_back", "quad"]
