"""PCA, SeFa, boundaries, differences and user tensors, on a small linear world where the right answer is known."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

from stylewidgets import directions
from stylewidgets.directions import (
    boundary,
    condition,
    difference,
    fingerprint,
    fit_boundary,
    from_tensor,
    joint_boundaries,
    pca,
    sefa,
)
from stylewidgets.directions.factorisation import affine_matrix
from stylewidgets.latent.latent import Code, Direction, Latent

W_DIM, NUM_WS = 6, 4
STD = np.array([4.0, 3.0, 2.0, 1.0, 0.5, 0.25])


class FakeLayer(NamedTuple):
    name: str
    kind: str
    ws_index: int
    channels: int
    resolution: int


LAYERS = (
    FakeLayer("b4.conv1", "conv", 0, 5, 4),
    FakeLayer("b4.torgb", "torgb", 1, 5, 4),
    FakeLayer("b8.conv0", "conv", 1, 5, 8),
    FakeLayer("b8.conv1", "conv", 2, 3, 8),
    FakeLayer("b8.torgb", "torgb", 3, 3, 8),
)


class Styled(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.affine = nn.Linear(W_DIM, channels)


class FakeGenerator(nn.Module):
    """w = rotation · diag(STD) · z, so the principal components are the columns of the rotation."""

    layers = LAYERS

    def __init__(self, c_dim: int = 0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.c_dim = c_dim
        self.rotation = nn.Parameter(torch.linalg.qr(torch.randn(W_DIM, W_DIM))[0])
        self.synthesis = nn.Module()
        for layer in LAYERS:
            block, part = layer.name.split(".")
            if not hasattr(self.synthesis, block):
                setattr(self.synthesis, block, nn.Module())
            setattr(getattr(self.synthesis, block), part, Styled(layer.channels))

    def map(self, z: torch.Tensor, c: torch.Tensor | None = None) -> torch.Tensor:
        w = (z * torch.as_tensor(STD, dtype=z.dtype)) @ self.rotation.T
        if c is not None:
            w = w + 100 * c[:, :1]
        return w[:, None].expand(-1, NUM_WS, -1)


class FakeSession:
    z_dim, w_dim, num_ws, layers, device = W_DIM, W_DIM, NUM_WS, LAYERS, torch.device("cpu")

    def __init__(self, c_dim: int = 0) -> None:
        self.generator, self.c_dim, self.lock = FakeGenerator(c_dim), c_dim, threading.RLock()

    def check(self, latent: Latent) -> Latent:
        return latent

    def map_z(self, z: torch.Tensor, c: torch.Tensor | None = None) -> torch.Tensor:
        return self.generator.map(z, c)[:, 0]

    def affine(self, k: int) -> tuple[torch.Tensor, torch.Tensor]:
        affine = self.generator.synthesis.get_submodule(LAYERS[k].name).affine
        return affine.weight, affine.bias

    def fingerprint(self) -> str:
        return fingerprint(self.generator)

    def map(self, latent: Latent) -> torch.Tensor:
        if latent.code is not None:
            array = torch.tensor(latent.code.array)
            return (array if array.ndim == 2 else array.expand(NUM_WS, -1))[None]
        z = torch.as_tensor(np.random.RandomState(latent.seed).randn(1, W_DIM), dtype=torch.float32)
        return self.generator.map(z)

    def styles(self, ws: torch.Tensor) -> list[torch.Tensor]:
        return [self.generator.synthesis.get_submodule(x.name).affine(ws[:, x.ws_index]) for x in LAYERS]

    def code_styles(self, latent: Latent) -> list[torch.Tensor]:
        if latent.code is not None and latent.code.space == "s":
            return list(torch.tensor(latent.code.array)[None].split([x.channels for x in LAYERS], dim=1))
        return self.styles(self.map(latent))


@pytest.fixture
def session() -> Any:
    return FakeSession()


def angle(a: Any, b: Any) -> float:
    """Absolute cosine."""
    return float(abs(np.dot(a, b)) / np.linalg.norm(a) / np.linalg.norm(b))


# -- PCA -------------------------------------------------------------------------------------------------------------


def test_pca_finds_the_axes_of_w_with_their_standard_deviation_and_share(session: Any) -> None:
    found = pca(session, samples=20_000, components=4, seed=1)
    truth = session.generator.rotation.detach().numpy()
    assert found.names == ("pca 0", "pca 1", "pca 2", "pca 3")
    for i, direction in enumerate(found.values()):
        assert angle(direction.vector, truth[:, i]) > 0.999
        assert np.linalg.norm(direction.vector) == pytest.approx(1, abs=1e-5)
        assert direction.sigma == pytest.approx(STD[i], rel=0.03)
        assert direction.explained == pytest.approx(STD[i] ** 2 / (STD**2).sum(), rel=0.06)


def test_pca_gives_the_same_directions_again_with_the_largest_entry_positive(session: Any) -> None:
    first, second = (pca(session, samples=500, components=W_DIM) for _ in range(2))
    assert first == second and hash(first) == hash(second)
    assert all(d.vector[np.abs(d.vector).argmax()] > 0 for d in first.values())


def test_pca_agrees_with_the_singular_vectors_of_the_same_samples(session: Any) -> None:
    w = directions.sample_w(session, 3_000, 5).astype(np.float64)
    singular = np.linalg.svd(w - w.mean(0), full_matrices=False)[2]
    for direction, row in zip(pca(session, samples=3_000, components=5, seed=5).values(), singular, strict=False):
        assert angle(direction.vector, row) == pytest.approx(1, abs=1e-6)


def test_pca_reports_progress_and_refuses_more_components_than_there_are(session: Any) -> None:
    seen: list[tuple[int, int]] = []
    pca(session, samples=2_500, components=2, callback=lambda done, total: seen.append((done, total)))  # type: ignore[call-arg]
    assert seen == [(1024, 2500), (2048, 2500), (2500, 2500)]
    with pytest.raises(ValueError, match="components must be from 1 to 6.*; 7 was given"):
        pca(session, components=7)
    with pytest.raises(ValueError, match="components must be from 1 to 2"):
        pca(session, samples=3, components=4)


def test_samples_of_a_conditional_generator_use_all_labels_or_the_given_one() -> None:
    session = FakeSession(c_dim=2)
    mixed, one = directions.sample_w(session, 400), directions.sample_w(session, 400, label=0)
    assert 100 < (mixed[:, 0] > 50).sum() < 300
    assert (one[:, 0] > 50).all()
    with pytest.raises(ValueError, match="label 2 was given; this generator takes labels 0 to 1"):
        directions.sample_w(session, 10, label=2)
    with pytest.raises(ValueError, match="unconditional"):
        directions.sample_w(FakeSession(), 10, label=0)


# -- SeFa ------------------------------------------------------------------------------------------------------------


def test_sefa_gives_the_leading_eigenvectors_of_the_row_normalised_affine_weights(session: Any) -> None:
    found = sefa(session, components=W_DIM)
    rows = affine_matrix(session, 0, NUM_WS).astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    shares = [d.explained for d in found.values()]
    assert shares == sorted(shares, reverse=True) and sum(shares) == pytest.approx(1)
    for direction in found.values():
        image = rows.T @ (rows @ direction.vector)
        assert angle(image, direction.vector) == pytest.approx(1, abs=1e-5)
        assert direction.explained == pytest.approx(np.sum((rows @ direction.vector) ** 2) / len(rows), rel=1e-4)


def test_sefa_of_a_range_uses_its_convolutions_and_the_last_torgb_and_keeps_the_range(session: Any) -> None:
    assert affine_matrix(session, 1, 2).shape == (5, W_DIM)  # b8.conv0, not b4.torgb
    assert affine_matrix(session, 3, 4).shape == (3, W_DIM)  # b8.torgb has a row of its own
    found = sefa(session, layers=(1, 3), components=3, prefix="middle")
    assert found.names == ("middle 0", "middle 1", "middle 2")
    assert all(d.layers == (1, 3) for d in found.values())
    assert all(d.layers is None for d in sefa(session, components=2).values())


def test_sefa_measures_sigma_and_refuses_a_bad_range(session: Any) -> None:
    direction = sefa(session, components=1)["sefa 0"]
    along = session.generator.rotation.detach().numpy().T @ direction.vector
    assert direction.sigma == pytest.approx(np.sqrt(np.sum((along * STD) ** 2)), rel=0.05)
    with pytest.raises(ValueError, match="4"):
        sefa(session, layers=(2, 9), components=1)


# -- boundaries ------------------------------------------------------------------------------------------------------


def labelled(n: int = 4_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.RandomState(0)
    w = random.randn(n, W_DIM)
    normal = np.array([3.0, 4.0, 0, 0, 0, 0]) / 5
    return w, w @ normal, normal


@pytest.mark.parametrize("method", ["logistic", "ridge"])
def test_a_boundary_of_real_labels_points_to_larger_labels_and_reports_its_score(method: Any) -> None:
    w, values, normal = labelled()
    direction = boundary(w, values, name="smile", method=method, l2=1e-3, layers=(0, 2))
    assert np.dot(direction.vector, normal) > 0.995
    assert direction.sigma == pytest.approx(1, rel=0.05)
    assert direction.layers == (0, 2)
    assert "held-out" in direction.source
    assert fit_boundary(w, values, method=method).score > 0.97


def test_a_boundary_of_two_classes_takes_booleans_and_any_two_values() -> None:
    w, values, normal = labelled()
    noisy = values + 0.5 * np.random.RandomState(1).randn(len(values)) > 1.0
    by_bool = boundary(w, noisy, name="glasses")
    assert np.dot(by_bool.vector, normal) > 0.99
    assert boundary(w, np.where(noisy, 7, 3), name="glasses") == by_bool


def test_the_score_of_random_labels_is_chance_because_it_is_measured_on_other_samples() -> None:
    w, _, _ = labelled(400)
    wide = np.concatenate([w, np.random.RandomState(3).randn(400, 100)], axis=1)
    labels = np.random.RandomState(4).rand(400) > 0.5
    assert 0.3 < fit_boundary(wide, labels, l2=1e-6).score < 0.7


def test_separable_classes_do_not_make_the_fit_diverge() -> None:
    w, values, normal = labelled(300)
    fit = fit_boundary(w, values > 0, l2=1e-9)
    assert np.isfinite(fit.normal).all() and np.dot(fit.normal, normal) > 0.98 and fit.score > 0.95


@pytest.mark.parametrize(
    ("labels", "keywords", "message"),
    [
        (np.zeros(50), {}, "all labels are equal"),
        (np.arange(49), {}, r"labels \[n\]; given were \[50, 6\] and \[49\]"),
        (np.full(50, np.nan), {}, "finite"),
        (np.arange(50), {"method": "ridgee"}, "ridge"),
        (np.arange(50), {"fraction": 0.7}, "fraction must be above 0 and at most 0.5; 0.7"),
        (np.arange(50) == 3, {}, "no sample to train on"),
    ],
)
def test_bad_labels_are_refused_with_a_reason(labels: Any, keywords: Any, message: str) -> None:
    w = np.random.RandomState(0).randn(50, W_DIM)
    with pytest.raises(ValueError, match=message):
        for seed in range(40):  # the single positive sample is held out in some split
            boundary(w, labels, name="x", seed=seed, **keywords)


# -- conditioning ----------------------------------------------------------------------------------------------------


def made(name: str, vector: Any, **keywords: Any) -> Direction:
    return Direction(name=name, vector=np.asarray(vector, np.float32), **keywords)


def test_conditioning_on_one_direction_is_the_closed_form_of_interfacegan() -> None:
    random = np.random.RandomState(0)
    n, m = (v / np.linalg.norm(v) for v in random.randn(2, W_DIM))
    expected = n - (n @ m) * m
    result = condition(made("a", n, sigma=2.0), made("b", 5 * m))
    np.testing.assert_allclose(result.vector, expected / np.linalg.norm(expected), atol=1e-6)
    np.testing.assert_allclose(result.sigma * result.vector, 2 * expected, atol=1e-5)
    assert "conditioned on b" in result.source


def test_conditioning_on_several_leaves_no_part_along_any_even_if_two_are_the_same() -> None:
    random = np.random.RandomState(1)
    n, m, k = random.randn(3, W_DIM)
    result = condition(made("a", n), made("b", m), made("c", k), made("d", m))
    assert abs(result.vector @ m) < 1e-5 and abs(result.vector @ k) < 1e-5
    w = random.randn(5_000, W_DIM) * 3
    assert condition(made("a", n), made("b", m), w=w).sigma == pytest.approx(3, rel=0.05)


def test_conditioning_mixes_w_and_w_plus_and_refuses_what_cannot_be() -> None:
    random = np.random.RandomState(2)
    rows, m = random.randn(NUM_WS, W_DIM), random.randn(W_DIM)
    result = condition(made("a", rows, layers=(0, 2)), made("b", m))
    assert result.vector.shape == (NUM_WS, W_DIM) and result.layers == (0, 2)
    assert abs(result.vector.sum(0) @ m) < 1e-4
    with pytest.raises(ValueError, match="nothing is left of 'a'"):
        condition(made("a", m), made("b", -2 * m))
    with pytest.raises(ValueError, match="share one space"):
        condition(made("a", m), made("b", m, space="s"))
    with pytest.raises(ValueError, match="different generators"):
        condition(made("a", m), made("b", np.ones(W_DIM + 1)))
    assert condition(made("a", m)) == made("a", m)


def test_joint_boundaries_move_one_reading_and_no_other_along_the_distribution_of_w() -> None:
    random = np.random.RandomState(3)
    w = random.randn(6_000, W_DIM) * STD
    slopes = random.randn(3, W_DIM)  # far from orthogonal
    labels = dict(zip("abc", slopes @ w.T, strict=True))
    found = joint_boundaries(w, labels, l2=1e-6, slack=0.0)
    for i, direction in enumerate(found.values()):
        effect = slopes @ direction.vector / np.array([v.std() for v in labels.values()])
        assert effect[i] > 0 and np.abs(np.delete(effect, i)).max() < 0.01 * effect[i]
        assert np.linalg.norm(direction.vector) == pytest.approx(1, abs=1e-5)
        # of all such steps the likeliest: a plain projection of the slope is less likely for the same effect
        others = [made(str(k), slopes[k]) for k in range(3) if k != i]
        plain = condition(made("plain", slopes[i]), *others).vector
        unlikely = [np.sum((v / STD / (slopes[i] @ v)) ** 2) for v in (direction.vector, plain)]
        assert unlikely[0] <= unlikely[1] * 1.01
    loose = joint_boundaries(w, labels, slack=10.0)["a"]
    assert angle(loose.vector, STD**2 * slopes[0]) > 0.95
    with pytest.raises(ValueError, match="'flat' must be finite and must change"):
        joint_boundaries(w, {"flat": np.zeros(len(w))})
    with pytest.raises(ValueError, match=r"'a' \[n\]; given were \[6000, 6\] and \[3\]"):
        joint_boundaries(w, {"a": np.zeros(3)})


# -- differences and tensors -----------------------------------------------------------------------------------------


def test_a_difference_leads_from_the_first_latent_to_the_second(session: Any) -> None:
    a, b = Latent(seed=1), Latent(seed=2)
    direction = difference(session, a, b, "one to two")
    assert direction.vector.shape == (W_DIM,) and direction.name == "one to two"
    arrived = session.map(a)[0] + direction.sigma * torch.tensor(direction.vector)
    torch.testing.assert_close(arrived, session.map(b)[0], atol=1e-5, rtol=0)
    assert "seed 1" in direction.source and "seed 2" in direction.source


def test_a_difference_keeps_rows_that_differ_and_styles_when_one_side_has_them(session: Any) -> None:
    rows = np.random.RandomState(0).randn(NUM_WS, W_DIM).astype(np.float32)
    assert difference(session, Latent(seed=1), Latent(seed=None, code=Code("w+", rows))).vector.shape == rows.shape
    channels = sum(x.channels for x in LAYERS)
    in_s = difference(session, Latent(seed=1), Latent(seed=None, code=Code("s", np.ones(channels, np.float32))))
    assert in_s.space == "s" and in_s.vector.shape == (channels,)
    with pytest.raises(ValueError, match="same point"):
        difference(session, Latent(seed=3), Latent(seed=3))


@pytest.mark.parametrize(
    ("shape", "space"),
    [
        ((W_DIM,), "w"),
        ((1, W_DIM), "w"),
        ((NUM_WS, W_DIM), "w"),
        ((1, NUM_WS, W_DIM), "w"),
        ((21,), "s"),
        ((1, 21), "s"),
    ],
)
def test_a_tensor_of_each_accepted_shape_becomes_a_direction_in_standard_deviations(
    session: Any, shape: tuple[int, ...], space: str
) -> None:
    tensor = torch.randn(shape, generator=torch.Generator().manual_seed(0)).double()
    direction = from_tensor(session, tensor, "mine")
    assert direction.space == space and direction.vector.ndim == (2 if NUM_WS in shape else 1)
    assert np.linalg.norm(direction.vector, axis=-1).max() == pytest.approx(1, abs=1e-5)
    assert direction.sigma > 0.2


def test_a_given_sigma_keeps_the_tensor_as_it_is(session: Any) -> None:
    direction = from_tensor(session, [0, 0, 7, 0, 0, 0], "third", sigma=1.0, layers=(1, 2), source="by hand")
    np.testing.assert_array_equal(direction.vector, [0, 0, 7, 0, 0, 0])
    assert direction.sigma == 1.0 and direction.layers == (1, 2) and direction.source == "by hand"


def test_a_list_with_one_array_a_layer_is_a_style_direction(session: Any) -> None:
    parts = [np.full(x.channels, i + 1.0) for i, x in enumerate(LAYERS)]
    direction = from_tensor(session, parts, "styles", sigma=1)
    assert direction.space == "s" and direction.vector[-1] == 5


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (np.ones(5), r"shape \[5\] does not fit.*\[6\] \(w\), \[4, 6\] \(w\+\), \[21\]"),
        (np.ones((3, W_DIM)), r"shape \[3, 6\]"),
        (np.zeros(W_DIM), "all zeros"),
        ([1, 2, np.nan, 4, 5, np.inf], "2 values that are not finite"),
        ("smile", "the name of a file"),
    ],
)
def test_a_bad_tensor_is_refused_with_what_is_accepted(session: Any, tensor: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_tensor(session, tensor, "bad")


@pytest.mark.parametrize(("num_ws", "expected"), [(18, (4, 8)), (10, (4, 8)), (8, (3, 6)), (4, (2, 3))])
def test_coarse_middle_and_fine_cover_all_rows(num_ws: int, expected: tuple[int, int]) -> None:
    ranges = directions.named_ranges(num_ws)
    assert ranges == {"coarse": (0, expected[0]), "middle": expected, "fine": (expected[1], num_ws)}
