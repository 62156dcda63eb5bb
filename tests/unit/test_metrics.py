"""Measures against cases whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from stylewidgets.avatars import FACTORS, INDEX
from stylewidgets.metrics import (
    circular_wasserstein,
    factor_distances,
    frechet,
    frechet_gaussian,
    nearest,
    perceptual_distance,
    precision_recall,
    total_variation,
    wasserstein,
)


def normals(n: int, d: int, seed: int = 0) -> np.ndarray:
    return np.random.RandomState(seed).randn(n, d)


def test_the_frechet_distance_of_gaussians_has_its_closed_form() -> None:
    a, b = np.diag([1.0, 4.0, 9.0]), np.diag([4.0, 4.0, 1.0])
    shift = np.array([1.0, 0.0, 2.0])
    expected = 5.0 + (1 - 2) ** 2 + 0 + (3 - 1) ** 2  # of commuting covariances: differences of standard deviations
    assert frechet_gaussian(np.zeros(3), a, shift, b) == pytest.approx(expected)
    turn, _ = np.linalg.qr(normals(3, 3))
    assert frechet_gaussian(np.zeros(3), turn @ a @ turn.T, turn @ shift, turn @ b @ turn.T) == pytest.approx(expected)


def test_the_frechet_distance_of_a_shifted_set_is_the_square_of_the_shift() -> None:
    x = normals(400, 5)
    assert frechet(x, x) == pytest.approx(0, abs=1e-9)
    assert frechet(x, x + 2.0) == pytest.approx(5 * 4.0)
    assert frechet(x, 3 * x) == pytest.approx(4 * np.trace(np.cov(x, rowvar=False)) + 4 * np.square(x.mean(0)).sum())


def test_the_frechet_distance_of_a_degenerate_set_is_finite() -> None:
    x = np.repeat(normals(50, 1), 4, axis=1)
    assert 0 <= frechet(x, x[::-1]) < 1e-9
    with pytest.raises(ValueError, match=r"\[50, 4\] and \[50, 3\]"):
        frechet(x, x[:, :3])


def test_precision_and_recall_of_identical_sets_are_one_and_of_disjoint_sets_nought() -> None:
    x = normals(100, 4)
    assert precision_recall(x, x) == (1.0, 1.0)
    assert precision_recall(x, x + 1000.0) == (0.0, 0.0)
    assert precision_recall(x + 1e6, x + 1e6) == (1.0, 1.0)


def test_a_generator_of_one_half_of_the_data_has_precision_and_half_the_recall() -> None:
    left, right = normals(200, 2, 1), normals(200, 2, 2) + 100.0
    found = precision_recall(np.concatenate([left, right]), normals(400, 2, 3))
    assert found.precision > 0.9 and found.recall == pytest.approx(0.5, abs=0.05)
    turned = precision_recall(normals(400, 2, 3), np.concatenate([left, right]))
    assert turned.precision == pytest.approx(0.5, abs=0.05) and turned.recall > 0.9


def test_a_ball_reaches_to_its_kth_neighbour() -> None:
    real = np.array([[0.0], [1.0], [2.0], [3.0], [4.0]])
    fake = np.array([[7.1], [6.9], [20.0], [30.0], [40.0]])
    assert precision_recall(real, fake, k=3).precision == pytest.approx(1 / 5)  # the ball of 4 has radius 3
    assert precision_recall(real, fake, k=4).precision == pytest.approx(2 / 5)
    with pytest.raises(ValueError, match="k=5"):
        precision_recall(real, fake, k=5)


def test_the_wasserstein_distance_of_a_shifted_sample_is_the_shift() -> None:
    x = normals(300, 1)[:, 0]
    assert wasserstein(x, x[::-1] + 0.7) == pytest.approx(0.7)
    assert wasserstein(x, np.repeat(x, 3)) == pytest.approx(0, abs=1e-12)
    assert wasserstein(np.array([0.0, 1.0]), np.array([0.0, 0.0, 3.0])) == pytest.approx(5 / 6)


def test_on_a_circle_mass_travels_the_shorter_way() -> None:
    x = np.random.RandomState(0).normal(0, 20, 500) % 360
    assert circular_wasserstein(x, x + 30) == pytest.approx(30)
    assert circular_wasserstein(x, x - 30) == pytest.approx(30)
    assert circular_wasserstein(np.full(5, 359.0), np.full(5, 1.0)) == pytest.approx(2)
    assert circular_wasserstein(np.full(5, 10.0), np.full(7, 190.0)) == pytest.approx(180)


def test_total_variation_counts_what_would_have_to_change() -> None:
    assert total_variation([3, 1], [1, 3]) == pytest.approx(0.5)
    assert total_variation([5, 0], [0, 9]) == 1 and total_variation([2, 4], [1, 2]) == pytest.approx(0)
    with pytest.raises(ValueError, match="equal length"):
        total_variation([1, 2], [1, 2, 3])


def test_each_factor_is_measured_in_its_own_way() -> None:
    yaw = normals(400, 1)[:, 0] * 10
    hat = np.array([0.0, 0.0, 1.0, 2.0])
    found = factor_distances({"yaw": yaw, "hat": hat}, {"yaw": yaw + 5, "hat": np.zeros(4)})
    assert found["yaw"].value == pytest.approx(5 / yaw.std()) and found["yaw"].measure == "Wasserstein"
    assert found["hat"].value == pytest.approx(0.5) and found["hat"].measure == "total variation"
    assert FACTORS[INDEX["hat"]].kind == "categorical"


def test_nearest_rows_come_in_order() -> None:
    rows, distance = nearest(np.array([[0.0], [9.0]]), np.array([[1.0], [8.5], [-3.0]]), 2)
    assert rows.tolist() == [[0, 2], [1, 0]] and np.allclose(distance, [[1, 3], [0.5, 8]])


def test_the_perceptual_distance_of_equal_maps_is_nought_and_of_orthogonal_ones_two_a_map() -> None:
    a = torch.zeros(2, 3, 4, 4)
    a[:, 0] = 5.0
    b = torch.zeros(2, 3, 4, 4)
    b[:, 1] = 0.5
    assert perceptual_distance([a, a], [a, a]).tolist() == [0, 0]
    assert perceptual_distance([a, a], [b, a]).tolist() == pytest.approx([2, 2], rel=1e-3)
