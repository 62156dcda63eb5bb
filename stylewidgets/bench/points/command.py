"""The command ``stylewidgets bench points``: dragging held against exact truth.

Pairs of renders differ in one factor. Landmarks of the first are handles, those of the second targets, and the second render is
what should come out. What is dragged is a generated face whose code is known (its factors are read), or a render that was
inverted. Figures, their meaning and what they say: docs/parts_and_points.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from ... import load
from ...avatars.drawing.renderer import render
from ...avatars.reading import judge
from ...avatars.reading.factor_net import ReadingNet
from ...avatars.world.sampling import sample
from ...core import files
from ...core.options import Options
from ...core.values import rounded
from ...editing.dragging.settings import METHOD
from ...inversion import Target, invert
from ...session.session import GeneratorSession
from ..editing.command import resumed
from ..editing.report import write_into
from ..parts.faces import drawn, faces
from . import report
from .pairs import pairs
from .race import Start, race

SEED, RENDERS = 8_400_000, 7_800_000
"""Of the first generated face, and of the renders."""
SPARE = 2
"""Candidates for each pair that is wanted."""
GENERATED, INVERTED = "generated", "inverted renders"
DESCRIPTION = "Measure dragging between two renders that differ in one factor, against the exact truth."
OPTIONS: Options = {
    "generator": {"nargs": "?", "help": "a bundled name or a .safetensors file of avatars (default: the bundled one)"},
    "--device": {"help": "cpu, cuda ... (default: a GPU if there is one)"},
    "--pairs": {"type": int, "default": 24, "help": "pairs of each kind (default: %(default)s)"},
    "--steps": {"type": int, "default": 200, "help": "steps of a drag at most (default: %(default)s, as in the tool)"},
    "--inversion-steps": {"type": int, "default": 60, "help": "of the inversion of each render (default: %(default)s)"},
    "--set": {"action": "append", "default": [], "metavar": "NAME=VALUE", "help": "another setting of dragging, such as lr=0.03"},
    "--keep": {"type": Path, "metavar": "FOLDER", "help": "keep what was found there, and go on from it"},
    "--show": {"action": "store_true", "help": "measure nothing: tables of what is kept"},
    "--page": {"type": Path, "metavar": "FILE.md", "help": "put the tables between the marks of this page"},
}  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Measure what is missing, print, and write."""
    if args.pairs < 1 or args.steps < 1 or args.inversion_steps < 1:
        raise ValueError("pairs and steps are at least 1")
    session = load(args.generator, device=args.device, precision="fp32")
    settings = settings_of(args.set)
    about = {"generator": session.fingerprint(), "judge": judge.digest(), "settings": METHOD.checked(settings)}
    about |= {name: getattr(args, name) for name in ("steps", "inversion_steps")}
    path = None if args.keep is None else args.keep / "points.json"
    found = resumed(path, about)
    reader = judge.bundled(str(session.device))
    asked = 0 if args.show else args.pairs
    for words in measure(session, reader, found, asked, args.steps, args.inversion_steps, settings):
        print(f"  … {words}", file=sys.stderr, flush=True)
        if path is not None:
            files.write(path, json.dumps(rounded(found), separators=(",", ":")) + "\n")
    tables = {"distances": report.distances(found), "floors": report.floors(found), "factors": report.by_factor(found)}
    print("\n\n".join(tables.values()))
    if args.page is not None:
        for name, text in tables.items():
            write_into(args.page, name, text)
    return 0


def measure(
    session: GeneratorSession,
    reader: ReadingNet,
    found: dict[str, Any],
    count: int,
    steps: int,
    inversion_steps: int,
    settings: dict[str, Any],
) -> Iterator[str]:
    """Add pairs to a record until there are so many of each kind, and say each in words."""
    if not count:
        return
    kinds = {GENERATED: generated(session, reader, count), INVERTED: inverted(session, count, inversion_steps)}
    for kind, starts in kinds.items():
        rows = found["rows"].setdefault(kind, [])
        for k, start in enumerate(starts):
            if k < len(rows):
                continue
            row = race(start(), reader, steps, settings)
            rows.append(row)
            left = {
                name: f"{each['drag']['distance']:.1f} of {each['no edit']['distance']:.1f}"
                for name, each in row["points"].items()
            }
            yield f"{kind} {k + 1}, {row['factor']}: {left}"


def generated(session: GeneratorSession, reader: ReadingNet, count: int) -> Iterator[Any]:
    """Generated faces, with pairs of the factors that are read of them. Each is made when it is called."""
    latents = faces(session, SEED, SPARE * count)
    shown = drawn(session, reader, latents)
    own = render(shown.factors, session.resolution, outputs=("image",)).image
    far = (shown.pictures - own).abs().mean(dim=(1, 2, 3)) * 127.5
    for k, pair in list(pairs(shown.factors, session.resolution).items())[:count]:
        yield lambda k=k, pair=pair: Start(session, latents[k], pair, float(far[k]))


def inverted(session: GeneratorSession, count: int, steps: int) -> Iterator[Any]:
    """Renders of known factors, inverted with fitted noise and weights left alone. Each is made when it is called."""
    rows = torch.from_numpy(sample(SPARE * count, RENDERS))
    for k, pair in list(pairs(rows, session.resolution).items())[:count]:
        yield lambda k=k, pair=pair: _inverted(session, rows[k : k + 1], pair, steps)


def _inverted(session: GeneratorSession, row: torch.Tensor, pair: Any, steps: int) -> Start:
    image = render(row, session.resolution, outputs=("image",)).image
    shown = ((image[0] + 1) * 127.5).round().clamp(0, 255).byte().permute(1, 2, 0).numpy()
    result = invert(session, Target.of(shown, session), "hybrid", steps=steps)
    own = result.session(session)
    latent = result.latent()
    far = abs(own.image(latent).astype(float) - shown.astype(float)).mean()
    return Start(own, latent, pair, float(far))


def settings_of(given: list[str]) -> dict[str, Any]:
    """NAME=VALUE as settings; numbers, true and false are what they say."""
    found: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"a setting is NAME=VALUE, such as lr=0.03; {text!r} was given")
        try:
            found[name.strip()] = json.loads(value)
        except json.JSONDecodeError:
            found[name.strip()] = value.strip()
    return found
