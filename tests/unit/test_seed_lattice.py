from __future__ import annotations

import math

import pytest

from stylewidgets.widgets.latent_explorer.tools.seed_lattice import (
    blend_at,
    clamp_position,
    describe,
    locate,
    seed_at,
)

POSITIONS = [(0.0, 0.0), (0.25, 0.5), (-0.25, 3.125), (-7.999, -2.001), (12.3456, -0.0004), (99999.9, -99999.9)]


def test_the_base_seed_lies_at_the_origin():
    assert seed_at(0, 0, base=7) == 7
    assert blend_at(0, 0, base=7) == ((7, 1.0),)


@pytest.mark.parametrize("base", [0, 7, 999_999, 1_000_000, 2**32 - 1])
def test_every_seed_on_the_lattice_is_one_that_numpy_accepts(base):
    seeds = [seed_at(i, j, base) for i in (-50_000, -1, 0, 1, 50_000) for j in (-50_000, -1, 0, 1, 50_000)]
    assert all(isinstance(seed, int) and 0 <= seed < 2**32 for seed in seeds)


def test_neighbouring_points_carry_different_seeds():
    seeds = {seed_at(i, j, base=3) for i in range(-20, 20) for j in range(-20, 20)}
    assert len(seeds) == 40 * 40


@pytest.mark.parametrize("position", POSITIONS)
def test_weights_are_positive_and_sum_to_one_everywhere(position):
    blend = blend_at(*position, base=5)
    assert 1 <= len(blend) <= 4
    assert all(weight > 0 for _, weight in blend)
    assert math.isclose(sum(weight for _, weight in blend), 1.0, abs_tol=1e-12)


def test_the_middle_of_a_cell_mixes_its_four_corners_equally():
    assert set(blend_at(0.5, 0.5)) == {(0, 0.25), (1, 0.25), (1000, 0.25), (1001, 0.25)}


def test_a_position_on_a_line_drops_the_two_seeds_without_weight():
    assert blend_at(0.25, 0.0, base=10) == ((10, 0.75), (11, 0.25))


def test_the_blend_moves_continuously_across_a_lattice_line():
    def weights(x):
        return dict(blend_at(x, 0.3, base=100))

    before, after = weights(0.999), weights(1.001)
    for seed in set(before) | set(after):
        assert abs(before.get(seed, 0.0) - after.get(seed, 0.0)) < 0.003


@pytest.mark.parametrize("bad", [(float("nan"), 0.0), (0.0, float("inf"))])
def test_a_position_that_is_not_finite_is_refused_with_its_value(bad):
    with pytest.raises(ValueError, match="finite"):
        blend_at(*bad)


def test_a_position_far_away_is_limited_to_the_lattice():
    assert clamp_position(1e12, -1e12) == (100_000.0, -100_000.0)


def test_a_blend_is_described_in_words():
    assert describe(((7, 1.0),)) == "seed 7"
    assert describe(((7, 0.62), (8, 0.38))) == "seed 7 62 % + seed 8 38 %"


@pytest.mark.parametrize("position", [(0.0, 0.0), (0.25, 0.5), (-0.25, 3.125), (-7.999, -2.001), (400.5, -77.0)])
@pytest.mark.parametrize("base", [0, 7, 123_456_789])
def test_the_position_of_a_blend_can_be_found_again(position, base):
    assert locate(blend_at(position[0], position[1], base), base) == pytest.approx(position, abs=1e-6)


def test_a_blend_that_is_not_one_place_on_the_lattice_has_no_position():
    assert locate(((3, 0.5), (90, 0.5))) is None
    assert locate(((0, 0.5), (1001, 0.5))) is None
