"""The command ``stylewidgets bench-inversion``: every method of inversion on pictures whose truth is known.

Half of the pictures are generated (their w is known), half are renders of avatars (their factors are known): held out, none of
them was seen by any network. The figures are medians; they are compared with the order that the papers report.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .report import machine, table

GENERATED, RENDERS = "generated", "renders"
SEED = 5_000_000
"""Of the renders; no network was trained on them. Generated pictures have the same seeds modulo 2**32."""
STEPS = {"steps": "rate", "noise_steps": "", "pivot_steps": "pivot_rate", "start_steps": ""}
"""Settings that count steps, and the learning rate that goes with each."""
COLUMNS = {
    "MSE": ("mse", "{:.4f}"), "PSNR": ("psnr", "{:.1f}"), "SSIM": ("ssim", "{:.3f}"), "perceptual": ("perceptual", "{:.3f}"),
    "identity": ("identity", "{:.2f}"), "w dist.": ("w_distance", "{:.2f}"), "realism": ("realism", "{:.2f}"),
    "transfer": ("edit_transfer", "{:.2f}"), "edit err.": ("edit_error", "{:.3f}"), "edited": ("edit_perceptual", "{:.3f}"),
    "s/picture": ("seconds_per_picture", "{:.2f}"),
}
_VARIANTS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "projector": {"projector W": {"space": "w"}, "projector W+": {"space": "w+"}},
    "image2stylegan": {"Image2StyleGAN W+": {"space": "w+"}, "Image2StyleGAN S": {"space": "s"}},
}


class Row(NamedTuple):
    """One line of the table: a method with settings."""

    name: str
    method: str
    settings: Mapping[str, Any]


class Expected(NamedTuple):
    """What papers say: by `figure`, `worse` is worse than `better`. lower: whether less is better."""

    figure: str
    worse: str
    better: str
    lower: bool
    source: str


EXPECTED = (
    Expected("mse", "projector W", "projector W+", True, "Abdal et al. 2019; Roich et al. 2022, table 1"),
    Expected("perceptual", "projector W", "projector W+", True, "Abdal et al. 2019; Roich et al. 2022, table 1"),
    Expected("mse", "projector W+", "pti", True, "Roich et al. 2022, table 1"),
    Expected("mse", "projector W", "pti", True, "Roich et al. 2022, table 1"),
    Expected("mse", "e4e", "psp", True, "Tov et al. 2021"),
    Expected("mse", "psp", "restyle", True, "Alaluf et al. 2021"),
    Expected("mse", "restyle", "hybrid", True, "Zhu et al. 2020"),
    Expected("mse", "Image2StyleGAN W+", "image2stylegan++", True, "Abdal et al. 2020"),
    Expected("edit_error", "projector W+", "projector W", True, "Tov et al. 2021; Roich et al. 2022"),
    Expected("edit_error", "Image2StyleGAN W+", "projector W", True, "Tov et al. 2021"),
    Expected("edit_error", "projector W+", "pti", True, "Roich et al. 2022"),
    Expected("edit_error", "psp", "e4e", True, "Tov et al. 2021"),
    Expected("edit_transfer", "projector W+", "projector W", False, "Tov et al. 2021; Roich et al. 2022"),
    Expected("realism", "projector W+", "projector W", True, "Tov et al. 2021"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("generator", nargs="?", help="a bundled name or a .safetensors file (default: the bundled one)")
    parser.add_argument("--device", help="cpu, cuda ... (default: a GPU if there is one)")
    parser.add_argument("--targets", type=int, default=20, help="pictures of each kind (default: %(default)s)")
    parser.add_argument("--steps", type=int, help="most steps of each optimisation, with learning rates raised in proportion so "
                                                  "that codes come as far (default: the papers', hours on a CPU)")
    parser.add_argument("--methods", help="which methods, with commas (default: all that this generator has)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write there; what is there already is not measured again")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw distortion against editability")


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    from .. import load

    if args.targets < 1 or (args.steps is not None and args.steps < 1):
        raise ValueError(f"targets and steps are at least 1; {args.targets} and {args.steps} were given")
    session = load(args.generator, device=args.device, precision="fp32")
    chosen = None if args.methods is None else [name.strip() for name in args.methods.split(",")]
    whole = _read(args.json, session, args)
    for words in measure(session, rows(session, args.steps, chosen), args.targets, whole["rows"]):
        print(f"  … {words}", file=sys.stderr, flush=True)
        if args.json is not None:
            args.json.write_text(json.dumps(_plain(whole), indent=1) + "\n", encoding="utf-8")
    print(text_of(whole["rows"]))
    if args.plot is not None:
        plot(whole["rows"], args.plot)
    return 0


def rows(session: Any, most: int | None, chosen: Sequence[str] | None = None) -> list[Row]:
    """What to measure on a generator.

    Args:
        session: the generator.
        most: steps of each optimisation; None for the papers'.
        chosen: methods; None for all that can be used.

    Raises:
        ValueError: an unknown method.
    """
    from .._checks import unknown_name
    from ..inversion import METHODS

    for name in chosen or ():
        if name not in METHODS:
            raise unknown_name("inversion method", name, METHODS)
    found = []
    for name, method in METHODS.items():
        if (chosen is not None and name not in chosen) or (method.available and method.available(session)):
            continue
        fewer = {} if most is None or method.kind == "encoder" else _fewer(method, most)
        for title, settings in _VARIANTS.get(name, {name: {}}).items():
            found.append(Row(title, name, {**fewer, **settings}))
    return found


def _fewer(method: Any, most: int) -> dict[str, Any]:
    """Settings with at most so many steps, and learning rates that make up for those that are left out."""
    known = {setting.name: setting for setting in method.settings}
    settings: dict[str, Any] = {}
    for steps, rate in STEPS.items():
        if steps in known and known[steps].default > most:
            settings[steps] = most
            if rate in known:
                wanted = known[rate].default * known[steps].default / most
                settings[rate] = wanted if known[rate].high is None else min(wanted, known[rate].high)
    return settings


def targets(session: Any, count: int) -> dict[str, Any]:
    """The pictures: `count` generated ones and as many renders."""
    from ..avatars import AvatarDataset
    from ..inversion import Target

    world = AvatarDataset(seed=SEED, n=count, resolution=session.resolution, outputs=("image",))
    return {GENERATED: Target.of([session.latent(seed=SEED + i) for i in range(count)], session),
            RENDERS: Target.of(world.batch(range(count)), session)}


def measure(session: Any, wanted: Sequence[Row], count: int, found: dict[str, Any]) -> Iterator[str]:
    """Add medians to `found`, a row and a kind of pictures at a time, and say each in words.

    Args:
        session: the generator.
        wanted: rows.
        count: pictures of each kind.
        found: name → {"method", "settings", "generated": {...}, "renders": {...}}; what is there is not measured again.
    """
    import numpy as np

    from ..inversion import evaluate_each
    from ..inversion.editability import known_edits
    from ..inversion.evaluate import mean_of

    for kind, target in targets(session, count).items():
        known: Any = known_edits(target, session) or False
        for row in wanted:
            made = found.setdefault(row.name, {"method": row.method, "settings": dict(row.settings)})
            if kind in made:
                continue
            begin, figures = time.perf_counter(), []
            for part, result in _invert(session, target, row):
                own = target if len(result) == len(target) else target[part]
                edits = known.part(part) if known and own is not target else known
                figures += evaluate_each(own, result, session, edits=edits)
                made["uses"] = dict(result.uses)
            made[kind] = mean_of(figures, np.median)
            yield f"{row.name}, {kind}: mse {made[kind]['mse']:.4f}, {time.perf_counter() - begin:.0f} s"


def _invert(session: Any, target: Any, row: Row) -> Iterator[tuple[int, Any]]:
    """(first picture, result), once for all pictures or, where a generator is tuned, for each."""
    from ..inversion import invert, pivotal

    if row.method != "pti":
        yield 0, invert(session, target, row.method, **row.settings)
        return
    yield from enumerate(pivotal.tune_each(session, target, **row.settings))


def text_of(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Tables, and what the papers say against what was found."""
    parts = [table(f"Inversion of {kind} pictures, medians" if kind == GENERATED else f"Inversion of {kind}, medians",
                   ("", *COLUMNS), [(name, *_cells(row.get(kind, {}))) for name, row in found.items()])
             for kind in (GENERATED, RENDERS)]
    lines = [f"  {'as reported' if same else 'NOT so     '}  {words}" for same, words in checks(found)]
    return "\n".join([*parts, "Against what the papers report", "", *lines])


def markdown(found: Mapping[str, Mapping[str, Any]], kind: str) -> str:
    """The table of a kind of pictures for a page."""
    lines = [f"| | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(_cells(row.get(kind, {})))} |" for name, row in found.items()]
    return "\n".join(lines) + "\n"


def checks(found: Mapping[str, Mapping[str, Any]]) -> list[tuple[bool, str]]:
    """Each expectation whose two rows were measured: whether it holds, and in words with both figures."""
    made = []
    for kind in (RENDERS, GENERATED):
        for one in EXPECTED:
            a, b = (found.get(name, {}).get(kind, {}).get(one.figure) for name in (one.worse, one.better))
            if a is None or b is None:
                continue
            same = (a > b) if one.lower else (a < b)
            figure = one.figure.replace("_", " ")
            words = f"{kind}: {figure} of {one.worse} ({a:.4g}) worse than of {one.better} ({b:.4g})  [{one.source}]"
            made.append((same, words))
    return made


def plot(found: Mapping[str, Mapping[str, Any]], path: Path) -> Path:
    """Distortion against editability, a point for each method: good is to the lower left."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.6), layout="constrained")
    for kind, axes in zip((GENERATED, RENDERS), figure.subplots(1, 2), strict=True):
        for k, (name, row) in enumerate(found.items()):
            x, y = (row.get(kind, {}).get(figure_name) for figure_name in ("mse", "edit_error"))
            if x is None or y is None:
                continue
            axes.scatter([x], [y], s=46, color=f"C{k % 10}", zorder=3)
            axes.annotate(name, (x, y), xytext=(5, 4 if k % 2 else -11), textcoords="offset points", fontsize=8)
        axes.set_xscale("log")
        axes.set_xlabel("distortion: MSE on [−1, 1], median (log)")
        axes.set_ylabel("edit error, σ of factor readings, median")
        axes.set_title("generated pictures (w known)" if kind == GENERATED else "renders (factors known)")
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
    return path


def _cells(figures: Mapping[str, Any]) -> list[str]:
    return [form.format(figures[key]) if isinstance(figures.get(key), (int, float)) else "–" for key, form in COLUMNS.values()]


def _read(path: Path | None, session: Any, args: argparse.Namespace) -> dict[str, Any]:
    """What a file of an earlier run of the same kind holds; an empty one otherwise."""
    about = {"generator": session.name, "targets": args.targets, "steps": args.steps}
    if path is not None and path.is_file():
        whole: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if {key: whole.get("about", {}).get(key) for key in about} != about:
            raise ValueError(f"{path} was measured with other values than {about}; give another file")
        return whole
    return {"about": about, "machine": machine(session), "rows": {}}


def _plain(value: Any) -> Any:
    """Not-a-number and infinity become null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
