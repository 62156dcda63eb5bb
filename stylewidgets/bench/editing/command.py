"""The command ``stylewidgets bench editing``: every way to edit, on the same 48 faces that nothing was made with.

An independent judge (`stylewidgets train judge`) reads what each edit did. All are asked for the same: each attribute one σ (what
is worn: two) to the side where there is room, with strengths calibrated on other faces. Figures, their meaning and what they say:
docs/editing.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ... import jobs, load
from ...avatars.reading import factor_net, judge
from ...core import files
from ...core.checks import unknown_name
from ...core.options import Options
from ...core.values import rounded
from ...session.session import GeneratorSession
from ..report import machine
from . import requests, sentences
from .calibrate import calibrate
from .editors import FEW, Editor, Scaled, linear_editors
from .faces import ATTRIBUTES, SEED, TUNING_SEED, Faces, Population, faces, population
from .machines import machines, words_of
from .readings import Readings, Ruler, read, trusted
from .report import BOUNDARY, CONDITIONED, FLOW, RIG, by_attribute, cost_cell, overview, path_cell, verdicts, write_into
from .score import Bench

SENTENCES = "sentences"
"""What the 40 sentences are called among the editors."""
REQUESTS = "requests"
"""And what asking for absolute values over a parameter's range is."""
DESCRIPTION = "Measure every way to edit on the same faces, read by a judge that none of them was made with."
OPTIONS: Options = {
    "generator": {"nargs": "?", "help": "a bundled name or a .safetensors file of avatars (default: the bundled one)"},
    "--device": {"help": "cpu, cuda ... (default: a GPU if there is one)"},
    "--faces": {"type": int, "default": 48, "help": "faces that are scored (default: %(default)s)"},
    "--tuning": {"type": int, "default": 12, "help": "other faces, for the strengths (default: %(default)s)"},
    "--paths": {"type": int, "default": 8, "help": "faces for paths and order (default: %(default)s)"},
    "--population": {"type": int, "default": 3000, "help": "faces for σ and linear editors (default: %(default)s)"},
    "--editors": {"help": "which, in which order, with commas between them (default: all)"},
    "--attributes": {"help": "which, with commas between them (default: all)"},
    "--anew": {"action": "store_true", "help": "measure them again, also what is in --json already"},
    "--keep": {"type": Path, "metavar": "FOLDER", "help": "keep the population there, for the next run"},
    "--json": {"type": Path, "metavar": "FILE", "help": "all figures; a run that was stopped goes on from there"},
    "--page": {"type": Path, "metavar": "FILE.md", "help": "put the tables between the marks of this page"},
}


def run(args: argparse.Namespace) -> int:
    """Measure what is missing, print, and write."""
    if min(args.faces, args.tuning, args.paths) < 2 or args.population < 200:
        raise ValueError("at least 2 faces of each kind and a population of 200 are needed")
    session = load(args.generator, device=args.device, precision="fp32")
    found = resumed(args.json, about(session, args))
    chosen = None if args.editors is None else [name.strip() for name in args.editors.split(",")]
    for name in attributes_of(args):
        if name not in ATTRIBUTES:
            raise unknown_name("attribute", name, ATTRIBUTES)
    for words in measure(session, found, args, chosen):
        print(f"  … {words}", file=sys.stderr, flush=True)
        if args.json is not None:
            files.write(args.json, json.dumps(rounded(found), separators=(",", ":")) + "\n")
    tables = text_of(found)
    print("\n\n".join(tables.values()))
    if args.page is not None:
        for name, text in tables.items():
            write_into(args.page, name, text)
    return 0


def measure(
    session: GeneratorSession, found: dict[str, Any], args: argparse.Namespace, chosen: Sequence[str] | None
) -> Iterator[str]:
    """Add the figures of each editor to `found`, an attribute at a time, and say each in words."""
    network, reader = factor_net.bundled(str(session.device)), judge.bundled(str(session.device))
    keep = None if args.keep is None else args.keep / f"population-{session.fingerprint()[:16]}-{args.population}.npz"
    people = jobs.run(population.steps(session, network, reader, args.population, keep), unit="face")
    assert people is not None
    ruler = Ruler(people.judge, trusted(reader))
    scored = faces(session, network, people, SEED, args.faces)
    tuning = faces(session, network, people, TUNING_SEED, args.tuning)
    tuning_before = read(reader, session, tuning.latents)
    bench = Bench(session, reader, people, ruler, scored)
    if "floor" not in found:
        found["floor"] = bench.floor()
        found["ideal"] = {name: bench.ideal(name).plain() for name in ATTRIBUTES}
        found["judged"] = list(ruler.factors)
        yield f"the floor: {found['floor']}"
    everyone = {editor.name: editor for editor in editors(session, people)}
    names = [*everyone, REQUESTS, SENTENCES]
    for name in chosen or names:
        if name not in names:
            raise unknown_name("editor", name, names)
        if name == SENTENCES:
            yield from _sentences(bench, found, args.anew)
            continue
        if name == REQUESTS:
            record = {} if args.anew else found.get(REQUESTS, {})
            found[REQUESTS] = record
            yield from requests.measure(bench, list(everyone.values()), read(network, session, scored.latents), record)
            continue
        row = found["rows"].setdefault(name, {"attributes": {}, "time": None})
        if args.anew:
            row |= {"attributes": {}, "time": None}
        yield from _row(bench, everyone[name], row, attributes_of(args), tuning, tuning_before, args.paths)


def _sentences(bench: Bench, found: dict[str, Any], anew: bool) -> Iterator[str]:
    words = words_of(bench.session)
    if words is not None:
        record = {} if anew else found.get(SENTENCES, {})
        found[SENTENCES] = record
        yield from sentences.measure(bench, words, record)


def attributes_of(args: argparse.Namespace) -> tuple[str, ...]:
    """Those that were asked for."""
    return ATTRIBUTES if args.attributes is None else tuple(name.strip() for name in args.attributes.split(","))


def _row(
    bench: Bench,
    editor: Editor,
    row: dict[str, Any],
    names: Sequence[str],
    tuning: Faces,
    before: Readings,
    count: int,
) -> Iterator[str]:
    """What is missing in one editor's row: first each attribute by itself, then paths and order, which need all strengths."""
    after: dict[str, Readings] = {}
    cells = row["attributes"]
    for attribute in names:
        if attribute in cells or editor.why_not(attribute):
            continue
        began = time.perf_counter()
        few = tuning.part(FEW) if editor.costly else tuning
        seen = {name: values[: len(few)] for name, values in before.items()}
        strength = calibrate(editor, attribute, bench.session, bench.judge, few, seen, bench.ruler)
        score, after[attribute] = bench.score(Scaled(editor, {attribute: strength.factor}), attribute)
        cells[attribute] = {"strength": asdict(strength), "score": score.plain(), "paths": None, "order": None}
        seconds = time.perf_counter() - began
        yield f"{editor.name}, {attribute}: factor {strength.factor:.2f}, done {score.done.mean():.2f}, {seconds:.0f} s"
    scaled = Scaled(editor, {name: each["strength"]["factor"] for name, each in cells.items()})
    for attribute, each in cells.items():
        if each["paths"] is not None or attribute not in names:
            continue
        if editor.costly:
            each["paths"], each["order"] = {}, []
            continue
        alone = after[attribute] if attribute in after else bench.score(scaled, attribute)[1]
        paths = bench.paths(scaled, attribute, alone, count)
        each["paths"] = {other: [round(float(x), 3) for x in values] for other, values in paths.items()}
        each["order"] = [round(float(x), 4) for x in bench.order(scaled, attribute, count // 2)]
        yield f"{editor.name}, {attribute}: path"
    if cells and row["time"] is None:
        row["time"] = bench.time(scaled, next(iter(cells)))
        yield f"{editor.name}: {row['time']:.1f} times as long as drawing"


def editors(session: GeneratorSession, people: Population) -> list[Editor]:
    """Everything that can edit this generator."""
    return [*linear_editors(session, people), *machines(session)]


def about(session: GeneratorSession, args: argparse.Namespace) -> dict[str, Any]:
    """What figures must have in common to stand in one table."""
    counts = {name: getattr(args, name) for name in ("faces", "tuning", "paths", "population")}
    return {"generator": session.fingerprint(), "judge": judge.digest(), **counts}


def resumed(path: Path | None, asked: dict[str, Any]) -> dict[str, Any]:
    """What was found before, or an empty record. ValueError where it was found otherwise."""
    if path is None or not path.is_file():
        return {"about": asked, "rows": {}}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if found.get("about") != asked:
        raise ValueError(f"{path} was measured with {found.get('about')}, not with {asked}; give another file")
    return found


def text_of(found: dict[str, Any]) -> dict[str, str]:
    """Tables by the name of their place in the page."""
    return {
        "overview": overview(found),
        "others": by_attribute(found, cost_cell),
        "paths": by_attribute(found, path_cell),
        "verdicts": verdicts(found),
        REQUESTS: requests.text_of(found.get(REQUESTS, {})),
        "rig": verdicts(found, RIG, (CONDITIONED, BOUNDARY, FLOW)),
        SENTENCES: sentences.text_of(found.get(SENTENCES, {}), found["judged"]),
    }


__all__ = ["OPTIONS", "machine", "measure", "run"]
