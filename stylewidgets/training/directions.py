"""``stylewidgets train directions``: the directions beside a generator, named ones, PCA and SeFa.

A named direction is the normal of a boundary in w or comes from all readings jointly. Which of these, which rows of w+
it acts on, and which other directions are taken out of it, is decided by measurement: faces are rendered on both sides
and the factor network reads what changed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from .. import jobs
from ..avatars.reading.factor_net import FactorRegressor, factor_of, load_regressor
from ..avatars.reading.reader import READABLE
from ..checkpoints.formats import native
from ..core.options import Options
from ..directions import DirectionSet, boundary, condition, joint_boundaries, named_ranges, pca, sample_w, sefa
from ..jobs import Job, Progress, Work
from ..latent.camera import Camera
from ..latent.latent import Direction
from ..session.session import GeneratorSession
from ..stylespace.reports.measure import direction_name
from .detail.amounts import amount_directions

Scores = dict[str, NDArray[np.float32]]

FIRST = (
    "smile",
    "yaw",
    "hair lightness",
    "glasses",
    "skin tone",
    "mouth open",
    "beard",
    "pitch",
    "light azimuth",
    "hat",
)
"""The names that a picker should show first."""
POSE = ("yaw", "pitch", "roll")
STEP = 1.5  # σ on each side when an effect is measured
TRIAL = 24  # faces that rivals are compared on; the winner is measured again on others, so that luck does not count
MINIMUM = 0.3  # a named direction must move its factor by this many standard deviations per σ


class Effect(NamedTuple):
    """Mean change per σ of strength, in standard deviations of each reading over the generator's faces.

    own: of the target; side: the largest of the other factors, and its name; total: root of the sum of squares over
    the other factors, each at its strongest reading.
    """

    own: float
    side: float
    side_name: str
    total: float
    all: dict[str, float]

    @property
    def merit(self) -> float:
        """Own effect against all side effects. The constant keeps a direction that hardly does anything from winning."""
        return self.own / (self.total + 0.3)


class Target(NamedTuple):
    """A named direction to make: the reading [n] that it should move, and the factor that the reading belongs to."""

    name: str
    factor: str
    values: NDArray[np.float32]


OPTIONS: Options = {
    "generator": {"type": Path, "help": "a .safetensors file that `train avatars` wrote"},
    "--out": {"type": Path, "help": "default: beside the generator, NAME.directions.safetensors"},
    "--like": {
        "type": Path,
        "metavar": "DIRECTIONS",
        "help": "take the named directions of a generator with the same w, on all rows, and measure them here: quick",
    },
    "--regressor": {"type": Path, "help": "factor network (default: the bundled one)"},
    "--samples": {"type": int, "default": 6_000, "help": "faces to learn from (default %(default)s)"},
    "--faces": {"type": int, "default": 64, "help": "faces to measure effects on (default %(default)s)"},
    "--trial": {"type": int, "default": TRIAL, "help": "faces to compare rivals on (default %(default)s)"},
    "--seed": {"type": int, "default": 0, "help": "of the faces (default %(default)s)"},
    "--device": {"default": "cpu", "help": "torch device (default %(default)s)"},
}


def run(args: argparse.Namespace) -> None:
    """Make, measure and write."""
    generator, metadata = native.load(args.generator)
    session = GeneratorSession(generator, device=args.device, precision="fp32")
    out = args.out or args.generator.with_suffix(".directions.safetensors")
    regressor = load_regressor(args.regressor, args.device)
    like = DirectionSet.load(args.like) if args.like else None
    counts = {"faces": args.faces, "trial": args.trial}
    made = jobs.run(make_directions.steps(session, regressor, out, args.samples, **counts, seed=args.seed, like=like))
    if "detail" in metadata and made is not None:
        made.merge(DirectionSet.of(session, amount_directions(metadata["detail"])), replace=True).save(out)


@Work
def make_directions(
    session: GeneratorSession,
    regressor: FactorRegressor,
    out: str | Path,
    samples: int = 6_000,
    *,
    faces: int = 64,
    trial: int = TRIAL,
    seed: int = 0,
    like: DirectionSet | None = None,
) -> Job[DirectionSet]:
    """Make, measure and save the directions of a generator.

    Args:
        session: a GeneratorSession of a generator of avatars.
        regressor: the factor network, see `load_regressor`.
        out: file to write, ".safetensors" or ".npz"; a card with the same name and ".md" is written beside it.
        samples: faces drawn without truncation, rendered and read, that the boundaries are fitted to.
        faces: faces that each effect is measured on.
        trial: faces that rivals are compared on.
        seed: of the samples; the faces that rivals are compared on and effects are measured on have others.
        like: named directions of another generator with the same w. They are measured, not made again, and act on all
            rows, because rows of different generators do not do the same.

    Returns:
        DirectionSet: named directions, then 20 of PCA, then 5 of SeFa for each of coarse, middle and fine rows. The
        `source` of each says what it was measured to do.
    """
    w = sample_w(session, samples, seed)
    scores = yield from read.steps(session, regressor, w)
    compare = Bench(session, regressor, sample_w(session, trial, seed + 1), scores)
    final = Bench(session, regressor, sample_w(session, faces, seed + 2), scores)
    targets = list(make_targets(regressor, scores))
    if session.view_kind is Camera:  # the pose is the camera's, w does not turn the head
        targets = [target for target in targets if target.factor not in POSE]
    if like is not None:
        targets = [target for target in targets if target.name in like]
    slacks = (0.02, 0.1, 0.3) if like is None else ()
    joint = [joint_boundaries(w, {t.name: t.values for t in targets}, slack=slack) for slack in slacks]
    plain = {t.name: boundary(w, t.values, name=t.name, method="ridge", l2=0.1) for t in targets}
    kept: list[tuple[Direction, Effect]] = []
    for step, target in enumerate(targets):
        if like is not None:
            best = taken_over(like[target.name])
        else:
            # Of the target alone: from the strict normal to one that leans on the natural variation of w.
            methods: tuple[tuple[Literal["logistic", "ridge"], float], ...] = (
                ("logistic", 0.01),
                ("ridge", 0.02),
                ("ridge", 0.5),
            )
            own = (boundary(w, target.values, name=target.name, method=method, l2=l2) for method, l2 in methods)
            fits = [*(found[target.name] for found in joint), *own]
            best = choose(compare, target, fits, w, plain)
        effect = final.measure(best, target)
        if effect.own >= MINIMUM:
            kept.append((replace(best, source=f"{best.source}; {describe(effect, faces)}"), effect))
        yield Progress(step + 1, len(targets), "directions")
    kept.sort(key=lambda item: FIRST.index(item[0].name) if item[0].name in FIRST else len(FIRST))
    found = DirectionSet.of(session, (direction for direction, _ in kept))
    found = found.merge(
        _explained(pca(session, samples=max(samples, 10_000), components=min(20, session.w_dim)), w, scores)
    )
    for group, rows in named_ranges(session.num_ws).items():
        part = sefa(session, layers=rows, components=min(5, session.w_dim), prefix=f"sefa {group}")
        found = found.merge(_explained(part, w, scores))
    path = found.save(out)
    path.with_suffix(".md").write_text(_card(path, kept, targets, samples, faces, like is not None), encoding="utf-8")
    return found


def taken_over(direction: Direction) -> Direction:
    """A direction of another generator with the same w: on all rows, and without what was measured there."""
    return replace(
        direction, layers=None, source=f"{direction.source.split('; measured')[0]} of another generator with this w"
    )


class Bench:
    """Measures what a direction does to faces w [n, w_dim], in standard deviations of the readings of a population."""

    def __init__(
        self, session: GeneratorSession, regressor: FactorRegressor, w: NDArray[np.float32], population: Scores
    ) -> None:
        self.session, self.regressor, self.w = session, regressor, w
        self.scale = {name: max(float(values.std()), 1e-6) for name, values in population.items()}

    def measure(self, direction: Direction, target: Target) -> Effect:
        """The effect of `direction` on its target and on all else, within its default rows."""
        low, high = (self._moved(direction, sign * STEP) for sign in (-1, 1))
        change = {n: float(np.mean(high[n] - low[n])) / (2 * STEP) / self.scale[n] for n in self.scale}
        own = float(np.mean(_reading(high, target) - _reading(low, target))) / (2 * STEP) / float(target.values.std())
        others = {n: abs(v) for n, v in change.items() if factor_of(n) != target.factor}
        worst = max(others, key=others.__getitem__) if others else ""
        strongest: dict[str, float] = {}
        for name, value in others.items():
            strongest[factor_of(name)] = max(value, strongest.get(factor_of(name), 0.0))
        return Effect(own, others.get(worst, 0.0), worst, sum(v * v for v in strongest.values()) ** 0.5, change)

    def _moved(self, direction: Direction, strength: float) -> Scores:
        rows = np.repeat(self.w[:, None], self.session.num_ws, axis=1)
        first, last = direction.layers or (0, self.session.num_ws)
        vector = np.broadcast_to(direction.vector, (self.session.num_ws, self.session.w_dim))
        rows[:, first:last] += strength * direction.sigma * vector[first:last]
        return read(self.session, self.regressor, rows)


@Work
def read(
    session: GeneratorSession, regressor: FactorRegressor, w: NDArray[np.float32], *, batch: int = 32
) -> Job[Scores]:
    """Readings [n] of the factor network of faces w [n, w_dim] or w+ [n, num_ws, w_dim]."""
    raw = []
    for start in range(0, len(w), batch):
        with session.lock, torch.inference_mode():
            images = session.synthesize(
                torch.as_tensor(w[start : start + batch], device=session.device, dtype=torch.float32)
            ).float()
            raw.append(regressor(images.clamp(-1, 1).to(regressor.out.weight.device)).cpu())
        yield Progress(min(start + batch, len(w)), len(w), "reading faces")
    return regressor.readings(torch.cat(raw))


def make_targets(regressor: FactorRegressor, scores: Scores) -> Iterator[Target]:
    """The readings that get a named direction: of factors that the network reads well on renders."""
    for head in regressor.heads:
        name = head.name.replace("_", " ")
        if regressor.metrics.get(head.name, 1.0) < READABLE:
            continue
        if head.kind == "continuous":
            yield Target(name, head.name, scores[head.name])
        elif head.kind == "circular":
            # cos is largest at 0 degrees (red) and sin at 90 (between yellow and green).
            yield Target(f"{name} red", head.name, scores[f"{head.name} cos"])
            yield Target(f"{name} lime", head.name, scores[f"{head.name} sin"])
        elif "none" in head.categories:
            yield Target(name, head.name, -scores[f"{head.name}: none"])
        else:
            for category in head.categories:
                values = scores[f"{head.name}: {category}"]
                if 0.02 < float(np.mean(values > 0)) < 0.98:
                    yield Target(f"{name} {category}", head.name, values)


def choose(
    bench: Bench, target: Target, fits: list[Direction], w: NDArray[np.float32], plain: dict[str, Direction]
) -> Direction:
    """The fit, then the rows, then the conditioning that measure best; each stage starts from the last winner."""
    best, effect = _best(bench, target, fits)
    cuts = sorted({end for rows in named_ranges(bench.session.num_ws).values() for end in rows})
    spans = [(a, b) for i, a in enumerate(cuts) for b in cuts[i + 1 :] if (a, b) != (cuts[0], cuts[-1])]
    rivals = [replace(best, layers=rows) for rows in spans]
    best, effect = _best(bench, target, rivals, best, effect)
    entangled = list(_entangled(effect, target, plain))
    rivals = [condition(best, *entangled[:count], w=w) for count in (1, 2, 4) if count <= len(entangled)]
    return _best(bench, target, rivals, best, effect)[0]


def _entangled(effect: Effect, target: Target, plain: dict[str, Direction]) -> Iterator[Direction]:
    """Plain directions of the factors that an edit also moves, strongest first."""
    seen = {target.name}
    for reading in sorted(effect.all, key=lambda n: -abs(effect.all[n])):
        name = direction_name(reading.removesuffix(": none"))
        new = name in plain and name not in seen and factor_of(reading) != target.factor
        if new and abs(effect.all[reading]) > 0.05:
            seen.add(name)
            yield plain[name]


def _best(
    bench: Bench, target: Target, rivals: list[Direction], best: Direction | None = None, effect: Effect | None = None
) -> tuple[Direction, Effect]:
    for rival in rivals:
        measured = bench.measure(rival, target)
        if effect is None or measured.merit > effect.merit:
            best, effect = rival, measured
    assert best is not None and effect is not None
    return best, effect


def _reading(scores: Scores, target: Target) -> NDArray[np.float32]:
    for name in scores:
        if direction_name(name.removesuffix(": none")) == target.name:
            return -scores[name] if name.endswith(": none") else scores[name]
    raise KeyError(target.name)


def describe(effect: Effect, faces: int) -> str:
    """The effect in words, for `Direction.source`."""
    side = f", largest side effect {effect.side:.2f} ({effect.side_name.replace('_', ' ')})" if effect.side_name else ""
    return f"measured on {faces} faces: moves its factor by {effect.own:+.2f} standard deviations per σ{side}"


def _explained(found: DirectionSet, w: NDArray[np.float32], scores: Scores) -> DirectionSet:
    """The same set, each `source` naming the reading that goes most with the coordinate."""
    result = []
    for direction in found.values():
        position = w @ direction.vector
        r = {name: float(np.corrcoef(position, values)[0, 1]) for name, values in scores.items() if values.std() > 0}
        name = max(r, key=lambda n: abs(r[n]), default="")
        words = f"; goes most with {name.replace('_', ' ')} (r {r[name]:+.2f})" if name else ""
        result.append(replace(direction, source=direction.source + words))
    return found.add(*result, replace=True)


def _card(
    path: Path, kept: list[tuple[Direction, Effect]], targets: list[Target], samples: int, faces: int, taken: bool
) -> str:
    rows = "\n".join(
        f"| {d.name} | {'all' if d.layers is None else f'{d.layers[0]}–{d.layers[1] - 1}'} | {e.own:+.2f} | "
        f"{e.side:.2f} {e.side_name.replace('_', ' ')} | {e.total:.2f} | "
        f"{d.source.split()[0]}{', conditioned' if 'conditioned' in d.source else ''} |"
        for d, e in kept
    )
    names = {d.name for d, _ in kept}
    dropped = ", ".join(t.name for t in targets if t.name not in names) or "none"
    how = f"made by `stylewidgets train directions` from {samples:,}\ngenerated faces that the factor network read"
    if taken:
        how = (
            "taken by `stylewidgets train directions --like` from a generator with the\nsame w, and measured against the "
            f"readings of {samples:,} faces"
        )
    return f"""# {path.name}

Directions of the generator of the same name, {how}. Effects were measured on {faces} other faces, {STEP} σ to both sides: mean
change in standard deviations of the factor per σ of strength, the largest mean change of any other factor, and the root
of the sum of squares over all others.

| direction | w+ rows | own effect | largest side effect | all side effects | made by |
|---|---|---|---|---|---|
{rows}

Left out because they moved their factor by less than {MINIMUM} per σ: {dropped}.
Besides: principal components of w (`pca …`) and SeFa of the coarse, middle and fine rows (`sefa …`).
"""
