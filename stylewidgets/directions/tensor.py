"""A direction from any array that the user brings."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..core.values import as_numpy
from ..latent.latent import Direction
from ..session.session import GeneratorSession
from ._sampling import sample_styles, sample_w, spread


def from_tensor(
    session: GeneratorSession,
    tensor: object,
    name: str,
    sigma: float | None = None,
    *,
    layers: tuple[int, int] | None = None,
    source: str = "",
    samples: int = 2_000,
) -> Direction:
    """A direction from a tensor, an array or nested numbers.

    Accepted shapes, each with or without leading axes of length 1: [w_dim]; [num_ws, w_dim]; [S], the flat style vector
    with the layers in the order of `session.layers`; or a list with one style array per layer.

    Args:
        session: a GeneratorSession.
        tensor: the direction.
        name: its name.
        sigma: None scales the direction to unit length and measures sigma as the standard deviation of `samples` random
            codes along it, so that one unit of strength is comparable with other directions. A number keeps the
            direction as given, and one unit of strength adds sigma times it.
        layers: default w+ row range [first, last).
        source: where it came from, in words.

    Raises:
        ValueError: wrong shape, a value that is not finite, or all zeros.
    """
    if isinstance(tensor, str | os.PathLike):
        text = f"{str(tensor)!r} is the name of a file: stylewidgets.read_directions(path, session) reads it"
        raise ValueError(f"{text}, and from_tensor takes its array, np.load(path)")  # noqa: TRY004  as for other wrong values
    array, space = _fit(session, tensor)
    if not np.isfinite(array).all():
        raise ValueError(f"direction {name!r} holds {int((~np.isfinite(array)).sum())} values that are not finite")
    length = float(np.linalg.norm(array, axis=-1).max())
    if length == 0.0:
        raise ValueError(f"direction {name!r} is all zeros; it would change nothing")
    words = source or "a tensor given by the user"
    if sigma is None:
        array = array / length
        population = sample_w(session, samples) if space == "w" else sample_styles(session, samples)
        sigma = spread(array, population) or 1.0
        words += f"; scaled by 1/{length:.4g}"
    return Direction(name=name, vector=array, sigma=float(sigma), space=space, source=words, layers=layers)


def _fit(session: GeneratorSession, tensor: object) -> tuple[NDArray[np.float32], Literal["w", "s"]]:
    channels = sum(layer.channels for layer in session.layers)
    parts = list(map(_array, tensor)) if isinstance(tensor, Sequence) and len(tensor) == len(session.layers) else []
    listed = parts and all(part.size == layer.channels for part, layer in zip(parts, session.layers, strict=True))
    array = np.concatenate([part.ravel() for part in parts]) if listed else _array(tensor)
    given = list(array.shape)
    while array.ndim > 1 and array.shape[0] == 1:
        array = array[0]
    if array.shape == (session.w_dim,) or array.shape == (session.num_ws, session.w_dim):
        return array, "w"
    if array.shape == (channels,):
        return array, "s"
    raise ValueError(
        f"a direction of shape {given} does not fit this generator; accepted are [{session.w_dim}] (w), "
        f"[{session.num_ws}, {session.w_dim}] (w+), [{channels}] (styles, flat) or a list of {len(session.layers)} "
        "style arrays, one per layer"
    )


def _array(tensor: object) -> NDArray[np.float32]:
    try:
        return np.array(as_numpy(tensor), dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"a direction must be a tensor, an array or nested lists of numbers; {type(tensor).__name__} was given"
        ) from error
