"""``stylewidgets jobs evaluation``: how far a generator's pictures are from renders, over many samples."""

from __future__ import annotations

import argparse
import json

from ...core import files
from ...core.options import Options
from .common import COMMON, GENERATOR, Unfinished, carry_out

OPTIONS: Options = {
    **GENERATOR,
    "--n": {"type": int, "default": 10_000, "help": "samples, and as many renders twice (default %(default)s)"},
    "--shards": {"type": int, "default": 20, "help": "parts of each (default %(default)s)"},
    "--correlated": {"action": "store_true", "help": "renders with natural correlations, as the generator was trained"},
    "--seed": {"type": int, "default": 0},
    **COMMON,
}


def run(args: argparse.Namespace) -> int:
    """Carry the plan out and write FOLDER/evaluation.json."""
    from ...avatars.scoring import sharded

    which = {"seed": args.seed, "correlated": args.correlated, "device": args.device}
    plan = sharded.plan(args.n, args.shards, args.generator, **which)
    try:
        kept = carry_out(args, plan, sharded.SEEN)
    except Unfinished:
        return 1
    figures = sharded.merged(kept, plan)
    files.write(kept.folder / "evaluation.json", json.dumps(figures, indent=1) + "\n")
    for kind in (sharded.SAMPLES, sharded.FLOOR):
        print(f"{kind:>8}  " + "  ".join(f"{name} {value:.4f}" for name, value in figures[kind].items()))
    return 0
