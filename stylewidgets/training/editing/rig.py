"""``stylewidgets train rig``: the rig of a generator's w, from faces that are drawn and read."""

from __future__ import annotations

import argparse
from pathlib import Path

from ...core.options import Options

OPTIONS: Options = {
    "generator": {"nargs": "?", "help": "a bundled name or a file (default: the bundled generator)"},
    "--out": {"type": Path, "help": "default: beside the generator, NAME.rig.safetensors"},
    "--samples": {"type": int, "default": 18_400, "help": "faces to learn from (default %(default)s)"},
    "--steps": {"type": int, "default": 4_000, "help": "of training of RigNet (default %(default)s)"},
    "--latent": {"type": int, "default": 32, "help": "numbers of each row's encoding (default %(default)s)"},
    "--hidden": {
        "default": "64",
        "help": "widths of the decoder's hidden layers, '' for linear rows (default %(default)s)",
    },
    "--seed": {"type": int, "default": 0, "help": "of the training (default %(default)s)"},
    "--faces-seed": {"type": int, "help": "of the faces to learn from (default: --seed)"},
    "--folder": {
        "type": Path,
        "help": "where partial work is kept and found again, pairs.npz of a flow's folder too (default: the cache)",
    },
    "--device": {"default": "cpu", "help": "torch device (default %(default)s)"},
}


def run(args: argparse.Namespace) -> None:
    """Fit, write the file and its card."""
    from ... import jobs, weights
    from ...editing.rig import Rig
    from ...editing.rig.fitting import fit
    from ...session.load import load
    from .rig_card import card

    path = weights.find(args.generator)
    session = load(path, device=args.device, precision="fp32")
    session.name = path.stem
    hidden = [int(width) for width in args.hidden.split(",") if width]
    job = fit(
        session,
        samples=args.samples,
        steps=args.steps,
        latent=args.latent,
        hidden=hidden,
        seed=args.seed,
        faces_seed=args.faces_seed,
        folder=args.folder,
    )
    made = jobs.run(job)
    assert made is not None
    rig = Rig(*made).bound(session)
    out = rig.save(args.out or path.with_suffix(".rig.safetensors"))
    out.with_suffix(".md").write_text(card(rig, out, command(args, path.stem)), encoding="utf-8")
    print(f"{rig}\nwritten to {out}")


def command(args: argparse.Namespace, generator: str) -> str:
    """The command line that makes the same rig again, with everything said that decides what comes out."""
    faces_seed = args.seed if args.faces_seed is None else args.faces_seed
    return (
        f"stylewidgets train rig {generator} --samples {args.samples} --steps {args.steps} --latent {args.latent} "
        f"--hidden {args.hidden or chr(39) * 2} --seed {args.seed} --faces-seed {faces_seed}"
    )
