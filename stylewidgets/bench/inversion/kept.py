"""Results that were found once, in a folder, so that a run that was stopped goes on and nothing is inverted twice."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ... import weights
from ...inversion import METHODS, Result, Target, start
from ...inversion.catalogue import BUNDLED
from ...inversion.encoders.runs import bundled
from ...inversion.methods import pivotal
from ...session.session import GeneratorSession
from .rows import Row

SECONDS = "processor_seconds"
_GUESSES = ("auto", "psp", "e4e", "restyle")


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
        # not the pixels: they hang on the last bits
        about = [mark(self.session, method, settings), self.kind, list(target.names)]
        return f"{method.replace('+', 'p')}-{hashlib.sha256(json.dumps(about).encode()).hexdigest()[:20]}"


def mark(session: GeneratorSession, method: str, settings: Mapping[str, Any]) -> str:
    """What a result hangs on besides its picture: generator, method, all settings, and the encoder where one is used."""
    values = METHODS[method].checked(settings)
    made = hashlib.sha256(json.dumps([session.name, method, values], sort_keys=True).encode())
    guessed = (
        METHODS[method].kind == "encoder" or method == "fast" or values.get("start", values.get("pivot")) in _GUESSES
    )
    encoders = [bundled(kind) for kind in ("psp", "e4e", "restyle")] if guessed else []
    named = [Path(str(values["encoder"]))] if values.get("encoder", BUNDLED) != BUNDLED else []
    for path in (weights.FOLDER / f"{session.name}.safetensors", *encoders, *named):
        if path.is_file():
            made.update(path.read_bytes())
    return made.hexdigest()[:20]


def found_by(session: GeneratorSession, target: Target, row: Row, kept: Kept) -> Iterator[tuple[slice, Result]]:
    """(which pictures, result), once for all of them or, where a generator is tuned, for each."""
    if row.method != "pti":
        make = partial(_inverted, session, target, row)
        yield slice(0, len(target)), kept.result(row.method, row.settings, target, make)
        return
    first, _ = pivotal.pivots(session, target, **row.settings)
    pivots = kept.result(first.method, first.settings, target, first.finish)
    share = pivots.report[SECONDS] / len(target)
    for i in range(len(target)):
        make = partial(pivotal.tune, session, target, pivots, i, **row.settings)
        tuned = kept.result("pti", row.settings, target[i], make)
        yield slice(i, i + 1), replace(tuned, report={SECONDS: tuned.report[SECONDS] + share})


def _inverted(session: GeneratorSession, target: Target, row: Row) -> Result:
    return start(row.method, session, target, **row.settings).finish()
