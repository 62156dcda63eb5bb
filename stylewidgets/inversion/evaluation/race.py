"""Who is sooner: the fast projector against the plain schedule, and a hybrid against its parts, by time that the processor spent.

Time of the processor, not of the clock: other programs on the machine count for nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from ...session.session import GeneratorSession
from ...settings import Value
from .. import spaces
from ..catalogue import METHODS
from ..losses.perceptual import Perceptual, perceptual
from ..methods.fast import FastProjector
from ..methods.hybrid import Refinement
from ..methods.projector import Projector
from ..run import Run
from ..starting import start
from ..target import Target

_WARM = 3  # evaluations that tell how long one takes


@dataclass(frozen=True)
class Race:
    """One picture.

    Attributes:
        name: of the picture.
        net: what the distance is measured with.
        start: where the fast projector began, such as the name of an encoder.
        goal: the projector's distance after all its steps, with its fitted noise and w not perturbed.
        seconds: of those steps.
        fast_goal, fast_seconds: the fast projector's, after all its steps.
        reached: seconds until the fast one had the goal's distance, the start counted; None if it never had.
    """

    name: str
    net: str
    start: str
    goal: float
    seconds: float
    fast_goal: float
    fast_seconds: float
    reached: float | None

    @property
    def share(self) -> float | None:
        """`reached` of `seconds`."""
        return None if self.reached is None else self.reached / self.seconds


def race(
    session: GeneratorSession,
    target: object,
    *,
    net: str = "auto",
    space: str = "w",
    steps: int = 1000,
    fast_steps: int | None = None,
    **fast: Value,
) -> Iterator[Race]:
    """Invert each picture by itself with both, one after the other on the same machine.

    Args:
        target: what `Target.of` takes.
        net: the network that both minimise and are measured with.
        space: "w" or "w+", of both.
        steps: of the projector.
        fast_steps: evaluations of the fast one; None for its usual number.
        fast: other settings of the fast one.
    """
    own = dict(fast) if fast_steps is None else {**fast, "steps": fast_steps}
    targets = Target.of(target, session)
    measure = perceptual(net, session.device)
    spaces.spread(session)  # kept from now on, so that neither of them pays for it
    for i in range(len(targets)):
        one = targets[i]
        plain = Projector(session, one, net=net, space=space, steps=steps)
        began = time.process_time()
        plain.finish()
        seconds = time.process_time() - began
        goal = _distance(session, one, plain, measure)
        began, reached = time.process_time(), None
        quick = FastProjector(session, one, net=net, space=space, **own)
        while not quick.done:
            quick.advance()
            if reached is None and quick.full_size and quick.distance is not None and float(quick.distance) <= goal:
                reached = time.process_time() - began
        whole = time.process_time() - began
        yield Race(
            one.names[0],
            measure.name,
            quick.uses["start"],
            goal,
            seconds,
            _distance(session, one, quick, measure),
            whole,
            reached,
        )


@dataclass(frozen=True)
class EqualTime:
    """One picture after so many seconds: distances of what each had by then, and what it was.

    Attributes:
        name: of the picture.
        seconds: that each had.
        encoder: of the encoder, once; more time does not make it better.
        optimisation: of the hybrid's optimisation, from the mean of w.
        hybrid: of the encoder and then the optimisation, for the time that the encoder left.
        steps: of the optimisation and of the hybrid.
    """

    name: str
    seconds: float
    encoder: float
    optimisation: float
    hybrid: float
    steps: tuple[int, int]


def equal_time(
    session: GeneratorSession,
    target: object,
    seconds: float,
    *,
    encoder: str = "e4e",
    net: str = "auto",
    **settings: Value,
) -> Iterator[EqualTime]:
    """Give an optimisation in w+, and the same one from an encoder's guess, the same time for each picture.

    Args:
        target: what `Target.of` takes.
        seconds: for each picture, of the processor.
        encoder: method of the guess.
        net: the network of the loss and of the distance.
        settings: others of the method "hybrid", for both.
    """
    targets = Target.of(target, session)
    measure = perceptual(net, session.device)
    values = METHODS["hybrid"].checked({**settings, "net": net})
    spaces.spread(session)
    mean = spaces.initial(session, "w+", "mean", 1, 0)
    start(encoder, session, targets[0]).finish()  # whose file is read now
    for i in range(len(targets)):
        one = targets[i]
        began = time.process_time()
        guess = start(encoder, session, one)
        guess.finish()
        asked = time.process_time() - began
        code = spaces.convert(session, guess.code().clone(), guess.space, "w+")
        each = _seconds_per_step(session, one, values, mean)
        steps = max(1, round(seconds / each)), max(1, round((seconds - asked) / each))
        runs = [
            Refinement(session, one, {**values, "steps": n}, "w+", begin)
            for n, begin in zip(steps, (mean, code), strict=True)
        ]
        for run in runs:
            run.finish()
        far = [_distance(session, one, run, measure) for run in (guess, *runs)]
        yield EqualTime(one.names[0], seconds, far[0], far[1], far[2], steps)


def _seconds_per_step(session: GeneratorSession, target: Target, values: dict[str, Any], code: torch.Tensor) -> float:
    run = Refinement(session, target, {**values, "steps": 2 * _WARM}, "w+", code)
    run.advance()
    began = time.process_time()
    for _ in range(_WARM):
        run.advance()
    return (time.process_time() - began) / _WARM


def _distance(session: GeneratorSession, target: Target, run: Run, measure: Perceptual) -> float:
    """Of what a run found, drawn with its noise."""
    with session.lock, torch.no_grad():
        drawn = spaces.draw(session, run.code(), run.space, run.noise() or "const", run.view())
        return float(measure.distance(drawn, target.images.to(session.device)))
