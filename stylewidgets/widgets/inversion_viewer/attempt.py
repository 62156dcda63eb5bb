"""One run of the viewer, with what it found and how good that is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ... import inversion
from ...core.checks import unknown_name
from ...core.values import as_numpy
from ...inversion import METHODS
from ...jobs import RUNNING, Job, Progress
from ...settings import Value
from .realism import scale

if TYPE_CHECKING:
    from ...inversion import Result, Run, Target
    from ...latent.latent import Latent
    from ...session.session import GeneratorSession

LOADED = "from a file"
THUMBNAIL = 96


@dataclass(eq=False)
class Attempt:
    """A run, or a result from a file.

    Attributes:
        number: from 1, as the table has it.
        target: what it was made for; None for a file whose target is not known.
        run: None for a file.
        figures: what `measure` or `InversionViewer.evaluate` found.
        note: where it comes from, such as "fork of 1".
        thumbnail: its picture as it was last seen, small; None before the first.
    """

    number: int
    base: GeneratorSession = field(repr=False)
    target: Target | None = field(repr=False)
    run: Run | None = field(repr=False)
    figures: dict[str, float] = field(default_factory=dict, repr=False)
    note: str = ""
    thumbnail: NDArray[np.uint8] | None = field(default=None, repr=False)
    _result: Result | None = field(default=None, repr=False)
    _sessions: dict[int, GeneratorSession] = field(default_factory=dict, repr=False)

    @property
    def result(self) -> Result:
        """What is reached so far, with the figures as its report."""
        if self.run is not None and (self._result is None or self._result.steps != self.run.step):
            with self.base.lock:
                self._result = self.run.result()
            self._sessions.clear()
        assert self._result is not None
        if self.figures != dict(self._result.report):
            self._result = replace(self._result, report=dict(self.figures))
        return self._result

    @property
    def method(self) -> str:
        """Name of the method."""
        return self.run.method if self.run is not None else self.result.method

    @property
    def settings(self) -> Mapping[str, Value]:
        """All its settings."""
        return self.run.settings if self.run is not None else self.result.settings

    @property
    def step(self) -> int:
        """Steps done."""
        return self.run.step if self.run is not None else self.result.steps

    @property
    def total(self) -> int:
        """Steps planned."""
        return self.run.total if self.run is not None else self.result.steps

    @property
    def state(self) -> str:
        """The word of `jobs` for what its run is doing, or "from a file"."""
        return LOADED if self.run is None else self.run.status

    @property
    def can_go_on(self) -> bool:
        """Whether steps are left."""
        return self.run is not None and not self.run.done and self.state != RUNNING

    def session(self, i: int = 0) -> GeneratorSession:
        """A session that draws the i-th with its own noise and parameters."""
        result = self.result
        if i not in self._sessions:
            self._sessions[i] = result.session(self.base, i)
        return self._sessions[i]

    def latent(self, i: int = 0, **changes: Any) -> Latent:
        """The i-th code."""
        return self.base.check(self.result.latent(i, **changes))

    def image(self, i: int = 0) -> NDArray[np.uint8]:
        """The i-th picture, uint8 [H, W, 3], drawn from the code now."""
        session = self.session(i)
        return session.image(self.latent(i))

    def look(self, image: NDArray[np.uint8]) -> None:
        """Note a picture uint8 [H, W, 3] of what is reached as the thumbnail."""
        self.thumbnail = np.asarray(Image.fromarray(image).resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX))

    def measure(self, i: int, image: NDArray[np.uint8]) -> None:
        """Note the mean square and PSNR of a picture against the target, on the scale of [-1, 1] and where the mask counts."""
        self.look(image)
        if self.target is None:
            return
        far = ((image.astype(np.float64) - self.target.pixels(i)) / 127.5) ** 2
        weights = np.ones(far.shape[:2]) if self.target.mask is None else as_numpy(self.target.mask[i, 0])
        mse = float((far.mean(axis=2) * weights).sum() / max(float(weights.sum()), 1e-9))
        self.figures |= {"mse": mse, "psnr": 10 * math.log10(4 / mse) if mse > 0 else math.inf}

    def measuring_realism(self) -> Job[None]:
        """Notes how far the codes are from the generator's own: the figure `realism` of `inversion.evaluate`.

        And how far 99 of 100 of its own are at most, the figure `usual_realism`, and what is usual after this method.
        """
        yield Progress()  # the result is shown first
        result = self.result
        run = self.base.start({"kind": "realism", "space": result.space, "code": result.code.tolist()})
        yield from run
        self.figures |= run.result() or {}
        self.figures |= scale(self.base.name, result.method, result.space, result.steps)

    def evaluate(self, **options: Any) -> dict[str, Any]:
        """Note all figures of `inversion.evaluate`, and return them. ValueError where the target is not known."""
        if self.target is None:
            raise ValueError("this result comes from a file, and its target is not known: set_target first, then load")
        if not hasattr(self.base, "generator"):
            raise ValueError("these figures are measured where the generator is: inversion.evaluate on the server")
        self.figures |= inversion.evaluate(self.target, self.result, self.base, **options)
        return dict(self.figures)


def target_of(given: object, session: GeneratorSession) -> Target:
    """What `inversion.Target.of` takes as a target; a session elsewhere makes one of pixels."""
    make = getattr(session, "target", None) or partial(inversion.Target.of, session=session)
    made: Target = make(given)
    return made


def begun(method: str, session: GeneratorSession, target: Target, settings: Mapping[str, Value]) -> Run:
    """A run, here or wherever the session is.

    Raises:
        ValueError: the method cannot be used on this generator, or a setting is out of range.
    """
    if method not in METHODS:
        raise unknown_name("inversion method", method, METHODS)
    values = METHODS[method].checked(settings)
    spec = {"kind": "inversion", "method": method, "settings": values, "target": session.put(target)}
    run: Run = session.start(spec)  # type: ignore[assignment]
    return run


def forked(source: Attempt, number: int, settings: Mapping[str, Value]) -> Attempt:
    """A second run that goes on from where another one is, with other settings.

    Raises:
        ValueError: the state cannot go on with them, because they are of another space or phase.
    """
    if source.run is None or source.target is None:
        raise ValueError("a result from a file has no state to go on from: start a new run")
    run = begun(source.method, source.base, source.target, {**source.settings, **settings})
    if source.step:
        try:
            run.restore({**source.run.state(), "settings": run.settings})
        except (ValueError, KeyError, TypeError, RuntimeError) as error:
            raise ValueError(
                f"run {source.number} cannot go on with these settings ({error}). Keep space, start and noise "
                "as they are, or start a new run"
            ) from error
        run.uses = dict(source.run.uses)
    return Attempt(number, source.base, source.target, run, note=f"fork of {source.number} at step {source.step}")


def loaded(path: Path, number: int, base: GeneratorSession, target: Target | None) -> Attempt:
    """A result that was saved. ValueError when it is of another generator.

    Args:
        target: what it is compared with, where it has as many pictures.
    """
    result = inversion.Result.load(path)
    fits = target if target is not None and len(target) == len(result) else None
    made = Attempt(number, base, fits, None, dict(result.report), f"from {path.name}", _result=result)
    made.image()  # raises when it does not fit
    return made
