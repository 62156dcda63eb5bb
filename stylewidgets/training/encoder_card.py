"""What an encoder is worth: the model card of one, with figures measured on pictures that training has not seen."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from .. import load
from ..avatars import AvatarDataset
from ..inversion import Target, evaluate_each, invert
from ..inversion.encoders import small
from ..session.session import GeneratorSession

HELD_OUT = 20
FIRST_SEED = 1_000_000
"""Seeds of the held-out generated pictures; training draws z without seeds of pictures."""
RENDER_SEED = 987_654
FIGURES = {
    "mse": "mean square error, on [-1, 1]",
    "psnr": "PSNR, dB",
    "perceptual": "perceptual distance (factor network)",
    "w_distance": "distance from the known w (two faces: 1.41)",
    "realism": "distance of the code from real ones (1 is typical)",
    "edit_error": "error of edits against the truth",
}


def held_out(session: GeneratorSession) -> dict[str, Target]:
    """20 generated pictures with known w, and 20 renders with known factors."""
    drawn = AvatarDataset(seed=RENDER_SEED, n=HELD_OUT, resolution=session.resolution, outputs=("image",)).batch(
        range(HELD_OUT)
    )
    made = [session.latent(seed=FIRST_SEED + i) for i in range(HELD_OUT)]
    return {"generated": Target.of(made, session), "renders": Target.of(drawn, session)}


def measure(path: Path, generator: str) -> dict[str, Any]:
    """Medians over the held-out pictures, and the milliseconds of one forward, for a bundled generator."""
    session = load(generator)
    net, _ = small.load(path)
    found: dict[str, Any] = {}
    for name, target in held_out(session).items():
        rows = evaluate_each(target, invert(session, target, net.shape.kind, encoder=str(path)), session)
        found[name] = {key: float(np.median([row[key] for row in rows])) for key in FIGURES if key in rows[0]}
    images = target.images[:1]
    drawn = images if net.shape.kind == "restyle" else None
    times = []
    for _ in range(20):
        begin = time.perf_counter()
        net.offsets(images, drawn)
        times.append(1000 * (time.perf_counter() - begin))
    return found | {"ms": float(np.median(times))}


def card(path: Path, generators: tuple[str, ...]) -> str:
    """The text of the card of an encoder file."""
    net, about = small.load(path)
    size = sum(p.numel() for p in net.parameters())
    measured = {name: measure(path, name) for name in generators}
    kinds = [(name, kind) for name in generators for kind in ("generated", "renders")]
    command = f"stylewidgets train encoders {net.shape.kind}"
    before = ", ".join(f"{images:,} pictures as {kind}" for kind, images in about.get("before", {}).items())
    begun = f", after {before}" if before else ""
    weights = ", ".join(f"{name} {weight:g}" for name, weight in about["weights"].items())
    lines = [
        f"# {path.name}",
        "",
        f"A small {net.shape.kind} encoder: a picture, pooled to {small.SIDE} px, to {net.shape.rows} rows of w+;",
        f"{size:,} parameters. For {about['generator']} and generators with the same mapping network (fewer rows: the first",
        f"ones). Licence: {about['licence']}.",
        "",
        "## How it was made",
        "",
        f"`{command}`: {about['images']:,} pictures, {about['seconds'] / 60:.0f} minutes on one",
        f"CPU thread{begun}. Half of the pictures are generated, with known w, half are renders. Losses: squared error,",
        "the factor network's perceptual distance (in place of LPIPS, and of a network for identity)"
        + (" and, beyond the papers, the" if "w" in about["weights"] else ", and"),
        ("distance from the known w. " if "w" in about["weights"] else "none that knows w. ") + f"Weights: {weights}.",
        *(["Rows of w+ were freed one after the other, as published."] if net.shape.relative else []),
        "",
        "## Measured",
        "",
        f"Medians over {HELD_OUT} generated pictures and {HELD_OUT} renders that training has not seen.",
        "",
        "| |" + "".join(f" {name}, {kind} |" for name, kind in kinds),
        "|---|" + "---|" * len(kinds),
    ]
    for key, words in FIGURES.items():
        cells = [measured[name][kind].get(key) for name, kind in kinds]
        lines.append(f"| {words} |" + "".join(" – |" if value is None else f" {value:.3g} |" for value in cells))
    speed = f"One forward of the network: {measured[generators[0]]['ms']:.0f} ms, one thread of a shared machine."
    return "\n".join([*lines, "", speed, ""])
