"""Directions from labelled samples (InterFaceGAN), and conditioning one direction on others."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.checks import unknown_name
from ..jobs import Job, Work
from ..latent.latent import Direction
from ._linear import logistic, ridge
from ._sampling import spread

Method = Literal["auto", "logistic", "ridge"]
METHODS = ("auto", "logistic", "ridge")


class Fit(NamedTuple):
    """A linear fit. normal: unit [d], pointing to larger labels. score: held-out accuracy (logistic) or R² (ridge)."""

    normal: NDArray[np.float64]
    score: float
    method: str
    used: int
    held_out: int


@Work
def boundary(
    w: ArrayLike,
    labels: ArrayLike,
    *,
    name: str,
    method: Method = "auto",
    fraction: float = 0.2,
    l2: float = 1e-2,
    held_out: float = 0.3,
    seed: int = 0,
    layers: tuple[int, int] | None = None,
) -> Job[Direction]:
    """The unit normal of the linear boundary between two groups of samples (Shen et al., "InterFaceGAN", CVPR 2020).

    Args:
        w: codes [n, w_dim], without truncation.
        labels: [n]. Two different values (or booleans) are two classes. Real values are ranked, and the classes are the
            `fraction` of highest and the `fraction` of lowest values.
        name: of the direction.
        method: "logistic" fits the boundary; "ridge" fits real labels by least squares and uses every sample; "auto" is
            logistic.
        fraction: of the samples on each side for real labels, in (0, 0.5].
        l2: weight decay of the fit. Larger values turn the normal towards the difference of the class means, which
            moves the attribute more per σ and takes correlated attributes along.
        held_out: share of the samples that the fit does not see and that its score is measured on.
        seed: of the split.
        layers: default w+ row range of the direction.

    Returns:
        Direction: towards larger labels; sigma is the standard deviation of w along it; `source` states the score.

    Raises:
        ValueError: shapes that do not match, labels that are not finite or all equal, or too few samples in a class.
    """
    w = np.asarray(w)
    fit = yield from fit_boundary.steps(
        w, labels, method=method, fraction=fraction, l2=l2, held_out=held_out, seed=seed
    )
    score = f"held-out accuracy {fit.score:.1%}" if fit.method == "logistic" else f"held-out R² {fit.score:.2f}"
    return Direction(
        name=name,
        vector=fit.normal.astype(np.float32),
        sigma=spread(fit.normal, w),
        source=f"{fit.method} boundary on {fit.used} of {len(w)} samples, {score}",
        layers=layers,
    )


@Work
def fit_boundary(
    w: ArrayLike,
    labels: ArrayLike,
    *,
    method: Method = "auto",
    fraction: float = 0.2,
    l2: float = 1e-2,
    held_out: float = 0.3,
    seed: int = 0,
) -> Job[Fit]:
    """The fit behind `boundary`, as numbers. Same arguments and errors."""
    w, labels = _checked(w, labels, method, fraction, held_out)
    rows, targets = np.arange(len(w)), labels
    if method != "ridge":
        rows, targets = two_classes(labels, fraction)
    order = np.random.RandomState(seed).permutation(len(rows))
    cut = max(1, round(len(order) * held_out))
    test, train = order[:cut], order[cut:]
    # One scale for all axes keeps angles in w; centring leaves the offset out of the weight decay.
    centre = w[rows].mean(axis=0)
    x = (w[rows] - centre) / max(float(w.std(axis=0).mean()), 1e-12)
    if method == "ridge":
        weights, offset = ridge(x[train], targets[train], l2)
        residual = targets[test] - x[test] @ weights - offset
        score = 1.0 - float(np.mean(residual**2)) / max(float(np.var(targets[test])), 1e-300)
    else:
        if len(np.unique(targets[train])) < 2:
            raise ValueError("one of the two classes has no sample to train on; give more samples of it")
        weights, offset = yield from logistic.steps(x[train], targets[train], l2)
        score = float(np.mean((x[test] @ weights + offset > 0) == (targets[test] > 0.5)))
    length = float(np.linalg.norm(weights))
    if length == 0.0:
        raise ValueError("the labels do not depend on w at all, so there is no direction")
    return Fit(weights / length, score, "ridge" if method == "ridge" else "logistic", len(train), len(test))


def two_classes(labels: NDArray[np.float64], fraction: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rows [m] that belong to one of two classes and their class 0.0 / 1.0; real labels keep only the extremes."""
    values = np.unique(labels)
    if len(values) == 2:
        return np.arange(len(labels)), (labels == values[1]).astype(np.float64)
    order = np.argsort(labels, kind="stable")
    count = max(1, int(len(labels) * fraction))
    rows = np.concatenate([order[:count], order[-count:]])
    return rows, np.repeat([0.0, 1.0], count)


def condition(direction: Direction, *others: Direction, w: NDArray[np.floating] | None = None) -> Direction:
    """`direction` without its parts along `others`, so that it moves its attribute and leaves theirs alone.

    With one other this is n - (n·m) m; with several the Gram system of the others is solved, so they need not be
    orthogonal. The result has unit length.

    Args:
        direction, others: directions of the same space. A [w_dim] vector counts as equal rows beside a w+ one.
        w: samples [n, w_dim] to measure sigma along the result. Without them sigma shrinks with the part that is left,
            so that one unit of strength is the old step with the forbidden part taken out.

    Raises:
        ValueError: different spaces or shapes, or nothing is left of the direction.
    """
    if not others:
        return direction
    if any(other.space != direction.space for other in others):
        spaces = ", ".join(f"{d.name!r} in {d.space}" for d in (direction, *others))
        raise ValueError(f"directions must share one space to be conditioned on each other; given were {spaces}")
    vectors = _same_shape([np.asarray(d.vector, np.float64) for d in (direction, *others)])
    flat = vectors[0].ravel()
    basis = np.stack([v.ravel() / np.linalg.norm(v) for v in vectors[1:]], axis=1)
    # lstsq solves the Gram system and stays stable when two of the others are nearly the same.
    left = flat - basis @ np.linalg.lstsq(basis, flat, rcond=None)[0]
    size, kept = float(np.linalg.norm(left)), float(np.linalg.norm(left) / np.linalg.norm(flat))
    if kept < 1e-4:
        names = ", ".join(repr(o.name) for o in others)
        raise ValueError(f"nothing is left of {direction.name!r} after taking out {names}: it is a mix of them")
    vector = (left / size).reshape(vectors[0].shape)
    return Direction(
        name=direction.name,
        vector=vector,
        sigma=direction.sigma * size if w is None else spread(vector, np.asarray(w)),
        space=direction.space,
        unit=direction.unit,
        source=f"{direction.source}; conditioned on {', '.join(o.name for o in others)} ({kept:.0%} of its length left)",
        layers=direction.layers,
    )


def _same_shape(vectors: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    shape = max((v.shape for v in vectors), key=len)
    if any(v.shape[-1] != shape[-1] or (v.ndim == len(shape) and v.shape != shape) for v in vectors):
        raise ValueError(f"directions of shapes {[list(v.shape) for v in vectors]} belong to different generators")
    return [np.broadcast_to(v, shape) for v in vectors]


def _checked(
    w: ArrayLike, labels: ArrayLike, method: str, fraction: float, held_out: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    w, labels = np.asarray(w, np.float64), np.asarray(labels, np.float64)
    if w.ndim != 2 or labels.shape != (len(w),):
        raise ValueError(f"w must be [n, w_dim] and labels [n]; given were {list(w.shape)} and {list(labels.shape)}")
    if not np.isfinite(labels).all() or not np.isfinite(w).all():
        raise ValueError("w and labels must be finite; some values are NaN or infinite")
    if len(np.unique(labels)) < 2:
        raise ValueError("all labels are equal; a boundary needs samples of both kinds")
    if method not in METHODS:
        raise unknown_name("method", method, METHODS)
    if not 0.0 < fraction <= 0.5:
        raise ValueError(f"fraction must be above 0 and at most 0.5; {fraction} was given")
    if not 0.0 < held_out < 1.0 or len(w) < 4:
        raise ValueError(f"held_out must be between 0 and 1 and n at least 4; given were {held_out} and {len(w)}")
    return w, labels
