"""Answers are read as students write them, and every exercise knows right from wrong and says where to look."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stylewidgets.latent.direction import Direction
from stylewidgets.latent.latent import Latent
from stylewidgets.lesson import checks, ours
from stylewidgets.lesson.mending import Broken
from stylewidgets.lesson.notebook import SOURCES
from stylewidgets.lesson.reading import number, several, word, words
from stylewidgets.lesson.reply import Reply, Unreadable
from stylewidgets.lesson.tradeoff import Measured, Ratio

HIDDEN = Latent(seed=1).with_edit(Direction("smile", np.ones(4, np.float32)), -2.0)
LIT = frozenset(("styles", "layers", "picture"))
RATES = {0.001: [1.0, 0.99, 0.98, 0.97], 0.1: [1.0, 0.3, 0.2, 0.1], 9.0: [1.0, 3.0, 0.5, 2.0]}
SPACES = {"w": {"mse": 0.2, "realism": 2.0}, "w+": {"mse": 0.1, "realism": 3.0}}
LESS, MORE, OPEN = Ratio(0.7, 0.6, 0.8, 1, 10), Ratio(1.5, 1.2, 1.9, 9, 10), Ratio(1.0, 0.8, 1.2, 5, 10)
TABLE = Measured(
    "", {"W": {"outside": {"a": {"mse": 2.0, "smile": 0.5}}}, "W+": {"outside": {"a": {"mse": 1.0, "smile": 2.0}}}}
)
ERRORS = [1.0, 0.5, 0.4, 0.395, 0.41]
GOOD, ODD = list(np.linspace(1.5, 2.6, 20)), list(np.linspace(3.5, 6.0, 20))


class Spot(Broken):
    """A bright spot; the error is how far it is from the middle."""

    def error(self, picture: torch.Tensor) -> float:
        place = picture[0, 0].argmax().item()
        return float(np.hypot(place // 32 - 16, place % 32 - 16))


def spot(down: int, right: int) -> Spot:
    picture = torch.full((1, 3, 32, 32), -1.0)
    picture[:, :, 16, 16] = 1
    return Spot(None, picture.roll((down, right), (2, 3)), (-down, -right))


BROKEN = [spot(8, -4), spot(-8, 10)]


def without(line: str) -> Callable[..., Any]:
    """The lesson's search with one of its lines left out."""
    given = {"zero": "optimiser.zero_grad()", "slope": "value.backward()", "step": "optimiser.step()"}
    text = """
def search(draw, target, w, loss, steps=60, rate=0.05):
    w = w.clone().requires_grad_()
    optimiser = torch.optim.Adam([w], lr=rate)
    path = [w.detach().clone()]
    for _ in range(steps):
        value = loss(draw(w), target)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        path.append(w.detach().clone())
    return path
""".replace(given[line], "pass")
    names: dict[str, Any] = {"torch": torch}
    exec(text, names)  # noqa: S102  the text is above
    return names["search"]  # type: ignore[no-any-return]


def uphill(draw, target, w, loss, steps, rate):
    return ours.search(draw, target, w, lambda a, b: -loss(a, b), steps, rate)


def aliased(draw, target, w, loss, steps, rate):
    w = w.clone().requires_grad_()
    optimiser = torch.optim.Adam([w], lr=rate)
    path = [w]
    for _ in range(steps):
        optimiser.zero_grad()
        loss(draw(w), target).backward()
        optimiser.step()
        path.append(w)
    return path


def normal(x):
    return (x - x.mean((2, 3), keepdim=True)) / x.std((2, 3), keepdim=True)


def wide(style):
    return style[:, :, None, None]


def grid(picture, error, keep: Callable[[float, float], bool] = lambda now, best: now < best, sign: int = 1):
    best, smallest = (0, 0), error(picture)
    for down in range(-10, 11, 2):
        for right in range(-10, 11, 2):
            now = error(picture.roll((down, right), (2, 3)))
            if keep(now, smallest):
                best, smallest = (sign * down, sign * right), now
    return best


CASES: dict[str, tuple[list[Any], list[Any], tuple[Any, ...]]] = {
    "stations": (
        [{"styles", "layers", "picture"}, ["Picture", "layer", "Style"], "styles, layers and picture"],
        [{"z", "w", "styles", "layers", "picture"}, {"picture"}, "the eyes"],
        (LIT,),
    ),
    "adain": (
        [ours.adain, lambda x, a, b: wide(a) * normal(x) + wide(b)],
        [
            lambda x, a, b: wide(a) * normal(x),
            lambda x, a, b: wide(a) * x + wide(b),
            lambda x, a, b: a * normal(x) + b,
            lambda x, a, b: wide(a) * (x - x.mean((2, 3), keepdim=True)) + wide(b),
            lambda x, a, b: wide(a) * (x - x.mean()) / x.std() + wide(b),
        ],
        (),
    ),
    "by_hand": (
        [HIDDEN, Latent(seed=1).with_edit(Direction("smile", np.ones(4, np.float32)), -1.7)],
        [Latent(seed=1), Latent(seed=1).with_edit(Direction("smile", np.ones(4, np.float32)), 2.0), 5],
        (HIDDEN,),
    ),
    "loss": (
        [ours.loss, torch.nn.functional.mse_loss, lambda a, b: torch.mean((b - a) ** 2)],
        [
            lambda a, b: (a - b).mean(),
            lambda a, b: ((a - b) ** 2).sum(),
            lambda a, b: ((a - b) ** 2).mean().item(),
            lambda a, b: (a - b) ** 2,
            lambda a, b: ((a - b) ** 2).mean().sqrt(),
            lambda a, b: (a - b).abs().mean(),
            lambda a, b: a @ b,
        ],
        (),
    ),
    "search": (
        [ours.search],
        [without("zero"), without("slope"), without("step"), uphill, aliased, lambda *_: None],
        (),
    ),
    "rate": ([0.1, "0.1", "0,1", [0.1]], [0.001, 9, 5], (RATES,)),
    "overshoot": (["jumps", "Jumps", "it jumps!"[3:], "overshoots"], ["slow", "nothing", "explodes"], (RATES,)),
    "spaces": ([("w+", "w+"), ["W plus", "w+"], "w+, w+"], [("w", "w"), ("w+", "w"), "w+"], (SPACES,)),
    "passes": ([3, "3", 3.0], [1, 5, "many"], (ERRORS,)),
    "mend": (
        [grid, ours.mend, (-8, 4), [-8.0, 4]],
        [
            lambda picture, error: grid(picture, error, lambda now, best: now > best),
            lambda picture, error: grid(picture, error, sign=-1),
            lambda picture, error: (0, 0),
            (4, -8),
            3,
        ],
        (BROKEN,),
    ),
    "threshold": ([3, "3.0", lambda r: r > 3], [2, 5, lambda r: r < 3, "high"], (GOOD, ODD)),
    "better": (["w+", "W+", "wplus"], ["w", "cannot tell", "s"], (LESS,)),
    "purpose": ([("W+", "W"), ["w+", "w"]], [("W", "W+"), ("W+", "W+"), ("PTI", "W"), "W"], (TABLE,)),
}


@pytest.mark.parametrize("name", CASES)
def test_right_answers_are_right_in_whatever_form_they_are_written(name: str) -> None:
    right, _, about = CASES[name]
    replies = [getattr(checks, name)(answer, *about) for answer in right]
    assert [repr(reply) for reply in replies if not reply] == []
    assert all(repr(reply).startswith("✓") for reply in replies)


@pytest.mark.parametrize("name", CASES)
def test_three_wrong_answers_each_get_a_hint_of_their_own(name: str) -> None:
    _, wrong, about = CASES[name]
    replies = [getattr(checks, name)(answer, *about) for answer in wrong]
    assert len(wrong) >= 3 and not any(replies)
    texts = [reply.text for reply in replies]
    assert len(set(texts)) == len(texts), texts
    assert all(len(text) > 25 and "✓" not in text for text in texts)


@pytest.mark.parametrize("name", CASES)
def test_what_is_not_filled_in_is_open_and_not_wrong(name: str) -> None:
    about = CASES[name][2]
    for nothing in (None, ..., (None, None), {...}, " "):
        assert repr(getattr(checks, name)(nothing, *about)) == "not answered yet"


@pytest.mark.parametrize("name", ["adain", "loss", "mend"])
def test_a_function_that_still_has_its_dots_is_open(name: str) -> None:
    reply = getattr(checks, name)(lambda *_: ..., *CASES[name][2])
    assert repr(reply) == "not answered yet"


def test_every_check_has_answers_here_and_a_place_in_the_lesson() -> None:
    assert set(CASES) == set(checks.__all__)
    text = "".join(path.read_text(encoding="utf-8") for path in SOURCES.values())
    assert set(re.findall(r"checks\.(\w+)\(", text)) == set(CASES)


@pytest.mark.parametrize(
    ("ratio", "truth", "others"),
    [(LESS, "w+", ("w", "cannot tell")), (MORE, "W", ("w+", "neither")), (OPEN, "can't tell", ("w", "w+"))],
)
def test_which_is_better_goes_by_the_interval(ratio: Ratio, truth: str, others: tuple[str, str]) -> None:
    assert checks.better(truth, ratio)
    assert not any(checks.better(other, ratio) for other in others)


def test_a_largest_rate_that_is_merely_slow_is_told_from_one_that_jumps() -> None:
    slow = {0.1: [1.0, 0.2, 0.1, 0.1], 0.2: [1.0, 0.9, 0.85, 0.8]}
    assert checks.overshoot("slow", slow) and not checks.overshoot("jumps", slow)
    good = {0.1: [1.0, 0.9, 0.8, 0.7], 0.2: [1.0, 0.3, 0.2, 0.1]}
    assert checks.overshoot("nothing", good) and not checks.overshoot("jumps", good)


def test_words_are_read_in_any_case_with_any_signs_and_small_slips() -> None:
    assert word(" 'Jumps' ", ("slow", "jumps")) == "jumps"
    assert word("jmups"[:1] + "umps", ("slow", "jumps")) == "jumps"
    assert word("W-plus", ("w", "w+")) == "w+"
    assert words("w → styles", ("z", "w", "styles")) == {"w", "styles"}
    with pytest.raises(Unreadable, match="'slow' or 'jumps'"):
        word("x", ("slow", "jumps"))
    with pytest.raises(Unreadable, match="is none"):
        word(5, ("w", "w+"))


def test_numbers_are_read_as_people_write_them() -> None:
    assert [number(given) for given in (5, "5", "0,5", " −2", np.float32(3), torch.tensor(4.0), (7,))] == [
        5,
        5,
        0.5,
        -2,
        3,
        4,
        7,
    ]
    for nonsense in ("five", float("nan"), None, [1, 2]):
        with pytest.raises(Unreadable):
            number(nonsense)
    assert several("a; b", 2) == ["a", " b"] and several({"x": 1, "y": 2}, 2) == [1, 2]
    with pytest.raises(Unreadable, match="2 answers"):
        several("a", 2)


def test_a_check_that_fails_lets_the_lessons_own_version_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    def loss(drawn, target):
        return (drawn - target).mean()

    assert ours.use(loss, checks.loss(loss)) is ours.loss
    assert "the lesson’s own loss" in capsys.readouterr().out
    assert ours.use(ours.loss, Reply(True, "right")) is ours.loss
    with pytest.raises(ValueError, match="adain, loss, search, mend"):
        ours.use(lambda: 0, Reply(True, "right"))


def test_the_text_of_the_lesson_is_a_file_of_the_package() -> None:
    assert all(isinstance(path, Path) and path.is_file() for path in SOURCES.values())
