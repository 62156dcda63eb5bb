"""``stylewidgets jobs index``: a gallery of many faces, to find those that are nearest in one part."""

from __future__ import annotations

import argparse

from ...core.options import Options
from .common import COMMON, GENERATOR, Unfinished, carry_out

OPTIONS: Options = {
    **GENERATOR,
    "--n": {"type": int, "default": 10_000, "help": "faces (default %(default)s)"},
    "--seed": {"type": int, "default": 0, "help": "of the first face (default %(default)s)"},
    "--psi": {"type": float, "default": 1.0, "help": "truncation (default %(default)s: none)"},
    **COMMON,
}


def run(args: argparse.Namespace) -> int:
    """Carry the plan out and write FOLDER/gallery."""
    from ...editing.parts import sharded
    from ...session.load import load

    plan = sharded.plan(args.n, args.generator, seed=args.seed, psi=args.psi, device=args.device)
    try:
        kept = carry_out(args, plan, sharded.STYLES)
    except Unfinished:
        return 1
    index = sharded.merged(kept, plan, load(args.generator, device="cpu", precision="fp32"))
    print(f"{len(index):,} faces in {index.folder}; editing.GalleryIndex(folder, session) opens it")
    return 0
