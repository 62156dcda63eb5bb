"""The command ``stylewidgets bench parts``: eyes, mouth and hair of one face in another, and faces found by one part.

Masks are exact (the avatar is drawn again from what an independent judge reads), and so is the truth: the same avatar with the
other one's factors of the part. Figures, their meaning and what they say: docs/parts_and_points.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ... import jobs, load
from ...avatars.reading import factor_net, judge
from ...core import files
from ...core.options import Options
from ...core.values import rounded
from ...editing.parts.parts import Parts
from ...session.session import GeneratorSession
from ..editing.command import resumed
from ..editing.readings import Ruler, trusted
from ..editing.report import write_into
from . import report, retrieval, search, transfers
from .faces import others
from .score import Bench

DESCRIPTION = "Measure local edits and retrieval by part, against exact masks and exact re-renders."
OPTIONS: Options = {
    "generator": {"nargs": "?", "help": "a bundled name or a .safetensors file of avatars (default: the bundled one)"},
    "--device": {"help": "cpu, cuda ... (default: a GPU if there is one)"},
    "--parts": {
        "type": Path,
        "metavar": "FILE",
        "help": "a catalogue of parts (default: the generator's own, or a new one)",
    },
    "--pairs": {"type": int, "default": 48, "help": "pairs of faces (default: %(default)s)"},
    "--gallery": {"type": int, "default": 2000, "help": "faces that are searched (default: %(default)s)"},
    "--renders": {"type": int, "default": 1000, "help": "inverted renders that are searched (default: %(default)s)"},
    "--keep": {"type": Path, "metavar": "FOLDER", "help": "keep what was read and found there, and go on from it"},
    "--show": {"action": "store_true", "help": "measure nothing: tables of what is kept"},
    "--page": {"type": Path, "metavar": "FILE.md", "help": "put the tables between the marks of this page"},
}


def run(args: argparse.Namespace) -> int:
    """Measure what is missing, print, and write."""
    if args.pairs < 2 or args.gallery < 200 or args.renders < 4 * args.pairs:
        raise ValueError("at least 2 pairs, a gallery of 200 and renders for four times the pairs are needed")
    session = load(args.generator, device=args.device, precision="fp32")
    parts = parts_of(session, args.parts, args.keep)
    about = {"generator": session.fingerprint(), "judge": judge.digest(), "parts": parts.weights}
    about |= {name: getattr(args, name) for name in ("pairs", "gallery", "renders")}
    path = None if args.keep is None else args.keep / "parts.json"
    found = resumed(path, about)
    if not args.show:
        for words in measure(session, parts, found, args):
            print(f"  … {words}", file=sys.stderr, flush=True)
            if path is not None:
                files.write(path, json.dumps(rounded(found), separators=(",", ":")) + "\n")
    tables = text_of(found)
    print("\n\n".join(tables.values()))
    if args.page is not None:
        for name, text in tables.items():
            write_into(args.page, name, text)
    return 0


def measure(session: GeneratorSession, parts: Parts, found: dict[str, Any], args: argparse.Namespace) -> Iterator[str]:
    """Add what is missing to a record, and say each in words."""
    network, reader = factor_net.bundled(str(session.device)), judge.bundled(str(session.device))
    keep = None if args.keep is None else args.keep / f"faces-{session.fingerprint()[:16]}-{args.gallery}.npz"
    people = jobs.run(others.steps(session, reader, network, args.gallery, keep), unit="face")
    assert people is not None
    bench = Bench(session, reader, network, people, Ruler(people.readings, trusted(reader)), args.pairs)
    yield from transfers.measure(bench, parts, found)
    yield from retrieval.measure(bench, parts, found, args.renders)
    if "search" not in found:
        found["search"] = search.measure(session)
        yield f"search: {found['search']}"


def parts_of(session: GeneratorSession, path: Path | None, keep: Path | None) -> Parts:
    """The parts of a file, those that belong to the generator, or new ones, which are kept."""
    if path is not None:
        return Parts.load(path, session)
    try:
        return Parts.load(session)
    except FileNotFoundError:
        kept = None if keep is None else keep / f"{session.fingerprint()[:16]}.parts.safetensors"
        if kept is not None and kept.is_file():
            return Parts.load(kept, session)
        made = jobs.run(Parts.fit(session))
        assert made is not None
        if kept is not None:
            made.save(kept)
        return made


def text_of(found: dict[str, Any]) -> dict[str, str]:
    """Tables by the name of their place in the page; those that nothing was measured for say so."""
    needed = {
        "transfers": (report.transfers, "rows"),
        "verdicts": (report.verdicts, "frame"),
        "agreement": (report.agreement, "agreement"),
        "retrieval": (report.retrieval, "retrieval"),
        "search": (report.search, "search"),
    }
    return {name: text(found) if key in found else "Not measured yet." for name, (text, key) in needed.items()}
