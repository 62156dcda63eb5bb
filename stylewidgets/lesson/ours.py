"""The lesson's own versions of what students write, so that everybody can go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ..session.session import GeneratorSession
from .reply import Reply

Draw = Callable[[Tensor], Tensor]
Loss = Callable[[Tensor, Tensor], Tensor]


def adain(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Adaptive instance normalisation (Huang and Belongie, ICCV 2017): every map to mean 0 and deviation 1, then styled.

    Args:
        x: features [N, C, H, W].
        scale, shift: the style, [N, C].
    """
    mean, deviation = x.mean((2, 3), keepdim=True), x.std((2, 3), keepdim=True, unbiased=False)
    return scale[:, :, None, None] * (x - mean) / (deviation + 1e-8) + shift[:, :, None, None]


def loss(drawn: Tensor, target: Tensor) -> Tensor:
    """Mean squared difference of two pictures."""
    return (drawn - target).square().mean()


def search(draw: Draw, target: Tensor, w: Tensor, loss: Loss, steps: int = 60, rate: float = 0.3) -> list[Tensor]:
    """Gradient descent with Adam from w; w before the first step and after each."""
    w = w.clone().requires_grad_()
    optimiser = torch.optim.Adam([w], lr=rate)
    path = [w.detach().clone()]
    for _ in range(steps):
        value = loss(draw(w), target)
        optimiser.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        path.append(w.detach().clone())
    return path


def mend(
    picture: Tensor, error: Callable[[Tensor], float], shifts: Sequence[int] = range(-9, 10, 3)
) -> tuple[int, int]:
    """The shift (down, right) in pixels after which a picture fits the generator best."""
    every = [(down, right) for down in shifts for right in shifts]
    return min(every, key=lambda by: error(picture.roll(by, (-2, -1))))


OURS: dict[str, Callable[..., Any]] = {"adain": adain, "loss": loss, "search": search, "mend": mend}


def use(mine: Callable[..., Any], reply: Reply) -> Callable[..., Any]:
    """Your function where its check said so, else the lesson's of the same name; says which.

    Raises:
        ValueError: a function whose name is none of the exercises'.
    """
    name = getattr(mine, "__name__", "")
    if name not in OURS:
        raise ValueError(f"the exercises' functions are {', '.join(OURS)}; {name or mine!r} was given")
    print(f"from here on: {'your own' if reply else 'the lesson’s own'} {name}")  # noqa: T201  meant for the page
    return mine if reply else OURS[name]


def losses_of(session: GeneratorSession, target: Tensor, path: Sequence[Tensor], loss: Loss) -> list[float]:
    """What each step of a path costs."""
    with torch.no_grad():
        return [float(loss(session.synthesize(w), target)) for w in path]
