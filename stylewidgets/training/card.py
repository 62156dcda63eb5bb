"""``stylewidgets train card``: measures a generator of avatars against the renders and writes its model card."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..avatars import render
from ..checkpoints import native
from .data import to_uint8
from .factor_net import FactorRegressor, load_regressor
from .world import LatentWorld

Floats = npt.NDArray[np.float64]
Readings = dict[str, npt.NDArray[np.float32]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("generator", type=Path, help="a .safetensors file that `train avatars` wrote")
    parser.add_argument("--samples", type=int, default=2000, help="pictures on each side (default %(default)s)")
    parser.add_argument("--out", type=Path, help="the card (default: beside the generator, with .md)")


def run(args: argparse.Namespace) -> None:
    """Measure and write."""
    generator, metadata = native.load(args.generator)
    regressor = load_regressor()
    figures = measure(generator, regressor, metadata, args.samples)
    out = args.out or args.generator.with_suffix(".md")
    out.write_text(card(generator, metadata, figures, args.samples), encoding="utf-8")


@torch.inference_mode()
def measure(generator: Any, regressor: FactorRegressor, metadata: dict[str, Any], samples: int) -> dict[str, Any]:
    """Figures of samples against renders, each beside renders against other renders, the floor.

    The renders have their own seeds, which training never saw.
    """
    recipe = metadata["recipe"]
    world = LatentWorld(generator.z_dim, seed=int(recipe["seed"]), amplitude=float(recipe["twist"]))
    pictures: dict[str, Tensor] = {}
    for name, seed in (("renders", 1001), ("floor", 1002), ("samples", 1003)):
        z = torch.from_numpy(np.random.RandomState(seed).randn(samples, generator.z_dim).astype(np.float32))
        parts = z.split(32)
        made = [generator.synthesize(generator.map(p)) for p in parts] if name == "samples" else \
               [render(world.factors(p), generator.resolution).image for p in parts]
        # Both go through 8 bits, as pictures do.
        pictures[name] = torch.cat([to_uint8(m).float() / 127.5 - 1 for m in made])
        if name == "samples":
            wanted = world.factors(z).numpy()
    read = {name: regressor.scores(images) for name, images in pictures.items()}
    deep = {name: _features(regressor, images) for name, images in pictures.items()}
    return {
        "frechet": {name: frechet(deep["renders"], deep[name]) for name in ("samples", "floor")},
        "spread": {name: _spread(images) for name, images in pictures.items()},
        "factors": {name: {"samples": wasserstein(read["renders"][name], read["samples"][name]),
                           "floor": wasserstein(read["renders"][name], read["floor"][name])}
                    for name in read["renders"]},
        "obeyed": _obeyed(regressor.predict(pictures["samples"]), wanted),
    }


def wasserstein(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> float:
    """1-Wasserstein distance of two equally large samples, in standard deviations of the first."""
    return float(np.abs(np.sort(a) - np.sort(b)).mean() / max(float(a.std()), 1e-8))


def frechet(a: Floats, b: Floats) -> float:
    """Fréchet distance of two Gaussians fitted to features [N, D] (Heusel et al. 2017)."""
    mean = np.square(a.mean(0) - b.mean(0)).sum()
    ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    values, vectors = np.linalg.eigh(ca)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ cb @ root).clip(0)).sum()
    return float(mean + np.trace(ca) + np.trace(cb) - 2 * cross)


def _features(regressor: FactorRegressor, images: Tensor) -> Floats:
    rows = [regressor.features(part)[-1].mean(dim=(2, 3)) for part in images.split(128)]
    return torch.cat(rows).double().numpy()


def _spread(images: Tensor) -> float:
    """Mean absolute difference of random pairs of pictures in [-1, 1]; 0 would be a collapse."""
    return float((images[: len(images) // 2] - images[len(images) // 2 : len(images) // 2 * 2]).abs().mean())


def _obeyed(found: Readings, wanted: npt.NDArray[np.float32]) -> dict[str, float]:
    """How well the factor that z stands for can be read off the sample: R² or share of equal categories."""
    from ..avatars import FACTORS

    result = {}
    for i, factor in enumerate(FACTORS):
        if factor.name not in found:
            continue
        x, y = wanted[:, i].astype(np.float64), found[factor.name].astype(np.float64)
        if factor.kind == "categorical":
            result[factor.name] = float((x == y).mean())
        elif factor.kind == "continuous":
            result[factor.name] = float(1 - np.square(x - y).mean() / x.var())
    return result


def card(generator: Any, metadata: dict[str, Any], figures: dict[str, Any], samples: int) -> str:
    """The model card in Markdown."""
    recipe, images = metadata["recipe"], metadata["images"]
    parameters = sum(p.numel() for p in generator.parameters())
    obeyed = "\n".join(f"| {name} | {value:.2f} |" for name, value in figures["obeyed"].items())
    factors = "\n".join(f"| {name} | {f['samples']:.3f} | {f['floor']:.3f} |" for name, f in figures["factors"].items())
    stages = "\n".join(f"  {line}" for line in metadata.get("history", []))
    return f"""# {metadata["name"]}

A StyleGAN2 (skip architecture) of illustrated heads, {generator.resolution} px, {parameters:,} parameters, z {generator.z_dim},
w {generator.w_dim}, {generator.num_ws} rows of w+, feature maps {" ".join(str(c) for c in recipe["channels"])}.
Licence: MIT. Trained on nothing but renders of `stylewidgets.avatars`; no photographs and no other model.

## How it was made

By `stylewidgets train avatars` alone, on {metadata.get("hardware", "a CPU")}, {metadata["training_seconds"] / 60:.0f} minutes
in all:
{stages}

* paired: {images["paired"]:,} pictures. Synthesis and a perceptron that embeds the factors of a render in w draw the render;
  L1 over a pyramid and L1 of slopes, eyes, mouth, nose and glasses weighted up.
* mapping: {images["mapping"]:,} latents, no pictures. z -> w is fitted to the embedding of the factors that a fixed,
  measure-preserving, non-linear twist gives z; no axis of z is a factor.
* joint: {images["joint"]:,} pictures. The whole generator from z, {_joint(recipe)}.

So it is a paired generator rather than a purely adversarial one: it has hardly any stochastic detail (noise changes little),
and its pictures are softer than the renders. More time or an accelerator buys sharper eyes, glasses and curls:
`stylewidgets train avatars --recipe adversarial --resolution 128` is the published recipe.

## Measured

{samples:,} samples at psi 1 against {samples:,} renders that training has not seen; "floor" is renders against other renders.
Readings and features are those of the shipped factor network.

| | samples | floor |
|---|---|---|
| Fréchet distance of features | {figures["frechet"]["samples"]:.3f} | {figures["frechet"]["floor"]:.3f} |
| mean difference of random pairs (collapse would be 0; renders: {figures["spread"]["renders"]:.3f}) | \
{figures["spread"]["samples"]:.3f} | {figures["spread"]["floor"]:.3f} |

How well the factor that z was paired with is read off the sample (R², for categories the share of equal ones):

| factor | read |
|---|---|
{obeyed}

Distance of the distribution of each reading (1-Wasserstein, in standard deviations of the renders):

| reading | samples | floor |
|---|---|---|
{factors}
"""


def _joint(recipe: dict[str, Any]) -> str:
    if not recipe["adversarial_weight"]:
        return "picture against picture; no discriminator, which this hardware had no time for"
    return f"picture against picture and against a discriminator (weight {recipe['adversarial_weight']})"
