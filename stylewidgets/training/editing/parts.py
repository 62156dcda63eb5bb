"""``stylewidgets train parts``: which features of a generator are which part. Interrupted, it goes on where it was."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.options import Options

if TYPE_CHECKING:
    from ...editing import Parts

FIRST, FACES = 90_000, 32
"""Seeds that the parts are measured on: none of them was looked at before."""

OPTIONS: Options = {
    "generator": {"nargs": "?", "help": "a name or a file (default: the bundled generator)"},
    "--out": {"type": Path, "help": "default: beside a bundled generator's file, NAME.parts.safetensors; else here"},
    "--clusters": {"type": int, "help": "(default: 48)"},
    "--pictures": {"type": int, "help": "that are looked at (default: 200)"},
    "--layer": {"default": "", "help": "whose features (default: the last of a quarter of the picture's side)"},
    "--seed": {"type": int, "default": 0, "help": "(default %(default)s)"},
    "--checkpoint": {"type": Path, "help": "folder of partial work (default: in the cache)"},
    "--device": {"default": "cpu", "help": "torch device (default %(default)s)"},
}


def run(args: argparse.Namespace) -> None:
    """Cluster, name, and write the catalogue and its card."""
    from ... import jobs, weights
    from ...editing import Parts
    from ...session.load import load

    path = weights.find(args.generator)
    session = load(path, device=args.device, precision="fp32")
    session.name = path.stem
    names = ("clusters", "pictures", "layer", "seed")
    asked = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    parts = jobs.run(Parts.fit(session, **asked, folder=args.checkpoint, keep=False))
    assert parts is not None
    own = path.with_suffix("") if path.parent == weights.FOLDER else Path(path.stem)
    out = args.out or own.with_suffix(".parts.safetensors")
    parts.save(out)
    out.with_suffix(".md").write_text(card(out, parts), encoding="utf-8")
    print(f"{', '.join(parts.catalogue.names)}, written to {out} ({out.stat().st_size / 1000:,.0f} kB)")


def card(path: Path, parts: Parts) -> str:
    """What the file is, for people, and how well the parts agree with the segmenter on faces that were not looked at."""
    from ... import jobs
    from ...editing.parts.fitting import PSI, agreements

    session, found = parts.session, parts.catalogue
    about = found.about
    latents = [session.latent(seed=FIRST + i, psi=PSI) for i in range(FACES)]
    held = jobs.run(agreements(session, found, latents)) or {}
    rows = "\n".join(
        f"| {name} | {', '.join(map(str, clusters))} | {held.get(name, float('nan')):.2f} |"
        for name, clusters in found.parts.items()
    )
    missing = [name for name in held if name not in found.parts]
    lacks = f"\nNo cluster fits these regions well enough to be called so: {', '.join(missing)}.\n" if missing else ""
    return f"""# {path.name}

Parts of {session.name}: {len(found.centres)} clusters of what its layer {found.layer} makes, and which part each is
(Editing in Style, Collins et al., CVPR 2020; Retrieve in Style, Chong et al., ICCV 2021). Made by
`stylewidgets train parts` from {about["pictures"]} pictures (ψ {about["psi"]:g}, from seed {about["seed"]}). Beside them is
what share of its energy each style channel spends in each part.

Intersection over union with the regions of the domain's segmenter, on {FACES} pictures that were not looked at; the layer has
fewer pixels than the picture, which alone costs small parts some of it:

| part | clusters | agreement |
|---|---|---|
{rows}
{lacks}
Generator {found.generator}; another one is refused. Licence: {session.metadata.get("licence", "MIT")}.
"""
