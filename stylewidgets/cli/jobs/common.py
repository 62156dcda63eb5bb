"""What all commands of ``stylewidgets jobs`` share: their options, and how a plan is carried out and told of."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ... import jobs
from ...core.options import Options
from ...jobs.plans.kept import Kept, table
from ...jobs.plans.shards import Shard
from ...jobs.plans.worker import Executor

COMMON: Options = {
    "--folder": {"type": Path, "required": True, "help": "of the results; what is there already is not made again"},
    "--executor": {
        "choices": ("here", "processes", "ray"),
        "default": "here",
        "help": "who does the work: this process, processes of this machine, or the cluster of $RAY_ADDRESS, with the folder "
        "on storage that all its machines share (default %(default)s). The bits of the results are the same",
    },
    "--workers": {"type": int, "help": "processes (default: as many as processors)"},
    "--retry": {"action": "store_true", "help": "try again what failed in an earlier run"},
}
DEVICE: Options = {"--device": {"default": "cpu", "help": "torch device of the workers (default %(default)s)"}}
GENERATOR: Options = {
    "generator": {"nargs": "?", "help": "a name or a file (default: the bundled generator)"},
    **DEVICE,
}


class Unfinished(Exception):
    """Some shards failed; the table has been printed."""


def executor_of(args: argparse.Namespace) -> Executor:
    """The one that was asked for."""
    if args.executor == "processes":
        return jobs.Processes(args.workers)
    if args.workers is not None:
        raise ValueError("--workers is for --executor processes; a cluster has its own count, and here is one")
    if args.executor == "ray":
        return jobs.OnRay(gpus=int(str(getattr(args, "device", "cpu")).startswith("cuda")))
    return jobs.Here()


def carry_out(args: argparse.Namespace, plan: Iterable[Shard], fn: str, executor: Executor | None = None) -> Kept:
    """Make what is missing, with a bar; raises `Unfinished` after the table of what failed.

    Args:
        executor: None for the one that the options name.
    """
    plan = list(plan)
    run: Any = jobs.bulk(plan, fn, args.folder, executor or executor_of(args), retry=args.retry)
    first = next(run)
    if first.done and len(plan) > 1:
        print(f"{first.done} of {first.total} shards are there already", file=sys.stderr)
    jobs.run(run, unit="shard", disable=None)  # no bar where nobody looks
    kept = jobs.Kept(args.folder)
    failures = list(kept.status().failed)
    if failures:
        print(
            f"{len(failures)} of {len(plan)} shards failed; --retry tries them again\n{table(failures)}",
            file=sys.stderr,
        )
        raise Unfinished
    return kept
