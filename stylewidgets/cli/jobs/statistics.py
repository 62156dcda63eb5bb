"""``stylewidgets jobs statistics``: mean, spread and histogram of every style channel, over as many faces as you like."""

from __future__ import annotations

import argparse

from ... import jobs
from ...core.options import Options
from .common import COMMON, GENERATOR, Unfinished, carry_out

OPTIONS: Options = {
    **GENERATOR,
    "--n": {"type": int, "default": 100_000, "help": "faces (default %(default)s)"},
    "--shards": {
        "type": int,
        "default": 40,
        "help": "parts of the work; another number draws other faces (default %(default)s)",
    },
    "--keep": {
        "type": int,
        "default": 2000,
        "help": "faces whose styles are kept, the first ones (default %(default)s)",
    },
    "--seed": {"type": int, "default": 0},
    "--psi": {"type": float, "default": 1.0, "help": "truncation (default %(default)s: none)"},
    **COMMON,
}


def run(args: argparse.Namespace) -> int:
    """Carry the plan out and write FOLDER/statistics.safetensors."""
    from ...checkpoints.zoo.download import sha256_of
    from ...session.load import load
    from ...stylespace import sharded

    first = sharded.edges_plan(args.generator, seed=args.seed, psi=args.psi, device=args.device)
    try:
        # They are a file, so that this process may make them whoever does the rest, if it has the device.
        kept = carry_out(args, first, sharded.EDGES, jobs.Here() if args.device == "cpu" else None)
        plan = sharded.plan(kept, args.n, args.shards, keep=min(args.keep, args.n))
        kept = carry_out(args, sharded.placed(plan, args.generator, args.device), sharded.STATISTICS)
    except Unfinished:
        return 1
    found = sharded.merged(kept, plan, load(args.generator, device="cpu", precision="fp32"))
    path = found.save(kept.folder / "statistics.safetensors")
    print(f"{found.faces:,} faces, {len(found.mean):,} channels, {path}\nsha256 {sha256_of(path)}")
    return 0
