"""``stylewidgets train regressor``: trains the factor network on renders and measures it on renders it has not seen."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .. import jobs
from ..avatars.drawing.visibility import visible
from ..avatars.reading.calibration import calibrate
from ..avatars.reading.estimates import errors_path, measure_errors
from ..avatars.reading.factor_net import FactorRegressor, ReadingNet, load_regressor, make_heads, save_regressor
from ..core import files
from ..core.options import Options
from ..jobs import Job, Progress, Work
from ..ops.devices import own_random
from .augment import augment
from .data import RenderedAvatars
from .muon import Muon, Together
from .regressor_card import model_card
from .targets import encode, evaluate, floats, most_frequent, with_statistics
from .world import LatentWorld

__all__ = [
    "OPTIONS",
    "FactorRegressor",
    "augment",
    "encode",
    "evaluate",
    "fit",
    "load_regressor",
    "measure_regressor",
    "run",
    "train_regressor",
]

SAVE_EVERY = 30.0  # seconds between checkpoints
# Matrices that are not for Muon: outputs, and all of a part reader (small gradients in much noise) but its own map.
_SLOW = ("out", "direct", "parts.out", "parts.prior", "parts.first", "parts.second", "parts.where")


OPTIONS: Options = {
    "--out": {"type": Path, "default": Path("factor-regressor.safetensors"), "help": "default %(default)s"},
    "--images": {"type": int, "default": 16_000, "help": "renders to train on (default %(default)s)"},
    "--held-out": {"type": int, "default": 1_500, "help": "renders to measure on (default %(default)s)"},
    "--resolution": {"type": int, "default": 64, "help": "side of the pictures (default %(default)s)"},
    "--epochs": {"type": int, "default": 5, "help": "passes over the renders (default %(default)s)"},
    "--minutes": {
        "type": float,
        "help": "train no longer than this in all, resumed parts included, rendering not: "
        "the learning rate falls in that time",
    },
    "--start-from": {
        "type": Path,
        "metavar": "FILE",
        "help": "go on from a trained network of the same size, with renders of another --seed",
    },
    "--parts": {
        "action": "store_true",
        "help": "train nothing but a reader of parts (brows, eyes, mouth) on top of "
        "--start-from: feature maps, and figures measured with them, stay as they are",
    },
    "--measure-only": {
        "action": "store_true",
        "help": "train nothing: measure and calibrate the network in --out, and write it and its card again",
    },
    "--seed": {"type": int, "default": 0, "help": "of renders, start and augmentation (default %(default)s)"},
    "--renders-seed": {"type": int, "help": "of the renders (default: --seed + 1000000)"},
    "--device": {"default": "cpu", "help": "torch device (default %(default)s)"},
    "--threads": {"type": int, "help": "threads of torch (default: as torch decides)"},
    "--checkpoint": {"type": Path, "help": "folder of renders and state (default: beside the output)"},
}


def run(args: argparse.Namespace) -> None:
    """Train, measure and write."""
    if args.threads:
        torch.set_num_threads(args.threads)
    if args.measure_only:
        measure_regressor(args.out, held_out=args.held_out, device=args.device, checkpoint=args.checkpoint)
    else:
        job = train_regressor.steps(
            args.out,
            images=args.images,
            held_out=args.held_out,
            resolution=args.resolution,
            epochs=args.epochs,
            seed=args.seed,
            device=args.device,
            checkpoint=args.checkpoint,
            minutes=args.minutes,
            start_from=args.start_from,
            parts=args.parts,
            renders_seed=args.renders_seed,
        )
        jobs.run(job, unit="step")
    measure_errors(args.out).save(errors_path(args.out))


@Work
def train_regressor(
    out: str | Path,
    *,
    images: int = 16_000,
    held_out: int = 1_500,
    resolution: int = 64,
    epochs: int = 5,
    batch: int = 32,
    rate: float = 2e-3,
    seed: int = 0,
    device: str = "cpu",
    checkpoint: str | Path | None = None,
    minutes: float | None = None,
    start_from: str | Path | None = None,
    parts: bool = False,
    renders_seed: int | None = None,
) -> Job[FactorRegressor]:
    """Render, train, measure, calibrate, and write `out` (safetensors, fp16) with a model card `out` with the suffix .md.

    Args:
        out: file to write.
        images, held_out: renders to train on and to measure on; their seeds differ.
        resolution: side of the pictures.
        epochs, batch, rate: passes over the renders, pictures a step, peak learning rate.
        seed: of the renders, the start and the augmentation.
        device: torch device.
        checkpoint: folder for renders and state, by default `out` with the suffix .train. A second call with the same
            settings goes on where the first one stopped.
        minutes: time for the training, of all calls together; it ends after the epochs or the minutes, whichever are over first.
        start_from: file of a network of the same resolution whose weights are the start.
        parts: train only a `PartReader` on top of `start_from`, whose weights and feature maps stay as they are.
        renders_seed: of the renders alone, by default `seed` + 1,000,000 (those that it is measured on have `seed` + 2,000,000).

    Returns:
        FactorRegressor: the trained network, in eval mode, with `metrics` and `calibration`.
    """
    from ..avatars import FACTORS

    out = Path(out)
    folder = Path(checkpoint) if checkpoint is not None else out.with_suffix(".train")
    if parts and start_from is None:
        raise ValueError("a part reader corrects a trained network; give its file with --start-from")
    renders_seed = seed + 1_000_000 if renders_seed is None else renders_seed
    train = _renders(folder / "train", images, resolution, renders_seed, device)
    with own_random():
        torch.manual_seed(seed)
        net = FactorRegressor(make_heads(FACTORS), resolution=resolution, parts=parts)
    before = _start(net, start_from)
    settings = {
        "images": images,
        "resolution": resolution,
        "epochs": epochs,
        "batch": batch,
        "rate": rate,
        "seed": seed,
        "renders_seed": renders_seed,
        "parts": parts,
    }
    steps, seconds = yield from fit.steps(
        net,
        train.images,
        train.factors,
        epochs=epochs,
        batch=batch,
        rate=rate,
        seed=seed,
        device=device,
        checkpoint=folder / "state.pt",
        minutes=minutes,
    )
    # Measured as it ships: written in fp16, read back, asked about pictures that it has not seen.
    record = {
        **settings,
        "steps": steps,
        "seconds": round(seconds),
        "minutes": minutes,
        "threads": torch.get_num_threads(),
        "device": device,
        "parameters": sum(p.numel() for p in net.parameters()),
        "before": before,
    }
    save_regressor(net, out, metrics={}, training=record)
    return measure_regressor(out, held_out=held_out, device=device, checkpoint=folder)


def measure_regressor(
    out: str | Path, *, held_out: int = 1_500, device: str = "cpu", checkpoint: str | Path | None = None
) -> FactorRegressor:
    """Measure and calibrate the network in `out` on renders that training has not seen; write it and its card again.

    Args:
        out: file that `train_regressor` wrote.
        held_out: number of those renders.
        device: torch device.
        checkpoint: folder to keep the renders in; they are not kept when None.
    """
    if checkpoint is None:
        with TemporaryDirectory() as temporary:
            return measure_regressor(out, held_out=held_out, device=device, checkpoint=temporary)
    out, folder = Path(out), Path(checkpoint)
    net = load_regressor(out, device)
    t = net.metadata
    test = _renders(folder / "test", held_out, net.resolution, int(t.get("seed", 0)) + 2_000_000, device)
    seen = visible(test.factors, torch.from_numpy(np.array(test.labels)))
    net.metrics = evaluate(net, test.images, test.factors)
    t["visible"] = {
        name: [float(seen[:, i].mean()), score]
        for i, (name, score) in enumerate(evaluate(net, test.images, test.factors, seen).items())
    }
    t["held_out"], t["most_frequent"] = held_out, most_frequent(net.heads, test.factors)
    raw = torch.cat([net.raw(part) for part in floats(test.images)]).cpu()
    net.calibration = calibrate(net, raw, test.factors)
    save_regressor(net, out, metrics=net.metrics, training=t)
    out.with_suffix(".md").write_text(model_card(net), encoding="utf-8")
    return net


def _renders(folder: Path, n: int, resolution: int, seed: int, device: str) -> RenderedAvatars:
    """Renders of the latents of a world of its own, whose factors are independent."""
    world = LatentWorld(64, seed=0).to(device)
    return RenderedAvatars(folder, n, resolution, world, seed=seed, device=device)


def _start(net: FactorRegressor, path: str | Path | None) -> list[dict[str, Any]]:
    """Take over the weights in a file; returns the records of the trainings that they are from, the oldest first."""
    if path is None:
        return []
    old = load_regressor(path)
    new = net.state_dict()
    kept = {key: v for key, v in old.state_dict().items() if key in new or not key.startswith("parts.")}
    missing = {key for key in new if key not in kept and not key.startswith("parts.")}
    if missing or any(key not in new or v.shape != new[key].shape for key, v in kept.items()):
        raise ValueError(
            f"{path} is a network for {old.resolution} px with widths {old.widths}, not one for {net.resolution} px "
            f"with {net.widths}; give --resolution {old.resolution}, or start afresh"
        )
    net.load_state_dict({**new, **kept})
    if net.parts is not None:
        net.heads = old.heads  # the outputs that are corrected are in units of these statistics
    keys = ("images", "resolution", "epochs", "steps", "seed", "seconds", "minutes", "parts")
    return [*old.metadata.get("before", []), {key: old.metadata[key] for key in keys if key in old.metadata}]


@Work
def fit(
    net: ReadingNet,
    images: NDArray[np.uint8],
    factors: NDArray[np.float32],
    *,
    epochs: int = 5,
    batch: int = 32,
    rate: float = 2e-3,
    seed: int = 0,
    device: str = "cpu",
    checkpoint: Path | None = None,
    minutes: float | None = None,
) -> Job[tuple[int, float]]:
    """Train `net` in place on pictures uint8 [N, 3, H, W] and factors [N, F] in natural units; returns steps and seconds.

    Squared error of standardised targets and cross entropy of categories, Muon (vectors and outputs: AdamW), a moving
    average of the weights. With `checkpoint`, a file written twice a minute, the next call goes on from there. With
    `minutes`, the learning rate has fallen and training ends after that time, if not all steps are done before.
    """
    if net.parts is None:
        net.heads = tuple(with_statistics(net.heads, factors))
    limit = 60 * minutes if minutes is not None else float("inf")
    targets = encode(net.heads, factors)
    net.to(device, memory_format=torch.channels_last)
    trained = _trainable(net)
    steps_per_epoch = max(1, len(images) // batch)
    steps = epochs * steps_per_epoch
    matrices = [p for name, p in trained if p.ndim > 1 and not name.startswith(_SLOW)]
    others = [p for _, p in trained if all(p is not m for m in matrices)]
    muon, adam = Muon(matrices, lr=10 * rate), torch.optim.AdamW(others, lr=rate, weight_decay=1e-2)
    both = Together(muon, adam)
    rates = [group["lr"] for group in both.param_groups]
    average = {key: value.detach().clone() for key, value in net.state_dict().items()}
    parts = {"net": net, "muon": muon, "adam": adam}
    start, seconds = _resume(checkpoint, parts, average, steps)
    began = saved = time.monotonic()
    done = start
    for step in range(start, steps):
        now = time.monotonic()
        spent = seconds + now - began
        if spent >= limit:
            break
        for group, first in zip(both.param_groups, rates, strict=True):
            group["lr"] = first * _pace(step, max(step / steps, spent / limit))
        random = np.random.RandomState((seed * 7919 + step) % 2**32)
        index = _rows(len(images), seed, step, steps_per_epoch, batch)
        x = torch.from_numpy(images[index]).to(device).float() / 127.5 - 1
        loss = loss_of(net, net(augment(x, random)), targets[torch.from_numpy(index)].to(device))
        net.zero_grad(set_to_none=True)
        loss.backward()
        both.step()
        done = step + 1
        _update(average, net, min(0.998, (step + 1) / (step + 10)))
        if checkpoint is not None and (now - saved > SAVE_EVERY or done == steps):
            saved = now
            _save(checkpoint, parts, average, done, steps, seconds + time.monotonic() - began)
        yield Progress(done, steps, "factor network", {"loss": loss.item()} if step % 20 == 0 else {})
    spent = seconds + time.monotonic() - began
    if checkpoint is not None and done > start:
        _save(checkpoint, parts, average, done, steps, spent)
    net.load_state_dict(average)
    net.eval()
    return done, spent


def _trainable(net: ReadingNet) -> list[tuple[str, Tensor]]:
    """Names and weights that are trained, in training mode: all, or those of the part reader where there is one."""
    if net.parts is None:
        net.train().requires_grad_(True)
        return list(net.named_parameters())
    net.eval().requires_grad_(False)  # batch norms, too, stay as they are
    net.parts.train().requires_grad_(True)
    return [(f"parts.{name}", p) for name, p in net.parts.named_parameters()]


def _pace(step: int, t: float) -> float:
    """Factor of the learning rate: a short rise, a plateau, a long linear fall. t: share of the training that is over."""
    return min(1.0, (step + 1) / 50, max(0.01 + (1 - t) / 0.6, 0.01))


def loss_of(net: ReadingNet, raw: Tensor, targets: Tensor) -> Tensor:
    """Sum over factors of the squared error (in target variances) or the cross entropy of a batch."""
    total = raw.new_zeros(())
    for head in net.heads:
        guess, truth = raw[:, head.start : head.stop], targets[:, head.start : head.stop]
        if head.kind == "categorical":
            total = total + F.cross_entropy(guess, truth.argmax(1))
        else:
            total = total + (guess - truth).square().mean()
    return total / len(net.heads)


def _rows(n: int, seed: int, step: int, steps_per_epoch: int, batch: int) -> NDArray[np.int64]:
    """The pictures of a step, in the shuffled order of its epoch."""
    epoch, first = step // steps_per_epoch, step % steps_per_epoch * batch
    order = np.random.RandomState((seed * 104729 + epoch) % 2**32).permutation(n)
    return np.sort(order[first : first + batch])


@torch.no_grad()
def _update(average: dict[str, Tensor], net: ReadingNet, decay: float) -> None:
    for key, value in net.state_dict().items():
        if value.is_floating_point():
            average[key].lerp_(value, 1 - decay)
        else:
            average[key].copy_(value)


def _save(path: Path, parts: dict[str, Any], average: dict[str, Tensor], step: int, steps: int, seconds: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {key: part.state_dict() for key, part in parts.items()}
    with files.writing(path) as part:
        torch.save({**state, "average": average, "step": step, "steps": steps, "seconds": seconds}, part)


def _resume(path: Path | None, parts: dict[str, Any], average: dict[str, Tensor], steps: int) -> tuple[int, float]:
    if path is None or not path.exists():
        return 0, 0.0
    state = torch.load(path, map_location="cpu", weights_only=True)
    if state["steps"] != steps:
        raise ValueError(
            f"{path} belongs to a run of {state['steps']} steps, this one has {steps}; "
            "use the same settings to go on, or another checkpoint folder to start afresh"
        )
    for key, part in parts.items():
        part.load_state_dict(state[key])
    for key, value in state["average"].items():
        average[key].copy_(value)
    return int(state["step"]), float(state["seconds"])
