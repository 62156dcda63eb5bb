"""What a generator's noise does: it may move detail and nothing else. Measured beside the renderer's own chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...avatars import DETAIL, DETAIL_FACTORS, REGIONS, render
from ...avatars.reading.factor_net import FactorRegressor
from ...avatars.scoring.chance import spread
from ...session.session import GeneratorSession
from ..world import LatentWorld
from .amounts import Amounts

ROOM = 0.05
"""Standard deviations of a factor that readings may vary more over noise than over seeds of the renderer."""
STEPS = (-1.5, -0.5, 0.5, 1.5)
"""Of an amount, in standard deviations, at which its noise is looked at."""
PLACES = {
    "freckles": ("skin", "nose"),
    "pores": ("skin", "nose"),
    "stubble": ("skin",),
    "strands": ("hair", "beard"),
    "knit": ("clothes", "hat"),
    "grain": ("background",),
}
"""Where each amount moves pixels, as regions."""


@torch.inference_mode()
def noise_report(
    session: GeneratorSession, world: LatentWorld, net: FactorRegressor, faces: int = 8, seeds: int = 16, seed: int = 0
) -> dict[str, Any]:
    """How readings, places and amounts behave over seeds of the noise.

    Args:
        session: of a generator with ``detail`` in its metadata, see `Amounts.to_plain`.
        world: what its z mean.
        net: the reader.
        faces, seeds: how many, of each face.

    Returns:
        ``readings``: for each factor the standard deviation over seeds, in those of the factor, of the generator's pictures and
        of renders of the same faces (root mean square over faces); ``ok``, whether every one is at most ROOM above.
        ``map``: correlation of where noise moves pixels with where the renderer's seeds do, and how far each does.
        ``amounts``: of each amount how far noise moves the pixels of its place at STEPS, and renders with it.
    """
    amounts = Amounts.from_plain(session.metadata["detail"])
    z = torch.from_numpy(np.random.RandomState(5000 + seed).randn(faces, session.z_dim).astype(np.float32))
    with session.lock:
        w = session.generator.map(z)[:, 0]
    factors = torch.cat([world.factors(z), amounts(w)], 1)
    drawn = torch.stack([noisy(session, w, k) for k in range(seeds)])
    truth = torch.stack(
        [
            render(factors, session.resolution, outputs=("image",), groups=DETAIL, detail_seed=k).image
            for k in range(seeds)
        ]
    )
    read = {name: _variation(net, pictures) for name, pictures in (("samples", drawn), ("renders", truth))}
    maps = {name: spread(pictures) for name, pictures in (("samples", drawn), ("renders", truth))}
    both = torch.corrcoef(torch.stack([m.flatten() for m in maps.values()]))[0, 1]
    readings = {name: {k: values[name] for k, values in read.items()} for name in read["samples"]}
    return {
        "faces": faces,
        "seeds": seeds,
        "readings": readings,
        "ok": all(r["samples"] <= r["renders"] + ROOM for r in readings.values()),
        "map": {"correlation": float(both), **{name: float(m.mean()) for name, m in maps.items()}},
        "amounts": {f.name: _moved(session, amounts, w, factors, k) for k, f in enumerate(DETAIL_FACTORS)},
    }


def noisy(session: GeneratorSession, w: Tensor, seed: int) -> Tensor:
    """Pictures of codes w [N, w_dim], all with the noise of one seed."""
    random = torch.Generator().manual_seed(seed)
    generator = session.generator
    noise = [
        torch.randn(1, 1, *shape, generator=random, dtype=torch.float32, device="cpu")
        for shape in generator.noise_shapes
    ]
    with session.lock:
        return generator.synthesize(w[:, None].expand(-1, generator.num_ws, -1), noise=noise).float()


def _variation(net: FactorRegressor, pictures: Tensor) -> dict[str, float]:
    """Standard deviation of readings of [K, N, 3, H, W] over K, in those of the factor; of categories that of probabilities."""
    count = len(pictures)
    raw = net.raw(pictures.flatten(0, 1).clamp(-1, 1)).unflatten(0, (count, -1)).float()
    found = {}
    for head in net.heads:
        values = raw[..., head.start : head.stop]
        if head.kind == "categorical":
            values = values.softmax(-1)
        found[head.name] = float(values.var(0).mean().sqrt())
    return found


def _moved(
    session: GeneratorSession, amounts: Amounts, w: Tensor, factors: Tensor, k: int, seeds: int = 4
) -> dict[str, list[float]]:
    """How far seeds move the pixels of an amount's place, [steps], of the generator and of renders."""
    labels = render(factors, session.resolution, outputs=("segmentation",), groups=DETAIL).segmentation
    name = DETAIL_FACTORS[k].name
    place = torch.isin(
        labels, torch.tensor([REGIONS.index(r) for r in PLACES[name]], dtype=labels.dtype, device=labels.device)
    )
    result: dict[str, list[float]] = {"samples": [], "renders": []}
    for step in STEPS:
        there = w + (step - amounts.normal(w)[:, k, None]) * amounts.towards()[k]
        rows = torch.cat([factors[:, : -len(DETAIL_FACTORS)], amounts(there)], 1)
        made = {
            "samples": torch.stack([noisy(session, there, s) for s in range(seeds)]),
            "renders": torch.stack(
                [
                    render(rows, session.resolution, outputs=("image",), groups=DETAIL, detail_seed=s).image
                    for s in range(seeds)
                ]
            ),
        }
        for kind, pictures in made.items():
            result[kind].append(float(spread(pictures)[place].mean()))
    return result


def noise_table(report: dict[str, Any]) -> str:
    """The report in Markdown, for the card."""
    readings, where = report["readings"], report["map"]
    name, worst = max(readings.items(), key=lambda item: item[1]["samples"] - item[1]["renders"])
    own, truth = (float(np.mean([r[kind] for r in readings.values()])) for kind in ("samples", "renders"))
    steps = ", ".join(f"{step:+g}" for step in STEPS)
    moved, drawn = where["samples"], where["renders"]
    text = f"""Noise, over {report["seeds"]} seeds of each of {report["faces"]} faces. Readings vary by {own:.3f} σ on average
(renders over as many seeds of their detail: {truth:.3f}); most beyond them {name}, {worst["samples"]:.3f} against
{worst["renders"]:.3f}. Noise moves a pixel by {moved:.4f} on average (renders {drawn:.4f}); where it does agrees with the
renderer by r = {where["correlation"]:.2f}. Each amount is a direction of w; so far noise moves the pixels of its place at
{steps} σ:"""
    lines = [text, "", "| amount | samples | renders |", "|---|---|---|"]
    for amount, found in report["amounts"].items():
        cells = [" ".join(f"{value:.3f}" for value in found[kind]) for kind in ("samples", "renders")]
        lines.append(f"| {amount} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)
