"""Run: one inversion under way. A script, a notebook's clock and a test drive it alike."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .. import jobs
from ..core.pixels import fit
from ..jobs import Job, Progress
from ..latent.view import IDENTITY, View
from ..session.session import GeneratorSession
from ..session.synthesis import to_uint8
from .result import Frame, Result
from .target import Target

KEPT_FRAMES = 32
FRAME_SIZE = 128


LOADING_SECONDS = 2.0
"""About how long it takes to read the networks of a loss and what else a method prepares."""


class Run(jobs.Run[Result], ABC):
    """Base of every method. Making one does no work; each `advance` does one step; `result` is valid after any of them.

    Iterating over it reports more often: what has to be loaded is a step of its own. `Progress` has the terms of a step by
    name, mean over the pictures; "loss" is what is minimised.

    Subclasses implement `_advance`, `code`, and `_state` / `_restore`; `noise` and `delta` where they have such; `_lacks` and
    `_prepare` where networks are to be loaded.

    Args:
        session: the generator. It is locked during a step only.
        target: the pictures.
        method: name of the method.
        settings: all its settings, plain JSON values.
        total: steps planned.

    Attributes:
        space: "w", "w+" or "s", the space of `code()`.
        history: terms of every step.
        seconds: time spent in steps.
        uses: names of what the losses measure with, such as {"perceptual": "lpips-vgg"}; for the report.
        plain: whether method, settings and target say all, as they do of what `start` made; then the run has a `spec`.
    """

    space = "w+"
    plain = False

    def __init__(
        self, session: GeneratorSession, target: Target, method: str, settings: Mapping[str, Any], total: int
    ) -> None:
        super().__init__(self._steps(), again=self._steps)
        self.session, self.target, self.method = session, target, method
        self.settings = dict(settings)
        self.total, self.step, self.seconds = total, 0, 0.0
        self.history: list[dict[str, float]] = []
        self.uses: dict[str, str] = {}
        self.frames: list[Frame] = []
        self._drawn: Tensor | None = None
        self._gap = 1

    # -- to implement --------------------------------------------------------------------------------------------------
    @abstractmethod
    def _advance(self) -> dict[str, float]:
        """One step; leaves the pictures it drew, [N, 3, H, W], in `self._drawn`."""

    @abstractmethod
    def code(self) -> Tensor:
        """The code now, detached: w [N, w_dim], w+ [N, num_ws, w_dim] or s [N, channels of all layers]."""

    def noise(self) -> list[Tensor] | None:
        """Noise pictures, [N, 1, H, W] per layer with noise, where the method fits them."""
        return None

    def delta(self) -> dict[str, Tensor] | None:
        """What is added to parameters of the generator, by name, where the method tunes them."""
        return None

    def cameras(self) -> Tensor | None:
        """Yaw, pitch and roll of cameras, [N, 3] in degrees, where the method looks for them."""
        return None

    def view(self) -> View | Tensor:
        """What its pictures are seen from."""
        found = self.cameras()
        return IDENTITY if found is None else found

    @abstractmethod
    def _state(self) -> dict[str, Any]:
        """Tensors and plain values that `_restore` needs to go on exactly: variables, optimiser, random state."""

    @abstractmethod
    def _restore(self, state: dict[str, Any]) -> None:
        """The inverse of `_state`, on a run just made with the same settings."""

    def _lacks(self) -> bool:
        """Whether `_prepare` has something to do before the next step."""
        return False

    def _prepare(self) -> None:
        """Make what the next step needs."""

    # -- to use --------------------------------------------------------------------------------------------------------
    @property
    def done(self) -> bool:
        """Whether all steps are done."""
        return self.step >= self.total

    def advance(self) -> Progress:
        """Do one step. An interrupt in the middle leaves the run at the step before or after, never between."""
        if self.done:
            raise RuntimeError(f"this inversion has done all its {self.total} steps")
        before, progress = self.step, self.progress
        while self.step == before:
            progress = super().advance()
        if self.done:
            for _ in self:  # the end of its job
                pass
        return progress

    def finish(self, callback: Callable[[Progress], object] | None = None) -> Result:
        """Do the steps that are left; `callback` after each may raise to stop (the run can go on later)."""
        while not self.done:
            progress = self.advance()
            if callback is not None:
                callback(progress)
        return self.result()

    def picture(self) -> Tensor | None:
        """Pictures of the last step, [N, 3, H, W] on the CPU; None before the first."""
        return None if self._drawn is None else self._drawn.detach().float().cpu()

    def pixels(self, i: int = 0) -> NDArray[np.uint8] | None:
        """The i-th picture of the last step, uint8 [H, W, 3]; None before the first."""
        return None if self._drawn is None else to_uint8(self._drawn[i : i + 1])[0]

    def result(self) -> Result:
        """What is reached so far."""
        noise, delta, cameras = self.noise(), self.delta(), self.cameras()
        return Result(
            method=self.method,
            space=self.space,
            code=_array(self.code()),
            settings=dict(self.settings),
            names=self.target.names,
            steps=self.step,
            seconds=self.seconds,
            history=tuple(self.history),
            uses=dict(self.uses),
            noise=None if noise is None else tuple(_array(n) for n in noise),
            delta=None if delta is None else {name: _array(d) for name, d in delta.items()},
            cameras=None if cameras is None else _array(cameras),
            generator=self.session.name,
            frames=tuple(self.frames),
        )

    def state(self) -> dict[str, Any]:
        """Everything to go on later, in another process too: see `inversion.save_run` and `inversion.resume`."""
        return {
            "method": self.method,
            "settings": self.settings,
            "step": self.step,
            "seconds": self.seconds,
            "history": list(self.history),
            "inner": self._state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to a `state` of a run of the same method, settings, generator and target."""
        if state["method"] != self.method or dict(state["settings"]) != self.settings:
            raise ValueError(
                f"the state is of {state['method']} with {dict(state['settings'])}; "
                f"this run is {self.method} with {self.settings}"
            )
        self._restore(state["inner"])
        self.step, self.seconds = int(state["step"]), float(state["seconds"])
        self.history = [dict(terms) for terms in state["history"]]

    @property
    def spec(self) -> dict[str, Any] | None:
        """What `session.start` makes the same run of; None where a function of its own made it. Its target becomes known."""
        if not self.plain:
            return None
        target = self.session.put(self.target)
        return {"kind": "inversion", "method": self.method, "settings": dict(self.settings), "target": target}

    # -- inside --------------------------------------------------------------------------------------------------------
    def _steps(self) -> Job[Result]:
        while not self.done:
            if self._lacks():
                yield Progress(self.step, self.total, "loading what it measures with", indivisible=LOADING_SECONDS)
                with self._timed():
                    self._prepare()
                yield Progress(self.step, self.total)
            with self._timed():
                terms = {name: float(value) for name, value in self._advance().items()}
                self.step += 1
                self.history.append(terms)
            self._film()
            yield Progress(self.step, self.total, terms=terms)
        return self.result()

    @contextmanager
    def _undone(self) -> Iterator[None]:
        """What fails or is interrupted inside, in the middle of Adam too, leaves the state of before."""
        before = self._state()
        try:
            yield
        except BaseException:
            self._restore(before)
            raise

    @contextmanager
    def _timed(self) -> Iterator[None]:
        began = time.perf_counter()
        with self.session.lock, torch.inference_mode(False), torch.enable_grad():
            yield
        self.seconds += time.perf_counter() - began

    def _film(self) -> None:
        """Keep this step's picture for the strip; when there are too many, every second goes."""
        if self._drawn is None or (self.step % self._gap and not self.done and self.step != 1):
            return
        small = np.stack([fit(picture, FRAME_SIZE) for picture in to_uint8(self._drawn)])
        cameras = self.cameras()
        seen = None if cameras is None else _array(cameras)
        self.frames.append(Frame(self.step, small, _array(self.code()).astype(np.float16), seen))
        if len(self.frames) > KEPT_FRAMES:
            self._gap *= 2
            self.frames = [f for f in self.frames if f.step == 1 or f.step % self._gap == 0]


def _array(tensor: Tensor) -> NDArray[np.float32]:
    return np.array(tensor.detach().float().cpu().numpy())
