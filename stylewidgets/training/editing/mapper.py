"""``stylewidgets train mapper``: a small network that edits towards one sentence."""

from __future__ import annotations

import argparse
from pathlib import Path

from ...core.options import Options

OPTIONS: Options = {
    "sentence": {"help": "what pictures are to show, such as 'a smiling face'"},
    "--generator": {"help": "a name or a file (default: the bundled generator)"},
    "--encoder": {"help": "a CLIP file (default: the bundled encoder)"},
    "--name": {"help": "of the mapper (default: the sentence)"},
    "--out": {"type": Path, "help": "default: NAME.mapper.safetensors, here"},
    "--levels": {
        "nargs": "+",
        "choices": ("coarse", "medium", "fine"),
        "default": ["coarse", "medium", "fine"],
        "help": "that get a network (default: all); without fine colours stay",
    },
    "--steps": {"type": int, "default": 600, "help": "(default %(default)s)"},
    "--batch": {"type": int, "default": 4, "help": "codes a step (default %(default)s)"},
    "--rate": {"type": float, "default": 0.2, "help": "largest learning rate (default %(default)s)"},
    "--l2": {"type": float, "default": 0.8, "help": "how much it holds to the code (default %(default)s)"},
    "--identity": {"type": float, "default": 0.1, "help": "how much it holds to who it is (default %(default)s)"},
    "--seed": {"type": int, "default": 0},
    "--device": {"default": "cpu", "help": "torch device (default %(default)s)"},
}


def run(args: argparse.Namespace) -> None:
    """Train and write."""
    from ... import jobs, text
    from ...editing import Words
    from ...session.load import load

    session = load(args.generator, device=args.device, precision="fp32")
    words = Words(session, text.load(args.encoder).to(session.device))
    names = ("levels", "steps", "batch", "rate", "l2", "identity", "seed")
    job = words.fit_mapper(
        args.sentence, name=args.name or args.sentence, **{name: getattr(args, name) for name in names}
    )
    made = jobs.run(job)
    assert made is not None
    out = args.out or Path(f"{made.name.replace(' ', '-')}.mapper.safetensors")
    made.save(out)
    print(f"{made.name!r} ({', '.join(made.levels)}), written to {out} ({out.stat().st_size / 1000:,.0f} kB)")
