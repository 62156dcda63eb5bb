"""The command ``stylewidgets bench``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import load
from ..core.options import ONE_OF, Options
from ..session.session import GeneratorSession
from . import against, compute, event, families, models, pages, reading, report, report_families

DESCRIPTION = (
    "Measure the speed on this machine, as ratios in one run: the bundled model by itself, its reference "
    "path, and one slider event (half a minute), then pages in JupyterLab where there is a browser (three "
    "to four minutes). --models all adds every family, --against a public implementation."
)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least 1")
    return int(text)


OPTIONS: Options = {
    "generator": {"nargs": "?", "help": "a bundled name or a .safetensors file (default: the bundled one)"},
    "--device": {"help": "cpu, cuda ... (default: a GPU if there is one)"},
    "--precision": {"default": "auto", "choices": ["auto", "fp32", "bf16", "fp16"], "help": "default: auto"},
    "--repeats": {"type": _count, "default": 40, "help": "measurements of each time in the kernel (default: 40)"},
    ONE_OF: {
        "--browser": {"action": "store_true", "help": "fail when the part in the browser cannot run"},
        "--no-browser": {"action": "store_true", "help": "only what happens in the kernel"},
    },
    "--pages": {
        "default": pages.USUAL,
        "metavar": "NAMES",
        "help": f"in the browser, with commas between them: {', '.join(pages.PAGES)} or all (default: {pages.USUAL})",
    },
    "--rounds": {"type": _count, "default": 3, "help": "of the pages in the browser (default: 3)"},
    "--keys": {"type": _count, "default": 15, "help": "key presses on each page and round (default: 15)"},
    "--models": {
        "default": "bundled",
        "metavar": "NAMES",
        "help": "of the table of families, with commas between them: bundled (default, seconds), none, all "
        "(ten minutes on two cores), stylegan2-1024, stylegan2-256, stylegan2-256-f, stylegan3-t-256, "
        "stylegan3-r-256, stylegan1-1024 (one to three minutes each); random weights of the published "
        "shapes, nothing to download",
    },
    "--family-rounds": {"type": _count, "default": 5, "help": "measurements of each of their tasks (default: 5)"},
    "--seconds": {"type": _count, "default": 60, "help": "for each of them; no round begins later (default: 60)"},
    "--against": {
        "type": Path,
        "metavar": "PATH",
        "help": "also measure the public implementation in this folder, a checkout of NVlabs/stylegan3 or "
        "stylegan2-ada-pytorch. Its Python code is imported and run, so name only one that you trust",
    },
    "--reading": {"type": Path, "metavar": "FILE", "help": "also measure how long this checkpoint takes to open"},
    "--json": {"type": Path, "metavar": "FILE", "help": "write all measurements there, too; - is stdout"},
}


def run(args: argparse.Namespace) -> int:
    """Measure and print. Raises ValueError when --browser is given and there is none."""
    reason = "" if args.no_browser else pages.why_not()
    if reason and args.browser:
        raise ValueError(reason)
    names = models.chosen(args.models)
    shown = [pages.PAGES[name] for name in models.chosen(args.pages, pages.PAGES, "page")]
    session = load(args.generator, device=args.device, precision=args.precision)
    about = report.machine(session)
    parts: dict[str, Any] = {}
    out = sys.stderr if str(args.json) == "-" else sys.stdout

    def say(text: str = "") -> None:
        print(text, file=out, flush=True)

    say("\n".join(f"{name:>14}  {value}" for name, value in about.items()) + "\n")
    parts["synthesis"] = compute.synthesis(session, args.repeats)
    say(report.synthesis(parts["synthesis"]))
    encoded = compute.encoding(session, args.repeats)
    parts["encoding"] = {name: {**sample.as_dict(), "kB": size} for name, (sample, size) in encoded.items()}
    say(report.encoding(encoded))
    parts["slider event"] = event.slider_event(session, args.repeats)
    say(report.event(parts["slider event"]))
    if names:
        parts["families"] = _families(args, names, session, say)
    if args.reading is not None:
        parts["reading"] = reading.measure(args.reading)
        say(report_families.reading(args.reading.name, parts["reading"]))
    if reason:
        say(f"The part in the browser was left out: {reason}")
    elif not args.no_browser:
        load_code = _load_code(args)
        parts["browser"] = pages.run(
            session.resolution,
            load_code,
            pages=shown,
            rounds=args.rounds,
            keys=args.keys,
            progress=lambda text: print(f"  … {text}", file=sys.stderr, flush=True),
        )
        say(report.pages(parts["browser"]))
    if args.json is not None:
        text = json.dumps(report.plain({"machine": about, **parts}), indent=1)
        if str(args.json) == "-":
            print(text)
        else:
            args.json.write_text(text + "\n", encoding="utf-8")
    return 0


def _families(
    args: argparse.Namespace, names: list[str], bundled: GeneratorSession, say: Callable[[str], None]
) -> dict[str, object]:
    """Measure each model, print its tables, and return the figures."""
    if args.against is not None:
        say(against.warn_of_code(args.against))
    measured: dict[str, families.Figures] = {}
    found: dict[str, object] = {}
    for name in names:
        session = models.make(name, bundled)
        rival = None if args.against is None else against.rival(args.against, session.generator)
        figures = families.measure(session, rounds=args.family_rounds, seconds=args.seconds, against=rival)
        say(report_families.family(session.name or name, figures))
        measured[session.name or name], found[name] = figures, vars(figures)
    if len(measured) > 1:
        say(report_families.summary(measured))
    return found


def _load_code(args: argparse.Namespace) -> str:
    """The arguments of ``load`` as code for a notebook in another folder."""
    source = args.generator
    if source is not None and Path(source).is_file():
        source = str(Path(source).resolve())
    return f"{source!r}, device={args.device!r}, precision={args.precision!r}"
