"""``stylewidgets train posed``: a small Pose with Style of half figures of avatars, on a CPU, in resumable slices."""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from tqdm.auto import tqdm

from ...avatars.domain import DOMAIN
from ...avatars.drawing.sheet import save_sheet, tile
from ...avatars.world.dataset import to_uint8
from ...checkpoints.formats import native
from ...core.options import Options
from ...jobs import Job, Progress
from ...ops.devices import own_random
from ..avatars import drive, rate
from .data import POSES, WAYS, RenderedPairs
from .state import PosedRecipe, PosedRun
from .step import drawn, pair_step

NAME = "avatar-posed"
_DEFAULT = PosedRecipe()
OPTIONS: Options = {
    "--out": {"type": Path, "default": Path("runs/posed"), "help": "folder of the run (default %(default)s)"},
    "--renders": {"type": int, "default": 3600, "help": "avatars of the data set (default %(default)s)"},
    "--images": {"type": int, "default": 60_000, "help": "pictures to draw in all (default %(default)s)"},
    "--minutes": {"type": float, "help": "stop after this time; the same command goes on later"},
    "--checkpoint-minutes": {"type": float, "default": 3.0, "help": "default %(default)s"},
    "--device": {"default": "cpu", "help": "torch device (default %(default)s)"},
    "--threads": {"type": int, "help": "CPU threads (default: torch's choice)"},
    **{
        "--" + name.replace("_", "-"): {
            "type": type(getattr(_DEFAULT, name)),
            "default": getattr(_DEFAULT, name),
            "help": "default %(default)s",
        }
        for name in (
            "resolution",
            "ngf",
            "widest",
            "batch",
            "learning_rate",
            "matrix_rate",
            "still",
            "feature_weight",
            "adversarial_weight",
            "adversarial_from",
            "seed",
        )
    },
}


@own_random()
def run(args: argparse.Namespace) -> None:
    """Train until the pictures are drawn, the time is up or the user stops; always leaves a checkpoint and weights."""
    if args.threads:
        torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    data = RenderedPairs(args.out / "renders", args.renders, args.resolution, seed=args.seed)
    state = start(args)
    begun, before = time.monotonic(), state.total
    drive(schedule(state, data, args.images), args, lambda: write(state, data, args.out))
    speed = (state.total - before) / (time.monotonic() - begun)
    tqdm.write(f"{args.out}: {state.total} pictures, {state.seconds / 60:.0f} minutes in all; {speed:.1f} images/s")


def start(args: argparse.Namespace) -> PosedRun:
    """A new run, or the one in ``--out``."""
    path = args.out / "checkpoint.pt"
    if path.exists():
        state = PosedRun.load(path, args.device)
        tqdm.write(f"going on from {path}: {state.images}")
        return state
    given = {f.name: getattr(args, f.name) for f in fields(PosedRecipe) if hasattr(args, f.name)}
    return PosedRun(PosedRecipe(**given), args.device)


def schedule(state: PosedRun, data: RenderedPairs, images: int) -> Job[None]:
    """Steps until so many pictures are drawn. The average is good wherever it stops: rates fall with the root of the time."""
    means: dict[str, float] = {}
    while state.total < images:
        done = state.total
        for optimiser in state.optimisers.values():
            rate(optimiser, fallen(done, state.recipe.flat, images))
        losses = pair_step(state, data.drawn_by_chance(state.recipe.batch, state.recipe.still, done))
        for name, value in losses.items():
            means[name] = means.get(name, value) * 0.98 + value * 0.02
        yield Progress(state.total, images, "pairs", dict(means))


def fallen(done: int, flat: int, images: int) -> float:
    """Rate after so many pictures beside the first: 1, then with the inverse root, and to nothing over the last tenth."""
    return min(1.0, math.sqrt(flat / max(done, 1))) * min(1.0, max(0.05, (images - done) / (0.1 * images)))


@torch.no_grad()
def write(state: PosedRun, data: RenderedPairs, out: Path) -> None:
    """Checkpoint, weights of the averaged generator, and a sheet to look at."""
    state.save(out / "checkpoint.pt")
    native.save(out / "generator.safetensors", state.averaged, metadata(state))
    count = min(24, data.n)
    rows = np.arange(count)
    pair = data.batch(rows, rows % (POSES - 1), rows % len(WAYS))
    carried = F.grid_sample(pair.given.picture, pair.given.flow.permute(0, 2, 3, 1), align_corners=False)
    shown = torch.stack([pair.given.picture, carried, drawn(state.averaged, pair.given), pair.wanted], dim=1)
    save_sheet(tile(to_uint8(shown.flatten(0, 1)).permute(0, 2, 3, 1).cpu().numpy(), 12), out / "pairs.png")


def metadata(state: PosedRun) -> dict[str, Any]:
    """What the file of weights says of itself."""
    return {
        "name": NAME,
        "licence": "MIT",
        "domain": DOMAIN.stamp(),
        "images": state.images,
        "training_seconds": round(state.seconds),
        "recipe": {**vars(state.recipe)},
    }
