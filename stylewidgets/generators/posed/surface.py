"""The surface of a body as DensePose sees it, and its atlas (AlBahar et al. 2021, section 3.2).

A pixel of an IUV picture says which of 24 parts of the body it shows (I, 0 for none) and where on it (U and V, 0 to 255). A
look-up table takes all parts to one atlas; there a picture's own pixels are written down as coordinates, so that another
picture of the same body can ask where each of its pixels is in this one.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import os

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

PARTS = 24
TABLE = (PARTS, 256, 256, 2)
TABLE_NAME, PARTS_NAME = "dp_uv_lookup_256.npy", "uv_space_parts.npy"
HOW = (
    "it belongs to DensePose's body model and is not shipped here: the README of github.com/BadourAlBahar/pose-with-style says "
    "where to get it"
)

GARMENTS: dict[str, tuple[int, ...]] = {
    "upper_body": (1, 2, *range(15, 23)),
    "lower_body": tuple(range(7, 15)),
    "full_body": (1, 2, *range(7, 23)),
    "face": (23, 24),
}
"""Parts of the body that a garment covers, as published."""

_MIRRORED = np.array([0, 1, 2, *(part + 1 if part % 2 else part - 1 for part in range(3, PARTS + 1))], np.uint8)
_U_TURNS, _V_TURNS = (3, 4, 23, 24), (1, 2)


def read_table(path: str | os.PathLike[str], name: str = TABLE_NAME) -> NDArray[np.float32]:
    """One of the two tables that a user has to bring.

    Args:
        path: of the file, or of the folder that holds it.
        name: `TABLE_NAME`, position in the atlas by part, V and U: [24, 256, 256, 2] from 0 to 1; or `PARTS_NAME`, the part at
            each place of the atlas less one: [A, A].

    Raises:
        FileNotFoundError: it is not there; says what it is and where it comes from.
        ValueError: the file holds something else.
    """
    file = Path(path).expanduser()
    file = file / name if file.is_dir() else file
    if not file.is_file():
        raise FileNotFoundError(f"there is no {name} at {file}: {HOW}, and give its path")
    try:
        table = np.load(file, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f"{file} is no NumPy array: {error}") from error
    if name == TABLE_NAME:
        return check_table(table)
    if table.ndim != 2 or table.shape[0] != table.shape[1]:
        raise ValueError(f"{file}: the parts of the atlas are [A, A]; shape {list(table.shape)} was given")
    return np.asarray(table, np.float32)


def check_table(table: NDArray[np.generic]) -> NDArray[np.float32]:
    """A look-up table as float32. ValueError for another shape, and for numbers outside of 0 to 1."""
    if table.shape != TABLE or not np.issubdtype(table.dtype, np.floating):
        raise ValueError(
            f"a look-up table is {list(TABLE)} of floats: part, V, U, place; {table.dtype} {list(table.shape)} was given"
        )
    found: NDArray[np.float32] = np.array(table, np.float32)
    if not np.isfinite(found).all() or found.min() < -1e-6 or found.max() > 1 + 1e-6:
        raise ValueError("a look-up table says places in the atlas from 0 to 1; it has others")
    return found


def places(iuv: Bytes, table: NDArray[np.float32]) -> NDArray[np.float32]:
    """Where in the atlas each pixel is: IUV [H, W, 3] → (U, V) [H, W, 2] from 0 to 1; 0 where there is no body."""
    part, u, v = (iuv[..., k].astype(np.int64) for k in range(3))
    found: NDArray[np.float32] = np.array(table[np.maximum(part - 1, 0), v, u], np.float32)
    found[part == 0] = 0
    return found


def flipped(iuv: Bytes) -> Bytes:
    """What each pixel would show of the body's other half: left and right parts change places, head, hands and torso turn."""
    part = iuv[..., 0]
    turned: Bytes = iuv.copy()
    turned[..., 0] = _MIRRORED[part]
    turned[..., 1] = np.where(np.isin(part, _U_TURNS), 255 - iuv[..., 1], iuv[..., 1])
    turned[..., 2] = np.where(np.isin(part, _V_TURNS), 255 - iuv[..., 2], iuv[..., 2])
    return turned


def scatter(iuv: Bytes, table: NDArray[np.float32], size: int) -> tuple[Floats, Mask]:
    """A picture's pixels written down in the atlas: `written_down` of all that show the body."""
    y, x = np.nonzero(iuv[..., 0])
    return written_down(places(iuv, table)[y, x], np.stack([x, y], axis=1), size)


def written_down(at: NDArray[np.floating], pixels: NDArray[np.integer], size: int) -> tuple[Floats, Mask]:
    """Pixels at their places in the atlas, between them linear.

    Args:
        at: (u, v) of each, [K, 2] from 0 to 1.
        pixels: (x, y) of each, [K, 2].
        size: places on a side.

    Returns:
        The pixel (x, y) at each place [size, size, 2], 0 where nothing is known, and where it is known [size, size]: at the
        places around each pixel's, and one further.
    """
    from matplotlib.tri import LinearTriInterpolator, Triangulation

    pixels = pixels.astype(np.float64)
    u: Floats = at[:, 0].astype(np.float64) * (size - 1)
    v: Floats = (1 - at[:, 1].astype(np.float64)) * (size - 1)
    known = np.zeros((size, size), np.bool_)
    for down in (np.floor(v), np.ceil(v)):
        for right in (np.floor(u), np.ceil(u)):
            known[down.astype(int), right.astype(int)] = True
    known = _grown(known)
    rows, columns = np.nonzero(known)
    between = np.full((len(rows), 2), np.nan)
    with suppress(RuntimeError, ValueError):  # fewer than three places, or all on one line: nothing lies between them
        mesh = Triangulation(u, v)
        for axis in (0, 1):
            between[:, axis] = np.ma.filled(LinearTriInterpolator(mesh, pixels[:, axis])(columns, rows), np.nan)
    outside = np.isnan(between[:, 0])
    between[outside] = pixels[_nearest(u, v, columns[outside], rows[outside])]
    found = np.zeros((size, size, 2))
    found[rows, columns] = between
    return found, known


def scatter_both(iuv: Bytes, table: NDArray[np.float32], size: int) -> tuple[Floats, Mask, Mask]:
    """`scatter`, and what it leaves empty filled from the body's other half.

    Returns:
        Pixels [size, size, 2], where they are known, and where they come from the other half, [size, size] each.
    """
    own, known = scatter(iuv, table, size)
    other, seen = scatter(flipped(iuv), table, size)
    filled = seen & ~known
    return np.where(filled[..., None], other, own), known | filled, filled


def _grown(mask: Mask) -> Mask:
    """Each place and its eight neighbours."""
    wide = np.pad(mask, 1)
    height, width = mask.shape
    found: Mask = np.logical_or.reduce([wide[i : i + height, j : j + width] for i in range(3) for j in range(3)])
    return found


def _nearest(u: Floats, v: Floats, columns: NDArray[np.intp], rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Which of the places (u, v) is nearest to each place of the grid; in pieces, so that a large picture fits."""
    found = np.empty(len(rows), np.intp)
    for start in range(0, len(rows), 512):
        own = slice(start, start + 512)
        found[own] = ((columns[own, None] - u) ** 2 + (rows[own, None] - v) ** 2).argmin(axis=1)
    return found
