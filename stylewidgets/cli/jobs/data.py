"""``stylewidgets jobs data``: renders of avatars with their truth, for training."""

from __future__ import annotations

import argparse

from ...core.options import Options
from .common import COMMON, DEVICE, Unfinished, carry_out

OPTIONS: Options = {
    **DEVICE,
    "--n": {"type": int, "default": 10_000, "help": "avatars (default %(default)s)"},
    "--shards": {"type": int, "default": 20, "help": "files; item i is the same for any number (default %(default)s)"},
    "--resolution": {"type": int, "default": 128, "help": "pixels a side (default %(default)s)"},
    "--outputs": {
        "nargs": "+",
        "default": ["image", "segmentation"],
        "metavar": "OUTPUT",
        "help": "image segmentation landmarks depth normals uv points part (default: image segmentation)",
    },
    "--correlated": {"action": "store_true", "help": "with natural correlations between factors"},
    "--seed": {"type": int, "default": 0},
    **COMMON,
}


def run(args: argparse.Namespace) -> int:
    """Carry the plan out."""
    from ...avatars import sharded

    which = {"resolution": args.resolution, "outputs": args.outputs, "correlated": args.correlated}
    plan = sharded.plan(args.n, args.shards, seed=args.seed, device=args.device, **which)
    try:
        kept = carry_out(args, plan, sharded.RENDERED)
    except Unfinished:
        return 1
    print(f"{args.n:,} avatars in {len(plan)} files in {kept.folder}; avatars.sharded.RenderedShards reads them")
    return 0
