"""``stylewidgets train evaluate``: measures a generator of avatars, or the factor network, and writes its card."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm.auto import tqdm

from ..avatars import FACTORS, INDEX, render
from ..avatars.domain import DOMAIN
from ..avatars.reading.estimates import Errors, errors_path, file_digest, measure_errors
from ..avatars.reading.factor_net import BUNDLED, KIND, FactorRegressor, load_regressor
from ..avatars.scoring.path_length import shortest_path
from ..avatars.world.dataset import to_uint8
from ..core import files
from ..core.options import Options
from ..core.values import rounded
from ..latent.view import Transform
from ..metrics import (
    Look,
    factor_distances,
    frechet,
    look,
    nearest_renders,
    path_length,
    precision_recall,
    translation_equivariance,
)
from ..session.load import load
from ..session.session import GeneratorSession
from .card import card, tables
from .detail.measure import noise_report
from .world import LatentWorld

RENDERS = 40_000
"""Size of the training set of `train avatars`, where the metadata do not tell."""


OPTIONS: Options = {
    "file": {"type": Path, "help": "generator that `train avatars` wrote, or a factor network of `train regressor`"},
    "--samples": {"type": int, "default": 2000, "help": "pictures on each side (default %(default)s)"},
    "--seed": {"type": int, "default": 0, "help": "of samples and renders (default %(default)s)"},
    "--json": {"type": Path, "metavar": "OUT", "help": "the figures (default: beside the file, NAME.quality.json)"},
    "--sheet": {"type": Path, "metavar": "OUT.png", "help": "samples beside the training renders nearest to them"},
    "--quick": {"action": "store_true", "help": "200 samples, printed only: neither card nor figures are written"},
    "--run-folder": {
        "type": Path,
        "help": "of `train stylenerf`: its paired mapping gives the w of true factors; of `bench posed --keep`: its figures",
    },
    "--device": {"default": "cpu", "help": "torch device of the generator (default %(default)s)"},
}


def run(args: argparse.Namespace) -> None:
    """Measure, print and write."""
    if _is_factor_network(args.file):
        _evaluate_network(args)
        return
    session = load(args.file, device=args.device, precision="fp32")
    if session.generator.family == "stylenerf":
        from .scenes import evaluate as of_scenes

        of_scenes.run(args, session)
        return
    if session.generator.family == "posed":
        from .posed import evaluate as of_posed

        of_posed.run(args, session)
        return
    samples = 200 if args.quick else args.samples
    # Rounded before anything is made of them, so that table, card and file agree in every digit.
    quality = rounded(measure(session, samples, seed=args.seed, file=args.file, sheet=args.sheet), 6)
    print(tables(quality))
    if args.quick:
        return
    figures = args.json or args.file.with_suffix(".quality.json")
    figures.write_text(json.dumps(quality, indent=1) + "\n", encoding="utf-8")
    text = args.file.with_suffix(".md")
    text.write_text(card(session.generator, session.metadata, quality), encoding="utf-8")
    print(f"\nwritten to {text} and {figures}")


def measure(
    session: GeneratorSession,
    samples: int = 2000,
    *,
    seed: int = 0,
    file: Path | None = None,
    sheet: Path | None = None,
    net: FactorRegressor | None = None,
) -> dict[str, Any]:
    """All figures of a generator, each beside that of renders against renders.

    Args:
        session: a GeneratorSession whose metadata have the recipe of `train avatars`.
        samples: pictures of each side; also decides how many pairs and neighbours are looked at.
        seed: of samples and renders. Training has other ones.
        file: of the weights, to be identified by.
        sheet: where to draw samples beside their nearest training renders.
        net: the factor network; None for the bundled one.

    Raises:
        ValueError: fewer than 20 samples, or no recipe.
    """
    if samples < 20:
        raise ValueError(f"at least 20 samples are needed; {samples} was given")
    net = net or load_regressor()
    recipe = _recipe(session)
    world = LatentWorld(
        session.z_dim,
        seed=int(recipe["seed"]),
        amplitude=float(recipe["twist"]),
        correlated=bool(recipe.get("correlated", False)),
    )
    pictures, truth = _pictures(session, world, recipe, samples, seed)
    seen = {name: look(net, images) for name, images in pictures.items()}
    read = {name: net.natural(found.raw) for name, found in seen.items()}
    quality: dict[str, Any] = {
        "file": file.name if file else session.name,
        "command": f"stylewidgets train evaluate {file.name if file else 'FILE'} --samples {samples} --seed {seed}",
        "samples": samples,
        "seed": seed,
        "domain": DOMAIN.stamp(readings=True),
        "weights": file_digest(file) if file else "",
        "network": file_digest(BUNDLED) if BUNDLED.is_file() else "",
        **_distances(seen),
        "spread": {name: _spread(pictures[name]) for name in ("samples", "floor")},
        "path_length": {
            "samples": path_length(session, net, max(samples // 10, 10), seed=seed),
            "floor": shortest_path(net, pictures["floor"]),
        },
        "neighbour": _neighbours(net, pictures, world, recipe, session, samples, sheet),
        "read": _read(read, truth),
        "throughput": throughput(session, world, seed=seed),
    }
    if "detail" in session.metadata:
        quality["noise"] = noise_report(session, world, net, seed=seed)
    if session.view_kind is Transform:
        quality["eq_t"] = translation_equivariance(session, max(samples // 10, 16), seed=seed)
    both = {name: factor_distances(read["renders"], read[name]) for name in ("samples", "floor")}
    quality["factors"] = {
        name: {"measure": d.measure, "samples": d.value, "floor": both["floor"][name].value}
        for name, d in both["samples"].items()
    }
    return quality


@torch.inference_mode()
def _pictures(
    session: GeneratorSession, world: LatentWorld, recipe: dict[str, Any], samples: int, seed: int
) -> tuple[dict[str, Tensor], dict[str, NDArray[np.float32]]]:
    """renders, floor and samples: pictures [n, 3, H, W] through 8 bits, and the factors [n, F] that they stand for."""
    pictures, truth = {}, {}
    for i, name in enumerate(("renders", "floor", "samples"), 1001):
        z = torch.from_numpy(np.random.RandomState(i + 10 * seed).randn(samples, session.z_dim).astype(np.float32))
        factors = world.factors(z)
        if recipe.get("condition"):
            factors[:, INDEX[recipe["condition"]]] = (
                torch.arange(samples, dtype=torch.int64, device="cpu") % session.c_dim
            ).float()
        labels = session.each_class(samples)
        parts = []
        for start in tqdm(range(0, samples, 32), desc=name, unit="batch", leave=False):
            rows = slice(start, start + 32)
            if name == "samples":
                with session.lock:
                    ws = session.generator.map(z[rows].to(session.device), None if labels is None else labels[rows])
                    made = session.synthesize(ws).float().cpu()
            else:
                made = render(factors[rows], session.resolution, outputs=("image",)).image
            parts.append(to_uint8(made).float() / 127.5 - 1)  # as pictures go
        pictures[name], truth[name] = torch.cat(parts), factors.numpy()
    return pictures, truth


@torch.inference_mode()
def throughput(
    session: GeneratorSession, world: LatentWorld, *, seed: int = 0, count: int = 32, rounds: int = 3
) -> dict[str, Any]:
    """Pictures a second of the renderer and of the generator here, from batches of ``count``, the best of some rounds.

    On a CPU processor time counts, so that other work on the machine does not.
    """
    threads = torch.get_num_threads()

    def clock() -> float:
        return time.process_time() / threads if session.device.type == "cpu" else time.perf_counter()

    z = torch.from_numpy(np.random.RandomState(seed).randn(count, session.z_dim).astype(np.float32))
    factors, labels = world.factors(z), session.each_class(count)
    seconds: dict[str, list[float]] = {"renderer": [], "generator": []}
    for _ in range(rounds):
        with session.lock:
            start = clock()
            session.synthesize(session.generator.map(z.to(session.device), labels)).cpu()
            middle = clock()
        render(factors, session.resolution, outputs=("image",))
        seconds["generator"].append(middle - start)
        seconds["renderer"].append(clock() - middle)
    return {
        **{name: round(count / min(times), 1) for name, times in seconds.items()},
        "resolution": session.resolution,
        "device": session.device.type,
        "threads": threads,
    }


def _distances(seen: dict[str, Look]) -> dict[str, dict[str, float]]:
    result: dict[str, dict[str, float]] = {"frechet": {}, "precision": {}, "recall": {}}
    for name in ("samples", "floor"):
        pair = seen["renders"].features, seen[name].features
        result["frechet"][name] = frechet(*pair)
        result["precision"][name], result["recall"][name] = precision_recall(*pair)
    return result


def _spread(images: Tensor) -> float:
    """Mean absolute difference of random pairs of pictures in [-1, 1]; 0 would be a collapse."""
    half = len(images) // 2
    return float((images[:half] - images[half : 2 * half]).abs().mean())


def _neighbours(
    net: FactorRegressor,
    pictures: dict[str, Tensor],
    world: LatentWorld,
    recipe: dict[str, Any],
    session: GeneratorSession,
    samples: int,
    sheet: Path | None,
) -> dict[str, float]:
    """Mean distance to the nearest training render, of some samples and of as many renders that training has not seen."""
    count = min(max(samples // 100, 4), 16)
    n = int(session.metadata.get("renders", RENDERS))
    z = np.random.RandomState(int(recipe["seed"])).randn(n, session.z_dim).astype(np.float32)
    training = world.factors(torch.from_numpy(z))
    found = {name: nearest_renders(net, pictures[name][:count], training) for name in ("samples", "floor")}
    if sheet is not None:
        found["samples"].sheet(scale=max(1, 128 // session.resolution)).save(sheet)
    return {name: float(entry.distance[:, 0].mean()) for name, entry in found.items()}


def _read(
    read: dict[str, dict[str, NDArray[np.float32]]], truth: dict[str, NDArray[np.float32]]
) -> dict[str, dict[str, float]]:
    """How well the factor that z and class stand for is read off the picture: R² or the share of equal categories."""
    result: dict[str, dict[str, float]] = {}
    for i, factor in enumerate(FACTORS):
        for name in ("samples", "floor"):
            x, y = truth[name][:, i].astype(np.float64), read[name][factor.name].astype(np.float64)
            if factor.kind == "categorical":
                value = float((x == y).mean())
            elif factor.kind == "circular":
                a, b = np.exp(1j * np.deg2rad(x)), np.exp(1j * np.deg2rad(y))
                value = float(1 - np.square(np.abs(a - b)).mean() / max(np.square(np.abs(a - a.mean())).mean(), 1e-12))
            else:
                value = float(1 - np.square(x - y).mean() / max(x.var(), 1e-12))
            result.setdefault(factor.name, {})[name] = value
    return result


def _recipe(session: GeneratorSession) -> dict[str, Any]:
    recipe = session.metadata.get("recipe")
    if not isinstance(recipe, dict) or not {"seed", "twist"} <= set(recipe):
        raise ValueError(
            f"{session.name or 'this generator'} has no recipe of `stylewidgets train avatars` in its metadata: "
            "only generators of avatars can be measured against renders"
        )
    return recipe


def _is_factor_network(path: Path) -> bool:
    if path.suffix != ".safetensors" or not path.is_file():
        return False
    try:
        about, _ = files.read_arrays(path, "stylewidgets")
    except files.DAMAGED:
        return False
    return isinstance(about, dict) and about.get("kind") == KIND


def _evaluate_network(args: argparse.Namespace) -> None:
    """Errors of a factor network, which `avatars.estimate` gives with its readings."""
    renders, checked = (150, 50) if args.quick else (1500, 500)
    errors = measure_errors(args.file, renders, checked, seed=3_000_000 + args.seed)
    print(network_table(errors))
    if not args.quick:
        print(f"\nwritten to {errors.save(args.json or errors_path(args.file))}")


def network_table(errors: Errors) -> str:
    """The errors as a table, with how the errors of other renders kept to them."""
    rows = "\n".join(
        f"| {name} | {e.score:.3f} | {e.error:.3g} | {e.within_one:.2f} | {e.within_two:.2f} |"
        if FACTORS[INDEX[name]].kind != "categorical"
        else f"| {name} | {e.score:.3f} | | | |"
        for name, e in errors.factors.items()
    )
    return "| factor | R² or accuracy | standard error | within one | within two |\n|---|---|---|---|---|\n" + rows
