"""``stylewidgets jobs words``: the table of a generator and a text encoder, for edits by words."""

from __future__ import annotations

import argparse

from ...core.options import Options
from .common import COMMON, GENERATOR, Unfinished, carry_out

OPTIONS: Options = {
    **GENERATOR,
    "--encoder": {"help": "a CLIP file (default: the bundled encoder)"},
    "--shards": {"type": int, "default": 40, "help": "parts of the work (default %(default)s)"},
    "--faces": {
        "type": int,
        "default": 8,
        "help": "on which each channel is tried (default %(default)s; the paper: 100)",
    },
    "--pictures": {"type": int, "default": 256, "help": "for the spread of embeddings (default %(default)s)"},
    "--no-colours": {"action": "store_true", "help": "leave the ToRGB layers out, as the paper does"},
    **COMMON,
}


def run(args: argparse.Namespace) -> int:
    """Carry the plan out and write FOLDER/words.safetensors."""
    from ... import text
    from ...editing.words import sharded
    from ...session.load import load

    which = {"faces": args.faces, "pictures": args.pictures, "torgb": not args.no_colours, "device": args.device}
    plan = sharded.plan(args.shards, args.generator, args.encoder, **which)
    try:
        kept = carry_out(args, plan, sharded.MEASURED)
    except Unfinished:
        return 1
    session = load(args.generator, device="cpu", precision="fp32")
    table = sharded.merged(kept, plan, session, text.load(args.encoder, "cpu"))
    path = kept.folder / "words.safetensors"
    table.save(path)
    print(f"{table.share:.0%} of {len(table.sigma):,} channels, {path}")
    return 0
