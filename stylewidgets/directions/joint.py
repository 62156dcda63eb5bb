"""Directions of many attributes at once, each made to leave all the others alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from ..latent.latent import Direction
from ._linear import ridge
from ._sampling import spread


def joint_boundaries(
    w: ArrayLike,
    labels: Mapping[str, ArrayLike],
    *,
    l2: float = 0.02,
    slack: float = 0.1,
    layers: tuple[int, int] | None = None,
) -> dict[str, Direction]:
    """For each attribute the most natural step in w that changes its reading and no other.

    With J the slopes of all readings (ridge regression, in standard deviations) and S the covariance of w, the step for
    attribute i is column i of S Jᵀ (J S Jᵀ + slack · diag)⁻¹: among all steps with that effect it is the likeliest one
    under the distribution of w. `condition` does the same in the plain metric of w, for attributes of your choice.

    Args:
        w: codes [n, w_dim], without truncation.
        labels: readings [n] by name; two classes may be given as 0 and 1.
        l2: weight decay of the slopes, as in `boundary`.
        slack: 0 takes the others out fully and costs effect; large values end at the step along which w varies most
            with the reading.
        layers: default w+ row range of the directions.

    Returns:
        dict: name -> Direction of unit length; sigma is the standard deviation of w along it.

    Raises:
        ValueError: shapes that do not match, values that are not finite, or a reading that never changes.
    """
    w = np.asarray(w, np.float64)
    readings = {name: np.asarray(values, np.float64) for name, values in labels.items()}
    for name, values in readings.items():
        if w.ndim != 2 or values.shape != (len(w),):
            raise ValueError(
                f"w must be [n, w_dim] and {name!r} [n]; given were {list(w.shape)} and {list(values.shape)}"
            )
        if not np.isfinite(values).all() or values.std() == 0.0:
            raise ValueError(f"the reading {name!r} must be finite and must change; it does not")
    if slack < 0:
        raise ValueError(f"slack must be 0 or more; {slack} was given")
    centred = w - w.mean(axis=0)
    scale = max(float(centred.std(axis=0).mean()), 1e-12)
    slopes = np.stack([ridge(centred / scale, v / v.std(), l2)[0] / scale for v in readings.values()])
    covariance = centred.T @ centred / len(w)
    gram = slopes @ covariance @ slopes.T
    gram += np.diag((slack + 1e-9) * np.diag(gram))
    steps = covariance @ slopes.T @ np.linalg.inv(gram)
    result = {}
    for name, step in zip(readings, steps.T, strict=True):
        vector = (step / np.linalg.norm(step)).astype(np.float32)
        source = f"joint regression of {len(readings)} readings on {len(w)} samples, slack {slack:g}"
        result[name] = Direction(name=name, vector=vector, sigma=spread(vector, w), source=source, layers=layers)
    return result
