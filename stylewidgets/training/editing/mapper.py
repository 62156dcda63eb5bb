"""``stylewidgets train mapper``: a small network that edits towards one sentence."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.options import Options

if TYPE_CHECKING:
    from ...editing import Mapper, Words

FIRST, FACES = 5000, 24
"""Seeds that a mapper is measured on."""

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
    "--steps": {"type": int, "default": 160, "help": "(default %(default)s)"},
    "--batch": {"type": int, "default": 4, "help": "codes a step (default %(default)s)"},
    "--rate": {"type": float, "default": 1.5, "help": "largest learning rate (default %(default)s)"},
    "--l2": {"type": float, "default": 0.5, "help": "how much it holds to the code (default %(default)s)"},
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
    out.with_suffix(".md").write_text(card(out, made, words), encoding="utf-8")
    print(f"{made.name!r} ({', '.join(made.levels)}), written to {out} ({out.stat().st_size / 1000:,.0f} kB)")


def card(path: Path, mapper: Mapper, words: Words) -> str:
    """What the file is, for people, and what its edit does to faces that it was not trained on."""
    import numpy as np
    import torch

    from ... import domain

    session, about = words.session, mapper.about
    session.editors.add(mapper.kind, mapper)
    start = [session.latent(seed=FIRST + i) for i in range(FACES)]
    both = (start, [latent.with_edit(mapper.edit()) for latent in start])
    before, after = (torch.from_numpy(session.images(x)).permute(0, 3, 1, 2).float() / 127.5 - 1 for x in both)
    text = words.encoder.texts([str(about["sentence"])])
    fits = [float((words.encoder.pictures(x) @ text.T).mean()) for x in (before, after)]
    lines = [f"* Similarity of picture and sentence {fits[0]:.2f} → {fits[1]:.2f}."]
    known = domain.of(session)
    if known is not None and known.reader is not None:
        reader = known.reader()
        change = (reader.deviations(after) - reader.deviations(before)).mean(axis=0)
        most = np.argsort(-np.abs(change))[:4]
        said = ", ".join(f"{reader.names[i]} {change[i]:+.2f} σ" for i in most)
        lines.append(
            f"* As {known.network or 'its reader'} reads it: {said}; mean of all {np.abs(change).mean():.2f} σ."
        )
    measured = "\n".join(lines)
    return f"""# {path.name}

A mapper (StyleCLIP, Patashnik et al., ICCV 2021, section 5) for {about["sentence"]!r}, levels {", ".join(mapper.levels)}. Made by
`stylewidgets train mapper` with {about["steps"]} steps of {about["batch"]} codes, λ_L2 {about["l2"]:g},
λ_ID {about["identity"]:g}, seed {about["seed"]}, in {about["seconds"]:.0f} s on a busy machine, with the text
encoder {about["encoder_name"]!r} ({about["encoder"]}).

At strength 1 on {FACES} faces without truncation, none of which it was trained on:

{measured}

Works with every generator that has the w of {mapper.of}. Licence: MIT.
"""
