"""Contact sheets: avatars and their truth as pictures to look at."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ..world.groups import BODY, HEAD
from ..world.sampling import sample
from .clothing import ALL_REGIONS
from .renderer import Render, render

Pictures = npt.NDArray[np.uint8]  # [N, H, W, 3]

DRAWABLE = ("image", "segmentation", "landmarks", "depth", "normals", "uv")
_COLOURS = {
    "background": (236, 236, 240),
    "skin": (250, 200, 160),
    "nose": (235, 150, 110),
    "ears": (225, 130, 130),
    "neck": (205, 160, 120),
    "clothes": (90, 130, 200),
    "hair": (110, 75, 50),
    "hat": (60, 160, 140),
    "beard": (150, 110, 80),
    "eye_left": (40, 180, 90),
    "eye_right": (20, 120, 60),
    "brows": (60, 40, 90),
    "mouth": (205, 50, 90),
    "glasses": (20, 20, 30),
    "mouth_inner": (110, 10, 40),
    "torso": (90, 130, 200),
    "trousers": (70, 75, 95),
    "badge": (250, 215, 80),
    "sleeve_left": (120, 170, 235),
    "sleeve_right": (60, 100, 175),
    "upper_arm_left": (255, 190, 120),
    "upper_arm_right": (235, 150, 90),
    "forearm_left": (255, 165, 165),
    "forearm_right": (225, 120, 130),
    "hand_left": (190, 220, 110),
    "hand_right": (140, 185, 70),
    "eye_patch": (25, 25, 25),
    "face_paint": (60, 110, 255),
    "scar": (190, 40, 40),
    "earrings": (240, 200, 60),
    "headphones": (230, 60, 120),
    "moustache": (90, 55, 20),
}
_DOT = (0, 210, 255)


def contact_sheet(
    count: int = 64,
    seed: int = 0,
    resolution: int = 128,
    outputs: Collection[str] = ("image",),
    columns: int | None = None,
    correlated: bool = False,
    framing: str = "head",
) -> Image.Image:
    """One picture of many avatars.

    Args:
        count, seed, correlated: the avatars that `sample` gives.
        resolution: side of each avatar in pixels.
        outputs: of DRAWABLE; each avatar takes as many fields as there are outputs, side by side.
        framing: "head", or "half" for half figures.
        columns: avatars beside one another; as square a sheet as possible by default.

    Raises:
        ValueError: nothing to draw, or an output that has no picture.
    """
    if count < 1 or (columns is not None and columns < 1):
        raise ValueError(f"a sheet needs at least one avatar and one column, got {count} and {columns}")
    fields = (outputs,) if isinstance(outputs, str) else tuple(outputs)
    if not fields or set(fields) - set(DRAWABLE):
        raise ValueError(
            f"a sheet shows some of {', '.join(DRAWABLE)}; {', '.join(map(repr, fields)) or 'none'} was given"
        )
    asked = {*fields, *(("image",) if "landmarks" in fields else ())}
    groups = BODY if framing == "half" else HEAD
    rows = torch.from_numpy(sample(count, seed, correlated=correlated, groups=groups))
    drawn = render(rows, resolution, outputs=tuple(asked), groups=groups, framing=framing)
    tiles = np.concatenate([picture(drawn, name) for name in fields], 2)
    return tile(tiles, columns or max(1, round((count / len(fields)) ** 0.5)))


def picture(drawn: Render, name: str) -> Pictures:
    """An output as colours, [N, H, W, 3]. Depth: near is bright. Landmarks are drawn on the image."""
    if name == "image":
        return _bytes((drawn.image + 1) / 2)
    if name == "segmentation":
        table = np.array([_COLOURS[region] for region in ALL_REGIONS], np.uint8)
        coloured: Pictures = table[drawn.segmentation.cpu().numpy()]
        return coloured
    if name == "normals":
        return _bytes(drawn.normals / 2 + 0.5)
    if name == "uv":
        return _uv(drawn.uv)
    return _depth(drawn.depth) if name == "depth" else _landmarks(drawn)


def _depth(depth: Tensor) -> Pictures:
    from matplotlib import colormaps

    seen = depth.isfinite()
    near, far = depth[seen].min(), depth[seen].max()
    bright = torch.where(seen, 1 - 0.85 * (depth - near) / (far - near).clamp(min=1e-6), 0.0)
    coloured: Pictures = (colormaps["magma"](bright.cpu().numpy())[..., :3] * 255).astype(np.uint8)
    return coloured


def _uv(uv: Tensor) -> Pictures:
    """u as red, v as green, with a grid that shows how it lies on the surface."""
    u, v = uv.unbind(1)
    grid = ((u * 48).floor() + (v * 48).floor()) % 2
    colours = torch.stack([u, v, 0.55 + 0.0 * u], 1) * (0.8 + 0.2 * grid)[:, None]
    return _bytes(torch.where(u[:, None] < 0, 0.92, colours))


def _landmarks(drawn: Render) -> Pictures:
    made = []
    for face, points in zip(picture(drawn, "image"), drawn.landmarks.tolist(), strict=True):
        big = Image.fromarray(face // 2 + 100).resize((face.shape[1] * 4, face.shape[0] * 4), Image.Resampling.BICUBIC)
        pen, r = ImageDraw.Draw(big), max(3, face.shape[0] // 32)
        for x, y in points:
            pen.ellipse((4 * x - r, 4 * y - r, 4 * x + r, 4 * y + r), fill=_DOT, outline=(0, 40, 60))
        made.append(np.asarray(big.resize((face.shape[1], face.shape[0]), Image.Resampling.LANCZOS)))
    return np.stack(made)


def _bytes(colours: Tensor) -> Pictures:
    """[N, 3, H, W] in [0, 1] to [N, H, W, 3]."""
    pixels: Pictures = (colours.permute(0, 2, 3, 1) * 255 + 0.5).clamp(0, 255).to(torch.uint8).cpu().numpy()
    return pixels


def tile(tiles: Pictures, columns: int) -> Image.Image:
    """Pictures row by row on one sheet, white where there are none."""
    n, height, width, _ = tiles.shape
    rows = -(-n // columns)
    sheet = np.full((rows * columns, height, width, 3), 255, np.uint8)
    sheet[:n] = tiles
    joined = sheet.reshape(rows, columns, height, width, 3).swapaxes(1, 2).reshape(rows * height, columns * width, 3)
    return Image.fromarray(joined)


def save_sheet(sheet: Image.Image, path: str | Path) -> None:
    """Write a sheet in the format of the file's name; JPEG at quality 85."""
    sheet.save(path, quality=85, optimize=True)
