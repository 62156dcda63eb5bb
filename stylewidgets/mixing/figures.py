"""A grid as a picture with labels: quickly as pixels, or for papers by matplotlib with text that stays text."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ..core.checks import unknown_name
from ..core.files import as_path
from ..latent.caption import caption
from .grid import HEADER, MixGrid, Place

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..latent.latent import Latent

Pictures = Mapping[Place, NDArray[np.uint8]]

FORMATS = ("svg", "pdf", "png")
INK, GROUND, EMPTY = (40, 46, 56), (255, 255, 255), (216, 220, 226)
GAP = 2
HEADER_GAP = 8
INCHES = 0.9
"""Side of a picture in a figure."""


def describe_mask(grid: MixGrid) -> str:
    """Return which layers come from where, such as "w+ rows 0–3 from the columns, 4–9 from the rows"."""
    what = "w+ rows" if grid.space == "w+" else "style layers"
    taken = _ranges([i for i, each in enumerate(grid.mask) if each])
    own = _ranges([i for i, each in enumerate(grid.mask) if not each])
    if grid.part:
        where = f"of {what} {taken}" if taken and own else "of all layers" if taken else "of no layer"
        return f"the {grid.part} from the columns, by channels {where}"
    if not taken or not own:
        return f"all {what} from the {'columns' if taken else 'rows'}"
    return f"{what} {taken} from the columns, {own} from the rows"


def sheet(
    grid: MixGrid, pictures: Pictures, *, side: int | None = None, name: Callable[[Latent], str] = caption
) -> Image.Image:
    """Return one picture of the grid: labels, sources and mixes. Places without a picture are gray.

    Args:
        grid: what it shows.
        pictures: uint8 [h, w, 3] by (row, column), HEADER for sources, as `GridRenderer.all` returns them.
        side: pixels of each picture; None for the size they have.
        name: what a source is called.
    """
    width, height = _tile(pictures, side)
    font = _font(max(9, min(15, width // 7)))
    text = int(font.getbbox("Äg")[3]) + 4  # height of a line with what hangs below it
    left, top = text + width + HEADER_GAP, text + height + HEADER_GAP
    rows, columns = grid.size
    made = Image.new("RGB", (left + columns * (width + GAP) - GAP, top + rows * (height + GAP) - GAP), GROUND)
    draw = ImageDraw.Draw(made)

    def at(place: Place) -> tuple[int, int]:
        i, j = place
        x = text if j == HEADER else left + j * (width + GAP)
        return x, text if i == HEADER else top + i * (height + GAP)

    for place in grid.places():
        picture = pictures.get(place)
        if picture is None:
            draw.rectangle((*at(place), at(place)[0] + width - 1, at(place)[1] + height - 1), fill=EMPTY)
        else:
            made.paste(_sized(picture, width, height), at(place))
    for j, latent in enumerate(grid.columns):
        _write(draw, (at((HEADER, j))[0], 0), name(latent), font, width)
    for i, latent in enumerate(grid.rows):
        label = Image.new("RGB", (height, text), GROUND)
        _write(ImageDraw.Draw(label), (0, 0), name(latent), font, height)
        made.paste(label.rotate(90, expand=True), (0, at((i, HEADER))[1]))
    return made


def figure(
    grid: MixGrid, pictures: Pictures, *, title: str | None = None, name: Callable[[Latent], str] = caption
) -> Figure:
    """Return the style-mixing figure of the paper as a `matplotlib.figure.Figure`; `save_figure` writes it.

    Args:
        grid, pictures, name: as for `sheet`.
        title: line below the grid; None says which layers come from where, "" for none.
    """
    from matplotlib.figure import Figure

    rows, columns = grid.size
    gap = 0.12  # between sources and mixes, in sides of a picture
    width, height = columns + 1 + gap, rows + 1 + gap
    made = Figure(figsize=((width + 0.35) * INCHES, (height + 0.65) * INCHES))
    axes = made.add_axes(
        (0.3 / (width + 0.35), 0.35 / (height + 0.65), width / (width + 0.35), height / (height + 0.65))
    )
    axes.axis("off")
    for (i, j), picture in pictures.items():
        x, y = 0.0 if j == HEADER else 1 + gap + j, 0.0 if i == HEADER else 1 + gap + i
        edge = 0.02
        axes.imshow(
            picture, extent=(x + edge, x + 1 - edge, y + 1 - edge, y + edge), interpolation="none", aspect="auto"
        )
    axes.set(xlim=(0, width), ylim=(height, 0))  # imshow moves them
    style: dict[str, Any] = {"fontsize": 7, "color": "0.15"}
    for j, latent in enumerate(grid.columns):
        axes.text(1 + gap + j + 0.5, -0.05, name(latent), ha="center", va="bottom", **style)
    for i, latent in enumerate(grid.rows):
        axes.text(-0.05, 1 + gap + i + 0.5, name(latent), ha="right", va="center", rotation=90, **style)
    axes.text(0, height + 0.06, describe_mask(grid) if title is None else title, ha="left", va="top", **style)
    return made


def save_figure(made: Figure, path: str | os.PathLike[str], dpi: float = 200) -> Path:
    """Write a figure as .svg or .pdf, whose text can be selected and edited, or as .png, and return its path.

    Raises:
        ValueError: another ending.
    """
    import matplotlib

    path = as_path(path)
    kind = path.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise unknown_name("kind of figure", path.suffix or path.name, [f".{kind}" for kind in FORMATS])
    with matplotlib.rc_context({"svg.fonttype": "none", "pdf.fonttype": 42}):
        made.savefig(path, format=kind, dpi=dpi)
    return path


def _ranges(numbers: list[int]) -> str:
    """[0, 1, 2, 5] → "0–2, 5"."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(str(part[0]) if len(part) == 1 else f"{part[0]}–{part[-1]}" for part in parts)


def _tile(pictures: Pictures, side: int | None) -> tuple[int, int]:
    shape = next(iter(pictures.values())).shape if pictures else (side or 64, side or 64)
    height, width = shape[:2]
    if side is None:
        return width, height
    return max(1, round(width * side / max(width, height))), max(1, round(height * side / max(width, height)))


def _sized(picture: NDArray[np.uint8], width: int, height: int) -> Image.Image:
    image = Image.fromarray(np.ascontiguousarray(picture))
    return image if image.size == (width, height) else image.resize((width, height), Image.Resampling.LANCZOS)


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    import matplotlib  # brings a font along, so that labels look alike on every machine

    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), size)


def _write(draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, font: ImageFont.FreeTypeFont, width: int) -> None:
    """Write a line in the middle of `width` pixels."""
    text = _shortened(text, font, width)
    draw.text((at[0] + (width - font.getlength(text)) / 2, at[1]), text, INK, font)


def _shortened(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"
