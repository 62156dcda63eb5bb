"""``stylewidgets train flow``: the conditional flow of a generator's w, from faces that are drawn and read."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..core.options import Options

SHOWN = (
    "yaw", "pitch", "light_azimuth", "light_elevation", "smile", "mouth_open", "eye_openness", "skin_tone", "face_width",
    "hair_lightness", "hair_length", "lip_colour", "glasses", "beard", "hat",
)  # fmt: skip
"""What can be asked for of the bundled generators of avatars. All that is read besides is held."""

GROUPS = {"light": ("light_azimuth", "light_elevation")}

OPTIONS: Options = {
    "generator": {"nargs": "?", "help": "a bundled name or a file (default: the bundled generator)"},
    "--out": {"type": Path, "help": "default: beside the generator, NAME.flow.safetensors"},
    "--names": {
        "help": "attributes that can be asked for, with commas between (default: fifteen of avatars, else all)"
    },
    "--samples": {"type": int, "default": 18_400, "help": "faces to learn from (default %(default)s)"},
    "--matching": {"type": int, "default": 3_000, "help": "steps without a solver (default %(default)s)"},
    "--likelihood": {"type": int, "default": 0, "help": "steps by likelihood, as the paper's (default %(default)s)"},
    "--hidden": {"default": "208,208,208", "help": "widths of the hidden layers (default %(default)s)"},
    "--seed": {"type": int, "default": 0, "help": "of the training (default %(default)s)"},
    "--faces-seed": {"type": int, "help": "of the faces to learn from (default: --seed)"},
    "--folder": {"type": Path, "help": "where partial work is kept and found again (default: the cache)"},
    "--device": {"default": "cpu", "help": "torch device (default %(default)s)"},
}


def run(args: argparse.Namespace) -> None:
    """Fit, write the file and its card."""
    from .. import domain, jobs, weights
    from ..editing.flow import Flow
    from ..editing.flow.fitting import fit
    from ..session.load import load
    from .flow_card import card

    path = weights.find(args.generator)
    session = load(path, device=args.device, precision="fp32")
    session.name = path.stem
    known = domain.of(session)
    of_avatars = known is not None and known.name == "avatars"
    names = args.names.split(",") if args.names else SHOWN if of_avatars else None
    job = fit(
        session,
        names=names,
        groups={name: m for name, m in GROUPS.items() if of_avatars and not args.names},
        samples=args.samples,
        matching=args.matching,
        likelihood=args.likelihood,
        hidden=[int(width) for width in args.hidden.split(",")],
        seed=args.seed,
        faces_seed=args.faces_seed,
        folder=args.folder,
    )
    made = jobs.run(job)
    assert made is not None
    core, about = made
    flow = Flow(core, about).bound(session)
    out = flow.save(args.out or path.with_suffix(".flow.safetensors"))
    out.with_suffix(".md").write_text(card(flow, out, command(args, path.stem)), encoding="utf-8")
    surprise = about["surprise"]
    print(
        f"{flow}: {surprise['flow']:.3f} nats a number on faces held out, the linear conditional Gaussian "
        f"{surprise['linear conditional Gaussian']:.3f}\nwritten to {out}"
    )


def command(args: argparse.Namespace, generator: str) -> str:
    """The command line that makes the same flow again, with everything said that decides what comes out."""
    faces_seed = args.seed if args.faces_seed is None else args.faces_seed
    words = ["stylewidgets train flow", generator]
    words += [f"--names {args.names}"] if args.names else []
    words += [f"--samples {args.samples}", f"--matching {args.matching}", f"--likelihood {args.likelihood}"]
    words += [f"--hidden {args.hidden}", f"--seed {args.seed}", f"--faces-seed {faces_seed}"]
    return " ".join(words)
