"""``stylewidgets train words``: trains the small encoder of sentences and pictures, and measures it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from ... import jobs
from ...avatars.reading.factor_net import bundled as factor_network
from ...core.options import Options
from ...jobs import Job, Work
from ...ops.devices import own_random
from ...text import bundled
from ...text.bag import BagPair, Vocabulary
from .card import model_card
from .codes import Codes, generated, joined, rendered
from .facts import KNOWN, truths
from .fit import Learner, fit, sentences
from .measure import measure

OPTIONS: Options = {
    "--out": {"type": Path, "default": Path("text-avatars.safetensors"), "help": "default %(default)s"},
    "--renders": {"type": int, "default": 20_000, "help": "renders to train on (default %(default)s)"},
    "--generated": {
        "type": int,
        "default": 10_000,
        "help": "pictures of avatar-128, and 2/5 as many of avatar-64, to train on (default %(default)s)",
    },
    "--sentences": {"type": int, "default": 4, "help": "for each picture (default %(default)s)"},
    "--held-out": {"type": int, "default": 1_000, "help": "renders, and generated pictures, to measure on"},
    "--steps": {"type": int, "default": 20_000, "help": "at most (default %(default)s)"},
    "--minutes": {
        "type": float,
        "help": "train no longer than this in all, resumed parts included, pictures and sentences not",
    },
    "--seed": {"type": int, "default": 0, "help": "of pictures, sentences and start (default %(default)s)"},
    "--threads": {"type": int, "help": "threads of torch (default: as torch decides)"},
    "--measure-only": {
        "action": "store_true",
        "help": "train nothing: measure the encoder in --out, and write its card",
    },
    "--checkpoint": {"type": Path, "help": "folder of codes and state (default: beside the output)"},
}
MORE = 10  # places in the space beside those of the facts


def run(args: argparse.Namespace) -> None:
    """Train, measure and write."""
    if args.threads:
        torch.set_num_threads(args.threads)
    folder = args.checkpoint or args.out.with_suffix(".train")
    if not args.measure_only:
        job = train_words.steps(
            args.out,
            renders=args.renders,
            made=args.generated,
            each=args.sentences,
            steps=args.steps,
            minutes=args.minutes,
            seed=args.seed,
            checkpoint=folder,
        )
        jobs.run(job, unit="")
    found = measure_words(args.out, held_out=args.held_out, checkpoint=folder)
    for kind, figures in found["measured"].items():
        told = ", ".join(f"{name} {value:.3f}" for name, value in figures.items() if isinstance(value, float))
        print(f"{kind}: {told}")


@Work
def train_words(
    out: str | Path,
    *,
    renders: int = 20_000,
    made: int = 10_000,
    each: int = 4,
    steps: int = 20_000,
    minutes: float | None = None,
    seed: int = 0,
    checkpoint: str | Path | None = None,
) -> Job[Path]:
    """Make codes of pictures, sentences about them, train, and write `out` (safetensors, fp16).

    Args:
        out: file to write.
        renders, made: pictures to train on, drawn by the renderer and by the bundled generators.
        each: sentences for a picture.
        steps, minutes: of training; it ends with whichever is over first.
        seed: of pictures, sentences and start; what is measured on has other seeds.
        checkpoint: folder for codes and state, by default `out` with the suffix .train. A second call with the same
            settings goes on where the first one stopped.
    """
    out = Path(out)
    folder = Path(checkpoint) if checkpoint is not None else out.with_suffix(".train")
    data = joined(
        (yield from rendered.steps(folder, renders, seed + 901)),
        (yield from generated.steps(folder, made, seed + 901, "avatar-128")),
        (yield from generated.steps(folder, made * 2 // 5, seed + 901, "avatar-64")),
    )
    told = yield from sentences.steps(truths(data.factors, data.seen), each, seed, folder / "sentences.npz")
    with own_random():
        torch.manual_seed(seed)
        vocabulary = Vocabulary.of(told.texts, [text for fact in KNOWN for text in fact.phrases])
        pair = BagPair(vocabulary, factor_network(), len(KNOWN), 2 * len(KNOWN) + MORE)
        learner = Learner(pair)
    pair.glance.mean.copy_(torch.from_numpy(data.codes.mean(axis=0)))
    pair.glance.std.copy_(torch.from_numpy(data.codes.std(axis=0).clip(1e-3)))
    pair.glance.usual.copy_(_usual(truths(data.factors, data.seen)))
    done, seconds = yield from fit.steps(
        learner, data, told, steps=steps, minutes=minutes, seed=seed, checkpoint=folder / "state.pt"
    )
    record: dict[str, Any] = {
        "renders": renders,
        "generated": made,
        "sentences": each,
        "steps": done,
        "seconds": round(seconds),
        "minutes": minutes,
        "seed": seed,
        "threads": torch.get_num_threads(),
        "parameters": sum(p.numel() for p in pair.parameters()),
    }
    return bundled.write(pair, out, record)


def _usual(truth: npt.NDArray[np.int8]) -> Tensor:
    """About what a picture has at the place of each fact: the mean of a logarithm that is 0 where it holds and −5 elsewhere."""
    return torch.from_numpy(np.where(truth > 0, 0.0, np.where(truth < 0, -5.0, -0.7)).mean(axis=0).astype(np.float32))


def measure_words(out: str | Path, *, held_out: int = 1_000, checkpoint: str | Path) -> dict[str, Any]:
    """Measure the encoder in `out` as it ships, on pictures that training has not seen; write its record and its card."""
    pair, record = bundled.read_pair(out)
    encoder = bundled.read(out)
    folder = Path(checkpoint)
    sets: dict[str, Codes] = {
        "renders": rendered(folder, held_out, 900),
        "pictures of avatar-128": generated(folder, held_out, 900, "avatar-128"),
    }
    record["held_out"], record["measured"] = held_out, {}
    for name, data in sets.items():
        with torch.inference_mode():
            pictures = F.normalize(pair.glance(torch.from_numpy(data.codes)), dim=1)
        record["measured"][name] = measure(encoder.texts, pictures, data)
    bundled.write(pair, out, record)
    Path(out).with_suffix(".md").write_text(model_card(pair, record), encoding="utf-8")
    return record
