"""Runs of the catalogue's methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from .. import jobs
from ..core.checks import unknown_name
from ..core.lazy import resolve
from ..jobs import Progress
from ..session.batching import pictures_with_gradients
from .catalogue import METHODS
from .evaluation.realism import code_statistics, flat_styles
from .result import joined
from .run import Run
from .target import Target

if TYPE_CHECKING:
    from ..session.session import GeneratorSession
    from .result import Result


def start(method: str, session: GeneratorSession, target: Any, **settings: Any) -> Run:
    """An inversion ready to go: no step is done yet.

    Args:
        method: a name of `METHODS`.
        session: the generator.
        target: what `Target.of` takes.
        settings: those of the method; others have the paper's defaults.

    Raises:
        ValueError: an unknown method or setting, a value out of range, or a method that needs something this generator
            does not have.
    """
    if method not in METHODS:
        raise unknown_name("inversion method", method, METHODS)
    chosen = METHODS[method]
    values = chosen.checked(settings)
    own = values.get("encoder", "bundled") != "bundled"  # whose fit only that file can tell
    reason = "" if own else chosen.why_not(session)
    if reason:
        raise ValueError(f"{chosen.title} cannot be used here: {reason}")
    make = chosen.start if callable(chosen.start) else resolve(chosen.start)
    with torch.inference_mode(False):
        run: Run = make(session, Target.of(target, session), **values)
    run.plain = True
    return run


def begin(session: GeneratorSession, *, method: str, target: str, settings: Mapping[str, Any] | None = None) -> Run:
    """Starts the kind "inversion" for `session.start`. target: the hash that `session.put` returned."""
    return start(method, session, session.known(target), **dict(settings or {}))


def begin_realism(session: GeneratorSession, *, space: str, code: Sequence[Any]) -> jobs.Run[dict[str, float]]:
    """Starts the kind "realism": how far codes [N, …] of a space are from the generator's own, and how far 99 of 100 of its own
    are at most; see `evaluation.realism`."""
    codes = np.asarray(code, np.float32)

    def work() -> jobs.Job[dict[str, float]]:
        yield Progress(indivisible=1.0)
        styles = flat_styles(session, space, codes)
        known = code_statistics(session)
        return {"realism": float(np.mean(known.mahalanobis(styles))), "usual_realism": float(known.usual)}

    return jobs.Run(work())


def invert(
    session: GeneratorSession,
    target: Any,
    method: str = "projector",
    callback: Callable[[Progress], Any] | None = None,
    **settings: Any,
) -> Result:
    """Find the code of pictures: `start` and `finish` in one. See `start` for the arguments.

    Many pictures are done in groups that fit the memory, and each as if there were no other; not so where a method tunes one
    generator for all of them ("pti"). `Progress` counts the steps of all groups.
    """
    wanted = Target.of(target, session)
    size = pictures_with_gradients(session)
    if len(wanted) <= size or method not in METHODS or METHODS[method].together:
        return start(method, session, wanted, **settings).finish(callback)
    groups, found = wanted.groups(size), []
    for k, group in enumerate(groups):
        found.append(start(method, session, group, **settings).finish(_counted(callback, k, len(groups))))
    return joined(found)


def _counted(callback: Callable[[Progress], Any] | None, k: int, groups: int) -> Callable[[Progress], Any] | None:
    """Tells the progress of group k as one of all."""
    if callback is None:
        return None
    return lambda p: callback(replace(p, done=k * (p.total or 0) + p.done, total=groups * (p.total or 0)))
