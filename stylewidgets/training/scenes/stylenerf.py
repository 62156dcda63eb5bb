"""``stylewidgets train stylenerf``: a small StyleNeRF of the avatars from known cameras, on a CPU, in resumable slices."""

from __future__ import annotations

import argparse
import time
from dataclasses import fields
from pathlib import Path
from typing import cast

import numpy as np
import torch
from PIL import Image
from tqdm.auto import tqdm

from ...avatars.domain import DOMAIN
from ...avatars.drawing.sheet import save_sheet, tile
from ...avatars.world.dataset import to_uint8
from ...checkpoints.formats import native
from ...core.options import Options
from ...generators.stylenerf import StyleNeRF
from ...jobs import Job
from ...ops.devices import own_random
from ..avatars import drive, phase, rate
from ..phases import mapping_step
from .data import RenderedScenes
from .phases import field_step, picture, picture_step
from .state import SceneRecipe, SceneRun

_DEFAULT = SceneRecipe()
NAME = "avatar-{}-stylenerf"
OPTIONS: Options = {
    "--out": {"type": Path, "default": Path("runs/stylenerf"), "help": "folder of the run (default %(default)s)"},
    "--renders": {"type": int, "default": 40_000, "help": "size of the data set (default %(default)s)"},
    "--field-images": {"type": int, "default": 110_000, "help": "for the field alone (default %(default)s)"},
    "--picture-images": {"type": int, "default": 20_000, "help": "for everything (default %(default)s)"},
    "--mapping-samples": {"type": int, "default": 4_000_000, "help": "default %(default)s"},
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
            "hidden",
            "field_layers",
            "frequencies",
            "samples",
            "batch",
            "learning_rate",
            "matrix_rate",
            "silhouette_weight",
            "adversarial_weight",
            "adversarial_from",
            "seed",
        )
    },
}


@own_random()
def run(args: argparse.Namespace) -> None:
    """Train until the phases are done, the time is up or the user stops; always leaves a checkpoint and weights."""
    if args.threads:
        torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    state = start(args)
    r = state.recipe
    data = RenderedScenes(args.out / "renders", args.renders, r.resolution, state.world, seed=r.seed)
    begun, before = time.monotonic(), state.total
    drive(schedule(state, data, args), args, lambda: write(state, data, args.out))
    speed = (state.total - before) / (time.monotonic() - begun)
    tqdm.write(f"{args.out}: {state.images} pictures, {state.seconds / 60:.0f} minutes in all; {speed:.1f} images/s")


def start(args: argparse.Namespace) -> SceneRun:
    """A new run, or the one in ``--out``."""
    path = args.out / "checkpoint.pt"
    if path.exists():
        state = SceneRun.load(path, args.device)
        tqdm.write(f"going on from {path}: {state.images}")
        return state
    given = {f.name: getattr(args, f.name) for f in fields(SceneRecipe) if hasattr(args, f.name)}
    return SceneRun(SceneRecipe(**given), args.device)


def schedule(state: SceneRun, data: RenderedScenes, args: argparse.Namespace) -> Job[None]:
    """The phases, step by step."""
    batches = data.batches(state.recipe.batch, seed=state.total)
    learning = [state.optimisers[name] for name in ("synthesis", "embedding")]
    for report in phase(state, "field", args.field_images):
        done = state.images["field"] / args.field_images
        for optimiser in learning:
            rate(optimiser, max(0.3, min(1.0, 1.3 - done)))
        yield report(field_step(state, next(batches)))
    if not state.images["picture"]:
        state.colours_start()
    first = args.picture_images * state.recipe.adversarial_from if state.recipe.adversarial_weight else float("inf")
    for report in phase(state, "picture", args.picture_images):
        done = state.images["picture"] / args.picture_images
        for optimiser in learning:
            rate(optimiser, max(0.02, 0.6 * (1 - done)))
        yield report(picture_step(state, next(batches), adversarial=state.images["picture"] >= first))
    for report in phase(state, "mapping", args.mapping_samples):
        rate(state.optimisers["mapping"], max(0.02, 1 - state.images["mapping"] / args.mapping_samples))
        yield report(mapping_step(state))
    if args.mapping_samples:
        state.averaged["generator"].mapping.load_state_dict(state.generator.mapping.state_dict())


@torch.no_grad()
def write(state: SceneRun, data: RenderedScenes, out: Path) -> None:
    """Checkpoint, weights of the averaged generator, and two sheets to look at."""
    if state.images["mapping"]:
        state.averaged["generator"].mapping.load_state_dict(state.generator.mapping.state_dict())
    state.measure_w()
    state.save(out / "checkpoint.pt")
    average = cast(StyleNeRF, state.averaged["generator"])
    metadata = {
        "name": NAME.format(state.recipe.resolution),
        "licence": "MIT",
        "domain": DOMAIN.stamp(),
        "images": state.images,
        "training_seconds": round(state.seconds),
        "history": state.history,
        "recipe": {**vars(state.recipe)},
    }
    native.save(out / "generator.safetensors", average, metadata)
    views = data.batch(np.arange(32))
    styles = average.styles(state.averaged["embedding"](views.factors))
    made, small, _ = picture(average, styles, views.pose, random=False)
    field = torch.nn.functional.interpolate(small, scale_factor=views.image.shape[2] // small.shape[2])
    save_sheet(_sheet(torch.stack([views.image, made, field], dim=1).flatten(0, 1), 12), out / "paired.png")
    z = torch.from_numpy(np.random.RandomState(0).randn(64, state.recipe.z_dim).astype(np.float32))
    save_sheet(_sheet(average.synthesize(average.map(z)), 8), out / "samples.png")


def _sheet(images: torch.Tensor, columns: int) -> Image.Image:
    return tile(to_uint8(images).permute(0, 2, 3, 1).cpu().numpy(), columns)
