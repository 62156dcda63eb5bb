"""InversionViewer: from a picture back to a code, watched, compared and edited."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from ...core.checks import check_int, unknown_name
from ...core.files import as_path
from ...inversion import METHODS
from ...jobs import DONE, PAUSED, RUNNING, Job, Progress
from ...latent.latent import Latent
from ...settings import Value
from ..kit import opening
from ..kit.base import StateWidget
from ..kit.errors import reporting
from ..kit.jobs import Jobs
from ..kit.source_note import NOBODY, nobody
from ..kit.state_lock import STATE
from .attempt import Attempt, begun, forked, loaded, target_of
from .code import inversion_code
from .panels import InversionPanels
from .results import title_of
from .settings import method_of
from .stage import Stage

if TYPE_CHECKING:
    from ...inversion import Result, Target
    from ...session.session import GeneratorSession
    from ..latent_explorer.explorer import LatentExplorer
    from ..style_mix_grid.grid import StyleMixGrid
    from ..style_space_probe.probe import StyleSpaceProbe

WORK = "inversion"
MEASURING_SECONDS = 2.0
"""About how long the figures of one run take."""
FIRST_ROWS = 5
"""Directions that an explorer of a result starts with."""


class InversionViewer(StateWidget[Latent]):
    """Inverts pictures step by step while the notebook stays usable, and keeps every run to compare and edit.

    Args:
        session: the generator.
        target: what `inversion.Target.of` takes: a path, an address, a PIL image, an array, a `Latent`, an item of
            `AvatarDataset`, or several. None: the generated picture of seed 1.
        method: a name of `inversion.METHODS`. None: what the card "Balanced" stands for.
        size: width of one picture in css pixels.
        settings: of the method; others have the paper's values.

    Raises:
        ValueError: an unknown method or setting, or a target that cannot be used; the text says what can.
    """

    value = traitlets.Instance(Latent)
    """The shown result as a `Latent`; the average face before there is one. Link it with the value of an explorer."""

    def __init__(
        self,
        session: GeneratorSession,
        target: object = None,
        method: str | None = None,
        *,
        size: int = 320,
        **settings: Value,
    ) -> None:
        method = method_of("Balanced", session) if method is None else method
        if method not in METHODS:
            raise unknown_name("inversion method", method, METHODS)
        METHODS[method].checked(settings)
        self._attempts: list[Attempt] = []
        self._current: Attempt | None = None
        self._target: Target | None = None
        self._target_code, self._index = "", 0
        self._showing = False
        self._stage = Stage(check_int("size", size, 32))
        self._work = Jobs(self._stage.view)
        average = session.latent(seed=0, psi=0.0)
        super().__init__(session, average, self._stage.view, self._stage.saved, "sw-inversion")
        self._panels = InversionPanels(self, self._work, method, settings)
        self.view.on_hello, self.view.on_key = self._work.hello, lambda _: self._guard(self.toggle)
        self.view.on_file = lambda name, data: self._guard(self._panels.target.take_file, name, data)
        self._begin(*self._panels.parts)
        if not nobody(session):  # a note says it otherwise
            self.set_target(session.latent(seed=1) if target is None else target)

    # -- what it shows -------------------------------------------------------------------------------------------------
    @property
    def target(self) -> Target | None:
        """The pictures to invert."""
        return self._target

    @property
    def index(self) -> int:
        """Which of them is shown."""
        return self._index

    @property
    def mask(self) -> NDArray[np.float32] | None:
        """[H, W], 1 where the next run has to match the target; None for everywhere. Assign an array to paint it."""
        return self._panels.painted(self.session.picture_size)

    @mask.setter
    def mask(self, mask: ArrayLike | None) -> None:
        self._panels.mask.inverted = False
        self._panels.mask.paint(mask)

    @property
    def runs(self) -> tuple[Attempt, ...]:
        """Every run, oldest first: `.run`, `.result`, `.figures`, `.state`, `.session(i)`, `.latent(i)`."""
        return tuple(self._attempts)

    @property
    def current(self) -> Attempt | None:
        """The shown run, None before the first."""
        return self._current

    @property
    def result(self) -> Result:
        """What the shown run has found so far, with its figures as `report`. RuntimeError before the first run."""
        return self._need().result

    @property
    def image(self) -> Image.Image:
        """The picture of the shown result, drawn now, in full size."""
        return Image.fromarray(self._need().image(self._index))

    @property
    def running(self) -> bool:
        """Whether a run goes on."""
        return self._work.busy(WORK)

    # -- target --------------------------------------------------------------------------------------------------------
    def set_target(self, target: object, code: str = "") -> None:
        """Invert something else: what `inversion.Target.of` takes. The runs of the one before leave the table.

        Args:
            code: a Python expression for it, for `code()`.
        """
        if nobody(self.session):
            raise ValueError(NOBODY)
        made = target_of(target, self.session)
        self._work.stop(WORK)
        self._target, self._index, self._attempts, self._current = made, 0, [], None
        given = repr(os.fspath(target)) if isinstance(target, str | os.PathLike) else ""
        if isinstance(target, Latent) and target == self.session.latent(seed=target.seed):
            given = f"session.latent(seed={target.seed})"
        self._target_code = code or given
        self._panels.target.show_seed(made.latents[0])
        self._panels.show_target(made.names)
        self._show_target()

    def show_picture(self, index: int) -> None:
        """Show another picture of the target; all are inverted at once."""
        target = self._target
        self._index = check_int("picture", index, 0, len(target) - 1 if target is not None else 0)
        self._show_target()

    # -- runs ----------------------------------------------------------------------------------------------------------
    def start(self, method: str | None = None, **settings: Value) -> Attempt:
        """Begin a run and return it. It goes on while the page is open; `finish` does it at once.

        Args:
            method: None takes method and settings of the controls.
            settings: of the method; for None these replace what the controls have.

        Raises:
            ValueError: the method cannot be used on this generator, or a setting is out of range.
        """
        if method is None:
            method, settings = self._panels.method.method, {**self._panels.method.settings, **settings}
        if self._target is None:
            raise ValueError(NOBODY)
        target = self._target.with_mask(self.mask)
        return self._run(Attempt(self._next, self.session, target, begun(method, self.session, target, settings)))

    def fork(self, **settings: Value) -> Attempt:
        """Begin a second run that goes on where the shown one is, with other settings; the shown one stays as it is.

        Args:
            settings: None given: those of the controls, where the method is the same.

        Raises:
            ValueError: the other settings are of another space or phase, so the state cannot go on with them.
        """
        source = self._need()
        self.pause()
        same = self._panels.method.method == source.method
        given = settings or (self._panels.method.settings if same else {})
        return self._run(forked(source, self._next, given))

    def resume(self) -> None:
        """Go on with the shown run. Nothing happens when it is done."""
        attempt = self._need()
        if attempt.run is not None and not attempt.run.done and not self.running:
            self._show_current()
            self._go_on(attempt)

    def pause(self) -> None:
        """Let the run stand still; `resume` goes on with exactly the next step."""
        self._work.stop(WORK)

    def toggle(self) -> None:
        """Pause, or go on."""
        (self.pause if self.running else self.resume)()

    def stop(self) -> None:
        """End the run here; what it has found stays."""
        run = self._need().run
        self._work.stop(WORK)
        if run is not None and run.status == PAUSED:
            run.stop()
        self._panels.refresh()

    def finish(self) -> Result | None:
        """Do all steps that are left now, and return the result: for scripts, where no page ticks."""
        if self._current is not None and not self.running:
            self.resume()
        self._work.finish()
        return None if self._current is None else self.result

    def select(self, attempt: Attempt) -> None:
        """Show another run, and bring method and settings back to the controls. One that goes on is paused."""
        if attempt not in self._attempts:
            raise ValueError(f"run {attempt.number} is not in the table any more")
        if attempt is not self._current:
            self.pause()
        self._current = attempt
        if attempt.method in METHODS:
            self._panels.method.choose(attempt.method, attempt.settings)
        self._show_current()

    def remove(self) -> None:
        """Take the shown run out of the table."""
        attempt = self._need()
        self.pause()
        self._attempts.remove(attempt)
        self._current = self._attempts[-1] if self._attempts else None
        self._show_current()

    # -- looking back, measuring -----------------------------------------------------------------------------------------
    def scrub(self, frame: int | None) -> None:
        """Show a step on the way, number `frame` of those that were kept; None for the result itself."""
        attempt = self._need()
        if frame is None or attempt.run is None:
            self._show_current()
            return
        kept = attempt.run.frames[frame]
        self._stage.show_result(kept.pictures[self._index], f"step {kept.step}")
        self._set_value(kept.latent(attempt.run.space, self._index))

    def evaluate(self, **options: Any) -> dict[str, Any]:
        """The figures of `inversion.evaluate` for the shown run; they go into the table and into `result.report`."""
        return self._measure(self._need(), **options)

    def measure_all(self) -> None:
        """Measure every run that has done a step, one after the other."""
        attempts = [a for a in self._attempts if a.step and a.target is not None and a.state != RUNNING]

        def measuring() -> Job[None]:
            for done, attempt in enumerate(attempts):
                yield Progress(done, len(attempts), indivisible=MEASURING_SECONDS)
                self._measure(attempt)

        self._work.run("measuring", measuring())

    def _measure(self, attempt: Attempt, **options: Any) -> dict[str, Any]:
        figures = attempt.evaluate(**options)
        self._panels.refresh()
        return figures

    # -- where it goes ---------------------------------------------------------------------------------------------------
    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write code, noise, parameter changes, settings, history and figures of the shown run to one .safetensors file."""
        return self.result.save(path)

    def explorer(self, **options: Any) -> LatentExplorer:
        """A new `LatentExplorer` of the shown result, on a generator with its fitted noise and parameters."""
        session, value = self._shown_session(), self.value
        for direction in list(session.directions.values())[:FIRST_ROWS]:
            value = value.with_edit(direction, 0.0, direction.layers)
        return opening.explorer(session, value, **options)

    def grid(self, **options: Any) -> StyleMixGrid:
        """A new `StyleMixGrid` whose first row is the shown result."""
        return opening.grid(self._shown_session(), self.value, **options)

    def probe(self, **options: Any) -> StyleSpaceProbe:
        """A new `StyleSpaceProbe` of the shown result."""
        return opening.probe(self._shown_session(), self.value, **options)

    def load(self, path: str | os.PathLike[str]) -> Attempt:
        """Show a result that `save` wrote, as another row of the table. ValueError when it does not fit."""
        attempt = loaded(as_path(path), self._next, self.session, self._target)
        self._attempts.append(attempt)
        self.select(attempt)
        return attempt

    def code(self) -> str:
        """Return lines of Python that repeat the shown run."""
        return inversion_code(self.session, self._current, self._target_code)

    # -- wiring --------------------------------------------------------------------------------------------------------
    def _words(self) -> str:
        return f"{len(self._attempts)} runs"

    @property
    def _next(self) -> int:
        return 1 + max((attempt.number for attempt in self._attempts), default=0)

    def _end(self) -> None:
        self._work.close()
        self.view.forget()
        self._panels.close()

    def _run(self, attempt: Attempt) -> Attempt:
        self.pause()
        self._attempts.append(attempt)
        self._current = attempt
        self._panels.method.choose(attempt.method, attempt.settings)
        self.resume()
        return attempt

    def _go_on(self, attempt: Attempt) -> None:
        run = attempt.run
        assert run is not None

        def stepped() -> None:
            if attempt is self._current and (drawn := self._stage.show_live(run, self._index)) is not None:
                attempt.look(drawn)
                self._panels.progress(attempt)

        run.resume()
        self._panels.refresh()
        self._work.run(WORK, run, words=title_of(attempt), stoppable=False, kept=True, each=stepped,
                       ended=lambda: self._settle(attempt))  # fmt: skip

    def _settle(self, attempt: Attempt) -> None:
        """A run came to rest."""
        if self._closed or attempt not in self._attempts:
            return
        with reporting(self.view, "showing the result", keep=True):
            if attempt.step:
                attempt.measure(self._index, attempt.image(self._index))
            self._show_current() if attempt is self._current else self._panels.refresh()
            if attempt is self._current and attempt.state == DONE:
                self._stage.compare()
        if attempt.step:
            done = lambda _: self._panels.refresh()  # noqa: E731
            self._work.run(f"realism of {attempt.number}", attempt.measuring_realism(), done, quiet=True)

    def _show_target(self) -> None:
        assert self._target is not None
        picture = self._target.pixels(self._index)
        self._panels.show_picture(picture)
        self._stage.show_target(picture, self._target.names[self._index])
        self._show_current()

    def _show_current(self) -> None:
        """Picture, value and controls of the shown run as it is now."""
        attempt = self._current
        if attempt is None or not attempt.step:
            self._stage.show_result(self.session.image(self.session.latent(seed=0, psi=0.0)), "the average face")
            self._set_value(self.session.latent(seed=0, psi=0.0))
        else:
            i = min(self._index, len(attempt.result) - 1)
            self._stage.show_result(attempt.image(i), f"result of run {attempt.number}, step {attempt.step}")
            self._set_value(attempt.latent(i))
        self._panels.refresh()

    def _set_value(self, latent: Latent) -> None:
        with STATE:
            outer, self._showing = self._showing, True
            try:
                self.value = latent
            finally:
                self._showing = outer

    def _follow(self, old: Latent, new_step: bool) -> None:
        if not self._showing:  # assigned from outside, by a cell or a linked widget
            picture = lambda value=self.value: self._shown_session().image(value)  # noqa: E731
            STATE.afterwards((id(self), "picture"), lambda: self._stage.show_result(picture(), "changed outside"))

    def _shown_session(self) -> GeneratorSession:
        attempt = self._current
        if attempt is None or not attempt.step:
            return self.session
        return attempt.session(min(self._index, len(attempt.result) - 1))

    def _need(self) -> Attempt:
        if self._current is None:
            raise RuntimeError("there is no run yet: viewer.start() begins one")
        return self._current
