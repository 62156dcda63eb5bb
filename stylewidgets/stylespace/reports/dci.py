"""Disentanglement, completeness and informativeness of codes (Eastwood and Williams, ICLR 2018; Wu et al., 2021)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...core.checks import unknown_name
from ...jobs import Job, Progress, Work
from .readings import Readings, check_readings

METHODS = ("lasso", "gbt")
_SMALL = 1e-11  # added inside entropies, as in the paper's code
Array = NDArray[np.float64]


class DCI(NamedTuple):
    """The three figures, in [0, 1], and the importance [D, F] of each code for each factor behind them.

    disentanglement: 1 when every code serves one factor. completeness: 1 when every factor is served by one code.
    informativeness: how well the codes tell the factors, on samples that were held out: mean R² for "lasso", mean accuracy
    for "gbt". per_code [D], per_factor [F] and score [F] are the parts of the three.
    """

    disentanglement: float
    completeness: float
    informativeness: float
    importance: Array
    per_code: Array
    per_factor: Array
    score: Array


@Work
def dci(
    codes: ArrayLike,
    factors: Readings,
    *,
    method: str = "lasso",
    held_out: float = 0.3,
    fraction: float = 0.1,
    seed: int = 0,
) -> Job[DCI]:
    """How cleanly codes separate factors.

    Disentanglement is Σ ρ_i (1 − H_F(P_i)), H_F the entropy to base F of row i of the importance matrix as shares, ρ_i the
    share of all importance in that row; completeness is the same over the columns, to base D.

    Args:
        codes: [n, D].
        factors: [n, F] readings or exact factors, or a dict of [n].
        method: where importance comes from. "lasso": absolute weights of a linear model with an L1 penalty, chosen for each
            factor on held-out samples, as Eastwood and Williams do. "gbt": gradient boosted trees that tell the `fraction` of
            highest from that of lowest samples, 100 trees of depth 3, as the StyleSpace paper does with 2 % of 500,000; needs
            scikit-learn.
        held_out: share of the samples that informativeness is measured on ("gbt": half, as in the paper).
        fraction: of the samples in each class of "gbt".
        seed: of the split.

    Raises:
        ValueError: shapes that do not match, fewer than two codes or factors, or an unknown method.
        ImportError: scikit-learn is missing for "gbt".
    """
    x = np.asarray(codes, np.float64)
    if method not in METHODS:
        raise unknown_name("method", method, METHODS)
    y, _ = check_readings(factors, None, len(x))
    if x.ndim != 2 or x.shape[1] < 2 or y.shape[1] < 2 or len(x) < 20:
        raise ValueError(
            f"DCI needs at least 20 samples of 2 codes and 2 factors; codes {list(x.shape)} and factors "
            f"{list(y.shape)} were given"
        )
    order = np.random.RandomState(seed).permutation(len(x))
    if method == "gbt":
        importance, score = yield from _trees(x[order], y[order], fraction, seed)
    else:
        importance, score = yield from _lasso(x[order], y[order], held_out)
    return of_importance(importance, score)


def of_importance(importance: ArrayLike, score: ArrayLike) -> DCI:
    """DCI from an importance matrix [D, F] and the score of each factor [F]."""
    p = np.abs(np.asarray(importance, np.float64))
    whole = max(float(p.sum()), _SMALL)
    per_code = 1 - _entropy(p, axis=1)
    per_factor = 1 - _entropy(p, axis=0)
    d = float(np.sum(p.sum(axis=1) / whole * per_code))
    c = float(np.sum(p.sum(axis=0) / whole * per_factor))
    scores = np.asarray(score, np.float64)
    return DCI(d, c, float(scores.mean()), p, per_code, per_factor, scores)


def _entropy(p: Array, axis: int) -> Array:
    """Entropy of shares along an axis, to the base of its length."""
    share = p / np.maximum(p.sum(axis=axis, keepdims=True), _SMALL) + _SMALL
    return np.asarray(-(share * np.log(share)).sum(axis=axis) / np.log(p.shape[axis]))


def _lasso(x: Array, y: Array, held_out: float) -> Job[tuple[Array, Array]]:
    """Importance and held-out R² of a linear model with an L1 penalty, chosen for each factor among ten.

    Half of the samples that are held out choose the penalty, the other half measure.
    """
    n = len(x)
    cut = max(4, round(n * held_out))
    rest, choose, test = np.arange(cut, n), np.arange(cut // 2), np.arange(cut // 2, cut)
    std = x[rest].std(axis=0)
    x = ((x - x[rest].mean(axis=0)) / np.where(std > 1e-12, std, np.inf)).astype(
        np.float32
    )  # twice as fast, and enough
    y = ((y - y[rest].mean(axis=0)) / np.maximum(y[rest].std(axis=0), 1e-12)).astype(np.float32)
    count = 10
    gram, cross = yield from _products(x[rest], y[rest], Progress(0, count))
    step = 1.0 / max(_largest_eigenvalue(gram), 1e-12)
    weights = np.zeros_like(cross)
    best, best_error = weights.copy(), np.full(y.shape[1], np.inf)
    penalties = np.geomspace(max(float(np.abs(cross).max()), 1e-6) * 0.5, 2e-3, count)
    for done, penalty in enumerate(penalties):
        weights = yield from _fista(gram, cross, weights, float(penalty), step, Progress(done, count))
        error = np.square(x[choose] @ weights - y[choose]).mean(axis=0)
        better = error < best_error * 0.99  # of models that are as good, the sparser one
        best[:, better], best_error[better] = weights[:, better], error[better]
        yield Progress(done + 1, count)
    residual = np.square(x[test] @ best - y[test]).mean(axis=0)
    score = np.clip(1 - residual / np.maximum(y[test].var(axis=0), 1e-12), 0, 1)
    return np.abs(best).astype(np.float64), score


def _products(
    x: NDArray[np.floating], y: NDArray[np.floating], at: Progress
) -> Job[tuple[NDArray[np.floating], NDArray[np.floating]]]:
    """xᵀ x / n and xᵀ y / n, a few rows at a time."""
    gram, cross = np.zeros((x.shape[1],) * 2, x.dtype), np.zeros((x.shape[1], y.shape[1]), x.dtype)
    for start in range(0, len(x), 256):
        part = x[start : start + 256]
        gram += part.T @ part
        cross += part.T @ y[start : start + 256]
        yield at
    return gram / len(x), cross / len(x)


def _largest_eigenvalue(gram: NDArray[np.floating], rounds: int = 40) -> float:
    """Of a positive matrix, by powers; a little above it, because a step must not be too long."""
    vector = np.random.RandomState(0).rand(len(gram)).astype(gram.dtype)
    size = 0.0
    for _ in range(rounds):
        vector = gram @ vector
        size = float(np.linalg.norm(vector))
        if size == 0.0:
            break
        vector /= size
    return 1.05 * size


def _fista(
    gram: NDArray[np.floating],
    cross: NDArray[np.floating],
    start: NDArray[np.floating],
    penalty: float,
    step: float,
    at: Progress,
    rounds: int = 300,
) -> Job[NDArray[np.floating]]:
    """argmin ½ bᵀ gram b − bᵀ cross + penalty |b|₁ for all columns (Beck and Teboulle, 2009)."""
    now, ahead, t = start, start, 1.0
    for done in range(rounds):
        if done % 5 == 4:
            yield at
        moved = ahead - step * (gram @ ahead - cross)
        new = np.sign(moved) * np.maximum(np.abs(moved) - step * penalty, 0)
        t_new = (1 + math.sqrt(1 + 4 * t * t)) / 2
        ahead = new + (t - 1) / t_new * (new - now)
        settled = float(np.abs(new - now).max()) < 1e-4
        now, t = new, t_new
        if settled:
            break
    return now


def _trees(x: Array, y: Array, fraction: float, seed: int) -> Job[tuple[Array, Array]]:
    try:
        from sklearn.ensemble import GradientBoostingClassifier
    except ImportError:
        raise ImportError("method='gbt' needs scikit-learn: pip install scikit-learn, or take method='lasso'") from None
    importance, score = np.zeros((x.shape[1], y.shape[1])), np.zeros(y.shape[1])
    count = max(4, round(len(x) * fraction))
    for j in range(y.shape[1]):
        ranks = np.argsort(y[:, j], kind="stable")
        rows = np.concatenate([ranks[:count], ranks[-count:]])
        classes = np.repeat([0, 1], count)
        mixed = np.random.RandomState(seed + j).permutation(len(rows))
        train, test = mixed[: len(rows) // 2], mixed[len(rows) // 2 :]
        model = GradientBoostingClassifier(random_state=seed).fit(x[rows[train]], classes[train])
        importance[:, j] = model.feature_importances_
        score[j] = model.score(x[rows[test]], classes[test])
        yield Progress(j + 1, y.shape[1])
    return importance, score
