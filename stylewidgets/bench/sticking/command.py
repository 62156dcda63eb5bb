"""The command ``stylewidgets bench sticking``: a table, and the strips as a picture."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor
from tqdm.auto import tqdm

from ... import load
from ...avatars.drawing.sheet import save_sheet
from ...core.options import Options
from ...latent.view import Transform
from ...session.session import GeneratorSession
from ...session.synthesis import to_uint8
from ..editing.report import write_into
from . import moving

DESCRIPTION = "Measure whether details move with a face or stick to the pixels, in StyleGAN2 and StyleGAN3."
OPTIONS: Options = {
    "generators": {
        "nargs": "*",
        "default": ["avatar-64", "avatar-64-stylegan3"],
        "help": "bundled names or files (default: avatar-64 avatar-64-stylegan3, which have the same w)",
    },
    "--faces": {"type": int, "default": 32, "help": "faces that are moved (default: %(default)s)"},
    "--seed": {"type": int, "default": 100, "help": "of the first of them (default: %(default)s)"},
    "--picture": {"type": Path, "metavar": "FILE.jpg", "help": "draw the strips of the first face there"},
    "--page": {"type": Path, "metavar": "FILE.md", "help": "put the table between the marks of this page"},
}
SHIFTS = tuple(Transform(x=i / 64 / 2) for i in range(33))
"""To the right in steps of half a pixel of 64, up to a quarter of the picture."""
TURNS = tuple(Transform(angle=float(a)) for a in np.linspace(0, 30, 33))
"""Against the clock up to 30 degrees."""
_ZOOM = 3


def run(args: argparse.Namespace) -> int:
    """Measure, print, and draw."""
    if args.faces < 1:
        raise ValueError(f"at least one face is needed; --faces {args.faces} was given")
    sessions = [load(name, precision="fp32") for name in args.generators]
    rows = [
        (session.name, levels(session, args, SHIFTS[2::6]), levels(session, args, TURNS[2::6])) for session in sessions
    ]
    text = table(rows, args.faces)
    print(text)
    if args.page is not None:
        write_into(args.page, "sticking", text)
    if args.picture is not None:
        save_sheet(sheet(sessions, args.seed), args.picture)
    return 0


def levels(session: GeneratorSession, args: argparse.Namespace, views: Sequence[Transform]) -> list[float]:
    """Signal-to-noise ratio of each face in decibels, over the views."""
    seeds = tqdm(range(args.seed, args.seed + args.faces), desc=session.name, file=sys.stderr, leave=False)
    return [moving.signal(moving.moved(session, code(session, seed), views)) for seed in seeds]


def code(session: GeneratorSession, seed: int) -> Tensor:
    """w [1, w_dim] of a seed, a little nearer to the mean, as pictures are usually shown."""
    return session.map(session.latent(seed=seed, psi=0.7))[:, 0]


def table(rows: Sequence[tuple[str, list[float], list[float]]], faces: int) -> str:
    """Medians, and the middle half of the faces."""
    lines = [
        f"| moved inside of the generator, against the moved picture, dB ({faces} faces) | shift | turn |",
        "|---|---|---|",
    ]
    for name, *found in rows:
        cells = [f"{np.median(v):.1f} ({np.quantile(v, 0.25):.1f} to {np.quantile(v, 0.75):.1f})" for v in found]
        lines.append(f"| {name} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def sheet(sessions: Sequence[GeneratorSession], seed: int) -> Image.Image:
    """For each generator: the face, the face moved inside, the strip over time, and the strip of the moved picture."""
    titles = ("still", "moved inside", "one row of pixels over time", "the same row of the moved picture")
    cells: list[list[Image.Image]] = []
    for session in sessions:
        for views in (SHIFTS, TURNS):
            found = moving.moved(session, code(session, seed), views)
            row = int(session.resolution * 0.36)  # where the hair is
            cells.append(
                [
                    _picture(found.drawn[0]),
                    _picture(found.drawn[-1]),
                    _picture(moving.strip(found.drawn, row), tall=len(views)),
                    _picture(moving.strip(found.meant, row), tall=len(views)),
                ]
            )
    side, gap, head, left = cells[0][0].width, 8, 22, 150
    made = Image.new("RGB", (left + 4 * (side + gap), head + len(cells) * (side + gap)), "white")
    pen = ImageDraw.Draw(made)
    for i, title in enumerate(titles):
        pen.text((left + i * (side + gap), 5), title, fill="black")
    for k, row_of in enumerate(cells):
        top = head + k * (side + gap)
        pen.text((6, top + 6), f"{sessions[k // 2].name}\n{'shifted' if k % 2 == 0 else 'turned'}", fill="black")
        for i, cell in enumerate(row_of):
            made.paste(cell, (left + i * (side + gap), top))
    return made


def _picture(pixels: Tensor, tall: int | None = None) -> Image.Image:
    """Enlarged without smoothing; a strip of so many rows becomes a square."""
    found = Image.fromarray(to_uint8(pixels[None])[0])
    side = found.width * _ZOOM
    return found.resize((side, side), Image.Resampling.NEAREST if tall is None else Image.Resampling.BOX)
