"""Exercises on the loss and on the search that follows its slope."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...latent.latent import Latent
from ...latent.move import moves
from .. import ours
from ..reading import listed, number, word
from ..reply import Reply, Unreadable, check, hint, right

NEAR = 0.5
"""σ by which a slider that was found by eye may be off."""
ENOUGH = 1.1
"""A curve that ends within a tenth of the lowest is as good as that one."""
STEPS, RATE = 12, 0.1


@check
def by_hand(answer: object, hidden: Latent) -> Reply:
    """A latent whose sliders were set by eye, or the widget that has it.

    Args:
        hidden: the one to find; edits that it has count.
    """
    value = getattr(answer, "value", answer)
    if not isinstance(value, Latent):
        raise Unreadable("a Latent is asked for: by_hand.value")
    wrong = []
    for move in moves(hidden):
        off = next((m.strength for m in moves(value) if m.name == move.name), 0.0) - move.strength
        if abs(off) > NEAR:
            wrong.append(f"{move.name} is too {'high' if off > 0 else 'low'} by {abs(off):.1f} σ")
    return hint("; ".join(wrong)) if wrong else right("right: you have inverted a picture")


@check
def loss(answer: Callable[..., Any]) -> Reply:
    """A function (drawn, target), both [1, 3, H, W] → their mean squared difference, a tensor that keeps the slope."""
    if not callable(answer):
        return hint("a function is asked for: loss itself, without brackets after it")
    source = torch.Generator("cpu").manual_seed(3)
    drawn, target = (
        torch.rand(1, 3, 6, 5, generator=source, dtype=torch.float32, device="cpu") * 2 - 1 for _ in range(2)
    )
    drawn.requires_grad_()
    try:
        made = answer(drawn, target)
    except Exception as error:  # noqa: BLE001  whatever a student's line raises is shown
        return hint(f"it stops with {type(error).__name__}: {error}")
    if made is None or made is ...:
        return Reply(False, "not answered yet")
    if isinstance(made, Tensor) and made.numel() > 1:
        return hint("one number is asked for, and this is one for each pixel: take the mean over all of them")
    away = (drawn - target).detach()
    return _like_loss(made, away)


def _like_loss(made: Any, away: Tensor) -> Reply:
    try:
        value = float(made.detach() if isinstance(made, Tensor) else made)
    except (TypeError, ValueError):
        return hint(f"a number is asked for; a {type(made).__name__} came back")

    def near(other: Tensor) -> bool:
        return abs(value - float(other)) < 1e-4 * max(1.0, abs(float(other)))

    squares = away.square()
    if near(squares.mean()):
        if isinstance(made, Tensor) and made.requires_grad:
            return right("right: 0 for the same picture, and more the further off")
        return hint(
            "the number is right, but it is a plain one and its slope is lost: leave out .item(), float() or no_grad()"
        )
    if near(away.mean()) or near(-away.mean()):
        return hint("too bright here and too dark there cancel each other: square the differences before the mean")
    if near(squares.sum()):
        return hint("the mean, not the sum: else a larger picture costs more for its size alone")
    if near(squares.mean().sqrt()):
        return hint("without the root: the mean of the squares")
    if near(away.abs().mean()):
        return hint("that is the mean amount, a fine loss, but here the differences are squared")
    if near(-squares.mean()):
        return hint("the sign: it must grow with the difference")
    return hint(
        f"for two pictures whose differences squared are {float(squares.mean()):.3f} in the mean it says {value:.3f}"
    )


@check
def search(answer: Callable[..., Any]) -> Reply:
    """A function (draw, target, w, loss, steps, rate) → the path, w before the first step and after each."""
    if not callable(answer):
        return hint("a function is asked for: search itself, without brackets after it")
    source = torch.Generator("cpu").manual_seed(11)
    matrix = torch.randn(3, 48, generator=source, dtype=torch.float32, device="cpu")
    target = torch.tanh(torch.randn(1, 3, generator=source, dtype=torch.float32, device="cpu") @ matrix).reshape(
        1, 3, 4, 4
    )
    start = torch.zeros(1, 3, dtype=torch.float32, device="cpu")
    asked: list[bool] = []

    def draw(w: Tensor) -> Tensor:
        if w.requires_grad:
            w.register_hook(lambda slope: asked.append(True))  # type: ignore[no-untyped-call]
        return torch.tanh(w @ matrix).reshape(1, 3, 4, 4)

    try:
        path = answer(draw, target, start.clone(), ours.loss, STEPS, RATE)
    except Exception as error:  # noqa: BLE001  whatever a student's line raises is shown
        return hint(f"it stops with {type(error).__name__}: {error}")
    if path is None or path is ...:
        return hint("it returns nothing: the last line is `return path`")
    if not isinstance(path, (list, tuple)) or len(path) != STEPS + 1 or not all(isinstance(w, Tensor) for w in path):
        return hint(f"the path has w before the first step and after each: {STEPS + 1} tensors for {STEPS} steps")
    moved, slope = [w.detach().reshape(1, 3) for w in path], bool(asked)
    return _like_search(moved, ours.search(draw, target, start, ours.loss, STEPS, RATE), slope, draw, target)


def _like_search(path: list[Tensor], wanted: list[Tensor], asked: bool, draw: ours.Draw, target: Tensor) -> Reply:
    if max(float((w - path[0]).norm()) for w in path) == 0:
        if not asked:
            return Reply(
                False, "not answered yet: w does not move, since nothing asks for its slope (value.backward())"
            )
        if float((path[-1] - wanted[0]).norm()) > 0:
            return hint("every entry of the path is the same tensor: append w.detach().clone()")
        return hint("the slope is there, but w does not move: the optimiser must take its step")
    if all(torch.allclose(a, b, atol=1e-4) for a, b in zip(path, wanted, strict=True)):
        return right("right: slope, step, and again")
    first, last = (float(ours.loss(draw(w), target)) for w in (path[0], path[-1]))
    if last > first:
        return hint(f"the loss rises, from {first:.2f} to {last:.2f}: the step must go down the slope")
    if all(torch.allclose(a, b, atol=1e-4) for a, b in zip(path, _gathering(wanted[0], draw, target), strict=True)):
        return hint("the slopes of all earlier steps add up: forget them (optimiser.zero_grad()) before each new one")
    if last < 0.5 * first:
        return right("right: another way down than ours, and it goes down")
    return hint(f"it moves, but {STEPS} steps bring the loss only from {first:.2f} to {last:.2f}")


def _gathering(w: Tensor, draw: ours.Draw, target: Tensor) -> list[Tensor]:
    """The path of a search that never forgets a slope."""
    w = w.clone().requires_grad_()
    optimiser, path = torch.optim.Adam([w], lr=RATE), [w.detach().clone()]
    for _ in range(STEPS):
        ours.loss(draw(w), target).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        path.append(w.detach().clone())
    return path


@check
def rate(answer: object, losses: Mapping[float, Sequence[float]]) -> Reply:
    """The learning rate whose curve ends lowest.

    Args:
        losses: by rate.
    """
    given = number(answer)
    chosen = min(losses, key=lambda one: abs(np.log(one) - np.log(max(given, 1e-12))))
    if abs(chosen - given) > 0.02 * chosen:
        raise Unreadable(f"{given:g} is none of the rates; they are {listed(sorted(losses))}")
    ends = {one: _end(values) for one, values in losses.items()}
    if ends[chosen] <= ENOUGH * min(ends.values()):
        return right()
    side = "larger" if min(ends, key=ends.__getitem__) > chosen else "smaller"
    return hint(f"with rate {chosen:g} it ends at {ends[chosen]:.3g}, and with a {side} one lower")


@check
def overshoot(answer: object, losses: Mapping[float, Sequence[float]]) -> Reply:
    """What goes wrong at the largest rate: "slow", "jumps" or "nothing".

    Args:
        losses: by rate.
    """
    also = {
        "jump": "jumps",
        "jumping": "jumps",
        "leaps": "jumps",
        "overshoots": "jumps",
        "too slow": "slow",
        "none": "nothing",
    }
    given = word(answer, ("slow", "jumps", "nothing"), also)
    largest = losses[max(losses)]
    ends = [_end(values) for values in losses.values()]
    if _end(largest) <= ENOUGH * min(ends):
        true, why = "nothing", "its curve ends as low as the best"
    elif max(largest) > 1.1 * largest[0] or np.mean(np.diff(largest) > 0) > 0.2:
        true, why = "jumps", "its curve goes up as well as down"
    else:
        true, why = "slow", "its curve goes down all the time, and not far"
    return right() if given == true else hint(f"not {given!r}: look at the curve of rate {max(losses):g}; {why}")


def _end(values: Sequence[float]) -> float:
    """What a curve ends at: the middle of its last three values, since one may be a jump."""
    return float(np.median(values[-3:]))
