"""Who is sooner at the projector's distance: the fast projector against the plain schedule, by time that the processor spent."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from . import spaces
from .fast import FastProjector
from .perceptual import perceptual
from .projector import Projector
from .target import Target

if TYPE_CHECKING:
    from ..session import GeneratorSession


@dataclass(frozen=True)
class Race:
    """One picture.

    Attributes:
        name: of the picture.
        net: what the distance is measured with.
        goal: the projector's distance after all its steps, with its fitted noise and w not perturbed.
        seconds: of those steps.
        fast_goal, fast_seconds: the fast projector's, after all its steps.
        reached: seconds until the fast one had the goal's distance; None if it never had.
    """

    name: str
    net: str
    goal: float
    seconds: float
    fast_goal: float
    fast_seconds: float
    reached: float | None

    @property
    def share(self) -> float | None:
        """`reached` of `seconds`."""
        return None if self.reached is None else self.reached / self.seconds


def race(session: GeneratorSession, target: Any, *, net: str = "auto", space: str = "w", steps: int = 1000,
         **fast: Any) -> list[Race]:
    """Invert each picture by itself with both, one after the other on the same machine.

    Args:
        target: what `Target.of` takes.
        net: the network that both minimise and are measured with.
        space: "w" or "w+", of both.
        steps: of the projector.
        fast: settings of the fast one.
    """
    targets = Target.of(target, session)
    measure = perceptual(net, session.device)
    rows = []
    for i in range(len(targets)):
        one = targets[i]
        plain = Projector(session, one, net=net, space=space, steps=steps)
        began = time.process_time()
        plain.finish()
        seconds = time.process_time() - began
        with session.lock, torch.no_grad():
            drawn = spaces.draw(session, plain.code(), space, plain.noise() or "const")
            goal = float(measure.distance(drawn, one.images.to(session.device)))
        quick = FastProjector(session, one, net=net, space=space, **fast)
        reached, began = None, time.process_time()
        while not quick.done:
            quick.advance()
            if reached is None and quick.full_size and quick.losses is not None and float(quick.losses) <= goal:
                reached = time.process_time() - began
        rows.append(Race(one.names[0], measure.name, goal, seconds, float(quick.losses if quick.losses is not None else "nan"),
                         time.process_time() - began, reached))
    return rows
