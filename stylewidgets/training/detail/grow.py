"""``stylewidgets train detail``: a shipped generator grown to twice the size, with detail in its noise, in resumable slices."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm

from ... import weights
from ...avatars.domain import DOMAIN
from ...avatars.drawing.sheet import save_sheet, tile
from ...avatars.world.dataset import to_uint8
from ...checkpoints.formats import native
from ...core.options import Options
from ...jobs import Job, Progress
from ...ops.devices import own_random
from ..avatars import drive, falling, rate
from .data import Pool
from .phases import mixed_step, noise_step, paired_step, some
from .state import GrowingRun, GrowRecipe, teacher_of

_DEFAULT = GrowRecipe()
OPTIONS: Options = {
    "--out": {"type": Path, "default": Path("runs/detail"), "help": "folder of the run (default %(default)s)"},
    "--start": {"default": _DEFAULT.start, "help": "bundled name or file to grow (default %(default)s)"},
    "--renders": {"type": int, "default": 6000, "help": "size of the data set (default %(default)s)"},
    "--images": {"type": int, "default": 40_000, "help": "pictures to train on (default %(default)s)"},
    "--minutes": {"type": float, "help": "stop after this time; the same command goes on later"},
    "--checkpoint-minutes": {"type": float, "default": 3.0, "help": "default %(default)s"},
    "--threads": {"type": int, "help": "CPU threads (default: torch's choice)"},
    **{
        "--" + name.replace("_", "-"): {
            "type": type(getattr(_DEFAULT, name)),
            "default": getattr(_DEFAULT, name),
            "help": "default %(default)s",
        }
        for name in (
            "channels",
            "batch",
            "learning_rate",
            "matrix_rate",
            "trunk",
            "noise_weight",
            "noise_every",
            "mixed_every",
            "mixed_weight",
            "seed",
        )
    },
}


@own_random()
def run(args: argparse.Namespace) -> None:
    """Train until the pictures are seen, the time is up or the user stops; always leaves a checkpoint and weights."""
    if args.threads:
        torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    state = start(args)
    pool = Pool(
        args.out / "renders",
        args.renders,
        state.generator.resolution,
        state.teacher,
        state.world,
        state.amounts,
        seed=state.recipe.seed,
    )
    drive(schedule(state, pool, args), args, lambda: write(state, pool, args.out))
    tqdm.write(f"{args.out}: {state.images} pictures, {state.seconds / 60:.0f} minutes in all")


def start(args: argparse.Namespace) -> GrowingRun:
    """A new run, or the one in ``--out``."""
    path, source = args.out / "checkpoint.pt", weights.find(args.start)
    if path.exists():
        state = GrowingRun.load(path, source)
        tqdm.write(f"going on from {path}: {state.images}")
        return state
    teacher, metadata = teacher_of(source)
    told = metadata["recipe"]
    given = {f.name: getattr(args, f.name) for f in fields(GrowRecipe) if hasattr(args, f.name)}
    given |= {"world_seed": told["seed"], "twist": told["twist"], "correlated": told.get("correlated", False)}
    minutes = metadata.get("training_seconds", 0) / 60
    before = f"{teacher.resolution} px: {metadata['images'].get('paired', 0):,} paired pictures, {minutes:.0f} minutes"
    return GrowingRun(
        GrowRecipe(**given),
        teacher,
        [*metadata.get("history", []), before],
        seconds=float(metadata.get("training_seconds", 0)),
    )


def schedule(state: GrowingRun, pool: Pool, args: argparse.Namespace) -> Job[None]:
    """Step by step; the first renders at once, then one a step, until all are there."""
    random = np.random.default_rng(state.images)
    means: dict[str, float] = {}
    while pool.done < min(128, pool.n):
        pool.grow(8)
        yield Progress(pool.done, pool.n, "rendering")
    turn = 0
    while state.images < args.images:
        for optimiser in state.optimisers.values():
            rate(optimiser, falling(state.images / args.images))
        pool.grow(1)
        losses = paired_step(state, some(pool, state.recipe.batch, random))
        if turn % state.recipe.noise_every == 0:
            losses |= noise_step(state, some(pool, state.recipe.batch, random))
        if turn % state.recipe.mixed_every == 0:
            losses |= mixed_step(state)
        turn += 1
        for name, value in losses.items():
            means[name] = means.get(name, value) * 0.98 + value * 0.02
        yield Progress(state.images, args.images, "growing", dict(means))


@torch.no_grad()
def write(state: GrowingRun, pool: Pool, out: Path) -> None:
    """Checkpoint, weights of the average, and two sheets to look at."""
    state.save(out / "checkpoint.pt")
    average = state.average
    r = state.recipe
    recipe = {
        **vars(r),
        "seed": r.world_seed,
        "training_seed": r.seed,
        "keep_w": True,
        "resolution": average.resolution,
    }
    metadata = {
        "name": f"avatar-{average.resolution}",
        "licence": "MIT",
        "domain": DOMAIN.stamp(),
        "images": {"detail": state.images, "renders": pool.done},
        "training_seconds": round(state.seconds),
        "history": state.history,
        "detail": state.amounts.to_plain(),
        "recipe": recipe,
    }
    native.save(out / "generator.safetensors", average, metadata)
    if not pool.done:
        return
    seen = pool.batch(np.arange(min(12, pool.done)))
    ws = seen.w[:, None].expand(-1, average.num_ws, -1)
    small = torch.nn.functional.interpolate(state.teacher.synthesize(ws[:, :-2], noise="const"), scale_factor=2.0)
    pairs = torch.stack([seen.image, average.synthesize(ws, noise="const"), small], 1).flatten(0, 1)
    z = torch.from_numpy(np.random.RandomState(0).randn(24, average.z_dim).astype(np.float32))
    for name, images in (("paired", pairs), ("samples", average.synthesize(average.map(z), noise="const"))):
        save_sheet(tile(to_uint8(images).permute(0, 2, 3, 1).numpy(), 6), out / f"{name}.png")
