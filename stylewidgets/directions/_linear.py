"""Two small linear models, in float64 numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..jobs import Job, Progress, Work

Array = NDArray[np.float64]


def ridge_weights(x: Array, y: Array, l2: float) -> Array:
    """Weights [d] or [d, F] of min |x b - y|² / n + l2 |b|², by whichever of the two systems is smaller."""
    n, d = x.shape
    if d <= n:
        return np.asarray(np.linalg.solve(x.T @ x / n + l2 * np.eye(d), x.T @ y / n))
    return np.asarray(x.T @ np.linalg.solve(x @ x.T / n + l2 * np.eye(n), y / n))


def ridge(x: Array, y: Array, l2: float) -> tuple[Array, float]:
    """Weights [d] and offset that minimise mean (x·b + c - y)² / var(y) + l2 |b|² / var(y)."""
    mean_x, mean_y = x.mean(axis=0), float(y.mean())
    weights = ridge_weights(x - mean_x, y - mean_y, l2)
    return weights, mean_y - float(mean_x @ weights)


@Work
def logistic(x: Array, y: Array, l2: float, *, steps: int = 30, tolerance: float = 1e-6) -> Job[tuple[Array, float]]:
    """Weights [d] and offset that minimise the mean log loss of classes y (0 or 1) + l2/2 |b|², by Newton's method.

    The classes count equally, whatever their sizes. Each step is halved until the objective falls, so separable classes
    cannot make it diverge.
    """
    positive = float(y.mean())
    share = np.where(y > 0.5, 0.5 / max(positive, 1e-12), 0.5 / max(1.0 - positive, 1e-12)) / len(y)
    design = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    decay = np.full(design.shape[1], l2)
    decay[-1] = 1e-9
    beta = np.zeros(design.shape[1])
    value = _objective(design, y, share, decay, beta)
    for step in range(steps):
        p = _sigmoid(design @ beta)
        gradient = design.T @ (share * (p - y)) + decay * beta
        curvature = (design * (share * p * (1 - p))[:, None]).T @ design + np.diag(decay)
        move = np.linalg.solve(curvature, gradient)
        size, fallen = 1.0, 0.0
        while size > 1e-6:
            new = _objective(design, y, share, decay, beta - size * move)
            if new <= value:
                fallen, value, beta = value - new, new, beta - size * move
                break
            size /= 2
        yield Progress(step + 1, steps, "fitting the boundary")
        if fallen < tolerance:
            break
    return beta[:-1], float(beta[-1])


def _objective(design: Array, y: Array, share: Array, decay: Array, beta: Array) -> float:
    score = design @ beta
    return float(share @ (np.logaddexp(0.0, score) - y * score) + 0.5 * (decay * beta) @ beta)


def _sigmoid(value: Array) -> Array:
    return 0.5 * (1.0 + np.tanh(0.5 * value))
