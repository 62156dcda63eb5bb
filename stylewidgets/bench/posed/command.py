"""The command ``stylewidgets bench posed``: avatars in other poses and with parts of others, against exact re-renders.

Figures, their meaning and what they say: docs/pose.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from ... import load
from ...avatars.reading import judge
from ...core import files
from ...core.options import Options
from ...core.values import rounded
from ...session.session import GeneratorSession
from ..editing.command import resumed
from ..editing.report import write_into
from . import report
from .measure import held, measure

DESCRIPTION = "Measure how avatars are drawn in other poses and with parts of others, against exact re-renders."
OPTIONS: Options = {
    "generator": {"nargs": "?", "default": "avatar-posed", "help": "a name or a file (default: %(default)s)"},
    "--pairs": {"type": int, "default": 100, "help": "pairs of poses (default: %(default)s)"},
    "--distances": {"type": int, "default": 400, "help": "pictures on each side of a distance (default: %(default)s)"},
    "--keep": {"type": Path, "metavar": "FOLDER", "help": "keep what was found there, and go on from it"},
    "--show": {"action": "store_true", "help": "measure nothing: tables of what is kept"},
    "--page": {"type": Path, "metavar": "FILE.md", "help": "put the tables between the marks of this page"},
}


KEPT = "posed.json"
"""The file in the folder of ``--keep``."""


def about(session: GeneratorSession, pairs: int, distances: int) -> dict[str, Any]:
    """What figures were made with."""
    return {"generator": session.fingerprint(), "judge": judge.digest(), "pairs": pairs, "distances": distances}


def run(args: argparse.Namespace) -> int:
    """Measure what is missing, print, and write."""
    if args.pairs < 8 or args.distances < 16:
        raise ValueError("at least 8 pairs and 16 pictures for the distances are needed")
    session = load(args.generator, device="cpu", precision="fp32")
    generator = held(session.generator)
    if args.keep is not None:
        args.keep.mkdir(parents=True, exist_ok=True)
    path = None if args.keep is None else args.keep / KEPT
    found = resumed(path, about(session, args.pairs, args.distances))
    for words in [] if args.show else measure(found, generator, args.pairs, args.distances):
        print(f"  … {words}", file=sys.stderr, flush=True)
        if path is not None:
            files.write(path, json.dumps(rounded(found), separators=(",", ":")) + "\n")
    tables = report.tables(report.summary(rounded(found)))
    print("\n\n".join(tables.values()))
    if args.page is not None:
        for name, text in tables.items():
            write_into(args.page, name, text)
    return 0
