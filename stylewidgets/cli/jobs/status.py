"""``stylewidgets jobs status FOLDER``: how far a plan is, and what failed."""

from __future__ import annotations

import argparse
from pathlib import Path

from ...core.options import Options

OPTIONS: Options = {
    "folder": {"type": Path, "help": "of the results"},
    "--watch": {"action": "store_true", "help": "with a bar, until nothing is left to do"},
    "--trace": {"action": "store_true", "help": "say where in the code each failure was"},
}


def run(args: argparse.Namespace) -> int:
    """Print how far it is; 1 where something failed."""
    from ... import jobs
    from ...jobs.plans.kept import table

    if args.watch:
        jobs.run(jobs.watch(args.folder), unit="shard")
    found = jobs.Kept(args.folder).status()
    print(found)
    if found.failed:
        print(table(found.failed))
    if args.trace:
        print("".join(f"\n{each.name} on {each.host}:\n{each.trace}" for each in found.failed))
    return 1 if found.failed else 0
