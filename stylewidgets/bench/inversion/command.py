"""The command ``stylewidgets bench-inversion``: every method of inversion on pictures whose truth is known.

Half of the pictures are generated (their w is known), half are renders of avatars (their factors are known): held out, none of
them was seen by any network. The figures are medians; they are compared with the order that the papers report.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ... import load, weights
from ...avatars import AvatarDataset
from ...core.options import Options
from ...inversion import METHODS, Result, Target, evaluate_each, start
from ...inversion.encoders.runs import bundled
from ...inversion.evaluation.evaluate import mean_of
from ...inversion.evaluation.known import known_edits
from ...inversion.methods import pivotal
from ...session.session import GeneratorSession
from ..report import machine, plain
from .race import equal_time_text, races_text, run_equal_time, run_races
from .report import plot, text_of
from .rows import GENERATED, RENDERS, Row, rows

SEED = 5_000_000
"""Of the renders; no network was trained on them. Generated pictures have the same seeds modulo 2**32."""
SECONDS = "processor_seconds"
_GUESSES = ("auto", "psp", "e4e", "restyle")


OPTIONS: Options = {
    "generator": {"nargs": "?", "help": "a bundled name or a .safetensors file (default: the bundled one)"},
    "--device": {"help": "cpu, cuda ... (default: a GPU if there is one)"},
    "--targets": {"type": int, "default": 20, "help": "pictures of each kind (default: %(default)s)"},
    "--steps": {
        "type": int,
        "help": "most steps of each optimisation, half as many of the fast one and of those that go on from "
        "another, with higher learning rates (default: the papers', hours on a CPU)",
    },
    "--methods": {"help": "which methods, with commas (default: all that this generator has)"},
    "--keep": {
        "type": Path,
        "metavar": "FOLDER",
        "help": "keep what was found there; a run that was stopped goes on, and nothing is inverted twice",
    },
    "--race": {
        "type": int,
        "metavar": "N",
        "help": "instead: the fast projector against the plain schedule on N pictures, of each kind a half",
    },
    "--equal-time": {
        "type": float,
        "nargs": "+",
        "metavar": "SECONDS",
        "help": "with --race: also a hybrid against its parts, each with so many seconds for a picture",
    },
    "--json": {"type": Path, "metavar": "FILE", "help": "write the figures there, beside those of other methods"},
    "--plot": {"type": Path, "metavar": "FILE.png", "help": "draw distortion against editability"},
}


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    if args.targets < 1 or (args.steps is not None and args.steps < 1):
        raise ValueError(f"targets and steps are at least 1; {args.targets} and {args.steps} were given")
    session = load(args.generator, device=args.device, precision="fp32")
    chosen = None if args.methods is None else [name.strip() for name in args.methods.split(",")]
    whole = _read(args.json, session, args)
    if args.race is not None:
        return _race(session, whole, args)
    _tell(measure(session, rows(session, args.steps, chosen), args.targets, whole["rows"], args.keep), whole, args.json)
    whole["rows"] = {
        row.name: whole["rows"][row.name] for row in rows(session, args.steps) if row.name in whole["rows"]
    }
    print(text_of(whole["rows"]))
    if args.plot is not None:
        plot(whole["rows"], args.plot)
    return 0


def _race(session: GeneratorSession, whole: dict[str, Any], args: argparse.Namespace) -> int:
    if args.race < 2:
        raise ValueError(f"a race takes at least 2 pictures, one of each kind; {args.race} was given")
    pictures = targets(session, args.race // 2)
    races, times = whole.setdefault("races", {}), whole.setdefault("equal time", {})
    if args.equal_time:
        _tell(run_equal_time(session, pictures, times, args.equal_time), whole, args.json)
        print(equal_time_text(times))
    _tell(run_races(session, pictures, races, args.steps or 1000), whole, args.json)
    print(races_text(races))
    return 0


def _tell(lines: Iterator[str], whole: dict[str, Any], path: Path | None) -> None:
    """Print each line as it comes, and write what was found by then."""
    for words in lines:
        print(f"  … {words}", file=sys.stderr, flush=True)
        if path is not None:
            path.write_text(json.dumps(plain(whole), indent=1) + "\n", encoding="utf-8")


def targets(session: GeneratorSession, count: int, seed: int = SEED) -> dict[str, Target]:
    """The pictures: `count` generated ones and as many renders."""
    world = AvatarDataset(seed=seed, n=count, resolution=session.resolution, outputs=("image",))
    return {
        GENERATED: Target.of([session.latent(seed=seed + i) for i in range(count)], session),
        RENDERS: Target.of(world.batch(range(count)), session),
    }


def measure(
    session: GeneratorSession, wanted: Sequence[Row], count: int, found: dict[str, Any], keep: Path | None = None
) -> Iterator[str]:
    """Put medians into `found`, a row and a kind of pictures at a time, and say each in words.

    Args:
        session: the generator.
        wanted: rows.
        count: pictures of each kind.
        found: name → {"method", "settings", "generated": {...}, "renders": {...}}; rows that are not wanted stay.
        keep: folder of results, see `Kept`.
    """
    for kind, target in targets(session, count).items():
        kept = Kept(session, keep, f"{kind} {SEED}")
        known = known_edits(target, session)
        for row in wanted:
            begin, figures = time.perf_counter(), []
            old = found.get(row.name, {})
            made = found[row.name] = {key: value for key, value in old.items() if key in (GENERATED, RENDERS)}
            made |= {"method": row.method, "settings": dict(row.settings)}
            for part, result in _invert(session, target, row, kept):
                own = target if len(result) == len(target) else target[part]
                edits = False if known is None else known if own is target else known.part(part)
                each = evaluate_each(own, result, session, edits=edits)
                figures += [one | {SECONDS: result.report[SECONDS] / len(result)} for one in each]
                made["uses"] = dict(result.uses)
            made[kind] = mean_of(figures, np.median)
            yield f"{row.name}, {kind}: mse {made[kind]['mse']:.4f}, {time.perf_counter() - begin:.0f} s"


class Kept:
    """Results in a folder, under names that say what they are of: generator, pictures, method, settings, encoder weights.

    Args:
        session: the generator.
        folder: made if it is not there; None keeps nothing.
        kind: of the pictures, with what tells them from others of the kind.
    """

    def __init__(self, session: GeneratorSession, folder: Path | None, kind: str) -> None:
        self.session, self.folder, self.kind = session, folder, kind
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def result(self, method: str, settings: Mapping[str, Any], target: Target, make: Callable[[], Result]) -> Result:
        """The kept result, or what `make` gives, with the time that the processor spent on it in its report."""
        path = None if self.folder is None else self.folder / f"{self._name(method, settings, target)}.safetensors"
        if path is not None and path.is_file():
            return Result.load(path)
        clock = time.process_time if self.session.device.type == "cpu" else time.perf_counter
        began = clock()
        made = make()
        made = replace(made, report={SECONDS: clock() - began})
        if path is not None:
            made.save(path)
        return made

    def _name(self, method: str, settings: Mapping[str, Any], target: Target) -> str:
        values = METHODS[method].checked(settings)
        about = [
            self.session.name,
            self.kind,
            list(target.names),
            method,
            values,
        ]  # not the pixels: they hang on the last bits
        mark = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
        guessed = (
            METHODS[method].kind == "encoder"
            or method == "fast"
            or values.get("start", values.get("pivot")) in _GUESSES
        )
        encoders = [bundled(kind) for kind in ("psp", "e4e", "restyle")] if guessed else []
        for path in (weights.FOLDER / f"{self.session.name}.safetensors", *encoders):
            if path.is_file():
                mark.update(path.read_bytes())
        return f"{method.replace('+', 'p')}-{mark.hexdigest()[:20]}"


def _invert(session: GeneratorSession, target: Target, row: Row, kept: Kept) -> Iterator[tuple[int, Result]]:
    """(first picture, result), once for all pictures or, where a generator is tuned, for each."""
    if row.method != "pti":
        yield (
            0,
            kept.result(
                row.method, row.settings, target, lambda: start(row.method, session, target, **row.settings).finish()
            ),
        )
        return
    first, _ = pivotal.pivots(session, target, **row.settings)
    found = kept.result(first.method, first.settings, target, first.finish)
    share = found.report[SECONDS] / len(target)
    for i in range(len(target)):
        make = partial(pivotal.tune, session, target, found, i, **row.settings)
        tuned = kept.result("pti", row.settings, target[i], make)
        yield i, replace(tuned, report={SECONDS: tuned.report[SECONDS] + share})


def _read(path: Path | None, session: GeneratorSession, args: argparse.Namespace) -> dict[str, Any]:
    """What a file of an earlier run of the same kind holds; an empty one otherwise."""
    about = {"generator": session.name, "targets": args.targets, "steps": args.steps}
    if path is not None and path.is_file():
        whole: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if {key: whole.get("about", {}).get(key) for key in about} != about:
            raise ValueError(f"{path} was measured with other values than {about}; give another file")
        return whole
    return {"about": about, "machine": machine(session), "rows": {}}
