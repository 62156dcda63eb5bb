"""The helpers behind error texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stylewidgets.core.checks import check_finite, check_int, check_layers, unknown_name


def test_an_unknown_name_gets_the_nearest_whatever_its_case() -> None:
    text = str(unknown_name("direction", "SIMLE", ["yaw", "smile"]))
    assert "did you mean 'smile'?" in text and "yaw, smile" in text and "SIMLE" in text


def test_an_unknown_name_without_neighbours_lists_what_there_is() -> None:
    assert "accepted: yaw, smile" in str(unknown_name("direction", "qqqq", ["yaw", "smile"]))
    assert "none at all" in str(unknown_name("direction", "x", []))
    assert "and 88 more" in str(unknown_name("direction", "x", [f"name {i:03d}!" for i in range(100)]))


@pytest.mark.parametrize("value", [1, 1.5, np.float32(0.25), np.array(2)])
def test_numbers_of_any_kind_become_floats(value: Any) -> None:
    number = check_finite("psi", value)
    assert type(number) is float and number == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1", None, True, [1, 2], 10**400])
def test_what_is_no_finite_number_is_refused_by_name(value: Any) -> None:
    with pytest.raises(ValueError, match="psi must be a finite number"):
        check_finite("psi", value)


def test_bounds_are_told() -> None:
    with pytest.raises(ValueError, match=r"t must be a finite number from 0 to 1; 2 was given"):
        check_finite("t", 2, 0, 1)
    with pytest.raises(ValueError, match="seed must be a whole number of at least 0; -1 was given"):
        check_int("seed", -1, 0)
    with pytest.raises(ValueError, match="whole number"):
        check_int("seed", 7.0)
    assert type(check_int("seed", np.int64(7))) is int


@pytest.mark.parametrize("layers", [(3, 3), (4, 2), (-1, 2), (0, 11), 3, (1, 2, 3), "ab", (0.5, 2)])
def test_bad_layer_ranges_are_refused_with_the_rule(layers: Any) -> None:
    with pytest.raises(ValueError, match="0 <= first < last <= 10"):
        check_layers(layers, 10)


def test_good_layer_ranges_are_plain_pairs() -> None:
    assert check_layers([np.int64(0), 10], 10) == (0, 10)
    assert check_layers((4, 99)) == (4, 99)
