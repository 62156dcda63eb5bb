"""``stylewidgets train words-table``: the table of a generator and a text encoder. Interrupted, it goes on where it was."""

from __future__ import annotations

import argparse
from pathlib import Path

from ...core.options import Options

OPTIONS: Options = {
    "generator": {"nargs": "?", "help": "a name or a file (default: the bundled generator)"},
    "--encoder": {"help": "a CLIP file (default: the bundled encoder)"},
    "--out": {"type": Path, "help": "default: beside a bundled generator's file, NAME.words.safetensors; else here"},
    "--faces": {
        "type": int,
        "default": 8,
        "help": "on which each channel is tried (default %(default)s; the paper: 100)",
    },
    "--layers": {"type": int, "nargs": "+", "metavar": "LAYER", "help": "only these style layers (default: all)"},
    "--no-colours": {"action": "store_true", "help": "leave the ToRGB layers out, as the paper does"},
    "--batch": {"type": int, "default": 16, "help": "pictures at a time (default %(default)s)"},
    "--device": {"default": "cpu", "help": "torch device (default %(default)s)"},
    "--dry-run": {"action": "store_true", "help": "only say how long it takes"},
}


def run(args: argparse.Namespace) -> None:
    """Say how long it takes, measure, write the table and its card."""
    from ... import jobs, text, weights
    from ...editing import Words
    from ...session.load import load

    path = weights.find(args.generator)
    session = load(args.generator, device=args.device, precision="fp32")
    words = Words(session, text.load(args.encoder).to(session.device))
    which = {"faces": args.faces, "layers": args.layers, "torgb": not args.no_colours, "batch": args.batch}
    cost = words.cost(**which)
    print(f"{cost.pictures:,} pictures, about {cost.seconds / 60:.1f} minutes on this machine as it is now")
    if args.dry_run:
        return
    table = jobs.run(words.prepare(**which))
    assert table is not None
    out = args.out or (path.with_suffix("") if path.parent == weights.FOLDER else Path(path.stem)).with_suffix(
        ".words.safetensors"
    )
    table.save(out)
    out.with_suffix(".md").write_text(card(out, table), encoding="utf-8")
    print(f"{table.share:.0%} of {len(table.sigma):,} channels, written to {out} ({out.stat().st_size / 1000:,.0f} kB)")


def card(path: Path, table: object) -> str:
    """What the file is, for people."""
    from ...editing.words.table import ChannelTable

    assert isinstance(table, ChannelTable)
    about = table.about
    return f"""# {path.name}

Where each style channel takes pictures in the space of the text encoder {about["encoder_name"]!r}: what `Words.direction` needs
(StyleCLIP, Patashnik et al., ICCV 2021, section 6). Made by `stylewidgets train words-table`.

* {int(table.known.sum()):,} of {len(table.sigma):,} channels, embeddings of {table.dim} numbers.
* Each channel alone at {about["k"]:g} σ below and above its mean on {about["faces"]} faces (seed {about["seed"]}), pictures of
  {about["side"]} px.
* Spread of embeddings over {about["pictures"]} faces.
* Generator {table.weights}, encoder {table.encoder}. Another one of either makes this file useless, and it is refused.
* Licence: MIT, as the generator and the encoder that it was measured with.
"""
