"""The command ``stylewidgets bench inversion``: every method of inversion on pictures whose truth is known.

Renders of avatars as the generator has learnt them, renders with something that it has never seen, and generated pictures, whose
w is known. All are held out: none was seen by a network, and no setting was chosen by them. Figures, their meaning and what they
say: docs/inversion.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ... import load
from ...core import files
from ...core.options import Options
from ...core.values import rounded
from ...session.session import GeneratorSession
from ..editing.command import resumed
from ..editing.report import write_into
from . import control
from .measure import measure
from .pictures import GENERATED, INSIDE, OUTSIDE, pictures
from .race import equal_time_text, races_text, run_equal_time, run_races
from .report import plot, text_of
from .rows import in_order, rows
from .scales import scales

DESCRIPTION = "Measure every method of inversion on pictures whose truth is known, inside and outside of what is drawn."
OPTIONS: Options = {
    "generator": {"nargs": "?", "help": "a bundled name or a .safetensors file (default: the bundled one)"},
    "--device": {"help": "cpu, cuda ... (default: a GPU if there is one)"},
    "--outside": {"type": int, "default": 24, "help": "renders with something unseen (default: %(default)s)"},
    "--inside": {"type": int, "default": 12, "help": "renders as the generator has learnt them (default: %(default)s)"},
    "--generated": {"type": int, "default": 0, "help": "generated pictures (default: %(default)s)"},
    "--steps": {
        "type": int,
        "default": 400,
        "help": "most steps of each optimisation, half as many of the fast one and of those that go on from "
        "another, with higher learning rates than in the papers (default: %(default)s)",
    },
    "--methods": {"help": "which methods, with commas (default: all that this generator has)"},
    "--encoder": {
        "action": "append",
        "default": [],
        "metavar": "NAME=FILE",
        "help": "another encoder beside the bundled ones; may be given several times",
    },
    "--keep": {
        "type": Path,
        "metavar": "FOLDER",
        "help": "keep figures and codes there; a run that was stopped goes on, and nothing is inverted twice",
    },
    "--show": {"action": "store_true", "help": "measure nothing: tables of what is kept"},
    "--race": {
        "type": int,
        "metavar": "N",
        "help": "instead: the fast projector against the plain schedule on N pictures, of each kind a half",
    },
    "--equal-time": {
        "type": float,
        "nargs": "+",
        "metavar": "SECONDS",
        "help": "with --race: also a hybrid against its parts, each with so many seconds for a picture",
    },
    "--page": {"type": Path, "metavar": "FILE.md", "help": "put the tables between the marks of this page"},
    "--plot": {"type": Path, "metavar": "FILE.png", "help": "draw distortion against the error of the change"},
    "--scales": {"type": Path, "metavar": "FILE.json", "help": "write how realism is distributed, by method"},
}


def run(args: argparse.Namespace) -> int:
    """Measure what is missing, print, and write."""
    counts = {OUTSIDE: args.outside, INSIDE: args.inside, GENERATED: args.generated}
    if min(counts.values()) < 0 or args.steps < 1:
        raise ValueError("numbers of pictures are at least 0, and steps at least 1")
    session = load(args.generator, device=args.device, precision="fp32")
    path = None if args.keep is None else args.keep / "inversion.json"
    whole = resumed(path, {"generator": session.fingerprint(), "steps": args.steps})
    if args.race is not None:
        return _race(session, whole, path, args)
    chosen = None if args.methods is None else [name.strip() for name in args.methods.split(",")]
    wanted = rows(session, args.steps, chosen, named(args.encoder))
    found = whole["rows"]
    if not args.show:
        _tell(measure(session, in_order(wanted), counts, found, args.keep and args.keep / "codes"), whole, path)
    order = [row.name for row in rows(session, args.steps, None, named(args.encoder))]
    whole["rows"] = found = {
        name: found[name] for name in (*order, *(n for n in found if n not in order)) if name in found
    }
    if args.outside > len(whole.get("unseen", {})) and not args.show:
        _tell(_control(session, args.outside, whole), whole, path)
    tables = text_of(found, whole.get("unseen", {})) | {"control": control.text_of(whole.get("control"))}
    print("\n\n".join(f"{name}\n\n{text}" for name, text in tables.items()))
    if args.page is not None:
        for name, text in tables.items():
            write_into(args.page, name, text)
    if args.plot is not None:
        plot(found, args.plot)
    if args.scales is not None:
        files.write(args.scales, json.dumps(rounded(scales(session, found), 3), indent=1) + "\n")
    return 0


def named(given: list[str]) -> dict[str, Path]:
    """NAME=FILE as files by name. ValueError for anything else."""
    found = {}
    for text in given:
        name, equals, path = text.partition("=")
        if not equals or not name.strip() or not Path(path).is_file():
            raise ValueError(f"an encoder is NAME=FILE, and the file is there; {text!r} was given")
        found[name.strip()] = Path(path)
    return found


def _control(session: GeneratorSession, count: int, whole: dict[str, Any]) -> Iterator[str]:
    shown = pictures(OUTSIDE, count, session)
    whole |= {"control": control.control(session, shown), "unseen": control.amounts(session, shown)}
    yield control.text_of(whole["control"])


def _race(session: GeneratorSession, whole: dict[str, Any], path: Path | None, args: argparse.Namespace) -> int:
    if args.race < 2:
        raise ValueError(f"a race takes at least 2 pictures, one of each kind; {args.race} was given")
    shown = {kind: pictures(kind, args.race // 2, session) for kind in (GENERATED, INSIDE)}
    races, times = whole.setdefault("races", {}), whole.setdefault("equal time", {})
    if args.equal_time:
        _tell(run_equal_time(session, shown, times, args.equal_time), whole, path)
        print(equal_time_text(times))
    _tell(run_races(session, shown, races, 1000), whole, path)
    print(races_text(races))
    return 0


def _tell(lines: Iterator[str], whole: dict[str, Any], path: Path | None) -> None:
    """Print each line as it comes, and write what was found by then."""
    for words in lines:
        print(f"  … {words}", file=sys.stderr, flush=True)
        if path is not None:
            files.write(path, json.dumps(rounded(whole), separators=(",", ":")) + "\n")
