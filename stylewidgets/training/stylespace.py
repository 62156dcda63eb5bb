"""Make the StyleSpace report of a generator: the best channel of each factor, attribute dependency, DCI."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..core.options import Options

OPTIONS: Options = {
    "generator": {"type": Path, "nargs": "?", "help": "a .safetensors file (default: the bundled generator)"},
    "--out": {"type": Path, "help": "default: beside the generator, NAME.stylespace.json"},
    "--samples": {"type": int, "default": 2000, "help": "faces of the population (default %(default)s)"},
    "--faces": {"type": int, "default": 48, "help": "faces that edits are measured on (default %(default)s)"},
    "--candidates": {"type": int, "default": 12, "help": "channels tried for each factor (default %(default)s)"},
    "--part": {
        "choices": ("all", "rows", "dci"),
        "default": "all",
        "help": "make only the table of factors or only DCI, and keep the other part of the file",
    },
    "--device": {"default": "cpu", "help": "torch device (default %(default)s)"},
}


def run(args: argparse.Namespace) -> None:
    """Measure and write."""
    from dataclasses import replace

    from .. import jobs, weights
    from ..avatars.domain import DOMAIN
    from ..avatars.reading.factor_net import load_regressor
    from ..avatars.reading.reader import avatar_reader
    from ..session.load import load
    from ..stylespace import make_report
    from ..stylespace.reports.table import Report

    path = args.generator or weights.find()
    session = load(path, device=args.device, precision="fp32")
    out = args.out or Path(path).with_suffix(".stylespace.json")
    job = make_report.steps(
        session,
        avatar_reader(load_regressor(device=args.device)),
        samples=args.samples,
        faces=args.faces,
        candidates=args.candidates,
        rows=args.part != "dci",
        spaces=() if args.part == "rows" else None,
    )
    made = jobs.run(job)
    assert made is not None
    made = replace(made, domain=DOMAIN.stamp(readings=True))
    if args.part != "all" and out.is_file():
        before = Report.load(out)
        if before.weights == made.weights:
            made = (
                replace(made, dci=before.dci)
                if args.part == "rows"
                else replace(made, rows=before.rows, faces=before.faces)
            )
    made.save(out)
    print(f"{made.markdown()}\nwritten to {out}")
