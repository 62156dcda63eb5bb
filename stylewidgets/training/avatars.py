"""``stylewidgets train avatars``: a StyleGAN2 or a small StyleGAN3-T from renders, on a CPU or a GPU, in resumable slices."""

from __future__ import annotations

import argparse
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from tqdm.auto import tqdm

from ..avatars.domain import DOMAIN
from ..avatars.drawing.sheet import save_sheet, tile
from ..avatars.world.dataset import to_uint8
from ..checkpoints.formats import native
from ..core.options import Options
from ..generators.stylegan1.generator import StyleGAN1
from ..generators.stylegan2.generator import StyleGAN2
from ..generators.stylegan3.generator import StyleGAN3
from ..jobs import Job, Progress, shown
from ..ops.devices import own_random
from .data import RenderedAvatars
from .muon import Together
from .phases import joint_step, mapping_step, paired_step
from .state import FAMILIES, Recipe, TrainingRun
from .world import recipe_of_w

if TYPE_CHECKING:
    from .scenes.state import SceneRun

_DEFAULT = Recipe()
OPTIONS: Options = {
    "--out": {"type": Path, "default": Path("runs/avatars"), "help": "folder of the run (default %(default)s)"},
    "--recipe": {
        "choices": ["paired", "adversarial"],
        "default": "paired",
        "help": "paired: picture-by-picture start, then adversarial; adversarial: StyleGAN2 as published, for a GPU",
    },
    "--family": {
        "choices": FAMILIES,
        "default": _DEFAULT.family,
        "help": "default %(default)s; with --grow-from a "
        "run of the other family, its latents and their pictures are kept and drawn by a new synthesis network",
    },
    "--resolution": {"type": int, "default": _DEFAULT.resolution, "help": "pixels (default %(default)s)"},
    "--channels": {
        "type": int,
        "nargs": "+",
        "help": "feature maps of each block, from 4 pixels up; of each layer for StyleGAN3",
    },
    "--grow-from": {"type": Path, "metavar": "CHECKPOINT", "help": "start from a run at a lower resolution"},
    "--condition": {
        "default": "",
        "metavar": "FACTOR",
        "help": "make a conditional generator whose classes "
        "are those of a categorical factor, hair_style for example (with --joint-images 0)",
    },
    "--correlated": {
        "action": "store_true",
        "help": "factors of the latents go together as in "
        "avatars.CORRELATIONS: something for a method of editing to disentangle",
    },
    "--keep-w": {
        "action": "store_true",
        "help": "with --grow-from: w stays what it is, so mapping network "
        "and directions of the smaller generator fit the larger one",
    },
    "--w-of": {
        "default": "",
        "metavar": "MODEL",
        "help": "the w of a generator that ships, or of a file: its mapping network is kept, so that the same seed "
        "and the same directions draw the same faces in another family; one of the same sizes goes on from where it is",
    },
    "--renders": {"type": int, "default": 40_000, "help": "size of the data set (default %(default)s)"},
    "--paired-images": {"type": int, "default": 200_000, "help": "default %(default)s"},
    "--grow-images": {
        "type": int,
        "default": 60_000,
        "help": "the first of them are drawn at a quarter, then half the size (default %(default)s)",
    },
    "--mapping-samples": {"type": int, "default": 10_000_000, "help": "default %(default)s"},
    "--joint-images": {"type": int, "default": 100_000, "help": "default %(default)s"},
    "--minutes": {"type": float, "help": "stop after this time; the same command goes on later"},
    "--checkpoint-minutes": {"type": float, "default": 5.0, "help": "default %(default)s"},
    "--device": {"default": "cuda" if torch.cuda.is_available() else "cpu", "help": "default %(default)s"},
    "--threads": {"type": int, "help": "CPU threads (default: torch's choice)"},
    **{
        "--" + name.replace("_", "-"): {
            "type": type(getattr(_DEFAULT, name)),
            "default": getattr(_DEFAULT, name),
            "help": "default %(default)s",
        }
        for name in (
            "batch",
            "learning_rate",
            "matrix_rate",
            "momentum",
            "r1_gamma",
            "path_length_weight",
            "mixing",
            "paired_mixing",
            "margin",
            "moved",
            "paired_weight",
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
    if args.condition and (args.joint_images or args.recipe != "paired"):
        raise ValueError(
            f"--condition {args.condition} goes with the recipe 'paired' and --joint-images 0: "
            "the discriminator knows no classes"
        )
    args.out.mkdir(parents=True, exist_ok=True)
    state = start(args)
    data = RenderedAvatars(
        args.out / "renders",
        args.renders,
        state.recipe.resolution,
        state.world,
        seed=state.recipe.seed,
        device=args.device,
    )
    begun, before = time.monotonic(), state.total
    drive(schedule(state, data, args), args, lambda: write(state, data, args.out))
    speed = (state.total - before) / (time.monotonic() - begun)
    tqdm.write(
        f"{args.out}: {state.images} pictures, {state.seconds / 60:.0f} minutes in all; this time {speed:.1f} images/s"
    )


def start(args: argparse.Namespace) -> TrainingRun:
    """A new run, or the one in ``--out``."""
    path = args.out / "checkpoint.pt"
    if path.exists():
        state = TrainingRun.load(path, args.device)
        tqdm.write(f"going on from {path}: {state.images}")
        return state
    given = {f.name: getattr(args, f.name) for f in fields(Recipe) if hasattr(args, f.name)}
    if args.w_of:
        given |= recipe_of_w(args.w_of)
    given["channels"] = tuple(args.channels or default_channels(args.resolution, args.family))
    if args.grow_from:
        return TrainingRun.grow(args.grow_from, Recipe(**given), args.device)
    return TrainingRun(Recipe(**given), args.device)


def default_channels(resolution: int, family: str = "stylegan2") -> tuple[int, ...]:
    """Feature maps of a small generator: of each block from 4 pixels up, or of each layer but the last for StyleGAN3."""
    if family == "stylegan3-t":
        return 80, 80, 64, 32, 32, 16
    sizes = [4 * 2**i for i in range(resolution.bit_length() - 2)]
    return tuple({4: 128, 8: 128, 16: 96, 32: 64, 64: 32}.get(size, 16) for size in sizes)


def schedule(state: TrainingRun, data: RenderedAvatars, args: argparse.Namespace) -> Job[None]:
    """The phases, step by step."""
    paired = args.recipe == "paired"
    batches = data.batches(state.recipe.batch, seed=state.total)
    grow_images = args.grow_images if state.generator.has_inner_pictures else 0
    if paired:
        weight, share = state.recipe.adversarial_weight, state.recipe.adversarial_from
        first = args.paired_images * share if weight else float("inf")
        for report in phase(state, "paired", args.paired_images):
            for name in ("synthesis", "embedding"):
                rate(state.optimisers[name], falling(state.images["paired"] / args.paired_images))
            losses = paired_step(
                state,
                next(batches),
                adversarial=state.images["paired"] >= first,
                shrink=shrink_at(state.images["paired"], grow_images),
            )
            yield report(losses)
        for report in phase(state, "mapping", 0 if state.recipe.w_of else args.mapping_samples):
            rate(state.optimisers["mapping"], max(0.02, 1 - state.images["mapping"] / args.mapping_samples))
            yield report(mapping_step(state))
        if state.images["joint"] == 0:  # the average starts where the mapping has been fitted
            state.averaged["generator"].mapping.load_state_dict(state.generator.mapping.state_dict())
        rate(state.optimisers["synthesis"], 0.5)
    for report in phase(state, "joint", args.joint_images):
        yield report(joint_step(state, next(batches), paired=paired))


def shrink_at(images: int, grow_images: int) -> int:
    """A quarter of the size for the first half of ``grow_images``, a half for the second, then all of it."""
    return 4 if images < grow_images // 2 else 2 if images < grow_images else 1


def falling(done: float) -> float:
    """Learning rate over a phase, relative to its start: flat, then straight down to almost nothing.

    Half of what is won is won on the way down: a lasting high rate keeps small features in motion.
    """
    return min(1.0, max(0.02, (1 - done) / 0.6))


def rate(optimiser: Together | torch.optim.Optimizer, factor: float) -> None:
    """Scale a learning rate relative to its start."""
    for group in optimiser.param_groups:
        group.setdefault("initial_lr", group["lr"])
        group["lr"] = group["initial_lr"] * factor


def phase(state: TrainingRun | SceneRun, name: str, total: int) -> Iterator[Callable[[dict[str, float]], Progress]]:
    """As long as a phase lasts: a function that takes the losses of a step and gives its report, with their means."""
    means: dict[str, float] = {}

    def report(losses: dict[str, float]) -> Progress:
        for loss, value in losses.items():
            means[loss] = means.get(loss, value) * 0.98 + value * 0.02
        return Progress(state.images[name], total, name, dict(means))

    while state.images[name] < total:
        yield report


def write(state: TrainingRun, data: RenderedAvatars, out: Path) -> None:
    """Checkpoint, weights of the averaged generator, and two sheets to look at."""
    if not state.recipe.w_of:
        state.measure_w()
    state.save(out / "checkpoint.pt")
    kind = [] if state.recipe.family == "stylegan2" else [state.recipe.family.split("-")[0]]
    name = "-".join(["avatar", str(state.recipe.resolution), *kind, *filter(None, state.recipe.condition.split("_"))])
    metadata = {
        "name": name,
        "licence": "MIT",
        "domain": DOMAIN.stamp(),
        "images": state.images,
        "training_seconds": round(state.seconds),
        "history": state.history,
        "recipe": {**vars(state.recipe)},
    }
    if state.categories:
        metadata["classes"] = list(state.categories)
    average = state.averaged["generator"]
    assert isinstance(average, StyleGAN1 | StyleGAN2 | StyleGAN3)
    native.save(out / "generator.safetensors", average, metadata)
    with torch.no_grad():
        z = torch.from_numpy(np.random.RandomState(0).randn(64, state.recipe.z_dim).astype(np.float32))
        samples = average.synthesize(average.map(z.to(state.device), state.each_class(64)), noise="const")
        z, factors, image, _ = data.batch(np.arange(min(32, data.n)))
        ws = state.codes(z, factors).unsqueeze(1).expand(-1, average.num_ws, -1)
        pairs = torch.stack([image, average.synthesize(ws, noise="const")], dim=1).flatten(0, 1)
    for name, images in (("samples", samples), ("paired", pairs)):
        save_sheet(tile(to_uint8(images).permute(0, 2, 3, 1).cpu().numpy(), 8), out / f"{name}.png")


def drive(job: Job[None], args: argparse.Namespace, save: Callable[[], object]) -> None:
    """Train until the job ends, the minutes are over or the user stops; saves now and then, and at the end."""
    begun = saved = time.monotonic()
    with stoppable() as stop:
        for _ in shown(job, unit="img", mininterval=2, smoothing=0.05):
            now = time.monotonic()
            if stop or (args.minutes and now - begun > 60 * args.minutes):
                break
            if now - saved > 60 * args.checkpoint_minutes:
                save()
                saved = time.monotonic()
    save()


@contextmanager
def stoppable() -> Iterator[list[int]]:
    """Turn SIGINT and SIGTERM into a request to stop after the step, so that the checkpoint is whole."""
    asked: list[int] = []
    before = {s: signal.signal(s, lambda number, _: asked.append(number)) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
