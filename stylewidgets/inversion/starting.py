"""Runs of the catalogue's methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch

from ..core.checks import unknown_name
from ..core.lazy import resolve
from ..jobs import Progress
from .catalogue import METHODS
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


def invert(
    session: GeneratorSession,
    target: Any,
    method: str = "projector",
    callback: Callable[[Progress], Any] | None = None,
    **settings: Any,
) -> Result:
    """Find the code of pictures: `start` and `finish` in one. See `start` for the arguments."""
    return start(method, session, target, **settings).finish(callback)
