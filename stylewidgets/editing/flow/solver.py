"""The classical Runge–Kutta method of fourth order with a fixed number of steps: the same bits on every call."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor


def rk4(velocity: Callable[[Tensor, Tensor], Tensor], x: Tensor, start: Tensor, end: Tensor, steps: int) -> Tensor:
    """x at time `end` of dx/dt = velocity(t, x), from x at time `start`; differentiable, backwards in time as well.

    Args:
        velocity: of t, a scalar tensor, and x.
        x: any shape.
        start, end: scalar tensors.
        steps: of equal length; each calls `velocity` four times.
    """
    h = (end - start) / steps
    for i in range(steps):
        t = start + i * h
        middle = t + h / 2  # one object, so that a velocity may keep what depends on time alone
        a = velocity(t, x)
        b = velocity(middle, x + (h / 2) * a)
        c = velocity(middle, x + (h / 2) * b)
        d = velocity(t + h, x + h * c)
        x = x + (h / 6) * (a + 2 * b + 2 * c + d)
    return x
