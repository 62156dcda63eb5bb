"""A run that begins with another method's run: what hybrids and pivotal tuning have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ...session.session import GeneratorSession
from ...settings import Value
from ..catalogue import ENCODERS, METHODS
from ..run import Run
from ..spaces import convert
from ..starting import start
from ..target import Target


class TwoPhases(Run):
    """First all steps of `first`, then those of a second run that begins where that ended.

    Subclasses implement `_next`.

    Args:
        session, target, method, settings: as of `Run`.
        first: a run on the same session and target.
        steps: of the second one.
        space: of `code`; None for that of `first`. Codes of the first run are converted, so that all frames have one shape.

    Attributes:
        first, second: the runs; second is None until the first is done.
    """

    def __init__(
        self,
        session: GeneratorSession,
        target: Target,
        *,
        method: str,
        settings: Mapping[str, Any],
        first: Run,
        steps: int,
        space: str | None = None,
    ) -> None:
        super().__init__(session, target, method=method, settings=settings, total=first.total + steps)
        self.first, self.space, self._own = first, space or first.space, steps
        self.second: Run | None = None

    @abstractmethod
    def _next(self, code: Tensor) -> Run:
        """The second run. code: what the first one found, in `self.space`."""

    def code(self) -> Tensor:
        return self._found() if self.second is None else self.second.code()

    def noise(self) -> list[Tensor] | None:
        return None if self.second is None else self.second.noise()

    def delta(self) -> dict[str, Tensor] | None:
        return None if self.second is None else self.second.delta()

    def _found(self) -> Tensor:
        with torch.no_grad():
            return convert(self.session, self.first.code().detach(), self.first.space, self.space)

    def _advance(self) -> dict[str, float]:
        run = self._current()
        terms = dict(run.advance().terms)
        self._drawn = run._drawn
        self.total = self.first.total + (self._own if self.second is None else self.second.total)
        self.uses |= run.uses
        return terms

    def _lacks(self) -> bool:
        return self.first._lacks() if not self.first.done else self.second is None or self.second._lacks()

    def _prepare(self) -> None:
        self._current()._prepare()

    def _current(self) -> Run:
        if not self.first.done:
            return self.first
        if self.second is None:
            with torch.inference_mode(False):
                self.second = self._next(self._found())
        return self.second

    def _state(self) -> dict[str, Any]:
        return {
            "first": self.first.state(),
            "second": None if self.second is None else self.second.state(),
            "total": self.total,
        }

    def _restore(self, state: dict[str, Any]) -> None:
        self.first.restore(state["first"])
        self.second = None
        if state["second"] is not None:
            self._current().restore(state["second"])
        self.total = int(state["total"])


def why_not(name: str, session: GeneratorSession) -> str:
    """Why a method cannot be used on this generator; "" if it can."""
    if name not in METHODS:
        return f"there is no method {name!r} here"
    return METHODS[name].why_not(session)


def choose(wanted: str, session: GeneratorSession, order: Sequence[str]) -> tuple[str, str]:
    """The method to begin with, and a remark for the report.

    Args:
        wanted: its name, or "auto" for the first of `order` that can be used on the session's generator.

    Raises:
        ValueError: it cannot be used, or none can.
    """
    if wanted != "auto":
        reason = why_not(wanted, session)
        if reason:
            usable = [name for name in order if not why_not(name, session)]
            raise ValueError(
                f"the start {wanted!r} cannot be used here: {reason}. "
                f"Usable are {', '.join(['auto', *usable]) if usable else 'none'}"
            )
        return wanted, wanted
    reasons = {name: why_not(name, session) for name in order}
    for name in order:
        if not reasons[name]:
            skipped = [other for other in order[: order.index(name)] if other in ENCODERS]
            return name, f"{name} (no encoder for this generator)" if skipped and name not in ENCODERS else name
    raise ValueError(
        "no method to begin with can be used on this generator: "
        + "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
    )


def usable(session: GeneratorSession, order: Sequence[str]) -> str:
    """ "" if one of these can be a start on this generator; else why not."""
    try:
        choose("auto", session, order)
    except ValueError as error:
        return str(error)
    return ""


def begin(name: str, session: GeneratorSession, target: Target, **wanted: Value | None) -> Run:
    """The run of the first phase; of `wanted`, the settings that the method has and that are not None."""
    known = {setting.name for setting in METHODS[name].settings}
    return start(
        name, session, target, **{key: value for key, value in wanted.items() if key in known and value is not None}
    )
