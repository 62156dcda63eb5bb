"""``stylewidgets train judge``: the reader that edits are scored by, trained on renders that no other network has seen."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ... import jobs
from ...avatars.drawing.landmarks import LANDMARKS
from ...avatars.drawing.renderer import render
from ...avatars.drawing.visibility import visible
from ...avatars.reading.calibration import calibrate
from ...avatars.reading.factor_net import make_heads
from ...avatars.reading.judge import BUNDLED, POINTS, Judge, load_judge, point_heads, save_judge
from ...avatars.world.factors import FACTORS
from ...core.options import Options
from ...jobs import Job, Work
from ...ops.devices import own_random
from ..data import RenderedAvatars
from ..regressor import fit
from ..targets import evaluate, floats, most_frequent
from .card import model_card

__all__ = ["OPTIONS", "measure_judge", "run", "train_judge"]

RENDERS, HELD_OUT = 6_000_000, 7_000_000
"""Added to the seed: of the renders to train on, and of those to measure on. The factor network's are others."""

OPTIONS: Options = {
    "--out": {"type": Path, "default": Path(BUNDLED.name), "help": "default %(default)s"},
    "--images": {"type": int, "default": 12_480, "help": "renders to train on (default %(default)s)"},
    "--held-out": {"type": int, "default": 1_500, "help": "renders to measure on (default %(default)s)"},
    "--epochs": {"type": int, "default": 5, "help": "passes over the renders (default %(default)s)"},
    "--minutes": {"type": float, "help": "train no longer than this: the learning rate falls in that time"},
    "--seed": {"type": int, "default": 77, "help": "of renders, start and augmentation (default %(default)s)"},
    "--device": {"default": "cpu", "help": "torch device (default %(default)s)"},
    "--threads": {"type": int, "help": "threads of torch (default: as torch decides)"},
    "--checkpoint": {"type": Path, "help": "folder of renders and state (default: beside the output)"},
    "--measure-only": {"action": "store_true", "help": "train nothing: measure the judge in --out again"},
}


def run(args: argparse.Namespace) -> None:
    """Train, measure and write."""
    if args.threads:
        torch.set_num_threads(args.threads)
    folder = args.checkpoint or args.out.with_suffix(".train")
    if args.measure_only:
        measure_judge(args.out, held_out=args.held_out, checkpoint=folder)
        return
    job = train_judge.steps(
        args.out,
        images=args.images,
        held_out=args.held_out,
        epochs=args.epochs,
        minutes=args.minutes,
        seed=args.seed,
        device=args.device,
        checkpoint=folder,
    )
    jobs.run(job, unit="step")


@Work
def train_judge(
    out: str | Path,
    *,
    images: int = 12_480,
    held_out: int = 1_500,
    resolution: int = 64,
    epochs: int = 5,
    batch: int = 32,
    rate: float = 2e-3,
    minutes: float | None = None,
    seed: int = 77,
    device: str = "cpu",
    checkpoint: str | Path | None = None,
) -> Job[Judge]:
    """Render, train, measure, and write `out` (safetensors, fp16) with a model card beside it.

    Args:
        out: file to write.
        images, held_out: renders to train on and to measure on.
        resolution: side of the pictures.
        epochs, batch, rate, minutes: see `training.regressor.fit`.
        seed: of renders, start and augmentation.
        device: torch device.
        checkpoint: folder for renders and state, by default `out` with the suffix .train; a second call goes on there.

    Returns:
        Judge: as it ships, read back from the file.
    """
    out = Path(out)
    folder = Path(checkpoint) if checkpoint is not None else out.with_suffix(".train")
    train = RenderedAvatars(folder / "train", images, resolution, seed=seed + RENDERS, device=device)
    heads = make_heads(FACTORS)
    with own_random():
        torch.manual_seed(seed)
        net = Judge([*heads, *point_heads(heads[-1].stop)], resolution=resolution)
    steps, seconds = yield from fit.steps(
        net,
        train.images,
        with_points(train.factors),
        epochs=epochs,
        batch=batch,
        rate=rate,
        seed=seed,
        device=device,
        checkpoint=folder / "state.pt",
        minutes=minutes,
    )
    net.metadata = {
        "images": images,
        "epochs": epochs,
        "batch": batch,
        "rate": rate,
        "seed": seed,
        "steps": steps,
        "seconds": round(seconds),
        "minutes": minutes,
        "threads": torch.get_num_threads(),
        "device": device,
        "parameters": sum(p.numel() for p in net.parameters()),
    }
    save_judge(net, out)
    return measure_judge(out, held_out=held_out, checkpoint=folder)


def measure_judge(out: str | Path, *, held_out: int = 1_500, checkpoint: str | Path) -> Judge:
    """Measure and calibrate the judge in `out` on renders that it has not seen; write it and its card again.

    Args:
        out: file that `train_judge` wrote.
        held_out: number of those renders.
        checkpoint: folder to keep the renders in.
    """
    out = Path(out)
    net = load_judge(out)
    seed = int(net.metadata["seed"]) + HELD_OUT
    test = RenderedAvatars(Path(checkpoint) / "test", held_out, net.resolution, seed=seed)
    truth = with_points(test.factors)
    seen = visible(test.factors, torch.from_numpy(np.array(test.labels)))
    seen = np.concatenate([seen, np.ones((len(seen), 2 * len(POINTS)), np.bool_)], axis=1)
    net.metrics = evaluate(net, test.images, truth)
    where_seen = evaluate(net, test.images, truth, seen)
    net.metadata["visible"] = {name: [float(seen[:, i].mean()), where_seen[name]] for i, name in enumerate(where_seen)}
    net.metadata["held_out"], net.metadata["most_frequent"] = held_out, most_frequent(net.heads, truth)
    raw = torch.cat([net.raw(part) for part in floats(test.images)]).cpu()
    net.calibration = calibrate(net, raw, truth)
    save_judge(net, out)
    out.with_suffix(".md").write_text(model_card(net), encoding="utf-8")
    return net


def with_points(factors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Factors [N, F] with the places of POINTS behind them, [N, F + 2 P], in [-1, 1] over the picture."""
    places = render(torch.from_numpy(factors), 64, outputs=("landmarks",)).landmarks
    chosen = places[:, [LANDMARKS.index(point) for point in POINTS]] / 32 - 1
    return np.concatenate([factors, chosen.flatten(1).numpy()], axis=1)
