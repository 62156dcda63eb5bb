"""Measures a scene generator of avatars and writes its card: what `stylewidgets train evaluate` does with one."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from PIL import Image

from ...avatars.domain import DOMAIN
from ...avatars.drawing.sheet import save_sheet, tile
from ...avatars.reading.estimates import file_digest
from ...avatars.reading.factor_net import BUNDLED, load_regressor
from ...core.values import rounded
from ...generators.stylenerf import StyleNeRF
from ...latent.camera import Camera
from ...session.load import load
from ...session.session import GeneratorSession
from ..world import LatentWorld
from . import measure
from .card import card, tables
from .state import SceneRun

TURN = (-45.0, -30.0, -15.0, 0.0, 15.0, 30.0, 45.0)
"""Yaws of the sheet, in degrees."""


def run(args: argparse.Namespace, session: GeneratorSession) -> None:
    """Measure, print and write."""
    quality = rounded(
        figures(session, args.file, args.samples if not args.quick else 64, args.seed, args.run_folder), 6
    )
    print(tables(quality))
    if args.sheet:
        save_sheet(turned(session), args.sheet)
    if args.quick:
        return
    out = args.json or args.file.with_suffix(".quality.json")
    out.write_text(json.dumps(quality, indent=1) + "\n", encoding="utf-8")
    text = args.file.with_suffix(".md")
    text.write_text(card(session.generator, session.metadata, quality), encoding="utf-8")
    print(f"\nwritten to {text} and {out}")


def turned(session: GeneratorSession, seeds: Sequence[int] = (1, 2, 3, 4), psi: float = 0.8) -> Image.Image:
    """Samples as a camera sees them that goes round from one side to the other, and their depth below, near is light."""
    side, rows = 2 * session.resolution, []
    for seed in seeds:
        seen = [session.latent(seed=seed, psi=psi, view=Camera(yaw)) for yaw in TURN]
        rows += [np.asarray(session.render(latent).resize((side, side), Image.Resampling.BICUBIC)) for latent in seen]
        for latent in seen:
            depth = session.depth(latent, side)
            there = np.isfinite(depth)
            low, high = depth[there].min(), depth[there].max()
            grey = np.where(there, 255 - 205 * (depth - low) / (high - low), 0)
            rows.append(np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2))
    return tile(np.stack(rows), len(TURN))


def figures(session: GeneratorSession, file: Path, samples: int, seed: int, folder: Path | None) -> dict[str, Any]:
    """All figures.

    Args:
        session: of a generator that `train stylenerf` wrote.
        file: its weights.
        samples: for the distances; a tenth of it, and 48 at least, for what is compared picture by picture.
        seed: of latents and renders; training has other ones.
        folder: of the run, whose checkpoint has the paired mapping from factors; without it w is that of latents whose factors
            the world tells.
    """
    generator, net = cast(StyleNeRF, session.generator), load_regressor()
    recipe = session.metadata["recipe"]
    world = LatentWorld(session.z_dim, seed=int(recipe["seed"]), amplitude=float(recipe["twist"]))
    few = max(samples // 10, 48)
    of_z = measure.of_latents(session, world, few, 2001 + 10 * seed)
    sources = {"latents": of_z}
    if folder is not None:
        averaged = SceneRun.load(folder / "checkpoint.pt", "cpu").averaged
        sources = {"factors": measure.of_factors(averaged["embedding"], few), **sources}  # type: ignore[arg-type]
    first = next(iter(sources.values()))
    other = load(measure.BESIDE, device="cpu", precision="fp32")
    other_recipe = other.metadata["recipe"]
    other_world = LatentWorld(other.z_dim, seed=int(other_recipe["seed"]), amplitude=float(other_recipe["twist"]))
    return {
        "file": file.name,
        "command": f"stylewidgets train evaluate {file.name} --samples {samples} --seed {seed}"
        + (" --run-folder RUN" if folder is not None else ""),
        "samples": samples,
        "compared": few,
        "seed": seed,
        "domain": DOMAIN.stamp(readings=True),
        "weights": file_digest(file),
        "network": file_digest(BUNDLED) if BUNDLED.is_file() else "",
        "geometry": {name: measure.geometry(generator, held) for name, held in sources.items()},
        "views": {name: measure.views(generator, held) for name, held in sources.items()},
        "views by direction": measure.views_by_direction(other, other_world, net, few, 2001 + 10 * seed),
        "poses": measure.poses(generator, first, net),
        "angles": measure.by_angle(generator, first),
        **measure.distances(session, world, net, samples, seed),
    }
