"""Measures a Pose with Style of avatars and writes its card: what `stylewidgets train evaluate` does with one."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from ...avatars.domain import DOMAIN
from ...avatars.drawing.sheet import save_sheet, tile
from ...avatars.reading.estimates import file_digest
from ...avatars.reading.factor_net import BUNDLED
from ...avatars.world.dataset import to_uint8
from ...bench.editing.command import resumed
from ...bench.posed.command import KEPT, about
from ...bench.posed.measure import held, measure, sheet
from ...bench.posed.pairs import SEED
from ...bench.posed.report import summary
from ...core.values import rounded
from ...generators.posed import Posed
from ...session.session import GeneratorSession
from .card import card, tables

PAIRS, QUICK = 100, 12
"""Pairs of poses of a card, and of a quick look."""


def run(args: argparse.Namespace, session: GeneratorSession) -> None:
    """Measure, print and write."""
    generator = held(session.generator)
    pairs, distances = (QUICK, 2 * QUICK) if args.quick else (PAIRS, max(args.samples // 5, 16))
    found = resumed(args.run_folder and args.run_folder / KEPT, about(session, pairs, distances))
    quality = figures(generator, args.file, found, args.seed)
    print(tables(quality))
    if args.sheet:
        save_sheet(tile(to_uint8(sheet(generator)).permute(0, 2, 3, 1).numpy(), 8), args.sheet)
    if args.quick:
        return
    out = args.json or args.file.with_suffix(".quality.json")
    out.write_text(json.dumps(quality, indent=1) + "\n", encoding="utf-8")
    text = args.file.with_suffix(".md")
    text.write_text(card(generator, session.metadata, quality), encoding="utf-8")
    print(f"\nwritten to {text} and {out}")


def figures(generator: Posed, file: Path, found: dict[str, Any], seed: int = 0) -> dict[str, Any]:
    """All figures, as `bench posed` finds them, and what they were made with.

    Args:
        found: the record to go on with; its "about" says how much is measured.
    """
    for words in measure(
        found, generator, found["about"]["pairs"], found["about"]["distances"], SEED + 1_000_000 * seed
    ):
        print(f"  … {words}", file=sys.stderr, flush=True)
    return {
        "file": file.name,
        "command": f"stylewidgets train evaluate {file.name}" + (f" --seed {seed}" if seed else ""),
        "domain": DOMAIN.stamp(readings=True),
        "weights": file_digest(file),
        "network": file_digest(BUNDLED) if BUNDLED.is_file() else "",
        **found["about"],
        **rounded(summary(rounded(found)), 6),
    }
