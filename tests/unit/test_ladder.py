"""The quality ladder as a table, and what encoders make of its rungs."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from stylewidgets.render.encode import encode, fit, mime
from stylewidgets.render.ladder import STILL, Ladder, Rung, drag_rungs, next_rung

RUNGS = (Rung(64), Rung(128), Rung(256), Rung(512), Rung(None))
TOP = len(RUNGS) - 1


@pytest.mark.parametrize(
    ("current", "ms", "known", "expected"),
    [
        (TOP, 20, {}, TOP),  # fast at full size: stay
        (TOP, 40, {}, TOP),  # a little slow: no jitter
        (TOP, 50, {}, TOP - 1),
        (TOP, 200, {}, TOP - 2),  # much too slow: several rungs at once
        (TOP, 100_000, {}, 0),
        (TOP, 200, {3: 10}, TOP - 1),  # measured beats estimated
        (0, 500, {}, 0),  # nothing below
        (0, 5, {}, 1),  # fast: one up
        (0, 20, {}, 0),  # the next one would be too slow
        (0, 20, {1: 25}, 1),
        (0, 5, {1: 60}, 0),  # it was too slow when it was tried
        (2, 0.1, {}, 3),  # one at a time
    ],
)
def test_the_next_rung(current: int, ms: float, known: dict[int, float], expected: int) -> None:
    assert next_rung(RUNGS, current, ms, resolution=1024, known=known) == expected


def test_the_cheapest_frame_of_a_large_generator_costs_a_small_share_of_it() -> None:
    assert [rung.max_side for rung in drag_rungs(1024)] == [32, 64, 128, 256, 512, None]


@pytest.mark.parametrize("resolution", [16, 64, 128, 256, 512, 1024, 2048])
def test_rungs_grow_to_full_size_and_small_pictures_are_lossless(resolution: int) -> None:
    rungs = drag_rungs(resolution)
    sides = [rung.max_side for rung in rungs[:-1]]
    assert rungs[-1].max_side is None and sides == sorted(sides) and all(side < resolution for side in sides)
    assert {rung.format for rung in rungs} == ({"png"} if resolution <= 128 else {"jpeg"})
    assert [rung.final for rung in rungs] == [False] * len(sides) + [resolution <= 128]


def test_a_fast_generator_stays_at_full_size() -> None:
    ladder = Ladder(1024)
    for _ in range(20):
        assert ladder.drag.max_side is None
        ladder.measured(ladder.drag, 12)


class Seconds:
    """A clock on which each look takes a tenth of a second."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 0.1
        return self.now


def test_a_slow_first_picture_makes_the_drag_start_small_and_it_climbs_when_that_was_only_warming_up() -> None:
    ladder = Ladder(1024, clock=Seconds())
    ladder.measured(STILL, 2000)
    assert ladder.drag.max_side is not None and ladder.drag.max_side <= 128
    for _ in range(60):
        ladder.measured(ladder.drag, 2)
    assert ladder.drag.max_side is None


def test_a_drag_changes_its_rung_at_most_once_a_second() -> None:
    clock = Seconds()
    ladder, changes = Ladder(512, clock=clock), []
    for n in range(200):
        before = ladder.drag
        ladder.measured(ladder.drag, 5 if n // 3 % 2 else 60)  # as uneven as can be
        if ladder.drag != before:
            changes.append(clock.now)
    assert len(changes) > 3 and all(b - a >= 1.0 for a, b in zip(changes, changes[1:], strict=False))


def test_no_drag_is_smaller_than_64_pixels_unless_such_a_frame_takes_longer_than_300_ms() -> None:
    for cost, smallest in ((290.0, 64), (310.0, 32)):
        ladder = Ladder(256, clock=Seconds())
        ladder.measured(STILL, 8 * cost)  # by the estimate, as much as a picture of 64 px would take
        sides = set()
        for _ in range(60):
            ladder.measured(ladder.drag, cost if ladder.drag.name == "drag" else 40.0)
            sides.add(ladder.drag.max_side)
        assert min(sides) == smallest
        assert ladder.drag.name == ("preview" if smallest == 32 else "drag")


def test_a_preview_is_left_when_the_honest_picture_is_no_longer_that_slow() -> None:
    ladder = Ladder(256, clock=Seconds())
    ladder.measured(STILL, 20_000)
    assert ladder.drag.name == "preview"
    for _ in range(30):
        ladder.measured(ladder.drag, 3)
    assert ladder.drag.name != "preview"


def test_a_rung_that_was_too_slow_is_not_tried_again_at_once() -> None:
    ladder, cost = Ladder(512, clock=Seconds()), {None: 80.0, 256: 8.0, 128: 4.0, 64: 2.0, 32: 2.0}
    sides = []
    for _ in range(60):
        sides.append(ladder.drag.max_side)
        ladder.measured(ladder.drag, cost[ladder.drag.max_side])
    assert sides[-1] == 256 and sides.count(None) <= 11


def test_a_rung_that_was_slow_for_a_moment_is_tried_again_later() -> None:
    ladder = Ladder(512, clock=Seconds())
    ladder.measured(ladder.drag, 60)
    for _ in range(200):
        ladder.measured(ladder.drag, 5)
    assert ladder.drag.max_side is None


def test_pictures_are_encoded_as_the_rung_says() -> None:
    pixels = np.random.RandomState(0).randint(0, 256, (24, 16, 3)).astype(np.uint8)
    with Image.open(io.BytesIO(encode(pixels, STILL))) as image:
        assert image.format == "PNG" and (np.asarray(image) == pixels).all()
    sizes = []
    for quality in (60, 85):
        data = encode(pixels[:, ::-1], Rung(None, "jpeg", quality))
        with Image.open(io.BytesIO(data)) as image:
            assert image.format == "JPEG" and image.size == (16, 24) and image.mode == "RGB"
        sizes.append(len(data))
    assert sizes[0] < sizes[1] and mime(Rung(None, "jpeg", 60)) == "image/jpeg"


def test_what_cannot_be_encoded_is_told() -> None:
    for bad in (np.zeros((4, 4, 3), np.float32), np.zeros((4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(ValueError, match=r"uint8 \[H, W, 3\]"):
            encode(bad, STILL)
    with pytest.raises(ValueError, match="did you mean 'jpeg'"):
        encode(np.zeros((4, 4, 3), np.uint8), Rung(None, "jpg", 60))


def test_fitting_shrinks_by_averaging_and_never_enlarges() -> None:
    pixels = np.zeros((4, 8, 3), np.uint8)
    pixels[:, ::2] = 100
    assert fit(pixels, 4).shape == (2, 4, 3) and (fit(pixels, 4) == 50).all()
    assert fit(pixels, 8) is pixels and fit(pixels, None) is pixels and fit(pixels, 100) is pixels
